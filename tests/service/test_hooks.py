"""CDS Hooks over a real socket: discovery, a call with its prefetch in every state, the link, and feedback."""

import uuid
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from engine.service.prefetch import types_needed
from tests.service.samples import bundle, hemoglobin, patient

ALL = "/cds-services/eligibility"
ONE = "/cds-services/eligibility-sample"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


def found(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return bundle(*resources) | {"type": "searchset"} | more


def call(prefetch: dict[str, Any], identity: str = "p1") -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.UUID(int=1)),
        "fhirServer": "https://ehr.example.org/fhir",
        "fhirAuthorization": {"access_token": "secret", "token_type": "Bearer", "expires_in": 300,
                              "scope": "patient/*.rs", "subject": "cds"},
        "context": {"userId": "Practitioner/1", "patientId": identity},
        "prefetch": prefetch,
    }  # fmt: skip


WHOLE = {"patient": patient(), "observation": found(hemoglobin(10)), "allergyIntolerance": None}


def results(client: httpx2.Client, prefetch: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Criterion → result and error, by way of the card's link."""
    (card,) = client.post(ALL, json=call(prefetch)).json()["cards"]
    (result,) = client.get(card["links"][0]["url"]).json()
    return {c["id"]: (c["result"], c.get("error", "")) for c in result["criteria"]}


def test_discovery_asks_for_what_the_trials_retrieve(client: httpx2.Client) -> None:
    services = client.get("/cds-services").json()["services"]
    assert [(s["id"], s["hook"]) for s in services] == [
        ("eligibility", "patient-view"),
        ("eligibility-sample", "patient-view"),
    ]
    assert all(s["title"] and s["description"] for s in services)
    assert services[0]["prefetch"] == services[1]["prefetch"] == {
        "patient": "Patient/{{context.patientId}}",
        "observation": "Observation?patient={{context.patientId}}",
        "allergyIntolerance": "AllergyIntolerance?patient={{context.patientId}}",
    }  # fmt: skip


@pytest.mark.parametrize("at", (ALL, ONE))
def test_a_call_gives_cards(client: httpx2.Client, at: str) -> None:
    answer = client.post(at, json=call(WHOLE))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    (card,) = answer.json()["cards"]
    assert uuid.UUID(card["uuid"])
    assert card["summary"] == "SAMPLE: may be eligible, needs review (2 criteria settled, 1 open)"
    assert len(card["summary"]) < 140
    assert card["indicator"] == "info"
    assert card["source"] == {
        "label": "SAMPLE A sample trial",
        "url": "https://clinicaltrials.gov/study/NCT00000001",
    }
    assert "SAMPLE-E1" in card["detail"]
    assert "secret" not in answer.text


def test_the_link_leads_to_the_whole_result(client: httpx2.Client) -> None:
    assert {name: result for name, (result, _) in results(client, WHOLE).items()} == {
        "SAMPLE-I1": "met", "SAMPLE-I2": "met", "SAMPLE-E1": "unknown",
    }  # fmt: skip


def test_a_patient_who_is_excluded_gets_one_card_that_says_why(client: httpx2.Client) -> None:
    (card,) = client.post(ALL, json=call(WHOLE | {"observation": found(hemoglobin(5))})).json()["cards"]
    assert card["summary"] == "Not eligible for SAMPLE"
    assert "SAMPLE-I2" in card["detail"]


@pytest.mark.parametrize(
    ("observation", "reason"),
    (
        ({}, "the client sent no prefetch 'observation'"),
        ({"observation": OUTCOME}, "with an OperationOutcome"),
        ({"observation": found(OUTCOME)}, "reported an error"),
        ({"observation": found({**OUTCOME, "issue": 5}, total=2)}, "a search with 2 results and holds 1"),
        ({"observation": found(total=3)}, "a search with 3 results and holds 0"),
        ({"observation": found(hemoglobin(10)) | {"entry": {}}}, "whose entry is not a list"),
        ({"observation": {}}, "is no resource Observation and no Bundle"),
        ({"observation": {"resourceType": "Condition", "id": "c1"}}, "is no resource Observation and no Bundle"),
        ({"observation": found(hemoglobin(10), link=[{"relation": "next", "url": "http://x"}])}, "one page of several"),
        ({"observation": 5}, "is no resource"),
    ),
)
def test_what_did_not_come_is_not_taken_for_absent(
    client: httpx2.Client, observation: dict[str, Any], reason: str
) -> None:
    prefetch = {name: value for name, value in WHOLE.items() if name != "observation"} | observation
    answers = results(client, prefetch)
    assert answers["SAMPLE-I1"][0] == "met"
    assert answers["SAMPLE-I2"][0] == "error"
    assert reason in answers["SAMPLE-I2"][1]


def test_null_is_the_word_that_there_is_nothing(client: httpx2.Client) -> None:
    assert results(client, WHOLE | {"observation": None})["SAMPLE-I2"] == ("unknown", "")


def test_an_empty_search_is_the_same_as_null(client: httpx2.Client) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert results(client, WHOLE | {"observation": empty})["SAMPLE-I2"] == ("unknown", "")


@pytest.mark.parametrize(
    "prefetch", ({}, {"patient": None}, {"patient": OUTCOME}, {"observation": found(hemoglobin(10))}, {"patient": 1})
)
def test_without_the_patient_nothing_can_be_had(client: httpx2.Client, prefetch: dict[str, Any]) -> None:
    answer = client.post(ALL, json=call(prefetch))
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_patient_other_than_the_one_in_view_is_refused(client: httpx2.Client) -> None:
    assert client.post(ALL, json=call(WHOLE, "someone-else")).status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    (
        ({"hook": "order-sign"}, 400),
        ({"hookInstance": None}, 400),
        ({"context": {}}, 400),
        ({"context": None}, 400),
        ({"context": {"patientId": "http://elsewhere.example.org/Patient/p1"}}, 400),
        ({"context": {"patientId": "../p1"}}, 400),
        ({"context": {"patientId": ".."}}, 400),
        ({"context": {"patientId": "p1\0"}}, 400),
        ({"context": {"patientId": "p" * 1000}}, 400),
        ({"context": {"patientId": "Patient/p1"}}, 200),
    ),
)
def test_a_call_that_is_none(client: httpx2.Client, change: dict[str, Any], status: int) -> None:
    assert client.post(ALL, json=call(WHOLE) | change).status_code == status


def test_an_unknown_service(client: httpx2.Client) -> None:
    assert client.post("/cds-services/nope", json=call(WHOLE)).status_code == 404


def test_feedback_is_kept(client: httpx2.Client, app: FastAPI) -> None:
    row = {"card": str(uuid.UUID(int=7)), "outcome": "overridden", "outcomeTimestamp": "2026-03-01T10:00:00Z",
           "overrideReason": {"reason": {"code": "x", "system": "y"}, "userComment": "seen"}}  # fmt: skip
    answer = client.post(f"{ALL}/feedback", json={"feedback": [row, row | {"outcome": "accepted"}]})
    assert (answer.status_code, answer.json()) == (200, {})
    kept = list(app.state.feedback.held)[-2:]
    assert [(f.service, f.card, f.outcome) for f in kept] == [
        ("eligibility", row["card"], "overridden"),
        ("eligibility", row["card"], "accepted"),
    ]
    assert kept[0].detail == row


@pytest.mark.parametrize(
    "body",
    ([], {}, {"feedback": []}, {"feedback": [1]}, {"feedback": [{"card": "c", "outcome": "ignored"}]}),
)
def test_feedback_that_is_none(client: httpx2.Client, body: Any) -> None:
    assert client.post(f"{ALL}/feedback", json=body).status_code == 400


def test_browsers_may_call_hooks_and_nothing_else(client: httpx2.Client) -> None:
    origin = {"origin": "https://sandbox.example.org"}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert client.get("/cds-services", headers=origin).headers["access-control-allow-origin"] == "*"
    assert client.options(ALL, headers=origin | asked).status_code == 200
    assert client.post(ALL, json=call(WHOLE), headers=origin).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in client.get("/fhir/metadata", headers=origin).headers
    assert client.options("/fhir/$cql", headers=origin | asked).status_code == 405


def test_what_trials_need_is_found_once_and_is_what_their_libraries_ask_for(
    app: FastAPI, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = app.state.catalogue
    assert catalogue.needs(catalogue.trials) == types_needed(catalogue.trials.values())
    monkeypatch.setattr("engine.service.catalogue.types_needed", lambda trials: pytest.fail("found again"))
    assert client.get("/cds-services").status_code == 200


@pytest.mark.parametrize("instance", ("1", "", None, 7, "d1577c69dfbe44adba6d3e05e953b2ea", "x" * 36))
def test_the_instance_of_a_hook_is_a_uuid(client: httpx2.Client, instance: object) -> None:
    answer = client.post(ONE, json=call({"patient": patient()}) | {"hookInstance": instance})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["hookInstance"]


@pytest.mark.parametrize(
    ("moment", "status"),
    (("2020-12-11T00:00:00Z", 200), ("2020-12-11T00:00:00.123+01:00", 200), ("2020-99-99T99:99:00Z", 400),
     ("yesterday", 400), ("2020-12-11", 400)),
)  # fmt: skip
def test_an_outcome_has_its_moment(client: httpx2.Client, moment: str, status: int) -> None:
    row = {"card": str(uuid.UUID(int=1)), "outcome": "accepted", "outcomeTimestamp": moment}
    assert client.post(f"{ONE}/feedback", json={"feedback": [row]}).status_code == status
