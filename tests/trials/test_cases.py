"""The trials' own cases, through the command line; and that a wrong case, or a result nobody reaches, is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.sources import own_content
from engine.trials import load_trials, trial_ids

FOLDER = Path(__file__).resolve().parents[2] / "cql" / "trials"
TRIALS = sorted(trial_ids(FOLDER).items())

CQL = """/*
@trial: SMALL
@registry: NCT00000000
@title: A trial of one criterion
*/
library Small version '1.0.0'
using FHIR version '4.0.1'
codesystem "LOINC": 'http://loinc.org'
code "ECOG": '89247-1' from "LOINC"
parameter "ScreeningDate" Date
parameter "Limit" Integer default 2
context Patient

/*
@criterion: SMALL-I1
@inclusion
@text: ECOG 0 to 2
*/
define "I1": "I1a"

/*
@atom: SMALL-I1a
@text: ECOG 0 to 2
*/
define "I1a":
  Last([Observation: "ECOG"] O where O.status.value = 'final' return all (O.value as FHIR.integer).value) <= "Limit"
"""

ECOG = {
    "resourceType": "Observation", "id": "ecog", "status": "final", "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "89247-1"}]}, "valueInteger": 1,
}  # fmt: skip

WHOLE = """
patient = { verdict = "eligible", expect = { I1 = "met" } }

[I1a]
met = [{ title = "two", set.ecog.valueInteger = 2 }]
not-met = [
  { title = "three", set.ecog.valueInteger = 3, verdict = "ineligible" },
  { title = "another limit", set.ecog.valueInteger = 2, parameters.Limit = 1 },
]
unknown = [
  { title = "no result", remove = ["ecog"], verdict = "needs-review", basis.I1a = "no-data" },
  { title = "another kind of value", set.ecog.valueString = "2" },
]
"""


def small(folder: Path, cases: str) -> Path:
    """The trial SMALL with these cases; the path of its CQL."""
    (folder / "small.cql").write_text(CQL, "utf-8")
    place = folder / "small.cases"
    place.mkdir()
    bundle = {"resourceType": "Bundle", "type": "collection"}
    patient = {"resourceType": "Patient", "id": "p"}
    (place / "patient.json").write_text(json.dumps({**bundle, "entry": [{"resource": r} for r in (patient, ECOG)]}))
    other = {**ECOG, "id": "worse", "valueInteger": 4}
    (place / "others.json").write_text(json.dumps({**bundle, "entry": [{"resource": other}]}))
    (place / "parameters.json").write_text('{"ScreeningDate": "2026-06-15"}')
    (place / "a.toml").write_text(cases, "utf-8")
    return folder / "small.cql"


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["test", *map(str, arguments)], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(("path", "trial"), TRIALS, ids=[name for _, name in TRIALS])
def test_each_trial_comes_out_as_its_cases_say_and_every_possible_result_is_seen(path: Path, trial: str) -> None:
    code, out, err = run(trial)
    assert code == 0, out + err
    counted = re.search(r"(\d+) cases, 0 failed; (\d+) of \2 possible results seen", out)
    assert counted is not None
    assert int(counted[1]) >= 90


@pytest.mark.parametrize(("path", "trial"), TRIALS, ids=[name for _, name in TRIALS])
def test_the_cases_use_every_resource_they_may_add(path: Path, trial: str) -> None:
    """What nobody adds is not tested."""
    text = "\n".join(p.read_text("utf-8") for p in path.with_suffix(".cases").glob("*.toml"))
    others = json.loads((path.with_suffix(".cases") / "others.json").read_text("utf-8"))
    ids = {entry["resource"]["id"] for entry in others["entry"]}
    assert {i for i in ids if not re.search(rf'add\.{i}(?![\w-])|like = "{i}"', text)} == set()


def test_cases_written_out_are_screened_alike(tmp_path: Path) -> None:
    trial = small(tmp_path, WHOLE)
    assert run(trial, "--write", tmp_path / "out")[0] == 0
    files = sorted((tmp_path / "out" / "SMALL").glob("*.json"))
    assert len(files) == 6
    for file in files:
        case = json.loads(file.read_text("utf-8"))
        assert case["trial"] == "SMALL"
        (tmp_path / "bundle.json").write_text(json.dumps(case["bundle"]))
        (tmp_path / "parameters.json").write_text(json.dumps(case["parameters"]))
        arguments = ["screen", tmp_path / "bundle.json", "--trial", trial, "--format", "json"]
        done = CliRunner().invoke(app, [*map(str, arguments), "--parameters", str(tmp_path / "parameters.json")])
        result = json.loads(done.stdout)[0]
        found = {c["id"]: c["result"] for c in result["criteria"]}
        found |= {a["id"]: a["result"] for c in result["criteria"] for a in c["atoms"]}
        assert {name: found[name] for name in case["expected"]} == case["expected"]
        assert result["verdict"] == case.get("verdict", result["verdict"])


def test_a_case_that_comes_out_otherwise_is_told(tmp_path: Path) -> None:
    code, out, _ = run(small(tmp_path, WHOLE.replace('"two", set.ecog.valueInteger = 2', '"two", add.worse = {}')))
    assert code == 1
    assert "SMALL-I1a: expected met, got not-met\n      two  (a.toml)" in out
    assert "6 cases, 1 failed" in out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    (
        ('verdict = "eligible"', 'verdict = "needs-review"', "verdict: expected needs-review, got eligible"),
        ('basis.I1a = "no-data"', 'basis.I1a = "record"', "basis of SMALL-I1a: expected record, got no-data"),
        ('[I1a]\n', '[I1a]\nnever.unknown = "why"\n', "Said to be impossible, and reached: SMALL-I1a unknown."),
    ),
)  # fmt: skip
def test_verdict_basis_and_impossible_results_are_compared(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in WHOLE
    code, out, _ = run(small(tmp_path, WHOLE.replace(old, new)))
    assert code == 1
    assert told in out


def test_a_result_that_no_case_reaches_is_told_unless_it_cannot_be(tmp_path: Path) -> None:
    cases = WHOLE[: WHOLE.index("unknown = [")]
    trial = small(tmp_path, cases)
    code, out, _ = run(trial)
    assert code == 1
    assert "Never reached, and not said to be impossible: SMALL-I1 unknown, SMALL-I1a unknown." in out
    never = 'never.unknown = "it is always told"\n'
    (tmp_path / "small.cases" / "a.toml").write_text(f"{cases}{never}[I1]\n{never}", "utf-8")
    code, out, _ = run(trial)
    assert code == 0, out
    assert "never: it is always told" in out


def test_a_trial_without_cases_fails(tmp_path: Path) -> None:
    (tmp_path / "small.cql").write_text(CQL, "utf-8")
    code, _, err = run(tmp_path / "small.cql")
    assert code == 1
    assert "SMALL has no cases" in err


MISTAKES: list[tuple[str, str]] = [
    ("[I1a", "cannot be read as TOML"),
    ('[I9]\nmet = [{ title = "x" }]', "has no criterion or atom 'I9'"),
    ('[I1a]\nmaybe = [{ title = "x" }]', "'maybe' is no result"),
    ("[I1a]\nmet = [{ set.ecog.valueInteger = 1 }]", "a case is a table with a title"),
    ('[I1a]\nmet = [{ title = "x" }, { title = "x" }]', "two cases of this title"),
    ('[I1a]\nmet = [{ title = "x", change = 1 }]', "'change' is no part of a case"),
    ('[I1a]\nmet = [{ title = "x", set.ecg.valueInteger = 1 }]', "the patient has no resource 'ecg'"),
    ('[I1a]\nmet = [{ title = "x", add.ecog = {} }]', "has a resource 'ecog' already"),
    ('[I1a]\nmet = [{ title = "x", add.ecg = {} }]', "there is no resource 'ecg'"),
    ('[I1a]\nmet = [{ title = "x", remove = ["ecog.value"] }]', "there is nothing at 'ecog.value'"),
    ('[I1a]\nmet = [{ title = "x", without = ["Limit"] }]', "there is no parameter 'Limit' to drop"),
    ('[I1a]\nmet = [{ title = "x", parameters.Limit = "a" }]', "expected a whole number"),
    ('[I1a]\nmet = [{ title = "x", without = ["ScreeningDate"] }]', "no case may depend on the day it is run"),
    ('[I1a]\nmet = [{ title = "x", verdict = "yes" }]', "'yes' is none of eligible, needs-review, ineligible"),
    ('[[cases]]\ntitle = "x"', "the case expects nothing"),
    ('[I1a]\nnever.perhaps = "x"', "expected met, not-met, unknown, each with a reason"),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_in_a_file_of_cases_has_its_place_and_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    code, _, err = run(small(tmp_path, text))
    assert code == 2
    assert told in err
    assert "a.toml" in err


def test_changes_merge_tables_and_numbered_places_and_replace_the_rest(tmp_path: Path) -> None:
    from engine.trials.cases import read_cases

    text = """
[I1a]
met = [
  { title = "merged", set.ecog.code.coding.0.display = "ECOG", set.ecog.code.coding.1 = { code = "x" } },
  { title = "replaced", set.ecog.code.coding = [{ code = "y" }] },
  { title = "another kind of value", set.ecog.valueQuantity.value = 1.50 },
  { title = "a copy", add.copy = { like = "ecog", valueInteger = 0 } },
  { title = "an element less", remove = ["ecog.code.coding.0"] },
]
"""
    path = small(tmp_path, text)
    trials, _ = load_trials(own_content().workspace(), path)
    cases = {case.title: case.bundle["entry"] for case in read_cases(trials[0]).cases}

    def ecog(title: str, at: int = 1) -> dict[str, Any]:
        resource: dict[str, Any] = cases[title][at]["resource"]
        return resource

    coding = {"system": "http://loinc.org", "code": "89247-1"}
    assert ecog("merged")["code"]["coding"] == [{**coding, "display": "ECOG"}, {"code": "x"}]
    assert ecog("replaced")["code"]["coding"] == [{"code": "y"}]
    assert "valueInteger" not in ecog("another kind of value")
    assert str(ecog("another kind of value")["valueQuantity"]["value"]) == "1.50"
    assert ecog("a copy", 2) == {**ECOG, "id": "copy", "valueInteger": 0}
    assert ecog("an element less")["code"]["coding"] == []
    assert ecog("a copy") == ECOG
