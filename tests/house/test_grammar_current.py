"""The committed parser is the one that ANTLR generates from the committed grammar."""

import shutil
from pathlib import Path

import pytest

from engine.language.grammar.generate import ANTLR_VERSION, GENERATED, generate


@pytest.mark.skipif(shutil.which("java") is None, reason="regenerating the parser needs Java")
def test_the_generated_parser_is_current(tmp_path: Path) -> None:
    fresh = {path.name: path.read_text("utf-8") for path in generate(tmp_path)}
    committed = {path.name: path.read_text("utf-8") for path in GENERATED.glob("*.py")}
    assert set(committed) == set(fresh)
    stale = sorted(name for name in fresh if fresh[name] != committed[name])
    assert not stale, f"run `make grammar`: {stale} differ from what Cql.g4 generates"


def test_the_generated_parser_fits_the_runtime() -> None:
    """Tool and runtime of different versions make a parser that warns or misreads its tables."""
    parsers = sorted(path for path in GENERATED.glob("*.py") if path.name != "__init__.py")
    assert parsers
    for path in parsers:
        assert path.read_text("utf-8").startswith(f"# Generated from Cql.g4 by ANTLR {ANTLR_VERSION}\n"), path.name
