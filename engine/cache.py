"""Compiled libraries kept on disk, so that a command need not parse what it parsed before.

An entry is ELM JSON, never anything that could run. It answers for one text, under one name, with one set of options,
translated by this very engine: the hash of all of these is the entry's name. The texts of all the libraries it includes
are looked up again and compared with their hashes. An entry that is damaged, of another engine or of another user is
as good as none: the library is compiled again and the entry replaced. Libraries with errors are never kept; warnings
are kept with the entry.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

from engine.errors import Diagnostic, EligibilityError, Severity, Span
from engine.language.elm import nodes as elm
from engine.language.elm.json import from_json, to_json
from engine.language.translation import LibrarySource, SourceText, Translation

ENGINE = Path(__file__).parent
PARTS = ("language/**/*.py", "fhir/*.py", "fhir/modelinfo/*.json", "terminology/*.py", "terminology/*.json", "*.py")
"""What decides what a text is translated to, below the folder of the engine."""
MARK = b"eligibility compiled library 1 "
MAX_ENTRIES = 500
"""Beyond these the oldest entries are removed when a new one is kept."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """What is to be translated, and how."""

    text: str
    source: str
    options: tuple[tuple[str, bool], ...] = ()


class Included(msgspec.Struct, frozen=True, array_like=True):
    """A library as it was asked for, and what was found."""

    name: str
    version: str | None
    source: str
    native: bool
    hash: str


class Warned(msgspec.Struct, frozen=True, array_like=True):
    """A diagnostic that does not forbid the use of the library."""

    source: str
    place: tuple[int, int, int, int] | None
    code: str
    message: str
    excerpt: str | None
    phase: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file. ``libraries`` are (source, ELM JSON), the main library last."""

    question: str
    included: tuple[Included, ...]
    warnings: tuple[Warned, ...]
    native: tuple[str, ...]
    libraries: tuple[tuple[str, msgspec.Raw], ...]


_ENTRIES = msgspec.json.Decoder(Entry)
_LIBRARIES = msgspec.json.Decoder(float_hook=Decimal)


def default_folder() -> Path:
    """The user's cache folder for compiled libraries (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "eligibility-engine" / "libraries"


@cache
def engine_fingerprint() -> str:
    """The hash of all files of the engine that decide what a text is translated to."""
    digest = hashlib.sha256()
    for path in sorted({path for part in PARTS for path in ENGINE.glob(part)}):
        digest.update(f"{path.relative_to(ENGINE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class CompileCache:
    """A folder of compiled libraries. A folder that cannot be used is a cache that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The library is held beside its bytes, so that its identity stays its own: many are included by many.
        self._written: dict[int, tuple[elm.Library, msgspec.Raw]] = {}

    # ------------------------------------------------------------ lookup

    def find(self, question: Question, sources: LibrarySource) -> Translation | None:
        """The translation kept for the question, when the libraries it includes are still the same; else None."""
        name = _name(question)
        try:
            entry = _read(self.folder / name, name)
            if entry is None or not all(_still(included, sources) for included in entry.included):
                return None
            libraries = dict(_libraries(entry))
        except (OSError, ValueError, EligibilityError):
            return None
        main = list(libraries.values())[-1] if libraries else None
        if main is None or main.hash != _hash(question.text):
            return None
        warnings = tuple(map(_diagnostic, entry.warnings))
        texts = ((i, sources.find(i.name, i.version)) for i in entry.included)
        included = {(i.name, i.version): text for i, text in texts if text is not None}
        return Translation(main, libraries, warnings, frozenset(entry.native), included)

    # ------------------------------------------------------------ keeping

    def keep(self, question: Question, translation: Translation) -> None:
        """Keeps a translation without errors; whoever reads meanwhile sees the old entry or the new one, whole."""
        if translation.library is None or translation.errors:
            return
        name = _name(question)
        body = _ENCODER.encode(_entry(name, translation, self._libraries(translation)))
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(name, MARK + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            self._prune()
        except OSError:
            return  # a cache that cannot be written saves no time, and that is all

    def _libraries(self, translation: Translation) -> tuple[tuple[str, msgspec.Raw], ...]:
        """Each library of a translation as it is kept; written once, however many include it."""
        if len(self._written) > MAX_ENTRIES:
            self._written.clear()
        for library in translation.libraries.values():
            if id(library) not in self._written:
                self._written[id(library)] = (library, msgspec.Raw(_ENCODER.encode(to_json(library))))
        return tuple((lib.source, self._written[id(lib)][1]) for lib in translation.libraries.values())

    def _replace(self, name: str, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, self.folder / name)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Removes the oldest entries when there are too many: a tenth more, so that the next ones find room."""
        names = [name for name in os.listdir(self.folder) if name.endswith(".elm")]
        if len(names) <= MAX_ENTRIES:
            return
        entries = sorted((path.stat().st_mtime_ns, path) for path in map(self.folder.joinpath, names))
        for _, path in entries[: len(names) - MAX_ENTRIES + MAX_ENTRIES // 10]:
            path.unlink(missing_ok=True)


def _name(question: Question) -> str:
    parts = [engine_fingerprint(), question.source, _hash(question.text), *(f"{n}={v}" for n, v in question.options)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest() + ".elm"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path, name: str) -> Entry | None:
    """The entry of a file of ours whose content is what was written."""
    with path.open("rb") as file:
        if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
            return None
        head, _, body = file.read().partition(b"\n")
    if head != MARK + hashlib.sha256(body).hexdigest().encode():
        return None
    entry = _ENTRIES.decode(body)
    return entry if entry.question == name else None


def _still(included: Included, sources: LibrarySource) -> bool:
    """Whether the include finds the text it found when the entry was made."""
    found = sources.find(included.name, included.version)
    return found is not None and _included(included.name, included.version, found) == included


def _included(name: str, version: str | None, text: SourceText) -> Included:
    return Included(name, version, text.source, text.native, _hash(text.text))


def _libraries(entry: Entry) -> Iterator[tuple[str, elm.Library]]:
    for source, document in entry.libraries:
        library = dataclasses.replace(from_json(_LIBRARIES.decode(document), source="cache"), source=source)
        yield library.key, library


def _entry(name: str, translation: Translation, libraries: tuple[tuple[str, msgspec.Raw], ...]) -> Entry:
    return Entry(
        question=name,
        included=tuple(_included(n, version, text) for (n, version), text in translation.included.items()),
        warnings=tuple(map(_warned, translation.diagnostics)),
        native=tuple(sorted(translation.native)),
        libraries=libraries,
    )


def _warned(found: Diagnostic) -> Warned:
    span = found.span
    place = (span.line, span.column, span.end_line, span.end_column) if span is not None else None
    return Warned(found.source, place, found.code, found.message, found.excerpt, found.phase)


def _diagnostic(kept: Warned) -> Diagnostic:
    span = Span(*kept.place) if kept.place is not None else None
    return Diagnostic(kept.source, span, kept.code, kept.message, Severity.WARNING, kept.excerpt, kept.phase)
