"""Membership and hierarchy of codes (Appendix B, "Clinical Operators"), over a small terminology."""

import pytest

from engine.errors import EvaluationError, LimitExceeded, TerminologyError
from engine.language.evaluation.context import Context, Limits
from engine.language.operators import TABLE
from engine.language.types.datatype import CODESYSTEM, VALUESET, ListType, system
from engine.language.values import Code, CodeSystem, Concept, DateTime, ValueSet
from engine.terminology.units import Units

NOW = DateTime(2020, 1, 1, 12, 0, 0, 0, 0)
S, T = "http://s", "http://t"


class Members:
    def __init__(self, *codes):
        self.members = codes
        self.systems = tuple(dict.fromkeys(code.system for code in codes))

    def contains(self, code, system):
        return any(m.code == code and system in (None, m.system) for m in self.members)


class SmallTerms:
    """Two value sets and a code system in which a is above b."""

    def __init__(self):
        self.sets = {"vs": Members(Code("a", S), Code("b", S)), "mixed": Members(Code("a", S), Code("x", T))}

    def value_set(self, url, version=None):
        if url not in self.sets:
            raise TerminologyError(f"value set {url} is not loaded", url=url)
        return self.sets[url]

    def codes(self, url, version=None):
        return self.value_set(url, version).members

    def in_code_system(self, code, url, version=None):
        if url != S:
            raise TerminologyError(f"code system {url} is not loaded", url=url)
        return code in ("a", "b")

    def subsumes(self, system, ancestor, descendant):
        return ancestor == descendant or (ancestor, descendant) == ("a", "b")


CONTEXT = Context(now=NOW, units=Units(), terms=SmallTerms())
VS, MIXED, UNKNOWN, SYSTEM = ValueSet("vs"), ValueSet("mixed"), ValueSet("unknown"), CodeSystem(S)


def ask(name, element, subject, vocabulary, context=CONTEXT, many=False):
    """Calls ``name`` for a subject of the system type ``element``, or a list of it, as the compiler does."""
    first = ListType(system(element)) if many else system(element)
    second = CODESYSTEM if name.endswith("System") else VALUESET
    return TABLE.exact(name, (first, second)).function(context, subject, vocabulary)


MEMBERSHIP = [
    ("Code", Code("a", S), True),
    ("Code", Code("a", S, "2.0", "any display"), True),
    ("Code", Code("z", S), False),
    ("Code", Code("a", T), False),
    ("Code", Code("a"), False),
    ("Code", Code(None, S), False),
    ("Code", None, False),
    ("String", "a", True),
    ("String", "z", False),
    ("String", None, False),
    ("Concept", Concept((Code("z", S), Code("b", S))), True),
    ("Concept", Concept((Code("z", S), Code("b", T))), False),
    ("Concept", Concept(()), False),
    ("Concept", None, False),
]


@pytest.mark.parametrize(("element", "subject", "answer"), MEMBERSHIP)
@pytest.mark.parametrize(("name", "vocabulary"), (("InValueSet", VS), ("InCodeSystem", SYSTEM)))
def test_membership(name, vocabulary, element, subject, answer):
    """If the code argument is null, the result is false."""
    assert ask(name, element, subject, vocabulary) is answer


@pytest.mark.parametrize(
    ("element", "subject", "answer"),
    (
        ("Code", [Code("z", S), None, Code("b", S)], True),
        ("Code", [Code("z", S), None], False),
        ("Code", [], False),
        ("Code", None, False),
        ("Concept", [Concept((Code("z", S),)), Concept((Code("b", S),))], True),
        ("Concept", [None], False),
        ("String", ["z", "a"], True),
        ("String", [None, "z"], False),
        ("String", None, False),
    ),
)
@pytest.mark.parametrize(("name", "vocabulary"), (("AnyInValueSet", VS), ("AnyInCodeSystem", SYSTEM)))
def test_any_of_a_list(name, vocabulary, element, subject, answer):
    assert ask(name, element, subject, vocabulary, many=True) is answer


ALL = [
    (prefix + kind, element, prefix == "AnyIn")
    for prefix in ("In", "AnyIn")
    for kind in ("ValueSet", "CodeSystem")
    for element in ("Code", "Concept", "String")
]


@pytest.mark.parametrize(("name", "element", "many"), ALL)
def test_a_null_vocabulary_makes_null(name, element, many):
    assert ask(name, element, None, None, many=many) is None


@pytest.mark.parametrize(("name", "element", "many"), [row for row in ALL if row[0].endswith("ValueSet")])
def test_a_value_set_that_is_not_there_is_an_error_even_for_null(name, element, many):
    """If the value set reference cannot be resolved, a run-time error is thrown."""
    with pytest.raises(TerminologyError, match="unknown"):
        ask(name, element, None, UNKNOWN, many=many)


def test_a_code_system_that_is_not_there_is_an_error():
    with pytest.raises(TerminologyError, match="http://t"):
        ask("InCodeSystem", "Code", Code("x", T), CodeSystem(T))


def test_a_string_is_ambiguous_where_there_are_several_code_systems():
    """A run-time error is thrown because the operation is ambiguous."""
    with pytest.raises(EvaluationError, match="several code systems"):
        ask("InValueSet", "String", "a", MIXED)
    assert ask("InValueSet", "Code", Code("x", T), MIXED) is True


def test_without_terminology():
    with pytest.raises(TerminologyError, match="no terminology"):
        ask("InValueSet", "Code", Code("a", S), VS, context=Context(now=NOW, units=Units()))


def test_expand_value_set():
    expand = TABLE.overloads("ExpandValueSet")[0].function
    assert expand(CONTEXT, MIXED) == [Code("a", S), Code("x", T)]
    with pytest.raises(LimitExceeded, match="mixed"):
        expand(Context(now=NOW, units=Units(), terms=SmallTerms(), limits=Limits(list_size=1)), MIXED)


A, B = Code("a", S), Code("b", S)


@pytest.mark.parametrize(
    ("above", "below", "answer"),
    (
        (A, B, True),
        (B, A, False),
        (A, A, True),
        (A, Code("b", T), False),
        (Code("a"), B, None),
        (A, Code(None, S), None),
        (Concept((Code("z", S), A)), Concept((B,)), True),
        (Concept((B,)), Concept((A,)), False),
        (Concept((Code("a"), B)), Concept((A,)), None),
        (Concept(()), Concept((A,)), False),
    ),
)
def test_subsumption(above, below, answer):
    kind = system(type(above).__name__)
    assert TABLE.exact("Subsumes", (kind, kind)).function(CONTEXT, above, below) is answer
    assert TABLE.exact("SubsumedBy", (kind, kind)).function(CONTEXT, below, above) is answer
