"""The ``parameters`` of $cql and $evaluate: FHIR values as the CQL values they stand for, and their CQL types.

A parameter that stands more than once is a List, one with parts a Tuple; ``cqf-cqlType`` says more than the FHIR type
where it is there. Source: Using CQL with FHIR 2.0.0, "FHIR Type Mapping", and the operations' own definitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.errors import InputError
from engine.fhir.out_values import CQL_TYPE, EMPTY_LIST, EMPTY_TUPLE, STRUCTURE
from engine.language import Program
from engine.language.types.datatype import ANY, DataType, IntervalType, ListType, TupleType, system
from engine.language.values import Code, Concept, Quantity, Ratio
from engine.service.refusals import refused
from engine.trials import bind_parameters

TIME_PRECISION: Final = f"{STRUCTURE}time-precision"
Typed = tuple[Any, DataType]
"""JSON as ``bind_parameters`` reads it, and the CQL type."""

_SCALARS: Final[Mapping[str, str]] = {
    "Boolean": "Boolean", "Integer": "Integer", "PositiveInt": "Integer", "UnsignedInt": "Integer",
    "Decimal": "Decimal", "Date": "Date", "DateTime": "DateTime", "Instant": "DateTime", "Time": "Time",
    "String": "String", "Code": "String", "Uri": "String", "Url": "String", "Canonical": "String", "Id": "String",
    "Markdown": "String", "Oid": "String", "Uuid": "String",
}  # fmt: skip
_INTERVAL: Final = re.compile(r"Interval<(?:System\.)?(Integer|Long|Decimal|Quantity|Date|DateTime|Time)>")
_POINT_VALUES: Final = {"Integer", "Long", "Decimal"}


def typed_values(resource: Mapping[str, Any], path: str) -> dict[str, Typed]:
    """The values by name.

    Raises:
        Refused: a parameter without a value that CQL knows; names its place.
    """
    return _grouped(resource.get("parameter", []), path)


def _grouped(rows: Any, path: str) -> dict[str, Typed]:
    if not isinstance(rows, list):
        raise refused(400, "structure", "the parameters are no list", path)
    found: dict[str, list[Typed]] = {}
    repeated: set[str] = set()
    for index, row in enumerate(rows):
        place = f"{path}[{index}]"
        if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not row["name"]:
            raise refused(400, "structure", "a parameter is an object with a name", place)
        if _declared(row).startswith("List<"):
            repeated.add(row["name"])
        found.setdefault(row["name"], []).append(_typed(row, place))
    return {name: _joined(values, name in repeated) for name, values in found.items()}


def _joined(values: list[Typed], is_list: bool) -> Typed:
    if len(values) == 1 and (not is_list or isinstance(values[0][1], ListType)):
        return values[0]
    types = {datatype for _, datatype in values if datatype != ANY}
    element = types.pop() if len(types) == 1 else ANY
    return [value for value, _ in values], ListType(element)


def _typed(row: Mapping[str, Any], place: str) -> Typed:
    if "part" in row:
        return _parts(row, place)
    for url, value in _flags(row):
        if url == EMPTY_LIST and value.get("valueBoolean") is True:
            return [], ListType(ANY)
        if url == EMPTY_TUPLE and value.get("valueBoolean") is True:
            return {}, TupleType(())
    keys = [key for key in row if key.startswith("value")]
    if not keys:
        if "resource" in row:
            raise refused(422, "not-supported", "a parameter cannot be a resource; give resources as 'data'", place)
        if any(key.startswith("_value") for key in row):
            return None, ANY
        raise refused(400, "value", "a parameter needs a value or parts", place)
    if len(keys) > 1:
        raise refused(400, "structure", "a parameter has one value, not several", place)
    return _value(row, keys[0], place)


def _flags(row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for key, inner in row.items():
        if key.startswith("_value") and isinstance(inner, dict):
            extensions = inner.get("extension")
            listed = extensions if isinstance(extensions, list) else ()
            found += [(str(e.get("url")), e) for e in listed if isinstance(e, dict)]
    return found


def _declared(row: Mapping[str, Any]) -> str:
    extensions = row.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and extension.get("url") == CQL_TYPE:
            return str(extension.get("valueString", ""))
    return ""


def _parts(row: Mapping[str, Any], place: str) -> Typed:
    rows = row["part"]
    inner = _grouped(rows, f"{place}.part")
    names = set(inner)
    if names == {"element"}:
        value, datatype = inner["element"]
        return (value, datatype) if isinstance(datatype, ListType) else ([value], ListType(datatype))
    interval = _INTERVAL.fullmatch(_declared(row))
    if interval is not None or {"low", "high", "lowClosed", "highClosed"} == names:
        points = [inner[name][1] for name in ("low", "high") if name in inner and inner[name][1] != ANY]
        point = system(interval[1]) if interval is not None else points[0] if points else ANY
        return {name: value for name, (value, _) in inner.items()}, IntervalType(point)
    types = TupleType.of({name: datatype for name, (_, datatype) in inner.items()})
    return {name: value for name, (value, _) in inner.items()}, types


def _value(row: Mapping[str, Any], key: str, place: str) -> Typed:
    name, value = key.removeprefix("value"), row[key]
    if name in _SCALARS:
        wanted = system("Long") if _declared(row).removeprefix("System.") == "Long" else system(_SCALARS[name])
        if isinstance(value, dict | list):
            raise refused(400, "value", "the value is no single value", place)
        return _at_precision(value, row.get(f"_{key}")), wanted
    if not isinstance(value, dict):
        raise refused(400, "value", "the value is no object", place)
    reader = _READERS.get(name)
    if reader is None:
        raise refused(422, "not-supported", "a parameter cannot have a value of this FHIR type", place)
    return reader(value, _declared(row))


def _at_precision(value: Any, extra: Any) -> Any:
    """A time cut to the precision that its ``time-precision`` extension declares."""
    extensions = extra.get("extension") if isinstance(extra, dict) else None
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and extension.get("url") == TIME_PRECISION and isinstance(value, str):
            pattern = {"h": r"(?<=\d\d):\d\d:\d\d(\.\d+)?", "min": r"(?<=:\d\d):\d\d(\.\d+)?"}
            found = pattern.get(str(extension.get("valueCode")))
            return value if found is None else re.sub(found, "", value, count=1)
    return value


def _quantity(value: Mapping[str, Any], declared: str) -> Typed:
    made = {"value": value.get("value")}
    unit = value.get("code") or value.get("unit")
    return (made | ({"unit": unit} if unit else {})), system("Quantity")


def _coding(value: Mapping[str, Any], declared: str) -> Typed:
    return dict(value), system("Code")


def _concept(value: Mapping[str, Any], declared: str) -> Typed:
    codes = value.get("coding")
    return {"codes": codes if isinstance(codes, list) else [], "display": value.get("text")}, system("Concept")


def _period(value: Mapping[str, Any], declared: str) -> Typed:
    interval = _INTERVAL.fullmatch(declared)
    point = system(interval[1]) if interval is not None else system("DateTime")
    return {"low": value.get("start"), "high": value.get("end")}, IntervalType(point)


def _range(value: Mapping[str, Any], declared: str) -> Typed:
    interval = _INTERVAL.fullmatch(declared)
    point = interval[1] if interval is not None else "Quantity"
    bounds = {}
    for name in ("low", "high"):
        bound = value.get(name)
        if isinstance(bound, dict):
            bounds[name] = bound.get("value") if point in _POINT_VALUES else _quantity(bound, "")[0]
        else:
            bounds[name] = None
    return bounds, IntervalType(system(point))


def _ratio(value: Mapping[str, Any], declared: str) -> Typed:
    parts = {name: value.get(name) for name in ("numerator", "denominator")}
    return {n: _quantity(p, "")[0] if isinstance(p, dict) else None for n, p in parts.items()}, system("Ratio")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Typed]]] = {
    "Quantity": _quantity, "Age": _quantity, "Count": _quantity, "Distance": _quantity, "Duration": _quantity,
    "Coding": _coding, "CodeableConcept": _concept, "Period": _period, "Range": _range, "Ratio": _ratio,
}  # fmt: skip


# ---------------------------------------------------------------- binding


def bound(program: Program, values: Mapping[str, Typed], path: str) -> dict[str, Any]:
    """The CQL values for the parameters that the program declares, converted to their declared types.

    A name may be qualified by a library's (``Name.Parameter``); that library then has to be the only one with it.

    Raises:
        Refused: no library declares the name.
        InputError: a value does not fit the declared type.
    """
    given: dict[str, Any] = {}
    for name, (value, _) in values.items():
        plain = _unqualified(program, name)
        declared = [unit.parameters[plain].type for unit in program.units.values() if plain in unit.parameters]
        if not declared:
            raise refused(400, "not-found", "a parameter is declared by no library; check its name", path)
        if isinstance(declared[0], ListType) and not isinstance(value, list | None):
            value = [value]
        given[plain] = value
    structured = {name: _STRUCTURED[declared](given.pop(name)) for name, declared in _with(program, given).items()}
    return bind_parameters(program, given) | structured


def _with(program: Program, given: Mapping[str, Any]) -> dict[str, DataType]:
    """The given parameters of a type that only FHIR has a form for, with that type."""
    declared = {n: d.type for unit in program.units.values() for n, d in unit.parameters.items() if n in given}
    return {name: datatype for name, datatype in declared.items() if datatype in _STRUCTURED}


def _as_concept(value: Any) -> Concept | None:
    if value is None:
        return None
    if not isinstance(value, dict) or "codes" not in value:
        raise InputError("parameters", "", "a value is no concept, which its parameter is declared to be")
    names = ("code", "system", "version", "display")
    codes = tuple(Code(*(c.get(n) for n in names)) for c in value["codes"] if isinstance(c, dict))
    return Concept(codes, value.get("display"))


def _as_ratio(value: Any) -> Ratio | None:
    if value is None:
        return None
    held = value if isinstance(value, dict) else {}
    parts = [held.get(name) for name in ("numerator", "denominator")]
    quantities = [
        Quantity(Decimal(part["value"]), part.get("unit") or "1")
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("value"), int | Decimal)
    ]
    if len(quantities) != len(parts):
        raise InputError("parameters", "", "a value is no ratio of two quantities, as its parameter is declared")
    return Ratio(quantities[0], quantities[1])


_STRUCTURED: Final[Mapping[DataType, Callable[[Any], Any]]] = {
    system("Concept"): _as_concept,
    system("Ratio"): _as_ratio,
}


def _unqualified(program: Program, name: str) -> str:
    library, _, plain = name.rpartition(".")
    if not library:
        return name
    aliases = {alias: key for unit in program.units.values() for alias, key in unit.includes.items()}
    owners = [key for key, unit in program.units.items() if plain in unit.parameters]
    wanted = aliases.get(library, library)
    return plain if any(key in (wanted, library) or key.split("|")[0] == library for key in owners) else name


def declarations(values: Mapping[str, Typed]) -> list[str]:
    """A ``parameter`` statement for each value, in the type it came with."""
    return [f'parameter "{_escaped(name)}" {_spelled(datatype)}' for name, (_, datatype) in values.items()]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


def _spelled(datatype: DataType) -> str:
    match datatype:
        case ListType(element=element):
            return f"List<{_spelled(element)}>"
        case IntervalType(point=point):
            return f"Interval<{_spelled(point)}>"
        case TupleType(elements=elements):
            return "Tuple { " + ", ".join(f'"{_escaped(n)}" {_spelled(t)}' for n, t in elements) + " }"
    return f"System.{datatype}"
