"""Native forms of the functions of ``FHIRHelpers.cql``, which stands beside this module.

They do what the CQL source says, without walking it; a test evaluates both on the same values. Missing data never
becomes a proof:

* a Quantity with a comparator (``< 5``) is no single value: ToQuantity is an error that says so, ToInterval gives the
  range it stands for; one whose units are of another system than UCUM is an error as well;
* a Period whose start is missing, or whose end is there but unreadable, is open at that end (unknown); one whose end is
  absent is ongoing, as the FHIR datatype Period says. A Range is open where a boundary is missing.

A value that does not fit its FHIR type is null, with the problem recorded at its place.

Source: FHIR R4 "Data Types" (Quantity, Period, Range), and "Use of FHIR Quantity" of its FHIRPath page for time units.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.errors import EvaluationError
from engine.fhir.element import Element, report
from engine.fhir.primitives import read_datetime, read_decimal, read_string, reader
from engine.language.values import Code, Concept, Interval, Quantity, Ratio, ValueSet

UCUM = "http://unitsofmeasure.org"
CALENDAR_UNITS = "http://hl7.org/fhirpath/CodeSystem/calendar-units"
CALENDAR_WORDS = {
    "a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second",
    "ms": "millisecond",
}  # fmt: skip
OPEN_COMPARATORS = {"<": ("high", False), "<=": ("high", True), ">": ("low", False), ">=": ("low", True)}


def native_conversion(function: str) -> Callable[[Any], Any] | None:
    """The native form of ``FHIRHelpers.X``, or None when there is none. It maps null to null."""
    return NATIVE.get(function)


def _read(element: Element, name: str, read: Callable[[Any], Any]) -> Any:
    """A primitive member's value; None when missing or, with a problem recorded, malformed."""
    value = element.json.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        report(element, name, str(error))
        return None


def _member(element: Element, name: str, type_name: str) -> Element | None:
    value = element.json.get(name)
    if value is None:
        return None
    if type(value) is dict:
        return Element(type_name, value, None, element, name)
    report(element, name, f"is not an object of type {type_name}")
    return None


def to_code(coding: Element | None) -> Code | None:
    """``ToCode(FHIR.Coding) System.Code``."""
    if coding is None:
        return None
    parts = (_read(coding, name, read_string) for name in ("code", "system", "version", "display"))
    return Code(*parts)


def to_concept(concept: Element | None) -> Concept | None:
    """``ToConcept(FHIR.CodeableConcept) System.Concept``; a concept of text alone has no codes."""
    if concept is None:
        return None
    codings = concept.json.get("coding")
    if not isinstance(codings, list | None):
        report(concept, "coding", "is not a list")
        codings = None
    codes: list[Code] = []
    for index, coding in enumerate(codings or ()):
        if type(coding) is not dict:
            report(concept, f"coding[{index}]", "is not an object of type Coding")
            continue
        code = to_code(Element("Coding", coding, None, concept, "coding", index))
        assert code is not None
        codes.append(code)
    return Concept(tuple(codes), _read(concept, "text", read_string))


def _is_present(element: Element, name: str) -> bool:
    """True when the primitive member exists, be it by an extension alone; what is no primitive does not count."""
    value = element.json.get(name)
    if value is None:
        return element.json.get(f"_{name}") is not None
    return type(value) is not dict and type(value) is not list


def to_calendar_unit(unit: str | None) -> str | None:
    """``ToCalendarUnit(String) String``: ``a`` is ``year``; what is no time unit stays."""
    return None if unit is None else CALENDAR_WORDS.get(unit, unit)


def to_quantity(quantity: Element | None) -> Quantity | None:
    """``ToQuantity(FHIR.Quantity) System.Quantity``; null without a value.

    Raises:
        EvaluationError: the quantity has a comparator, or units that are not UCUM's.
    """
    value = None if quantity is None else _read(quantity, "value", read_decimal)
    if quantity is None or value is None:
        return None
    if _is_present(quantity, "comparator"):
        comparator = _read(quantity, "comparator", read_string) or ""
        raise EvaluationError(
            f"FHIRHelpers.ToQuantity.ComparatorQuantityNotSupported: the quantity has the comparator '{comparator}' "
            "and stands for a range, not for one value; convert it with ToInterval",
            code="message",
        )
    return _with_unit(quantity, value)


def to_quantity_ignoring_comparator(quantity: Element | None) -> Quantity | None:
    """``ToQuantityIgnoringComparator(FHIR.Quantity) System.Quantity``: number and unit, whatever the comparator.

    Raises:
        EvaluationError: the quantity has units that are not UCUM's.
    """
    value = None if quantity is None else _read(quantity, "value", read_decimal)
    return None if quantity is None or value is None else _with_unit(quantity, value)


def _with_unit(quantity: Element, value: Decimal) -> Quantity:
    if _is_present(quantity, "system"):
        system = _read(quantity, "system", read_string)
        if system not in (UCUM, CALENDAR_UNITS):
            raise EvaluationError(
                f"FHIRHelpers.ToQuantity.InvalidFHIRQuantity: the quantity has units of the system '{system or ''}', "
                "which is not UCUM; only UCUM units can be compared",
                code="message",
            )
    unit = _read(quantity, "code", read_string) or _read(quantity, "unit", read_string) or "1"
    return Quantity(value, CALENDAR_WORDS.get(unit, unit))


def to_interval(element: Element | None) -> Interval | None:
    """``ToInterval`` of a Period (points DateTime), a Range or a Quantity with a comparator (points Quantity)."""
    if element is None:
        return None
    if element.type == "Period":
        return _period(element)
    if element.type == "Range":
        return _range(element)
    return _quantity_interval(element)


def _period(period: Element) -> Interval:
    start = _read(period, "start", read_datetime)
    end = _read(period, "end", read_datetime)
    ongoing = period.json.get("end") is None and period.json.get("_end") is None
    return Interval(start, end, start is not None, end is not None or ongoing, "DateTime")


def _range(range_: Element) -> Interval | None:
    low, high = (to_quantity(_member(range_, name, "Quantity")) for name in ("low", "high"))
    if low is None and high is None:
        return None
    return Interval(low, high, low is not None, high is not None, "Quantity")


def _quantity_interval(quantity: Element) -> Interval | None:
    comparator = _read(quantity, "comparator", read_string)
    if comparator not in OPEN_COMPARATORS:
        point = to_quantity(quantity)
        return None if point is None else Interval(point, point, True, True, "Quantity")
    bound = to_quantity_ignoring_comparator(quantity)
    if bound is None:
        return None
    side, closed = OPEN_COMPARATORS[comparator]
    if side == "high":
        return Interval(None, bound, True, closed, "Quantity")
    return Interval(bound, None, closed, True, "Quantity")


def to_ratio(ratio: Element | None) -> Ratio | None:
    """``ToRatio(FHIR.Ratio) System.Ratio``."""
    if ratio is None:
        return None
    return Ratio(*(to_quantity(_member(ratio, name, "Quantity")) for name in ("numerator", "denominator")))


def to_value(primitive: Element | None) -> Any:
    """ToString, ToInteger, ToDecimal …: the value of a primitive."""
    if primitive is None or primitive.json is None:
        return None
    try:
        return reader(primitive.type)(primitive.json)
    except ValueError as error:
        report(primitive, "", str(error))
        return None


def to_value_set(uri: str | None) -> ValueSet | None:
    """``ToValueSet(String) ValueSet``: the value set of a canonical URL."""
    return None if uri is None else ValueSet(uri)


def reference(text: str | None) -> Element | None:
    """``reference(String) FHIR.Reference``: a reference with this text."""
    return None if text is None else Element("Reference", {"reference": text})


NATIVE: dict[str, Callable[[Any], Any]] = {
    "FHIRHelpers.ToCalendarUnit": to_calendar_unit,
    "FHIRHelpers.ToCode": to_code,
    "FHIRHelpers.ToConcept": to_concept,
    "FHIRHelpers.ToInterval": to_interval,
    "FHIRHelpers.ToQuantity": to_quantity,
    "FHIRHelpers.ToQuantityIgnoringComparator": to_quantity_ignoring_comparator,
    "FHIRHelpers.ToRatio": to_ratio,
    "FHIRHelpers.ToValueSet": to_value_set,
    "FHIRHelpers.reference": reference,
    **{
        f"FHIRHelpers.To{name}": to_value
        for name in ("String", "Boolean", "Integer", "Decimal", "Date", "DateTime", "Time")
    },
}
"""Function of FHIRHelpers → its native form; it serves every overload and maps null to null."""
