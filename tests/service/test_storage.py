"""Runs, feedback and used tokens, in SQLite and in a real PostgreSQL."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.service.calls import new_id
from engine.service.storage import Entry, Run, Storage, StorageError, default_url, digest_of


def entry(run: str | None = None, content: str | None = None, **changed: str) -> Entry:
    fields = {"recorded": "2026-03-16T10:00:00Z", "who": "ehr", "action": "screen", "patient": "Patient/1",
              "outcome": "success"} | changed  # fmt: skip
    return Entry(**fields, trials={"T": "sha256:1"}, versions={"engine": "0.1.0"}, run=run, content=content)


def stored(storage: Storage, result: bytes = b'[{"verdict":"eligible"}]') -> Run:
    run = Run(new_id(), "2026-03-16T10:00:00Z", "ehr", "Patient/1", b'{"data":{"value":1.10}}', result)
    storage.add_run(run, entry(run.id, digest_of(run.inputs, run.result)))
    return run


def test_a_run_comes_back_byte_by_byte(storage: Storage) -> None:
    run = stored(storage)
    assert storage.run(run.id) == run
    assert storage.run("no such run") is None


def test_what_was_stored_is_there_after_closing(database_url: str) -> None:
    first = Storage(database_url)
    run = stored(first)
    first.close()
    second = Storage(database_url)
    assert second.run(run.id) == run
    assert second.audit.broken() == []
    second.close()


def test_a_run_and_its_audit_entry_are_kept_together_or_not_at_all(storage: Storage) -> None:
    run = stored(storage)
    with pytest.raises(StorageError):
        storage.add_run(run, entry(run.id))
    assert storage.audit.head()[0] == 1


def test_a_token_is_used_once(storage: Storage) -> None:
    assert storage.first_use("a" * 64, 100)
    assert not storage.first_use("a" * 64, 100)
    assert storage.first_use("b" * 64, 300)
    storage.forget_tokens(now=200)
    assert storage.first_use("a" * 64, 400)
    assert not storage.first_use("b" * 64, 300)


def test_a_token_is_used_once_across_processes(database_url: str, repository: Path) -> None:
    """Ten processes bring one token at the same time; one may use it."""
    Storage(database_url).close()
    program = (
        "import sys; from engine.service.storage import Storage;print(Storage(sys.argv[1]).first_use('c' * 64, 100))"
    )
    command = [sys.executable, "-c", program, database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) for _ in range(6)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in running)
    assert answers == ["False"] * 5 + ["True"]


def test_many_threads_append_to_one_chain(database_url: str) -> None:
    stores = [Storage(database_url) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: stores[n % 4].add_entry(entry(who=f"caller {n}")), range(80)))
    assert stores[0].audit.head()[0] == 80
    assert stores[0].audit.broken() == []
    assert {e.who for _, e, _ in stores[0].audit.entries()} == {f"caller {n}" for n in range(80)}
    for store in stores:
        store.close()


def test_feedback_is_kept_with_its_audit_entry(storage: Storage) -> None:
    row = {"recorded": "2026-03-16T10:00:00Z", "sender": "ehr", "service": "eligibility", "card": "c1",
           "outcome": "accepted", "detail": b"{}"}  # fmt: skip
    storage.add_feedback([row], entry(action="feedback"))
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT card, outcome FROM feedback").all() == [("c1", "accepted")]
    assert storage.audit.head()[0] == 1


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "runs.sqlite"
    Storage(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_default_database_is_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path}/eligibility/runs.sqlite"


@pytest.mark.parametrize(
    ("url", "sentence"),
    (
        ("not an address", "write sqlite:///file or postgresql"),
        ("mysql://user:Secret1@host/name", "of the kind 'mysql' is not supported"),
        ("oracle+nothing://user:Secret1@host/name", "of the kind 'oracle' is not supported"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:////proc/nothing/runs.sqlite", "cannot be opened"),
        ("postgresql://user:Secret1@127.0.0.1:1/name", "cannot be used"),
    ),
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(StorageError) as refused:
        Storage(url)
    assert sentence in str(refused.value)
    assert "Secret1" not in str(refused.value)


def test_what_no_column_takes_is_kept_as_far_as_it_goes(storage: Storage) -> None:
    storage.add_run(Run("r1", "2026-03-16", "who", "Patient/" + "p\0" * 400, b"{}", b"[]"), entry(run="r1"))
    kept = storage.run("r1")
    assert kept is not None
    assert kept.patient.startswith("Patient/p\ufffdp")
    assert len(kept.patient) == 512
    row = {"recorded": "2026-03-16", "sender": "who", "service": "s", "card": "c\0" * 400, "outcome": "accepted",
           "detail": b"{}"}  # fmt: skip
    storage.add_feedback([row], entry())
    assert storage.run("r1\0") is None
    assert not storage.opens("digest", "r1\0", 0)
