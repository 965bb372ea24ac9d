"""From text to a syntax tree of small frozen classes, each with its span in the text.

    library, diagnostics = parse_library(text, "psma_cart.cql")
    expression, diagnostics = parse_expression("1 + 1")

The tree is None when the text has mistakes of syntax; then every one found is among the diagnostics.
"""

from engine.language.syntax.parsing import NESTING_LIMIT, parse_expression, parse_library

__all__ = ["NESTING_LIMIT", "parse_expression", "parse_library"]
