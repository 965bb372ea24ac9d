"""Records from FHIR servers: SMART Backend Services as client, searches, ``$everything`` and bulk export."""

from engine.sources.smart.completeness import Completeness, Missing
from engine.sources.smart.failures import NoToken, RefusedAddress, ServerError
from engine.sources.smart.plan import Plan, Search, plan
from engine.sources.smart.run import ServerRecords, connect, records_from_server, trial_requirements
from engine.sources.smart.settings import ServerSettings, load_servers, read_servers, server_named

__all__ = [
    "Completeness",
    "Missing",
    "NoToken",
    "Plan",
    "RefusedAddress",
    "Search",
    "ServerError",
    "ServerRecords",
    "ServerSettings",
    "connect",
    "load_servers",
    "plan",
    "read_servers",
    "records_from_server",
    "server_named",
    "trial_requirements",
]
