"""Make ``fhir/FHIRHelpers.elm.json``: the ELM of the product's own FHIRHelpers, so that nobody waits for it.

    python -m engine.precompile

To be run after a change of FHIRHelpers or of what the front end makes of it; a test compares.
"""

from __future__ import annotations

from engine.language import SourceText, Translator
from engine.language.elm.json import encode
from engine.terminology.units import Units
from engine.workspace import COMPILED_HELPERS, HELPERS, model_of


def compiled() -> bytes:
    """The ELM JSON of FHIRHelpers, from its text.

    Raises:
        CompileError: the text has mistakes.
    """
    text = SourceText(HELPERS.read_text(encoding="utf-8"), HELPERS.name)
    translator = Translator(units=Units(), models=model_of)
    return encode(translator.translate(text.text, text.source).require()) + b"\n"


def main() -> None:
    """Writes the file anew; the same text and front end give the same bytes."""
    COMPILED_HELPERS.write_bytes(compiled())


if __name__ == "__main__":
    main()
