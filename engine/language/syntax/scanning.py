"""From text to tokens: the generated lexer, run once over the whole text, and the stream the parser reads from.

The stream holds only the tokens of the grammar; comments are kept apart, at the token that they precede, for the tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from antlr4 import InputStream

from engine.errors import Span
from engine.language.grammar.generated.CqlLexer import CqlLexer
from engine.language.syntax.lexing import QuickLexer
from engine.language.syntax.reporting import EOF, Reporter, token_span

_OPENING = frozenset((CqlLexer.LEFT_PARENTHESIS, CqlLexer.LEFT_BRACKET, CqlLexer.LEFT_BRACE))
_CLOSING = frozenset((CqlLexer.RIGHT_PARENTHESIS, CqlLexer.RIGHT_BRACKET, CqlLexer.RIGHT_BRACE))
_NEVER_READ = {"'": "string", '"': "quoted name", "`": "quoted name", "/": "comment"}


LONGEST_TEXT = 2_000_000
"""Characters of one text: a hundred times the longest library in practice."""
MOST_TOKENS = 200_000
"""Words, numbers, strings and signs of one text."""


class TextTooLong(Exception):
    """A text is longer than what is read; it is reported before this is raised."""


class TokenStream:
    """The tokens of one text, as ANTLR's parser asks for them: a list and a position in it.

    The last token is the end of the text, and stays the current one once it is reached.
    """

    __slots__ = ("index", "last", "tokenSource", "tokens", "types")

    def __init__(self, tokens: list[Any], source: Any) -> None:
        self.tokenSource = source
        self.replace(tokens)

    def replace(self, tokens: list[Any]) -> None:
        """Read from the first of `tokens` on."""
        self.tokens = tokens
        self.types = [token.type for token in tokens]
        self.last = len(tokens) - 1
        self.index = 0
        for place, token in enumerate(tokens):
            token.tokenIndex = place

    def LA(self, offset: int) -> int:  # noqa: N802 — ANTLR's name
        """The type of the token `offset` ahead; 1 is the current one."""
        place = self.index + offset - 1
        return self.types[place if place < self.last else self.last]  # type: ignore[no-any-return]

    def LT(self, offset: int) -> Any:  # noqa: N802 — ANTLR's name
        """The token `offset` ahead (1 is the current one), or behind when negative (-1 is the one before)."""
        place = self.index + offset - 1 if offset > 0 else self.index + offset
        return None if place < 0 else self.tokens[place if place < self.last else self.last]

    def consume(self) -> None:
        if self.index < self.last:
            self.index += 1

    def seek(self, index: int) -> None:
        self.index = index

    def mark(self) -> int:
        return 0

    def release(self, marker: int) -> None:
        """Nothing to release: every token is kept."""

    def get(self, index: int) -> Any:
        return self.tokens[index]

    def getText(self, start: Any, stop: Any) -> str:  # noqa: N802 — ANTLR's name; it asks when it reports a mistake
        return " ".join(token.text for token in self.tokens[start.tokenIndex : stop.tokenIndex + 1])


@dataclass(slots=True)
class Scan:
    """What the lexer makes of a text: the stream, the comments by the index of the token after them, and the bracket
    that nests deeper than allowed, if any."""

    stream: TokenStream
    comments: dict[int, list[Any]]
    too_deep: Any = None


def scan(text: str, report: Reporter, nesting_limit: int) -> Scan:
    """Read `text` into tokens. What no token reads is reported and left out; a string
    without an end is reported and kept, so that the parser does not miss it.

    Raises:
        TextTooLong: there is more of it than is read.
    """
    if len(text) > LONGEST_TEXT:
        line, column = text.count("\n", 0, LONGEST_TEXT) + 1, LONGEST_TEXT - text.rfind("\n", 0, LONGEST_TEXT)
        _refuse(report, Span(line, column, line, column), f"{LONGEST_TEXT:,} characters")
    lexer = QuickLexer(InputStream(text))
    lexer.removeErrorListeners()
    tokens: list[Any] = []
    comments: dict[int, list[Any]] = {}
    depth, too_deep = 0, None
    next_token = lexer.nextToken
    while True:
        token = next_token()
        kind = token.type
        if token.channel:
            comments.setdefault(len(tokens), []).append(token)
            continue
        if kind == CqlLexer.UNKNOWN_CHARACTER or kind == CqlLexer.UNTERMINATED:
            _report_unreadable(token, report)
            if kind == CqlLexer.UNKNOWN_CHARACTER or token.text[0] == "/":
                continue
            token.type = kind = CqlLexer.STRING if token.text[0] == "'" else CqlLexer.QUOTEDIDENTIFIER
        tokens.append(token)
        if len(tokens) > MOST_TOKENS:
            _refuse(report, token_span(token), f"{MOST_TOKENS:,} words and signs")
        if kind in _OPENING:
            depth += 1
            if depth > nesting_limit and too_deep is None:
                too_deep = token
        elif kind in _CLOSING:
            depth -= 1
        elif kind == EOF:
            return Scan(TokenStream(tokens, lexer), comments, too_deep)


def _refuse(report: Reporter, place: Span, limit: str) -> NoReturn:
    report.at(place, "text-too-long", f"the text has more than {limit}; move a part of it into a library it includes")
    raise TextTooLong


def _report_unreadable(token: Any, report: Reporter) -> None:
    opening = token.text[0]
    place = Span(token.line, token.column + 1, token.line, token.column + 1)
    if token.type == CqlLexer.UNTERMINATED:
        closing = "*/" if opening == "/" else opening
        report.at(place, "unterminated", f"this {_NEVER_READ[opening]} is never closed: expected {closing} to end it")
    else:
        report.at(place, "unknown-character", f"the character {opening!r} (U+{ord(opening):04X}) begins nothing in CQL")
