"""Which addresses are contacted: a table of forms that lead elsewhere, and none of them is ever asked."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InputError
from engine.language.elm.requirements import DataRequirement
from engine.sources import Patient
from engine.sources.smart import RefusedAddress, ServerSettings, connect, records_from_server
from engine.sources.smart.addresses import Addresses, origin_of
from tests.sources.smart.stub import Json, Reply, Stub

Serve = Callable[..., Stub]
Settings = Callable[..., ServerSettings]

# H is the host and port of another server on this machine, P its port, O the origin of the configured one.
ELSEWHERE = (
    "http://H/fhir/Patient",
    "https://H/fhir/Patient",
    "HTTP://H/",
    "//H/fhir/Patient",
    "///H/fhir",
    "\\\\H\\fhir",
    "/\\H/fhir",
    "\\/H/fhir",
    "http:\\\\H/fhir",
    "http:/H/fhir",
    "http:H/fhir",
    "http:///H/fhir",
    "http://localhost:P/",
    "http://LOCALHOST:P/",
    "http://localhost.:P/",
    "http://127.1:P/",
    "http://127.0.0.1.:P/",
    "http://2130706433:P/",
    "http://0x7f000001:P/",
    "http://0177.0.0.1:P/",
    "http://0:P/",
    "http://[::1]:P/",
    "http://[::ffff:127.0.0.1]:P/",
    "http://[0:0:0:0:0:ffff:7f00:1]:P/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://O@H/",
    "http://user:password@H/",
    "http://O:password@H/fhir",
    "http://O%40H/",
    "http://O%2f@H/",
    "http://H#@O/",
    "http://H?@O/",
    "http://H\\@O/",
    "http://O\\@H/",
    "http://O.evil.example/",
    "http://O:80@H/",
    "http://１２７.0.0.1:P/",
    "http://127。0。0。1:P/",
    "http://ⓛocalhost:P/",
    "ht\ttp://H/",
    "http://H\n/fhir",
    " http://H/",
    "http://\tH/",
    "http://O:0/",
    "http://O:99999/",
    "http://O:/fhir",
    "ftp://H/",
    "file:///etc/passwd",
    "gopher://H/_GET",
    "data:application/json,{}",
    "jar:http://H!/",
    "javascript:alert(1)",
    "https://O/fhir/Patient",
    "http://",
    "http:",
    "http://" + "a" * 20_000 + "/",
)


def written(form: str, own: Stub, other: Stub) -> str:
    host = other.origin.removeprefix("http://")
    plain = own.origin.removeprefix("http://")
    scheme, mark, rest = form.partition(":")
    for letter, value in (("H", host), ("P", host.split(":")[1]), ("O", plain)):
        rest = rest.replace(letter, value) if mark else rest
        scheme = scheme.replace(letter, value) if not mark else scheme
    return scheme + mark + rest


def patient_page(link: str) -> Json:
    return {"resourceType": "Bundle", "entry": [], "link": [{"relation": "next", "url": link}]}


@pytest.fixture
def two(serve: Serve, rsa: tuple[Json, Any]) -> tuple[Stub, Stub]:
    return serve({"resourceType": "Patient", "id": "p"}, public_key=rsa[1]), serve()


@pytest.mark.parametrize("form", ELSEWHERE)
def test_no_form_leads_elsewhere(two: tuple[Stub, Stub], settings: Settings, form: str) -> None:
    own, other = two
    target = written(form, own, other)
    with connect(settings(own)) as connection:
        with pytest.raises(RefusedAddress):
            connection.json(target, "a link")
        with pytest.raises(RefusedAddress), connection.lines(target, "a file", authorized=True):
            pass
    assert own.requests == other.requests == []


@pytest.mark.parametrize("form", [f for f in ELSEWHERE if len(f) < 1000])
def test_next_links_that_lead_elsewhere_are_told_and_not_followed(
    two: tuple[Stub, Stub], settings: Settings, form: str
) -> None:
    own, other = two
    own.fault("GET", "/fhir/Observation", Reply(200, patient_page(written(form, own, other))), always=True)
    records = records_from_server(
        {"stub": settings(own)}, "stub", patient="p", requirements=[DataRequirement("Observation")]
    )
    (found,) = list(records)
    assert isinstance(found, Patient)
    assert "Observation" in found.record.unavailable
    assert other.requests == []
    assert len(own.asked("/fhir/Observation")) == 1


@pytest.mark.parametrize("status", (301, 302, 303, 307, 308))
@pytest.mark.parametrize(
    "form", ("http://H/fhir/Patient/p", "//H/", "http://O@H/", "http://localhost:P/", "https://O/")
)
def test_redirects_that_lead_elsewhere(two: tuple[Stub, Stub], settings: Settings, form: str, status: int) -> None:
    own, other = two
    own.fault("GET", "/fhir/Patient/p", Reply(status, b"", {"Location": written(form, own, other)}), always=True)
    with connect(settings(own)) as connection, pytest.raises(RefusedAddress, match="redirect"):
        connection.json(connection.addresses.below("Patient/p"), "Patient/p")
    assert other.requests == []


def test_a_redirect_within_the_server_is_followed_with_the_token(two: tuple[Stub, Stub], settings: Settings) -> None:
    own, _ = two
    own.fault("GET", "/fhir/Patient/old", Reply(302, b"", {"Location": "/fhir/Patient/p"}))
    with connect(settings(own)) as connection:
        assert connection.json(connection.addresses.below("Patient/old"), "Patient/old")["id"] == "p"
    assert own.requests[-1].token == "token-1"


def test_redirects_without_end(two: tuple[Stub, Stub], settings: Settings) -> None:
    own, _ = two
    own.fault("GET", "/fhir/Patient/p", Reply(302, b"", {"Location": "/fhir/Patient/p"}), always=True)
    with connect(settings(own)) as connection, pytest.raises(InputError, match="more than 5 times"):
        connection.json(connection.addresses.below("Patient/p"), "Patient/p")


def test_a_token_endpoint_elsewhere_is_refused_unless_the_settings_allow_it(
    two: tuple[Stub, Stub], settings: Settings, rsa: tuple[Json, Any]
) -> None:
    own, other = two
    other.public_key = rsa[1]
    own.configuration = {"token_endpoint": f"{other.origin}/token"}
    with connect(settings(own)) as connection, pytest.raises(InputError, match="token_endpoint: leads to"):
        connection.json(connection.addresses.below("Patient/p"), "Patient/p")
    assert other.requests == []
    with connect(settings(own, token_origins=[other.origin])) as connection:
        assert connection.tokens is not None
        assert connection.tokens.token() == "token-1"
    assert [r.token for r in other.requests] == [None]


def test_a_token_endpoint_that_redirects_is_not_followed(two: tuple[Stub, Stub], settings: Settings) -> None:
    own, other = two
    own.fault("POST", "/token", Reply(307, b"", {"Location": f"{other.origin}/token"}))
    with connect(settings(own)) as connection, pytest.raises(InputError, match="the token endpoint answered 307"):
        connection.json(connection.addresses.below("Patient/p"), "Patient/p")
    assert other.requests == []


def test_the_token_goes_to_no_other_origin_even_where_files_may_be(two: tuple[Stub, Stub], settings: Settings) -> None:
    own, other = two
    other.files["a.ndjson"] = b'{"resourceType":"Patient","id":"p"}\n'
    with connect(settings(own, file_origins=[other.origin])) as connection:
        assert connection.tokens is not None
        connection.tokens.token()
        with connection.lines(f"{other.origin}/open/a.ndjson", "a file", authorized=True) as lines:
            assert len(list(lines)) == 1
        with pytest.raises(RefusedAddress):
            connection.json(f"{other.base}/Patient/p", "Patient/p")
    assert [(r.path, r.token) for r in other.requests] == [("/open/a.ndjson", None)]


def test_cookies_are_not_kept(two: tuple[Stub, Stub], settings: Settings) -> None:
    own, _ = two
    own.fault(
        "GET", "/fhir/Patient/p", Reply(200, {"resourceType": "Patient", "id": "p"}, {"Set-Cookie": "a=b; Path=/"})
    )
    with connect(settings(own)) as connection:
        for _ in range(2):
            connection.json(connection.addresses.below("Patient/p"), "Patient/p")
    assert not any("cookie" in request.headers for request in own.requests)


@pytest.mark.parametrize(
    ("link", "expected"),
    (
        ("https://fhir.example.org/r4?page=2", "https://fhir.example.org/r4?page=2"),
        ("https://FHIR.example.org:443/other", "https://FHIR.example.org:443/other"),
        ("https://fhir.example.org/r4/Observation?code=http://loinc.org|718-7", None),
        ("/r4?page=2", "https://fhir.example.org/r4?page=2"),
        ("?page=2", "https://fhir.example.org/r4?page=2"),
        ("Observation?page=2", "https://fhir.example.org/r4/Observation?page=2"),
        ("https://fhir.example.org/r4#part", "https://fhir.example.org/r4"),
        ("https://fhir.example.org/@user", "https://fhir.example.org/@user"),
    ),
)
def test_links_of_the_server_itself(link: str, expected: str | None) -> None:
    assert Addresses("x", "https://fhir.example.org/r4").check(link, "link") == (link if expected is None else expected)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert str(origin_of("https://Fhir.Example.org/a")) == "https://fhir.example.org"
    assert str(origin_of("http://[::1]:8080/a")) == "http://[::1]:8080"
