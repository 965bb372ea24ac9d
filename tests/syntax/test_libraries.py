"""Library text → definitions, and the tags of the comments before them."""

import pytest

from engine.language.syntax import parse_library, tree


def parsed(text: str) -> tree.Library:
    library, diagnostics = parse_library(text, "t.cql")
    assert library is not None, [found.render() for found in diagnostics]
    return library


LIBRARY = """
library A.B.Test version '1.0'
using FHIR version '4.0.1'
include Common.Helpers version '2' called H
include Other
codesystem "LOINC": 'http://loinc.org' version '2.7'
private valueset "VS": 'http://vs' version '1' codesystems { "LOINC", H."SNOMED" }
code "C": '1-2' from "LOINC" display 'c'
concept "CC": { "C", H."D" } display 'cc'
parameter P Interval<DateTime> default Interval[@2020, @2021]
parameter Q
context FHIR.Patient
define private "One": 1
context Unfiltered
define Two: "One" + 1
define function f(a Integer, code List<Choice<String, FHIR.code>>) returns Tuple { x Integer }: { x: a }
define public fluent function when(a Any): a
define function g(): external
"""


def test_the_definitions_of_a_library() -> None:
    library = parsed(LIBRARY)
    assert (library.name, library.version, library.source, library.text) == ("A.B.Test", "1.0", "t.cql", LIBRARY)
    assert [(u.name, u.model, u.version) for u in library.usings] == [("FHIR", "FHIR", "4.0.1")]
    includes = [(i.name, i.library, i.version) for i in library.includes]
    assert includes == [("H", "Common.Helpers", "2"), ("Other", "Other", None)]
    assert [(s.name, s.id, s.version, s.access) for s in library.code_systems] == [
        ("LOINC", "http://loinc.org", "2.7", "public")
    ]
    (values,) = library.value_sets
    assert (values.name, values.id, values.version, values.access) == ("VS", "http://vs", "1", "private")
    assert isinstance(values.code_systems[1], tree.Member)
    (code,) = library.codes
    assert (code.id, code.display, code.system) == ("1-2", "c", tree.Identifier(name="LOINC", span=code.system.span))
    assert [(c.name, len(c.codes), c.display) for c in library.concepts] == [("CC", 2, "cc")]
    first, second = library.parameters
    assert isinstance(first.type, tree.IntervalTypeSpecifier)
    assert isinstance(first.default, tree.IntervalSelector)
    assert (second.name, second.type, second.default) == ("Q", None, None)
    assert [(c.model, c.name) for c in library.contexts] == [("FHIR", "Patient"), (None, "Unfiltered")]
    assert [(e.name, e.access, e.context) for e in library.expressions] == [
        ("One", "private", "Patient"),
        ("Two", "public", "Unfiltered"),
    ]


def test_the_functions_of_a_library() -> None:
    f, when, g = parsed(LIBRARY).functions
    assert ([o.name for o in f.operands], f.fluent) == (["a", "code"], False)
    assert isinstance(f.operands[1].type, tree.ListTypeSpecifier)
    assert isinstance(f.operands[1].type.element, tree.ChoiceTypeSpecifier)
    assert isinstance(f.returns, tree.TupleTypeSpecifier)
    assert (when.name, when.fluent, when.body is None) == ("when", True, False)
    assert (g.operands, g.body) == ((), None)


def test_places_of_definitions() -> None:
    library = parsed('library L\ndefine "A b":\n  1')
    (definition,) = library.expressions
    assert (definition.span.locator, definition.name_span.locator) == ("2:1-3:3", "2:8-2:12")
    assert library.span.locator == "1:1-3:3"


def test_an_empty_library() -> None:
    library = parsed("// nothing\n")
    assert (library.name, library.expressions) == (None, ())


def tags(text: str) -> list[tuple[str, str]]:
    return [(tag.name, tag.value) for tag in parsed(text).expressions[0].tags]


@pytest.mark.parametrize(
    ("comment", "expected"),
    (
        ("/* @a: b */", [("a", "b")]),
        ("/*\n@a: b\n@c: d e\n*/", [("a", "b"), ("c", "d e")]),
        ("/* @a: b @c: d */", [("a", "b"), ("c", "d")]),
        ("/*\n@text: one\n   two, three\n*/", [("text", "one\ntwo, three")]),
        ("/*\n@inclusion\n@text: ECOG < 2\n*/", [("inclusion", ""), ("text", "ECOG < 2")]),
        ("/*\n@exclusion\nfree text\n@a: b */", [("exclusion", ""), ("a", "b")]),
        ("/**\n * @a: b\n *   c\n * @d: e\n */", [("a", "b\nc"), ("d", "e")]),
        ("/*\r\n@a: b\r\n@c\r\n*/", [("a", "b"), ("c", "")]),
        ("/* @a:b:c */", [("a", "b:c")]),
        ("/* @a: */", [("a", "")]),
        ("/* free text @a: b */", [("a", "b")]),
        ("/* mail x@a: b */", []),
        ("/* see @a here */", []),
        ("/* @1a: b */", []),
        ("// @a: b", []),
        ("/* @a: b */ /* @c: d */", [("a", "b"), ("c", "d")]),
        ("/* @a: b */\n// note\n\n/* @c: d */", [("a", "b"), ("c", "d")]),
        ("/* @a: 'x' \"y\" */", [("a", "'x' \"y\"")]),
    ),
)
def test_tags(comment: str, expected: list[tuple[str, str]]) -> None:
    assert tags(f"library T\n{comment}\ndefine A: 1") == expected


def test_a_comment_on_the_line_before_belongs_to_that_line() -> None:
    library = parsed("library T\ndefine A: 1 /* @a: remark */\n/* @b: mine */\ndefine B: 2 /* @c: d */")
    assert [[tag.name for tag in definition.tags] for definition in library.expressions] == [[], ["b"]]


def test_the_tags_of_a_library() -> None:
    assert [tag.name for tag in parsed("/* @trial: X */\nlibrary T\n/* @a: b */\nusing FHIR").tags] == ["trial"]
    assert [tag.name for tag in parsed("/* @trial: X */\nusing FHIR").tags] == ["trial"]


def test_the_place_of_a_tag() -> None:
    (first, second) = parsed("library T\n  /* @a: b\n    @cd: e */\ndefine A: 1").expressions[0].tags
    assert (first.span.locator, second.span.locator) == ("2:6-2:8", "3:5-3:8")


@pytest.mark.parametrize(
    "text",
    (
        "define A: B b\ndefine C: 1",
        "parameter A\nparameter B Integer\ndefine C: 1",
        "parameter A default 1\ncontext Patient\ndefine define1: 1",
        'define "A": x.code\ncontext Patient\ndefine B: 1',
    ),
)
def test_where_one_definition_ends(text: str) -> None:
    parsed(text)
