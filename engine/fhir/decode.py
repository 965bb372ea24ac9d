"""Bytes to decoded JSON: exact numbers, bounded nesting, every mistake with its place.

Numbers with a fraction or exponent become Decimal with their digits, integers int; no float is made. Nesting is
measured on the bytes before they are decoded, so that neither the decoder nor anything after it can run out of stack.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine.errors import InputError
from engine.fhir.primitives import read_number
from engine.language.interpreter import COLLECTOR_RESTS

MAX_DEPTH = 200
"""Levels of objects and lists. The deepest record seen in practice has fewer than 30."""

_DECODER = msgspec.json.Decoder(float_hook=read_number)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
_LISTS_AS_OBJECTS = bytes.maketrans(b"[]", b"{}")
_DEEP_RUN = b"{" * (MAX_DEPTH + 1)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_MONSTER = re.compile(rb"\d{4300,}")
_BYTE_MARK = b"\xef\xbb\xbf"


def decode_json(data: bytes, *, source: str, place: str = "") -> Any:
    """The decoded JSON text.

    Raises:
        InputError: empty, not UTF-8, not JSON, or nested deeper than :data:`MAX_DEPTH`; names line and column.
    """
    data = data.removeprefix(_BYTE_MARK)
    if not data.strip():
        raise InputError(source, place, "is empty; a FHIR Bundle in JSON was expected")
    if _too_deep(data):
        raise _depth_error(data, source, place)
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


def _too_deep(data: bytes) -> bool:
    """True when brackets outside strings nest deeper than :data:`MAX_DEPTH`; in time linear in the data.

    Strings are cut out, then the innermost pairs are removed level by level. What remains after as many levels as are
    allowed is too deep; what stops shrinking before is unbalanced and the decoder's to refuse. Lists and objects are
    one thing here: whether they are closed by the right bracket is the decoder's business too.
    """
    if b"\\" in data:
        data = _ESCAPED.sub(b"", data)
    kept = data.translate(_LISTS_AS_OBJECTS, _ALL_BUT_BRACKETS)
    # Two quotes in a row enclose nothing, or end one string and begin the next: either way what follows keeps its side.
    brackets = b"".join(kept.replace(b'""', b"").split(b'"')[::2])
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
