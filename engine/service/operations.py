"""The FHIR operations: ``$cql``, ``Library/$evaluate`` and ``ResearchStudy/$screen``.

Source: OperationDefinitions cql-cql and cql-library-evaluate of Using CQL with FHIR 2.0.0; ``$screen`` is our own.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.service.arguments import CQL, EVALUATE, SCREEN
from engine.service.calls import Call, Operation, new_id
from engine.service.catalogue import Catalogue
from engine.service.describing import operation
from engine.service.principal import Caller
from engine.service.refusals import refused
from engine.service.running import done
from engine.service.wire import body_of, clock, kind_of, sent, wants_json

router = APIRouter(prefix="/fhir", tags=["FHIR operations"])


@router.post("/$cql", **operation("Evaluates a CQL expression", CQL))
async def cql(request: Request, caller: Caller) -> Response:
    """The value of an expression, as the parameter ``return``.

    In plain JSON, which is answered where it was sent and nothing else is asked for, times keep their CQL text.
    """
    return await _answered(request, "cql", plain=wants_json(request, otherwise=kind_of(request)))


@router.post("/Library/$evaluate", **operation("Evaluates a library", EVALUATE))
async def evaluate(request: Request, caller: Caller) -> Response:
    """The values of the defines of a library, given by its address or as a resource."""
    wants_json(request)
    return await _answered(request, "evaluate")


@router.post("/Library/{identity}/$evaluate", **operation("Evaluates a library of this service", EVALUATE))
async def evaluate_instance(identity: str, request: Request, caller: Caller) -> Response:
    """The values of the defines of one of the service's libraries."""
    wants_json(request)
    catalogue: Catalogue = request.app.state.catalogue
    if identity not in catalogue.libraries:
        raise refused(404, "not-found", "there is no Library of this id here")
    return await _answered(request, "evaluate", names=(str(catalogue.libraries[identity]["name"]),))


@router.post("/ResearchStudy/$screen", **operation("Screens a patient for trials", SCREEN, bundle=True))
async def screen(request: Request, caller: Caller) -> Response:
    """The results of a patient for all trials, or for those named."""
    return await _answered(request, "screen", plain=wants_json(request))


@router.post("/ResearchStudy/{identity}/$screen", **operation("Screens a patient for one trial", SCREEN, bundle=True))
async def screen_instance(identity: str, request: Request, caller: Caller) -> Response:
    """The result of a patient for one trial."""
    catalogue: Catalogue = request.app.state.catalogue
    trial = catalogue.trial(identity)
    if trial is None:
        raise refused(404, "not-found", "there is no ResearchStudy of this id here")
    return await _answered(request, "screen", plain=wants_json(request), names=(trial.id,))


async def _answered(request: Request, operation: Operation, **more: Any) -> Response:
    call = Call(
        operation, await body_of(request), clock(), new_id(), query=tuple(request.query_params.multi_items()),
        server=request.app.state.records is not None, **more,
    )  # fmt: skip
    return sent(await done(request, call))
