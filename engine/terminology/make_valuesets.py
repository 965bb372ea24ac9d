"""Makes the FHIR resources of ``cql/valuesets`` from the lists they are collected in.

    python -m engine.terminology.make_valuesets FOLDER [--to cql/valuesets]

``FOLDER`` holds ``valuesets.json``, ``{name: [{system, code, display, source, verified}]}``, and
``valuesets_notes.json``, ``{name: {purpose, trap, note, hierarchy, wider}}``. The folder written to holds
``local-code-systems.toml`` and ``known-descendants.toml``, from which the CodeSystem resources are made, and
``known-categories.toml``. The same input gives the same bytes.

Decisions:

* Only codes whose ``verified`` is true are members. The others stand in the extension ``unverified-code`` of their
  value set. A value set left without any code is still a file: its expansion states a total of 0 and the extension
  ``no-verified-codes`` says why.
* Where a code comes from stands beside it, in the extensions ``code-source`` and ``code-verified`` of its concept.
* A hierarchy of the notes becomes filters, each in an include of its own, since the filters of one include all have to
  hold. ``SNOMED is-a X`` and an ICD-10-CM prefix are ``concept is-a X``. A range of ICD-10-CM categories is one
  ``regex`` on the code: FHIR has no operator for ranges, and one ``is-a`` a category would list a hundred categories,
  among them ones that do not exist in some release.
* Categories that a hierarchy names in words alone ("organ chapters"), and those of which a list names one code for all,
  are members with all their codes where ``known-categories.toml`` lists them.
* The expansion lists the explicit codes. Beside a hierarchy it is marked ``valueset-unclosed``, so that every reader
  knows it is not all.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.errors import EligibilityError
from engine.terminology import icd10cm
from engine.terminology.expansion import UNCLOSED
from engine.terminology.store import UNVERIFIED_CODE

BASE = "http://example.org/fhir"
CODE_SOURCE = f"{BASE}/StructureDefinition/code-source"
CODE_VERIFIED = f"{BASE}/StructureDefinition/code-verified"
NO_VERIFIED_CODES = f"{BASE}/StructureDefinition/no-verified-codes"
VERSION = "1.0.0"
DATE = "2026-11-22"
"""The date of the content, which FHIR asks of an expansion; set by hand when the content changes, never the clock."""

_SNOMED = "http://snomed.info/sct"

Resource = dict[str, Any]
T = TypeVar("T")


class ValueSetInputError(EligibilityError):
    """The lists cannot be made into value sets; the sentence names the file and the place."""


class ListedCode(msgspec.Struct, frozen=True):
    """One code as ``valuesets.json`` lists it."""

    system: str
    code: str
    display: str
    source: str
    verified: bool


class Notes(msgspec.Struct, frozen=True):
    """What ``valuesets_notes.json`` says of a value set, as far as it belongs to terminology."""

    purpose: str
    trap: str | None = None
    note: str | None = None
    hierarchy: str | None = None
    wider: tuple[str, ...] = ()


class Descendant(msgspec.Struct, frozen=True):
    """A concept known to be below another, with the key of the source that classes it so."""

    display: str
    source: str


class Ancestor(msgspec.Struct, frozen=True):
    """A concept and what is known to be below it."""

    code: str
    display: str
    descendants: dict[str, Descendant]


class KnownDescendants(msgspec.Struct, frozen=True):
    """``known-descendants.toml``."""

    system: str
    sources: dict[str, str]
    ancestor: tuple[Ancestor, ...]


class NamedCategories(msgspec.Struct, frozen=True, rename="kebab"):
    """ICD-10-CM categories of a value set, category or range → title; ``words`` of its hierarchy may stand for them."""

    value_set: str
    categories: dict[str, str]
    words: str = ""


class KnownCategories(msgspec.Struct, frozen=True):
    """``known-categories.toml``."""

    source: str
    hierarchy: tuple[NamedCategories, ...]


class LocalConcept(msgspec.Struct, frozen=True):
    """A concept of our own whose display differs from its code."""

    display: str
    definition: str


class LocalSystem(msgspec.Struct, frozen=True):
    """One code system of our own."""

    id: str
    title: str
    description: str
    concepts: dict[str, str | LocalConcept]


class LocalCodeSystems(msgspec.Struct, frozen=True):
    """``local-code-systems.toml``."""

    system: tuple[LocalSystem, ...]


def slug(name: str) -> str:
    """The id of a value set: its name in lower case, everything but letters and digits as one hyphen."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def url_of(name: str) -> str:
    """The canonical url of the value set of that name."""
    return f"{BASE}/ValueSet/{slug(name)}"


def value_set(name: str, listed: Sequence[ListedCode], notes: Notes, categories: Sequence[str] = ()) -> Resource:
    """The FHIR R4 ValueSet of one list; ``categories`` of ICD-10-CM, or ranges of them, are members with all below."""
    verified = [code for code in listed if code.verified]
    includes = [*_explicit(verified), *hierarchy_includes(notes.hierarchy or ""), *map(_category_include, categories)]
    resource: Resource = {"resourceType": "ValueSet", "id": slug(name)}
    extensions = [_unverified(code) for code in listed if not code.verified]
    if not includes:
        extensions.append({"url": NO_VERIFIED_CODES, "valueBoolean": True})
    if extensions:
        resource["extension"] = extensions
    resource |= {
        "url": url_of(name),
        "version": VERSION,
        "name": _computable(name),
        "title": name,
        "status": "active",
        "date": DATE,
        "description": _description(notes),
    }
    if includes:
        resource["compose"] = {"include": includes}
    return resource | {"expansion": _expansion(verified, hierarchical=bool(notes.hierarchy or categories))}


def hierarchy_includes(text: str) -> list[Resource]:
    """The includes a hierarchy of the notes stands for: clauses between semicolons, each naming its code system.

    ``SNOMED is-a 363346000``, ``ICD-10-CM prefix C77,C78``, ``ICD-10-CM C00-C96``; what follows in a clause, and a
    clause that names no code system, is a remark.

    Raises:
        ValueSetInputError: a clause names a code system and cannot be read.
    """
    includes: list[Resource] = []
    for clause in filter(None, (part.strip() for part in text.split(";"))):
        if match := re.match(r"SNOMED is-a (\d+)\b", clause):
            includes.append(_filtered(_SNOMED, "concept", "is-a", match[1]))
        elif match := re.match(r"ICD-10-CM prefix (\S+)", clause):
            includes += [_filtered(icd10cm.SYSTEM, "concept", "is-a", code) for code in match[1].split(",")]
        elif match := re.match(r"ICD-10-CM ([A-Z]\d\w-[A-Z]\d\w)\b", clause):
            includes.append(_category_include(match[1]))
        elif clause.startswith(("SNOMED", "ICD-10-CM")):
            raise ValueSetInputError(
                f"the hierarchy {clause!r} cannot be read; write 'SNOMED is-a CODE', 'ICD-10-CM prefix A,B' "
                "or 'ICD-10-CM A00-B99'"
            )
    return includes


def named_categories(name: str, notes: Notes, known: KnownCategories) -> list[str]:
    """The categories known to belong to a value set.

    Raises:
        ValueSetInputError: categories are known for words that the hierarchy does not have.
    """
    found: list[str] = []
    for named in known.hierarchy:
        if named.value_set == name:
            if named.words not in (notes.hierarchy or ""):
                raise ValueSetInputError(
                    f"known-categories.toml explains {named.words!r}, which the hierarchy of {name!r} does not say"
                )
            found += named.categories
    return found


def local_code_system(system: LocalSystem) -> Resource:
    """A complete CodeSystem of codes of our own."""
    concepts: list[Resource] = []
    for code, text in system.concepts.items():
        display, definition = (code, text) if isinstance(text, str) else (text.display, text.definition)
        concepts.append({"code": code, "display": display, "definition": definition})
    return {
        "resourceType": "CodeSystem",
        "id": system.id,
        "url": f"{BASE}/CodeSystem/{system.id}",
        "version": VERSION,
        "name": _computable(system.title),
        "title": system.title,
        "status": "active",
        "date": DATE,
        "description": system.description,
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }


def fragment(known: KnownDescendants) -> Resource:
    """The CodeSystem fragment that ``is-a`` filters resolve over: ancestors, and what is known to be below each."""
    parents: dict[str, list[str]] = {}
    sources: dict[str, str] = {}
    displays = {ancestor.code: ancestor.display for ancestor in known.ancestor}
    for ancestor in known.ancestor:
        for code, descendant in ancestor.descendants.items():
            if descendant.source not in known.sources:
                raise ValueSetInputError(
                    f"known-descendants: {code} names the source {descendant.source!r}, not defined"
                )
            displays.setdefault(code, descendant.display)
            sources.setdefault(code, known.sources[descendant.source])
            parents.setdefault(code, []).append(ancestor.code)
    return {
        "resourceType": "CodeSystem",
        "id": "snomed-fragment",
        "url": known.system,
        "name": "SnomedFragment",
        "title": "Concepts known to be below those that value sets include by is-a",
        "status": "active",
        "date": DATE,
        "description": (
            "Not the hierarchy of SNOMED CT: only concepts that a source classes under these ancestors, each with that "
            "source. A concept that is not listed may still be a descendant."
        ),
        "content": "fragment",
        "property": [
            {"code": "subsumedBy", "uri": "http://hl7.org/fhir/concept-properties#parent", "type": "code"},
        ],
        "concept": [_fragment_concept(code, displays[code], parents.get(code, []), sources) for code in displays],
    }


def make(folder: Path, target: Path) -> dict[str, bytes]:
    """File name → content of every resource, from the lists in ``folder`` and the three TOML files in ``target``.

    Raises:
        ValueSetInputError: a list is missing or cannot be used.
    """
    lists = _read(folder / "valuesets.json", dict[str, tuple[ListedCode, ...]])
    notes = _read(folder / "valuesets_notes.json", dict[str, Notes])
    for name in lists:
        if name not in notes:
            raise ValueSetInputError(f"valuesets_notes.json says nothing of {name!r}; add its purpose")
    known = _read(target / "known-categories.toml", KnownCategories)
    resources: dict[str, Resource] = {}
    for name, listed in lists.items():
        file = f"valueset-{slug(name)}.json"
        if file in resources:
            raise ValueSetInputError(f"two value sets would be {file}; rename {name!r}")
        resources[file] = value_set(name, listed, notes[name], named_categories(name, notes[name], known))
    for system in _read(target / "local-code-systems.toml", LocalCodeSystems).system:
        resources[f"codesystem-{system.id}.json"] = local_code_system(system)
    resources["codesystem-snomed-fragment.json"] = fragment(_read(target / "known-descendants.toml", KnownDescendants))
    return {file: _bytes(resource) for file, resource in resources.items()}


def _explicit(codes: Sequence[ListedCode]) -> list[Resource]:
    """One include a code system, in the order of the list."""
    systems: dict[str, list[Resource]] = {}
    for code in codes:
        extensions = [
            {"url": CODE_SOURCE, "valueString": code.source},
            {"url": CODE_VERIFIED, "valueBoolean": code.verified},
        ]
        concept = {"extension": extensions, "code": code.code, "display": code.display}
        systems.setdefault(code.system, []).append(concept)
    return [{"system": system, "concept": concepts} for system, concepts in systems.items()]


def _expansion(codes: Sequence[ListedCode], *, hierarchical: bool) -> Resource:
    expansion: Resource = {"extension": [{"url": UNCLOSED, "valueBoolean": True}]} if hierarchical else {}
    expansion["timestamp"] = DATE
    if not hierarchical:
        expansion["total"] = len(codes)
    if codes:
        expansion["contains"] = [{"system": c.system, "code": c.code, "display": c.display} for c in codes]
    return expansion


def _unverified(code: ListedCode) -> Resource:
    coding = {"system": code.system, "code": code.code, "display": code.display}
    parts = [{"url": "coding", "valueCoding": coding}, {"url": "source", "valueString": code.source}]
    return {"url": UNVERIFIED_CODE, "extension": parts}


def _category_include(categories: str) -> Resource:
    if "-" in categories:
        return _filtered(icd10cm.SYSTEM, "code", "regex", icd10cm.range_pattern(categories))
    return _filtered(icd10cm.SYSTEM, "concept", "is-a", categories)


def _filtered(system: str, prop: str, op: str, value: str) -> Resource:
    return {"system": system, "filter": [{"property": prop, "op": op, "value": value}]}


def _fragment_concept(code: str, display: str, parents: Sequence[str], sources: Mapping[str, str]) -> Resource:
    concept: Resource = {"code": code, "display": display}
    if code in sources:
        concept = {"extension": [{"url": CODE_SOURCE, "valueString": sources[code]}], **concept}
    if parents:
        concept["property"] = [{"code": "subsumedBy", "valueCode": parent} for parent in parents]
    return concept


def _description(notes: Notes) -> str:
    parts = [notes.purpose]
    if notes.trap:
        parts.append(f"Trap: {notes.trap}")
    if notes.note:
        parts.append(f"Note: {notes.note}")
    if notes.hierarchy:
        parts.append(f"Hierarchy: {notes.hierarchy}")
    if notes.wider:
        parts.append("Wider published value sets: " + "; ".join(notes.wider))
    return ". ".join(part.rstrip(".") for part in parts) + "."


def _computable(title: str) -> str:
    """A name as FHIR wants it for code: words run together, starting with a capital letter."""
    words = re.findall(r"[A-Za-z0-9]+", title)
    return "".join(word[0].upper() + word[1:] for word in words)


def _read(path: Path, shape: type[T]) -> T:
    try:
        data = path.read_bytes()
        content = tomllib.loads(data.decode()) if path.suffix == ".toml" else msgspec.json.decode(data)
        return msgspec.convert(content, shape)
    except OSError as error:
        raise ValueSetInputError(f"{path} cannot be read: {error.strerror}; name the folder of the lists") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ValueSetInputError(f"{path} cannot be used: {error}") from error


def _bytes(resource: Resource) -> bytes:
    return (json.dumps(resource, indent=1, ensure_ascii=False) + "\n").encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 2 when the lists cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.terminology.make_valuesets", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="folder with valuesets.json and valuesets_notes.json")
    parser.add_argument("--to", type=Path, default=Path("cql/valuesets"), help="folder to write to")
    options = parser.parse_args(arguments)
    try:
        files = make(options.folder, options.to)
    except ValueSetInputError as error:
        print(error, file=sys.stderr)
        return 2
    for name, content in files.items():
        (options.to / name).write_bytes(content)
    print(f"{len(files)} resources written to {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
