"""Warnings where plain CQL hides what is missing: a line of CQL and the codes it gives."""

import pytest

from engine.trials.lint import lint
from engine.workspace import Workspace

HEAD = """/*
@trial: T
*/
library T version '1.0.0'
using FHIR version '4.0.1'
valueset "V": 'http://example.org/fhir/ValueSet/v'
context Patient
define "Use": [Condition: "V"]
"""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace()


def codes(workspace: Workspace, text: str) -> list[str]:
    translation = workspace.translate(text, "t.cql")
    assert not translation.errors, [d.render() for d in translation.errors]
    assert translation.library is not None
    return [d.code for d in lint(translation.library, text, "t.cql")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    (
        ("exists [Condition]", []),
        ("exists ([Condition] C where C.code is not null)", []),
        ("exists ([Condition] C where C.code ~ null)", []),
        ("exists ([Condition] C where true)", []),
        ("exists ([Condition] C where C.clinicalStatus is not null and exists C.note)", []),
        ("exists ([Observation] O where O.status.value = 'final')", ["exists-hides-unknown"]),
        ("exists ([Observation] O where Coalesce(O.status.value = 'final', false))", []),
        ("[Observation] O where O.issued.value < Now()", ["comparison-in-where"]),
        ("[Observation] O where O.issued is null", []),
        ("[Observation] O where 1 < 2", []),
        ("[Observation] O return O.issued.value < Now()", []),
        ("First([Condition]).code in \"V\"", ["null-in-value-set"]),
        ("(First([Observation]).value as FHIR.CodeableConcept) in \"V\"", ["null-in-value-set"]),
    ),
)  # fmt: skip
def test_a_clause_and_its_warnings(expression: str, expected: list[str], workspace: Workspace) -> None:
    assert codes(workspace, f'{HEAD}define "X": {expression}') == expected


def test_a_warning_is_answered_by_its_code_and_no_other(workspace: Workspace) -> None:
    line = "define \"X\": exists ([Observation] O where O.status.value = 'final')"
    assert codes(workspace, f"{HEAD}/* @answered: exists-hides-unknown, status is required */\n{line}") == []
    assert codes(workspace, f"{HEAD}/* @answered: null-in-value-set, no */\n{line}") == ["exists-hides-unknown"]


@pytest.mark.parametrize(
    ("define", "expected"),
    (
        ("define \"Days\": Interval[@2026-01-01, @2026-02-01]", []),
        ("define \"Days\": @2026-01-01", ["window-without-days"]),
        ("define \"Other days\": Interval[@2026-01-01, @2026-02-01]", ["window-without-days"]),
    ),
)
def test_a_window_is_a_define_with_an_interval_of_days(define: str, expected: list[str], workspace: Workspace) -> None:
    tagged = "/* @window: Days */\ndefine function lately(found List<FHIR.Observation>): found"
    library = "library L version '1'\nusing FHIR version '4.0.1'\n"
    assert codes(workspace, f"{library}{define}\n{tagged}") == expected


def test_a_value_set_that_is_never_used_is_told(workspace: Workspace) -> None:
    text = HEAD.replace("context Patient", "valueset \"W\": 'http://example.org/w'\ncontext Patient")
    assert codes(workspace, text) == ["unused-value-set"]


def test_only_trials_are_warned(workspace: Workspace) -> None:
    text = HEAD.replace("@trial: T", "") + "define \"X\": exists ([Observation] O where O.status.value = 'final')"
    assert codes(workspace, text) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    (
        ("@setasied: stale", ["unknown-tag"]),
        ("@notencodd: T-E1 | exclusion | x", ["unknown-tag"]),
        ("@Inclusion", ["unknown-tag"]),
        ("@basis: assumed-abesnt", ["unknown-basis"]),
        ("@basis: assumed-absent", []),
        ("@setaside: stale", []),
        ("@author: somebody", []),
        ("*//* @bassis: assumed-absent */ /*", ["unknown-tag"]),
        ("@url: http://example.org", []),
    ),
)
def test_a_tag_that_does_nothing_is_told(workspace: Workspace, tags: str, expected: list[str]) -> None:
    text = f"library S version '1'\n/*\n{tags}\n*/\ndefine fluent function f(x Integer): x"
    assert codes(workspace, text) == expected
