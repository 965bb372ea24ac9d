"""Clinical-trial eligibility: criteria written in CQL, evaluated over FHIR R4 records into results with their evidence.

The way through the public names::

    workspace = engine.own_content().workspace()
    trials, diagnostics = engine.load_trials(workspace, engine.own_content().trials)
    record = engine.PatientRecord.from_bundle(engine.decode_bundle(data, source="patient.json"))
    moment = engine.moment_of({}, today, 0, "parameters")
    results = engine.screen(workspace, trials, record, {}, moment)

A name is imported when it is first used, so that ``import engine`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.version import __version__

if TYPE_CHECKING:
    from engine.errors import CompileError, Diagnostic, EligibilityError, InputError
    from engine.fhir import PatientRecord, decode_bundle
    from engine.sources import own_content, patients
    from engine.trials import CriterionResult, Trial, TrialResult, load_trials, moment_of, screen, to_json
    from engine.workspace import Workspace

__all__ = [
    "CompileError",
    "CriterionResult",
    "Diagnostic",
    "EligibilityError",
    "InputError",
    "PatientRecord",
    "Trial",
    "TrialResult",
    "Workspace",
    "__version__",
    "decode_bundle",
    "load_trials",
    "moment_of",
    "own_content",
    "patients",
    "screen",
    "to_json",
]

_HOMES = {
    "engine.errors": ("CompileError", "Diagnostic", "EligibilityError", "InputError"),
    "engine.fhir": ("PatientRecord", "decode_bundle"),
    "engine.sources": ("own_content", "patients"),
    "engine.trials": ("CriterionResult", "Trial", "TrialResult", "load_trials", "moment_of", "screen", "to_json"),
    "engine.workspace": ("Workspace",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'engine' has no attribute '{name}'")
