"""Drawing a diagram as SVG from its diagram interchange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowkit.bpmn.diagram.di import Bounds, Diagram, Edge, Shape, diagrams_of
from flowkit.bpmn.diagram.edges import default_label, draw_edge, middle_of
from flowkit.bpmn.diagram.shapes import SUBPROCESSES, Pen, draw_label, draw_shape, outside_label
from flowkit.bpmn.diagram.source import Element, Source, read_source
from flowkit.bpmn.diagram.svg import Svg, number
from flowkit.bpmn.diagram.text import text_size, text_width
from flowkit.bpmn.diagram.theme import LIGHT, Mark, Theme, safe_colour
from flowkit.errors import NotFound

__all__ = ["draw"]

_CONTAINERS = ("participant", "lane", *SUBPROCESSES)


def draw(
    data: bytes,
    *,
    diagram: str | None = None,
    marks: Mapping[str, Mark] | None = None,
    theme: Theme = LIGHT,
    title: str = "",
) -> str:
    """Draw one diagram of a BPMN file as an SVG document.

    ``diagram`` chooses among several: the id or name of a ``BPMNDiagram``, or the id of the element
    that its plane shows (a subprocess to drill into); by default the first. ``marks`` lays colours,
    badges and tooltips over elements and flows, by element id; ids that the diagram does not show
    are ignored, because a mark for the whole process fits each of its planes.

    The same input gives the same text. Raises :class:`~flowkit.errors.InvalidModel` for unreadable
    input, :class:`~flowkit.errors.NotFound` if there is no such diagram, or none at all.
    """
    source = read_source(data)
    plane = _choose(diagrams_of(source), diagram)
    shapes, edges, expanded = _visible(source, plane)
    svg = Svg()
    pen = Pen(svg, theme, source, expanded, marks or {})
    frame = _frame(source, shapes, edges, theme.margin)
    svg.open(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=" ".join(map(number, (frame.x, frame.y, frame.width, frame.height))),
        width=frame.width,
        height=frame.height,
        font_family=theme.font,
    )
    svg.text_element("title", title or plane.name or _title(source, plane))
    if theme.background:
        svg.add("rect", x=frame.x, y=frame.y, width=frame.width, height=frame.height, fill=theme.background)
    _draw_all(pen, shapes, edges)
    svg.close("svg")
    return f"{svg}\n"


def _title(source: Source, plane: Diagram) -> str:
    element = source.elements.get(plane.element)
    return (element.name or element.id) if element else plane.id


def _choose(diagrams: tuple[Diagram, ...], wanted: str | None) -> Diagram:
    if not diagrams:
        raise NotFound("expected a BPMNDiagram in the file, found none; run `flowkit layout` to make one")
    if wanted is None:
        return diagrams[0]
    for diagram in diagrams:
        if wanted in (diagram.id, diagram.element, diagram.name):
            return diagram
    known = ", ".join(diagram.element or diagram.id for diagram in diagrams)
    raise NotFound(f"expected one of the diagrams {known}, found {wanted!r}")


def _visible(source: Source, plane: Diagram) -> tuple[list[Shape], list[Edge], frozenset[str]]:
    """What the plane shows, without what collapsed subprocesses hide, containers first."""
    shown = {shape.element for shape in plane.shapes}
    parents = {source.elements[identity].parent for identity in shown if identity in source.elements}
    expanded = frozenset(
        shape.element
        for shape in plane.shapes
        if (element := source.elements.get(shape.element)) is not None
        and element.kind in SUBPROCESSES
        and (shape.is_expanded if shape.is_expanded is not None else shape.element in parents)
    )
    collapsed = {
        identity
        for identity in shown - expanded
        if identity in source.elements and source.elements[identity].kind in SUBPROCESSES
    }

    def hidden(identity: str) -> bool:
        element = source.elements.get(identity)
        return element is None or any(parent in collapsed for parent in _ancestors(source, element))

    def layer(shape: Shape) -> tuple[int, int]:
        element = source.elements[shape.element]
        if element.kind in ("participant", "lane"):
            return 0, 0 if element.kind == "participant" else 1 + sum(1 for _ in _ancestors(source, element))
        if shape.element in expanded:
            return 1, sum(1 for _ in _ancestors(source, element))
        return (3 if element.kind == "boundaryEvent" else 2), 0

    shapes = sorted((shape for shape in plane.shapes if not hidden(shape.element)), key=layer)
    edges = [edge for edge in plane.edges if not hidden(edge.element)]
    return shapes, edges, expanded


def _ancestors(source: Source, element: Element) -> Iterator[str]:
    seen = {element.id}
    parent = element.parent
    while parent and parent not in seen:
        seen.add(parent)
        yield parent
        above = source.elements.get(parent)
        parent = above.parent if above else ""


def _frame(source: Source, shapes: list[Shape], edges: list[Edge], margin: int) -> Bounds:
    boxes = [shape.bounds for shape in shapes]
    boxes += [shape.label for shape in shapes if shape.label is not None]
    boxes += [edge.label for edge in edges if edge.label is not None]
    boxes += [Bounds(x, y, 0, 0) for edge in edges for x, y in edge.waypoints]
    boxes += [
        _below(element.name, shape.bounds)
        for shape in shapes
        if shape.label is None and outside_label(source, element := source.elements[shape.element])
    ]
    if not boxes:
        return Bounds(0, 0, 2 * margin, 2 * margin)
    left, top = min(box.x for box in boxes) - margin, min(box.y for box in boxes) - margin
    right, bottom = max(box.right for box in boxes) + margin, max(box.bottom for box in boxes) + margin
    return Bounds(left, top, right - left, bottom - top)


def _draw_all(pen: Pen, shapes: list[Shape], edges: list[Edge]) -> None:
    elements = pen.source.elements
    behind = [shape for shape in shapes if _is_container(pen, shape)]
    front = [shape for shape in shapes if not _is_container(pen, shape)]
    for shape in behind:
        _draw_shape(pen, elements[shape.element], shape)
    for edge in edges:
        with_mark = _inked(pen, edge.element, edge.stroke, "", "none")
        _begin(with_mark, edge.element)
        draw_edge(with_mark, elements[edge.element], edge)
        pen.svg.close("g")
    for shape in front:
        _draw_shape(pen, elements[shape.element], shape)
    for shape in shapes:
        name = outside_label(pen.source, elements[shape.element])
        if name:
            _label(pen, shape.element, name, shape.label, _below(name, shape.bounds))
    for edge in edges:
        name = outside_label(pen.source, elements[edge.element])
        if name:
            _label(pen, edge.element, name, edge.label, default_label(name, edge.waypoints))
    for shape in shapes:
        _badge(pen, shape.element, (shape.bounds.right, shape.bounds.y))
    for edge in edges:
        _badge(pen, edge.element, middle_of(edge.waypoints))


def _is_container(pen: Pen, shape: Shape) -> bool:
    kind = pen.source.elements[shape.element].kind
    return kind in ("participant", "lane", "group") or shape.element in pen.expanded


def _inked(pen: Pen, element: str, stroke: str, fill: str, paper: str) -> Pen:
    """The pen with the colours of the theme, overridden by the file's, overridden by the mark's."""
    mark = pen.marks.get(element, _NO_MARK)
    theme = pen.theme
    return replace(
        pen,
        ink=mark.stroke or safe_colour(stroke) or theme.stroke,
        paper=mark.fill or safe_colour(fill) or paper,
        text=mark.text or theme.text,
        weight=mark.width,
    )


_NO_MARK = Mark()


def _begin(pen: Pen, element: str) -> None:
    mark = pen.marks.get(element, _NO_MARK)
    pen.svg.open("g", data_element_id=element, opacity="" if mark.opacity >= 1 else mark.opacity)
    if mark.note:
        pen.svg.text_element("title", mark.note)


def _draw_shape(pen: Pen, element: Element, shape: Shape) -> None:
    paper = pen.theme.pool if element.kind in ("participant", "lane") else pen.theme.fill
    inked = _inked(pen, element.id, shape.stroke, shape.fill, paper)
    _begin(inked, element.id)
    draw_shape(inked, element, shape)
    pen.svg.close("g")


def _label(pen: Pen, element: str, name: str, place: Bounds | None, default: Bounds) -> None:
    inked = _inked(pen, element, "", "", "none")
    mark = pen.marks.get(element, _NO_MARK)
    pen.svg.open("g", opacity="" if mark.opacity >= 1 else mark.opacity)
    draw_label(inked, name, place, default)
    pen.svg.close("g")


def _below(name: str, bounds: Bounds) -> Bounds:
    """Where a shape's name goes if the file does not say."""
    width, height = text_size(name, 90, 11)
    return Bounds(bounds.center[0] - width / 2, bounds.bottom + 5, width, height)


def _badge(pen: Pen, element: str, place: tuple[float, float]) -> None:
    mark = pen.marks.get(element, _NO_MARK)
    if not mark.badge:
        return
    text = mark.badge[:24]
    width = max(20.0, text_width(text, 11) + 12)
    x, y = place
    pen.svg.open("g", data_badge_for=element)
    pen.svg.add(
        "rect",
        x=x - width / 2,
        y=y - 10,
        width=width,
        height=20,
        rx=10,
        fill=mark.badge_fill,
        stroke=pen.theme.background or pen.theme.fill,
        stroke_width=1.5,
    )
    pen.svg.lines([text], x, y - 7.4, 11, fill=mark.badge_text, font_weight="bold")
    pen.svg.close("g")
