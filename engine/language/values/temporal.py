"""Date, DateTime and Time with their precision, and what is computed from them.

Sources: CQL 1.5.3, Appendix B "Types" and "Date and Time Operators"; Language Semantics, "Date and Time Arithmetic",
"Uncertainty" and "Determining Difference and Duration"; Appendix H. A value with missing components stands for
every instant it may mean: ``Date(2014)`` is some day of 2014. So every question is asked of the earliest and the
latest instant: two values whose ranges lie apart are ordered, two that overlap are not.

Rules that hold throughout:

* seconds and milliseconds are one decimal component: a value of second precision means ``.000``, except where
  milliseconds themselves are asked for;
* DateTimes of different offsets are brought to one offset when the precision is hours or finer, or none is named;
  at days and coarser the calendar components are compared as written. A value coarser than hours is never shifted;
* a duration looks at elapsed time and is always taken at one offset (Appendix H, "Calculating Duration").

In evaluation a DateTime always has an offset; None counts as UTC.
"""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from engine.errors import EvaluationError
from engine.language.values.interval import Uncertainty
from engine.language.values.numbers import EXACT

PRECISIONS: Final = ("year", "month", "day", "hour", "minute", "second", "millisecond")
"""Component names from coarse to fine."""

CALENDAR_UNITS: Final = {word: name for name in (*PRECISIONS, "week") for word in (name, name + "s")}
"""Calendar words as written in quantities, with their singular."""

DATE_PRECISIONS: Final = PRECISIONS[:3]
TIME_PRECISIONS: Final = PRECISIONS[3:]
MAX_OFFSET_MINUTES: Final = 14 * 60

_RANK: Final = {name: rank for rank, name in enumerate(PRECISIONS)} | {"week": 2}
_LIMITS: Final = {
    "year": (1, 9999), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59),
    "millisecond": (0, 999),
}  # fmt: skip
_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_LENGTHS: Final = {
    "week": 7 * _DAY, "day": _DAY, "hour": _HOUR, "minute": _MINUTE, "second": _SECOND, "millisecond": 1,
}  # fmt: skip
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CYCLE_YEARS: Final = 400
_CYCLE_DAYS: Final = 146_097
_LAST_ORDINAL: Final = date.max.toordinal()

_DATE: Final = r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?"
_TIME: Final = r"(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?"
_DATE_TEXT: Final = re.compile(rf"@?{_DATE}", re.ASCII)
_TIME_TEXT: Final = re.compile(rf"@?T?{_TIME}", re.ASCII)
_DATETIME_TEXT: Final = re.compile(rf"@?{_DATE}(?:T(?:{_TIME}(Z|[+-]\d{{2}}:\d{{2}})?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date of the years 1 to 9999, or only its year or month (Appendix B, "Date")."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        _check_date(self.year, self.month, self.day)

    @property
    def precision(self) -> str:
        """The finest component present: ``year``, ``month`` or ``day``."""
        return "day" if self.day is not None else "month" if self.month is not None else "year"

    @classmethod
    def parse(cls, text: str) -> Date:
        """The date of ``2012``, ``2012-01`` or ``2012-01-01``, with or without CQL's ``@``; ValueError otherwise."""
        match = _DATE_TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no date; write YYYY, YYYY-MM or YYYY-MM-DD")
        year, month, day = _integers(match.groups())
        return cls(year or 0, month, day)

    def __str__(self) -> str:
        return _date_text(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class DateTime:
    """An instant with a time zone offset, known down to its precision (Appendix B, "DateTime").

    ``offset_minutes`` counts east of UTC. Equality here is structural; CQL's comparison is :func:`compare`.
    """

    year: int
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    millisecond: int | None = None
    offset_minutes: int | None = None

    def __post_init__(self) -> None:
        _check_date(self.year, self.month, self.day)
        if self.hour is not None and self.day is None:
            raise ValueError("a DateTime with an hour needs a day")
        _check_time(self.hour, self.minute, self.second, self.millisecond)
        offset = self.offset_minutes
        if offset is not None and not -MAX_OFFSET_MINUTES <= offset <= MAX_OFFSET_MINUTES:
            raise ValueError(f"time zone offset {offset} minutes is outside -14:00 to +14:00")

    @property
    def precision(self) -> str:
        """The finest component present, ``year`` to ``millisecond``."""
        return _finest((self.year, self.month, self.day, self.hour, self.minute, self.second, self.millisecond))

    @classmethod
    def parse(cls, text: str) -> DateTime:
        """The DateTime of CQL or FHIR text: ``2012``, ``2012-01-01T``, ``2012-01-01T10:00:00.000+05:30``, ``…Z``.

        Fractions of a second beyond milliseconds are cut off. The offset stays None when the text has none.
        """
        match = _DATETIME_TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no date and time; write YYYY-MM-DDThh:mm:ss.fff(Z or +hh:mm), cut anywhere")
        *parts, fraction, zone = match.groups()
        year, month, day, hour, minute, second = _integers(parts)
        return cls(year or 0, month, day, hour, minute, second, _milliseconds(fraction), _offset(zone))

    def with_offset(self, minutes: int) -> DateTime:
        """The same components, read in another time zone offset."""
        return DateTime(
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.millisecond, minutes
        )

    def normalised(self, offset_minutes: int) -> DateTime:
        """The same instant in another time zone offset.

        A value coarser than hours keeps its components and takes the offset. A value of hour precision cannot be
        shifted by a part of an hour, nor any value out of the years 1 to 9999: these come back as they are.
        """
        shift = offset_minutes - (self.offset_minutes or 0)
        if self.hour is None or shift == 0:
            return self if self.offset_minutes == offset_minutes else self.with_offset(offset_minutes)
        if self.minute is None and shift % 60:
            return self
        low, _ = _range(self, offset_minutes, exact_milliseconds=False)
        ordinal, rest = divmod(low, _DAY)
        if not 1 <= ordinal <= _LAST_ORDINAL:
            return self
        shifted = _datetime_of(ordinal, rest, offset_minutes)
        return _cut(shifted, self.precision)

    @property
    def date(self) -> Date:
        """The date components as written."""
        return Date(self.year, self.month, self.day)

    @property
    def time(self) -> Time | None:
        """The time components as written; None when there is no hour."""
        return None if self.hour is None else Time(self.hour, self.minute, self.second, self.millisecond)

    def __str__(self) -> str:
        text = _date_text(self.year, self.month, self.day)
        if self.hour is None:
            return text
        text += "T" + _time_text(self.hour, self.minute, self.second, self.millisecond)
        return text if self.offset_minutes is None else text + offset_text(self.offset_minutes)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, known down to its precision (Appendix B, "Time")."""

    hour: int
    minute: int | None = None
    second: int | None = None
    millisecond: int | None = None

    def __post_init__(self) -> None:
        if self.hour is None:
            raise ValueError("a Time needs an hour")
        _check_time(self.hour, self.minute, self.second, self.millisecond)

    @property
    def precision(self) -> str:
        """The finest component present, ``hour`` to ``millisecond``."""
        return _finest((0, 0, 0, self.hour, self.minute, self.second, self.millisecond))

    @classmethod
    def parse(cls, text: str) -> Time:
        """The time of ``10``, ``10:30``, ``T10:30:15.500`` or ``@T10``; ValueError otherwise, also for an offset."""
        match = _TIME_TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no time of day; write hh, hh:mm, hh:mm:ss or hh:mm:ss.fff without an offset")
        *parts, fraction = match.groups()
        hour, minute, second = _integers(parts)
        return cls(hour or 0, minute, second, _milliseconds(fraction))

    def __str__(self) -> str:
        return _time_text(self.hour, self.minute, self.second, self.millisecond)


Temporal: TypeAlias = Date | DateTime | Time
T = TypeVar("T", bound=Temporal)


# ---------------------------------------------------------------------------------------------------- comparison


def compare(left: Temporal, right: Temporal, precision: str | None = None, offset: int | None = None) -> int | None:
    """-1, 0 or 1 as ``left`` is before, the same as or after ``right``; None when that is uncertain.

    Without ``precision`` down to the finest component of either; with it, down to that component. ``offset`` is the
    offset of the evaluation in minutes, to which DateTimes are brought (by default the left's own; the order of
    instants does not depend on it, only hours of zones with half hours do). EvaluationError for a precision that
    the type does not have. Source: Appendix B, "Greater", "After", "Same As".
    """
    if precision is None:
        target = _common_offset(left, right, offset)
        first, second = _range(left, target), _range(right, target)
        if first == second:
            return 0
        return _order(first, second)
    check_precision(left, precision)
    first, second = _indexes(left, right, precision, offset)
    return _order(first, second)


def equal(left: Temporal, right: Temporal) -> bool | None:
    """CQL ``=``: None when the values are the same as far as both are known, but not known equally far."""
    order = compare(left, right)
    return None if order is None else order == 0


def same(left: Temporal, right: Temporal, precision: str | None = None, offset: int | None = None) -> bool | None:
    """CQL ``same … as`` (Appendix B, "Same As")."""
    order = compare(left, right, precision, offset)
    return None if order is None else order == 0


def equivalent(left: Temporal, right: Temporal) -> bool:
    """CQL ``~``: like equality, but a difference in precision makes false (Appendix B, "Equivalent")."""
    return compare(left, right) == 0


# ---------------------------------------------------------------------------------------- duration and difference


def duration_between(precision: str, start: Temporal, end: Temporal, offset: int | None = None) -> int | Uncertainty:
    """Whole calendar periods from ``start`` to ``end``, negative when ``end`` is earlier (Appendix B, "Duration").

    An Uncertainty when components are missing that matter. A period is whole when its anniversary is reached, time
    of day included; an anniversary on a day that the month lacks is the month's last day (Appendix H).
    """
    check_precision(start, precision, weeks=True)
    target = _common_offset(start, end, offset)
    exact = precision == "millisecond"
    first, second = _range(start, target, exact), _range(end, target, exact)
    low, high = _periods(precision, first[1], second[0]), _periods(precision, first[0], second[1])
    return low if low == high else Uncertainty(low, high)


def difference_between(precision: str, start: Temporal, end: Temporal, offset: int | None = None) -> int | Uncertainty:
    """Boundaries of ``precision`` crossed from ``start`` to ``end`` (Appendix B, "Difference"); weeks start on Sunday.

    An Uncertainty when components are missing that matter.
    """
    check_precision(start, precision, weeks=True)
    first, second = _indexes(start, end, precision, offset)
    low, high = second[0] - first[1], second[1] - first[0]
    return low if low == high else Uncertainty(low, high)


# ------------------------------------------------------------------------------------------------------ arithmetic


def add_duration(value: Temporal, amount: Decimal | int, precision: str) -> Temporal | None:
    """``value`` moved by ``amount`` calendar periods (Language Semantics, "Date and Time Arithmetic").

    Decimals of an amount count only for seconds. Periods finer than the value are first turned into the value's
    precision, fractions cut off: a year is 12 months or 365 days, a month 30 days. A day that the resulting month
    lacks becomes its last day. None when the result is out of range, which for a Time is its day.
    """
    whole = int(amount)
    if precision == "second" and whole != amount:
        whole, precision = int(EXACT.multiply(Decimal(amount), Decimal(_SECOND))), "millisecond"
    own = value.precision
    if precision == "week":
        whole, precision = 7 * whole, "day"
    if _RANK[precision] > _RANK[own]:
        whole, precision = _coarser(whole, precision, own), own
    if precision in ("year", "month"):
        if isinstance(value, Time):
            raise EvaluationError("years and months cannot be added to a Time; use hours or finer", code="time-unit")
        return _add_months(value, whole * 12 if precision == "year" else whole)
    return _add_milliseconds(value, whole * _LENGTHS[precision])


def successor(value: Temporal) -> Temporal | None:
    """The next value of the same precision; None after the last (Appendix B, "Successor")."""
    return add_duration(value, 1, value.precision)


def predecessor(value: Temporal) -> Temporal | None:
    """The value before of the same precision; None before the first (Appendix B, "Predecessor")."""
    return add_duration(value, -1, value.precision)


def low_boundary(value: T, precision: str | None = None) -> T:
    """The least value it may mean, known down to ``precision`` (default: the finest of the type)."""
    return _boundary(value, precision, upper=False)


def high_boundary(value: T, precision: str | None = None) -> T:
    """The greatest value it may mean, known down to ``precision`` (default: the finest of the type)."""
    return _boundary(value, precision, upper=True)


def offset_text(minutes: int) -> str:
    """``+05:30`` for 330."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _boundary(value: T, precision: str | None, *, upper: bool) -> T:
    finest = "day" if isinstance(value, Date) else "millisecond"
    wanted = precision or finest
    check_precision(value, wanted)
    filled: dict[str, Any] = {}
    for name in PRECISIONS[_RANK[value.precision] + 1 : _RANK[finest] + 1]:
        least, greatest = _LIMITS[name]
        if name == "day" and not isinstance(value, Time):
            greatest = _days_in_month(value.year, filled.get("month") or value.month or 1)
        filled[name] = greatest if upper else least
    return _cut(replace(value, **filled), wanted)


def _cut(value: T, precision: str) -> T:
    """The value without the components finer than ``precision``."""
    finer = (name for name in PRECISIONS[_RANK[precision] + 1 :] if getattr(value, name, None) is not None)
    cleared: dict[str, Any] = dict.fromkeys(finer)
    return replace(value, **cleared) if cleared else value


def _coarser(amount: int, precision: str, target: str) -> int:
    """Periods of ``precision`` as whole periods of the coarser ``target``, cut towards zero."""
    if precision == "month":
        return _quotient(amount, 12)
    length = {"year": 365 * _DAY, "month": 30 * _DAY}.get(target) or _LENGTHS[target]
    return _quotient(amount * _LENGTHS[precision], length)


def _add_months(value: Date | DateTime, months: int) -> Date | DateTime | None:
    year, month = divmod(value.year * 12 + (value.month or 1) - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    if value.month is None:
        return replace(value, year=year)
    if value.day is None:
        return replace(value, year=year, month=month + 1)
    return replace(value, year=year, month=month + 1, day=min(value.day, _days_in_month(year, month + 1)))


def _add_milliseconds(value: Temporal, amount: int) -> Temporal | None:
    if isinstance(value, Time):
        low, _ = _range(value, 0)
        moved = low + amount
        return _cut(_time_of(moved), value.precision) if 0 <= moved < _DAY else None
    low, _ = _range(value, (isinstance(value, DateTime) and value.offset_minutes) or 0)
    ordinal, rest = divmod(low + amount, _DAY)
    if not 1 <= ordinal <= _LAST_ORDINAL:
        return None
    if isinstance(value, Date):
        year, month, day = _civil(ordinal)
        return Date(year, month, day)
    return _cut(_datetime_of(ordinal, rest, value.offset_minutes), value.precision)


def _datetime_of(ordinal: int, rest: int, offset: int | None) -> DateTime:
    year, month, day = _civil(ordinal)
    time = _time_of(rest)
    return DateTime(year, month, day, time.hour, time.minute, time.second, time.millisecond, offset)


def _time_of(milliseconds: int) -> Time:
    minutes, rest = divmod(milliseconds, _MINUTE)
    return Time(minutes // 60, minutes % 60, rest // _SECOND, rest % _SECOND)


# ------------------------------------------------------------------------------- ranges of instants, in milliseconds


def _range(value: Temporal, offset: int, exact_milliseconds: bool = False) -> tuple[int, int]:
    """The first and last instant the value may mean, as milliseconds of the local calendar at ``offset``.

    A Date is counted at its first millisecond, since its step is the day. With ``exact_milliseconds`` a value of
    second precision spans its 1000 milliseconds; else it means ``.000``.
    """
    if isinstance(value, Time):
        return _time_range(value, exact_milliseconds)
    if value.day is not None:
        low = high = date(value.year, value.month or 1, value.day).toordinal() * _DAY
    else:
        month = value.month or 12
        low = date(value.year, value.month or 1, 1).toordinal() * _DAY
        high = date(value.year, month, _days_in_month(value.year, month)).toordinal() * _DAY
    if isinstance(value, Date):
        return low, high
    if value.hour is None:
        return low, high + _DAY - 1
    first, last = _time_range(value, exact_milliseconds)
    low += (offset - (value.offset_minutes or 0)) * _MINUTE
    return low + first, low + last


def _time_range(value: Time | DateTime, exact_milliseconds: bool) -> tuple[int, int]:
    low = (value.hour or 0) * _HOUR
    if value.minute is None:
        return low, low + _HOUR - 1
    low += value.minute * _MINUTE
    if value.second is None:
        return low, low + _MINUTE - 1
    low += value.second * _SECOND
    if value.millisecond is None:
        return low, low + _SECOND - 1 if exact_milliseconds else low
    return low + value.millisecond, low + value.millisecond


def _indexes(
    left: Temporal, right: Temporal, precision: str, offset: int | None
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and last period of ``precision`` each value may lie in, as running numbers."""
    if _RANK[precision] >= _RANK["hour"]:
        target = _common_offset(left, right, offset)
        offsets = target, target
    else:
        offsets = _own_offset(left) or 0, _own_offset(right) or 0
    exact = precision == "millisecond"
    low, high = _range(left, offsets[0], exact)
    other_low, other_high = _range(right, offsets[1], exact)
    return (
        (_index(precision, low), _index(precision, high)),
        (_index(precision, other_low), _index(precision, other_high)),
    )


def _index(precision: str, instant: int) -> int:
    """The running number of the period the instant lies in; ordinal 7 is a Sunday, so weeks begin there."""
    if precision in ("year", "month"):
        year, month, _ = _civil(instant // _DAY)
        return year if precision == "year" else year * 12 + month
    return instant // _LENGTHS[precision]


def _periods(precision: str, start: int, end: int) -> int:
    """Whole periods between two instants of one local calendar."""
    if precision not in ("year", "month"):
        return _quotient(end - start, _LENGTHS[precision])
    (year, month, day), time = _civil(start // _DAY), start % _DAY
    (end_year, end_month, end_day), end_time = _civil(end // _DAY), end % _DAY
    months = (end_year - year) * 12 + end_month - month
    anniversary = min(day, _days_in_month(end_year, end_month)), time
    if start <= end and anniversary > (end_day, end_time):
        months -= 1
    elif start > end and anniversary < (end_day, end_time):
        months += 1
    return _quotient(months, 12) if precision == "year" else months


def _order(left: tuple[int, int], right: tuple[int, int]) -> int | None:
    if left[1] < right[0]:
        return -1
    if left[0] > right[1]:
        return 1
    return 0 if left == right and left[0] == left[1] else None


def _own_offset(value: Temporal) -> int | None:
    return value.offset_minutes if isinstance(value, DateTime) else None


def _common_offset(left: Temporal, right: Temporal, offset: int | None) -> int:
    """The offset both are brought to: the evaluation's; else that of a value which has no hour and cannot move."""
    if offset is not None:
        return offset
    if isinstance(left, DateTime) and isinstance(right, DateTime) and right.hour is None:
        return right.offset_minutes or 0
    return _own_offset(left) or 0


def _civil(ordinal: int) -> tuple[int, int, int]:
    """Year, month and day; days just outside the years 1 to 9999 (after a shift of offset) by the 400 year cycle."""
    if ordinal < 1:
        found, years = date.fromordinal(ordinal + _CYCLE_DAYS), -_CYCLE_YEARS
    elif ordinal > _LAST_ORDINAL:
        found, years = date.fromordinal(ordinal - _CYCLE_DAYS), _CYCLE_YEARS
    else:
        found, years = date.fromordinal(ordinal), 0
    return found.year + years, found.month, found.day


def _days_in_month(year: int, month: int) -> int:
    """The days of a month of the Gregorian calendar, in any year, also one that no Date can have."""
    return 29 if month == 2 and isleap(year) else _MONTH_DAYS[month - 1]


def _quotient(dividend: int, divisor: int) -> int:
    """Division cut towards zero."""
    return dividend // divisor if dividend >= 0 else -(-dividend // divisor)


# ------------------------------------------------------------------------------------------------ checks and texts


def check_precision(value: Temporal, precision: str, *, weeks: bool = False) -> None:
    """EvaluationError for a precision that the type of ``value`` does not have; ``weeks`` are allowed on request."""
    allowed: tuple[str, ...] = PRECISIONS
    if isinstance(value, Date):
        allowed = DATE_PRECISIONS
    elif isinstance(value, Time):
        allowed = TIME_PRECISIONS
    if precision in allowed or (precision == "week" and weeks and not isinstance(value, Time)):
        return
    choice = ", ".join(allowed)
    raise EvaluationError(
        f"precision {precision!r} cannot be used with a {type(value).__name__} here; use one of: {choice}",
        code="precision",
    )


def _check_date(year: int, month: int | None, day: int | None) -> None:
    if year is None:
        raise ValueError("a date needs a year")
    _check_range("year", year)
    if month is None:
        if day is not None:
            raise ValueError("a date with a day needs a month")
        return
    _check_range("month", month)
    if day is not None and not 1 <= day <= _days_in_month(year, month):
        raise ValueError(f"{year:04}-{month:02} has no day {day}")


def _check_time(hour: int | None, minute: int | None, second: int | None, millisecond: int | None) -> None:
    previous: int | None = 0
    for name, value in (("hour", hour), ("minute", minute), ("second", second), ("millisecond", millisecond)):
        if value is not None:
            if previous is None:
                raise ValueError(f"a time with a {name} needs every coarser component")
            _check_range(name, value)
        previous = value


def _check_range(name: str, value: int) -> None:
    least, greatest = _LIMITS[name]
    if not least <= value <= greatest:
        raise ValueError(f"{name} {value} is outside {least} to {greatest}")


def _finest(components: tuple[int | None, ...]) -> str:
    return PRECISIONS[sum(component is not None for component in components) - 1]


def _integers(texts: tuple[str | None, ...] | list[str | None]) -> list[int | None]:
    return [None if text is None else int(text) for text in texts]


def _milliseconds(fraction: str | None) -> int | None:
    return None if fraction is None else int(fraction[:3].ljust(3, "0"))


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if minutes > 59:
        raise ValueError(f"time zone offset {zone} has more than 59 minutes")
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes)


def _date_text(year: int, month: int | None, day: int | None) -> str:
    return f"{year:04}" + ("" if month is None else f"-{month:02}") + ("" if day is None else f"-{day:02}")


def _time_text(hour: int, minute: int | None, second: int | None, millisecond: int | None) -> str:
    text = f"{hour:02}" + ("" if minute is None else f":{minute:02}") + ("" if second is None else f":{second:02}")
    return text if millisecond is None else f"{text}.{millisecond:03}"
