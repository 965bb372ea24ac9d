"""Retrieves over a small bundle, one line of CQL and its answer: filters, choices of types, contexts, references."""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.cli.elements import element_json
from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import DateTime
from engine.language.values.json import to_plain
from engine.workspace import Workspace

SUBJECT = {"reference": "Patient/p"}
RED = {"coding": [{"system": "http://example.org/c", "code": "red"}]}
BLUE = {"coding": [{"system": "http://example.org/c", "code": "blue"}]}
RESOURCES: tuple[dict[str, Any], ...] = (
    {"resourceType": "Patient", "id": "p", "birthDate": "2000-02-29"},
    {"resourceType": "Observation", "id": "o1", "subject": SUBJECT, "code": RED,
     "effectiveDateTime": "2024-01-01T10:00:00",
     "valueQuantity": {"value": 7.10, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}},
    {"resourceType": "Observation", "id": "o2", "subject": SUBJECT, "code": BLUE, "valueString": "seen"},
    {"resourceType": "Observation", "id": "o3", "subject": {"reference": "Patient/q"}, "code": RED},
    {"resourceType": "Procedure", "id": "r1", "subject": SUBJECT, "code": RED, "status": "completed"},
    {"resourceType": "ServiceRequest", "id": "s1", "subject": SUBJECT, "code": BLUE, "authoredOn": "2024-02-01"},
    {"resourceType": "Device", "id": "d1", "type": RED},
    {"resourceType": "DeviceUseStatement", "id": "u1", "subject": SUBJECT, "device": {"reference": "Device/d1"}},
    {"resourceType": "Provenance", "id": "v1", "target": [{"reference": "Observation/o1"}, SUBJECT]},
    {"resourceType": "Patient", "id": "q"},
)  # fmt: skip
HEADER = """using FHIR version '4.0.1'
codesystem "C": 'http://example.org/c'
code "Red": 'red' from "C"
code "Blue": 'blue' from "C"
define function IdOf(x FHIR.Observation): x.id
define function Kind(x FHIR.DomainResource): 'a resource'
define function Kind(x Choice<FHIR.Observation, FHIR.Procedure>): 'one of two'
context Unfiltered
define "Everyone red": [Observation: "Red"]
context Patient
"""
ROWS: tuple[tuple[str, Any], ...] = (
    ("[Observation]", ["Observation/o1", "Observation/o2"]),
    ('[Observation: "Red"]', ["Observation/o1"]),
    ("[Observation: code in { 'blue' }]", ["Observation/o2"]),
    ("[Observation: code in 'blue']", ["Observation/o2"]),
    ("Kind(First([Observation]))", "a resource"),
    ('"Everyone red"', ["Observation/o1", "Observation/o3"]),
    ("(singleton from ([Provenance: target in First([Observation]).id])).id", {"$fhir": "v1"}),
    ("[Provenance: target in 'nobody']", []),
    ("[Procedure] union [ServiceRequest]", ["Procedure/r1", "ServiceRequest/s1"]),
    ("([Procedure] union [ServiceRequest]) X where X.status = 'completed'", ["Procedure/r1"]),
    ("([Procedure] union [ServiceRequest]) X return X.authoredOn", [None, {"$fhir": "2024-02-01"}]),
    ("([Procedure] union [ServiceRequest]) except [Procedure]", ["ServiceRequest/s1"]),
    ('[DeviceUseStatement: "Red"]', ["DeviceUseStatement/u1"]),
    ('[DeviceUseStatement: "Blue"]', []),
    ("[Observation] O where (O.value as Quantity) > 7 '%'", ["Observation/o1"]),
    ("[Observation] O where O.value is Quantity return O.value * 2.0", [{"value": Decimal("14.2"), "unit": "%"}]),
    ("({ Tuple { date: @2024 } } union [Procedure]) X sort by date desc", [{"date": "2024"}, "Procedure/r1"]),
    ("[Observation] O where O.value is String", []),
    ("[Observation] O where O.value = 'seen'", ["Observation/o2"]),
    ("[Observation] O where O.value is Quantity", ["Observation/o1"]),
    ("First([Observation] O return O.effective as dateTime) = @2024-01-01T10:00:00Z", True),
    ("AgeInYearsAt(@2024-02-28)", 23),
    ("Patient.name N return N.family", None),
)


@pytest.fixture(scope="module")
def record() -> PatientRecord:
    entries = [{"resource": resource} for resource in RESOURCES]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    return PatientRecord.from_bundle(decode_bundle(data, source="table.json"), "p")


@pytest.mark.parametrize(("line", "expected"), ROWS, ids=[line for line, _ in ROWS])
def test_answer(record: PatientRecord, line: str, expected: Any) -> None:
    workspace = Workspace()
    program = workspace.program(workspace.translate(f'{HEADER}define "Answer":\n  {line}\n'))
    context = workspace.context(DateTime(2024, 3, 15, 12, 0, 0, 0, 0), record=record)
    assert to_plain(workspace.evaluate(program, context).define("Answer"), element_json) == expected
