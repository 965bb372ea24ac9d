"""Terminology from local files: FHIR R4 ValueSet and CodeSystem resources below some folders.

``TerminologyStore`` fits the ``Terms`` protocol of the language. What cannot be resolved raises TerminologyError with
the canonical and what to do; nothing unresolvable is ever an empty set. A file that cannot be used becomes a
diagnostic with its place, and asking for the value set it was to define is an error that repeats the reason.

Choice of a version, for value sets and code systems alike:

* ``url|version`` or a version given: exactly that one.
* otherwise the latest: versions are compared segment by segment (split at ``.``, ``-``, ``_``, ``:``, ``/``), numbers
  as numbers, a number after a text, a resource without a version before all others;
* the same url and version in two folders: the folder named first wins, so that a site can put its own before ours;
* the same url and version twice below one folder with different content: an error, for nobody can say which is meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import Diagnostic, Severity, Span, TerminologyError
from engine.terminology.code_systems import CodeSystem, build, subsumes
from engine.terminology.expansion import ExpandedValueSet, Expander, canonical, codes_without_system, mistakes
from engine.terminology.members import MemberCode
from engine.terminology.resources import CodeSystemResource, ValueSetResource

UNVERIFIED_CODE = "http://example.org/fhir/StructureDefinition/unverified-code"
"""Extension on a ValueSet: a code (``coding``) that stays out until somebody has verified it, with its ``source``."""

_TYPES: dict[str, type[ValueSetResource] | type[CodeSystemResource]] = {
    "ValueSet": ValueSetResource,
    "CodeSystem": CodeSystemResource,
}
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class UnverifiedCode:
    """A code that a value set lists as not verified, and that is therefore no member."""

    value_set: str
    code: str
    system: str | None
    display: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """One resource of a file; ``resource`` is None when it is broken, and ``problem`` says why."""

    folder: int
    place: str
    url: str
    version: str | None
    digest: str
    resource: ValueSetResource | CodeSystemResource | None
    problem: str = ""


class TerminologyStore:
    """Value sets and code systems of local files; build it with :meth:`load`.

    ``problems`` are the diagnostics of files that could not be used; ``hash`` is the sha256 of all content, whatever
    the names, order and layout of the files.
    """

    def __init__(self, stored: Iterable[tuple[str, _Stored]], problems: Iterable[Diagnostic]) -> None:
        self._value_sets: dict[str, list[_Stored]] = {}
        self._code_systems: dict[str, list[_Stored]] = {}
        self._supplements: dict[str, list[_Stored]] = {}
        for kind, entry in stored:
            self._index(kind, entry).append(entry)
        self.problems: tuple[Diagnostic, ...] = (*problems, *self._ambiguities())
        self.hash = self._content_hash()
        self._expander = Expander(lambda url: self._value_set_resource(url, None), self._known_code_system)
        self._expanded: dict[tuple[str, str | None], ExpandedValueSet] = {}
        self._built: dict[tuple[str, str | None], CodeSystem] = {}

    @classmethod
    def load(cls, *folders: Path) -> TerminologyStore:
        """Reads every ``*.json`` below the folders (a file may be named itself): ValueSet, CodeSystem, Bundles of them.

        Other resources are passed over. Raises nothing: what is wrong stands in ``problems``.
        """
        reading = _Reading()
        for number, folder in enumerate(folders):
            reading.folder(number, Path(folder))
        return cls(reading.stored, reading.problems)

    def value_set(self, url: str, version: str | None = None) -> ExpandedValueSet:
        """The value set of that canonical (``url`` or ``url|version``).

        Raises:
            TerminologyError: it is not there, its file is broken, or it cannot be expanded.
        """
        key = (url, version)
        if key not in self._expanded:
            self._expanded[key] = self._expander.expand(self._value_set_resource(url, version))
        return self._expanded[key]

    def codes(self, url: str, version: str | None = None) -> Sequence[MemberCode]:
        """All codes of a value set.

        Raises:
            TerminologyError: as :meth:`value_set`, and for a value set with members that follow from a rule.
        """
        expanded = self.value_set(url, version)
        if not expanded.enumerable:
            raise TerminologyError(
                f"value set {url} cannot be listed: it includes codes by a rule (an ICD-10-CM prefix or a pattern); "
                "ask whether a code is in it instead",
                url=url,
            )
        return expanded.codes

    def code_system(self, url: str, version: str | None = None) -> CodeSystem:
        """The code system of that canonical.

        Raises:
            TerminologyError: it is not there or its file is broken.
        """
        found = self._known_code_system(url, version)
        if found is None:
            raise _absent("code system", url, version, self._code_systems.get(_split(url, version)[0], ()))
        return found

    def in_code_system(self, code: str, url: str, version: str | None = None) -> bool:
        """True when the code system defines the code.

        Raises:
            TerminologyError: the system is not loaded, or only in part and without that code.
        """
        return self.code_system(url, version).contains(code)

    def subsumes(self, system: str, ancestor: str, descendant: str) -> bool:
        """True when ``ancestor`` is ``descendant`` or above it in the hierarchy of the system.

        Raises:
            TerminologyError: what is loaded cannot tell.
        """
        return subsumes(self._known_code_system(system, None), system, ancestor, descendant)

    @property
    def value_set_urls(self) -> tuple[str, ...]:
        """The urls of all value sets, those of broken files included, sorted."""
        return tuple(sorted(self._value_sets))

    @property
    def code_system_urls(self) -> tuple[str, ...]:
        """The urls of all code systems, sorted."""
        return tuple(sorted(self._code_systems))

    def unverified(self) -> tuple[UnverifiedCode, ...]:
        """The codes that value sets list as not verified (extension ``unverified-code``), which are no members."""
        return tuple(
            code
            for url in self.value_set_urls
            for entry in self._value_sets[url]
            if isinstance(entry.resource, ValueSetResource)
            for code in _unverified(entry.resource)
        )

    def check(self) -> tuple[Diagnostic, ...]:
        """``problems``, and a diagnostic for every value set that loads but cannot be expanded."""
        found = list(self.problems)
        for url in self.value_set_urls:
            for entry in self._value_sets[url]:
                if isinstance(entry.resource, ValueSetResource):
                    try:
                        self._expander.expand(entry.resource)
                    except TerminologyError as error:
                        found.append(Diagnostic(entry.place, None, "unresolvable-value-set", error.message))
        return tuple(found)

    def _index(self, kind: str, entry: _Stored) -> list[_Stored]:
        resource = entry.resource
        if isinstance(resource, CodeSystemResource) and resource.content == "supplement" and resource.supplements:
            return self._supplements.setdefault(_split(resource.supplements, None)[0], [])
        index = self._value_sets if kind == "ValueSet" else self._code_systems
        return index.setdefault(entry.url, [])

    def _value_set_resource(self, url: str, version: str | None) -> ValueSetResource:
        plain, wanted = _split(url, version)
        candidates = self._value_sets.get(plain, [])
        chosen = _choose(candidates, wanted)
        if not chosen:
            raise _absent("value set", plain, wanted, candidates)
        entry = _only("value set", chosen)
        assert isinstance(entry.resource, ValueSetResource)
        return entry.resource

    def _known_code_system(self, url: str, version: str | None) -> CodeSystem | None:
        plain, wanted = _split(url, version)
        if (plain, wanted) in self._built:
            return self._built[plain, wanted]
        chosen = _choose(self._code_systems.get(plain, []), wanted)
        if not chosen:
            return None
        if len(chosen) > 1 and not all(_is_fragment(entry) for entry in chosen):
            chosen = [_only("code system", chosen)]
        parts = [_usable("code system", entry) for entry in (*chosen, *self._supplements.get(plain, []))]
        resources = [part for part in parts if isinstance(part, CodeSystemResource)]
        built = build(plain, chosen[0].version, resources)
        self._built[plain, wanted] = built
        return built

    def _ambiguities(self) -> Iterator[Diagnostic]:
        for kind, index in (("value set", self._value_sets), ("code system", self._code_systems)):
            for url, entries in sorted(index.items()):
                for version in sorted({e.version for e in entries}, key=_version_key):
                    chosen = _choose(entries, version) if version else _unversioned(entries)
                    if len({e.digest for e in chosen}) > 1 and not all(_is_fragment(e) for e in chosen):
                        sentence = _ambiguous(kind, url, version, chosen)
                        yield Diagnostic(chosen[-1].place, None, "ambiguous-terminology", sentence)

    def _content_hash(self) -> str:
        indexes = (self._value_sets, self._code_systems, self._supplements)
        digests = sorted({e.digest for index in indexes for entries in index.values() for e in entries})
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()


class _Reading:
    """Reads files and collects resources and problems."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, _Stored]] = []
        self.problems: list[Diagnostic] = []

    def folder(self, number: int, folder: Path) -> None:
        if folder.is_file():
            self._file(number, folder)
        elif folder.is_dir():
            for path in sorted(folder.rglob("*.json")):
                if path.is_file():
                    self._file(number, path)
        else:
            self._problem(str(folder), "no-such-folder", "there is no such folder of value sets; check the path")

    def _file(self, number: int, path: Path) -> None:
        try:
            data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            self._problem(str(path), "unreadable-file", f"the file cannot be read: {error.strerror or error}")
            return
        try:
            content = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._problem(str(path), "malformed-json", f"the file is not JSON: {_reason(error)}", _span(data, error))
            return
        except RecursionError:
            self._problem(str(path), "malformed-json", "the file is nested too deeply to be a FHIR resource")
            return
        self._resource(number, str(path), "$", content)

    def _resource(self, number: int, place: str, path: str, content: Any) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
            sentence = f"{path} is not a FHIR resource: a JSON object with a resourceType is needed"
            self._problem(place, "not-a-resource", sentence)
        elif content["resourceType"] == "Bundle":
            self._bundle(number, place, path, content)
        elif content["resourceType"] in _TYPES:
            self._terminology(number, place, path, content)

    def _bundle(self, number: int, place: str, path: str, bundle: dict[str, Any]) -> None:
        entries = bundle.get("entry", [])
        if not isinstance(entries, list):
            self._problem(place, "malformed-bundle", f"{path}.entry is not a list")
            return
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and "resource" in entry:
                self._resource(number, place, f"{path}.entry[{index}].resource", entry["resource"])

    def _terminology(self, number: int, place: str, path: str, content: dict[str, Any]) -> None:
        kind = content["resourceType"]
        try:
            resource = msgspec.convert(content, _TYPES[kind])
            found = mistakes(resource) if isinstance(resource, ValueSetResource) else []
        except (msgspec.ValidationError, RecursionError) as error:
            self._broken(number, place, path, content, [str(error) or "it is nested too deeply"])
            return
        if found:
            self._broken(number, place, path, content, [f"{text} - at `$.{where}`" for where, text in found])
            return
        if isinstance(resource, ValueSetResource):
            self._warn_of_systems(place, resource)
        digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
        self.stored.append((kind, _Stored(number, place, resource.url, resource.version, digest, resource)))

    def _warn_of_systems(self, place: str, resource: ValueSetResource) -> None:
        codes = codes_without_system(resource)
        if codes:
            sentence = (
                f"value set {canonical(resource)} lists {len(codes)} codes without a system, first {codes[0]!r}; "
                "whether a record's code is one of them cannot be told; add the system"
            )
            self.problems.append(Diagnostic(place, None, "code-without-system", sentence, Severity.WARNING))

    def _broken(self, number: int, place: str, path: str, content: dict[str, Any], reasons: list[str]) -> None:
        kind = content["resourceType"]
        for reason in reasons:
            where = reason.replace("`$", f"`{path}")
            self._problem(place, "malformed-terminology", f"{kind} cannot be used: {where}; correct the file")
        url, version = content.get("url"), content.get("version")
        if isinstance(url, str):
            text = version if isinstance(version, str) else None
            digest = hashlib.sha256(repr(content).encode()).hexdigest()
            self.stored.append((kind, _Stored(number, place, url, text, digest, None, "; ".join(reasons))))

    def _problem(self, place: str, code: str, message: str, span: Span | None = None) -> None:
        self.problems.append(Diagnostic(place, span, code, message, Severity.ERROR))


def _split(url: str, version: str | None) -> tuple[str, str | None]:
    """A canonical into url and version; a version given beside it counts more than one inside it."""
    plain, bar, inside = url.partition("|")
    return plain, version or (inside if bar and inside else None)


def _choose(entries: Sequence[_Stored], version: str | None) -> list[_Stored]:
    """The entries of the version asked for, else of the latest; of the folder named first."""
    if version is None and entries:
        version = max((e.version for e in entries), key=_version_key)
        if version is None:
            return _unversioned(entries)
    return _first_folder([e for e in entries if e.version == version]) if version is not None else []


def _unversioned(entries: Sequence[_Stored]) -> list[_Stored]:
    return _first_folder([e for e in entries if e.version is None])


def _first_folder(entries: list[_Stored]) -> list[_Stored]:
    first = min((e.folder for e in entries), default=0)
    return [e for e in entries if e.folder == first]


def _version_key(version: str | None) -> tuple[bool, list[tuple[bool, int, str]]]:
    segments = re.split(r"[.\-_:/]", version or "")
    return version is not None, [(s.isdecimal(), int(s), "") if s.isdecimal() else (False, 0, s) for s in segments]


def _is_fragment(entry: _Stored) -> bool:
    return isinstance(entry.resource, CodeSystemResource) and entry.resource.content in ("fragment", "example")


def _only(kind: str, chosen: Sequence[_Stored]) -> _Stored:
    if len({entry.digest for entry in chosen}) > 1:
        raise TerminologyError(_ambiguous(kind, chosen[0].url, chosen[0].version, chosen), url=chosen[0].url)
    _usable(kind, chosen[0])
    return chosen[0]


def _usable(kind: str, entry: _Stored) -> ValueSetResource | CodeSystemResource:
    if entry.resource is None:
        raise TerminologyError(
            f"{kind} {entry.url} cannot be used: its file {entry.place} is broken: {entry.problem}; correct the file",
            url=entry.url,
        )
    return entry.resource


def _ambiguous(kind: str, url: str, version: str | None, chosen: Sequence[_Stored]) -> str:
    files = ", ".join(sorted({entry.place for entry in chosen}))
    called = f"version {version}" if version else "no version"
    return f"{kind} {url} with {called} is defined differently in several files ({files}); keep one of them"


def _absent(kind: str, url: str, version: str | None, there: Sequence[_Stored]) -> TerminologyError:
    versions = ", ".join(sorted({entry.version or "one without a version" for entry in there}))
    if version is not None and versions:
        sentence = f"{kind} {url} is not loaded in version {version}, only in: {versions}; ask for one of these"
    else:
        sentence = f"{kind} {url} is not loaded; put its FHIR resource into a folder of value sets, or correct the url"
    return TerminologyError(sentence, url=url)


def _unverified(resource: ValueSetResource) -> Iterator[UnverifiedCode]:
    for extension in resource.extension:
        if extension.url == UNVERIFIED_CODE:
            source = next((e.value_string for e in extension.extension if e.url == "source"), None)
            for part in extension.extension:
                if part.url == "coding" and part.value_coding is not None:
                    coding = part.value_coding
                    yield UnverifiedCode(canonical(resource), coding.code, coding.system, coding.display, source)


def _reason(error: Exception) -> str:
    return re.sub(r"^JSON is malformed: ", "", str(error)) or "it is empty"


def _span(data: bytes, error: Exception) -> Span | None:
    """Line and column of the byte a decoding error names."""
    match = re.search(r"\(byte (\d+)\)", str(error))
    if match is None:
        return None
    before = data[: int(match[1])]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return Span(line, column, line, column)
