"""The generated lexer with a short way through what it has met before.

What has a body of any length (white space, comments, strings, quoted names) one expression reads, as the rules of the
grammar say. For the rest ANTLR's lexer learns a table of states as it reads; walking that table takes a few lines.
Whatever neither answers (a first meeting, a string without an end, the end of the text) ANTLR itself reads.
"""

from __future__ import annotations

import re
from typing import Any

from antlr4.Token import CommonToken

from engine.language.grammar.generated.CqlLexer import CqlLexer

_COMMENTS = frozenset((CqlLexer.COMMENT, CqlLexer.LINE_COMMENT))
_HIDDEN = CommonToken.HIDDEN_CHANNEL
_EDGES = 128
_BODIES = re.compile(
    r"""(?P<WHITESPACE>[ \t\r\n\u00A0\uFEFF]+)
    | (?P<LINE_COMMENT>//[^\r\n]*)
    | (?P<COMMENT>/\*.*?\*/)
    | (?P<STRING>'(?:[^'\\]++|\\.)*+')
    | (?P<QUOTEDIDENTIFIER>"(?:[^"\\]++|\\.)*+")
    | (?P<DELIMITEDIDENTIFIER>`(?:[^`\\]++|\\.)*+`)""",
    re.DOTALL | re.VERBOSE,
)
_KINDS = {name: getattr(CqlLexer, name) for name in _BODIES.groupindex}


class QuickLexer(CqlLexer):  # type: ignore[misc]
    """Gives the tokens of `CqlLexer`."""

    def nextToken(self) -> Any:  # noqa: N802 — ANTLR's name
        stream, place = self._input, self._interp
        text = stream.strdata
        while True:
            start = stream.index
            body = _BODIES.match(text, start)
            accepted = (body.end(), _KINDS[body.lastgroup or ""]) if body else self._accepted(stream.data, start)
            if accepted is None:
                return super().nextToken()
            end, kind = accepted
            line, column = place.line, place.column
            written = text[start:end]
            breaks = written.count("\n")
            if breaks:
                place.line = line + breaks
                place.column = len(written) - written.rfind("\n") - 1
            else:
                place.column = column + end - start
            stream.seek(end)
            if kind == CqlLexer.WHITESPACE:
                continue
            token = CommonToken(self._tokenFactorySourcePair, kind, _HIDDEN if kind in _COMMENTS else 0, start, end - 1)
            token.line, token.column, token._text = line, column, written
            return token

    def _accepted(self, codes: list[int], start: int) -> tuple[int, int] | None:
        """The end and the type of the longest token at `start`, or None where the table does not say."""
        state = self._interp.decisionToDFA[0].s0
        failure = self._interp.ERROR
        found: tuple[int, int] | None = None
        for index in range(start, len(codes)):
            code = codes[index]
            edges = state.edges if state is not None else None
            if edges is None or code >= _EDGES:
                return None
            state = edges[code]
            if state is failure:
                return found
            if state is None:
                return None
            if state.isAcceptState:
                found = index + 1, state.prediction
        return None
