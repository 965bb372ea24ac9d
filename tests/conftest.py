"""What every test shares: deterministic property tests, and the folder of shared material beside the repository."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"

# The commands under test keep compiled libraries in a folder of this run, not in the user's.
_CACHE = tempfile.TemporaryDirectory(prefix="eligibility-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

settings.register_profile("deterministic", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("deterministic")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared` (scenarios, conformance suite, population); skips the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared, which is not beside this checkout")
    return SHARED
