"""Text to syntax tree: the entry points of this room.

A text is parsed in ANTLR's SLL mode, which stops at the first surprise; only then once more in full LL mode, which
reports and recovers, so that all the mistakes of a text come at once. Nesting is counted while the parser descends,
and ends the parse with a diagnostic before Python's recursion limit could (brackets even before the parser runs):
neither 10,000 parentheses nor as many nested queries reach it. Chains of operators do not nest (see the grammar);
those the tree must nest all the same are limited where it is built.

ANTLR's prediction tables are shared by all parsers of the process and grow as texts are read, which makes the first
texts slow and later ones quick; they are not safe for threads, hence the lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from antlr4 import PredictionMode, Token
from antlr4.atn.ParserATNSimulator import ParserATNSimulator
from antlr4.error.ErrorListener import ErrorListener
from antlr4.error.Errors import ParseCancellationException
from antlr4.error.ErrorStrategy import BailErrorStrategy, DefaultErrorStrategy

from engine.errors import Diagnostic
from engine.language.grammar.generated.CqlParser import CqlParser
from engine.language.interpreter import COLLECTOR_RESTS
from engine.language.syntax import tree
from engine.language.syntax.building import LibraryBuilder
from engine.language.syntax.expressions import ExpressionBuilder
from engine.language.syntax.messages import OPERAND_EXPECTED, explain
from engine.language.syntax.reporting import Reporter
from engine.language.syntax.scanning import Scan, TextTooLong, scan

NESTING_LIMIT = 100
"""How deep expressions and types may nest: brackets, `if`, `case`, arguments, clauses of queries within queries."""

_NAMED = tuple([kind, CqlParser.COLON] for kind in (CqlParser.IDENTIFIER, CqlParser.QUOTEDIDENTIFIER))
_Built = TypeVar("_Built", tree.Library, tree.Expression)
_LOCK = threading.Lock()


def parse_library(
    text: str, source: str = "library", *, nesting_limit: int = NESTING_LIMIT
) -> tuple[tree.Library | None, tuple[Diagnostic, ...]]:
    """The syntax tree of a library, or None and every mistake of syntax found. Never raises for what the text says.

    Args:
        text: the CQL of one library.
        source: the file or name that diagnostics show.
        nesting_limit: how deep expressions may nest before the text is refused.
    """
    return _parse(
        text, source, nesting_limit, "library", lambda scanned, report: LibraryBuilder(scanned, report).library
    )


def parse_expression(
    text: str, source: str = "expression", *, nesting_limit: int = NESTING_LIMIT
) -> tuple[tree.Expression | None, tuple[Diagnostic, ...]]:
    """The syntax tree of a single expression, or None and every mistake of syntax found; as `parse_library`."""
    return _parse(text, source, nesting_limit, "singleExpression", lambda _, report: ExpressionBuilder(report).single)


def _parse(
    text: str,
    source: str,
    nesting_limit: int,
    rule: str,
    builder: Callable[[Scan, Reporter], Callable[[Any], _Built]],
) -> tuple[_Built | None, tuple[Diagnostic, ...]]:
    report = Reporter(text, source)
    with _LOCK, COLLECTOR_RESTS:
        built = None
        with suppress(TextTooLong):
            built = _built(scan(text, report, nesting_limit), report, nesting_limit, rule, builder)
    report.diagnostics.sort(key=lambda found: (found.span.line, found.span.column) if found.span else (0, 0))
    return (None if report.diagnostics else built), tuple(report.diagnostics)


def _built(
    scanned: Scan,
    report: Reporter,
    nesting_limit: int,
    rule: str,
    builder: Callable[[Scan, Reporter], Callable[[Any], _Built]],
) -> _Built | None:
    parser = _Parser(scanned, nesting_limit, report)
    try:
        if scanned.too_deep is not None:
            parser.refuse(scanned.too_deep)
        parsed = parser.quickly(rule) or parser.thoroughly(rule)
        return builder(scanned, report)(parsed) if parsed is not None and not report.diagnostics else None
    except (_TooDeep, RecursionError):
        report.at_token(
            parser.here(),
            "nesting-too-deep",
            f"expressions nest more than {nesting_limit} deep here; name a part of it with a definition of its own",
        )
        return None


class _TooDeep(Exception):
    """The nesting limit is passed at the current token."""


class _Predictor(ParserATNSimulator):  # type: ignore[misc]
    """ANTLR's predictor with a short way for what it has met before: most decisions take one token."""

    def adaptivePredict(self, input: Any, decision: int, outerContext: Any) -> int:  # noqa: N802, N803
        start = self.decisionToDFA[decision].s0
        if start is not None and start.edges is not None:
            kind = input.types[input.index] + 1
            if 0 <= kind < len(start.edges):
                state: Any = start.edges[kind]
                settled = state is not None and state.isAcceptState
                if settled and (self.predictionMode == PredictionMode.SLL or not state.requiresFullContext):
                    return state.prediction  # type: ignore[no-any-return]
        return super().adaptivePredict(input, decision, outerContext)  # type: ignore[no-any-return]


class _Parser(CqlParser):  # type: ignore[misc]
    """The generated parser over one text."""

    def __init__(self, scanned: Scan, nesting_limit: int, report: Reporter) -> None:
        super().__init__(scanned.stream)
        self._interp = _Predictor(self, self.atn, self.decisionsToDFA, self.sharedContextCache)
        self.report = report
        self.nesting = 0
        self.nesting_limit = nesting_limit
        self.removeErrorListeners()
        self.addErrorListener(_Listener(report))

    def deepen(self) -> None:
        self.nesting += 1
        if self.nesting > self.nesting_limit:
            raise _TooDeep

    def rise(self) -> None:
        self.nesting -= 1

    def refuse(self, token: Any) -> None:
        """Stop at a bracket too deep before the parser looks ahead through it."""
        self._input.seek(token.tokenIndex)
        raise _TooDeep

    def fill_before_definitions(self) -> None:
        """Report an operand missing before `define name:`, and put `null` in its place.

        `define` may be a name: the parser would take it for the operand, and see the next mistake far off.
        """
        stream = self._input
        types = [*stream.types, Token.EOF, Token.EOF]
        filled: list[Any] = []
        for place, token in enumerate(stream.tokens):
            opens = types[place] == CqlParser.DEFINE and types[place + 1 : place + 3] in _NAMED
            if opens and place and types[place - 1] in OPERAND_EXPECTED:
                self.report.at_token(token, "syntax", "expected an expression before define")
                absent = token.clone()
                absent.type = CqlParser.NULL
                filled.append(absent)
            filled.append(token)
        stream.replace(filled)

    def here(self) -> Any:
        return self._input.LT(1)

    def quickly(self, rule: str) -> Any:
        """The parse tree of an SLL parse, or None at the first surprise."""
        self._interp.predictionMode = PredictionMode.SLL
        self._errHandler = BailErrorStrategy()
        try:
            return getattr(self, rule)()
        except ParseCancellationException:
            return None

    def thoroughly(self, rule: str) -> Any:
        """The parse tree of a full LL parse; the mistakes found are with the reporter."""
        self.fill_before_definitions()
        self.reset()
        self.nesting = 0
        self._interp.predictionMode = PredictionMode.LL
        self._errHandler = DefaultErrorStrategy()
        return getattr(self, rule)()


class _Listener(ErrorListener):  # type: ignore[misc]
    """Turns what ANTLR reports into diagnostics."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self.deaf_until = 0

    def syntaxError(  # noqa: N802 — ANTLR's name
        self,
        recognizer: Any,
        offendingSymbol: Any,  # noqa: N803
        line: int,
        column: int,
        msg: str,
        e: Any,
    ) -> None:
        if offendingSymbol.tokenIndex < self.deaf_until:
            return
        if (
            offendingSymbol.type == CqlParser.DEFINE
        ):  # `define name:` read as names on the way back is no second mistake
            self.deaf_until = offendingSymbol.tokenIndex + 3
        code, message = explain(recognizer, offendingSymbol, e)
        self.report.at_token(offendingSymbol, code, message)
