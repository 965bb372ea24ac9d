"""Compiled libraries on disk: an entry answers only for what it was made from, and holds nothing that could mislead."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import cache as cache_module
from engine import precompile
from engine.errors import Diagnostic, Severity, Span
from engine.language import SourceText, Translator
from engine.language.elm import nodes as elm
from engine.language.translation import Translation
from engine.language.values import DateTime
from engine.terminology.units import Units
from engine.workspace import COMPILED_HELPERS, Workspace, model_of

MAIN = """library Main version '1'
include Shared called Shared
define X: Shared.Number + 1
"""
SHARED = "library Shared\ndefine Number: 41\n"
NOW = DateTime(2024, 1, 1, 0, 0, 0, 0, 0)


class Folder:
    """A folder of CQL with a cache beside it; ``translate`` works in a new workspace, as a new command would."""

    def __init__(self, root: Path) -> None:
        self.cql, self.cache = root / "cql", root / "cache"
        self.cql.mkdir()
        self.write("Main", MAIN)
        self.write("Shared", SHARED)
        self.compiled = False

    def write(self, name: str, text: str) -> None:
        (self.cql / f"{name}.cql").write_text(text, encoding="utf-8")

    def translate(self, **options: bool) -> Translation:
        workspace = Workspace([self.cql], cache=self.cache, **options)
        found = workspace.translate_file(self.cql / "Main.cql")
        self.compiled = "translator" in vars(workspace)
        return found

    def value(self) -> object:
        translation = self.translate()
        workspace = Workspace([self.cql], cache=self.cache)
        return workspace.evaluate(workspace.program(translation), workspace.context(NOW)).define("X")

    def entries(self) -> list[Path]:
        return sorted(self.cache.glob("*"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_second_command_reads_what_the_first_compiled(folder: Folder) -> None:
    first = folder.translate()
    assert folder.compiled
    second = folder.translate()
    assert not folder.compiled
    assert second.library == first.library
    assert dict(second.libraries) == dict(first.libraries)
    assert (second.native, dict(second.included)) == (first.native, dict(first.included))
    assert second.library is not None
    assert first.library is not None
    assert second.library.source == first.library.source


def test_a_changed_text_is_compiled_again(folder: Folder) -> None:
    assert folder.value() == 42
    folder.write("Main", MAIN.replace("+ 1", "+ 2"))
    assert folder.value() == 43


def test_a_changed_include_is_compiled_again(folder: Folder) -> None:
    assert folder.value() == 42
    folder.write("Shared", SHARED.replace("41", "1"))
    assert folder.value() == 2
    assert not folder.compiled or folder.value() == 2


def test_an_include_that_is_gone_is_missed(folder: Folder) -> None:
    folder.translate()
    (folder.cql / "Shared.cql").unlink()
    assert next(d.code for d in folder.translate().errors) == "unknown-library"


def test_an_include_of_an_include_is_watched_too(folder: Folder) -> None:
    folder.write("Shared", "library Shared\ninclude Deep called Deep\ndefine Number: Deep.N\n")
    folder.write("Deep", "library Deep\ndefine N: 1\n")
    assert folder.value() == 2
    folder.write("Deep", "library Deep\ndefine N: 5\n")
    assert folder.value() == 6


def test_other_options_are_another_entry(folder: Folder) -> None:
    folder.translate()
    folder.translate(list_promotion=True)
    assert folder.compiled
    assert len(folder.entries()) == 2


def test_another_engine_is_another_entry(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.translate()
    monkeypatch.setattr(cache_module, "engine_fingerprint", lambda: "another engine")
    folder.translate()
    assert folder.compiled


def test_the_fingerprint_covers_front_end_model_and_units() -> None:
    found = {p.relative_to(cache_module.ENGINE).as_posix() for part in cache_module.PARTS for p in
             cache_module.ENGINE.glob(part)}  # fmt: skip
    assert {
        "language/analysis/overloads.py", "language/grammar/generated/CqlParser.py", "language/operators/list.py",
        "fhir/modelinfo/fhir-4.0.1.json", "fhir/model.py", "terminology/ucum_atoms.json", "workspace.py", "version.py",
    } <= found  # fmt: skip


def test_a_library_with_errors_is_not_kept(folder: Folder) -> None:
    folder.write("Main", MAIN.replace("Number", "Nummer"))
    assert folder.translate().errors
    assert folder.entries() == []
    assert folder.translate().errors


def test_an_expression_without_a_name_is_not_kept(folder: Folder) -> None:
    Workspace(cache=folder.cache).translate("define X: 1 + 1")
    assert folder.entries() == []


def damage(data: bytes) -> list[tuple[str, bytes]]:
    """Entries that are not what was written."""
    head, _, body = data.partition(b"\n")
    entry = json.loads(body)
    entry["question"] = "0" * 64 + ".elm"
    other = json.dumps(entry).encode()
    mark = cache_module.MARK + hashlib.sha256(other).hexdigest().encode()
    return [
        ("empty", b""),
        ("cut short", data[: len(data) // 2]),
        ("one value changed", data.replace(b'"value":"41"', b'"value":"40"')),
        ("no JSON", head + b"\n{"),
        ("of another question", mark + b"\n" + other),
        ("of another kind", b"\x80\x04\x95 not ours"),
        ("binary", bytes(range(256)) * 20),
    ]


@pytest.mark.parametrize("at", range(7))
def test_a_damaged_entry_is_as_good_as_none(folder: Folder, at: int) -> None:
    folder.translate()
    (entry,) = folder.entries()
    name, data = damage(entry.read_bytes())[at]
    assert data != entry.read_bytes(), name
    entry.write_bytes(data)
    assert folder.value() == 42, name
    folder.translate()
    assert not folder.compiled, f"{name}: the entry was not replaced"


def test_warnings_are_kept(folder: Folder) -> None:
    workspace = Workspace([folder.cql], cache=None)
    plain = workspace.translate_file(folder.cql / "Main.cql")
    warning = Diagnostic("Main.cql", Span(3, 1, 3, 8), "hides-missing", "a sentence", Severity.WARNING, "define X: …")
    warned = dataclasses.replace(plain, diagnostics=(warning,))
    question = cache_module.Question(MAIN, "Main.cql")
    cache = cache_module.CompileCache(folder.cache)
    cache.keep(question, warned)
    found = cache.find(question, workspace.libraries)
    assert found is not None
    assert found.diagnostics == (warning,)


def test_a_folder_that_cannot_be_used_keeps_nothing(folder: Folder) -> None:
    folder.cache.write_text("a file where the folder should be", encoding="utf-8")
    assert folder.value() == 42
    assert folder.value() == 42


def test_no_temporary_file_stays(folder: Folder) -> None:
    folder.translate()
    assert [path.suffix for path in folder.entries()] == [".elm"]


def test_the_oldest_entries_go(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 2)
    for number in range(4):
        folder.write("Main", MAIN.replace("+ 1", f"+ {number}"))
        folder.translate()
    assert len(folder.entries()) == 2


def test_a_library_is_not_written_for_each_that_includes_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("L0", "library L0\ndefine X: 1\n")
    for number in range(1, 6):
        folder.write(f"L{number}", f"library L{number}\ninclude L{number - 1} called P\ndefine X: P.X + 1\n")
    written: list[str] = []
    whole = cache_module.to_json

    def counting(library: elm.Library) -> object:
        written.append(library.name)
        return whole(library)

    monkeypatch.setattr(cache_module, "to_json", counting)
    workspace = Workspace([folder.cql], cache=folder.cache)
    for number in range(6):
        workspace.translate((folder.cql / f"L{number}.cql").read_text(), f"L{number}.cql")
    # As what is asked for and as what the others include, but not for each of those again.
    assert max(map(written.count, written)) == 2


HEAVY = (
    "antlr4", "pint", "ucumvert", "fhir.resources", "pydantic", "engine.language.analysis", "engine.language.syntax",
)  # fmt: skip
RUN = """
import sys
from pathlib import Path
from engine.language.values import DateTime
from engine.terminology.units import Units
from engine.workspace import COMPILED_HELPERS, Workspace, model_of
cql, cache = Path(sys.argv[1]), Path(sys.argv[2])
workspace = Workspace([cql], cache=cache)
program = workspace.program(workspace.translate_file(cql / "Main.cql"))
value = workspace.evaluate(program, workspace.context(DateTime(2024, 1, 1, 0, 0, 0, 0, 0))).define("X")
print(value, [name for name in sys.argv[3:] if name in sys.modules])
"""


def test_a_cached_library_runs_without_the_front_end(folder: Folder) -> None:
    answers = [
        subprocess.run([sys.executable, "-c", RUN, str(folder.cql), str(folder.cache), *HEAVY],
                       capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]  # fmt: skip
    assert "antlr4" in answers[0]
    assert answers[1] == "42 []"


def test_importing_the_language_loads_no_front_end() -> None:
    program = f"import sys, engine.language; print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_compiled_helpers_are_current() -> None:
    message = "run: python -m engine.precompile"
    assert COMPILED_HELPERS.read_bytes() == precompile.compiled(), message


def test_compiled_helpers_of_another_text_are_not_used() -> None:
    compiled = COMPILED_HELPERS.read_bytes()

    class Changed:
        def find(self, name: str, version: str | None) -> SourceText:
            text = "library FHIRHelpers version '4.0.1'\ndefine Mine: 7\n"
            return SourceText(text, "FHIRHelpers.cql", native=True, compiled=compiled)

        def names(self) -> list[str]:
            return ["FHIRHelpers"]

    translator = Translator(units=Units(), models=model_of, sources=Changed())
    text = "library Main\nusing FHIR version '4.0.1'\ninclude FHIRHelpers called H\ndefine X: H.Mine\n"
    assert translator.translate(text).errors == ()


def test_screening_with_cached_trials_loads_no_front_end(tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "engine", "screen", "fhir_fixtures", "--trial", "PSMA-NK",
               "--output", str(tmp_path / "result.json")]  # fmt: skip
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    loaded = []
    for _ in range(2):
        done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=True)
        loaded.append({line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if "|" in line})
    assert "antlr4" in loaded[0]
    heavy = {"antlr4", "pint", "fhir.resources", "engine.language.analysis", "engine.language.syntax"}
    assert loaded[1] & heavy == set()
