"""Which rules can match a value: a column of a table turned inside out.

A column maps a value to a set of rules, kept as the bits of an integer, by hashing (equality) or
by bisection (ranges). Intersecting the columns leaves the rules that match. Cells that are opaque
put their rule into every set; such a rule is then decided by evaluating the cell, so the index
never changes a result, only the number of cells looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from flowkit.dmn.cells import Domain, ordinal
from flowkit.feel.temporal import Date, DaysTimeDuration, YearsMonthsDuration

__all__ = ["ColumnIndex", "positions"]

MAX_SEGMENT_BITS = 64 * 1024 * 1024 * 8
"""The most memory, in bits, that the segments of one kind may take; beyond it cells are opaque."""

MOMENT = "date and time"
INDEXED_TEMPORALS = (Date, DaysTimeDuration, YearsMonthsDuration)


def positions(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


class ColumnIndex:
    """From a value to the rules whose cell in this column may accept it."""

    __slots__ = ("_always", "_numbers", "_points", "_segments", "_strings", "opaque")

    def __init__(self, domains: Sequence[Domain | None]) -> None:
        anything = self.opaque = 0
        """The rules, as bits, whose cell must be evaluated before it is known to match."""
        kinds = {interval.kind for domain in domains if domain for interval in domain.intervals}
        heavy = {kind for kind in kinds if _segment_bits(domains, kind) > MAX_SEGMENT_BITS}
        heavy |= kinds & {"string"}
        for rule, domain in enumerate(domains):
            if domain is None or any(interval.kind in heavy for interval in domain.intervals):
                self.opaque |= 1 << rule
            elif domain.anything:
                anything |= 1 << rule
        self._always = always = self.opaque | anything
        self._points: dict[str, dict[Any, int]] = {}
        for rule, domain in enumerate(domains):
            for kind, key in domain.points if domain else ():
                points = self._points.setdefault(kind, {})
                points[key] = points.get(key, always) | 1 << rule
        self._strings = self._points.get("string", {})
        self._numbers = self._points.get("number", {})
        self._segments = {kind: _Segments(domains, kind, always) for kind in kinds - heavy}

    def candidates(self, value: Any) -> int | None:
        """The rules that can match ``value``, exact but for :attr:`opaque` ones.

        ``None`` if the index does not know values of this kind: then every cell counts as opaque.
        """
        kind = type(value)
        if kind is str:
            return self._strings.get(value, self._always)
        if kind is int or (kind is Decimal and value.is_finite()):
            found = self._numbers.get(value, self._always)
            segments = self._segments.get("number")
            return found if segments is None else found | segments.at(value)
        if kind is bool:
            return self._point("boolean", value)
        if value is None:
            return self._point("null", None)
        if isinstance(value, INDEXED_TEMPORALS):
            return self._temporal(value)
        return None

    def _point(self, kind: str, key: Any) -> int:
        return self._points[kind].get(key, self._always) if kind in self._points else self._always

    def _temporal(self, value: Any) -> int | None:
        """Dates and durations; dates also compare with dates and times, which is left to FEEL."""
        known = ordinal(value)
        if known is None or (known[0] == "date" and MOMENT in (self._points.keys() | self._segments.keys())):
            return None
        kind, key = known
        found = self._point(kind, key)
        segments = self._segments.get(kind)
        return found if segments is None else found | segments.at(key)


def _segment_bits(domains: Sequence[Domain | None], kind: str) -> int:
    ends = sum(1 for domain in domains if domain for one in domain.intervals if one.kind == kind)
    return 4 * ends * len(domains)


class _Segments:
    """The line of one kind cut at the ends of all intervals; each piece knows its rules."""

    __slots__ = ("_bounds", "_rules")

    def __init__(self, domains: Sequence[Domain | None], kind: str, always: int) -> None:
        bounds = sorted(
            {
                end
                for domain in domains
                if domain
                for one in domain.intervals
                if one.kind == kind
                for end in (one.low, one.high)
                if end is not None
            }
        )
        number = {bound: index for index, bound in enumerate(bounds)}
        pieces = 2 * len(bounds) + 1
        opening, closing = [0] * (pieces + 1), [0] * (pieces + 1)
        for rule, domain in enumerate(domains):
            spans = []
            for one in domain.intervals if domain else ():
                if one.kind == kind:
                    first = 0 if one.low is None else 2 * number[one.low] + (1 if one.low_closed else 2)
                    last = (
                        pieces - 1
                        if one.high is None
                        else 2 * number[one.high] + (1 if one.high_closed else 0)
                    )
                    if first <= last:
                        spans.append((first, last + 1))
            for first, end in _merged(spans):
                opening[first] |= 1 << rule
                closing[end] |= 1 << rule
        self._bounds = bounds
        self._rules: list[int] = []
        current = always
        for piece in range(pieces):
            if closing[piece] or opening[piece]:
                current = (current & ~(closing[piece] & ~always)) | opening[piece]
            self._rules.append(current)

    def at(self, key: Any) -> int:
        """The rules of the piece that holds ``key``: pieces are gap, bound, gap, bound, ... gap."""
        bounds = self._bounds
        index = bisect_left(bounds, key)
        if index < len(bounds) and bounds[index] == key:
            return self._rules[2 * index + 1]
        return self._rules[2 * index]


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Half-open spans without overlaps, in order."""
    spans.sort()
    current: tuple[int, int] | None = None
    for first, end in spans:
        if current is not None and first <= current[1]:
            current = (current[0], max(current[1], end))
        else:
            if current is not None:
                yield current
            current = (first, end)
    if current is not None:
        yield current
