"""`ResearchStudy/$screen` over a real socket: the same results as Parameters and as JSON."""

from typing import Any

import httpx2
import pytest
from fhir.resources.R4B.parameters import Parameters

from tests.service.samples import bundle, hemoglobin, parameters, patient

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
