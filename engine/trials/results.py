"""What a screening says (DESIGN 6): small frozen values, and their JSON with exact numbers and names in camelCase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from engine.language.values.json import encode
from engine.trials.trial import Kind

Result = Literal["met", "not-met", "unknown", "error", "not-encoded"]
Verdict = Literal["eligible", "needs-review", "ineligible"]
Basis = Literal["record", "assumed-absent", "attested", "no-data"]

NAMING = ("code", "vaccineCode", "medicationCodeableConcept", "medicationReference", "type", "category", "scope")
"""Where a resource says what it is, the most telling first (FHIR R4 resource definitions)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An element of the record: ``resource`` is its reference, ``path`` the place in it, ``value`` what stands there.

    ``value`` is a text, number or Boolean, a quantity as ``{"value", "unit", "comparator"}``, or the JSON of another
    element. ``date`` is the resource's own date as it is written; ``clause`` the define that looked at it. ``decided``
    evidence settles the result; ``considered`` was looked at on the way.
    """

    resource: str
    path: str
    value: Any
    date: str | None
    clause: str
    role: Literal["decided", "considered"]

    @property
    def names(self) -> bool:
        """True when this element says what its resource is: a code, a medication, a type."""
        return self.path.split(".")[0].split("[")[0] in NAMING


@dataclass(frozen=True, slots=True)
class SetAside:
    """A resource that did not count, and why (stale, entered in error, other subject …)."""

    resource: str
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What would settle an unknown: a resource of a type, among codes, or an element of a resource that is there.

    ``codes`` is the name of the value set or code asked for and ``url`` its address (``system|code`` for a code);
    ``window`` the first and the last day that count, as an ISO 8601 interval (``2026-05-18/2026-06-15``);
    ``resource`` and ``reason`` name the record whose element is missing or unreadable.
    """

    resource_type: str
    codes: str | None = None
    url: str | None = None
    element: str | None = None
    window: str | None = None
    resource: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The comparison that counted against the patient, as a fact (``98 < 100``), and the exact distance."""

    value: str
    operator: str
    limit: str
    distance: str
    clause: str


@dataclass(frozen=True, slots=True)
class AtomResult:
    """The answer to one part of a criterion."""

    id: str
    text: str
    result: Result
    basis: Basis
    evidence: tuple[Evidence, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    missing: tuple[Missing, ...] = ()
    near_miss: NearMiss | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The answer to one criterion, about the sentence as it is written."""

    id: str
    kind: Kind
    text: str
    result: Result
    basis: Basis
    atoms: tuple[AtomResult, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    missing: tuple[Missing, ...] = ()
    near_miss: NearMiss | None = None
    error: str | None = None

    @property
    def excludes(self) -> bool:
        """True when this criterion alone makes the patient ineligible."""
        return self.result == ("not-met" if self.kind == "inclusion" else "met")

    @property
    def open(self) -> bool:
        """True when nobody can say yet: unknown, in error or not encoded."""
        return self.result in ("unknown", "error", "not-encoded")


@dataclass(frozen=True, slots=True)
class Absence:
    """What the verdict takes from silence: criteria that rest on absence, resource types without any record."""

    criteria: tuple[str, ...]
    resource_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A condition, procedure or medication that no value set of the trial knows: nobody looked at it."""

    resource: str
    text: str
    reason: Literal["text-only", "in-no-value-set"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the result was made from; the same stamp and inputs give the same bytes. Hashes are SHA-256."""

    engine: str
    library: str
    valuesets: str
    parameters: str
    data: str
    evaluation_time: str


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One patient and one trial.

    ``incomplete`` says what the list of criteria or the record lacks; ``notes`` what a reader has to know of the
    patient though no criterion may ask for it: that a death is recorded, or that records stand elsewhere.
    """

    trial: str
    registry: str
    title: str
    patient: str
    source: str
    screening_date: str
    verdict: Verdict
    criteria: tuple[CriterionResult, ...]
    absence: Absence
    incomplete: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]
    set_aside: tuple[SetAside, ...]
    problems: tuple[str, ...]
    stamp: Stamp
    notes: tuple[str, ...] = ()

    def of(self, criterion: str) -> CriterionResult:
        """The result of the criterion with that id (KeyError when there is none)."""
        for result in self.criteria:
            if result.id == criterion:
                return result
        raise KeyError(criterion)

    def count(self, *results: Result) -> int:
        """How many criteria came out as one of these."""
        return sum(1 for criterion in self.criteria if criterion.result in results)


def verdict_of(criteria: Iterable[CriterionResult]) -> Verdict:
    """``ineligible`` if anything excludes, else ``needs-review`` if anything is open, else ``eligible`` (DESIGN 6)."""
    results = tuple(criteria)
    if any(result.excludes for result in results):
        return "ineligible"
    return "needs-review" if any(result.open for result in results) else "eligible"


def to_builtins(value: Any) -> Any:
    """Results as dicts and lists with JSON's names; what is None is left out, Decimals stay exact."""
    if value.__class__ is str:
        return value
    if is_dataclass(value):
        named = ((shown, getattr(value, name)) for name, shown in _names(value.__class__))
        return {shown: to_builtins(part) for shown, part in named if part is not None}
    if isinstance(value, tuple | list):
        return [to_builtins(part) for part in value]
    if isinstance(value, dict):
        return {name: to_builtins(part) for name, part in value.items()}
    assert value is None or isinstance(value, bool | int | str | Decimal), type(value)
    return value


def to_json(value: Any) -> bytes:
    """The JSON text of results."""
    return encode(to_builtins(value))


@cache
def _names(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """The fields of a kind of result, each with its name in JSON."""
    return tuple((f.name, _camel(f.name)) for f in fields(kind))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
