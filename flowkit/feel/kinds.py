"""What a text gives for certain, whatever its variables hold: found by its outermost construct."""

from __future__ import annotations

from typing import Any

from flowkit.errors import FlowkitError
from flowkit.feel.builtins import BUILTINS
from flowkit.feel.syntax import NameTable, nodes, parse_expression

__all__ = ["kind_of"]

_KINDS: tuple[tuple[type[nodes.Node], str], ...] = (
    (nodes.Comparison, "boolean"),
    (nodes.Logic, "boolean"),
    (nodes.NotEqual, "boolean"),
    (nodes.Between, "boolean"),
    (nodes.In, "boolean"),
    (nodes.InstanceOf, "boolean"),
    (nodes.Quantified, "boolean"),
    (nodes.Negation, "number"),
    (nodes.For, "list"),
    (nodes.ListLiteral, "list"),
    (nodes.ContextLiteral, "context"),
    (nodes.RangeLiteral, "range"),
    (nodes.FunctionLiteral, "function"),
)

_BUILTIN_NAMES = NameTable(BUILTINS)
# Some have operators in their names: "date and time".


def kind_of(text: str) -> str:
    """``boolean``, ``number``, ``text`` and so on; empty where it depends on values, or is not FEEL.

    Null, which FEEL gives instead of an error, is possible with every kind.
    """
    try:
        node = parse_expression(text, (_BUILTIN_NAMES,))
    except FlowkitError:
        return ""
    if isinstance(node, nodes.Literal):
        return _of_value(node.value)
    if isinstance(node, nodes.Arithmetic):
        # Without a literal it may be a name with an operator in it, such as "is-valid".
        operands = (node.first, *(operand for _, operand, _ in node.rest))
        if all(isinstance(o, nodes.Literal) and _of_value(o.value) == "number" for o in operands):
            return "number"
        return "result of arithmetic" if any(isinstance(o, nodes.Literal) for o in operands) else ""
    return next((kind for construct, kind in _KINDS if isinstance(node, construct)), "")


def _of_value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "number" if type(value).__name__ in ("Decimal", "int", "float") else "date, time or duration"
