"""From bytes to results: milliseconds a patient to decode, to evaluate every define, and the whole way.

Beside them stand json.loads and msgspec on the same bytes in the same run: ratios are steadier than milliseconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bench._workload import workload
from engine.errors import EvaluationError
from engine.fhir import PatientRecord, decode_bundle
from engine.language.evaluation.program import Program
from engine.language.values import DateTime
from engine.workspace import Workspace

NOW = DateTime(2019, 6, 1, 0, 0, 0, 0, 0)
ROUNDS = 3


def best(work: Callable[[Any], object], items: list[Any]) -> float:
    """Milliseconds an item: the best of some rounds over all of them, by the time of this process."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for item in items:
            work(item)
        rounds.append(time.process_time() - started)
    return 1000 * min(rounds) / len(items)


def main(limit: int = 40) -> None:
    """Prints the table."""
    chosen = workload(limit)
    workspace = Workspace([], [chosen.valuesets] if chosen.valuesets else [], cache=None)
    program: Program = workspace.program(workspace.translate(chosen.library))
    names = [d.name for d in program.main.expressions if d.name != "Patient"]

    def decode(data: bytes) -> PatientRecord:
        return PatientRecord.from_bundle(decode_bundle(data, source="bench"))

    def evaluate(record: PatientRecord, trace: bool = False) -> list[Any]:
        evaluation = workspace.evaluate(program, workspace.context(NOW, record=record), trace=trace)
        values = []
        for name in names:
            try:
                values.append(evaluation.define(name))
            except EvaluationError as problem:
                values.append(problem)
        return values

    def fresh_evaluations() -> float:
        records = [decode(data) for data in chosen.bundles]
        started = time.process_time()
        for record in records:
            evaluate(record)
        return 1000 * (time.process_time() - started) / len(records)

    bundles = chosen.bundles
    kilobytes = sum(map(len, bundles)) // len(bundles) // 1024
    print(f"{chosen.name}: {len(names)} defines, {len(bundles)} bundles, {kilobytes} kB a bundle")
    records = [decode(data) for data in bundles]
    evaluate(records[0])
    rows = {
        "json.loads": best(json.loads, bundles),
        "msgspec to dict": best(msgspec.json.decode, bundles),
        "decode to a record": best(decode, bundles),
        "evaluate, first time": fresh_evaluations(),
        "evaluate, again": best(evaluate, records),
        "evaluate with trace": best(lambda record: evaluate(record, trace=True), records),
        "the whole way": best(lambda data: evaluate(decode(data)), bundles),
    }
    for name, milliseconds in rows.items():
        print(f"{name:22} {milliseconds:8.3f} ms a patient   {milliseconds / rows['msgspec to dict']:6.2f} x msgspec   "
              f"{milliseconds / rows['json.loads']:6.2f} x json.loads")  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
