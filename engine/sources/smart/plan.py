"""From data requirements to questions a FHIR server answers: which types, by which codes, and what they refer to.

A question never asks for too little. Codes narrow a search only where all that could count is found by them: the value
set can be listed, and the server compares codes as the engine does. Everything else is asked for by type alone.
Source: FHIR R4, "Search" (http://hl7.org/fhir/R4/search.html#token), the search parameters of each resource type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from engine.errors import TerminologyError
from engine.fhir import EVERY_TYPE
from engine.fhir.definitions import ABSTRACT_RESOURCES, definitions
from engine.fhir.references import parse_address
from engine.language.elm.requirements import Canonical, DataRequirement

PATIENT_PARAMETERS: Mapping[str, str] = {
    "AdverseEvent": "subject", "Group": "member", "Schedule": "actor", "SupplyRequest": "subject",
}  # fmt: skip
"""The parameter that finds a patient's resources, where it is not ``patient``."""

CODE_PARAMETERS: Mapping[tuple[str, str], str] = {
    ("DiagnosticReport", "code"): "code",
    ("Encounter", "type"): "type",
    ("Immunization", "vaccineCode"): "vaccine-code",
    ("Observation", "code"): "code",
    ("ServiceRequest", "code"): "code",
}
"""The types of which a patient has many, and the parameter for their codes. Conditions, procedures and medications are
always fetched whole: a result also lists those that no value set knows."""

CODE_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "code": ("Device",), "device": ("Device",), "medication": ("Medication",),
}  # fmt: skip
"""What a code path can refer to, by its first step."""

DOTLESS_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"})
"""Systems whose codes records write with and without a dot: a search by code would miss the other half."""

MAX_ROUNDS = 3
"""How often references of what was fetched are followed; a medicine and its ingredients need two."""

MAX_CHUNKS = 8
"""Searches that one list of codes may need; a longer list is cheaper to fetch by type."""


class ListsCodes(Protocol):
    """Terminology, as far as it is asked here."""

    def codes(self, url: str, version: str | None = None) -> Sequence[Any]:
        """The codes of a value set; TerminologyError when it cannot be listed."""


@dataclass(frozen=True, slots=True)
class Search:
    """The resources of one type of a patient; ``codes`` (without their systems) narrow it, None means all.

    A code alone also finds the coding that names no system, which counts as a member of a value set.
    """

    type: str
    parameter: str = ""
    codes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fetch for a patient, and for the people related to them.

    ``referenced`` are types that belong to nobody (Medication, Organization …): they are read where a fetched resource
    refers to them. ``code_paths`` tells, by type, the elements whose reference holds the code.
    """

    searches: tuple[Search, ...] = ()
    related: tuple[Search, ...] = ()
    needs_related: bool = False
    referenced: frozenset[str] = frozenset()
    code_paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    impossible: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that is asked for, Patient included, by name."""
        found = {"Patient", *(s.type for s in (*self.searches, *self.related)), *self.referenced}
        for paths in self.code_paths.values():
            for path in paths:
                found.update(CODE_REFERENCES.get(path, ()))
        return tuple(sorted(found))


def by_reference(kind: str) -> bool:
    """True for a type that belongs to nobody: a fetched resource that refers to one which did not come tells so."""
    known = definitions("4.0.1").types.get(kind)
    return known is not None and kind != "Patient" and not known.subject


def plan(requirements: Iterable[DataRequirement], terms: ListsCodes | None = None) -> Plan:
    """The questions for these requirements. ``terms`` lists value sets; without it nothing is narrowed by code."""
    known = definitions("4.0.1")
    own: dict[tuple[str, str], set[str] | None] = {}
    others: dict[tuple[str, str], set[str] | None] = {}
    referenced: set[str] = set()
    paths: dict[str, set[str]] = {}
    impossible: dict[str, str] = {}
    needs_related = False
    for requirement in requirements:
        name = requirement.type
        needs_related |= requirement.context == "related" or (name, requirement.context) == ("Patient", "unfiltered")
        if name in ABSTRACT_RESOURCES:
            impossible[EVERY_TYPE] = f"the criteria ask for every {name}, and no search does; use method 'everything'"
            continue
        step = (requirement.code_path or known.types[name].code_path or "").split(".")[0]
        if "Reference" in known.elements(name).get(step, ""):
            paths.setdefault(name, set()).add(step)
        if name == "Patient":
            continue
        if not known.types[name].subject:
            referenced.add(name)
            continue
        _narrow(others if requirement.context == "related" else own, requirement, terms)
    if needs_related:
        own["RelatedPerson", ""] = None
    return Plan(
        _searches(own), _searches(others), needs_related, frozenset(referenced),
        {name: tuple(sorted(steps)) for name, steps in sorted(paths.items())}, impossible,
    )  # fmt: skip


def _narrow(
    found: dict[tuple[str, str], set[str] | None], requirement: DataRequirement, terms: ListsCodes | None
) -> None:
    parameter = CODE_PARAMETERS.get((requirement.type, requirement.code_path or ""), "")
    codes = _codes(requirement, terms) if parameter else None
    if codes is None:
        found[requirement.type, ""] = None
    else:
        listed = found.setdefault((requirement.type, parameter), set())
        assert listed is not None
        listed.update(codes)


def _codes(requirement: DataRequirement, terms: ListsCodes | None) -> set[str] | None:
    """The codes of a requirement, None where they do not find all that could count."""
    if requirement.code_systems or (requirement.value_sets and terms is None):
        return None
    systems = {system for system, _ in requirement.codes}
    codes = {code for _, code in requirement.codes}
    for canonical in requirement.value_sets:
        members = _members(canonical, terms)
        if members is None:
            return None
        systems.update(member.system for member in members)
        codes.update(member.code for member in members)
    return None if systems & DOTLESS_SYSTEMS else codes


def _members(canonical: Canonical, terms: ListsCodes | None) -> Sequence[Any] | None:
    assert terms is not None
    try:
        return terms.codes(canonical.url, canonical.version)
    except TerminologyError:
        # A hierarchy, or a value set that is not there: the criteria that ask it say so when they are evaluated.
        return None


def _searches(found: Mapping[tuple[str, str], set[str] | None]) -> tuple[Search, ...]:
    whole = {name for name, parameter in found if not parameter}
    made = [Search(name) for name in whole]
    made += [
        Search(name, parameter, tuple(sorted(codes)))
        for (name, parameter), codes in found.items()
        if parameter and codes and name not in whole
    ]
    return tuple(sorted(made, key=lambda s: (s.type, s.parameter)))


def search_paths(search: Search, patient: str, *, page_size: int, max_length: int) -> list[str]:
    """The addresses of a search below the server's base, none longer than ``max_length`` characters below it.

    A list of codes is cut into several searches, or left out where it would need more than :data:`MAX_CHUNKS`.
    """
    parameter = PATIENT_PARAMETERS.get(search.type, "patient")
    start = f"{search.type}?{parameter}=Patient/{quote(patient, safe='')}"
    end = f"&_count={page_size}"
    if search.codes is None:
        return [start + end]
    chunks = list(_chunks(search.codes, max_length - len(start) - len(end) - len(search.parameter) - 2))
    if len(chunks) > MAX_CHUNKS:
        return [start + end]
    return [f"{start}&{search.parameter}={chunk}{end}" for chunk in chunks]


def _chunks(codes: Iterable[str], room: int) -> Iterator[str]:
    """The codes joined by commas, escaped as FHIR and addresses ask, in texts of at most ``room`` characters."""
    chunk = ""
    for code in codes:
        for sign in "\\,|$":
            code = code.replace(sign, f"\\{sign}")
        token = quote(code, safe="")
        if chunk and len(chunk) + 1 + len(token) > room:
            yield chunk
            chunk = token
        else:
            chunk = f"{chunk},{token}" if chunk else token
    if chunk:
        yield chunk


def needed_references(plan: Plan, kind: str, resource: Any, base: str) -> Iterator[tuple[str, str]]:
    """(reference, type that is incomplete without its target) of a resource: those that the plan needs followed."""
    for step in plan.code_paths.get(kind, ()):
        for name in (step, f"{step}Reference"):
            for text in _reference_texts(resource.get(name)):
                yield text, kind
    if plan.referenced:
        for text in _reference_texts(resource):
            key = own_key(text, base)
            if key is not None and key[0] in plan.referenced:
                yield text, key[0]


def own_key(reference: str, base: str) -> tuple[str, str] | None:
    """Type and id of a reference to a resource of the server at ``base``; None for any other reference."""
    address = parse_address(reference)
    if address is None or address.base not in (None, base):
        return None
    return address.type, address.id


def _reference_texts(value: Any) -> Iterator[str]:
    """The texts of all references in decoded JSON; those to contained resources are left out."""
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            text = current.get("reference")
            if isinstance(text, str) and not text.startswith("#"):
                yield text
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)
