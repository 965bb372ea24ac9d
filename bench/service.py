"""The service under load, over loopback: many screens at once, its health after hostile requests, a CDS Hooks call.

`python -m bench.service [REQUESTS]`; every figure is bounded in count and time.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "fhir_fixtures" / "psma-nk" / "01-in-good-order.json"
SCREEN = "/fhir/ResearchStudy/$screen"
FHIR = {"content-type": "application/fhir+json"}
GZIP = {**FHIR, "content-encoding": "gzip"}
MIB = 1024 * 1024
CONCURRENT = 200
TIME_LIMIT = 300


def bundle_of(size: int) -> bytes:
    """The sample with more observations of other days one in 20 of a kind that trials ask for."""
    bundle = json.loads(SAMPLE.read_bytes())
    models = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Observation"]
    number, length = 0, len(json.dumps(bundle))
    while length < size:
        resource = {**models[number % len(models)], "id": f"more-{number}"}
        resource["effectiveDateTime"] = f"20{10 + number % 15:02}-{1 + number % 12:02}-{1 + number % 28:02}"
        if number % 20:
            resource["code"] = {"coding": [{"system": "urn:bench", "code": f"other-{number % 300}"}]}
        entry = {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012}", "resource": resource}
        bundle["entry"].append(entry)
        number, length = number + 1, length + len(json.dumps(entry)) + 2
    return json.dumps(bundle).encode()


@contextmanager
def service() -> Iterator[tuple[str, int]]:
    """A service with its own database; its address and process id."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ELIGIBILITY_DATABASE_URL": f"sqlite:///{folder}/runs.sqlite",
                       "ELIGIBILITY_WORKERS": str(os.cpu_count() or 2), "ELIGIBILITY_LOG_LEVEL": "error",
                       "ELIGIBILITY_REQUEST_SECONDS": str(TIME_LIMIT)}  # fmt: skip
        command = [sys.executable, "-m", "engine", "serve", "--port", "0"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            if not line:
                raise SystemExit("the service did not start")
            found = re.search(r"Listening at (http://\S+)", line)
        try:
            httpx2.get(f"{found[1]}/health", timeout=60, trust_env=False)
            yield found[1], process.pid
        finally:
            process.terminate()
            process.wait(60)


def memory_of(process: int) -> tuple[int, int]:
    """Proportional memory (MB) of a process and of all below it, and how many they are."""
    members, pending = [], [process]
    while pending:
        one = pending.pop()
        members.append(one)
        with suppress(OSError):
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                pending.extend(int(p) for p in children.read_text().split())
    total = 0
    for one in members:
        with suppress(OSError):  # it has ended meanwhile
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total // 1024, len(members)


async def screens(base: str, process: int, count: int, body: bytes, accept: str) -> dict[str, Any]:
    """So many screens, :data:`CONCURRENT` at once, while /health is asked all the time."""
    took: list[float] = []
    statuses: dict[int, int] = {}
    limits = httpx2.Limits(max_connections=CONCURRENT + 10)
    async with httpx2.AsyncClient(base_url=base, timeout=TIME_LIMIT, limits=limits, trust_env=False) as client:
        gate = asyncio.Semaphore(CONCURRENT)

        async def one() -> None:
            async with gate:
                started = time.perf_counter()
                answer = await client.post(SCREEN, content=body, headers={**FHIR, "accept": accept})
                took.append(time.perf_counter() - started)
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

        started = time.perf_counter()
        with watched(base, process) as seen:
            await asyncio.gather(*(one() for _ in range(count)))
            seconds = time.perf_counter() - started
    ordered, health = sorted(took), seen.health
    return {
        "screens": count, "statuses": statuses, "seconds": round(seconds, 1), "per second": round(count / seconds, 1),
        "p50 s": round(statistics.median(ordered), 2), "p95 s": round(ordered[int(len(ordered) * 0.95) - 1], 2),
        "memory MB": seen.peak, "health p95 ms": _p95(health), "health worst ms": round(max(health) * 1000, 1),
    }  # fmt: skip


@dataclass
class Seen:
    """What a watch saw: seconds of each /health, and the most memory (MB) of the service's processes."""

    health: list[float] = field(default_factory=lambda: [0.0])
    peak: int = 0


@contextmanager
def watched(base: str, process: int) -> Iterator[Seen]:
    """Asks /health all the time, from a process of its own: a client that is busy would count its own delays."""
    command = [sys.executable, "-m", "bench.service", "watch", base, str(process)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    child.stdout.readline()
    seen = Seen()
    yield seen
    child.stdin.close()
    seen.health, seen.peak = json.loads(child.stdout.readline())
    child.wait(60)


def watch(base: str, process: int) -> None:
    """The life of a watch: until its input is closed."""
    health, peak, told = list[float](), 0, False
    with httpx2.Client(base_url=base, timeout=60, trust_env=False) as client:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            started = time.perf_counter()
            client.get("/health")
            health.append(time.perf_counter() - started)
            peak = max(peak, memory_of(process)[0])
            if not told:
                told = print("ready", flush=True) is None
    print(json.dumps([health, peak]), flush=True)


def _p95(values: list[float]) -> float:
    ordered = sorted(values)
    return round(ordered[max(int(len(ordered) * 0.95) - 1, 0)] * 1000, 1)


def hostile() -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Requests made to exhaust the service: name, path, body, headers."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * MIB) for _ in range(1024)) + packer.flush()
    yield "gzip bomb of 1 GB", SCREEN, bomb, GZIP
    yield "15 MB of lists", SCREEN, b"[" * (15 * MIB), FHIR
    yield "15 MB of text", SCREEN, b'"' + b"x" * (15 * MIB) + b'"', FHIR
    yield "14 MB of escaped quotes", SCREEN, b'"' + b'\\"' * (7 * MIB) + b'"', FHIR
    yield "15 MB of numbers", SCREEN, b"[" + b"1," * (7 * MIB) + b"1]", FHIR
    yield "nested gzip", SCREEN, gzip.compress(b"[" * 5_000_000), GZIP
    for name, expression in (
        ("nested parentheses", "(" * 100_000),
        ("a cross product", f"Count(from {', '.join(f'(expand Interval[1, 900]) A{i}' for i in range(4))} return 1)"),
        ("a huge list", "Count(expand Interval[1, 2000000000])"),
        ("a pattern", "Matches('" + "a" * 50_000 + "!', '(a+)+$')"),
        ("20,000 implies", " implies ".join(["true"] * 20_000)),
    ):
        parameter = [{"name": "expression", "valueString": expression}]
        yield name, "/fhir/$cql", json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode(), FHIR


def health_after_hostile(base: str, process: int) -> None:
    """Each hostile request, /health asked while it runs and right after it."""
    for name, path, body, headers in hostile():
        with httpx2.Client(base_url=base, timeout=90, trust_env=False) as client:
            with watched(base, process) as seen:
                started = time.perf_counter()
                status = client.post(path, content=body, headers=headers).status_code
                seconds = time.perf_counter() - started
            started = time.perf_counter()
            client.get("/health")
            after = (time.perf_counter() - started) * 1000
        worst = max(seen.health) * 1000
        print(f"  {name:24} {status:>4}  {seconds:6.2f} s   /health meanwhile {worst:.0f} ms, after {after:.0f} ms")


def hooks(base: str, calls: int = 10) -> None:
    """A CDS Hooks call with the whole record as prefetch."""
    bundle = json.loads(SAMPLE.read_bytes())
    patient = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    with httpx2.Client(base_url=base, timeout=60, trust_env=False) as client:
        service = client.get("/cds-services").json()["services"][0]
        prefetch: dict[str, Any] = {}
        for key, template in service["prefetch"].items():
            kind = re.split(r"[/?]", template)[0]
            entries = [e for e in bundle["entry"] if e["resource"]["resourceType"] == kind]
            prefetch[key] = patient if kind == "Patient" else {
                "resourceType": "Bundle", "type": "searchset", "entry": entries}  # fmt: skip
        body = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": {"patientId": patient["id"]},
                "prefetch": prefetch}  # fmt: skip
        took = []
        for _ in range(calls):
            started = time.perf_counter()
            answer = client.post(f"/cds-services/{service['id']}", json=body)
            took.append((time.perf_counter() - started) * 1000)
        cards = len(answer.json()["cards"]) if answer.status_code == 200 else 0
        print(f"  status {answer.status_code}, {cards} cards: median {statistics.median(took):.0f} ms, "
              f"first {took[0]:.0f} ms, worst {max(took):.0f} ms (aim < 500 ms)")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Prints the figures."""
    if arguments[:1] == ["watch"]:
        watch(arguments[1], int(arguments[2]))
        return 0
    count = int(arguments[0]) if arguments else CONCURRENT
    body = bundle_of(MIB)
    with service() as (base, process):
        print("CDS Hooks, warm libraries:")
        hooks(base)
        print("/health and hostile requests (aim < 100 ms):")
        health_after_hostile(base, process)
        print(f"{count} concurrent screens of {len(body) / MIB:.2f} MB, {os.cpu_count()} cores:")
        print(f"  {asyncio.run(screens(base, process, count, body, 'application/json'))}")
        memory, processes = memory_of(process)
        print(f"  afterwards {memory} MB in {processes} processes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
