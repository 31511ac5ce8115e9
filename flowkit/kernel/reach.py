"""Reachability for synchronizing joins, computed once when a program is compiled."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from flowkit.kernel.program import Flow, Node

__all__ = ["reach_of"]


def reach_of(
    join: Node, nodes: Mapping[str, Node], flows: Mapping[str, Flow], *, boundaries: bool
) -> dict[str, int]:
    """For each node, the set of the join's incoming flows that a token there can reach without
    visiting the join, as a bit set in the order of ``join.incoming`` (BPMN 2.0.2, 13.4.3).

    Besides sequence flows a token can follow a link and, with ``boundaries``, a boundary event of its
    activity.
    """
    links: dict[str, list[str]] = {}
    for node in nodes.values():
        for result in node.throws:
            if result.kind == "link":
                links.setdefault(result.target, []).append(node.id)
    masks: dict[str, int] = {}
    for bit, flow_id in enumerate(join.incoming):
        queue = deque([flows[flow_id].source])
        seen = {join.id}
        while queue:
            node_id = queue.popleft()
            if node_id in seen:
                continue
            seen.add(node_id)
            masks[node_id] = masks.get(node_id, 0) | 1 << bit
            node = nodes[node_id]
            queue.extend(flows[incoming].source for incoming in node.incoming)
            queue.extend(links.get(node_id, ()))
            if boundaries and node.attached_to:
                queue.append(node.attached_to)
    return masks
