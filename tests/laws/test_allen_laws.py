"""Allen's relations between intervals: exactly one holds of any two, and each operator is a union of them.

J. F. Allen, "Maintaining knowledge about temporal intervals" (1983). In CQL the points are discrete, so *before* means
that a point lies between the intervals, else they meet.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.types.datatype import IntervalType, TypeParameter
from engine.language.values import Date, DateTime, Interval
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
T = TypeParameter("T")
CONVERSE = {
    "Before": "After",
    "MeetsBefore": "MeetsAfter",
    "Includes": "IncludedIn",
    "ProperIncludes": "ProperIncludedIn",
    "SameOrBefore": "SameOrAfter",
    "Meets": "Meets",
    "Overlaps": "Overlaps",
    "SameAs": "SameAs",
}


@st.composite
def integer_intervals(draw):
    """Non-empty, closed or open at either side."""
    first, last = sorted((draw(st.integers(1, 8)), draw(st.integers(1, 8))))
    low_closed, high_closed = draw(st.booleans()), draw(st.booleans())
    return Interval(
        first if low_closed else first - 1, last if high_closed else last + 1, low_closed, high_closed, "Integer"
    )


@st.composite
def date_intervals(draw):
    value = draw(integer_intervals())
    return Interval(
        Date(2020, 1, value.low + 5), Date(2020, 1, value.high + 5), value.low_closed, value.high_closed, "Date"
    )


@st.composite
def unbounded_intervals(draw):
    """As above, but a boundary may be null: the extreme of the type when closed, unknown when open."""
    value = draw(integer_intervals())
    low, high = draw(st.sampled_from((value.low, None))), draw(st.sampled_from((value.high, None)))
    return Interval(low, high, value.low_closed, value.high_closed, "Integer")


def pairs(strategy):
    return st.tuples(strategy, strategy)


PAIRS = pairs(integer_intervals()) | pairs(date_intervals())


def ask(name, left, right):
    shape = tuple(IntervalType(T) if isinstance(v, Interval) else T for v in (left, right))
    return TABLE.exact(name, shape).function(CONTEXT, left, right, None)


def relations(left, right):
    """The thirteen relations, each from the operators of CQL."""
    same, meets, overlaps = ask("SameAs", left, right), ask("Meets", left, right), ask("Overlaps", left, right)
    starts, ends = ask("Starts", left, right), ask("Ends", left, right)
    started, ended = ask("Starts", right, left), ask("Ends", right, left)
    within, around = ask("ProperIncludedIn", left, right), ask("ProperIncludes", left, right)
    apart = overlaps and not (within or around or same)
    return {
        "before": ask("Before", left, right) and not meets,
        "after": ask("After", left, right) and not meets,
        "meets": ask("MeetsBefore", left, right),
        "met by": ask("MeetsAfter", left, right),
        "equal": same,
        "starts": starts and not same,
        "started by": started and not same,
        "finishes": ends and not same,
        "finished by": ended and not same,
        "during": within and not starts and not ends,
        "contains": around and not started and not ended,
        "overlaps": apart and ask("OverlapsBefore", left, right),
        "overlapped by": apart and ask("OverlapsAfter", left, right),
    }


@given(PAIRS)
@settings(max_examples=300)
def test_exactly_one_relation_holds(pair):
    assert [holds for holds in relations(*pair).values() if holds] == [True], relations(*pair)


@given(PAIRS)
@settings(max_examples=200)
def test_operators_agree_with_the_points(pair):
    """The points of both intervals, counted out, answer the same."""
    left, right = pair
    ours, theirs = set(points(left)), set(points(right))
    assert ask("Overlaps", left, right) is bool(ours & theirs)
    assert ask("Includes", left, right) is (ours >= theirs)
    assert ask("ProperIncludes", left, right) is (ours > theirs)
    assert ask("Before", left, right) is (max(ours) < min(theirs))
    assert ask("Meets", left, right) is (not ours & theirs and len(points_between(ours, theirs)) == 0)
    assert ask("SameAs", left, right) is (ours == theirs)


def points(value):
    low, high = (v if isinstance(v, int) else v.day for v in (value.low, value.high))
    return range(low + (not value.low_closed), high + value.high_closed)


def points_between(ours, theirs):
    return set(range(min(ours | theirs), max(ours | theirs) + 1)) - ours - theirs


@given(pairs(unbounded_intervals()))
@settings(max_examples=200)
def test_converse_operators_answer_the_same(pair):
    left, right = pair
    for name, converse in CONVERSE.items():
        assert ask(name, left, right) is ask(converse, right, left), name


@given(unbounded_intervals(), st.integers(0, 9))
@settings(max_examples=200)
def test_in_and_contains_are_one_question(value, point):
    answer = ask("In", point, value)
    assert ask("Contains", value, point) is answer
    assert ask("IncludedIn", point, value) is answer
    assert ask("ProperIn", point, value) is ask("ProperContains", value, point)
    if ask("ProperIn", point, value):
        assert answer is True
    unit = Interval(point, point, True, True, "Integer")
    if answer is not None:
        assert ask("IncludedIn", unit, value) is answer


@given(pairs(unbounded_intervals()), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=300)
def test_an_answer_holds_for_every_value_of_an_unknown_boundary(pair, low, high):
    """Filling in an unknown boundary never turns true into false or false into true."""
    left, right = pair
    filled = Interval(
        left.low if left.low is not None or left.low_closed else low - 1,
        left.high if left.high is not None or left.high_closed else high + 1,
        left.low_closed,
        left.high_closed,
        "Integer",
    )
    if not points_of(filled):
        return
    for name in (*CONVERSE, *CONVERSE.values(), "Starts", "Ends", "OverlapsBefore", "OverlapsAfter"):
        answer = ask(name, left, right)
        if answer is not None:
            assert ask(name, filled, right) is answer, name


def points_of(value):
    low = -(2**31) if value.low is None else value.low + (not value.low_closed)
    high = 2**31 - 1 if value.high is None else value.high - (not value.high_closed)
    return low <= high
