"""Laws of three-valued logic (CQL 1.5.3, Appendix B, "Logical Operators"), over all values and by lists."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language.operators.aggregate import all_true, any_true
from engine.language.operators.logical import and_all, implies, negate_boolean, or_any, xor
from engine.language.operators.nullological import is_false, is_null, is_true

VALUES = (True, False, None)
PAIRS = tuple(product(VALUES, VALUES))
TRIPLES = tuple(product(VALUES, VALUES, VALUES))
ORDER = {False: 0, None: 1, True: 2}
BOOLEANS = st.lists(st.sampled_from(VALUES), min_size=1, max_size=8)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_de_morgan(a, b):
    assert negate_boolean(and_all(a, b)) is or_any(negate_boolean(a), negate_boolean(b))
    assert negate_boolean(or_any(a, b)) is and_all(negate_boolean(a), negate_boolean(b))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_and_is_the_lower_and_or_the_higher_of_false_null_true(a, b):
    assert ORDER[and_all(a, b)] == min(ORDER[a], ORDER[b])
    assert ORDER[or_any(a, b)] == max(ORDER[a], ORDER[b])


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_commutative_and_absorbing(a, b):
    assert and_all(a, b) is and_all(b, a)
    assert or_any(a, b) is or_any(b, a)
    assert xor(a, b) is xor(b, a)
    assert and_all(a, or_any(a, b)) is a
    assert or_any(a, and_all(a, b)) is a


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_implies_is_not_left_or_right_and_has_its_contrapositive(a, b):
    assert implies(a, b) is or_any(negate_boolean(a), b)
    assert implies(a, b) is implies(negate_boolean(b), negate_boolean(a))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_xor_is_one_and_not_the_other(a, b):
    assert xor(a, b) is or_any(and_all(a, negate_boolean(b)), and_all(negate_boolean(a), b))


@pytest.mark.parametrize(("a", "b", "c"), TRIPLES)
def test_distributive(a, b, c):
    assert and_all(a, or_any(b, c)) is or_any(and_all(a, b), and_all(a, c))
    assert or_any(a, and_all(b, c)) is and_all(or_any(a, b), or_any(a, c))


@pytest.mark.parametrize("a", VALUES)
def test_a_value_is_true_false_or_null(a):
    assert [is_true(a), is_false(a), is_null(a)].count(True) == 1
    assert negate_boolean(negate_boolean(a)) is a


@given(BOOLEANS)
def test_a_chain_is_its_pairs(values):
    conjunction, disjunction = values[0], values[0]
    for value in values[1:]:
        conjunction, disjunction = and_all(conjunction, value), or_any(disjunction, value)
    assert and_all(*values) is conjunction
    assert or_any(*values) is disjunction


@given(BOOLEANS, st.integers(0, 7), st.booleans())
def test_learning_a_null_never_turns_a_decided_chain(values, place, learned):
    """Missing data is never proof: what is true or false with a null stays so whatever the null turns out to be."""
    place %= len(values)
    if values[place] is None:
        known = [*values[:place], learned, *values[place + 1 :]]
        for operator in (and_all, or_any):
            before = operator(*values)
            assert before is None or operator(*known) is before


@given(st.lists(st.sampled_from(VALUES), max_size=8))
def test_all_true_and_any_true_are_chains_without_nulls(values):
    present = [value for value in values if value is not None]
    assert all_true(values) is and_all(*present)
    assert any_true(values) is or_any(*present)
