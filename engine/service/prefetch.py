"""CDS Hooks prefetch: what the trials need as templates, and what came back as one record.

A template asks for all of a type that the trials' libraries retrieve. What was asked for and did not come makes the
type unavailable: criteria that need it are errors with the reason, since absence would prove nothing.
Source: CDS Hooks 2.0, "Prefetch Template" (https://cds-hooks.hl7.org/2.0/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.fhir.definitions import definitions
from engine.fhir.pages import reasons_for_lacking
from engine.language.elm.requirements import data_requirements
from engine.trials import Trial

PATIENT: Final = "patient"
OTHER_PARAMETER: Final = {"AdverseEvent": "subject", "SupplyRequest": "subject", "Group": "member", "Schedule": "actor"}
"""The search parameter for the patient where it is not ``patient`` (http://hl7.org/fhir/R4/searchparameter-registry.html)."""
MEDICATION_HOLDERS: Final = (
    "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reached:
    """A trial's program in the shape that data requirements are read from."""

    library: Any
    libraries: Mapping[str, Any]


def types_needed(trials: Iterable[Trial]) -> tuple[str, ...]:
    """The resource types that the trials can retrieve of a patient, by name; Patient is not among them."""
    found = set[str]()
    for trial in trials:
        program = trial.program
        reached = _Reached(program.main, {key: unit.library for key, unit in program.units.items()})
        defines = [criterion.define for criterion in trial.criteria if criterion.define is not None]
        found.update(requirement.type for requirement in data_requirements(reached, defines))
    return tuple(sorted(found - {"Patient"}))


def templates(types: Iterable[str]) -> dict[str, str]:
    """The prefetch templates by key; the key of a type is its name with a small first letter."""
    found = {PATIENT: "Patient/{{context.patientId}}"}
    for name in types:
        if not _searchable(name):
            continue
        parameter = OTHER_PARAMETER.get(name, "patient")
        # A medication that is only referred to comes along with what refers to it.
        included = f"&_include={name}:medication" if name in MEDICATION_HOLDERS else ""
        found[key_of(name)] = f"{name}?{parameter}={{{{context.patientId}}}}{included}"
    return found


def key_of(name: str) -> str:
    """The prefetch key of a resource type."""
    return name[:1].lower() + name[1:]


def _searchable(name: str) -> bool:
    """True for a type whose resources are about a patient."""
    return bool(definitions("4.0.1").types[name].subject) or name in OTHER_PARAMETER


@dataclass(frozen=True, slots=True)
class Prefetched:
    """A record from prefetch: the Bundle, None where no Patient came, and what could not be had with the reason."""

    bundle: Mapping[str, Any] | None
    unavailable: Mapping[str, str]


def gathered(prefetch: Any, types: Iterable[str]) -> Prefetched:
    """The record that a request's ``prefetch`` holds.

    ``null`` is the client's word that there is nothing of the type; a key that is missing, an OperationOutcome, a
    resource of another type, and a Bundle that says itself that it is not whole say that not all could be had.
    """
    given: Mapping[str, Any] = prefetch if isinstance(prefetch, Mapping) else {}
    entries: list[Any] = []
    unavailable: dict[str, str] = {}
    patient = given.get(PATIENT)
    if isinstance(patient, Mapping):
        entries += _entries(patient)
    for name in types:
        if not _searchable(name):
            continue
        key = key_of(name)
        reason = _reason(given, key, name)
        if reason is not None:
            unavailable[name] = reason
        held = given.get(key)
        if isinstance(held, Mapping) and held.get("resourceType") != "OperationOutcome":
            entries += _entries(held)
    found = any(_type(entry) == "Patient" for entry in entries)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": _once(entries)} if found else None
    return Prefetched(bundle, unavailable)


def _reason(given: Mapping[str, Any], key: str, name: str) -> str | None:
    """Why the prefetch of a key, which asked for resources of a type, is not whole; None when it is."""
    if key not in given:
        return f"the client sent no prefetch '{key}'"
    held = given[key]
    if held is None:
        return None
    if not isinstance(held, dict) or held.get("resourceType") not in ("Bundle", "OperationOutcome", name):
        return f"the prefetch '{key}' is no resource {name} and no Bundle"
    if held["resourceType"] == "OperationOutcome":
        return f"the client answered the prefetch '{key}' with an OperationOutcome"
    if held["resourceType"] == "Bundle":
        if not isinstance(held.get("entry"), list | None):
            return f"the prefetch '{key}' is a Bundle whose entry is not a list"
        for reason in reasons_for_lacking(held):
            return f"the prefetch '{key}' is not whole: {reason}"
    return None


def _entries(resource: Mapping[str, Any]) -> list[Any]:
    """The entries of a Bundle without outcomes, or the one resource as an entry."""
    if resource.get("resourceType") != "Bundle":
        return [{"resource": resource}]
    entries = resource.get("entry")
    return list(entries) if isinstance(entries, list) else []


def _type(entry: Any) -> Any:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return resource.get("resourceType") if isinstance(resource, Mapping) else None


def _once(entries: list[Any]) -> list[Any]:
    """The entries without outcomes, each resource once: an included one comes with several searches."""
    found: list[Any] = []
    known: dict[tuple[str, str], list[Any]] = {}
    for entry in entries:
        if _type(entry) == "OperationOutcome":
            continue
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and isinstance(resource.get("id"), str):
            alike = known.setdefault((str(_type(entry)), resource["id"]), [])
            if resource in alike:
                continue
            alike.append(resource)
        found.append(entry)
    return found
