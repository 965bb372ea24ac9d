"""Evaluation in processes that can be killed: a fixed number of workers, a bounded queue, a deadline, a memory limit.

A job is a module-level function; it is called in a worker with the state that ``setup`` made there and its arguments.
The state is made once, in a process that does nothing else (the nursery): workers are its forks, so that a worker that
was killed is replaced at once and warm, and the pages of the loaded libraries are shared. What went wrong comes back as
the exception it was; a worker that ran too long, wanted too much memory or died is gone, and the job says which. One
that a job made large is replaced after it: what a large record took is given back.

A waiting caller who is cancelled leaves the queue; the worker of a running one is killed: nobody reads its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import EligibilityError
from engine.service.nursery import HEADER, PARSED, SPENT, frame, restored

Reason = Literal["deadline", "memory", "died", "abandoned", "large"]
Job = Callable[..., Any]


class ServiceError(EligibilityError):
    """An answer the service cannot give for reasons of its own; ``status`` and ``code`` say how it is told.

    ``code`` is of http://hl7.org/fhir/issue-type; ``retry_after`` are seconds, where trying again makes sense.
    """

    status = 500
    code = "exception"
    retry_after: int | None = None


class Overloaded(ServiceError):
    """Every worker is busy and the queue is full."""

    status, code, retry_after = 429, "throttled", 2


class Stopping(ServiceError):
    """The service stops: what runs is finished, nothing is begun."""

    status, code, retry_after = 503, "transient", 5


class TooCostly(ServiceError):
    """The job was ended: it ran beyond its deadline or wanted more memory than it may have."""

    status, code = 422, "too-costly"


class WorkerLost(ServiceError):
    """The worker ended without an answer."""

    status, code, retry_after = 500, "exception", None


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """``workers`` run at once, ``queue`` callers may wait; ``seconds`` and ``memory`` (address space) bound a job."""

    workers: int = 2
    queue: int = 64
    seconds: float = 30.0
    memory: int = 2 * 1024**3


class Listener:
    """Told what happens in a pool; the metrics are one. Every method may be left as it is."""

    def changed(self, busy: int, waiting: int) -> None:
        """So many workers are busy, so many callers wait."""

    def killed(self, reason: Reason) -> None:
        """A worker was ended or lost."""


class _Worker:
    """One forked process and the socket to it."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer


class WorkerPool:
    """Runs jobs in workers. Made by :meth:`start`; belongs to the event loop that started it.

    Args:
        setup: module-level function that makes the state of the workers from ``given``; both are pickled.
        limits: how many, how long, how much.
    """

    def __init__(
        self, setup: Job, given: tuple[Any, ...], limits: PoolLimits, listener: Listener | None = None
    ) -> None:
        self.setup, self.given, self.limits = setup, given, limits
        self.listener = listener or Listener()
        self.ready = False
        self._nursery: _Nursery | None = None
        self._idle: deque[_Worker] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._busy = 0
        self._stopping = False
        self._done = asyncio.Event()
        self._spawning = asyncio.Lock()

    # ------------------------------------------------------------ beginning and end

    async def start(self) -> None:
        """Starts the nursery and the workers; returns when the first job can run.

        Raises:
            WorkerLost: the state cannot be made; says why.
        """
        self._nursery = await asyncio.to_thread(_Nursery, self.setup, self.given, self.limits.memory)
        for _ in range(self.limits.workers):
            self._idle.append(await self._spawn())
        self.ready = True

    async def stop(self, grace: float = 30.0) -> None:
        """Refuses new jobs, lets running and waiting ones finish for ``grace`` seconds, ends the processes."""
        self._stopping, self.ready = True, False
        if self._busy or self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), grace)
        for waiter in self._waiting:
            waiter.cancel()
        while self._idle:
            self._idle.popleft().writer.close()
        if self._nursery is not None:
            await asyncio.to_thread(self._nursery.close)

    # ------------------------------------------------------------ running

    async def run(self, job: Job, *given: Any, seconds: float | None = None) -> Any:
        """What the job returns; what it raises, of ours, is raised here.

        Raises:
            Overloaded: the queue is full.
            Stopping: the service stops.
            TooCostly: the deadline (``seconds``, at most the pool's) or the memory limit was reached.
            WorkerLost: the worker died, or the job failed by a mistake of ours.
        """
        await self._admitted()
        try:
            worker = self._idle.popleft() if self._idle else await self._spawn()
            return await self._through(worker, frame((job, given)), min(seconds or 1e9, self.limits.seconds))
        finally:
            self._leave()

    async def _admitted(self) -> None:
        """Takes one of the places for running jobs, waiting for it in turn."""
        if self._stopping:
            raise Stopping("the service is being stopped; send the request again in a moment")
        if self._busy < self.limits.workers and not self._waiting:
            self._busy += 1
            self._tell()
            return
        if len(self._waiting) >= self.limits.queue:
            raise Overloaded("too many requests are waiting; send this one again later")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._tell()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was handed over as the caller left
            else:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
                self._tell()
            if self._stopping and turn.cancelled() and not _cancelling():
                raise Stopping("the service was stopped before the request was begun; send it again") from None
            raise

    def _leave(self) -> None:
        """Gives the place to whoever waits longest, else frees it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        else:
            self._busy -= 1
            if self._busy == 0 and self._stopping:
                self._done.set()
        self._tell()

    def _tell(self) -> None:
        self.listener.changed(self._busy, len(self._waiting))

    async def _through(self, worker: _Worker, message: bytes, seconds: float) -> Any:
        """Sends the job and reads the answer; a worker that did not answer as it should is not used again."""
        try:
            async with asyncio.timeout(seconds):
                worker.writer.write(message)
                await worker.writer.drain()
                size = HEADER.unpack(await worker.reader.readexactly(HEADER.size))[0]
                answer = PARSED(await worker.reader.readexactly(size))
                spent = await worker.reader.readexactly(len(SPENT)) == SPENT
        except TimeoutError:
            self._end(worker, "deadline")
            raise TooCostly(f"the evaluation took longer than {seconds:g} seconds and was ended") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self._end(worker, "died")
            raise WorkerLost("the evaluation ended without an answer") from None
        except BaseException:  # the caller has left
            self._end(worker, "abandoned")
            raise
        kind, *rest = answer
        if kind == "memory":
            self._end(worker, "memory")
            raise TooCostly("the evaluation needed more memory than it may have and was ended")
        if spent:
            self._end(worker, "large")
        else:
            self._idle.append(worker)
        if kind == "value":
            return rest[0]
        if kind == "error":
            raise restored(rest[0], rest[1], rest[2])
        raise WorkerLost(f"the evaluation failed by a mistake of the service ({rest[0]})")

    def _end(self, worker: _Worker, reason: Reason) -> None:
        worker.writer.close()
        self.listener.killed(reason)
        if self._nursery is not None:
            self._nursery.kill(worker.number)

    async def _spawn(self) -> _Worker:
        """A new worker, from the nursery; from a new nursery when that one is gone."""
        async with self._spawning:
            assert self._nursery is not None, "start the pool first"
            for attempt in range(2):
                try:
                    number, ours = await asyncio.to_thread(self._nursery.fork)
                    break
                except OSError:
                    if attempt or self._stopping:
                        raise WorkerLost("no worker can be started") from None
                    await asyncio.to_thread(self._nursery.close)
                    self._nursery = await asyncio.to_thread(_Nursery, self.setup, self.given, self.limits.memory)
            reader, writer = await asyncio.open_connection(sock=ours)
            return _Worker(number, reader, writer)

    @property
    def processes(self) -> tuple[int, ...]:
        """The process ids of the nursery and of its living workers."""
        return self._nursery.processes() if self._nursery is not None else ()


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Nursery:
    """Our end of the process that forks the workers. Its methods block; a lock lets one thread at a time fork."""

    def __init__(self, setup: Job, given: tuple[Any, ...], memory: int) -> None:
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._pids: dict[int, int] = {}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            command = [sys.executable, "-m", "engine.service.nursery", str(theirs.fileno())]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
            # Interrupts from the terminal are the service's to handle: its workers finish what they are at.
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=environment, start_new_session=True,
            )  # fmt: skip
        try:
            self._control.sendall(frame((setup, given, memory)))
            kind, *rest = self._answer()
        except OSError:
            kind, rest = "error", ["the process that prepares the workers ended"]
        if kind != "ready":
            self.close()
            raise WorkerLost(f"the service cannot be prepared: {rest[0]}")

    def fork(self) -> tuple[int, socket.socket]:
        """A new worker: its number and our end of its socket; OSError when the nursery is gone."""
        with self._lock:
            number = next(self._numbers)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                with theirs, self._sending:
                    self._control.sendall(frame(("fork", number)))
                    socket.send_fds(self._control, [b"F"], [theirs.fileno()])
                self._pids[number] = self._answer()[1]
            except OSError:
                ours.close()
                raise
            ours.setblocking(False)
            return number, ours

    def kill(self, number: int) -> None:
        """Ends a worker for good; it is the nursery's child, so that its process id cannot be another's meanwhile."""
        self._pids.pop(number, None)
        # Only a short message into an empty socket: it does not block. A nursery that is gone took its workers along.
        with contextlib.suppress(OSError), self._sending:
            self._control.sendall(frame(("kill", number)))

    def processes(self) -> tuple[int, ...]:
        return (self._process.pid, *self._pids.values())

    def close(self) -> None:
        """Ends the nursery, which ends its workers."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _answer(self) -> tuple[Any, ...]:
        size = HEADER.unpack(self._read(HEADER.size))[0]
        answer: tuple[Any, ...] = PARSED(self._read(size))
        return answer

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._control.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data
