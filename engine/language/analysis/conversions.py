"""Implicit conversions: which type may stand where another is asked for, and what that costs.

Source: CQL 1.5.3, Author's Guide "Converting between types" (the table of implicit conversions) and Developer's Guide
"Conversion Precedence": the identical type, then a subtype, a compatible one (null), a cast from a choice, an implicit
conversion to a simple type, then to a class. List promotion and demotion are options and off by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.language.elm import nodes as elm
from engine.language.types.datatype import (
    ANY,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    SYSTEM_TYPES,
    VALUESET,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
    TypeParameter,
)
from engine.language.types.datatype import ERROR as ERROR
from engine.language.types.lattice import Lattice
from engine.language.types.model import Model

if TYPE_CHECKING:
    from engine.language.analysis.overloads import Match

Build = Callable[[elm.Expression], elm.Expression]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A way from one type to another: its cost (lower wins) and the ELM it wraps around an expression.

    ``twice`` is true of a way over a third type, which the specification does not count among its conversions.
    """

    cost: int
    build: Build
    twice: bool = False


IDENTITY = Conversion(0, lambda e: e)
SUBTYPE, COMPATIBLE, CHOICE, CAST, SIMPLE, COMPLEX, PROMOTION, TWICE = 1, 2, 3, 4, 5, 8, 12, 20

SYSTEM_CONVERSIONS: tuple[tuple[NamedType, DataType, str, int], ...] = (
    (INTEGER, LONG, "ToLong", SIMPLE),
    (INTEGER, DECIMAL, "ToDecimal", SIMPLE + 1),
    (LONG, DECIMAL, "ToDecimal", SIMPLE),
    (INTEGER, QUANTITY, "ToQuantity", COMPLEX + 1),
    (LONG, QUANTITY, "ToQuantity", COMPLEX + 1),
    (DECIMAL, QUANTITY, "ToQuantity", COMPLEX),
    (DATE, DATETIME, "ToDateTime", SIMPLE),
    (CODE, CONCEPT, "ToConcept", COMPLEX),
    (VALUESET, ListType(CODE), "ExpandValueSet", COMPLEX + 2),
)


def convert_by_operator(name: str, source: DataType, target: DataType) -> Build:
    """Wraps an expression into the conversion operator ``name``."""
    return lambda e: elm.Operator(name=name, operands=(e,), signature=(source,), result_type=target, span=e.span)


def cast(target: DataType) -> Build:
    """Wraps an expression into a cast that gives null for a value of another type."""

    def build(expression: elm.Expression) -> elm.Expression:
        if isinstance(expression, elm.Null):
            return elm.Null(result_type=target, span=expression.span)
        return elm.As(operand=expression, result_type=target, span=expression.span)

    return build


class Conversions(Lattice):
    """The type lattice of a library with its implicit conversions, of System and of the models in use."""

    def __init__(
        self, models: Mapping[str, Model], *, list_promotion: bool = False, list_demotion: bool = False
    ) -> None:
        super().__init__(models)
        self.list_promotion = list_promotion
        self.list_demotion = list_demotion
        self.matches: dict[tuple[tuple[str, ...], tuple[DataType, ...]], Match | None] = {}
        """The overloads found for operators and operand types: kept here for all libraries of these models."""
        self._memo: dict[tuple[DataType, DataType], Conversion | None] = {}
        self._by_source: dict[DataType, list[tuple[DataType, Conversion]]] = {}
        for source, target, name, cost in SYSTEM_CONVERSIONS:
            step = Conversion(cost, convert_by_operator(name, source, target))
            self._by_source.setdefault(source, []).append((target, step))
        for model in models.values():
            for declared in model.conversions:
                cost = SIMPLE if declared.target in _SIMPLE_TARGETS else COMPLEX
                step = Conversion(cost, _call(declared.function, declared.source, declared.target))
                self._by_source.setdefault(declared.source, []).append((declared.target, step))

    def find(self, source: DataType, target: DataType) -> Conversion | None:
        """The cheapest implicit conversion from ``source`` to ``target``, or None."""
        if source == target:
            return IDENTITY
        key = (source, target)
        if key not in self._memo:
            self._memo[key] = self._search(source, target)
        return self._memo[key]

    def targets(self, source: DataType) -> list[DataType]:
        """The types that a value of ``source`` converts to implicitly in one step, inherited conversions included."""
        found: list[DataType] = []
        current: DataType | None = source
        while current is not None:
            found.extend(t for t, _ in self._by_source.get(current, ()))
            current = self.base(current)
        if isinstance(source, ChoiceType):
            for alternative in source.alternatives:
                found.append(alternative)
                found.extend(self.targets(alternative))
        return list(dict.fromkeys(found))

    def _search(self, source: DataType, target: DataType) -> Conversion | None:
        if ERROR in (source, target):
            return IDENTITY
        if source == ANY:
            return Conversion(COMPATIBLE, cast(target))
        if isinstance(target, ChoiceType) and not isinstance(source, ChoiceType) and self.is_subtype(source, target):
            return Conversion(COMPATIBLE, lambda e: e)  # a base class is nearer than a choice of classes
        if self.is_subtype(source, target):
            return Conversion(COMPATIBLE + 1 if target == ANY else SUBTYPE, lambda e: e)
        if isinstance(source, ChoiceType):
            return self._from_choice(source, target)
        if isinstance(target, ChoiceType):
            return self._to_choice(source, target)
        best = self._inner(source, target)
        for step_target, step in self._steps(source):
            if step_target == target or self.is_subtype(step_target, target):
                candidate = Conversion(step.cost, step.build)
            else:
                rest = self._second_step(step_target, target)
                if rest is None:
                    continue
                candidate = Conversion(step.cost + rest.cost, _chain(step.build, rest.build), twice=True)
            if best is None or candidate.cost < best.cost:
                best = candidate
        return best or self._promote(source, target)

    def _second_step(self, middle: DataType, target: DataType) -> Conversion | None:
        """A model value becomes a system value, which may then convert once more (FHIR.integer → Integer → Decimal)."""
        for step_target, step in self._by_source.get(middle, ()):
            if step_target == target:
                return step
        return self._inner(middle, target) if isinstance(middle, IntervalType | ListType) else None

    def _steps(self, source: DataType) -> list[tuple[DataType, Conversion]]:
        steps: list[tuple[DataType, Conversion]] = []
        current: DataType | None = source
        distance = 0
        while current is not None and not steps:
            for target, step in self._by_source.get(current, ()):
                steps.append((target, Conversion(step.cost + min(distance, 1), step.build)))
            current = self.base(current)
            distance += 1
        return steps

    def _inner(self, source: DataType, target: DataType) -> Conversion | None:
        match source, target:
            case (ListType(left), ListType(right)) | (IntervalType(left), IntervalType(right)):
                inner = self.find(left, right)
                if inner is None:
                    return None
                if left == ANY:
                    # Interval[null, null] stays without a point type: its boundaries are unknown, not extremes.
                    keep = isinstance(source, IntervalType)
                    return Conversion(COMPATIBLE, IDENTITY.build if keep else cast(target))
                return Conversion(inner.cost, _each(inner, left, target))
            case TupleType(), TupleType():
                return self._tuple(source, target)
        return None

    def _tuple(self, source: TupleType, target: TupleType) -> Conversion | None:
        if {n for n, _ in source.elements} != {n for n, _ in target.elements}:
            return None
        steps: list[tuple[str, DataType, Conversion]] = []
        for name, wanted in target.elements:
            have = source.get(name) or ANY
            step = self.find(have, wanted)
            if step is None:
                return None
            steps.append((name, have, step))
        cost = max((s.cost for _, _, s in steps), default=0)

        def build(e: elm.Expression) -> elm.Expression:
            if isinstance(e, elm.Tuple):
                by_name = dict(e.elements)
                items = tuple((n, s.build(by_name[n])) for n, _, s in steps)
            else:
                items = tuple((n, s.build(elm.Property(source=e, path=n, result_type=t))) for n, t, s in steps)
            made = elm.Tuple(elements=items, result_type=target, span=e.span)
            if isinstance(e, elm.Tuple):
                return made
            null = elm.Operator(name="IsNull", operands=(e,), signature=(ANY,), result_type=SYSTEM_TYPES["Boolean"])
            return elm.If(condition=null, then=elm.Null(result_type=target), otherwise=made, result_type=target)

        return Conversion(cost, build)

    def _from_choice(self, source: ChoiceType, target: DataType) -> Conversion | None:
        if isinstance(target, ChoiceType):
            overlap = any(self.is_subtype(a, t) for a in source.alternatives for t in target.alternatives)
            return Conversion(CHOICE, cast(target)) if overlap else None
        usable: list[tuple[DataType, Conversion]] = []
        for alternative in source.alternatives:
            step = self.find(alternative, target)
            if step is None and self.is_subtype(target, alternative):
                step = Conversion(CAST, cast(target))
            if step is not None:
                usable.append((alternative, step))
        if not usable:
            return None
        # An alternative that would convert twice does not draw the others to its overload, where they were null.
        once = [step.cost for _, step in usable if not step.twice]
        cost = CAST + (max(once) if once else TWICE + max(step.cost for _, step in usable))
        if len(usable) == 1 and usable[0][1].cost <= SUBTYPE:
            return Conversion(cost, cast(target))

        def build(e: elm.Expression) -> elm.Expression:
            items = tuple(
                (
                    elm.Is(operand=e, type=alternative, result_type=SYSTEM_TYPES["Boolean"]),
                    step.build(elm.As(operand=e, result_type=alternative, span=e.span)),
                )
                for alternative, step in usable
            )
            null = elm.Null(result_type=target)
            return elm.Case(comparand=None, items=items, otherwise=null, result_type=target, span=e.span)

        return Conversion(cost, build)

    def _to_choice(self, source: DataType, target: ChoiceType) -> Conversion | None:
        best: Conversion | None = None
        for alternative in target.alternatives:
            step = self.find(source, alternative)
            if step and (best is None or step.cost < best.cost):
                best = step
        return Conversion(best.cost + CHOICE, best.build) if best else None

    def _promote(self, source: DataType, target: DataType) -> Conversion | None:
        if self.list_promotion and isinstance(target, ListType) and not isinstance(source, ListType):
            promoted = self.find(source, target.element)
            if promoted is not None:
                listed = _generic("ToList", TypeParameter("T"), target)
                return Conversion(PROMOTION + promoted.cost, _chain(promoted.build, listed))
        if self.list_demotion and isinstance(source, ListType) and not isinstance(target, ListType):
            inner = self.find(source.element, target)
            if inner is not None:
                single = _generic("SingletonFrom", ListType(TypeParameter("T")), source.element)
                return Conversion(PROMOTION + inner.cost, _chain(single, inner.build))
        return None


_SIMPLE_TARGETS = frozenset(SYSTEM_TYPES[n] for n in (
    "Boolean", "Integer", "Long", "Decimal", "String", "Date", "DateTime", "Time",
))  # fmt: skip


def _call(function: str, source: DataType, target: DataType) -> Build:
    library, _, name = function.partition(".")
    return lambda e: elm.FunctionRef(
        name=name, library=library, operands=(e,), signature=(source,), result_type=target, span=e.span
    )


def _generic(name: str, parameter: DataType, result: DataType) -> Build:
    """The unary operator ``name`` with its generic signature."""
    return convert_by_operator(name, parameter, result)


def _chain(first: Build, second: Build) -> Build:
    return lambda e: second(first(e))


def _each(inner: Conversion, element: DataType, target: DataType) -> Build:
    item = elm.Iteration(name="this", result_type=element)
    conversion = inner.build(item)

    def build(e: elm.Expression) -> elm.Expression:
        if isinstance(e, elm.Interval) and isinstance(target, IntervalType):
            return elm.Interval(
                low=inner.build(e.low), high=inner.build(e.high), low_closed=e.low_closed, high_closed=e.high_closed,
                result_type=target, span=e.span,
            )  # fmt: skip
        return elm.ConvertElements(operand=e, conversion=conversion, result_type=target, span=e.span)

    return build
