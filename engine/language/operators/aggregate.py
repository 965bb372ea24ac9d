"""Aggregate functions (CQL 1.5.3, Appendix B, "Aggregate Functions").

Nulls in a list are ignored. A list without values, and a null list, make null; but Count makes 0, AllTrue true and
AnyTrue false. A result out of the range of its type is null; what lies between is computed without that range, so that
the order of the elements never matters.

Sums, means and variances are exact: they are computed over integers on the finest scale of the elements, and only a
quotient that does not end is cut, at the digits of the decimal context. A standard deviation that is not exact has the
step of the Decimal type, eight places, as the examples of the reference do; a geometric mean has the digits of Power,
by which the reference defines it.

Quantities are brought to the most granular of their units, as Add does; quantities of different dimensions make null.
Variance and Product have the unit of the elements, as the examples of the reference have (``Product({ 1.0 'mg', 2.0
'mg' }) // 2.0 'mg'``).
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Hashable
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from engine.errors import LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.operators.arithmetic import transcendental
from engine.language.operators.comparison import NUMBERS, TEMPORALS, compare
from engine.language.operators.equality import equal, keys
from engine.language.operators.quantities import (
    compare_quantities,
    convert_quantity,
    in_decimal_range,
    valid_unit,
)
from engine.language.operators.registry import operator
from engine.language.values.clinical import Quantity
from engine.language.values.numbers import (
    DECIMAL_STEP,
    EXACT,
    INTEGER_MAX,
    INTEGER_MIN,
    LONG_MAX,
    LONG_MIN,
    Long,
)

_WIDE: Final = decimal.Context(
    prec=EXACT.prec, rounding=decimal.ROUND_HALF_EVEN, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]
)
"""For products of many factors: the digits of the decimal context, but no bound on the way."""

_SQUARES: Final = decimal.Context(prec=2 * EXACT.prec, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
"""For the square of any number of the decimal context, exactly."""

_ORDERED: Final = NUMBERS | TEMPORALS | {str, Quantity}


# -- truth and counting -----------------------------------------------------------------------------------------------


@operator("AllTrue(List<Boolean>) Boolean", reference="alltrue", nulls="own")
def all_true(source: list[bool | None] | None) -> bool:
    """True unless an element is false: nulls do not count, and nothing false is in an empty or null list."""
    return False not in (source or ())


@operator("AnyTrue(List<Boolean>) Boolean", reference="anytrue", nulls="own")
def any_true(source: list[bool | None] | None) -> bool:
    """True when an element is true: nulls do not count, and nothing true is in an empty or null list."""
    return True in (source or ())


@operator("Count(List<T>) Integer", reference="count", nulls="own")
def count(source: list[Any] | None) -> int:
    """The number of elements that are not null; 0 for null."""
    return sum(element is not None for element in source or ())


# -- sum and product --------------------------------------------------------------------------------------------------


@operator("Sum(List<Integer>) Integer", reference="sum")
def sum_integer(source: list[int | None]) -> int | None:
    """The sum; null when it overflows."""
    values = _values(source)
    return _integer(sum(values)) if values else None


@operator("Sum(List<Long>) Long", reference="sum")
def sum_long(source: list[Long | None]) -> Long | None:
    """The sum; null when it overflows."""
    values = _values(source)
    return _long(sum(values)) if values else None


@operator("Sum(List<Decimal>) Decimal", reference="sum")
def sum_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The sum; null when it overflows."""
    return _decimal_sum(_values(source))


@operator("Sum(List<Quantity>) Quantity", reference="sum", context=True)
def sum_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The sum in the most granular unit; null when it overflows and for different dimensions."""
    return _over_quantities(context, source, _decimal_sum)


@operator("Product(List<Integer>) Integer", reference="product")
def product_integer(source: list[int | None]) -> int | None:
    """The product; null when it overflows."""
    values = _values(source)
    return _integer(_whole_product(values)) if values else None


@operator("Product(List<Long>) Long", reference="product")
def product_long(source: list[Long | None]) -> Long | None:
    """The product; null when it overflows."""
    values = _values(source)
    return _long(_whole_product(values)) if values else None


@operator("Product(List<Decimal>) Decimal", reference="product")
def product_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The product; null when it overflows."""
    return _decimal_product(_values(source))


@operator("Product(List<Quantity>) Quantity", reference="product", context=True)
def product_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The product of the values, in the most granular unit of the elements; null when it overflows."""
    return _over_quantities(context, source, _decimal_product)


# -- least and greatest -----------------------------------------------------------------------------------------------


@operator("Max(List<Integer>) Integer", reference="max")
@operator("Max(List<Long>) Long", reference="max")
@operator("Max(List<Decimal>) Decimal", reference="max")
@operator("Max(List<String>) String", reference="max")
def maximum(source: list[Any]) -> Any:
    """The greatest element."""
    return max(_values(source), default=None)


@operator("Max(List<Date>) Date", reference="max", context=True)
@operator("Max(List<DateTime>) DateTime", reference="max", context=True)
@operator("Max(List<Time>) Time", reference="max", context=True)
@operator("Max(List<Quantity>) Quantity", reference="max", context=True)
def maximum_compared(context: Context, source: list[Any]) -> Any:
    """The greatest element; null when precision or unit leave open which one that is."""
    return _extreme(context, source, 1)


@operator("Min(List<Integer>) Integer", reference="min")
@operator("Min(List<Long>) Long", reference="min")
@operator("Min(List<Decimal>) Decimal", reference="min")
@operator("Min(List<String>) String", reference="min")
def minimum(source: list[Any]) -> Any:
    """The least element."""
    return min(_values(source), default=None)


@operator("Min(List<Date>) Date", reference="min", context=True)
@operator("Min(List<DateTime>) DateTime", reference="min", context=True)
@operator("Min(List<Time>) Time", reference="min", context=True)
@operator("Min(List<Quantity>) Quantity", reference="min", context=True)
def minimum_compared(context: Context, source: list[Any]) -> Any:
    """The least element; null when precision or unit leave open which one that is."""
    return _extreme(context, source, -1)


def _extreme(context: Context, source: list[Any], wanted: int) -> Any:
    """The element that no other exceeds in the direction ``wanted``; null when a comparison that matters is open."""
    values = _values(source)
    if not values:
        return None
    best = reduce(lambda found, value: value if compare(context, value, found) == wanted else found, values)
    # A second look: an element that could not be compared on the way may still exceed the one found.
    return best if all(compare(context, best, value) in (0, wanted) for value in values) else None


# -- middle and mode --------------------------------------------------------------------------------------------------


@operator("Avg(List<Decimal>) Decimal", reference="avg")
def average_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The arithmetic mean."""
    return _decimal_mean(_values(source))


@operator("Avg(List<Quantity>) Quantity", reference="avg", context=True)
def average_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The arithmetic mean in the most granular unit; null for different dimensions."""
    return _over_quantities(context, source, _decimal_mean)


@operator("Median(List<Decimal>) Decimal", reference="median")
def median_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The middle element, of an even number the mean of the middle two."""
    return _decimal_median(_values(source))


@operator("Median(List<Quantity>) Quantity", reference="median", context=True)
def median_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The middle element, of an even number the mean of the middle two, in the most granular unit."""
    return _over_quantities(context, source, _decimal_median)


@operator("GeometricMean(List<Decimal>) Decimal", reference="geometricmean")
def geometric_mean(source: list[Decimal | None]) -> Decimal | None:
    """The Nth root of the product of the N elements; null where the product is negative, which has no such power."""
    values = _values(source)
    product = reduce(_WIDE.multiply, values, Decimal(1))
    if not values or product < 0:
        return None
    if product == 0:
        return Decimal("0.0")
    root = _WIDE.exp(_WIDE.divide(_WIDE.ln(product), Decimal(len(values))))
    return transcendental(root)


@operator("Mode(List<T>) T", reference="mode", context=True)
def mode(context: Context, source: list[Any]) -> Any:
    """The most frequent element; of several the least, and the first where they have no order."""
    frequencies = _frequencies(context, _values(source))
    most = max((times for _, times in frequencies), default=0)
    best = [value for value, times in frequencies if times == most]
    if len(best) > 1 and all(type(value) in _ORDERED for value in best):
        return reduce(lambda found, value: value if compare(context, value, found) == -1 else found, best)
    return best[0] if best else None


def _frequencies(context: Context, values: list[Any]) -> list[tuple[Any, int]]:
    """Each different value with how often it occurs, in the order of first appearance."""
    keyed: dict[Hashable, list[Any]] = {}
    unkeyed: list[list[Any]] = []
    comparisons = 0
    for value, key in zip(values, keys(context, values)[0], strict=True):
        if key is not None:
            keyed.setdefault(key, [value, 0])[1] += 1
            continue
        comparisons += len(unkeyed)
        if comparisons > context.limits.rows:
            raise LimitExceeded(f"Mode compares more than {context.limits.rows} pairs; shorten its list")
        group = next((group for group in unkeyed if equal(context, group[0], value)), None)
        if group is None:
            unkeyed.append([value, 1])
        else:
            group[1] += 1
    return [(value, times) for value, times in (*keyed.values(), *unkeyed)]


# -- spread -----------------------------------------------------------------------------------------------------------


@operator("Variance(List<Decimal>) Decimal", reference="variance")
def variance_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The variance of a sample (divided by N - 1); null for a single element."""
    return _sample_variance(_values(source))


@operator("Variance(List<Quantity>) Quantity", reference="variance", context=True)
def variance_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The variance of a sample (divided by N - 1), with the unit of the elements."""
    return _over_quantities(context, source, _sample_variance)


@operator("PopulationVariance(List<Decimal>) Decimal", reference="population-variance")
def population_variance_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The variance of a population (divided by N)."""
    return _population_variance(_values(source))


@operator("PopulationVariance(List<Quantity>) Quantity", reference="population-variance", context=True)
def population_variance_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The variance of a population (divided by N), with the unit of the elements."""
    return _over_quantities(context, source, _population_variance)


@operator("StdDev(List<Decimal>) Decimal", reference="stddev")
def standard_deviation_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The square root of the variance of a sample."""
    return _root(_sample_variance(_values(source)))


@operator("StdDev(List<Quantity>) Quantity", reference="stddev", context=True)
def standard_deviation_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The square root of the variance of a sample."""
    return _over_quantities(context, source, lambda values: _root(_sample_variance(values)))


@operator("PopulationStdDev(List<Decimal>) Decimal", reference="population-stddev")
def population_standard_deviation_decimal(source: list[Decimal | None]) -> Decimal | None:
    """The square root of the variance of a population."""
    return _root(_population_variance(_values(source)))


@operator("PopulationStdDev(List<Quantity>) Quantity", reference="population-stddev", context=True)
def population_standard_deviation_quantity(context: Context, source: list[Quantity | None]) -> Quantity | None:
    """The square root of the variance of a population."""
    return _over_quantities(context, source, lambda values: _root(_population_variance(values)))


# -- exact computing --------------------------------------------------------------------------------------------------


def _values(source: list[Any]) -> list[Any]:
    """The elements that are not null."""
    return [element for element in source if element is not None]


def _integer(value: int) -> int | None:
    return value if INTEGER_MIN <= value <= INTEGER_MAX else None


def _long(value: int) -> Long | None:
    return Long(value) if LONG_MIN <= value <= LONG_MAX else None


def _whole_product(values: list[int]) -> int:
    """The product, or a number out of every range as soon as it is certain to be."""
    if 0 in values:
        return 0
    product = 1
    for value in values:
        product *= value
        if abs(product) > -LONG_MIN:
            break
    return product


def _scaled(values: list[Decimal]) -> tuple[list[int], int]:
    """The values as integers and the power of ten they count in, the finest of any."""
    exponents = [value.as_tuple().exponent for value in values]
    finest = min((exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return [int(_WIDE.scaleb(value, -finest)) for value in values], finest


def _ratio(numerator: int, denominator: int, power: int) -> Decimal | None:
    """``numerator / denominator * 10 ** power``; null out of range."""
    return in_decimal_range(EXACT.scaleb(EXACT.divide(Decimal(numerator), Decimal(denominator)), power))


def _decimal_sum(values: list[Decimal]) -> Decimal | None:
    numbers, power = _scaled(values)
    return in_decimal_range(EXACT.scaleb(Decimal(sum(numbers)), power)) if numbers else None


def _decimal_product(values: list[Decimal]) -> Decimal | None:
    product = in_decimal_range(reduce(_WIDE.multiply, values, Decimal(1)))
    return EXACT.plus(product) if values and product is not None else None


def _decimal_mean(values: list[Decimal]) -> Decimal | None:
    numbers, power = _scaled(values)
    return _ratio(sum(numbers), len(numbers), power) if numbers else None


def _decimal_median(values: list[Decimal]) -> Decimal | None:
    middle, odd = divmod(len(values), 2)
    ordered = sorted(values)
    if odd:
        return ordered[middle]
    return _decimal_mean(ordered[middle - 1 : middle + 1])


def _sample_variance(values: list[Decimal]) -> Decimal | None:
    return _variance(values, len(values) - 1)


def _population_variance(values: list[Decimal]) -> Decimal | None:
    return _variance(values, len(values))


def _variance(values: list[Decimal], divisor: int) -> Decimal | None:
    """The sum of the squared distances from the mean, ``(N * sum(x²) - sum(x)²) / N``, by the divisor."""
    if divisor < 1:
        return None
    numbers, power = _scaled(values)
    squares = len(numbers) * sum(number * number for number in numbers) - sum(numbers) ** 2
    return _ratio(squares, len(numbers) * divisor, 2 * power)


def _root(value: Decimal | None) -> Decimal | None:
    """The square root as it is when exact, else on the step of the Decimal type."""
    if value is None:
        return None
    root = EXACT.sqrt(value)
    return root if _SQUARES.multiply(root, root) == value else root.quantize(DECIMAL_STEP, context=_WIDE)


# -- quantities -------------------------------------------------------------------------------------------------------


def _over_quantities(
    context: Context, source: list[Quantity | None], compute: Callable[[list[Decimal]], Decimal | None]
) -> Quantity | None:
    """The function of the values in the most granular of their units; null when they have no common unit."""
    measured = [quantity for quantity in source if quantity is not None and quantity.value is not None]
    unit = _granular(context, {quantity.unit: None for quantity in measured})
    if unit is None:
        return None
    values: list[Decimal] = []
    for quantity in measured:
        converted = quantity if quantity.unit == unit else convert_quantity(context, quantity, unit)
        if converted is None or converted.value is None:
            return None
        values.append(converted.value)
    result = compute(values)
    return None if result is None else Quantity(result, unit)


def _granular(context: Context, units: dict[str, None]) -> str | None:
    """The most granular of the units; None when there is none, one is unknown, or two are of different dimensions."""
    if not all(valid_unit(context, unit) for unit in units):
        return None
    finest: str | None = None
    for unit in units:
        order = -1 if finest is None else compare_quantities(context, _one(unit), _one(finest))
        if order is None:
            return None
        finest = unit if order < 0 else finest
    return finest


def _one(unit: str) -> Quantity:
    return Quantity(Decimal(1), unit)
