"""HTTP connections with an end: one that does not send the head of a request in time is closed.

The server bounds a head's size and the pause between two requests; the time of a body is of the limits of a request.
What is no HTTP is answered as every other mistake is, with an OperationOutcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.fhir.out import write
from engine.service.refusals import outcome, refused
from engine.service.wire import FHIR_JSON, SAFE_HEADERS

_SENTENCES = {
    400: "this is no HTTP/1.1 request that can be read; look at its first line, its headers and the length of its body",
    431: "the first line and the headers are longer than is taken; send fewer and shorter ones",
    501: "the body has a Transfer-Encoding that is not taken; send it as it is, or chunked",
}


class PunctualProtocol(H11Protocol):
    """Closes a connection whose next request has no whole head after :attr:`head_seconds`."""

    head_seconds: ClassVar[float] = 20.0
    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first head is waited for."""
        super().connection_made(transport)
        self._overdue = self.loop.call_later(self.head_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        """Bytes came: a whole head ends the wait, the first bytes of the next one begin another."""
        super().data_received(data)
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            self._enough()
        elif self._overdue is None:
            self._overdue = self.loop.call_later(self.head_seconds, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP with an OperationOutcome, and closes; with nothing where an answer has begun."""
        problem = sys.exc_info()[1]
        hint = problem.error_status_hint if isinstance(problem, h11.RemoteProtocolError) else 400
        status = hint if hint in _SENTENCES else 400
        body = write(outcome(refused(status, "structure", _SENTENCES[status]).refusal))
        headers = {**SAFE_HEADERS, "Content-Type": FHIR_JSON, "Content-Length": str(len(body)), "Connection": "close"}
        with contextlib.suppress(h11.LocalProtocolError):
            head = h11.Response(status_code=status, headers=list(headers.items()))
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._enough()
        super().connection_lost(exc)

    def _enough(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
