"""Trials as data: what the tags of a CQL library say, beside the program that decides it (DESIGN 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.language import Program

Kind = Literal["inclusion", "exclusion"]


@dataclass(frozen=True, slots=True)
class Atom:
    """A named part a criterion is combined from: ``id`` and ``text`` of the protocol, ``define`` in the CQL."""

    id: str
    text: str
    define: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """A sentence of the protocol and the Boolean define that decides it, as written: true means it applies.

    ``define`` is None for one that is listed but not yet encoded. ``atoms`` stand in the order of their ids.
    """

    id: str
    kind: Kind
    text: str
    define: str | None
    atoms: tuple[Atom, ...] = ()

    @property
    def encoded(self) -> bool:
        """False for a criterion that only stands in the list."""
        return self.define is not None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial: its criteria in the order written and the program that answers them.

    ``incomplete`` are the sentences that say what the list of criteria lacks; they appear in every output.
    ``hash`` is the SHA-256 of its library and of all that it includes; ``source`` the file it was read from.
    """

    id: str
    registry: str
    title: str
    criteria: tuple[Criterion, ...]
    incomplete: tuple[str, ...]
    source: str
    hash: str
    program: Program = field(repr=False, compare=False)

    @property
    def declared(self) -> frozenset[str]:
        """The names of the CQL parameters that its library and the included ones declare."""
        return frozenset(name for unit in self.program.units.values() for name in unit.parameters)
