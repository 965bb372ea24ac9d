"""The parse tree of a library made into its syntax tree: the definitions in their kinds, each with its tags."""

from __future__ import annotations

from typing import Any

from antlr4.tree.Tree import TerminalNodeImpl

from engine.errors import Span
from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax import tree as t
from engine.language.syntax.expressions import ExpressionBuilder
from engine.language.syntax.reporting import Reporter
from engine.language.syntax.scanning import Scan
from engine.language.syntax.tags import read_tags
from engine.language.syntax.texts import unquote

_COLLECTIONS: dict[type, str] = {
    t.UsingDefinition: "usings",
    t.IncludeDefinition: "includes",
    t.CodeSystemDefinition: "code_systems",
    t.ValueSetDefinition: "value_sets",
    t.CodeDefinition: "codes",
    t.ConceptDefinition: "concepts",
    t.ParameterDefinition: "parameters",
    t.ContextDefinition: "contexts",
    t.ExpressionDefinition: "expressions",
    t.FunctionDefinition: "functions",
}


class LibraryBuilder(ExpressionBuilder):
    """Builds the definitions of one library, in order."""

    def __init__(self, scanned: Scan, report: Reporter) -> None:
        super().__init__(report)
        self.comments = scanned.comments
        self.tokens = scanned.stream.tokens
        self.context: str | None = None
        self._definitions = {
            P.USING: self.using,
            P.INCLUDE: self.include,
            P.PARAMETER: self.parameter,
            P.CODESYSTEM: self.code_system,
            P.VALUESET: self.value_set,
            P.CODE: self.code,
            P.CONCEPT: self.concept_definition,
        }

    def library(self, ctx: Any) -> t.Library:
        """The rule `library`."""
        name = version = None
        tags: tuple[t.Tag, ...] = ()
        found: dict[str, list[t.Node]] = {collection: [] for collection in _COLLECTIONS.values()}
        stated = False
        for child in ctx.children[:-1]:
            kind = child.__class__
            if kind is P.LibraryDefinitionContext:
                name, version = ".".join(self.dotted(child.children[1])), self.version(child.children)
                tags = self.tags(child.start)
                continue
            if kind is P.StatementContext:
                stated = True
                node = self.statement(child)
            else:
                node = self.definition(child)
                if stated:
                    self.report.at_token(
                        child.start,
                        "definition-order",
                        f"{child.start.text} comes too late: it belongs before the first define or context statement",
                    )
                if name is None and not tags and isinstance(node, t.UsingDefinition):
                    tags = node.tags
            found[_COLLECTIONS[type(node)]].append(node)
        parts: dict[str, Any] = {collection: tuple(nodes) for collection, nodes in found.items()}
        whole = self._whole(ctx)
        return t.Library(
            name=name, version=version, tags=tags, span=whole, source=self.report.source, text=self.report.text, **parts
        )

    def _whole(self, ctx: Any) -> Span:
        if len(ctx.children) == 1:
            return Span(1, 1, 1, 1)
        return self.span(ctx.start, ctx.children[-2].stop)

    def tags(self, token: Any) -> tuple[t.Tag, ...]:
        """The tags of the comments between `token` and the token before it."""
        comments = self.comments.get(token.tokenIndex)
        if comments is None:
            return ()
        last = 0
        if token.tokenIndex > 0:
            previous = self.tokens[token.tokenIndex - 1]
            last = self.span(previous, previous).end_line
        return read_tags((c.text, c.line, c.column) for c in comments if c.line > last)

    def version(self, children: list[Any]) -> str | None:
        for child in children:
            if child.__class__ is P.VersionContext:
                return unquote(child.children[1].symbol.text)
        return None

    # ------------------------------------------------------------ definitions

    def definition(self, ctx: Any) -> t.Definition:
        children = ctx.children
        access = "public"
        if children[0].__class__ is P.AccessModifierContext:
            access, children = children[0].start.text, children[1:]
        name = children[1]
        common: dict[str, Any] = {
            "name": self.name(name),
            "name_span": self.span(name.start, name.stop),
            "access": access,
            "tags": self.tags(ctx.start),
            "span": self.span(ctx.start, ctx.stop),
        }
        return self._definitions[children[0].symbol.type](children, common)

    def called(self, children: list[Any], common: dict[str, Any]) -> None:
        """Put the local name after `called`, if any, in the place of the name."""
        if children[-1].__class__ is P.CalledContext:
            local = children[-1].children[1]
            common["name"], common["name_span"] = self.name(local), self.span(local.start, local.stop)

    def using(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        model = common["name"]
        self.called(children, common)
        return t.UsingDefinition(model=model, version=self.version(children), **common)

    def include(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        parts = children[1].children
        common["name"], common["name_span"] = self.name(parts[-1]), self.span(parts[-1].start, parts[-1].stop)
        self.called(children, common)
        library = ".".join(self.dotted(children[1]))
        return t.IncludeDefinition(library=library, version=self.version(children), **common)

    def parameter(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        specifier = default = None
        for child in children[2:]:
            if child.__class__ is P.TypeSpecifierContext:
                specifier = self.type_specifier(child)
            elif child.__class__ is P.ExpressionContext:
                default = self.expression(child)
        return t.ParameterDefinition(type=specifier, default=default, **common)

    def code_system(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        return t.CodeSystemDefinition(id=unquote(children[3].symbol.text), version=self.version(children), **common)

    def value_set(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        last = children[-1]
        systems = last.children[2:-1:2] if last.__class__ is P.CodesystemsContext else ()
        return t.ValueSetDefinition(
            id=unquote(children[3].symbol.text),
            version=self.version(children),
            code_systems=tuple([self.reference(system) for system in systems]),
            **common,
        )

    def code(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        return t.CodeDefinition(
            id=unquote(children[3].symbol.text),
            system=self.reference(children[5]),
            display=self.display(children[-1]),
            **common,
        )

    def concept_definition(self, children: list[Any], common: dict[str, Any]) -> t.Definition:
        codes = [self.reference(child) for child in children if child.__class__ is P.ReferenceContext]
        return t.ConceptDefinition(codes=tuple(codes), display=self.display(children[-1]), **common)

    # ------------------------------------------------------------ statements

    def statement(self, ctx: Any) -> t.Node:
        children = ctx.children
        span = self.span(ctx.start, ctx.stop)
        if ctx.start.type == P.CONTEXT:
            *model, name = self.dotted(children[1])
            self.context = name
            return t.ContextDefinition(model=model[0] if model else None, name=name, span=span)
        access = children[1].start.text if children[1].__class__ is P.AccessModifierContext else "public"
        common: dict[str, Any] = {"access": access, "tags": self.tags(ctx.start), "span": span, "context": self.context}
        last = children[-1]
        if last.__class__ is P.FunctionDefinitionContext:
            return self.function(last, common)
        name_ctx = children[-3]
        return t.ExpressionDefinition(
            name=self.name(name_ctx),
            name_span=self.span(name_ctx.start, name_ctx.stop),
            expression=self.expression(last),
            **common,
        )

    def function(self, ctx: Any, common: dict[str, Any]) -> t.Definition:
        children = ctx.children
        fluent = ctx.start.type == P.FLUENT
        name = children[2 if fluent else 1]
        operands: list[t.OperandDefinition] = []
        returns = None
        for child in children:
            if child.__class__ is P.OperandDefinitionContext:
                operands.append(self.operand_definition(child))
            elif child.__class__ is P.TypeSpecifierContext:
                returns = self.type_specifier(child)
        body = children[-1]
        return t.FunctionDefinition(
            name=self.name(name),
            name_span=self.span(name.start, name.stop),
            operands=tuple(operands),
            returns=returns,
            body=None if body.__class__ is TerminalNodeImpl else self.expression(body),
            fluent=fluent,
            **common,
        )

    def operand_definition(self, ctx: Any) -> t.OperandDefinition:
        return t.OperandDefinition(
            name=self.name(ctx.children[0]),
            type=self.type_specifier(ctx.children[1]),
            span=self.span(ctx.start, ctx.stop),
        )
