"""The acceptance cases of ../shared/trials/scenarios, through the command line with their parameters.

Every criterion a trial encodes has to come out as expected, and so do the atoms that a case names, and the verdict once
the whole trial is encoded. What is not encoded yet is skipped, with the count in the reason.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY.parent / "shared" / "trials" / "scenarios"
CASES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
TRIALS = {p.stem.rsplit("-", 1)[0] for p in CASES}

pytestmark = pytest.mark.skipif(not CASES, reason="needs ../shared/trials/scenarios, which is not beside this checkout")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


@cache
def known() -> frozenset[str]:
    """The trials the product has."""
    return frozenset(line.split()[0] for line in command("trials").stdout.splitlines() if line and line[0] != " ")


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Case → its TrialResult; the cases that share trial and parameters go through one run of the command."""
    folder = tmp_path_factory.mktemp("scenarios")
    runs: dict[tuple[str, str], list[Path]] = {}
    for path in CASES:
        case = json.loads(path.read_text("utf-8"))
        if case["trial"] in known():
            bundle = folder / f"{case['id']}.json"
            bundle.write_text(json.dumps(case["bundle"]), "utf-8")
            runs.setdefault((case["trial"], json.dumps(case["parameters"])), []).append(bundle)
    found: dict[str, dict[str, Any]] = {}
    for number, ((trial, parameters), bundles) in enumerate(runs.items()):
        file = folder / f"parameters-{number}"
        file.write_text(parameters, "utf-8")
        done = command("screen", *map(str, bundles), "--trial", trial, "--parameters", str(file), "--format", "json")
        assert done.returncode == 0, done.stderr
        found |= {Path(result["source"]).stem: result for result in json.loads(done.stdout)}
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_comes_out_as_expected(path: Path, answers: dict[str, dict[str, Any]]) -> None:
    case = json.loads(path.read_text("utf-8"))
    if case["id"] not in answers:
        pytest.skip(f"the trial {case['trial']} is not encoded")
    result = answers[case["id"]]
    criteria = {c["id"]: c["result"] for c in result["criteria"]}
    atoms = {a["id"]: a["result"] for c in result["criteria"] for a in c["atoms"]}
    expected = {name: value.replace(" ", "-") for name, value in case["expected_criteria"].items()}
    assert set(criteria) == set(expected)
    encoded = {name for name, value in criteria.items() if value != "not-encoded"}
    assert {n: criteria[n] for n in encoded} == {n: expected[n] for n in encoded}
    named = {n: v.replace(" ", "-") for n, v in case["expected_atoms_changed"].items() if n in atoms}
    assert {n: atoms[n] for n in named} == named
    if len(encoded) < len(criteria):
        pytest.skip(f"as expected so far; {len(criteria) - len(encoded)} of {len(criteria)} criteria are not encoded")
    assert result["verdict"] == case["overall"]


@pytest.mark.parametrize("trial", sorted(TRIALS))
def test_a_whole_trial_has_every_criterion_and_atom_of_the_list(trial: str, answers: dict[str, dict[str, Any]]) -> None:
    listed = json.loads((FOLDER.parent / "criteria.json").read_text("utf-8"))["trials"][trial]["criteria"]
    result = next((r for r in answers.values() if r["trial"] == trial), None)
    if result is None:
        pytest.skip(f"the trial {trial} is not encoded")
    texts = {c["id"]: (c["kind"], " ".join(c["text"].split())) for c in result["criteria"]}
    assert texts == {c["id"]: (c["type"], " ".join(c["verbatim"].split())) for c in listed}
    open_ones = {c["id"] for c in result["criteria"] if c["result"] == "not-encoded"}
    atoms = {a["id"] for c in result["criteria"] for a in c["atoms"]}
    assert atoms == {a["id"] for c in listed if c["id"] not in open_ones for a in c["atoms"]}
