"""Literals and selectors (Author's Guide "Values", Developer's Guide "Literals and Selectors")."""

from __future__ import annotations

from decimal import Decimal

from engine.language.analysis.base import AnalyserBase
from engine.language.analysis.conversions import ERROR
from engine.language.elm import nodes as elm
from engine.language.syntax import tree
from engine.language.types.datatype import (
    ANY,
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    INTERVAL_ELEMENTS,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    SYSTEM_ELEMENTS,
    TIME,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
)
from engine.language.values import Date, DateTime, Long, Quantity, Time
from engine.language.values.numbers import DECIMAL_MAX, INTEGER_MAX, LONG_MAX
from engine.language.values.temporal import CALENDAR_UNITS


class LiteralRules(AnalyserBase):
    """Analysis of literals and selectors."""

    def null_literal(self, node: tree.NullLiteral) -> elm.Expression:
        return elm.Null(result_type=ANY, span=node.span)

    def boolean_literal(self, node: tree.BooleanLiteral) -> elm.Expression:
        return elm.Literal(value=node.value, result_type=BOOLEAN, span=node.span)

    def string_literal(self, node: tree.StringLiteral) -> elm.Expression:
        return elm.Literal(value=node.value, result_type=STRING, span=node.span)

    def number_literal(self, node: tree.NumberLiteral, negative: bool = False) -> elm.Expression:
        if node.kind == "Decimal":
            number = self.decimal(node, node.text)
            if number is None:
                return elm.Null(result_type=ERROR, span=node.span)
            return elm.Literal(value=-number if negative else number, result_type=DECIMAL, span=node.span)
        limit, datatype = (INTEGER_MAX, INTEGER) if node.kind == "Integer" else (LONG_MAX, LONG)
        digits = node.text.lstrip("0") or "0"
        value = int(digits) if len(digits) <= 20 else limit + 2
        if value > limit + (1 if negative else 0):
            hint = "; write it as a Long, with L, or as a Decimal" if node.kind == "Integer" else ""
            return self.error(node.span, "literal-range", f"{digits} is no {node.kind}: the largest is {limit}{hint}")
        value = -value if negative else value
        return elm.Literal(value=Long(value) if datatype == LONG else value, result_type=datatype, span=node.span)

    def decimal(self, node: tree.Expression, text: str) -> Decimal | None:
        """The exact decimal, or None after reporting that it is out of range (28 digits, 8 of them decimals)."""
        value = Decimal(text)
        if abs(value) > DECIMAL_MAX or len(text.partition(".")[2].rstrip("0")) > 8:
            self.error(node.span, "literal-range", f"{text} is no Decimal: at most 20 digits, a point and 8 digits")
            return None
        return value

    def quantity_literal(self, node: tree.QuantityLiteral) -> elm.Expression:
        value = Decimal(node.text)
        if abs(value) > DECIMAL_MAX:
            return self.error(node.span, "literal-range", f"the value {node.text} is beyond the largest Decimal")
        unit = node.unit
        if unit is None:
            unit = "1"
        elif unit not in CALENDAR_UNITS and not self.valid_unit(unit):
            return self.error(node.span, "invalid-unit", f"'{unit}' is not a UCUM unit")
        return elm.Literal(value=Quantity(value, unit), result_type=QUANTITY, span=node.span)

    def valid_unit(self, unit: str) -> bool:
        """Whether ``unit`` is UCUM; overridden where a unit system is at hand."""
        raise NotImplementedError

    def ratio_literal(self, node: tree.RatioLiteral) -> elm.Expression:
        parts = [self.quantity_literal(q) for q in (node.numerator, node.denominator)]
        if any(p.result_type == ERROR for p in parts):
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.Ratio(numerator=parts[0], denominator=parts[1], result_type=RATIO, span=node.span)

    def temporal_literal(self, node: tree.TemporalLiteral) -> elm.Expression:
        classes: dict[str, tuple[type[Date] | type[DateTime] | type[Time], DataType]] = {
            "Date": (Date, DATE), "DateTime": (DateTime, DATETIME), "Time": (Time, TIME),
        }  # fmt: skip
        cls, datatype = classes[node.kind]
        try:
            value = cls.parse(node.text)
        except ValueError as problem:
            return self.error(node.span, "invalid-literal", f"@{node.text} is no {node.kind}: {problem}")
        return elm.Literal(value=value, result_type=datatype, span=node.span)

    # ------------------------------------------------------------ selectors

    def interval_selector(self, node: tree.IntervalSelector) -> elm.Expression:
        low, high = self.expression(node.low), self.expression(node.high)
        point = self.common_type([low.result_type, high.result_type], node.span)
        if point == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        if not self.is_point_type(point):
            system = [t for t in self.conversions.targets(point) if self.is_point_type(t)]
            if not system:
                what = self.type_name(point)
                return self.error(node.span, "invalid-interval", f"an Interval cannot have points of type {what}")
            point = system[0]
        return elm.Interval(
            low=self.convert(low, point, "the low boundary"), high=self.convert(high, point, "the high boundary"),
            low_closed=node.low_closed, high_closed=node.high_closed, result_type=IntervalType(point), span=node.span,
        )  # fmt: skip

    @staticmethod
    def is_point_type(datatype: DataType) -> bool:
        """True for the ordered types with successor and predecessor (and Any, of untyped nulls)."""
        return datatype in (INTEGER, LONG, DECIMAL, DATE, DATETIME, TIME, QUANTITY, ANY, STRING)

    def list_selector(self, node: tree.ListSelector) -> elm.Expression:
        elements = [self.expression(e) for e in node.elements]
        if node.element_type is not None:
            element = self.type_specifier(node.element_type)
        else:
            element = self.common_type([e.result_type for e in elements], node.span)
        if element == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        converted = tuple(self.convert(e, element, "an element of the list") for e in elements)
        if any(e.result_type == ERROR for e in converted):
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.List(elements=converted, result_type=ListType(element), span=node.span)

    def tuple_selector(self, node: tree.TupleSelector) -> elm.Expression:
        elements: dict[str, elm.Expression] = {}
        for item in node.elements:
            if item.name in elements:
                self.error(item.span, "duplicate-name", f"the tuple has two elements named '{item.name}'")
            elements[item.name] = self.expression(item.value)
        if any(e.result_type == ERROR for e in elements.values()):
            return elm.Null(result_type=ERROR, span=node.span)
        datatype = self.usable(TupleType.of({n: e.result_type for n, e in elements.items()}), node.span)
        if datatype == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.Tuple(elements=tuple(elements.items()), result_type=datatype, span=node.span)

    def instance_selector(self, node: tree.InstanceSelector) -> elm.Expression:
        datatype = self.type_specifier(node.type)
        if datatype == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        elements: list[tuple[str, elm.Expression]] = []
        for item in node.elements:
            wanted = self.element_type(datatype, item.name)
            value = self.expression(item.value)
            if wanted is None:
                known = self.element_names(datatype)
                message = f"{self.type_name(datatype)} has no element '{item.name}'{self.suggestion(item.name, known)}"
                self.error(item.span, "unknown-element", message)
                continue
            if any(name == item.name for name, _ in elements):
                self.error(item.span, "duplicate-name", f"the element '{item.name}' is given twice")
                continue
            elements.append((item.name, self.convert(value, wanted, f"the element '{item.name}'")))
        return elm.Instance(elements=tuple(elements), result_type=datatype, span=node.span)

    def element_type(self, datatype: DataType, name: str) -> DataType | None:
        """The type of the element ``name`` of a structured type, or None when it has none."""
        match datatype:
            case TupleType():
                return datatype.get(name)
            case IntervalType(point) if name in INTERVAL_ELEMENTS:
                return point if name in ("low", "high") else BOOLEAN
            case NamedType() if datatype.is_system:
                return SYSTEM_ELEMENTS.get(datatype, {}).get(name)
            case NamedType():
                model = self.models.get(datatype.model)
                info = model.class_info(datatype.name) if model else None
                return info.elements.get(name) if info else None
        return None

    def element_names(self, datatype: DataType) -> list[str]:
        """The names of all elements of a structured type."""
        match datatype:
            case TupleType():
                return [n for n, _ in datatype.elements]
            case IntervalType():
                return list(INTERVAL_ELEMENTS)
            case NamedType() if datatype.is_system:
                return list(SYSTEM_ELEMENTS.get(datatype, {}))
            case NamedType():
                model = self.models.get(datatype.model)
                info = model.class_info(datatype.name) if model else None
                return list(info.elements) if info else []
        return []

    def code_selector(self, node: tree.CodeSelector) -> elm.Expression:
        system = self.expression(node.system)
        if not isinstance(system, elm.CodeSystemRef):
            if system.result_type == ERROR:
                return system
            return self.error(node.system.span, "type-mismatch", "a code needs the name of a codesystem after 'from'")
        return elm.Code(code=node.code, system=system, display=node.display, result_type=CODE, span=node.span)

    def concept_selector(self, node: tree.ConceptSelector) -> elm.Expression:
        codes = [self.code_selector(c) for c in node.codes]
        made = tuple(c for c in codes if isinstance(c, elm.Code))
        if len(made) != len(codes):
            return elm.Null(result_type=ERROR, span=node.span)
        return elm.Concept(codes=made, display=node.display, result_type=CONCEPT, span=node.span)


