"""The HL7 CQL test suite: reading its XML files, and judging what the engine answers.

A file holds groups of tests; a test has an expression and either an output, written as a CQL expression, or the mark
``invalid`` (``true``, or the phase in which it has to be refused). The schema is that of the suite, ``testSchema.xsd``
of cqframework/cql-tests.

Judging is strict: types, digits of decimals (trailing zeros apart) and precisions of dates have to be the same. Three
things are the same in CQL though written differently, and count as such: an Integer expected where the result is a
Decimal (the implicit conversion of Language Semantics), an uncertainty that the suite writes as an interval, and one
instant in two time zone offsets.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from engine.cli.evaluate import evaluate_text
from engine.errors import CompileError, EligibilityError, InputError
from engine.language.values import DateTime
from engine.language.values.json import to_canonical
from engine.workspace import Workspace

LANGUAGE_VERSION = (1, 5)
PHASES = ("syntax", "semantic", "execution")
Status = Literal["pass", "fail", "error", "skip"]


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """One test. ``invalid`` is None, ``"true"`` or a phase; ``version_to`` the last CQL version that has the test."""

    file: str
    group: str
    name: str
    expression: str | None
    invalid: str | None
    outputs: tuple[str, ...]
    version_to: str | None
    repeated: int = 1

    @property
    def id(self) -> str:
        """``File/group/name``, with ``#2`` for the second of that name."""
        return f"{self.file}/{self.group}/{self.name}" + (f"#{self.repeated}" if self.repeated > 1 else "")

    @property
    def skip_reason(self) -> str | None:
        """Why the test cannot be judged, or None."""
        if self.expression is None:
            return "it has no expression"
        if self.invalid is None and not self.outputs:
            return "it has no output"
        if self.version_to is not None and _version(self.version_to) < LANGUAGE_VERSION:
            return f"it ended with CQL {self.version_to}"
        return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test; ``got`` is the answer as text, or the error, or the reason for skipping."""

    test: SuiteTest
    status: Status
    expected: str
    got: str


# ---------------------------------------------------------------- reading


def read_suite(folder: Path) -> list[SuiteTest]:
    """The tests of all XML files of a folder (or of one file), in the order of file names.

    Raises:
        InputError: there is no such folder, it holds no suite file, or a file is no XML; names it.
    """
    if not folder.exists():
        raise InputError(str(folder), "", "there is no such folder")
    files = sorted(folder.glob("*.xml")) if folder.is_dir() else [folder]
    if not files:
        raise InputError(str(folder), "", "the folder holds no XML file of the HL7 CQL test suite")
    found: list[SuiteTest] = []
    seen: dict[str, int] = {}
    for path in files:
        for test in _read_file(path):
            seen[test.id] = count = seen.get(test.id, 0) + 1
            found.append(test if count == 1 else _again(test, count))
    return found


def _again(test: SuiteTest, count: int) -> SuiteTest:
    values = (test.file, test.group, test.name, test.expression, test.invalid, test.outputs, test.version_to)
    return SuiteTest(*values, repeated=count)


def _read_file(path: Path) -> Iterator[SuiteTest]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as problem:
        raise InputError(str(path), "", f"the file is no XML: {problem}") from None
    except OSError as problem:
        raise InputError(str(path), "", f"the file cannot be read: {problem.strerror}") from None
    if _tag(root) != "tests":
        raise InputError(str(path), "", f"the file is no test suite: it begins with <{_tag(root)}>, not <tests>")
    for group in root:
        if _tag(group) == "group":
            yield from (_read_test(path.stem, group, node) for node in group if _tag(node) == "test")


def _read_test(file: str, group: ElementTree.Element, node: ElementTree.Element) -> SuiteTest:
    expression = next((child for child in node if _tag(child) == "expression"), None)
    invalid = None if expression is None else expression.get("invalid")
    outputs = tuple((child.text or "").strip() for child in node if _tag(child) == "output")
    return SuiteTest(
        file, group.get("name") or "", node.get("name") or "",
        None if expression is None else (expression.text or "").strip(),
        None if invalid == "false" else invalid, outputs, node.get("versionTo"),
    )  # fmt: skip


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rsplit("}", 1)[-1]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))


# ---------------------------------------------------------------- judging


def run_suite(tests: Sequence[SuiteTest], now: DateTime) -> Iterator[Outcome]:
    """The outcome of each test, in order."""
    # The suite writes one expected Concept with a lone code for its list of codes: outputs are read with promotion.
    workspace, reading = Workspace(), Workspace(list_promotion=True)
    for test in tests:
        yield judge(test, workspace, reading, now)


def judge(test: SuiteTest, workspace: Workspace, reading: Workspace, now: DateTime) -> Outcome:
    """Evaluates a test in ``workspace`` and compares the answer with what it expects, read in ``reading``."""
    expected = " ".join(" or ".join(test.outputs).split())
    reason = test.skip_reason
    if reason is not None or test.expression is None:
        return Outcome(test, "skip", expected, reason or "")
    answer, phase = _answer(test.expression, workspace, now)
    if test.invalid is not None:
        return _judge_invalid(test, answer, phase)
    if phase is not None:
        return Outcome(test, "error", expected, f"{phase} error: {answer}")
    wanted = [_answer(output, reading, now) for output in test.outputs]
    unreadable = [text for text, problem in wanted if problem is not None]
    if unreadable:
        return Outcome(test, "error", expected, f"the expected output is no CQL of ours: {unreadable[0]}")
    passed = any(same(value, answer) for value, _ in wanted)
    return Outcome(test, "pass" if passed else "fail", expected, shown(answer))


def _judge_invalid(test: SuiteTest, answer: Any, phase: str | None) -> Outcome:
    expected = f"a {test.invalid} error" if test.invalid in PHASES else "an error"
    if phase is None:
        return Outcome(test, "fail", expected, shown(answer))
    right = test.invalid not in PHASES or test.invalid == phase
    return Outcome(test, "pass" if right else "fail", expected, f"{phase} error: {answer}")


def _answer(text: str, workspace: Workspace, now: DateTime) -> tuple[Any, str | None]:
    """The canonical JSON of an expression and None, or the sentence of its error and the phase."""
    try:
        value, datatype = evaluate_text(workspace, text, now, None)
        return to_canonical(value, datatype), None
    except CompileError as problem:
        return problem.diagnostics[0].render().splitlines()[0], problem.phase
    except EligibilityError as problem:
        return str(problem), "execution"
    except Exception as defect:  # noqa: BLE001 - a defect of the engine fails its test, and says so
        return f"{type(defect).__name__}: {defect}", "internal"


def evaluated(text: str, workspace: Workspace, now: DateTime) -> tuple[str, str | None]:
    """The value of an expression as CQL and None, or the sentence of its error and the phase."""
    value, phase = _answer(text, workspace, now)
    return (shown(value) if phase is None else value), phase


def same(expected: Any, got: Any) -> bool:
    """True when two canonical values are the same value of CQL; see the module's text for the three allowances."""
    if expected is None or got is None:
        return expected is None and got is None
    kinds = (expected["type"], got["type"])
    if kinds in (("Integer", "Decimal"), ("Decimal", "Decimal")):
        return Decimal(expected["value"]) == Decimal(got["value"])
    if kinds == ("Interval", "Uncertainty"):
        closed = expected["lowClosed"] and expected["highClosed"]
        return closed and same(expected["low"], got["low"]) and same(expected["high"], got["high"])
    if kinds[0] != kinds[1]:
        return False
    match kinds[0]:
        case "DateTime":
            return _instant(expected["value"]) == _instant(got["value"])
        case "Quantity":
            return bool(expected["unit"] == got["unit"]) and Decimal(expected["value"]) == Decimal(got["value"])
        case "List":
            pairs = list(zip(expected["elements"], got["elements"], strict=False))
            return len(expected["elements"]) == len(got["elements"]) and all(same(a, b) for a, b in pairs)
        case "Tuple":
            names = expected["elements"].keys() | got["elements"].keys()
            return all(same(expected["elements"].get(n), got["elements"].get(n)) for n in names)
    return expected.keys() == got.keys() and all(_same_part(expected[name], got[name]) for name in expected)


def _same_part(expected: Any, got: Any) -> bool:
    if isinstance(expected, dict) and isinstance(got, dict):
        return same(expected, got)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(_same_part, expected, got))
    return bool(expected == got)


def _instant(text: str) -> DateTime:
    value = DateTime.parse(text)
    return value.normalised(0)


# ---------------------------------------------------------------- showing

_PREFIX = {"Date": "@", "DateTime": "@", "Time": "@T"}


def shown(value: Any) -> str:
    """A canonical value as one reads it in CQL."""
    if value is None:
        return "null"
    match value["type"]:
        case "Boolean":
            return "true" if value["value"] else "false"
        case "String":
            return _quoted(value["value"])
        case "Long":
            return f"{value['value']}L"
        case "Date" | "Time" as kind:
            return f"{_PREFIX[kind]}{value['value']}"
        case "DateTime":
            return f"@{value['value']}" if "T" in value["value"] else f"@{value['value']}T"
        case "Quantity":
            return f"{value['value']} '{value['unit']}'"
        case "Ratio":
            return f"{shown(value['numerator'])} : {shown(value['denominator'])}"
        case "Interval":
            low, high = "[" if value["lowClosed"] else "(", "]" if value["highClosed"] else ")"
            return f"Interval{low}{shown(value['low'])}, {shown(value['high'])}{high}"
        case "Uncertainty":
            return f"uncertain between {shown(value['low'])} and {shown(value['high'])}"
        case "List":
            return "{" + ", ".join(shown(item) for item in value["elements"]) + "}"
        case "Tuple":
            return "Tuple {" + ", ".join(f"{n}: {shown(item)}" for n, item in value["elements"].items()) + "}"
        case "Integer" | "Decimal":
            return str(value["value"])
    parts = [f"{name}: {_part(part)}" for name, part in value.items() if name != "type" and part is not None]
    return f"{value['type']} {{{', '.join(parts)}}}"


def _part(part: Any) -> str:
    if isinstance(part, list):
        return "{" + ", ".join(shown(item) for item in part) + "}"
    return _quoted(str(part))


def _quoted(text: str) -> str:
    return "'" + re.sub(r"(['\\])", r"\\\1", text) + "'"
