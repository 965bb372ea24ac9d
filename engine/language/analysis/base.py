"""What every part of the analyser shares: reporting, operator resolution, conversions, types."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engine.errors import Diagnostic, Severity, Span
from engine.language.analysis.conversions import ERROR, Conversion, Conversions
from engine.language.analysis.overloads import Ambiguous, Match, best_match
from engine.language.analysis.scope import Scopes
from engine.language.elm import nodes as elm
from engine.language.operators import TABLE
from engine.language.syntax import tree
from engine.language.types.datatype import (
    SYSTEM_TYPES,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
    size_of,
)

if TYPE_CHECKING:
    from engine.language.types.model import Model

NEARNESS = 0.6
"""How alike two names must be (difflib's ratio) for one to be suggested for the other."""
LONGEST_COMPARED, MOST_COMPARED, SUGGESTIONS = 200, 2_000, 50
"""Characters and number of the names compared for that, and the mistakes of a library that get a suggestion."""
ERRORS_SHOWN = 200
"""Errors of a library that are told: no more than a person would read, as for those of syntax."""
WIDEST_CHOICE = 250
"""Alternatives of a choice: more than FHIR has types of resources or of elements."""
LARGEST_TYPE = 10_000
"""Types that one type may be made of, as it would be written out."""


class AnalyserBase:
    """State and services of the analysis of one library; the parts (names, operators, queries …) build on it."""

    source: str
    lines: list[str]
    diagnostics: list[Diagnostic]
    errors: int = 0
    conversions: Conversions
    scopes: Scopes
    models: dict[str, Model]
    model_names: dict[str, str]
    context: str

    def expression(self, node: tree.Expression) -> elm.Expression:
        """The typed ELM of ``node``; a mistake is reported and stands as a null of the error type."""
        raise NotImplementedError

    # ------------------------------------------------------------ reporting

    def report(self, span: Span | None, code: str, message: str, severity: Severity = Severity.ERROR) -> None:
        """Adds a diagnostic at ``span`` of this library."""
        if severity is Severity.ERROR:
            self.errors += 1
            if self.errors > ERRORS_SHOWN:
                return
        excerpt = self.lines[span.line - 1] if span and 0 < span.line <= len(self.lines) else None
        self.diagnostics.append(Diagnostic(self.source, span, code, message, severity, excerpt))

    def error(self, span: Span | None, code: str, message: str) -> elm.Expression:
        """Reports an error and gives the expression that stands for it."""
        self.report(span, code, message)
        return elm.Null(result_type=ERROR, span=span)

    @staticmethod
    def nearest(name: str, known: Iterable[str]) -> str:
        """``; did you mean 'X'?`` for the nearest known name, or nothing; monstrous names are compared with none."""
        if len(name) > LONGEST_COMPARED:
            return ""
        compared = [k for k in dict.fromkeys(known) if len(k) <= LONGEST_COMPARED][:MOST_COMPARED]
        close = difflib.get_close_matches(name, compared, n=1, cutoff=NEARNESS)
        return f"; did you mean '{close[0]}'?" if close else ""

    def suggestion(self, name: str, known: Iterable[str]) -> str:
        """:meth:`nearest` for the first mistakes of a library; whoever made more has to begin with these."""
        return self.nearest(name, known) if len(self.diagnostics) < SUGGESTIONS else ""

    # ------------------------------------------------------------ operators

    def operator(
        self,
        names: str | Sequence[str],
        operands: Sequence[elm.Expression],
        span: Span | None,
        *,
        precision: str | None = None,
        spelled: str | None = None,
    ) -> elm.Expression:
        """The operator bound to the best overload among ``names``, or an error at ``span``.

        ``spelled`` is the CQL spelling used in the message.
        """
        candidates = (names,) if isinstance(names, str) else tuple(names)
        types = [o.result_type for o in operands]
        if ERROR in types:
            return elm.Null(result_type=ERROR, span=span)
        label = spelled or candidates[0]
        try:
            found = self._match(candidates, tuple(types))
        except Ambiguous as ambiguous:
            choices = ", ".join(str(m.overload) for m in ambiguous.matches)
            return self.error(span, "ambiguous-call", f"'{label}' fits several overloads: {choices}; cast an operand")
        if found is None:
            shown = ", ".join(self.type_name(t) for t in types)
            return self.error(span, "no-overload", f"'{label}' is not defined for ({shown})")
        if precision is not None and not found.overload.precision:
            shown = ", ".join(self.type_name(t) for t in found.operands)
            return self.error(span, "no-precision", f"'{label}' takes no precision for ({shown})")
        return self.bind(found, operands, span, precision)

    def _match(self, candidates: tuple[str, ...], types: tuple[DataType, ...]) -> Match | None:
        """The best overload for these types, which depends on nothing else: the same question is answered once."""
        known = self.conversions.matches
        key = (candidates, types)
        if key not in known:
            overloads = [o for n in candidates for o in TABLE.overloads(n)]
            known[key] = best_match(overloads, types, self.conversions)
        return known[key]

    def bind(
        self, found: Match, operands: Sequence[elm.Expression], span: Span | None, precision: str | None = None
    ) -> elm.Expression:
        """The operator node of a match, its operands converted."""
        converted = tuple(step.build(e) for step, e in zip(found.conversions, operands, strict=True))
        return elm.Operator(
            name=found.overload.name, operands=converted, signature=found.overload.operands, precision=precision,
            result_type=found.result, span=span,
        )  # fmt: skip

    def convert(self, expression: elm.Expression, target: DataType, what: str) -> elm.Expression:
        """``expression`` as a ``target``, converted implicitly; else an error naming ``what`` was expected."""
        step = self.conversions.find(expression.result_type, target)
        if step is None:
            have, want = self.type_name(expression.result_type), self.type_name(target)
            return self.error(expression.span, "type-mismatch", f"{what} must be {want}, not {have}")
        return step.build(expression)

    def boolean(self, expression: elm.Expression, what: str) -> elm.Expression:
        """``expression`` as a Boolean."""
        return self.convert(expression, SYSTEM_TYPES["Boolean"], what)

    def common_type(self, types: Sequence[DataType], span: Span | None) -> DataType:
        """The type that all of these convert to, else their choice; of a choice too wide the error type, reported."""
        known = [t for t in dict.fromkeys(types) if t not in (SYSTEM_TYPES["Any"],)]
        if ERROR in known:
            return ERROR
        if not known:
            return SYSTEM_TYPES["Any"]
        wider = [t for t in known if not isinstance(t, ChoiceType)] + [
            s for t in known for s in self.conversions.targets(t)
        ]
        best: tuple[int, DataType] | None = None
        for candidate in dict.fromkeys(wider):
            cost = self._total_cost(known, candidate)
            if cost is not None and (best is None or cost < best[0]):
                best = (cost, candidate)
        return best[1] if best is not None else self.usable(ChoiceType.of(known), span)

    def _total_cost(self, sources: Sequence[DataType], target: DataType) -> int | None:
        """What it costs to convert all of them, None as soon as one does not."""
        cost = 0
        for source in sources:
            step = self._whole(source, target)
            if step is None:
                return None
            cost += step.cost
        return cost

    def usable(self, datatype: DataType, span: Span | None) -> DataType:
        """``datatype``, or the error type where it is too large to work with, reported at ``span``."""
        if size_of(datatype) > LARGEST_TYPE:
            message = f"the type is made of more than {LARGEST_TYPE} types; use fewer elements, or nest them less"
        elif isinstance(datatype, ChoiceType) and len(datatype.alternatives) > WIDEST_CHOICE:
            message = f"a choice has {len(datatype.alternatives)} types, more than {WIDEST_CHOICE}; use fewer"
        else:
            return datatype
        self.report(span, "type-too-large", message)
        return ERROR

    def _whole(self, source: DataType, target: DataType) -> Conversion | None:
        """The conversion, unless it makes nothing of some values: of a choice, every alternative has to convert."""
        alternatives = source.alternatives if isinstance(source, ChoiceType) else ()
        if any(self.conversions.find(a, target) is None for a in alternatives):
            return None
        return self.conversions.find(source, target)

    # ------------------------------------------------------------ types

    def type_name(self, datatype: DataType) -> str:
        """A type as CQL writes it."""
        return str(datatype)

    def type_specifier(self, node: tree.TypeSpecifier) -> DataType:
        """The type a specifier names; an unknown one is reported and gives the error type."""
        match node:
            case tree.ListTypeSpecifier():
                return ListType(self.type_specifier(node.element))
            case tree.IntervalTypeSpecifier():
                return IntervalType(self.type_specifier(node.point))
            case tree.TupleTypeSpecifier():
                return self.usable(TupleType.of({n: self.type_specifier(t) for n, t in node.elements}), node.span)
            case tree.ChoiceTypeSpecifier():
                return self.usable(ChoiceType.of([self.type_specifier(t) for t in node.alternatives]), node.span)
            case tree.NamedTypeSpecifier():
                return self.named_type(node)
        raise TypeError(f"unknown type specifier {node!r}")

    def named_type(self, node: tree.NamedTypeSpecifier) -> DataType:
        """The type of a name (Developer's Guide "Multiple Data Models").

        An unqualified one is looked for in the models in use, and only then in System: beside FHIR, ``Quantity`` is
        ``FHIR.Quantity``.
        """
        parts = node.name
        if parts[0] == "System" and len(parts) == 2 and parts[1] in SYSTEM_TYPES:
            return SYSTEM_TYPES[parts[1]]
        if len(parts) > 1 and parts[0] in self.model_names:
            qualified = self._class(self.model_names[parts[0]], ".".join(parts[1:]))
            if qualified is not None:
                return qualified
        name = ".".join(parts)
        found = [c for c in (self._class(model, name) for model in self.models) if c is not None]
        if len(found) > 1:
            shown = ", ".join(map(str, found))
            self.report(node.span, "ambiguous-type", f"the type '{name}' is one of several models: {shown}; qualify it")
            return ERROR
        if found:
            return found[0]
        if name in SYSTEM_TYPES:
            return SYSTEM_TYPES[name]
        known = [*SYSTEM_TYPES, *(n for m in self.models.values() for n in m.class_names())]
        self.report(node.span, "unknown-type", f"the type '{name}' is not defined{self.suggestion(name, known)}")
        return ERROR

    def _class(self, model: str, name: str) -> NamedType | None:
        return NamedType(model, name) if self.models[model].class_info(name) is not None else None
