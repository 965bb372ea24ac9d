"""What a person can hand in wrong: a sentence with file and place, exit code 2, no traceback, the rest screened."""

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.app import app

REPOSITORY = Path(__file__).resolve().parents[2]
TRIAL = REPOSITORY / "tests" / "trials" / "data" / "tiny.cql"


@dataclass
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object, cwd: Path = REPOSITORY) -> Done:
    """The command line in a folder; an exception that reaches a person's eyes is one here as well."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    return Done(done.exit_code, done.stdout, done.stderr)


def test_the_command_is_also_a_module(tmp_path: Path) -> None:
    (tmp_path / "no-json.json").write_text("this is no JSON", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "engine", "screen", "no-json.json", "--trial", str(TRIAL)], cwd=tmp_path,
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "no-json.json: line 1, column 5: is not JSON" in done.stderr
    assert "Traceback" not in done.stderr


def patient(identity: str = "p", **more: Any) -> dict[str, Any]:
    return {
        "resource": {"resourceType": "Patient", "id": identity, "gender": "male", "birthDate": "1960-01-01", **more}
    }


def bundle(*entries: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": list(entries)})


def ecog(value: Any = 1, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "89247-1"}]}
    fixed = {"resourceType": "Observation", "id": "o", "status": "final", "code": code, "valueInteger": value}
    return {"resource": {**fixed, "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-06-10", **more}}


BAD_FILES = (
    ("no-json.json", "this is no JSON", "is not JSON"),
    ("cut.json", '{"resourceType": "Bundle", "entry": [', "ends too early"),
    ("empty.json", "", "is empty"),
    ("no-resource.json", '{"name": "x"}', "no FHIR resource"),
    ("no-bundle.json", '{"resourceType": "Observation"}', "a Bundle"),
    ("list.json", "[]", "no FHIR resource"),
    ("no-entries.json", '{"resourceType": "Bundle", "entry": []}', "no entries"),
    ("entry-no-list.json", '{"resourceType": "Bundle", "entry": 3}', "Bundle.entry is not a list"),
    ("no-patient.json", bundle(ecog()), "holds no Patient"),
    ("two-patients.json", bundle(patient("a"), patient("b")), "holds 2 Patients"),
    ("empty.ndjson", "\n\n", "is empty"),
    ("contradiction.json", bundle(patient(), patient(gender="female")), "other content"),
)


@pytest.mark.parametrize(("name", "content", "sentence"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_bad_file_is_named_and_the_others_are_screened(
    name: str, content: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "good.json").write_text(bundle(patient(), ecog()), "utf-8")
    done = command("screen", name, "good.json", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert [result["source"] for result in json.loads(done.stdout)] == ["good.json"]
    assert "1 of 2 inputs could not be used" in done.stderr


def test_a_line_of_ndjson_is_named_by_its_number(tmp_path: Path) -> None:
    lines = [bundle(patient("a")), "{", bundle(patient("b")), ""]
    (tmp_path / "some.ndjson").write_text("\n".join(lines), "utf-8")
    done = command("screen", "some.ndjson", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert "some.ndjson: line 2, column 2: is not JSON: the text ends too early" in done.stderr
    assert {result["patient"] for result in json.loads(done.stdout)} == {"Patient/a", "Patient/b"}


def test_a_patient_alone_among_the_lines_of_an_export_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text(f"{json.dumps(patient()['resource'])}\n{bundle(patient('b'))}\n", "utf-8")
    done = command("screen", "Patient.ndjson", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert "Patient.ndjson: line 1: is a Patient alone; a Bundle with the whole record" in done.stderr
    assert [result["patient"] for result in json.loads(done.stdout)] == ["Patient/b"]


def test_folders_are_searched_to_the_bottom_and_an_empty_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "full" / "deep").mkdir(parents=True)
    (tmp_path / "full" / "deep" / "one.json").write_text(bundle(patient()), "utf-8")
    (tmp_path / "full" / "notes.txt").write_text("no bundle", "utf-8")
    (tmp_path / "full" / "parameters.json").write_text("{}", "utf-8")  # of the run, and no bundle
    (tmp_path / "bare").mkdir()
    done = command("screen", "bare", "full", "nowhere", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert "bare: the folder holds no bundle" in done.stderr
    assert "nowhere: there is no such file or folder" in done.stderr
    assert "parameters.json" not in done.stderr
    assert len(json.loads(done.stdout)) == 1


def test_an_unknown_resource_type_and_malformed_elements_never_drop_the_patient(tmp_path: Path) -> None:
    entries = [patient(), {"resource": {"resourceType": "Starship", "id": "x"}}, ecog("one")]
    (tmp_path / "odd.json").write_text(bundle(*entries), "utf-8")
    (tmp_path / "sound.json").write_text(bundle(patient("sound"), ecog()), "utf-8")
    done = command("screen", "odd.json", "sound.json", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert "odd.json: Starship/x: 'Starship' is not a resource type of FHIR 4.0.1" in done.stderr
    assert re.search(r"odd\.json: Observation/\S+: valueInteger: ", done.stderr)
    assert "sound.json" not in done.stderr
    assert "Screened 2 patients" in done.stderr
    assert "1 record has parts that cannot be read" in done.stderr
    result = next(r for r in json.loads(done.stdout) if r["source"] == "odd.json")
    results = {c["id"]: c for c in result["criteria"]}
    assert results["TINY-I1"]["result"] == "met"
    assert results["TINY-I2"]["result"] == "unknown"
    assert any("valueInteger" in m.get("element", "") and m.get("reason") for m in results["TINY-I2"]["missing"])
    assert any("Starship" in aside["reason"] for aside in result["setAside"])
    assert any("valueInteger" in problem for problem in result["problems"])


def test_a_malformed_birth_date_is_unknown_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(bundle(patient(birthDate="1960-13-01"), ecog()), "utf-8")
    done = command("screen", "b.json", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert "b.json: Patient/p: birthDate: '1960-13-01' is not a date" in done.stderr
    (result,) = json.loads(done.stdout)
    assert result["criteria"][0]["result"] == "unknown"
    assert any("birthDate" in problem for problem in result["problems"])


def test_the_donor_of_the_patient_is_told_from_the_patient(tmp_path: Path) -> None:
    donor = {"link": [{"other": {"reference": "RelatedPerson/d"}, "type": "seealso"}]}
    related = {"resource": {"resourceType": "RelatedPerson", "id": "d", "patient": {"reference": "Patient/p"}}}
    (tmp_path / "b.json").write_text(bundle(patient("donor", **donor), patient(), related, ecog()), "utf-8")
    done = command("screen", "b.json", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [r["patient"] for r in json.loads(done.stdout)] == ["Patient/p"]


def test_a_patient_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "two.json").write_text(bundle(patient("a"), patient("b")), "utf-8")
    done = command("screen", "two.json", "--patient", "b", "--trial", TRIAL, "--format", "json", cwd=tmp_path)
    assert [r["patient"] for r in json.loads(done.stdout)] == ["Patient/b"]
    assert done.returncode == 0
    absent = command("screen", "two.json", "--patient", "c", "--trial", TRIAL, cwd=tmp_path)
    assert absent.returncode == 2
    assert "holds no Patient 'c'" in absent.stderr


BAD_PARAMETERS = (
    ("{", "the text ends too early"),
    ("", "is empty"),
    ("[1]", "no JSON object"),
    ('{"AssumeCompleteHistry": true}', "did you mean 'AssumeCompleteHistory'?"),
    ('{"AssumeCompleteHistory": "yes"}', "AssumeCompleteHistory: is 'yes'; expected true or false"),
    ('{"ScreeningDate": "16.03.2026"}', "ScreeningDate: is '16.03.2026'; expected a date"),
    ('{"ScreeningDate": "2026-03"}', "expected a full date"),
    ('{"ScreeningDate": 20260316}', "expected a date"),
    ('{"EvaluationTime": "2026-03-16"}', "expected a full time"),
)


@pytest.mark.parametrize(("content", "sentence"), BAD_PARAMETERS, ids=range(len(BAD_PARAMETERS)))
def test_a_bad_parameter_is_named(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "parameters.json").write_text(content, "utf-8")
    (tmp_path / "good.json").write_text(bundle(patient()), "utf-8")
    done = command("screen", "good.json", "--trial", TRIAL, "--parameters", "parameters.json", cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "parameters.json" in done.stderr
    assert "Traceback" not in done.stderr


BAD_OPTIONS = (
    (["--trial", "NO-SUCH"], "there is no usable trial of this id"),
    (["--trial", TRIAL, "--screening-date", "tomorrow"], "--screening-date: ScreeningDate: is 'tomorrow'"),
    (["--trial", TRIAL, "--parameters", "nowhere.json"], "there is no such file of parameters"),
    (["--trial", TRIAL, "--time-zone", "Rome"], "'Rome' is no offset"),
    (["--trial", "nowhere.cql"], "nowhere.cql"),
    (["--trial", TRIAL, "--output", "no/such/folder/x.json"], "the result cannot be written"),
    (["--format", "xml"], "'xml'"),
)


@pytest.mark.parametrize(("options", "sentence"), BAD_OPTIONS, ids=range(len(BAD_OPTIONS)))
def test_a_bad_option_is_told(options: list[object], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(bundle(patient()), "utf-8")
    done = command("screen", "good.json", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


BROKEN = """/*
@trial: BROKEN
@registry: NCT0
@title: A trial with four mistakes
*/
library Broken version '1.0.0'
using FHIR version '4.0.1'
include Nowhere version '1.0.0' called Nowhere
context Patient
define "Adult": AgeInYears() >= 18
/*
@criterion: BROKEN-I1
@inclusion
@text: Adults
*/
define "I1": "Adlut"
/*
@criterion: BROKEN-I2
@inclusion
@text: A wrong type
*/
define "I2": 'text' + 1
/*
@criterion: BROKEN-I3
@inclusion
@text: A wrong unit
*/
define "I3": 5 'mgg/dLx' > 4 'mg/dL'
"""


def test_check_reports_every_mistake_with_its_place_and_screen_refuses_the_trial(tmp_path: Path) -> None:
    (tmp_path / "broken.cql").write_text(BROKEN, "utf-8")
    (tmp_path / "good.json").write_text(bundle(patient()), "utf-8")
    done = command("check", "broken.cql", cwd=tmp_path)
    assert done.returncode == 1
    for line, words in ((8, "Nowhere"), (16, "did you mean 'Adult'"), (22, "String"), (28, "mgg/dLx")):
        assert any(text.startswith(f"broken.cql:{line}:") and words in text for text in done.stdout.splitlines()), (
            f"line {line}: {done.stdout}"
        )
    assert "^^^" in done.stdout
    refused = command("screen", "good.json", "--trial", "broken.cql", "--format", "json", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "broken.cql:16:" in refused.stderr
    assert "Nothing was screened" in refused.stderr


def test_a_missing_value_set_is_an_error_of_its_criterion_and_of_check(tmp_path: Path) -> None:
    text = TRIAL.read_text("utf-8").replace("ValueSet/heart-failure", "ValueSet/nobody-has-it")
    (tmp_path / "tiny.cql").write_text(text, "utf-8")
    (tmp_path / "good.json").write_text(bundle(patient(), ecog()), "utf-8")
    checked = command("check", "tiny.cql", cwd=tmp_path)
    assert checked.returncode == 1
    assert "tiny.cql:12:10 unknown-value-set" in checked.stdout
    done = command("screen", "good.json", "--trial", "tiny.cql", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0
    results = {c["id"]: c for c in json.loads(done.stdout)[0]["criteria"]}
    assert results["TINY-E1"]["result"] == "error"
    assert "nobody-has-it" in results["TINY-E1"]["error"]
    assert results["TINY-I2"]["result"] == "met"


def test_check_of_what_is_not_there(tmp_path: Path) -> None:
    done = command("check", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere: there is no such file or folder" in done.stderr


def test_a_library_that_is_no_text_hides_no_other_mistake(tmp_path: Path) -> None:
    (tmp_path / "old.cql").write_bytes("define \"Größe\": 1".encode("latin-1"))
    (tmp_path / "uses.cql").write_text("library U\ninclude old\ndefine A: 1", "utf-8")
    (tmp_path / "wrong.cql").write_text("library W\nusing FHIR version '4.0.1'\ndefine A: 1 + 'a'", "utf-8")
    done = command("check", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'old.cql'} unreadable-file: the file is not UTF-8 text (byte 10)" in done.stdout
    assert "wrong.cql:3:11 no-overload" in done.stdout
    assert "3 libraries checked" in done.stdout


def test_an_output_that_is_an_input_is_refused_and_the_record_stays(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(bundle(patient(), ecog()), "utf-8")
    done = command("screen", "a.json", "--trial", TRIAL, "--output", "./a.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "a.json: is an input too and would be overwritten" in done.stderr
    assert (tmp_path / "a.json").read_text("utf-8") == bundle(patient(), ecog())


@pytest.mark.parametrize("format", ("ndjson", "json", "csv", "table"))
def test_a_file_name_that_is_no_text_is_shown_with_escapes(format: str, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff.json")).write_text(bundle(patient(), ecog()), "utf-8")
    done = command("screen", tmp_path, "--trial", TRIAL, "--format", format, "--output", tmp_path / "o.txt")
    assert done.returncode == 0, done.stderr
    assert "udcff.json" in (tmp_path / "o.txt").read_text("utf-8")


def test_a_name_too_long_for_a_file_is_told(tmp_path: Path) -> None:
    done = command("screen", "x" * 300 + ".json", "--trial", TRIAL, cwd=tmp_path)
    assert done.returncode == 2
    assert "the file cannot be read: File name too long" in done.stderr


def test_an_expression_that_is_no_text_is_told() -> None:
    done = command("eval", "'\udcff'")
    assert done.returncode == 2
    assert "the expression is not UTF-8 text" in done.stderr


def test_a_line_of_expressions_nested_without_end_fails_alone() -> None:
    lines = b"[" * 100_000 + b"\n" + b'{"id": 2, "expression": "1"}\n'
    done = CliRunner().invoke(app, ["eval", "--jsonl"], input=lines, catch_exceptions=False)
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["ok"] is False
    assert second["ok"] is True


@pytest.mark.parametrize("arguments", (("check",), ("conformance",), ("screen", "a.json", "--trial")))
def test_a_name_too_long_ends_every_command_with_a_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(bundle(patient()), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "engine", *arguments, "x" * 300 + ".cql"], cwd=tmp_path,
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().endswith("x.cql: cannot be used: File name too long")
