"""Words beside the lists: drugs, diseases and cell therapies by what they are called."""

from typing import Any

import pytest

from tests.content._asking import ask

TIMES = {"MedicationStatement": "effectiveDateTime", "MedicationRequest": "authoredOn"}


def called(text: str, *displays: str) -> dict[str, Any]:
    """A Condition that is told in words alone."""
    coding = [{"system": "http://hospital.example", "code": "1", "display": display} for display in displays]
    return {"resourceType": "Condition", "code": {"text": text, "coding": coding}}


def given(text: str | None, kind: str = "MedicationStatement", on: str = "2026-03-10", **more: Any) -> dict[str, Any]:
    """A completed statement, order or administration of a drug that is told in words, or by a reference in ``more``."""
    made: dict[str, Any] = {"resourceType": kind, "status": "completed", TIMES.get(kind, "effectiveDateTime"): on}
    made |= {"intent": "order"} if kind == "MedicationRequest" else {}
    return made | ({"medicationCodeableConcept": {"text": text}} if text else {}) | more


def names(text: str, pattern: str, unless: str) -> bool:
    return bool(ask(f"Words.Name(First([Condition]).code, '{pattern}', {unless})", [called(text)]))


@pytest.mark.parametrize(
    "denied",
    (
        "No evidence of cancer", "Cancer, ruled out", "Suspected cancer", "Cancer not seen", "Family history of cancer",
        "Mother had cancer", "Screening for cancer", "At risk of cancer", "Risk factor for cancer",
        "Negative for cancer",
        "Without evidence of cancer", "No lung cancer",
        "Cancer suspected", "Fear of cancer", "Possible cancer", "Cancer excluded",
    ),
)  # fmt: skip
def test_denials(denied: str) -> None:
    assert not names(denied, "cancer", "Words.Denied('cancer')")


@pytest.mark.parametrize(
    "told",
    (
        "Non-small cell lung cancer", "HER2-negative breast cancer", "Cancer without complications",
        "High-risk prostate cancer",
        "Cancer, site not specified", "Nodular cancer", "History of cancer", "Familial cancer",
        "Cancer, no metastases", "Cancer without mention of metastasis", "Cancer, metastases ruled out",
        "Asthma, not suspected; lung cancer",
    ),
)  # fmt: skip
def test_no_denials(told: str) -> None:
    assert names(told, "cancer", "Words.Denied('cancer')")


def test_told() -> None:
    asked = "Words.{}(First([Condition]).code, 'cancer', {})"
    assert ask(asked.format("Told", "null"), [called("History of lung cancer")]) is True
    assert ask(asked.format("ToldNow", "null"), [called("History of lung cancer")]) is False
    assert ask(asked.format("Told", "'lung'"), [called("Lung cancer")]) is False
    assert ask(asked.format("Told", "null"), [called("No cancer")]) is False
    assert ask(asked.format("ToldNow", "'lung'"), [called("Colon cancer")]) is True
    assert ask(asked.format("ToldNow", "null"), [called("Asthma")]) is False


def test_the_past() -> None:
    assert not names("History of cancer", "cancer", "Words.Over('cancer')")
    assert not names("Cancer, in remission", "cancer", "Words.Over('cancer')")
    assert names("Prostate cancer s/p prostatectomy", "cancer", "Words.Over('cancer')")
    assert names("Lung cancer, history of smoking", "cancer", "Words.Over('cancer')")


def test_one_name_that_is_not_denied_is_enough() -> None:
    both = [called("Family history of cancer", "Cancer of colon")]
    assert ask("Words.Name(First([Condition]).code, 'cancer', Words.Denied('cancer'))", both) is True


DISEASES = {
    "Prostate cancers": (
        ("Adenocarcinoma of prostate", "Malignant neoplasm of prostate", "nmCRPC",
         "Cancer of prostate without metastases"),
        ("Carcinoma in situ of prostate", "Benign prostatic hyperplasia", "Hormone-sensitive prostate cancer",
         "Family history of prostate cancer", "History of prostate cancer", "Lung cancer metastatic to prostate"),
    ),
    "Castration resistance": (
        ("Castrate-resistant prostate cancer", "Hormone refractory carcinoma of prostate", "mCRPC"),
        ("Prostate cancer, non-castration-resistant", "Suspected CRPC", "Hormone resistant malignancy status"),
    ),
    "Metastases": (
        ("Bone metastases", "Lung mets", "Secondary malignant neoplasm of bone", "mCRPC", "Metastatic adenocarcinoma"),
        ("Nonmetastatic prostate cancer", "nmCRPC", "No metastases", "Metastatic calcification",
         "History of metastases"),
    ),
    "Metastases of the liver": (("Hepatic metastases", "Metastasis to liver"), ("Lung metastases",
                                 "Carcinoma of liver")),
    "Metastases of the brain": (
        ("Brain metastases", "History of cerebral metastases"), ("Cerebral meningeal metastases", "Brain tumour"),
    ),
    "Metastases of the central nervous system": (
        ("Leptomeningeal metastases", "CNS metastases"), ("History of brain metastases", "Bone metastases"),
    ),
    "Other malignancies": (
        ("Lung cancer", "Non-Hodgkin lymphoma", "History of malignant melanoma", "Breast cancer survivor",
         "Glioblastoma"),
        ("Prostate cancer", "Bone metastases", "Malignant hypertension", "Cancer-related fatigue", "Cancer survivor",
         "Anemia due to chemotherapy for cancer", "Encounter for screening for cancer",
         "Suspected lung cancer (situation)"),
    ),
    "Infections": (
        ("Pneumonia", "Abscess of the jaw", "Septicemia", "COVID-19", "Viral sinusitis", "Acute bronchitis",
         "Bacteraemia"),
        ("Chronic sinusitis", "Chronic obstructive bronchitis", "Influenza vaccination", "Aseptic necrosis",
         "MRSA carrier",
         "History of pneumonia", "Long COVID", "Interstitial cystitis", "Chronic hepatitis B infection",
         "HIV infection",
         "Exposure to COVID-19", "Noninfectious gastroenteritis", "Suspected COVID-19", "Infection ruled out"),
    ),
    "Viral hepatitis": (
        ("Chronic hepatitis B", "Viral hepatitis", "Acute hepatitis E", "Chronic HCV", "Viral hepatitis, type C"),
        ("Hepatitis B vaccination", "Autoimmune hepatitis", "Alcoholic hepatitis", "Hepatitis A immune",
         "Hepatitis B carrier"),
    ),
    "Hepatitis B": (
        ("Hepatitis B, HBeAg negative", "Chronic viral hepatitis B without delta-agent", "HBV infection"),
        ("Hepatitis B virus negative", "Hepatitis B carrier", "Hepatitis B surface antibody positive", "Hepatitis C"),
    ),
    "Hepatitis B carriers": (("Hepatitis B carrier", "Carrier of HBV"), ("Chronic hepatitis B",)),
    "Hepatitis C": (("Chronic hepatitis C", "HCV"), ("Hepatitis C, cured", "HCV antibody positive", "Hepatitis B")),
    "HIV infections": (("HIV disease", "HIV positive"), ("HIV test", "HIV negative", "Hearing aids",
                        "HIV prophylaxis")),
    "Autoimmune diseases": (
        ("Hashimoto thyroiditis", "Crohn disease without complications", "History of Graves disease"),
        ("Lupus anticoagulant", "Rheumatoid factor positive", "Family history of psoriasis"),
    ),
    "Autoimmune diseases of today": (("Systemic sclerosis",), ("History of Graves disease", "Psoriasis in remission")),
    "Immune deficiencies": (
        ("Common variable immune deficiency", "Severe combined immunodeficiency", "Hypogammaglobulinaemia"),
        ("Human immunodeficiency virus infection", "Iron deficiency"),
    ),
    "Arrhythmias": (
        ("Atrial fibrillation", "Atrial flutter", "Supraventricular tachycardia"),
        ("History of arrhythmia", "No arrhythmia"),
    ),
    "Ventricular arrhythmias": (
        ("Nonsustained ventricular tachycardia", "Ventricular fibrillation", "Torsades de pointes"),
        ("Supraventricular tachycardia", "Atrial fibrillation", "Ventricular septal defect"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("disease", DISEASES)
def test_diseases(disease: str) -> None:
    those, no_such = DISEASES[disease]
    found = ask(f'NamedDiseases."{disease}" C return C.code.text.value', [called(text) for text in (*those, *no_such)])
    assert sorted(found) == sorted(those)


def test_what_is_refuted_or_wrong_is_not_found() -> None:
    status = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert ask('NamedDiseases."Infections"', [called("Pneumonia") | status]) == []


@pytest.mark.parametrize(
    ("text", "more", "answer"),
    (
        ("NSTEMI", {"onsetDateTime": "2026-02-01"}, None),
        ("Heart attack", {"recordedDate": "2026-02-01"}, None),
        ("Myocardial infarction", {"onsetDateTime": "2025-02-01"}, False),
        ("Myocardial infarction", {"recordedDate": "2025-02-01"}, False),
        ("Old myocardial infarction", {"recordedDate": "2025-02-01"}, None),
        ("History of myocardial infarction", {"onsetDateTime": "2025-02-01"}, False),
        ("Myocardial infarction ruled out", {"onsetDateTime": "2026-02-01"}, False),
        ("Cerebral infarction", {"onsetDateTime": "2026-02-01"}, False),
    ),
)
def test_infarctions_within_a_window(text: str, more: dict[str, str], answer: bool | None) -> None:
    asked = 'Logic.AnyOf(NamedDiseases.InfarctionsWithin(6 months, Screening."Screening date"))'
    assert ask(asked, [called(text) | more]) is answer


def procedure(text: str, on: str = "2026-03-01") -> dict[str, Any]:
    return {"resourceType": "Procedure", "status": "completed", "code": {"text": text}, "performedDateTime": on}


def test_transplantations_of_stem_cells() -> None:
    those = ("Autologous stem cell transplant", "Allogeneic bone marrow transplantation", "BMT")
    no_such = (
        "Stem cell harvest for transplant",
        "Bone marrow transplant evaluation",
        "Kidney transplant",
        "Marrow biopsy",
    )
    found = ask(
        'NamedDiseases."Transplantations of stem cells" P return P.code.text.value',
        [procedure(text) for text in (*those, *no_such)],
    )
    assert sorted(found) == sorted(those)


DRUGS = {
    "antibiotics": (("Meropenem 1 g", "cefepime", "Penicillin V 500 MG Oral Tablet"), ("Paracetamol", "Oseltamivir")),
    "antivirals and antifungals": (("fluconazole", "Oseltamivir"), ("Tenofovir", "Meropenem")),
    "antivirals against hepatitis B": (("tenofovir alafenamide 25 MG", "Vemlidy"), ("Aciclovir",)),
    "immunosuppressants": (("Mycophenolate mofetil", "tofacitinib", "Adalimumab"), ("Ibuprofen",)),
    "corticosteroids": (
        ("predniSONE 5 MG Oral Tablet", "Hydrocortisone", "Solu-Medrol"),
        ("Fludrocortisone", "Fluticasone"),
    ),
    "anticoagulants": (("Warfarin Sodium 5 MG", "Dalteparin", "Eliquis"), ("Aspirin",)),
}


@pytest.mark.parametrize("drugs", DRUGS)
def test_names_of_drugs(drugs: str) -> None:
    those, no_such = DRUGS[drugs]
    asked = f'Count(NamedDrugs.Exposures(NamedDrugs."Names of {drugs}", null))'
    assert ask(asked, [given(text) for text in those]) == len(those)
    assert ask(asked, [given(text) for text in no_such]) == 0


@pytest.mark.parametrize(
    ("text", "local"),
    (
        ("Hydrocortisone 10 MG/ML Topical Cream", True),
        ("Ciprofloxacin otic solution", True),
        ("broad-spectrum antibiotic", False),
        ("Prednisone 5 MG Oral Tablet", False),
        ("Budesonide 0.09 MG/ACTUAT", True),
    ),
)
def test_local_forms(text: str, local: bool) -> None:
    assert names(text, ".", 'NamedDrugs."Names of local forms"') is not local


WARFARIN = "NamedDrugs.Exposures('warfarin', 'flush')"


def inside(**medication: Any) -> dict[str, Any]:
    """A statement that points at a Medication inside itself."""
    drug = {"resourceType": "Medication", "id": "m"} | medication
    return given(None, medicationReference={"reference": "#m"}, contained=[drug])


@pytest.mark.parametrize(
    ("drug", "found"),
    (
        (given("Warfarin 5 mg"), True),
        (given("Warfarin 5 mg", "MedicationRequest"), True),
        (given("Warfarin 5 mg", "MedicationAdministration"), True),
        (given("Warfarin flush"), False),
        (inside(code={"text": "warfarin"}), True),
        (inside(ingredient=[{"itemCodeableConcept": {"text": "Warfarin"}}]), True),
        (inside(code={"text": "aspirin"}), False),
        (given(None, medicationReference={"reference": "Medication/lost", "display": "Warfarin"}), True),
        (given(None, medicationReference={"reference": "Medication/lost", "display": "Aspirin"}), False),
        # It may be any drug.
        (given(None, medicationReference={"reference": "Medication/lost"}), True),
        (given(None, medicationReference={"reference": "urn:uuid:lost"}), True),
        (given(None, medicationReference={"identifier": {"value": "17"}}), True),
    ),
)  # fmt: skip
def test_where_a_drug_is_named(drug: dict[str, Any], found: bool) -> None:
    assert bool(ask(WARFARIN, [drug])) is found


def test_a_medication_of_the_record() -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Warfarin"}}
    assert ask(f"Count({WARFARIN})", [given(None, medicationReference={"reference": "Medication/m"}), drug]) == 1


@pytest.mark.parametrize(("on", "answer"), (("2026-03-10", None), ("2025-03-10", False)))
def test_words_never_say_that_a_drug_was_taken(on: str, answer: bool | None) -> None:
    asked = f'Logic.AnyOf(({WARFARIN}) E return all E.takenWithin(3 months, Screening."Screening date"))'
    assert ask(asked, [given("Warfarin", on=on)]) is answer


CELLS = {
    "CAR-T cells": (
        ("Infusion of CAR-T cells", "CART therapy", "tisagenlecleucel", "CAR-T cell infusion for lymphoma"),
        ("CIK cells", "Transfer by cart", "Leukapheresis for CAR-T", "CAR-T evaluation", "CAR-T therapy declined"),
    ),
    "gene-modified cells": (
        ("CAR-NK cells", "afamitresgene autoleucel", "Gene therapy", "axicabtagene ciloleucel"),
        ("NK cells", "Dendritic cell vaccine", "nadofaragene firadenovec"),
    ),
    "gene therapies": (("nadofaragene firadenovec", "CAR-T cells"), ("mRNA vaccine",)),
    "cell therapies": (
        ("Infusion of CIK cells", "Dendritic cell vaccine", "sipuleucel-T", "NK cell infusion", "TIL therapy",
         "Adoptive cell therapy"),
        ("NK cell lymphoma", "Natural killer cell count", "Extranodal natural killer/T-cell lymphoma",
         "Stem cell transplant",
         "Natural killer cell deficiency", "Red cell transfusion"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("therapy", CELLS)
def test_cell_therapies(therapy: str) -> None:
    those, no_such = CELLS[therapy]
    asked = f'Count((CellTherapy.Told(CellTherapy."Names of {therapy}", null)) A return all Coalesce(A, true))'
    assert ask(asked, [procedure(text) for text in those]) == len(those)
    assert ask(asked, [procedure(text) for text in no_such]) == 0


@pytest.mark.parametrize(
    ("record", "answer"),
    (
        (procedure("CIK cells"), None),
        (procedure("CIK cells", "2025-03-01"), False),
        (procedure("Own CIK cells"), False),
        (called("History of CIK cells"), None),
        (given("CIK cells", "MedicationRequest"), None),
        (given("CIK cells", on="2025-03-01"), False),
    ),
)
def test_cell_therapies_within_a_window(record: dict[str, Any], answer: bool | None) -> None:
    cells, today = 'CellTherapy."Names of cell therapies"', 'Screening."Screening date"'
    assert ask(f"Logic.AnyOf(CellTherapy.ToldWithin({cells}, 'own', 3 months, {today}))", [record]) is answer


@pytest.mark.parametrize(
    ("record", "answer"),
    (
        (given("predniSONE 5 MG Oral Tablet"), True),
        (given("Prednisone", on="2025-03-01"), False),
        (given("Hydrocortisone cream"), False),
        (given("Prednisone", dosage=[{"route": {"text": "inhalation"}}]), False),
        # What the list knows is judged by its code.
        (given(None, medicationCodeableConcept={
            "text": "Prednisone", "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640"}],
        }), False),
    ),
)  # fmt: skip
def test_steroids_in_words(record: dict[str, Any], answer: bool) -> None:
    assert ask('Steroids.MayHaveBeenGivenWithin(28 days, Screening."Screening date")', [record]) is answer


@pytest.mark.parametrize(
    ("text", "hbsag", "rna"),
    (
        ("Hepatitis B surface antigen", 1, 0),
        ("HBsAg", 1, 0),
        ("Hepatitis B surface antigen antibody", 0, 0),
        ("Anti-HBs", 0, 0),
        ("HCV RNA, PCR", 0, 1),
        ("HCV RNA genotype", 0, 0),
    ),
)
def test_tests_for_hepatitis_by_their_words(text: str, hbsag: int, rna: int) -> None:
    result = [{"resourceType": "Observation", "status": "final", "code": {"text": text}}]
    assert ask('Count(Virology."HBsAg in words")', result) == hbsag
    assert ask('Count(Virology."HCV RNA in words")', result) == rna
