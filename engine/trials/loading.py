"""Trials from a folder of CQL: reads the tags of each library, and refuses what does not fit together (DESIGN 5).

Tags of the library: ``@trial`` (the id), ``@registry``, ``@title``; ``@incomplete: sentence`` for what the list of
criteria lacks; ``@notencoded: ID | inclusion or exclusion | the protocol's sentence`` for a criterion not yet written.
Tags of a define: ``@criterion: ID`` with ``@inclusion`` or ``@exclusion`` and ``@text``; ``@atom: ID`` with ``@text``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Diagnostic, InputError, Severity, Span
from engine.language import Program, Translation
from engine.language.elm import nodes as elm
from engine.language.types.datatype import BOOLEAN, ERROR
from engine.trials.reach import reach
from engine.trials.trial import Atom, Criterion, Kind, Trial
from engine.workspace import Workspace, read_text

_NOT_ENCODED = re.compile(r"(\S+)\s*\|\s*(inclusion|exclusion)\s*\|\s*(.+)", re.DOTALL)
_TRIAL = re.compile(r"@trial[ \t]*:[ \t]*(\S+)")
_IDENTIFYING = re.compile(r"@(criterion|atom)[ \t]*:[ \t]*(\S+)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def trial_ids(folder: Path) -> dict[Path, str]:
    """The CQL files below a folder that say they are a trial, with its id, read without compiling them."""
    found: dict[Path, str] = {}
    for path in sorted(folder.rglob("*.cql")) if folder.is_dir() else [folder]:
        try:
            match = _TRIAL.search(read_text(path))
        except InputError:
            continue  # read_trial reports the file to those who use it
        if match is not None:
            found[path] = match[1]
    return found


def load_trials(
    workspace: Workspace, folder: Path, ids: Collection[str] | None = None
) -> tuple[list[Trial], list[Diagnostic]]:
    """The usable trials of the CQL files below a folder (or of one file), by id, and all diagnostics.

    ``ids`` asks for these alone, and no other file is compiled. A library without ``@trial`` is no trial and is passed
    over. A trial with an error among its diagnostics is refused; the others stand.
    """
    trials: dict[str, Trial] = {}
    found: list[Diagnostic] = []
    paths = sorted(folder.rglob("*.cql")) if folder.is_dir() else [folder]
    if ids is not None:
        paths = [path for path, name in trial_ids(folder).items() if name in ids]
    for path in paths:
        trial, diagnostics = read_trial(workspace, path)
        found.extend(diagnostics)
        if trial is None:
            continue
        if trial.id in trials:
            message = f"the trial '{trial.id}' is also defined in {trials[trial.id].source}; give it another id"
            found.append(Diagnostic(str(path), None, "duplicate-trial", message))
            continue
        trials[trial.id] = trial
    return [trials[name] for name in sorted(trials)], list(dict.fromkeys(found))


def read_trial(workspace: Workspace, path: Path) -> tuple[Trial | None, list[Diagnostic]]:
    """The trial of one file, None when it is none or cannot be used, and every diagnostic of its library."""
    try:
        text = read_text(path)
    except InputError as problem:
        return None, [Diagnostic(str(path), None, "unreadable-file", problem.message)]
    return trial_of(workspace, workspace.translate(text, str(path)), text, str(path))


def trial_of(
    workspace: Workspace, translation: Translation, text: str, source: str
) -> tuple[Trial | None, list[Diagnostic]]:
    """The trial of a translated library: see :func:`read_trial`."""
    library = translation.library
    found = list(translation.diagnostics)
    if library is None or not any(name == "trial" for name, _ in library.tags):
        return None, found
    reading = _Reading(library, text, source)
    reading.read()
    found += reading.diagnostics
    if any(d.severity is Severity.ERROR for d in found):
        return None, found
    program = workspace.program(translation)
    criteria = reading.with_atoms(program)
    found = [*translation.diagnostics, *reading.diagnostics]
    if any(d.severity is Severity.ERROR for d in found):
        return None, found
    # Walked here, so that processes that load trials once and screen many times share it.
    reach(program, [c.define for c in criteria if c.define is not None])
    trial = Trial(
        id=reading.first("trial"), registry=reading.first("registry"), title=reading.first("title"),
        criteria=criteria, incomplete=tuple(one_line(v) for n, v in library.tags if n == "incomplete"),
        source=source, hash=_hash(translation), program=program,
    )  # fmt: skip
    return trial, found


def one_line(text: str) -> str:
    """A tag's text up to the first empty line, which ends it, with line ends as blanks."""
    return " ".join(text.strip().split("\n\n")[0].split())


def _hash(translation: Translation) -> str:
    rows = "\n".join(sorted(f"{key} {library.hash}" for key, library in translation.libraries.items()))
    return f"sha256:{hashlib.sha256(rows.encode()).hexdigest()}"


@dataclass(slots=True)
class _Reading:
    """Reads the tags of one library; mistakes go to ``diagnostics`` with their place."""

    library: elm.Library
    text: str
    source: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    criteria: list[tuple[Criterion, elm.ExpressionDef | None]] = field(default_factory=list)
    atoms: dict[str, tuple[Atom, elm.ExpressionDef]] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The value of a tag of the library, empty when it is not there."""
        return next((one_line(value) for tag, value in self.library.tags if tag == name), "")

    def read(self) -> None:
        """Reads criteria and atoms and reports what does not fit together."""
        for name in ("trial", "registry", "title"):
            if not self.first(name):
                self._at_tag(name, "trial-tag", f"the trial has no @{name}; add it to the comment above 'library'")
        for definition in self.library.expressions:
            self._define(definition)
        for other in (*self.library.functions, *self.library.parameters, *self.library.value_sets, *self.library.codes):
            if any(name in ("criterion", "atom") for name, _ in other.tags):
                message = f"'{other.name}' has the tag of a criterion or atom but is not a define without operands"
                self._report(other.span, "tag-without-define", message)
        for name, value in self.library.tags:
            if name == "notencoded":
                self._not_encoded(value)
        self._orphans()
        if not self.criteria:
            self._at_tag("trial", "no-criteria", "the trial has no criterion; tag its Boolean defines with @criterion")

    def with_atoms(self, program: Program) -> tuple[Criterion, ...]:
        """The criteria, inclusions first and by id, with the atoms that their defines use.

        An atom that no criterion uses is reported.
        """
        made: list[Criterion] = []
        owned: set[str] = set()
        names = {definition.name: atom for atom, definition in self.atoms.values()}
        ids = [criterion.id for criterion, _ in self.criteria]
        for criterion, definition in self.criteria:
            below = [] if definition is None else [n for _, n in reach(program, [definition.name]).defines]
            atoms = [names[n] for n in below if n in names and _belongs(names[n].id, criterion.id, ids)]
            owned.update(a.id for a in atoms)
            ordered = tuple(sorted(atoms, key=lambda a: natural(a.id)))
            made.append(Criterion(criterion.id, criterion.kind, criterion.text, criterion.define, ordered))
        for atom, definition in self.atoms.values():
            if atom.id not in owned:
                message = f"the atom {atom.id} is used by no criterion"
                prefix = next((i for i in ids if _is_part(atom.id, i)), None)
                self._report(
                    definition.span, "atom-without-criterion", message + (f"; {prefix} should" if prefix else "")
                )
        return tuple(sorted(made, key=lambda c: (c.kind == "exclusion", natural(c.id))))

    # ------------------------------------------------------------ defines

    def _define(self, definition: elm.ExpressionDef) -> None:
        tags = dict(definition.tags)
        criterion, atom = tags.get("criterion"), tags.get("atom")
        if criterion is None and atom is None:
            stray = [f"@{n}" for n in ("inclusion", "exclusion") if n in tags]
            if stray:
                message = f"'{definition.name}' has {stray[0]} but no @criterion with its id"
                self._report(definition.span, "tag-without-criterion", message)
            return
        if criterion is not None and atom is not None:
            message = f"'{definition.name}' is tagged both as a criterion and as an atom; keep one"
            self._report(definition.span, "criterion-and-atom", message)
            return
        kind = "criterion" if criterion is not None else "atom"
        identity = one_line((criterion if criterion is not None else atom) or "")
        text = one_line(tags.get("text", ""))
        if not identity or " " in identity:
            self._report(
                definition.span, f"{kind}-without-id", f"@{kind} of '{definition.name}' needs one id after its colon"
            )
            return
        if not text:
            self._report(
                definition.span, f"{kind}-without-text", f"the {kind} {identity} has no @text with the protocol's words"
            )
        if definition.expression.result_type not in (BOOLEAN, ERROR):  # what has an error was said where it stands
            message = f"the {kind} {identity} is of type {definition.expression.result_type}; it has to be Boolean"
            self._report(definition.span, f"{kind}-not-boolean", message)
        self._once(identity, definition.name, definition.span)
        if kind == "atom":
            self.atoms[identity] = (Atom(identity, text, definition.name), definition)
        else:
            made = Criterion(identity, self._kind(identity, tags, definition.span), text, definition.name)
            self.criteria.append((made, definition))

    def _kind(self, identity: str, tags: dict[str, str], span: Span | None) -> Kind:
        if ("inclusion" in tags) == ("exclusion" in tags):
            both = "both @inclusion and @exclusion" if "inclusion" in tags else "neither @inclusion nor @exclusion"
            self._report(span, "criterion-kind", f"the criterion {identity} has {both}; write exactly one")
        return "exclusion" if "exclusion" in tags else "inclusion"

    def _once(self, identity: str, name: str, span: Span | None) -> None:
        if identity in self.used:
            message = f"the id {identity} is given twice, to '{self.used[identity]}' and to '{name}'"
            self._report(span, "duplicate-id", message)
        self.used[identity] = name

    def _not_encoded(self, value: str) -> None:
        match = _NOT_ENCODED.fullmatch(one_line(value))
        if match is None:
            form = "@notencoded: ID | inclusion or exclusion | the protocol's sentence"
            self._at_tag("notencoded", "not-encoded-form", f"'{one_line(value)}' does not have the form {form}", value)
            return
        identity, kind, text = match.groups()
        if identity in self.used:
            message = f"{identity} is listed as not encoded, and '{self.used[identity]}' encodes it; remove one"
            self._at_tag("notencoded", "duplicate-id", message, identity)
            return
        self.used[identity] = "the list of criteria not encoded"
        listed: Kind = "inclusion" if kind == "inclusion" else "exclusion"
        self.criteria.append((Criterion(identity, listed, text, None), None))

    def _orphans(self) -> None:
        """Comments with the tag of a criterion or atom before no definition: the language never sees them."""
        seen = {one_line(v) for d in self._definitions() for n, v in d.tags if n in ("criterion", "atom")}
        for comment in _COMMENT.finditer(self.text):
            for tag in _IDENTIFYING.finditer(comment.group()):
                if tag[2] not in seen:
                    span = self._span(comment.start() + tag.start(), len(tag.group()))
                    message = f"the comment of {tag[2]} stands before no define"
                    self._report(span, "tag-without-define", message)

    def _definitions(self) -> Iterable[elm.Def]:
        library = self.library
        yield from (*library.expressions, *library.functions, *library.parameters, *library.value_sets)
        yield from (*library.codes, *library.concepts, *library.code_systems, *library.includes, *library.usings)

    # ------------------------------------------------------------ places

    def _report(self, span: Span | None, code: str, message: str) -> None:
        lines = self.text.splitlines()
        excerpt = lines[span.line - 1] if span is not None and 0 < span.line <= len(lines) else None
        self.diagnostics.append(Diagnostic(self.source, span, code, message, excerpt=excerpt))

    def _at_tag(self, name: str, code: str, message: str, near: str = "") -> None:
        """Reports at the tag of the library with that name (whose value begins like ``near``), else at its start."""
        starts = [m.start() for m in re.finditer(rf"@{name}\b", self.text)]
        first = near.split("\n")[0].strip() if near else ""
        start = next((s for s in starts if first and first in self.text[s : s + 400].split("\n")[0]), None)
        if start is None:
            start = starts[0] if starts else max(self.text.find("library"), 0)
        self._report(self._span(start, len(name) + 1 if starts else len("library")), code, message)

    def _span(self, offset: int, length: int) -> Span:
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        return Span(line, column, line, column + length - 1)


def _is_part(atom: str, criterion: str) -> bool:
    """PSMA-NK-E3a is a part of PSMA-NK-E3, not of PSMA-NK-E."""
    return atom.startswith(criterion) and atom[len(criterion) :].isalpha()


def _belongs(atom: str, criterion: str, criteria: Sequence[str]) -> bool:
    """An atom named for a criterion belongs to it alone, even where another one uses it as well."""
    named = [c for c in criteria if _is_part(atom, c)]
    return criterion in named or not named


def natural(identity: str) -> list[tuple[int, int, str]]:
    """A sort key in which E2 comes before E10 and E3z before E3aa."""
    parts = re.findall(r"\d+|[^\d]+", identity)
    return [(0, int(p), "") if p.isdigit() else (1, len(p), p) for p in parts]
