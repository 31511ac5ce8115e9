"""Range functions: the relations of points and ranges (DMN 1.5, 10.3.4.7), and ``range()``.

A range is looked at as two cuts in the line of values: a cut lies just before a value (side 0) or just after
it (side 1). An included start cuts before, an included end after its value. A point is the range from itself
to itself. All relations of the standard's table 78 are then comparisons of cuts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.errors import InvalidExpression
from flowkit.feel.builtins.conversion import TABLE as CONVERSION
from flowkit.feel.builtins.registry import Table
from flowkit.feel.operators import compare
from flowkit.feel.syntax.names import NameTable
from flowkit.feel.syntax.nodes import Call, Literal, Name, Negation, Node, RangeLiteral
from flowkit.feel.syntax.parser import parse_expression
from flowkit.feel.text import shorten
from flowkit.feel.values import Null, Range, Run, type_name

__all__ = ["TABLE"]

TABLE = Table("Range")


class _Cut:
    """A place between values; ``infinity`` is -1 or 1 for the ends of the line."""

    __slots__ = ("infinity", "side", "value")

    def __init__(self, value: Any, side: int, infinity: int = 0) -> None:
        self.value, self.side, self.infinity = value, side, infinity

    def order(self, other: _Cut) -> int:
        """-1, 0 or 1. Raises Null if the values have no order."""
        if self.infinity or other.infinity:
            return (self.infinity > other.infinity) - (self.infinity < other.infinity)
        order = compare(self.value, other.value)
        if order is None:
            raise Null(f"{shorten(self.value)} and {shorten(other.value)} have no order", "type")
        return order or (self.side > other.side) - (self.side < other.side)


def _low(value: Any) -> _Cut:
    if isinstance(value, Range):
        return _Cut(value.low, 0 if value.low_included else 1, 0 if value.has_low else -1)
    return _Cut(value, 0)


def _high(value: Any) -> _Cut:
    if isinstance(value, Range):
        return _Cut(value.high, 1 if value.high_included else 0, 0 if value.has_high else 1)
    return _Cut(value, 1)


def _starts_no_later(a: Any, b: Any) -> bool:
    return _low(a).order(_low(b)) <= 0


def _ends_no_later(a: Any, b: Any) -> bool:
    return _high(a).order(_high(b)) <= 0


def _before(a: Any, b: Any) -> bool:
    return _high(a).order(_low(b)) <= 0


def _meets(a: Range, b: Range) -> bool:
    return a.high_included and b.low_included and compare(a.high, b.low) == 0


def _overlaps(a: Range, b: Range) -> bool:
    return _high(a).order(_low(b)) > 0 and _low(a).order(_high(b)) < 0


def _overlaps_before(a: Range, b: Range) -> bool:
    return _low(a).order(_low(b)) < 0 and _high(a).order(_low(b)) > 0 and _ends_no_later(a, b)


def _overlaps_after(a: Range, b: Range) -> bool:
    return _low(b).order(_low(a)) < 0 and _high(b).order(_low(a)) > 0 and _ends_no_later(b, a)


def _finishes(a: Any, b: Range) -> bool:
    return _high(a).order(_high(b)) == 0 and _starts_no_later(b, a)


def _starts(a: Any, b: Range) -> bool:
    return _low(a).order(_low(b)) == 0 and _ends_no_later(a, b)


def _includes(a: Range, b: Any) -> bool:
    return _starts_no_later(a, b) and _ends_no_later(b, a)


def _coincides(a: Any, b: Any) -> bool:
    return _low(a).order(_low(b)) == 0 and _high(a).order(_high(b)) == 0


def _swapped(relation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: relation(b, a)


_POINTS = "point1: any, point2: any"
_POINT_RANGE = "point: any, range: range"
_RANGE_POINT = "range: range, point: any"
_RANGES = "range1: range, range2: range"

_RELATIONS: tuple[tuple[str, Callable[[Any, Any], bool], tuple[str, ...], str], ...] = (
    (
        "before",
        _before,
        (_RANGES, _POINT_RANGE, _RANGE_POINT, _POINTS),
        "Whether the first ends before the second.",
    ),
    (
        "after",
        _swapped(_before),
        (_RANGES, _POINT_RANGE, _RANGE_POINT, _POINTS),
        "The reverse of ``before``.",
    ),
    ("meets", _meets, (_RANGES,), "Whether the first ends, included, where the second starts, included."),
    ("met by", _swapped(_meets), (_RANGES,), "The reverse of ``meets``."),
    ("overlaps", _overlaps, (_RANGES,), "Whether the ranges have something in common."),
    (
        "overlaps before",
        _overlaps_before,
        (_RANGES,),
        "Whether the first starts earlier and ends inside the second.",
    ),
    ("overlaps after", _overlaps_after, (_RANGES,), "The reverse of ``overlaps before``."),
    ("finishes", _finishes, (_RANGES, _POINT_RANGE), "Whether the first ends the second."),
    ("finished by", _swapped(_finishes), (_RANGES, _RANGE_POINT), "The reverse of ``finishes``."),
    ("includes", _includes, (_RANGES, _RANGE_POINT), "Whether the second lies inside the first."),
    ("during", _swapped(_includes), (_RANGES, _POINT_RANGE), "The reverse of ``includes``."),
    ("starts", _starts, (_RANGES, _POINT_RANGE), "Whether the first begins the second."),
    ("started by", _swapped(_starts), (_RANGES, _RANGE_POINT), "The reverse of ``starts``."),
    ("coincides", _coincides, (_RANGES, _POINTS), "Whether both are the same points or ranges."),
)


def _define(name: str, relation: Callable[[Any, Any], bool], signatures: tuple[str, ...], text: str) -> None:
    def implementation(_run: Run, first: Any, second: Any) -> bool:
        if first is None or second is None:
            raise Null(f"{name}(): neither may be null", "type")
        return relation(first, second)

    implementation.__doc__ = text
    for signature in signatures:
        TABLE.define(name, signature)(implementation)


for _entry in _RELATIONS:
    _define(*_entry)


# -- range()

_CONSTRUCTORS = ("date", "time", "date and time", "duration")
_CONSTRUCTOR_NAMES = NameTable(_CONSTRUCTORS)


@TABLE.define("range", "from: string")
def range_of_text(run: Run, text: str) -> Range:
    """The range that a text such as ``"[1..10)"`` writes; its ends are literals in ascending order."""
    try:
        node = parse_expression(text, [_CONSTRUCTOR_NAMES])
    except InvalidExpression as reason:
        raise Null(f"range(): {reason}", "value") from None
    if not isinstance(node, RangeLiteral) or node.low is None or node.high is None or node.low is node.high:
        raise Null(f"range(): {text[:60]!r} is not a range with two ends", "value")
    low, high = _literal(run, node.low), _literal(run, node.high)
    order = compare(low, high) if type_name(low) == type_name(high) else None
    if order is None or order > 0:
        raise Null(f"range(): {text[:60]!r} does not go from a lower to a higher value", "value")
    return Range(low, high, node.low_included, node.high_included)


def _literal(run: Run, node: Node) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Negation) and isinstance(node.operand, Literal):
        value = node.operand.value
        if type_name(value) == "number":
            return -value
    if isinstance(node, Call) and isinstance(node.function, Name) and node.function.name in _CONSTRUCTORS:
        argument = node.positional[0] if len(node.positional) == 1 else None
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            return CONVERSION.functions()[node.function.name].call(run, argument.value)
    raise Null("range(): the ends must be literals", "value")
