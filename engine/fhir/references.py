"""References between resources: what a reference text means, and the index that resolves it within a bundle.

Source: FHIR R4, "Resource References" (http://hl7.org/fhir/R4/references.html) and "Resolving references in Bundles"
(http://hl7.org/fhir/R4/bundle.html#references).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_LITERAL = re.compile(r"(?:(?P<base>[a-z][a-z0-9+.-]*://.+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})")
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?identifier=(?P<token>[^&]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """A literal reference in its parts: ``base`` is None for a relative one."""

    base: str | None
    type: str
    id: str


def without_version(reference: str) -> str:
    """``Patient/1/_history/2`` as ``Patient/1``."""
    return reference.split("/_history/", 1)[0] if "/_history/" in reference else reference


def parse_address(reference: str) -> Address | None:
    """The parts of ``Type/id`` or ``http://server/base/Type/id``; None for other forms (urn:uuid, #id)."""
    match = _LITERAL.fullmatch(without_version(reference))
    return Address(match["base"], match["type"], match["id"]) if match else None


@dataclass(frozen=True, slots=True)
class Target:
    """What an index knows of a resource: its position, type, id, address and business identifiers."""

    position: int
    type: str
    id: str | None
    full_url: str | None
    identifiers: tuple[tuple[str, str], ...] = ()

    @property
    def base(self) -> str | None:
        """The server part of a RESTful address, or None."""
        address = parse_address(self.full_url) if self.full_url else None
        return address.base if address else None


class ReferenceIndex:
    """Resolves reference texts among the resources of one bundle to their positions."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._by_url: dict[str, int] = {}
        self._by_id: dict[tuple[str, str], dict[str | None, list[int]]] = {}
        self._by_identifier: dict[tuple[str, str, str], list[int]] = {}
        for target in targets:
            if target.full_url:
                self._by_url.setdefault(without_version(target.full_url), target.position)
            if target.id:
                servers = self._by_id.setdefault((target.type, target.id), {})
                servers.setdefault(target.base, []).append(target.position)
            for system, value in target.identifiers:
                self._by_identifier.setdefault((target.type, system, value), []).append(target.position)

    def find(self, reference: str, base: str | None = None) -> int | None:
        """The position of the resource meant, or None. ``base`` is the server part of the referring resource's address.

        A relative reference means the resource of that server first, else the only one of that type and id without an
        address. Neither it nor an absolute reference ever means a resource of another server.
        """
        plain = without_version(reference)
        if plain in self._by_url:
            return self._by_url[plain]
        address = parse_address(plain)
        if address is None:
            return self._conditional(plain)
        servers = self._by_id.get((address.type, address.id), {})
        server = address.base or base
        there, nowhere = servers.get(server, []), servers.get(None, [])
        if server is None and len(servers) == 1:
            there = next(iter(servers.values()))
        candidates = there or nowhere
        return candidates[0] if len(candidates) == 1 else None

    def by_identifier(self, type_name: str, system: str, value: str) -> int | None:
        """The position of the only resource of the type with that identifier (a logical reference), or None."""
        found = self._by_identifier.get((type_name, system, value), [])
        return found[0] if len(found) == 1 else None

    def _conditional(self, reference: str) -> int | None:
        """``Patient?identifier=system|value``, as transactions use it."""
        match = _CONDITIONAL.fullmatch(reference)
        if match is None:
            return None
        system, _, value = match["token"].rpartition("|")
        return self.by_identifier(match["type"], system, value)


def identifiers_of(resource: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The (system, value) pairs of a resource's ``identifier``; malformed ones are no identifiers."""
    given = resource.get("identifier")
    members = given if isinstance(given, list) else [given]
    return tuple(
        (str(member.get("system") or ""), member["value"])
        for member in members
        if isinstance(member, dict) and isinstance(member.get("value"), str)
    )
