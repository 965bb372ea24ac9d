"""Trials and their criteria: deciding, explaining, attesting and counting, over values and their trace."""

from engine.trials.loading import load_trials, read_trial, trial_ids
from engine.trials.parameters import Moment, bind_parameters, check_names, moment_of
from engine.trials.results import (
    AtomResult,
    CriterionResult,
    Evidence,
    Missing,
    SetAside,
    Stamp,
    TrialResult,
    to_builtins,
    to_json,
    verdict_of,
)
from engine.trials.screening import Screening, screen
from engine.trials.trial import Atom, Criterion, Trial

__all__ = [
    "Atom",
    "AtomResult",
    "Criterion",
    "CriterionResult",
    "Evidence",
    "Missing",
    "Moment",
    "Screening",
    "SetAside",
    "Stamp",
    "Trial",
    "TrialResult",
    "bind_parameters",
    "check_names",
    "load_trials",
    "moment_of",
    "read_trial",
    "screen",
    "to_builtins",
    "to_json",
    "trial_ids",
    "verdict_of",
]
