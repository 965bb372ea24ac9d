"""Room for nesting: Python's recursion limit is raised while the language works, however many threads do.

Nesting is bounded before (brackets, height of a tree, calls of functions); what is left would still pass Python's
default of 1,000 frames. The closures and the analysis nest through Python functions alone, which take no C stack.
The limit belongs to the whole process: it is raised by the first who needs it and put back by the last.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType

PYTHON_FRAMES = 60_000


class _Room:
    """A context manager shared by all threads; the limit is put back when none is left inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, PYTHON_FRAMES))
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                sys.setrecursionlimit(self._before)


ROOM = _Room()
