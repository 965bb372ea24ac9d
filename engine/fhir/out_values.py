"""CQL values going out as FHIR: parameters of a Parameters resource, as the guide Using CQL with FHIR maps them.

One value is one parameter, a list is its parameter repeated. A null carries ``data-absent-reason``, an empty list
``cqf-isEmptyList``, a tuple its elements as parts; ``cqf-cqlType`` says the CQL type wherever it is known, since one
FHIR type may stand for several. Nothing is rounded: an interval that a Period or Range cannot hold (an open or missing
boundary) is written as the parts ``low``, ``high``, ``lowClosed`` and ``highClosed``.

Source: Using CQL with FHIR 2.0.0, "Conformance", section "FHIR Type Mapping".
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

from engine.errors import EvaluationError, LimitExceeded
from engine.fhir.access import cached_accessor, choice_key
from engine.fhir.definitions import Definitions
from engine.fhir.definitions import definitions as definitions_of
from engine.fhir.element import Element
from engine.language.types.datatype import (
    ANY,
    DATE,
    DATETIME,
    DECIMAL,
    LONG,
    QUANTITY,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
)
from engine.language.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Time,
    Tuple,
    Uncertainty,
    ValueSet,
)
from engine.language.values.temporal import CALENDAR_UNITS, offset_text

Parameter = dict[str, Any]

STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
CQL_TYPE: Final = f"{STRUCTURE}cqf-cqlType"
EMPTY_LIST: Final = f"{STRUCTURE}cqf-isEmptyList"
EMPTY_TUPLE: Final = f"{STRUCTURE}cqf-isEmptyTuple"
ABSENT: Final = f"{STRUCTURE}data-absent-reason"
DIGITS: Final = f"{STRUCTURE}quantity-precision"
TIME_PRECISION: Final = f"{STRUCTURE}time-precision"
UCUM: Final = "http://unitsofmeasure.org"
CALENDAR: Final = "http://hl7.org/fhirpath/CodeSystem/calendar-units"

MAX_DEPTH: Final = 100
"""How deep lists and tuples may be nested in each other to be written as parts."""

OPEN_TYPES: Final = frozenset(
    {
        "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant",
        "integer", "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid",
        "Address", "Age", "Annotation", "Attachment", "CodeableConcept", "Coding", "ContactPoint", "Count",
        "Distance", "Duration", "HumanName", "Identifier", "Money", "Period", "Quantity", "Range", "Ratio",
        "Reference", "SampledData", "Signature", "Timing", "ContactDetail", "Contributor", "DataRequirement",
        "Expression", "ParameterDefinition", "RelatedArtifact", "TriggerDefinition", "UsageContext", "Dosage",
        "Meta",
    }
)  # fmt: skip
"""The types a parameter's value may have (http://hl7.org/fhir/R4/datatypes.html#open)."""


def parameters_of(name: str, value: Any, datatype: DataType = ANY) -> list[Parameter]:
    """The parameters that stand for a value; several for a list, always at least one.

    ``datatype`` is the static type. EvaluationError for a value that FHIR has no form for.
    """
    return _written(name, value, datatype, MAX_DEPTH)


def qualified(datatype: DataType) -> str:
    """The type with full names: ``List<Tuple{id:System.Integer}>``, as ``cqf-cqlType`` has it."""
    match datatype:
        case NamedType(model=model, name=name):
            return f"{model}.{name}"
        case ListType(element=element):
            return f"List<{qualified(element)}>"
        case IntervalType(point=point):
            return f"Interval<{qualified(point)}>"
        case TupleType(elements=elements):
            return "Tuple{" + ",".join(f"{name}:{qualified(inner)}" for name, inner in elements) + "}"
        case ChoiceType(alternatives=alternatives):
            return "Choice<" + ",".join(qualified(inner) for inner in alternatives) + ">"
    return str(datatype)


def _written(name: str, value: Any, datatype: DataType, depth: int) -> list[Parameter]:
    if depth == 0:
        raise LimitExceeded(f"the value is nested more than {MAX_DEPTH} deep and cannot be written as FHIR; flatten it")
    typed = _typed(name, datatype)
    if value is None:
        return [typed | _marked(ABSENT, "valueCode", "unknown")]
    if not isinstance(value, list):
        return [typed | _single(value, datatype, depth)]
    if not value:
        return [typed | _marked(EMPTY_LIST, "valueBoolean", True)]
    element = datatype.element if isinstance(datatype, ListType) else ANY
    return [typed | _item(item, element, depth) for item in value]


def _item(item: Any, datatype: DataType, depth: int) -> Parameter:
    """An element of a list. A list within a list is parts named ``element``.

    The type of the whole list stands beside the element, so that boundaries whose type a Range or Period would hide
    are written as parts.
    """
    if item is None:
        return _marked(ABSENT, "valueCode", "unknown")
    if isinstance(item, list):
        if not item:
            return _marked(EMPTY_LIST, "valueBoolean", True)
        return {"part": _written("element", item, datatype, depth - 1)}
    if isinstance(item, Interval) and _point(item, datatype) not in (DATETIME, QUANTITY):
        return _boundaries(item, datatype, depth)
    return _single(item, datatype, depth)


def _typed(name: str, datatype: DataType) -> Parameter:
    extension = {} if datatype == ANY else {"extension": [{"url": CQL_TYPE, "valueString": qualified(datatype)}]}
    return extension | {"name": name}


def _marked(url: str, kind: str, value: Any) -> Parameter:
    return {"_valueBoolean": {"extension": [{"url": url, kind: value}]}}


def _single(value: Any, datatype: DataType, depth: int) -> Parameter:
    match value:
        case bool():
            return {"valueBoolean": value}
        case str():
            return {"valueString": value}
        case int() | Decimal():
            return _number(value, datatype)
        case Date() | DateTime() | Time():
            return _temporal(value)
        case Quantity():
            return {"valueQuantity": quantity(value)}
        case Ratio():
            parts = {"numerator": value.numerator, "denominator": value.denominator}
            return {"valueRatio": {name: quantity(part) for name, part in parts.items() if part is not None}}
        case Code():
            return {"valueCoding": coding(value)}
        case Concept():
            text = {} if value.display is None else {"text": value.display}
            return {"valueCodeableConcept": {"coding": [coding(code) for code in value.codes]} | text}
        case ValueSet() | CodeSystem():
            return {"valueCanonical": value.id if value.version is None else f"{value.id}|{value.version}"}
        case Interval():
            return _interval(value, datatype, depth)
        case Uncertainty():
            # The specification writes an uncertain value as the interval it lies in.
            return _boundaries(Interval(value.low, value.high, True, True), datatype, depth)
        case Tuple():
            return _tuple(value, datatype, depth)
        case Element():
            return _element(value, depth)
    raise EvaluationError(f"a value of type {type(value).__name__} has no form in FHIR")


# ---------------------------------------------------------------- system values


def _number(value: int | Decimal, datatype: DataType) -> Parameter:
    if isinstance(value, Long) or datatype == LONG:
        return {"valueString": str(int(value))}
    if not isinstance(value, Decimal) and datatype != DECIMAL:
        return {"valueInteger": int(value)}
    number = Decimal(value) if value else abs(Decimal(value))
    written: Parameter = {"valueDecimal": number}
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent < 0 and str(number).endswith("0"):
        # Many readers of JSON drop the zeros at the end; the extension keeps them.
        written["_valueDecimal"] = {"extension": [{"url": DIGITS, "valueInteger": -exponent}]}
    return written


def _temporal(value: Date | DateTime | Time) -> Parameter:
    if isinstance(value, Date):
        return {"valueDate": str(value)}
    name = "valueTime" if isinstance(value, Time) else "valueDateTime"
    text, precision = moment(value)
    return {name: text} if precision is None else {name: text, f"_{name}": precision}


def moment(value: DateTime | Time) -> tuple[str, dict[str, Any] | None]:
    """The text of a time as FHIR writes it, and the ``time-precision`` extension when it shows more than is known.

    FHIR has no hours without minutes and seconds; what CQL leaves out is written as zero.
    """
    text = str(value)
    if value.hour is None:
        return text, None
    minutes = value.offset_minutes if isinstance(value, DateTime) else None
    written = "" if minutes is None else offset_text(minutes)
    text, offset = text.removesuffix(written), "Z" if minutes == 0 else written
    if value.second is not None:
        return text + offset, None
    code = "h" if value.minute is None else "min"
    filled = f"{text}:00:00" if value.minute is None else f"{text}:00"
    return filled + offset, {"extension": [{"url": TIME_PRECISION, "valueCode": code}]}


def quantity(value: Quantity) -> dict[str, Any]:
    """A FHIR Quantity; calendar durations keep their word under the system of calendar units."""
    number = {} if value.value is None else {"value": value.value}
    system = CALENDAR if value.unit in CALENDAR_UNITS else UCUM
    return number | {"unit": value.unit, "system": system, "code": value.unit}


def coding(value: Code) -> dict[str, Any]:
    """A FHIR Coding."""
    parts = {"system": value.system, "version": value.version, "code": value.code, "display": value.display}
    return {name: part for name, part in parts.items() if part is not None}


def _tuple(value: Tuple, datatype: DataType, depth: int) -> Parameter:
    if not value.elements:
        return _marked(EMPTY_TUPLE, "valueBoolean", True)
    types = datatype if isinstance(datatype, TupleType) else TupleType(())
    parts: list[Parameter] = []
    for name, inner in value.elements.items():
        parts += _written(name, inner, types.get(name) or ANY, depth - 1)
    return {"part": parts}


# ---------------------------------------------------------------- intervals


def _point(value: Interval, datatype: DataType) -> DataType:
    if isinstance(datatype, IntervalType):
        return datatype.point
    return ANY if value.point is None else NamedType("System", value.point)


def _interval(value: Interval, datatype: DataType, depth: int) -> Parameter:
    if not (value.low_closed and value.high_closed) or value.low is None or value.high is None:
        return _boundaries(value, datatype, depth)
    low, high = value.low, value.high
    point = _point(value, datatype)
    if isinstance(low, Date) and isinstance(high, Date) and point == DATE:
        return {"valuePeriod": {"start": str(low), "end": str(high)}}
    if isinstance(low, DateTime) and isinstance(high, DateTime):
        start, end = moment(low), moment(high)
        return {"valuePeriod": _period("start", *start) | _period("end", *end)}
    if isinstance(low, Quantity) and isinstance(high, Quantity):
        return {"valueRange": {"low": quantity(low), "high": quantity(high)}}
    plain = isinstance(low, int | Decimal) and isinstance(high, int | Decimal)
    if plain and point != LONG and isinstance(datatype, IntervalType):
        return {"valueRange": {"low": {"value": low}, "high": {"value": high}}}
    return _boundaries(value, datatype, depth)


def _period(name: str, text: str, precision: dict[str, Any] | None) -> dict[str, Any]:
    return {name: text} if precision is None else {name: text, f"_{name}": precision}


def _boundaries(value: Interval, datatype: DataType, depth: int) -> Parameter:
    point = _point(value, datatype)
    closed = (("lowClosed", value.low_closed), ("highClosed", value.high_closed))
    bounds = [*_written("low", value.low, point, depth - 1), *_written("high", value.high, point, depth - 1)]
    return {"part": [*bounds, *({"name": name, "valueBoolean": flag} for name, flag in closed)]}


# ---------------------------------------------------------------- FHIR elements


def _element(value: Element, depth: int) -> Parameter:
    """A resource as it came; a datatype as a value; any other element (a BackboneElement, an Extension) as parts."""
    definitions = _definitions()
    kind = definitions.types[value.type].kind
    if kind == "resource":
        return {"resource": value.json}
    if kind in ("primitive", "code"):
        name = choice_key("value", _open_type(definitions, value.type) or "string")
        extra = {} if value.extra is None else {f"_{name}": value.extra}
        return extra if value.json is None else {name: value.json} | extra
    open_type = _open_type(definitions, value.type)
    if open_type is not None:
        return {choice_key("value", open_type): value.json}
    parts: list[Parameter] = []
    for name in definitions.elements(value.type):
        inner = cached_accessor(definitions.version, value.type, name)(value)
        for child in inner if isinstance(inner, list) else [inner]:
            if child is not None:
                parts.append({"name": name} | _single(child, ANY, depth - 1))
    return {"part": parts} if parts else _marked(EMPTY_TUPLE, "valueBoolean", True)


def _open_type(definitions: Definitions, name: str) -> str | None:
    """The nearest type at or above ``name`` that a value may have: ``code`` for a code with its own class."""
    current = name
    while current in definitions.types:
        if current in OPEN_TYPES:
            return current
        if definitions.types[current].kind == "code":
            return "code"
        current = definitions.types[current].base
    return None


@cache
def _definitions() -> Definitions:
    return definitions_of("4.0.1")


def resources_in(parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
    """The resources that parameters carry, those of parts included, in order."""
    found: list[dict[str, Any]] = []
    for parameter in parameters:
        if "resource" in parameter:
            found.append(parameter["resource"])
        found += resources_in(parameter.get("part", ()))
    return found
