"""Equal, Equivalent and NotEqual over all values, and the keys that make set operations quick.

Source: CQL 1.5.3, Appendix B "Equal", "Equivalent", "Not Equal" in the chapters on comparison, interval, list and
clinical operators.

Readings taken where the text leaves room: a tuple or list is equal by the conjunction of its elements' equality, so one
false element decides whatever is null elsewhere; two null elements are equal, a null and a value are not known to be.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from engine.errors import LimitExceeded
from engine.language.evaluation.context import Context
from engine.language.operators import interval_bounds as bounds
from engine.language.operators.comparison import NUMBERS, TEMPORALS, compare
from engine.language.operators.quantities import (
    equal_quantities,
    equivalent_decimals,
    equivalent_quantities,
    quantity_key,
    transitive,
    valid_unit,
)
from engine.language.operators.registry import operator
from engine.language.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Tuple,
    Uncertainty,
    ValueSet,
)
from engine.language.values.numbers import EXACT
from engine.language.values.temporal import compare as compare_temporal

_INTEGERS = frozenset({int, Long})
_CLINICAL: dict[type, tuple[str, ...]] = {
    Code: ("code", "system", "version", "display"),
    ValueSet: ("id", "version"),
    CodeSystem: ("id", "version"),
    Ratio: ("numerator", "denominator"),
}
"""Structured system values and the elements that make them equal; a vocabulary's local name is no part of it."""


# -- equality ---------------------------------------------------------------------------------------------------------


def equal(context: Context, left: Any, right: Any) -> bool | None:
    """True when the values are equal, False when they are known to differ, None otherwise; null for a null operand.

    Values of different types differ, numbers apart. Model objects are compared by their own ``==``.
    """
    if left is None or right is None:
        return None
    kind, other = type(left), type(right)
    if kind in NUMBERS and other in NUMBERS:
        return bool(left == right)
    if kind is Uncertainty or other is Uncertainty:
        return _equal_uncertain(context, left, right)
    if kind is not other:
        return bool(left == right) if _foreign(kind) and _foreign(other) else False
    if kind is str or kind is bool:
        return bool(left == right)
    if kind in TEMPORALS:
        order = compare_temporal(left, right, None, context.offset_minutes)
        return None if order is None else order == 0
    if kind is Quantity:
        return equal_quantities(context, left, right)
    return _equal_structured(context, left, right)


def _equal_structured(context: Context, left: Any, right: Any) -> bool | None:
    kind = type(left)
    if kind is list:
        return len(left) == len(right) and _all_equal(context, zip(left, right, strict=True))
    if kind is Tuple:
        names = left.elements.keys()
        same_names = names == right.elements.keys()
        return same_names and _all_equal(context, ((left.elements[n], right.elements[n]) for n in names))
    if kind is Interval:
        return equal_intervals(context, left, right)
    if kind in _CLINICAL:
        return _all_equal(context, ((getattr(left, n), getattr(right, n)) for n in _CLINICAL[kind]))
    if kind is Concept:
        codes = [(list(left.codes), list(right.codes)), (left.display, right.display)]
        return _all_equal(context, codes)
    return bool(left == right)


def _all_equal(context: Context, pairs: Iterable[tuple[Any, Any]]) -> bool | None:
    """The conjunction of the pairs' equality; two nulls are equal."""
    result: bool | None = True
    work = context.budget.work
    for left, right in pairs:
        work(1)
        if left is None and right is None:
            continue
        decided = equal(context, left, right)
        if decided is False:
            return False
        if decided is None:
            result = None
    return result


def _equal_uncertain(context: Context, left: Any, right: Any) -> bool | None:
    if not all(type(v) in NUMBERS or type(v) is Uncertainty for v in (left, right)):
        return False
    return bounds.same(context, bounds.point_range(left), bounds.point_range(right))


def equal_intervals(context: Context, left: Interval, right: Interval) -> bool | None:
    """True when both are over one point type and start and end at the same points; None when a boundary is unknown."""
    if not bounds.same_points(left, right):
        return False
    starts = bounds.same(context, bounds.start_range(left), bounds.start_range(right))
    if starts is False:
        return False
    return bounds.both(starts, bounds.same(context, bounds.end_range(left), bounds.end_range(right)))


def _foreign(kind: type) -> bool:
    """True for values of a data model: those that no class of the language describes."""
    return kind not in _LANGUAGE_KINDS


_LANGUAGE_KINDS = frozenset({
    str, bool, list, Tuple, Interval, Concept, Quantity, Uncertainty, *NUMBERS, *TEMPORALS, *_CLINICAL,
})  # fmt: skip


# -- equivalence ------------------------------------------------------------------------------------------------------


def equivalent(context: Context, left: Any, right: Any) -> bool:
    """True when the values are equivalent or both null; never null.

    Strings ignore case and treat all white space alike; decimals are rounded to the coarser precision; codes look at
    code and system, concepts at a common code; imprecise dates are equivalent to equally imprecise ones only.
    """
    if left is None or right is None:
        return left is None and right is None
    context.budget.work(1)
    kind, other = type(left), type(right)
    if kind is str and other is str:
        return equivalent_strings(left, right)
    if kind in NUMBERS and other in NUMBERS:
        return equivalent_numbers(left, right)
    if kind is Quantity and other is Quantity:
        return equivalent_quantities(context, left, right)
    if kind in (Code, Concept) and other in (Code, Concept):
        return equivalent_codes(context, left, right)
    if kind is not other:
        return equal(context, left, right) is True
    if kind is list:
        return len(left) == len(right) and all(equivalent(context, a, b) for a, b in zip(left, right, strict=True))
    if kind is Tuple:
        names = left.elements.keys()
        same_names = names == right.elements.keys()
        return same_names and all(equivalent(context, left.elements[n], right.elements[n]) for n in names)
    if kind is Interval:
        return equivalent_intervals(context, left, right)
    if kind is Ratio:
        return equivalent_ratios(context, left, right)
    return equal(context, left, right) is True


_WHITE_SPACE = str.maketrans("\t\r\n", "   ")


def equivalent_strings(left: str, right: str) -> bool:
    """Same text whatever the case; tab, carriage return, line feed and space count as the same character."""
    if left == right:
        return True
    return left.translate(_WHITE_SPACE).casefold() == right.translate(_WHITE_SPACE).casefold()


def equivalent_numbers(left: int | Decimal, right: int | Decimal) -> bool:
    """Same number after both are rounded to the fewer decimal places of the two, trailing zeros not counted."""
    if left == right:
        return True
    if type(left) in _INTEGERS and type(right) in _INTEGERS:
        return False
    return equivalent_decimals(Decimal(left), Decimal(right))


def equivalent_codes(context: Context, left: Code | Concept, right: Code | Concept) -> bool:
    """Codes with equivalent code and system; a concept is equivalent when one of its codes is.

    Version and display do not count. The elements are compared as strings are, that is without regard to case.
    """
    if isinstance(left, Concept):
        return any(_equivalent_code(context, code, right) for code in left.codes)
    return _equivalent_code(context, left, right)


def _equivalent_code(context: Context, left: Code | None, right: Code | Concept | None) -> bool:
    if isinstance(right, Concept):
        return any(_equivalent_code(context, left, code) for code in right.codes)
    if left is None or right is None:
        return left is None and right is None
    return equivalent(context, left.code, right.code) and equivalent(context, left.system, right.system)


def equivalent_intervals(context: Context, left: Interval, right: Interval) -> bool:
    """Same point type, equivalent starts and equivalent ends; two unknown boundaries are equivalent."""
    if not bounds.same_points(left, right):
        return False
    if not equivalent(context, bounds.start_of(left), bounds.start_of(right)):
        return False
    return equivalent(context, bounds.end_of(left), bounds.end_of(right))


def equivalent_ratios(context: Context, left: Ratio, right: Ratio) -> bool:
    """Both stand for the same ratio, ``1:100 ~ 10:1000``: the cross products are equal, exactly, units considered."""
    parts = (left.numerator, left.denominator, right.numerator, right.denominator)
    if any(part is None or part.value is None for part in parts):
        pairs = ((left.numerator, right.numerator), (left.denominator, right.denominator))
        return all(equivalent(context, a, b) for a, b in pairs)
    (a, a_unit), (b, b_unit), (c, c_unit), (d, d_unit) = ((p.value, p.unit) for p in parts if p and p.value is not None)
    if b == 0 or d == 0:
        return b == d == 0 and equivalent(context, left.numerator, right.numerator)
    first, second = EXACT.multiply(a, d), EXACT.multiply(c, b)
    if (a_unit, b_unit) == (c_unit, d_unit) or (a_unit == b_unit and c_unit == d_unit):
        return first == second
    try:
        units = context.units.divide(a_unit, b_unit), context.units.divide(c_unit, d_unit)
        return context.units.compare(first, units[0], second, units[1]) == 0
    except ValueError:  # a unit that is not UCUM has no common measure with another
        return False


# -- elements of lists ------------------------------------------------------------------------------------------------


def equal_elements(context: Context, left: Any, right: Any) -> bool | None:
    """Equality as membership in a list means it: two nulls are equal, a null and a value differ.

    A time without milliseconds may be any time of its second (see :func:`comparison.compare`).
    """
    if left is None or right is None:
        return left is right
    if type(left) in TEMPORALS and type(left) is type(right):
        order = compare(context, left, right)
        return None if order is None else order == 0
    return equal(context, left, right)


class _NoKeyError(Exception):
    """A value has no key: it has to be compared pair by pair."""


_NULL = ("null",)


PARTS_OF_KEYS = 10
"""Parts that the keys of some lists may have in all, in sizes of the largest list."""


class _Keys:
    """Makes keys and notes the units met: of one unit a quantity is its number, of several its number in base units."""

    def __init__(self, context: Context, *, many_units: bool = False) -> None:
        self.context = context
        self.many_units = many_units
        self.units: set[str] = set()
        self.room = PARTS_OF_KEYS * context.limits.list_size
        self.orders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of_element(self, value: Any) -> Hashable:
        """The key of an element of a list: milliseconds that are missing set it apart."""
        return (_temporal_key(value), value.precision) if type(value) in TEMPORALS else self.key(value)

    def key(self, value: Any) -> Hashable:
        """A value that is the same exactly for values that are equal."""
        kind = type(value)
        if kind is str or kind in NUMBERS:
            return value  # type: ignore[no-any-return]
        if kind is Tuple:
            return self._tuple(value.elements)
        if value is None:
            return _NULL
        if kind is bool:
            return ("boolean", value)
        if kind in TEMPORALS:
            return _temporal_key(value)
        if kind is Quantity:
            self.units.add(value.unit)
            if self.many_units:
                return quantity_key(self.context, value)
            return object() if value.value is None else ("quantity", value.value)
        if kind is list:
            self._grow(len(value))
            return ("list", *map(self.key, value))
        return self._structured(value)

    def _tuple(self, elements: Mapping[str, Any]) -> Hashable:
        self._grow(len(elements))
        written = tuple(elements)
        order = self.orders.get(written)
        if order is None:
            names = tuple(sorted(written))
            order = self.orders[written] = self.orders.setdefault(names, names)
        key = self.key
        return (order, *[key(elements[name]) for name in order])

    def _grow(self, parts: int) -> None:
        """Counts parts: a list of two lists of two lists … is small in memory, and its key is not."""
        self.context.budget.work(parts)
        self.room -= parts
        if self.room < 0:
            limit = PARTS_OF_KEYS * self.context.limits.list_size
            raise LimitExceeded(f"the elements of the lists have more than {limit} parts in all; compare smaller ones")

    def _structured(self, value: Any) -> Hashable:
        kind = type(value)
        if kind is Interval:
            ends = bounds.start_range(value), bounds.end_range(value)
            if not all(map(bounds.known, ends)):
                return object()
            return ("interval", *(e if isinstance(e, bounds.Extreme) else self.of_element(e) for e, _ in ends))
        if kind in _CLINICAL:
            return (kind.__name__, *(self.key(getattr(value, name)) for name in _CLINICAL[kind]))
        if kind is Concept:
            return ("concept", self.key(list(value.codes)), value.display)
        if kind is Uncertainty:
            return object()
        try:
            hash(value)
        except TypeError as error:
            raise _NoKeyError from error
        return (kind, value)


def _temporal_key(value: Any) -> Hashable:
    """Components known to the same depth, the time at UTC; seconds without milliseconds are ``.000``."""
    if type(value) is Date or value.hour is None:
        return (type(value).__name__, value.year, value.month, value.day)
    minutes = value.hour * 60 + (value.minute or 0)
    if isinstance(value, DateTime):
        day = date(value.year, value.month or 1, value.day or 1)
        minutes += day.toordinal() * 1440 - (value.offset_minutes or 0)
    depth = (value.minute is None) + (value.second is None)
    return (type(value).__name__, depth, minutes, value.second, value.millisecond or 0)


def keys(context: Context, *lists: Sequence[Any]) -> list[list[Hashable | None]]:
    """For each list a key for each element: two elements with keys are certainly equal exactly when their keys are.

    Null has a key, so that two nulls count as equal in set operations. An element that can equal nothing for certain
    (an interval with an unknown boundary) gets a key of its own. None stands for an element without a key, to be
    compared pair by pair: model objects that cannot be hashed, and quantities in units between which equality is not
    transitive.

    Raises:
        LimitExceeded: the elements have more parts in all than can be kept.
    """
    maker = _Keys(context)
    made = [_row(maker, values) for values in lists]
    if len(maker.units) > 1 or not all(valid_unit(context, unit) for unit in maker.units):
        maker = _Keys(context, many_units=True)
        made = [_row(maker, values) for values in lists]
        if not transitive(maker.units):
            for values, row in zip(lists, made, strict=True):
                row[:] = [None if _has_quantity(v) else key for v, key in zip(values, row, strict=True)]
    return made


def _row(maker: _Keys, values: Sequence[Any]) -> list[Hashable | None]:
    row: list[Hashable | None] = []
    for value in values:
        try:
            row.append(maker.of_element(value))
        except _NoKeyError:
            row.append(None)
    return row


def _has_quantity(value: Any) -> bool:
    match value:
        case Quantity():
            return True
        case list():
            return any(map(_has_quantity, value))
        case Tuple():
            return any(map(_has_quantity, value.elements.values()))
        case Interval():
            return isinstance(value.low, Quantity) or isinstance(value.high, Quantity)
        case Ratio():
            return True
    return False


# -- operators --------------------------------------------------------------------------------------------------------


@operator("Equal(Integer, Integer) Boolean", reference="equal", uncertain="comparison")
@operator("Equal(Long, Long) Boolean", reference="equal", uncertain="comparison")
@operator("Equal(Decimal, Decimal) Boolean", reference="equal", uncertain="comparison")
@operator("Equal(Boolean, Boolean) Boolean", reference="equal")
@operator("Equal(String, String) Boolean", reference="equal")
def equal_simple(left: Any, right: Any) -> bool:
    """True when both are the same value; trailing zeros of decimals do not count."""
    return bool(left == right)


@operator("NotEqual(Integer, Integer) Boolean", reference="not-equal", uncertain="comparison")
@operator("NotEqual(Long, Long) Boolean", reference="not-equal", uncertain="comparison")
@operator("NotEqual(Decimal, Decimal) Boolean", reference="not-equal", uncertain="comparison")
@operator("NotEqual(Boolean, Boolean) Boolean", reference="not-equal")
@operator("NotEqual(String, String) Boolean", reference="not-equal")
def not_equal_simple(left: Any, right: Any) -> bool:
    """True when the values differ."""
    return bool(left != right)


@operator("Equal(T, T) Boolean", reference="equal", context=True)
def equal_any(context: Context, left: Any, right: Any) -> bool | None:
    """True when equal, false when known to differ, null otherwise."""
    return equal(context, left, right)


@operator("NotEqual(T, T) Boolean", reference="not-equal", context=True)
def not_equal_any(context: Context, left: Any, right: Any) -> bool | None:
    """The negation of Equal."""
    return bounds.negation(equal(context, left, right))


@operator("Equivalent(T, T) Boolean", reference="equivalent", nulls="own", context=True)
@operator("Equivalent(Code, Concept) Boolean", reference="equivalent-3", nulls="own", context=True)
@operator("Equivalent(Concept, Code) Boolean", reference="equivalent-3", nulls="own", context=True)
def equivalent_any(context: Context, left: Any, right: Any) -> bool:
    """True when equivalent or both null, false otherwise; never null."""
    return equivalent(context, left, right)
