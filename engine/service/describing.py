"""What the OpenAPI description says of routes whose bodies are FHIR: content types, answers, shape of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.service.arguments import Taken

FHIR_JSON: Final = "application/fhir+json"
OUTCOME: Final = {
    "description": "OperationOutcome: what is wrong, and where",
    "content": {FHIR_JSON: {"schema": {"type": "object"}}},
}
REFUSALS: Final = {str(status): OUTCOME for status in (400, 401, 403, 404, 406, 413, 415, 422, 429, 503)}


def operation(summary: str, takes: Mapping[str, Taken], *, bundle: bool = False) -> dict[str, Any]:
    """The arguments of a route for a FHIR operation."""
    names = {"enum": list(takes), "type": "string"}
    parameter = {"type": "object", "properties": {"name": names}, "required": ["name"]}
    parameters = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": "Parameters"}, "parameter": {"type": "array", "items": parameter}},
    }
    whole = {
        "type": "object",
        "required": ["resourceType", "entry"],
        "properties": {"resourceType": {"const": "Bundle"}, "entry": {"type": "array", "items": {"type": "object"}}},
    }
    schema = {"oneOf": [whole, parameters]} if bundle else parameters
    body = {kind: {"schema": schema} for kind in (FHIR_JSON, "application/json")}
    return {
        "summary": summary,
        "openapi_extra": {"requestBody": {"required": True, "content": body}},
        "responses": {"200": answer("Parameters", plain=bundle)} | REFUSALS,
    }


def reading(summary: str, name: str) -> dict[str, Any]:
    """The arguments of a route that reads or searches."""
    return {"summary": summary, "responses": {"200": answer(name)} | REFUSALS}


def hook(summary: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of a route of CDS Hooks."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    answers = {"200": {"description": "Answer", "content": {"application/json": {"schema": {"type": "object"}}}}}
    refusals = {str(status): {"description": OUTCOME["description"]} for status in (400, 401, 404, 412, 415, 422)}
    return {
        "summary": summary,
        "openapi_extra": {} if schema is None else {"requestBody": body},
        "responses": answers | refusals,
    }


def answer(name: str, *, plain: bool = False) -> dict[str, Any]:
    """A FHIR answer of some type; ``plain`` where our JSON may be asked for instead."""
    schema = {"type": "object", "properties": {"resourceType": {"const": name}}, "required": ["resourceType"]}
    content: dict[str, Any] = {FHIR_JSON: {"schema": schema}}
    if plain:
        content["application/json"] = {"schema": {"type": "array", "items": {"type": "object"}}}
    return {"description": name, "content": content}
