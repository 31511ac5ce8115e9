"""Connections that the grid does not know: across the border of a subprocess, or to another edge.

A message flow to a node inside an expanded subprocess, an association with a flow, a lane or a
pool. They are drawn last, over the finished picture, by the simplest line that hits least.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from flowkit.bpmn.diagram.layout.labels import crossings
from flowkit.bpmn.diagram.layout.sheet import Box, Edge, Line, Picture

__all__ = ["add_loose_edges"]

_Rectangle = tuple[int, int, int, int]

_CENTRED = ("Event", "Gateway")
# How many ways beside other shapes are tried.
_WAYS = 40


def add_loose_edges(picture: Picture, loose: list[Edge]) -> None:
    """Draw what can be drawn: an edge both of whose ends are in the picture."""
    boxes = {box.id: box for box in picture.boxes}
    names = [box.label for box in picture.boxes if box.label] + list(picture.labels.values())
    for edge in sorted(loose, key=lambda e: e.order):
        source, target = (_rectangle(picture, boxes, end) for end in (edge.source, edge.target))
        if source is None or target is None:
            continue
        point = 0 in (source[2] + source[3], target[2] + target[3])
        centred = tuple(
            end in boxes and boxes[end].kind.endswith(_CENTRED) for end in (edge.source, edge.target)
        )
        candidates = _straight(source, target) if point else _upright(picture, source, target, centred)
        shapes = (box for box in picture.boxes if box.kind not in ("participant", "lane", "group"))
        obstacles = [box.bounds for box in shapes if not _surrounds(box, source, target)]
        line = _cheapest(candidates, obstacles, names, list(picture.lines.values()))
        picture.lines[edge.id] = line
        if edge.label[0]:
            (x, y), (_, following) = line[0], line[1]
            picture.labels[edge.id] = (x + 5, y + 6 if following > y else y - 6 - edge.label[1], *edge.label)


def _cheapest(
    candidates: Iterator[Line],
    obstacles: Sequence[_Rectangle],
    names: Sequence[_Rectangle],
    others: Sequence[Line],
) -> Line:
    """The line that hits the fewest shapes, then runs along the fewest lines, hits the fewest names."""

    def price(line: Line) -> tuple[int, int, int]:
        return _hits(line, obstacles), _shared(line, others), 200 * _hits(line, names) + _length(line)

    return min(candidates, key=price)


def _rectangle(picture: Picture, boxes: dict[str, Box], end: str) -> _Rectangle | None:
    """The box of a shape; of an edge, the point in its middle."""
    if end in boxes:
        return boxes[end].bounds
    line = picture.lines.get(end)
    if line is None:
        return None
    (x1, y1), (x2, y2) = max(pairwise(line), key=_length)
    return (x1 + x2) // 2, (y1 + y2) // 2, 0, 0


def _surrounds(box: Box, *inner: _Rectangle) -> bool:
    x, y, width, height = box.bounds
    return any(
        x <= ix and y <= iy and ix + iw <= x + width and iy + ih <= y + height for ix, iy, iw, ih in inner
    )


def _straight(source: _Rectangle, target: _Rectangle) -> Iterator[Line]:
    """From border to border towards each other's middle; only associations with an edge need this."""
    towards = target[0] + target[2] // 2, target[1] + target[3] // 2
    back = source[0] + source[2] // 2, source[1] + source[3] // 2
    yield _nearest(source, towards), _nearest(target, back)


def _nearest(rectangle: _Rectangle, point: tuple[int, int]) -> tuple[int, int]:
    """The middle of the side that faces a point."""
    x, y, width, height = rectangle
    px, py = point
    if px < x or px > x + width:
        sideways = max(x - px, px - x - width)
        upright = max(y - py, py - y - height, 0)
        if sideways >= upright:
            return (x if px < x else x + width), y + height // 2
    return x + width // 2, (y if py < y + height // 2 else y + height)


def _upright(
    picture: Picture, source: _Rectangle, target: _Rectangle, centred: tuple[bool, ...]
) -> Iterator[Line]:
    """Lines that leave and enter by upper or lower sides, turning in a gap between pools."""
    below = target[1] >= source[1] + source[3]
    start_y = source[1] + source[3] if below else source[1]
    end_y = target[1] if below else target[1] + target[3]
    turns = {(start_y + end_y) // 2}
    for box in picture.boxes:
        if box.kind == "participant":
            near = (edge + shift for edge in (box.y - 26, box.y + box.height + 14) for shift in (0, 6, 12))
            turns |= {y for y in near if _between(start_y, y, end_y)}
    for share in (50,) if centred[0] else (50, 30, 70, 15, 85):
        x = source[0] + source[2] * share // 100
        middle = target[0] + target[2] // 2
        if x == middle or (not centred[1] and target[0] + 6 <= x <= target[0] + target[2] - 6):
            yield (x, start_y), (x, end_y)
        for other in (50,) if centred[1] else (50, 25, 75):
            x2 = target[0] + target[2] * other // 100
            for turn in sorted(turns):
                yield (x, start_y), (x, turn), (x2, turn), (x2, end_y)
    x, x2 = source[0] + source[2] // 2, target[0] + target[2] // 2
    out, back = (start_y + 14, end_y - 18) if below else (start_y - 14, end_y + 18)
    beside = {side for box in picture.boxes for side in (box.x - 12, box.x + box.width + 12)}
    for way in sorted(beside, key=lambda side: (abs(side - x), side))[:_WAYS]:
        for turn in (back, *sorted(turns)):
            yield (x, start_y), (x, out), (way, out), (way, turn), (x2, turn), (x2, end_y)


def _between(one: int, middle: int, two: int) -> bool:
    return min(one, two) < middle < max(one, two)


def _hits(line: Line, obstacles: Sequence[_Rectangle]) -> int:
    return sum(crossings(bounds, line) > 0 for bounds in obstacles)


def _shared(line: Line, others: Sequence[Line]) -> int:
    """How many pieces of other lines a line would cover."""
    return sum(_cover(one, two) for one in pairwise(line) for other in others for two in pairwise(other))


def _cover(one: Line, two: Line) -> bool:
    for axis in (0, 1):
        if one[0][axis] == one[1][axis] == two[0][axis] == two[1][axis]:
            low, high = sorted((one[0][1 - axis], one[1][1 - axis]))
            start, end = sorted((two[0][1 - axis], two[1][1 - axis]))
            return low < end and start < high
    return False


def _length(line: Line) -> int:
    return sum(abs(x2 - x1) + abs(y2 - y1) for (x1, y1), (x2, y2) in pairwise(line)) + 5 * len(line)
