"""The OperationDefinition of our own operation, ``ResearchStudy/$screen``."""

from __future__ import annotations

from typing import Any, Final

_IN: Final = (
    ("data", "1", "Bundle", "The record of the patient; a Bundle as the whole body does as well."),
    ("subject", "1", "string", "The patient the record is about, where it holds several."),
    ("trial", "*", "string", "The ids of the trials; all when none is given."),
    ("screeningDate", "1", "string", "The date of screening, YYYY-MM-DD; today when none is given."),
    ("parameters", "1", "Parameters", "CQL parameters of the trials by name."),
    ("useServerData", "1", "boolean", "Whether a configured FHIR server may be asked for the record."),
)
_RESULT: Final = "One for each trial; its parts are those of the JSON that 'Accept: application/json' gives."


def screen_definition(url: str) -> dict[str, Any]:
    """The definition under a canonical address."""
    rows: list[dict[str, Any]] = [
        {"name": name, "use": "in", "min": 0, "max": most, "documentation": text, "type": kind}
        for name, most, kind, text in _IN
    ]
    rows.append({"name": "result", "use": "out", "min": 0, "max": "*", "documentation": _RESULT})
    return {
        "resourceType": "OperationDefinition",
        "id": "screen",
        "url": url,
        "name": "Screen",
        "title": "Screen a patient for clinical trials",
        "status": "active",
        "kind": "operation",
        "affectsState": False,
        "code": "screen",
        "resource": ["ResearchStudy"],
        "system": False,
        "type": True,
        "instance": True,
        "parameter": rows,
    }
