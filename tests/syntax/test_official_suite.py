"""Every expression of the official CQL test suite parses, except those it marks invalid and those contested."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.language.syntax import parse_expression, parse_library

# Refused, as the specification has it; the suite expects null here and marks the same literals invalid elsewhere.
REFUSED_AGAINST_THE_SUITE = {"Floor(2147483648)", "Floor(-2147483649)"}


def cases(folder: Path) -> list[tuple[str, str | None]]:
    """The text of each expression, and what `invalid` says of it."""
    found = []
    for path in sorted(folder.glob("*.xml")):
        for element in ElementTree.parse(path).getroot().iter():
            if element.tag.rpartition("}")[2] == "expression" and element.text:
                found.append((element.text.strip(), element.get("invalid")))
    return found


def test_the_official_suite_parses(shared: Path) -> None:
    folder = shared / "conformance" / "cql-tests"
    if not folder.is_dir():
        pytest.skip("needs ../shared/conformance/cql-tests")
    suite = cases(folder)
    assert len(suite) > 1700
    refused = {text: invalid for text, invalid in suite if parse_expression(text)[0] is None}
    assert {text for text, invalid in refused.items() if invalid is None} == REFUSED_AGAINST_THE_SUITE
    assert {text for text, invalid in suite if invalid == "syntax"} <= set(refused)


def test_the_workload_of_the_measurements_parses(shared: Path) -> None:
    path = shared / "bench" / "OncTrial.cql"
    if not path.is_file():
        pytest.skip("needs ../shared/bench/OncTrial.cql")
    library, diagnostics = parse_library(path.read_text("utf-8"), path.name)
    assert not diagnostics
    assert library is not None
    assert len(library.expressions) == 29
