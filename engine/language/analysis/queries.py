"""Queries and retrieves (Author's Guide "Queries"; Developer's Guide "Introducing Scoped Definitions in Queries")."""

from __future__ import annotations

from engine.language.analysis.base import AnalyserBase
from engine.language.analysis.conversions import ERROR
from engine.language.analysis.scope import THIS, Frame
from engine.language.elm import nodes as elm
from engine.language.syntax import tree
from engine.language.types.datatype import (
    ANY,
    CODE,
    CODESYSTEM,
    CONCEPT,
    INTEGER,
    STRING,
    VALUESET,
    DataType,
    ListType,
    NamedType,
    TupleType,
)


class QueryRules(AnalyserBase):
    """Analysis of queries and retrieves."""

    def element_type(self, datatype: DataType, name: str) -> DataType | None:
        raise NotImplementedError

    def is_point_type(self, datatype: DataType) -> bool:
        raise NotImplementedError

    # ------------------------------------------------------------ retrieve

    def retrieve(self, node: tree.Retrieve) -> elm.Expression:
        datatype = self.type_specifier(node.type)
        if datatype == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        if not isinstance(datatype, NamedType) or datatype.is_system:
            shown = self.type_name(datatype)
            return self.error(node.span, "not-retrievable", f"{shown} is no type that can be retrieved")
        info = self.models[datatype.model].class_info(datatype.name)
        if info is None or not info.retrievable:
            shown = self.type_name(datatype)
            return self.error(node.span, "not-retrievable", f"{shown} cannot be retrieved")
        person = self.expression(node.context) if node.context is not None else None
        path = node.code_path
        codes: elm.Expression | None = None
        comparator: str | None = None
        if node.terminology is not None:
            path = path or info.code_path
            if path is None:
                shown = self.type_name(datatype)
                return self.error(node.span, "no-code-path", f"{shown} has no default code element; name one")
            if node.code_path is not None and self.element_type(datatype, path) is None:
                shown = self.type_name(datatype)
                close = self.suggestion(path, info.elements)
                return self.error(node.span, "unknown-element", f"{shown} has no element '{path}'{close}")
            codes, comparator = self._codes(node)
            if codes.result_type == ERROR:
                return codes
        return elm.Retrieve(
            model=datatype.model, data_type=datatype.name, code_property=path, comparator=comparator, codes=codes,
            person=person, context=self.context, result_type=ListType(datatype), span=node.span,
        )  # fmt: skip

    def _codes(self, node: tree.Retrieve) -> tuple[elm.Expression, str]:
        assert node.terminology is not None
        codes = self.expression(node.terminology)
        datatype = codes.result_type
        if datatype == ERROR:
            return codes, "in"
        if datatype in (VALUESET, CODESYSTEM):
            return codes, "in"
        if datatype in (CODE, CONCEPT):
            return codes, node.comparator or "~"
        for target in (ListType(CODE), ListType(CONCEPT), ListType(STRING), CODE, CONCEPT, STRING):
            step = self.conversions.find(datatype, target)
            if step is not None:
                plural = isinstance(target, ListType)
                return step.build(codes), "in" if plural else (node.comparator or "~")
        shown = self.type_name(datatype)
        message = f"a retrieve is filtered by a value set, code, concept or list of codes, not by {shown}"
        return self.error(node.terminology.span, "type-mismatch", message), "in"

    # ------------------------------------------------------------ query

    def query(self, node: tree.Query) -> elm.Expression:
        sources = [self._source(s) for s in node.sources]
        if any(s is None for s in sources):
            if node.sources[0].alias != THIS:
                self._visit_failed(node)
            return elm.Null(result_type=ERROR, span=node.span)
        bound = [s for s in sources if s is not None]
        frame = Frame()
        for source in bound:
            self._declare(frame, source, node.sources[bound.index(source)])
        with self.scopes.inside(frame):
            lets = tuple(self._let(item, frame) for item in node.lets)
            relationships = tuple(r for r in (self._relationship(r) for r in node.relationships) if r is not None)
            where = None
            if node.where is not None:
                where = self.boolean(self.expression(node.where), "the condition of 'where'")
            if node.aggregate is not None:
                return self._aggregate(node, bound, lets, relationships, where)
            returns, row = self._returns(node, bound)
        if self._failed(lets, relationships, where) or row == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        plural = any(s.plural for s in bound)
        sort = self._sort(node, row)
        if any(item.expression is not None and item.expression.result_type == ERROR for item in sort):
            return elm.Null(result_type=ERROR, span=node.span)
        distinct = node.returns.distinct if node.returns is not None else not self._rows_differ(bound)
        return elm.Query(
            sources=tuple(bound), lets=lets, relationships=relationships, where=where, returns=returns,
            distinct=distinct and plural, sort=sort, result_type=ListType(row) if plural else row, span=node.span,
        )  # fmt: skip

    def _rows_differ(self, sources: list[elm.AliasedQuerySource]) -> bool:
        """Rows straight from retrieves are resources, each its own: no need to look for duplicates among them."""
        return all(_from_retrieve(s.expression) for s in sources)

    def _source(self, node: tree.AliasedSource) -> elm.AliasedQuerySource | None:
        expression = self.expression(node.expression)
        if expression.result_type == ERROR:
            return None
        plural = isinstance(expression.result_type, ListType)
        return elm.AliasedQuerySource(alias=node.alias, expression=expression, plural=plural)

    def _visit_failed(self, node: tree.Query) -> None:
        """Still looks at what does not depend on the broken source, so that all mistakes are said at once."""
        frame = Frame(names={s.alias: elm.AliasRef(name=s.alias, result_type=ERROR) for s in node.sources})
        with self.scopes.inside(frame):
            for item in node.lets:
                frame.names[item.name] = elm.QueryLetRef(
                    name=item.name, result_type=self.expression(item.expression).result_type
                )
            for relationship in node.relationships:
                self._relationship(relationship)
            if node.where is not None:
                self.expression(node.where)
            if node.returns is not None:
                self.expression(node.returns.expression)

    def _declare(self, frame: Frame, source: elm.AliasedQuerySource, node: tree.AliasedSource) -> None:
        datatype = source.expression.result_type
        element = datatype.element if source.plural and isinstance(datatype, ListType) else datatype
        if source.alias in frame.names:
            self.report(node.span, "duplicate-name", f"the query has two sources named '{source.alias}'")
        frame.names[source.alias] = elm.AliasRef(name=source.alias, result_type=element)
        if len(frame.names) == 1:
            frame.iteration = {"this": element, "index": INTEGER}

    def _let(self, node: tree.LetItem, frame: Frame) -> elm.LetClause:
        expression = self.expression(node.expression)
        if node.name in frame.names:
            self.report(node.span, "duplicate-name", f"the query already has a name '{node.name}'")
        frame.names[node.name] = elm.QueryLetRef(name=node.name, result_type=expression.result_type)
        return elm.LetClause(identifier=node.name, expression=expression)

    def _relationship(self, node: tree.Relationship) -> elm.RelationshipClause | None:
        source = self._source(node.source)
        frame = Frame()
        if source is None:
            frame.names[node.source.alias] = elm.AliasRef(name=node.source.alias, result_type=ERROR)
            with self.scopes.inside(frame):
                self.expression(node.condition)
            return None
        self._declare(frame, source, node.source)
        with self.scopes.inside(frame):
            condition = self.boolean(self.expression(node.condition), "the condition of 'such that'")
        return elm.RelationshipClause(source=source, such_that=condition, negated=node.negated)

    def _returns(
        self, node: tree.Query, sources: list[elm.AliasedQuerySource]
    ) -> tuple[elm.Expression | None, DataType]:
        if node.returns is not None:
            returns = self.expression(node.returns.expression)
            return returns, returns.result_type
        refs = {s.alias: self.scopes.local(s.alias) for s in sources}
        types = {alias: ref.result_type for alias, ref in refs.items() if ref is not None}
        if len(sources) == 1:
            return None, next(iter(types.values()))
        row = TupleType.of(types)
        elements = tuple((a, ref) for a, ref in refs.items() if ref is not None)
        return elm.Tuple(elements=elements, result_type=row, span=node.span), row

    @staticmethod
    def _failed(
        lets: tuple[elm.LetClause, ...],
        relationships: tuple[elm.RelationshipClause, ...],
        where: elm.Expression | None,
    ) -> bool:
        conditions = [r.such_that for r in relationships] + ([where] if where is not None else [])
        return any(e.result_type == ERROR for e in [*(item.expression for item in lets), *conditions])

    def _aggregate(
        self,
        node: tree.Query,
        sources: list[elm.AliasedQuerySource],
        lets: tuple[elm.LetClause, ...],
        relationships: tuple[elm.RelationshipClause, ...],
        where: elm.Expression | None,
    ) -> elm.Expression:
        clause = node.aggregate
        assert clause is not None
        starting = self.expression(clause.starting) if clause.starting else elm.Null(result_type=ANY, span=clause.span)
        total, body = starting.result_type, starting
        for _ in range(3):
            mark = len(self.diagnostics)
            frame = Frame(
                names={clause.name: elm.QueryLetRef(name=clause.name, result_type=total)}, iteration={"total": total}
            )
            with self.scopes.inside(frame):
                body = self.expression(clause.expression)
            wider = self.common_type([total, body.result_type], clause.span)
            if wider == total or ERROR in (total, body.result_type):
                break
            total = wider
            del self.diagnostics[mark:]
        if ERROR in (total, body.result_type) or self._failed(lets, relationships, where):
            return elm.Null(result_type=ERROR, span=node.span)
        aggregate = elm.AggregateClause(
            identifier=clause.name, starting=self.convert(starting, total, "the starting value"),
            expression=self.convert(body, total, "the value of 'aggregate'"), distinct=clause.distinct,
        )  # fmt: skip
        return elm.Query(
            sources=tuple(sources), lets=lets, relationships=relationships, where=where, aggregate=aggregate,
            result_type=total, span=node.span,
        )  # fmt: skip

    def _sort(self, node: tree.Query, row: DataType) -> tuple[elm.SortByItem, ...]:
        items: list[elm.SortByItem] = []
        frame = Frame(element=row, iteration={"this": row})
        for item in node.sort:
            if item.expression is None:
                key: elm.Expression | None = None
                if not self._sortable(row):
                    conversion = self._sort_conversion(elm.Iteration(name="this", result_type=row), item)
                    key = conversion
                items.append(elm.SortByItem(descending=item.descending, expression=key))
                continue
            with self.scopes.inside(frame):
                key = self.expression(item.expression)
            if key.result_type != ERROR and not self._sortable(key.result_type):
                key = self._sort_conversion(key, item)
            items.append(elm.SortByItem(descending=item.descending, expression=key))
        return tuple(items)

    def _sortable(self, datatype: DataType) -> bool:
        return self.is_point_type(datatype)

    def _sort_conversion(self, key: elm.Expression, item: tree.SortItem) -> elm.Expression:
        """A model value sorts by what it converts to: FHIR.dateTime by DateTime."""
        options = [t for t in self.conversions.targets(key.result_type) if self._sortable(t)]
        for target in options:
            step = self.conversions.find(key.result_type, target)
            if step is not None:
                return step.build(key)
        shown = self.type_name(key.result_type)
        return self.error(item.span, "not-ordered", f"values of type {shown} have no order to sort by")


def _from_retrieve(expression: elm.Expression) -> bool:
    if isinstance(expression, elm.Retrieve):
        return True
    return (
        isinstance(expression, elm.Query)
        and len(expression.sources) == 1
        and expression.returns is None
        and expression.aggregate is None
        and _from_retrieve(expression.sources[0].expression)
    )
