"""The codes at an element path of a resource, for the indexes that retrieves use.

Index by code, drop nothing by code (DESIGN 4.5): a coding that cannot be read is left out of the index with its problem
recorded; the resource stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.errors import EvaluationError
from engine.fhir.access import PRIMITIVE_KINDS, cached_accessor
from engine.fhir.definitions import Definitions
from engine.fhir.element import Element, report
from engine.language.values.systems import URI_OF

Key = tuple[str | None, str]
"""(system, code); the system is None for a primitive code, which has none, and "" for a coding that states none."""


class Resolver(Protocol):
    """What following a reference needs: the record."""

    @property
    def bundle(self) -> Any:
        """The bundle, for its definitions."""

    def resolve(self, reference: str | Element, base: Element) -> Element | None:
        """The resource meant, or None."""


CONCEPTS = {"CodeableConcept": False, "List<CodeableConcept>": True}
"""Declared types of the usual code paths, and whether they are lists."""

REFERENCE = "Reference"
"""The system under which an index holds what a path of references refers to: ``Type/id`` and ``id``."""

MAX_REFERENCES = 3
"""References followed on the way to a code; R4 needs one. Resources that refer to each other in a circle end here."""

BESIDE_CODE = {"Medication": "ingredient.item"}
"""Where a resource that is referred to says what it is, beside its code: a Medication may have ingredients alone."""


def codes_at(record: Resolver, element: Element, path: str) -> Iterator[Key]:
    """The (system, code) pairs at ``path``, in document order; repeated ones are repeated.

    A code whose system is named by its OID is found under the system's URI as well.
    """
    for system, code in _codes_at(record, element, path):
        yield system, code
        if system is not None and system in URI_OF:
            yield URI_OF[system], code


def _codes_at(record: Resolver, element: Element, path: str) -> Iterator[Key]:
    definitions: Definitions = record.bundle.definitions
    declared = definitions.elements(element.type).get(path)
    if declared in CONCEPTS:
        found = _of_concepts(element.json.get(path), CONCEPTS[declared])
        if found is not None:
            yield from found
            return
    if declared in ("Reference", "List<Reference>"):
        yield from _references(definitions, element, path)
    yield from _walk(record, definitions, element, path.split("."), MAX_REFERENCES)


def _of_concepts(value: Any, listed: bool) -> list[Key] | None:
    """The codes of a CodeableConcept, or of a list of them, as decoded; None when anything is not as it should be.

    The usual case without an Element for every step. What is malformed is left to the accessors, which record it.
    """
    if value is None:
        return []
    if listed is not (type(value) is list):
        return None
    found: list[Key] = []
    for concept in value if listed else (value,):
        codings: Any = concept.get("coding", ()) if type(concept) is dict else None
        if type(codings) not in (list, tuple):
            return None
        for coding in codings:
            if type(coding) is not dict:
                return None
            code, system = coding.get("code"), coding.get("system")
            if type(code) is str and (system is None or type(system) is str):
                found.append((system or "", code))
            elif code is not None:
                return None
    return found


def _references(definitions: Definitions, element: Element, path: str) -> Iterator[Key]:
    """``Type/id`` and ``id`` of each reference at the path, so that ``[Provenance: target in X.id]`` finds them."""
    for child in _children(definitions, element, path):
        text = child.json.get("reference")
        if isinstance(text, str) and not text.startswith("#"):
            yield REFERENCE, text
            yield REFERENCE, text.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _walk(
    record: Resolver, definitions: Definitions, element: Element, steps: list[str], references: int
) -> Iterator[Key]:
    if element.type == "Reference" and (not steps or steps[0] not in definitions.elements("Reference")):
        target = record.resolve(element, element)
        if target is not None and target.origin is not None and target.origin.withheld is not None:
            # What it is nobody may say, so neither may what refers to it be found by that.
            message = f"{target.origin.reference} cannot be used: {target.origin.withheld}"
            raise EvaluationError(message, code="unavailable")
        if target is not None and references > 0:
            paths = [steps]
            if not steps or steps[0] not in definitions.elements(target.type):
                # `medication` means the Medication's code; `device.code` the Device's type: it has no code.
                own = (definitions.types[target.type].code_path, BESIDE_CODE.get(target.type))
                paths = [path.split(".") for path in own if path]
            for path in paths:
                yield from _walk(record, definitions, target, path, references - 1)
        return
    if not steps:
        yield from _codes_of(definitions, element)
        return
    for child in _children(definitions, element, steps[0]):
        yield from _walk(record, definitions, child, steps[1:], references)


def _children(definitions: Definitions, element: Element, name: str) -> list[Element]:
    """The elements under ``name`` as the accessors see them; data of the wrong shape is reported and left out."""
    if name not in definitions.elements(element.type):
        return []
    value = cached_accessor(definitions.version, element.type, name)(element)
    members = value if isinstance(value, list) else [value]
    return [member for member in members if isinstance(member, Element)]


def _codes_of(definitions: Definitions, element: Element) -> Iterator[Key]:
    if element.type == "CodeableConcept":
        for coding in _children(definitions, element, "coding"):
            yield from _codes_of(definitions, coding)
    elif definitions.types[element.type].kind in PRIMITIVE_KINDS:
        if type(element.json) is str:
            yield None, element.json
    elif element.type in ("Coding", "Quantity"):
        code, system = element.json.get("code"), element.json.get("system")
        if type(code) is str and isinstance(system, str | None):
            yield system or "", code
        elif code is not None:
            report(element, "code", "is not a code with a system, both texts")
