"""Date and time operators and ages, called through the table (CQL 1.5.3, Appendix B)."""

from decimal import Decimal

import pytest

import engine.language.operators.clinical_age
import engine.language.operators.datetime  # noqa: F401  (both fill the table)
from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.registry import TABLE
from engine.language.types.datatype import DATE, DATETIME, DECIMAL, INTEGER, QUANTITY, TIME
from engine.language.values import Date, DateTime, Quantity, Time, Uncertainty
from engine.terminology.units import Units

NOW = DateTime(2026, 3, 15, 23, 30, 15, 250, -300)
CONTEXT = Context(now=NOW, units=Units())
UTC = Context(now=NOW.normalised(0), units=Units())


def call(name, *operands, precision=None, context=CONTEXT):
    """The operator's answer, its overload found by the types of the operands."""
    kinds = {int: INTEGER, Decimal: DECIMAL, Quantity: QUANTITY, Date: DATE, DateTime: DATETIME, Time: TIME}
    overload = TABLE.exact(name, tuple(kinds[type(operand)] for operand in operands))
    last = (precision,) if overload.precision else ()
    return overload.function(*([context] if overload.context else []), *operands, *last)


def construct(name, *components):
    """A constructor's answer: its overload is the one of that many operands, which may be null."""
    overload = next(o for o in TABLE.overloads(name) if len(o.operands) == len(components))
    return overload.function(*([CONTEXT] if overload.context else []), *components)


def temporal(text):
    """The value of a CQL literal; a DateTime without offset is at the offset of the evaluation."""
    if text.startswith("@T"):
        return Time.parse(text)
    if "T" not in text:
        return Date.parse(text)
    value = DateTime.parse(text)
    return value.with_offset(CONTEXT.offset_minutes) if value.offset_minutes is None else value


def quantity(text):
    value, unit = text.split(" ")
    return Quantity(Decimal(value), unit)


# -- "At least one component must be specified, and no component may be specified at a precision below an unspecified
# -- precision"; "If timezoneOffset is not specified, it is defaulted to the timezone offset of the evaluation request"


@pytest.mark.parametrize(
    ("name", "components", "value"),
    (
        ("Date", (2012,), Date(2012)),
        ("Date", (2012, 1, 1), Date(2012, 1, 1)),
        ("Date", (2012, None), Date(2012)),
        ("Date", (2012, None, None), Date(2012)),
        ("Date", (None,), None),
        ("Date", (None, None, None), None),
        ("DateTime", (2003,), DateTime(2003, offset_minutes=-300)),
        ("DateTime", (2003, 10, 29, 20), DateTime(2003, 10, 29, 20, offset_minutes=-300)),
        ("DateTime", (2003, 10, 29, 20, 50, 33, 955), DateTime(2003, 10, 29, 20, 50, 33, 955, -300)),
        ("DateTime", (2003, 10, 29, 20, 50, None, None), DateTime(2003, 10, 29, 20, 50, offset_minutes=-300)),
        ("DateTime", (2012, 1, 1, 12, 30, 0, 0, Decimal(-7)), DateTime(2012, 1, 1, 12, 30, 0, 0, -420)),
        ("DateTime", (2012, 1, 1, 12, 30, 0, 0, Decimal("5.75")), DateTime(2012, 1, 1, 12, 30, 0, 0, 345)),
        ("DateTime", (2012, 1, 1, 12, 30, 0, 0, None), DateTime(2012, 1, 1, 12, 30, 0, 0, -300)),
        ("DateTime", (None, None), None),
        ("DateTime", (None, None, None, None, None, None, None, Decimal(1)), None),
        ("Time", (12, 30), Time(12, 30)),
        ("Time", (12, 30, 0, 0), Time(12, 30, 0, 0)),
        ("Time", (12, None), Time(12)),
        ("Time", (None, None), None),
    ),
)
def test_construction(name, components, value):
    assert construct(name, *components) == value


@pytest.mark.parametrize(
    ("name", "components", "sentence"),
    (
        ("Date", (2012, None, 1), r"Date\(2012, null, 1\) is no valid Date: a date with a day needs a month"),
        ("Date", (None, 1, 1), "a date needs a year"),
        ("Date", (2014, 2, 29), "2014-02 has no day 29"),
        ("DateTime", (2012, 1, 1, 12, None, 0, 0), "a time with a second needs every coarser component"),
        ("DateTime", (10000,), "year 10000 is outside 1 to 9999"),
        ("DateTime", (2012, 1, 1, 12, 30, 0, 0, Decimal(15)), "time zone offset 15 is no valid offset"),
        ("DateTime", (2012, 1, 1, 12, 30, 0, 0, Decimal("0.001")), "in whole minutes"),
        ("Time", (24,), "hour 24 is outside 0 to 23"),
        ("Time", (None, 30), "a Time needs an hour"),
    ),
)
def test_impossible_components_are_an_error(name, components, sentence):
    with pytest.raises(EvaluationError, match=sentence):
        construct(name, *components)


# -- "returns the specified component …; If the argument is … not specified to the level of precision being extracted,
# -- the result is null"


@pytest.mark.parametrize(
    ("value", "precision", "component"),
    (
        ("@2003-10-29T20:50:33.955", "year", 2003),
        ("@2003-10-29T20:50:33.955", "month", 10),
        ("@2003-10-29T20:50:33.955", "hour", 20),
        ("@2003-10-29T20:50:33.955+09:00", "hour", 20),
        ("@2003-10-29T20:50:33.955", "millisecond", 955),
        ("@2003-10-29T20:50:33", "millisecond", None),
        ("@2012T", "month", None),
        ("@2012-05", "month", 5),
        ("@2012-05", "day", None),
        ("@T23:20:15.555", "minute", 20),
        ("@T23", "minute", None),
    ),
)
def test_components(value, precision, component):
    assert call("DateTimeComponentFrom", temporal(value), precision=precision) == component


@pytest.mark.parametrize(("value", "precision"), (("@2012-01-01", "hour"), ("@T10", "day"), ("@2012T", "week")))
def test_components_the_type_lacks_are_an_error(value, precision):
    with pytest.raises(EvaluationError, match=f"precision '{precision}' cannot be used"):
        call("DateTimeComponentFrom", temporal(value), precision=precision)


def test_date_and_time_from_are_those_of_the_evaluation():
    """ "Implementations should normalize to the timezone offset of the evaluation request timestamp"."""
    late = temporal("@2012-01-02T03:30:00.000Z")
    assert call("DateFrom", late) == Date(2012, 1, 1)
    assert call("TimeFrom", late) == Time(22, 30, 0, 0)
    assert call("DateFrom", late, context=UTC) == Date(2012, 1, 2)
    assert call("TimeFrom", temporal("@2012-01-02T")) is None
    assert call("DateFrom", temporal("@2012-01T")) == Date(2012, 1)


def test_offset_is_in_hours():
    assert call("TimezoneOffsetFrom", temporal("@2012-01-02T03:30:00.000-07:00")) == Decimal(-7)
    assert call("TimezoneOffsetFrom", temporal("@2012-01-02T03:30:00.000+05:45")) == Decimal("5.75")


def test_now_is_the_timestamp_of_the_evaluation():
    """ "The operation will always return the same value within any given evaluation"."""
    assert call("Now") == NOW
    assert call("Today") == Date(2026, 3, 15)
    assert call("TimeOfDay") == Time(23, 30, 15, 250)


# -- "respecting variable length periods for calendar years and months"


@pytest.mark.parametrize(
    ("value", "amount", "result"),
    (
        ("@2005-10-10T", "5 years", "@2010-10-10T"),
        ("@2012-02-29T", "1 year", "@2013-02-28T"),
        ("@2018-05-23T", "52 weeks", "@2019-05-22T"),
        ("@2005-05-10", "5 d", "@2005-05-15"),
        ("@2005-05-10", "1 wk", "@2005-05-17"),
        ("@2016-06-10T05:05:05", "55 s", "@2016-06-10T05:06:00"),
        ("@2014", "25 months", "@2016"),
        ("@2014-06", "33 days", "@2014-07"),
        ("@T15:59:59.999", "1 minute", "@T16:00:59.999"),
    ),
)
def test_add(value, amount, result):
    assert call("Add", temporal(value), quantity(amount)) == temporal(result)
    negated = Quantity(-quantity(amount).value, quantity(amount).unit)
    assert call("Subtract", temporal(value), negated) == temporal(result)


@pytest.mark.parametrize(
    ("value", "amount", "result"),
    (
        ("@2014-06", "33 days", "@2014-05"),
        ("@2014T", "18 months", "@2013T"),
        ("@2016-01-01", "1.1 years", "@2015-01-01"),
        ("@T15:59:59.000", "1 ms", "@T15:59:58.999"),
    ),
)
def test_subtract(value, amount, result):
    assert call("Subtract", temporal(value), quantity(amount)) == temporal(result)


# -- "it is an error to attempt to add a definite-duration time-valued unit above days (and weeks)"; "For Date values,
# -- the quantity unit must be one of: years, months, weeks, or days"; "If the resulting year is out of range, an error
# -- is thrown"


@pytest.mark.parametrize(
    ("value", "amount", "sentence"),
    (
        ("@2005-10-10T", "1 a", "unit 'a' cannot be added to or subtracted from a DateTime; use years, months"),
        ("@2005-10-10", "1 mo", "unit 'mo' cannot be added"),
        ("@2005-10-10", "5 mg", "unit 'mg' cannot be added"),
        ("@2005-10-10", "5 hours", "from a Date; use years, months, weeks, days$"),
        ("@T10:00", "5 days", "from a Time; use hours, minutes, seconds, milliseconds$"),
        ("@2005-10-10T", "8000 years", "leaves the years 1 to 9999"),
        ("@9999-12-31", "1 day", r"9999-12-31 \+ 1 day leaves the years"),
    ),
)
def test_addition_errors(value, amount, sentence):
    with pytest.raises(EvaluationError, match=sentence):
        call("Add", temporal(value), quantity(amount))


def test_unknown_sums():
    assert call("Add", temporal("@T23:00"), quantity("2 hours")) is None
    assert call("Add", temporal("@2012"), Quantity(None, "years")) is None


# -- After, Before, Same As: "if either input has no value for the precision, the comparison stops and the result is
# -- null"

COMPARISONS = [
    # left, right, precision, SameAs, Before, After, SameOrBefore, SameOrAfter
    ("@2012-02-01", "@2012-01-01", "month", False, False, True, False, True),
    ("@2012-01-01", "@2012-01-01", "month", True, False, False, True, True),
    ("@2012-01-01", "@2012", "month", None, None, None, None, None),
    ("@2012-01-01", "@2012-01-02", None, False, True, False, True, False),
    ("@2012-01-01", "@2012-01", None, None, None, None, None, None),
    ("@2014-12-20T", "@2014-12-20T15", "minute", None, None, None, None, None),
    ("@2012-03-10T10:20:00.999+07:00", "@2012-03-10T09:20:00.999+06:00", "hour", True, False, False, True, True),
    ("@2012-03-10T10:20:00.999+07:00", "@2012-03-10T08:20:00.999+06:00", "hour", False, False, True, False, True),
    ("@2017-12-20T11:00:00.000", "@2017-12-20T11:00:00.000", None, True, False, False, True, True),
    ("@T22:25:25.555", "@T23:25:25.555", "hour", False, True, False, True, False),
    ("@T23:55:25.555", "@T23:55:25.900", "second", True, False, False, True, True),
]


@pytest.mark.parametrize(("left", "right", "precision", "same", "before", "after", "to", "since"), COMPARISONS)
def test_comparison_to_a_precision(left, right, precision, same, before, after, to, since):
    names = {"SameAs": same, "Before": before, "After": after, "SameOrBefore": to, "SameOrAfter": since}
    for name, answer in names.items():
        assert call(name, temporal(left), temporal(right), precision=precision) is answer, name


def test_hours_are_counted_at_the_offset_of_the_evaluation():
    half = Context(now=NOW.with_offset(330), units=Units())
    left, right = temporal("@2012-03-10T10:10Z"), temporal("@2012-03-10T10:40Z")
    assert call("SameAs", left, right, precision="hour") is True
    assert call("SameAs", left, right, precision="hour", context=half) is False
    assert call("DifferenceBetween", left, right, precision="hour", context=half) == 1


# -- duration and difference: the tables are in tests/values; here the way they are called


@pytest.mark.parametrize(
    ("name", "precision", "start", "end", "answer"),
    (
        ("DurationBetween", "month", "@2012-01-01", "@2012-02-01", 1),
        ("DurationBetween", "day", "@2014-01-15T", "@2014-02T", Uncertainty(16, 44)),
        ("DurationBetween", "hour", "@T20:26:15.555", "@T23:25:15.555", 2),
        ("DurationBetween", "second", "@1900-01-01T00:00:00", "@2000-01-01T00:00:00", 3155673600),
        ("DifferenceBetween", "month", "@2012-01-02", "@2012", Uncertainty(0, 11)),
        ("DifferenceBetween", "week", "@2000-10-15T", "@2000-10-29T", 2),
        ("DifferenceBetween", "millisecond", "@T20:20:15.555", "@T20:20:15.550", -5),
    ),
)
def test_between(name, precision, start, end, answer):
    assert call(name, temporal(start), temporal(end), precision=precision) == answer


# -- "The CalculateAge operators are defined in terms of a datetime duration calculation"


@pytest.mark.parametrize(
    ("birth", "precision", "age"),
    (
        ("@2000-03-15", "year", 26),
        ("@2000-03-16", "year", 25),
        ("@2008-02-29", "year", 18),
        ("@2026-01-16", "month", 1),
        ("@2026-03-01", "week", 2),
        ("@2000", "year", Uncertainty(25, 26)),
        ("@2000-04", "year", 25),
        ("@2026-03-15T20:45:00.000", "hour", 2),
        ("@2026-03-16T03:30:00.000Z", "minute", 60),
        ("@2000-03-15T23:45", "year", 25),
    ),
)
def test_age(birth, precision, age):
    assert call("CalculateAge", temporal(birth), precision=precision) == age


def test_age_at():
    assert call("CalculateAgeAt", Date(2000, 1, 1), Date(2015, 1, 1), precision="year") == 15
    assert call("CalculateAgeAt", Date(2000, 1, 1), Date(2015), precision="year") == 15
    assert call("CalculateAgeAt", Date(2000, 6), Date(2015), precision="year") == Uncertainty(14, 15)
    start, end = temporal("@2000-01-01T12:00"), temporal("@2000-01-02T11:00")
    assert call("CalculateAgeAt", start, end, precision="day") == 0


def test_age_in_hours_needs_a_time():
    with pytest.raises(EvaluationError, match="precision 'hour' cannot be used with a Date"):
        call("CalculateAge", Date(2000, 1, 1), precision="hour")
