"""Which parts of a criterion decide it: three-valued logic read backwards over the typed ELM.

A false ``and`` is decided by its false operands, a true ``or`` by its true ones; everything else by all operands. So a
criterion that one atom settles rests on that atom's records and not on those of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.language import Evaluation
from engine.language.elm import nodes as elm
from engine.language.evaluation.trace import Trace

LOGIC = ("And", "Or", "Not")


def supporting(evaluation: Evaluation, trace: Trace) -> list[Trace]:
    """The traces, each once, whose events decide the value of ``trace``: its own, and those of its deciding parts."""
    kept: dict[int, Trace] = {}
    _support(evaluation, trace, kept, settled=True)
    return list(kept.values())


def unsettled(evaluation: Evaluation, trace: Trace) -> list[Trace]:
    """The traces that leave an unknown open: as :func:`supporting`, but of nothing that has an answer."""
    kept: dict[int, Trace] = {}
    _support(evaluation, trace, kept, settled=False)
    return list(kept.values())


def _support(evaluation: Evaluation, trace: Trace, kept: dict[int, Trace], *, settled: bool) -> None:
    if id(trace) in kept or (not settled and isinstance(trace.value, bool)):
        return
    unit = evaluation.program.units.get(trace.library)
    definition = unit.expressions.get(trace.define) if unit else None
    leaves = _deciding(definition.expression, trace) if definition is not None else None
    kept[id(trace)] = trace
    for child in trace.children if leaves is None else leaves:
        _support(evaluation, child, kept, settled=settled)


def _deciding(node: elm.Expression, trace: Trace) -> list[Trace] | None:
    """The children that decide a define whose expression is logic over other defines; None for any other expression."""
    if not isinstance(node, elm.ExpressionRef | elm.Operator) or not _pure(node):
        return None
    children = {child.define: child for child in trace.children}
    if len(children) != len({(c.library, c.define) for c in trace.children}):
        return None
    return list(_leaves(node, children))


def _pure(node: elm.Expression) -> bool:
    if isinstance(node, elm.ExpressionRef):
        return True
    return isinstance(node, elm.Operator) and node.name in LOGIC and all(_pure(o) for o in node.operands)


def _leaves(node: elm.Expression, children: dict[str, Trace]) -> Iterator[Trace]:
    if isinstance(node, elm.ExpressionRef):
        if node.name in children:
            yield children[node.name]
        return
    assert isinstance(node, elm.Operator)
    value = _value(node, children)
    for operand in node.operands:
        decides = node.name == "Not" or value is None or value is not (node.name == "Or")
        if decides or _value(operand, children) is value:
            yield from _leaves(operand, children)


def _value(node: elm.Expression, children: dict[str, Trace]) -> bool | None:
    """The value of a logical expression, from the values its defines had; one not evaluated counts as null."""
    if isinstance(node, elm.ExpressionRef):
        value = children[node.name].value if node.name in children else None
        return value if isinstance(value, bool) else None
    assert isinstance(node, elm.Operator)
    values = [_value(operand, children) for operand in node.operands]
    if node.name == "Not":
        return None if values[0] is None else not values[0]
    decisive = node.name == "Or"
    if decisive in values:
        return decisive
    return None if None in values else not decisive
