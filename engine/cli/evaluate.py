"""``eligibility eval``: one CQL expression, or a stream of them over the line protocol of the conformance harness."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.cli.elements import element_json
from engine.errors import CompileError, EligibilityError, EvaluationError
from engine.fhir import PatientRecord, decode_bundle
from engine.language import Limits
from engine.language.values import DateTime
from engine.language.values.json import encode, to_canonical, to_plain
from engine.workspace import Workspace

DEFINE = 'define "Result":\n'
HEADER = "using FHIR version '4.0.1'\ncontext Patient\n"


def clock() -> DateTime:
    """The present moment in UTC; only a face reads the clock."""
    at = datetime.now(UTC)
    return DateTime(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 1000, 0)


def evaluate_text(workspace: Workspace, text: str, now: DateTime, record: PatientRecord | None) -> tuple[Any, Any]:
    """The value of an expression and its static type.

    Raises:
        CompileError: the expression is no CQL.
        EvaluationError: it has no value.
    """
    above = (HEADER if record is not None else "") + DEFINE
    try:
        program = workspace.program(workspace.translate(above + text, "expression"))
    except CompileError as problem:
        raise CompileError(d.moved_up(above.count("\n")) for d in problem.diagnostics) from None
    value = workspace.evaluate(program, workspace.context(now, record=record)).define("Result")
    definition = next(d for d in program.main.expressions if d.name == "Result")
    return value, definition.expression.result_type


def answer(workspace: Workspace, line: bytes, now: DateTime) -> dict[str, Any]:
    """One answer of the line protocol: the canonical JSON of the value, or the error with its phase."""
    try:
        request = msgspec.json.decode(line)
        number, expression = request.get("id"), request["expression"]
    except (msgspec.DecodeError, RecursionError, KeyError, AttributeError, TypeError):
        return {"id": None, "ok": False, "error": "a line is an object with id and expression", "phase": "syntax"}
    try:
        value, datatype = evaluate_text(workspace, expression, now, None)
        return {"id": number, "ok": True, "value": to_canonical(value, datatype)}
    except CompileError as problem:
        return {"id": number, "ok": False, "error": str(problem), "phase": problem.phase}
    except EvaluationError as problem:
        return {"id": number, "ok": False, "error": str(problem), "phase": "execution"}
    except Exception as defect:  # noqa: BLE001 - a defect of the engine fails its line, and says so
        text = f"internal error ({type(defect).__name__}: {defect}); please report it with the expression"
        return {"id": number, "ok": False, "error": text, "phase": "execution"}


def serve_lines(workspace: Workspace) -> None:
    """Answers each line of standard input with one line, flushed."""
    now = clock()
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.buffer.write(encode(answer(workspace, line, now)) + b"\n")
            sys.stdout.buffer.flush()


def command(expression: str | None, bundle: Path | None, jsonl: bool, limits: Limits | None = None) -> int:
    """Runs ``eval``; the exit code is 0, or 2 when the expression or bundle cannot be used."""
    workspace = Workspace(limits=limits)
    if jsonl:
        serve_lines(workspace)
        return 0
    if expression is None:
        print("give an expression, for example: eligibility eval '1 + 1'", file=sys.stderr)
        return 2
    if any("\ud800" <= character <= "\udfff" for character in expression):
        print("the expression is not UTF-8 text", file=sys.stderr)
        return 2
    try:
        record = None
        if bundle is not None:
            data = bundle.read_bytes()
            record = PatientRecord.from_bundle(decode_bundle(data, source=str(bundle), withhold=False))
        value, _ = evaluate_text(workspace, expression, clock(), record)
        shown = encode(to_plain(value, element_json))
    except OSError as problem:
        print(f"{bundle}: the file cannot be read: {problem.strerror}", file=sys.stderr)
        return 2
    except EligibilityError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(shown.decode())
    return 0
