"""Records from a configured FHIR server, for commands: ``--server``, ``--servers``, ``--group``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sources.smart import Completeness, ServerRecords, load_servers, records_from_server, trial_requirements
from engine.trials import Trial
from engine.workspace import Workspace

SHOWN = 20
"""Missing things told one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Which server of which settings file, and whose records."""

    name: str
    file: Path
    patient: str | None = None
    group: str | None = None


def server_records(options: ServerOptions, workspace: Workspace, trials: Sequence[Trial]) -> ServerRecords:
    """The records that these trials need, one patient after the other.

    Raises:
        InputError: the settings cannot be used, or have no such server.
    """
    from engine.cli.inputs import complain

    return records_from_server(
        load_servers(options.file), options.name, requirements=trial_requirements(trials), patient=options.patient,
        group=options.group, terms=workspace.terms, source=str(options.file),
        progress=lambda text: complain(f"The export of {options.name}: {text}"),
    )  # fmt: skip


def completeness_lines(completeness: Completeness) -> list[str]:
    """What a run lacks, in lines for a person; empty when it is complete."""
    lines = [str(item) for item in completeness.missing[:SHOWN]]
    if not lines:
        return []
    more = len(completeness.missing) - len(lines)
    head = "The run is incomplete: what follows could not be fetched, and no verdict rests on it."
    return [head, *(f"  {line}" for line in lines), *([f"  and {more} more"] if more else [])]
