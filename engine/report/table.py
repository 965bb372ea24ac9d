"""The table on the terminal: a row a patient and trial."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.report.order import deciding, ordered
from engine.report.words import absence_text, reason_text, telling_part
from engine.trials import TrialResult

STYLES = {"eligible": "bold green", "needs-review": "yellow", "ineligible": "red"}
SHOWN = 3
"""Deciding criteria named in a row; the others are counted."""


def print_table(results: Sequence[TrialResult], console: Console) -> None:
    """Prints the results in the order of :func:`ordered`; below them notes on patients who are not ruled out, and what
    the lists of criteria lack.
    """
    table = Table(title=None, header_style="bold", show_lines=False, pad_edge=False, box=None)
    for name in ("Patient", "Trial", "Verdict"):
        table.add_column(name, no_wrap=name != "Patient", overflow="fold")
    for name in ("Met", "Not met", "Unknown"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("What decides", overflow="fold")
    for result in ordered(results):
        table.add_row(
            Text(result.patient.removeprefix("Patient/")), Text(result.trial),
            Text(result.verdict, style=STYLES[result.verdict]),
            str(result.count("met")), str(result.count("not-met")),
            str(result.count("unknown", "error", "not-encoded")),
            Text(decides_text(result)),
        )  # fmt: skip
    console.print(table)
    for note in dict.fromkeys(note for r in results if r.verdict != "ineligible" for note in r.notes):
        console.print(Text(note, style="bold"))
    for trial, sentence in dict.fromkeys((r.trial, s) for r in results for s in r.incomplete):
        console.print(Text(f"{trial}: {sentence}", style="italic"))


def decides_text(result: TrialResult) -> str:
    """The criteria that give the verdict with their reasons, and what the verdict takes from silence."""
    against = deciding(result)
    encoded = [c for c in against if c.result != "not-encoded"]
    telling = [telling_part(c) for c in encoded[:SHOWN]]
    parts = [f"{short(part.id, result.trial)} {reason_text(part)}" for part in telling]
    if len(encoded) > SHOWN:
        parts.append(
            f"and {len(encoded) - SHOWN} more: {', '.join(short(c.id, result.trial) for c in encoded[SHOWN:])}"
        )
    listed = [short(c.id, result.trial) for c in against if c.result == "not-encoded"]
    if listed:
        parts.append(f"not encoded: {', '.join(listed)}")
    absent = [short(i, result.trial) for i in result.absence.criteria]
    if absent:
        parts.append(f"on absence: {', '.join(absent)}")
    return "; ".join(parts) or absence_text(result) or "every criterion is settled"


def short(identity: str, trial: str) -> str:
    """``I4`` of ``TRIAL-I4``."""
    return identity.removeprefix(f"{trial}-")
