"""What is measured: the shared workload of 29 defines over real records where it is there, else one of our own."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.compile import own_library

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
OWN_BUNDLES = REPOSITORY / "fhir_fixtures"


@dataclass(frozen=True, slots=True)
class Workload:
    """A library, the folder of its value sets (if any) and the bundles, as bytes."""

    name: str
    library: str
    valuesets: Path | None
    bundles: list[bytes]


def workload(limit: int) -> Workload:
    """The workload with at most ``limit`` bundles."""
    library = SHARED / "bench" / "OncTrial.cql"
    files = sorted((SHARED / "population").glob("*.json"))
    if library.is_file() and files:
        folder = Path(tempfile.mkdtemp(prefix="bench-valuesets-"))
        _write_valuesets(json.loads((SHARED / "bench" / "valuesets.json").read_bytes()), folder)
        bundles = [file.read_bytes() for file in files[:limit]]
        return Workload("OncTrial over ../shared/population", library.read_text(encoding="utf-8"), folder, bundles)
    print("skipped: the workload of ../shared, which is not beside this checkout; our own is measured", file=sys.stderr)
    files = sorted(OWN_BUNDLES.rglob("*.json"))
    return Workload("our own library over fhir_fixtures", own_library(), None, [f.read_bytes() for f in files[:limit]])


def _write_valuesets(codes: dict[str, dict[str, Any]], folder: Path) -> None:
    for number, (url, content) in enumerate(sorted(codes.items())):
        contains = [{"system": content["system"], "code": code} for code in content["codes"]]
        resource = {"resourceType": "ValueSet", "url": url, "status": "active",
                    "expansion": {"timestamp": "2024-01-01", "contains": contains}}  # fmt: skip
        (folder / f"{number}.json").write_text(json.dumps(resource), encoding="utf-8")
