"""Native conversions: FHIR elements to CQL values, and what stays null."""

from decimal import Decimal
from typing import Any

import pytest

from engine.fhir import Element, FhirModel
from engine.language.values import Code, Concept, Date, DateTime, Interval, Quantity, Ratio, Time

UCUM = "http://unitsofmeasure.org"


def mg(value: str, unit: str = "mg") -> Quantity:
    return Quantity(Decimal(value), unit)


def points(low: Any, high: Any, low_closed: bool = True, high_closed: bool = True) -> Interval:
    return Interval(low, high, low_closed, high_closed)


# Function, class and JSON of the argument, result.
ROWS = (
    ("ToCode", "Coding", {"system": "s", "code": "c", "version": "v", "display": "d"}, Code("c", "s", "v", "d")),
    ("ToCode", "Coding", {}, Code(None)),
    ("ToConcept", "CodeableConcept", {"coding": [{"code": "a"}, {"code": "b"}], "text": "t"},
     Concept((Code("a"), Code("b")), "t")),
    ("ToConcept", "CodeableConcept", {"text": "t"}, Concept((), "t")),
    ("ToQuantity", "Quantity", {"value": Decimal("1.10"), "unit": "milli", "system": UCUM, "code": "mg"}, mg("1.10")),
    ("ToQuantity", "Quantity", {"value": 1, "unit": "mg"}, mg("1")),
    ("ToQuantity", "Quantity", {"value": 1}, mg("1", "1")),
    ("ToQuantity", "Age", {"value": 50, "system": UCUM, "code": "a"}, mg("50", "year")),
    ("ToQuantity", "Quantity", {"value": 3, "system": UCUM, "code": "mo"}, mg("3", "month")),
    ("ToQuantity", "Quantity", {"unit": "mg"}, None),
    ("ToRatio", "Ratio", {"numerator": {"value": 1}, "denominator": {"value": 2}}, Ratio(mg("1", "1"), mg("2", "1"))),
    ("ToRatio", "Ratio", {"numerator": {"value": 1}}, Ratio(mg("1", "1"), None)),
    ("ToInterval", "Period", {"start": "2020", "end": "2021"}, points(DateTime(2020), DateTime(2021))),
    ("ToInterval", "Period", {"start": "2020"}, points(DateTime(2020), None)),
    ("ToInterval", "Period", {"end": "2021"}, points(None, DateTime(2021), False, True)),
    ("ToInterval", "Period", {"start": "2020", "_end": {"id": "unknown"}}, points(DateTime(2020), None, True, False)),
    ("ToInterval", "Range", {"low": {"value": 1}, "high": {"value": 2}}, points(mg("1", "1"), mg("2", "1"))),
    ("ToInterval", "Range", {"high": {"value": 2, "unit": "mg"}}, points(None, mg("2"), False, True)),
    ("ToInterval", "Range", {"low": {}, "high": {"value": 2, "unit": "mg"}}, points(None, mg("2"), False, True)),
    ("ToInterval", "Range", {}, None),
    ("ToInterval", "Quantity", {"value": 5, "unit": "mg", "comparator": "<"}, points(None, mg("5"), True, False)),
    ("ToInterval", "Quantity", {"value": 5, "unit": "mg", "comparator": "<="}, points(None, mg("5"))),
    ("ToInterval", "Quantity", {"value": 5, "unit": "mg", "comparator": ">"}, points(mg("5"), None, False, True)),
    ("ToInterval", "Quantity", {"value": 5, "unit": "mg", "comparator": ">="}, points(mg("5"), None)),
    ("ToInterval", "Quantity", {"value": 5, "unit": "mg"}, points(mg("5"), mg("5"))),
    ("ToString", "AdministrativeGender", "male", "male"),
    ("ToString", "uri", "http://u", "http://u"),
    ("ToString", "string", None, None),
    ("ToBoolean", "boolean", False, False),
    ("ToInteger", "positiveInt", 3, 3),
    ("ToDecimal", "decimal", 3, Decimal(3)),
    ("ToDate", "date", "2020-05", Date(2020, 5)),
    ("ToDateTime", "instant", "2020-01-01T00:00:00Z", DateTime(2020, 1, 1, 0, 0, 0, None, 0)),
    ("ToDateTime", "dateTime", "2020-01", DateTime(2020, 1)),
    ("ToTime", "time", "10:00:00", Time(10, 0, 0)),
)  # fmt: skip


@pytest.mark.parametrize(("function", "name", "data", "expected"), ROWS)
def test_conversion(model: FhirModel, function: str, name: str, data: Any, expected: Any) -> None:
    convert = model.conversion(f"FHIRHelpers.{function}")
    assert convert is not None
    assert convert(Element(name, data)) == expected
    assert convert(None) is None


def test_a_quantity_that_is_no_value(records: Any, model: FhirModel) -> None:
    """A value that is no number is null, with the problem at its place."""
    made, observation = records.one('"valueQuantity": {"value": "5", "unit": "mg"}')
    convert = model.conversion("FHIRHelpers.ToQuantity")
    assert convert is not None
    assert convert(model.accessor("Observation", "value")(observation)) is None
    (problem,) = made.problems
    assert (problem.path, problem.message) == ("valueQuantity.value", "'5' is not a decimal number")


def test_an_unreadable_end_is_not_ongoing(records: Any, model: FhirModel) -> None:
    """An absent end means the period goes on; an end that cannot be read means nothing is known of it."""
    made, observation = records.one('"effectivePeriod": {"start": "2020", "end": "soon"}')
    convert = model.conversion("FHIRHelpers.ToInterval")
    assert convert is not None
    assert convert(model.accessor("Observation", "effective")(observation)) == points(DateTime(2020), None, True, False)
    assert str(made.problems[0]).startswith("Observation/x: effectivePeriod.end: 'soon' is not a dateTime")
