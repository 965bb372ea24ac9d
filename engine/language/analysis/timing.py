"""Timing phrases: ``starts 3 days or more before start of X`` as ELM.

Source: CQL 1.5.3, Developer's Guide "Timing and Interval Operators".
"""

from __future__ import annotations

from engine.language.analysis.base import AnalyserBase
from engine.language.analysis.conversions import ERROR
from engine.language.elm import nodes as elm
from engine.language.syntax import tree
from engine.language.types.datatype import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    TIME,
    ChoiceType,
    IntervalType,
    ListType,
)

COMPARISONS = {
    "Before": "Less",
    "After": "Greater",
    "SameOrBefore": "LessOrEqual",
    "SameOrAfter": "GreaterOrEqual",
}
"""What before and its kin are for points without a precision: numbers and quantities."""
NUMBERS = frozenset({INTEGER, LONG, DECIMAL, QUANTITY})
BEYOND = {"exactly": "SameAs", "or more": "SameOr", "more than": ""}
"""The relations of an offset that ask for the moved point or what lies beyond it, and their operators."""
CONCURRENT = {"as": "SameAs", "or before": "SameOrBefore", "or after": "SameOrAfter"}


class TimingRules(AnalyserBase):
    """Analysis of ``left phrase right``."""

    def timing(self, node: tree.Timing) -> elm.Expression:
        left, right = self.expression(node.left), self.expression(node.right)
        if ERROR in (left.result_type, right.result_type):
            return elm.Null(result_type=ERROR, span=node.span)
        match node.phrase:
            case tree.ConcurrentPhrase() as phrase:
                operands = [self._side(left, phrase.left), self._side(right, phrase.right)]
                return self._relation(CONCURRENT[phrase.relation], operands, node, phrase.precision, "same")
            case tree.InclusionPhrase() as phrase:
                return self._inclusion(left, phrase, right, node)
            case tree.BeforeOrAfterPhrase() as phrase:
                return self._before_or_after(left, phrase, right, node)
            case tree.WithinPhrase() as phrase:
                return self._within(left, phrase, right, node)
            case tree.MeetsPhrase() | tree.OverlapsPhrase() as phrase:
                stem = "Meets" if isinstance(phrase, tree.MeetsPhrase) else "Overlaps"
                name = stem + (phrase.direction or "").title()
                return self.operator(name, [left, right], node.span, precision=phrase.precision, spelled=stem.lower())
            case tree.StartsPhrase() as phrase:
                return self.operator("Starts", [left, right], node.span, precision=phrase.precision, spelled="starts")
            case tree.EndsPhrase() as phrase:
                return self.operator("Ends", [left, right], node.span, precision=phrase.precision, spelled="ends")
        raise TypeError(f"unknown timing phrase {node.phrase!r}")

    def _relation(
        self, name: str, operands: list[elm.Expression], node: tree.Timing, precision: str | None, spelled: str
    ) -> elm.Expression:
        """Before and its kin; of numbers and quantities, as the starts of their intervals are, comparisons."""
        if precision is None and name in COMPARISONS and all(self._is_number(operand) for operand in operands):
            return self.operator(COMPARISONS[name], operands, node.span, spelled=spelled)
        return self.operator(name, operands, node.span, precision=precision, spelled=spelled)

    def _is_number(self, operand: elm.Expression) -> bool:
        """Whether an operand is a number or quantity or converts to one; a choice, which may be a date, is none."""
        datatype = operand.result_type
        if isinstance(datatype, ChoiceType):
            return False
        return datatype in NUMBERS or not NUMBERS.isdisjoint(self.conversions.targets(datatype))

    def _side(self, operand: elm.Expression, boundary: str | None) -> elm.Expression:
        if boundary is None:
            return operand
        if self._interval(operand) is None:
            return operand if operand.result_type == ERROR else self._no_interval(operand, boundary)
        return self.operator("Start" if boundary == "start" else "End", [operand], operand.span, spelled=boundary)

    def _no_interval(self, operand: elm.Expression, boundary: str) -> elm.Expression:
        shown = self.type_name(operand.result_type)
        return self.error(operand.span, "type-mismatch", f"'{boundary}' needs an Interval, not {shown}")

    def _interval(self, operand: elm.Expression) -> IntervalType | None:
        """The interval type of an operand, directly or by implicit conversion."""
        if isinstance(operand.result_type, IntervalType):
            return operand.result_type
        for target in self.conversions.targets(operand.result_type):
            if isinstance(target, IntervalType):
                return target
        return None

    def _inclusion(
        self, left: elm.Expression, phrase: tree.InclusionPhrase, right: elm.Expression, node: tree.Timing
    ) -> elm.Expression:
        left, right = self._side(left, phrase.left), self._side(right, phrase.right)
        if phrase.operator == "includes":
            names = ("ProperIncludes", "ProperContains") if phrase.properly else ("Includes", "Contains")
            inner, outer = right, left
        else:
            names = ("ProperIncludedIn", "ProperIn") if phrase.properly else ("IncludedIn", "In")
            inner, outer = left, right
        collection = isinstance(inner.result_type, IntervalType | ListType) or self._interval(inner) is not None
        # Of an element, `includes` and `included in` have a null rule of their own, other than that of contains and in.
        own = isinstance(outer.result_type, ListType) and not phrase.properly
        if isinstance(outer.result_type, ListType) and inner.result_type == ANY:
            inner = self.convert(inner, outer.result_type.element, "the element")
        elif outer.result_type == ANY and isinstance(inner.result_type, IntervalType | ListType):
            outer = self.convert(outer, inner.result_type, "the other side")
        left, right = (outer, inner) if phrase.operator == "includes" else (inner, outer)
        spelled = phrase.operator
        name = names[0] if collection or own else names[1]
        return self.operator(name, [left, right], node.span, precision=phrase.precision, spelled=spelled)

    def _before_or_after(
        self, left: elm.Expression, phrase: tree.BeforeOrAfterPhrase, right: elm.Expression, node: tree.Timing
    ) -> elm.Expression:
        before = phrase.direction == "before"
        left, right = self._side(left, phrase.left), self._side(right, phrase.right)
        if phrase.offset is None:
            if phrase.inclusive:
                name = "SameOrBefore" if before else "SameOrAfter"
            else:
                name = "Before" if before else "After"
            return self._relation(name, [left, right], node, phrase.precision, phrase.direction)
        left = self._nearest_boundary(left, "end" if before else "start")
        right = self._nearest_boundary(right, "start" if before else "end")
        return self._offset(left, phrase, right, node)

    def _nearest_boundary(self, operand: elm.Expression, boundary: str) -> elm.Expression:
        return self._side(operand, boundary) if self._interval(operand) is not None else operand

    def _offset(
        self, left: elm.Expression, phrase: tree.BeforeOrAfterPhrase, right: elm.Expression, node: tree.Timing
    ) -> elm.Expression:
        """``left 3 days or more before right``: the offset moves the right side, the relation compares with it."""
        assert phrase.offset is not None
        before = phrase.direction == "before"
        offset = self.expression(phrase.offset)
        relation = phrase.offset_relation or "exactly"
        if relation in BEYOND:
            name = BEYOND[relation] if relation == "exactly" else BEYOND[relation] + phrase.direction.title()
            return self._beyond(name, left, right, offset, node, phrase)
        moved = self._moved(right, offset, node, phrase.direction, later=not before)
        closed = relation == "or less", phrase.inclusive
        if not self._is_number(right):
            return self._between(left, (moved, right), closed, node, phrase)
        bounds = (moved, right) if before else (right, moved)
        span = self._range(*bounds, *(closed if before else reversed(closed)))
        inside = self.operator("In", [left, span], node.span, precision=phrase.precision, spelled=relation)
        return self._unless_null(inside, moved)

    def _beyond(
        self, name: str, left: elm.Expression, right: elm.Expression, offset: elm.Expression, node: tree.Timing,
        phrase: tree.BeforeOrAfterPhrase,
    ) -> elm.Expression:  # fmt: skip
        """Whether the point lies where the offset leads, or beyond it: false where that has left the calendar."""
        spelled = phrase.direction if name == "SameAs" else phrase.offset_relation or ""
        later = phrase.direction == "after"
        moved = self.operator("Add" if later else "Subtract", [right, offset], node.span, spelled=phrase.direction)
        answer = self.operator(name, [left, moved], node.span, precision=phrase.precision, spelled=spelled)
        leaves = self._leaves(right, moved, offset, node, phrase.direction, later=later)
        if leaves is None or answer.result_type == ERROR:
            return answer
        false = elm.Literal(value=False, result_type=BOOLEAN, span=node.span)
        return elm.If(condition=leaves[0], then=false, otherwise=answer, result_type=BOOLEAN, span=node.span)

    def _between(
        self, left: elm.Expression, ends: tuple[elm.Expression, elm.Expression], closed: tuple[bool, bool],
        node: tree.Timing, phrase: tree.BeforeOrAfterPhrase,
    ) -> elm.Expression:  # fmt: skip
        """Whether the point lies between the moved end and the fixed one: asked of each, as nothing may lie there."""
        names = ("SameOrAfter", "After"), ("SameOrBefore", "Before")
        outer, inner = names if phrase.direction == "before" else names[::-1]
        relation, precision = phrase.offset_relation or "", phrase.precision
        sides = [
            self.operator(name[not is_closed], [left, end], node.span, precision=precision, spelled=relation)
            for name, end, is_closed in zip((outer, inner), ends, closed, strict=True)
        ]
        return self.operator("And", sides, node.span, spelled=relation)

    def _moved(
        self, point: elm.Expression, offset: elm.Expression, node: tree.Timing, spelled: str, *, later: bool
    ) -> elm.Expression:
        """The point moved by the offset, or the end of the calendar, of the day for a Time, where it would leave it.

        The end of a period that goes on is the last day there is: "3 days after" it is no mistake of the author.
        """
        moved = self.operator("Add" if later else "Subtract", [point, offset], node.span, spelled=spelled)
        leaves = self._leaves(point, moved, offset, node, spelled, later=later)
        if leaves is None:
            return moved
        beyond, last = leaves
        return elm.If(condition=beyond, then=last, otherwise=moved, result_type=point.result_type, span=node.span)

    def _leaves(
        self, point: elm.Expression, moved: elm.Expression, offset: elm.Expression, node: tree.Timing, spelled: str,
        *, later: bool,
    ) -> tuple[elm.Expression, elm.Expression] | None:  # fmt: skip
        """Whether a date or time moved by the offset leaves its calendar, and the end of that; None for others."""
        datatype = point.result_type
        if datatype not in (DATE, DATETIME, TIME) or moved.result_type == ERROR:
            return None
        last = elm.MinMaxValue(name="MaxValue" if later else "MinValue", result_type=datatype, span=node.span)
        limit = self.operator("Subtract" if later else "Add", [last, offset], node.span, spelled=spelled)
        return self.operator("After" if later else "Before", [point, limit], node.span, spelled=spelled), last

    def _within(
        self, left: elm.Expression, phrase: tree.WithinPhrase, right: elm.Expression, node: tree.Timing
    ) -> elm.Expression:
        """``left within 3 days of right``: from 3 days before its start to 3 days after its end.

        An end that is not known is no earlier than the start, so that what is near the start is near the interval.
        """
        left, right = self._side(left, phrase.left), self._side(right, phrase.right)
        offset = self.expression(phrase.offset)
        start, end = self._nearest_boundary(right, "start"), self._nearest_boundary(right, "end")
        low, high = ("After", "Before") if phrase.properly else ("SameOrAfter", "SameOrBefore")

        def near(name: str, point: elm.Expression) -> elm.Expression:
            moved = self._moved(point, offset, node, "within", later=name == high)
            side = self._nearest_boundary(left, "start" if name == low else "end")
            return self._relation(name, [side, moved], node, phrase.precision, "within")

        sides = [near(low, start), near(high, end)]
        if start is not end:
            others = [near(low, end), near(high, start)]
            sides = [self._else_if_true(*pair, node) for pair in zip(sides, others, strict=True)]
        return self.operator("And", sides, node.span, spelled="within")

    def _else_if_true(self, answer: elm.Expression, other: elm.Expression, node: tree.Timing) -> elm.Expression:
        """The answer, or true where it is null and the other is true."""
        null = elm.Null(result_type=BOOLEAN, span=node.span)
        true_or_null = self.operator("Or", [other, null], node.span, spelled="within")
        return self.operator("Coalesce", [answer, true_or_null], node.span, spelled="within")

    def _range(self, low: elm.Expression, high: elm.Expression, low_closed: bool, high_closed: bool) -> elm.Expression:
        if ERROR in (low.result_type, high.result_type):
            return elm.Null(result_type=ERROR)
        point = self.common_type([low.result_type, high.result_type], low.span)
        return elm.Interval(
            low=self.convert(low, point, "the low boundary"), high=self.convert(high, point, "the high boundary"),
            low_closed=low_closed, high_closed=high_closed, result_type=IntervalType(point), span=low.span,
        )  # fmt: skip

    def _unless_null(self, inside: elm.Expression, right: elm.Expression) -> elm.Expression:
        """A null reference point makes null: a closed null boundary would otherwise stand for the extreme.

        Of numbers it is the moved point that may be null, when the unit of the offset is not theirs.
        """
        if inside.result_type == ERROR:
            return inside
        present = self.operator("Not", [self.operator("IsNull", [right], right.span)], right.span)
        null = elm.Null(result_type=BOOLEAN)
        return elm.If(condition=present, then=inside, otherwise=null, result_type=BOOLEAN, span=inside.span)
