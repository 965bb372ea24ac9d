"""One patient's answer in the protocol's words, criterion by criterion."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from engine.report.order import deciding
from engine.report.words import (
    BASES,
    RESULTS,
    absence_text,
    missing_text,
    reason_text,
    resource_text,
    telling_part,
)
from engine.trials import AtomResult, CriterionResult, TrialResult

WIDTH = 110


def explain_text(result: TrialResult) -> str:
    """The whole answer of one patient for one trial as plain text."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: TrialResult) -> Iterator[str]:
    yield f"{result.patient} · {result.trial} ({result.registry}) · screened for {result.screening_date}"
    yield result.title
    absence = absence_text(result)
    yield _wrapped(f"Verdict: {result.verdict}" + (f" ({absence})" if absence else ""), "", "    ")
    yield from _decisive(result)
    yield from (_wrapped(f"Note: {sentence}", "", "    ") for sentence in (*result.notes, *result.incomplete))
    for kind, heading in (
        ("inclusion", "Inclusion criteria"),
        ("exclusion", "Exclusion criteria (met: the patient is excluded)"),
    ):
        chosen = [c for c in result.criteria if c.kind == kind]
        if chosen:
            yield ""
            yield heading
        for criterion in chosen:
            yield from _criterion(criterion)
    yield from _rest(result)


def _decisive(result: TrialResult) -> Iterator[str]:
    """The criteria that give the verdict, each with the reason of the part that tells most."""
    against = deciding(result)
    if against:
        yield "Excluded by:" if result.verdict == "ineligible" else "Still open:"
    for criterion in against:
        part = telling_part(criterion)
        yield _wrapped(f"- {part.id}: {reason_text(part)} ({part.text})", "    ", "      ")


def _criterion(criterion: CriterionResult) -> Iterator[str]:
    yield ""
    yield _wrapped(f"{criterion.id}  {RESULTS[criterion.result].upper()}{_basis(criterion)}", "")
    yield _wrapped(criterion.text, "    ")
    for atom in criterion.atoms:
        yield _wrapped(f"{atom.id}  {RESULTS[atom.result]}{_basis(atom)}: {atom.text}", "    ", "      ")
        yield from _details(atom, "      ")
    if not criterion.atoms:
        yield from _details(criterion, "    ")
    elif criterion.error:
        yield _wrapped(f"error: {criterion.error}", "    ")


def _basis(result: CriterionResult | AtomResult) -> str:
    if result.result in ("error", "not-encoded") or not BASES[result.basis]:
        return ""
    return f" ({BASES[result.basis]})"


def _details(result: CriterionResult | AtomResult, indent: str) -> Iterator[str]:
    if result.error:
        yield _wrapped(f"error: {result.error}", indent)
    decided = [evidence for evidence in result.evidence if evidence.role == "decided"]
    dates = {evidence.resource: evidence.date or "" for evidence in decided}
    for resource in sorted(dates, key=lambda reference: (reference.split("/")[0], dates[reference], reference)):
        text = resource_text([evidence for evidence in decided if evidence.resource == resource])
        yield _wrapped(f"- {text}", indent, f"{indent}  ")
    if result.near_miss is not None:
        miss = result.near_miss
        yield _wrapped(f"- compared: {miss.value} {miss.operator} {miss.limit}; apart by {miss.distance}", indent)
    for aside in result.set_aside:
        yield _wrapped(f"- set aside: {aside.resource}: {aside.reason}", indent)
    for missing in result.missing:
        yield _wrapped(f"- missing: {missing_text(missing)}", indent)


def _rest(result: TrialResult) -> Iterator[str]:
    sections = (
        ("Not looked at by any criterion", [f"{u.resource}: {u.text} ({u.reason})" for u in result.unmatched]),
        ("Set aside", [f"{s.resource}: {s.reason}" for s in result.set_aside]),
        ("Unreadable", list(result.problems)),
    )
    for heading, lines in sections:
        if lines:
            yield ""
            yield heading
            yield from (_wrapped(f"- {line}", "    ", "      ") for line in lines)
    yield ""
    yield f"Engine {result.stamp.engine}, evaluated at {result.stamp.evaluation_time}"


def _wrapped(text: str, indent: str, further: str | None = None) -> str:
    return fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent if further is None else further)
