"""ELM JSON, as HL7 publishes it: :func:`to_json` and :func:`from_json`, and the same to and from bytes.

What is written reads back as the same library (``from_json(to_json(x)) == x``), and is standard ELM for other engines.
Source: CQL 1.5.3, "Physical Representation" and "Logical Specification".
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from engine.errors import InputError
from engine.language.elm.json_in import read_library
from engine.language.elm.json_out import write_library
from engine.language.elm.nodes import Library
from engine.language.elm.types_json import Malformed

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def to_json(library: Library) -> dict[str, Any]:
    """The document ``{"library": …}``; quantities are Decimal, all else text, booleans, lists and objects.

    Raises:
        TypeError: a value or type that ELM has no form for.
    """
    return write_library(library)


def from_json(data: Any, *, source: str = "ELM") -> Library:
    """The library of a decoded document whose numbers are ``int`` or ``Decimal``; ``source`` names it in errors.

    Raises:
        InputError: the document is not ELM that this engine knows, or lacks result types; names the place in it.
    """
    try:
        return read_library(data)
    except Malformed as problem:
        raise InputError(source, _place(data, problem.node), problem.message) from problem
    except RecursionError as problem:
        raise InputError(source, "", "is nested too deep to be read") from problem


def encode(library: Library) -> bytes:
    """The document as UTF-8 bytes, the same bytes for the same library."""
    return _ENCODER.encode(to_json(library))


def decode(data: bytes, *, source: str = "ELM") -> Library:
    """The library of the bytes of a document.

    Raises:
        InputError: not JSON, or not ELM that this engine knows; names the place.
    """
    try:
        document = _DECODER.decode(data)
    except RecursionError as problem:
        raise InputError(source, "", "is nested too deep to be read") from problem
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as problem:
        raise InputError(source, "", f"is not JSON: {problem}") from problem
    return from_json(document, source=source)


def _exact(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as problem:
        raise ValueError(f"the number {text[:40]} cannot be read") from problem
    if abs(value.adjusted()) > 1000:
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


_DECODER = msgspec.json.Decoder(float_hook=_exact)


def _place(data: Any, wanted: Any) -> str:
    """Where ``wanted`` stands in the document: ``library.statements.def[2] "Name" .expression``; found by identity."""
    pending: list[tuple[Any, str]] = [(data, "")]
    while pending:
        value, place = pending.pop()
        if value is wanted:
            return place
        if isinstance(value, dict):
            pending.extend((inner, f"{place}.{name}" if place else name) for name, inner in value.items())
        elif isinstance(value, list):
            pending.extend((inner, f"{place}[{index}]") for index, inner in enumerate(value))
    return ""
