"""Children and Descendants (Appendix B, "Type Operators")."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context, Limits
from engine.language.operators.types import children, descendants
from engine.language.values import Code, Concept, Date, DateTime, Interval, Quantity, Ratio, Tuple
from engine.terminology.units import Units

NOW = DateTime(2020, 1, 1, 12, 0, 0, 0, 0)
CONTEXT = Context(now=NOW, units=Units())
CODE = Code("a", "http://s")
DOSE = Quantity(Decimal("5"), "mg")


class Element:
    """A value of a data model."""

    def __init__(self, *parts):
        self.parts = list(parts)


@pytest.mark.parametrize(
    ("value", "direct", "all_below"),
    (
        (None, None, None),
        (1, [], []),
        ("a", [], []),
        (Date(2020), [], []),
        (DOSE, [Decimal("5"), "mg"], [Decimal("5"), "mg"]),
        (CODE, ["a", "http://s"], ["a", "http://s"]),
        (Concept((CODE,), "A"), [CODE, "A"], [CODE, "a", "http://s", "A"]),
        (Ratio(DOSE, None), [DOSE], [DOSE, Decimal("5"), "mg"]),
        (Interval(1, None), [1, True, True], [1, True, True]),
        (Tuple({"x": None, "y": [1, [2, None]], "z": DOSE}), [1, 2, DOSE], [1, 2, DOSE, Decimal("5"), "mg"]),
        ([DOSE, None, CODE], [Decimal("5"), "mg", "a", "http://s"], [Decimal("5"), "mg", "a", "http://s"]),
        ([], [], []),
    ),
)
def test_children_and_descendants(value, direct, all_below):
    """List-valued elements are expanded and added to the result individually, rather than as a single list."""
    assert children(CONTEXT, value) == direct
    assert descendants(CONTEXT, value) == all_below


def test_the_model_tells_the_elements_of_its_values():
    leaf = Element("x")
    root = Element(leaf, [DOSE, None])
    assert children(CONTEXT, root, lambda element: element.parts) == [leaf, DOSE]
    assert descendants(CONTEXT, root, lambda element: element.parts) == [leaf, "x", DOSE, Decimal("5"), "mg"]
    with pytest.raises(EvaluationError, match="Element"):
        children(CONTEXT, root)


def test_a_deep_value_needs_no_recursion():
    value = 1
    for _ in range(50_000):
        value = Tuple({"inner": value})
    assert len(descendants(CONTEXT, value)) == 50_000


def test_limit():
    small = Context(now=NOW, units=Units(), limits=Limits(list_size=2))
    with pytest.raises(LimitExceeded):
        children(small, [DOSE, DOSE])
    with pytest.raises(LimitExceeded):
        descendants(small, Tuple({"a": DOSE}))
