"""Data requirements: which resources a library can retrieve, read from its typed ELM before any patient is seen.

Every retrieve that a starting define can reach counts, through other defines, functions and included libraries. Codes
are followed from the retrieve to where they are named, through the operands of functions; where they cannot be known
before a patient is seen, the requirement is the whole type: a requirement never asks for too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, NamedTuple, Protocol

from engine.language.elm import nodes as elm
from engine.language.types.datatype import DataType

RequirementContext = Literal["patient", "related", "unfiltered"]


class Canonical(NamedTuple):
    """A value set or code system by its address."""

    url: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class DataRequirement:
    """Resources of one type that evaluation can ask for.

    ``code_path`` is the element compared with codes, None when all of the type are asked for; then ``value_sets``,
    ``code_systems`` and ``codes`` (system and code; the system is None for a bare text) are empty. ``context`` tells
    whose resources: the patient's, those of a related person, or anybody's.
    """

    type: str
    context: RequirementContext = "patient"
    code_path: str | None = None
    value_sets: tuple[Canonical, ...] = ()
    code_systems: tuple[Canonical, ...] = ()
    codes: tuple[tuple[str | None, str], ...] = ()


class Translated(Protocol):
    """A library with all it includes, by ``Name|version``: what a translation is."""

    @property
    def library(self) -> elm.Library | None:
        """The main library; None when it could not be read."""

    @property
    def libraries(self) -> Mapping[str, elm.Library]:
        """The library and those it includes."""


def data_requirements(translation: Translated, defines: Iterable[str] | None = None) -> list[DataRequirement]:
    """What these defines of the library (all of them, when None) can retrieve; sorted, each once.

    Raises:
        KeyError: the library has no such define.
    """
    if translation.library is None:
        return []
    walk = _Walk(translation.library, translation.libraries)
    names = [d.name for d in translation.library.expressions] if defines is None else list(defines)
    return sorted(walk.run(names), key=_order)


def _order(requirement: DataRequirement) -> tuple[Any, ...]:
    parts = (requirement.value_sets, requirement.code_systems, requirement.codes)
    return requirement.type, requirement.context, requirement.code_path or "", repr(parts)


@dataclass(frozen=True, slots=True)
class _Codes:
    """What a terminology expression stands for."""

    value_sets: frozenset[Canonical] = frozenset()
    code_systems: frozenset[Canonical] = frozenset()
    codes: frozenset[tuple[str | None, str]] = frozenset()

    def __or__(self, other: _Codes) -> _Codes:
        return _Codes(
            self.value_sets | other.value_sets, self.code_systems | other.code_systems, self.codes | other.codes
        )


_Operands = Mapping[str, _Codes | None]
_Function = tuple[str, tuple[DataType, ...]]
_TRANSPARENT = frozenset({"ToList", "ToConcept", "ToCode", "ExpandValueSet", "Union", "Flatten", "Distinct"})
"""Operators whose result holds the codes of their operands and no others."""


class _Unit:
    """One library's definitions by name."""

    def __init__(self, library: elm.Library) -> None:
        self.key = library.key
        self.expressions = {d.name: d for d in library.expressions}
        self.value_sets = {d.name: d for d in library.value_sets}
        self.code_systems = {d.name: d for d in library.code_systems}
        self.codes = {d.name: d for d in library.codes}
        self.concepts = {d.name: d for d in library.concepts}
        self.functions: dict[_Function, elm.FunctionDef] = {
            (f.name, tuple(o.type for o in f.operands)): f for f in library.functions
        }
        self.includes = {i.name: i.path if i.version is None else f"{i.path}|{i.version}" for i in library.includes}


class _Walk:
    """Visits each define once, and each function once for every meaning of its terminology operands."""

    def __init__(self, main: elm.Library, libraries: Mapping[str, elm.Library]) -> None:
        self.units = {key: _Unit(library) for key, library in libraries.items()}
        self.units.setdefault(main.key, _Unit(main))
        self.main = self.units[main.key]
        self.found: dict[DataRequirement, None] = {}
        self.seen: set[tuple[Any, ...]] = set()
        self.todo: list[tuple[_Unit, elm.Expression, _Operands]] = []

    def run(self, names: Iterable[str]) -> list[DataRequirement]:
        for name in names:
            self._define(self.main, name)
        while self.todo:
            unit, expression, operands = self.todo.pop()
            for node in _nodes(expression):
                self._node(unit, node, operands)
        return list(self.found)

    def _unit(self, unit: _Unit, alias: str | None) -> _Unit | None:
        return unit if alias is None else self.units.get(unit.includes.get(alias, ""))

    def _define(self, unit: _Unit, name: str) -> None:
        key = (unit.key, name)
        if key not in self.seen:
            self.seen.add(key)
            self.todo.append((unit, unit.expressions[name].expression, {}))

    def _node(self, unit: _Unit, node: Any, operands: _Operands) -> None:
        match node:
            case elm.ExpressionRef():
                target = self._unit(unit, node.library)
                if target is not None and node.name in target.expressions:
                    self._define(target, node.name)
            case elm.FunctionRef():
                self._function(unit, node, operands)
            case elm.Retrieve():
                self._retrieve(unit, node, operands)

    def _function(self, unit: _Unit, node: elm.FunctionRef, operands: _Operands) -> None:
        target = self._unit(unit, node.library)
        definition = None if target is None else target.functions.get((node.name, node.signature))
        if target is None or definition is None or definition.expression is None:
            return
        given = [self._codes(unit, operand, operands, ()) for operand in node.operands]
        key = (target.key, node.name, node.signature, tuple(given))
        if key not in self.seen:
            self.seen.add(key)
            names = [operand.name for operand in definition.operands]
            self.todo.append((target, definition.expression, dict(zip(names, given, strict=True))))

    def _retrieve(self, unit: _Unit, node: elm.Retrieve, operands: _Operands) -> None:
        context: RequirementContext = "patient"
        if node.person is not None:
            context = "related"
        elif node.context == "Unfiltered":
            context = "unfiltered"
        codes = None if node.codes is None else self._codes(unit, node.codes, operands, ())
        if codes is None or node.code_property is None:
            self.found[DataRequirement(node.data_type, context)] = None
            return
        requirement = DataRequirement(
            node.data_type, context, node.code_property,
            tuple(sorted(codes.value_sets, key=repr)), tuple(sorted(codes.code_systems, key=repr)),
            tuple(sorted(codes.codes, key=repr)),
        )  # fmt: skip
        self.found[requirement] = None

    # ------------------------------------------------------------ terminology expressions

    def _codes(self, unit: _Unit, node: elm.Expression, operands: _Operands, path: tuple[Any, ...]) -> _Codes | None:
        """The codes an expression stands for, None when only a patient's data tell. ``path`` guards against circles."""
        match node:
            case elm.OperandRef():
                return operands.get(node.name)
            case elm.ValueSetRef() | elm.CodeSystemRef() | elm.CodeRef() | elm.ConceptRef():
                target = self._unit(unit, node.library)
                return None if target is None else self._named(target, node)
            case elm.Code():
                return self._code(unit, node.system, node.code)
            case elm.Literal():
                return _Codes(codes=frozenset({(None, node.value)})) if isinstance(node.value, str) else None
            case elm.ExpressionRef():
                target = self._unit(unit, node.library)
                key = (node.library, node.name)
                if target is None or key in path or node.name not in target.expressions:
                    return None
                return self._codes(target, target.expressions[node.name].expression, {}, (*path, key))
        parts = _parts(node)
        return None if parts is None else self._all(unit, parts, operands, path)

    def _all(
        self, unit: _Unit, nodes: Iterable[elm.Expression], operands: _Operands, path: tuple[Any, ...]
    ) -> _Codes | None:
        found = _Codes()
        for node in nodes:
            codes = self._codes(unit, node, operands, path)
            if codes is None:
                return None
            found = found | codes
        return found

    def _named(self, unit: _Unit, node: elm.Expression) -> _Codes | None:
        match node:
            case elm.ValueSetRef():
                value_set = unit.value_sets[node.name]
                return _Codes(value_sets=frozenset({Canonical(value_set.id, value_set.version)}))
            case elm.CodeSystemRef():
                system = unit.code_systems[node.name]
                return _Codes(code_systems=frozenset({Canonical(system.id, system.version)}))
            case elm.CodeRef():
                code = unit.codes[node.name]
                return self._code(unit, code.system, code.id)
            case elm.ConceptRef():
                return self._all(unit, unit.concepts[node.name].codes, {}, ())
        return None

    def _code(self, unit: _Unit, system: elm.CodeSystemRef, code: str) -> _Codes | None:
        target = self._unit(unit, system.library)
        if target is None:
            return None
        return _Codes(codes=frozenset({(target.code_systems[system.name].id, code)}))


def _parts(node: elm.Expression) -> tuple[elm.Expression, ...] | None:
    """The expressions whose codes together are those of the node; None when its codes come from elsewhere."""
    match node:
        case elm.Concept():
            return node.codes
        case elm.List():
            return node.elements
        case elm.As():
            return (node.operand,)
        case elm.ConvertElements():
            return (node.operand,)
        case elm.Property(path="codes"):
            return (node.source,)
        case elm.If():
            return (node.then, node.otherwise)
        case elm.Case():
            return (*(then for _, then in node.items), node.otherwise)
        case elm.Null():
            return ()
        case elm.Operator() if node.name in _TRANSPARENT:
            return node.operands
    return None


def _nodes(value: Any) -> Iterator[Any]:
    """All nodes of an expression, itself included."""
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(current)
        elif is_dataclass(current) and not isinstance(current, type):
            yield current
            stack.extend(getattr(current, field.name) for field in fields(current))
