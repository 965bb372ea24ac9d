"""The order of a report: whom to call first, then who needs least to be settled, then who is ruled out."""

from __future__ import annotations

from collections.abc import Iterable

from engine.trials import CriterionResult, TrialResult

RANK = {"eligible": 0, "needs-review": 1, "ineligible": 2}


def ordered(results: Iterable[TrialResult]) -> list[TrialResult]:
    """Eligible first, then by how many criteria are open; ineligible last, those with the fewest reasons first.

    Ties stand by trial and patient.
    """
    return sorted(results, key=_key)


def _key(result: TrialResult) -> tuple[int, int, int, str, str]:
    against = len(deciding(result)) if result.verdict == "ineligible" else 0
    opened = sum(1 for c in result.criteria if c.open)
    return RANK[result.verdict], against, opened, result.trial, result.patient


def deciding(result: TrialResult) -> list[CriterionResult]:
    """The criteria that give the verdict: those that exclude, else those that are open; none for the eligible."""
    against = [c for c in result.criteria if c.excludes]
    return against or [c for c in result.criteria if c.open]
