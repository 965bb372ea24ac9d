"""Reads and searches on a FHIR server that is not ours: Medplum's router from npm, as a process of its own."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.language.elm.requirements import Canonical, DataRequirement
from engine.sources import Patient
from engine.sources.smart import ServerRecords, read_servers, records_from_server
from engine.terminology.members import MemberCode

HERE = Path(__file__).parent / "medplum"
LOINC = "http://loinc.org"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The base address of a server with some patients; npm installs it beside its script when it is not there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm, to run the FHIR server of Medplum")
    if not (HERE / "node_modules" / "@medplum" / "fhir-router").is_dir():
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund"]
        made = subprocess.run(command, cwd=HERE, capture_output=True, timeout=300, check=False)
        if made.returncode:
            pytest.skip("npm could not install @medplum/fhir-router; a package registry is needed once")
    with subprocess.Popen([node, "server.mjs"], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        assert port.isdigit(), "the server did not start"
        base = f"http://127.0.0.1:{port}/fhir/R4"
        try:
            for resource in RESOURCES:
                put(base, resource)
            yield base
        finally:
            process.terminate()


def put(base: str, resource: Json) -> None:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    headers = {"Content-Type": "application/fhir+json"}
    request = urllib.request.Request(url, json.dumps(resource).encode(), headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


def about(kind: str, identity: str, patient: str, **members: Any) -> Json:
    return {"resourceType": kind, "id": identity, "subject": {"reference": f"Patient/{patient}"}, **members}


def observation(identity: str, code: str, patient: str) -> Json:
    return about("Observation", identity, patient, status="final", code={"coding": [{"system": LOINC, "code": code}]})


RESOURCES: tuple[Json, ...] = (
    {"resourceType": "Patient", "id": "p"},
    {"resourceType": "Patient", "id": "q"},
    {"resourceType": "RelatedPerson", "id": "rp", "patient": {"reference": "Patient/p"}},
    {
        "resourceType": "Patient",
        "id": "donor",
        "link": [{"other": {"reference": "RelatedPerson/rp"}, "type": "seealso"}],
    },
    *(observation(f"hb{n}", "718-7", "p") for n in range(5)),
    observation("other", "2160-0", "p"),
    observation("plain", "718-7", "q"),
    observation("of-the-donor", "718-7", "donor"),
    {**observation("x", "", "p"), "code": {"coding": [{"code": "718-7"}]}},
    {"resourceType": "Medication", "id": "m", "code": {"text": "a medicine"}},
    about(
        "MedicationRequest",
        "r",
        "p",
        status="active",
        intent="order",
        medicationReference={"reference": "Medication/m"},
    ),
    about("Condition", "c", "p", code={"text": "words only"}),
    {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"}},
    {
        "resourceType": "Group",
        "id": "g",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": "Patient/p"}}, {"entity": {"reference": "Patient/q"}}],
    },
)


class Terms:
    def codes(self, url: str, version: str | None = None) -> list[MemberCode]:
        return [MemberCode("718-7", LOINC), MemberCode("777-3", LOINC)]


HAEMOGLOBIN = DataRequirement("Observation", code_path="code", value_sets=(Canonical("http://x/hb"),))
EVERYTHING = (
    HAEMOGLOBIN,
    DataRequirement("Condition"),
    DataRequirement("AllergyIntolerance"),
    DataRequirement("MedicationRequest", code_path="medication", value_sets=(Canonical("http://x/drugs"),)),
)


def run(base: str, *requirements: DataRequirement, settings: Json | None = None, **options: Any) -> ServerRecords:
    given = {"base_url": base, "authorization": "none", **(settings or {})}
    servers = read_servers({"servers": {"medplum": given}}, source="servers.toml")
    return records_from_server(servers, "medplum", requirements=requirements, terms=Terms(), **options)


def held(records: ServerRecords) -> dict[str, list[str]]:
    found = {}
    for item in records:
        assert isinstance(item, Patient), item
        found[item.record.reference] = [entry.reference for entry in item.record.bundle.entries]
    return found


def test_a_patient_by_searches(server: str) -> None:
    records = run(server, *EVERYTHING, patient="p")
    assert held(records) == {
        "Patient/p": [
            "Patient/p",
            "AllergyIntolerance/a",
            "Condition/c",
            "Medication/m",
            "MedicationRequest/r",
            *(f"Observation/hb{n}" for n in range(5)),
            "Observation/x",
        ]
    }
    assert records.completeness.complete


def test_a_group(server: str) -> None:
    assert held(run(server, HAEMOGLOBIN, group="g"))["Patient/q"] == ["Patient/q", "Observation/plain"]


def test_all_patients(server: str) -> None:
    assert list(held(run(server, HAEMOGLOBIN))) == ["Patient/p", "Patient/q", "Patient/donor"]


def test_a_donor(server: str) -> None:
    found = held(run(server, DataRequirement("Observation", "related"), patient="p"))["Patient/p"]
    assert found == ["Patient/p", "Observation/of-the-donor", "Patient/donor", "RelatedPerson/rp"]


def test_a_page_that_is_cut_off_without_a_next_link_is_noticed(server: str) -> None:
    # The repository in memory counts all matches, gives as many as asked for and names no next page.
    records = run(server, HAEMOGLOBIN, patient="p", settings={"page_size": 2})
    (found,) = list(records)
    assert isinstance(found, Patient)
    assert "counts 6 resources and gave 2" in found.record.unavailable["Observation"]


def test_a_patient_that_is_not_there(server: str) -> None:
    (found,) = list(run(server, HAEMOGLOBIN, patient="nobody"))
    assert "does not have it" in str(found)
    assert "Not found" in str(found)
