"""What a define reaches: the definitions, value sets, codes and resource types below it, read from the typed ELM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from engine.language import Program
from engine.language.elm import nodes as elm


@dataclass(slots=True)
class Reach:
    """``defines`` as (library key, name) in the order met; ``types`` are the resource types retrieved; ``codes`` gives
    the names that the CQL has for (system, code)."""

    defines: dict[tuple[str, str], None] = field(default_factory=dict)
    value_sets: dict[str, elm.ValueSetDef] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    types: dict[str, None] = field(default_factory=dict)


NAMING_NODES = (elm.ExpressionRef, elm.FunctionRef, elm.ValueSetRef, elm.CodeRef, elm.ConceptRef, elm.Retrieve)


def nodes_of(value: Any) -> Iterator[Any]:
    """All ELM nodes of an expression, itself included, each before its parts."""
    stack = [value]
    while stack:
        current = stack.pop()
        if current.__class__ is tuple:
            stack.extend(reversed(current))
            continue
        names = _parts(current.__class__)
        if names is not None:
            yield current
            stack.extend([getattr(current, name) for name in names])


@cache
def _parts(kind: type) -> tuple[str, ...] | None:
    """The names of the fields of a class of ELM nodes, the last one first; None for any other class."""
    return tuple(f.name for f in reversed(fields(kind))) if is_dataclass(kind) else None


_KNOWN: WeakKeyDictionary[Program, dict[tuple[str, ...], Reach]] = WeakKeyDictionary()
"""What was walked before, as long as the program lives: every screening of a trial asks for the same."""
_NAMING: WeakKeyDictionary[Program, dict[int, list[Any]]] = WeakKeyDictionary()
"""The nodes of a definition (by the identity of its expression) that name something else: found once a program."""


def reach(program: Program, starts: list[str]) -> Reach:
    """Everything that these defines of the main library use, however indirectly; not to be changed by who asks."""
    known = _KNOWN.setdefault(program, {})
    key = tuple(starts)
    if key not in known:
        known[key] = _Walk(program).run(starts)
    return known[key]


class _Walk:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.naming = _NAMING.setdefault(program, {})
        self.found = Reach()
        self.seen: set[tuple[Any, ...]] = set()
        self.todo: list[tuple[str, Any]] = []

    def run(self, starts: list[str]) -> Reach:
        main = self.program.main.key
        for name in starts:
            self._define(main, name)
        while self.todo:
            library, expression = self.todo.pop(0)
            for node in self._naming_nodes(expression):
                self._node(library, node)
        return self.found

    def _naming_nodes(self, expression: elm.Expression) -> list[Any]:
        found = self.naming.get(id(expression))
        if found is None:
            found = self.naming[id(expression)] = [n for n in nodes_of(expression) if isinstance(n, NAMING_NODES)]
        return found

    def _define(self, library: str, name: str) -> None:
        definition = self.program.units[library].expressions.get(name)
        if definition is not None and (library, name) not in self.found.defines:
            self.found.defines[library, name] = None
            self.todo.append((library, definition.expression))

    def _where(self, library: str, alias: str | None) -> str:
        return library if alias is None else self.program.units[library].includes.get(alias, library)

    def _node(self, library: str, node: Any) -> None:
        match node:
            case elm.ExpressionRef():
                self._define(self._where(library, node.library), node.name)
            case elm.FunctionRef():
                self._function(self._where(library, node.library), node)
            case elm.ValueSetRef():
                definition = self.program.units[self._where(library, node.library)].value_sets[node.name]
                self.found.value_sets[definition.id] = definition
            case elm.CodeRef():
                self._code(self._where(library, node.library), node.name)
            case elm.ConceptRef():
                where = self._where(library, node.library)
                for code in self.program.units[where].concepts[node.name].codes:
                    self._code(self._where(where, code.library), code.name)
            case elm.Retrieve():
                self.found.types[node.data_type] = None

    def _code(self, library: str, name: str) -> None:
        unit = self.program.units[library]
        definition = unit.codes[name]
        system = self.program.units[self._where(library, definition.system.library)]
        self.found.codes.setdefault((system.code_systems[definition.system.name].id, definition.id), name)

    def _function(self, library: str, node: elm.FunctionRef) -> None:
        unit = self.program.units.get(library)
        definition = unit.functions.get((node.name, node.signature)) if unit else None
        key = (library, node.name, node.signature)
        if definition is not None and definition.expression is not None and key not in self.seen:
            self.seen.add(key)
            self.todo.append((library, definition.expression))
