"""What the service keeps: results for the links of cards, and feedback on cards. Here in memory, within bounds.

``app.state.results`` and ``app.state.feedback`` are anything that fits the protocols; a database takes their place.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.service.principal import Principal

KEPT = 1000


class Results(Protocol):
    """Results of screening, as JSON, by a name that cannot be guessed."""

    async def keep(self, caller: Principal, name: str, result: bytes) -> None:
        """Keeps the results of one record."""

    async def link(self, name: str) -> str:
        """What an address of the results needs besides the name, so that a person can open it."""

    async def get(self, caller: Principal, name: str) -> bytes | None:
        """The results of that name; None when they are not (or no longer) kept, or not for this caller."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with a card (CDS Hooks 2.0, "Feedback"); ``detail`` is the JSON as it came."""

    service: str
    card: str
    outcome: str
    outcome_timestamp: str
    detail: dict[str, Any]


class FeedbackStore(Protocol):
    """Feedback on cards, in the order it came."""

    async def add(self, caller: Principal, feedback: Sequence[Feedback]) -> None:
        """Keeps feedback."""


class MemoryResults:
    """The last results, until the service ends."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.held: OrderedDict[str, tuple[Principal, bytes]] = OrderedDict()

    async def keep(self, caller: Principal, name: str, result: bytes) -> None:
        """Keeps the results and forgets the oldest."""
        self.held[name] = (caller, result)
        while len(self.held) > self.kept:
            self.held.popitem(last=False)

    async def link(self, name: str) -> str:
        """Nothing: who calls is not asked for."""
        return ""

    async def get(self, caller: Principal, name: str) -> bytes | None:
        """The results of that name, for the caller they were made for."""
        owner, result = self.held.get(name, (None, b""))
        return result if owner == caller else None


class MemoryFeedback:
    """The last feedback, until the service ends."""

    def __init__(self, kept: int = KEPT) -> None:
        self.held: deque[Feedback] = deque(maxlen=kept)

    async def add(self, caller: Principal, feedback: Sequence[Feedback]) -> None:
        """Keeps feedback and forgets the oldest."""
        self.held.extend(feedback)
