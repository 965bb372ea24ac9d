"""Laboratory results: the latest that counts, units, comparators, the upper limit of normal of the same result."""

import pytest

from tests.content._asking import (
    ALT,
    ANC,
    HBSAG,
    LOINC,
    NEGATIVE,
    POSITIVE,
    SNOMED,
    UCUM,
    ask,
    concept,
    observation,
    quantity,
)

LOW = "Logic.Agreed(([Observation: \"anc\"].current()) R return all R.below(1.5 '10*9/L'))"


def anc(
    value: object, unit: str | None = "10*9/L", on: str | None = "2026-03-12", comparator: str | None = None, **more
):
    return observation(ANC, quantity(value, unit, comparator), on, **more)


@pytest.mark.parametrize(
    ("results", "answer"),
    (
        ([], None),
        ([anc(1.4)], True),
        ([anc(1.5)], False),
        ([anc(1500, "/uL")], False),
        ([anc(1499, "/uL")], True),
        ([anc(1.4, "10*3/uL")], True),
        # Units nobody can convert, no unit, another kind of quantity.
        ([anc(1.4, "10^9/L")], None),
        ([anc(1.4, None)], None),
        ([anc(1.4, "g/L")], None),
        ([observation(ANC, {"value": 1.4, "unit": "10*9/L"})], True),
        ([observation(ANC, {"value": 1.4, "unit": "10*9/L", "code": "10*9/L", "system": "http://example.org"})], None),
        # A comparator decides only if all that it allows is on one side.
        ([anc(1.5, comparator="<")], True),
        ([anc(1.6, comparator="<")], None),
        ([anc(1.5, comparator=">=")], False),
        ([anc(1.4, comparator=">")], None),
        ([anc(1.4, comparator="<=")], True),
        # The latest counts; what is stale, in the future, not final or in error does not.
        ([anc(1.4, on="2026-03-01"), anc(3)], False),
        ([anc(1.4, on="2026-02-16")], True),
        ([anc(1.4, on="2026-02-15")], None),
        ([anc(3), anc(1.4, on="2026-03-17")], False),
        ([anc(3), anc(1.4, on="2026-03-16")], True),
        ([anc(3), anc(1.4, on="2026-03-14", status="preliminary")], False),
        ([anc(3), anc(1.4, on="2026-03-14", status="entered-in-error")], False),
        ([anc(3), anc(1.4, on="2026-03-14", status="corrected")], True),
        # Without dates that tell which is the latest, only agreement decides.
        ([anc(3), anc(1.4)], None),
        ([anc(1.3), anc(1.4)], True),
        ([anc(1.4, on=None)], None),
        ([anc(1.4, on=None), anc(1.3)], True),
        ([anc(3, on=None), anc(1.3)], None),
        ([anc(1.4, on="2026-03"), anc(3)], None),
        ([anc(1.4, on="2026-02"), anc(3)], False),
        ([anc(1.4, on="2026-03-12T10:00:00+08:00"), anc(3, on="2026-03-12T18:00:00+08:00")], False),
        # A result whose value is missing says nothing, and hides what came before it unless it says why.
        ([anc(1.4, on="2026-03-01"), observation(ANC)], None),
        ([anc(1.4, on="2026-03-01"), observation(ANC, dataAbsentReason={"text": "clotted"})], True),
        # A period counts at its end; a range is all its values.
        ([observation(ANC, quantity(1.4, "10*9/L"), None, effectivePeriod={"end": "2026-03-12"})], True),
        ([observation(ANC, None, valueRange={"low": quantity(1.2, "10*9/L"), "high": quantity(1.4, "10*9/L")})], True),
        ([observation(ANC, None, valueRange={"low": quantity(1.2, "10*9/L"), "high": quantity(1.6, "10*9/L")})], None),
        # Of a range one end may not be told.
        ([observation(ANC, None, valueRange={"high": quantity(1.4, "10*9/L")})], True),
        ([observation(ANC, None, valueRange={"low": quantity(1.6, "10*9/L")})], False),
        ([observation(ANC, None, valueRange={"low": quantity(1.4, "10*9/L")})], None),
    ),
)
def test_latest_result(results: list, answer: object) -> None:
    assert ask(LOW, results) is answer


def test_lookback_is_a_parameter() -> None:
    assert ask(LOW, [anc(1.4, on="2026-01-01")], LabLookback="90 days") is True
    assert ask(LOW, [anc(1.4)], LabLookback=None) is None


RAISED = 'Logic.Agreed(([Observation: "alt"].current()) R return all R.atOrAboveULN(2.5))'
ABOVE = 'Logic.Agreed(([Observation: "alt"].current()) R return all R.aboveULN(2.5))'
U = "U/L"


def ranges(*given: dict) -> dict:
    return observation(ALT, quantity(100, U), referenceRange=list(given))


def sex(code: str) -> list:
    return [{"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": code}]}]


@pytest.mark.parametrize(
    ("result", "at_or_above", "above"),
    (
        (observation(ALT, quantity(100, U), high=quantity(40, U)), True, False),
        (observation(ALT, quantity(101, U), high=quantity(40, U)), True, True),
        (observation(ALT, quantity(99, U), high=quantity(40, U)), False, False),
        (observation(ALT, quantity(100, U, ">"), high=quantity(40, U)), True, True),
        (observation(ALT, quantity(100, U, "<"), high=quantity(40, U)), False, False),
        (observation(ALT, quantity(0.1, "kU/L"), high=quantity(40, U)), True, False),
        # The limit is that of the same result, or there is none.
        (observation(ALT, quantity(100, U)), None, None),
        (observation(ALT, quantity(100, U), high=quantity(40)), None, None),
        (observation(ALT, quantity(100, U), high=quantity(40, "g/L")), None, None),
        (observation(ALT, quantity(100), high=quantity(40)), None, None),
        (ranges({"low": quantity(5, U)}), None, None),
        # Of several ranges those that hold for the patient, a man of 65.
        (ranges({"high": quantity(40, U), "appliesTo": sex("male")},
                {"high": quantity(50, U), "appliesTo": sex("female")}),
         True, False),
        (ranges({"high": quantity(30, U), "appliesTo": sex("female")}), None, None),
        (ranges({"high": quantity(40, U), "type": {"coding": [{"code": "normal"}]}},
                {"high": quantity(90, U), "type": {"coding": [{"code": "therapeutic"}]}}), True, False),
        (ranges({"high": quantity(40, U), "age": {"low": quantity(18, "a")}},
                {"high": quantity(90, U), "age": {"high": quantity(17, "a")}}), True, False),
        (ranges({"high": quantity(40, U)}, {"high": quantity(90, U)}), None, False),
        (ranges({"high": quantity(40, U)}, {"high": quantity(30, U)}), True, None),
    ),
)  # fmt: skip
def test_upper_limit(result: dict, at_or_above: object, above: object) -> None:
    assert ask(RAISED, [result]) is at_or_above
    assert ask(ABOVE, [result]) is above


def test_unknown_sex_leaves_ranges_by_sex_open() -> None:
    given = ranges(
        {"high": quantity(40, U), "appliesTo": sex("male")}, {"high": quantity(50, U), "appliesTo": sex("female")}
    )
    assert ask(RAISED, [given], patient={"gender": "other"}) is None


def test_prothrombin_time_in_per_cent_has_no_limit() -> None:
    asked = (
        "Logic.Agreed(([Observation: \"prothrombin-time\"].current()) R return all R.inUnitsOf(1 's').aboveULN(1.5))"
    )
    code = (LOINC, "5902-2")
    assert ask(asked, [observation(code, quantity(30, "s"), high=quantity(14.5, "s"))]) is True
    assert ask(asked, [observation(code, quantity(30, "%"), high=quantity(120, "%"))]) is None


@pytest.mark.parametrize(
    ("value", "answer"),
    (
        (2, True),
        (3, False),
        (quantity(2, "{score}"), True),
        (quantity(2), True),
        (quantity(3, "1"), False),
        (quantity(80, "{score}"), None),
        (quantity(2, "{score}", "<="), True),
        (quantity(2, "{score}", ">"), False),
        (quantity(2, "{score}", ">="), None),
        (quantity(5, "{score}", ">"), None),
        # Statuses are whole numbers: below 3 is at most 2.
        (quantity(3, "{score}", "<"), True),
        (quantity(3, "{score}", "<="), None),
        (-1, None),
        ({"coding": [{"system": LOINC, "code": "LA9624-3"}]}, True),
        ({"coding": [{"system": LOINC, "code": "LA9625-0"}]}, False),
        ({"coding": [{"system": LOINC, "code": "LA9622-7"}, {"system": LOINC, "code": "LA9626-8"}]}, None),
        ({"coding": [{"system": "http://example.org", "code": "LA9624-3"}]}, None),
        ({"text": "ECOG 1"}, None),
        (quantity(2, "kg"), None),
        (None, None),
        # The answers of LOINC's list LL529-9, from 0 to 5.
        (concept((LOINC, "LA9622-7")), True),
        (concept((LOINC, "LA9623-5")), True),
        (concept((LOINC, "LA9624-3")), True),
        (concept((LOINC, "LA9625-0")), False),
        (concept((LOINC, "LA9626-8")), False),
        (concept((LOINC, "LA9627-6")), False),
        (concept((LOINC, "LA9622-7"), (LOINC, "LA9625-0")), None),
        (concept((SNOMED, "LA9622-7")), None),
        (concept((LOINC, "LA9622-8")), None),
        (concept(text="ECOG 1"), None),
    ),
)
def test_ecog(value: object, answer: object) -> None:
    asked = 'Logic.Agreed(([Observation: "ecog"].current()) S return all S.ecogAtMost(2))'
    assert ask(asked, [observation((LOINC, "89247-1"), value)]) is answer


@pytest.mark.parametrize(
    ("value", "interpretation", "answer"),
    ((2, "LA9624-3", True), (2, "LA9625-0", None), (None, "LA9624-3", True), (None, "LA9625-0", False), (2, "N", True)),
)
def test_an_interpretation_of_ecog_names_the_score_or_contradicts_it(
    value: object, interpretation: str, answer: object
) -> None:
    asked = 'Logic.Agreed(([Observation: "ecog"].current()) S return all S.ecogAtMost(2))'
    told = {"interpretation": [{"coding": [{"system": LOINC, "code": interpretation}]}]}
    assert ask(asked, [observation((LOINC, "89247-1"), value) | told]) is answer


NO_HBV = 'Virology.Negative([Observation: "hbsag"], [Observation: "hbv-dna-iu"])'
DNA = (LOINC, "42595-9")
INDETERMINATE = {"coding": [{"system": "http://example.org", "code": "indeterminate"}]}


@pytest.mark.parametrize(
    ("results", "answer"),
    (
        ([], None),
        ([observation(HBSAG, NEGATIVE)], True),
        ([observation(HBSAG, POSITIVE)], None),
        ([observation(HBSAG, INDETERMINATE)], None),
        ([observation(HBSAG, {"text": "negative"})], None),
        ([observation(HBSAG, POSITIVE), observation(DNA, NEGATIVE)], True),
        ([observation(HBSAG, POSITIVE), observation(DNA, POSITIVE)], False),
        ([observation(HBSAG, POSITIVE), observation(DNA, NEGATIVE, "2026-03-01")], None),
        ([observation(HBSAG, POSITIVE), observation(DNA, quantity(20, "[IU]/mL", "<"))], True),
        ([observation(HBSAG, NEGATIVE), observation(DNA, quantity(500, "[IU]/mL"))], False),
        ([observation(HBSAG, NEGATIVE), observation(DNA, POSITIVE, "2025-03-01")], True),
        ([observation(HBSAG, POSITIVE, "2025-01-01"), observation(HBSAG, NEGATIVE)], True),
        # The test is known by its code, not by the name that a laboratory gives it.
        (
            [
                observation(HBSAG, POSITIVE, "2025-01-01", code=concept(HBSAG, text="HBsAg")),
                observation(HBSAG, NEGATIVE),
            ],
            True,
        ),
        ([observation(DNA, quantity(0, "[IU]/mL"))], True),
    ),
)
def test_pathogens(results: list, answer: object) -> None:
    assert ask(NO_HBV, results) is answer


def test_ucum_is_the_system_of_units() -> None:
    assert quantity(1, "g")["system"] == UCUM
