"""``eligibility run``: every define of a library over a patient's record, as JSON; one run, or a batch of jobs.

The result maps each define of the library, private ones too, to its value (the forms are those of
``language.values.json.to_plain``): a resource is ``"Type/id"``, any other FHIR element ``{"$fhir": its JSON}``, and a
define that failed is ``{"$error": its sentence}`` while all others keep their values. A library of context Patient
begins with ``"Patient"``, the define its context implies, as other engines give it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine.cli.elements import element_json
from engine.cli.evaluate import clock
from engine.cli.parameters import ParameterValues
from engine.errors import EligibilityError, InputError
from engine.fhir import PatientRecord, decode_bundle
from engine.language import Context, Evaluation, Limits, Program
from engine.language.values import DateTime
from engine.language.values.json import encode, to_plain
from engine.workspace import Workspace

PATIENT = "Patient"


class LibraryRun:
    """A compiled library, ready for any number of patients; ``now`` stands for all of them."""

    def __init__(self, workspace: Workspace, library: Path, now: DateTime) -> None:
        self.workspace = workspace
        self.program: Program = workspace.program(workspace.translate_file(library))
        self.now = now
        self.parameters = ParameterValues(workspace, self.program, now)

    def context(self, record: PatientRecord | None, parameters: Mapping[str, Any]) -> Context:
        """The inputs of one run."""
        return self.workspace.context(self.now, record=record, parameters=parameters)

    def result(self, record: PatientRecord | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """``{define: plain JSON}`` of all defines, in the order of the library."""
        evaluation = self.workspace.evaluate(self.program, self.context(record, parameters))
        defines = self.program.main.expressions
        found: dict[str, Any] = {}
        if record is not None and any(define.context == PATIENT for define in defines):
            found[PATIENT] = element_json(record.subject)
        return found | {define.name: plain_value(evaluation, define.name) for define in defines}


def plain_value(evaluation: Evaluation, name: str) -> Any:
    """The plain JSON of a define, or ``{"$error": sentence}``."""
    try:
        return to_plain(evaluation.define(name), element_json)
    except EligibilityError as problem:
        return {"$error": str(problem)}
    except Exception as defect:  # noqa: BLE001 - a defect of the engine fails its define, and says so
        return {"$error": f"internal error ({type(defect).__name__}: {defect}); please report it with the library"}


# ---------------------------------------------------------------- inputs


def zone_minutes(text: str, now: DateTime) -> int:
    """Minutes east of UTC of ``+08:00``, ``Z`` or a zone name such as ``Asia/Singapore`` at the moment ``now``.

    Raises:
        InputError: it is neither.
    """
    if text.upper() in ("Z", "UTC"):
        return 0
    try:
        return DateTime.parse(f"2000-01-01T00:00:00{text}").offset_minutes or 0
    except ValueError:
        pass
    try:
        at = datetime(now.year, now.month or 1, now.day or 1, now.hour or 0, now.minute or 0, tzinfo=ZoneInfo(text))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"'{text}' is no time zone; write an offset like +08:00, or a name like Asia/Singapore"
        raise InputError("--timezone", "", message) from None
    return (at.utcoffset() or timedelta()) // timedelta(minutes=1)


def moment(text: str | None, timezone: str | None) -> DateTime:
    """The evaluation time: ``text`` or the clock; its offset is its own, else that of the time zone, else UTC.

    Raises:
        InputError: the text is no full date and time, or the zone is unknown.
    """
    if text is None:
        now = clock()
        return now.normalised(zone_minutes(timezone, now)) if timezone else now
    try:
        now = DateTime.parse(text)
    except ValueError as problem:
        raise InputError("--now", "", str(problem)) from None
    if now.day is None:
        raise InputError("--now", "", f"'{text}' is no full date; write 2026-03-16 or 2026-03-16T10:00:00+08:00")
    parts = (now.hour or 0, now.minute or 0, now.second or 0, now.millisecond or 0)
    full = DateTime(now.year, now.month, now.day, *parts, now.offset_minutes)
    if full.offset_minutes is not None:
        return full
    return full.with_offset(zone_minutes(timezone, full) if timezone else 0)


def read_record(bundle: Path, patient: str | None) -> PatientRecord:
    """The record of a bundle file; InputError naming the file when it cannot be used.

    Modifier extensions withhold nothing here: the library answers for what it reads.
    """
    try:
        content = bundle.read_bytes()
    except OSError as problem:
        raise InputError(str(bundle), "", f"the file cannot be read: {problem.strerror}") from None
    return PatientRecord.from_bundle(decode_bundle(content, source=str(bundle), withhold=False), patient)


def named_literals(parameters: Sequence[str]) -> dict[str, str]:
    """``NAME=CQL literal`` texts by name; InputError for one without ``=`` or a name given twice."""
    found: dict[str, str] = {}
    for text in parameters:
        name, sign, literal = text.partition("=")
        name = name.strip().strip('"')
        if not sign or not name or not literal.strip():
            raise InputError("--parameter", text, "write NAME=CQL literal, for example 'Dose=5 \\'mg\\''")
        if name in found:
            raise InputError("--parameter", name, "the parameter is given twice")
        found[name] = literal
    return found


def library_folders(library: Path, cql: Sequence[Path]) -> list[Path]:
    """Where included libraries are looked for: the folders given, then the files beside the library."""
    _require_folders(cql, "--cql-dir")
    return [*cql, *sorted(library.parent.glob("*.cql"))]


def _require_folders(folders: Sequence[Path], option: str) -> None:
    for folder in folders:
        if not folder.exists():
            raise InputError(option, str(folder), "there is no such folder")


# ---------------------------------------------------------------- batch


@dataclass(slots=True)
class Batch:
    """Jobs over one library. ``given`` are the parameters of the command line, which a job's own replace by name."""

    run: LibraryRun
    given: Mapping[str, str]
    patient: str | None
    folder: Path
    failed: int = 0
    _last: tuple[tuple[Path, str | None], PatientRecord] | None = field(default=None)

    def answers(self, lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
        """One answer a line, in order."""
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield self._answer(line, number)

    def _answer(self, line: bytes, number: int) -> dict[str, Any]:
        identity: Any = None
        started = time.perf_counter()
        try:
            job = _decode_job(line, number)
            identity = job.get("id")
            result = self._result(job)
        except EligibilityError as problem:
            self.failed += 1
            return {"id": identity, "error": str(problem)}
        except Exception as defect:  # noqa: BLE001 - a defect of the engine fails its job, and says so
            self.failed += 1
            return {"id": identity, "error": f"internal error ({type(defect).__name__}: {defect}); please report it"}
        return {"id": identity, "result": result, "ms": round((time.perf_counter() - started) * 1000, 3)}

    def _result(self, job: Mapping[str, Any]) -> dict[str, Any]:
        texts = job.get("parameters") or {}
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise InputError("job", "parameters", "write an object of CQL literals by name")
        values = self.run.parameters.values({**self.given, **texts})
        bundle, patient = job.get("bundle"), job.get("patient") or self.patient
        if not isinstance(bundle, str | None) or not isinstance(patient, str | None):
            raise InputError("job", "bundle", "bundle is the path of a file, and patient an id")
        return self.run.result(None if bundle is None else self._record(bundle, patient), values)

    def _record(self, bundle: str, patient: str | None) -> PatientRecord:
        path = Path(bundle)
        if not path.exists() and (self.folder / bundle).exists():
            path = self.folder / bundle
        if self._last is None or self._last[0] != (path, patient):
            self._last = ((path, patient), read_record(path, patient))
        return self._last[1]


def _decode_job(line: bytes, number: int) -> dict[str, Any]:
    try:
        job = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise InputError(f"line {number}", "", f"is no JSON: {problem}") from None
    if not isinstance(job, dict):
        raise InputError(f"line {number}", "", 'a job is an object {"id", "bundle", "parameters"}')
    return job


def run_batch(batch: Batch, jobs: Path) -> int:
    """Answers each line of the jobs file (``-`` is standard input); 2 when any job failed."""
    if str(jobs) == "-":
        _print_lines(batch.answers(iter(sys.stdin.buffer)))
    else:
        try:
            with jobs.open("rb") as lines:
                _print_lines(batch.answers(iter(lines)))
        except OSError as problem:
            raise InputError(str(jobs), "", f"the file cannot be read: {problem.strerror}") from None
    if batch.failed:
        print(f"{batch.failed} of the jobs failed; their lines say why", file=sys.stderr)
    return 2 if batch.failed else 0


def _print_lines(answers: Iterator[dict[str, Any]]) -> None:
    for answer in answers:
        sys.stdout.buffer.write(encode(answer) + b"\n")
        sys.stdout.buffer.flush()


# ---------------------------------------------------------------- the command


def command(
    library: Path,
    cql: Sequence[Path] = (),
    valuesets: Sequence[Path] = (),
    bundle: Path | None = None,
    parameters: Sequence[str] = (),
    patient: str | None = None,
    now: str | None = None,
    timezone: str | None = None,
    batch: Path | None = None,
    limits: Limits | None = None,
) -> int:
    """Runs ``run``; 0, or 2 when an input cannot be used (in a batch: when any job failed). A failed define is 0."""
    try:
        if batch is not None and bundle is not None:
            raise InputError("--batch", "", "the jobs name their bundles; leave --bundle out")
        _require_folders(valuesets, "--valuesets")
        workspace = Workspace(library_folders(library, cql), valuesets, limits=limits)
        run = LibraryRun(workspace, library, moment(now, timezone))
        given = named_literals(parameters)
        values = run.parameters.values(given)
        if batch is not None:
            return run_batch(Batch(run, given, patient, batch.parent), batch)
        record = None if bundle is None else read_record(bundle, patient)
        result = run.result(record, values)
    except EligibilityError as problem:
        print(problem, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(msgspec.json.format(encode(result), indent=2) + b"\n")
    sys.stdout.buffer.flush()
    return 0
