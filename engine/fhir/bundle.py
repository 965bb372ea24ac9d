"""A decoded Bundle: its resources in order, how they refer to each other, and whom each is about.

Source: FHIR R4, "Bundle" (http://hl7.org/fhir/R4/bundle.html) and the patient compartment; DESIGN 4.12 for the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.fhir.definitions import Definitions, definitions
from engine.fhir.element import Element, Origin, Problem
from engine.fhir.links import PatientLinks
from engine.fhir.modifiers import may_be_marked, reason_to_withhold
from engine.fhir.pages import reasons_for_lacking
from engine.fhir.references import ReferenceIndex, Target, identifiers_of, parse_address

SetAsideKind = Literal[
    "no-resource", "unknown-type", "no-subject", "unresolved-subject", "other-subject", "duplicate", "deleted"
]
PERSONS = ("Patient", "RelatedPerson")
MAX_ENTRIES = 200_000
"""More than any patient's record holds; a Bundle of five million empty entries would take 1.5 GB."""
PATIENTS_NAMED = 10
"""Patients that a sentence about too many of them names."""
EVERY_TYPE = "*"
"""In :attr:`Bundle.unavailable`: every type but Patient, where nobody can say which ones are incomplete."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A resource that no retrieve of the record sees, and why."""

    reference: str
    reason: str
    kind: SetAsideKind


class Entry(NamedTuple):
    """A resource of the bundle: ``place`` locates it (``entry 12``), ``reference`` names it to people."""

    place: str
    full_url: str | None
    type: str
    reference: str
    element: Element

    @property
    def json(self) -> dict[str, Any]:
        """The decoded resource."""
        data: dict[str, Any] = self.element.json
        return data


class About(NamedTuple):
    """Whom an entry is about: positions of persons, or everyone; ``reason`` and ``kind`` say why nobody."""

    persons: tuple[int, ...] = ()
    everyone: bool = False
    reason: str = ""
    kind: SetAsideKind = "no-subject"


_EVERYONE = About(everyone=True)


class Bundle:
    """The resources of one input. Made by :func:`decode_bundle`.

    ``set_aside`` are entries without a usable resource; ``problem_log`` collects unreadable elements as they are met;
    ``about`` says for each entry whom it is about. ``unavailable`` names the resource types that could not all be had
    from where the bundle comes from, each with the reason; :data:`EVERY_TYPE` stands for all but Patient. A bundle that
    says itself that it is not whole adds to them (:mod:`engine.fhir.pages`).

    ``withholds`` is true when some resource must not be used (:mod:`engine.fhir.modifiers`). With ``withhold`` false
    all may be: the CQL that reads them answers for what they mean, modifier extensions included. With ``marked`` false
    no resource is searched for the marks of those that may not: the text holds none.

    Raises:
        InputError: no entries or too many, two entries of the same identity that differ, or one both there and deleted.
    """

    def __init__(
        self,
        resource: dict[str, Any],
        *,
        source: str,
        place: str = "",
        version: str = "4.0.1",
        unavailable: Mapping[str, str] | None = None,
        withhold: bool = True,
        marked: bool = True,
    ) -> None:
        self.source = source
        self.place = place
        self.unavailable: dict[str, str] = dict(unavailable or {})
        self._withhold = withhold
        self._marked = marked
        self.type: str | None = resource.get("type") if isinstance(resource.get("type"), str) else None
        self.definitions: Definitions = definitions(version)
        self.entries: list[Entry] = []
        self.set_aside: list[SetAside] = []
        self.problem_log: dict[Problem, None] = {}
        self._by_reference: dict[str, dict[str | None, Entry]] = {}
        self._deleted: dict[str, str] = {}
        self._last_contained: tuple[Entry | None, dict[str, dict[str, Any]]] = (None, {})
        self.withholds = False
        self._add_all(self._members(resource, ""), "")
        self._refuse_deleted()
        if not self.entries and not self.set_aside:
            raise self._error("the Bundle has no entries")
        self._person_index = ReferenceIndex(self._targets(PERSONS))
        self._person_of: dict[tuple[str, str | None], int | None] = {}
        self.about: list[About] = [self._about(position) for position in range(len(self.entries))]

    @cached_property
    def index(self) -> ReferenceIndex:
        """Resolves references to any resource of the bundle. Built when first asked for: most records never do."""
        return ReferenceIndex(self._targets(()))

    def _targets(self, types: tuple[str, ...]) -> Iterator[Target]:
        """What an index knows of the resources of these types (empty: of all)."""
        for position, entry in enumerate(self.entries):
            if not types or entry.type in types:
                identifiers = identifiers_of(entry.json) if entry.type in PERSONS else ()
                yield Target(position, entry.type, _id_of(entry.json), entry.full_url, identifiers)

    def _error(self, message: str, place: str = "") -> InputError:
        return InputError(self.source, ", ".join(part for part in (self.place, place) if part), message)

    def _members(self, resource: dict[str, Any], outer: str) -> Iterator[tuple[str, Any]]:
        """(place, entry) of a Bundle; a lone Patient counts as one entry."""
        if resource.get("resourceType") != "Bundle":
            yield "the resource", {"resource": resource}
            return
        entries = resource.get("entry")
        if not isinstance(entries, list | None):
            raise self._error("Bundle.entry is not a list", outer.rstrip(", "))
        if self._withhold and (rules := resource.get("implicitRules")) is not None:
            sentence = f"the Bundle was made under the rules {rules} (implicitRules), which are not known here"
            raise self._error(sentence, outer.rstrip(", "))
        for reason in reasons_for_lacking(resource):
            self.unavailable.setdefault(EVERY_TYPE, reason)
        for number, entry in enumerate(entries or (), start=1):
            yield f"{outer}entry {number}", entry

    def _add_all(self, members: Iterable[tuple[str, Any]], outer: str) -> None:
        for place, entry in members:
            if len(self.entries) + len(self.set_aside) >= MAX_ENTRIES:
                raise self._error(f"has more than {MAX_ENTRIES:,} entries, which no record of one patient has", place)
            resource = entry.get("resource") if isinstance(entry, dict) else None
            deleted = _deleted(entry, resource) if isinstance(entry, dict) and "request" in entry else None
            if deleted is not None:
                self._deleted.setdefault(deleted, place)
                self.set_aside.append(SetAside(deleted, f"{place} says that it was deleted", "deleted"))
            elif not isinstance(resource, dict):
                self.set_aside.append(SetAside(place, "the entry holds no resource", "no-resource"))
            elif resource.get("resourceType") == "Bundle":
                # A batch answer or a prefetch holds searchsets: their entries count as entries of this bundle.
                self._add_all(self._members(resource, f"{place}, "), place)
            else:
                full_url = entry.get("fullUrl")
                self._add(place, full_url if isinstance(full_url, str) else None, resource)

    def _refuse_deleted(self) -> None:
        """Which of two entries is the later one nobody can say here: a deleted resource must not be there too."""
        for entry in self.entries:
            if entry.reference in self._deleted:
                raise self._error(
                    f"is {entry.reference}, which {self._deleted[entry.reference]} says was deleted; "
                    "keep what holds and remove the other",
                    entry.place,
                )

    def _add(self, place: str, full_url: str | None, resource: dict[str, Any]) -> None:
        name = resource.get("resourceType")
        if not isinstance(name, str):
            self.set_aside.append(SetAside(place, "the resource has no resourceType", "unknown-type"))
            return
        reference = _reference(name, _id_of(resource), full_url, place)
        if not self.definitions.is_resource(name):
            reason = f"'{name}' is not a resource type of FHIR {self.definitions.version}"
            self.set_aside.append(SetAside(reference, reason, "unknown-type"))
            return
        same = self._by_reference.setdefault(reference, {})
        other = next(iter(same.values()), None) if full_url is None else same.get(full_url) or same.get(None)
        if other is not None:
            self._repeat(other, place, resource)
            return
        withheld = reason_to_withhold(resource, marked=self._marked) if self._withhold else None
        element = Element(name, resource, origin=Origin(reference, full_url, self.problem_log, withheld))
        same[full_url] = entry = Entry(place, full_url, name, reference, element)
        self.entries.append(entry)
        self.withholds = self.withholds or withheld is not None

    def _repeat(self, other: Entry, place: str, resource: dict[str, Any]) -> None:
        if other.element != Element(other.type, resource):
            raise self._error(
                f"is {other.reference}, as {other.place} is, with other content; "
                "keep the version that counts and remove the other",
                place,
            )
        self.set_aside.append(SetAside(other.reference, f"{place} repeats {other.place}", "duplicate"))

    def position_of(self, reference: str, base: Element | None = None) -> int | None:
        """The position of the entry a reference text means, or None. ``base`` is the resource that refers."""
        origin = None if base is None else base.origin
        return self.index.find(reference, None if origin is None else _server(origin.full_url))

    def _about(self, position: int) -> About:
        entry = self.entries[position]
        definition = self.definitions.types[entry.type]
        focus = self._focus(entry) if entry.type == "Observation" and entry.json.get("focus") else None
        if focus is not None:
            return focus
        if entry.type == "Patient":
            return About((position,))
        if not definition.subject:
            return _EVERYONE
        named: list[Any] = []
        for path in definition.subject:
            first, *rest = path.split(".")
            value = entry.json.get(first)
            if isinstance(value, list) and not definition.elements[first].startswith("List<"):
                return About(reason=f"its {first} is a list, not one Reference", kind="unresolved-subject")
            named += _at(value, rest)
        for path in definition.standing_in:
            named = named or _at(entry.json.get(path), [])
        if not named:
            if not definition.compartment:
                return _EVERYONE
            return About(reason=f"it names no patient ({', '.join(definition.subject)} is missing)")
        found = [self._person(reference, entry) for reference in named]
        persons = tuple(dict.fromkeys(p for p in found if p is not None))
        if persons:
            return About(persons)
        shown = ", ".join(dict.fromkeys(_shown(reference) for reference in named))
        reason = f"its {definition.subject[0]} is {shown}, no person of the bundle"
        return About(reason=reason, kind="unresolved-subject")

    def _focus(self, entry: Entry) -> About | None:
        """Whom an Observation is about by its focus: FHIR's way to say that a finding is of a donor, parent or fetus.

        None where the focus is no person (a condition, a device), so that the subject counts.

        Source: FHIR R4, "Observation", focus (http://hl7.org/fhir/R4/observation-definitions.html#Observation.focus).
        """
        persons: list[int] = []
        others: list[str] = []
        for reference in _at(entry.json["focus"], []):
            found = self._person(reference, entry)
            if found is not None:
                persons.append(found)
            elif _names_person(reference):
                others.append(_shown(reference))
        if persons:
            return About(tuple(dict.fromkeys(persons)))
        if others:
            reason = f"its focus is {', '.join(dict.fromkeys(others))}, no person of the bundle"
            return About(reason=reason, kind="unresolved-subject")
        return None

    def _person(self, reference: Any, entry: Entry) -> int | None:
        """The position of the Patient or RelatedPerson that a Reference (decoded JSON) means, or None."""
        if not isinstance(reference, dict):
            return None
        text = reference.get("reference")
        if isinstance(text, str) and text.startswith("#"):
            contained = self._contained(entry).get(text[1:])
            holders = [] if contained is None else [(contained.get("resourceType"), identifiers_of(contained))]
        elif isinstance(text, str):
            key = (text, _server(entry.full_url))
            if key not in self._person_of:
                self._person_of[key] = self._person_index.find(*key)
            return self._person_of[key]
        else:
            holders = [("Patient", identifiers_of(reference))]
        for name, identifiers in holders:
            for system, value in identifiers:
                position = self._person_index.by_identifier(str(name), system, value)
                if position is not None:
                    return position
        return None

    def _contained(self, entry: Entry) -> dict[str, dict[str, Any]]:
        """The contained resources of an entry by their ids; kept for the next question, mostly of the same entry."""
        if self._last_contained[0] is not entry:
            members = entry.json.get("contained")
            found: dict[str, dict[str, Any]] = {}
            for member in members if isinstance(members, list) else ():
                if isinstance(member, dict) and isinstance(member.get("id"), str):
                    found.setdefault(member["id"], member)
            self._last_contained = (entry, found)
        return self._last_contained[1]

    def patients(self) -> list[Entry]:
        """The Patient entries, in order."""
        return [entry for entry in self.entries if entry.type == "Patient"]

    def subject(self, patient: str | None = None) -> int:
        """The position of the subject (DESIGN 4.12): the Patient asked for by id, reference or address, else the only
        Patient, else the only one neither replaced by another nor linked to another through a RelatedPerson.

        Raises:
            InputError: no Patient, not the one asked for, several that no link tells apart, or one that must not be
                used: it was replaced, or what would change its meaning is not understood.
        """
        found = self._subject(patient)
        entry = self.entries[found]
        withheld = entry.element.origin.withheld if entry.element.origin is not None else None
        if withheld is not None:
            raise self._error(f"is {entry.reference}, which cannot be used: {withheld}", entry.place)
        replacement = self.patient_links.replacement(found)
        if replacement is not None:
            raise self._error(
                f"is {entry.reference}, which was replaced by {replacement} (Patient.link) and must no longer be used; "
                "screen that patient",
                entry.place,
            )
        return found

    @cached_property
    def patient_links(self) -> PatientLinks:
        """Which Patient resources of the bundle are the same human."""
        return PatientLinks(self.entries, self._person)

    def _subject(self, patient: str | None) -> int:
        positions = [i for i, entry in enumerate(self.entries) if entry.type == "Patient"]
        if not positions:
            raise self._error("holds no Patient; a record needs the Patient it is about")
        names = ", ".join(self.entries[i].reference for i in positions[:PATIENTS_NAMED])
        names += ", …" if len(positions) > PATIENTS_NAMED else ""
        if patient is not None:
            asked = self._asked(patient, positions)
            if asked is None:
                raise self._error(f"holds no Patient '{patient}'; it holds {names}")
            return asked
        if len(positions) == 1:
            return positions[0]
        used = [i for i in positions if self.patient_links.replacement(i) is None]
        subjects = [i for i in used if not self.patient_related_to(i)]
        if len(subjects) == 1:
            return subjects[0]
        raise self._error(
            f"holds {len(positions)} Patients ({names}), and no RelatedPerson tells whose record it is; "
            "name the patient, or link the others through a RelatedPerson"
        )

    def _asked(self, patient: str, positions: list[int]) -> int | None:
        for text in (patient, f"Patient/{patient}"):
            position = self._person_index.find(text)
            if position in positions:
                return position
        return next((i for i in positions if self.entries[i].reference == patient), None)

    def related_persons(self, patient: int) -> list[int]:
        """Positions of the RelatedPerson entries that are the same human as this Patient (``Patient.link.other``)."""
        entry = self.entries[patient]
        found = (self._person(reference, entry) for reference in _at(entry.json, ["link", "other"]))
        return [p for p in found if p is not None and self.entries[p].type == "RelatedPerson"]

    def patient_related_to(self, patient: int) -> list[int]:
        """Positions of other Patients to whom this one is linked through a RelatedPerson: a donor's recipient."""
        others = (p for related in self.related_persons(patient) for p in self.about[related].persons)
        return [p for p in others if p != patient and self.entries[p].type == "Patient"]


def decode_bundle(
    data: bytes,
    *,
    source: str,
    place: str = "",
    version: str = "4.0.1",
    lone_patient: bool = True,
    withhold: bool = True,
) -> Bundle:
    """The Bundle in ``data``, of any Bundle type; a lone Patient is taken as a record of only that.

    Without ``lone_patient`` it is refused: among the lines of a bulk export it is no whole record. ``source`` names the
    input in errors (a file name), ``place`` the part of it (``line 3``); ``withhold`` is that of :class:`Bundle`.

    Raises:
        InputError: not JSON, no Bundle, no entries, or entries that contradict each other; the sentence says where.
    """
    resource = decode_json(data, source=source, place=place)
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise InputError(source, place, "is JSON but no FHIR resource; a Bundle was expected")
    name = resource["resourceType"]
    if name not in ("Bundle", "Patient"):
        raise InputError(source, place, f"is a resource of type {name!r}; a Bundle (or a lone Patient) was expected")
    if name == "Patient" and not lone_patient:
        raise InputError(source, place, "is a Patient alone; a Bundle with the whole record of a patient was expected")
    marked = withhold and may_be_marked(data)
    return Bundle(resource, source=source, place=place, version=version, withhold=withhold, marked=marked)


def contained_in(resource: dict[str, Any], reference: str) -> dict[str, Any] | None:
    """The contained resource that ``#id`` means, or None."""
    members = resource.get("contained")
    for member in members if isinstance(members, list) else ():
        if isinstance(member, dict) and member.get("id") == reference[1:]:
            return member
    return None


def _at(value: Any, path: list[str]) -> list[Any]:
    """All values at an element path of decoded JSON, lists flattened."""
    if isinstance(value, list):
        return [found for member in value for found in _at(member, path)]
    if not path:
        return [] if value is None else [value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def _server(full_url: str | None) -> str | None:
    """The server part of a RESTful address: ``http://server/base`` of ``http://server/base/Patient/1``."""
    address = None if full_url is None or "://" not in full_url else parse_address(full_url)
    return None if address is None else address.base


def _deleted(entry: dict[str, Any], resource: Any) -> str | None:
    """``Type/id`` of the resource that an entry of a history or transaction deletes; None for other entries."""
    request = entry["request"]
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        return None
    if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) and _id_of(resource):
        return f"{resource['resourceType']}/{resource['id']}"
    url = request.get("url")
    address = parse_address(url) if isinstance(url, str) else None
    return None if address is None else f"{address.type}/{address.id}"


def _id_of(resource: dict[str, Any]) -> str | None:
    given = resource.get("id")
    return given if isinstance(given, str) and given else None


def _reference(name: str, identity: str | None, full_url: str | None, place: str) -> str:
    if identity is not None:
        return f"{name}/{identity}"
    return f"{name}[{full_url or place}]"


def _names_person(reference: Any) -> bool:
    """True for a Reference (decoded JSON) to a Patient or RelatedPerson, whether it is there or not."""
    if not isinstance(reference, dict):
        return False
    text = reference.get("reference")
    address = parse_address(text) if isinstance(text, str) else None
    return (reference.get("type") if address is None else address.type) in PERSONS


def _shown(reference: Any) -> str:
    if not isinstance(reference, dict):
        return "not a Reference"
    if reference.get("reference"):
        return str(reference["reference"])
    if reference.get("identifier"):
        return "only an identifier"
    return "only a name" if reference.get("display") else "an empty Reference"
