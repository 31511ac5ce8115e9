"""Event subprocesses and nodes without flows: rows of their own at the bottom of their lane."""

from __future__ import annotations

import math
from collections import defaultdict

from flowkit.bpmn.diagram.layout.sheet import Edge, Node, Sheet

__all__ = ["place_aside"]

_USUAL_WIDTH = 100
_GAP = 50


def place_aside(sheet: Sheet, placed: set[str]) -> None:
    """Give every node that is neither ``placed`` nor a satellite its column, span and row."""
    waiting: dict[int, list[Node]] = defaultdict(list)
    for node in sheet.nodes.values():
        if node.id not in placed and not node.satellite:
            waiting[node.lane].append(node)
    widths = _column_widths(sheet, placed)
    for lane, nodes in waiting.items():
        used = any(sheet.nodes[identity].lane == lane for identity in placed)
        for node in nodes:
            node.span = _span(node, widths)
        total = sum(node.span for node in nodes)
        limit = max(sheet.columns, math.ceil(math.sqrt(total) * 1.3), *(node.span for node in nodes))
        rows = _fill(sheet, sorted(nodes, key=lambda n: (n.aside, n.order)), limit)
        first = sheet.lanes[lane].rows if used else 0
        for node in nodes:
            node.row += first
        sheet.lanes[lane].rows = first + rows
        sheet.columns = max(sheet.columns, *(node.column + node.span for node in nodes))


def _fill(sheet: Sheet, nodes: list[Node], limit: int) -> int:
    """Place nodes in rows of ``limit`` columns, where they stand in the way of few flows; count the rows."""
    crossing = [edge for edge in sheet.edges if _passes(sheet, edge, nodes[0].lane)]
    rows = 0
    taken: set[int] = set()
    for node in nodes:
        starts = range(limit - node.span + 1)
        free = [c for c in starts if rows and taken.isdisjoint(range(c, c + node.span))]
        # The last row, as long as there is room; then the next.
        if not free:
            rows, taken, free = rows + 1, set(), list(starts)

        def price(column: int, span: int = node.span) -> tuple[int, int]:
            return sum(_blocks(sheet, edge, column, span) for edge in crossing), column

        node.row, node.column = rows - 1, min(free, key=price)
        taken |= set(range(node.column, node.column + node.span))
    return rows


def _passes(sheet: Sheet, edge: Edge, lane: int) -> bool:
    """Whether an edge leads from the lane, or from above it, to below it, or back."""
    bottoms = []
    for end in (edge.source, edge.target):
        if end.startswith("pool:"):
            bottoms.append(sheet.pools[int(end[5:])].first)
        elif sheet.nodes[end].satellite:
            return False
        else:
            bottoms.append(sheet.nodes[end].lane)
    return min(bottoms) <= lane < max(bottoms)


def _blocks(sheet: Sheet, edge: Edge, column: int, span: int) -> bool:
    """Whether every usual way down for an edge lies behind columns ``column`` to ``column + span - 1``."""
    ends = [sheet.nodes[end] for end in (edge.source, edge.target) if end in sheet.nodes]
    if edge.kind == "messageFlow" or len(ends) < 2:
        return any(column <= node.middle < column + span for node in ends)
    left, right = sorted(ends, key=lambda node: node.column)
    return column < left.column + left.span and right.column < column + span


def _column_widths(sheet: Sheet, placed: set[str]) -> list[int]:
    """An estimate: the widest node or label of each column, and the gap after it."""
    widths = [0] * sheet.columns
    for identity in placed:
        node = sheet.nodes[identity]
        if node.span == 1:
            widths[node.column] = max(widths[node.column], node.width, node.label[0])
    return [(width or _USUAL_WIDTH) + _GAP for width in widths]


def _span(node: Node, widths: list[int]) -> int:
    """Over how many columns from the left a wide node stands, so that it need not spread them."""
    if node.inside is None:
        return 1
    span, room = 0, -_GAP
    while room < node.width:
        room += widths[span] if span < len(widths) else _USUAL_WIDTH + _GAP
        span += 1
    return span
