"""Names in reach while an expression is analysed: aliases, lets, operands, ``$this`` and the element being sorted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.language.elm import nodes as elm
from engine.language.types.datatype import DataType

THIS = "$this"
"""The alias of the rows that a method of FHIRPath goes over."""


@dataclass(slots=True)
class Frame:
    """One level of names. ``names`` maps a local name to the reference it stands for.

    ``iteration`` types ``$this``, ``$index`` and ``$total`` within; ``element`` is set inside ``sort by``, where bare
    identifiers mean elements of the row.
    """

    names: dict[str, elm.Expression] = field(default_factory=dict)
    iteration: Mapping[str, DataType] = field(default_factory=dict)
    element: DataType | None = None


class Scopes:
    """The stack of frames; the innermost wins."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []

    @contextmanager
    def inside(self, frame: Frame) -> Iterator[Frame]:
        """Makes ``frame`` the innermost for the duration."""
        self._frames.append(frame)
        try:
            yield frame
        finally:
            self._frames.pop()

    def local(self, name: str) -> elm.Expression | None:
        """What the local ``name`` refers to, or None."""
        for frame in reversed(self._frames):
            if name in frame.names:
                return frame.names[name]
        return None

    def row(self, name: str) -> elm.Expression | None:
        """The element a criterion of FHIRPath is about, unless ``name`` is a name of a query within the criterion."""
        for frame in reversed(self._frames):
            if name in frame.names:
                return None
            if "this" in frame.iteration:
                return frame.names.get(THIS)
        return None

    def accessor(self, name: str) -> elm.Expression | None:
        """What ``$name`` refers to, or None where it has no meaning."""
        for frame in reversed(self._frames):
            if f"${name}" in frame.names:
                return frame.names[f"${name}"]
            if name in frame.iteration:
                return elm.Iteration(name=name, result_type=frame.iteration[name])
        return None

    def element(self) -> DataType | None:
        """The type of the row being sorted, when innermost is a sort clause."""
        return self._frames[-1].element if self._frames else None

    def names(self) -> list[str]:
        """All local names, for suggestions."""
        return [n for frame in self._frames for n in frame.names]
