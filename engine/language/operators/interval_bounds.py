"""Where an interval starts and ends, and how boundaries compare when one of them is not known.

Source: CQL 1.5.3, Appendix B "Start" and "End"; Language Semantics, "Interval Values" and "Uncertainty".

A closed null boundary is the extreme of the point type; an open null boundary is unknown. An unknown start still lies
between the minimum of the type and the interval's end, so a question such as "does it meet an interval after its end"
can be answered. Boundaries are therefore compared as *ranges*: a pair of the least and the greatest value the boundary
can have, the same object twice when it is known.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.comparison import NUMBERS, TEMPORALS, compare, written
from engine.language.values import Interval, Quantity, Uncertainty
from engine.language.values.extremes import maximum, minimum, predecessor, successor

Range = tuple[Any, Any]


class Extreme(Enum):
    """Ends of the line of points where no value stands for them: below every quantity, above every quantity."""

    LEAST = "least"
    GREATEST = "greatest"


LEAST, GREATEST = Extreme.LEAST, Extreme.GREATEST


def point_of(value: Any) -> str | None:
    """The name of the system type of a point (``Integer``, ``DateTime`` …); None for null and uncertain values."""
    if value is None or isinstance(value, Uncertainty):
        return None
    name = type(value).__name__
    return "Integer" if name == "int" else name


def interval(
    context: Context, low: Any, high: Any, low_closed: bool, high_closed: bool, point: str | None
) -> Interval | None:
    """The interval with these boundaries: what an interval selector makes.

    ``point`` names the system type of the points, None when only the values tell it. Raises EvaluationError when the
    interval ends before it starts, ``Interval[3, 1]`` or ``Interval[1, 1)`` (Author's Guide, "Interval Values");
    boundaries whose order is not known are accepted.
    """
    made = Interval(low, high, low_closed, high_closed, point or point_of(low) or point_of(high))
    if low is not None and high is not None:
        starts = compare(context, low, high)
        if starts is not None and starts < 0 and (low_closed or high_closed):
            return made
        if less(context, end_range(made), start_range(made)):
            raise EvaluationError(
                f"{_text(made)} is not an interval: it ends before it starts; "
                "give a low boundary that is not after the high boundary, and close both for a single point",
                code="invalid-interval",
            )
    return made


def _text(value: Interval) -> str:
    opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
    return f"Interval{opening}{written(value.low)}, {written(value.high)}{closing}"


# -- the boundaries ---------------------------------------------------------------------------------------------------


def start_of(value: Interval) -> Any:
    """The first point of the interval; None when it is unknown (open null boundary, or no point type)."""
    if value.low is not None:
        return value.low if value.low_closed else _step(value.low, following)
    if not value.low_closed or value.point is None:
        return None
    least = minimum(value.point)
    return Quantity(least.value, value.high.unit) if isinstance(value.high, Quantity) else least


def end_of(value: Interval) -> Any:
    """The last point of the interval; None when it is unknown (open null boundary, or no point type)."""
    if value.high is not None:
        return value.high if value.high_closed else _step(value.high, preceding)
    if not value.high_closed or value.point is None:
        return None
    greatest = maximum(value.point)
    return Quantity(greatest.value, value.low.unit) if isinstance(value.low, Quantity) else greatest


def following(value: Any) -> Any:
    """The next point; None after the last. Of a quantity always by the step of Decimal: its points lie dense."""
    if isinstance(value, Quantity):
        value_after = None if value.value is None else successor(value.value)
        return None if value_after is None else Quantity(value_after, value.unit)
    return successor(value)


def preceding(value: Any) -> Any:
    """The point before; None before the first. Of a quantity always by the step of Decimal."""
    if isinstance(value, Quantity):
        value_before = None if value.value is None else predecessor(value.value)
        return None if value_before is None else Quantity(value_before, value.unit)
    return predecessor(value)


def _step(value: Any, step: Callable[[Any], Any]) -> Any:
    return Uncertainty(step(value.low), step(value.high)) if isinstance(value, Uncertainty) else step(value)


def start_range(value: Interval) -> Range:
    """The least and the greatest value the start of the interval can have."""
    low = value.low
    if low is not None:
        if type(low) is Uncertainty:
            return (low.low, low.high) if value.low_closed else (_after(low.low), _after(low.high))
        if value.low_closed:
            return (low, low)
        first = _after(low)
        return (first, first)
    if value.low_closed and value.point is not None:
        least = _extreme(value.point, LEAST)
        return (least, least)
    if value.high is None and not value.high_closed:
        return (LEAST, GREATEST)
    return (LEAST, GREATEST) if value.point is None else (_extreme(value.point, LEAST), end_range(value)[1])


def end_range(value: Interval) -> Range:
    """The least and the greatest value the end of the interval can have."""
    high = value.high
    if high is not None:
        if type(high) is Uncertainty:
            return (high.low, high.high) if value.high_closed else (_before(high.low), _before(high.high))
        if value.high_closed:
            return (high, high)
        last = _before(high)
        return (last, last)
    if value.high_closed and value.point is not None:
        greatest = _extreme(value.point, GREATEST)
        return (greatest, greatest)
    if value.low is None and not value.low_closed:
        return (LEAST, GREATEST)
    return (LEAST, GREATEST) if value.point is None else (start_range(value)[0], _extreme(value.point, GREATEST))


def _extreme(point: str, which: Extreme) -> Any:
    """The extreme of a point type; of quantities the extreme of every unit."""
    if point == "Quantity":
        return which
    return minimum(point) if which is LEAST else maximum(point)


def _after(value: Any) -> Any:
    after = following(value)
    return GREATEST if after is None else after


def _before(value: Any) -> Any:
    before = preceding(value)
    return LEAST if before is None else before


# -- comparison of ranges ---------------------------------------------------------------------------------------------


def order(context: Context, left: Any, right: Any, precision: str | None = None) -> int | None:
    """:func:`compare` that also knows the ends of the line."""
    if left is right and isinstance(left, Extreme):
        return 0
    if left is LEAST or right is GREATEST:
        return -1
    if left is GREATEST or right is LEAST:
        return 1
    return compare(context, left, right, precision)


def known(bound: Range) -> bool:
    """True when the range is one value."""
    return bound[0] is bound[1]


def point_range(point: Any) -> Range:
    """The range of a point: itself, or the bounds of an uncertain one."""
    return (point.low, point.high) if type(point) is Uncertainty else (point, point)


def less(context: Context, left: Range, right: Range, precision: str | None = None) -> bool | None:
    """True when left is certainly before right, False when certainly not, None otherwise."""
    first = order(context, left[1], right[0], precision)
    if first == -1:
        return True
    if known(left) and known(right):
        return None if first is None else False
    second = order(context, left[0], right[1], precision)
    return False if second is not None and second >= 0 else None


def less_or_equal(context: Context, left: Range, right: Range, precision: str | None = None) -> bool | None:
    """True when left is certainly the same as or before right, False when certainly after, None otherwise."""
    first = order(context, left[1], right[0], precision)
    if first is not None and first <= 0:
        return True
    if known(left) and known(right):
        return None if first is None else False
    return False if order(context, left[0], right[1], precision) == 1 else None


def same(context: Context, left: Range, right: Range, precision: str | None = None) -> bool | None:
    """True when both are certainly the same value, False when certainly different, None otherwise."""
    first = order(context, left[1], right[0], precision)
    if known(left) and known(right):
        return None if first is None else first == 0
    if first == -1 or order(context, left[0], right[1], precision) == 1:
        return False
    return None


# -- three-valued logic -----------------------------------------------------------------------------------------------


def both(left: bool | None, right: bool | None) -> bool | None:
    """Three-valued and."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: bool | None, right: bool | None) -> bool | None:
    """Three-valued or."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def negation(value: bool | None) -> bool | None:
    """Three-valued not."""
    return None if value is None else not value


def same_points(left: Interval, right: Interval) -> bool:
    """True unless the intervals are known to be over different point types; numbers are one type here."""
    if left.point is None or right.point is None or left.point == right.point:
        return True
    return left.point in _NUMBER_NAMES and right.point in _NUMBER_NAMES


_NUMBER_NAMES = frozenset("Integer" if kind is int else kind.__name__ for kind in NUMBERS)
TEMPORAL_NAMES = frozenset(kind.__name__ for kind in TEMPORALS)
