"""Closures of queries: sources, lets, relationships, where, return or aggregate, sort.

Source: CQL 1.5.3, Language Semantics, "Queries".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from engine.errors import LimitExceeded
from engine.language.elm import nodes as elm
from engine.language.evaluation.run import Run
from engine.language.operators import TABLE
from engine.language.operators.comparison import sort_compare

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame

Source = tuple[int, Any, bool]
"""Slot, closure, plural."""


def query(compiler: Compiler, node: elm.Query) -> Closure:
    """A query as one closure over the rows that its clauses leave."""
    sources, names = _sources(compiler, node.sources)
    index_slot = compiler.slot()
    names["$this"], names["$index"] = sources[0][0], index_slot
    with compiler.names(names):
        lets = [_let(compiler, names, item) for item in node.lets]
        tests = [_relationship(compiler, r) for r in node.relationships]
        where = _filter(compiler, node.where)
        rows = _rows(sources, lets, tests, where, index_slot)
        if node.aggregate is not None:
            return _aggregate(compiler, node.aggregate, rows, sources)
        result = compiler.compile(node.returns) if node.returns is not None else None
    slot = sources[0][0]
    pick: Callable[[Frame], Any] = result if result is not None else (lambda frame: frame[slot])
    if not any(plural for _, _, plural in sources):
        return _singular(rows, pick)
    return _listed(compiler, node, rows, pick)


def _sources(compiler: Compiler, nodes: tuple[elm.AliasedQuerySource, ...]) -> tuple[list[Source], dict[str, int]]:
    sources: list[Source] = []
    names: dict[str, int] = {}
    for source in nodes:
        closure = compiler.compile(source.expression)
        slot = compiler.slot()
        names[source.alias] = slot
        sources.append((slot, closure, source.plural))
    return sources, names


def _let(compiler: Compiler, names: dict[str, int], item: elm.LetClause) -> tuple[int, Closure]:
    closure = compiler.compile(item.expression)
    slot = compiler.slot()
    names[item.identifier] = slot
    return slot, closure


def _filter(compiler: Compiler, node: elm.Expression | None) -> Closure | None:
    """A condition; while it is evaluated the trace knows that reads are a filter's."""
    if node is None:
        return None
    condition = compiler.compile(node)
    return _filtering(condition) if compiler.traced else condition


def _filtering(condition: Closure) -> Closure:
    def observed(frame: Frame) -> Any:
        tracer = frame[0].tracer
        tracer.filtering += 1
        try:
            return condition(frame)
        finally:
            tracer.filtering -= 1

    return observed


def _relationship(compiler: Compiler, node: elm.RelationshipClause) -> Callable[[Frame], bool]:
    """``with``: some row satisfies the condition; ``without``: none does."""
    closure = compiler.compile(node.source.expression)
    slot = compiler.slot()
    with compiler.names({node.source.alias: slot}):
        condition = _filter(compiler, node.such_that)
    assert condition is not None
    plural, negated = node.source.plural, node.negated

    def test(frame: Frame) -> bool:
        value = closure(frame)
        rows = (value or ()) if plural else (() if value is None else (value,))
        run: Run = frame[0]
        for row in rows:
            run.row()
            frame[slot] = row
            if condition(frame) is True:
                return not negated
        return negated

    return test


def _rows(
    sources: list[Source],
    lets: list[tuple[int, Closure]],
    tests: list[Callable[[Frame], bool]],
    where: Closure | None,
    index_slot: int,
) -> Callable[[Frame], Iterator[None]]:
    """Yields once for each row left, the slots being set to it."""

    def rows(frame: Frame) -> Iterator[None]:
        run: Run = frame[0]
        values = [closure(frame) for _, closure, _ in sources]
        if any(v is None for v in values):
            return
        for position, _ in enumerate(_cross(frame, run, sources, values, 0)):
            frame[index_slot] = position
            for slot, closure in lets:
                frame[slot] = closure(frame)
            if all(test(frame) for test in tests) and (where is None or where(frame) is True):
                yield

    return rows


def _cross(frame: Frame, run: Run, sources: list[Source], values: list[Any], at: int) -> Iterator[None]:
    slot, _, plural = sources[at]
    last = at == len(sources) - 1
    for value in values[at] if plural else (values[at],):
        frame[slot] = value
        if last:
            run.row()
            yield
        else:
            yield from _cross(frame, run, sources, values, at + 1)


def _singular(rows: Callable[[Frame], Iterator[None]], pick: Closure) -> Closure:
    def one(frame: Frame) -> Any:
        for _ in rows(frame):
            return pick(frame)
        return None

    return one


def _listed(
    compiler: Compiler, node: elm.Query, rows: Callable[[Frame], Iterator[None]], pick: Closure
) -> Closure:
    """The list of rows. A null source makes null, where an empty one makes an empty list."""
    distinct = TABLE.overloads("Distinct")[0] if node.distinct else None
    order = _sort(compiler, node.sort) if node.sort else None

    def collect(frame: Frame) -> list[Any] | None:
        run: Run = frame[0]
        limit = run.context.limits.list_size
        result: list[Any] = []
        for _ in rows(frame):
            result.append(pick(frame))
            if len(result) > limit:
                raise LimitExceeded(f"the query makes a list of more than {limit} elements")
        if distinct is not None:
            result = distinct.function(run.context, result) if distinct.context else distinct.function(result)
        return order(frame, result) if order is not None else result

    return collect


def _sort(
    compiler: Compiler, items: tuple[elm.SortByItem, ...]
) -> Callable[[Frame, list[Any]], list[Any]]:
    slot = compiler.slot()
    keys: list[tuple[Closure | None, bool]] = []
    with compiler.names({"$this": slot}):
        for item in items:
            keys.append((_filter(compiler, item.expression), item.descending))

    def order(frame: Frame, rows: list[Any]) -> list[Any]:
        context = frame[0].context
        result = list(rows)
        for closure, descending in reversed(keys):
            if closure is None:
                computed = result
            else:
                computed = []
                for row in result:
                    frame[slot] = row
                    computed.append(closure(frame))
            compare = cmp_to_key(lambda a, b: sort_compare(context, a, b))
            positions = sorted(range(len(result)), key=lambda i: compare(computed[i]), reverse=descending)
            result = [result[i] for i in positions]
        return result

    return order


def _aggregate(
    compiler: Compiler, clause: elm.AggregateClause, rows: Callable[[Frame], Iterator[None]], sources: list[Source]
) -> Closure:
    starting = compiler.compile(clause.starting)
    slot = compiler.slot()
    with compiler.names({clause.identifier: slot, "$total": slot}):
        body = compiler.compile(clause.expression)
    slots = [s for s, _, _ in sources]
    distinct = TABLE.overloads("Distinct")[0].function if clause.distinct else None

    def fold(frame: Frame) -> Any:
        frame[slot] = starting(frame)
        if distinct is None:
            for _ in rows(frame):
                frame[slot] = body(frame)
            return frame[slot]
        seen = [[frame[s] for s in slots] for _ in rows(frame)]
        for row in distinct(frame[0].context, seen):
            for s, value in zip(slots, row, strict=True):
                frame[s] = value
            frame[slot] = body(frame)
        return frame[slot]

    return fold
