"""Exported resources put together by patient, on disk: a population does not have to fit into memory.

A temporary SQLite file that only this user can read; it is deleted when the grouping is closed.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.fhir import EVERY_TYPE
from engine.fhir.decode import decode_json
from engine.fhir.definitions import definitions
from engine.fhir.references import identifiers_of
from engine.sources.smart.completeness import Missing
from engine.sources.smart.fetch import Collected
from engine.sources.smart.plan import MAX_ROUNDS, Plan, needed_references, own_key

_SCHEMA = """
CREATE TABLE resource (kind TEXT, id TEXT, updated TEXT, body BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE about (patient TEXT, kind TEXT, id TEXT, PRIMARY KEY (patient, kind, id)) WITHOUT ROWID;
CREATE TABLE logical (system TEXT, value TEXT, kind TEXT, id TEXT, PRIMARY KEY (system, value, kind, id)) WITHOUT ROWID;
CREATE TABLE link (person TEXT, patient TEXT, PRIMARY KEY (person, patient)) WITHOUT ROWID;
"""
_Key = tuple[str, str]


class Grouping:
    """Takes resources in any order, gives patients one by one. Use it as a context manager."""

    def __init__(self, base: str, folder: Path | None = None) -> None:
        self._base = base
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="eligibility-", dir=folder)
        except OSError as problem:
            message = f"no file can be made there: {problem.strerror}; see work_folder in the settings"
            raise InputError(str(folder or tempfile.gettempdir()), "", message) from None
        place = Path(self._folder.name) / "export.sqlite"
        self._database = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
        self._database.executescript("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;" + _SCHEMA)
        self._definitions = definitions("4.0.1")

    def __enter__(self) -> Grouping:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is added inside counts, or, when an error leaves it, nothing of it."""
        self._database.execute("BEGIN")
        try:
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as problem:
            message = f"the export cannot be kept there: {problem}; see work_folder in the settings"
            raise InputError(self._folder.name, "", message) from None
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def add(self, resource: dict[str, Any], body: bytes) -> bool:
        """Takes a resource; of two with one identity the one updated later, else the one that came later, stays.

        False when it names no patient of the server although its type belongs to patients.
        """
        kind, identity = resource["resourceType"], resource["id"]
        meta = resource.get("meta")
        updated = str(meta.get("lastUpdated") or "") if isinstance(meta, dict) else ""
        row = self._database.execute("SELECT updated FROM resource WHERE kind = ? AND id = ?", (kind, identity))
        before = row.fetchone()
        if before is not None:
            if before[0] > updated:
                return True
            self.remove(kind, identity)
        self._database.execute("INSERT INTO resource VALUES (?, ?, ?, ?)", (kind, identity, updated, body))
        if kind == "Patient":
            self._links(resource)
            return True
        return self._subjects(kind, identity, resource)

    def remove(self, kind: str, identity: str) -> None:
        """Forgets a resource."""
        for table in ("resource", "about", "logical"):
            self._database.execute(f"DELETE FROM {table} WHERE kind = ? AND id = ?", (kind, identity))
        if kind == "Patient":
            self._database.execute("DELETE FROM link WHERE patient = ?", (identity,))

    def _links(self, patient: dict[str, Any]) -> None:
        """The RelatedPersons who are the same human as this Patient."""
        for other in _at(patient, ["link", "other"]):
            key = self._key(other)
            if key is not None and key[0] == "RelatedPerson":
                self._database.execute("INSERT OR IGNORE INTO link VALUES (?, ?)", (key[1], patient["id"]))

    def _subjects(self, kind: str, identity: str, resource: dict[str, Any]) -> bool:
        known = self._definitions.types.get(kind)
        if known is None or not known.subject:
            return True
        found = False
        for path in known.subject:
            for reference in _at(resource, path.split(".")):
                key = self._key(reference)
                if key is not None and key[0] == "Patient":
                    self._database.execute("INSERT OR IGNORE INTO about VALUES (?, ?, ?)", (key[1], kind, identity))
                    found = True
                elif key is None and isinstance(reference, dict):
                    for system, value in identifiers_of(reference):
                        row = (system, value, kind, identity)
                        self._database.execute("INSERT OR IGNORE INTO logical VALUES (?, ?, ?, ?)", row)
                        found = True
        return found or not known.compartment

    def _key(self, reference: Any) -> _Key | None:
        text = reference.get("reference") if isinstance(reference, dict) else None
        return own_key(text, self._base) if isinstance(text, str) else None

    # ------------------------------------------------------------ out

    def patients(self) -> Iterator[str]:
        """The ids of all Patients, in their order."""
        rows = self._database.execute("SELECT id FROM resource WHERE kind = 'Patient' ORDER BY id").fetchall()
        yield from (identity for (identity,) in rows)

    def patient(self, patient: str, plan: Plan, missing: list[Missing], *, limited: bool = False) -> Collected:
        """What was exported about a Patient; ``missing`` is what the whole export lacks.

        ``limited`` tells that only some patients were exported: the record of a related person may be another one's.
        """
        found = Collected(missing=list(missing))
        self._person(found, patient)
        if plan.needs_related:
            for kind, identity in list(found.resources):
                if kind == "RelatedPerson":
                    rows = self._database.execute("SELECT patient FROM link WHERE person = ?", (identity,)).fetchall()
                    for (other,) in rows:
                        self._person(found, other)
                    if limited and not rows:
                        reason = f"RelatedPerson/{identity} may have a record of their own outside the exported group"
                        _miss(found, Missing("RelatedPerson", reason, f"Patient/{patient}"))
        self._follow(found, patient, plan)
        return found

    def _person(self, found: Collected, patient: str) -> None:
        self._take(found, ("Patient", patient))
        rows = self._database.execute("SELECT kind, id FROM about WHERE patient = ?", (patient,)).fetchall()
        _, resource = found.resources.get(("Patient", patient), ("", {}))
        logical = "SELECT kind, id FROM logical WHERE system = ? AND value = ?"
        for pair in identifiers_of(resource):
            rows += self._database.execute(logical, pair).fetchall()
        for key in rows:
            self._take(found, key)

    def _take(self, found: Collected, key: _Key) -> bool:
        if key in found.resources:
            return True
        row = self._database.execute("SELECT body FROM resource WHERE kind = ? AND id = ?", key).fetchone()
        if row is not None:
            found.resources[key] = (f"{self._base}/{key[0]}/{key[1]}", decode_json(row[0], source="export"))
        return row is not None

    def _follow(self, found: Collected, patient: str, plan: Plan) -> None:
        for _ in range(MAX_ROUNDS):
            before = len(found.resources)
            for (kind, identity), (_, resource) in list(found.resources.items()):
                for reference, concerned in needed_references(plan, kind, resource, self._base):
                    key = own_key(reference, self._base)
                    if key is None or not self._take(found, key):
                        reason = f"{kind}/{identity} refers to {reference}, which was not exported"
                        _miss(found, Missing(concerned, reason, f"Patient/{patient}"))
            if len(found.resources) == before:
                return


def _miss(found: Collected, missing: Missing) -> None:
    if missing not in found.missing:
        found.missing.append(missing)


def _at(value: Any, path: list[str]) -> list[Any]:
    """All values at an element path of decoded JSON, lists flattened."""
    if isinstance(value, list):
        return [found for member in value for found in _at(member, path)]
    if not path:
        return [] if value is None else [value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def concerned_types(text: str, exported: tuple[str, ...]) -> list[str]:
    """The exported types that a server's message names; any type, when it names none."""
    words = {word for part in text.split() for word in part.replace("/", " ").replace(".", " ").split()}
    plain = {word.strip("'\"`,;:()[]{}") for word in words}
    return [name for name in exported if name in plain] or [EVERY_TYPE]
