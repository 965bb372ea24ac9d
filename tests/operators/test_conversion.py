"""Conversions: cases of Appendix B, "Type Operators", the official CqlTypeOperatorsTest, and the readings taken."""

from decimal import Decimal

import pytest

from engine.language.evaluation.context import Context
from engine.language.operators import TABLE
from engine.language.operators.conversion import codes_to_concept, system_type
from engine.language.types.datatype import ANY
from engine.language.values import Code, Concept, Date, DateTime, Interval, Long, Quantity, Ratio, Time, Tuple
from engine.terminology.units import Units

CONTEXT = Context(now=DateTime(2020, 1, 1, 12, 0, 0, 0, 120), units=Units())
A, B = Code("a", "http://s", display="A"), Code("b", "http://s")


def convert(name, *operands):
    """Calls the overload of a conversion for the types of the operands, or for Any."""
    types = tuple(map(system_type, operands))
    chosen = [o for o in TABLE.overloads(name) if o.operands in (types, (ANY,))]
    assert len(chosen) == 1, f"{name}{types}"
    return chosen[0].function(CONTEXT, *operands) if chosen[0].context else chosen[0].function(*operands)


CASES = [
    *(("ToBoolean", text, True) for text in ("true", "t", "yes", "y", "1", "TRUE", "Y")),
    *(("ToBoolean", text, False) for text in ("false", "f", "no", "n", "0", "NO", "False")),
    *(("ToBoolean", text, None) for text in ("falsetto", "", " true", "01", "1.0")),
    ("ToBoolean", 1, True),
    ("ToBoolean", 0, False),
    ("ToBoolean", 2, None),
    ("ToBoolean", Long(1), True),
    ("ToBoolean", Decimal("1.0"), True),
    ("ToBoolean", Decimal("0.0"), False),
    ("ToBoolean", Decimal("0.1"), None),
    ("ToInteger", "-25", -25),
    ("ToInteger", "+007", 7),
    ("ToInteger", "2147483647", 2147483647),
    ("ToInteger", "2147483648", None),
    ("ToInteger", "-2147483648", -2147483648),
    ("ToInteger", "9" * 100_000, None),
    ("ToInteger", "0" * 100_000 + "5", 5),
    *(("ToInteger", text, None) for text in ("foo", "", "1.0", "1e3", " 1", "1 ", "+-1", "--1", "٣", "1_0")),
    ("ToInteger", True, 1),
    ("ToInteger", False, 0),
    ("ToInteger", Long(5), 5),
    ("ToInteger", Long(2**31), None),
    ("ToLong", "-1", Long(-1)),
    ("ToLong", "9223372036854775807", Long(2**63 - 1)),
    ("ToLong", "9223372036854775808", None),
    ("ToLong", "one", None),
    ("ToLong", 5, Long(5)),
    ("ToLong", True, Long(1)),
    ("ToDecimal", "+25.5", Decimal("25.5")),
    ("ToDecimal", "-0.1", Decimal("-0.1")),
    ("ToDecimal", "1.50", Decimal("1.50")),
    ("ToDecimal", "99999999999999999999.99999999", Decimal("99999999999999999999.99999999")),
    ("ToDecimal", "100000000000000000000", None),
    ("ToDecimal", "0.123456789", Decimal("0.123456789")),
    ("ToDecimal", "0." + "1" * 200, None),
    ("ToDecimal", "9" * 100_000, None),
    *(("ToDecimal", text, None) for text in ("+-0.1", "1e1000000", "1e3", ".5", "5.", "NaN", "Infinity", "", "1,5")),
    ("ToDecimal", True, Decimal("1.0")),
    ("ToDecimal", False, Decimal("0.0")),
    ("ToDecimal", 5, Decimal(5)),
    ("ToDecimal", Long(5), Decimal(5)),
    ("ToQuantity", "5.5 'cm'", Quantity(Decimal("5.5"), "cm")),
    ("ToQuantity", "-0.1 'mg'", Quantity(Decimal("-0.1"), "mg")),
    ("ToQuantity", "5'mg'", Quantity(Decimal("5"), "mg")),
    ("ToQuantity", "5", Quantity(Decimal("5"), "1")),
    ("ToQuantity", "5 days", Quantity(Decimal("5"), "days")),
    ("ToQuantity", "1 year", Quantity(Decimal("1"), "year")),
    ("ToQuantity", "5 'days'", Quantity(Decimal("5"), "days")),
    *(("ToQuantity", t, None) for t in ("444 'cm", "5 mg", "5 'no such unit'", "5 ''", "'mg'", "1e3 'mg'", " 5", "5 ")),
    ("ToQuantity", "100000000000000000000 'mg'", None),
    ("ToQuantity", Decimal("0.1"), Quantity(Decimal("0.1"), "1")),
    ("ToQuantity", 13, Quantity(Decimal("13"), "1")),
    ("ToQuantity", Long(13), Quantity(Decimal("13"), "1")),
    ("ToQuantity", Ratio(Quantity(Decimal(6), "mg"), Quantity(Decimal(3), "mL")), Quantity(Decimal(2), "mg/mL")),
    ("ToQuantity", Ratio(Quantity(Decimal(6), "mg"), Quantity(Decimal(0), "mL")), None),
    ("ToRatio", "1.0 'mg':2.0 'mg'", Ratio(Quantity(Decimal("1.0"), "mg"), Quantity(Decimal("2.0"), "mg"))),
    ("ToRatio", "1:128", Ratio(Quantity(Decimal("1"), "1"), Quantity(Decimal("128"), "1"))),
    *(("ToRatio", text, None) for text in ("1.0 'mg';2.0 'mg'", "1", "1:", ":1", "1:2:3", "1 : 2", "1 'x x':2")),
    ("ToString", True, "true"),
    ("ToString", False, "false"),
    ("ToString", -5, "-5"),
    ("ToString", Long(10000), "10000"),
    ("ToString", Decimal("18.55"), "18.55"),
    ("ToString", Decimal("5"), "5.0"),
    ("ToString", Decimal("1.50"), "1.50"),
    ("ToString", Decimal("0.00000001"), "0.00000001"),
    ("ToString", Decimal("1E+3"), "1000.0"),
    ("ToString", Decimal("-0.0"), "0.0"),
    ("ToString", Quantity(Decimal("125"), "cm"), "125 'cm'"),
    ("ToString", Quantity(Decimal("5.5"), "cm"), "5.5 'cm'"),
    ("ToString", Quantity(Decimal("-0.1"), "mg"), "-0.1 'mg'"),
    ("ToString", Quantity(None, "mg"), None),
    ("ToString", Ratio(Quantity(Decimal("-0.1"), "mg"), Quantity(Decimal("0.1"), "mg")), "-0.1 'mg':0.1 'mg'"),
    ("ToString", Date(2012, 1, 1), "2012-01-01"),
    ("ToString", Date(2012, 1), "2012-01"),
    ("ToString", DateTime(2000, 1, 1, offset_minutes=0), "2000-01-01"),
    ("ToString", DateTime(2000, 1, 1, 8, 25, 25, 300, -420), "2000-01-01T08:25:25.300-07:00"),
    ("ToString", DateTime(2000, 1, 1, 15, 25, 25, 300, 0), "2000-01-01T15:25:25.300+00:00"),
    ("ToString", Time(9, 30, 1, 3), "09:30:01.003"),
    ("ToDate", "2014-01", Date(2014, 1)),
    ("ToDate", "2014-01-01", Date(2014, 1, 1)),
    ("ToDate", "2014-01-01T12:30:00", Date(2014, 1, 1)),
    ("ToDate", "2014-01-01T12:30:00.000+02:00", Date(2014, 1, 1)),
    *(
        ("ToDate", t, None)
        for t in ("2014/01/01", "2014-13", "2014-02-30", "@2014", "", "14", "2014-01-01T25", "2014-1")
    ),
    ("ToDate", DateTime(2014, 5, 6, 7, offset_minutes=0), Date(2014, 5, 6)),
    ("ToDate", DateTime(2014, offset_minutes=0), Date(2014)),
    # without an offset, that of the evaluation request
    ("ToDateTime", "2014-01-01", DateTime(2014, 1, 1, offset_minutes=120)),
    ("ToDateTime", "2014-01-01T12:05", DateTime(2014, 1, 1, 12, 5, offset_minutes=120)),
    ("ToDateTime", "2014-01-01T12:05:05.955", DateTime(2014, 1, 1, 12, 5, 5, 955, 120)),
    ("ToDateTime", "2014-01-01T12:05:05.955+01:30", DateTime(2014, 1, 1, 12, 5, 5, 955, 90)),
    ("ToDateTime", "2014-01-01T12:05:05.955-01:15", DateTime(2014, 1, 1, 12, 5, 5, 955, -75)),
    ("ToDateTime", "2014-01-01T12:05:05.955Z", DateTime(2014, 1, 1, 12, 5, 5, 955, 0)),
    *(
        ("ToDateTime", t, None)
        for t in ("2014/01/01T12:05:05.955Z", "2014-01-01T", "@2014-01-01", "2014-01-01 12:05", "")
    ),
    ("ToDateTime", Date(2014, 1, 1), DateTime(2014, 1, 1, offset_minutes=120)),
    ("ToDateTime", Date(2014), DateTime(2014, offset_minutes=120)),
    ("ToTime", "14:30:00.0", Time(14, 30, 0, 0)),
    ("ToTime", "T14:30:00.0", Time(14, 30, 0, 0)),
    ("ToTime", "14:30", Time(14, 30)),
    *(
        ("ToTime", text, None)
        for text in ("T14-30-00.0", "T14:30:00.0Z", "T14:30:00.0+05:30", "24:00", "@T14", "", "T")
    ),
    ("ToConcept", A, Concept((A,), "A")),
    ("ToConcept", [A, B], Concept((A, B))),
]


@pytest.mark.parametrize(("name", "operand", "answer"), CASES)
def test_conversion(name, operand, answer):
    result = convert(name, operand)
    assert result == answer
    assert type(result) is type(answer)
    if isinstance(answer, Decimal):
        assert str(result) == str(answer), "a decimal keeps its digits"


@pytest.mark.parametrize(("name", "operand", "answer"), [case for case in CASES if case[0] != "ToConcept"])
def test_converts_to_says_what_the_conversion_does(name, operand, answer):
    assert convert(name.replace("To", "ConvertsTo"), operand) is (answer is not None)


@pytest.mark.parametrize(
    ("name", "operand", "answer"),
    (
        ("ConvertsToBoolean", True, True),
        ("ConvertsToInteger", 5, True),
        ("ConvertsToInteger", Decimal("5.0"), False),
        ("ConvertsToLong", Long(5), True),
        ("ConvertsToDecimal", Decimal("5.0"), True),
        ("ConvertsToString", "x", True),
        ("ConvertsToString", Interval(1, 2), False),
        ("ConvertsToDate", Date(2014), True),
        ("ConvertsToDate", Time(14), False),
        ("ConvertsToDateTime", Date(2014), True),
        ("ConvertsToTime", Time(14), True),
        ("ConvertsToQuantity", Quantity(Decimal(1), "g"), True),
        ("ConvertsToRatio", Quantity(Decimal(1), "g"), False),
        ("ConvertsToInteger", Tuple({"a": 1}), False),
        ("ConvertsToInteger", [1], False),
    ),
)
def test_converts_to_a_value_of_the_type_or_none(name, operand, answer):
    """Returns true if its argument is or can be converted to a value of the type."""
    assert convert(name, operand) is answer


@pytest.mark.parametrize(
    ("value", "unit", "target", "answer"),
    (
        ("5", "mg", "g", "0.005"),
        ("5", "mg", "mg", "5"),
        ("5", "mg", "cm", None),
        ("5", "mg", "no unit", None),
        ("99999999999999999999", "kg", "ug", None),
        ("2", "days", "h", "48"),
        ("2", "years", "months", "24"),
        ("2", "years", "d", None),
    ),
)
def test_convert_quantity(value, unit, target, answer):
    """The result is an equivalent Quantity with the target unit; otherwise, the result is null."""
    result = TABLE.overloads("ConvertQuantity")[0].function(CONTEXT, Quantity(Decimal(value), unit), target)
    can = TABLE.overloads("CanConvertQuantity")[0].function(CONTEXT, Quantity(Decimal(value), unit), target)
    assert result == (None if answer is None else Quantity(Decimal(answer), target))
    assert can is (answer is not None)


@pytest.mark.parametrize(("operand", "answer"), ((1, [1]), (None, []), ([1], [[1]])))
def test_to_list(operand, answer):
    assert TABLE.overloads("ToList")[0].function(operand) == answer


def test_null_elements_of_a_list_are_no_codes_of_a_concept():
    assert codes_to_concept([A, None]) == Concept((A,))
