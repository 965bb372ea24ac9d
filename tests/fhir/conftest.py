"""Short ways to write records in the tests of this folder."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from engine.fhir import Bundle, Element, FhirModel, PatientRecord, decode_bundle

Json = dict[str, Any]


class Records:
    """Makes bundles and records out of resources written as dicts."""

    patient: ClassVar[Json] = {"resourceType": "Patient", "id": "p"}

    @staticmethod
    def raw(*resources: Json, urls: dict[int, str] | None = None, kind: str = "collection") -> bytes:
        """The bytes of a bundle of these resources; ``urls`` are full URLs by position."""
        entries: list[Json] = [{"resource": r} for r in resources]
        for position, url in (urls or {}).items():
            entries[position]["fullUrl"] = url
        return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()

    def bundle(self, *resources: Json, **options: Any) -> Bundle:
        return decode_bundle(self.raw(*resources, **options), source="test.json")

    def record(self, *resources: Json, patient: str | None = None, **options: Any) -> PatientRecord:
        return PatientRecord.from_bundle(self.bundle(*resources, **options), patient)

    @staticmethod
    def one(members: str, type_name: str = "Observation") -> tuple[PatientRecord, Element]:
        """A record with one resource about the patient, written as the JSON text of its own members."""
        data = (
            '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"p"}},'
            f'{{"resource":{{"resourceType":"{type_name}","id":"x","subject":{{"reference":"Patient/p"}},{members}}}}}]}}'
        )
        made = PatientRecord.from_bundle(decode_bundle(data.encode(), source="test.json"))
        return made, made.listed(type_name)[0]


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture(scope="session")
def model() -> FhirModel:
    return FhirModel()


@pytest.fixture(scope="session")
def read(model: FhirModel) -> Callable[[Element, str], Any]:
    """Follows a path of element names by the types met at run time; a list is indexed by a number in the path."""

    def follow(element: Element, path: str) -> Any:
        value: Any = element
        for step in path.split("."):
            value = value[int(step)] if step.isdigit() else model.accessor("Any", step)(value)
        return value

    return follow
