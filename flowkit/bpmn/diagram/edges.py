"""Drawing connections: flows, associations, data associations."""

from __future__ import annotations

from itertools import pairwise

from flowkit.bpmn.diagram.di import Bounds, Edge
from flowkit.bpmn.diagram.shapes import Pen
from flowkit.bpmn.diagram.source import Element
from flowkit.bpmn.diagram.svg import Point, polyline, rounded
from flowkit.bpmn.diagram.text import text_size

__all__ = ["default_label", "draw_edge", "middle_of"]

_HEAD = 10.0


def draw_edge(pen: Pen, element: Element, edge: Edge) -> None:
    """Draw one connection without its label."""
    kind = element.kind
    points = edge.waypoints
    if kind == "messageFlow":
        _message_flow(pen, points, edge)
    elif kind == "association":
        direction = element.attributes.get("associationDirection", "None")
        _dotted(pen, points, start=direction == "Both", end=direction in ("One", "Both"))
    elif kind in ("dataInputAssociation", "dataOutputAssociation"):
        _dotted(pen, points, start=False, end=True)
    elif kind == "sequenceFlow":
        _sequence_flow(pen, element, points)
    else:
        pen.svg.path(rounded(points, 4), fill="none", stroke=pen.ink, stroke_width=pen.line(2.2))


def _sequence_flow(pen: Pen, element: Element, points: tuple[Point, ...]) -> None:
    width = pen.line(1.5)
    head = _HEAD + 2.2 * (width - 1.5) ** 0.5 if width > 1.5 else _HEAD
    shortened = (*points[:-1], _along(points[-1], points[-2], head * 0.6))
    pen.svg.path(rounded(shortened, 5), fill="none", stroke=pen.ink, stroke_width=width)
    _arrow(pen, points[-2], points[-1], head, filled=True)
    source = pen.source.elements.get(element.reference("sourceRef"))
    if source is None:
        return
    start, after = points[0], points[1]
    if source.attributes.get("default") == element.id:
        _slash(pen, start, after)
    elif "conditionExpression" in element.children and not source.kind.endswith("Gateway"):
        _diamond(pen, start, after)


def _message_flow(pen: Pen, points: tuple[Point, ...], edge: Edge) -> None:
    start = _along(points[0], points[1], 7)
    shortened = (start, *points[1:-1], _along(points[-1], points[-2], _HEAD))
    pen.svg.path(
        rounded(shortened, 5), fill="none", stroke=pen.ink, stroke_width=pen.line(1.4), stroke_dasharray="8 5"
    )
    x, y = _along(points[0], points[1], 3.5)
    pen.svg.add("circle", cx=x, cy=y, r=3.5, fill=pen.theme.fill, stroke=pen.ink, stroke_width=1.3)
    _arrow(pen, points[-2], points[-1], _HEAD, filled=False)
    if edge.message_visible in ("initiating", "non_initiating"):
        x, y = middle_of(points)
        paper = pen.theme.fill if edge.message_visible == "initiating" else "#b8bcc4"
        pen.svg.add(
            "rect", x=x - 12, y=y - 8, width=24, height=16, fill=paper, stroke=pen.ink, stroke_width=1.2
        )
        flap = polyline([(x - 12, y - 8), (x, y + 2), (x + 12, y - 8)])
        pen.svg.path(flap, fill="none", stroke=pen.ink, stroke_width=1.2)


def _dotted(pen: Pen, points: tuple[Point, ...], *, start: bool, end: bool) -> None:
    pen.svg.path(
        polyline(points),
        fill="none",
        stroke=pen.ink,
        stroke_width=pen.line(1.5),
        stroke_dasharray="0.5 4.5",
        stroke_linecap="round",
    )
    if end:
        _open_head(pen, points[-2], points[-1])
    if start:
        _open_head(pen, points[1], points[0])


def _unit(start: Point, end: Point) -> Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float((dx * dx + dy * dy) ** 0.5) or 1.0
    return dx / length, dy / length


def _along(start: Point, towards: Point, distance: float) -> Point:
    dx, dy = _unit(start, towards)
    return start[0] + dx * distance, start[1] + dy * distance


def _arrow(pen: Pen, start: Point, tip: Point, length: float, *, filled: bool) -> None:
    dx, dy = _unit(start, tip)
    half = length * 0.46
    base = tip[0] - dx * length, tip[1] - dy * length
    corners = [tip, (base[0] - dy * half, base[1] + dx * half), (base[0] + dy * half, base[1] - dx * half)]
    fill = pen.ink if filled else pen.theme.fill
    pen.svg.path(
        polyline(corners, closed=True), fill=fill, stroke=pen.ink, stroke_width=1.2, stroke_linejoin="round"
    )


def _open_head(pen: Pen, start: Point, tip: Point) -> None:
    dx, dy = _unit(start, tip)
    base = tip[0] - dx * 7, tip[1] - dy * 7
    corners = [(base[0] - dy * 5, base[1] + dx * 5), tip, (base[0] + dy * 5, base[1] - dx * 5)]
    pen.svg.path(polyline(corners), fill="none", stroke=pen.ink, stroke_width=1.4, stroke_linecap="round")


def _slash(pen: Pen, start: Point, after: Point) -> None:
    dx, dy = _unit(start, after)
    x, y = _along(start, after, 9)
    one = x - dx * 3 - dy * 5, y - dy * 3 + dx * 5
    two = x + dx * 3 + dy * 5, y + dy * 3 - dx * 5
    pen.svg.path(polyline([one, two]), stroke=pen.ink, stroke_width=1.5)


def _diamond(pen: Pen, start: Point, after: Point) -> None:
    dx, dy = _unit(start, after)
    middle, end = _along(start, after, 8), _along(start, after, 16)
    corners = [start, (middle[0] - dy * 5, middle[1] + dx * 5), end, (middle[0] + dy * 5, middle[1] - dx * 5)]
    pen.svg.path(polyline(corners, closed=True), fill=pen.theme.fill, stroke=pen.ink, stroke_width=1.3)


def middle_of(points: tuple[Point, ...]) -> Point:
    """The point half-way along a line."""
    lengths = [((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 for (x1, y1), (x2, y2) in pairwise(points)]
    rest = sum(lengths) / 2
    for (start, end), length in zip(pairwise(points), lengths, strict=True):
        if rest <= length and length:
            return _along(start, end, rest)
        rest -= length
    return points[0]


def default_label(name: str, points: tuple[Point, ...]) -> Bounds:
    """Where a connection's name goes if the file does not say: above its middle."""
    width, height = text_size(name, 90, 11)
    x, y = middle_of(points)
    return Bounds(x - width / 2, y - height - 4, width, height)
