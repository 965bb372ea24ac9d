"""Settings of the Python interpreter while the language works, shared by all threads: the first who needs one makes it,
the last who leaves puts it back.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from types import TracebackType

PYTHON_FRAMES = 60_000
"""Frames Python may nest. Nesting is bounded before (brackets, height of a tree, calls of functions), but beyond
Python's default of 1,000 frames. Closures and analysis nest through Python functions alone, which take no C stack."""


class _Shared:
    """A context manager around a setting of the process."""

    def __init__(self, begin: Callable[[], Callable[[], None]]) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._inside = 0
        self._end: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._end = self._begin()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._end()


def _nest() -> Callable[[], None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, PYTHON_FRAMES))
    return lambda: sys.setrecursionlimit(before)


def _rest() -> Callable[[], None]:
    if not gc.isenabled():
        return lambda: None
    gc.disable()
    return gc.enable


DEEP_NESTING = _Shared(_nest)
"""Python's recursion limit is raised."""
COLLECTOR_RESTS = _Shared(_rest)
"""Without the cyclic garbage collector, which would visit the many nodes of a text, elements of a record or values of a
define again and again and free none: they refer to each other in no circle."""
