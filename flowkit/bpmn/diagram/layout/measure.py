"""From grid lines to pixels: how wide columns and channels are, and where everything lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from flowkit.bpmn.diagram.layout.boundaries import half_width_needed
from flowkit.bpmn.diagram.layout.grid import Grid
from flowkit.bpmn.diagram.layout.sheet import NAME_SIZE, Boundary, Node
from flowkit.bpmn.diagram.layout.tracks import Channel, Stretch
from flowkit.bpmn.diagram.text import text_width

__all__ = ["Geometry", "measure"]

_GAP = 50
_TRACK = 12
_BOUNDARY = 18


@dataclass
class Geometry:
    """The pixel places of a sheet's lines, from the sheet's top left corner."""

    grid: Grid
    routes: Mapping[str, list[Stretch]]
    channels: Mapping[tuple[bool, int], Channel]
    label_sides: dict[str, str] = field(default_factory=dict)
    lefts: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    tops: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    axes: dict[int, int] = field(default_factory=dict)
    left_zones: dict[int, int] = field(default_factory=dict)
    right_zones: dict[int, int] = field(default_factory=dict)
    upper_zones: dict[int, int] = field(default_factory=dict)

    def line_x(self, x: int) -> int:
        """The middle of a column."""
        return self.lefts[x] + self.widths[x] // 2

    def at(self, piece: Stretch) -> int:
        """The x of an upright piece, the y of a level one."""
        if piece.upright and piece.line % 2:
            return self._on_column(piece)
        if not piece.upright and piece.bus is None:
            return self.axes[piece.line]
        zones = (self.left_zones, self.right_zones) if piece.upright else (self.upper_zones, {})
        starts, sizes = (self.lefts, self.widths) if piece.upright else (self.tops, self.heights)
        before, after = zones[0].get(piece.line, 0), zones[1].get(piece.line, 0)
        free = sizes[piece.line] - before - after
        bus = piece.bus
        if bus is None:
            return starts[piece.line] + before + free // 2
        return starts[piece.line] + before + (free - (bus.count - 1) * _TRACK) // 2 + bus.track * _TRACK

    def boundary_x(self, node: Node, boundary: Boundary) -> int:
        """The middle of a boundary event."""
        if node.span > 1:
            return self.line_x(2 * boundary.column + 1) + boundary.offset
        return node.x + boundary.offset

    def _on_column(self, piece: Stretch) -> int:
        edge = piece.edge
        for here, end, identity in (
            (piece.first, edge.source, edge.boundary),
            (piece.last, edge.target, edge.into_boundary),
        ):
            if here and identity:
                node = self.grid.sheet.nodes[end]
                return self.boundary_x(node, next(b for b in node.boundaries if b.id == identity))
        return self.line_x(piece.line) + piece.offset


def measure(
    grid: Grid, routes: Mapping[str, list[Stretch]], channels: Mapping[tuple[bool, int], Channel]
) -> Geometry:
    """Choose label sides, size every line, and place the nodes."""
    geometry = Geometry(grid, routes, channels)
    _choose_label_sides(geometry)
    _reserve_label_zones(geometry)
    _size_columns(geometry)
    _size_levels(geometry)
    connected = {end for edge in grid.sheet.edges for end in (edge.source, edge.target)}
    for node in grid.sheet.nodes.values():
        first, last, _, y = grid.place(node)
        left, right = geometry.lefts[first], geometry.lefts[last] + geometry.widths[last]
        if node.span > 1 and (node.boundaries or node.id in connected):
            # It fills its columns, so that what meets its upper and lower side in their middle meets it.
            node.width = right - left
        node.x = (left + right - node.width) // 2
        node.y = geometry.axes[y] - node.axis
    return geometry


def _choose_label_sides(geometry: Geometry) -> None:
    """Outside labels: below events, above gateways, unless an edge is there."""
    ports = geometry.grid.ports
    for node in geometry.grid.sheet.nodes.values():
        if not node.label[0]:
            continue
        sides = ("above", "below") if node.kind.endswith("Gateway") else ("below", "above")
        free = [s for s in sides if not ports.get((node.id, 2 if s == "below" else 3))]
        geometry.label_sides[node.id] = free[0] if free else "corner"


def _reserve_label_zones(geometry: Geometry) -> None:
    """Keep free room in the channels for the names of flows."""
    shared: dict[tuple[str, int], int] = defaultdict(int)
    for pieces in geometry.routes.values():
        if not pieces[0].upright:
            shared[pieces[0].edge.source, pieces[0].low] += 1
    for pieces in geometry.routes.values():
        edge, first = pieces[0].edge, pieces[0]
        width, height = edge.label
        if not width:
            continue
        if not first.upright:
            alone = shared[edge.source, first.low] == 1
            zones = geometry.left_zones if alone else geometry.right_zones
            line = first.low + 1
            zones[line] = max(zones.get(line, 0), width + 16)
        elif len(pieces) > 1 and pieces[1].bus is None:
            start = first.line
            line = start + 1 if pieces[1].high > start else start - 1
            geometry.left_zones[line] = max(geometry.left_zones.get(line, 0), width - 10)
        elif len(pieces) > 1:
            level = pieces[1].line
            geometry.upper_zones[level] = max(geometry.upper_zones.get(level, 0), height)
        else:
            level = first.low + 1
            geometry.upper_zones[level] = max(geometry.upper_zones.get(level, 0), height)


def _half_width(geometry: Geometry, node: Node) -> int:
    half = (node.width + 1) // 2
    side = geometry.label_sides.get(node.id)
    if side == "corner":
        if not node.kind.endswith("Gateway"):
            return half + node.label[0] + 6
        return max(half, node.label[0] + 8)
    return max(half, (node.label[0] + 1) // 2) if side else half


def _size_columns(geometry: Geometry) -> None:
    grid = geometry.grid
    halves = dict.fromkeys(range(1, grid.width, 2), 0)
    for node in grid.sheet.nodes.values():
        if node.span == 1:
            x = 2 * node.column + 1
            halves[x] = max(halves[x], _half_width(geometry, node))
        for column in range(node.column, node.column + node.span):
            x = 2 * column + 1
            halves[x] = max(halves[x], half_width_needed(node, column))
    widths = []
    for x in range(grid.width):
        if x % 2:
            widths.append(2 * halves[x] or 100)
        else:
            widths.append(_channel_width(geometry, x))
    for node in sorted(grid.sheet.nodes.values(), key=lambda n: (n.span, n.column)):
        first, last, _, _ = grid.place(node)
        missing = node.width - sum(widths[first : last + 1])
        if node.span > 1 and missing > 0:
            inner = range(first, last + 1)
            for position, x in enumerate(inner):
                widths[x] += missing * (position + 1) // len(inner) - missing * position // len(inner)
    geometry.widths = widths
    left = 0
    for width in widths:
        geometry.lefts.append(left)
        left += width


def _channel_width(geometry: Geometry, x: int) -> int:
    channel = geometry.channels.get((True, x))
    tracks = channel.tracks if channel else 0
    zones = geometry.left_zones.get(x, 0) + geometry.right_zones.get(x, 0)
    needed = zones + (36 + _TRACK * (tracks - 1) if tracks else 14)
    edge = x in (0, geometry.grid.width - 1)
    return max(needed if tracks or zones else 0, 30 if edge else _GAP)


def _size_levels(geometry: Geometry) -> None:
    grid = geometry.grid
    ups: dict[int, int] = defaultdict(int)
    downs: dict[int, int] = defaultdict(int)
    for node in grid.sheet.nodes.values():
        y = grid.row_level[node.lane, node.row]
        up, down = _extents(geometry, node)
        ups[y], downs[y] = max(ups[y], up), max(downs[y], down)
    for pieces in geometry.routes.values():
        height = pieces[0].edge.label[1]
        for piece in pieces[:3]:
            if height and not piece.upright and piece.bus is None:
                ups[piece.line] = max(ups[piece.line], height + 8)
    for y, level in enumerate(grid.levels):
        if level.kind == "row":
            geometry.heights.append((ups[y] or 20) + (downs[y] or 20))
        elif level.kind == "box":
            geometry.heights.append(60)
        else:
            geometry.heights.append(_level_height(geometry, y))
    _stretch_lanes(geometry)
    top = 0
    for y, level in enumerate(grid.levels):
        geometry.tops.append(top)
        if level.kind in ("row", "box"):
            geometry.axes[y] = top + (ups[y] or 20 if level.kind == "row" else 30)
        top += geometry.heights[y]


def _extents(geometry: Geometry, node: Node) -> tuple[int, int]:
    """How far a node with its label reaches above and below the row's axis."""
    up, down = node.axis, node.height - node.axis
    side, height = geometry.label_sides.get(node.id), node.label[1] + 6
    if side == "above":
        up += height
    elif side == "below":
        down += height
    elif side == "corner":
        up = max(up, 22 + node.label[1])
    labels: list[Boundary] = node.boundaries
    if labels:
        down += max(_BOUNDARY, *(b.label[1] + 6 for b in labels))
    return up, down


def _level_height(geometry: Geometry, y: int) -> int:
    grid = geometry.grid
    level = grid.levels[y]
    channel = geometry.channels.get((False, y))
    tracks = channel.tracks if channel else 0
    zone = geometry.upper_zones.get(y, 0)
    used = zone + (28 + _TRACK * (tracks - 1) if tracks else 0)
    if level.kind == "gap":
        outer = y in (0, len(grid.levels) - 1)
        return max(used, 0 if outer else 40, zone + 30 if zone else 0)
    pool = grid.sheet.pools[level.pool]
    framed = bool(pool.id or pool.frames)
    rows = grid.sheet.lanes[level.lane].rows
    if 0 < level.row < rows:
        return max(used, 24)
    return max(used, 20 if framed else 0)


def _stretch_lanes(geometry: Geometry) -> None:
    """Make every lane and pool high enough for its upright title."""
    grid = geometry.grid
    spans: dict[int, list[int]] = defaultdict(list)
    for y, level in enumerate(grid.levels):
        if level.lane >= 0:
            spans[level.lane].append(y)
    titles: list[tuple[str, list[int]]] = []
    for pool in grid.sheet.pools:
        for frame in sorted(pool.frames, key=lambda f: -f.depth):
            titles.append((frame.name, [y for n in range(frame.first, frame.last + 1) for y in spans[n]]))
        if pool.id:
            titles.append((pool.name, [y for n in range(pool.first, pool.last + 1) for y in spans[n]]))
    for name, levels in titles:
        if len(levels) < 2:
            continue
        wanted = max(80, min(int(text_width(name, NAME_SIZE)) + 24, 200))
        missing = wanted - sum(geometry.heights[y] for y in levels)
        if missing > 0:
            geometry.heights[levels[0]] += missing // 2
            geometry.heights[levels[-1]] += missing - missing // 2
