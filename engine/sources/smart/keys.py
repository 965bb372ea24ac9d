"""The private key of this client, and the assertion it signs (private_key_jwt).

Source: SMART App Launch 2.x, "Client Authentication: Asymmetric (public key)": RS384 or ES384, issuer and subject the
client id, audience the token endpoint, at most five minutes, an identifier used once.
"""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any, get_args

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from engine.errors import InputError
from engine.sources.smart.settings import Algorithm, ServerSettings

LIFETIME = 240
"""Seconds an assertion holds: under the five minutes allowed, with room for clocks that differ."""

MIN_RSA_BITS = 2048
_ALGORITHMS: dict[str, Algorithm] = {"RSA": "RS384", "EC": "ES384"}


class SigningKey:
    """A private key with its algorithm and identifier. Its text never shows the key."""

    def __init__(self, key: Any, algorithm: Algorithm, key_id: str) -> None:
        self._key = key
        self.algorithm = algorithm
        self.key_id = key_id

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.key_id!r})"

    @classmethod
    def load(cls, settings: ServerSettings) -> SigningKey:
        """The key that a server's settings name: a JWK, or a JWK Set in which ``key_id`` tells it.

        Raises:
            InputError: the file is missing, holds no usable private key, or the key does not fit the algorithm.
        """
        path = settings.path(settings.key_file)
        return cls._of(_chosen(_read(path), settings.key_id, str(path)), settings, str(path))

    @classmethod
    def _of(cls, given: dict[str, Any], settings: ServerSettings, source: str) -> SigningKey:
        kind = given.get("kty")
        if kind not in _ALGORITHMS:
            raise InputError(source, "kty", f"is {kind!r}; a private key of kty 'RSA' or 'EC' was expected")
        if "d" not in given:
            raise InputError(source, "d", "is missing: this is a public key; give the private one to this file only")
        algorithm = settings.algorithm or given.get("alg") or _ALGORITHMS[kind]
        if algorithm not in get_args(Algorithm) or _ALGORITHMS[kind] != algorithm:
            raise InputError(source, "alg", f"a key of kty '{kind}' signs with {_ALGORITHMS[kind]}, not {algorithm!r}")
        if kind == "EC" and given.get("crv") != "P-384":
            raise InputError(source, "crv", f"is {given.get('crv')!r}; ES384 needs the curve 'P-384'")
        key_id = settings.key_id or given.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise InputError(source, "kid", "is missing; name the key here or with key_id in the settings")
        bits = _bits(given.get("n")) if kind == "RSA" else 0
        if kind == "RSA" and 0 < bits < MIN_RSA_BITS:
            raise InputError(source, "n", f"is a key of {bits} bits; at least {MIN_RSA_BITS} are needed")
        plain = {k: v for k, v in given.items() if k not in ("alg", "use", "key_ops", "kid", "ext")}
        try:
            key: Any = jwk.import_key(plain, kind)
            key.private_key  # noqa: B018 - joserfc puts the members together when first asked
        except (JoseError, ValueError, TypeError):
            # The reason of the library could hold parts of the key.
            raise InputError(source, "", f"holds no usable private {kind} key; its members do not make one") from None
        return cls(key, algorithm, key_id)

    def assertion(self, client_id: str, audience: str, now: float) -> str:
        """A signed assertion for the token endpoint ``audience``, good for :data:`LIFETIME` seconds and for one use."""
        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        claims: dict[str, Any] = {
            "iss": client_id, "sub": client_id, "aud": audience, "iat": int(now), "exp": int(now) + LIFETIME,
            "jti": str(uuid.uuid4()),
        }  # fmt: skip
        return jwt.encode(header, claims, self._key, algorithms=[self.algorithm])


def _bits(modulus: Any) -> int:
    """The length of an RSA key, from its modulus in base64url; 0 for anything else."""
    try:
        return int.from_bytes(urlsafe_b64decode(f"{modulus}===")).bit_length() if isinstance(modulus, str) else 0
    except ValueError:
        return 0


def _read(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise InputError(str(path), "", "there is no such key file; it should hold the private key as a JWK") from None
    except OSError as problem:
        raise InputError(str(path), "", f"the file cannot be read: {problem.strerror}") from None
    except (msgspec.DecodeError, RecursionError):
        raise InputError(str(path), "", "is not JSON; the private key as a JWK was expected") from None


def _chosen(content: Any, key_id: str | None, source: str) -> dict[str, Any]:
    if isinstance(content, dict) and isinstance(content.get("keys"), list):
        private = [k for k in content["keys"] if isinstance(k, dict) and "d" in k]
        if key_id is not None:
            private = [k for k in private if k.get("kid") == key_id]
        if len(private) != 1:
            which = f" of kid '{key_id}'" if key_id is not None else ""
            hint = "" if key_id is not None else "; say which with key_id in the settings"
            raise InputError(source, "keys", f"holds {len(private)} private keys{which}; exactly one is needed{hint}")
        return private[0]
    if not isinstance(content, dict):
        raise InputError(source, "", "is no JWK; a JSON object with kty was expected")
    return content
