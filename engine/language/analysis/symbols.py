"""What a translated library offers to the libraries that include it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.language.elm import nodes as elm
from engine.language.types.datatype import CODE, CODESYSTEM, CONCEPT, VALUESET


@dataclass(slots=True)
class Symbols:
    """The definitions of a library by name; functions by name in the order of the source."""

    library: elm.Library
    definitions: dict[str, elm.Def] = field(default_factory=dict)
    functions: dict[str, list[elm.FunctionDef]] = field(default_factory=dict)

    @classmethod
    def of(cls, library: elm.Library) -> Symbols:
        """The symbols of a finished library."""
        made = cls(library)
        groups: tuple[tuple[elm.Def, ...], ...] = (
            library.code_systems, library.value_sets, library.codes, library.concepts, library.parameters,
            library.expressions,
        )  # fmt: skip
        for group in groups:
            made.definitions.update({d.name: d for d in group})
        for function in library.functions:
            made.functions.setdefault(function.name, []).append(function)
        return made


def reference(definition: elm.Def, library: str | None) -> elm.Expression | None:
    """The ELM reference to a definition, or None for one that cannot be referred to by name."""
    name = definition.name
    match definition:
        case elm.ExpressionDef():
            return elm.ExpressionRef(name=name, library=library, result_type=definition.expression.result_type)
        case elm.ParameterDef():
            return elm.ParameterRef(name=name, library=library, result_type=definition.type)
        case elm.ValueSetDef():
            return elm.ValueSetRef(name=name, library=library, result_type=VALUESET)
        case elm.CodeSystemDef():
            return elm.CodeSystemRef(name=name, library=library, result_type=CODESYSTEM)
        case elm.CodeDef():
            return elm.CodeRef(name=name, library=library, result_type=CODE)
        case elm.ConceptDef():
            return elm.ConceptRef(name=name, library=library, result_type=CONCEPT)
    return None
