"""Aggregate functions: cases of Appendix B, of the official CqlAggregateFunctionsTest, and of the readings taken."""

from decimal import Decimal

import pytest

from engine.errors import LimitExceeded
from engine.language.evaluation.context import Context, Limits
from engine.language.operators import TABLE
from engine.language.operators import aggregate as ag
from engine.language.types.datatype import ListType, system
from engine.language.values import Code, Date, DateTime, Long, Quantity, Time
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())


def decimals(*texts):
    return [None if text is None else Decimal(text) for text in texts]


def quantities(unit, *texts):
    return [Quantity(Decimal(text), unit) for text in texts]


def call(name, element, source):
    """The overload of an aggregate function for a list of the system type ``element``, called as the compiler does."""
    overload = TABLE.exact(name, (ListType(system(element)),))
    if source is None and overload.nulls == "propagate":
        return None
    return overload.function(CONTEXT, source) if overload.context else overload.function(source)


@pytest.mark.parametrize(
    ("source", "every", "some"),
    (
        ([True, True], True, True),
        ([True, False], False, True),
        ([False, False], False, False),
        ([None, True, True], True, True),
        ([None, False], False, False),
        ([None, None], True, False),
        ([], True, False),
        (None, True, False),
    ),
)
def test_all_true_and_any_true(source, every, some):
    """If the source is null, AllTrue is true and AnyTrue is false."""
    assert ag.all_true(source) is every
    assert ag.any_true(source) is some


@pytest.mark.parametrize(
    ("source", "answer"), (([15, 5, 99, None, 1], 4), ([None, None], 0), ([], 0), (None, 0), ([False, 0, ""], 3))
)
def test_count(source, answer):
    assert ag.count(source) == answer


WHOLE = [
    ("Sum", "Integer", [None, 1, None], 1),
    ("Sum", "Integer", [2**31 - 1, 1], None),
    ("Sum", "Integer", [2**31 - 1, 1, -1], 2**31 - 1),
    ("Sum", "Long", [Long(n) for n in (6, 2, 3, 4, 5)], Long(20)),
    ("Sum", "Long", [Long(2**63 - 1), Long(1)], None),
    ("Product", "Integer", [2, 3, 7], 42),
    ("Product", "Integer", [2**30, 2], None),
    ("Product", "Integer", [2**30] * 5 + [0], 0),
    ("Product", "Long", [Long(5), Long(4), Long(5)], Long(100)),
    ("Product", "Long", [Long(-(2**62)), Long(2)], Long(-(2**63))),
    ("Max", "Integer", [5, 12, None, 1, 90, 44], 90),
    ("Min", "Integer", [5, 12, None, 1, 0, 90, 44], 0),
    ("Max", "Long", [Long(5), Long(90)], Long(90)),
    ("Max", "String", ["hi", "bye", "zebra"], "zebra"),
    ("Min", "String", ["hi", "bye", "zebra"], "bye"),
    ("Max", "Decimal", decimals("1.5", "1.25"), Decimal("1.5")),
    ("Min", "Decimal", decimals("1.5", "1.25"), Decimal("1.25")),
]
FRACTIONS = [
    ("Sum", ("6.0", "2.0", "3.0", "4.0", "5.0"), "20.0"),
    ("Sum", ("0.1", "0.2"), "0.3"),
    ("Sum", ("99999999999999999999.99999999", "0.00000001"), None),
    ("Sum", ("99999999999999999999.99999999", "1", "-1"), "99999999999999999999.99999999"),
    ("Product", ("1.0", "2.0", "3.0", "4.0"), "24.0"),
    ("Product", ("10000000000", "10000000000", "10000000000", "0.00000001"), None),
    ("Product", ("100000000000", "100000000000", "0.00000001"), "100000000000000"),
    ("Avg", ("1.0", "2.0", "3.0", "6.0"), "3.0"),
    ("Avg", ("5.5", "4.7", "4.8"), "5.0"),
    ("Median", ("6.0", "5.0", "4.0", "3.0", "2.0", "1.0"), "3.5"),
    ("Median", ("2.0", "4.0", "8.0", "6.0"), "5.0"),
    ("Median", ("9", None, "1", "2"), "2"),
    ("Variance", ("1.0", "2.0", "3.0", "4.0", "5.0"), "2.5"),
    ("Variance", ("1.0",), None),
    ("PopulationVariance", ("1.0", "2.0", "3.0", "4.0", "5.0"), "2.0"),
    ("PopulationVariance", ("7.25",), "0"),
    ("StdDev", ("1.0", "2.0", "3.0", "4.0", "5.0"), "1.58113883"),
    ("StdDev", ("1.0",), None),
    ("StdDev", ("1.0", "2.0"), "0.70710678"),
    ("StdDev", ("0.00000001", "0.00000003"), "0.00000001"),
    ("StdDev", ("0", "0.000000002", "0.000000004"), "0.000000002"),
    ("PopulationStdDev", ("1.0", "2.0", "3.0", "4.0", "5.0"), "1.41421356"),
    ("PopulationStdDev", ("2", "4", "4", "4", "5", "5", "7", "9"), "2"),
    ("GeometricMean", ("2.0", "8.0"), "4.0"),
    ("GeometricMean", ("1", "2"), "1.414213562373095048801688724209698078569671875376948073176679738"),
    (
        "GeometricMean",
        ("0.00000001", "0.00000002"),
        "0.00000001414213562373095048801688724209698078569671875376948073176679738",
    ),
    ("GeometricMean", ("3", "3", "3"), "3"),
    ("GeometricMean", ("1.0", "0", "3"), "0"),
    ("GeometricMean", ("-2", "-8"), "4"),
    ("GeometricMean", ("-2", "2", "2"), None),
    ("GeometricMean", ("99999999999999999999", "99999999999999999999"), "99999999999999999999"),
]


@pytest.mark.parametrize(("name", "element", "source", "answer"), WHOLE)
def test_whole_numbers_and_order(name, element, source, answer):
    result = call(name, element, source)
    assert result == answer
    assert type(result) is type(answer)


@pytest.mark.parametrize(("name", "source", "answer"), FRACTIONS)
def test_decimals(name, source, answer):
    assert call(name, "Decimal", decimals(*source)) == (None if answer is None else Decimal(answer))


NUMERIC = ("Sum", "Product", "Avg", "Median", "Variance", "PopulationVariance", "StdDev", "PopulationStdDev")


@pytest.mark.parametrize("source", (None, [], [None, None, None]))
@pytest.mark.parametrize(
    ("name", "element"),
    (
        *((name, element) for name in NUMERIC for element in ("Decimal", "Quantity")),
        ("GeometricMean", "Decimal"),
        *((name, e) for name in ("Max", "Min") for e in ("Integer", "Date", "DateTime", "Time", "Quantity", "String")),
        *((name, element) for name in ("Sum", "Product") for element in ("Integer", "Long")),
    ),
)
def test_no_values_make_null(name, element, source):
    """If the source contains no non-null elements, or is null, the result is null."""
    assert call(name, element, source) is None


@pytest.mark.parametrize(
    ("name", "source", "answer"),
    (
        ("Sum", quantities("ml", "1", "2", "3", "4", "5"), ("15", "ml")),
        ("Sum", [*quantities("g", "1"), *quantities("mg", "500")], ("1500", "mg")),
        ("Sum", [*quantities("g", "1"), *quantities("cm", "5")], None),
        ("Sum", quantities("no unit", "1", "2"), None),
        ("Sum", [Quantity(None, "g"), Quantity(Decimal("2"), "g")], ("2", "g")),
        ("Sum", [*quantities("days", "1"), *quantities("hours", "12")], ("36", "hours")),
        ("Product", quantities("mg", "1.0", "2.0", "3.0", "4.0"), ("24.0", "mg")),
        ("Avg", quantities("cm", "5.5", "4.7", "4.8"), ("5.0", "cm")),
        ("Median", quantities("mg", "1.0", "2.0", "3.0"), ("2.0", "mg")),
        ("Variance", quantities("mg", "1", "2", "3", "4", "5"), ("2.5", "mg")),
        ("PopulationVariance", quantities("mg", "1", "2", "3", "4", "5"), ("2", "mg")),
        ("StdDev", quantities("mg", "1", "2", "3", "4", "5"), ("1.58113883", "mg")),
        ("PopulationStdDev", quantities("mg", "1", "2", "3", "4", "5"), ("1.41421356", "mg")),
        ("Max", [*quantities("g", "1"), *quantities("mg", "1500")], ("1500", "mg")),
        ("Min", [*quantities("g", "1"), *quantities("mg", "1500")], ("1", "g")),
        ("Max", [*quantities("g", "1"), *quantities("cm", "5")], None),
    ),
)
def test_quantities(name, source, answer):
    assert call(name, "Quantity", source) == (None if answer is None else Quantity(Decimal(answer[0]), answer[1]))


@pytest.mark.parametrize(
    ("name", "element", "source", "answer"),
    (
        (
            "Max",
            "DateTime",
            [DateTime(2012, 10, 5), DateTime(2012, 9, 5), DateTime(2012, 10, 6)],
            DateTime(2012, 10, 6),
        ),
        ("Min", "DateTime", [DateTime(2012, 10, 5), DateTime(2012, 9, 5), DateTime(2012, 10, 6)], DateTime(2012, 9, 5)),
        ("Max", "Time", [Time(15, 59, 59, 999), Time(5, 59, 59, 999), Time(20, 59, 59, 999)], Time(20, 59, 59, 999)),
        ("Min", "Time", [Time(15, 59, 59, 999), Time(5, 59, 59, 999), Time(20, 59, 59, 999)], Time(5, 59, 59, 999)),
        ("Max", "Date", [Date(2012, 12, 31), Date(2013, 1, 1), Date(2012, 1, 1)], Date(2013, 1, 1)),
        # @2012 may be before or after @2012-05: which is greatest is open, unless a third exceeds both
        ("Max", "Date", [Date(2012), Date(2012, 5)], None),
        ("Max", "Date", [Date(2012), Date(2012, 5), Date(2013)], Date(2013)),
        ("Max", "Date", [Date(2012, 5), Date(2013), Date(2012)], Date(2013)),
        ("Min", "Date", [Date(2012), Date(2012, 5), Date(2013)], None),
    ),
)
def test_dates_and_times(name, element, source, answer):
    assert call(name, element, source) == answer


A, B = Code("a", "http://s"), Code("b", "http://s")


@pytest.mark.parametrize(
    ("source", "answer"),
    (
        ([2, 1, 8, 2, 9, 1, 9, 9], 9),
        (decimals("2.0", "2.0", "8.0", "6.0", "8.0", "8.0"), Decimal("8.0")),
        (decimals("1.0", "1.00", "2"), Decimal("1.0")),
        (
            [DateTime(2012, 10, 5), DateTime(2012, 9, 5), DateTime(2012, 10, 6), DateTime(2012, 9, 5)],
            DateTime(2012, 9, 5),
        ),
        ([Time(15, 59), Time(5, 59), Time(20, 59), Time(5, 59)], Time(5, 59)),
        (quantities("mg", "1.0", "2.0", "3.0", "2.0"), Quantity(Decimal("2.0"), "mg")),
        ([*quantities("g", "2", "1"), *quantities("mg", "1000")], Quantity(Decimal("1"), "g")),
        ([2, 1, 2, 1], 1),
        ([B, A, A, B], B),
        ([None, None, "x"], "x"),
        ([None], None),
        ([], None),
    ),
)
def test_mode(source, answer):
    """The most frequent; of several the least, and the first where they have no order."""
    assert ag.mode(CONTEXT, source) == answer


def test_mode_over_many_pairs_meets_the_limit():
    small = Context(now=CONTEXT.now, units=CONTEXT.units, limits=Limits(rows=100))
    # Equality between these units is not transitive, so that no key stands for a quantity.
    source = [Quantity(Decimal(n), unit) for n in range(20) for unit in ("a", "day")]
    with pytest.raises(LimitExceeded, match="Mode"):
        ag.mode(small, source)


def test_the_order_of_elements_does_not_matter_for_overflow():
    for source in ([2**31 - 1, 5, -10], [5, -10, 2**31 - 1]):
        assert call("Sum", "Integer", source) == 2**31 - 6


def test_a_product_of_many_small_factors_stays_small():
    assert call("Product", "Decimal", [Decimal("0.00000001")] * 10_000) == 0
