"""Closures of literals, selectors, properties and type expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import EvaluationError
from engine.language.elm import nodes as elm
from engine.language.evaluation.trace import Read
from engine.language.operators import interval_bounds
from engine.language.types.datatype import (
    ANY,
    DATETIME,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
)
from engine.language.values import Code, Concept, DateTime, Interval, Quantity, Ratio, Tuple
from engine.language.values import extremes as limits
from engine.language.values.clinical import CodeSystem, ValueSet

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame

_ELEMENT_ATTRIBUTES = {"lowClosed": "low_closed", "highClosed": "high_closed"}


def literal(compiler: Compiler, node: elm.Literal) -> Closure:
    """A constant; a DateTime without an offset takes the run's."""
    value = node.value
    if isinstance(value, DateTime) and value.offset_minutes is None:
        return lambda frame: value.with_offset(frame[0].context.offset_minutes)
    return lambda frame: value


def null(compiler: Compiler, node: elm.Null) -> Closure:
    return lambda frame: None


def point_name(datatype: DataType) -> str | None:
    """The name of an interval's point type; None for Any."""
    return datatype.name if isinstance(datatype, NamedType) and datatype != ANY else None


def interval(compiler: Compiler, node: elm.Interval) -> Closure:
    low, high = compiler.compile(node.low), compiler.compile(node.high)
    low_closed, high_closed = node.low_closed, node.high_closed
    assert isinstance(node.result_type, IntervalType)
    point = point_name(node.result_type.point)

    def make(frame: Frame) -> Interval | None:
        return interval_bounds.interval(frame[0].context, low(frame), high(frame), low_closed, high_closed, point)

    return make


def list_selector(compiler: Compiler, node: elm.List) -> Closure:
    elements = [compiler.compile(e) for e in node.elements]
    return lambda frame: [e(frame) for e in elements]


def tuple_selector(compiler: Compiler, node: elm.Tuple) -> Closure:
    elements = [(n, compiler.compile(e)) for n, e in node.elements]
    return lambda frame: Tuple({n: e(frame) for n, e in elements})


def instance(compiler: Compiler, node: elm.Instance) -> Closure:
    elements = [(n, compiler.compile(e)) for n, e in node.elements]
    datatype = node.result_type
    assert isinstance(datatype, NamedType)
    if datatype.is_system:
        make = _SYSTEM_INSTANCES[datatype.name]
        return lambda frame: make({n: e(frame) for n, e in elements})
    model = compiler.program.models[datatype.model]
    name = datatype.name
    return lambda frame: model.create(name, {n: e(frame) for n, e in elements})


_SYSTEM_INSTANCES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Quantity": lambda e: Quantity(e.get("value"), e.get("unit") or "1"),
    "Ratio": lambda e: Ratio(e.get("numerator"), e.get("denominator")),
    "Code": lambda e: Code(e.get("code"), e.get("system"), e.get("version"), e.get("display")),
    "Concept": lambda e: Concept(tuple(e.get("codes") or ()), e.get("display")),
    "ValueSet": lambda e: ValueSet(e.get("id") or "", e.get("version"), e.get("name")),
    "CodeSystem": lambda e: CodeSystem(e.get("id") or "", e.get("version"), e.get("name")),
}


def _code(compiler: Compiler, node: elm.Code) -> Code:
    unit = compiler.program.units[compiler.included(node.system.library)]
    system = unit.code_systems[node.system.name]
    return Code(node.code, system.id, system.version, node.display)


def code(compiler: Compiler, node: elm.Code) -> Closure:
    value = _code(compiler, node)
    return lambda frame: value


def concept(compiler: Compiler, node: elm.Concept) -> Closure:
    value = Concept(tuple(_code(compiler, c) for c in node.codes), node.display)
    return lambda frame: value


def ratio(compiler: Compiler, node: elm.Ratio) -> Closure:
    numerator, denominator = compiler.compile(node.numerator), compiler.compile(node.denominator)
    return lambda frame: Ratio(numerator(frame), denominator(frame))


# ---------------------------------------------------------------- properties


def property_of(compiler: Compiler, node: elm.Property) -> Closure:
    """``source.path``: null of null, else what the reader chosen here gives."""
    source = compiler.compile(node.source)
    read = _reader(compiler, node.source.result_type, node.path)
    may_be_datetime = node.result_type == DATETIME or node.result_type == ANY or isinstance(
        node.result_type, ChoiceType
    )
    path = node.path

    def plain(frame: Frame) -> Any:
        owner = source(frame)
        return None if owner is None else read(owner)

    def zoned(frame: Frame) -> Any:
        owner = source(frame)
        if owner is None:
            return None
        value = read(owner)
        if value.__class__ is DateTime and value.offset_minutes is None:
            return value.with_offset(frame[0].context.offset_minutes)
        return value

    chosen = zoned if may_be_datetime else plain
    if not compiler.traced or not _reads_model(node.source.result_type):
        return chosen

    def traced(frame: Frame) -> Any:
        owner = source(frame)
        if owner is None:
            return None
        value = read(owner)
        if value.__class__ is DateTime and value.offset_minutes is None:
            value = value.with_offset(frame[0].context.offset_minutes)
        tracer = frame[0].tracer
        tracer.add(Read(owner, path, value, tracer.filtering > 0))
        return value

    return traced


def _reads_model(datatype: DataType) -> bool:
    if isinstance(datatype, ChoiceType):
        return any(map(_reads_model, datatype.alternatives))
    return isinstance(datatype, NamedType) and not datatype.is_system


def _reader(compiler: Compiler, datatype: DataType, path: str) -> Callable[[Any], Any]:
    match datatype:
        case TupleType():
            return lambda owner: owner.elements.get(path)
        case IntervalType():
            return _interval_reader(path)
        case NamedType() if datatype.is_system and datatype != ANY:
            return _system_reader(path)
        case NamedType() if datatype != ANY:
            return compiler.program.models[datatype.model].accessor(datatype.name, path)
    return _dynamic_reader(compiler, path)


def _interval_reader(path: str) -> Callable[[Any], Any]:
    attribute = _ELEMENT_ATTRIBUTES.get(path, path)
    return lambda owner: getattr(owner, attribute)


def _system_reader(path: str) -> Callable[[Any], Any]:
    def read(owner: Any) -> Any:
        value = getattr(owner, path)
        return list(value) if value.__class__ is tuple else value

    return read


def _dynamic_reader(compiler: Compiler, path: str) -> Callable[[Any], Any]:
    """The reader for a Choice or Any: the actual value decides; an element it lacks is null."""
    models = list(compiler.program.models.values())
    known: dict[Any, Callable[[Any], Any]] = {}

    def read(owner: Any) -> Any:
        if isinstance(owner, Tuple):
            return owner.elements.get(path)
        if isinstance(owner, Interval):
            return getattr(owner, _ELEMENT_ATTRIBUTES.get(path, path), None)
        for model in models:
            actual = model.type_of(owner)
            if actual is not None:
                found = known.get(actual)
                if found is None:
                    info = model.class_info(actual.name)
                    has = info is not None and path in info.elements
                    found = known[actual] = model.accessor(actual.name, path) if has else _nothing
                return found(owner)
        return getattr(owner, path, None)

    return read


def _nothing(owner: Any) -> None:
    return None


# ---------------------------------------------------------------- types


def type_test(compiler: Compiler, node: elm.Is) -> Closure:
    operand, check = compiler.compile(node.operand), compiler.program.lattice.check(node.type)

    def test(frame: Frame) -> bool:
        value = operand(frame)
        return value is not None and check(value)

    return test


def cast(compiler: Compiler, node: elm.As) -> Closure:
    """``as``: the value if it is of the type, else null; an error when strict."""
    operand, check = compiler.compile(node.operand), compiler.program.lattice.check(node.result_type)
    strict, target = node.strict, node.result_type
    point = point_name(target.point) if isinstance(target, IntervalType) else None

    def change(frame: Frame) -> Any:
        value = operand(frame)
        if value is None:
            return None
        if check(value):
            if point is not None and value.point is None:
                return Interval(value.low, value.high, value.low_closed, value.high_closed, point)
            return value
        if strict:
            raise EvaluationError(f"the value is no {target}", code="cast")
        return None

    return change


def extreme(compiler: Compiler, node: elm.MinMaxValue) -> Closure:
    assert isinstance(node.result_type, NamedType)
    make = limits.minimum if node.name == "MinValue" else limits.maximum
    name = node.result_type.name
    value = make(name)
    if isinstance(value, DateTime):
        return lambda frame: value.with_offset(frame[0].context.offset_minutes)
    return lambda frame: value


def convert_elements(compiler: Compiler, node: elm.ConvertElements) -> Closure:
    """Each element of a list, or each boundary of an interval, converted."""
    operand = compiler.compile(node.operand)
    slot = compiler.slot()
    with compiler.names({"$this": slot}):
        conversion = compiler.compile(node.conversion)

    def one(frame: Frame, value: Any) -> Any:
        if value is None:
            return None
        frame[slot] = value
        return conversion(frame)

    if isinstance(node.result_type, ListType):

        def each(frame: Frame) -> Any:
            values = operand(frame)
            if values is None:
                return None
            frame[0].context.budget.spend(len(values))
            return [one(frame, v) for v in values]

        return each

    assert isinstance(node.result_type, IntervalType)
    point = point_name(node.result_type.point)

    def bounds(frame: Frame) -> Any:
        value = operand(frame)
        if value is None:
            return None
        low, high = one(frame, value.low), one(frame, value.high)
        return Interval(low, high, value.low_closed, value.high_closed, point)

    return bounds


