"""Closures of operators: the overload's function bound with its null rule, context, precision and uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import EvaluationError
from engine.language.elm import nodes as elm
from engine.language.evaluation.trace import Comparison, Use
from engine.language.evaluation.uncertainty import lift_arithmetic, lift_comparison
from engine.language.operators import TABLE
from engine.language.operators.registry import Overload
from engine.language.types.datatype import (
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    STRING,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TypeParameter,
)
from engine.language.values import Interval, Quantity, Uncertainty

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame

Function = Callable[..., Any]

SEARCHES = frozenset({"Matches", "PositionOf", "LastPositionOf"})
"""Operators whose time grows with a text, though they make none."""
COMPARISONS = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
NUMERIC = (INTEGER, LONG, DECIMAL)
DIVISIONS = frozenset({"Divide", "TruncatedDivide"})
"""Monotonic in the dividend, so that an uncertain one is lifted; an uncertain divisor may be zero."""
CONSTANT_TIME = frozenset({"First", "Last", "Indexer", "SingletonFrom", "Length", "Exists"})
"""Operators of lists whose time does not grow with the list: they are not counted."""


def operator(compiler: Compiler, node: elm.Operator) -> Closure:
    """The closure of an operator of the table."""
    lazy = _LAZY.get(node.name)
    if lazy is not None and (node.name != "Coalesce" or len(node.operands) > 1):
        return lazy([compiler.compile(o) for o in node.operands])
    operands = [compiler.compile(o) for o in node.operands]
    if node.name in ("Children", "Descendants"):
        return _children(compiler, node, operands[0])
    overload = TABLE.exact(node.name, node.signature)
    function = bound_function(overload, node.precision)
    made = _strict(function, operands) if overload.nulls == "propagate" else _own(function, operands)
    if len(operands) > len(overload.operands):
        united = node.name == "Union" and isinstance(node.result_type, ListType)
        if node.name == "Concatenate":
            made = _joined(operands)
        else:
            made = _united(function, operands) if united else _fold(function, operands, overload.nulls == "propagate")
    return _observed(compiler, node, made, operands, function) if compiler.traced else made


def bound_function(overload: Overload, precision: str | None) -> Function:
    """The overload's function as ``f(context, *operands)``, uncertain operands lifted."""
    function: Function = overload.function
    if overload.precision:
        inner = function
        if overload.context:
            function = lambda context, *operands: inner(context, *operands, precision)  # noqa: E731
        else:
            function = lambda context, *operands: inner(*operands, precision)  # noqa: E731
    elif not overload.context:
        function = _without_context(function, len(overload.operands))
    if _is_counted(overload):
        function = _counted(function)
    if any(t in NUMERIC for t in overload.operands):
        function = _lifted(overload, function)
    return _guarded(overload.name, function) if any(_may_hold(t) for t in overload.operands) else function


def _may_hold(datatype: DataType) -> bool:
    """Whether a value of the type may hold an Uncertainty in a place where the operator asks for a number."""
    return isinstance(datatype, ListType | IntervalType | TypeParameter) or datatype == QUANTITY


def _guarded(name: str, function: Function) -> Function:
    """An operator that stumbles over an Uncertainty inside its operands has no rule for it: an error, not a crash."""

    def guarded(context: Any, *operands: Any) -> Any:
        try:
            return function(context, *operands)
        except (TypeError, AttributeError):
            if not any(_holds_uncertainty(o) for o in operands):
                raise
            raise _no_rule(name) from None

    return guarded


def _holds_uncertainty(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_uncertainty(item) for item in value)
    if isinstance(value, Interval):
        return _holds_uncertainty(value.low) or _holds_uncertainty(value.high)
    if isinstance(value, Quantity):
        return isinstance(value.value, Uncertainty)
    return isinstance(value, Uncertainty)


def _no_rule(name: str) -> EvaluationError:
    message = f"'{name}' has no rule for an uncertain value, such as days between partial dates"
    return EvaluationError(message, code="uncertain")


def _is_counted(overload: Overload) -> bool:
    """Whether its time, or what it makes, grows with a list or a text that may be long."""
    if overload.name in CONSTANT_TIME:
        return False
    types = (*overload.operands, overload.result)
    return overload.name in SEARCHES or overload.result == STRING or any(isinstance(t, ListType) for t in types)


def _counted(function: Function) -> Function:
    """The function with what it runs through and what it makes counted against the budget of the define."""

    def counted(context: Any, *operands: Any) -> Any:
        budget = context.budget
        for operand in operands:
            if operand.__class__ is list:
                if operand:
                    budget.work(len(operand))
            elif operand.__class__ is str and len(operand) >= 16:
                budget.work(len(operand) >> 4)
        result = function(context, *operands)
        if result.__class__ is list:
            if result:
                budget.made(len(result))
        elif result.__class__ is str:
            budget.wrote(len(result))
        return result

    return counted


def _without_context(function: Function, arity: int) -> Function:
    if arity == 1:
        return lambda context, a: function(a)
    if arity == 2:
        return lambda context, a, b: function(a, b)
    return lambda context, *operands: function(*operands)


def _lifted(overload: Overload, function: Function) -> Function:
    """An Uncertainty met at run time is lifted as the overload says; one that says nothing makes an error."""
    conversion = overload.name in ("ToDecimal", "ToLong")
    arithmetic = overload.uncertain == "arithmetic" or conversion
    comparison = overload.uncertain == "comparison"
    division = overload.name in DIVISIONS

    def lifted(context: Any, *operands: Any) -> Any:
        for operand in operands:
            if operand.__class__ is Uncertainty:
                if arithmetic or (division and operands[1].__class__ is not Uncertainty):
                    return lift_arithmetic(lambda *o: function(context, *o))(*operands)
                if comparison:
                    return lift_comparison(overload.name, lambda *o: function(context, *o))(*operands)
                raise _no_rule(overload.name)
        return function(context, *operands)

    return lifted


def _strict(function: Function, operands: list[Closure]) -> Closure:
    """Null in, null out: the rule of most operators, said once."""
    if len(operands) == 1:
        (only,) = operands

        def unary(frame: Frame) -> Any:
            value = only(frame)
            return None if value is None else function(frame[0].context, value)

        return unary
    if len(operands) == 2:
        left, right = operands

        def binary(frame: Frame) -> Any:
            a = left(frame)
            if a is None:
                return None
            b = right(frame)
            return None if b is None else function(frame[0].context, a, b)

        return binary

    def several(frame: Frame) -> Any:
        values = [o(frame) for o in operands]
        return None if None in values and any(v is None for v in values) else function(frame[0].context, *values)

    return several


def _own(function: Function, operands: list[Closure]) -> Closure:
    if len(operands) == 1:
        (only,) = operands
        return lambda frame: function(frame[0].context, only(frame))
    if len(operands) == 2:
        left, right = operands
        return lambda frame: function(frame[0].context, left(frame), right(frame))
    return lambda frame: function(frame[0].context, *[o(frame) for o in operands])


def _joined(operands: list[Closure]) -> Closure:
    """The texts one after the other; null when any is null."""

    def join(frame: Frame) -> str | None:
        texts = [operand(frame) for operand in operands]
        if None in texts:
            return None
        frame[0].context.budget.wrote(sum(map(len, texts)))
        return "".join(texts)

    return join


def _united(function: Function, operands: list[Closure]) -> Closure:
    """The union of many lists: what it keeps is the same whether duplicates go at every step or at the last."""

    def unite(frame: Frame) -> Any:
        context = frame[0].context
        total: list[Any] = []
        for operand in operands:
            total.extend(operand(frame) or ())
            context.budget.work(1)
            if len(total) > 2 * context.limits.list_size:
                total = function(context, total, None)
        return function(context, total, None)

    return unite


def _fold(function: Function, operands: list[Closure], propagate: bool) -> Closure:
    """An n-ary chain, from left to right."""
    first, *rest = operands

    def chain(frame: Frame) -> Any:
        context = frame[0].context
        total = first(frame)
        for operand in rest:
            value = operand(frame)
            unknown = propagate and (total is None or value is None)
            total = None if unknown else function(context, total, value)
        return total

    return chain


def _children(compiler: Compiler, node: elm.Operator, operand: Closure) -> Closure:
    function = TABLE.overloads(node.name)[0].function
    models = list(compiler.program.models.values())

    def of_model(value: Any) -> list[Any]:
        for model in models:
            if model.type_of(value) is not None:
                return model.children(value)
        return []

    def walk(frame: Frame) -> Any:
        value = operand(frame)
        return None if value is None else function(frame[0].context, value, of_model)

    return walk


# ---------------------------------------------------------------- lazy operators


def _and(operands: list[Closure]) -> Closure:
    """False as soon as one operand is false; null if none is false and one is null."""

    def evaluate(frame: Frame) -> bool | None:
        result: bool | None = True
        for operand in operands:
            value = operand(frame)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return evaluate


def _or(operands: list[Closure]) -> Closure:
    """True as soon as one operand is true; null if none is true and one is null."""

    def evaluate(frame: Frame) -> bool | None:
        result: bool | None = False
        for operand in operands:
            value = operand(frame)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return evaluate


def _implies(operands: list[Closure]) -> Closure:
    """A chain groups from the left; a false left side makes true without asking the right one."""

    def evaluate(frame: Frame) -> bool | None:
        total: bool | None = operands[0](frame)
        for operand in operands[1:]:
            if total is False:
                total = True
                continue
            value: bool | None = operand(frame)
            total = value if total is True else (True if value is True else None)
        return total

    return evaluate


def _coalesce(operands: list[Closure]) -> Closure:
    """The first operand that is not null; those after it are not evaluated."""

    def evaluate(frame: Frame) -> Any:
        for operand in operands:
            value = operand(frame)
            if value is not None:
                return value
        return None

    return evaluate


_Lazy = Callable[[list[Any]], Callable[[list[Any]], Any]]
_LAZY: dict[str, _Lazy] = {"And": _and, "Or": _or, "Implies": _implies, "Coalesce": _coalesce}


# ---------------------------------------------------------------- tracing


def _observed(
    compiler: Compiler, node: elm.Operator, made: Closure, operands: list[Closure], function: Function
) -> Closure:
    """The closure with what the trace wants to know: comparisons, and lists of model values whose presence counted."""
    if node.name in COMPARISONS and len(operands) == 2:
        return _compared(compiler, node, operands, function)
    if len(operands) == 1 and _of_model(node.operands[0].result_type) and not _of_model(node.result_type):
        (only,) = operands
        listed = isinstance(node.operands[0].result_type, ListType)
        captured: list[Any] = []

        def capture(frame: Frame) -> Any:
            value = only(frame)
            captured.append(value)
            return value

        inner = _strict(function, [capture])
        if TABLE.exact(node.name, node.signature).nulls != "propagate":
            inner = _own(function, [capture])

        def used(frame: Frame) -> Any:
            depth = len(captured)
            result = inner(frame)
            value = captured[-1]
            del captured[depth:]
            tracer = frame[0].tracer
            values = tuple(value or ()) if listed else (() if value is None else (value,))
            tracer.add(Use(values, tracer.filtering > 0))
            return result

        return used
    return made


def _compared(compiler: Compiler, node: elm.Operator, operands: list[Closure], function: Function) -> Closure:
    left, right = operands
    name, span, library = node.name, node.span, compiler.library

    def compare(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        result = None if a is None or b is None else function(frame[0].context, a, b)
        tracer = frame[0].tracer
        tracer.add(Comparison(name, a, b, result, tracer.filtering > 0, span, library))
        return result

    return compare


def _of_model(datatype: Any) -> bool:
    if isinstance(datatype, ListType):
        return _of_model(datatype.element)
    return isinstance(datatype, NamedType) and not datatype.is_system
