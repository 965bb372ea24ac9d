"""Asking the shared libraries: CQL expressions over small bundles built here, with the parameters of a screening."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from engine.fhir import PatientRecord, decode_bundle
from engine.language import Program
from engine.language.values import DateTime
from engine.trials.parameters import bind_parameters
from engine.workspace import Workspace

CQL = Path(__file__).resolve().parents[2] / "cql"
LIBRARIES = (
    "Screening", "Logic", "History", "Quantities", "Observations", "Labs", "Performance", "Attestations", "Consents",
    "Conditions", "ProstateCancer", "Medications", "Procedures", "Allergies", "Participation", "References", "Antigens",
    "Series", "Virology", "Steroids", "Lesions", "Stages", "Words", "NamedDrugs", "NamedDiseases", "CellTherapy",
)  # fmt: skip
NOW = DateTime(2026, 3, 16, 23, 59, 59, 0, 480)
PARAMETERS = {"ScreeningDate": "2026-03-16", "EvaluationTime": "2026-03-16T23:59:59+08:00"}

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATTESTATION = "http://example.org/fhir/CodeSystem/eligibility-attestation"
UCUM = "http://unitsofmeasure.org"

# One code of a value set each, as the value sets of cql/valuesets list them.
ANC = (LOINC, "751-8")
ALT = (LOINC, "1742-6")
PSA = (LOINC, "2857-1")
HBSAG = (LOINC, "5196-1")
POSITIVE = {"coding": [{"system": SNOMED, "code": "10828004"}]}
NEGATIVE = {"coding": [{"system": SNOMED, "code": "260385009"}]}


@cache
def workspace() -> Workspace:
    """The product's own CQL and value sets."""
    return Workspace([CQL], [CQL / "valuesets"])


@cache
def compiled(expression: str) -> Program:
    """A library whose define Answer is the expression; value sets are those of the folder, named by their slug."""
    includes = "\n".join(f"include {name} version '1.0.0' called {name}" for name in LIBRARIES)
    sets = "\n".join(
        f'valueset "{path.stem.removeprefix("valueset-")}": '
        f"'http://example.org/fhir/ValueSet/{path.stem.removeprefix('valueset-')}'"
        for path in sorted((CQL / "valuesets").glob("valueset-*.json"))
        if f'"{path.stem.removeprefix("valueset-")}"' in expression
    )
    text = (
        "library Asking version '1.0.0'\nusing FHIR version '4.0.1'\ninclude FHIRHelpers version '4.0.1'\n"
        f"{includes}\n"
        f"codesystem \"Attestation\": '{ATTESTATION}'\n"
        "codesystem \"Antigen\": 'http://example.org/fhir/CodeSystem/tumor-antigen'\n"
        'code "complies": \'able-to-comply-follow-up\' from "Attestation"\n'
        'code "PSMA": \'PSMA\' from "Antigen"\n'
        f'{sets}\ncontext Patient\ndefine "Answer":\n  {expression}\n'
    )
    translation = workspace().translate(text, "asking")
    assert not translation.diagnostics, "\n".join(d.render() for d in translation.diagnostics)
    return workspace().program(translation)


def ask(
    expression: str,
    resources: Sequence[Mapping[str, Any]] = (),
    *,
    patient: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> Any:
    """The value of a CQL expression for a patient with these resources."""
    subject = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1960-05-20"} | dict(patient or {})
    entries = []
    for number, resource in enumerate(resources, start=1):
        about = "patient" if resource["resourceType"] in ("Consent", "AllergyIntolerance") else "subject"
        about = "individual" if resource["resourceType"] == "ResearchSubject" else about
        entries.append({"resource": {"id": f"r{number}", about: {"reference": "Patient/p"}} | dict(resource)})
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": subject}, *entries]}
    record = PatientRecord.from_bundle(decode_bundle(json.dumps(bundle).encode(), source="the test's bundle"))
    program = compiled(expression)
    bound = bind_parameters(program, PARAMETERS | parameters)
    context = workspace().context(NOW, record=record, parameters=bound)
    return workspace().evaluate(program, context).define("Answer")


# ----------------------------------------------------------------------------------------------------- small resources


def concept(*codes: tuple[str, str], text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept of (system, code) pairs."""
    made: dict[str, Any] = {"coding": [{"system": system, "code": code} for system, code in codes]} if codes else {}
    return made | ({"text": text} if text else {})


def quantity(value: float, unit: str | None = None, comparator: str | None = None) -> dict[str, Any]:
    """A Quantity in a UCUM unit; without a unit a bare number."""
    made: dict[str, Any] = {"value": value} | ({"comparator": comparator} if comparator else {})
    return made | ({"unit": unit, "system": UCUM, "code": unit} if unit else {})


def observation(
    named: tuple[str, str], value: Any = None, on: str | None = "2026-03-12", *, high: Any = None, **more: Any
) -> dict[str, Any]:
    """A final Observation; ``value`` is a quantity, concept, Boolean or integer; ``high`` ends its reference range."""
    made: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": concept(named)}
    if isinstance(value, bool):
        made["valueBoolean"] = value
    elif isinstance(value, int):
        made["valueInteger"] = value
    elif value is not None:
        made["valueQuantity" if "value" in value else "valueCodeableConcept"] = value
    if on:
        made["effectiveDateTime"] = on
    if high:
        made["referenceRange"] = [{"high": high}]
    return made | more


def condition(code: tuple[str, str], clinical: str | None = "active", **more: Any) -> dict[str, Any]:
    """A confirmed Condition with this clinical status."""
    made: dict[str, Any] = {
        "resourceType": "Condition", "code": concept(code), "verificationStatus": _status("ver-status", "confirmed"),
    }  # fmt: skip
    return made | ({"clinicalStatus": _status("clinical", clinical)} if clinical else {}) | more


def verification(code: str) -> dict[str, Any]:
    """The verificationStatus of a Condition."""
    return {"verificationStatus": _status("ver-status", code)}


def _status(kind: str, code: str) -> dict[str, Any]:
    return concept((f"http://terminology.hl7.org/CodeSystem/condition-{kind}", code))


def statement(
    code: str, status: str = "active", start: str | None = None, end: str | None = None, route: str | None = None
) -> dict[str, Any]:
    """A MedicationStatement of an RxNorm code."""
    made: dict[str, Any] = {
        "resourceType": "MedicationStatement", "status": status, "medicationCodeableConcept": concept((RXNORM, code)),
    }  # fmt: skip
    period = ({"start": start} if start else {}) | ({"end": end} if end else {})
    made |= {"effectivePeriod": period} if period else {}
    return made | ({"dosage": [{"route": {"text": route}}]} if route else {})
