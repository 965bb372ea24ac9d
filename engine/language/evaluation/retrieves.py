"""Closures of retrieves: the record's index by code, asked once a run for each question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import EvaluationError
from engine.language.elm import nodes as elm
from engine.language.evaluation.protocols import Data
from engine.language.evaluation.run import Run
from engine.language.evaluation.trace import RetrieveTrace
from engine.language.values import Code, CodeSystem, Concept, ValueSet

if TYPE_CHECKING:
    from engine.language.evaluation.compiler import Compiler
    from engine.language.evaluation.program import Closure, Frame

Member = Callable[[str | None, str], bool]


def retrieve(compiler: Compiler, node: elm.Retrieve) -> Closure:
    """``[Type: path in codes]`` over the record of the subject, of a related person, or of everyone (Unfiltered)."""
    codes = compiler.compile(node.codes) if node.codes is not None else None
    person = compiler.compile(node.person) if node.person is not None else None
    type_name, path = node.data_type, node.code_property
    unfiltered = node.context == "Unfiltered" and node.person is None
    span, library = node.span, compiler.library

    def find(frame: Frame) -> list[Any]:
        run: Run = frame[0]
        data = _data(run)
        wanted = codes(frame) if codes is not None else None
        if person is not None:
            someone = person(frame)
            if someone is None:
                return []
            return _find(run, data.of(someone), type_name, path, wanted, codes is not None)
        key = (type_name, path, unfiltered, _key(wanted)) if codes is not None else (type_name, unfiltered)
        found = run.retrieved.get(key)
        if found is None:
            found = _find(run, data, type_name, path, wanted, codes is not None, unfiltered)
            run.retrieved[key] = found
        return found

    if not compiler.traced:
        return find

    def traced(frame: Frame) -> list[Any]:
        found = find(frame)
        wanted = codes(frame) if codes is not None else None
        frame[0].tracer.add(RetrieveTrace(type_name, path, wanted, tuple(found), span, library))
        return found

    return traced


def _data(run: Run) -> Data:
    if run.context.data is None:
        raise EvaluationError("there is no patient here to retrieve from; give a bundle", code="no-data")
    return run.context.data


def _key(wanted: Any) -> Any:
    return tuple(wanted) if isinstance(wanted, list) else wanted


def _find(
    run: Run, data: Data, type_name: str, path: str | None, wanted: Any, filtered: bool, everyone: bool = False
) -> list[Any]:
    resources = data.all_resources(type_name) if everyone else data.resources(type_name)
    if not filtered or path is None:
        return list(resources)
    if wanted is None:
        return []
    member = membership(run, wanted)
    positions: set[int] = set()
    for (system, code), at in data.code_index(type_name, path, everyone=everyone).items():
        if member(system, code):
            positions.update(at)
    return [resources[i] for i in sorted(positions)]


def membership(run: Run, wanted: Any) -> Member:
    """A test of (system, code) for a value set, code system, code, concept, or a list of codes, concepts or strings.

    A coding that states no system (``""``) is in no value set, as for ``in``; a primitive code (None) is compared by
    its text.

    Raises:
        TerminologyError: the value set cannot be resolved; never an empty answer.
    """
    if isinstance(wanted, ValueSet):
        terms = run.context.terms
        if terms is None:
            message = f"the value set '{wanted.name or wanted.id}' cannot be resolved: no terminology was given"
            raise EvaluationError(message, code="terminology")
        expanded = terms.value_set(wanted.id, wanted.version)
        return lambda system, code: expanded.contains(code, system)
    if isinstance(wanted, CodeSystem):
        return lambda system, code: system == wanted.id
    pairs: set[tuple[str | None, str | None]] = set()
    texts: set[str] = set()
    for item in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(item, Code):
            pairs.add((item.system, item.code))
        elif isinstance(item, Concept):
            pairs.update((c.system, c.code) for c in item.codes)
        elif isinstance(item, str):
            texts.add(item)
    return lambda system, code: (system or None, code) in pairs or code in texts
