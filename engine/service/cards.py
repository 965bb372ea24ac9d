"""CDS Hooks cards: what a clinician sees of a screening, in one line and in detail.

Texts of the record go into the detail's markdown with everything escaped that markdown or HTML would act on.
Source: CDS Hooks 2.0, "Card Attributes".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

from engine.trials import CriterionResult, TrialResult
from engine.trials.results import Result

SUMMARY: Final = 139
"""A summary has fewer than 140 characters."""
OPEN: Final[tuple[Result, ...]] = ("unknown", "error", "not-encoded")
SHOWN: Final = 20
WORDS: Final = {"eligible": "may be eligible", "needs-review": "may be eligible, needs review"}
_ACTIVE: Final = re.compile(r"([\\`*_{}\[\]()#|~])")
_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def cards(results: Iterable[TrialResult], link: str | None) -> list[dict[str, Any]]:
    """A card for each trial that does not exclude the patient, eligible ones first; one card for all the others."""
    ordered = sorted(results, key=lambda r: (r.verdict != "eligible", r.count(*OPEN), r.trial))
    open_ = [result for result in ordered if result.verdict != "ineligible"]
    closed = [result for result in ordered if result.verdict == "ineligible"]
    return [*(_card(result, link) for result in open_), *([_others(closed, link)] if closed else [])]


def _card(result: TrialResult, link: str | None) -> dict[str, Any]:
    unsettled = result.count(*OPEN)
    counted = f"{result.count('met', 'not-met')} criteria settled" + (f", {unsettled} open" if unsettled else "")
    return _made(f"{result.trial}: {WORDS[result.verdict]} ({counted})", detail(result), source(result), link)


def _others(results: Sequence[TrialResult], link: str | None) -> dict[str, Any]:
    names = ", ".join(result.trial for result in results)
    lines = [f"- **{escaped(r.trial)}**: {', '.join(map(_excluding, filter(_excludes, r.criteria)))}" for r in results]
    text = "\n".join(["What excludes the patient:", "", *lines])
    return _made(f"Not eligible for {names}", text, {"label": "Eligibility engine"}, link)


def _excludes(criterion: CriterionResult) -> bool:
    return criterion.excludes


def _excluding(criterion: CriterionResult) -> str:
    """The id of a criterion; where it rests on the absence of records it says so."""
    absent = " (no record says otherwise)" if criterion.basis == "assumed-absent" else ""
    return escaped(criterion.id) + absent


def _made(summary: str, text: str, origin: dict[str, str], link: str | None) -> dict[str, Any]:
    short = summary if len(summary) <= SUMMARY else summary[: SUMMARY - 1] + "…"
    card: dict[str, Any] = {
        "uuid": str(uuid.uuid4()), "summary": short, "detail": text, "indicator": "info", "source": origin,
    }  # fmt: skip
    links = [] if link is None else [{"label": "The whole result", "url": link, "type": "absolute"}]
    return card | ({"links": links} if links else {})


def source(result: TrialResult) -> dict[str, str]:
    """Where the criteria come from: the trial and its registry entry."""
    label = " ".join(part for part in (result.trial, result.title) if part)
    if re.fullmatch(r"NCT\d{8}", result.registry):
        return {"label": label, "url": f"https://clinicaltrials.gov/study/{result.registry}"}
    return {"label": label}


def detail(result: TrialResult) -> str:
    """The criteria that decide or are open, in the protocol's words, with what is missing; markdown."""
    rows = [criterion for criterion in result.criteria if criterion.open or criterion.excludes]
    lines = [f"**{escaped(result.title or result.trial)}**", ""]
    lines += [_line(criterion) for criterion in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"- and {len(rows) - SHOWN} more")
    if not rows:
        lines.append("All criteria are settled in the patient's favour.")
    if result.absence.criteria:
        lines += ["", f"Resting on the absence of records: {escaped(', '.join(result.absence.criteria))}"]
    lines += [f"\n{escaped(sentence)}" for sentence in (*result.notes, *result.incomplete)]
    return "\n".join(lines)


def _line(criterion: CriterionResult) -> str:
    head = f"- **{escaped(criterion.id)}** {criterion.result}: {escaped(criterion.text)}"
    if criterion.error:
        return f"{head} ({escaped(criterion.error)})"
    wanted = dict.fromkeys(f"{m.resource_type} {m.codes or ''}".strip() for m in criterion.missing)
    return f"{head} (missing: {escaped(', '.join(wanted))})" if wanted else head


def escaped(text: str) -> str:
    """Text in markdown that means only itself, on one line."""
    inert = "".join(_HTML.get(character, character) for character in " ".join(text.split()))
    return _ACTIVE.sub(r"\\\1", inert)
