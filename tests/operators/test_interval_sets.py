"""Union, intersect, except, collapse and expand: rows of the official tests, of Appendix B and of readings taken."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context, Limits
from engine.language.operators.interval import interval
from engine.language.operators.interval_sets import (
    collapse,
    except_interval,
    expand,
    expand_interval,
    intersect_interval,
    union_interval,
)
from engine.language.values import Date, DateTime, Interval, Long, Quantity, Time
from engine.terminology.units import Units

D = Decimal
CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())


def between(low, high, brackets="[]"):
    return interval(CONTEXT, low, high, brackets[0] == "[", brackets[1] == "]", None)


def decimals(low, high, brackets="[]"):
    return between(D(low), D(high), brackets)


def grams(low, high):
    return between(Quantity(D(low), "g"), Quantity(D(high), "g"))


def times(low, high, brackets="[]"):
    return between(Time.parse(low), Time.parse(high), brackets)


def days(low, high, brackets="[]"):
    return between(low and Date.parse(low), high and Date.parse(high), brackets)


def per(text, unit="1"):
    return Quantity(D(text), unit)


SETS = [
    # left, right, union, intersect, except
    (between(1, 10), between(4, 15), between(1, 15), between(4, 10), between(1, 3)),
    (between(1, 10), between(44, 50), None, None, between(1, 10)),
    (between(1, 10), between(11, 20), between(1, 20), None, between(1, 10)),
    (between(1, 10), between(3, 7), between(1, 10), between(3, 7), None),
    (between(3, 7), between(1, 10), between(1, 10), between(3, 7), None),
    (between(0, 5), between(3, 7), between(0, 7), between(3, 5), between(0, 2)),
    (between(5, 9), between(3, 7), between(3, 9), between(5, 7), between(8, 9)),
    (between(1, 10), between(4, 15, "()"), between(1, 15, "[)"), between(4, 10, "(]"), between(1, 4)),
    (decimals("1.0", "10.0"), decimals("4.0", "10.0"), decimals("1.0", "10.0"), decimals("4.0", "10.0"),
     decimals("1.0", "3.99999999")),
    (grams("1.0", "10.0"), grams("5.0", "10.0"), grams("1.0", "10.0"), grams("5.0", "10.0"),
     grams("1.0", "4.99999999")),
    (days("2012-01-07", "2012-01-16"), days("2012-01-05", "2012-01-12"), days("2012-01-05", "2012-01-16"),
     days("2012-01-07", "2012-01-12"), days("2012-01-13", "2012-01-16")),
    # unknown boundaries: the result is unknown where they are
    (between(1, 10), between(5, None, "[)"), between(1, None, "[)"), between(5, None, "[)"), None),
    (between(1, 10), between(5, None), between(1, None), between(5, 10), between(1, 4)),
    (between(None, None), between(1, 10), None, None, None),
    # a closed null boundary is the extreme, which no unknown boundary goes beyond
    (between(0, None, "[)"), between(-1, None), between(-1, None), between(0, None, "[)"), None),
    (between(None, 7, "(]"), between(None, 9), between(None, 9), between(None, 7, "(]"), None),
    (days("2012-01-01", "2012-06"), days("2012-03", "2012-06-15"), Interval(Date(2012, 1, 1), None, True, False),
     Interval(Date(2012, 3), None, True, False), None),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "union", "intersection", "difference"), SETS)
def test_union_intersect_except(left, right, union, intersection, difference):
    assert union_interval(CONTEXT, left, right) == union
    assert union_interval(CONTEXT, right, left) == union
    assert intersect_interval(CONTEXT, left, right) == intersection
    assert intersect_interval(CONTEXT, right, left) == intersection
    assert except_interval(CONTEXT, left, right) == difference


@pytest.mark.parametrize(
    ("intervals", "size", "answer"),
    (
        (None, None, None),
        ([], None, []),
        ([None], None, []),
        ([between(1, 4), None, between(4, 8), between(7, 9)], None, [between(1, 9)]),
        ([between(12, 19), between(1, 5), between(7, 10), between(3, 7)], None, [between(1, 10), between(12, 19)]),
        ([between(4, 6), between(7, 8)], None, [between(4, 8)]),
        ([between(1, 2), between(4, 5)], None, [between(1, 2), between(4, 5)]),
        ([between(1, 2), between(4, 5)], per("2"), [between(1, 5)]),
        ([between(Long(1), Long(2)), between(Long(3), Long(5))], None, [between(Long(1), Long(5))]),
        ([decimals("4.0", "6.0"), decimals("6.00000001", "8.0")], None, [decimals("4.0", "8.0")]),
        ([decimals("4.0", "6.0"), decimals("6.1", "8.0")], None, [decimals("4.0", "6.0"), decimals("6.1", "8.0")]),
        ([decimals("4.0", "6.0"), decimals("6.5", "8.0")], per("1"), [decimals("4.0", "8.0")]),
        ([grams("1.0", "5.0"), grams("5.5", "7.0")], per("1", "g"), [grams("1.0", "7.0")]),
        ([grams("1.0", "5.0"), grams("5.5", "7.0")], per("100", "mg"), [grams("1.0", "5.0"), grams("5.5", "7.0")]),
        ([days("2012-01-01", "2012-01-15"), days("2012-01-16", "2012-05-25")], None,
         [days("2012-01-01", "2012-05-25")]),
        ([days("2012-01-01", "2012-01-15"), days("2012-01-17", "2012-05-25")], per("2", "days"),
         [days("2012-01-01", "2012-05-25")]),
        ([days("2012-01-01", "2012-01-15"), days("2012-01-17", "2012-05-25")], per("1", "week"),
         [days("2012-01-01", "2012-05-25")]),
        ([days("2012-01-01", "2012-01-15"), days("2012-02-17", "2012-05-25")], per("1", "month"),
         [days("2012-01-01", "2012-05-25")]),
        ([days("2012-01-01", "2012-01-15"), days("2012-03-17", "2012-05-25")], per("1", "month"),
         [days("2012-01-01", "2012-01-15"), days("2012-03-17", "2012-05-25")]),
        # without per the coarsest precision of all boundaries decides: here the hour
        ([times("10", "11"), times("12:45", "13:00")], None, [Interval(Time(10), Time(13, 0))]),
        # an unknown end may reach on, but does not for certain
        ([between(1, None, "[)"), between(5, 8)], None, [between(1, None, "[)"), between(5, 8)]),
        ([between(1, None, "[)"), between(2, 8)], None, [between(1, None, "[)")]),
        ([between(1, None), between(5, 8)], None, [between(1, None)]),
        # an unknown start may lie after the other interval
        ([between(None, 20, "(]"), between(1, 5)], None, [between(None, 20, "(]"), between(1, 5)]),
        ([between(None, 20, "(]"), between(1, 5)], per("2"), [between(None, 20, "(]"), between(1, 5)]),
        ([between(None, 20, "(]"), between(1, 5), between(15, 25)], None, [between(None, 25, "(]"), between(1, 5)]),
        ([between(None, 5, "(]"), between(None, 20, "(]"), between(3, 30)], None, [between(None, 30, "(]")]),
        ([days(None, "2020-01-20", "(]"), days("2020-01-01", "2020-01-05")], None,
         [days(None, "2020-01-20", "(]"), days("2020-01-01", "2020-01-05")]),
        ([between(None, 5), between(6, 8)], None, [between(None, 8)]),
        ([between(None, None, "()")], None, [between(None, None, "()")]),
    ),
)  # fmt: skip
def test_collapse(intervals, size, answer):
    assert collapse(CONTEXT, intervals, size) == answer


def pieces(*ends):
    return [Interval(low, high) for low, high in ends]


@pytest.mark.parametrize(
    ("value", "size", "answer"),
    (
        (days("2018-01-01", "2018-01-04"), per("1", "day"),
         [(Date(2018, 1, n), Date(2018, 1, n)) for n in range(1, 5)]),
        (days("2018-01-01", "2018-01-04"), per("2", "days"),
         [(Date(2018, 1, 1), Date(2018, 1, 2)), (Date(2018, 1, 3), Date(2018, 1, 4))]),
        (days("2018-01-01", "2018-01-20"), per("1", "week"),
         [(Date(2018, 1, 1), Date(2018, 1, 7)), (Date(2018, 1, 8), Date(2018, 1, 14))]),
        (days("2018-01-31", "2018-03-31"), per("1", "month"), [(Date(2018, n), Date(2018, n)) for n in (1, 2, 3)]),
        (times("10:00", "12:30", "[)"), per("1", "hour"), [(Time(n), Time(n)) for n in (10, 11, 12)]),
        (times("22", "23"), None, [(Time(22), Time(22)), (Time(23), Time(23))]),
        (times("10", "10"), per("1", "minute"), []),
        (decimals("10.0", "12.5", "[)"), per("1"), [(D(n), D(n)) for n in (10, 11, 12)]),
        (decimals("-1.5", "0.5"), per("1"), [(D(n), D(n)) for n in (-2, -1, 0)]),
        (decimals("1.0", "1.2"), None, [(D(n), D(n)) for n in ("1.0", "1.1", "1.2")]),
        (between(10, 10), per("0.1"), [(D(f"10.{n}"), D(f"10.{n}")) for n in range(10)]),
        (between(1, 10, "[)"), None, [(n, n) for n in range(1, 10)]),
        (between(1, 10), per("2"), [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]),
        (between(1, 10, "[)"), per("2"), [(1, 2), (3, 4), (5, 6), (7, 8)]),
        (between(1, 3), per("5"), []),
        (between(1, None, "[)"), None, []),
        (between(None, 5, "(]"), None, []),
        (grams("1", "3"), per("1", "g"), [(Quantity(D(n), "g"), Quantity(D(n), "g")) for n in (1, 2, 3)]),
        (grams("1", "2"), per("500", "mg"),
         [(Quantity(D(n), "mg"), Quantity(D(n + 499), "mg")) for n in (1000, 1500)]),
    ),
)  # fmt: skip
def test_expand(value, size, answer):
    """The list overload gives the pieces, the interval overload the start of each."""
    assert expand(CONTEXT, [None, value], size) == pieces(*answer)
    assert expand_interval(CONTEXT, value, size) == [low for low, _ in answer]


def test_expand_of_several_intervals_gives_each_piece_once():
    assert expand(CONTEXT, [between(3, 4), between(1, 3)], None) == pieces((1, 1), (2, 2), (3, 3), (4, 4))
    assert expand(CONTEXT, None) is None
    assert expand_interval(CONTEXT, None) is None
    assert expand(CONTEXT, []) == []


@pytest.mark.parametrize(
    ("value", "count"),
    (
        (between(1, 2_000_000_000), 2_000_000_000),
        (between(1, None), 2**31 - 1),
        (interval(CONTEXT, Date(2000, 1, 1), None, True, True, "Date"), 2_921_940),
    ),
)
def test_expand_beyond_the_limit_is_an_error(value, count):
    """Found by counting, before a list is made."""
    with pytest.raises(LimitExceeded, match=f"{count} elements"):
        expand_interval(CONTEXT, value)
    small = Context(now=CONTEXT.now, units=CONTEXT.units, limits=Limits(list_size=3))
    with pytest.raises(LimitExceeded):
        expand(small, [between(1, 2), between(5, 6)])


@pytest.mark.parametrize("answer", (expand, collapse))
@pytest.mark.parametrize(
    ("value", "size"),
    (
        (between(1, 5), per("0")),
        (between(1, 5), per("-1")),
        (between(1, 5), Quantity(None, "1")),
        (days("2018-01-01", "2018-01-04"), per("1", "g")),
        (days("2018-01-01", "2018-01-04"), per("1.5", "days")),
        (grams("1", "2"), per("1", "cm")),
        (between(1, 5), per("1", "g")),
    ),
)
def test_a_per_that_does_not_fit_is_an_error(answer, value, size):
    with pytest.raises(EvaluationError, match="per "):
        answer(CONTEXT, [value, value], size)
