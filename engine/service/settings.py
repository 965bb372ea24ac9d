"""What a running service is told: where its content stands, how it is reached, and what every run takes as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.sources import Content, own_content

CANONICAL = "http://example.org/fhir"
"""The base of the canonical addresses of trials, groups and libraries, as the product's value sets have it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one service.

    ``public_url`` is the address clients reach it by, for links; without one it is taken from each request.
    ``offset_minutes`` is the site's time zone, in which a screening date is read; ``parameters`` are the site's
    parameters by name (JSON), which those of a request replace. ``hooks_origins`` are the web origins that may call CDS
    Hooks from a browser; ``*`` allows any, since those calls bring their own data.
    ``server`` of ``servers_file`` is the FHIR server that is asked for a record which a request only names.
    """

    content: Content = field(default_factory=own_content)
    canonical: str = CANONICAL
    public_url: str | None = None
    offset_minutes: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    hooks_origins: tuple[str, ...] = ("*",)
    server: str | None = None
    servers_file: Path | None = None
