"""Membership and hierarchy of codes (CQL 1.5.3, Appendix B, "Clinical Operators"; ELM, "Clinical Operators").

The terminology answers; a value set or code system that cannot be resolved is a TerminologyError whatever the code, so
that a define fails or holds for all patients alike. A null code is in nothing: that is false. A null value set or code
system makes null, since nobody can say what would be in it.

A Code without a system has no place in a value set or code system, since its elements must agree with a member's: only
a String is looked up by the code alone, and only where one code system is meant.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import EvaluationError, LimitExceeded, TerminologyError
from engine.language.evaluation.context import Context
from engine.language.evaluation.protocols import Terms
from engine.language.operators.registry import operator
from engine.language.values.clinical import Code, CodeSystem, Concept, ValueSet

# -- value sets -------------------------------------------------------------------------------------------------------


@operator("InValueSet(Code, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def code_in_value_set(context: Context, code: Code | None, value_set: ValueSet | None) -> bool | None:
    """True when the value set has a code of that system and code; version and display do not count."""
    return _in_value_set(context, (code,), value_set)


@operator("InValueSet(Concept, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def concept_in_value_set(context: Context, concept: Concept | None, value_set: ValueSet | None) -> bool | None:
    """True when any code of the concept is in the value set."""
    return _in_value_set(context, _codes((concept,)), value_set)


@operator("InValueSet(String, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def string_in_value_set(context: Context, code: str | None, value_set: ValueSet | None) -> bool | None:
    """True when the value set has that code; EvaluationError when its codes come from several code systems."""
    return strings_in_value_set(context, [code], value_set)


@operator("AnyInValueSet(List<Code>, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def codes_in_value_set(context: Context, codes: list[Code | None] | None, value_set: ValueSet | None) -> bool | None:
    """True when any of the codes is in the value set."""
    return _in_value_set(context, codes or (), value_set)


@operator("AnyInValueSet(List<Concept>, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def concepts_in_value_set(
    context: Context, concepts: list[Concept | None] | None, value_set: ValueSet | None
) -> bool | None:
    """True when any code of any of the concepts is in the value set."""
    return _in_value_set(context, _codes(concepts or ()), value_set)


@operator("AnyInValueSet(List<String>, ValueSet) Boolean", reference="in-valueset", nulls="own", context=True)
def strings_in_value_set(context: Context, codes: list[str | None] | None, value_set: ValueSet | None) -> bool | None:
    """True when any of the codes is in the value set; EvaluationError when that has codes of several systems."""
    if value_set is None:
        return None
    expanded = _terms(context, value_set.id).value_set(value_set.id, value_set.version)
    if len(expanded.systems) > 1:
        raise EvaluationError(
            f"a String cannot be looked up in value set {value_set.id}: it has codes of several code systems "
            f"({', '.join(map(str, expanded.systems))}); use a Code, which names its system",
            code="ambiguous-code",
        )
    return any(code is not None and expanded.contains(code, None) for code in codes or ())


@operator("ExpandValueSet(ValueSet) List<Code>", reference="expandvalueset", context=True)
def expand_value_set(context: Context, value_set: ValueSet) -> list[Code]:
    """All codes of the value set; TerminologyError when they cannot be listed."""
    members = _terms(context, value_set.id).codes(value_set.id, value_set.version)
    if len(members) > context.limits.list_size:
        raise LimitExceeded(
            f"value set {value_set.id} has {len(members)} codes, more than the limit of {context.limits.list_size} "
            "elements of a list; ask whether a code is in it instead"
        )
    return [Code(member.code, member.system, member.version, member.display) for member in members]


def _in_value_set(context: Context, codes: Iterable[Code | None], value_set: ValueSet | None) -> bool | None:
    if value_set is None:
        return None
    expanded = _terms(context, value_set.id).value_set(value_set.id, value_set.version)
    return any(expanded.contains(code, system) for code, system in _complete(codes))


# -- code systems -----------------------------------------------------------------------------------------------------


@operator("InCodeSystem(Code, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def code_in_code_system(context: Context, code: Code | None, code_system: CodeSystem | None) -> bool | None:
    """True when the code is of this code system and defined by it."""
    return _in_code_system(context, (code,), code_system)


@operator("InCodeSystem(Concept, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def concept_in_code_system(context: Context, concept: Concept | None, code_system: CodeSystem | None) -> bool | None:
    """True when any code of the concept is in the code system."""
    return _in_code_system(context, _codes((concept,)), code_system)


@operator("InCodeSystem(String, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def string_in_code_system(context: Context, code: str | None, code_system: CodeSystem | None) -> bool | None:
    """True when the code system defines that code."""
    return strings_in_code_system(context, [code], code_system)


@operator("AnyInCodeSystem(List<Code>, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def codes_in_code_system(
    context: Context, codes: list[Code | None] | None, code_system: CodeSystem | None
) -> bool | None:
    """True when any of the codes is in the code system."""
    return _in_code_system(context, codes or (), code_system)


@operator("AnyInCodeSystem(List<Concept>, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def concepts_in_code_system(
    context: Context, concepts: list[Concept | None] | None, code_system: CodeSystem | None
) -> bool | None:
    """True when any code of any of the concepts is in the code system."""
    return _in_code_system(context, _codes(concepts or ()), code_system)


@operator("AnyInCodeSystem(List<String>, CodeSystem) Boolean", reference="in-codesystem", nulls="own", context=True)
def strings_in_code_system(
    context: Context, codes: list[str | None] | None, code_system: CodeSystem | None
) -> bool | None:
    """True when the code system defines any of the codes."""
    if code_system is None:
        return None
    terms = _terms(context, code_system.id)
    return any(
        code is not None and terms.in_code_system(code, code_system.id, code_system.version) for code in codes or ()
    )


def _in_code_system(context: Context, codes: Iterable[Code | None], code_system: CodeSystem | None) -> bool | None:
    if code_system is None:
        return None
    return strings_in_code_system(
        context, [code for code, system in _complete(codes) if system == code_system.id], code_system
    )


# -- hierarchy --------------------------------------------------------------------------------------------------------


@operator("Subsumes(Code, Code) Boolean", reference="subsumes", context=True)
def code_subsumes(context: Context, ancestor: Code, descendant: Code) -> bool | None:
    """True when the codes are the same or the first is above the second in its code system.

    Codes of different systems are not related; a code without its system makes null. Source: ELM, ``Subsumes``.
    """
    if ancestor.code is None or ancestor.system is None or descendant.code is None or descendant.system is None:
        return None
    if ancestor.system != descendant.system:
        return False
    if ancestor.code == descendant.code:
        return True
    return _terms(context, ancestor.system).subsumes(ancestor.system, ancestor.code, descendant.code)


@operator("Subsumes(Concept, Concept) Boolean", reference="subsumes", context=True)
def concept_subsumes(context: Context, ancestor: Concept, descendant: Concept) -> bool | None:
    """True when any code of the first subsumes any of the second; null when a code without a system leaves it open."""
    answers = [code_subsumes(context, above, below) for above in ancestor.codes for below in descendant.codes]
    return True if True in answers else None if None in answers else False


@operator("SubsumedBy(Code, Code) Boolean", reference="subsumedby", context=True)
def code_subsumed_by(context: Context, descendant: Code, ancestor: Code) -> bool | None:
    """True when the codes are the same or the first is below the second. Source: ELM, ``SubsumedBy``."""
    return code_subsumes(context, ancestor, descendant)


@operator("SubsumedBy(Concept, Concept) Boolean", reference="subsumedby", context=True)
def concept_subsumed_by(context: Context, descendant: Concept, ancestor: Concept) -> bool | None:
    """True when any code of the first is subsumed by any code of the second."""
    return concept_subsumes(context, ancestor, descendant)


# -- parts ------------------------------------------------------------------------------------------------------------


def _codes(concepts: Iterable[Concept | None]) -> list[Code | None]:
    return [code for concept in concepts if concept is not None for code in concept.codes]


def _complete(codes: Iterable[Code | None]) -> list[tuple[str, str]]:
    """Code and system of each code that has both."""
    return [(c.code, c.system) for c in codes if c is not None and c.code is not None and c.system is not None]


def _terms(context: Context, url: str) -> Terms:
    if context.terms is None:
        raise TerminologyError(
            f"{url} cannot be resolved: no terminology was given; name a folder of value sets for this run", url=url
        )
    return context.terms
