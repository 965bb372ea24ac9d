"""What a service offers: its trials, libraries and value sets, as programs to run and as FHIR resources to read.

A trial in FHIR R4 is a ResearchStudy whose ``enrollment`` refers to a Group of nobody in particular (``actual`` false);
the Group's ``characteristicExpression`` combines the criteria of the trial's Library.
Source: http://hl7.org/fhir/StructureDefinition/characteristicExpression and Using CQL with FHIR 2.0.0, "Library".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, Final

from engine.errors import Diagnostic
from engine.fhir.decode import decode_json
from engine.fhir.out import write
from engine.language import Program, SourceText, Translation
from engine.language.elm.json import encode as encode_elm
from engine.service.prefetch import types_needed
from engine.service.screen_definition import screen_definition
from engine.service.settings import Settings
from engine.trials import Trial, load_trials
from engine.trials.parameters import RESERVED
from engine.workspace import Workspace

Resource = dict[str, Any]
READABLE: Final = ("ResearchStudy", "Group", "Library", "ValueSet", "OperationDefinition")
"""The resource types that can be read and searched."""

STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
LIBRARY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/library-type"


class Catalogue:
    """The content of a service, loaded once. One thread at a time translates (:attr:`lock`)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lock = RLock()
        self.workspace: Workspace = settings.content.workspace()
        trials, diagnostics = load_trials(self.workspace, settings.content.trials)
        self.trials: Mapping[str, Trial] = {trial.id: trial for trial in trials}
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        self._written: dict[str, Mapping[str, bytes]] = {}

    # ------------------------------------------------------------ compiling

    def translate(self, text: str, source: str) -> Translation:
        """ELM and diagnostics of a text."""
        with self.lock:
            return self.workspace.translate(text, source)

    def program(self, translation: Translation) -> Program:
        """The runnable form; CompileError when the translation has errors."""
        with self.lock:
            return self.workspace.program(translation)

    # ------------------------------------------------------------ resources

    def resources(self, name: str) -> Mapping[str, Resource]:
        """The resources of a readable type by id."""
        made: Mapping[str, Mapping[str, Resource]] = {
            "ResearchStudy": self.studies, "Group": self.groups, "Library": self.libraries, "ValueSet": self.value_sets,
            "OperationDefinition": {"screen": screen_definition(self.canonical("OperationDefinition", "screen"))},
        }  # fmt: skip
        return made[name]

    def written(self, name: str) -> Mapping[str, bytes]:
        """The bytes of these resources by id, each validated once."""
        with self.lock:
            if name not in self._written:
                self._written[name] = {identity: write(row) for identity, row in self.resources(name).items()}
            return self._written[name]

    def canonical(self, name: str, identity: str) -> str:
        """The canonical address of one of our resources."""
        return f"{self.settings.canonical}/{name}/{identity}"

    @cached_property
    def studies(self) -> Mapping[str, Resource]:
        """The trials as ResearchStudy."""
        return {identifier(trial.id): self._study(trial) for trial in self.trials.values()}

    @cached_property
    def groups(self) -> Mapping[str, Resource]:
        """The people a trial looks for, as a Group of none in particular."""
        return {identifier(trial.id): self._group(trial) for trial in self.trials.values()}

    @cached_property
    def libraries(self) -> Mapping[str, Resource]:
        """All CQL libraries with their text and, where they compile, their ELM."""
        found = {}
        for name in self.workspace.libraries.names():
            text = self.workspace.libraries.find(name, None)
            if text is not None:
                found[identifier(name)] = self._library(name, text)
        return found

    @cached_property
    def value_sets(self) -> Mapping[str, Resource]:
        """The value sets as their files have them."""
        found: dict[str, Resource] = {}
        for path in sorted(self.settings.content.valuesets.glob("*.json")):
            resource = decode_json(path.read_bytes(), source=path.name)
            if isinstance(resource, dict) and resource.get("resourceType") == "ValueSet":
                found[identifier(str(resource.get("id") or path.stem))] = resource
        return found

    @cached_property
    def _needs(self) -> Mapping[str, tuple[str, ...]]:
        return {name: types_needed([trial]) for name, trial in self.trials.items()}

    def needs(self, trials: Iterable[str]) -> tuple[str, ...]:
        """The resource types that these trials can retrieve of a patient, by name; found once, which takes a while."""
        return tuple(sorted({name for trial in trials for name in self._needs[trial]}))

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """The names of all parameters of a screening: the product's own, and those that some library declares."""
        return frozenset({*RESERVED, *self.settings.content.parameter_names()})

    def trial(self, identity: str) -> Trial | None:
        """The trial with that id or resource id."""
        return next((t for t in self.trials.values() if identity in (t.id, identifier(t.id))), None)

    def library_text(self, url: str) -> SourceText | None:
        """The library of a canonical address: ``…/Library/Name`` or only ``Name``, and ``|version`` where given."""
        address, _, version = url.partition("|")
        name = address.rstrip("/").rsplit("/", 1)[-1]
        for known in self.workspace.libraries.names():
            if name in (known, identifier(known)):
                return self.workspace.libraries.find(known, version or None)
        return None

    def _study(self, trial: Trial) -> Resource:
        notes = [{"text": sentence} for sentence in trial.incomplete]
        study: Resource = {
            "resourceType": "ResearchStudy",
            "id": identifier(trial.id),
            "identifier": [
                {"system": f"{self.settings.canonical}/trial", "value": trial.id},
                *([{"system": "https://clinicaltrials.gov", "value": trial.registry}] if trial.registry else []),
            ],
            "title": trial.title or trial.id,
            "status": "active",
            "enrollment": [{"reference": f"Group/{identifier(trial.id)}"}],
        }
        return study | ({"note": notes} if notes else {})

    def _group(self, trial: Trial) -> Resource:
        library = self.canonical("Library", identifier(trial.program.main.name))
        version = trial.program.main.version
        address = library if version is None else f"{library}|{version}"
        expression = {
            "language": "text/cql-expression",
            "expression": eligibility(trial),
            "description": "Every inclusion criterion is met and no exclusion criterion applies.",
            "reference": address,
        }
        return {
            "resourceType": "Group",
            "id": identifier(trial.id),
            "extension": [
                {"url": f"{STRUCTURE}cqf-library", "valueCanonical": address},
                {"url": f"{STRUCTURE}characteristicExpression", "valueExpression": expression},
            ],
            "type": "person",
            "actual": False,
            "name": f"Eligible for {trial.id}",
        }

    def _library(self, name: str, text: SourceText) -> Resource:
        translation = self.translate(text.text, Path(text.source).name)
        content = [{"contentType": "text/cql", "data": _base64(text.text.encode())}]
        resource: Resource = {
            "resourceType": "Library",
            "id": identifier(name),
            "url": self.canonical("Library", identifier(name)),
            "name": name,
            "status": "active",
            "type": {"coding": [{"system": LIBRARY_TYPE, "code": "logic-library"}]},
        }
        library = translation.library
        if library is not None and not translation.errors:
            content.append({"contentType": "application/elm+json", "data": _base64(encode_elm(library))})
            if library.version is not None:
                resource["version"] = library.version
        return resource | {"content": content}


def eligibility(trial: Trial) -> str:
    """The CQL expression of a trial's library that is true for the eligible: inclusions, and no exclusion."""
    parts = [
        quoted(c.define) if c.kind == "inclusion" else f"not {quoted(c.define)}"
        for c in trial.criteria
        if c.define is not None
    ]
    # What is not encoded cannot be true: nobody is eligible by an expression that leaves a criterion out.
    return " and ".join([*parts, *("null" for c in trial.criteria if c.define is None)])


def quoted(name: str) -> str:
    """A CQL identifier in quotes."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def identifier(name: str) -> str:
    """A FHIR id made of a name: what FHIR does not allow becomes a hyphen (http://hl7.org/fhir/R4/datatypes.html#id)."""
    return re.sub(r"[^A-Za-z0-9\-.]", "-", name)[:64]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def matching(resources: Iterable[Resource], wanted: Mapping[str, list[str]]) -> list[Resource]:
    """The resources that fit every search parameter; several values of one are alternatives.

    Parameters: ``_id``, ``url``, ``version``, ``identifier``, ``name``, ``title``, ``status``, ``enrollment``. Texts
    match from their start and whatever the case, tokens exactly (http://hl7.org/fhir/R4/search.html).
    """
    found = list(resources)
    for name, values in wanted.items():
        options = [option for value in values for option in value.split(",")]
        found = [r for r in found if any(_fits(r, name, option) for option in options)]
    return found


def _fits(resource: Resource, name: str, wanted: str) -> bool:
    if name == "identifier":
        system, _, value = wanted.rpartition("|")
        found = resource.get("identifier", ())
        return any(i.get("value") == value and (not system or i.get("system") == system) for i in found)
    if name == "enrollment":
        return any(e.get("reference") in (wanted, f"Group/{wanted}") for e in resource.get("enrollment", ()))
    held = str(resource.get(name.removeprefix("_"), ""))
    if name in ("name", "title"):
        return held.casefold().startswith(wanted.casefold())
    return held == wanted
