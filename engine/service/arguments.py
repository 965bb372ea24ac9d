"""What an operation is called with: the parameters of a FHIR Parameters resource, checked against what it takes.

Sentences name the place (``Parameters.parameter[2]``), never what stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.service.refusals import Refused, refused

Kind = Literal["text", "boolean", "Bundle", "Library", "Parameters", "parts"]
TEXT_VALUES = ("valueString", "valueCanonical", "valueUri", "valueUrl", "valueId", "valueCode", "valueDate")


@dataclass(frozen=True, slots=True)
class Taken:
    """One parameter of an operation: what it holds, whether it may stand more than once, and its parts."""

    kind: Kind
    many: bool = False
    parts: Mapping[str, Taken] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter as given: ``value`` is a text, a flag, a resource, or its own arguments; ``place`` is FHIRPath."""

    value: Any
    place: str


Arguments = Mapping[str, list[Argument]]

_DATA: Final = {
    "parameters": Taken("Parameters"),
    "data": Taken("Bundle"),
    "subject": Taken("text"),
    "useServerData": Taken("boolean"),
}
CQL: Final = {
    "expression": Taken("text"),
    "library": Taken("parts", many=True, parts={"url": Taken("text"), "name": Taken("text")}),
    **_DATA,
}
EVALUATE: Final = {
    "url": Taken("text"),
    "library": Taken("Library"),
    "expression": Taken("text", many=True),
    "includePrivate": Taken("boolean"),
    **_DATA,
}
SCREEN: Final = {"trial": Taken("text", many=True), "screeningDate": Taken("text"), **_DATA}
UNSUPPORTED: Final = {
    "prefetchData": "this service takes all data as one Bundle; send it as 'data'",
    "dataEndpoint": "this service reaches no data that a request names; send it as 'data'",
    "contentEndpoint": "this service reaches no libraries elsewhere; send the library as 'library'",
    "terminologyEndpoint": "this service has its own terminology and reaches no other",
}


def arguments(resource: Any, takes: Mapping[str, Taken], unsupported: Mapping[str, str]) -> Arguments:
    """The arguments in a Parameters resource.

    ``unsupported`` names parameters of the standard that this service does not take, with the sentence saying so.

    Raises:
        Refused: no Parameters resource, an unknown parameter, a value of another kind, or one too many.
    """
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise refused(400, "structure", "the body is no Parameters resource, which this operation takes", "Parameters")
    return _read(resource.get("parameter", []), takes, unsupported, "Parameters.parameter")


def _read(rows: Any, takes: Mapping[str, Taken], unsupported: Mapping[str, str], path: str) -> Arguments:
    if not isinstance(rows, list):
        raise refused(400, "structure", "the parameters are no list", path)
    found: dict[str, list[Argument]] = {name: [] for name in takes}
    for index, row in enumerate(rows):
        place = f"{path}[{index}]"
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str):
            raise refused(400, "structure", "a parameter is an object with a name", place)
        if name in unsupported:
            raise refused(422, "not-supported", unsupported[name], place)
        taken = takes.get(name)
        if taken is None:
            raise refused(400, "not-supported", f"the operation has no such parameter; it takes {_names(takes)}", place)
        if found[name] and not taken.many:
            raise refused(400, "structure", f"the parameter '{name}' stands twice; it is taken once", place)
        found[name].append(Argument(_value(row, name, taken, place), place))
    return found


def _names(takes: Mapping[str, Taken]) -> str:
    return ", ".join(takes) or "no parameters"


def _value(row: dict[str, Any], name: str, taken: Taken, place: str) -> Any:
    if sum(key.startswith("value") or key in ("resource", "part") for key in row) > 1:
        raise refused(400, "structure", f"the parameter '{name}' has one value, resource or list of parts", place)
    match taken.kind:
        case "text":
            value = next((row[key] for key in TEXT_VALUES if key in row), None)
            reference = row.get("valueReference")
            value = reference.get("reference") if isinstance(reference, dict) else value
            if isinstance(value, str) and value.strip():
                return value
            raise refused(400, "value", f"the parameter '{name}' needs a text, as valueString", place)
        case "boolean":
            if isinstance(row.get("valueBoolean"), bool):
                return row["valueBoolean"]
            raise refused(400, "value", f"the parameter '{name}' needs valueBoolean, true or false", place)
        case "parts":
            return _read(row.get("part", []), taken.parts, {}, f"{place}.part")
    held = row.get("resource")
    if isinstance(held, dict) and held.get("resourceType") == taken.kind:
        return held
    raise refused(400, "value", f"the parameter '{name}' needs a {taken.kind} as its resource", place)


def one(given: Arguments, name: str) -> Any:
    """The value of a parameter that stands at most once; None when it is not there."""
    return given[name][0].value if given[name] else None


def required(given: Arguments, name: str) -> Any:
    """The value of a parameter that has to be there; Refused when it is not."""
    if not given[name]:
        raise missing(name)
    return given[name][0].value


def missing(name: str) -> Refused:
    """The refusal for a parameter that is not there."""
    return refused(400, "required", f"the parameter '{name}' is missing", "Parameters.parameter")
