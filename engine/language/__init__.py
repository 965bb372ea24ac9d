"""The language room: CQL 1.5.3 from text to values. It knows nothing of trials, services or files.

The way of a library: :class:`Translator` (text → syntax tree → typed ELM, every diagnostic at once), then
:class:`Program` (ELM → closures), then :class:`Evaluation` (closures over one :class:`Context`). The world comes in
through four protocols: data, terms, units (``evaluation.protocols``) and model (``types.model``).
"""

from engine.language.analysis.translator import LibrarySource, SourceText, Translation, Translator
from engine.language.evaluation.context import Context, Limits
from engine.language.evaluation.program import Evaluation, Program

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
