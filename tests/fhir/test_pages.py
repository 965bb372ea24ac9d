"""Bundles that say themselves that they are not whole: nothing rests on the absence of a record."""

import json
from typing import Any

import pytest

from engine.errors import EvaluationError
from engine.fhir import EVERY_TYPE, PatientRecord, decode_bundle

Json = dict[str, Any]
PATIENT: Json = {"resource": {"resourceType": "Patient", "id": "p"}}
NEXT = [{"relation": "self", "url": "http://s/1"}, {"relation": "next", "url": "http://s/2"}]


def outcome(severity: str, **issue: Any) -> Json:
    return {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": severity, **issue}]}}


def bundle(*entries: Json, kind: str = "searchset", **members: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [PATIENT, *entries], **members}


LACKING = (
    (bundle(link=NEXT), "one page of several"),
    (bundle(total=2), "a search with 2 results and holds 1"),
    (bundle({**PATIENT, "search": {"mode": "include"}}, total=2), "a search with 2 results and holds 1"),
    (bundle(outcome("information"), total=3), "a search with 3 results and holds 2"),
    (bundle(outcome("error", diagnostics="Observation could not be read")), "Observation could not be read"),
    (bundle(outcome("fatal", details={"text": "no way"}, code="exception")), "no way"),
    (bundle({"response": {"status": "404 Not Found"}}, kind="batch-response"), "answered 404 Not Found"),
    (bundle({"response": {"status": "500"}}, kind="batch-response"), "answered 500"),
    (bundle({"resource": bundle(link=NEXT)}, kind="batch-response"), "one page of several"),
)


@pytest.mark.parametrize(("resource", "sentence"), LACKING)
def test_what_may_be_missing_is_no_absence(resource: Json, sentence: str) -> None:
    record = PatientRecord.from_bundle(decode_bundle(json.dumps(resource).encode(), source="test"))
    assert sentence in record.unavailable[EVERY_TYPE]
    with pytest.raises(EvaluationError, match="not all records of the patient could be fetched"):
        record.resources("Condition")
    assert sentence in record.incomplete[0]


WHOLE = (
    bundle(),
    bundle(total=1),
    bundle({**outcome("warning"), "search": {"mode": "outcome"}}, total=1),
    bundle(total=7, kind="collection"),
    bundle(link=NEXT[:1]),
    bundle(total="9", link="next"),
    bundle({"response": {"status": "200 OK"}}, kind="batch-response"),
    bundle({"response": {"status": "404"}, "resource": {"resourceType": "Basic", "id": "b"}}, kind="batch-response"),
)


@pytest.mark.parametrize("resource", WHOLE)
def test_a_whole_bundle_is_whole(resource: Json) -> None:
    assert decode_bundle(json.dumps(resource).encode(), source="test").unavailable == {}
