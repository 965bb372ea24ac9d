"""Writes the sample patients of this folder: python fhir_fixtures/generate.py

The patients are invented. Every code comes from a value set or code system in cql/valuesets; one that is not there
stops the run. Each patient is a change or two to one baseline, so that a file shows what its story tells. All were seen
for a screening on the date SCREENING_DATE.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).resolve().parent
VALUE_SETS = HERE.parent / "cql" / "valuesets"
SCREENING_DATE = "2026-06-15"
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

Resource = dict[str, Any]
Record = dict[str, Resource]
"""The resources of one patient by id, in the order of the bundle."""


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


def person(family: str, given: str, birth: str, gender: str = "male") -> Resource:
    """The Patient."""
    name = [{"use": "official", "family": family, "given": [given]}]
    return {"resourceType": "Patient", "name": name, "gender": gender, "birthDate": birth}


def condition(code: Resource, onset: str, clinical: str = "active") -> Resource:
    """A confirmed Condition."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", clinical, clinical.capitalize()),
        "verificationStatus": coded("condition-ver-status", "confirmed", "Confirmed"),
        "code": code,
        "onsetDateTime": onset,
    }


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


def prostate_cancer(name: tuple[str, str], birth: str) -> Record:
    """The baseline: metastatic castration-resistant prostate cancer, and nothing against the trial PSMA-NK."""
    negative, drawn = "valueset-negative-result", "2026-06-10T08:15:00+02:00"
    psma = observation(
        {"coding": [members("valueset-tumor-marker-generic")["21924-6"], members("codesystem-tumor-antigen")["PSMA"]]},
        "2026-03-02", valueCodeableConcept=concept("valueset-positive-result", "10828004"),
        specimen={"reference": "Specimen/biopsy"}, method={"text": "immunohistochemistry"},
    )  # fmt: skip
    return {
        "patient": person(*name, birth),
        "prostate-cancer": condition(concept("valueset-prostate-cancer", "427492003"), "2023-09-18"),
        "bone-metastases": condition(concept("valueset-metastatic-disease", "94222008"), "2024-11-04"),
        "hypertension": condition({"text": "High blood pressure, since about 2015"}, "2015"),
        "biopsy": {
            "resourceType": "Specimen", "type": {"text": "biopsy of the prostate"},
            "collection": {"collectedDateTime": "2026-02-24"},
        },
        "psma": psma,
        "testosterone": lab("valueset-testosterone-mass", "2986-8", "14", "ng/dL", drawn),
        "psa-1": lab("valueset-psa", "2857-1", "3.10", "ng/mL", "2026-01-19"),
        "psa-2": lab("valueset-psa", "2857-1", "4.25", "ng/mL", "2026-02-23"),
        "psa-3": lab("valueset-psa", "2857-1", "6.90", "ng/mL", "2026-04-20"),
        "psa-4": lab("valueset-psa", "2857-1", "11.8", "ng/mL", "2026-06-01"),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-10", valueInteger=1),
        "anc": lab("valueset-anc", "751-8", "3.6", "10*9/L", drawn),
        "platelets": lab("valueset-platelet-count", "777-3", "187", "10*9/L", drawn),
        "hemoglobin": lab("valueset-hemoglobin", "718-7", "12.1", "g/dL", drawn),
        "alt": lab("valueset-alt", "1742-6", "31", "U/L", drawn, "45"),
        "ast": lab("valueset-ast", "1920-8", "27", "U/L", drawn, "35"),
        "creatinine": lab("valueset-creatinine", "2160-0", "0.95", "mg/dL", drawn, "1.20"),
        "prothrombin-time": lab("valueset-prothrombin-time", "5902-2", "12.4", "s", drawn, "14.0"),
        "aptt": lab("valueset-aptt", "14979-9", "29", "s", drawn, "36"),
        "inr": lab("valueset-inr", "6301-6", "1.0", "{INR}", drawn, "1.2"),
        "hbsag": observation(
            concept("valueset-hbsag", "5196-1"), drawn, valueCodeableConcept=concept(negative, "260385009")
        ),
        "hcv-rna": observation(
            concept("valueset-hcv-rna", "11011-4"), drawn, valueCodeableConcept=concept(negative, "260415000")
        ),
        "consent": consent(),
        "survival": statement("life-expectancy-at-least-6-months", True),
        "follow-up": statement("able-to-comply-follow-up", True),
        "contraception": statement("unable-effective-contraception", False),
        "suitability": statement("investigator-unsuitable", False),
    }  # fmt: skip


def in_good_order() -> Record:
    """Everything recorded, nothing against him."""
    return prostate_cancer(("Castellan", "Albert"), "1958-02-11")


def platelets_too_low() -> Record:
    """Platelets 98 where 100 are needed."""
    record = prostate_cancer(("Duarte", "Benigno"), "1961-07-30")
    record["platelets"] = lab("valueset-platelet-count", "777-3", "98", "10*9/L", "2026-06-10T08:15:00+02:00")
    return record


def liver_metastases() -> Record:
    """ALT at three times the limit of normal, which liver metastases allow."""
    record = prostate_cancer(("Ebersbach", "Conrad"), "1954-12-01")
    record["liver-metastases"] = condition(concept("valueset-liver-metastases", "94381002"), "2026-04-13")
    record["alt"] = lab("valueset-alt", "1742-6", "135", "U/L", "2026-06-10T08:15:00+02:00", "45")
    return record


def alt_without_metastases() -> Record:
    """ALT exactly at 2.5 times the limit of normal, and no liver metastases."""
    record = prostate_cancer(("Fontaine", "Didier"), "1966-05-23")
    record["alt"] = lab("valueset-alt", "1742-6", "112.5", "U/L", "2026-06-10T08:15:00+02:00", "45")
    return record


def hemoglobin_in_grams_per_litre() -> Record:
    """Hemoglobin 89 g/L, which is 8.9 g/dL."""
    record = prostate_cancer(("Grabowski", "Emil"), "1957-10-17")
    record["hemoglobin"] = lab("valueset-hemoglobin", "718-7", "89", "g/L", "2026-06-10T08:15:00+02:00")
    return record


def consent_withdrawn() -> Record:
    """The consent was withdrawn."""
    record = prostate_cancer(("Hakala", "Fredrik"), "1960-03-08")
    record["consent"] = consent("inactive")
    return record


def ecog_too_old() -> Record:
    """ECOG was last recorded three months before screening."""
    record = prostate_cancer(("Ivanov", "Georgi"), "1955-08-19")
    record["ecog"] = observation(concept("valueset-ecog", "89247-1"), "2026-03-11", valueInteger=1)
    return record


def nobody_asked() -> Record:
    """Nobody has stated how long he is expected to live, or whether he can come back."""
    record = prostate_cancer(("Jansen", "Hendrik"), "1963-01-26")
    del record["survival"], record["follow-up"]
    return record


def unit_nobody_can_read() -> Record:
    """Platelets in "x10^9/L", which is no UCUM unit."""
    record = prostate_cancer(("Kowalczyk", "Igor"), "1959-11-14")
    record["platelets"]["valueQuantity"] = {"value": 204, "unit": "x10^9/L"}
    return record


def limit_of_normal_missing() -> Record:
    """Creatinine without its upper limit of normal; an earlier mistake in the platelets was marked as such."""
    record = prostate_cancer(("Lindqvist", "Jonas"), "1956-06-02")
    record["creatinine"] = lab("valueset-creatinine", "2160-0", "1.41", "mg/dL", "2026-06-10T08:15:00+02:00")
    mistaken = lab("valueset-platelet-count", "777-3", "18", "10*9/L", "2026-06-11T07:50:00+02:00")
    record["platelets-mistaken"] = {**mistaken, "status": "entered-in-error"}
    return record


def year_of_birth_only() -> Record:
    """Only the year of birth is known, and he turns 18 in it."""
    return prostate_cancer(("Moreau", "Karim"), "2008")


def malformed_date() -> Record:
    """ECOG 1, dated the 31st of June."""
    record = prostate_cancer(("Novotny", "Leos"), "1962-04-05")
    record["ecog"]["effectiveDateTime"] = "2026-06-31"
    return record


PATIENTS: dict[str, Callable[[], Record]] = {
    "01-in-good-order": in_good_order,
    "02-platelets-too-low": platelets_too_low,
    "03-liver-metastases": liver_metastases,
    "04-alt-without-metastases": alt_without_metastases,
    "05-hemoglobin-in-grams-per-litre": hemoglobin_in_grams_per_litre,
    "06-consent-withdrawn": consent_withdrawn,
    "07-ecog-too-old": ecog_too_old,
    "08-nobody-asked": nobody_asked,
    "09-unit-nobody-can-read": unit_nobody_can_read,
    "10-limit-of-normal-missing": limit_of_normal_missing,
    "11-year-of-birth-only": year_of_birth_only,
    "12-malformed-date": malformed_date,
}
"""File name → the patient, in the folder of the trial that the stories are told for."""

FOLDER = "psma-nk"


def bundle(name: str, record: Record) -> Resource:
    """The collection Bundle of one patient, whose id is the number and name of the file."""
    subject = {"reference": f"Patient/{name}"}
    entries = []
    for identity, content in record.items():
        kind = content["resourceType"]
        about = {} if kind == "Patient" else {"patient" if kind == "Consent" else "subject": subject}
        own = name if kind == "Patient" else f"{identity}-{name[:2]}"
        resource = {
            "resourceType": kind,
            "id": own,
            **{n: v for n, v in content.items() if n != "resourceType"},
            **about,
        }
        if "specimen" in resource:
            resource["specimen"] = {"reference": f"{resource['specimen']['reference']}-{name[:2]}"}
        entries.append({"fullUrl": f"http://example.org/fhir/{kind}/{own}", "resource": resource})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def files() -> Iterable[tuple[Path, bytes]]:
    """Every file of the folder with its content."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    for name, make in PATIENTS.items():
        text = msgspec.json.format(encoder.encode(bundle(name, make())), indent=1) + b"\n"
        yield HERE / FOLDER / f"{name}.json", text
    rows = "\n".join(f"| `{name}.json` | {make.__doc__} |" for name, make in PATIENTS.items())
    yield HERE / "README.md", README.format(rows=rows, date=SCREENING_DATE, folder=FOLDER).encode()


README = """# Sample patients

Invented patients for a first look. All were seen for a screening on {date}:

    eligibility screen fhir_fixtures --screening-date {date}

Made by `python fhir_fixtures/generate.py`; a test compares.

## For PSMA-NK (`{folder}/`)

| file | story |
|---|---|
{rows}
"""

if __name__ == "__main__":
    for path, content in files():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(path.relative_to(HERE.parent), file=sys.stderr)
