"""The laws are many enough, and each matter that has to be held by laws has some."""

import ast
from pathlib import Path

import pytest

LAWS = Path(__file__).parent
FEWEST = 40
MATTERS = {
    "test_order_laws.py": "order, and equal implies equivalent",
    "test_logic_laws.py": "three-valued tables",
    "test_allen_laws.py": "Allen's relations, exclusive and exhaustive",
    "test_temporal_laws.py": "date arithmetic",
    "test_units_laws.py": "unit round trips",
    "test_sets_laws.py": "union, intersect and except",
    "test_conversion_laws.py": "conversions and aggregates",
}


def laws(path: Path) -> list[str]:
    """The functions of a file that hypothesis calls: those with the decorator ``given``."""
    return [
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "given"
            for mark in node.decorator_list
        )
    ]


def test_there_are_enough_laws() -> None:
    assert sum(len(laws(path)) for path in LAWS.glob("test_*.py")) >= FEWEST


@pytest.mark.parametrize("name", sorted(MATTERS))
def test_each_matter_has_laws(name: str) -> None:
    assert len(laws(LAWS / name)) >= 3, MATTERS[name]
