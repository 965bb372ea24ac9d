"""The operators of the reference (CQL 1.5.3, Appendix B) by chapter, and what each is in this engine.

A row names the operators of the table that it stands for; one without any is a form that analysis or the compiler
knows, and has an example. The overloads of a row are those whose functions stand in the modules of its chapter.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One operator: its title in the reference, the names in the operator table, an example, and a note."""

    title: str
    names: tuple[str, ...] = ()
    example: str | None = None
    answer: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter and the modules of `engine.language.operators` in which its functions stand."""

    title: str
    modules: tuple[str, ...]
    rows: tuple[Row, ...]


def _rows(*rows: str | Row) -> tuple[Row, ...]:
    """Rows from ``"Title: Name, Name"``, or ``"Name"`` where title and name are the same."""
    made = []
    for row in rows:
        if isinstance(row, Row):
            made.append(row)
        else:
            title, _, names = row.partition(": ")
            made.append(Row(title, tuple(names.split(", ")) if names else (title.replace(" ", ""),)))
    return tuple(made)


SLICE = "of CQL 2, which defines Skip, Tail and Take by it"

CHAPTERS: tuple[Chapter, ...] = (
    Chapter("Logical operators", ("logical",), _rows("And", "Implies", "Not", "Or", "Xor")),
    Chapter(
        "Type operators",
        ("conversion", "types"),
        _rows(
            Row("As", (), "(1 as Any) as String", "null", "`cast … as` is an error for a value of another type"),
            "Children",
            Row("Convert", (), "convert 1 to Decimal", "1", "binds the operator To… of the types"),
            "Descendants",
            Row("Is", (), "1 is Integer", "true"),
            *(f"{n}: {n}" for n in ("CanConvertQuantity", "ConvertQuantity", "ConvertsToBoolean", "ConvertsToDate")),
            *(f"ConvertsTo{n}" for n in ("DateTime", "Decimal", "Long", "Integer", "Quantity", "Ratio", "String")),
            "ConvertsToTime", "ToBoolean", "ToConcept", "ToDate", "ToDateTime", "ToDecimal", "ToLong", "ToInteger",
            "ToQuantity", "ToRatio", "ToString", "ToTime",
            "ToList (of ELM): ToList",
        ),
    ),
    Chapter("Nullological operators", ("nullological",), _rows("Coalesce", "IsNull", "IsFalse", "IsTrue")),
    Chapter(
        "Comparison operators",
        ("comparison", "equality"),
        _rows(
            Row("Between", (), "5 between 1 and 10", "true", "`>= and <=`; `properly between` is `> and <`"),
            Row("Equal", ("Equal",), note="every type, those of the chapters on intervals, lists and codes too"),
            Row("Equivalent", ("Equivalent",), note="as Equal"),
            "Greater", "Greater Or Equal: GreaterOrEqual", "Less", "Less Or Equal: LessOrEqual",
            "Not Equal: NotEqual",
            Row("Not Equivalent", (), "1 !~ 2", "true", "the negation of Equivalent"),
        ),
    ),
    Chapter(
        "Arithmetic operators",
        ("arithmetic",),
        _rows(
            "Abs", "Add", "Ceiling", "Divide", "Floor", "Exp", "HighBoundary", "Log", "LowBoundary", "Ln",
            Row("Maximum", (), "maximum Integer", "2147483647", "a constant of the type"),
            Row("Minimum", (), "minimum Long", "-9223372036854775808L", "a constant of the type"),
            "Modulo", "Multiply", "Negate", "Precision", "Predecessor", "Power", "Round", "Subtract", "Successor",
            "Truncate", "Truncated Divide: TruncatedDivide",
        ),
    ),
    Chapter(
        "String operators",
        ("string",),
        _rows(
            "Combine", "Concatenate", "EndsWith",
            Row("Indexer", (), "'abc'[1]", "'b'", "see List operators"), "LastPositionOf", "Length", "Lower", "Matches",
            "PositionOf", "ReplaceMatches", "Split", "SplitOnMatches", "StartsWith", "Substring", "Upper",
            "ToChars (of ELM): ToChars",
        ),
    ),
    Chapter(
        "Date and time operators",
        ("datetime",),
        _rows(
            "Add", "After", "Before", "Date", "DateTime",
            "Date and Time Component From: DateTimeComponentFrom, DateFrom, TimeFrom, TimezoneOffsetFrom",
            "Difference: DifferenceBetween", "Duration: DurationBetween", "Now",
            Row("On Or After", (), "@2012-01-02 on or after @2012-01-01", "true", "Same Or After"),
            Row("On Or Before", (), "@2012-01-02 on or before @2012-01-01", "false", "Same Or Before"),
            "Same As: SameAs", "Same Or After: SameOrAfter", "Same Or Before: SameOrBefore", "Subtract", "Time",
            "TimeOfDay", "Today",
        ),
    ),
    Chapter(
        "Interval operators",
        ("interval", "interval_sets"),
        _rows(
            "After", "Before", "Collapse", "Contains", "End", "Ends",
            Row("Equal", (), "Interval[1, 4] = Interval[1, 5)", "true", "see Comparison operators"),
            Row("Equivalent", (), "Interval[1, null] ~ Interval[1, null]", "true", "see Comparison operators"),
            "Except", "Expand", "In", "Includes", "Included In: IncludedIn", "Intersect",
            "Meets: Meets, MeetsBefore, MeetsAfter",
            Row("Not Equal", (), "Interval[1, 4] != Interval[1, 5]", "true", "see Comparison operators"),
            Row("Not Equivalent", (), "Interval[1, 4] !~ Interval[1, 5]", "true", "see Comparison operators"),
            Row("On Or After", (), "Interval[5, 6] on or after Interval[1, 5]", "true", "Same Or After"),
            Row("On Or Before", (), "Interval[1, 5] on or before Interval[5, 6]", "true", "Same Or Before"),
            "Overlaps: Overlaps, OverlapsBefore, OverlapsAfter", "Point From: PointFrom",
            "Properly Includes: ProperIncludes, ProperContains", "Properly Included In: ProperIncludedIn, ProperIn",
            "Same As: SameAs", "Same Or After: SameOrAfter", "Same Or Before: SameOrBefore", "Size", "Start", "Starts",
            "Union", "Width",
        ),
    ),
    Chapter(
        "List operators",
        ("list",),
        _rows(
            "Contains", "Distinct",
            Row("Equal", (), "{ 1, 2 } = { 1, 2 }", "true", "see Comparison operators"),
            Row("Equivalent", (), "{ 1, null } ~ { 1, null }", "true", "see Comparison operators"),
            "Except", "Exists", "Flatten", "First", "In", "Includes", "Included In: IncludedIn", "Indexer", "IndexOf",
            "Intersect", "Last", "Length",
            Row("Not Equal", (), "{ 1, 2 } != { 2, 1 }", "true", "see Comparison operators"),
            Row("Not Equivalent", (), "{ 1 } !~ { 2 }", "true", "see Comparison operators"),
            "Properly Includes: ProperIncludes, ProperContains", "Properly Included In: ProperIncludedIn, ProperIn",
            "Singleton From: SingletonFrom", "Skip", Row("Slice", ("Slice",), note=SLICE), "Tail", "Take", "Union",
        ),
    ),
    Chapter(
        "Aggregate functions",
        ("aggregate",),
        _rows(
            "AllTrue", "AnyTrue", "Avg", "Count", "GeometricMean", "Max", "Min", "Median", "Mode",
            "Population StdDev: PopulationStdDev", "Population Variance: PopulationVariance", "Product", "StdDev",
            "Sum", "Variance",
        ),
    ),
    Chapter(
        "Clinical operators",
        ("clinical", "clinical_age"),
        _rows(
            Row("Age", ("CalculateAge",), note="with the birth date of the patient, which the data model names"),
            Row("AgeAt", ("CalculateAgeAt",), note="with the birth date of the patient"),
            Row("CalculateAge", ("CalculateAge",)),
            Row("CalculateAgeAt", ("CalculateAgeAt",)),
            Row("Equal", (), "Code { code: 'a' } = Code { code: 'a' }", "true", "see Comparison operators"),
            Row("Equivalent", (), "Code { code: 'a', display: 'A' } ~ Code { code: 'a' }", "true", "system and code"),
            "In (Codesystem): InCodeSystem, AnyInCodeSystem", "ExpandValueSet (ValueSet): ExpandValueSet",
            "In (Valueset): InValueSet, AnyInValueSet", "Subsumes (of ELM): Subsumes",
            "SubsumedBy (of ELM): SubsumedBy",
        ),
    ),
    Chapter("Errors and messaging", ("messaging",), _rows("Message")),
)  # fmt: skip
"""All chapters of operators, with the titles of the reference in its order."""
