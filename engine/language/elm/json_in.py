"""ELM JSON to typed ELM: the inverse of :mod:`engine.language.elm.json_out`. Nothing is executed.

One dispatch table from ELM's ``type`` to a reader; the reader of a node takes what it needs by name, with no
reflection at run time. A mistake carries the object it was found in; its place in the document is looked up only then.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.language.elm import nodes as elm
from engine.language.elm.shapes import NAMED_OPERANDS, OPERATORS, VOCABULARY_ELEMENTS
from engine.language.elm.types_json import (
    MODELS,
    SYSTEM_NAMESPACE,
    Json,
    Malformed,
    datatype,
    flag,
    member,
    members,
    named_type,
    optional_text,
    own,
    result_type,
    span_of,
    tags_of,
    text,
    types_of_text,
)
from engine.language.types.datatype import DataType, ListType, NamedType
from engine.language.values import Date, DateTime, Long, Quantity, Ratio, Time

NO_RESULT_TYPE = (
    "the result type is missing (neither 'resultTypeName' nor 'resultTypeSpecifier'); translate the library with "
    "result types switched on (the option EnableResultTypes of the reference translator)"
)
PRECISIONS = frozenset({"year", "month", "week", "day", "hour", "minute", "second", "millisecond"})


def read_library(document: Any) -> elm.Library:
    """The library of a document; raises Malformed. See :func:`engine.language.elm.json.from_json`."""
    if type(document) is not dict:
        raise Malformed(document, "an object with 'library' was expected")
    node = member(document, "library")
    identifier = member(node, "identifier")
    statements = _definitions(node, "statements")
    return elm.Library(
        name=text(identifier, "id"),
        version=optional_text(identifier, "version"),
        tags=tags_of(node),
        usings=tuple(_using(d) for d in _definitions(node, "usings") if not _is_system(d)),
        includes=tuple(_include(d) for d in _definitions(node, "includes")),
        code_systems=tuple(_code_system(d) for d in _definitions(node, "codeSystems")),
        value_sets=tuple(_value_set(d) for d in _definitions(node, "valueSets")),
        codes=tuple(_code_def(d) for d in _definitions(node, "codes")),
        concepts=tuple(_concept_def(d) for d in _definitions(node, "concepts")),
        parameters=tuple(_parameter(d) for d in _definitions(node, "parameters")),
        expressions=tuple(_define(d) for d in statements if d.get("type") != "FunctionDef"),
        functions=tuple(_function(d) for d in statements if d.get("type") == "FunctionDef"),
        hash=own(node, "source-sha256") or "",
    )


def _definitions(library: Json, section: str) -> list[Json]:
    return members(member(library, section), "def") if library.get(section) is not None else []


# ---------------------------------------------------------------- definitions


def _access(node: Json) -> str:
    access = optional_text(node, "accessLevel") or "Public"
    if access not in ("Public", "Private"):
        raise Malformed(node, "'accessLevel' must be Public or Private")
    return access.lower()


def _is_system(node: Json) -> bool:
    """The entry every translator writes for the language's own types; a library that says it keeps its place."""
    return node == {"localIdentifier": "System", "uri": SYSTEM_NAMESPACE}


def _using(node: Json) -> elm.UsingDef:
    uri = text(node, "uri")
    return elm.UsingDef(
        name=text(node, "localIdentifier"), uri=MODELS.get(uri, uri), version=optional_text(node, "version"),
        tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _include(node: Json) -> elm.IncludeDef:
    return elm.IncludeDef(
        name=text(node, "localIdentifier"), path=text(node, "path"), version=optional_text(node, "version"),
        tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _code_system(node: Json) -> elm.CodeSystemDef:
    return elm.CodeSystemDef(
        name=text(node, "name"), id=text(node, "id"), version=optional_text(node, "version"),
        access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _value_set(node: Json) -> elm.ValueSetDef:
    return elm.ValueSetDef(
        name=text(node, "name"), id=text(node, "id"), version=optional_text(node, "version"),
        access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _code_def(node: Json) -> elm.CodeDef:
    return elm.CodeDef(
        name=text(node, "name"), id=text(node, "id"), system=_code_system_ref(member(node, "codeSystem")),
        display=optional_text(node, "display"), access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _concept_def(node: Json) -> elm.ConceptDef:
    return elm.ConceptDef(
        name=text(node, "name"), codes=tuple(_code_ref(code) for code in members(node, "code")),
        display=optional_text(node, "display"), access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _parameter(node: Json) -> elm.ParameterDef:
    declared = _type_attribute(node, "parameterType") or result_type(node)
    if declared is None:
        raise Malformed(node, "the parameter has no type ('parameterType' or 'parameterTypeSpecifier')")
    return elm.ParameterDef(
        name=text(node, "name"), type=declared, default=_optional(node, "default"),
        access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _define(node: Json) -> elm.ExpressionDef:
    return elm.ExpressionDef(
        name=text(node, "name"), expression=_child(node, "expression"), context=_context(node),
        access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _context(node: Json) -> str:
    return optional_text(node, "context") or "Unfiltered"


def _function(node: Json) -> elm.FunctionDef:
    body = _optional(node, "expression")
    result = result_type(node)
    if result is None:
        raise Malformed(node, NO_RESULT_TYPE)
    return elm.FunctionDef(
        name=text(node, "name"), operands=tuple(_operand(o) for o in members(node, "operand")), expression=body,
        result_type=result, fluent=flag(node, "fluent", False), context=_context(node),
        access=_access(node), tags=tags_of(node), span=span_of(node),
    )  # fmt: skip


def _operand(node: Json) -> elm.OperandDef:
    declared = _type_attribute(node, "operandType")
    if declared is None:
        raise Malformed(node, "the operand has no type ('operandType' or 'operandTypeSpecifier')")
    return elm.OperandDef(name=text(node, "name"), type=declared)


# ---------------------------------------------------------------- parts of expressions


def _read(node: Json) -> elm.Expression:
    """The expression that an object says."""
    kind = node.get("type")
    reader = _READERS.get(kind) if type(kind) is str else None
    if reader is not None:
        return reader(node)
    if kind is None:
        raise Malformed(node, "'type' is missing")
    raise Malformed(node, f"{kind!r} is not an ELM expression this engine knows")


def _child(node: Json, name: str) -> elm.Expression:
    return _read(member(node, name))


def _optional(node: Json, name: str) -> elm.Expression | None:
    return None if node.get(name) is None else _read(member(node, name))


def _children(node: Json, name: str) -> tuple[elm.Expression, ...]:
    return tuple(_read(child) for child in members(node, name))


def _type(node: Json) -> DataType:
    found = result_type(node)
    if found is None:
        raise Malformed(node, NO_RESULT_TYPE)
    return found


def _type_attribute(node: Json, name: str) -> DataType | None:
    """The type under ``name``, a qualified name or a specifier, or under ``nameSpecifier``."""
    if f"{name}Specifier" in node:
        return datatype(member(node, f"{name}Specifier"))
    return named_type(node, name) if name in node else None


def _signature(node: Json) -> tuple[DataType, ...] | None:
    """The overload bound; one with type parameters stands in our own tag. None when the node does not say."""
    if "signature" in node:
        return tuple(datatype(one) for one in members(node, "signature"))
    written = own(node, "signature")
    if written is None:
        return None
    try:
        return types_of_text(written)
    except ValueError as error:
        raise Malformed(node, f"its signature cannot be read: {error}") from error


def _signed(node: Json, operands: tuple[elm.Expression, ...]) -> tuple[DataType, ...]:
    """The overload bound, else the types of the operands."""
    signature = _signature(node)
    return tuple(o.result_type for o in operands) if signature is None else signature


# ---------------------------------------------------------------- values


def _literal(node: Json) -> elm.Literal:
    value_type = named_type(node, "valueType")
    reader = _VALUES.get(value_type.name) if value_type.is_system else None
    if reader is None:
        raise Malformed(node, f"a Literal cannot be of type {value_type}")
    return elm.Literal(
        value=_parsed(node, text(node, "value"), reader, value_type.name),
        result_type=result_type(node) or value_type, span=span_of(node),
    )  # fmt: skip


def _parsed(node: Json, written: str, reader: Callable[[str], Any], kind: str) -> Any:
    try:
        return reader(written)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise Malformed(node, f"{written[:60]!r} is no {kind}") from error


def _decimal(written: str) -> Decimal:
    value = Decimal(written)
    if not value.is_finite() or abs(value.adjusted()) > 1000:
        raise ValueError(written)
    return value


def _integer(written: str) -> int:
    digits = written.removeprefix("-")
    if len(digits) > 19 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(written)
    return int(written)


_VALUES: dict[str, Callable[[str], Any]] = {
    "Boolean": lambda written: {"true": True, "false": False}[written],
    "Integer": _integer,
    "Long": lambda written: Long(_integer(written)),
    "Decimal": _decimal,
    "String": str,
}


def _null(node: Json) -> elm.Null:
    return elm.Null(result_type=_type(node), span=span_of(node))


def _interval(node: Json) -> elm.Interval:
    if "lowClosedExpression" in node or "highClosedExpression" in node:
        raise Malformed(node, "an Interval whose closedness is an expression is not supported")
    return elm.Interval(
        low=_child(node, "low"), high=_child(node, "high"), low_closed=flag(node, "lowClosed", True),
        high_closed=flag(node, "highClosed", True), result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _list(node: Json) -> elm.List:
    return elm.List(elements=_children(node, "element"), result_type=_type(node), span=span_of(node))


def _elements(node: Json) -> tuple[tuple[str, elm.Expression], ...]:
    return tuple((text(e, "name"), _child(e, "value")) for e in members(node, "element"))


def _tuple(node: Json) -> elm.Tuple:
    return elm.Tuple(elements=_elements(node), result_type=_type(node), span=span_of(node))


def _instance(node: Json) -> elm.Instance:
    made = result_type(node) or named_type(node, "classType")
    return elm.Instance(elements=_elements(node), result_type=made, span=span_of(node))


def _code(node: Json) -> elm.Code:
    return elm.Code(
        code=text(node, "code"), system=_code_system_ref(member(node, "system")),
        display=optional_text(node, "display"), result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _concept(node: Json) -> elm.Concept:
    return elm.Concept(
        codes=tuple(_code(code) for code in members(node, "code")), display=optional_text(node, "display"),
        result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _ratio(node: Json) -> elm.Expression:
    parts = [member(node, name) for name in ("numerator", "denominator") if name in node]
    if any("type" not in part for part in parts) or len(parts) < 2:
        value = Ratio(*(_quantity_value(node[n]) if n in node else None for n in ("numerator", "denominator")))
        return elm.Literal(value=value, result_type=_type(node), span=span_of(node))
    numerator, denominator = map(_read, parts)
    return elm.Ratio(numerator=numerator, denominator=denominator, result_type=_type(node), span=span_of(node))


def _quantity(node: Json) -> elm.Literal:
    made = result_type(node) or NamedType("System", "Quantity")
    return elm.Literal(value=_quantity_value(node), result_type=made, span=span_of(node))


def _quantity_value(node: Json) -> Quantity:
    value = node.get("value")
    if type(value) is int:
        value = Decimal(value)
    elif value is not None and type(value) is not Decimal:
        raise Malformed(node, "'value' must be a number, decoded as an exact decimal")
    return Quantity(value, optional_text(node, "unit") or "1")


def _temporal(node: Json) -> elm.Expression:
    """A written Date, DateTime or Time; with a signature it is the operator of that name."""
    if "signature" in node or own(node, "signature") is not None:
        return _operator(node)
    kind = node["type"]
    parts: dict[str, Any] = {}
    for name in NAMED_OPERANDS[kind]:
        if name in node:
            parts[name] = _component(member(node, name), name)
    if parts.pop("timezoneOffset", None) is not None:
        minutes = _decimal(text(node["timezoneOffset"], "value")) * 60
        parts["offset_minutes"] = int(minutes.to_integral_value())
    made = result_type(node) or NamedType("System", kind)
    try:
        value = _TEMPORAL[kind](**parts)
    except (TypeError, ValueError) as error:
        raise Malformed(node, f"is no {kind}: {error}") from error
    return elm.Literal(value=value, result_type=made, span=span_of(node))


def _component(part: Json, name: str) -> Any:
    if part.get("type") != "Literal":
        raise Malformed(part, f"the {name} is computed: the 'signature' of the operator is missing")
    reader: Callable[[str], Any] = _decimal if name == "timezoneOffset" else _integer
    return _parsed(part, text(part, "value"), reader, name)


_TEMPORAL: dict[str, type] = {"Date": Date, "DateTime": DateTime, "Time": Time}

# ---------------------------------------------------------------- references


def _reference(cls: Any) -> Callable[[Json], Any]:
    def read(node: Json) -> Any:
        return cls(
            name=text(node, "name"), library=optional_text(node, "libraryName"), result_type=_type(node),
            span=span_of(node),
        )  # fmt: skip

    return read


def _name(cls: Any) -> Callable[[Json], Any]:
    def read(node: Json) -> Any:
        return cls(name=text(node, "name"), result_type=_type(node), span=span_of(node))

    return read


_code_system_ref: Callable[[Json], elm.CodeSystemRef] = _reference(elm.CodeSystemRef)
_code_ref: Callable[[Json], elm.CodeRef] = _reference(elm.CodeRef)
_plain_alias: Callable[[Json], elm.AliasRef] = _name(elm.AliasRef)


def _alias(node: Json) -> elm.Expression:
    return _plain_alias(node) if "annotation" not in node or own(node, "iteration") is None else _this(node)


def _iteration(name: str) -> Callable[[Json], elm.Iteration]:
    def read(node: Json) -> elm.Iteration:
        return elm.Iteration(name=name, result_type=_type(node), span=span_of(node))

    return read


_this = _iteration("this")


def _function_ref(node: Json) -> elm.FunctionRef:
    operands = _children(node, "operand")
    return elm.FunctionRef(
        name=text(node, "name"), library=optional_text(node, "libraryName"), operands=operands,
        signature=_signed(node, operands),
        result_type=_type(node), span=span_of(node),
    )  # fmt: skip


# ---------------------------------------------------------------- operators and control


def _operator(node: Json) -> elm.Operator:
    name: str = node["type"]
    if name == "Slice" and "annotation" in node and own(node, "operator") is not None:
        return _sliced(node)
    names = NAMED_OPERANDS.get(name)
    operands = _operands(node, name) if names is None else _named_operands(node, names)
    precision = optional_text(node, "precision") if name != "Round" else None
    if precision is not None:
        precision = precision.lower()
        if precision not in PRECISIONS:
            raise Malformed(node, f"'precision' must be one of {', '.join(sorted(PRECISIONS))}")
    return elm.Operator(
        name=name, operands=operands, precision=precision,
        signature=_signed(node, operands),
        result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _sliced(node: Json) -> elm.Operator:
    """A Skip, Tail or Take written out as a Slice."""
    name = own(node, "operator")
    operands = [_child(node, "source")]
    if name == "Skip":
        operands.append(_child(node, "startIndex"))
    elif name == "Take":
        operands.append(_read(_first(member(node, "endIndex"), "operand")))
    elif name != "Tail":
        raise Malformed(node, f"{name!r} is not written as a Slice")
    return elm.Operator(
        name=name, operands=tuple(operands), signature=_signed(node, tuple(operands)), result_type=_type(node),
        span=span_of(node),
    )  # fmt: skip


def _first(node: Json, name: str) -> Json:
    found = members(node, name)
    if not found:
        raise Malformed(node, f"'{name}' is missing or empty")
    return found[0]


def _operands(node: Json, name: str) -> tuple[elm.Expression, ...]:
    """The operands; those of inner nodes of a written-out chain belong to the chain."""
    value = node.get("operand")
    if type(value) is dict:
        return (_read(value),)
    pending = members(node, "operand")[::-1]
    found: list[elm.Expression] = []
    while pending:
        child = pending.pop()
        if "annotation" in child and child.get("type") == name and own(child, "chain") == "part":
            pending.extend(reversed(members(child, "operand")))
        else:
            found.append(_read(child))
    return tuple(found)


def _named_operands(node: Json, names: tuple[str, ...]) -> tuple[elm.Expression, ...]:
    found: list[elm.Expression] = []
    for position, name in enumerate(names):
        key = f"{name}Expression" if name in VOCABULARY_ELEMENTS and f"{name}Expression" in node else name
        if key not in node:
            later = [other for other in names[position + 1 :] if other in node]
            if later:
                raise Malformed(node, f"'{name}' is missing, though '{later[0]}' is given")
            break
        found.append(_child(node, key))
    return tuple(found)


def _if(node: Json) -> elm.If:
    return elm.If(
        condition=_child(node, "condition"), then=_child(node, "then"), otherwise=_child(node, "else"),
        result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _case(node: Json) -> elm.Case:
    comparand = _optional(node, "comparand")
    items = tuple((_child(item, "when"), _child(item, "then")) for item in members(node, "caseItem"))
    signature = _signature(node)
    if signature is None:
        signature = () if comparand is None else (comparand.result_type, comparand.result_type)
    return elm.Case(
        comparand=comparand, items=items, otherwise=_child(node, "else"), signature=signature,
        result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _is(node: Json) -> elm.Is:
    tested = _type_attribute(node, "isType")
    if tested is None:
        raise Malformed(node, "'isType' or 'isTypeSpecifier' is missing")
    return elm.Is(operand=_child(node, "operand"), type=tested, result_type=_type(node), span=span_of(node))


def _as(node: Json) -> elm.As:
    made = result_type(node) or _type_attribute(node, "asType")
    if made is None:
        raise Malformed(node, "'asType' or 'asTypeSpecifier' is missing")
    strict = flag(node, "strict", False)
    return elm.As(operand=_child(node, "operand"), strict=strict, result_type=made, span=span_of(node))


def _extreme(node: Json) -> elm.MinMaxValue:
    made = result_type(node) or named_type(node, "valueType")
    return elm.MinMaxValue(name=node["type"], result_type=made, span=span_of(node))


def _property(node: Json) -> elm.Expression:
    if "annotation" in node and own(node, "iteration") is not None:
        return _this(node)
    if "source" not in node and "scope" in node:
        raise Malformed(node, "a Property with 'scope' is not supported; write its source as an AliasRef")
    return elm.Property(
        source=_child(node, "source"), path=text(node, "path"), result_type=_type(node), span=span_of(node)
    )


def _identifier(node: Json) -> elm.Expression:
    """An element of the row in a sort; its type stands in our own tag."""
    row = own(node, "row")
    if row is None:
        raise Malformed(node, "an IdentifierRef is only read where this engine wrote it; write a Property")
    try:
        (element,) = types_of_text(row)
    except ValueError as problem:
        raise Malformed(node, f"the type of the row cannot be read: {problem}") from problem
    this = elm.Iteration(name="this", result_type=element)
    return elm.Property(source=this, path=text(node, "name"), result_type=_type(node), span=span_of(node))


# ---------------------------------------------------------------- retrieve and query


def _retrieve(node: Json) -> elm.Retrieve:
    kind = named_type(node, "dataType")
    return elm.Retrieve(
        model=kind.model, data_type=kind.name, code_property=optional_text(node, "codeProperty"),
        comparator=optional_text(node, "codeComparator"), codes=_codes(node), person=_optional(node, "context"),
        context=own(node, "context") or "Patient", result_type=_type(node), span=span_of(node),
    )  # fmt: skip


def _codes(node: Json) -> elm.Expression | None:
    if node.get("codes") is None:
        return None
    codes = member(node, "codes")
    form = own(codes, "codes")
    if form is not None:
        return _child(codes, "operand" if form == "one" else "source")
    return _read(codes)


def _query(node: Json) -> elm.Expression:
    if "annotation" in node and own(node, "convert") is not None:
        return _convert_elements(node)
    returns, distinct = None, False
    if node.get("return") is not None:
        clause = member(node, "return")
        distinct = flag(clause, "distinct", True)
        returns = _child(clause, "expression") if own(clause, "return") is None else None
    made = _type(node)
    return elm.Query(
        sources=tuple(_source(s) for s in members(node, "source")),
        lets=tuple(
            elm.LetClause(identifier=text(let, "identifier"), expression=_child(let, "expression"))
            for let in members(node, "let")
        ),
        relationships=tuple(_relationship(r) for r in members(node, "relationship")),
        where=_optional(node, "where"),
        returns=returns,
        distinct=distinct,
        aggregate=_aggregate(member(node, "aggregate")) if node.get("aggregate") is not None else None,
        sort=tuple(_sort(s, made) for s in members(member(node, "sort"), "by")) if node.get("sort") is not None else (),
        result_type=made,
        span=span_of(node),
    )


def _repeat(node: Json) -> elm.Repeat:
    return elm.Repeat(
        source=_child(node, "source"), element=_child(node, "element"), result_type=_type(node), span=span_of(node)
    )


def _convert_elements(node: Json) -> elm.ConvertElements:
    sources = members(node, "source")
    if len(sources) != 1:
        raise Malformed(node, "a conversion of elements has one source")
    result = member(member(node, "return"), "expression")
    if own(node, "convert") == "boundaries":
        result = member(result, "low")
    return elm.ConvertElements(
        operand=_child(sources[0], "expression"), conversion=_read(result), result_type=_type(node), span=span_of(node)
    )


def _source(node: Json) -> elm.AliasedQuerySource:
    expression = _child(node, "expression")
    plural = own(node, "plural")
    return elm.AliasedQuerySource(
        alias=text(node, "alias"), expression=expression,
        plural=isinstance(expression.result_type, ListType) if plural is None else plural == "true",
    )  # fmt: skip


def _relationship(node: Json) -> elm.RelationshipClause:
    kind = node.get("type")
    if kind not in ("With", "Without"):
        raise Malformed(node, "a relationship must be With or Without")
    return elm.RelationshipClause(
        source=_source(node), such_that=_child(node, "suchThat"), negated=kind == "Without"
    )


def _aggregate(node: Json) -> elm.AggregateClause:
    return elm.AggregateClause(
        identifier=text(node, "identifier"), starting=_child(node, "starting"), expression=_child(node, "expression"),
        distinct=flag(node, "distinct", False),
    )  # fmt: skip


_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}


def _sort(node: Json, rows: DataType) -> elm.SortByItem:
    direction = text(node, "direction")
    if direction not in _DIRECTIONS:
        raise Malformed(node, "'direction' must be asc or desc")
    return elm.SortByItem(descending=_DIRECTIONS[direction], expression=_sort_key(node, rows))


def _sort_key(node: Json, rows: DataType) -> elm.Expression | None:
    match node.get("type"):
        case "ByDirection":
            return None
        case "ByExpression":
            return _child(node, "expression")
        case "ByColumn" if isinstance(rows, ListType):
            row = elm.Iteration(name="this", result_type=rows.element)
            return elm.Property(source=row, path=text(node, "path"), result_type=_type(node), span=span_of(node))
    raise Malformed(node, "a sort must be ByDirection, ByColumn (of a list) or ByExpression")


_READERS: dict[str, Callable[[Json], elm.Expression]] = {
    **dict.fromkeys(OPERATORS, _operator),
    **dict.fromkeys(_TEMPORAL, _temporal),
    **dict.fromkeys(("MinValue", "MaxValue"), _extreme),
    "Literal": _literal,
    "Null": _null,
    "Quantity": _quantity,
    "Interval": _interval,
    "List": _list,
    "Tuple": _tuple,
    "Instance": _instance,
    "Code": _code,
    "Concept": _concept,
    "Ratio": _ratio,
    "ExpressionRef": _reference(elm.ExpressionRef),
    "FunctionRef": _function_ref,
    "ParameterRef": _reference(elm.ParameterRef),
    "ValueSetRef": _reference(elm.ValueSetRef),
    "CodeSystemRef": _code_system_ref,
    "CodeRef": _code_ref,
    "ConceptRef": _reference(elm.ConceptRef),
    "OperandRef": _name(elm.OperandRef),
    "AliasRef": _alias,
    "QueryLetRef": _name(elm.QueryLetRef),
    "Current": _this, "Repeat": _repeat,
    "Iteration": _iteration("index"),
    "Total": _iteration("total"),
    "If": _if,
    "Case": _case,
    "Is": _is,
    "As": _as,
    "Property": _property,
    "IdentifierRef": _identifier,
    "Retrieve": _retrieve,
    "Query": _query,
}
