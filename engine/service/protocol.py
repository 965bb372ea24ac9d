"""HTTP connections with an end: one that does not send the head of a request in time is closed.

The server bounds a head's size and the pause between two requests; the time of a body is of the limits of a request.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


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

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._enough()
        super().connection_lost(exc)

    def _enough(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
