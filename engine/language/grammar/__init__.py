"""The grammar of CQL, written from the specification, and the parser that ANTLR generates from it."""
