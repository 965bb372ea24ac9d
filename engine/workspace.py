"""A workspace joins the language with FHIR and terminology: folders of CQL and of value sets, ready to compile and run.

It stands above ``fhir`` and ``terminology`` and below ``trials``; everything that needs a compiled library (a trial,
``eligibility eval``, ``eligibility run``) gets it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cache import CompileCache, Question, default_folder
from engine.errors import InputError
from engine.fhir import PatientRecord, fhir_model
from engine.language import Context, Evaluation, Limits, Program, SourceText, Translation
from engine.language.types.model import Model
from engine.language.values import DateTime
from engine.terminology.units import Units

if TYPE_CHECKING:
    from engine.language import Translator
    from engine.terminology.store import TerminologyStore

_LIBRARY = re.compile(r'^[ \t]*library\s+("[^"]+"|[\w.]+)(?:\s+version\s+\'([^\']*)\')?', re.MULTILINE)


class LibraryFolders:
    """The CQL files below some folders, found by the name and version their ``library`` statement gives.

    The first folder wins. A file that cannot be read as text is an InputError naming it for who asks for the library it
    is named after, and no library for others.
    """

    def __init__(self, folders: Sequence[Path], builtin: Sequence[SourceText] = ()) -> None:
        self.folders = list(folders)
        self.builtin = list(builtin)
        self._unreadable: list[InputError] = []

    @cached_property
    def _texts(self) -> list[tuple[str, str | None, SourceText]]:
        found: list[tuple[str, str | None, SourceText]] = []
        for folder in self.folders:
            for path in sorted(folder.rglob("*.cql")) if folder.is_dir() else [folder]:
                try:
                    found.extend(_identified(SourceText(read_text(path), str(path))))
                except InputError as problem:
                    self._unreadable.append(problem)
        for text in self.builtin:
            found.extend(_identified(text))
        return found

    def find(self, name: str, version: str | None) -> SourceText | None:
        """The library of that name; with ``version`` the one of that version, else the first found."""
        for library, at, text in self._texts:
            if library == name and (version is None or at == version):
                return text
        for problem in self._unreadable:
            if Path(problem.source).stem == name:
                raise problem
        return None

    def names(self) -> Iterable[str]:
        """The names of all libraries."""
        return dict.fromkeys(name for name, _, _ in self._texts)


def _identified(text: SourceText) -> list[tuple[str, str | None, SourceText]]:
    match = _LIBRARY.search(text.text)
    if match is None:
        return []
    return [(match.group(1).strip('"'), match.group(2), text)]


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; InputError naming it when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(str(path), "", "the file does not exist") from None
    except UnicodeDecodeError as problem:
        raise InputError(str(path), f"byte {problem.start}", "the file is not UTF-8 text") from None
    except OSError as problem:
        raise InputError(str(path), "", f"the file cannot be read: {problem.strerror}") from None


HELPERS = Path(__file__).parent / "fhir" / "FHIRHelpers.cql"
COMPILED_HELPERS = HELPERS.with_suffix(".elm.json")


def own_helpers() -> list[SourceText]:
    """The product's own FHIRHelpers, whose conversions have native fast paths, with its ELM (``engine.precompile``)."""
    compiled = COMPILED_HELPERS.read_bytes() if COMPILED_HELPERS.exists() else None
    return [SourceText(HELPERS.read_text(encoding="utf-8"), HELPERS.name, native=True, compiled=compiled)]


def model_of(name: str, version: str | None) -> Model:
    """The data model a ``using`` names."""
    if name != "FHIR":
        raise InputError(name, "", f"the data model '{name}' is not supported; use FHIR version '4.0.1'")
    try:
        return fhir_model(version or "4.0.1")
    except ValueError as problem:
        raise InputError(f"FHIR {version}", "", str(problem)) from None


DEFAULT_CACHE = Path("the cache folder of the user")
"""Stands for :func:`engine.cache.default_folder`, which is looked up when a workspace is made."""


class Workspace:
    """Compiles libraries of ``cql`` folders and runs them with the value sets of ``valuesets`` folders.

    ``cache`` is the folder of compiled libraries, by default ``eligibility-engine/libraries`` in the user's caches
    (``$XDG_CACHE_HOME`` or ``~/.cache``); with None every library is compiled anew. ``limits`` hold for each define
    of an evaluation that names no others.
    """

    def __init__(
        self,
        cql: Sequence[Path] = (),
        valuesets: Sequence[Path] = (),
        *,
        list_promotion: bool = False,
        list_demotion: bool = False,
        cache: Path | None = DEFAULT_CACHE,
        limits: Limits | None = None,
    ) -> None:
        self.units = Units()
        self.limits = limits or Limits()
        self.libraries = LibraryFolders(cql, own_helpers())
        self.valueset_folders = list(valuesets)
        self.options = {"list_promotion": list_promotion, "list_demotion": list_demotion}
        folder = default_folder() if cache == DEFAULT_CACHE else cache
        self.cache = CompileCache(folder) if folder is not None else None

    @cached_property
    def translator(self) -> Translator:
        """The front end; loaded when a text is met that the cache does not know."""
        from engine.language import Translator

        return Translator(units=self.units, models=model_of, sources=self.libraries, **self.options)

    @cached_property
    def terms(self) -> TerminologyStore:
        """The terminology of the value set folders."""
        from engine.terminology.store import TerminologyStore

        return TerminologyStore.load(*self.valueset_folders)

    def translate(self, text: str, source: str = "expression") -> Translation:
        """ELM and diagnostics of one text; that of a named library comes from the cache where it is known."""
        if self.cache is None or _LIBRARY.search(text) is None:
            return self.translator.translate(text, source)
        question = Question(text, source, tuple(sorted(self.options.items())))
        known = self.cache.find(question, self.libraries)
        if known is None:
            known = self.translator.translate(text, source)
            self.cache.keep(question, known)
        return known

    def translate_file(self, path: Path) -> Translation:
        """ELM and diagnostics of one file."""
        return self.translate(read_text(path), str(path))

    def program(self, translation: Translation) -> Program:
        """The runnable form of a translation without errors (CompileError otherwise)."""
        library = translation.require()
        models = {u.uri: model_of(u.uri, u.version) for lib in translation.libraries.values() for u in lib.usings
                  if u.uri != "System"}  # fmt: skip
        return Program(library, translation.libraries, models, native=translation.native)

    def context(
        self,
        now: DateTime,
        *,
        record: PatientRecord | None = None,
        parameters: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> Context:
        """The inputs of one evaluation."""
        return Context(
            now=now, units=self.units, terms=self.terms, data=record, parameters=parameters or {},
            limits=limits or self.limits,
        )  # fmt: skip

    def evaluate(self, program: Program, context: Context, *, trace: bool = False) -> Evaluation:
        """An evaluation of the program; ask it for defines."""
        return Evaluation(program, context, trace=trace)
