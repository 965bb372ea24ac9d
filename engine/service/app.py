"""The HTTP face: a Bundle in, the results of the trials out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from engine.errors import InputError
from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.language.values.json import encode
from engine.trials import Screening, Trial, moment_of, to_json
from engine.trials.parameters import SCREENING_DATE
from engine.version import __version__
from engine.workspace import Workspace

FHIR_JSON = "application/fhir+json"
ACCEPTED = (FHIR_JSON, "application/json")


def create_app(workspace: Workspace, trials: Sequence[Trial]) -> FastAPI:
    """The service over these trials.

    ``POST /fhir/ResearchStudy/$screen`` takes a Bundle and answers the JSON of ``eligibility screen``; the query
    parameters ``trial`` (repeatable), ``patient`` and ``screening-date`` are those of the command.
    """
    app = FastAPI(title="Eligibility engine", version=__version__)
    known = {trial.id: trial for trial in trials}

    @app.get("/health")
    def health() -> dict[str, Any]:
        """Says that the service is up, and which trials it has."""
        return {"status": "ok", "engine": __version__, "trials": list(known)}

    @app.post("/fhir/ResearchStudy/$screen")
    async def screen(request: Request) -> Response:
        """Screens the patient of a Bundle."""
        if request.headers.get("content-type", "").split(";")[0].strip().lower() not in ACCEPTED:
            return outcome(415, "not-supported", f"send the Bundle as {' or '.join(ACCEPTED)}")
        body = await request.body()
        try:
            return await run_in_threadpool(_screened, workspace, known, body, request)
        except InputError as problem:
            return outcome(400, "invalid", str(problem))

    return app


def _screened(workspace: Workspace, known: dict[str, Trial], body: bytes, request: Request) -> Response:
    query = request.query_params
    asked = query.getlist("trial")
    for name in asked:
        if name not in known:
            raise InputError("trial", "", f"there is no trial '{name}'; known are {', '.join(known)}")
    date = query.get("screening-date")
    now = datetime.now(UTC)
    given = {SCREENING_DATE: date} if date else {}
    moment = moment_of(given, Date(now.year, now.month, now.day), 0, "screening-date")
    bundle = decode_bundle(body, source="the request")
    record = PatientRecord.from_bundle(bundle, query.get("patient"))
    screening = Screening(workspace, [known[n] for n in asked] or list(known.values()), given, moment)
    return Response(to_json(screening.screen(record, "the request")), media_type="application/json")


def outcome(status: int, code: str, sentence: str) -> Response:
    """An OperationOutcome (http://hl7.org/fhir/R4/operationoutcome.html) with one error."""
    issue = {"severity": "error", "code": code, "diagnostics": sentence}
    content = encode({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(content, status_code=status, media_type=FHIR_JSON)
