"""Comparison, duration, difference and arithmetic of dates and times, on values (CQL 1.5.3, Appendix B and H)."""

from decimal import Decimal

import pytest

from engine.errors import EvaluationError
from engine.language.values.interval import Uncertainty
from engine.language.values.temporal import (
    Date,
    DateTime,
    Time,
    add_duration,
    compare,
    difference_between,
    duration_between,
    equal,
    equivalent,
    predecessor,
    same,
    successor,
)


def temporal(text: str) -> Date | DateTime | Time:
    """The value of a CQL literal; a DateTime without offset is in UTC."""
    if text.startswith("@T"):
        return Time.parse(text)
    if "T" not in text:
        return Date.parse(text)
    value = DateTime.parse(text)
    return value.with_offset(0) if value.offset_minutes is None else value


# -- "The comparison is performed by considering each precision in order, beginning with years …; if one input has a
# -- value for the precision and the other does not, the comparison stops and the result is null"

ORDER = [
    ("@2014", "@2015", -1),
    ("@2014", "@2014", 0),
    ("@2014", "@2014-05", None),
    ("@2015", "@2014-05", 1),
    ("@2012-01-01T", "@2012-01-01T12", None),
    ("@2012-01-02T", "@2012-01-01T12", 1),
    ("@T10", "@T10:30", None),
    ("@T11", "@T10:30", 1),
    # seconds and milliseconds are combined as a single precision using a decimal
    ("@T10:00:00", "@T10:00:00.000", 0),
    ("@T10:00:00", "@T10:00:00.001", -1),
    ("@2012-01-01T10:00:00Z", "@2012-01-01T10:00:00.0Z", 0),
    # time zones
    ("@2012-03-10T10:20:00.999+07:00", "@2012-03-10T09:20:00.999+06:00", 0),
    ("@2012-03-10T10:20:00.999+07:00", "@2012-03-10T10:20:00.999+06:00", -1),
    ("@2012-03-10T23:30-05:00", "@2012-03-11T05:00+01:00", 1),
    # an hour of a zone with half hours spans two hours elsewhere
    ("@2012-03-10T10+05:30", "@2012-03-10T04:45Z", None),
    ("@2012-03-10T10+05:30", "@2012-03-10T05:30Z", -1),
    ("@2012-03-10T10+05:30", "@2012-03-10T04Z", None),
]


@pytest.mark.parametrize(("left", "right", "order"), ORDER)
def test_order(left, right, order):
    assert compare(temporal(left), temporal(right)) == order
    assert compare(temporal(right), temporal(left)) == (None if order is None else -order)


@pytest.mark.parametrize(
    ("left", "right", "precision", "order"),
    (
        ("@2012-02-01", "@2012-01-01", "month", 1),
        ("@2012-01-01", "@2012-01-31", "month", 0),
        ("@2012-01-01", "@2012", "month", None),
        ("@2012-01-01", "@2011", "month", 1),
        ("@2005-10-10T", "@2005-09T", "day", 1),
        ("@2014-10T", "@2014-10-12T", "day", None),
        ("@2014-10T", "@2014-10T", "day", None),
        ("@2012-03-10T10:20:00.999+07:00", "@2012-03-10T09:20:00.999+06:00", "hour", 0),
        # "normalize … only when the comparison precision is hours, minutes, seconds, or milliseconds"
        ("@2012-03-10T23:00:00-05:00", "@2012-03-11T04:00:00Z", "day", -1),
        ("@2012-03-10T23:00:00-05:00", "@2012-03-11T04:00:00Z", "hour", 0),
        ("@T23:55:25.555", "@T23:55:25.900", "second", 0),
        ("@T23:55:25", "@T23:55:25.900", "second", 0),
        # milliseconds asked for by name are not known of a value in seconds
        ("@T23:55:25", "@T23:55:25.900", "millisecond", None),
    ),
)
def test_order_to_a_precision(left, right, precision, order):
    assert compare(temporal(left), temporal(right), precision) == order
    expected = None if order is None else order == 0
    assert same(temporal(left), temporal(right), precision) is expected


def test_hours_are_those_of_the_evaluation():
    left, right = temporal("@2012-03-10T10:10Z"), temporal("@2012-03-10T10:40Z")
    assert compare(left, right, "hour", 0) == 0
    assert compare(left, right, "hour", 330) == -1


def test_equal_and_equivalent_differ_where_precision_does():
    assert equal(temporal("@2012"), temporal("@2012-01")) is None
    assert equivalent(temporal("@2012"), temporal("@2012-01")) is False
    assert equal(temporal("@2012-01"), temporal("@2012-01")) is True
    assert equivalent(temporal("@2012-01"), temporal("@2012-01")) is True
    assert equal(temporal("@2012-01"), temporal("@2013")) is False


def test_weeks_are_not_compared():
    with pytest.raises(EvaluationError, match="precision 'week' cannot be used"):
        compare(Date(2012), Date(2013), "week")


# -- "the number of whole calendar periods for the specified precision"; Appendix H

DURATIONS = [
    ("year", "@2012-03-10T22:05:09", "@2013-02-18T19:10:03", 0),
    ("year", "@2012-03-10T10:20:00", "@2013-03-10T09:20:00", 0),
    ("year", "@2012-03-10", "@2013-03-10", 1),
    ("year", "@2012-02-20", "@2014-02-10", 1),
    ("year", "@2012-02-29T10:18:56", "@2014-02-28T19:02:34", 2),
    ("year", "@2012-02-20T10:20:56", "@2011-03-19T19:16:02", 0),
    ("year", "@2013-05-15T10:19:55", "@2012-05-10T12:20:25", -1),
    ("year", "@2013-03-20T05:01:30", "@2011-03-30T06:45:50", -1),
    ("year", "@2015-11-05T05:50:45", "@2013-03-29T11:01:05", -2),
    ("month", "@2012-01-01", "@2012-02-01", 1),
    ("month", "@2014-01-31", "@2014-02-01", 0),
    ("month", "@2014-01-31", "@2014-02-28", 1),
    ("month", "@2012-03-10T22:05:09", "@2013-01-09T07:19:33", 9),
    ("month", "@2014-05-10T21:02:45", "@2013-01-08T11:13:06", -16),
    ("month", "@2012-06-11T12:16:17", "@2011-08-21T05:48:02", -9),
    ("week", "@2012-03-10T22:05:09", "@2012-03-20T07:19:33", 1),
    ("week", "@2012-03-10T22:05:09", "@2012-03-24T07:19:33", 1),
    ("week", "@2012-03-10T06:05:09", "@2012-03-24T07:19:33", 2),
    ("week", "@2013-05-26T23:06:11", "@2013-05-12T20:25:30", -2),
    ("day", "@2012-01-31T12:30:00", "@2012-02-01T09:00:00", 0),
    ("day", "@2012-01-31T12:30:00", "@2012-02-01T14:00:00", 1),
    ("day", "@2011-12-05T05:00:00", "@2011-12-04T08:45:00", 0),
    ("day", "@2010-10-12T12:05:00", "@2008-08-15T08:08:00", -788),
    ("day", "@2017-03-12T00:00:00-07:00", "@2017-03-13T00:00:00-06:00", 0),
    ("hour", "@2013-10-10T01:45:00", "@2013-10-09T23:45:00", -2),
    ("hour", "@2013-10-10T12:00:00", "@2013-10-10T11:30:00", 0),
    ("hour", "@2017-03-12T01:00:00-07:00", "@2017-03-12T03:00:00-06:00", 1),
    ("hour", "@2012-01-01T01:00:00", "@2012-01-01T02:00:00.0", 1),
    ("minute", "@2017-11-05T01:30:00-06:00", "@2017-11-05T01:15:00-07:00", 45),
    ("minute", "@T23:20:16.555", "@T23:25:15.555", 4),
    ("second", "@T23:25:10.556", "@T23:25:15.555", 4),
    ("millisecond", "@T23:25:25.555", "@T23:25:25.560", 5),
]


@pytest.mark.parametrize(("precision", "start", "end", "count"), DURATIONS)
def test_duration(precision, start, end, count):
    assert duration_between(precision, temporal(start), temporal(end)) == count


# -- "the between operator does not return a strict integer, it returns an uncertainty"


@pytest.mark.parametrize(
    ("precision", "start", "end", "low", "high"),
    (
        ("day", "@2014-01-15", "@2014-02", 17, 44),
        ("day", "@2014-01-15T", "@2014-02T", 16, 44),
        ("day", "@2017-08-07T17:00", "@2017-08-14T", 6, 7),
        ("day", "@2012-01", "@2012-02", 1, 59),
        ("month", "@2005T", "@2006-05T", 4, 16),
        ("year", "@2005T", "@2010T", 4, 5),
        ("hour", "@T06", "@T07:00:00", 0, 1),
        ("year", "@2000", "@2018", 17, 18),
    ),
)
def test_uncertain_duration(precision, start, end, low, high):
    assert duration_between(precision, temporal(start), temporal(end)) == Uncertainty(low, high)


def test_missing_components_that_do_not_matter_leave_a_number():
    assert duration_between("year", temporal("@2005-05T"), temporal("@2010-04T")) == 4


# -- "the number of boundaries crossed for the specified precision"; "Sunday is considered to be the first day"

DIFFERENCES = [
    ("year", "@2012-12-31", "@2013-01-01", 1),
    ("year", "@2015-05-30T12:30:14", "@2015-01-05T01:14:45", 0),
    ("year", "@2019-01-01T14:40:30", "@2018-12-31T13:30:45", -1),
    ("year", "@2000T", "@2005-12T", 5),
    ("month", "@2013-05-30T12:15:15", "@2013-01-15T13:01:45", -4),
    ("month", "@2012-01-01", "@2012-02-01", 1),
    ("week", "@2000-10-15", "@2000-10-28", 1),
    ("week", "@2000-10-15", "@2000-10-29", 2),
    ("week", "@2012-03-10T22:05:09", "@2012-03-24T07:19:33", 2),
    ("week", "@2012-03-10", "@2012-03-11", 1),
    ("week", "@2012-03-11", "@2012-03-10", -1),
    ("day", "@2016-10-10T09:00:00", "@2016-10-11T11:59:00", 1),
    ("day", "@2017-11-14T11:30:00", "@2017-11-12T13:00:00", -2),
    ("day", "@2017-03-12T00:00:00-07:00", "@2017-03-13T00:00:00-06:00", 1),
    ("hour", "@2017-03-12T01:12:05.1-05:00", "@2017-03-12T03:22:27.6-04:00", 1),
    ("hour", "@2011-06-29T15:45:59-05:00", "@2011-06-29T13:30:12-04:00", -3),
    ("hour", "@T20", "@T23:25:15.555", 3),
    ("minute", "@2016-10-31T04:30:17-04:00", "@2016-10-31T02:45:55-05:00", -45),
    ("millisecond", "@2000-10-10T10:05:45.500-06:00", "@2000-10-10T10:05:45.900-07:00", 3600400),
    ("millisecond", "@T20:20:15.555", "@T20:20:15.550", -5),
]


@pytest.mark.parametrize(("precision", "start", "end", "count"), DIFFERENCES)
def test_difference(precision, start, end, count):
    assert difference_between(precision, temporal(start), temporal(end)) == count


@pytest.mark.parametrize(
    ("precision", "start", "end", "low", "high"),
    (
        ("month", "@2012-01-02", "@2012", 0, 11),
        ("month", "@2005T", "@2006-07T", 7, 18),
        ("millisecond", "@T10:00:00", "@T10:00:00.500", -499, 500),
    ),
)
def test_uncertain_difference(precision, start, end, low, high):
    assert difference_between(precision, temporal(start), temporal(end)) == Uncertainty(low, high)


@pytest.mark.parametrize("between", (duration_between, difference_between))
def test_between_refuses_a_precision_the_type_lacks(between):
    with pytest.raises(EvaluationError, match="precision 'hour' cannot be used with a Date"):
        between("hour", Date(2012), Date(2013))
    with pytest.raises(EvaluationError, match="precision 'week' cannot be used with a Time"):
        between("week", Time(10), Time(11))


# -- Language Semantics, table 5-I; "converting the time-based quantity to the most precise value specified in the
# -- first argument (truncating any resulting decimal portion)"

SUMS = [
    ("@2012-02-29T", "1", "year", "@2013-02-28T"),
    ("@2014-01-31", "1", "month", "@2014-02-28"),
    ("@2012-03-31", "-1", "month", "@2012-02-29"),
    ("@2005-05-10T", "10", "month", "@2006-03-10T"),
    ("@2018-05-02T", "3", "week", "@2018-05-23T"),
    ("@2016-06-10T", "21", "day", "@2016-07-01T"),
    ("@2016-06-10T05", "19", "hour", "@2016-06-11T00"),
    ("@2005-05-10T", "25", "hour", "@2005-05-11T"),
    ("@2016-06-10T05:05:05.005", "-6", "millisecond", "@2016-06-10T05:05:04.999"),
    ("@2014", "24", "month", "@2016"),
    ("@2014", "25", "month", "@2016"),
    ("@2014T", "18", "month", "@2015T"),
    ("@2014T", "-18", "month", "@2013T"),
    ("@2014T", "735", "day", "@2016T"),
    ("@2014T", "104", "week", "@2015T"),
    ("@2014-06", "33", "day", "@2014-07"),
    ("@2014-06", "-33", "day", "@2014-05"),
    ("@2016-05T", "-31535999", "second", "@2015-05T"),
    ("@2016-01-01", "-1.1", "year", "@2015-01-01"),
    ("@T10:00:00.000", "1.5", "second", "@T10:00:01.500"),
    ("@T10:00:00", "1.5", "second", "@T10:00:01"),
    ("@T15:59:59.999", "1", "millisecond", "@T16:00:00.000"),
    ("@T15:59:59.999", "300", "minute", "@T20:59:59.999"),
]


@pytest.mark.parametrize(("value", "amount", "precision", "result"), SUMS)
def test_add_duration(value, amount, precision, result):
    assert add_duration(temporal(value), Decimal(amount), precision) == temporal(result)


@pytest.mark.parametrize(
    ("value", "amount", "precision"),
    (
        ("@2005-10-10T", 8000, "year"),
        ("@2005-10-10T", -2005, "year"),
        ("@9999-12", 1, "month"),
        ("@9999-12-31", 1, "day"),
        ("@0001-01-01T00:00:00.000", -1, "millisecond"),
        ("@T23:00", 60, "minute"),
        ("@2000-01-01", 10**30, "day"),
    ),
)
def test_out_of_range_is_none(value, amount, precision):
    assert add_duration(temporal(value), amount, precision) is None


def test_a_time_has_no_days():
    with pytest.raises(EvaluationError, match="years and months cannot be added to a Time"):
        add_duration(Time(10), 1, "month")


# -- "adding a time-unit quantity for the lowest specified precision of the value"


@pytest.mark.parametrize(
    ("value", "after"),
    (
        ("@2014", "@2015"),
        ("@2014-12", "@2015-01"),
        ("@2013-12-31", "@2014-01-01"),
        ("@1999-12-31T", "@2000-01-01T"),
        ("@2014-01-01T23:59", "@2014-01-02T00:00"),
        ("@T11:59:59.999", "@T12:00:00.000"),
    ),
)
def test_steps(value, after):
    assert successor(temporal(value)) == temporal(after)
    assert predecessor(temporal(after)) == temporal(value)


@pytest.mark.parametrize("value", ("@9999", "@9999-12-31", "@9999-12-31T23:59:59.999", "@T23:59:59.999"))
def test_nothing_comes_after_the_last(value):
    assert successor(temporal(value)) is None


@pytest.mark.parametrize("value", ("@0001", "@0001-01-01", "@0001-01-01T00:00:00.000", "@T00"))
def test_nothing_comes_before_the_first(value):
    assert predecessor(temporal(value)) is None


# -- the ends of time, shifted by an offset


def test_durations_at_the_ends_of_time():
    first = DateTime(1, 1, 1, 0, 0, 0, 0, 0)
    last = DateTime(9999, 12, 31, 23, 59, 59, 999, 0)
    assert duration_between("year", first, last, -300) == 9998
    assert difference_between("hour", first, last, 840) == 87_649_415
    assert compare(first, last, None, -840) == -1
