"""Health, readiness, metrics and the log; and 200 canaries planted in patient data that none of them may sing."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.service import Settings
from engine.service.observability import logger, quieten
from tests.service.served import CQL, FHIR, SAMPLE, SCREEN, Served, content, opened, served


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("observability")
    with served(opened(folder), Settings(content=content(folder))) as made:
        yield made


def logged(service: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.getvalue().splitlines()]


def test_health_and_readiness(service: Served) -> None:
    assert service.client.get("/health").json()["status"] == "ok"
    answer = service.client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "workers": True, "database": True})


def test_a_service_whose_database_is_away_lives_and_is_not_ready(tmp_path: Path) -> None:
    with served(opened(tmp_path), Settings(content=content(tmp_path))) as made:
        made.app.state.storage.engine.dispose()
        for path in tmp_path.glob("runs.sqlite*"):
            path.unlink()
        (tmp_path / "runs.sqlite").mkdir()
        assert made.client.get("/ready").status_code == 503
        assert made.client.get("/health").status_code == 200
        answer = made.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR)
        assert answer.status_code == 503
        assert "could not be recorded" in answer.text


def test_metrics_count_requests_by_route_and_verdicts_by_trial(service: Served) -> None:
    before = service.client.get("/metrics").text
    service.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR)
    after = service.client.get("/metrics").text
    line = f'eligibility_requests_total{{method="POST",route="{SCREEN}",status="200"}}'
    assert _value(after, line) == _value(before, line) + 1
    verdict = 'eligibility_verdicts_total{trial="TINY",verdict="needs-review"}'
    assert _value(after, verdict) == _value(before, verdict) + 1


def _value(text: str, name: str) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def test_the_log_has_the_route_and_never_the_address(service: Served) -> None:
    answer = service.client.get("/fhir/ResearchStudy/Canary-in-the-path?name=Canary-in-the-query")
    entry = next(e for e in logged(service) if e.get("request") == answer.headers["x-request-id"])
    assert entry["status"] == 404
    assert entry["route"].startswith("/fhir/{")
    assert "Canary" not in service.log.getvalue()


def test_an_unforeseen_failure_is_told_by_kind_and_place(service: Served) -> None:
    async def broken(job: object) -> None:
        raise KeyError("Canary-4711")

    whole, service.app.state.runner = service.app.state.runner, type("Broken", (), {"run": staticmethod(broken)})
    try:
        answer = service.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR)
    finally:
        service.app.state.runner = whole
    assert answer.status_code == 500
    assert answer.json()["issue"][0]["code"] == "exception"
    assert "Canary" not in answer.text
    entry = next(e for e in logged(service) if e.get("request") == answer.headers["x-request-id"])
    assert entry["kind"] == "KeyError"
    assert "Canary" not in service.log.getvalue()


def test_what_libraries_log_is_told_without_arguments_and_traces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with path.open("w") as stream:
        try:
            quieten(logger(stream))
            logging.getLogger("some.library").warning("could not read %s", "Canary-1")
            logging.getLogger("uvicorn.error").error(f"{'Canary-2'} is wrong")
            try:
                raise ValueError("Canary-3")
            except ValueError:
                logging.getLogger("some.library").exception("while reading %s", "Canary-4")
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            logging.getLogger("uvicorn.access").disabled = False
    text = path.read_text()
    assert "could not read %s" in text
    assert "ValueError" in text
    assert "Canary" not in text


# ---------------------------------------------------------------- canaries


def planted() -> tuple[dict[str, Any], list[str]]:
    """A record with a canary in 200 places: ids, names, addresses, texts, codes, notes."""
    canaries: list[str] = []

    def canary() -> str:
        canaries.append(f"Canary{len(canaries):03}x")
        return canaries[-1]

    patient = {
        "resourceType": "Patient", "id": canary(), "birthDate": "1950-02-03", "gender": "male",
        "identifier": [{"system": f"urn:{canary()}", "value": canary()} for _ in range(10)],
        "name": [{"family": canary(), "given": [canary(), canary()], "text": canary()} for _ in range(5)],
        "telecom": [{"system": "phone", "value": canary()} for _ in range(5)],
        "address": [{"line": [canary()], "city": canary(), "postalCode": canary()} for _ in range(5)],
    }  # fmt: skip
    subject = {"reference": f"Patient/{patient['id']}", "display": canary()}
    entries: list[dict[str, Any]] = [{"resource": patient}]
    for _ in range(25):
        code = {"coding": [{"system": "http://loinc.org", "code": canary(), "display": canary()}], "text": canary()}
        entries.append(
            {"fullUrl": f"urn:{canary()}", "resource": {
                "resourceType": "Observation", "id": canary(), "status": "final", "code": code, "subject": subject,
                "valueQuantity": {"value": 1, "unit": canary(), "code": canary()}, "note": [{"text": canary()}]}}
        )  # fmt: skip
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}, canaries


def spoilt(bundle: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The record, and ways in which it can be wrong."""
    text = json.dumps(bundle)
    yield "as it is", text.encode()
    for share in (2, 3, 5):
        yield f"cut after one part of {share}", text[: len(text) // share].encode()
    yield "no UTF-8", text.encode().replace(b"Canary001x", b"Canary001x\xff")
    yield "a value of the wrong type", text.replace('"value": 1,', '"value": "Canary-value",').encode()
    yield "a date that is none", text.replace("1950-02-03", "Canary-date").encode()
    yield "a gender that is none", text.replace('"male"', '"Canary-gender"').encode()
    yield "two patients", json.dumps({**bundle, "entry": [*bundle["entry"], {"resource": {
        "resourceType": "Patient", "id": "Canary-second"}}]}).encode()  # fmt: skip
    yield "one patient twice, differently", json.dumps({**bundle, "entry": [*bundle["entry"], {"resource": {
        **bundle["entry"][0]["resource"], "birthDate": "1951-01-01"}}]}).encode()  # fmt: skip
    yield "a resource type that is none", text.replace('"Observation"', '"Canary-type"').encode()
    yield "in a list", f"[{text}]".encode()
    yield "as a name of an object", text.replace('"entry"', '"Canary-entry"').encode()


MESSAGES = ("Message(1, true, 'c', 'Error', 'Canary001x')", "Message(1, true, 'c', 'Warning', 'Canary001x')")


def test_no_canary_is_heard(service: Served) -> None:
    bundle, canaries = planted()
    assert len(canaries) >= 200
    failures = 0
    for name, body in spoilt(bundle):
        for query in ("", "?patient=Canary-other", "?trial=Canary-trial", "?screening-date=Canary-day"):
            answer = service.client.post(SCREEN + query, content=body, headers=FHIR)
            assert answer.status_code < 500, name
            if answer.status_code != 200:
                failures += 1
                _silent(answer.text, f"{name} {query}")
    for expression in ("Canary001x", "'Canary001x' + 1", "ToDecimal('Canary001x') + {1}", *MESSAGES):
        parameters = [{"name": "expression", "valueString": expression}, {"name": "data", "resource": bundle}]
        service.client.post(CQL, json={"resourceType": "Parameters", "parameter": parameters}, headers=FHIR)
    assert failures >= 30
    _silent(service.log.getvalue(), "the log")
    _silent(service.client.get("/metrics").text, "the metrics")


def _silent(text: str, where: str) -> None:
    at = text.find("Canary")
    assert at < 0, f"{where}: …{text[max(at - 80, 0) : at + 40]}…"
