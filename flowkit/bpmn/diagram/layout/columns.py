"""Which column each node stands in: cycles cut, then longest paths.

Layered drawing after Sugiyama, Tagawa and Toda (1981). Sequence flows point right; a flow that
closes a loop is marked ``back`` and ignored here. A message flow asks that its receiver stands no
further left than its sender, so that it can run straight down, unless that contradicts others.
"""

from __future__ import annotations

from collections import defaultdict

from flowkit.bpmn.diagram.layout.sheet import Edge, Node, Sheet

__all__ = ["assign_columns", "forward_edges"]

# An expanded subprocess stands over as many columns as a usual one and its gap would fill.
_USUAL_COLUMN = 150


def assign_columns(sheet: Sheet) -> None:
    """Set ``column`` and ``span`` of every flow node, ``back`` of every edge, ``sheet.columns``."""
    for node in sheet.nodes.values():
        node.span = 1 if node.inside is None else max(1, (node.width + 50) // _USUAL_COLUMN)
    flow = [edge for edge in sheet.edges if _orders(sheet, edge)]
    _mark_back_edges(sheet, flow)
    outgoing: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for edge in flow:
        if not edge.back:
            outgoing[edge.source].append((edge.target, sheet.nodes[edge.source].span))
    _add_messages(sheet, outgoing)
    order = _topological(sheet, outgoing)
    for source in order:
        for target, length in outgoing[source]:
            reached = sheet.nodes[source].column + length
            sheet.nodes[target].column = max(sheet.nodes[target].column, reached)
    _pull_sources(sheet, order, outgoing)
    sheet.columns = max((node.column + node.span for node in sheet.nodes.values()), default=1)


def forward_edges(sheet: Sheet) -> list[Edge]:
    """The edges that point from left to right between flow nodes."""
    return [edge for edge in sheet.edges if not edge.back and _orders(sheet, edge)]


def _orders(sheet: Sheet, edge: Edge) -> bool:
    """Whether an edge tells what stands left of what: a flow, or a link to a compensation handler."""
    if edge.kind not in ("sequenceFlow", "association") or "pool:" in edge.source + edge.target:
        return False
    source, target = sheet.nodes[edge.source], sheet.nodes[edge.target]
    return edge.source != edge.target and not (source.satellite or target.satellite)


def _mark_back_edges(sheet: Sheet, flow: list[Edge]) -> None:
    """Depth-first search from the starts, in document order; an edge to an open node is a back edge."""
    outgoing: dict[str, list[Edge]] = defaultdict(list)
    entered = set()
    for edge in flow:
        outgoing[edge.source].append(edge)
        entered.add(edge.target)

    def urgency(node: Node) -> tuple[bool, bool, int]:
        return node.kind != "startEvent", node.id in entered, node.order

    state: dict[str, int] = {}
    for root in sorted(sheet.nodes.values(), key=urgency):
        if root.id in state:
            continue
        state[root.id] = 1
        stack = [(root.id, iter(outgoing[root.id]))]
        while stack:
            identity, edges = stack[-1]
            following = next(edges, None)
            if following is None:
                state[identity] = 2
                stack.pop()
            elif following.target not in state:
                state[following.target] = 1
                stack.append((following.target, iter(outgoing[following.target])))
            else:
                following.back = state[following.target] == 1


def _add_messages(sheet: Sheet, outgoing: dict[str, list[tuple[str, int]]]) -> None:
    for edge in sheet.edges:
        between = edge.kind == "messageFlow" and "pool:" not in edge.source + edge.target
        if between and not _reaches(outgoing, edge.target, edge.source):
            outgoing[edge.source].append((edge.target, 0))


def _reaches(outgoing: dict[str, list[tuple[str, int]]], start: str, goal: str) -> bool:
    seen, stack = {start}, [start]
    while stack:
        identity = stack.pop()
        if identity == goal:
            return True
        for target, _ in outgoing.get(identity, ()):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return False


def _topological(sheet: Sheet, outgoing: dict[str, list[tuple[str, int]]]) -> list[str]:
    waiting = dict.fromkeys(sheet.nodes, 0)
    for targets in outgoing.values():
        for target, _ in targets:
            waiting[target] += 1
    order = [identity for identity, count in waiting.items() if not count]
    for identity in order:
        for target, _ in outgoing.get(identity, ()):
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


def _pull_sources(sheet: Sheet, order: list[str], outgoing: dict[str, list[tuple[str, int]]]) -> None:
    """Move nodes that nothing enters, and what only they feed, right, next to what they lead to."""
    fed: dict[str, list[str]] = defaultdict(list)
    for source, targets in outgoing.items():
        for target, _ in targets:
            fed[target].append(source)
    first: set[str] = set()
    for identity in order:
        # The first of each pool stays at the left.
        pool = str(sheet.pool_of(identity))
        if not fed[identity] and outgoing.get(identity) and pool not in first:
            first.add(pool)
            first.add(identity)
    movable: set[str] = set()
    for identity in order:
        if identity not in first and all(source in movable for source in fed[identity]):
            movable.add(identity)
    for identity in reversed(order):
        if identity in movable and outgoing.get(identity):
            node = sheet.nodes[identity]
            latest = min(sheet.nodes[target].column - length for target, length in outgoing[identity])
            node.column = max(node.column, latest)
