"""Inputs made to exhaust the engine: seconds and memory of each, in a process of its own with 512 MB of address space.

Every one of them must end with an answer or with an error that says where and what, within two seconds or the time
limit and a second more. The same table is a test (``tests/language/test_hostile.py``).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile input: how to make its text, and how it must end.

    ``ends`` is ``value`` with the value as JSON text in ``expected``, or ``error`` with the code of the error there.
    The value of a ``bundle`` is the number of resources in its record; the code of what is wrong with it is ``input``.
    """

    name: str
    make: Callable[[], str]
    ends: str
    expected: str
    bundle: bool = False


def _define(expression: str) -> str:
    return f"define X:\n  {expression}\n"


def _value(name: str, make: Callable[[], str], expected: str) -> Case:
    return Case(name, lambda: _define(make()), "value", expected)


def _error(name: str, make: Callable[[], str], code: str) -> Case:
    return Case(name, lambda: _define(make()), "error", code)


def _integers(count: int) -> str:
    return "{" + ", ".join(map(str, range(count))) + "}"


def _chained_defines(count: int) -> str:
    lines = ["define X0: 1"] + [f"define X{i}: X{i - 1} + 1" for i in range(1, count)]
    return "\n".join(reversed(lines)) + f"\ndefine X: X{count - 1}\n"


def _chained_functions(count: int) -> str:
    lines = ["define function f0(x Integer): x"] + [
        f"define function f{i}(x Integer): f{i - 1}(x + 1)" for i in range(1, count)
    ]
    return "\n".join(reversed(lines)) + f"\ndefine X: f{count - 1}(0)\n"


def _doublings(count: int) -> str:
    lines = ["define S0: 'a'"] + [f"define S{i}: S{i - 1} + S{i - 1}" for i in range(1, count + 1)]
    return "\n".join(lines) + f"\ndefine X: Length(S{count})\n"


def _doubled_lists(count: int) -> str:
    lines = ["define L0: {1}"] + [f"define L{i}: flatten {{L{i - 1}, L{i - 1}}}" for i in range(1, count + 1)]
    return "\n".join(lines) + f"\ndefine X: Count(L{count})\n"


def _billion_calls(depth: int) -> str:
    lines = ["define function f0(x Integer): x"] + [
        f"define function f{i}(x Integer): f{i - 1}(x) + f{i - 1}(x) * 0" for i in range(1, depth)
    ]
    return "\n".join(lines) + f"\ndefine X: f{depth - 1}(1)\n"


def _cross(ways: int, rows: int) -> str:
    sources = ", ".join(f"L A{i}" for i in range(ways))
    return f"define L: expand Interval[1, {rows}]\ndefine X: Count(from {sources} return 1)\n"


def _nested_lists(count: int) -> str:
    lines = ["define L0: {1}"] + [f"define L{i}: {{L{i - 1}, L{i - 1}}}" for i in range(1, count + 1)]
    return "\n".join(lines) + f"\ndefine X: L{count}\n"


def _nested_tuples(count: int) -> str:
    lines = [f"define T{i}: Tuple {{ a: T{i - 1}, b: T{i - 1} }}" for i in range(1, count + 1)]
    return "\n".join(["define T0: Tuple { a: 1 }", *lines, ""])


def _nested_queries(depth: int) -> str:
    return "exists (({1}) A where " * depth + "true" + ")" * depth


def _query_chain(count: int) -> str:
    lines = ["define X0: true"] + [
        f"define X{i}: exists (({{1}}) A where exists (({{2}}) B where X{i - 1}))" for i in range(1, count)
    ]
    return "\n".join(reversed(lines)) + f"\ndefine X: X{count - 1}\n"


def _resources(*resources: dict[str, Any]) -> str:
    entries = [{"fullUrl": r.pop("at"), "resource": r} if "at" in r else {"resource": r} for r in resources]
    return json.dumps({"resourceType": "Bundle", "entry": entries})


def _patients(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"resourceType": "Patient", "id": f"p{i}", **more} for i in range(count)]


def _observations(count: int, at: str = "", identity: str = "") -> list[dict[str, Any]]:
    made = []
    for i in range(count):
        made.append({"resourceType": "Observation", "id": identity or f"o{i}", "subject": {"reference": "Patient/p0"}})
        if at:
            made[-1]["at"] = at.format(i)
    return made


_TRIANGLE = "define L: expand Interval[1, 3000]\n"
_BIG = "define L: expand Interval[1, 200000]\n"

CASES: tuple[Case, ...] = (
    _error("10,000 parentheses", lambda: "(" * 10_000 + "1" + ")" * 10_000, "nesting-too-deep"),
    _error("10,000 open parentheses", lambda: "(" * 10_000, "nesting-too-deep"),
    _value("20,000 and", lambda: " and ".join(["true"] * 20_000), "true"),
    _value("20,000 or", lambda: " or ".join(["false"] * 20_000), "false"),
    _value("20,000 xor", lambda: " xor ".join(["true"] * 20_001), "true"),
    _value("20,000 +", lambda: " + ".join(["1"] * 20_000), "20000"),
    _value("20,000 &", lambda: "Length(" + " & ".join(["'a'"] * 20_000) + ")", "20000"),
    _value("20,000 union", lambda: "Count(" + " union ".join(["{1}"] * 20_000) + ")", "1"),
    _error("20,000 + and - by turns", lambda: "1" + " + 1 - 1" * 10_000, "nesting-too-deep"),
    _error("20,000 implies", lambda: " implies ".join(["true"] * 20_000), "nesting-too-deep"),
    _error("20,000 =", lambda: " = ".join(["true"] * 20_000), "nesting-too-deep"),
    _error("20,000 not", lambda: "not " * 20_000 + "true", "nesting-too-deep"),
    _error("20,000 minus", lambda: "- " * 20_000 + "1", "nesting-too-deep"),
    _error("20,000 else if", lambda: "if false then 1 else " * 20_000 + "2", "nesting-too-deep"),
    _error("20,000 members", lambda: "X" + ".value" * 20_000, "nesting-too-deep"),
    _error("20,000 method calls", lambda: "'a'" + ".lower()" * 20_000, "nesting-too-deep"),
    _error("20,000 casts", lambda: "1" + " as Integer" * 20_000, "nesting-too-deep"),
    _value(
        "case of 20,000 items", lambda: "case " + "when false then 1 " * 20_000 + "else 2 end", "2"
    ),
    _value(
        "case of 20,000 values", lambda: "case 7 " + "when 1 then 1 " * 20_000 + "else 2 end", "2"
    ),
    _value("a list of 20,000", lambda: f"Count({_integers(20_000)})", "20000"),
    _value("a list of 20,000 distinct", lambda: f"Count(distinct {_integers(20_000)})", "20000"),
    _value("a list of 20,000 in itself", lambda: f"{_integers(20_000)} = {_integers(20_000)}", "true"),
    _value("Coalesce of 20,000", lambda: "Coalesce(" + "null as Integer, " * 20_000 + "1)", "1"),
    _error("lists nested 1,000 deep", lambda: "{" * 1_000 + "1" + "}" * 1_000, "nesting-too-deep"),
    _value("lists nested 90 deep", lambda: "Count(" + "{" * 90 + "1" + "}" * 90 + ")", "1"),
    _error("calls nested 1,000 deep", lambda: "Abs(" * 1_000 + "1" + ")" * 1_000, "nesting-too-deep"),
    _value("calls nested 90 deep", lambda: "Abs(" * 90 + "1" + ")" * 90, "1"),
    Case("5,000 defines in a chain", lambda: _chained_defines(5_000), "value", "5000"),
    Case("90 functions in a chain", lambda: _chained_functions(90), "value", "89"),
    Case("5,000 functions in a chain", lambda: _chained_functions(5_000), "error", "limit"),
    Case("f calls f", lambda: "define function f(x Integer): f(x)\n" + _define("f(1)"), "error", "circular-reference"),
    Case("X refers to X", lambda: _define("X + 1"), "error", "circular-reference"),
    Case("A refers to B, B to A", lambda: "define A: B\ndefine B: A\n" + _define("A"), "error", "circular-reference"),
    Case("functions that double their calls 60 times", lambda: _billion_calls(60), "error", "limit"),
    Case("32 string doublings", lambda: _doublings(32), "error", "limit"),
    Case("32 list doublings", lambda: _doubled_lists(32), "error", "limit"),
    Case("300 x 300 x 300 rows", lambda: _cross(3, 300), "error", "limit"),
    Case("40^5 rows", lambda: _cross(5, 40), "error", "limit"),
    Case("3,000 rows with 3,000 each", lambda: _TRIANGLE
         + _define("Count(L A with L B such that A = -B return A)"), "error", "limit"),
    Case("an aggregate over 40^5 rows", lambda: "define L: expand Interval[1, 40]\n"
         + _define("from L A, L B, L C, L D, L E aggregate R starting 0: R + 1"), "error", "limit"),
    _error("expand Interval[1, 2000000000]", lambda: "Count(expand Interval[1, 2000000000])", "limit"),
    _error("expand by day over 9,998 years", lambda: "Count(expand {Interval[@0001-01-01, @9999-12-31]} per day)",
           "limit"),
    _error("expand by millisecond", lambda: "Count(expand {Interval[@T00:00:00.000, @T23:59:59.999]} per millisecond)",
           "limit"),
    _error("expand by 0.00000001", lambda: "Count(expand {Interval[0.0, 1.0]} per 0.00000001 '1')", "limit"),
    _value("Power(10, 1000000)", lambda: "Power(10, 1000000)", "null"),
    _value("Power(10.0, 1000000)", lambda: "Power(10.0, 1000000)", "null"),
    _value("Power(1.00000001, 2000000000)", lambda: "Power(1.00000001, 2000000000) > 1.0", "true"),
    _value("Exp(1000000)", lambda: "Exp(1000000)", "null"),
    _value("a product beyond every number", lambda: "Product({10000000, 10000000, 10000000, 10000000})", "null"),
    _value("(a+)+$ over 50 characters", lambda: f"Matches('{'a' * 50}!', '(a+)+$')", "false"),
    _value("(a|aa)+$ over 5,000 characters", lambda: f"Matches('{'a' * 5_000}!', '(a|aa)+$')", "false"),
    _error("a{1000}{1000}", lambda: "Matches('a', 'a{1000}{1000}')", "*"),
    _value("a pattern of 50,000 brackets in brackets", lambda: f"Matches('x', '{'(' * 50_000}x{')' * 50_000}')",
           "true"),
    _error("a substitution from 20,000 groups", lambda: f"ReplaceMatches('{'x' * 20_000}', '{'(x)' * 20_000}', '$1')",
           "*"),
    _error("a large pattern in a large text", lambda: f"Matches('{'ab' * 400_000}', '[ab]*a[ab]{{900}}[ab]{{900}}c')",
           "limit"),
    _error("ReplaceMatches that explodes", lambda: "Length(ReplaceMatches("
           f"ReplaceMatches('{'a' * 5_000}', 'a', '{'b' * 5_000}'), 'b', '{'c' * 5_000}'))", "limit"),
    _value("ToDecimal('1e1000000')", lambda: "ToDecimal('1e1000000')", "null"),
    _value("ToDecimal of 1,000,000 digits", lambda: f"ToDecimal('{'9' * 1_000_000}')", "null"),
    _value("ToInteger of 1,000,000 digits", lambda: f"ToInteger('{'9' * 1_000_000}')", "null"),
    _value("ToQuantity of 1,000,000 digits", lambda: f"ToQuantity('{'9' * 1_000_000}')", "null"),
    _error("a decimal literal of 1,000,000 digits", lambda: "0." + "9" * 1_000_000, "literal-range"),
    _error("an integer literal of 1,000,000 digits", lambda: "9" * 1_000_000, "number-out-of-range"),
    _value("a string of 1,000,000 characters", lambda: f"Length('{'x' * 1_000_000}')", "1000000"),
    _error("a name of 1,000,000 characters", lambda: "x" * 1_000_000, "unknown-name"),
    _error("a unit of 100,000 characters", lambda: "1 '" + "m." * 50_000 + "m'", "*"),
    _error("a unit with an exponent of 10,000 digits", lambda: "1 'm" + "9" * 10_000 + "' = 1 'm'", "*"),
    _error("splitting 1,000,000 characters", lambda: f"Count(Split('{'a,' * 500_000}', ','))", "limit"),
    _value("splitting 200,000 characters", lambda: f"Count(Split('{'a,' * 100_000}', ','))", "100001"),
    _error("an offset of 15 hours", lambda: "@2020-01-01T00:00:00.000+15:00", "*"),
    _value("the offsets furthest apart", lambda: "@2020-01-01T00:00:00.000+14:00 < @2020-01-01T00:00:00.000-14:00",
           "true"),
    _value("the first moment, east of its zone", lambda: "@0001-01-01T00:00:00.000+14:00 < @0001-01-02T00:00:00.000Z",
           "true"),
    _value("the last moment, west of its zone", lambda: "@9999-12-31T23:59:59.999-14:00 > @9999-12-31T23:59:59.998Z",
           "true"),
    _error("a sum beyond the last year", lambda: "@9999-12-31 + 2000000000 years is not null", "*"),
    Case("sorting 200,000", lambda: _BIG + _define("First(L A sort desc)"), "value", "200000"),
    Case("distinct of 200,000", lambda: _BIG + _define("Count(distinct (L A return A mod 100000))"), "value", "100000"),
    Case("200,000 in 200,000", lambda: _BIG + _define("Count(L A where A in L)"), "error", "limit"),
    Case("union of 200,000 tuples", lambda: _BIG
         + _define("Count((L A return Tuple { a: A }) union (L A return Tuple { a: -A }))"), "error", "limit"),
    Case("lists in lists, 32 times twice", lambda: _nested_lists(32), "error", "limit"),
    Case("lists in lists compared", lambda: _nested_lists(32).replace("define X: L32", "define X: L32 = L32"),
         "error", "limit"),
    Case("1,000 texts of 1,000,000 characters", lambda: _doublings(19).replace("Length(S19)",
         "Count((expand Interval[1, 1000]) N return S19 + ToString(N))"), "error", "limit"),
    Case("a search in 1,000,000 characters 250,000 times", lambda: _doublings(19).replace("Length(S19)",
         "Count((expand Interval[1, 250000]) N where Matches(S19, '(a|b)*c' + ToString(N)))"), "error", "limit"),
    Case("quantities of two units, 20,000 distinct", lambda:
         "define L: (expand Interval[1, 20000]) N\n"
         "  return Quantity { value: N, unit: if N mod 2 = 0 then 'g' else 'mg' }\n"
         + _define("Count(distinct L)"), "value", "20000"),
    Case("quantities of two units, those of one in the other", lambda:
         "define L: expand Interval[1, 50000]\n"
         + _define("Count((L A return Quantity { value: A, unit: 'g' }) intersect "
                   "(L A return Quantity { value: A * 1000, unit: 'mg' }))"), "value", "50000"),
    Case("quantities of a unit that is none", lambda: "define L: expand Interval[1, 20000]\n"
         + _define("Count(distinct (L A return Quantity { value: 1, unit: 'no unit' }))"), "value", "20000"),
    Case("tuples of two tuples, 39 times", lambda: _nested_tuples(39) + _define("T39 = T39"), "error",
         "type-too-large"),
    Case("distinct of lists in lists, 32 times twice", lambda: _nested_lists(32).replace("define X: L32",
         "define X: Count(distinct {L32, L32})"), "error", "limit"),
    _error("a list of 2,000 types", lambda: "{" + ", ".join(f"Tuple {{ a{i}: 1 }}" for i in range(2_000)) + "}",
           "type-too-large"),
    _error("a choice of 2,000 types", lambda: "null as Choice<"
           + ", ".join(f"Tuple {{ a{i} Integer }}" for i in range(2_000)) + ">", "type-too-large"),
    _error("a tuple of 20,000 elements", lambda: "Tuple { " + ", ".join(f"a{i}: {i}" for i in range(20_000)) + " }",
           "type-too-large"),
    _value("a list of 200 types", lambda: "Count({" + ", ".join(f"Tuple {{ a{i}: 1 }}" for i in range(200)) + "})",
           "200"),
    Case("20,000 defines in a chain, last first", lambda: _chained_defines(20_000), "error", "limit"),
    Case("5,000 names that nobody defined", lambda: "".join(f"define X{i}: nobody{i}\n" for i in range(5_000))
         + _define("X1"), "error", "unknown-name"),
    Case("20,000 tags", lambda: "/*\n" + "".join(f"@t{i}: v\n" for i in range(20_000)) + "*/\n" + _define("1"),
         "value", "1"),
    Case("1,000,000 empty lines", lambda: "\n" * 1_000_000 + _define("1"), "value", "1"),
    Case("a comment of 1,000,000 stars", lambda: "/*" + "*" * 1_000_000 + "*/" + _define("1"), "value", "1"),
    Case("a comment of 10,000,000 characters", lambda: "/*" + "x" * 10_000_000 + "*/" + _define("1"), "error",
         "text-too-long"),
    _error("a string of 10,000,000 characters", lambda: f"Length('{'x' * 10_000_000}')", "text-too-long"),
    _error("a list of 200,000 numbers", lambda: f"Count({_integers(200_000)})", "text-too-long"),
    Case("queries nested 40 deep", lambda: _define(_nested_queries(40)), "value", "true"),
    Case("2,000 defines with queries within queries", lambda: _query_chain(2_000), "value", "true"),
    Case("a circle of 5,000 defines", lambda: "\n".join(f"define X{i}: X{(i + 1) % 5_000} + 1" for i in range(5_000))
         + "\ndefine X: X0\n", "error", "circular-reference"),
    Case("distinct of 200,000 tuples", lambda: _BIG
         + _define("Count(distinct (L A return Tuple { a: A, b: 1 }))"), "value", "200000"),
    Case("intersect of 200,000", lambda: _BIG + _define("Count(L intersect L)"), "value", "200000"),
    Case("except of 200,000", lambda: _BIG + _define("Count(L except L)"), "value", "0"),
    Case("mode of 200,000", lambda: _BIG + _define("Mode(L)"), "value", "1"),
    Case("a median of 200,000", lambda: _BIG + _define("Median(L A return ToDecimal(A))"), "value", "100000.5"),
    Case("IndexOf in a loop", lambda: _BIG + _define("Count(L A where IndexOf(L, A) < 0)"), "error", "limit"),
    Case("collapse of 200,000", lambda: _BIG
         + _define("Count(collapse (L A return Interval[A, A]))"), "value", "1"),
    Case("overlapping pairs", lambda: _BIG.replace("200000", "5000")
         + _define("Count(from L A, L B where Interval[A, A + 1] overlaps Interval[B, B + 1] return 1)"),
         "error", "limit"),
    Case("a bundle of 100,000 resources", lambda: _resources(*_patients(1), *_observations(100_000)), "value", "100001",
         bundle=True),
    Case("a resource 50,000 times", lambda: _resources(*_patients(1), *_observations(50_000, identity="o")), "value",
         "2", bundle=True),
    Case("one id on 20,000 servers", lambda: _resources(*_patients(1), *_observations(20_000, "http://s{}/Observation/o",
         "o")), "value", "20001", bundle=True),
    Case("a patient of 5,000 servers, asked for by 5,000 others", lambda: _resources(
         *({**p, "at": f"http://s{i}/Patient/p0"} for i, p in enumerate(_patients(1) * 5_000)),
         *_observations(5_000, "http://t{}/Observation/o")), "error", "input", bundle=True),
    Case("20,000 patients", lambda: _resources(*_patients(20_000)), "error", "input", bundle=True),
    Case("20,000 patients linked to the first", lambda: _resources(*_patients(20_000, link=[
         {"type": "seealso", "other": {"reference": "Patient/p0"}}])), "error", "input", bundle=True),
    Case("a text of 5,000,000 escapes", lambda: _resources(*_patients(1, language="@")).replace(
         "@", "\\\\" * 5_000_000), "value", "1", bundle=True),
    Case("a focus on each of 20,000 contained patients", lambda: _resources(*_patients(1), {
         **_observations(1)[0], "contained": _patients(20_000),
         "focus": [{"reference": f"#p{i}"} for i in range(20_000)]}), "value", "2", bundle=True),
    Case("100,000 names in one object", lambda: _resources(*_patients(1, **{f"x{i}": i for i in range(100_000)})),
         "value", "1", bundle=True),
    Case("extensions nested 1,000 deep", lambda: _resources(*_patients(1, extension="@")).replace('"@"',
         '[{"url": "u", "extension": ' * 1_000 + "[]" + "}]" * 1_000), "error", "input", bundle=True),
)


def run(case: Case) -> dict[str, Any]:
    """How the case ended: ``ends``, ``code`` or ``value``, ``located``."""
    from engine.errors import CompileError, EvaluationError
    from engine.language.values import DateTime
    from engine.language.values.json import encode, to_plain
    from engine.workspace import Workspace

    if case.bundle:
        return _run_bundle(case)
    workspace = Workspace()
    try:
        program = workspace.program(workspace.translate(case.make()))
        context = workspace.context(DateTime(2024, 1, 1, 0, 0, 0, 0, 0))
        value = workspace.evaluate(program, context).define("X")
        return {"ends": "value", "value": encode(to_plain(value)).decode()}
    except CompileError as problem:
        first = problem.diagnostics[0]
        return {"ends": "error", "code": first.code, "located": first.span is not None, "text": str(problem)[:300]}
    except EvaluationError as problem:
        located = problem.define is not None
        return {"ends": "error", "code": problem.code, "located": located, "text": str(problem)[:300]}


def _run_bundle(case: Case) -> dict[str, Any]:
    from engine.errors import InputError
    from engine.fhir import PatientRecord, decode_bundle

    try:
        record = PatientRecord.from_bundle(decode_bundle(case.make().encode(), source="hostile.json"))
        return {"ends": "value", "value": str(len(record.resources("Resource")))}
    except InputError as problem:
        return {"ends": "error", "code": "input", "located": True, "text": str(problem)[:300]}


def measured(case: Case) -> dict[str, Any]:
    """:func:`run` in a child process of bounded memory and time, with ``seconds`` and ``megabytes``."""
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _answer(case, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    result = json.loads(answer) if answer else {"ends": "crash", "text": f"status {status}"}
    seconds = time.perf_counter() - started
    processor = usage.ru_utime + usage.ru_stime
    return {"name": case.name, **result, "seconds": round(seconds, 3), "processor": round(processor, 3),
            "megabytes": usage.ru_maxrss // 1024}  # fmt: skip


def _answer(case: Case, pipe: int) -> None:
    """Writes the outcome and ends the child; whatever is no answer and no error of ours is a crash."""
    try:
        outcome = run(case)
    except BaseException as problem:  # noqa: BLE001 — the child reports what broke it, whatever it is
        place = traceback.extract_tb(problem.__traceback__)[-1:]
        where = "".join(traceback.format_list(place)) if place else ""
        outcome = {"ends": "crash", "text": f"{type(problem).__name__}: {str(problem)[:200]} {where}"}
    with os.fdopen(pipe, "wb") as stream:
        stream.write(json.dumps(outcome).encode())
    os._exit(0)


def results(names: list[str]) -> Iterator[dict[str, Any]]:
    """The outcome of each case (of those named, if any)."""
    run(Case("warm-up", lambda: _define("1 + 1"), "value", "2"))
    for case in CASES:
        if not names or any(name in case.name for name in names):
            yield measured(case)


def main(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    for result in results([a for a in arguments if a != "--json"]):
        if as_json:
            print(json.dumps(result), flush=True)
            continue
        ended = result.get("value", result.get("code", ""))[:24] or result["ends"]
        print(f"{result['seconds']:7.2f} s (processor {result['processor']:6.2f} s) {result['megabytes']:4d} MB  "
              f"{result['name']:46} {result['ends']} {ended}",
              result["text"] if result["ends"] == "crash" else "", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
