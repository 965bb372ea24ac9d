"""FHIR elements in the output of the command line."""

from __future__ import annotations

from typing import Any

from engine.errors import EvaluationError
from engine.fhir import Element


def element_json(element: Any) -> Any:
    """A resource as ``"Type/id"``; any other FHIR element, a primitive too, as ``{"$fhir": its JSON}``.

    A resource without an id is named by its place in the bundle. A primitive without a value shows its ``_name``
    sibling, where its extensions stand. EvaluationError for what is no FHIR element.
    """
    if not isinstance(element, Element):
        raise EvaluationError(f"a value of type {type(element).__name__} has no JSON form")
    if isinstance(element.json, dict) and "." not in element.type and "resourceType" in element.json:
        name, number = element.json["resourceType"], element.json.get("id")
        if number is None and element.origin is not None:
            return element.origin.reference
        return f"{name}/{number}" if number is not None else {"$fhir": element.json}
    return {"$fhir": element.extra if element.json is None else element.json}
