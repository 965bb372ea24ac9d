"""Closures of references: defines, functions, parameters, terminology, local names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import EvaluationError, LimitExceeded
from engine.language.elm import nodes as elm
from engine.language.evaluation.run import MISSING, Run
from engine.language.evaluation.trace import Mark
from engine.language.operators.interval_bounds import interval
from engine.language.types.datatype import NamedType
from engine.language.values import Code, CodeSystem, Concept, DateTime, Interval, ValueSet

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame

CONVERSION_LIBRARY = "FHIRHelpers"
"""The library whose functions the model's implicit conversions name."""

TRACED_TAGS = frozenset({"basis", "setaside", "window"})


def expression(compiler: Compiler, node: elm.ExpressionRef) -> Closure:
    return compiler.program.define(compiler.included(node.library), node.name, compiler.traced)


def parameter(compiler: Compiler, node: elm.ParameterRef) -> Closure:
    """The value given for the run, else the default of the declaring library."""
    library, name = compiler.included(node.library), node.name
    definition = compiler.program.units[library].parameters[name]
    key = ("parameter", library, name)
    default: list[Closure] = []
    program, traced = compiler.program, compiler.traced

    def evaluate_default(run: Run) -> Any:
        if definition.default is None:
            return None
        if not default:
            from engine.language.evaluation.compiler import Compiler

            inner = Compiler(program, library, traced)
            body = inner.compile(definition.default)
            default.append(lambda frame: body([frame[0]] + [None] * (inner.size - 1)))
        return default[0]([run])

    def read(frame: Frame) -> Any:
        run: Run = frame[0]
        value = run.memo.get(key, MISSING)
        if value is MISSING:
            given = run.context.parameters
            value = given[name] if name in given else evaluate_default(run)
            run.memo[key] = value = zoned(value, run.context.offset_minutes)
        return value

    return read


def zoned(value: Any, offset_minutes: int) -> Any:
    """A DateTime, or an interval of them, with the run's offset where it has none."""
    if isinstance(value, DateTime) and value.offset_minutes is None:
        return value.with_offset(offset_minutes)
    if isinstance(value, Interval) and value.point == "DateTime":
        low, high = zoned(value.low, offset_minutes), zoned(value.high, offset_minutes)
        return Interval(low, high, value.low_closed, value.high_closed, value.point)
    return value


# ---------------------------------------------------------------- terminology


def value_set(compiler: Compiler, node: elm.ValueSetRef) -> Closure:
    definition = compiler.program.units[compiler.included(node.library)].value_sets[node.name]
    value = ValueSet(definition.id, definition.version, definition.name)
    return lambda frame: value


def code_system(compiler: Compiler, node: elm.CodeSystemRef) -> Closure:
    definition = compiler.program.units[compiler.included(node.library)].code_systems[node.name]
    value = CodeSystem(definition.id, definition.version, definition.name)
    return lambda frame: value


def _code(compiler: Compiler, library: str, name: str) -> Code:
    unit = compiler.program.units[library]
    definition = unit.codes[name]
    where = library if definition.system.library is None else unit.includes[definition.system.library]
    system = compiler.program.units[where].code_systems[definition.system.name]
    return Code(definition.id, system.id, system.version, definition.display)


def code(compiler: Compiler, node: elm.CodeRef) -> Closure:
    value = _code(compiler, compiler.included(node.library), node.name)
    return lambda frame: value


def concept(compiler: Compiler, node: elm.ConceptRef) -> Closure:
    library = compiler.included(node.library)
    unit = compiler.program.units[library]
    definition = unit.concepts[node.name]
    codes = tuple(
        _code(compiler, library if c.library is None else unit.includes[c.library], c.name) for c in definition.codes
    )
    value = Concept(codes, definition.display)
    return lambda frame: value


# ---------------------------------------------------------------- local names


def operand(compiler: Compiler, node: elm.OperandRef) -> Closure:
    slot = compiler.operand(node.name)
    return lambda frame: frame[slot]


def alias(compiler: Compiler, node: elm.AliasRef | elm.QueryLetRef) -> Closure:
    slot = compiler.find(node.name)
    return lambda frame: frame[slot]


def iteration(compiler: Compiler, node: elm.Iteration) -> Closure:
    slot = compiler.find("$" + node.name)
    return lambda frame: frame[slot]


# ---------------------------------------------------------------- functions


def function(compiler: Compiler, node: elm.FunctionRef) -> Closure:
    """A call: a native conversion where the library has one, else the function's body in a frame of its own."""
    operands = [compiler.compile(o) for o in node.operands]
    native = _native(compiler, node)
    if native is not None:
        return _native_call(compiler, node, native, operands[0])
    library = _library_of(compiler, node)
    definition = compiler.program.units[library].functions.get((node.name, node.signature))
    if definition is None or definition.expression is None:
        shown = ", ".join(map(str, node.signature))
        message = f"the function '{node.name}({shown})' of library '{library}' has no body that could be evaluated"
        return _failing(message)
    body, size_of = compiler.program.function(library, definition, compiler.traced)

    def enter(run: Run, arguments: list[Any]) -> Any:
        run.context.budget.spend()
        run.depth += 1
        if run.depth > run.context.limits.call_depth:
            raise LimitExceeded(f"function calls nest deeper than {run.context.limits.call_depth}")
        frame = [run, *arguments]
        frame.extend([None] * (size_of() - len(frame)))
        result = body(frame)
        run.depth -= 1
        return result

    if compiler.traced and any(name in TRACED_TAGS for name, _ in definition.tags):
        return _marked(enter, operands, definition, library)
    return lambda frame: enter(frame[0], [o(frame) for o in operands])


def _marked(
    enter: Callable[[Run, list[Any]], Any], operands: list[Closure], definition: elm.FunctionDef, library: str
) -> Closure:
    """A call that leaves a mark in the trace: the function's tags with its arguments and result."""

    def marked(frame: Frame) -> Any:
        run: Run = frame[0]
        tracer = run.tracer
        assert tracer is not None
        events = tracer.stack[-1].events
        start = len(events)
        arguments = [o(frame) for o in operands]
        positions = range(start, len(events))
        result = enter(run, arguments)
        filtering = tracer.filtering > 0
        tracer.add(Mark(library, definition.name, definition.tags, tuple(arguments), result, filtering, positions))
        return result

    return marked


def _library_of(compiler: Compiler, node: elm.FunctionRef) -> str:
    if node.library is None:
        return compiler.library
    if node.library in compiler.unit.includes:
        return compiler.unit.includes[node.library]
    if compiler.unit.library.name == node.library:
        return compiler.library
    for key in compiler.unit.includes.values():
        if key.partition("|")[0] == node.library:
            return key
    return node.library


def _native(compiler: Compiler, node: elm.FunctionRef) -> Any:
    """The native form of a conversion, unless a file of the helper library's name was found and wins."""
    if node.library is None or len(node.operands) != 1:
        return None
    key = _library_of(compiler, node)
    program = compiler.program
    if key.partition("|")[0] != CONVERSION_LIBRARY or (key in program.units and key not in program.native):
        return None
    source = node.signature[0]
    model = compiler.program.models.get(source.model) if isinstance(source, NamedType) else None
    return model.conversion(f"{CONVERSION_LIBRARY}.{node.name}") if model is not None else None


def _native_call(compiler: Compiler, node: elm.FunctionRef, native: Any, operand: Closure) -> Closure:
    """A native form, in the run's time zone; an interval it makes is checked as an interval selector checks its own."""

    def call(frame: Frame) -> Any:
        value = operand(frame)
        if value is None:
            return None
        context = frame[0].context
        made = zoned(native(value), context.offset_minutes)
        if made.__class__ is Interval:
            return interval(context, made.low, made.high, made.low_closed, made.high_closed, made.point)
        return made

    return call


def _failing(message: str) -> Closure:
    def fail(frame: Frame) -> Any:
        raise EvaluationError(message, code="no-function")

    return fail
