"""FHIR primitives to CQL values: what JSON holds is checked against the datatype, never repaired.

Source: FHIR R4, Data Types, "Primitive Types" (http://hl7.org/fhir/R4/datatypes.html#primitive) and the ``value``
types of the model information. Each reader raises ValueError with a sentence for JSON that is not of the datatype.

One rule is wider than FHIR's: a time without an offset is read, since so much real data lacks it; it takes the offset
of the run, as CQL says of every DateTime without one.

CQL keeps milliseconds: digits of a second beyond the third are cut off, so that a time is never moved to a later one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from engine.language.values.temporal import Date, DateTime, Time

INTEGER_LIMITS = {"integer": (-(2**31), 2**31 - 1), "unsignedInt": (0, 2**31 - 1), "positiveInt": (1, 2**31 - 1)}
MAX_DIGITS = 64
MAX_EXPONENT = 64

DATE_PATTERN = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
DATETIME_PATTERN = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
TIME_PATTERN = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?", re.ASCII)
MAX_OFFSET = 14 * 60
REMEMBERED = 4096
"""How many texts of dates are remembered: criteria read the same ones again and again."""


class UnusableNumber(str):
    """The text of a JSON number with more digits or a larger exponent than is read; no datatype accepts it."""

    __slots__ = ()


def unreadable_as_text(value: Any) -> str:
    """For encoders of decoded JSON: a number that could not be read is written as the text it was."""
    if isinstance(value, UnusableNumber):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def read_number(text: str) -> Decimal | UnusableNumber:
    """The exact Decimal of a JSON number with fraction or exponent; numbers out of bounds keep their text.

    Bounds (DESIGN 4.13): at most 64 significant digits, and a magnitude between 1E-64 and 1E+64.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return UnusableNumber(text)
    long = len(text) > MAX_DIGITS and len(number.as_tuple().digits) > MAX_DIGITS
    if long or not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        return UnusableNumber(text)
    return number


def _shown(value: Any) -> str:
    text = repr(str(value) if isinstance(value, str | Decimal) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse(value: Any, wanted: str) -> ValueError:
    if isinstance(value, UnusableNumber):
        return ValueError(f"the number {_shown(value)} has more digits or a larger exponent than can be read")
    return ValueError(f"{_shown(value)} is not {wanted}")


def read_boolean(value: Any) -> bool:
    """``true`` or ``false``."""
    if value is True or value is False:
        return bool(value)
    raise _refuse(value, "a boolean")


def _integer_reader(name: str) -> Callable[[Any], int]:
    low, high = INTEGER_LIMITS[name]

    def read_integer(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        raise _refuse(value, f"of type {name} ({low} to {high})")

    return read_integer


def read_decimal(value: Any) -> Decimal:
    """A JSON number, with or without fraction; its digits are kept."""
    if type(value) is Decimal:
        return value
    if type(value) is int:
        if abs(value) >= 10**MAX_DIGITS:
            raise _refuse(UnusableNumber(value), "")
        return Decimal(value)
    raise _refuse(value, "a decimal number")


def read_string(value: Any) -> str:
    """Text of at least one character."""
    if type(value) is str and value:
        return value
    raise _refuse(value, "a text of at least one character")


@lru_cache(REMEMBERED, typed=True)
def read_date(value: Any) -> Date:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; precision is kept."""
    match = DATE_PATTERN.fullmatch(value) if type(value) is str else None
    if match is None:
        raise _refuse(value, "a date (YYYY, YYYY-MM or YYYY-MM-DD)")
    try:
        return Date(*(int(part) for part in match.groups() if part is not None))
    except ValueError as error:
        raise _refuse(value, f"a date of the calendar ({error})") from error


@lru_cache(REMEMBERED, typed=True)
def read_datetime(value: Any) -> DateTime:
    """A date as above, or date and time; precision is kept. A date alone has no offset, nor a time written without."""
    match = DATETIME_PATTERN.fullmatch(value) if type(value) is str else None
    if match is None:
        raise _refuse(value, "a dateTime (YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, with Z or an offset)")
    *numbers, fraction, offset = match.groups()
    try:
        month, day, hour, minute, second = (None if part is None else int(part) for part in numbers[1:])
        millisecond = None if fraction is None else _milliseconds(fraction)
        zone = None if offset is None else _offset(offset)
        return DateTime(int(match[1]), month, day, hour, minute, second, millisecond, zone)
    except ValueError as error:
        raise _refuse(value, f"a dateTime of the calendar ({error})") from error


def read_instant(value: Any) -> DateTime:
    """Date and time, both of them."""
    if type(value) is str and "T" in value:
        return read_datetime(value)
    raise _refuse(value, "an instant (YYYY-MM-DDThh:mm:ss with Z or an offset)")


def read_time(value: Any) -> Time:
    """``hh:mm:ss`` with or without a fraction; 24:00 is no time."""
    match = TIME_PATTERN.fullmatch(value) if type(value) is str else None
    if match is None:
        raise _refuse(value, "a time (hh:mm:ss)")
    hour, minute, second, fraction = match.groups()
    parts = [int(hour), int(minute), int(second)]
    if fraction is not None:
        parts.append(_milliseconds(fraction))
    try:
        return Time(*parts)
    except ValueError as error:
        raise _refuse(value, f"a time of the day ({error})") from error


def _milliseconds(fraction: str) -> int:
    return int((fraction + "00")[:3])


def _offset(text: str) -> int:
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    if minutes > MAX_OFFSET or int(text[4:6]) > 59:
        raise ValueError(f"no time zone has the offset {text}")
    return minutes if text[0] == "+" else -minutes


READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": read_boolean,
    "integer": _integer_reader("integer"),
    "unsignedInt": _integer_reader("unsignedInt"),
    "positiveInt": _integer_reader("positiveInt"),
    "decimal": read_decimal,
    "date": read_date,
    "dateTime": read_datetime,
    "instant": read_instant,
    "time": read_time,
}
"""Readers by primitive type; every other primitive and every enumerated code type is text."""


def reader(type_name: str) -> Callable[[Any], Any]:
    """The reader of a primitive type; :func:`read_string` for strings, codes, URIs and enumerated codes."""
    return READERS.get(type_name, read_string)


def json_of(value: Any) -> Any:
    """The JSON of a CQL value inside a FHIR primitive: numbers stay numbers, dates and times become FHIR text."""
    if isinstance(value, DateTime):
        return _datetime_text(value)
    if isinstance(value, Date):
        return _joined((value.year, value.month, value.day), (4, 2, 2), "-")
    if isinstance(value, Time):
        return _time_text(value.hour, value.minute, value.second, value.millisecond)
    return value


def _datetime_text(value: DateTime) -> str:
    day = _joined((value.year, value.month, value.day), (4, 2, 2), "-")
    if value.hour is None:
        return day
    offset = value.offset_minutes or 0
    zone = "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    return f"{day}T{_time_text(value.hour, value.minute, value.second, value.millisecond)}{zone}"


def _time_text(hour: int, minute: int | None, second: int | None, millisecond: int | None) -> str:
    """FHIR has no times without seconds: they are filled with zeros, as its datatype page allows."""
    text = f"{hour:02d}:{minute or 0:02d}:{second or 0:02d}"
    return text if millisecond is None else f"{text}.{millisecond:03d}"


def _joined(parts: tuple[int | None, ...], widths: tuple[int, ...], separator: str) -> str:
    return separator.join(f"{p:0{w}d}" for p, w in zip(parts, widths, strict=True) if p is not None)
