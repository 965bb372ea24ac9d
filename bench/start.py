"""Processor time of a command that runs one cached library, from nothing to its answer, and what it imports."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.compile import own_library, processor_seconds

HEAVY = ("antlr4", "fhir.resources", "pint", "ucumvert", "pydantic")
COMMAND = """
import sys
from pathlib import Path
from engine.language.values import DateTime
from engine.workspace import Workspace
workspace = Workspace(cache=Path(sys.argv[2]))
program = workspace.program(workspace.translate_file(Path(sys.argv[1])))
workspace.evaluate(program, workspace.context(DateTime(2024, 1, 1, 0, 0, 0, 0, 0))).define("X")
print(" ".join(name for name in sys.argv[3:] if name in sys.modules))
"""


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as name:
        library, cache = Path(name) / "Workload.cql", Path(name) / "cache"
        library.write_text(own_library() + "define X: 1 + 1\n", encoding="utf-8")

        command = [sys.executable, "-c", COMMAND, str(library), str(cache), *HEAVY]
        empty = statistics.median(processor_seconds([sys.executable, "-c", "pass"]) for _ in range(5))
        first = processor_seconds(command)
        loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        later = statistics.median(processor_seconds(command) for _ in range(5))
    print(f"python itself       {empty * 1000:7.1f} ms")
    print(f"not yet compiled    {first * 1000:7.1f} ms")
    print(f"library from cache  {later * 1000:7.1f} ms   imported of {', '.join(HEAVY)}: {loaded or 'none'}")


if __name__ == "__main__":
    main()
