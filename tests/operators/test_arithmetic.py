"""Arithmetic operators, called through the table (CQL 1.5.3, Appendix B "Arithmetic Operators")."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.language.operators.arithmetic  # noqa: F401  (fills the table)
from engine.language.evaluation.context import Context
from engine.language.operators.registry import TABLE
from engine.language.types.datatype import DATE, DATETIME, DECIMAL, INTEGER, LONG, QUANTITY, TIME
from engine.language.values import Date, DateTime, Long, Quantity, Time
from engine.language.values.extremes import maximum, minimum
from engine.language.values.numbers import DECIMAL_MAX, DECIMAL_MIN, INTEGER_MAX, INTEGER_MIN, LONG_MAX, LONG_MIN
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2026, 1, 1, 0, 0, 0, 0, 0), units=Units())
D = Decimal


def call(name, *operands):
    """The operator's answer, its overload found by the types of the operands; a null operand where it propagates."""
    types = tuple(datatype(operand) for operand in operands)
    overload = TABLE.exact(name, types)
    return overload.function(*([CONTEXT] if overload.context else []), *operands)


def datatype(value):
    kinds = {int: INTEGER, Long: LONG, Decimal: DECIMAL, Quantity: QUANTITY, Date: DATE, DateTime: DATETIME, Time: TIME}
    return kinds[type(value)]


def q(value, unit="1"):
    return Quantity(D(value), unit)


ANSWERS = [
    # Abs: "If the result … cannot be represented (e.g. Abs(minimum Integer)), the result is null"
    ("Abs", (-1,), 1),
    ("Abs", (INTEGER_MIN,), None),
    ("Abs", (Long(-5),), Long(5)),
    ("Abs", (Long(LONG_MIN),), None),
    ("Abs", (D("-5.5"),), D("5.5")),
    ("Abs", (q("-5.5", "mg"),), q("5.5", "mg")),
    # Negate: "the unit is unchanged"
    ("Negate", (1,), -1),
    ("Negate", (INTEGER_MIN,), None),
    ("Negate", (Long(1),), Long(-1)),
    ("Negate", (Long(LONG_MIN),), None),
    ("Negate", (D("0.0"),), D("0.0")),
    ("Negate", (D("-3.3"),), D("3.3")),
    ("Negate", (q("1", "cm"),), q("-1", "cm")),
    # Add: "If the result of the addition cannot be represented (i.e. arithmetic overflow), the result is null"
    ("Add", (1, 1), 2),
    ("Add", (INTEGER_MAX, 1), None),
    ("Add", (Long(1), Long(2)), Long(3)),
    ("Add", (Long(LONG_MAX), Long(1)), None),
    ("Add", (D("2.5"), D(5)), D("7.5")),
    ("Add", (DECIMAL_MAX, D("0.00000001")), None),
    ("Add", (D("0.1"), D("0.2")), D("0.3")),
    ("Add", (q("1", "g/cm3"), q("1", "g/cm3")), q("2", "g/cm3")),
    ("Subtract", (1, 2), -1),
    ("Subtract", (INTEGER_MIN, 1), None),
    ("Subtract", (Long(1), Long(1)), Long(0)),
    ("Subtract", (D("2"), D("1.1")), D("0.9")),
    ("Subtract", (DECIMAL_MIN, D(1)), None),
    ("Subtract", (q("1", "cm"), q("2", "cm")), q("-1", "cm")),
    ("Multiply", (65536, 65536), None),
    ("Multiply", (2, 3), 6),
    ("Multiply", (Long(2), Long(3)), Long(6)),
    ("Multiply", (Long(2**40), Long(2**40)), None),
    ("Multiply", (D("1.5"), D("2")), D("3.0")),
    ("Multiply", (D("12345678901.12345678"), D("123.12345678")),
     D("1520042662602.2318242965279684")),
    ("Multiply", (DECIMAL_MAX, D(2)), None),
    ("Multiply", (q("1.0", "cm"), q("2.0", "cm")), q("2.00", "cm2")),
    # Divide: "If the result of the division cannot be represented, or the right argument is 0, the result is null"
    ("Divide", (D(4), D(2)), D(2)),
    ("Divide", (D("9.9"), D("3.0")), D("3.3")),
    ("Divide", (D(1), D(0)), None),
    ("Divide", (D(0), D(0)), None),
    ("Divide", (DECIMAL_MAX, D("0.1")), None),
    ("Divide", (q(12, "cm2"), q(3, "cm")), q(4, "cm")),
    ("Divide", (q(10, "g"), q(0)), None),
    ("TruncatedDivide", (-10, 3), -3),
    ("TruncatedDivide", (10, -3), -3),
    ("TruncatedDivide", (2, 0), None),
    ("TruncatedDivide", (INTEGER_MIN, -1), None),
    ("TruncatedDivide", (Long(10), Long(3)), Long(3)),
    ("TruncatedDivide", (Long(10), Long(0)), None),
    ("TruncatedDivide", (Long(LONG_MIN), Long(-1)), None),
    ("TruncatedDivide", (D("10.1"), D("-3.1")), D("-3")),
    ("TruncatedDivide", (D("4.14"), D("2.06")), D(2)),
    ("TruncatedDivide", (D("10.1"), D("0.0")), None),
    ("TruncatedDivide", (q("10.1", "cm"), q("-3.1", "cm")), q("-3", "cm")),
    ("Modulo", (10, 3), 1),
    ("Modulo", (-10, 3), -1),
    ("Modulo", (0, 0), None),
    ("Modulo", (Long(4), Long(2)), Long(0)),
    ("Modulo", (Long(4), Long(0)), None),
    ("Modulo", (D("3.5"), D(3)), D("0.5")),
    ("Modulo", (D("-3.5"), D(3)), D("-0.5")),
    ("Modulo", (D("3.5"), D(0)), None),
    ("Modulo", (q("3.5", "cm"), q(3, "cm")), q("0.5", "cm")),
    ("Modulo", (q(10, "g"), q("0.0", "g")), None),
    # Ceiling, Floor, Truncate
    ("Ceiling", (D("1.1"),), 2),
    ("Ceiling", (D("-0.1"),), 0),
    ("Ceiling", (D("2147483647.2"),), None),
    ("Ceiling", (D("-2147483648.2"),), INTEGER_MIN),
    ("Floor", (D("-2.1"),), -3),
    ("Floor", (D("2147483647.2"),), INTEGER_MAX),
    ("Floor", (D("-2147483648.2"),), None),
    ("Truncate", (D("-1.9"),), -1),
    ("Truncate", (D("1.00000001"),), 1),
    ("Truncate", (D("2147483648"),), None),
    # Round: "a traditional round": halves away from zero
    ("Round", (D("0.5"),), D(1)),
    ("Round", (D("-0.5"),), D(-1)),
    ("Round", (D("-0.4"),), D(0)),
    ("Round", (D("2.5"),), D(3)),
    ("Round", (D("3.14159"), 2), D("3.14")),
    ("Round", (D("3.14159"), 20), D("3.14159")),
    ("Round", (D("1550"), -2), D("1600")),
    ("Round", (D("49"), -2), D(0)),
    ("Round", (D("50"), -2), D(100)),
    ("Round", (D("49"), -INTEGER_MAX), D(0)),
    ("Round", (DECIMAL_MAX,), None),
    # Power
    ("Power", (0, 0), 1),
    ("Power", (-2, 2), 4),
    ("Power", (2, -2), D("0.25")),
    ("Power", (0, -1), None),
    ("Power", (-1, -3), -1),
    ("Power", (2, 31), None),
    ("Power", (-2, 31), INTEGER_MIN),
    ("Power", (10, 1_000_000), None),
    ("Power", (10, INTEGER_MAX), None),
    ("Power", (-1, INTEGER_MAX), -1),
    ("Power", (Long(2), Long(3)), Long(8)),
    ("Power", (Long(2), Long(63)), None),
    ("Power", (Long(3), Long(LONG_MAX)), None),
    ("Power", (D("2.5"), D("2.0")), D("6.25")),
    ("Power", (D("2.0"), D("-2.0")), D("0.25")),
    ("Power", (D(4), D("0.5")), D(2)),
    ("Power", (D(-4), D("0.5")), None),
    ("Power", (D(0), D("-0.5")), None),
    ("Power", (D(0), D("0.5")), D(0)),
    ("Power", (D(10), D(1_000_000)), None),
    ("Power", (D(10), D(-1_000_000)), None),
    ("Power", (D("1.00000001"), DECIMAL_MAX), None),
    # Exp, Ln, Log: "If the result of the operation cannot be represented, the result is null"
    ("Exp", (D(0),), D(1)),
    ("Exp", (D(1000),), None),
    ("Exp", (DECIMAL_MAX,), None),
    ("Exp", (DECIMAL_MIN,), None),
    ("Ln", (D(1),), D(0)),
    ("Ln", (D(0),), None),
    ("Ln", (D(-1),), None),
    ("Log", (D(16), D(2)), D(4)),
    ("Log", (D("0.125"), D(2)), D(-3)),
    ("Log", (D(1), D(100)), D(0)),
    ("Log", (D(1000), D(10)), D(3)),
    ("Log", (D(1), D(1)), None),
    ("Log", (D(2), D(1)), None),
    ("Log", (D(0), D(2)), None),
    ("Log", (D(2), D(-2)), None),
    # Precision: "the number of digits of precision"
    ("Precision", (D("1.58700"),), 5),
    ("Precision", (D("1E+3"),), 0),
    ("Precision", (Date(2014),), 4),
    ("Precision", (DateTime(2014, 1, 5, 10, 30, 0, 0, 0),), 17),
    ("Precision", (Time(10, 30),), 4),
    ("Precision", (Time(10, 30, 0, 0),), 9),
    # boundaries: "the greatest possible value of the input to the specified precision"
    ("HighBoundary", (D("1.587"), 8), D("1.58799999")),
    ("HighBoundary", (D("1.587"), 2), D("1.58")),
    ("HighBoundary", (D("-1.587"), 8), D("-1.58700000")),
    ("HighBoundary", (D("1.587"), 9), None),
    ("HighBoundary", (D("1.587"), -1), None),
    ("HighBoundary", (Date(2014), 6), Date(2014, 12)),
    ("HighBoundary", (Date(2014), 17), None),
    ("HighBoundary", (Date(2014), 5), None),
    ("HighBoundary", (DateTime(2014, 1, 1, 8, offset_minutes=0), 17), DateTime(2014, 1, 1, 8, 59, 59, 999, 0)),
    ("HighBoundary", (Time(10, 30), 9), Time(10, 30, 59, 999)),
    ("LowBoundary", (D("1.587"), 8), D("1.58700000")),
    ("LowBoundary", (D("-1.587"), 8), D("-1.58799999")),
    ("LowBoundary", (Date(2014), 6), Date(2014, 1)),
    ("LowBoundary", (DateTime(2014, 1, 1, 8, offset_minutes=0), 17), DateTime(2014, 1, 1, 8, 0, 0, 0, 0)),
    ("LowBoundary", (Time(10, 30), 9), Time(10, 30, 0, 0)),
    # steps: "equivalent to subtracting the minimum precision value for the Decimal type, or 10^-08"
    ("Successor", (0,), 1),
    ("Successor", (INTEGER_MAX,), None),
    ("Successor", (Long(LONG_MAX),), None),
    ("Successor", (D("1.01"),), D("1.01000001")),
    ("Successor", (DECIMAL_MAX,), None),
    ("Successor", (q("1.0", "cm"),), q("1.00000001", "cm")),
    ("Successor", (q("1", "cm"),), q("2", "cm")),
    ("Successor", (Date(2014, 1, 1),), Date(2014, 1, 2)),
    ("Successor", (maximum("DateTime"),), None),
    ("Successor", (maximum("Time"),), None),
    ("Predecessor", (1,), 0),
    ("Predecessor", (INTEGER_MIN,), None),
    ("Predecessor", (Long(1),), Long(0)),
    ("Predecessor", (Long(LONG_MIN),), None),
    ("Predecessor", (D("1.0"),), D("0.99999999")),
    ("Predecessor", (DECIMAL_MIN,), None),
    ("Predecessor", (q("1.0", "cm"),), q("0.99999999", "cm")),
    ("Predecessor", (Date(2014, 1, 1),), Date(2013, 12, 31)),
    ("Predecessor", (minimum("DateTime"),), None),
    ("Predecessor", (minimum("Time"),), None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "answer"), ANSWERS)
def test_answers(name, operands, answer):
    result = call(name, *operands)
    assert result == answer
    assert type(result) is type(answer)


@pytest.mark.parametrize(
    ("name", "operands", "eight_places"),
    (
        ("Exp", (D(1),), "2.71828183"),
        ("Exp", (D(-1),), "0.36787944"),
        ("Ln", (D(1000),), "6.90775528"),
        ("Divide", (D(10), D(3)), "3.33333333"),
        ("Power", (D(2), D("0.5")), "1.41421356"),
        ("Log", (D(2), D(10)), "0.30103000"),
    ),
)
def test_irrational_results_are_right_to_eight_places(name, operands, eight_places):
    assert call("Round", call(name, *operands), 8) == D(eight_places)


def test_null_precision_is_the_finest_for_boundaries_and_zero_for_round():
    assert TABLE.exact("HighBoundary", (DECIMAL, INTEGER)).function(D("1.58888"), None) == D("1.58888999")
    assert TABLE.exact("LowBoundary", (DATE, INTEGER)).function(Date(2014), None) == Date(2014, 1, 1)
    assert TABLE.exact("LowBoundary", (DATE, INTEGER)).function(None, 6) is None
    assert TABLE.exact("HighBoundary", (DECIMAL, INTEGER)).function(None, 8) is None
    assert TABLE.exact("Round", (DECIMAL, INTEGER)).function(D("3.5"), None) == D(4)
    assert TABLE.exact("Round", (DECIMAL, INTEGER)).function(None, 2) is None


def test_extremes_of_the_types():
    """ "minimum returns the minimum representable value for the given type"."""
    assert (minimum("Integer"), maximum("Integer")) == (-2147483648, 2147483647)
    assert (minimum("Long"), maximum("Long")) == (-9223372036854775808, 9223372036854775807)
    assert type(minimum("Long")) is Long
    assert (minimum("Decimal"), maximum("Decimal")) == (DECIMAL_MIN, D("99999999999999999999.99999999"))
    assert (minimum("Quantity"), maximum("Quantity")) == (Quantity(DECIMAL_MIN, "1"), Quantity(DECIMAL_MAX, "1"))
    assert (str(minimum("Date")), str(maximum("Date"))) == ("0001-01-01", "9999-12-31")
    assert str(minimum("DateTime")) == "0001-01-01T00:00:00.000+00:00"
    assert str(maximum("DateTime")) == "9999-12-31T23:59:59.999+00:00"
    assert (str(minimum("Time")), str(maximum("Time"))) == ("00:00:00.000", "23:59:59.999")
    with pytest.raises(KeyError):
        minimum("Boolean")


def test_uncertainty_is_lifted_only_where_the_extremes_lie_at_the_ends():
    lifted = {"Add", "Subtract", "Multiply", "Negate", "Ceiling", "Floor", "Truncate", "Round", "Successor",
              "Predecessor"}  # fmt: skip
    for name in lifted:
        assert any(overload.uncertain == "arithmetic" for overload in TABLE.overloads(name))
    for name in ("Abs", "Divide", "TruncatedDivide", "Modulo", "Power"):
        assert all(overload.uncertain is None for overload in TABLE.overloads(name))


integers = st.integers(INTEGER_MIN, INTEGER_MAX)
decimals = st.decimals(DECIMAL_MIN, DECIMAL_MAX, places=8)


@settings(max_examples=100)
@given(integers, integers)
def test_division_of_integers_is_whole_part_and_rest(left, right):
    quotient, rest = call("TruncatedDivide", left, right), call("Modulo", left, right)
    if right == 0:
        assert (quotient, rest) == (None, None)
    elif quotient is not None:
        assert quotient * right + rest == left
        assert abs(rest) < abs(right)


@settings(max_examples=100)
@given(decimals, decimals)
def test_decimals_are_exact(left, right):
    for name, exact in (
        ("Add", Fraction(left) + Fraction(right)),
        ("Subtract", Fraction(left) - Fraction(right)),
        ("Multiply", Fraction(left) * Fraction(right)),
    ):
        result = call(name, left, right)
        assert result is None if abs(exact) > Fraction(DECIMAL_MAX) else Fraction(result) == exact


@settings(max_examples=100)
@given(decimals, decimals.filter(bool))
def test_division_of_decimals_is_whole_part_and_rest(left, right):
    quotient, rest = call("TruncatedDivide", left, right), call("Modulo", left, right)
    assert abs(rest) < abs(right)
    if quotient is None:
        assert abs(Fraction(left) / Fraction(right)) > Fraction(DECIMAL_MAX)
    else:
        assert Fraction(quotient) * Fraction(right) + Fraction(rest) == Fraction(left)


@settings(max_examples=50)
@given(st.decimals(-50, 50, places=2), st.integers(0, 11))
def test_whole_powers_are_exact(base, exponent):
    exact = Fraction(base) ** exponent
    result = call("Power", base, D(exponent))
    assert result is None if abs(exact) > Fraction(DECIMAL_MAX) else Fraction(result) == exact


@settings(max_examples=50)
@given(st.decimals("0.00000001", "1000000", places=8))
def test_exp_undoes_ln(value):
    back = call("Exp", call("Ln", value))
    assert call("Round", back, 8) == value


@settings(max_examples=100)
@given(st.one_of(integers, decimals, st.integers(LONG_MIN, LONG_MAX).map(Long)))
def test_predecessor_undoes_successor(value):
    following = call("Successor", value)
    if following is not None:
        assert following > value
        assert call("Predecessor", following) == value
