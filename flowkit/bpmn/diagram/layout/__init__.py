"""Automatic layout: clean BPMN DI for any diagram, with pools, lanes and subprocesses."""

from __future__ import annotations

from typing import Literal

from flowkit.bpmn.diagram.di import diagrams_of
from flowkit.bpmn.diagram.layout.boundaries import place_boundaries
from flowkit.bpmn.diagram.layout.columns import assign_columns
from flowkit.bpmn.diagram.layout.contents import SUBPROCESSES, Contents
from flowkit.bpmn.diagram.layout.grid import build_grid
from flowkit.bpmn.diagram.layout.groups import add_groups
from flowkit.bpmn.diagram.layout.loose import add_loose_edges
from flowkit.bpmn.diagram.layout.measure import measure
from flowkit.bpmn.diagram.layout.picture import finish
from flowkit.bpmn.diagram.layout.read import build_sheet
from flowkit.bpmn.diagram.layout.route import route_edges
from flowkit.bpmn.diagram.layout.rows import assign_rows
from flowkit.bpmn.diagram.layout.satellites import place_satellites
from flowkit.bpmn.diagram.layout.sheet import Box, Picture, Sheet
from flowkit.bpmn.diagram.layout.tracks import assign_tracks, cut_into_stretches
from flowkit.bpmn.diagram.layout.write import PlaneOf, write_diagrams
from flowkit.bpmn.diagram.source import Source, read_source
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = ["Subprocesses", "layout"]

Subprocesses = Literal["auto", "expanded", "collapsed"]

# More flow nodes than this on a level are a diagram of their own to drill into.
_CROWDED = 10
# Ten seconds of work; a diagram of this size is no picture any more.
_LARGEST = 5_000
_DENSEST = 6
_ORIGIN = (160, 80)


def layout(data: bytes, *, subprocesses: Subprocesses = "auto", file: str = "") -> bytes:
    """Return the same BPMN with fresh diagram interchange.

    Everything outside ``BPMNDiagram`` stays byte for byte; the diagrams are replaced: one a
    collaboration, one a process outside it, one a collapsed subprocess (to drill into).
    ``subprocesses`` says which are drawn collapsed: ``"auto"`` keeps what an existing diagram
    says, and otherwise collapses those with more than ten activities, events and gateways, and all
    but event subprocesses where a level would show more than twenty.

    Deterministic: the same file gives the same bytes, and laying out again changes nothing.
    Raises :class:`~flowkit.errors.InvalidModel` if ``data`` is not BPMN, or if one level holds more
    than 5,000 nodes and flows, or more than six flows a node.
    """
    source = read_source(data, file=file)
    contents = Contents(source, diagrams_of(source))
    planes: list[PlaneOf] = []
    collapsed = _collapsed(contents, subprocesses)
    # Children come after their parents in document order, so the innermost are arranged first.
    for element in reversed(list(source.of_kind(*SUBPROCESSES))):
        if element.id in collapsed:
            planes.insert(0, PlaneOf(element.id, _shifted(_arrange(contents, element.id))))
        else:
            contents.pictures[element.id] = _arrange(contents, element.id)
    owners = _plane_owners(source)
    planes = [PlaneOf(owner, _shifted(_arrange(contents, owner))) for owner in owners] + planes
    return write_diagrams(data, source, planes)


def _arrange(contents: Contents, owner: str) -> Picture:
    """Give one sheet its places."""
    sheet = build_sheet(contents, owner)
    _refuse_giants(contents.source, sheet)
    assign_columns(sheet)
    assign_rows(sheet)
    place_boundaries(sheet)
    place_satellites(sheet)
    grid = build_grid(sheet)
    paths = route_edges(grid)
    routes = cut_into_stretches(sheet.edges, paths)
    channels = assign_tracks(grid, routes)
    picture = finish(sheet, measure(grid, routes, channels))
    add_loose_edges(picture, sheet.loose)
    add_groups(picture, contents, sheet.owners, contents.before)
    return picture


def _refuse_giants(source: Source, sheet: Sheet) -> None:
    size = len(sheet.nodes) + len(sheet.edges) + len(sheet.loose) + len(sheet.lanes)
    flows = len(sheet.edges) + len(sheet.loose)
    if size > _LARGEST or flows > 100 + _DENSEST * len(sheet.nodes):
        owner = source.elements[sheet.owners[0]]
        message = (
            f"expected at most {_LARGEST} nodes and flows on one level, and about {_DENSEST} flows a node,"
            f" found {len(sheet.nodes)} nodes and {flows} flows"
        )
        location = Location(source.file, owner.line)
        hint = "Move parts into collapsed subprocesses."
        raise InvalidModel(
            [Finding("layout-size", Severity.ERROR, location, message, hint, owner.id, owner.name)]
        )


def _collapsed(contents: Contents, subprocesses: Subprocesses) -> set[str]:
    """Which subprocesses are drawn collapsed; an empty one always is."""
    found = [element.id for element in contents.source.of_kind(*SUBPROCESSES)]
    sizes = {identity: len(contents.flow_nodes(identity)) for identity in found}
    if subprocesses != "auto":
        return {identity for identity in found if subprocesses == "collapsed" or not sizes[identity]}

    def usual(identity: str) -> bool:
        element = contents.source.elements[identity]
        level = contents.flow_nodes(element.parent)
        whole = len(level) + sum(sizes.get(other.id, 0) for other in level)
        aside = element.flag("triggeredByEvent")
        return sizes[identity] <= _CROWDED and (aside or whole <= 2 * _CROWDED)

    drawn: dict[str, bool] = {}
    for diagram in contents.before:
        for shape in diagram.shapes:
            if shape.element in sizes and shape.is_expanded is not None:
                drawn.setdefault(shape.element, shape.is_expanded)
    return {identity for identity in found if not sizes[identity] or not drawn.get(identity, usual(identity))}


def _plane_owners(source: Source) -> list[str]:
    """The collaborations, and the processes that none of them shows."""
    collaborations = [element.id for element in source.of_kind("collaboration")]
    shown = {element.reference("processRef") for element in source.of_kind("participant")}
    return collaborations + [process.id for process in source.of_kind("process") if process.id not in shown]


def _shifted(picture: Picture) -> Picture:
    """Moved away from the canvas's corner, as modelers do."""
    dx, dy = _ORIGIN
    boxes: list[Box] = [box.moved(dx, dy) for box in picture.boxes]
    lines = {key: tuple((x + dx, y + dy) for x, y in line) for key, line in picture.lines.items()}
    labels = {key: (x + dx, y + dy, w, h) for key, (x, y, w, h) in picture.labels.items()}
    return Picture(picture.width, picture.height, picture.axis, boxes, lines, labels)
