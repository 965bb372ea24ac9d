"""``eligibility serve``."""

from __future__ import annotations

from engine.cli.inputs import complain
from engine.errors import Severity


def command(host: str, port: int, *, cql_times: bool = False) -> int:
    """Runs the service until it is stopped; 2 when no trial can be used."""
    import uvicorn

    from engine.service import Settings, create_app

    app = create_app(Settings(cql_times=cql_times))
    catalogue = app.state.catalogue
    for diagnostic in catalogue.diagnostics:
        if diagnostic.severity is Severity.ERROR:
            complain(diagnostic.render())
    if not catalogue.trials:
        complain("Nothing is served: no trial can be used.")
        return 2
    uvicorn.run(app, host=host, port=port, log_level="info")
    return 0
