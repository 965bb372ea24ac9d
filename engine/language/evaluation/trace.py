"""The trace of an evaluation: what each define looked at, as an option that costs nothing when it is off.

The language records facts without knowing what they mean: which resources a retrieve found, which elements were read
from them and whether that was inside a filter, which comparisons were made, which tagged functions answered. The
trials room turns them into evidence. A define shared by several others is evaluated once; its trace hangs below each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.errors import LimitExceeded, Span


@dataclass(frozen=True, slots=True)
class RetrieveTrace:
    """A retrieve: its type, the element filtered by, the codes (a ValueSet, Code, … or None) and what it found."""

    type_name: str
    code_path: str | None
    codes: Any
    found: tuple[Any, ...]
    span: Span | None
    library: str


class Read(NamedTuple):
    """An element read: ``owner`` is the model value it was read from, ``value`` what was there (None: missing).

    ``filtering`` is true inside a where, such-that or sort clause: the element decided whether a row counts, not what
    the row says.
    """

    owner: Any
    path: str
    value: Any
    filtering: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two values, for near misses; ``operator`` is ELM's name."""

    operator: str
    left: Any
    right: Any
    result: bool | None
    filtering: bool
    span: Span | None
    library: str


@dataclass(frozen=True, slots=True)
class Use:
    """Model values whose mere presence was asked for (exists, count, is null)."""

    values: tuple[Any, ...]
    filtering: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A call of a function with comment tags: its arguments and result, for tags such as ``basis`` and ``setaside``.

    ``library`` is the key of the library that declares it; ``operands`` are the positions, among the events of the same
    define, of what its arguments did.
    """

    library: str
    function: str
    tags: tuple[tuple[str, str], ...]
    arguments: tuple[Any, ...]
    result: Any
    filtering: bool
    operands: range


MOST_EVENTS = 500_000
"""Events of the traces of one run. A trial reads a few hundred elements of most records."""

Event = RetrieveTrace | Read | Comparison | Use | Mark


@dataclass(slots=True)
class Trace:
    """What one define did: its own events and, in ``children``, the defines it used."""

    library: str
    define: str
    events: list[Event] = field(default_factory=list)
    children: list[Trace] = field(default_factory=list)
    value: Any = None

    def walk(self) -> Iterator[Trace]:
        """This trace and all below it, each once."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            current = stack.pop()
            if id(current) not in seen:
                seen.add(id(current))
                yield current
                stack.extend(reversed(current.children))


class Tracer:
    """Collects traces during a run."""

    __slots__ = ("filtering", "room", "stack")

    def __init__(self) -> None:
        self.stack: list[Trace] = [Trace("", "")]
        self.filtering = 0
        self.room = MOST_EVENTS

    def add(self, event: Event) -> None:
        """Adds an event to the define being evaluated.

        Raises:
            LimitExceeded: the run has had as many events as can be kept.
        """
        self.room -= 1
        if self.room < 0:
            raise LimitExceeded(f"more than {MOST_EVENTS:,} elements of the record were read, too many to be traced")
        self.stack[-1].events.append(event)
