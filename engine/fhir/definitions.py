"""The committed model information: classes of FHIR R4 by name, read once and lazily.

The file is made by :mod:`engine.fhir.make_modelinfo`. Types are written as in ``List<Coding>``,
``Choice<Quantity,string>``, ``System.String``; a name without a prefix is a FHIR type.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

MODELINFO = Path(__file__).parent / "modelinfo"
SUPPORTED_VERSIONS = ("4.0.1",)


class ClassDefinition(msgspec.Struct, frozen=True, gc=False):
    """A class as the file has it; ``elements`` are its own, without those of ``base``."""

    base: str
    kind: str
    elements: dict[str, str] = {}
    retrievable: bool = False
    code_path: str | None = msgspec.field(default=None, name="codePath")
    subject: tuple[str, ...] = ()
    compartment: bool = False
    standing_in: tuple[str, ...] = msgspec.field(default=(), name="standingIn")


class Definitions(msgspec.Struct, frozen=True):
    """The whole model information of one FHIR version."""

    name: str
    version: str
    sources: list[dict[str, str | None]]
    patient_class: str = msgspec.field(name="patientClass")
    birth_date_path: str = msgspec.field(name="birthDatePath")
    contexts: list[str]
    conversions: list[tuple[str, str, str]]
    types: dict[str, ClassDefinition]

    def elements(self, name: str) -> dict[str, str]:
        """All elements of class ``name``, inherited ones first; a class may narrow an inherited one."""
        return _elements(self.version, name)

    def is_resource(self, name: str) -> bool:
        """True for a concrete resource type, such as Observation."""
        known = self.types.get(name)
        return known is not None and known.kind == "resource" and name not in ABSTRACT_RESOURCES


ABSTRACT_RESOURCES = ("Resource", "DomainResource")


@cache
def _elements(version: str, name: str) -> dict[str, str]:
    types = definitions(version).types
    merged: dict[str, str] = {}
    chain: list[ClassDefinition] = []
    while name in types:
        chain.append(types[name])
        name = types[name].base
    for definition in reversed(chain):
        merged.update(definition.elements)
    return merged


@cache
def definitions(version: str) -> Definitions:
    """The model information of that FHIR version.

    Raises:
        ValueError: the version is not one of :data:`SUPPORTED_VERSIONS`.
    """
    if version not in SUPPORTED_VERSIONS:
        supported = ", ".join(f"'{v}'" for v in SUPPORTED_VERSIONS)
        raise ValueError(f"FHIR version '{version}' is not supported; supported: {supported}")
    return msgspec.json.decode((MODELINFO / f"fhir-{version}.json").read_bytes(), type=Definitions)
