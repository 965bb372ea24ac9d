"""A small trial with its library and value set, and resources and bodies for calls."""

from typing import Any

import httpx2

TRIAL = """/*
@trial: SAMPLE
@registry: NCT00000001
@title: A sample trial
@incomplete: The list of criteria is made up.
*/
library SampleTrial version '1.0.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
include SampleLabs version '1.0.0' called Labs
valueset "Hemoglobin": 'http://example.org/fhir/ValueSet/sample-hemoglobin'
parameter ScreeningDate Date
parameter "Least" System.Quantity default 9 'g/dL'
context Patient

/*
@criterion: SAMPLE-I1
@inclusion
@text: at least 18 years old
*/
define "I1 adult": AgeInYearsAt(ScreeningDate) >= 18

/*
@criterion: SAMPLE-I2
@inclusion
@text: hemoglobin at least 9 g/dL
*/
define "I2 hemoglobin": Labs."Latest"([Observation: "Hemoglobin"]) >= "Least"

/*
@criterion: SAMPLE-E1
@exclusion
@text: allergic to anything
*/
define "E1 allergic": if exists [AllergyIntolerance] then true else null
"""

LABS = """library SampleLabs version '1.0.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
context Patient
define private "Hidden": 42
define "Shown": Tuple { amount: 1.10, none: null as Integer }
define "Numbers": { 1, 2, 3 }
define "Broken": Message(1, true, 'broken', 'Error', 'this one fails')
define function "Latest"(observations List<FHIR.Observation>):
  Last(observations O sort by (effective as FHIR.dateTime).value).value as FHIR.Quantity
"""

VALUE_SET = {
    "resourceType": "ValueSet", "id": "sample-hemoglobin", "status": "active", "name": "Hemoglobin",
    "url": "http://example.org/fhir/ValueSet/sample-hemoglobin",
    "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "718-7"}]}]},
}  # fmt: skip


def patient(identity: str = "p1", **more: Any) -> dict[str, Any]:
    """A Patient born in 1960."""
    return {"resourceType": "Patient", "id": identity, "birthDate": "1960-02-03", **more}


def hemoglobin(value: float | str, unit: str = "g/dL", identity: str = "o1", person: str = "p1") -> dict[str, Any]:
    """An Observation of hemoglobin."""
    return {
        "resourceType": "Observation", "id": identity, "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": f"Patient/{person}"}, "effectiveDateTime": "2026-01-02T10:00:00Z",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }  # fmt: skip


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """A collection of resources."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def parameters(*rows: dict[str, Any]) -> dict[str, Any]:
    """A Parameters resource."""
    return {"resourceType": "Parameters", "parameter": list(rows)}


def values(answer: httpx2.Response) -> list[dict[str, Any]]:
    """The parameters of an answer that has to be a Parameters resource, without their types."""
    content = answer.json()
    assert (answer.status_code, content["resourceType"]) == (200, "Parameters"), content
    return [{name: part for name, part in row.items() if name != "extension"} for row in content["parameter"]]
