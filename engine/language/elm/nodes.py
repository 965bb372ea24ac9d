"""ELM: the typed form between analysis and evaluation, with the names and shapes of the standard.

An operator (``Add``, ``Less``, ``IncludedIn`` …) is one :class:`Operator` node whose ``name`` is ELM's; everything with
a shape of its own has a class of its own. Every expression knows its ``result_type`` and, where it was written by a
person, its ``span``. ``signature`` names the overload that analysis bound, so that a reader of ELM JSON binds the same.
Source: CQL 1.5.3, "Logical Specification".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.errors import Span
from engine.language.types.datatype import DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Base of ELM expressions."""

    result_type: DataType
    span: Span | None = None


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Expression):
    """A constant of a system type; ``value`` is the run-time value itself."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Null(Expression):
    """``null``; its type is Any until a cast gives it one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Expression):
    low: Expression
    high: Expression
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class List(Expression):
    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuple(Expression):
    elements: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Expression):
    """An instance of a model class or structured system type; the class is the result type."""

    elements: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Expression):
    """``Code '…' from "System"``."""

    code: str
    system: CodeSystemRef
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept(Expression):
    codes: tuple[Code, ...]
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(Expression):
    numerator: Expression
    denominator: Expression


# ---------------------------------------------------------------- references


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionRef(Expression):
    """A define; ``library`` is the local alias of an included library or None."""

    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRef(Expression):
    """A call of a function definition; ``signature`` are the operand types of the definition bound."""

    name: str
    operands: tuple[Expression, ...]
    signature: tuple[DataType, ...]
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRef(Expression):
    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSetRef(Expression):
    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSystemRef(Expression):
    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRef(Expression):
    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptRef(Expression):
    name: str
    library: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandRef(Expression):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRef(Expression):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLetRef(Expression):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration(Expression):
    """``$this`` (``name`` this), ``$index`` or ``$total``."""

    name: str


# ---------------------------------------------------------------- operators and control


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Expression):
    """An operator of the table, or one with lazy operands (And, Or, Implies, Coalesce), n-ary where associative."""

    name: str
    operands: tuple[Expression, ...]
    signature: tuple[DataType, ...]
    precision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Expression):
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Expression):
    """``comparand`` None: each ``when`` is a condition; else it is compared with ``equal`` (an overload signature)."""

    comparand: Expression | None
    items: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    signature: tuple[DataType, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Is(Expression):
    operand: Expression
    type: DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class As(Expression):
    """A cast to the result type; ``strict`` makes a failing one an error, otherwise null."""

    operand: Expression
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MinMaxValue(Expression):
    """``minimum T`` (``name`` MinValue) or ``maximum T`` (MaxValue) of the result type."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Property(Expression):
    source: Expression
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertElements(Expression):
    """The operand's elements (a list) or boundaries (an interval) each converted by ``conversion`` of ``$this``."""

    operand: Expression
    conversion: Expression


# ---------------------------------------------------------------- retrieve and query


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieve(Expression):
    """``[Type: path in codes]``.

    ``data_type`` is the class name without the model; ``code_property`` the element compared; ``comparator`` is ``in``
    (a value set or list), ``~`` or ``=``; ``codes`` is None for all of the type; ``person`` is the expression of a
    related context; ``context`` is ``Patient`` or ``Unfiltered``.
    """

    model: str
    data_type: str
    code_property: str | None
    comparator: str | None
    codes: Expression | None
    person: Expression | None
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasedQuerySource:
    """``expression alias``; ``plural`` tells whether it iterates over a list."""

    alias: str
    expression: Expression
    plural: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipClause:
    """``with``, or ``without`` when ``negated``."""

    source: AliasedQuerySource
    such_that: Expression
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetClause:
    identifier: str
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateClause:
    identifier: str
    starting: Expression
    expression: Expression
    distinct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SortByItem:
    """``expression`` is None for the element itself; inside it ``$this`` is the element."""

    descending: bool
    expression: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Expression):
    sources: tuple[AliasedQuerySource, ...]
    lets: tuple[LetClause, ...] = ()
    relationships: tuple[RelationshipClause, ...] = ()
    where: Expression | None = None
    returns: Expression | None = None
    distinct: bool = False
    aggregate: AggregateClause | None = None
    sort: tuple[SortByItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Expression):
    """``element`` of every element of the source (``$this``), then of what that gave, until it gives nothing new."""

    source: Expression
    element: Expression


# ---------------------------------------------------------------- library


@dataclass(frozen=True, slots=True, kw_only=True)
class Def:
    """Base of definitions: ``tags`` are the comment tags as (name, value) in the order written."""

    name: str
    access: str = "public"
    tags: tuple[tuple[str, str], ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsingDef(Def):
    """``name`` is the local name, ``uri`` the model's name."""

    uri: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludeDef(Def):
    """``name`` is the local alias; ``path`` and ``version`` identify the library that was bound."""

    path: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSystemDef(Def):
    id: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSetDef(Def):
    id: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDef(Def):
    id: str
    system: CodeSystemRef
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptDef(Def):
    codes: tuple[CodeRef, ...]
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDef(Def):
    type: DataType
    default: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionDef(Def):
    expression: Expression
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandDef:
    name: str
    type: DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDef(Def):
    """``expression`` is None for an external function."""

    operands: tuple[OperandDef, ...]
    expression: Expression | None
    result_type: DataType
    fluent: bool
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One translated library; definitions keep the order of the source."""

    name: str
    version: str | None
    tags: tuple[tuple[str, str], ...] = ()
    usings: tuple[UsingDef, ...] = ()
    includes: tuple[IncludeDef, ...] = ()
    code_systems: tuple[CodeSystemDef, ...] = ()
    value_sets: tuple[ValueSetDef, ...] = ()
    codes: tuple[CodeDef, ...] = ()
    concepts: tuple[ConceptDef, ...] = ()
    parameters: tuple[ParameterDef, ...] = ()
    expressions: tuple[ExpressionDef, ...] = ()
    functions: tuple[FunctionDef, ...] = ()
    source: str = field(default="", compare=False)
    hash: str = ""
    """sha256 of the source text."""

    @property
    def key(self) -> str:
        """``Name|version``, as canonical references write it."""
        return self.name if self.version is None else f"{self.name}|{self.version}"
