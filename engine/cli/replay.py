"""``eligibility replay``: a stored run once more; the same bytes, or what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engine.cli.inputs import complain
from engine.errors import EligibilityError, InputError
from engine.fhir.decode import decode_json

SAME: Final = 0
CHANGED: Final = 1
UNUSABLE: Final = 2

STAMPED: Final[Mapping[str, str]] = {
    "data": "data", "library": "criteria", "valuesets": "terminology", "parameters": "parameters",
    "evaluationTime": "time", "engine": "engine",
}  # fmt: skip
"""Each part of a stamp with the word for what it stands for."""


def command(identity: str, bundle: Path | None, screening_date: str | None, output: Path | None) -> int:
    """Runs a stored run again: 0 when it gives the same bytes, 1 when it does not, 2 when it cannot be run."""
    from engine.service.deployment import deployment
    from engine.service.storage import Storage

    try:
        settings = deployment()
        storage = Storage(settings.database_url.get_secret_value(), settings.audit_key)
        try:
            run = storage.run(identity)
        finally:
            storage.close()
        if run is None:
            raise InputError(identity, "", "there is no stored run of this id")
        result = again(run.inputs, f"run {identity}", bundle, screening_date)
        if output is not None:
            _write(output, result)
    except EligibilityError as problem:
        complain(problem)
        return UNUSABLE
    if result == run.result:
        print(f"The same {len(result)} bytes as on {run.recorded}.")
        return SAME
    for sentence in differences(run.result, result):
        print(sentence)
    return CHANGED


def again(inputs: bytes, source: str, bundle: Path | None = None, screening_date: str | None = None) -> bytes:
    """The result of stored inputs, over the content and with the engine of today; ``bundle`` and date replace theirs.

    Raises:
        InputError: the inputs cannot be screened any more; says why.
    """
    from engine.service.catalogue import Catalogue
    from engine.service.inputs import job_of
    from engine.service.performing import perform
    from engine.service.refusals import Refusal
    from engine.service.settings import Settings
    from engine.trials import to_json
    from engine.trials.parameters import SCREENING_DATE

    job, site = job_of(inputs, source)
    if bundle is not None:
        job = replace(job, data=_resource(bundle))
    if screening_date is not None:
        job = replace(job, parameters={**job.parameters, SCREENING_DATE: screening_date})
    catalogue = Catalogue(Settings(offset_minutes=site["offsetMinutes"], parameters=site["parameters"]))
    gone = [trial for trial in job.trials if trial not in catalogue.trials]
    if gone:
        raise InputError(source, "", f"criteria: {', '.join(gone)} cannot be used any more; see `eligibility check`")
    answer = perform(catalogue, job)
    if isinstance(answer, Refusal):
        raise InputError(source, "", "; ".join(issue.diagnostics for issue in answer.issues))
    return to_json(list(answer))


def differences(before: bytes, after: bytes) -> Iterator[str]:
    """What changed from one result to the other, a sentence for each trial and cause."""
    old, new = (_by_trial(data) for data in (before, after))
    for trial in sorted({*old, *new}):
        then, now = old.get(trial), new.get(trial)
        if then is None or now is None:
            yield f"{trial}: criteria: the trial was {'not asked for' if then is None else 'answered'} then"
            continue
        if then == now:
            continue
        causes = [name for name in STAMPED if then["stamp"].get(name) != now["stamp"].get(name)]
        for name in causes:
            yield f"{trial}: {STAMPED[name]} changed: {then['stamp'].get(name)} then, {now['stamp'].get(name)} now"
        if not causes:
            yield f"{trial}: engine changed: the same version answers differently, so its code is not the same"
        if then["verdict"] != now["verdict"]:
            yield f"{trial}: the verdict was {then['verdict']} and is {now['verdict']}"
        results = {c["id"]: c["result"] for c in then["criteria"]}
        for criterion in now["criteria"]:
            was = results.get(criterion["id"])
            if was != criterion["result"]:
                yield f"{trial}: {criterion['id']} was {was or 'not there'} and is {criterion['result']}"


def _by_trial(data: bytes) -> dict[str, Any]:
    return {result["trial"]: result for result in decode_json(data, source="the result")}


def _resource(path: Path) -> dict[str, Any]:
    try:
        content = decode_json(path.read_bytes(), source=str(path))
    except OSError as problem:
        raise InputError(str(path), "", f"cannot be read: {problem.strerror}") from None
    if not isinstance(content, dict):
        raise InputError(str(path), "", "is no FHIR Bundle")
    return content


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as problem:
        raise InputError(str(path), "", f"cannot be written: {problem.strerror}") from None
