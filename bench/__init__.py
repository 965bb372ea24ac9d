"""The measurements, each a command: `python -m bench.<name>`; `python -m bench [NAME ...]` runs those named, or all."""
