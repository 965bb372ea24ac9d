"""The types of CQL as small frozen values.

Source: CQL 1.5.3, Appendix B "Types" and "Language Semantics", section "The CQL Type System". A type prints as CQL
writes it: ``List<System.Integer>`` prints ``List<Integer>``, a model type keeps its model name, ``FHIR.Quantity``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


class DataType:
    """Base of all types. Types are compared structurally and may be used as dictionary keys."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NamedType(DataType):
    """A type with a name: a system type (model ``System``) or a class of a data model (model ``FHIR``)."""

    model: str
    name: str

    def __str__(self) -> str:
        return self.name if self.model == "System" else f"{self.model}.{self.name}"

    @property
    def is_system(self) -> bool:
        """True for the types the language itself defines."""
        return self.model == "System"


@dataclass(frozen=True, slots=True)
class StructuredType(DataType):
    """A type made of others, which keeps its size and its hash.

    A tuple of two tuples of two tuples … shares its parts: it is small in memory, and endless for who visits each part
    wherever it stands. ``size`` is the number of types in it as it would be written out.
    """

    size: int = field(init=False, repr=False, compare=False, default=1)
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    @property
    def parts(self) -> tuple[DataType, ...]:
        """The types it is made of."""
        return tuple(_types_in(self._content()))

    def _content(self) -> tuple[object, ...]:
        names: tuple[str, ...] = self.__match_args__
        return tuple(getattr(self, name) for name in names)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(map(size_of, self.parts)))
        object.__setattr__(self, "_hash", hash((type(self).__name__, self._content())))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[StructuredType], tuple[object, ...]]:
        return type(self), self._content()  # the hash of a text is another in each process


def _types_in(content: tuple[object, ...]) -> Iterator[DataType]:
    for item in content:
        if isinstance(item, DataType):
            yield item
        elif isinstance(item, tuple):
            yield from _types_in(item)


def size_of(datatype: DataType) -> int:
    """How many types there are in it, itself among them, as it would be written out."""
    return datatype.size if isinstance(datatype, StructuredType) else 1


@dataclass(frozen=True, slots=True)
class ListType(StructuredType):
    """``List<T>``."""

    element: DataType
    __hash__ = StructuredType.__hash__

    def __str__(self) -> str:
        return f"List<{self.element}>"


@dataclass(frozen=True, slots=True)
class IntervalType(StructuredType):
    """``Interval<T>``; the point type must be ordered with successor and predecessor."""

    point: DataType
    __hash__ = StructuredType.__hash__

    def __str__(self) -> str:
        return f"Interval<{self.point}>"


@dataclass(frozen=True, slots=True)
class TupleType(StructuredType):
    """``Tuple { name Type, … }``; elements are kept sorted by name, so that equal shapes are equal types."""

    elements: tuple[tuple[str, DataType], ...]
    __hash__ = StructuredType.__hash__

    @classmethod
    def of(cls, elements: dict[str, DataType]) -> TupleType:
        """The tuple type with these elements, whatever their order."""
        return cls(tuple(sorted(elements.items())))

    def get(self, name: str) -> DataType | None:
        """The type of element ``name``, or None when the tuple has no such element."""
        return next((t for n, t in self.elements if n == name), None)

    def __str__(self) -> str:
        return "Tuple { " + ", ".join(f"{n} {t}" for n, t in self.elements) + " }"


@dataclass(frozen=True, slots=True)
class ChoiceType(StructuredType):
    """``Choice<A, B, …>``; alternatives are flattened, unique and sorted, so that equal choices are equal types."""

    alternatives: tuple[DataType, ...]
    __hash__ = StructuredType.__hash__

    @classmethod
    def of(cls, alternatives: list[DataType] | tuple[DataType, ...]) -> DataType:
        """The choice of these; one alternative is that type itself; a choice with Any among them is Any."""
        flat: dict[DataType, None] = {}
        for alternative in alternatives:
            inner = alternative.alternatives if isinstance(alternative, ChoiceType) else (alternative,)
            flat.update(dict.fromkeys(inner))
        if ANY in flat:
            return ANY
        if len(flat) == 1:
            return next(iter(flat))
        return cls(tuple(sorted(flat, key=str)))

    def __str__(self) -> str:
        return "Choice<" + ", ".join(str(t) for t in self.alternatives) + ">"


@dataclass(frozen=True, slots=True)
class TypeParameter(DataType):
    """A type variable of a generic signature, such as ``T`` in ``Count(List<T>)``."""

    name: str

    def __str__(self) -> str:
        return self.name


def system(name: str) -> NamedType:
    """The system type ``name``."""
    return NamedType("System", name)


ANY = system("Any")
BOOLEAN = system("Boolean")
INTEGER = system("Integer")
LONG = system("Long")
DECIMAL = system("Decimal")
STRING = system("String")
DATE = system("Date")
DATETIME = system("DateTime")
TIME = system("Time")
QUANTITY = system("Quantity")
RATIO = system("Ratio")
CODE = system("Code")
CONCEPT = system("Concept")
VOCABULARY = system("Vocabulary")
VALUESET = system("ValueSet")
CODESYSTEM = system("CodeSystem")

SYSTEM_TYPES: dict[str, NamedType] = {
    t.name: t
    for t in (
        ANY, BOOLEAN, INTEGER, LONG, DECIMAL, STRING, DATE, DATETIME, TIME, QUANTITY, RATIO, CODE, CONCEPT,
        VOCABULARY, VALUESET, CODESYSTEM,
    )
}  # fmt: skip

SYSTEM_BASES: dict[NamedType, NamedType] = {VALUESET: VOCABULARY, CODESYSTEM: VOCABULARY}

SYSTEM_ELEMENTS: dict[NamedType, dict[str, DataType]] = {
    QUANTITY: {"value": DECIMAL, "unit": STRING},
    RATIO: {"numerator": QUANTITY, "denominator": QUANTITY},
    CODE: {"code": STRING, "system": STRING, "version": STRING, "display": STRING},
    CONCEPT: {"codes": ListType(CODE), "display": STRING},
    VOCABULARY: {"id": STRING, "version": STRING, "name": STRING},
    VALUESET: {"id": STRING, "version": STRING, "name": STRING},
    CODESYSTEM: {"id": STRING, "version": STRING, "name": STRING},
}
"""Elements of the structured system types (Appendix B, "Types")."""

INTERVAL_ELEMENTS = ("low", "high", "lowClosed", "highClosed")

ERROR = NamedType("System", "<error>")
"""The type of an expression that already has a diagnostic: it fits everywhere, so that one mistake is said once."""
