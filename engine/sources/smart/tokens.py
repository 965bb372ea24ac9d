"""Access tokens: where they are to be had, and having one that still holds.

Source: SMART App Launch 2.x, "Backend Services"; "Conformance" for ``.well-known/smart-configuration``.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.sources.smart.addresses import Addresses
from engine.sources.smart.failures import NoToken, ServerError, shown
from engine.sources.smart.http import Answer, Connection
from engine.sources.smart.keys import SigningKey

DISCOVERY = ".well-known/smart-configuration"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEFAULT_LIFETIME = 300
"""Seconds a token is taken to hold when the server does not say; the specification recommends no more than these."""

MAX_MARGIN = 60
"""A token is renewed this many seconds before its end, or at a fifth of a shorter life."""

_SYSTEM_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z0-9]*)\.(read|write|\*|[cruds]+)(\?.+)?")


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What ``.well-known/smart-configuration`` says to a backend service."""

    token_endpoint: str
    algorithms: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


def discover(connection: Connection) -> SmartConfiguration:
    """The configuration that the server publishes.

    Raises:
        ServerError: there is none, or it names no token endpoint that may be contacted.
    """
    settings = connection.settings
    addresses = Addresses(connection.name, settings.base_url, settings.token_origins)
    content = connection.json(
        connection.addresses.below(DISCOVERY), DISCOVERY, accept="application/json", authorized=False
    )
    endpoint = addresses.check(content.get("token_endpoint"), f"{DISCOVERY}: token_endpoint")
    return SmartConfiguration(
        endpoint,
        _texts(content.get("token_endpoint_auth_signing_alg_values_supported")),
        _texts(content.get("token_endpoint_auth_methods_supported")),
    )


def uncovered(types: Iterable[str], scopes: Iterable[str]) -> dict[str, str]:
    """The types of which these granted scopes do not open all resources, each with the reason.

    An export leaves such types out without a word, as a search may. A scope with a query opens a part. Scopes among
    which none is a system scope say nothing about types.
    Source: SMART App Launch 2.x, "Scopes for requesting FHIR Resources".
    """
    granted = [found for found in map(_SYSTEM_SCOPE.fullmatch, scopes) if found]
    open_ = {kind for kind, rights, query in (found.groups() for found in granted) if not query and _reads(rights)}
    if not granted or "*" in open_:
        return {}
    listed = shown(" ".join(found[0] for found in granted))
    reason = f"the access token does not open all of it: the server granted '{listed}'"
    return {kind: reason for kind in types if kind not in open_}


def _reads(rights: str) -> bool:
    """True for the rights to read and to search, in the words of either version."""
    return rights in ("read", "*") or {"r", "s"} <= set(rights)


class TokenCache:
    """The access token of one server, asked for when first needed and renewed before it ends. For several threads."""

    def __init__(self, connection: Connection, key: SigningKey) -> None:
        self._connection = connection
        self._key = key
        self._lock = threading.Lock()
        self._endpoint: str | None = connection.settings.token_url
        self._token: str | None = None
        self._renew_at = 0.0
        self.scopes: tuple[str, ...] = ()
        """The scopes of the token, as the server gave them; empty before the first."""

    def token(self) -> str:
        """A token that still holds.

        Raises:
            NoToken: the server gives none; the sentence has its reason.
        """
        with self._lock:
            if self._token is None or self._connection.clock.elapsed() >= self._renew_at:
                self._token = None
                try:
                    self._renew()
                except ServerError as problem:
                    raise NoToken(problem.source, problem.place, problem.message) from None
            assert self._token is not None
            return self._token

    def refused(self, token: str) -> None:
        """Forgets the token, if it is still the one in use."""
        with self._lock:
            if self._token == token:
                self._token = None

    def uncovered(self, types: Iterable[str]) -> dict[str, str]:
        """The types that the last token does not open, each with the reason; nothing before the first token."""
        return uncovered(types, self.scopes)

    def _renew(self) -> None:
        if self._endpoint is None:
            self._endpoint = self._discovered()
        endpoint, connection = self._endpoint, self._connection
        settings = connection.settings

        def form() -> dict[str, str]:
            return {
                "grant_type": "client_credentials",
                "scope": " ".join(settings.scopes),
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._key.assertion(settings.client_id, endpoint, connection.clock.now()),
            }

        asked = connection.clock.elapsed()
        answer = connection.post_form(endpoint, "the access token", form)
        if answer.status != 200:
            raise _refusal(connection, answer)
        content = connection.decoded(answer, "the access token")
        token, kind = content.get("access_token"), content.get("token_type")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError(connection.name, "the access token", "the answer holds no access_token")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            message = f"the server gives a token of type {shown(kind)!r}; only 'bearer' is known"
            raise ServerError(connection.name, "the access token", message)
        lifetime = _lifetime(content.get("expires_in"))
        self._token = token
        self._renew_at = asked + lifetime - min(MAX_MARGIN, lifetime / 5)
        self.scopes = tuple(str(content.get("scope") or " ".join(settings.scopes)).split())

    def _discovered(self) -> str:
        found = discover(self._connection)
        if found.methods and "private_key_jwt" not in found.methods:
            listed = ", ".join(map(shown, found.methods))
            message = f"the server takes {listed}, not private_key_jwt, which backend services use"
            raise ServerError(self._connection.name, DISCOVERY, message)
        if found.algorithms and self._key.algorithm not in found.algorithms:
            listed = ", ".join(map(shown, found.algorithms))
            message = f"the server takes assertions signed with {listed}; this key signs with {self._key.algorithm}"
            raise ServerError(self._connection.name, DISCOVERY, message)
        return found.token_endpoint


def _refusal(connection: Connection, answer: Answer) -> ServerError:
    """The sentence of a token endpoint's error (RFC 6749 section 5.2)."""
    try:
        content: dict[str, Any] = connection.decoded(answer, "")
    except ServerError:
        content = {}
    words = [str(content[name]) for name in ("error", "error_description") if content.get(name)]
    reason = f": {shown(': '.join(words))}" if words else ""
    hint = "; check client_id, the registered public key and the scopes" if answer.status in (400, 401) else ""
    message = f"the token endpoint answered {answer.status}{reason}{hint}"
    return ServerError(connection.name, "the access token", message, status=answer.status)


def _lifetime(given: Any) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFETIME
    # A comparison with a NaN is false: it is no lifetime either.
    return min(max(seconds, 1.0), 86_400.0) if seconds >= 0 else DEFAULT_LIFETIME


def _texts(given: Any) -> tuple[str, ...]:
    return tuple(item for item in given if isinstance(item, str)) if isinstance(given, list) else ()
