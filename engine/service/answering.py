"""Answers calls: the one place where the bytes of a request become an evaluation, and its results bytes again.

It runs where evaluations run. What cannot be answered as asked is an OperationOutcome; nothing here awaits anything: a
record that has to be fetched first is asked for (:class:`~engine.service.calls.Wanted`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from engine.fhir.out import write
from engine.language.values import DateTime
from engine.language.values.json import encode
from engine.service.arguments import (
    CQL,
    EVALUATE,
    SCREEN,
    UNSUPPORTED,
    Argument,
    Arguments,
    arguments,
    missing,
    one,
    required,
)
from engine.service.calls import Call, Fetched, Recorded, Reply, Wanted
from engine.service.cards import cards
from engine.service.catalogue import Catalogue
from engine.service.evaluating import GIVEN
from engine.service.hook_calls import HOOK, entries_of, patient_of
from engine.service.inputs import inputs_of, versions_of
from engine.service.jobs import ExpressionJob, Job, LibraryJob, Result, ScreenJob
from engine.service.parameter_values import typed_values
from engine.service.performing import perform
from engine.service.prefetch import PATIENT, gathered
from engine.service.refusals import Refusal, Refused, outcome, refused
from engine.service.screening_parameters import result_parameters
from engine.service.settings import Settings
from engine.service.wire import FHIR_JSON, IGNORED, JSON, decoded
from engine.trials import TrialResult, to_json
from engine.trials.parameters import SCREENING_DATE


def answer(catalogue: Catalogue, call: Call) -> Reply | Wanted:
    """The answer to a call; an OperationOutcome when it cannot be answered as asked."""
    try:
        return _ANSWERS[call.operation](catalogue, call)
    except _Undone as problem:
        return _refusing(problem.refusal, problem.recorded)
    except Refused as problem:
        return _refusing(problem.refusal)


def prepared(settings: Settings) -> Catalogue:
    """What the workers need, warm: every kind of call was answered once, about a patient of whom nothing is known."""
    catalogue = Catalogue(settings)
    now, every = DateTime(2000, 1, 1, 0, 0, 0, 0, 0), tuple(catalogue.trials)
    nobody = {"resourceType": "Patient", "id": "nobody"}
    view = {"hook": HOOK, "hookInstance": str(UUID(int=0)), "context": {"patientId": "nobody"}}
    expression = {"resourceType": "Parameters", "parameter": [{"name": "expression", "valueString": "1 + 1"}]}
    for call in (
        Call("screen", encode(nobody), now, "", every),
        Call("hook", encode(view | {"prefetch": {PATIENT: nobody}}), now, "", every),
        Call("cql", encode(expression), now, ""),
    ):
        answer(catalogue, call)
    return catalogue


class _Undone(Refused):
    """A job that was begun and could not be done: it is recorded."""

    def __init__(self, refusal: Refusal, recorded: Recorded) -> None:
        super().__init__(refusal)
        self.recorded = recorded


def _refusing(refusal: Refusal, recorded: Recorded | None = None) -> Reply:
    return Reply(refusal.status, write(outcome(refusal)), FHIR_JSON, recorded)


def _done(catalogue: Catalogue, job: Job) -> Result:
    found = perform(catalogue, job)
    if isinstance(found, Refusal):
        code = found.issues[0].code if found.issues else "invalid"
        raise _Undone(found, Recorded(reference(job.subject), code))
    return found


def reference(subject: str | None) -> str:
    """The patient a call is about, as far as it says so."""
    if not subject:
        return ""
    return subject if "/" in subject else f"Patient/{subject}"


# ---------------------------------------------------------------- $cql and $evaluate


def _cql(catalogue: Catalogue, call: Call) -> Reply:
    _checked_query(call.query, ())
    given = arguments(decoded(call.body), CQL, UNSUPPORTED)
    expression = required(given, "expression")
    libraries = tuple((required(row.value, "url"), one(row.value, "name")) for row in given["library"])
    job = ExpressionJob(
        expression, call.now, libraries, one(given, "parameters"), _data(given), one(given, "subject"), call.plain
    )
    return _evaluated(catalogue, job, JSON if call.plain else FHIR_JSON)


def _evaluate(catalogue: Catalogue, call: Call) -> Reply:
    _checked_query(call.query, ())
    given = arguments(decoded(call.body), EVALUATE, UNSUPPORTED)
    if call.names and (given["url"] or given["library"]):
        message = "the address names the library; leave 'url' and 'library' out"
        raise refused(400, "structure", message, "Parameters.parameter")
    if not call.names and bool(given["url"]) == bool(given["library"]):
        raise refused(400, "required", "give the library either by 'url' or as 'library'", "Parameters.parameter")
    job = LibraryJob(
        now=call.now, url=call.names[0] if call.names else one(given, "url"), library=one(given, "library"),
        expressions=tuple(row.value for row in given["expression"]),
        include_private=one(given, "includePrivate") or False,
        parameters=one(given, "parameters"), data=_data(given), subject=one(given, "subject"),
    )  # fmt: skip
    return _evaluated(catalogue, job, FHIR_JSON)


def _evaluated(catalogue: Catalogue, job: ExpressionJob | LibraryJob, kind: str) -> Reply:
    found = _done(catalogue, job)
    # The parts were validated where they were made.
    resource = {"resourceType": "Parameters", **({"parameter": found} if found else {})}
    return Reply(200, encode(resource), kind, Recorded(reference(job.subject)))


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


# ---------------------------------------------------------------- $screen


def _screen(catalogue: Catalogue, call: Call) -> Reply | Wanted:
    _checked_query(call.query, ("trial", "patient", "screening-date"))
    given = _screen_arguments(call, decoded(call.body))
    if call.names and given["trial"]:
        raise refused(400, "structure", "the address names the trial; leave 'trial' out", given["trial"][0].place)
    subject, data = one(given, "subject"), one(given, "data")
    fetched = call.fetched
    if data is None and fetched is None:
        return Wanted(_to_fetch(call, given))
    parameters = {name: value for name, (value, _) in typed_values(one(given, "parameters") or {}, GIVEN).items()}
    date = one(given, "screeningDate")
    job = ScreenJob(
        now=call.now, data=fetched.bundle if fetched else data, trials=call.names or _known(catalogue, given["trial"]),
        subject=subject, parameters=parameters | ({} if date is None else {SCREENING_DATE: date}),
        unavailable=fetched.unavailable if fetched else {},
    )  # fmt: skip
    results = _done(catalogue, job)
    recorded = _recorded(catalogue, job, results)
    if call.plain:
        return Reply(200, recorded.result, JSON, recorded)
    return Reply(200, write(result_parameters(results)), FHIR_JSON, recorded)


def _screen_arguments(call: Call, body: Any) -> Arguments:
    """The arguments of ``$screen``: of a Parameters resource, or of a Bundle and the query of its address."""
    if isinstance(body, dict) and body.get("resourceType") in ("Bundle", "Patient"):
        found: dict[str, list[Argument]] = {name: [] for name in SCREEN}
        found["data"] = [Argument(body, "Bundle")]
        for name, key in (("trial", "trial"), ("subject", "patient"), ("screeningDate", "screening-date")):
            found[name] = [Argument(value, "the address") for given, value in call.query if given == key]
            if len(found[name]) > 1 and not SCREEN[name].many:
                raise refused(400, "structure", f"'{key}' stands twice in the address; it is taken once")
        return found
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise refused(400, "structure", "the body is no FHIR Bundle or Parameters resource, which $screen takes")
    # Beside Parameters nothing stands in the address: which of two would count, nobody could see.
    _checked_query(call.query, ())
    return arguments(body, SCREEN, UNSUPPORTED)


def _checked_query(query: tuple[tuple[str, str], ...], taken: tuple[str, ...]) -> None:
    """Refuses what an address asks for that is not taken: a date with a misspelt name would be today's."""
    for name, _ in query:
        if name not in (*taken, *IGNORED):
            known = f"takes {', '.join(taken)}" if taken else "takes no parameters here; give them in the body"
            raise refused(400, "not-supported", f"the address has a parameter that is not known; it {known}")


def _known(catalogue: Catalogue, asked: list[Argument]) -> tuple[str, ...]:
    found = []
    for argument in asked:
        trial = catalogue.trial(argument.value.removeprefix("ResearchStudy/"))
        if trial is None:
            known = ", ".join(catalogue.trials)
            raise refused(404, "not-found", f"there is no trial of this id here; known are {known}", argument.place)
        found.append(trial.id)
    return tuple(found)


def _to_fetch(call: Call, given: Arguments) -> str:
    """The subject whose record is asked of the configured server."""
    subject: str | None = one(given, "subject")
    if subject is None:
        raise missing("data")
    if not call.server or one(given, "useServerData") is False:
        sentence = "the record of a subject alone is not here: no FHIR server is to be asked; send it as 'data'"
        raise refused(422, "not-supported", sentence, given["subject"][0].place)
    return subject


def _recorded(catalogue: Catalogue, job: ScreenJob, results: list[TrialResult]) -> Recorded:
    trials, versions = versions_of(results)
    verdicts = tuple((result.trial, result.verdict) for result in results)
    patient = results[0].patient if results else reference(job.subject)
    inputs = inputs_of(job, catalogue.settings, results)
    return Recorded(patient, "success", inputs, to_json(list(results)), trials, versions, verdicts)


# ---------------------------------------------------------------- CDS Hooks


def _hook(catalogue: Catalogue, call: Call) -> Reply | Wanted:
    body = decoded(call.body)
    patient = patient_of(body)
    had = gathered(body.get("prefetch"), catalogue.needs(call.names))
    fetched = call.fetched or (None if had.bundle is None else Fetched(had.bundle, had.unavailable))
    if fetched is None:
        if call.server:
            return Wanted(f"Patient/{patient}")
        sentence = f"the call brought no Patient as prefetch '{PATIENT}', and no FHIR server is configured to ask"
        raise refused(412, "required", sentence, f"prefetch.{PATIENT}")
    job = ScreenJob(
        now=call.now, data=fetched.bundle, trials=call.names, subject=patient, unavailable=fetched.unavailable,
        source="the prefetch",
    )  # fmt: skip
    results = _done(catalogue, job)
    return Reply(200, encode({"cards": cards(results, call.link)}), JSON, _recorded(catalogue, job, results))


def _feedback(catalogue: Catalogue, call: Call) -> Reply:
    return Reply(200, b"{}", JSON, feedback=entries_of(call.names[0], decoded(call.body)))


_ANSWERS: Final[Mapping[str, Callable[[Catalogue, Call], Reply | Wanted]]] = {
    "cql": _cql, "evaluate": _evaluate, "screen": _screen, "hook": _hook, "feedback": _feedback,
}  # fmt: skip
