"""The inputs of a screening as they are kept: everything it took, as JSON that the same job can be made of again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.fhir.primitives import UnusableNumber
from engine.language.values import DateTime
from engine.service.jobs import ScreenJob
from engine.service.settings import Settings
from engine.trials import TrialResult


def _as_it_came(value: Any) -> msgspec.Raw:
    """A number beyond what can be read, as it stood in the record: whoever reads it again finds the same."""
    if isinstance(value, UnusableNumber):
        return msgspec.Raw(value.encode())
    raise TypeError(type(value).__name__)


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_it_came)


def as_sent(content: Any) -> bytes:
    """JSON of what a request brought, every number as it was sent: those too that nothing can calculate with."""
    return _ENCODER.encode(content)


def inputs_of(job: ScreenJob, settings: Settings, results: Sequence[TrialResult]) -> bytes:
    """Everything a screening took, as JSON: what :func:`job_of` reads."""
    return as_sent(
        {
            "now": str(job.now),
            "trials": [result.trial for result in results],
            "subject": job.subject,
            "parameters": dict(job.parameters),
            "unavailable": dict(job.unavailable),
            "source": job.source,
            "site": {"offsetMinutes": settings.offset_minutes, "parameters": dict(settings.parameters)},
            "data": job.data,
        }
    )


def job_of(inputs: bytes, source: str) -> tuple[ScreenJob, Mapping[str, Any]]:
    """The job of stored inputs, and what the site gave (``offsetMinutes``, ``parameters``).

    Raises:
        InputError: they are no inputs of a run.
    """
    stored = decode_json(inputs, source=source)
    try:
        job = ScreenJob(
            now=DateTime.parse(stored["now"]), data=stored["data"], trials=tuple(stored["trials"]),
            subject=stored["subject"], parameters=stored["parameters"], unavailable=stored["unavailable"],
            source=stored["source"],
        )  # fmt: skip
        return job, stored["site"]
    except (KeyError, TypeError, ValueError):
        raise InputError(source, "", "the stored inputs are not those of a run") from None


def versions_of(results: Sequence[TrialResult]) -> tuple[dict[str, str], dict[str, str]]:
    """The trials of a screening with the hashes of their criteria, and the versions of what all of them took."""
    trials = {result.trial: result.stamp.library for result in results}
    for result in results[:1]:
        stamp = result.stamp
        return trials, {"engine": stamp.engine, "terminology": stamp.valuesets, "data": stamp.data}
    return trials, {}
