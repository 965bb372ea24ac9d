"""HTTP with one FHIR server: bounded, patient, and deaf to addresses outside the allowed origins.

Answers are read raw and inflated here, block by block, so that a small answer cannot become a great one in memory.
Redirects are followed one by one, each checked; the access token goes to the server's own origin and nowhere else.
"""

from __future__ import annotations

import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import httpx2

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.sources.smart.addresses import Addresses
from engine.sources.smart.clock import Clock, SystemClock
from engine.sources.smart.failures import ServerError, outcome_text, shown
from engine.sources.smart.settings import ServerSettings
from engine.sources.smart.waiting import TRANSIENT, asked_wait, wait_before

FHIR_JSON = "application/fhir+json"
BLOCK = 1 << 18
"""Bytes inflated at a time."""

MAX_REDIRECTS = 5
_GONE = "; check the address and the id in the settings and options"


class Tokens(Protocol):
    """Where the access token comes from."""

    def token(self) -> str | None:
        """A token that still holds, None where the server asks for none."""

    def refused(self, token: str) -> None:
        """The server did not take this token: the next one is a new one."""

    def uncovered(self, types: Iterable[str]) -> Mapping[str, str]:
        """The types that the last token does not open, each with the reason; nothing before the first token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read to its end; ``url`` is the address that gave it."""

    status: int
    headers: httpx2.Headers
    body: bytes
    url: str


class Connection:
    """Requests to one server. ``transport`` and ``clock`` are for tests; closing it ends all connections."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        clock: Clock | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.name = settings.name or settings.base_url
        self.clock: Clock = clock or SystemClock()
        self.addresses = Addresses(self.name, settings.base_url)
        self.files = Addresses(self.name, settings.base_url, settings.file_origins)
        self.tokens: Tokens | None = None
        self._client = httpx2.Client(
            verify=_trust(settings), transport=transport, timeout=settings.timeout, follow_redirects=False,
            # Proxies and passwords of the environment are not the settings' word on who is contacted.
            trust_env=False,
        )  # fmt: skip
        # Cookies know no ports and no tokens; the client has no use for them.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._resting = threading.Lock()
        self._rest_until = 0.0

    def close(self) -> None:
        """Ends all connections."""
        self._client.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ questions

    def json(self, url: str, what: str, *, accept: str = FHIR_JSON, authorized: bool = True) -> dict[str, Any]:
        """The JSON object at an address.

        Raises:
            ServerError: no answer, or another one than 200 with a JSON object; says what the server said.
        """
        answer = self.get(url, what, accept=accept, authorized=authorized)
        if answer.status != 200:
            raise self.failure(answer, what)
        return self.decoded(answer, what)

    def get(
        self,
        url: str,
        what: str,
        *,
        accept: str = FHIR_JSON,
        authorized: bool = True,
        headers: Mapping[str, str] | None = None,
        patient: bool = True,
    ) -> Answer:
        """The answer to a GET, whatever its status; transient failures are tried again when ``patient``."""
        sent = {"Accept": accept, **(headers or {})}

        def once() -> Answer:
            with self._open("GET", url, what, self.addresses, sent, authorized=authorized) as (response, at):
                body = b"".join(self._blocks(response, what, self.settings.max_response_bytes))
                return Answer(response.status_code, response.headers, body, at)

        return self._tried(once, what) if patient else once()

    def post_form(self, url: str, what: str, form: Callable[[], Mapping[str, str]]) -> Answer:
        """The answer to a form posted without token or redirects; ``form`` makes it anew for each attempt."""

        def once() -> Answer:
            with self._sent("POST", url, what, {"Accept": "application/json"}, dict(form())) as response:
                body = b"".join(self._blocks(response, what, 1_000_000))
                return Answer(response.status_code, response.headers, body, url)

        return self._tried(once, what)

    def delete(self, url: str, what: str) -> Answer:
        """The answer to a DELETE at an address of the server."""

        def once() -> Answer:
            with self._open("DELETE", url, what, self.addresses, {"Accept": FHIR_JSON}) as (response, at):
                return Answer(response.status_code, response.headers, b"", at)

        return self._tried(once, what)

    @contextmanager
    def lines(self, url: str, what: str, *, authorized: bool) -> Iterator[Iterator[bytes]]:
        """The lines of an NDJSON file at one of the origins for files, one at a time; a single attempt.

        Raises:
            ServerError: no answer, another one than 200, one that ends early, or a line or file beyond its limit.
        """
        sent = {"Accept": "application/fhir+ndjson"}
        with self._open("GET", url, what, self.files, sent, authorized=authorized) as (response, at):
            if response.status_code != 200:
                body = b"".join(self._blocks(response, what, self.settings.max_response_bytes))
                raise self.failure(Answer(response.status_code, response.headers, body, at), what)
            limit = self.settings.max_file_bytes
            yield _lines(self._blocks(response, what, limit, self.settings.export_timeout), self._line_error(what))

    def _line_error(self, what: str) -> Callable[[bytes | bytearray], None]:
        def check(line: bytes | bytearray) -> None:
            if len(line) > self.settings.max_line_bytes:
                message = f"has a line of more than {self.settings.max_line_bytes} bytes (max_line_bytes)"
                raise ServerError(self.name, what, message)

        return check

    def tried(self, once: Callable[[], None], what: str) -> None:
        """Runs a whole transfer, again when it fails in a way that may pass."""

        def answer() -> Answer:
            once()
            return Answer(200, httpx2.Headers(), b"", "")

        self._tried(answer, what)

    # ------------------------------------------------------------ answers

    def decoded(self, answer: Answer, what: str) -> dict[str, Any]:
        """The JSON object of an answer, numbers exact.

        Raises:
            ServerError: it is no JSON object.
        """
        try:
            content = decode_json(answer.body, source=self.name, place=what)
        except InputError as problem:
            raise ServerError(self.name, problem.place, f"the answer {problem.message}") from None
        if not isinstance(content, dict):
            raise ServerError(self.name, what, "the answer is JSON but no object")
        return content

    def failure(self, answer: Answer, what: str) -> ServerError:
        """The sentence of an answer that is no success, with the reason the server gives."""
        try:
            reason = outcome_text(decode_json(answer.body, source="", place=""))
        except InputError:
            reason = ""
        known = {401: "the server did not accept the access token", 403: "the server refuses it to this client",
                 404: "the server does not have it", 410: "it was deleted on the server"}  # fmt: skip
        sentence = known.get(answer.status, f"the server answered {answer.status}")
        more = f" ({answer.status})" if answer.status in known else ""
        ending = f": {reason}" if reason else _GONE if answer.status == 404 else ""
        transient = answer.status in TRANSIENT
        return ServerError(self.name, what, sentence + more + ending, status=answer.status, transient=transient)

    def uncovered(self, types: Iterable[str]) -> Mapping[str, str]:
        """The types that the access token does not open, each with the reason; none where no token is used."""
        return {} if self.tokens is None else self.tokens.uncovered(types)

    # ------------------------------------------------------------ attempts

    def _tried(self, once: Callable[[], Answer], what: str) -> Answer:
        """The first answer that is not a passing failure, or the last one; waits between attempts.

        A server that asks for a pause gets it from every request under way, not only from the one that it told.
        """
        attempts = self.settings.retries + 1
        for attempt in range(1, attempts + 1):
            self._rest()
            try:
                answer = once()
            except ServerError as problem:
                if not problem.transient or attempt == attempts:
                    raise
                header = None
            else:
                if answer.status not in TRANSIENT or attempt == attempts:
                    return answer
                header = answer.headers.get("Retry-After")
            seconds = wait_before(attempt, header, self.clock.now(), self.settings.longest_wait)
            if asked_wait(header, self.clock.now()) is not None:
                with self._resting:
                    self._rest_until = max(self._rest_until, self.clock.elapsed() + seconds)
            self.clock.sleep(seconds)
        raise AssertionError("the loop ends with an answer or an error")

    def _rest(self) -> None:
        """Waits until the pause is over that the server asked for."""
        with self._resting:
            seconds = self._rest_until - self.clock.elapsed()
        if seconds > 0:
            self.clock.sleep(seconds)

    @contextmanager
    def _open(
        self,
        method: str,
        url: str,
        what: str,
        allowed: Addresses,
        headers: Mapping[str, str],
        *,
        authorized: bool = True,
    ) -> Iterator[tuple[httpx2.Response, str]]:
        """The response, after redirects and, once, a new token; with the address that gave it."""
        at, renewed, hops = allowed.check(url, what), False, 0
        while True:
            token = self.tokens.token() if authorized and self.tokens is not None and self.addresses.own(at) else None
            sent = dict(headers) if token is None else {**headers, "Authorization": f"Bearer {token}"}
            with self._sent(method, at, what, sent) as response:
                if response.status_code == 401 and token is not None and self.tokens is not None and not renewed:
                    self.tokens.refused(token)
                    renewed = True
                    continue
                if response.status_code in (301, 302, 303, 307, 308) and method == "GET":
                    hops += 1
                    if hops > MAX_REDIRECTS:
                        raise ServerError(self.name, what, f"the server redirects more than {MAX_REDIRECTS} times")
                    at = allowed.check(response.headers.get("Location"), f"{what}: the redirect")
                    continue
                yield response, at
                return

    @contextmanager
    def _sent(
        self, method: str, url: str, what: str, headers: Mapping[str, str], form: dict[str, str] | None = None
    ) -> Iterator[httpx2.Response]:
        sent = {**headers, "Accept-Encoding": "gzip"}
        try:
            with self._client.stream(method, url, headers=sent, data=form) as response:
                yield response
        except httpx2.TimeoutException:
            message = f"no answer within {self.settings.timeout:g} s"
            raise ServerError(self.name, what, message, transient=True) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as problem:
            message = f"the connection failed: {shown(problem) or type(problem).__name__}"
            raise ServerError(self.name, what, message, transient=isinstance(problem, httpx2.TransportError)) from None

    def _blocks(
        self, response: httpx2.Response, what: str, limit: int, seconds: float | None = None
    ) -> Iterator[bytes]:
        """The body in blocks, inflated; never more than ``limit`` bytes, nor for longer than the time allowed."""
        seconds = self.settings.response_timeout if seconds is None else seconds
        started, size = self.clock.elapsed(), 0
        for block in _inflated(response, self.name, what):
            size += len(block)
            if size > limit:
                raise ServerError(self.name, what, f"the answer has more than {limit} bytes, the limit of the settings")
            if self.clock.elapsed() - started > seconds:
                message = f"the answer takes longer than {seconds:g} s, the limit of the settings"
                raise ServerError(self.name, what, message)
            yield block


def _inflated(response: httpx2.Response, name: str, what: str) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise ServerError(name, what, f"the answer is encoded as {shown(encoding)!r}; gzip or none was asked for")
    inflater = zlib.decompressobj(wbits=31)
    try:
        for chunk in response.iter_raw():
            rest = chunk
            while rest and not inflater.eof:
                yield inflater.decompress(rest, BLOCK)
                rest = inflater.unconsumed_tail
        while not inflater.eof and (block := inflater.decompress(inflater.unconsumed_tail, BLOCK)):
            yield block
    except zlib.error:
        raise ServerError(name, what, "the answer is not the gzip it says to be", transient=True) from None
    if not inflater.eof:
        raise ServerError(name, what, "the answer ends before its end", transient=True)


def _lines(blocks: Iterator[bytes], check: Callable[[bytes | bytearray], None]) -> Iterator[bytes]:
    """The lines of a stream of blocks, without their ends; empty ones are left out."""
    rest = bytearray()
    for block in blocks:
        rest += block
        if b"\n" in block:
            *whole, rest = rest.split(b"\n")
            for line in whole:
                check(line)
                if line.strip():
                    yield bytes(line)
        check(rest)
    if rest.strip():
        yield bytes(rest)


def _trust(settings: ServerSettings) -> ssl.SSLContext:
    addresses = (settings.base_url, settings.token_url or "", *settings.token_origins, *settings.file_origins)
    if not any(text.lower().startswith("https:") for text in addresses):
        # Nobody here speaks TLS, and reading the machine's certificates takes a while; this context trusts nobody.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_file is None:
        return httpx2.create_ssl_context(trust_env=False)
    path = settings.path(settings.ca_file)
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        message = "cannot be read as certificates in PEM; correct ca_file in the settings"
        raise InputError(str(path), "", message) from None
