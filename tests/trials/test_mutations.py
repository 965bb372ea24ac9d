"""Laws over mutated patients: every trial, from the samples and, where they are there, the scenarios' patients.

MUTATIONS in the environment says how many patients a trial is tried on; the default keeps an ordinary run short. Each
number is a patient of its own: the same number always gives the same patient.
"""

import copy
import json
import os
import random
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.sources import own_content
from engine.trials import CriterionResult, Screening, load_trials, moment_of, trial_ids

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = REPOSITORY.parent / "shared" / "trials" / "scenarios"
COUNT = int(os.environ.get("MUTATIONS", "24"))
TRIALS = sorted(trial_ids(own_content().trials).values())

DECODER, ENCODER = msgspec.json.Decoder(float_hook=Decimal), msgspec.json.Encoder(decimal_format="number")
Entries = list[dict[str, Any]]
Answers = dict[str, tuple[str, str]]
"""Id of a criterion or atom → result and basis."""

KEPT = frozenset({"resourceType", "id", "status", "abatementDateTime", "abatementPeriod", "subject", "patient", "link"})
"""Elements whose absence may settle a question (status, end dates), and those that say what a resource is."""

REWRITTEN = {
    "g/dL": ("g/L", 10), "mg/dL": ("mg/L", 10), "10*9/L": ("10*3/uL", 1), "ng/mL": ("ug/L", 1), "ng/dL": ("ng/L", 10),
}  # fmt: skip
"""UCUM equivalents: unit → the other unit, and the factor."""


@cache
def patients(trial: str) -> tuple[tuple[Entries, dict[str, Any]], ...]:
    """The patients to mutate, each with the parameters it is screened with: the trial's scenarios, then the samples."""
    found = []
    for path in sorted(SCENARIOS.glob(f"{trial}-S*.json")) if SCENARIOS.is_dir() else []:
        case = DECODER.decode(path.read_bytes())
        found.append((case["bundle"]["entry"], case["parameters"]))
    for path in sorted((REPOSITORY / "fhir_fixtures").rglob("*.json")):
        found.append((DECODER.decode(path.read_bytes())["entry"], {"ScreeningDate": "2026-06-15"}))
    return tuple(found)


@cache
def screening(trial: str, parameters: str) -> Screening:
    """The trial with parameters, made once."""
    workspace, trials = loaded(trial)
    given = DECODER.decode(parameters)
    return Screening(workspace, trials, given, moment_of(given, Date(2026, 6, 15), 0, "test"))


@cache
def loaded(trial: str) -> Any:
    content = own_content()
    workspace = content.workspace()
    trials, diagnostics = load_trials(workspace, content.trials, [trial])
    assert trials, [d.render() for d in diagnostics]
    return workspace, trials


def criteria(trial: str, entries: Entries, parameters: dict[str, Any]) -> tuple[CriterionResult, ...]:
    record = PatientRecord.from_bundle(decode_bundle(ENCODER.encode(_bundle(entries)), source="mutated"))
    (result,) = screening(trial, ENCODER.encode(parameters).decode()).screen(record)
    return result.criteria


def answers(trial: str, entries: Entries, parameters: dict[str, Any]) -> Answers:
    found = criteria(trial, entries, parameters)
    return {c.id: (c.result, c.basis) for c in found} | {a.id: (a.result, a.basis) for c in found for a in c.atoms}


def _bundle(entries: Entries) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def results(of: Answers) -> dict[str, str]:
    return {name: result for name, (result, _) in of.items()}


# ---------------------------------------------------------------- the laws


def removal_never_settles(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Without the assumption, no unknown becomes met or not met because something was taken away."""
    given = {**given, "AssumeCompleteHistory": False}
    before, after = answers(trial, entries, given), answers(trial, _without_some(entries, rng), given)
    assert {n: (before[n], after[n]) for n in before if before[n][0] == "unknown" != after[n][0]} == {}


def removal_is_named_as_absence(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """With the assumption, whatever becomes not met because resources were taken away rests on their absence."""
    given = {**given, "AssumeCompleteHistory": True}
    before, after = answers(trial, entries, given), answers(trial, _without_a_kind(entries, rng), given)
    changed = {n: (before[n], after[n]) for n in before if before[n][0] == "met" and after[n][0] == "not-met"}
    assert {n: c for n, c in changed.items() if c[1][1] != "assumed-absent"} == {}


def an_element_taken_away_never_settles(
    trial: str, entries: Entries, given: dict[str, Any], rng: random.Random
) -> None:
    """Without the assumption, no unknown is settled because an element is missing."""
    given = {**given, "AssumeCompleteHistory": False}
    mutated = copy.deepcopy(entries)
    resource = rng.choice(mutated)["resource"]
    names = sorted(set(resource) - KEPT)
    if names:
        del resource[rng.choice(names)]
    before, after = answers(trial, entries, given), answers(trial, mutated, given)
    assert {n: (before[n], after[n]) for n in before if before[n][0] == "unknown" != after[n][0]} == {}


def entered_in_error_is_removal(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """A resource marked as entered in error counts like one that is not there."""
    position = rng.choice([i for i, e in enumerate(entries) if _error_of(e["resource"]) is not None])
    marked = {
        **entries[position],
        "resource": {**entries[position]["resource"], **_error_of(entries[position]["resource"])},
    }
    before, after = entries[:position], entries[position + 1 :]
    left, right = answers(trial, [*before, marked, *after], given), answers(trial, [*before, *after], given)
    assert results(left) == results(right)


def another_unit_is_the_same(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """A value in an equivalent unit, with its limits, is the same value."""
    mutated = copy.deepcopy(entries)
    for entry in mutated:
        resource = entry["resource"]
        for quantity in _quantities(resource):
            unit, factor = REWRITTEN.get(quantity.get("code", ""), ("", 0))
            if factor:
                quantity |= {"value": quantity["value"] * factor, "unit": unit, "code": unit}
    assert answers(trial, mutated, given) == answers(trial, entries, given)


def order_and_names_mean_nothing(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Shuffled, and with every id renamed wherever it stands, the record says the same."""
    text = ENCODER.encode(entries).decode()
    for entry in entries:
        kind, identity = entry["resource"]["resourceType"], entry["resource"]["id"]
        text = text.replace(f'{kind}/{identity}"', f'{kind}/x{identity}y"')
        text = text.replace(
            f'"resourceType":"{kind}","id":"{identity}"', f'"resourceType":"{kind}","id":"x{identity}y"'
        )
    renamed = DECODER.decode(text)
    for entry in renamed:
        if not entry["resource"]["id"].startswith("x"):
            entry["resource"]["id"] = f"x{entry['resource']['id']}y"
    rng.shuffle(renamed)
    assert answers(trial, renamed, given) == answers(trial, entries, given)


def what_decided_is_enough(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Of the record, only what decided a criterion is needed to decide it again (persons are always kept)."""
    mutated = _without_some(entries, rng)
    settled = [c for c in criteria(trial, mutated, given) if c.result in ("met", "not-met")]
    if not settled:
        return
    criterion = rng.choice(settled)
    decided = {e.resource for e in criterion.evidence if e.role == "decided"}
    persons = ("Patient", "RelatedPerson")
    chosen = [e for e in mutated if _name(e) in decided or e["resource"]["resourceType"] in persons]
    again = answers(trial, chosen, given)[criterion.id][0]
    assert (criterion.id, again, sorted(decided)) == (criterion.id, criterion.result, sorted(decided))


LAWS: tuple[Callable[[str, Entries, dict[str, Any], random.Random], None], ...] = (
    removal_never_settles, removal_is_named_as_absence, an_element_taken_away_never_settles,
    entered_in_error_is_removal, another_unit_is_the_same, order_and_names_mean_nothing, what_decided_is_enough,
)  # fmt: skip


# ---------------------------------------------------------------- mutations


def _name(entry: dict[str, Any]) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


def _kind(resource: dict[str, Any]) -> tuple[str, str]:
    """What a retrieve would ask for: the type and the code."""
    return resource["resourceType"], json.dumps(resource.get("code"), default=str)


def _without_a_kind(entries: Entries, rng: random.Random) -> Entries:
    kinds = sorted(
        {_kind(e["resource"]) for e in entries if e["resource"]["resourceType"] not in ("Patient", "RelatedPerson")}
    )
    if not kinds:
        return entries
    chosen = rng.choice(kinds)
    return [e for e in entries if _kind(e["resource"]) != chosen]


def _without_some(entries: Entries, rng: random.Random) -> Entries:
    for _ in range(rng.randint(1, 3)):
        entries = _without_a_kind(entries, rng)
    return entries


def _error_of(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The elements that mark a resource as entered in error, None where FHIR has no such mark."""
    kind = resource["resourceType"]
    if kind in ("Condition", "AllergyIntolerance"):
        system = {"Condition": "condition-ver-status", "AllergyIntolerance": "allergyintolerance-verification"}[kind]
        coding = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": "entered-in-error"}
        return {"verificationStatus": {"coding": [coding]}}
    marked = ("Observation", "Procedure", "MedicationRequest", "MedicationStatement", "MedicationAdministration",
              "Consent", "DiagnosticReport")  # fmt: skip
    return {"status": "entered-in-error"} if kind in marked else None


def _quantities(value: Any) -> list[dict[str, Any]]:
    """Every object with a number and a UCUM code in it."""
    if isinstance(value, list):
        return [q for v in value for q in _quantities(v)]
    if not isinstance(value, dict):
        return []
    own = [value] if "value" in value and value.get("system") == "http://unitsofmeasure.org" else []
    return own + [q for v in value.values() for q in _quantities(v)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("trial", TRIALS)
def test_a_law_holds_for_every_mutated_patient(trial: str, law: Any) -> None:
    for number in range(max(1, COUNT // len(LAWS))):
        rng = random.Random(f"{law.__name__} {number}")
        entries, given = rng.choice(patients(trial))
        if number % 2:
            entries = _without_some(entries, rng)
        try:
            law(trial, entries, given, rng)
        except AssertionError as problem:
            raise AssertionError(f"patient {number}: {problem}") from problem
