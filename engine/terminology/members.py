"""Membership as a small tree of frozen predicates: what a value set's definition says, without the files it came from.

A part knows the codes it can enumerate and decides membership of any code. Enumeration and membership differ where a
hierarchy is a rule (every ICD-10-CM code that extends C18) instead of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from engine.terminology import icd10cm


@dataclass(frozen=True, slots=True)
class MemberCode:
    """One enumerated code of a value set; ``version`` is that of its code system, where the source names one."""

    code: str
    system: str | None
    version: str | None = None
    display: str | None = None


def code_key(system: str | None, code: str) -> tuple[str | None, str]:
    """What two codes are compared by: the system and the code as written, for ICD-10-CM without its dot."""
    return system, icd10cm.key(code) if system == icd10cm.SYSTEM else code


class Members(Protocol):
    """A part of a value set's definition."""

    @property
    def systems(self) -> frozenset[str | None]:
        """The code systems that members can come from."""

    @property
    def codes(self) -> tuple[MemberCode, ...]:
        """The members that are enumerated, in the order of the definition, without repetition."""

    @property
    def enumerable(self) -> bool:
        """True when ``codes`` are all members."""

    def contains(self, code: str, system: str | None) -> bool:
        """True when the code of that system is a member. ``system`` None is a code without a system here."""

    def describe(self) -> Any:
        """The definition as plain lists and texts, in an order that does not depend on the file: for hashing."""


def distinct(codes: Iterable[MemberCode]) -> tuple[MemberCode, ...]:
    """The codes without repetition of system and code; the first stays."""
    found: dict[tuple[str | None, str], MemberCode] = {}
    for member in codes:
        found.setdefault(code_key(member.system, member.code), member)
    return tuple(found.values())


@dataclass(frozen=True)
class Enumerated:
    """Codes listed one by one."""

    codes: tuple[MemberCode, ...]
    enumerable: bool = field(default=True, init=False)

    @cached_property
    def _keys(self) -> frozenset[tuple[str | None, str]]:
        return frozenset(code_key(member.system, member.code) for member in self.codes)

    @cached_property
    def systems(self) -> frozenset[str | None]:
        return frozenset(member.system for member in self.codes)

    def contains(self, code: str, system: str | None) -> bool:
        return code_key(system, code) in self._keys

    def describe(self) -> Any:
        return ["codes", sorted((system or "", code) for system, code in self._keys)]


@dataclass(frozen=True)
class Rule:
    """All codes of one system that fulfil a condition; ``definition`` is the condition in words, for hashing."""

    system: str
    definition: tuple[str, ...]
    condition: Callable[[str], bool] = field(compare=False)
    codes: tuple[MemberCode, ...] = field(default=(), init=False)
    enumerable: bool = field(default=False, init=False)

    @property
    def systems(self) -> frozenset[str | None]:
        return frozenset((self.system,))

    def contains(self, code: str, system: str | None) -> bool:
        return system == self.system and self.condition(code)

    def describe(self) -> Any:
        return ["rule", self.system, *self.definition]


@dataclass(frozen=True)
class Union:
    """Codes that are in any of the parts."""

    parts: tuple[Members, ...]

    @cached_property
    def systems(self) -> frozenset[str | None]:
        return frozenset().union(*(part.systems for part in self.parts))

    @cached_property
    def codes(self) -> tuple[MemberCode, ...]:
        return distinct(member for part in self.parts for member in part.codes)

    @property
    def enumerable(self) -> bool:
        return all(part.enumerable for part in self.parts)

    def contains(self, code: str, system: str | None) -> bool:
        return any(part.contains(code, system) for part in self.parts)

    def describe(self) -> Any:
        return ["union", sorted((part.describe() for part in self.parts), key=repr)]


@dataclass(frozen=True)
class Intersection:
    """Codes that are in every part."""

    parts: tuple[Members, ...]

    @cached_property
    def systems(self) -> frozenset[str | None]:
        first, *rest = self.parts
        return first.systems.intersection(*(part.systems for part in rest))

    @cached_property
    def codes(self) -> tuple[MemberCode, ...]:
        every = (member for part in self.parts for member in part.codes)
        return distinct(member for member in every if self.contains(member.code, member.system))

    @property
    def enumerable(self) -> bool:
        return any(part.enumerable for part in self.parts)

    def contains(self, code: str, system: str | None) -> bool:
        return all(part.contains(code, system) for part in self.parts)

    def describe(self) -> Any:
        return ["intersection", sorted((part.describe() for part in self.parts), key=repr)]


@dataclass(frozen=True)
class Difference:
    """Codes of ``base`` that are not in ``minus``."""

    base: Members
    minus: Members

    @property
    def systems(self) -> frozenset[str | None]:
        return self.base.systems

    @cached_property
    def codes(self) -> tuple[MemberCode, ...]:
        return tuple(m for m in self.base.codes if not self.minus.contains(m.code, m.system))

    @property
    def enumerable(self) -> bool:
        return self.base.enumerable

    def contains(self, code: str, system: str | None) -> bool:
        return self.base.contains(code, system) and not self.minus.contains(code, system)

    def describe(self) -> Any:
        return ["difference", self.base.describe(), self.minus.describe()]
