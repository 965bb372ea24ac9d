"""Values and reasons in words, for tables and explanations."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.language.values.json import decimal_text
from engine.trials import AtomResult, CriterionResult, Evidence, Missing, TrialResult

RESULTS = {
    "met": "met", "not-met": "not met", "unknown": "unknown", "error": "error", "not-encoded": "not encoded",
}  # fmt: skip
BASES = {
    "record": "",
    "assumed-absent": "rests on absence",
    "attested": "attested",
    "no-data": "no data",
}


def counted(number: int, one: str, several: str = "") -> str:
    """``1 patient``, ``2 patients``; ``several`` is the plural where it does not end in s."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def value_text(value: Any) -> str:
    """A value of the record as a person writes it: ``98 10*9/L``, ``< 5 mg/dL``."""
    match value:
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return decimal_text(value)
        case {"value": number, **rest}:
            return " ".join(str(p) for p in (rest.get("comparator"), value_text(number), rest.get("unit")) if p)
        case dict():
            return ", ".join(f"{name} {value_text(part)}" for name, part in value.items())
        case list():
            return ", ".join(value_text(part) for part in value)
    return str(value)


def resource_text(evidence: Sequence[Evidence]) -> str:
    """The evidence of one resource: what it is, its date and the elements that were read, the most telling first.

    ``Observation/plt (2026-03-12): Platelets (777-3); valueQuantity 98 10*9/L; effectiveDateTime 2026-03-12``.
    """
    ordered = sorted(evidence, key=lambda e: (not e.names, telling(e)))
    date = f" ({ordered[0].date})" if ordered[0].date else ""
    parts = [value_text(e.value) if e.names else f"{e.path} {value_text(e.value)}" for e in ordered]
    return f"{ordered[0].resource}{date}: {'; '.join(parts)}"


def missing_text(missing: Missing) -> str:
    """What would settle an unknown, in words."""
    if missing.element is not None:
        reason = f": {missing.reason}" if missing.reason else ""
        return f"{missing.resource} has no usable {missing.element}{reason}"
    named = f" “{missing.codes}”" if missing.codes else ""
    since = f" since {missing.window.partition('/')[0]}" if missing.window else ""
    reason = f" ({missing.reason})" if missing.reason else ""
    return f"{missing.resource_type}{named}{since}{reason}"


def telling_part(criterion: CriterionResult) -> CriterionResult | AtomResult:
    """The part that shows why: the first that comes out as the criterion does, rather by a record than by absence.

    The criterion itself if no part does.
    """
    alike = [atom for atom in criterion.atoms if atom.result == criterion.result]
    return next((atom for atom in alike if atom.basis != "assumed-absent"), alike[0] if alike else criterion)


def reason_text(criterion: CriterionResult | AtomResult) -> str:
    """One clause for a table: what decides this criterion or part, or what it lacks."""
    if criterion.result == "error":
        return f"error: {criterion.error}"
    if criterion.result == "not-encoded":
        return "not encoded"
    if criterion.near_miss is not None:
        miss = criterion.near_miss
        return f"{miss.value} {miss.operator} {miss.limit}"
    if criterion.result == "unknown" and criterion.missing:
        return f"missing {missing_text(criterion.missing[0])}"
    if criterion.basis == "assumed-absent":
        return BASES[criterion.basis]
    decided = sorted((e for e in criterion.evidence if e.role == "decided"), key=telling)
    if decided:
        unclear = "cannot be told from " if criterion.result == "unknown" else ""
        return f"{unclear}{_decisive_text(decided)}"
    return BASES[criterion.basis] or RESULTS[criterion.result]


def _decisive_text(decided: Sequence[Evidence]) -> str:
    """The most telling of the evidence: a value and its date, or what a resource is, its status and its date."""
    best = decided[0]
    others = [e for e in decided if e.resource == best.resource]
    name = next((value_text(e.value) for e in others if e.names), "")
    if telling(best) == 0:
        stated = f"{name}: " if name and isinstance(best.value, bool) else ""
        return f"{stated}{value_text(best.value)}" + (f" on {best.date}" if best.date else "")
    statuses = [value_text(e.value).lower() for e in others if e.path in STATUSES and isinstance(e.value, str)]
    parts = [name or value_text(best.value), *statuses[:1], best.date]
    return ", ".join(dict.fromkeys(part for part in parts if part))


STATUSES = ("clinicalStatus", "status")
"""Elements that say how it stands with what a resource is about."""


def telling(evidence: Evidence) -> int:
    """A sort key: values tell most, then what a resource is about; least what it is filed under, and its date."""
    first = evidence.path.split(".")[0].split("[")[0]
    if first.startswith("value"):
        return 0
    if evidence.value == evidence.date or first in ("scope", "category"):
        return 3
    return 1 if evidence.names else 2


def absence_text(result: TrialResult) -> str:
    """What the verdict takes from silence, as one sentence, or nothing."""
    parts = []
    if result.absence.criteria:
        parts.append(f"rests on absence: {', '.join(result.absence.criteria)}")
    if result.absence.resource_types:
        parts.append(f"no record of type {', '.join(result.absence.resource_types)}")
    return "; ".join(parts)
