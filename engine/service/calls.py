"""A request as it goes to a worker and what comes back: bytes in, bytes out, and both can cross a process boundary.

The serving process reads headers and addresses; what a body holds is decoded, evaluated and written where it is worked
on (:func:`engine.service.answering.answer`), so that nobody else waits for it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.language.values import DateTime
from engine.service.keeping import Feedback

Operation = Literal["cql", "evaluate", "screen", "hook", "feedback"]
AUDITED: Mapping[Operation, str] = {"screen": "screen", "hook": "screen", "cql": "evaluate", "evaluate": "evaluate"}
"""What the audit calls an operation."""


_ID: Final = re.compile(r"(?!\.+$)[A-Za-z0-9_.:~|-]{1,256}")


def is_id(text: str) -> bool:
    """True for what may be the id of a resource: those of FHIR, and longer ones with a few signs more, as servers have.

    None has a slash or is a step of a path (``..``): an address that is made with one leads to no other place.
    """
    return _ID.fullmatch(text) is not None


def new_id() -> str:
    """An id of a run that nobody can guess."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record from the configured FHIR server, and the resource types that could not be had with the reason."""

    bundle: Mapping[str, Any]
    unavailable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    ``run`` is the id under which a screening is kept; ``names`` is what the address names: a library, trials, or the
    hook's service; ``query`` the parameters of the address; ``plain`` asks for plain JSON; ``link`` is where the whole
    result of a hook's cards can be read; ``server`` says that a record may be asked of the configured FHIR server.
    """

    operation: Operation
    body: bytes
    now: DateTime
    run: str
    names: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    plain: bool = False
    link: str | None = None
    server: bool = False
    fetched: Fetched | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is kept of a call: whom it was about, how it ended, and of a screening its inputs, result and versions."""

    patient: str
    outcome: str = "success"
    inputs: bytes = b""
    result: bytes = b""
    trials: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    verdicts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is sent; ``recorded`` is None where nothing was evaluated."""

    status: int
    body: bytes
    kind: str
    recorded: Recorded | None = None
    feedback: tuple[Feedback, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """No answer yet: the record of this subject has to be fetched first."""

    subject: str
