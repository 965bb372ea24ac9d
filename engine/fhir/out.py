"""FHIR resources going out: each is validated by fhir.resources (R4B), then written with its decimals as they are.

The models validate; they do not write, since they would turn 1.10 into 1.1 (DESIGN 4.7). Only what sends FHIR imports
this module: loading the models takes longer than screening a patient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from fhir.resources.R4B import get_fhir_model_class

IssueSeverity = Literal["fatal", "error", "warning", "information"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome; ``code`` is of http://hl7.org/fhir/issue-type, ``expression`` FHIRPaths."""

    severity: IssueSeverity
    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()


def write(resource: dict[str, Any]) -> bytes:
    """The bytes of a resource that is valid FHIR.

    Raises:
        ValueError: it is not; a mistake of the product, not of its user.
    """
    get_fhir_model_class(str(resource.get("resourceType"))).model_validate(resource)
    try:
        return _ENCODER.encode(resource)
    except TypeError:  # a number of a record beyond what can be read, which the models take for a text
        raise ValueError("a value has no form in JSON") from None


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome with these issues (http://hl7.org/fhir/R4/operationoutcome.html)."""
    rows = []
    for issue in issues:
        row: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "diagnostics": issue.diagnostics}
        rows.append(row | ({"expression": list(issue.expression)} if issue.expression else {}))
    return {"resourceType": "OperationOutcome", "issue": rows}
