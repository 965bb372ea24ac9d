"""Errors: each an OperationOutcome with its place, in JSON, without the data that was sent and without a trace."""

import json
import re
from typing import Any

import httpx2
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from tests.service.samples import bundle, hemoglobin, parameters, patient

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

FHIR = "application/fhir+json"
CQL = "/fhir/$cql"
EVALUATE = "/fhir/Library/$evaluate"
SCREEN = "/fhir/ResearchStudy/$screen"


def text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "valueString": value}


def outcome(answer: httpx2.Response) -> list[dict[str, Any]]:
    """The issues of an answer that has to be a valid OperationOutcome."""
    assert answer.headers["content-type"] == FHIR
    assert answer.headers["x-content-type-options"] == "nosniff"
    OperationOutcome.model_validate(answer.json())
    assert "Traceback" not in answer.text
    issues: list[dict[str, Any]] = answer.json()["issue"]
    return issues


ROWS: list[tuple[str, Any, int, str, str]] = [
    (CQL, b"{", 400, "the text ends too early", ""),
    (CQL, b"", 400, "the body is empty", ""),
    (CQL, b'{"a": "\xff"}', 400, "UTF-8", ""),
    (CQL, b"[" * 500, 400, "nested deeper", ""),
    (CQL, [], 400, "no Parameters resource", "Parameters"),
    (CQL, {"resourceType": "Bundle"}, 400, "no Parameters resource", "Parameters"),
    (CQL, {"resourceType": "Parameters", "parameter": 1}, 400, "no list", "Parameters.parameter"),
    (CQL, {"resourceType": "Parameters"}, 400, "'expression' is missing", "Parameters.parameter"),
    (CQL, parameters({}), 400, "an object with a name", "Parameters.parameter[0]"),
    (CQL, parameters({"name": "nope"}), 400, "it takes expression", "Parameters.parameter[0]"),
    (CQL, parameters({"name": "expression"}), 400, "needs a text", "Parameters.parameter[0]"),
    (CQL, parameters({"name": "expression", "valueInteger": 1}), 400, "needs a text", "Parameters.parameter[0]"),
    (CQL, parameters(text("expression", "1"), text("expression", "2")), 400, "twice", "Parameters.parameter[1]"),
    (CQL, parameters(text("expression", "1"), {"name": "dataEndpoint"}), 422, "send it as 'data'",
     "Parameters.parameter[1]"),
    (CQL, parameters(text("expression", "1"), {"name": "data", "resource": patient()}), 400, "needs a Bundle",
     "Parameters.parameter[1]"),
    (CQL, parameters(text("expression", "1"), {"name": "data", "resource": bundle()}), 400, "no entries", ""),
    (CQL, parameters(text("expression", "1"), text("subject", "Patient/1")), 422, "send it as 'data'", "[1]"),
    (CQL, parameters(text("expression", "1"), {"name": "library", "part": [{"name": "name", "valueString": "x"}]}), 400,
     "'url' is missing", ""),
    (CQL, parameters(text("expression", "1"), {"name": "library", "part": [text("url", "http://x/Library/No")]}), 404,
     "no library of this address", "library"),
    (CQL, parameters(text("expression", "1 define X: 2")), 400, "one expression", "expression"),
    (CQL, parameters(text("expression", "1 +")), 400, "", "expression"),
    (CQL, parameters(text("expression", "X"), {"name": "parameters", "resource": parameters({"name": "X"})}), 400,
     "needs a value or parts", "parameter[0]"),
    (CQL, parameters(text("expression", "X"), {"name": "parameters", "resource": parameters(
        {"name": "X", "valueHumanName": {}})}), 422, "of this FHIR type", "parameter[0]"),
    (CQL, parameters(text("expression", "X"), {"name": "parameters", "resource": parameters(
        {"name": "X", "valueInteger": "a"})}), 400, "expected", ""),
    (EVALUATE, parameters(), 400, "either by 'url' or as 'library'", "Parameters.parameter"),
    (EVALUATE, parameters(text("url", "http://x/Library/No")), 404, "no library of this address", "url"),
    (EVALUATE, parameters(text("url", "SampleLabs|9.9")), 404, "no library of this address", "url"),
    (EVALUATE, parameters({"name": "library", "resource": {"resourceType": "Library"}}), 400, "no content", "content"),
    (EVALUATE, parameters({"name": "library", "resource": {"resourceType": "Library", "content": [
        {"contentType": "text/cql", "data": "###"}]}}), 400, "base64", "content[0]"),
    (EVALUATE, parameters({"name": "library", "resource": {"resourceType": "Library", "content": [
        {"contentType": "application/elm+json", "data": "e30="}]}}), 400, "", ""),
    (EVALUATE, parameters(text("url", "SampleLabs"), text("expression", "Nope")), 400, "no define of this name", "[0]"),
    ("/fhir/Library/Nope/$evaluate", parameters(), 404, "no Library of this id", ""),
    ("/fhir/Library/SampleLabs/$evaluate", parameters(text("url", "x")), 400, "leave 'url'", ""),
    (SCREEN, {"resourceType": "Patient"}, 200, "", ""),
    (SCREEN, {"resourceType": "Observation"}, 400, "no FHIR Bundle or Parameters", ""),
    (SCREEN, bundle(), 400, "no entries", ""),
    (SCREEN, bundle(hemoglobin(1)), 400, "holds no Patient", ""),
    (SCREEN, bundle(patient("a"), patient("b")), 400, "no RelatedPerson tells", ""),
    (SCREEN, parameters(), 400, "'data' is missing", "Parameters.parameter"),
    (SCREEN, parameters({"name": "data", "resource": bundle(patient())}, text("trial", "NO")), 404, "known are SAMPLE",
     "[1]"),
    (SCREEN, parameters({"name": "data", "resource": bundle(patient())}, text("screeningDate", "soon")), 400,
     "expected a date", ""),
    (SCREEN, parameters(text("subject", "Patient/1")), 422, "no FHIR server", "[0]"),
    ("/fhir/ResearchStudy/NO/$screen", bundle(patient()), 404, "no ResearchStudy of this id", ""),
]  # fmt: skip


@pytest.mark.parametrize(("at", "body", "status", "sentence", "place"), ROWS)
def test_a_mistake_has_its_status_its_sentence_and_its_place(
    client: httpx2.Client, at: str, body: Any, status: int, sentence: str, place: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(at, content=content, headers={"content-type": FHIR})
    assert answer.status_code == status, answer.text
    if status == 200:
        return
    issues = outcome(answer)
    assert sentence in issues[0]["diagnostics"]
    assert place in (issues[0].get("expression") or [""])[0]


@pytest.mark.parametrize(
    ("method", "at", "status"),
    (
        ("GET", "/nope", 404),
        ("GET", "/fhir/Patient", 404),
        ("GET", "/fhir/Patient/1", 404),
        ("GET", "/fhir/Library/nope", 404),
        ("GET", "/fhir/Library?nope=1", 400),
        ("GET", "/fhir/Library?_count=-1", 400),
        ("GET", "/fhir/Library?_count=" + "9" * 99, 400),
        ("PUT", "/fhir/Library/SampleLabs", 405),
        ("DELETE", "/fhir/$cql", 405),
        ("GET", "/results/nope", 404),
        ("GET", "/fhir/$cql", 405),
        ("GET", "/fhir/Library/$evaluate", 405),
        ("GET", "/fhir/ResearchStudy/$screen", 405),
        ("GET", "/fhir/ResearchStudy/", 404),
        ("POST", "/fhir/$cql/", 404),
        ("GET", "/cds-services/", 404),
        ("GET", "/fhir//ResearchStudy", 404),
    ),
)
def test_an_address_that_leads_nowhere(client: httpx2.Client, method: str, at: str, status: int) -> None:
    answer = client.request(method, at)
    assert answer.status_code == status
    assert outcome(answer)


@pytest.mark.parametrize(
    "kind",
    (
        "text/plain", "application/xml", "multipart/form-data", "", "application/json; charset=utf-16",
        "application/fhir+json;charset=latin-1", 'application/json; fhirVersion=4.0; charset="iso-8859-1"',
    ),
)  # fmt: skip
def test_other_content_types_are_refused(client: httpx2.Client, kind: str) -> None:
    answer = client.post(CQL, content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert outcome(answer)


@pytest.mark.parametrize("accept", ("text/html", "application/xml", "image/png"))
def test_other_answers_than_json_are_not_given(client: httpx2.Client, accept: str) -> None:
    answer = client.post(SCREEN, json=bundle(patient()), headers={"accept": accept})
    assert answer.status_code == 406
    assert outcome(answer)


# ---------------------------------------------------------------- scripts stay text

SCRIPTS = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg/onload=alert(1)>", "<body onload=alert(1)>", "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "<a href='javascript:alert(1)'>x</a>",
    "\"><script>alert(1)</script>", "'><script>alert(1)</script>", "';alert(1)//", "\";alert(1)//",
    "<ScRiPt>alert(1)</sCrIpT>", "<<script>script>alert(1)</script>", "<script src=//evil.example/x.js></script>",
    "<object data=x>", "<embed src=x>", "<math><mtext></mtext></math><script>1</script>", "<style>@import'x'</style>",
    "<link rel=stylesheet href=x>", "<base href=//evil.example>", "<form action=//evil.example><input>",
    "<meta http-equiv=refresh content=0>", "{{7*7}}", "${7*7}", "<%= 7*7 %>", "[x](javascript:alert(1))",
    "![x](x onerror=alert(1))",
)  # fmt: skip


def json_only(answer: httpx2.Response) -> None:
    assert answer.headers["content-type"] in (FHIR, "application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    json.loads(answer.text)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_text_wherever_it_stands(client: httpx2.Client, script: str) -> None:
    literal = script.replace("\\", "\\\\").replace("'", "\\'")
    answer = client.post(CQL, json=parameters(text("expression", f"'{literal}'")))
    json_only(answer)
    assert answer.json()["parameter"][0]["valueString"] == script
    named = parameters(text("expression", '"' + script.replace('"', '\\"') + '"'))
    person = patient(name=[{"text": script, "family": script}], contact=[{"name": {"text": script}}])
    sick = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p1"}, "code": {"text": script}}
    hooked = {"hook": "patient-view", "hookInstance": INSTANCE, "context": {"patientId": "p1"},
              "prefetch": {"patient": person, "observation": None, script: sick}}  # fmt: skip
    for at, body in (
        (CQL, named), (SCREEN, bundle(person, sick)), (SCREEN, bundle(patient(script))),
        (f"/fhir/ResearchStudy/{script.replace('/', '%2F').replace('?', '%3F')}/$screen", bundle(person)),
        ("/cds-services/eligibility", hooked), (SCREEN, {"resourceType": script}),
    ):  # fmt: skip
        json_only(client.post(at, json=body, headers={"accept": "*/*"}))


def test_a_card_shows_html_of_the_trial_as_text() -> None:
    from engine.service.cards import escaped

    for script in SCRIPTS:
        shown = escaped(script)
        assert "<" not in shown
        assert not re.search(r"(?<!\\)[\[\]()`*_]", shown)


# ---------------------------------------------------------------- patient data in no error


def canaries(count: int) -> list[str]:
    """Names, ids, dates, numbers and texts that stand nowhere else."""
    forms = ("Canary{0}", "canary-{0}", "CANARY {0}", "19{1:02}-07-{2:02}", "canary{0}@example.org", "urn:canary:{0}",
             "77{0}77.25", "canary words of no. {0}")  # fmt: skip
    return [forms[n % len(forms)].format(n, n % 90 + 10, n % 28 + 1) for n in range(count)]


def filled(names: list[str]) -> list[dict[str, Any]]:
    """Resources that hold each canary somewhere, in ids, names, dates, codes, texts and where they do not fit."""
    found: list[dict[str, Any]] = []
    for n, name in enumerate(names):
        found.append(
            {
                "resourceType": "Observation", "id": f"o{n}", "status": name, "subject": {"reference": "Patient/p1"},
                "code": {"text": name, "coding": [{"system": name, "code": name, "display": name}]},
                "effectiveDateTime": name, "valueQuantity": {"value": name, "unit": name}, "note": [{"text": name}],
            }
        )  # fmt: skip
    return found


FAILING = (
    "ToInteger([Observation] O return O.status.value)",
    "Message(1, true, 'c', 'Error', First([Observation]).status.value)",
    "singleton from ([Observation] O return O.code.text.value)", "First([Observation]).value as System.Integer",
    "[Observation] O return ConvertQuantity(1 'mg', O.code.text.value)",
    "[Observation] O return ToQuantity(O.value as FHIR.Quantity)",
    "[Observation] O return 1 'mg' + ToQuantity(O.code.text.value)",
    "[Observation: code in \"x\"]", "[Observation] O return Message(O, true, 'c', 'Error', O.code.text.value)",
    "Nowhere", "[Observation] O return Matches(O.code.text.value, '(')",
    "[Observation] O return cast O.value as FHIR.string",
)  # fmt: skip


def calls(names: list[str]) -> list[tuple[str, Any]]:
    """Requests that hold the canaries and cannot be answered as asked."""
    resources = [patient(name=[{"family": n} for n in names]), *filled(names)]
    data = {"name": "data", "resource": bundle(*resources)}
    first = names[0]
    return [
        *((CQL, parameters(text("expression", expression), data)) for expression in FAILING),
        (EVALUATE, parameters(text("url", first), data)), (EVALUATE, parameters(text("url", "SampleLabs"), data,
                                                                              text("expression", first))),
        (SCREEN, bundle(*[patient(name) for name in names])),
        (SCREEN, bundle(*resources, {**resources[1], "status": "final"})),
        (SCREEN, parameters(data, text("subject", first))), (SCREEN, parameters(data, text("trial", first))),
        (SCREEN, parameters(data, text("screeningDate", first))),
        (SCREEN, parameters(data, {"name": "parameters", "resource": parameters(text(n, n) for n in names)})),
        (SCREEN, parameters(data, {"name": "parameters", "resource": parameters(*(text("Least", n) for n in names))})),
        (SCREEN, parameters(data, {"name": first})), (SCREEN, {"resourceType": first, "entry": names}),
        (SCREEN, {"resourceType": "Bundle", "entry": dict.fromkeys(names, 1)}),
        ("/cds-services/eligibility", {"hook": first, "prefetch": {"patient": resources[0]}}),
        ("/cds-services/eligibility", {"hook": "patient-view", "hookInstance": INSTANCE,
                                       "context": {"patientId": first},
                                       "prefetch": {"patient": resources[0], "observation": bundle(*resources[1:])}}),
        (f"/fhir/Library/{first}/$evaluate", parameters()), (f"/fhir/{first}/$screen", parameters()),
    ]  # fmt: skip


def errors_in(content: Any) -> list[str]:
    """All the OperationOutcomes in an answer, as text."""
    if isinstance(content, dict):
        if content.get("resourceType") == "OperationOutcome":
            return [json.dumps(content, ensure_ascii=False)]
        return [found for inner in content.values() for found in errors_in(inner)]
    return [found for inner in content for found in errors_in(inner)] if isinstance(content, list) else []


def test_no_error_repeats_patient_data(client: httpx2.Client) -> None:
    names = canaries(200)
    assert len(set(names)) == 200
    seen = 0
    for group in (names[n : n + 25] for n in range(0, 200, 25)):
        for at, body in calls(group):
            content = json.dumps(body, default=list).encode()
            answer = client.post(at, content=content, headers={"content-type": FHIR})
            errors = errors_in(answer.json())
            seen += len(errors)
            for error in errors:
                leaked = [name for name in names if name in error]
                assert not leaked, (at, leaked, error)
    assert seen >= 8 * 20


def test_a_parameter_has_one_value(client: httpx2.Client) -> None:
    row = {"name": "expression", "valueString": "1", "valueUri": "2"}
    answer = client.post(CQL, json={"resourceType": "Parameters", "parameter": [row]})
    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Parameters.parameter[0]"]


@pytest.mark.parametrize("kind", ("application/json; charset=UTF-8", 'application/fhir+json;charset="utf-8"'))
def test_what_is_sent_in_utf_8_is_read(client: httpx2.Client, kind: str) -> None:
    row = {"name": "expression", "valueString": "'ü'"}
    body = json.dumps({"resourceType": "Parameters", "parameter": [row]}, ensure_ascii=False).encode()
    for data in (body, b"\xef\xbb\xbf" + body):
        answer = client.post(CQL, content=data, headers={"content-type": kind})
        assert answer.json()["parameter"][0]["valueString"] == "ü"


@pytest.mark.parametrize("at", ("/health", "/fhir/metadata", "/fhir/Library", "/cds-services", "/fhir/Library/nope"))
def test_head_is_get_without_the_body(client: httpx2.Client, at: str) -> None:
    head, get = client.head(at), client.get(at)
    assert (head.status_code, head.content) == (get.status_code, b"")
    names = ("content-type", "content-length")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
