"""Which types are subtypes of which, and whether a run-time value is of a type (Developer's Guide "Type Inference")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.language.types.datatype import (
    ANY,
    SYSTEM_BASES,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
)
from engine.language.types.model import Model
from engine.language.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Time,
    Tuple,
    Uncertainty,
    ValueSet,
)

Check = Callable[[Any], bool]

SYSTEM_CLASSES: dict[str, type | tuple[type, ...]] = {
    "Boolean": bool, "Long": Long, "Decimal": Decimal, "String": str, "Date": Date, "DateTime": DateTime, "Time": Time,
    "Quantity": Quantity, "Ratio": Ratio, "Code": Code, "Concept": Concept, "ValueSet": ValueSet,
    "CodeSystem": CodeSystem, "Vocabulary": (ValueSet, CodeSystem),
}  # fmt: skip


class Lattice:
    """Subtypes of the system types and of the models in use."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models
        self._checks: dict[DataType, Check] = {}

    def base(self, datatype: DataType) -> DataType | None:
        """The direct base type, Any at the top; None for Any itself."""
        if datatype == ANY:
            return None
        if isinstance(datatype, NamedType):
            if datatype.is_system:
                return SYSTEM_BASES.get(datatype, ANY)
            model = self.models.get(datatype.model)
            info = model.class_info(datatype.name) if model else None
            return (info.base if info else None) or ANY
        return ANY

    def is_subtype(self, source: DataType, target: DataType) -> bool:
        """True when every value of ``source`` is one of ``target``."""
        if source == target or target == ANY:
            return True
        if isinstance(target, ChoiceType):
            if source in target.alternatives:
                return True
            inner = source.alternatives if isinstance(source, ChoiceType) else (source,)
            return all(any(self.is_subtype(i, t) for t in target.alternatives) for i in inner)
        match source, target:
            case ListType(left), ListType(right):
                return self.is_subtype(left, right)
            case IntervalType(left), IntervalType(right):
                return self.is_subtype(left, right)
            case TupleType(), TupleType():
                names = {n for n, _ in source.elements}
                return names == {n for n, _ in target.elements} and all(
                    self.is_subtype(t, target.get(n) or ANY) for n, t in source.elements
                )
            case NamedType(), NamedType():
                base = self.base(source)
                while base is not None and base != ANY:
                    if base == target:
                        return True
                    base = self.base(base)
        return False

    def check(self, datatype: DataType) -> Check:
        """A function that tells whether a value (never None) is of ``datatype``."""
        found = self._checks.get(datatype)
        if found is None:
            found = self._checks[datatype] = self._make_check(datatype)
        return found

    def _make_check(self, datatype: DataType) -> Check:
        match datatype:
            case NamedType() if datatype == ANY:
                return lambda value: True
            case NamedType() if datatype.is_system:
                return _system_check(datatype.name)
            case NamedType():
                return self._model_check(datatype)
            case ListType(element):
                inner = self.check(element)
                return lambda value: isinstance(value, list) and all(v is None or inner(v) for v in value)
            case IntervalType(point):
                return _interval_check(point)
            case TupleType(elements):
                parts = [(n, self.check(t)) for n, t in elements]
                return lambda value: isinstance(value, Tuple) and all(
                    value.get(n) is None or c(value.get(n)) for n, c in parts
                )
            case ChoiceType(alternatives):
                options = [self.check(a) for a in alternatives]
                return lambda value: any(option(value) for option in options)
        raise TypeError(f"no check for {datatype}")

    def _model_check(self, datatype: NamedType) -> Check:
        model = self.models[datatype.model]
        known: dict[NamedType, bool] = {}

        def check(value: Any) -> bool:
            actual = model.type_of(value)
            if actual is None:
                return False
            answer = known.get(actual)
            if answer is None:
                answer = known[actual] = self.is_subtype(actual, datatype)
            return answer

        return check


def _system_check(name: str) -> Check:
    if name == "Integer":
        return lambda value: value.__class__ is int or isinstance(value, Uncertainty)
    classes = SYSTEM_CLASSES[name]
    return lambda value: isinstance(value, classes)


def _interval_check(point: DataType) -> Check:
    if point == ANY:
        return lambda value: isinstance(value, Interval)
    name = point.name if isinstance(point, NamedType) else str(point)
    return lambda value: isinstance(value, Interval) and value.point in (name, None)
