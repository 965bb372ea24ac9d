"""Type operators over the elements of values (CQL 1.5.3, Appendix B, "Type Operators": Children, Descendants).

As, Is and Convert need the type they name and are compiled, not computed here. The elements of values of a data model
come from a callable, the model's ``children``: the language knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.operators.registry import operator
from engine.language.values.clinical import Code, CodeSystem, Concept, Quantity, Ratio, ValueSet
from engine.language.values.interval import Interval, Uncertainty
from engine.language.values.numbers import Long
from engine.language.values.structured import Tuple
from engine.language.values.temporal import Date, DateTime, Time

ModelChildren = Callable[[Any], list[Any]]
"""The values of all elements of a value of a data model."""


@operator("Children(Any) List<Any>", reference="children", nulls="own", context=True)
def children(context: Context, value: Any, model_children: ModelChildren | None = None) -> list[Any] | None:
    """The values of the elements, in the order of the type; elements that are lists are taken apart, nulls left out.

    Null for null; simple values have no children, those of a list are the children of its elements. EvaluationError
    for a value of a data model without ``model_children``.
    """
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    found = [child for element in values if element is not None for child in _elements(element, model_children)]
    _check_length(context, len(found))
    return found


@operator("Descendants(Any) List<Any>", reference="descendants", nulls="own", context=True)
def descendants(context: Context, value: Any, model_children: ModelChildren | None = None) -> list[Any] | None:
    """The children, each followed by its own descendants; rules and errors as for :func:`children`."""
    direct = children(context, value, model_children)
    if direct is None:
        return None
    found: list[Any] = []
    pending = direct[::-1]
    while pending:
        child = pending.pop()
        found.append(child)
        pending += reversed(_elements(child, model_children))
        _check_length(context, len(found) + len(pending))
    return found


_ELEMENTS: dict[type, tuple[str, ...]] = {
    Quantity: ("value", "unit"),
    Ratio: ("numerator", "denominator"),
    Code: ("code", "system", "version", "display"),
    Concept: ("codes", "display"),
    ValueSet: ("id", "version", "name"),
    CodeSystem: ("id", "version", "name"),
    Interval: ("low", "high", "low_closed", "high_closed"),
    Uncertainty: (),
} | dict.fromkeys((bool, int, Long, Decimal, str, Date, DateTime, Time), ())
"""The elements of the system types, by the attributes that hold them."""


def _elements(value: Any, model_children: ModelChildren | None) -> list[Any]:
    """The children of one value that is no list."""
    kind = type(value)
    if kind is Tuple:
        return _flat(value.elements.values())
    if kind in _ELEMENTS:
        return _flat(getattr(value, name) for name in _ELEMENTS[kind])
    if model_children is None:
        raise EvaluationError(f"the elements of a {kind.__name__} are not known without its data model")
    return _flat(model_children(value))


def _flat(values: Iterable[Any]) -> list[Any]:
    """The values without nulls, lists taken apart at any depth."""
    found: list[Any] = []
    pending = list(values)[::-1]
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):
            pending += reversed(value)
        elif value is not None:
            found.append(value)
    return found


def _check_length(context: Context, length: int) -> None:
    if length > context.limits.list_size:
        raise LimitExceeded(
            f"the elements of the value are more than the limit of {context.limits.list_size} elements of a list; "
            "name the elements that are needed"
        )
