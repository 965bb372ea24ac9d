"""Data requirements: a line of CQL and what it can retrieve."""

import pytest

from engine.language.elm.requirements import Canonical, DataRequirement, data_requirements
from engine.workspace import Workspace

HEAD = """library T
using FHIR version '4.0.1'
codesystem "LOINC": 'http://loinc.org'
valueset "Platelets": 'http://example.org/platelets'
valueset "Drugs": 'http://example.org/drugs' version '2'
code "Hb": '718-7' from "LOINC"
code "Plt": '777-3' from "LOINC"
concept "Both": { "Hb", "Plt" }
context Patient
define function Latest(codes System.ValueSet): Last([Observation: code in codes])
define function Among(codes List<System.Code>): [Observation: code in codes]
define function Through(codes System.ValueSet): Latest(codes)
define "Listed": { "Hb" }
"""
HB = ("http://loinc.org", "718-7")
PLT = ("http://loinc.org", "777-3")
PLATELETS = Canonical("http://example.org/platelets")
DRUGS = Canonical("http://example.org/drugs", "2")
CONDITION = DataRequirement("Condition")


def observation(**parts: object) -> DataRequirement:
    return DataRequirement("Observation", code_path="code", **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "expected"),
    (
        ("1 + 1", []),
        ("[Condition]", [CONDITION]),
        ("[Observation: \"Platelets\"]", [observation(value_sets=(PLATELETS,))]),
        ("[Observation: code ~ \"Hb\"]", [observation(codes=(HB,))]),
        ("[Observation: \"Both\"]", [observation(codes=(HB, PLT))]),
        ("[Observation: code in \"Listed\"]", [observation(codes=(HB,))]),
        ("[MedicationRequest: \"Drugs\"]", [DataRequirement("MedicationRequest", "patient", "medication", (DRUGS,))]),
        ("Latest(\"Platelets\")", [observation(value_sets=(PLATELETS,))]),
        ("Through(\"Platelets\")", [observation(value_sets=(PLATELETS,))]),
        (
            "{ Latest(\"Platelets\"), Latest(\"Drugs\") }",
            [observation(value_sets=(DRUGS,)), observation(value_sets=(PLATELETS,))],
        ),
        ("Among({ \"Plt\" })", [observation(codes=(PLT,))]),
        # Codes that only the patient's data tell: all of the type.
        ("Among([Condition] C return C.code.coding[0])", [CONDITION, DataRequirement("Observation")]),
        (
            "[RelatedPerson] R return [R -> Observation: \"Hb\"]",
            [DataRequirement("Observation", "related", "code", codes=(HB,)), DataRequirement("RelatedPerson")],
        ),
        ("[Condition] C with [Procedure] P such that true", [CONDITION, DataRequirement("Procedure")]),
        ("if true then [Condition] else [Condition]", [CONDITION]),
    ),
)  # fmt: skip
def test_a_define_and_what_it_can_retrieve(expression: str, expected: list[DataRequirement]) -> None:
    translation = Workspace().translate(f"{HEAD}define X: {expression}")
    assert not translation.errors, [d.render() for d in translation.errors]
    assert data_requirements(translation, ["X"]) == expected


def test_all_defines_count_when_none_is_named() -> None:
    translation = Workspace().translate(f"{HEAD}define X: [Condition]\ndefine Y: [Procedure]")
    assert [r.type for r in data_requirements(translation)] == ["Condition", "Procedure"]


def test_an_unfiltered_retrieve_says_so() -> None:
    text = "library T using FHIR version '4.0.1' context Unfiltered define X: [Organization]"
    assert data_requirements(Workspace().translate(text)) == [DataRequirement("Organization", "unfiltered")]


def test_a_define_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        data_requirements(Workspace().translate(HEAD), ["Nothing"])
