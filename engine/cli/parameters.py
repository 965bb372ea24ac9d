"""Parameters given as CQL literals on the command line or in a job: compiled once, of the type the library declares."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from engine.errors import CompileError, EvaluationError, InputError
from engine.fhir import Element
from engine.fhir.conversions import CALENDAR_UNITS, UCUM
from engine.language import Program
from engine.language.types.datatype import (
    QUANTITY,
    ChoiceType,
    DataType,
    IntervalType,
    ListType,
    NamedType,
    TupleType,
)
from engine.language.values import DateTime, Quantity
from engine.language.values.temporal import CALENDAR_UNITS as CALENDAR_WORDS
from engine.workspace import Workspace

SYSTEM_FORMS: dict[DataType, DataType] = {NamedType("FHIR", "Quantity"): QUANTITY}
"""Types of the data model whose values are given as literals of CQL: ``Quantity`` below ``using FHIR`` is FHIR's."""

SHOWN = 100
"""How many characters of a literal an error shows."""


class ParameterValues:
    """Turns CQL literals into values of the parameters that a program declares, its included libraries' among them."""

    def __init__(self, workspace: Workspace, program: Program, now: DateTime) -> None:
        self.workspace = workspace
        self.now = now
        self.declared: dict[str, DataType] = {}
        for unit in [*program.units.values(), program.units[program.main.key]]:
            self.declared.update({name: definition.type for name, definition in unit.parameters.items()})
        usings = [f"using {u.name} version '{u.version or '4.0.1'}'\n" for u in program.main.usings if u.name == "FHIR"]
        self._header = "".join(usings)
        self._known: dict[tuple[str, str], Any] = {}

    def values(self, literals: Mapping[str, str]) -> dict[str, Any]:
        """The values by name.

        Raises:
            InputError: no library declares the parameter, or the literal is no value of its type; names it.
        """
        return {name: self._value(name, text) for name, text in literals.items()}

    def _value(self, name: str, text: str) -> Any:
        if (name, text) not in self._known:
            self._known[name, text] = self._compute(name, text)
        return self._known[name, text]

    def _compute(self, name: str, text: str) -> Any:
        declared = self.declared.get(name)
        if declared is None:
            raise InputError("parameter", name, f"no library declares a parameter of this name{self._nearest(name)}")
        system = SYSTEM_FORMS.get(declared)
        try:
            if system is None:
                return self._evaluate(name, text, declared)
            try:
                return quantity_element(self._evaluate(name, text, system))
            except CompileError:
                return self._evaluate(name, text, declared)
        except CompileError as problem:
            said = str(problem) if len(text) <= SHOWN else "\n".join(d.message for d in problem.diagnostics)
            raise InputError("parameter", name, f"{shortened(text)} is no value of type {declared}:\n{said}") from None
        except EvaluationError as problem:
            raise InputError("parameter", name, f"{shortened(text)} has no value: {problem}") from None

    def _evaluate(self, name: str, text: str, datatype: DataType) -> Any:
        """The value of the literal as a parameter of that type; CompileError and EvaluationError as they come."""
        library = f'{self._header}parameter "Given" {type_text(datatype)} default\n{text}\ndefine "Result": "Given"\n'
        program = self.workspace.program(self.workspace.translate(library, f"parameter {name}"))
        return self.workspace.evaluate(program, self.workspace.context(self.now)).define("Result")

    def _nearest(self, name: str) -> str:
        close = difflib.get_close_matches(name, sorted(self.declared), n=1)
        if close:
            return f"; did you mean '{close[0]}'?"
        known = ", ".join(f"'{declared}'" for declared in sorted(self.declared))
        return f"; declared are {known}" if known else "; there are none"


def shortened(text: str) -> str:
    """A literal in quotes, cut where it is too long for a sentence."""
    return f"'{text}'" if len(text) <= SHOWN else f"'{text[:SHOWN]}…'"


def quantity_element(quantity: Quantity | None) -> Element | None:
    """The FHIR Quantity of a quantity of CQL, its unit a calendar word or UCUM."""
    if quantity is None:
        return None
    system = CALENDAR_UNITS if quantity.unit in CALENDAR_WORDS else UCUM
    json = {"value": quantity.value, "unit": quantity.unit, "system": system, "code": quantity.unit}
    return Element("Quantity", json)


def type_text(datatype: DataType) -> str:
    """A type as CQL text that reads back as the same type, names quoted."""
    match datatype:
        case ListType(element):
            return f"List<{type_text(element)}>"
        case IntervalType(point):
            return f"Interval<{type_text(point)}>"
        case ChoiceType(alternatives):
            return f"Choice<{', '.join(map(type_text, alternatives))}>"
        case TupleType(elements):
            return "Tuple { " + ", ".join(f'"{name}" {type_text(inner)}' for name, inner in elements) + " }"
        case NamedType(model, name):
            return f'{model}."{name}"'
    return str(datatype)
