"""The sample patients in fhir_fixtures: the files are what the generator writes, and each story has its verdict."""

import json
import runpy
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.fhir import PatientRecord, decode_bundle
from engine.language.values import Date
from engine.report import deciding
from engine.sources import own_content
from engine.trials import Screening, moment_of, read_trial

SCREENED = Date(2026, 6, 15)


@pytest.fixture(scope="module")
def generator(repository: Path) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "fhir_fixtures"))
        yield runpy.run_path(str(repository / "fhir_fixtures" / "generate.py"))


@pytest.fixture(scope="module")
def parameters(repository: Path) -> dict[str, Any]:
    text = (repository / "fhir_fixtures" / "parameters.json").read_text("utf-8")
    return dict(json.loads(text, parse_float=Decimal))


def test_every_file_of_the_samples_is_current(generator: dict[str, Any], repository: Path) -> None:
    """`python fhir_fixtures/generate.py` writes what is committed, and nothing else stands there."""
    written = dict(generator["files"]())
    stale = [str(path) for path, content in written.items() if path.read_bytes() != content]
    assert not stale
    others = {*(repository / "fhir_fixtures").rglob("*.json")} - {*written}
    assert {path.name for path in others} == {"parameters.json"}


def test_each_trial_has_patients_of_every_verdict(generator: dict[str, Any]) -> None:
    for samples in generator["TRIALS"]:
        verdicts = [sample.verdict for sample in samples.patients]
        assert len(verdicts) >= 8, samples.trial
        assert {*verdicts} == {"eligible", "needs-review", "ineligible"}, samples.trial


def test_each_story_has_its_verdict(generator: dict[str, Any], parameters: dict[str, Any], repository: Path) -> None:
    """The trial says what stands beside the story: the verdict, and the criteria that rule out or stay open."""
    workspace, moment = own_content().workspace(), moment_of({}, SCREENED, 0, "samples")
    told, found = [], []
    for samples in generator["TRIALS"]:
        name = f"{samples.folder.replace('-', '_')}.cql"
        trial, _ = read_trial(workspace, repository / "cql" / "trials" / name)
        assert trial is not None
        screening = Screening(workspace, [trial], parameters, moment)
        for sample in samples.patients:
            path = repository / "fhir_fixtures" / samples.folder / f"{sample.name}.json"
            (result,) = screening.screen(PatientRecord.from_bundle(decode_bundle(path.read_bytes(), source=path.name)))
            told.append((sample.name, sample.verdict, sample.decides))
            found.append((sample.name, result.verdict, tuple(c.id for c in deciding(result))))
    assert found == told
