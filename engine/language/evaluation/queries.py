"""Closures of queries: sources, lets, relationships, where, return or aggregate, sort.

Source: CQL 1.5.3, Language Semantics, "Queries".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.errors import LimitExceeded
from engine.language.elm import nodes as elm
from engine.language.evaluation.calls import bound_function
from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.comparison import sort_compare
from engine.language.types.datatype import ListType

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
        rows = Rows(sources, lets, tests, where, index_slot)
        if node.aggregate is not None:
            return _aggregate(compiler, node.aggregate, rows)
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
        spend = frame[0].context.budget.spend
        for row in rows:
            spend()
            frame[slot] = row
            if condition(frame) is True:
                return not negated
        return negated

    return test


@dataclass(slots=True)
class Rows:
    """The rows of a query: where they come from and which of them count.

    No clause is evaluated inside a generator or a function of C, so that queries within queries take no C stack.
    """

    sources: list[Source]
    lets: list[tuple[int, Closure]]
    tests: list[Callable[[Frame], bool]]
    where: Closure | None
    index_slot: int

    def combinations(self) -> Callable[[Frame], Iterable[tuple[Any, ...]] | None]:
        """A function that gives the combinations of elements of the sources: none when a source is null.

        When all sources are null it gives None, for then the query is null (Developer's Guide, "Multi-Source Queries").
        """
        sources = self.sources

        def combine(frame: Frame) -> Iterable[tuple[Any, ...]] | None:
            found = [closure(frame) for _, closure, _ in sources]
            missing = 0
            for value in found:
                missing += value is None
            if missing:
                return None if missing == len(found) else ()
            if len(found) == 1:
                return zip(found[0] if sources[0][2] else found, strict=True)
            return product(*[value if s[2] else (value,) for s, value in zip(sources, found, strict=True)])

        return combine

    def enter(self) -> Callable[[Frame, int, tuple[Any, ...]], bool]:
        """A function that sets the slots to a combination, the number given, and tells whether the row counts."""
        slots = [slot for slot, _, _ in self.sources]
        lets, tests, where, index_slot = self.lets, self.tests, self.where, self.index_slot

        def enter(frame: Frame, number: int, row: tuple[Any, ...]) -> bool:
            frame[0].context.budget.spend()
            frame[index_slot] = number
            for slot, value in zip(slots, row, strict=True):
                frame[slot] = value
            for slot, closure in lets:
                frame[slot] = closure(frame)
            for test in tests:  # no `all`: it would evaluate the clauses inside a function of C
                if not test(frame):
                    return False
            return where is None or where(frame) is True

        return enter


def _singular(rows: Rows, pick: Closure) -> Closure:
    combine, enter = rows.combinations(), rows.enter()

    def one(frame: Frame) -> Any:
        for row in combine(frame) or ():
            if enter(frame, 0, row):
                return pick(frame)
        return None

    return one


def _listed(compiler: Compiler, node: elm.Query, rows: Rows, pick: Closure) -> Closure:
    """The list of rows; null when every source is null."""
    overload = TABLE.overloads("Distinct")[0] if node.distinct else None
    distinct = bound_function(overload, None) if overload is not None else None
    order = _sort(compiler, node.sort) if node.sort else None
    collect = _collected(rows, pick)
    if distinct is None and order is None:
        return collect

    def finished(frame: Frame) -> list[Any] | None:
        result: list[Any] | None = collect(frame)
        if result is None:
            return None
        if distinct is not None:
            result = distinct(frame[0].context, result)
        return order(frame, result) if order is not None else result

    return finished


def _collected(rows: Rows, pick: Closure) -> Closure:
    if len(rows.sources) == 1 and not rows.tests:
        return _collected_simply(rows, pick)
    combine, enter = rows.combinations(), rows.enter()

    def collect(frame: Frame) -> list[Any] | None:
        limit = frame[0].context.limits.list_size
        found = combine(frame)
        if found is None:
            return None
        result: list[Any] = []
        for number, row in enumerate(found):
            if enter(frame, number, row):
                result.append(pick(frame))
                if len(result) > limit:
                    raise _too_long(limit)
        return result

    return collect


def _collected_simply(rows: Rows, pick: Closure) -> Closure:
    """The usual query: one source, perhaps lets and a where."""
    (slot, source, _), lets, index_slot = rows.sources[0], rows.lets, rows.index_slot
    where = rows.where

    def collect(frame: Frame) -> list[Any] | None:
        context = frame[0].context
        spend, limit = context.budget.spend, context.limits.list_size
        found = source(frame)
        if found is None:
            return None
        result: list[Any] = []
        for number, value in enumerate(found):
            spend()
            frame[slot] = value
            frame[index_slot] = number
            for let_slot, closure in lets:
                frame[let_slot] = closure(frame)
            if where is None or where(frame) is True:
                result.append(pick(frame))
                if len(result) > limit:
                    raise _too_long(limit)
        return result

    return collect


def repeat(compiler: Compiler, node: elm.Repeat) -> Closure:
    """What the element expression gives, of the source and then of what is new; each once, no nulls.

    Source: CQL 1.5.3, Logical Specification, "Repeat".
    """
    source, slot, index_slot = compiler.compile(node.source), compiler.slot(), compiler.slot()
    with compiler.names({"$this": slot, "$index": index_slot}):
        element = compiler.compile(node.element)
    plural, listed = isinstance(node.source.result_type, ListType), isinstance(node.element.result_type, ListType)
    without = bound_function(next(o for o in TABLE.overloads("Except") if isinstance(o.result, ListType)), None)

    def step(frame: Frame, values: list[Any]) -> list[Any]:
        made: list[Any] = []
        for number, value in enumerate(values):
            frame[0].context.budget.spend()
            frame[slot], frame[index_slot] = value, number
            given = element(frame)
            made.extend(v for v in (given if listed else (given,)) or () if v is not None)
        return made

    def run(frame: Frame) -> list[Any] | None:
        found = source(frame)
        if found is None:
            return None
        context = frame[0].context
        result: list[Any] = []
        pending = [v for v in found if v is not None] if plural else [found]
        while pending:
            pending = without(context, step(frame, pending), result)
            result += pending
            if len(result) > context.limits.list_size:
                raise _too_long(context.limits.list_size)
        return result

    return run


def _too_long(limit: int) -> LimitExceeded:
    return LimitExceeded(f"the query makes a list of more than {limit} elements")


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
        compare = _comparison(context)
        result = list(rows)
        for closure, descending in reversed(keys):
            if closure is None:
                computed = result
            else:
                computed = []
                for row in result:
                    frame[slot] = row
                    computed.append(closure(frame))
            positions = sorted(range(len(result)), key=lambda i: compare(computed[i]), reverse=descending)
            result = [result[i] for i in positions]
        return result

    return order


def _comparison(context: Context) -> Callable[[Any], Any]:
    """Sort keys that compare as CQL does, and count what they compare."""
    work = context.budget.work

    def compare(left: Any, right: Any) -> int:
        work(4)
        return sort_compare(context, left, right)

    return cmp_to_key(compare)


def _aggregate(compiler: Compiler, clause: elm.AggregateClause, rows: Rows) -> Closure:
    starting = compiler.compile(clause.starting)
    slot = compiler.slot()
    with compiler.names({clause.identifier: slot, "$total": slot}):
        body = compiler.compile(clause.expression)
    slots = [s for s, _, _ in rows.sources]
    combine, enter = rows.combinations(), rows.enter()
    distinct = bound_function(TABLE.overloads("Distinct")[0], None) if clause.distinct else None

    def fold(frame: Frame) -> Any:
        found = combine(frame)
        if found is None:
            return None
        frame[slot] = starting(frame)
        seen: list[list[Any]] = []
        for number, row in enumerate(found):
            if enter(frame, number, row):
                if distinct is None:
                    frame[slot] = body(frame)
                else:
                    seen.append([frame[s] for s in slots])
        for values in distinct(frame[0].context, seen) if distinct is not None else ():
            for s, value in zip(slots, values, strict=True):
                frame[s] = value
            frame[slot] = body(frame)
        return frame[slot]

    return fold
