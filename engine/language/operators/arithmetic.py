"""Arithmetic operators on Integer, Long, Decimal and Quantity, and the steps and boundaries of every ordered type.

Source: CQL 1.5.3, Appendix B "Arithmetic Operators". A result that its type cannot represent is null, as is division
by zero. Decimals are exact: sums, products and integer powers are never rounded within the 100 digits of the decimal
context, a quotient has as many digits as that context, and Exp, Ln, Log and fractional powers have 64.

Operators that keep order or whose extremes lie at the ends of the ranges are lifted over uncertainties; Abs, Divide,
TruncatedDivide and Modulo are not, since their extremes may lie inside (``Abs`` at 0).
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any, Final

from engine.language.evaluation.context import Context
from engine.language.operators import quantities
from engine.language.operators.quantities import in_decimal_range
from engine.language.operators.registry import operator
from engine.language.values import extremes, temporal
from engine.language.values.clinical import Quantity
from engine.language.values.numbers import EXACT, INTEGER_MAX, INTEGER_MIN, LONG_MAX, LONG_MIN, Long
from engine.language.values.temporal import Date, DateTime, Temporal, Time

TRANSCENDENTAL_DIGITS: Final = 64
"""Significant digits of Exp, Ln, Log and powers with a fraction in the exponent."""

DECIMAL_PLACES: Final = 8
"""The scale of a CQL Decimal and the greatest precision of its boundaries."""

DIGITS: Final = {"year": 4, "month": 6, "day": 8, "hour": 10, "minute": 12, "second": 14, "millisecond": 17}
"""Digits of a Date or DateTime known to a precision, as Precision and the boundaries count them."""

TIME_DIGITS: Final = {"hour": 2, "minute": 4, "second": 6, "millisecond": 9}

_ROUNDED: Final = decimal.Context(
    prec=TRANSCENDENTAL_DIGITS, rounding=decimal.ROUND_HALF_EVEN, Emax=EXACT.Emax, Emin=EXACT.Emin, traps=[]
)


def in_integer_range(value: int) -> int | None:
    """The value, or None when an Integer cannot represent it."""
    return value if INTEGER_MIN <= value <= INTEGER_MAX else None


def in_long_range(value: int) -> Long | None:
    """The value as a Long, or None when a Long cannot represent it."""
    return Long(value) if LONG_MIN <= value <= LONG_MAX else None


# ----------------------------------------------------------------------------------------------------------- signs


@operator("Abs(Integer) Integer", reference="abs")
def abs_integer(value: int) -> int | None:
    """The absolute value; null for the minimum Integer."""
    return in_integer_range(abs(value))


@operator("Abs(Long) Long", reference="abs")
def abs_long(value: int) -> Long | None:
    """The absolute value; null for the minimum Long."""
    return in_long_range(abs(value))


@operator("Abs(Decimal) Decimal", reference="abs")
def abs_decimal(value: Decimal) -> Decimal:
    """The absolute value."""
    return value.copy_abs()


@operator("Abs(Quantity) Quantity", reference="abs")
def abs_quantity(value: Quantity) -> Quantity:
    """The absolute value with the same unit."""
    return quantities.absolute_quantity(value)


@operator("Negate(Integer) Integer", reference="negate", uncertain="arithmetic")
def negate_integer(value: int) -> int | None:
    """The opposite value; null for the minimum Integer."""
    return in_integer_range(-value)


@operator("Negate(Long) Long", reference="negate", uncertain="arithmetic")
def negate_long(value: int) -> Long | None:
    """The opposite value; null for the minimum Long."""
    return in_long_range(-value)


@operator("Negate(Decimal) Decimal", reference="negate", uncertain="arithmetic")
def negate_decimal(value: Decimal) -> Decimal:
    """The opposite value; zero has no sign."""
    return EXACT.minus(value)


@operator("Negate(Quantity) Quantity", reference="negate")
def negate_quantity(value: Quantity) -> Quantity:
    """The opposite value with the same unit."""
    return quantities.negate_quantity(value)


# ---------------------------------------------------------------------------------------------- sums and products


@operator("Add(Integer, Integer) Integer", reference="add", uncertain="arithmetic")
def add_integer(left: int, right: int) -> int | None:
    """The sum; null when it overflows."""
    return in_integer_range(left + right)


@operator("Add(Long, Long) Long", reference="add", uncertain="arithmetic")
def add_long(left: int, right: int) -> Long | None:
    """The sum; null when it overflows."""
    return in_long_range(int(left) + int(right))


@operator("Add(Decimal, Decimal) Decimal", reference="add", uncertain="arithmetic")
def add_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The exact sum; null when it overflows."""
    return in_decimal_range(EXACT.add(left, right))


@operator("Add(Quantity, Quantity) Quantity", reference="add", context=True)
def add_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The sum in the more granular unit; null for different dimensions."""
    return quantities.add_quantities(context, left, right)


@operator("Subtract(Integer, Integer) Integer", reference="subtract", uncertain="arithmetic")
def subtract_integer(left: int, right: int) -> int | None:
    """The difference; null when it overflows."""
    return in_integer_range(left - right)


@operator("Subtract(Long, Long) Long", reference="subtract", uncertain="arithmetic")
def subtract_long(left: int, right: int) -> Long | None:
    """The difference; null when it overflows."""
    return in_long_range(int(left) - int(right))


@operator("Subtract(Decimal, Decimal) Decimal", reference="subtract", uncertain="arithmetic")
def subtract_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The exact difference; null when it overflows."""
    return in_decimal_range(EXACT.subtract(left, right))


@operator("Subtract(Quantity, Quantity) Quantity", reference="subtract", context=True)
def subtract_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The difference in the more granular unit; null for different dimensions."""
    return quantities.subtract_quantities(context, left, right)


@operator("Multiply(Integer, Integer) Integer", reference="multiply", uncertain="arithmetic")
def multiply_integer(left: int, right: int) -> int | None:
    """The product; null when it overflows."""
    return in_integer_range(left * right)


@operator("Multiply(Long, Long) Long", reference="multiply", uncertain="arithmetic")
def multiply_long(left: int, right: int) -> Long | None:
    """The product; null when it overflows."""
    return in_long_range(int(left) * int(right))


@operator("Multiply(Decimal, Decimal) Decimal", reference="multiply", uncertain="arithmetic")
def multiply_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The exact product; null when it overflows."""
    return in_decimal_range(EXACT.multiply(left, right))


@operator("Multiply(Quantity, Quantity) Quantity", reference="multiply", context=True)
def multiply_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The product with the product of the units, ``12 'cm' * 3 'cm'`` in ``'cm2'``."""
    return quantities.multiply_quantities(context, left, right)


# ------------------------------------------------------------------------------------------------------- divisions


@operator("Divide(Decimal, Decimal) Decimal", reference="divide")
def divide_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The quotient; null for division by zero."""
    return None if right == 0 else in_decimal_range(EXACT.divide(left, right))


@operator("Divide(Quantity, Quantity) Quantity", reference="divide", context=True)
def divide_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient with the quotient of the units; null for division by zero."""
    return quantities.divide_quantities(context, left, right)


@operator("TruncatedDivide(Integer, Integer) Integer", reference="truncated-divide")
def truncated_divide_integer(left: int, right: int) -> int | None:
    """The quotient cut towards zero; null for division by zero."""
    return None if right == 0 else in_integer_range(_cut_quotient(left, right))


@operator("TruncatedDivide(Long, Long) Long", reference="truncated-divide")
def truncated_divide_long(left: int, right: int) -> Long | None:
    """The quotient cut towards zero; null for division by zero."""
    return None if right == 0 else in_long_range(_cut_quotient(int(left), int(right)))


@operator("TruncatedDivide(Decimal, Decimal) Decimal", reference="truncated-divide")
def truncated_divide_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The quotient cut towards zero; null for division by zero."""
    return None if right == 0 else quantities.whole_quotient(left, right)


@operator("TruncatedDivide(Quantity, Quantity) Quantity", reference="truncated-divide", context=True)
def truncated_divide_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient cut towards zero, in the common unit; null for division by zero."""
    return quantities.truncated_divide_quantities(context, left, right)


@operator("Modulo(Integer, Integer) Integer", reference="modulo")
def modulo_integer(left: int, right: int) -> int | None:
    """The remainder of truncated division, with the sign of ``left``; null for division by zero."""
    return None if right == 0 else left - right * _cut_quotient(left, right)


@operator("Modulo(Long, Long) Long", reference="modulo")
def modulo_long(left: int, right: int) -> Long | None:
    """The remainder of truncated division, with the sign of ``left``; null for division by zero."""
    return None if right == 0 else Long(int(left) - int(right) * _cut_quotient(int(left), int(right)))


@operator("Modulo(Decimal, Decimal) Decimal", reference="modulo")
def modulo_decimal(left: Decimal, right: Decimal) -> Decimal | None:
    """The remainder of truncated division, with the sign of ``left``; null for division by zero."""
    return None if right == 0 else quantities.remainder(left, right)


@operator("Modulo(Quantity, Quantity) Quantity", reference="modulo", context=True)
def modulo_quantity(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The remainder in the common unit; null for division by zero."""
    return quantities.modulo_quantities(context, left, right)


def _cut_quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


# -------------------------------------------------------------------------------------------------------- rounding


@operator("Ceiling(Decimal) Integer", reference="ceiling", uncertain="arithmetic")
def ceiling(value: Decimal) -> int | None:
    """The first Integer not less than the value; null when it overflows."""
    return in_integer_range(int(value.to_integral_value(decimal.ROUND_CEILING)))


@operator("Floor(Decimal) Integer", reference="floor", uncertain="arithmetic")
def floor(value: Decimal) -> int | None:
    """The first Integer not greater than the value; null when it overflows."""
    return in_integer_range(int(value.to_integral_value(decimal.ROUND_FLOOR)))


@operator("Truncate(Decimal) Integer", reference="truncate", uncertain="arithmetic")
def truncate(value: Decimal) -> int | None:
    """The value without its decimals; null when it overflows."""
    return in_integer_range(int(value))


@operator("Round(Decimal) Decimal", reference="round", uncertain="arithmetic")
def round_whole(value: Decimal) -> Decimal | None:
    """The nearest whole number, halves away from zero."""
    return round_to(value, 0)


@operator("Round(Decimal, Integer) Decimal", reference="round", nulls="own")
def round_decimal(value: Decimal | None, precision: int | None) -> Decimal | None:
    """The nearest value with that many decimals, halves away from zero; a null precision means 0."""
    return None if value is None else round_to(value, precision or 0)


def round_to(value: Decimal, places: int) -> Decimal | None:
    """``value`` rounded to ``places`` decimals (negative: tens, hundreds …), halves away from zero."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return value
    if places < 0 and -places > value.adjusted() + 1:
        return Decimal(0)
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=decimal.ROUND_HALF_UP, context=EXACT)
    return in_decimal_range(EXACT.plus(rounded if places >= 0 else rounded.quantize(Decimal(1), context=EXACT)))


# ------------------------------------------------------------------------------------------- powers and logarithms


@operator("Power(Integer, Integer) Integer", reference="power")
def power_integer(base: int, exponent: int) -> int | Decimal | None:
    """The power; null when it overflows. A negative exponent gives a Decimal when the result is no whole number."""
    power = _power_whole(base, exponent, INTEGER_MAX.bit_length())
    return in_integer_range(power) if isinstance(power, int) else power


@operator("Power(Long, Long) Long", reference="power")
def power_long(base: int, exponent: int) -> Long | Decimal | None:
    """The power; null when it overflows. A negative exponent gives a Decimal when the result is no whole number."""
    power = _power_whole(int(base), int(exponent), LONG_MAX.bit_length())
    return in_long_range(power) if isinstance(power, int) else power


@operator("Power(Decimal, Decimal) Decimal", reference="power")
def power_decimal(base: Decimal, exponent: Decimal) -> Decimal | None:
    """The power; null when it cannot be represented, for a root of a negative number and for zero to a negative."""
    whole = exponent == exponent.to_integral_value()
    if exponent == 0 or base == 1:
        return Decimal(1)
    if base == 0:
        return Decimal(0) if exponent > 0 else None
    if base < 0 and not whole:
        return None
    try:
        power = EXACT.power(base, exponent)
    except decimal.Overflow:
        return None
    if EXACT.is_subnormal(power) or power == 0:
        return None  # too small for any representation: not zero
    return in_decimal_range(power) if whole else transcendental(power)


@operator("Exp(Decimal) Decimal", reference="exp")
def exp(value: Decimal) -> Decimal | None:
    """*e* to the power of the value; null when it cannot be represented."""
    try:
        power = EXACT.exp(value)
    except decimal.Overflow:
        return None
    return None if EXACT.is_subnormal(power) or power == 0 else transcendental(power)


@operator("Ln(Decimal) Decimal", reference="ln")
def ln(value: Decimal) -> Decimal | None:
    """The natural logarithm; null for zero and negative numbers."""
    return transcendental(EXACT.ln(value)) if value > 0 else None


@operator("Log(Decimal, Decimal) Decimal", reference="log")
def log(value: Decimal, base: Decimal) -> Decimal | None:
    """The logarithm to ``base``; null unless both are positive and the base is not 1."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    return transcendental(EXACT.divide(EXACT.ln(value), EXACT.ln(base)))


def _power_whole(base: int, exponent: int, bits: int) -> int | Decimal | None:
    """The power of whole numbers; None for zero to a negative and for what surely exceeds ``bits``."""
    if base == 0 and exponent < 0:
        return None
    if base in (0, 1):
        return 1 if exponent == 0 else base
    if base == -1:
        return -1 if exponent % 2 else 1
    if exponent < 0:
        return power_decimal(Decimal(base), Decimal(exponent))
    if exponent > bits + 1:
        return None
    power: int = base**exponent
    return power


def transcendental(value: Decimal) -> Decimal | None:
    """Rounded to the digits promised, without trailing zeroes."""
    rounded = in_decimal_range(_ROUNDED.normalize(_ROUNDED.plus(value)))
    if rounded is None or precision_decimal(rounded) > 0:
        return rounded
    return rounded.quantize(Decimal(1), context=EXACT)


# ------------------------------------------------------------------------------------------- precision, boundaries


@operator("Precision(Decimal) Integer", reference="precision")
def precision_decimal(value: Decimal) -> int:
    """The number of digits after the decimal point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@operator("Precision(Date) Integer", reference="precision")
@operator("Precision(DateTime) Integer", reference="precision")
def precision_date(value: Date | DateTime) -> int:
    """The number of digits known: 4 for a year, 17 for milliseconds."""
    return DIGITS[value.precision]


@operator("Precision(Time) Integer", reference="precision")
def precision_time(value: Time) -> int:
    """The number of digits known: 2 for an hour, 9 for milliseconds."""
    return TIME_DIGITS[value.precision]


@operator("LowBoundary(Decimal, Integer) Decimal", reference="lowboundary", nulls="own")
def low_boundary_decimal(value: Decimal | None, precision: int | None) -> Decimal | None:
    """The least number whose digits begin like the value's, to ``precision`` decimals (null: 8)."""
    return _decimal_boundary(value, precision, upper=False)


@operator("HighBoundary(Decimal, Integer) Decimal", reference="highboundary", nulls="own")
def high_boundary_decimal(value: Decimal | None, precision: int | None) -> Decimal | None:
    """The greatest number whose digits begin like the value's, to ``precision`` decimals (null: 8)."""
    return _decimal_boundary(value, precision, upper=True)


@operator("LowBoundary(Date, Integer) Date", reference="lowboundary", nulls="own")
@operator("LowBoundary(DateTime, Integer) DateTime", reference="lowboundary", nulls="own")
@operator("LowBoundary(Time, Integer) Time", reference="lowboundary", nulls="own")
def low_boundary_temporal(value: Temporal | None, precision: int | None) -> Temporal | None:
    """The earliest it may mean, to ``precision`` digits (null: all); null for a number of digits the type lacks."""
    name = _boundary_precision(value, precision)
    return None if value is None or name is None else temporal.low_boundary(value, name)


@operator("HighBoundary(Date, Integer) Date", reference="highboundary", nulls="own")
@operator("HighBoundary(DateTime, Integer) DateTime", reference="highboundary", nulls="own")
@operator("HighBoundary(Time, Integer) Time", reference="highboundary", nulls="own")
def high_boundary_temporal(value: Temporal | None, precision: int | None) -> Temporal | None:
    """The latest it may mean, to ``precision`` digits (null: all); null for a number of digits the type lacks."""
    name = _boundary_precision(value, precision)
    return None if value is None or name is None else temporal.high_boundary(value, name)


def _boundary_precision(value: Temporal | None, digits: int | None) -> str | None:
    """The precision with that many digits in the type of ``value``."""
    finest = "day" if isinstance(value, Date) else "millisecond"
    if digits is None:
        return finest
    known = TIME_DIGITS if isinstance(value, Time) else DIGITS
    allowed = (name for name, count in known.items() if count == digits)
    return next((name for name in allowed if not isinstance(value, Date) or name in temporal.DATE_PRECISIONS), None)


def _decimal_boundary(value: Decimal | None, precision: int | None, *, upper: bool) -> Decimal | None:
    places = DECIMAL_PLACES if precision is None else precision
    if value is None or not 0 <= places <= DECIMAL_PLACES:
        return None
    step, size = Decimal(1).scaleb(-places), value.copy_abs()
    if upper == (value >= 0):
        above = EXACT.add(size, Decimal(1).scaleb(-precision_decimal(value)))
        bound = EXACT.subtract(above.quantize(step, rounding=decimal.ROUND_CEILING, context=EXACT), step)
    else:
        bound = size.quantize(step, rounding=decimal.ROUND_DOWN, context=EXACT)
    return in_decimal_range(bound if value >= 0 else EXACT.minus(bound))


# ----------------------------------------------------------------------------------------------------------- steps


@operator("Successor(Integer) Integer", reference="successor", uncertain="arithmetic")
@operator("Successor(Long) Long", reference="successor", uncertain="arithmetic")
@operator("Successor(Decimal) Decimal", reference="successor", uncertain="arithmetic")
@operator("Successor(Quantity) Quantity", reference="successor")
@operator("Successor(Date) Date", reference="successor")
@operator("Successor(DateTime) DateTime", reference="successor")
@operator("Successor(Time) Time", reference="successor")
def successor(value: Any) -> Any:
    """The next value of the type, at the precision of the value; null after the last."""
    return extremes.successor(value)


@operator("Predecessor(Integer) Integer", reference="predecessor", uncertain="arithmetic")
@operator("Predecessor(Long) Long", reference="predecessor", uncertain="arithmetic")
@operator("Predecessor(Decimal) Decimal", reference="predecessor", uncertain="arithmetic")
@operator("Predecessor(Quantity) Quantity", reference="predecessor")
@operator("Predecessor(Date) Date", reference="predecessor")
@operator("Predecessor(DateTime) DateTime", reference="predecessor")
@operator("Predecessor(Time) Time", reference="predecessor")
def predecessor(value: Any) -> Any:
    """The value before of the type, at the precision of the value; null before the first."""
    return extremes.predecessor(value)
