"""Laws of order and equality, with null as the third value."""

import itertools
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.comparison import compare, sort_compare, sort_values
from engine.language.operators.equality import equal, equivalent, keys
from engine.language.types.datatype import system
from engine.language.values import Date, DateTime, Interval, Long, Quantity, Time, Tuple
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())


@st.composite
def dates(draw):
    depth = draw(st.integers(1, 3))
    parts = (draw(st.integers(2011, 2013)), draw(st.integers(1, 3)), draw(st.integers(1, 28)))
    return Date(*parts[:depth])


@st.composite
def date_times(draw):
    depth = draw(st.integers(1, 7))
    parts = [draw(st.integers(low, high)) for low, high in ((2011, 2012), (1, 2), (1, 2), (0, 2), (0, 1), (0, 1))]
    parts.append(draw(st.integers(0, 1)))
    offset = draw(st.sampled_from((0, 60, -330)))
    return DateTime(*parts[:depth], *[None] * (7 - depth), offset)


@st.composite
def times(draw):
    depth = draw(st.integers(1, 4))
    return Time(*[draw(st.integers(0, 1)) for _ in range(depth)])


def decimals():
    return st.decimals(-2, 2, places=1) | st.integers(-2, 2).map(Decimal)


def quantities():
    return st.builds(Quantity, decimals(), st.sampled_from(("mg", "g", "cm", "months", "days")))


ORDERED = {
    "Integer": st.integers(-3, 3),
    "Long": st.integers(-3, 3).map(Long),
    "Decimal": decimals(),
    "String": st.text("aAb ", max_size=2),
    "Date": dates(),
    "DateTime": date_times(),
    "Time": times(),
    "Quantity": quantities(),
}
PAIRS = st.sampled_from(sorted(ORDERED)).flatmap(lambda n: st.tuples(st.just(n), ORDERED[n], ORDERED[n]))
TRIPLES = st.sampled_from(sorted(ORDERED)).flatmap(lambda n: st.tuples(ORDERED[n], ORDERED[n], ORDERED[n]))

SCALARS = st.none() | st.booleans() | st.one_of(*ORDERED.values())
INTERVALS = st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(4, 6), st.booleans(), st.booleans()).map(
    lambda p: Interval(*p, "Integer")
)
VALUES = st.recursive(
    SCALARS | INTERVALS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2).map(Tuple),
    max_leaves=4,
)


def ask(name, point, left, right):
    overload = TABLE.exact(name, (system(point), system(point)))
    return overload.function(*([CONTEXT] if overload.context else []), left, right)


@given(PAIRS)
@settings(max_examples=300)
def test_less_greater_and_equal_fit_together(pair):
    """Either all of them are null, or exactly one of less, equal and greater is true."""
    point, left, right = pair
    less, greater = ask("Less", point, left, right), ask("Greater", point, left, right)
    same = equal(CONTEXT, left, right)
    if less is None:
        assert (greater, same) == (None, None)
        assert ask("LessOrEqual", point, left, right) is None
        assert ask("GreaterOrEqual", point, left, right) is None
    else:
        assert sorted((less, greater, same)) == [False, False, True]
        assert ask("LessOrEqual", point, left, right) is (not greater)
        assert ask("GreaterOrEqual", point, left, right) is (not less)
    assert ask("Greater", point, right, left) is less


@given(TRIPLES)
@settings(max_examples=300)
def test_order_is_transitive(triple):
    first, second, third = triple
    steps = compare(CONTEXT, first, second), compare(CONTEXT, second, third)
    if None not in steps and max(steps) <= 0:
        assert compare(CONTEXT, first, third) == min(steps)


@given(st.sampled_from((dates(), times(), date_times())).flatmap(lambda s: st.tuples(s, s, s)))
@settings(max_examples=200)
def test_the_order_of_sorting_is_transitive_whatever_the_precision(triple):
    first, second, third = triple
    steps = sort_compare(CONTEXT, first, second), sort_compare(CONTEXT, second, third)
    if max(steps) <= 0:
        assert (sort_compare(CONTEXT, first, third) < 0) is (min(steps) < 0)
    assert sort_compare(CONTEXT, second, first) == -steps[0]


@given(st.sampled_from(("Integer", "Decimal", "String", "Date", "Time")).flatmap(
    lambda n: st.lists(st.none() | ORDERED[n], max_size=6)
))  # fmt: skip
def test_sorting_is_total_and_descending_is_its_mirror(values):
    ascending = sort_values(CONTEXT, values)
    assert all(sort_compare(CONTEXT, a, b) <= 0 for a, b in itertools.pairwise(ascending))
    assert None not in ascending[values.count(None) :]
    mirrored = sort_values(CONTEXT, values, descending=True)
    assert all(sort_compare(CONTEXT, a, b) == 0 for a, b in zip(mirrored, reversed(ascending), strict=True))


@given(VALUES, VALUES)
@settings(max_examples=400)
def test_equality_is_symmetric_and_implies_equivalence(left, right):
    decided = equal(CONTEXT, left, right)
    assert equal(CONTEXT, right, left) is decided
    assert equivalent(CONTEXT, left, right) is equivalent(CONTEXT, right, left)
    if decided:
        assert equivalent(CONTEXT, left, right)
    if left is None or right is None:
        assert decided is None


@given(VALUES)
def test_a_value_is_never_unequal_to_itself(value):
    assert equal(CONTEXT, value, value) in (True, None)
    assert equivalent(CONTEXT, value, value)


@given(VALUES.filter(lambda v: not isinstance(v, Time | DateTime)), VALUES)
@settings(max_examples=400)
def test_keys_stand_for_equality(left, right):
    """Where both values have a key, the keys are the same exactly when the values are certainly equal or both null."""
    [[first, second]] = keys(CONTEXT, [left, right])
    if first is not None and second is not None:
        same = left is None if right is None else equal(CONTEXT, left, right) is True
        assert (first == second) is same
