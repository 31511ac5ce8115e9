"""Where the names of flows stand: beside their own line, on nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from flowkit.bpmn.diagram.layout.sheet import Box, Edge, Line

__all__ = ["crossings", "place_labels"]

Rectangle = tuple[int, int, int, int]

_NEAR = 260
_CELL = 128
# Of more flows from one point, only so many are compared to find where they part.
_SIBLINGS = 40


def place_labels(
    boxes: list[Box],
    lines: Mapping[str, Line],
    edges: Mapping[str, Edge],
    size: tuple[int, int],
    borders: Sequence[Line],
) -> dict[str, Rectangle]:
    """Choose, for every named edge, the first place in the picture that hits nothing, else the least bad.

    ``borders`` are those of pools and lanes, which a name should not be written across.
    """
    taken, strokes = _Nearby(), _Nearby()
    for box in boxes:
        taken.add(box.bounds)
        if box.label:
            taken.add(box.label)
    for line in (*lines.values(), *borders):
        for (x1, y1), (x2, y2) in pairwise(line):
            strokes.add((min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)))
    siblings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for identity, edge in edges.items():
        siblings[edge.source, edge.boundary].append(identity)
    labels: dict[str, Rectangle] = {}
    for identity, edge in edges.items():
        if edge.label[0]:
            others = [lines[other] for other in siblings[edge.source, edge.boundary] if other != identity]
            labels[identity] = _best_place(
                lines[identity], others[:_SIBLINGS], edge.label, size, taken, strokes
            )
            taken.add(labels[identity])
    return labels


class _Nearby:
    """Rectangles, found by where they are."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Rectangle]] = defaultdict(list)

    def add(self, rectangle: Rectangle) -> None:
        for cell in self._touched(rectangle):
            self._cells[cell].append(rectangle)

    def hits(self, place: Rectangle) -> int:
        """How many rectangles a place overlaps."""
        cells = [self._cells[cell] for cell in self._touched(place) if cell in self._cells]
        return len({id(other) for cell in cells for other in cell if _hits(place, other)})

    def _touched(self, rectangle: Rectangle) -> Iterator[tuple[int, int]]:
        x, y, width, height = rectangle
        for column in range(x // _CELL, (x + width) // _CELL + 1):
            for row in range(y // _CELL, (y + height) // _CELL + 1):
                yield column, row


def _best_place(
    line: Line,
    others: Sequence[Line],
    label: tuple[int, int],
    size: tuple[int, int],
    taken: _Nearby,
    strokes: _Nearby,
) -> Rectangle:
    best = (10**9, (0, 0, *label))
    own = _own_part(line, others)
    for place in _places(own, *label, level_first=own is not line):
        cost = 1000 * (taken.hits(place) + _outside(place, size)) + strokes.hits(place)
        if cost < best[0]:
            best = (cost, place)
        if not cost:
            break
    if best[0] < 1000:
        return best[1]
    free: Rectangle | None = None
    for place in _around(own, *label):
        if not taken.hits(place):
            free = free or place
            if not _outside(place, size):
                return place
    return free or best[1]


def _own_part(line: Line, others: Sequence[Line]) -> Line:
    """The line from where it parts from other flows of the same source; a name there is its alone."""
    own, furthest = line, (-1, 0)
    for other in others:
        parted = _parting(line, other)
        if parted is None:
            continue
        index, (x, y) = parted
        reached = index, abs(x - line[index][0]) + abs(y - line[index][1])
        if reached > furthest:
            furthest, own = reached, ((x, y), *line[index + 1 :])
    # Two flows with the same ends never part.
    return own if len(own) > 1 and own[0] != own[-1] else line


def _parting(one: Line, two: Line) -> tuple[int, tuple[int, int]] | None:
    """Index of the piece on which the first line leaves the second, and the point; None if at once."""
    if one[0] != two[0]:
        return None
    index = 0
    while index + 1 < min(len(one), len(two)) and one[index + 1] == two[index + 1]:
        index += 1
    if index + 1 >= min(len(one), len(two)):
        return (index, one[index]) if index else None
    (x, y), (x1, y1), (x2, y2) = one[index], one[index + 1], two[index + 1]
    if x1 == x2 == x and (y1 - y) * (y2 - y) > 0:
        return index, (x, min(y1, y2, key=lambda v: abs(v - y)))
    if y1 == y2 == y and (x1 - x) * (x2 - x) > 0:
        return index, (min(x1, x2, key=lambda v: abs(v - x)), y)
    return (index, one[index]) if index else None


def _places(line: Line, width: int, height: int, *, level_first: bool) -> Iterator[Rectangle]:
    """Candidates from the source on: above a level piece, right of an upright one; roomy ones first.

    ``level_first`` prefers level pieces that are near: where flows share a trunk, the name is
    clearest on the arm.
    """
    pieces = []
    away = 0
    for index, ((x1, y1), (x2, y2)) in enumerate(pairwise(line)):
        level = y1 == y2
        length = abs(x2 - x1) + abs(y2 - y1)
        roomy = length - (12 if index == len(line) - 2 else 0) >= (width + 14 if level else height + 16)
        arm = level_first and level and away < _NEAR
        pieces.append((not roomy, not arm, index, (x1, y1, x2, y2)))
        away += length
    for _, _, _, (x1, y1, x2, y2) in sorted(pieces):
        if y1 == y2:
            yield from _along(x1, x2, y1, width, height)
        else:
            yield from _beside(x1, y1, y2, width, height)


def _around(line: Line, width: int, height: int) -> Iterator[Rectangle]:
    """Ever wider rings around the line's first corner, for when it is crowded everywhere along it."""
    x, y = line[1] if len(line) > 2 else ((line[0][0] + line[1][0]) // 2, (line[0][1] + line[1][1]) // 2)
    for ring in range(1, 40):
        for dx in range(-ring, ring + 1):
            for dy in (-ring, ring) if abs(dx) < ring else range(-ring, ring + 1):
                yield x + 10 * dx - width // 2, y + 8 * dy - height // 2, width, height


def _along(x1: int, x2: int, y: int, width: int, height: int) -> Iterator[Rectangle]:
    step = 1 if x2 > x1 else -1
    room = max(0, abs(x2 - x1) - width - 20)
    for shift in (0, room // 2, room):
        left = x1 + 13 + shift if step > 0 else x1 - 13 - shift - width
        yield left, y - height - 3, width, height
        yield left, y + 3, width, height


def _beside(x: int, y1: int, y2: int, width: int, height: int) -> Iterator[Rectangle]:
    room = max(0, abs(y2 - y1) - height - 20)
    for shift in (0, room // 2, room):
        top = y1 + 13 + shift if y2 > y1 else y1 - 13 - shift - height
        yield x + 4, top, width, height
        yield x - 4 - width, top, width, height


def _outside(place: Rectangle, size: tuple[int, int]) -> bool:
    x, y, width, height = place
    return x < 0 or y < 0 or x + width > size[0] or y + height > size[1]


def _hits(one: Rectangle, two: Rectangle) -> bool:
    return (
        one[0] < two[0] + two[2]
        and two[0] < one[0] + one[2]
        and one[1] < two[1] + two[3]
        and two[1] < one[1] + one[3]
    )


def crossings(place: Rectangle, line: Line) -> int:
    """How many pieces of a line run through a rectangle."""
    left, top, width, height = place
    return sum(
        min(x1, x2) < left + width and max(x1, x2) > left and min(y1, y2) < top + height and max(y1, y2) > top
        for (x1, y1), (x2, y2) in pairwise(line)
    )
