"""What the service keeps, in SQLite or PostgreSQL: runs with their inputs, feedback, used tokens, and the audit.

The audit is append-only: triggers refuse to change or delete an entry, and each entry carries a digest over itself and
the digest before it, so that a change made behind the triggers' back shows (:func:`AuditTrail.broken`). With a key the
digest is an HMAC, which nobody makes anew without the key. An entry of a run also carries the digests of the run's
inputs and result. All functions block; the service calls them in threads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sql
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from engine.errors import EligibilityError, InputError
from engine.fhir.decode import decode_json
from engine.language.values.json import encode

TABLES: Final = sql.MetaData()

RUNS: Final = sql.Table(
    "runs", TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("recorded", sql.String(40), nullable=False),
    sql.Column("owner", sql.String(256), nullable=False, index=True),
    sql.Column("patient", sql.String(512), nullable=False, index=True),
    sql.Column("inputs", sql.LargeBinary, nullable=False),
    sql.Column("result", sql.LargeBinary, nullable=False),
)  # fmt: skip
FEEDBACK: Final = sql.Table(
    "feedback", TABLES,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("recorded", sql.String(40), nullable=False),
    sql.Column("sender", sql.String(256), nullable=False),
    sql.Column("service", sql.String(256), nullable=False),
    sql.Column("card", sql.String(256), nullable=False),
    sql.Column("outcome", sql.String(32), nullable=False),
    sql.Column("detail", sql.LargeBinary, nullable=False),
)  # fmt: skip
USED_TOKENS: Final = sql.Table(
    "used_tokens", TABLES,
    sql.Column("digest", sql.String(64), primary_key=True),
    sql.Column("expires", sql.BigInteger, nullable=False, index=True),
)  # fmt: skip
LINKS: Final = sql.Table(
    "links", TABLES,
    sql.Column("digest", sql.String(64), primary_key=True),
    sql.Column("run", sql.String(64), nullable=False),
    sql.Column("expires", sql.BigInteger, nullable=False, index=True),
)  # fmt: skip
AUDIT: Final = sql.Table(
    "audit", TABLES,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("entry", sql.LargeBinary, nullable=False),
    sql.Column("digest", sql.String(64), nullable=False),
)  # fmt: skip

_SQLITE_GUARDS: Final = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{event.lower()} BEFORE {event} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    for event in ("UPDATE", "DELETE")
)
_POSTGRES_GUARDS: Final = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
    "DROP TRIGGER IF EXISTS audit_guard ON audit",
    "CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
)
_LOCK: Final = 7_316_240_611
"""The advisory lock under which PostgreSQL appends to the audit and makes the tables."""

FORGET: Final = "forget"
"""The action of an entry that tells of a deletion."""
START: Final = "0" * 64
"""The digest before the first entry."""


class StorageError(EligibilityError):
    """The database cannot be used."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run: ``inputs`` is JSON of everything it took, ``result`` the bytes that were answered."""

    id: str
    recorded: str
    owner: str
    patient: str
    inputs: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit: who did what to whom, when and with what, and how it ended.

    ``action`` is ``screen``, ``evaluate``, ``read-result``, ``feedback`` or ``forget`` (what was recorded before the
    moment ``versions["before"]`` was deleted, as retention asks); ``outcome`` is ``success`` or the reason it
    was refused; ``trials`` are ids with their hashes; ``versions`` name the engine, terminology and data; ``run`` is
    the id of a stored run, whose bytes have the digest ``content``.
    """

    recorded: str
    who: str
    action: str
    patient: str
    outcome: str
    trials: Mapping[str, str]
    versions: Mapping[str, str]
    run: str | None = None
    content: str | None = None


def fitting(text: str, column: sql.Column[str]) -> str:
    """A text as its column takes it: as long as it may be there, and without the NUL that PostgreSQL has not."""
    length: int | None = getattr(column.type, "length", None)
    return _sought(text)[:length]


def _sought(text: str) -> str:
    return text.replace("\0", "\ufffd")


class Storage:
    """A database. Tables are made when they are not there.

    Args:
        url: SQLAlchemy's, ``sqlite:///file`` or ``postgresql+psycopg://user@host/name``.
        key: makes the digests of the audit HMACs.

    Raises:
        StorageError: it cannot be opened.
    """

    def __init__(self, url: str, key: bytes | None = None) -> None:
        address = checked_url(url)
        self.engine: Engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)
        self._writing = self.engine.execution_options(writing=True)
        self.audit = AuditTrail(self, key)
        try:
            with self._writing.begin() as connection:
                self._lock(connection)
                TABLES.create_all(connection)
                sqlite = self.engine.dialect.name == "sqlite"
                for statement in _SQLITE_GUARDS if sqlite else _POSTGRES_GUARDS:
                    connection.exec_driver_sql(statement)
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()

    def _lock(self, connection: Connection) -> None:
        """One at a time: SQLite's writing transactions begin with the lock, PostgreSQL takes an advisory one."""
        if self.engine.dialect.name == "postgresql":
            connection.execute(sql.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    def reachable(self) -> bool:
        """True when the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(sql.text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    # ------------------------------------------------------------ runs

    def add_run(self, run: Run, entry: Entry) -> None:
        """Keeps a run and its audit entry, both or none.

        Raises:
            StorageError: they could not be kept.
        """
        row = {
            "id": run.id, "recorded": run.recorded,
            "owner": fitting(run.owner, RUNS.c.owner), "patient": fitting(run.patient, RUNS.c.patient),
            "inputs": zlib.compress(run.inputs, 6), "result": zlib.compress(run.result, 6),
        }  # fmt: skip
        try:
            with self._writing.begin() as connection:
                connection.execute(RUNS.insert().values(row))
                self._lock(connection)
                self.audit.append(connection, entry)
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def run(self, identity: str) -> Run | None:
        """The run of that id."""
        try:
            with self.engine.connect() as connection:
                row = connection.execute(sql.select(RUNS).where(RUNS.c.id == _sought(identity))).first()
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None
        if row is None:
            return None
        inputs, result = (_inflated(data, identity) for data in (row.inputs, row.result))
        return Run(row.id, row.recorded, row.owner, row.patient, inputs, result)

    def forget_runs(self, before: str, entry: Entry) -> int:
        """Deletes the runs and the feedback recorded before a moment; how many. With them goes an entry of the audit.

        The entries of the runs stay in the chain, with the digests of what is gone.
        """
        try:
            with self._writing.begin() as connection:
                deleted = [connection.execute(t.delete().where(t.c.recorded < before)) for t in (RUNS, FEEDBACK)]
                count = sum(result.rowcount for result in deleted)
                if count:
                    self._lock(connection)
                    self.audit.append(connection, entry)
            if count and self.engine.dialect.name == "sqlite":
                with self.engine.connect() as connection:  # what was deleted leaves the journal too
                    connection.exec_driver_sql("COMMIT")
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    connection.exec_driver_sql("BEGIN")
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None
        return count

    # ------------------------------------------------------------ feedback, tokens, links, audit

    def add_link(self, digest: str, run: str, expires: int) -> None:
        """Remembers that whoever holds what has this digest may read the run until ``expires`` (seconds since 1970)."""
        try:
            with self._writing.begin() as connection:
                connection.execute(LINKS.insert().values(digest=digest, run=run, expires=expires))
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def opens(self, digest: str, run: str, now: int) -> bool:
        """True when the digest is of a link to the run that has not expired."""
        wanted = (LINKS.c.digest == digest) & (LINKS.c.run == _sought(run)) & (LINKS.c.expires > now)
        try:
            with self.engine.connect() as connection:
                return connection.execute(sql.select(LINKS.c.run).where(wanted)).first() is not None
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def add_feedback(self, rows: Sequence[Mapping[str, Any]], entry: Entry) -> None:
        """Keeps feedback (columns of :data:`FEEDBACK`) and its audit entry."""
        try:
            with self._writing.begin() as connection:
                fitted = [row | {"card": fitting(row["card"], FEEDBACK.c.card)} for row in map(dict, rows)]
                connection.execute(FEEDBACK.insert(), fitted)
                self._lock(connection)
                self.audit.append(connection, entry)
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def add_entry(self, entry: Entry) -> None:
        """Appends to the audit."""
        try:
            with self._writing.begin() as connection:
                self._lock(connection)
                self.audit.append(connection, entry)
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None

    def first_use(self, digest: str, expires: int) -> bool:
        """Remembers a single-use token until it expires; False when it is known already, to whatever process."""
        try:
            with self._writing.begin() as connection:
                connection.execute(USED_TOKENS.insert().values(digest=digest, expires=expires))
        except IntegrityError:
            return False
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None
        return True

    def forget_tokens(self, now: int) -> None:
        """Drops used tokens and links that have expired: what is refused for its age needs no remembering."""
        try:
            with self._writing.begin() as connection:
                for table in (USED_TOKENS, LINKS):
                    connection.execute(table.delete().where(table.c.expires < now))
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None


class AuditTrail:
    """The chain of entries."""

    def __init__(self, storage: Storage, key: bytes | None) -> None:
        self.storage = storage
        self.key = key

    def append(self, connection: Connection, entry: Entry) -> None:
        """Adds an entry after the last; the caller holds the lock."""
        last = connection.execute(sql.select(AUDIT.c.number, AUDIT.c.digest).order_by(AUDIT.c.number.desc()).limit(1))
        number, before = next(((row.number, row.digest) for row in last), (0, START))
        written = _written(entry)
        digest = self._digest(number + 1, before, written)
        connection.execute(AUDIT.insert().values(number=number + 1, entry=written, digest=digest))

    def entries(self) -> Iterator[tuple[int, Entry, str]]:
        """Number, entry and digest of each, in order."""
        for number, written, digest in self._rows():
            yield number, Entry(**decode_json(written, source=f"audit entry {number}")), digest

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry: noted elsewhere, they show whether later ones were cut off."""
        return next(((number, digest) for number, _, digest in self._rows(newest=True)), (0, START))

    def broken(self, known: tuple[int, str] | None = None) -> list[str]:
        """What does not fit: a sentence for each entry that was changed, is missing, or whose run was changed.

        ``known`` is a head noted earlier, which has to be in the chain still.
        """
        found: list[str] = []
        missing: list[tuple[int, Entry]] = []
        before, expected, seen = START, 1, START
        for number, written, digest in self._rows():
            if number != expected:
                found.append(f"entry {expected} is missing: entry {number} follows")
            if digest != self._digest(number, before, written):
                found.append(f"entry {number} was changed, or one before it was changed or taken out")
            else:
                entry = Entry(**decode_json(written, source=f"audit entry {number}"))
                found += self._run_of(number, entry, missing)
                if entry.action == FORGET:
                    # What was recorded before that moment, and before this entry, is gone as it should be.
                    missing = [(n, e) for n, e in missing if e.recorded >= entry.versions["before"]]
            before, expected = digest, number + 1
            if known is not None and number == known[0]:
                seen = digest
        if known is not None and known[0] > 0 and seen != known[1]:
            found.append(f"the entry {known[0]} that was noted earlier is not in the audit any more")
        return found + [f"the run {entry.run} of entry {number} is missing" for number, entry in missing]

    def _run_of(self, number: int, entry: Entry, missing: list[tuple[int, Entry]]) -> list[str]:
        """What is wrong with the run of an entry; one that is not there is added to ``missing``."""
        if entry.run is None or entry.content is None:
            return []
        try:
            run = self.storage.run(entry.run)
        except InputError:
            return [f"the run {entry.run} of entry {number} cannot be read any more"]
        if run is None:
            missing.append((number, entry))
            return []
        if digest_of(run.inputs, run.result) != entry.content:
            return [f"the run {entry.run} of entry {number} was changed"]
        return []

    def _digest(self, number: int, before: str, written: bytes) -> str:
        data = b"\n".join((str(number).encode(), before.encode(), written))
        if self.key is None:
            return hashlib.sha256(data).hexdigest()
        return hmac.new(self.key, data, hashlib.sha256).hexdigest()

    def _rows(self, newest: bool = False) -> Iterator[tuple[int, bytes, str]]:
        order = AUDIT.c.number.desc() if newest else AUDIT.c.number
        try:
            with self.storage.engine.connect() as connection:
                for row in connection.execute(sql.select(AUDIT).order_by(order)).yield_per(500):
                    yield row.number, bytes(row.entry), row.digest
        except SQLAlchemyError as problem:
            raise StorageError(_sentence(problem)) from None


def _written(entry: Entry) -> bytes:
    return encode({name: getattr(entry, name) for name in Entry.__dataclass_fields__})


def digest_of(inputs: bytes, result: bytes) -> str:
    """The digest of a run's bytes."""
    inner = hashlib.sha256(inputs).digest() + hashlib.sha256(result).digest()
    return f"sha256:{hashlib.sha256(inner).hexdigest()}"


def _inflated(data: bytes, identity: str) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        raise InputError(f"run {identity}", "", "cannot be read any more: its stored bytes are damaged") from None


# ---------------------------------------------------------------- databases


def default_url() -> str:
    """A file of the user's own: ``$XDG_STATE_HOME/eligibility/runs.sqlite`` (``~/.local/state`` by default)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return f"sqlite:///{Path(state) / 'eligibility' / 'runs.sqlite'}"


def checked_url(url: str) -> URL:
    """The address of a database; StorageError without repeating it, since it may hold a password."""
    try:
        address = make_url(url)
        name = address.get_backend_name()
    except (SQLAlchemyError, ValueError):
        raise StorageError("the address of the database is none; write sqlite:///file or postgresql://…") from None
    if name == "sqlite":
        return address
    if name != "postgresql":
        raise StorageError(f"a database of the kind '{name}' is not supported; use sqlite or postgresql")
    return address.set(drivername="postgresql+psycopg")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StorageError("SQLite needs a file: its memory is not shared between threads; write sqlite:///file")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Patient data: for nobody but the user the service runs as.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as problem:
        raise StorageError(f"{path}: the database cannot be opened: {problem.strerror}") from None
    engine = sql.create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @sql.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten

    @sql.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write takes the lock at once: it waits for its turn, and cannot fail half-way.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgres(url: URL) -> Engine:
    return sql.create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": 10})


def _sentence(problem: SQLAlchemyError) -> str:
    """What went wrong with the database, without the statement and what was to be stored."""
    kind = type(getattr(problem, "orig", None) or problem).__name__
    return f"the database cannot be used ({kind}); see that it runs, has room and may be written"
