"""Questions asked of intervals: rows of the official CqlIntervalOperatorsTest, of Appendix B and of readings taken."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.interval import interval
from engine.language.types.datatype import ANY, INTEGER, QUANTITY, IntervalType, TypeParameter, system
from engine.language.values import Date, DateTime, Interval, Long, Quantity, Time, Uncertainty
from engine.terminology.units import Units

D = Decimal
CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
T = TypeParameter("T")
MAX = 2**31 - 1


def between(low, high, brackets="[]", point=None):
    return interval(CONTEXT, low, high, brackets[0] == "[", brackets[1] == "]", point)


def integers(low, high, brackets="[]"):
    return between(low, high, brackets, "Integer")


def grams(low, high, brackets="[]"):
    return between(*(None if text is None else Quantity(D(text), "g") for text in (low, high)), brackets, "Quantity")


def decimals(low, high, brackets="[]"):
    return between(*(None if text is None else D(text) for text in (low, high)), brackets, "Decimal")


def utc(text):
    return DateTime.parse(text).with_offset(0)


def instants(low, high, brackets="[]"):
    return between(*(None if text is None else utc(text) for text in (low, high)), brackets, "DateTime")


def times(low, high, brackets="[]"):
    return between(Time.parse(low), Time.parse(high), brackets)


def dates(low, high, brackets="[]"):
    return between(*(None if text is None else Date.parse(text) for text in (low, high)), brackets, "Date")


def ask(name, left, right, precision=None):
    """The overload for intervals and points as they come, called as the compiler does."""
    shape = tuple(IntervalType(T) if isinstance(v, Interval) else T for v in (left, right))
    overload = TABLE.exact(name, shape)
    assert overload.context
    assert overload.precision
    if overload.nulls == "propagate" and None in (left, right):
        return None
    return overload.function(CONTEXT, left, right, precision)


UNKNOWN = between(None, None, "()")
UNTYPED = between(None, None)

RELATIONS = [
    # operator, left, right, answer
    ("After", integers(11, 20), integers(1, 10), True),
    ("After", integers(1, 10), integers(11, 20), False),
    ("After", 12, integers(1, 10), True),
    ("After", 9, integers(1, 10), False),
    ("After", integers(11, 20), 5, True),
    ("After", grams("11.0", "20.0"), grams("1.0", "10.0"), True),
    ("After", integers(11, 20), integers(1, None, "[)"), None),
    ("After", integers(1, 5), integers(6, None, "[)"), False),
    ("Before", integers(1, 10), integers(11, 20), True),
    ("Before", 9, integers(11, 20), True),
    ("Before", integers(1, 10), 8, False),
    ("Before", integers(1, 10, "[)"), 10, True),
    ("Before", instants("2012-01-01", "2012-01-15"), utc("2012-02-27"), True),
    ("Before", instants("2012-01-01", "2012-01"), utc("2012-01-20"), None),
    ("In", 5, UNTYPED, True),
    ("In", 5, integers(1, 10), True),
    ("In", 500, integers(1, 10), False),
    ("In", 10, integers(1, 10, "[)"), False),
    ("In", 1, integers(1, 10, "(]"), False),
    ("In", 7, integers(5, None), True),
    ("In", 7, integers(5, None, "[)"), None),
    ("In", 3, integers(5, None, "[)"), False),
    ("In", MAX, integers(5, None), True),
    ("In", utc("2012-01-07"), instants("2012-01-05", None), True),
    ("In", utc("2012-01"), instants("2012-01-05", "2012-03"), None),
    ("In", None, integers(1, 10), None),
    ("In", Uncertainty(2, 3), integers(1, 10), True),
    ("In", Uncertainty(1, 3), integers(1, 10), True),
    ("In", Uncertainty(1, 30), integers(1, 10), None),
    ("In", Uncertainty(11, 30), integers(1, 10), False),
    ("Contains", integers(None, 5), 10, False),
    ("Contains", integers(None, 5, "(]"), 3, None),
    ("Contains", grams("1.0", "10.0"), Quantity(D("2000"), "mg"), True),
    ("Contains", integers(1, 10), None, None),
    ("Includes", integers(-1, 5), 6, False),
    ("Includes", integers(1, 10), integers(4, 10), True),
    ("Includes", integers(1, 10), integers(44, 50), False),
    ("Includes", integers(1, 10, "()"), integers(2, 9), True),
    ("Includes", integers(1, None), integers(4, None, "[)"), True),
    ("Includes", grams("1", "10", "[)"), grams("2.0", "9.5"), True),
    ("IncludedIn", integers(4, 10), integers(1, 10), True),
    ("IncludedIn", integers(4, 10), UNTYPED, None),
    ("IncludedIn", None, integers(1, 10), None),
    (
        "IncludedIn",
        instants("2017-09-01T00:00:00", "2017-09-01T00:00:00"),
        instants("2017-09-01T00:00:00.000", "2017-12-30T23:59:59.999"),
        None,
    ),
    ("ProperIncludes", integers(1, 10), integers(4, 10), True),
    ("ProperIncludes", integers(1, 10), integers(1, 10), False),
    ("ProperIncludes", integers(None, None), integers(1, 10), True),
    ("ProperIncludes", grams(None, None), grams("1", "10"), True),
    ("ProperIncludedIn", integers(4, 15), integers(1, 10), False),
    ("ProperIncludes", integers(1, 10), 1, False),
    ("ProperIncludes", integers(1, 10), 2, True),
    ("ProperContains", integers(1, 10), 10, False),
    ("ProperIncludes", times("12:00:00.001", "21:59:59.999"), Time(12, 0, 0), None),
    ("ProperIn", 5, integers(5, 5), False),
    ("ProperIncludedIn", Time(12, 0, 0, 1), times("12:00:00.000", "21:59:59.999"), True),
    ("Meets", integers(1, 10), integers(11, 20), True),
    ("Meets", integers(11, 20), integers(1, 10), True),
    ("Meets", integers(1, 11, "[)"), integers(10, 20, "(]"), True),
    ("Meets", integers(1, 10), integers(44, 50), False),
    ("Meets", decimals("3.01", "5.00000001"), decimals("5.00000002", "8.50"), True),
    ("Meets", grams("3.01", "5.00000001"), grams("5.00000002", "8.50"), True),
    ("Meets", grams("1", "2"), grams("3", "4"), False),
    ("Meets", instants("2012-01-07", "2012-01-14"), instants("2012-01-15", "2012-01-25"), True),
    ("Meets", times("03", "04"), times("05", "06"), True),
    ("Meets", integers(None, 5, "(]"), integers(None, 15, "()"), None),
    ("Meets", integers(1, None), integers(1, 10), False),
    ("MeetsBefore", integers(-5, -1), integers(0, 5), True),
    ("MeetsBefore", integers(None, 5, "(]"), integers(None, 25, "(]"), None),
    ("MeetsAfter", integers(6, 10), integers(0, 7), False),
    ("MeetsAfter", integers(None, 5, "(]"), integers(11, None, "[)"), False),
    ("Overlaps", integers(10, 15), integers(4, 10), True),
    ("Overlaps", integers(4, 11, "[)"), integers(9, 20, "(]"), True),
    ("Overlaps", integers(4, 10, "[)"), integers(9, 20, "(]"), False),
    ("Overlaps", UNTYPED, integers(1, 10), None),
    ("Overlaps", instants("2012-02-25", "2012-03-26"), instants("2012-01-10", "2012-02"), None),
    ("Overlaps", instants("2012", "2013-03"), instants("2012-02", "2013-02"), True),
    ("OverlapsBefore", integers(1, 10), integers(4, 10), True),
    ("OverlapsBefore", integers(4, 10), integers(3, 10, "(]"), False),
    ("OverlapsAfter", integers(4, 15), integers(1, 10), True),
    ("OverlapsAfter", integers(4, 11, "[)"), integers(4, 10), False),
    ("Starts", integers(4, 10), integers(4, 15), True),
    ("Starts", integers(0, 7), integers(0, 6), False),
    ("Starts", UNTYPED, integers(1, 10), None),
    ("Ends", integers(0, 5), integers(-1, 5), True),
    ("Ends", integers(-1, 7), integers(0, 7), False),
    ("Ends", integers(1, 10), UNKNOWN, None),
    ("SameAs", integers(1, 10), integers(0, 11, "()"), True),
    ("SameAs", integers(1, 10), integers(1, None, "[)"), None),
    ("SameAs", integers(1, 10), integers(2, None, "[)"), False),
    ("SameOrAfter", integers(6, 10), 6, True),
    ("SameOrAfter", D("2.5"), decimals("1.666", "2.50000001"), False),
    ("SameOrBefore", integers(4, 6), 6, True),
    ("SameOrBefore", Quantity(D("1.666"), "g"), grams("1.666", "2.5"), True),
    ("SameOrBefore", integers(4, 6), None, None),
]
PRECISE = [
    ("SameOrAfter", dates("2012-12-01", "2013-12-01"), Date(2012, 11, 15), "month", True),
    ("SameOrAfter", Date(2012, 11, 15), dates("2012-12-01", "2013-12-01"), "month", False),
    ("SameOrBefore", times("10:00:00.000", "19:59:59.999"), times("08:00:00.000", "11:59:59.999"), "hour", False),
    ("ProperIncludes", times("12:00:00.000", "21:59:59.999"), Time(12, 0, 1), "second", True),
    ("ProperIncludes", times("12:00:00.001", "21:59:59.999"), Time(12, 0, 0), "second", False),
    ("ProperIn", Time(12, 0, 0), times("12:00:00.001", "21:59:59.999"), "millisecond", None),
    ("In", utc("2020-01-01T23:00"), instants("2019-01-01", "2020-01-01T10"), "day", True),
    ("In", utc("2020-01-01T23:00"), instants("2019-01-01", "2020-01-01T10", "[)"), "day", False),
    (
        "IncludedIn",
        instants("2017-09-01T00:00:00", "2017-09-01T00:00:00"),
        instants("2017-09-01T00:00:00.000", "2017-12-30T23:59:59.999"),
        "day",
        True,
    ),
    # meets at a precision steps by that precision
    ("Meets", instants("2020-01-01", "2020-01-14T12:00"), instants("2020-01-15T08:00", "2020-02-01"), "day", True),
    ("Meets", instants("2020-01-01", "2020-01-14T12:00"), instants("2020-01-14T12:01", "2020-02-01"), "day", False),
    ("Before", instants("2020-01-01", "2020-01-14T12:00"), instants("2020-01-14T18:00", "2020-02-01"), "day", False),
]


@pytest.mark.parametrize(("name", "left", "right", "answer"), RELATIONS)
def test_relations(name, left, right, answer):
    assert ask(name, left, right) is answer


@pytest.mark.parametrize(("name", "left", "right", "precision", "answer"), PRECISE)
def test_relations_at_a_precision(name, left, right, precision, answer):
    assert ask(name, left, right, precision) is answer


@pytest.mark.parametrize("name", ("In", "IncludedIn", "ProperIn", "ProperIncludedIn"))
def test_membership_in_a_null_interval_is_false(name):
    """In: "If the second argument is null, the result is false"; the converse of each answers the same."""
    converse = {"In": "Contains", "IncludedIn": "Includes", "ProperIn": "ProperContains"}.get(name, "ProperIncludes")
    assert TABLE.exact(name, (T, IntervalType(T))).function(CONTEXT, 5, None, None) is False
    assert TABLE.exact(converse, (IntervalType(T), T)).function(CONTEXT, None, 5, None) is False


@pytest.mark.parametrize(
    ("value", "start", "end"),
    (
        (integers(1, 10), 1, 10),
        (integers(1, 10, "()"), 2, 9),
        (between(Long(1), Long(10), "()"), Long(2), Long(9)),
        (integers(None, None), -(2**31), MAX),
        (integers(None, 5, "(]"), None, 5),
        (UNTYPED, None, None),
        (decimals("1.0", "2.0", "()"), D("1.00000001"), D("1.99999999")),
        (grams("1", None), Quantity(D("1"), "g"), Quantity(D("99999999999999999999.99999999"), "g")),
        (grams("1", "10", "[)"), Quantity(D("1"), "g"), Quantity(D("9.99999999"), "g")),
        (dates("2012-01-01", "2012-02-01", "[)"), Date(2012, 1, 1), Date(2012, 1, 31)),
        (instants("2012", "2014", "()"), utc("2013"), utc("2013")),
        (integers(Uncertainty(1, 3), 9, "(]"), Uncertainty(2, 4), 9),
    ),
)
def test_start_and_end(value, start, end):
    assert TABLE.exact("Start", (IntervalType(T),)).function(value) == start
    assert TABLE.exact("End", (IntervalType(T),)).function(value) == end


@pytest.mark.parametrize(
    ("value", "width", "size"),
    (
        (integers(3, 7), 4, 5),
        (integers(3, 8, "[)"), 4, 5),
        (integers(0, None, "[)"), None, None),
        (integers(None, None), None, None),
        (integers(0, None), MAX, None),
        (decimals("4.0", "15.0"), D("11.0"), D("11.00000001")),
        (grams("5.0", "10.0"), Quantity(D("5.0"), "g"), Quantity(D("5.00000001"), "g")),
    ),
)
def test_width_and_size(value, width, size):
    for name, answer in (("Width", width), ("Size", size)):
        assert TABLE.exact(name, (IntervalType(system(value.point)),)).function(CONTEXT, value) == answer


@pytest.mark.parametrize("name", ("Width", "Size"))
def test_width_of_dates_is_an_error(name):
    with pytest.raises(EvaluationError, match="not defined for intervals of dates"):
        TABLE.exact(name, (IntervalType(ANY),)).function(CONTEXT, dates("2012-01-01", "2012-02-01"))
    assert TABLE.exact(name, (IntervalType(INTEGER),)).result == INTEGER
    assert TABLE.exact(name, (IntervalType(QUANTITY),)).result == QUANTITY


@pytest.mark.parametrize(
    ("value", "point"),
    ((integers(4, 4), 4), (integers(4, 5, "[)"), 4), (UNTYPED, None), (grams("1.0", "1.0"), Quantity(D("1.0"), "g"))),
)
def test_point_from(value, point):
    assert TABLE.exact("PointFrom", (IntervalType(T),)).function(CONTEXT, value) == point


def test_point_from_a_wider_interval_is_an_error():
    with pytest.raises(EvaluationError, match="more than one point"):
        TABLE.exact("PointFrom", (IntervalType(T),)).function(CONTEXT, integers(1, 4))


@pytest.mark.parametrize(
    ("low", "high", "brackets"),
    ((5, 3, "[]"), (5, 5, "[)"), (5, 5, "(]"), (5, 6, "()"), (D(1), D("1.0"), "()"), (Date(2012), Date(2011), "[]")),
)
def test_an_interval_that_ends_before_it_starts_is_an_error(low, high, brackets):
    with pytest.raises(EvaluationError, match="ends before it starts"):
        between(low, high, brackets)


@pytest.mark.parametrize(
    ("low", "high", "point", "tag"),
    (
        (1, 2, None, "Integer"),
        (None, D("2"), None, "Decimal"),
        (None, None, "Date", "Date"),
        (None, None, None, None),
        (utc("2012-05"), utc("2012"), None, "DateTime"),
    ),
)
def test_an_interval_knows_its_point_type(low, high, point, tag):
    """Boundaries whose order is not known are accepted."""
    assert between(low, high, "[]", point).point == tag
