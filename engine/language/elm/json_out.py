"""Typed ELM to ELM JSON.

Every node says its result type and place. Where ELM has no node of ours, standard nodes are written that mean the same,
marked by one of our own annotations so that they are read back as what they were:

* an n-ary chain of an operator that ELM has as binary: nested nodes, the inner ones marked ``part``;
* :class:`~engine.language.elm.nodes.ConvertElements`: a Query that returns the converted element or boundaries;
* Skip, Tail and Take, which are functions of CQL alone: a Slice;
* a sort by an element of the rows: ``ByColumn``; any other: ``ByExpression``, with
  ``IdentifierRef`` for an element of the row and ``Current`` for the row.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context as DecimalContext
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.language.elm import nodes as elm
from engine.language.elm.shapes import (
    BALANCED,
    LISTED,
    MAX_LEFT_NESTED,
    NAMED_OPERANDS,
    NARY,
    SLICED,
    VOCABULARY_ELEMENTS,
)
from engine.language.elm.types_json import (
    SYSTEM_NAMESPACE,
    Json,
    annotation,
    is_generic,
    mark,
    namespace,
    qualified,
    specifier,
    type_attribute,
    types_text,
)
from engine.language.types.datatype import (
    CODE,
    CONCEPT,
    INTEGER,
    VALUESET,
    DataType,
    IntervalType,
    ListType,
    NamedType,
)
from engine.language.values import Date, DateTime, Long, Quantity, Ratio, Time
from engine.version import __version__

SCHEMA = {"id": "urn:hl7-org:elm", "version": "r1"}
CONVERTED = "$this"
"""Alias of the rows of a written-out ConvertElements."""

_OFFSET_DIGITS = DecimalContext(prec=12)
_type_attribute = lru_cache(maxsize=4096)(type_attribute)
_specifier = lru_cache(maxsize=4096)(specifier)


def write_library(library: elm.Library) -> Json:
    """The document ``{"library": …}``; see :func:`engine.language.elm.json.to_json`."""
    identifier = {"id": library.name} | _present(version=library.version)
    out: Json = {"annotation": _library_notes(library), "identifier": identifier, "schemaIdentifier": dict(SCHEMA)}
    usings = [_using(d) for d in library.usings]
    if all(d.name != "System" for d in library.usings):
        usings.insert(0, {"localIdentifier": "System", "uri": SYSTEM_NAMESPACE})
    contexts = [d.context for d in library.expressions] + [d.context for d in library.functions]
    sections: dict[str, list[Json]] = {
        "usings": usings,
        "includes": [_include(d) for d in library.includes],
        "parameters": [_parameter(d) for d in library.parameters],
        "codeSystems": [_vocabulary(d) for d in library.code_systems],
        "valueSets": [_vocabulary(d) for d in library.value_sets],
        "codes": [_code(d) for d in library.codes],
        "concepts": [_concept(d) for d in library.concepts],
        "contexts": [{"name": name} for name in dict.fromkeys(contexts)],
        "statements": [*map(_define, library.expressions), *map(_function, library.functions)],
    }
    out.update({name: {"def": definitions} for name, definitions in sections.items() if definitions})
    return {"library": out}


def _library_notes(library: elm.Library) -> list[Json]:
    notes: list[Json] = [{"type": "CqlToElmInfo", "translatorVersion": __version__, "translatorOptions":
                          "EnableAnnotations,EnableLocators,EnableResultTypes"}]  # fmt: skip
    if library.tags:
        notes.append(annotation(library.tags))
    holder: Json = {"annotation": notes}
    if library.hash:
        mark(holder, "source-sha256", library.hash)
    return notes


# ---------------------------------------------------------------- definitions


def _present(**attributes: Any) -> Json:
    return {name: value for name, value in attributes.items() if value is not None}


def _element(definition: elm.Def, *, access: bool = True) -> Json:
    out: Json = {"locator": definition.span.locator} if definition.span else {}
    if access:
        out["accessLevel"] = definition.access.capitalize()
    if definition.tags:
        out["annotation"] = [annotation(definition.tags)]
    return out


def _using(definition: elm.UsingDef) -> Json:
    names = {"localIdentifier": definition.name, "uri": namespace(definition.uri)}
    return _element(definition, access=False) | names | _present(version=definition.version)


def _include(definition: elm.IncludeDef) -> Json:
    names = {"localIdentifier": definition.name, "path": definition.path}
    return _element(definition, access=False) | names | _present(version=definition.version)


def _vocabulary(definition: elm.CodeSystemDef | elm.ValueSetDef) -> Json:
    names = {"name": definition.name, "id": definition.id}
    return _element(definition) | names | _present(version=definition.version)


def _code(definition: elm.CodeDef) -> Json:
    names = {"name": definition.name, "id": definition.id, "codeSystem": _write(definition.system)}
    return _element(definition) | names | _present(display=definition.display)


def _concept(definition: elm.ConceptDef) -> Json:
    names = {"name": definition.name, "code": [_write(code) for code in definition.codes]}
    return _element(definition) | names | _present(display=definition.display)


def _parameter(definition: elm.ParameterDef) -> Json:
    out = _element(definition) | {"name": definition.name}
    out.update([_type_attribute("parameterType", definition.type, ("", "Specifier"))])
    out.update([_result(definition.type)])
    if definition.default is not None:
        out["default"] = _write(definition.default)
    return out


def _define(definition: elm.ExpressionDef) -> Json:
    names = {"type": "ExpressionDef", "name": definition.name, "context": definition.context}
    out: Json = names | _element(definition)
    out.update([_result(definition.expression.result_type)])
    out["expression"] = _write(definition.expression)
    return out


def _function(definition: elm.FunctionDef) -> Json:
    names = {"type": "FunctionDef", "name": definition.name, "context": definition.context}
    out: Json = names | _element(definition)
    out.update([_result(definition.result_type)])
    out["fluent"] = definition.fluent
    out["external"] = definition.expression is None
    out["operand"] = [
        dict([("name", o.name), _type_attribute("operandType", o.type, ("", "Specifier"))])
        for o in definition.operands
    ]  # fmt: skip
    if definition.expression is not None:
        out["expression"] = _write(definition.expression)
    return out


# ---------------------------------------------------------------- expressions


def _write(node: elm.Expression) -> Json:
    return _Writer().write(node)


def _result(datatype: DataType) -> tuple[str, Any]:
    return _type_attribute("resultType", datatype, ("Name", "Specifier"))


_is_generic = lru_cache(maxsize=4096)(is_generic)
_types_text = lru_cache(maxsize=1024)(types_text)


def _sign(out: Json, types: tuple[DataType, ...]) -> None:
    """The overload bound. ELM has no type parameters: a generic overload stands in one of our own tags."""
    if any(map(_is_generic, types)):
        mark(out, "signature", _types_text(types))
    else:
        out["signature"] = [_specifier(datatype) for datatype in types]


class _Writer:
    """Writes one expression. ``this`` is how ``$this`` is written where we are: the row, or what is converted."""

    def __init__(self) -> None:
        self.this: Json = {"type": "Current"}
        self.sorting = False

    def write(self, node: elm.Expression) -> Json:
        out: Json = {"type": type(node).__name__}
        if node.span is not None:
            out["locator"] = node.span.locator
        name, value = _result(node.result_type)
        out[name] = value
        _WRITERS[type(node)](self, node, out)
        return out

    def all(self, nodes: tuple[elm.Expression, ...]) -> list[Json]:
        return [self.write(node) for node in nodes]

    # ------------------------------------------------------------ values

    def literal(self, node: elm.Literal, out: Json) -> None:
        value = node.value
        out.pop("type")
        out.update(_LITERALS[type(value)](value) if type(value) in _LITERALS else _no_literal(value))

    def null(self, node: elm.Null, out: Json) -> None:
        """Null has nothing of its own."""

    def interval(self, node: elm.Interval, out: Json) -> None:
        out.update(lowClosed=node.low_closed, highClosed=node.high_closed)
        out.update(low=self.write(node.low), high=self.write(node.high))

    def list_(self, node: elm.List, out: Json) -> None:
        if not node.elements and isinstance(node.result_type, ListType):
            out["typeSpecifier"] = _specifier(node.result_type.element)
        out["element"] = self.all(node.elements)

    def tuple_(self, node: elm.Tuple | elm.Instance, out: Json) -> None:
        out["element"] = [{"name": name, "value": self.write(value)} for name, value in node.elements]

    def instance(self, node: elm.Instance, out: Json) -> None:
        if not isinstance(node.result_type, NamedType):
            raise TypeError(f"an Instance of {node.result_type}: only a class has instances")
        out["classType"] = qualified(node.result_type.model, node.result_type.name)
        self.tuple_(node, out)

    def code(self, node: elm.Code, out: Json) -> None:
        out.update(code=node.code, system=self.write(node.system), **_present(display=node.display))

    def concept(self, node: elm.Concept, out: Json) -> None:
        out.update(code=self.all(node.codes), **_present(display=node.display))

    def ratio(self, node: elm.Ratio, out: Json) -> None:
        out.update(numerator=self.write(node.numerator), denominator=self.write(node.denominator))

    # ------------------------------------------------------------ references

    def reference(self, node: Any, out: Json) -> None:
        out["name"] = node.name
        if node.library is not None:
            out["libraryName"] = node.library

    def value_set(self, node: elm.ValueSetRef, out: Json) -> None:
        self.reference(node, out)
        if node.result_type == VALUESET:
            out["preserve"] = True

    def function(self, node: elm.FunctionRef, out: Json) -> None:
        self.reference(node, out)
        _sign(out, node.signature)
        out["operand"] = self.all(node.operands)

    def name(self, node: elm.OperandRef | elm.AliasRef | elm.QueryLetRef, out: Json) -> None:
        out["name"] = node.name

    def iteration(self, node: elm.Iteration, out: Json) -> None:
        if node.name == "this":
            out.update(self.this)
        else:
            out["type"] = {"index": "Iteration", "total": "Total"}[node.name]

    # ------------------------------------------------------------ operators and control

    def operator(self, node: elm.Operator, out: Json) -> None:
        if len(node.operands) > 2 and node.name not in NARY and node.name not in NAMED_OPERANDS:
            self.chain(node, out)
            return
        if node.name in SLICED:
            self.slice(node, out)
            return
        out["type"] = node.name
        self._bound(node, out)
        names = NAMED_OPERANDS.get(node.name)
        if names is not None:
            self._named(node, names, out)
        elif len(node.operands) == 1 and node.name not in LISTED:
            out["operand"] = self.write(node.operands[0])
        elif node.operands:
            out["operand"] = self.all(node.operands)

    @staticmethod
    def _bound(node: elm.Operator, out: Json) -> None:
        if node.precision is not None:
            out["precision"] = node.precision.capitalize()
        _sign(out, node.signature)

    def _named(self, node: elm.Operator, names: tuple[str, ...], out: Json) -> None:
        if len(node.operands) > len(names):
            raise ValueError(f"{node.name} takes at most {len(names)} operands, not {len(node.operands)}")
        for name, operand in zip(names, node.operands, strict=False):
            direct = VOCABULARY_ELEMENTS.get(name)
            key = f"{name}Expression" if direct is not None and type(operand).__name__ != direct else name
            out[key] = self.write(operand)

    def slice(self, node: elm.Operator, out: Json) -> None:
        """``Skip(l, n)`` is the slice from n on, ``Tail(l)`` from 1 on, ``Take(l, n)`` from 0 up to n or nothing."""
        source, *number = self.all(node.operands)
        start: Json = _typed(_literal("Integer", "1" if node.name == "Tail" else "0"), INTEGER)
        end: Json = _typed({"type": "Null"}, INTEGER)
        if node.name == "Skip":
            (start,) = number
        elif node.name == "Take":
            end = _typed({"type": "Coalesce", "operand": [*number, start]}, INTEGER)
        out.update(type="Slice", source=source, startIndex=start, endIndex=end)
        mark(out, "operator", node.name)
        _sign(out, node.signature)

    def chain(self, node: elm.Operator, out: Json) -> None:
        """``a op b op c``: left nested, or balanced where the steps may be taken in any order."""
        parts = self.all(node.operands)
        long = len(parts) > MAX_LEFT_NESTED and set(node.signature) == {node.result_type}
        if node.name in BALANCED or long:
            while len(parts) > 2:
                pairs = [self._part(node, parts[i : i + 2]) for i in range(0, len(parts) - 1, 2)]
                parts = [*pairs, *parts[len(pairs) * 2 :]]
        else:
            while len(parts) > 2:
                parts[:2] = [self._part(node, parts[:2])]
        out["type"] = node.name
        self._bound(node, out)
        out["operand"] = parts

    def _part(self, node: elm.Operator, operands: list[Json]) -> Json:
        out: Json = {"type": node.name}
        out.update([_result(node.result_type)])
        if len(node.signature) == 2 and not any(map(_is_generic, node.signature)):
            self._bound(node, out)
        out["operand"] = operands
        return mark(out, "chain", "part")

    def if_(self, node: elm.If, out: Json) -> None:
        out.update({
            "condition": self.write(node.condition), "then": self.write(node.then), "else": self.write(node.otherwise)
        })  # fmt: skip

    def case(self, node: elm.Case, out: Json) -> None:
        if node.comparand is not None:
            out["comparand"] = self.write(node.comparand)
        if node.signature or node.comparand is not None:
            mark(out, "signature", _types_text(node.signature))
        out["caseItem"] = [{"when": self.write(when), "then": self.write(then)} for when, then in node.items]
        out["else"] = self.write(node.otherwise)

    def is_(self, node: elm.Is, out: Json) -> None:
        out.update([_type_attribute("isType", node.type, ("", "Specifier"))])
        out["operand"] = self.write(node.operand)

    def as_(self, node: elm.As, out: Json) -> None:
        out.update([_type_attribute("asType", node.result_type, ("", "Specifier"))])
        out.update(strict=node.strict, operand=self.write(node.operand))

    def extreme(self, node: elm.MinMaxValue, out: Json) -> None:
        out["type"] = node.name
        if isinstance(node.result_type, NamedType):
            out["valueType"] = qualified(node.result_type.model, node.result_type.name)

    def property(self, node: elm.Property, out: Json) -> None:
        if self.sorting and isinstance(node.source, elm.Iteration) and node.source.span is None:
            out.update(type="IdentifierRef", name=node.path)
            mark(out, "row", _types_text((node.source.result_type,)))
            return
        out.update(path=node.path, source=self.write(node.source))

    def convert_elements(self, node: elm.ConvertElements, out: Json) -> None:
        """A Query over the list, or over the one interval, that returns what is converted."""
        out["type"] = "Query"
        out["source"] = [{"alias": CONVERTED, "expression": self.write(node.operand)}]
        outer, sorting = self.this, self.sorting
        self.this, self.sorting = mark({"type": "AliasRef", "name": CONVERTED}, "iteration", "this"), False
        if isinstance(node.operand.result_type, IntervalType):
            result = self._converted_interval(node, node.operand.result_type)
        else:
            result = self.write(node.conversion)
        self.this, self.sorting = outer, sorting
        out["return"] = {"distinct": False, "expression": result}
        mark(out, "convert", "boundaries" if isinstance(node.operand.result_type, IntervalType) else "elements")

    def _converted_interval(self, node: elm.ConvertElements, source: IntervalType) -> Json:
        out: Json = dict([("type", "Interval"), _result(node.result_type)])
        for side in ("low", "high"):
            boundary = {"type": "Property", "path": side, "scope": CONVERTED}
            self.this = mark(boundary, "iteration", "this")
            out[side] = self.write(node.conversion)
            closed = {"type": "Property", "path": f"{side}Closed", "scope": CONVERTED}
            closed["resultTypeName"] = qualified("System", "Boolean")
            out[f"{side}ClosedExpression"] = closed
        return out

    # ------------------------------------------------------------ retrieve and query

    def retrieve(self, node: elm.Retrieve, out: Json) -> None:
        out["dataType"] = qualified(node.model, node.data_type)
        out.update(_present(codeProperty=node.code_property, codeComparator=node.comparator))
        if node.codes is not None:
            out["codes"] = self._codes(node.codes)
        if node.person is not None:
            out["context"] = self.write(node.person)
        if node.context != "Patient":
            mark(out, "context", node.context)

    def _codes(self, codes: elm.Expression) -> Json:
        """ELM wants a list of codes: one code is put into a list, a concept gives its own, a value set expands."""
        written = self.write(codes)
        if isinstance(codes, elm.ValueSetRef):
            written.pop("preserve", None)
            return written
        several: Json = dict([("type", "ToList"), _result(ListType(CODE))])
        if codes.result_type == CODE:
            return mark(several | {"operand": written}, "codes", "one")
        if codes.result_type == CONCEPT:
            return mark(several | {"type": "Property", "path": "codes", "source": written}, "codes", "concept")
        return written

    def query(self, node: elm.Query, out: Json) -> None:
        out["source"] = [self._source(source) for source in node.sources]
        if node.lets:
            out["let"] = [
                dict([("identifier", let.identifier), _result(let.expression.result_type),
                      ("expression", self.write(let.expression))])
                for let in node.lets
            ]  # fmt: skip
        if node.relationships:
            out["relationship"] = [self._relationship(clause) for clause in node.relationships]
        if node.where is not None:
            out["where"] = self.write(node.where)
        if node.returns is not None:
            out["return"] = {"distinct": node.distinct, "expression": self.write(node.returns)}
        elif node.distinct:
            out["return"] = mark({"distinct": True, "expression": self._rows(node.sources)}, "return", "rows")
        if node.aggregate is not None:
            clause = node.aggregate
            out["aggregate"] = {
                "identifier": clause.identifier, "distinct": clause.distinct, "starting": self.write(clause.starting),
                "expression": self.write(clause.expression),
            }  # fmt: skip
        if node.sort:
            out["sort"] = {"by": [self._sort(item, node) for item in node.sort]}

    def repeat(self, node: elm.Repeat, out: Json) -> None:
        """ELM's Repeat, its scope named ``$this``."""
        out["source"] = self.write(node.source)
        outer, sorting = self.this, self.sorting
        self.this, self.sorting = {"type": "Current", "scope": "$this"}, False
        out["element"] = self.write(node.element)
        self.this, self.sorting = outer, sorting
        out["scope"] = "$this"

    def _source(self, source: elm.AliasedQuerySource) -> Json:
        out: Json = dict([("alias", source.alias), _result(source.expression.result_type)])
        out["expression"] = self.write(source.expression)
        if source.plural != isinstance(source.expression.result_type, ListType):
            mark(out, "plural", "true" if source.plural else "false")
        return out

    def _relationship(self, clause: elm.RelationshipClause) -> Json:
        kind = "Without" if clause.negated else "With"
        out: Json = {"type": kind} | self._source(clause.source)
        out["suchThat"] = self.write(clause.such_that)
        return out

    def _rows(self, sources: tuple[elm.AliasedQuerySource, ...]) -> Json:
        """What a query without a return clause returns: the row, or a tuple of the rows of each source."""
        rows: list[Json] = [{"type": "AliasRef", "name": source.alias} for source in sources]
        if len(rows) == 1:
            return rows[0]
        return {"type": "Tuple", "element": [{"name": row["name"], "value": row} for row in rows]}

    def _sort(self, item: elm.SortByItem, query: elm.Query) -> Json:
        direction = {"direction": "desc" if item.descending else "asc"}
        if item.expression is None:
            return {"type": "ByDirection"} | direction
        row = query.result_type.element if isinstance(query.result_type, ListType) else None
        match item.expression:
            case elm.Property(source=elm.Iteration(name="this", result_type=t, span=None), path=path) if t == row:
                column: Json = {"type": "ByColumn", "path": path} | direction
                column.update([_result(item.expression.result_type)])
                if item.expression.span is not None:
                    column["locator"] = item.expression.span.locator
                return column
        outer = self.this, self.sorting
        self.this, self.sorting = {"type": "Current"}, True
        written = self.write(item.expression)
        self.this, self.sorting = outer
        return {"type": "ByExpression"} | direction | {"expression": written}


# ---------------------------------------------------------------- literals


def _typed(out: Json, datatype: DataType) -> Json:
    name, value = _result(datatype)
    return out | {name: value}


def _literal(name: str, text: str) -> Json:
    return {"type": "Literal", "valueType": qualified("System", name), "value": text}


def _components(kind: str, names: tuple[str, ...], value: Any) -> Json:
    parts = ((name, getattr(value, name)) for name in names)
    return {"type": kind} | {name: _literal("Integer", str(part)) for name, part in parts if part is not None}


def _datetime(value: DateTime) -> Json:
    out = _components("DateTime", NAMED_OPERANDS["DateTime"][:-1], value)
    if value.offset_minutes is not None:
        hours = _OFFSET_DIGITS.divide(Decimal(value.offset_minutes), Decimal(60))
        out["timezoneOffset"] = _literal("Decimal", format(hours, "f"))
    return out


def _quantity(value: Quantity) -> Json:
    return {"type": "Quantity"} | _present(value=value.value, unit=value.unit)


def _ratio(value: Ratio) -> Json:
    parts = {"numerator": value.numerator, "denominator": value.denominator}
    return {"type": "Ratio"} | {
        name: _present(value=part.value, unit=part.unit) for name, part in parts.items() if part is not None
    }


def _no_literal(value: Any) -> Json:
    raise TypeError(f"a {type(value).__name__} is no ELM literal")


_LITERALS: dict[type, Callable[[Any], Json]] = {
    bool: lambda value: _literal("Boolean", "true" if value else "false"),
    int: lambda value: _literal("Integer", str(value)),
    Long: lambda value: _literal("Long", str(int(value))),
    Decimal: lambda value: _literal("Decimal", format(value, "f")),
    str: lambda value: _literal("String", value),
    Date: lambda value: _components("Date", NAMED_OPERANDS["Date"], value),
    Time: lambda value: _components("Time", NAMED_OPERANDS["Time"], value),
    DateTime: _datetime,
    Quantity: _quantity,
    Ratio: _ratio,
}

_WRITERS: dict[type, Callable[[_Writer, Any, Json], None]] = {
    elm.Literal: _Writer.literal,
    elm.Null: _Writer.null,
    elm.Interval: _Writer.interval,
    elm.List: _Writer.list_,
    elm.Tuple: _Writer.tuple_,
    elm.Instance: _Writer.instance,
    elm.Code: _Writer.code,
    elm.Concept: _Writer.concept,
    elm.Ratio: _Writer.ratio,
    elm.ExpressionRef: _Writer.reference,
    elm.FunctionRef: _Writer.function,
    elm.ParameterRef: _Writer.reference,
    elm.ValueSetRef: _Writer.value_set,
    elm.CodeSystemRef: _Writer.reference,
    elm.CodeRef: _Writer.reference,
    elm.ConceptRef: _Writer.reference,
    elm.OperandRef: _Writer.name,
    elm.AliasRef: _Writer.name,
    elm.QueryLetRef: _Writer.name,
    elm.Iteration: _Writer.iteration,
    elm.Operator: _Writer.operator,
    elm.If: _Writer.if_,
    elm.Case: _Writer.case,
    elm.Is: _Writer.is_,
    elm.As: _Writer.as_,
    elm.MinMaxValue: _Writer.extreme,
    elm.Property: _Writer.property,
    elm.ConvertElements: _Writer.convert_elements,
    elm.Retrieve: _Writer.retrieve,
    elm.Query: _Writer.query, elm.Repeat: _Writer.repeat,
}
