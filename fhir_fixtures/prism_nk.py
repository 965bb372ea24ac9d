"""Patients for PRISM-NK: advanced solid tumours with a target antigen.

What the protocol leaves open (cohort, thresholds, limits, windows) is in parameters.json.
"""

from __future__ import annotations

from resources import (
    DRAWN,
    Record,
    Samples,
    antigen,
    concept,
    condition,
    consent,
    dose,
    drug,
    lab,
    observation,
    pathology,
    person,
    quantity,
    specimen,
    statement,
    without,
)

PRISM_NK = Samples("PRISM-NK", "prism-nk", "advanced solid tumours, one target antigen")
STEROIDS = "valueset-systemic-corticosteroids"


def lung_cancer(name: tuple[str, str], birth: str, gender: str = "male") -> Record:
    """The baseline: a metastatic lung cancer with TROP2 that progresses, and nothing against the trial PRISM-NK."""
    lung = concept("codesystem-snomed-fragment", "254637007")
    worse = concept("valueset-condition-worsened", "271299001")
    return {
        "patient": person(name, birth, gender),
        "lung-cancer": condition(lung, "2024-10-14"),
        "bone-metastases": condition(concept("valueset-metastatic-disease", "94222008"), "2025-06-30"),
        "pathology": pathology("2024-10-18", lung),
        "course": observation(
            concept("valueset-cancer-disease-status", "97509-4"), "2026-06-03", valueCodeableConcept=worse
        ),
        "lesion": observation(
            concept("valueset-tumor-size", "21889-1"), "2026-06-03", valueQuantity=quantity("24", "mm"),
            bodySite={"text": "left upper lobe of lung"}, method={"text": "CT"},
        ),
        "tissue": specimen("tumor tissue biopsy", "2026-05-12"),
        "trop2": antigen("TROP2", "65", "immunohistochemistry", "tissue", "2026-05-15"),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-10", valueInteger=1),
        "anc": lab("valueset-anc", "751-8", "3.1", "10*9/L", DRAWN),
        "platelets": lab("valueset-platelet-count", "777-3", "205", "10*9/L", DRAWN),
        "hemoglobin": lab("valueset-hemoglobin", "718-7", "11.4", "g/dL", DRAWN),
        "creatinine": lab("valueset-creatinine", "2160-0", "0.91", "mg/dL", DRAWN, "1.20"),
        "alt": lab("valueset-alt", "1742-6", "33", "U/L", DRAWN, "45"),
        "ast": lab("valueset-ast", "1920-8", "29", "U/L", DRAWN, "35"),
        "bilirubin": lab("valueset-bilirubin-total", "1975-2", "0.6", "mg/dL", DRAWN, "1.2"),
        "consent": consent(),
        "lymphodepletion": statement("able-lymphodepletion", True),
        "infusion": statement("able-iv-infusion", True),
        "contraception": statement("agrees-contraception", True),
        "samples": statement("willing-samples", True),
        "heart": statement("clinically-significant-cvd", False),
        "prior-therapy": statement("confounding-prior-therapy", False),
        "interference": statement("interfering-condition", False),
    }  # fmt: skip


@PRISM_NK.patient("prism-01-in-good-order", "eligible")
def in_good_order() -> Record:
    """Everything recorded, nothing against him."""
    return lung_cancer(("Andersson", "Per"), "1962-01-25")


@PRISM_NK.patient("prism-02-antigen-at-the-threshold", "eligible")
def antigen_at_the_threshold() -> Record:
    """TROP2 on exactly 50 % of the cells, which reaches the threshold."""
    record = lung_cancer(("Bakker", "Ruud"), "1959-09-14")
    record["trop2"] = antigen("TROP2", "50", "immunohistochemistry", "tissue", "2026-05-15")
    return record


@PRISM_NK.patient("prism-03-antigen-below-the-threshold", "ineligible", "I4")
def antigen_below_the_threshold() -> Record:
    """TROP2 on 49 % of the cells."""
    record = lung_cancer(("Cohen", "Sam"), "1965-05-06")
    record["trop2"] = antigen("TROP2", "49", "immunohistochemistry", "tissue", "2026-05-15")
    return record


@PRISM_NK.patient("prism-04-antigen-not-looked-for", "needs-review", "I4")
def antigen_not_looked_for() -> Record:
    """Nobody has looked for an antigen yet."""
    return without(lung_cancer(("Diaz", "Tomas"), "1968-11-21"), "trop2")


@PRISM_NK.patient("prism-05-prednisone-every-other-day", "eligible")
def prednisone_every_other_day() -> Record:
    """20 mg prednisone every other day is 10 mg a day, which is allowed."""
    record = lung_cancer(("Engel", "Udo"), "1957-03-31")
    record["prednisone"] = drug(STEROIDS, "8640", "2026-04-01", dose=dose("20", 2))
    return record


@PRISM_NK.patient("prism-06-dexamethasone", "ineligible", "E5")
def dexamethasone() -> Record:
    """2 mg dexamethasone a day, which is as much as 13.3 mg prednisone."""
    record = lung_cancer(("Fischer", "Veit"), "1960-07-19")
    record["dexamethasone"] = drug(STEROIDS, "3264", "2026-04-01", dose=dose("2"))
    return record


@PRISM_NK.patient("prism-07-prednisone-as-directed", "needs-review", "E5")
def prednisone_as_directed() -> Record:
    """Prednisone "as directed": nobody can tell how much."""
    record = lung_cancer(("Grant", "William"), "1963-12-28")
    record["prednisone"] = drug(STEROIDS, "8640", "2026-04-01", dose={"text": "as directed"})
    return record


@PRISM_NK.patient("prism-08-prednisone-ended-in-time", "eligible")
def prednisone_ended_in_time() -> Record:
    """40 mg prednisone a day, until the day before the two weeks that count begin."""
    record = lung_cancer(("Haugen", "Odd"), "1964-04-09")
    record["prednisone"] = drug(STEROIDS, "8640", "2026-04-01", "2026-06-07", dose=dose("40"))
    return record


@PRISM_NK.patient("prism-09-woman-without-pregnancy-test", "needs-review", "I8", "E8")
def woman_without_pregnancy_test() -> Record:
    """She is 38; nobody has made a pregnancy test, or said that none is needed."""
    return lung_cancer(("Ito", "Yuki"), "1988-02-16", "female")


@PRISM_NK.patient("prism-10-stage-ii-without-metastases", "ineligible", "I2")
def stage_ii_without_metastases() -> Record:
    """A cancer at stage II without metastases is not advanced."""
    record = without(lung_cancer(("Jung", "Anton"), "1961-10-01"), "bone-metastases")
    record["lung-cancer"]["stage"] = [{"summary": {"text": "Stage IIB"}}]
    return record


@PRISM_NK.patient("prism-11-lesion-too-small", "ineligible", "I3")
def lesion_too_small() -> Record:
    """The only lesion is 9 mm long, where 10 mm are measurable."""
    record = lung_cancer(("Klein", "Bruno"), "1966-06-27")
    record["lesion"]["valueQuantity"] = quantity("9", "mm")
    return record


@PRISM_NK.patient("prism-12-brain-metastasis", "needs-review", "E4")
def brain_metastasis() -> Record:
    """An active brain metastasis; nobody has stated whether it causes symptoms."""
    record = lung_cancer(("Larsen", "Carl"), "1958-08-24")
    record["brain-metastasis"] = condition(concept("valueset-cns-metastases", "94225005"), "2026-02-11")
    return record


@PRISM_NK.patient("prism-13-infarction-in-spring", "ineligible", "E3")
def infarction_in_spring() -> Record:
    """A myocardial infarction three months ago."""
    record = lung_cancer(("Meyer", "Dirk"), "1955-05-13")
    record["infarction"] = condition(
        concept("valueset-myocardial-infarction", "22298006"), "2026-03-09", "resolved", abatementDateTime="2026-04-20"
    )
    return record
