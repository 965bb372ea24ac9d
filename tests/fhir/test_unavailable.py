"""Types that could not all be fetched: asking for them is an error of the define, never an empty answer."""

from typing import Any

import pytest

from engine.errors import EvaluationError
from engine.fhir import EVERY_TYPE, Bundle, PatientRecord
from engine.language import Context
from engine.language.values import DateTime
from engine.workspace import Workspace

PATIENT = {"resourceType": "Patient", "id": "p"}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}


def record(**unavailable: str) -> PatientRecord:
    members = [{"resource": PATIENT}, {"resource": CONDITION}]
    resource = {"resourceType": "Bundle", "type": "collection", "entry": members}
    return PatientRecord.from_bundle(Bundle(resource, source="test", unavailable=unavailable))


def value(expression: str, data: PatientRecord) -> Any:
    workspace = Workspace()
    text = f"library T using FHIR version '4.0.1' context Patient define X: {expression}"
    program = workspace.program(workspace.translate(text))
    context: Context = workspace.context(DateTime(2026, 1, 1, 0, 0, 0, 0, 0), record=data)
    return workspace.evaluate(program, context).define("X")


@pytest.mark.parametrize(
    ("unavailable", "expression"),
    (
        ({"Observation": "page 2 failed"}, "exists [Observation]"),
        ({"Observation": "page 2 failed"}, "exists [Observation: code in {'a'}]"),
        ({"Observation": "page 2 failed"}, "exists [Condition] and exists [Observation]"),
        ({"Condition": "the server refused it"}, "exists [Condition]"),
        ({EVERY_TYPE: "the export failed"}, "exists [Condition]"),
        ({EVERY_TYPE: "the export failed"}, "not exists [Procedure]"),
    ),
)
def test_what_depends_on_it_is_an_error_with_the_reason(unavailable: dict[str, str], expression: str) -> None:
    with pytest.raises(EvaluationError, match=next(iter(unavailable.values()))) as caught:
        value(expression, record(**unavailable))
    assert caught.value.code == "unavailable"


@pytest.mark.parametrize(
    ("unavailable", "expression", "expected"),
    (
        ({}, "exists [Observation]", False),
        ({"Observation": "page 2 failed"}, "exists [Condition]", True),
        ({EVERY_TYPE: "the export failed"}, "exists [Patient]", True),
    ),
)
def test_the_rest_is_answered(unavailable: dict[str, str], expression: str, expected: bool) -> None:
    assert value(expression, record(**unavailable)) is expected


def test_the_stamp_tells_a_complete_record_from_an_incomplete_one() -> None:
    hashes = {record().hash, record(Observation="a").hash, record(Observation="b").hash, record(Condition="a").hash}
    assert len(hashes) == 4


def test_the_sentence_names_the_type() -> None:
    with pytest.raises(EvaluationError, match="not all Observation records of the patient could be fetched"):
        record(Observation="x").resources("Observation")


@pytest.mark.parametrize("type_name", ("Resource", "DomainResource"))
def test_all_resources_are_not_to_be_had_where_one_type_is_not(type_name: str) -> None:
    with pytest.raises(EvaluationError):
        record(Observation="x").all_resources(type_name)
