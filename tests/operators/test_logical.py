"""Logical operators: the truth tables of Appendix B, "Logical Operators"."""

import pytest

from engine.language.operators import TABLE
from engine.language.operators.logical import and_all, implies, negate_boolean, or_any, xor

T, F, N = True, False, None

# "The following table defines the truth table for this operator": rows left, columns right, in the order T F N.
TABLES = {
    and_all: ((T, F, N), (F, F, F), (N, F, N)),
    or_any: ((T, T, T), (T, F, N), (T, N, N)),
    xor: ((F, T, N), (T, F, N), (N, N, N)),
    implies: ((T, F, N), (T, T, T), (T, N, N)),
}
CASES = [
    (function, left, right, answer)
    for function, rows in TABLES.items()
    for left, row in zip((T, F, N), rows, strict=True)
    for right, answer in zip((T, F, N), row, strict=True)
]


@pytest.mark.parametrize(("function", "left", "right", "answer"), CASES)
def test_truth_table(function, left, right, answer):
    assert function(left, right) is answer


@pytest.mark.parametrize(("operand", "answer"), ((T, F), (F, T), (N, N)))
def test_not(operand, answer):
    assert negate_boolean(operand) is answer


@pytest.mark.parametrize(
    ("function", "operands", "answer"),
    (
        (and_all, (T, T, T, T), T),
        (and_all, (T, N, T, F), F),
        (and_all, (T, N, T, T), N),
        (or_any, (F, F, F, F), F),
        (or_any, (F, N, F, T), T),
        (or_any, (F, N, F, F), N),
    ),
)
def test_a_chain_is_one_call(function, operands, answer):
    assert function(*operands) is answer


@pytest.mark.parametrize("name", ("And", "Or", "Xor", "Implies", "Not"))
def test_null_rule_is_their_own(name):
    assert [overload.nulls for overload in TABLE.overloads(name)] == ["own"]
