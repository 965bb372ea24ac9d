"""Records: whose they are, what retrieves see, what is set aside, and how references resolve."""

import json
import random
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.fhir import PatientRecord, decode_bundle

Json = dict[str, Any]
UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


def observation(subject: Any = "Patient/p", identity: str = "o", **members: Any) -> Json:
    named = {"reference": subject} if isinstance(subject, str) else subject
    base: Json = {"resourceType": "Observation", "id": identity}
    return {**base, **({"subject": named} if named is not None else {}), **members}


def person(identity: str = "p", **members: Any) -> Json:
    return {"resourceType": "Patient", "id": identity, **members}


# A subject as it is written, the full URL of the Patient's entry and of the Observation's, whether it is the subject.
SUBJECTS = (
    ("Patient/p", None, None, True),
    ("Patient/p/_history/3", None, None, True),
    ("http://ehr/fhir/Patient/p", "http://ehr/fhir/Patient/p", None, True),
    ("http://ehr/fhir/Patient/p/_history/1", "http://ehr/fhir/Patient/p", None, True),
    ("http://ehr/fhir/Patient/p", None, None, True),
    ("http://ehr/fhir/Patient/p", UUID, None, True),
    ("Patient/p", "http://ehr/fhir/Patient/p", "http://ehr/fhir/Observation/o", True),
    (UUID, UUID, None, True),
    ("Patient?identifier=http://mrn|7", None, None, True),
    ({"identifier": {"system": "http://mrn", "value": "7"}}, None, None, True),
    ("#c", None, None, True),
    ("#d", None, None, False),
    ("http://other/fhir/Patient/p", "http://ehr/fhir/Patient/p", None, False),
    ("Patient/p", "http://ehr/fhir/Patient/p", "http://other/fhir/Observation/o", False),
    ("Patient/p", "http://ehr/fhir/Patient/p", "http://ehr/somewhere", True),
    ("Patient/p", UUID, "http://other/fhir/Observation/o", True),
    ("Patient/q", None, None, False),
    ("Group/p", None, None, False),
    (UUID, None, None, False),
    ({"identifier": {"system": "http://mrn", "value": "8"}}, None, None, False),
    ({"display": "Ann"}, None, None, False),
    ([{"reference": "Patient/p"}], None, None, False),
    (7, None, None, False),
    ("", None, None, False),
)


@pytest.mark.parametrize(("subject", "patient_url", "own_url", "seen"), SUBJECTS)
def test_subject_reference(
    records: Any, subject: Any, patient_url: str | None, own_url: str | None, seen: bool
) -> None:
    mrn = [{"system": "http://mrn", "value": "7"}]
    contained = [person("c", identifier=mrn), person("d")]
    urls = {i: url for i, url in enumerate((patient_url, own_url)) if url}
    made = records.record(person(identifier=mrn), observation(subject, contained=contained), urls=urls)
    assert len(made.resources("Observation")) == int(seen)
    assert [s.kind for s in made.set_aside] == ([] if seen else ["unresolved-subject"])


# A resource type and the members that name its patient.
PATHS = (
    ("AllergyIntolerance", {"patient": {"reference": "Patient/p"}}),
    ("Immunization", {"patient": {"reference": "Patient/p"}}),
    ("ResearchSubject", {"individual": {"reference": "Patient/p"}}),
    ("Specimen", {"subject": {"reference": "Patient/p"}}),
    ("DeviceUseStatement", {"subject": {"reference": "Patient/p"}}),
    ("Consent", {"patient": {"reference": "Patient/p"}}),
    ("Coverage", {"beneficiary": {"reference": "Patient/p"}}),
    ("Coverage", {"policyHolder": {"reference": "Patient/p"}}),
    ("Coverage", {"subscriber": {"reference": "Patient/p"}, "policyHolder": {"reference": "Organization/o"}}),
    ("Task", {"for": {"reference": "Patient/p"}}),
    ("EnrollmentRequest", {"candidate": {"reference": "Patient/p"}}),
    ("Appointment", {"participant": [{"actor": {"display": "x"}}, {"actor": {"reference": "Patient/p"}}]}),
    ("Group", {"member": [{"entity": {"reference": "Patient/p"}}]}),
    ("Account", {"subject": [{"reference": "Patient/p"}]}),
    ("Provenance", {"target": [{"reference": "Observation/x"}, {"reference": "Patient/p"}]}),
    ("AuditEvent", {"entity": [{"what": {"reference": "Patient/p"}}]}),
    ("RelatedPerson", {"patient": {"reference": "Patient/p"}}),
)


@pytest.mark.parametrize(("name", "members"), PATHS)
def test_patient_path_of_a_type(records: Any, name: str, members: Json) -> None:
    with_patient = {"resourceType": name, "id": "a", **members}
    without = {"resourceType": name, "id": "b"}
    made = records.record(records.patient, with_patient, without)
    assert [made.reference_of(e) for e in made.resources(name)] == [f"{name}/a"]
    assert [(s.reference, s.kind) for s in made.set_aside] == [(f"{name}/b", "no-subject")]
    assert "names no patient" in made.set_aside[0].reason


SHARED_TYPES = ("Medication", "Practitioner", "Organization", "Location", "ResearchStudy", "Questionnaire", "Substance")


@pytest.mark.parametrize("name", SHARED_TYPES)
def test_types_about_nobody_are_seen_by_all(records: Any, name: str) -> None:
    made = records.record(records.patient, {"resourceType": name, "id": "a"})
    assert len(made.resources(name)) == 1


def test_a_device_of_another_patient_is_not_seen(records: Any) -> None:
    devices = ({"resourceType": "Device", "id": i, "patient": {"reference": f"Patient/{i}"}} for i in ("p", "q"))
    made = records.record(records.patient, *devices, {"resourceType": "Device", "id": "stock"})
    assert [made.reference_of(e) for e in made.resources("Device")] == ["Device/p", "Device/stock"]


def test_being_performer_is_not_being_the_subject(records: Any) -> None:
    made = records.record(records.patient, observation("Patient/q", performer=[{"reference": "Patient/p"}]))
    assert made.resources("Observation") == []


def donors() -> tuple[Json, ...]:
    linked = [{"other": {"reference": "RelatedPerson/r"}, "type": "seealso"}]
    return (
        person("donor", link=linked),
        person("p"),
        {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}},
        observation("Patient/p", "own"),
        observation("Patient/donor", "given"),
        {"resourceType": "AdverseEvent", "id": "ae", "subject": {"reference": "RelatedPerson/r"}},
    )


def test_the_donor_is_not_the_subject(records: Any) -> None:
    made = records.record(*donors())
    assert made.reference == "Patient/p"
    assert [made.reference_of(e) for e in made.resources("Patient")] == ["Patient/p"]
    assert [made.reference_of(e) for e in made.resources("Observation")] == ["Observation/own"]
    others = [(s.reference, s.kind) for s in made.set_aside]
    assert others == [(r, "other-subject") for r in ("Patient/donor", "Observation/given", "AdverseEvent/ae")]


def test_data_of_the_donor_through_the_related_person(records: Any) -> None:
    made = records.record(*donors())
    related, donor_patient = made.resources("RelatedPerson")[0], made.all_resources("Patient")[0]
    for key in (related, donor_patient, "Patient/donor", "RelatedPerson/r"):
        donor = made.of(key)
        assert donor.reference == "Patient/donor"
        assert [donor.reference_of(e) for e in donor.resources("Observation")] == ["Observation/given"]
        assert [donor.reference_of(e) for e in donor.resources("AdverseEvent")] == ["AdverseEvent/ae"]
        assert donor.resources("RelatedPerson") == []
        assert made.of(key) is donor
    assert made.of("Patient/p") is made


# What the focus of an Observation about Patient/p refers to, and whose record shows it.
FOCI = (
    ([{"reference": "RelatedPerson/r"}], "donor"),
    ([{"reference": "Patient/donor"}], "donor"),
    ([{"reference": "Patient/p"}], "p"),
    ([{"reference": "Condition/c"}], "p"),
    ([{"reference": "Patient/elsewhere"}], None),
    ([{"identifier": {"value": "9"}, "type": "RelatedPerson"}], None),
    ([{"display": "the lump"}, 7], "p"),
    ({"reference": "RelatedPerson/r"}, "donor"),
    ([], "p"),
)


@pytest.mark.parametrize(("focus", "whose"), FOCI)
def test_a_finding_of_somebody_else_is_theirs(records: Any, focus: Any, whose: str | None) -> None:
    made = records.record(*donors(), observation("Patient/p", "focused", focus=focus))
    seen = {
        name: "Observation/focused" in [record.reference_of(e) for e in record.resources("Observation")]
        for name, record in (("p", made), ("donor", made.of("Patient/donor")))
    }
    assert seen == {"p": whose == "p", "donor": whose == "donor"}
    assert ("Observation/focused" in [s.reference for s in made.set_aside]) is (whose != "p")


def test_a_related_person_without_a_patient(records: Any) -> None:
    made = records.record(*(r for r in donors() if r["id"] not in ("donor", "given")))
    relative = made.of(made.resources("RelatedPerson")[0])
    assert relative.reference == "RelatedPerson/r"
    assert relative.types() == {"AdverseEvent"}


def test_a_person_who_is_not_there_has_an_empty_record(records: Any) -> None:
    nobody = records.record(records.patient, observation(), {"resourceType": "Medication"}).of("Patient/nobody")
    assert nobody.subject is None
    assert nobody.types() == {"Medication"}


@pytest.mark.parametrize("asked", ("b", "Patient/b", "http://ehr/Patient/b", "http://ehr/Patient/b/_history/2"))
def test_the_patient_asked_for(records: Any, asked: str) -> None:
    made = records.record(person("a"), person("b"), patient=asked, urls={1: "http://ehr/Patient/b"})
    assert made.reference == "Patient/b"


REFUSED_SUBJECTS = (
    ((person("a"), person("b")), None, "holds 2 Patients (Patient/a, Patient/b), and no RelatedPerson tells"),
    ((person("a"), person("b")), "c", "holds no Patient 'c'; it holds Patient/a, Patient/b"),
    ((person("a"), observation("Patient/a", "o")), "Observation/o", "holds no Patient 'Observation/o'"),
    ((observation(),), None, "holds no Patient"),
    (({"resourceType": "Sandwich"},), None, "holds no Patient"),
)


@pytest.mark.parametrize(("resources", "asked", "sentence"), REFUSED_SUBJECTS)
def test_no_subject(records: Any, resources: tuple[Json, ...], asked: str | None, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        records.record(*resources, patient=asked)
    assert str(caught.value).startswith("test.json: ")
    assert sentence in str(caught.value)


def test_two_patients_linked_to_each_other_tell_nobody(records: Any) -> None:
    people = [person(a, link=[{"other": {"reference": f"RelatedPerson/{a}"}}]) for a in ("a", "b")]
    related = [
        {"resourceType": "RelatedPerson", "id": a, "patient": {"reference": f"Patient/{b}"}} for a, b in ("ab", "ba")
    ]
    with pytest.raises(InputError, match="no RelatedPerson tells"):
        records.record(*people, *related)


def test_a_bundle_of_more_entries_than_any_record_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.fhir.bundle.MAX_ENTRIES", 5)
    inner = {"resourceType": "Bundle", "entry": [{}] * 3}
    for count, refused in ((1, False), (2, True)):
        bundle = {"resourceType": "Bundle", "entry": [{"resource": person()}, *[{"resource": inner}] * count]}
        told = pytest.raises(InputError, match="entry 3, entry 2: has more than 5 entries")
        with told if refused else nullcontext():
            decode_bundle(json.dumps(bundle).encode(), source="test.json")


def test_unusable_entries_are_set_aside_and_the_patient_stays(records: Any) -> None:
    data = records.raw(records.patient, {"resourceType": "Sandwich", "id": "s"}, {"id": "x"})
    data = data[:-2] + b', 7, {"request": {"method": "DELETE"}}]}'
    made = PatientRecord.from_bundle(decode_bundle(data, source="test.json"))
    assert [(s.reference, s.kind) for s in made.set_aside] == [
        ("Sandwich/s", "unknown-type"),
        ("entry 3", "unknown-type"),
        ("entry 4", "no-resource"),
        ("entry 5", "no-resource"),
    ]
    assert "'Sandwich' is not a resource type of FHIR 4.0.1" in made.set_aside[0].reason


DELETED = {"request": {"method": "DELETE", "url": "Observation/o"}}


@pytest.mark.parametrize("entry", (DELETED, DELETED | {"resource": observation()}))
def test_a_deleted_resource_is_not_there(entry: Json) -> None:
    bundle = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": person()}, entry]}
    made = PatientRecord.from_bundle(decode_bundle(json.dumps(bundle).encode(), source="test.json"))
    assert made.resources("Observation") == []
    assert [(s.reference, s.kind) for s in made.set_aside] == [("Observation/o", "deleted")]
    assert made.unusable == []


@pytest.mark.parametrize("turn", (1, -1))
def test_both_there_and_deleted(turn: int) -> None:
    entries = [{"resource": person()}, *[{"resource": observation()}, DELETED][::turn]]
    with pytest.raises(InputError, match=r"is Observation/o, which entry \d says was deleted"):
        decode_bundle(json.dumps({"resourceType": "Bundle", "entry": entries}).encode(), source="test.json")


def linked(identity: str, kind: str, other: str) -> Json:
    return person(identity, link=[{"type": kind, "other": {"reference": other}}])


def test_the_data_of_a_replaced_patient_are_those_of_the_one_who_replaces_it(records: Any) -> None:
    own, old = observation("Patient/p", "own"), observation("Patient/q", "old")
    for people in (
        (linked("p", "replaces", "Patient/q"), person("q")),
        (person("p"), linked("q", "replaced-by", "Patient/p")),
        (linked("p", "replaces", "Patient/q"), linked("q", "replaced-by", "Patient/p")),
    ):
        made = records.record(*people, own, old)
        assert made.reference == "Patient/p"
        assert [made.reference_of(e) for e in made.resources("Observation")] == ["Observation/own", "Observation/old"]
        assert [made.reference_of(e) for e in made.resources("Patient")] == ["Patient/p"]
        assert (made.set_aside, made.notes) == ([], [])
        with pytest.raises(InputError, match="is Patient/q, which was replaced by Patient/p"):
            records.record(*people, own, old, patient="q")


def test_a_replaced_patient_is_not_used(records: Any) -> None:
    with pytest.raises(InputError, match=r"which was replaced by Patient/new \(Patient\.link\) and must no"):
        records.record(linked("p", "replaced-by", "Patient/new"), observation())


def test_two_resources_of_one_human(records: Any) -> None:
    people = (linked("p", "seealso", "Patient/q"), person("q"), person("r"))
    rows = [observation(f"Patient/{i}", i) for i in "pqr"]
    for asked in ("p", "q"):
        made = records.record(*people, *rows, patient=asked)
        assert [made.reference_of(e) for e in made.resources("Observation")] == ["Observation/p", "Observation/q"]
        assert made.reference == f"Patient/{asked}"
    with pytest.raises(InputError, match="holds 3 Patients"):
        records.record(*people, *rows)


# The members of a Patient, and what a reader of any result has to know.
NOTES = (
    ({"deceasedBoolean": True}, ["Patient/p is recorded as deceased"]),
    ({"deceasedDateTime": "2020-05"}, ["Patient/p is recorded as deceased (2020-05)"]),
    ({"deceasedBoolean": False, "active": True}, []),
    ({"active": False}, ["Patient/p is not in active use (Patient.active is false): the record may stand elsewhere"]),
    ({"link": [{"type": "refer", "other": {"reference": "Patient/x"}}]},
     ["Patient/p is also Patient/x (Patient.link), whose records are not here"]),
    ({"link": [{"type": "seealso", "other": {"reference": "RelatedPerson/x"}}]}, []),
    ({"link": [{"type": "seealso"}, 7, {"other": 5}, {"other": {"display": "she"}}]}, []),
    ({"link": {"type": "replaced-by"}}, []),
)  # fmt: skip


@pytest.mark.parametrize(("members", "sentences"), NOTES)
def test_notes_on_the_patient(records: Any, members: Json, sentences: list[str]) -> None:
    assert records.record(person(**members)).notes == sentences


def test_the_same_resource_twice(records: Any) -> None:
    made = records.record(records.patient, observation(), observation())
    assert len(made.resources("Observation")) == 1
    assert [(s.kind, s.reason) for s in made.set_aside] == [("duplicate", "entry 3 repeats entry 2")]
    with pytest.raises(InputError, match=r"test\.json: entry 3: is Observation/o, as entry 2 is, with other content"):
        records.record(records.patient, observation(), observation(status="final"))


def test_the_same_id_on_two_servers(records: Any) -> None:
    urls = {0: "http://a/Patient/p", 1: "http://a/Observation/o", 2: "http://b/Observation/o"}
    made = records.record(records.patient, observation(), observation("http://a/Patient/p", status="final"), urls=urls)
    assert len(made.resources("Observation")) == 2


@pytest.mark.parametrize("kind", ("collection", "transaction", "searchset", "document", "batch", "message", "history"))
def test_every_type_of_bundle(records: Any, kind: str) -> None:
    made = decode_bundle(records.raw(records.patient, kind=kind), source="x")
    assert (made.type, PatientRecord.from_bundle(made).reference) == (kind, "Patient/p")


def test_a_lone_patient_is_a_record_of_only_that() -> None:
    made = PatientRecord.from_bundle(decode_bundle(b'{"resourceType": "Patient", "id": "p"}', source="x"))
    assert made.types() == {"Patient"}


def test_bundles_inside_a_bundle_count(records: Any) -> None:
    inner = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation(identity="i")}, 5]}
    made = records.record(records.patient, inner, {"resourceType": "Bundle", "type": "searchset"})
    assert [made.reference_of(e) for e in made.resources("Observation")] == ["Observation/i"]
    assert made.set_aside[0].reference == "entry 2, entry 2"


def test_order_types_and_supertypes(records: Any) -> None:
    made = records.record(observation(identity="2"), records.patient, observation(identity="1"))
    assert [made.reference_of(e) for e in made.resources("Observation")] == ["Observation/2", "Observation/1"]
    assert [e.type for e in made.resources("Resource")] == ["Observation", "Patient", "Observation"]
    assert made.types() == {"Patient", "Observation"}
    assert made.resources("Condition") == []


def test_references_without_an_id(records: Any) -> None:
    nameless = {k: v for k, v in observation().items() if k != "id"}
    made = records.record(records.patient, nameless, {**nameless, "status": "final"}, urls={2: UUID})
    names = [made.reference_of(e) for e in made.resources("Observation")]
    assert names == ["Observation[entry 2]", f"Observation[{UUID}]"]


LOINC = {"system": "http://loinc.org", "code": "718-7"}
MEDICATION = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": "http://rx", "code": "1"}]}}

COMPOUND = {
    "resourceType": "Medication", "id": "c",
    "ingredient": [{"itemCodeableConcept": {"coding": [{"system": "http://rx", "code": "2"}]}},
                   {"itemReference": {"reference": "Medication/m"}}],
}  # fmt: skip

# Type, code path, members of two resources, the index.
INDEXES = (
    ("Observation", "code", {"code": {"coding": [LOINC, {"code": "x"}]}}, {"code": {"text": "only text"}},
     {("http://loinc.org", "718-7"): [0], ("", "x"): [0]}),
    ("Observation", "category", {"category": [{"coding": [LOINC]}, {"coding": [LOINC]}]},
     {"category": [{"coding": [LOINC]}]}, {("http://loinc.org", "718-7"): [0, 1]}),
    ("Observation", "status", {"status": "final"}, {"status": "x"}, {(None, "final"): [0], (None, "x"): [1]}),
    ("Observation", "value", {"valueCodeableConcept": {"coding": [LOINC]}}, {"valueBoolean": True},
     {("http://loinc.org", "718-7"): [0]}),
    ("Observation", "component.code", {"component": [{"code": {"coding": [LOINC]}}]}, {},
     {("http://loinc.org", "718-7"): [0]}),
    ("Encounter", "class", {"class": {"system": "http://c", "code": "AMB"}}, {}, {("http://c", "AMB"): [0]}),
    ("MedicationStatement", "medication", {"medicationReference": {"reference": "Medication/m"}},
     {"medicationCodeableConcept": {"coding": [{"system": "http://rx", "code": "1"}]}}, {("http://rx", "1"): [0, 1]}),
    ("MedicationRequest", "medication", {"medicationReference": {"reference": "#m"}, "contained": [MEDICATION]},
     {"medicationReference": {"reference": "Medication/gone"}}, {("http://rx", "1"): [0]}),
    ("MedicationAdministration", "medication", {"medicationReference": {"reference": "#c"}, "contained": [COMPOUND]},
     {}, {("http://rx", "2"): [0], ("http://rx", "1"): [0]}),
    ("DeviceUseStatement", "device.code", {"device": {"reference": "Device/d"}}, {}, {("http://d", "pacemaker"): [0]}),
    ("Observation", "code", {"code": {"coding": [{"code": 5}, LOINC]}}, {"code": "718-7"},
     {("http://loinc.org", "718-7"): [0]}),
    ("Observation", "code", {"code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "718-7"}]}},
     {"code": {"coding": [LOINC]}},
     {("http://loinc.org", "718-7"): [0, 1], ("urn:oid:2.16.840.1.113883.6.1", "718-7"): [0]}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "path", "one", "two", "expected"), INDEXES)
def test_code_index(records: Any, name: str, path: str, one: Json, two: Json, expected: Any) -> None:
    about = {"subject": {"reference": "Patient/p"}}
    device = {"resourceType": "Device", "id": "d", "type": {"coding": [{"system": "http://d", "code": "pacemaker"}]}}
    rows = [{"resourceType": name, "id": i, **about, **members} for i, members in (("1", one), ("2", two))]
    made = records.record(records.patient, MEDICATION, device, *rows)
    assert made.code_index(name, path) == expected
    assert len(made.resources(name)) == 2


def test_malformed_codes_are_reported_not_indexed(records: Any) -> None:
    made, _ = records.one('"code": {"coding": {"code": "x"}}, "category": [{"coding": [{"code": "y", "system": 5}]}]')
    assert made.code_index("Observation", "code") == {}
    assert made.code_index("Observation", "category") == {}
    assert [p.path for p in made.problems] == ["code.coding", "category[0].coding[0].code"]


def test_a_circle_of_references_has_no_code(records: Any) -> None:
    made, _ = records.one('"medicationReference": {"reference": "MedicationRequest/x"}', "MedicationRequest")
    assert made.code_index("MedicationRequest", "medication") == {}


def test_resolve_every_form(records: Any, read: Callable[..., Any]) -> None:
    made = records.record(
        records.patient,
        observation(contained=[MEDICATION], hasMember=[{"reference": "Observation/second"}]),
        observation(identity="second"),
        urls={2: UUID},
    )
    first, second = made.resources("Observation")
    forms = ("Observation/second", "Observation/second/_history/9", UUID, "http://ehr/Observation/second")
    assert [made.resolve(form, first) for form in forms] == [second] * 4
    assert made.resolve(read(first, "hasMember.0"), first) is second
    assert made.resolve("#m", first).type == "Medication"
    assert made.reference_of(made.resolve("#m", first)) == "Observation/o#m"
    assert made.resolve("#", first) is first
    assert [made.resolve(form, first) for form in ("#n", "Observation/third", "urn:uuid:1", "nonsense")] == [None] * 4


def test_hash_ignores_order(records: Any) -> None:
    rows = [person(), *(observation(identity=str(i), valueInteger=i) for i in range(8))]
    base = records.record(*rows).hash
    random.Random(1).shuffle(rows)
    assert records.record(*({k: r[k] for k in reversed(r)} for r in rows)).hash == base
    assert records.record(*rows[1:], {**rows[0], "status": "final"}).hash != base


def test_a_number_that_cannot_be_read_has_a_place_in_the_hash() -> None:
    texts = (b"1e400", b"1e401", b"1" * 70)
    made = [
        PatientRecord.from_bundle(decode_bundle(b'{"resourceType": "Patient", "id": "p", "x": ' + t + b"}", source="x"))
        for t in texts
    ]
    assert len({record.hash for record in made}) == 3


def test_the_population(shared: Path) -> None:
    """Every bundle of the population decodes, with every resource seen, nothing set aside and nothing unreadable."""
    files = sorted((shared / "population").glob("*.json"))
    assert files
    for file in files:
        made = PatientRecord.from_bundle(decode_bundle(file.read_bytes(), source=file.name))
        assert len(made.resources("Resource")) == len(made.bundle.entries)
        assert made.set_aside == []
        assert made.code_index("Observation", "code")
        assert made.problems == []


def test_the_scenarios_have_one_subject(shared: Path) -> None:
    """The trial scenarios hold donors beside their patients: the subject is always the patient."""
    for file in sorted((shared / "trials" / "scenarios").glob("*.json")):
        data = json.dumps(json.loads(file.read_text())["bundle"]).encode()
        assert PatientRecord.from_bundle(decode_bundle(data, source=file.name)).reference == "Patient/patient"


@pytest.mark.parametrize(
    ("given", "expected"),
    (
        ({"coding": [{"system": "s", "code": "a"}, {"code": "b"}]}, {("s", "a"): [0], ("", "b"): [0]}),
        ({"text": "no coding"}, {}),
        ({"coding": [{"display": "no code"}]}, {}),
        ({"coding": [{"system": "s", "code": 5}, {"system": "s", "code": "b"}]}, {("s", "b"): [0]}),
        ({"coding": {"system": "s", "code": "a"}}, {}),
        ({"coding": [None, {"system": "s", "code": "a"}]}, {("s", "a"): [0]}),
        ([{"coding": [{"system": "s", "code": "a"}]}], {}),
        ("a text", {}),
    ),
)
def test_the_index_by_code_reads_what_fits_and_reports_the_rest(given: object, expected: object) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection",
              "entry": [{"resource": person()}, {"resource": observation(code=given)}]}  # fmt: skip
    record = PatientRecord.from_bundle(decode_bundle(json.dumps(bundle).encode(), source="test"))
    assert {key: list(at) for key, at in record.code_index("Observation", "code").items()} == expected
