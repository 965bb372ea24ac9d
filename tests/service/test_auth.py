"""Who gets in: tokens as they should be, thirty and more that are not, scopes against every endpoint, CDS clients."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from engine.errors import InputError
from engine.service import Settings
from engine.service.access import READABLE, RULES, rule_for
from engine.service.deployment import check_host, deployment
from engine.service.tokens import FetchedKeys, FixedKeys, allows
from tests.service.served import (
    AUDIENCE,
    CQL,
    FHIR,
    ISSUER,
    PUBLIC,
    SAMPLE,
    SECRET,
    Served,
    claims,
    content,
    keys,
    opened,
    public_keys,
    secured,
    served,
    token,
)

EXPRESSION = json.dumps(
    {"resourceType": "Parameters", "parameter": [{"name": "expression", "valueString": "1 + 1"}]}
).encode()
HOOKS_ISSUER = "https://ehr.example.org"
SANDBOX = "https://sandbox.example.org"
HOOK = "/cds-services/eligibility"
CALL = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": {"patientId": "1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "1"}}}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("auth")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Served]:
    clients = folder / "clients.json"
    own = {"iss": HOOKS_ISSUER, "jwks": public_keys("ec")}
    clients.write_text(json.dumps([own, {**own, "iss": SANDBOX, "jku": f"{SANDBOX}/jwks.json"}]))
    with served(secured(folder, hooks_clients=clients), Settings(content=content(folder), public_url=PUBLIC)) as made:
        yield made


def bearer(text: str) -> dict[str, str]:
    return {**FHIR, **({"authorization": f"Bearer {text}"} if text else {})}


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: Any, body: Any = None, signature: str = "") -> str:
    return f"{part(header)}.{part(claims() if body is None else body)}.{signature}"


def resigned(header: dict[str, Any]) -> str:
    """The signature of a good token under another header."""
    _, body, signature = token().split(".")
    return f"{part(header)}.{body}.{signature}"


def confused() -> str:
    """HS256 with the public key of the server as the secret."""
    import hashlib
    import hmac

    text = f"{part({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{part(claims())}"
    secret = keys()["rsa"].as_pem(private=False)
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def changed_body() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{part(claims(scope='system/*.cruds'))}.{signature}"


def twice() -> str:
    """A body that names its audience twice, signed as it is."""
    from joserfc import jws

    body = json.dumps(claims())[:-1] + ', "aud": "https://elsewhere.example.org"}'
    return jws.serialize_compact(GOOD_HEADER, body.encode(), keys()["rsa"], algorithms=["RS384"])


def signed(body: bytes) -> str:
    from joserfc import jws

    return jws.serialize_compact(GOOD_HEADER, body, keys()["rsa"], algorithms=["RS384"])


NOW = int(time.time())
GOOD_HEADER = {"alg": "RS384", "kid": "rsa", "typ": "JWT"}
JWK = {"jwk": {"kty": "RSA"}}
WRONG: dict[str, Callable[[], str]] = {
    "no token at all": lambda: "",
    "not a token": lambda: "opaque",
    "two parts": lambda: ".".join(token().split(".")[:2]),
    "four parts": lambda: token() + ".AAAA",
    "five parts, as encrypted ones have": lambda: token() + ".AAAA.AAAA",
    "truncated": lambda: token()[:-10],
    "without its signature": lambda: token().rsplit(".", 1)[0] + ".",
    "longer than is sensible": lambda: token(padding="x" * 9000),
    "none": lambda: unsigned({"alg": "none", "kid": "rsa", "typ": "JWT"}),
    "none in other letters": lambda: unsigned({"alg": "nOnE", "kid": "rsa", "typ": "JWT"}, signature="AAAA"),
    "none with a signature": lambda: resigned({**GOOD_HEADER, "alg": "none"}),
    "no algorithm": lambda: resigned({"kid": "rsa", "typ": "JWT"}),
    "algorithms as a list": lambda: resigned({**GOOD_HEADER, "alg": ["RS384"]}),
    "HS256 with the public key": confused,
    "HS256 with a secret": lambda: token("secret"),
    "HS256 under a known kid": lambda: token("secret", {"kid": "rsa"}),
    "RS512, which is not used here": lambda: token(header={"alg": "RS512"}),
    "an EC algorithm for an RSA key": lambda: resigned({**GOOD_HEADER, "alg": "ES384"}),
    "an RSA algorithm for an EC key": lambda: token(header={"kid": "ec"}),
    "ES384 for a key of another curve": lambda: token("ec", {"kid": "small"}),
    "of a key that is not registered": lambda: token("other"),
    "of another key under a known kid": lambda: token("other", {"kid": "rsa"}),
    "no kid": lambda: token(header={"kid": None}),
    "an empty kid": lambda: resigned({**GOOD_HEADER, "kid": ""}),
    "a kid that is a path": lambda: token(header={"kid": "../../dev/null"}),
    "a kid that is no text": lambda: resigned({**GOOD_HEADER, "kid": 1}),
    "a key of its own (jwk)": lambda: resigned({**GOOD_HEADER, **JWK}),
    "keys of its own (jku)": lambda: token(header={"jku": "https://evil.example.org/jwks"}),
    "a certificate's address (x5u)": lambda: token(header={"x5u": "https://evil.example.org/cert"}),
    "a certificate (x5c)": lambda: token(header={"x5c": ["AAAA"]}),
    "critical extensions": lambda: resigned({**GOOD_HEADER, "crit": ["b64"], "b64": False}),
    "another type": lambda: token(header={"typ": "logout+jwt"}),
    "a type that is no text": lambda: resigned({**GOOD_HEADER, "typ": {}}),
    "no type": lambda: resigned({"alg": "RS384", "kid": "rsa"}),
    "a header that is no object": lambda: unsigned(["RS384"], signature="AAAA"),
    "a header that is no JSON": lambda: unsigned(b"\xff{", signature="AAAA"),
    "a header nested deeply": lambda: unsigned(b"[" * 3000, signature="AAAA"),
    "a body that is no object": lambda: signed(b"[]"),
    "a body that is no JSON": lambda: signed(b"{"),
    "a claim that stands twice": twice,
    "half a character in its name": lambda: signed(json.dumps(claims(client_id="\ud800")).encode()),
    "a body changed after signing": changed_body,
    "another issuer": lambda: token(iss="https://evil.example.org"),
    "an issuer that only begins like ours": lambda: token(iss=ISSUER + ".evil.example.org"),
    "an issuer with a slash more": lambda: token(iss=ISSUER + "/"),
    "no issuer": lambda: token(iss=None),
    "another audience": lambda: token(aud="https://elsewhere.example.org/fhir"),
    "audiences without ours": lambda: token(aud=["a", "b"]),
    "an audience that is an object": lambda: token(aud={AUDIENCE: True}),
    "no audience": lambda: token(aud=None),
    "expired": lambda: token(exp=NOW - 3600, iat=NOW - 7200),
    "no end": lambda: token(exp=None),
    "an end that is text": lambda: token(exp="2099-01-01"),
    "an end that is true": lambda: token(exp=True),
    "an end beyond all bounds": lambda: token(exp=NOW + 10 * 365 * 86400),
    "not valid yet": lambda: token(nbf=NOW + 3600),
    "issued tomorrow": lambda: token(iat=NOW + 86400, exp=NOW + 90000),
    "no time of issue": lambda: token(iat=None),
    "no id": lambda: token(jti=None),
    "an id that is no text": lambda: token(jti=7),
    "nobody's": lambda: token(sub=None, client_id=None),
    "a CDS client's": lambda: token("ec", iss=HOOKS_ISSUER, aud=PUBLIC + HOOK),
}  # fmt: skip


@pytest.mark.parametrize("name", tuple(WRONG))
def test_a_wrong_token_is_refused_and_not_repeated(name: str, service: Served) -> None:
    text = WRONG[name]()
    answer = service.client.post(CQL, content=EXPRESSION, headers=bearer(text))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["resourceType"] == "OperationOutcome"
    for piece in (part_ for part_ in text.split(".") if len(part_) > 20):
        assert piece not in answer.text
        assert piece not in service.log.getvalue()


def test_there_are_at_least_thirty_of_them() -> None:
    assert len(WRONG) >= 30
    assert SECRET not in json.dumps(public_keys("rsa", "ec", "small"))


@pytest.mark.parametrize(
    "made",
    (
        lambda: token(),
        lambda: token("ec"),
        lambda: token("small"),
        lambda: token(header={"typ": "at+jwt"}),
        lambda: token(aud=["https://elsewhere.example.org", AUDIENCE]),
        lambda: token(exp=int(time.time()) - 10, iat=int(time.time()) - 100),
        lambda: token(scope="openid system/Library.rs"),
        lambda: token(scope="system/Library.read"),
    ),
)
def test_a_right_token_is_taken(made: Callable[[], str], service: Served) -> None:
    answer = service.client.post(CQL, content=EXPRESSION, headers=bearer(made()))
    assert answer.status_code == 200


def test_a_token_in_the_address_or_twice_is_none(service: Served) -> None:
    good = token()
    assert service.client.post(f"{CQL}?access_token={good}", content=EXPRESSION, headers=FHIR).status_code == 401
    headers = [("authorization", f"Bearer {good}"), ("authorization", f"Bearer {good}"), *FHIR.items()]
    assert service.client.post(CQL, content=EXPRESSION, headers=headers).status_code == 401
    headers = [("authorization", f"Basic {good}"), *FHIR.items()]
    assert service.client.post(CQL, content=EXPRESSION, headers=headers).status_code == 401


def test_a_bearer_token_is_good_until_it_expires_unless_each_is_to_be_used_once(folder: Path, service: Served) -> None:
    """Two services over one database, as two processes of one deployment are."""
    usual = token()
    assert [service.client.post(CQL, content=EXPRESSION, headers=bearer(usual)).status_code for _ in "12"] == [200] * 2
    settings = Settings(content=content(folder), public_url=PUBLIC)
    once = secured(folder, single_use_tokens=True)
    with served(once, settings) as first, served(once, settings) as second:
        single = token()
        assert first.client.post(CQL, content=EXPRESSION, headers=bearer(single)).status_code == 200
        for other in (first, second):
            answer = other.client.post(CQL, content=EXPRESSION, headers=bearer(single))
            assert answer.status_code == 401
            assert "used before" in answer.text


# ---------------------------------------------------------------- scopes

ENDPOINTS: tuple[tuple[str, str, str, str], ...] = (
    *(("GET", f"/fhir/{name}", name, "s") for name in READABLE.split("|")),
    *(("GET", f"/fhir/{name}/TINY", name, "r") for name in READABLE.split("|")),
    ("POST", "/fhir/ResearchStudy/$screen", "ResearchStudy", "rs"),
    ("POST", "/fhir/ResearchStudy/TINY/$screen", "ResearchStudy", "rs"),
    ("POST", "/fhir/Library/$evaluate", "Library", "rs"),
    ("POST", "/fhir/Library/TINY/$evaluate", "Library", "rs"),
    ("POST", "/fhir/$cql", "Library", "rs"),
    ("GET", "/results/unknown", "ResearchStudy", "rs"),
)
SCOPES: tuple[tuple[str, str, str], ...] = (
    ("system/*.rs", "*", "rs"),
    ("system/*.r", "*", "r"),
    ("system/*.s", "*", "s"),
    ("system/*.cruds", "*", "rs"),
    ("system/*.read", "*", "rs"),
    ("system/*.*", "*", "rs"),
    ("system/*.write", "", ""),
    ("system/*.cud", "", ""),
    *((f"system/{name}.{given}", name, given) for name in READABLE.split("|") for given in ("rs", "r", "s")),
    ("system/Patient.rs", "Patient", "rs"),
    ("system/ResearchStudy.rs?status=active", "", ""),
    ("system/ResearchStudy.sr", "", ""),
    ("System/ResearchStudy.rs", "", ""),
    ("patient/*.rs", "", ""),
    ("user/*.rs", "", ""),
    ("system/*", "", ""),
    ("*", "", ""),
    ("", "", ""),
)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope[0] or "none")
def test_each_scope_opens_what_it_names_and_nothing_else(scope: tuple[str, str, str], service: Served) -> None:
    text, of, given = scope
    headers = bearer(token(scope=text))
    for method, path, resource, needed in ENDPOINTS:
        answer = service.client.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
        opened_ = of in ("*", resource) and set(needed) <= set(given)
        assert (answer.status_code != 403) is opened_, f"{text} on {method} {path}: {answer.status_code}"


def test_every_endpoint_stands_in_the_table(service: Served) -> None:
    routes = _routes(service.app)
    assert len(routes) > 10
    for method, path in routes:
        names = READABLE.split("|") if "/fhir/{name}" in path else [""]
        for name in names:
            called = path.replace("{name}", name).replace("{identity}", "X")
            called = called.replace("/results/" + name, "/results/X")
            assert rule_for(method, called) is not None, f"{method} {called} is in no rule"
    documented = {rule.path.pattern for rule in RULES if rule.kind == "scope"}
    reached = {rule_for(method, path).path.pattern for method, path, _, _ in ENDPOINTS}  # type: ignore[union-attr]
    assert reached == documented


def _routes(app: Any) -> list[tuple[str, str]]:
    paths = app.openapi()["paths"]
    found = [(method.upper(), path) for path, rows in paths.items() for method in rows]
    found += [(m, r.path) for r in app.routes if isinstance(r, APIRoute) for m in r.methods]
    return sorted(set(found))


PUBLIC_PATHS = ("/health", "/ready", "/fhir/metadata", "/openapi.json", "/cds-services",
                "/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration")  # fmt: skip


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_what_is_public_needs_no_token(path: str, service: Served) -> None:
    assert service.client.get(path).status_code == 200


NOWHERE = (("GET", "/metrics"), ("GET", "/x"), ("DELETE", "/fhir/Library/1"))


@pytest.mark.parametrize(("method", "path"), (*(row[:2] for row in ENDPOINTS), *NOWHERE))
def test_everything_else_needs_one(method: str, path: str, service: Served) -> None:
    assert service.client.request(method, path).status_code == 401


def test_what_no_rule_names_is_closed(service: Served) -> None:
    for method, path in (("GET", "/fhir/Patient"), ("DELETE", "/fhir/Library/1"), ("GET", "/docs")):
        assert service.client.request(method, path, headers=bearer(token())).status_code == 403


def test_metrics_take_any_token(service: Served) -> None:
    answer = service.client.get("/metrics", headers=bearer(token(scope="")))
    assert answer.status_code == 200
    assert "eligibility_requests_total" in answer.text


def test_the_smart_configuration(service: Served) -> None:
    document = service.client.get("/fhir/.well-known/smart-configuration").json()
    assert document["issuer"] == ISSUER
    assert "system/ResearchStudy.rs" in document["scopes_supported"]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]


@pytest.mark.parametrize(
    ("scopes", "resource", "permissions", "allowed"),
    (
        ("system/Library.r system/Library.s", "Library", "rs", True),
        ("system/Library.r system/Group.s", "Library", "rs", False),
        ("system/*.r system/Library.s", "Library", "rs", True),
    ),
)
def test_scopes_add_up(scopes: str, resource: str, permissions: str, allowed: bool) -> None:
    assert allows(frozenset(scopes.split()), resource, permissions) is allowed


# ---------------------------------------------------------------- results of others


def test_results_are_for_whoever_asked_for_them_and_for_those_who_may_read_everything(service: Served) -> None:
    mine = bearer(token(client_id="mine", scope="system/ResearchStudy.rs"))
    answer = service.client.post("/fhir/ResearchStudy/$screen", content=SAMPLE.read_bytes(), headers=mine)
    run = answer.headers["x-run-id"]
    other = bearer(token(client_id="other", scope="system/ResearchStudy.rs"))
    everything = bearer(token(client_id="other", scope="system/*.rs"))
    found = [service.client.get(f"/results/{run}", headers=h).status_code for h in (mine, other, everything)]
    assert found == [200, 404, 200]
    entries = [entry for _, entry, _ in service.app.state.storage.audit.entries() if entry.run == run]
    done = [(entry.who, entry.action) for entry in entries]
    assert done == [("mine", "screen"), ("mine", "read-result"), ("other", "read-result")]
    assert entries[0].patient == "Patient/01-in-good-order"


# ---------------------------------------------------------------- CDS Hooks


def hook_token(key: str = "ec", header: dict[str, Any] | None = None, **changed: Any) -> str:
    return token(key, header, **({"iss": HOOKS_ISSUER, "aud": PUBLIC + HOOK, "scope": None} | changed))


def call(service: Served, text: str, path: str = HOOK) -> Any:
    return service.client.post(path, json=CALL, headers={"authorization": f"Bearer {text}"})


def test_a_registered_cds_client_is_served_once_with_each_token(service: Served) -> None:
    text = hook_token()
    answer = call(service, text)
    assert answer.status_code == 200, answer.text
    assert call(service, text).status_code == 401


def test_a_cds_token_is_used_once_across_services(folder: Path, service: Served) -> None:
    clients = folder / "clients.json"
    text = hook_token()
    with served(secured(folder, hooks_clients=clients), Settings(content=content(folder), public_url=PUBLIC)) as other:
        assert call(other, text).status_code == 200
    assert call(service, text).status_code == 401


@pytest.mark.parametrize(
    "made",
    (
        lambda: token(),
        lambda: hook_token("rsa"),
        lambda: hook_token("other", {"kid": "ec"}),
        lambda: hook_token(iss="https://unknown.example.org"),
        lambda: hook_token(aud=PUBLIC),
        lambda: hook_token(aud=f"{PUBLIC}/cds-services/eligibility-tiny"),
        lambda: hook_token(header={"jku": "https://ehr.example.org/jwks"}),
        lambda: hook_token(header={"typ": "at+jwt"}),
        lambda: hook_token(exp=NOW - 3600, iat=NOW - 3700),
        lambda: hook_token(exp=NOW + 86400),
        lambda: hook_token(jti=None),
        lambda: hook_token("secret"),
    ),
)
def test_a_wrong_token_of_a_cds_client_is_refused(made: Callable[[], str], service: Served) -> None:
    assert call(service, made()).status_code == 401


def test_a_cds_client_with_a_written_key_set_may_name_its_registered_address(service: Served) -> None:
    def signed(jku: str) -> str:
        return hook_token(iss=SANDBOX, header={"jku": jku})

    assert call(service, signed(f"{SANDBOX}/jwks.json")).status_code == 200
    assert call(service, signed(f"{SANDBOX}/other.json")).status_code == 401


def test_a_browser_may_read_that_a_cds_call_was_refused(service: Served) -> None:
    answer = service.client.post(HOOK, json=CALL, headers={"origin": SANDBOX})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")
    elsewhere = service.client.get("/fhir/ResearchStudy", headers={"origin": SANDBOX})
    assert (elsewhere.status_code, "access-control-allow-origin" in elsewhere.headers) == (401, False)


# ---------------------------------------------------------------- the links of cards


def linked(service: Served) -> str:
    """The address behind a card, as this service is reached."""
    address = call(service, hook_token()).json()["cards"][0]["links"][0]["url"]
    assert address.startswith(f"{PUBLIC}/results/")
    return str(address.removeprefix(PUBLIC))


def test_the_link_of_a_card_opens_its_result_without_a_token(service: Served) -> None:
    link = linked(service)
    answer = service.client.get(link)
    assert answer.status_code == 200
    assert answer.json()[0]["patient"] == "Patient/1"
    assert answer.headers["cache-control"] == "no-store"
    run = link.split("/")[2].split("?")[0]
    done = [(e.who, e.action, e.patient) for _, e, _ in service.app.state.storage.audit.entries() if e.run == run]
    assert done[1:] == [("link of a card", "read-result", "Patient/1")]
    assert link.split("=")[1] not in service.log.getvalue()


def test_a_link_opens_nothing_but_its_result(service: Served) -> None:
    first, second = linked(service), linked(service)
    run, secret = first.split("?link=")
    other = second.split("?link=")[0]
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for address in (
        run, f"{run}?link=", f"{run}?link={changed}", f"{other}?link={secret}", f"{run}?LINK={secret}",
        f"/fhir/ResearchStudy?link={secret}", f"/results/unknown?link={secret}", f"{run}/?link={secret}",
        f"/metrics?link={secret}",
    ):  # fmt: skip
        assert service.client.get(address).status_code == 401, address
    assert service.client.post(f"/fhir/$cql?link={secret}", content=EXPRESSION, headers=FHIR).status_code == 401
    assert service.client.get(first, headers=bearer("none")).status_code == 401, "a wrong token is not overlooked"
    assert service.client.get(first).status_code == 200


def test_a_link_expires(folder: Path) -> None:
    with served(secured(folder, link_minutes=1), Settings(content=content(folder), public_url=PUBLIC)) as made:
        scope = {"scope": "system/ResearchStudy.rs"}
        answer = made.client.post(HOOK, json=CALL, headers={"authorization": f"Bearer {token(**scope)}"})
        link = answer.json()["cards"][0]["links"][0]["url"].removeprefix(PUBLIC)
        assert made.client.get(link).status_code == 200
        digest = hashlib.sha256(link.split("=")[1].encode()).hexdigest()
        run, now, storage = link.split("/")[2].split("?")[0], int(time.time()), made.app.state.storage
        assert storage.opens(digest, run, now + 50)
        assert not storage.opens(digest, run, now + 61)
        storage.forget_tokens(now + 61)
        answer = made.client.get(link)
        assert answer.status_code == 401
        assert "has expired" in answer.json()["issue"][0]["diagnostics"]


# ---------------------------------------------------------------- key sets


class Site:
    """Answers fetches of a key set, and counts them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


def test_a_key_set_is_fetched_when_needed_and_not_for_every_unknown_key() -> None:
    import asyncio

    async def go() -> None:
        at = [1000.0]
        site = Site(public_keys("rsa"), public_keys("rsa", "ec"))
        found = FetchedKeys("https://login.example.org/jwks", lambda: at[0], site)
        assert await found.find("rsa") is not None
        assert await found.find("ec") is None
        assert len(site.asked) == 1
        at[0] += 61
        assert await found.find("ec") is not None
        assert await found.find("rsa") is not None
        assert site.asked == ["https://login.example.org/jwks"] * 2

    asyncio.run(go())


def test_known_keys_stay_when_their_address_does_not_answer() -> None:
    import asyncio

    async def go() -> None:
        at = [1000.0]
        found = FetchedKeys("https://login.example.org/jwks", lambda: at[0], Site(public_keys("rsa"), OSError("away")))
        assert await found.find("rsa") is not None
        at[0] += 3600
        assert await found.find("rsa") is not None

    asyncio.run(go())


@pytest.mark.parametrize(
    "url", ("http://login.example.org/jwks", "https://user@login.example.org/jwks", "ftp://x/jwks", "https:///jwks")
)
def test_keys_are_fetched_over_https_from_plain_addresses(url: str) -> None:
    with pytest.raises(InputError):
        FetchedKeys(url, time.time)


@pytest.mark.parametrize(
    ("made", "sentence"),
    (
        (list, "is no JSON Web Key Set"),
        (lambda: {"keys": [keys()["rsa"].as_dict(private=True)]}, "holds a secret"),
        (lambda: {"keys": [keys()["secret"].as_dict(private=True)]}, "holds a secret"),
        (lambda: {"keys": [public_keys("rsa")["keys"][0]] * 2}, "has the kid of another key"),
        (lambda: {"keys": [{"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB"}]}, "key 1"),
    ),
)
def test_a_key_set_with_what_does_not_belong_there_is_refused(made: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        FixedKeys(made(), "jwks.json")


# ---------------------------------------------------------------- without configuration


@pytest.mark.parametrize(("host", "open_"), (("127.0.0.1", True), ("::1", True), ("localhost", True),
                                             ("0.0.0.0", False), ("::", False), ("10.0.0.7", False)))  # fmt: skip
def test_without_tokens_only_this_machine_is_listened_to(host: str, open_: bool, folder: Path) -> None:
    if open_:
        check_host(host, opened(folder))
    else:
        with pytest.raises(InputError, match="ELIGIBILITY_ISSUER"):
            check_host(host, opened(folder))
    check_host(host, secured(folder))


def test_an_open_service_answers_to_the_names_of_its_machine_only(folder: Path) -> None:
    """A web page that lends the machine another name (DNS rebinding) gets nothing."""
    with served(opened(folder), Settings(content=content(folder))) as made:
        for host, status in (("localhost:8000", 200), ("[::1]:8000", 200), ("evil.example.org", 403), ("", 400)):
            answer = made.client.post(CQL, content=EXPRESSION, headers={**FHIR, "host": host})
            assert answer.status_code in ((status, 403) if status == 400 else (status,)), host


@pytest.mark.parametrize(
    ("given", "sentence"),
    (
        ({"issuer": ISSUER}, "set ELIGIBILITY_JWKS and ELIGIBILITY_PUBLIC_URL too"),
        ({"issuer": "login.example.org"}, "ELIGIBILITY_ISSUER: write the whole address"),
        ({"workers": 0}, "ELIGIBILITY_WORKERS"),
        ({"log_level": "loud"}, "ELIGIBILITY_LOG_LEVEL: is debug"),
        ({"time_zone": "Mars"}, "ELIGIBILITY_TIME_ZONE: is no offset"),
        ({"audit_key_file": "/nothing/here"}, "cannot be read"),
        ({"hooks_clients": "/nothing/here", "public_url": PUBLIC}, "set ELIGIBILITY_ISSUER"),
    ),
)
def test_settings_that_do_not_fit_are_told(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        deployment(**given)
