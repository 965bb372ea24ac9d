"""Errors and messages (CQL 1.5.3, Appendix B, "Errors and Messaging")."""

from __future__ import annotations

from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.registry import operator

SEVERITIES = ("Trace", "Message", "Warning", "Error")
"""What a message may be; only an Error stops the evaluation."""


@operator("Message(T, Boolean, String, String, String) T", reference="message", nulls="own", context=True)
def message(
    context: Context, source: Any, condition: bool | None, code: str | None, severity: str | None, text: str | None
) -> Any:
    """The source, unchanged; when the condition is true, ``(severity, code, text)`` joins the context's messages.

    No severity means Message; Error raises EvaluationError with code and text, and the define stops there. An unknown
    severity is an error too, since it might have been meant to stop. The source is never part of what is noted: it may
    be patient data.
    """
    if condition is not True:
        return source
    grade = severity or "Message"
    if grade not in SEVERITIES:
        raise EvaluationError(
            f"Message has the severity '{grade}'; use one of {', '.join(SEVERITIES)}", code="unknown-severity"
        )
    context.messages.append((grade, code, text))
    if grade == "Error":
        raise EvaluationError(": ".join(part for part in (code, text) if part) or "Error", code="message")
    return source
