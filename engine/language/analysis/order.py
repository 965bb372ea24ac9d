"""The order in which definitions are analysed: those that others name come first.

Analysis works on demand, so that any order gives the same result; this one keeps the demand shallow. A chain of 5,000
definitions, written last first, then costs no nesting of Python. What a text mentions is read from the names alone: a
local alias of a definition's name counts as a mention, which does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from engine.language.syntax import tree

FEW = 30
"""As many definitions may wait for each other without an order: they nest no deeper than that."""


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The fields of a syntax node that may hold nodes."""
    return tuple(f.name for f in fields(kind) if f.name not in ("span", "name_span", "tags", "text", "source"))


def mentioned(node: tree.Node) -> Iterator[str]:
    """The names that identifiers and calls below ``node`` mention."""
    pending: list[Any] = [node]
    while pending:
        current = pending.pop()
        kind = current.__class__
        if kind is tuple:
            pending.extend(current)
            continue
        if not isinstance(current, tree.Node):
            continue
        if isinstance(current, tree.Identifier | tree.FunctionCall):
            yield current.name
        for part in _parts(kind):
            value = getattr(current, part)
            if value.__class__ is tuple or isinstance(value, tree.Node):
                pending.append(value)


def ordered(definitions: Iterable[tuple[str, tree.Node]]) -> list[str]:
    """The names, those mentioned before those that mention them; within a circle in any order."""
    nodes: dict[str, list[tree.Node]] = {}
    for name, node in definitions:
        nodes.setdefault(name, []).append(node)
    uses: Mapping[str, list[str]] = {
        name: [used for node in group for used in mentioned(node) if used in nodes and used != name]
        for name, group in nodes.items()
    }
    result: dict[str, None] = {}
    entered: set[str] = set()
    for start in nodes:
        path = [] if start in entered else [(start, iter(uses[start]))]
        entered.add(start)
        while path:
            name, rest = path[-1]
            following = next((used for used in rest if used not in entered), None)
            if following is None:
                result[name] = None
                path.pop()
            else:
                entered.add(following)
                path.append((following, iter(uses[following])))
    return list(result)
