"""HTTP over a real socket: waiting, trying again, limits, and the server's own words in our sentences."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from engine.sources.smart import ServerError, ServerSettings, connect
from engine.sources.smart.http import Connection
from engine.sources.smart.waiting import asked_wait, wait_before
from tests.sources.smart.stub import Reply, Stub, gzipped, outcome

Serve = Callable[..., Stub]
Settings = Callable[..., ServerSettings]
NOW = 1_800_000_000.0
PATIENT = {"resourceType": "Patient", "id": "p"}


def read(connection: Connection) -> Any:
    return connection.json(connection.addresses.below("Patient/p"), "Patient/p")


@pytest.mark.parametrize(
    ("header", "seconds"),
    (
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0),
        ("120", 120),
        (" 3 ", 3),
        ("1.5", 1.5),
        ("1800000090000", 90),
        ("1799999999000", 0),
        ("1800000045", 45),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 0),
        ("Friday", None),
        ("9" * 400, None),
    ),
)
def test_what_a_server_asks_to_wait(header: str | None, seconds: float | None) -> None:
    assert asked_wait(header, NOW) == seconds


@pytest.mark.parametrize(
    ("attempt", "header", "seconds"),
    ((1, None, 1), (2, None, 2), (5, None, 16), (9, None, 100), (2000, None, 100), (1, "3600", 100), (3, "7", 7)),
)
def test_the_wait_doubles_and_has_a_cap(attempt: int, header: str | None, seconds: float) -> None:
    assert wait_before(attempt, header, NOW, 100) == seconds


@pytest.mark.parametrize("status", (408, 425, 429, 500, 502, 503, 504))
def test_a_passing_failure_is_tried_again(serve: Serve, settings: Settings, clock: Any, status: int) -> None:
    server = serve(PATIENT)
    server.fault("GET", "/fhir/Patient/p", Reply(status), Reply(status, b"", {"Retry-After": "17"}), Reply(status))
    with connect(settings(server), clock=clock) as connection:
        assert read(connection) == PATIENT
    assert clock.waits == [1, 17, 4]


def test_a_failure_that_does_not_pass_ends_after_the_retries(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", Reply(503, outcome("maintenance until noon")), always=True)
    with connect(settings(server, retries=2), clock=clock) as connection, pytest.raises(ServerError) as caught:
        read(connection)
    assert "stub: Patient/p: the server answered 503: maintenance until noon" in str(caught.value)
    assert clock.waits == [1, 2]


def test_a_moment_in_milliseconds_is_waited_for_up_to_the_cap(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve(PATIENT)
    near, far = int((clock.time + 30) * 1000), int((clock.time + 5000) * 1000)
    replies = [Reply(429, b"", {"Retry-After": str(moment)}) for moment in (near, far)]
    server.fault("GET", "/fhir/Patient/p", *replies)
    with connect(settings(server), clock=clock) as connection:
        read(connection)
    assert clock.waits == [pytest.approx(30), 100]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    (
        (Reply(400, outcome("unknown parameter 'x'")), "answered 400: unknown parameter 'x'"),
        (Reply(403), "the server refuses it to this client (403)"),
        (Reply(404), "does not have it (404); check the address and the id"),
        (Reply(410), "was deleted on the server (410)"),
        (Reply(200, b"[1, 2]"), "JSON but no object"),
        (Reply(200, b"nonsense"), "is not JSON"),
        (Reply(200, {"resourceType": "Patient"}, {"Content-Encoding": "br"}), "encoded as 'br'"),
        (Reply(400, outcome("a\nb\x1b[31mc" + "d" * 1000)), "a b [31mcddd"),
    ),
)
def test_other_failures_are_sentences_at_once(
    serve: Serve, settings: Settings, clock: Any, reply: Reply, sentence: str
) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", reply)
    with connect(settings(server), clock=clock) as connection, pytest.raises(ServerError) as caught:
        read(connection)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 600
    assert clock.waits == []


def test_an_answer_may_be_compressed(serve: Serve, settings: Settings) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", gzipped(b'{"resourceType":"Patient","id":"p"}'))
    with connect(settings(server)) as connection:
        assert read(connection) == PATIENT
    assert server.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("bomb", (b'{"a":"' + b" " * 3_000_000 + b'"}', b"[" * 3_000_000))
def test_what_inflates_beyond_the_limit_is_refused(serve: Serve, settings: Settings, clock: Any, bomb: bytes) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", gzipped(bomb), always=True)
    with (
        connect(settings(server, max_response_bytes=100_000), clock=clock) as connection,
        pytest.raises(ServerError, match="more than 100000 bytes"),
    ):
        read(connection)
    assert len(server.requests) == 1


def test_a_plain_answer_beyond_the_limit_is_refused(serve: Serve, settings: Settings) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", Reply(200, b" " * 200_000))
    with (
        connect(settings(server, max_response_bytes=100_000)) as connection,
        pytest.raises(ServerError, match="100000"),
    ):
        read(connection)


@pytest.mark.parametrize(
    "body", (gzip.compress(b'{"resourceType":"Patient"}')[:-6], b"no gzip at all", zlib.compress(b"{}"))
)
def test_a_broken_compression_is_tried_again_and_told(
    serve: Serve, settings: Settings, clock: Any, body: bytes
) -> None:
    server = serve()
    server.fault("GET", "/fhir/Patient/p", Reply(200, body, {"Content-Encoding": "gzip"}), always=True)
    with (
        connect(settings(server, retries=1), clock=clock) as connection,
        pytest.raises(ServerError, match="the answer"),
    ):
        read(connection)
    assert len(server.requests) == 2


def test_an_answer_that_breaks_off_is_tried_again(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve(PATIENT)
    server.fault("GET", "/fhir/Patient/p", Reply(200, b'{"resour', {"Content-Length": "5000", "Connection": "close"}))
    with connect(settings(server), clock=clock) as connection:
        assert read(connection) == PATIENT
    assert clock.waits == [1]


def test_nobody_listens(serve: Serve, settings: Settings, clock: Any) -> None:
    server = serve()
    given = settings(server, retries=1)
    server.__exit__()
    with connect(given, clock=clock) as connection, pytest.raises(ServerError, match="the connection failed"):
        read(connection)
    assert clock.waits == [1]


def test_a_long_line_of_a_file_is_refused(serve: Serve, settings: Settings) -> None:
    server = serve()
    server.files["a.ndjson"] = b'{"resourceType":"Patient","id":"p"}\n\n' + b"x" * 500_000 + b"\n"
    url = f"{server.origin}/open/a.ndjson"
    with (
        connect(settings(server, max_line_bytes=100_000)) as connection,
        connection.lines(url, "a file", authorized=False) as lines,
    ):
        assert next(lines) == b'{"resourceType":"Patient","id":"p"}'
        with pytest.raises(ServerError, match="a line of more than 100000 bytes"):
            next(lines)
