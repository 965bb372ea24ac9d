"""Clinical values: Quantity, Ratio, Code, Concept and references to vocabularies (Appendix B, "Types")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quantity:
    """A decimal with a unit: UCUM (``mg/dL``), a calendar word (``days``) or ``1``. The value is never rounded."""

    value: Decimal | None
    unit: str = "1"

    def __str__(self) -> str:
        number = "null" if self.value is None else format(self.value, "f")
        return f"{number} '{self.unit}'"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two quantities, ``1:128``."""

    numerator: Quantity | None
    denominator: Quantity | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a code system; ``system`` is the canonical URL."""

    code: str | None
    system: str | None = None
    version: str | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """Codes of different systems for one idea, with a display text."""

    codes: tuple[Code, ...]
    display: str | None = None


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A reference to a value set by its canonical URL; its codes are asked of the terminology."""

    id: str
    version: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A reference to a code system by its canonical URL."""

    id: str
    version: str | None = None
    name: str | None = None
