"""Where evaluations run: routes hand a job over and await what it gives.

``app.state.runner`` is any :class:`Runner`; the one here uses a single thread of this process, so that one evaluation
at a time is under way and the event loop stays free.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from fastapi import Request

from engine.service.catalogue import Catalogue
from engine.service.jobs import Job, Result
from engine.service.performing import perform
from engine.service.refusals import Refusal, Refused


class Runner(Protocol):
    """Does jobs."""

    async def run(self, job: Job) -> Result | Refusal:
        """What :func:`~engine.service.performing.perform` gives for the job."""

    async def close(self) -> None:
        """Ends what the runner has started."""


class ThreadRunner:
    """Does one job after the other in a thread of this process."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evaluation")

    async def run(self, job: Job) -> Result | Refusal:
        """What the job gives, or its refusal."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, perform, self.catalogue, job)

    async def close(self) -> None:
        """Waits for the job under way; those still waiting are dropped."""
        self.pool.shutdown(wait=False, cancel_futures=True)


async def done(request: Request, job: Job) -> Result:
    """What a job gives; Refused when it cannot be done."""
    runner: Runner = request.app.state.runner
    answer = await runner.run(job)
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return answer
