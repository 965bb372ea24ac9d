"""Timing phrases (`starts 3 days or more before start of`, `properly included in`, …) as syntax nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antlr4.tree.Tree import TerminalNodeImpl

from engine.errors import Span
from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax import tree as t

_BOUNDARY_OF = {P.STARTS: "start", P.ENDS: "end", P.OCCURS: None}
_OFFSET_RELATIONS = {P.OR_MORE: "or more", P.OR_LESS: "or less", P.MORE_THAN: "more than", P.LESS_THAN: "less than"}
_CONCURRENT_RELATIONS = {P.AS: "as", P.OR_BEFORE: "or before", P.OR_AFTER: "or after"}

Quantity = Callable[[Any], t.QuantityLiteral]
Spans = Callable[[Any, Any], Span]


def timing_phrase(ctx: Any, quantity: Quantity, span: Spans) -> t.TimingPhrase:
    """The rule `timingPhrase`; `quantity` and `span` build the nodes and places within it."""
    children = ctx.children
    first = children[0]
    if first.__class__ is P.RelativePhraseContext:
        return _relative(first, None, quantity, span(ctx.start, ctx.stop))
    if children[-1].__class__ is P.RelativePhraseContext:
        return _relative(children[-1], _BOUNDARY_OF[first.symbol.type], quantity, span(ctx.start, ctx.stop))
    place = span(ctx.start, ctx.stop)
    precision = _precision(children)
    kinds = _token_types(children)
    if P.INCLUDES in kinds:
        return t.InclusionPhrase(
            operator="includes",
            properly=P.PROPERLY in kinds,
            left=None,
            right=_boundary(children),
            precision=precision,
            span=place,
        )
    if P.MEETS in kinds or P.OVERLAPS in kinds:
        directed = t.MeetsPhrase if P.MEETS in kinds else t.OverlapsPhrase
        direction = "before" if P.BEFORE in kinds else "after" if P.AFTER in kinds else None
        return directed(direction=direction, precision=precision, span=place)
    bounded = t.StartsPhrase if P.STARTS in kinds else t.EndsPhrase
    return bounded(precision=precision, span=place)


def _relative(ctx: Any, left: str | None, quantity: Quantity, place: Span) -> t.TimingPhrase:
    """The rule `relativePhrase` behind `starts` (`left` is start), `ends` (end), or nothing."""
    children = ctx.children
    kinds = _token_types(children)
    right, precision = _boundary(children), _precision(children)
    if P.SAME in kinds:
        relation = next(_CONCURRENT_RELATIONS[kind] for kind in kinds if kind in _CONCURRENT_RELATIONS)
        return t.ConcurrentPhrase(left=left, right=right, relation=relation, precision=precision, span=place)
    if P.DURING in kinds or P.INCLUDED_IN in kinds:
        properly = P.PROPERLY in kinds
        return t.InclusionPhrase(
            operator="included in", properly=properly, left=left, right=None, precision=precision, span=place
        )
    offset = next((quantity(child) for child in children if child.__class__ is P.QuantityContext), None)
    if P.WITHIN in kinds:
        assert offset is not None  # the grammar has one
        return t.WithinPhrase(properly=P.PROPERLY in kinds, offset=offset, left=left, right=right, span=place)
    relation = next((_OFFSET_RELATIONS[kind] for kind in kinds if kind in _OFFSET_RELATIONS), "exactly")
    return t.BeforeOrAfterPhrase(
        direction="before" if P.BEFORE in kinds else "after",
        inclusive=P.ON_OR in kinds or P.OR_ON in kinds,
        left=left,
        right=right,
        offset=offset,
        offset_relation=relation if offset is not None else None,
        precision=precision,
        span=place,
    )


def _token_types(children: list[Any]) -> list[int]:
    return [child.symbol.type for child in children if child.__class__ is TerminalNodeImpl]


def _precision(children: list[Any]) -> str | None:
    for child in children:
        if child.__class__ is P.PrecisionOfContext or child.__class__ is P.PrecisionContext:
            text: str = child.start.text
            return text
    return None


def _boundary(children: list[Any]) -> str | None:
    last = children[-1]
    return last.start.text if last.__class__ is P.BoundaryContext else None
