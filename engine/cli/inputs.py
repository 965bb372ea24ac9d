"""What commands share: options to trials, parameters and the moment of a run; only here the clock is read."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.errors import Diagnostic, InputError, Severity
from engine.fhir.decode import decode_json
from engine.language import Limits
from engine.language.values import Date
from engine.sources import Content, own_content
from engine.trials import Moment, Screening, Trial, check_names, load_trials, moment_of, trial_ids
from engine.trials.parameters import SCREENING_DATE
from engine.workspace import Workspace

_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)|Z")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``screen`` and ``explain`` as given."""

    trials: list[str]
    patient: str | None
    screening_date: str | None
    parameters: Path | None
    time_zone: str
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Selection:
    """The trials asked for, with the sentences of those that cannot be used."""

    content: Content
    workspace: Workspace
    trials: list[Trial]
    problems: list[str]


def select_trials(asked: list[str], content: Content | None = None) -> Selection:
    """The trials with the ids asked for (all when none), and CQL files named instead of an id."""
    content = content or own_content()
    files = [Path(name) for name in asked if name.endswith(".cql")]
    ids = [name for name in asked if not name.endswith(".cql")]
    workspace = content.workspace()
    workspace.libraries.folders.extend(dict.fromkeys(file.parent for file in files if file.exists()))
    found: dict[str, Trial] = {}
    problems: list[str] = []
    if (ids or not files) and content.trials.is_dir():
        problems += _add(found, *load_trials(workspace, content.trials, ids or None))
    refused = "; see what `eligibility check` says" if problems else ""
    known = ", ".join(sorted(trial_ids(content.trials).values())) or "none"
    chosen = [found[i] for i in ids if i in found] if ids or files else list(found.values())
    problems += [f"{i}: there is no usable trial of this id; there are {known}{refused}" for i in ids if i not in found]
    for file in files:
        of_file: dict[str, Trial] = {}
        problems += _add(of_file, *load_trials(workspace, file))
        if not of_file and not problems:
            problems.append(f"{file}: the library is no trial; its comment needs @trial with the trial's id")
        chosen += of_file.values()
    if not chosen and not problems:
        problems.append(f"{content.trials}: there are no trials; put their CQL libraries there")
    return Selection(content, workspace, list(dict.fromkeys(chosen)), problems)


def _add(found: dict[str, Trial], trials: list[Trial], diagnostics: list[Diagnostic]) -> list[str]:
    found.update({trial.id: trial for trial in trials})
    return [d.render() for d in diagnostics if d.severity is Severity.ERROR]


def prepare(selection: Selection, options: Options) -> Screening:
    """The trials with parameters and moment.

    Raises:
        InputError: a parameter, the date or the time zone is not what it should be.
    """
    selection.workspace.limits = options.limits
    given, source = read_parameters(options.parameters)
    check_names(selection.trials, given, source=source, others=selection.content.parameter_names())
    if options.screening_date is not None:
        if given.get(SCREENING_DATE, options.screening_date) != options.screening_date:
            message = (
                f"is {given[SCREENING_DATE]}, and --screening-date says {options.screening_date}; give one of them"
            )
            raise InputError(source, SCREENING_DATE, message)
        given = {**given, SCREENING_DATE: options.screening_date}
        source = source if options.parameters else "--screening-date"
    moment = moment_of(given, *today(options.time_zone), source)
    return Screening(selection.workspace, selection.trials, given, moment, source=source)


def today(time_zone: str) -> tuple[Date, int]:
    """The date of this moment in a time zone, and its offset in minutes.

    Raises:
        InputError: the offset is none.
    """
    match = _OFFSET.fullmatch(time_zone)
    if match is None:
        raise InputError("--time-zone", "", f"'{time_zone}' is no offset; write it like +08:00, -05:30 or Z")
    sign, hours, minutes = match.groups()
    offset = 0 if sign is None else (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
    if abs(offset) > 14 * 60:
        raise InputError("--time-zone", "", f"'{time_zone}' is beyond the offsets in use, -14:00 to +14:00")
    now = datetime.now(UTC) + timedelta(minutes=offset)
    return Date(now.year, now.month, now.day), offset


def read_parameters(path: Path | None) -> tuple[dict[str, Any], str]:
    """The JSON object of a parameter file, and the name it is called by in errors.

    Raises:
        InputError: the file cannot be read or holds no JSON object.
    """
    if path is None:
        return {}, "parameters"
    source = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(source, "", "there is no such file of parameters") from None
    except OSError as problem:
        raise InputError(source, "", f"the file cannot be read: {problem.strerror}") from None
    if not data.strip():
        raise InputError(source, "", "is empty; a JSON object with parameters by name was expected")
    given = decode_json(data, source=source)
    if not isinstance(given, dict):
        raise InputError(source, "", "is no JSON object with parameters by name")
    return given, source


def complain(sentence: object) -> None:
    """Writes a sentence to the standard error."""
    print(sentence, file=sys.stderr)


__all__ = ["Moment", "Options", "Selection", "complain", "prepare", "read_parameters", "select_trials", "today"]
