"""Numbers: ranges of Integer, Long and Decimal, and the one decimal context (Appendix B, "Types"; DESIGN 4.13)."""

from __future__ import annotations

import decimal
from decimal import Decimal

INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
DECIMAL_MAX = Decimal("99999999999999999999.99999999")
DECIMAL_MIN = -DECIMAL_MAX
DECIMAL_STEP = Decimal("0.00000001")

EXACT = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_EVEN, Emax=9999, Emin=-9999, traps=[
    decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow,
])  # fmt: skip
"""The context of every decimal operation: wide enough that products and sums of CQL decimals are exact."""


class Long(int):
    """A CQL Long: an integer of 64 bits that keeps its type under Any and Choice."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}L"
