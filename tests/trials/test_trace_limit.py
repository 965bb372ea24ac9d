"""What a run may keep of what it read: a record with 100,000 codings takes no gigabyte."""

import json

import pytest

from engine.errors import LimitExceeded
from engine.fhir import PatientRecord, decode_bundle
from engine.language.evaluation import trace
from engine.language.values import DateTime
from engine.workspace import Workspace

CQL = """using FHIR version '4.0.1'
context Patient
define X: Count([Observation] O where O.status = 'final')
"""


def test_more_events_than_can_be_kept_are_an_error_of_the_define(monkeypatch: pytest.MonkeyPatch) -> None:
    observation = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/p"}}
    entries = [{"resource": {"resourceType": "Patient", "id": "p"}}]
    entries += [{"resource": {**observation, "id": f"o{i}"}} for i in range(50)]
    data = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    record = PatientRecord.from_bundle(decode_bundle(data, source="many.json"))
    workspace = Workspace()
    program = workspace.program(workspace.translate(CQL))
    context = workspace.context(DateTime(2024, 1, 1, 0, 0, 0, 0, 0), record=record)
    assert workspace.evaluate(program, context, trace=True).define("X") == 50
    monkeypatch.setattr(trace, "MOST_EVENTS", 40)
    assert workspace.evaluate(program, context).define("X") == 50
    with pytest.raises(LimitExceeded, match="more than 40 elements of the record were read") as raised:
        workspace.evaluate(program, context, trace=True).define("X")
    assert raised.value.define == "X"
