"""The order of the rooms: imports point down only (read from the source with `ast`; nothing is imported)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = REPOSITORY / "engine"

# errors <- language <- fhir, terminology, cache <- workspace <- trials <- sources, report <- cli, service, spark.
# `engine` stands for engine/__init__.py, which gives the public names of the rooms below the faces.
LANGUAGE = {"errors", "version"}
RECORDS = LANGUAGE | {"language"}
WORKSPACE = RECORDS | {"fhir", "terminology", "cache"}
TRIALS = WORKSPACE | {"workspace"}
SOURCES = TRIALS | {"trials"}
PUBLIC = SOURCES | {"sources", "report"}
FACES = PUBLIC | {"engine"}
ROOMS: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "language": LANGUAGE,
    "fhir": RECORDS,
    "terminology": RECORDS,
    "cache": RECORDS,
    "workspace": WORKSPACE,
    "precompile": TRIALS,
    "trials": TRIALS,
    "sources": SOURCES,
    "report": SOURCES,
    "engine": PUBLIC,
    "service": FACES,
    "spark": FACES,
    "cli": FACES | {"service", "spark"},
    "__main__": {"cli"},
}

# Inside the language: what each part may not know, because it comes later or works for itself.
LANGUAGE_FORBIDDEN = {
    "grammar": {"syntax", "types", "values", "elm", "analysis", "operators", "evaluation"},
    "syntax": {"elm", "analysis", "operators", "evaluation"},
    "values": {"grammar", "syntax", "elm", "analysis", "operators", "evaluation"},
    "types": {"grammar", "syntax", "elm", "analysis", "operators", "evaluation"},
    "elm": {"grammar", "analysis", "operators", "evaluation"},
    "operators": {"grammar", "syntax", "analysis"},
    "analysis": {"grammar"},
    "evaluation": {"grammar", "analysis"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(source: str, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Each name of `engine` that is imported, with its line; `from engine import fhir` counts as `engine.fhir`."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, *([node.module] if node.module else [])])
            else:
                base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name == "engine" or name.startswith("engine."))


def room_of(module: str, depth: int) -> str:
    """The room at `depth` of a dotted name, or nothing where the name is not that deep."""
    parts = module.split(".")
    return parts[depth] if len(parts) > depth else ""


def top_room(module: str) -> str:
    room = room_of(module, 1)
    return room if room in ROOMS else "engine"


def offences(source: str, module: str, is_package: bool) -> list[str]:
    """The imports of a module that point up or across, each as a sentence."""
    found = []
    room, part = top_room(module), room_of(module, 2)
    for name, line in imported_modules(source, module, is_package):
        target = top_room(name)
        if target != room and target not in ROOMS[room]:
            found.append(f"{module}:{line} imports {name}: {room} must not know {target}")
        elif room == target == "language" and room_of(name, 2) in LANGUAGE_FORBIDDEN.get(part, set()):
            found.append(f"{module}:{line} imports {name}: {part} must not know {room_of(name, 2)}")
    return found


def sources() -> list[Path]:
    return sorted(path for path in ENGINE.rglob("*.py") if "generated" not in path.parts)


def test_imports_point_down() -> None:
    found = [
        offence
        for path in sources()
        for offence in offences(path.read_text("utf-8"), module_name(path), path.name == "__init__.py")
    ]
    assert not found, "\n".join(found)


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {path.name.removesuffix(".py") for path in ENGINE.iterdir() if path.suffix == ".py" or path.is_dir()}
    unknown = rooms - set(ROOMS) - {"__init__", "__pycache__"}
    assert not unknown, f"name the place of {sorted(unknown)} in ROOMS"


def test_the_generated_parser_is_known_to_the_syntax_alone() -> None:
    found = [
        f"{module_name(path)}:{line} imports {name}"
        for path in sources()
        for name, line in imported_modules(path.read_text("utf-8"), module_name(path), path.name == "__init__.py")
        if "generated" in name.split(".")
        and not module_name(path).startswith(("engine.language.syntax", "engine.language.grammar"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    (
        ("engine.language.values.dates", "from engine.errors import CqlError", True),
        ("engine.language.values.dates", "from engine.fhir import records", False),
        ("engine.language.values.dates", "from engine import fhir", False),
        ("engine.language.values.dates", "import engine.trials.decide", False),
        ("engine.language.values.dates", "from ...fhir import records", False),
        ("engine.language.values.dates", "from .interval import Interval", True),
        ("engine.language.syntax.build", "from engine.language.analysis import names", False),
        ("engine.language.syntax.build", "from ..analysis import names", False),
        ("engine.language.operators.logical", "from engine.language import analysis", False),
        ("engine.language.operators.logical", "from engine.language.values.dates import Date", True),
        ("engine.fhir.records", "from engine.terminology import units", False),
        ("engine.trials.decide", "from engine.fhir.records import PatientRecord", True),
        ("engine.trials.decide", "from engine import Trial", False),
        ("engine.report.text", "from engine.sources import bundles", False),
        ("engine.service.app", "import engine", True),
    ),
)
def test_the_reading_of_imports(module: str, line: str, allowed: bool) -> None:
    assert (not offences(line, module, is_package=False)) is allowed
