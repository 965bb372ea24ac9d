"""Nullological operators; cases of Appendix B and of the official CqlNullologicalOperatorsTest."""

import pytest

from engine.language.operators import TABLE
from engine.language.operators.nullological import coalesce, coalesce_list, is_false, is_null, is_true
from engine.language.values import Date


@pytest.mark.parametrize(
    ("operands", "answer"),
    (
        (("a", None), "a"),
        ((None, "a"), "a"),
        ((["a"], None, None), ["a"]),
        ((None, None, ["a"]), ["a"]),
        ((None, None, Date(2012, 5, 18)), Date(2012, 5, 18)),
        ((None, 15, None), 15),
        ((None, False), False),
        ((None, 0, 1), 0),
        ((None, [], [1]), []),
        ((None, None), None),
    ),
)
def test_coalesce(operands, answer):
    """The first non-null result in a list of arguments."""
    assert coalesce(*operands) == answer


@pytest.mark.parametrize(
    ("operands", "answer"),
    (([], None), (None, None), (["a", None, None], "a"), ([None, None, "a"], "a"), ([None, None, None], None)),
)
def test_coalesce_list(operands, answer):
    assert coalesce_list(operands) == answer


def test_coalesce_takes_two_to_five_operands_or_a_list():
    assert sorted(len(overload.operands) for overload in TABLE.overloads("Coalesce")) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("function", "operand", "answer"),
    (
        (is_null, None, True),
        (is_null, "", False),
        (is_null, [], False),
        (is_null, 0, False),
        (is_true, True, True),
        (is_true, False, False),
        (is_true, None, False),
        (is_false, False, True),
        (is_false, True, False),
        (is_false, None, False),
    ),
)
def test_null_and_truth(function, operand, answer):
    assert function(operand) is answer
