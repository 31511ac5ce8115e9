"""Which way cases went: a log laid over the diagram, to count the branches at its gateways."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from flowkit.bpmn import model as m

__all__ = ["branch_odds"]

_START = ""


def branch_odds(process: m.Process, traces: Sequence[Sequence[str]]) -> dict[str, dict[str, float]]:
    """The share of each flow out of every exclusive and inclusive gateway that the cases passed.

    ``traces`` are element ids in order of completion. Each activity is connected with the latest one
    before it from which a way without another activity leads there; the last with the nearest end.
    Subprocesses count as one activity each.
    """
    nodes = {node.id: node for node in process.nodes}
    flows = {flow.id: flow for flow in process.flows}
    starts = [
        node.id for node in process.nodes if not node.incoming and not isinstance(node, m.BoundaryEvent)
    ]
    ways = {node.id: _ways(list(node.outgoing), nodes, flows) for node in process.nodes if _is_stop(node)}
    ways[_START] = _ways([flow for start in starts for flow in nodes[start].outgoing], nodes, flows)
    taken: Counter[str] = Counter()
    for trace in traces:
        _follow(trace, ways, taken)
    odds: dict[str, dict[str, float]] = {}
    for node in process.nodes:
        if not isinstance(node, m.ExclusiveGateway | m.InclusiveGateway) or len(node.outgoing) < 2:
            continue
        counts = {flow: taken[flow] for flow in node.outgoing}
        total = sum(counts.values())
        if not total:
            continue
        if isinstance(node, m.InclusiveGateway):
            most = max(counts.values())
            odds[node.id] = {flow: count / most for flow, count in counts.items()}
        else:
            odds[node.id] = {flow: count / total for flow, count in counts.items()}
    return odds


def _is_stop(node: m.FlowNode) -> bool:
    return isinstance(node, m.Activity | m.EndEvent)


Ways = Mapping[str, tuple[str, ...]]


def _ways(first: list[str], nodes: Mapping[str, m.FlowNode], flows: Mapping[str, m.SequenceFlow]) -> Ways:
    """The shortest way to every activity and end that can be reached without another activity."""
    found: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    waiting: deque[tuple[str, ...]] = deque((flow,) for flow in first)
    while waiting:
        way = waiting.popleft()
        target = flows[way[-1]].target
        if _is_stop(nodes[target]):
            found.setdefault(target, way)
            continue
        if target not in seen:
            seen.add(target)
            waiting.extend((*way, flow) for flow in nodes[target].outgoing)
    # an end is marked, to tell it from an activity of the same reach
    marked: dict[str, tuple[str, ...]] = {}
    for stop, way in found.items():
        marked["end:" + stop if isinstance(nodes[stop], m.EndEvent) else stop] = way
    return marked


def _follow(trace: Sequence[str], ways: Mapping[str, Ways], taken: Counter[str]) -> None:
    done = [_START]
    for activity in trace:
        before = next((one for one in reversed(done) if activity in ways.get(one, {})), None)
        if before is not None:
            taken.update(ways[before][activity])
        done.append(activity)
    after = ways.get(done[-1])
    if after is not None:
        ends = [way for stop, way in after.items() if stop.startswith("end:")]
        if ends:
            taken.update(sorted(ends, key=len)[0])
