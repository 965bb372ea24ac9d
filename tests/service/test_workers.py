"""The pool: answers and errors come back as they were; what runs too long, grows too big or is left is ended."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EvaluationError, InputError
from engine.service.workers import Listener, Overloaded, PoolLimits, Stopping, TooCostly, WorkerLost, WorkerPool
from tests.service import pool_jobs


class Heard(Listener):
    """Keeps what the pool tells."""

    def __init__(self) -> None:
        self.killed_for: list[str] = []
        self.now = (0, 0)

    def changed(self, busy: int, waiting: int) -> None:
        self.now = (busy, waiting)

    def killed(self, reason: str) -> None:
        self.killed_for.append(reason)


@asynccontextmanager
async def pool(**limits: Any) -> AsyncIterator[tuple[WorkerPool, Heard]]:
    heard = Heard()
    made = WorkerPool(pool_jobs.setup, ("Ada",), PoolLimits(**({"workers": 1, "queue": 1} | limits)), heard)
    await made.start()
    try:
        yield made, heard
    finally:
        await made.stop(grace=0)


def pipe(folder: Path, name: str) -> str:
    path = folder / name
    os.mkfifo(path)
    return str(path)


async def opened(path: str) -> None:
    """Waits until the job at the other end of the pipe runs."""
    await asyncio.to_thread(lambda: os.close(os.open(path, os.O_RDONLY)))


async def release(path: str) -> None:
    await asyncio.to_thread(lambda: os.close(os.open(path, os.O_WRONLY)))


async def until(condition: Any) -> None:
    """Lets the loop turn until the condition holds (the test's own time limit is the suite's)."""
    while not condition():
        await asyncio.sleep(0)


def gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists()


def test_a_job_runs_with_the_state_of_its_worker() -> None:
    async def go() -> None:
        async with pool(workers=2, queue=100) as (workers, _):
            answers = await asyncio.gather(*(workers.run(pool_jobs.greet, str(n)) for n in range(50)))
            assert answers == [f"Ada greets {n}" for n in range(50)]
            assert await workers.run(pool_jobs.process) != os.getpid()

    asyncio.run(go())


def test_errors_come_back_as_they_were() -> None:
    async def go() -> None:
        async with pool() as (workers, heard):
            with pytest.raises(InputError, match="the request: entry 3: is no resource") as refused:
                await workers.run(pool_jobs.refuses)
            assert (refused.value.source, refused.value.place) == ("the request", "entry 3")
            with pytest.raises(EvaluationError) as failed:
                await workers.run(pool_jobs.fails)
            assert (failed.value.code, failed.value.define) == ("limit", "X")
            assert heard.killed_for == []

    asyncio.run(go())


def test_a_mistake_of_ours_is_told_by_kind_and_place_and_never_by_its_text() -> None:
    async def go() -> None:
        async with pool() as (workers, _):
            with pytest.raises(WorkerLost) as lost:
                await workers.run(pool_jobs.wrong, "Canary-4711")
            assert "ValueError" in str(lost.value)
            assert "pool_jobs" in str(lost.value)
            assert "Canary" not in str(lost.value)

    asyncio.run(go())


def test_a_job_beyond_its_deadline_is_killed_and_its_worker_replaced(tmp_path: Path) -> None:
    async def go() -> None:
        begun = pipe(tmp_path, "begun")
        async with pool() as (workers, heard):
            process = await workers.run(pool_jobs.process)
            running = asyncio.create_task(workers.run(pool_jobs.forever, begun, seconds=0.5))
            await opened(begun)
            with pytest.raises(TooCostly, match=r"longer than 0\.5 seconds"):
                await running
            assert heard.killed_for == ["deadline"]
            assert await workers.run(pool_jobs.process) != process
            await until(lambda: gone(process))

    asyncio.run(go())


def test_a_job_of_a_caller_who_left_is_killed(tmp_path: Path) -> None:
    async def go() -> None:
        begun = pipe(tmp_path, "begun")
        async with pool() as (workers, heard):
            process = await workers.run(pool_jobs.process)
            running = asyncio.create_task(workers.run(pool_jobs.forever, begun))
            await opened(begun)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert heard.killed_for == ["abandoned"]
            await until(lambda: gone(process))
            assert await workers.run(pool_jobs.greet, "Grace") == "Ada greets Grace"

    asyncio.run(go())


def test_memory_is_bounded() -> None:
    async def go() -> None:
        async with pool(memory=1024**3) as (workers, heard):
            assert await workers.run(pool_jobs.memory_limit) == 1024**3
            with pytest.raises(TooCostly, match="more memory"):
                await workers.run(pool_jobs.greedy)
            assert heard.killed_for == ["memory"]
            assert await workers.run(pool_jobs.greet, "Grace") == "Ada greets Grace"

    asyncio.run(go())


def test_a_worker_that_grew_large_is_replaced_after_its_job() -> None:
    async def go() -> None:
        async with pool() as (workers, heard):
            process = await workers.run(pool_jobs.process)
            assert await workers.run(pool_jobs.process) == process
            assert await workers.run(pool_jobs.large) == 512 * 1024**2
            assert heard.killed_for == ["large"]
            assert await workers.run(pool_jobs.process) != process
            await until(lambda: gone(process))

    asyncio.run(go())


def test_a_worker_that_dies_is_replaced() -> None:
    async def go() -> None:
        async with pool() as (workers, heard):
            with pytest.raises(WorkerLost, match="without an answer"):
                await workers.run(pool_jobs.dies)
            assert heard.killed_for == ["died"]
            assert await workers.run(pool_jobs.greet, "Grace") == "Ada greets Grace"

    asyncio.run(go())


def test_a_nursery_that_dies_takes_its_workers_along_and_is_replaced() -> None:
    async def go() -> None:
        async with pool() as (workers, _):
            worker = await workers.run(pool_jobs.process)
            nursery = workers.processes[0]
            os.kill(nursery, 9)
            await until(lambda: gone(worker))
            with pytest.raises(WorkerLost):
                await workers.run(pool_jobs.process)
            assert await workers.run(pool_jobs.greet, "Grace") == "Ada greets Grace"
            assert workers.processes[0] != nursery

    asyncio.run(go())


def test_the_queue_is_bounded_and_kept_in_order(tmp_path: Path) -> None:
    async def go() -> None:
        begun, free = pipe(tmp_path, "begun"), pipe(tmp_path, "free")
        async with pool(queue=2) as (workers, heard):
            running = asyncio.create_task(workers.run(pool_jobs.held, begun, free))
            await opened(begun)
            order: list[str] = []

            async def ask(name: str) -> None:
                await workers.run(pool_jobs.greet, name)
                order.append(name)

            waiting = [asyncio.create_task(ask(name)) for name in ("first", "second")]
            await until(lambda: heard.now == (1, 2))
            with pytest.raises(Overloaded) as refused:
                await workers.run(pool_jobs.greet, "third")
            assert refused.value.status == 429
            assert refused.value.retry_after
            await release(free)
            assert await running == "finished"
            await asyncio.gather(*waiting)
            assert order == ["first", "second"]
            assert heard.now == (0, 0)

    asyncio.run(go())


def test_a_waiting_caller_who_leaves_gives_up_the_place(tmp_path: Path) -> None:
    async def go() -> None:
        begun, free, mark = pipe(tmp_path, "begun"), pipe(tmp_path, "free"), tmp_path / "mark"
        async with pool() as (workers, heard):
            running = asyncio.create_task(workers.run(pool_jobs.held, begun, free))
            await opened(begun)
            leaving = asyncio.create_task(workers.run(pool_jobs.touches, str(mark)))
            await until(lambda: heard.now == (1, 1))
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            assert heard.now == (1, 0)
            await release(free)
            assert await running == "finished"
            assert await workers.run(pool_jobs.greet, "Grace") == "Ada greets Grace"
            assert not mark.exists()

    asyncio.run(go())


def test_stopping_finishes_what_was_accepted_and_refuses_what_comes(tmp_path: Path) -> None:
    async def go() -> None:
        begun, free = pipe(tmp_path, "begun"), pipe(tmp_path, "free")
        async with pool() as (workers, heard):
            running = asyncio.create_task(workers.run(pool_jobs.held, begun, free))
            await opened(begun)
            waiting = asyncio.create_task(workers.run(pool_jobs.greet, "Grace"))
            await until(lambda: heard.now == (1, 1))
            stopping = asyncio.create_task(workers.stop(grace=60))
            await until(lambda: not workers.ready)
            with pytest.raises(Stopping) as refused:
                await workers.run(pool_jobs.greet, "late")
            assert refused.value.status == 503
            await release(free)
            assert await running == "finished"
            assert await waiting == "Ada greets Grace"
            await stopping
            await until(lambda: all(gone(process) for process in workers.processes[1:]))

    asyncio.run(go())


def test_a_state_that_cannot_be_made_is_told_at_the_start() -> None:
    async def go() -> None:
        made = WorkerPool(pool_jobs.broken_setup, ("cql",), PoolLimits(workers=1))
        with pytest.raises(WorkerLost, match="cql: line 3: is no folder of trials"):
            await made.start()

    asyncio.run(go())
