"""Records from a configured FHIR server, for ``$screen`` and CDS Hooks without data: what trials need of a patient."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.service.calls import is_id
from engine.service.catalogue import Catalogue
from engine.service.refusals import refused, without
from engine.sources.smart import load_servers, records_from_server, trial_requirements


class ServerRecords:
    """Fits :class:`~engine.service.operations.Records`: asks one server of a settings file.

    Raises:
        InputError: the file cannot be used.
    """

    def __init__(self, catalogue: Catalogue, file: Path, name: str) -> None:
        self.terms = catalogue.workspace.terms
        self.requirements = trial_requirements(catalogue.trials.values())
        self.servers = load_servers(file)
        self.name = name
        # Made once now, so that an unknown name is told when the service starts.
        records_from_server(self.servers, name, requirements=(), source=str(file))

    async def record(self, subject: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """The Bundle of a patient, and what could not be had with the reason; Refused when there is no record."""
        return await asyncio.to_thread(self._record, subject)

    def _record(self, subject: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        identity = subject.removeprefix("Patient/")
        if not is_id(identity):
            raise refused(400, "value", "the subject is no id of a Patient; name it like Patient/123")
        found = records_from_server(
            self.servers, self.name, requirements=self.requirements, patient=identity, terms=self.terms
        )
        for patient in found:
            if isinstance(patient, InputError):
                sentence = without(str(patient), [subject, identity])
                raise refused(502, "transient", f"the record could not be fetched: {sentence}")
            bundle = patient.record.bundle
            entries = [
                {"resource": entry.json} | ({} if entry.full_url is None else {"fullUrl": entry.full_url})
                for entry in bundle.entries
            ]
            return {"resourceType": "Bundle", "type": "collection", "entry": entries}, bundle.unavailable
        raise refused(404, "not-found", "the server has no record of this patient")
