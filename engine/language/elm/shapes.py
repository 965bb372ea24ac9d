"""The shapes of ELM's operators in JSON: which elements hold the operands of each.

Source: CQL 1.5.3, "Logical Specification". Most operators keep their operands in ``operand``: one object for a unary
operator, a list for all others. The rest name each operand; they are listed here in the order of our operands.
"""

from __future__ import annotations

from typing import Final

AGGREGATES: Final = (
    "Count", "Sum", "Product", "Min", "Max", "Avg", "GeometricMean", "Median", "Mode", "Variance",
    "PopulationVariance", "StdDev", "PopulationStdDev", "AllTrue", "AnyTrue",
)  # fmt: skip

NAMED_OPERANDS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys((*AGGREGATES, "First", "Last", "Children", "Descendents", "Descendants"), ("source",)),
    "Round": ("operand", "precision"),
    "Combine": ("source", "separator"),
    "Split": ("stringToSplit", "separator"),
    "SplitOnMatches": ("stringToSplit", "separatorPattern"),
    "PositionOf": ("pattern", "string"),
    "LastPositionOf": ("pattern", "string"),
    "Substring": ("stringToSub", "startIndex", "length"),
    "Slice": ("source", "startIndex", "endIndex"),
    "IndexOf": ("source", "element"),
    "Message": ("source", "condition", "code", "severity", "message"),
    "Date": ("year", "month", "day"),
    "DateTime": ("year", "month", "day", "hour", "minute", "second", "millisecond", "timezoneOffset"),
    "Time": ("hour", "minute", "second", "millisecond"),
    "InValueSet": ("code", "valueset"),
    "AnyInValueSet": ("codes", "valueset"),
    "InCodeSystem": ("code", "codesystem"),
    "AnyInCodeSystem": ("codes", "codesystem"),
}
"""Operators whose operands have element names of their own, optional ones last."""

SLICED: Final = frozenset({"Skip", "Tail", "Take"})
"""Functions of CQL that ELM writes as a Slice of the list."""

VOCABULARY_ELEMENTS: Final = {"valueset": "ValueSetRef", "codesystem": "CodeSystemRef"}
"""Operand elements that take a reference; any other expression stands in the element with ``Expression`` appended."""

LISTED: Final = frozenset({"Concatenate", "Coalesce", "Union", "Intersect", "Except", "Collapse", "Expand"})
"""Operators whose single operand is still written as a list, since ELM declares them binary or n-ary."""

NARY: Final = frozenset({"Concatenate", "Coalesce", "Expand", "Collapse", "ReplaceMatches"})
"""Operators written with all their operands in one list. Chains of any other are written out as binary nodes."""

BALANCED: Final = frozenset({"And", "Or", "Xor", "Union", "Intersect"})
"""Associative operators: a chain is written as a balanced tree, so that its depth grows with the logarithm."""

MAX_LEFT_NESTED: Final = 100
"""Add, Multiply and the like overflow in the order of their steps, so that a chain is written left nested; a chain of
more operands than this, all of one type, is written balanced all the same: no reader of JSON nests without end."""

_UNARY = """
    Abs Ceiling ConvertsToBoolean ConvertsToDate ConvertsToDateTime ConvertsToDecimal ConvertsToInteger ConvertsToLong
    ConvertsToQuantity ConvertsToRatio ConvertsToString ConvertsToTime DateFrom DateTimeComponentFrom Distinct End
    Exists Exp ExpandValueSet Flatten Floor IsFalse IsNull IsTrue Length Ln Lower Negate Not PointFrom Precision
    Predecessor SingletonFrom Size Start Successor TimeFrom TimezoneFrom TimezoneOffsetFrom ToBoolean ToChars ToConcept
    ToDate ToDateTime ToDecimal ToInteger ToList ToLong ToQuantity ToRatio ToString ToTime Truncate Upper Width
    CalculateAge
"""
_OTHER = """
    Add After And Before CalculateAgeAt CanConvertQuantity Coalesce Collapse Concatenate Contains ConvertQuantity
    DifferenceBetween Divide DurationBetween Ends EndsWith Equal Equivalent Except Expand Greater GreaterOrEqual
    HighBoundary Implies In IncludedIn Includes Indexer Intersect Less LessOrEqual Log LowBoundary Matches Meets
    MeetsAfter MeetsBefore Modulo Multiply NotEqual Now Or Overlaps OverlapsAfter OverlapsBefore Power ProperContains
    ProperIn ProperIncludedIn ProperIncludes ReplaceMatches SameAs SameOrAfter SameOrBefore StartsWith Starts Subsumes
    SubsumedBy Subtract TimeOfDay Times Today TruncatedDivide Union Xor
"""
OPERATORS: Final = frozenset((*_UNARY.split(), *_OTHER.split(), *NAMED_OPERANDS))
"""Every operator of the logical specification that is an ``Operator`` node here."""
