"""Who is calling: every route asks for it through one dependency, :data:`Caller`.

What decides it is ``app.state.authenticate``: a configured service checks bearer tokens there, and no route knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: ``name`` for the audit, ``scopes`` as granted (``system/*.rs``); ``run`` for one who came by the link
    of a card, the only result that link opens.
    """

    name: str
    scopes: frozenset[str] = frozenset()
    run: str | None = None


LOCAL = Principal("local", frozenset({"system/*.rs"}))
"""Whoever reaches a service that is not configured for tokens; such a service listens to this machine only."""

Authenticate = Callable[[Request], Awaitable[Principal]]


async def local(request: Request) -> Principal:
    """Takes every caller as :data:`LOCAL`."""
    return LOCAL


async def caller(request: Request) -> Principal:
    """The caller of this request, as the service's ``authenticate`` tells it; Refused when it may not call."""
    authenticate: Authenticate = request.app.state.authenticate
    return await authenticate(request)


Caller = Annotated[Principal, Depends(caller)]
