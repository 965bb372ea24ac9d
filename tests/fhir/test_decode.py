"""Bytes that are not a record: each refused with a sentence that says where; numbers exact; nesting bounded."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.fhir import decode_bundle
from engine.fhir.decode import MAX_DEPTH, _outline, _too_deep, decode_json

REFUSED = (
    (b"", "x.json: is empty"),
    (b" \n ", "x.json: is empty"),
    (b"not json", "x.json: line 1, column 5: is not JSON"),
    (b'{\n  "resourceType": "Bundle",\n  oops}', "x.json: line 3, column 3: is not JSON"),
    (b'{"resourceType": "Bundle"', "x.json: line 1, column 26: is not JSON: the text ends too early"),
    (b'{"resourceType": "Bundle"} {}', "x.json: line 1, column 29: is not JSON: trailing"),
    (b"\xff\xfe{\x00}\x00", "x.json: line 1, column 1: is not JSON"),
    (b'{"a": "\xe9"}', "x.json: line 1, column 8: is not UTF-8"),
    (b"[]", "x.json: is JSON but no FHIR resource"),
    (b"null", "x.json: is JSON but no FHIR resource"),
    (b'"Bundle"', "x.json: is JSON but no FHIR resource"),
    (b'{"entry": []}', "x.json: is JSON but no FHIR resource"),
    (b'{"resourceType": "Observation"}', "x.json: is a resource of type 'Observation'; a Bundle"),
    (b'{"resourceType": ["Bundle"]}', "x.json: is a resource of type ['Bundle']"),
    (b'{"resourceType": "Bundle"}', "x.json: the Bundle has no entries"),
    (b'{"resourceType": "Bundle", "entry": []}', "x.json: the Bundle has no entries"),
    (b'{"resourceType": "Bundle", "entry": {}}', "x.json: Bundle.entry is not a list"),
    (b'{"a": ' + b"9" * 5000 + b"}", "x.json: line 1, column 7: has a whole number of more than 4300 digits"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "x.json: line 1, column 1001: is nested deeper than 200 levels"),
    (b"[" * 100_000, "x.json: line 1, column 201: is nested deeper than 200 levels"),
    (
        b'{"resourceType": "Bundle", "entry": [{"resource": {"status": "a", "id": "x", "status": "b"}}]}',
        "x.json: has an object with the name 'status' twice",
    ),
    (b'{"resourceType": "Bundle", "entry": 1e400, "entry" : [1]}', "x.json: has an object with the name 'entry' twice"),
    (b'{"\\u0061": {"c": 1, "c": 1}, "b": "\\"\\\\"}', "x.json: has an object with the name 'c' twice"),
    (b'{"\\"[": ' + b'[{"a]}": ' * 150 + b"1" + b"}]" * 150 + b"}", "is nested deeper than 200 levels"),
)


@pytest.mark.parametrize(("data", "sentence"), REFUSED, ids=lambda value: repr(value)[:30])
def test_refused_with_its_place(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_bundle(data, source="x.json")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    (
        ("1.10", "1.10"),
        ("0.1", "0.1"),
        ("1E2", "1E+2"),
        ("-0.0", "-0.0"),
        ("123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"),
        ("7", "7"),
    ),
)
def test_numbers_keep_their_digits(text: str, value: str) -> None:
    number = decode_json(text.encode(), source="x")
    assert str(number) == value
    assert not isinstance(number, float)


@pytest.mark.parametrize("text", ("1e1000000", "1e-1000000", "1." + "1" * 70, "1e999999999999999999999"))
def test_numbers_out_of_bounds_are_no_decimals(text: str) -> None:
    number = decode_json(text.encode(), source="x")
    assert not isinstance(number, int | float | Decimal)
    assert str(number) == text


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a": 1}', source="x") == {"a": 1}


@pytest.mark.parametrize(("depth", "refused"), ((MAX_DEPTH - 1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True)))
def test_the_limit_of_nesting(depth: int, refused: bool) -> None:
    assert _too_deep(_outline(b"[" * depth + b"]" * depth)) is refused
    assert _too_deep(_outline(b'["[[", ' * depth + b"1" + b"]" * depth)) is refused


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text('ab"\\[]{}é\n'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\[}'), inner, max_size=3),
    max_leaves=12,
)


def depth_of(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(depth_of, members), default=0)


@given(VALUES, st.integers(180, 205))
def test_nesting_is_measured_outside_strings(value: Any, wraps: int) -> None:
    text = "[" * wraps + json.dumps(value, ensure_ascii=False) + "]" * wraps
    assert _too_deep(_outline(text.encode())) is (wraps + depth_of(value) > MAX_DEPTH)


@given(VALUES)
def test_decoding_agrees_with_the_standard_library(value: Any) -> None:
    assert decode_json(json.dumps(value).encode(), source="x") == value
    assert decode_json(json.dumps(value, ensure_ascii=False, indent=1).encode(), source="x") == value
