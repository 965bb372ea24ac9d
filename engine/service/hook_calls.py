"""What CDS Hooks clients send: a call of ``patient-view``, and feedback on cards.

Source: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.language.values import DateTime
from engine.service.calls import is_id
from engine.service.keeping import Feedback
from engine.service.refusals import refused

HOOK: Final = "patient-view"
OUTCOMES: Final = ("accepted", "overridden")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")


def patient_of(body: Any) -> str:
    """The id of the patient in view; Refused when the call is not one of patient-view."""
    if not isinstance(body, Mapping):
        raise refused(400, "structure", "the body is no object; a CDS Hooks call was expected")
    if body.get("hook") != HOOK:
        raise refused(400, "value", f"this service answers the hook '{HOOK}' and no other", "hook")
    if not isinstance(body.get("hookInstance"), str) or not _UUID.fullmatch(body["hookInstance"]):
        raise refused(400, "required", "the call needs its hookInstance, a UUID", "hookInstance")
    context = body.get("context")
    patient = context.get("patientId") if isinstance(context, Mapping) else None
    if not isinstance(patient, str) or not patient:
        raise refused(400, "required", "the call needs the id of the patient in view", "context.patientId")
    identity = patient.removeprefix("Patient/")
    if not is_id(identity):
        sentence = "the patient in view is named by an id, up to 256 letters, digits and signs; this is none"
        raise refused(400, "value", sentence, "context.patientId")
    return identity


def entries_of(service: str, body: Any) -> tuple[Feedback, ...]:
    """The feedback in a body; Refused when it is none."""
    rows = body.get("feedback") if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise refused(400, "required", "the body needs a list 'feedback' of at least one entry", "feedback")
    return tuple(_entry(service, row, f"feedback[{index}]") for index, row in enumerate(rows))


def _entry(service: str, row: Any, place: str) -> Feedback:
    if not isinstance(row, Mapping):
        raise refused(400, "structure", "an entry of feedback is an object", place)
    texts = {name: row.get(name) for name in ("card", "outcome", "outcomeTimestamp")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise refused(400, "required", f"an entry of feedback needs '{name}', a text", f"{place}.{name}")
    if not _is_moment(str(texts["outcomeTimestamp"])):
        sentence = "the moment of an outcome is written like 2026-03-16T10:00:00Z"
        raise refused(400, "value", sentence, f"{place}.outcomeTimestamp")
    if texts["outcome"] not in OUTCOMES:
        raise refused(400, "value", f"an outcome is {' or '.join(OUTCOMES)}", f"{place}.outcome")
    return Feedback(service, str(texts["card"]), str(texts["outcome"]), str(texts["outcomeTimestamp"]), dict(row))


def _is_moment(text: str) -> bool:
    try:
        return _MOMENT.fullmatch(text) is not None and DateTime.parse(text[:16]) is not None
    except ValueError:
        return False
