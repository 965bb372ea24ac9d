"""The parse tree of an expression made into syntax nodes; what the grammar leaves open is checked on the way.

Each method takes one parse tree node of the rule it is named after. Children are taken by their place, which the
grammar fixes: ANTLR's accessors search, and this runs for every name in a library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antlr4.tree.Tree import TerminalNodeImpl

from engine.errors import Span
from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax import precedence
from engine.language.syntax import tree as t
from engine.language.syntax.precedence import INFIX, Chain
from engine.language.syntax.queries import QueryBuilder
from engine.language.syntax.reporting import Reporter
from engine.language.syntax.texts import unquote
from engine.language.syntax.timing import timing_phrase

HEIGHT_LIMIT = 200
"""How many nodes deep a tree may be: chains that must nest (`a.b.c`, `- - x`, `1 + 2 - 3`) count with the brackets."""

_INTEGER_DIGITS, _LONG_DIGITS = 10, 19
_INTEGER_END, _LONG_END = 2**31, 2**63
_QUANTITY_ONE = "1"


def singular(word: str) -> str:
    """The precision a word names: `days` → `day`."""
    return word[:-1] if word.endswith("s") else word


class ExpressionBuilder(QueryBuilder):
    """Builds expressions; `below` is the height of the highest node built so far within the node being built."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self.below = 0
        self._primaries: dict[type, Callable[[Any], t.Expression]] = {
            P.ReferentialIdentifierContext: self.invocation,
            P.QuantityContext: self.quantity_or_ratio,
            P.RetrieveContext: lambda ctx: self.retrieve(ctx.children[0]),
            P.CodeSelectorContext: lambda ctx: self.code_selector(ctx.children[0]),
            P.PluralPrecisionContext: lambda ctx: self.elapsed_between(ctx, "duration", 0),
        }
        self._tokens: dict[int, Callable[[Any], t.Expression]] = {
            P.STRING: lambda ctx: t.StringLiteral(value=unquote(ctx.start.text), span=self.span(ctx.start, ctx.start)),
            P.NULL: lambda ctx: t.NullLiteral(span=self.span(ctx.start, ctx.start)),
            P.TRUE: lambda ctx: t.BooleanLiteral(value=True, span=self.span(ctx.start, ctx.start)),
            P.FALSE: lambda ctx: t.BooleanLiteral(value=False, span=self.span(ctx.start, ctx.start)),
            P.LONGNUMBER: self.long_number,
            P.DATE_LITERAL: lambda ctx: self.temporal(ctx, "Date", 1),
            P.DATETIME_LITERAL: lambda ctx: self.temporal(ctx, "DateTime", 1),
            P.TIME_LITERAL: lambda ctx: self.temporal(ctx, "Time", 2),
            P.PERCENT: self.external_constant,
            P.LEFT_PARENTHESIS: lambda ctx: self.expression(ctx.children[1]),
            P.INTERVAL: self.interval,
            P.TUPLE: lambda ctx: self.tuple_selector(ctx, ctx.children[1:]),
            P.LEFT_BRACE: self.braces,
            P.LIST: self.list_selector,
            P.CODE_TYPE: lambda ctx: self.instance(ctx, ("Code",), ctx.start, ctx.start, ctx.children[2:-1]),
            P.CONCEPT_TYPE: self.concept,
            P.IF: self.conditional,
            P.CASE: self.case,
            P.CONVERT: self.conversion,
            P.DISTINCT: self.unary_list,
            P.FLATTEN: self.unary_list,
            P.EXPAND: self.set_operation,
            P.COLLAPSE: self.set_operation,
            P.MINIMUM: self.extreme,
            P.MAXIMUM: self.extreme,
            P.DURATION: lambda ctx: self.elapsed_between(ctx, "duration", 2),
            P.DIFFERENCE: lambda ctx: self.elapsed_between(ctx, "difference", 2),
            P.DOLLAR_THIS: self.special,
            P.DOLLAR_INDEX: self.special,
            P.DOLLAR_TOTAL: self.special,
        }

    def single(self, ctx: Any) -> t.Expression:
        """The rule `singleExpression`."""
        return self.expression(ctx.children[0])

    # ------------------------------------------------------------ chains

    def expression(self, ctx: Any) -> t.Expression:
        outer, self.below = self.below, 0
        children = ctx.children
        first = children[0].children
        if len(children) == 1 and len(first) == 1 and first[0].__class__ is P.TermContext:
            node, own = self.term(first[0]), 0
        else:
            node, own = self.chain(children)
        return self.grown(node, outer, own)

    def grown(self, node: t.Expression, outer: int, own: int) -> t.Expression:
        """`node`, which stands `own` levels above the nodes built since `below` was `outer`; refused when too high."""
        height = self.below + own
        if height > HEIGHT_LIMIT:
            self.report.at(
                node.span,
                "nesting-too-deep",
                f"operators nest more than {HEIGHT_LIMIT} deep here; name a part of it with a definition of its own",
            )
        self.below = max(outer, height + 1)
        return node

    def chain(self, children: list[Any]) -> tuple[t.Expression, int]:
        """Operands and operators of `expression`, nested by precedence; how deep they nest in each other."""
        chain = Chain(self.span)
        self.operand(chain, children[0])
        place, end = 1, len(children)
        while place < end:
            child = children[place]
            if child.__class__ is P.TimingPhraseContext:
                self.timing(chain, child)
                place += 1
            elif child.symbol.text in INFIX:
                chain.infix(child.symbol.text, child.symbol)
                place += 1
            else:
                place = self._other_operator(chain, children, place)
                continue
            self.operand(chain, children[place])
            place += 1
        whole = chain.finish()
        if whole is None:
            self.report.at_token(
                chain.open_cast(), "expected", "this cast has no end: expected `as` and a type behind it"
            )
            return self.nothing(chain.open_cast()), 0
        return whole.node, whole.height

    def operand(self, chain: Chain, ctx: Any) -> None:
        children = ctx.children
        place = 0
        while children[place].__class__ is TerminalNodeImpl:
            token = children[place].symbol
            chain.prefix(token.text, token)
            place += 1
        source = children[place]
        if source.__class__ is P.FromQueryContext:
            node: t.Expression = self.from_query(source)
        elif place + 1 < len(children):
            node = self.query(source, children[place + 1])
        else:
            node = self.term(source)
        chain.operand(node, source.start, ctx.stop)

    def _other_operator(self, chain: Chain, children: list[Any], place: int) -> int:
        """`is`, `as`, `between`, `in`, `contains`, with what belongs to them; the place behind."""
        kind = children[place].symbol.type
        if kind in (P.IN, P.CONTAINS):
            return self._membership(chain, children, place)
        if kind in (P.BETWEEN, P.PROPERLY):
            properly = bool(kind == P.PROPERLY)
            first = place + properly + 1
            low, high = self.bound(children[first]), self.bound(children[first + 2])

            def between(node: t.Expression, span: Span) -> t.Expression:
                return t.Between(operand=node, low=low, high=high, properly=properly, span=span)

            chain.suffix(precedence.BETWEEN, children[first + 2].stop, between)
            return first + 3
        following = children[place + 1]
        if following.__class__ is P.TypeSpecifierContext:
            specifier = self.type_specifier(following)
            if kind == P.IS:
                chain.suffix(
                    precedence.TEST,
                    following.stop,
                    lambda node, span: t.TypeTest(operand=node, type=specifier, span=span),
                )
            elif not chain.close_cast(following.stop, specifier):
                chain.suffix(
                    precedence.TEST,
                    following.stop,
                    lambda node, span: t.Cast(operand=node, type=specifier, strict=False, span=span),
                )
            return place + 2
        return self._truth_test(chain, children, place)

    def _truth_test(self, chain: Chain, children: list[Any], place: int) -> int:
        negated = bool(children[place + 1].symbol.type == P.NOT)
        last = children[place + 1 + negated].symbol
        operator = f"is not {last.text}" if negated else f"is {last.text}"
        chain.suffix(
            precedence.TEST, last, lambda node, span: t.Operation(operator=operator, operands=(node,), span=span)
        )
        return place + 2 + negated

    def _membership(self, chain: Chain, children: list[Any], place: int) -> int:
        token = children[place].symbol
        precision = None
        place += 1
        if children[place].__class__ is P.PrecisionOfContext:
            precision = children[place].start.text
            place += 1

        def member(left: t.Expression, right: t.Expression, span: Span) -> t.Expression:
            return t.Membership(operator=token.text, left=left, right=right, precision=precision, span=span)

        chain.join(precedence.MEMBERSHIP, token, member)
        self.operand(chain, children[place])
        return place + 1

    def timing(self, chain: Chain, ctx: Any) -> None:
        phrase = timing_phrase(ctx, self.quantity, self.span)

        def timed(left: t.Expression, right: t.Expression, span: Span) -> t.Expression:
            return t.Timing(left=left, phrase=phrase, right=right, span=span)

        chain.join(precedence.TIMING, ctx.start, timed)

    def bound(self, ctx: Any) -> t.Expression:
        """An end of `between`."""
        return self.term(ctx.children[0])

    def term(self, ctx: Any) -> t.Expression:
        children = ctx.children
        if len(children) == 1:
            return self.unary(children[0])
        outer, self.below = self.below, 0
        chain = Chain(self.span)
        chain.operand(self.unary(children[0]), children[0].start, children[0].stop)
        for operator, operand in zip(children[1::2], children[2::2], strict=True):
            chain.infix(operator.symbol.text, operator.symbol)
            chain.operand(self.unary(operand), operand.start, operand.stop)
        whole = chain.finish()
        assert whole is not None  # no `cast` in a term
        return self.grown(whole.node, outer, whole.height)

    # ------------------------------------------------------------ prefixes and what follows a primary

    def unary(self, ctx: Any) -> t.Expression:
        children = ctx.children
        if len(children) == 1:
            return self.primary(children[0])
        outer, self.below = self.below, 0
        first = 0
        while children[first].__class__ is P.UnaryOperatorContext:
            first += 1
        primary = children[first]
        negative = first > 0 and first + 1 == len(children) and children[first - 1].start.type == P.MINUS
        node = self.primary(primary, negative)
        previous = primary
        for postfix in children[first + 1 :]:
            node = self.postfix(node, postfix, primary.start, previous)
            previous = postfix
        for operator in reversed(children[:first]):
            node = self.unary_operator(operator, node, ctx.stop)
        return self.grown(node, outer, len(children) - 1)

    def unary_operator(self, ctx: Any, operand: t.Expression, stop: Any) -> t.Expression:
        token = ctx.start
        kind, span = token.type, self.span(token, stop)
        if kind in (P.PLUS, P.MINUS):
            return t.Operation(operator="negate" if kind == P.MINUS else "positive", operands=(operand,), span=span)
        if kind in (P.START, P.END, P.WIDTH):
            return t.Operation(operator=f"{token.text} of", operands=(operand,), span=span)
        if kind in (P.SUCCESSOR, P.PREDECESSOR):
            return t.Operation(operator=token.text, operands=(operand,), span=span)
        if kind in (P.SINGLETON, P.POINT):
            return t.Operation(operator=f"{token.text} from", operands=(operand,), span=span)
        if kind in (P.DURATION, P.DIFFERENCE):
            precision = singular(ctx.children[2].start.text)
            return t.ElapsedOf(kind=token.text, precision=precision, operand=operand, span=span)
        return t.ComponentFrom(component=token.text, operand=operand, span=span)

    def postfix(self, target: t.Expression, ctx: Any, start: Any, before: Any) -> t.Expression:
        """`.name`, `.name(…)`, `[index]` or `{…}` behind `target`, which begins at `start` and ends with `before`."""
        children, span = ctx.children, self.span(start, ctx.stop)
        kind = ctx.start.type
        if kind == P.LEFT_BRACKET:
            return t.Index(target=target, index=self.expression(children[1]), span=span)
        if kind == P.LEFT_BRACE:
            name = self.qualified(target)
            if name is None:
                self.report.at_token(
                    ctx.start,
                    "instance-type",
                    "only the name of a type can stand before { : Name { element: value, … }",
                )
            return self.instance(ctx, name or (), start, before.stop, children[1:-1])
        name_ctx = children[1]
        if len(children) == 3:
            return t.FunctionCall(
                target=target, name=self.name(name_ctx), arguments=self.arguments(children[2]), span=span
            )
        return t.Member(target=target, name=self.member(name_ctx, ctx.parentCtx), span=span)

    def arguments(self, ctx: Any) -> tuple[t.Expression, ...]:
        return tuple([self.expression(child) for child in ctx.children[1:-1:2]])

    # ------------------------------------------------------------ primaries

    def primary(self, ctx: Any, negative: bool = False) -> t.Expression:
        first = ctx.children[0]
        make = self._primaries.get(first.__class__)
        if make is None:
            kind = first.symbol.type
            if kind == P.LONGNUMBER:
                return self.long_number(ctx, negative)
            return self._tokens[kind](ctx)
        if negative and first.__class__ is P.QuantityContext:
            return self.quantity_or_ratio(ctx, negative)
        return make(ctx)

    def invocation(self, ctx: Any) -> t.Expression:
        children = ctx.children
        name, span = self.name(children[0]), self.span(ctx.start, ctx.stop)
        if len(children) == 1:
            return t.Identifier(name=name, span=span)
        return t.FunctionCall(target=None, name=name, arguments=self.arguments(children[1]), span=span)

    def quantity_or_ratio(self, ctx: Any, negative: bool = False) -> t.Expression:
        children = ctx.children
        if len(children) == 3:
            numerator, denominator = self.quantity(children[0]), self.quantity(children[2])
            return t.RatioLiteral(numerator=numerator, denominator=denominator, span=self.span(ctx.start, ctx.stop))
        quantity = children[0]
        if len(quantity.children) == 2:
            return self.quantity(quantity)
        text, span = ctx.start.text, self.span(ctx.start, ctx.start)
        if "." in text:
            return t.NumberLiteral(kind="Decimal", text=text, span=span)
        if len(text) >= _INTEGER_DIGITS:
            self._within(
                text, _INTEGER_END, negative, span, "an Integer ends at 2147483647; write a Long (1L) or a Decimal"
            )
        return t.NumberLiteral(kind="Integer", text=text, span=span)

    def long_number(self, ctx: Any, negative: bool = False) -> t.Expression:
        text, span = ctx.start.text[:-1], self.span(ctx.start, ctx.start)
        if len(text) >= _LONG_DIGITS:
            self._within(text, _LONG_END, negative, span, "a Long ends at 9223372036854775807; write a Decimal")
        return t.NumberLiteral(kind="Long", text=text, span=span)

    def _within(self, text: str, end: int, negative: bool, span: Span, message: str) -> None:
        """Report a whole number that no literal can be: `end` itself is one only behind a minus."""
        digits = text.lstrip("0")
        if len(digits) > _LONG_DIGITS or int(digits or "0") > (end if negative else end - 1):
            self.report.at(span, "number-out-of-range", message)

    def quantity(self, ctx: Any) -> t.QuantityLiteral:
        children = ctx.children
        unit = self.unit(children[1]) if len(children) == 2 else None
        return t.QuantityLiteral(text=ctx.start.text, unit=unit, span=self.span(ctx.start, ctx.stop))

    def unit(self, ctx: Any) -> str:
        token = ctx.start
        return unquote(token.text) if token.type == P.STRING else token.text

    def temporal(self, ctx: Any, kind: str, skip: int) -> t.Expression:
        return t.TemporalLiteral(kind=kind, text=ctx.start.text[skip:], span=self.span(ctx.start, ctx.start))

    def special(self, ctx: Any) -> t.Expression:
        return t.SpecialIdentifier(name=ctx.start.text[1:], span=self.span(ctx.start, ctx.start))

    def external_constant(self, ctx: Any) -> t.Expression:
        return t.ExternalConstant(name=self.name(ctx.children[1]), span=self.span(ctx.start, ctx.stop))

    # ------------------------------------------------------------ selectors

    def interval(self, ctx: Any) -> t.Expression:
        children = ctx.children
        return t.IntervalSelector(
            low=self.expression(children[2]),
            high=self.expression(children[4]),
            low_closed=children[1].symbol.type == P.LEFT_BRACKET,
            high_closed=children[5].symbol.type == P.RIGHT_BRACKET,
            span=self.span(ctx.start, ctx.stop),
        )

    def braces(self, ctx: Any) -> t.Expression:
        """`{…}`: a tuple when it is `{:}` or its elements have keys, else a list."""
        elements = ctx.children[1:-1]
        if elements and (elements[0].__class__ is TerminalNodeImpl or len(elements[0].children) == 3):
            return self.tuple_selector(ctx, ctx.children)
        for element in elements[::2]:
            if len(element.children) == 3:
                self.report.at_token(
                    element.start, "mixed-elements", "a list has no keys; a tuple has one for each element"
                )
        values = tuple([self.expression(element.children[0]) for element in elements[::2]])
        return t.ListSelector(element_type=None, elements=values, span=self.span(ctx.start, ctx.stop))

    def tuple_selector(self, ctx: Any, braces: list[Any]) -> t.Expression:
        """`braces` runs from `{` to `}`."""
        if len(braces) == 2:
            self.report.at_token(braces[0].symbol, "empty-tuple", "a tuple without elements is written Tuple { : }")
        return t.TupleSelector(elements=self.elements(braces[1:-1]), span=self.span(ctx.start, ctx.stop))

    def elements(self, children: list[Any]) -> tuple[t.ElementSelector, ...]:
        """`key: value, …`, or the lone `:`."""
        if children and children[0].__class__ is TerminalNodeImpl:
            return ()
        return tuple([self.element(child) for child in children[::2]])

    def element(self, ctx: Any) -> t.ElementSelector:
        key = self.expression(ctx.children[0])
        if (
            len(ctx.children) == 1
            or not isinstance(key, t.Identifier)
            or ctx.children[0].start is not ctx.children[0].stop
        ):
            self.report.at(key.span, "element-name", "expected the name of an element, a colon and its value here")
            return t.ElementSelector(name="", value=key, span=key.span)
        value = self.expression(ctx.children[2])
        return t.ElementSelector(name=key.name, value=value, span=self.span(ctx.start, ctx.stop))

    def instance(self, ctx: Any, name: tuple[str, ...], start: Any, stop: Any, elements: list[Any]) -> t.Expression:
        type_specifier = t.NamedTypeSpecifier(name=name, span=self.span(start, stop))
        return t.InstanceSelector(
            type=type_specifier, elements=self.elements(elements), span=self.span(start, ctx.stop)
        )

    def concept(self, ctx: Any) -> t.Expression:
        children = ctx.children
        if children[2].__class__ is P.CodeSelectorContext:
            codes = tuple([self.code_selector(c) for c in children[2:] if c.__class__ is P.CodeSelectorContext])
            display = self.display(children[-1])
            return t.ConceptSelector(codes=codes, display=display, span=self.span(ctx.start, ctx.stop))
        if children[-1].__class__ is P.DisplayContext:
            self.report.at_token(
                children[-1].start, "unexpected", "`display` stands only behind a concept of Code '…' from …"
            )
            children = children[:-1]
        return self.instance(ctx, ("Concept",), ctx.start, ctx.start, children[2:-1])

    def code_selector(self, ctx: Any) -> t.CodeSelector:
        children = ctx.children
        return t.CodeSelector(
            code=unquote(children[1].symbol.text),
            system=self.reference(children[3]),
            display=self.display(children[-1]),
            span=self.span(ctx.start, ctx.stop),
        )

    def list_selector(self, ctx: Any) -> t.Expression:
        children = ctx.children
        typed = children[1].symbol.type == P.LESS
        values = children[5:-1:2] if typed else children[2:-1:2]
        return t.ListSelector(
            element_type=self.type_specifier(children[2]) if typed else None,
            elements=tuple([self.expression(value) for value in values]),
            span=self.span(ctx.start, ctx.stop),
        )

    # ------------------------------------------------------------ keyword forms

    def conditional(self, ctx: Any) -> t.Expression:
        children = ctx.children
        return t.Conditional(
            condition=self.expression(children[1]),
            then=self.expression(children[3]),
            otherwise=self.expression(children[5]),
            span=self.span(ctx.start, ctx.stop),
        )

    def case(self, ctx: Any) -> t.Expression:
        parts = [self.expression(child) for child in ctx.children if child.__class__ is P.ExpressionContext]
        comparand = parts.pop(0) if len(parts) % 2 == 0 else None
        items = tuple(zip(parts[:-1:2], parts[1:-1:2], strict=True))
        return t.Case(comparand=comparand, items=items, otherwise=parts[-1], span=self.span(ctx.start, ctx.stop))

    def conversion(self, ctx: Any) -> t.Expression:
        operand, target = self.expression(ctx.children[1]), ctx.children[3]
        to_type = target.__class__ is P.TypeSpecifierContext
        return t.Conversion(
            operand=operand,
            type=self.type_specifier(target) if to_type else None,
            unit=None if to_type else self.unit(target),
            span=self.span(ctx.start, ctx.stop),
        )

    def unary_list(self, ctx: Any) -> t.Expression:
        operand = self.expression(ctx.children[1])
        return t.Operation(operator=ctx.start.text, operands=(operand,), span=self.span(ctx.start, ctx.stop))

    def set_operation(self, ctx: Any) -> t.Expression:
        children = ctx.children
        operand = self.expression(children[1])
        per: t.Expression | None = None
        if len(children) == 4 and children[3].__class__ is P.PrecisionContext:
            word = children[3].start
            per = t.QuantityLiteral(text=_QUANTITY_ONE, unit=word.text, span=self.span(word, word))
        elif len(children) == 4:
            per = self.expression(children[3])
        return t.SetOperation(operator=ctx.start.text, operand=operand, per=per, span=self.span(ctx.start, ctx.stop))

    def extreme(self, ctx: Any) -> t.Expression:
        type_specifier = self.named_type(ctx.children[1])
        return t.Extreme(kind=ctx.start.text, type=type_specifier, span=self.span(ctx.start, ctx.stop))

    def elapsed_between(self, ctx: Any, kind: str, place: int) -> t.Expression:
        children = ctx.children
        return t.ElapsedBetween(
            kind=kind,
            precision=singular(children[place].start.text),
            low=self.bound(children[place + 2]),
            high=self.bound(children[place + 4]),
            span=self.span(ctx.start, ctx.stop),
        )
