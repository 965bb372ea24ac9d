"""The Context of one run over one patient: everything evaluation may know of the world comes in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.language.evaluation.budget import Budget, Limits
from engine.language.evaluation.protocols import Data, Terms, UnitSystem
from engine.language.values.temporal import DateTime

__all__ = ["Context", "Limits"]


@dataclass(slots=True)
class Context:
    """Inputs of one evaluation: same inputs, same result.

    ``now`` carries the time zone offset of the run; DateTimes without an offset take it. ``parameters`` are values by
    name; an absent one takes the default of the library. ``data`` is None when no patient is in sight (constant
    expressions). ``messages`` collects what the Message operator says, as (severity, code, text).
    """

    now: DateTime
    units: UnitSystem
    terms: Terms | None = None
    data: Data | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    messages: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    offset_minutes: int = field(init=False)
    """The time zone offset of the run in minutes east of UTC."""
    budget: Budget = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.offset_minutes = self.now.offset_minutes or 0
        self.budget = Budget(self.limits)
