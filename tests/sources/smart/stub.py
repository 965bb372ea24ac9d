"""A stub of a FHIR server with SMART Backend Services, for tests: real sockets, resources in memory, faults on request.

It answers searches by patient, code, link and id in pages, reads, ``$everything`` and bulk export, as far as the client
asks for them. ``fault`` puts an answer of the test's own before the usual one. Every request is kept.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwk, jwt

Json = dict[str, Any]
SUBJECTS = ("subject", "patient", "individual")


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def token(self) -> str | None:
        given = self.headers.get("authorization")
        return given.removeprefix("Bearer ") if given else None


@dataclass
class Reply:
    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)


Answerer = Callable[[Request], "Reply | None"]


def outcome(text: str, *, severity: str = "error", code: str = "exception") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": text}]}


class Stub:
    """The server. ``page`` resources stand on a page; ``tokens`` are those given out that still hold."""

    def __init__(self, *resources: Json, page: int = 100, public_key: Any = None) -> None:
        self.resources: list[Json] = list(resources)
        self.page = page
        self.public_key = public_key
        self.requests: list[Request] = []
        self.tokens: set[str] = set()
        self.assertions: list[Json] = []
        self.expires_in: Any = 300
        self.configuration: Json = {}
        self.faults: list[tuple[str, str, list[Any]]] = []
        self.polls = 0
        self.files: dict[str, bytes] = {}
        self.manifest: Json = {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet an answer: else each waits for the client's delayed acknowledgement.
            wbufsize = -1
            disable_nagle_algorithm = True

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                stub.requests.append(request)
                reply = stub.reply(request)
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if reply.headers.get("Connection") == "close":
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base = f"{self.origin}/fhir"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault(self, method: str, start: str, *replies: Reply | Answerer, always: bool = False) -> None:
        """Answers requests whose target begins with ``start`` by these replies in turn; ``always`` repeats the last."""
        self.faults.append((method, start, [*replies, *([None] if not always else [])]))

    def asked(self, start: str = "", method: str = "GET") -> list[str]:
        return [r.target for r in self.requests if r.method == method and r.target.startswith(start)]

    # ------------------------------------------------------------ answers

    def reply(self, request: Request) -> Reply:
        for method, start, replies in self.faults:
            if request.method == method and request.target.startswith(start) and replies[0] is not None:
                chosen = replies.pop(0) if len(replies) > 1 else replies[0]
                made = chosen(request) if callable(chosen) else chosen
                if made is not None:
                    return made
        path = request.path
        if path == "/fhir/.well-known/smart-configuration":
            return Reply(200, {"token_endpoint": f"{self.origin}/token", **self.configuration})
        if path == "/token" and request.method == "POST":
            return self._token(request)
        if path.startswith("/open/"):
            return self._file(request)
        if self.public_key is not None and request.token not in self.tokens:
            return Reply(401, outcome("the token is missing or does not hold", code="login"))
        if path.startswith("/files/"):
            return self._file(request)
        if path.startswith("/fhir/"):
            return self._fhir(request, path.removeprefix("/fhir/"))
        return Reply(404, outcome("no such address"))

    def _token(self, request: Request) -> Reply:
        form = request.form
        decoded = jwt.decode(form["client_assertion"], self.public_key, algorithms=["RS384", "ES384"])
        claims = dict(decoded.claims)
        if any(claims["jti"] == before["claims"]["jti"] for before in self.assertions):
            return Reply(400, {"error": "invalid_client", "error_description": "the assertion was used before"})
        self.assertions.append({"header": dict(decoded.header), "claims": claims, "form": form})
        token = f"token-{len(self.assertions)}"
        self.tokens = {token}
        body = {"access_token": token, "token_type": "bearer", "scope": form["scope"], "expires_in": self.expires_in}
        return Reply(200, body)

    def _file(self, request: Request) -> Reply:
        name = request.path.rsplit("/", 1)[-1]
        if name not in self.files:
            return Reply(404, outcome("no such file"))
        return Reply(200, self.files[name], {"Content-Type": "application/fhir+ndjson"})

    def _fhir(self, request: Request, path: str) -> Reply:
        parts = path.split("/")
        if parts[-1] == "$export":
            self.polls = 0
            return Reply(202, b"", {"Content-Location": f"{self.base}/job/1"})
        if parts[0] == "job":
            return self._job(request)
        if parts[-1] == "$everything":
            subject = parts[1]
            found = [r for r in self.resources if (r["resourceType"], r["id"]) == ("Patient", subject)]
            return self._paged(request, found + [r for r in self.resources if self._about(r, subject)])
        if len(parts) == 2:
            found = [r for r in self.resources if [r["resourceType"], r["id"]] == parts]
            return Reply(200, found[0]) if found else Reply(404, outcome(f"{path} is not known", code="not-found"))
        return self._paged(request, [r for r in self.resources if r["resourceType"] == path and self._fits(r, request)])

    def _about(self, resource: Json, subject: str) -> bool:
        return any((resource.get(name) or {}).get("reference") == f"Patient/{subject}" for name in SUBJECTS)

    def _fits(self, resource: Json, request: Request) -> bool:
        query = request.query
        if "patient" in query and not self._about(resource, query["patient"].removeprefix("Patient/")):
            return False
        if "_id" in query and resource["id"] not in query["_id"].split(","):
            return False
        if "link" in query:
            links = [link["other"]["reference"] for link in resource.get("link", [])]
            return query["link"] in links
        if "code" in query:
            codings = resource.get("code", {}).get("coding", [])
            return any(coding.get("code") in query["code"].split(",") for coding in codings)
        return True

    def _paged(self, request: Request, found: list[Json]) -> Reply:
        start = int(request.query.get("_start", "0"))
        entries = [
            {"fullUrl": f"{self.base}/{r['resourceType']}/{r['id']}", "resource": r, "search": {"mode": "match"}}
            for r in found[start : start + self.page]
        ]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
        if start + self.page < len(found):
            plain = request.target.split("&_start=")[0]
            following = f"{self.origin}{plain}&_start={start + self.page}"
            bundle["link"] = [{"relation": "next", "url": following}]
        return Reply(200, bundle)

    def _job(self, request: Request) -> Reply:
        if request.method == "DELETE":
            return Reply(202)
        self.polls += 1
        if self.polls == 1:
            return Reply(202, b"", {"Retry-After": "7", "X-Progress": "half way"})
        return Reply(200, self.manifest)

    # ------------------------------------------------------------ bulk

    def export(self, *files: tuple[str, str, Iterable[Json]], folder: str = "files", **manifest: Any) -> None:
        """Sets the manifest: (list, type, resources) a file."""
        made: Json = {
            "transactionTime": "2026-01-01T00:00:00Z", "request": f"{self.base}/$export", "requiresAccessToken": True,
            "output": [], "error": [],
        }  # fmt: skip
        for number, (kind, type_name, resources) in enumerate(files):
            name = f"{kind}-{number}.ndjson"
            self.files[name] = b"".join(json.dumps(r).encode() + b"\n" for r in resources)
            made.setdefault(kind, []).append({"type": type_name, "url": f"{self.origin}/{folder}/{name}"})
        self.manifest = {**made, **manifest}


def gzipped(body: bytes) -> Reply:
    return Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})


def key_pair(kind: str) -> tuple[Json, Any]:
    """A private JWK as a dict, and the public key."""
    key = jwk.RSAKey.generate_key(2048) if kind == "RSA" else jwk.ECKey.generate_key("P-384")
    return {**key.as_dict(private=True), "kid": "k1"}, key
