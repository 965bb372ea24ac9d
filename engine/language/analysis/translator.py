"""From CQL text to typed ELM, with all the libraries it includes: every diagnostic at once.

A library is found by name and version through a :class:`LibrarySource`; the world's models come in as a function. The
same library is translated once, however often it is included.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping

from engine.errors import Diagnostic, EligibilityError
from engine.language.analysis.analyser import Analyser
from engine.language.analysis.conversions import Conversions
from engine.language.analysis.symbols import Symbols
from engine.language.elm.json import decode
from engine.language.evaluation.protocols import UnitSystem
from engine.language.interpreter import COLLECTOR_RESTS, DEEP_NESTING
from engine.language.syntax import parse_library, tree
from engine.language.translation import LibrarySource, ModelProvider, Request, SourceText, Translation
from engine.language.types.model import Model


class NoLibraries:
    """A LibrarySource without any library."""

    def find(self, name: str, version: str | None) -> SourceText | None:
        return None

    def names(self) -> Iterable[str]:
        return ()


class Translator:
    """Translates libraries that may include each other; keeps what it has translated."""

    def __init__(
        self,
        *,
        units: UnitSystem,
        models: ModelProvider,
        sources: LibrarySource | None = None,
        list_promotion: bool = False,
        list_demotion: bool = False,
    ) -> None:
        self.units = units
        self.models = models
        self.sources: LibrarySource = sources or NoLibraries()
        self.options = {"list_promotion": list_promotion, "list_demotion": list_demotion}
        self._symbols: dict[str, Symbols] = {}
        self._diagnostics: dict[str, tuple[Diagnostic, ...]] = {}
        self._by_request: dict[tuple[str, str | None], str | None] = {}
        self._closure: dict[str, tuple[str, ...]] = {}
        self._texts: dict[Request, SourceText] = {}
        self._included: dict[str, Mapping[Request, SourceText]] = {}
        self._native: set[str] = set()
        self._busy: list[str] = []
        self._conversions: dict[tuple[tuple[str, str], ...], Conversions] = {}

    def translate(self, text: str, source: str = "expression") -> Translation:
        """Translates one text; included libraries come from the library source."""
        with DEEP_NESTING, COLLECTOR_RESTS:
            parsed, problems = parse_library(text, source)
            if parsed is None:
                return Translation(None, {}, tuple(problems))
            return self._translate(parsed, problems)

    def _translate(self, parsed: tree.Library, problems: Iterable[Diagnostic]) -> Translation:
        found = list(problems)
        includes, needed = self._include(parsed, found)
        models = self._use(parsed, found)
        conversions = self._conversions_of(models)
        analyser = Analyser(parsed, models=models, includes=includes, units=self.units, conversions=conversions)
        library = analyser.run()
        inherited = [d for key in needed for d in self._diagnostics[key]]
        own = sorted([*found, *analyser.diagnostics], key=_place)
        libraries = {key: self._symbols[key].library for key in needed}
        libraries[library.key] = library
        everything = tuple(dict.fromkeys([*own, *inherited]))
        native = frozenset(k for k in needed if k in self._native)
        asked = [(n.library, n.version) for n in parsed.includes]
        included = {request: self._texts[request] for request in asked if request in self._texts}
        for key in needed:
            included.update(self._included[key])
        return Translation(library, libraries, everything, native, included)

    def _conversions_of(self, models: Mapping[str, tuple[str, Model]]) -> Conversions:
        """The conversions of these models; shared, since they remember what was asked."""
        by_uri = dict(models.values())
        key = tuple((uri, model.version) for uri, model in by_uri.items())
        if key not in self._conversions:
            self._conversions[key] = Conversions(by_uri, **self.options)
        return self._conversions[key]

    # ------------------------------------------------------------ using

    def _use(self, parsed: tree.Library, found: list[Diagnostic]) -> Mapping[str, tuple[str, Model]]:
        models: dict[str, tuple[str, Model]] = {}
        for using in parsed.usings:
            if using.model == "System":
                continue
            try:
                models[using.name] = (using.model, self.models(using.model, using.version))
            except EligibilityError as problem:
                found.append(_diagnostic(parsed, using, "unknown-model", str(problem)))
        return models

    # ------------------------------------------------------------ include

    def _include(self, parsed: tree.Library, found: list[Diagnostic]) -> tuple[dict[str, Symbols], tuple[str, ...]]:
        includes: dict[str, Symbols] = {}
        needed: dict[str, None] = {}
        self._busy.append(parsed.name or parsed.source)
        for node in parsed.includes:
            if node.name in includes:
                message = f"two libraries are included under the name '{node.name}'"
                found.append(_diagnostic(parsed, node, "duplicate-name", message))
                continue
            key = self._find(parsed, node, found)
            if key is not None:
                includes[node.name] = self._symbols[key]
                needed.update(dict.fromkeys(self._closure[key]))
        self._busy.pop()
        return includes, tuple(needed)

    def _find(self, parsed: tree.Library, node: tree.IncludeDefinition, found: list[Diagnostic]) -> str | None:
        request = (node.library, node.version)
        if request in self._by_request and self._by_request[request] is not None:
            return self._by_request[request]
        shown = f"'{node.library}'" + (f" version '{node.version}'" if node.version else "")
        if node.library in self._busy:
            chain = " → ".join([*self._busy[self._busy.index(node.library) :], node.library])
            found.append(_diagnostic(parsed, node, "circular-include", f"the libraries include each other: {chain}"))
            return None
        text = self.sources.find(node.library, node.version)
        if text is None:
            other = node.version is not None and self.sources.find(node.library, None) is not None
            hint = "; there is another version of it" if other else Analyser.nearest(node.library, self.sources.names())
            message = f"the library {shown} is not found{hint}"
            found.append(_diagnostic(parsed, node, "unknown-library", message))
            return None
        translation = self._compiled(text) or self._parsed(text, found)
        if translation is None:
            return None
        assert translation.library is not None
        key = translation.library.key
        self._symbols[key] = Symbols.of(translation.library)
        self._diagnostics[key] = translation.diagnostics
        self._closure[key] = tuple(translation.libraries)
        self._by_request[request] = key
        self._texts[request] = text
        self._included[key] = translation.included
        if text.native:
            self._native.add(key)
        return key

    def _parsed(self, text: SourceText, found: list[Diagnostic]) -> Translation | None:
        included, problems = parse_library(text.text, text.source)
        if included is None:
            found.extend(problems)
            return None
        return self._translate(included, problems)

    @staticmethod
    def _compiled(text: SourceText) -> Translation | None:
        """The ELM that comes with a library of the product; None when it was made from another text."""
        if text.compiled is None:
            return None
        library = dataclasses.replace(decode(text.compiled, source=text.source), source=text.source)
        if library.hash != hashlib.sha256(text.text.encode()).hexdigest():
            return None
        return Translation(library, {library.key: library})


def _diagnostic(parsed: tree.Library, node: tree.Definition, code: str, message: str) -> Diagnostic:
    lines = parsed.text.splitlines()
    line = node.span.line
    excerpt = lines[line - 1] if 0 < line <= len(lines) else None
    return Diagnostic(parsed.source, node.span, code, message, excerpt=excerpt)


def _place(diagnostic: Diagnostic) -> tuple[int, int]:
    return (diagnostic.span.line, diagnostic.span.column) if diagnostic.span else (0, 0)
