"""What README.md shows is what the product prints."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from engine.cli.inputs import Options, prepare, select_trials
from engine.cli.screening import WIDE, screened, summary
from engine.report import ordered
from engine.report.table import print_table
from engine.sources import patients
from engine.trials import TrialResult

REPOSITORY = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"<!-- OUTPUT OF make screen: begin[^\n]*\n(.*?)<!-- OUTPUT OF make screen: end -->", re.DOTALL)


@pytest.fixture(scope="module")
def printed() -> str:
    """The table of the sample patients, as `make screen` prints it to a file, and its last sentence."""
    samples = REPOSITORY / "fhir_fixtures"
    selection = select_trials([])
    options = Options([], None, "2026-06-15", samples / "parameters.json", "Z")
    results: list[TrialResult] = []
    outcome = screened(patients([samples]), prepare(selection, options), results.extend)
    console = Console(highlight=False, width=WIDE)
    with console.capture() as capture:
        print_table(ordered(results), console)
    return capture.get() + summary(outcome, len(selection.trials))


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_output_of_make_screen_is_real(printed: str) -> None:
    found = MARKED.search((REPOSITORY / "README.md").read_text("utf-8"))
    assert found is not None
    shown, _, end = found[1].rpartition("    The whole result is in build/screen.json.")
    rows = [words(part) for part in re.split(r"^ *… *$", shown, flags=re.MULTILINE)]
    assert len(rows) > 10
    assert not end.strip()
    assert [row for row in rows if row not in words(printed)] == []
