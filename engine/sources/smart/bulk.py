"""Bulk export: kick-off, waiting, the manifest and its files, and clearing up.

Source: Bulk Data Access (Flat FHIR) 2.0 and 3.0, "Export".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from engine.errors import InputError
from engine.fhir import EVERY_TYPE
from engine.fhir.decode import decode_json
from engine.sources.smart.completeness import Completeness, Missing
from engine.sources.smart.failures import ServerError, issues, outcome_text, shown
from engine.sources.smart.grouping import Grouping, concerned_types
from engine.sources.smart.http import Answer, Connection
from engine.sources.smart.plan import by_reference
from engine.sources.smart.waiting import TRANSIENT, wait_before

NDJSON = "application/fhir+ndjson"
MAX_MANIFESTS = 10_000
_REFUSED = (400, 404, 422, 501)
_PASSING = ("transient", "lock-error", "no-store", "throttled", "timeout")
"""Issue codes of a failure that passes; "exception" and "incomplete" are of that family too, and are used of any."""
Progress = Callable[[str], None]


class Export:
    """One export: everything it gives goes into ``grouping``, everything it lacks into ``completeness``.

    ``types`` are the resource types asked for, all of them when empty.
    ``progress`` is told how far the server says to be.
    """

    def __init__(
        self,
        connection: Connection,
        types: tuple[str, ...],
        grouping: Grouping,
        completeness: Completeness,
        progress: Progress | None = None,
    ) -> None:
        self._connection = connection
        self._types = types
        self._grouping = grouping
        self._completeness = completeness
        self._progress = progress or (lambda _: None)

    def run(self, group: str | None = None) -> None:
        """Exports all patients, or those of a Group.

        Raises:
            ServerError: the export could not be started, failed as a whole, or took too long. What a finished export
                lacks is no error but recorded as missing.
        """
        status = self._kick_off(group)
        for kind, reason in self._connection.uncovered(self._types or (EVERY_TYPE,)).items():
            self._left_out(kind, reason)
        try:
            self._manifests(self._finished(status))
        finally:
            self._clear_up(status)

    # ------------------------------------------------------------ the job

    def _kick_off(self, group: str | None) -> str:
        level = f"Group/{quote(group, safe='')}/" if group is not None else ""
        if group is None and self._connection.settings.export_level == "patient":
            level = "Patient/"
        what = f"{level}$export"
        while True:
            narrowed = f"_type={','.join(self._types)}&" if self._types else ""
            url = self._connection.addresses.below(f"{what}?{narrowed}_outputFormat={quote(NDJSON, safe='')}")
            answer = self._connection.get(url, what, headers={"Prefer": "respond-async"})
            if answer.status == 202:
                place = f"{what}: Content-Location"
                return self._connection.addresses.check(answer.headers.get("Content-Location"), place)
            problem = self._connection.failure(answer, what)
            refused = self._refused(answer)
            if not refused:
                raise problem
            for kind in refused:
                self._left_out(kind, str(problem))
            self._types = tuple(kind for kind in self._types if kind not in refused)

    def _refused(self, answer: Answer) -> list[str]:
        """The types that the server says it cannot export; none where Patient is among them: it may list what it can.

        One type it does not know lets a server refuse the whole export ("Query Parameters", ``_type``).
        """
        if answer.status not in _REFUSED:
            return []
        try:
            text = outcome_text(decode_json(answer.body, source=""))
        except InputError:
            return []
        named = [kind for kind in concerned_types(text, self._types) if kind != EVERY_TYPE]
        return [] if "Patient" in named else named

    def _finished(self, status: str) -> dict[str, Any]:
        """The manifest, once the server has finished."""
        what, connection = "the state of the export", self._connection
        started, attempt, failures = connection.clock.elapsed(), 0, 0
        while True:
            attempt += 1
            answer: Answer | None = None
            try:
                answer = connection.get(status, what, accept="application/json", patient=False)
            except ServerError as problem:
                failures += 1
                if not problem.transient or failures > connection.settings.retries:
                    raise
            if answer is not None and answer.status == 200:
                return connection.decoded(answer, "the manifest of the export")
            if answer is not None and answer.status == 202:
                failures = 0
                self._progress(shown(answer.headers.get("X-Progress") or "in progress"))
            elif answer is not None and not self._goes_on(answer):
                failures += 1
                if answer.status == 500 or answer.status not in TRANSIENT or failures > connection.settings.retries:
                    raise connection.failure(answer, what)
            self._wait(attempt, answer, started)

    def _goes_on(self, answer: Answer) -> bool:
        """True when the answer says that the export goes on although its state could not be told.

        However often it says so, only ``export_timeout`` ends the waiting ("Bulk Data Status Request").
        """
        if answer.status == 429:
            return True
        if answer.status not in TRANSIENT:
            return False
        try:
            found = list(issues(decode_json(answer.body, source="")))
        except InputError:
            return False
        return any(code in _PASSING for _, code, _ in found)

    def _wait(self, attempt: int, answer: Answer | None, started: float) -> None:
        clock, settings = self._connection.clock, self._connection.settings
        header = None if answer is None else answer.headers.get("Retry-After")
        clock.sleep(wait_before(attempt, header, clock.now(), settings.longest_wait))
        if clock.elapsed() - started > settings.export_timeout:
            message = f"is not finished after {settings.export_timeout:g} s (export_timeout in the settings)"
            raise ServerError(self._connection.name, "the export", message)

    def _clear_up(self, status: str) -> None:
        """Tells the server that its files are no longer needed. That it cannot be told takes nothing from the data."""
        try:
            answer = self._connection.delete(status, "the end of the export")
        except InputError as problem:
            self._completeness.note(f"the server could not be told to delete the export: {problem}")
            return
        if answer.status not in (200, 202, 204, 404, 410):
            self._completeness.note(f"the server answered {answer.status} when told to delete the export")

    # ------------------------------------------------------------ the manifest

    def _manifests(self, manifest: dict[str, Any]) -> None:
        """Every file of the manifest and of those that follow it."""
        seen: set[str] = set()
        deleted: list[tuple[dict[str, Any], bool]] = []
        while True:
            # Absent means a server that breaks the rule; a token too many goes to the server itself alone.
            authorized = manifest.get("requiresAccessToken") is not False
            for kind in ("output", "error", "outcome", "deleted"):
                for entry in self._entries(manifest, kind):
                    if kind == "output":
                        self._output(entry, authorized)
                    elif kind == "deleted":
                        deleted.append((entry, authorized))
                    else:
                        self._outcomes(entry, authorized)
            link = _next(manifest)
            if link is None:
                break
            try:
                url = self._connection.addresses.check(link, "the manifest: next")
                if url in seen or len(seen) >= MAX_MANIFESTS:
                    raise ServerError(self._connection.name, "the manifest: next", "leads back, or never ends")
                seen.add(url)
                manifest = self._connection.json(url, "the next manifest", accept="application/json")
            except ServerError as problem:
                self._miss(EVERY_TYPE, str(problem))
                break
        for entry, authorized in deleted:
            self._deleted(entry, authorized)

    def _entries(self, manifest: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
        listed = manifest.get(kind)
        if listed is None and kind != "output":
            return
        if not isinstance(listed, list):
            self._miss(EVERY_TYPE, f"the manifest's {kind} is not a list")
            return
        for number, entry in enumerate(listed, start=1):
            if isinstance(entry, dict) and isinstance(entry.get("url"), str):
                yield entry
            else:
                self._miss(EVERY_TYPE, f"the manifest's {kind} {number} names no file")

    def _output(self, entry: dict[str, Any], authorized: bool) -> None:
        given = entry.get("type")
        kind = given if isinstance(given, str) else EVERY_TYPE
        what = f"the exported file of {shown(given)}" if isinstance(given, str) else "an exported file"
        unowned: dict[str, int] = {}
        other: list[dict[str, Any]] = []

        def once() -> None:
            unowned.clear()
            other.clear()
            with self._grouping.together():
                count = 0
                for resource, body in self._resources(entry["url"], what, authorized):
                    count += 1
                    if resource["resourceType"] == "OperationOutcome":
                        other.append(resource)
                    elif not _identified(resource):
                        raise ServerError(self._connection.name, f"{what}, resource {count}", "has no id")
                    elif not self._grouping.add(resource, body):
                        unowned[resource["resourceType"]] = unowned.get(resource["resourceType"], 0) + 1
                said = entry.get("count")
                if isinstance(said, int) and said != count:
                    message = f"holds {count} resources, and the manifest counts {said}"
                    raise ServerError(self._connection.name, what, message, transient=True)

        try:
            self._connection.tried(once, what)
        except ServerError as problem:
            self._miss(kind, str(problem))
        for outcome in other:
            self._issues(outcome)
        for name, number in sorted(unowned.items()):
            self._completeness.note(f"{number} {name} resources name no patient of the server: nobody sees them")

    def _resources(self, url: str, what: str, authorized: bool) -> Iterator[tuple[dict[str, Any], bytes]]:
        with self._connection.lines(url, what, authorized=authorized) as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    resource = decode_json(line, source=self._connection.name, place=f"{what}, line {number}")
                except InputError as problem:
                    raise ServerError(self._connection.name, problem.place, problem.message, transient=True) from None
                if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                    raise ServerError(self._connection.name, f"{what}, line {number}", "is no FHIR resource")
                yield resource, line

    def _outcomes(self, entry: dict[str, Any], authorized: bool) -> None:
        """A file of what went wrong during the export."""
        found: list[dict[str, Any]] = []
        what = "the export's file of errors"

        def once() -> None:
            found[:] = [resource for resource, _ in self._resources(entry["url"], what, authorized)]

        try:
            self._connection.tried(once, what)
        except ServerError as problem:
            self._miss(EVERY_TYPE, str(problem))
        for outcome in found:
            self._issues(outcome)

    def _issues(self, outcome: dict[str, Any]) -> None:
        for severity, _, text in issues(outcome):
            if severity in ("information", "success"):
                self._completeness.note(f"the export says: {text}")
                continue
            for name in concerned_types(text, self._types):
                self._miss(name, f"the export says: {text}")

    def _deleted(self, entry: dict[str, Any], authorized: bool) -> None:
        """A file of Bundles that name resources deleted on the server: they no longer count."""
        what = "the export's file of deleted resources"

        def once() -> None:
            with self._grouping.together():
                for resource, _ in self._resources(entry["url"], what, authorized):
                    for kind, identity in _deletions(resource):
                        self._grouping.remove(kind, identity)

        try:
            self._connection.tried(once, what)
        except ServerError as problem:
            self._miss(EVERY_TYPE, str(problem))

    def _left_out(self, kind: str, reason: str) -> None:
        """A type that the server leaves out of the export: patients lack it, unless it is only referred to."""
        if by_reference(kind):
            self._completeness.note(f"no {kind} is exported: {reason}")
        else:
            self._miss(kind, reason)

    def _miss(self, kind: str, reason: str) -> None:
        self._completeness.add(Missing(kind, reason))


def _identified(resource: dict[str, Any]) -> bool:
    identity = resource.get("id")
    return isinstance(identity, str) and bool(identity)


def _deletions(bundle: dict[str, Any]) -> Iterator[tuple[str, str]]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict) and request.get("method") == "DELETE":
            parts = str(request.get("url") or "").rstrip("/").split("/")
            if len(parts) >= 2:
                yield parts[-2], parts[-1]


def _next(manifest: dict[str, Any]) -> Any:
    links = manifest.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            return link.get("url")
    return manifest.get("next")
