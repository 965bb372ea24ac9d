"""ELM JSON: the shapes HL7 publishes, and the law that what is written reads back as the same library."""

import importlib.util
import re
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, Span
from engine.language.elm import nodes as elm
from engine.language.elm import shapes
from engine.language.elm.json import decode, encode, from_json, to_json
from engine.language.operators import TABLE
from engine.language.types.datatype import (
    BOOLEAN,
    CODE,
    CODESYSTEM,
    CONCEPT,
    DATETIME,
    DECIMAL,
    INTEGER,
    QUANTITY,
    STRING,
    VALUESET,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
    TypeParameter,
)
from engine.language.values import Date, DateTime, Long, Quantity, Ratio, Time

_spec = importlib.util.spec_from_file_location("elm_trees", Path(__file__).with_name("trees.py"))
assert _spec is not None
assert _spec.loader is not None
trees = sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(trees)

SYSTEM = "{urn:hl7-org:elm-types:r1}"
FHIR = "{http://hl7.org/fhir}"
OBSERVATION = NamedType("FHIR", "Observation")
PLACE = Span(3, 5, 3, 9)


def written(expression: elm.Expression) -> dict:
    """The ELM of one expression, without what only says types and places."""

    def bare(value):
        if isinstance(value, dict):
            return {n: bare(v) for n, v in value.items() if n not in ("resultTypeName", "resultTypeSpecifier")}
        return [bare(v) for v in value] if isinstance(value, list) else value

    document = to_json(trees.library_of(expression))
    return bare(document["library"]["statements"]["def"][0]["expression"])


def same(library: elm.Library) -> None:
    """The round trip, through the tree and through bytes."""
    assert from_json(to_json(library)) == library
    data = encode(library)
    assert decode(data) == library
    assert encode(decode(data)) == data


# ---------------------------------------------------------------- the law


@settings(max_examples=150)
@given(trees.EXPRESSIONS)
def test_every_expression_reads_back_as_it_was(expression):
    same(trees.library_of(expression))


@settings(max_examples=50)
@given(st.lists(trees.DEFINES, max_size=2), st.lists(trees.FUNCTIONS, max_size=2), trees.TAGS)
def test_every_definition_reads_back_as_it_was(defines, functions, tags):
    same(
        elm.Library(
            name="L", version=None, tags=tags, expressions=tuple(defines), functions=tuple(functions), hash="abc"
        )
    )


@pytest.mark.parametrize("cls", [c for c in vars(elm).values() if isinstance(c, type) and c.__module__ == elm.__name__])
def test_the_law_reaches_every_node_class(cls):
    source = Path(__file__).with_name("trees.py").read_text() + Path(__file__).read_text()
    assert cls.__name__ in ("Expression", "Def") or re.search(rf"\belm\.{cls.__name__}\b", source)


def everything() -> elm.Library:
    """A library with one definition of every kind."""
    loinc = elm.CodeSystemRef(name="LOINC", result_type=CODESYSTEM, span=PLACE)
    observations = elm.Retrieve(
        model="FHIR", data_type="Observation", code_property="code", comparator="in",
        codes=elm.ValueSetRef(name="Hemoglobin", library="Labs", result_type=VALUESET), person=None, context="Patient",
        result_type=ListType(OBSERVATION), span=PLACE,
    )  # fmt: skip
    operand = elm.OperandDef(name="limit", type=QUANTITY)
    return elm.Library(
        name="Everything",
        version="1.0.0",
        tags=(("trial", "PSMA-CART"), ("title", "")),
        usings=(elm.UsingDef(name="FHIR", uri="FHIR", version="4.0.1", span=PLACE),),
        includes=(elm.IncludeDef(name="Labs", path="shared.Labs", version=None, tags=(("why", "units"),)),),
        code_systems=(elm.CodeSystemDef(name="LOINC", id="http://loinc.org", version="2.77", access="private"),),
        value_sets=(elm.ValueSetDef(name="HbA1c", id="urn:oid:1.2.3", version=None, span=PLACE),),
        codes=(elm.CodeDef(name="Hb", id="718-7", system=loinc, display="Hemoglobin", tags=(("a", "b"),)),),
        concepts=(elm.ConceptDef(name="C", codes=(elm.CodeRef(name="Hb", result_type=CODE),), display=None),),
        parameters=(
            elm.ParameterDef(name="Limit", type=INTEGER, default=trees.INTEGER_5),
            elm.ParameterDef(name="Window", type=IntervalType(DATETIME), default=None),
        ),
        expressions=(
            elm.ExpressionDef(
                name="I7", expression=observations, context="Patient", tags=(("inclusion", ""), ("text", "ECOG < 2"))
            ),
        ),
        functions=(
            elm.FunctionDef(
                name="below", operands=(operand,), expression=None, result_type=BOOLEAN, fluent=True, context="Patient"
            ),
        ),
        hash="9f86d081",
    )


def test_a_library_with_everything():
    same(everything())


def test_the_sections_are_those_of_the_standard():
    library = to_json(everything())["library"]
    assert library["identifier"] == {"id": "Everything", "version": "1.0.0"}
    assert library["schemaIdentifier"] == {"id": "urn:hl7-org:elm", "version": "r1"}
    assert [d["localIdentifier"] for d in library["usings"]["def"]] == ["System", "FHIR"]
    assert library["usings"]["def"][1]["uri"] == "http://hl7.org/fhir"
    assert library["includes"]["def"][0]["path"] == "shared.Labs"
    assert library["codeSystems"]["def"][0]["accessLevel"] == "Private"
    assert library["codes"]["def"][0]["codeSystem"]["name"] == "LOINC"
    assert library["parameters"]["def"][0]["parameterType"] == SYSTEM + "Integer"
    assert library["contexts"] == {"def": [{"name": "Patient"}]}
    define, function = library["statements"]["def"]
    assert define["type"] == "ExpressionDef"
    assert define["annotation"][0]["t"] == [{"name": "inclusion", "value": ""}, {"name": "text", "value": "ECOG < 2"}]
    assert define["resultTypeSpecifier"]["elementType"]["name"] == FHIR + "Observation"
    assert (function["type"], function["fluent"], function["external"]) == ("FunctionDef", True, True)
    assert {"name": "limit", "operandType": SYSTEM + "Quantity"} in function["operand"]
    assert "eligibility:source-sha256" in str(library["annotation"])


# ---------------------------------------------------------------- shapes


def literal(name, text):
    return {"type": "Literal", "valueType": SYSTEM + name, "value": text}


LITERALS = [
    (True, literal("Boolean", "true")),
    (5, literal("Integer", "5")),
    (Long(5), literal("Long", "5")),
    (Decimal("1.50"), literal("Decimal", "1.50")),
    (Decimal("1E+2"), literal("Decimal", "100")),
    ("x", literal("String", "x")),
    (Quantity(Decimal("1.10"), "mg"), {"type": "Quantity", "value": Decimal("1.10"), "unit": "mg"}),
    (Date(2012, 2), {"type": "Date", "year": literal("Integer", "2012"), "month": literal("Integer", "2")}),
    (Time(10), {"type": "Time", "hour": literal("Integer", "10")}),
    (
        DateTime(2012, offset_minutes=330),
        {"type": "DateTime", "year": literal("Integer", "2012"), "timezoneOffset": literal("Decimal", "5.5")},
    ),
    (
        Ratio(Quantity(Decimal(1)), Quantity(Decimal(128))),
        {
            "type": "Ratio",
            "numerator": {"value": Decimal(1), "unit": "1"},
            "denominator": {"value": Decimal(128), "unit": "1"},
        },
    ),
]


@pytest.mark.parametrize(("value", "expected"), LITERALS, ids=[str(v) for v, _ in LITERALS])
def test_literals(value, expected):
    assert written(elm.Literal(value=value, result_type=STRING)) == expected


@pytest.mark.parametrize("minutes", (-840, -210, -1, 0, 20, 59, 345, 840))
def test_an_offset_of_minutes_survives_being_written_as_hours(minutes):
    same(trees.library_of(elm.Literal(value=DateTime(2012, 1, 1, 0, offset_minutes=minutes), result_type=DATETIME)))


def test_digits_of_a_quantity_survive():
    value = Quantity(Decimal("1.10"), "mg")
    read = decode(encode(trees.library_of(elm.Literal(value=value, result_type=QUANTITY))))
    assert str(read.expressions[0].expression.value.value) == "1.10"


def operator(name, *operands, signature=(INTEGER, INTEGER), result=INTEGER, precision=None):
    return elm.Operator(
        name=name, operands=operands, signature=signature, result_type=result, precision=precision, span=PLACE
    )


FIVE = trees.INTEGER_5
LIST = elm.List(elements=(FIVE,), result_type=ListType(INTEGER))
TRUE = elm.Literal(value=True, result_type=BOOLEAN)


def test_a_binary_operator():
    out = written(operator("Add", FIVE, FIVE))
    assert (out["type"], out["locator"]) == ("Add", "3:5-3:9")
    assert [o["value"] for o in out["operand"]] == ["5", "5"]
    assert out["signature"] == [{"type": "NamedTypeSpecifier", "name": SYSTEM + "Integer"}] * 2


def test_a_unary_operator_has_one_operand_and_no_list():
    assert written(operator("Not", TRUE, signature=(BOOLEAN,), result=BOOLEAN))["operand"] == literal("Boolean", "true")


NAMED = [
    ("Round", 2, ["operand", "precision"]),
    ("Count", 1, ["source"]),
    ("Substring", 2, ["stringToSub", "startIndex"]),
    ("PositionOf", 2, ["pattern", "string"]),
    ("Combine", 1, ["source"]),
    ("IndexOf", 2, ["source", "element"]),
    ("Message", 5, ["source", "condition", "code", "severity", "message"]),
    ("DateTime", 3, ["year", "month", "day"]),
    ("InValueSet", 2, ["code", "valuesetExpression"]),
]


@pytest.mark.parametrize(("name", "count", "elements"), NAMED, ids=[n for n, _, _ in NAMED])
def test_named_operands(name, count, elements):
    out = written(operator(name, *[FIVE] * count))
    assert [n for n in out if n not in ("type", "locator", "signature")] == elements


def test_membership_in_a_named_value_set():
    value_set = elm.ValueSetRef(name="HbA1c", result_type=VALUESET)
    assert written(operator("InValueSet", FIVE, value_set))["valueset"]["name"] == "HbA1c"


def test_a_generic_overload_keeps_its_type_parameters():
    generic = (TypeParameter("T"), ListType(TypeParameter("T")))
    node = operator("In", FIVE, LIST, signature=generic, result=BOOLEAN)
    assert "signature" not in written(node)
    same(trees.library_of(node))


def test_precision():
    assert written(operator("SameAs", FIVE, FIVE, precision="day"))["precision"] == "Day"


def depth(out):
    operands = out.get("operand", ())
    return 1 + max(map(depth, operands), default=0) if isinstance(operands, list) else 1


def chain(name, count, *, result=INTEGER):
    return operator(name, *[FIVE] * count, signature=(result, result), result=result)


def test_a_chain_is_binary_and_left_nested():
    out = written(chain("Subtract", 4))
    assert len(out["operand"]) == 2
    assert depth(out) == 4
    assert len(out["operand"][0]["operand"][0]["operand"]) == 2


def test_a_chain_of_an_associative_operator_is_balanced():
    assert depth(written(chain("And", 1000, result=BOOLEAN))) == 11


def test_a_chain_of_steps_that_can_overflow_is_left_nested_unless_endless():
    assert depth(written(chain("Add", 100))) == 100
    assert depth(written(chain("Add", 2000))) == 12


@pytest.mark.parametrize("name", ("And", "Add", "Subtract", "Union", "Concatenate", "Coalesce"))
@pytest.mark.parametrize("count", (2, 3, 4, 7, 64, 101))
def test_chains_read_back(name, count):
    same(trees.library_of(chain(name, count)))


def test_a_chain_of_twenty_thousand():
    same(trees.library_of(chain("And", 20_000, result=BOOLEAN)))


def test_nested_nodes_written_by_a_person_stay_nested():
    inner = chain("And", 2, result=BOOLEAN)
    same(trees.library_of(operator("And", inner, inner, signature=(BOOLEAN, BOOLEAN), result=BOOLEAN)))


def test_every_operator_of_the_table_is_written_as_elm_has_it():
    known = shapes.OPERATORS | shapes.SLICED
    assert [name for name in TABLE.names() if name not in known] == []


SLICES = [
    ("Skip", (LIST, FIVE), ("5", None)),
    ("Tail", (LIST,), ("1", None)),
    ("Take", (LIST, FIVE), ("0", "Coalesce")),
]


@pytest.mark.parametrize(("name", "operands", "expected"), SLICES, ids=[n for n, _, _ in SLICES])
def test_functions_of_cql_that_elm_writes_as_a_slice(name, operands, expected):
    node = operator(name, *operands, signature=(ListType(INTEGER), INTEGER)[: len(operands)], result=ListType(INTEGER))
    out = written(node)
    end = out["endIndex"]["type"]
    assert (out["type"], out["startIndex"]["value"], None if end == "Null" else end) == ("Slice", *expected)
    same(trees.library_of(node))


def test_an_operator_of_literals_is_not_the_literal():
    computed = operator("Date", FIVE, signature=(INTEGER,), result=NamedType("System", "Date"))
    same(trees.library_of(computed, elm.Literal(value=Date(5), result_type=NamedType("System", "Date"))))


def retrieve(codes, comparator="~"):
    return elm.Retrieve(
        model="FHIR", data_type="Observation", code_property="code", comparator=comparator, codes=codes, person=None,
        context="Patient", result_type=ListType(OBSERVATION),
    )  # fmt: skip


def test_retrieve_of_a_value_set():
    out = written(retrieve(elm.ValueSetRef(name="V", result_type=VALUESET), "in"))
    assert out == {
        "type": "Retrieve",
        "dataType": FHIR + "Observation",
        "codeProperty": "code",
        "codeComparator": "in",
        "codes": {"type": "ValueSetRef", "name": "V"},
    }


def test_retrieve_of_one_code_and_of_a_concept_asks_with_a_list():
    one = written(retrieve(elm.CodeRef(name="C", result_type=CODE)))["codes"]
    assert (one["type"], one["operand"]) == ("ToList", {"type": "CodeRef", "name": "C"})
    concept = written(retrieve(elm.ConceptRef(name="C", result_type=CONCEPT)))["codes"]
    assert (concept["type"], concept["path"], concept["source"]["type"]) == ("Property", "codes", "ConceptRef")


def query(**parts):
    source = elm.AliasedQuerySource(alias="O", expression=retrieve(None, None), plural=True)
    return elm.Query(sources=(source,), result_type=ListType(OBSERVATION), **parts)


def row(datatype=OBSERVATION):
    return elm.Iteration(name="this", result_type=datatype)


def test_query():
    alias = elm.AliasRef(name="O", result_type=OBSERVATION)
    other = elm.AliasedQuerySource(alias="P", expression=retrieve(None, None), plural=True)
    out = written(
        query(
            lets=(elm.LetClause(identifier="n", expression=FIVE),),
            relationships=(elm.RelationshipClause(source=other, such_that=TRUE, negated=True),),
            where=TRUE,
            returns=elm.Property(source=alias, path="status", result_type=STRING),
            distinct=True,
            sort=(
                elm.SortByItem(descending=True, expression=None),
                elm.SortByItem(
                    descending=False, expression=elm.Property(source=row(), path="issued", result_type=DATETIME)
                ),
                elm.SortByItem(descending=False, expression=operator("Start", row(), signature=(OBSERVATION,))),
            ),
        )
    )
    assert out["source"][0]["alias"] == "O"
    assert out["let"][0]["identifier"] == "n"
    assert (out["relationship"][0]["type"], out["relationship"][0]["alias"]) == ("Without", "P")
    assert (out["return"]["distinct"], out["return"]["expression"]["path"]) == (True, "status")
    direction, column, expression = out["sort"]["by"]
    assert direction == {"type": "ByDirection", "direction": "desc"}
    assert column == {"type": "ByColumn", "path": "issued", "direction": "asc"}
    assert expression["type"] == "ByExpression"
    assert expression["expression"]["operand"] == {"type": "Current"}


def test_aggregate():
    clause = elm.AggregateClause(identifier="sum", starting=FIVE, expression=FIVE, distinct=False)
    assert written(query(aggregate=clause))["aggregate"]["identifier"] == "sum"


def conversion(datatype):
    return elm.FunctionRef(
        name="ToQuantity", library="FHIRHelpers", operands=(row(datatype),), signature=(datatype,), result_type=QUANTITY
    )


def test_conversion_of_a_list_is_a_query():
    source = NamedType("FHIR", "Quantity")
    operand = elm.ExpressionRef(name="L", result_type=ListType(source))
    node = elm.ConvertElements(operand=operand, conversion=conversion(source), result_type=ListType(QUANTITY))
    out = written(node)
    assert out["type"] == "Query"
    assert out["return"]["distinct"] is False
    assert out["return"]["expression"]["operand"][0]["type"] == "AliasRef"
    same(trees.library_of(node))


def test_conversion_of_an_interval_is_an_interval_of_converted_boundaries():
    operand = elm.ExpressionRef(name="I", result_type=IntervalType(INTEGER))
    made = operator("ToDecimal", row(INTEGER), signature=(INTEGER,), result=DECIMAL)
    node = elm.ConvertElements(operand=operand, conversion=made, result_type=IntervalType(DECIMAL))
    out = written(node)["return"]["expression"]
    assert (out["type"], out["low"]["operand"]["path"], out["high"]["operand"]["path"]) == ("Interval", "low", "high")
    assert out["lowClosedExpression"]["path"] == "lowClosed"
    same(trees.library_of(node))


def test_types():
    out = to_json(trees.library_of(elm.Null(result_type=TupleType.of({"a": INTEGER}))))
    assert out["library"]["statements"]["def"][0]["expression"]["resultTypeSpecifier"] == {
        "type": "TupleTypeSpecifier",
        "element": [{"name": "a", "elementType": {"type": "NamedTypeSpecifier", "name": SYSTEM + "Integer"}}],
    }


# ---------------------------------------------------------------- mistakes


def document(expression):
    return {
        "library": {
            "identifier": {"id": "L"},
            "statements": {"def": [{"name": "A", "context": "Patient", "expression": expression}]},
        }
    }


HERE = "library.statements.def[0].expression"
TYPED = {"resultTypeName": SYSTEM + "Integer"}
MALFORMED = [
    (document({"type": "Nonsense", **TYPED}), HERE, "'Nonsense' is not an ELM expression"),
    (document({"type": "Literal", "valueType": SYSTEM + "Integer", "value": "five"}), HERE, "'five' is no Integer"),
    (document({"type": "Literal", "valueType": SYSTEM + "Code", "value": "x"}), HERE, "cannot be of type Code"),
    (document({"type": "Literal", "valueType": "Integer", "value": "5"}), HERE, "qualified name"),
    (document({"type": "If", **TYPED}), HERE, "'condition' is missing"),
    (document({"type": "Not", "operand": {"type": "Null"}, **TYPED}), f"{HERE}.operand", "result type is missing"),
    (document({"type": "ExpressionRef", "name": "B"}), HERE, "result type is missing"),
    (document({"type": "ExpressionRef", "name": 7, **TYPED}), HERE, "'name' must be a text"),
    (document({"type": "Null", "locator": "here", **TYPED}), HERE, "line:column-line:column"),
    (document({"type": "Quantity", "value": 1.5, **TYPED}), HERE, "exact decimal"),
    (document({"type": "Date", "year": {"type": "Literal", "value": "0"}}), HERE, "is no Date"),
    (document({"type": "List", "element": {"type": "Null"}, **TYPED}), HERE, "'element' must be a list"),
    (document({"type": "List", "element": [5], **TYPED}), HERE, "list of objects"),
    (document({"type": "Add", "operand": [], "precision": "eon", **TYPED}), HERE, "'precision' must be one of"),
    (document({"type": "Substring", "startIndex": {"type": "Null", **TYPED}, **TYPED}), HERE, "'stringToSub' is mis"),
    (document(5), "library.statements.def[0]", "'expression' must be an object"),
    ({"library": {"identifier": {}}}, "library.identifier", "'id' is missing"),
    ({}, "", "'library' is missing"),
    ([], "", "an object with 'library'"),
]


@pytest.mark.parametrize(("data", "place", "sentence"), MALFORMED, ids=[f"{p} {s}" for _, p, s in MALFORMED])
def test_a_malformed_document_names_the_place(data, place, sentence):
    with pytest.raises(InputError) as caught:
        from_json(data, source="labs.json")
    assert (caught.value.source, caught.value.place) == ("labs.json", place)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    "data", (b"", b"{", b"\xff", b'{"a":1e999999}', b"[" * 100_000), ids=["empty", "cut", "not UTF-8", "huge", "deep"]
)
def test_bytes_that_are_not_json(data):
    with pytest.raises(InputError, match=r"labs\.json"):
        decode(data, source="labs.json")


def test_a_document_nested_without_end_is_refused():
    node = {"type": "Null", **TYPED}
    for _ in range(100_000):
        node = {"type": "Not", "operand": node, **TYPED}
    with pytest.raises(InputError, match="nested too deep"):
        from_json(document(node))
    while "operand" in node:
        node = node.pop("operand")


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_document_is_refused_or_read_and_never_crashes(data):
    out = msgspec.json.decode(encode(everything()))
    places = list(_places(out))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(st.sampled_from([None, 5, "x", [], {}, [5], True, {"type": "Null"}]))
    try:
        library = from_json(out)
    except InputError as problem:
        if not problem.message:
            pytest.fail("an error without a sentence")
    else:
        assert library.name is not None


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)
