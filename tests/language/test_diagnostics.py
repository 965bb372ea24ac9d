"""Wrong CQL and what is said about it: code, line, column, and a part of the sentence."""

from pathlib import Path

import pytest

from engine.errors import Severity
from engine.workspace import Workspace

ROWS: tuple[tuple[str, str, int, int, str], ...] = (
    # names
    ("define A: Bee + 1\ndefine Bea: 2", "unknown-name", 1, 11, "did you mean 'Bea'?"),
    ("define A:\n  Missing", "unknown-name", 2, 3, "'Missing' is not defined"),
    ("define A: $this", "unknown-name", 1, 11, "$this"),
    ("define A: ({ 1 }) X return Y", "unknown-name", 1, 28, "'Y' is not defined"),
    ("define A: Foo(1)", "unknown-function", 1, 11, "no function 'Foo'"),
    ("define A: Lenght('a')", "unknown-function", 1, 11, "did you mean 'Length'?"),
    ("define A: (1).nothing()", "unknown-function", 1, 11, "no fluent function 'nothing'"),
    ("define A: Tuple { a: 1 }.b", "unknown-element", 1, 11, "has no element 'b'"),
    ("define A: (5 'mg').values", "unknown-element", 1, 11, "did you mean 'value'?"),
    ("define A: 1 as Integr", "unknown-type", 1, 16, "did you mean 'Integer'?"),
    ("define A: 1\ndefine A: 2", "duplicate-name", 2, 8, "already defined in line 1"),
    ("parameter A default 1\ndefine A: 2", "duplicate-name", 2, 8, "already defined in line 1"),
    ("define A: from ({ 1 }) X, ({ 2 }) X return 1", "duplicate-name", 1, 27, "two sources named 'X'"),
    ("define function F(x Integer, x String): x", "duplicate-name", 1, 30, "two operands named 'x'"),
    ("define A: Quantity { value: 1.0, value: 2.0 }", "duplicate-name", 1, 34, "the element 'value' is given twice"),
    ("using FHIR version '4.0.1'\nusing FHIR version '4.0.1'", "duplicate-name", 2, 7, "already defined in line 1"),
    # circles
    ("define A: A", "circular-reference", 1, 8, "'A' → 'A'"),
    ("define A: B\ndefine B: A", "circular-reference", 1, 8, "refers to itself"),
    ("define function F(x Integer): F(x)\ndefine A: F(1)", "circular-reference", 1, 17, "'F'"),
    # overloads and types
    ("define A: 1 + 'a'", "no-overload", 1, 11, "'+' is not defined for (Integer, String)"),
    ("define A: 1 and true", "no-overload", 1, 11, "'and'"),
    ("define A: Length(5)", "no-overload", 1, 11, "'Length'"),
    ("define function F(x Integer): x\ndefine A: F('a')", "no-overload", 2, 11, "no function 'F' takes (String)"),
    ("define function F(x Integer, y Decimal): 1\ndefine function F(x Decimal, y Integer): 2\ndefine A: F(1, 1)",
     "ambiguous-call", 3, 11, "fits several functions"),
    ("define A: if 1 then 2 else 3", "type-mismatch", 1, 14, "must be Boolean, not Integer"),
    ("define A: ({ 1 }) X where X + 1", "type-mismatch", 1, 27, "the condition of 'where'"),
    ("define A: 'a' as Integer", "invalid-cast", 1, 11, "a value of type String is never of type Integer"),
    ("define A: convert true to Quantity", "no-conversion", 1, 11, "no conversion from Boolean to Quantity"),
    ("define A: Interval[1, 'a']", "type-mismatch", 1, 23, ""),
    ("define A: ({ true }) X sort asc", "not-ordered", 1, 29, "no order"),
    ("define A: hours between @2024 and @2025", "no-precision", 1, 11, "a Date has no hours"),
    ("define A: hour from @2024-01-01", "no-precision", 1, 11, "a Date has no hours"),
    ("define A: month from @T10:00", "no-precision", 1, 11, "a Time has no months"),
    ("define A: @2024-01-01 + 5", "period-without-unit", 1, 11, "a Date is moved by a period with its unit"),
    ("define A: @2024-1-1", "period-without-unit", 1, 11, "month and day have two digits"),
    ("define A: @T10:00 - 1.5", "period-without-unit", 1, 11, "such as 5 minutes"),
    ("define A: minimum String", "no-overload", 1, 11, "has no minimum"),
    # literals
    ("define A: 5 'mgg'", "invalid-unit", 1, 11, "mgg"),
    ("define A: 99999999999", "number-out-of-range", 1, 11, ""),
    ("define A: @2024-13-01", "invalid-literal", 1, 11, "2024-13"),
    ("define A: @2023-02-29", "invalid-literal", 1, 11, "no day 29"),
    # contexts, models, includes
    ("define A: AgeInYears()", "no-patient", 1, 11, "context Patient"),
    ("define A: [Observation]", "unknown-type", 1, 12, "Observation"),
    ("using FHIR version '4.0.1'\ndefine A: [Observatoin]", "unknown-type", 2, 12, "did you mean 'Observation'?"),
    ("using FHIR version '4.0.1'\ndefine A: [Quantity]", "not-retrievable", 2, 11, "cannot be retrieved"),
    ("using FHIR version '4.0.1'\ncontext Patient\ndefine A: Patient.birthdate",
     "unknown-element", 3, 11, "'birthDate'"),
    ("using FHIR version '4.0.1'\ndefine A: [Observation: colour in { 'a' }]",
     "unknown-element", 2, 11, "no element 'colour'"),
    ("using FHIR version '4.0.1'\ndefine A: [Observation: code in 5]", "type-mismatch", 2, 33, "not by Integer"),
    ("using FHIR version '4.0.1'\ncontext Pateint\ndefine A: 1",
     "unknown-context", 2, 1, "there is no context 'Pateint'; did you mean 'Patient'?"),
    ("include FHIRHelpers version '9'", "unknown-library", 1, 1, "there is another version of it"),
    ("using FIHR version '4.0.1'", "unknown-model", 1, 1, "FIHR"),
    ("using FHIR version '5.0.0'", "unknown-model", 1, 1, "5.0.0"),
    ("include Nowhere", "unknown-library", 1, 1, "Nowhere"),
    ("include Comon version '1'", "unknown-library", 1, 1, "did you mean 'Common'?"),
    ("include Common version '9'", "unknown-library", 1, 1, "Common"),
    ("include Common\ndefine A: Common.Hidden", "private-name", 2, 11, "private to the library 'Common'"),
    ("include Common\ndefine A: Common.Secret(1)", "unknown-function", 2, 11, "is private to the library"),
    ("include Common\ndefine A: Common.Opened", "unknown-name", 2, 11, "did you mean 'Open'?"),
    ("include Common\ndefine A: Common", "library-as-value", 2, 11, "is a library"),
    ("include First", "circular-include", 2, 1, "First"),
    # syntax
    ("define A: (1 + 2", "syntax", 1, 17, ""),
    ("define A 1", "syntax", 1, 10, ""),
)

COMMON = """library Common version '1'
define Open: 1
define private Hidden: 2
define private function Secret(x Integer): x
"""

TRIAL = """library Trial version '1'
using FHIR version '4.0.1'
include Labs version '1' called Labs

context Patient

define "Adult":
  AgeInYears() >= 18

define "I1 adult":
  "Adutl"

define "I2 haemoglobin":
  exists ([Observation] O where O.status)

define "I3 dose":
  5 'mgg' > 3 'mg'
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("cql")
    (folder / "common.cql").write_text(COMMON)
    (folder / "first.cql").write_text("library First\ninclude Second\n")
    (folder / "second.cql").write_text("library Second\ninclude First\n")
    return Workspace([Path(folder)])


@pytest.mark.parametrize(("text", "code", "line", "column", "part"), ROWS, ids=[r[0].replace("\n", " ") for r in ROWS])
def test_a_mistake_is_named_with_its_place(
    workspace: Workspace, text: str, code: str, line: int, column: int, part: str
) -> None:
    errors = [d for d in workspace.translate(text).diagnostics if d.severity is Severity.ERROR]
    assert errors
    found = errors[0]
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column) == (code, line, column)
    assert part in found.message


def test_all_mistakes_of_a_trial_are_said_in_one_run(workspace: Workspace) -> None:
    errors = [d for d in workspace.translate(TRIAL, "trial.cql").diagnostics if d.severity is Severity.ERROR]
    places = {(d.code, d.source, d.span.line if d.span else 0) for d in errors}
    assert places == {
        ("unknown-library", "trial.cql", 3), ("unknown-name", "trial.cql", 11),
        ("type-mismatch", "trial.cql", 14), ("invalid-unit", "trial.cql", 17),
    }  # fmt: skip
    for error in errors:
        shown = error.render().splitlines()
        assert shown[0].startswith("trial.cql:")
        assert "^" in shown[-1]


@pytest.mark.parametrize("before", (0, 50, 150, 5000))
@pytest.mark.parametrize("after", (0, 50, 5000))
def test_of_a_long_line_the_place_is_shown_and_underlined(workspace: Workspace, before: int, after: int) -> None:
    text = "define X: " + "1 + " * before + "Here + 2" + " + 3" * after
    (error,) = workspace.translate(text).diagnostics
    head, line, carets = error.render().splitlines()
    assert "'Here' is not defined" in head
    assert carets.strip() == "^^^^"
    assert line[carets.index("^") :].startswith("Here")
    assert max(len(line), len(carets)) <= 205


def test_a_sentence_that_quotes_a_monster_is_cut(workspace: Workspace) -> None:
    (error,) = workspace.translate('define X: "' + "a" * 100_000 + '"').diagnostics
    assert len(error.render()) < 2000
    assert error.render().splitlines()[0].endswith("is not defined")
