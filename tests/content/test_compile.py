"""Every library of the product compiles, shared ones and trials."""

import pytest

from tests.content._asking import CQL, workspace

FILES = sorted(CQL.rglob("*.cql"))


def test_there_are_libraries() -> None:
    assert {path.parent.name for path in FILES} == {"shared", "trials"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_library_compiles(path) -> None:
    translation = workspace().translate_file(path)
    assert not translation.diagnostics, "\n".join(d.render() for d in translation.diagnostics)
