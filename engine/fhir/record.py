"""The record of one patient: what retrieves see, what was set aside, and how references resolve.

Fits the protocol ``engine.language.evaluation.protocols.Data``. Decoded once; indexes are built when first asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import msgspec

from engine.errors import EvaluationError
from engine.fhir.bundle import EVERY_TYPE, Bundle, Entry, SetAside, contained_in
from engine.fhir.codes import Key, codes_at
from engine.fhir.definitions import ABSTRACT_RESOURCES
from engine.fhir.element import Element, Origin, Problem, resource_of
from engine.fhir.primitives import unreadable_as_text

if TYPE_CHECKING:
    from engine.language.evaluation.protocols import Data

_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="sorted", enc_hook=unreadable_as_text)


class PatientRecord:
    """The resources about one subject, and those about nobody in particular (Medication, Organization …).

    ``subject`` is the Patient element; it is the RelatedPerson element in the record of a related person who is no
    Patient of the bundle, and None for a person about whom the bundle holds nothing.
    """

    def __init__(self, bundle: Bundle, person: int | None) -> None:
        self.bundle = bundle
        self._person = person
        self.subject: Element | None = None if person is None else bundle.entries[person].element
        self._visible = self._visible_entries()
        self._by_type: dict[str, list[Element]] = {}
        for entry in self._visible:
            self._by_type.setdefault(entry.type, []).append(entry.element)
        self._code_indexes: dict[tuple[str, str, bool], dict[Key, list[int]]] = {}
        self._others: dict[int | None, PatientRecord] = {}

    @classmethod
    def from_bundle(cls, bundle: Bundle, patient: str | None = None) -> PatientRecord:
        """The record of the subject, chosen as :meth:`Bundle.subject` says.

        Raises:
            InputError: the bundle has no such subject.
        """
        return cls(bundle, bundle.subject(patient))

    def _persons(self) -> set[int]:
        """The positions that mean this human: the Patient and the RelatedPersons linked to it."""
        if self._person is None:
            return set()
        if self.bundle.entries[self._person].type == "Patient":
            same = self.bundle.patient_links.same(self._person)
            return same.union(*(self.bundle.related_persons(patient) for patient in same))
        return {self._person}

    def _visible_entries(self) -> list[Entry]:
        persons, own = self._persons(), self._person
        triples = zip(range(len(self.bundle.entries)), self.bundle.entries, self.bundle.about, strict=True)
        return [
            entry
            for position, entry, about in triples
            if about.everyone
            or (not persons.isdisjoint(about.persons) and (entry.type != "Patient" or position == own))
        ]

    @property
    def reference(self) -> str:
        """The reference of the subject, ``Patient/1``."""
        return "" if self.subject is None else self.reference_of(self.subject)

    def resources(self, type_name: str) -> Sequence[Element]:
        """The visible resources of the type in document order; Resource and DomainResource mean all.

        Taking one out of the answer that must not be used (:mod:`engine.fhir.modifiers`) is an EvaluationError.

        Raises:
            EvaluationError: not all of the type could be had (code ``unavailable``): absence would prove nothing.
        """
        return self._guarded(self.listed(type_name))

    def listed(self, type_name: str) -> Sequence[Element]:
        """As :meth:`resources`, with those that must not be used: for naming what is there, never for deciding."""
        self._require(type_name)
        if type_name in ABSTRACT_RESOURCES:
            return [entry.element for entry in self._visible]
        return self._by_type.get(type_name, [])

    def all_resources(self, type_name: str) -> Sequence[Element]:
        """The resources of the type whoever they are about: the Unfiltered context. Errors as of :meth:`resources`."""
        return self._guarded(self._all_listed(type_name))

    def _guarded(self, resources: Sequence[Element]) -> Sequence[Element]:
        return _Guarded(resources) if self.bundle.withholds else resources

    def _all_listed(self, type_name: str) -> Sequence[Element]:
        self._require(type_name)
        entries = self.bundle.entries
        return [e.element for e in entries if e.type == type_name or type_name in ABSTRACT_RESOURCES]

    @property
    def unavailable(self) -> Mapping[str, str]:
        """Resource types of which not all could be had, with the reason; ``*`` for every type but Patient."""
        return self.bundle.unavailable

    @property
    def incomplete(self) -> list[str]:
        """A sentence for each of :attr:`unavailable`."""
        return [self._unavailable(name) for name in self.unavailable]

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of the patient though no criterion may ask for it (FHIR R4, "Patient")."""
        return list(self._notes())

    def _notes(self) -> Iterator[str]:
        if self._person is None or self.subject is None or self.subject.type != "Patient":
            return
        died = self.subject.json.get("deceasedDateTime")
        if died is not None or self.subject.json.get("deceasedBoolean") not in (None, False):
            yield f"{self.reference} is recorded as deceased" + (f" ({died})" if died is not None else "")
        if self.subject.json.get("active") is False:
            yield f"{self.reference} is not in active use (Patient.active is false): the record may stand elsewhere"
        for other in self.bundle.patient_links.elsewhere(self._person):
            yield f"{self.reference} is also {other} (Patient.link), whose records are not here"

    def has_all(self, type_name: str) -> bool:
        """True when all resources of the type could be had, so that absence of one means something."""
        return self._lacking(type_name) is None

    def _require(self, type_name: str) -> None:
        name = self._lacking(type_name)
        if name is not None:
            message = f"{self._unavailable(name)}; fetch them and screen again"
            raise EvaluationError(message, code="unavailable")

    def _lacking(self, type_name: str) -> str | None:
        """The name under which the type is unavailable, or None."""
        missing = self.bundle.unavailable
        if type_name in missing:
            return type_name
        if type_name in ABSTRACT_RESOURCES:
            return next(iter(missing), None)
        return EVERY_TYPE if EVERY_TYPE in missing and type_name != "Patient" else None

    def _unavailable(self, name: str) -> str:
        what = "records" if name == EVERY_TYPE else f"{name} records"
        return f"not all {what} of the patient could be fetched: {self.unavailable[name]}"

    def types(self) -> frozenset[str]:
        """The resource types of which the record sees at least one."""
        return frozenset(self._by_type)

    def of(self, person: Any) -> PatientRecord:
        """The record of another person: a Patient or RelatedPerson element, or a reference to one.

        A RelatedPerson who is also a Patient of the bundle (``Patient.link``) has that Patient's record. A person whom
        the bundle does not hold has a record without resources about anyone.
        """
        position = self._same_human(self._position(person))
        if position == self._person:
            return self
        element = None if position is None else self.bundle.entries[position].element
        if element is not None and element.origin is not None and element.origin.withheld is not None:
            raise _withheld(element.origin)
        if position not in self._others:
            self._others[position] = PatientRecord(self.bundle, position)
        return self._others[position]

    def _same_human(self, position: int | None) -> int | None:
        """The Patient that a RelatedPerson also is; else the position itself."""
        if position is not None and self.bundle.entries[position].type == "RelatedPerson":
            for index, entry in enumerate(self.bundle.entries):
                if entry.type == "Patient" and position in self.bundle.related_persons(index):
                    return index
        return position

    def _position(self, person: Any) -> int | None:
        if isinstance(person, str):
            return self.bundle.position_of(person)
        if isinstance(person, Element) and person.type == "Reference":
            target = self.resolve(person, person)
            return None if target is None else self._position(target)
        entries = enumerate(self.bundle.entries)
        return next((index for index, entry in entries if entry.element is person), None)

    def code_index(
        self, type_name: str, code_path: str, *, everyone: bool = False
    ) -> Mapping[Key, Sequence[int]]:
        """(system, code) → positions in ``resources(type_name)`` of those that hold the code at ``code_path``.

        With ``everyone`` the positions are those in ``all_resources(type_name)``.

        The path may lead through lists, choices and references (``medication``, ``device.code``): a reference counts
        with the code of what it refers to. A coding that states no system has the system "", a primitive code None.
        """
        key = (type_name, code_path, everyone)
        if key not in self._code_indexes:
            index: dict[Key, list[int]] = {}
            resources = self._all_listed(type_name) if everyone else self.listed(type_name)
            for position, element in enumerate(resources):
                for code in dict.fromkeys(codes_at(self, element, code_path)):
                    index.setdefault(code, []).append(position)
            self._code_indexes[key] = index
        return self._code_indexes[key]

    def resolve(self, reference: str | Element, base: Element) -> Element | None:
        """The resource that a Reference element or text of ``base`` means: in the bundle, or contained in its resource.

        None when it is not there.
        """
        text = reference if isinstance(reference, str) else reference.json.get("reference")
        if not isinstance(text, str):
            return None
        root = resource_of(base)
        if text == "#":
            return root
        if text.startswith("#"):
            return self._contained(root, text)
        position = self.bundle.position_of(text, root)
        return None if position is None else self.bundle.entries[position].element

    def _contained(self, root: Element, text: str) -> Element | None:
        found = contained_in(root.json, text)
        if found is None:
            return None
        name = found.get("resourceType")
        known = isinstance(name, str) and self.bundle.definitions.is_resource(name)
        index = root.json["contained"].index(found)
        return Element(str(name) if known else "Resource", found, None, root, "contained", index)

    def reference_of(self, element: Element) -> str:
        """``Observation/x`` of the resource the element stands in; ``Observation/x#y`` within a contained resource.

        A resource without id is named by its address or its place: ``Observation[entry 12]``.
        """
        root = resource_of(element)
        outer = root.origin.reference if root.origin else f"{root.type}/{root.json.get('id') or '?'}"
        inner: Element | None = element
        while inner is not None and inner is not root:
            if self.bundle.definitions.types[inner.type].kind == "resource":
                return f"{outer}#{inner.json.get('id') or inner.index}"
            inner = inner.parent
        return outer

    @property
    def set_aside(self) -> list[SetAside]:
        """What no retrieve of this record sees, with the reason, in document order; unusable entries come first."""
        persons = self._persons()
        found = list(self.bundle.set_aside)
        for entry, about in zip(self.bundle.entries, self.bundle.about, strict=True):
            if about.everyone or not persons.isdisjoint(about.persons):
                continue
            if about.persons:
                names = ", ".join(self.bundle.entries[p].reference for p in about.persons)
                found.append(SetAside(entry.reference, f"it is about {names}, not the subject", "other-subject"))
            else:
                found.append(SetAside(entry.reference, about.reason, about.kind))
        return found

    @property
    def problems(self) -> list[Problem]:
        """Unreadable elements met so far in the bundle, in the order they were met."""
        return list(self.bundle.problem_log)

    @property
    def unusable(self) -> list[SetAside]:
        """The entries of the bundle that hold no resource of FHIR: a mistake of the input, whoever it is about."""
        return [aside for aside in self.bundle.set_aside if aside.kind in ("no-resource", "unknown-type")]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the subject, all resources and what is unavailable; no order of entries or names changes it."""
        rows = sorted(_CANONICAL.encode([e.full_url, e.json]) for e in self.bundle.entries)
        digest = hashlib.sha256(self.reference.encode())
        for row in rows:
            digest.update(b"\n" + row)
        for name, reason in sorted(self.unavailable.items()):
            digest.update(b"\n" + _CANONICAL.encode(["unavailable", name, reason]))
        return f"sha256:{digest.hexdigest()}"


def _withheld(origin: Origin) -> EvaluationError:
    return EvaluationError(f"{origin.reference} cannot be used: {origin.withheld}", code="unavailable")


class _Guarded(Sequence[Element]):
    """Resources of which some must not be used: to take one of these is an error that names it."""

    def __init__(self, resources: Sequence[Element]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return len(self._resources)

    @overload
    def __getitem__(self, index: int) -> Element: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Element]: ...

    def __getitem__(self, index: int | slice) -> Element | Sequence[Element]:
        found = self._resources[index]
        for element in [found] if isinstance(found, Element) else found:
            if element.origin is not None and element.origin.withheld is not None:
                raise _withheld(element.origin)
        return found


if TYPE_CHECKING:

    def _fits(record: PatientRecord) -> Data:
        return record
