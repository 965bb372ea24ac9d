"""Bulk export over a real socket: the job, its files, its faults, and grouping by patient on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EvaluationError, InputError
from engine.fhir import EVERY_TYPE
from engine.language.elm.requirements import DataRequirement
from engine.sources import Patient
from engine.sources.smart import Plan, ServerRecords, ServerSettings, plan, records_from_server
from engine.sources.smart.grouping import Grouping
from tests.sources.smart.stub import Answerer, Json, Reply, Request, Stub, outcome

Serve = Callable[..., Stub]
Settings = Callable[..., ServerSettings]
OBSERVATION = DataRequirement("Observation")
MEDICATION = DataRequirement("MedicationRequest")
P, Q = {"resourceType": "Patient", "id": "p"}, {"resourceType": "Patient", "id": "q"}


def about(kind: str, identity: str, patient: str = "p", **members: Any) -> Json:
    return {"resourceType": kind, "id": identity, "subject": {"reference": f"Patient/{patient}"}, **members}


@pytest.fixture
def server(serve: Serve, rsa: tuple[Json, Any]) -> Stub:
    return serve(public_key=rsa[1])


class Exporting:
    """Runs exports of one stub."""

    def __init__(self, server: Stub, settings: Settings, clock: Any) -> None:
        self.server, self.settings, self.clock = server, settings, clock
        self.progress: list[str] = []
        self.records: ServerRecords | None = None

    def __call__(self, *requirements: DataRequirement, group: str | None = None, **given: Any) -> list[Any]:
        servers = {"stub": self.settings(self.server, method="bulk", **given)}
        wanted = requirements or (OBSERVATION,)
        self.records = records_from_server(
            servers, "stub", requirements=wanted, group=group, clock=self.clock, progress=self.progress.append
        )
        return list(self.records)

    def one(self, *requirements: DataRequirement, **given: Any) -> Patient:
        (found,) = self(*requirements, **given)
        assert isinstance(found, Patient), found
        return found

    @property
    def missing(self) -> list[str]:
        assert self.records is not None
        return [str(item) for item in self.records.completeness.missing]

    @property
    def notes(self) -> list[str]:
        assert self.records is not None
        return self.records.completeness.notes


@pytest.fixture
def export(server: Stub, settings: Settings, clock: Any) -> Exporting:
    return Exporting(server, settings, clock)


def held(patient: Patient) -> list[str]:
    return [entry.reference for entry in patient.record.bundle.entries]


def test_an_export_from_kick_off_to_clearing_up(server: Stub, export: Exporting, clock: Any) -> None:
    server.export(
        ("output", "Observation", [about("Observation", "1"), about("Observation", "2", "q")]),
        ("output", "Patient", [Q, P]),
        ("output", "Observation", [about("Observation", "3")]),
    )
    found = export()
    assert [held(item) for item in found] == [
        ["Patient/p", "Observation/1", "Observation/3"],
        ["Patient/q", "Observation/2"],
    ]
    assert export.missing == []
    assert export.progress == ["half way"]
    assert clock.waits == [7]
    kick_off = next(r for r in server.requests if "$export" in r.target)
    assert kick_off.target == (
        "/fhir/Patient/$export?_type=Observation,Patient&_outputFormat=application%2Ffhir%2Bndjson"
    )
    assert (kick_off.headers["prefer"], kick_off.headers["accept"]) == ("respond-async", "application/fhir+json")
    assert [r.path for r in server.requests if r.method == "DELETE"] == ["/fhir/job/1"]
    assert all(r.token == "token-1" for r in server.requests if r.path.startswith(("/files/", "/fhir/job")))


@pytest.mark.parametrize(
    ("given", "group", "path"),
    (
        ({}, None, "/fhir/Patient/$export"),
        ({"export_level": "system"}, None, "/fhir/$export"),
        ({}, "g1", "/fhir/Group/g1/$export"),
    ),
)
def test_the_level(server: Stub, export: Exporting, given: Json, group: str | None, path: str) -> None:
    server.export(("output", "Patient", [P]))
    assert len(export(group=group, **given)) == 1
    assert server.asked(path)


def test_files_that_need_no_token_get_none(server: Stub, export: Exporting) -> None:
    server.export(("output", "Patient", [P]), folder="open", requiresAccessToken=False)
    assert len(export()) == 1
    assert [r.token for r in server.requests if r.path.startswith("/open/")] == [None]


def test_manifests_that_follow(server: Stub, export: Exporting) -> None:
    server.export(("output", "Patient", [P]))
    last = {**server.manifest, "output": [{"type": "Observation", "url": f"{server.origin}/files/more.ndjson"}]}
    server.files["more.ndjson"] = json.dumps(about("Observation", "1")).encode()
    server.manifest["link"] = [{"relation": "next", "url": f"{server.base}/manifest/2"}]
    server.fault("GET", "/fhir/manifest/2", Reply(200, last))
    assert held(export.one()) == ["Patient/p", "Observation/1"]
    assert export.missing == []


@pytest.mark.parametrize("link", ("http://127.0.0.1:1/manifest", "SELF", "/fhir/manifest/none"))
def test_a_following_manifest_that_cannot_be_had(server: Stub, export: Exporting, link: str) -> None:
    server.export(("output", "Patient", [P]))
    link = f"{server.base}/manifest/2" if link == "SELF" else link
    server.manifest["next"] = link
    server.fault("GET", "/fhir/manifest/2", Reply(200, server.manifest), always=True)
    assert EVERY_TYPE in export.one().record.unavailable
    assert "next" in export.missing[0]


def test_deleted_resources_do_not_count(server: Stub, export: Exporting) -> None:
    requests = [{"request": {"method": "DELETE", "url": url}} for url in ("Observation/1", "Patient/q")]
    server.export(
        ("deleted", "Bundle", [{"resourceType": "Bundle", "type": "transaction", "entry": requests}]),
        ("output", "Observation", [about("Observation", "1"), about("Observation", "2")]),
        ("output", "Patient", [P, Q]),
    )
    assert held(export.one()) == ["Patient/p", "Observation/2"]


@pytest.mark.parametrize("kind", ("error", "outcome"))
@pytest.mark.parametrize(
    ("text", "severity", "unavailable"),
    (
        ("Observation/77 could not be read", "error", ["Observation"]),
        ("the search of 'Observation' timed out", "warning", ["Observation"]),
        ("something went wrong", "error", [EVERY_TYPE]),
        ("_since was ignored", "information", []),
    ),
)
def test_files_of_errors(
    server: Stub, export: Exporting, kind: str, text: str, severity: str, unavailable: list[str]
) -> None:
    server.export(("output", "Patient", [P]), (kind, "OperationOutcome", [outcome(text, severity=severity)]))
    assert list(export.one().record.unavailable) == unavailable
    assert any(text in sentence for sentence in (export.missing if unavailable else export.notes))


def test_an_outcome_among_the_resources_counts_as_an_error(server: Stub, export: Exporting) -> None:
    server.export(("output", "Observation", [outcome("Observation 5 is broken")]), ("output", "Patient", [P]))
    assert "Observation" in export.one().record.unavailable


@pytest.mark.parametrize(
    ("reply", "reason"),
    (
        (Reply(404, outcome("expired")), "does not have it.*expired"),
        (Reply(500), "answered 500"),
        (Reply(200, b'{"resourceType":"Observation","id":"1"}\n{"resourceTy'), "line 2.*is not JSON"),
        (Reply(200, b'{"resourceType":"Observation"}\n'), "has no id"),
        (Reply(200, b"[1]\n"), "is no FHIR resource"),
        (Reply(200, b""), "holds 0 resources, and the manifest counts 1"),
        (Reply(200, b'{"resourceType":"Obs', {"Content-Length": "500", "Connection": "close"}), "connection failed"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/x"}), "may be contacted"),
    ),
)
def test_a_file_that_cannot_be_had_makes_its_type_unavailable(
    server: Stub, export: Exporting, reply: Reply, reason: str
) -> None:
    server.export(("output", "Patient", [P]), ("output", "Observation", [about("Observation", "1")]))
    server.manifest["output"][1]["count"] = 1
    server.fault("GET", "/files/output-1", reply, always=True)
    found = export.one()
    assert held(found) == ["Patient/p"]
    with pytest.raises(EvaluationError, match=reason):
        found.record.resources("Observation")
    assert [r.method for r in server.requests][-1] == "DELETE"


def test_a_file_that_breaks_off_once_is_read_again(server: Stub, export: Exporting) -> None:
    server.export(
        ("output", "Patient", [P]), ("output", "Observation", [about("Observation", str(n)) for n in range(9)])
    )
    whole = server.files["output-1.ndjson"]
    server.fault("GET", "/files/output-1", Reply(200, whole[:200], {"Content-Length": "5000", "Connection": "close"}))
    assert len(held(export.one())) == 10
    assert export.missing == []


@pytest.mark.parametrize("url", ("http://127.0.0.1:1/files/a", "//127.0.0.1:1/a", "file:///etc/passwd", None, 5))
def test_files_elsewhere_are_not_fetched(server: Stub, export: Exporting, url: Any) -> None:
    server.export(("output", "Patient", [P]))
    server.manifest["output"].append({"type": "Observation", "url": url})
    (unavailable,) = export.one().record.unavailable
    assert unavailable in ("Observation", EVERY_TYPE)


@pytest.mark.parametrize(
    ("replies", "sentence"),
    (
        ([Reply(400, outcome("_type Foo is unknown"))], "$export: the server answered 400: _type Foo is unknown"),
        ([Reply(200, {})], "$export: the server answered 200"),
        ([Reply(202)], "Content-Location: is no address"),
        ([Reply(202, b"", {"Content-Location": "http://127.0.0.1:1/job"})], "may be contacted"),
    ),
)
def test_an_export_that_does_not_start(server: Stub, export: Exporting, replies: list[Reply], sentence: str) -> None:
    server.fault("GET", "/fhir/Patient/$export", *replies, always=True)
    (found,) = export()
    assert isinstance(found, InputError)
    assert sentence in str(found)
    assert not any(r.method == "DELETE" for r in server.requests)


@pytest.mark.parametrize(
    ("replies", "waits"),
    (
        ([Reply(202), Reply(202), Reply(202)], [1, 2, 4]),
        ([Reply(202, b"", {"Retry-After": "30"}), Reply(202, b"", {"Retry-After": "9000"})], [30, 100]),
        ([Reply(429, b"", {"Retry-After": "5"})] * 9, [5] * 9),
        ([Reply(503), Reply(202), Reply(504)], [1, 2, 4]),
        ([Reply(500, outcome("busy", code="transient"))], [1]),
        ([Reply(500, outcome("busy", code="transient"))] * 9, [1, 2, 4, 8, 16, 32, 64, 100, 100]),
    ),
)
def test_waiting_for_an_export(
    server: Stub, export: Exporting, clock: Any, replies: list[Reply], waits: list[float]
) -> None:
    server.export(("output", "Patient", [P]))
    server.polls = 1
    server.fault("GET", "/fhir/Patient/$export", Reply(202, b"", {"Content-Location": f"{server.base}/job/1"}))
    server.fault("GET", "/fhir/job/1", *replies)
    assert len(export()) == 1
    assert clock.waits[: len(waits)] == waits


@pytest.mark.parametrize(
    ("reply", "sentence"),
    (
        (Reply(500, outcome("the disk is full")), "answered 500: the disk is full"),
        (Reply(404), "does not have it"),
        (Reply(503), "answered 503"),
        (Reply(202, b"", {"Retry-After": "90"}), "is not finished after 500 s"),
        (Reply(200, b"nonsense"), "is not JSON"),
    ),
)
def test_an_export_that_fails_is_one_sentence_and_cleared_up(
    server: Stub, export: Exporting, reply: Reply, sentence: str
) -> None:
    server.fault("GET", "/fhir/job/1", reply, always=True)
    (found,) = export(export_timeout=500)
    assert isinstance(found, InputError)
    assert sentence in str(found)
    assert export.missing
    assert [r.method for r in server.requests][-1] == "DELETE"


def test_a_token_that_ends_during_an_export_is_renewed(server: Stub, export: Exporting, clock: Any) -> None:
    server.export(("output", "Patient", [P]))
    server.fault("GET", "/fhir/job/1", *[Reply(202, b"", {"Retry-After": "99"})] * 5)
    assert len(export()) == 1
    assert len(server.assertions) >= 2


def test_medicines_come_with_their_requests_and_a_lacking_one_is_told(server: Stub, export: Exporting) -> None:
    requests = [
        about("MedicationRequest", "r1", "p", medicationReference={"reference": "Medication/m"}),
        about("MedicationRequest", "r2", "q", medicationReference={"reference": "Medication/none"}),
    ]
    server.export(
        ("output", "MedicationRequest", requests),
        (
            "output",
            "Medication",
            [{"resourceType": "Medication", "id": "m"}, {"resourceType": "Medication", "id": "z"}],
        ),
        ("output", "Patient", [P, Q]),
    )
    first, second = export(MEDICATION)
    assert held(first) == ["Patient/p", "Medication/m", "MedicationRequest/r1"]
    assert first.record.unavailable == {}
    assert "Medication/none, which was not exported" in second.record.unavailable["MedicationRequest"]
    assert "_type=Medication,MedicationRequest,Patient" in server.asked("/fhir/Patient/$export")[0]


def test_a_donor_of_the_export_and_one_outside_the_group(server: Stub, export: Exporting) -> None:
    persons = [
        {"resourceType": "RelatedPerson", "id": "rp", "patient": {"reference": "Patient/p"}},
        {"resourceType": "RelatedPerson", "id": "rq", "patient": {"reference": "Patient/q"}},
    ]
    donor = {"resourceType": "Patient", "id": "x", "link": [{"other": {"reference": "RelatedPerson/rp"}}]}
    server.export(
        ("output", "RelatedPerson", persons),
        ("output", "Patient", [P, Q, donor]),
        ("output", "Observation", [about("Observation", "1", "x")]),
    )
    related = DataRequirement("Observation", "related")
    first, second, _ = export(related, group="g")
    assert held(first) == ["Patient/p", "Observation/1", "Patient/x", "RelatedPerson/rp"]
    assert first.record.unavailable == {}
    assert "outside the exported group" in second.record.unavailable["RelatedPerson"]


def _refusing(*unknown: str) -> Answerer:
    """A server that refuses an export as long as it is asked for a type it does not know, naming the first."""

    def answer(request: Request) -> Reply | None:
        asked = request.query.get("_type", "").split(",")
        found = next((kind for kind in asked if kind in unknown), None)
        text = f'The requested resource type "{found}" is not available on this server'
        return None if found is None else Reply(400, outcome(text, code="processing"))

    return answer


def test_types_that_the_server_cannot_export_are_missing_and_the_others_come(server: Stub, export: Exporting) -> None:
    server.export(("output", "Observation", [about("Observation", "1")]), ("output", "Patient", [P]))
    server.fault("GET", "/fhir/Patient/$export", _refusing("Consent", "Specimen"), always=True)
    found = export.one(OBSERVATION, DataRequirement("Consent"), DataRequirement("Specimen"))
    assert held(found) == ["Patient/p", "Observation/1"]
    assert list(found.record.unavailable) == ["Consent", "Specimen"]
    assert '"Consent" is not available on this server' in export.missing[0]
    assert [Request("GET", target, {}).query["_type"] for target in server.asked("/fhir/Patient/$export")] == [
        "Consent,Observation,Patient,Specimen", "Observation,Patient,Specimen", "Observation,Patient",
    ]  # fmt: skip


def test_a_type_that_is_only_referred_to_and_not_exported_is_missing_where_it_is_referred_to(
    server: Stub, export: Exporting
) -> None:
    requests = [
        about("MedicationRequest", "r1", "p", medicationReference={"reference": "Medication/m"}),
        about("MedicationRequest", "r2", "q", medicationCodeableConcept={"text": "metformin"}),
    ]
    server.export(("output", "MedicationRequest", requests), ("output", "Patient", [P, Q]))
    server.fault("GET", "/fhir/Patient/$export", _refusing("Medication"), always=True)
    first, second = export(MEDICATION)
    assert list(first.record.unavailable) == ["MedicationRequest"]
    assert second.record.unavailable == {}
    assert "no Medication is exported" in export.notes[0]


def test_a_refusal_that_names_patients_may_list_what_is_known_and_ends_the_export(
    server: Stub, export: Exporting
) -> None:
    reply = Reply(400, outcome("_type has an unknown type; known are Observation and Patient"))
    server.fault("GET", "/fhir/Patient/$export", reply, always=True)
    (found,) = export()
    assert isinstance(found, InputError)
    assert len(server.asked("/fhir/Patient/$export")) == 1


@pytest.mark.parametrize(
    ("granted", "unavailable"),
    (
        ("system/*.rs", []),
        ("system/*.read", []),
        ("system/Patient.rs system/Observation.cruds", []),
        ("system/Patient.rs", ["Observation"]),
        ("system/Patient.rs system/Observation.r", ["Observation"]),
        ("system/Patient.rs system/Observation.rs?category=laboratory", ["Observation"]),
        ("launch/vendor everything", []),
    ),
)
def test_types_that_the_token_does_not_open_are_missing_although_the_export_says_nothing(
    server: Stub, export: Exporting, granted: str, unavailable: list[str]
) -> None:
    server.export(("output", "Patient", [P]))
    token = Reply(200, {"access_token": "t", "token_type": "bearer", "scope": granted, "expires_in": 300})
    server.tokens = {"t"}
    server.fault("POST", "/token", token, always=True)
    found = export.one()
    assert list(found.record.unavailable) == unavailable
    assert all(f"the server granted '{granted}'" in sentence for sentence in export.missing)


def test_resources_of_nobody_are_noted(server: Stub, export: Exporting) -> None:
    nobody = {"resourceType": "Observation", "id": "1"}
    elsewhere = {**nobody, "id": "2", "subject": {"reference": "http://other.example/Patient/p"}}
    server.export(("output", "Observation", [nobody, elsewhere]), ("output", "Patient", [P]))
    assert held(export.one()) == ["Patient/p"]
    assert export.notes == ["2 Observation resources name no patient of the server: nobody sees them"]


# ---------------------------------------------------------------- grouping


def put(grouping: Grouping, *resources: Json) -> None:
    with grouping.together():
        for resource in resources:
            grouping.add(resource, json.dumps(resource).encode())


@pytest.mark.parametrize(
    ("first", "second", "kept"), (("1", "2", "b"), ("2", "1", "a"), ("1", "1", "b"), ("", "", "b"))
)
def test_of_two_versions_the_later_one_counts(first: str, second: str, kept: str) -> None:
    with Grouping("http://h") as grouping:
        for text, updated in (("a", first), ("b", second)):
            put(grouping, {**P, "gender": text, "meta": {"lastUpdated": updated}})
        found = grouping.patient("p", _plan(), [])
        assert found.resources["Patient", "p"][1]["gender"] == kept


def _plan() -> Plan:
    return plan([OBSERVATION])


def test_a_patient_named_by_an_identifier(tmp_path: Path) -> None:
    identifier = {"system": "http://h/mrn", "value": "7"}
    with Grouping("http://h", tmp_path) as grouping:
        put(
            grouping,
            {"resourceType": "Observation", "id": "1", "subject": {"identifier": identifier}},
            {**P, "identifier": [identifier]},
            Q,
        )
        assert set(grouping.patient("p", _plan(), []).resources) == {("Patient", "p"), ("Observation", "1")}
        assert set(grouping.patient("q", _plan(), []).resources) == {("Patient", "q")}
    assert list(tmp_path.iterdir()) == []


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with Grouping("http://h", tmp_path) as grouping:
        put(grouping, P)
        with pytest.raises(KeyError, match="id"):
            put(grouping, Q, {"resourceType": "Patient"})
        assert list(grouping.patients()) == ["p"]


def test_a_work_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="see work_folder in the settings"):
        Grouping("http://h", tmp_path / "none")
