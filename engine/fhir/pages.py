"""What a Bundle says itself of not being whole: then nothing may rest on the absence of a record.

Source: FHIR R4, "Bundle" (http://hl7.org/fhir/R4/bundle.html): ``link`` next and ``total`` of a searchset, entries
whose search mode is outcome, and the response of each entry of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FAILED = ("error", "fatal")


def reasons_for_lacking(bundle: dict[str, Any]) -> Iterator[str]:
    """A sentence for each sign that there is more than this Bundle (decoded JSON) holds."""
    entries = [entry for entry in _list(bundle.get("entry")) if isinstance(entry, dict)]
    links = _list(bundle.get("link"))
    if any(isinstance(link, dict) and link.get("relation") == "next" for link in links):
        yield "the Bundle is one page of several (it has a link 'next')"
    total = bundle.get("total")
    if bundle.get("type") == "searchset" and type(total) is int:
        held = sum(1 for entry in entries if _mode(entry) not in ("include", "outcome"))
        if total > held:
            yield f"the Bundle is a part of a search with {total} results and holds {held}"
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            told = _failure(resource)
            if told is not None:
                yield f"the server reported an error: {told}"
        elif not isinstance(resource, dict) and (status := _failed_status(entry.get("response"))):
            yield f"the server answered {status} in place of a resource"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mode(entry: dict[str, Any]) -> Any:
    search = entry.get("search")
    return search.get("mode") if isinstance(search, dict) else None


def _failure(outcome: dict[str, Any]) -> str | None:
    """What the first error of an OperationOutcome says."""
    for issue in _list(outcome.get("issue")):
        if isinstance(issue, dict) and issue.get("severity") in _FAILED:
            details = issue.get("details")
            text = details.get("text") if isinstance(details, dict) else None
            return str(text or issue.get("diagnostics") or issue.get("code") or issue["severity"])
    return None


def _failed_status(response: Any) -> str | None:
    """The status of a response that brought nothing though something was asked for: ``404 Not Found``."""
    status = response.get("status") if isinstance(response, dict) else None
    return status if isinstance(status, str) and status[:1] in ("3", "4", "5") else None
