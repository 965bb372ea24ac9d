"""FHIRHelpers: the CQL source and the native forms give the same values and the same errors."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EvaluationError
from engine.fhir import Element, FhirModel, fhir_model, make_fhirhelpers
from engine.fhir.conversions import NATIVE
from engine.language import Context, Evaluation, Program, SourceText, Translator
from engine.language.elm.json import decode, encode
from engine.language.elm.nodes import FunctionDef, Library
from engine.language.values import Code, Concept, Date, DateTime, Interval, Quantity, Ratio, Time, ValueSet
from engine.terminology.units import Units

UCUM = "http://unitsofmeasure.org"
CALENDAR = "http://hl7.org/fhirpath/CodeSystem/calendar-units"
NOW = DateTime(2026, 1, 1, 0, 0, 0, 0, 0)
TEXT = make_fhirhelpers.LIBRARY.read_text(encoding="utf-8")


class Sources:
    """The library of this test, with or without its native forms."""

    def __init__(self, native: bool) -> None:
        self.text = SourceText(TEXT, "FHIRHelpers.cql", native)

    def find(self, name: str, version: str | None) -> SourceText | None:
        return self.text if name == "FHIRHelpers" else None

    def names(self) -> Iterable[str]:
        return ("FHIRHelpers",)


@lru_cache(maxsize=2)
def translator(native: bool) -> Translator:
    return Translator(units=Units(), models=lambda name, version: fhir_model(), sources=Sources(native))


@lru_cache(maxsize=200)
def program(function: str, class_name: str, native: bool) -> Program:
    """``function`` called with a parameter of the class."""
    datatype = "System.String" if class_name == "String" else f"FHIR.{class_name}"
    text = (
        "library T using FHIR version '4.0.1' include FHIRHelpers version '4.0.1' "
        f"parameter Value {datatype} define Result: FHIRHelpers.{function}(Value)"
    )
    translation = translator(native).translate(text)
    return Program(
        translation.require(), translation.libraries, {"FHIR": fhir_model()}, native=translation.native
    )


def evaluated(function: str, class_name: str, value: Any, *, native: bool) -> Any:
    """The function's value over ``value``, by its CQL source or by its native form."""
    context = Context(now=NOW, units=Units(), parameters={"Value": value})
    return Evaluation(program(function, class_name, native), context).define("Result")


def outcome(call: Callable[[], Any]) -> Any:
    """The value, or the text of the error."""
    try:
        return call()
    except EvaluationError as error:
        return f"error: {error}"


@pytest.fixture(scope="module")
def library() -> Library:
    return translator(False).translate(TEXT, "FHIRHelpers.cql").require()


# ---------------------------------------------------------------- what the library holds


def test_the_library_translates_without_any_diagnostic():
    assert translator(False).translate(TEXT, "FHIRHelpers.cql").diagnostics == ()


def test_the_made_part_is_current():
    assert make_fhirhelpers.render(TEXT) == TEXT


def test_every_conversion_of_the_model_is_a_function_of_the_library(library: Library):
    functions: dict[tuple[str, Any], FunctionDef] = {
        (f"FHIRHelpers.{f.name}", f.operands[0].type): f for f in library.functions
    }
    for conversion in fhir_model().conversions:
        assert functions[conversion.function, conversion.source].result_type == conversion.target
        assert conversion.function in NATIVE


def test_every_native_form_has_its_function(library: Library):
    names = {f"FHIRHelpers.{f.name}" for f in library.functions}
    assert set(NATIVE) <= names
    assert names - set(NATIVE) == {"FHIRHelpers.resolve"}


def test_the_library_survives_elm_json(library: Library):
    assert decode(encode(library)) == library


# ---------------------------------------------------------------- values


def quantity(value: str, unit: str = "1") -> Quantity:
    return Quantity(Decimal(value), unit)


def coded(value: Any, **members: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": "mg"} | members


MG = quantity("5", "mg")
START, END = DateTime(2020, 1, 1), DateTime(2020, 2, 1)

# Function, class and JSON of the argument, result.
ROWS: tuple[tuple[str, str, Any, Any], ...] = (
    ("ToQuantity", "Quantity", coded(Decimal("1.10"), unit="milligram"), quantity("1.10", "mg")),
    ("ToQuantity", "Quantity", {"value": 5, "unit": "mg"}, MG),
    ("ToQuantity", "Quantity", {"value": 5, "unit": "milligram", "code": "mg"}, MG),
    ("ToQuantity", "Quantity", {"value": 5}, quantity("5")),
    ("ToQuantity", "Quantity", coded(3, code="a"), quantity("3", "year")),
    ("ToQuantity", "Quantity", {"value": 3, "system": CALENDAR, "code": "month"}, quantity("3", "month")),
    ("ToQuantity", "Quantity", {"unit": "mg"}, None),
    ("ToQuantity", "Quantity", {"comparator": "<"}, None),
    ("ToQuantity", "Quantity", {"value": "5", "unit": "mg"}, None),
    ("ToQuantity", "Quantity", {}, None),
    ("ToQuantity", "Age", coded(50, code="a"), quantity("50", "year")),
    ("ToQuantityIgnoringComparator", "Quantity", coded(5, comparator="<"), MG),
    ("ToQuantityIgnoringComparator", "Quantity", coded(5), MG),
    ("ToQuantityIgnoringComparator", "Quantity", {}, None),
    ("ToInterval", "Quantity", coded(5), Interval(MG, MG)),
    ("ToInterval", "Quantity", coded(5, comparator="<"), Interval(None, MG, True, False)),
    ("ToInterval", "Quantity", coded(5, comparator="<="), Interval(None, MG, True, True)),
    ("ToInterval", "Quantity", coded(5, comparator=">"), Interval(MG, None, False, True)),
    ("ToInterval", "Quantity", coded(5, comparator=">="), Interval(MG, None, True, True)),
    ("ToInterval", "Quantity", {"comparator": "<", "unit": "mg"}, None),
    ("ToInterval", "Quantity", {}, None),
    ("ToInterval", "Range", {"low": coded(1), "high": coded(5)}, Interval(quantity("1", "mg"), MG)),
    ("ToInterval", "Range", {"high": coded(5)}, Interval(None, MG, False, True)),
    ("ToInterval", "Range", {"low": coded(5)}, Interval(MG, None, True, False)),
    ("ToInterval", "Range", {"low": {}, "high": coded(5)}, Interval(None, MG, False, True)),
    ("ToInterval", "Range", {}, None),
    ("ToInterval", "Period", {"start": "2020-01-01", "end": "2020-02-01"}, Interval(START, END)),
    ("ToInterval", "Period", {"start": "2020-01-01"}, Interval(START, None)),
    ("ToInterval", "Period", {"end": "2020-02-01"}, Interval(None, END, False, True)),
    ("ToInterval", "Period", {"start": "2020-01-01", "end": "soon"}, Interval(START, None, True, False)),
    ("ToInterval", "Period", {"start": "2020-01-01", "_end": {"id": "x"}}, Interval(START, None, True, False)),
    ("ToInterval", "Period", {"end": "soon"}, Interval(None, None, False, False)),
    ("ToInterval", "Period", {}, Interval(None, None, False, True)),
    ("ToRatio", "Ratio", {"numerator": coded(5), "denominator": {"value": 2}}, Ratio(MG, quantity("2"))),
    ("ToRatio", "Ratio", {"numerator": coded(5)}, Ratio(MG, None)),
    ("ToCode", "Coding", {"system": "s", "code": "c", "version": "v", "display": "d"}, Code("c", "s", "v", "d")),
    ("ToCode", "Coding", {"code": "c"}, Code("c")),
    ("ToCode", "Coding", {}, Code(None)),
    ("ToConcept", "CodeableConcept", {"coding": [{"code": "b"}, {"code": "a"}, {"code": "b"}], "text": "t"},
     Concept((Code("b"), Code("a"), Code("b")), "t")),
    ("ToConcept", "CodeableConcept", {"text": "t"}, Concept((), "t")),
    ("ToConcept", "CodeableConcept", {}, Concept(())),
    ("ToString", "AdministrativeGender", "male", "male"),
    ("ToString", "uri", "http://u", "http://u"),
    ("ToString", "code", "final", "final"),
    ("ToString", "string", None, None),
    ("ToBoolean", "boolean", False, False),
    ("ToInteger", "integer", 3, 3),
    ("ToInteger", "positiveInt", 3, 3),
    ("ToInteger", "integer", "3", None),
    ("ToDecimal", "decimal", Decimal("1.10"), Decimal("1.10")),
    ("ToDate", "date", "2020-05", Date(2020, 5)),
    ("ToDateTime", "dateTime", "2020-01", DateTime(2020, 1)),
    ("ToDateTime", "instant", "2020-01-01T00:00:00Z", DateTime(2020, 1, 1, 0, 0, 0, None, 0)),
    ("ToTime", "time", "10:00:00", Time(10, 0, 0)),
)  # fmt: skip
IDS = [f"{function}({name} {data})" for function, name, data, _ in ROWS]

# Class and JSON of the argument of ToQuantity and of ToInterval, words of the error's sentence.
ERRORS = (
    ("ToQuantity", "Quantity", coded(5, comparator="<"), ("'<'", "ToInterval", "ComparatorQuantityNotSupported")),
    ("ToQuantity", "Quantity", {"value": 5, "_comparator": {"id": "x"}}, ("comparator ''", "ToInterval")),
    ("ToQuantity", "Quantity", coded(5, system="http://my/units"), ("http://my/units", "UCUM", "InvalidFHIRQuantity")),
    ("ToQuantity", "Quantity", {"value": 5, "_system": {"id": "x"}}, ("system ''", "UCUM")),
    ("ToQuantityIgnoringComparator", "Quantity", coded(5, system="s", comparator=">"), ("'s'", "UCUM")),
    ("ToInterval", "Quantity", coded(5, comparator="ad"), ("'ad'",)),
    ("ToInterval", "Quantity", coded(5, system="s", comparator="<"), ("'s'", "UCUM")),
    ("ToInterval", "Range", {"low": coded(5, system="s")}, ("'s'", "UCUM")),
    ("ToRatio", "Ratio", {"numerator": coded(5, comparator=">")}, ("'>'", "ToInterval")),
    ("ToInterval", "Period", {"start": "2030", "end": "2020"}, ("ends before it starts",)),
    ("ToInterval", "Range", {"low": coded(5), "high": coded(1)}, ("ends before it starts",)),
)  # fmt: skip

SYSTEM_ROWS = (
    ("ToCalendarUnit", "String", "a", "year"),
    ("ToCalendarUnit", "String", "ms", "millisecond"),
    ("ToCalendarUnit", "String", "mg", "mg"),
    ("ToValueSet", "String", "http://v", ValueSet("http://v")),
    ("reference", "String", "Patient/p", Element("Reference", {"reference": "Patient/p"})),
)


def in_zone(value: Any) -> Any:
    """A DateTime without an offset takes the one of the run."""
    if isinstance(value, DateTime) and value.offset_minutes is None:
        return value.with_offset(0)
    if isinstance(value, Interval):
        return Interval(in_zone(value.low), in_zone(value.high), value.low_closed, value.high_closed)
    return value


@pytest.mark.parametrize(("function", "name", "data", "expected"), ROWS, ids=IDS)
@pytest.mark.parametrize("native", (False, True), ids=("CQL", "native"))
def test_conversion(native: bool, function: str, name: str, data: Any, expected: Any):
    assert evaluated(function, name, Element(name, data), native=native) == in_zone(expected)
    assert evaluated(function, name, None, native=native) is None


@pytest.mark.parametrize(("function", "name", "data", "words"), ERRORS, ids=[f"{f}({d})" for f, _, d, _ in ERRORS])
def test_what_cannot_be_converted_is_an_error_that_says_why(
    function: str, name: str, data: Any, words: tuple[str, ...]
):
    by_cql, by_native = (
        outcome(lambda native=native: evaluated(function, name, Element(name, data), native=native))
        for native in (False, True)
    )
    assert repr(by_cql) == repr(by_native)
    assert by_cql.startswith("error: ")
    assert [word for word in words if word not in by_cql] == []


@pytest.mark.parametrize(("function", "name", "data", "expected"), SYSTEM_ROWS)
def test_functions_of_system_values(function: str, name: str, data: Any, expected: Any):
    assert evaluated(function, name, data, native=False) == expected
    assert NATIVE[f"FHIRHelpers.{function}"](data) == expected
    assert evaluated(function, name, None, native=False) is None
    assert NATIVE[f"FHIRHelpers.{function}"](None) is None


def test_the_two_ways_are_two():
    assert program("ToQuantity", "Quantity", True).native == {"FHIRHelpers|4.0.1"}
    assert program("ToQuantity", "Quantity", False).native == frozenset()


def test_the_model_answers_with_the_native_forms():
    model = FhirModel()
    assert {name: model.conversion(name) for name in NATIVE} == NATIVE
    assert model.conversion("FHIRHelpers.ToNothing") is None


# ---------------------------------------------------------------- the law: one meaning, two ways

QUANTITIES = st.fixed_dictionaries(
    {},
    optional={
        "value": st.sampled_from([5, Decimal("1.10"), "5", True, Decimal("-3")]),
        "_value": st.just({"id": "v"}),
        "comparator": st.sampled_from(["<", "<=", ">", ">=", "ad", ""]),
        "_comparator": st.just({"id": "c"}),
        "system": st.sampled_from([UCUM, CALENDAR, "s", "", 5]),
        "_system": st.just({"id": "s"}),
        "code": st.sampled_from(["mg", "a", "mo", ""]),
        "unit": st.sampled_from(["mg", "week", ""]),
    },
)
MOMENTS = st.sampled_from(["2020", "2020-05-01", "2020-05-01T10:00:00+02:00", "2030", "soon", "", 5])
PERIODS = st.fixed_dictionaries(
    {},
    optional={"start": MOMENTS, "end": MOMENTS, "_start": st.just({"id": "s"}), "_end": st.just({"id": "e"})},
)
RANGES = st.fixed_dictionaries({}, optional={"low": QUANTITIES, "high": QUANTITIES})
RATIOS = st.fixed_dictionaries({}, optional={"numerator": QUANTITIES, "denominator": QUANTITIES})
CODINGS = st.fixed_dictionaries(
    {}, optional={n: st.sampled_from(["x", "", 5]) for n in ("system", "version", "code", "display")}
)
CONCEPTS = st.fixed_dictionaries({}, optional={"coding": st.lists(CODINGS, max_size=2), "text": st.just("t")})
ARGUMENTS = st.one_of(
    st.tuples(st.sampled_from(["ToQuantity", "ToQuantityIgnoringComparator", "ToInterval"]),
              st.just("Quantity"), QUANTITIES),
    st.tuples(st.just("ToInterval"), st.just("Period"), PERIODS),
    st.tuples(st.just("ToInterval"), st.just("Range"), RANGES),
    st.tuples(st.just("ToRatio"), st.just("Ratio"), RATIOS),
    st.tuples(st.just("ToCode"), st.just("Coding"), CODINGS),
    st.tuples(st.just("ToConcept"), st.just("CodeableConcept"), CONCEPTS),
)  # fmt: skip


@settings(max_examples=200)
@given(ARGUMENTS)
def test_source_and_native_form_agree(argument: tuple[str, str, Any]):
    function, name, data = argument
    by_cql, by_native = (
        outcome(lambda native=native: evaluated(function, name, Element(name, data), native=native))
        for native in (False, True)
    )
    assert repr(by_cql) == repr(by_native)
