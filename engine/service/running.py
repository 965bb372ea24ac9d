"""Where calls are worked on: routes hand one over and send what it gives.

``app.state.runner`` is any :class:`Runner`; the one here uses a single thread of this process, so that one evaluation
at a time is under way and the event loop stays free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from fastapi import Request

from engine.service.answering import answer
from engine.service.calls import Call, Fetched, Reply, Wanted
from engine.service.catalogue import Catalogue


class Records(Protocol):
    """A configured FHIR server: ``app.state.records``, None where there is none."""

    async def record(self, subject: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The Bundle of a patient, and the resource types that could not be had with the reason."""


class Runner(Protocol):
    """Does calls."""

    async def run(self, call: Call) -> Reply | Wanted:
        """What :func:`~engine.service.answering.answer` gives for the call."""

    async def close(self) -> None:
        """Ends what the runner has started."""


class ThreadRunner:
    """Does one call after the other in a thread of this process."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evaluation")

    async def run(self, call: Call) -> Reply | Wanted:
        """What the call gives."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, answer, self.catalogue, call)

    async def close(self) -> None:
        """Waits for the call under way; those still waiting are dropped."""
        self.pool.shutdown(wait=False, cancel_futures=True)


async def done(request: Request, call: Call) -> Reply:
    """What a call gives; a record that it wants is fetched on the way."""
    runner: Runner = request.app.state.runner
    reply = await runner.run(call)
    if isinstance(reply, Wanted):
        records: Records = request.app.state.records
        reply = await runner.run(replace(call, fetched=Fetched(*await records.record(reply.subject))))
        assert isinstance(reply, Reply), "what was fetched is there"
    return reply
