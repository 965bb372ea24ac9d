"""The command line: `eligibility`, also `python -m engine`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line on the arguments of the process."""
    from engine.cli.app import app

    try:
        app(prog_name="eligibility")
    except OSError as problem:
        if problem.filename is None:
            raise
        # Such as a name longer than the system allows, which no command looks for.
        print(f"{problem.filename}: cannot be used: {problem.strerror}", file=sys.stderr)
        sys.exit(2)
