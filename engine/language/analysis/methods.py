"""Methods of FHIRPath, each written as the CQL it stands for (CQL 1.5.3, Appendix I, "FHIRPath Function Translation").

A criterion (``where``, ``all``, ``select`` …) becomes a query with the alias ``$this``: in it ``$this`` is the element,
``$index`` its number, and a bare name means the element's own element of that name where it has one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

from engine.errors import Span
from engine.language.analysis.base import AnalyserBase
from engine.language.analysis.conversions import ERROR
from engine.language.analysis.overloads import best_match
from engine.language.analysis.scope import THIS, Frame
from engine.language.elm import nodes as elm
from engine.language.operators import TABLE
from engine.language.syntax import tree
from engine.language.syntax.parsing import parse_expression
from engine.language.types.datatype import (
    ANY,
    BOOLEAN,
    DECIMAL,
    INTEGER,
    STRING,
    VALUESET,
    VOCABULARY,
    ChoiceType,
    ListType,
)

OPERATORS = {
    "abs": "Abs", "allTrue": "AllTrue", "anyTrue": "AnyTrue", "ceiling": "Ceiling", "children": "Children",
    "convertsToBoolean": "ConvertsToBoolean", "convertsToDate": "ConvertsToDate",
    "convertsToDateTime": "ConvertsToDateTime", "convertsToDecimal": "ConvertsToDecimal",
    "convertsToInteger": "ConvertsToInteger", "convertsToLong": "ConvertsToLong",
    "convertsToQuantity": "ConvertsToQuantity", "convertsToRatio": "ConvertsToRatio",
    "convertsToString": "ConvertsToString", "convertsToTime": "ConvertsToTime", "count": "Count",
    "descendants": "Descendants", "descendents": "Descendants", "distinct": "Distinct", "endsWith": "EndsWith",
    "exclude": "Except", "exp": "Exp", "first": "First", "floor": "Floor", "intersect": "Intersect", "last": "Last",
    "length": "Length", "ln": "Ln", "log": "Log", "lower": "Lower", "matches": "Matches", "not": "Not",
    "power": "Power", "replaceMatches": "ReplaceMatches", "round": "Round", "single": "SingletonFrom", "skip": "Skip",
    "startsWith": "StartsWith", "subsetOf": "IncludedIn", "substring": "Substring", "subsumedBy": "SubsumedBy",
    "subsumes": "Subsumes", "supersetOf": "Includes", "tail": "Tail", "take": "Take", "toBoolean": "ToBoolean",
    "toChars": "ToChars", "toDate": "ToDate", "toDateTime": "ToDateTime", "toDecimal": "ToDecimal",
    "toInteger": "ToInteger", "toLong": "ToLong", "toQuantity": "ToQuantity", "toRatio": "ToRatio",
    "toString": "ToString", "toTime": "ToTime", "truncate": "Truncate", "union": "Union", "upper": "Upper",
}  # fmt: skip
"""Methods that are one operator of the target and the arguments, in that order."""

ARGUMENTS: dict[str, tuple[int, int, str]] = {
    "aggregate": (1, 2, "what $total becomes, and what it starts with"), "all": (1, 1, "a condition on $this"),
    "allFalse": (0, 0, ""), "anyFalse": (0, 0, ""), "as": (1, 1, "a type"), "combine": (1, 1, "a list"),
    "conformsTo": (1, 1, "the canonical of a profile"), "contains": (1, 1, "a string"), "empty": (0, 0, ""),
    "exists": (0, 1, "a condition on $this"), "hasValue": (0, 0, ""), "indexOf": (1, 1, "a string"),
    "is": (1, 1, "a type"), "isDistinct": (0, 0, ""), "lastIndexOf": (1, 1, "a string"),
    "memberOf": (1, 1, "a value set"), "ofType": (1, 1, "a type"), "repeat": (1, 1, "an expression of $this"),
    "replace": (2, 2, "what is replaced, and by what"), "select": (1, 1, "an expression of $this"), "sqrt": (0, 0, ""),
    "trace": (1, 1, "a name"), "where": (1, 1, "a condition on $this"),
}  # fmt: skip
"""The other methods: the least and the greatest number of arguments, and what they are."""

STANDALONE = {"now": "Now", "today": "Today", "timeOfDay": "TimeOfDay"}
"""Functions of FHIRPath that follow no dot; ``iif`` is the fourth."""

BODIED = frozenset({"aggregate", "all", "as", "exists", "is", "ofType", "repeat", "select", "where"})
"""Methods whose arguments mean nothing outside the method: criteria and types."""

METHODS = frozenset({*OPERATORS, *ARGUMENTS})

_LET = "$value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed(tree.Expression):
    """An expression whose analysis is done, where syntax is asked for."""

    value: elm.Expression


class MethodRules(AnalyserBase):
    """Analysis of FHIRPath's methods and functions."""

    def analysed(self, node: Analysed) -> elm.Expression:
        return node.value

    def vocabulary_membership(
        self, code: elm.Expression, vocabulary: elm.Expression, node: tree.Expression
    ) -> elm.Expression:
        raise NotImplementedError

    def profile_check(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        """``conformsTo``, which is a function of the library FHIRSupport."""
        raise NotImplementedError

    def standalone(self, node: tree.FunctionCall, arguments: list[elm.Expression]) -> elm.Expression:
        """``now()``, ``today()``, ``timeOfDay()`` and ``iif(condition, then[, otherwise])``."""
        if node.name in STANDALONE:
            return self.operator(STANDALONE[node.name], arguments, node.span, spelled=node.name)
        if len(arguments) not in (2, 3):
            message = f"'iif' takes a condition, a value, and perhaps another one, not {len(arguments)} arguments"
            return self.error(node.span, "wrong-arguments", message)
        condition, then, *rest = (Analysed(value=a, span=a.span or node.span) for a in arguments)
        otherwise: tree.Expression = rest[0] if rest else tree.NullLiteral(span=node.span)
        return self.expression(tree.Conditional(condition=condition, then=then, otherwise=otherwise, span=node.span))

    def method(
        self, node: tree.FunctionCall, target: elm.Expression, known: list[elm.Expression] | None = None
    ) -> elm.Expression:
        """The method of the target; ``known`` are the arguments where they have been analysed already."""
        if node.name in OPERATORS:
            arguments = known if known is not None else [self.expression(a) for a in node.arguments]
            return self.operator(OPERATORS[node.name], [target, *arguments], node.span, spelled=node.name)
        least, most, what = ARGUMENTS[node.name]
        given = len(node.arguments)
        if not least <= given <= most:
            number = {(0, 0): "no argument", (1, 1): "one argument", (2, 2): "two arguments"}.get(
                (least, most), f"{least} or {most} arguments"
            )
            message = f"'{node.name}' takes {number}{f' ({what})' if what else ''}, not {given}"
            return self.error(node.span, "wrong-arguments", message)
        match node.name:
            case "where" | "exists" | "all" | "select" | "aggregate":
                return self._iteration(node, target)
            case "repeat":
                return self._repeat(node, target)
            case "is" | "as" | "ofType":
                return self._typed(node, target)
            case "conformsTo":
                return self.profile_check(node, target)
        arguments = known if known is not None else [self.expression(a) for a in node.arguments]
        if any(a.result_type == ERROR for a in arguments):
            return elm.Null(result_type=ERROR, span=node.span)
        return self._composed(node, target, arguments)

    # ------------------------------------------------------------ criteria

    def _iteration(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        if node.name == "aggregate":
            starting = node.arguments[1] if len(node.arguments) == 2 else None
            clause = tree.AggregateClause(
                name="$total", starting=starting, expression=node.arguments[0], distinct=False, span=node.span
            )
            return self.expression(dataclasses.replace(_over(target, node.span), aggregate=clause))
        if node.name == "select":
            return self._select(node, target)
        if node.name == "all":
            return self._all(node, target)
        rows = target
        if node.arguments:
            rows = self.expression(dataclasses.replace(_over(target, node.span), where=node.arguments[0]))
        return rows if node.name == "where" else self.operator("Exists", [rows], node.span, spelled="exists")

    def _all(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        """True when the condition is true of every element, as FHIRPath has it.

        The appendix keeps only the rows whose condition holds and asks whether all of those hold, which is always so.
        """
        condition = tree.Operation(operator="is true", operands=(node.arguments[0],), span=node.span)
        clause = tree.ReturnClause(expression=condition, distinct=False, span=node.span)
        rows = self.expression(dataclasses.replace(_over(target, node.span), returns=clause))
        return self.operator("AllTrue", [rows], node.span, spelled="all")

    def _select(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        value = tree.Identifier(name=_LET, span=node.span)
        query = dataclasses.replace(
            _over(target, node.span),
            lets=(tree.LetItem(name=_LET, expression=node.arguments[0], span=node.span),),
            where=tree.Operation(operator="is not null", operands=(value,), span=node.span),
            returns=tree.ReturnClause(expression=value, distinct=True, span=node.span),
        )
        rows = self.expression(query)
        nested = isinstance(rows.result_type, ListType) and isinstance(rows.result_type.element, ListType)
        return self.operator("Flatten", [rows], node.span) if nested else rows

    def _repeat(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        """``Repeat``: typed as ``select`` of ``select``; ``$this`` is the element, or what the expression gave."""
        start = target.result_type.element if isinstance(target.result_type, ListType) else target.result_type
        row, body = start, target
        for _ in range(3):
            this = elm.Iteration(name="this", result_type=row)
            with self.scopes.inside(Frame(names={THIS: this}, iteration={"this": row, "index": INTEGER})):
                body = self.expression(node.arguments[0])
            if body.result_type == ERROR:
                return elm.Null(result_type=ERROR, span=node.span)
            made = body.result_type.element if isinstance(body.result_type, ListType) else body.result_type
            if made == row or self.conversions.is_subtype(made, row):
                break
            row = ANY if made == ANY else ChoiceType.of([row, made])
        made = body.result_type.element if isinstance(body.result_type, ListType) else body.result_type
        return elm.Repeat(source=target, element=body, result_type=ListType(made), span=node.span)

    # ------------------------------------------------------------ types

    def _typed(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        specifier = self._type_argument(node)
        if specifier is None:
            message = f"the type of '{node.name}' is written as a name or a string: {node.name}(Quantity)"
            return self.error(node.arguments[0].span, "type-mismatch", message)
        mistakes = len(self.diagnostics)
        if self.type_specifier(specifier) == ERROR or len(self.diagnostics) > mistakes:
            return elm.Null(result_type=ERROR, span=node.span)
        span = node.span
        if node.name == "is":
            return self.expression(
                tree.TypeTest(operand=Analysed(value=target, span=span), type=specifier, span=span)
            )
        if node.name == "as":
            operand = Analysed(value=target, span=span)
            return self.expression(tree.Cast(operand=operand, type=specifier, strict=False, span=span))
        this = tree.SpecialIdentifier(name="this", span=span)
        cast = tree.Cast(operand=this, type=specifier, strict=False, span=span)
        query = dataclasses.replace(
            _over(target, span),
            where=tree.TypeTest(operand=this, type=specifier, span=span),
            returns=tree.ReturnClause(expression=cast, distinct=True, span=span),
        )
        return self.expression(query)

    @staticmethod
    def _type_argument(node: tree.FunctionCall) -> tree.TypeSpecifier | None:
        """The type an argument names: ``'FHIR.Quantity'``, ``'List<Integer>'``, ``Quantity`` or ``FHIR.Quantity``."""
        argument = node.arguments[0]
        if isinstance(argument, tree.StringLiteral):
            parsed, _ = parse_expression(f"null as {argument.value}")
            return _placed(parsed.type, argument.span) if isinstance(parsed, tree.Cast) else None
        parts: list[str] = []
        while isinstance(argument, tree.Member):
            parts.append(argument.name)
            argument = argument.target
        if not isinstance(argument, tree.Identifier):
            return None
        name = (argument.name, *reversed(parts))
        return tree.NamedTypeSpecifier(name=name, span=node.arguments[0].span)

    # ------------------------------------------------------------ compositions of operators

    def _composed(
        self, node: tree.FunctionCall, target: elm.Expression, arguments: list[elm.Expression]
    ) -> elm.Expression:
        span, spelled = node.span, node.name
        match spelled:
            case "empty":
                return self.operator("Not", [self.operator("Exists", [target], span, spelled=spelled)], span)
            case "hasValue":
                return self.operator("Not", [self.operator("IsNull", [target], span)], span)
            case "isDistinct":
                distinct = self.operator("Distinct", [target], span, spelled=spelled)
                counts = [self.operator("Count", [rows], span, spelled=spelled) for rows in (target, distinct)]
                return self.operator("Equal", counts, span)
            case "allFalse" | "anyFalse":
                return self._negated("AllTrue" if spelled == "allFalse" else "AnyTrue", node, target)
            case "contains":
                position = self.operator("PositionOf", [arguments[0], target], span, spelled=spelled)
                zero = elm.Literal(value=0, result_type=INTEGER, span=span)
                return self.operator("GreaterOrEqual", [position, zero], span)
            case "indexOf" | "lastIndexOf":
                name = "PositionOf" if spelled == "indexOf" else "LastPositionOf"
                return self.operator(name, [arguments[0], target], span, spelled=spelled)
            case "sqrt":
                half = elm.Literal(value=Decimal("0.5"), result_type=DECIMAL, span=span)
                return self.operator("Power", [target, half], span, spelled=spelled)
            case "combine":
                return self._combine(node, target, arguments[0])
            case "memberOf":
                return self._member_of(node, target, arguments[0])
            case "replace":
                return self._replace(node, target, arguments)
        return self._trace(node, target, arguments[0])

    def _negated(self, name: str, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        if not isinstance(target.result_type, ListType):
            return self.operator(name, [target], node.span, spelled=node.name)
        this = tree.SpecialIdentifier(name="this", span=node.span)
        negated = tree.Operation(operator="not", operands=(this,), span=node.span)
        clause = tree.ReturnClause(expression=negated, distinct=True, span=node.span)
        rows = self.expression(dataclasses.replace(_over(target, node.span), returns=clause))
        return self.operator(name, [rows], node.span, spelled=node.name)

    def _combine(self, node: tree.FunctionCall, target: elm.Expression, other: elm.Expression) -> elm.Expression:
        both = (target, other)
        types = [e.result_type.element for e in both if isinstance(e.result_type, ListType)]
        if not types or any(e.result_type != ANY and not isinstance(e.result_type, ListType) for e in both):
            shown = ", ".join(self.type_name(e.result_type) for e in both)
            return self.error(node.span, "no-overload", f"'combine' is not defined for ({shown}); it takes two lists")
        mixed = any(isinstance(t, ChoiceType) for t in types)
        rows = ListType(ChoiceType.of(types) if mixed else self.common_type(types, node.span))
        elements = tuple(self.convert(e, rows, "a list of 'combine'") for e in both)
        lists = elm.List(elements=elements, result_type=ListType(rows), span=node.span)
        return self.operator("Flatten", [lists], node.span, spelled="combine")

    def _member_of(self, node: tree.FunctionCall, target: elm.Expression, terms: elm.Expression) -> elm.Expression:
        if terms.result_type not in (VALUESET, VOCABULARY):
            shown = self.type_name(terms.result_type)
            message = f"'memberOf' takes the name of a value set, not {shown}"
            return self.error(node.arguments[0].span, "type-mismatch", message)
        return self.vocabulary_membership(target, terms, node)

    def _replace(
        self, node: tree.FunctionCall, target: elm.Expression, arguments: list[elm.Expression]
    ) -> elm.Expression:
        """``Combine(Split(X, Y), Z)``, since ELM has no Replace; where Y is empty, Z goes around every character."""
        texts = [self.convert(e, STRING, "an operand of 'replace'") for e in (target, *arguments)]
        if any(t.result_type == ERROR for t in texts):
            return elm.Null(result_type=ERROR, span=node.span)
        return self._replaced(texts, node.span)

    def _replaced(self, texts: list[elm.Expression], span: Span | None) -> elm.Expression:
        text, pattern, by = texts
        empty = elm.Literal(value="", result_type=STRING, span=span)

        def between(parts: elm.Expression) -> elm.Expression:
            return self.operator("Combine", [parts, by], span)

        letters = self.operator("ToChars", [text], span)
        ends = elm.List(elements=(empty,), result_type=ListType(STRING), span=span)
        rows = elm.List(elements=(ends, letters, ends), result_type=ListType(ListType(STRING)), span=span)
        around = between(self.operator("Flatten", [rows], span))
        inside = between(self.operator("Split", [text, pattern], span))
        missing = [self.operator("IsNull", [e], span) for e in texts]
        unknown = self.operator("Or", [self.operator("Or", missing[:2], span), missing[2]], span)
        items = (
            (unknown, elm.Null(result_type=STRING, span=span)),
            (self.operator("Equal", [pattern, empty], span), around),
        )
        return elm.Case(comparand=None, items=items, otherwise=inside, result_type=STRING, span=span)

    def _trace(self, node: tree.FunctionCall, target: elm.Expression, name: elm.Expression) -> elm.Expression:
        """``Message``; its text is the target where that has a text, else null."""
        span = node.span
        text: elm.Expression = elm.Null(result_type=STRING, span=span)
        if best_match(TABLE.overloads("ToString"), [target.result_type], self.conversions) is not None:
            text = self.operator("ToString", [target], span, spelled="trace")
        true = elm.Literal(value=True, result_type=BOOLEAN, span=span)
        grade = elm.Literal(value="Trace", result_type=STRING, span=span)
        return self.operator("Message", [target, true, name, grade, text], span, spelled="trace")


def _over(target: elm.Expression, span: Span) -> tree.Query:
    """``target $this``, to which the clauses are added."""
    source = tree.AliasedSource(expression=Analysed(value=target, span=span), alias=THIS, span=span)
    return tree.Query(sources=(source,), span=span)


def _placed(specifier: tree.TypeSpecifier, span: Span) -> tree.TypeSpecifier:
    """The specifier as if it stood at ``span``, so that what is wrong with it is reported there."""
    match specifier:
        case tree.ListTypeSpecifier():
            return tree.ListTypeSpecifier(element=_placed(specifier.element, span), span=span)
        case tree.IntervalTypeSpecifier():
            return tree.IntervalTypeSpecifier(point=_placed(specifier.point, span), span=span)
        case tree.ChoiceTypeSpecifier():
            alternatives = tuple(_placed(t, span) for t in specifier.alternatives)
            return tree.ChoiceTypeSpecifier(alternatives=alternatives, span=span)
    return dataclasses.replace(specifier, span=span)
