"""Side by side in a channel: each stretch of an edge gets a track of its own.

Tracks are ordered so that as few edges as possible cross where they turn in and out of a channel.
Edges that leave one port together, or arrive at one together, share a track like a bus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from flowkit.bpmn.diagram.layout.grid import Grid, Path
from flowkit.bpmn.diagram.layout.sheet import Edge

__all__ = ["Channel", "Stretch", "assign_tracks", "cut_into_stretches"]

_OVERLAP = 50


@dataclass(slots=True, eq=False)
class Stretch:
    """A straight piece of a route on one grid line.

    ``line`` is its column line (upright) or level; ``low`` to ``high`` its extent on the other axis.
    ``track`` counts from the left or the top of a channel; ``offset`` is the shift in pixels on the
    middle of a column. ``before`` and ``after`` are the neighbouring pieces.
    """

    edge: Edge
    index: int
    upright: bool
    line: int
    low: int
    high: int
    first: bool
    last: bool
    before: Stretch | None = None
    after: Stretch | None = None
    bus: _Bus | None = None
    offset: int = 0

    @property
    def position(self) -> float:
        """Where the stretch lies across its line, in grid units."""
        if self.bus is None:
            return self.line + self.offset / 1000
        return self.line + (self.bus.track + 1) / (self.bus.count + 1) - 0.5


@dataclass(slots=True, eq=False)
class _Bus:
    """Stretches that share one track."""

    members: list[Stretch]
    low: int
    high: int
    track: int = 0
    count: int = 1

    def ends(self) -> list[tuple[float, int, bool]]:
        """``(position, side, on a middle line)`` of each turn, side -1 for left or up."""
        found = []
        for stretch in self.members:
            for neighbour in (stretch.before, stretch.after):
                if neighbour is not None:
                    side = -1 if neighbour.low < stretch.line else 1
                    found.append((neighbour.position, side, neighbour.bus is None))
        return found


@dataclass(slots=True)
class Channel:
    """How many tracks a grid line needs."""

    tracks: int = 0
    buses: list[_Bus] = field(default_factory=list)


def cut_into_stretches(edges: Iterable[Edge], paths: Mapping[str, Path]) -> dict[str, list[Stretch]]:
    """The straight pieces of every path."""
    routes: dict[str, list[Stretch]] = {}
    for edge in edges:
        path = paths.get(edge.id)
        if path is None:
            continue
        pieces: list[Stretch] = []
        last = len(path) - 2
        for index, ((x1, y1), (x2, y2)) in enumerate(pairwise(path)):
            upright = x1 == x2
            low, high = sorted((y1, y2) if upright else (x1, x2))
            line = x1 if upright else y1
            piece = Stretch(edge, index, upright, line, low, high, index == 0, index == last)
            if pieces:
                pieces[-1].after, piece.before = piece, pieces[-1]
            pieces.append(piece)
        routes[edge.id] = pieces
    return routes


def assign_tracks(grid: Grid, routes: Mapping[str, list[Stretch]]) -> dict[tuple[bool, int], Channel]:
    """Give every stretch in a channel its track; return the channels by ``(upright, line)``.

    Levels and columns depend on each other's order, so levels are ordered twice.
    """
    lines: dict[tuple[bool, int], list[Stretch]] = defaultdict(list)
    for pieces in routes.values():
        for piece in pieces:
            if _in_channel(grid, piece):
                lines[piece.upright, piece.line].append(piece)
            elif piece.upright:
                lines[True, piece.line].append(piece)
    channels = {
        key: Channel(0, _buses(pieces))
        for key, pieces in sorted(lines.items())
        if not key[0] or key[1] % 2 == 0
    }
    levels = [channel for (upright, _), channel in channels.items() if not upright]
    columns = [channel for (upright, _), channel in channels.items() if upright]
    for channel in (*levels, *columns, *levels, *columns):
        _order(channel)
    for (upright, line), pieces in sorted(lines.items()):
        if upright and line % 2:
            _shift_on_column(grid, pieces)
    return channels


def _in_channel(grid: Grid, piece: Stretch) -> bool:
    if piece.upright:
        return piece.line % 2 == 0
    return grid.levels[piece.line].kind != "row"


def _buses(pieces: list[Stretch]) -> list[_Bus]:
    """Join the second pieces of edges from one port, and the last but one of edges into one port."""
    leaving: dict[object, list[Stretch]] = defaultdict(list)
    for piece in pieces:
        if piece.index == 1 and piece.before is not None and piece.edge.kind == "sequenceFlow":
            before = piece.before
            side = before.low < piece.line
            leaving[piece.edge.source, piece.edge.boundary, before.upright, before.line, side].append(piece)
    taken: set[int] = set()
    buses: list[_Bus] = []
    for group in leaving.values():
        if len(group) > 1:
            buses.append(_bus(group))
            taken |= {id(piece) for piece in group}
    entering: dict[object, list[Stretch]] = defaultdict(list)
    for piece in pieces:
        after = piece.after
        if id(piece) not in taken and after is not None and after.last and piece.edge.kind == "sequenceFlow":
            side = after.low < piece.line
            entering[piece.edge.target, after.upright, after.line, side].append(piece)
            taken.add(id(piece))
    buses.extend(_bus(group) for group in entering.values())
    buses.extend(_bus([piece]) for piece in pieces if id(piece) not in taken)
    buses.sort(key=lambda bus: (bus.low, bus.high, bus.members[0].edge.order))
    return buses


def _bus(members: list[Stretch]) -> _Bus:
    bus = _Bus(members, min(m.low for m in members), max(m.high for m in members))
    for member in members:
        member.bus = bus
    return bus


def _overlap(one: _Bus, two: _Bus) -> bool:
    return one.low <= two.high and two.low <= one.high


def _order(channel: Channel) -> None:
    """Order the buses by insertion with few crossings, then pack them into tracks."""
    ends = {id(bus): bus.ends() for bus in channel.buses}
    ordered: list[_Bus] = []
    for bus in channel.buses:
        ordered.insert(_best_place(bus, ordered, ends), bus)
    level: dict[int, int] = {}
    for position, bus in enumerate(ordered):
        below = [level[id(other)] for other in ordered[:position] if _overlap(bus, other)]
        level[id(bus)] = max(below, default=-1) + 1
    channel.tracks = max(level.values(), default=-1) + 1
    for group in _components(channel.buses):
        used = max(level[id(bus)] for bus in group) + 1
        for bus in group:
            bus.track, bus.count = level[id(bus)], used


def _best_place(bus: _Bus, ordered: list[_Bus], ends: Mapping[int, list[tuple[float, int, bool]]]) -> int:
    """The place with the least crossings, judged against what overlaps."""
    after = [_crossings(other, bus, ends) if _overlap(bus, other) else 0 for other in ordered]
    before = [_crossings(bus, other, ends) if _overlap(bus, other) else 0 for other in ordered]
    costs = [sum(after[:place]) + sum(before[place:]) for place in range(len(ordered) + 1)]
    return costs.index(min(costs))


def _crossings(left: _Bus, right: _Bus, ends: Mapping[int, list[tuple[float, int, bool]]]) -> int:
    """How often the two cross when ``left`` lies left of ``right`` (or above it)."""
    total = 0
    low, high = _exact(ends[id(left)], left), _exact(ends[id(right)], right)
    for position, side, middle in ends[id(left)]:
        if side > 0:
            total += high[0] < position < high[1]
            total += _OVERLAP * any(middle and m and s < 0 and p == position for p, s, m in ends[id(right)])
    for position, side, _ in ends[id(right)]:
        if side < 0:
            total += low[0] < position < low[1]
    return total


def _exact(ends: list[tuple[float, int, bool]], bus: _Bus) -> tuple[float, float]:
    """The extent of a bus by where its neighbours really turn."""
    positions = [position for position, _, _ in ends]
    if any(member.first or member.last for member in bus.members):
        positions += [float(bus.low), float(bus.high)]
    return min(positions), max(positions)


def _components(buses: list[_Bus]) -> list[list[_Bus]]:
    """Groups of buses that overlap, directly or through others."""
    groups: list[list[_Bus]] = []
    reach = -1
    for bus in sorted(buses, key=lambda b: (b.low, b.high)):
        if groups and bus.low <= reach:
            groups[-1].append(bus)
            reach = max(reach, bus.high)
        else:
            groups.append([bus])
            reach = bus.high
    return groups


def _shift_on_column(grid: Grid, pieces: list[Stretch]) -> None:
    """Upright stretches on the middle of a column: apart where they overlap, at the middle where pinned."""

    def pinned(piece: Stretch) -> bool:
        ends = [piece.edge.source] * piece.first + [piece.edge.target] * piece.last
        return any(end in grid.sheet.nodes and grid.sheet.nodes[end].pinned for end in ends)

    free = [p for p in pieces if not (p.first and p.edge.boundary)]
    placed: list[Stretch] = []
    for piece in sorted(free, key=lambda p: (not pinned(p), p.low, p.edge.order)):
        near = [o for o in placed if o.low <= piece.high and piece.low <= o.high]
        near = [o for o in near if not _joined(piece, o)]
        taken = {other.offset for other in near}
        if not pinned(piece):
            piece.offset = next((o for o in (0, -16, 16, -32, 32) if o not in taken), 0)
        placed.append(piece)


def _joined(one: Stretch, two: Stretch) -> bool:
    """Whether two stretches belong together, because they begin or end at the same port."""
    leaving = one.first and two.first and one.edge.source == two.edge.source
    entering = one.last and two.last and one.edge.target == two.edge.target
    return one.edge.kind == two.edge.kind != "messageFlow" and (leaving or entering)
