"""A deployed service over a real socket, for tests: its own trials, keys and database."""

import io
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from engine.service import Settings
from engine.service.deployment import Deployment, deployment
from engine.service.observability import logger
from engine.service.operating import create_service
from engine.service.protocol import PunctualProtocol
from engine.sources.content import Content

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = REPOSITORY / "tests" / "trials" / "data" / "tiny.cql"
SAMPLE = REPOSITORY / "fhir_fixtures" / "psma-nk" / "01-in-good-order.json"
ISSUER = "https://login.example.org"
PUBLIC = "https://trials.example.org"
AUDIENCE = f"{PUBLIC}/fhir"
SCREEN = "/fhir/ResearchStudy/$screen"
CQL = "/fhir/$cql"
FHIR = {"content-type": "application/fhir+json"}
SECRET = "a secret of thirty-two characters"


@cache
def keys() -> dict[str, Any]:
    """Keys by kid: registered ones, and one that is not."""
    return {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "ec": ECKey.generate_key("P-384", {"kid": "ec"}),
        "small": ECKey.generate_key("P-256", {"kid": "small"}),
        "other": RSAKey.generate_key(2048, {"kid": "other"}),
        "secret": OctKey.import_key(SECRET, {"kid": "secret"}),
    }


def public_keys(*names: str) -> dict[str, Any]:
    """The public key set of these."""
    found: dict[str, Any] = dict(KeySet([keys()[name] for name in names]).as_dict(private=False))
    return found


def claims(**changed: Any) -> dict[str, Any]:
    """Claims as a SMART authorization server gives them; None takes one away."""
    now = int(time.time())
    whole = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "backend", "client_id": "backend", "exp": now + 300, "iat": now,
        "jti": f"{now}-{time.perf_counter_ns()}", "scope": "system/*.rs",
    }  # fmt: skip
    return {name: value for name, value in (whole | changed).items() if value is not None}


def token(key: str = "rsa", header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token of these claims, signed by that key."""
    algorithm = {"rsa": "RS384", "ec": "ES384", "small": "ES256", "other": "RS384", "secret": "HS256"}[key]
    whole = {"alg": algorithm, "kid": key, "typ": "JWT"} | (header or {})
    return jwt.encode(
        {name: value for name, value in whole.items() if value is not None}, claims(**changed), keys()[key],
        algorithms=[str(whole["alg"])],
    )  # fmt: skip


def content(folder: Path) -> Content:
    """A folder of content with one small trial."""
    made = Content(folder / "content")
    made.trials.mkdir(parents=True, exist_ok=True)
    shutil.copy(TINY, made.trials)
    return made


def secured(folder: Path, **more: Any) -> Deployment:
    """A deployment that takes tokens, with a database in the folder."""
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(public_keys("rsa", "ec", "small")))
    return opened(folder, public_url=PUBLIC, issuer=ISSUER, jwks=str(jwks), **more)


def opened(folder: Path, **more: Any) -> Deployment:
    """A deployment that takes everyone, with a database in the folder."""
    return deployment(**({"database_url": f"sqlite:///{folder / 'runs.sqlite'}", "workers": 1} | more))


@dataclass(frozen=True, slots=True)
class Served:
    """A running service: a client for it, its application, and what it has logged."""

    client: httpx2.Client
    app: Any
    log: io.StringIO
    port: int


@contextmanager
def served(made: Deployment, settings: Settings) -> Iterator[Served]:
    """Runs the service until the end of the block."""
    log = io.StringIO()
    app = create_service(made, settings, logger(log))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, http=PunctualProtocol, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                assert client.get("/health").status_code == 200
                yield Served(client, app, log, port)
        finally:
            server.should_exit = True
            thread.join()
