"""`$cql` over a real socket: a line of CQL and the parameter that stands for its value (Using CQL with FHIR 2.0.0)."""

import json
from typing import Any

import httpx2
import pytest
from fhir.resources.R4B.parameters import Parameters

from tests.service.samples import bundle, hemoglobin, parameters, patient, values

ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
EMPTY = {"url": "http://hl7.org/fhir/StructureDefinition/cqf-isEmptyList", "valueBoolean": True}
EMPTY_TUPLE = {"url": "http://hl7.org/fhir/StructureDefinition/cqf-isEmptyTuple", "valueBoolean": True}
UCUM = "http://unitsofmeasure.org"


FHIR = "application/fhir+json"
JSON = "application/json"


def ask(
    client: httpx2.Client, expression: str, *more: dict[str, Any], sent: str = FHIR, **headers: str
) -> httpx2.Response:
    body = json.dumps(parameters({"name": "expression", "valueString": expression}, *more))
    return client.post("/fhir/$cql", content=body, headers={"content-type": sent, **headers})


def precision(code: str) -> dict[str, Any]:
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/time-precision", "valueCode": code}]}


VALUES: list[tuple[str, list[dict[str, Any]]]] = [
    ("1 + 1", [{"valueInteger": 2}]),
    ("true", [{"valueBoolean": True}]),
    ("'a' + 'b'", [{"valueString": "ab"}]),
    ("''", [{"valueString": ""}]),
    ("null", [{"_valueBoolean": {"extension": [ABSENT]}}]),
    ("{}", [{"_valueBoolean": {"extension": [EMPTY]}}]),
    ("{1, 2}", [{"valueInteger": 1}, {"valueInteger": 2}]),
    ("{1, null}", [{"valueInteger": 1}, {"_valueBoolean": {"extension": [ABSENT]}}]),
    ("{{1, 2}, {}}", [{"part": [{"name": "element", "valueInteger": 1}, {"name": "element", "valueInteger": 2}]},
                      {"_valueBoolean": {"extension": [EMPTY]}}]),
    ("9007199254740993L", [{"valueString": "9007199254740993"}]),
    ("@2020-05", [{"valueDate": "2020-05"}]),
    ("@2020-05-01T10:30:15.5+02:00", [{"valueDateTime": "2020-05-01T10:30:15.500+02:00"}]),
    ("@2020T", [{"valueDateTime": "2020"}]),
    ("@2020-05-01T10", [{"valueDateTime": "2020-05-01T10:00:00Z", "_valueDateTime": precision("h")}]),
    ("@2020-05-01T10:30Z", [{"valueDateTime": "2020-05-01T10:30:00Z", "_valueDateTime": precision("min")}]),
    ("@T10", [{"valueTime": "10:00:00", "_valueTime": precision("h")}]),
    ("@T10:30:01", [{"valueTime": "10:30:01"}]),
    ("5 'mg'", [{"valueQuantity": {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}}]),
    ("1 month", [{"valueQuantity": {"value": 1, "unit": "month", "code": "month",
                                    "system": "http://hl7.org/fhirpath/CodeSystem/calendar-units"}}]),
    ("1 'mg':2 'mL'", [{"valueRatio": {
        "numerator": {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"},
        "denominator": {"value": 2, "unit": "mL", "system": UCUM, "code": "mL"}}}]),
    ("Code { code: 'a', system: 'http://s', display: 'A' }",
     [{"valueCoding": {"system": "http://s", "code": "a", "display": "A"}}]),
    ("Concept { codes: { Code { code: 'a', system: 'http://s' } }, display: 'A' }",
     [{"valueCodeableConcept": {"coding": [{"system": "http://s", "code": "a"}], "text": "A"}}]),
    ("Interval[@2020-01-01, @2020-02-01]", [{"valuePeriod": {"start": "2020-01-01", "end": "2020-02-01"}}]),
    ("Interval[@2020-01-01T00:00:00Z, @2020-02-01T00:00:00Z]",
     [{"valuePeriod": {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z"}}]),
    ("Interval[1, 5]", [{"valueRange": {"low": {"value": 1}, "high": {"value": 5}}}]),
    ("Interval[1 'mg', 5 'mg']", [{"valueRange": {
        "low": {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"},
        "high": {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}}}]),
    ("Interval[1, 5)", [{"part": [
        {"name": "low", "valueInteger": 1}, {"name": "high", "valueInteger": 5},
        {"name": "lowClosed", "valueBoolean": True}, {"name": "highClosed", "valueBoolean": False}]}]),
    ("Tuple { a: 1, b: {'x', 'y'}, c: Tuple { d: true } }", [{"part": [
        {"name": "a", "valueInteger": 1}, {"name": "b", "valueString": "x"}, {"name": "b", "valueString": "y"},
        {"name": "c", "part": [{"name": "d", "valueBoolean": True}]}]}]),
]  # fmt: skip


def bare(row: Any) -> Any:
    """A parameter without the types of its parts."""
    if isinstance(row, list):
        return [bare(inner) for inner in row]
    if isinstance(row, dict):
        typed = row.get("name") is not None or "part" in row
        return {n: bare(v) for n, v in row.items() if not (n == "extension" and typed)}
    return row


@pytest.mark.parametrize(("expression", "expected"), VALUES)
def test_a_value_is_the_parameter_return(
    client: httpx2.Client, expression: str, expected: list[dict[str, Any]]
) -> None:
    answer = ask(client, expression)
    assert answer.headers["content-type"] == "application/fhir+json"
    assert [bare(row) for row in values(answer)] == [{"name": "return", **row} for row in expected]


def text_parts(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    closed = [{"name": "lowClosed", "valueBoolean": True}, {"name": "highClosed", "valueBoolean": True}]
    return {"part": [{"name": "low"} | low, {"name": "high"} | high, *closed]}


TEXTS: list[tuple[str, list[dict[str, Any]]]] = [
    ("@2020-05-01T10", [{"valueString": "@2020-05-01T10"}]),
    ("@2020-05-01T10:30", [{"valueString": "@2020-05-01T10:30"}]),
    ("@2020-05-01T10:30:15", [{"valueString": "@2020-05-01T10:30:15"}]),
    ("@2020-05-01T10+02:00", [{"valueString": "@2020-05-01T10+02:00"}]),
    ("@2020-05-01T10:30:15.5+02:00", [{"valueDateTime": "2020-05-01T10:30:15.500+02:00"}]),
    ("@2020T", [{"valueDateTime": "2020"}]),
    ("@2020-05", [{"valueDate": "2020-05"}]),
    ("@T10", [{"valueString": "@T10"}]),
    ("@T10:30", [{"valueString": "@T10:30"}]),
    ("@T10:30:01", [{"valueTime": "10:30:01"}]),
    ("{@T10, @T10:30:01}", [{"valueString": "@T10"}, {"valueTime": "10:30:01"}]),
    ("Interval[@2020T, @2021T]", [{"valuePeriod": {"start": "2020", "end": "2021"}}]),
    ("Interval[@2020-01-01T00:00:00, @2021T]",
     [text_parts({"valueString": "@2020-01-01T00:00:00"}, {"valueDateTime": "2021"})]),
    ("Interval[@T10, @T11]", [text_parts({"valueString": "@T10"}, {"valueString": "@T11"})]),
    ("Tuple { at: @T10 }", [{"part": [{"name": "at", "valueString": "@T10"}]}]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), TEXTS)
def test_in_plain_json_a_time_that_fhir_would_add_to_keeps_its_cql_text(
    client: httpx2.Client, expression: str, expected: list[dict[str, Any]]
) -> None:
    answer = ask(client, expression, sent=JSON)
    assert answer.headers["content-type"] == JSON
    Parameters.model_validate(answer.json())
    rows = answer.json()["parameter"]
    assert rows[0]["extension"][0]["url"].endswith("/cqf-cqlType"), "a string says which type it stands for"
    assert [{k: v for k, v in bare(row).items() if k != "name"} for row in rows] == expected


@pytest.mark.parametrize(
    ("sent", "headers", "kind"),
    (
        (FHIR, {}, FHIR),
        (JSON, {}, JSON),
        (f"{JSON}; charset=utf-8", {"accept": "*/*"}, JSON),
        (JSON, {"accept": FHIR}, FHIR),
        (FHIR, {"accept": JSON}, JSON),
        (JSON, {"accept": f"{JSON};q=0.5, {FHIR}"}, FHIR),
        (FHIR, {"accept": f"{FHIR};q=0, */*"}, JSON),
        (JSON, {"accept": f"{JSON};q=0.9, application/*"}, FHIR),
        (FHIR, {"accept": "application/json, text/plain, */*"}, JSON),
        (JSON, {"accept": "text/html, application/xhtml+xml, */*;q=0.8"}, JSON),
    ),
)
def test_the_kind_of_answer_is_the_one_accepted_else_the_one_sent(
    client: httpx2.Client, sent: str, headers: dict[str, str], kind: str
) -> None:
    answer = ask(client, "@T10", sent=sent, **headers)
    assert answer.headers["content-type"] == kind
    assert ("valueTime" in answer.text) is (kind == FHIR)


@pytest.mark.parametrize(
    ("asked", "status"),
    (("json", 200), (FHIR, 200), ("application/fhir%2Bjson", 200), ("xml", 406), ("text/turtle", 406)),
)
def test_a_format_in_the_address_comes_before_accept(client: httpx2.Client, asked: str, status: int) -> None:
    body = json.dumps(parameters({"name": "expression", "valueString": "@T10"}))
    headers = {"content-type": JSON, "accept": "text/html"}
    answer = client.post(f"/fhir/$cql?_format={asked}", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == FHIR
    assert answer.json()["resourceType"] == ("Parameters" if status == 200 else "OperationOutcome")


@pytest.mark.parametrize(
    ("expression", "text"),
    (
        ("1.10", '"valueDecimal":1.10'),
        ("1.10 + 0.00", '"valueDecimal":1.10'),
        ("0.00000001", '"valueDecimal":1E-8'),
        ("12345678901234567890.12345678", '"valueDecimal":12345678901234567890.12345678'),
        ("5.0 'mg'", '"value":5.0'),
    ),
)
def test_decimals_keep_their_digits(client: httpx2.Client, expression: str, text: str) -> None:
    assert text in ask(client, expression).text


@pytest.mark.parametrize(
    ("expression", "named"),
    (
        ("1L", "System.Long"),
        ("{1.0}", "List<System.Decimal>"),
        ("Tuple { a: 1, b: 'x' }", "Tuple{a:System.Integer,b:System.String}"),
        ("Interval[@T10, @T11]", "Interval<System.Time>"),
        ("List<Integer>{}", "List<System.Integer>"),
        ("null as Date", "System.Date"),
    ),
)
def test_the_cql_type_stands_beside_the_value(client: httpx2.Client, expression: str, named: str) -> None:
    extensions = ask(client, expression).json()["parameter"][0]["extension"]
    assert extensions == [{"url": "http://hl7.org/fhir/StructureDefinition/cqf-cqlType", "valueString": named}]


def given(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"name": "parameters", "resource": parameters(*rows)}


PARAMETERS: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("2 + X", [{"name": "X", "valueInteger": 2}], {"valueInteger": 4}),
    ("X + 0.5", [{"name": "X", "valueDecimal": 1.5}], {"valueDecimal": 2.0}),
    ("Sum(X)", [{"name": "X", "valueInteger": 2}, {"name": "X", "valueInteger": 5}], {"valueInteger": 7}),
    ("X.a + X.b", [{"name": "X", "part": [{"name": "a", "valueInteger": 2}, {"name": "b", "valueInteger": 3}]}],
     {"valueInteger": 5}),
    ("X > 7 'mg'", [{"name": "X", "valueQuantity": {"value": 8.0, "code": "mg"}}], {"valueBoolean": True}),
    ("X before @2020-02", [{"name": "X", "valueDate": "2020-01-31"}], {"valueBoolean": True}),
    ("start of X", [{"name": "X", "valuePeriod": {"start": "2020-01-01", "end": "2020-02-01"}}],
     {"valueDateTime": "2020-01-01"}),
    ("X.code", [{"name": "X", "valueCoding": {"system": "http://s", "code": "c"}}], {"valueString": "c"}),
    ("X.display", [{"name": "X", "valueCodeableConcept": {"coding": [], "text": "t"}}], {"valueString": "t"}),
    ("X.numerator", [{"name": "X", "valueRatio": {"numerator": {"value": 1, "code": "mg"},
                                                  "denominator": {"value": 1, "code": "mL"}}}],
     {"valueQuantity": {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"}}),
    ("X is null", [{"name": "X", "_valueBoolean": {"extension": [ABSENT]}}], {"valueBoolean": True}),
    ("exists X", [{"name": "X", "_valueBoolean": {"extension": [EMPTY]}}], {"valueBoolean": False}),
    ("X + 1L", [{"name": "X", "valueString": "9007199254740993", "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/cqf-cqlType", "valueString": "System.Long"}]}],
     {"valueString": "9007199254740994"}),
    ("X", [{"name": "X", "valueDateTime": "2020-05-01T10:00:00Z", "_valueDateTime": precision("h")}],
     {"valueDateTime": "2020-05-01T10:00:00Z", "_valueDateTime": precision("h")}),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "rows", "expected"), PARAMETERS)
def test_parameters_are_known_by_name(
    client: httpx2.Client, expression: str, rows: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    (answer,) = values(ask(client, expression, given(*rows)))
    assert {name: part for name, part in answer.items() if name not in ("name", "_valueDecimal")} == expected


def test_data_makes_a_patient(client: httpx2.Client) -> None:
    data = {"name": "data", "resource": bundle(patient(), hemoglobin(10.5))}
    assert values(ask(client, "[Observation] O return O.id.value", data)) == [{"name": "return", "valueString": "o1"}]
    assert values(ask(client, "Patient.birthDate.value", data)) == [{"name": "return", "valueDate": "1960-02-03"}]


def test_a_resource_comes_back_as_it_was_sent(client: httpx2.Client) -> None:
    text = json.dumps(parameters({"name": "expression", "valueString": "[Observation]"},
                                 {"name": "data", "resource": bundle(patient(), hemoglobin(10.5))}))  # fmt: skip
    answer = client.post(
        "/fhir/$cql", content=text.replace("10.5", "10.50"), headers={"content-type": "application/fhir+json"}
    )
    assert values(answer) == [{"name": "return", "resource": hemoglobin(10.5)}]
    assert '"value":10.50' in answer.text


def test_an_element_without_a_value_type_is_written_as_parts(client: httpx2.Client) -> None:
    person = patient(contact=[{"gender": "female", "name": {"family": "Roe"}}])
    (answer,) = values(ask(client, "Patient.contact", {"name": "data", "resource": bundle(person)}))
    assert answer["part"] == [
        {"name": "name", "valueHumanName": {"family": "Roe"}},
        {"name": "gender", "valueCode": "female"},
    ]


def test_a_library_is_named_by_its_address(client: httpx2.Client) -> None:
    library = {"name": "library", "part": [
        {"name": "url", "valueCanonical": "http://example.org/fhir/Library/SampleLabs|1.0.0"},
        {"name": "name", "valueString": "L"}]}  # fmt: skip
    data = {"name": "data", "resource": bundle(patient())}
    assert values(ask(client, "Sum(L.Numbers)", library, data)) == [{"name": "return", "valueInteger": 6}]


def test_the_failure_of_an_evaluation_is_a_parameter_of_its_own(client: httpx2.Client) -> None:
    (answer,) = values(ask(client, "Message(1, true, 'c', 'Error', 'stop here')"))
    assert answer["name"] == "evaluation error"
    assert answer["resource"]["issue"][0]["severity"] == "error"


def test_every_mistake_of_an_expression_has_its_line_and_column(client: httpx2.Client) -> None:
    answer = ask(client, "1 +\n  Nowhere +\n    'a' * true")
    issues = answer.json()["issue"]
    assert answer.status_code == 400
    assert [issue["location"] for issue in issues] == [["line 2, column 3"], ["line 3, column 5"]]
    assert issues[0]["expression"] == ["Parameters.parameter.where(name = 'expression').value"]
    assert issues[0]["diagnostics"].startswith("unknown-name")
    assert [e["valueInteger"] for e in issues[0]["extension"]] == [2, 3]


@pytest.mark.parametrize("expression", ("[Observation]", "[Observation] O return O.value", "Patient"))
def test_a_number_that_cannot_be_read_fails_the_expression_that_would_send_it(
    client: httpx2.Client, expression: str
) -> None:
    held = bundle(patient() | {"multipleBirthInteger": 11.5}, hemoglobin(11.5))
    rows = ({"name": "expression", "valueString": expression}, {"name": "data", "resource": held})
    body = json.dumps(parameters(*rows)).replace("11.5", "1e999999999")
    answer = client.post("/fhir/$cql", content=body, headers={"content-type": FHIR})
    assert answer.status_code == 200
    (row,) = answer.json()["parameter"]
    assert row["name"] == "evaluation error"


@pytest.mark.parametrize(
    "value",
    (
        {"name": "a", "_valueString": {"extension": 5}},
        {"name": "a", "part": [{"name": [], "valueString": "x"}]},
        {"name": "a", "part": [{"name": {}, "valueString": "x"}, 5]},
    ),
    ids=("an extension that is no list", "a name that is a list", "a name that is an object"),
)
def test_a_parameter_of_another_shape_is_the_callers_mistake(client: httpx2.Client, value: dict[str, Any]) -> None:
    given = {"name": "parameters", "resource": parameters(value)}
    answer = client.post("/fhir/$cql", json=parameters({"name": "expression", "valueString": "1 / null.x"}, given))
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_long_list_is_validated_slice_by_slice(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr("engine.service.evaluating.write", lambda resource: sizes.append(len(resource["parameter"])))
    asked = parameters({"name": "expression", "valueString": "expand Interval[1, 2500]"})
    answer = client.post("/fhir/$cql", json=asked)
    assert len(answer.json()["parameter"]) == 2500
    assert sizes == [1000, 1000, 500]
