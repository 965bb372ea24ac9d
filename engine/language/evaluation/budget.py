"""Limits of a define and the budget that keeps them, checked wherever evaluation loops."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.errors import LimitExceeded

CHECK_EVERY = 1024
"""Steps between two looks at the machine's clock."""
WORK_A_STEP = 16
"""Elements that an operator runs through in about the time of a step."""
CHARACTERS_A_STEP = 64
_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class Limits:
    """What one define may use. Reaching a limit is an error of that define (LimitExceeded), never null.

    ``rows``: steps: rows that queries visit, calls of functions, elements of lists that operators make;
    ``list_size``: elements of one list; ``string_size``: characters of one string; ``call_depth``: nesting of function
    calls; ``seconds``: time of one define, with the defines it needs first.
    """

    rows: int = 1_000_000
    list_size: int = 250_000
    string_size: int = 1_000_000
    call_depth: int = 100
    seconds: float = 10.0


class Budget:
    """What a define has used of its limits. Time is read between steps only: no value depends on it."""

    __slots__ = ("_check_at", "_deadline", "_limits", "_spent", "_work")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent = 0
        self._work = 0
        self._deadline = 0.0
        self._check_at = _NEVER

    def begin(self) -> None:
        """Starts the budget of a define asked for from outside."""
        self._spent = self._work = 0
        self._check_at = min(CHECK_EVERY, self._limits.rows + 1)
        self._deadline = time.monotonic() + self._limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Counts steps; raises LimitExceeded when they, or the time, are used up."""
        self._spent += steps
        if self._spent >= self._check_at:
            self._check()

    def work(self, elements: int) -> None:
        """Counts elements that an operator runs through: they take time but make nothing."""
        self._work += elements
        if self._work >= CHECK_EVERY * WORK_A_STEP:
            self._work = 0
            if self._check_at != _NEVER:
                self._check()

    def made(self, size: int) -> None:
        """Counts the elements of a list that an operator made."""
        if size > self._limits.list_size and self._check_at != _NEVER:
            raise LimitExceeded(f"a list would have {size} elements, more than the limit of {self._limits.list_size}")
        self.spend(size)

    def wrote(self, characters: int) -> None:
        """Counts the characters of a text that an operator made."""
        if characters > self._limits.string_size and self._check_at != _NEVER:
            limit = self._limits.string_size
            raise LimitExceeded(f"a text would have {characters} characters, more than the limit of {limit}")
        self.spend(characters // CHARACTERS_A_STEP)

    def _check(self) -> None:
        limits = self._limits
        if self._spent > limits.rows:
            message = "the define takes more than {} steps (rows, calls, elements made); narrow its queries"
            raise LimitExceeded(message.format(limits.rows))
        if time.monotonic() > self._deadline:
            raise LimitExceeded(f"the define takes longer than {limits.seconds:g} s")
        self._check_at = min(self._spent + CHECK_EVERY, limits.rows + 1)
