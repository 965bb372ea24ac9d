"""The syntax tree: what was written, in small frozen classes, each with its span.

The tree says nothing about meaning: names are unresolved, a chain of one operator (``a and b and c``) is one node with
all its operands, literals keep their text. ANTLR's objects end where this tree begins, so that a tree can be kept.
Source: CQL 1.5.3, "Developer's Guide" (grammar) and Author's Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.errors import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of all nodes."""

    span: Span


class Expression(Node):
    """Base of all expressions."""

    __slots__ = ()


# ---------------------------------------------------------------- type specifiers


class TypeSpecifier(Node):
    """Base of type specifiers."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTypeSpecifier(TypeSpecifier):
    """``Integer``, ``System.Integer``, ``FHIR.Patient``, ``FHIR.Patient.Contact``: ``name`` holds all the parts."""

    name: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTypeSpecifier(TypeSpecifier):
    element: TypeSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalTypeSpecifier(TypeSpecifier):
    point: TypeSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class TupleTypeSpecifier(TypeSpecifier):
    elements: tuple[tuple[str, TypeSpecifier], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceTypeSpecifier(TypeSpecifier):
    alternatives: tuple[TypeSpecifier, ...]


# ---------------------------------------------------------------- literals and selectors


@dataclass(frozen=True, slots=True, kw_only=True)
class NullLiteral(Expression):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanLiteral(Expression):
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StringLiteral(Expression):
    """``value`` has its escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLiteral(Expression):
    """``kind`` is ``Integer``, ``Long`` or ``Decimal``; ``text`` is what was written, without the ``L``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityLiteral(Expression):
    """``unit`` is UCUM text, a calendar word as written (``days``) or None for none."""

    text: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioLiteral(Expression):
    numerator: QuantityLiteral
    denominator: QuantityLiteral


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalLiteral(Expression):
    """``kind`` is ``Date``, ``DateTime`` or ``Time``; ``text`` is what follows ``@`` (Time: what follows ``@T``)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalSelector(Expression):
    low: Expression
    high: Expression
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSelector(Node):
    """``name: value`` within a tuple or instance selector."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TupleSelector(Expression):
    elements: tuple[ElementSelector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSelector(Expression):
    type: NamedTypeSpecifier
    elements: tuple[ElementSelector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSelector(Expression):
    """``{…}`` or ``List<T> {…}``; ``element_type`` is None when not written."""

    element_type: TypeSpecifier | None
    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSelector(Expression):
    """``Code 'c' from "System" display 'd'``; ``system`` is the (qualified) name of a code system definition."""

    code: str
    system: Expression
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptSelector(Expression):
    codes: tuple[CodeSelector, ...]
    display: str | None


# ---------------------------------------------------------------- names and invocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier(Expression):
    """A name, quoted or not; what it refers to is decided by analysis."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Expression):
    """``target.name``: an element, or a definition of an included library."""

    target: Expression
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall(Expression):
    """``name(arguments)``, or ``target.name(arguments)``: a fluent call, or a function of an included library."""

    target: Expression | None
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Expression):
    """``target[index]``."""

    target: Expression
    index: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialIdentifier(Expression):
    """``$this``, ``$index`` or ``$total``; ``name`` is without the dollar sign."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalConstant(Expression):
    """``%name``."""

    name: str


# ---------------------------------------------------------------- operators


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Expression):
    """An operator with its operands, left to right; ``operator`` is its CQL spelling.

    n-ary (a left-associative chain of the same operator is one node with all operands)::

        + - * / div mod & and or xor | union intersect except

    (``|`` is spelt ``union``), binary::

        ^ implies = != ~ !~ < <= > >=

    unary, spelt as here whatever the white space was::

        negate positive not exists
        "is null" "is not null" "is true" "is not true" "is false" "is not false"
        "start of" "end of" predecessor successor "singleton from" "point from" "width of"
        distinct flatten

    """

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Expression):
    """``left in|contains [precision of] right``; ``operator`` is ``in`` or ``contains``."""

    operator: str
    left: Expression
    right: Expression
    precision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Expression):
    """``operand [properly] between low and high``."""

    operand: Expression
    low: Expression
    high: Expression
    properly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedBetween(Expression):
    """``[duration in] days between a and b`` (``kind`` duration) or ``difference in days between a and b``.

    ``precision`` is singular: ``year`` … ``millisecond``.
    """

    kind: str
    precision: str
    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedOf(Expression):
    """``duration in days of interval`` or ``difference in days of interval``."""

    kind: str
    precision: str
    operand: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFrom(Expression):
    """``year from x``; ``component``: a singular precision, ``date``, ``time``, ``timezone`` or ``timezoneoffset``."""

    component: str
    operand: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Expression):
    """``minimum Integer`` or ``maximum Date``; ``kind`` is ``minimum`` or ``maximum``."""

    kind: str
    type: NamedTypeSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeTest(Expression):
    """``operand is Type``."""

    operand: Expression
    type: TypeSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(Expression):
    """``operand as Type``, or ``cast operand as Type`` when ``strict``."""

    operand: Expression
    type: TypeSpecifier
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(Expression):
    """``convert operand to Type`` or ``convert operand to 'unit'``: exactly one of ``type`` and ``unit`` is set."""

    operand: Expression
    type: TypeSpecifier | None
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOperation(Expression):
    """``expand operand [per p]`` or ``collapse operand [per p]``.

    ``per`` is an expression (a quantity), or a :class:`QuantityLiteral` with text ``1`` for ``per day``.
    """

    operator: str
    operand: Expression
    per: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Expression):
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Expression):
    """``case [comparand] when … then … else … end``; items are (when, then)."""

    comparand: Expression | None
    items: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


# ---------------------------------------------------------------- timing phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPhrase(Node):
    """Base of interval operator phrases. ``precision`` is singular or None."""

    precision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrentPhrase(TimingPhrase):
    """``[starts|ends|occurs] same [p] as|or before|or after [start|end]``; ``on or before`` is no such phrase.

    ``left`` / ``right`` select a boundary of an operand: ``start``, ``end`` or None; ``relation`` is ``as``,
    ``or before`` or ``or after``.
    """

    left: str | None
    right: str | None
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionPhrase(TimingPhrase):
    """``includes`` / ``included in`` / ``during`` with ``properly``; ``operator`` is ``includes`` or ``included in``.

    ``left`` applies to the left operand (``starts``, ``ends``, ``occurs`` → ``start``, ``end``, None), ``right`` to
    the right one (``includes start x``).
    """

    operator: str
    properly: bool
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeOrAfterPhrase(TimingPhrase):
    """``[starts|ends|occurs] [quantity offset] [on or] before|after [on or] [p of] [start|end]``.

    ``direction`` is ``before`` or ``after``; ``inclusive`` is true with ``on or`` / ``or on``; ``offset`` is the
    quantity before the direction, with ``offset_relation`` ``exactly``, ``or more``, ``or less``, ``more than``,
    ``less than``.
    """

    direction: str
    inclusive: bool
    left: str | None
    right: str | None
    offset: Expression | None
    offset_relation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinPhrase(TimingPhrase):
    """``[starts|ends|occurs] [properly] within quantity of [start|end]``."""

    properly: bool
    offset: Expression
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetsPhrase(TimingPhrase):
    """``meets [before|after] [p]``; ``direction`` is None, ``before`` or ``after``."""

    direction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapsPhrase(TimingPhrase):
    """``overlaps [before|after] [p]``."""

    direction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsPhrase(TimingPhrase):
    """``starts [p]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndsPhrase(TimingPhrase):
    """``ends [p]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Expression):
    """``left phrase right``."""

    left: Expression
    phrase: TimingPhrase
    right: Expression


# ---------------------------------------------------------------- retrieves and queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieve(Expression):
    """``[context -> Type: path in|~|= terminology]``.

    ``code_path`` is the element written before the comparator, or None; ``comparator`` is ``in``, ``~``, ``=`` or None
    when not written (then analysis decides); ``terminology`` is None for ``[Type]``.
    """

    type: NamedTypeSpecifier
    context: Expression | None
    code_path: str | None
    comparator: str | None
    terminology: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasedSource(Node):
    expression: Expression
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetItem(Node):
    name: str
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship(Node):
    """``with source such that condition`` (``negated`` for ``without``)."""

    source: AliasedSource
    condition: Expression
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnClause(Node):
    """``return [all|distinct] expression``; ``distinct`` is True, as the language has it, unless ``all`` is written."""

    expression: Expression
    distinct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateClause(Node):
    """``aggregate [all|distinct] name [starting expression]: body``; ``distinct`` only when written."""

    name: str
    starting: Expression | None
    expression: Expression
    distinct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SortItem(Node):
    """``expression [asc|desc]``; ``expression`` is None in ``sort asc``; ``descending`` as written, default False."""

    expression: Expression | None
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Expression):
    """``[from] sources let … with … where … return|aggregate … sort …``."""

    sources: tuple[AliasedSource, ...]
    lets: tuple[LetItem, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    where: Expression | None = None
    returns: ReturnClause | None = None
    aggregate: AggregateClause | None = None
    sort: tuple[SortItem, ...] = ()


# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag(Node):
    """``@name: value`` or ``@name`` in the comment before a definition (value is then the empty string)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition(Node):
    """Base of statements that define a name. ``access`` is ``public`` or ``private``; ``name_span`` is the name's."""

    name: str
    name_span: Span
    access: str = "public"
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsingDefinition(Definition):
    """``using FHIR version '4.0.1' [called X]``; ``name`` is the local name, ``model`` the model's."""

    model: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludeDefinition(Definition):
    """``include Namespace.Library version 'v' called X``; ``name`` is the local name, ``library`` the full name."""

    library: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSystemDefinition(Definition):
    id: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSetDefinition(Definition):
    id: str
    version: str | None
    code_systems: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDefinition(Definition):
    """``code "name": 'id' from "System" display 'd'``; ``system`` is an Identifier or Member."""

    id: str
    system: Expression
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptDefinition(Definition):
    codes: tuple[Expression, ...]
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDefinition(Definition):
    type: TypeSpecifier | None
    default: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDefinition(Node):
    """``context Patient``; ``model`` is the qualifier when written (``context FHIR.Patient``)."""

    model: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionDefinition(Definition):
    expression: Expression
    context: str | None = None
    """The context statement in force, None before any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandDefinition(Node):
    name: str
    type: TypeSpecifier


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition(Definition):
    """``define [fluent] function name(operands) [returns T]: body``; ``body`` is None for ``external``."""

    operands: tuple[OperandDefinition, ...]
    returns: TypeSpecifier | None
    body: Expression | None
    fluent: bool
    context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library(Node):
    """One CQL library; ``name`` is None for text without a ``library`` statement."""

    name: str | None
    version: str | None
    tags: tuple[Tag, ...] = ()
    usings: tuple[UsingDefinition, ...] = ()
    includes: tuple[IncludeDefinition, ...] = ()
    code_systems: tuple[CodeSystemDefinition, ...] = ()
    value_sets: tuple[ValueSetDefinition, ...] = ()
    codes: tuple[CodeDefinition, ...] = ()
    concepts: tuple[ConceptDefinition, ...] = ()
    parameters: tuple[ParameterDefinition, ...] = ()
    contexts: tuple[ContextDefinition, ...] = ()
    expressions: tuple[ExpressionDefinition, ...] = ()
    functions: tuple[FunctionDefinition, ...] = ()
    source: str = field(default="", repr=False)
    """The file or name shown in diagnostics."""
    text: str = field(default="", repr=False)
    """The whole source text, for excerpts and hashes."""
