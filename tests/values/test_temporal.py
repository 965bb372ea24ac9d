"""Date, DateTime and Time: construction, texts, offsets (CQL 1.5.3, Appendix B "Types")."""

import dataclasses

import pytest

from engine.errors import EvaluationError
from engine.language.values.temporal import Date, DateTime, Time, check_precision, high_boundary, low_boundary

# -- "CQL supports date values in the range @0001-01-01 to @9999-12-31", with real calendar days


@pytest.mark.parametrize(
    ("construct", "sentence"),
    (
        (lambda: Date(0), "year 0 is outside 1 to 9999"),
        (lambda: Date(10000), "year 10000 is outside"),
        (lambda: Date(2014, 13), "month 13 is outside 1 to 12"),
        (lambda: Date(2014, 2, 29), "2014-02 has no day 29"),
        (lambda: Date(1900, 2, 29), "1900-02 has no day 29"),
        (lambda: Date(2014, None, 1), "a date with a day needs a month"),
        (lambda: DateTime(2014, 1, None, 10), "a DateTime with an hour needs a day"),
        (lambda: DateTime(2014, 1, 1, 24), "hour 24 is outside 0 to 23"),
        (lambda: DateTime(2014, 1, 1, None, 5), "a time with a minute needs every coarser component"),
        (lambda: DateTime(2014, 1, 1, 10, 0, 0, 1000), "millisecond 1000 is outside 0 to 999"),
        (lambda: DateTime(2014, offset_minutes=841), "offset 841 minutes is outside -14:00 to \\+14:00"),
        (lambda: DateTime(2014, offset_minutes=-841), "is outside -14:00"),
        (lambda: Time(10, None, 5), "a time with a second needs every coarser component"),
        (lambda: Time(10, 60), "minute 60 is outside 0 to 59"),
    ),
)
def test_impossible_values_are_refused_with_a_sentence(construct, sentence):
    with pytest.raises(ValueError, match=sentence):
        construct()


def test_leap_days_of_the_gregorian_calendar():
    assert Date(2000, 2, 29).day == 29
    assert Date(2012, 2, 29).day == 29


def test_values_are_frozen_and_structurally_equal():
    value = DateTime(2014, 1, 1, 10, offset_minutes=60)
    assert value == DateTime(2014, 1, 1, 10, offset_minutes=60)
    assert hash(value) == hash(DateTime(2014, 1, 1, 10, offset_minutes=60))
    assert value != DateTime(2014, 1, 1, 9, offset_minutes=0)
    assert Date(2014) != DateTime(2014)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.hour = 11  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "precision"),
    (
        (Date(2014), "year"),
        (Date(2014, 1), "month"),
        (Date(2014, 1, 1), "day"),
        (DateTime(2014), "year"),
        (DateTime(2014, 1, 1, 0), "hour"),
        (DateTime(2014, 1, 1, 0, 0, 0), "second"),
        (DateTime(2014, 1, 1, 0, 0, 0, 0), "millisecond"),
        (Time(0), "hour"),
        (Time(0, 0), "minute"),
        (Time(0, 0, 0, 0), "millisecond"),
    ),
)
def test_precision_is_the_finest_component(value, precision):
    assert value.precision == precision


# -- texts of CQL literals and of FHIR

DATE_TEXTS = [
    ("2012", Date(2012)),
    ("2012-01", Date(2012, 1)),
    ("2012-01-31", Date(2012, 1, 31)),
    ("@0001-01-01", Date(1, 1, 1)),
]

DATETIME_TEXTS = [
    ("2012", DateTime(2012)),
    ("2012T", DateTime(2012)),
    ("2012-01", DateTime(2012, 1)),
    ("@2012-01T", DateTime(2012, 1)),
    ("2012-01-01", DateTime(2012, 1, 1)),
    ("2012-01-01T", DateTime(2012, 1, 1)),
    ("2012-01-01T10", DateTime(2012, 1, 1, 10)),
    ("2012-01-01T10Z", DateTime(2012, 1, 1, 10, offset_minutes=0)),
    ("2012-01-01T10:30", DateTime(2012, 1, 1, 10, 30)),
    ("2012-01-01T10:30:15", DateTime(2012, 1, 1, 10, 30, 15)),
    ("2012-01-01T10:00:00.000+05:30", DateTime(2012, 1, 1, 10, 0, 0, 0, 330)),
    ("2012-01-01T10:00:00.5-02:00", DateTime(2012, 1, 1, 10, 0, 0, 500, -120)),
    ("2012-01-01T10:00:00.123987Z", DateTime(2012, 1, 1, 10, 0, 0, 123, 0)),
]

TIME_TEXTS = [
    ("10", Time(10)),
    ("T10:30", Time(10, 30)),
    ("@T10:30:15", Time(10, 30, 15)),
    ("10:30:15.5", Time(10, 30, 15, 500)),
    ("10:30:15.0009", Time(10, 30, 15, 0)),
]


@pytest.mark.parametrize(("text", "value"), DATE_TEXTS)
def test_date_of_text(text, value):
    assert Date.parse(text) == value


@pytest.mark.parametrize(("text", "value"), DATETIME_TEXTS)
def test_datetime_of_text(text, value):
    assert DateTime.parse(text) == value


@pytest.mark.parametrize(("text", "value"), TIME_TEXTS)
def test_time_of_text(text, value):
    assert Time.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    (
        (Date, ""),
        (Date, "12"),
        (Date, "2012-1-1"),
        (Date, "2012-02-30"),
        (Date, "2012-01-01T"),
        (Date, "２０１２"),
        (Date, " 2012"),
        (DateTime, "2012T10"),
        (DateTime, "2012-01-01 10:00"),
        (DateTime, "2012-01-01T10:00:00+15:00"),
        (DateTime, "2012-01-01T10:00:00+05:75"),
        (DateTime, "2012-01-01TZ"),
        (DateTime, "2012-01-01T25"),
        (Time, "T"),
        (Time, "10:30Z"),
        (Time, "24:00"),
        (Time, "1:30"),
    ),
)
def test_text_that_is_no_value_is_refused(kind, text):
    with pytest.raises(ValueError, match=r"\w+ .*\w+"):
        kind.parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    (
        (Date(1, 2), "0001-02"),
        (Date(2012, 1, 31), "2012-01-31"),
        (DateTime(2012, offset_minutes=60), "2012"),
        (DateTime(2012, 1, 1, 10, offset_minutes=0), "2012-01-01T10+00:00"),
        (DateTime(2012, 1, 1, 10, 0, 0, 5, -570), "2012-01-01T10:00:00.005-09:30"),
        (DateTime(2012, 1, 1, 10), "2012-01-01T10"),
        (Time(9, 5), "09:05"),
        (Time(9, 5, 0, 7), "09:05:00.007"),
    ),
)
def test_text_shows_only_what_is_known(value, text):
    assert str(value) == text


# -- offsets


@pytest.mark.parametrize(
    ("value", "offset", "expected"),
    (
        ("2012-03-10T10:20:00.999+07:00", 0, "2012-03-10T03:20:00.999+00:00"),
        ("2012-03-10T01:20+07:00", 0, "2012-03-09T18:20+00:00"),
        ("2012-12-31T23-05:00", 0, "2013-01-01T04+00:00"),
        ("2012-03-10T10:20:30+05:30", -120, "2012-03-10T02:50:30-02:00"),
    ),
)
def test_normalised_is_the_same_instant_elsewhere(value, offset, expected):
    assert str(DateTime.parse(value).normalised(offset)) == expected


def test_a_day_is_not_shifted():
    assert DateTime(2012, 3, 10, offset_minutes=420).normalised(0) == DateTime(2012, 3, 10, offset_minutes=0)


def test_what_cannot_be_shifted_stays_the_same_instant():
    half = DateTime(2012, 3, 10, 10, offset_minutes=330)
    assert half.normalised(0) == half
    first = DateTime(1, 1, 1, 0, 0, 0, 0, 0)
    assert first.normalised(-300) == first


def test_with_offset_keeps_the_components():
    assert DateTime(2012, 3, 10, 10, offset_minutes=0).with_offset(60) == DateTime(2012, 3, 10, 10, offset_minutes=60)


# -- boundaries: the least and greatest value a partial value may mean


@pytest.mark.parametrize(
    ("value", "precision", "low", "high"),
    (
        (Date(2014), None, Date(2014, 1, 1), Date(2014, 12, 31)),
        (Date(2014, 2), None, Date(2014, 2, 1), Date(2014, 2, 28)),
        (Date(2012, 2), "day", Date(2012, 2, 1), Date(2012, 2, 29)),
        (Date(2014), "month", Date(2014, 1), Date(2014, 12)),
        (Date(2014, 5, 6), "year", Date(2014), Date(2014)),
        (Time(10, 30), None, Time(10, 30, 0, 0), Time(10, 30, 59, 999)),
        (DateTime(2014, 1, 1, 8, offset_minutes=60), "minute", DateTime(2014, 1, 1, 8, 0, offset_minutes=60),
         DateTime(2014, 1, 1, 8, 59, offset_minutes=60)),
        (DateTime(2014, 2, offset_minutes=0), None, DateTime(2014, 2, 1, 0, 0, 0, 0, 0),
         DateTime(2014, 2, 28, 23, 59, 59, 999, 0)),
    ),
)  # fmt: skip
def test_boundaries(value, precision, low, high):
    assert low_boundary(value, precision) == low
    assert high_boundary(value, precision) == high


@pytest.mark.parametrize(
    ("value", "precision"), ((Date(2014), "hour"), (Time(10), "day"), (DateTime(2014), "week"), (Date(2014), "eon"))
)
def test_a_precision_the_type_lacks_is_an_error(value, precision):
    with pytest.raises(EvaluationError, match=f"precision '{precision}' cannot be used with a {type(value).__name__}"):
        check_precision(value, precision)
