"""What is too large, too deep, badly packed or too slow is refused; the work of a client who left is ended."""

import asyncio
import contextlib
import gzip
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service import Settings
from engine.service.limits import PIECE, Depth, LimitsMiddleware, TooMuch
from engine.service.protocol import PunctualProtocol
from tests.service import pool_jobs
from tests.service.served import CQL, FHIR, SAMPLE, SCREEN, Served, content, opened, served

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("limits")
    with served(opened(folder, max_body_mb=1), Settings(content=content(folder))) as made:
        yield made


def bomb(size: int) -> bytes:
    """A gzip of blanks: a thousandth of what it inflates to."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()


GZIP = {**FHIR, "content-encoding": "gzip"}


def test_a_packed_body_is_taken(service: Served) -> None:
    plain = service.client.post(SCREEN, content=SAMPLE.read_bytes(), headers={**FHIR, "accept": "application/json"})
    packed = service.client.post(
        SCREEN, content=gzip.compress(SAMPLE.read_bytes()), headers={**GZIP, "accept": "application/json"}
    )
    assert packed.status_code == 200
    assert packed.content == plain.content


HOSTILE = (
    ("more than the limit", b'"' + b"x" * MIB + b'"', FHIR, 413),
    ("a bomb of 1 GB", bomb(1024 * MIB), GZIP, 413),
    ("a bomb in a bomb", gzip.compress(bomb(64 * MIB)), GZIP, 400),
    ("no gzip", b"{}", GZIP, 400),
    ("half a gzip", gzip.compress(b"{}" * 1000)[:20], GZIP, 400),
    ("a gzip with more behind it", gzip.compress(b"{}") + b"{}", GZIP, 400),
    ("deflate", zlib.compress(b"{}"), {**FHIR, "content-encoding": "deflate"}, 415),
    ("gzip twice", gzip.compress(gzip.compress(b"{}")), {**FHIR, "content-encoding": "gzip, gzip"}, 415),
    ("lists nested deeply", b"[" * 100_000, FHIR, 400),
    ("lists nested deeply and closed", b"[" * 100_000 + b"]" * 100_000, FHIR, 400),
    ("objects nested deeply", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, FHIR, 400),
    ("packed and nested deeply", gzip.compress(b"[" * 500_000), GZIP, 400),
    ("201 levels", b"[" * 201 + b"]" * 201, FHIR, 400),
)


@pytest.mark.parametrize(("body", "headers", "status"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_hostile_body_is_refused_and_the_service_lives(
    body: bytes, headers: dict[str, str], status: int, service: Served
) -> None:
    answer = service.client.post(SCREEN, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert service.client.get("/health").status_code == 200


def test_a_body_without_a_declared_length_is_counted(service: Served) -> None:
    answer = service.client.post(SCREEN, content=(b" " * 65536 for _ in range(17)), headers=FHIR)
    assert answer.status_code == 413


def test_a_length_beyond_the_limit_is_refused_before_the_body_comes(service: Served) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.sendall(
            b"POST /fhir/$cql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
            b"Content-Length: 999999999\r\n\r\n"
        )
        assert raw.recv(65536).startswith(b"HTTP/1.1 413")


# ---------------------------------------------------------------- nesting


def depth_of(text: bytes) -> int:
    """The nesting of brackets outside strings, counted character by character."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in text:
        if in_string:
            in_string, escaped = (byte != 0x22 or escaped), byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)


@given(st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b"a", b'\\"']), max_size=60).map(b"".join),
       st.lists(st.integers(0, 60), max_size=5), st.integers(0, 8))  # fmt: skip
def test_nesting_is_measured_alike_however_the_text_is_cut(text: bytes, cuts: list[int], limit: int) -> None:
    if b"\\" in _STRINGS.sub(b"", text):
        return  # a backslash outside a string is no JSON: what follows it is the decoder's to refuse
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    depth = Depth(limit)
    try:
        for start, end in itertools.pairwise(places):
            depth.feed(text[start:end])
        refused = False
    except TooMuch:
        refused = True
    assert refused == (depth_of(text) > limit)


@pytest.mark.parametrize(
    "text",
    (b'"' + b'\\"' * 500_000, b'"",' * 300_000, b'"\\"",' * 200_000, b"\\" * 1_000_000, b'[],{"a":"["},' * 80_000),
    ids=["escaped quotes", "strings", "strings of a quote", "backslashes", "brackets"],
)
def test_measuring_takes_time_in_proportion_to_the_text(text: bytes) -> None:
    depth, started = Depth(), time.process_time()
    for start in range(0, len(text), PIECE):
        depth.feed(text[start : start + PIECE])
    assert time.process_time() - started < 1, "a megabyte takes milliseconds; by squares it would take minutes"


# ---------------------------------------------------------------- time, and clients who leave


async def _collect(app: Any, incoming: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def test_a_request_that_takes_too_long_is_ended() -> None:
    ended: list[str] = []

    async def slow(scope: object, receive: object, send: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("work")
            raise

    async def go() -> None:
        limited = LimitsMiddleware(slow, MIB, 0.2)  # type: ignore[arg-type]
        sent = await _collect(limited, [{"type": "http.request", "body": b"{}"}])
        assert sent[0]["status"] == 503
        assert ended == ["work"]
        sent = await _collect(limited, [{"type": "http.request", "body": b"{", "more_body": True}])
        assert sent[0]["status"] == 503

    asyncio.run(go())


def test_the_work_of_a_client_who_left_is_ended() -> None:
    ended: list[str] = []

    async def slow(scope: object, receive: object, send: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("work")
            raise

    async def go() -> None:
        limited = LimitsMiddleware(slow, MIB, 60, lambda: ended.append("told"))  # type: ignore[arg-type]
        incoming = [{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}]
        assert await _collect(limited, incoming) == []
        assert ended == ["work", "told"]

    asyncio.run(go())


def test_a_worker_is_killed_when_its_client_leaves(service: Served) -> None:
    """Over a real socket: an expression that would take its whole budget, and a connection that is closed."""
    lines = "from " + ", ".join(f"(expand Interval[1, 900]) A{i}" for i in range(3)) + " return 1"
    body = json.dumps({"resourceType": "Parameters",
                       "parameter": [{"name": "expression", "valueString": f"Count({lines})"}]}).encode()  # fmt: skip
    head = (f"POST {CQL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()  # fmt: skip

    def value(name: str) -> float:
        return sum(float(line.split()[-1]) for line in service.app.state.metrics.text().decode().splitlines()
                   if line.startswith(name))  # fmt: skip

    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.sendall(head + body)
        while value("eligibility_workers_busy") == 0:
            pass
    while value('eligibility_workers_ended_total{reason="abandoned"}') == 0:
        pass
    assert service.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR).status_code == 200


# ---------------------------------------------------------------- a full queue


def test_a_full_queue_answers_429_and_when_to_come_again(tmp_path: Path) -> None:
    begun, free = str(tmp_path / "begun"), str(tmp_path / "free")
    os.mkfifo(begun)
    os.mkfifo(free)
    with served(opened(tmp_path, queue=0), Settings(content=content(tmp_path))) as made:
        loop = made.app.state.loop
        held = asyncio.run_coroutine_threadsafe(made.app.state.pool.run(pool_jobs.held, begun, free), loop)
        os.close(os.open(begun, os.O_RDONLY))
        answer = made.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["issue"][0]["code"] == "throttled"
        assert made.client.get("/health").status_code == 200
        os.close(os.open(free, os.O_WRONLY))
        assert held.result(60) == "finished"
        assert made.client.post(SCREEN, content=SAMPLE.read_bytes(), headers=FHIR).status_code == 200
        outcomes = [entry.outcome for _, entry, _ in made.app.state.storage.audit.entries()]
        assert outcomes == ["throttled", "success"]


# ---------------------------------------------------------------- the command


def test_serve_says_that_it_is_open_and_stops_when_told(tmp_path: Path, repository: Path) -> None:
    """A running request is answered after SIGTERM; then the process ends by itself, with its workers."""
    environment = {**os.environ, "ELIGIBILITY_DATABASE_URL": f"sqlite:///{tmp_path / 'runs.sqlite'}",
                   "ELIGIBILITY_WORKERS": "1"}  # fmt: skip
    command = [sys.executable, "-m", "engine", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=repository, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "only this machine" in process.stderr.readline()
        port = int(process.stderr.readline().rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as raw:
            body = SAMPLE.read_bytes()
            raw.sendall(
                f"POST {SCREEN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
                f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert raw.recv(65536).startswith(b"HTTP/1.1 100")  # the request is under way
            process.terminate()
            raw.sendall(body)
            assert raw.recv(65536).startswith(b"HTTP/1.1 200")
        assert process.wait(60) == 0
        log = process.stderr.read()
        assert '"event": "stopped"' in log
        assert "01-in-good-order" not in log


def test_serve_does_not_open_itself_to_others_without_tokens(repository: Path) -> None:
    command = [sys.executable, "-m", "engine", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "listens to this machine only" in done.stderr


# ---------------------------------------------------------------- connections


def test_a_body_with_two_lengths_is_refused(service: Served) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.sendall(
            b"POST /fhir/$cql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )
        assert raw.recv(65536).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("sent", (b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "))
def test_a_connection_without_a_request_is_closed(
    service: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PunctualProtocol, "head_seconds", 0.3)
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for before in (b"", whole):
        with socket.create_connection(("127.0.0.1", service.port)) as raw:
            raw.settimeout(10)
            if before:
                raw.sendall(before)
                answer = b""
                while not answer.endswith(b"}"):
                    answer += raw.recv(65536)
            if sent or not before:
                raw.sendall(sent)
                assert raw.recv(65536) == b""


def test_a_connection_that_sends_its_request_in_time_stays(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PunctualProtocol, "head_seconds", 0.3)
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.settimeout(10)
        for _ in range(3):
            raw.sendall(whole)
            answer = raw.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            while not answer.endswith(b"}"):
                answer += raw.recv(65536)
            time.sleep(0.4)  # between requests the server's own pause counts


def test_a_header_without_end_is_refused(service: Served) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.settimeout(10)
        with contextlib.suppress(ConnectionError):
            raw.sendall(b"GET /health HTTP/1.1\r\nX: " + b"a" * 1_000_000)
            assert raw.recv(65536).startswith(b"HTTP/1.1 431")
    assert service.client.get("/health").status_code == 200


HEAD = b"POST /fhir/$cql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    (
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nnone\r\n", 400),
    ),
    ids=("TLS", "no host", "a NUL", "a length below 0", "packed on the way", "a chunk without a size"),
)
def test_what_is_no_http_is_told_as_every_mistake_is(service: Served, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as raw:
        raw.settimeout(10)
        raw.sendall(sent)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"content-type: application/fhir+json" in head.lower()
    assert json.loads(body)["resourceType"] == "OperationOutcome"
