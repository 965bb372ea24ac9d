"""From a trace to evidence: which elements decided, which were looked at, what was set aside, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.fhir import Element, PatientRecord, path_of, resource_of
from engine.language.evaluation.trace import Mark, Read, RetrieveTrace, Trace, Use
from engine.language.values import Code, CodeSystem, Concept, ValueSet
from engine.trials.results import NAMING, Evidence, Missing, SetAside

DATES: dict[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "Immunization": ("occurrenceDateTime",),
    "AllergyIntolerance": ("onsetDateTime", "recordedDate"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
    "Specimen": ("collection.collectedDateTime", "collection.collectedPeriod", "receivedTime"),
    "Consent": ("dateTime",),
    "Encounter": ("period",),
    "Patient": (),
}
"""The elements that date a resource, the most telling first (FHIR R4 resource definitions)."""

NOT_MISSED = frozenset(
    {"comparator", "dataAbsentReason", "extension", "modifierExtension", "verificationStatus", "type"}
)
"""Elements whose absence has a meaning of its own in FHIR R4 or says nothing: an unknown is not explained by them."""

WHOLE = frozenset({"Quantity", "SimpleQuantity", "Age", "Duration", "CodeableConcept", "Coding", "Period", "Reference"})
"""Datatypes that say something only as a whole."""

EXCUSES = frozenset({"assumed-absent", "attested"})


@dataclass(slots=True)
class Findings:
    """What the traces of one result say of the record."""

    evidence: tuple[Evidence, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    missing: tuple[Missing, ...] = ()
    bases: frozenset[str] = field(default_factory=frozenset)

    @property
    def decided(self) -> bool:
        """True when a record other than the patient's own data decided."""
        return any(e.role == "decided" for e in self.evidence)


@dataclass(frozen=True, slots=True)
class Sayings:
    """What the CQL itself says of what it asks for.

    ``names`` has its names for (system, code); ``window`` gives the days that a define of a library names, as text.
    """

    names: Mapping[tuple[str, str], str]
    window: Callable[[str, str], str | None]


class Collection:
    """Collects findings over one patient's record: each trace is read once, however many results rest on it."""

    def __init__(self, record: PatientRecord, sayings: Sayings) -> None:
        self.record = record
        self.sayings = sayings
        # By identity; the trace is held, so that no other can take its place in memory.
        self._known: dict[int, tuple[Trace, _Collected]] = {}

    def findings(self, traces: Iterable[Trace], open_traces: Iterable[Trace] = ()) -> Findings:
        """The findings of the traces that decide a result; ``open_traces`` are those that leave an unknown open."""
        collected, unsettled = self._of(traces), self._of(open_traces)
        return Findings(
            evidence=tuple(collected.evidence()),
            set_aside=tuple(collected.set_aside()),
            missing=tuple(dict.fromkeys(unsettled.missing())),
            bases=frozenset(collected.bases),
        )

    def _of(self, traces: Iterable[Trace]) -> _Collected:
        total = _Collected(self.record, self.sayings)
        for trace in traces:
            known = self._known.get(id(trace))
            if known is None:
                known = self._known[id(trace)] = (trace, _Collected(self.record, self.sayings))
                known[1].trace(trace)
            total.merge(known[1])
        return total


class _Collected:
    """The events of some traces, sorted by what they mean."""

    def __init__(self, record: PatientRecord, sayings: Sayings) -> None:
        self.record = record
        self.sayings = sayings
        self.decided: dict[int, Element] = {}
        self.considered: dict[int, Element] = {}
        # Asked for by a code or value set; of what only a retrieve of a whole type found, a filter may pass over much.
        self.asked: set[int] = set()
        self.reads: dict[tuple[int, str], tuple[Element, str, Any, str]] = {}
        # By identity of the owner: what is asked of it again and again is missing once.
        self.absent: dict[tuple[int, str], Element] = {}
        self.filtered: dict[tuple[int, str], Element] = {}
        self.used: dict[int, tuple[Element, str]] = {}
        self.clauses: dict[int, str] = {}
        self.retrieves: list[RetrieveTrace] = []
        # By identity of the retrieve: the library and the name of the define that says which days were asked for.
        self.windows: dict[int, tuple[str, str]] = {}
        self.aside: dict[tuple[int, str], tuple[Element, str]] = {}
        self.bases: dict[str, None] = {}

    def merge(self, later: _Collected) -> None:
        """Adds what later traces hold, as if their events had been read one by one: the first of a kind stays."""
        self.decided.update(later.decided)
        self.considered.update(later.considered)
        self.asked.update(later.asked)
        self.filtered.update(later.filtered)
        self.aside.update(later.aside)
        self.bases.update(later.bases)
        self.absent.update(later.absent)
        self.retrieves.extend(later.retrieves)
        self.windows.update(later.windows)
        for key, read in later.reads.items():
            self.reads.setdefault(key, read)
        for root, used in later.used.items():
            self.used.setdefault(root, used)
        for root, clause in later.clauses.items():
            self.clauses.setdefault(root, clause)

    def trace(self, trace: Trace) -> None:
        """Reads the events of one trace."""
        for event in trace.events:
            match event:
                case Read():
                    self._read(event, trace.define)
                case RetrieveTrace():
                    self.retrieves.append(event)
                    roots = [resource_of(element) for element in _elements(event.found)]
                    for root in roots:
                        self._consider(root, trace.define)
                    if event.codes is not None:
                        self.asked.update(map(id, roots))
                case Use(values=values, filtering=filtering):
                    for element in _elements(values):
                        root = resource_of(element)
                        # Inside a filter an element says something of its own row; another resource that has to be
                        # there (a report, a course) is what the row counts for.
                        if not filtering or element is root:
                            self.decided[id(root)] = root
                            self.used.setdefault(id(root), (root, trace.define))
                case Mark():
                    self._mark(event, trace)

    def _consider(self, root: Element, clause: str) -> None:
        self.considered[id(root)] = root
        self.clauses.setdefault(id(root), clause)

    def _read(self, event: Read, clause: str) -> None:
        if not isinstance(event.owner, Element):
            return
        root = resource_of(event.owner)
        self._consider(root, clause)
        path = _path(event)
        if event.filtering:
            if path:
                self.filtered[id(root), path] = root
            return
        self.decided[id(root)] = root
        if event.value is None or event.value == []:
            self.absent[id(event.owner), event.path] = event.owner
        elif path:
            path, value = _whole(event, path)
            self.reads.setdefault((id(root), path), (root, path, value, clause))

    def _mark(self, event: Mark, trace: Trace) -> None:
        for name, value in event.tags:
            value = " ".join(value.split())
            if name == "window":
                asked = (trace.events[i] for i in event.operands)
                self.windows.update((id(e), (event.library, value)) for e in asked if isinstance(e, RetrieveTrace))
            if name == "basis" and value in EXCUSES and event.result is not None and not event.filtering:
                self.bases[value] = None
            if name == "setaside" and event.arguments:
                kept = {id(resource_of(e)) for e in _elements((event.result,))}
                for element in _elements((event.arguments[0],)):
                    root = resource_of(element)
                    if id(root) not in kept:
                        self.aside[id(root), value] = (root, value)

    # ------------------------------------------------------------ evidence

    def evidence(self) -> Iterator[Evidence]:
        """Decided first, each resource by what it is and the deepest elements read; then what was only considered.

        A retrieve of a whole type looks at everything there is: of its resources those count as considered that a
        filter set aside for a reason, and not those that were about something else.
        """
        shown: set[int] = set()
        paths: dict[int, list[str]] = {}
        for key, path in self.reads:
            paths.setdefault(key, []).append(path)
        for root, path, value, clause in self.reads.values():
            if any(_within(other, path) for other in paths[id(root)]):
                continue
            if id(root) not in shown:
                yield from self._name(root, clause, paths[id(root)])
            shown.add(id(root))
            yield self._item(root, path, _plain(value), clause, decided=True)
        for key, (root, clause) in self.used.items():
            if key not in shown:
                shown.add(key)
                yield self._whole_resource(root, clause, decided=True)
        told = self.asked | self.decided.keys() | {key for key, _ in self.aside}
        for key, root in self.considered.items():
            if key not in shown and key in told and root.type != "Patient":
                yield self._whole_resource(root, self.clauses[key], decided=key in self.decided)
        yield from self._medications()

    def _medications(self) -> Iterator[Evidence]:
        """The Medication resources that decided ones refer to: a retrieve found these by the codes of those."""
        for key, root in self.decided.items():
            reference = root.json.get("medicationReference")
            text = reference.get("reference") if isinstance(reference, dict) else None
            medication = self.record.resolve(text, root) if isinstance(text, str) else None
            if medication is not None and resource_of(medication) is not root:
                yield self._whole_resource(medication, self.clauses.get(key, ""), decided=True)

    def set_aside(self) -> Iterator[SetAside]:
        """What filters set aside and nothing else used."""
        for (key, _), (root, reason) in self.aside.items():
            if key not in self.decided:
                yield SetAside(self.record.reference_of(root), reason)

    def _item(self, root: Element, path: str, value: Any, clause: str, *, decided: bool) -> Evidence:
        role = "decided" if decided else "considered"
        return Evidence(self.record.reference_of(root), path, value, date_of(root), clause, role)  # type: ignore[arg-type]

    def _name(self, root: Element, clause: str, read: list[str]) -> Iterator[Evidence]:
        """What a resource is, unless the element that says so was read itself; a status alone tells nobody which."""
        path = _naming(root)
        if path and not any(p == path or _within(p, path) for p in read):
            yield self._whole_resource(root, clause, decided=True)

    def _whole_resource(self, root: Element, clause: str, *, decided: bool) -> Evidence:
        path = _naming(root)
        value = _plain_json(root.json[path]) if path else root.type
        return self._item(root, path, value, clause, decided=decided)

    # ------------------------------------------------------------ missing

    def missing(self) -> Iterator[Missing]:
        """Retrieves of which nothing was used, elements that are not there, and elements that cannot be read."""
        named_types = {retrieve.type_name for retrieve in self.retrieves if retrieve.codes is not None}
        for retrieve in self.retrieves:
            if retrieve.codes is None and retrieve.type_name in named_types:
                continue  # What would settle it is what the other retrieves of the type name.
            usable = [e for e in _elements(retrieve.found) if id(resource_of(e)) in self.decided]
            if not usable:
                window = self.windows.get(id(retrieve))
                days = None if window is None else self.sayings.window(*window)
                reason = self._unusable(retrieve.found)
                for name, url in [*_named(retrieve.codes, self.sayings.names)] or [(None, None)]:
                    yield Missing(retrieve.type_name, codes=name, url=url, window=days, reason=reason)
        problems = [(p.resource, p.path, p.message) for p in self.record.problems]
        for (_, path), owner in self.absent.items():
            if path in NOT_MISSED:
                continue
            root = resource_of(owner)
            place = ".".join(part for part in (path_of(owner), path) if part)
            yield Missing(root.type, element=place, resource=self.record.reference_of(root))
        touched = {self.record.reference_of(root): root for root in self.considered.values()}
        for reference, path, message in problems:
            if reference in touched and self._asked(touched[reference], path):
                yield Missing(touched[reference].type, element=path, resource=reference, reason=message)

    def _asked(self, root: Element, path: str) -> bool:
        """True when the trace read the element, or something that it stands in or that stands in it."""
        read = [p for key, p in self.reads if key == id(root)] + [p for key, p in self.filtered if key == id(root)]
        absent = [(owner, path) for (_, path), owner in self.absent.items() if resource_of(owner) is root]
        read += [".".join(part for part in (path_of(owner), path) if part) for owner, path in absent]
        return any(path.startswith(p) or p.startswith(path) for p in read)

    def _unusable(self, found: tuple[Any, ...]) -> str | None:
        """Why resources that were found did not count: the reasons they were set aside for."""
        roots = {id(resource_of(e)) for e in _elements(found)}
        reasons = dict.fromkeys(reason for (key, _), (_, reason) in self.aside.items() if key in roots)
        if reasons:
            return f"{len(roots)} found, none usable: {', '.join(reasons)}"
        return f"{len(roots)} found, none usable" if roots else None


# ---------------------------------------------------------------- values of the record


def date_of(resource: Element) -> str | None:
    """The date of a resource as it is written; of a period its start, or its end where only that is known."""
    for path in DATES.get(resource.type, ("date", "created", "recordedDate", "authoredOn")):
        value: Any = resource.json
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value = value.get("start") or value.get("end")
        if isinstance(value, str):
            return value
    return None


def _naming(resource: Element) -> str:
    """The element that says what the resource is; nothing if none does."""
    return next((name for name in NAMING if name in resource.json), "")


def text_of(concept: Any) -> str | None:
    """A CodeableConcept or Coding in words: its text or display, and the code where that says more."""
    if not isinstance(concept, dict):
        return None
    given = concept.get("coding")
    codings = given if isinstance(given, list) else [concept]
    coding = next((c for c in codings if isinstance(c, dict) and c.get("code")), {})
    name, code = concept.get("text") or coding.get("display"), coding.get("code")
    if name and code and str(name).casefold().replace(" ", "-") != str(code).casefold():
        return f"{name} ({code})"
    return str(name or code) if name or code else None


def _elements(value: Any) -> list[Element]:
    """The FHIR elements in a value: itself, or in a list."""
    if value.__class__ is Element:
        return [value]
    if value.__class__ is not list and value.__class__ is not tuple:
        return []
    found: list[Element] = []
    for inner in value:
        if inner.__class__ is Element:
            found.append(inner)
        elif inner.__class__ is list or inner.__class__ is tuple:
            found += _elements(inner)
    return found


def _path(event: Read) -> str:
    """The JSON path that was read: of the element found, else of its owner and the name asked for."""
    value = event.value
    if isinstance(value, list) and value and isinstance(value[0], Element):
        return path_of(value[0]).rsplit("[", 1)[0]
    if isinstance(value, Element):
        return path_of(value)
    owner = path_of(event.owner)
    if event.path == "value" and not isinstance(event.owner.json, dict):
        return owner
    return f"{owner}.{event.path}" if owner and event.path else owner or event.path


def _within(inner: str, outer: str) -> bool:
    return inner.startswith((f"{outer}.", f"{outer}["))


def _whole(event: Read, path: str) -> tuple[str, Any]:
    """Quantities and coded elements are shown whole, whatever part of them was read: the outermost one read in."""
    found: tuple[str, Any] = (path, event.value)
    current = event.value if isinstance(event.value, Element) else event.owner
    while isinstance(current, Element) and current.parent is not None:
        if current.type in WHOLE:
            found = (path_of(current), current)
        current = current.parent
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Element):
        return _plain_json(value.json)
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    return str(value)


def _plain_json(value: Any) -> Any:
    """Decoded JSON as a person expects it: a quantity with its unit, a coded element in words, a reference as text."""
    if isinstance(value, list):
        return [_plain_json(v) for v in value]
    if isinstance(value, str):
        return str(value)
    if not isinstance(value, dict):
        return value
    if "value" in value and set(value) <= {"value", "unit", "code", "system", "comparator", "id", "extension"}:
        shown = {"value": _plain_json(value["value"]), "unit": value.get("unit") or value.get("code")}
        shown["comparator"] = value.get("comparator")
        return {name: part for name, part in shown.items() if part is not None}
    if "coding" in value or set(value) <= {"text", "system", "code", "display", "version", "userSelected", "id"}:
        return text_of(value)
    if "reference" in value:
        return str(value["reference"])
    return {name: _plain_json(part) for name, part in value.items()}


def _named(codes: Any, names: Mapping[tuple[str, str], str]) -> Iterator[tuple[str | None, str | None]]:
    """Name and address of what a retrieve asked for: a code by the name that the CQL gives it."""
    match codes:
        case ValueSet() | CodeSystem():
            yield codes.name or codes.id, codes.id
        case Code():
            name = names.get((codes.system or "", codes.code or ""))
            yield name or codes.display or codes.code, f"{codes.system}|{codes.code}"
        case Concept():
            for code in codes.codes:
                yield from _named(code, names)
        case list():
            for code in codes:
                yield from _named(code, names)
        case str():
            yield codes, None
