"""Bytes to decoded JSON: exact numbers, bounded nesting, every mistake with its place.

Numbers with a fraction or exponent become Decimal with their digits, integers int; no float is made. Nesting is
measured on the bytes before they are decoded, so that neither the decoder nor anything after it can run out of stack.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from engine.errors import InputError
from engine.fhir.primitives import read_number
from engine.language.interpreter import COLLECTOR_RESTS

MAX_DEPTH = 200
"""Levels of objects and lists. The deepest record seen in practice has fewer than 30."""

_DECODER = msgspec.json.Decoder(float_hook=read_number)
_UNQUOTED_NUMBERS = msgspec.json.Encoder(decimal_format="number", enc_hook=lambda _unusable_number: None)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
_LISTS_AS_OBJECTS = bytes.maketrans(b"[]", b"{}")
_DEEP_RUN = b"{" * (MAX_DEPTH + 1)
_ESCAPED = re.compile(rb"\\.(?:\\.)*+", re.DOTALL)
_MONSTER = re.compile(rb"\d{4300,}")
_BYTE_MARK = b"\xef\xbb\xbf"


def decode_json(data: bytes, *, source: str, place: str = "") -> Any:
    """The decoded JSON text.

    Raises:
        InputError: empty, not UTF-8, not JSON, nested deeper than :data:`MAX_DEPTH`, or an object with one name twice;
            names line and column, or the name.
    """
    data = data.removeprefix(_BYTE_MARK)
    if not data.strip():
        raise InputError(source, place, "is empty; a FHIR Bundle in JSON was expected")
    outline = _outline(data)
    if _too_deep(outline):
        raise _depth_error(data, source, place)
    decoded = _decoded(data, source, place)
    if _quotes(_UNQUOTED_NUMBERS.encode(decoded)) != outline.count(b'"'):
        _refuse_repeated_names(data, source, place)
    return decoded


def _decoded(data: bytes, source: str, place: str) -> Any:
    try:
        with COLLECTOR_RESTS:
            return _DECODER.decode(data)
    except RecursionError as error:
        raise _depth_error(data, source, place) from error
    except UnicodeDecodeError as error:
        where = _joined(place, _position(data, data.find(error.object[error.start : error.end])))
        raise InputError(source, where, "is not UTF-8 text, which JSON must be") from error
    except msgspec.DecodeError as error:
        found = re.search(r"\(byte (\d+)\)", str(error))
        monster = _MONSTER.search(data) if "out of range" in str(error) else None
        offset = int(found.group(1)) if found else monster.start() if monster else len(data)
        message = "has a whole number of more than 4300 digits" if monster else f"is not JSON: {_reason(str(error))}"
        raise InputError(source, _joined(place, _position(data, offset)), message) from error


def _reason(message: str) -> str:
    text = re.sub(r"\s*\(byte \d+\)", "", message).removeprefix("JSON is malformed: ")
    return {"Input data was truncated": "the text ends too early"}.get(text, text)


def _joined(place: str, where: str) -> str:
    # A place such as `line 3` of an NDJSON file already says the line.
    return f"{place}, {where.removeprefix('line 1, ')}" if place else where


def _position(data: bytes, offset: int) -> str:
    """``line L, column C`` of a byte offset, both from 1."""
    before = data[: max(offset, 0)]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return f"line {line}, column {column}"


def _outline(data: bytes) -> bytes:
    """The brackets and the quotes around strings, in order; lists and objects are one thing here."""
    if b"\\" in data:
        data = _ESCAPED.sub(b"", data)
    return data.translate(_LISTS_AS_OBJECTS, _ALL_BUT_BRACKETS)


def _quotes(encoded: bytes) -> int:
    """The quotes around strings of a JSON text of our own."""
    if b"\\" in encoded:
        encoded = _ESCAPED.sub(b"", encoded)
    return len(encoded) - len(encoded.translate(None, b'"'))  # quicker than to count them


def _refuse_repeated_names(data: bytes, source: str, place: str) -> None:
    """Names the first name that an object has twice: a decoder keeps one of the values, nobody can say the right one.

    Read in full only where fewer strings were kept than the text has.

    Source: RFC 8259 section 4, the names within an object should be unique.
    """

    def members(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise InputError(source, place, f"has an object with the name '{name}' twice; keep the one that counts")

    json.loads(data, object_pairs_hook=members, parse_int=str, parse_float=str)


def _too_deep(outline: bytes) -> bool:
    """True when brackets outside strings nest deeper than :data:`MAX_DEPTH`; in time linear in the data.

    Strings are cut out, then the innermost pairs are removed level by level. What remains after as many levels as are
    allowed is too deep; what stops shrinking before is unbalanced and the decoder's to refuse, as is whether brackets
    are closed by the right ones.
    """
    # Two quotes in a row enclose nothing, or end one string and begin the next: either way what follows keeps its side.
    brackets = b"".join(outline.replace(b'""', b"").split(b'"')[::2])
    for _ in range(MAX_DEPTH):
        if _DEEP_RUN in brackets:
            return True
        shorter = brackets.replace(b"{}", b"")
        if len(shorter) == len(brackets):
            return brackets.count(b"{") > MAX_DEPTH
        brackets = shorter
    return bool(brackets)


def _depth_error(data: bytes, source: str, place: str) -> InputError:
    where = _joined(place, _position(data, _depth_offset(data)))
    return InputError(source, where, f"is nested deeper than {MAX_DEPTH} levels, which no FHIR record is")


def _depth_offset(data: bytes) -> int:
    """Where the first bracket beyond the allowed depth stands. Read token by token: only for the error's place."""
    depth = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', data):
        if token.group() in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return token.start()
        elif token.group() in b"]}":
            depth -= 1
    return len(data)
