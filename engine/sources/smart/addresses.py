"""Which addresses are contacted: those of the configured origins, however a server writes its links.

A FHIR server tells its client where to go next: in redirects, in next links, in the places of exported files, in the
address of the token endpoint. A server that is broken into, or a record that found its way into a link, could send the
client, and its token, anywhere inside a hospital. So an address is compared as a whole origin (scheme, host and port)
with those the settings name, and anything that two readers could read differently is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2

from engine.sources.smart.failures import RefusedAddress, shown

MAX_ADDRESS = 16_384
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\]|\s")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Origin(NamedTuple):
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS.get(self.scheme) else f":{self.port}")

    @property
    def loopback(self) -> bool:
        """True when it names this machine."""
        return self.host in _LOOPBACK


def origin_of(text: str) -> Origin:
    """The origin of an absolute http(s) address.

    Raises:
        ValueError: the address is not one, or can be read in two ways; the sentence says why.
    """
    if _ODD.search(text):
        raise ValueError("holds characters that no address has unescaped")
    if len(text) > MAX_ADDRESS:
        raise ValueError(f"is longer than {MAX_ADDRESS} characters")
    scheme, colon, _ = text.partition("://")
    scheme = scheme.lower()
    if not colon or scheme not in _PORTS:
        raise ValueError("is no http or https address")
    try:
        parts, seen = urlsplit(text), httpx2.URL(text)
        host, port = parts.hostname or "", parts.port
    except (httpx2.InvalidURL, ValueError, UnicodeError):
        raise ValueError("cannot be read as an address") from None
    if "@" in parts.netloc:
        raise ValueError("names a user")
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise ValueError("has a host that is not written plainly")
    default = _PORTS[scheme]
    origin = Origin(scheme, host, default if port is None else port)
    if Origin(seen.scheme, seen.host, default if seen.port is None else seen.port) != origin or seen.userinfo:
        raise ValueError("can be read in two ways")
    return origin


class Addresses:
    """The addresses of one server: its base, and the origins allowed beside it."""

    def __init__(self, name: str, base_url: str, allowed: Iterable[str] = ()) -> None:
        self.name = name
        self.base = base_url.rstrip("/")
        self.origin = origin_of(self.base)
        self._allowed = {self.origin, *(origin_of(text) for text in allowed)}

    def below(self, path: str) -> str:
        """The address of a path below the base (``Patient/1``, ``Patient?_count=50``; empty for the base itself)."""
        return f"{self.base}/{path}" if path else self.base

    def own(self, url: str) -> bool:
        """True for an address of the server's own origin: the only one that ever sees the token."""
        try:
            return origin_of(url) == self.origin
        except ValueError:
            return False

    def check(self, text: object, what: str) -> str:
        """The address in full, as it may be contacted; a relative one is read below the server's base.

        Raises:
            RefusedAddress: it leads outside the allowed origins; ``what`` names where it was found.
        """
        if not isinstance(text, str) or not text:
            raise RefusedAddress(self.name, what, "is no address")
        url = self._absolute(text)
        try:
            origin = origin_of(url)
        except ValueError as problem:
            message = f"the address {shown(text)!r} {problem}; it is not contacted"
            raise RefusedAddress(self.name, what, message) from None
        if origin not in self._allowed:
            listed = ", ".join(sorted(map(str, self._allowed)))
            message = f"leads to {origin}, and only {listed} may be contacted; if it is meant, allow it in the settings"
            raise RefusedAddress(self.name, what, message)
        return url.split("#", 1)[0]

    def _absolute(self, text: str) -> str:
        if text.startswith("//") or _SCHEME.match(text) or _ODD.search(text):
            return text
        if text.startswith("/"):
            return f"{self.origin}{text}"
        return f"{self.base}{text}" if text.startswith("?") else f"{self.base}/{text}"
