"""A served application on a free port of this machine, over a small content of its own."""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI

from engine.service import Settings, create_app
from engine.service.storage import Storage
from engine.sources import Content
from tests.service.samples import LABS, TRIAL, VALUE_SET


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """A folder with one trial, one library and one value set."""
    folder = tmp_path_factory.mktemp("content")
    for name, text in (("trials/sample.cql", TRIAL), ("shared/labs.cql", LABS)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "valuesets").mkdir()
    (folder / "valuesets" / "hemoglobin.json").write_text(json.dumps(VALUE_SET), encoding="utf-8")
    return Content(folder)


@pytest.fixture(scope="session")
def app(content: Content) -> FastAPI:
    """The application over that content."""
    made = create_app(Settings(content=content))
    assert list(made.state.catalogue.trials) == ["SAMPLE"], made.state.catalogue.diagnostics
    return made


@pytest.fixture(scope="session")
def address(app: FastAPI) -> Iterator[str]:
    """The address of the served application."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx2.Client]:
    """A client of the served application."""
    # A listening socket accepts before the server serves: the first answer waits for it.
    with httpx2.Client(base_url=address, timeout=30) as made:
        yield made


@pytest.fixture(scope="session")
def fixtures(repository: Path) -> Path:
    """The sample bundles of the product."""
    return repository / "fhir_fixtures"


def _programs() -> Path | None:
    """Where PostgreSQL's programs are; None where there are none."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The socket folder of a PostgreSQL of our own."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # it does not run as root
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if owner:
            shutil.chown(folder, "postgres")
        quiet: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **owner}
        data = f"{folder}/data"
        subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-U", "eligibility"], check=True, **quiet)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], **quiet)
        try:
            _answering(folder)
            yield Path(folder)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def _answering(folder: str) -> None:
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=folder, user="eligibility", dbname="postgres").close()
            return
        time.sleep(0.1)
    pytest.fail("PostgreSQL does not answer")


@pytest.fixture(params=("sqlite", "postgresql"))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/eligibility.db"
    folder, name = request.getfixturevalue("postgresql"), f"t{secrets.token_hex(6)}"
    with psycopg.connect(host=str(folder), user="eligibility", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://eligibility@/{name}?host={folder}"


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    """A new store."""
    made = Storage(database_url)
    yield made
    made.close()
