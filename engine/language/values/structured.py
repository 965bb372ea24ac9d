"""Tuple: a value with named elements (Appendix B, "Types")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Tuple:
    """A CQL Tuple; ``elements`` maps names to values in the order they were written and is never changed."""

    __slots__ = ("elements",)

    def __init__(self, elements: Mapping[str, Any]) -> None:
        self.elements: dict[str, Any] = dict(elements)

    def get(self, name: str) -> Any:
        """The value of element ``name``; None when the tuple has no such element."""
        return self.elements.get(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tuple) and self.elements == other.elements

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.elements)))

    def __repr__(self) -> str:
        return f"Tuple({self.elements!r})"
