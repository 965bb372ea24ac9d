"""Quantities with UCUM units and calendar words (CQL 1.5.3, Author's Guide "Quantities"; Appendix B "Equal")."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.evaluation.context import Context
from engine.language.operators.quantities import (
    absolute_quantity,
    add_quantities,
    compare_quantities,
    convert_quantity,
    divide_quantities,
    duration_precision,
    equal_quantities,
    equivalent_decimals,
    equivalent_quantities,
    modulo_quantities,
    multiply_quantities,
    negate_quantity,
    subtract_quantities,
    truncated_divide_quantities,
    valid_unit,
)
from engine.language.values import DateTime, Quantity
from engine.language.values.numbers import DECIMAL_MAX
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2026, 1, 1, 0, 0, 0, 0, 0), units=Units())


def q(text):
    value, _, unit = text.partition(" ")
    return Quantity(Decimal(value), unit or "1")


# -- "units of 'cm' and 'm' are comparable, but units of 'cm2' and 'cm' are not"; "Attempting to operate on quantities
# -- with invalid units will result in a null"; "1 year is not equal (=) to 1 'a' …, but it is equivalent (~)"

COMPARISONS = [
    ("100 cm", "1 m", 0),
    ("101 cm", "1 m", 1),
    ("3.5 cm2", "3.5 cm", None),
    ("5 bogus", "5 bogus", None),
    ("5", "5 1", 0),
    ("1 {score}", "1", 0),
    ("1 year", "12 months", 0),
    ("11 months", "1 year", -1),
    ("1 week", "7 days", 0),
    ("1 day", "24 hours", 0),
    ("1 hour", "60 minutes", 0),
    ("1 minute", "60 seconds", 0),
    ("1 second", "1000 milliseconds", 0),
    ("1 week", "1 wk", 0),
    ("1 day", "1 d", 0),
    ("1 hour", "1 h", 0),
    ("1 minute", "1 min", 0),
    ("1 second", "1 s", 0),
    ("1 millisecond", "1 ms", 0),
    ("1 year", "1 a", None),
    ("1 month", "1 mo", None),
    ("2 years", "1 a", None),
    ("1 year", "365 days", None),
    ("1 month", "30 d", None),
    ("400 days", "1 a", None),
    ("366 d", "1 a", 1),
    ("1 year", "1 cm", None),
]


@pytest.mark.parametrize(("left", "right", "order"), COMPARISONS)
def test_order(left, right, order):
    assert compare_quantities(CONTEXT, q(left), q(right)) == order
    assert compare_quantities(CONTEXT, q(right), q(left)) == (None if order is None else -order)
    assert equal_quantities(CONTEXT, q(left), q(right)) is (None if order is None else order == 0)


# -- "1 year ~ 1 'a'", "1 year ~ 365 days", "1 month ~ 30 days"; "using decimal equivalent semantics for the value"

EQUIVALENCES = [
    ("100 cm", "1 m", True),
    ("1 year", "1 a", True),
    ("1 month", "1 mo", True),
    ("1 year", "12 months", True),
    ("1 year", "12 mo", True),
    ("1 year", "365 days", True),
    ("1 month", "30 days", True),
    ("1 month", "30 d", True),
    ("1 year", "366 days", False),
    ("1 week", "1 wk", True),
    ("1 year", "2 a", False),
    ("1.51 cm", "1.5 cm", True),
    ("1.56 cm", "1.5 cm", False),
    ("1.4 m", "100 cm", False),
    ("1 cm", "1 cm2", False),
    ("1 bogus", "1 bogus", False),
]


@pytest.mark.parametrize(("left", "right", "answer"), EQUIVALENCES)
def test_equivalence(left, right, answer):
    assert equivalent_quantities(CONTEXT, q(left), q(right)) is answer
    assert equivalent_quantities(CONTEXT, q(right), q(left)) is answer


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    (("1.0", "1", True), ("1.24", "1.2", True), ("1.25", "1.2", False), ("1.250", "1.25", True), ("100", "1E2", True)),
)
def test_equivalent_decimals(left, right, answer):
    """ "The comparison is done on values rounded to the precision of the least precise operand"."""
    assert equivalent_decimals(Decimal(left), Decimal(right)) is answer


# -- "The unit of the result will be the most granular unit of either input"


@pytest.mark.parametrize(
    ("left", "right", "total"),
    (
        ("1 m", "1 cm", "101 cm"),
        ("1 cm", "1 m", "101 cm"),
        ("-5.5 mg", "2 mg", "-3.5 mg"),
        ("1 year", "6 months", "18 months"),
        ("1 day", "12 hours", "36 hours"),
        ("3 days", "1 d", "4 days"),
        ("1", "2", "3 1"),
        ("1 cm", "1 cm2", None),
        ("1 year", "1 day", None),
        ("1 bogus", "1 bogus", None),
    ),
)
def test_sum(left, right, total):
    assert add_quantities(CONTEXT, q(left), q(right)) == (None if total is None else q(total))


def test_difference():
    assert subtract_quantities(CONTEXT, q("1 m"), q("1 cm")) == q("99 cm")
    assert subtract_quantities(CONTEXT, q("3.14 cm"), q("3.12 cm2")) is None


def test_sum_beyond_the_range_is_null():
    assert add_quantities(CONTEXT, Quantity(DECIMAL_MAX, "cm"), q("1 cm")) is None


# -- "12 'cm2' / 3 'cm': the result will have a unit of 'cm'"; "with the same units, … the default UCUM unit ('1')"


@pytest.mark.parametrize(
    ("operation", "left", "right", "result"),
    (
        (multiply_quantities, "12 cm", "3 cm", "36 cm2"),
        (multiply_quantities, "3 cm", "12 cm2", "36 cm3"),
        (multiply_quantities, "2", "3 days", "6 days"),
        (multiply_quantities, "2 mg", "3", "6 mg"),
        (multiply_quantities, "2 mg", "3 days", "6 d.mg"),
        (multiply_quantities, "2 mg", "3 years", None),
        (multiply_quantities, "2 bogus", "3", None),
        (multiply_quantities, "2 bogus", "3 cm", None),
        (divide_quantities, "12 cm2", "3 cm", "4 cm"),
        (divide_quantities, "-5.5 mg", "2.0 mg", "-2.75 1"),
        (divide_quantities, "10 g", "5", "2 g"),
        (divide_quantities, "2 years", "6 months", "4 1"),
        (divide_quantities, "6 days", "2", "3 days"),
        (divide_quantities, "6 mg", "2 days", "3 mg/d"),
        (divide_quantities, "6 mg", "2 years", None),
        (divide_quantities, "6 mg", "0 mg", None),
        (divide_quantities, "6 bogus", "2", None),
        (modulo_quantities, "3.5 cm", "3 cm", "0.5 cm"),
        (modulo_quantities, "1 m", "30 cm", "10 cm"),
        (modulo_quantities, "10 cm", "3", "1 cm"),
        (modulo_quantities, "10 g", "0.0 g", None),
        (modulo_quantities, "10 g", "3 cm", None),
        (modulo_quantities, "10 bogus", "3", None),
        (truncated_divide_quantities, "10.1 cm", "-3.1 cm", "-3 cm"),
        (truncated_divide_quantities, "4.14 m", "2.06 m", "2 m"),
        (truncated_divide_quantities, "10 g", "0 g", None),
    ),
)
def test_products_and_quotients(operation, left, right, result):
    assert operation(CONTEXT, q(left), q(right)) == (None if result is None else q(result))


def test_sign():
    assert negate_quantity(q("-3.3 mg")) == q("3.3 mg")
    assert absolute_quantity(q("-3.3 mg")) == q("3.3 mg")


# -- "unit conversion between variable length calendar durations … and definite-time durations … results in null"


@pytest.mark.parametrize(
    ("quantity", "unit", "result"),
    (
        ("5 mg", "g", "0.005 g"),
        ("2 years", "months", "24 months"),
        ("18 months", "years", "1.5 years"),
        ("2 weeks", "days", "14 days"),
        ("48 h", "days", "2 days"),
        ("1 year", "days", None),
        ("1 year", "a", None),
        ("5 mg", "cm", None),
        ("5 mg", "bogus", None),
        ("5", "", "5 1"),
    ),
)
def test_conversion(quantity, unit, result):
    assert convert_quantity(CONTEXT, q(quantity), unit) == (None if result is None else q(result))


def test_a_quantity_without_a_value_is_unknown():
    empty = Quantity(None, "mg")
    assert compare_quantities(CONTEXT, empty, q("1 mg")) is None
    assert add_quantities(CONTEXT, empty, q("1 mg")) is None
    assert multiply_quantities(CONTEXT, empty, q("1 mg")) is None
    assert divide_quantities(CONTEXT, empty, q("1 mg")) is None
    assert modulo_quantities(CONTEXT, empty, q("1 mg")) is None
    assert convert_quantity(CONTEXT, empty, "g") is None
    assert negate_quantity(empty) == empty
    assert absolute_quantity(empty) == empty
    assert equivalent_quantities(CONTEXT, empty, q("1 mg")) is False


@pytest.mark.parametrize(
    ("unit", "precision"),
    (("year", "year"), ("months", "month"), ("weeks", "week"), ("d", "day"), ("wk", "week"), ("ms", "millisecond"),
     ("min", "minute"), ("a", None), ("mo", None), ("mg", None), ("1", None)),
)  # fmt: skip
def test_precision_of_a_time_unit(unit, precision):
    assert duration_precision(unit) == precision


@pytest.mark.parametrize(("unit", "valid"), (("mg", True), ("years", True), ("", True), ("bogus", False)))
def test_valid_unit(unit, valid):
    assert valid_unit(CONTEXT, unit) is valid


values = st.decimals(-1000, 1000, places=3)
lengths = st.builds(Quantity, values, st.sampled_from(["mm", "cm", "m", "km"]))


@settings(max_examples=50)
@given(lengths, lengths, lengths)
def test_order_is_transitive_and_sums_keep_it(first, second, third):
    order = compare_quantities(CONTEXT, first, second)
    assert order == compare_quantities(CONTEXT, add_quantities(CONTEXT, first, third),
                                       add_quantities(CONTEXT, second, third))  # fmt: skip


@settings(max_examples=50)
@given(lengths, lengths)
def test_subtract_undoes_add(first, second):
    back = subtract_quantities(CONTEXT, add_quantities(CONTEXT, first, second), second)
    assert equal_quantities(CONTEXT, back, first) is True
    assert equivalent_quantities(CONTEXT, first, second) is equivalent_quantities(CONTEXT, second, first)
