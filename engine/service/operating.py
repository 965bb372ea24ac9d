"""Puts a deployment around the application: who may call, within which limits, where it runs, what is kept and told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from engine.service.access import AccessMiddleware, Gate, admitted, smart_configuration
from engine.service.answering import prepared
from engine.service.app import HooksCors, create_app
from engine.service.catalogue import READABLE, Catalogue
from engine.service.deployment import MIB, Deployment
from engine.service.limits import LimitsMiddleware
from engine.service.observability import METRICS_TYPE, Metrics, ObservingMiddleware, logger
from engine.service.recording import (
    GuardedRecords,
    ProcessRunner,
    RecordingRunner,
    StoredFeedback,
    StoredResults,
    forget_old,
)
from engine.service.refusals import refused
from engine.service.settings import Settings
from engine.service.storage import Storage, StorageError
from engine.service.wire import SAFE_HEADERS, plain, refusal
from engine.service.workers import ServiceError, WorkerPool

FORGET_EVERY: Final = 600
"""Seconds after which expired tokens are forgotten."""


def create_service(deployment: Deployment, settings: Settings | None = None, log: Any = None) -> FastAPI:
    """The application as it is deployed, by default with the deployment's own site; its workers start with it.

    Raises:
        InputError: a file of the deployment cannot be used.
        StorageError: the database cannot be used.
    """
    settings = settings or deployment.site()
    app = create_app(settings)
    log = log or logger(level=deployment.log_level)
    storage = Storage(deployment.database_url.get_secret_value(), deployment.audit_key)
    metrics = Metrics()
    pool = WorkerPool(prepared, (settings,), deployment.pool, metrics)
    gate = Gate(deployment, storage, storage)

    def told(verdicts: Sequence[tuple[str, str]]) -> None:
        for trial, verdict in verdicts:
            metrics.verdicts.labels(trial, verdict).inc()

    app.state.runner = RecordingRunner(ProcessRunner(pool, deployment.grace_seconds), storage, told)
    links = deployment.link_minutes * 60 if deployment.secured else None
    app.state.results, app.state.feedback = StoredResults(storage, links), StoredFeedback(storage)
    app.state.authenticate = admitted
    app.state.pool, app.state.metrics, app.state.storage = pool, metrics, storage
    app.state.log, app.state.deployment = log, deployment
    app.state.started = lambda: None
    app.router.lifespan_context = _lifespan
    app.add_exception_handler(ServiceError, _unable)
    app.add_exception_handler(StorageError, _unstored)
    app.add_api_route("/ready", ready, methods=["GET"], tags=["Operations"], summary="Says whether it can work")
    app.add_api_route("/metrics", metrics_text, methods=["GET"], tags=["Operations"], summary="Metrics for Prometheus")
    if deployment.secured:
        for prefix in ("", "/fhir"):
            path = f"{prefix}/.well-known/smart-configuration"
            # Before the routes that take any name below /fhir.
            app.add_api_route(path, smart, methods=["GET"], tags=["Operations"], summary="How to get tokens")
            app.router.routes.insert(0, app.router.routes.pop())
    # Added last, met first: observed, opened to browsers (refusals too), admitted, limited.
    app.add_middleware(
        LimitsMiddleware, max_body=deployment.max_body_mb * MIB, seconds=deployment.request_seconds,
        abandoned=metrics.abandoned.inc,
    )  # fmt: skip
    app.add_middleware(AccessMiddleware, gate=gate)
    app.add_middleware(HooksCors, origins=settings.hooks_origins)
    app.add_middleware(ObservingMiddleware, metrics=metrics, log=log)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    if app.state.records is not None:
        app.state.records = GuardedRecords(app.state.records)
    await asyncio.gather(app.state.pool.start(), asyncio.to_thread(_described, app.state.catalogue))
    forgetting = asyncio.create_task(_forget(app.state.storage, app.state.deployment.retention_days))
    app.state.loop = asyncio.get_running_loop()
    app.state.started()
    app.state.log.info("started", secured=app.state.deployment.secured, trials=len(app.state.catalogue.trials))
    try:
        yield
    finally:
        forgetting.cancel()
        await app.state.runner.close()
        app.state.log.info("stopped")


def _described(catalogue: Catalogue) -> None:
    """Makes what can be read: libraries are compiled for it, which no request should wait for."""
    for name in READABLE:
        catalogue.written(name)
    catalogue.needs(catalogue.trials)


async def _forget(storage: Storage, retention_days: int | None) -> None:
    while True:
        # A database that is away shows in /ready; what has expired is forgotten the next time.
        with contextlib.suppress(StorageError):
            await asyncio.to_thread(storage.forget_tokens, int(time.time()))
            if retention_days is not None:
                await asyncio.to_thread(forget_old, storage, retention_days)
        await asyncio.sleep(FORGET_EVERY)


async def ready(request: Request) -> Response:
    """200 when requests can be worked on; 503 while starting, stopping or without the database."""
    state = request.app.state
    stored = await asyncio.to_thread(state.storage.reachable)
    found = {"workers": state.pool.ready, "database": stored}
    return plain({"ready": all(found.values()), **found}, 200 if all(found.values()) else 503)


async def metrics_text(request: Request) -> Response:
    """The metrics in Prometheus's text format."""
    return Response(request.app.state.metrics.text(), 200, SAFE_HEADERS, METRICS_TYPE)


async def smart(request: Request) -> Response:
    """The SMART configuration."""
    return plain(smart_configuration(request.app.state.deployment))


async def _unable(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    answer = refusal(refused(error.status, error.code, str(error)).refusal)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


async def _unstored(request: Request, error: Exception) -> Response:
    request.app.state.log.error("storage", kind=type(error).__name__, sentence=str(error))
    sentence = "the run could not be recorded, and is not answered therefore; send it again in a moment"
    answer = refusal(refused(503, "transient", sentence).refusal)
    answer.headers["Retry-After"] = "5"
    return answer
