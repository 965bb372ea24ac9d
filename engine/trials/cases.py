"""A trial's own cases: small changes to one patient, and the results that have to come out.

The folder ``<trial>.cases`` beside the trial's CQL holds

- ``patient.json``, a FHIR Bundle: the patient all cases start from,
- ``others.json``, a FHIR Bundle of resources that a case may add (optional),
- ``parameters.json``, the CQL parameters of all cases,
- ``*.toml``, the cases.

In a TOML file a table is an atom or criterion (its id, or what follows the trial's id in it), and each key a result
with the cases that have to give it, one a line. ``[[cases]]`` is for what is about several at once, and ``patient`` at
the top says how the patient comes out before any change::

    [E3a]
    met = [{ title = "1499 /uL", set.anc.valueQuantity = { value = 1499, code = "/uL" } }]
    unknown = [{ title = "no result", remove = ["anc"] }]
    never.not-met = "why it cannot be"

``set`` changes resources by their ids: tables are merged, a list is replaced unless its places are numbered, and one
kind of value[x] replaces another. ``add`` takes a resource of ``others.json`` by its id, a copy of another one
(``like``), or a new one, each with changes. ``remove`` comes last and drops resources and elements
(``"alt.referenceRange"``). ``parameters`` replaces parameters, ``without`` drops them. ``expect``, ``basis`` and
``verdict`` say what else has to come out.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.language.values.json import encode
from engine.trials.results import Basis, Verdict
from engine.trials.trial import Trial

STATES = ("met", "not-met", "unknown")
"""The results an atom or criterion can have, as a case names them."""

_PLACE = re.compile(r"\d+")
_CHOICES = ("value", "effective", "onset", "abatement", "performed", "medication", "collected", "deceased")
_CHOICE = re.compile(rf"({'|'.join(_CHOICES)})[A-Z]\w*")
_FIELDS = {"title", "set", "add", "remove", "parameters", "without", "expect", "basis", "verdict"}


@dataclass(frozen=True, slots=True)
class Case:
    """A whole patient, the parameters, and what has to come out.

    ``bundle`` and ``parameters`` are JSON as it is written. ``expected`` and ``basis`` name atoms and criteria by their
    full ids; ``source`` is the file the case stands in.
    """

    title: str
    source: str
    bundle: Mapping[str, Any]
    parameters: Mapping[str, Any]
    expected: Mapping[str, str]
    basis: Mapping[str, str] = field(default_factory=dict)
    verdict: str | None = None

    def to_json(self, trial: str) -> bytes:
        """The case written out in full: trial, title, parameters, expected results and the bundle."""
        optional = {"basis": dict(self.basis)} if self.basis else {}
        if self.verdict is not None:
            optional["verdict"] = self.verdict  # type: ignore[assignment]
        content = {
            "trial": trial, "title": self.title, "parameters": self.parameters, "expected": self.expected,
            **optional, "bundle": self.bundle,
        }  # fmt: skip
        return encode(content)


@dataclass(frozen=True, slots=True)
class CaseBook:
    """The cases of a trial; ``never`` are the results that an atom or criterion cannot have: id → result → reason."""

    cases: tuple[Case, ...]
    never: Mapping[str, Mapping[str, str]]


def cases_folder(trial: Trial) -> Path:
    """Where the cases of a trial stand: beside its CQL."""
    return Path(trial.source).with_suffix(".cases")


def read_cases(trial: Trial, folder: Path | None = None) -> CaseBook:
    """The cases of a trial, none if it has no folder of cases.

    Raises:
        InputError: a file cannot be read or does not have the form; names the file, the table and the case.
    """
    folder = folder or cases_folder(trial)
    files = sorted(folder.glob("*.toml"))
    if not files:
        return CaseBook((), {})
    patient = _resources(folder / "patient.json")
    others = _resources(folder / "others.json") if (folder / "others.json").exists() else {}
    parameters = _json(folder / "parameters.json") if (folder / "parameters.json").exists() else {}
    reading = _Reading(trial, patient, others, parameters)
    for file in files:
        reading.read(file)
    return CaseBook(tuple(reading.cases), reading.never)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = decode_json(path.read_bytes(), source=str(path))
    except OSError as problem:
        raise InputError(str(path), "", f"the file cannot be read: {problem.strerror}") from None
    if not isinstance(content, dict):
        raise InputError(str(path), "", "is no JSON object")
    return content


def _resources(path: Path) -> dict[str, dict[str, Any]]:
    """The resources of a bundle by id."""
    found: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(_json(path).get("entry", [])):
        resource = entry.get("resource", {})
        identity = resource.get("id")
        if not isinstance(identity, str) or identity in found:
            raise InputError(str(path), f"entry[{number}]", "the resource needs an id that no other one here has")
        found[identity] = resource
    return found


@dataclass(slots=True)
class _Reading:
    """Reads the TOML files of a folder one after the other."""

    trial: Trial
    patient: dict[str, dict[str, Any]]
    others: dict[str, dict[str, Any]]
    parameters: dict[str, Any]
    cases: list[Case] = field(default_factory=list)
    never: dict[str, dict[str, str]] = field(default_factory=dict)
    source: str = ""
    titles: set[tuple[str, str]] = field(default_factory=set)

    def read(self, path: Path) -> None:
        """Adds the cases of one file."""
        self.source = str(path)
        try:
            content = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise InputError(self.source, "", f"cannot be read as TOML: {problem}") from None
        for name, table in content.items():
            if name == "patient":
                self._case({"title": "the patient before any change", **_table(table)}, name, {})
            elif name == "cases":
                for row in _list(table):
                    self._case(row, name, {})
            else:
                self._about(self._id(name, name), name, _table(table))

    def _about(self, identity: str, name: str, table: dict[str, Any]) -> None:
        for key, rows in table.items():
            if key == "never":
                for state, reason in _table(rows).items():
                    if state not in STATES or not isinstance(reason, str):
                        raise self._wrong(f"{name}.never", f"expected {', '.join(STATES)}, each with a reason")
                    self.never.setdefault(identity, {})[state] = reason
            elif key in STATES:
                for row in _list(rows):
                    self._case(row, f"{name}.{key}", {identity: key})
            else:
                raise self._wrong(name, f"'{key}' is no result; expected {', '.join(STATES)} or never")

    def _case(self, row: Any, place: str, expected: dict[str, str]) -> None:
        title = row.get("title") if isinstance(row, dict) else None
        if not isinstance(title, str):
            raise self._wrong(place, "a case is a table with a title")
        place = f"{place} '{title}'"
        if (place, self.source) in self.titles:
            raise self._wrong(place, "there are two cases of this title; tell them apart")
        self.titles.add((place, self.source))
        unknown = set(row) - _FIELDS
        if unknown:
            raise self._wrong(place, f"'{min(unknown)}' is no part of a case; it has {', '.join(sorted(_FIELDS))}")
        expect = {self._id(n, place): self._one_of(v, STATES, place) for n, v in row.get("expect", {}).items()}
        basis = {self._id(n, place): self._one_of(v, get_args(Basis), place) for n, v in row.get("basis", {}).items()}
        verdict = self._one_of(row["verdict"], get_args(Verdict), place) if "verdict" in row else None
        expected = {**expected, **expect}
        if not expected and not basis and verdict is None:
            raise self._wrong(place, "the case expects nothing; add expect, basis or verdict")
        self.cases.append(
            Case(title, self.source, self._bundle(row, place), self._given(row, place), expected, basis, verdict)
        )

    def _bundle(self, row: dict[str, Any], place: str) -> dict[str, Any]:
        record = copy.deepcopy(self.patient)
        for identity, changes in row.get("set", {}).items():
            if identity not in record:
                raise self._wrong(place, f"set: the patient has no resource '{identity}'")
            record[identity] = _merged(record[identity], changes)
        for identity, changes in row.get("add", {}).items():
            record[identity] = self._added(record, identity, dict(changes), place)
        for path in row.get("remove", []):
            self._remove(record, path, place)
        entries = [
            {"fullUrl": f"http://example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r}
            for r in record.values()
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    def _added(self, record: dict[str, Any], identity: str, changes: dict[str, Any], place: str) -> dict[str, Any]:
        if identity in record:
            raise self._wrong(place, f"add: the patient has a resource '{identity}' already; use set, or another id")
        like = changes.pop("like", identity)
        origin = self.others.get(like, record.get(like))
        if origin is None and (like != identity or "resourceType" not in changes):
            raise self._wrong(place, f"add: there is no resource '{like}' in others.json or the patient to start from")
        made: dict[str, Any] = _merged({**copy.deepcopy(origin or {}), "id": identity}, changes)
        return made

    def _remove(self, record: dict[str, Any], path: Any, place: str) -> None:
        *outer, last = str(path).split(".")
        inside: Any = record
        for part in outer:
            inside = inside[int(part)] if isinstance(inside, list) and part.isdigit() else inside.get(part)
            if not isinstance(inside, dict | list):
                raise self._wrong(place, f"remove: there is nothing at '{path}'")
        if isinstance(inside, list) and last.isdigit() and int(last) < len(inside):
            del inside[int(last)]
        elif isinstance(inside, dict) and last in inside:
            del inside[last]
        else:
            raise self._wrong(place, f"remove: there is nothing at '{path}'")

    def _given(self, row: dict[str, Any], place: str) -> dict[str, Any]:
        given = {**self.parameters, **row.get("parameters", {})}
        for name in row.get("without", []):
            if name not in given:
                raise self._wrong(place, f"without: there is no parameter '{name}' to drop")
            del given[name]
        return given

    def _id(self, name: str, place: str) -> str:
        """The full id of a criterion or atom of the trial."""
        for identity in (name, f"{self.trial.id}-{name}"):
            if identity in self._ids():
                return identity
        raise self._wrong(place, f"the trial {self.trial.id} has no criterion or atom '{name}'")

    def _ids(self) -> Iterator[str]:
        for criterion in self.trial.criteria:
            yield criterion.id
            yield from (atom.id for atom in criterion.atoms)

    def _one_of(self, value: Any, allowed: tuple[str, ...], place: str) -> str:
        if value not in allowed:
            raise self._wrong(place, f"'{value}' is none of {', '.join(allowed)}")
        return str(value)

    def _wrong(self, place: str, message: str) -> InputError:
        return InputError(self.source, place, message)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"": value}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _merged(old: Any, changes: Any) -> Any:
    """The element with the changes in it: tables are merged, numbered places of a list too, anything else replaced."""
    if isinstance(changes, dict) and isinstance(old, list) and changes and all(map(_PLACE.fullmatch, changes)):
        made = list(old)
        for place, change in sorted(changes.items(), key=lambda item: int(item[0])):
            if int(place) < len(made):
                made[int(place)] = _merged(made[int(place)], change)
            else:
                made.append(_merged(None, change))
        return made
    if not isinstance(changes, dict):
        return json_value(changes)
    table = dict(old) if isinstance(old, dict) else {}
    for name, change in changes.items():
        choice = _CHOICE.fullmatch(name)
        if choice is not None:
            others = re.compile(rf"{choice[1]}[A-Z]\w*")
            table = {key: kept for key, kept in table.items() if key == name or not others.fullmatch(key)}
        table[name] = _merged(table.get(name), change)
    return table


def json_value(value: Any) -> Any:
    """A TOML value as JSON holds it: dates, which TOML knows and JSON does not, as text."""
    if isinstance(value, dict):
        return {name: json_value(part) for name, part in value.items()}
    if isinstance(value, list):
        return [json_value(part) for part in value]
    return value if isinstance(value, str | bool | int | Decimal) else value.isoformat()
