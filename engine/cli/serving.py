"""``eligibility serve``."""

from __future__ import annotations

from engine.cli.inputs import complain, select_trials


def command(host: str, port: int) -> int:
    """Runs the service until it is stopped; 2 when no trial can be used."""
    import uvicorn

    from engine.service import create_app

    selection = select_trials([])
    for sentence in selection.problems:
        complain(sentence)
    if not selection.trials:
        return 2
    uvicorn.run(create_app(selection.workspace, selection.trials), host=host, port=port, log_level="info")
    return 0
