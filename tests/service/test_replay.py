"""`eligibility replay`: the same bytes again, or what changed; `eligibility audit`: whole, and as AuditEvent."""

import json
from pathlib import Path

import pytest

from engine.cli.audit import check_command, export_command
from engine.cli.replay import command, differences
from engine.language.values import DateTime
from engine.service import Settings
from engine.service.answering import prepared
from engine.service.audit import entry_of
from engine.service.inputs import inputs_of
from engine.service.jobs import ScreenJob
from engine.service.performing import perform
from engine.service.principal import LOCAL
from engine.service.storage import Run, Storage, digest_of
from engine.trials import to_json
from tests.service.served import SAMPLE


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a stored run of one of the product's trials."""
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    monkeypatch.setenv("ELIGIBILITY_DATABASE_URL", url)
    settings = Settings()
    now = DateTime(2026, 3, 16, 10, 0, 0, 0, 0)
    job = ScreenJob(now=now, data=json.loads(SAMPLE.read_bytes(), parse_float=str), trials=("PSMA-NK",))
    results = perform(prepared(settings), job)
    inputs, result = inputs_of(job, settings, results), to_json(list(results))
    storage = Storage(url)
    entry = entry_of(LOCAL, "screen", "2026-03-16T10:00:00Z", results=results, patient=results[0].patient,
                     run="r1", content=digest_of(inputs, result))  # fmt: skip
    storage.add_run(Run("r1", "2026-03-16T10:00:00Z", "local", results[0].patient, inputs, result), entry)
    storage.close()
    return "r1"


def test_a_run_gives_the_same_bytes_or_says_what_changed(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(run, None, None, tmp_path / "again.json") == 0
    assert "The same" in capsys.readouterr().out
    assert json.loads((tmp_path / "again.json").read_bytes())[0]["trial"] == "PSMA-NK"
    assert command(run, None, "2027-03-16", None) == 1
    assert "PSMA-NK: time changed" in capsys.readouterr().out
    bundle = json.loads(SAMPLE.read_bytes())
    bundle["entry"] = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
    (tmp_path / "other.json").write_text(json.dumps(bundle))
    assert command(run, tmp_path / "other.json", None, None) == 1
    assert "PSMA-NK: data changed" in capsys.readouterr().out
    assert command("unknown", None, None, None) == 2
    assert check_command(None) == 0
    assert export_command(tmp_path / "audit.ndjson") == 0
    event = json.loads((tmp_path / "audit.ndjson").read_bytes())
    assert (event["resourceType"], event["outcome"]) == ("AuditEvent", "0")


@pytest.mark.parametrize(
    ("part", "word"),
    (("engine", "engine"), ("library", "criteria"), ("valuesets", "terminology"), ("data", "data"),
     ("evaluationTime", "time")),
)  # fmt: skip
def test_each_part_of_a_stamp_is_named(part: str, word: str) -> None:
    def result(value: str) -> bytes:
        row = {"trial": "T", "verdict": "eligible", "criteria": [], "stamp": {part: value}}
        return json.dumps([row]).encode()

    assert list(differences(result("a"), result("b"))) == [f"T: {word} changed: a then, b now"]
    assert list(differences(result("a"), result("a"))) == []
