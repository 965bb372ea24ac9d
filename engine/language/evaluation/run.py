"""The state of one run: the context, what is remembered within the patient, the tracer."""

from __future__ import annotations

from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.evaluation.trace import Trace, Tracer

MISSING: Any = object()


class Run:
    """One patient, one set of parameters, one moment; frames hold it in slot 0."""

    __slots__ = ("context", "depth", "memo", "retrieved", "traced", "tracer")

    def __init__(self, context: Context, tracer: Tracer | None = None) -> None:
        self.context = context
        self.tracer = tracer
        self.memo: dict[Any, Any] = {}
        self.traced: dict[Any, Trace] = {}
        self.retrieved: dict[Any, list[Any]] = {}
        self.depth = 0

    def begin(self) -> None:
        """Starts the budget of a define asked for from outside."""
        self.depth = 0
        self.context.budget.begin()


class Failure:
    """The remembered failure of a define, raised again for everyone who uses it."""

    __slots__ = ("error",)

    def __init__(self, error: EvaluationError) -> None:
        self.error = error
