"""Where the names of flows stand: beside their own line, on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from flowkit.bpmn.diagram.layout.measure import Geometry
from flowkit.bpmn.diagram.layout.sheet import Box, Edge, Line
from flowkit.bpmn.diagram.layout.tracks import Stretch

__all__ = ["place_labels"]

Rectangle = tuple[int, int, int, int]


def place_labels(
    geometry: Geometry, boxes: list[Box], lines: Mapping[str, Line], edges: Mapping[str, Edge]
) -> dict[str, Rectangle]:
    """Choose, for every named edge, the first place that hits nothing, else the least bad one."""
    taken: list[Rectangle] = [box.bounds for box in boxes]
    taken += [box.label for box in boxes if box.label]
    labels: dict[str, Rectangle] = {}
    for identity, edge in edges.items():
        width, height = edge.label
        if not width:
            continue
        best: tuple[int, Rectangle] | None = None
        for place in _places(geometry, geometry.routes[identity], lines[identity], width, height):
            cost = 1000 * sum(_hits(place, other) for other in taken)
            cost += sum(_crosses(place, line) for line in lines.values())
            if best is None or cost < best[0]:
                best = (cost, place)
            if not cost:
                break
        if best is not None:
            labels[identity] = best[1]
            taken.append(best[1])
    return labels


def _places(
    geometry: Geometry, pieces: list[Stretch], line: Line, width: int, height: int
) -> Iterator[Rectangle]:
    """Candidates along the line, from its source on: above a level piece, right of an upright one."""
    del geometry, pieces
    for upright_turn in (False, True):
        for index, ((x1, y1), (x2, y2)) in enumerate(pairwise(line)):
            if y1 == y2:
                room = abs(x2 - x1) - (12 if index == len(line) - 2 else 0)
                if room >= width + 4 or upright_turn:
                    yield from _along(x1, x2, y1, width, height)
            elif upright_turn or abs(y2 - y1) >= height + 12:
                yield from _beside(x1, y1, y2, width, height)


def _along(x1: int, x2: int, y: int, width: int, height: int) -> Iterator[Rectangle]:
    step = 1 if x2 > x1 else -1
    room = max(0, abs(x2 - x1) - width - 8)
    for shift in (0, room // 2, room):
        left = x1 + 7 + shift if step > 0 else x1 - 7 - shift - width
        yield left, y - height - 3, width, height
        yield left, y + 3, width, height


def _beside(x: int, y1: int, y2: int, width: int, height: int) -> Iterator[Rectangle]:
    room = max(0, abs(y2 - y1) - height - 12)
    for shift in (0, room // 2, room):
        top = y1 + 7 + shift if y2 > y1 else y1 - 7 - shift - height
        yield x + 4, top, width, height
        yield x - 4 - width, top, width, height


def _hits(one: Rectangle, two: Rectangle) -> bool:
    return (
        one[0] < two[0] + two[2]
        and two[0] < one[0] + one[2]
        and one[1] < two[1] + two[3]
        and two[1] < one[1] + one[3]
    )


def _crosses(place: Rectangle, line: Line) -> int:
    """How many pieces of a line run through a rectangle."""
    left, top, width, height = place
    return sum(
        min(x1, x2) < left + width and max(x1, x2) > left and min(y1, y2) < top + height and max(y1, y2) > top
        for (x1, y1), (x2, y2) in pairwise(line)
    )
