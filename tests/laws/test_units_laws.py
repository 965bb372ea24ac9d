"""Laws of units: conversion there and back, comparison as an order that agrees, products undone by quotients."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.terminology.units import Units

UNITS = Units()
KINDS = (
    ("kg", "g", "mg", "ug", "ng", "t", "[lb_av]", "[oz_av]", "u"),
    ("m", "cm", "mm", "[in_i]", "[ft_i]", "km", "[ft_us]"),
    ("g/L", "mg/dL", "ug/mL", "kg/m3", "pg/mL", "g%"),
    ("10*9/L", "/uL", "10*3/uL", "{cells}/mL", "10*6/L"),
    ("mmol/L", "umol/dL", "nmol/mL", "mosm/L"),
    ("meq/L", "eq/m3", "ueq/mL"),
    ("s", "min", "h", "d", "wk", "mo", "a"),
    ("K", "Cel", "[degF]", "[degRe]", "[degR]", "mCel"),
    ("mm[Hg]", "kPa", "bar", "cm[H2O]", "[psi]"),
    ("[IU]/L", "m[IU]/mL", "k[iU]/L"),
    ("1", "%", "{score}", "[ppm]", "10*-3"),
    ("B", "dB", "mB"),
    ("U/L", "kat/L", "umol/min/L"),
)
ALL = tuple(unit for kind in KINDS for unit in kind)

values = st.decimals(min_value=-(10**9), max_value=10**9, places=4)
units = st.sampled_from(ALL)
two_of_a_kind = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.sampled_from(kind), st.sampled_from(kind)))
three_of_a_kind = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(*[st.sampled_from(kind)] * 3))
quick = settings(max_examples=150)


def terminates(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def exact(value: Decimal, source: str, target: str) -> Fraction:
    """The value in the other unit, worked out through the base units."""
    zero, one = UNITS.base(Decimal(0), target)[0], UNITS.base(Decimal(1), target)[0]
    return (UNITS.base(value, source)[0] - zero) / (one - zero)


@quick
@given(values, two_of_a_kind)
def test_there_and_back_is_the_same_value(value: Decimal, pair: tuple[str, str]) -> None:
    source, target = pair
    there = UNITS.convert(value, source, target)
    assert there is not None
    back = UNITS.convert(there, target, source)
    assert back is not None
    if terminates(exact(value, source, target)):
        assert back == value
    else:
        assert abs(back - value) <= Decimal("1e-45")


@quick
@given(values, two_of_a_kind)
def test_a_conversion_is_exact_or_right_in_every_digit(value: Decimal, pair: tuple[str, str]) -> None:
    source, target = pair
    there, truth = UNITS.convert(value, source, target), exact(value, source, target)
    assert there is not None
    if terminates(truth):
        assert Fraction(there) == truth
    else:
        assert abs(Fraction(there) - truth) <= abs(truth) / 10**63
        assert len(there.as_tuple().digits) == 64


@quick
@given(values, values, two_of_a_kind)
def test_comparison_is_antisymmetric(left: Decimal, right: Decimal, pair: tuple[str, str]) -> None:
    one, other = pair
    forth, back = UNITS.compare(left, one, right, other), UNITS.compare(right, other, left, one)
    assert forth is not None
    assert back is not None
    assert forth == -back


@quick
@given(values, values, values, three_of_a_kind)
def test_comparison_is_transitive(a: Decimal, b: Decimal, c: Decimal, kind: tuple[str, str, str]) -> None:
    first, second, third = kind
    ab, bc, ac = (
        UNITS.compare(a, first, b, second),
        UNITS.compare(b, second, c, third),
        UNITS.compare(a, first, c, third),
    )
    assert ab is not None
    assert bc is not None
    if ab == bc or bc == 0:
        assert ac == ab


@quick
@given(
    values, two_of_a_kind, st.sampled_from([Decimal(0), Decimal("1e-60"), Decimal("-1e-60"), Decimal(1), Decimal(-7)])
)
def test_comparison_agrees_with_conversion(value: Decimal, pair: tuple[str, str], more: Decimal) -> None:
    source, target = pair
    truth = exact(value, source, target)
    if not terminates(truth):
        return
    there = UNITS.convert(value, source, target)
    assert there is not None
    other = there + more if more else there
    expected = (truth > Fraction(other)) - (truth < Fraction(other))
    assert UNITS.compare(value, source, other, target) == expected


@quick
@given(values, values, two_of_a_kind)
def test_equal_values_have_equal_bases(left: Decimal, right: Decimal, pair: tuple[str, str]) -> None:
    one, other = pair
    same = UNITS.base(left, one) == UNITS.base(right, other)
    assert same == (UNITS.compare(left, one, right, other) == 0)


@quick
@given(units, units)
def test_units_of_two_kinds_never_meet(one: str, other: str) -> None:
    kind = {unit: number for number, units_of_kind in enumerate(KINDS) for unit in units_of_kind}
    assert UNITS.commensurable(one, other) is (kind[one] == kind[other])
    assert (UNITS.convert(Decimal(1), one, other) is None) is (kind[one] != kind[other])
    assert (UNITS.compare(Decimal(1), one, Decimal(1), other) is None) is (kind[one] != kind[other])


@quick
@given(three_of_a_kind)
def test_factors_chain(kind: tuple[str, str, str]) -> None:
    first, second, third = kind
    one, other, whole = UNITS.factor(first, second), UNITS.factor(second, third), UNITS.factor(first, third)
    if one is not None and other is not None:
        assert whole == one * other
        assert UNITS.factor(second, first) == 1 / one


@quick
@given(units, units)
def test_division_undoes_multiplication(one: str, other: str) -> None:
    whole = UNITS.multiply(one, other)
    assert UNITS.factor(UNITS.divide(whole, other), UNITS.multiply(one, "1")) == 1
    assert UNITS.divide(other, other) == "1" or other == "1"


@quick
@given(units, units, units)
def test_multiplication_is_commutative_and_associative(a: str, b: str, c: str) -> None:
    assert UNITS.factor(UNITS.multiply(a, b), UNITS.multiply(b, a)) == 1
    left, right = UNITS.multiply(UNITS.multiply(a, b), c), UNITS.multiply(a, UNITS.multiply(b, c))
    assert UNITS.factor(left, right) == 1


@quick
@given(units, st.integers(min_value=-4, max_value=4), st.integers(min_value=-4, max_value=4))
def test_powers_add_up(unit: str, first: int, second: int) -> None:
    product = UNITS.multiply(UNITS.power(unit, first), UNITS.power(unit, second))
    assert UNITS.factor(product, UNITS.power(unit, first + second)) == 1


@quick
@given(units, units)
def test_what_comes_out_is_ucum(one: str, other: str) -> None:
    for text in (UNITS.multiply(one, other), UNITS.divide(one, other), UNITS.power(one, -2)):
        assert UNITS.valid(text)
        assert UNITS.multiply(UNITS.divide(text, "s2"), "s2") == UNITS.divide(UNITS.multiply(text, "s2"), "s2")


@settings(max_examples=300)
@given(st.text(alphabet="mgLkds10*^/.(){}[]IU+-% ", max_size=12))
def test_any_text_is_valid_or_refused_with_a_sentence(text: str) -> None:
    if UNITS.valid(text):
        assert UNITS.factor(text, text) == 1
        assert UNITS.factor(text, f"{text}.1") == 1
    else:
        assert not UNITS.valid(f"1.{text}")
