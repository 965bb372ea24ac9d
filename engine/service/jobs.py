"""The work of the service as data: a job goes in, what it gives comes out, and both can cross a process boundary.

What does a job is :func:`engine.service.performing.perform`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InputError
from engine.fhir import PatientRecord
from engine.fhir.bundle import Bundle
from engine.language.values import DateTime

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExpressionJob:
    """``$cql``: an expression, the libraries it may name as (address, local name), its parameters and data.

    ``cql_text`` writes times that FHIR has no exact form for as their CQL text (:mod:`engine.fhir.out_times`).
    """

    expression: str
    now: DateTime
    libraries: tuple[tuple[str, str | None], ...] = ()
    parameters: Json | None = None
    data: Json | None = None
    subject: str | None = None
    cql_text: bool = False


@dataclass(frozen=True, slots=True)
class LibraryJob:
    """``$evaluate``: a library by address or as a resource, the defines asked for (all public ones when none)."""

    now: DateTime
    url: str | None = None
    library: Json | None = None
    expressions: tuple[str, ...] = ()
    include_private: bool = False
    parameters: Json | None = None
    data: Json | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class ScreenJob:
    """``$screen`` and CDS Hooks: a record against trials (all when none is named).

    ``unavailable`` are the resource types that could not be had, with the reason: nothing rests on their absence.
    ``parameters`` are JSON by name.
    """

    now: DateTime
    data: Json
    trials: tuple[str, ...] = ()
    subject: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    source: str = "the request"


Job = ExpressionJob | LibraryJob | ScreenJob
Result = Any
"""``list[Parameter]`` of an expression or library, ``list[TrialResult]`` of a screening."""


def record_of(
    data: Json,
    subject: str | None,
    *,
    unavailable: Mapping[str, str] | None = None,
    source: str = "the data",
    withhold: bool = True,
) -> PatientRecord:
    """The record of the subject in a Bundle, or in a lone Patient; ``withhold`` is that of :class:`Bundle`.

    Raises:
        InputError: no Bundle, or no such subject in it.
    """
    kind = data.get("resourceType")
    if kind not in ("Bundle", "Patient"):
        raise InputError(source, "", "is no FHIR Bundle; a Bundle (or a lone Patient) was expected")
    bundle = Bundle(dict(data), source=source, unavailable=unavailable, withhold=withhold)
    return PatientRecord.from_bundle(bundle, subject)
