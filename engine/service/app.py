"""The application: routers over one catalogue, and one way for everything that goes wrong.

What other modules may put in its place stands in ``app.state``: ``authenticate`` (who calls), ``runner`` (where
evaluations run), ``records`` (a configured FHIR server), ``results`` and ``feedback`` (what is kept).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.service import hooks, operations, reading
from engine.service.catalogue import Catalogue
from engine.service.keeping import MemoryFeedback, MemoryResults
from engine.service.principal import local
from engine.service.refusals import Refused, refused
from engine.service.running import Records, ThreadRunner
from engine.service.settings import Settings
from engine.service.wire import plain, refusal
from engine.version import __version__

LOGGER = logging.getLogger("engine.service")
HOOKS: Final = "/cds-services"
_STATUS: Final = {
    404: ("not-found", "there is nothing at this address"),
    405: ("not-supported", "this address does not take this method"),
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service with these settings; the trials are compiled now, so that the first request finds them ready."""
    catalogue = Catalogue(settings or Settings())
    app = FastAPI(
        title="Eligibility engine", version=__version__, lifespan=_lifespan, docs_url=None, redoc_url=None,
        redirect_slashes=False,
        description="Clinical-trial eligibility: FHIR operations and CDS Hooks over criteria written in CQL.",
    )  # fmt: skip
    app.state.catalogue = catalogue
    app.state.authenticate = local
    app.state.runner = ThreadRunner(catalogue)
    app.state.records = _records(catalogue)
    app.state.results = MemoryResults()
    app.state.feedback = MemoryFeedback()
    app.add_api_route("/health", health, methods=["GET"], tags=["Operations"], summary="Says that the service is up")
    app.include_router(operations.router)
    app.include_router(reading.router)
    app.include_router(hooks.router)
    app.add_middleware(HooksCors, origins=catalogue.settings.hooks_origins)
    app.add_middleware(HeadAsGet)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _defect)
    return app


def _records(catalogue: Catalogue) -> Records | None:
    """The configured FHIR server, None where there is none."""
    settings = catalogue.settings
    if settings.server is None or settings.servers_file is None:
        return None
    from engine.service.fetching import ServerRecords

    return ServerRecords(catalogue, settings.servers_file, settings.server)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.runner.close()


async def health(request: Request) -> Response:
    """Says that the service is up, and which trials it has."""
    catalogue: Catalogue = request.app.state.catalogue
    return plain({"status": "ok", "engine": __version__, "trials": list(catalogue.trials)})


class HeadAsGet:
    """Answers HEAD as GET; the server leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {**scope, "method": "GET"} if scope["type"] == "http" and scope["method"] == "HEAD" else scope
        await self.app(inner, receive, send)


class HooksCors:
    """Lets browsers of the configured origins call CDS Hooks, and nothing else (CDS Hooks 2.0, "CORS")."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self.app = app
        self.opened = CORSMiddleware(
            app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Location"],
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        inner = self.opened if path == HOOKS or path.startswith(f"{HOOKS}/") else self.app
        await inner(scope, receive, send)


# ---------------------------------------------------------------- what goes wrong


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(error.refusal)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, sentence = _STATUS.get(error.status_code, ("processing", "the request cannot be answered"))
    answer = refusal(refused(error.status_code, code, sentence).refusal)
    answer.headers.update(error.headers or {})
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    return refusal(refused(400, "invalid", "the address or its parameters are not what this route takes").refusal)


async def _defect(request: Request, error: Exception) -> Response:
    # The sentence of an unforeseen error may hold anything; only its kind is told, and only to the log.
    LOGGER.error("unforeseen %s while answering", type(error).__name__)
    sentence = "the service failed on this request; this is a defect of the product, please report it"
    return refusal(refused(500, "exception", sentence).refusal)
