"""Laws of dates and times: what must hold whatever the values (CQL 1.5.3, Appendix B; Language Semantics)."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.language.values import Date, DateTime, Time, Uncertainty
from engine.language.values.temporal import (
    DATE_PRECISIONS,
    PRECISIONS,
    TIME_PRECISIONS,
    add_duration,
    compare,
    difference_between,
    duration_between,
    high_boundary,
    low_boundary,
    predecessor,
    successor,
)

LAW = settings(max_examples=150)
OFFSETS = [-600, -300, 0, 60, 330, 840]
_RANK = {name: rank for rank, name in enumerate(PRECISIONS)}


def cut(kind, components, count, *rest):
    return kind(*components[:count], *[None] * (len(components) - count), *rest)


ONE_TO_THREE, ONE_TO_FOUR, ONE_TO_SEVEN = st.integers(1, 3), st.integers(1, 4), st.integers(1, 7)
ALL_YEARS, INNER_YEARS = st.integers(1, 9999), st.integers(2, 9998)


def dates(count=ONE_TO_THREE, years=ALL_YEARS):
    days = st.one_of(st.integers(1, 28), st.just(31))

    def build(year, month, day, parts):
        while True:
            try:
                return cut(Date, (year, month, day), parts)
            except ValueError:
                day -= 1

    return st.builds(build, years, st.integers(1, 12), days, count)


def times(count=ONE_TO_FOUR):
    parts = st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
    return st.builds(lambda components, known: cut(Time, components, known), parts, count)


def datetimes(count=ONE_TO_SEVEN, years=INNER_YEARS):
    def build(date, time, known, offset):
        parts = (date.year, date.month, date.day, time.hour, time.minute, time.second, time.millisecond)
        return cut(DateTime, parts, known, offset)

    return st.builds(build, dates(st.just(3), years), times(st.just(4)), count, st.sampled_from(OFFSETS))


NEAR = st.integers(2019, 2021)
pairs = st.one_of(
    st.tuples(dates(), dates()),
    st.tuples(dates(years=NEAR), dates(years=NEAR)),
    st.tuples(times(), times()),
    st.tuples(datetimes(), datetimes()),
    st.tuples(datetimes(years=NEAR), datetimes(years=NEAR)),
)
values = st.one_of(dates(), times(), datetimes())
complete = st.one_of(dates(st.just(3)), times(st.just(4)), datetimes(st.just(7)))


def precisions(value):
    return {Date: DATE_PRECISIONS, Time: TIME_PRECISIONS, DateTime: PRECISIONS}[type(value)]


def ends(result):
    return (result.low, result.high) if isinstance(result, Uncertainty) else (result, result)


def in_evaluation(value):
    """A DateTime without hours as evaluation has it: at the offset of the evaluation, here UTC."""
    return value.with_offset(0) if isinstance(value, DateTime) and value.hour is None else value


@LAW
@given(values)
def test_text_and_back(value):
    if isinstance(value, DateTime) and value.hour is None:
        value = DateTime(value.year, value.month, value.day)
    assert type(value).parse(str(value)) == value


@LAW
@given(values)
def test_a_value_is_the_same_as_itself(value):
    assert compare(value, value) == 0
    assert compare(value, value, value.precision) == 0


@LAW
@given(pairs, st.data())
def test_order_is_antisymmetric(pair, data):
    left, right = pair
    precision = data.draw(st.sampled_from([None, *precisions(left)]))
    order = compare(left, right, precision, 0)
    assert compare(right, left, precision, 0) == (None if order is None else -order)


@LAW
@given(st.one_of(st.tuples(dates(), dates(), dates()), st.tuples(datetimes(), datetimes(), datetimes())))
def test_before_is_transitive(three):
    first, second, third = three
    if compare(first, second, None, 0) == -1 and compare(second, third, None, 0) == -1:
        assert compare(first, third, None, 0) == -1


@LAW
@given(pairs, st.data())
def test_a_decided_order_holds_for_every_completion(pair, data):
    left, right = pair
    order = compare(left, right)
    left_whole = data.draw(st.sampled_from([low_boundary(left), high_boundary(left)]))
    right_whole = data.draw(st.sampled_from([low_boundary(right), high_boundary(right)]))
    if order in (-1, 1) and "second" not in (left.precision, right.precision):
        assert compare(left_whole, right_whole) == order


@LAW
@given(pairs, st.data())
def test_a_coarser_order_never_contradicts_a_finer_one(pair, data):
    left, right = pair
    precision = data.draw(st.sampled_from(precisions(left)[-4:]))
    fine, coarse = compare(left, right, None, 0), compare(left, right, precision, 0)
    if (
        fine is not None
        and coarse is not None
        and (_RANK[precision] >= _RANK["hour"] or not isinstance(left, DateTime))
    ):
        assert coarse in (0, fine)


@LAW
@given(datetimes(), st.sampled_from(OFFSETS))
def test_another_offset_is_the_same_instant(value, offset):
    assert compare(value, value.normalised(offset)) == 0
    assert value.normalised(offset).normalised(value.offset_minutes) == value


@LAW
@given(complete, st.integers(-10_000, 10_000), st.data())
def test_subtracting_undoes_adding_where_lengths_are_fixed(value, amount, data):
    precision = data.draw(st.sampled_from([p for p in precisions(value) if p not in ("year", "month")]))
    moved = add_duration(value, amount, precision)
    assume(moved is not None)
    assert add_duration(moved, -amount, precision) == value
    assert duration_between(precision, value, moved) == amount
    assert difference_between(precision, value, moved) == amount


@LAW
@given(st.one_of(dates(st.just(3)), datetimes(st.just(7))), st.integers(-500, 500))
def test_adding_months_keeps_the_day_or_takes_the_last(value, months):
    moved = add_duration(value, months, "month")
    assume(moved is not None)
    assert moved.day == value.day or add_duration(Date(moved.year, moved.month, moved.day), 1, "day").day == 1
    assert difference_between("month", value, moved) == months
    if months >= 0:
        assert duration_between("month", value, moved) == months


@LAW
@given(pairs, st.data())
def test_no_more_whole_periods_than_boundaries(pair, data):
    """A whole year, month, day … crosses a boundary of its kind (at one offset), so |duration| <= |difference|."""
    start, end = low_boundary(pair[0]), low_boundary(pair[1])
    if isinstance(start, DateTime):
        start, end = start.normalised(0), end.normalised(0)
    precision = data.draw(st.sampled_from(precisions(start)))
    duration, difference = duration_between(precision, start, end), difference_between(precision, start, end)
    assert abs(duration) <= abs(difference) <= abs(duration) + 1


@LAW
@given(pairs, st.data())
def test_an_uncertainty_contains_the_exact_answer(pair, data):
    left, right = (in_evaluation(value) for value in pair)
    precision = data.draw(st.sampled_from(precisions(left)))
    start = data.draw(st.sampled_from([low_boundary(left), high_boundary(left)]))
    end = data.draw(st.sampled_from([low_boundary(right), high_boundary(right)]))
    for between in (duration_between, difference_between):
        low, high = ends(between(precision, left, right, 0))
        exact = between(precision, start, end, 0)
        assert low <= high
        # a value in seconds means .000 for everything but milliseconds, so its last millisecond is no completion
        if precision == "millisecond" or "second" not in (left.precision, right.precision):
            assert low <= exact <= high


@LAW
@given(pairs, st.data())
def test_differences_are_antisymmetric(pair, data):
    precision = data.draw(st.sampled_from(list(precisions(pair[0]))))
    low, high = ends(difference_between(precision, *pair, 0))
    assert ends(difference_between(precision, pair[1], pair[0], 0)) == (-high, -low)


@LAW
@given(pairs, st.data())
def test_order_to_a_precision_is_the_sign_of_the_difference(pair, data):
    """Language Semantics: "A same day as B can be evaluated as difference in days between A and B = 0"."""
    precision = data.draw(st.sampled_from(precisions(pair[0])))
    low, high = ends(difference_between(precision, *pair, 0))
    order = compare(*pair, precision, 0)
    expected = -1 if low > 0 else 1 if high < 0 else 0 if low == high == 0 else None
    assert order == expected


@LAW
@given(values)
def test_boundaries_enclose_the_value(value):
    low, high = low_boundary(value), high_boundary(value)
    assert low.precision == high.precision == ("day" if isinstance(value, Date) else "millisecond")
    assert compare(low, high) in (-1, 0)
    assert low_boundary(low, value.precision) == value == high_boundary(high, value.precision)


@LAW
@given(values)
def test_predecessor_undoes_successor(value):
    following = successor(value)
    if following is not None:
        assert compare(value, following) == -1
        assert following.precision == value.precision
        assert predecessor(following) == value
        assert difference_between(value.precision, value, following) == 1
