"""CDS Hooks: discovery, ``patient-view`` for all trials or one, and feedback.

Source: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.service.calls import Call, Reply, new_id
from engine.service.catalogue import Catalogue, identifier
from engine.service.describing import hook
from engine.service.hook_calls import HOOK
from engine.service.keeping import FeedbackStore, Results
from engine.service.prefetch import templates
from engine.service.principal import Caller
from engine.service.reading import public_url
from engine.service.refusals import refused
from engine.service.running import done
from engine.service.wire import JSON, body_of, clock, plain, sent
from engine.trials import Trial

router = APIRouter(tags=["CDS Hooks"])

ALL: Final = "eligibility"
_CALL: Final = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"const": HOOK},
        "hookInstance": {"type": "string", "format": "uuid"},
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
    every = "Which trials the patient may be eligible for."
    found = [_service(catalogue, ALL, "Trials for this patient", every, trials)]
    found += [
        _service(catalogue, service_of(trial), f"Eligibility for {trial.id}", trial.title or trial.id, [trial])
        for trial in trials
    ]
    return plain({"services": found})


def _service(
    catalogue: Catalogue, identity: str, title: str, description: str, trials: Sequence[Trial]
) -> dict[str, Any]:
    prefetch = templates(catalogue.needs(trial.id for trial in trials))
    return {"hook": HOOK, "id": identity, "title": title, "description": description, "prefetch": prefetch}


def service_of(trial: Trial) -> str:
    """The id of the service for one trial."""
    return f"{ALL}-{identifier(trial.id).lower()}"


@router.post("/cds-services/{identity}", **hook("Calls a decision support service", _CALL))
async def call(identity: str, request: Request, caller: Caller) -> Response:
    """The cards for the patient in view."""
    names = tuple(trial.id for trial in _trials(request, identity))
    run, results = new_id(), cast("Results", request.app.state.results)
    body = await body_of(request)
    asked = Call(
        "hook", body, clock(), run, names, link=f"{public_url(request)}/results/{run}{await results.link(run)}",
        server=request.app.state.records is not None,
    )  # fmt: skip
    reply = await done(request, asked)
    if reply.recorded is not None and reply.recorded.result:
        await results.keep(caller, run, reply.recorded.result)
    return sent(reply)


def _trials(request: Request, identity: str) -> list[Trial]:
    catalogue: Catalogue = request.app.state.catalogue
    found = [trial for trial in catalogue.trials.values() if identity in (ALL, service_of(trial))]
    if not found:
        raise refused(404, "not-found", "there is no such service with a trial; /cds-services lists those there are")
    return found


@router.get("/results/{name}", **hook("The whole result that a card links to", None))
async def result(name: str, request: Request, caller: Caller) -> Response:
    """The results behind a card, as ``eligibility screen`` writes them."""
    store: Results = request.app.state.results
    found = await store.get(caller, name)
    if found is None:
        raise refused(404, "not-found", "there is no such result, or it is no longer kept; screen the patient again")
    return sent(Reply(200, found, JSON))


@router.post("/cds-services/{identity}/feedback", **hook("Takes feedback on cards", _FEEDBACK))
async def feedback(identity: str, request: Request, caller: Caller) -> Response:
    """Keeps what clinicians did with cards."""
    _trials(request, identity)
    reply = await done(request, Call("feedback", await body_of(request), clock(), new_id(), (identity,)))
    if reply.feedback:
        store: FeedbackStore = request.app.state.feedback
        await store.add(caller, reply.feedback)
    return sent(reply)
