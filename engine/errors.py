"""The exception tree and located diagnostics.

Two kinds of things go wrong, and they are kept apart:

* A *mistake of the author* (a CQL library, a value set, a trial) is data: a :class:`Diagnostic` with library, line,
  column, code, sentence and excerpt. Front ends collect all of them and raise one :class:`CompileError`.
* A *failure of a run* is an exception below :class:`EligibilityError` with a sentence that says what, where and what to
  do. Evaluation turns it into an error of the one define concerned; it never becomes null, false or "not met".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How grave a diagnostic is: an ``error`` forbids the use of the library, a ``warning`` asks for an answer."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source text: 1-based lines and columns, the end inclusive, as ELM locators count them."""

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def locator(self) -> str:
        """The ELM ``locator`` text, ``line:column-line:column``."""
        return f"{self.line}:{self.column}-{self.end_line}:{self.end_column}"

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(self.line, self.column, other.end_line, other.end_column)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake with its place: what a compiler prints.

    ``code`` is a stable kebab-case name (``unknown-name``, ``no-overload`` …); ``source`` is the file or library name
    as shown to the author; ``excerpt`` is the source line the span starts in, without its line end; ``phase`` tells a
    syntax error from a semantic one.
    """

    source: str
    span: Span | None
    code: str
    message: str
    severity: Severity = Severity.ERROR
    excerpt: str | None = None
    phase: str = "semantic"

    def moved_up(self, lines: int) -> Diagnostic:
        """The same mistake so many lines higher: for a text that was compiled below lines of our own."""
        if self.span is None or self.span.line <= lines:
            return self
        span = replace(self.span, line=self.span.line - lines, end_line=self.span.end_line - lines)
        return replace(self, span=span)

    def render(self) -> str:
        """``file.cql:41:9 unknown-name: sentence``, then the line and carets below the place.

        Of a line too long to read, the part around the place is shown; a sentence that quotes a monster is cut.
        """
        place = f"{self.source}:{self.span.line}:{self.span.column}" if self.span else self.source
        mark = "" if self.severity is Severity.ERROR else "warning "
        head = f"{place} {mark}{self.code}: {_shortened(self.message)}"
        if self.span is None or self.excerpt is None:
            return head
        start = min(self.span.column - 1, len(self.excerpt))
        end = self.span.end_column if self.span.end_line == self.span.line else len(self.excerpt)
        shown, start, end = _window(self.excerpt, start, end)
        indent = "".join("\t" if c == "\t" else " " for c in shown[:start])
        return f"{head}\n  {shown}\n  {indent}{'^' * max(1, min(end, len(shown)) - start)}"


LONGEST_EXCERPT = 200
"""Characters of a line that are shown; of a longer one, those around the place."""
LONGEST_MESSAGE = 1000


def _shortened(message: str) -> str:
    if len(message) <= LONGEST_MESSAGE:
        return message
    return f"{message[: LONGEST_MESSAGE // 2]} … {message[-LONGEST_MESSAGE // 2 :]}"


def _window(excerpt: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a line around a place, with the place in it."""
    if len(excerpt) <= LONGEST_EXCERPT:
        return excerpt, start, end
    first = max(0, min(start - LONGEST_EXCERPT // 3, len(excerpt) - LONGEST_EXCERPT))
    last = min(len(excerpt), first + LONGEST_EXCERPT)
    opening, closing = "…" if first else "", "…" if last < len(excerpt) else ""
    moved = len(opening) - first
    return f"{opening}{excerpt[first:last]}{closing}", start + moved, min(end, last) + moved


class EligibilityError(Exception):
    """Base of every error this product raises on purpose. Its text is a sentence for the person concerned."""


class CompileError(EligibilityError):
    """A library (or several) cannot be used; carries every diagnostic found, errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("\n".join(d.render() for d in self.diagnostics))

    @property
    def phase(self) -> str:
        """``syntax`` if any error is one of syntax, else ``semantic``."""
        return "syntax" if any(d.phase == "syntax" for d in self.diagnostics) else "semantic"


class EvaluationError(EligibilityError):
    """A define could not be evaluated: the error of that define, shown as such, never null.

    ``define`` and ``span`` name the place in the CQL when known; ``code`` is a stable kebab-case name.
    """

    def __init__(self, message: str, *, code: str = "evaluation", define: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.define = define


class LimitExceeded(EvaluationError):
    """A declared limit (rows, list or string size, time, nesting) was reached; the define is in error."""

    def __init__(self, message: str, *, define: str | None = None) -> None:
        super().__init__(message, code="limit", define=define)


class TerminologyError(EvaluationError):
    """A value set or code system cannot be resolved. Membership in it is an error of the define, never false."""

    def __init__(self, message: str, *, url: str | None = None) -> None:
        super().__init__(message, code="terminology")
        self.url = url


class InputError(EligibilityError):
    """An input (file, bundle, parameter file, folder) cannot be used; names the source and the place in it."""

    def __init__(self, source: str, place: str, message: str) -> None:
        where = f"{source}: {place}" if place else source
        super().__init__(f"{where}: {message}")
        self.source = source
        self.place = place
        self.message = message
