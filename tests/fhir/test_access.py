"""Accessors: primitives, choices, lists, contained resources, and data that does not fit."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.fhir import Element, FhirModel, path_of
from engine.language.values import Date, DateTime, Time

# JSON members of an Observation, a path into it, the CQL value.
VALUES = (
    ('"valueBoolean": true', "value.value", True),
    ('"valueBoolean": false', "value.value", False),
    ('"valueInteger": -7', "value.value", -7),
    ('"valueString": "positive"', "value.value", "positive"),
    ('"valueTime": "07:30:00"', "value.value", Time(7, 30, 0)),
    ('"valueTime": "07:30:00.25"', "value.value", Time(7, 30, 0, 250)),
    ('"valueDateTime": "2020"', "value.value", DateTime(2020)),
    ('"valueDateTime": "2020-02"', "value.value", DateTime(2020, 2)),
    ('"valueDateTime": "2020-02-29"', "value.value", DateTime(2020, 2, 29)),
    ('"valueDateTime": "2020-02-29T23:59:59Z"', "value.value", DateTime(2020, 2, 29, 23, 59, 59, None, 0)),
    ('"valueDateTime": "2020-02-29T23:59:59"', "value.value", DateTime(2020, 2, 29, 23, 59, 59)),
    ('"valueDateTime": "2020-02-29T23:59:59.5-05:30"', "value.value", DateTime(2020, 2, 29, 23, 59, 59, 500, -330)),
    # CQL keeps milliseconds; what is finer is cut off, never rounded up into another second.
    ('"issued": "2020-02-29T23:59:59.999999+01:00"', "issued.value", DateTime(2020, 2, 29, 23, 59, 59, 999, 60)),
    ('"valueQuantity": {"value": 1.10, "unit": "mg"}', "value.value.value", Decimal("1.10")),
    ('"valueQuantity": {"value": 3}', "value.value.value", Decimal(3)),
    ('"valueQuantity": {"value": 1.5e2}', "value.value.value", Decimal(150)),
    ('"valueQuantity": {"value": 0.1}', "value.value.value", Decimal("0.1")),
    ('"valueQuantity": {"comparator": "<"}', "value.comparator.value", "<"),
    ('"status": "final"', "status.value", "final"),
    ('"code": {"coding": [{"system": "http://l", "code": "1-8"}]}', "code.coding.0.system.value", "http://l"),
    ('"effectivePeriod": {"start": "2020-01"}', "effective.start.value", DateTime(2020, 1)),
    ('"effectiveInstant": "2020-01-01T00:00:00Z"', "effective.value", DateTime(2020, 1, 1, 0, 0, 0, None, 0)),
    ('"component": [{}, {"valueRatio": {"numerator": {"unit": "1"}}}]', "component.1.value.numerator.unit.value", "1"),
    ('"component": [{"referenceRange": [{"text": "a"}]}]', "component.0.referenceRange.0.text.value", "a"),
    ('"valueSampledData": {"dimensions": 2}', "value.dimensions.value", 2),
    ('"valueCodeableConcept": {"id": "a1"}', "value.id", "a1"),
    ('"meta": {"versionId": "2", "lastUpdated": "2020-01-01T00:00:00Z"}', "meta.versionId.value", "2"),
    ('"text": {"div": "<div>x</div>"}', "text.div.value", "<div>x</div>"),
    ('"status": "final"', "id.value", "x"),
    ('"status": "final"', "subject.reference.value", "Patient/p"),
    ('"status": "final"', "value", None),
    ('"status": "final"', "component", None),
    ('"valueQuantity": null', "value", None),
    # Extensions, of elements and of primitives.
    ('"extension": [{"url": "http://u", "valueAge": {"value": 3}}]', "extension.0.value.value.value", Decimal(3)),
    ('"_status": {"id": "s", "extension": [{"url": "http://u", "valueCode": "unknown"}]}', "status.value", None),
    ('"_status": {"id": "s", "extension": [{"url": "http://u", "valueCode": "unknown"}]}', "status.id", "s"),
    ('"_status": {"extension": [{"url": "u", "valueCode": "unknown"}]}', "status.extension.0.value.value", "unknown"),
    ('"_valueDateTime": {"extension": [{"url": "http://u"}]}', "value.value", None),
    ('"_valueDateTime": {"extension": [{"url": "http://u"}]}', "value.extension.0.url.value", "http://u"),
    ('"status": "final"', "status.extension", None),
)  # fmt: skip


@pytest.mark.parametrize(("members", "path", "expected"), VALUES)
def test_value(records: Any, read: Callable[..., Any], members: str, path: str, expected: Any) -> None:
    made, observation = records.one(members)
    value = read(observation, path)
    assert value == expected
    assert type(value) is type(expected)
    assert made.problems == []


def test_decimals_keep_their_digits(records: Any, read: Callable[..., Any]) -> None:
    _, observation = records.one('"valueQuantity": {"value": 1.10}')
    assert str(read(observation, "value.value.value")) == "1.10"


# JSON members, a path that comes out null, the place and a part of the sentence recorded.
MALFORMED = (
    ('"valueDateTime": "2020-13-45"', "value.value", "valueDateTime", "'2020-13-45' is not a dateTime of the calendar"),
    ('"valueDateTime": "2019-02-29"', "value.value", "valueDateTime", "calendar"),
    ('"valueDateTime": "2020-01-01T10:00Z"', "value.value", "valueDateTime", "hh:mm:ss"),
    ('"valueDateTime": "2020-01-01T10:00:00+19:00"', "value.value", "valueDateTime", "offset +19:00"),
    ('"valueDateTime": "01/02/2020"', "value.value", "valueDateTime", "YYYY"),
    ('"valueDateTime": "٢٠٢٠"', "value.value", "valueDateTime", "YYYY"),
    ('"valueDateTime": 2020', "value.value", "valueDateTime", "2020"),
    ('"issued": "2020-01-01"', "issued.value", "issued", "an instant"),
    ('"valueTime": "24:00:00"', "value.value", "valueTime", "time of the day"),
    ('"valueTime": "7:30"', "value.value", "valueTime", "hh:mm:ss"),
    ('"valueBoolean": "true"', "value.value", "valueBoolean", "'true' is not a boolean"),
    ('"valueBoolean": 1', "value.value", "valueBoolean", "1 is not a boolean"),
    ('"valueInteger": 1.5', "value.value", "valueInteger", "integer"),
    ('"valueInteger": 2147483648', "value.value", "valueInteger", "integer"),
    ('"valueInteger": true', "value.value", "valueInteger", "integer"),
    ('"valueString": 5', "value.value", "valueString", "5 is not a text"),
    ('"valueString": ""', "value.value", "valueString", "at least one character"),
    ('"valueQuantity": {"value": "98"}', "value.value.value", "valueQuantity.value", "'98' is not a decimal number"),
    ('"valueQuantity": {"value": 1e1000000}', "value.value.value", "valueQuantity.value", "larger exponent"),
    ('"valueQuantity": {"value": true}', "value.value.value", "valueQuantity.value", "decimal"),
    ('"valueQuantity": "98 mg"', "value", "valueQuantity", "is a text, not an object of type Quantity"),
    ('"valueQuantity": [{"value": 1}]', "value", "valueQuantity", "is a list"),
    ('"valueQuantity": {}, "valueString": "a"', "value", "value", "valueQuantity and valueString"),
    ('"status": {"value": "final"}', "status", "status", "is an object, not a value of type ObservationStatus"),
    ('"component": {"valueInteger": 1}', "component", "component", "is an object, not a list"),
    ('"component": ["a"]', "component.0", "component[0]", "is a text"),
    ('"status": "final", "_status": []', "status.extension", "_status", "is a list, not an object"),
    ('"note": [{"text": 7}]', "note.0.text.value", "note[0].text", "7 is not a text"),
)  # fmt: skip


@pytest.mark.parametrize(("members", "path", "place", "sentence"), MALFORMED)
def test_malformed_is_null_with_the_reason(
    records: Any, read: Callable[..., Any], members: str, path: str, place: str, sentence: str
) -> None:
    made, observation = records.one(members)
    assert read(observation, path) is None
    assert read(observation, path) is None
    (problem,) = made.problems
    assert (problem.resource, problem.path) == ("Observation/x", place)
    assert sentence in problem.message


def test_padding_keeps_positions(records: Any, model: FhirModel) -> None:
    person = {**records.patient, "name": [{"given": ["Ann", None, "Eve"], "_given": [None, {"id": "g"}]}]}
    name = model.accessor("Patient", "name")(records.record(person).subject)[0]
    given = model.accessor("HumanName", "given")(name)
    assert [model.accessor("string", "value")(g) for g in given] == ["Ann", None, "Eve"]
    assert [model.accessor("string", "id")(g) for g in given] == [None, "g", None]


CHOICES = (
    ("Patient", {"deceasedBoolean": True}, "deceased", "boolean"),
    ("Patient", {"deceasedDateTime": "2020"}, "deceased", "dateTime"),
    ("Patient", {"multipleBirthInteger": 2}, "multipleBirth", "integer"),
    ("Condition", {"onsetAge": {"value": 50}}, "onset", "Age"),
    ("Condition", {"abatementString": "long ago"}, "abatement", "string"),
    ("MedicationRequest", {"medicationReference": {"reference": "#m"}}, "medication", "Reference"),
    ("MedicationStatement", {"medicationCodeableConcept": {"text": "aspirin"}}, "medication", "CodeableConcept"),
    ("Dosage", {"asNeededBoolean": False}, "asNeeded", "boolean"),
    ("Dosage.DoseAndRate", {"doseQuantity": {"value": 1}}, "dose", "SimpleQuantity"),
    ("Extension", {"valueBase64Binary": "QQ=="}, "value", "base64Binary"),
    ("Extension", {"valuePositiveInt": 3}, "value", "positiveInt"),
)


@pytest.mark.parametrize(("owner", "data", "element", "expected"), CHOICES)
def test_choice_has_its_type(model: FhirModel, owner: str, data: Any, element: str, expected: str) -> None:
    value = model.accessor(owner, element)(Element(owner, data))
    assert value.type == expected
    assert str(model.type_of(value)) == f"FHIR.{expected}"


def test_recursive_and_resource_typed_elements(model: FhirModel, read: Callable[..., Any]) -> None:
    form = Element("Questionnaire", {"item": [{"item": [{"item": [{"linkId": "3"}]}]}]})
    assert read(form, "item.0.item.0.item.0.linkId.value") == "3"
    assert read(form, "item.0.item.0").type == "Questionnaire.Item"
    holder = Element("Bundle", {"entry": [{"resource": {"resourceType": "Device", "id": "d"}}]})
    assert read(holder, "entry.0.resource").type == "Device"
    assert read(holder, "entry.0.resource.id.value") == "d"


def test_contained_resources(records: Any, read: Callable[..., Any]) -> None:
    made, statement = records.one('"contained": [{"resourceType": "Medication", "id": "m"}, {"resourceType": "Pill"}]')
    assert [c.type for c in read(statement, "contained")] == ["Medication", "Resource"]
    assert "resourceType 'Pill'" in made.problems[0].message
    assert made.reference_of(read(statement, "contained.0.id")) == "Observation/x#m"


def test_path_of_an_element(records: Any, read: Callable[..., Any]) -> None:
    _, observation = records.one('"component": [{}, {"valueQuantity": {"value": 1}}]')
    assert path_of(read(observation, "component.1.value.value")) == "component[1].valueQuantity.value"
    assert path_of(observation) == ""


def test_a_concrete_class_without_the_element_is_refused(model: FhirModel) -> None:
    with pytest.raises(KeyError, match=r"FHIR\.Observation has no element 'valu'"):
        model.accessor("Observation", "valu")


def test_dynamic_access_to_an_absent_element_is_null(model: FhirModel) -> None:
    assert model.accessor("Any", "component")(Element("Condition", {})) is None


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    (
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": "1"}, {"a": 1}, False),
        (True, 1, False),
    ),
)
def test_equality_compares_the_source(left: Any, right: Any, equal: bool) -> None:
    assert (Element("X", left) == Element("X", right)) is equal
    assert not equal or hash(Element("X", left)) == hash(Element("X", right))


def test_equal_decimals_of_different_digits() -> None:
    left, right = Element("decimal", Decimal("1.0")), Element("decimal", Decimal("1.00"))
    assert left == right
    assert hash(left) == hash(right)
    assert Element("code", "a", {"id": "x"}) != Element("code", "a")


def test_create_and_read_back(model: FhirModel) -> None:
    value = model.create("decimal", {"value": Decimal("1.50")})
    low = model.create("Quantity", {"value": value, "unit": None})
    when = DateTime(2020, 1, 2, 3, 4, 5, 6, 90)
    observed = model.create("Observation", {"value": low, "issued": model.create("instant", {"value": when})})
    assert observed.json == {
        "resourceType": "Observation",
        "valueQuantity": {"value": Decimal("1.50")},
        "issued": "2020-01-02T03:04:05.006+01:30",
    }
    assert model.accessor("instant", "value")(model.accessor("Observation", "issued")(observed)) == when
    assert model.create("date", {"value": Date(2020, 5)}).json == "2020-05"
    with pytest.raises(KeyError, match="has no element 'vale'"):
        model.create("Quantity", {"vale": value})


def test_children_in_the_order_of_the_class(model: FhirModel) -> None:
    coding = Element("Coding", {"code": "c", "id": "i", "system": "s"})
    assert [c if isinstance(c, str) else c.json for c in model.children(coding)] == ["i", "s", "c"]
    concept = Element("CodeableConcept", {"coding": [{"code": "a"}, {"code": "b"}]})
    assert [c.json for c in model.children(concept)] == [{"code": "a"}, {"code": "b"}]
    assert model.children(5) == []
