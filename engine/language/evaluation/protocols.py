"""What evaluation asks of the world: data, terms and units (the fourth, the model, is ``language.types.model``)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol


class Data(Protocol):
    """The record of one patient. Elements are opaque here; the model's accessors read them."""

    def resources(self, type_name: str) -> Sequence[Any]:
        """All resources of the type that are about the subject, in the order of the source."""

    def code_index(
        self, type_name: str, code_path: str, *, everyone: bool = False
    ) -> Mapping[tuple[str | None, str], Sequence[int]]:
        """(system, code) → positions in ``resources(type_name)`` of those whose element at ``code_path`` holds it.

        With ``everyone`` the positions are those in ``all_resources(type_name)``.
        """

    def of(self, person: Any) -> Data:
        """The record of a related person (a Patient or RelatedPerson element), for the related-context retrieve."""

    def all_resources(self, type_name: str) -> Sequence[Any]:
        """All resources of the type, whoever they are about: the Unfiltered context."""

    @property
    def subject(self) -> Any:
        """The Patient element of the subject."""


class ExpandedValueSet(Protocol):
    """The codes of a value set."""

    @property
    def systems(self) -> Sequence[str | None]:
        """The code systems its codes come from; a String can only be looked up where there is just one."""

    def contains(self, code: str, system: str | None) -> bool:
        """True when the code is a member; with ``system`` None the code of any system counts."""


class Terms(Protocol):
    """Terminology: raises TerminologyError for what cannot be resolved, never answers with an empty set."""

    def value_set(self, url: str, version: str | None = None) -> ExpandedValueSet:
        """The value set of that canonical URL."""

    def in_code_system(self, code: str, url: str, version: str | None = None) -> bool:
        """True when the code system defines the code."""

    def subsumes(self, system: str, ancestor: str, descendant: str) -> bool:
        """True when ``ancestor`` is the same as or an ancestor of ``descendant``."""

    def codes(self, url: str, version: str | None = None) -> Sequence[Any]:
        """The enumerated codes of a value set: objects with code, system, version and display."""


class UnitSystem(Protocol):
    """Exact UCUM arithmetic; an invalid unit raises ValueError with the unit in its text."""

    def valid(self, unit: str) -> bool:
        """True for well-formed UCUM."""

    def compare(self, left: Decimal, left_unit: str, right: Decimal, right_unit: str) -> int | None:
        """-1, 0 or 1 decided exactly; None when the units are not commensurable."""

    def convert(self, value: Decimal, source: str, target: str) -> Decimal | None:
        """The value in ``target``; None when the units are not commensurable."""

    def commensurable(self, left: str, right: str) -> bool:
        """True when a conversion exists."""

    def base(self, value: Decimal, unit: str) -> Hashable:
        """The same for equal quantities in whatever units, and for no others."""

    def multiply(self, left: str, right: str) -> str:
        """The unit of a product."""

    def divide(self, left: str, right: str) -> str:
        """The unit of a quotient."""
