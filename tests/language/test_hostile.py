"""Inputs made to exhaust the engine: each ends with an answer or a located error, within 512 MB of memory.

The inputs and how each must end stand in ``bench/hostile.py``, which also prints their seconds (``make bench``). Every
input runs in a process of its own, whose address space is limited; a crash, a RecursionError, a MemoryError or an
endless run is a failure here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.hostile import CASES, Case
from engine.errors import InputError
from engine.fhir import decode_bundle

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    """How each input ended, by name."""
    done = subprocess.run([sys.executable, "-m", "bench.hostile", "--json"], cwd=REPOSITORY, capture_output=True,
                          text=True, check=True)  # fmt: skip
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_the_names_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_as_it_must(case: Case, outcomes: dict[str, dict[str, Any]]) -> None:
    found = outcomes[case.name]
    assert found["ends"] == case.ends, found
    if case.ends == "value":
        assert found["value"] == case.expected
    else:
        assert case.expected in ("*", found["code"]), found
        assert found["located"], found
    assert found["megabytes"] < 512


@pytest.mark.parametrize("opening", (b'{"a":', b"["))
def test_a_bundle_nested_10_000_deep_is_refused_with_its_place(opening: bytes) -> None:
    data = b'{"resourceType":"Bundle","entry":' + opening * 10_000
    with pytest.raises(InputError, match=r"line 1, column \d+: is nested deeper than"):
        decode_bundle(data, source="deep.json")


def test_evaluation_and_analysis_take_no_c_stack() -> None:
    """2,000 definitions with queries in queries nest in a thread whose stack is a quarter of a megabyte."""
    program = (
        "import threading; from bench.hostile import CASES, Case, run;"
        "run(Case('warm-up', lambda: 'define X: exists (({1}) A where true)', 'value', ''));"
        "case = next(c for c in CASES if c.name.startswith('2,000 defines')); found = [];"
        "threading.stack_size(256 * 1024);"
        "t = threading.Thread(target=lambda: found.append(run(case))); t.start(); t.join(); print(found[0]['value'])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("true", 0), done.stderr[-500:]
