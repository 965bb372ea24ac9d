"""Order: Less, Greater and their kin, and the generic comparison that intervals, sorting, Min and Max build on.

Source: CQL 1.5.3, Appendix B "Comparison Operators"; Author's Guide, "Sorting" (nulls are lower than any value).
Equal, Equivalent and NotEqual of the same chapter stand in :mod:`engine.language.operators.equality`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.quantities import compare_quantities
from engine.language.operators.registry import operator
from engine.language.values import Date, DateTime, Long, Quantity, Time, Uncertainty
from engine.language.values.temporal import PRECISIONS, low_boundary
from engine.language.values.temporal import compare as compare_temporal

NUMBERS = frozenset({int, Long, Decimal})
TEMPORALS = frozenset({Date, DateTime, Time})


def compare(context: Context, left: Any, right: Any, precision: str | None = None) -> int | None:
    """-1, 0 or 1 as ``left`` is less than, equal to or greater than ``right``; None when that cannot be known.

    Dispatches on the values at hand: numbers, strings, dates and times (to ``precision`` when given), quantities, and
    uncertainties, which compare when their whole ranges lie apart. None for null operands, for imprecise dates and for
    quantities of different dimensions. Raises EvaluationError for values that have no order (Appendix B, "Less").

    Unlike Less and Equal, which read seconds without milliseconds as a decimal (``12:00:00`` is ``.000``), points of
    intervals and elements of lists whose milliseconds are missing may lie anywhere in their second: the comparison is
    null there, as the specification's own tests of ``included in`` and ``properly includes`` have it.
    """
    if left is None or right is None:
        return None
    kind, other = type(left), type(right)
    if (kind is str and other is str) or (kind in NUMBERS and other in NUMBERS):
        return int(left > right) - int(left < right)
    if kind in TEMPORALS and other in TEMPORALS:
        if precision is None and getattr(left, "millisecond", 0) != getattr(right, "millisecond", 0):
            precision = _missing_milliseconds(left, right)
        return compare_temporal(left, right, precision, context.offset_minutes)
    if kind is Quantity and other is Quantity:
        return compare_quantities(context, left, right)
    if kind is Uncertainty or other is Uncertainty:
        return _compare_uncertain(context, left, right)
    raise EvaluationError(
        f"{_describe(left)} and {_describe(right)} cannot be compared: they have no common order; "
        "compare values of one ordered type (numbers, strings, dates, times or quantities)",
        code="not-comparable",
    )


def _missing_milliseconds(left: Any, right: Any) -> str | None:
    """``millisecond`` when just one of two times has milliseconds, so that the other spans its whole second."""
    if type(left) is Date or type(right) is Date or (left.millisecond is None) == (right.millisecond is None):
        return None
    return "millisecond"


def _compare_uncertain(context: Context, left: Any, right: Any) -> int | None:
    left_low, left_high = (left.low, left.high) if isinstance(left, Uncertainty) else (left, left)
    right_low, right_high = (right.low, right.high) if isinstance(right, Uncertainty) else (right, right)
    if compare(context, left_high, right_low) == -1:
        return -1
    if compare(context, left_low, right_high) == 1:
        return 1
    points = compare(context, left_low, left_high) == 0 and compare(context, right_low, right_high) == 0
    return 0 if points and compare(context, left_low, right_low) == 0 else None


def written(value: Any) -> str:
    """A number, quantity, date or time as CQL writes it, for messages; another value as it shows itself."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if type(value) in TEMPORALS or type(value) is Quantity:
        return f"{_MARKS.get(type(value), '')}{value}"
    return repr(value)


_MARKS = {Date: "@", DateTime: "@", Time: "@T"}
_NAMES = {int: "Integer", str: "String", bool: "Boolean"}


def _describe(value: Any) -> str:
    text = written(value)
    return f"{_NAMES.get(type(value), type(value).__name__)} {text if len(text) <= 60 else text[:57] + '...'}"


# -- sorting ----------------------------------------------------------------------------------------------------------


def sort_compare(context: Context, left: Any, right: Any) -> int:
    """Total order for sorting, negative, zero or positive: nulls before every value; otherwise :func:`compare`.

    Of two dates that agree as far as both are known, the one that may be earlier and then the less precise one comes
    first, so that the order is total and the same on every run. Quantities of different dimensions have no order:
    that is an error of the define, since any order chosen would be a guess. Descending order is this one reversed,
    nulls last.
    """
    if left is None or right is None:
        return (left is not None) - (right is not None)
    decided = compare(context, left, right)
    if decided is not None:
        return decided
    if type(left) in TEMPORALS and type(right) in TEMPORALS:
        return _compare_imprecise(context, left, right)
    raise EvaluationError(
        f"{_describe(left)} and {_describe(right)} cannot be sorted: which of them is less is not known; "
        "filter or convert them before sorting",
        code="not-comparable",
    )


def _compare_imprecise(context: Context, left: Any, right: Any) -> int:
    """By the earliest instant each may mean, then by precision, the coarser first."""
    lows = [low_boundary(v.normalised(context.offset_minutes) if type(v) is DateTime else v) for v in (left, right)]
    earlier = compare_temporal(lows[0], lows[1], None, context.offset_minutes)
    return earlier or PRECISIONS.index(left.precision) - PRECISIONS.index(right.precision)


def sort_key(context: Context) -> Callable[[Any], Any]:
    """A key for :func:`sorted` that orders as :func:`sort_compare`; use ``reverse=True`` for descending."""
    return cmp_to_key(lambda left, right: sort_compare(context, left, right))


def sort_values(context: Context, values: Iterable[Any], *, descending: bool = False) -> list[Any]:
    """The values sorted, nulls first when ascending and last when descending; equal values keep their order."""
    items = list(values)
    kinds = {type(item) for item in items}
    if kinds <= {str} or kinds <= NUMBERS:
        return sorted(items, reverse=descending)
    return sorted(items, key=sort_key(context), reverse=descending)


# -- numbers and strings ----------------------------------------------------------------------------------------------


@operator("Less(Integer, Integer) Boolean", reference="less", uncertain="comparison")
@operator("Less(Long, Long) Boolean", reference="less", uncertain="comparison")
@operator("Less(Decimal, Decimal) Boolean", reference="less", uncertain="comparison")
@operator("Less(String, String) Boolean", reference="less")
def less(left: Any, right: Any) -> bool:
    """True when left is less than right; strings by the Unicode values of their characters."""
    return bool(left < right)


@operator("LessOrEqual(Integer, Integer) Boolean", reference="less-or-equal", uncertain="comparison")
@operator("LessOrEqual(Long, Long) Boolean", reference="less-or-equal", uncertain="comparison")
@operator("LessOrEqual(Decimal, Decimal) Boolean", reference="less-or-equal", uncertain="comparison")
@operator("LessOrEqual(String, String) Boolean", reference="less-or-equal")
def less_or_equal(left: Any, right: Any) -> bool:
    """True when left is less than or equal to right."""
    return bool(left <= right)


@operator("Greater(Integer, Integer) Boolean", reference="greater", uncertain="comparison")
@operator("Greater(Long, Long) Boolean", reference="greater", uncertain="comparison")
@operator("Greater(Decimal, Decimal) Boolean", reference="greater", uncertain="comparison")
@operator("Greater(String, String) Boolean", reference="greater")
def greater(left: Any, right: Any) -> bool:
    """True when left is greater than right."""
    return bool(left > right)


@operator("GreaterOrEqual(Integer, Integer) Boolean", reference="greater-or-equal", uncertain="comparison")
@operator("GreaterOrEqual(Long, Long) Boolean", reference="greater-or-equal", uncertain="comparison")
@operator("GreaterOrEqual(Decimal, Decimal) Boolean", reference="greater-or-equal", uncertain="comparison")
@operator("GreaterOrEqual(String, String) Boolean", reference="greater-or-equal")
def greater_or_equal(left: Any, right: Any) -> bool:
    """True when left is greater than or equal to right."""
    return bool(left >= right)


# -- dates and times: null when the precision of either leaves the answer open ----------------------------------------


@operator("Less(Date, Date) Boolean", reference="less")
@operator("Less(Time, Time) Boolean", reference="less")
def less_temporal(left: Any, right: Any) -> bool | None:
    """True when left is before right."""
    order = compare_temporal(left, right, None)
    return None if order is None else order < 0


@operator("Less(DateTime, DateTime) Boolean", reference="less", context=True)
def less_datetime(context: Context, left: DateTime, right: DateTime) -> bool | None:
    """True when left is before right, both brought to the time zone offset of the run."""
    order = compare_temporal(left, right, None, context.offset_minutes)
    return None if order is None else order < 0


@operator("LessOrEqual(Date, Date) Boolean", reference="less-or-equal")
@operator("LessOrEqual(Time, Time) Boolean", reference="less-or-equal")
def less_or_equal_temporal(left: Any, right: Any) -> bool | None:
    """True when left is the same as or before right."""
    order = compare_temporal(left, right, None)
    return None if order is None else order <= 0


@operator("LessOrEqual(DateTime, DateTime) Boolean", reference="less-or-equal", context=True)
def less_or_equal_datetime(context: Context, left: DateTime, right: DateTime) -> bool | None:
    """True when left is the same as or before right, both brought to the time zone offset of the run."""
    order = compare_temporal(left, right, None, context.offset_minutes)
    return None if order is None else order <= 0


@operator("Greater(Date, Date) Boolean", reference="greater")
@operator("Greater(Time, Time) Boolean", reference="greater")
def greater_temporal(left: Any, right: Any) -> bool | None:
    """True when left is after right."""
    order = compare_temporal(left, right, None)
    return None if order is None else order > 0


@operator("Greater(DateTime, DateTime) Boolean", reference="greater", context=True)
def greater_datetime(context: Context, left: DateTime, right: DateTime) -> bool | None:
    """True when left is after right, both brought to the time zone offset of the run."""
    order = compare_temporal(left, right, None, context.offset_minutes)
    return None if order is None else order > 0


@operator("GreaterOrEqual(Date, Date) Boolean", reference="greater-or-equal")
@operator("GreaterOrEqual(Time, Time) Boolean", reference="greater-or-equal")
def greater_or_equal_temporal(left: Any, right: Any) -> bool | None:
    """True when left is the same as or after right."""
    order = compare_temporal(left, right, None)
    return None if order is None else order >= 0


@operator("GreaterOrEqual(DateTime, DateTime) Boolean", reference="greater-or-equal", context=True)
def greater_or_equal_datetime(context: Context, left: DateTime, right: DateTime) -> bool | None:
    """True when left is the same as or after right, both brought to the time zone offset of the run."""
    order = compare_temporal(left, right, None, context.offset_minutes)
    return None if order is None else order >= 0


# -- quantities: null when the dimensions differ or a unit is not known -----------------------------------------------


@operator("Less(Quantity, Quantity) Boolean", reference="less", context=True)
def less_quantity(context: Context, left: Quantity, right: Quantity) -> bool | None:
    """True when left is less than right in a common unit."""
    order = compare_quantities(context, left, right)
    return None if order is None else order < 0


@operator("LessOrEqual(Quantity, Quantity) Boolean", reference="less-or-equal", context=True)
def less_or_equal_quantity(context: Context, left: Quantity, right: Quantity) -> bool | None:
    """True when left is less than or equal to right in a common unit."""
    order = compare_quantities(context, left, right)
    return None if order is None else order <= 0


@operator("Greater(Quantity, Quantity) Boolean", reference="greater", context=True)
def greater_quantity(context: Context, left: Quantity, right: Quantity) -> bool | None:
    """True when left is greater than right in a common unit."""
    order = compare_quantities(context, left, right)
    return None if order is None else order > 0


@operator("GreaterOrEqual(Quantity, Quantity) Boolean", reference="greater-or-equal", context=True)
def greater_or_equal_quantity(context: Context, left: Quantity, right: Quantity) -> bool | None:
    """True when left is greater than or equal to right in a common unit."""
    order = compare_quantities(context, left, right)
    return None if order is None else order >= 0
