"""Operators about null (CQL 1.5.3, Appendix B, "Nullological Operators"). None of them propagates null."""

from __future__ import annotations

from typing import Any

from engine.language.operators.registry import operator


@operator("Coalesce(T, T) T", reference="coalesce", nulls="own")
@operator("Coalesce(T, T, T) T", reference="coalesce", nulls="own")
@operator("Coalesce(T, T, T, T) T", reference="coalesce", nulls="own")
@operator("Coalesce(T, T, T, T, T) T", reference="coalesce", nulls="own")
def coalesce(*operands: Any) -> Any:
    """The first operand that is not null; null when all are.

    The compiler evaluates the operands one after the other and stops at the first that is not null.
    """
    return next((operand for operand in operands if operand is not None), None)


@operator("Coalesce(List<T>) T", reference="coalesce", nulls="own")
def coalesce_list(operands: list[Any] | None) -> Any:
    """The first element that is not null; null for a list without one, an empty list and null."""
    return coalesce(*(operands or ()))


@operator("IsNull(Any) Boolean", reference="isnull", nulls="own")
def is_null(operand: Any) -> bool:
    """True for null, false for every value; an empty list or string is a value."""
    return operand is None


@operator("IsTrue(Boolean) Boolean", reference="istrue", nulls="own")
def is_true(operand: bool | None) -> bool:
    """True for true, false for false and null."""
    return operand is True


@operator("IsFalse(Boolean) Boolean", reference="isfalse", nulls="own")
def is_false(operand: bool | None) -> bool:
    """True for false, false for true and null."""
    return operand is False
