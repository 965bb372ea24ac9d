"""Choosing the overload of an operator or function for the types of its operands.

Source: CQL 1.5.3, Developer's Guide "Operator Resolution" and "Conversion Precedence". A type parameter is bound to one
of the operand types, or to what they convert to, whichever makes the conversions cheapest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.language.analysis.conversions import ERROR, Conversion, Conversions
from engine.language.operators.registry import Overload
from engine.language.types.datatype import (
    ANY,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    TypeParameter,
)


@dataclass(frozen=True, slots=True)
class Match:
    """An overload that fits: the conversion of each operand, the result type, and the cost of it all."""

    overload: Overload
    conversions: tuple[Conversion, ...]
    operands: tuple[DataType, ...]
    result: DataType
    cost: int


class Ambiguous(Exception):
    """Several overloads fit equally well."""

    def __init__(self, matches: Sequence[Match]) -> None:
        super().__init__()
        self.matches = matches


_CHOICE_BINDING = frozenset({"Union", "Intersect", "Except", "Coalesce", "Flatten"})
"""Operators that take lists of different types as lists of their choice (Developer's Guide "Choice Types")."""


def best_match(
    overloads: Sequence[Overload], operands: Sequence[DataType], conversions: Conversions
) -> Match | None:
    """The cheapest fitting overload, None when none fits; raises Ambiguous when typed operands do not decide."""
    matches = [m for m in (match(o, operands, conversions) for o in overloads) if m is not None]
    if not matches:
        return None
    lowest = min(m.cost for m in matches)
    best = [m for m in matches if m.cost == lowest]
    specific = [m for m in best if not m.overload.generic]
    if len(specific) == 1:
        return specific[0]
    if len(best) > 1 and not any(_is_open(t) for t in operands) and not _same_meaning(best):
        raise Ambiguous(best)
    return best[0]


def _is_open(datatype: DataType) -> bool:
    match datatype:
        case ListType(element):
            return _is_open(element)
        case IntervalType(point):
            return _is_open(point)
        case ChoiceType():
            return True
    return datatype in (ANY, ERROR)


def _same_meaning(matches: Sequence[Match]) -> bool:
    return len({m.operands for m in matches}) == 1


def match(overload: Overload, operands: Sequence[DataType], conversions: Conversions) -> Match | None:
    """How ``overload`` takes operands of these types, or None when it does not."""
    if len(overload.operands) != len(operands):
        return None
    if not overload.generic:
        return _bound(overload, overload.operands, overload.result, operands, conversions)
    names = _parameters(overload)
    return _matched(overload, names, operands, conversions, False) or _matched(
        overload, names, operands, conversions, True
    )


def _matched(
    overload: Overload, names: list[str], operands: Sequence[DataType], conversions: Conversions, widened: bool
) -> Match | None:
    """The cheapest binding; ``widened`` allows the choice of all operands, when a choice converts to none of them."""
    best: Match | None = None
    for binding in _bindings(overload, names, operands, conversions, widened):
        wanted = tuple(substitute(t, binding) for t in overload.operands)
        result = _narrowed(overload, substitute(overload.result, binding), operands, conversions)
        found = _bound(overload, wanted, result, operands, conversions)
        if found is not None and (best is None or found.cost < best.cost):
            best = found
    return best


def _narrowed(
    overload: Overload, result: DataType, operands: Sequence[DataType], conversions: Conversions
) -> DataType:
    """``except`` keeps the type of its left side, ``intersect`` has the alternatives both sides know."""
    if overload.name not in ("Except", "Intersect") or not isinstance(result, ListType):
        return result
    if not isinstance(result.element, ChoiceType) or not all(isinstance(o, ListType) for o in operands):
        return result
    left, right = (ChoiceType.of([o.element]) for o in operands if isinstance(o, ListType))
    if overload.name == "Except":
        return ListType(left)
    known = result.element.alternatives
    common = [t for t in known if conversions.is_subtype(t, left) and conversions.is_subtype(t, right)]
    return ListType(ChoiceType.of(common)) if common else result


def _bound(
    overload: Overload,
    wanted: tuple[DataType, ...],
    result: DataType,
    operands: Sequence[DataType],
    conversions: Conversions,
) -> Match | None:
    steps: list[Conversion] = []
    for have, want in zip(operands, wanted, strict=True):
        step = conversions.find(have, want)
        if step is None:
            return None
        steps.append(step)
    return Match(overload, tuple(steps), wanted, result, sum(s.cost for s in steps))


def _parameters(overload: Overload) -> list[str]:
    names: dict[str, None] = {}

    def walk(datatype: DataType) -> None:
        match datatype:
            case TypeParameter(name):
                names[name] = None
            case ListType(element):
                walk(element)
            case IntervalType(point):
                walk(point)

    for operand in overload.operands:
        walk(operand)
    return list(names)


def _bindings(
    overload: Overload, names: list[str], operands: Sequence[DataType], conversions: Conversions, widened: bool
) -> list[dict[str, DataType]]:
    collected: dict[str, dict[DataType, None]] = {n: {} for n in names}
    for want, have in zip(overload.operands, operands, strict=True):
        _collect(want, have, collected, conversions)
    options: list[dict[str, DataType]] = [{}]
    lists = not any(isinstance(t, IntervalType) for t in overload.operands)
    choice = overload.name in _CHOICE_BINDING and lists
    for name in names:
        found = collected[name]
        typed = [t for t in found if t not in (ANY, ERROR)]
        candidates: dict[DataType, None] = dict.fromkeys(typed)
        for datatype in typed:
            candidates.update(dict.fromkeys(conversions.targets(datatype)))
            base = conversions.base(datatype)
            while base is not None and base != ANY and len(typed) > 1 and not choice:
                candidates[base] = None
                base = conversions.base(base)
        if len(typed) > 1 and (choice or (widened and lists and any(isinstance(t, ChoiceType) for t in typed))):
            candidates[ChoiceType.of(typed)] = None
        if not candidates:
            candidates = {ANY: None}
        options = [{**o, name: c} for o in options for c in candidates]
    return options


def _collect(
    want: DataType, have: DataType, found: dict[str, dict[DataType, None]], conversions: Conversions
) -> None:
    match want:
        case TypeParameter(name):
            found[name][have] = None
            return
        case ListType(element) if isinstance(have, ListType):
            _collect(element, have.element, found, conversions)
            return
        case IntervalType(point) if isinstance(have, IntervalType):
            _collect(point, have.point, found, conversions)
            return
        case ListType() | IntervalType():
            for target in conversions.targets(have):
                if type(target) is type(want):
                    _collect(want, target, found, conversions)


def substitute(datatype: DataType, binding: dict[str, DataType]) -> DataType:
    """``datatype`` with its type parameters replaced."""
    match datatype:
        case TypeParameter(name):
            return binding[name]
        case ListType(element):
            return ListType(substitute(element, binding))
        case IntervalType(point):
            return IntervalType(substitute(point, binding))
    return datatype
