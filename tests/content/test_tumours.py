"""Series of PSA and tumour antigens."""

import pytest

from tests.content._asking import LOINC, NEGATIVE, POSITIVE, PSA, SNOMED, ask, condition, observation, quantity

POINTS = "Series.Points([Observation: \"psa\"], 1 'ng/mL')"
KEPT = f"Series.LastPoints(Series.Thinned({POINTS}, 7), 4)"
RISES = f"if Count({KEPT}) < 4 or Series.HasUnknown({KEPT}) then null else Logic.AllOf(Series.Rises({KEPT}))"
DAYS = ("2025-11-03", "2025-12-01", "2026-01-05", "2026-02-23")


def psa(*values: object, days: tuple = DAYS) -> list:
    made = [v if isinstance(v, dict) else quantity(v, "ng/mL") for v in values]
    return [observation(PSA, value, on) for value, on in zip(made, days, strict=True)]


@pytest.mark.parametrize(
    ("results", "answer"),
    (
        (psa(4, 5, 6.4, 8.2), True),
        (psa(4, 5, 5, 8.2), False),
        (psa(4, 5, quantity(6400, "ng/L"), 8.2), True),
        (psa(4, 5, quantity(6.4, "10^9/L"), 8.2), None),
        (psa(4, 5, 6.4, 8.2, days=("2026-01-05", "2026-01-12", "2026-01-16", "2026-02-23")), None),
        (psa(4, 5, 6.4, 8.2, days=("2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26")), True),
        (psa(9, 4, 5, 6.4, 8.2, days=("2025-10-01", *DAYS)), True),
        (psa(4, 5, 6.4, 8.2, 7, days=(*DAYS, "2026-03-05")), False),
        (psa(4, 5, 6.4, 8.2, 7, days=(*DAYS, "2026-02-27")), True),
        (psa(4, 5, 6.4, days=DAYS[:3]), None),
        # A result of the same day: the same value is one point, another one leaves the day open.
        (psa(4, 5, 6.4, 8.2, 8.2, days=(*DAYS, DAYS[3])), True),
        (psa(4, 5, 6.4, 8.2, 9, days=(*DAYS, DAYS[3])), None),
        # "<0.1" is below 5 whatever it is.
        (psa(quantity(0.1, "ng/mL", "<"), 5, 6.4, 8.2), True),
        (psa(4, 5, 6.4, 8.2, days=(*DAYS[:3], "2026-02")), None),
        (psa(4, 5, 6.4, 8.2, days=(*DAYS[:3], None)), None),
        (psa(4, 5, 6.4, 8.2, 1, days=(*DAYS, "2026-04-01")), True),
    ),
)
def test_three_rises(results: list, answer: object) -> None:
    assert ask(RISES, results) is answer


@pytest.mark.parametrize(
    ("results", "answer"),
    (
        (psa(4, 5, 6.4, 8.2), True),
        (psa(quantity(4000, "ng/L"), 5, 6.4, 8.2), True),
        (psa(0, 5, 6.4, 8.2), None),
        (psa(quantity(0.1, "ng/mL", "<"), 5, 6.4, 8.2), None),
    ),
)
def test_nadir(results: list, answer: object) -> None:
    assert ask(f"Series.Nadir({POINTS}) = 4 'ng/mL'", results) is answer


@pytest.mark.parametrize(
    ("results", "answer"),
    (
        (psa(10, 14, 19, 25, days=("2025-11-10", "2025-12-15", "2026-01-20", "2026-02-10")), True),
        (psa(10, 14, 19, 25, days=("2025-11-11", "2025-12-15", "2026-01-20", "2026-02-10")), None),
        (psa(10, 14, 19, 19), False),
        (psa(10, 8, 19, 25), False),
        (psa(10, 25, days=("2025-11-10", "2026-02-10")), None),
        (psa(25, 10, days=("2025-11-10", "2026-02-10")), False),
        (psa(10, days=("2025-11-10",)), None),
        ([], None),
    ),
)
def test_rising_for_three_months(results: list, answer: object) -> None:
    assert ask(f"Series.RisingFor({POINTS}, 3 months)", results) is answer


MARKER = (LOINC, "21924-6")
NAMED = {"coding": [
    {"system": LOINC, "code": "21924-6"},
    {"system": "http://example.org/fhir/CodeSystem/tumor-antigen", "code": "PSMA"}]}  # fmt: skip
EXPRESSED = (
    'Logic.Agreed(([Observation: "tumor-marker-generic"].ofAntigen("PSMA").latest()) R '
    "return all R.expresses(\"PSMA\", 10 '%'))"
)
POS = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "POS"}]}


@pytest.mark.parametrize(
    ("result", "answer"),
    (
        (observation(MARKER, POSITIVE), None),
        (observation(MARKER, POSITIVE, code=NAMED), True),
        (observation(MARKER, NEGATIVE, code=NAMED), False),
        (observation(MARKER, {"text": "positive"}, code=NAMED), None),
        (observation(MARKER, None, code=NAMED, interpretation=[POS]), True),
        (observation(MARKER, NEGATIVE, code=NAMED, interpretation=[POS]), None),
        (observation(MARKER, quantity(10, "%"), code=NAMED), True),
        (observation(MARKER, quantity(9, "%"), code=NAMED), False),
        (observation(MARKER, quantity(10), code=NAMED), None),
        (observation(MARKER, None, component=[{"code": NAMED, "valueCodeableConcept": POSITIVE}]), True),
    ),
)
def test_antigen(result: dict, answer: object) -> None:
    assert ask(EXPRESSED, [result]) is answer


def component(value: dict | None = None) -> dict:
    return {"code": NAMED} | ({"valueQuantity": value} if value else {})


@pytest.mark.parametrize(
    ("result", "answer"),
    (
        (observation(MARKER, quantity(80, "%"), code=NAMED), True),
        (observation(MARKER, quantity(79, "%"), code=NAMED), False),
        (observation(MARKER, quantity(80, "%")), None),  # of no antigen
        (observation(MARKER, POSITIVE, code=NAMED), None),
        (observation(MARKER, component=[component(quantity(80, "%"))]), True),
        (observation(MARKER, component=[component()]), None),
        (observation(MARKER, component=[component(quantity(80, "%")), component(quantity(90, "%"))]), None),
    ),
)
def test_share_of_cells(result: dict, answer: object) -> None:
    asked = "Quantities.AtOrAbove(First([Observation]).share(\"PSMA\"), 80 '%')"
    assert ask(asked, [result]) is answer


@pytest.mark.parametrize(
    ("method", "answer"),
    (("immunohistochemistry", True), ("IHC", True), ("PSMA PET", False), ("the IHCX assay", False), (None, None)),
)
def test_method(method: str | None, answer: object) -> None:
    result = observation(MARKER, POSITIVE, **({"method": {"text": method}} if method else {}))
    assert ask("First([Observation]).byImmunohistochemistry()", [result]) is answer


@pytest.mark.parametrize(
    ("site", "answer"),
    (
        ("inguinal lymph node", True),
        ("Lymph nodes of neck", True),
        ("LN, left axilla", True),
        ("cervical lymphadenopathy", True),
        ("left upper lobe of lung", False),
        ("extranodal, left axilla", False),
        ("skin of left groin", False),
        ("left axilla", None),
        ("mediastinal mass", None),
        ("hilnesia", False),  # "ln" inside a word is no lymph node
        (None, None),
    ),
)
def test_nodal(site: str | None, answer: object) -> None:
    lesion = observation((LOINC, "21889-1"), quantity(12, "mm"), **({"bodySite": {"text": site}} if site else {}))
    assert ask("First([Observation]).nodal()", [lesion]) is answer


@pytest.mark.parametrize(
    ("stage", "answer"),
    (
        ("IIB", True),
        ("Stage IIB (T3 N0 M0)", True),
        ("stage iib", True),
        ("IVA1", True),
        ("Stage IIA (T2N1M0)", False),
        ("II", None),
        ("IA, now IIB", None),
        ("T3 N0 M0", None),
    ),
)
def test_mycosis_stage(stage: str, answer: object) -> None:
    mycosis = condition((SNOMED, "118618005"), stage=[{"summary": {"text": stage}}])
    assert ask("First([Condition]).mycosisStageAtLeast('IIB')", [mycosis]) is answer


def test_specimen() -> None:
    result = observation(MARKER, POSITIVE, code=NAMED, specimen={"reference": "Specimen/t1"})
    specimen = {
        "resourceType": "Specimen", "id": "t1", "type": {"text": "tumor tissue biopsy"},
        "collection": {"collectedDateTime": "2025-11-25"},
    }  # fmt: skip
    tissue = "Logic.Agreed((First([Observation]).specimens()) S return all S.isTissue())"
    collected = "Logic.Agreed((First([Observation]).specimens()) S return all S.collectedOn() = @2025-11-25)"
    assert ask(tissue, [result]) is None
    assert ask(tissue, [result, specimen]) is True
    assert ask(collected, [result, specimen]) is True
    assert ask(tissue, [result, specimen | {"status": "entered-in-error"}]) is None


def test_a_specimen_inside_the_result() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "tumor tissue biopsy"}}
    asked = "Logic.Agreed((First([Observation]).specimens()) S return all S.isTissue())"
    result = observation(MARKER, POSITIVE, code=NAMED, contained=[specimen])
    assert ask(asked, [result | {"specimen": {"reference": "#s"}}]) is True
    assert ask(asked, [result | {"specimen": {"reference": "#t"}}]) is None
    assert ask(asked, [result]) is None
    wrong = result | {"contained": [specimen | {"status": "entered-in-error"}], "specimen": {"reference": "#s"}}
    assert ask(asked, [wrong]) is None


@pytest.mark.parametrize(
    ("words", "answer"),
    (
        ("core needle biopsy of the prostate", True),
        ("tissue, formalin fixed", True),
        ("bone marrow biopsy", True),
        ("venous blood", False),
        ("bone marrow aspirate", False),
        ("Serum", False),
        # Tissue without the word: nobody knows.
        ("radical prostatectomy specimen", None),
        ("paraffin block", None),
    ),
)
def test_tissue(words: str, answer: object) -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": words}}
    assert ask("First([Specimen]).isTissue()", [specimen]) is answer
