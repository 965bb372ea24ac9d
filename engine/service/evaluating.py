"""Evaluation of CQL for ``$cql`` and ``Library/$evaluate``: libraries in, parameters of a Parameters resource out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.errors import CompileError, EvaluationError
from engine.fhir import PatientRecord
from engine.fhir.out import write
from engine.fhir.out_times import with_cql_text
from engine.fhir.out_values import Parameter, parameters_of, resources_in
from engine.language import Evaluation, Program, Translation
from engine.language.elm import json as elm_json
from engine.language.elm import nodes as elm
from engine.language.types.datatype import DataType, NamedType
from engine.service.catalogue import Catalogue, quoted
from engine.service.jobs import ExpressionJob, LibraryJob, record_of
from engine.service.parameter_values import Typed, bound, declarations, typed_values
from engine.service.refusals import Refused, of_compilation, of_evaluation, refused

RETURN: Final = "return"
PATIENT: Final = "Patient"
"""The define that a context Patient implies: the subject."""
PATIENT_TYPE: Final = NamedType("FHIR", "Patient")
FAILURE: Final = "evaluation error"
GIVEN: Final = "Parameters.parameter.where(name = 'parameters').resource.parameter"
EXPRESSION: Final = "Parameters.parameter.where(name = 'expression').value"
LIBRARY: Final = "Parameters.parameter.where(name = 'library')"
FHIR: Final = "using FHIR version '4.0.1'"
SLICE: Final = 1000
"""Parameters that are validated at once: the models of 200,000 would take 800 MB."""
CONTENT: Final = ("text/cql", "application/elm+json")


# ---------------------------------------------------------------- $cql


def evaluate_expression(catalogue: Catalogue, job: ExpressionJob) -> list[Parameter]:
    """The value of an expression under the name ``return``.

    Raises:
        Refused: the expression does not compile, or a library or parameter is not known.
        InputError: the data cannot be used.
    """
    values = {} if job.parameters is None else typed_values(job.parameters, GIVEN)
    record = _record(job)
    header = [*_header(catalogue, job, record), *declarations(values), f"define {quoted(RETURN)}:"]
    translation = catalogue.translate("\n".join([*header, job.expression]), "expression")
    program = _program(catalogue, translation, EXPRESSION, len(header))
    written = [d for d in program.main.expressions if d.name != PATIENT]
    if len(written) + len(program.main.functions) != 1:
        raise refused(400, "invalid", "the parameter 'expression' is one expression, not definitions", EXPRESSION)
    run = _Run(catalogue, program, job, record, values)
    return list(run.answers([(RETURN, program.main.key, RETURN)]))


def _header(catalogue: Catalogue, job: ExpressionJob, record: PatientRecord | None) -> Iterator[str]:
    if record is not None or job.libraries:
        yield FHIR
    for index, (url, name) in enumerate(job.libraries):
        text = catalogue.library_text(url)
        if text is None:
            raise _unknown_library(f"{LIBRARY}[{index}]")
        library = catalogue.translate(text.text, text.source).library
        if library is None:
            raise _unknown_library(f"{LIBRARY}[{index}]")
        yield f"include {quoted(library.name)}{_version(library.version)} called {quoted(name or library.name)}"
    if record is not None:
        yield "context Patient"


def _version(version: str | None) -> str:
    return "" if version is None else f" version '{version}'"


def _unknown_library(place: str) -> Refused:
    return refused(404, "not-found", "there is no library of this address here; search Library", place)


# ---------------------------------------------------------------- Library/$evaluate


def evaluate_library(catalogue: Catalogue, job: LibraryJob) -> list[Parameter]:
    """The values of a library's defines under their names.

    Raises:
        Refused: the library is not known or does not compile, or a define or parameter is not known.
        InputError: the data cannot be used.
    """
    program = _program(catalogue, *_library(catalogue, job))
    values = {} if job.parameters is None else typed_values(job.parameters, GIVEN)
    record = _record(job)
    run = _Run(catalogue, program, job, record, values)
    if job.expressions:
        asked = [_asked(program, name, index) for index, name in enumerate(job.expressions)]
    else:
        visible = [d for d in program.main.expressions if job.include_private or d.access == "public"]
        asked = [(d.name, program.main.key, d.name) for d in visible if d.name != PATIENT]
        if record is not None and any(d.context == PATIENT for d in program.main.expressions):
            asked.insert(0, (PATIENT, program.main.key, PATIENT))
    return list(run.answers(asked))


def _library(catalogue: Catalogue, job: LibraryJob) -> tuple[Translation, str, int]:
    if job.library is not None:
        return _inline(catalogue, job.library), LIBRARY, 0
    text = catalogue.library_text(job.url or "")
    if text is None:
        raise _unknown_library("Parameters.parameter.where(name = 'url')")
    return catalogue.translate(text.text, text.source), "Library", 0


def _inline(catalogue: Catalogue, library: Mapping[str, Any]) -> Translation:
    """The translation of a Library resource: its CQL text, else its ELM."""
    place = f"{LIBRARY}.resource.content"
    found: dict[str, bytes] = {}
    contents = library.get("content")
    for index, content in enumerate(contents if isinstance(contents, list) else ()):
        if isinstance(content, dict) and content.get("contentType") in CONTENT:
            found.setdefault(content["contentType"], _decoded(content.get("data"), f"{place}[{index}].data"))
    if "text/cql" in found:
        try:
            return catalogue.translate(found["text/cql"].decode("utf-8-sig"), "library")
        except UnicodeDecodeError:
            raise refused(400, "invalid", "the library's CQL is no UTF-8 text", place) from None
    if "application/elm+json" in found:
        return _of_elm(catalogue, elm_json.decode(found["application/elm+json"], source="library"))
    raise refused(400, "required", f"the library has no content of type {' or '.join(CONTENT)}", place)


def _decoded(data: Any, place: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", data), validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise refused(400, "value", "the library's content needs data in base64", place) from None


def _of_elm(catalogue: Catalogue, library: elm.Library) -> Translation:
    """ELM made ready: the libraries it includes are those of this service."""
    includes = [f"include {quoted(i.path)}{_version(i.version)} called {quoted(i.name)}" for i in library.includes]
    around = catalogue.translate("\n".join([FHIR, *includes]), "library")
    if around.errors:
        raise CompileError(around.errors)
    libraries = {key: inner for key, inner in around.libraries.items() if key != getattr(around.library, "key", None)}
    return Translation(library, {**libraries, library.key: library}, (), around.native)


def _asked(program: Program, name: str, index: int) -> tuple[str, str, str]:
    """(name as asked, key of the library, define): ``Library.Define`` means that of a library included."""
    if name == PATIENT or any(d.name == name for d in program.main.expressions):
        return name, program.main.key, name
    library, _, define = name.partition(".")
    aliases = {alias: key for unit in program.units.values() for alias, key in unit.includes.items()}
    for key, unit in program.units.items():
        if key in (library, aliases.get(library)) or key.partition("|")[0] == library:
            plain = define.strip('"')
            if plain in unit.expressions:
                return name, key, plain
    place = f"Parameters.parameter.where(name = 'expression')[{index}]"
    raise refused(400, "not-found", "the library has no define of this name", place)


# ---------------------------------------------------------------- both


def _program(catalogue: Catalogue, translation: Translation, place: str, first_line: int) -> Program:
    try:
        return catalogue.program(translation)
    except CompileError as problem:
        own = {"expression", "library"}
        source = next((d.source for d in problem.diagnostics if d.source in own), "")
        raise Refused(of_compilation(problem, place, first_line, source)) from None


def _record(job: ExpressionJob | LibraryJob) -> PatientRecord | None:
    return None if job.data is None else record_of(job.data, job.subject, withhold=False)


class _Run:
    """One evaluation of a program; every define that fails is an ``evaluation error``, and the others stand."""

    def __init__(
        self,
        catalogue: Catalogue,
        program: Program,
        job: ExpressionJob | LibraryJob,
        record: PatientRecord | None,
        values: Mapping[str, Typed],
    ) -> None:
        self.program = program
        self.record = record
        self.cql_text = isinstance(job, ExpressionJob) and job.cql_text
        self.data = (job.data, job.parameters, job.subject)
        given = bound(program, values, GIVEN)
        context = catalogue.workspace.context(job.now, record=record, parameters=given)
        self.evaluation: Evaluation = catalogue.workspace.evaluate(program, context)

    def answers(self, asked: list[tuple[str, str, str]]) -> Iterator[Parameter]:
        """The parameters of each define, in the order asked for."""
        for shown, library, define in asked:
            try:
                yield from self._answer(shown, library, define)
            except EvaluationError as problem:
                yield {"name": FAILURE, "resource": of_evaluation(problem, self.data, shown)}

    def _answer(self, shown: str, library: str, define: str) -> list[Parameter]:
        found = parameters_of(shown, *self._value(library, define))
        if self.cql_text:
            found = with_cql_text(found)
        try:
            for resource in resources_in(found):
                write(resource)
            for start in range(0, len(found), SLICE):
                rows = [without_empty(row) for row in found[start : start + SLICE]]
                write({"resourceType": "Parameters", "parameter": rows})
        except ValueError:
            message = "the result holds what is not valid FHIR R4 and cannot be sent; ask for the elements that matter"
            raise EvaluationError(message, code="not-fhir") from None
        return found

    def _value(self, library: str, define: str) -> tuple[Any, DataType]:
        definition = self.program.units[library].expressions.get(define)
        if definition is None:
            return None if self.record is None else self.record.subject, PATIENT_TYPE
        return self.evaluation.define(define, library), definition.expression.result_type


def without_empty(parameter: Parameter) -> Parameter:
    """The parameter with a stand-in for each empty text, and without resources, which are validated by themselves.

    CQL has the empty text and FHIR's string has not; it is sent all the same, since no other form would mean it.
    """
    row = {name: value for name, value in parameter.items() if name != "resource"}
    if row.get("valueString") == "":
        row["valueString"] = "empty"
    if "part" in row:
        row["part"] = [without_empty(inner) for inner in row["part"]]
    if "resource" in parameter:
        row["valueBoolean"] = True
    return row
