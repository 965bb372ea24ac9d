"""What the language asks of a data model: its classes, elements, conversions and contexts.

The FHIR room fits this protocol by shape; the language itself knows no model but System.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.language.types.datatype import DataType, NamedType


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class of a data model.

    ``elements`` holds the class's own elements and those it inherits; ``code_path`` is the default code element of a
    retrieve; ``subject_path`` the element that refers to the patient, or None outside the patient compartment.
    """

    name: str
    base: DataType | None
    elements: Mapping[str, DataType] = field(default_factory=dict)
    retrievable: bool = False
    code_path: str | None = None
    subject_path: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """An implicit conversion the model declares: ``function`` is qualified, such as ``FHIRHelpers.ToQuantity``."""

    source: DataType
    target: DataType
    function: str


class Model(Protocol):
    """A data model at one version, as the front end and the compiler see it."""

    name: str
    version: str
    conversions: Sequence[Conversion]
    contexts: Sequence[str]
    """Names usable in ``context X`` besides Unfiltered."""

    def class_info(self, name: str) -> ClassInfo | None:
        """The class ``name`` (without the model prefix), or None."""

    def class_names(self) -> Sequence[str]:
        """All class names, for suggestions."""

    def birth_date_path(self) -> str | None:
        """The path of the patient's birth date, such as ``birthDate.value``."""

    def accessor(self, class_name: str, element: str) -> Callable[[Any], Any]:
        """A function from an instance of the class to the element's value (None when missing)."""

    def type_of(self, value: Any) -> NamedType | None:
        """The model type of a run-time value, or None when it is not of this model."""

    def create(self, class_name: str, elements: Mapping[str, Any]) -> Any:
        """An instance made by an instance selector, ``FHIR.Quantity { value: … }``."""

    def children(self, value: Any) -> list[Any]:
        """The values of all elements of a model value, in the order of the class (for Children and Descendants)."""

    def conversion(self, function: str) -> Callable[[Any], Any] | None:
        """A native fast path of a conversion function such as ``FHIRHelpers.ToQuantity``, or None."""
