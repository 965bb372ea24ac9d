"""What a run could not fetch, so that nothing rests on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.fhir import EVERY_TYPE


@dataclass(frozen=True, slots=True)
class Missing:
    """Data that exist, or may exist, and were not had.

    ``type`` is the resource type, :data:`EVERY_TYPE` where nobody can say; ``patient`` a reference, empty where all
    patients of the run are concerned; ``reason`` a sentence.
    """

    type: str
    reason: str
    patient: str = ""

    def __str__(self) -> str:
        what = "any type" if self.type == EVERY_TYPE else self.type
        return f"{what} of {self.patient or 'all patients'}: {self.reason}"


@dataclass(slots=True)
class Completeness:
    """What is missing from a run so far, each once; ``notes`` are oddities that took nothing away."""

    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return not self.missing

    def add(self, missing: Missing) -> None:
        """Records what is missing."""
        if missing not in self.missing:
            self.missing.append(missing)

    def note(self, sentence: str) -> None:
        """Records an oddity."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def unavailable(missing: Iterable[Missing]) -> dict[str, str]:
    """The first reason of each type: what a :class:`Bundle` takes as ``unavailable``."""
    reasons: dict[str, str] = {}
    for item in missing:
        reasons.setdefault(item.type, item.reason)
    return reasons
