"""Equal and Equivalent: rows of the official tests, of Appendix B and of the readings taken."""

from decimal import Decimal

import pytest

from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.equality import equal, equivalent, keys
from engine.language.types.datatype import TypeParameter
from engine.language.values import (
    Code,
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
from engine.terminology.units import Units

D = Decimal
CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
LOINC = "http://loinc.org"


def q(text, unit="1"):
    return Quantity(D(text), unit)


def whole(low, high, low_closed=True, high_closed=True):
    return Interval(low, high, low_closed, high_closed, "Integer")


CASES = [
    # left, right, =, ~
    (1, 1, True, True),
    (1, Long(1), True, True),
    (1, D("1.0"), True, True),
    (1, "1", False, False),
    (True, 1, False, False),
    (True, True, True, True),
    (None, None, None, True),
    (1, None, None, False),
    ("Abel", "abel", False, True),
    ("a\tb", "a b", False, True),
    ("a  b", "a b", False, False),
    ("", None, None, False),
    (D("1.50"), D("1.55"), False, False),
    (D("1.001"), D("1.000"), False, True),
    (D("1.0"), D("1.00"), True, True),
    (q("1", "cm"), q("0.01", "m"), True, True),
    (q("3.5", "cm2"), q("3.5", "cm"), None, False),
    (q("1", "year"), q("1", "a"), None, True),
    (q("1", "week"), q("7", "days"), True, True),
    (q("1", "nonsense"), q("1", "nonsense"), None, False),
    (Date(2012, 1), Date(2012, 1, 1), None, False),
    (Date(2012), Date(2012), True, True),
    (Time(10, 0, 0), Time(10, 0, 0, 0), True, True),
    (DateTime.parse("2020-01-01T10:00:00.000+02:00"), DateTime.parse("2020-01-01T08:00:00.000Z"), True, True),
    (Ratio(q("1"), q("8")), Ratio(q("2"), q("16")), False, True),
    (Ratio(q("1", "cm"), q("2", "cm")), Ratio(q("1", "m"), q("2", "m")), False, True),
    (Ratio(q("1", "cm"), q("2", "cm")), Ratio(q("1", "cm"), q("3", "cm")), False, False),
    (Ratio(q("1", "mg"), q("1", "mL")), Ratio(q("1", "g"), q("1", "L")), False, True),
    (Ratio(q("1", "mg"), q("2", "mg")), Ratio(q("1", "mL"), q("2", "mL")), None, True),
    (Ratio(q("1"), q("0")), Ratio(q("5"), q("0")), False, False),
    ([None, 1, 2], [None, 1, 2], True, True),
    ([1, None], [1, 2], None, False),
    ([1, None], [2, 2], False, False),
    ([1, 2], [1, 2, 3], False, False),
    ([], [], True, True),
    ([1, 2, 3], ["1", "2", "3"], False, False),
    (Tuple({"x": 1, "y": None}), Tuple({"x": 1, "y": None}), True, True),
    (Tuple({"x": 1, "y": None}), Tuple({"x": 2, "y": None}), False, False),
    (Tuple({"x": 1, "y": 1}), Tuple({"x": None, "y": 1}), None, False),
    (Tuple({"x": 1, "y": 1}), Tuple({"x": None, "y": 2}), False, False),
    (Tuple({"x": 1}), Tuple({"y": 1}), False, False),
    (whole(1, 10), whole(1, 10), True, True),
    (whole(1, 10), whole(0, 11, False, False), True, True),
    (whole(1, 10), whole(11, 20), False, False),
    (whole(1, None), whole(1, None), True, True),
    (whole(1, None), whole(1, 2**31 - 1), True, True),
    (whole(1, None, True, False), whole(1, None, True, False), None, True),
    (whole(1, None, True, False), whole(2, 9), False, False),
    (whole(1, 10), Interval(None, None, False, False), None, False),
    (whole(1, 2), Interval("a", "b", point="String"), False, False),
    (Code("8480-6", LOINC), Code("8480-6", LOINC), True, True),
    (Code("8480-6", LOINC, "1.0"), Code("8480-6", LOINC, None, "Systolic"), None, True),
    (Code("8480-6", LOINC, "1.0"), Code("8480-6", LOINC, "2.0"), False, True),
    (Code("8480-6", LOINC), Code("8462-4", LOINC), False, False),
    (Concept((Code("a", "s"), Code("b", "s")), "x"), Concept((Code("b", "s"),), "x"), False, True),
    (Concept((Code("a", "s"),), "x"), Concept((Code("a", "s"),), "y"), False, True),
    (Concept((), "x"), Concept((), "x"), True, False),
    (Code("a", "s"), Concept((Code("b", "t"), Code("a", "s"))), False, True),
    (ValueSet("http://x/vs", None, "A"), ValueSet("http://x/vs", None, "B"), True, True),
    (ValueSet("http://x/vs"), ValueSet("http://x/other"), False, False),
    (Uncertainty(1, 3), 5, False, False),
    (Uncertainty(1, 3), 2, None, False),
    (Uncertainty(1, 3), "a", False, False),
]


@pytest.mark.parametrize(("left", "right", "equality", "equivalence"), CASES)
def test_equal_and_equivalent(left, right, equality, equivalence):
    """Both ways round, and NotEqual as the negation."""
    assert equal(CONTEXT, left, right) is equality
    assert equal(CONTEXT, right, left) is equality
    assert equivalent(CONTEXT, left, right) is equivalence
    assert equivalent(CONTEXT, right, left) is equivalence
    generic = (TypeParameter("T"), TypeParameter("T"))
    not_equal = TABLE.exact("NotEqual", generic).function(CONTEXT, left, right)
    assert not_equal is (None if equality is None else not equality)


def test_model_objects_are_compared_by_their_own_equality():
    class Resource:
        def __init__(self, text):
            self.text = text

        def __eq__(self, other):
            return isinstance(other, Resource) and self.text == other.text

        __hash__ = None

    assert equal(CONTEXT, Resource("a"), Resource("a")) is True
    assert equal(CONTEXT, Resource("a"), Resource("b")) is False
    assert equal(CONTEXT, Resource("a"), "a") is False
    assert keys(CONTEXT, [Resource("a"), 1]) == [[None, 1]]


@pytest.mark.parametrize(("left", "right", "equality", "equivalence"), [c for c in CASES if None not in c[:2]])
def test_two_values_with_keys_are_equal_exactly_when_their_keys_are(left, right, equality, equivalence):
    del equivalence
    [[first, second]] = keys(CONTEXT, [left, right])
    if first is not None and second is not None and not isinstance(left, Time):
        assert (first == second) is (equality is True)


def test_quantities_have_keys_unless_equality_in_their_units_is_not_transitive():
    assert None not in keys(CONTEXT, [q("1", "mg"), q("1.0", "mg"), 5])[0]
    ((in_mg, five), (in_g, text)) = keys(CONTEXT, [q("1000", "mg"), 5], [q("1", "g"), "x"])
    assert in_mg == in_g is not None
    assert (five, text) == (5, "x")
    assert keys(CONTEXT, [q("1", "a"), 5], [[q("365", "days")], "x"]) == [[None, 5], [None, "x"]]
