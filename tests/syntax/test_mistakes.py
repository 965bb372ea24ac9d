"""What the parser says of bad text: code, place and sentence."""

import pytest

from engine.errors import Diagnostic
from engine.language.syntax import parse_expression, parse_library


def only(diagnostics: tuple[Diagnostic, ...]) -> Diagnostic:
    assert len(diagnostics) == 1, [found.render() for found in diagnostics]
    return diagnostics[0]


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "sentence"),
    (
        ("1 +", 1, 4, "syntax", "expected an expression before the end of the text"),
        ("(1 + 2", 1, 7, "syntax", "expected ) before the end of the text"),
        ("f(1, )", 1, 6, "syntax", "expected an expression before )"),
        ("a b c", 1, 5, "syntax", "expected the end of the text before c"),
        ("if a then b", 1, 12, "syntax", "else before the end of the text"),
        ("case when a then 1 end", 1, 20, "syntax", "before end"),
        ("A a return", 1, 11, "syntax", "expected an expression"),
        ("A a where\n  b = ", 2, 7, "syntax", "expected an expression"),
        ("x.when", 1, 3, "reserved-word", 'when is a reserved word; as a name it is written in quotes: "when"'),
        ("'abc", 1, 1, "unterminated", "this string is never closed: expected ' to end it"),
        ('1 + "abc', 1, 5, "unterminated", "this quoted name is never closed"),
        ("1 /* abc * /", 1, 3, "unterminated", "this comment is never closed: expected */"),
        ("1 + # 2", 1, 5, "unknown-character", "the character '#' (U+0023) begins nothing in CQL"),
        ("Ceiling(2147483648)", 1, 9, "number-out-of-range", "an Integer ends at 2147483647"),
        ("Ceiling(-2147483649)", 1, 10, "number-out-of-range", "an Integer ends at 2147483647"),
        ("+2147483648", 1, 2, "number-out-of-range", "an Integer ends at 2147483647"),
        ("9223372036854775808L", 1, 1, "number-out-of-range", "a Long ends at 9223372036854775807"),
        ("9" * 5000, 1, 1, "number-out-of-range", "an Integer ends at 2147483647"),
        ("({ 1 }) X retrun X", 1, 11, "syntax", "did you mean return instead of retrun?"),
        ("Interval[1, 2] overlap Interval[1, 3]", 1, 24, "syntax", "did you mean overlaps instead of overlap?"),
        ("@2024-01-01 + 3 dayz", 1, 17, "unit-without-quotes", "3 'dayz'; did you mean day"),
        ("1 mg", 1, 3, "unit-without-quotes", "a unit is written in single quotes: 1 'mg'"),
        ("x as", 1, 5, "syntax", "expected a type before the end of the text"),
        ("x.", 1, 3, "syntax", "expected a name before the end of the text"),
        ("1 + X x", 1, 1, "query-source", "put it in parentheses"),
        ("f(1) x where y", 1, 1, "query-source", "put it in parentheses"),
        ("{ a: 1, 2 }", 1, 9, "element-name", "expected the name of an element"),
        ("{ 1, a: 2 }", 1, 6, "mixed-elements", "a list has no keys"),
        ("{ 1: 2, b: 3 }", 1, 9, "mixed-elements", "a list has no keys"),
        ("Tuple { }", 1, 7, "empty-tuple", "Tuple { : }"),
        ("Tuple { 1 }", 1, 9, "element-name", "expected the name of an element"),
        ("f(x) { a: 1 }", 1, 6, "instance-type", "only the name of a type"),
        ("cast a + 1", 1, 1, "expected", "`as` and a type"),
    ),
)
def test_a_mistake_in_an_expression(text: str, line: int, column: int, code: str, sentence: str) -> None:
    node, diagnostics = parse_expression(text, "x.cql")
    found = only(diagnostics)
    assert node is None
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column) == (code, line, column), found.render()
    assert sentence in found.message
    assert found.phase == "syntax"
    assert found.source == "x.cql"
    assert found.excerpt == text.split("\n")[line - 1]


@pytest.mark.parametrize(
    "text",
    (
        "cast a as Integer + 1",
        "%context",
        "1 2",
        "a.",
        "a[",
        "{ a: }",
        "Interval[1]",
        "[A: ]",
        "()",
        "a as",
        "is null",
        "",
    ),
)
def test_what_is_no_expression(text: str) -> None:
    node, diagnostics = parse_expression(text)
    assert node is None
    assert diagnostics


def test_every_mistake_of_a_library_is_reported() -> None:
    text = """library Test version '1'
using FHIR version 4
define A: 1 +
define "B": (2 * 3
define C: if x then y
define D: 'fine'
parameter P Integer default )
"""
    library, diagnostics = parse_library(text, "t.cql")
    assert library is None
    assert [(found.span.line, found.span.column, found.message) for found in diagnostics if found.span] == [
        (2, 20, "expected a string in single quotes before 4"),
        (4, 1, "expected an expression before define"),
        (5, 1, "expected ) before define"),
        (6, 1, "expected else before define"),
        (7, 29, "expected an expression before )"),
    ]


def test_a_definition_after_a_statement_comes_too_late() -> None:
    library, diagnostics = parse_library("define A: 1\nparameter P Integer")
    assert library is None
    assert only(diagnostics).code == "definition-order"
    assert only(diagnostics).render().startswith("library:2:1 definition-order: parameter comes too late")


def test_a_reserved_word_as_the_name_of_a_definition() -> None:
    _, diagnostics = parse_library("define exists: 1")
    assert 'exists is a reserved word: as a name it is written in quotes, "exists"' in diagnostics[0].message


def test_a_flood_of_mistakes_is_cut() -> None:
    _, diagnostics = parse_expression("#" * 5000)
    assert 0 < len(diagnostics) <= 200
