"""Data objects, data stores and annotations: in a free cell next to what they belong to."""

from __future__ import annotations

import math
from collections import defaultdict

from flowkit.bpmn.diagram.layout.sheet import Node, Sheet

__all__ = ["place_satellites"]


def place_satellites(sheet: Sheet) -> None:
    """Set column and row of every satellite; add rows to lanes where no cell is free."""
    satellites = [node for node in sheet.nodes.values() if node.satellite]
    if not satellites:
        return
    taken = {
        (node.lane, node.row, column)
        for node in sheet.nodes.values()
        if not node.satellite
        for column in range(node.column, node.column + node.span)
    }
    crossed = _crossed(sheet)
    hosts = _hosts(sheet)
    for node in sorted(satellites, key=lambda n: n.order):
        host = next((h for h in hosts[node.id] if not h.satellite), None)
        if host is not None:
            node.lane = host.lane
        node.row, node.column = _best_cell(sheet, node, host, taken, crossed)
        taken.add((node.lane, node.row, node.column))
        sheet.lanes[node.lane].rows = max(sheet.lanes[node.lane].rows, node.row + 1)
    _start_rows_at_zero(sheet)


def _hosts(sheet: Sheet) -> dict[str, list[Node]]:
    hosts: dict[str, list[Node]] = defaultdict(list)
    for edge in sheet.edges:
        if edge.kind in ("association", "data") and "pool:" not in edge.source + edge.target:
            hosts[edge.source].append(sheet.nodes[edge.target])
            hosts[edge.target].append(sheet.nodes[edge.source])
    flows = {edge.id: edge for edge in sheet.edges}
    for edge in sheet.loose:
        # An annotation of a flow stands near where the flow begins.
        for one, two in ((edge.source, edge.target), (edge.target, edge.source)):
            if one in sheet.nodes and two in flows and flows[two].source in sheet.nodes:
                hosts[one].append(sheet.nodes[flows[two].source])
    return hosts


def _crossed(sheet: Sheet) -> set[tuple[int, int, int]]:
    """Cells that a straight flow between two nodes of one row will run through."""
    cells = set()
    for edge in sheet.edges:
        if edge.kind == "sequenceFlow" and not edge.back and not edge.boundary:
            source, target = sheet.nodes[edge.source], sheet.nodes[edge.target]
            if (source.lane, source.row) == (target.lane, target.row):
                columns = range(source.column + source.span, target.column)
                cells |= {(source.lane, source.row, column) for column in columns}
    return cells


def _best_cell(
    sheet: Sheet,
    node: Node,
    host: Node | None,
    taken: set[tuple[int, int, int]],
    crossed: set[tuple[int, int, int]],
) -> tuple[int, int]:
    """The nearest free cell, above rather than below, in the host's column rather than beside it."""
    rows = [n.row for n in sheet.nodes.values() if n.lane == node.lane and not n.satellite] or [0]
    above = [row for lane, row, _ in taken if lane == node.lane]
    top, bottom = min([*rows, *above]) - 1, max([*rows, *above]) + 1
    if host is None:
        free = (c for c in range(sheet.columns + len(taken)) if (node.lane, bottom, c) not in taken)
        return bottom, next(free)
    best: tuple[float, int, int] = (math.inf, bottom, host.middle)
    for row in range(top, bottom + 1):
        for column in (host.middle, host.middle + 1, host.middle - 1):
            cell = (node.lane, row, column)
            if not 0 <= column < sheet.columns or cell in taken or cell in crossed:
                continue
            step = 1 if row > host.row else -1
            between = range(host.row + step, row, step)
            blocked = sum((node.lane, r, column) in taken for r in between)
            cost = abs(row - host.row) + 2.5 * abs(column - host.middle) + 4 * blocked
            cost += 1.2 * (row in (top, bottom)) + 0.3 * (row > host.row)
            cost += 3 * (row > host.row and bool(host.boundaries)) + 9 * (row == host.row)
            best = min(best, (cost, row, column))
    return best[1], best[2]


def _start_rows_at_zero(sheet: Sheet) -> None:
    for index, lane in enumerate(sheet.lanes):
        rows = [node.row for node in sheet.nodes.values() if node.lane == index]
        lowest = min([0, *rows])
        for node in sheet.nodes.values():
            if node.lane == index:
                node.row -= lowest
        lane.rows -= lowest
