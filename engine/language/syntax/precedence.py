"""Which operator binds tighter, applied to a flat chain of operands and operators.

The grammar reads `a or b and not c = d` as one flat sequence; a `Chain` takes it from left to right and nests it by
the levels below (Developer's Guide, "Operator Precedence", Table 3-F, as the grammar of Appendix A orders it). A run
of one associative spelling (`a and b and c`) stays one node with all its operands, so that its length costs neither
depth nor time.

One level is left-associative throughout: `a union b intersect c` is `(a union b) intersect c`, `2 ^ 3 ^ 2` is `(2 ^
3) ^ 2`. A prefix binds tighter than every infix operator of its chain but looser than `is` and `as`: `not a = b` is
`(not a) = b`, `not a is null` is `not (a is null)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import Span
from engine.language.syntax.tree import Cast, Expression, Operation, TypeSpecifier

# Levels of `expression`, loosest first, then those of `term`.
IMPLICATION, DISJUNCTION, CONJUNCTION, MEMBERSHIP, EQUALITY, TIMING, COMPARISON, SET, BETWEEN, PREFIX, TEST = range(11)
ADDITIVE, MULTIPLICATIVE, POWER = range(3)
_OPEN = -1  # `cast`: nothing looser than it reaches past it, until its `as`

INFIX: dict[str, tuple[int, bool]] = {
    "implies": (IMPLICATION, False),
    "or": (DISJUNCTION, True),
    "xor": (DISJUNCTION, True),
    "and": (CONJUNCTION, True),
    "=": (EQUALITY, False),
    "!=": (EQUALITY, False),
    "~": (EQUALITY, False),
    "!~": (EQUALITY, False),
    "<=": (COMPARISON, False),
    "<": (COMPARISON, False),
    ">": (COMPARISON, False),
    ">=": (COMPARISON, False),
    "|": (SET, True),
    "union": (SET, True),
    "intersect": (SET, True),
    "except": (SET, True),
    "+": (ADDITIVE, True),
    "-": (ADDITIVE, True),
    "&": (ADDITIVE, True),
    "*": (MULTIPLICATIVE, True),
    "/": (MULTIPLICATIVE, True),
    "div": (MULTIPLICATIVE, True),
    "mod": (MULTIPLICATIVE, True),
    "^": (POWER, False),
}
"""Spelling → level, and whether a run of it is one node."""

Join = Callable[[Expression, Expression, Span], Expression]


@dataclass(slots=True)
class Operand:
    """An operand: its node, the tokens it begins and ends with (parentheses count), the levels the chain put in it."""

    node: Expression
    start: Any
    stop: Any
    height: int = 0


@dataclass(slots=True)
class _Waiting:
    """An operator whose right operand is still to come, with the operands it has."""

    level: int
    spelling: str
    token: Any
    operands: list[Operand]
    join: Join | None


class Chain:
    """Takes prefixes, operands and operators in the order written, and gives the nested node."""

    __slots__ = ("_operands", "_waiting", "span")

    def __init__(self, span: Callable[[Any, Any], Span]) -> None:
        self.span = span
        self._operands: list[Operand] = []
        self._waiting: list[_Waiting] = []

    def prefix(self, spelling: str, token: Any) -> None:
        """`not`, `exists`, or the opening `cast`."""
        self._waiting.append(_Waiting(_OPEN if spelling == "cast" else PREFIX, spelling, token, [], None))

    def operand(self, node: Expression, start: Any, stop: Any) -> None:
        self._operands.append(Operand(node, start, stop))

    def infix(self, spelling: str, token: Any) -> None:
        """One of `INFIX`."""
        level, associative = INFIX[spelling]
        if spelling == "|":
            spelling = "union"
        self._settle(level + 1)
        waiting = self._waiting
        if waiting and waiting[-1].level == level:
            if associative and waiting[-1].spelling == spelling:
                waiting[-1].operands.append(self._operands.pop())
                return
            self._settle(level)
        waiting.append(_Waiting(level, spelling, token, [self._operands.pop()], None))

    def join(self, level: int, token: Any, join: Join) -> None:
        """A binary operator with a node class of its own: a timing phrase, a membership."""
        self._settle(level)
        self._waiting.append(_Waiting(level, "", token, [self._operands.pop()], join))

    def suffix(self, level: int, stop: Any, make: Callable[[Expression, Span], Expression]) -> None:
        """What stands behind its operand: `is null`, `as Type`, `between a and b`."""
        self._settle(level)
        operand = self._operands.pop()
        node = make(operand.node, self.span(operand.start, stop))
        self._operands.append(Operand(node, operand.start, stop, operand.height + 1))

    def close_cast(self, stop: Any, type_specifier: TypeSpecifier) -> bool:
        """End the innermost open `cast` at its `as Type`; False when none is open."""
        if not any(waiting.level == _OPEN for waiting in self._waiting):
            return False
        self._settle(0)
        opening, operand = self._waiting.pop(), self._operands.pop()
        node = Cast(operand=operand.node, type=type_specifier, strict=True, span=self.span(opening.token, stop))
        self._operands.append(Operand(node, opening.token, stop, operand.height + 1))
        return True

    def finish(self) -> Operand | None:
        """The whole chain as one operand; None when a `cast` was left without its `as`."""
        self._settle(0)
        return None if self._waiting else self._operands[0]

    def open_cast(self) -> Any:
        """The token of the innermost open `cast`."""
        return next(waiting.token for waiting in reversed(self._waiting) if waiting.level == _OPEN)

    def _settle(self, level: int) -> None:
        """Give every waiting operator of `level` or tighter its right operand."""
        waiting, operands = self._waiting, self._operands
        while waiting and waiting[-1].level >= level:
            operator, last = waiting.pop(), operands.pop()
            if not operator.operands:
                node: Expression = Operation(
                    operator=operator.spelling, operands=(last.node,), span=self.span(operator.token, last.stop)
                )
                operands.append(Operand(node, operator.token, last.stop, last.height + 1))
                continue
            parts = [*operator.operands, last]
            span = self.span(parts[0].start, last.stop)
            if operator.join is not None:
                node = operator.join(parts[0].node, last.node, span)
            else:
                node = Operation(operator=operator.spelling, operands=tuple(part.node for part in parts), span=span)
            operands.append(Operand(node, parts[0].start, last.stop, max(part.height for part in parts) + 1))
