"""Laws: a conversion there and back is the same value; an aggregate is the fraction it is defined as."""

from decimal import Decimal
from fractions import Fraction
from statistics import median

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.language.evaluation.context import Context
from engine.language.operators import aggregate as ag
from engine.language.operators import conversion as conv
from engine.language.operators import string as strings
from engine.language.values import Date, DateTime, Long, Quantity, Ratio, Time
from engine.language.values.json import encode, to_plain
from engine.language.values.numbers import INTEGER_MAX, INTEGER_MIN, LONG_MAX, LONG_MIN
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 0), units=Units())
INTEGERS = st.integers(INTEGER_MIN, INTEGER_MAX)
LONGS = st.integers(LONG_MIN, LONG_MAX).map(Long)
DECIMALS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=4)
FINE = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1 - 10**20, 10**20 - 1), st.integers(0, 8)
)
QUANTITIES = st.builds(Quantity, FINE, st.sampled_from(("mg", "10*9/L", "days", "year", "1", "mmol/L", "{score}")))
DATES = st.dates().map(lambda d: Date(d.year, d.month, d.day))
DATETIMES = st.builds(
    lambda d, offset: DateTime(d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond // 1000, offset),
    st.datetimes(),
    st.integers(-840, 840),
)
TIMES = st.times().map(lambda t: Time(t.hour, t.minute, t.second, t.microsecond // 1000))
LISTS = st.lists(DECIMALS, min_size=1, max_size=12)
STEP = Fraction(1, 10**8)


@given(INTEGERS, LONGS, FINE, st.booleans())
def test_to_string_and_back_for_simple_values(integer, long, decimal, boolean):
    """The result of any ToString must be round-trippable back to the source value."""
    assert conv.string_to_integer(conv.integer_to_string(integer)) == integer
    assert conv.string_to_long(conv.integer_to_string(long)) == long
    assert conv.string_to_decimal(conv.decimal_to_string(decimal)) == decimal
    assert conv.string_to_boolean(conv.boolean_to_string(boolean)) is boolean


@given(QUANTITIES, QUANTITIES)
def test_to_string_and_back_for_quantities(first, second):
    assert conv.string_to_quantity(CONTEXT, conv.quantity_to_string(first)) == first
    ratio = Ratio(first, second)
    assert conv.string_to_ratio(CONTEXT, conv.ratio_to_string(ratio)) == ratio


@given(DATES, DATETIMES, TIMES, st.integers(1, 7))
def test_to_string_and_back_for_dates_and_times(day, instant, time, known):
    """At every precision."""
    assert conv.string_to_date(conv.temporal_to_string(day)) == day
    assert conv.string_to_datetime(CONTEXT, conv.temporal_to_string(instant)) == instant
    assert conv.string_to_time(conv.temporal_to_string(time)) == time
    parts = (instant.year, instant.month, instant.day, instant.hour, instant.minute, instant.second)[:known]
    cut = DateTime(*parts, offset_minutes=0)
    assert conv.string_to_datetime(CONTEXT, conv.temporal_to_string(cut)) == cut


@given(st.text(max_size=30))
def test_a_text_converts_or_is_null_but_never_fails(text):
    for function in (conv.string_to_boolean, conv.string_to_integer, conv.string_to_decimal, conv.string_to_date):
        function(text)
    for function in (conv.string_to_quantity, conv.string_to_ratio, conv.string_to_datetime):
        function(CONTEXT, text)
    integer = conv.string_to_integer(text)
    assert integer is None or conv.string_to_long(text) == integer == conv.string_to_decimal(text)


@given(
    st.text(st.characters(codec="utf-8"), max_size=20), st.text(st.characters(codec="utf-8"), min_size=1, max_size=2)
)
def test_split_and_combine_are_inverse(text, separator):
    assert strings.combine_with_separator(CONTEXT, strings.split(CONTEXT, text, separator), separator) == text


@given(st.text("ab", max_size=12), st.text("ab", max_size=3))
def test_positions(text, pattern):
    """The first appearance is not after the last, and both are appearances."""
    first, last = strings.position_of(pattern, text), strings.last_position_of(pattern, text)
    assert (first < 0) == (last < 0)
    assert first <= last == text.rfind(pattern)
    assert first < 0 or text[last:].startswith(pattern)


@given(LISTS)
def test_sum_mean_and_variance_are_the_fractions_they_are_defined_as(values):
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    squares = sum((value - mean) ** 2 for value in exact)
    assert Fraction(ag.sum_decimal(values)) == sum(exact)
    assert _close(ag.average_decimal(values), mean)
    assert Fraction(ag.median_decimal(values)) == median(exact)
    assert _close_or_out_of_range(ag.population_variance_decimal(values), squares / len(exact))
    if len(values) > 1:
        assert _close_or_out_of_range(ag.variance_decimal(values), squares / (len(exact) - 1))


@given(st.lists(st.decimals(-1000, 1000, places=3), min_size=2, max_size=10))
def test_a_standard_deviation_is_the_root_to_eight_places(values):
    variance, deviation = Fraction(ag.variance_decimal(values)), Fraction(ag.standard_deviation_decimal(values))
    assert deviation >= 0
    assert max(deviation - STEP, 0) ** 2 <= variance <= (deviation + STEP) ** 2


@given(st.lists(st.decimals("0.1", 1000, places=2), min_size=1, max_size=6))
def test_a_geometric_mean_is_the_root_of_the_product_to_eight_places(values):
    product, mean = Fraction(1), Fraction(ag.geometric_mean(values))
    for value in values:
        product *= Fraction(value)
    assert (mean - STEP) ** len(values) <= product <= (mean + STEP) ** len(values)


@given(st.lists(st.one_of(st.none(), DECIMALS), max_size=8), st.randoms(use_true_random=False))
def test_nulls_and_order_do_not_matter(values, random):
    shuffled = [value for value in values if value is not None]
    random.shuffle(shuffled)
    for function in (ag.sum_decimal, ag.average_decimal, ag.median_decimal, ag.variance_decimal, ag.product_decimal,
                     ag.maximum, ag.minimum):  # fmt: skip
        assert function(values) == function(shuffled)
    assert ag.mode(CONTEXT, values) == ag.mode(CONTEXT, shuffled)
    assert ag.count(values) == len(shuffled)


@given(st.lists(INTEGERS, max_size=10))
def test_a_sum_of_integers_is_exact_or_null(values):
    total = sum(values)
    expected = total if values and INTEGER_MIN <= total <= INTEGER_MAX else None
    assert ag.sum_integer(values) == expected


@given(FINE)
def test_a_decimal_is_an_exact_json_number(value):
    written = encode(to_plain([value]))
    assert msgspec.json.Decoder(list[Decimal]).decode(written) == [value]


def _close(result, exact):
    """Exact where the quotient ends; otherwise cut only at the digits of the decimal context."""
    return abs(Fraction(result) - exact) <= abs(exact) * Fraction(1, 10**98)


def _close_or_out_of_range(result, exact):
    return exact >= 10**20 - 1 if result is None else _close(result, exact)
