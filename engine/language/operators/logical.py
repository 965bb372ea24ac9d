"""Logical operators over true, false and null (CQL 1.5.3, Appendix B, "Logical Operators").

The truth table stands above each function. ``and`` and ``or`` are typed with two operands and computed with any number:
a chain ``a and b and c`` is one node of the tree. The compiler evaluates these operators lazily with the same tables.
"""

from __future__ import annotations

from engine.language.operators.registry import operator


@operator("And(Boolean, Boolean) Boolean", reference="and", nulls="own")
def and_all(*operands: bool | None) -> bool | None:
    """False when any operand is false, else null when any is null, else true.

    ===== ===== ===== =====
    and   true  false null
    ===== ===== ===== =====
    true  true  false null
    false false false false
    null  null  false null
    ===== ===== ===== =====
    """
    if False in operands:
        return False
    return None if None in operands else True


@operator("Or(Boolean, Boolean) Boolean", reference="or", nulls="own")
def or_any(*operands: bool | None) -> bool | None:
    """True when any operand is true, else null when any is null, else false.

    ===== ===== ===== =====
    or    true  false null
    ===== ===== ===== =====
    true  true  true  true
    false true  false null
    null  true  null  null
    ===== ===== ===== =====
    """
    if True in operands:
        return True
    return None if None in operands else False


@operator("Xor(Boolean, Boolean) Boolean", reference="xor", nulls="own")
def xor(left: bool | None, right: bool | None) -> bool | None:
    """True when exactly one operand is true, null when either is null.

    ===== ===== ===== =====
    xor   true  false null
    ===== ===== ===== =====
    true  false true  null
    false true  false null
    null  null  null  null
    ===== ===== ===== =====
    """
    if left is None or right is None:
        return None
    return left is not right


@operator("Implies(Boolean, Boolean) Boolean", reference="implies", nulls="own")
def implies(left: bool | None, right: bool | None) -> bool | None:
    """``not left or right``: a false premise implies anything, a true conclusion follows from anything.

    ======= ===== ===== =====
    implies true  false null
    ======= ===== ===== =====
    true    true  false null
    false   true  true  true
    null    true  null  null
    ======= ===== ===== =====
    """
    return or_any(negate_boolean(left), right)


@operator("Not(Boolean) Boolean", reference="not", nulls="own")
def negate_boolean(operand: bool | None) -> bool | None:
    """True for false, false for true, null for null."""
    return None if operand is None else not operand
