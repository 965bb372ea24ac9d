"""FHIR data at run time: an Element wraps the decoded JSON of one element and knows its type and its place.

Elements are not changed after they were made. Equality compares the source JSON (DESIGN 4.5), never a projection;
numbers compare exactly, 1.0 equals 1.00.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Data that could not be read: what depends on it is unknown, for this reason.

    ``resource`` is the reference of the resource, ``path`` the place in it (``valueQuantity.value``, ``name[1]``).
    """

    resource: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.path}: {self.message}" if self.path else f"{self.resource}: {self.message}"


class Origin:
    """Where a resource comes from: its reference, its address in the bundle, and where its problems are recorded.

    ``withheld`` says why nothing may be decided from it (:mod:`engine.fhir.modifiers`); None for almost all.
    """

    __slots__ = ("full_url", "problems", "reference", "withheld")

    def __init__(
        self, reference: str, full_url: str | None, problems: dict[Problem, None], withheld: str | None = None
    ) -> None:
        self.reference = reference
        self.full_url = full_url
        self.problems = problems
        self.withheld = withheld


class Element:
    """A FHIR element or resource.

    ``type`` is the model's class name (``Observation``, ``Quantity``, ``dateTime``, ``Observation.Component``);
    ``json`` the decoded value, a dict for complex types, a bare scalar or None for primitives; ``extra`` the ``_name``
    sibling of a primitive (id, extension) or None; ``parent`` the element it was read from; ``step`` the JSON name
    under which it stands there, ``index`` its position if that is a list, else -1. ``origin`` is set on resources of a
    record.
    """

    __slots__ = ("_hash", "extra", "index", "json", "origin", "parent", "step", "type")

    def __init__(
        self,
        type_name: str,
        json: Any,
        extra: dict[str, Any] | None = None,
        parent: Element | None = None,
        step: str = "",
        index: int = -1,
        origin: Origin | None = None,
    ) -> None:
        self.type = type_name
        self.json = json
        self.extra = extra
        self.parent = parent
        self.step = step
        self.index = index
        self.origin = origin
        self._hash: int | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        if self.json is other.json and self.extra is other.extra:
            return True
        # JSON true and 1 are different values, though Python compares them as equal.
        if isinstance(self.json, bool) is not isinstance(other.json, bool):
            return False
        return bool(self.json == other.json) and (self.extra or None) == (other.extra or None)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((json_hash(self.json), json_hash(self.extra or None)))
        return self._hash

    def __repr__(self) -> str:
        return f"Element({self.type!r}, {self.json!r})"


def json_hash(value: Any) -> int:
    """A hash of decoded JSON that agrees with equality: the order of names does not count, 1.0 is 1.00."""
    if isinstance(value, dict):
        return hash(frozenset((name, json_hash(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return hash(tuple(json_hash(inner) for inner in value))
    return hash(value)


def resource_of(element: Element) -> Element:
    """The outermost resource the element stands in (itself for a resource of a bundle)."""
    while element.parent is not None:
        element = element.parent
    return element


def path_of(element: Element) -> str:
    """The JSON path of the element within its resource: ``component[1].valueQuantity``; empty for the resource."""
    path = ""
    while element.parent is not None:
        step = element.step if element.index < 0 else f"{element.step}[{element.index}]"
        path = f"{step}.{path}" if path else step
        element = element.parent
    return path


def report(element: Element, step: str, message: str) -> None:
    """Record a problem at ``step`` of the element (empty: the element itself) with the resource it stands in."""
    origin = resource_of(element).origin
    if origin is not None:
        path = ".".join(part for part in (path_of(element), step) if part)
        origin.problems[Problem(origin.reference, path, message)] = None
