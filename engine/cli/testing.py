"""``eligibility test``: a trial's own cases, and which results its atoms and criteria were seen in."""

from __future__ import annotations

import re
from pathlib import Path

from engine.cli.inputs import complain, select_trials
from engine.errors import InputError
from engine.trials.cases import STATES, CaseBook, cases_folder, read_cases
from engine.trials.rehearsal import Rehearsal, Seen, rehearse
from engine.trials.trial import Trial

UNUSABLE = 2
"""The exit code when a trial or a file of cases cannot be used."""


def command(trials: list[str], write: Path | None) -> int:
    """Runs the cases; 1 when one fails or a result is never reached, 2 when a trial or its cases cannot be used."""
    selection = select_trials(trials)
    for sentence in selection.problems:
        complain(sentence)
    worst = UNUSABLE if selection.problems else 0
    for trial in selection.trials:
        try:
            book = read_cases(trial)
            if write is not None:
                _write(trial, book, write)
            if not book.cases:
                complain(f"{trial.id} has no cases; write them in {cases_folder(trial)} (CONTRIBUTING.md says how)")
                worst = max(worst, 1)
                continue
            rehearsal = rehearse(selection.workspace, trial, book)
        except InputError as problem:
            complain(problem)
            worst = UNUSABLE
            continue
        print(text_of(rehearsal))
        worst = max(worst, 0 if rehearsal.passed else 1)
    return worst


def text_of(rehearsal: Rehearsal) -> str:
    """The failing cases, the table of results seen, and a line that counts."""
    lines = [f"{rehearsal.trial}"]
    for difference in rehearsal.differences:
        lines.append(
            f"  {difference.name}: expected {difference.expected}, got {difference.got}"
            f"\n      {difference.case.title}  ({Path(difference.case.source).name})"
        )
    lines += ["", f"  {'seen in cases':<18}{''.join(f'{state:>10}' for state in STATES)}"]
    lines += [_row(row) for row in rehearsal.seen]
    unreached = [f"{row.id} {state}" for row in rehearsal.seen for state in row.unreached]
    contradicted = [f"{row.id} {state}" for row in rehearsal.seen for state in row.contradicted]
    lines.append("")
    if unreached:
        lines.append(f"  Never reached, and not said to be impossible: {', '.join(unreached)}.")
    if contradicted:
        lines.append(f"  Said to be impossible, and reached: {', '.join(contradicted)}.")
    failed = len({id(d.case) for d in rehearsal.differences})
    reached = sum(1 for row in rehearsal.seen for state in STATES if row.counts.get(state))
    possible = sum(3 - len(row.never) for row in rehearsal.seen)
    lines.append(
        f"  {rehearsal.cases} cases, {failed} failed; {reached} of {possible} possible results seen "
        f"in {len(rehearsal.seen)} criteria and atoms."
    )
    return "\n".join(lines) + "\n"


def _row(row: Seen) -> str:
    cells = "".join(f"{row.counts.get(s) or ('never' if s in row.never else '-'):>10}" for s in STATES)
    reasons = "; ".join(dict.fromkeys(row.never.values()))
    return f"  {row.id:<18}{cells}" + (f"   never: {reasons}" if reasons else "")


def _write(trial: Trial, book: CaseBook, folder: Path) -> None:
    """Writes every case with its whole bundle to a file of its own, below a folder of the trial's."""
    place = folder / trial.id
    try:
        place.mkdir(parents=True, exist_ok=True)
        for number, case in enumerate(book.cases, start=1):
            words = re.sub(r"[^a-z0-9]+", "-", f"{' '.join(case.expected)} {case.title}".lower()).strip("-")[:70]
            (place / f"{number:03}-{words}.json").write_bytes(case.to_json(trial.id) + b"\n")
    except OSError as problem:
        raise InputError(str(place), "", f"the cases cannot be written: {problem.strerror}") from None
