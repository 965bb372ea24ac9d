"""The FHIR operations: ``$cql``, ``Library/$evaluate`` and ``ResearchStudy/$screen``.

Source: OperationDefinitions cql-cql and cql-library-evaluate of Using CQL with FHIR 2.0.0; ``$screen`` is our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.service.arguments import Argument, Arguments, Taken, arguments, missing, one, required
from engine.service.catalogue import Catalogue
from engine.service.describing import operation
from engine.service.evaluating import GIVEN
from engine.service.jobs import ExpressionJob, LibraryJob, ScreenJob
from engine.service.parameter_values import typed_values
from engine.service.principal import Caller
from engine.service.refusals import refused
from engine.service.running import done
from engine.service.screening_parameters import result_parameters
from engine.service.wire import FHIR_JSON, JSON, body_of, clock, fhir, kind_of, plain, validated, wants_json
from engine.trials import to_builtins
from engine.trials.parameters import SCREENING_DATE

router = APIRouter(prefix="/fhir", tags=["FHIR operations"])

_DATA: Final = {
    "parameters": Taken("Parameters"),
    "data": Taken("Bundle"),
    "subject": Taken("text"),
    "useServerData": Taken("boolean"),
}
CQL: Final = {
    "expression": Taken("text"),
    "library": Taken("parts", many=True, parts={"url": Taken("text"), "name": Taken("text")}),
    **_DATA,
}
EVALUATE: Final = {
    "url": Taken("text"),
    "library": Taken("Library"),
    "expression": Taken("text", many=True),
    "includePrivate": Taken("boolean"),
    **_DATA,
}
SCREEN: Final = {"trial": Taken("text", many=True), "screeningDate": Taken("text"), **_DATA}
UNSUPPORTED: Final = {
    "prefetchData": "this service takes all data as one Bundle; send it as 'data'",
    "dataEndpoint": "this service reaches no data that a request names; send it as 'data'",
    "contentEndpoint": "this service reaches no libraries elsewhere; send the library as 'library'",
    "terminologyEndpoint": "this service has its own terminology and reaches no other",
}


class Records(Protocol):
    """A configured FHIR server: ``app.state.records``, None where there is none."""

    async def record(self, subject: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The Bundle of a patient, and the resource types that could not be had with the reason."""


@router.post("/$cql", **operation("Evaluates a CQL expression", CQL))
async def cql(request: Request, caller: Caller) -> Response:
    """The value of an expression, as the parameter ``return``.

    In plain JSON, which is answered where it was sent and nothing else is asked for, times keep their CQL text.
    """
    plain_json = wants_json(request, otherwise=kind_of(request))
    given = arguments(await body_of(request), CQL, UNSUPPORTED)
    expression = required(given, "expression")
    data = _data(given)
    libraries = tuple(_library(row) for row in given["library"])
    subject = one(given, "subject")
    job = ExpressionJob(expression, clock(), libraries, one(given, "parameters"), data, subject, plain_json)
    found = {"resourceType": "Parameters", "parameter": await done(request, job)}
    return validated(found, JSON if plain_json else FHIR_JSON)


def _library(row: Argument) -> tuple[str, str | None]:
    return required(row.value, "url"), one(row.value, "name")


@router.post("/Library/$evaluate", **operation("Evaluates a library", EVALUATE))
async def evaluate(request: Request, caller: Caller) -> Response:
    """The values of the defines of a library, given by its address or as a resource."""
    given = arguments(await body_of(request), EVALUATE, UNSUPPORTED)
    if bool(given["url"]) == bool(given["library"]):
        raise refused(400, "required", "give the library either by 'url' or as 'library'", "Parameters.parameter")
    return await _evaluated(request, given, one(given, "url"))


@router.post("/Library/{identity}/$evaluate", **operation("Evaluates a library of this service", EVALUATE))
async def evaluate_instance(identity: str, request: Request, caller: Caller) -> Response:
    """The values of the defines of one of the service's libraries."""
    catalogue: Catalogue = request.app.state.catalogue
    if identity not in catalogue.libraries:
        raise refused(404, "not-found", "there is no Library of this id here")
    given = arguments(await body_of(request), EVALUATE, UNSUPPORTED)
    if given["url"] or given["library"]:
        message = "the address names the library; leave 'url' and 'library' out"
        raise refused(400, "structure", message, "Parameters.parameter")
    return await _evaluated(request, given, str(catalogue.libraries[identity]["name"]))


async def _evaluated(request: Request, given: Arguments, url: str | None) -> Response:
    data = _data(given)
    job = LibraryJob(
        now=clock(), url=url, library=one(given, "library"),
        expressions=tuple(row.value for row in given["expression"]),
        include_private=one(given, "includePrivate") or False,
        parameters=one(given, "parameters"), data=data, subject=one(given, "subject"),
    )  # fmt: skip
    found = await done(request, job)
    return validated({"resourceType": "Parameters", **({"parameter": found} if found else {})})


@router.post("/ResearchStudy/$screen", **operation("Screens a patient for trials", SCREEN, bundle=True))
async def screen(request: Request, caller: Caller) -> Response:
    """The results of a patient for all trials, or for those named."""
    return await _screened(request, ())


@router.post("/ResearchStudy/{identity}/$screen", **operation("Screens a patient for one trial", SCREEN, bundle=True))
async def screen_instance(identity: str, request: Request, caller: Caller) -> Response:
    """The result of a patient for one trial."""
    catalogue: Catalogue = request.app.state.catalogue
    trial = catalogue.trial(identity)
    if trial is None:
        raise refused(404, "not-found", "there is no ResearchStudy of this id here")
    return await _screened(request, (trial.id,))


async def _screened(request: Request, trials: tuple[str, ...]) -> Response:
    as_json = wants_json(request)
    body = await body_of(request)
    given = _screen_arguments(request, body)
    if trials and given["trial"]:
        raise refused(400, "structure", "the address names the trial; leave 'trial' out", given["trial"][0].place)
    subject, data = one(given, "subject"), one(given, "data")
    unavailable: Mapping[str, str] = {}
    if data is None:
        data, unavailable = await _fetched(request, given, subject)
    parameters = {name: value for name, (value, _) in typed_values(one(given, "parameters") or {}, GIVEN).items()}
    date = one(given, "screeningDate")
    job = ScreenJob(
        now=clock(), data=data, trials=trials or _known(request, given["trial"]), subject=subject,
        parameters=parameters | ({} if date is None else {SCREENING_DATE: date}), unavailable=unavailable,
    )  # fmt: skip
    results = await done(request, job)
    return plain(to_builtins(results)) if as_json else fhir(result_parameters(results))


def _screen_arguments(request: Request, body: Any) -> Arguments:
    """The arguments of ``$screen``: of a Parameters resource, or of a Bundle and the query of its address."""
    if isinstance(body, dict) and body.get("resourceType") in ("Bundle", "Patient"):
        query = request.query_params
        found: dict[str, list[Argument]] = {name: [] for name in SCREEN}
        found["data"] = [Argument(body, "Bundle")]
        for name, key in (("trial", "trial"), ("subject", "patient"), ("screeningDate", "screening-date")):
            found[name] = [Argument(value, "the address") for value in query.getlist(key)]
        return found
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise refused(400, "structure", "the body is no FHIR Bundle or Parameters resource, which $screen takes")
    return arguments(body, SCREEN, UNSUPPORTED)


def _known(request: Request, asked: list[Argument]) -> tuple[str, ...]:
    catalogue: Catalogue = request.app.state.catalogue
    found = []
    for argument in asked:
        trial = catalogue.trial(argument.value.removeprefix("ResearchStudy/"))
        if trial is None:
            known = ", ".join(catalogue.trials)
            raise refused(404, "not-found", f"there is no trial of this id here; known are {known}", argument.place)
        found.append(trial.id)
    return tuple(found)


async def _fetched(
    request: Request, given: Arguments, subject: str | None
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """The record of a subject from the configured server."""
    records: Records | None = request.app.state.records
    if subject is None:
        raise missing("data")
    if records is None or one(given, "useServerData") is False:
        sentence = "the record of a subject alone is not here: no FHIR server is to be asked; send it as 'data'"
        raise refused(422, "not-supported", sentence, given["subject"][0].place)
    return await records.record(subject)


def _data(given: Arguments) -> Mapping[str, Any] | None:
    """The data of ``$cql`` and ``$evaluate``.

    A configured server is not asked: what it would be asked for is known of the trials, not of any expression, and a
    record that lacks what the expression looks for would be taken for a whole one.
    """
    data: Mapping[str, Any] | None = one(given, "data")
    if data is None and given["subject"]:
        sentence = "the record of a subject is not fetched for this operation; send it as 'data'"
        raise refused(422, "not-supported", sentence, given["subject"][0].place)
    return data
