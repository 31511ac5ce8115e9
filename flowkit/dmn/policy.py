"""The hit policies: from the rules that match to the table's output (section 8.2.10).

Each policy is a function from the outputs of the rules that match, in the order of the rows, to
one output; an output is a tuple with a value a column. What a policy forbids raises
:class:`Violation`, which becomes null with a diagnostic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from flowkit.dmn.model import Aggregation, HitPolicy
from flowkit.dmn.runtime import shown
from flowkit.feel.numbers import CONTEXT
from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration, nanos_between

__all__ = ["CHOICES", "LIST_POLICIES", "SINGLE_HIT", "Hit", "Ranks", "Violation", "aggregate", "same"]

Hit = tuple[int, tuple[Any, ...]]
"""The row of a rule that matches, 0-based, and its outputs."""

Ranks = Sequence[Callable[[Any], int] | None]
"""For each output column that has output values: the place of a value among them."""

SINGLE_HIT = frozenset({HitPolicy.UNIQUE, HitPolicy.ANY, HitPolicy.PRIORITY, HitPolicy.FIRST})
LIST_POLICIES = frozenset(HitPolicy) - SINGLE_HIT

NUMBERS = (int, Decimal)


class Violation(Exception):  # it is no error of the program, and never leaves the table
    """The rules that match contradict the hit policy."""


def same(left: Any, right: Any) -> bool:
    """Whether two outputs are equal in FEEL: true is not 1, 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, DateTime | Time) and type(left) is type(right):
        return nanos_between(left, right) == 0
    return bool(left == right)


def rows(hits: Sequence[Hit]) -> str:
    """The 1-based rows of hits, for a message."""
    numbers = [str(row + 1) for row, _ in hits]
    return ", ".join(numbers[:-1]) + f" and {numbers[-1]}" if len(numbers) > 1 else numbers[0]


def _only(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """UNIQUE: one rule matches."""
    if len(hits) > 1:
        raise Violation(f"rules {rows(hits)} match, and UNIQUE allows one")
    return hits


def _agreeing(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """ANY: the rules that match agree."""
    first = hits[0]
    for other in hits[1:]:
        if not all(map(same, first[1], other[1])):
            raise Violation(f"rules {rows([first, other])} match with different outputs, which ANY forbids")
    return hits


def _ordered(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """OUTPUT ORDER: by the order of the output values, column by column from the left."""

    def key(hit: Hit) -> tuple[int, ...]:
        return tuple(rank(value) for rank, value in zip(ranks, hit[1], strict=True) if rank is not None)

    return sorted(hits, key=key)


def _highest(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """PRIORITY: the first in the order of the output values."""
    return _ordered(hits, ranks)[:1] if len(hits) > 1 else hits


def _first(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """FIRST: the topmost row."""
    return hits[:1]


def _all(hits: list[Hit], ranks: Ranks) -> list[Hit]:
    """RULE ORDER and COLLECT: every row, from the top."""
    return hits


CHOICES: dict[HitPolicy, Callable[[list[Hit], Ranks], list[Hit]]] = {
    HitPolicy.UNIQUE: _only,
    HitPolicy.ANY: _agreeing,
    HitPolicy.PRIORITY: _highest,
    HitPolicy.FIRST: _first,
    HitPolicy.RULE_ORDER: _all,
    HitPolicy.OUTPUT_ORDER: _ordered,
    HitPolicy.COLLECT: _all,
}
"""Which of the rules that match count, in which order; a single-hit policy's output is the first."""


def aggregate(values: list[Any], how: Aggregation) -> Any:
    """C+, C#, C< and C> of one column; without any value only the count is known."""
    if how is Aggregation.COUNT:
        return len(values)
    if not values:
        return None
    if how is Aggregation.SUM:
        return _sum(values)
    ordered = sorted(values, key=cmp_to_key(_compare))
    return ordered[0] if how is Aggregation.MIN else ordered[-1]


def _sum(values: list[Any]) -> Any:
    kinds = {type(value) for value in values}
    if kinds <= {int, Decimal}:
        total: int | Decimal = 0
        for value in values:
            total = (
                total + value if isinstance(total, int) and type(value) is int else CONTEXT.add(total, value)
            )
        return total
    if kinds == {DaysTimeDuration}:
        return DaysTimeDuration(sum(value.nanos for value in values))
    if kinds == {YearsMonthsDuration}:
        return YearsMonthsDuration(sum(value.months for value in values))
    odd = next((value for value in values if type(value) not in NUMBERS), None)
    raise Violation(f"{shown(odd)} can't be summed up, only numbers and durations of one kind")


def _compare(left: Any, right: Any) -> int:
    if isinstance(left, Date | DateTime | Time) and isinstance(right, Date | DateTime | Time):
        distance = nanos_between(left, right)
        if distance is not None:
            return (distance > 0) - (distance < 0)
    elif _comparable(left, right):
        return int(left > right) - int(left < right)
    raise Violation(f"{shown(left)} and {shown(right)} can't be compared, so there is no least or greatest")


def _comparable(left: Any, right: Any) -> bool:
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return True
    ordered = (str, DaysTimeDuration, YearsMonthsDuration)
    return type(left) is type(right) and isinstance(left, ordered)
