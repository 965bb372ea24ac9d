"""Types, places and annotations in ELM JSON: what every node of the document has in common.

A named type is a qualified name, ``{urn:hl7-org:elm-types:r1}Integer``; any other type is a type specifier. Tags that
a person wrote stand in an ``Annotation`` as (name, value). What only this engine needs stands in one as well, under a
name that begins with :data:`OWN`, which no tag of a comment can, since a colon ends the name there.

Source: CQL 1.5.3, "Logical Specification", TypeSpecifier; schema ``cqlannotations.xsd``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.errors import Span
from engine.language.types.datatype import (
    SYSTEM_TYPES,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
    TypeParameter,
)

Json = dict[str, Any]
Tags = tuple[tuple[str, str], ...]

SYSTEM_NAMESPACE: Final = "urn:hl7-org:elm-types:r1"
NAMESPACES: Final = {"System": SYSTEM_NAMESPACE, "FHIR": "http://hl7.org/fhir"}
"""Model name → the namespace published for it; a model that is not listed is written by its name."""

MODELS: Final = {uri: name for name, uri in NAMESPACES.items()}
OWN: Final = "eligibility:"


class Malformed(Exception):
    """The document says something ELM does not: ``node`` is the object concerned, found again by identity."""

    def __init__(self, node: Any, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


# ---------------------------------------------------------------- out


def namespace(model: str) -> str:
    """The namespace URI of a model."""
    return NAMESPACES.get(model, model)


def qualified(model: str, name: str) -> str:
    """``{namespace}name``."""
    return f"{{{namespace(model)}}}{name}"


def specifier(datatype: DataType) -> Json:
    """A type as a type specifier."""
    match datatype:
        case NamedType(model, name):
            return {"type": "NamedTypeSpecifier", "name": qualified(model, name)}
        case ListType(element):
            return {"type": "ListTypeSpecifier", "elementType": specifier(element)}
        case IntervalType(point):
            return {"type": "IntervalTypeSpecifier", "pointType": specifier(point)}
        case TupleType(elements):
            return {
                "type": "TupleTypeSpecifier",
                "element": [{"name": name, "elementType": specifier(inner)} for name, inner in elements],
            }
        case ChoiceType(alternatives):
            return {"type": "ChoiceTypeSpecifier", "choice": [specifier(inner) for inner in alternatives]}
        case TypeParameter(name):
            return {"type": "ParameterTypeSpecifier", "parameterName": name}
    raise TypeError(f"{datatype!r} has no ELM type specifier")


def is_generic(datatype: DataType) -> bool:
    """True when a type parameter stands anywhere in the type."""
    match datatype:
        case TypeParameter():
            return True
        case ListType(inner) | IntervalType(inner):
            return is_generic(inner)
        case TupleType(elements):
            return any(is_generic(inner) for _, inner in elements)
        case ChoiceType(alternatives):
            return any(map(is_generic, alternatives))
    return False


def types_text(types: tuple[DataType, ...]) -> str:
    """Types as the value of one of our own tags: a JSON list of type specifiers."""
    return msgspec.json.encode([specifier(datatype) for datatype in types]).decode()


def type_attribute(prefix: str, datatype: DataType, suffixes: tuple[str, str]) -> tuple[str, Any]:
    """The attribute that holds a type: ``resultTypeName`` or ``resultTypeSpecifier``, and its value."""
    if isinstance(datatype, NamedType):
        return prefix + suffixes[0], qualified(datatype.model, datatype.name)
    return prefix + suffixes[1], specifier(datatype)


def annotation(tags: Tags) -> Json:
    """One ``Annotation`` with these tags."""
    return {"type": "Annotation", "t": [{"name": name, "value": value} for name, value in tags]}


def mark(node: Json, name: str, value: str) -> Json:
    """Adds one of our own tags to the annotations of ``node``."""
    node.setdefault("annotation", []).append(annotation(((OWN + name, value),)))
    return node


# ---------------------------------------------------------------- in


_NAMED: dict[str, NamedType] = {qualified("System", name): known for name, known in SYSTEM_TYPES.items()}
_MAX_REMEMBERED = 5000


def text(node: Json, name: str) -> str:
    """The text under ``name``."""
    value = node.get(name)
    if type(value) is str:
        return value
    raise Malformed(node, f"'{name}' is missing" if value is None else f"'{name}' must be a text")


def optional_text(node: Json, name: str) -> str | None:
    """The text under ``name``, or None when there is none."""
    return None if node.get(name) is None else text(node, name)


def flag(node: Json, name: str, default: bool) -> bool:
    """The boolean under ``name``."""
    value = node.get(name, default)
    if value is True or value is False:
        return bool(value)
    raise Malformed(node, f"'{name}' must be true or false")


def member(node: Json, name: str) -> Json:
    """The object under ``name``."""
    value = node.get(name)
    if type(value) is dict:
        return value
    raise Malformed(node, f"'{name}' is missing" if value is None else f"'{name}' must be an object")


def members(node: Json, name: str) -> list[Json]:
    """The list of objects under ``name``; an absent list is empty."""
    value = node.get(name)
    if value is None:
        return []
    if type(value) is not list:
        raise Malformed(node, f"'{name}' must be a list")
    for item in value:
        if type(item) is not dict:
            raise Malformed(node, f"'{name}' must be a list of objects")
    return value


def named_type(node: Json, name: str) -> NamedType:
    """The type whose qualified name stands under ``name``."""
    written = text(node, name)
    known = _NAMED.get(written)
    if known is not None:
        return known
    uri, brace, local = written[1:].partition("}")
    if not written.startswith("{") or not brace or not local:
        raise Malformed(node, f"'{name}' must be a qualified name such as '{{{SYSTEM_NAMESPACE}}}Integer'")
    if len(_NAMED) >= _MAX_REMEMBERED:
        return NamedType(MODELS.get(uri, uri), local)
    known = _NAMED[written] = NamedType(MODELS.get(uri, uri), local)
    return known


def datatype(node: Json) -> DataType:
    """The type that a type specifier says."""
    kind = node.get("type")
    if kind == "NamedTypeSpecifier":
        return named_type(node, "name")
    if kind == "ListTypeSpecifier":
        return ListType(datatype(member(node, "elementType")))
    if kind == "IntervalTypeSpecifier":
        return IntervalType(datatype(member(node, "pointType")))
    if kind == "TupleTypeSpecifier":
        return TupleType.of({text(e, "name"): _element_type(e) for e in members(node, "element")})
    if kind == "ChoiceTypeSpecifier":
        choices = members(node, "choice") or members(node, "type")
        if not choices:
            raise Malformed(node, "'choice' is missing")
        return ChoiceType.of([datatype(inner) for inner in choices])
    if kind == "ParameterTypeSpecifier":
        return TypeParameter(text(node, "parameterName"))
    raise Malformed(node, f"{kind!r} is no ELM type specifier")


@lru_cache(maxsize=1024)
def types_of_text(written: str) -> tuple[DataType, ...]:
    """The types that :func:`types_text` wrote; ValueError for any other text."""
    try:
        return tuple(datatype(one) for one in msgspec.json.decode(written, type=list[dict[str, Any]]))
    except (msgspec.DecodeError, Malformed) as error:
        raise ValueError(str(error)) from error


def _element_type(element: Json) -> DataType:
    return datatype(member(element, "elementType" if "elementType" in element else "type"))


def result_type(node: Json) -> DataType | None:
    """The result type of a node, None when it does not say."""
    if "resultTypeName" in node:
        return named_type(node, "resultTypeName")
    if "resultTypeSpecifier" in node:
        return datatype(member(node, "resultTypeSpecifier"))
    return None


def span_of(node: Json) -> Span | None:
    """The place that ``locator`` names."""
    written = node.get("locator")
    if written is None:
        return None
    try:
        start, _, end = written.partition("-")
        line, column = start.split(":")
        end_line, end_column = end.split(":") if end else (line, column)
        return Span(int(line), int(column), int(end_line), int(end_column))
    except (AttributeError, ValueError) as error:
        raise Malformed(node, "'locator' must be written as line:column-line:column") from error


def own(node: Json, name: str) -> str | None:
    """The value of our own tag ``name`` on ``node``, or None."""
    if "annotation" not in node:
        return None
    wanted = OWN + name
    return next((value for tag, value in _all_tags(node) if tag == wanted), None)


def tags_of(node: Json) -> Tags:
    """The tags a person wrote, in their order."""
    if "annotation" not in node:
        return ()
    return tuple((name, value) for name, value in _all_tags(node) if not name.startswith(OWN))


def _all_tags(node: Json) -> list[tuple[str, str]]:
    return [
        (text(tag, "name"), optional_text(tag, "value") or "")
        for note in members(node, "annotation")
        if note.get("type") == "Annotation"
        for tag in members(note, "t")
    ]
