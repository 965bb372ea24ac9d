"""The command line: `eligibility`, also `python -m engine`."""

from __future__ import annotations


def main() -> None:
    """Runs the command line on the arguments of the process."""
    from engine.cli.app import app

    app(prog_name="eligibility")
