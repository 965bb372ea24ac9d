"""The habits of the repository, each held by reading the files themselves."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = REPOSITORY / "engine"

MODULE_LINES = 700
FUNCTION_LINES = 60

# Where a float may be made, by path, with the reason (a clinical value never is one).
FLOAT_ALLOWED: dict[str, str] = {
    "engine/language/analysis/base.py": "how alike two names must be for one to be suggested for the other",
    "engine/language/syntax/messages.py": "how alike a name must be to a keyword for that to be suggested",
    "engine/language/evaluation/budget.py": "the time limit of a define, in seconds of the machine's monotonic clock",
}
EXACT_ROOMS = ("language", "fhir", "terminology", "trials")

# Written in two halves, so that this file does not hold what it forbids.
REGISTRY_HOSTS = tuple(
    ".".join(halves)
    for halves in (("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"), ("deb.debian", "org"))
)
WORKPLACE_PATH = re.compile(r"(?<![\w.])/work" + r"/(?:main|shared|notes|\.)")
NAMELESS = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|handlers?|misc|common)(?:_|$)")

CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("os", "environ"),
    ("os", "getenv"),
}


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "generated" not in path.parts)


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def tracked_files() -> list[Path]:
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs git and a checkout, to know which files belong to the repository")
    paths = (REPOSITORY / name for name in listing.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def tracked_texts() -> Iterator[tuple[str, int, str]]:
    """Each line of each tracked text file: path, line number, text."""
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
                yield relative(path), number, line


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from `def` to its end, its docstring apart."""
    first = function.body[0]
    docstring = first if ast.get_docstring(function) is not None else None
    spent = (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - spent


def test_no_module_is_too_long() -> None:
    folders = (ENGINE, REPOSITORY / "tests", REPOSITORY / "bench")
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for f in folders for path in python_files(f)}
    assert not {path: lines for path, lines in lengths.items() if lines > MODULE_LINES}


def test_no_function_is_too_long() -> None:
    long = {
        f"{relative(path)}:{node.lineno} {node.name}": code_lines(node)
        for path in python_files(ENGINE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > FUNCTION_LINES
    }
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    assert not [relative(path) for path in python_files(ENGINE) if not ast.get_docstring(tree(path))]


def test_every_room_is_a_package() -> None:
    folders = {path.parent for path in ENGINE.rglob("*.py")}
    assert not [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()]


def test_modules_are_named_for_what_they_hold() -> None:
    assert not [relative(path) for path in python_files(ENGINE) if NAMELESS.search(path.stem)]


def floats_made(source: ast.Module) -> list[int]:
    """The lines that call `float`, or write one as a literal."""
    return [
        node.lineno
        for node in ast.walk(source)
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]


def test_no_float_is_made_where_clinical_values_are() -> None:
    found = [
        f"{relative(path)}:{line}"
        for room in EXACT_ROOMS
        for path in python_files(ENGINE / room)
        if relative(path) not in FLOAT_ALLOWED
        for line in floats_made(tree(path))
    ]
    assert not found, "use Decimal; a float that is no clinical value is named in FLOAT_ALLOWED, with its reason"


def test_the_float_exceptions_are_still_needed() -> None:
    files = {path: REPOSITORY / path for path in FLOAT_ALLOWED}
    assert not [path for path, file in files.items() if not file.is_file() or not floats_made(tree(file))]


def clocks_read(source: ast.Module) -> list[int]:
    """The lines that read the clock, the environment or chance."""
    return [
        node.lineno
        for node in ast.walk(source)
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in CLOCKS
        )
        or (isinstance(node, ast.Import) and any(alias.name in {"random", "secrets"} for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module in {"random", "secrets"})
    ]


def test_the_language_reads_no_clock() -> None:
    found = [
        f"{relative(path)}:{line}"
        for room in EXACT_ROOMS
        for path in python_files(ENGINE / room)
        for line in clocks_read(tree(path))
    ]
    assert not found, "time, environment and chance come in as arguments"


def test_no_registry_host_stands_in_the_repository() -> None:
    found = [f"{path}:{line}" for path, line, text in tracked_texts() if any(host in text for host in REGISTRY_HOSTS)]
    assert not found


def test_no_path_of_one_machine_stands_in_the_repository() -> None:
    assert not [f"{path}:{line}" for path, line, text in tracked_texts() if WORKPLACE_PATH.search(text)]


@pytest.mark.parametrize(
    ("source", "lines"),
    (
        ("x = float('1')", [1]),
        ("x = 0.5", [1]),
        ("x = Decimal('0.5')", []),
        ("x = isinstance(y, float)", []),
    ),
)
def test_the_reading_of_floats(source: str, lines: list[int]) -> None:
    assert floats_made(ast.parse(source)) == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    (
        ("x = datetime.now()", [1]),
        ("x = os.environ['TZ']", [1]),
        ("import random", [1]),
        ("x = context.now", []),
        ("x = time.monotonic()", []),
    ),
)
def test_the_reading_of_clocks(source: str, lines: list[int]) -> None:
    assert clocks_read(ast.parse(source)) == lines
