"""The audit: append-only, and whatever is changed behind its back shows; exported as FHIR AuditEvent."""

import json
import zlib
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from engine.service.audit import exported
from engine.service.calls import new_id
from engine.service.recording import forget_old, moment
from engine.service.storage import START, Run, Storage, digest_of
from tests.service.test_storage import entry, stored


def unguarded(storage: Storage, statement: str) -> None:
    """What someone does who owns the database: takes the triggers away, then changes what they like."""
    with storage.engine.begin() as connection:
        if storage.engine.dialect.name == "sqlite":
            for event in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_no_{event}")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_guard ON audit")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    ("UPDATE audit SET digest = 'x'", "DELETE FROM audit", "UPDATE audit SET number = 7 WHERE number = 1"),
)
def test_the_database_refuses_to_change_the_audit(storage: Storage, statement: str) -> None:
    storage.add_entry(entry())
    with pytest.raises(DatabaseError, match="append-only"), storage.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert storage.audit.head()[0] == 1


@pytest.mark.parametrize(
    ("statement", "sentence"),
    (
        ("UPDATE audit SET entry = (SELECT entry FROM audit WHERE number = 1) WHERE number = 3", "entry 3 was changed"),
        (
            "UPDATE audit SET digest = (SELECT digest FROM audit WHERE number = 1) WHERE number = 3",
            "entry 3 was changed",
        ),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number = 1", "entry 1 is missing"),
        ("UPDATE audit SET number = 9 WHERE number = 4", "entry 4 is missing"),
        ("UPDATE runs SET result = inputs", "the run"),
        ("DELETE FROM runs", "is missing"),
    ),
)
def test_a_change_behind_its_back_shows(storage: Storage, statement: str, sentence: str) -> None:
    for number in range(3):
        storage.add_entry(entry(who=f"caller {number}"))
    stored(storage)
    assert storage.audit.broken() == []
    unguarded(storage, statement)
    assert any(sentence in found for found in storage.audit.broken())


def test_entries_cut_off_at_the_end_show_against_a_head_noted_before(storage: Storage) -> None:
    for number in range(3):
        storage.add_entry(entry(who=f"caller {number}"))
    head = storage.audit.head()
    storage.add_entry(entry())
    assert storage.audit.broken(head) == []
    unguarded(storage, "DELETE FROM audit WHERE number >= 3")
    assert storage.audit.broken() == []
    assert storage.audit.broken(head) == ["the entry 3 that was noted earlier is not in the audit any more"]


def test_an_empty_audit_is_whole(storage: Storage) -> None:
    assert storage.audit.head() == (0, START)
    assert storage.audit.broken() == []


def test_without_its_key_nobody_makes_a_chain_anew(database_url: str) -> None:
    keyed = Storage(database_url, key=b"k" * 32)
    keyed.add_entry(entry())
    assert keyed.audit.broken() == []
    without = Storage(database_url)
    assert without.audit.broken() == ["entry 1 was changed, or one before it was changed or taken out"]
    for storage in (keyed, without):
        storage.close()


# ---------------------------------------------------------------- retention


def kept(storage: Storage, days_ago: int) -> Run:
    recorded = moment(days_ago)
    run = Run(new_id(), recorded, "ehr", "Patient/1", b"Canary-in-the-inputs" * 100, b"[]")
    storage.add_run(run, entry(run.id, digest_of(run.inputs, run.result), recorded=recorded))
    return run


def test_what_is_older_than_the_retention_is_deleted_and_the_chain_still_holds(storage: Storage) -> None:
    old, older, young = kept(storage, 31), kept(storage, 400), kept(storage, 29)
    detail = {"sender": "ehr", "service": "eligibility", "card": "c", "outcome": "accepted", "detail": b"{}"}
    storage.add_feedback([{"recorded": moment(31), **detail}], entry(action="feedback"))
    head = storage.audit.head()
    assert forget_old(storage, 30) == 3
    assert [storage.run(run.id) for run in (old, older, young)] == [None, None, young]
    assert storage.audit.broken(head) == []
    last = [found for _, found, _ in storage.audit.entries()][-1]
    assert (last.action, last.who, last.outcome) == ("forget", "retention", "success")
    assert last.versions["before"] < moment(30)
    assert forget_old(storage, 30) == 0, "nothing was deleted, and nothing is told"
    assert storage.audit.head()[0] == head[0] + 1


def test_a_run_that_retention_did_not_take_is_missed(storage: Storage) -> None:
    old, young = kept(storage, 31), kept(storage, 1)
    forget_old(storage, 30)
    again = kept(storage, 31)
    with storage.engine.begin() as connection:
        for run in (young, again):
            connection.exec_driver_sql(f"DELETE FROM runs WHERE id = '{run.id}'")
    assert storage.run(old.id) is None
    assert storage.audit.broken() == [
        f"the run {young.id} of entry 2 is missing",
        f"the run {again.id} of entry 4 is missing",
    ]


def test_what_was_deleted_is_not_in_the_file_any_more(storage: Storage) -> None:
    run = kept(storage, 31)
    if storage.engine.dialect.name != "sqlite":
        return
    folder = Path(str(storage.engine.url.database)).parent
    packed = zlib.compress(run.inputs, 6)
    assert any(packed in path.read_bytes() for path in folder.iterdir())
    forget_old(storage, 30)
    assert not any(packed in path.read_bytes() for path in folder.iterdir())


def test_a_deletion_is_an_audit_event(storage: Storage) -> None:
    kept(storage, 31)
    forget_old(storage, 30)
    events = [json.loads(line) for line in exported(storage)]
    assert [event["action"] for event in events] == ["E", "D"]
