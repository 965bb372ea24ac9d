"""The OpenAPI description, and calls made from it: whatever is sent, the service answers and never fails."""

from itertools import product

import httpx2
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from engine.service import Settings, create_app
from engine.sources import Content

WRITTEN = {"/fhir/$cql", "/fhir/Library/$evaluate", "/fhir/ResearchStudy/$screen", "/cds-services/{identity}"}
EXAMPLES = 15


def test_every_route_is_described(client: httpx2.Client, app: FastAPI) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) >= WRITTEN
    for path, methods in paths.items():
        for method, described in methods.items():
            assert described.get("summary"), (method, path)
            assert (method == "get") == ("requestBody" not in described), (method, path)


def test_no_call_made_from_the_description_is_a_server_error(content: Content) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(Settings(content=content)))
    called = []

    for operation, mode in product(
        [result.ok() for result in schema.get_all_operations()], schemathesis.GenerationMode
    ):
        if mode is schemathesis.GenerationMode.NEGATIVE and operation.method == "get":
            continue

        @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(checks=[not_a_server_error])
            called.append(answer.status_code)

        check()
    assert len(called) > 100
    assert {200, 400} <= set(called)
