"""Hostile text ends in a tree or in a located diagnostic, never in Python's recursion limit."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from engine.language.syntax import NESTING_LIMIT, parse_expression, parse_library

Result = TypeVar("Result")
MANY = 4000


def at_depth(frames: int, action: Callable[[], Result]) -> Result:
    """Run `action` as a caller deep in a stack would."""
    return action() if frames == 0 else at_depth(frames - 1, action)


@pytest.mark.parametrize(
    "text",
    (
        "(" * 10_000 + "1" + ")" * 10_000,
        "(" * 10_000,
        "[" * MANY,
        "{" * MANY,
        "{a:" * MANY,
        "A{a:" * MANY,
        "f(" * MANY,
        "a.b(" * MANY,
        "x" + "[0" * MANY,
        "f(A a, " + "(" * MANY,
        "from (" * MANY,
        "Interval[" * MANY,
        "[A: " * MANY,
        "not " * MANY + "a",
        "- " * MANY + "1",
        "exists " * MANY + "a",
        "start of " * MANY + "a",
        "distinct " * MANY + "a",
        "expand x per " * MANY + "a",
        "days between " * MANY,
        "convert " * MANY,
        "cast " * MANY + "x" + " as T" * MANY,
        "if a then b else " * MANY + "c",
        "case when a then " * MANY,
        "A a where " * MANY + "b",
        "A a with B b such that " * MANY + "b",
        "x as " + "List<" * MANY + "T" + ">" * MANY,
        "x" + ".y" * MANY,
        "x" + "[0]" * MANY,
        "x" + " is null" * MANY,
        "x" + " as T" * MANY,
        " implies ".join(["a"] * MANY),
        " = ".join(["a"] * MANY),
        " before ".join(["a"] * MANY),
        "2" + " ^ 2" * MANY,
        "1" + " + 2 - 3" * MANY,
        "a" + " union b intersect c" * MANY,
    ),
    ids=lambda text: text[:24],
)
def test_too_deep(text: str) -> None:
    node, diagnostics = at_depth(100, lambda: parse_expression(text))
    assert node is None
    assert [found.code for found in diagnostics] == ["nesting-too-deep"]
    assert diagnostics[0].span is not None


@pytest.mark.parametrize(
    "text",
    (
        " and ".join(["a"] * 20_000),
        "{" + ", ".join(["1"] * 20_000) + "}",
        "a" + " and b or c" * MANY,
        "a" + " and (b or not c)" * MANY,
        "(" * 99 + "1" + ")" * 99,
        "if a then b else " * 90 + "c",
        "x" + ".y" * 150,
        "f(" + "1 + 1, " * MANY + "1)",
        "'" + "a" * 100_000 + "'",
    ),
    ids=lambda text: text[:24],
)
def test_long_is_not_deep(text: str) -> None:
    node, diagnostics = at_depth(100, lambda: parse_expression(text))
    assert not diagnostics
    assert node is not None


def test_the_place_is_that_of_the_bracket_too_deep() -> None:
    _, diagnostics = parse_library("define A:\n  " + "(" * 500)
    assert diagnostics[0].span is not None
    assert (diagnostics[0].span.line, diagnostics[0].span.column) == (2, 2 + NESTING_LIMIT + 1)


def test_the_limit_is_an_argument() -> None:
    assert parse_expression("((1))", nesting_limit=3)[0] is not None
    assert parse_expression("(((1)))", nesting_limit=3)[0] is None
