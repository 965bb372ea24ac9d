"""Runs a trial's cases: which come out otherwise than expected, and which results each part was seen in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError
from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.language.values.json import encode
from engine.trials.cases import STATES, Case, CaseBook
from engine.trials.parameters import SCREENING_DATE, moment_of
from engine.trials.results import TrialResult
from engine.trials.screening import Screening
from engine.trials.trial import Trial
from engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Difference:
    """What came out otherwise than a case expects: ``name`` is an id, "basis of" one, or "verdict"."""

    case: Case
    name: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How often an atom or criterion came out as each result, and the results it cannot have with the reason."""

    id: str
    text: str
    counts: Mapping[str, int]
    never: Mapping[str, str]

    @property
    def unreached(self) -> tuple[str, ...]:
        """The results it can have and no case reaches."""
        return tuple(state for state in STATES if not self.counts.get(state) and state not in self.never)

    @property
    def contradicted(self) -> tuple[str, ...]:
        """The results it is said never to have and did have."""
        return tuple(state for state in STATES if self.counts.get(state) and state in self.never)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What running the cases of a trial gave; ``seen`` has each criterion followed by its atoms."""

    trial: str
    cases: int
    differences: tuple[Difference, ...]
    seen: tuple[Seen, ...]

    @property
    def passed(self) -> bool:
        """Whether every case came out as expected and every result that can be was seen."""
        return not self.differences and not any(row.unreached or row.contradicted for row in self.seen)


def rehearse(workspace: Workspace, trial: Trial, book: CaseBook) -> Rehearsal:
    """Screens the patient of every case as ``screen`` would, and compares.

    Raises:
        InputError: the parameters or the bundle of a case cannot be used; names the case.
    """
    runs: dict[bytes, Screening] = {}
    counts: dict[str, Counter[str]] = {}
    differences: list[Difference] = []
    for case in book.cases:
        result = _screened(workspace, trial, case, runs)
        answers = _answers(result)
        for identity, (state, _, _) in answers.items():
            counts.setdefault(identity, Counter())[state] += 1
        differences += _differences(case, result, answers)
    seen = [
        Seen(identity, text, counts.get(identity, {}), book.never.get(identity, {})) for identity, text in _parts(trial)
    ]
    return Rehearsal(trial.id, len(book.cases), tuple(differences), tuple(seen))


def _parts(trial: Trial) -> Iterator[tuple[str, str]]:
    """The criteria that are encoded, each followed by its atoms, with their texts."""
    for criterion in trial.criteria:
        if criterion.encoded:
            yield criterion.id, criterion.text
            yield from ((atom.id, atom.text) for atom in criterion.atoms)


def _screened(workspace: Workspace, trial: Trial, case: Case, runs: dict[bytes, Screening]) -> TrialResult:
    place = f"{case.source}: {case.title}"
    key = encode(dict(sorted(case.parameters.items())))
    if key not in runs:
        if SCREENING_DATE not in case.parameters:
            raise InputError(place, SCREENING_DATE, "is missing; no case may depend on the day it is run")
        moment = moment_of(case.parameters, Date(1970, 1, 1), 0, place)
        runs[key] = Screening(workspace, [trial], case.parameters, moment, source=place)
    bundle = decode_bundle(encode(case.bundle), source=place)
    # The first Patient of the bundle is the one asked for: a donor may stand beside him.
    subject = bundle.patients()[0].reference if bundle.patients() else None
    return runs[key].screen(PatientRecord.from_bundle(bundle, subject), case.title)[0]


_Answer = tuple[str, str, str | None]


def _answers(result: TrialResult) -> dict[str, _Answer]:
    """Id → result, basis and error of every criterion and atom."""
    found: dict[str, _Answer] = {}
    for criterion in result.criteria:
        found[criterion.id] = (criterion.result, criterion.basis, criterion.error)
        found |= {atom.id: (atom.result, atom.basis, atom.error) for atom in criterion.atoms}
    return found


def _differences(case: Case, result: TrialResult, answers: Mapping[str, _Answer]) -> Iterator[Difference]:
    for identity, expected in case.expected.items():
        state, _, error = answers[identity]
        if state != expected:
            yield Difference(case, identity, expected, f"{state}: {error}" if error else state)
    for identity, expected in case.basis.items():
        if answers[identity][1] != expected:
            yield Difference(case, f"basis of {identity}", expected, answers[identity][1])
    for identity, (state, _, error) in answers.items():
        if state == "error" and identity not in case.expected:
            yield Difference(case, identity, "no error", f"error: {error}")
    if case.verdict is not None and result.verdict != case.verdict:
        yield Difference(case, "verdict", case.verdict, result.verdict + _why(result))


def _why(result: TrialResult) -> str:
    """The criteria that a verdict rests on."""
    deciding: list[Any] = [c for c in result.criteria if c.excludes] or [c for c in result.criteria if c.open]
    return f" ({', '.join(f'{c.id} {c.result}' for c in deciding)})" if deciding else ""
