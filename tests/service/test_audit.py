"""The audit: append-only, and whatever is changed behind its back shows; exported as FHIR AuditEvent."""

import pytest
from sqlalchemy.exc import DatabaseError

from engine.service.storage import START, Storage
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
