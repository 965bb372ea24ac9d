"""Patient resources that are one human: what ``Patient.link`` says of them.

Source: FHIR R4, "Patient", Linking Patients (http://hl7.org/fhir/R4/patient.html#links): a link to another Patient
always concerns the same person. A Patient that was replaced must no longer be used; what refers to it is about the one
that replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.fhir.bundle import Entry


class _Link(NamedTuple):
    """``position`` is that of the other Patient, None where the bundle does not hold it; ``shown`` names it."""

    type: Any
    position: int | None
    shown: str


class PatientLinks:
    """The links between the Patients of one bundle; ``find`` is the position of the person a Reference means."""

    def __init__(self, entries: Sequence[Entry], find: Callable[[Any, Entry], int | None]) -> None:
        self._entries = entries
        patients = (i for i, entry in enumerate(entries) if entry.type == "Patient")
        self._links = {position: tuple(self._read(position, find)) for position in patients}
        # From the Patient a link means to those that hold it, and to the first that says to replace it.
        self._linked_from: dict[int, list[int]] = {}
        self._replaced_by: dict[int, int] = {}
        for holder, links in self._links.items():
            for link in links:
                if link.position is not None:
                    self._linked_from.setdefault(link.position, []).append(holder)
                    if link.type == "replaces":
                        self._replaced_by.setdefault(link.position, holder)

    def _read(self, position: int, find: Callable[[Any, Entry], int | None]) -> Iterator[_Link]:
        entry = self._entries[position]
        given = entry.json.get("link")
        for link in given if isinstance(given, list) else ():
            other = link.get("other") if isinstance(link, dict) else None
            if not isinstance(other, dict):
                continue
            found = find(other, entry)
            if found is not None and self._entries[found].type != "Patient":
                continue
            text = other.get("reference")
            if found is not None:
                yield _Link(link.get("type"), found, self._entries[found].reference)
            elif isinstance(text, str) and "Patient/" in text:
                yield _Link(link.get("type"), None, text)

    def replacement(self, patient: int) -> str | None:
        """The name of the Patient that replaces this one, None where it is in use."""
        for link in self._links[patient]:
            if link.type == "replaced-by":
                return link.shown
        other = self._replaced_by.get(patient)
        return None if other is None else self._entries[other].reference

    def same(self, patient: int) -> set[int]:
        """The positions of the Patients that are this human, itself among them."""
        found, pending = {patient}, [patient]
        while pending:
            current = pending.pop()
            near = {link.position for link in self._links[current] if link.position is not None}
            near.update(self._linked_from.get(current, ()))
            pending += near - found
            found |= near
        return found

    def elsewhere(self, patient: int) -> list[str]:
        """References to Patients that are this human and that the bundle does not hold."""
        links = (link for position in sorted(self.same(patient)) for link in self._links[position])
        return list(dict.fromkeys(link.shown for link in links if link.position is None))
