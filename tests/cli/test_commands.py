"""The commands as a whole: what they list, what they print, what they leave unloaded."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.cli.inputs import Options, prepare, select_trials
from engine.cli.screening import screened
from engine.errors import InputError
from engine.sources import Patient, patients

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "fhir_fixtures" / "psma-nk" / "02-platelets-too-low.json"
TINY = REPOSITORY / "tests" / "trials" / "data" / "tiny.cql"

HEAVY = ("fhir.resources", "fastapi", "uvicorn", "pint", "ucumvert", "sqlalchemy")


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"]).stdout
    for name in ("screen", "explain", "trials", "check", "eval", "serve"):
        assert re.search(rf"\b{name}\b", text), name


def test_a_screening_leaves_the_service_and_the_big_models_unloaded(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom engine.cli.app import app\n"
        f"sys.argv = ['eligibility', 'screen', {str(SAMPLE)!r}, '--trial', {str(TINY)!r}, '--format', 'csv']\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_trials_of_the_product_are_listed_and_clean() -> None:
    listed = CliRunner().invoke(app, ["trials"])
    assert listed.exit_code == 0, listed.stderr
    assert "PSMA-NK  NCT07298239  Allogeneic anti-PSMA CAR-NK in mCRPC" in listed.stdout
    checked = CliRunner().invoke(app, ["check"])
    assert checked.exit_code == 0, checked.stdout


def test_the_table_and_the_file_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    arguments = ["screen", str(SAMPLE), "--trial", "PSMA-NK", "--screening-date", "2026-06-15", "--output", str(file)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    (result,) = json.loads(file.read_bytes())
    assert result["verdict"] == "ineligible"
    assert "02-platelets-too-low  PSMA-NK  ineligible" in done.stdout
    assert "E3b 98 10*9/L < 100 10*9/L" in done.stdout
    assert "0 eligible, 0 needs-review, 1 ineligible" in done.stderr
    assert str(file) in done.stderr


def test_the_same_inputs_give_the_same_bytes() -> None:
    arguments = ["screen", str(SAMPLE), "--trial", "PSMA-NK", "--screening-date", "2026-06-15", "--format", "json"]
    assert CliRunner().invoke(app, arguments).stdout == CliRunner().invoke(app, arguments).stdout


def test_ndjson_comes_in_the_order_of_the_inputs_and_keeps_nothing() -> None:
    options = ["--trial", "PSMA-NK", "--screening-date", "2026-06-15", "--format"]
    inputs = [str(SAMPLE), str(SAMPLE.with_name("01-in-good-order.json"))]
    lines = CliRunner().invoke(app, ["screen", *inputs, *options, "ndjson"]).stdout.splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["ineligible", "eligible"]
    whole = json.loads(CliRunner().invoke(app, ["screen", *inputs, *options, "json"]).stdout)
    assert [result["verdict"] for result in whole] == ["eligible", "ineligible"]
    assert sorted(whole, key=repr) == sorted(map(json.loads, lines), key=repr)


def test_a_patients_results_are_kept_before_the_next_one_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    selection = select_trials(["PSMA-NK"])
    screening = prepare(selection, Options([], None, "2026-06-15", None, "Z"))
    kept: list[int] = []

    def stream() -> Iterator[Patient | InputError]:
        for number, item in enumerate(patients([SAMPLE, SAMPLE.with_name("nowhere.json"), SAMPLE])):
            assert len(kept) == min(number, 1)
            yield item

    outcome = screened(stream(), screening, lambda results: kept.append(len(results)))
    assert (kept, outcome.patients, outcome.failed) == ([1, 1], 2, 1)
    assert "nowhere.json" in capsys.readouterr().err


@pytest.mark.parametrize("more", ((), ("--bundle", str(SAMPLE))), ids=("alone", "over a bundle"))
@pytest.mark.parametrize(
    ("text", "place"), (("1 + 'a'", "expression:1:1 no-overload"), ("1 +\nfoo", "expression:2:1 unknown-name"))
)
def test_a_mistake_in_an_expression_has_the_place_its_author_sees(text: str, place: str, more: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["eval", text, *more])
    assert done.exit_code == 2
    assert done.stderr.startswith(place)


def test_an_explanation_stands_in_the_protocols_words() -> None:
    done = CliRunner().invoke(
        app, ["explain", str(SAMPLE), "--trial", "PSMA-NK", "--screening-date", "2026-06-15"]
    )  # fmt: skip
    assert done.exit_code == 0
    for part in (
        "Verdict: ineligible", "ECOG performance status of 0-2;",
        "PSMA-NK-E3b  met: Platelet count (Plt) < 100 × 10⁹/L",
        "Excluded by:\n    - PSMA-NK-E3b: 98 10*9/L < 100 10*9/L (Platelet count",
        "valueQuantity 98 10*9/L", "98 10*9/L < 100 10*9/L; apart by 2 10*9/L",
        "High blood pressure, since about 2015 (text-only)",
    ):  # fmt: skip
        assert part in done.stdout


def test_the_service_starts_on_this_machine_and_ends_when_told() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "engine", "serve", "--port", "0"], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stderr is not None
        address = None
        for line in service.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                address = found[0]
                break
        assert address is not None
        assert "PSMA-NK" in httpx2.get(f"{address}/health", timeout=60).json()["trials"]
        service.send_signal(signal.SIGINT)
        service.communicate(timeout=60)
