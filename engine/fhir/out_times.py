"""Times as CQL prints them, where FHIR's own form would say more than the value does.

FHIR's dateTime and time ask for seconds, and dateTime for an offset, where CQL has ``@2014-01-01T10``. The guide fills
in zeros and tells of it in an extension; here such a value is a string with its CQL text instead, beside its type in
``cqf-cqlType``. Both are valid FHIR, and a reader that knows no extension is never told a second that nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.fhir.out_values import CQL_TYPE, TIME_PRECISION, Parameter

_HOUR: Final = re.compile(r"(T?\d\d):\d\d:\d\d(Z|[+-]\d\d:\d\d)?$")
_MINUTE: Final = re.compile(r"(T?\d\d:\d\d):\d\d(Z|[+-]\d\d:\d\d)?$")
_MARKS: Final = {"valueDateTime": "@", "valueTime": "@T"}


def with_cql_text(parameters: list[Parameter]) -> list[Parameter]:
    """The parameters with a string in place of each time that FHIR would write with more than is known of it.

    An offset of UTC is left out, as CQL reads a time without one in the offset of the run, which is UTC here.
    """
    return [_row(row) for row in parameters]


def _row(row: Parameter) -> Parameter:
    for name, mark in _MARKS.items():
        if name in row:
            text = _text(row[name], row.get(f"_{name}"))
            if text == row[name]:
                return row
            rest = {key: value for key, value in row.items() if key not in (name, f"_{name}")}
            return rest | {"valueString": mark + text}
    period = row.get("valuePeriod")
    if isinstance(period, Mapping):
        bounds = [_bound("low", "start", period), _bound("high", "end", period)]
        if any("valueString" in bound for bound in bounds):
            closed = [{"name": name, "valueBoolean": True} for name in ("lowClosed", "highClosed")]
            return {key: value for key, value in row.items() if key != "valuePeriod"} | {"part": [*bounds, *closed]}
    if "part" in row:
        return row | {"part": with_cql_text(row["part"])}
    return row


def _bound(name: str, end: str, period: Mapping[str, Any]) -> Parameter:
    """A boundary of a Period as a part of its own."""
    typed = {"extension": [{"url": CQL_TYPE, "valueString": "System.DateTime"}]}
    precision = period.get(f"_{end}")
    whole = {"name": name, "valueDateTime": period[end]} | ({} if precision is None else {"_valueDateTime": precision})
    return _row(typed | whole)


def _text(text: str, extra: Any) -> str:
    codes = [e.get("valueCode") for e in (extra or {}).get("extension", ()) if e.get("url") == TIME_PRECISION]
    if "h" in codes:
        text = _HOUR.sub(r"\1\2", text)
    elif "min" in codes:
        text = _MINUTE.sub(r"\1\2", text)
    return text.removesuffix("Z")
