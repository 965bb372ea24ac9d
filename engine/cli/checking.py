"""``eligibility check``: every diagnostic of libraries, trials and value sets in one run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.cli.inputs import complain
from engine.errors import Diagnostic, InputError, Severity, TerminologyError
from engine.language import Translation
from engine.report.words import counted
from engine.sources import own_content
from engine.terminology.store import TerminologyStore
from engine.trials import Trial
from engine.trials.lint import lint
from engine.trials.loading import trial_of
from engine.workspace import Workspace, read_text


def command(paths: list[Path]) -> int:
    """Checks the product's own content, or these files and folders; 1 if there is an error, 2 for a wrong path."""
    absent = [path for path in paths if not path.exists()]
    for path in absent:
        complain(f"{path}: there is no such file or folder")
    content = own_content()
    chosen = [path for path in paths if path.exists()] or ([] if paths else [content.folder])
    libraries = [p for path in chosen for p in _files(path, ".cql")]
    # What is checked comes first, so that it wins over the product's own library or value set of the same name.
    folders = [path if path.is_dir() else path.parent for path in chosen]
    shared = [f for f in (content.folder / "shared", content.trials) if f.is_dir()]
    value_sets = [_value_sets(path) for path in chosen if path.is_dir() or path.suffix == ".json"]
    workspace = Workspace([*folders, *shared], [*value_sets, content.valuesets])
    found: dict[Diagnostic, None] = dict.fromkeys(TerminologyStore.load(*value_sets).check() if value_sets else ())
    trials = 0
    for path in libraries:
        diagnostics, trial = _library(workspace, path)
        found.update(dict.fromkeys(diagnostics))
        trials += trial is not None
    for diagnostic in found:
        print(diagnostic.render())
    for code in TerminologyStore.load(*value_sets).unverified() if value_sets else ():
        named = f"{code.code} of {code.system}" + (f" ({code.display})" if code.display else "")
        print(f"not verified, and therefore no member of {code.value_set}: {named}")
    errors = sum(1 for d in found if d.severity is Severity.ERROR)
    checked = counted(len(libraries), "library", "libraries")
    told = f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
    print(f"{checked} checked, {counted(trials, 'usable trial')}: {told}")
    return 2 if absent else 1 if errors else 0


def _value_sets(path: Path) -> Path:
    """A folder of content keeps them in its folder ``valuesets``; another folder is searched whole."""
    own = path / "valuesets"
    return own if own.is_dir() else path


def _files(path: Path, suffix: str) -> list[Path]:
    if path.is_dir():
        return sorted(path.rglob(f"*{suffix}"))
    return [path] if path.suffix == suffix else []


def _library(workspace: Workspace, path: Path) -> tuple[Iterable[Diagnostic], Trial | None]:
    try:
        text = read_text(path)
        translation = workspace.translate(text, str(path))
    except InputError as problem:  # the file, or one of those that it includes
        place = f" ({problem.place})" if problem.place else ""
        return [Diagnostic(problem.source, None, "unreadable-file", f"{problem.message}{place}")], None
    trial, diagnostics = trial_of(workspace, translation, text, str(path))
    warnings = lint(translation.library, text, str(path)) if translation.library is not None else []
    return [*diagnostics, *warnings, *_unresolved(workspace, translation, text, str(path))], trial


def _unresolved(workspace: Workspace, translation: Translation, text: str, source: str) -> Iterable[Diagnostic]:
    """The value sets that the library declares and that nobody has."""
    lines = text.splitlines()
    for definition in translation.library.value_sets if translation.library is not None else ():
        try:
            workspace.terms.value_set(definition.id, definition.version)
        except TerminologyError as problem:
            span = definition.span
            excerpt = lines[span.line - 1] if span is not None and 0 < span.line <= len(lines) else None
            yield Diagnostic(source, span, "unknown-value-set", problem.message, excerpt=excerpt)
