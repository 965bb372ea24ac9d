"""Screening of a subject whose record is on a configured FHIR server; the server here is a stub of our own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from engine.errors import InputError
from engine.service import Settings, create_app
from engine.sources import Content
from tests.service.samples import hemoglobin, parameters, patient
from tests.sources.smart.stub import Reply, Stub, outcome

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


@pytest.fixture
def server() -> Iterator[Stub]:
    with Stub(patient(), hemoglobin(10), patient("p2"), hemoglobin(5, identity="o2", person="p2")) as made:
        yield made


@pytest.fixture
def settings(server: Stub, content: Content, tmp_path: Path) -> Settings:
    file = tmp_path / "servers.json"
    ehr = {"base_url": server.base, "authorization": "none", "retries": 0}
    file.write_text(json.dumps({"servers": {"ehr": ehr}}), "utf-8")
    return Settings(content=content, server="ehr", servers_file=file)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as made:
        yield made


def screened(client: TestClient, subject: str) -> Any:
    body = parameters({"name": "subject", "valueString": subject})
    return client.post("/fhir/ResearchStudy/$screen", json=body, headers={"accept": "application/json"})


@pytest.mark.parametrize(("subject", "result"), (("Patient/p1", "met"), ("p2", "not-met")))
def test_a_subject_is_screened_by_reference(client: TestClient, subject: str, result: str) -> None:
    (found,) = screened(client, subject).json()
    assert [c["result"] for c in found["criteria"]] == ["met", result, "unknown"]


def test_what_the_server_withholds_decides_nothing(client: TestClient, server: Stub) -> None:
    server.fault("GET", "/fhir/Observation", Reply(403, outcome("no")), always=True)
    (found,) = screened(client, "Patient/p1").json()
    assert [c["result"] for c in found["criteria"]] == ["met", "error", "unknown"]


def test_a_hook_without_prefetch_asks_the_server(client: TestClient) -> None:
    call = {"hook": "patient-view", "hookInstance": INSTANCE, "context": {"patientId": "p1"}}
    (card,) = client.post("/cds-services/eligibility", json=call).json()["cards"]
    assert card["summary"].startswith("SAMPLE: may be eligible")


@pytest.mark.parametrize("subject", ("../metadata", "..", "Patient/", "http://elsewhere/Patient/p1", "p1?_format=xml"))
def test_a_subject_that_is_no_id_is_not_asked_for(client: TestClient, server: Stub, subject: str) -> None:
    before = len(server.requests)
    assert screened(client, subject).status_code == 400
    assert len(server.requests) == before


def test_a_patient_the_server_does_not_know_is_a_refusal_that_does_not_name_them(client: TestClient) -> None:
    answer = screened(client, "Patient/canary-77")
    assert answer.status_code in (404, 502)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "canary-77" not in answer.text


def test_a_server_that_is_not_configured_is_told_at_the_start(settings: Settings, content: Content) -> None:
    with pytest.raises(InputError, match="nope"):
        create_app(Settings(content=content, server="nope", servers_file=settings.servers_file))
