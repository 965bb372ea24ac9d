"""The analysis of one library: every definition typed, every mistake reported with its place."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from engine.errors import Diagnostic, Span
from engine.language.analysis.conversions import ERROR, Conversions
from engine.language.analysis.literals import LiteralRules
from engine.language.analysis.methods import Analysed
from engine.language.analysis.names import NameRules
from engine.language.analysis.operations import OperatorRules
from engine.language.analysis.order import FEW, ordered
from engine.language.analysis.queries import QueryRules
from engine.language.analysis.scope import Frame, Scopes
from engine.language.analysis.symbols import Symbols
from engine.language.analysis.timing import TimingRules
from engine.language.elm import nodes as elm
from engine.language.evaluation.protocols import UnitSystem
from engine.language.operators import TABLE
from engine.language.syntax import tree
from engine.language.types.datatype import ANY, CODESYSTEM, DataType, ListType, NamedType
from engine.language.types.model import Model

EVERYONE = ("Unfiltered", "Population")
"""The contexts of no model: that of CQL, and its name before CQL 1.3."""


class Analyser(LiteralRules, OperatorRules, TimingRules, NameRules, QueryRules):
    """Analyses one library; ``run`` gives its ELM, ``diagnostics`` what is wrong with it."""

    def __init__(
        self,
        library: tree.Library,
        *,
        models: Mapping[str, tuple[str, Model]],
        includes: Mapping[str, Symbols],
        units: UnitSystem,
        conversions: Conversions,
    ) -> None:
        self.tree = library
        self.source = library.source or library.name or "expression"
        self.lines = library.text.splitlines()
        self.diagnostics: list[Diagnostic] = []
        self.model_names: dict[str, str] = {local: entry[0] for local, entry in models.items()}
        self.models = dict(models.values())
        self.includes = dict(includes)
        self.units = units
        self.conversions = conversions
        self.scopes = Scopes()
        self.context = "Unfiltered"
        self._nodes: dict[str, tree.Definition] = {}
        self._done: dict[str, elm.Def] = {}
        self._busy: dict[str, None] = {}
        self._functions: dict[str, list[elm.FunctionDef]] = {}
        self._function_nodes: dict[tuple[str, tuple[DataType, ...]], tree.FunctionDefinition] = {}
        self._finished: dict[tuple[str, tuple[DataType, ...]], elm.FunctionDef] = {}

    # ------------------------------------------------------------ the library

    def run(self) -> elm.Library:
        """Analyses everything; call once."""
        self._collect()
        self._declare_functions()
        self._analyse_in_order()
        node = self.tree
        made = [self.definition(name) for name in list(self._nodes)]
        functions = [self._function(f) for fs in self._functions.values() for f in fs]
        order = {id(d): i for i, d in enumerate(made)}
        definitions = sorted((d for d in made if d is not None), key=lambda d: order[id(d)])
        groups: dict[type, list[Any]] = {}
        for definition in definitions:
            groups.setdefault(type(definition), []).append(definition)
        for context in dict.fromkeys(c.name for c in node.contexts):
            implicit = self._done.get(context)
            if isinstance(implicit, elm.ExpressionDef) and context not in self._nodes:
                groups.setdefault(elm.ExpressionDef, []).insert(0, implicit)
        return elm.Library(
            name=node.name or "Anonymous", version=node.version, tags=_tags(node.tags), usings=self._usings(),
            includes=self._includes(), code_systems=tuple(groups.get(elm.CodeSystemDef, ())),
            value_sets=tuple(groups.get(elm.ValueSetDef, ())), codes=tuple(groups.get(elm.CodeDef, ())),
            concepts=tuple(groups.get(elm.ConceptDef, ())), parameters=tuple(groups.get(elm.ParameterDef, ())),
            expressions=tuple(groups.get(elm.ExpressionDef, ())), functions=tuple(functions), source=self.source,
            hash=hashlib.sha256(node.text.encode()).hexdigest(),
        )  # fmt: skip

    def _analyse_in_order(self) -> None:
        """Analyses what others name before them, where there is so much that demand could nest too deep."""
        if len(self._nodes) + len(self._function_nodes) <= FEW:
            return
        functions = [(name, node) for (name, _), node in self._function_nodes.items()]
        for name in ordered([*self._nodes.items(), *functions]):
            for function in self._functions.get(name, ()):
                self._function(function)
            if name in self._nodes:
                self.definition(name)

    def _usings(self) -> tuple[elm.UsingDef, ...]:
        return tuple(
            elm.UsingDef(name=u.name, uri=u.model, version=u.version, span=u.span) for u in self.tree.usings
        )

    def _includes(self) -> tuple[elm.IncludeDef, ...]:
        made = []
        for node in self.tree.includes:
            symbols = self.includes.get(node.name)
            if symbols is not None:
                path, version = symbols.library.name, symbols.library.version
                made.append(elm.IncludeDef(name=node.name, path=path, version=version, span=node.span))
        return tuple(made)

    def _collect(self) -> None:
        node = self.tree
        everything: tuple[Sequence[tree.Definition], ...] = (
            node.code_systems, node.value_sets, node.codes, node.concepts, node.parameters, node.expressions,
        )  # fmt: skip
        self._check_contexts()
        taken: dict[str, Span] = {d.name: d.name_span for d in node.includes}
        for using in node.usings:
            first = taken.setdefault(using.name, using.name_span)
            if first is not using.name_span:
                message = f"'{using.name}' is already defined in line {first.line}"
                self.report(using.name_span, "duplicate-name", message)
        for group in everything:
            for definition in group:
                if definition.name in taken:
                    first = taken[definition.name]
                    message = f"'{definition.name}' is already defined in line {first.line}"
                    self.report(definition.name_span, "duplicate-name", message)
                    continue
                taken[definition.name] = definition.name_span
                self._nodes[definition.name] = definition

    def _check_contexts(self) -> None:
        """Each context is one of a data model in use; a library without one has no data to be misled by."""
        known = [name for model in self.models.values() for name in model.contexts]
        for node in self.tree.contexts if known else ():
            if node.name not in (*known, *EVERYONE):
                message = f"there is no context '{node.name}'{self.nearest(node.name, [*known, *EVERYONE])}"
                self.report(node.span, "unknown-context", message)

    # ------------------------------------------------------------ definitions

    def definition(self, name: str) -> elm.Def | None:
        done = self._done.get(name)
        if done is not None:
            return done
        node = self._nodes.get(name)
        if node is None:
            return self._context_definition(name)
        if name in self._busy or len(self._busy) > FEW:
            return self._circular(name, node)
        self._busy[name] = None
        with self._outside(getattr(node, "context", None)):
            made = self._define(node)
        del self._busy[name]
        self._done[name] = made
        return made

    def _circular(self, name: str, node: tree.Definition) -> elm.Def:
        busy = list(self._busy)
        chain = [*busy[busy.index(name) :], name] if name in self._busy else [*busy[:FEW], "…"]
        shown = " → ".join(f"'{n}'" for n in chain)
        self.report(node.name_span, "circular-reference", f"the definition refers to itself: {shown}")
        broken = elm.Null(result_type=ERROR, span=node.name_span)
        return elm.ExpressionDef(name=name, expression=broken, context=self.context)

    @contextmanager
    def _outside(self, context: str | None) -> Iterator[None]:
        """Analysis of another definition starts without the names of this one."""
        scopes, before = self.scopes, self.context
        self.scopes, self.context = Scopes(), context or "Unfiltered"
        yield
        self.scopes, self.context = scopes, before

    def _context_definition(self, name: str) -> elm.Def | None:
        """The implicit define of a context: ``Patient`` is the one patient in sight."""
        if all(c.name != name for c in self.tree.contexts) or name == "Unfiltered":
            return None
        for uri, model in self.models.items():
            if model.class_info(name) is not None:
                datatype = NamedType(uri, name)
                retrieve = elm.Retrieve(
                    model=uri, data_type=name, code_property=None, comparator=None, codes=None, person=None,
                    context=name, result_type=ListType(datatype),
                )  # fmt: skip
                single = elm.Operator(
                    name="SingletonFrom", operands=(retrieve,), result_type=datatype,
                    signature=_singleton_signature(),
                )  # fmt: skip
                made = elm.ExpressionDef(name=name, expression=single, context=name)
                self._done[name] = made
                return made
        return None

    def definition_names(self) -> list[str]:
        contexts = [c.name for c in self.tree.contexts if c.name != "Unfiltered"]
        return [*self._nodes, *contexts]

    def _define(self, node: tree.Definition) -> elm.Def:
        common: dict[str, Any] = {
            "name": node.name, "access": node.access, "tags": _tags(node.tags), "span": node.name_span,
        }  # fmt: skip
        match node:
            case tree.ExpressionDefinition():
                return elm.ExpressionDef(**common, expression=self.expression(node.expression), context=self.context)
            case tree.ParameterDefinition():
                return self._parameter(node, common)
            case tree.ValueSetDefinition():
                return elm.ValueSetDef(**common, id=node.id, version=node.version)
            case tree.CodeSystemDefinition():
                return elm.CodeSystemDef(**common, id=node.id, version=node.version)
            case tree.CodeDefinition():
                system = self._code_system(node.system)
                return elm.CodeDef(**common, id=node.id, system=system, display=node.display)
            case tree.ConceptDefinition():
                refs = [self.expression(c) for c in node.codes]
                for ref, written in zip(refs, node.codes, strict=True):
                    if not isinstance(ref, elm.CodeRef) and ref.result_type != ERROR:
                        self.error(written.span, "type-mismatch", "a concept is made of the names of codes")
                codes = tuple(r for r in refs if isinstance(r, elm.CodeRef))
                return elm.ConceptDef(**common, codes=codes, display=node.display)
        raise TypeError(f"unknown definition {node!r}")

    def _code_system(self, node: tree.Expression) -> elm.CodeSystemRef:
        found = self.expression(node)
        if isinstance(found, elm.CodeSystemRef):
            return found
        if found.result_type != ERROR:
            self.error(node.span, "type-mismatch", "a code needs the name of a codesystem after 'from'")
        return elm.CodeSystemRef(name="", result_type=CODESYSTEM, span=node.span)

    def _parameter(self, node: tree.ParameterDefinition, common: dict[str, Any]) -> elm.ParameterDef:
        default = self.expression(node.default) if node.default is not None else None
        if node.type is not None:
            datatype = self.type_specifier(node.type)
            if default is not None:
                default = self.convert(default, datatype, f"the default of '{node.name}'")
        elif default is not None:
            datatype = default.result_type
        else:
            datatype = ERROR
            self.report(node.name_span, "no-type", f"the parameter '{node.name}' needs a type or a default")
        return elm.ParameterDef(**common, type=datatype, default=default)

    # ------------------------------------------------------------ functions

    def _declare_functions(self) -> None:
        for node in self.tree.functions:
            operands = tuple(
                elm.OperandDef(name=o.name, type=self.type_specifier(o.type)) for o in node.operands
            )
            declared = self.type_specifier(node.returns) if node.returns is not None else ANY
            made = elm.FunctionDef(
                name=node.name, access=node.access, tags=_tags(node.tags), span=node.name_span, operands=operands,
                expression=None, result_type=declared, fluent=node.fluent, context=node.context or "Unfiltered",
            )  # fmt: skip
            names = [o.name for o in node.operands]
            for place, operand in enumerate(node.operands):
                if operand.name in names[:place]:
                    message = f"the function '{node.name}' has two operands named '{operand.name}'"
                    self.report(operand.span, "duplicate-name", message)
            key = (node.name, tuple(o.type for o in operands))
            if key in self._function_nodes:
                shown = ", ".join(self.type_name(t) for t in key[1])
                message = f"the function '{node.name}({shown})' is defined twice"
                self.report(node.name_span, "duplicate-name", message)
                continue
            self._function_nodes[key] = node
            self._functions.setdefault(node.name, []).append(made)

    def local_functions(self, name: str) -> Sequence[elm.FunctionDef]:
        return self._functions.get(name, ())

    def local_function_names(self) -> list[str]:
        return list(self._functions)

    def function_result(self, function: elm.FunctionDef) -> DataType:
        return self._function(function).result_type

    def _function(self, function: elm.FunctionDef) -> elm.FunctionDef:
        key = (function.name, tuple(o.type for o in function.operands))
        done = self._finished.get(key)
        if done is not None:
            return done
        node = self._function_nodes[key]
        if node.body is None:
            self._finished[key] = function
            return function
        label = f"{function.name}({', '.join(self.type_name(t) for t in key[1])})"
        if label in self._busy or len(self._busy) > FEW:
            self.report(node.name_span, "circular-reference", f"the function '{function.name}' calls itself")
            return dataclasses.replace(function, result_type=ERROR)
        self._busy[label] = None
        with self._outside(node.context):
            names: dict[str, elm.Expression] = {
                o.name: elm.OperandRef(name=o.name, result_type=o.type) for o in function.operands
            }
            with self.scopes.inside(Frame(names=names)):
                body = self.expression(node.body)
                if node.returns is not None:
                    body = self.convert(body, function.result_type, f"the result of '{function.name}'")
        del self._busy[label]
        made = dataclasses.replace(function, expression=body, result_type=body.result_type)
        self._finished[key] = made
        return made

    # ------------------------------------------------------------ expressions

    def expression(self, node: tree.Expression) -> elm.Expression:
        return _RULES[type(node)](self, node)

    def valid_unit(self, unit: str) -> bool:
        return self.units.valid(unit)


def _tags(tags: Sequence[tree.Tag]) -> tuple[tuple[str, str], ...]:
    return tuple((t.name, t.value) for t in tags)


def _singleton_signature() -> tuple[DataType, ...]:
    return TABLE.overloads("SingletonFrom")[0].operands


Rule = Callable[[Analyser, Any], elm.Expression]

_RULES: dict[type, Rule] = {
    tree.NullLiteral: Analyser.null_literal, tree.BooleanLiteral: Analyser.boolean_literal,
    tree.StringLiteral: Analyser.string_literal, tree.NumberLiteral: Analyser.number_literal,
    tree.QuantityLiteral: Analyser.quantity_literal, tree.RatioLiteral: Analyser.ratio_literal,
    tree.TemporalLiteral: Analyser.temporal_literal, tree.IntervalSelector: Analyser.interval_selector,
    tree.TupleSelector: Analyser.tuple_selector, tree.InstanceSelector: Analyser.instance_selector,
    tree.ListSelector: Analyser.list_selector, tree.CodeSelector: Analyser.code_selector,
    tree.ConceptSelector: Analyser.concept_selector, tree.Identifier: Analyser.identifier,
    tree.Member: Analyser.member, tree.FunctionCall: Analyser.function_call, tree.Index: Analyser.index,
    tree.SpecialIdentifier: Analyser.special_identifier, tree.ExternalConstant: Analyser.external_constant,
    tree.Operation: Analyser.operation, tree.Membership: Analyser.membership, tree.Between: Analyser.between,
    tree.ElapsedBetween: Analyser.elapsed_between, tree.ElapsedOf: Analyser.elapsed_of,
    tree.ComponentFrom: Analyser.component_from, tree.Extreme: Analyser.extreme, tree.TypeTest: Analyser.type_test,
    tree.Cast: Analyser.cast, tree.Conversion: Analyser.conversion, tree.SetOperation: Analyser.set_operation,
    tree.Conditional: Analyser.conditional, tree.Case: Analyser.case, tree.Timing: Analyser.timing,
    tree.Retrieve: Analyser.retrieve, tree.Query: Analyser.query, Analysed: Analyser.analysed,
}  # fmt: skip
"""The rule of each kind of syntax node."""


