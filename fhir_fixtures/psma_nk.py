"""Patients for PSMA-NK: metastatic castration-resistant prostate cancer."""

from __future__ import annotations

from resources import Record, Samples, concept, condition, consent, lab, members, observation, person, statement

PSMA_NK = Samples("PSMA-NK", "psma-nk", "metastatic castration-resistant prostate cancer, NK cells from a donor")


def prostate_cancer(name: tuple[str, str], birth: str) -> Record:
    """The baseline: metastatic castration-resistant prostate cancer, and nothing against the trial PSMA-NK."""
    negative, drawn = "valueset-negative-result", "2026-06-10T08:15:00+02:00"
    psma = observation(
        {"coding": [members("valueset-tumor-marker-generic")["21924-6"], members("codesystem-tumor-antigen")["PSMA"]]},
        "2026-03-02", valueCodeableConcept=concept("valueset-positive-result", "10828004"),
        specimen={"reference": "Specimen/biopsy"}, method={"text": "immunohistochemistry"},
    )  # fmt: skip
    return {
        "patient": person(name, birth),
        "prostate-cancer": condition(concept("valueset-prostate-cancer", "427492003"), "2023-09-18"),
        "bone-metastases": condition(concept("valueset-metastatic-disease", "94222008"), "2024-11-04"),
        "hypertension": condition({"text": "High blood pressure, since about 2015"}, "2015"),
        "biopsy": {
            "resourceType": "Specimen", "type": {"text": "biopsy of the prostate"},
            "collection": {"collectedDateTime": "2026-02-24"},
        },
        "psma": psma,
        "testosterone": lab("valueset-testosterone-mass", "2986-8", "14", "ng/dL", drawn),
        "psa-1": lab("valueset-psa", "2857-1", "3.10", "ng/mL", "2026-01-19"),
        "psa-2": lab("valueset-psa", "2857-1", "4.25", "ng/mL", "2026-02-23"),
        "psa-3": lab("valueset-psa", "2857-1", "6.90", "ng/mL", "2026-04-20"),
        "psa-4": lab("valueset-psa", "2857-1", "11.8", "ng/mL", "2026-06-01"),
        "ecog": observation(concept("valueset-ecog", "89247-1"), "2026-06-10", valueInteger=1),
        "anc": lab("valueset-anc", "751-8", "3.6", "10*9/L", drawn),
        "platelets": lab("valueset-platelet-count", "777-3", "187", "10*9/L", drawn),
        "hemoglobin": lab("valueset-hemoglobin", "718-7", "12.1", "g/dL", drawn),
        "alt": lab("valueset-alt", "1742-6", "31", "U/L", drawn, "45"),
        "ast": lab("valueset-ast", "1920-8", "27", "U/L", drawn, "35"),
        "creatinine": lab("valueset-creatinine", "2160-0", "0.95", "mg/dL", drawn, "1.20"),
        "prothrombin-time": lab("valueset-prothrombin-time", "5902-2", "12.4", "s", drawn, "14.0"),
        "aptt": lab("valueset-aptt", "14979-9", "29", "s", drawn, "36"),
        "inr": lab("valueset-inr", "6301-6", "1.0", "{INR}", drawn, "1.2"),
        "hbsag": observation(
            concept("valueset-hbsag", "5196-1"), drawn, valueCodeableConcept=concept(negative, "260385009")
        ),
        "hcv-rna": observation(
            concept("valueset-hcv-rna", "11011-4"), drawn, valueCodeableConcept=concept(negative, "260415000")
        ),
        "consent": consent(),
        "survival": statement("life-expectancy-at-least-6-months", True),
        "follow-up": statement("able-to-comply-follow-up", True),
        "contraception": statement("unable-effective-contraception", False),
        "suitability": statement("investigator-unsuitable", False),
    }  # fmt: skip


@PSMA_NK.patient("01-in-good-order", "eligible")
def in_good_order() -> Record:
    """Everything recorded, nothing against him."""
    return prostate_cancer(("Castellan", "Albert"), "1958-02-11")


@PSMA_NK.patient("02-platelets-too-low", "ineligible", "E3")
def platelets_too_low() -> Record:
    """Platelets 98 where 100 are needed."""
    record = prostate_cancer(("Duarte", "Benigno"), "1961-07-30")
    record["platelets"] = lab("valueset-platelet-count", "777-3", "98", "10*9/L", "2026-06-10T08:15:00+02:00")
    return record


@PSMA_NK.patient("03-liver-metastases", "eligible")
def liver_metastases() -> Record:
    """ALT at three times the limit of normal, which liver metastases allow."""
    record = prostate_cancer(("Ebersbach", "Conrad"), "1954-12-01")
    record["liver-metastases"] = condition(concept("valueset-liver-metastases", "94381002"), "2026-04-13")
    record["alt"] = lab("valueset-alt", "1742-6", "135", "U/L", "2026-06-10T08:15:00+02:00", "45")
    return record


@PSMA_NK.patient("04-alt-without-metastases", "ineligible", "E3")
def alt_without_metastases() -> Record:
    """ALT exactly at 2.5 times the limit of normal, and no liver metastases."""
    record = prostate_cancer(("Fontaine", "Didier"), "1966-05-23")
    record["alt"] = lab("valueset-alt", "1742-6", "112.5", "U/L", "2026-06-10T08:15:00+02:00", "45")
    return record


@PSMA_NK.patient("05-hemoglobin-in-grams-per-litre", "ineligible", "E3")
def hemoglobin_in_grams_per_litre() -> Record:
    """Hemoglobin 89 g/L, which is 8.9 g/dL."""
    record = prostate_cancer(("Grabowski", "Emil"), "1957-10-17")
    record["hemoglobin"] = lab("valueset-hemoglobin", "718-7", "89", "g/L", "2026-06-10T08:15:00+02:00")
    return record


@PSMA_NK.patient("06-consent-withdrawn", "ineligible", "I6")
def consent_withdrawn() -> Record:
    """The consent was withdrawn."""
    record = prostate_cancer(("Hakala", "Fredrik"), "1960-03-08")
    record["consent"] = consent("inactive")
    return record


@PSMA_NK.patient("07-ecog-too-old", "needs-review", "I4")
def ecog_too_old() -> Record:
    """ECOG was last recorded three months before screening."""
    record = prostate_cancer(("Ivanov", "Georgi"), "1955-08-19")
    record["ecog"] = observation(concept("valueset-ecog", "89247-1"), "2026-03-11", valueInteger=1)
    return record


@PSMA_NK.patient("08-nobody-asked", "needs-review", "I3", "I6")
def nobody_asked() -> Record:
    """Nobody has stated how long he is expected to live, or whether he can come back."""
    record = prostate_cancer(("Jansen", "Hendrik"), "1963-01-26")
    del record["survival"], record["follow-up"]
    return record


@PSMA_NK.patient("09-unit-nobody-can-read", "needs-review", "E3")
def unit_nobody_can_read() -> Record:
    """Platelets in "x10^9/L", which is no UCUM unit."""
    record = prostate_cancer(("Kowalczyk", "Igor"), "1959-11-14")
    record["platelets"]["valueQuantity"] = {"value": 204, "unit": "x10^9/L"}
    return record


@PSMA_NK.patient("10-limit-of-normal-missing", "needs-review", "E3")
def limit_of_normal_missing() -> Record:
    """Creatinine without its upper limit of normal; an earlier mistake in the platelets was marked as such."""
    record = prostate_cancer(("Lindqvist", "Jonas"), "1956-06-02")
    record["creatinine"] = lab("valueset-creatinine", "2160-0", "1.41", "mg/dL", "2026-06-10T08:15:00+02:00")
    mistaken = lab("valueset-platelet-count", "777-3", "18", "10*9/L", "2026-06-11T07:50:00+02:00")
    record["platelets-mistaken"] = {**mistaken, "status": "entered-in-error"}
    return record


@PSMA_NK.patient("11-year-of-birth-only", "needs-review", "I1")
def year_of_birth_only() -> Record:
    """Only the year of birth is known, and he turns 18 in it."""
    return prostate_cancer(("Moreau", "Karim"), "2008")


@PSMA_NK.patient("12-ecog-of-tomorrow", "needs-review", "I4")
def ecog_of_tomorrow() -> Record:
    """ECOG 1, dated the day after the screening."""
    record = prostate_cancer(("Novotny", "Leos"), "1962-04-05")
    record["ecog"]["effectiveDateTime"] = "2026-06-16"
    return record
