"""The least and greatest value of each ordered type, and the steps between values.

Source: CQL 1.5.3, Appendix B "Minimum", "Maximum", "Successor" and "Predecessor".
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from engine.language.values import temporal
from engine.language.values.clinical import Quantity
from engine.language.values.numbers import (
    DECIMAL_MAX,
    DECIMAL_MIN,
    DECIMAL_STEP,
    EXACT,
    INTEGER_MAX,
    INTEGER_MIN,
    LONG_MAX,
    LONG_MIN,
    Long,
)
from engine.language.values.temporal import Date, DateTime, Time

_MINIMUM: Final[dict[str, Any]] = {
    "Integer": INTEGER_MIN,
    "Long": Long(LONG_MIN),
    "Decimal": DECIMAL_MIN,
    "Quantity": Quantity(DECIMAL_MIN, "1"),
    "Date": Date(1, 1, 1),
    "DateTime": DateTime(1, 1, 1, 0, 0, 0, 0, 0),
    "Time": Time(0, 0, 0, 0),
}
_MAXIMUM: Final[dict[str, Any]] = {
    "Integer": INTEGER_MAX,
    "Long": Long(LONG_MAX),
    "Decimal": DECIMAL_MAX,
    "Quantity": Quantity(DECIMAL_MAX, "1"),
    "Date": Date(9999, 12, 31),
    "DateTime": DateTime(9999, 12, 31, 23, 59, 59, 999, 0),
    "Time": Time(23, 59, 59, 999),
}


def minimum(point: str) -> Any:
    """The least value of the system type ``point``; KeyError for a type without order. DateTime's is in UTC."""
    return _MINIMUM[point]


def maximum(point: str) -> Any:
    """The greatest value of the system type ``point``; KeyError for a type without order. DateTime's is in UTC."""
    return _MAXIMUM[point]


def successor(value: Any) -> Any:
    """The next value by the type of ``value``; None after the last. TypeError for a type without steps."""
    return _step(value, 1, temporal.successor)


def predecessor(value: Any) -> Any:
    """The value before by the type of ``value``; None before the first. TypeError for a type without steps."""
    return _step(value, -1, temporal.predecessor)


def _step(value: Any, direction: int, temporal_step: Callable[[Any], Any]) -> Any:
    match value:
        case bool():
            raise TypeError("a Boolean has no successor or predecessor")
        case Long():
            return Long(value + direction) if LONG_MIN <= value + direction <= LONG_MAX else None
        case int():
            return value + direction if INTEGER_MIN <= value + direction <= INTEGER_MAX else None
        case Decimal():
            return _decimal_step(value, direction)
        case Quantity():
            return _quantity_step(value, direction)
        case Date() | DateTime() | Time():
            return temporal_step(value)
        case _:
            raise TypeError(f"a {type(value).__name__} has no successor or predecessor")


def _decimal_step(value: Decimal, direction: int, step: Decimal = DECIMAL_STEP) -> Decimal | None:
    moved = EXACT.add(value, EXACT.multiply(step, Decimal(direction)))
    return moved if DECIMAL_MIN <= moved <= DECIMAL_MAX else None


def _quantity_step(value: Quantity, direction: int) -> Quantity | None:
    """By 1 when the value is written as an integer, by the step of Decimal when it is written with decimals."""
    if value.value is None:
        return None
    exponent = value.value.as_tuple().exponent
    step = Decimal(1) if isinstance(exponent, int) and exponent >= 0 else DECIMAL_STEP
    moved = _decimal_step(value.value, direction, step)
    return None if moved is None else Quantity(moved, value.unit)
