"""The process that prepares what the workers need and forks them (see :mod:`engine.service.workers`).

It has one thread, so that a fork is safe, and speaks with the service over a socket whose number is its only argument.
A message is its length (8 bytes) and a pickle: both ends are the same program on the same machine, and what a request
brings only ever travels as data inside. When the service is gone the socket ends, and so do nursery and workers.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
from typing import Any, Final

from engine.errors import EligibilityError

HEADER: Final = struct.Struct(">Q")
PARSED: Final = pickle.loads
BEHIND: Final = 5
"""How far the workers stand behind the serving process when both want a processor (nice(2))."""
GOOD: Final = b"g"
SPENT: Final = b"s"
"""What follows an answer: whether its worker takes another job."""
LARGE: Final = 384 * 1024 * 1024
"""A worker that ever took so many bytes is replaced after its job: what a large record took would stay taken."""


def frame(value: Any) -> bytes:
    """The message that carries a value."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(data)) + data


def restored(kind: type[EligibilityError], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> EligibilityError:
    """An error as it was raised elsewhere, without calling its constructor again."""
    error: EligibilityError = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(attributes)
    return error


def main(descriptor: int) -> None:
    """Makes the state, then forks and ends workers as it is told, until the service closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    setup, given, memory = _received(control)
    try:
        state = setup(*given)
    except EligibilityError as problem:
        control.sendall(frame(("error", str(problem))))
        return
    gc.freeze()  # the collector of a worker leaves these objects, and so their shared pages, alone
    control.sendall(frame(("ready",)))
    workers: dict[int, int] = {}
    try:
        _serve(control, state, memory, workers)
    finally:
        for process in workers.values():
            _kill(process)


def _serve(control: socket.socket, state: Any, memory: int, workers: dict[int, int]) -> None:
    while True:
        try:
            command, number = _received(control)
        except EOFError:
            return
        if command == "kill":
            process = workers.pop(number, None)
            if process is not None:
                _kill(process)
            continue
        _, (descriptor,), _, _ = socket.recv_fds(control, 1, 1)
        process = os.fork()
        if process == 0:
            control.close()
            _work(socket.socket(fileno=descriptor), state, memory)
        os.close(descriptor)
        workers[number] = process
        control.sendall(frame(("forked", process)))


def _kill(process: int) -> None:
    # A child that was not waited for keeps its id: this cannot meet another process.
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _work(channel: socket.socket, state: Any, memory: int) -> None:
    """The life of a worker: one job after the other, until the socket ends. Does not return."""
    code = 1
    try:
        _die_with_parent()
        os.nice(BEHIND)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        while True:
            job, given = _received(channel)
            answer, spent = _answered(job, state, given)
            channel.sendall(answer)
            channel.sendall(SPENT if spent else GOOD)
            if spent:
                break
        code = 0
    except (EOFError, OSError):
        code = 0
    finally:
        # Whatever happens, a worker never returns into the nursery's loop, and prints nothing of what it holds.
        os._exit(code)


def _die_with_parent() -> None:
    """A nursery that is killed takes its workers along (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)


def _answered(job: Any, state: Any, given: tuple[Any, ...]) -> tuple[bytes, bool]:
    """The message of an answer, and whether the worker is spent."""
    try:
        answer = frame(("value", job(state, *given)))
    except MemoryError:
        return frame(("memory",)), True
    except EligibilityError as problem:
        answer = frame(("error", type(problem), problem.args, vars(problem)))
    except Exception as problem:  # noqa: BLE001 - its text may hold patient data: only its kind and place are told
        answer = frame(("failed", f"{type(problem).__name__} at {place_of(problem)}"))
    return answer, _peak() > LARGE


def _peak() -> int:
    """The most memory that this process ever held, in bytes (getrusage(2): kilobytes, on macOS bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def place_of(problem: BaseException) -> str:
    """Where an exception was raised: module and line, the last of ours where there is one."""
    frames = []
    trace = problem.__traceback__
    while trace is not None:
        frames.append((str(trace.tb_frame.f_globals.get("__name__", "?")), trace.tb_lineno))
        trace = trace.tb_next
    ours = [f for f in frames if f[0].startswith("engine.")]
    module, line = (ours or frames or [("an unknown place", 0)])[-1]
    return f"{module}:{line}"


def _received(channel: socket.socket) -> Any:
    """The next message; EOFError when there is none."""
    size = HEADER.unpack(_read(channel, HEADER.size))[0]
    return PARSED(_read(channel, size))


def _read(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        # A worker waits here between jobs; the service going away ends the wait.
        select.select([channel], [], [])
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


if __name__ == "__main__":
    main(int(sys.argv[1]))
