"""`docs/language.md` is what the command makes, and what it says is so: every example and reading is evaluated."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from engine.cli.suite import PHASES, read_suite, run_suite
from engine.cli.suite import evaluated as evaluate
from engine.language.operators.registry import TABLE
from engine.language.reference import chapters, forms
from engine.language.reference.__main__ import TARGET, main
from engine.language.reference.contested import READINGS
from engine.language.reference.document import document, overloads_of
from engine.language.values import DateTime
from engine.workspace import Workspace

NOW = DateTime(2026, 3, 16, 12, 0, 0, 0, 0)
ROWS = [(chapter, row) for chapter in chapters.CHAPTERS for row in chapter.rows]
FORMS = [*forms.LITERALS, *forms.QUERIES, *forms.CONDITIONALS, *forms.TIMING, *forms.ALIASES]
EXAMPLES = [
    *((f"{chapter.title}/{row.title}", row.example, row.answer) for chapter, row in ROWS if row.example),
    *((form.title, form.example, form.answer) for form in FORMS),
]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace()


def test_the_document_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_an_outdated_document_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "language.md"
    monkeypatch.setattr("engine.language.reference.__main__.TARGET", target)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    target.write_text(document() + "\n", "utf-8")
    assert main(["--check"]) == 1
    assert "python -m engine.language.reference" in capsys.readouterr().err
    assert TARGET.name == "language.md"


def test_every_overload_of_the_table_stands_in_a_chapter() -> None:
    shown = {str(overload) for chapter, row in ROWS for overload in overloads_of(chapter, row)}
    table = {str(overload) for name in TABLE.names() for overload in TABLE.overloads(name)}
    assert shown == table


@pytest.mark.parametrize(("chapter", "row"), ROWS, ids=[f"{c.title}/{r.title}" for c, r in ROWS])
def test_a_row_is_in_the_table_or_has_an_example(chapter: chapters.Chapter, row: chapters.Row) -> None:
    found = {overload.name for overload in overloads_of(chapter, row)}
    assert found == set(row.names)
    assert (row.example is None) is bool(found)


@pytest.mark.parametrize(("title", "example", "answer"), EXAMPLES, ids=[title for title, _, _ in EXAMPLES])
def test_examples_have_the_value_they_show(workspace: Workspace, title: str, example: str, answer: str) -> None:
    assert evaluate(example, workspace, NOW) == (answer, None)


def test_each_contested_test_has_one_reading(shared: Path) -> None:
    contested = msgspec.json.decode((shared / "conformance" / "contested.json").read_bytes())
    counted = Counter(test for reading in READINGS for test in reading.tests)
    assert counted == Counter(list(contested))
    assert len(contested) == 47


def test_the_engine_answers_as_the_readings_say(shared: Path, workspace: Workspace) -> None:
    suite = {test.id: test for test in read_suite(shared / "conformance" / "cql-tests")}
    said = {test: reading.answer for reading in READINGS for test in reading.tests}
    found = {}
    for test in said:
        value, phase = evaluate(suite[test].expression or "", workspace, NOW)
        found[test] = value if phase is None else f"{phase} error"
        assert phase is None or phase in PHASES
    assert found == said


def test_the_readings_tell_where_the_suite_agrees(shared: Path) -> None:
    said = {test: reading.agrees for reading in READINGS for test in reading.tests}
    tests = [test for test in read_suite(shared / "conformance" / "cql-tests") if test.id in said]
    assert {outcome.test.id: outcome.status == "pass" for outcome in run_suite(tests, NOW)} == said
