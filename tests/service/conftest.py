"""A served application on a free port of this machine, over a small content of its own."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
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


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The address of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/eligibility.db"


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    """A new store."""
    made = Storage(database_url)
    yield made
    made.close()
