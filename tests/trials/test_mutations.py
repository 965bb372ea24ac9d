"""Laws over mutated patients, every trial: the patients of its cases, of the samples and, where there, the scenarios.

MUTATIONS in the environment says how many patients a trial is tried on; the default keeps an ordinary run short. Each
number is a patient of its own: the same number always gives the same patient.
"""

import copy
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.fhir import PatientRecord
from engine.fhir.bundle import Bundle
from engine.fhir.decode import decode_json
from engine.language.values import Date
from engine.language.values.json import encode
from engine.sources import own_content
from engine.trials import CriterionResult, Screening, load_trials, moment_of, trial_ids
from engine.trials.cases import cases_folder, read_cases
from engine.trials.reach import reach

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = REPOSITORY.parent / "shared" / "trials" / "scenarios"
COUNT = int(os.environ.get("MUTATIONS", "24"))
TRIALS = sorted(trial_ids(own_content().trials).values())

Entries = list[dict[str, Any]]
Answers = dict[str, tuple[str, str]]
"""Id of a criterion or atom → result and basis."""

PERSONS = ("Patient", "RelatedPerson")
KEPT = frozenset({
    "resourceType", "id", "subject", "patient", "link", "reference", "specimen",
    "status", "verificationStatus", "comparator", "end", "abatementDateTime", "abatementPeriod", "abatementAge",
})  # fmt: skip
"""Elements whose absence may settle a question (status, comparator, abatement and end dates), and those that say which
record it is and whose, or of which specimen (blasts of the blood are none of the marrow)."""

KNOWN = frozenset({"PRISM-NK-E2", "PRISM-NK-E2a"})
"""What asks for a "known" disease: without any record it is not known, so that absence settles it (criteria.json)."""

EXCUSES = re.compile(r"\b(flush|lock)")
"""Words that say it is no treatment (a heparin flush keeps a line open): like a status, their absence settles it."""

WHOSE = frozenset({"resourceType", "id", "subject", "patient", "link", "reference", "specimen", "focus", "entity"})

IDENTITY = frozenset({
    "code", "coding", "system", "medicationCodeableConcept", "medicationReference", "category", "type",
})  # fmt: skip
"""Elements by which a retrieve finds a resource: without one it is another record, so all of a kind lose it at once."""

UNITS: dict[str, tuple[tuple[str, str], ...]] = {
    "g/dL": (("g/L", "10"), ("mg/mL", "10"), ("g/(100.mL)", "1")),
    "g/L": (("g/dL", "0.1"), ("mg/mL", "1")),
    "mg/dL": (("mg/L", "10"), ("g/L", "0.01"), ("ug/mL", "10")),
    "10*9/L": (("/uL", "1000"), ("10*3/uL", "1"), ("10*6/mL", "1"), ("/mm3", "1000"), ("/L", "1000000000")),
    "10*3/uL": (("10*9/L", "1"), ("/uL", "1000")),
    "/uL": (("10*9/L", "0.001"), ("10*3/uL", "0.001")),
    "ng/mL": (("ug/L", "1"), ("pg/mL", "1000"), ("ng/dL", "100")),
    "ng/dL": (("ng/L", "10"), ("ng/mL", "0.01"), ("ug/dL", "0.001")),
    "umol/L": (("mmol/L", "0.001"), ("nmol/mL", "1")),
    "nmol/L": (("pmol/mL", "1"), ("umol/L", "0.001")),
    "U/L": (("mU/mL", "1"), ("U/mL", "0.001"), ("kU/L", "0.001")),
    "[IU]/L": (("m[IU]/mL", "1"), ("[IU]/mL", "0.001")),
    "[IU]/mL": (("[IU]/L", "1000"), ("k[IU]/L", "1")),
    "{copies}/mL": (("{copies}/L", "1000"),),
    "%": (("1", "0.01"),),
    "cm": (("mm", "10"), ("m", "0.01")),
    "mm": (("cm", "0.1"), ("um", "1000")),
    "mg": (("g", "0.001"), ("ug", "1000")),
    "ug": (("mg", "0.001"),),
    "s": (("ms", "1000"),),
}
"""UCUM equivalents: unit → other units, each with the exact factor."""


# ---------------------------------------------------------------- patients


@cache
def patients(trial: str) -> tuple[tuple[Entries, dict[str, Any]], ...]:
    """The patients to mutate, each with its parameters: of the scenarios, of the trial's cases, of the samples."""
    found: list[tuple[Entries, dict[str, Any]]] = []
    for path in sorted(SCENARIOS.glob(f"{trial}-S*.json")) if SCENARIOS.is_dir() else []:
        case = decode_json(path.read_bytes(), source=path.name)
        found += [(case["bundle"]["entry"], case["parameters"])] * 4
    _, (loaded_trial,) = loaded(trial)
    found += [(list(case.bundle["entry"]), dict(case.parameters)) for case in read_cases(loaded_trial).cases]
    folder = cases_folder(loaded_trial)
    if (folder / "patient.json").exists():
        given = decode_json((folder / "parameters.json").read_bytes(), source="parameters.json")
        found += [(decode_json((folder / "patient.json").read_bytes(), source="patient.json")["entry"], given)] * 4
    for path in sorted((REPOSITORY / "fhir_fixtures").glob("*/*.json")):
        if path.parent.name == trial.lower():
            found.append((decode_json(path.read_bytes(), source=path.name)["entry"], {"ScreeningDate": "2026-06-15"}))
    return tuple(found)


@cache
def loaded(trial: str) -> Any:
    content = own_content()
    workspace = content.workspace()
    trials, diagnostics = load_trials(workspace, content.trials, [trial])
    assert trials, [d.render() for d in diagnostics]
    return workspace, trials


@cache
def screening(trial: str, parameters: bytes) -> Screening:
    """The trial with parameters, made once."""
    workspace, trials = loaded(trial)
    given = decode_json(parameters, source="parameters")
    return Screening(workspace, trials, given, moment_of(given, Date(2026, 6, 15), 0, "test"))


@cache
def retrieves(trial: str) -> tuple[Any, ...]:
    """The value sets that the trial reaches: what its retrieves ask for."""
    workspace, (loaded_trial,) = loaded(trial)
    below = reach(loaded_trial.program, [c.define for c in loaded_trial.criteria if c.define is not None])
    return tuple(workspace.terms.value_set(d.id, d.version) for d in below.value_sets.values())


def criteria(trial: str, entries: Entries, parameters: dict[str, Any]) -> tuple[CriterionResult, ...]:
    bundle = Bundle({"resourceType": "Bundle", "type": "collection", "entry": entries}, source="mutated")
    resources = [e["resource"] for e in entries]
    subject = next(r["id"] for r in resources if r["resourceType"] == "Patient" and not _somebody_else(r))
    (result,) = screening(trial, encode(parameters)).screen(PatientRecord.from_bundle(bundle, subject))
    return result.criteria


def _somebody_else(patient: dict[str, Any]) -> bool:
    """A Patient who is there as somebody's relation or as another's record."""
    return "link" in patient or patient["id"].startswith("other-")


def answers(trial: str, entries: Entries, parameters: dict[str, Any]) -> Answers:
    found = criteria(trial, entries, parameters)
    return {c.id: (c.result, c.basis) for c in found} | {a.id: (a.result, a.basis) for c in found for a in c.atoms}


# ---------------------------------------------------------------- the laws


def removal_never_settles(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Without the assumption, no unknown becomes met or not met because what a retrieve finds was taken away."""
    _never_settles(trial, entries, _without_some(trial, entries, rng), given)


def an_element_taken_away_never_settles(
    trial: str, entries: Entries, given: dict[str, Any], rng: random.Random
) -> None:
    """Without the assumption, no unknown is settled because an element is missing."""
    mutated, _ = _without_an_element(entries, rng)
    _never_settles(trial, entries, mutated, given)


def an_element_that_cannot_be_read_never_settles(
    trial: str, entries: Entries, given: dict[str, Any], rng: random.Random
) -> None:
    """Without the assumption, no unknown is settled because an element is of another type than it has to be."""
    mutated = copy.deepcopy(entries)
    resource = rng.choice([e["resource"] for e in mutated if e["resource"]["resourceType"] not in PERSONS])
    # A code that cannot be read makes it a record that no retrieve finds, like one taken away.
    paths = [p for p in _paths(resource) if p[0] != "code" and not WHOSE & {str(step) for step in p}]
    outer = rng.choice(sorted({str(p[0]) for p in paths}))
    path = rng.choice([p for p in paths if p[0] == outer])
    holder: Any = resource
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = rng.choice(_unreadable_in_place_of(holder[path[-1]]))
    given = {**given, "AssumeCompleteHistory": False}
    before, after = answers(trial, entries, given), answers(trial, mutated, given)
    settled = [n for n in before if before[n][0] == "unknown" and after[n][0] in ("met", "not-met")]
    assert {n: (before[n], after[n]) for n in settled} == {}


def _unreadable_in_place_of(value: Any) -> list[Any]:
    """JSON of other types than the value's."""
    others: dict[type, list[Any]] = {str: [7, True, "", {"a": "x"}, [value]], bool: ["true", 1, [True]],
                                     dict: ["x", 5, [value], []], list: ["x", 5, {"a": "x"}]}  # fmt: skip
    return others.get(type(value), [str(value), [value], {"value": value}])


def _never_settles(trial: str, entries: Entries, mutated: Entries, given: dict[str, Any]) -> None:
    given = {**given, "AssumeCompleteHistory": False}
    before, after = answers(trial, entries, given), answers(trial, mutated, given)
    settled = {n: (before[n], after[n]) for n in before if before[n][0] == "unknown" != after[n][0]}
    settled = {n: both for n, both in settled.items() if not (n in KNOWN and both[1][0] == "not-met")}
    if settled:
        for name in _contradicted(trial, entries, mutated, given, set(settled)):
            del settled[name]
    assert settled == {}


def _contradicted(
    trial: str, entries: Entries, mutated: Entries, given: dict[str, Any], names: set[str]
) -> set[str]:
    """Those of the names that two records contradict each other about, and the criteria such an atom belongs to.

    A pregnancy on record beside a negative test is open until one of the two is gone; then the other decides. It is a
    contradiction if, without what decides now, what was taken away decides otherwise.
    """
    found: set[str] = set()
    for criterion in criteria(trial, mutated, given):
        for part in (*criterion.atoms, criterion):
            if part.id not in names:
                continue
            decided = {e.resource for e in part.evidence if e.role == "decided"}
            rest = [e for e in entries if _name(e) not in decided or e["resource"]["resourceType"] in PERSONS]
            otherwise = {"met": "not-met", "not-met": "met"}.get(part.result)
            if answers(trial, rest, given)[part.id][0] == otherwise or found & {atom.id for atom in criterion.atoms}:
                found.add(part.id)
    return found


def removal_is_named_as_absence(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """With the assumption, whatever becomes not met because records were taken away rests on their absence."""
    _named_as_absence(trial, entries, _without_some(trial, entries, rng), given)


def an_element_taken_away_is_named_as_absence(
    trial: str, entries: Entries, given: dict[str, Any], rng: random.Random
) -> None:
    """With the assumption, whatever becomes not met because an element is missing rests on absence."""
    mutated, _ = _without_an_element(entries, rng)
    _named_as_absence(trial, entries, mutated, given)


def _named_as_absence(trial: str, entries: Entries, mutated: Entries, given: dict[str, Any]) -> None:
    given = {**given, "AssumeCompleteHistory": True}
    before, after = answers(trial, entries, given), answers(trial, mutated, given)
    changed = {n: (before[n], after[n]) for n in before if before[n][0] != "not-met" == after[n][0]}
    assert {n: c for n, c in changed.items() if c[1][1] != "assumed-absent"} == {}


def entered_in_error_is_removal(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """A resource marked as entered in error counts like one that is not there."""
    markable = [i for i, e in enumerate(entries) if _error_of(e["resource"]) is not None]
    chosen = set(rng.sample(markable, min(len(markable), rng.choice((1, 1, 1, 2, 5)))))
    marked = [
        {**e, "resource": {**e["resource"], **(_error_of(e["resource"]) or {})}} if i in chosen else e
        for i, e in enumerate(entries)
    ]
    removed = [e for i, e in enumerate(entries) if i not in chosen]
    left, right = answers(trial, marked, given), answers(trial, removed, given)
    assert {n: (left[n], right[n]) for n in left if left[n][0] != right[n][0]} == {}


def another_unit_is_the_same(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """A value in an equivalent unit is the same value; so is each limit of its reference range."""
    mutated = copy.deepcopy(entries)
    for quantity in _quantities(mutated):
        alternatives = UNITS.get(quantity.get("code", ""))
        readable = isinstance(quantity.get("value"), int | Decimal)
        if alternatives and readable and rng.random() < 0.8:
            unit, factor = rng.choice(alternatives)
            quantity |= {"value": quantity["value"] * Decimal(factor), "unit": unit, "code": unit}
    assert answers(trial, mutated, given) == answers(trial, entries, given)


def order_and_names_mean_nothing(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Shuffled, and with every id renamed wherever it stands, the record says the same."""
    renamed = _renamed(entries, "x")
    rng.shuffle(renamed)
    assert answers(trial, renamed, given) == answers(trial, entries, given)


def other_people_mean_nothing(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """The records of somebody else in the same bundle change nothing."""
    other, _ = rng.choice(patients(trial))
    mixed = [*entries, *_renamed(other, "other-")]
    rng.shuffle(mixed)
    assert answers(trial, mixed, given) == answers(trial, entries, given)


def what_decided_is_enough(trial: str, entries: Entries, given: dict[str, Any], rng: random.Random) -> None:
    """Of the record, only what decided a criterion or atom is needed to decide it again (persons are always kept)."""
    settled = [
        part
        for criterion in criteria(trial, entries, given)
        for part in (criterion, *criterion.atoms)
        if part.result in ("met", "not-met")
    ]
    for part in rng.sample(settled, min(3, len(settled))):
        decided = sorted({e.resource for e in part.evidence if e.role == "decided"})
        chosen = [e for e in entries if _name(e) in decided or e["resource"]["resourceType"] in PERSONS]
        again = answers(trial, chosen, given)[part.id][0]
        assert (part.id, again, decided) == (part.id, part.result, decided)


LAWS: tuple[Callable[[str, Entries, dict[str, Any], random.Random], None], ...] = (
    removal_never_settles, an_element_taken_away_never_settles, an_element_that_cannot_be_read_never_settles,
    removal_is_named_as_absence,
    an_element_taken_away_is_named_as_absence, entered_in_error_is_removal, another_unit_is_the_same,
    order_and_names_mean_nothing, other_people_mean_nothing, what_decided_is_enough,
)  # fmt: skip


# ---------------------------------------------------------------- mutations


def _name(entry: dict[str, Any]) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


def _kind(resource: dict[str, Any]) -> tuple[str, str]:
    """Resources that no retrieve tells apart: the type and the code."""
    code = resource.get("code", resource.get("medicationCodeableConcept"))
    return resource["resourceType"], json.dumps(code, default=str)


def _without_some(trial: str, entries: Entries, rng: random.Random) -> Entries:
    for _ in range(rng.randint(1, 3)):
        entries = _without_a_retrieve(trial, entries, rng)
    return entries


def _without_a_retrieve(trial: str, entries: Entries, rng: random.Random) -> Entries:
    """Without all resources of a type, of one code, or of a value set of the trial."""
    resources = [e["resource"] for e in entries if e["resource"]["resourceType"] not in PERSONS]
    if not resources:
        return entries
    chosen, how = rng.choice(resources), rng.random()
    if how < 0.15:
        return [e for e in entries if e["resource"]["resourceType"] != chosen["resourceType"]]
    asked = [v for v in retrieves(trial) if _holds(v, chosen)] if how < 0.6 else []
    if not asked:
        return [e for e in entries if _kind(e["resource"]) != _kind(chosen)]
    value_set = rng.choice(asked)
    return [
        e
        for e in entries
        if e["resource"]["resourceType"] != chosen["resourceType"] or not _holds(value_set, e["resource"])
    ]


def _holds(value_set: Any, resource: dict[str, Any]) -> bool:
    """Whether some coding of the resource's code is in the value set."""
    code = resource.get("code", resource.get("medicationCodeableConcept")) or {}
    return any(value_set.contains(c.get("code"), c.get("system")) for c in code.get("coding", []))


def _without_an_element(entries: Entries, rng: random.Random) -> tuple[Entries, tuple[str, ...]]:
    """Without one element, at any depth, of a resource or of all its kind."""
    mutated = copy.deepcopy(entries)
    resource = rng.choice(mutated)["resource"]
    paths = [
        p for p in _paths(resource)
        if not KEPT & {str(step) for step in p} and not EXCUSES.search(json.dumps(_at(resource, p), default=str))
    ]  # fmt: skip
    if not paths:
        return mutated, ()
    # Chosen by the outer element first: a reference range has many parts, a date has one.
    outer = rng.choice(sorted({str(p[0]) for p in paths}))
    path = rng.choice([p for p in paths if p[0] == outer])
    whole_kind = bool(IDENTITY & {str(step) for step in path}) and "valueCodeableConcept" not in path
    for entry in mutated:
        other = entry["resource"]
        if other is resource or ((whole_kind or rng.random() < 0.5) and _kind(other) == _kind(resource)):
            _delete(other, path)
    return mutated, tuple(map(str, path))


def _paths(value: Any, outer: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        if isinstance(name, str):
            yield (*outer, name)
        yield from _paths(inner, (*outer, name))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _delete(value: Any, path: tuple[str | int, ...]) -> None:
    """Deletes the element, and what would be left empty around it."""
    holders = [value]
    for step in path[:-1]:
        inside = holders[-1]
        holds = step in inside if isinstance(inside, dict) else isinstance(step, int) and step < len(inside)
        if not holds:
            return
        holders.append(inside[step])
    for holder, step in zip(reversed(holders), reversed(path), strict=True):
        if isinstance(holder, dict):
            holder.pop(step, None)
        elif isinstance(step, int) and step < len(holder):
            del holder[step]
        if holder:
            return


def _renamed(entries: Entries, prefix: str) -> Entries:
    """The entries with every id renamed wherever it stands."""
    names = {_name(e): f"{e['resource']['resourceType']}/{prefix}{e['resource']['id']}" for e in entries}

    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rename(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [rename(inner) for inner in value]
        if isinstance(value, str) and "/" in value:
            known = next((n for n in ("/".join(value.rsplit("/", 2)[-2:]),) if n in names), None)
            return value.removesuffix(known) + names[known] if known else value
        return value

    made: Entries = rename(entries)
    for entry in made:
        entry["resource"]["id"] = prefix + entry["resource"]["id"]
    return made


def _error_of(resource: dict[str, Any]) -> dict[str, Any] | None:
    """The elements that mark a resource as entered in error, None where FHIR has no such mark."""
    kind = resource["resourceType"]
    if kind in ("Condition", "AllergyIntolerance"):
        system = {"Condition": "condition-ver-status", "AllergyIntolerance": "allergyintolerance-verification"}[kind]
        coding = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": "entered-in-error"}
        return {"verificationStatus": {"coding": [coding]}}
    marked = ("Observation", "Procedure", "MedicationRequest", "MedicationStatement", "MedicationAdministration",
              "MedicationDispense", "Consent", "DiagnosticReport", "QuestionnaireResponse", "Immunization",
              "Encounter")  # fmt: skip
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
    for number in range(-(-COUNT // len(LAWS))):
        try:
            try_out(trial, law, number)
        except AssertionError as problem:
            raise AssertionError(f"patient {number}: {problem}") from problem


def try_out(trial: str, law: Any, number: int) -> None:
    """One law on the patient of that number; every second one has lost some of its records before."""
    rng = random.Random(f"{law.__name__} {number}")
    entries, given = rng.choice(patients(trial))
    if number % 2:
        entries = _without_some(trial, entries, rng)
    law(trial, entries, given, rng)
