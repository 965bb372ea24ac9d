"""The audit as FHIR AuditEvent (R4): who screened whom, when, with what (http://hl7.org/fhir/R4/auditevent.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.fhir.out import write
from engine.service.catalogue import identifier
from engine.service.inputs import versions_of
from engine.service.principal import Principal
from engine.service.storage import Entry, Storage
from engine.trials import TrialResult

EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
ACTIONS: Final[Mapping[str, str]] = {"screen": "E", "evaluate": "E", "read-result": "R", "feedback": "C", "forget": "D"}
"""The action codes of http://hl7.org/fhir/audit-event-action: execute, read, create, delete."""


def entry_of(
    caller: Principal,
    action: str,
    recorded: str,
    *,
    patient: str = "",
    outcome: str = "success",
    results: Sequence[TrialResult] = (),
    run: str | None = None,
    content: str | None = None,
) -> Entry:
    """The entry for what a caller did; with ``results``, whose trials and versions it names."""
    trials, versions = versions_of(results)
    return Entry(recorded, caller.name, action, patient, outcome, trials, versions, run, content)


def audit_event(number: int, entry: Entry, digest: str) -> dict[str, Any]:
    """The AuditEvent of an entry."""
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"audit-{number}",
        "type": {"system": EVENT_TYPE, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"display": entry.action}],
        "action": ACTIONS.get(entry.action, "E"),
        "recorded": entry.recorded,
        "outcome": "0" if entry.outcome == "success" else "4",
        "outcomeDesc": entry.outcome,
        "agent": [{"who": {"display": entry.who}, "requestor": True}],
        "source": {"observer": {"display": "eligibility engine"}},
    }
    entities = list(_entities(entry))
    entities.append({"name": "audit chain", "detail": [{"type": "digest", "valueString": digest}]})
    return event | {"entity": entities}


def _entities(entry: Entry) -> Iterable[dict[str, Any]]:
    if entry.patient:
        yield {
            "what": {"reference": entry.patient},
            "type": {"system": ENTITY_TYPE, "code": "1", "display": "Person"},
            "role": {"system": ENTITY_ROLE, "code": "1", "display": "Patient"},
        }
    for trial, version in entry.trials.items():
        yield {
            "what": {"reference": f"ResearchStudy/{identifier(trial)}"},
            "name": trial,
            "detail": [{"type": "criteria", "valueString": version}],
        }
    details = [{"type": name, "valueString": value} for name, value in entry.versions.items()]
    details += [{"type": "run", "valueString": entry.run}] if entry.run else []
    details += [{"type": "content", "valueString": entry.content}] if entry.content else []
    if details:
        yield {"name": "run", "detail": details}


def exported(storage: Storage) -> Iterable[bytes]:
    """The entries as lines of NDJSON, each validated."""
    for number, entry, digest in storage.audit.entries():
        yield write(audit_event(number, entry, digest)) + b"\n"
