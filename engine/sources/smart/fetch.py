"""One patient's resources from a FHIR server: searches or ``$everything``, all pages, and what they refer to.

Whatever fails is recorded as missing, with its type and the reason, and the rest goes on. The searches of one patient
are asked at the same time, a few at once; what comes of it is the same in whatever order they are answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from engine.fhir import EVERY_TYPE, Bundle
from engine.sources.smart.completeness import Completeness, Missing, unavailable
from engine.sources.smart.failures import ServerError, issues, says_missing
from engine.sources.smart.http import Connection
from engine.sources.smart.plan import MAX_ROUNDS, Plan, Search, by_reference, needed_references, own_key, search_paths

IDS_AT_ONCE = 20
_REFUSED_SEARCH = (400, 404, 405, 414, 422, 501)


@dataclass(slots=True)
class Collected:
    """The resources of one patient by type and id, with the address each came from; the last answer counts."""

    resources: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)

    def bundle(self, patient: str, source: str) -> Bundle:
        """The Bundle of what was collected, in an order that does not depend on the server's.

        Raises:
            InputError: it is no usable Bundle.
        """
        first = ("Patient", patient)
        ordered = sorted(self.resources.items(), key=lambda item: (item[0] != first, item[0]))
        entries = [{"fullUrl": url, "resource": resource} for _, (url, resource) in ordered]
        content = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return Bundle(content, source=source, place=f"Patient/{patient}", unavailable=unavailable(self.missing))


class Pages:
    """The entries of a searchset, page after page."""

    def __init__(self, connection: Connection, completeness: Completeness) -> None:
        self._connection = connection
        self._completeness = completeness

    def entries(self, url: str, what: str, patient: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """(address, resource) of each entry.

        Raises:
            ServerError: a page could not be had, the pages go round in a circle or never end, or fewer resources came
                than the server counts; what was yielded before is no whole answer then.
        """
        name, limit = self._connection.name, self._connection.settings.max_pages
        seen: set[str] = set()
        matches, total, following = 0, 0, url
        while following:
            if following in seen:
                raise ServerError(name, what, f"page {len(seen)} leads back to an earlier one; the list has no end")
            if len(seen) >= limit:
                raise ServerError(name, what, f"has more than {limit} pages, the limit of the settings (max_pages)")
            seen.add(following)
            place = what if len(seen) == 1 else f"{what}, page {len(seen)}"
            page = self._connection.json(following, place)
            if page.get("resourceType") != "Bundle":
                raise ServerError(name, place, "the answer is no Bundle")
            total = max(total, page["total"] if isinstance(page.get("total"), int) else 0)
            for address, resource, mode in self._of_page(page, place):
                matches += mode != "include"
                yield address, resource
            link = _next(page)
            following = "" if link is None else self._connection.addresses.check(link, f"{place}: the next link")
        if matches < total:
            raise ServerError(name, what, f"the server counts {total} resources and gave {matches}")

    def _of_page(self, page: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        entries = page.get("entry")
        if not isinstance(entries, list | None):
            raise ServerError(self._connection.name, place, "Bundle.entry is not a list")
        for number, entry in enumerate(entries or (), start=1):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            kind = resource.get("resourceType") if isinstance(resource, dict) else None
            if kind == "OperationOutcome":
                self._outcome(resource, place)
                continue
            if not isinstance(resource, dict) or not isinstance(kind, str) or not isinstance(resource.get("id"), str):
                message = "holds no resource with a type and an id"
                raise ServerError(self._connection.name, f"{place}, entry {number}", message)
            search = entry.get("search")
            mode = str(search.get("mode")) if isinstance(search, dict) else "match"
            url = entry.get("fullUrl")
            usual = self._connection.addresses.below(f"{kind}/{resource['id']}")
            yield (url if isinstance(url, str) and url else usual), resource, mode

    def _outcome(self, resource: Any, place: str) -> None:
        """What the server says beside its results: that some are missing, or something to note."""
        for severity, code, text in issues(resource):
            if says_missing(severity, code):
                raise ServerError(self._connection.name, place, f"the server says that results are missing: {text}")
            self._completeness.note(f"{self._connection.name}: {place}: {text}")


class Fetching:
    """Fetches patients by searches or by ``$everything``."""

    def __init__(self, connection: Connection, plan: Plan, completeness: Completeness) -> None:
        self._connection = connection
        self._plan = plan
        self._completeness = completeness
        self._pages = Pages(connection, completeness)
        self._whole = connection.settings.method == "everything"

    def patient(self, patient: str) -> Collected:
        """Everything the plan asks for about one patient; what failed stands in ``missing``.

        Raises:
            ServerError: the Patient itself could not be had.
        """
        found = Collected()
        self._put(found, *self._read("Patient", patient))
        if not self._whole:
            for kind, reason in self._plan.impossible.items():
                self._miss(found, patient, kind, reason)
        own = [kind for kind in self._plan.types if not by_reference(kind)]
        for kind, reason in self._connection.uncovered(own).items():
            self._miss(found, patient, kind, reason)
        self._records(found, patient, self._plan.searches)
        if self._plan.needs_related:
            for other in self._related(found, patient):
                searches = dict.fromkeys((*self._plan.related, *self._plan.searches))
                self._records(found, other, tuple(searches))
        self._follow(found, patient)
        for missing in found.missing:
            self._completeness.add(missing)
        return found

    def listed(self, path: str, what: str) -> Iterator[str]:
        """The ids of the Patients that a search lists.

        Raises:
            ServerError: as of :meth:`Pages.entries`.
        """
        for _, resource in self._pages.entries(self._connection.addresses.below(path), what):
            if resource["resourceType"] == "Patient":
                yield resource["id"]

    # ------------------------------------------------------------ the resources of one person

    def _records(self, found: Collected, patient: str, searches: tuple[Search, ...]) -> None:
        if self._whole:
            self._everything(found, patient)
            return
        with ThreadPoolExecutor(self._connection.settings.searches_at_once, "searches") as threads:
            parts = list(threads.map(lambda search: self._searched(patient, search), searches))
        # Put together in the order of the plan, whichever answer came first.
        for part, notes in parts:
            found.resources.update(part.resources)
            for missing in part.missing:
                self._miss(found, patient, missing.type, missing.reason)
            for note in notes:
                self._completeness.note(note)

    def _searched(self, patient: str, search: Search) -> tuple[Collected, list[str]]:
        """What one search gave, and what the server noted beside it."""
        part, told = Collected(), Completeness()
        try:
            self._search(part, Pages(self._connection, told), patient, search)
        except ServerError as problem:
            self._miss(part, patient, search.type, str(problem))
        return part, told.notes

    def _search(self, found: Collected, pages: Pages, patient: str, search: Search) -> None:
        settings = self._connection.settings
        room = settings.max_url_length - len(self._connection.addresses.base) - 1
        paths = search_paths(search, patient, page_size=settings.page_size, max_length=room)
        try:
            self._all(found, paths, f"{search.type} of Patient/{patient}", pages)
        except ServerError as problem:
            if search.codes is None or problem.status not in _REFUSED_SEARCH:
                raise
            # A server that cannot search by these codes may still give all of the type.
            whole = search_paths(Search(search.type), patient, page_size=settings.page_size, max_length=room)
            self._all(found, whole, f"{search.type} of Patient/{patient}", pages)

    def _all(self, found: Collected, paths: list[str], what: str, pages: Pages | None = None) -> None:
        for path in paths:
            for url, resource in (pages or self._pages).entries(self._connection.addresses.below(path), what):
                self._put(found, url, resource)

    def _everything(self, found: Collected, patient: str) -> None:
        base = f"Patient/{quote(patient, safe='')}/$everything"
        size = f"_count={self._connection.settings.page_size}"
        narrowed = "" if EVERY_TYPE in self._plan.impossible else f"_type={','.join(self._plan.types)}&"
        what = f"Patient/{patient}/$everything"
        try:
            try:
                self._all(found, [f"{base}?{narrowed}{size}"], what)
            except ServerError as problem:
                if not narrowed or problem.status not in _REFUSED_SEARCH:
                    raise
                self._all(found, [f"{base}?{size}"], what)
        except ServerError as problem:
            self._miss(found, patient, EVERY_TYPE, str(problem))

    def _related(self, found: Collected, patient: str) -> list[str]:
        """The other Patients whom a RelatedPerson of this one is (a donor's own record), by id."""
        persons = [identity for kind, identity in found.resources if kind == "RelatedPerson"]
        others: dict[str, None] = {}
        for person in persons:
            path = f"Patient?link=RelatedPerson/{quote(person, safe='')}&_count={self._connection.settings.page_size}"
            what = f"Patients linked to RelatedPerson/{person}"
            try:
                for url, resource in self._pages.entries(self._connection.addresses.below(path), what):
                    self._put(found, url, resource)
                    if resource["resourceType"] == "Patient" and resource["id"] != patient:
                        others[resource["id"]] = None
            except ServerError as problem:
                self._miss(found, patient, "RelatedPerson", str(problem))
        return list(others)

    # ------------------------------------------------------------ references

    def _follow(self, found: Collected, patient: str) -> None:
        """Reads what fetched resources refer to, where the plan needs it: medicines, organizations and their like."""
        base = self._connection.addresses.base
        asked: set[tuple[str, str]] = set()
        for _ in range(MAX_ROUNDS):
            wanted: dict[tuple[str, str], set[str]] = {}
            for (kind, identity), (_, resource) in list(found.resources.items()):
                for reference, concerned in needed_references(self._plan, kind, resource, base):
                    key = own_key(reference, base)
                    if key is None:
                        message = f"{kind}/{identity} refers to {reference}, which is not of this server"
                        self._miss(found, patient, concerned, message)
                    elif key not in found.resources and key not in asked:
                        wanted.setdefault(key, set()).add(concerned)
            if not wanted:
                return
            asked.update(wanted)
            self._read_all(found, patient, wanted)

    def _read_all(self, found: Collected, patient: str, wanted: Mapping[tuple[str, str], set[str]]) -> None:
        """Reads them several at a time by ``_id``, and those that did not come that way one by one."""
        by_type: dict[str, list[str]] = {}
        for kind, identity in sorted(wanted):
            by_type.setdefault(kind, []).append(identity)
        for kind, identities in by_type.items():
            for start in range(0, len(identities) if len(identities) > 1 else 0, IDS_AT_ONCE):
                some = ",".join(quote(identity, safe="") for identity in identities[start : start + IDS_AT_ONCE])
                try:
                    self._all(found, [f"{kind}?_id={some}&_count={IDS_AT_ONCE}"], f"{kind} by id")
                except ServerError:
                    # Each is read by itself below, and that failure is told.
                    break
        for (kind, identity), concerned in sorted(wanted.items()):
            if (kind, identity) in found.resources:
                continue
            try:
                self._put(found, *self._read(kind, identity))
            except ServerError as problem:
                for name in sorted(concerned):
                    self._miss(found, patient, name, str(problem))

    def _read(self, kind: str, identity: str) -> tuple[str, dict[str, Any]]:
        path = f"{kind}/{quote(identity, safe='')}"
        resource = self._connection.json(self._connection.addresses.below(path), f"{kind}/{identity}")
        if (resource.get("resourceType"), resource.get("id")) != (kind, identity):
            raise ServerError(self._connection.name, f"{kind}/{identity}", "the answer is another resource")
        return self._connection.addresses.below(f"{kind}/{identity}"), resource

    def _put(self, found: Collected, url: str, resource: dict[str, Any]) -> None:
        found.resources[resource["resourceType"], resource["id"]] = (url, resource)

    def _miss(self, found: Collected, patient: str, kind: str, reason: str) -> None:
        missing = Missing(kind, reason, f"Patient/{patient}")
        if missing not in found.missing:
            found.missing.append(missing)


def group_members(connection: Connection, group: str, completeness: Completeness) -> list[str]:
    """The ids of the Patients that are members of a Group.

    Raises:
        ServerError: the Group could not be had, or lists no members.
    """
    what = f"Group/{group}"
    resource = connection.json(connection.addresses.below(f"Group/{quote(group, safe='')}"), what)
    members = resource.get("member")
    if resource.get("resourceType") != "Group" or not isinstance(members, list) or not members:
        raise ServerError(connection.name, what, "lists no members; a Group of Patients was expected")
    found: dict[str, None] = {}
    for number, member in enumerate(members, start=1):
        entity = member.get("entity") if isinstance(member, dict) else None
        text = entity.get("reference") if isinstance(entity, dict) else None
        if isinstance(member, dict) and member.get("inactive") is True:
            continue
        key = own_key(text, connection.addresses.base) if isinstance(text, str) else None
        if key is None or key[0] != "Patient":
            reason = f"{what}: member {number} is no Patient of this server, and was not screened"
            completeness.add(Missing(EVERY_TYPE, reason, f"{what} member {number}"))
            continue
        found[key[1]] = None
    return list(found)


def _next(page: dict[str, Any]) -> Any:
    links = page.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            return link.get("url")
    return None
