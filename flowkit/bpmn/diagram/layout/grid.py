"""The coarse grid that edges are routed on.

Vertical lines alternate: a channel between columns (even), a column's middle (odd). Horizontal
lines are the channels and row axes of each lane, and the gaps between pools. A point is blocked
where a node stands (1); a black box (2) can only be crossed upright, at a price. Channels take any
number of edges side by side; on the middle of a column or a row, only edges that begin or end
together may share a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from flowkit.bpmn.diagram.layout.sheet import Edge, Node, Sheet

__all__ = ["DOWN", "LEFT", "RIGHT", "UP", "Grid", "Level", "Path", "build_grid"]

RIGHT, LEFT, DOWN, UP = range(4)

Path = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line: a row's axis, a channel of a lane, a gap beside a pool, or a black box."""

    kind: str  # "row", "channel", "gap" or "box"
    pool: int
    lane: int = -1
    row: int = -1


@dataclass
class Grid:
    """Levels, blocked points, and which edges already run where."""

    sheet: Sheet
    levels: list[Level]
    width: int
    row_level: dict[tuple[int, int], int]
    pool_levels: list[tuple[int, int]]
    blocked: bytearray = field(init=False)
    across: dict[int, list[Edge]] = field(default_factory=dict)
    along: dict[int, list[Edge]] = field(default_factory=dict)
    through_h: list[int] = field(init=False)
    through_v: list[int] = field(init=False)
    bends: dict[int, list[Edge]] = field(default_factory=dict)
    ports: dict[tuple[str, int], list[tuple[Edge, bool]]] = field(default_factory=dict)

    work: int = 0

    def __post_init__(self) -> None:
        size = self.width * len(self.levels)
        self.blocked = bytearray(size)
        self.through_h = [0] * size
        self.through_v = [0] * size

    def place(self, node: Node) -> tuple[int, int, int, int]:
        """``(first x, last x, middle x, y)`` of a node in grid coordinates."""
        first = 2 * node.column + 1
        y = self.row_level[node.lane, node.row]
        return first, 2 * (node.column + node.span - 1) + 1, 2 * node.middle + 1, y

    def record(self, edge: Edge, path: Path) -> None:
        """Remember a routed path, so that later ones can avoid it."""
        width = self.width
        for (x1, y1), (x2, y2) in pairwise(path):
            if y1 == y2:
                for x in range(min(x1, x2), max(x1, x2)):
                    self.across.setdefault(y1 * width + x, []).append(edge)
                for x in range(min(x1, x2) + 1, max(x1, x2)):
                    self.through_h[y1 * width + x] += 1
            else:
                for y in range(min(y1, y2), max(y1, y2)):
                    self.along.setdefault(y * width + x1, []).append(edge)
                for y in range(min(y1, y2) + 1, max(y1, y2)):
                    self.through_v[y * width + x1] += 1
        for x, y in path[1:-1]:
            self.bends.setdefault(y * width + x, []).append(edge)


def build_grid(sheet: Sheet) -> Grid:
    """Lay out the grid's lines and block the points where nodes stand."""
    levels: list[Level] = []
    row_level: dict[tuple[int, int], int] = {}
    pool_levels: list[tuple[int, int]] = []
    for index, pool in enumerate(sheet.pools):
        levels.append(Level("gap", index))
        first = len(levels)
        for lane in range(pool.first, pool.last + 1):
            if pool.black_box:
                row_level[lane, 0] = len(levels)
                levels.append(Level("box", index, lane, 0))
                continue
            levels.append(Level("channel", index, lane, 0))
            for row in range(sheet.lanes[lane].rows):
                row_level[lane, row] = len(levels)
                levels.append(Level("row", index, lane, row))
                levels.append(Level("channel", index, lane, row + 1))
        pool_levels.append((first, len(levels) - 1))
    levels.append(Level("gap", len(sheet.pools)))
    grid = Grid(sheet, levels, 2 * sheet.columns + 1, row_level, pool_levels)
    for node in sheet.nodes.values():
        first, last, _, y = grid.place(node)
        for x in range(first, last + 1):
            grid.blocked[y * grid.width + x] = 1
    for y, level in enumerate(levels):
        if level.kind == "box":
            for x in range(grid.width):
                grid.blocked[y * grid.width + x] = 2
    return grid
