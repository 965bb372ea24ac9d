"""Compiled libraries: ``Program`` binds ELM to closures, ``Evaluation`` runs them over one context.

A closure takes a frame (a list whose slot 0 is the :class:`Run`, the others operands, aliases and lets) and gives the
value. Defines are compiled when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import EvaluationError, LimitExceeded
from engine.language.elm import nodes as elm
from engine.language.evaluation.context import Context
from engine.language.evaluation.run import MISSING, Failure, Run
from engine.language.evaluation.trace import Trace, Tracer
from engine.language.interpreter import COLLECTOR_RESTS, DEEP_NESTING
from engine.language.types.datatype import DataType
from engine.language.types.lattice import Lattice
from engine.language.types.model import Model
from engine.language.values import Tuple

Frame = list[Any]
Closure = Callable[[Frame], Any]
TOO_DEEP = "the define nests too deeply to be evaluated"


@dataclass(slots=True)
class Unit:
    """One library of a program, with its definitions by name."""

    library: elm.Library
    expressions: dict[str, elm.ExpressionDef]
    parameters: dict[str, elm.ParameterDef]
    value_sets: dict[str, elm.ValueSetDef]
    code_systems: dict[str, elm.CodeSystemDef]
    codes: dict[str, elm.CodeDef]
    concepts: dict[str, elm.ConceptDef]
    functions: dict[tuple[str, tuple[DataType, ...]], elm.FunctionDef]
    includes: dict[str, str]

    @classmethod
    def of(cls, library: elm.Library) -> Unit:
        """The lookup tables of a library; an include is bound to the key of the library it names."""
        return cls(
            library,
            {d.name: d for d in library.expressions},
            {d.name: d for d in library.parameters},
            {d.name: d for d in library.value_sets},
            {d.name: d for d in library.code_systems},
            {d.name: d for d in library.codes},
            {d.name: d for d in library.concepts},
            {(f.name, tuple(o.type for o in f.operands)): f for f in library.functions},
            {i.name: i.path if i.version is None else f"{i.path}|{i.version}" for i in library.includes},
        )


class Program:
    """A library with all it includes, ready to run. ``native`` names the libraries with native conversion functions."""

    def __init__(
        self,
        main: elm.Library,
        libraries: Mapping[str, elm.Library],
        models: Mapping[str, Model],
        *,
        native: frozenset[str] = frozenset(),
    ) -> None:
        self.main = main
        self.units = {key: Unit.of(library) for key, library in libraries.items()}
        self.units.setdefault(main.key, Unit.of(main))
        self.models = models
        self.native = native
        self.lattice = Lattice(models)
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def define(self, library: str, name: str, traced: bool) -> Closure:
        """The closure of a define, which remembers its value within the run."""
        key = ("define", library, name, traced)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._make_define(library, name, traced)
        return found

    def _make_define(self, library: str, name: str, traced: bool) -> Closure:
        from engine.language.evaluation.compiler import Compiler

        definition = self.units[library].expressions[name]
        compiler = Compiler(self, library, traced)
        body: Closure | None = None
        size = 1
        memo_key = (library, name)

        def evaluate(run: Run) -> Any:
            nonlocal body, size
            if body is None:
                body = compiler.compile(definition.expression)
                size = compiler.size
            return body([run] + [None] * (size - 1))

        return remembered(memo_key, evaluate, traced)

    def function(self, library: str, definition: elm.FunctionDef, traced: bool) -> tuple[Closure, Callable[[], int]]:
        """The body of a function and the size of its frame; compiled at the first call."""
        from engine.language.evaluation.compiler import Compiler

        key = ("function", library, definition.name, tuple(o.type for o in definition.operands), traced)
        found = self._compiled.get(key)
        if found is None:
            compiler = Compiler(self, library, traced, operands=[o.name for o in definition.operands])
            body: list[Closure] = []

            def call(frame: Frame) -> Any:
                if not body:
                    assert definition.expression is not None
                    body.append(compiler.compile(definition.expression))
                    frame.extend([None] * (compiler.size - len(frame)))
                return body[0](frame)

            found = self._compiled[key] = (call, lambda: compiler.size)
        return found


def remembered(key: tuple[str, str], evaluate: Callable[[Run], Any], traced: bool) -> Closure:
    """A define evaluated once within a run: its value or failure is kept, with its trace when traced."""
    library, name = key

    def fresh(run: Run) -> Any:
        try:
            value = evaluate(run)
        except EvaluationError as error:
            if error.define is None:
                error.define = name
            run.memo[key] = Failure(error)
            raise
        except RecursionError:
            # Kept like any failure: asked for one by one, 20,000 defines in a chain would each nest anew.
            deep = LimitExceeded(TOO_DEEP, define=name)
            run.memo[key] = Failure(deep)
            raise deep from None
        run.memo[key] = value
        return value

    def plain(frame: Frame) -> Any:
        run: Run = frame[0]
        value = run.memo.get(key, MISSING)
        if value is MISSING:
            return fresh(run)
        if value.__class__ is Failure:
            raise value.error
        return value

    if not traced:
        return plain

    def with_trace(frame: Frame) -> Any:
        run: Run = frame[0]
        tracer = run.tracer
        assert tracer is not None
        kept = run.traced.get(key)
        if kept is not None:
            tracer.stack[-1].children.append(kept)
            return plain(frame)
        trace = run.traced[key] = Trace(library, name)
        tracer.stack[-1].children.append(trace)
        tracer.stack.append(trace)
        filtering, tracer.filtering = tracer.filtering, 0
        try:
            trace.value = fresh(run)
        finally:
            tracer.stack.pop()
            tracer.filtering = filtering
        return trace.value

    return with_trace


def weigh(value: Any, limit: int, define: str) -> None:
    """Refuses a value whose lists and tuples, written out, have more than ``limit`` elements.

    A list that holds another one a thousand times is small in memory and endless on paper.
    """
    if value.__class__ is not list and value.__class__ is not Tuple:
        return
    pending: list[Any] = [value]
    count = 0
    while pending:
        current = pending.pop()
        inner = current if current.__class__ is list else current.elements.values()
        count += len(inner)
        if count > limit:
            raise LimitExceeded(f"the value has more than {limit} elements", define=define)
        pending.extend([v for v in inner if v.__class__ is list or v.__class__ is Tuple])


class Evaluation:
    """One run of a program over one context. Defines are evaluated when asked for, each once."""

    def __init__(self, program: Program, context: Context, *, trace: bool = False) -> None:
        self.program = program
        self.run = Run(context, Tracer() if trace else None)

    def define(self, name: str, library: str | None = None) -> Any:
        """The value of a define.

        Raises:
            KeyError: there is no such define.
            EvaluationError: the define failed; every other define can still be asked for.
        """
        key = library or self.program.main.key
        closure = self.program.define(key, name, self.run.tracer is not None)
        run = self.run
        run.begin()
        try:
            with DEEP_NESTING, COLLECTOR_RESTS:
                value = closure([run])
        except RecursionError:
            raise LimitExceeded(TOO_DEEP, define=name) from None
        weigh(value, run.context.limits.list_size, name)
        return value

    def trace(self, name: str, library: str | None = None) -> Trace | None:
        """The trace of a define evaluated before, when tracing is on."""
        return self.run.traced.get((library or self.program.main.key, name))
