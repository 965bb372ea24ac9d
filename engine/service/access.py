"""Who may call what: one table of endpoints and the scopes that open them, checked before a body is read.

What is not in the table is closed. Sources: SMART App Launch 2.2 (scopes, well-known document), RFC 6750 (bearer
tokens), CDS Hooks 2.0 ("Trusting CDS Clients": each call carries a token of its own, meant for the address called).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import InputError
from engine.service.deployment import Deployment, is_loopback
from engine.service.principal import LOCAL, Principal
from engine.service.refusals import refused
from engine.service.tokens import (
    BEARER,
    HOOKS,
    FetchedKeys,
    FixedKeys,
    Keys,
    TokenRefused,
    UsedTokens,
    allows,
    header_of,
    issuer_of,
    use_once,
    verified,
)
from engine.service.wire import refusal

CALLING: ContextVar[Principal] = ContextVar("calling", default=LOCAL)
"""The caller of the request under way, for what is recorded below the routes."""
NOTED: ContextVar[dict[str, Any] | None] = ContextVar("noted", default=None)
"""The state of the request under way, where what is recorded below the routes leaves the id of the run."""

READABLE: Final = "ResearchStudy|Group|Library|ValueSet"


@dataclass(frozen=True, slots=True)
class Rule:
    """``kind`` says what a caller needs: nothing, a bearer token with ``permissions`` on ``resource``, or a hook's."""

    method: str
    path: re.Pattern[str]
    kind: Literal["public", "scope", "hook", "metrics"]
    resource: str = ""
    permissions: str = ""


class Links(Protocol):
    """The links of cards that are good."""

    def opens(self, digest: str, run: str, now: int) -> bool:
        """True when the digest is of a link to the run that has not expired."""


def _rule(method: str, path: str, kind: Any, resource: str = "", permissions: str = "") -> Rule:
    return Rule(method, re.compile(path), kind, resource, permissions)


RESULT: Final = re.compile("/results/[^/]+")
LINK: Final = "link"
"""The parameter of an address that holds the secret of a card's link."""
RULES: Final = (
    _rule("GET", "/health", "public"),
    _rule("GET", "/ready", "public"),
    _rule("GET", "/metrics", "metrics"),
    _rule("GET", "/openapi.json", "public"),
    _rule("GET", "(/fhir)?/.well-known/smart-configuration", "public"),
    _rule("GET", "/fhir/metadata", "public"),
    *(_rule("GET", f"/fhir/{name}/[^/]+", "scope", name, "r") for name in READABLE.split("|")),
    *(_rule("GET", f"/fhir/{name}", "scope", name, "s") for name in READABLE.split("|")),
    _rule("POST", r"/fhir/ResearchStudy(/[^/]+)?/\$screen", "scope", "ResearchStudy", "rs"),
    _rule("POST", r"/fhir/Library(/[^/]+)?/\$evaluate", "scope", "Library", "rs"),
    _rule("POST", r"/fhir/\$cql", "scope", "Library", "rs"),
    Rule("GET", RESULT, "scope", "ResearchStudy", "rs"),
    _rule("GET", "/cds-services", "public"),
    _rule("POST", "/cds-services/[^/]+", "hook"),
    _rule("POST", "/cds-services/[^/]+/feedback", "hook"),
)
"""Every endpoint of the service."""


def rule_for(method: str, path: str) -> Rule | None:
    """The rule of an endpoint; HEAD is GET's."""
    wanted = "GET" if method == "HEAD" else method
    return next((rule for rule in RULES if rule.method == wanted and rule.path.fullmatch(path)), None)


class Gate:
    """Decides who calls, from the headers of a request."""

    def __init__(
        self, deployment: Deployment, used: UsedTokens, links: Links, now: Callable[[], float] = time.time
    ) -> None:
        self.deployment, self.used, self.links, self.now = deployment, used, links, now
        self.keys: Keys | None = None if deployment.jwks is None else _keys(deployment.jwks, now)
        self.clients: Mapping[str, tuple[Keys, str | None]] | None = None
        if deployment.clients is not None:
            self.clients = {row["iss"]: _client(row, now) for row in deployment.clients}

    async def admit(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str] = MappingProxyType({})
    ) -> Principal:
        """The caller. A result is also opened by the link of its card, which takes the place of a token.

        Raises:
            TokenRefused: no token, or one that is not accepted.
            PermissionError: the token's scopes do not open this endpoint, or nothing does.
        """
        rule = rule_for(method, path)
        if rule is not None and rule.kind == "public":
            return LOCAL if not self.deployment.secured else Principal("anyone")
        if not self.deployment.secured:
            self._local(headers)
            return LOCAL
        if rule is not None and rule.kind == "metrics" and self.deployment.metrics_open:
            return Principal("anyone")
        if rule is not None and rule.kind == "hook":
            return await self._hook(path, _bearer(headers))
        if rule is not None and rule.path is RESULT and LINK in query and "authorization" not in headers:
            return await self._linked(path.rsplit("/", 1)[1], query[LINK])
        caller = await self._caller(_bearer(headers))
        if rule is None:
            raise PermissionError("no scope opens this address")
        if rule.kind == "scope" and not allows(caller.scopes, rule.resource, rule.permissions):
            raise PermissionError(f"this needs the scope system/{rule.resource}.{rule.permissions}")
        return caller

    def _local(self, headers: Mapping[str, str]) -> None:
        """An open service answers to its own machine's names only: a web page elsewhere cannot lend it another."""
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if re.search(r":\d+$", host) else host
        if not is_loopback(name):
            raise PermissionError("this service is open to its own machine only; call it as 127.0.0.1 or localhost")

    async def _caller(self, token: str) -> Principal:
        assert self.keys is not None, "a secured deployment has keys"
        assert self.deployment.issuer is not None, "a secured deployment has an issuer"
        audiences = self.deployment.accepted_audiences
        claims = await verified(
            token, BEARER, self.keys, issuer=self.deployment.issuer, audiences=audiences, now=self.now()
        )
        if self.deployment.single_use_tokens:
            await asyncio.to_thread(use_once, claims, self.used)
        name = next((claims[n] for n in ("client_id", "azp", "sub") if isinstance(claims.get(n), str)), None)
        if not name:
            raise TokenRefused("the token does not say whose it is (client_id or sub)")
        scopes = claims.get("scope")
        granted = frozenset(scopes.split()) if isinstance(scopes, str) else frozenset[str]()
        return Principal(name[:200], granted)

    async def _linked(self, run: str, secret: str) -> Principal:
        """Whoever holds the link of a card, for the one result that it is of."""
        if not await asyncio.to_thread(self.links.opens, link_digest(secret), run, int(self.now())):
            raise TokenRefused("the link has expired, or is not of this result; open the chart again for a new one")
        return Principal("link of a card", run=run)

    async def _hook(self, path: str, token: str) -> Principal:
        """The CDS client whose own token this is; with a bearer token of SMART where no clients are configured."""
        if self.clients is None:
            caller = await self._caller(token)
            if not allows(caller.scopes, "ResearchStudy", "rs"):
                raise PermissionError("this needs the scope system/ResearchStudy.rs")
            return caller
        header = header_of(token, HOOKS)
        issuer = issuer_of(token)
        keys, jku = self.clients.get(issuer, (None, None))
        if keys is None:
            raise TokenRefused("the token is of no CDS client that is registered here")
        if "jku" in header and header["jku"] != jku:
            raise TokenRefused("the token names a key set (jku) that is not the one registered for its issuer")
        audiences = frozenset({f"{self.deployment.public_url}{path}"})
        claims = await verified(token, HOOKS, keys, issuer=issuer, audiences=audiences, now=self.now())
        await asyncio.to_thread(use_once, claims, self.used)
        return Principal(f"cds:{issuer}"[:200])


def link_digest(secret: str) -> str:
    """What is kept of a link's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _keys(place: str, now: Callable[[], float]) -> Keys:
    if place.startswith(("https://", "http://")):
        return FetchedKeys(place, now)
    try:
        return FixedKeys(json.loads(Path(place).read_bytes()), place)
    except OSError as problem:
        raise InputError(place, "", f"cannot be read: {problem.strerror}") from None
    except ValueError:
        raise InputError(place, "", "is no JSON Web Key Set") from None


def _client(row: dict[str, Any], now: Callable[[], float]) -> tuple[Keys, str | None]:
    """The keys of a client, and the ``jku`` its tokens may name; of both, the keys written down count."""
    jku = str(row["jku"]) if "jku" in row else None
    if jku is None or "jwks" in row:
        return FixedKeys(row["jwks"], f"the CDS client {row['iss']}"), jku
    return FetchedKeys(jku, now), jku


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise TokenRefused("this needs a bearer token in the header Authorization")
    return token.strip()


class AccessMiddleware:
    """Admits a request or answers 401 or 403; remembers the caller for routes and records."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app, self.gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A preflight of CORS carries no token and gets no data.
        if scope["type"] != "http" or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if len(request.headers.getlist("authorization")) > 1:
                raise TokenRefused("the header Authorization stands twice")
            caller = await self.gate.admit(scope["method"], scope["path"], request.headers, request.query_params)
        except TokenRefused as problem:
            answer = refusal(refused(401, "login", str(problem)).refusal)
            answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            await answer(scope, receive, send)
            return
        except PermissionError as problem:
            answer = refusal(refused(403, "forbidden", str(problem)).refusal)
            await answer(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["caller"] = caller
        # Each request is a task of its own: what is set here ends with it.
        CALLING.set(caller)
        NOTED.set(state)
        await self.app(scope, receive, send)


async def admitted(request: Request) -> Principal:
    """The caller that the middleware admitted: what routes ask by :data:`~engine.service.principal.Caller`."""
    caller: Principal = request.scope["state"]["caller"]
    return caller


def smart_configuration(deployment: Deployment) -> dict[str, Any]:
    """The document at ``.well-known/smart-configuration`` (SMART App Launch 2.2, "Conformance")."""
    names = ("*", *READABLE.split("|"), "Patient")
    document: dict[str, Any] = {
        "issuer": deployment.issuer,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": [f"system/{name}.rs" for name in names],
        "capabilities": ["client-confidential-asymmetric", "permission-v2", "permission-v1"],
    }
    if deployment.jwks is not None and deployment.jwks.startswith("https://"):
        document["jwks_uri"] = deployment.jwks
    if deployment.token_endpoint is not None:
        document["token_endpoint"] = deployment.token_endpoint
    return document
