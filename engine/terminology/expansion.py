"""From a ValueSet resource to the codes that are in it.

What counts, in this order:

1. ``expansion``, when it is whole: not marked unclosed or too costly, not one page of several, not a search by text.
2. ``compose``, when the expansion is partial or absent: explicit concepts, filters, imported value sets, exclusions.
3. Otherwise the value set cannot be expanded, and that is an error; it is never taken for empty.

Headings of an expansion (``abstract``, or without a code) are no members. Inactive codes are members unless
``compose.inactive`` is false, as the specification expects of codes that old records still carry.

Filters: ``is-a`` and ``descendent-of`` over the hierarchy of a loaded CodeSystem, or over the ICD-10-CM prefix
hierarchy (``engine.terminology.icd10cm``); ``=`` on the code or on a concept property of a loaded CodeSystem; ``in``
and ``regex`` on the code alone. A pattern has to match the whole code and is run in linear time (google-re2).

Source: https://hl7.org/fhir/R4/valueset.html sections 4.9.5 to 4.9.8; extensions valueset-unclosed, valueset-toocostly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from engine.errors import TerminologyError
from engine.language.values.systems import URI_OF
from engine.terminology import icd10cm
from engine.terminology.code_systems import CodeSystem
from engine.terminology.members import (
    Difference,
    Enumerated,
    Intersection,
    MemberCode,
    Members,
    Rule,
    Union,
    distinct,
)
from engine.terminology.resources import (
    Compose,
    Contains,
    Expansion,
    ExpansionParameter,
    Filter,
    Include,
    ValueSetResource,
)

UNCLOSED = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"
TOO_COSTLY = "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"

_CODE_PROPERTIES = frozenset({"code", "concept"})
_MAX_IMPORT_DEPTH = 100
_MAX_REMEMBERED = 100_000
_NO_FILTER = ExpansionParameter("")


@dataclass(frozen=True)
class ExpandedValueSet:
    """The members of one value set.

    ``codes`` are the members that are enumerated and ``systems`` where members come from. ``enumerable`` is false
    when some members follow from a rule (an ICD-10-CM prefix) and are therefore not all in ``codes``. ``unclosed``
    names the systems whose hierarchy was known only in part: a code of these that is no member here may be below one
    that is. ``hash`` is the sha256 of the definition, whatever the order and layout of the file.
    """

    url: str
    version: str | None
    name: str | None
    codes: tuple[MemberCode, ...]
    systems: tuple[str, ...]
    enumerable: bool
    unclosed: frozenset[str]
    hash: str
    _members: Members = field(repr=False, compare=False)
    _remembered: dict[tuple[str, str | None], bool] = field(default_factory=dict, repr=False, compare=False)

    def contains(self, code: str, system: str | None) -> bool:
        """True when the code is a member. Without a system (CQL's ``String in ValueSet``), in any of the systems.

        ``system`` "" is a coding that states none: a member only where the value set states none for the code either.

        Source: CQL 1.5.3, reference appendix B, In (Valueset): a string is a member when a code equal to it is.

        Raises:
            TerminologyError: the value set lists the code without saying of which system it is.
        """
        key = (code, system)
        known = self._remembered.get(key)
        if known is None:
            known = self._decide(code, system)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = known
        return known

    def _decide(self, code: str, system: str | None) -> bool:
        system = URI_OF.get(system, system) if system else system
        if system is None:
            return any(self._members.contains(code, candidate) for candidate in (*self.systems, None))
        if self._members.contains(code, system):
            return True
        if self._members.contains(code, None):
            if not system:  # neither side states a system: the codes are the same
                return True
            raise TerminologyError(
                f"value set {self.url} lists the code {code!r} without a system, so whether that of {system} is meant "
                "cannot be told; add the system to the file",
                url=self.url,
            )
        return False


FindValueSet = Callable[[str], ValueSetResource]
FindCodeSystem = Callable[[str, "str | None"], "CodeSystem | None"]


class Expander:
    """Expands value sets against the others and the code systems that are loaded.

    ``find_value_set`` takes a canonical (``url`` or ``url|version``) and raises TerminologyError where there is none;
    ``find_code_system`` answers None for a system that is not loaded.
    """

    def __init__(self, find_value_set: FindValueSet, find_code_system: FindCodeSystem) -> None:
        self._find_value_set = find_value_set
        self._find_code_system = find_code_system
        self._done: dict[str, tuple[Members, frozenset[str]]] = {}

    def expand(self, resource: ValueSetResource) -> ExpandedValueSet:
        """The members of the value set.

        Raises:
            TerminologyError: it cannot be expanded; the sentence says why and what would help.
        """
        members, unclosed = self._members(resource, ())
        content = msgspec.json.encode([resource.url, resource.version, members.describe()])
        return ExpandedValueSet(
            url=resource.url,
            version=resource.version,
            name=resource.title or resource.name,
            codes=members.codes,
            systems=tuple(sorted(system for system in members.systems if system is not None)),
            enumerable=members.enumerable,
            unclosed=unclosed,
            hash=hashlib.sha256(content).hexdigest(),
            _members=members,
        )

    def _members(self, resource: ValueSetResource, importers: tuple[str, ...]) -> tuple[Members, frozenset[str]]:
        name = canonical(resource)
        if name in importers:
            circle = " imports ".join((*importers[importers.index(name) :], name))
            raise TerminologyError(f"value sets import each other in a circle: {circle}; remove one import", url=name)
        if len(importers) >= _MAX_IMPORT_DEPTH:
            raise TerminologyError(
                f"value set {importers[0]} imports value sets more than {_MAX_IMPORT_DEPTH} deep; flatten the imports",
                url=importers[0],
            )
        if name not in self._done:
            self._done[name] = self._resolve(resource, (*importers, name))
        return self._done[name]

    def _resolve(self, resource: ValueSetResource, importers: tuple[str, ...]) -> tuple[Members, frozenset[str]]:
        expansion, compose = resource.expansion, resource.compose
        if expansion is not None and not is_partial(expansion):
            if expansion.contains or expansion.total == 0:
                return Enumerated(_expanded(resource, expansion)), frozenset()
            if compose is None:
                raise _unresolvable(resource, "its expansion is without codes and does not state a total of 0")
        if compose is not None:
            return _Composition(self, resource, importers).members(compose)
        if expansion is not None:
            raise _unresolvable(resource, "its expansion holds only a part of the codes and there is no compose")
        raise _unresolvable(resource, "it has neither an expansion nor a compose")

    def imported(self, url: str, importers: tuple[str, ...]) -> tuple[Members, frozenset[str]]:
        """The members of a value set that another imports."""
        try:
            resource = self._find_value_set(url)
        except TerminologyError as error:
            raise TerminologyError(f"value set {importers[-1]} imports {url}: {error.message}", url=url) from error
        return self._members(resource, importers)

    def code_system(self, url: str, version: str | None) -> CodeSystem | None:
        """The code system, or None when it is not loaded."""
        return self._find_code_system(url, version)


class _Composition:
    """One ``compose``: collects on its way which systems' hierarchies are known only in part."""

    def __init__(self, expander: Expander, resource: ValueSetResource, importers: tuple[str, ...]) -> None:
        self._expander = expander
        self._resource = resource
        self._importers = importers
        self._unclosed: set[str] = set()
        self._drop_inactive = resource.compose is not None and resource.compose.inactive is False

    def members(self, compose: Compose) -> tuple[Members, frozenset[str]]:
        included = _union([self._include(include) for include in compose.include])
        if compose.exclude:
            included = Difference(included, _union([self._include(exclude) for exclude in compose.exclude]))
        return included, frozenset(self._unclosed)

    def _include(self, include: Include) -> Members:
        """The intersection of what the include says of a system with the value sets it imports."""
        parts: list[Members] = []
        if include.system is not None:
            parts.append(self._of_system(include, URI_OF.get(include.system, include.system)))
        for url in include.value_set:
            members, unclosed = self._expander.imported(url, self._importers)
            self._unclosed |= unclosed
            parts.append(members)
        return parts[0] if len(parts) == 1 else Intersection(tuple(parts))

    def _of_system(self, include: Include, system: str) -> Members:
        if include.concept:
            codes = (MemberCode(c.code, system, include.version, c.display) for c in include.concept)
            return self._enumerated(system, include.version, codes)
        if include.filter:
            filters = tuple(self._filter(system, include.version, condition) for condition in include.filter)
            return filters[0] if len(filters) == 1 else Intersection(filters)
        if include.value_set:
            return Rule(system, ("any code",), lambda code: True)
        return self._whole_system(system, include.version)

    def _whole_system(self, system: str, version: str | None) -> Members:
        known = self._expander.code_system(system, version)
        if known is None or not known.complete:
            raise _unresolvable(self._resource, f"it includes all of {system}, and that CodeSystem is not loaded whole")
        return self._selected(known, version, known.codes)

    def _filter(self, system: str, version: str | None, condition: Filter) -> Members:
        on_code = condition.property in _CODE_PROPERTIES
        if on_code and condition.op in ("is-a", "descendent-of"):
            return self._hierarchy(system, version, condition)
        if on_code and condition.op in ("=", "in"):
            listed = [condition.value] if condition.op == "=" else condition.value.split(",")
            return self._enumerated(system, version, (MemberCode(code.strip(), system, version) for code in listed))
        if on_code and condition.op == "regex":
            return self._pattern(system, condition.value)
        if condition.op == "=":
            known = self._known(system, version, condition)
            having = [c for c in known.codes if condition.value in known.values(c, condition.property)]
            return self._selected(known, version, having)
        raise _unresolvable(
            self._resource,
            f"the filter {_words(condition)} on {system} is not supported; "
            "enumerate its codes, or use is-a, descendent-of, = or a regex on the code",
        )

    def _hierarchy(self, system: str, version: str | None, condition: Filter) -> Members:
        root, strict = condition.value, condition.op == "descendent-of"
        if system == icd10cm.SYSTEM:
            return self._icd10cm(root, strict)
        known = self._known(system, version, condition)
        if not known.knows(root):
            raise _unresolvable(self._resource, f"the loaded part of {system} does not hold {root!r} and what is below")
        below = known.descendants(root)
        return self._selected(known, version, below if strict else (root, *below))

    def _icd10cm(self, root: str, strict: bool) -> Members:
        if not icd10cm.is_code(root):
            raise _unresolvable(self._resource, f"{root!r} is not an ICD-10-CM code that others could be below")
        key = icd10cm.key(root)

        def below(code: str) -> bool:
            return icd10cm.is_below(code, root) and not (strict and icd10cm.key(code) == key)

        return Rule(icd10cm.SYSTEM, ("descendent-of" if strict else "is-a", key), below)

    def _pattern(self, system: str, text: str) -> Members:
        import re2  # not needed by most value sets, and slow to load

        try:
            pattern = re2.compile(text)
        except re2.error as error:
            raise _unresolvable(self._resource, f"its regex filter {text!r} is not a valid pattern: {error}") from error
        return Rule(system, ("regex", text), lambda code: pattern.fullmatch(code) is not None)

    def _known(self, system: str, version: str | None, condition: Filter) -> CodeSystem:
        known = self._expander.code_system(system, version)
        if known is None:
            raise _unresolvable(
                self._resource,
                f"the filter {_words(condition)} needs the CodeSystem {system}, which is not loaded; "
                "load it, or a ValueSet with an expansion",
            )
        if not known.complete:
            self._unclosed.add(system)
        return known

    def _selected(self, known: CodeSystem, version: str | None, codes: Iterable[str]) -> Members:
        """Codes of a loaded system; those that only group others are no members."""
        usable = (code for code in codes if not known.is_abstract(code))
        listed = (MemberCode(code, known.url, known.version, known.display(code)) for code in usable)
        return self._enumerated(known.url, version, listed)

    def _enumerated(self, system: str, version: str | None, codes: Iterable[MemberCode]) -> Members:
        known = self._expander.code_system(system, version) if self._drop_inactive else None
        return Enumerated(distinct(m for m in codes if known is None or not known.is_inactive(m.code)))


def canonical(resource: ValueSetResource) -> str:
    """``url|version``, or the url alone where the resource has no version."""
    return resource.url if resource.version is None else f"{resource.url}|{resource.version}"


def is_partial(expansion: Expansion) -> bool:
    """True when the expansion says itself that it is not all: unclosed, too costly, a page, or chosen by a text.

    Source: https://hl7.org/fhir/R4/valueset-definitions.html, ValueSet.expansion.total, offset (present only where
    paging is used) and parameter (those of the operation $expand that limit what it lists).
    """
    if any(e.url in (UNCLOSED, TOO_COSTLY) and e.value_boolean is not False for e in expansion.extension):
        return True
    if expansion.offset:
        return True
    given = {p.name: p for p in expansion.parameter}
    if given.get("filter", _NO_FILTER).value_string or given.get("limitedExpansion", _NO_FILTER).value_boolean:
        return True
    listed = sum(1 for _ in _entries(expansion.contains))
    if expansion.total is not None:
        return expansion.total > listed
    count = given.get("count", _NO_FILTER).value_integer
    return expansion.offset is not None or (count is not None and listed >= count)


def mistakes(resource: ValueSetResource) -> list[tuple[str, str]]:
    """(path, sentence) for what has the shape of a ValueSet but breaks its rules (R4 vsd-1, -2, -3, -6)."""
    found: list[tuple[str, str]] = []
    if resource.compose is not None:
        if not resource.compose.include:
            found.append(("compose.include", "a compose needs at least one include"))
        for kind in ("include", "exclude"):
            for index, include in enumerate(getattr(resource.compose, kind)):
                found += [(f"compose.{kind}[{index}]", sentence) for sentence in _include_mistakes(include)]
    if resource.expansion is not None:
        found += [(f"expansion{path}", "an entry needs a code or a display") for path in _unnamed(resource.expansion)]
    return found


def codes_without_system(resource: ValueSetResource) -> list[str]:
    """The codes of the expansion that lack their system (R4 vsd-10): published value sets have some."""
    expansion = resource.expansion or Expansion()
    return [e.code for e in _entries(expansion.contains) if e.code is not None and not e.system]


def _include_mistakes(include: Include) -> Iterator[str]:
    if include.system is None and (include.concept or include.filter):
        yield "concepts and filters need a system"
    elif include.system is None and not include.value_set:
        yield "an include needs a system or a value set"
    if include.concept and include.filter:
        yield "an include has either concepts or filters, not both"


def _expanded(resource: ValueSetResource, expansion: Expansion) -> tuple[MemberCode, ...]:
    drop_inactive = resource.compose is not None and resource.compose.inactive is False
    return distinct(
        MemberCode(entry.code, URI_OF.get(entry.system or "", entry.system) or None, entry.version, entry.display)
        for entry in _entries(expansion.contains)
        if entry.code is not None and not entry.abstract and not (entry.inactive and drop_inactive)
    )


def _entries(contains: Sequence[Contains]) -> Iterator[Contains]:
    """All entries in their order, those below an entry after it."""
    pending = list(reversed(contains))
    while pending:
        entry = pending.pop()
        yield entry
        if entry.contains:
            pending += reversed(entry.contains)


def _unnamed(expansion: Expansion) -> list[str]:
    """The places of entries with neither code nor display; those of all the others need not be written."""
    if all(entry.code is not None or entry.display for entry in _entries(expansion.contains)):
        return []
    return [path for path, entry in _placed(expansion.contains, "") if entry.code is None and not entry.display]


def _placed(contains: Sequence[Contains], path: str) -> Iterator[tuple[str, Contains]]:
    pending = [(f"{path}.contains[{i}]", entry) for i, entry in enumerate(contains)][::-1]
    while pending:
        place, entry = pending.pop()
        yield place, entry
        pending += [(f"{place}.contains[{i}]", below) for i, below in enumerate(entry.contains)][::-1]


def _union(parts: list[Members]) -> Members:
    return parts[0] if len(parts) == 1 else Union(tuple(parts))


def _words(condition: Filter) -> str:
    return f"'{condition.property} {condition.op} {condition.value}'"


def _unresolvable(resource: ValueSetResource, reason: str) -> TerminologyError:
    name = canonical(resource)
    return TerminologyError(f"value set {name} cannot be expanded: {reason}", url=resource.url)
