"""The command line: `eligibility`, also `python -m engine`."""
