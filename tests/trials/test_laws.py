"""What must not change a result, tried on the sample patients and every trial of the product."""

import gc
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.sources import own_content
from engine.trials import Screening, TrialResult, load_trials, moment_of

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = [
    p for folder in sorted((REPOSITORY / "fhir_fixtures").glob("*-*/")) for p in sorted(folder.glob("*.json"))[:4]
]
"""The first patients of each trial: enough for laws that hold for everybody."""


@cache
def screening(complete: bool = True) -> Screening:
    """All trials, on the day the samples were made for."""
    content = own_content()
    workspace = content.workspace()
    trials, _ = load_trials(workspace, content.trials)
    given = {"AssumeCompleteHistory": complete}
    return Screening(workspace, trials, given, moment_of(given, Date(2026, 6, 15), 0, "test"))


def results(entries: list[dict[str, Any]], complete: bool = True) -> list[TrialResult]:
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    patients = (e["resource"] for e in entries if e["resource"]["resourceType"] == "Patient")
    subject = next(p["id"] for p in patients if "link" not in p and not p["id"].startswith("other-"))
    return screening(complete).screen(PatientRecord.from_bundle(decode_bundle(data, source="test"), subject))


def answers(found: list[TrialResult]) -> dict[str, str]:
    return {c.id: c.result for r in found for c in r.criteria} | {
        a.id: a.result for r in found for c in r.criteria for a in c.atoms
    }


def entries_of(path: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["entry"]
    return content


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_order_of_entries_and_other_peoples_resources_change_nothing(path: Path) -> None:
    entries = entries_of(path)
    others = [json.loads(json.dumps(e).replace("Patient/", "Patient/other-")) for e in entries]
    for entry in others:
        entry["resource"]["id"] = f"other-{entry['resource']['id']}"
        entry["fullUrl"] = f"http://example.org/fhir/{entry['resource']['resourceType']}/{entry['resource']['id']}"
    shuffled = [*entries, *(o for o in others if o["resource"]["resourceType"] not in ("Patient", "Specimen"))]
    random.Random(path.stem).shuffle(shuffled)
    assert answers(results(shuffled)) == answers(results(entries))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("complete", (True, False))
def test_what_decided_a_criterion_is_enough_to_decide_it_again(path: Path, complete: bool) -> None:
    entries = entries_of(path)
    changed = {}
    kept: dict[frozenset[str], dict[str, str]] = {}
    for result in results(entries, complete):
        for criterion in result.criteria:
            if criterion.result in ("unknown", "error", "not-encoded"):
                continue
            decided = frozenset(e.resource for e in criterion.evidence if e.role == "decided")
            if decided not in kept:
                chosen = [e for e in entries if _reference(e) in decided or e["resource"]["resourceType"] == "Patient"]
                kept[decided] = answers(results(chosen, complete))
            if kept[decided][criterion.id] != criterion.result:
                changed[criterion.id] = (criterion.result, kept[decided][criterion.id], sorted(decided))
    assert changed == {}


def _reference(entry: dict[str, Any]) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_entered_in_error_is_as_if_it_were_not_there(path: Path) -> None:
    entries = entries_of(path)
    for position, entry in enumerate(entries):
        if entry["resource"]["id"].startswith(("ecog", "platelets", "psa-4", "survival")):
            before, after = entries[:position], entries[position + 1 :]
            marked = {"resource": {**entry["resource"], "status": "entered-in-error"}}
            assert answers(results([*before, marked, *after])) == answers(results([*before, *after]))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_without_the_assumption_taking_a_record_away_never_settles_what_was_open(path: Path) -> None:
    entries = entries_of(path)
    before = answers(results(entries, complete=False))
    for kind in ("Observation", "Condition", "Consent"):
        after = answers(results([e for e in entries if e["resource"]["resourceType"] != kind], complete=False))
        settled = {n: (before[n], after[n]) for n in before if before[n] == "unknown" and after[n] != "unknown"}
        assert settled == {}, kind


def test_a_record_is_freed_as_soon_as_it_is_screened() -> None:
    """What one patient brings refers to itself in no circle, so that a population needs the memory of one record."""
    results(entries_of(SAMPLES[0]))  # compiles what compiles late
    gc.collect()
    gc.disable()
    try:
        results(entries_of(SAMPLES[0]))
        assert gc.collect() == 0
    finally:
        gc.enable()
