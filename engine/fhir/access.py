"""Accessors: functions that read one element of a FHIR class, chosen at compile time from the model information.

An accessor answers an Element, a list of Elements, a CQL value (``value`` of a primitive, ``id`` of a datatype) or None
for what is missing. JSON that does not fit the model is never repaired: the accessor answers None and records the
problem with its place (:func:`engine.fhir.element.report`).

Source: FHIR R4, "JSON Representation of Resources" (http://hl7.org/fhir/R4/json.html): primitives with a ``_name``
sibling for id and extension, choices as ``valueQuantity``, lists with null padding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from engine.fhir.definitions import Definitions
from engine.fhir.definitions import definitions as definitions_of
from engine.fhir.element import Element, report
from engine.fhir.primitives import reader

Accessor = Callable[[Element], Any]
Build = Callable[[Element, str, int, Any, Any], "Element | None"]
"""(owner, JSON name, index or -1, value, extra) → the Element, or None with a problem recorded."""

PRIMITIVE_KINDS = ("primitive", "code")
PROFILED_QUANTITIES = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}
"""Profiles that the model information has as types; in JSON a choice names the type they constrain."""


def make_accessor(definitions: Definitions, class_name: str, element: str) -> Accessor:
    """The accessor of ``element`` of a concrete class.

    Raises:
        KeyError: the class has no such element.
    """
    declared = definitions.elements(class_name)[element]
    if definitions.types[class_name].kind in PRIMITIVE_KINDS:
        return _of_primitive(class_name, element)
    if declared.startswith("System."):
        return _system_string(element)
    if declared.startswith("Choice<"):
        return _choice(definitions, element, alternatives(declared))
    if declared.startswith("List<"):
        inner = declared[5:-1]
        if inner.startswith("Choice<"):
            raise ValueError(f"{class_name}.{element}: a list of a choice has no JSON form in FHIR")
        return _list(element, _builder(definitions, inner), _is_primitive(definitions, inner))
    return _single(element, _builder(definitions, declared), _is_primitive(definitions, declared))


@cache
def cached_accessor(version: str, class_name: str, element: str) -> Accessor:
    """:func:`make_accessor` of that FHIR version, made once."""
    return make_accessor(definitions_of(version), class_name, element)


def alternatives(declared: str) -> list[str]:
    """The type names in ``Choice<A,B>``."""
    return declared.removeprefix("Choice<").removesuffix(">").split(",")


def choice_key(element: str, type_name: str) -> str:
    """The JSON name of a choice: ``value`` and ``Quantity`` give ``valueQuantity``."""
    plain = PROFILED_QUANTITIES.get(type_name, type_name)
    return f"{element}{plain[:1].upper()}{plain[1:]}"


def _is_primitive(definitions: Definitions, name: str) -> bool:
    return definitions.types[name].kind in PRIMITIVE_KINDS


def _builder(definitions: Definitions, name: str) -> Build:
    definition = definitions.types[name]
    if definition.kind in PRIMITIVE_KINDS:
        return _primitive_builder(name)
    if definition.kind == "resource":
        return _resource_builder(definitions)
    return _complex_builder(name)


def _complex_builder(name: str) -> Build:
    def build(owner: Element, step: str, index: int, value: Any, _extra: Any) -> Element | None:
        if type(value) is dict:
            return Element(name, value, None, owner, step, index)
        _misfit(owner, step, index, f"is {_kind(value)}, not an object of type {name}")
        return None

    return build


def _primitive_builder(name: str) -> Build:
    def build(owner: Element, step: str, index: int, value: Any, extra: Any) -> Element | None:
        if type(value) is dict or type(value) is list:
            _misfit(owner, step, index, f"is {_kind(value)}, not a value of type {name}")
            return None
        if extra is not None and type(extra) is not dict:
            _misfit(owner, f"_{step}", index, f"is {_kind(extra)}, not an object")
            extra = None
        return Element(name, value, extra, owner, step, index)

    return build


def _resource_builder(definitions: Definitions) -> Build:
    def build(owner: Element, step: str, index: int, value: Any, _extra: Any) -> Element | None:
        if type(value) is not dict:
            _misfit(owner, step, index, f"is {_kind(value)}, not a resource")
            return None
        name = value.get("resourceType")
        if type(name) is str and definitions.is_resource(name):
            return Element(name, value, None, owner, step, index)
        _misfit(owner, step, index, f"has the resourceType {name!r}, which FHIR {definitions.version} does not know")
        return Element("Resource", value, None, owner, step, index)

    return build


def _misfit(owner: Element, step: str, index: int, message: str) -> None:
    """Record a problem of what stands at that place."""
    report(owner, step if index < 0 else f"{step}[{index}]", message)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}.get(type(value), "a number")


def _single(name: str, build: Build, primitive: bool) -> Accessor:
    sibling = f"_{name}"

    def access(owner: Element) -> Any:
        value = owner.json.get(name)
        extra = owner.json.get(sibling) if primitive else None
        if value is None and extra is None:
            return None
        return build(owner, name, -1, value, extra)

    return access


def _list(name: str, build: Build, primitive: bool) -> Accessor:
    sibling = f"_{name}"

    def access(owner: Element) -> Any:
        values = owner.json.get(name)
        extras = owner.json.get(sibling) if primitive else None
        if values is None and extras is None:
            return None
        if not isinstance(values, list | None):
            _misfit(owner, name, -1, f"is {_kind(values)}, not a list")
            return None
        if not isinstance(extras, list | None):
            _misfit(owner, sibling, -1, f"is {_kind(extras)}, not a list")
            extras = None
        if extras is None:
            return [build(owner, name, index, value, None) for index, value in enumerate(values or ())]
        values = values or []
        count = max(len(values), len(extras))
        padded = zip(values + [None] * (count - len(values)), extras + [None] * (count - len(extras)), strict=True)
        return [build(owner, name, index, value, extra) for index, (value, extra) in enumerate(padded)]

    return access


def _choice(definitions: Definitions, element: str, names: list[str]) -> Accessor:
    keys: dict[str, tuple[str, Build]] = {}
    for name in names:
        key = choice_key(element, name)
        keys[key] = (key, _builder(definitions, name))
        if _is_primitive(definitions, name):
            keys[f"_{key}"] = keys[key]

    def access(owner: Element) -> Any:
        data = owner.json
        found: tuple[str, Build] | None = None
        for key in data:
            hit = keys.get(key)
            if hit is None or data[key] is None or hit is found:
                continue
            if found is not None:
                _misfit(owner, element, -1, f"has two values, {found[0]} and {hit[0]}; one is allowed")
                return None
            found = hit
        if found is None:
            return None
        key, build = found
        return build(owner, key, -1, data.get(key), data.get(f"_{key}"))

    return access


def _system_string(name: str) -> Accessor:
    """``id`` of a datatype: a bare text, without extensions."""

    def access(owner: Element) -> str | None:
        value = owner.json.get(name)
        if value is None or type(value) is str:
            return value
        _misfit(owner, name, -1, f"is {_kind(value)}, not a text")
        return None

    return access


def _of_primitive(class_name: str, element: str) -> Accessor:
    if element == "value":
        return _value(class_name)
    inner = _system_string("id") if element == "id" else _list("extension", _complex_builder("Extension"), False)

    def access(owner: Element) -> Any:
        if owner.extra is None:
            return None
        # The sibling object stands where the primitive stands: `_birthDate.extension[0]`.
        return inner(Element("Element", owner.extra, None, owner.parent, f"_{owner.step}", owner.index))

    return access


def _value(class_name: str) -> Accessor:
    read = reader(class_name)

    def access(owner: Element) -> Any:
        value = owner.json
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            report(owner, "", str(error))
            return None

    return access
