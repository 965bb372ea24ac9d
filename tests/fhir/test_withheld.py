"""Resources that must not decide: what asks for one is an error that names it, what does not is answered."""

import json
from typing import Any

import pytest

from engine.errors import EvaluationError, InputError
from engine.fhir import Bundle, PatientRecord, decode_bundle
from engine.language import Context
from engine.language.values import DateTime
from engine.trials.unmatched import unmatched
from engine.workspace import Workspace

Json = dict[str, Any]
PATIENT: Json = {"resourceType": "Patient", "id": "p"}
ABOUT: Json = {"subject": {"reference": "Patient/p"}}
LIKE_NOT = [{"url": "http://h/not-so", "valueBoolean": True}]
MODIFIED: Json = {"modifierExtension": LIKE_NOT}


def coded(name: str, identity: str, code: str, **members: Any) -> Json:
    concept = {"coding": [{"system": "s", "code": code}]}
    return {"resourceType": name, "id": identity, **ABOUT, "code": concept, **members}


def record(*resources: Json, scan: bool = True) -> PatientRecord:
    resource = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    if scan:
        return PatientRecord.from_bundle(Bundle(resource, source="test"))
    return PatientRecord.from_bundle(decode_bundle(json.dumps(resource).encode(), source="test"))


def value(expression: str, data: PatientRecord) -> Any:
    workspace = Workspace()
    text = (
        "library T using FHIR version '4.0.1' codesystem \"S\": 's' "
        f'code "A": \'a\' from "S" code "B": \'b\' from "S" context Patient define X: {expression}'
    )
    program = workspace.program(workspace.translate(text))
    context: Context = workspace.context(DateTime(2026, 1, 1, 0, 0, 0, 0, 0), record=data)
    return workspace.evaluate(program, context).define("X")


WITHHELD = (
    ({"modifierExtension": LIKE_NOT}, "Condition/c cannot be used: it carries the modifier extension http://h/not-so"),
    ({"stage": [{"modifierExtension": LIKE_NOT}]}, "modifier extension http://h/not-so"),
    ({"contained": [{"resourceType": "Observation", "id": "o", "modifierExtension": LIKE_NOT}]}, "modifier extension"),
    ({"implicitRules": "http://h/rules"}, "made under the rules http://h/rules"),
    ({"meta": {"tag": [{"code": "SUBSETTED"}]}}, "elements were left out of it"),
    ({"status": ["final"]}, "its status cannot be read"),
    ({"status": ""}, "its status cannot be read"),
    ({"doNotPerform": "true"}, "its doNotPerform cannot be read"),
    ({"clinicalStatus": "active"}, "its clinicalStatus cannot be read"),
    ({"verificationStatus": [{"text": "refuted"}]}, "its verificationStatus cannot be read"),
)


@pytest.mark.parametrize("scan", (True, False))
@pytest.mark.parametrize(("members", "sentence"), WITHHELD)
def test_what_asks_for_it_is_an_error(members: Json, sentence: str, scan: bool) -> None:
    data = record(PATIENT, coded("Condition", "c", "a", **members), coded("Condition", "d", "b"), scan=scan)
    for expression in (
        'exists [Condition: "A"]', "exists [Condition]", 'exists ([Condition: "A"] C where C.clinicalStatus is null)',
        'Count([Condition: "A"] union [Condition: "B"]) > 1',
    ):  # fmt: skip
        with pytest.raises(EvaluationError) as caught:
            value(expression, data)
        assert sentence in str(caught.value)
        assert caught.value.code == "unavailable"
    assert value('exists [Condition: "B"]', data) is True
    assert value("exists [Procedure]", data) is False


@pytest.mark.parametrize(
    "members",
    (
        {"modifierExtension": []},
        {"meta": {"tag": [{"code": "HTEST"}]}},
        {"extension": [{"url": "modifierExtension"}]},
        {"note": [{"text": "modifierExtension"}]},
        {"meta": {"tag": "SUBSETTED"}},
        {"verificationStatus": {"text": "refuted"}},
        {"status": None},
    ),
)
def test_what_modifies_nothing_withholds_nothing(members: Json) -> None:
    assert value('exists [Condition: "A"]', record(PATIENT, coded("Condition", "c", "a", **members))) is True


QUANTITIES = (
    ({"valueQuantity": {"value": 5, "comparator": "<"}}, None),
    ({"valueQuantity": {"value": 5, "comparator": "~"}}, "its valueQuantity.comparator cannot be read"),
    ({"valueQuantity": {"value": 5, "comparator": True}}, "its valueQuantity.comparator cannot be read"),
    ({"valueQuantity": {"value": 5, "comparator": ["<"]}}, "its valueQuantity.comparator cannot be read"),
    ({"component": [7, {"valueQuantity": {"comparator": "less"}}]}, "its component[1].valueQuantity.comparator cannot"),
    ({"valueQuantity": 5, "component": {}}, None),
)


@pytest.mark.parametrize(("members", "sentence"), QUANTITIES)
def test_a_comparator_that_cannot_be_read(members: Json, sentence: str | None) -> None:
    data = record(PATIENT, coded("Observation", "o", "a", **members))
    if sentence is None:
        assert value('exists [Observation: "A"]', data) is True
        return
    with pytest.raises(EvaluationError) as caught:
        value('exists [Observation: "A"]', data)
    assert sentence in str(caught.value)


def test_a_status_that_is_a_concept_is_no_modifier() -> None:
    data = record(PATIENT, {"resourceType": "SubstanceSpecification", "id": "s", "status": {"text": "current"}})
    assert len(list(data.resources("SubstanceSpecification"))) == 1


def test_a_modifier_written_with_escapes_is_found() -> None:
    entries = [{"resource": r} for r in (PATIENT, coded("Condition", "c", "a", **MODIFIED))]
    text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
    data = decode_bundle(text.replace("modifierExtension", "modifier\\u0045xtension").encode(), source="test")
    with pytest.raises(EvaluationError, match="modifier extension"):
        value("exists [Condition]", PatientRecord.from_bundle(data))


def test_everyone_and_other_people() -> None:
    other = {"resourceType": "Patient", "id": "q", **MODIFIED}
    linked = {"resourceType": "Patient", "id": "p"}
    theirs = coded("Condition", "c", "a", **MODIFIED) | {"subject": {"reference": "Patient/q"}}
    resource = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in (linked, other, theirs)],
    }
    data = PatientRecord.from_bundle(Bundle(resource, source="test"), "p")
    assert list(data.resources("Condition")) == []
    with pytest.raises(EvaluationError, match="Condition/c cannot be used"):
        list(data.all_resources("Condition"))
    with pytest.raises(EvaluationError, match="Patient/q cannot be used"):
        data.of("Patient/q")


def test_a_medication_that_must_not_be_used_tells_nothing_of_what_refers_to_it() -> None:
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"coding": [{"system": "s", "code": "a"}]},
        **MODIFIED,
    }
    request = {
        "resourceType": "MedicationRequest",
        "id": "r",
        **ABOUT,
        "medicationReference": {"reference": "Medication/m"},
    }
    data = record(PATIENT, medication, request)
    with pytest.raises(EvaluationError, match="Medication/m cannot be used"):
        value('exists [MedicationRequest: medication in {"A"}]', data)
    assert list(unmatched(data, lambda system, code: False)) == []  # type: ignore[arg-type]


def test_it_is_still_named_among_what_nobody_looked_at() -> None:
    data = record(PATIENT, coded("Condition", "c", "a", **MODIFIED))
    assert [u.resource for u in unmatched(data, lambda system, code: False)] == ["Condition/c"]  # type: ignore[arg-type]


@pytest.mark.parametrize("members", (MODIFIED, {"implicitRules": "http://h/rules"}))
def test_a_patient_that_must_not_be_used_has_no_record(members: Json) -> None:
    with pytest.raises(InputError, match="entry 1: is Patient/p, which cannot be used: it"):
        record(PATIENT | members)


def test_a_bundle_under_rules_is_refused() -> None:
    text = (
        b'{"resourceType": "Bundle", "implicitRules": "http://r", "entry": [{"resource": {"resourceType": "Patient"}}]}'
    )
    with pytest.raises(InputError, match="the Bundle was made under the rules http://r"):
        decode_bundle(text, source="test")
