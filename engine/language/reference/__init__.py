"""What this engine makes of CQL, as a document: `docs/language.md`, written by `python -m engine.language.reference`.

The operators come from the operator table itself; the rest is facts with an example line each, which the tests
evaluate.
"""
