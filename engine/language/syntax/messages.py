"""ANTLR's syntax errors as sentences: what was expected, and before what."""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any

from antlr4.error.Errors import FailedPredicateException
from antlr4.IntervalSet import IntervalSet

from engine.language.grammar.generated.CqlParser import CqlParser as P
from engine.language.syntax.precedence import INFIX
from engine.language.syntax.reporting import EOF

_SHOWN = 6

_KINDS = {
    P.STRING: "a string in single quotes",
    P.NUMBER: "a number",
    P.LONGNUMBER: "a number",
    P.DATE_LITERAL: "a date",
    P.DATETIME_LITERAL: "a date and time",
    P.TIME_LITERAL: "a time",
    P.IDENTIFIER: "a name",
    P.QUOTEDIDENTIFIER: "a name",
    P.DELIMITEDIDENTIFIER: "a name",
    EOF: "the end of the text",
}
_SEVERAL_WORDS = {
    P.INCLUDED_IN: "included in",
    P.LESS_THAN: "less than",
    P.MORE_THAN: "more than",
    P.ON_OR: "on or",
    P.OR_AFTER: "or after",
    P.OR_BEFORE: "or before",
    P.OR_LESS: "or less",
    P.OR_MORE: "or more",
    P.OR_ON: "or on",
    P.SUCH_THAT: "such that",
}


def _types(*spellings: str) -> frozenset[int]:
    wanted = {f"'{spelling}'" for spelling in spellings}
    return frozenset(kind for kind, literal in enumerate(P.literalNames) if literal in wanted)


_PRECISIONS = _types("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_UNITS = _PRECISIONS | _types(*(f"{P.literalNames[kind][1:-1]}s" for kind in _PRECISIONS))
_NAMES = frozenset((P.IDENTIFIER, P.QUOTEDIDENTIFIER, P.DELIMITEDIDENTIFIER))
_OPERATORS = (
    _types(*INFIX, "is", "as", "between", "in", "contains", "properly", "starts", "ends", "occurs", "same", "includes")
    | _types("during", "before", "after", "within", "meets", "overlaps")
    | frozenset((P.INCLUDED_IN, P.MORE_THAN, P.LESS_THAN, P.ON_OR))
)
OPERAND_EXPECTED = _types(
    *INFIX, ":", "not", "exists", "cast", "where", "return", "then", "else", "of", "from", "in"
) | {P.SUCH_THAT}
"""The tokens behind which an expression cannot end."""
_CLAUSES = _types("let", "with", "without", "where", "return", "aggregate", "sort")
_STATEMENTS = _types("define", "context", "using", "include", "parameter", "codesystem", "valueset", "code", "concept")
_ACCESS = _types("public", "private")
# Tokens that only an expression can begin with: where all of them may stand, an expression may.
_OPENERS = frozenset((P.LEFT_PARENTHESIS, P.NUMBER, P.STRING, P.IF, P.CASE, P.INTERVAL))


@cache
def _first_of(rule: int) -> frozenset[int]:
    """The tokens a rule of the grammar can begin with."""
    return _kinds(P.atn.nextTokens(P.atn.ruleToStartState[rule]))


def _kinds(intervals: IntervalSet | None) -> frozenset[int]:
    if intervals is None or intervals.intervals is None:
        return frozenset()
    return frozenset(kind for interval in intervals.intervals for kind in interval)


def explain(recognizer: Any, token: Any, error: Any) -> tuple[str, str]:
    """The code and the sentence for a mistake that ANTLR found at `token`."""
    expected = _expected(recognizer, error)
    wanted = describe_expected(expected)
    here = describe_token(token)
    reserved = _first_of(P.RULE_memberName) - _first_of(P.RULE_referentialIdentifier)
    if token.type in reserved and expected >= _NAMES and not expected >= _OPENERS:
        hint = f'; {token.text} is a reserved word: as a name it is written in quotes, "{token.text}"'
    else:
        hint = _meant(recognizer, token)
    if wanted:
        return "syntax", f"expected {wanted} before {here}{hint}"
    return "syntax", f"{here} cannot stand here"


_NEARNESS = 0.75
_KEYWORDS = tuple(literal[1:-1] for literal in P.literalNames if len(literal) > 5 and literal[1:-1].isalpha())


def nearest_keyword(text: str) -> str | None:
    """The keyword that a name of at least three letters may be a slip for."""
    close = difflib.get_close_matches(text.lower(), _KEYWORDS, n=1, cutoff=_NEARNESS) if len(text) > 2 else ()
    return close[0] if close else None


def _meant(recognizer: Any, token: Any) -> str:
    """A suggestion where the token, or the one before it that was read as a name, is nearly a keyword."""
    before = recognizer.getTokenStream().LT(-1) if recognizer.getCurrentToken() is token else None
    for written in (token, before):
        if written is not None and written.type == P.IDENTIFIER:
            keyword = nearest_keyword(written.text)
            if keyword is not None:
                return f"; did you mean {keyword} instead of {written.text}?"
    return ""


def _expected(recognizer: Any, error: Any) -> frozenset[int]:
    if isinstance(error, FailedPredicateException):
        return frozenset()
    return _kinds(error.getExpectedTokens() if error is not None else recognizer.getExpectedTokens())


def describe_expected(kinds: frozenset[int]) -> str:
    """The expected tokens in words: `an expression`, `an operator`, `a name`, and what else may stand there."""
    words: list[str] = []
    rest = set(kinds)
    if rest >= _OPENERS:
        words.append("an expression")
        rest -= _first_of(P.RULE_expression)
    elif rest >= _first_of(P.RULE_typeSpecifier):
        words.append("a type")
        rest -= _first_of(P.RULE_typeSpecifier)
    elif rest >= _NAMES:
        words.append("a name")
        rest -= _first_of(P.RULE_memberName if P.AND in rest else P.RULE_referentialIdentifier)
    if len(rest & _OPERATORS) > 3:
        words.append("an operator")
        rest -= _OPERATORS | _UNITS | {P.NUMBER}
    if len(rest & _CLAUSES) > 1:
        words.append("a clause of the query")
        rest -= _CLAUSES
    if len(rest & _STATEMENTS) > 1:
        words.append("a definition")
        rest -= _STATEMENTS | _ACCESS
    if rest >= _UNITS:
        words.append("a unit")
        rest -= _UNITS | {P.STRING}
    elif rest >= _PRECISIONS:
        words.append("a precision such as day")
        rest -= _PRECISIONS
    words += [word for word in dict.fromkeys(_word(kind) for kind in sorted(rest)) if word]
    return _listed(words)


def describe_token(token: Any) -> str:
    """A token as the author wrote it."""
    if token.type == EOF:
        return "the end of the text"
    text = " ".join(token.text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _word(kind: int) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in _SEVERAL_WORDS:
        return _SEVERAL_WORDS[kind]
    literal = P.literalNames[kind] if 0 <= kind < len(P.literalNames) else "<INVALID>"
    return "" if literal == "<INVALID>" else literal[1:-1]


def _listed(words: list[str]) -> str:
    if len(words) > _SHOWN:
        words = [*words[:_SHOWN], "another token"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
