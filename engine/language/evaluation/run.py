"""The state of one run: the context, what is remembered within the patient, budgets and the tracer."""

from __future__ import annotations

import time
from typing import Any

from engine.errors import EvaluationError, LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.evaluation.trace import Trace, Tracer

MISSING: Any = object()
CHECK_EVERY = 1024


class Run:
    """One patient, one set of parameters, one moment; frames hold it in slot 0."""

    __slots__ = ("context", "depth", "memo", "retrieved", "rows", "started", "terms_memo", "traced", "tracer")

    def __init__(self, context: Context, tracer: Tracer | None = None) -> None:
        self.context = context
        self.tracer = tracer
        self.memo: dict[Any, Any] = {}
        self.traced: dict[Any, Trace] = {}
        self.retrieved: dict[Any, list[Any]] = {}
        self.terms_memo: dict[Any, Any] = {}
        self.rows = 0
        self.depth = 0
        self.started = 0.0

    def begin(self) -> None:
        """Starts the budgets of a define asked for from outside."""
        self.rows = 0
        self.depth = 0
        self.started = _clock()

    def row(self) -> None:
        """Counts a row visited; the cooperative budget of rows and time is checked here."""
        self.rows += 1
        if self.rows % CHECK_EVERY == 0:
            self.check()

    def check(self) -> None:
        """Raises LimitExceeded when the rows or the time of the define are used up."""
        limits = self.context.limits
        if self.rows > limits.rows:
            raise LimitExceeded(f"the define visits more than {limits.rows} rows; narrow its queries")
        if _clock() - self.started > limits.seconds:
            raise LimitExceeded(f"the define takes longer than {limits.seconds:g} s")


def _clock() -> float:
    """Elapsed time for budgets only; no value depends on it."""
    return time.monotonic()


class Failure:
    """The remembered failure of a define, raised again for everyone who uses it."""

    __slots__ = ("error",)

    def __init__(self, error: EvaluationError) -> None:
        self.error = error
