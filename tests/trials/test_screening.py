"""From a record to results: verdicts, evidence, what was set aside, what is missing, what the result was made from."""

import itertools
import json
from typing import Any, get_args

import pytest

from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.sources import own_content
from engine.trials import CriterionResult, Screening, TrialResult, moment_of, read_trial, to_json, verdict_of
from engine.trials.results import Result
from engine.trials.trial import Kind

LIBRARY = """/*
@trial: T
@registry: NCT0
@title: A title
*/
library T version '1.0.0'
using FHIR version '4.0.1'
codesystem "LOINC": 'http://loinc.org'
code "Platelets": '777-3' from "LOINC" display 'Platelets'
code "Hemoglobin": '718-7' from "LOINC" display 'Hemoglobin'
valueset "Heart failure": 'http://example.org/fhir/ValueSet/heart-failure'
valueset "Nowhere": 'http://example.org/fhir/ValueSet/nowhere'
parameter AssumeCompleteHistory Boolean default true
parameter ScreeningDate Date
parameter Lookback System.Quantity default 28 days
context Patient

/* @setaside: not final */
define fluent function final(found List<FHIR.Observation>): found F where F.status.value = 'final'

define "Days": Interval[ScreeningDate - Lookback, ScreeningDate]

/* @window: Days */
define fluent function lately(found List<FHIR.Observation>): found.final()

define function value(found FHIR.Observation):
  System.Quantity { value: (found.value as FHIR.Quantity).value.value, unit: (found.value as FHIR.Quantity).code.value }

/* @basis: assumed-absent */
define function assumed(): if AssumeCompleteHistory then false else null

/* @basis: attested */
define function attested(found FHIR.Observation): (found.value as FHIR.boolean).value

/*
@criterion: T-I1
@inclusion
@text: Platelets of 100 or more
*/
define "I1": value(Last(([Observation: "Platelets"]).lately())) >= 100 '10*9/L'

/*
@criterion: T-I2
@inclusion
@text: Platelets or hemoglobin in order
*/
define "I2": "I2a" or "I2b"
/*
@atom: T-I2a
@text: Platelets
*/
define "I2a": "I1"
/*
@atom: T-I2b
@text: Hemoglobin
*/
define "I2b": value(Last(([Observation: "Hemoglobin"]).final())) >= 9 'g/dL'

/*
@criterion: T-E1
@exclusion
@text: Heart failure
*/
define "E1": if exists [Condition: "Heart failure"] then true else assumed()

/*
@criterion: T-E2
@exclusion
@text: In a value set that nobody has
*/
define "E2": exists [Condition: "Nowhere"]

/*
@criterion: T-E3
@exclusion
@text: Said to be unsuitable
*/
define "E3": attested(First([Observation: code in { Code '1' from "LOINC" }]))

/*
@criterion: T-E4
@exclusion
@text: Heart failure, by its code or in words
*/
define "E4":
  if exists [Condition: "Heart failure"] or exists ([Condition] C where C.code.text.value = 'weak heart') then true
  else assumed()
"""


@pytest.fixture(scope="module")
def screening(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("trial") / "t.cql"
    path.write_text(LIBRARY, "utf-8")
    workspace = own_content().workspace()
    trial, diagnostics = read_trial(workspace, path)
    assert trial is not None, [d.render() for d in diagnostics]

    def run(*resources: dict[str, Any], **parameters: Any) -> TrialResult:
        entries = [{"resource": r} for r in ({"resourceType": "Patient", "id": "p"}, *resources)]
        data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
        data = data.replace(b'"<', b"").replace(b'>"', b"")  # "<98.10>" stands for the number with these digits
        record = PatientRecord.from_bundle(decode_bundle(data, source="test"))
        moment = moment_of({}, Date(2026, 6, 15), 0, "test")
        (result,) = Screening(workspace, [trial], parameters, moment).screen(record, "test")
        return result

    return run


def lab(identity: str, code: str, value: int, unit: str, **more: Any) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}
    coding = {"coding": [{"system": "http://loinc.org", "code": code}]}
    fixed = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": coding,
        "valueQuantity": quantity,
    }
    return {**fixed, "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-06-10", **more}


def condition(identity: str, code: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": identity, "subject": {"reference": "Patient/p"}, "code": code}


HEART_FAILURE = {"coding": [{"system": "http://snomed.info/sct", "code": "42343007"}]}


def test_a_near_miss_has_its_evidence_and_its_distance(screening: Any) -> None:
    result = screening(lab("a", "777-3", 98, "10*9/L"))
    answer = result.of("T-I1")
    assert (answer.result, answer.basis) == ("not-met", "record")
    assert [(e.resource, e.path, e.value, e.date, e.clause, e.role) for e in answer.evidence] == [
        ("Observation/a", "code", "777-3", "2026-06-10", "I1", "decided"),
        ("Observation/a", "valueQuantity", {"value": 98, "unit": "10*9/L"}, "2026-06-10", "I1", "decided"),
    ]
    miss = answer.near_miss
    assert (miss.value, miss.operator, miss.limit, miss.distance) == ("98 10*9/L", "<", "100 10*9/L", "2 10*9/L")
    assert result.verdict == "ineligible"


def test_an_unknown_says_what_is_missing_and_what_was_set_aside(screening: Any) -> None:
    answer = screening(lab("a", "777-3", 98, "10*9/L", status="preliminary")).of("T-I1")
    assert (answer.result, answer.basis) == ("unknown", "no-data")
    assert [(s.resource, s.reason) for s in answer.set_aside] == [("Observation/a", "not final")]
    (missing,) = answer.missing
    assert (missing.resource_type, missing.codes, missing.url) == ("Observation", "Platelets", "http://loinc.org|777-3")
    assert missing.reason == "1 found, none usable: not final"
    assert [e.role for e in answer.evidence] == ["considered"]


def test_what_is_missing_says_which_days_count(screening: Any) -> None:
    windows = [m.window for a in screening().of("T-I2").atoms for m in a.missing]
    assert windows == ["2026-05-18/2026-06-15", None]
    assert screening(Lookback="1 month").of("T-I1").missing[0].window == "2026-05-15/2026-06-15"
    assert screening(Lookback=None).of("T-I1").missing[0].window is None


def test_an_element_that_is_not_there_is_missing(screening: Any) -> None:
    record = lab("a", "777-3", 98, "10*9/L")
    del record["valueQuantity"]
    answer = screening(record).of("T-I1")
    assert answer.result == "unknown"
    assert [(m.resource, m.element) for m in answer.missing] == [("Observation/a", "value")]


HUGE = "<1e400>"


@pytest.mark.parametrize(
    "members",
    (
        {"valueQuantity": {"value": HUGE, "unit": "10*9/L", "code": "10*9/L"}},
        {"valueQuantity": {"value": 98, "unit": HUGE, "code": HUGE}},
        {"effectiveDateTime": HUGE, "valueQuantity": {"value": 98, "code": "10*9/L"}},
        {"code": {"text": HUGE, "coding": [{"system": "http://loinc.org", "code": "777-3", "display": HUGE}]}},
    ),
)
def test_a_number_too_large_to_be_read_has_a_result_all_the_same(screening: Any, members: Any) -> None:
    result = screening(lab("a", "777-3", 98, "10*9/L") | members)
    assert b"Observation/a" in to_json(result)
    read = members.get("valueQuantity", {"value": 98, "code": "10*9/L"})
    assert result.of("T-I1").result == ("not-met" if read["value"] == 98 and read["code"] == "10*9/L" else "unknown")


def test_a_record_that_must_not_be_used_is_neither_there_nor_absent(screening: Any) -> None:
    modified = condition("c", HEART_FAILURE) | {"modifierExtension": [{"url": "http://h/not", "valueBoolean": True}]}
    answer = screening(modified).of("T-E1")
    assert answer.result == "error"
    assert "Condition/c cannot be used: it carries the modifier extension http://h/not" in answer.error


def test_only_what_decides_is_decided(screening: Any) -> None:
    result = screening(lab("a", "777-3", 120, "10*9/L"), lab("b", "718-7", 7, "g/dL"))
    answer = result.of("T-I2")
    assert answer.result == "met"
    assert {e.resource for e in answer.evidence if e.role == "decided"} == {"Observation/a"}
    assert [(a.id, a.result) for a in answer.atoms] == [("T-I2a", "met"), ("T-I2b", "not-met")]
    assert {e.resource for e in answer.atoms[1].evidence} == {"Observation/b"}


def test_absence_is_named_as_such_and_unknown_without_the_assumption(screening: Any) -> None:
    result = screening()
    assert (result.of("T-E1").result, result.of("T-E1").basis) == ("not-met", "assumed-absent")
    assert result.absence.criteria == ("T-E1", "T-E4")
    assert result.absence.resource_types == ("Condition", "Observation")
    open_one = screening(AssumeCompleteHistory=False)
    assert (open_one.of("T-E1").result, open_one.of("T-E1").basis) == ("unknown", "no-data")
    assert open_one.absence.criteria == ()
    assert [(m.resource_type, m.codes) for m in open_one.of("T-E1").missing] == [("Condition", "Heart failure")]


def test_presence_is_evidence(screening: Any) -> None:
    answer = screening(condition("c", HEART_FAILURE)).of("T-E1")
    assert (answer.result, answer.basis) == ("met", "record")
    assert [(e.resource, e.path, e.role) for e in answer.evidence] == [("Condition/c", "code", "decided")]


def test_what_a_look_at_a_whole_type_passed_over_is_no_evidence(screening: Any) -> None:
    cough = condition("cough", {"text": "cough"})
    answer = screening(cough, condition("weak", {"text": "weak heart"})).of("T-E4")
    assert (answer.result, [(e.resource, e.role) for e in answer.evidence]) == ("met", [("Condition/weak", "decided")])
    assert screening(cough).of("T-E4").evidence == ()
    listed = screening(cough, condition("weak", {"text": "weak heart"})).unmatched
    assert [u.resource for u in listed] == ["Condition/cough"]
    open_one = screening(cough, AssumeCompleteHistory=False).of("T-E4")
    assert [(m.resource_type, m.codes) for m in open_one.missing] == [("Condition", "Heart failure")]


def test_a_failure_is_an_error_of_that_criterion_alone(screening: Any) -> None:
    result = screening(lab("a", "777-3", 120, "10*9/L"))
    assert result.of("T-E2").result == "error"
    assert "http://example.org/fhir/ValueSet/nowhere" in result.of("T-E2").error
    assert result.of("T-I1").result == "met"
    assert result.verdict == "needs-review"


def test_an_attestation_is_the_basis(screening: Any) -> None:
    said = lab("s", "1", 0, "1")
    del said["valueQuantity"]
    answer = screening({**said, "valueBoolean": False}).of("T-E3")
    assert (answer.result, answer.basis) == ("not-met", "attested")


def test_what_nobody_looked_at_is_listed(screening: Any) -> None:
    result = screening(
        condition("known", HEART_FAILURE), condition("text", {"text": "gout"}),
        condition("other", {"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": "Other"}]}),
    )  # fmt: skip
    assert [(u.resource, u.text, u.reason) for u in result.unmatched] == [
        ("Condition/text", "gout", "text-only"), ("Condition/other", "Other (1)", "in-no-value-set"),
    ]  # fmt: skip


def test_another_persons_resources_are_set_aside_and_count_for_nothing(screening: Any) -> None:
    result = screening(lab("a", "777-3", 98, "10*9/L", subject={"reference": "Patient/other"}))
    assert result.of("T-I1").result == "unknown"
    assert [s.resource for s in result.set_aside] == ["Observation/a"]


def test_the_stamp_changes_with_what_it_stands_for_and_with_nothing_else(screening: Any) -> None:
    a, b = lab("a", "777-3", 120, "10*9/L"), lab("b", "718-7", 10, "g/dL")
    one, again, shuffled = screening(a, b), screening(a, b), screening(b, a)
    assert to_json(one) == to_json(again)
    assert one.stamp == shuffled.stamp
    changed = screening({**a, "effectiveDateTime": "2026-06-11"}, b)
    assert changed.stamp.data != one.stamp.data
    assert changed.stamp.library == one.stamp.library
    assert screening(a, b, AssumeCompleteHistory=False).stamp.parameters != one.stamp.parameters


def test_json_has_the_names_of_the_design(screening: Any) -> None:
    result = json.loads(to_json(screening(lab("a", "777-3", 98, "10*9/L"))))
    assert {"trial", "patient", "verdict", "criteria", "absence", "stamp", "screeningDate"} <= set(result)
    of_criterion = {"id", "kind", "text", "result", "basis", "atoms", "evidence", "missing", "setAside", "nearMiss"}
    assert of_criterion <= set(result["criteria"][0])
    assert set(result["stamp"]) == {"engine", "library", "valuesets", "parameters", "data", "evaluationTime"}


def test_decimals_keep_their_digits_to_the_json(screening: Any) -> None:
    data = lab("a", "777-3", 0, "10*9/L")
    data["valueQuantity"]["value"] = "<98.10>"
    assert b'"value":98.10,' in to_json(screening(data))


KINDS: tuple[Kind, ...] = get_args(Kind)
RESULTS: tuple[Result, ...] = get_args(Result)


PAIRS = tuple(itertools.product(itertools.product(KINDS, RESULTS), repeat=2))


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_rules_of_the_verdict(pair: tuple[tuple[Kind, Result], ...]) -> None:
    criteria = [CriterionResult(str(n), kind, "", result, "record") for n, (kind, result) in enumerate(pair)]
    against = {("inclusion", "not-met"), ("exclusion", "met")}
    if against & set(pair):
        expected = "ineligible"
    elif {"unknown", "error", "not-encoded"} & {result for _, result in pair}:
        expected = "needs-review"
    else:
        expected = "eligible"
    assert verdict_of(criteria) == expected
