"""Bytes in and out: content types, JSON with exact numbers, and the answers that all routes give."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.fhir.out import write
from engine.language.values import DateTime
from engine.language.values.json import encode
from engine.service.calls import Reply
from engine.service.refusals import Refusal, outcome, refused

FHIR_JSON: Final = "application/fhir+json"
JSON: Final = "application/json"
JSON_TYPES: Final = (FHIR_JSON, JSON)
IGNORED: Final = ("_format", "_pretty")
"""Parameters of any address: the first chooses the kind of answer, the second changes nothing."""
ANYTHING: Final = ("*/*", "application/*")
SAFE_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""No answer is read as anything but what it says, and none is kept on the way."""


async def body_of(request: Request) -> bytes:
    """The body of a request; Refused (415) when it is said to be anything but JSON in UTF-8."""
    charset = re.search(r";\s*charset\s*=\s*\"?([^\s;\"]+)", request.headers.get("content-type", ""), re.IGNORECASE)
    known = charset is None or charset[1].lower() in ("utf-8", "utf8", "us-ascii")
    if kind_of(request) not in JSON_TYPES or not known:
        raise refused(415, "not-supported", f"send the body as {FHIR_JSON} or {JSON}, in UTF-8")
    return await request.body()


def decoded(data: bytes) -> Any:
    """The decoded JSON of a body; Refused when it is none (400, with line and column)."""
    try:
        return decode_json(data, source="the body")
    except InputError as problem:
        # What JSON could not be read says no more than its place: the text around it stays with the caller.
        place = f" ({problem.place})" if problem.place else ""
        sentence = problem.message if data.strip() else "is empty"
        raise refused(400, "structure", f"the body {sentence}{place}") from None


def wants_json(request: Request, otherwise: str = FHIR_JSON) -> bool:
    """True when the caller prefers plain JSON to FHIR: by ``_format``, else by Accept, where both are as good by
    ``otherwise``.

    Raises:
        Refused: nothing that is accepted can be given (406).
    """
    asked = request.query_params.get("_format")
    if asked:
        # A plus sign that was not written as %2B arrives as a space.
        kind = _essence(asked).replace("fhir json", "fhir+json")
        kind = FHIR_JSON if kind == "json" else kind
        ranges = [(kind, 1.0)]
    else:
        ranges = [_range(part) for part in ",".join(request.headers.getlist("accept")).split(",") if part.strip()]
    ranked = {kind: _rank(kind, ranges or [(ANYTHING[0], 1.0)]) for kind in JSON_TYPES}
    if not any(quality for quality, _ in ranked.values()):
        raise refused(406, "not-supported", f"the answer is given as {FHIR_JSON} or {JSON}; accept one of them")
    return max(JSON_TYPES, key=lambda kind: (*ranked[kind], kind == otherwise)) == JSON


def _range(part: str) -> tuple[str, float]:
    """A media range of Accept and its weight (RFC 9110, 12.4.2); a weight that is none counts as 1."""
    found = re.search(r";\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", part, re.IGNORECASE)
    return _essence(part), 1.0 if found is None else min(float(found[1]), 1.0)


def _rank(kind: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """The weight of a type, from the range that says most about it, and how much that says."""
    for closeness, name in ((2, kind), (1, ANYTHING[1]), (0, ANYTHING[0])):
        weights = [weight for given, weight in ranges if given == name]
        if weights:
            return max(weights), closeness if max(weights) else 0
    return 0.0, 0


def kind_of(request: Request) -> str:
    """The content type of the request's body, without its parameters."""
    return _essence(request.headers.get("content-type", ""))


def _essence(value: str) -> str:
    return value.split(";")[0].strip().lower()


def fhir(resource: dict[str, Any], status: int = 200) -> Response:
    """An answer that was validated as FHIR R4B before it goes."""
    return Response(write(resource), status, SAFE_HEADERS, FHIR_JSON)


def sent(reply: Reply) -> Response:
    """A reply as it was written."""
    return Response(reply.body, reply.status, SAFE_HEADERS, reply.kind)


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
