"""Results of screening as a FHIR Parameters resource: a parameter ``result`` a trial, its parts those of the JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.fhir.out_values import UCUM, Parameter
from engine.language.values.json import encode
from engine.service.catalogue import identifier
from engine.trials import TrialResult, to_builtins

CODES: Final = frozenset({"verdict", "kind", "result", "basis", "role"})
REFERENCES: Final = frozenset({"patient", "resource"})


def result_parameters(results: Iterable[TrialResult]) -> dict[str, Any]:
    """The Parameters resource of some results."""
    rows = []
    for result in results:
        study = {"name": "study", "valueReference": {"reference": f"ResearchStudy/{identifier(result.trial)}"}}
        rows.append({"name": "result", "part": [study, *_parts(to_builtins(result))]})
    return {"resourceType": "Parameters", **({"parameter": rows} if rows else {})}


def _parts(content: Mapping[str, Any]) -> list[Parameter]:
    parts: list[Parameter] = []
    for name, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            written = _written(name, item)
            if written:
                parts.append({"name": name} | written)
    return parts


def _written(name: str, value: Any) -> Parameter:
    match value:
        case None | "":
            return {}
        case bool():
            return {"valueBoolean": value}
        case int():
            return {"valueInteger": value} if abs(value) < 2**31 else {"valueDecimal": Decimal(value)}
        case Decimal():
            return {"valueDecimal": value}
        case str():
            return _text(name, value)
        case {"value": Decimal() | int() as number} if name == "value" and set(value) <= {
            "value",
            "unit",
            "comparator",
        }:
            return {"valueQuantity": {"value": number, **_unit(value)}}
        case Mapping() if name != "value":
            parts = _parts(value)
            return {"part": parts} if parts else {}
    return {"valueString": encode(value).decode()}


def _text(name: str, value: str) -> Parameter:
    if name in CODES:
        return {"valueCode": value}
    if name in REFERENCES:
        return {"valueReference": {"reference": value}}
    return {"valueDate": value} if name == "screeningDate" else {"valueString": value}


def _unit(quantity: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: part for name, part in quantity.items() if part and name != "value"}
    return found | ({"system": UCUM, "code": found["unit"]} if "unit" in found else {})
