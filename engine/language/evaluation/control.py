"""Closures of If and Case: only the branch chosen is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.language.elm import nodes as elm
from engine.language.evaluation.calls import bound_function
from engine.language.operators import TABLE

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame


def conditional(compiler: Compiler, node: elm.If) -> Closure:
    condition, then, otherwise = [compiler.compile(e) for e in (node.condition, node.then, node.otherwise)]
    return lambda frame: then(frame) if condition(frame) is True else otherwise(frame)


def case(compiler: Compiler, node: elm.Case) -> Closure:
    items = [(compiler.compile(when), compiler.compile(then)) for when, then in node.items]
    otherwise = compiler.compile(node.otherwise)
    if node.comparand is None:

        def choose(frame: Frame) -> Any:
            for when, then in items:
                if when(frame) is True:
                    return then(frame)
            return otherwise(frame)

        return choose
    comparand = compiler.compile(node.comparand)
    equal = bound_function(TABLE.exact("Equal", node.signature), None)

    def select(frame: Frame) -> Any:
        value = comparand(frame)
        if value is not None:
            for when, then in items:
                option = when(frame)
                if option is not None and equal(frame[0].context, value, option) is True:
                    return then(frame)
        return otherwise(frame)

    return select
