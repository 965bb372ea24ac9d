"""Patients for PSMA-CART: metastatic castration-resistant adenocarcinoma of the prostate."""

from __future__ import annotations

from psma_nk import prostate_cancer
from resources import (
    DRAWN,
    Record,
    Samples,
    concept,
    condition,
    drug,
    lab,
    observation,
    procedure,
    qualitative,
    quantity,
    statement,
    without,
)

PSMA_CART = Samples("PSMA-CART", "psma-cart", "castration-resistant prostate cancer, the patient's own CAR-T cells")


def refractory(name: tuple[str, str], birth: str) -> Record:
    """The baseline: resistant to castration and progressing under enzalutamide, and nothing against PSMA-CART."""
    return {
        **without(prostate_cancer(name, birth), "survival", "follow-up", "contraception"),
        "adenocarcinoma": condition(concept("valueset-prostate-adenocarcinoma", "399490008"), "2021-02-15"),
        "enzalutamide": drug("valueset-arpi-and-crpc-standard-treatment", "1307298", "2024-12-02"),
        "hav": qualitative("valueset-hav-tests", "13950-1", False),
        "hiv": qualitative("valueset-hiv-tests", "7918-6", False),
        "syphilis": qualitative("valueset-syphilis-tests", "22587-0", False),
        "ejection-fraction": observation(
            concept("valueset-lvef", "8806-2"), "2026-06-09", valueQuantity=quantity("61", "%")
        ),
        "creatine-kinase": lab("valueset-creatine-kinase", "2157-6", "104", "U/L", DRAWN, "190"),
        "ck-mb": lab("valueset-ck-mb", "13969-1", "1.8", "ng/mL", DRAWN, "5.0"),
        "troponin-t": lab("valueset-troponin-t", "6598-7", "0.006", "ng/mL", DRAWN, "0.014"),
        "bilirubin": lab("valueset-bilirubin-total", "1975-2", "0.7", "mg/dL", DRAWN, "1.2"),
        "survival": statement("life-expectancy-more-than-6-months", True),
    }


def _slow_clotting(name: tuple[str, str], birth: str) -> Record:
    record = refractory(name, birth)
    record["aptt"] = lab("valueset-aptt", "14979-9", "60", "s", DRAWN, "36")
    return record


@PSMA_CART.patient("cart-01-in-good-order", "eligible")
def in_good_order() -> Record:
    """Everything recorded, nothing against him."""
    return refractory(("Nyberg", "Anders"), "1959-05-04")


@PSMA_CART.patient("cart-02-platelets-exactly-100", "ineligible", "I8")
def platelets_exactly_100() -> Record:
    """Platelets exactly 100, where more than 100 are needed."""
    record = refractory(("Okafor", "Basil"), "1963-09-21")
    record["platelets"] = lab("valueset-platelet-count", "777-3", "100", "10*9/L", DRAWN)
    return record


@PSMA_CART.patient("cart-03-seventy-six-today", "ineligible", "I2")
def seventy_six_today() -> Record:
    """He turns 76 on the day of the screening; the day before, he was 75."""
    return refractory(("Pereira", "Caetano"), "1950-06-15")


@PSMA_CART.patient("cart-04-skin-cancer-cured", "eligible")
def skin_cancer_cured() -> Record:
    """A basal cell carcinoma of the skin that was cured last year, which the protocol excuses."""
    record = refractory(("Quist", "Dagfinn"), "1955-01-30")
    record["skin-cancer"] = condition(
        concept("valueset-bcc-scc-skin", "254701007"), "2025-03-10", "resolved", abatementDateTime="2025-05-02"
    )
    return record


@PSMA_CART.patient("cart-05-colon-cancer-five-years-ago", "eligible")
def colon_cancer_five_years_ago() -> Record:
    """A colon cancer, resected, and gone for exactly five years."""
    return _colon_cancer(("Rossi", "Enzo"), "1957-11-08", "2021-06-15")


@PSMA_CART.patient("cart-06-colon-cancer-a-day-short", "ineligible", "E5")
def colon_cancer_a_day_short() -> Record:
    """The same colon cancer, gone for five years less a day."""
    return _colon_cancer(("Sedlak", "Filip"), "1957-12-19", "2021-06-16")


def _colon_cancer(name: tuple[str, str], birth: str, gone: str) -> Record:
    colon = concept("codesystem-snomed-fragment", "363406005")
    return {
        **refractory(name, birth),
        "colon-cancer": condition(colon, "2020-10-05", "remission", abatementDateTime=gone),
        "resection": procedure(
            {"text": "Resection of the sigmoid colon"}, "2020-11-12",
            reasonReference=[{"reference": "Condition/colon-cancer"}],
        ),
    }  # fmt: skip


@PSMA_CART.patient("cart-07-clotting-on-warfarin", "eligible")
def clotting_on_warfarin() -> Record:
    """The partial thromboplastin time is above 1.5 times its limit, but he takes warfarin."""
    record = _slow_clotting(("Thorsen", "Gunnar"), "1961-02-27")
    record["warfarin"] = drug("valueset-anticoagulants", "11289", "2025-10-01")
    return record


@PSMA_CART.patient("cart-08-clotting-without-a-reason", "ineligible", "E8")
def clotting_without_a_reason() -> Record:
    """The same partial thromboplastin time; the warfarin was stopped before the blood was drawn."""
    record = _slow_clotting(("Ulrich", "Hannes"), "1964-08-11")
    record["warfarin"] = drug("valueset-anticoagulants", "11289", "2025-10-01", "2026-05-20")
    return record


@PSMA_CART.patient("cart-09-infarction-six-months-ago", "ineligible", "E6")
def infarction_six_months_ago() -> Record:
    """A myocardial infarction exactly six months before enrollment."""
    record = refractory(("Vukovic", "Ivan"), "1958-04-16")
    record["infarction"] = condition(
        concept("valueset-myocardial-infarction", "22298006"), "2025-12-15", "resolved", abatementDateTime="2026-01-20"
    )
    return record


@PSMA_CART.patient("cart-10-infarction-undated", "needs-review", "E6")
def infarction_undated() -> Record:
    """An old myocardial infarction; nobody wrote down when."""
    record = refractory(("Weiss", "Jakob"), "1956-10-02")
    record["infarction"] = condition(concept("valueset-old-mi", "I25.2"), None)
    return record


@PSMA_CART.patient("cart-11-hiv-antibodies-alone", "needs-review", "I8")
def hiv_antibodies_alone() -> Record:
    """Antibodies against HIV were found, and nobody has looked for the virus itself."""
    record = refractory(("Xavier", "Koen"), "1962-07-14")
    record["hiv"] = qualitative("valueset-hiv-tests", "7918-6", True)
    return record


@PSMA_CART.patient("cart-12-psa-for-two-months", "needs-review", "I5")
def psa_for_two_months() -> Record:
    """The PSA rises, but its values reach back less than three months."""
    return without(refractory(("Yilmaz", "Levent"), "1960-12-25"), "psa-1", "psa-2")


@PSMA_CART.patient("cart-13-histology-not-told", "needs-review", "I4")
def histology_not_told() -> Record:
    """A cancer of the prostate; no record says of which kind."""
    return without(refractory(("Zeman", "Milan"), "1954-03-19"), "adenocarcinoma")
