"""The prefix hierarchy of ICD-10-CM and its ranges."""

from itertools import product

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from engine.terminology import icd10cm

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CATEGORIES = ["".join(c) for c in product("ABCD", "0123456789", CHARACTERS)]
CODES = st.from_regex(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?", fullmatch=True)


@pytest.mark.parametrize(
    ("first", "last"),
    (("C00", "C96"), ("C00", "C80"), ("C81", "C96"), ("D00", "D09"), ("A00", "B99"), ("C18", "C18"), ("C7A", "D3B")),
)
def test_a_range_is_what_lies_between_its_ends(first: str, last: str) -> None:
    pattern = re2.compile(icd10cm.range_pattern(f"{first}-{last}"))
    for category in CATEGORIES:
        inside = first <= category <= last
        assert (pattern.fullmatch(category) is not None) is inside, category
        assert (pattern.fullmatch(f"{category}.9") is not None) is inside, category
        assert (pattern.fullmatch(f"{category}9") is not None) is inside, category
        assert pattern.fullmatch(f"{category}.") is None


@pytest.mark.parametrize("text", ("", "C00", "C96-C00", "C0-C9", "c00-c96", "C00-C96.9"))
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range"):
        icd10cm.range_pattern(text)


@given(CODES, CODES, CODES)
def test_below_is_an_order(a: str, b: str, c: str) -> None:
    assert icd10cm.is_below(a, a)
    if icd10cm.is_below(a, b) and icd10cm.is_below(b, a):
        assert icd10cm.key(a) == icd10cm.key(b)
    if icd10cm.is_below(a, b) and icd10cm.is_below(b, c):
        assert icd10cm.is_below(a, c)


@given(CODES)
def test_a_code_is_below_its_category_and_the_dot_does_not_count(code: str) -> None:
    assert icd10cm.is_below(code, code[:3])
    assert icd10cm.key(code) == icd10cm.key(code.replace(".", ""))
