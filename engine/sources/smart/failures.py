"""What goes wrong between us and a FHIR server, as sentences; a server's OperationOutcome is part of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.errors import InputError

MAX_TEXT = 300
"""Characters of a server's own words that reach a sentence of ours."""

MISSING_DATA_CODES = frozenset(
    ("suppressed", "incomplete", "too-costly", "throttled", "security", "login", "forbidden", "timeout", "exception")
)
"""Issue codes that say data is missing, whatever their severity (http://hl7.org/fhir/R4/valueset-issue-type.html)."""


class ServerError(InputError):
    """A FHIR server, or its authorization server, did not give what was asked for.

    ``source`` is the server's name and ``place`` what was asked for; ``status`` the HTTP status, where there is one;
    ``transient`` tells that it may go better later.
    """

    def __init__(
        self, source: str, place: str, message: str, *, status: int | None = None, transient: bool = False
    ) -> None:
        super().__init__(source, place, message)
        self.status = status
        self.transient = transient


class NoToken(InputError):
    """There is no access token: nothing more can be fetched, and the run ends."""


class RefusedAddress(ServerError):
    """An address we do not contact: it is outside the origins that the settings allow."""


def shown(text: object) -> str:
    """Words of a server made fit for a sentence: one line, printable, of bounded length."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    line = " ".join(line.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def issues(resource: Any) -> Iterator[tuple[str, str, str]]:
    """(severity, code, text) of each issue of an OperationOutcome; nothing for anything else."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "OperationOutcome":
        return
    listed = resource.get("issue")
    for issue in listed if isinstance(listed, list) else ():
        if isinstance(issue, dict):
            yield str(issue.get("severity") or "error"), str(issue.get("code") or ""), _text(issue)


def _text(issue: dict[str, Any]) -> str:
    details = issue.get("details")
    words = [issue.get("diagnostics")]
    if isinstance(details, dict):
        codings = details.get("coding")
        first = codings[0] if isinstance(codings, list) and codings and isinstance(codings[0], dict) else {}
        words = [details.get("text") or first.get("display") or first.get("code"), *words]
    places = issue.get("expression")
    if isinstance(places, list):
        words.extend(places)
    found = list(dict.fromkeys(w for w in words if isinstance(w, str) and w.strip()))
    return shown(": ".join(found)) or shown(issue.get("code") or "no reason given")


def outcome_text(resource: Any) -> str:
    """The issues of an OperationOutcome as one text; empty for anything else."""
    return shown("; ".join(dict.fromkeys(text for _, _, text in issues(resource))))


def says_missing(severity: str, code: str) -> bool:
    """True when an issue beside the results says that some of them are missing."""
    return severity in ("fatal", "error") or code in MISSING_DATA_CODES
