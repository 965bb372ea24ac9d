"""Interval and Uncertainty (Language Semantics, "Interval Values" and "Uncertainty")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of points; a null boundary is the type's extreme when closed and unknown when open.

    ``point`` names the system type of the points (``Integer``, ``DateTime`` …) so that an interval with null
    boundaries still knows its type; it is None for ``Interval[null, null]`` without a type and takes no part in
    equality.
    """

    low: Any
    high: Any
    low_closed: bool = True
    high_closed: bool = True
    point: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and (
            (self.low, self.high, self.low_closed, self.high_closed)
            == (other.low, other.high, other.low_closed, other.high_closed)
        )

    def __hash__(self) -> int:
        return hash((Interval, self.low, self.high, self.low_closed, self.high_closed))


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A value only known to lie between ``low`` and ``high``, both included: ``months between @2014 and @2015-03``.

    Comparisons decide when the whole range is on one side and are null otherwise.
    """

    low: Any
    high: Any
