"""Patients from files: a bundle, an NDJSON file of bundles, or a folder of such; one at a time, with its mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.fhir import Bundle, PatientRecord, decode_bundle

SUFFIXES = (".json", ".ndjson", ".jsonl")
PARAMETERS = "parameters.json"
"""The file that a folder of patients may keep the parameters of its runs in; it is no bundle and is passed over."""

LINES = (".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's record and the input it came from (a file, or a line of one)."""

    record: PatientRecord
    source: str


def patients(inputs: Iterable[Path], patient: str | None = None) -> Iterator[Patient | InputError]:
    """The patients of the inputs in order; an input that cannot be used is an InputError, and the rest goes on.

    ``patient`` (an id, reference or address) asks for one: bundles without it are passed over, and it is an InputError
    if no input has it.
    """
    paths = list(inputs)
    found = False
    for path in paths:
        for bundle in bundles(path):
            if isinstance(bundle, InputError):
                yield bundle
                continue
            if patient is not None and not _holds(bundle, patient):
                continue
            found = True
            yield _patient(bundle, patient)
    if patient is not None and not found:
        names = ", ".join(map(str, paths))
        yield InputError(names, "", f"holds no Patient '{patient}'; check the id")


def bundles(path: Path) -> Iterator[Bundle | InputError]:
    """The bundles of a file or folder (its ``.json``, ``.ndjson`` and ``.jsonl`` files, recursively and by name).

    A file called :data:`PARAMETERS` in a folder is not read.
    """
    try:
        folder = path.is_dir()
    except OSError as problem:
        yield InputError(shown(path), "", f"the file cannot be read: {problem.strerror}")
        return
    if not folder:
        yield from _of_file(path)
        return
    try:
        files = sorted(p for p in path.rglob("*") if _may_hold_bundles(p))
    except OSError as problem:
        yield InputError(shown(path), "", f"the folder cannot be read: {problem.strerror}")
        return
    if not files:
        yield InputError(shown(path), "", "the folder holds no bundle: no file that ends with .json or .ndjson")
    for file in files:
        yield from _of_file(file)


def shown(path: Path) -> str:
    """The path as text that can be written: bytes of a name that are no UTF-8 stand as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _may_hold_bundles(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.name != PARAMETERS and path.is_file()


def _of_file(path: Path) -> Iterator[Bundle | InputError]:
    source = shown(path)
    try:
        if path.suffix.lower() in LINES:
            yield from _of_lines(path, source)
            return
        data = path.read_bytes()
    except FileNotFoundError:
        yield InputError(source, "", "there is no such file or folder")
        return
    except OSError as problem:
        yield InputError(source, "", f"the file cannot be read: {problem.strerror}")
        return
    yield _decoded(data, source, "")


def _of_lines(path: Path, source: str) -> Iterator[Bundle | InputError]:
    """A bundle a line, of which one is held at a time. A Patient alone is none: the rest of an export is elsewhere."""
    empty = True
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                empty = False
                yield _decoded(line.rstrip(), source, f"line {number}")
    if empty:
        yield InputError(source, "", "is empty; a FHIR Bundle a line was expected")


def _decoded(data: bytes, source: str, place: str) -> Bundle | InputError:
    try:
        return decode_bundle(data, source=source, place=place, lone_patient=not place)
    except InputError as problem:
        return problem


def _patient(bundle: Bundle, patient: str | None) -> Patient | InputError:
    try:
        record = PatientRecord.from_bundle(bundle, patient)
    except InputError as problem:
        return problem
    return Patient(record, f"{bundle.source}: {bundle.place}" if bundle.place else bundle.source)


def _holds(bundle: Bundle, patient: str) -> bool:
    wanted = (patient, f"Patient/{patient}")
    return any(e.reference in wanted or e.full_url == patient for e in bundle.patients())
