"""Operators that are written between, before or around operands (Author's Guide; Appendix B)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.language.analysis.base import AnalyserBase
from engine.language.analysis.conversions import ERROR
from engine.language.analysis.overloads import best_match
from engine.language.elm import nodes as elm
from engine.language.operators import TABLE
from engine.language.syntax import tree
from engine.language.types.datatype import (
    ANY,
    BOOLEAN,
    CODESYSTEM,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    TIME,
    VALUESET,
    VOCABULARY,
    DataType,
    IntervalType,
    ListType,
    NamedType,
)

BINARY: dict[str, tuple[str, ...]] = {
    "+": ("Add", "Concatenate"), "-": ("Subtract",), "*": ("Multiply",), "/": ("Divide",), "div": ("TruncatedDivide",),
    "mod": ("Modulo",), "^": ("Power",), "and": ("And",), "or": ("Or",), "xor": ("Xor",), "implies": ("Implies",),
    "=": ("Equal",), "~": ("Equivalent",), "<": ("Less",), "<=": ("LessOrEqual",), ">": ("Greater",),
    ">=": ("GreaterOrEqual",), "union": ("Union",), "intersect": ("Intersect",), "except": ("Except",),
}  # fmt: skip
"""CQL spelling → ELM operator names that serve it."""

UNARY: dict[str, str] = {
    "negate": "Negate", "not": "Not", "exists": "Exists", "is null": "IsNull", "is true": "IsTrue",
    "is false": "IsFalse", "start of": "Start", "end of": "End", "predecessor": "Predecessor",
    "successor": "Successor", "singleton from": "SingletonFrom", "point from": "PointFrom", "width of": "Width",
    "distinct": "Distinct", "flatten": "Flatten",
}  # fmt: skip

CONVERSION_NAMES: dict[NamedType, str] = {
    BOOLEAN: "ToBoolean", INTEGER: "ToInteger", LONG: "ToLong", DECIMAL: "ToDecimal", STRING: "ToString",
    DATE: "ToDate", DATETIME: "ToDateTime", TIME: "ToTime", QUANTITY: "ToQuantity", RATIO: "ToRatio",
    CONCEPT: "ToConcept",
}  # fmt: skip


SET_CHAINS = ("Union", "Intersect", "Except")
"""Generic operators whose chain over lists of one type is one node: the type parameter stays what it is."""


class OperatorRules(AnalyserBase):
    """Analysis of operator expressions."""

    def operation(self, node: tree.Operation) -> elm.Expression:
        operator = node.operator
        if operator in ("negate", "positive"):
            return self._signed(node)
        if operator in UNARY:
            return self.operator(UNARY[operator], [self.expression(node.operands[0])], node.span, spelled=operator)
        if operator in ("is not null", "is not true", "is not false"):
            name = UNARY[operator.replace("is not", "is")]
            inner = self.operator(name, [self.expression(node.operands[0])], node.span, spelled=operator)
            return self.operator("Not", [inner], node.span)
        operands = [self.expression(o) for o in node.operands]
        if operator in ("!=", "!~"):
            name = "Equal" if operator == "!=" else "Equivalent"
            inner = self.operator(name, operands, node.span, spelled=operator)
            return self.operator("Not", [inner], node.span)
        if operator == "&":
            empty = elm.Literal(value="", result_type=STRING)
            operands = [self._coalesce_text(o, empty) for o in operands]
            return self._chain(("Concatenate",), operands, node, operator)
        return self._chain(BINARY[operator], operands, node, operator)

    def _coalesce_text(self, operand: elm.Expression, empty: elm.Expression) -> elm.Expression:
        text = self.convert(operand, STRING, "an operand of '&'")
        return elm.Operator(
            name="Coalesce", operands=(text, empty), signature=(STRING, STRING), result_type=STRING, span=operand.span
        )

    def _signed(self, node: tree.Operation) -> elm.Expression:
        operand = node.operands[0]
        if node.operator == "negate" and isinstance(operand, tree.NumberLiteral):
            return self.number_literal(operand, negative=True)
        value = self.expression(operand)
        if node.operator == "positive":
            return value
        return self.operator("Negate", [value], node.span, spelled="-")

    def number_literal(self, node: tree.NumberLiteral, negative: bool = False) -> elm.Expression:
        raise NotImplementedError

    def _chain(
        self, names: tuple[str, ...], operands: list[elm.Expression], node: tree.Operation, spelled: str
    ) -> elm.Expression:
        """A left-associative chain; runs whose overload stays the same are one n-ary node."""
        result = operands[0]
        run: list[elm.Expression] = []
        bound: elm.Operator | None = None
        failed = False
        for right in operands[1:]:
            if bound is not None and self._continues(bound, right):
                run.append(right)
                continue
            left = self._closed(bound, run) if bound is not None else result
            span = node.operands[0].span.to(right.span) if right.span else node.span
            made = self._moved_by_period(self.operator(names, [left, right], span, spelled=spelled), right)
            if not isinstance(made, elm.Operator):
                failed = True
                bound, run, result = None, [], made
                continue
            bound, run = made, []
        if failed:
            return elm.Null(result_type=ERROR, span=node.span)
        return self._closed(bound, run, node) if bound is not None else result

    def _moved_by_period(self, made: elm.Expression, right: elm.Expression) -> elm.Expression:
        """The operator, or the mistake that a date or time is moved by a number, which never has an answer."""
        if not isinstance(made, elm.Operator) or made.name not in ("Add", "Subtract"):
            return made
        if made.signature[0] not in (DATE, DATETIME, TIME) or right.result_type not in (INTEGER, LONG, DECIMAL):
            return made
        moved, period = made.signature[0], "5 minutes" if made.signature[0] == TIME else "5 days"
        message = f"a {moved} is moved by a period with its unit, such as {period}"
        if made.name == "Subtract" and moved != TIME:
            message += "; in a date, month and day have two digits: @2020-01-05"
        return self.error(made.span or right.span, "period-without-unit", message)

    def _continues(self, bound: elm.Operator, right: elm.Expression) -> bool:
        """Whether ``right`` joins the node: the overload takes the node's own result and this operand as they are."""
        if bound.result_type == right.result_type and bound.signature == (bound.result_type, right.result_type):
            return True
        if bound.name in SET_CHAINS and bound.result_type == right.result_type:
            return all(o.result_type == bound.result_type for o in bound.operands)
        return bound.name in ("And", "Or", "Xor") and right.result_type == ANY

    @staticmethod
    def _closed(
        bound: elm.Operator, run: Sequence[elm.Expression], node: tree.Operation | None = None
    ) -> elm.Expression:
        if not run and node is None:
            return bound
        return elm.Operator(
            name=bound.name, operands=(*bound.operands, *run), signature=bound.signature, precision=bound.precision,
            result_type=bound.result_type, span=node.span if node else bound.span,
        )  # fmt: skip

    # ------------------------------------------------------------ membership

    def membership(self, node: tree.Membership) -> elm.Expression:
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator == "contains":
            if right.result_type != ERROR and left.result_type in (VALUESET, CODESYSTEM, VOCABULARY):
                return self.vocabulary_membership(right, left, node)
            return self.operator(
                "Contains", [left, right], node.span, precision=node.precision, spelled="contains"
            )
        if right.result_type in (VALUESET, CODESYSTEM, VOCABULARY):
            return self.vocabulary_membership(left, right, node)
        return self.operator("In", [left, right], node.span, precision=node.precision, spelled="in")

    def vocabulary_membership(
        self, code: elm.Expression, vocabulary: elm.Expression, node: tree.Expression
    ) -> elm.Expression:
        """``code in "Value Set"`` for a String, Code or Concept, or a list of them (any of them is a member)."""
        suffix = "CodeSystem" if vocabulary.result_type == CODESYSTEM else "ValueSet"
        names = ("In" + suffix, "AnyIn" + suffix)
        return self.operator(names, [code, vocabulary], node.span, spelled="in")

    def between(self, node: tree.Between) -> elm.Expression:
        operand, low, high = (self.expression(e) for e in (node.operand, node.low, node.high))
        names = ("Greater", "Less") if node.properly else ("GreaterOrEqual", "LessOrEqual")
        if isinstance(operand.result_type, IntervalType):
            names = ("After", "Before") if node.properly else ("SameOrAfter", "SameOrBefore")
        above = self.operator(names[0], [operand, low], node.span, spelled="between")
        below = self.operator(names[1], [operand, high], node.span, spelled="between")
        return self.operator("And", [above, below], node.span)

    # ------------------------------------------------------------ dates

    def elapsed_between(self, node: tree.ElapsedBetween) -> elm.Expression:
        return self._elapsed(node.kind, node.precision, self.expression(node.low), self.expression(node.high), node)

    def elapsed_of(self, node: tree.ElapsedOf) -> elm.Expression:
        operand = self.expression(node.operand)
        start = self.operator("Start", [operand], node.span, spelled=f"{node.kind} of")
        end = self.operator("End", [operand], node.span, spelled=f"{node.kind} of")
        return self._elapsed(node.kind, node.precision, start, end, node)

    def _elapsed(
        self, kind: str, precision: str, low: elm.Expression, high: elm.Expression, node: tree.Expression
    ) -> elm.Expression:
        name = "DurationBetween" if kind == "duration" else "DifferenceBetween"
        made = self.operator(name, [low, high], node.span, precision=precision, spelled=f"{kind} between")
        return self._with_precision(made, precision, node)

    def _with_precision(self, made: elm.Expression, precision: str, node: tree.Expression) -> elm.Expression:
        """The operator, or the mistake that its dates or times do not have the precision."""
        types = made.signature if isinstance(made, elm.Operator) else ()
        wrong = {DATE: ("hour", "minute", "second", "millisecond"), TIME: ("year", "month", "week", "day")}
        if types and types[0] in wrong and precision in wrong[types[0]]:
            return self.error(node.span, "no-precision", f"a {types[0]} has no {precision}s")
        return made

    def component_from(self, node: tree.ComponentFrom) -> elm.Expression:
        operand = self.expression(node.operand)
        named = {"date": "DateFrom", "time": "TimeFrom", "timezoneoffset": "TimezoneOffsetFrom",
                 "timezone": "TimezoneOffsetFrom"}  # fmt: skip
        if node.component == "timezone":
            return self.error(node.span, "syntax", "'timezone from' is no longer CQL; write 'timezoneoffset from'")
        if node.component in named:
            return self.operator(named[node.component], [operand], node.span, spelled=f"{node.component} from")
        made = self.operator(
            "DateTimeComponentFrom", [operand], node.span, precision=node.component, spelled=f"{node.component} from"
        )
        return self._with_precision(made, node.component, node)

    def extreme(self, node: tree.Extreme) -> elm.Expression:
        datatype = self.type_specifier(node.type)
        if datatype == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        if datatype not in (INTEGER, LONG, DECIMAL, DATE, DATETIME, TIME, QUANTITY):
            shown = self.type_name(datatype)
            return self.error(node.span, "no-overload", f"the type {shown} has no {node.kind}")
        name = "MinValue" if node.kind == "minimum" else "MaxValue"
        return elm.MinMaxValue(name=name, result_type=datatype, span=node.span)

    # ------------------------------------------------------------ types

    def type_test(self, node: tree.TypeTest) -> elm.Expression:
        operand, datatype = self.expression(node.operand), self.type_specifier(node.type)
        if ERROR in (operand.result_type, datatype):
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.Is(operand=operand, type=datatype, result_type=BOOLEAN, span=node.span)

    def cast(self, node: tree.Cast) -> elm.Expression:
        operand, datatype = self.expression(node.operand), self.type_specifier(node.type)
        if ERROR in (operand.result_type, datatype):
            return elm.Null(result_type=ERROR, span=node.span)
        have = operand.result_type
        related = (
            self.conversions.is_subtype(have, datatype)
            or self.conversions.is_subtype(datatype, have)
            or (step := self.conversions.find(have, datatype)) is not None
        )
        if not related:
            shown, asked = self.type_name(have), self.type_name(datatype)
            return self.error(node.span, "invalid-cast", f"a value of type {shown} is never of type {asked}")
        step = self.conversions.find(have, datatype)
        plain = self.conversions.is_subtype(have, datatype) or self.conversions.is_subtype(datatype, have)
        if not plain and step is not None and isinstance(have, IntervalType | ListType):
            return step.build(operand)
        return elm.As(operand=operand, strict=node.strict, result_type=datatype, span=node.span)

    def conversion(self, node: tree.Conversion) -> elm.Expression:
        operand = self.expression(node.operand)
        if node.type is None:
            unit = elm.Literal(value=node.unit, result_type=STRING, span=node.span)
            return self.operator("ConvertQuantity", [operand, unit], node.span, spelled="convert")
        datatype = self.type_specifier(node.type)
        if ERROR in (operand.result_type, datatype):
            return elm.Null(result_type=ERROR, span=node.span)
        if isinstance(datatype, NamedType) and datatype in CONVERSION_NAMES:
            name = CONVERSION_NAMES[datatype]
            if best_match(TABLE.overloads(name), [operand.result_type], self.conversions) is not None:
                return self.operator(name, [operand], node.span, spelled="convert")
        step = self.conversions.find(operand.result_type, datatype)
        if step is None:
            have, want = self.type_name(operand.result_type), self.type_name(datatype)
            return self.error(node.span, "no-conversion", f"there is no conversion from {have} to {want}")
        return step.build(operand)

    # ------------------------------------------------------------ sets of intervals

    def set_operation(self, node: tree.SetOperation) -> elm.Expression:
        operand = self.expression(node.operand)
        name = "Expand" if node.operator == "expand" else "Collapse"
        per = self.expression(node.per) if node.per is not None else elm.Null(result_type=QUANTITY, span=node.span)
        return self.operator(name, [operand, per], node.span, spelled=node.operator)

    # ------------------------------------------------------------ choices of the author

    def conditional(self, node: tree.Conditional) -> elm.Expression:
        condition = self.boolean(self.expression(node.condition), "the condition of 'if'")
        then, otherwise = self.expression(node.then), self.expression(node.otherwise)
        datatype = self.common_type([then.result_type, otherwise.result_type], node.span)
        if ERROR in (datatype, condition.result_type):
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.If(
            condition=condition, then=self.convert(then, datatype, "the 'then' value"),
            otherwise=self.convert(otherwise, datatype, "the 'else' value"), result_type=datatype, span=node.span,
        )  # fmt: skip

    def case(self, node: tree.Case) -> elm.Expression:
        comparand = self.expression(node.comparand) if node.comparand is not None else None
        whens = [self.expression(w) for w, _ in node.items]
        results = [self.expression(t) for _, t in node.items]
        otherwise = self.expression(node.otherwise)
        datatype = self.common_type([*(r.result_type for r in results), otherwise.result_type], node.span)
        signature: tuple[DataType, ...] = ()
        if comparand is None:
            whens = [self.boolean(w, "a condition of 'case'") for w in whens]
        else:
            shared = self.common_type([comparand.result_type, *(w.result_type for w in whens)], node.span)
            comparand = self.convert(comparand, shared, "the value compared")
            whens = [self.convert(w, shared, "a value of 'when'") for w in whens]
            equal = self.operator("Equal", [comparand, whens[0]], node.span, spelled="case")
            signature = equal.signature if isinstance(equal, elm.Operator) else ()
        everything = [datatype, *(w.result_type for w in whens), *([comparand.result_type] if comparand else [])]
        if ERROR in everything:
            return elm.Null(result_type=ERROR, span=node.span)
        items = tuple(
            (w, self.convert(r, datatype, "a 'then' value")) for w, r in zip(whens, results, strict=True)
        )
        return elm.Case(
            comparand=comparand, items=items, otherwise=self.convert(otherwise, datatype, "the 'else' value"),
            signature=signature, result_type=datatype, span=node.span,
        )  # fmt: skip

    def index(self, node: tree.Index) -> elm.Expression:
        operands = [self.expression(node.target), self.expression(node.index)]
        return self.operator("Indexer", operands, node.span, spelled="[]")


