"""The finished sheet: boxes, lines and labels in pixels."""

from __future__ import annotations

from flowkit.bpmn.diagram.layout.labels import place_labels
from flowkit.bpmn.diagram.layout.measure import Geometry
from flowkit.bpmn.diagram.layout.sheet import Box, Line, Node, Picture, Pool, Sheet
from flowkit.bpmn.diagram.layout.tracks import Stretch

__all__ = ["finish"]

_BOUNDARY = 18


def finish(sheet: Sheet, geometry: Geometry) -> Picture:
    """Put everything in its place; the picture's corner is the top left of its pools or content."""
    shift = max((pool.header for pool in sheet.pools), default=0)
    frames = _frames(sheet, geometry, shift)
    drawn = {edge.id: edge for edge in sheet.edges if edge.id in geometry.routes}
    lines = {identity: _line(geometry, geometry.routes[identity]) for identity in drawn}
    boxes: list[Box] = []
    for node in sheet.nodes.values():
        boxes.extend(_boxes(geometry, node))
    width = geometry.lefts[-1] + geometry.widths[-1]
    height = geometry.tops[-1] + geometry.heights[-1]
    levels = {y for frame in frames for y in (frame.y, frame.y + frame.height)}
    borders = [((0, y), (width, y)) for y in sorted(levels)]
    labels = place_labels(boxes, lines, drawn, (width, height), borders)
    picture = Picture(
        width=shift + width,
        height=height,
        axis=_axis(sheet, geometry),
        boxes=frames + [box.moved(shift, 0) for box in boxes],
        lines={key: tuple((x + shift, y) for x, y in line) for key, line in lines.items()},
        labels={key: (x + shift, y, w, h) for key, (x, y, w, h) in labels.items()},
    )
    _add_insides(sheet, picture, shift)
    return picture


def _axis(sheet: Sheet, geometry: Geometry) -> int:
    """The height at which the sheet's main path begins."""
    starts = sorted(sheet.nodes.values(), key=lambda n: (n.aside, n.satellite, n.column, n.row, n.order))
    return starts[0].y + starts[0].axis if starts else geometry.heights[0] // 2


def _frames(sheet: Sheet, geometry: Geometry, shift: int) -> list[Box]:
    spans: dict[int, tuple[int, int]] = {}
    for y, level in enumerate(geometry.grid.levels):
        if level.lane >= 0:
            top, _ = spans.get(level.lane, (geometry.tops[y], 0))
            spans[level.lane] = top, geometry.tops[y] + geometry.heights[y]
    right = shift + geometry.lefts[-1] + geometry.widths[-1]

    def frame(identity: str, kind: str, left: int, first: int, last: int) -> Box:
        top, bottom = spans[first][0], spans[last][1]
        return Box(identity, kind, left, top, right - left, bottom - top)

    boxes = []
    for pool in sheet.pools:
        if pool.id:
            boxes.append(frame(pool.id, "participant", 0, pool.first, pool.last))
        boxes.extend(_lanes(pool, frame))
    return boxes


def _lanes(pool: Pool, frame: object) -> list[Box]:
    offset = 30 if pool.id else 0
    assert callable(frame)
    return [frame(lane.id, "lane", offset + 30 * lane.depth, lane.first, lane.last) for lane in pool.frames]


def _boxes(geometry: Geometry, node: Node) -> list[Box]:
    box = Box(node.id, node.kind, node.x, node.y, node.width, node.height)
    if node.kind in ("subProcess", "transaction", "adHocSubProcess"):
        box.expanded = node.inside is not None
    side, (width, height) = geometry.label_sides.get(node.id), node.label
    middle = node.x + node.width // 2
    if side == "below":
        box.label = (middle - width // 2, node.y + node.height + 5, width, height)
    elif side == "above":
        box.label = (middle - width // 2, node.y - 5 - height, width, height)
    elif side == "corner":
        diamond = node.kind.endswith("Gateway")
        left = middle - 7 if diamond else node.x - 4
        bottom = node.y + 4 if diamond else node.y + node.axis - 4
        box.label = (left - width, bottom - height, width, height)
    boxes = [box]
    for boundary in node.boundaries:
        x, y = geometry.boundary_x(node, boundary), node.y + node.height
        event = Box(boundary.id, "boundaryEvent", x - _BOUNDARY, y - _BOUNDARY, 36, 36)
        if boundary.label[0]:
            event.label = (x + _BOUNDARY + 3, y + 3, *boundary.label)
        boxes.append(event)
    return boxes


def _line(geometry: Geometry, pieces: list[Stretch]) -> Line:
    """The corners of a route, from border to border."""
    places = [geometry.at(piece) for piece in pieces]
    edge = pieces[0].edge
    start = _dock(geometry, pieces[0], edge.source, edge.boundary, places[0], leaving=True)
    end = _dock(geometry, pieces[-1], edge.target, edge.into_boundary, places[-1], leaving=False)
    corners = [start]
    for before, piece, first, second in zip(pieces, pieces[1:], places, places[1:], strict=False):
        del piece
        corners.append((first, second) if before.upright else (second, first))
    corners.append(end)
    return _straightened(corners, pieces)


def _dock(
    geometry: Geometry, piece: Stretch, end: str, boundary: str, place: int, *, leaving: bool
) -> tuple[int, int]:
    """Where a route meets the border of what it connects."""
    sheet = geometry.grid.sheet
    if end.startswith("pool:"):
        first, last = geometry.grid.pool_levels[int(end[5:])]
        at_top = piece.high == first if piece.high != last or first == last else False
        at_top = at_top or (first == last and piece.low < first)
        bottom = geometry.tops[last] + geometry.heights[last]
        return place, geometry.tops[first] if at_top else bottom
    node = sheet.nodes[end]
    if not piece.upright:
        first_x, _, _, _ = geometry.grid.place(node)
        at_left = piece.low < first_x
        return node.x if at_left else node.x + node.width, place
    y = geometry.grid.row_level[node.lane, node.row]
    if boundary:
        return place, node.y + node.height + _BOUNDARY
    above = piece.low < y
    half = node.width // 2 - 6
    middle = node.x + node.width // 2
    if node.pinned or abs(place - middle) > half:
        place = middle
    del leaving
    return place, node.y if above else node.y + node.height


def _straightened(corners: list[tuple[int, int]], pieces: list[Stretch]) -> Line:
    """Add a jog where an upright end had to move to the middle of its node; drop idle corners."""
    points = list(corners)
    if len(points) == 2 and points[0][0] != points[1][0] and points[0][1] != points[1][1]:
        (x1, y1), (x2, y2) = points
        turn = y2 - 12 if y2 > y1 else y2 + 12
        points = [(x1, y1), (x1, turn), (x2, turn), (x2, y2)]
    elif pieces[0].upright and points[0][0] != points[1][0]:
        points[0] = (points[1][0], points[0][1])
    if len(points) > 2 and points[-1][0] != points[-2][0] and points[-1][1] != points[-2][1]:
        points[-1] = (points[-2][0], points[-1][1]) if pieces[-1].upright else points[-1]
    kept: list[tuple[int, int]] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and (
            kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]
        ):
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)


def _add_insides(sheet: Sheet, picture: Picture, shift: int) -> None:
    """Copy the content of expanded subprocesses into the picture."""
    for node in sheet.nodes.values():
        inside = node.inside
        if inside is None:
            continue
        dx = shift + node.x + (node.width - inside.width) // 2
        dy = node.y + 30
        picture.boxes.extend(box.moved(dx, dy) for box in inside.boxes)
        for key, line in inside.lines.items():
            picture.lines[key] = tuple((x + dx, y + dy) for x, y in line)
        for key, (x, y, width, height) in inside.labels.items():
            picture.labels[key] = (x + dx, y + dy, width, height)
