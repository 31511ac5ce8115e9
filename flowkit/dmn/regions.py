"""A decision table as geometry: each input a line cut into pieces, each rule a box of pieces.

Within a piece no literal of the table tells two values apart, so one sample stands for all. What
a table does for every input can then be found by looking at every combination of pieces.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowkit.dmn.cells import Domain, Interval, domain_of, show
from flowkit.dmn.index import positions
from flowkit.dmn.model import Cell, DecisionTable
from flowkit.dmn.types import Types, underlying
from flowkit.feel.temporal.values import DAY
from flowkit.feel.types import SimpleType

__all__ = ["Budget", "BudgetExceeded", "Dimension", "Regions", "regions_of"]

MAX_VISITS = 200_000
"""How many combinations of pieces the searches of one table look at."""

MAX_MARKS = 2_000_000
"""How many pairs of a rule and a piece that it accepts one search marks."""

MAX_TOTAL = 3_000_000
"""How much work all tables of a model share."""

DISCRETE = frozenset({"date", "time", "date and time", "days and time duration", "years and months duration"})
KINDS = DISCRETE | {"number", "string", "boolean"}
OTHER = "some other text"


class BudgetExceeded(Exception):  # never leaves the checks
    """A search would look at too many combinations."""


@dataclass(slots=True)
class Budget:
    """The work that is left for the tables of a model; a mark costs a tenth of a visit."""

    left: int = MAX_TOTAL

    def spend(self, work: int) -> None:
        """Take ``work`` away. Raises BudgetExceeded when nothing is left."""
        self.left -= work
        if self.left < 0:
            raise BudgetExceeded


@dataclass(frozen=True, slots=True)
class Piece:
    """Values that the table does not tell apart; ``key`` is one of them."""

    kind: str
    key: Any

    def __str__(self) -> str:
        return "any value" if self.kind == "any" else show(self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One input: its pieces, and for each rule the set of pieces, as bits, that it accepts.

    ``surely`` leaves out cells that are opaque, ``possibly`` counts them as accepting anything.
    """

    label: str
    pieces: tuple[Piece, ...]
    surely: tuple[int, ...]
    possibly: tuple[int, ...]

    def rules_at(self, masks: Sequence[int]) -> list[int]:
        """For each piece the rules, as bits, whose mask holds it.

        Raises BudgetExceeded where rules and pieces are too many.
        """
        if sum(mask.bit_count() for mask in masks) > MAX_MARKS:
            raise BudgetExceeded
        found = [0] * len(self.pieces)
        for rule, mask in enumerate(masks):
            for piece in _pieces(mask):
                found[piece] |= 1 << rule
        return found


class Regions:
    """The dimensions of a table with the searches over them."""

    def __init__(self, dimensions: Sequence[Dimension], rules: int, budget: Budget) -> None:
        self.dimensions = tuple(dimensions)
        self._budget = budget
        self.rules = rules
        self._visits = 0
        self._at: dict[bool, list[list[int]]] = {}

    def example(self, pieces: Sequence[int]) -> str:
        """An input, a piece a dimension, as text."""
        pairs = zip(self.dimensions, pieces, strict=True)
        return ", ".join(f"{dimension.label} = {dimension.pieces[piece]}" for dimension, piece in pairs)

    def uncovered(self, by: int, within: int | None = None) -> Iterator[tuple[int, ...]]:
        """Inputs that none of the rules ``by`` matches, at most one for each way to miss them all.

        ``within`` limits the search to the box of that rule, and asks for rules that surely match.
        Raises BudgetExceeded after too many combinations.
        """
        at = self._rules_at(sure=within is not None)
        full = []
        for dimension in self.dimensions:
            box = (1 << len(dimension.pieces)) - 1 if within is None else dimension.possibly[within]
            full.append(_pieces(box))
        self._spend(sum(map(len, full)))
        rest = self._accept_the_rest(at, full)
        yield from self._walk(0, by, (), at, full, rest, set())

    def _spend(self, visits: int) -> None:
        self._budget.spend(visits)
        self._visits += visits
        if self._visits > MAX_VISITS:
            raise BudgetExceeded

    def _rules_at(self, *, sure: bool) -> list[list[int]]:
        """For each dimension the rules at each piece, found once."""
        if sure not in self._at:
            masks = [one.surely if sure else one.possibly for one in self.dimensions]
            pairs = zip(self.dimensions, masks, strict=True)
            self._budget.spend(sum(mask.bit_count() for column in masks for mask in column) // 10)
            self._at[sure] = [dimension.rules_at(mask) for dimension, mask in pairs]
        return self._at[sure]

    def _accept_the_rest(self, at: list[list[int]], full: list[list[int]]) -> list[int]:
        """For each depth the rules that accept everything from there on."""
        rest = [(1 << self.rules) - 1]
        for pieces, rules in zip(reversed(full), reversed(at), strict=True):
            always = rest[-1]
            for piece in pieces:
                always &= rules[piece]
            rest.append(always)
        return rest[::-1]

    def _walk(
        self,
        depth: int,
        active: int,
        path: tuple[int, ...],
        at: list[list[int]],
        full: list[list[int]],
        rest: list[int],
        covered: set[tuple[int, int]],
    ) -> Iterator[tuple[int, ...]]:
        if not active:
            tail = [pieces[0] for pieces in full[depth:] if pieces]
            if len(tail) == len(full) - depth:
                yield (*path, *tail)
            return
        if active & rest[depth] or (depth, active) in covered:
            return
        self._spend(len(full[depth]))
        groups: dict[int, int] = {}
        for piece in full[depth]:
            groups.setdefault(active & at[depth][piece], piece)
        found = False
        for following, piece in groups.items():
            for gap in self._walk(depth + 1, following, (*path, piece), at, full, rest, covered):
                found = True
                yield gap
        if not found:
            covered.add((depth, active))

    def overlaps(self) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """Pairs of rules that surely match one input, with that input, in the order of the rows.

        Raises BudgetExceeded where there are too many pairs to compare.
        """
        meeting = [self._meeting(dimension) for dimension in self.dimensions]
        everyone = (1 << self.rules) - 1
        for rule in range(self.rules):
            others = everyone >> (rule + 1) << (rule + 1)
            for dimension, together in zip(self.dimensions, meeting, strict=True):
                if together is not None:
                    others &= together[dimension.surely[rule]]
            while others:
                self._spend(1)
                lowest = others & -others
                others ^= lowest
                other = lowest.bit_length() - 1
                shared = [one.surely[rule] & one.surely[other] for one in self.dimensions]
                if all(shared):
                    yield rule, other, tuple((mask & -mask).bit_length() - 1 for mask in shared)

    def _meeting(self, dimension: Dimension) -> dict[int, int] | None:
        """For each mask the rules that share a piece with it; ``None`` where that is too much work."""
        masks = set(dimension.surely)
        if sum(mask.bit_count() for mask in masks) > MAX_MARKS:
            return None
        at = dimension.rules_at(dimension.surely)
        self._budget.spend(sum(mask.bit_count() for mask in masks) // 5)
        together = {}
        for mask in masks:
            rules = 0
            for piece in _pieces(mask):
                rules |= at[piece]
            together[mask] = rules
        return together


def _pieces(mask: int) -> list[int]:
    """The numbers of the bits that are set, ascending."""
    if mask.bit_count() < 64:
        return list(positions(mask))
    return [place for place, bit in enumerate(reversed(bin(mask))) if bit == "1"]


def regions_of(
    table: DecisionTable, types: Types, variables: Mapping[str, str], budget: Budget | None = None
) -> Regions:
    """The geometry of a table; columns that test the same expression are one dimension.

    ``variables`` maps names in scope to their types, for columns that state none of their own.
    """
    columns: dict[str, list[int]] = {}
    for number, clause in enumerate(table.inputs):
        columns.setdefault(clause.expression.text, []).append(number)
    dimensions = [_dimension(table, types, variables, numbers) for numbers in columns.values()]
    return Regions(dimensions, len(table.rules), budget or Budget())


def _dimension(
    table: DecisionTable, types: Types, variables: Mapping[str, str], numbers: list[int]
) -> Dimension:
    clause = table.inputs[numbers[0]]
    type_ref = clause.type_ref or variables.get(clause.expression.text)
    domains = [[domain_of(rule.inputs[number].text) for rule in table.rules] for number in numbers]
    allowed = _allowed(clause.values or types.allowed(type_ref))
    kind = underlying(types.of(type_ref))
    stated = kind.name if isinstance(kind, SimpleType) and kind.name in KINDS else ""
    pieces = _cut([one for column in domains for one in column if one], allowed, stated)
    line = _Line(pieces)
    everything = line.everything
    surely, possibly = [], []
    for row in range(len(table.rules)):
        sure = possible = everything
        for column in domains:
            mask = line.mask(column[row])
            sure &= 0 if mask is None else mask
            possible &= everything if mask is None else mask
        surely.append(sure)
        possibly.append(possible)
    return Dimension(clause.label or clause.expression.text, tuple(pieces), tuple(surely), tuple(possibly))


def _allowed(cell: Cell | None) -> Domain | None:
    domain = None if cell is None else domain_of(cell.text)
    return None if domain is None or domain.anything else domain


class _Line:
    """The pieces of an input, findable by value."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.everything = (1 << len(pieces)) - 1
        self._places = {(piece.kind, piece.key): place for place, piece in enumerate(pieces)}
        self._starts: dict[str, int] = {}
        self._keys: dict[str, list[Any]] = {}
        for place, piece in enumerate(pieces):
            self._starts.setdefault(piece.kind, place)
            self._keys.setdefault(piece.kind, []).append(piece.key)

    def mask(self, domain: Domain | None) -> int | None:
        """The pieces that a cell accepts; ``None`` for an opaque one."""
        if domain is None:
            return None
        if domain.anything:
            return self.everything
        mask = 0
        for point in domain.points:
            if point in self._places:
                mask |= 1 << self._places[point]
        for interval in domain.intervals:
            mask |= self._span(interval)
        return mask

    def _span(self, interval: Interval) -> int:
        """The pieces of a kind stand together and in order."""
        keys = self._keys.get(interval.kind, [])
        low, high, start = interval.low, interval.high, self._starts.get(interval.kind, 0)
        first, end = 0, len(keys)
        if low is not None:
            first = bisect_left(keys, low) if interval.low_closed else bisect_right(keys, low)
        if high is not None:
            end = bisect_right(keys, high) if interval.high_closed else bisect_left(keys, high)
        return ((1 << end) - (1 << first)) << start if first < end else 0


def _cut(domains: list[Domain], allowed: Domain | None, stated: str) -> list[Piece]:
    """The pieces of an input: of what is allowed, else of everything its kind has."""
    sources = [*domains, allowed] if allowed else domains
    kinds = {kind for one in sources for kind, _ in one.points} | {
        interval.kind for one in sources for interval in one.intervals
    }
    if stated:
        kinds = {stated} | (kinds & {"null"})
    pieces: list[Piece] = []
    for kind in sorted(kinds - {"null"}):
        pieces.extend(_line(kind, sources))
    if allowed is not None:
        mask = _Line(pieces).mask(allowed) or 0
        pieces = [piece for number, piece in enumerate(pieces) if mask >> number & 1]
    if "null" in kinds and (allowed is None or ("null", None) in allowed.points):
        pieces.append(Piece("null", None))
    return pieces or [Piece("any", None)]


def _line(kind: str, domains: list[Domain]) -> Iterator[Piece]:
    if kind == "boolean":
        yield from (Piece(kind, True), Piece(kind, False))
        return
    keys = {key for one in domains for found, key in one.points if found == kind}
    for one in domains:
        for interval in one.intervals:
            if interval.kind == kind:
                keys.update(end for end in (interval.low, interval.high) if end is not None)
    ordered = sorted(keys)
    if kind == "string":
        yield from _texts(ordered)
        return
    low, high = (0, DAY - 1) if kind == "time" else (None, None)
    previous = None
    for key in ordered:
        sample = _before(kind, key, low) if previous is None else _between(kind, previous, key)
        if sample is not None:
            yield Piece(kind, sample)
        yield Piece(kind, key)
        previous = key
    if previous is None:
        yield Piece(kind, 0 if kind in DISCRETE else Decimal(0))
    elif high is None or previous < high:
        yield Piece(kind, previous + 1)


def _texts(ordered: list[str]) -> Iterator[Piece]:
    """Strings: each one named, and in its place one that nobody named."""
    other = OTHER
    while other in ordered:
        other += "."
    yield from (Piece("string", key) for key in sorted([*ordered, other]))


def _before(kind: str, key: Any, low: int | None) -> Any:
    return None if low is not None and key <= low else key - 1


def _between(kind: str, low: Any, high: Any) -> Any:
    """A value between two ends, as round as possible; ``None`` where there is none."""
    if kind in DISCRETE:
        return None if high - low < 2 else (low + high) // 2
    middle = (low + high) / 2
    whole = middle.to_integral_value()
    return whole if low < whole < high else middle
