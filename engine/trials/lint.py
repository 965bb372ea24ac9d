"""Warnings about a trial: places where plain CQL makes "no" of what nobody knows, and what is declared and never used.

A warning is answered in the CQL by a tag on the define or function it stands in: ``@answered: code, the reason``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.errors import Diagnostic, Severity, Span
from engine.language.elm import nodes as elm
from engine.language.types.datatype import BOOLEAN, DATE, IntervalType
from engine.trials.evidence import EXCUSES
from engine.trials.reach import nodes_of

NEVER_NULL = frozenset({"IsNull", "IsTrue", "IsFalse", "Exists", "Equivalent", "Count"})
"""Operators whose answer is never null, whatever their operands are (CQL 1.5.3, Appendix B)."""

LOGIC = frozenset({"And", "Or", "Xor", "Not", "Implies"})
COMPARISONS = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"})
MEMBERSHIP = frozenset({"InValueSet", "AnyInValueSet", "InCodeSystem", "AnyInCodeSystem"})
TAGS = ("trial", "registry", "title", "incomplete", "notencoded", "criterion", "inclusion", "exclusion", "text", "atom",
        "basis", "setaside", "window", "answered")  # fmt: skip
"""The tags that mean something to a trial or to the evidence of its answers."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TAG = re.compile(r"(?:^[ \t*]*|/\*+[ \t]*)@(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Finding:
    code: str
    span: Span | None
    message: str


def lint(library: elm.Library, text: str, source: str) -> list[Diagnostic]:
    """The warnings of a library, by place; those its tags answer are left out.

    Of every library: ``window-without-days``, a ``@window`` that names no define with an interval of days;
    ``unknown-basis``, a ``@basis`` that means nothing; ``unknown-tag``, a tag that is nearly one of the known ones.
    Of a trial's: ``exists-hides-unknown``: ``exists`` over a ``where`` that can be null; ``comparison-in-where``: a
    comparison that a ``where`` decides; ``null-in-value-set``: membership of what may be missing; ``unused-value-set``.
    """
    found: list[_Finding] = [*_windows(library), *_bases(library), *_misspelt(text)]
    if any(name == "trial" for name, _ in library.tags):
        for tags, expression in _bodies(library):
            answered = {v.split(",")[0].strip() for n, v in tags if n == "answered"}
            found += [f for f in _of(expression) if f.code not in answered]
        found += _unused(library)
    lines = text.splitlines()
    made = [_diagnostic(f, lines, source) for f in dict.fromkeys(found)]
    return sorted(made, key=lambda d: (d.span.line, d.span.column) if d.span else (0, 0))


def _bodies(library: elm.Library) -> Iterator[tuple[tuple[tuple[str, str], ...], elm.Expression]]:
    """The tags and the expression of every define and function."""
    yield from ((d.tags, d.expression) for d in library.expressions)
    yield from ((f.tags, f.expression) for f in library.functions if f.expression is not None)


def _of(expression: elm.Expression) -> Iterator[_Finding]:
    asked = {id(n.operands[0]) for n in nodes_of(expression) if isinstance(n, elm.Operator) and n.name == "Exists"}
    for node in nodes_of(expression):
        match node:
            case elm.Operator(name="Exists", operands=(elm.Query(where=where),)) if where is not None and nullable(
                where
            ):
                message = "exists passes over rows whose condition is unknown, and so makes no of what nobody knows"
                yield _Finding("exists-hides-unknown", node.span, f"{message}; ask with three values instead")
            case elm.Operator(name=name, operands=(operand, *_)) if name in MEMBERSHIP and _may_miss(operand):
                message = "membership of what is missing is false, not unknown; ask first whether it is there"
                yield _Finding("null-in-value-set", node.span, message)
            case elm.Query(where=where) if where is not None and id(node) not in asked:
                yield from _comparisons(where)


def _comparisons(where: elm.Expression) -> Iterator[_Finding]:
    for node in nodes_of(where):
        if isinstance(node, elm.Operator) and node.name in COMPARISONS and any(map(_may_miss, node.operands)):
            message = "where leaves out rows for which this comparison is unknown; compare in the return instead"
            yield _Finding("comparison-in-where", node.span, message)


def nullable(node: elm.Expression) -> bool:
    """False when the condition can be shown never to be null; true when it may be."""
    match node:
        case elm.Literal():
            return False
        case elm.Operator(name=name) if name in NEVER_NULL or name in MEMBERSHIP:
            return False
        case elm.Operator(name=name, operands=operands) if name in LOGIC:
            return any(map(nullable, operands))
        case elm.Operator(name="Coalesce", operands=operands):
            return all(map(nullable, operands))
        case elm.If():
            return nullable(node.then) or nullable(node.otherwise)
        case elm.As(operand=operand) if node.result_type == BOOLEAN:
            return nullable(operand)
    return True


def _may_miss(node: elm.Expression) -> bool:
    """True for an element of the record, however it is converted: FHIR lets nearly all of them be absent."""
    match node:
        case elm.Property():
            return True
        case elm.FunctionRef(operands=(operand,)) | elm.As(operand=operand):
            return _may_miss(operand)
    return False


def _windows(library: elm.Library) -> Iterator[_Finding]:
    days = {d.name for d in library.expressions if d.expression.result_type == IntervalType(DATE)}
    for function in library.functions:
        for tag, value in function.tags:
            name = " ".join(value.split())
            if tag == "window" and name not in days:
                message = f"@window of '{function.name}' names '{name}', no define of this library that is an interval"
                yield _Finding("window-without-days", function.span, f"{message} of Dates")


def _bases(library: elm.Library) -> Iterator[_Finding]:
    for function in library.functions:
        for tag, value in function.tags:
            if tag == "basis" and value.strip() not in EXCUSES:
                message = f"@basis of '{function.name}' is '{value.strip()}'; it is one of {', '.join(sorted(EXCUSES))}"
                yield _Finding("unknown-basis", function.span, message)


def _misspelt(text: str) -> Iterator[_Finding]:
    """Tags in comments that are a slip of a known one: CQL lets an author have others, and so they would do nothing."""
    for comment in _COMMENT.finditer(text):
        for tag in _TAG.finditer(text, *comment.span()):
            name = tag[1]
            near = [] if name in TAGS else difflib.get_close_matches(name.lower(), TAGS, n=1)
            if near and abs(len(near[0]) - len(name)) < 2:
                line = text.count("\n", 0, tag.start(1)) + 1
                column = tag.start(1) - text.rfind("\n", 0, tag.start(1)) - 1
                message = f"@{name} is no tag and does nothing; did you mean @{near[0]}?"
                yield _Finding("unknown-tag", Span(line, column, line, column + len(name)), message)


def _unused(library: elm.Library) -> Iterator[_Finding]:
    used = {
        node.name
        for _, expression in _bodies(library)
        for node in nodes_of(expression)
        if isinstance(node, elm.ValueSetRef) and node.library is None
    }
    for definition in library.value_sets:
        if definition.name not in used:
            yield _Finding("unused-value-set", definition.span, f"the value set '{definition.name}' is never used")


def _diagnostic(finding: _Finding, lines: Iterable[str], source: str) -> Diagnostic:
    span, rows = finding.span, list(lines)
    excerpt = rows[span.line - 1] if span is not None and 0 < span.line <= len(rows) else None
    return Diagnostic(source, span, finding.code, finding.message, Severity.WARNING, excerpt)
