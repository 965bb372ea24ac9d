"""Near misses: the one comparison that counted against the patient, with the exact distance to its limit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.language.evaluation.trace import Comparison, Trace
from engine.language.values import Quantity
from engine.language.values.json import decimal_text
from engine.terminology.units import Units
from engine.trials.results import NearMiss

FACTS = {
    "Less": ("<", ">="), "LessOrEqual": ("<=", ">"), "Greater": (">", "<="), "GreaterOrEqual": (">=", "<"),
}  # fmt: skip
"""How a comparison that came out true, and one that came out false, stand as facts."""


def near_miss(traces: Iterable[Trace], units: Units, trial: str) -> NearMiss | None:
    """What was compared with what, as it is; None unless exactly one value was compared with one limit.

    A bare number says something to a reader only where the trial's own library (``trial`` is its key) compares it, as
    an age; in a shared library it is arithmetic. A quantity says what it is anywhere.
    """
    found: dict[tuple[str, str], NearMiss] = {}
    for trace in traces:
        for event in trace.events:
            if isinstance(event, Comparison) and not event.filtering and event.result is not None:
                if event.library != trial and not isinstance(event.left, Quantity):
                    continue
                made = _miss(event, trace.define, units)
                if made is not None:
                    found.setdefault((made.value, made.limit), made)
    return next(iter(found.values())) if len(found) == 1 else None


def _miss(event: Comparison, clause: str, units: Units) -> NearMiss | None:
    distance = _distance(event.left, event.right, units)
    if distance is None:
        return None
    fact = FACTS[event.operator][0 if event.result else 1]
    return NearMiss(shown(event.left), fact, shown(event.right), shown(distance), clause)


def _distance(left: Any, right: Any, units: Units) -> Any:
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        if left.value is None or right.value is None:
            return None
        other: Decimal | None = right.value
        if left.unit != right.unit:
            # A calendar word ("second") is comparable, but no UCUM unit: such a comparison has no exact distance.
            convertible = units.valid(left.unit) and units.valid(right.unit)
            other = units.convert(right.value, right.unit, left.unit) if convertible else None
        return None if other is None else Quantity(abs(left.value - other), left.unit)
    if isinstance(left, bool) or isinstance(right, bool):
        return None
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return abs(left - right)
    return None


def shown(value: Any) -> str:
    """A number or quantity as text, with exactly its digits."""
    if isinstance(value, Quantity):
        number = "" if value.value is None else decimal_text(value.value)
        return number if value.unit == "1" else f"{number} {value.unit}"
    return decimal_text(value) if isinstance(value, Decimal) else str(value)
