"""Bytes in and out: content types, JSON with exact numbers, and the answers that all routes give."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.fhir.out import write
from engine.language.values import DateTime
from engine.language.values.json import encode
from engine.service.refusals import Refusal, outcome, refused

FHIR_JSON: Final = "application/fhir+json"
JSON: Final = "application/json"
JSON_TYPES: Final = (FHIR_JSON, JSON)
ANYTHING: Final = ("*/*", "application/*", "")
SAFE_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""No answer is read as anything but what it says, and none is kept on the way."""


async def body_of(request: Request) -> Any:
    """The decoded JSON of a request.

    Raises:
        Refused: another content type (415), or no JSON (400, with line and column).
    """
    kind = _essence(request.headers.get("content-type", ""))
    if kind not in JSON_TYPES:
        raise refused(415, "not-supported", f"send the body as {FHIR_JSON} or {JSON}")
    data = await request.body()
    try:
        return decode_json(data, source="the body")
    except InputError as problem:
        # What JSON could not be read says no more than its place: the text around it stays with the caller.
        place = f" ({problem.place})" if problem.place else ""
        sentence = problem.message if data.strip() else "is empty"
        raise refused(400, "structure", f"the body {sentence}{place}") from None


def wants_json(request: Request) -> bool:
    """True when the caller prefers plain JSON to FHIR: ``application/json`` in Accept and no ``application/fhir+json``.

    Raises:
        Refused: nothing that is accepted can be given (406).
    """
    given = request.query_params.get("_format") or request.headers.get("accept", "")
    kinds = [_essence(part) for part in given.split(",")]
    if FHIR_JSON in kinds or "json" in kinds or any(kind in ANYTHING for kind in kinds):
        return JSON in kinds and FHIR_JSON not in kinds and kinds[0] == JSON
    if JSON in kinds:
        return True
    raise refused(406, "not-supported", f"the answer is given as {FHIR_JSON} or {JSON}; accept one of them")


def _essence(value: str) -> str:
    return value.split(";")[0].strip().lower()


def fhir(resource: dict[str, Any], status: int = 200) -> Response:
    """An answer that was validated as FHIR R4B before it goes."""
    return Response(write(resource), status, SAFE_HEADERS, FHIR_JSON)


def validated(resource: dict[str, Any]) -> Response:
    """An answer whose parts were validated where they were made."""
    return Response(encode(resource), 200, SAFE_HEADERS, FHIR_JSON)


def plain(content: Any, status: int = 200) -> Response:
    """An answer in plain JSON."""
    return Response(encode(content), status, SAFE_HEADERS, JSON)


def refusal(found: Refusal) -> Response:
    """The OperationOutcome of a refusal."""
    return fhir(outcome(found), found.status)


def clock() -> DateTime:
    """The present moment in UTC; only a face reads the clock."""
    at = datetime.now(UTC)
    return DateTime(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 1000, 0)
