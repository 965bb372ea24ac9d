"""What the service tells of itself: metrics, and a log of fields that never hold patient data.

A log entry of a request has its method, its route (a pattern, never the path that was called), its status and time. An
unforeseen exception is told by kind and place; its text may hold anything and is told to nobody.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
from typing import Any, Final, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.service.nursery import place_of
from engine.service.refusals import refused
from engine.service.wire import refusal
from engine.service.workers import Listener, Reason
from engine.version import __version__

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
METRICS_TYPE: Final = CONTENT_TYPE_LATEST


class Metrics(Listener):
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "eligibility_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "eligibility_request_seconds", "Time from a request to its answer.", ("route",), buckets=BUCKETS,
            registry=registry,
        )  # fmt: skip
        self.under_way = Gauge("eligibility_requests_under_way", "Requests not answered yet.", registry=registry)
        self.abandoned = Counter("eligibility_requests_abandoned", "Clients who left early.", registry=registry)
        self.busy = Gauge("eligibility_workers_busy", "Workers that evaluate.", registry=registry)
        self.waiting = Gauge("eligibility_queue", "Requests that wait for a worker.", registry=registry)
        self.ended = Counter("eligibility_workers_ended", "Workers ended or lost.", ("reason",), registry=registry)
        self.verdicts = Counter(
            "eligibility_verdicts", "Results of screening.", ("trial", "verdict"), registry=registry
        )
        about = Gauge("eligibility_engine", "The version of the engine.", ("version",), registry=registry)
        about.labels(__version__).set(1)

    def changed(self, busy: int, waiting: int) -> None:
        """What the pool tells."""
        self.busy.set(busy)
        self.waiting.set(waiting)

    def killed(self, reason: Reason) -> None:
        """What the pool tells."""
        self.ended.labels(reason).inc()

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)


def logger(stream: TextIO | None = None, level: str = "info") -> Any:
    """A log of one JSON object a line, by default to the standard error."""
    return structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
    )


class QuietHandler(logging.Handler):
    """Takes what libraries log: the name of the logger and its fixed text, never arguments or tracebacks.

    What a library says of a request (its address, its headers, what could not be read) may be a patient's.
    """

    def __init__(self, log: Any) -> None:
        super().__init__(logging.INFO)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Writes kind and place of what a library tells."""
        fields: dict[str, Any] = {"logger": record.name, "place": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= {"kind": record.exc_info[1].__class__.__name__, "at": place_of(record.exc_info[1])}
        fixed = record.msg if isinstance(record.msg, str) and record.args else ""
        self.log.log(record.levelno, "library", text=fixed[:200], **fields)


def quieten(log: Any) -> None:
    """Puts the logs of libraries through :class:`QuietHandler`, and switches off those of every request."""
    handler = QuietHandler(log)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "engine.service"):
        quiet = logging.getLogger(name)
        quiet.handlers[:] = []
        quiet.propagate = True
    logging.getLogger("uvicorn.access").disabled = True


class ObservingMiddleware:
    """Counts, times and logs requests; answers what nobody foresaw with 500 and no word about it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Any) -> None:
        self.app, self.metrics, self.log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity, started, status = secrets.token_hex(8), time.perf_counter(), 0
        defect: dict[str, str] = {}
        # Its own, for this request: the server gives one that all requests share the values of.
        scope["state"] = dict(scope.get("state") or {})

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = [(b"x-request-id", identity.encode())]
                if "run" in scope["state"]:
                    named.append((b"x-run-id", str(scope["state"]["run"]).encode()))
                message = {**message, "headers": [*message["headers"], *named]}
            await send(message)

        self.metrics.under_way.inc()
        try:
            await self.app(scope, receive, observed)
        except Exception as problem:  # noqa: BLE001 - the last place where one can be answered without its text
            defect = {"kind": type(problem).__name__, "at": place_of(problem)}
            if status == 0:
                sentence = "the service failed on this request; this is a defect of the product, please report it"
                await refusal(refused(500, "exception", sentence).refusal)(scope, receive, observed)
        finally:
            self.metrics.under_way.dec()
            self._told(scope, identity, status, time.perf_counter() - started, defect)

    def _told(self, scope: Scope, identity: str, status: int, seconds: float, defect: dict[str, str]) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        caller = scope.get("state", {}).get("caller")
        fields = {"caller": caller.name} if caller is not None else {}
        level = logging.ERROR if defect else logging.INFO
        self.log.log(
            level, "request", request=identity, method=method, route=route, status=status,
            milliseconds=round(seconds * 1000, 1), **fields, **defect,
        )  # fmt: skip
