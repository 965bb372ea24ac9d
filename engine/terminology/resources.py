"""The parts of FHIR R4 ValueSet and CodeSystem that membership depends on, decoded strictly.

Everything else in the resources is ignored here. What is decoded must have its FHIR shape: msgspec names the path of
the first element that has not (``$.compose.include[0].concept[2].code``), so a broken file is reported with its place
instead of becoming a smaller value set.

Source: https://hl7.org/fhir/R4/valueset.html, https://hl7.org/fhir/R4/codesystem.html.
"""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=False):
    """Base: FHIR's camelCase names in JSON, unknown elements ignored."""


class Coding(Struct, frozen=True):
    """A FHIR Coding."""

    code: str
    system: str | None = None
    version: str | None = None
    display: str | None = None


class Extension(Struct, frozen=True):
    """A FHIR Extension, with the few value types our own and the standard terminology extensions use."""

    url: str
    value_boolean: bool | None = None
    value_string: str | None = None
    value_uri: str | None = None
    value_coding: Coding | None = None
    extension: tuple[Extension, ...] = ()


class ConceptReference(Struct, frozen=True):
    """``ValueSet.compose.include.concept``."""

    code: str
    display: str | None = None
    extension: tuple[Extension, ...] = ()


class Filter(Struct, frozen=True):
    """``ValueSet.compose.include.filter``: property, operator and value."""

    property: str
    op: str
    value: str


class Include(Struct, frozen=True):
    """``ValueSet.compose.include`` and ``exclude``."""

    system: str | None = None
    version: str | None = None
    concept: tuple[ConceptReference, ...] = ()
    filter: tuple[Filter, ...] = ()
    value_set: tuple[str, ...] = ()


class Compose(Struct, frozen=True):
    """``ValueSet.compose``: the definition of the content."""

    include: tuple[Include, ...]
    exclude: tuple[Include, ...] = ()
    inactive: bool | None = None


class Contains(Struct, frozen=True):
    """``ValueSet.expansion.contains``: a code, or a heading without one."""

    system: str | None = None
    version: str | None = None
    code: str | None = None
    display: str | None = None
    abstract: bool = False
    inactive: bool = False
    contains: tuple[Contains, ...] = ()


class ExpansionParameter(Struct, frozen=True):
    """``ValueSet.expansion.parameter``: what was asked for when the codes were enumerated."""

    name: str
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None


class Expansion(Struct, frozen=True):
    """``ValueSet.expansion``: the codes as somebody enumerated them."""

    total: int | None = None
    offset: int | None = None
    contains: tuple[Contains, ...] = ()
    parameter: tuple[ExpansionParameter, ...] = ()
    extension: tuple[Extension, ...] = ()


class ValueSetResource(Struct, frozen=True):
    """A FHIR R4 ValueSet as far as membership goes."""

    url: str
    version: str | None = None
    name: str | None = None
    title: str | None = None
    compose: Compose | None = None
    expansion: Expansion | None = None
    extension: tuple[Extension, ...] = ()


class PropertyDefinition(Struct, frozen=True):
    """``CodeSystem.property``: the code used in concepts and the canonical meaning behind it."""

    code: str
    uri: str | None = None


class ConceptProperty(Struct, frozen=True):
    """``CodeSystem.concept.property`` with the value types a filter can compare."""

    code: str
    value_code: str | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_coding: Coding | None = None

    @property
    def text(self) -> str | None:
        """The value as a filter writes it: booleans as true and false, a Coding by its code."""
        if self.value_boolean is not None:
            return "true" if self.value_boolean else "false"
        if self.value_integer is not None:
            return str(self.value_integer)
        if self.value_coding is not None:
            return self.value_coding.code
        return self.value_code if self.value_code is not None else self.value_string


class ConceptDefinition(Struct, frozen=True):
    """``CodeSystem.concept``, nested."""

    code: str
    display: str | None = None
    definition: str | None = None
    property: tuple[ConceptProperty, ...] = ()
    concept: tuple[ConceptDefinition, ...] = ()


class CodeSystemResource(Struct, frozen=True):
    """A FHIR R4 CodeSystem as far as membership and hierarchy go."""

    url: str
    content: str
    version: str | None = None
    name: str | None = None
    title: str | None = None
    supplements: str | None = None
    hierarchy_meaning: str | None = None
    property: tuple[PropertyDefinition, ...] = ()
    concept: tuple[ConceptDefinition, ...] = ()
