"""``eligibility screen`` and ``eligibility explain``."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.inputs import Options, Selection, complain, prepare, select_trials
from engine.errors import InputError
from engine.fhir import PatientRecord
from engine.language.interpreter import COLLECTOR_RESTS
from engine.report import csv_text, json_text, ndjson_text, ordered
from engine.report.words import counted
from engine.sources import Patient, patients
from engine.trials import Screening, TrialResult

if TYPE_CHECKING:
    from engine.cli.servers import ServerOptions

UNUSABLE = 2
"""The exit code when an input, a parameter or a trial could not be used."""

WIDE = 160
"""Columns of a table that goes to no terminal."""

PATIENTS_A_COLLECTION = 10
"""After so many patients what refers to itself in a circle is collected: an error that was met, no record."""

WRITERS = {"json": json_text, "csv": csv_text}


Keep = Callable[[Sequence[TrialResult]], object]
"""What becomes of the results of a patient."""


@dataclass(slots=True)
class Outcome:
    """What became of the inputs of a run, in numbers."""

    verdicts: Counter[str] = field(default_factory=Counter)
    patients: int = 0
    failed: int = 0
    flawed: int = 0

    @property
    def sound(self) -> bool:
        """Whether every input could be used, all of it."""
        return not self.failed and not self.flawed


def command(inputs: list[Path], options: Options, format: str, output: Path | None) -> int:
    """Screens the inputs; the exit code is 0, or 2 when anything could not be used, be it one element of a record."""
    overwritten = [path for path in inputs if output is not None and _same_file(path, output)]
    if overwritten:
        complain(InputError("--output", str(output), "is an input too and would be overwritten; name another file"))
        return UNUSABLE
    selection = select_trials(options.trials)
    screening = _prepared(selection, options)
    if screening is None:
        return UNUSABLE
    return _written(patients(inputs, options.patient), screening, selection, format, output)


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False


def server_command(server: ServerOptions, options: Options, format: str, output: Path | None) -> int:
    """Screens patients of a FHIR server; the exit code is also 2 when anything could not be fetched."""
    from engine.cli.servers import completeness_lines, server_records

    selection = select_trials(options.trials)
    screening = _prepared(selection, options)
    if screening is None:
        return UNUSABLE
    try:
        records = server_records(server, selection.workspace, selection.trials)
    except InputError as problem:
        complain(problem)
        return UNUSABLE
    code = _written(records, screening, selection, format, output)
    for line in completeness_lines(records.completeness):
        complain(line)
    return code if records.completeness.complete else UNUSABLE


def _written(
    stream: Iterable[Patient | InputError], screening: Screening, selection: Selection, format: str, output: Path | None
) -> int:
    """Screens a stream and writes the results and what became of the inputs; gives the exit code."""
    if format == "ndjson":
        outcome, written = _streamed(stream, screening, output)
    else:
        results: list[TrialResult] = []
        outcome = screened(stream, screening, results.extend)
        written = _write(ordered(results), format, output)
    if outcome.patients or outcome.failed:
        complain(summary(outcome, len(selection.trials)))
    if output is not None and written:
        complain(f"The whole result is in {output}.")
    return 0 if written and outcome.sound and not selection.problems else UNUSABLE


def _streamed(
    stream: Iterable[Patient | InputError], screening: Screening, output: Path | None
) -> tuple[Outcome, bool]:
    """NDJSON: the lines of a patient as soon as they are known, in the order of the inputs. Nothing is kept, so that a
    population of any size can be screened."""
    try:
        with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as lines:
            sys.stdout.flush()
            return screened(stream, screening, lambda results: lines.write(ndjson_text(results))), True
    except OSError as problem:
        complain(f"{output or 'standard output'}: the result cannot be written: {problem.strerror}")
        return Outcome(), False


def explain_command(bundle: Path, options: Options) -> int:
    """Prints the answers for one bundle; exit codes as of :func:`command`."""
    from engine.report.explain import explain_text

    selection = select_trials(options.trials)
    screening = _prepared(selection, options)
    if screening is None:
        return UNUSABLE
    results: list[TrialResult] = []
    outcome = screened(patients([bundle], options.patient), screening, results.extend)
    print("\n".join(map(explain_text, results)), end="")
    return 0 if outcome.sound and not selection.problems else UNUSABLE


def _prepared(selection: Selection, options: Options) -> Screening | None:
    for sentence in selection.problems:
        complain(sentence)
    if not selection.trials:
        complain("Nothing was screened: no trial can be used.")
        return None
    try:
        return prepare(selection, options)
    except InputError as problem:
        complain(problem)
        return None


def screened(stream: Iterable[Patient | InputError], screening: Screening, keep: Keep) -> Outcome:
    """Screens one patient after the other; what is wrong with an input is told, and the others go on."""
    outcome = Outcome()
    with COLLECTOR_RESTS:  # records and traces are freed without it; it would visit each of them several times
        for item in stream:
            if isinstance(item, InputError):
                outcome.failed += 1
                complain(item)
                continue
            outcome.patients += 1
            results = screening.screen(item.record, item.source)
            outcome.verdicts.update(result.verdict for result in results)
            keep(results)
            if outcome.patients == 1:
                gc.freeze()  # all criteria are compiled now and stay: the collector need not visit them
            elif outcome.patients % PATIENTS_A_COLLECTION == 0:
                gc.collect(1)
            flaws = unreadable(item.record)
            outcome.flawed += bool(flaws)
            for sentence in flaws:
                complain(InputError(item.source, "", sentence))
    return outcome


def unreadable(record: PatientRecord) -> list[str]:
    """A sentence for each entry that is no resource, and for each malformed element that was met; what needs it is
    unknown, and the patient stays."""
    return [f"{a.reference}: {a.reason}" for a in record.unusable] + sorted(map(str, record.problems))


def summary(outcome: Outcome, trials: int) -> str:
    """What was screened, how it came out, and how many inputs failed."""
    parts = [f"{outcome.verdicts[v]} {v}" for v in ("eligible", "needs-review", "ineligible")]
    text = f"Screened {counted(outcome.patients, 'patient')} for {counted(trials, 'trial')}: {', '.join(parts)}."
    if outcome.failed:
        text += f" {outcome.failed} of {outcome.patients + outcome.failed} inputs could not be used."
    if outcome.flawed:
        text += f" {counted(outcome.flawed, 'record has', 'records have')} parts that cannot be read."
    return text


def _write(results: list[TrialResult], format: str, output: Path | None) -> bool:
    """Prints the results or writes them to the file; with a table the file is JSON. False when it cannot be written."""
    if format == "table":
        from rich.console import Console

        from engine.report.table import print_table

        width = None if sys.stdout.isatty() else WIDE
        print_table(results, Console(highlight=False, width=width))
    elif output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(WRITERS[format](results))
    if output is None:
        return True
    try:
        output.write_bytes(WRITERS["json" if format == "table" else format](results))
    except OSError as problem:
        complain(f"{output}: the result cannot be written: {problem.strerror}")
        return False
    return True
