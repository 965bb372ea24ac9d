"""CDS Hooks: discovery, ``patient-view`` for all trials or one, and feedback.

Source: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.service.cards import cards
from engine.service.catalogue import Catalogue, identifier
from engine.service.describing import hook
from engine.service.jobs import ScreenJob
from engine.service.keeping import Feedback, FeedbackStore, Results
from engine.service.prefetch import PATIENT, Prefetched, gathered, templates, types_needed
from engine.service.principal import Caller, Principal
from engine.service.reading import public_url
from engine.service.refusals import refused
from engine.service.running import done
from engine.service.wire import body_of, clock, plain
from engine.trials import Trial, TrialResult, to_builtins

router = APIRouter(tags=["CDS Hooks"])

ALL: Final = "eligibility"
HOOK: Final = "patient-view"
OUTCOMES: Final = ("accepted", "overridden")
_CALL: Final = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"const": HOOK},
        "hookInstance": {"type": "string"},
        "context": {"type": "object", "required": ["patientId"], "properties": {"patientId": {"type": "string"}}},
        "prefetch": {"type": "object"},
    },
}
_FEEDBACK: Final = {
    "type": "object",
    "required": ["feedback"],
    "properties": {"feedback": {"type": "array", "items": {"type": "object"}}},
}


@router.get("/cds-services", **hook("The decision support services", None))
async def services(request: Request) -> Response:
    """Discovery: one service for all trials, and one for each."""
    catalogue: Catalogue = request.app.state.catalogue
    trials = list(catalogue.trials.values())
    found = [_service(ALL, "Trials for this patient", "Which trials the patient may be eligible for.", trials)]
    found += [
        _service(service_of(trial), f"Eligibility for {trial.id}", trial.title or trial.id, [trial]) for trial in trials
    ]
    return plain({"services": found})


def _service(identity: str, title: str, description: str, trials: Sequence[Trial]) -> dict[str, Any]:
    prefetch = templates(types_needed(trials))
    return {"hook": HOOK, "id": identity, "title": title, "description": description, "prefetch": prefetch}


def service_of(trial: Trial) -> str:
    """The id of the service for one trial."""
    return f"{ALL}-{identifier(trial.id).lower()}"


@router.post("/cds-services/{identity}", **hook("Calls a decision support service", _CALL))
async def call(identity: str, request: Request, caller: Caller) -> Response:
    """The cards for the patient in view."""
    trials = _trials(request, identity)
    body = await body_of(request)
    patient = _patient(body)
    had = gathered(body.get("prefetch"), types_needed(trials))
    if had.bundle is None:
        had = await _fetched(request, patient)
    job = ScreenJob(
        now=clock(), data=had.bundle or {}, trials=tuple(trial.id for trial in trials),
        subject=patient.removeprefix("Patient/"), unavailable=had.unavailable, source="the prefetch",
    )  # fmt: skip
    results: list[TrialResult] = await done(request, job)
    link = await _link(request, caller, results)
    return plain({"cards": cards(results, link)})


def _trials(request: Request, identity: str) -> list[Trial]:
    catalogue: Catalogue = request.app.state.catalogue
    found = [trial for trial in catalogue.trials.values() if identity in (ALL, service_of(trial))]
    if not found:
        raise refused(404, "not-found", "there is no such service with a trial; /cds-services lists those there are")
    return found


def _patient(body: Any) -> str:
    """The patient in view; Refused when the call is not one of patient-view."""
    if not isinstance(body, Mapping):
        raise refused(400, "structure", "the body is no object; a CDS Hooks call was expected")
    if body.get("hook") != HOOK:
        raise refused(400, "value", f"this service answers the hook '{HOOK}' and no other", "hook")
    if not isinstance(body.get("hookInstance"), str) or not body["hookInstance"]:
        raise refused(400, "required", "the call needs its hookInstance", "hookInstance")
    context = body.get("context")
    patient = context.get("patientId") if isinstance(context, Mapping) else None
    if not isinstance(patient, str) or not patient:
        raise refused(400, "required", "the call needs the id of the patient in view", "context.patientId")
    return patient


async def _fetched(request: Request, patient: str) -> Prefetched:
    """The record from a configured server, where the call brought no Patient."""
    records = request.app.state.records
    if records is None:
        sentence = f"the call brought no Patient as prefetch '{PATIENT}', and no FHIR server is configured to ask"
        raise refused(412, "required", sentence, f"prefetch.{PATIENT}")
    bundle, unavailable = await records.record(f"Patient/{patient.removeprefix('Patient/')}")
    return Prefetched(bundle, unavailable)


async def _link(request: Request, caller: Principal, results: list[TrialResult]) -> str:
    store: Results = request.app.state.results
    return f"{public_url(request)}/results/{await store.keep(caller, results)}"


@router.get("/results/{name}", **hook("The whole result that a card links to", None))
async def result(name: str, request: Request, caller: Caller) -> Response:
    """The results behind a card, as ``eligibility screen`` writes them."""
    store: Results = request.app.state.results
    found = await store.get(caller, name)
    if found is None:
        raise refused(404, "not-found", "there is no such result, or it is no longer kept; screen the patient again")
    return plain(to_builtins(list(found)))


@router.post("/cds-services/{identity}/feedback", **hook("Takes feedback on cards", _FEEDBACK))
async def feedback(identity: str, request: Request, caller: Caller) -> Response:
    """Keeps what clinicians did with cards."""
    _trials(request, identity)
    body = await body_of(request)
    rows = body.get("feedback") if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise refused(400, "required", "the body needs a list 'feedback' of at least one entry", "feedback")
    found = [_entry(identity, row, f"feedback[{index}]") for index, row in enumerate(rows)]
    store: FeedbackStore = request.app.state.feedback
    await store.add(caller, found)
    return plain({})


def _entry(identity: str, row: Any, place: str) -> Feedback:
    if not isinstance(row, Mapping):
        raise refused(400, "structure", "an entry of feedback is an object", place)
    texts = {name: row.get(name) for name in ("card", "outcome", "outcomeTimestamp")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise refused(400, "required", f"an entry of feedback needs '{name}', a text", f"{place}.{name}")
    if texts["outcome"] not in OUTCOMES:
        raise refused(400, "value", f"an outcome is {' or '.join(OUTCOMES)}", f"{place}.outcome")
    return Feedback(identity, str(texts["card"]), str(texts["outcome"]), str(texts["outcomeTimestamp"]), dict(row))
