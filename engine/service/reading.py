"""Reading what the service offers: the CapabilityStatement, and read and search of its resources."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from engine.fhir.out import write
from engine.language.values.json import encode
from engine.service.calls import Reply
from engine.service.catalogue import READABLE, Catalogue, Resource, matching
from engine.service.describing import reading
from engine.service.principal import Caller
from engine.service.refusals import refused
from engine.service.wire import FHIR_JSON, IGNORED, fhir, sent, wants_json
from engine.version import __version__

router = APIRouter(prefix="/fhir", tags=["FHIR resources"])

_PUBLISHED: Final = {
    "_id": "token", "url": "uri", "version": "token", "name": "string", "title": "string", "status": "token",
}  # fmt: skip
SEARCH: Final[dict[str, dict[str, str]]] = {
    "ResearchStudy": {
        "_id": "token", "identifier": "token", "title": "string", "status": "token", "enrollment": "reference",
    },
    "Group": {"_id": "token", "name": "string"},
    "Library": _PUBLISHED,
    "ValueSet": _PUBLISHED,
    "OperationDefinition": _PUBLISHED,
}  # fmt: skip
PAGING: Final = ("_count", "_offset")
UNUSED: Final = (*IGNORED, "_total")
OPERATIONS: Final = "http://hl7.org/fhir/uv/cql/OperationDefinition/"
PUBLISHED: Final = "2026-11-22"


@router.get("/metadata", **reading("What this service can do", "CapabilityStatement"))
async def metadata(request: Request) -> Response:
    """The CapabilityStatement; nobody has to be known to read it."""
    wants_json(request)
    return fhir(_capabilities(request))


@router.get("/{name}/{identity}", **reading("Reads a resource", "Resource"))
async def read(name: str, identity: str, request: Request, caller: Caller) -> Response:
    """One resource by type and id."""
    _no_operation(identity)
    wants_json(request)
    if identity not in _of_type(request, name):
        raise refused(404, "not-found", f"there is no {name} of this id here")
    catalogue: Catalogue = request.app.state.catalogue
    return sent(Reply(200, catalogue.written(name)[identity], FHIR_JSON))


@router.get("/{name}", **reading("Searches resources of a type", "Bundle"))
async def search(name: str, request: Request, caller: Caller) -> Response:
    """The resources of a type that fit all search parameters, as a searchset Bundle."""
    _no_operation(name)
    wants_json(request)
    held = _of_type(request, name)
    wanted: dict[str, list[str]] = {}
    lenient = re.search(r"\bhandling\s*=\s*lenient\b", request.headers.get("prefer", "")) is not None
    used = []
    for key, value in request.query_params.multi_items():
        if key in SEARCH[name] or key in PAGING or key in UNUSED:
            used.append((key, value))
        if key in PAGING or key in UNUSED:
            continue
        if key not in SEARCH[name]:
            if lenient:
                continue
            raise refused(400, "not-supported", f"{name} is searched by {', '.join(SEARCH[name])}, and by nothing else")
        wanted.setdefault(key, []).append(value)
    found = matching(held.values(), wanted)
    first, count = _number(request, "_offset", 0), _number(request, "_count", len(found))
    bundle = _searchset(request, name, found, first, count, used)
    write(bundle)  # without the resources, which were validated as they were written
    catalogue: Catalogue = request.app.state.catalogue
    ids, texts = {id(resource): identity for identity, resource in held.items()}, catalogue.written(name)
    for entry, resource in zip(bundle.get("entry", ()), found[first : first + count], strict=True):
        entry["resource"] = msgspec.Raw(texts[ids[id(resource)]])
    return sent(Reply(200, encode(bundle), FHIR_JSON))


def _no_operation(name: str) -> None:
    if name.startswith("$"):
        raise HTTPException(405, headers={"Allow": "POST"})


def _of_type(request: Request, name: str) -> Any:
    catalogue: Catalogue = request.app.state.catalogue
    if name not in READABLE:
        raise refused(404, "not-supported", f"this service has {', '.join(READABLE)}, and no other types")
    return catalogue.resources(name)


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise refused(400, "value", f"{name} is a whole number from 0")
    return int(text)


def _searchset(
    request: Request, name: str, found: list[Resource], first: int, count: int, used: list[tuple[str, str]]
) -> dict[str, Any]:
    """A page of what was found, without the resources; its links have the parameters that were ``used`` alone."""
    base = base_of(request)
    page = found[first : first + count]
    entries = [
        {"fullUrl": f"{base}/{name}/{resource['id']}", "search": {"mode": "match"}}
        for resource in page
    ]
    links = [{"relation": "self", "url": f"{base}/{name}{_query(used)}"}]
    if count and first + count < len(found):
        paged = [row for row in used if row[0] not in PAGING]
        paged += [("_offset", str(first + count)), ("_count", str(count))]
        links.append({"relation": "next", "url": f"{base}/{name}{_query(paged)}"})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _query(parameters: list[tuple[str, str]]) -> str:
    return f"?{urlencode(parameters, safe=':/|,')}" if parameters else ""


def base_of(request: Request) -> str:
    """The address of the FHIR endpoint as its clients know it."""
    return f"{public_url(request)}/fhir"


def public_url(request: Request) -> str:
    """The address of the service as its clients know it."""
    catalogue: Catalogue = request.app.state.catalogue
    return (catalogue.settings.public_url or str(request.base_url)).rstrip("/")


def _capabilities(request: Request) -> dict[str, Any]:
    base = base_of(request)
    catalogue: Catalogue = request.app.state.catalogue
    resources: list[dict[str, Any]] = []
    for name, parameters in SEARCH.items():
        row: dict[str, Any] = {
            "type": name,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": key, "type": kind} for key, kind in parameters.items()],
        }
        operations = {
            "Library": [{"name": "evaluate", "definition": f"{OPERATIONS}cql-library-evaluate"}],
            "ResearchStudy": [{"name": "screen", "definition": catalogue.canonical("OperationDefinition", "screen")}],
        }
        resources.append(row | ({"operation": operations[name]} if name in operations else {}))
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Eligibility engine", "version": __version__},
        "implementation": {"description": "Clinical-trial eligibility from CQL", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": resources,
                "operation": [{"name": "cql", "definition": f"{OPERATIONS}cql-cql"}],
            }
        ],
    }
