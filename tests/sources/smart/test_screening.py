"""Screening through a server: the same answers as from files, whatever the way the records came."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from tests.sources.smart.stub import Json, Reply, Stub

FIXTURES = Path(__file__).resolve().parents[3] / "fhir_fixtures" / "psma-nk"
NAMES = ("01-in-good-order", "03-liver-metastases", "05-hemoglobin-in-grams-per-litre", "12-ecog-of-tomorrow")
FIXED = ["--trial", "PSMA-NK", "--screening-date", "2026-01-15", "--format", "json"]
Serve = Callable[..., Stub]


def resources() -> list[Json]:
    found = []
    for name in NAMES:
        bundle = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
        found += [entry["resource"] for entry in bundle["entry"]]
    return found


@pytest.fixture(scope="module")
def from_files() -> list[Json]:
    done = CliRunner().invoke(app, ["screen", *(str(FIXTURES / f"{name}.json") for name in NAMES), *FIXED])
    assert done.exit_code == 0, done.stderr
    return comparable(done.stdout)


def comparable(text: str) -> list[Json]:
    """Results without what names the way they came; evidence in an order of its own."""
    results = sorted(json.loads(text), key=lambda r: r["patient"])
    for result in results:
        del result["source"], result["stamp"]["data"]
        for answer in [a for criterion in result["criteria"] for a in (criterion, *criterion["atoms"])]:
            for name in ("evidence", "setAside", "missing"):
                answer[name] = sorted(answer.get(name, []), key=repr)
    return results


@pytest.fixture
def server(serve: Serve, rsa: tuple[Json, Any]) -> Stub:
    made = serve(*resources(), public_key=rsa[1], page=10)
    kinds = sorted({resource["resourceType"] for resource in made.resources})
    made.export(*(("output", kind, [r for r in made.resources if r["resourceType"] == kind]) for kind in kinds))
    return made


@pytest.fixture
def screen(server: Stub, rsa: tuple[Json, Any], tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "key.json").write_text(json.dumps(rsa[0]))

    def run(*arguments: str, method: str = "search", name: str = "stub", **more: Any) -> Any:
        given = {
            "base_url": server.base,
            "client_id": "me",
            "key_file": "key.json",
            "method": method,
            "longest_wait": 0,
        }
        (tmp_path / "servers.json").write_text(json.dumps({"servers": {"stub": {**given, **more}}}))
        options = ["--server", name, "--servers", str(tmp_path / "servers.json")]
        return CliRunner().invoke(app, ["screen", *options, *arguments, *FIXED])

    return run


@pytest.mark.parametrize("method", ("search", "everything", "bulk"))
def test_the_answers_are_those_of_the_files(screen: Callable[..., Any], from_files: list[Json], method: str) -> None:
    done = screen(method=method)
    assert done.exit_code == 0, done.stderr
    assert comparable(done.stdout) == from_files


def test_one_patient(screen: Callable[..., Any], from_files: list[Json]) -> None:
    done = screen("--patient", NAMES[1])
    assert done.exit_code == 0, done.stderr
    assert comparable(done.stdout) == [r for r in from_files if r["patient"] == f"Patient/{NAMES[1]}"]


def test_the_members_of_a_group(server: Stub, screen: Callable[..., Any]) -> None:
    members = [{"entity": {"reference": f"Patient/{name}"}} for name in NAMES[:2]]
    server.resources.append({"resourceType": "Group", "id": "g", "member": members})
    done = screen("--group", "g")
    assert [r["patient"] for r in comparable(done.stdout)] == [f"Patient/{name}" for name in NAMES[:2]]


def test_what_could_not_be_fetched_decides_nothing(
    server: Stub, screen: Callable[..., Any], from_files: list[Json]
) -> None:
    server.fault("GET", "/fhir/Condition", Reply(403), always=True)
    done = screen("--patient", NAMES[0])
    assert done.exit_code == 2
    assert "The run is incomplete" in done.stderr
    assert f"Condition of Patient/{NAMES[0]}" in done.stderr
    (result,) = json.loads(done.stdout)
    assert any("not all Condition records of the patient could be fetched" in text for text in result["incomplete"])
    assert result["verdict"] != "eligible"
    errors = {c["id"]: c["error"] for c in result["criteria"] if c["result"] == "error"}
    assert errors
    assert all("Condition" in sentence for sentence in errors.values())
    complete = {c["id"]: c["result"] for c in from_files[0]["criteria"]}
    others = {c["id"]: c["result"] for c in result["criteria"] if c["id"] not in errors}
    assert others == {name: complete[name] for name in others}
    assert "Condition" not in result["absence"]["resourceTypes"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    (
        (["--server", "x", "--servers", "/nowhere/servers.toml"], "there is no such settings file"),
        ([], "give INPUT or --server NAME, one of them"),
        (["a.json", "--server", "x"], "give INPUT or --server NAME, one of them"),
        (["a.json", "--group", "g"], "a group is one of a server"),
    ),
)
def test_options_that_do_not_fit(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["screen", *arguments], env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())


def test_a_server_that_is_not_in_the_settings(screen: Callable[..., Any]) -> None:
    done = screen(name="other")
    assert done.exit_code == 2
    assert "holds no server 'other'; it holds stub" in done.stderr
