"""The algebra of intervals and lists as sets of points and elements."""

import itertools
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.equality import equal, equal_elements, keys
from engine.language.operators.interval_sets import (
    collapse,
    except_interval,
    expand,
    expand_interval,
    intersect_interval,
    union_interval,
)
from engine.language.types.datatype import ListType, TypeParameter
from engine.language.values import Date, DateTime, Interval, Quantity, Tuple
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
T = TypeParameter("T")
LIST = ListType(T)


@st.composite
def integer_intervals(draw):
    first, last = sorted((draw(st.integers(1, 9)), draw(st.integers(1, 9))))
    low_closed, high_closed = draw(st.booleans()), draw(st.booleans())
    return Interval(
        first if low_closed else first - 1, last if high_closed else last + 1, low_closed, high_closed, "Integer"
    )


def dated(value):
    return Interval(
        Date(2020, 1, value.low + 5), Date(2020, 1, value.high + 5), value.low_closed, value.high_closed, "Date"
    )


INTERVALS = integer_intervals()
LISTS_OF_INTERVALS = st.lists(INTERVALS, max_size=5).flatmap(
    lambda values: st.sampled_from((values, [dated(v) for v in values]))
)
ELEMENTS = st.none() | st.integers(0, 3) | st.sampled_from("ab") | st.sampled_from((Date(2020), Date(2020, 1)))
LISTS = st.lists(ELEMENTS, max_size=5)


def points(value):
    return set() if value is None else set(expand_interval(CONTEXT, value))


def call(name, *arguments):
    return TABLE.exact(name, (LIST,) * len(arguments)).function(CONTEXT, *arguments)


@given(INTERVALS, INTERVALS)
@settings(max_examples=200)
def test_interval_sets_are_sets_of_points(left, right):
    ours, theirs = points(left), points(right)
    union, difference = union_interval(CONTEXT, left, right), except_interval(CONTEXT, left, right)
    assert points(intersect_interval(CONTEXT, left, right)) == ours & theirs
    joined = ours | theirs
    assert points(union) == (joined if len(joined) == max(joined) - min(joined) + 1 else set())
    rest = ours - theirs
    assert points(difference) == (rest if rest and len(rest) == max(rest) - min(rest) + 1 else set())


@given(INTERVALS, INTERVALS)
def test_union_and_intersect_commute_and_absorb(left, right):
    for operation in (union_interval, intersect_interval):
        first, second = operation(CONTEXT, left, right), operation(CONTEXT, right, left)
        assert (first is None) is (second is None)
        assert first is None or equal(CONTEXT, first, second)
        assert equal(CONTEXT, operation(CONTEXT, left, left), left)
    common = intersect_interval(CONTEXT, left, right)
    assert common is None or equal(CONTEXT, union_interval(CONTEXT, left, common), left)


@given(LISTS_OF_INTERVALS)
@settings(max_examples=200)
def test_collapse_keeps_the_points_and_is_idempotent(intervals):
    """The result covers the same points, in as few intervals as there are gaps; again it changes nothing."""
    result = collapse(CONTEXT, intervals)
    covered = set().union(*map(points, intervals))
    assert set().union(*map(points, result)) == covered
    assert sum(len(points(i)) for i in result) == len(covered)
    assert collapse(CONTEXT, result) == result
    assert collapse(CONTEXT, list(reversed(intervals))) is not None
    numbers = sorted(p if isinstance(p, int) else p.day for p in covered)
    gaps = sum(b - a > 1 for a, b in itertools.pairwise(numbers))
    assert len(result) == (gaps + 1 if covered else 0)


@given(LISTS_OF_INTERVALS)
@settings(max_examples=150)
def test_collapse_undoes_expand(intervals):
    collapsed = collapse(CONTEXT, intervals)
    again = collapse(CONTEXT, expand(CONTEXT, intervals))
    assert equal(CONTEXT, again, collapsed) is True


@given(LISTS, LISTS)
@settings(max_examples=300)
def test_list_operators_are_operations_on_sets(left, right):
    union, common, rest = call("Union", left, right), call("Intersect", left, right), call("Except", left, right)
    for result in (union, common, rest, call("Distinct", left)):
        assert not any(
            equal_elements(CONTEXT, a, b) is True for i, a in enumerate(result) for b in result[i + 1 :]
        )
    assert {*map(key, union)} == {*map(key, left)} | {*map(key, right)}
    assert {*map(key, common)} == {*map(key, left)} & {*map(key, right)}
    assert {*map(key, rest)} == {*map(key, left)} - {*map(key, right)}
    assert call("Includes", union, left) is True
    assert call("Includes", left, common) is True
    assert call("IncludedIn", left, right) is call("Includes", right, left)


def key(element):
    return type(element), element


@given(ELEMENTS, LISTS)
@settings(max_examples=200)
def test_membership_of_an_element_is_inclusion_of_its_list(element, elements):
    within = TABLE.exact("In", (T, LIST)).function(CONTEXT, element, elements)
    assert TABLE.exact("Contains", (LIST, T)).function(CONTEXT, elements, element) is within
    assert call("Includes", elements, [element]) is within
    proper = TABLE.exact("ProperIn", (T, LIST)).function(CONTEXT, element, elements)
    assert proper is TABLE.exact("ProperContains", (LIST, T)).function(CONTEXT, elements, element)
    assert within is not False or proper is False


UNITS_MET = ("g", "mg", "kg", "1", "", "cm", "m", "Cel", "K", "[degF]", "[pH]", "[IU]", "a", "d", "day", "weeks",
             "year", "months", "mo", "no such unit", "{score}", "%", "mmol/L", "umol/L")  # fmt: skip
QUANTITIES = st.builds(
    Quantity,
    st.sampled_from([Decimal(v) for v in ("1", "1.0", "12", "1000", "0.001", "365.25", "7", "0", "-17.5", "273.15")]),
    st.sampled_from(UNITS_MET),
)
KEYED = st.recursive(
    QUANTITIES | ELEMENTS | st.booleans() | st.just(Decimal("1.0")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(Tuple)
        | st.tuples(inner, inner).map(lambda pair: Tuple({"a": pair[0], "b": pair[1]}))
        | st.tuples(inner, inner).map(lambda pair: Tuple({"b": pair[0], "a": pair[1]}))
    ),
    max_leaves=5,
)


@given(st.lists(KEYED, min_size=2, max_size=6) | st.lists(QUANTITIES, min_size=2, max_size=8))
@settings(max_examples=600)
def test_keys_are_the_same_exactly_for_elements_that_are_certainly_equal(values):
    (made,) = keys(CONTEXT, values)
    for (left, left_key), (right, right_key) in itertools.combinations(zip(values, made, strict=True), 2):
        if left_key is not None and right_key is not None:
            assert (left_key == right_key) is (equal_elements(CONTEXT, left, right) is True), (left, right)
