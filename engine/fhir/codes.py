"""The codes at an element path of a resource, for the indexes that retrieves use.

Index by code, drop nothing by code (DESIGN 4.5): a coding that cannot be read is left out of the index with its problem
recorded; the resource stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.fhir.access import PRIMITIVE_KINDS, alternatives, choice_key
from engine.fhir.definitions import Definitions
from engine.fhir.element import Element, report

Key = tuple[str | None, str]
"""(system, code); the system is None where the data has none."""


class Resolver(Protocol):
    """What following a reference needs: the record."""

    @property
    def bundle(self) -> Any:
        """The bundle, for its definitions."""

    def resolve(self, reference: str | Element, base: Element) -> Element | None:
        """The resource meant, or None."""


def codes_at(record: Resolver, element: Element, path: str) -> Iterator[Key]:
    """The (system, code) pairs at ``path``, in document order; repeated ones are repeated."""
    definitions: Definitions = record.bundle.definitions
    steps = path.split(".")
    yield from _walk(record, definitions, element, steps)


def _walk(record: Resolver, definitions: Definitions, element: Element, steps: list[str]) -> Iterator[Key]:
    if element.type == "Reference" and (not steps or steps[0] not in definitions.elements("Reference")):
        target = record.resolve(element, element)
        if target is not None:
            own = definitions.types[target.type].code_path
            if not steps or steps[0] not in definitions.elements(target.type):
                # `medication` means the Medication's code; `device.code` the Device's type: it has no code.
                steps = own.split(".") if own else []
            if steps:
                yield from _walk(record, definitions, target, steps)
        return
    if not steps:
        yield from _codes_of(definitions, element)
        return
    declared = definitions.elements(element.type).get(steps[0])
    if declared is None or element.json is None:
        return
    for child in _children(definitions, element, steps[0], declared):
        yield from _walk(record, definitions, child, steps[1:])


def _children(definitions: Definitions, element: Element, name: str, declared: str) -> Iterator[Element]:
    """The elements under ``name``; JSON of the wrong shape has been reported and is left out."""
    inner = declared[5:-1] if declared.startswith("List<") else declared
    names = {choice_key(name, t): t for t in alternatives(inner)} if inner.startswith("Choice<") else {name: inner}
    for key, type_name in names.items():
        value = element.json.get(key)
        if value is None:
            continue
        primitive = definitions.types[type_name].kind in PRIMITIVE_KINDS
        members = value if isinstance(value, list) else [value]
        for index, member in enumerate(members):
            if primitive or isinstance(member, dict):
                yield Element(type_name, member, None, element, key, index if isinstance(value, list) else -1)
            else:
                report(element, key, f"is not an object of type {type_name}")


def _codes_of(definitions: Definitions, element: Element) -> Iterator[Key]:
    if element.type == "CodeableConcept":
        for coding in _children(definitions, element, "coding", "List<Coding>"):
            yield from _codes_of(definitions, coding)
        return
    if definitions.types[element.type].kind in PRIMITIVE_KINDS:
        if type(element.json) is str:
            yield None, element.json
        return
    if element.type in ("Coding", "Quantity"):
        code, system = element.json.get("code"), element.json.get("system")
        if code is None:
            return
        if type(code) is str and isinstance(system, str | None):
            yield system, code
        else:
            report(element, "code", "is not a code with a system, both texts")
