"""Servers, settings and a clock for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.sources.smart import ServerSettings, read_servers
from tests.sources.smart.stub import Stub, key_pair


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def rsa() -> tuple[dict[str, Any], Any]:
    return key_pair("RSA")


@pytest.fixture
def serve() -> Iterator[Callable[..., Stub]]:
    """Starts stubs and stops them."""
    started: list[Stub] = []

    def start(*resources: Any, **options: Any) -> Stub:
        server = Stub(*resources, **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def settings(tmp_path: Path, rsa: tuple[dict[str, Any], Any]) -> Callable[..., ServerSettings]:
    """Settings of a stub, with its key in a file."""
    (tmp_path / "key.json").write_text(json.dumps(rsa[0]))

    def make(server: Stub, **given: Any) -> ServerSettings:
        own: dict[str, Any] = {"base_url": server.base, "longest_wait": 100, **given}
        if server.public_key is None:
            own.setdefault("authorization", "none")
        else:
            own = {"client_id": "eligibility", "key_file": "key.json", **own}
        return read_servers({"servers": {"stub": own}}, source="servers.toml", folder=tmp_path)["stub"]

    return make
