"""``eligibility trials``."""

from __future__ import annotations

from engine.cli.inputs import complain, select_trials


def command() -> int:
    """Prints a line a trial; exit code 2 when one cannot be used."""
    selection = select_trials([])
    for trial in selection.trials:
        encoded = sum(1 for criterion in trial.criteria if criterion.encoded)
        of = "" if encoded == len(trial.criteria) else f", {encoded} of them encoded"
        print(f"{trial.id}  {trial.registry}  {trial.title} ({len(trial.criteria)} criteria{of})")
        for sentence in trial.incomplete:
            print(f"    {sentence}")
    for sentence in selection.problems:
        complain(sentence)
    return 2 if selection.problems else 0
