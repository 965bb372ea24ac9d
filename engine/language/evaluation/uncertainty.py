"""Operators over uncertain numbers (Language Semantics, "Uncertainty"): the ranges decide when they can."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from engine.language.values import Uncertainty

Function = Callable[..., Any]


def lift_arithmetic(function: Function) -> Function:
    """``function`` over the corners of the ranges: right for operators monotonic in each operand."""

    def lifted(*operands: Any) -> Any:
        corners = [(o.low, o.high) if o.__class__ is Uncertainty else (o,) for o in operands]
        results = [function(*corner) for corner in product(*corners)]
        if any(r is None for r in results):
            return None
        low, high = min(results), max(results)
        return low if low == high else Uncertainty(low, high)

    return lifted


def lift_comparison(name: str, function: Function) -> Function:
    """The comparison ``name``: true or false when it is so for the whole range, else null."""

    def lifted(left: Any, right: Any) -> bool | None:
        low, high = (left.low, left.high) if left.__class__ is Uncertainty else (left, left)
        least, most = (right.low, right.high) if right.__class__ is Uncertainty else (right, right)
        if name in ("Equal", "NotEqual"):
            if high < least or most < low:
                return name == "NotEqual"
            return None if (low, least) != (high, most) else name == "Equal"
        answers = {function(a, b) for a in (low, high) for b in (least, most)}
        return answers.pop() if len(answers) == 1 else None

    return lifted
