"""An uncertain number divided by a certain one is lifted over its range; an uncertain divisor has no rule."""

from __future__ import annotations

import json

import pytest

from engine.errors import EvaluationError
from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import DateTime
from engine.workspace import Workspace

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980"}
NOW = DateTime(2020, 6, 15, 0, 0, 0, 0, 0)


def value(expression: str) -> object:
    workspace = Workspace(cache=None)
    text = f"using FHIR version '4.0.1'\ncontext Patient\ndefine X: {expression}\n"
    record = PatientRecord.from_bundle(decode_bundle(json.dumps(PATIENT).encode(), source="test"))
    program = workspace.program(workspace.translate(text))
    return workspace.evaluate(program, workspace.context(NOW, record=record)).define("X")


@pytest.mark.parametrize(
    ("expression", "expected"),
    (
        ("AgeInMonths() / 12 >= 18", True),
        ("AgeInMonths() / 12 > 41", False),
        ("AgeInMonths() / 12 > 40", None),
        ("AgeInMonths() div 12 >= 39", True),
        ("AgeInMonths() div 12 > 40", False),
        ("AgeInMonths() div 12 = 40", None),
        ("AgeInMonths() / -12 < -39", True),
        ("AgeInMonths() / 0 > 1", None),
        ("AgeInMonths() div 0 > 1", None),
    ),
)
def test_a_certain_divisor(expression: str, expected: object) -> None:
    assert value(expression) is expected


@pytest.mark.parametrize("expression", ("480 / AgeInMonths()", "480 div AgeInMonths()", "AgeInMonths() mod 12"))
def test_an_uncertain_divisor_is_an_error(expression: str) -> None:
    with pytest.raises(EvaluationError, match="uncertain"):
        value(expression)
