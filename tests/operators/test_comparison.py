"""Order of values: rows of the official CqlComparisonOperatorsTest and of the readings taken."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.comparison import compare, sort_values
from engine.language.types.datatype import system
from engine.language.values import Date, DateTime, Long, Quantity, Time, Uncertainty
from engine.terminology.units import Units

D = Decimal
CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
HOLDS = {
    "Less": lambda order: order < 0,
    "LessOrEqual": lambda order: order <= 0,
    "Greater": lambda order: order > 0,
    "GreaterOrEqual": lambda order: order >= 0,
}


def cm(text):
    return Quantity(D(text), "cm")


def utc(text):
    return DateTime.parse(text).with_offset(0)


@pytest.mark.parametrize(
    ("point", "left", "right", "order"),
    (
        ("Integer", 0, 0, 0),
        ("Integer", 0, 1, -1),
        ("Integer", 0, -1, 1),
        ("Long", Long(-30), Long(-20), -1),
        ("Decimal", D("1.0"), D("1.00"), 0),
        ("Decimal", D("1.0"), D(2), -1),
        ("String", "a", "aa", -1),
        ("String", "Jack", "Jill", -1),
        ("String", "Wolf", "aardvark", -1),
        ("Quantity", cm("0"), cm("-1"), 1),
        ("Quantity", Quantity(D(1), "m"), cm("10"), 1),
        ("Quantity", Quantity(D("3.5"), "cm2"), cm("3.5"), None),
        ("Quantity", Quantity(D(1), "month"), Quantity(D(30), "days"), None),
        ("Date", Date(2012), Date(2012, 5), None),
        ("Date", Date(2012, 2, 12), Date(2012, 2, 10), 1),
        ("DateTime", utc("2014"), utc("2014-02-15"), None),
        ("DateTime", utc("2015"), utc("2014-02-15"), 1),
        ("DateTime", DateTime.parse("2020-01-01T10:00:00.000+02:00"), utc("2020-01-01T08:00:00.000"), 0),
        ("DateTime", utc("2012-01-01"), utc("2012-01-01T12"), None),
        ("Time", Time(10, 0, 0, 1), Time(10, 0, 0, 0), 1),
        ("Time", Time(10, 0, 0), Time(10, 0, 0, 1), -1),
    ),
)
def test_order(point, left, right, order):
    """Each of the four operators answers as the order of the operands says; null where that is not known."""
    for name, holds in HOLDS.items():
        overload = TABLE.exact(name, (system(point), system(point)))
        arguments = [CONTEXT, left, right] if overload.context else [left, right]
        assert overload.function(*arguments) is (None if order is None else holds(order)), name


@pytest.mark.parametrize(
    ("left", "right", "precision", "order"),
    (
        (1, D("1.5"), None, -1),
        (Long(5), 5, None, 0),
        (None, 1, None, None),
        (Uncertainty(1, 3), 4, None, -1),
        (Uncertainty(1, 4), 4, None, None),
        (5, Uncertainty(1, 4), None, 1),
        (Uncertainty(4, 4), 4, None, 0),
        (utc("2012-01-01T10"), utc("2012-01-01T23:00"), "day", 0),
        # milliseconds that are missing are unknown for points and elements
        (Time(12, 0, 0), Time(12, 0, 0, 1), None, None),
        (Time(12, 0, 1), Time(12, 0, 0, 1), None, 1),
    ),
)
def test_compare(left, right, precision, order):
    assert compare(CONTEXT, left, right, precision) == order


@pytest.mark.parametrize(("left", "right"), ((1, "1"), (True, False), ([1], [2]), (Date(2012), 5)))
def test_values_without_order_are_an_error(left, right):
    with pytest.raises(EvaluationError, match="no common order"):
        compare(CONTEXT, left, right)


@pytest.mark.parametrize(
    ("values", "ascending"),
    (
        ([4, 5, None, 1, 6, 2, 1], [None, 1, 1, 2, 4, 5, 6]),
        (["back", "Wolf", "alligator"], ["Wolf", "alligator", "back"]),
        ([cm("250"), Quantity(D(1), "m"), None], [None, Quantity(D(1), "m"), cm("250")]),
        (
            [utc("2012-10-05T10"), utc("2012-01-01"), utc("2012-01-01T12"), utc("2012-10-05")],
            [utc("2012-01-01"), utc("2012-01-01T12"), utc("2012-10-05"), utc("2012-10-05T10")],
        ),
    ),
)
def test_sorting(values, ascending):
    """Nulls come first; of dates that agree the less precise one; descending is the reverse."""
    assert sort_values(CONTEXT, values) == ascending
    assert sort_values(CONTEXT, values, descending=True) == ascending[::-1]


def test_quantities_without_common_measure_are_not_sorted():
    with pytest.raises(EvaluationError, match="cannot be sorted"):
        sort_values(CONTEXT, [cm("1"), Quantity(D(1), "g")])
