"""Values as canonical and as plain JSON."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError, LimitExceeded
from engine.language.types.datatype import DECIMAL, LONG, IntervalType, ListType, TupleType
from engine.language.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Time,
    Tuple,
    Uncertainty,
    ValueSet,
)
from engine.language.values.json import MAX_DEPTH, decimal_text, encode, to_canonical, to_plain

CODE = Code("a", "http://s", "1", "A")
CODE_JSON = {"type": "Code", "code": "a", "system": "http://s", "version": "1", "display": "A"}
DOSE = Quantity(Decimal("5.0"), "mg")
DOSE_JSON = {"type": "Quantity", "value": "5.0", "unit": "mg"}
ONE = {"type": "Integer", "value": 1}


@pytest.mark.parametrize(
    ("value", "canonical", "plain"),
    (
        (None, None, None),
        (True, {"type": "Boolean", "value": True}, True),
        ("a", {"type": "String", "value": "a"}, "a"),
        (1, ONE, 1),
        (Long(1), {"type": "Long", "value": "1"}, 1),
        (Decimal("1.50"), {"type": "Decimal", "value": "1.50"}, Decimal("1.50")),
        (Decimal("1E-8"), {"type": "Decimal", "value": "0.00000001"}, Decimal("1E-8")),
        (Date(2012, 1), {"type": "Date", "value": "2012-01"}, "2012-01"),
        (
            DateTime(2012, 1, 1, 10, 0, 0, 0, 0),
            {"type": "DateTime", "value": "2012-01-01T10:00:00.000+00:00"},
            "2012-01-01T10:00:00.000+00:00",
        ),
        (Time(10, 0, 0, 0), {"type": "Time", "value": "10:00:00.000"}, "10:00:00.000"),
        (DOSE, DOSE_JSON, {"value": Decimal("5.0"), "unit": "mg"}),
        (
            Ratio(DOSE, None),
            {"type": "Ratio", "numerator": DOSE_JSON, "denominator": None},
            {"numerator": {"value": Decimal("5.0"), "unit": "mg"}, "denominator": None},
        ),
        (CODE, CODE_JSON, {"code": "a", "system": "http://s"}),
        (
            Concept((CODE,), "A"),
            {"type": "Concept", "codes": [CODE_JSON], "display": "A"},
            {"codes": [{"code": "a", "system": "http://s"}]},
        ),
        (
            Interval(1, None, True, False),
            {"type": "Interval", "low": ONE, "high": None, "lowClosed": True, "highClosed": False},
            {"low": 1, "high": None, "lowClosed": True, "highClosed": False},
        ),
        (
            Uncertainty(1, 1),
            {"type": "Uncertainty", "low": ONE, "high": ONE},
            {"$uncertainty": {"low": 1, "high": 1}},
        ),
        ([1, None], {"type": "List", "elements": [ONE, None]}, [1, None]),
        (Tuple({"a": 1, "b": None}), {"type": "Tuple", "elements": {"a": ONE, "b": None}}, {"a": 1, "b": None}),
        (ValueSet("u", "1"), {"type": "ValueSet", "id": "u", "version": "1"}, {"id": "u", "version": "1"}),
        (CodeSystem("u"), {"type": "CodeSystem", "id": "u", "version": None}, {"id": "u", "version": None}),
    ),
)
def test_forms(value, canonical, plain):
    assert to_canonical(value) == canonical
    assert to_plain(value) == plain
    assert type(to_plain(value)) is type(plain)


@pytest.mark.parametrize(
    ("value", "datatype", "canonical"),
    (
        (1, LONG, {"type": "Long", "value": "1"}),
        (1, DECIMAL, {"type": "Decimal", "value": "1"}),
        ([1], ListType(LONG), {"type": "List", "elements": [{"type": "Long", "value": "1"}]}),
        (
            Tuple({"a": 1}),
            TupleType.of({"a": LONG}),
            {"type": "Tuple", "elements": {"a": {"type": "Long", "value": "1"}}},
        ),
        (
            Interval(1, None),
            IntervalType(DECIMAL),
            {
                "type": "Interval",
                "low": {"type": "Decimal", "value": "1"},
                "high": None,
                "lowClosed": True,
                "highClosed": True,
            },
        ),
    ),
)
def test_the_static_type_tells_numbers_apart(value, datatype, canonical):
    assert to_canonical(value, datatype) == canonical


@pytest.mark.parametrize(
    ("value", "text"),
    (("1.50", "1.50"), ("1E+3", "1000"), ("1E-8", "0.00000001"), ("-0.0", "0.0"), ("-2.5", "-2.5"), ("0E-3", "0.000")),
)
def test_decimal_text(value, text):
    assert decimal_text(Decimal(value)) == text


def test_encoding_keeps_the_digits():
    number = "12345678901234567890.12345678"
    assert encode(to_plain(Tuple({"a": Decimal(number), "b": Decimal("1.10"), "c": "é"}))) == (
        f'{{"a":{number},"b":1.10,"c":"é"}}'.encode()
    )


class Element:
    def __init__(self, content):
        self.content = content


def test_values_of_a_model_are_written_by_the_model():
    values = [Element("Patient/1"), Element({"value": "x"})]
    assert to_plain(values, lambda element: element.content) == ["Patient/1", {"value": "x"}]
    assert to_canonical(values[1], element=lambda element: element.content) == {"value": "x"}
    for write in (to_plain, to_canonical):
        with pytest.raises(EvaluationError, match="Element"):
            write(values)


@pytest.mark.parametrize("write", (to_plain, to_canonical))
def test_a_value_nested_too_deeply_is_an_error(write):
    value = 1
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(LimitExceeded, match="deep"):
        write(value)
    assert encode(write(value[0][0]))
