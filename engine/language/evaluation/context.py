"""The Context of one run over one patient: everything evaluation may know of the world comes in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.language.evaluation.protocols import Data, Terms, UnitSystem
from engine.language.values.temporal import DateTime


@dataclass(frozen=True, slots=True)
class Limits:
    """What one define may use. Reaching a limit is an error of that define (LimitExceeded), never null.

    ``rows``: rows a query may visit; ``list_size``: elements of a list made by an operator; ``string_size``: characters
    of a string; ``call_depth``: nesting of function calls; ``seconds``: cooperative time budget of one define.
    """

    rows: int = 1_000_000
    list_size: int = 1_000_000
    string_size: int = 10_000_000
    call_depth: int = 100
    seconds: float = 10.0


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

    @property
    def offset_minutes(self) -> int:
        """The time zone offset of the run in minutes east of UTC."""
        return self.now.offset_minutes or 0
