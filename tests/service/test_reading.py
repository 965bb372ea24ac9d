"""What can be read: the capabilities, trials as ResearchStudy → Group → Library, value sets, and searches of them."""

import base64
from typing import Any

import httpx2
import pytest
from fhir.resources.R4B import get_fhir_model_class

from engine.service import Settings, create_app
from engine.service.catalogue import READABLE, Catalogue
from tests.service.samples import TRIAL, bundle, hemoglobin, parameters, patient


def read(client: httpx2.Client, at: str) -> Any:
    answer = client.get(f"/fhir/{at}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json"), answer.text
    content = answer.json()
    get_fhir_model_class(content["resourceType"]).model_validate(content)
    return content


def test_the_capabilities_name_every_operation(client: httpx2.Client) -> None:
    rest = read(client, "metadata")["rest"][0]
    named = {o["name"] for o in rest["operation"]} | {
        o["name"] for r in rest["resource"] for o in r.get("operation", ())
    }
    assert named == {"cql", "evaluate", "screen"}
    assert {r["type"] for r in rest["resource"]} == set(READABLE)


def test_a_trial_leads_to_its_library(client: httpx2.Client) -> None:
    study = read(client, "ResearchStudy/SAMPLE")
    group = read(client, study["enrollment"][0]["reference"])
    assert (group["actual"], group["type"]) == (False, "person")
    found = {e["url"].rsplit("/", 1)[-1]: e for e in group["extension"]}
    expression = found["characteristicExpression"]["valueExpression"]
    address = found["cqf-library"]["valueCanonical"]
    (entry,) = read(client, f"Library?url={address.partition('|')[0]}")["entry"]
    contents = {c["contentType"]: base64.b64decode(c["data"]) for c in entry["resource"]["content"]}
    assert contents["text/cql"].decode() == TRIAL
    assert expression["expression"] == '"I1 adult" and "I2 hemoglobin" and not "E1 allergic"'
    assert b'"library"' in contents["application/elm+json"]


def test_the_expression_of_the_group_is_cql_that_runs(client: httpx2.Client) -> None:
    group = read(client, "Group/SAMPLE")
    expression = group["extension"][1]["valueExpression"]
    text = expression["expression"].replace('"I', 'T."I').replace('"E', 'T."E')
    body = parameters(
        {"name": "expression", "valueString": text},
        {"name": "library", "part": [{"name": "url", "valueCanonical": expression["reference"]},
                                     {"name": "name", "valueString": "T"}]},
        {"name": "data", "resource": bundle(patient(), hemoglobin(8))},
    )  # fmt: skip
    (answer,) = client.post("/fhir/$cql", json=body).json()["parameter"]
    assert answer["valueBoolean"] is False


@pytest.mark.parametrize(
    ("search", "found"),
    (
        ("ResearchStudy", ["SAMPLE"]),
        ("ResearchStudy?identifier=NCT00000001", ["SAMPLE"]),
        ("ResearchStudy?identifier=https://clinicaltrials.gov|NCT00000001", ["SAMPLE"]),
        ("ResearchStudy?identifier=other|NCT00000001", []),
        ("ResearchStudy?title=a sam", ["SAMPLE"]),
        ("ResearchStudy?enrollment=Group/SAMPLE", ["SAMPLE"]),
        ("ResearchStudy?_id=NOPE", []),
        ("ResearchStudy?_id=NOPE,SAMPLE", ["SAMPLE"]),
        ("Group?_id=SAMPLE", ["SAMPLE"]),
        ("Library?name=sample", ["SampleLabs", "SampleTrial"]),
        ("Library?version=1.0.0&_id=SampleLabs", ["SampleLabs"]),
        ("ValueSet?url=http://example.org/fhir/ValueSet/sample-hemoglobin", ["sample-hemoglobin"]),
        ("ValueSet?_count=0", []),
        ("OperationDefinition?name=Screen", ["screen"]),
    ),
)
def test_searches(client: httpx2.Client, search: str, found: list[str]) -> None:
    assert sorted(entry["resource"]["id"] for entry in read(client, search).get("entry", ())) == found


def test_pages_lead_to_each_other(client: httpx2.Client, address: str) -> None:
    seen, at = [], "Library?_count=1"
    while at:
        page = read(client, at)
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        at = following[0].removeprefix(f"{address}/fhir/") if following else ""
    assert len(seen) == len(set(seen)) == page["total"] > 2


def test_all_the_product_offers_is_valid_fhir() -> None:
    catalogue: Catalogue = create_app(Settings()).state.catalogue
    for name in READABLE:
        for identity, resource in catalogue.resources(name).items():
            get_fhir_model_class(name).model_validate(resource)
            assert resource["id"] == identity


def test_what_is_searched_by_something_unknown_is_refused_unless_asked_to_be_lenient(client: httpx2.Client) -> None:
    strict = client.get("/fhir/Library?nope=1&_count=1&_total=accurate")
    assert strict.status_code == 400
    lenient = client.get("/fhir/Library?nope=1&_count=1&_total=accurate", headers={"prefer": "handling=lenient"})
    assert lenient.status_code == 200
    links = {link["relation"]: link["url"].split("?")[1] for link in lenient.json()["link"]}
    assert links["self"] == "_count=1&_total=accurate", "what was passed over is not said to have been used"
    assert "nope" not in links.get("next", "")
