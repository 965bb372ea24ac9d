"""A translated library: what the front end gives and the evaluation takes, and what both call a source.

Apart from the front end, so that a library read from a cache needs neither the parser nor the analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.errors import CompileError, Diagnostic, Severity
from engine.language.elm import nodes as elm
from engine.language.types.model import Model

Request = tuple[str, str | None]
"""A library as an ``include`` asks for it: name, and version where one is written."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a library and the name it is shown by in diagnostics.

    ``native`` marks a library of the product whose conversion functions have native fast paths; ``compiled`` is its ELM
    JSON where the product comes with it, used as long as it was made from this very text.
    """

    text: str
    source: str
    native: bool = False
    compiled: bytes | None = None


class LibrarySource(Protocol):
    """Where included libraries come from."""

    def find(self, name: str, version: str | None) -> SourceText | None:
        """The library of that name (and version when given), or None."""

    def names(self) -> Iterable[str]:
        """All library names, for suggestions."""


ModelProvider = Callable[[str, str | None], Model]
"""A model by name and version; raises EligibilityError with a sentence for one that is not supported."""


@dataclass(slots=True)
class Translation:
    """The outcome for one library: its ELM (None when it cannot be read at all) and those of all it includes.

    ``libraries`` maps ``Name|version`` to ELM, included ones first; ``native`` holds the keys with native paths;
    ``included`` the texts found for all includes, also those of included libraries, as they were asked for.
    """

    library: elm.Library | None
    libraries: Mapping[str, elm.Library] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    native: frozenset[str] = frozenset()
    included: Mapping[Request, SourceText] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that forbid the use of the library."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    def require(self) -> elm.Library:
        """The library, or CompileError with all diagnostics when there is any error."""
        if self.errors or self.library is None:
            raise CompileError(self.diagnostics)
        return self.library
