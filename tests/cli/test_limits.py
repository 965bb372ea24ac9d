"""Limits of a define as options, and how failures are told: each ends its define or line, and lets the rest go on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli import evaluate
from engine.cli.app import app
from engine.fhir import PatientRecord
from engine.language import Limits
from engine.language.values import DateTime
from engine.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "fhir_fixtures" / "psma-nk" / "02-platelets-too-low.json"

LIBRARY = """library Heavy
define function Depth(n Integer): Depth2(n) + 1
define function Depth2(n Integer): n + 1
define "Light": 1 + 1
define "Rows": Count(from (expand Interval[1, 300]) A, (expand Interval[1, 300]) B)
define "Wide": Length(expand Interval[1, 300])
define "Long": Length(Combine((expand Interval[1, 300]) X return ToString(X)))
define "Deep": Depth(1)
define "Slow": Count(from (expand Interval[1, 5000]) A, (expand Interval[1, 5000]) B where A = B)
"""

LIMITED = (
    ("--max-steps", "1000", "Rows", "more than 1000 steps"),
    ("--max-list-size", "299", "Wide", "300 elements"),
    ("--max-text-size", "791", "Long", "792 characters"),
    ("--max-call-depth", "1", "Deep", "nest deeper than 1"),
    ("--time-limit", "0.05", "Slow", "longer than 0.05 s"),
)


@pytest.mark.parametrize(("option", "value", "define", "sentence"), LIMITED)
def test_run_ends_the_define_that_goes_beyond_and_no_other(
    tmp_path: Path, option: str, value: str, define: str, sentence: str
) -> None:
    library = tmp_path / "heavy.cql"
    library.write_text(LIBRARY)
    done = CliRunner().invoke(app, ["run", str(library), "--max-steps", "100000000", option, value])
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert sentence in result[define]["$error"]
    assert result["Light"] == 2


def test_a_limit_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    library = tmp_path / "heavy.cql"
    library.write_text(LIBRARY.rpartition("define")[0])
    larger = ["--max-steps", "200000", "--max-list-size", "90000", "--max-text-size", "792", "--max-call-depth", "2"]
    done = CliRunner().invoke(app, ["run", str(library), *larger, "--time-limit", "600"])
    assert "$error" not in done.stdout, done.stdout
    assert json.loads(done.stdout) == json.loads(CliRunner().invoke(app, ["run", str(library)]).stdout)


def test_eval_ends_an_expression_that_goes_beyond() -> None:
    expression = "Count(from (expand Interval[1, 300]) A, (expand Interval[1, 300]) B)"
    done = CliRunner().invoke(app, ["eval", expression, "--max-steps", "1000"])
    assert done.exit_code == 2
    assert "more than 1000 steps" in done.stderr
    line = json.dumps({"id": 1, "expression": expression})
    streamed = CliRunner().invoke(app, ["eval", "--jsonl", "--max-steps", "1000"], input=line + "\n")
    answer = json.loads(streamed.stdout)
    assert (answer["ok"], answer["phase"]) == (False, "execution")
    assert "more than 1000 steps" in answer["error"]
    assert CliRunner().invoke(app, ["eval", expression]).stdout == "90000\n"


def test_screen_shows_the_criteria_that_went_beyond_as_errors() -> None:
    arguments = ["screen", str(SAMPLE), "--trial", "PSMA-NK", "--screening-date", "2026-06-15", "--format", "json"]
    (whole,) = json.loads(CliRunner().invoke(app, arguments).stdout)
    (limited,) = json.loads(CliRunner().invoke(app, [*arguments, "--max-steps", "1"]).stdout)
    assert "error" not in {criterion["result"] for criterion in whole["criteria"]}
    assert "error" in {criterion["result"] for criterion in limited["criteria"]}
    assert limited["verdict"] != "eligible"


@pytest.mark.parametrize("command", ("eval", "run", "screen"))
def test_the_help_names_the_defaults_that_hold(command: str) -> None:
    text = re.sub(r"[\s│]+", " ", CliRunner().invoke(app, [command, "--help"]).stdout)
    own = Limits()
    for default in (f"{own.seconds:g}", f"{own.rows:,}", f"{own.list_size:,}", f"{own.string_size:,}", own.call_depth):
        assert f"{default} by default" in text, default


def test_a_limit_of_nothing_is_refused() -> None:
    done = CliRunner().invoke(app, ["eval", "1 + 1", "--max-steps", "0"])
    assert done.exit_code == 2
    assert "--max-steps" in done.stderr


def test_a_defect_of_the_engine_fails_its_line_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate.evaluate_text

    def broken(workspace: Workspace, text: str, now: DateTime, record: PatientRecord | None) -> tuple[Any, Any]:
        if text == "2":
            raise RecursionError("too deep")
        return whole(workspace, text, now, record)

    monkeypatch.setattr(evaluate, "evaluate_text", broken)
    lines = "".join(json.dumps({"id": number, "expression": str(number)}) + "\n" for number in (1, 2, 3))
    done = CliRunner().invoke(app, ["eval", "--jsonl"], input=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["ok"] for answer in answers] == [True, False, True]
    assert answers[1]["error"].startswith("internal error (RecursionError: too deep)")


@pytest.mark.parametrize(
    ("expression", "sentence"),
    (
        ("Interval[2 'g', 1.50 'g']", "Interval[2 'g', 1.50 'g'] is not an interval"),
        ("Interval[1.0, 0.00000001]", "Interval[1.0, 0.00000001] is not an interval"),
        ("Interval[@2024, @2023]", "Interval[@2024, @2023] is not an interval"),
        ("({ 1 'g', 1 'cm' }) X sort asc", "Quantity 1 'cm' and Quantity 1 'g' cannot be sorted"),
        ("Mode({ @2024-03-01, @2024-02-29, '12' })", "String '12' and Date @2024-02-29 cannot be compared"),
        ("point from Interval[1 'g', 2 'g']", "the interval from 1 'g' to 2 'g' holds more than one point"),
    ),
)
def test_quantities_in_sentences_are_written_as_in_cql(expression: str, sentence: str) -> None:
    done = CliRunner().invoke(app, ["eval", expression])
    assert done.exit_code == 2
    assert sentence in done.stderr
