"""Random small ELM trees, for the round-trip law: every node class, any nesting, types that need not fit each other."""

from decimal import Decimal

from hypothesis import strategies as st

from engine.errors import Span
from engine.language.elm import nodes as elm
from engine.language.types.datatype import (
    SYSTEM_TYPES,
    ChoiceType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
    TypeParameter,
    system,
)
from engine.language.values import Date, DateTime, Long, Quantity, Ratio, Time

IDENTIFIERS = st.sampled_from(["a", "Latest value", "$this", 'say "x"', "größe", "source-sha256"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SPANS = st.none() | st.builds(Span, *[st.integers(1, 500)] * 4)
ACCESS = st.sampled_from(["public", "private"])
TAGS = st.lists(st.tuples(IDENTIFIERS, TEXTS), max_size=2).map(tuple)
LIBRARIES = st.none() | st.just("Labs")

NAMED = st.sampled_from(
    [*SYSTEM_TYPES.values(), NamedType("FHIR", "Observation"), NamedType("FHIR", "Observation.Component"),
     NamedType("Other", "Thing")]
)  # fmt: skip
TYPES = st.recursive(
    NAMED,
    lambda inner: st.one_of(
        inner.map(ListType),
        inner.map(IntervalType),
        st.dictionaries(IDENTIFIERS, inner, max_size=2).map(TupleType.of),
        st.lists(inner, min_size=1, max_size=3).map(ChoiceType.of),
    ),
    max_leaves=3,
)
PARAMETERS = st.sampled_from([TypeParameter("T"), ListType(TypeParameter("T"))])
SIGNATURES = st.lists(TYPES | PARAMETERS, max_size=3).map(tuple)

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20), max_value=10**20)
QUANTITIES = st.builds(Quantity, DECIMALS, st.sampled_from(["1", "mg/dL", "days", "10*9/L"]))
DATES = st.sampled_from([Date(2012), Date(2012, 2), Date(2012, 2, 29)])
TIMES = st.sampled_from([Time(0), Time(10, 30), Time(10, 30, 5), Time(23, 59, 59, 999)])
OFFSETS = st.none() | st.integers(-840, 840)
DATETIMES = st.builds(DateTime, st.just(2012), st.just(3), st.just(1), offset_minutes=OFFSETS) | st.builds(
    DateTime, st.just(1999), st.just(12), st.just(31), st.just(23), st.just(59), st.just(58), st.just(1), OFFSETS
)
VALUES = st.one_of(
    st.booleans(), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1).map(Long), DECIMALS, TEXTS,
    QUANTITIES, DATES, TIMES, DATETIMES, st.builds(Ratio, QUANTITIES, QUANTITIES),
)  # fmt: skip

OPERATOR_NAMES = st.sampled_from(
    ["And", "Or", "Add", "Multiply", "Subtract", "Union", "Except", "Concatenate", "Coalesce", "Equal", "Overlaps"]
)
PRECISIONS = st.none() | st.sampled_from(["year", "week", "day", "millisecond"])
NAMED_OPERATORS = st.sampled_from(
    [("Round", 1), ("Round", 2), ("Substring", 2), ("Substring", 3), ("Combine", 2), ("Split", 2), ("Message", 5),
     ("PositionOf", 2), ("Count", 1), ("First", 1), ("IndexOf", 2), ("Slice", 3), ("DateTime", 8), ("DateTime", 1),
     ("Date", 3), ("Time", 2), ("InValueSet", 2), ("AnyInCodeSystem", 2), ("Now", 0), ("Not", 1), ("ToList", 1),
     ("Collapse", 1), ("Expand", 2), ("ReplaceMatches", 3), ("Descendents", 1),
     ("Skip", 2), ("Tail", 1), ("Take", 2)]
)  # fmt: skip


def node(cls, **fields):
    """A strategy for expressions of ``cls``."""
    fields = {"result_type": TYPES, "span": SPANS, **fields}
    return st.builds(cls, **fields)


REFERENCES = {"name": IDENTIFIERS, "library": LIBRARIES}
SYSTEM_REFS = node(elm.CodeSystemRef, **REFERENCES)
CODE_REFS = node(elm.CodeRef, **REFERENCES)
CODES = node(elm.Code, code=TEXTS, system=SYSTEM_REFS, display=st.none() | TEXTS)
LEAVES = st.one_of(
    node(elm.Literal, value=VALUES),
    node(elm.Null),
    *(node(cls, **REFERENCES) for cls in (elm.ExpressionRef, elm.ParameterRef, elm.ValueSetRef, elm.ConceptRef)),
    SYSTEM_REFS,
    CODE_REFS,
    *(node(cls, name=IDENTIFIERS) for cls in (elm.OperandRef, elm.AliasRef, elm.QueryLetRef)),
    node(elm.Iteration, name=st.sampled_from(["this", "index", "total"])),
    node(elm.MinMaxValue, name=st.sampled_from(["MinValue", "MaxValue"]), result_type=NAMED),
    CODES,
    node(elm.Concept, codes=st.lists(CODES, max_size=2).map(tuple), display=st.none() | TEXTS),
)


def _tuples(inner, minimum=0, maximum=3):
    return st.lists(inner, min_size=minimum, max_size=maximum).map(tuple)


def _named_operator(inner):
    def build(shape):
        name, count = shape
        return node(
            elm.Operator, name=st.just(name), operands=_tuples(inner, count, count), signature=SIGNATURES
        )  # fmt: skip

    return NAMED_OPERATORS.flatmap(build)


def _query(inner):
    sources = st.builds(elm.AliasedQuerySource, alias=IDENTIFIERS, expression=inner, plural=st.booleans())
    row = node(elm.Iteration, name=st.just("this"), result_type=NAMED, span=st.none())
    column = node(elm.Property, source=row, path=IDENTIFIERS)
    aggregate = st.builds(
        elm.AggregateClause, identifier=IDENTIFIERS, starting=inner, expression=inner, distinct=st.booleans()
    )
    relationship = st.builds(elm.RelationshipClause, source=sources, such_that=inner, negated=st.booleans())
    return node(
        elm.Query,
        result_type=NAMED.map(ListType) | TYPES,
        sources=_tuples(sources, 1, 2),
        lets=_tuples(st.builds(elm.LetClause, identifier=IDENTIFIERS, expression=inner), maximum=1),
        relationships=_tuples(relationship, maximum=1),
        where=st.none() | inner,
        returns=st.none() | inner,
        distinct=st.booleans(),
        aggregate=st.none() | aggregate,
        sort=_tuples(
            st.builds(elm.SortByItem, descending=st.booleans(), expression=st.none() | column | inner), maximum=2
        ),
    )


def _nodes(inner):
    return st.one_of(
        node(elm.Interval, low=inner, high=inner, low_closed=st.booleans(), high_closed=st.booleans()),
        node(elm.List, elements=_tuples(inner)),
        node(elm.Tuple, elements=_tuples(st.tuples(IDENTIFIERS, inner), maximum=2)),
        node(elm.Instance, elements=_tuples(st.tuples(IDENTIFIERS, inner), maximum=2), result_type=NAMED),
        node(elm.Ratio, numerator=inner, denominator=inner),
        node(elm.FunctionRef, operands=_tuples(inner), signature=SIGNATURES, **REFERENCES),
        node(elm.Operator, name=OPERATOR_NAMES, operands=_tuples(inner, 2, 6), signature=SIGNATURES,
             precision=PRECISIONS),
        _named_operator(inner),
        node(elm.If, condition=inner, then=inner, otherwise=inner),
        node(elm.Case, comparand=st.none() | inner, items=_tuples(st.tuples(inner, inner), 1, 2), otherwise=inner,
             signature=SIGNATURES),
        node(elm.Is, operand=inner, type=TYPES),
        node(elm.As, operand=inner, strict=st.booleans()),
        node(elm.Property, source=inner, path=IDENTIFIERS),
        node(elm.ConvertElements, operand=inner, conversion=inner),
        node(elm.Repeat, source=inner, element=inner),
        node(elm.Retrieve, model=st.sampled_from(["FHIR", "Other"]), data_type=st.just("Observation"),
             code_property=st.none() | st.just("code"), comparator=st.none() | st.sampled_from(["in", "~", "="]),
             codes=st.none() | inner, person=st.none() | inner, context=st.sampled_from(["Patient", "Unfiltered"])),
        _query(inner),
    )  # fmt: skip


EXPRESSIONS = st.recursive(LEAVES, _nodes, max_leaves=6)

DEFINITION = {"name": IDENTIFIERS, "access": ACCESS, "tags": TAGS, "span": SPANS}
OPERANDS = _tuples(st.builds(elm.OperandDef, name=IDENTIFIERS, type=TYPES), maximum=2)
DEFINES = st.builds(elm.ExpressionDef, expression=EXPRESSIONS, context=st.just("Patient"), **DEFINITION)
FUNCTIONS = st.builds(
    elm.FunctionDef, operands=OPERANDS, expression=st.none() | EXPRESSIONS, result_type=TYPES, fluent=st.booleans(),
    context=st.sampled_from(["Patient", "Unfiltered"]), **DEFINITION,
)  # fmt: skip


def library_of(*expressions, **sections):
    """A library whose defines are these expressions."""
    defines = tuple(
        elm.ExpressionDef(name=f"Define {i}", expression=e, context="Patient") for i, e in enumerate(expressions)
    )
    return elm.Library(name="Random", version="1", expressions=defines, **sections)


INTEGER_5 = elm.Literal(value=5, result_type=system("Integer"))
DECIMAL_1_50 = elm.Literal(value=Decimal("1.50"), result_type=system("Decimal"))
