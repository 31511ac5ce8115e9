"""Where events sit on the lower side of their host.

Each has a slot: the event, and its label right of the line that leaves it. The event whose path
leads furthest down sits leftmost, so that the lines nest without crossing; paths that lead back to
the left sit left of all others.
"""

from __future__ import annotations

from flowkit.bpmn.diagram.layout.sheet import Boundary, Node, Sheet

__all__ = ["boundary_width", "half_width_needed", "place_boundaries"]

_MARGIN = 10
_RADIUS = 18
# Half the room that the markers in the middle of the lower side take.
_MARKER = 11


def _slot(boundary: Boundary) -> int:
    return 48 + boundary.label[0] if boundary.label[0] else 50


def boundary_width(node: Node) -> int:
    """The width that a host needs for its boundary events."""
    width = 100
    while _offsets(node, width) is None:
        width += 10
    return width


def _offsets(node: Node, width: int) -> list[int] | None:
    """The middles of the events on a host of this width, clear of its markers; None if too narrow."""
    offsets = []
    left = 4 if node.marked else _MARGIN
    end = 0
    for boundary in node.boundaries:
        if node.marked and left < width // 2 + _MARKER and left + 2 * _RADIUS > width // 2 - _MARKER:
            left = width // 2 + _MARKER
        offsets.append(left + _RADIUS)
        end = left + 2 * _RADIUS
        left += _slot(boundary)
    label = node.boundaries[-1].label[0] if node.boundaries else 0
    return None if end > width - 4 or end + label > width + 10 else offsets


def place_boundaries(sheet: Sheet) -> None:
    """Set the order and offset of every boundary event, once rows and columns are known."""
    for node in sheet.nodes.values():
        if not node.boundaries:
            continue
        node.boundaries.sort(key=lambda boundary: _rank(sheet, node, boundary))
        node.width = max(node.width, boundary_width(node))
        if node.span > 1:
            _under_columns(node)
            continue
        for boundary, offset in zip(node.boundaries, _offsets(node, node.width) or (), strict=True):
            boundary.offset = offset
            boundary.column = node.column


def _under_columns(node: Node) -> None:
    """Spread the events of a wide host over the columns below it, so that their lines can go down."""
    count = len(node.boundaries)
    share = -(-count // node.span)
    for index, boundary in enumerate(node.boundaries):
        boundary.column = node.column + index // share
        group = node.boundaries[index // share * share :][:share]
        widths = [_slot(other) for other in group]
        place = index % share
        boundary.offset = sum(widths[:place]) - (sum(widths[:-1])) // 2


def half_width_needed(node: Node, column: int) -> int:
    """The room right and left of a column's middle that the events under a wide host need."""
    group = [boundary for boundary in node.boundaries if boundary.column == column]
    if node.span == 1 or not group:
        return 0
    return max(abs(boundary.offset) + _RADIUS + 6 + boundary.label[0] for boundary in group)


def _rank(sheet: Sheet, host: Node, boundary: Boundary) -> tuple[int, int, int, int]:
    targets = [
        sheet.nodes[edge.target]
        for edge in sheet.edges
        if edge.boundary == boundary.id and edge.target in sheet.nodes
    ]
    if not targets:
        return 0, 0, 0, boundary.order
    target = targets[0]
    if target.column < host.column:
        return 1, target.lane, target.row, boundary.order
    if (target.lane, target.row) <= (host.lane, host.row):
        return 3, 0, 0, boundary.order
    return 2, -target.lane, -target.row, boundary.order
