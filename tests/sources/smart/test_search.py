"""Searches over a real socket: exactly what is needed, every page, and what is missing when something fails."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import EvaluationError, InputError
from engine.fhir import EVERY_TYPE
from engine.language.elm.requirements import Canonical, DataRequirement
from engine.sources import Patient
from engine.sources.smart import ServerRecords, ServerSettings, records_from_server
from engine.terminology.members import MemberCode
from tests.sources.smart.stub import Json, Reply, Request, Stub, outcome

Serve = Callable[..., Stub]
Settings = Callable[..., ServerSettings]

PATIENT = {"resourceType": "Patient", "id": "p"}
LOINC = "http://loinc.org"
CONDITION = DataRequirement("Condition")
OBSERVATION = DataRequirement("Observation")
HAEMOGLOBIN = DataRequirement("Observation", code_path="code", codes=((LOINC, "718-7"),))
MEDICATION = DataRequirement("MedicationRequest", code_path="medication", value_sets=(Canonical("http://x/drugs"),))


def about(kind: str, identity: str, patient: str = "p", **members: Any) -> Json:
    return {"resourceType": kind, "id": identity, "subject": {"reference": f"Patient/{patient}"}, **members}


def observation(identity: str, code: str = "718-7", patient: str = "p") -> Json:
    return about("Observation", identity, patient, code={"coding": [{"system": LOINC, "code": code}]})


def page(*resources: Json, **members: Any) -> Reply:
    return Reply(200, {"resourceType": "Bundle", "entry": [{"resource": r} for r in resources], **members})


class Terms:
    def __init__(self, **sets: list[MemberCode]) -> None:
        self.sets = sets

    def codes(self, url: str, version: str | None = None) -> list[MemberCode]:
        return self.sets[url.rsplit("/", 1)[-1]]


def run(settings: ServerSettings, *requirements: DataRequirement, **options: Any) -> ServerRecords:
    options.setdefault("patient", "p" if "group" not in options else None)
    return records_from_server({"stub": settings}, "stub", requirements=requirements, **options)


def only(records: ServerRecords) -> Patient:
    (found,) = list(records)
    assert isinstance(found, Patient), found
    return found


def held(patient: Patient) -> list[str]:
    return [entry.reference for entry in patient.record.bundle.entries]


def test_only_what_is_needed_is_asked_for(serve: Serve, settings: Settings) -> None:
    server = serve(
        PATIENT, observation("o1"), observation("o2", "777-3"), about("Procedure", "x"), about("Condition", "c")
    )
    found = only(run(settings(server), CONDITION, HAEMOGLOBIN))
    assert held(found) == ["Patient/p", "Condition/c", "Observation/o1"]
    first, *searches = server.asked()
    assert first == "/fhir/Patient/p"
    assert sorted(searches) == [
        "/fhir/Condition?patient=Patient/p&_count=200",
        "/fhir/Observation?patient=Patient/p&code=718-7&_count=200",
    ]


def test_every_page_is_read(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT, *(observation(f"o{n:02}") for n in range(25)), page=4)
    records = run(settings(server), OBSERVATION)
    assert len(only(records).record.resources("Observation")) == 25
    assert len(server.asked("/fhir/Observation")) == 7
    assert records.completeness.complete


def test_a_long_list_of_codes_is_cut_by_the_length_of_the_address(serve: Serve, settings: Settings) -> None:
    codes = [MemberCode(f"{n:05}-1", LOINC) for n in range(120)]
    server = serve(PATIENT, observation("o1", "00003-1"), observation("o2", "00118-1"), observation("o3", "9"))
    wanted = DataRequirement("Observation", code_path="code", value_sets=(Canonical("http://x/labs"),))
    found = only(run(settings(server, max_url_length=500), wanted, terms=Terms(labs=codes)))
    assert held(found) == ["Patient/p", "Observation/o1", "Observation/o2"]
    asked = server.asked("/fhir/Observation")
    assert len(asked) == 3
    assert all(len(f"{server.origin}{target}") <= 500 for target in asked)
    assert sum(target.count("-1") for target in asked) == 120


@pytest.mark.parametrize(
    ("members", "reason"),
    (
        ([MemberCode("C50", "http://hl7.org/fhir/sid/icd-10-cm")], "codes that are written with and without a dot"),
        ([MemberCode(f"{n:09}", LOINC) for n in range(5000)], "a list too long"),
    ),
)
def test_codes_that_do_not_find_everything_are_left_out(
    serve: Serve, settings: Settings, members: list[MemberCode], reason: str
) -> None:
    server = serve(PATIENT)
    wanted = DataRequirement("Observation", code_path="code", value_sets=(Canonical("http://x/set"),))
    only(run(settings(server), wanted, terms=Terms(set=members)))
    assert server.asked("/fhir/Observation") == ["/fhir/Observation?patient=Patient/p&_count=200"], reason


def test_a_server_that_cannot_search_by_codes_is_asked_for_the_type(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT, observation("o1"))
    server.fault("GET", "/fhir/Observation?patient=Patient/p&code", Reply(400, outcome("no parameter code")))
    records = run(settings(server), HAEMOGLOBIN)
    assert held(only(records)) == ["Patient/p", "Observation/o1"]
    assert records.completeness.complete


def test_medicines_are_read_where_a_request_refers_to_them(serve: Serve, settings: Settings) -> None:
    drugs: list[Json] = [{"resourceType": "Medication", "id": f"m{n}", "code": {"text": f"{n}"}} for n in range(4)]
    requests = [
        about("MedicationRequest", f"r{n}", medicationReference={"reference": f"Medication/m{n}"}) for n in range(3)
    ]
    server = serve(PATIENT, *requests, *drugs)
    records = run(settings(server), MEDICATION)
    found = only(records)
    assert held(found)[1:] == [
        "Medication/m0",
        "Medication/m1",
        "Medication/m2",
        *(f"MedicationRequest/r{n}" for n in range(3)),
    ]
    assert records.completeness.complete


def test_a_medicine_that_cannot_be_read_leaves_its_requests_incomplete(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT, about("MedicationRequest", "r", medicationReference={"reference": "Medication/gone"}))
    records = run(settings(server), MEDICATION)
    found = only(records)
    assert "Medication/gone" in found.record.unavailable["MedicationRequest"]
    with pytest.raises(EvaluationError, match="Medication/gone"):
        found.record.resources("MedicationRequest")


def test_a_medicine_of_another_server_is_never_asked_for(serve: Serve, settings: Settings) -> None:
    other, elsewhere = serve(), "Medication/1"
    target = {"reference": f"{other.base}/{elsewhere}"}
    server = serve(PATIENT, about("MedicationRequest", "r", medicationReference=target))
    found = only(run(settings(server), MEDICATION))
    assert other.requests == []
    assert "not of this server" in found.record.unavailable["MedicationRequest"]


def test_a_donor_comes_with_a_record_of_their_own(serve: Serve, settings: Settings) -> None:
    person = {"resourceType": "RelatedPerson", "id": "rp", "patient": {"reference": "Patient/p"}}
    donor = {
        "resourceType": "Patient",
        "id": "d",
        "link": [{"other": {"reference": "RelatedPerson/rp"}, "type": "seealso"}],
    }
    server = serve(PATIENT, person, donor, observation("own"), observation("other", patient="d"))
    related = DataRequirement("Observation", "related", "code", codes=((LOINC, "718-7"),))
    found = only(run(settings(server), related, HAEMOGLOBIN))
    assert held(found) == ["Patient/p", "Observation/other", "Observation/own", "Patient/d", "RelatedPerson/rp"]
    assert [e.json["id"] for e in found.record.resources("Observation")] == ["own"]
    assert [e.json["id"] for e in found.record.of("Patient/d").resources("Observation")] == ["other"]


FAILURES: tuple[tuple[str, Reply, str], ...] = (
    ("a refused type", Reply(403, outcome("no scope for Observation")), "refuses it .*no scope for Obs"),
    ("an unknown type", Reply(404, outcome("no Observation here")), "no Observation here"),
    ("a broken server", Reply(500, outcome("out of order")), "answered 500.*out of order"),
    ("no JSON", Reply(200, b"<html>"), "is not JSON"),
    ("an empty answer", Reply(200, b""), "is empty"),
    ("no Bundle", Reply(200, {"resourceType": "Patient", "id": "x"}), "is no Bundle"),
    ("an entry without id", page({"resourceType": "X"}), "entry 1"),
    ("fewer than counted", page(total=3), "counts 3 resources and gave 0"),
    (
        "results held back",
        page(outcome("part withheld", severity="warning", code="suppressed")),
        "results are missing: part withheld",
    ),
    ("deep JSON", Reply(200, b"[" * 5000), "nested deeper"),
)


@pytest.mark.parametrize(("reply", "reason"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_a_failing_search_makes_its_type_unavailable_and_nothing_else(
    serve: Serve, settings: Settings, clock: Any, reply: Reply, reason: str
) -> None:
    server = serve(PATIENT, about("Condition", "c"))
    server.fault("GET", "/fhir/Observation", reply, always=True)
    records = run(settings(server), CONDITION, OBSERVATION, clock=clock)
    found = only(records)
    assert [e.json["id"] for e in found.record.resources("Condition")] == ["c"]
    with pytest.raises(EvaluationError, match=reason):
        found.record.resources("Observation")
    (missing,) = records.completeness.missing
    assert (missing.type, missing.patient) == ("Observation", "Patient/p")


def test_a_page_that_fails_keeps_the_others_and_marks_the_type(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve(PATIENT, *(observation(f"o{n}") for n in range(6)), page=2)
    server.fault("GET", "/fhir/Observation?patient=Patient/p&_count=200&_start=4", Reply(502), always=True)
    records = run(settings(server), OBSERVATION, clock=clock)
    found = only(records)
    assert len(found.record.bundle.entries) == 5
    assert "page 3" in found.record.unavailable["Observation"]


def test_pages_that_go_round_in_a_circle(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT)
    link = [{"relation": "next", "url": f"{server.base}/Observation?page=2"}]
    page = {"resourceType": "Bundle", "entry": [], "link": link}
    server.fault("GET", "/fhir/Observation", Reply(200, page), always=True)
    found = only(run(settings(server), OBSERVATION))
    assert "leads back" in found.record.unavailable["Observation"]


def test_pages_without_end(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT)
    numbers = iter(range(1000))

    def endless(_: Any) -> Reply:
        link = [{"relation": "next", "url": f"{server.base}/Observation?page={next(numbers)}"}]
        return Reply(200, {"resourceType": "Bundle", "link": link})

    server.fault("GET", "/fhir/Observation", endless, always=True)
    found = only(run(settings(server, max_pages=9), OBSERVATION))
    assert "more than 9 pages" in found.record.unavailable["Observation"]
    assert len(server.asked("/fhir/Observation")) == 9


def test_a_warning_beside_the_results_is_a_note(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT)
    entry = {"resource": outcome("_count was lowered", severity="warning", code="informational")}
    server.fault("GET", "/fhir/Observation", Reply(200, {"resourceType": "Bundle", "entry": [entry]}))
    records = run(settings(server), OBSERVATION)
    only(records)
    assert records.completeness.complete
    assert any("_count was lowered" in note for note in records.completeness.notes)


def test_all_patients_of_a_server(serve: Serve, settings: Settings) -> None:
    server = serve(
        *({"resourceType": "Patient", "id": f"p{n}"} for n in range(5)), observation("o", patient="p3"), page=2
    )
    records = run(settings(server), OBSERVATION, patient=None)
    found = [item.record for item in records if isinstance(item, Patient)]
    assert [r.reference for r in found] == [f"Patient/p{n}" for n in range(5)]
    assert [len(r.resources("Observation")) for r in found] == [0, 0, 0, 1, 0]


def test_a_list_of_patients_that_breaks_off_is_told_and_what_is_known_is_screened(
    serve: Serve, settings: Settings, clock: Any
) -> None:
    server = serve(*({"resourceType": "Patient", "id": f"p{n}"} for n in range(4)), page=2)
    server.fault("GET", "/fhir/Patient?_count=200&_start=2", Reply(503), always=True)
    records = run(settings(server), patient=None, clock=clock)
    found = list(records)
    assert [isinstance(item, Patient) for item in found] == [True, True, False]
    assert "not all patients are known" in str(records.completeness.missing[0])


def test_the_members_of_a_group(serve: Serve, settings: Settings) -> None:
    members = [
        {"entity": {"reference": "Patient/a"}},
        {"entity": {"reference": "Patient/b"}, "inactive": True},
        {"entity": {"reference": "Practitioner/x"}},
        {"entity": {"reference": "Patient/c"}},
    ]
    group = {"resourceType": "Group", "id": "g", "member": members}
    server = serve(group, *({"resourceType": "Patient", "id": i} for i in "abc"))
    records = run(settings(server), group="g")
    assert [p.record.reference for p in records if isinstance(p, Patient)] == ["Patient/a", "Patient/c"]
    assert "member 3 is no Patient" in str(records.completeness.missing[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    (
        ({"patient": "nobody"}, "Patient/nobody: the server does not have it"),
        ({"patient": "../Group/1"}, "is no id of a Patient"),
        ({"group": "none"}, "Group/none: the server does not have it"),
    ),
)
def test_a_patient_or_group_that_is_not_there_is_a_sentence(
    serve: Serve, settings: Settings, options: dict[str, str], sentence: str
) -> None:
    (found,) = list(run(settings(serve()), **options))
    assert isinstance(found, InputError)
    assert sentence in str(found)


def test_everything_in_one_question(serve: Serve, settings: Settings) -> None:
    drug = {"resourceType": "Medication", "id": "m"}
    wanted = about("MedicationRequest", "r", medicationReference={"reference": "Medication/m"})
    server = serve(PATIENT, *(observation(f"o{n}") for n in range(5)), wanted, drug, page=3)
    records = run(settings(server, method="everything"), OBSERVATION, MEDICATION)
    assert len(held(only(records))) == 8
    assert server.asked("/fhir/Patient/p/$everything")[0].startswith(
        "/fhir/Patient/p/$everything?_type=Medication,MedicationRequest,Observation,Patient&_count=200"
    )
    assert server.asked("/fhir/Observation") == []
    assert records.completeness.complete


def test_everything_that_breaks_off_leaves_every_type_unavailable(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve(PATIENT, *(observation(f"o{n}") for n in range(5)), page=3)
    server.fault(
        "GET", "/fhir/Patient/p/$everything", lambda r: Reply(500) if "_start" in r.target else None, always=True
    )
    found = only(run(settings(server, method="everything"), OBSERVATION, clock=clock))
    assert EVERY_TYPE in found.record.unavailable
    for kind in ("Observation", "Condition"):
        with pytest.raises(EvaluationError):
            found.record.resources(kind)


def test_the_order_of_the_server_does_not_count(serve: Serve, settings: Settings) -> None:
    resources = [PATIENT, *(observation(f"o{n}") for n in range(5))]
    first, second = serve(*resources), serve(*reversed(resources))
    one, two = (only(run(settings(s), OBSERVATION)) for s in (first, second))
    assert held(one) == held(two)


# ---------------------------------------------------------------- several at once

KINDS = ("Condition", "DiagnosticReport", "Encounter", "Immunization", "Observation", "Procedure")


class Crowd:
    """Answers nothing itself: holds each search a while, as told, and counts how many are held at once."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)
        self.lock = threading.Lock()
        self.held = self.most = 0

    def __call__(self, request: Request) -> None:
        with self.lock:
            seconds = self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
            self.held += 1
            self.most = max(self.most, self.held)
        time.sleep(seconds)
        with self.lock:
            self.held -= 1


@pytest.mark.parametrize("bound", (1, 3))
def test_the_searches_of_a_patient_are_asked_a_few_at_once(serve: Serve, settings: Settings, bound: int) -> None:
    server = serve(PATIENT, *(about(kind, "x") for kind in KINDS))
    crowd = Crowd(0.05)
    server.fault("GET", "/fhir/", lambda r: None if "?" not in r.target else crowd(r), always=True)
    found = only(run(settings(server, searches_at_once=bound), *map(DataRequirement, KINDS)))
    assert crowd.most == bound
    assert held(found) == ["Patient/p", *(f"{kind}/x" for kind in KINDS)]


@pytest.mark.parametrize("seconds", ((0.0, 0.02, 0.04, 0.06, 0.08, 0.1), (0.1, 0.08, 0.06, 0.04, 0.02, 0.0)))
def test_what_comes_of_searches_does_not_depend_on_which_is_answered_first(
    serve: Serve, settings: Settings, seconds: tuple[float, ...]
) -> None:
    server = serve(PATIENT, *(about(kind, "x") for kind in KINDS))
    server.fault("GET", "/fhir/Procedure", Reply(403, outcome("not for you")), always=True)
    noted = outcome("half of it", severity="information", code="informational")
    server.fault("GET", "/fhir/Immunization", page(noted), always=True)
    server.fault("GET", "/fhir/Encounter", Reply(403, outcome("not for you either")), always=True)
    crowd = Crowd(*seconds)
    whole = server.reply

    def reply(request: Request) -> Reply:
        if "?" in request.target:
            crowd(request)
        return whole(request)

    server.reply = reply  # type: ignore[method-assign]
    records = run(settings(server, searches_at_once=6), *map(DataRequirement, KINDS))
    found = only(records)
    assert held(found) == ["Patient/p", "Condition/x", "DiagnosticReport/x", "Observation/x"]
    assert [missing.type for missing in records.completeness.missing] == ["Encounter", "Procedure"]
    assert [note.rsplit(": ", 1)[1] for note in records.completeness.notes] == ["half of it"]


def test_a_pause_that_the_server_asks_for_is_kept_by_all_searches(serve: Serve, settings: Settings) -> None:
    server = serve(PATIENT, *(about(kind, "x") for kind in KINDS))
    told: list[float] = []

    def busy(request: Request) -> Reply | None:
        if told:
            return None
        told.append(time.monotonic())
        return Reply(429, outcome("slower"), {"Retry-After": "1"})

    after: list[float] = []

    def watched(request: Request) -> None:
        if told and "?" in request.target:
            after.append(time.monotonic() - told[0])

    server.fault("GET", "/fhir/", lambda r: watched(r), always=True)
    server.fault("GET", "/fhir/Condition", busy, always=True)
    records = run(settings(server, searches_at_once=2), *map(DataRequirement, KINDS))
    assert len(only(records).record.bundle.entries) == 7
    assert records.completeness.complete
    assert len(after) >= len(KINDS) - 1
    early = [seconds for seconds in after if seconds < 0.95]
    assert len(early) <= 2, "what was not under way when the server asked waits for the end of the pause"
