"""The language room: CQL 1.5.3 from text to values. It knows nothing of trials, services or files.

The way of a library: :class:`Translator` (text → syntax tree → typed ELM, every diagnostic at once), then
:class:`Program` (ELM → closures), then :class:`Evaluation` (closures over one :class:`Context`). The world comes in
through four protocols: data, terms, units (``evaluation.protocols``) and model (``types.model``).

The names are imported when they are first used: a library from the cache is run without loading the front end.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.language.analysis.translator import Translator
    from engine.language.evaluation.context import Context, Limits
    from engine.language.evaluation.program import Evaluation, Program
    from engine.language.translation import LibrarySource, SourceText, Translation

__all__ = [
    "Context",
    "Evaluation",
    "LibrarySource",
    "Limits",
    "Program",
    "SourceText",
    "Translation",
    "Translator",
]

_MODULES = {
    "Context": "evaluation.context",
    "Evaluation": "evaluation.program",
    "LibrarySource": "translation",
    "Limits": "evaluation.context",
    "Program": "evaluation.program",
    "SourceText": "translation",
    "Translation": "translation",
    "Translator": "analysis.translator",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
