"""BPMN diagram interchange: where a modeler put things.

Source: OMG BPMN 2.0.2 (formal/2013-12-09), chapter 12; colours as bpmn.io (``bioc:``) and the OMG
*BPMN in Color* note write them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from flowkit.bpmn.diagram.source import BIOC, BPMNDI, COLOR, DC, DI, Source, line_of, read_source
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = ["Bounds", "Diagram", "Edge", "Shape", "diagrams_of", "read_diagrams"]

# Nothing that a person draws is larger; a picture beyond it only harms who opens it.
_FARTHEST = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle in pixels; ``x`` grows to the right, ``y`` downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlaps(self, other: Bounds, slack: float = 0.0) -> bool:
        """Whether the rectangles share more than a border; ``slack`` pixels are forgiven."""
        return (
            self.x + slack < other.right
            and other.x + slack < self.right
            and self.y + slack < other.bottom
            and other.y + slack < self.bottom
        )

    def contains(self, other: Bounds, slack: float = 0.0) -> bool:
        """Whether the other rectangle lies inside; ``slack`` pixels are forgiven."""
        return (
            other.x >= self.x - slack
            and other.y >= self.y - slack
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """``BPMNShape``: ``element`` is the id of what it shows; flags are None where the file is silent."""

    id: str
    element: str
    bounds: Bounds
    label: Bounds | None = None
    is_expanded: bool | None = None
    is_horizontal: bool | None = None
    is_marker_visible: bool | None = None
    stroke: str = ""
    fill: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """``BPMNEdge``: the corners of a connection, from source to target."""

    id: str
    element: str
    waypoints: tuple[tuple[float, float], ...]
    label: Bounds | None = None
    stroke: str = ""
    message_visible: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Diagram:
    """``BPMNDiagram`` with its plane; ``element`` is the collaboration, process or subprocess shown."""

    id: str
    name: str
    element: str
    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]
    line: int = 0


def read_diagrams(data: bytes, *, file: str = "") -> tuple[Diagram, ...]:
    """The diagrams of a file, in document order; several where subprocesses have planes of their own.

    Raises :class:`~flowkit.errors.InvalidModel` for unreadable XML or coordinates.
    """
    return diagrams_of(read_source(data, file=file))


def diagrams_of(source: Source) -> tuple[Diagram, ...]:
    """The diagrams of a parsed file."""
    return tuple(_diagram(source, node) for node in source.root.iterchildren(f"{{{BPMNDI}}}BPMNDiagram"))


def _diagram(source: Source, node: etree._Element) -> Diagram:
    plane = node.find(f"{{{BPMNDI}}}BPMNPlane")
    shapes: list[Shape] = []
    edges: list[Edge] = []
    if plane is not None:
        for child in plane.iterchildren(f"{{{BPMNDI}}}BPMNShape"):
            shapes.extend(_shape(source, child))
        for child in plane.iterchildren(f"{{{BPMNDI}}}BPMNEdge"):
            edges.extend(_edge(source, child))
    return Diagram(
        id=node.get("id") or "",
        name=node.get("name") or "",
        element=_reference(plane) if plane is not None else "",
        shapes=tuple(shapes),
        edges=tuple(edges),
        line=line_of(node),
    )


def _reference(node: etree._Element) -> str:
    return (node.get("bpmnElement") or "").strip().rpartition(":")[2]


def _shape(source: Source, node: etree._Element) -> Iterator[Shape]:
    bounds = node.find(f"{{{DC}}}Bounds")
    if bounds is None:
        return
    yield Shape(
        id=node.get("id") or "",
        element=_reference(node),
        bounds=_bounds(source, bounds),
        label=_label(source, node),
        is_expanded=_flag(node, "isExpanded"),
        is_horizontal=_flag(node, "isHorizontal"),
        is_marker_visible=_flag(node, "isMarkerVisible"),
        stroke=_colour(node, "stroke", "border-color"),
        fill=_colour(node, "fill", "background-color"),
        line=line_of(node),
    )


def _edge(source: Source, node: etree._Element) -> Iterator[Edge]:
    waypoints = tuple(
        (_number(source, point, "x"), _number(source, point, "y"))
        for point in node.iterchildren(f"{{{DI}}}waypoint")
    )
    if len(waypoints) < 2:
        return
    yield Edge(
        id=node.get("id") or "",
        element=_reference(node),
        waypoints=waypoints,
        label=_label(source, node),
        stroke=_colour(node, "stroke", "border-color"),
        message_visible=node.get("messageVisibleKind") or "",
        line=line_of(node),
    )


def _label(source: Source, node: etree._Element) -> Bounds | None:
    bounds = node.find(f"{{{BPMNDI}}}BPMNLabel/{{{DC}}}Bounds")
    return None if bounds is None else _bounds(source, bounds)


def _bounds(source: Source, node: etree._Element) -> Bounds:
    x, y, width, height = (_number(source, node, name) for name in ("x", "y", "width", "height"))
    return Bounds(x, y, max(width, 0.0), max(height, 0.0))


def _number(source: Source, node: etree._Element, name: str) -> float:
    text = node.get(name) or "0"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= _FARTHEST:
        message = f"expected a coordinate between -1000000 and 1000000 for {name}, found {text[:40]!r}"
        location = Location(source.file, line_of(node))
        finding = Finding("di-number", Severity.ERROR, location, message, "Lay the diagram out again.")
        raise InvalidModel([finding])
    return value


def _flag(node: etree._Element, name: str) -> bool | None:
    value = (node.get(name) or "").strip()
    return None if not value else value in ("true", "1")


def _colour(node: etree._Element, bpmn_io: str, omg: str) -> str:
    return node.get(f"{{{COLOR}}}{omg}") or node.get(f"{{{BIOC}}}{bpmn_io}") or ""
