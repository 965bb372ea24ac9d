"""Methods of FHIRPath (CQL 1.5.3, Appendix I): a line of CQL and its answer, from text and again from its ELM JSON."""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

from engine.cli.elements import element_json
from engine.errors import EvaluationError, LimitExceeded
from engine.fhir import PatientRecord, decode_bundle
from engine.language import Limits, Program
from engine.language.analysis.methods import METHODS
from engine.language.elm.json import decode, encode
from engine.language.values import DateTime
from engine.language.values.json import to_plain
from engine.workspace import Workspace, model_of

NOW = DateTime(2024, 3, 15, 12, 30, 0, 0, 0)
HEADER = """library Methods version '1'
using FHIR version '4.0.1'
codesystem "C": 'http://example.org/c'
code "Red": 'red' from "C"
context Patient
define "None": null as List<System.Integer>
define "Points": { Tuple { a: 1, b: 'x' }, Tuple { a: 2, b: 'y' }, Tuple { a: null as System.Integer, b: 'z' } }
define "Tree": { Tuple { n: 1, below: { 2, 3 } }, Tuple { n: 4, below: { 5 } } }
define a: 7
define fluent function select(dates List<System.Date>, word System.String): 'mine'
define fluent function count(words List<System.String>): 'mine'
"""
RESOURCES: tuple[dict[str, Any], ...] = (
    {"resourceType": "Patient", "id": "p", "gender": "female", "name": [
        {"use": "official", "family": "Roe", "given": ["Ann", "Bea"]}, {"use": "old", "given": ["Cy"]}, {"text": "?"}]},
    {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p"},
     "valueQuantity": {"value": 7.10, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}},
    {"resourceType": "Observation", "id": "o2", "subject": {"reference": "Patient/p"}, "valueString": "seen"},
    {"resourceType": "Questionnaire", "id": "q", "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "item": [{"linkId": "1.1.1"}]}, {"linkId": "1.2"}]},
        {"linkId": "2"}]},
)  # fmt: skip

ROWS: tuple[tuple[str, Any], ...] = (
    # criteria
    ("{ 1, 2, 3 }.where($this > 1)", [2, 3]),
    ("{ 1, null, 3 }.where($this > 1)", [3]),
    ("{ 5, 6, 7 }.where($index > 0)", [6, 7]),
    ("{ 1, 2 }.where(null)", []),
    ('"None".where($this > 1)', None),
    ("5.where($this > 3)", 5),
    ("5.where($this > 7)", None),
    ('"Points".where(a = 2).b', ["y"]),
    ('"Points".where($this.a = 2).b', ["y"]),
    ('({ 2 }) a return "Points".where(a = 1).b', [["x"]]),
    ('"Points".where(exists (({ 1 }) a where a = 1)).b', ["x", "y", "z"]),
    ("({ 1, 2, 3 }) X where ({ 1, 2 }).exists($this = X)", [1, 2]),
    ("{ { 1, 2 }, { 3 } }.where($this.exists($this > 2))", [[3]]),
    ("{ 1, 2 }.where(exists (({ 3 }) X where $this = 3))", [1, 2]),
    ("{ 1, 2, 3 }.exists($this > 2)", True),
    ("{ 1, 2, 3 }.exists($this > 3)", False),
    ("{ null, null }.exists($this > 3)", False),
    ('"None".exists($this > 3)', False),
    ("{ 1, 2 }.all($this > 0)", True),
    ("{ 1, 2 }.all($this > 1)", False),
    ("{ 1, null }.all($this > 0)", False),
    ("({} as List<Integer>).all($this > 0)", True),
    ("{ 1, 2 }.select($this * 2)", [2, 4]),
    ("{ 1, null, 2 }.select($this + 1)", [2, 3]),
    ("{ 1, 2 }.select($this mod 1)", [0]),
    ('"Tree".select(below)', [2, 3, 5]),
    ('"Points".select(a)', [1, 2]),
    ('"None".select($this + 1)', None),
    ("{ 1, 2, 3 }.aggregate($total + $this, 10)", 16),
    ("{ 1, 2, 3 }.aggregate(if $total is null then $this else $total * $this)", 6),
    ("({ 1 }).repeat(if $this < 4 then $this + 1 else null)", [2, 3, 4]),
    ("({ 1 }).repeat({ ($this + 1) mod 3, ($this + 2) mod 3 })", [2, 0, 1]),
    ('"None".repeat($this + 1)', None),
    ("1.repeat(if $this < 3 then $this + 1 else null)", [2, 3]),
    ("({ 1 }).repeat($this + 1)", LimitExceeded),
    # types
    ("1.is(System.Integer)", True),
    ("1.is('System.String')", False),
    ("{ 1 }.is('List<System.Integer>')", True),
    ("(1 as Choice<System.Integer, System.String>).as(System.Integer)", 1),
    ("(1 as Choice<System.Integer, System.String>).as('System.String')", None),
    ("{ 1, 'a', 2.5 }.ofType(System.Integer)", [1]),
    ("{ 1, 'a', 2.5, null }.ofType('System.Decimal')", [Decimal("2.5")]),
    # parts and tests of lists
    ("{ 1, 2 }.first()", 1),
    ("{ 1, 2 }.last()", 2),
    ("{ 1, 2, 3 }.tail()", [2, 3]),
    ("{ 1, 2, 3 }.skip(2)", [3]),
    ("{ 1, 2, 3 }.take(2)", [1, 2]),
    ("{ 1, 2, 3 }.take(null)", []),
    ("{ 1 }.single()", 1),
    ("{ 1, 2 }.single()", EvaluationError),
    ("{ 1, 2 }.empty()", False),
    ('"None".empty()', True),
    ("{ 1, null }.count()", 1),
    ("{ 1, 1 }.distinct()", [1]),
    ("{ 1, 1 }.isDistinct()", False),
    ("{ 1, 2 }.isDistinct()", True),
    ("{ true, null }.allTrue()", True),
    ("{ true, false }.anyTrue()", True),
    ("{ true, false }.allFalse()", False),
    ("{ false, null }.allFalse()", True),
    ("{ true, false }.anyFalse()", True),
    ("{ true }.anyFalse()", False),
    ("{ 1, 2 }.subsetOf({ 1, 2, 3 })", True),
    ("{ 1, 2 }.supersetOf({ 1, 3 })", False),
    ("{ 1 }.union({ 1, 2 })", [1, 2]),
    ("{ 1 }.combine({ 1, 2 })", [1, 1, 2]),
    ("{ 1 }.combine({ 1, 'a' })", [1, 1, "a"]),
    ("{ 1 }.combine(null)", [1]),
    ("{ 1, 2 }.intersect({ 2, 3 })", [2]),
    ("{ 1, 2 }.exclude({ 2 })", [1]),
    ("({ { x: 1 } }).children()", [1]),
    # strings and numbers
    ("'abc'.contains('bc')", True),
    ("'abc'.contains('x')", False),
    ("(null as System.String).contains('x')", None),
    ("'abcb'.indexOf('b')", 1),
    ("'abcb'.lastIndexOf('b')", 3),
    ("'abc'.startsWith('ab')", True),
    ("'abc'.endsWith('ab')", False),
    ("'abc'.substring(1, 1)", "b"),
    ("'a1'.matches('[0-9]')", True),
    ("'a1'.replaceMatches('[0-9]', '-')", "a-"),
    ("'a.b.c'.replace('.', '')", "abc"),
    ("'abc'.replace('', '-')", "-a-b-c-"),
    ("''.replace('x', 'y')", ""),
    ("'abc'.replace('x', null)", None),
    ("'abc'.replace(null, 'x')", None),
    ("'aB'.upper()", "AB"),
    ("'ab'.toChars()", ["a", "b"]),
    ("'ab'.length()", 2),
    ("(-5).abs()", 5),
    ("1.2.ceiling()", 2),
    ("1.8.floor()", 1),
    ("1.8.truncate()", 1),
    ("1.55.round(1)", Decimal("1.6")),
    ("4.sqrt()", 2),
    ("2.power(3)", 8),
    ("8.log(2)", 3),
    # conversions and the rest
    ("'5'.toInteger()", 5),
    ("'x'.toInteger()", None),
    ("'1.50'.toDecimal()", Decimal("1.50")),
    ("'x'.convertsToInteger()", False),
    ("'2024-01-01'.convertsToDate()", True),
    ("'2024-01'.toDate()", "2024-01"),
    ("5.toString()", "5"),
    ("null.hasValue()", False),
    ("1.hasValue()", True),
    ("true.not()", False),
    ("iif(1 < 2, 'a', 'b')", "a"),
    ("iif(1 > 2, 'a')", None),
    ("iif(null, 'a', 'b')", "b"),
    ("today()", "2024-03-15"),
    ("now() = Now()", True),
    ("timeOfDay()", "12:30:00.000"),
    ("1.trace('name')", 1),
    ("{ 1, 2 }.trace('name')", [1, 2]),
    # the author's functions win
    ("{ @2024-01-01 }.select('b')", "mine"),
    ("{ 1 }.select(2)", [2]),
    ("{ 'a' }.count()", "mine"),
    ("{ 1 }.count()", 1),
    # FHIR
    ("Patient.name.where(use = 'official').family.value", ["Roe"]),
    ("Patient.name.where(given.exists($this = 'Cy')).use.value", ["old"]),
    ("Patient.name.select(given).select($this.value)", ["Ann", "Bea", "Cy"]),
    ("Patient.name.given.first().startsWith('An')", True),
    ("Patient.gender.where($this = 'male') is null", True),
    ("Patient.contact.exists(gender = 'male')", False),
    ("Patient.name.all(given.exists())", False),
    ("[Observation].where(status = 'final')", ["Observation/o1"]),
    ("[Observation].exists(value as FHIR.Quantity > 7 '%')", True),
    ("[Observation].all(value is FHIR.Quantity)", False),
    ("[Observation].value.ofType(Quantity).unit.value", ["%"]),
    ("[Observation].value.ofType('FHIR.string').select($this.value)", ["seen"]),
    ("([Observation] O return O as FHIR.Resource).ofType(Observation)", ["Observation/o1", "Observation/o2"]),
)

WRONG: tuple[tuple[str, str, str], ...] = (
    ("{ 1 }.where()", "wrong-arguments", "'where' takes one argument (a condition on $this), not 0"),
    ("{ 1 }.exists(true, true)", "wrong-arguments", "takes 0 or 1 arguments"),
    ("{ 1 }.empty(1)", "wrong-arguments", "'empty' takes no argument, not 1"),
    ("'a'.replace('b')", "wrong-arguments", "two arguments"),
    ("iif(true)", "wrong-arguments", "'iif' takes a condition, a value"),
    ("{ 1 }.where($this + 1)", "type-mismatch", "must be Boolean, not Integer"),
    ("{ 1 }.where($this > 'a')", "no-overload", "'>' is not defined for (Integer, String)"),
    ("{ 1 }.all($this)", "no-overload", "'is true'"),
    ("1.exists($this > 0)", "no-overload", "'exists' is not defined for (Integer)"),
    ("{ 1 }.combine(2)", "no-overload", "it takes two lists"),
    ("'a'.contains(1)", "no-overload", "'contains' is not defined"),
    ("{ 1 }.skip('a')", "no-overload", "'skip' is not defined"),
    ("1.is(5)", "type-mismatch", "written as a name or a string"),
    ("1.is('List<')", "type-mismatch", "written as a name or a string"),
    ("1.is(Integr)", "unknown-type", "did you mean 'Integer'?"),
    ("{ 1 }.ofType('List<Nope>')", "unknown-type", "'Nope' is not defined"),
    ("{ 1 }.wher($this > 1)", "unknown-function", "did you mean 'where'?"),
    ("1.now()", "unknown-function", "follows no dot"),
    ("Patient.conformsTo('x')", "unknown-function", "FHIRSupport"),
    ("\"Red\".memberOf('x')", "type-mismatch", "the name of a value set, not String"),
    ("Patient.name.where(us = 'old')", "unknown-name", "did you mean 'use'?"),
    ("Patient.name.where($this.us = 'old')", "unknown-element", "did you mean 'use'?"),
    ("Nothing.where(us = $this)", "unknown-name", "'Nothing' is not defined"),
)


@pytest.fixture(scope="module")
def record() -> PatientRecord:
    entries = [{"resource": resource} for resource in RESOURCES]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    return PatientRecord.from_bundle(decode_bundle(data, source="table.json"), "p")


@lru_cache(maxsize=1)
def workspace() -> Workspace:
    return Workspace()


def answer(line: str, record: PatientRecord, through_json: bool) -> Any:
    space = workspace()
    translation = space.translate(f'{HEADER}define "Answer":\n  {line}\n')
    program = space.program(translation)
    if through_json:
        model = {"FHIR": model_of("FHIR", "4.0.1")}
        program = Program(decode(encode(program.main)), translation.libraries, model, native=translation.native)
    context = space.context(NOW, record=record, limits=Limits(list_size=200))
    return to_plain(space.evaluate(program, context).define("Answer"), element_json)


@pytest.mark.parametrize("through_json", (False, True), ids=["text", "json"])
@pytest.mark.parametrize(("line", "expected"), ROWS, ids=[line for line, _ in ROWS])
def test_answer(record: PatientRecord, line: str, expected: Any, through_json: bool) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected):
            answer(line, record, through_json)
        return
    assert answer(line, record, through_json) == expected


@pytest.mark.parametrize(("line", "code", "part"), WRONG, ids=[line for line, _, _ in WRONG])
def test_mistake_is_said_once(line: str, code: str, part: str) -> None:
    found = workspace().translate(f'{HEADER}define "Answer":\n  {line}\n').diagnostics
    assert [d.code for d in found] == [code]
    assert part in found[0].message
    assert found[0].span is not None


def test_every_method_of_the_table_is_asked() -> None:
    lines = " ".join([*(line for line, _ in ROWS), *(line for line, _, _ in WRONG)])
    rows = {"descendants", "descendents", "exp", "ln", "lower", "subsumes", "subsumedBy", "toBoolean", "toDateTime"}
    unasked = {m for m in METHODS if f".{m}(" not in lines} - rows
    assert {m for m in unasked if not m.startswith(("to", "convertsTo"))} == set()


def test_the_appendix_names_the_operators() -> None:
    """The ELM is the translation, so that other engines can run it: a criterion is a query with the alias $this."""
    translation = workspace().translate("define A: { 1, 2 }.exists($this > 1)\n")
    written = json.loads(encode(translation.require()))["library"]["statements"]["def"][0]["expression"]
    assert written["type"] == "Exists"
    query = written["operand"]
    assert (query["type"], query["source"][0]["alias"]) == ("Query", "$this")
    assert query["where"]["operand"][0] == query["where"]["operand"][0] | {"type": "AliasRef", "name": "$this"}


def test_a_common_type_keeps_every_alternative(record: PatientRecord) -> None:
    choice = "('a' as Choice<System.Integer, System.String>)"
    assert answer(f"if true then {choice} else 1", record, False) == "a"
    assert answer(f"{{ 1, {choice} }}", record, False) == [1, "a"]
    assert answer(f"Coalesce(null, {choice}, 1)", record, False) == "a"
