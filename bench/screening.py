"""Screening as it is used: milliseconds a patient for all trials, with evidence, and the share of one trial.

Patients are those of ``../shared/population`` where it is there, else our own. Records are decoded before, each is
screened once: nothing is remembered of it from a round before.
"""

from __future__ import annotations

import sys
import time

from bench._workload import OWN_BUNDLES, SHARED
from engine.language.values import Date
from engine.sources import own_content, patients
from engine.trials import Screening, load_trials, moment_of, trial_ids


def main(limit: int = 25) -> None:
    """Prints the figures."""
    content = own_content()
    workspace = content.workspace()
    trials, _ = load_trials(workspace, content.trials, sorted(trial_ids(content.trials).values()))
    screening = Screening(workspace, trials, {}, moment_of({}, Date(2026, 6, 15), 0, "bench"))
    files = sorted((SHARED / "population").glob("*.json")) or sorted(OWN_BUNDLES.rglob("*.json"))
    first, *rest = [p.record for p in patients(files[: limit + 1], None) if not isinstance(p, Exception)]
    screening.screen(first)
    started = time.process_time()
    for record in rest:
        screening.screen(record)
    each = 1000 * (time.process_time() - started) / len(rest)
    print(f"{len(rest)} patients, {len(trials)} trials: {each:.1f} ms a patient, "
          f"{each / len(trials):.1f} ms a patient and trial")  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
