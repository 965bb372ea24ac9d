"""``eligibility conformance``: runs a folder of HL7 suite files and prints a table a file and each failure."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from engine.cli.evaluate import clock
from engine.cli.suite import Outcome, read_suite, run_suite
from engine.errors import InputError

STATES = ("pass", "fail", "error", "skip")


def failure_text(outcome: Outcome) -> str:
    """A failed test: its name, expression, expected and got."""
    rows = {
        "expression": " ".join((outcome.test.expression or "").split()),
        "expected": outcome.expected,
        "got": outcome.got,
    }
    lines = [f"{outcome.status.upper()} {outcome.test.id}", *(f"  {name:<10}  {text}" for name, text in rows.items())]
    return "\n".join(lines)


def table_text(outcomes: Sequence[Outcome]) -> str:
    """Counts a file, and their sum."""
    by_file: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        by_file.setdefault(outcome.test.file, Counter())[outcome.status] += 1
    total: Counter[str] = sum(by_file.values(), Counter())
    width = max(len(name) for name in (*by_file, "all files"))
    head = f"{'file':<{width}}" + "".join(f"{state:>7}" for state in (*STATES, "total"))
    rows = [
        f"{name:<{width}}" + "".join(f"{counts[state]:>7}" for state in STATES) + f"{counts.total():>7}"
        for name, counts in (*by_file.items(), ("all files", total))
    ]
    return "\n".join([head, *rows])


def command(folder: Path, require: int | None = None) -> int:
    """Runs ``conformance``; 0, 1 when fewer than ``require`` tests pass, 2 when the folder cannot be used."""
    try:
        tests = read_suite(folder)
    except InputError as problem:
        print(problem, file=sys.stderr)
        return 2
    outcomes = list(run_suite(tests, clock()))
    for outcome in outcomes:
        if outcome.status in ("fail", "error"):
            print(failure_text(outcome), end="\n\n")
    print(table_text(outcomes))
    passed = sum(outcome.status == "pass" for outcome in outcomes)
    if require is not None and passed < require:
        print(f"{passed} tests pass; at least {require} have to", file=sys.stderr)
        return 1
    return 0
