"""``eligibility serve``."""

from __future__ import annotations

import gc
import signal
import socket

from engine.cli.inputs import complain
from engine.errors import EligibilityError, Severity


def command(host: str, port: int) -> int:
    """Runs the service until it is stopped; 2 when it cannot be run as asked, or no trial can be used."""
    import uvicorn

    from engine.service.deployment import check_host, deployment
    from engine.service.observability import quieten
    from engine.service.operating import create_service
    from engine.service.protocol import PunctualProtocol

    try:
        settings = deployment()
        check_host(host, settings)
        app = create_service(settings)
    except EligibilityError as problem:
        complain(problem)
        return 2
    catalogue = app.state.catalogue
    for diagnostic in catalogue.diagnostics:
        if diagnostic.severity is Severity.ERROR:
            complain(diagnostic.render())
    if not catalogue.trials:
        complain("Nothing is served: no trial can be used.")
        return 2
    try:
        listening = _listening(host, port)
    except OSError as problem:
        complain(f"--host {host} --port {port}: cannot be listened at: {problem.strerror or problem}")
        return 2
    if not settings.secured:
        complain("Callers need no token, so only this machine is listened to; docs/deploy.md says how to open it.")
    shown = f"[{host}]" if ":" in host else host
    complain(f"Listening at http://{shown}:{listening.getsockname()[1]}")
    quieten(app.state.log)
    app.state.started = _settled
    config = uvicorn.Config(
        app, http=PunctualProtocol, log_config=None, access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=int(settings.grace_seconds) + 1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # The server stops in good order when it is told to, and then raises the signal again: that is no failure.
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda number, frame: None)
    with listening:
        server.run(sockets=[listening])
    return 0 if server.started else 2


def _settled() -> None:
    """Takes what was loaded out of the collector's sight: going over all of it again would hold every request up."""
    gc.collect()
    gc.freeze()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; whoever connects before the workers are ready waits."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)
