"""What runs is recorded: screenings with their inputs and results, and everything in the audit, before it is answered.

An answer that cannot be recorded is not given. ``RecordingRunner``, ``StoredResults`` and ``StoredFeedback`` take the
places that :func:`engine.service.app.create_app` leaves for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.language.values import DateTime
from engine.language.values.json import encode
from engine.service.access import CALLING, NOTED
from engine.service.audit import entry_of
from engine.service.catalogue import Catalogue
from engine.service.jobs import ExpressionJob, Job, LibraryJob, Result, ScreenJob
from engine.service.keeping import Feedback
from engine.service.operations import Records
from engine.service.performing import perform
from engine.service.principal import Principal
from engine.service.refusals import Refusal, refused
from engine.service.running import Runner
from engine.service.settings import Settings
from engine.service.storage import Run, Storage, digest_of, new_id
from engine.service.tokens import allows
from engine.service.workers import ServiceError, WorkerPool
from engine.trials import TrialResult, to_json


def prepared(settings: Settings) -> Catalogue:
    """What the workers need, warm: a patient of whom nothing is known was screened with it."""
    catalogue = Catalogue(settings)
    nobody = {"resourceType": "Patient", "id": "nobody"}
    perform(catalogue, ScreenJob(now=DateTime(2000, 1, 1, 0, 0, 0, 0, 0), data=nobody))
    return catalogue


class ProcessRunner:
    """Does jobs in the workers of a pool."""

    def __init__(self, pool: WorkerPool, grace: float) -> None:
        self.pool, self.grace = pool, grace

    async def run(self, job: Job) -> Result | Refusal:
        """What the job gives, or its refusal; ServiceError when the pool cannot do it."""
        return await self.pool.run(perform, job)

    async def close(self) -> None:
        """Lets what was accepted finish, then ends the workers."""
        await self.pool.stop(self.grace)


class RecordingRunner:
    """Records what another runner does. ``told`` hears of the results of each screening."""

    def __init__(
        self, inner: Runner, storage: Storage, settings: Settings, told: Callable[[Sequence[TrialResult]], None]
    ) -> None:
        self.inner, self.storage, self.settings, self.told = inner, storage, settings, told

    async def run(self, job: Job) -> Result | Refusal:
        """What the job gives, recorded.

        Raises:
            StorageError: it could not be recorded, and is not answered therefore.
        """
        caller, noted = CALLING.get(), NOTED.get()
        try:
            answer = await self.inner.run(job)
        except ServiceError as problem:
            await asyncio.to_thread(self._refused, caller, job, problem.code)
            raise
        if isinstance(answer, Refusal):
            await asyncio.to_thread(self._refused, caller, job, answer.issues[0].code if answer.issues else "invalid")
        elif isinstance(job, ScreenJob):
            identity = await asyncio.to_thread(self._screened, caller, job, answer)
            if noted is not None:
                noted["run"] = identity
            self.told(answer)
        else:
            entry = entry_of(caller, "evaluate", moment(), patient=_subject(job))
            await asyncio.to_thread(self.storage.add_entry, entry)
        return answer

    async def close(self) -> None:
        """Ends the runner, then the storage."""
        await self.inner.close()
        await asyncio.to_thread(self.storage.close)

    def _refused(self, caller: Principal, job: Job, outcome: str) -> None:
        action = "screen" if isinstance(job, ScreenJob) else "evaluate"
        self.storage.add_entry(entry_of(caller, action, moment(), patient=_subject(job), outcome=outcome))

    def _screened(self, caller: Principal, job: ScreenJob, results: Sequence[TrialResult]) -> str:
        now, patient = moment(), results[0].patient if results else _subject(job)
        inputs, result = inputs_of(job, self.settings, results), to_json(list(results))
        run = Run(new_id(), now, caller.name, patient, inputs, result)
        content = digest_of(inputs, result)
        entry = entry_of(caller, "screen", now, patient=patient, results=results, run=run.id, content=content)
        self.storage.add_run(run, entry)
        return run.id


def _subject(job: ExpressionJob | LibraryJob | ScreenJob) -> str:
    """The patient a job is about, as far as can be said without doing it."""
    if job.subject:
        return job.subject if "/" in job.subject else f"Patient/{job.subject}"
    return ""


def moment() -> str:
    """The present moment as a FHIR instant."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- runs


def inputs_of(job: ScreenJob, settings: Settings, results: Sequence[TrialResult]) -> bytes:
    """Everything a screening took, as JSON: what :func:`job_of` reads."""
    return encode(
        {
            "now": str(job.now),
            "trials": [result.trial for result in results],
            "subject": job.subject,
            "parameters": dict(job.parameters),
            "unavailable": dict(job.unavailable),
            "source": job.source,
            "site": {"offsetMinutes": settings.offset_minutes, "parameters": dict(settings.parameters)},
            "data": job.data,
        }
    )


def job_of(inputs: bytes, source: str) -> tuple[ScreenJob, Mapping[str, Any]]:
    """The job of stored inputs, and what the site gave (``offsetMinutes``, ``parameters``).

    Raises:
        InputError: they are no inputs of a run.
    """
    stored = decode_json(inputs, source=source)
    try:
        job = ScreenJob(
            now=DateTime.parse(stored["now"]), data=stored["data"], trials=tuple(stored["trials"]),
            subject=stored["subject"], parameters=stored["parameters"], unavailable=stored["unavailable"],
            source=stored["source"],
        )  # fmt: skip
        return job, stored["site"]
    except (KeyError, TypeError, ValueError):
        raise InputError(source, "", "the stored inputs are not those of a run") from None


class StoredResults:
    """The results of stored runs, for whoever made the run or may read everything."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def keep(self, caller: Principal, results: Sequence[TrialResult]) -> str:
        """The id of the run, which was stored as it ran."""
        noted = NOTED.get() or {}
        return str(noted["run"])

    async def get(self, caller: Principal, name: str) -> Any:
        """The results as decoded JSON; None when there are none for this caller. Who reads them is recorded."""
        return await asyncio.to_thread(self._get, caller, name)

    def _get(self, caller: Principal, name: str) -> Any:
        run = self.storage.run(name)
        if run is None or not (run.owner == caller.name or allows(caller.scopes, "*", "rs")):
            return None
        self.storage.add_entry(entry_of(caller, "read-result", moment(), patient=run.patient, run=run.id))
        return decode_json(run.result, source=f"run {name}")


class StoredFeedback:
    """Feedback on cards, kept in the database."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def add(self, caller: Principal, feedback: Sequence[Feedback]) -> None:
        """Keeps feedback."""
        now = moment()
        rows = [
            {"recorded": now, "sender": caller.name, "service": f.service, "card": f.card[:256],
             "outcome": f.outcome, "detail": encode(f.detail)} for f in feedback
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
