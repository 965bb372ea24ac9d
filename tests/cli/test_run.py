"""`eligibility run`: the JSON of all defines, parameters as CQL literals, batches, and inputs that cannot be used."""

import copy
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.cli.parameters import type_text
from engine.cli.run import command, moment, named_literals
from engine.errors import InputError
from engine.language.types.datatype import ANY, INTEGER, STRING, ChoiceType, IntervalType, ListType, TupleType

LIBRARY = """library Values version '1.0.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
include Beside
include Elsewhere called Else
parameter "Period" Interval<DateTime> default Interval[@2020-01-01T00:00:00.0, @2021-01-01T00:00:00.0)
parameter Dose System.Quantity
parameter "Model Dose" Quantity
parameter Factor Decimal default 1
parameter Numbers List<Integer>
parameter Pair Tuple { a Integer, "b c" String }
valueset "Absent": 'http://example.org/absent'
valueset "Few": 'http://example.org/few'
context Patient
"""

DEFINES: dict[str, tuple[str, Any]] = {
    "Null": ("null", None),
    "True": ("true", True),
    "Integer": ("7", 7),
    "Long": ("12345678901L", 12345678901),
    "Decimal": ("1.10", Decimal("1.10")),
    "Tenths": ("0.1 + 0.2", Decimal("0.3")),
    "String": ("'a\\u00e9'", "aé"),
    "Date": ("@2012-01", "2012-01"),
    "DateTime": ("@2012-01-01T10:00:00.0", "2012-01-01T10:00:00.000+00:00"),
    "Time": ("@T10:00", "10:00"),
    "Quantity": ("5.50 'mg'", {"value": Decimal("5.50"), "unit": "mg"}),
    "Interval": ("Interval[1, null)", {"low": 1, "high": None, "lowClosed": True, "highClosed": False}),
    "Code": ("Code { code: 'a', system: 's', display: 'd' }", {"code": "a", "system": "s"}),
    "Concept": ("Concept { codes: { Code { code: 'a', system: 's' } } }", {"codes": [{"code": "a", "system": "s"}]}),
    "Tuple": ("Tuple { a: 1, b: { 'x', null } }", {"a": 1, "b": ["x", None]}),
    "Resource": ("Patient", "Patient/p1"),
    "Resources": ("[Observation]", ["Observation/o1"]),
    "Contained": ("singleton from ([MedicationRequest] M return M.contained[0])", "Medication/m1"),
    "Element": (
        "singleton from ([Observation] O return O.value)",
        {"$fhir": {"value": Decimal("7.10"), "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}},
    ),
    "Primitive": ("Patient.gender", {"$fhir": "female"}),
    "Only extended": (
        "Patient.birthDate",
        {"$fhir": {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]}},
    ),
    "Converted": ("singleton from ([Observation] O return (O.value as FHIR.Quantity) > 7 'g')", True),
    "Listed": ("exists [Observation: \"Few\"]", True),
    "Failed": ("exists [Observation: \"Absent\"]", "absent"),
    "Depends": ("true or \"Failed\"", True),
    "Now": ("Now()", "2026-03-16T12:00:00.000+00:00"),
    "Neighbour": ("Beside.\"Factor times two\"", 2),
    "Elsewhere": ("Else.One", 1),
    "Given": ("Dose", None),
}  # fmt: skip

BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "id": "p1",
                "gender": "female",
                "_birthDate": {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]},
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "http://example.org/cs", "code": "a"}]},
                "valueQuantity": {"value": "7.10", "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"},
            }
        },
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "r1",
                "status": "active",
                "intent": "order",
                "subject": {"reference": "Patient/p1"},
                "contained": [{"resourceType": "Medication", "id": "m1"}],
                "medicationReference": {"reference": "#m1"},
            }
        },
    ],
}

FEW = {
    "resourceType": "ValueSet",
    "url": "http://example.org/few",
    "status": "active",
    "expansion": {"timestamp": "2026-01-01", "contains": [{"system": "http://example.org/cs", "code": "a"}]},
}

NOW = "2026-03-16T12:00:00"


class Folder:
    """A library, its neighbours, a value set and a bundle on disk; ``run`` gives the exit code and what was printed."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.capsys = capsys
        for name in ("main", "elsewhere", "valuesets"):
            (path / name).mkdir()
        self.library = path / "main" / "Values.cql"
        self.write(*(f'define "{name}": {cql}' for name, (cql, _) in DEFINES.items()))
        beside = 'library Beside\nparameter Factor Decimal default 1\ndefine "Factor times two": Factor * 2\n'
        (path / "main" / "Beside.cql").write_text(beside, "utf-8")
        (path / "elsewhere" / "Elsewhere.cql").write_text("library Elsewhere\ndefine One: 1\n", "utf-8")
        (path / "valuesets" / "few.json").write_text(json.dumps(FEW), "utf-8")
        self.bundle = path / "bundle.json"
        self.bundle.write_text(json.dumps(BUNDLE).replace('"7.10"', "7.10"), "utf-8")

    def write(self, *defines: str) -> None:
        self.library.write_text(LIBRARY + "\n".join(defines) + "\n", "utf-8")

    def run(self, parameters: Sequence[str] = (), **options: Any) -> tuple[int, str, str]:
        given = {"bundle": self.bundle, "now": NOW, **options}
        if "batch" in options:
            del given["bundle"]
        code = command(
            self.library, [self.path / "elsewhere"], [self.path / "valuesets"], parameters=parameters, **given
        )
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def result(self, *parameters: str, **options: Any) -> dict[str, Any]:
        code, text, errors = self.run(parameters, **options)
        assert (code, errors) == (0, "")
        found: dict[str, Any] = json.loads(text, parse_float=Decimal)
        return found

    def jobs(self, *jobs: Any) -> Path:
        path = self.path / "jobs.jsonl"
        path.write_text("\n".join(job if isinstance(job, str) else json.dumps(job) for job in jobs), "utf-8")
        return path


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_every_define_as_json(folder: Folder) -> None:
    result = folder.result()
    failed = result.pop("Failed")
    assert list(failed) == ["$error"]
    assert "http://example.org/absent" in failed["$error"]
    expected = {name: value for name, (_, value) in DEFINES.items() if name != "Failed"}
    assert result == {"Patient": "Patient/p1"} | expected
    assert list(result) == ["Patient", *expected]
    assert str(result["Element"]["$fhir"]["value"]) == "7.10"
    assert str(result["Decimal"]) == "1.10"


def test_a_modifier_extension_withholds_nothing_from_a_library(folder: Folder) -> None:
    modified = copy.deepcopy(BUNDLE)
    for entry in modified["entry"]:
        entry["resource"]["modifierExtension"] = [{"url": "http://example.org/not-done", "valueBoolean": True}]
    folder.bundle.write_text(json.dumps(modified), "utf-8")
    folder.write("define X: [Observation] O return O.modifierExtension.url")
    assert folder.result()["X"] == [[{"$fhir": "http://example.org/not-done"}]]


def test_without_a_bundle_what_needs_the_patient_fails(folder: Folder) -> None:
    result = folder.result(bundle=None)
    assert result["Integer"] == 7
    assert list(result["Patient"]) == list(result["Resources"]) == ["$error"]
    folder.write("define A: 1")
    assert folder.result(bundle=None) == {"A": 1}


@pytest.mark.parametrize(
    ("parameter", "define", "value"),
    (
        ("Dose=5 'mg'", "Dose", {"value": 5, "unit": "mg"}),
        ("Dose=null", "Dose", None),
        ('"Dose" = 2 days', "Dose", {"value": 2, "unit": "days"}),
        ("Model Dose=5 'mg'", "\"Model Dose\" > 4.9 'mg'", True),
        ("Model Dose=2 weeks", '"Model Dose" = 14 days', True),
        ("Model Dose=null", '"Model Dose" is null', True),
        ("Factor=3", "Factor", 3),
        ("Factor=1.50", 'Beside."Factor times two"', 3),
        ("Numbers={ 1, 1 + 1, null }", "Numbers", [1, 2, None]),
        ("Pair={ a: 1, \"b c\": 'x=y' }", 'Pair."b c"', "x=y"),
        (
            "Period=Interval[@2021-01-01T00:00:00.0, @2022-01-01T00:00:00.0)",
            "end of Period",
            "2021-12-31T23:59:59.999+00:00",
        ),
    ),
)
def test_parameters_are_cql(folder: Folder, parameter: str, define: str, value: Any) -> None:
    folder.write(f"define R: {define}")
    assert folder.result(parameter)["R"] == value


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    (
        (["Doze=1"], "Doze: no library declares a parameter of this name; did you mean 'Dose'?"),
        (["XYZ=1"], "declared are 'Dose', 'Factor', 'Model Dose', 'Numbers', 'Pair', 'Period'"),
        (["Dose='a'"], "Dose: ''a'' is no value of type Quantity"),
        (["Dose=5 'mgg'"], "mgg"),
        (["Numbers={1,"], "is no value of type List<Integer>"),
        (["Numbers=singleton from {{1}, {2}}"], "has no value: singleton from"),
        (["Dose"], "write NAME=CQL literal"),
        (["Dose=1 'g'", "Dose=2 'g'"], "the parameter is given twice"),
    ),
)
def test_parameters_that_cannot_be_used(folder: Folder, parameters: list[str], sentence: str) -> None:
    code, text, errors = folder.run(parameters)
    assert (code, text) == (2, "")
    assert sentence in errors


@pytest.mark.parametrize(
    ("options", "sentence"),
    (
        ({"now": "16.3.2026"}, "--now"),
        ({"now": "2026"}, "'2026' is no full date"),
        ({"timezone": "Mars/Olympus"}, "'Mars/Olympus' is no time zone"),
        ({"patient": "p2"}, "p2"),
        ({"bundle": Path("absent.json")}, "absent.json: the file cannot be read"),
    ),
)
def test_inputs_that_cannot_be_used(folder: Folder, options: dict[str, Any], sentence: str) -> None:
    code, text, errors = folder.run(**options)
    assert (code, text) == (2, "")
    assert sentence in errors


def test_a_library_that_does_not_compile(folder: Folder) -> None:
    folder.write("define A: Disease", "define B: 1 + 'a'")
    code, text, errors = folder.run()
    assert (code, text) == (2, "")
    first = LIBRARY.count("\n") + 1
    assert f"{folder.library}:{first}:11 unknown-name" in errors
    assert f"{folder.library}:{first + 1}:11 no-overload" in errors


@pytest.mark.parametrize("absent", ("library", "cql", "valuesets"))
def test_paths_that_are_not_there(folder: Folder, absent: str) -> None:
    paths = {"library": folder.library, "cql": [folder.path / "elsewhere"], "valuesets": [folder.path / "valuesets"]}
    paths[absent] = folder.path / "gone" if absent == "library" else [folder.path / "gone"]
    assert command(**paths, bundle=folder.bundle) == 2  # type: ignore[arg-type]
    assert "gone" in folder.capsys.readouterr().err


@pytest.mark.parametrize(
    ("now", "timezone", "expected"),
    (
        ("2026-03-16", None, "2026-03-16T00:00:00.000+00:00"),
        ("2026-03-16T10:30", "+08:00", "2026-03-16T10:30:00.000+08:00"),
        ("2026-03-16T10:30:00Z", "+08:00", "2026-03-16T10:30:00.000+00:00"),
        ("2026-01-16T10:30", "Europe/Berlin", "2026-01-16T10:30:00.000+01:00"),
        ("2026-07-16T10:30", "Europe/Berlin", "2026-07-16T10:30:00.000+02:00"),
        ("2026-03-16T10:30", "utc", "2026-03-16T10:30:00.000+00:00"),
    ),
)
def test_the_evaluation_time_has_an_offset(now: str, timezone: str | None, expected: str) -> None:
    assert str(moment(now, timezone)) == expected


def test_without_now_the_clock_is_read_in_the_zone_asked_for() -> None:
    assert moment(None, None).offset_minutes == 0
    assert moment(None, "-05:00").offset_minutes == -300


def test_a_batch_answers_each_job_in_order(folder: Folder) -> None:
    folder.write("define D: Dose", "define P: Patient.gender", "define F: Factor")
    jobs = folder.jobs(
        {"id": 1, "bundle": str(folder.bundle), "parameters": {"Dose": "1 'g'"}},
        "{ no JSON",
        "[1]",
        {"id": "gone", "bundle": "gone.json"},
        {"id": 4, "bundle": "bundle.json", "parameters": {"Doze": "1 'g'"}},
        {"id": 5, "bundle": "bundle.json", "parameters": {"Dose": 1}},
        {"id": 6, "bundle": "bundle.json", "patient": "other"},
        "",
        {"id": 7, "bundle": "bundle.json"},
    )
    code, text, errors = folder.run(["Dose=9 'g'", "Factor=4"], batch=jobs)
    lines = [json.loads(line) for line in text.splitlines()]
    assert code == 2
    assert "6 of the jobs failed" in errors
    assert [line["id"] for line in lines] == [1, None, None, "gone", 4, 5, 6, 7]
    assert lines[0]["result"] == {
        "Patient": "Patient/p1", "D": {"value": 1, "unit": "g"}, "P": {"$fhir": "female"}, "F": 4,
    }  # fmt: skip
    assert lines[7]["result"]["D"] == {"value": 9, "unit": "g"}
    assert set(lines[0]) == {"id", "result", "ms"}
    assert all(set(line) == {"id", "error"} for line in lines[1:7])
    assert "gone.json" in lines[3]["error"]
    assert "did you mean 'Dose'?" in lines[4]["error"]


def test_a_batch_without_failures_ends_with_zero(folder: Folder) -> None:
    code, text, errors = folder.run(batch=folder.jobs(*({"id": n, "bundle": str(folder.bundle)} for n in range(3))))
    assert (code, errors) == (0, "")
    assert [json.loads(line)["id"] for line in text.splitlines()] == [0, 1, 2]


def test_a_batch_and_a_bundle_exclude_each_other(folder: Folder) -> None:
    assert command(folder.library, bundle=folder.bundle, batch=folder.jobs()) == 2


def test_the_same_inputs_give_the_same_bytes(folder: Folder) -> None:
    assert folder.run()[1] == folder.run()[1]


def test_the_command_line_has_its_options(folder: Folder) -> None:
    arguments = [
        "run", str(folder.library), "--cql-dir", str(folder.path / "elsewhere"),
        "--valuesets", str(folder.path / "valuesets"), "--bundle", str(folder.bundle),
        "--parameter", "Dose=5 'mg'", "--parameter", "Factor=2", "--now", NOW,
    ]  # fmt: skip
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["Given"] == {"value": 5, "unit": "mg"}
    jobs = folder.jobs({"id": 1, "bundle": "bundle.json"})
    batch = CliRunner().invoke(app, [*arguments[:6], "--batch", str(jobs)])
    assert batch.exit_code == 0
    assert json.loads(batch.stdout)["id"] == 1
    assert CliRunner().invoke(app, ["run", str(folder.library), "--parameter", "Doze=1"]).exit_code == 2


def test_a_literal_may_hold_an_equals_sign() -> None:
    assert named_literals(["A=1 = 1", '"B C"= 2']) == {"A": "1 = 1", "B C": " 2"}
    with pytest.raises(InputError):
        named_literals(["=1"])


def test_types_are_written_as_cql_reads_them() -> None:
    nested = TupleType.of({"a b": ListType(INTEGER), "c": ChoiceType.of([STRING, IntervalType(INTEGER)])})
    assert type_text(nested) == (
        'Tuple { "a b" List<System."Integer">, "c" Choice<Interval<System."Integer">, System."String"> }'
    )
    assert type_text(ANY) == 'System."Any"'
