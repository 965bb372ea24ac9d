"""List operators: rows of the official CqlListOperatorsTest, of Appendix B and of the readings taken."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.types.datatype import INTEGER, STRING, ListType, TypeParameter
from engine.language.values import Code, Date, DateTime, Interval, Long, Quantity, Time, Tuple
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
T = TypeParameter("T")
LIST = ListType(T)
IMPRECISE, PRECISE, OTHER = Date(2012, 5), Date(2012, 5, 10), Date(2014, 12, 10)


def q(text, unit):
    return Quantity(Decimal(text), unit)


def call(name, shape, *arguments):
    overload = TABLE.exact(name, shape)
    if overload.nulls == "propagate" and None in arguments:
        return None
    return overload.function(*([CONTEXT] if overload.context else []), *arguments)


@pytest.mark.parametrize(
    ("elements", "element", "contains", "includes", "properly"),
    (
        (["a", "b", "c"], "a", True, True, True),
        (["a", "b"], "c", False, False, False),
        (["a"], "a", True, True, False),
        (["a", "a"], "a", True, True, False),
        (["a", None], "a", True, True, True),
        ([None, "b", "c"], "a", False, False, False),
        (["a", "b", None], None, True, None, True),
        (["s", "u", "n"], None, False, None, False),
        ([None], None, True, None, False),
        ([None, None], None, True, None, False),
        ([], "a", False, False, False),
        ([], None, False, None, False),
        (None, "a", False, False, False),
        ([1, 2], Long(2), True, True, True),
        ([1, True], True, True, True, True),
        ([1], True, False, False, False),
        ([PRECISE, OTHER], IMPRECISE, None, None, None),
        ([PRECISE, IMPRECISE], IMPRECISE, True, True, None),
        ([OTHER], IMPRECISE, False, False, False),
        ([Time(15, 59, 59), Time(20, 59, 59, 999)], Time(15, 59, 59), True, True, True),
        ([Time(15, 59, 59, 999), Time(20, 59, 59, 999)], Time(15, 59, 59), None, None, None),
        ([q("1", "g"), q("2", "g")], q("1000", "mg"), True, True, True),
        ([q("1", "g")], q("1", "cm"), None, None, None),
    ),
)
def test_membership_of_an_element(elements, element, contains, includes, properly):
    """Each operator and its converse."""
    assert call("Contains", (LIST, T), elements, element) is contains
    assert call("In", (T, LIST), element, elements) is contains
    assert call("Includes", (LIST, T), elements, element) is includes
    assert call("IncludedIn", (T, LIST), element, elements) is includes
    for name in ("ProperContains", "ProperIncludes"):
        assert call(name, (LIST, T), elements, element) is properly
    for name in ("ProperIn", "ProperIncludedIn"):
        assert call(name, (T, LIST), element, elements) is properly


@pytest.mark.parametrize(
    ("left", "right", "includes", "properly"),
    (
        ([], [], True, False),
        ([None], [None], True, False),
        ([1, 2, 3], [], True, True),
        ([1, 2, 3], [2, 2], True, True),
        ([1, 2, 3], [4], False, False),
        ([1, 2, 3], [3, 2, 1], True, False),
        ([1, 1], [1], True, False),
        ([1, None], [1], True, True),
        ([1], [1, None], False, False),
        (None, [2], None, None),
        (["s"], None, None, None),
        ([PRECISE, OTHER], [PRECISE], True, True),
        ([PRECISE, OTHER], [IMPRECISE], None, None),
        ([PRECISE, OTHER], [IMPRECISE, Date(2000)], False, False),
    ),
)
def test_inclusion_of_a_list(left, right, includes, properly):
    """Whatever the order and number of the elements; each operator and its converse."""
    assert call("Includes", (LIST, LIST), left, right) is includes
    assert call("IncludedIn", (LIST, LIST), right, left) is includes
    assert call("ProperIncludes", (LIST, LIST), left, right) is properly
    assert call("ProperIncludedIn", (LIST, LIST), right, left) is properly


LOINC = Code("8480-6", "http://loinc.org")


@pytest.mark.parametrize(
    ("elements", "distinct"),
    (
        (None, None),
        ([], []),
        ([None, None, None], [None]),
        (["a", None, "a", None], ["a", None]),
        ([1, 2, 3, 1, 2, 3], [1, 2, 3]),
        ([1, Decimal("1.0"), True, "1"], [1, True, "1"]),
        ([IMPRECISE, PRECISE, IMPRECISE], [IMPRECISE, PRECISE]),
        ([Time(10, 0, 0), Time(10, 0, 0, 0)], [Time(10, 0, 0), Time(10, 0, 0, 0)]),
        ([q("1", "g"), q("1.0", "g")], [q("1", "g")]),
        ([q("1", "g"), q("1000", "mg"), q("1", "cm")], [q("1", "g"), q("1", "cm")]),
        ([Tuple({"a": 1, "b": None}), Tuple({"b": None, "a": 1})], [Tuple({"a": 1, "b": None})]),
        ([Tuple({"a": q("1", "g")}), Tuple({"a": q("1000", "mg")})], [Tuple({"a": q("1", "g")})]),
        ([[1], [1], [2]], [[1], [2]]),
        ([LOINC, LOINC, Code("8480-6", None)], [LOINC, Code("8480-6", None)]),
        ([Interval(1, 2, True, True), Interval(1, 3, True, False)], [Interval(1, 2, True, True)]),
        ([Interval(1, None, True, False, "Integer")] * 2, [Interval(1, None, True, False)] * 2),
    ),
)
def test_distinct(elements, distinct):
    """Only what is certainly equal is merged."""
    assert call("Distinct", (LIST,), elements) == distinct


@pytest.mark.parametrize(
    ("left", "right", "union", "intersection", "difference"),
    (
        ([], [], [], [], []),
        ([1, 2, 3, 4], [2, 3], [1, 2, 3, 4], [2, 3], [1, 4]),
        ([2, 3], [1, 2, 3, 4], [2, 3, 1, 4], [2, 3], []),
        ([1, 1, 2], [2, 2], [1, 2], [2], [1]),
        ([1, 3, 5, 7, None], [1, 3, None], [1, 3, 5, 7, None], [1, 3, None], [5, 7]),
        (None, [4, 5], [4, 5], None, None),
        ([1, 4], None, [1, 4], None, [1, 4]),
        ([PRECISE], [IMPRECISE], [PRECISE, IMPRECISE], [], [PRECISE]),
        ([q("1", "g")], [q("1000", "mg")], [q("1", "g")], [q("1", "g")], []),
    ),
)
def test_union_intersect_except(left, right, union, intersection, difference):
    assert call("Union", (LIST, LIST), left, right) == union
    assert call("Intersect", (LIST, LIST), left, right) == intersection
    assert call("Except", (LIST, LIST), left, right) == difference


def test_set_operations_on_long_lists():
    """20,000 elements: a key for each, no comparison of pairs."""
    dates = [DateTime(2000 + n % 20, 1 + n % 12, 1 + n % 28, n % 24, n % 60, 0, 0, 60) for n in range(20_000)]
    texts = [f"code {n}" for n in range(20_000)]
    assert len(call("Distinct", (LIST,), [*texts, *texts])) == 20_000
    assert call("Except", (LIST, LIST), texts, texts[1:]) == ["code 0"]
    assert call("Includes", (LIST, LIST), texts, texts[::-1]) is True
    assert len(call("Intersect", (LIST, LIST), dates, dates)) == len(set(dates))
    assert len(call("Union", (LIST, LIST), [q(str(n), "mg") for n in range(20_000)], [None])) == 20_001


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    (
        ("Exists", ([],), False),
        ("Exists", ([None],), False),
        ("Exists", ([None, 1],), True),
        ("Exists", (None,), False),
        ("First", ([],), None),
        ("First", ([None, 1],), None),
        ("First", ([1, 2],), 1),
        ("Last", ([],), None),
        ("Last", ([1, 2],), 2),
        ("Length", ([None, 1],), 2),
        ("Length", (None,), 0),
        ("SingletonFrom", ([],), None),
        ("SingletonFrom", ([1],), 1),
        ("SingletonFrom", (None,), None),
        ("Tail", ([1, 2, 3],), [2, 3]),
        ("Tail", ([],), []),
        ("Tail", (None,), None),
        ("Slice", ([1, 2, 3],), [1, 2, 3]),
        ("Slice", (None,), None),
    ),
)
def test_operators_of_one_list(name, arguments, answer):
    assert call(name, (LIST,), *arguments) == answer


@pytest.mark.parametrize(
    ("name", "elements", "number", "answer"),
    (
        ("Skip", [1, 2, 3, 4, 5], 2, [3, 4, 5]),
        ("Skip", [1, 3, 5], None, [1, 3, 5]),
        ("Skip", [1, 3, 5], -1, []),
        ("Skip", [1, 3], 5, []),
        ("Skip", None, 2, None),
        ("Take", [1, 2, 3, 4], 2, [1, 2]),
        ("Take", [1, 2], 3, [1, 2]),
        ("Take", [1, 2, 3, 4], None, []),
        ("Take", [1, 2, 3, 4], -1, []),
        ("Take", None, 2, None),
        ("Indexer", [1, 2], 1, 2),
        ("Indexer", [1, 2], 2, None),
        ("Indexer", [1, 2], -1, None),
        ("Indexer", None, 1, None),
        ("Slice", [1, 2, 3, 4, 5], -2, [4, 5]),
        ("Slice", [1, 2, 3, 4, 5], None, [1, 2, 3, 4, 5]),
        ("Slice", [1, 2, 3, 4, 5], 5, []),
    ),
)
def test_parts_of_a_list(name, elements, number, answer):
    assert call(name, (LIST, INTEGER), elements, number) == answer


@pytest.mark.parametrize(("end", "answer"), ((3, [2, 3]), (None, [2, 3, 4, 5]), (-1, [2, 3, 4])))
def test_slice_to_an_end(end, answer):
    assert call("Slice", (LIST, INTEGER, INTEGER), [1, 2, 3, 4, 5], 1, end) == answer


@pytest.mark.parametrize(("index", "answer"), ((0, "a"), (2, "c"), (3, None), (-1, None)))
def test_indexer_of_a_string(index, answer):
    assert call("Indexer", (STRING, INTEGER), "abc", index) == answer


@pytest.mark.parametrize(
    ("elements", "element", "answer"),
    (
        ([1, 3, 5, 7], 5, 2),
        ([1, 3, 5, 7], 4, -1),
        ([None, 4], 4, 1),
        ([1, None], None, None),
        (None, 4, None),
        ([], 4, -1),
        ([PRECISE, IMPRECISE], IMPRECISE, None),
        ([OTHER, IMPRECISE], IMPRECISE, 1),
        ([PRECISE], IMPRECISE, None),
    ),
)
def test_index_of(elements, element, answer):
    """Null when an earlier element may be the one."""
    assert call("IndexOf", (LIST, T), elements, element) == answer


def test_flatten():
    assert call("Flatten", (ListType(LIST),), [[1, 2], None, [None], []]) == [1, 2, None]
    assert call("Flatten", (ListType(LIST),), None) is None


def test_singleton_from_several_elements_is_an_error():
    with pytest.raises(EvaluationError, match="has 2 elements"):
        call("SingletonFrom", (LIST,), [1, 2])
