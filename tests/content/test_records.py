"""Conditions, medications, procedures, allergies, other trials, consents and attestations."""

import pytest

from tests.content._asking import (
    ATTESTATION,
    ICD,
    SNOMED,
    ask,
    concept,
    condition,
    observation,
    statement,
    verification,
)

GVHD = (SNOMED, "234646005")
COLON = (ICD, "C18.9")
PRESENT = 'History.Recorded(([Condition: "gvhd"].credible()) C return all C.present())'


@pytest.mark.parametrize(
    ("conditions", "complete", "answer"),
    (
        ([], True, False),
        ([], False, None),
        ([condition(GVHD)], False, True),
        ([condition(GVHD, "relapse")], False, True),
        ([condition(GVHD, "resolved")], True, False),
        ([condition(GVHD, "resolved")], False, None),
        ([condition(GVHD, None)], True, None),
        ([condition(GVHD, None, abatementDateTime="2026-03-15")], True, False),
        ([condition(GVHD, None, abatementDateTime="2026-03-16")], True, None),
        ([condition(GVHD, None, abatementDateTime="2026-03")], True, None),
        ([condition(GVHD, None, abatementString="cured")], True, None),
        ([condition(GVHD, "active", abatementDateTime="2026-03-15")], True, True),
        ([condition(GVHD, **verification("refuted"))], True, False),
        ([condition(GVHD, **verification("entered-in-error"))], True, False),
        ([condition(GVHD, **verification("provisional"))], True, None),
        ([condition(GVHD, **verification("provisional")), condition(GVHD)], True, True),
        ([condition(GVHD, onsetDateTime="2026-04-01")], True, False),
        ([condition(GVHD, recordedDate="2026-04-01")], True, False),
        ([condition(COLON)], True, False),
        # A coding that states no system is in no value set, whatever its code.
        ([condition(GVHD) | {"code": {"coding": [{"code": GVHD[1]}]}}], False, None),
        # A condition of text alone is no match, and proves nothing beyond AssumeCompleteHistory.
        ([condition(GVHD) | {"code": {"text": "graft-versus-host disease"}}], True, False),
        ([condition(GVHD) | {"code": {"text": "graft-versus-host disease"}}], False, None),
    ),
)
def test_present_conditions(conditions: list, complete: bool, answer: object) -> None:
    assert ask(PRESENT, conditions, AssumeCompleteHistory=complete) is answer


WITHIN = (
    'History.Recorded((ProstateCancer."Other malignancies") M '
    'return all M.presentWithin(5 years, Screening."Screening date"))'
)


@pytest.mark.parametrize(
    ("given", "answer"),
    (
        (condition(COLON, "resolved", onsetDateTime="2019-04-01", abatementDateTime="2021-03-16"), True),
        (condition(COLON, "resolved", onsetDateTime="2019-04-01", abatementDateTime="2021-03-15"), False),
        (condition(COLON, "resolved", onsetDateTime="2019-04-01", abatementDateTime="2021-03"), None),
        (condition(COLON, "active", onsetDateTime="2010-04-01"), True),
        (condition(COLON, "active"), True),
        (condition(COLON, "resolved", onsetDateTime="2019-04-01"), None),
        (condition(COLON, "resolved", onsetDateTime="2023-04-01"), True),
        (condition(COLON, "resolved"), None),
        (condition(COLON, None, onsetDateTime="2019-04-01"), None),
        (condition(COLON, "resolved", abatementPeriod={"start": "2018-01-01", "end": "2019-01-01"}), False),
        (condition(COLON, "resolved", onsetDateTime="2010", abatementAge={"value": 55, "unit": "a"}), None),
        # The prostate cancer and what spread from it are no other malignancy.
        (condition((ICD, "C61")), False),
        (condition((ICD, "C79.51")), False),
        (condition((SNOMED, "396198006")), False),
        (condition((ICD, "C83.3")), True),
        (condition((ICD, "D05.1")), False),
    ),
)
def test_other_malignancies_within_five_years(given: dict, answer: object) -> None:
    assert ask(WITHIN, [given]) is answer


@pytest.mark.parametrize(
    ("severity", "answer"),
    (
        (None, None),
        (concept(text="severe"), True),
        ({"coding": [{"display": "Severe (severity modifier) (qualifier value)"}]}, True),
        ({"coding": [{"display": "Mild"}]}, False),
        (concept(text="grade unknown"), None),
        (concept((SNOMED, "24484000")), True),
        (concept((SNOMED, "6736007")), False),
        (concept((SNOMED, "255604002")), False),
        (concept((SNOMED, "1")), None),
    ),
)
def test_severity(severity: object, answer: object) -> None:
    given = condition(COLON) | ({"severity": severity} if severity else {})
    assert ask("First([Condition]).severe()", [given]) is answer


ANTIBIOTICS = (
    'Medications.Exposures([MedicationStatement: medication in "antibiotics"], '
    '[MedicationRequest: medication in "antibiotics"], [MedicationAdministration: medication in "antibiotics"])'
)
CEFTRIAXONE, AMOXICILLIN = "2193", "723"
TODAY = f'History.Recorded(({ANTIBIOTICS}) E return all E.takenOn(Screening."Screening date"))'


def request(status: str, **more: object) -> dict:
    return {
        "resourceType": "MedicationRequest", "status": status, "intent": "order",
        "medicationCodeableConcept": statement(CEFTRIAXONE)["medicationCodeableConcept"],
    } | more  # fmt: skip


def administration(status: str, on: str) -> dict:
    made = request(status)
    del made["intent"]
    return made | {"resourceType": "MedicationAdministration", "effectiveDateTime": on}


@pytest.mark.parametrize(
    ("given", "answer"),
    (
        (statement(CEFTRIAXONE, start="2026-03-01"), True),
        (statement(CEFTRIAXONE), True),
        (statement(CEFTRIAXONE, start="2026-03"), True),
        (statement(CEFTRIAXONE, start="2026-03-01", end="2026-03-15"), False),
        (statement(CEFTRIAXONE, start="2026-03-01", end="2026-03-16"), True),
        (statement(CEFTRIAXONE, start="2026-03-01", end="2026-03"), None),
        (statement(CEFTRIAXONE, "completed", start="2026-03-01"), None),
        (statement(CEFTRIAXONE, "completed", start="2026-03-01", end="2026-03-16"), True),
        (statement(CEFTRIAXONE, "unknown", start="2026-03-01"), None),
        (statement(CEFTRIAXONE, "not-taken", start="2026-03-01"), False),
        (statement(CEFTRIAXONE, "intended", start="2026-03-01"), False),
        (statement(CEFTRIAXONE, "entered-in-error", start="2026-03-01"), False),
        (statement(CEFTRIAXONE, start="2026-04-01"), False),
        (statement("8640", start="2026-03-01"), False),
        (request("active", authoredOn="2026-03-01"), True),
        (request("cancelled", authoredOn="2026-03-01"), False),
        (request("active", authoredOn="2026-03-01", intent="proposal"), False),
        (request("active", authoredOn="2026-03-01", doNotPerform=True), False),
        (request("stopped", authoredOn="2026-03-01"), None),
        (request("active", authoredOn="2026-03-01", dosageInstruction=[
            {"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-08"}}}}]), False),
        # For seven days, or for ten doses: it ended some day, or did not yet.
        (request("active", authoredOn="2026-02-02", dosageInstruction=[
            {"timing": {"repeat": {"boundsDuration": {"value": 7, "unit": "d"}}}}]), None),
        (request("active", authoredOn="2026-02-02", dosageInstruction=[{"timing": {"repeat": {"count": 10}}}]), None),
        (request("active", authoredOn="2026-02-02", dosageInstruction=[
            {"timing": {"repeat": {"frequency": 1}}}]), True),
        (administration("completed", "2026-03-16"), True),
        (administration("completed", "2026-03-15"), False),
        (administration("not-done", "2026-03-16"), False),
    ),
)  # fmt: skip
def test_taken_today(given: dict, answer: object) -> None:
    assert ask(TODAY, [given]) is answer


COURSE = (
    f"Medications.CourseOfAtLeast(({ANTIBIOTICS}) E where E.intravenous() is true, "
    f"({ANTIBIOTICS}) E where E.taken is not false and E.intravenous() is not false, "
    '7, 6 weeks, Screening."Screening date")'
)
IV = "intravenous"


@pytest.mark.parametrize(
    ("given", "answer"),
    (
        ([], False),
        ([statement(CEFTRIAXONE, "completed", "2026-02-02", "2026-02-08", IV)], True),
        ([statement(CEFTRIAXONE, "completed", "2026-02-03", "2026-02-08", IV)], False),
        ([statement(CEFTRIAXONE, "completed", "2026-02-02", "2026-02-08", "oral")], False),
        ([statement(CEFTRIAXONE, "completed", "2026-02-02", "2026-02-08")], None),
        ([statement(CEFTRIAXONE, "completed", "2026-02-02", None, IV)], None),
        ([statement(CEFTRIAXONE, "completed", "2026-02-02", "2026-02", IV)], None),
        # The first day of the six weeks, 2 February, belongs to them.
        ([statement(CEFTRIAXONE, "completed", "2026-01-20", "2026-02-02", IV)], True),
        ([statement(CEFTRIAXONE, "completed", "2026-01-20", "2026-02-01", IV)], False),
        # Courses that follow on each other are one; a day between them parts them.
        ([statement(CEFTRIAXONE, "completed", "2026-02-10", "2026-02-13", IV),
          statement("11124", "completed", "2026-02-14", "2026-02-16", "IV infusion")], True),
        ([statement(CEFTRIAXONE, "completed", "2026-02-10", "2026-02-13", IV),
          statement("11124", "completed", "2026-02-15", "2026-02-17", IV)], False),
        ([statement(CEFTRIAXONE, "active", "2026-03-10", None, IV)], True),
        ([statement(CEFTRIAXONE, "active", "2026-03-11", None, IV)], False),
    ),
)  # fmt: skip
def test_courses(given: list, answer: object) -> None:
    assert ask(COURSE, given) is answer


@pytest.mark.parametrize(
    ("route", "systemic"),
    (("oral", True), ("IV", True), ("subcutaneous", True), ("inhalation", False), ("topical", False), (None, None),
     # A word inside another one is not meant ("iv" in conjunctival), and what is inhaled by mouth is not swallowed.
     ("conjunctival", False), ("portal", None), ("oral inhalation", False), ("i.v. infusion", True), ("PO daily", True),
     ("as directed", None)),
)  # fmt: skip
def test_systemic(route: str | None, systemic: object) -> None:
    given = statement(AMOXICILLIN, "active", "2026-03-01", None, route)
    assert ask(f"First({ANTIBIOTICS}).systemic()", [given]) is systemic


@pytest.mark.parametrize(
    ("code", "intravenous", "oral", "systemic"),
    (
        ((SNOMED, "47625008"), True, False, True),
        ((SNOMED, "26643006"), False, True, True),
        ((SNOMED, "34206005"), False, False, True),
        ((SNOMED, "6064005"), False, False, False),
        ((SNOMED, "284009009"), None, None, None),  # "route of administration value" names none
        (("http://example.org", "47625008"), None, None, None),
    ),
)
def test_a_route_by_its_code_alone(code: tuple, intravenous: object, oral: object, systemic: object) -> None:
    given = statement(AMOXICILLIN, "active", "2026-03-01") | {"dosage": [{"route": concept(code)}]}
    asked = f"First({ANTIBIOTICS})"
    assert ask(f"{asked}.intravenous()", [given]) is intravenous
    assert ask(f"{asked}.oral()", [given]) is oral
    assert ask(f"{asked}.systemic()", [given]) is systemic


BYPASS = (
    'History.Recorded(([Procedure: "cabg"].credible()) P '
    'return all P.doneWithin(6 months, Screening."Enrollment date"))'
)


@pytest.mark.parametrize(
    ("more", "answer"),
    (
        ({"status": "completed", "performedDateTime": "2025-09-16"}, True),
        ({"status": "completed", "performedDateTime": "2025-09-15"}, False),
        ({"status": "completed", "performedDateTime": "2025-09"}, None),
        ({"status": "completed"}, None),
        ({"status": "not-done", "performedDateTime": "2026-01-01"}, False),
        ({"status": "entered-in-error", "performedDateTime": "2026-01-01"}, False),
        ({"status": "stopped", "performedDateTime": "2026-01-01"}, None),
        ({"status": "completed", "performedPeriod": {"start": "2026-01-01", "end": "2026-01-02"}}, True),
        ({"status": "completed", "performedPeriod": {"start": "2025-09-10", "end": "2025-09-16"}}, True),
        ({"status": "completed", "performedPeriod": {"start": "2025-09-10", "end": "2025-09-15"}}, False),
        ({"status": "completed", "performedPeriod": {"start": "2025-09-10"}}, None),
        ({"status": "in-progress", "performedPeriod": {"start": "2025-09-10"}}, True),
        ({"status": "completed", "performedPeriod": {"end": "2025-09-15"}}, False),
    ),
)
def test_procedures(more: dict, answer: object) -> None:
    given = {"resourceType": "Procedure", "code": concept((SNOMED, "232717009"))} | more
    assert ask(BYPASS, [given]) is answer


BIOLOGIC = (
    "History.Recorded(([AllergyIntolerance].credible()) A "
    "return all A.verified() and A.hypersensitivity() and A.toBiologic())"
)


@pytest.mark.parametrize(
    ("more", "answer"),
    (
        ({"category": ["biologic"]}, True),
        ({"category": ["biologic"], "type": "intolerance"}, False),
        ({"category": ["biologic"], **verification("refuted")}, False),
        ({"category": ["biologic"], **verification("unconfirmed")}, None),
        ({"category": ["food"]}, False),
        ({}, None),
        ({"code": concept((SNOMED, "409137002"))}, False),  # no known drug allergy
        ({"code": concept((SNOMED, "716186003")), "category": ["biologic"]}, False),  # no known allergy
        ({"code": concept((SNOMED, "39579001"))}, None),
    ),
)
def test_allergies(more: dict, answer: object) -> None:
    assert ask(BIOLOGIC, [{"resourceType": "AllergyIntolerance"} | more]) is answer


OTHER_TRIALS = (
    "History.Recorded(Participation.OtherTrialsWithin({ 'NCT01', 'OWN' }, 3 months, Screening.\"Screening date\"))"
)


@pytest.mark.parametrize(
    ("more", "answer"),
    (
        ({"status": "off-study", "period": {"start": "2025-01-01", "end": "2025-12-16"}}, True),
        ({"status": "off-study", "period": {"start": "2025-01-01", "end": "2025-12-15"}}, False),
        ({"status": "off-study", "period": {"start": "2025-01-01"}}, None),
        ({"status": "on-study", "period": {"start": "2025-01-01"}}, True),
        ({"status": "on-study", "study": None}, None),
        ({"status": "candidate", "period": {"start": "2026-01-01"}}, False),
        ({"status": "screening"}, False),
        ({"status": "withdrawn"}, None),
        ({"status": "withdrawn", "period": {"start": "2026-01-01", "end": "2026-01-05"}}, True),
        ({"status": "on-study", "study": {"reference": "ResearchStudy/own"}}, False),
        ({"status": "on-study", "study": {"identifier": {"value": "NCT01"}}}, False),
    ),
)
def test_other_trials(more: dict, answer: object) -> None:
    given = {"resourceType": "ResearchSubject", "study": {"reference": "ResearchStudy/s9"}} | more
    given = {name: value for name, value in given.items() if value is not None}
    assert ask(OTHER_TRIALS, [given]) is answer


def test_own_study_by_its_registry_number() -> None:
    subject = {"resourceType": "ResearchSubject", "status": "on-study", "study": {"reference": "ResearchStudy/s9"}}
    study = {"resourceType": "ResearchStudy", "id": "s9", "status": "active", "identifier": [{"value": "NCT01"}]}
    assert ask(OTHER_TRIALS, [subject]) is True
    assert ask(OTHER_TRIALS, [subject, study]) is False


def consent(status: str = "active", on: str | None = "2026-03-09", scope: str = "research", **more: object) -> dict:
    made = {
        "resourceType": "Consent", "status": status,
        "scope": concept(("http://terminology.hl7.org/CodeSystem/consentscope", scope)),
        "category": [concept(("http://loinc.org", "59284-0"))], "provision": {"type": "permit"},
    }  # fmt: skip
    return made | ({"dateTime": on} if on else {}) | more


@pytest.mark.parametrize(
    ("given", "answer"),
    (
        ([], None),
        ([consent()], True),
        ([consent("rejected")], False),
        ([consent("inactive")], False),
        ([consent("draft")], None),
        ([consent("entered-in-error")], None),
        ([consent(on=None)], None),
        ([consent(on="2026-03-17")], None),
        ([consent(scope="treatment")], None),
        ([consent(provision={"type": "deny"})], False),
        ([consent(on="2026-03-01"), consent("inactive")], False),
        ([consent(), consent("inactive")], None),
    ),
)
def test_consent(given: list, answer: object) -> None:
    assert ask("Consents.Consented()", given) is answer


COMPLIES = 'Attestations.Attested([Observation: "complies"], "complies")'
CODE = (ATTESTATION, "able-to-comply-follow-up")
YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"


YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"


def response(answer: bool | str, on: str | None = "2026-03-14", status: str = "completed") -> dict:
    value = (
        {"valueBoolean": answer} if isinstance(answer, bool) else {"valueCoding": {"system": YES_NO, "code": answer}}
    )
    made = {
        "resourceType": "QuestionnaireResponse", "status": status,
        "item": [{"linkId": "group", "item": [{"linkId": CODE[1], "answer": [value]}]}],
    }  # fmt: skip
    return made | ({"authored": on} if on else {})


@pytest.mark.parametrize(
    ("given", "answer"),
    (
        ([], None),
        ([observation(CODE, True)], True),
        ([observation(CODE, False)], False),
        ([observation(CODE)], None),
        ([observation(CODE, {"coding": [{"system": SNOMED, "code": "373066001"}]})], True),
        ([observation(CODE, {"coding": [{"system": SNOMED, "code": "373067005"}]})], False),
        ([observation(CODE, {"coding": [{"system": "http://loinc.org", "code": "LA32-8"}]})], False),
        ([observation(CODE, {"coding": [{"system": YES_NO, "code": "Y"}]})], True),
        ([observation(CODE, {"coding": [{"system": "http://example.org", "code": "Y"}]})], None),
        ([observation(CODE, {"text": "yes"})], None),
        ([observation(CODE, True, None)], None),
        ([observation(CODE, True, "2026-03-17")], None),
        ([observation(CODE, True, "2020-01-01")], True),
        ([observation(CODE, True, "2026-03-01"), observation(CODE, False)], False),
        ([observation(CODE, True), observation(CODE, False)], None),
        ([observation(CODE, True, status="entered-in-error")], None),
        ([response(True)], True),
        ([response(False)], False),
        ([response(True, status="in-progress")], None),
        ([response(True, None)], None),
        ([response(True), observation(CODE, False, "2026-03-12")], True),
        ([response(True), observation(CODE, False, "2026-03-14")], None),
        # A coded yes or no says the same as true and false.
        ([observation(CODE, concept((YES_NO, "Y")))], True),
        ([observation(CODE, concept((YES_NO, "N")))], False),
        ([observation(CODE, concept((SNOMED, "373066001")))], True),
        ([observation(CODE, concept((SNOMED, "373067005")))], False),
        ([observation(CODE, concept((YES_NO, "Y"), (SNOMED, "373067005")))], None),
        ([observation(CODE, concept((SNOMED, "Y")))], None),
        ([observation(CODE, concept(text="yes"))], None),
        ([response("Y")], True),
        ([response("N")], False),
        ([response("U")], None),
    ),
)
def test_attestation(given: list, answer: object) -> None:
    assert ask(COMPLIES, given) is answer
