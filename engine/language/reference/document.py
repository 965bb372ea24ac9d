"""The text of `docs/language.md`, from the operator table, the conversions, the limits and the readings."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Final

from engine.language import operators
from engine.language.analysis.conversions import SYSTEM_CONVERSIONS
from engine.language.evaluation.context import Limits
from engine.language.operators.registry import TABLE, Overload
from engine.language.reference.chapters import CHAPTERS, Chapter, Row
from engine.language.reference.contested import READINGS, Reading
from engine.language.reference.forms import ALIASES, CONDITIONALS, LITERALS, QUERIES, TIMING, Form
from engine.language.syntax import NESTING_LIMIT

_INTRODUCTION: Final = """\
# The language

CQL 1.5.3 as this engine has it. Made by `python -m engine.language.reference` from the operator table and the modules
of the language; do not edit it by hand.

The operators, literals, query forms and conversions of the specification are all there, with `Slice` of CQL 2. Where
its text leaves room, or the official tests contradict it, the section Readings says what was taken.
"""

_OPERATORS: Final = """\
## Operators

State: **complete** — every overload of the reference is computed by a function of its own; **compiled** — the form is
translated into other operators or into code of its own. Nulls: *propagate* — a null operand makes null; otherwise the
rule of the operator. Uncertainty: *lifted* — an uncertain operand (a duration between imprecise dates) gives an
uncertain result; *decided* — the answer is given when the whole range agrees, else null; *—* — an uncertain operand is
an error, or cannot occur. A single capital letter stands for any type.
"""

_UNCERTAIN: Final = {None: "—", "arithmetic": "lifted", "comparison": "decided"}

_CONVERSIONS: Final = """\
## Implicit conversions

Nearest first: the same type, a subtype, null, an alternative of a choice, then these, and between the types that the
data model names (for FHIR 4.0.1 by FHIRHelpers). List promotion and demotion are options and off.
"""

_LIMITS: Final = """\
## Limits

Reaching a limit is an error of the define (or of the text), never null. They are arguments of a run; these are the
values without any.
"""

_READINGS: Final = """\
## Readings

What the text of the specification leaves open, and what is computed here, as the modules of the operators say it.
"""

_CONTESTED: Final = """\
## The contested tests of the official suite

Of its 1,823 tests, 47 contradict the text of the specification or can be read in two ways. The engine follows the text.
"""


def document() -> str:
    """The whole document."""
    forms = [
        ("## Literals and selectors", LITERALS), ("## Queries", QUERIES), ("## Conditionals", CONDITIONALS),
        ("## Timing phrases", TIMING), ("## Other spellings", ALIASES),
    ]  # fmt: skip
    parts = [
        _INTRODUCTION, _OPERATORS, *map(_chapter, CHAPTERS), *(_forms(title, rows) for title, rows in forms),
        _conversions(), _limits(), _READINGS, *_module_readings(), _contested(),
    ]  # fmt: skip
    return "\n".join(parts)


def overloads_of(chapter: Chapter, row: Row) -> list[Overload]:
    """The overloads of a row: those of its names whose functions stand in the chapter's modules."""
    return [o for name in row.names for o in TABLE.overloads(name) if _module(o) in chapter.modules]


def _module(overload: Overload) -> str:
    return overload.function.__module__.rsplit(".", 1)[-1]


# ---------------------------------------------------------------- operators


def _chapter(chapter: Chapter) -> str:
    lines = [f"### {chapter.title}", "", *_head("Operator", "Overloads", "Nulls", "Uncertainty", "State")]
    lines += [_line(_row(chapter, row)) for row in chapter.rows]
    return "\n".join([*lines, ""])


def _row(chapter: Chapter, row: Row) -> list[str]:
    overloads = overloads_of(chapter, row)
    note = f" ({row.note})" if row.note else ""
    if not overloads:
        return [row.title, f"`{row.example}`", "", "", f"compiled{note}"]
    signatures = "<br>".join(f"`{overload}`" for overload in overloads)
    uncertain = dict.fromkeys(_UNCERTAIN[overload.uncertain] for overload in overloads)
    return [row.title, signatures, _nulls(overloads), ", ".join(uncertain), f"complete{note}"]


def _nulls(overloads: Sequence[Overload]) -> str:
    own = dict.fromkeys(_first_sentence(overload) for overload in overloads if overload.nulls == "own")
    rules = ["propagate"] if any(overload.nulls != "own" for overload in overloads) else []
    return "<br>".join([*rules, *own])


def _first_sentence(overload: Overload) -> str:
    text = " ".join((inspect.getdoc(overload.function) or "").split("\n\n")[0].split())
    return _markdown(text.partition(" Source: ")[0])


# ---------------------------------------------------------------- forms, conversions, limits


def _forms(title: str, rows: Iterable[Form]) -> str:
    lines = [title, "", *_head("Form", "Example", "Value")]
    return "\n".join([*lines, *(_line([row.title, f"`{row.example}`", f"`{row.answer}`"]) for row in rows), ""])


def _conversions() -> str:
    rows = [_line([str(source), str(target), name]) for source, target, name, _ in SYSTEM_CONVERSIONS]
    return "\n".join([_CONVERSIONS, *_head("From", "To", "By"), *rows, ""])


def _limits() -> str:
    defaults = Limits()
    rows = [_line([f"`{item.name}`", _number(getattr(defaults, item.name))]) for item in fields(Limits)]
    return "\n".join(
        [_LIMITS, *_head("Limit", "Value"), *rows, _line(["nesting of expressions", f"{NESTING_LIMIT}"]), ""]
    )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"


# ---------------------------------------------------------------- readings


def _module_readings() -> list[str]:
    found = []
    for info in sorted(pkgutil.iter_modules(operators.__path__), key=lambda info: info.name):
        if info.name != "registry":
            module = importlib.import_module(f"{operators.__name__}.{info.name}")
            found.append(f"### `{info.name}`\n\n{_markdown(inspect.getdoc(module) or '')}\n")
    return found


def _markdown(text: str) -> str:
    """A docstring as Markdown: names in single backquotes, without the roles of references."""
    return re.sub(r":[a-z]+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def _contested() -> str:
    lines = [_CONTESTED, *_head("Tests", "Answer here", "The suite expects", "Why", "Where")]
    return "\n".join([*lines, *(_line(_reading(reading)) for reading in READINGS), ""])


def _reading(reading: Reading) -> list[str]:
    tests = "<br>".join(f"`{test}`" for test in reading.tests)
    return [tests, f"`{reading.answer}`", "the same" if reading.agrees else "another", reading.why, reading.source]


def _head(*titles: str) -> list[str]:
    return [_line(titles), _line(["---"] * len(titles))]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
