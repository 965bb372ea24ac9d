"""`Library/$evaluate` over a real socket: defines by name, inline libraries, failures beside results."""

import base64
from typing import Any

import httpx2
import pytest

from engine.language.elm.json import encode as encode_elm
from engine.workspace import Workspace
from tests.service.samples import LABS, TRIAL, bundle, hemoglobin, parameters, patient, values

URL = {"name": "url", "valueCanonical": "http://example.org/fhir/Library/SampleLabs"}
DATA = {"name": "data", "resource": bundle(patient(), hemoglobin(10.5))}


def ask(client: httpx2.Client, *rows: dict[str, Any], at: str = "Library") -> httpx2.Response:
    return client.post(f"/fhir/{at}/$evaluate", json=parameters(*rows))


def inline(text: str | bytes, kind: str = "text/cql") -> dict[str, Any]:
    data = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
    content = [{"contentType": kind, "data": data}]
    return {"name": "library", "resource": {"resourceType": "Library", "status": "active", "content": content}}


def expression(name: str) -> dict[str, Any]:
    return {"name": "expression", "valueString": name}


@pytest.mark.parametrize(("rows", "at"), (((URL,), "Library"), ((), "Library/SampleLabs")))
def test_all_public_defines_are_answered_by_name(client: httpx2.Client, rows: tuple[Any, ...], at: str) -> None:
    found = values(ask(client, *rows, DATA, at=at))
    assert [row["name"] for row in found] == [
        "Patient", "Shown", "Numbers", "Numbers", "Numbers", "evaluation error",
    ]  # fmt: skip
    assert found[0]["resource"] == patient()
    assert "Broken" in found[-1]["resource"]["issue"][0]["diagnostics"]


def test_private_defines_are_answered_on_request(client: httpx2.Client) -> None:
    private = {"name": "includePrivate", "valueBoolean": True}
    assert {"name": "Hidden", "valueInteger": 42} in values(ask(client, URL, DATA, private))


def test_a_define_asked_for_by_name_may_be_private(client: httpx2.Client) -> None:
    assert values(ask(client, URL, DATA, expression("Hidden"))) == [{"name": "Hidden", "valueInteger": 42}]


def test_a_define_of_an_included_library_is_asked_for_by_its_library(client: httpx2.Client) -> None:
    at = "Library/SampleTrial"
    found = values(ask(client, DATA, expression("Labs.Numbers"), expression("I2 hemoglobin"), at=at))
    assert found[0] == {"name": "Labs.Numbers", "valueInteger": 1}
    assert found[-1] == {"name": "I2 hemoglobin", "valueBoolean": True}


def test_parameters_are_bound_by_name(client: httpx2.Client) -> None:
    more = {"name": "Least", "valueQuantity": {"value": 11, "code": "g/dL", "system": "http://unitsofmeasure.org"}}
    for name in ("Least", "SampleTrial.Least"):
        given = {"name": "parameters", "resource": parameters(more | {"name": name})}
        found = values(ask(client, DATA, given, expression("I2 hemoglobin"), at="Library/SampleTrial"))
        assert found == [{"name": "I2 hemoglobin", "valueBoolean": False}]


def test_a_library_may_come_with_the_call(client: httpx2.Client) -> None:
    text = LABS.replace("library SampleLabs", "library Other").replace("{ 1, 2, 3 }", "{ 7 }")
    found = values(ask(client, inline(text), DATA, expression("Numbers")))
    assert found == [{"name": "Numbers", "valueInteger": 7}]


def test_an_inline_library_includes_those_of_the_service(client: httpx2.Client) -> None:
    text = "library A using FHIR version '4.0.1' include SampleLabs called L context Patient define N: Count(L.Numbers)"
    assert values(ask(client, inline(text), DATA, expression("N"))) == [{"name": "N", "valueInteger": 3}]


def test_elm_runs_as_its_text_does(client: httpx2.Client) -> None:
    text = "library E version '1' define Half: 1.0 / 2 define Two: 1 + 1"
    elm = encode_elm(Workspace().translate(text, "e").require())
    by_text, by_elm = (values(ask(client, inline(*given))) for given in ((text,), (elm, "application/elm+json")))
    assert by_text == by_elm != []


def test_the_mistakes_of_an_inline_library_have_their_place(client: httpx2.Client) -> None:
    answer = ask(client, inline("library A\ndefine B: Nowhere\ndefine C:\n  1 + true"))
    assert answer.status_code == 400
    assert [issue["location"] for issue in answer.json()["issue"]] == [["line 2, column 11"], ["line 4, column 3"]]


def test_a_criterion_of_the_trial_says_what_the_text_says(client: httpx2.Client) -> None:
    assert 'define "I1 adult"' in TRIAL
    found = values(ask(client, DATA, expression("I1 adult"), at="Library/SampleTrial"))
    # ScreeningDate was not given: nothing is assumed in its place.
    assert list(found[0]) == ["name", "_valueBoolean"]
