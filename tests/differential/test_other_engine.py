"""Random expressions, evaluated here and, from our ELM JSON, by cql-execution; skipped where that is not installed."""

import json
import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EvaluationError
from engine.language.elm.json import encode
from engine.language.values import DateTime
from engine.language.values.json import to_plain
from engine.workspace import Workspace
from tests.differential.expressions import Expressions

TYPES = ("Integer", "String", "Boolean", "Date", "List<Integer>", "List<String>")
OTHER_READING = (
    "Max(", "Min(", "date from", "ToDate(", "ToLong(", "0L", "5L", "3L", "expand", "Matches", "Interval", "null", "@",
)  # fmt: skip
"""Where the other engine departs from the specification: Long, the order of partial dates, nulls in intervals."""


def plain(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_the_other_engine_agrees(repository: Path, tmp_path: Path) -> None:
    node, packages = shutil.which("node"), Path(os.environ.get("CQL_NPM_PACKAGES", repository / "node_modules"))
    if node is None or not (packages / "cql-execution").is_dir():
        pytest.skip("needs node and the npm package: npm install --no-save cql-execution@3.3.2")
    made = [Expressions(seed).make(TYPES[seed % len(TYPES)], 2) for seed in range(600)]
    lines = [line for line in dict.fromkeys(made) if not any(part in line for part in OTHER_READING)]
    workspace = Workspace()
    text = "".join(f'define "E{number}":\n  {line}\n' for number, line in enumerate(lines))
    program = workspace.program(workspace.translate(text))
    (tmp_path / "elm.json").write_bytes(encode(program.main))
    script = Path(__file__).with_name("evaluate.js")
    command = [node, str(script), str(packages), str(tmp_path / "elm.json"), "2024-03-15T12:30:00.000+00:00"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    answers = [json.loads(line, parse_float=Decimal) for line in run.stdout.splitlines()]
    others = {a["name"]: a["value"] for a in answers if "value" in a}
    evaluation = workspace.evaluate(program, workspace.context(DateTime(2024, 3, 15, 12, 30, 0, 0, 0)))
    differences = []
    for number, line in enumerate(lines):
        try:
            value = plain(to_plain(evaluation.define(f"E{number}")))
        except EvaluationError as problem:
            value = str(problem)
        if f"E{number}" in others and value != others[f"E{number}"]:
            differences.append((line, value, others[f"E{number}"]))
    assert len(others) > 100
    assert differences == []
