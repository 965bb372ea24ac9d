"""An installed product has everything: the modules, their tables, and the trials."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def files_below(folder: str) -> set[str]:
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_carries_the_engine(wheel_names: set[str]) -> None:
    assert files_below("engine") <= wheel_names


def test_the_wheel_carries_the_trials_and_what_they_need(wheel_names: set[str]) -> None:
    content = files_below("cql")
    assert content
    assert {f"engine/_content/{name}" for name in content} <= wheel_names


def test_the_wheel_carries_nothing_else(wheel_names: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name} == {"engine"}
