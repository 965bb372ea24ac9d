"""The value sets and code systems of the product: valid FHIR, complete, and members as the trials need them."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.valueset import ValueSet

from engine.terminology import make_valuesets
from engine.terminology.make_valuesets import BASE, ListedCode, Notes
from engine.terminology.store import TerminologyStore

FOLDER = Path(__file__).resolve().parents[2] / "cql" / "valuesets"
FILES = sorted(FOLDER.glob("*.json"))
ICD, SCT = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
LOCAL = ("eligibility-attestation", "eligibility-local", "tumor-antigen")


@pytest.fixture(scope="module")
def store() -> TerminologyStore:
    return TerminologyStore.load(FOLDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_valid_fhir(file: Path) -> None:
    resource = json.loads(file.read_bytes())
    model = {"ValueSet": ValueSet, "CodeSystem": CodeSystem}[resource["resourceType"]]
    model.model_validate(resource)
    assert file.stem == f"{resource['resourceType'].lower()}-{resource['id']}"


def test_everything_loads_and_expands(store: TerminologyStore) -> None:
    assert store.check() == ()
    assert len(store.value_set_urls) == 97
    assert all(url == f"{BASE}/ValueSet/{url.rsplit('/', 1)[1]}" for url in store.value_set_urls)


MEMBERS = [
    ("Malignancy any", "C18.9", ICD, True),
    ("Malignancy any", "C34.90", ICD, True),
    ("Malignancy any", "C7A.00", ICD, True),
    ("Malignancy any", "D05.1", ICD, False),
    ("Malignancy any", "277571004", SCT, True),  # B-cell ALL, below 363346000
    ("Malignancy any", "94222008", SCT, True),  # bone metastasis, two steps below
    ("Malignancy any", "92691004", SCT, False),  # carcinoma in situ of prostate
    ("Malignancy any", "162573006", SCT, False),  # suspected lung cancer (situation)
    ("Carcinoma in situ", "D05.1", ICD, True),
    ("Carcinoma in situ", "D10.0", ICD, False),
    ("Liver metastases", "C78.7", ICD, True),
    ("Liver metastases", "C22.0", ICD, False),
    ("Metastatic disease", "C7B.00", ICD, True),
    ("Metastatic disease", "C80.0", ICD, True),
    ("Metastatic disease", "C80.1", ICD, False),
    ("Metastatic disease", "94260004", SCT, True),
    ("Solid tumor exclusion haematologic", "C85.9", ICD, True),
    ("Solid tumor exclusion haematologic", "C80.1", ICD, False),
    ("Infection active", "B18.1", ICD, True),
    ("Infection active", "C00.0", ICD, False),
    # The organ chapters, as known-categories.toml lists them.
    ("Infection active", "J18.0", ICD, True),
    ("Infection active", "J06.9", ICD, True),
    ("Infection active", "J44.9", ICD, False),
    ("Infection active", "J84.10", ICD, False),
    ("Infection active", "L03.115", ICD, True),
    ("Infection active", "L10.0", ICD, False),
    ("Infection active", "M86.9", ICD, True),
    ("Infection active", "M05.9", ICD, False),
    ("Infection active", "N39.0", ICD, True),
    ("Infection active", "N390", ICD, True),
    ("Infection active", "N39.3", ICD, False),
    ("Infection active", "N30.10", ICD, False),
    ("Infection active", "G03.1", ICD, False),
    ("Infection active", "I33.0", ICD, True),
    ("Infection active", "I33.9", ICD, False),
    # Of these the list names one code for all.
    ("Autoimmune disease", "M05.79", ICD, True),
    ("Autoimmune disease", "M06.00", ICD, True),
    ("Autoimmune disease", "M06.20", ICD, False),  # rheumatoid bursitis
    ("Autoimmune disease", "M35.3", ICD, False),
    ("Autoimmune disease", "G35.D", ICD, True),
    ("Autoimmune disease", "L40.50", ICD, True),
    ("Hepatitis B active chronic", "B16.0", ICD, True),
    ("Hepatitis B active chronic", "B17.0", ICD, False),
    ("Hepatitis C", "B19.21", ICD, True),
    ("Hepatitis C", "B19.10", ICD, False),
    ("Myocardial infarction", "I21.3", ICD, True),
    ("Myocardial infarction", "I22.0", ICD, True),
    ("Myocardial infarction", "I25.2", ICD, False),
    ("Arrhythmia any", "I47.20", ICD, True),
    ("Arrhythmia any", "I49.01", ICD, True),
    ("GVHD", "D89.81", ICD, True),
    ("GVHD", "D89.8", ICD, False),
    ("Prostate cancer", "92691004", SCT, False),
    ("HIV infection", "165815009", SCT, False),
    ("Allogeneic HSCT", "58776007", SCT, False),  # autologous
    ("T-ALL", "277571004", SCT, False),  # B-cell ALL
    ("Natural parent or child", "DAU", "http://terminology.hl7.org/CodeSystem/v3-RoleCode", False),  # unverified
    ("Natural parent or child", "NFTH", "http://terminology.hl7.org/CodeSystem/v3-RoleCode", True),
]


@pytest.mark.parametrize(("name", "code", "system", "member"), MEMBERS)
def test_members(store: TerminologyStore, name: str, code: str, system: str, member: bool) -> None:
    assert store.value_set(make_valuesets.url_of(name)).contains(code, system) is member


def test_unverified_codes_are_listed(store: TerminologyStore) -> None:
    listed = [(code.value_set, code.code, code.display) for code in store.unverified()]
    assert listed == [(f"{BASE}/ValueSet/natural-parent-or-child|1.0.0", "DAU", "natural daughter")]


def test_every_code_has_its_source(store: TerminologyStore) -> None:
    for file in FOLDER.glob("valueset-*.json"):
        for include in json.loads(file.read_bytes())["compose"]["include"]:
            for concept in include.get("concept", []):
                said = {e["url"]: e for e in concept["extension"]}
                assert said[make_valuesets.CODE_SOURCE]["valueString"], (file, concept)
                assert said[make_valuesets.CODE_VERIFIED]["valueBoolean"] is True, (file, concept)


def test_the_command_reproduces_the_files(shared: Path) -> None:
    made = make_valuesets.make(shared / "trials", FOLDER)
    assert {file.name: file.read_bytes() for file in FILES} == made


def test_every_local_code_in_use_is_defined_as_displayed(shared: Path, store: TerminologyStore) -> None:
    used: set[tuple[str, str, str]] = set()

    def collect(content: Any) -> None:
        if isinstance(content, dict):
            if str(content.get("system", "")).startswith(f"{BASE}/CodeSystem/"):
                used.add((content["system"], content["code"], content["display"]))
            content = list(content.values())
        if isinstance(content, list):
            for part in content:
                collect(part)

    for file in [*(shared / "trials").glob("*.json"), *(shared / "trials" / "scenarios").glob("*.json")]:
        collect(json.loads(file.read_bytes()))
    assert {system for system, _, _ in used} == {f"{BASE}/CodeSystem/{name}" for name in LOCAL}
    for system, code, display in used:
        assert store.code_system(system).display(code) == display
        assert store.code_system(system).definition(code)


def listed(code: str, verified: bool) -> ListedCode:
    return ListedCode("http://a", code, code, "somewhere", verified)


def test_a_list_without_verified_codes_is_an_empty_value_set_that_says_so(tmp_path: Path) -> None:
    resource = make_valuesets.value_set("All doubtful", [listed("x", False)], Notes("p"))
    ValueSet.model_validate(resource)
    assert {"url": make_valuesets.NO_VERIFIED_CODES, "valueBoolean": True} in resource["extension"]
    (tmp_path / "v.json").write_text(json.dumps(resource), encoding="utf-8")
    store = TerminologyStore.load(tmp_path)
    assert store.value_set(make_valuesets.url_of("All doubtful")).codes == ()
    assert [code.code for code in store.unverified()] == ["x"]


@pytest.mark.parametrize(
    ("text", "filters"),
    (
        ("", []),
        ("SNOMED is-a 40733004 Infectious disease", [("concept", "is-a", "40733004")]),
        ("ICD-10-CM prefix C77,C80.0", [("concept", "is-a", "C77"), ("concept", "is-a", "C80.0")]),
        ("ICD-10-CM D00-D09", [("code", "regex", r"(?:D0[0-9])(?:\.?[0-9A-Z]{1,4})?")]),
        ("ICD-10-CM D00-D09 are not solid; C00-C80 solid", [("code", "regex", r"(?:D0[0-9])(?:\.?[0-9A-Z]{1,4})?")]),
    ),
)
def test_hierarchies(text: str, filters: list[tuple[str, str, str]]) -> None:
    includes = make_valuesets.hierarchy_includes(text)
    assert [tuple(f.values()) for include in includes for f in include["filter"]] == filters


def test_words_of_a_hierarchy_stand_for_the_categories_known_for_them() -> None:
    named = make_valuesets.NamedCategories("Lungs", {"J09-J18": "a", "J36": "b"}, "organ chapters")
    unspoken = make_valuesets.NamedCategories("Joints", {"M05": "c"})
    known = make_valuesets.KnownCategories("a source", (named, unspoken))
    plus = Notes("p", hierarchy="ICD-10-CM A00-B99 plus organ chapters")
    assert make_valuesets.named_categories("Lungs", plus, known) == ["J09-J18", "J36"]
    assert make_valuesets.named_categories("Joints", Notes("p"), known) == ["M05"]
    assert make_valuesets.named_categories("Livers", plus, known) == []
    with pytest.raises(make_valuesets.ValueSetInputError, match="does not say"):
        make_valuesets.named_categories("Lungs", Notes("p", hierarchy="ICD-10-CM A00-B99"), known)


@pytest.mark.parametrize("text", ("SNOMED below 1", "ICD-10-CM everything"))
def test_a_hierarchy_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(make_valuesets.ValueSetInputError, match="cannot be read"):
        make_valuesets.hierarchy_includes(text)


@pytest.mark.parametrize(
    ("lists", "sentence"),
    ((None, "valuesets.json cannot be read"), ("{", "valuesets.json cannot be used"),
     ('{"A": [{"system": 1}]}', "`$[...][0].system`"), ('{"A": []}', "says nothing of 'A'")),
)  # fmt: skip
def test_the_command_names_what_it_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lists: str | None, sentence: str
) -> None:
    if lists is not None:
        (tmp_path / "valuesets.json").write_text(lists, encoding="utf-8")
    (tmp_path / "valuesets_notes.json").write_text("{}", encoding="utf-8")
    assert make_valuesets.main([str(tmp_path), "--to", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
