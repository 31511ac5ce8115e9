"""From the file's elements to sheets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from flowkit.bpmn.diagram.layout.boundaries import boundary_width
from flowkit.bpmn.diagram.layout.contents import ACTIVITIES, DATA, EVENTS, GATEWAYS, SUBPROCESSES, Contents
from flowkit.bpmn.diagram.layout.pools import pool_order
from flowkit.bpmn.diagram.layout.sheet import (
    NAME_SIZE,
    Boundary,
    Edge,
    Frame,
    Lane,
    Node,
    Pool,
    Sheet,
    label_size,
)
from flowkit.bpmn.diagram.source import Element
from flowkit.bpmn.diagram.text import line_height, wrap

__all__ = ["build_sheet"]


def build_sheet(contents: Contents, owner: str) -> Sheet:
    """The sheet of a collaboration, a process or a subprocess, without places."""
    sheet = Sheet([owner])
    element = contents.source.elements[owner]
    lanes: dict[str, int] = {}
    owners = {owner: -1}
    if element.kind == "collaboration":
        for participant in pool_order(contents, owner):
            process = participant.reference("processRef")
            drawn = process if process in contents.source.elements and process not in owners else ""
            if drawn:
                owners[drawn] = len(sheet.lanes)
            lanes |= _add_pool(sheet, contents, participant, drawn)
    else:
        owners[owner] = 0
        lanes |= _add_pool(sheet, contents, None, owner)
    sheet.owners = list(owners)
    for place, first in owners.items():
        _add_nodes(sheet, contents, place, first, lanes)
    _add_edges(sheet, contents)
    _settle_lanes(sheet, lanes)
    return sheet


def _add_pool(sheet: Sheet, contents: Contents, participant: Element | None, process: str) -> dict[str, int]:
    """Append a pool with its leaf lanes; return the leaf lane of each node that a lane names."""
    index, first = len(sheet.pools), len(sheet.lanes)
    pool = Pool(participant.id if participant else "", participant.name if participant else "", first, first)
    sheet.pools.append(pool)
    chosen: dict[str, int] = {}
    stack = [(lane, 0) for lane in reversed(_lanes(contents, process))] if process else []
    frames: list[Frame] = []
    while stack:
        lane, depth = stack.pop()
        frames.append(Frame(lane.id, lane.name, depth, len(sheet.lanes), len(sheet.lanes)))
        below = _lanes(contents, lane.id)
        leaf = len(sheet.lanes)
        for reference in lane.references.get("flowNodeRef", ()):
            chosen[reference.rpartition(":")[2]] = leaf
        if below:
            stack.extend((child, depth + 1) for child in reversed(below))
        else:
            sheet.lanes.append(Lane(index))
    for position, frame in enumerate(frames):
        following = next(
            (f.first for f in frames[position + 1 :] if f.depth <= frame.depth), len(sheet.lanes)
        )
        frame.last = following - 1
    pool.frames = frames
    if len(sheet.lanes) == first:
        sheet.lanes.append(Lane(index))
    pool.last = len(sheet.lanes) - 1
    pool.black_box = participant is not None and not process
    return chosen


def _lanes(contents: Contents, owner: str) -> list[Element]:
    return [element for element in contents.inside.get(owner, ()) if element.kind == "lane"]


def _add_nodes(sheet: Sheet, contents: Contents, owner: str, first: int, lanes: Mapping[str, int]) -> None:
    inside = contents.inside.get(owner, ())
    for element in inside:
        node = _node(contents, element)
        if node is not None:
            node.lane = lanes.get(element.id, first)
            sheet.nodes[element.id] = node
    for element in inside:
        host = sheet.nodes.get(element.reference("attachedToRef"))
        if element.kind == "boundaryEvent" and host is not None:
            label = label_size(element.name, 64)
            host.boundaries.append(Boundary(element.id, element.name, element.order, label))
            host.width = max(host.width, boundary_width(host))


_BAD_ENDS = frozenset(("error", "cancel", "terminate"))


def _node(contents: Contents, element: Element) -> Node | None:
    kind, name = element.kind, element.name

    def node(width: int, height: int, label: tuple[int, int] = (0, 0)) -> Node:
        return Node(element.id, kind, name, element.order, width, height, height // 2, -1, label)

    if kind in EVENTS:
        made = node(36, 36, label_size(name, 90))
        made.fails = kind == "endEvent" and not _BAD_ENDS.isdisjoint(element.events)
        return made
    if kind in GATEWAYS:
        return node(50, 50, label_size(name, 84))
    if kind in DATA:
        made = node(36 if kind == "dataObjectReference" else 50, 50, label_size(name, 90))
        made.satellite = True
        return made
    if kind == "textAnnotation":
        lines = wrap(element.text, 130, NAME_SIZE)
        made = node(140, max(30, int(len(lines) * line_height(NAME_SIZE)) + 12))
        made.satellite = True
        return made
    if kind not in ACTIVITIES:
        return None
    made = _activity(contents, element)
    collapsed = kind in SUBPROCESSES and made.inside is None
    marks = element.loop, element.flag("isForCompensation"), collapsed, kind == "callActivity"
    made.marked = any(marks) or kind == "adHocSubProcess"
    made.aside = element.flag("triggeredByEvent")
    return made


def _activity(contents: Contents, element: Element) -> Node:
    inside = contents.pictures.get(element.id)
    if inside is None:
        width, height = _task_size(element)
        return Node(element.id, element.kind, element.name, element.order, width, height, height // 2, -1)
    width = max(inside.width + 40, 140)
    # Room for the title above, for the markers (loop, ad hoc, compensation) below.
    height = inside.height + 50
    made = Node(element.id, element.kind, element.name, element.order, width, height, inside.axis + 30, -1)
    made.inside = inside
    return made


def _task_size(element: Element) -> tuple[int, int]:
    """100 x 80 as in bpmn-js, larger only where the name needs it."""
    width = 100
    marked = element.loop or element.kind in SUBPROCESSES or element.flag("isForCompensation")
    # The type's symbol takes the room of a line above, the markers that of a line below.
    rows = 4 - element.kind.endswith("Task") - bool(marked or element.kind == "callActivity")
    while len(wrap(element.name, width - 14, NAME_SIZE)) > rows and width < 220:
        width += 20
    lines = len(wrap(element.name, width - 14, NAME_SIZE))
    return width, 80 + max(0, int((lines - rows) * line_height(NAME_SIZE)))


def _add_edges(sheet: Sheet, contents: Contents) -> None:
    hosts = {b.id: node.id for node in sheet.nodes.values() for b in node.boundaries}
    pools = {pool.id: f"pool:{index}" for index, pool in enumerate(sheet.pools) if pool.id}
    for owner in sheet.owners:
        for element in contents.inside.get(owner, ()):
            if element.kind in ("sequenceFlow", "messageFlow", "association"):
                ends = element.reference("sourceRef"), element.reference("targetRef")
                _add_edge(sheet, element, ends, hosts, pools)
    for node in list(sheet.nodes.values()):
        for element in contents.inside.get(node.id, ()):
            if element.kind in ("dataInputAssociation", "dataOutputAssociation"):
                data = _data_ends(sheet, element, node.id)
                if data:
                    _add_edge(sheet, element, data, hosts, pools)


def _data_ends(sheet: Sheet, element: Element, activity: str) -> tuple[str, str] | None:
    tag = "sourceRef" if element.kind == "dataInputAssociation" else "targetRef"
    data = [ref.rpartition(":")[2] for ref in element.references.get(tag, ())]
    data = [identity for identity in data if identity in sheet.nodes and sheet.nodes[identity].satellite]
    if not data:
        return None
    return (data[0], activity) if tag == "sourceRef" else (activity, data[0])


def _add_edge(
    sheet: Sheet, element: Element, ends: tuple[str, str], hosts: Mapping[str, str], pools: Mapping[str, str]
) -> None:
    source, target = ends
    edge = Edge(
        element.id,
        "data" if element.kind.startswith("data") else element.kind,
        hosts.get(source, pools.get(source, source)),
        hosts.get(target, pools.get(target, target)),
        element.order,
        element.name,
        boundary=source if source in hosts else "",
        into_boundary=target if target in hosts else "",
        label=label_size(element.name, 80),
    )
    known = all(end in sheet.nodes or end in pools.values() for end in (edge.source, edge.target))
    if known and (edge.kind != "messageFlow" or sheet.pool_of(edge.source) != sheet.pool_of(edge.target)):
        sheet.edges.append(edge)
    else:
        edge.source, edge.target = source, target
        sheet.loose.append(edge)


def _settle_lanes(sheet: Sheet, lanes: Mapping[str, int]) -> None:
    """A node that no lane names goes to the lane of a neighbour, else to the first of its pool."""
    waiting = {node.id for node in sheet.nodes.values() if node.id not in lanes and not _alone(sheet, node)}
    neighbours: dict[str, list[str]] = defaultdict(list)
    for edge in sheet.edges:
        if edge.kind == "messageFlow" or "pool:" in edge.source + edge.target:
            continue
        neighbours[edge.target].append(edge.source)
        neighbours[edge.source].append(edge.target)
    settled = [identity for identity in sheet.nodes if identity not in waiting]
    queue = sorted(settled, key=lambda identity: sheet.nodes[identity].order)
    for identity in queue:
        for other in sorted(neighbours[identity], key=lambda o: sheet.nodes[o].order):
            if other in waiting:
                waiting.discard(other)
                sheet.nodes[other].lane = sheet.nodes[identity].lane
                queue.append(other)
    for identity in waiting:
        node = sheet.nodes[identity]
        node.lane = max(node.lane, 0)
        if node.aside:
            node.lane = sheet.pools[sheet.lanes[node.lane].pool].last


def _alone(sheet: Sheet, node: Node) -> bool:
    """Whether the node's pool has only one lane, so that there is nothing to settle."""
    if node.lane < 0:
        return False
    pool = sheet.pools[sheet.lanes[node.lane].pool]
    return pool.first == pool.last
