"""`ResearchStudy/$screen` over a real socket: the same results as Parameters and as JSON."""

import json
from typing import Any

import httpx2
import pytest
from fhir.resources.R4B.parameters import Parameters

from engine.fhir.decode import decode_json
from engine.language.values import DateTime
from engine.service import Settings
from engine.service.inputs import inputs_of, job_of
from engine.service.jobs import ScreenJob
from tests.service.samples import bundle, hemoglobin, parameters, patient

SCREEN = "/fhir/ResearchStudy/$screen"
FHIR = "application/fhir+json"
DATE = {"name": "screeningDate", "valueString": "2026-03-01"}


def screened(client: httpx2.Client, body: Any, at: str = "ResearchStudy", accept: str = "application/json") -> Any:
    answer = client.post(f"/fhir/{at}/$screen", json=body, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("at", ("ResearchStudy", "ResearchStudy/SAMPLE"))
def test_a_bundle_is_screened(client: httpx2.Client, at: str) -> None:
    (result,) = screened(client, bundle(patient(), hemoglobin(8.5)), at)
    assert (result["trial"], result["patient"], result["verdict"]) == ("SAMPLE", "Patient/p1", "ineligible")
    assert {c["id"]: c["result"] for c in result["criteria"]} == {
        "SAMPLE-I1": "met", "SAMPLE-I2": "not-met", "SAMPLE-E1": "unknown",
    }  # fmt: skip


@pytest.mark.parametrize("accept", ("*/*", "application/fhir+json", "application/fhir+json, application/json"))
def test_fhir_is_the_answer_unless_json_is_asked_for(client: httpx2.Client, accept: str) -> None:
    body = parameters({"name": "data", "resource": bundle(patient(), hemoglobin(8.5))}, DATE)
    found = screened(client, body, accept=accept)
    Parameters.model_validate(found)
    (result,) = found["parameter"]
    parts = {part["name"]: part for part in result["part"]}
    assert result["name"] == "result"
    assert parts["study"]["valueReference"] == {"reference": "ResearchStudy/SAMPLE"}
    assert parts["verdict"]["valueCode"] == "ineligible"
    assert parts["screeningDate"]["valueDate"] == "2026-03-01"
    assert [p["part"][0]["valueString"] for p in result["part"] if p["name"] == "criteria"] == [
        "SAMPLE-I1", "SAMPLE-I2", "SAMPLE-E1",
    ]  # fmt: skip


def test_the_evidence_keeps_its_digits(client: httpx2.Client) -> None:
    text = client.post("/fhir/ResearchStudy/$screen", json=bundle(patient(), hemoglobin(10.25))).text
    assert '"valueQuantity":{"value":10.25,"unit":"g/dL"' in text


def test_parameters_of_the_trial_are_taken(client: httpx2.Client) -> None:
    least = {"name": "Least", "valueQuantity": {"value": 8, "code": "g/dL"}}
    body = parameters(
        {"name": "data", "resource": bundle(patient(), hemoglobin(8.5))},
        {"name": "parameters", "resource": parameters(least)}, DATE,
    )  # fmt: skip
    (result,) = screened(client, body)
    assert [c["result"] for c in result["criteria"]] == ["met", "met", "unknown"]


def test_the_subject_is_chosen_among_several(client: httpx2.Client) -> None:
    people = bundle(patient("a", birthDate="2020-01-01"), patient("b"))
    for name, expected in (("a", "not-met"), ("Patient/b", "met")):
        body = parameters({"name": "data", "resource": people}, {"name": "subject", "valueString": name}, DATE)
        (result,) = screened(client, body)
        assert result["criteria"][0]["result"] == expected
    by_address = client.post("/fhir/ResearchStudy/$screen?patient=a&trial=SAMPLE", json=people)
    assert by_address.status_code == 200


def test_the_same_call_gives_the_same_bytes(client: httpx2.Client) -> None:
    time = {"name": "EvaluationTime", "valueDateTime": "2026-03-01T12:00:00Z"}
    body = parameters({"name": "data", "resource": bundle(patient(), hemoglobin(9))}, DATE,
                      {"name": "parameters", "resource": parameters(time)})  # fmt: skip
    first, second = (client.post("/fhir/ResearchStudy/$screen", json=body) for _ in range(2))
    assert first.status_code == 200
    assert first.content == second.content


UNREADABLE = ("1e999999999", "1." + "1" * 70)


def unreadable(number: str) -> str:
    return json.dumps(bundle(patient(), hemoglobin(11.5))).replace("11.5", number)


@pytest.mark.parametrize("number", UNREADABLE)
def test_a_number_that_cannot_be_read_is_of_its_criterion(client: httpx2.Client, number: str) -> None:
    headers = {"content-type": FHIR, "accept": "application/json"}
    # A connection of its own: a defect ends it, and others would find it closed.
    answer = httpx2.post(f"{client.base_url}{SCREEN}", content=unreadable(number), headers=headers, timeout=30)
    assert answer.status_code == 200
    results = {criterion["id"]: criterion["result"] for criterion in answer.json()[0]["criteria"]}
    assert results["SAMPLE-I2"] in ("unknown", "error")


@pytest.mark.parametrize("number", UNREADABLE)
def test_a_number_that_cannot_be_read_is_kept_as_it_came(number: str) -> None:
    data = decode_json(unreadable(number).encode(), source="")
    inputs = inputs_of(ScreenJob(now=DateTime(2026, 1, 1, 0, 0, 0, 0, 0), data=data), Settings(), [])
    assert f'"value":{number},' in inputs.decode()
    assert job_of(inputs, "")[0].data == data


@pytest.mark.parametrize(
    "query",
    ("screeningdate=2026-01-01", "screening-date=2026-01-01&screening-date=2026-01-02", "patient=a&patient=b",
     "Trial=SAMPLE"),
)  # fmt: skip
def test_what_an_address_asks_for_and_is_not_taken_is_refused(client: httpx2.Client, query: str) -> None:
    answer = client.post(f"{SCREEN}?{query}", json=bundle(patient()))
    assert answer.status_code == 400
    assert "the address" in answer.json()["issue"][0]["diagnostics"]


def test_beside_parameters_nothing_stands_in_the_address(client: httpx2.Client) -> None:
    body = parameters({"name": "data", "resource": bundle(patient())})
    assert client.post(SCREEN, json=body).status_code == 200
    assert client.post(f"{SCREEN}?screening-date=2026-01-01", json=body).status_code == 400
    assert client.post("/fhir/$cql?expression=1", json=body).status_code == 400


@pytest.mark.parametrize(("name", "value"), (("screening-date", "soon"), ("screening-date", "2026")))
def test_a_parameter_that_does_not_fit_is_named(client: httpx2.Client, name: str, value: str) -> None:
    answer = client.post(SCREEN, json=bundle(patient()), params={name: value})
    assert answer.status_code == 400
    assert "ScreeningDate" in answer.json()["issue"][0]["diagnostics"]
