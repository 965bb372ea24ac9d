"""The settings file and the key: a mistake a sentence, with the file and the place."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jwt

from engine.errors import InputError
from engine.sources.smart import ServerSettings, load_servers, read_servers, server_named
from engine.sources.smart.keys import LIFETIME, SigningKey

GOOD = """
[servers.hospital]
base_url = "https://fhir.hospital.example/r4"
client_id = "eligibility"
key_file = "key.json"
"""


def test_a_server_in_four_lines(tmp_path: Path) -> None:
    (tmp_path / "servers.toml").write_text(GOOD)
    (server,) = load_servers(tmp_path / "servers.toml").values()
    assert (server.name, server.method, server.scopes, server.timeout) == ("hospital", "search", ("system/*.rs",), 30)
    assert server.path(server.key_file) == tmp_path / "key.json"


def test_json_says_the_same(tmp_path: Path) -> None:
    given = {"base_url": "https://fhir.hospital.example/r4", "client_id": "eligibility", "key_file": "key.json"}
    (tmp_path / "servers.json").write_text(json.dumps({"servers": {"hospital": given}}))
    (tmp_path / "servers.toml").write_text(GOOD)
    assert load_servers(tmp_path / "servers.json") == load_servers(tmp_path / "servers.toml")


@pytest.mark.parametrize(
    ("line", "place", "sentence"),
    (
        ("methud = 'bulk'", "servers.hospital.methud", "is no setting; did you mean 'method'?"),
        ("method = 'all'", "servers.hospital.method", "is 'all'; it can be 'search', 'everything' or 'bulk'"),
        ("timeout = 'long'", "servers.hospital.timeout", "is 'long'"),
        ("timeout = 0", "servers.hospital.timeout", "greater than 0"),
        ("page_size = 0", "servers.hospital.page_size", "greater than or equal to 1"),
        ("retries = 1.5", "servers.hospital.retries", "is 1.5"),
        ("scopes = []", "servers.hospital.scopes", "at least 1 item"),
        ("scopes = ['system/*.rs user/*.rs']", "servers.hospital.scopes", "write one a member of the list"),
        ("algorithm = 'HS256'", "servers.hospital.algorithm", "it can be 'RS384' or 'ES384'"),
        ("token_url = 'auth.example'", "servers.hospital.token_url", "is no http or https address"),
        ("token_url = 'http://auth.example/token'", "servers.hospital.token_url", "is not https"),
        ("file_origins = ['https://files.example/a']", "servers.hospital.file_origins", "is no origin; write only"),
        ("name = 'x'", "servers.hospital.name", "is no setting"),
    ),
)
def test_a_mistake_in_a_server(tmp_path: Path, line: str, place: str, sentence: str) -> None:
    path = tmp_path / "servers.toml"
    path.write_text(GOOD + line)
    with pytest.raises(InputError) as caught:
        load_servers(path)
    assert str(caught.value).startswith(f"{path}: {place}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    (
        ("", "servers: is missing"),
        ("[servers]", "servers: is missing"),
        ("[server.x]", "servers: is missing"),
        ("a = = 1", "line 1, column 5: is not TOML"),
        ("[servers.x", "end of document: is not TOML"),
        ("servers = 1", "servers: is missing"),
        ("[servers]\nx = 1", "servers.x: is no table"),
        ("[servers.x]\nauthorization = 'none'", "servers.x.base_url: is missing"),
        ("[servers.x]\nbase_url = 'http://fhir.example'\nauthorization = 'none'", "servers.x.base_url: 'http://"),
        ("[servers.x]\nbase_url = 'https://u:p@h/'\nauthorization = 'none'", "servers.x.base_url: names a user"),
        ("[servers.x]\nbase_url = 'https://h/?a'\nauthorization = 'none'", "servers.x.base_url: has a query"),
        ("[servers.x]\nbase_url = 'https://h'", "servers.x.client_id: is missing"),
        ("[servers.x]\nbase_url = 'https://h'\nclient_id = 'a'", "servers.x.key_file: is missing"),
    ),
)
def test_a_mistake_in_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "servers.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_servers(tmp_path / "servers.toml")
    assert sentence in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "servers.toml"
    path.write_text(GOOD + "timeout = 0\nmethud = 1\n[other]\n")
    with pytest.raises(InputError) as caught:
        load_servers(path)
    assert str(caught.value).count("\n") == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such settings file"):
        load_servers(tmp_path / "none.toml")


def test_a_server_that_is_not_there() -> None:
    servers = read_servers({"servers": {"a": {"base_url": "https://h", "authorization": "none"}}}, source="s.toml")
    with pytest.raises(InputError, match=r"s\.toml: servers: holds no server 'b'; it holds a"):
        server_named(servers, "b", source="s.toml")


@pytest.mark.parametrize("address", ("http://localhost:8080/fhir", "http://127.0.0.1/fhir", "http://[::1]/fhir"))
def test_this_machine_may_be_asked_without_tls(address: str) -> None:
    assert read_servers({"servers": {"a": {"base_url": address, "authorization": "none"}}}, source="s")


# ---------------------------------------------------------------- keys


def key_settings(folder: Path, content: Any, **given: Any) -> ServerSettings:
    (folder / "key.json").write_text(content if isinstance(content, str) else json.dumps(content))
    own = {"base_url": "https://h", "client_id": "me", "key_file": "key.json", **given}
    return read_servers({"servers": {"x": own}}, source="s", folder=folder)["x"]


RSA = jwk.RSAKey.generate_key(2048)
EC = jwk.ECKey.generate_key("P-384")
RSA_JWK = {**RSA.as_dict(private=True), "kid": "r"}
EC_JWK = {**EC.as_dict(private=True), "kid": "e"}


@pytest.mark.parametrize(
    ("content", "public", "algorithm", "kid"),
    (
        (RSA_JWK, RSA, "RS384", "r"),
        (EC_JWK, EC, "ES384", "e"),
        ({**RSA_JWK, "alg": "RS384", "use": "sig", "key_ops": ["sign"]}, RSA, "RS384", "r"),
        ({"keys": [EC_JWK]}, EC, "ES384", "e"),
        ({"keys": [EC_JWK, {**EC.as_dict(private=False), "kid": "public"}]}, EC, "ES384", "e"),
    ),
)
def test_an_assertion(tmp_path: Path, content: Any, public: Any, algorithm: str, kid: str) -> None:
    key = SigningKey.load(key_settings(tmp_path, content))
    first, second = (key.assertion("me", "https://h/token", 1_800_000_000.5) for _ in range(2))
    token = jwt.decode(first, public, algorithms=[algorithm])
    assert token.header == {"alg": algorithm, "kid": kid, "typ": "JWT"}
    claims = dict(token.claims)
    assert len(claims.pop("jti")) >= 16
    assert claims == {
        "iss": "me",
        "sub": "me",
        "aud": "https://h/token",
        "iat": 1_800_000_000,
        "exp": 1_800_000_000 + LIFETIME,
    }
    assert LIFETIME <= 300
    assert token.claims["jti"] != jwt.decode(second, public, algorithms=[algorithm]).claims["jti"]


def test_key_id_chooses_among_several(tmp_path: Path) -> None:
    assert SigningKey.load(key_settings(tmp_path, {"keys": [RSA_JWK, EC_JWK]}, key_id="e")).algorithm == "ES384"


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    SMALL = {**jwk.RSAKey.generate_key(1024).as_dict(private=True), "kid": "s"}


@pytest.mark.parametrize(
    ("content", "given", "sentence"),
    (
        ("", {}, "is not JSON"),
        ("[1]", {}, "is no JWK"),
        ("-----BEGIN PRIVATE KEY-----", {}, "is not JSON; the private key as a JWK was expected"),
        ({}, {}, "kty: is None"),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, {}, "kty: is 'oct'"),
        ({**RSA.as_dict(private=False), "kid": "x"}, {}, "this is a public key"),
        ({k: v for k, v in RSA_JWK.items() if k != "kid"}, {}, "kid: is missing"),
        ({**RSA_JWK, "d": "AQAB"}, {}, "no usable private RSA key"),
        ({**EC_JWK, "crv": "P-256"}, {}, "crv: is 'P-256'; ES384 needs the curve 'P-384'"),
        (RSA_JWK, {"algorithm": "ES384"}, "signs with RS384, not 'ES384'"),
        ({**RSA_JWK, "alg": "RS256"}, {}, "signs with RS384, not 'RS256'"),
        ({"keys": [RSA_JWK, EC_JWK]}, {}, "holds 2 private keys; exactly one is needed; say which with key_id"),
        ({"keys": [RSA_JWK]}, {"key_id": "z"}, "holds 0 private keys of kid 'z'"),
        (SMALL, {}, "1024 bits; at least 2048"),
    ),
)
def test_a_key_that_cannot_be_used(tmp_path: Path, content: Any, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        SigningKey.load(key_settings(tmp_path, content, **given))
    assert sentence in str(caught.value)
    assert str(tmp_path / "key.json") in str(caught.value)
    for private in (RSA_JWK["d"], EC_JWK["d"], SMALL["d"], "c2VjcmV0"):
        assert str(private) not in str(caught.value)


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    settings = key_settings(tmp_path, RSA_JWK)
    (tmp_path / "key.json").unlink()
    with pytest.raises(InputError, match="there is no such key file"):
        SigningKey.load(settings)


def test_the_text_of_a_key_does_not_show_it(tmp_path: Path) -> None:
    assert repr(SigningKey.load(key_settings(tmp_path, RSA_JWK))) == "SigningKey(RS384, 'r')"
