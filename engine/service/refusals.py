"""Errors of the service: a refusal is data (a status and issues), and becomes one OperationOutcome at the edge.

No sentence carries what the caller sent as patient data. Sentences of the product name places and types; where one was
made from data (a value that could not be converted, an id that stands twice), :func:`without` takes the data out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from engine.errors import CompileError, Diagnostic, EligibilityError, EvaluationError, InputError, Severity
from engine.fhir.definitions import definitions
from engine.fhir.out import Issue, operation_outcome

STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
HIDDEN: Final = "…"
SHORTEST: Final = 2
"""Texts of the data shorter than this are no more than a letter, which no sentence can do without."""


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column of an issue within a text that was sent, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered instead of a result: HTTP status, issues, and the place of each that has one."""

    status: int
    issues: tuple[Issue, ...]
    places: tuple[Place | None, ...] = ()


class Refused(Exception):
    """A request that is not answered as asked; carries the :class:`Refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.issues[0].diagnostics if refusal.issues else str(refusal.status))
        self.refusal = refusal


def refused(status: int, code: str, sentence: str, *expression: str) -> Refused:
    """A refusal of one issue; ``code`` is of http://hl7.org/fhir/issue-type, ``expression`` its place as FHIRPath."""
    return Refused(Refusal(status, (Issue("error", code, sentence, expression),)))


def outcome(refusal: Refusal) -> dict[str, Any]:
    """The OperationOutcome of a refusal, with line and column as text and as the standard's extensions."""
    resource = operation_outcome(refusal.issues)
    for row, place in zip(resource["issue"], refusal.places, strict=False):
        if place is not None:
            row["location"] = [f"line {place.line}, column {place.column}"]
            row["extension"] = [
                {"url": f"{STRUCTURE}operationoutcome-issue-line", "valueInteger": place.line},
                {"url": f"{STRUCTURE}operationoutcome-issue-col", "valueInteger": place.column},
            ]
    return resource


def of_compilation(error: CompileError, expression: str, first_line: int = 0, source: str = "") -> Refusal:
    """Every diagnostic as an issue; the excerpt is not repeated, since the caller has the text.

    ``first_line`` is how many lines the service put before the caller's text; ``source`` is the name by which that text
    was translated: places in other libraries are named in the sentence instead.
    """
    issues, places = [], []
    for diagnostic in error.diagnostics:
        own = diagnostic.source == source
        issues.append(_issue(diagnostic, expression, own))
        span = diagnostic.span
        inside = own and span is not None and span.line > first_line
        places.append(Place(span.line - first_line, span.column) if inside and span else None)
    return Refusal(400, tuple(issues), tuple(places))


def _issue(diagnostic: Diagnostic, expression: str, own: bool) -> Issue:
    severe = diagnostic.severity is Severity.ERROR
    name = re.split(r"[\\/]", diagnostic.source)[-1]
    place = f":{diagnostic.span.line}:{diagnostic.span.column}" if diagnostic.span else ""
    sentence = diagnostic.message if own else f"{name}{place}: {diagnostic.message}"
    return Issue("error" if severe else "warning", "invalid", f"{diagnostic.code}: {sentence}", (expression,))


def of_error(
    error: EligibilityError, data: Any, expression: str | None = None, known: frozenset[str] = frozenset()
) -> Refusal:
    """The refusal for an error of the product; ``data`` is the patient data that its sentence may not repeat, names
    that are ``known`` to the service excepted."""
    place = () if expression is None else (expression,)
    if isinstance(error, CompileError):
        return of_compilation(error, expression or "Parameters")
    code, status = ("invalid", 400) if isinstance(error, InputError) else ("processing", 422)
    return Refusal(status, (Issue("error", code, without(str(error), data, known), place),))


def of_evaluation(error: EvaluationError, data: Any, define: str) -> dict[str, Any]:
    """The OperationOutcome of a define that failed while the others stand; names the define."""
    code = {"limit": "too-costly", "terminology": "not-found", "unavailable": "incomplete"}.get(error.code, "exception")
    inner = "" if error.define in (None, define) else f" (in '{error.define}')"
    sentence = without(error.message, data)
    return operation_outcome([Issue("error", code, f"{define}: {sentence}{inner}", (f"'{define}'",))])


# ---------------------------------------------------------------- patient data


def without(sentence: str, data: Any, known: frozenset[str] = frozenset()) -> str:
    """The sentence with every text and number of the data taken out, as a whole and word by word.

    What is a name of FHIR (a resource type, an element) or ``known`` stays, and so do plain small words: only words
    with a digit or a capital are looked for one by one, since a patient's words may be those of any sentence.
    """
    if data is None:
        return sentence
    names, texts = _names() | known, _texts(data)
    found = {text for text in texts - names if len(text) >= SHORTEST and text in sentence}
    words = set(re.findall(r"[^\W_][\w.:+-]*[^\W_]", sentence))
    telling = {word for word in words if word not in names and re.search(r"[\dA-Z]", word)}
    found |= telling & {word for text in texts for word in re.findall(r"[^\W_][\w.:+-]*[^\W_]", text)}
    for text in sorted(found, key=len, reverse=True):
        sentence = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, sentence)
    return sentence


def _texts(data: Any) -> set[str]:
    """All texts and numbers in decoded JSON, and the names that FHIR does not know."""
    texts = set[str]()
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
        elif value is not None and not isinstance(value, bool):
            texts.add(str(value))
    return texts


@cache
def _names() -> frozenset[str]:
    """The names of FHIR: types and elements."""
    types = definitions("4.0.1").types
    elements = {name for definition in types.values() for name in definition.elements}
    return frozenset({*types, *elements, "resourceType", "fullUrl"})
