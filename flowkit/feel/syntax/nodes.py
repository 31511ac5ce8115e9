"""The syntax tree of FEEL: one frozen class a construct, each with the position of its first character."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from flowkit.feel.types import FeelType

__all__ = [
    "Arithmetic",
    "Between",
    "Call",
    "Comparison",
    "ContextLiteral",
    "Filter",
    "For",
    "FunctionLiteral",
    "If",
    "In",
    "InstanceOf",
    "Iteration",
    "ListLiteral",
    "Literal",
    "Logic",
    "Name",
    "Negation",
    "Node",
    "NotEqual",
    "Path",
    "Quantified",
    "RangeLiteral",
    "UnaryTestsNode",
    "children",
]


@dataclass(frozen=True, slots=True)
class Node:
    """Any construct; ``position`` is the 0-based offset in the text."""

    position: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """Null, a boolean, number, string or temporal value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable; ``?`` is the value that a unary test is applied to."""

    name: str


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextLiteral(Node):
    """``{a: 1, "b": a}``."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral(Node):
    """``[a..b)``; ``(< a)`` has no low end. An absent end is None, not a null literal."""

    low: Node | None
    high: Node | None
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True)
class NotEqual(Node):
    """The unary test ``!= a``, which is no range."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """A chain of operators of one precedence, applied from the left; each with its position."""

    first: Node
    rest: tuple[tuple[str, Node, int], ...]


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """``-a``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``a < b`` and its kin; ``position`` is the operator's."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """``a and b and c``, or the same with ``or``."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``a between b and c``."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """``a in b`` or ``a in (b, < c)``: true if any test holds."""

    operand: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """``a instance of list<number>``."""

    operand: Node
    type: FeelType


@dataclass(frozen=True, slots=True)
class If(Node):
    """``if a then b else if c then d else e``: pairs of condition and value, and the last resort."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iteration(Node):
    """``x in source``, or ``x in source..end``."""

    name: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class For(Node):
    """``for x in a, y in b return c``."""

    iterations: tuple[Iteration, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """``some x in a satisfies b``, or the same with ``every``."""

    quantifier: str
    iterations: tuple[Iteration, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class FunctionLiteral(Node):
    """``function(a: number, b) a + b``; ``external`` bodies are mappings to other languages."""

    parameters: tuple[tuple[str, FeelType], ...]
    body: Node
    external: bool


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``f(a, b)`` or ``f(x: a, y: b)``: one of ``positional`` and ``named`` is empty."""

    function: Node
    positional: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Path(Node):
    """``a.b``; ``position`` is that of ``b``."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """``a[b]``."""

    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class UnaryTestsNode(Node):
    """``< 5, [7..9]`` or ``not(1, 2)``; no tests at all is ``-``, which everything passes."""

    tests: tuple[Node, ...]
    negated: bool


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below ``node``, in the order of the text."""
    for field in fields(node):
        yield from _nodes_in(getattr(node, field.name))


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes_in(part)
