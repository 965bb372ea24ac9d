"""Where the mistakes of one text are gathered, each with its place and the line it stands in."""

from __future__ import annotations

from typing import Any

from antlr4 import Token

from engine.errors import Diagnostic, Span

EOF = Token.EOF
DIAGNOSTICS_LIMIT = 200


def token_span(token: Any) -> Span:
    """The place of a token: 1-based, the end inclusive."""
    text = "" if token.type == EOF else token.text
    line, column = token.line, token.column + 1
    breaks = text.count("\n")
    if breaks:
        return Span(line, column, line + breaks, len(text) - text.rfind("\n") - 1)
    return Span(line, column, line, column + max(len(text), 1) - 1)


class Reporter:
    """The diagnostics of one text: at most one a place, the first, and no more than a person would read."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self._lines: list[str] | None = None
        self._places: set[Span] = set()

    def at_token(self, token: Any, code: str, message: str) -> None:
        """Report a mistake at a token."""
        self.at(token_span(token), code, message)

    def at(self, span: Span, code: str, message: str) -> None:
        """Report a mistake at a place."""
        if span not in self._places and len(self.diagnostics) < DIAGNOSTICS_LIMIT:
            self._places.add(span)
            excerpt = self._line(span.line)
            self.diagnostics.append(Diagnostic(self.source, span, code, message, excerpt=excerpt, phase="syntax"))

    def _line(self, line: int) -> str:
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines[line - 1].rstrip("\r") if 0 < line <= len(self._lines) else ""
