"""Conversions between the system types (CQL 1.5.3, Appendix B, "Type Operators": ToX, ConvertsToX, ConvertQuantity).

A text that does not follow the format of its operator, or means a value out of range, converts to null. Formats are
those of the reference, digits are ASCII, and nothing is trimmed. No number is rounded on the way: a decimal keeps the
digits it was written with, and one with more digits than the decimal context holds is null.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from engine.language.evaluation.context import Context
from engine.language.operators import quantities
from engine.language.operators.registry import TABLE, operator
from engine.language.types.datatype import (
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    TIME,
    DataType,
    ListType,
)
from engine.language.values.clinical import Code, Concept, Quantity, Ratio
from engine.language.values.json import decimal_text
from engine.language.values.numbers import (
    DECIMAL_MAX,
    EXACT,
    INTEGER_MAX,
    INTEGER_MIN,
    LONG_MAX,
    LONG_MIN,
    Long,
)
from engine.language.values.temporal import Date, DateTime, Time

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_CALENDAR = "(?:year|month|week|day|hour|minute|second|millisecond)s?"
_QUANTITY = rf"([+-]?[0-9]+(?:\.[0-9]+)?)(?: *(?:'([^']+)'|({_CALENDAR})))?"
_QUANTITY_TEXT = re.compile(_QUANTITY)
_RATIO_TEXT = re.compile(f"({_QUANTITY}):({_QUANTITY})")
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


# -- Boolean ----------------------------------------------------------------------------------------------------------


@operator("ToBoolean(String) Boolean", reference="toboolean")
def string_to_boolean(argument: str) -> bool | None:
    """True for ``true t yes y 1``, false for ``false f no n 0``, whatever the case; null for any other text."""
    word = argument.lower()
    return True if word in _TRUE else False if word in _FALSE else None


@operator("ToBoolean(Integer) Boolean", reference="toboolean")
@operator("ToBoolean(Long) Boolean", reference="toboolean")
@operator("ToBoolean(Decimal) Boolean", reference="toboolean")
def number_to_boolean(argument: int | Decimal) -> bool | None:
    """True for 1, false for 0, null for any other number."""
    return True if argument == 1 else False if argument == 0 else None


# -- numbers ----------------------------------------------------------------------------------------------------------


@operator("ToInteger(Boolean) Integer", reference="tointeger")
def boolean_to_integer(argument: bool) -> int:
    """1 for true, 0 for false."""
    return int(argument)


@operator("ToInteger(Long) Integer", reference="tointeger")
def long_to_integer(argument: Long) -> int | None:
    """The same number; null outside the range of Integer."""
    return int(argument) if INTEGER_MIN <= argument <= INTEGER_MAX else None


@operator("ToInteger(String) Integer", reference="tointeger")
def string_to_integer(argument: str) -> int | None:
    """The number of ``(+|-)?#0``; null for another format and outside the range of Integer."""
    number = _whole_number(argument)
    return number if number is not None and INTEGER_MIN <= number <= INTEGER_MAX else None


@operator("ToLong(Boolean) Long", reference="tolong")
@operator("ToLong(Integer) Long", reference="tolong")
def integer_to_long(argument: int) -> Long:
    """The same number as a Long; 1 for true, 0 for false."""
    return Long(argument)


@operator("ToLong(String) Long", reference="tolong")
def string_to_long(argument: str) -> Long | None:
    """The number of ``(+|-)?#0``; null for another format and outside the range of Long."""
    number = _whole_number(argument)
    return Long(number) if number is not None and LONG_MIN <= number <= LONG_MAX else None


@operator("ToDecimal(Boolean) Decimal", reference="todecimal")
def boolean_to_decimal(argument: bool) -> Decimal:
    """1.0 for true, 0.0 for false."""
    return Decimal("1.0") if argument else Decimal("0.0")


@operator("ToDecimal(Integer) Decimal", reference="todecimal")
@operator("ToDecimal(Long) Decimal", reference="todecimal")
def integer_to_decimal(argument: int) -> Decimal:
    """The same number as a Decimal. Source: table 9-E, an implicit conversion."""
    return Decimal(argument)


@operator("ToDecimal(String) Decimal", reference="todecimal")
def string_to_decimal(argument: str) -> Decimal | None:
    """The number of ``(+|-)?#0(.0#)?``; null for another format, out of range, or with too many digits to be exact.

    The format has no exponent, so that ``1e1000000`` is null at once.
    """
    if not _DECIMAL.fullmatch(argument):
        return None
    value = Decimal(argument)
    exact = len(value.as_tuple().digits) <= EXACT.prec and -int(value.as_tuple().exponent) <= EXACT.prec
    return value if exact and abs(value) <= DECIMAL_MAX else None


def _whole_number(text: str) -> int | None:
    """The number when the text has the format; None as well for far more digits than a Long has."""
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 20:
        return None
    return -int(digits) if text[0] == "-" else int(digits)


# -- quantities -------------------------------------------------------------------------------------------------------


@operator("ToQuantity(Integer) Quantity", reference="toquantity")
@operator("ToQuantity(Long) Quantity", reference="toquantity")
@operator("ToQuantity(Decimal) Quantity", reference="toquantity")
def number_to_quantity(argument: int | Decimal) -> Quantity:
    """The number with the default unit ``1``."""
    return Quantity(Decimal(argument), "1")


@operator("ToQuantity(String) Quantity", reference="toquantity", context=True)
def string_to_quantity(context: Context, argument: str) -> Quantity | None:
    """The quantity of ``(+|-)?#0(.0#)?('<unit>')?``, spaces before the unit allowed.

    A unit in quotes is UCUM or a calendar keyword; a calendar keyword may stand without quotes (``5 days``). No unit
    means ``1``. Null for another format, an unknown unit and a number out of range.
    """
    match = _QUANTITY_TEXT.fullmatch(argument)
    if match is None:
        return None
    value = string_to_decimal(match[1])
    unit = match[2] or match[3] or "1"
    return Quantity(value, unit) if value is not None and quantities.valid_unit(context, unit) else None


@operator("ToQuantity(Ratio) Quantity", reference="toquantity", context=True)
def ratio_to_quantity(context: Context, argument: Ratio) -> Quantity | None:
    """The numerator divided by the denominator; null where that division is."""
    if argument.numerator is None or argument.denominator is None:
        return None
    return quantities.divide_quantities(context, argument.numerator, argument.denominator)


@operator("ToRatio(String) Ratio", reference="toratio", context=True)
def string_to_ratio(context: Context, argument: str) -> Ratio | None:
    """The ratio of ``<quantity>:<quantity>``, each as ToQuantity reads it; null for another format."""
    match = _RATIO_TEXT.fullmatch(argument)
    if match is None:
        return None
    numerator, denominator = string_to_quantity(context, match[1]), string_to_quantity(context, match[5])
    return Ratio(numerator, denominator) if numerator is not None and denominator is not None else None


@operator("ConvertQuantity(Quantity, String) Quantity", reference="convertquantity", context=True)
def convert_quantity(context: Context, argument: Quantity, unit: str) -> Quantity | None:
    """The same quantity in another unit; null without a conversion, for an unknown unit and out of range."""
    return quantities.convert_quantity(context, argument, unit)


@operator("CanConvertQuantity(Quantity, String) Boolean", reference="canconvertquantity", context=True)
def can_convert_quantity(context: Context, argument: Quantity, unit: str) -> bool:
    """True when ConvertQuantity gives a quantity."""
    return quantities.convert_quantity(context, argument, unit) is not None


# -- dates and times --------------------------------------------------------------------------------------------------


@operator("ToDate(DateTime) Date", reference="todate")
def datetime_to_date(argument: DateTime) -> Date:
    """The date components as written, ``date from``."""
    return argument.date


@operator("ToDate(String) Date", reference="todate")
def string_to_date(argument: str) -> Date | None:
    """The date of ``YYYY-MM-DD``, cut anywhere; the time of a date and time is ignored, null for another format."""
    value = _parsed_datetime(argument)
    return None if value is None else value.date


@operator("ToDateTime(Date) DateTime", reference="todatetime", context=True)
def date_to_datetime(context: Context, argument: Date) -> DateTime:
    """The date without time components, at the offset of the evaluation."""
    return DateTime(argument.year, argument.month, argument.day, offset_minutes=context.offset_minutes)


@operator("ToDateTime(String) DateTime", reference="todatetime", context=True)
def string_to_datetime(context: Context, argument: str) -> DateTime | None:
    """The value of ``YYYY-MM-DDThh:mm:ss.fff(Z|(+|-)hh:mm)``, cut anywhere; null for another format.

    Without an offset it takes that of the evaluation.
    """
    value = _parsed_datetime(argument)
    if value is None or value.offset_minutes is not None:
        return value
    return value.with_offset(context.offset_minutes)


@operator("ToTime(String) Time", reference="totime")
def string_to_time(argument: str) -> Time | None:
    """The time of ``hh:mm:ss.fff``, cut anywhere, with or without a leading ``T``; null for another format.

    An offset is no part of a time of day and makes the text malformed.
    """
    try:
        return None if argument.startswith("@") else Time.parse(argument)
    except ValueError:
        return None


def _parsed_datetime(text: str) -> DateTime | None:
    # A trailing T without a time and a leading @ belong to literals, not to the ISO format.
    try:
        return None if text.startswith("@") or text.endswith("T") else DateTime.parse(text)
    except ValueError:
        return None


# -- String -----------------------------------------------------------------------------------------------------------


@operator("ToString(Boolean) String", reference="tostring")
def boolean_to_string(argument: bool) -> str:
    """``true`` or ``false``."""
    return "true" if argument else "false"


@operator("ToString(Integer) String", reference="tostring")
@operator("ToString(Long) String", reference="tostring")
def integer_to_string(argument: int) -> str:
    """``(-)?#0``."""
    return str(int(argument))


@operator("ToString(Decimal) String", reference="tostring")
def decimal_to_string(argument: Decimal) -> str:
    """``(-)?#0.0#``: never an exponent, the digits as they are, at least one of them after the point."""
    text = decimal_text(argument)
    return text if "." in text else f"{text}.0"


@operator("ToString(Quantity) String", reference="tostring")
def quantity_to_string(argument: Quantity) -> str | None:
    """``125 'cm'``: the value with the digits it has, then the unit; null without a value."""
    return None if argument.value is None else f"{decimal_text(argument.value)} '{argument.unit}'"


@operator("ToString(Ratio) String", reference="tostring")
def ratio_to_string(argument: Ratio) -> str | None:
    """``<quantity>:<quantity>``; null when a part is missing."""
    if argument.numerator is None or argument.denominator is None:
        return None
    numerator, denominator = quantity_to_string(argument.numerator), quantity_to_string(argument.denominator)
    return None if numerator is None or denominator is None else f"{numerator}:{denominator}"


@operator("ToString(Date) String", reference="tostring")
@operator("ToString(DateTime) String", reference="tostring")
@operator("ToString(Time) String", reference="tostring")
def temporal_to_string(argument: Date | DateTime | Time) -> str:
    """``YYYY-MM-DDThh:mm:ss.fff(+|-)hh:mm`` down to the precision; an offset only behind a time."""
    return str(argument)


@operator("ToString(String) String", reference="tostring")
def string_to_string(argument: str) -> str:
    """The string itself, so that a choice of types can be converted as a whole."""
    return argument


# -- Concept and List -------------------------------------------------------------------------------------------------


@operator("ToConcept(Code) Concept", reference="toconcept")
def code_to_concept(argument: Code) -> Concept:
    """The concept of this one code, with its display."""
    return Concept((argument,), argument.display)


@operator("ToConcept(List<Code>) Concept", reference="toconcept")
def codes_to_concept(argument: list[Code | None]) -> Concept:
    """The concept of these codes, without a display; null elements are left out."""
    return Concept(tuple(code for code in argument if code is not None))


@operator("ToList(T) List<T>", reference="tolist", nulls="own")
def to_list(argument: Any) -> list[Any]:
    """The list of this one element; the empty list for null. Source: ELM, ``ToList``."""
    return [] if argument is None else [argument]


# -- ConvertsToX ------------------------------------------------------------------------------------------------------


def system_type(value: Any) -> DataType | None:
    """The simple or clinical system type of a value, as far as conversions know it; None for any other value."""
    if isinstance(value, list):
        return ListType(CODE) if all(isinstance(element, Code) for element in value) else None
    return _TYPES.get(type(value))


_TYPES: dict[type, DataType] = {
    bool: BOOLEAN, int: INTEGER, Long: LONG, Decimal: DECIMAL, str: STRING, Date: DATE, DateTime: DATETIME, Time: TIME,
    Quantity: QUANTITY, Ratio: RATIO, Code: CODE, Concept: CONCEPT,
}  # fmt: skip


def _converts_to(context: Context, value: Any, target: DataType) -> bool:
    """True when the value is of the type or the conversion operator gives a value for it."""
    source = system_type(value)
    if source == target:
        return True
    found = [o for o in TABLE.overloads(f"To{target}") if o.operands == (source,)]
    if not found:
        return False
    function = found[0].function
    return (function(context, value) if found[0].context else function(value)) is not None


@operator("ConvertsToBoolean(Any) Boolean", reference="convertstoboolean", context=True)
def converts_to_boolean(context: Context, argument: Any) -> bool:
    """True when the value is a Boolean or ToBoolean makes one of it."""
    return _converts_to(context, argument, BOOLEAN)


@operator("ConvertsToInteger(Any) Boolean", reference="convertstointeger", context=True)
def converts_to_integer(context: Context, argument: Any) -> bool:
    """True when the value is an Integer or ToInteger makes one of it."""
    return _converts_to(context, argument, INTEGER)


@operator("ConvertsToLong(Any) Boolean", reference="convertstolong", context=True)
def converts_to_long(context: Context, argument: Any) -> bool:
    """True when the value is a Long or ToLong makes one of it."""
    return _converts_to(context, argument, LONG)


@operator("ConvertsToDecimal(Any) Boolean", reference="convertstodecimal", context=True)
def converts_to_decimal(context: Context, argument: Any) -> bool:
    """True when the value is a Decimal or ToDecimal makes one of it."""
    return _converts_to(context, argument, DECIMAL)


@operator("ConvertsToQuantity(Any) Boolean", reference="convertstoquantity", context=True)
def converts_to_quantity(context: Context, argument: Any) -> bool:
    """True when the value is a Quantity or ToQuantity makes one of it."""
    return _converts_to(context, argument, QUANTITY)


@operator("ConvertsToRatio(Any) Boolean", reference="convertstoratio", context=True)
def converts_to_ratio(context: Context, argument: Any) -> bool:
    """True when the value is a Ratio or ToRatio makes one of it."""
    return _converts_to(context, argument, RATIO)


@operator("ConvertsToString(Any) Boolean", reference="convertstostring", context=True)
def converts_to_string(context: Context, argument: Any) -> bool:
    """True when the value is a String or ToString makes one of it."""
    return _converts_to(context, argument, STRING)


@operator("ConvertsToDate(Any) Boolean", reference="convertstodate", context=True)
def converts_to_date(context: Context, argument: Any) -> bool:
    """True when the value is a Date or ToDate makes one of it."""
    return _converts_to(context, argument, DATE)


@operator("ConvertsToDateTime(Any) Boolean", reference="convertstodatetime", context=True)
def converts_to_datetime(context: Context, argument: Any) -> bool:
    """True when the value is a DateTime or ToDateTime makes one of it."""
    return _converts_to(context, argument, DATETIME)


@operator("ConvertsToTime(Any) Boolean", reference="convertstotime", context=True)
def converts_to_time(context: Context, argument: Any) -> bool:
    """True when the value is a Time or ToTime makes one of it."""
    return _converts_to(context, argument, TIME)
