"""Where events sit on the lower side of their host.

Each has a slot: the event, and its label right of the line that leaves it. The event whose path
leads furthest down sits leftmost, so that the lines nest without crossing; paths that lead back to
the left sit left of all others.
"""

from __future__ import annotations

from flowkit.bpmn.diagram.layout.sheet import Boundary, Node, Sheet

__all__ = ["boundary_width", "place_boundaries"]

_MARGIN = 10
_RADIUS = 18


def _slot(boundary: Boundary) -> int:
    return 48 + boundary.label[0] if boundary.label[0] else 50


def boundary_width(node: Node) -> int:
    """The width that a host needs for its boundary events."""
    return 2 * _MARGIN + sum(map(_slot, node.boundaries)) - 10 if node.boundaries else 0


def place_boundaries(sheet: Sheet) -> None:
    """Set the order and offset of every boundary event, once rows and columns are known."""
    for node in sheet.nodes.values():
        if not node.boundaries:
            continue
        node.boundaries.sort(key=lambda boundary: _rank(sheet, node, boundary))
        left = _MARGIN
        for boundary in node.boundaries:
            boundary.offset = left + _RADIUS
            left += _slot(boundary)


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
