"""JSON to the CQL values that a library declares."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.errors import InputError
from engine.language.values import Code, Date, DateTime, Interval, Quantity, Tuple
from engine.trials.parameters import bind_parameters, moment_of
from engine.workspace import Workspace

LIBRARY = """library P
parameter D Date
parameter M DateTime
parameter B Boolean
parameter S String
parameter N Integer
parameter X Decimal
parameter Q Quantity default 28 days
parameter C Code
parameter I Interval<Date>
parameter L List<Tuple { lab String, limit Quantity, times Decimal }>
"""
DECODER = msgspec.json.Decoder(float_hook=Decimal)


def bind(text: str) -> dict[str, Any]:
    workspace = Workspace()
    return bind_parameters(workspace.program(workspace.translate(LIBRARY)), DECODER.decode(text), source="file")


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ('{"D": "2026-03-16"}', Date(2026, 3, 16)),
        ('{"M": "2026-03-16T23:59:59+08:00"}', DateTime(2026, 3, 16, 23, 59, 59, None, 480)),
        ('{"B": true}', True),
        ('{"S": "dual"}', "dual"),
        ('{"N": 3}', 3),
        ('{"X": 1.10}', Decimal("1.10")),
        ('{"X": 2}', Decimal(2)),
        ('{"Q": "28 days"}', Quantity(Decimal(28), "days")),
        ('{"Q": "1.5 10*9/L"}', Quantity(Decimal("1.5"), "10*9/L")),
        ('{"Q": "1.5 \'mg/dL\'"}', Quantity(Decimal("1.5"), "mg/dL")),
        ('{"Q": {"value": 50.0, "unit": "%"}}', Quantity(Decimal("50.0"), "%")),
        ('{"Q": "3"}', Quantity(Decimal(3), "1")),
        ('{"Q": null}', None),
        ('{"C": {"system": "s", "code": "c"}}', Code("c", "s")),
        ('{"I": {"low": "2026-01-01", "high": null}}', Interval(Date(2026, 1, 1), None, True, True, "Date")),
        (
            '{"L": [{"lab": "ANC", "limit": {"value": 1.5, "unit": "10*9/L"}, "times": null}, {"lab": "ALT"}]}',
            [
                Tuple({"lab": "ANC", "limit": Quantity(Decimal("1.5"), "10*9/L"), "times": None}),
                Tuple({"lab": "ALT", "limit": None, "times": None}),
            ],
        ),
    ),
)  # fmt: skip
def test_a_value_is_bound_by_its_declared_type(text: str, expected: Any) -> None:
    (value,) = bind(text).values()
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "place"),
    (
        ('{"D": "16.3.2026"}', "D"),
        ('{"D": 20260316}', "D"),
        ('{"M": "noon"}', "M"),
        ('{"B": 1}', "B"),
        ('{"S": 1}', "S"),
        ('{"N": 1.5}', "N"),
        ('{"N": true}', "N"),
        ('{"Q": "some days"}', "Q"),
        ('{"Q": "28 dayz"}', "Q"),
        ('{"Q": {"value": "28", "unit": "d"}}', "Q"),
        ('{"C": "c"}', "C"),
        ('{"I": ["2026-01-01"]}', "I"),
        ('{"I": {"low": "x"}}', "I.low"),
        ('{"L": {"lab": "ANC"}}', "L"),
        ('{"L": [{"lab": "ANC"}, {"lab": 3}]}', "L[1].lab"),
        ('{"L": [{"laboratory": "ANC"}]}', "L[0].laboratory"),
    ),
)
def test_a_value_of_another_kind_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(InputError) as raised:
        bind(text)
    assert (raised.value.source, raised.value.place) == ("file", place)


def test_what_a_library_does_not_declare_is_not_bound() -> None:
    assert bind('{"Other": 1}') == {}


@pytest.mark.parametrize(
    ("given", "offset", "expected"),
    (
        ({}, 0, ("2026-06-15", "2026-06-15T23:59:59.999+00:00")),
        ({}, 480, ("2026-06-15", "2026-06-15T23:59:59.999+08:00")),
        ({"ScreeningDate": "2026-03-16"}, -300, ("2026-03-16", "2026-03-16T23:59:59.999-05:00")),
        ({"EvaluationTime": "2026-03-16T12:00:00+02:00"}, 0, ("2026-06-15", "2026-03-16T12:00:00+02:00")),
        ({"EvaluationTime": "2026-03-16T12:00:00"}, 120, ("2026-06-15", "2026-03-16T12:00:00+02:00")),
    ),
)
def test_the_moment_of_a_run(given: dict[str, Any], offset: int, expected: tuple[str, str]) -> None:
    moment = moment_of(given, Date(2026, 6, 15), offset, "file")
    assert (str(moment.screening_date), str(moment.evaluation_time)) == expected
