"""Checks signed tokens: bearer tokens of a SMART authorization server, and the tokens of CDS Hooks clients.

What a token says of its own keys is never believed: the key is looked up by ``kid`` among those registered, and its
algorithm has to be one for that key. Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best current practice),
RFC 9068 (access tokens); SMART App Launch 2.2, "Scopes"; CDS Hooks 2.0, "Trusting CDS Clients".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from engine.errors import EligibilityError, InputError

ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None), "RS384": ("RSA", None), "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"),
}  # fmt: skip
"""Each algorithm with the type and curve of its keys. RS384 and ES384 are SMART's, the others are common."""

MAX_TOKEN: Final = 8 * 1024
MAX_KEYS: Final = 256 * 1024
LEEWAY: Final = 30
"""Seconds by which clocks may differ."""
REFETCH: Final = 60
"""Seconds between two fetches of one key set for the sake of an unknown key."""
FRESH: Final = 300
"""Seconds after which a fetched key set is fetched again."""
SMALLEST_RSA: Final = 2048
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

Key = RSAKey | ECKey
Claims = Mapping[str, Any]


class TokenRefused(EligibilityError):
    """A token that is not accepted; its sentence repeats nothing of the token."""


class UsedTokens(Protocol):
    """Remembers single-use tokens, across all processes of a service."""

    def first_use(self, digest: str, expires: int) -> bool:
        """Remembers the digest until ``expires`` (seconds since 1970); False when it is known already."""


# ---------------------------------------------------------------- keys


class Keys(Protocol):
    """The registered keys of one issuer."""

    async def find(self, kid: str) -> Key | None:
        """The key of that id."""


class FixedKeys:
    """The keys of a JSON Web Key Set at hand.

    Raises:
        InputError: no key set, or one with keys that may not be there; ``source`` names it.
    """

    def __init__(self, content: Any, source: str) -> None:
        rows = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise InputError(source, "", 'is no JSON Web Key Set: an object with a list "keys"')
        self.keys: dict[str, Key] = {}
        for number, row in enumerate(rows, start=1):
            found = _key(row, source, f"key {number}")
            if found is not None:
                kid, key = found
                if kid in self.keys:
                    raise InputError(source, f"key {number}", "has the kid of another key")
                self.keys[kid] = key

    async def find(self, kid: str) -> Key | None:
        """The key of that id."""
        return self.keys.get(kid)


def _key(row: Any, source: str, place: str) -> tuple[str, Key] | None:
    """Id and key; None for one that is not for signatures or of a kind that is not used here."""
    if not isinstance(row, dict):
        raise InputError(source, place, "is no JSON Web Key")
    if PRIVATE & set(row):
        raise InputError(source, place, "holds a secret; register public RSA or EC keys only")
    kid, kind = row.get("kid"), row.get("kty")
    if kind not in ("RSA", "EC") or row.get("use", "sig") != "sig" or not isinstance(kid, str) or not kid:
        return None
    if row.get("key_ops") is not None and "verify" not in row["key_ops"]:
        return None
    try:
        key: Key = RSAKey.import_key(row) if kind == "RSA" else ECKey.import_key(row)
        size = key.raw_value.key_size if isinstance(key, RSAKey) else SMALLEST_RSA
    except (JoseError, ValueError, TypeError, KeyError):
        raise InputError(source, place, "cannot be read as a key") from None
    if size < SMALLEST_RSA:
        raise InputError(source, place, f"is an RSA key of {size} bits; at least {SMALLEST_RSA} are needed")
    return kid, key


Fetch = Callable[[str], "asyncio.Future[bytes]"]


class FetchedKeys:
    """A key set at a configured address, fetched from there and nowhere else, kept for a while.

    ``fetch`` gives the bytes at the address; :func:`fetch_keys` is the one for real.
    """

    def __init__(self, url: str, now: Callable[[], float], fetch: Callable[[str], Any] | None = None) -> None:
        self.url = checked_address(url)
        self.now = now
        self.fetch = fetch or fetch_keys
        self.held = FixedKeys({"keys": []}, url)
        self.fetched: float | None = None
        self.lock = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """The key of that id; an unknown one makes the set be fetched again, at most once in :data:`REFETCH`."""
        known = await self.held.find(kid)
        if known is not None and self._age() < FRESH:
            return known
        async with self.lock:
            if self._age() >= (FRESH if known is not None else REFETCH):
                await self._renew()
        return await self.held.find(kid)

    def _age(self) -> float:
        return float("inf") if self.fetched is None else self.now() - self.fetched

    async def _renew(self) -> None:
        self.fetched = self.now()
        try:
            self.held = FixedKeys(json.loads(await self.fetch(self.url)), self.url)
        except (OSError, ValueError, InputError, RecursionError):
            # The keys held stay in use for as long as the address does not answer, new ones are unknown.
            return


async def fetch_keys(url: str) -> bytes:
    """The bytes at an address: no redirects, no proxies of the environment, bounded in size and time.

    Raises:
        OSError: they cannot be had.
    """
    import httpx2

    try:
        async with (
            httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=5) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise OSError(f"status {answer.status_code}")
            data = b""
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > MAX_KEYS:
                    raise OSError("too large")
            return data
    except httpx2.HTTPError as problem:
        raise OSError(type(problem).__name__) from None


def checked_address(url: str) -> str:
    """The address, if keys may come from there: https, or http on this machine.

    Raises:
        InputError: they may not.
    """
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise InputError(url, "", "keys are fetched over https only (http for this machine)")
    if parts.username is not None or parts.password is not None or not parts.hostname:
        raise InputError(url, "", "is no plain address of a key set")
    return url


# ---------------------------------------------------------------- tokens


@dataclass(frozen=True, slots=True)
class Demands:
    """What a kind of token has to be: ``types`` allowed as ``typ`` (lower case), ``required`` claims, ``lifetime``."""

    types: frozenset[str]
    required: tuple[str, ...]
    lifetime: int
    single_use: bool
    headers: frozenset[str]


BEARER: Final = Demands(
    frozenset({"jwt", "at+jwt", "application/at+jwt"}), ("iss", "aud", "exp", "iat", "jti"), 24 * 3600, False,
    frozenset({"alg", "kid", "typ"}),
)  # fmt: skip
HOOKS: Final = Demands(
    frozenset({"jwt"}), ("iss", "aud", "exp", "iat", "jti"), 3600, True, frozenset({"alg", "kid", "typ", "jku"})
)  # fmt: skip


def header_of(token: str, demands: Demands) -> dict[str, Any]:
    """The header of a token, if it is one that may be looked at further.

    Raises:
        TokenRefused: malformed, too long, of another algorithm or type, or with keys or extensions of its own.
    """
    if len(token) > MAX_TOKEN or not _SHAPE.fullmatch(token):
        raise TokenRefused("the token is no signed JWT in compact form of a sensible size")
    header = _object(token.split(".")[0])
    surplus = set(header) - demands.headers
    if surplus:
        raise TokenRefused("the token's header names keys or extensions of its own, which are not taken from there")
    if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
        raise TokenRefused(f"the token is not signed with one of {', '.join(ALGORITHMS)}")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        raise TokenRefused("the token's header has no kid, the id of the key that signed it")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in demands.types:
        raise TokenRefused("the token is of another type (typ) than is asked for here")
    return header


def issuer_of(token: str) -> str:
    """The issuer a token claims; only for looking up whose keys could prove it."""
    issuer = _object(token.split(".")[1]).get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("the token does not say who issued it (iss)")
    return issuer


async def verified(
    token: str, demands: Demands, keys: Keys, *, issuer: str, audiences: frozenset[str], now: float,
) -> Claims:  # fmt: skip
    """The claims of a token whose signature, issuer, audience and times are right.

    Raises:
        TokenRefused: they are not; says what is wrong.
    """
    header = header_of(token, demands)
    key = await keys.find(header["kid"])
    if key is None:
        raise TokenRefused("the key that the token names is not registered")
    kind, curve = ALGORITHMS[header["alg"]]
    fits = key.key_type == kind and (curve is None or key.as_dict(private=False).get("crv") == curve)
    if not fits or key.get("alg") not in (None, header["alg"]):
        raise TokenRefused("the token's algorithm is not that of the key it names")
    try:
        jws.deserialize_compact(token, key, algorithms=[header["alg"]])
    except (JoseError, ValueError):
        raise TokenRefused("the token's signature is not right") from None
    claims = _object(token.split(".")[1])
    _check(claims, demands, issuer, audiences, now)
    return claims


def _check(claims: Claims, demands: Demands, issuer: str, audiences: frozenset[str], now: float) -> None:
    for name in demands.required:
        if name not in claims:
            raise TokenRefused(f"the token lacks the claim '{name}'")
    if claims["iss"] != issuer:
        raise TokenRefused("the token is of another issuer")
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not any(isinstance(one, str) and one in audiences for one in named):
        raise TokenRefused("the token is meant for another audience")
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if now >= expires + LEEWAY:
        raise TokenRefused("the token has expired")
    if issued > now + LEEWAY or ("nbf" in claims and _time(claims, "nbf") > now + LEEWAY):
        raise TokenRefused("the token is not valid yet")
    if expires - issued > demands.lifetime:
        raise TokenRefused(f"the token lives longer than the {demands.lifetime} seconds that are accepted")
    if not isinstance(claims["jti"], str) or not 0 < len(claims["jti"]) <= 512:
        raise TokenRefused("the token's id (jti) is no text of a sensible length")


def _time(claims: Claims, name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise TokenRefused(f"the token's time '{name}' is no number of seconds")
    return float(value)


def use_once(claims: Claims, used: UsedTokens) -> None:
    """Takes note that this token was used.

    Raises:
        TokenRefused: it was used before, here or in another process.
    """
    digest = hashlib.sha256(f"{claims['iss']}\0{claims['jti']}".encode()).hexdigest()
    if not used.first_use(digest, int(claims["exp"]) + LEEWAY + 1):
        raise TokenRefused("the token was used before; each of its kind is good for one request")


def _object(part: str) -> dict[str, Any]:
    """The JSON object of a part of a token, without names that stand twice and without halves of characters."""
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(data, object_pairs_hook=_once)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair has no bytes
    except (binascii.Error, ValueError, RecursionError):
        raise TokenRefused("the token cannot be read") from None
    if not isinstance(value, dict):
        raise TokenRefused("the token cannot be read")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


# ---------------------------------------------------------------- scopes

_SCOPE: Final = re.compile(r"system/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)")
_FIRST_VERSION: Final = {"read": "rs", "write": "cud", "*": "cruds"}


def allows(scopes: frozenset[str], resource: str, permissions: str) -> bool:
    """True when the scopes give every one of the permissions (of ``cruds``) on the resource type; ``*`` is all types.

    ``system/ResearchStudy.rs`` and, of SMART's first version, ``system/ResearchStudy.read``. A scope with a query
    (``?status=active``) gives nothing here, since that would widen it.
    """
    had: set[str] = set()
    for scope in scopes:
        match = _SCOPE.fullmatch(scope)
        if match and match[1] in ("*", resource):
            had |= set(_FIRST_VERSION.get(match[2], match[2]))
    return set(permissions) <= had
