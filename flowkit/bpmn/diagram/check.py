"""Is a diagram tidy? Checks of diagram interchange against the model.

What is checked: everything is drawn; nodes lie inside their lane, pool and subprocess; nothing
overlaps; flows begin and end on what they connect and run through nothing else; names have room.
A diagram may break every rule and still execute, so nothing here is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from flowkit.bpmn.diagram.di import Bounds, Diagram, Edge, Shape, diagrams_of
from flowkit.bpmn.diagram.shapes import SUBPROCESSES
from flowkit.bpmn.diagram.source import Element, Source, read_source
from flowkit.bpmn.diagram.text import line_height, wrap
from flowkit.findings import Finding, Location, Severity

__all__ = ["check_layout"]

_FLOW_KINDS = ("Task", "task", "Event", "Gateway", "callActivity", *SUBPROCESSES)
_BESIDE = ("textAnnotation", "dataObjectReference", "dataStoreReference")
_LIMIT = 500
# Beyond this many comparisons a check stops and says so: hostile files must not cost minutes.
_WORK = 4_000_000


@dataclass
class _Plane:
    """One diagram with its shapes by element, containers and nodes apart."""

    source: Source
    diagram: Diagram
    shapes: dict[str, Shape]
    nodes: list[tuple[Element, Shape]]
    collapsed: frozenset[str]


def check_layout(data: bytes, *, file: str = "") -> list[Finding]:
    """What is untidy in a file's diagrams, in the order of the file; empty if nothing is.

    Raises :class:`~flowkit.errors.InvalidModel` for unreadable input.
    """
    source = read_source(data, file=file)
    diagrams = diagrams_of(source)
    findings = list(_missing(source, diagrams))
    for diagram in diagrams:
        plane = _plane(source, diagram)
        for rule in (_placement, _overlaps, _names, _lines, _labels):
            for finding in rule(plane):
                findings.append(finding)
                if len(findings) >= _LIMIT:
                    return findings
    return findings


def _is_node(element: Element) -> bool:
    return element.kind.endswith(_FLOW_KINDS) or element.kind in _BESIDE


def _plane(source: Source, diagram: Diagram) -> _Plane:
    shapes = {shape.element: shape for shape in diagram.shapes if shape.element in source.elements}
    collapsed = frozenset(
        identity
        for identity, shape in shapes.items()
        if source.elements[identity].kind in SUBPROCESSES and not shape.is_expanded
    )
    nodes = [(source.elements[i], s) for i, s in shapes.items() if _is_node(source.elements[i])]
    return _Plane(source, diagram, shapes, nodes, collapsed)


def _finding(
    source: Source, rule: str, element: Element, message: str, line: int = 0, hint: str = ""
) -> Finding:
    return Finding(
        rule,
        Severity.WARNING,
        Location(source.file, line or element.line),
        message,
        hint or "Move it, or run `flowkit layout`.",
        element.id,
        element.name,
    )


def _missing(source: Source, diagrams: tuple[Diagram, ...]) -> Iterator[Finding]:
    """Everything that a modeler shows must have a shape or an edge somewhere."""
    drawn = {shape.element for diagram in diagrams for shape in diagram.shapes}
    drawn |= {edge.element for diagram in diagrams for edge in diagram.edges}
    for element in source.elements.values():
        if element.id in drawn:
            continue
        if _is_node(element) or element.kind in ("participant", "lane"):
            if _inside_process(source, element):
                yield _finding(source, "di-missing-shape", element, f"the {element.kind} has no shape")
        elif element.kind == "sequenceFlow" or (
            element.kind in ("messageFlow", "association") and _ends_drawn_together(source, element, diagrams)
        ):
            yield _finding(source, "di-missing-edge", element, f"the {element.kind} has no edge")


def _inside_process(source: Source, element: Element) -> bool:
    """Global tasks and the like have no place in a picture."""
    above = source.elements.get(element.parent)
    return above is not None and above.kind in ("process", "collaboration", "lane", *SUBPROCESSES)


def _ends_drawn_together(source: Source, element: Element, diagrams: tuple[Diagram, ...]) -> bool:
    """What connects, say, to the inside of a collapsed subprocess can't be drawn on any plane."""
    ends = {element.reference("sourceRef"), element.reference("targetRef")}
    return any(ends <= {shape.element for shape in diagram.shapes} for diagram in diagrams)


def _placement(plane: _Plane) -> Iterator[Finding]:
    """Nodes inside their lane, pool and subprocess; boundary events on the border of their host."""
    source = plane.source
    lanes = {
        reference.rpartition(":")[2]: lane.id
        for lane in source.of_kind("lane")
        for reference in lane.references.get("flowNodeRef", ())
        if lane.id in plane.shapes and "childLaneSet" not in lane.children
    }
    pools = {p.reference("processRef"): p.id for p in source.of_kind("participant") if p.id in plane.shapes}
    for element, shape in plane.nodes:
        if element.kind == "boundaryEvent":
            yield from _on_host(plane, element, shape)
            continue
        holders = (lanes.get(element.id), pools.get(element.parent), element.parent)
        for holder in holders:
            around = plane.shapes.get(holder or "")
            if around is None or around.element in plane.collapsed:
                continue
            if not around.bounds.contains(shape.bounds, slack=1):
                outer = source.elements[around.element]
                text = f"expected the {element.kind} inside the {outer.kind} {outer.name or outer.id!r}"
                yield _finding(source, f"di-outside-{outer.kind}", element, text, shape.line)
                break


def _on_host(plane: _Plane, element: Element, shape: Shape) -> Iterator[Finding]:
    host = plane.shapes.get(element.reference("attachedToRef"))
    if host is None:
        return
    x, y = shape.bounds.center
    if _distance_to_border(host.bounds, x, y) > 4:
        name = plane.source.elements[host.element].name or host.element
        text = f"expected the boundary event's centre on the border of {name!r}"
        yield _finding(plane.source, "di-boundary-off-host", element, text, shape.line)


def _distance_to_border(bounds: Bounds, x: float, y: float) -> float:
    outside_x = max(bounds.x - x, 0.0, x - bounds.right)
    outside_y = max(bounds.y - y, 0.0, y - bounds.bottom)
    if outside_x or outside_y:
        return max(outside_x, outside_y)
    return min(x - bounds.x, bounds.right - x, y - bounds.y, bounds.bottom - y)


def _related(plane: _Plane, one: Element, two: Element) -> bool:
    """Whether overlap is meant: a subprocess and its content, a host and its boundary event."""
    if "boundaryEvent" in (one.kind, two.kind) and (
        one.reference("attachedToRef") == two.id or two.reference("attachedToRef") == one.id
    ):
        return True
    return _holds(plane.source, one.id, two) or _holds(plane.source, two.id, one)


def _holds(source: Source, outer: str, element: Element) -> bool:
    seen = set()
    parent = element.reference("attachedToRef") or element.parent
    while parent and parent not in seen:
        if parent == outer:
            return True
        seen.add(parent)
        above = source.elements.get(parent)
        parent = above.parent if above else ""
    return False


def _overlaps(plane: _Plane) -> Iterator[Finding]:
    """No two nodes may cover each other."""
    ordered = sorted(plane.nodes, key=lambda pair: (pair[1].bounds.x, pair[1].bounds.y, pair[0].id))
    work = 0
    for index, (element, shape) in enumerate(ordered):
        for other, second in ordered[index + 1 :]:
            work += 1
            if second.bounds.x >= shape.bounds.right or work > _WORK:
                break
            if shape.bounds.overlaps(second.bounds, slack=1) and not _related(plane, element, other):
                text = f"the {element.kind} overlaps the {other.kind} {other.name or other.id!r}"
                yield _finding(plane.source, "di-overlap", element, text, shape.line)


def _names(plane: _Plane) -> Iterator[Finding]:
    """The name of an activity must fit into it."""
    for element, shape in plane.nodes:
        inside = element.kind in ("task", "callActivity") or element.kind.endswith("Task")
        if not inside and element.id not in plane.collapsed:
            continue
        bounds = shape.bounds
        height = len(wrap(element.name, max(bounds.width - 8, 1), 12)) * line_height(12)
        if height > bounds.height:
            text = "expected a shape that its name fits into, found a smaller one"
            yield _finding(plane.source, "di-name-space", element, text, shape.line)


def _lines(plane: _Plane) -> Iterator[Finding]:
    """Edges meet what they connect, and run through nothing else."""
    ordered = sorted(plane.nodes, key=lambda pair: pair[1].bounds.x)
    work = 0
    for edge in plane.diagram.edges:
        element = plane.source.elements.get(edge.element)
        if element is None or element.kind not in ("sequenceFlow", "messageFlow"):
            continue
        ends = element.reference("sourceRef"), element.reference("targetRef")
        for end, point, which in zip(ends, (edge.waypoints[0], edge.waypoints[-1]), _ENDS, strict=True):
            shape = plane.shapes.get(end)
            if shape is not None and _distance_to_border(shape.bounds, *point) > 3:
                text = f"expected its {which} on the border of {plane.source.elements[end].name or end!r}"
                yield _finding(plane.source, "di-loose-end", element, text, edge.line)
        work += len(ordered) * len(edge.waypoints)
        if work <= _WORK:
            yield from _passes(plane, element, edge, ends, ordered)


_ENDS = ("source", "target")


def _passes(
    plane: _Plane,
    element: Element,
    edge: Edge,
    ends: tuple[str, str],
    ordered: list[tuple[Element, Shape]],
) -> Iterator[Finding]:
    connected = [plane.source.elements[end] for end in ends if end in plane.source.elements]
    for node, shape in ordered:
        meant = node.id in ends or any(_holds(plane.source, node.id, end) for end in connected)
        attached = node.kind == "boundaryEvent" and node.reference("attachedToRef") in ends
        if not meant and not attached and _runs_through(edge.waypoints, shape.bounds, 2):
            text = f"the {element.kind} runs through the {node.kind} {node.name or node.id!r}"
            yield _finding(plane.source, "di-crosses-shape", element, text, edge.line)


def _runs_through(points: Iterable[tuple[float, float]], bounds: Bounds, slack: float) -> bool:
    """Whether a line enters a rectangle by more than ``slack`` pixels (Liang and Barsky, 1984)."""
    left, right = bounds.x + slack, bounds.right - slack
    top, bottom = bounds.y + slack, bounds.bottom - slack
    if left >= right or top >= bottom:
        return False
    for (x1, y1), (x2, y2) in pairwise(points):
        low, high = 0.0, 1.0
        for delta, room in (
            (x1 - x2, x1 - left),
            (x2 - x1, right - x1),
            (y1 - y2, y1 - top),
            (y2 - y1, bottom - y1),
        ):
            if delta == 0:
                if room < 0:
                    low, high = 1.0, 0.0
            elif delta < 0:
                low = max(low, room / delta)
            else:
                high = min(high, room / delta)
        if low < high:
            return True
    return False


def _labels(plane: _Plane) -> Iterator[Finding]:
    """Outside labels lie on nothing: no other label, no node but an expanded subprocess around."""
    placed = [(shape.element, shape.label, shape.line) for shape in plane.diagram.shapes]
    placed += [(edge.element, edge.label, edge.line) for edge in plane.diagram.edges]
    labels = [
        (plane.source.elements[identity], label, line)
        for identity, label, line in placed
        if label is not None and label.width and identity in plane.source.elements
    ]
    framed = ("participant", "lane", "group")
    labels = [entry for entry in labels if entry[0].name and entry[0].kind not in framed]
    if len(labels) * (len(labels) + len(plane.nodes)) > _WORK:
        return
    for index, (element, label, line) in enumerate(labels):
        for other, second, _ in labels[index + 1 :]:
            if label.overlaps(second, slack=2):
                text = f"its label overlaps the label of {other.name!r}"
                yield _finding(plane.source, "di-label-overlap", element, text, line)
        for node, shape in plane.nodes:
            expanded = node.kind in SUBPROCESSES and node.id not in plane.collapsed
            if not expanded and _label_hits(element, label, node, shape):
                text = f"its label overlaps the {node.kind} {node.name or node.id!r}"
                yield _finding(plane.source, "di-label-overlap", element, text, line)


def _label_hits(element: Element, label: Bounds, node: Element, shape: Shape) -> bool:
    if node.id == element.id and element.kind.endswith("Gateway"):
        # The corners of a diamond's box are empty, and modelers put labels there.
        return label.overlaps(shape.bounds, slack=14)
    return label.overlaps(shape.bounds, slack=2)
