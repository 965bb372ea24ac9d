"""Results as JSON, NDJSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from engine.report.order import deciding
from engine.trials import TrialResult, to_json

COLUMNS = (
    "trial", "registry", "patient", "source", "screeningDate", "verdict", "met", "notMet", "unknown", "error",
    "notEncoded", "decides", "restsOnAbsence", "incomplete", "notes",
)  # fmt: skip


def json_text(results: Sequence[TrialResult]) -> bytes:
    """A JSON list of TrialResult, indented for readers."""
    return msgspec.json.format(to_json(list(results)), indent=1) + b"\n"


def ndjson_text(results: Iterable[TrialResult]) -> bytes:
    """A TrialResult a line."""
    return b"".join(to_json(result) + b"\n" for result in results)


def csv_text(results: Iterable[TrialResult]) -> bytes:
    """A row a patient and trial, under :data:`COLUMNS`; lists are separated by blanks."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for r in results:
        counts = [r.count("met"), r.count("not-met"), r.count("unknown"), r.count("error"), r.count("not-encoded")]
        writer.writerow([
            r.trial, r.registry, r.patient, r.source, r.screening_date, r.verdict, *counts,
            " ".join(c.id for c in deciding(r)), " ".join(r.absence.criteria), " ".join(r.incomplete),
            ". ".join(r.notes),
        ])  # fmt: skip
    return buffer.getvalue().encode()
