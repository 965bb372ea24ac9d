"""The contested tests of the official suite: what this engine answers, why, and where the specification says so.

Contested are 47 tests that contradict the text of the specification, or that the text lets one read in two ways.
`answer` is the value as CQL, or the phase of the error. A test evaluates each and compares.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading, for the tests that need it. `agrees` tells whether the suite expects the same answer."""

    tests: tuple[str, ...]
    answer: str
    agrees: bool
    why: str
    source: str


def _tests(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}/{name}" for name in names)


ARITHMETIC = "CqlArithmeticFunctionsTest"
INTERVALS = "CqlIntervalOperatorsTest"
LISTS = "CqlListOperatorsTest"
DECIMALS = "ValueLiteralsAndSelectors/Decimal"
DATES = "CqlDateTimeOperatorsTest"

READINGS: tuple[Reading, ...] = (
    Reading(
        _tests(f"{ARITHMETIC}/Exp", "Exp1000", "Exp1000D") + _tests(f"{ARITHMETIC}/Ln", "Ln0", "LnNeg0"), "null", False,
        "A result that cannot be represented is null; the tests want an error.", "Appendix B, Exp and Ln",
    ),
    Reading(
        _tests(f"{ARITHMETIC}/Predecessor", "PredecessorUnderflowDt", "PredecessorUnderflowT")
        + _tests(f"{ARITHMETIC}/Successor", "SuccessorOverflowDt", "SuccessorOverflowT"), "null", False,
        "The step beyond the first or last value of a type is null; the tests want an error.",
        "Appendix B, Predecessor and Successor",
    ),
    Reading(
        _tests(f"{ARITHMETIC}/Floor", "FloorIntegerGreaterThanMaxInteger", "FloorIntegerLessThanMinInteger"),
        "syntax error", False,
        "A whole number beyond the Integers is no Integer literal. The suite says the same of Ceiling of such a number "
        "and of the number alone, but expects null here.", "Appendix B, Integer",
    ),
    Reading(
        _tests("CqlStringOperatorsTest/Substring", "SubstringEmptyAnd0"), "null", False,
        "An empty string has no position 0, and a start outside the string makes null.", "Appendix B, Substring",
    ),
    Reading(
        _tests("CqlComparisonOperatorsTest/Equal", "TupleEqDifferentNamesWithOneNullId"), "false", False,
        "Tuples are equal when all their elements are; one pair that differs decides, whatever is null beside it.",
        "Appendix B, Equal",
    ),
    Reading(
        _tests("CqlComparisonOperatorsTest/Not Equal", "TupleNotEqDifferingNamesWithOneNullId"), "true", False,
        "The negation of the reading for Equal.", "Appendix B, Not Equal",
    ),
    Reading(
        _tests("CqlTypeOperatorsTest/ToTime", "ToTime2", "ToTime3", "ToTime4"), "null", False,
        "The format of ToTime has no offset, and a Time has none; a text with one is not of the format.",
        "Appendix B, ToTime",
    ),
    Reading(
        _tests(f"{LISTS}/Sort", "simpleSortAsc"), "{1, 2, 4, 5, 6}", False,
        "A query without a return clause eliminates duplicates, sorted or not.", "Developer's Guide, queries",
    ),
    Reading(
        _tests(f"{LISTS}/Sort", "simpleSortDesc"), "{6, 5, 4, 2, 1}", False,
        "As for simpleSortAsc.", "Developer's Guide, queries",
    ),
    Reading(
        _tests(f"{DATES}/Uncertainty tests", "TimeDurationBetweenHourDiffPrecision2"),
        "uncertain between 0 and 1", False,
        "A time known to the hour may lie less than a whole hour before the other.", "Language Semantics, Uncertainty",
    ),
    Reading(
        _tests(f"{DATES}/Uncertainty tests", "DateTimeDurationBetweenUncertainInterval"), "uncertain between 16 and 44",
        False,
        "A DateTime known to the day may be any time of it, so that the least number of whole days is 16. The tests "
        "that calculate with the same duration expect this range; the 17 of the text stands beside a Date.",
        "Language Semantics, Uncertainty",
    ),
    Reading(
        _tests(f"{DATES}/Subtract", "DateTimeSubtract1YearInSeconds"), "true", True,
        "A quantity finer than the value is cut to whole units of its precision: seconds to days, days to months of "
        "30, months to years; 31,535,999 seconds are 12 months.", "Appendix B, Date and Time Operators, Subtract",
    ),
    Reading(
        _tests(f"{INTERVALS}/In", "TestInNullBoundaries"), "true", False,
        "A closed null boundary is the end of the type, and 5 lies between the ends of the Integers.",
        "Appendix B, Start, End and In",
    ),
    Reading(
        _tests("CqlAggregateTest/AggregateTests", "RolledOutIntervals"),
        "{Interval[@2012-01-01T, @2012-02-28T], Interval[@2012-02-29T, @2012-04-28T], "
        "Interval[@2012-04-29T, @2012-06-28T]}", False,
        "The accumulator is declared with intervals of DateTime, so that the result has them; the test writes Dates.",
        "Developer's Guide, aggregate queries",
    ),
    Reading(
        _tests(
            DECIMALS, "Decimal10Pow28ToZeroOneStepDecimalMaxValue", "DecimalPos10Pow28ToZeroOneStepDecimalMaxValue",
            "DecimalNeg10Pow28ToZeroOneStepDecimalMinValue",
        ),
        "semantic error", False,
        "The literal has more digits before the point than a Decimal can; the suite elsewhere has the same greatest "
        "Decimal as the text.", "Appendix B, Decimal and Maximum",
    ),
    Reading(
        _tests(DECIMALS, "DecimalTenthStep", "DecimalPosTenthStep", "DecimalNegTenthStep"), "semantic error", True,
        "A Decimal literal has at most eight digits after the point; calculated values and data keep all of theirs.",
        "Appendix B, Decimal",
    ),
    Reading(
        _tests(f"{LISTS}/ProperContains", "ProperContains9") + _tests(f"{LISTS}/ProperIn", "ProperIn9"), "true", False,
        "'a' is in the list and is not its only element; the null beside it is an element, not a doubt.",
        "Appendix B, List Operators, Properly Includes",
    ),
    Reading(
        _tests(f"{LISTS}/ProperContains", "ProperContains5", "ProperContains7")
        + _tests(f"{LISTS}/ProperIn", "ProperIn5", "ProperIn7"), "false", True,
        "Inclusion is about sets: a list of the same element twice has no other element.",
        "Appendix B, List Operators, Properly Includes",
    ),
    Reading(
        _tests(f"{LISTS}/ProperlyIncludes", "ProperlyIncludesNullLeft")
        + _tests(f"{LISTS}/ProperlyIncludedIn", "ProperlyIncludedInNulRight"), "null", True,
        "An untyped null beside a list is a null list, and of two lists either null makes null; an example of the text "
        "has false.", "Appendix B, List Operators, Properly Includes",
    ),
    Reading(
        _tests(f"{LISTS}/Includes", "IncludesNullRight") + _tests(f"{LISTS}/IncludedIn", "IncludedInNullLeft"),
        "null", True,
        "Includes and included in are null for a null element, as the text of the one and the examples of both say; "
        "contains and in look for a null in the list.", "Appendix B, List Operators, Includes and Included In",
    ),
    Reading(
        _tests(f"{INTERVALS}/Intersect", "TestIntersectNull"), "Interval[5, null)", True,
        "Where the intersection ends is unknown, and an open null boundary says so; that it ends by 10 is not kept.",
        "Appendix B, Intersect and End",
    ),
    Reading(
        _tests("CqlStringOperatorsTest/toString tests", "DateTimeToString2"), "'2000-01-01T15:25:25.300+00:00'", False,
        "A DateTime with a time has an offset, its own or that of the run, and the format of ToString writes it.",
        "Appendix B, ToString and DateTime",
    ),
    Reading(
        _tests(f"{INTERVALS}/Overlaps", "TestOverlapsNull")
        + _tests(f"{INTERVALS}/OverlapsBefore", "TestOverlapsBeforeNull")
        + _tests(f"{INTERVALS}/OverlapsAfter", "TestOverlapsAfterNull") + _tests(f"{INTERVALS}/Union", "TestUnionNull"),
        "null", True,
        "Interval[null, null] keeps no point type when it meets an interval of Integers, and Any has no first and last "
        "value.", "Appendix B, Start and End",
    ),
    Reading(
        _tests(f"{INTERVALS}/ProperlyIncludedIn", "IntegerIntervalProperlyIncludedInNullBoundaries"), "null", False,
        "As for TestOverlapsNull; the suite takes the same interval for one of Integers here.",
        "Appendix B, Start and End",
    ),
    Reading(
        _tests(f"{INTERVALS}/Collapse", "TestCollapseNull"), "{Interval(null, null)}", False,
        "Only nulls are left out, and an interval with unknown boundaries is an interval.", "Appendix B, Collapse",
    ),
)  # fmt: skip
"""All readings; each contested test is in exactly one."""
