"""List operators (CQL 1.5.3, Appendix B "List Operators"; Slice of CQL 2 beside them).

Elements are the same by equality, with two nulls the same and a null different from every value. Questions about
membership are three-valued: an element that may be equal (an imprecise date) makes null unless another one certainly
is. Operators that make lists merge only elements that are certainly equal, and keep the order of their operands.

Reading taken: an element is *properly* in a list when another element of the list differs from it, so that
``{ 'a', 'a' }`` does not properly include ``'a'`` (lists read as sets, as the official tests have it); a list
properly includes another when it includes all of it and has an element that the other has not. Included in and
includes are null for a null element, as the text of the one and the example of the other say, while in and contains
look for a null in the list.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain
from typing import Any

from engine.errors import EvaluationError
from engine.language.evaluation.context import Context
from engine.language.operators.equality import equal_elements, keys
from engine.language.operators.interval_bounds import both, negation
from engine.language.operators.registry import operator

Elements = Sequence[Any]


# -- membership -------------------------------------------------------------------------------------------------------


def contains_element(context: Context, elements: Iterable[Any], element: Any) -> bool | None:
    """True when an element is certainly equal, None when one may be, False otherwise."""
    if element is None:
        return any(e is None for e in elements)
    result: bool | None = False
    for candidate in elements:
        if candidate is None:
            continue
        decided = equal_elements(context, candidate, element)
        if decided:
            return True
        if decided is None:
            result = None
    return result


def includes_all(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when every element of right is in left, whatever their order and number."""
    left_keys, right_keys = keys(context, left, right)
    present = set(left_keys) - {None}
    result: bool | None = True
    for element, key in zip(right, right_keys, strict=True):
        if key is not None and key in present:
            continue
        decided = contains_element(context, left, element)
        if decided is False:
            return False
        if decided is None:
            result = None
    return result


def properly_contains_element(context: Context, elements: Elements, element: Any) -> bool | None:
    """True when the element is in the list and another element differs from it."""
    within = contains_element(context, elements, element)
    if within is False:
        return False
    different: bool | None = False
    for candidate in elements:
        decided = equal_elements(context, candidate, element)
        if decided is False:
            return within
        if decided is None:
            different = None
    return both(within, different)


def properly_includes_all(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when left includes all of right and right does not include all of left."""
    included = includes_all(context, left, right)
    if included is False:
        return False
    return both(included, negation(includes_all(context, right, left)))


@operator("In(T, List<T>) Boolean", reference="in-1", nulls="own", context=True)
def in_list(context: Context, element: Any, argument: Elements | None) -> bool | None:
    """False for a null list; a null element is in a list that has a null."""
    return False if argument is None else contains_element(context, argument, element)


@operator("Contains(List<T>, T) Boolean", reference="contains-1", nulls="own", context=True)
def contains_list(context: Context, argument: Elements | None, element: Any) -> bool | None:
    """The converse of In: false for a null list; a list that has a null contains null."""
    return False if argument is None else contains_element(context, argument, element)


@operator("IncludedIn(T, List<T>) Boolean", reference="included-in-1", nulls="own", context=True)
def element_included_in(context: Context, element: Any, argument: Elements | None) -> bool | None:
    """As In, but null for a null element."""
    if element is None:
        return None
    return False if argument is None else contains_element(context, argument, element)


@operator("Includes(List<T>, T) Boolean", reference="includes-1", nulls="own", context=True)
def includes_element(context: Context, argument: Elements | None, element: Any) -> bool | None:
    """As Contains, but null for a null element."""
    if element is None:
        return None
    return False if argument is None else contains_element(context, argument, element)


@operator("ProperIn(T, List<T>) Boolean", reference="properly-included-in-1", nulls="own", context=True)
@operator("ProperIncludedIn(T, List<T>) Boolean", reference="properly-included-in-1", nulls="own", context=True)
def proper_in_list(context: Context, element: Any, argument: Elements | None) -> bool | None:
    """False for a null list; a null element is properly in a list that has a null and something else."""
    return False if argument is None else properly_contains_element(context, argument, element)


@operator("ProperContains(List<T>, T) Boolean", reference="properly-includes-1", nulls="own", context=True)
@operator("ProperIncludes(List<T>, T) Boolean", reference="properly-includes-1", nulls="own", context=True)
def proper_contains_list(context: Context, argument: Elements | None, element: Any) -> bool | None:
    """The converse of ProperIn."""
    return False if argument is None else properly_contains_element(context, argument, element)


@operator("Includes(List<T>, List<T>) Boolean", reference="includes-1", context=True)
def includes_list(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when the first list contains every element of the second."""
    return includes_all(context, left, right)


@operator("IncludedIn(List<T>, List<T>) Boolean", reference="included-in-1", context=True)
def included_in_list(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when every element of the first list is in the second."""
    return includes_all(context, right, left)


@operator("ProperIncludes(List<T>, List<T>) Boolean", reference="properly-includes-1", context=True)
def proper_includes_list(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when the first list contains every element of the second and more."""
    return properly_includes_all(context, left, right)


@operator("ProperIncludedIn(List<T>, List<T>) Boolean", reference="properly-included-in-1", context=True)
def proper_included_in_list(context: Context, left: Elements, right: Elements) -> bool | None:
    """True when every element of the first list is in the second, which has more."""
    return properly_includes_all(context, right, left)


@operator("Exists(List<T>) Boolean", reference="exists", nulls="own")
def exists(argument: Elements | None) -> bool:
    """True when the list has an element that is not null; false for a null list."""
    return argument is not None and any(element is not None for element in argument)


# -- sets -------------------------------------------------------------------------------------------------------------


class _Seen:
    """Elements met so far; finds an equal one by key, or pair by pair among those that have no key."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.keys: set[Hashable] = set()
        self.others: list[Any] = []

    def add(self, element: Any, key: Hashable | None) -> None:
        if key is None:
            self.others.append(element)
        else:
            self.keys.add(key)

    def has(self, element: Any, key: Hashable | None) -> bool:
        if key is not None:
            return key in self.keys
        self.context.budget.work(4 * len(self.others))
        return any(equal_elements(self.context, other, element) is True for other in self.others)


def distinct_elements(context: Context, elements: Elements) -> list[Any]:
    """The elements without duplicates, each at its first place; two nulls are duplicates."""
    if len(elements) < 2:
        return list(elements)
    seen, result = _Seen(context), []
    for element, key in zip(elements, keys(context, elements)[0], strict=True):
        if not seen.has(element, key):
            seen.add(element, key)
            result.append(element)
    return result


def _select(context: Context, left: Elements, right: Elements, *, present: bool) -> list[Any]:
    """The distinct elements of left that are, or are not, in right."""
    left_keys, right_keys = keys(context, left, right)
    there = _Seen(context)
    for element, key in zip(right, right_keys, strict=True):
        there.add(element, key)
    chosen = [e for e, key in zip(left, left_keys, strict=True) if there.has(e, key) is present]
    return distinct_elements(context, chosen)


@operator("Distinct(List<T>) List<T>", reference="distinct", context=True)
def distinct(context: Context, argument: Elements) -> list[Any]:
    """The list without duplicates; several nulls become one."""
    return distinct_elements(context, argument)


@operator("Union(List<T>, List<T>) List<T>", reference="union-1", nulls="own", context=True)
def union_list(context: Context, left: Elements | None, right: Elements | None) -> list[Any]:
    """All elements of both without duplicates; a null list counts as empty."""
    return distinct_elements(context, [*(left or ()), *(right or ())])


@operator("Intersect(List<T>, List<T>) List<T>", reference="intersect-1", context=True)
def intersect_list(context: Context, left: Elements, right: Elements) -> list[Any]:
    """The elements that are certainly in both, without duplicates."""
    return _select(context, left, right, present=True)


@operator("Except(List<T>, List<T>) List<T>", reference="except-1", nulls="own", context=True)
def except_list(context: Context, left: Elements | None, right: Elements | None) -> list[Any] | None:
    """The elements of the first that are not certainly in the second; null without a first, all without a second."""
    return None if left is None else _select(context, left, right or (), present=False)


# -- places and parts -------------------------------------------------------------------------------------------------


@operator("Flatten(List<List<T>>) List<T>", reference="flatten", context=True)
def flatten(context: Context, argument: Sequence[Elements | None]) -> list[Any]:
    """One list of the elements of all lists; null lists add nothing."""
    context.budget.made(sum(len(inner) for inner in argument if inner is not None))
    return list(chain.from_iterable(inner for inner in argument if inner is not None))


@operator("First(List<T>) T", reference="first")
def first(argument: Elements) -> Any:
    """The first element; null when the list is empty."""
    return argument[0] if argument else None


@operator("Last(List<T>) T", reference="last")
def last(argument: Elements) -> Any:
    """The last element; null when the list is empty."""
    return argument[-1] if argument else None


@operator("Indexer(List<T>, Integer) T", reference="indexer-1")
@operator("Indexer(String, Integer) String", reference="indexer")
def indexer(argument: Any, index: int) -> Any:
    """The element, or the character, at a position counted from 0; null outside."""
    return argument[index] if 0 <= index < len(argument) else None


@operator("IndexOf(List<T>, T) Integer", reference="indexof", context=True)
def index_of(context: Context, argument: Elements, element: Any) -> int | None:
    """The position of the first equal element, -1 when there is none, null when an earlier one may be equal."""
    uncertain = False
    for index, candidate in enumerate(argument):
        decided = equal_elements(context, candidate, element)
        if decided:
            return None if uncertain else index
        uncertain = uncertain or decided is None
    return None if uncertain else -1


@operator("Length(List<T>) Integer", reference="length-1", nulls="own")
def length(argument: Elements | None) -> int:
    """The number of elements, nulls among them; 0 for a null list."""
    return 0 if argument is None else len(argument)


@operator("SingletonFrom(List<T>) T", reference="singleton-from")
def singleton_from(argument: Elements) -> Any:
    """The only element, null when there is none; EvaluationError when there are several."""
    if len(argument) > 1:
        raise EvaluationError(
            f"singleton from: the list has {len(argument)} elements, at most one is allowed; "
            "use First or Last to choose one, or restrict the list",
            code="singleton",
        )
    return argument[0] if argument else None


@operator("Skip(List<T>, Integer) List<T>", reference="skip", nulls="own")
def skip(argument: Elements | None, number: int | None) -> list[Any] | None:
    """The list without its first elements: all of it for null, none of it for a negative number."""
    if argument is None:
        return None
    if number is None:
        return list(argument)
    return [] if number < 0 else list(argument[number:])


@operator("Tail(List<T>) List<T>", reference="tail")
def tail(argument: Elements) -> list[Any]:
    """All elements but the first."""
    return list(argument[1:])


@operator("Take(List<T>, Integer) List<T>", reference="take", nulls="own")
def take(argument: Elements | None, number: int | None) -> list[Any] | None:
    """The first elements; none of them for null, zero or a negative number."""
    if argument is None:
        return None
    return list(argument[:number]) if number is not None and number > 0 else []


@operator("Slice(List<T>) List<T>", reference="slice", nulls="own")
@operator("Slice(List<T>, Integer) List<T>", reference="slice", nulls="own")
@operator("Slice(List<T>, Integer, Integer) List<T>", reference="slice", nulls="own")
def slice_list(argument: Elements | None, start: int | None = None, end: int | None = None) -> list[Any] | None:
    """The elements from ``start`` up to, not including, ``end``; negative positions count from the end (CQL 2)."""
    return None if argument is None else list(argument[start:end])
