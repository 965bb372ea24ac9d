"""Conditions, procedures and medications that no value set or code of a trial knows: what nobody looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.errors import EvaluationError, TerminologyError
from engine.fhir import Element, PatientRecord
from engine.terminology.store import TerminologyStore
from engine.trials.evidence import text_of
from engine.trials.reach import Reach
from engine.trials.results import Unmatched

LOOKED_AT = {
    "Condition": ("code",),
    "Procedure": ("code",),
    "MedicationRequest": ("medication",),
    "MedicationStatement": ("medication",),
    "MedicationAdministration": ("medication",),
    "MedicationDispense": ("medication",),
}


class Known:
    """Whether some value set or code of a trial contains a code; asked once for each code."""

    def __init__(self, terms: TerminologyStore, below: Reach) -> None:
        self._terms = terms
        self._below = below
        self._answers: dict[tuple[str | None, str], bool] = {}

    def __call__(self, system: str | None, code: str) -> bool:
        key = (system, code)
        if key not in self._answers:
            self._answers[key] = self._find(system, code)
        return self._answers[key]

    def _find(self, system: str | None, code: str) -> bool:
        if system is not None and (system, code) in self._below.codes:
            return True
        for definition in self._below.value_sets.values():
            try:
                if self._terms.value_set(definition.id, definition.version).contains(code, system):
                    return True
            except TerminologyError:
                # Not lost: the criteria that ask this value set are in error and say so.
                continue
        return False


def unmatched(record: PatientRecord, known: Known) -> Iterator[Unmatched]:
    """The resources of these types that are text only, or whose codes the trial does not know, in document order."""
    for type_name, paths in LOOKED_AT.items():
        if not record.has_all(type_name):
            continue
        codes: dict[int, list[tuple[str | None, str]]] = {}
        try:
            for path in paths:
                for code, positions in record.code_index(type_name, path).items():
                    for position in positions:
                        codes.setdefault(position, []).append(code)
        except EvaluationError:
            # Not lost: a reference that must not be followed makes an error of every criterion that asks by code.
            continue
        for position, element in enumerate(record.listed(type_name)):
            held = codes.get(position, [])
            if not any(known(system, code) for system, code in held):
                reason = "in-no-value-set" if held else "text-only"
                yield Unmatched(record.reference_of(element), _text(record, element), reason)  # type: ignore[arg-type]


def _text(record: PatientRecord, element: Element) -> str:
    data: dict[str, Any] = element.json
    reference = data.get("medicationReference")
    if isinstance(reference, dict):
        target = record.resolve(str(reference.get("reference") or ""), element)
        named = text_of(target.json.get("code")) if target is not None else None
        return named or str(reference.get("display") or reference.get("reference") or "no code")
    return text_of(data.get("code") or data.get("medicationCodeableConcept")) or "no code and no text"
