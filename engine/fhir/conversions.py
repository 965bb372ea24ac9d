"""Native forms of the FHIRHelpers conversions that the model information names.

They do what the CQL source of FHIRHelpers says, without walking it. Two readings keep missing data from proving
anything, and the CQL source takes them as well:

* a Quantity with a comparator (``< 5``) is no single value: ToQuantity is null, with the problem recorded; ToInterval
  gives the range it stands for;
* a Period whose start or end is there but unreadable is open at that end (unknown); one whose end is absent is
  ongoing, as the FHIR datatype Period says.

Source: FHIR R4 "Data Types" (Quantity, Period, Range), and "Use of FHIR Quantity" of its FHIRPath page for time units.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.fhir.element import Element, report
from engine.fhir.primitives import read_datetime, read_decimal, read_string, reader
from engine.language.values import Code, Concept, Interval, Quantity, Ratio

UCUM = "http://unitsofmeasure.org"
CALENDAR_UNITS = "http://hl7.org/fhirpath/CodeSystem/calendar-units"
CALENDAR_WORDS = {
    "a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second",
    "ms": "millisecond",
}  # fmt: skip
OPEN_COMPARATORS = {"<": ("high", False), "<=": ("high", True), ">": ("low", False), ">=": ("low", True)}


def native_conversion(function: str) -> Callable[[Any], Any] | None:
    """The native form of ``FHIRHelpers.X``, or None when there is none. It maps null to null."""
    return CONVERSIONS.get(function)


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


def to_quantity(quantity: Element | None) -> Quantity | None:
    """``ToQuantity(FHIR.Quantity) System.Quantity``; null for a comparator and for units that are not UCUM's."""
    if quantity is None:
        return None
    if quantity.json.get("comparator") is not None:
        report(quantity, "comparator", f"{quantity.json['comparator']!r} gives a range, not a single value")
        return None
    return _plain_quantity(quantity)


def _plain_quantity(quantity: Element) -> Quantity | None:
    value: Decimal | None = _read(quantity, "value", read_decimal)
    if value is None:
        return None
    system = _read(quantity, "system", read_string)
    if system not in (None, UCUM, CALENDAR_UNITS):
        report(quantity, "system", f"{system!r} is not UCUM: its units cannot be compared")
        return None
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
    low, high = (_member(range_, name, "Quantity") for name in ("low", "high"))
    if low is None and high is None:
        return None
    bottom, top = to_quantity(low), to_quantity(high)
    return Interval(bottom, top, bottom is not None or low is None, top is not None or high is None, "Quantity")


def _quantity_interval(quantity: Element) -> Interval | None:
    value = _plain_quantity(quantity)
    if value is None:
        return None
    comparator = quantity.json.get("comparator")
    if comparator is None:
        return Interval(value, value, True, True, "Quantity")
    if comparator not in OPEN_COMPARATORS:
        report(quantity, "comparator", f"{comparator!r} is not one of <, <=, >=, >")
        return None
    side, closed = OPEN_COMPARATORS[comparator]
    if side == "high":
        return Interval(None, value, True, closed, "Quantity")
    return Interval(value, None, closed, True, "Quantity")


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


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "FHIRHelpers.ToCode": to_code,
    "FHIRHelpers.ToConcept": to_concept,
    "FHIRHelpers.ToQuantity": to_quantity,
    "FHIRHelpers.ToInterval": to_interval,
    "FHIRHelpers.ToRatio": to_ratio,
    **{
        f"FHIRHelpers.To{name}": to_value
        for name in ("String", "Boolean", "Integer", "Decimal", "Date", "DateTime", "Time")
    },
}
