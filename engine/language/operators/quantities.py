"""Quantities: comparison, arithmetic and conversion with UCUM units and calendar words.

Sources: CQL 1.5.3, Author's Guide "Quantities"; Appendix B "Equal", "Equivalent", "Greater" and the arithmetic
operators. The rules about units in one place:

* no unit, or an empty one, is the default unit ``1``;
* a unit that is no UCUM makes null ("Attempting to operate on quantities with invalid units will result in a null"),
  and so do quantities of different dimensions;
* the calendar words week to millisecond are their UCUM counterparts (``1 day = 1 'd'``);
* years and months convert into each other only (``1 year = 12 months``). Against anything definite they are null;
* a definite unit above weeks (``'a'``, ``'mo'``) against any calendar word is null;
* equivalence alone knows ``1 year ~ 1 'a'``, ``1 month ~ 1 'mo'``, ``1 year ~ 365 days`` and ``1 month ~ 30 days``.

A value is never rounded to decide a comparison; a sum has the more granular of the two units.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Hashable, Set
from decimal import Decimal
from typing import Final

from engine.language.evaluation.context import Context
from engine.language.values.clinical import Quantity
from engine.language.values.numbers import DECIMAL_MAX, DECIMAL_MIN, EXACT

UNITY: Final = "1"

_CALENDAR_UCUM: Final = {
    "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}  # fmt: skip
_FIXED: Final = _CALENDAR_UCUM | {f"{word}s": unit for word, unit in _CALENDAR_UCUM.items()}
"""Calendar words of fixed length and their UCUM unit."""

_MONTHS: Final = {"month": 1, "months": 1, "year": 12, "years": 12}
"""Calendar words of variable length, in months."""

_EQUIVALENT: Final = {"month": "mo", "months": "mo", "year": "a", "years": "a"}
_EQUIVALENT_DAYS: Final = {"month": 30, "months": 30, "year": 365, "years": 365}
_DEFINITE_ABOVE_WEEKS: Final = frozenset({"a", "a_t", "a_j", "a_g", "mo", "mo_s", "mo_j", "mo_g"})
_PRECISION_OF_UCUM: Final = {unit: word for word, unit in _CALENDAR_UCUM.items()}


def is_calendar(unit: str) -> bool:
    """True for CQL's calendar words, ``year`` to ``milliseconds``."""
    return unit in _FIXED or unit in _MONTHS


def valid_unit(context: Context, unit: str) -> bool:
    """True for a calendar word, well-formed UCUM, or no unit."""
    return is_calendar(unit) or context.units.valid(unit or UNITY)


def duration_precision(unit: str) -> str | None:
    """The date and time precision a unit moves by: ``days`` and ``'d'`` are ``day``.

    None for what cannot be added to a date: other units, and the definite ``'a'`` and ``'mo'``, for which the
    calendar word must be used (Appendix B, "Add" of dates).
    """
    if unit in _MONTHS:
        return unit.removesuffix("s")
    return _PRECISION_OF_UCUM.get(_FIXED.get(unit, unit))


# ---------------------------------------------------------------------------------------------------- comparison


def compare_quantities(context: Context, left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1 decided exactly; None when dimensions differ, a unit is not valid or a value is missing."""
    if left.value is None or right.value is None:
        return None
    if left.unit in _MONTHS and right.unit in _MONTHS:
        return _sign(_in_months(left.value, left.unit), _in_months(right.value, right.unit))
    if not _comparable(left.unit, right.unit):
        return None
    return _compare(context, left.value, _ucum(left.unit), right.value, _ucum(right.unit))


def equal_quantities(context: Context, left: Quantity, right: Quantity) -> bool | None:
    """CQL ``=``: None when the quantities cannot be compared."""
    order = compare_quantities(context, left, right)
    return None if order is None else order == 0


def quantity_key(context: Context, quantity: Quantity) -> Hashable:
    """The same for quantities that are equal, whatever their units; a key of its own for one that equals none."""
    if quantity.value is None:
        return object()
    if quantity.unit in _MONTHS:
        return ("months", _in_months(quantity.value, quantity.unit))
    try:
        return context.units.base(quantity.value, _ucum(quantity.unit))
    except ValueError:
        return object()  # a unit that is no UCUM: nothing is known to equal it


def transitive(units: Set[str]) -> bool:
    """False for units of which two can equal a third and not each other: 365.25 'd' is 1 'a' and is 365.25 days."""
    return units.isdisjoint(_FIXED) or units.isdisjoint(_DEFINITE_ABOVE_WEEKS)


def equivalent_quantities(context: Context, left: Quantity, right: Quantity) -> bool:
    """CQL ``~``: the same quantity after conversion, values as equivalent decimals; never null.

    Equivalent decimals are equal when rounded to the precision of the less precise of them (Appendix B,
    "Equivalent"); quantities of different units are compared in the more granular one.
    """
    if left.value is None or right.value is None:
        return left == right
    first, second = _definite(left, right), _definite(right, left)
    order = compare_quantities(context, first, second)
    if order is None or order == 0:
        return order == 0
    common = _common(context, first, second)
    return common is not None and equivalent_decimals(common[0], common[1])


def equivalent_decimals(left: Decimal, right: Decimal) -> bool:
    """True when the values agree at the precision of the less precise; trailing zeroes do not count as precision."""
    places = min(_places(left), _places(right))
    step = Decimal(1).scaleb(-places)
    return _half_up(left, step) == _half_up(right, step)


# ---------------------------------------------------------------------------------------------------- arithmetic


def add_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The sum in the more granular unit; None for different dimensions, units that are not valid, overflow."""
    return _on_common_unit(context, left, right, EXACT.add)


def subtract_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The difference in the more granular unit; None as for :func:`add_quantities`."""
    return _on_common_unit(context, left, right, EXACT.subtract)


def multiply_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The product with the product of the units; a calendar word lasts only beside the unit ``1``.

    Years and months times another unit are None: no definite unit stands for them.
    """
    if left.value is None or right.value is None:
        return None
    value = in_decimal_range(EXACT.multiply(left.value, right.value))
    unit = _product_unit(context, left.unit, right.unit)
    return None if value is None or unit is None else Quantity(value, unit)


def divide_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient with the quotient of the units; None for division by zero and as for products."""
    if left.value is None or right.value is None or right.value == 0:
        return None
    if left.unit in _MONTHS and right.unit in _MONTHS:
        value = _quotient(_in_months(left.value, left.unit), _in_months(right.value, right.unit))
        return None if value is None else Quantity(value, UNITY)
    value = _quotient(left.value, right.value)
    unit = _quotient_unit(context, left.unit, right.unit)
    return None if value is None or unit is None else Quantity(value, unit)


def modulo_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The remainder, in the more granular unit or, by a bare number, in the unit of ``left``."""
    return _division(context, left, right, remainder)


def truncated_divide_quantities(context: Context, left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient cut to a whole number, with the unit as for :func:`modulo_quantities`."""
    return _division(context, left, right, whole_quotient)


def negate_quantity(quantity: Quantity) -> Quantity:
    """The quantity with the opposite sign and the same unit."""
    return quantity if quantity.value is None else Quantity(EXACT.minus(quantity.value), quantity.unit)


def absolute_quantity(quantity: Quantity) -> Quantity:
    """The quantity without its sign, with the same unit."""
    return quantity if quantity.value is None else Quantity(quantity.value.copy_abs(), quantity.unit)


def convert_quantity(context: Context, quantity: Quantity, unit: str) -> Quantity | None:
    """The same quantity in ``unit``; None when no conversion exists or a unit is not valid (``ConvertQuantity``)."""
    target = unit or UNITY
    if quantity.value is None:
        return None
    value = _convert(context, quantity.value, quantity.unit or UNITY, target)
    value = None if value is None else in_decimal_range(value)
    return None if value is None else Quantity(value, target)


# ------------------------------------------------------------------------------------------- decimals of arithmetic


def in_decimal_range(value: Decimal) -> Decimal | None:
    """The value, or None when a CQL Decimal cannot represent it (Appendix B, "Decimal")."""
    return value if DECIMAL_MIN <= value <= DECIMAL_MAX else None


def whole_quotient(left: Decimal, right: Decimal) -> Decimal | None:
    """``left / right`` cut towards zero; None when out of range. ``right`` is not zero."""
    numerator, denominator = _whole_pair(left, right)
    quotient = abs(numerator) // abs(denominator)
    return in_decimal_range(Decimal(quotient if (numerator < 0) == (denominator < 0) else -quotient))


def remainder(left: Decimal, right: Decimal) -> Decimal | None:
    """What is left of ``left`` after whole divisions by ``right``, with the sign of ``left``. ``right`` is not zero."""
    numerator, denominator = _whole_pair(left, right)
    rest = abs(numerator) % abs(denominator)
    exponent = min(_exponent(left), _exponent(right))
    return EXACT.scaleb(Decimal(rest if left >= 0 else -rest), exponent)


def _whole_pair(left: Decimal, right: Decimal) -> tuple[int, int]:
    """Both values as integers on the finer of their scales."""
    exponent = min(_exponent(left), _exponent(right))
    return int(left.scaleb(-exponent, EXACT)), int(right.scaleb(-exponent, EXACT))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _quotient(left: Decimal, right: Decimal) -> Decimal | None:
    return in_decimal_range(EXACT.divide(left, right))


def _places(value: Decimal) -> int:
    exponent = value.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _half_up(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, rounding=decimal.ROUND_HALF_UP, context=EXACT)


# ----------------------------------------------------------------------------------------------------------- units


def _sign(left: Decimal, right: Decimal) -> int:
    return (left > right) - (left < right)


def _ucum(unit: str) -> str:
    return _FIXED.get(unit, unit or UNITY)


def _in_months(value: Decimal, unit: str) -> Decimal:
    return EXACT.multiply(value, Decimal(_MONTHS[unit]))


def _comparable(left: str, right: str) -> bool:
    """False where the calendar forbids what UCUM could compute."""
    if left in _MONTHS or right in _MONTHS:
        return left in _MONTHS and right in _MONTHS
    mixed = (left in _FIXED) != (right in _FIXED)
    return not (mixed and (left in _DEFINITE_ABOVE_WEEKS or right in _DEFINITE_ABOVE_WEEKS))


def _definite(quantity: Quantity, other: Quantity) -> Quantity:
    """For equivalence: a calendar quantity as the definite unit that meets ``other``."""
    if quantity.value is None or not is_calendar(quantity.unit):
        return quantity
    if quantity.unit in _FIXED:
        return Quantity(quantity.value, _FIXED[quantity.unit])
    if other.unit in _MONTHS or other.unit in _DEFINITE_ABOVE_WEEKS:
        return Quantity(quantity.value, _EQUIVALENT[quantity.unit])
    return Quantity(EXACT.multiply(quantity.value, Decimal(_EQUIVALENT_DAYS[quantity.unit])), "d")


def _compare(context: Context, left: Decimal, left_unit: str, right: Decimal, right_unit: str) -> int | None:
    try:
        return context.units.compare(left, left_unit, right, right_unit)
    except ValueError:
        return None  # a unit that is no UCUM: null by the specification


def _convert(context: Context, value: Decimal, source: str, target: str) -> Decimal | None:
    if source in _MONTHS and target in _MONTHS:
        months = _in_months(value, source)
        return months if _MONTHS[target] == 1 else EXACT.divide(months, Decimal(_MONTHS[target]))
    if not _comparable(source, target):
        return None
    try:
        return context.units.convert(value, _ucum(source), _ucum(target))
    except ValueError:
        return None  # a unit that is no UCUM: null by the specification


def _common(context: Context, left: Quantity, right: Quantity) -> tuple[Decimal, Decimal, str] | None:
    """Both values in the more granular of the two units (the left's when they are alike); None when there is none."""
    if left.value is None or right.value is None:
        return None
    source, target = left.unit or UNITY, right.unit or UNITY
    one = Decimal(1)
    order = compare_quantities(context, Quantity(one, source), Quantity(one, target))
    if order is None:
        return None
    if order <= 0:
        converted = right.value if order == 0 else _convert(context, right.value, target, source)
        return None if converted is None else (left.value, converted, source)
    converted = _convert(context, left.value, source, target)
    return None if converted is None else (converted, right.value, target)


def _on_common_unit(
    context: Context, left: Quantity, right: Quantity, compute: Callable[[Decimal, Decimal], Decimal]
) -> Quantity | None:
    common = _common(context, left, right)
    if common is None:
        return None
    value = in_decimal_range(compute(common[0], common[1]))
    return None if value is None else Quantity(value, common[2])


def _division(
    context: Context, left: Quantity, right: Quantity, compute: Callable[[Decimal, Decimal], Decimal | None]
) -> Quantity | None:
    if left.value is None or right.value is None or right.value == 0:
        return None
    if (right.unit or UNITY) == UNITY:
        if not valid_unit(context, left.unit):
            return None
        common: tuple[Decimal, Decimal, str] | None = left.value, right.value, left.unit
    else:
        common = _common(context, left, right)
    if common is None:
        return None
    value = compute(common[0], common[1])
    return None if value is None else Quantity(value, common[2])


def _product_unit(context: Context, left: str, right: str) -> str | None:
    first, second = left or UNITY, right or UNITY
    if UNITY in (first, second):
        unit = second if first == UNITY else first
        return unit if valid_unit(context, unit) else None
    if first in _MONTHS or second in _MONTHS:
        return None
    try:
        return context.units.multiply(_ucum(first), _ucum(second))
    except ValueError:
        return None  # a unit that is no UCUM: null by the specification


def _quotient_unit(context: Context, left: str, right: str) -> str | None:
    first, second = left or UNITY, right or UNITY
    if second == UNITY:
        return first if valid_unit(context, first) else None
    if first in _MONTHS or second in _MONTHS:
        return None
    try:
        return context.units.divide(_ucum(first), _ucum(second))
    except ValueError:
        return None  # a unit that is no UCUM: null by the specification
