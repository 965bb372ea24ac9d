"""Date and time operators: construction, components, arithmetic, comparison to a precision, duration and difference.

Source: CQL 1.5.3, Appendix B "Date and Time Operators". Before, After and the Same operators stand here for points;
those of intervals are in the interval modules, Less and its kin in :mod:`engine.language.operators.comparison`.
DateTimes are compared at the offset of the evaluation (``context.offset_minutes``).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.quantities import duration_precision
from engine.language.operators.registry import operator
from engine.language.values import temporal
from engine.language.values.clinical import Quantity
from engine.language.values.interval import Uncertainty
from engine.language.values.numbers import EXACT
from engine.language.values.temporal import Date, DateTime, Temporal, Time

T = TypeVar("T", bound=Temporal)

_DATE_UNITS: Final = ("year", "month", "week", "day")
_TIME_UNITS: Final = temporal.TIME_PRECISIONS
_MINUTES_OF_HOUR: Final = Decimal(60)


# ---------------------------------------------------------------------------------------------------- construction


@operator("Date(Integer) Date", reference="date-1", nulls="own")
@operator("Date(Integer, Integer) Date", reference="date-1", nulls="own")
@operator("Date(Integer, Integer, Integer) Date", reference="date-1", nulls="own")
def date(*components: int | None) -> Date | None:
    """The date of these components, null when all are null; EvaluationError for a gap or a day that does not exist."""
    if all(component is None for component in components):
        return None
    return _constructed("Date", components, lambda: Date(*components))  # type: ignore[arg-type]


@operator("DateTime(Integer) DateTime", reference="datetime-1", nulls="own", context=True)
@operator("DateTime(Integer, Integer) DateTime", reference="datetime-1", nulls="own", context=True)
@operator("DateTime(Integer, Integer, Integer) DateTime", reference="datetime-1", nulls="own", context=True)
@operator("DateTime(Integer, Integer, Integer, Integer) DateTime", reference="datetime-1", nulls="own", context=True)
@operator(
    "DateTime(Integer, Integer, Integer, Integer, Integer) DateTime", reference="datetime-1", nulls="own", context=True
)
@operator(
    "DateTime(Integer, Integer, Integer, Integer, Integer, Integer) DateTime",
    reference="datetime-1", nulls="own", context=True,
)  # fmt: skip
@operator(
    "DateTime(Integer, Integer, Integer, Integer, Integer, Integer, Integer) DateTime",
    reference="datetime-1", nulls="own", context=True,
)  # fmt: skip
def datetime(context: Context, *components: int | None) -> DateTime | None:
    """The DateTime of these components at the offset of the evaluation; nulls and errors as for Date."""
    return _datetime(components, context.offset_minutes)


@operator(
    "DateTime(Integer, Integer, Integer, Integer, Integer, Integer, Integer, Decimal) DateTime",
    reference="datetime-1", nulls="own", context=True,
)  # fmt: skip
def datetime_with_offset(context: Context, *arguments: Any) -> DateTime | None:
    """The DateTime of these components at an offset in hours (null: the evaluation's); nulls and errors as for Date."""
    *components, hours = arguments
    return _datetime(tuple(components), context.offset_minutes if hours is None else _offset_minutes(hours))


@operator("Time(Integer) Time", reference="time-1", nulls="own")
@operator("Time(Integer, Integer) Time", reference="time-1", nulls="own")
@operator("Time(Integer, Integer, Integer) Time", reference="time-1", nulls="own")
@operator("Time(Integer, Integer, Integer, Integer) Time", reference="time-1", nulls="own")
def time(*components: int | None) -> Time | None:
    """The time of these components, null when all are null; EvaluationError for a gap or a value out of range."""
    if all(component is None for component in components):
        return None
    return _constructed("Time", components, lambda: Time(*components))  # type: ignore[arg-type]


def _datetime(components: tuple[int | None, ...], offset: int) -> DateTime | None:
    if all(component is None for component in components):
        return None
    padded: Any = (*components, *(None,) * (len(temporal.PRECISIONS) - len(components)), offset)
    return _constructed("DateTime", components, lambda: DateTime(*padded))


def _constructed(name: str, components: tuple[int | None, ...], construct: Callable[[], T]) -> T:
    try:
        return construct()
    except ValueError as error:
        written = ", ".join("null" if component is None else str(component) for component in components)
        raise EvaluationError(
            f"{name}({written}) is no valid {name}: {error}; give components from coarse to fine without a gap",
            code="invalid-date",
        ) from error


def _offset_minutes(hours: Decimal) -> int:
    minutes = EXACT.multiply(hours, _MINUTES_OF_HOUR)
    if minutes != int(minutes) or abs(minutes) > temporal.MAX_OFFSET_MINUTES:
        raise EvaluationError(
            f"time zone offset {hours} is no valid offset; give hours between -14 and 14, in whole minutes",
            code="invalid-date",
        )
    return int(minutes)


# ------------------------------------------------------------------------------------------------------ components


@operator("DateTimeComponentFrom(Date) Integer", reference="datetime-component-from", precision=True)
@operator("DateTimeComponentFrom(DateTime) Integer", reference="datetime-component-from", precision=True)
@operator("DateTimeComponentFrom(Time) Integer", reference="datetime-component-from", precision=True)
def component_from(value: Temporal, precision: str) -> int | None:
    """The component as written; null when the value is not known to that precision."""
    temporal.check_precision(value, precision)
    component: int | None = getattr(value, precision)
    return component


@operator("TimezoneOffsetFrom(DateTime) Decimal", reference="datetime-component-from")
def timezone_offset_from(value: DateTime) -> Decimal:
    """The offset in hours east of UTC."""
    return EXACT.divide(Decimal(value.offset_minutes or 0), _MINUTES_OF_HOUR)


@operator("DateFrom(DateTime) Date", reference="datetime-component-from", context=True)
def date_from(context: Context, value: DateTime) -> Date:
    """The date at the offset of the evaluation."""
    return value.normalised(context.offset_minutes).date


@operator("TimeFrom(DateTime) Time", reference="datetime-component-from", context=True)
def time_from(context: Context, value: DateTime) -> Time | None:
    """The time of day at the offset of the evaluation; null when the value has no hour."""
    return value.normalised(context.offset_minutes).time


# ----------------------------------------------------------------------------------------------- the time of the run


@operator("Now() DateTime", reference="now", context=True)
def now(context: Context) -> DateTime:
    """The timestamp of the evaluation: the same wherever it is asked for."""
    return context.now


@operator("Today() Date", reference="today", context=True)
def today(context: Context) -> Date:
    """The date of the evaluation."""
    return context.now.date


@operator("TimeOfDay() Time", reference="timeofday", context=True)
def time_of_day(context: Context) -> Time | None:
    """The time of day of the evaluation."""
    return context.now.time


# ------------------------------------------------------------------------------------------------------ arithmetic


@operator("Add(Date, Quantity) Date", reference="add-1")
@operator("Add(DateTime, Quantity) DateTime", reference="add-1")
@operator("Add(Time, Quantity) Time", reference="add-1")
def add_temporal(value: Temporal, quantity: Quantity) -> Temporal | None:
    """The value moved forward by calendar periods.

    EvaluationError for a unit that does not fit the type, for the definite ``'a'`` and ``'mo'``, and for a year out of
    range ("an error is thrown"); null when a Time would leave its day.
    """
    return _moved(value, quantity, 1)


@operator("Subtract(Date, Quantity) Date", reference="subtract-1")
@operator("Subtract(DateTime, Quantity) DateTime", reference="subtract-1")
@operator("Subtract(Time, Quantity) Time", reference="subtract-1")
def subtract_temporal(value: Temporal, quantity: Quantity) -> Temporal | None:
    """The value moved back by calendar periods; errors and null as for Add."""
    return _moved(value, quantity, -1)


def _moved(value: Temporal, quantity: Quantity, direction: int) -> Temporal | None:
    if quantity.value is None:
        return None
    precision = _unit_precision(value, quantity.unit)
    amount = quantity.value if direction > 0 else quantity.value.copy_negate()
    result = temporal.add_duration(value, amount, precision)
    if result is None and not isinstance(value, Time):
        sign = "+" if direction > 0 else "-"
        raise EvaluationError(
            f"{value} {sign} {quantity.value} {quantity.unit} leaves the years 1 to 9999", code="date-overflow"
        )
    return result


def _unit_precision(value: Temporal, unit: str) -> str:
    allowed: tuple[str, ...] = (*_DATE_UNITS, *_TIME_UNITS)
    if isinstance(value, Date):
        allowed = _DATE_UNITS
    elif isinstance(value, Time):
        allowed = _TIME_UNITS
    precision = duration_precision(unit)
    if precision is not None and precision in allowed:
        return precision
    words = ", ".join(f"{word}s" for word in allowed)
    raise EvaluationError(
        f"a quantity of unit {unit!r} cannot be added to or subtracted from a {type(value).__name__}; use {words}",
        code="time-unit",
    )


# ------------------------------------------------------------------------------------------------------ comparison


@operator("SameAs(Date, Date) Boolean", reference="same-as-1", context=True, precision=True)
@operator("SameAs(DateTime, DateTime) Boolean", reference="same-as-1", context=True, precision=True)
@operator("SameAs(Time, Time) Boolean", reference="same-as-1", context=True, precision=True)
def same_as(context: Context, left: Temporal, right: Temporal, precision: str | None) -> bool | None:
    """True when the values agree down to ``precision``; null when one is not known that far."""
    return temporal.same(left, right, precision, context.offset_minutes)


@operator("Before(Date, Date) Boolean", reference="before", context=True, precision=True)
@operator("Before(DateTime, DateTime) Boolean", reference="before", context=True, precision=True)
@operator("Before(Time, Time) Boolean", reference="before", context=True, precision=True)
def before(context: Context, left: Temporal, right: Temporal, precision: str | None) -> bool | None:
    """True when ``left`` is before ``right``, compared down to ``precision``; null when that is uncertain."""
    order = temporal.compare(left, right, precision, context.offset_minutes)
    return None if order is None else order < 0


@operator("After(Date, Date) Boolean", reference="after", context=True, precision=True)
@operator("After(DateTime, DateTime) Boolean", reference="after", context=True, precision=True)
@operator("After(Time, Time) Boolean", reference="after", context=True, precision=True)
def after(context: Context, left: Temporal, right: Temporal, precision: str | None) -> bool | None:
    """True when ``left`` is after ``right``, compared down to ``precision``; null when that is uncertain."""
    order = temporal.compare(left, right, precision, context.offset_minutes)
    return None if order is None else order > 0


@operator("SameOrBefore(Date, Date) Boolean", reference="same-or-before-1", context=True, precision=True)
@operator("SameOrBefore(DateTime, DateTime) Boolean", reference="same-or-before-1", context=True, precision=True)
@operator("SameOrBefore(Time, Time) Boolean", reference="same-or-before-1", context=True, precision=True)
def same_or_before(context: Context, left: Temporal, right: Temporal, precision: str | None) -> bool | None:
    """True when ``left`` is the same as or before ``right`` down to ``precision``; null when that is uncertain."""
    order = temporal.compare(left, right, precision, context.offset_minutes)
    return None if order is None else order <= 0


@operator("SameOrAfter(Date, Date) Boolean", reference="same-or-after-1", context=True, precision=True)
@operator("SameOrAfter(DateTime, DateTime) Boolean", reference="same-or-after-1", context=True, precision=True)
@operator("SameOrAfter(Time, Time) Boolean", reference="same-or-after-1", context=True, precision=True)
def same_or_after(context: Context, left: Temporal, right: Temporal, precision: str | None) -> bool | None:
    """True when ``left`` is the same as or after ``right`` down to ``precision``; null when that is uncertain."""
    order = temporal.compare(left, right, precision, context.offset_minutes)
    return None if order is None else order >= 0


# ---------------------------------------------------------------------------------------- duration and difference


@operator("DurationBetween(Date, Date) Integer", reference="duration", context=True, precision=True)
@operator("DurationBetween(DateTime, DateTime) Integer", reference="duration", context=True, precision=True)
@operator("DurationBetween(Time, Time) Integer", reference="duration", context=True, precision=True)
def duration(context: Context, start: Temporal, end: Temporal, precision: str) -> int | Uncertainty:
    """Whole calendar periods from ``start`` to ``end``; an Uncertainty when components are missing that matter.

    A number of seconds or milliseconds beyond the range of Integer is given exactly.
    """
    return temporal.duration_between(precision, start, end, context.offset_minutes)


@operator("DifferenceBetween(Date, Date) Integer", reference="difference", context=True, precision=True)
@operator("DifferenceBetween(DateTime, DateTime) Integer", reference="difference", context=True, precision=True)
@operator("DifferenceBetween(Time, Time) Integer", reference="difference", context=True, precision=True)
def difference(context: Context, start: Temporal, end: Temporal, precision: str) -> int | Uncertainty:
    """Boundaries of ``precision`` crossed from ``start`` to ``end``; an Uncertainty when components are missing."""
    return temporal.difference_between(precision, start, end, context.offset_minutes)
