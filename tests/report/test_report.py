"""The order of a report, its formats, and the words of an explanation."""

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from engine.report import csv_text, deciding, json_text, ndjson_text, ordered
from engine.report.explain import explain_text
from engine.report.table import print_table
from engine.report.words import missing_text, reason_text, telling_part, value_text
from engine.trials import AtomResult, CriterionResult, Evidence, Missing, SetAside, Stamp, TrialResult, verdict_of
from engine.trials.results import Absence, Basis, NearMiss, Result
from engine.trials.trial import Kind

STAMP = Stamp("0", "sha256:1", "sha256:2", "sha256:3", "sha256:4", "2026-06-15T23:59:59.999+00:00")


def criterion(number: int, kind: Kind, result: Result, basis: Basis = "record", **more: Any) -> CriterionResult:
    letter = "I" if kind == "inclusion" else "E"
    return CriterionResult(f"T-{letter}{number}", kind, f"Sentence {number}", result, basis, **more)


def result(patient: str, *criteria: CriterionResult, incomplete: tuple[str, ...] = ()) -> TrialResult:
    absence = Absence(tuple(c.id for c in criteria if c.basis == "assumed-absent"), ())
    return TrialResult(
        "T", "NCT0", "A title", f"Patient/{patient}", "file.json", "2026-06-15", verdict_of(criteria), criteria,
        absence, incomplete, (), (SetAside("Observation/x", "it is about Patient/z, not the subject"),), (), STAMP,
    )  # fmt: skip


def screened() -> list[TrialResult]:
    met, unknown = criterion(1, "inclusion", "met"), criterion(2, "inclusion", "unknown", "no-data")
    failed, applies = criterion(3, "inclusion", "not-met"), criterion(1, "exclusion", "met")
    listed = criterion(2, "exclusion", "not-encoded", "no-data")
    return [
        result("twice-out", failed, applies), result("out", failed, unknown), result("two-open", unknown, listed),
        result("one-open", met, unknown), result("in", met), result("also-in", met),
    ]  # fmt: skip


def test_whom_to_call_stands_first() -> None:
    names = [r.patient.removeprefix("Patient/") for r in ordered(screened())]
    assert names == ["also-in", "in", "one-open", "two-open", "out", "twice-out"]


def test_what_decides() -> None:
    by_name = {r.patient.removeprefix("Patient/"): [c.id for c in deciding(r)] for r in screened()}
    assert by_name == {
        "twice-out": ["T-I3", "T-E1"], "out": ["T-I3"], "two-open": ["T-I2", "T-E2"], "one-open": ["T-I2"],
        "in": [], "also-in": [],
    }  # fmt: skip


def test_formats_hold_the_same_results() -> None:
    results = screened()
    whole = json.loads(json_text(results))
    assert [json.loads(line) for line in ndjson_text(results).splitlines()] == whole
    rows = list(csv.DictReader(io.StringIO(csv_text(results).decode())))
    assert [(r["patient"], r["verdict"]) for r in rows] == [(r["patient"], r["verdict"]) for r in whole]
    assert rows[0]["decides"] == "T-I3 T-E1"
    assert (rows[2]["unknown"], rows[2]["notEncoded"]) == ("1", "1")


def test_the_table_names_the_reasons_and_what_the_list_lacks() -> None:
    miss = NearMiss("98 10*9/L", "<", "100 10*9/L", "2 10*9/L", "I1")
    absent = criterion(1, "exclusion", "not-met", "assumed-absent")
    low = result("low", criterion(1, "inclusion", "not-met", near_miss=miss), absent, incomplete=("Some are missing.",))
    console = Console(record=True, width=160, file=io.StringIO())
    print_table([low], console)
    text = console.export_text()
    assert "I1 98 10*9/L < 100 10*9/L; on absence: E1" in text
    assert "T: Some are missing." in text


def test_a_death_is_told_where_somebody_might_call() -> None:
    died = "Patient/p is recorded as deceased (2026-01-02)"
    called, out = (replace(r, notes=(died,)) for r in (result("p", criterion(1, "inclusion", "met")), screened()[0]))
    console = Console(record=True, width=160, file=io.StringIO())
    print_table([called, called], console)
    assert console.export_text().count(died) == 1
    print_table([out], console)
    assert died not in console.export_text()
    assert f"Note: {died}" in explain_text(called)
    assert died.encode() in json_text([called])
    assert died.encode() in csv_text([called])


def element(resource: str, path: str, value: Any) -> Evidence:
    return Evidence(resource, path, value, "2023-09-18", "I1", "decided")


@pytest.mark.parametrize(
    ("evidence", "text"),
    (
        ([("Condition/c", "verificationStatus", "Confirmed"), ("Condition/c", "clinicalStatus", "Active"),
          ("Condition/c", "code", "Prostate cancer (C61)")], "Prostate cancer (C61), active, 2023-09-18"),
        ([("MedicationStatement/m", "status", "completed"),
          ("MedicationStatement/m", "medicationCodeableConcept", "Prednisone (8640)")],
         "Prednisone (8640), completed, 2023-09-18"),
        ([("Observation/o", "code", "Able to sign"), ("Observation/o", "valueBoolean", False)],
         "Able to sign: no on 2023-09-18"),
        ([("Observation/o", "code", "ECOG (89247-1)"), ("Observation/o", "valueInteger", 3)], "3 on 2023-09-18"),
        ([("Consent/c", "category", ["Consent Document (59284-0)"]), ("Consent/c", "status", "inactive")],
         "Consent Document (59284-0), inactive, 2023-09-18"),
        ([("Patient/p", "gender", "female")], "female, 2023-09-18"),
    ),
)  # fmt: skip
def test_a_reason_says_what_the_record_is_and_not_only_how_it_stands(
    evidence: list[tuple[str, str, Any]], text: str
) -> None:
    assert reason_text(criterion(1, "inclusion", "not-met", evidence=tuple(element(*e) for e in evidence))) == text


def test_the_part_that_rests_on_a_record_tells_more_than_absence() -> None:
    absent = AtomResult("T-I1a", "A leukaemia", "not-met", "assumed-absent")
    met = AtomResult("T-I1b", "A lymphoma", "met", "record")
    stage = AtomResult("T-I1c", "Stage", "not-met", "record")
    assert telling_part(criterion(1, "inclusion", "not-met", atoms=(absent, met, stage))) == stage
    assert telling_part(criterion(1, "inclusion", "not-met", atoms=(absent, met))) == absent
    assert telling_part(criterion(1, "inclusion", "not-met")).id == "T-I1"


def test_an_explanation_names_a_record_before_its_other_elements() -> None:
    shown = (
        element("Condition/c", "clinicalStatus", "Active"),
        element("Condition/c", "code", "Prostate cancer (C61)"),
    )
    text = explain_text(result("p", criterion(1, "inclusion", "met", evidence=shown)))
    assert re.search(r"- Condition/c( \(\S+\))?: Prostate cancer \(C61\); clinicalStatus Active\n", text)


def test_an_explanation_tells_a_series_in_the_order_of_its_days() -> None:
    days = {"c": "2025-11-10", "a": "2026-01-05", "b": None, "d": "2025-12-08"}
    shown = tuple(Evidence(f"Observation/{o}", "valueQuantity", 4, days[o], "I1", "decided") for o in days)
    text = explain_text(result("p", criterion(1, "inclusion", "met", evidence=shown)))
    assert re.findall(r"- Observation/(\w).*: valueQuantity", text) == ["b", "c", "d", "a"]


def test_an_explanation_says_everything_in_the_protocols_words() -> None:
    value = {"value": Decimal("98.10"), "unit": "10*9/L"}
    evidence = Evidence("Observation/a", "valueQuantity", value, "2026-06-10", "I1", "decided")
    looked_at = Evidence("Observation/b", "code", "Platelets", None, "I1", "considered")
    text = explain_text(result(
        "p",
        criterion(1, "inclusion", "not-met", evidence=(evidence, looked_at)),
        criterion(2, "inclusion", "unknown", "no-data", missing=(Missing("Observation", "ECOG", "http://e"),)),
        criterion(3, "inclusion", "error", "no-data", error="value set http://v is not loaded"),
        criterion(1, "exclusion", "not-met", "assumed-absent"),
        incomplete=("Some are missing.",),
    ))  # fmt: skip
    for part in (
        "Verdict: ineligible (rests on absence: T-E1)", "Note: Some are missing.", "Sentence 1",
        "Excluded by:\n    - T-I1: 98.10 10*9/L on 2026-06-10 (Sentence 1)",
        "Observation/a (2026-06-10): valueQuantity 98.10 10*9/L", "missing: Observation “ECOG”",
        "error: value set http://v is not loaded", "Observation/x: it is about Patient/z",
    ):  # fmt: skip
        assert part in text
    assert "Observation/b" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    (
        (True, "yes"), (False, "no"), (3, "3"), (Decimal("1.10"), "1.10"), ("final", "final"),
        ({"value": 5, "unit": "mg/dL", "comparator": "<"}, "< 5 mg/dL"), (["a", "b"], "a, b"),
        ({"start": "2026-01-01", "end": "2026-02-01"}, "start 2026-01-01, end 2026-02-01"),
    ),
)  # fmt: skip
def test_values_in_words(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_missing_elements_in_words() -> None:
    assert missing_text(Missing("Observation", element="value", resource="Observation/a")) == (
        "Observation/a has no usable value"
    )
