"""A run over a FHIR server: the patients asked for, one after the other, and what could not be had of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import httpx2

from engine.errors import InputError
from engine.fhir import EVERY_TYPE, PatientRecord
from engine.language.elm import nodes as elm
from engine.language.elm.requirements import DataRequirement, data_requirements
from engine.sources.files import Patient
from engine.sources.smart.bulk import Export, Progress
from engine.sources.smart.clock import Clock
from engine.sources.smart.completeness import Completeness, Missing
from engine.sources.smart.failures import ServerError
from engine.sources.smart.fetch import Collected, Fetching, group_members
from engine.sources.smart.grouping import Grouping
from engine.sources.smart.http import Connection
from engine.sources.smart.keys import SigningKey
from engine.sources.smart.plan import ListsCodes, Plan, plan
from engine.sources.smart.settings import ServerSettings, server_named
from engine.sources.smart.tokens import TokenCache
from engine.trials.trial import Trial

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")


def connect(
    settings: ServerSettings, *, clock: Clock | None = None, transport: httpx2.BaseTransport | None = None
) -> Connection:
    """A connection to a server, with its tokens; nothing is sent before something is asked.

    Raises:
        InputError: the key file or the certificates of the settings cannot be used.
    """
    key = SigningKey.load(settings) if settings.authorization == "backend-services" else None
    connection = Connection(settings, clock=clock, transport=transport)
    if key is not None:
        connection.tokens = TokenCache(connection, key)
    return connection


def trial_requirements(trials: Iterable[Trial]) -> list[DataRequirement]:
    """What the criteria and atoms of these trials can retrieve, each requirement once."""
    found: dict[DataRequirement, None] = {}
    for trial in trials:
        criteria = [c.define for c in trial.criteria if c.define is not None]
        atoms = [a.define for c in trial.criteria for a in c.atoms]
        libraries = {key: unit.library for key, unit in trial.program.units.items()}
        translated = _Compiled(trial.program.main, libraries)
        found.update(dict.fromkeys(data_requirements(translated, dict.fromkeys([*criteria, *atoms]))))
    return list(found)


@dataclass(frozen=True, slots=True)
class _Compiled:
    library: elm.Library | None
    libraries: Mapping[str, elm.Library]


class ServerRecords:
    """The patients of one run; iterate over it once. ``completeness`` is final when the iteration has ended."""

    def __init__(
        self,
        settings: ServerSettings,
        questions: Plan,
        *,
        patient: str | None,
        group: str | None,
        clock: Clock | None = None,
        transport: httpx2.BaseTransport | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.plan = questions
        self.completeness = Completeness()
        self._patient = patient
        self._group = group
        self._clock = clock
        self._transport = transport
        self._progress = progress

    def __iter__(self) -> Iterator[Patient | InputError]:
        try:
            patient = None if self._patient is None else _identity(self._patient, "Patient", "--patient")
            group = None if self._group is None else _identity(self._group, "Group", "--group")
            with connect(self.settings, clock=self._clock, transport=self._transport) as connection:
                # An export is for populations: one patient is asked for by searches.
                if self.settings.method == "bulk" and patient is None:
                    yield from self._exported(connection, group)
                else:
                    yield from self._fetched(connection, patient, group)
        except InputError as problem:
            # The run ends here: whoever had not been reached yet was not screened.
            self.completeness.add(Missing(EVERY_TYPE, str(problem)))
            yield problem

    def _fetched(
        self, connection: Connection, patient: str | None, group: str | None
    ) -> Iterator[Patient | InputError]:
        fetching = Fetching(connection, self.plan, self.completeness)
        listed: list[str] = []
        trouble: ServerError | None = None
        try:
            if patient is not None:
                listed = [patient]
            elif group is not None:
                listed = group_members(connection, group, self.completeness)
            else:
                for identity in fetching.listed(f"Patient?_count={self.settings.page_size}", "the list of patients"):
                    listed.append(identity)
        except ServerError as problem:
            trouble = problem
            self.completeness.add(Missing(EVERY_TYPE, f"not all patients are known: {problem}"))
        for identity in dict.fromkeys(listed):
            try:
                found = fetching.patient(identity)
            except ServerError as problem:
                self.completeness.add(Missing(EVERY_TYPE, str(problem), f"Patient/{identity}"))
                yield problem
                continue
            yield self._record(found, identity)
        if trouble is not None:
            yield trouble

    def _exported(self, connection: Connection, group: str | None) -> Iterator[Patient | InputError]:
        folder = None if self.settings.work_folder is None else self.settings.path(self.settings.work_folder)
        with Grouping(connection.addresses.base, folder) as grouping:
            types = () if self.plan.impossible else self.plan.types
            Export(connection, types, grouping, self.completeness, self._progress).run(group)
            whole = list(self.completeness.missing)
            for identity in grouping.patients():
                found = grouping.patient(identity, self.plan, whole, limited=group is not None)
                for missing in found.missing:
                    self.completeness.add(missing)
                yield self._record(found, identity)

    def _record(self, found: Collected, patient: str) -> Patient | InputError:
        name = self.settings.name or self.settings.base_url
        try:
            record = PatientRecord.from_bundle(found.bundle(patient, name), patient)
        except InputError as problem:
            return problem
        return Patient(record, f"{name}: Patient/{patient}")


def records_from_server(
    servers: Mapping[str, ServerSettings],
    name: str,
    *,
    requirements: Iterable[DataRequirement],
    patient: str | None = None,
    group: str | None = None,
    terms: ListsCodes | None = None,
    source: str = "servers",
    clock: Clock | None = None,
    transport: httpx2.BaseTransport | None = None,
    progress: Progress | None = None,
) -> ServerRecords:
    """The records of a configured server that these requirements need: of one patient, of a Group, or of all.

    A stream as :func:`engine.sources.patients` gives it: a Patient each, or an InputError for one that could not be
    had. ``terms`` lists value sets, so that searches can name codes; ``source`` names the settings file in errors.

    Raises:
        InputError: there is no server of that name, or both a patient and a group are asked for.
    """
    settings = server_named(servers, name, source=source)
    if patient is not None and group is not None:
        raise InputError("--patient and --group", "", "ask for one patient and for a group; give one of them")
    return ServerRecords(
        settings, plan(requirements, terms), patient=patient, group=group, clock=clock, transport=transport,
        progress=progress,
    )  # fmt: skip


def _identity(text: str, kind: str, option: str) -> str:
    identity = text.removeprefix(f"{kind}/")
    if not _ID.fullmatch(identity):
        raise InputError(option, "", f"'{text}' is no id of a {kind}; an id has letters, digits, '-' and '.'")
    return identity
