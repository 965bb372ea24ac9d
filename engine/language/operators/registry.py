"""The one table of operators: a decorated function serves analysis (overloads) and evaluation (the function).

::

    @operator("Add(Integer, Integer) Integer", reference="add")
    def add_integer(left: int, right: int) -> int | None:
        \"\"\"The sum; null when it overflows.\"\"\"
        return in_integer_range(left + right)

The signature is written in CQL's type names; a single capital letter is a type parameter. ELM's operator names are
used (``Less``, ``IncludedIn``, ``ConvertsToDate``). How a function is called:

``function([context,] *operands [, precision])``

* ``context=True``: the evaluation :class:`Context` comes first (units, terminology, now, offset, limits);
* ``precision=True``: the operator takes a temporal precision (``"day"`` … or None), given last;
* ``nulls="propagate"`` (default): the function never sees None as an operand; any null operand makes null.
  ``nulls="own"``: the function has its own null rule and states it;
* ``uncertain="arithmetic"``: an :class:`Uncertainty` operand is lifted over the corners of the ranges;
  ``"comparison"``: the comparison decides when the whole range is on one side. The function itself never sees an
  Uncertainty.

``nulls="own"`` functions that are written lazily in the language (And, Or, Implies, Coalesce) are evaluated by the
compiler with short circuit; their table entry states the truth table and types them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.language.types.datatype import (
    SYSTEM_TYPES,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    TupleType,
    TypeParameter,
)

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of an operator and the function that computes it."""

    name: str
    operands: tuple[DataType, ...]
    result: DataType
    function: Callable[..., Any]
    nulls: str
    context: bool
    precision: bool
    uncertain: str | None
    reference: str

    @property
    def generic(self) -> bool:
        """True when the signature has a type parameter."""
        return any(_has_parameter(t) for t in self.operands)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.operands))}) {self.result}"


class OperatorTable:
    """All overloads by operator name, in the order of their definition."""

    def __init__(self) -> None:
        self._overloads: dict[str, list[Overload]] = {}

    def add(self, overload: Overload) -> None:
        """Adds one overload; two with the same operand types are a mistake of the programmer."""
        same = [o for o in self._overloads.get(overload.name, []) if o.operands == overload.operands]
        if same:
            raise ValueError(f"operator {overload} is defined twice")
        self._overloads.setdefault(overload.name, []).append(overload)

    def overloads(self, name: str) -> tuple[Overload, ...]:
        """The overloads of ``name``; empty when there is no such operator."""
        return tuple(self._overloads.get(name, ()))

    def names(self) -> tuple[str, ...]:
        """All operator names."""
        return tuple(self._overloads)

    def exact(self, name: str, operands: tuple[DataType, ...]) -> Overload:
        """The overload with exactly these operand types; KeyError when there is none."""
        for overload in self._overloads.get(name, ()):
            if overload.operands == operands:
                return overload
        raise KeyError(f"{name}({', '.join(map(str, operands))})")


TABLE = OperatorTable()


def operator(
    signature: str,
    *,
    reference: str,
    nulls: str = "propagate",
    context: bool = False,
    precision: bool = False,
    uncertain: str | None = None,
) -> Callable[[F], F]:
    """Registers a function under a signature such as ``"In(T, List<T>) Boolean"``.

    ``reference`` is the anchor in Appendix B of the specification (``"in-list"``). May be stacked for several
    signatures served by one function.
    """
    name, operands, result = parse_signature(signature)

    def register(function: F) -> F:
        TABLE.add(Overload(name, operands, result, function, nulls, context, precision, uncertain, reference))
        return function

    return register


def parse_signature(signature: str) -> tuple[str, tuple[DataType, ...], DataType]:
    """``"Less(Integer, Integer) Boolean"`` as name, operand types and result type."""
    tokens = re.findall(r"[A-Za-z]+|[(),<>{}]", signature)
    parser = _SignatureParser(tokens)
    name = parser.take()
    parser.expect("(")
    operands: list[DataType] = []
    while parser.peek() != ")":
        operands.append(parser.type())
        if parser.peek() == ",":
            parser.take()
    parser.expect(")")
    result = parser.type()
    if parser.peek():
        raise ValueError(f"signature {signature!r} has text after the result type")
    return name, tuple(operands), result


class _SignatureParser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ValueError(f"signature: {token!r} expected at token {self.position} of {self.tokens}")

    def type(self) -> DataType:
        name = self.take()
        if name in ("List", "Interval", "Choice"):
            self.expect("<")
            inner = [self.type()]
            while self.peek() == ",":
                self.take()
                inner.append(self.type())
            self.expect(">")
            if name == "Choice":
                return ChoiceType.of(inner)
            return ListType(inner[0]) if name == "List" else IntervalType(inner[0])
        if len(name) == 1 and name.isupper():
            return TypeParameter(name)
        return SYSTEM_TYPES[name]


def _has_parameter(datatype: DataType) -> bool:
    match datatype:
        case TypeParameter():
            return True
        case ListType(element):
            return _has_parameter(element)
        case IntervalType(point):
            return _has_parameter(point)
        case ChoiceType(alternatives):
            return any(map(_has_parameter, alternatives))
        case TupleType(elements):
            return any(_has_parameter(t) for _, t in elements)
    return False
