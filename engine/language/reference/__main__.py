"""Writes `docs/language.md`: `python -m engine.language.reference [--check]`.

`--check` writes nothing and ends with 1 when the committed document differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from engine.language.reference.document import document

TARGET: Final = Path(__file__).resolve().parents[3] / "docs" / "language.md"


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 when the document was written, or is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m engine.language.reference", description="Write docs/language.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the document differs")
    options = parser.parse_args(arguments)
    text = document()
    if not options.check:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is out of date; run `python -m engine.language.reference`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
