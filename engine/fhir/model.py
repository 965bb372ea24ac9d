"""The data model FHIR 4.0.1 as the language sees it: fits the protocol ``engine.language.types.model.Model``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from engine.fhir.access import PRIMITIVE_KINDS, Accessor, alternatives, cached_accessor, choice_key
from engine.fhir.conversions import native_conversion
from engine.fhir.definitions import Definitions, definitions
from engine.fhir.element import Element
from engine.fhir.primitives import json_of
from engine.language.types.datatype import ChoiceType, DataType, IntervalType, ListType, NamedType
from engine.language.types.model import ClassInfo, Conversion, Model

ABSTRACT_CLASSES = ("Any", "Element", "BackboneElement", "Resource", "DomainResource")


class FhirModel:
    """FHIR R4: classes, conversions, contexts, and access to Elements.

    Raises:
        ValueError: the version is not supported; the sentence names those that are.
    """

    name = "FHIR"

    def __init__(self, version: str = "4.0.1") -> None:
        self._definitions: Definitions = definitions(version)
        self.version = version
        self.contexts: Sequence[str] = tuple(self._definitions.contexts)
        self.conversions: Sequence[Conversion] = tuple(
            Conversion(data_type(source), data_type(target), function)
            for source, target, function in self._definitions.conversions
        )
        self._classes: dict[str, ClassInfo] = {}
        self._types: dict[str, NamedType] = {}

    @property
    def definitions(self) -> Definitions:
        """The model information behind this model."""
        return self._definitions

    def class_info(self, name: str) -> ClassInfo | None:
        """The class ``name`` with its own and inherited elements, or None."""
        known = self._classes.get(name)
        if known is None and name in self._definitions.types:
            known = self._classes[name] = self._make_class(name)
        return known

    def _make_class(self, name: str) -> ClassInfo:
        definition = self._definitions.types[name]
        return ClassInfo(
            name=name,
            base=data_type(definition.base),
            elements={n: data_type(t) for n, t in self._definitions.elements(name).items()},
            retrievable=definition.retrievable,
            code_path=definition.code_path,
            subject_path=" | ".join(definition.subject) or None,
        )

    def class_names(self) -> Sequence[str]:
        """All class names, in alphabetical order."""
        return tuple(self._definitions.types)

    def birth_date_path(self) -> str:
        """``birthDate.value``."""
        return self._definitions.birth_date_path

    def accessor(self, class_name: str, element: str) -> Accessor:
        """The reader of ``element``; for an abstract or unknown class it goes by the type met at run time.

        At run time an element the actual type lacks is None, as the language asks for choices.

        Raises:
            KeyError: a concrete class of the model has no such element.
        """
        if class_name in self._definitions.types and class_name not in ABSTRACT_CLASSES:
            found = self._accessor(class_name, element)
            if found is None:
                raise KeyError(f"FHIR.{class_name} has no element '{element}'")
            return found

        def by_actual_type(owner: Element) -> Any:
            access = self._accessor(owner.type, element)
            return None if access is None else access(owner)

        return by_actual_type

    def _accessor(self, class_name: str, element: str) -> Accessor | None:
        if element not in self._definitions.elements(class_name):
            return None
        return cached_accessor(self.version, class_name, element)

    def type_of(self, value: Any) -> NamedType | None:
        """The class of an Element; None for values of other models."""
        if not isinstance(value, Element):
            return None
        known = self._types.get(value.type)
        if known is None:
            known = self._types[value.type] = NamedType(self.name, value.type)
        return known

    def create(self, class_name: str, elements: Mapping[str, Any]) -> Element:
        """An Element of the class made of Elements, lists of Elements and CQL values; null elements are left out.

        Raises:
            KeyError: the class has no element of that name.
        """
        definition = self._definitions.types[class_name]
        declared = self._definitions.elements(class_name)
        for name in elements:
            if name not in declared:
                raise KeyError(f"FHIR.{class_name} has no element '{name}'")
        given = {name: value for name, value in elements.items() if value is not None}
        if definition.kind in PRIMITIVE_KINDS:
            extra = {name: _json_value(value) for name, value in given.items() if name != "value"}
            return Element(class_name, json_of(given.get("value")), extra or None)
        data: dict[str, Any] = {"resourceType": class_name} if definition.kind == "resource" else {}
        for name, value in given.items():
            choice = declared[name].startswith("Choice<")
            _put(data, choice_key(name, value.type) if choice else name, value)
        return Element(class_name, data)

    def children(self, value: Any) -> list[Any]:
        """The values of all elements, lists flattened, in the order of the class."""
        if not isinstance(value, Element):
            return []
        found: list[Any] = []
        for name in self._definitions.elements(value.type):
            access = self._accessor(value.type, name)
            child = None if access is None else access(value)
            found.extend(child if isinstance(child, list) else [child])
        return [child for child in found if child is not None]

    def conversion(self, function: str) -> Callable[[Any], Any] | None:
        """The native form of a FHIRHelpers conversion, or None."""
        return native_conversion(function)


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    """Write an element into JSON; primitives with id or extension get their ``_key`` sibling."""
    data[key] = _json_value(value)
    members = value if isinstance(value, list) else [value]
    extras = [member.extra if isinstance(member, Element) else None for member in members]
    if any(extras):
        data[f"_{key}"] = extras if isinstance(value, list) else extras[0]
        if data[key] is None:
            del data[key]


def _json_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_json_value(member) for member in value]
    return value.json if isinstance(value, Element) else json_of(value)


@lru_cache(maxsize=4096)
def data_type(text: str) -> DataType:
    """The type written as ``List<Coding>``, ``Choice<A,B>``, ``Interval<System.DateTime>``, ``FHIR.Quantity``."""
    if text.startswith("List<"):
        return ListType(data_type(text[5:-1]))
    if text.startswith("Interval<"):
        return IntervalType(data_type(text[9:-1]))
    if text.startswith("Choice<"):
        return ChoiceType.of([data_type(name) for name in alternatives(text)])
    if text.startswith("System."):
        return NamedType("System", text.removeprefix("System."))
    return NamedType("FHIR", text.removeprefix("FHIR."))


def fhir_model(version: str = "4.0.1") -> Model:
    """The model of ``using FHIR version '4.0.1'``, made once a version.

    Raises:
        ValueError: the version is not supported; the sentence names those that are.
    """
    return _model(version)


@lru_cache(maxsize=4)
def _model(version: str) -> FhirModel:
    return FhirModel(version)
