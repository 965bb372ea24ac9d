"""Limits of a request: size (sent and inflated), nesting, time; and its work ends when the client leaves.

The body is read here, piece by piece, so that what is too large or too deep is refused before it is whole and the event
loop is never long away; routes get a plain body whatever its Content-Encoding was.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import zlib
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import EligibilityError
from engine.fhir.decode import MAX_DEPTH
from engine.service.refusals import refused
from engine.service.wire import refusal

PIECE: Final = 64 * 1024
DRAIN_BYTES: Final = 16 * 1024 * 1024
DRAIN_SECONDS: Final = 1.0
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_ALL_BUT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}


class TooMuch(EligibilityError):
    """A request beyond a limit; ``status`` says which."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class Depth:
    """How deep brackets nest in JSON text that comes in pieces; strings do not count."""

    def __init__(self, limit: int = MAX_DEPTH) -> None:
        self.limit = limit
        self.depth = 0
        self.in_string = False
        self.held = b""

    def feed(self, piece: bytes) -> None:
        """Takes the next piece.

        Raises:
            TooMuch: the text nests deeper than the limit.
        """
        text = _ESCAPED.sub(b"", self.held + piece)
        self.held = b"\\" if text.endswith(b"\\") else b""  # its character is in the next piece
        parts = text.split(b'"')
        outside = b"".join(parts[1 if self.in_string else 0 :: 2])
        self.in_string ^= len(parts) % 2 == 0
        steps = [_STEP[byte] for byte in outside.translate(None, _ALL_BUT_BRACKETS)]
        for depth in accumulate(steps, initial=self.depth):
            if depth > self.limit:
                sentence = f"the body is nested deeper than {self.limit} levels, which nothing asked for here is"
                raise TooMuch(400, "too-costly", sentence)
        self.depth += sum(steps)


class Inflated:
    """The plain bytes of a body in pieces of bounded size, whatever its Content-Encoding.

    Raises:
        TooMuch: an encoding that is not accepted (415).
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip"):
            raise TooMuch(415, "not-supported", "send the body plain, or with Content-Encoding: gzip")
        self.inflater = zlib.decompressobj(wbits=31) if name == "gzip" else None

    def feed(self, data: bytes) -> Iterable[bytes]:
        """The plain pieces of the next bytes."""
        if self.inflater is None:
            for start in range(0, len(data), PIECE):
                yield data[start : start + PIECE]
            return
        while data:
            if self.inflater.eof:
                raise TooMuch(400, "structure", "the body goes on after the end of its gzip data")
            try:
                plain = self.inflater.decompress(data, PIECE)
            except zlib.error:
                raise TooMuch(400, "structure", "the body is no gzip data, as its Content-Encoding says") from None
            yield plain
            data = self.inflater.unconsumed_tail or self.inflater.unused_data

    def end(self) -> Iterable[bytes]:
        """What is left when all has come."""
        if self.inflater is not None and not self.inflater.eof:
            raise TooMuch(400, "structure", "the body ends before its gzip data does")
        return ()


class LimitsMiddleware:
    """Reads the body within the limits, then runs what is behind it until it is done, too late or nobody waits.

    ``abandoned`` is told when a client left before its answer.
    """

    def __init__(
        self, app: ASGIApp, max_body: int, seconds: float, abandoned: Callable[[], None] | None = None
    ) -> None:
        self.app, self.max_body, self.seconds = app, max_body, seconds
        self.abandoned = abandoned or (lambda: None)
        self.turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answering = _Answering(send)
        try:
            async with asyncio.timeout(self.seconds) as limit:
                held = [await self._body(scope, receive, answering)]
                _make_plain(scope, len(held[0]))
                await self._answer(scope, held, receive, answering)
        except TooMuch as problem:
            if not answering.whole:
                await _drained(receive)
            answer = refusal(refused(problem.status, problem.code, str(problem)).refusal)
            # The rest of the body is not read: the connection cannot be used for another request.
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
        except _Left:
            self.abandoned()
        except TimeoutError:
            if not limit.expired() or answering.begun:
                raise
            sentence = f"the request was not answered within {self.seconds:g} seconds"
            answer = refusal(refused(503, "timeout", sentence).refusal)
            answer.headers["Retry-After"] = "5"
            await answer(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive, answering: _Answering) -> bytes:
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared and "transfer-encoding" in headers:
            # A proxy that counts otherwise than we do would take the rest for another request (RFC 9112, 6.3).
            raise TooMuch(400, "structure", "the body has both a length and a Transfer-Encoding; send one of them")
        if declared.isdecimal() and int(declared) > self.max_body:
            raise self._too_large()
        inflated, depth, body = Inflated(headers.get("content-encoding", "")), Depth(), bytearray()
        while not answering.whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Left
            answering.whole = not message.get("more_body", False)
            pieces = iter(inflated.feed(message.get("body", b"")))
            more = True
            while more:
                # One piece at a time, whoever it is of: between any two everything else has its turn.
                async with self.turn:
                    piece = next(pieces, None)
                    more = piece is not None
                    if piece is not None:
                        if len(body) + len(piece) > self.max_body:
                            raise self._too_large()
                        depth.feed(piece)
                        body += piece
                    await asyncio.sleep(0)
        if body:
            body += b"".join(inflated.end())
        # One run of memory for each body that waits: of many small pieces twice as much would stay taken.
        return bytes(body)

    def _too_large(self) -> TooMuch:
        return TooMuch(413, "too-long", f"the body is larger than {self.max_body} bytes, plain or inflated")

    async def _answer(self, scope: Scope, held: list[bytes], receive: Receive, send: _Answering) -> None:
        """Runs the application; ends it when the client leaves before the answer is complete.

        The body in ``held`` is handed over: while a request waits for its turn its body is in memory once.
        """

        async def replay() -> Message:
            if not held:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": held.pop(), "more_body": False}

        work = asyncio.ensure_future(self.app(scope, replay, send))
        watch = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not send.complete:
                raise _Left
            await work
        finally:
            for task in (work, watch):
                task.cancel()
            for task in (work, watch):
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task


class _Left(Exception):
    """The client has closed its connection."""


class _Answering:
    """Passes an answer on: knows whether the request came whole, and the answer was begun and is complete."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.whole = self.begun = self.complete = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True
        await self.send(message)


async def _drained(receive: Receive) -> None:
    """Lets a client finish sending, within bounds: one whose connection is closed meanwhile never sees the answer."""
    size, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while more and size < DRAIN_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _make_plain(scope: Scope, size: int) -> None:
    """Makes the headers those of a body that was sent plain."""
    dropped = (b"content-encoding", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
    scope["headers"] = [*headers, (b"content-length", str(size).encode())]
