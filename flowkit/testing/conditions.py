"""From a condition to values that make it true, or false: for simple conditions over single variables.

``amount > 300`` is true for 301 and false for 300; ``type = "换货" or type = "维修"`` for "换货". What is
not simple (functions, filters, variables on both sides) gives None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowkit.errors import FlowkitError
from flowkit.feel import to_json
from flowkit.feel.syntax import nodes as n
from flowkit.feel.syntax import parse_expression
from flowkit.values import Json

__all__ = ["MISSING", "Demand", "demands_of", "value_for", "variables_of"]

MISSING: Any = object()
"""No value was found."""

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Demand:
    """The variable at ``path`` (a variable, then entries of it) must compare like this with ``value``."""

    path: tuple[str, ...]
    operator: str
    value: Json

    def met_by(self, found: Json) -> bool:
        """Does a value meet it?"""
        if self.operator in ("=", "!="):
            same = found == self.value and isinstance(found, bool) == isinstance(self.value, bool)
            return same == (self.operator == "=")
        if not _numbers(found, self.value):
            return False
        assert isinstance(found, int | float)
        assert isinstance(self.value, int | float)
        return {
            "<": found < self.value,
            "<=": found <= self.value,
            ">": found > self.value,
            ">=": found >= self.value,
        }[self.operator]


def demands_of(text: str, answer: bool) -> list[Demand] | None:
    """What must hold so that the condition ``text`` is ``answer``; None if it is not simple."""
    try:
        tree = parse_expression(text.removeprefix("=").strip())
    except FlowkitError:
        return None
    return _demands(tree, answer)


def variables_of(text: str) -> set[str]:
    """The variables that a condition names, or as many as can be told."""
    try:
        tree = parse_expression(text.removeprefix("=").strip())
    except FlowkitError:
        return set()
    found = set()
    todo: list[n.Node] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, n.Name):
            found.add(node.name)
        todo += n.children(node)
    return found


def value_for(demands: Sequence[Demand], choices: Iterable[Json] = ()) -> Json:
    """A value that meets all demands (of one path), from ``choices`` if there are any; else MISSING."""
    limited = list(choices)
    for candidate in limited or _candidates(demands):
        if all(demand.met_by(candidate) for demand in demands):
            return candidate
    return MISSING  # type: ignore[no-any-return]  # a mark that is no JSON value


def _candidates(demands: Sequence[Demand]) -> Iterable[Json]:
    for demand in demands:
        if demand.operator == "=":
            yield demand.value
    for demand in demands:
        value = demand.value
        if isinstance(value, bool):
            yield from (not value, value)
        elif isinstance(value, int | float):
            yield from (value, value + 1, value - 1)
        elif isinstance(value, str):
            yield f"非{value}"
        elif value is None:
            yield "…"
        else:
            yield None


def _demands(node: n.Node, answer: bool) -> list[Demand] | None:
    match node:
        case n.Logic(operator=operator, operands=operands):
            parts = [_demands(operand, answer) for operand in operands]
            if (operator == "and") == answer:  # all of them must come out like that
                if any(part is None for part in parts):
                    return None
                return [demand for part in parts for demand in part or ()]
            return next((part for part in parts if part is not None), None)
        case n.Comparison(operator=operator, left=left, right=right):
            path, value = _path(left), _literal(right)
            if path is None or value is MISSING:
                path, value, operator = _path(right), _literal(left), _MIRRORED.get(operator, "")
            if path is None or value is MISSING or operator not in _OPPOSITE:
                return None
            return [Demand(path, operator if answer else _OPPOSITE[operator], value)]
        case n.Call(function=n.Name(name="not"), positional=(inner,)):
            return _demands(inner, not answer)
        case n.Name() | n.Path():
            path = _path(node)
            return [Demand(path, "=", answer)] if path is not None else None
        case n.Literal(value=value) if isinstance(value, bool):
            return [] if value == answer else None
    return None


def _path(node: n.Node) -> tuple[str, ...] | None:
    if isinstance(node, n.Name):
        return (node.name,)
    if isinstance(node, n.Path):
        base = _path(node.base)
        return (*base, node.name) if base is not None else None
    return None


def _literal(node: n.Node) -> Json:
    if isinstance(node, n.Negation):
        value = _literal(node.operand)
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else MISSING
    if not isinstance(node, n.Literal):
        return MISSING  # type: ignore[no-any-return]  # a mark that is no JSON value
    if isinstance(node.value, Decimal):
        return int(node.value) if node.value == int(node.value) else float(node.value)
    return to_json(node.value)


def _numbers(*values: Json) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def put(target: dict[str, Any], path: Sequence[str], value: Json) -> None:
    """Set the entry at ``path``, making contexts on the way."""
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, Mapping):
            inner = target[name] = {}
        target = inner  # type: ignore[assignment]  # a context of our own
    target[path[-1]] = value
