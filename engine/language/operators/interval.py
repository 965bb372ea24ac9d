"""Interval operators that answer a question or return a point; the ones that make intervals are in the modules beside.

Source: CQL 1.5.3, Appendix B "Interval Operators"; Logical Specification, "ProperContains" and "ProperIn". Boundaries
follow Start and End (:mod:`engine.language.operators.interval_bounds`); every answer is null as long as an unknown
boundary or a missing precision leaves it open.

Reading taken: a point is *properly* in an interval when it is after its start and before its end, as the Logical
Specification says and the official tests expect.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.comparison import TEMPORALS, compare
from engine.language.operators.interval_bounds import (
    GREATEST,
    LEAST,
    Extreme,
    Range,
    both,
    either,
    end_of,
    end_range,
    following,
    interval,
    known,
    less,
    less_or_equal,
    negation,
    point_range,
    same,
    start_of,
    start_range,
)
from engine.language.operators.quantities import add_quantities, in_decimal_range, subtract_quantities
from engine.language.operators.registry import operator
from engine.language.values import Interval, Long, Quantity, Uncertainty
from engine.language.values.numbers import DECIMAL_STEP, EXACT, INTEGER_MAX, INTEGER_MIN, LONG_MAX, LONG_MIN
from engine.language.values.temporal import PRECISIONS, low_boundary

__all__ = ["contains_point", "includes", "interval", "meets", "overlaps", "properly_contains_point"]


# -- boundaries -------------------------------------------------------------------------------------------------------


@operator("Start(Interval<T>) T", reference="start")
def start(argument: Interval) -> Any:
    """The first point: the low boundary, its successor when open; null when that is unknown."""
    return start_of(argument)


@operator("End(Interval<T>) T", reference="end")
def end(argument: Interval) -> Any:
    """The last point: the high boundary, its predecessor when open; null when that is unknown."""
    return end_of(argument)


@operator("PointFrom(Interval<T>) T", reference="point-from", context=True)
def point_from(context: Context, argument: Interval) -> Any:
    """The only point of a unit interval, null when a boundary is unknown; EvaluationError when there are more."""
    single = same(context, start_range(argument), end_range(argument))
    if single is False:
        raise EvaluationError(
            f"point from: the interval from {start_of(argument)} to {end_of(argument)} holds more than one point; "
            "use start of or end of to choose one",
            code="not-a-unit-interval",
        )
    return start_of(argument) if single else None


@operator("Width(Interval<Integer>) Integer", reference="width", context=True)
@operator("Width(Interval<Long>) Long", reference="width", context=True)
@operator("Width(Interval<Decimal>) Decimal", reference="width", context=True)
@operator("Width(Interval<Quantity>) Quantity", reference="width", context=True)
@operator("Width(Interval<Any>) Any", reference="width", context=True)
def width(context: Context, argument: Interval) -> Any:
    """End minus start; null when a boundary is unknown or the result overflows. Not defined for dates and times."""
    low, high = start_of(argument), end_of(argument)
    if type(low) in TEMPORALS or type(high) in TEMPORALS:
        raise EvaluationError(
            "width and Size are not defined for intervals of dates or times; use duration in days of the interval",
            code="interval-of-time",
        )
    if low is None or high is None or isinstance(low, Uncertainty) or isinstance(high, Uncertainty):
        return None
    if isinstance(low, Quantity):
        return subtract_quantities(context, high, low)
    if isinstance(low, Decimal):
        return in_decimal_range(EXACT.subtract(high, low))
    return _in_range(low, high - low)


@operator("Size(Interval<Integer>) Integer", reference="size", context=True)
@operator("Size(Interval<Long>) Long", reference="size", context=True)
@operator("Size(Interval<Decimal>) Decimal", reference="size", context=True)
@operator("Size(Interval<Quantity>) Quantity", reference="size", context=True)
@operator("Size(Interval<Any>) Any", reference="size", context=True)
def size(context: Context, argument: Interval) -> Any:
    """Width and one point more: the number of integers in the interval; of decimals one step of 10**-8 more."""
    wide = width(context, argument)
    match wide:
        case None:
            return None
        case Quantity():
            return add_quantities(context, wide, Quantity(DECIMAL_STEP, wide.unit))
        case Decimal():
            return in_decimal_range(EXACT.add(wide, DECIMAL_STEP))
    return _in_range(wide, wide + 1)


def _in_range(like: int, value: int) -> int | None:
    if isinstance(like, Long):
        return Long(value) if LONG_MIN <= value <= LONG_MAX else None
    return value if INTEGER_MIN <= value <= INTEGER_MAX else None


# -- membership of a point --------------------------------------------------------------------------------------------


def contains_point(context: Context, argument: Interval, point: Any, precision: str | None) -> bool | None:
    """True when the point is in the interval.

    The boundaries themselves are compared, exclusively when open. A closed null boundary is no bound; an open null
    boundary leaves the answer open unless the other boundary decides it: the last point is in the interval, wherever
    that starts, and so is the first.
    """
    inside = _within_boundaries(context, argument, point, precision)
    if inside is not None:
        return inside
    place = point_range(point)
    unknown_start = argument.low is None and not argument.low_closed
    unknown_end = argument.high is None and not argument.high_closed
    if unknown_start and same(context, place, end_range(argument), precision):
        return True
    return True if unknown_end and same(context, place, start_range(argument), precision) else None


def _within_boundaries(context: Context, argument: Interval, point: Any, precision: str | None) -> bool | None:
    low, high = argument.low, argument.high
    if Uncertainty in (type(point), type(low), type(high)):
        place = point_range(point)
        after = less_or_equal(context, start_range(argument), place, precision)
        return both(after, less_or_equal(context, place, end_range(argument), precision))
    inside: bool | None = True
    if low is None:
        inside = True if argument.low_closed else None
    else:
        order = compare(context, point, low, precision)
        if order is None:
            inside = None
        elif order < 0 or (order == 0 and not argument.low_closed):
            return False
    if high is None:
        return inside if argument.high_closed else None
    order = compare(context, point, high, precision)
    if order is None:
        return None
    return False if order > 0 or (order == 0 and not argument.high_closed) else inside


def properly_contains_point(context: Context, argument: Interval, point: Any, precision: str | None) -> bool | None:
    """True when the point is after the start and before the end of the interval."""
    place = point_range(point)
    after = less(context, start_range(argument), place, precision)
    return after if after is False else both(after, less(context, place, end_range(argument), precision))


@operator("In(T, Interval<T>) Boolean", reference="in", nulls="own", context=True, precision=True)
@operator("IncludedIn(T, Interval<T>) Boolean", reference="included-in", nulls="own", context=True, precision=True)
def in_interval(context: Context, point: Any, argument: Interval | None, precision: str | None = None) -> bool | None:
    """Null for a null point, false for a null interval."""
    if point is None:
        return None
    return False if argument is None else contains_point(context, argument, point, precision)


@operator("Contains(Interval<T>, T) Boolean", reference="contains", nulls="own", context=True, precision=True)
@operator("Includes(Interval<T>, T) Boolean", reference="includes", nulls="own", context=True, precision=True)
def contains(context: Context, argument: Interval | None, point: Any, precision: str | None = None) -> bool | None:
    """The converse of In: null for a null point, false for a null interval."""
    if point is None:
        return None
    return False if argument is None else contains_point(context, argument, point, precision)


@operator(
    "ProperIn(T, Interval<T>) Boolean", reference="properly-included-in", nulls="own", context=True, precision=True
)
@operator(
    "ProperIncludedIn(T, Interval<T>) Boolean",
    reference="properly-included-in",
    nulls="own",
    context=True,
    precision=True,
)
def proper_in(context: Context, point: Any, argument: Interval | None, precision: str | None = None) -> bool | None:
    """Null for a null point, false for a null interval."""
    if point is None:
        return None
    return False if argument is None else properly_contains_point(context, argument, point, precision)


@operator(
    "ProperContains(Interval<T>, T) Boolean", reference="properly-includes", nulls="own", context=True, precision=True
)
@operator(
    "ProperIncludes(Interval<T>, T) Boolean", reference="properly-includes", nulls="own", context=True, precision=True
)
def proper_contains(
    context: Context, argument: Interval | None, point: Any, precision: str | None = None
) -> bool | None:
    """The converse of ProperIn: null for a null point, false for a null interval."""
    if point is None:
        return None
    return False if argument is None else properly_contains_point(context, argument, point, precision)


# -- inclusion of an interval -----------------------------------------------------------------------------------------


def includes(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """True when left starts with or before right and ends with or after it."""
    starts = less_or_equal(context, start_range(left), start_range(right), precision)
    if starts is False:
        return False
    return both(starts, less_or_equal(context, end_range(right), end_range(left), precision))


def properly_includes(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """True when left includes right and is not the same."""
    included = includes(context, left, right, precision)
    if included is False:
        return False
    return both(included, negation(same_interval(context, left, right, precision)))


def same_interval(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """True when both start and end at the same points."""
    starts_same = same(context, start_range(left), start_range(right), precision)
    if starts_same is False:
        return False
    return both(starts_same, same(context, end_range(left), end_range(right), precision))


@operator("Includes(Interval<T>, Interval<T>) Boolean", reference="includes", context=True, precision=True)
def includes_interval(
    context: Context, left: Interval, right: Interval, precision: str | None = None
) -> bool | None:
    """True when the first interval completely includes the second."""
    return includes(context, left, right, precision)


@operator("IncludedIn(Interval<T>, Interval<T>) Boolean", reference="included-in", context=True, precision=True)
def included_in_interval(
    context: Context, left: Interval, right: Interval, precision: str | None = None
) -> bool | None:
    """True when the first interval is completely included in the second."""
    return includes(context, right, left, precision)


@operator(
    "ProperIncludes(Interval<T>, Interval<T>) Boolean", reference="properly-includes", context=True, precision=True
)
def proper_includes_interval(
    context: Context, left: Interval, right: Interval, precision: str | None = None
) -> bool | None:
    """True when the first interval completely includes the second and is not the same."""
    return properly_includes(context, left, right, precision)


@operator(
    "ProperIncludedIn(Interval<T>, Interval<T>) Boolean",
    reference="properly-included-in",
    context=True,
    precision=True,
)
def proper_included_in_interval(
    context: Context, left: Interval, right: Interval, precision: str | None = None
) -> bool | None:
    """True when the first interval is completely included in the second and is not the same."""
    return properly_includes(context, right, left, precision)


# -- before, after, and the same or before or after -------------------------------------------------------------------


def _start(value: Any) -> Range:
    return start_range(value) if type(value) is Interval else point_range(value)


def _end(value: Any) -> Range:
    return end_range(value) if type(value) is Interval else point_range(value)


@operator("Before(Interval<T>, Interval<T>) Boolean", reference="before-1", context=True, precision=True)
@operator("Before(T, Interval<T>) Boolean", reference="before-1", context=True, precision=True)
@operator("Before(Interval<T>, T) Boolean", reference="before-1", context=True, precision=True)
def before(context: Context, left: Any, right: Any, precision: str | None = None) -> bool | None:
    """True when the first ends before the second starts."""
    return less(context, _end(left), _start(right), precision)


@operator("After(Interval<T>, Interval<T>) Boolean", reference="after-1", context=True, precision=True)
@operator("After(T, Interval<T>) Boolean", reference="after-1", context=True, precision=True)
@operator("After(Interval<T>, T) Boolean", reference="after-1", context=True, precision=True)
def after(context: Context, left: Any, right: Any, precision: str | None = None) -> bool | None:
    """True when the first starts after the second ends."""
    return less(context, _end(right), _start(left), precision)


@operator("SameOrBefore(Interval<T>, Interval<T>) Boolean", reference="same-or-before-2", context=True, precision=True)
@operator("SameOrBefore(T, Interval<T>) Boolean", reference="same-or-before-2", context=True, precision=True)
@operator("SameOrBefore(Interval<T>, T) Boolean", reference="same-or-before-2", context=True, precision=True)
def same_or_before(context: Context, left: Any, right: Any, precision: str | None = None) -> bool | None:
    """True when the first ends on or before the start of the second."""
    return less_or_equal(context, _end(left), _start(right), precision)


@operator("SameOrAfter(Interval<T>, Interval<T>) Boolean", reference="same-or-after-2", context=True, precision=True)
@operator("SameOrAfter(T, Interval<T>) Boolean", reference="same-or-after-2", context=True, precision=True)
@operator("SameOrAfter(Interval<T>, T) Boolean", reference="same-or-after-2", context=True, precision=True)
def same_or_after(context: Context, left: Any, right: Any, precision: str | None = None) -> bool | None:
    """True when the first starts on or after the end of the second."""
    return less_or_equal(context, _end(right), _start(left), precision)


@operator("SameAs(Interval<T>, Interval<T>) Boolean", reference="same-as-2", context=True, precision=True)
def same_as_interval(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when both start and end at the same points."""
    return same_interval(context, left, right, precision)


@operator("Starts(Interval<T>, Interval<T>) Boolean", reference="starts", context=True, precision=True)
def starts(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when both start at the same point and the first does not end after the second."""
    return both(
        same(context, start_range(left), start_range(right), precision),
        less_or_equal(context, end_range(left), end_range(right), precision),
    )


@operator("Ends(Interval<T>, Interval<T>) Boolean", reference="ends", context=True, precision=True)
def ends(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when both end at the same point and the first does not start before the second."""
    return both(
        less_or_equal(context, start_range(right), start_range(left), precision),
        same(context, end_range(left), end_range(right), precision),
    )


# -- meets and overlaps -----------------------------------------------------------------------------------------------


def _meets_before(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """The start of right is the point after the end of left; nothing lies after the last point of a type.

    With a precision the boundaries are cut to it first, so that the step from one to the other is of that size.
    """
    ends_at = end_range(left)
    least = _next(ends_at[0], precision)
    if least is None:
        return False
    greatest = least if known(ends_at) else _next(ends_at[1], precision)
    place = (least, GREATEST if greatest is None else greatest)
    return same(context, place, start_range(right), precision)


def _next(value: Any, precision: str | None) -> Any:
    if isinstance(value, Extreme):
        return LEAST if value is LEAST else None
    if precision is not None and type(value) in TEMPORALS:
        finer = PRECISIONS.index(value.precision) > PRECISIONS.index(precision)
        return following(low_boundary(value, precision) if finer else value)
    return following(value)


def meets(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """True when one interval ends immediately before the other starts."""
    first = _meets_before(context, left, right, precision)
    return first if first is True else either(first, _meets_before(context, right, left, precision))


@operator("Meets(Interval<T>, Interval<T>) Boolean", reference="meets", context=True, precision=True)
def meets_interval(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when one interval ends immediately before the other starts."""
    return meets(context, left, right, precision)


@operator("MeetsBefore(Interval<T>, Interval<T>) Boolean", reference="meets", context=True, precision=True)
def meets_before(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when the first ends immediately before the second starts."""
    return _meets_before(context, left, right, precision)


@operator("MeetsAfter(Interval<T>, Interval<T>) Boolean", reference="meets", context=True, precision=True)
def meets_after(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when the first starts immediately after the second ends."""
    return _meets_before(context, right, left, precision)


def overlaps(context: Context, left: Interval, right: Interval, precision: str | None) -> bool | None:
    """True when the intervals have a point in common."""
    reaches = less_or_equal(context, start_range(left), end_range(right), precision)
    if reaches is False:
        return False
    return both(reaches, less_or_equal(context, start_range(right), end_range(left), precision))


@operator("Overlaps(Interval<T>, Interval<T>) Boolean", reference="overlaps", context=True, precision=True)
def overlaps_interval(
    context: Context, left: Interval, right: Interval, precision: str | None = None
) -> bool | None:
    """True when the intervals have a point in common."""
    return overlaps(context, left, right, precision)


@operator("OverlapsBefore(Interval<T>, Interval<T>) Boolean", reference="overlaps", context=True, precision=True)
def overlaps_before(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when the intervals overlap and the first starts before the second."""
    sooner = less(context, start_range(left), start_range(right), precision)
    return sooner if sooner is False else both(sooner, overlaps(context, left, right, precision))


@operator("OverlapsAfter(Interval<T>, Interval<T>) Boolean", reference="overlaps", context=True, precision=True)
def overlaps_after(context: Context, left: Interval, right: Interval, precision: str | None = None) -> bool | None:
    """True when the intervals overlap and the first ends after the second."""
    later = less(context, end_range(right), end_range(left), precision)
    return later if later is False else both(later, overlaps(context, left, right, precision))
