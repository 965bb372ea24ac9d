"""Make the part of ``FHIRHelpers.cql`` that only repeats itself: ToString of every text and every enumerated code.

    python -m engine.fhir.make_fhirhelpers

What stands above the marker line is written by hand and kept; what stands below is made from the conversions of the
model information (:mod:`engine.fhir.make_modelinfo`).
"""

from __future__ import annotations

from pathlib import Path

from engine.fhir.definitions import definitions

LIBRARY = Path(__file__).parent / "FHIRHelpers.cql"
MARKER = "// Below this line: made by python -m engine.fhir.make_fhirhelpers from the model information.\n"
VERSION = "4.0.1"


def main() -> None:
    """Write the library anew; the same model information gives the same bytes."""
    LIBRARY.write_text(render(LIBRARY.read_text(encoding="utf-8")), encoding="utf-8")


def render(text: str) -> str:
    """The library's text with the part below the marker made anew.

    Raises:
        ValueError: the marker line is missing.
    """
    head, marker, _ = text.partition(MARKER)
    if not marker:
        raise ValueError(f"{LIBRARY.name} lacks the line {MARKER.strip()!r}")
    sources = sorted(s for s, _, function in definitions(VERSION).conversions if function == "FHIRHelpers.ToString")
    lines = [f"define function ToString(value {source}): value.value" for source in sources]
    return head + marker + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
