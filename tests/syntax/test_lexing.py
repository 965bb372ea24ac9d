"""The quick lexer gives the tokens of the generated one, whatever the text."""

import re

import pytest
from antlr4 import InputStream, Token
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.grammar.generated.CqlLexer import CqlLexer
from engine.language.syntax import parse_library
from engine.language.syntax.lexing import QuickLexer

PIECES = st.sampled_from([
    "'", '"', "`", "\\", "\\'", "/*", "*/", "/", "//", "*", "**/", "\n", "\r", "\t", " ", "\u00a0", "\ufeff", "\u2028",
    "é", "or", "or before", "such", "that", "define", "x1", "1", "1.5", "1L", "@2020-01", "T10:30", "Z", "+", "<=", ".",
    "..", "\x00",
])  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=25).map("".join)


def tokens(kind, text):
    lexer = kind(InputStream(text))
    lexer.removeErrorListeners()
    found = []
    while not found or found[-1][0] != Token.EOF:
        token = lexer.nextToken()
        found.append((token.type, token.text, token.line, token.column, token.channel, token.start, token.stop))
    return found


@given(TEXTS)
@settings(max_examples=500)
def test_both_lexers_give_the_same_tokens(text):
    assert tokens(QuickLexer, text) == tokens(CqlLexer, text)


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    (
        ("define X: '" + "x" * 2_000_000 + "'", (1, 2_000_001), "more than 2,000,000 characters"),
        ("\n" * 2_000_001, (2_000_001, 1), "more than 2,000,000 characters"),
        ("define X: {" + "1,\n" * 110_000 + "1}", (99_999, 1), "more than 200,000 words and signs"),
    ),
)
def test_a_text_beyond_measure_is_refused_where_it_becomes_so(text, place, sentence):
    made, (problem,) = parse_library(text)
    assert made is None
    assert problem.code == "text-too-long"
    assert (problem.span.line, problem.span.column) == place
    assert re.search(sentence, problem.message)
