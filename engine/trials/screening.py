"""Screening: trials and one patient's record to results (DESIGN 2 for the way of the data, 6 for the verdict)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from engine.errors import EvaluationError
from engine.fhir import PatientRecord
from engine.language import Evaluation
from engine.language.evaluation.trace import Trace
from engine.language.interpreter import COLLECTOR_RESTS
from engine.language.values import Interval
from engine.language.values.json import encode, to_plain
from engine.trials.evidence import Collection, Findings, Sayings
from engine.trials.near import near_miss
from engine.trials.parameters import EVALUATION_TIME, SCREENING_DATE, Moment, bind_parameters
from engine.trials.reach import Reach, reach
from engine.trials.results import (
    Absence,
    AtomResult,
    Basis,
    CriterionResult,
    Result,
    SetAside,
    Stamp,
    TrialResult,
    verdict_of,
)
from engine.trials.support import supporting, unsettled
from engine.trials.trial import Atom, Criterion, Kind, Trial
from engine.trials.unmatched import Known, unmatched
from engine.version import __version__
from engine.workspace import Workspace


class Screening:
    """Trials made ready for many patients: parameters bound once, value sets looked up once.

    ``given`` is the JSON of the parameters; ``moment`` the screening date and the evaluation time, whose offset is the
    time zone of the run.

    Raises:
        InputError: a parameter does not fit the type that a trial declares.
    """

    def __init__(
        self,
        workspace: Workspace,
        trials: Sequence[Trial],
        given: Mapping[str, Any],
        moment: Moment,
        *,
        source: str = "parameters",
    ) -> None:
        self.workspace = workspace
        self.moment = moment
        written = {**given, SCREENING_DATE: str(moment.screening_date), EVALUATION_TIME: str(moment.evaluation_time)}
        self.prepared = [_Prepared(workspace, trial, written, source) for trial in trials]

    def screen(self, record: PatientRecord, source: str = "") -> list[TrialResult]:
        """The result of every trial for one patient, in the order of the trials. A failing define stays its own.

        Unreadable elements are told once they are met: each result names those that any of the trials met, so that the
        order of the trials changes none of them.
        """
        with COLLECTOR_RESTS:
            results = [self._one(prepared, record, source) for prepared in self.prepared]
        problems = tuple(sorted(map(str, record.problems)))
        return [replace(result, problems=problems) for result in results]

    def _one(self, prepared: _Prepared, record: PatientRecord, source: str) -> TrialResult:
        trial, workspace = prepared.trial, self.workspace
        context = workspace.context(self.moment.evaluation_time, record=record, parameters=prepared.parameters)
        evaluation = workspace.evaluate(trial.program, context, trace=True)
        decider = Decider(evaluation, record, workspace, prepared.below)
        criteria = tuple(decider.criterion(criterion) for criterion in trial.criteria)
        types = record.types()
        # A criterion may find a record by its words or a category of codes: then somebody looked at it.
        decided = {e.resource for c in criteria for e in c.evidence if e.role == "decided"}
        absence = Absence(
            tuple(c.id for c in criteria if c.basis == "assumed-absent"),
            tuple(sorted(name for name in prepared.below.types if name not in types and record.has_all(name))),
        )
        stamp = Stamp(
            __version__, trial.hash, f"sha256:{workspace.terms.hash}", prepared.parameters_hash, record.hash,
            str(self.moment.evaluation_time),
        )  # fmt: skip
        return TrialResult(
            trial=trial.id, registry=trial.registry, title=trial.title, patient=record.reference, source=source,
            screening_date=str(self.moment.screening_date), verdict=verdict_of(criteria), criteria=criteria,
            absence=absence, incomplete=(*trial.incomplete, *record.incomplete),
            unmatched=tuple(u for u in unmatched(record, prepared.known) if u.resource not in decided),
            set_aside=tuple(SetAside(s.reference, s.reason) for s in record.set_aside),
            problems=(), stamp=stamp, notes=tuple(record.notes),
        )  # fmt: skip


def screen(
    workspace: Workspace,
    trials: Sequence[Trial],
    record: PatientRecord,
    parameters: Mapping[str, Any],
    moment: Moment,
) -> list[TrialResult]:
    """The results of one patient: :class:`Screening` for a single record."""
    return Screening(workspace, trials, parameters, moment).screen(record)


class _Prepared:
    """A trial with the parameters bound to it and what it reaches."""

    def __init__(self, workspace: Workspace, trial: Trial, given: Mapping[str, Any], source: str) -> None:
        self.trial = trial
        self.parameters = bind_parameters(trial.program, given, source=source)
        moment = {name: given[name] for name in (SCREENING_DATE, EVALUATION_TIME)}
        self.parameters_hash = _hash({**self.parameters, **moment})
        self.below: Reach = reach(trial.program, [c.define for c in trial.criteria if c.define is not None])
        self.known = Known(workspace.terms, self.below)


def _hash(parameters: Mapping[str, Any]) -> str:
    rows = b"\n".join(encode([name, to_plain(parameters[name])]) for name in sorted(parameters))
    return f"sha256:{hashlib.sha256(rows).hexdigest()}"


class Decider:
    """Answers the criteria of one trial for one patient, from one traced evaluation."""

    def __init__(self, evaluation: Evaluation, record: PatientRecord, workspace: Workspace, below: Reach) -> None:
        self.evaluation = evaluation
        self.workspace = workspace
        self.collection = Collection(record, Sayings(below.codes, partial(_window, evaluation)))

    def criterion(self, criterion: Criterion) -> CriterionResult:
        """The answer to a criterion, with those to its atoms."""
        if criterion.define is None:
            return CriterionResult(criterion.id, criterion.kind, criterion.text, "not-encoded", "no-data")
        result, error, traces = self._answer(criterion.define)
        atoms = tuple(self._atom(atom, criterion.kind) for atom in criterion.atoms)
        found = self.collection.findings(traces, self._open(criterion.define, result))
        return CriterionResult(
            id=criterion.id, kind=criterion.kind, text=criterion.text, result=result, basis=_basis(result, found),
            atoms=atoms, evidence=found.evidence, set_aside=found.set_aside, missing=found.missing,
            near_miss=self._near(traces, result, criterion.kind), error=error,
        )  # fmt: skip

    def _atom(self, atom: Atom, kind: Kind) -> AtomResult:
        result, error, traces = self._answer(atom.define)
        found = self.collection.findings(traces, self._open(atom.define, result))
        return AtomResult(
            id=atom.id, text=atom.text, result=result, basis=_basis(result, found), evidence=found.evidence,
            set_aside=found.set_aside, missing=found.missing, near_miss=self._near(traces, result, kind), error=error,
        )  # fmt: skip

    def _answer(self, define: str) -> tuple[Result, str | None, list[Trace]]:
        """The result of a define, the sentence of its failure, and the traces that decide it."""
        try:
            value = self.evaluation.define(define)
        except EvaluationError as problem:
            return "error", _sentence(problem, define), self._all(define)
        trace = self.evaluation.trace(define)
        traces = [] if trace is None else supporting(self.evaluation, trace)
        return ("unknown" if value is None else "met" if value is True else "not-met"), None, traces

    def _open(self, define: str, result: Result) -> list[Trace]:
        """The traces of the parts that leave an unknown open; none for any other result."""
        trace = self.evaluation.trace(define) if result == "unknown" else None
        return [] if trace is None else unsettled(self.evaluation, trace)

    def _all(self, define: str) -> list[Trace]:
        trace = self.evaluation.trace(define)
        return [] if trace is None else list(trace.walk())

    def _near(self, traces: list[Trace], result: Result, kind: Kind) -> Any:
        """Near misses are for what counts against the patient: an inclusion not met, an exclusion met."""
        if result != ("not-met" if kind == "inclusion" else "met"):
            return None
        return near_miss(traces, self.workspace.units, self.evaluation.program.main.key)


def _window(evaluation: Evaluation, library: str, name: str) -> str | None:
    """The days that a define names which a function gives as its ``@window``; None when they are not known."""
    if name not in evaluation.program.units[library].expressions:
        return None
    try:
        days = evaluation.define(name, library)
    except EvaluationError:
        return None
    known = isinstance(days, Interval) and days.low is not None and days.high is not None
    return f"{days.low}/{days.high}" if known else None


def _sentence(problem: EvaluationError, define: str) -> str:
    place = f" (in '{problem.define}')" if problem.define not in (None, define) else ""
    return f"{problem.message}{place}"


def _basis(result: Result, found: Findings) -> Basis:
    """What a result rests on; an assumption weighs more than an attestation, and that more than a record."""
    if result == "unknown":
        return "record" if found.decided else "no-data"
    if result == "error":
        return "no-data"
    if "assumed-absent" in found.bases:
        return "assumed-absent"
    return "attested" if "attested" in found.bases else "record"
