"""Values as JSON, in two forms.

*Canonical*: every value carries its type, ``{"type": "Integer", "value": 1}``; for tools that compare engines. Decimals
are texts with the digits they have, never with an exponent.

*Plain*: what a person expects of ``{define: value}``: JSON's own null, booleans, numbers and strings; values of a data
model as ``element`` writes them. Decimals stay Decimals here and become exact JSON numbers in :func:`encode`.

The language knows no data model: a value that is none of its own is given to the callable ``element``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.errors import EvaluationError, LimitExceeded
from engine.language.types.datatype import (
    DECIMAL,
    INTERVAL_ELEMENTS,
    LONG,
    DataType,
    IntervalType,
    ListType,
    TupleType,
)
from engine.language.values.clinical import Code, CodeSystem, Concept, Quantity, Ratio, ValueSet
from engine.language.values.interval import Interval, Uncertainty
from engine.language.values.numbers import Long
from engine.language.values.structured import Tuple
from engine.language.values.temporal import Date, DateTime, Time

MAX_DEPTH: Final = 200
"""How deep values may be nested to be written as JSON; deeper is LimitExceeded, long before Python's own limit."""

Element = Callable[[Any], Any]
"""Writes a value of a data model as JSON."""


def _as_text(value: Any) -> str:
    """A text of a kind of its own, such as a number of a record that could not be read, is written as any text."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_text)


def encode(content: Any) -> bytes:
    """JSON text of what :func:`to_canonical` and :func:`to_plain` give; Decimals become exact numbers."""
    return _ENCODER.encode(content)


def decimal_text(value: Decimal) -> str:
    """The number with exactly its digits and without an exponent; zero has no sign."""
    return format(value if value else abs(value), "f")


def to_canonical(value: Any, datatype: DataType | None = None, element: Element | None = None) -> Any:
    """The canonical JSON of a value.

    ``datatype`` is its static type, where known: it tells a Long or Decimal from an Integer where the value itself
    does not. ``element`` writes values of a data model. EvaluationError for a value that has no JSON form,
    LimitExceeded for one nested deeper than MAX_DEPTH.
    """
    return _canonical(value, datatype, element, MAX_DEPTH)


def to_plain(value: Any, element: Element | None = None) -> Any:
    """The plain JSON of a value; ``element``, errors and limits as for :func:`to_canonical`.

    An uncertain value stands under ``$uncertainty``.
    """
    return _plain(value, element, MAX_DEPTH)


# -- canonical --------------------------------------------------------------------------------------------------------


def _canonical(value: Any, datatype: DataType | None, element: Element | None, depth: int) -> Any:
    if depth == 0:
        raise _too_deep()
    match value:
        case None:
            return None
        case bool() | str():
            return {"type": "Boolean" if isinstance(value, bool) else "String", "value": value}
        case int() | Decimal():
            return _canonical_number(value, datatype)
        case Date() | DateTime() | Time():
            return {"type": type(value).__name__, "value": str(value)}
        case Quantity() | Ratio() | Code() | Concept() | ValueSet() | CodeSystem():
            return _canonical_clinical(value)
        case Interval() | Uncertainty():
            return _canonical_range(value, datatype, element, depth)
        case list():
            inner = datatype.element if isinstance(datatype, ListType) else None
            return {"type": "List", "elements": [_canonical(item, inner, element, depth - 1) for item in value]}
        case Tuple():
            types = datatype if isinstance(datatype, TupleType) else TupleType(())
            written = {n: _canonical(v, types.get(n), element, depth - 1) for n, v in value.elements.items()}
            return {"type": "Tuple", "elements": written}
    return _element(value, element)


def _canonical_number(value: int | Decimal, datatype: DataType | None) -> dict[str, Any]:
    if isinstance(value, Decimal) or datatype == DECIMAL:
        return {"type": "Decimal", "value": decimal_text(Decimal(value))}
    if isinstance(value, Long) or datatype == LONG:
        return {"type": "Long", "value": str(int(value))}
    return {"type": "Integer", "value": value}


def _canonical_range(
    value: Interval | Uncertainty, datatype: DataType | None, element: Element | None, depth: int
) -> dict[str, Any]:
    point = datatype.point if isinstance(datatype, IntervalType) else None
    bounds = {
        "low": _canonical(value.low, point, element, depth - 1),
        "high": _canonical(value.high, point, element, depth - 1),
    }
    if isinstance(value, Uncertainty):
        return {"type": "Uncertainty", **bounds}
    return {"type": "Interval", **bounds, "lowClosed": value.low_closed, "highClosed": value.high_closed}


def _canonical_clinical(value: Quantity | Ratio | Code | Concept | ValueSet | CodeSystem) -> dict[str, Any]:
    match value:
        case Quantity():
            text = None if value.value is None else decimal_text(value.value)
            return {"type": "Quantity", "value": text, "unit": value.unit}
        case Ratio():
            parts = {"numerator": value.numerator, "denominator": value.denominator}
            return {"type": "Ratio"} | {n: None if q is None else _canonical_clinical(q) for n, q in parts.items()}
        case Code():
            return {"type": "Code", **_code(value), "version": value.version, "display": value.display}
        case Concept():
            codes = [_canonical_clinical(code) for code in value.codes]
            return {"type": "Concept", "codes": codes, "display": value.display}
    return {"type": type(value).__name__, "id": value.id, "version": value.version}


# -- plain ------------------------------------------------------------------------------------------------------------


def _plain(value: Any, element: Element | None, depth: int) -> Any:
    if depth == 0:
        raise _too_deep()
    match value:
        case None | bool() | str() | Decimal():
            return value
        case int():
            return int(value)
        case Date() | DateTime() | Time():
            return str(value)
        case Quantity() | Ratio() | Code() | Concept() | ValueSet() | CodeSystem():
            return _plain_clinical(value)
        case Interval():
            bounds = (_plain(value.low, element, depth - 1), _plain(value.high, element, depth - 1))
            return dict(zip(INTERVAL_ELEMENTS, (*bounds, value.low_closed, value.high_closed), strict=True))
        case Uncertainty():
            bounds = (_plain(value.low, element, depth - 1), _plain(value.high, element, depth - 1))
            return {"$uncertainty": dict(zip(("low", "high"), bounds, strict=True))}
        case list():
            return [_plain(item, element, depth - 1) for item in value]
        case Tuple():
            return {name: _plain(item, element, depth - 1) for name, item in value.elements.items()}
    return _element(value, element)


def _plain_clinical(value: Quantity | Ratio | Code | Concept | ValueSet | CodeSystem) -> dict[str, Any]:
    match value:
        case Quantity():
            return {"value": value.value, "unit": value.unit}
        case Ratio():
            parts = {"numerator": value.numerator, "denominator": value.denominator}
            return {name: None if quantity is None else _plain_clinical(quantity) for name, quantity in parts.items()}
        case Code():
            return _code(value)
        case Concept():
            return {"codes": [_code(code) for code in value.codes]}
    return {"id": value.id, "version": value.version}


# -- both -------------------------------------------------------------------------------------------------------------


def _code(value: Code) -> dict[str, Any]:
    return {"code": value.code, "system": value.system}


def _element(value: Any, element: Element | None) -> Any:
    if element is None:
        raise EvaluationError(
            f"a value of type {type(value).__name__} cannot be written as JSON without its data model"
        )
    return element(value)


def _too_deep() -> LimitExceeded:
    return LimitExceeded(f"the value is nested more than {MAX_DEPTH} deep and cannot be written as JSON; flatten it")
