"""Near misses: a comparison that came out against the patient, with the exact distance to its limit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.language.evaluation.trace import Comparison, Trace
from engine.language.values import Quantity
from engine.language.values.json import decimal_text
from engine.terminology.units import Units
from engine.trials.results import NearMiss

SYMBOLS = {"Less": "<", "LessOrEqual": "<=", "Greater": ">", "GreaterOrEqual": ">="}


def near_miss(traces: Iterable[Trace], against: bool, units: Units) -> NearMiss | None:
    """The only comparison of numbers or quantities that gave ``against``, if there is exactly one."""
    found: dict[NearMiss, None] = {}
    for trace in traces:
        for event in trace.events:
            if isinstance(event, Comparison) and not event.filtering and event.result is against:
                made = _miss(event, trace.define, units)
                if made is not None:
                    found[made] = None
    return next(iter(found)) if len(found) == 1 else None


def _miss(event: Comparison, clause: str, units: Units) -> NearMiss | None:
    distance = _distance(event.left, event.right, units)
    if distance is None:
        return None
    return NearMiss(shown(event.left), SYMBOLS[event.operator], shown(event.right), shown(distance), clause)


def _distance(left: Any, right: Any, units: Units) -> Any:
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        if left.value is None or right.value is None:
            return None
        other: Decimal | None = right.value
        if left.unit != right.unit:
            other = units.convert(right.value, right.unit, left.unit) if units.valid(right.unit) else None
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
