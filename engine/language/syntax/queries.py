"""Retrieves and queries as syntax nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from antlr4.tree.Tree import TerminalNodeImpl

from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax import tree as t
from engine.language.syntax.messages import nearest_keyword
from engine.language.syntax.names import NameBuilder
from engine.language.syntax.texts import unquote

_COMPARATORS = frozenset((P.IN, P.EQUAL, P.EQUIVALENT))
_DESCENDING = frozenset((P.DESC, P.DESCENDING))


class QueryBuilder(NameBuilder, ABC):
    """The part of the expression builder that builds retrieves and queries, from expressions that the rest builds."""

    below: int

    @abstractmethod
    def expression(self, ctx: Any) -> t.Expression:
        """The rule `expression`."""

    @abstractmethod
    def term(self, ctx: Any) -> t.Expression:
        """The rule `term`."""

    @abstractmethod
    def chain(self, children: list[Any]) -> tuple[t.Expression, int]:
        """Operands and operators of `expression`, nested by precedence; how deep they nest in each other."""

    @abstractmethod
    def grown(self, node: t.Expression, outer: int, own: int) -> t.Expression:
        """`node`, which stands `own` levels above the nodes built since `below` was `outer`."""

    @abstractmethod
    def quantity_or_ratio(self, ctx: Any, negative: bool = False) -> t.Expression:
        """The alternative of `primary` that begins with a number."""

    # ------------------------------------------------------------ retrieves

    def retrieve(self, ctx: Any) -> t.Expression:
        children = ctx.children
        name_place = 3 if children[2].symbol.type == P.ARROW else 1
        context = self.reference(children[1]) if name_place == 3 else None
        code_path = comparator = terminology = None
        if children[-2].__class__ is P.ExpressionContext:
            code_path, comparator, terminology = self.filter(children[-2])
        return t.Retrieve(
            type=self.named_type(children[name_place]),
            context=context,
            code_path=code_path,
            comparator=comparator,
            terminology=terminology,
            span=self.span(ctx.start, ctx.stop),
        )

    def filter(self, ctx: Any) -> tuple[str | None, str | None, t.Expression]:
        """What stands behind the colon: `path in terminology`, where the path is a plain one, or terminology alone."""
        children = ctx.children
        if len(children) > 2 and children[1].__class__ is TerminalNodeImpl:
            operator = children[1].symbol
            path = self.simple_path(children[0]) if operator.type in _COMPARATORS else None
            if path is not None and children[2].__class__ is P.OperandContext:
                outer, self.below = self.below, 0
                node, own = self.chain(children[2:])
                return path, operator.text, self.grown(node, outer, own)
        return None, None, self.expression(ctx)

    def simple_path(self, operand: Any) -> str | None:
        """`a.b[0].c` as text, or None when the operand is more than a path."""
        ctx = operand
        for expected in (P.TermContext, P.UnaryContext):
            ctx = ctx.children[0]
            if ctx.__class__ is not expected or len(ctx.parentCtx.children) != 1:
                return None
        primary, *postfixes = ctx.children
        if primary.__class__ is not P.PrimaryContext or len(primary.children) != 1:
            return None
        first = primary.children[0]
        if first.__class__ is not P.ReferentialIdentifierContext:
            return None
        path = self.name(first)
        for postfix in postfixes:
            children = postfix.children
            if len(children) == 2:
                path = f"{path}.{self.name(children[1])}"
            elif children[0].symbol.type == P.LEFT_BRACKET and children[1].start is children[1].stop:
                path = f"{path}[{children[1].start.text}]"
            else:
                return None
        return path

    # ------------------------------------------------------------ sources

    def query(self, term: Any, ctx: Any) -> t.Expression:
        """A query without `from`: `term` is its first source, `ctx` what follows it."""
        children = ctx.children
        source = t.AliasedSource(
            expression=self.source(term, children[0]),
            alias=self.name(children[0]),
            span=self.span(term.start, children[0].stop),
        )
        others = [self.aliased_source(child) for child in children[2:-1:2]]
        return self.clauses((source, *others), children[-1], term.start, ctx.stop)

    def from_query(self, ctx: Any) -> t.Expression:
        sources = tuple([self.aliased_source(child) for child in ctx.children[1:-1:2]])
        return self.clauses(sources, ctx.children[-1], ctx.start, ctx.stop)

    def source(self, term: Any, alias: Any) -> t.Expression:
        """The first source of a query: a retrieve, a name or a parenthesis, as in `aliasedSource`."""
        node = self.term(term)
        last, first = term.stop.type, term.start.type
        is_retrieve = isinstance(node, t.Retrieve)
        is_name = self.qualified(node) is not None
        is_parenthesis = first == P.LEFT_PARENTHESIS and last == P.RIGHT_PARENTHESIS and self.whole_parenthesis(term)
        if last in (P.NUMBER, P.LONGNUMBER) and not is_parenthesis:
            unit, keyword = alias.start.text, nearest_keyword(alias.start.text)
            hint = f"; did you mean {keyword}?" if keyword is not None else ""
            message = f"a unit is written in single quotes: {term.stop.text} '{unit}'{hint}"
            self.report.at_token(alias.start, "unit-without-quotes", message)
        elif not (is_retrieve or is_name or is_parenthesis):
            self.report.at_token(
                term.start,
                "query-source",
                "the source of a query is a retrieve, a name or an expression in parentheses; put it in parentheses",
            )
        return node

    def whole_parenthesis(self, term: Any) -> bool:
        """Whether the term is one parenthesised expression and nothing else."""
        unary = term.children[0]
        return len(term.children) == 1 and len(unary.children) == 1 and unary.children[0].start is term.start

    def aliased_source(self, ctx: Any) -> t.AliasedSource:
        children = ctx.children
        first = children[0]
        if first.__class__ is P.RetrieveContext:
            expression = self.retrieve(first)
        elif first.__class__ is P.QualifiedReferenceContext:
            expression = self.reference(first)
        else:
            expression = self.expression(children[1])
        return t.AliasedSource(
            expression=expression, alias=self.name(children[-1]), span=self.span(ctx.start, ctx.stop)
        )

    # ------------------------------------------------------------ clauses

    def clauses(self, sources: tuple[t.AliasedSource, ...], ctx: Any, start: Any, stop: Any) -> t.Expression:
        parts: dict[str, Any] = {}
        relationships: list[t.Relationship] = []
        for child in ctx.children or ():
            kind = child.__class__
            if kind is P.WhereClauseContext:
                parts["where"] = self.expression(child.children[1])
            elif kind is P.RelationshipContext:
                relationships.append(self.relationship(child))
            elif kind is P.ReturnClauseContext:
                parts["returns"] = self.return_clause(child)
            elif kind is P.LetClauseContext:
                parts["lets"] = tuple([self.let_item(item) for item in child.children[1::2]])
            elif kind is P.SortClauseContext:
                parts["sort"] = self.sort_clause(child)
            else:
                parts["aggregate"] = self.aggregate_clause(child)
        return t.Query(sources=sources, relationships=tuple(relationships), span=self.span(start, stop), **parts)

    def let_item(self, ctx: Any) -> t.LetItem:
        children = ctx.children
        return t.LetItem(
            name=self.name(children[0]), expression=self.expression(children[2]), span=self.span(ctx.start, ctx.stop)
        )

    def relationship(self, ctx: Any) -> t.Relationship:
        children = ctx.children
        return t.Relationship(
            source=self.aliased_source(children[1]),
            condition=self.expression(children[3]),
            negated=ctx.start.type == P.WITHOUT,
            span=self.span(ctx.start, ctx.stop),
        )

    def return_clause(self, ctx: Any) -> t.ReturnClause:
        children = ctx.children
        distinct = len(children) == 2 or children[1].symbol.type == P.DISTINCT
        expression = self.expression(children[-1])
        return t.ReturnClause(expression=expression, distinct=distinct, span=self.span(ctx.start, ctx.stop))

    def aggregate_clause(self, ctx: Any) -> t.AggregateClause:
        children = ctx.children
        name_place = 1 if children[1].__class__ is P.IdentifierContext else 2
        distinct = name_place == 2 and children[1].symbol.type == P.DISTINCT
        starting = self.starting(children[-3]) if children[-3].__class__ is P.StartingValueContext else None
        return t.AggregateClause(
            name=self.name(children[name_place]),
            starting=starting,
            expression=self.expression(children[-1]),
            distinct=distinct,
            span=self.span(ctx.start, ctx.stop),
        )

    def starting(self, ctx: Any) -> t.Expression:
        children = ctx.children
        if len(children) == 3:
            return self.expression(children[1])
        if children[0].__class__ is P.QuantityContext:
            return self.quantity_or_ratio(ctx)
        return t.StringLiteral(value=unquote(ctx.start.text), span=self.span(ctx.start, ctx.start))

    def sort_clause(self, ctx: Any) -> tuple[t.SortItem, ...]:
        children = ctx.children
        if len(children) == 2:
            direction = children[1]
            descending = direction.start.type in _DESCENDING
            return (
                t.SortItem(expression=None, descending=descending, span=self.span(direction.start, direction.stop)),
            )
        return tuple([self.sort_item(item) for item in children[2::2]])

    def sort_item(self, ctx: Any) -> t.SortItem:
        descending = ctx.stop.type in _DESCENDING and len(ctx.children) == 2
        return t.SortItem(
            expression=self.term(ctx.children[0]), descending=descending, span=self.span(ctx.start, ctx.stop)
        )
