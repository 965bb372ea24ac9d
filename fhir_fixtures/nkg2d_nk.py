"""Patients for NKG2D-NK: metastatic solid tumours; the cells come from the patient, or from a parent or child."""

from __future__ import annotations

from resources import (
    DRAWN,
    Record,
    Resource,
    Samples,
    coded,
    concept,
    condition,
    consent,
    drug,
    lab,
    observation,
    pathology,
    person,
    procedure,
    qualitative,
    statement,
    without,
)

NKG2D_NK = Samples("NKG2D-NK", "nkg2d-nk", "metastatic solid tumours, cells of the patient or of a parent or child")
STEROIDS = "valueset-systemic-corticosteroids"


def metastatic(name: tuple[str, str], birth: str, gender: str = "male") -> Record:
    """What is asked of the patient: a metastatic colon cancer, and nothing against the trial NKG2D-NK."""
    colon = concept("codesystem-snomed-fragment", "363406005")
    return {
        "patient": person(name, birth, gender),
        "colon-cancer": condition(colon, "2024-05-13"),
        "liver-metastases": condition(concept("valueset-liver-metastases", "94381002"), "2025-08-21"),
        "pathology": pathology("2024-05-17", colon),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-10", valueInteger=2),
        "anc": lab("valueset-anc", "751-8", "2.4", "10*9/L", DRAWN),
        "platelets": lab("valueset-platelet-count", "777-3", "142", "10*9/L", DRAWN),
        "albumin": lab("valueset-albumin", "1751-7", "3.6", "g/dL", DRAWN),
        "bilirubin": lab("valueset-bilirubin-total", "1975-2", "0.9", "mg/dL", DRAWN, "1.2"),
        "ast": lab("valueset-ast", "1920-8", "48", "U/L", DRAWN, "35"),
        "alt": lab("valueset-alt", "1742-6", "52", "U/L", DRAWN, "45"),
        "alp": lab("valueset-alp", "6768-6", "156", "U/L", DRAWN, "120"),
        "creatinine": lab("valueset-creatinine", "2160-0", "0.88", "mg/dL", DRAWN, "1.20"),
        "consent": consent(),
        "surgery": statement("no-benefit-or-refuses-surgery", True),
        "chemotherapy": statement("no-benefit-intolerant-or-refuses-chemotherapy", True),
    }


def donor(name: tuple[str, str], birth: str, role: tuple[str, str] = ("NFTH", "natural father")) -> Record:
    """The donor: a RelatedPerson of the patient, and that person's own record."""
    related = {"reference": "RelatedPerson/relative"}
    found = {
        "donor-hiv": qualitative("valueset-hiv-tests", "7918-6", False),
        "donor-hbsag": qualitative("valueset-hbsag", "5196-1", False),
        "donor-hcv-rna": observation(
            concept("valueset-hcv-rna", "11011-4"), DRAWN,
            valueCodeableConcept=concept("valueset-negative-result", "260415000"),
        ),
        "donor-willing": statement("donor-willing-and-able-to-sign", True),
    }  # fmt: skip
    own = {"reference": "Patient/donor"}
    return {
        "relative": {"resourceType": "RelatedPerson", "active": True, "relationship": [coded("v3-RoleCode", *role)]},
        "donor": {**person(name, birth), "link": [{"other": related, "type": "seealso"}]},
        "donor-consent": {**consent(), "patient": own},
        **{identity: {**content, "subject": own} for identity, content in found.items()},
    }


def autologous(name: tuple[str, str], birth: str, gender: str = "male") -> Record:
    """The baseline with the patient's own blood."""
    return {**metastatic(name, birth, gender), "own-blood": statement("autologous-pbmc-source", True)}


def steroid(start: str, end: str | None, code: str = "8640", route: str = "oral") -> Resource:
    """Prednisone, unless another drug is named."""
    return drug(STEROIDS, code, start, end, route)


@NKG2D_NK.patient("nkg2d-01-father-gives-blood", "eligible")
def father_gives_blood() -> Record:
    """Everything recorded; his father gives the blood."""
    return {**metastatic(("Aalto", "Mikko"), "1991-03-14"), **donor(("Aalto", "Pekka"), "1968-09-02")}


@NKG2D_NK.patient("nkg2d-02-own-blood", "eligible")
def own_blood() -> Record:
    """The cells come from his own blood: what is asked of a donor is not asked."""
    return autologous(("Bianchi", "Luca"), "1960-02-08")


@NKG2D_NK.patient("nkg2d-03-donor-sixty-until-tomorrow", "eligible")
def donor_sixty_until_tomorrow() -> Record:
    """The donor turns 61 the day after the screening."""
    return {**metastatic(("Cermak", "Jan"), "1990-11-30"), **donor(("Cermak", "Karel"), "1965-06-16")}


@NKG2D_NK.patient("nkg2d-04-donor-sixty-one-today", "ineligible", "I5")
def donor_sixty_one_today() -> Record:
    """The donor turns 61 on the day of the screening."""
    return {**metastatic(("Dahl", "Henrik"), "1989-04-22"), **donor(("Dahl", "Ingvar"), "1965-06-15")}


@NKG2D_NK.patient("nkg2d-05-perhaps-not-by-birth", "needs-review", "I5")
def perhaps_not_by_birth() -> Record:
    """The donor is called his father, which may be by adoption."""
    father = donor(("Egger", "Walter"), "1967-01-18", ("FTH", "father"))
    return {**metastatic(("Egger", "Simon"), "1993-08-05"), **father}


@NKG2D_NK.patient("nkg2d-06-donor-not-tested-for-hiv", "needs-review", "I9")
def donor_not_tested_for_hiv() -> Record:
    """The donor was not tested for HIV; the patient was, which says nothing about the donor."""
    father = without(donor(("Ferrari", "Aldo"), "1969-12-09"), "donor-hiv")
    record = {**metastatic(("Ferrari", "Marco"), "1994-05-27"), **father}
    record["hiv"] = qualitative("valueset-hiv-tests", "7918-6", False)
    return record


@NKG2D_NK.patient("nkg2d-07-pregnancy-test-of-blood", "needs-review", "I10")
def pregnancy_test_of_blood() -> Record:
    """A negative pregnancy test of her blood, where the protocol asks for one of urine."""
    record = autologous(("Georgiou", "Eleni"), "1992-10-10", "female")
    record["pregnancy"] = qualitative("valueset-pregnancy-test-any", "2118-8", False)
    return record


@NKG2D_NK.patient("nkg2d-08-albumin-too-low", "ineligible", "I4")
def albumin_too_low() -> Record:
    """Albumin 2.4 g/dL, which is 24 g/L where 25 are needed."""
    record = autologous(("Hansen", "Niels"), "1957-07-23")
    record["albumin"] = lab("valueset-albumin", "1751-7", "2.4", "g/dL", DRAWN)
    return record


@NKG2D_NK.patient("nkg2d-09-prednisone-until-march-15", "ineligible", "E5")
def prednisone_until_march_15() -> Record:
    """He took prednisone until exactly three months before the screening."""
    record = autologous(("Ionescu", "Radu"), "1963-01-17")
    record["prednisone"] = steroid("2026-02-20", "2026-03-15")
    return record


@NKG2D_NK.patient("nkg2d-10-prednisone-until-march-14", "eligible")
def prednisone_until_march_14() -> Record:
    """He took prednisone until three months and a day before the screening."""
    record = autologous(("Jensen", "Poul"), "1965-09-29")
    record["prednisone"] = steroid("2026-02-20", "2026-03-14")
    return record


@NKG2D_NK.patient("nkg2d-11-budesonide-inhaled", "eligible")
def budesonide_inhaled() -> Record:
    """He inhales budesonide every day, which does not count as systemic."""
    record = autologous(("Kovacs", "Gabor"), "1961-06-06")
    record["budesonide"] = steroid("2025-09-01", None, "19831", "inhalation")
    return record


@NKG2D_NK.patient("nkg2d-12-steroid-by-a-route-unknown", "needs-review", "E5")
def steroid_by_a_route_unknown() -> Record:
    """He takes budesonide; nobody wrote down whether he swallows or inhales it."""
    record = autologous(("Lehtinen", "Oskari"), "1964-02-12")
    record["budesonide"] = without(steroid("2025-09-01", None, "19831"), "dosage")
    return record


@NKG2D_NK.patient("nkg2d-13-consent-on-the-day", "needs-review", "I1")
def consent_on_the_day() -> Record:
    """The consent and the first research biopsy have the same date, and the consent no time of day."""
    record = autologous(("Moser", "Lukas"), "1959-12-03")
    record["consent"] = consent(date="2026-06-09")
    study = {"url": "http://hl7.org/fhir/StructureDefinition/workflow-researchStudy"}
    record["research-biopsy"] = procedure(
        {"text": "Tumour biopsy for research"}, "2026-06-09T10:00:00+02:00",
        extension=[{**study, "valueReference": {"reference": "ResearchStudy/NCT03415100"}}],
    )  # fmt: skip
    return record


@NKG2D_NK.patient("nkg2d-14-brain-metastasis-treated", "ineligible", "E7")
def brain_metastasis_treated() -> Record:
    """A brain metastasis that was treated and is gone: it counts all the same."""
    record = autologous(("Nowak", "Piotr"), "1962-08-18")
    record["brain-metastasis"] = condition(
        concept("valueset-brain-metastases", "94225005"), "2025-09-04", "resolved", abatementDateTime="2026-01-15"
    )
    return record
