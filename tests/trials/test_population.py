"""Real patients and mutated ones, every trial: no error, and nobody is decided by a record that must not count.

The patients are those of ``../shared/population``. POPULATION in the environment says how many of them are screened as
they are, and twice as many mutated; the default keeps an ordinary run short, 100 takes all.
"""

import copy
import os
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.fhir import PatientRecord
from engine.fhir.bundle import Bundle
from engine.fhir.decode import decode_json
from engine.language.values import Date
from engine.sources import own_content
from engine.trials import Screening, TrialResult, load_trials, moment_of, trial_ids

COUNT = int(os.environ.get("POPULATION", "6"))
VOID = ("entered-in-error", "not-done", "refuted", "cancelled")
"""States in which a record says nothing about the patient."""

Resource = dict[str, Any]


@cache
def screening() -> Screening:
    content = own_content()
    workspace = content.workspace()
    trials, diagnostics = load_trials(workspace, content.trials, sorted(trial_ids(content.trials).values()))
    assert len(trials) == 5, [d.render() for d in diagnostics]
    return Screening(workspace, trials, {}, moment_of({}, Date(2026, 6, 15), 0, "test"))


def files(shared: Path) -> list[Path]:
    found = sorted((shared / "population").glob("*.json"))
    return found[:: max(1, len(found) // COUNT)][:COUNT]


def resources_of(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = decode_json(path.read_bytes(), source=path.name)["entry"]
    return entries


def screened(entries: list[dict[str, Any]], patient: str) -> list[TrialResult]:
    bundle = Bundle({"resourceType": "Bundle", "type": "collection", "entry": entries}, source="population")
    return screening().screen(PatientRecord.from_bundle(bundle, patient))


def subject_of(entries: list[dict[str, Any]]) -> str:
    return str(next(e["resource"]["id"] for e in entries if e["resource"]["resourceType"] == "Patient"))


def check(results: list[TrialResult], must_not_count: dict[str, str]) -> None:
    """No criterion is in error, none is decided by one of these records (reference → why)."""
    for result in results:
        for criterion in result.criteria:
            for part in (criterion, *criterion.atoms):
                assert part.result != "error", (result.trial, part.id, part.error)
                decided = {e.resource for e in part.evidence if e.role == "decided"}
                wrong = {name: must_not_count[name] for name in sorted(decided & set(must_not_count))}
                settled = part.result in ("met", "not-met") and part.basis == "record"
                assert not (settled and wrong), (result.trial, part.id, part.result, wrong)


def void(resource: Resource) -> str | None:
    """The state for which a record does not count, None if it does."""
    codings = resource.get("verificationStatus", {}).get("coding", [])
    states = [resource.get("status"), *(c.get("code") for c in codings)]
    return next((s for s in states if s in VOID), None)


def test_real_patients_are_screened_without_error_and_nobody_is_eligible(shared: Path) -> None:
    for path in files(shared):
        entries = resources_of(path)
        results = screened(entries, subject_of(entries))
        named = {f"{r['resourceType']}/{r.get('id')}": state for e in entries if (state := void(r := e["resource"]))}
        check(results, named)
        assert {r.verdict for r in results} <= {"ineligible", "needs-review"}


@pytest.mark.parametrize("seed", (1, 2))
def test_mutated_real_patients_are_decided_only_by_what_counts(shared: Path, seed: int) -> None:
    paths = files(shared)
    for number, path in enumerate(paths):
        rng = random.Random(f"{seed} {path.name}")
        entries = resources_of(path)
        patient = subject_of(entries)
        mutated, must_not_count = spoiled(entries, rng)
        stranger = paths[number - 1]
        if stranger != path:
            added = [e for e in resources_of(stranger) if e["resource"]["resourceType"] != "Medication"]
            own = {_reference(e) for e in entries}
            added = [e for e in added if _reference(e) not in own]
            must_not_count |= {_reference(e): "another patient's" for e in added if _is_clinical(e["resource"])}
            mutated = mutated + added
        rng.shuffle(mutated)
        check(screened(mutated, patient), must_not_count)


CLINICAL = ("Observation", "Condition", "Procedure", "MedicationRequest", "Immunization", "AllergyIntolerance")


def _is_clinical(resource: Resource) -> bool:
    return resource["resourceType"] in CLINICAL


def _reference(entry: dict[str, Any]) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}"


def spoiled(entries: list[dict[str, Any]], rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A copy in which every fifth clinical record is entered in error, of nobody, or in a unit of another kind."""
    made, marked = [], {}
    for entry in entries:
        resource = entry["resource"]
        if _is_clinical(resource) and rng.random() < 0.2:
            resource, why = rng.choice((_in_error, _of_nobody, _in_another_kind_of_unit))(copy.deepcopy(resource))
            marked[_reference(entry)] = why
            entry = {**entry, "resource": resource}
        made.append(entry)
    return made, marked


def _in_error(resource: Resource) -> tuple[Resource, str]:
    if resource["resourceType"] in ("Condition", "AllergyIntolerance"):
        resource["verificationStatus"] = {"coding": [{"code": "entered-in-error"}]}
    else:
        resource["status"] = "entered-in-error"
    return resource, "entered in error"


def _of_nobody(resource: Resource) -> tuple[Resource, str]:
    for name in ("subject", "patient"):
        resource.pop(name, None)
    return resource, "of nobody"


def _in_another_kind_of_unit(resource: Resource) -> tuple[Resource, str]:
    quantity = resource.get("valueQuantity")
    if quantity is None:
        return _of_nobody(resource)
    resource["valueQuantity"] = {**quantity, "unit": "km", "system": "http://unitsofmeasure.org", "code": "km"}
    return resource, "in kilometres"
