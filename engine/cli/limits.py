"""The options that limit what one define may use: time, steps, the size of its values, the depth of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.language import Limits

PANEL = "Limits of a define; reaching one is an error of that define"

TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", metavar="SECONDS", min=0.001, help="Time, with the defines it needs; 10 by default.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
MaxSteps = Annotated[
    int | None,
    typer.Option(
        "--max-steps", metavar="N", min=1, help="Rows visited, calls, elements made; 1,000,000 by default.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
MaxListSize = Annotated[
    int | None,
    typer.Option(
        "--max-list-size", metavar="N", min=1, help="Elements of one list; 250,000 by default.", rich_help_panel=PANEL
    ),
]
MaxTextSize = Annotated[
    int | None,
    typer.Option(
        "--max-text-size", metavar="N", min=1, help="Characters of one string; 1,000,000 by default.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
MaxCallDepth = Annotated[
    int | None,
    typer.Option(
        "--max-call-depth", metavar="N", min=1, max=500, help="Nesting of function calls; 100 by default.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip


def limits_of(
    seconds: float | None, steps: int | None, list_size: int | None, text_size: int | None, call_depth: int | None
) -> Limits:
    """The limits with those of the command line; an option that is not given keeps its default."""
    from engine.language import Limits

    own = Limits()
    return Limits(
        rows=own.rows if steps is None else steps,
        list_size=own.list_size if list_size is None else list_size,
        string_size=own.string_size if text_size is None else text_size,
        call_depth=own.call_depth if call_depth is None else call_depth,
        seconds=own.seconds if seconds is None else seconds,
    )
