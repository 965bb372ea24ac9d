"""Jobs and states for the tests of the pool; in a module of their own, since the workers import them."""

import os
import resource
from pathlib import Path

from engine.errors import EvaluationError, InputError


def setup(name: str) -> dict[str, str]:
    return {"name": name}


def broken_setup(name: str) -> dict[str, str]:
    raise InputError(name, "line 3", "is no folder of trials")


def greet(state: dict[str, str], whom: str) -> str:
    return f"{state['name']} greets {whom}"


def process(state: object) -> int:
    return os.getpid()


def memory_limit(state: object) -> int:
    return resource.getrlimit(resource.RLIMIT_AS)[0]


def forever(state: object, begun: str) -> None:
    """Says that it runs (opening a named pipe for writing waits for the reader), then never ends."""
    os.close(os.open(begun, os.O_WRONLY))
    while True:
        pass


def held(state: object, begun: str, release: str) -> str:
    """Says that it runs, then waits for someone to open the other pipe."""
    os.close(os.open(begun, os.O_WRONLY))
    os.close(os.open(release, os.O_RDONLY))
    return "finished"


def greedy(state: object) -> int:
    return len(bytearray(8 * 1024**3))


def large(state: object) -> int:
    """Takes half a gigabyte and gives it back."""
    return len(bytearray(b"1") * (512 * 1024**2))


def dies(state: object) -> None:
    os._exit(9)


def wrong(state: object, secret: str) -> None:
    raise ValueError(secret)


def refuses(state: object) -> None:
    raise InputError("the request", "entry 3", "is no resource")


def fails(state: object) -> None:
    raise EvaluationError("too many rows", code="limit", define="X")


def touches(state: object, path: str) -> None:
    Path(path).touch()
