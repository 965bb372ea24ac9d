"""Compile times of a library of about 150 lines beside a bare lex-and-parse of the same text, in the same run.

* warm: the same text again, with what the parser and the analysis have learnt;
* first after warm-up: a text not seen before, when another of the kind was compiled before;
* cold: in a process that has only started; imports count for both sides.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared" / "bench" / "OncTrial.cql"
ROUNDS = 7

COLD_PARSE = "import sys; from bench.compile import bare; bare(open(sys.argv[1], encoding='utf-8').read())"
COLD_COMPILE = (
    "import sys; from engine.workspace import Workspace;"
    "Workspace(cache=None).translate(open(sys.argv[1], encoding='utf-8').read()).require()"
)


def own_library() -> str:
    """A library of our own of about 150 lines, for a checkout without the shared workload."""
    lines = ["library Workload version '1'", "using FHIR version '4.0.1'", "codesystem L: 'http://loinc.org'"]
    lines += [f"code C{n}: '{1000 + n}-1' from L" for n in range(20)]
    lines += ["parameter AsOf DateTime", "context Patient"]
    for n in range(20):
        lines += [
            f'define "Latest {n}":', f"  Last([Observation: C{n}] O",
            "    where O.status in { 'final', 'amended', 'corrected' }",
            "      and (O.effective as FHIR.dateTime) on or before AsOf",
            "    sort by (effective as FHIR.dateTime).value)",
            f'define "Enough {n}":',
            f'  ("Latest {n}".value as FHIR.Quantity).value >= {n}.5 and AgeInYearsAt(date from AsOf) > {n}',
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def other_library() -> str:
    """A library of the same kind but of other text, to warm up with."""
    return own_library().replace("Workload", "Another").replace("O.status", "O.code.text")


def bare(text: str) -> None:
    """ANTLR's lexer and parser as generated, in SLL mode, without a syntax tree."""
    from antlr4 import BailErrorStrategy, CommonTokenStream, InputStream, PredictionMode

    from engine.language.grammar.generated.CqlLexer import CqlLexer
    from engine.language.grammar.generated.CqlParser import CqlParser

    class Plain(CqlParser):  # type: ignore[misc]
        def deepen(self) -> None:
            pass

        rise = deepen

    parser = Plain(CommonTokenStream(CqlLexer(InputStream(text))))
    parser._interp.predictionMode = PredictionMode.SLL
    parser._errHandler = BailErrorStrategy()
    parser.library()


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one run."""
    started = time.process_time()
    work()
    return time.process_time() - started


def processor_seconds(command: list[str]) -> float:
    """Processor seconds of a new process: steadier than the clock on a machine that others use too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cold(program: str, path: Path) -> float:
    """Median seconds of new processes, less the time an empty one takes."""

    def process(code: str) -> float:
        return processor_seconds([sys.executable, "-c", code, str(path)])

    started = statistics.median(process("pass") for _ in range(3))
    return statistics.median(process(program) for _ in range(3)) - started


def show(name: str, compiled: float, parsed: float, aim: int) -> None:
    """One line of the table."""
    ratio = compiled / parsed
    print(f"{name:22} compile {compiled * 1000:7.1f} ms   bare parse {parsed * 1000:7.1f} ms   "
          f"ratio {ratio:5.2f}   (aim: at most {aim})")  # fmt: skip


def main() -> None:
    """Prints the table."""
    from engine.language.syntax import parse_library
    from engine.workspace import Workspace

    shared = SHARED.is_file()
    text = SHARED.read_text(encoding="utf-8") if shared else own_library()
    print(f"library: {'OncTrial.cql' if shared else 'our own'}, {len(text.splitlines())} lines")
    Workspace(cache=None).translate(other_library()).require()
    bare(other_library())
    first = seconds(lambda: Workspace(cache=None).translate(text).require())
    workspace = Workspace(cache=None)
    bare(text)
    parsed = statistics.median(seconds(lambda: bare(text)) for _ in range(ROUNDS))
    workspace.translate(text)
    warm = statistics.median(seconds(lambda: workspace.translate(text)) for _ in range(ROUNDS))
    alone = statistics.median(seconds(lambda: Workspace(cache=None).translate(text)) for _ in range(ROUNDS))
    tree = statistics.median(seconds(lambda: parse_library(text)) for _ in range(ROUNDS))
    show("warm", warm, parsed, 4)
    show("warm, with FHIRHelpers", alone, parsed, 8)
    show("first after warm-up", first, parsed, 8)
    show("syntax tree alone", tree, parsed, 4)
    path = Path(__file__).parent / "_workload.cql"
    if not shared:
        path.write_text(text, encoding="utf-8")
    try:
        file = SHARED if shared else path
        show("cold", cold(COLD_COMPILE, file), cold(COLD_PARSE, file), 3)
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
