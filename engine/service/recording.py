"""What runs is recorded: screenings with their inputs and results, and everything in the audit, before it is answered.

An answer that cannot be recorded is not given. ``RecordingRunner``, ``StoredResults`` and ``StoredFeedback`` take the
places that :func:`engine.service.app.create_app` leaves for them.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from engine.service.access import CALLING, LINK, NOTED, link_digest
from engine.service.answering import answer, reference
from engine.service.audit import entry_of
from engine.service.calls import AUDITED, Call, Recorded, Reply, Wanted
from engine.service.inputs import as_sent
from engine.service.keeping import Feedback
from engine.service.principal import Principal
from engine.service.refusals import refused
from engine.service.running import Records, Runner
from engine.service.storage import FORGET, Run, Storage, digest_of
from engine.service.tokens import allows
from engine.service.workers import ServiceError, WorkerPool


class ProcessRunner:
    """Does calls in the workers of a pool."""

    def __init__(self, pool: WorkerPool, grace: float) -> None:
        self.pool, self.grace = pool, grace

    async def run(self, call: Call) -> Reply | Wanted:
        """What the call gives; ServiceError when the pool cannot do it."""
        return cast("Reply | Wanted", await self.pool.run(answer, call))

    async def close(self) -> None:
        """Lets what was accepted finish, then ends the workers."""
        await self.pool.stop(self.grace)


class RecordingRunner:
    """Records what another runner does. ``told`` hears of the verdicts of each screening, as (trial, verdict)."""

    def __init__(self, inner: Runner, storage: Storage, told: Callable[[Sequence[tuple[str, str]]], None]) -> None:
        self.inner, self.storage, self.told = inner, storage, told

    async def run(self, call: Call) -> Reply | Wanted:
        """What the call gives, recorded.

        Raises:
            StorageError: it could not be recorded, and is not answered therefore.
        """
        caller, noted, action = CALLING.get(), NOTED.get(), AUDITED.get(call.operation)
        try:
            reply = await self.inner.run(call)
        except ServiceError as problem:
            if action is not None:
                patient = reference(dict(call.query).get("patient"))
                entry = entry_of(caller, action, moment(), patient=patient, outcome=problem.code)
                await asyncio.to_thread(self.storage.add_entry, entry)
            raise
        if isinstance(reply, Wanted) or reply.recorded is None or action is None:
            return reply
        await asyncio.to_thread(self._keep, caller, action, call.run, reply.recorded)
        if reply.recorded.result and noted is not None:
            noted["run"] = call.run
        self.told(reply.recorded.verdicts)
        return reply

    async def close(self) -> None:
        """Ends the runner, then the storage."""
        await self.inner.close()
        await asyncio.to_thread(self.storage.close)

    def _keep(self, caller: Principal, action: str, identity: str, recorded: Recorded) -> None:
        now, patient = moment(), recorded.patient
        entry = entry_of(caller, action, now, patient=patient, outcome=recorded.outcome)
        entry = replace(entry, trials=recorded.trials, versions=recorded.versions)
        if not recorded.result:
            self.storage.add_entry(entry)
            return
        content = digest_of(recorded.inputs, recorded.result)
        run = Run(identity, now, caller.name, patient, recorded.inputs, recorded.result)
        self.storage.add_run(run, replace(entry, run=identity, content=content))


def moment(days_ago: int = 0) -> str:
    """The present moment, or one so many days ago, as a FHIR instant."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def forget_old(storage: Storage, days: int) -> int:
    """Deletes what was recorded more than so many days ago, as the site's retention asks; how many rows."""
    before = moment(days)
    entry = entry_of(Principal("retention"), FORGET, moment())
    return storage.forget_runs(before, replace(entry, versions={"before": before}))


class StoredResults:
    """The results of stored runs, for whoever made the run, may read everything, or came by the link of a card.

    ``link_seconds`` is how long such a link is good; None where nobody needs one, since all callers are taken.
    """

    def __init__(self, storage: Storage, link_seconds: int | None) -> None:
        self.storage, self.link_seconds = storage, link_seconds

    async def keep(self, caller: Principal, name: str, result: bytes) -> None:
        """Nothing: the run was stored as it ran."""

    async def link(self, name: str) -> str:
        """A new secret that opens this result and nothing else for a while, to whoever has it; kept as a digest."""
        if self.link_seconds is None:
            return ""
        secret = secrets.token_urlsafe(32)
        expires = int(time.time()) + self.link_seconds
        await asyncio.to_thread(self.storage.add_link, link_digest(secret), name, expires)
        return f"?{LINK}={secret}"

    async def get(self, caller: Principal, name: str) -> bytes | None:
        """The bytes of the result; None when there is none for this caller. Who reads it is recorded."""
        return await asyncio.to_thread(self._get, caller, name)

    def _get(self, caller: Principal, name: str) -> bytes | None:
        run = self.storage.run(name)
        if run is None or not (caller.run == run.id or _may_read(caller, run)):
            return None
        self.storage.add_entry(entry_of(caller, "read-result", moment(), patient=run.patient, run=run.id))
        return run.result


def _may_read(caller: Principal, run: Run) -> bool:
    return caller.run is None and (run.owner == caller.name or allows(caller.scopes, "*", "rs"))


class StoredFeedback:
    """Feedback on cards, kept in the database."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def add(self, caller: Principal, feedback: Sequence[Feedback]) -> None:
        """Keeps feedback."""
        now = moment()
        rows = [
            {"recorded": now, "sender": caller.name, "service": f.service, "card": f.card,
             "outcome": f.outcome, "detail": as_sent(f.detail)} for f in feedback
        ]  # fmt: skip
        await asyncio.to_thread(self.storage.add_feedback, rows, entry_of(caller, "feedback", now))


class GuardedRecords:
    """Records of a configured FHIR server, for callers who may read patients: such a run discloses what is there."""

    def __init__(self, inner: Records) -> None:
        self.inner = inner

    async def record(self, subject: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The record of a subject; Refused (403) for a caller without ``system/Patient.rs``."""
        caller = CALLING.get()
        if not caller.name.startswith("cds:") and not allows(caller.scopes, "Patient", "rs"):
            raise refused(403, "forbidden", "the record of a subject needs the scope system/Patient.rs")
        return await self.inner.record(subject)
