"""Names, references and type specifiers as syntax nodes, and the spans of parse tree nodes."""

from __future__ import annotations

from typing import Any

from antlr4.tree.Tree import TerminalNodeImpl

from engine.errors import Span
from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax import tree as t
from engine.language.syntax.reporting import Reporter, token_span
from engine.language.syntax.texts import unquote

_QUOTED = frozenset((P.QUOTEDIDENTIFIER, P.DELIMITEDIDENTIFIER, P.STRING))
_TYPE_WORDS = frozenset((P.CODE_TYPE, P.CONCEPT_TYPE))


class NameBuilder:
    """What every part of the builder needs: spans, names, types."""

    report: Reporter

    def span(self, start: Any, stop: Any) -> Span:
        """From the first character of one token to the last of another."""
        last = token_span(stop)
        return Span(start.line, start.column + 1, last.end_line, last.end_column)

    def nothing(self, token: Any) -> t.Expression:
        """Stands where a mistake left no expression; never leaves this room."""
        return t.NullLiteral(span=token_span(token))

    def name(self, ctx: Any) -> str:
        """The name a rule of one token reads, without quotes."""
        token = ctx.start if ctx.__class__ is not TerminalNodeImpl else ctx.symbol
        text: str = token.text
        return unquote(text) if token.type in _QUOTED else text

    def member(self, ctx: Any, chain: Any) -> str:
        """The name of an element behind a dot: no reserved word, unless it ends the name of a type before `{`."""
        if ctx.children[0].__class__ is TerminalNodeImpl:
            last = chain.children[-1]
            is_type = ctx.start.type in _TYPE_WORDS and last.start.type == P.LEFT_BRACE
            if not is_type:
                word = ctx.start.text
                self.report.at_token(
                    ctx.start,
                    "reserved-word",
                    f'{word} is a reserved word; as a name it is written in quotes: "{word}"',
                )
        return self.name(ctx)

    def dotted(self, ctx: Any) -> tuple[str, ...]:
        """The parts of `a.b.c`."""
        return tuple([self.name(child) for child in ctx.children[::2]])

    def qualified(self, node: t.Expression) -> tuple[str, ...] | None:
        """The parts of a name written as identifiers and members; None for any other expression."""
        parts: list[str] = []
        while isinstance(node, t.Member):
            parts.append(node.name)
            node = node.target
        return (node.name, *reversed(parts)) if isinstance(node, t.Identifier) else None

    def reference(self, ctx: Any) -> t.Expression:
        """`a.b.c` as an expression."""
        first = ctx.children[0]
        node: t.Expression = t.Identifier(name=self.name(first), span=self.span(first.start, first.stop))
        for part in ctx.children[2::2]:
            node = t.Member(target=node, name=self.name(part), span=self.span(first.start, part.stop))
        return node

    def display(self, ctx: Any) -> str | None:
        return unquote(ctx.children[1].symbol.text) if ctx.__class__ is P.DisplayContext else None

    # ------------------------------------------------------------ types

    def named_type(self, ctx: Any) -> t.NamedTypeSpecifier:
        return t.NamedTypeSpecifier(name=self.dotted(ctx), span=self.span(ctx.start, ctx.stop))

    def type_specifier(self, ctx: Any) -> t.TypeSpecifier:
        children = ctx.children
        if len(children) == 1:
            return self.named_type(children[0])
        span = self.span(ctx.start, ctx.stop)
        kind = ctx.start.type
        if kind == P.LIST:
            return t.ListTypeSpecifier(element=self.type_specifier(children[2]), span=span)
        if kind == P.INTERVAL:
            return t.IntervalTypeSpecifier(point=self.type_specifier(children[2]), span=span)
        if kind == P.CHOICE:
            alternatives = tuple([self.type_specifier(child) for child in children[2:-1:2]])
            return t.ChoiceTypeSpecifier(alternatives=alternatives, span=span)
        elements = [(self.name(c.children[0]), self.type_specifier(c.children[1])) for c in children[2:-1:2]]
        return t.TupleTypeSpecifier(elements=tuple(elements), span=span)
