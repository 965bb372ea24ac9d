"""ELM to closures: the compiler of one body (a define, a function, a parameter default).

Everything that can be settled is settled here: the overload of an operator, the reader of a property, the slot of a
name. What is left at run time is the closure's own few steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine.errors import EvaluationError
from engine.language.elm import nodes as elm
from engine.language.evaluation import calls, control, queries, references, retrieves, structures
from engine.language.evaluation.program import Closure, Program, Unit

_RULES: dict[type, Callable[[Compiler, Any], Closure]] = {}


class Compiler:
    """Compiles one body; ``size`` is the number of slots its frame needs once it is compiled."""

    def __init__(self, program: Program, library: str, traced: bool, operands: Sequence[str] = ()) -> None:
        self.program = program
        self.library = library
        self.unit: Unit = program.units[library]
        self.traced = traced
        self.size = 1 + len(operands)
        self._operands = {name: i + 1 for i, name in enumerate(operands)}
        self._names: list[dict[str, int]] = []

    def compile(self, node: elm.Expression) -> Closure:
        """The closure of ``node``."""
        return _RULES[type(node)](self, node)

    # ------------------------------------------------------------ slots

    def slot(self) -> int:
        """A new slot of the frame."""
        self.size += 1
        return self.size - 1

    @contextmanager
    def names(self, names: dict[str, int]) -> Iterator[dict[str, int]]:
        """Makes names (aliases, lets, ``$this``) refer to slots for the duration."""
        self._names.append(names)
        try:
            yield names
        finally:
            self._names.pop()

    def find(self, name: str) -> int:
        """The slot a local name refers to."""
        for names in reversed(self._names):
            if name in names:
                return names[name]
        raise EvaluationError(f"'{name}' has no meaning here", code="malformed-elm")

    def operand(self, name: str) -> int:
        """The slot of a function's operand."""
        return self._operands[name]

    def included(self, alias: str | None) -> str:
        """The key of the library an alias stands for; None is the library itself."""
        return self.library if alias is None else self.unit.includes[alias]


_RULES.update({
    elm.Literal: structures.literal, elm.Null: structures.null, elm.Interval: structures.interval,
    elm.List: structures.list_selector, elm.Tuple: structures.tuple_selector, elm.Instance: structures.instance,
    elm.Code: structures.code, elm.Concept: structures.concept, elm.Ratio: structures.ratio,
    elm.Property: structures.property_of, elm.Is: structures.type_test, elm.As: structures.cast,
    elm.MinMaxValue: structures.extreme, elm.ConvertElements: structures.convert_elements,
    elm.ExpressionRef: references.expression, elm.FunctionRef: references.function,
    elm.ParameterRef: references.parameter, elm.ValueSetRef: references.value_set,
    elm.CodeSystemRef: references.code_system, elm.CodeRef: references.code, elm.ConceptRef: references.concept,
    elm.OperandRef: references.operand, elm.AliasRef: references.alias, elm.QueryLetRef: references.alias,
    elm.Iteration: references.iteration, elm.Operator: calls.operator, elm.If: control.conditional,
    elm.Case: control.case, elm.Query: queries.query, elm.Repeat: queries.repeat, elm.Retrieve: retrieves.retrieve,
})  # fmt: skip
