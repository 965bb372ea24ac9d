"""Times as CQL prints them, for the official test runner: it compares the text of a DateTime or Time with the literal.

FHIR asks for seconds and an offset where CQL has ``@2014-01-01T10``. What was filled in to be valid FHIR is taken out
again; the outcome is no valid FHIR, and only a service that is set up for the runner sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.fhir.out_values import TIME_PRECISION, Parameter

_HOUR: Final = re.compile(r"(T?\d\d):\d\d:\d\d(Z|[+-]\d\d:\d\d)?$")
_MINUTE: Final = re.compile(r"(T?\d\d:\d\d):\d\d(Z|[+-]\d\d:\d\d)?$")


def with_cql_times(parameters: list[Parameter]) -> list[Parameter]:
    """The parameters with their times as CQL prints them: no filled-in parts, and no offset where it is UTC."""
    return [_row(row) for row in parameters]


def _row(row: Parameter) -> Parameter:
    changed = dict(row)
    for name in ("valueDateTime", "valueTime"):
        if name in row:
            changed[name] = _text(row[name], row.get(f"_{name}"))
            changed.pop(f"_{name}", None)
    period = row.get("valuePeriod")
    if isinstance(period, Mapping):
        changed["valuePeriod"] = {
            name: _text(period[name], period.get(f"_{name}")) for name in ("start", "end") if name in period
        }
    if "part" in row:
        changed["part"] = with_cql_times(row["part"])
    return changed


def _text(text: str, extra: Any) -> str:
    codes = [e.get("valueCode") for e in (extra or {}).get("extension", ()) if e.get("url") == TIME_PRECISION]
    if "h" in codes:
        text = _HOUR.sub(r"\1\2", text)
    elif "min" in codes:
        text = _MINUTE.sub(r"\1\2", text)
    return text.removesuffix("Z")
