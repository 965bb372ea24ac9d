"""What the sample patients are made of: FHIR R4 resources with the codes of cql/valuesets, and lists of patients.

Every code comes from a value set or code system file; one that is not there stops the run. The few code systems that
FHIR itself binds (statuses, categories, relationships) are written with :func:`coded`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VALUE_SETS = HERE.parent / "cql" / "valuesets"
SCREENING_DATE = "2026-06-15"
DRAWN = "2026-06-10T08:15:00+02:00"
"""When blood was drawn, unless a story says otherwise."""
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

Resource = dict[str, Any]
Record = dict[str, Resource]
"""The resources of one patient by id, in the order of the bundle. References between them use these ids."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A patient: the name of the file, what the trial should say, and what the story is."""

    name: str
    verdict: str
    decides: tuple[str, ...]
    make: Callable[[], Record]

    @property
    def story(self) -> str:
        """The one line that tells it."""
        return str(self.make.__doc__)


@dataclass(frozen=True, slots=True)
class Samples:
    """The patients whose stories are told for one trial, in ``folder``."""

    trial: str
    folder: str
    about: str
    patients: list[Sample] = field(default_factory=list)

    def patient(self, name: str, verdict: str, *decides: str) -> Callable[[Callable[[], Record]], Callable[[], Record]]:
        """Adds the patient that a function makes; ``decides`` are the criteria that rule out or stay open."""

        def add(make: Callable[[], Record]) -> Callable[[], Record]:
            self.patients.append(Sample(name, verdict, tuple(f"{self.trial}-{part}" for part in decides), make))
            return make

        return add


@cache
def members(name: str) -> dict[str, dict[str, str]]:
    """Code → coding of a value set or code system file in cql/valuesets."""
    content = json.loads((VALUE_SETS / f"{name}.json").read_text("utf-8"))
    if content["resourceType"] == "CodeSystem":
        return {c["code"]: {"system": content["url"], **_coding(c)} for c in content["concept"]}
    return {c["code"]: {"system": c["system"], **_coding(c)} for c in content["expansion"]["contains"]}


def _coding(concept: dict[str, Any]) -> dict[str, str]:
    return {name: concept[name] for name in ("code", "display") if name in concept}


def concept(file: str, *codes: str) -> Resource:
    """A CodeableConcept with codes of a file; KeyError for one that is not in it."""
    return {"coding": [members(file)[code] for code in codes]}


def coded(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept of one of the code systems FHIR itself binds."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code, "display": display}]}


def quantity(value: str, unit: str) -> Resource:
    """A UCUM quantity; the digits stay as they are written."""
    number = Decimal(value)
    return {"value": int(value) if "." not in value else number, "unit": unit, "system": UCUM, "code": unit}


def person(name: tuple[str, str], birth: str, gender: str = "male") -> Resource:
    """The Patient; a name is family and given name."""
    names = [{"use": "official", "family": name[0], "given": [name[1]]}]
    return {"resourceType": "Patient", "name": names, "gender": gender, "birthDate": birth}


def condition(code: Resource, onset: str | None, clinical: str = "active", **more: Any) -> Resource:
    """A confirmed Condition; ``more`` is whatever else it holds."""
    made = {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", clinical, clinical.capitalize()),
        "verificationStatus": coded("condition-ver-status", "confirmed", "Confirmed"),
        "code": code,
        "onsetDateTime": onset,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def observation(code: Resource, date: str, **value: Any) -> Resource:
    """A final Observation; ``value`` is its value[x] and whatever else it holds."""
    return {"resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": date, **value}


def lab(file: str, code: str, value: str, unit: str, date: str, high: str | None = None) -> Resource:
    """A laboratory result, with the upper limit of normal where one is given."""
    made = observation(concept(file, code), date, valueQuantity=quantity(value, unit))
    made["category"] = [coded("observation-category", "laboratory", "Laboratory")]
    if high is not None:
        made["referenceRange"] = [{"high": quantity(high, unit)}]
    return made


def statement(code: str, answer: bool, date: str = "2026-06-12") -> Resource:
    """What the investigator or the participant states."""
    return observation(concept("codesystem-eligibility-attestation", code), date, valueBoolean=answer)


def consent(status: str = "active", date: str = "2026-06-08T09:30:00+02:00") -> Resource:
    """The consent to take part in the study."""
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": coded("consentscope", "research", "Research"),
        "category": [concept("valueset-consent-document", "59284-0")],
        "dateTime": date,
        "policyRule": {"text": "Informed consent of the study"},
        "provision": {"type": "permit"},
    }


def qualitative(file: str, code: str, positive: bool, date: str = DRAWN) -> Resource:
    """A test that says positive or negative."""
    answer = (
        concept("valueset-positive-result", "10828004")
        if positive
        else concept("valueset-negative-result", "260385009")
    )
    return observation(concept(file, code), date, valueCodeableConcept=answer)


def antigen(name: str, percent: str, method: str, specimen: str, date: str) -> Resource:
    """The share of tumour cells with an antigen."""
    code = {"coding": [members("valueset-tumor-marker-generic")["21924-6"], members("codesystem-tumor-antigen")[name]]}
    return observation(
        code, date, valueQuantity=quantity(percent, "%"), method={"text": method},
        specimen={"reference": f"Specimen/{specimen}"},
    )  # fmt: skip


def specimen(kind: str, date: str) -> Resource:
    """A Specimen; its type is told in words."""
    return {"resourceType": "Specimen", "type": {"text": kind}, "collection": {"collectedDateTime": date}}


def pathology(date: str, code: Resource) -> Resource:
    """A pathology report whose coded conclusion is a diagnosis."""
    return {
        "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Surgical pathology report"},
        "effectiveDateTime": date, "conclusionCode": [code],
    }  # fmt: skip


def drug(
    file: str, code: str, start: str, end: str | None = None, route: str = "oral", dose: Resource | None = None
) -> Resource:
    """A MedicationStatement: taken from a day to another, or on and on."""
    dosage = {"route": {"text": route}, **(dose or {})}
    return {
        "resourceType": "MedicationStatement",
        "status": "completed" if end else "active",
        "medicationCodeableConcept": concept(file, code),
        "effectivePeriod": {"start": start, **({"end": end} if end else {})},
        "dosage": [dosage],
    }


def dose(milligrams: str, every_days: int = 1) -> Resource:
    """The part of a Dosage that tells how much and how often."""
    return {
        "timing": {"repeat": {"frequency": 1, "period": every_days, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": quantity(milligrams, "mg")}],
    }


def procedure(code: Resource, date: str, **more: Any) -> Resource:
    """A completed Procedure."""
    return {"resourceType": "Procedure", "status": "completed", "code": code, "performedDateTime": date, **more}


def without(record: Record, *names: str) -> Record:
    """The record without some of its resources."""
    return {name: content for name, content in record.items() if name not in names}
