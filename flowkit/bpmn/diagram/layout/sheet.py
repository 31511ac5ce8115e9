"""What one plane holds, before it has coordinates: nodes, edges, lanes and pools.

A *sheet* is arranged as a grid: columns left to right, rows top to bottom; every lane owns some
neighbouring rows, every pool some neighbouring lanes. The content of an expanded subprocess is a
sheet of its own, arranged first; to the sheet around it, it is one big node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flowkit.bpmn.diagram.text import text_size

__all__ = [
    "LABEL_SIZE",
    "NAME_SIZE",
    "Boundary",
    "Box",
    "Edge",
    "Frame",
    "Lane",
    "Line",
    "Node",
    "Picture",
    "Pool",
    "Sheet",
    "label_size",
]

NAME_SIZE = 12
LABEL_SIZE = 11

Line = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Box:
    """A shape that has its place: top left corner, size, and the box of its outside label."""

    id: str
    kind: str
    x: int
    y: int
    width: int
    height: int
    label: tuple[int, int, int, int] | None = None
    expanded: bool | None = None

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """``(x, y, width, height)``."""
        return self.x, self.y, self.width, self.height

    def moved(self, dx: int, dy: int) -> Box:
        """The same box elsewhere."""
        label = self.label and (self.label[0] + dx, self.label[1] + dy, self.label[2], self.label[3])
        return Box(
            self.id, self.kind, self.x + dx, self.y + dy, self.width, self.height, label, self.expanded
        )


@dataclass(slots=True)
class Picture:
    """An arranged sheet: shapes in drawing order and edges, from its own top left corner."""

    width: int = 0
    height: int = 0
    axis: int = 0
    boxes: list[Box] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    labels: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Boundary:
    """An event on the border of an activity.

    ``offset`` is its centre from the host's left side; under a host that stands over several
    columns, from the middle of ``column``.
    """

    id: str
    name: str
    order: int
    label: tuple[int, int]
    offset: int = 0
    column: int = -1


@dataclass(slots=True)
class Node:
    """A shape that takes a place in the grid.

    ``axis`` is the distance from its top to the line of its row: the middle, except for an
    expanded subprocess, whose own main row continues the row around it. ``marked`` says that it
    shows a marker in the middle of its lower side (loop, collapsed …), ``aside`` that no flow leads
    to it (an event subprocess), ``fails`` that a path ends badly here (an error, a cancellation, a
    termination).
    """

    id: str
    kind: str
    name: str
    order: int
    width: int
    height: int
    axis: int
    lane: int
    label: tuple[int, int] = (0, 0)
    inside: Picture | None = None
    boundaries: list[Boundary] = field(default_factory=list)
    satellite: bool = False
    aside: bool = False
    marked: bool = False
    fails: bool = False
    column: int = 0
    span: int = 1
    row: int = 0
    x: int = 0
    y: int = 0

    @property
    def middle(self) -> int:
        """The column on whose line the node's upper and lower ports lie."""
        return self.column + (self.span - 1) // 2

    @property
    def pinned(self) -> bool:
        """Whether edges must meet the node at the middle of a side."""
        return self.kind.endswith(("Event", "Gateway")) or self.kind in ("dataObjectReference",)


@dataclass(slots=True)
class Edge:
    """A connection between two nodes, or between a node and a whole pool (``"pool:<index>"``)."""

    id: str
    kind: str
    source: str
    target: str
    order: int
    name: str = ""
    boundary: str = ""
    into_boundary: str = ""
    back: bool = False
    label: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Lane:
    """A leaf lane, or the whole of a pool without lanes."""

    pool: int
    rows: int = 1


@dataclass(slots=True)
class Frame:
    """A drawn lane: leaf lanes ``first`` to ``last``, nested ``depth`` deep."""

    id: str
    name: str
    depth: int
    first: int
    last: int


@dataclass(slots=True)
class Pool:
    """Leaf lanes ``first`` to ``last``; ``id`` is empty where no pool is drawn."""

    id: str
    name: str
    first: int
    last: int
    black_box: bool = False
    frames: list[Frame] = field(default_factory=list)

    @property
    def header(self) -> int:
        """Width of the titles of the pool and its lanes, left of the content."""
        deepest = max((frame.depth + 1 for frame in self.frames), default=0)
        return 30 * (deepest + (1 if self.id else 0))


@dataclass(slots=True)
class Sheet:
    """Everything that one plane, or one expanded subprocess, shows."""

    owners: list[str]
    pools: list[Pool] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    loose: list[Edge] = field(default_factory=list)
    columns: int = 1

    def pool_of(self, end: str) -> int:
        """The index of the pool that an edge's end lies in."""
        if end.startswith("pool:"):
            return int(end[5:])
        return self.lanes[self.nodes[end].lane].pool


def label_size(name: str, width: int) -> tuple[int, int]:
    """The box of an outside label wrapped at ``width``."""
    return text_size(name, width, LABEL_SIZE)
