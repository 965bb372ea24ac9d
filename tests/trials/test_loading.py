"""Tags and defines of a trial have to fit together; each mistake has its code and its line."""

from pathlib import Path

import pytest

from engine.sources import own_content
from engine.trials.loading import natural, read_trial
from engine.trials.trial import Trial
from engine.workspace import Workspace

TINY = Path(__file__).parent / "data" / "tiny.cql"

HEAD = """/*
@trial: T
@registry: NCT0
@title: A title

Prose after an empty line is no part of the title.
{tags}*/
library T version '1.0.0'
"""
GOOD = """/*
@criterion: T-I1
@inclusion
@text: Yes
*/
define "I1": true
"""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return own_content().workspace()


def read(workspace: Workspace, folder: Path, text: str) -> tuple[Trial | None, list[tuple[str, int | None]]]:
    path = folder / "t.cql"
    path.write_text(text, "utf-8")
    trial, diagnostics = read_trial(workspace, path)
    return trial, [(d.code, d.span.line if d.span else None) for d in diagnostics]


def test_the_tags_of_a_trial_are_read(workspace: Workspace) -> None:
    trial, diagnostics = read_trial(workspace, TINY)
    assert trial is not None
    assert not diagnostics
    assert (trial.id, trial.registry, trial.title) == ("TINY", "NCT00000000", "A trial of three criteria")
    assert trial.incomplete == ("The list of criteria was made up for tests.",)
    assert [(c.id, c.kind, c.encoded) for c in trial.criteria] == [
        ("TINY-I1", "inclusion", True), ("TINY-I2", "inclusion", True),
        ("TINY-E1", "exclusion", True), ("TINY-E2", "exclusion", False),
    ]  # fmt: skip
    assert trial.criteria[0].text == "Age 18 years or older; male."
    assert [atom.id for atom in trial.criteria[0].atoms] == ["TINY-I1a", "TINY-I1b"]
    assert trial.declared >= {"ScreeningDate", "AssumeCompleteHistory"}


MISTAKES = (
    ('/*\n@criterion: T-I2\n@inclusion\n*/\ndefine "I2": true', [("criterion-without-text", 19)]),
    ('/*\n@criterion: T-I2\n@text: x\n*/\ndefine "I2": true', [("criterion-kind", 19)]),
    ('/*\n@criterion: T-I2\n@inclusion\n@exclusion\n@text: x\n*/\ndefine "I2": true', [("criterion-kind", 21)]),
    ('/*\n@criterion: T-I2\n@inclusion\n@text: x\n*/\ndefine "I2": 1', [("criterion-not-boolean", 20)]),
    ('/*\n@criterion: T-I2\n@inclusion\n@text: x\n*/\ndefine "I2": Nobody', [("unknown-name", 20)]),
    ('/*\n@criterion: T-I1\n@inclusion\n@text: x\n*/\ndefine "I2": true', [("duplicate-id", 20)]),
    ('/*\n@criterion:\n@inclusion\n@text: x\n*/\ndefine "I2": true', [("criterion-without-id", 20)]),
    ('/*\n@criterion: T-I2\n@atom: T-I2a\n@text: x\n*/\ndefine "I2": true', [("criterion-and-atom", 20)]),
    ('/*\n@inclusion\n@text: x\n*/\ndefine "I2": true', [("tag-without-criterion", 19)]),
    ('/*\n@atom: T-I1a\n@text: x\n*/\ndefine "I1a": true', [("atom-without-criterion", 19)]),
    ('/*\n@atom: T-I1a\n*/\ndefine "I1a": true', [("atom-without-text", 18)]),
    (
        '/*\n@criterion: T-I2\n@inclusion\n@text: x\n*/\ndefine function "I2"(a Boolean): a',
        [("tag-without-define", 20)],
    ),
    ("/*\n@criterion: T-I2\n@inclusion\n@text: x\n*/\n", [("tag-without-define", 16)]),
)


@pytest.mark.parametrize(("more", "expected"), MISTAKES, ids=[row[1][0][0] for row in MISTAKES])
def test_what_does_not_fit_together_is_refused(
    more: str, expected: list[tuple[str, int]], workspace: Workspace, tmp_path: Path
) -> None:
    trial, found = read(workspace, tmp_path, HEAD.format(tags="") + GOOD + more)
    assert trial is None
    assert found == expected


LIBRARY_MISTAKES = (
    (HEAD.format(tags="").replace("@registry: NCT0\n", "") + GOOD, ("trial-tag", 7)),
    (HEAD.format(tags="").replace("@title: A title\n", "") + GOOD, ("trial-tag", 7)),
    (HEAD.format(tags="") + "define X: true", ("no-criteria", 2)),
    (HEAD.format(tags="@notencoded: T-E1 exclusion x\n") + GOOD, ("not-encoded-form", 7)),
    (HEAD.format(tags="@notencoded: T-I1 | inclusion | x\n") + GOOD, ("duplicate-id", 7)),
)


@pytest.mark.parametrize(("text", "expected"), LIBRARY_MISTAKES, ids=range(len(LIBRARY_MISTAKES)))
def test_mistakes_in_the_tags_of_the_library(
    text: str, expected: tuple[str, int], workspace: Workspace, tmp_path: Path
) -> None:
    trial, found = read(workspace, tmp_path, text)
    assert trial is None
    assert found == [expected]


def test_a_library_without_the_tag_is_no_trial(workspace: Workspace, tmp_path: Path) -> None:
    assert read(workspace, tmp_path, "library X\ndefine A: 1") == (None, [])


def test_a_tag_ends_at_an_empty_line(workspace: Workspace, tmp_path: Path) -> None:
    trial, found = read(workspace, tmp_path, HEAD.format(tags="@incomplete: Some\n  are missing.\n") + GOOD)
    assert found == []
    assert trial is not None
    assert trial.title == "A title"
    assert trial.incomplete == ("Some are missing.",)


def test_ids_are_ordered_as_people_count() -> None:
    given = ["E10", "E2", "E3aa", "E3z", "E3b"]
    assert sorted(given, key=natural) == ["E2", "E3b", "E3z", "E3aa", "E10"]
