"""The calls of README.md and docs/service.md, taken from there and run as they are written, over a real socket."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from tests.service.served import REPOSITORY

DOCUMENTS = ("README.md", "docs/service.md")
WRITTEN = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `eligibility serve`, started as its users start it but for the port."""
    folder = tmp_path_factory.mktemp("documented")
    environment = {**os.environ, "ELIGIBILITY_DATABASE_URL": f"sqlite:///{folder}/runs.sqlite"}
    command = [sys.executable, "-m", "engine", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    found = None
    while found is None:
        line = process.stderr.readline()
        assert line, "the service did not start"
        found = re.search(r"Listening at (http://\S+)", line)
    yield found[1]
    process.terminate()
    process.communicate(timeout=60)


def blocks(document: str) -> list[str]:
    """The indented blocks of a document, each flush left."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    found = re.findall(r"(?:(?<=\n\n)|\A)((?:(?: {4,}.*)?\n)+)", text)
    return [textwrap.dedent(block).strip("\n") for block in found if block.strip()]


def calls(start: str) -> list[tuple[str, str]]:
    """(document, block) of those that begin so."""
    return [(name, block) for name in DOCUMENTS for block in blocks(name) if block.startswith(start)]


def run(command: list[str], address: str) -> str:
    command = [part.replace(WRITTEN, address) for part in command]
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_every_call_is_found() -> None:
    assert [name for name, _ in calls("curl ")] == ["README.md", *["docs/service.md"] * 4]
    assert [name for name, _ in calls("from pathlib")] == ["README.md", "docs/service.md"]
    for name in DOCUMENTS:
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        inside = sum(block.count("curl -s") for _, block in calls("curl ") if _ == name)
        assert text.count("curl -s") == inside, f"a call of {name} is in no block that is run"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_backend_call_with_curl(document: str, address: str) -> None:
    (block,) = [block for name, block in calls("curl ") if name == document and "$screen" in block]
    (result,) = json.loads(run(["bash", "-c", block], address))
    assert (result["trial"], result["verdict"], result["screeningDate"]) == ("PSMA-NK", "eligible", "2026-06-15")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_backend_call_with_python(document: str, address: str) -> None:
    (block,) = [block for name, block in calls("from pathlib") if name == document]
    lines = run([sys.executable, "-c", block], address).splitlines()
    assert [line.split()[0] for line in lines] == ["CD5-NK", "NKG2D-NK", "PRISM-NK", "PSMA-CART", "PSMA-NK"]
    assert {line.split()[1] for line in lines} <= {"eligible", "needs-review", "ineligible"}


def test_the_expression(address: str) -> None:
    (block,) = [block for _, block in calls("curl ") if "$cql" in block]
    assert '"valueDecimal":3.30' in run(["bash", "-c", block], address)


def test_the_set_up_of_cds_hooks(address: str) -> None:
    """Discovery, the service that step 3 names, and the call of step 4."""
    discovery, called = [block for _, block in calls("curl ") if "/cds-services" in block]
    services = {row["id"]: row for row in json.loads(run(["bash", "-c", discovery], address))["services"]}
    assert services["eligibility-psma-nk"]["hook"] == "patient-view"
    assert services["eligibility-psma-nk"]["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    (card,) = json.loads(run(["bash", "-c", called], address))["cards"]
    assert card["summary"] == "Not eligible for PSMA-NK"
    link = card["links"][0]["url"]
    assert link.startswith(f"{address}/results/")
    (result,) = json.loads(run(["curl", "-s", link], address))
    assert (result["trial"], result["patient"]) == ("PSMA-NK", "Patient/p1")
