"""Interval operators that make intervals: Union, Intersect, Except, Collapse and Expand.

Source: CQL 1.5.3, Appendix B "Interval Operators". Readings taken where the text leaves room:

* a boundary of a result that is not known (an open null boundary took part, or imprecise dates) is an open null
  boundary; whether there is a result at all is only said when it is certain, else it is null;
* collapse merges intervals that certainly overlap, meet, or lie less than one ``per`` apart, and keeps their own
  boundaries; without ``per`` numbers meet at their successor and dates at the coarsest precision of all boundaries;
* expand steps through each interval from its own start, in the order of the starts; equal pieces appear once. A
  boundary finer than ``per`` is cut down to it; a number coarser than ``per`` stands for the range it was rounded
  from, ``10`` per ``0.1`` for 10.0 to 10.9; a date coarser than ``per`` yields nothing. A closed null boundary is
  the extreme of the type, as everywhere, and soon reaches the limit of list size.
  The pieces have the type of the interval: Decimals per 1 are Decimals, though the reference writes them without a
  point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal
from functools import cmp_to_key
from typing import Any

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.operators.comparison import TEMPORALS, sort_compare
from engine.language.operators.interval import meets, overlaps
from engine.language.operators.interval_bounds import (
    TEMPORAL_NAMES,
    Extreme,
    Range,
    both,
    either,
    end_of,
    end_range,
    following,
    known,
    less,
    less_or_equal,
    order,
    point_of,
    preceding,
    start_of,
    start_range,
)
from engine.language.operators.quantities import convert_quantity, duration_precision
from engine.language.operators.registry import operator
from engine.language.values import Interval, Long, Quantity, Uncertainty
from engine.language.values.numbers import EXACT
from engine.language.values.temporal import PRECISIONS, add_duration, difference_between, low_boundary

_Boundary = tuple[Any, bool]
_UNKNOWN: _Boundary = (None, False)


# -- union, intersect, except -----------------------------------------------------------------------------------------


@operator("Union(Interval<T>, Interval<T>) Interval<T>", reference="union", context=True)
def union_interval(context: Context, left: Interval, right: Interval) -> Interval | None:
    """From the earlier start to the later end when the intervals overlap or meet, else null."""
    joined = overlaps(context, left, right, None)
    if joined is not True:
        joined = either(joined, meets(context, left, right, None))
    return _merge(context, left, right) if joined else None


def _merge(context: Context, left: Interval, right: Interval) -> Interval:
    low = _first(context, (start_range(left), _low(left)), (start_range(right), _low(right)))
    high = _last(context, (end_range(left), _high(left)), (end_range(right), _high(right)))
    return _between(low, high, left, right)


@operator("Intersect(Interval<T>, Interval<T>) Interval<T>", reference="intersect", context=True)
def intersect_interval(context: Context, left: Interval, right: Interval) -> Interval | None:
    """The common part, from the later start to the earlier end; null when there is none."""
    if not overlaps(context, left, right, None):
        return None
    low = _last(context, (start_range(left), _low(left)), (start_range(right), _low(right)))
    high = _first(context, (end_range(left), _high(left)), (end_range(right), _high(right)))
    return _between(low, high, left, right)


@operator("Except(Interval<T>, Interval<T>) Interval<T>", reference="except", context=True)
def except_interval(context: Context, left: Interval, right: Interval) -> Interval | None:
    """The part of the first outside the second; null when nothing is left, or two separate parts are."""
    common = overlaps(context, left, right, None)
    if not common:
        return None if common is None else left
    sooner = less(context, start_range(left), start_range(right))
    later = less(context, end_range(right), end_range(left))
    if sooner is True and later is False:
        return _between(_low(left), _step(start_range(right), preceding), left, right)
    if later is True and sooner is False:
        return _between(_step(end_range(right), following), _high(left), left, right)
    return None


def _first(context: Context, left: tuple[Range, _Boundary], right: tuple[Range, _Boundary]) -> _Boundary:
    """The earlier of two boundaries, the left one of equal ones; unknown unless one is certainly not the later."""
    if less_or_equal(context, left[0], right[0]):
        return left[1]
    return right[1] if less_or_equal(context, right[0], left[0]) else _UNKNOWN


def _last(context: Context, left: tuple[Range, _Boundary], right: tuple[Range, _Boundary]) -> _Boundary:
    """The later of two boundaries, the left one of equal ones; unknown unless one is certainly not the earlier."""
    if less_or_equal(context, right[0], left[0]):
        return left[1]
    return right[1] if less_or_equal(context, left[0], right[0]) else _UNKNOWN


def _step(bound: Range, step: Callable[[Any], Any]) -> _Boundary:
    if not known(bound) or isinstance(bound[0], Extreme):
        return _UNKNOWN
    return step(bound[0]), True


def _low(value: Interval) -> _Boundary:
    return value.low, value.low_closed


def _high(value: Interval) -> _Boundary:
    return value.high, value.high_closed


def _between(low: _Boundary, high: _Boundary, left: Interval, right: Interval) -> Interval:
    return Interval(low[0], high[0], low[1], high[1], left.point or right.point)


# -- collapse ---------------------------------------------------------------------------------------------------------


@operator("Collapse(List<Interval<T>>) List<Interval<T>>", reference="collapse", nulls="own", context=True)
@operator("Collapse(List<Interval<T>>, Quantity) List<Interval<T>>", reference="collapse", nulls="own", context=True)
def collapse(
    context: Context, argument: Sequence[Interval | None] | None, per: Quantity | None = None
) -> list[Interval] | None:
    """The fewest intervals that cover the same points, sorted; null intervals are left out, a null list is null."""
    if argument is None:
        return None
    intervals = _sorted(context, [i for i in argument if i is not None])
    if len(intervals) < 2:
        return intervals
    continues = _continues(context, intervals, per)
    result: dict[int, Interval] = {}
    settled: tuple[int, ...] = ()
    unsettled: dict[int, None] = {}
    for index, current in enumerate(intervals):
        place, joined = index, current
        for other in (*unsettled, *settled):
            if continues(result[other], current):
                place, joined = min(place, other), _merge(context, result.pop(other), joined)
                unsettled.pop(other, None)
        result[place] = joined
        if known(start_range(joined)) and known(end_range(joined)):
            settled = (place,)
        else:
            unsettled[place] = None
            settled = tuple(other for other in settled if other in result and other != place)
    return [result[place] for place in sorted(result)]


def _sorted(context: Context, intervals: list[Interval]) -> list[Interval]:
    """By start, then by end, unknown starts first: by the least value each boundary can have."""

    def compare_bounds(left: Any, right: Any) -> int:
        found = order(context, left, right)
        return sort_compare(context, left, right) if found is None else found

    def compare_intervals(left: tuple[Any, Any, Interval], right: tuple[Any, Any, Interval]) -> int:
        context.budget.work(8)
        return compare_bounds(left[0], right[0]) or compare_bounds(left[1], right[1])

    keyed = [(start_range(i)[0], end_range(i)[0], i) for i in intervals]
    return [i for _, _, i in sorted(keyed, key=cmp_to_key(compare_intervals))]


def _continues(
    context: Context, intervals: list[Interval], per: Quantity | None
) -> Callable[[Interval, Interval], bool | None]:
    """The question whether two intervals overlap, meet or lie less than one ``per`` apart; null while it is open."""
    precision: str | None = None
    reach: Callable[[Any], Any]
    if _is_temporal(intervals):
        period, amount = _period(intervals, per)
        precision = "day" if period == "week" else period

        def reach(value: Any) -> Any:
            return _move(value, amount, period)

    elif per is None:

        def reach(value: Any) -> Any:
            return value if isinstance(value, Extreme) else following(value) or Extreme.GREATEST

    else:
        step = _positive(per)

        def reach(value: Any) -> Any:
            return _plus(context, value, step)

    def reached(first: Interval, second: Interval) -> bool | None:
        context.budget.work(8)
        last = end_range(first)
        least = reach(last[0])
        return less_or_equal(context, start_range(second), (least, least if known(last) else reach(last[1])), precision)

    return lambda first, second: both(reached(first, second), reached(second, first))


def _move(value: Any, amount: int, precision: str) -> Any:
    """The value moved on, cut to the precision first; what lies beyond the last value is the end of the line."""
    if isinstance(value, Extreme):
        return value
    return add_duration(_cut(value, precision), amount, precision) or Extreme.GREATEST


def _plus(context: Context, value: Any, step: Quantity) -> Any:
    if isinstance(value, Extreme):
        return value
    if not isinstance(value, Quantity):
        return EXACT.add(Decimal(value), _plain(step))
    unit = value.unit if step.unit == "1" else step.unit
    size = convert_quantity(context, Quantity(step.value, unit), value.unit)
    if value.value is None or size is None or size.value is None:
        raise _incompatible(step)
    return Quantity(EXACT.add(value.value, size.value), value.unit)


# -- expand -----------------------------------------------------------------------------------------------------------


@operator("Expand(List<Interval<T>>) List<Interval<T>>", reference="expand", nulls="own", context=True)
@operator("Expand(List<Interval<T>>, Quantity) List<Interval<T>>", reference="expand", nulls="own", context=True)
def expand(
    context: Context, argument: Sequence[Interval | None] | None, per: Quantity | None = None
) -> list[Interval] | None:
    """The intervals of size ``per`` that lie in the intervals of the list; a null list is null.

    Raises LimitExceeded, before anything is made, when they are more than the limit of list size.
    """
    if argument is None:
        return None
    intervals = _sorted(context, [i for i in argument if i is not None])
    pieces: dict[Interval, None] = {}
    for low, high in _pieces(context, intervals, per):
        pieces[Interval(low, high, True, True, point_of(low))] = None
    return list(pieces)


@operator("Expand(Interval<T>) List<T>", reference="expand", nulls="own", context=True)
@operator("Expand(Interval<T>, Quantity) List<T>", reference="expand", nulls="own", context=True)
def expand_interval(context: Context, argument: Interval | None, per: Quantity | None = None) -> list[Any] | None:
    """The starts of the intervals of size ``per`` that lie in the interval; a null interval is null."""
    return None if argument is None else [low for low, _ in _pieces(context, [argument], per)]


def _pieces(context: Context, intervals: list[Interval], per: Quantity | None) -> Iterator[tuple[Any, Any]]:
    """First and last point of every piece."""
    if not intervals:
        return iter(())
    runs = _temporal_runs(intervals, per) if _is_temporal(intervals) else _number_runs(context, intervals, per)
    total = sum(count for count, _ in runs)
    if total > context.limits.list_size:
        raise LimitExceeded(
            f"expand would make a list of {total} elements, more than the limit of {context.limits.list_size}; "
            "use a larger per or a shorter interval"
        )
    return (piece(i) for count, piece in runs for i in range(count))


_Run = tuple[int, Callable[[int], tuple[Any, Any]]]
"""How many pieces an interval yields, and the piece of each number."""


def _known_ends(value: Interval) -> tuple[Any, Any] | None:
    """First and last point; None when one is unknown."""
    start, end = start_of(value), end_of(value)
    unknown = (start, end) if start is None or end is None else [v for v in (start, end) if type(v) is Uncertainty]
    return None if unknown else (start, end)


def _temporal_runs(intervals: list[Interval], per: Quantity | None) -> list[_Run]:
    precision, amount = _period(intervals, per)
    unit = "day" if precision == "week" else precision
    step = amount * 7 if precision == "week" else amount
    runs: list[_Run] = []
    for ends in map(_known_ends, intervals):
        if ends is None or any(_rank(v.precision) < _rank(unit) for v in ends):
            continue
        first, last = _cut(ends[0], unit), _cut(ends[1], unit)
        between = difference_between(unit, first, last)
        if isinstance(between, int):
            runs.append(((between + 1) // step, _temporal_piece(first, unit, step)))
    return runs


def _temporal_piece(first: Any, unit: str, step: int) -> Callable[[int], tuple[Any, Any]]:
    def piece(index: int) -> tuple[Any, Any]:
        low = add_duration(first, index * step, unit)
        return low, low if step == 1 or low is None else add_duration(low, step - 1, unit)

    return piece


def _number_runs(context: Context, intervals: list[Interval], per: Quantity | None) -> list[_Run]:
    step = _default_step(intervals) if per is None else _positive(per)
    runs: list[_Run] = []
    for value, ends in zip(intervals, map(_known_ends, intervals), strict=True):
        if ends is None:
            continue
        first, last = _numbers(context, ends, step)
        size = _value(step)
        point = Decimal(1).scaleb(-_places(size))
        written = max(point, Decimal(1).scaleb(-_places_of(value)))
        lower, beyond = _floor(first, point), EXACT.add(_floor(last, written), written)
        count = int(EXACT.divide_int(EXACT.subtract(beyond, lower), size))
        runs.append((max(0, count), _number_piece(lower, size, point, _like(ends[0], step))))
    return runs


def _number_piece(
    lower: Decimal, size: Decimal, point: Decimal, like: Callable[[Decimal], Any]
) -> Callable[[int], tuple[Any, Any]]:
    def piece(index: int) -> tuple[Any, Any]:
        low = EXACT.add(lower, EXACT.multiply(size, Decimal(index)))
        return like(low), like(EXACT.subtract(EXACT.add(low, size), point))

    return piece


def _numbers(context: Context, ends: tuple[Any, Any], step: Quantity) -> tuple[Decimal, Decimal]:
    """Both ends as decimals, quantities in the unit of the step."""
    numbers: list[Decimal] = []
    for value in ends:
        if not isinstance(value, Quantity):
            _plain(step)
            numbers.append(Decimal(value))
            continue
        unit = value.unit if step.unit == "1" else step.unit
        converted = value if value.unit == unit else convert_quantity(context, value, unit)
        if converted is None or converted.value is None:
            raise _incompatible(step)
        numbers.append(converted.value)
    return numbers[0], numbers[1]


def _like(value: Any, step: Quantity) -> Callable[[Decimal], Any]:
    """Makes points of the type of ``value``; integers become decimals when the pieces are finer than 1."""
    if isinstance(value, Quantity):
        unit = value.unit if step.unit == "1" else step.unit
        return lambda number: Quantity(number, unit)
    if isinstance(value, Decimal) or _places(_value(step)):
        return lambda number: number
    return Long if isinstance(value, Long) else int


# -- per --------------------------------------------------------------------------------------------------------------


def _is_temporal(intervals: list[Interval]) -> bool:
    return any(i.point in TEMPORAL_NAMES or type(i.low) in TEMPORALS or type(i.high) in TEMPORALS for i in intervals)


def _period(intervals: list[Interval], per: Quantity | None) -> tuple[str, int]:
    """The precision and amount of ``per``; by default one of the coarsest precision of all boundaries."""
    if per is not None:
        precision = duration_precision(per.unit)
        value = _positive(per).value
        if precision is None:
            raise _incompatible(per)
        if value is None or value != value.to_integral_value():
            raise EvaluationError(f"per {value} {per.unit}: dates are divided into whole periods only", code="per")
        return precision, int(value)
    boundaries = [b for i in intervals for b in (i.low, i.high) if type(b) in TEMPORALS]
    return min((b.precision for b in boundaries), key=_rank, default="millisecond"), 1


def _positive(per: Quantity) -> Quantity:
    if per.value is None or per.value <= 0:
        raise EvaluationError(f"per {per.value} {per.unit}: the size of a piece must be positive", code="per")
    return per


def _incompatible(per: Quantity) -> EvaluationError:
    return EvaluationError(
        f"per {per.value} {per.unit!r} does not fit the points of the intervals; "
        "use a plain number for numbers, a unit of the same dimension for quantities, a period such as days for dates",
        code="per",
    )


def _plain(step: Quantity) -> Decimal:
    """The value of a ``per`` for numbers, which must have the default unit."""
    if step.unit not in ("1", ""):
        raise _incompatible(step)
    return _value(step)


def _value(step: Quantity) -> Decimal:
    assert step.value is not None
    return step.value


def _default_step(intervals: list[Interval]) -> Quantity:
    """One unit of the coarsest boundary as written: 1 for integers, 0.1 for 1.5."""
    unit = next((b.unit for i in intervals for b in (i.low, i.high) if isinstance(b, Quantity)), "1")
    return Quantity(Decimal(1).scaleb(-min(map(_places_of, intervals))), unit)


def _places_of(value: Interval) -> int:
    """Decimal places of the coarser boundary as written."""
    numbers = [b.value if isinstance(b, Quantity) else b for b in (value.low, value.high) if b is not None]
    return min((_places(Decimal(n)) for n in numbers if n is not None), default=0)


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _floor(value: Decimal, point: Decimal) -> Decimal:
    return value.quantize(point, ROUND_FLOOR, EXACT)


def _rank(precision: str) -> int:
    return PRECISIONS.index(precision)


def _cut(value: Any, precision: str) -> Any:
    unit = "day" if precision == "week" else precision
    return low_boundary(value, unit) if _rank(value.precision) > _rank(unit) else value
