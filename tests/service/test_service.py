"""The service over a real socket: a Bundle in, the JSON of `eligibility screen` out; mistakes as OperationOutcome."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import uvicorn

from engine.service import create_app
from engine.sources import own_content
from engine.trials import read_trial

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = (REPOSITORY / "fhir_fixtures" / "psma-nk" / "01-in-good-order.json").read_bytes()
SCREEN = "/fhir/ResearchStudy/$screen"
FHIR = {"content-type": "application/fhir+json"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    workspace = own_content().workspace()
    trial, _ = read_trial(workspace, REPOSITORY / "tests" / "trials" / "data" / "tiny.cql")
    assert trial is not None
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(create_app(workspace, [trial]), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        with httpx2.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60) as client:
            yield client
        server.should_exit = True
        thread.join()


def test_health(client: httpx2.Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["trials"] == ["TINY"]


@pytest.mark.parametrize("kind", ("application/fhir+json", "application/json; charset=utf-8"))
def test_a_bundle_is_screened(kind: str, client: httpx2.Client) -> None:
    answer = client.post(f"{SCREEN}?screening-date=2026-06-15", content=SAMPLE, headers={"content-type": kind})
    assert answer.status_code == 200
    (result,) = answer.json()
    assert (result["trial"], result["verdict"]) == ("TINY", "needs-review")
    assert {c["id"]: c["result"] for c in result["criteria"]} == {
        "TINY-I1": "met", "TINY-I2": "met", "TINY-E1": "not-met", "TINY-E2": "not-encoded",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "content", "sentence"),
    (
        (SCREEN, b"{", "the text ends too early"),
        (SCREEN, b"", "is empty"),
        (SCREEN, b'{"resourceType": "Bundle", "entry": []}', "no entries"),
        (f"{SCREEN}?trial=NOPE", SAMPLE, "there is no trial 'NOPE'"),
        (f"{SCREEN}?screening-date=today", SAMPLE, "expected a date"),
        (f"{SCREEN}?patient=nobody", SAMPLE, "holds no Patient 'nobody'"),
    ),
)
def test_a_mistake_is_an_operation_outcome(address: str, content: bytes, sentence: str, client: httpx2.Client) -> None:
    answer = client.post(address, content=content, headers=FHIR)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/fhir+json")
    outcome = json.loads(answer.content)
    assert outcome["resourceType"] == "OperationOutcome"
    assert sentence in outcome["issue"][0]["diagnostics"]


def test_another_media_type_is_refused(client: httpx2.Client) -> None:
    answer = client.post(SCREEN, content=SAMPLE, headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["resourceType"] == "OperationOutcome"
