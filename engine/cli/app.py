"""The commands and their arguments. What a command needs is imported when it runs, so that help stays quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.limits import MaxCallDepth, MaxListSize, MaxSteps, MaxTextSize, TimeLimit, limits_of

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Screens patients for clinical trials whose eligibility criteria are written in CQL.",
)  # fmt: skip


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="INPUT...", help="FHIR R4 bundles, folders of bundles, NDJSON files of bundles."),
]
TrialIds = Annotated[
    list[str] | None,
    typer.Option("--trial", metavar="ID", help="Only this trial (repeatable); a .cql file is taken as it is."),
]
PatientId = Annotated[str | None, typer.Option("--patient", metavar="ID", help="Only this patient.")]
ScreeningDate = Annotated[
    str | None, typer.Option("--screening-date", metavar="DATE", help="The day asked about; today by default.")
]
Parameters = Annotated[
    Path | None, typer.Option("--parameters", metavar="FILE", help="A JSON object with CQL parameters by name.")
]
TimeZone = Annotated[
    str, typer.Option("--time-zone", metavar="OFFSET", help="The site's offset from UTC, for times without one.")
]


@app.command()
def screen(
    inputs: Inputs = None,
    trial: TrialIds = None,
    patient: PatientId = None,
    screening_date: ScreeningDate = None,
    parameters: Parameters = None,
    time_zone: TimeZone = "+00:00",
    format: Annotated[
        Format, typer.Option("--format", help="Of what is printed, or of the output file.")
    ] = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the whole result here (JSON unless --format)."),
    ] = None,
    server: Annotated[
        str | None, typer.Option("--server", metavar="NAME", help="Screen patients of this FHIR server, without INPUT.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="ID", help="Only the members of this Group of the server.")
    ] = None,
    servers: Annotated[
        Path, typer.Option("--servers", metavar="FILE", envvar="ELIGIBILITY_SERVERS", help="The settings of servers.")
    ] = Path("servers.toml"),
    time_limit: TimeLimit = None,
    max_steps: MaxSteps = None,
    max_list_size: MaxListSize = None,
    max_text_size: MaxTextSize = None,
    max_call_depth: MaxCallDepth = None,
) -> None:
    """Screens patients for trials: eligible first, then by how little would settle the rest."""
    from engine.cli.inputs import Options
    from engine.cli.screening import command, server_command

    if bool(inputs) == (server is not None):
        raise typer.BadParameter("give INPUT or --server NAME, one of them", param_hint="INPUT")
    if group is not None and server is None:
        raise typer.BadParameter("a group is one of a server; give --server NAME too", param_hint="--group")
    limits = limits_of(time_limit, max_steps, max_list_size, max_text_size, max_call_depth)
    options = Options(trial or [], patient, screening_date, parameters, time_zone, limits)
    if server is not None:
        from engine.cli.servers import ServerOptions

        asked = ServerOptions(server, servers, patient, group)
        raise typer.Exit(server_command(asked, options, format.value, output))
    raise typer.Exit(command(inputs or [], options, format.value, output))


@app.command()
def explain(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="One patient's FHIR R4 bundle.")],
    trial: TrialIds = None,
    patient: PatientId = None,
    screening_date: ScreeningDate = None,
    parameters: Parameters = None,
    time_zone: TimeZone = "+00:00",
) -> None:
    """Prints one patient's answer, criterion by criterion, in the protocol's words."""
    from engine.cli.inputs import Options
    from engine.cli.screening import explain_command

    raise typer.Exit(explain_command(bundle, Options(trial or [], patient, screening_date, parameters, time_zone)))


@app.command()
def trials() -> None:
    """Lists the trials."""
    from engine.cli.listing import command

    raise typer.Exit(command())


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="CQL files, value sets, folders; the product's own by default."),
    ] = None,
) -> None:
    """Compiles libraries and value sets and prints every mistake with its place; exit code 1 if there is an error."""
    from engine.cli.checking import command

    raise typer.Exit(command(paths or []))


@app.command(name="test")
def run_cases(
    trials: Annotated[
        list[str] | None, typer.Argument(metavar="[TRIAL...]", help="Ids of trials or .cql files; all by default.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FOLDER", help="Write every case with its whole bundle here.")
    ] = None,
) -> None:
    """Runs the trials' own cases and shows which results each criterion and atom was seen in."""
    from engine.cli.testing import command

    raise typer.Exit(command(trials or [], write))


@app.command(name="eval")
def evaluate(
    expression: Annotated[str | None, typer.Argument(metavar="EXPRESSION", help="A CQL expression.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="Evaluate it over this patient.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Answer expressions from standard input, a JSON object a line.")
    ] = False,
    time_limit: TimeLimit = None,
    max_steps: MaxSteps = None,
    max_list_size: MaxListSize = None,
    max_text_size: MaxTextSize = None,
    max_call_depth: MaxCallDepth = None,
) -> None:
    """Evaluates a CQL expression."""
    from engine.cli.evaluate import command

    limits = limits_of(time_limit, max_steps, max_list_size, max_text_size, max_call_depth)
    raise typer.Exit(command(expression, bundle, jsonl, limits))


@app.command()
def run(
    library: Annotated[
        Path, typer.Argument(metavar="LIBRARY.cql", help="The CQL library whose defines are evaluated.")
    ],
    cql_dir: Annotated[
        list[Path] | None, typer.Option("--cql-dir", metavar="DIR", help="Where included libraries are (repeatable).")
    ] = None,
    valuesets: Annotated[
        list[Path] | None, typer.Option("--valuesets", metavar="DIR", help="FHIR value sets (repeatable).")
    ] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="FILE", help="The patient's FHIR bundle.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", metavar="NAME=LITERAL", help="A CQL literal (repeatable).")
    ] = None,
    patient: PatientId = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="DATETIME", help="The evaluation time; the clock by default.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", "--time-zone", metavar="ZONE", help="+08:00 or Asia/Singapore; UTC by default."),
    ] = None,
    batch: Annotated[
        Path | None, typer.Option("--batch", metavar="JOBS.jsonl", help="A job a line: id, bundle, parameters.")
    ] = None,
    time_limit: TimeLimit = None,
    max_steps: MaxSteps = None,
    max_list_size: MaxListSize = None,
    max_text_size: MaxTextSize = None,
    max_call_depth: MaxCallDepth = None,
) -> None:
    """Prints every define of a CQL library over a patient's record, as JSON."""
    from engine.cli.run import command

    limits = limits_of(time_limit, max_steps, max_list_size, max_text_size, max_call_depth)
    found = (cql_dir or [], valuesets or [])
    raise typer.Exit(command(library, *found, bundle, parameter or [], patient, now, timezone, batch, limits))


@app.command()
def conformance(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="XML files of the HL7 CQL test suite.")],
    require: Annotated[
        int | None, typer.Option("--require", metavar="N", help="Exit code 1 if fewer tests pass.")
    ] = None,
) -> None:
    """Runs the HL7 CQL test suite and prints a table and each failure."""
    from engine.cli.conformance import command

    raise typer.Exit(command(folder, require))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at; 0 for any that is free.")] = 8000,
) -> None:
    """Starts the HTTP service, by default for this machine only."""
    from engine.cli.serving import command

    raise typer.Exit(command(host, port))


@app.command()
def replay(
    run: Annotated[str, typer.Argument(metavar="ID", help="The id of a stored run (the header X-Run-Id).")],
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="The data of today instead of those stored.")
    ] = None,
    screening_date: ScreeningDate = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write the result here.")] = None,
) -> None:
    """Runs a stored run again: the same bytes, or what changed since (exit code 1)."""
    from engine.cli.replay import command

    raise typer.Exit(command(run, bundle, screening_date, output))


audit = typer.Typer(no_args_is_help=True, help="The audit of the service: who screened whom, when, with what.")
app.add_typer(audit, name="audit")


@audit.command(name="check")
def check_audit(
    head: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:DIGEST", help="A head noted earlier, to be in it still.")
    ] = None,
) -> None:
    """Says whether the audit is whole, and what was changed if not (exit code 1)."""
    from engine.cli.audit import check_command

    raise typer.Exit(check_command(head))


@audit.command(name="export")
def export_audit(
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write the entries here.")] = None,
) -> None:
    """Writes the audit as NDJSON of FHIR AuditEvent resources."""
    from engine.cli.audit import export_command

    raise typer.Exit(export_command(output))
