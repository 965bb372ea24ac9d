"""Access tokens over a real socket: asked for once, renewed early, renewed once when refused."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InputError
from engine.language.elm.requirements import DataRequirement
from engine.sources import Patient
from engine.sources.smart import NoToken, ServerSettings, connect, records_from_server
from engine.sources.smart.http import Connection
from tests.sources.smart.stub import Json, Reply, Stub, key_pair, outcome

Serve = Callable[..., Stub]
Settings = Callable[..., ServerSettings]
PATIENT = {"resourceType": "Patient", "id": "p"}


@pytest.fixture
def server(serve: Serve, rsa: tuple[Json, Any]) -> Stub:
    return serve(PATIENT, public_key=rsa[1])


def read(connection: Connection) -> Any:
    return connection.json(connection.addresses.below("Patient/p"), "Patient/p")


def test_discovery_assertion_token_request(server: Stub, settings: Settings, clock: Any) -> None:
    with connect(settings(server, scopes=["system/Patient.rs", "system/Observation.rs"]), clock=clock) as connection:
        assert read(connection) == PATIENT
    assert [(r.method, r.path) for r in server.requests] == [
        ("GET", "/fhir/.well-known/smart-configuration"),
        ("POST", "/token"),
        ("GET", "/fhir/Patient/p"),
    ]
    (given,) = server.assertions
    assert given["header"] == {"alg": "RS384", "kid": "k1", "typ": "JWT"}
    assert {k: given["claims"][k] for k in ("iss", "sub", "aud")} == {
        "iss": "eligibility",
        "sub": "eligibility",
        "aud": f"{server.origin}/token",
    }
    assert given["claims"]["exp"] - clock.now() <= 300
    assert {k: v for k, v in given["form"].items() if k != "client_assertion"} == {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs system/Observation.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert [r.token for r in server.requests] == [None, None, "token-1"]


def test_an_elliptic_key(serve: Serve, settings: Settings, tmp_path: Any) -> None:
    import json

    private, public = key_pair("EC")
    server = serve(PATIENT, public_key=public)
    given = settings(server)
    (tmp_path / "key.json").write_text(json.dumps(private))
    with connect(given) as connection:
        assert read(connection) == PATIENT
    assert server.assertions[0]["header"]["alg"] == "ES384"


@pytest.mark.parametrize(
    ("expires_in", "seconds", "tokens"),
    (
        (300, 200, 1),
        (300, 239, 1),
        (300, 240, 2),
        (3600, 3500, 1),
        (3600, 3540, 2),
        (10, 7, 1),
        (10, 8, 2),
        (None, 240, 2),
        ("300", 240, 2),
        ("soon", 239, 1),
        ("NaN", 240, 2),
        (-5, 239, 1),
    ),
)
def test_a_token_is_kept_and_renewed_before_its_end(
    server: Stub, settings: Settings, clock: Any, expires_in: Any, seconds: int, tokens: int
) -> None:
    server.expires_in = expires_in
    with connect(settings(server), clock=clock) as connection:
        read(connection)
        clock.time += seconds
        read(connection)
    assert len(server.assertions) == tokens


def test_a_refused_token_is_renewed_once(server: Stub, settings: Settings, clock: Any) -> None:
    with connect(settings(server), clock=clock) as connection:
        read(connection)
        server.tokens.clear()
        assert read(connection) == PATIENT
    assert len(server.assertions) == 2
    assert [r.token for r in server.requests if r.path == "/fhir/Patient/p"] == ["token-1", "token-1", "token-2"]


def test_a_server_that_refuses_every_token(server: Stub, settings: Settings, clock: Any) -> None:
    server.fault("GET", "/fhir/Patient/p", Reply(401, outcome("wrong audience")), always=True)
    with (
        connect(settings(server), clock=clock) as connection,
        pytest.raises(InputError, match=r"did not accept the access token \(401\): wrong audience"),
    ):
        read(connection)
    assert len(server.assertions) == 2


def test_the_token_endpoint_of_the_settings_needs_no_discovery(server: Stub, settings: Settings) -> None:
    with connect(settings(server, token_url=f"{server.origin}/token")) as connection:
        read(connection)
    assert server.asked("/fhir/.well-known") == []


def test_each_attempt_has_an_assertion_of_its_own(server: Stub, settings: Settings, clock: Any) -> None:
    seen: list[str] = []

    def busy(request: Any) -> Reply | None:
        seen.append(request.form["client_assertion"])
        return Reply(503) if len(seen) < 3 else None

    server.fault("POST", "/token", busy, always=True)
    with connect(settings(server), clock=clock) as connection:
        assert read(connection) == PATIENT
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("reply", "sentence"),
    (
        (Reply(400, {"error": "invalid_client", "error_description": "no key k1"}), "400: invalid_client: no key k1"),
        (Reply(400, {"error": "invalid_scope"}), "invalid_scope; check client_id, the registered public key and"),
        (Reply(200, {}), "holds no access_token"),
        (Reply(200, {"access_token": "a b", "token_type": "bearer"}), "holds no access_token"),
        (Reply(200, {"access_token": "a\r\nX: y", "token_type": "bearer"}), "holds no access_token"),
        (Reply(200, {"access_token": "a", "token_type": "mac"}), "a token of type 'mac'"),
        (Reply(200, b"<html>"), "is not JSON"),
        (Reply(500), "answered 500"),
    ),
)
def test_no_token_is_a_sentence_and_ends_the_run(
    server: Stub, settings: Settings, clock: Any, reply: Reply, sentence: str
) -> None:
    server.fault("POST", "/token", reply, always=True)
    records = records_from_server(
        {"stub": settings(server)}, "stub", requirements=[DataRequirement("Condition")], clock=clock
    )
    (found,) = list(records)
    assert isinstance(found, NoToken)
    assert sentence in str(found)
    assert not records.completeness.complete
    assert server.asked("/fhir/Patient") == []


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    (
        ({"token_endpoint": None}, "token_endpoint: is no address"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "not private_key_jwt"),
        (
            {"token_endpoint_auth_signing_alg_values_supported": ["ES384"]},
            "signed with ES384; this key signs with RS384",
        ),
    ),
)
def test_a_configuration_that_does_not_fit(
    server: Stub, settings: Settings, configuration: Json, sentence: str
) -> None:
    server.configuration = configuration
    with connect(settings(server)) as connection, pytest.raises(InputError, match=sentence):
        read(connection)


def test_no_token_in_the_middle_of_a_run_ends_it(server: Stub, settings: Settings, clock: Any) -> None:
    server.resources += [{"resourceType": "Patient", "id": "q"}]
    asked = iter(range(100))

    def late(request: Any) -> Reply | None:
        if next(asked) == 4:
            server.tokens.clear()
            server.fault("POST", "/token", Reply(400, {"error": "invalid_client"}), always=True)
        return None

    server.fault("GET", "/fhir/", late, always=True)
    records = records_from_server(
        {"stub": settings(server)}, "stub", requirements=[DataRequirement("Condition")], clock=clock
    )
    found = list(records)
    assert [isinstance(item, Patient) for item in found] == [True, False]
    assert "invalid_client" in str(records.completeness.missing[-1])
