"""Which way cases went: a log laid over the diagram, to count the branches at its gateways."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flowkit.bpmn import model as m
from flowkit.simulation.study import called_process

__all__ = ["branch_odds"]

_START = ""


def branch_odds(
    process: m.Process, traces: Sequence[Sequence[str]], called: Iterable[m.Process] = ()
) -> dict[str, dict[str, float]]:
    """The share of each flow out of every exclusive and inclusive gateway that the cases passed.

    ``traces`` are element ids in order of completion. Each activity is connected with the latest one
    before it from which a way without another logged activity leads there; the last with the nearest end.
    Ways lead into subprocesses, and into the processes ``called``, and out of them again.
    """
    seen = {activity for trace in traces for activity in trace}
    chart = _Chart(process, {one.id: one for one in called}, seen)
    ways = {node: chart.ways(chart.after(node)) for node in seen if node in chart.nodes}
    ways[_START] = chart.ways(chart.into(process))
    taken: Counter[str] = Counter()
    for trace in traces:
        _follow(trace, ways, chart.ends, taken)
    odds: dict[str, dict[str, float]] = {}
    for node in chart.nodes.values():
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


Way = tuple[str, ...]
"""The flows of a way."""
Step = tuple[str, str]
"""``(flow, node)`` that comes next; no flow where a subprocess begins, or an event interrupts."""
Ways = Mapping[str, Way]


@dataclass
class _Chart:
    """The diagram as a graph of flow nodes: subprocesses and called processes are part of it.

    ``stops`` are the activities that the log knows; any other node is passed through.
    """

    process: m.Process
    called: Mapping[str, m.Process]
    stops: Collection[str]
    nodes: dict[str, m.FlowNode] = field(default_factory=dict)
    ends: set[str] = field(default_factory=set)
    _flows: dict[str, m.SequenceFlow] = field(default_factory=dict)
    _owner: dict[str, str] = field(default_factory=dict)
    """The subprocess or call activity in which a node is."""
    _boundary: dict[str, list[m.BoundaryEvent]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add(self.process, "")
        self.ends = {
            node.id for node in self.process.nodes if isinstance(node, m.EndEvent) or not node.outgoing
        } - set(self.stops)

    def _add(self, container: m.FlowElementsContainer, owner: str) -> None:
        self._flows.update({flow.id: flow for flow in container.flows})
        for node in container.nodes:
            if node.id in self.nodes:
                continue  # a process that calls itself, or is called twice: its first place stands for all
            self.nodes[node.id] = node
            self._owner[node.id] = owner
            if isinstance(node, m.BoundaryEvent):
                self._boundary.setdefault(node.attached_to, []).append(node)
            inside = self._inside(node)
            if inside is not None:
                self._add(inside, node.id)

    def _inside(self, node: m.FlowNode) -> m.FlowElementsContainer | None:
        if node.id in self.stops:
            return None
        if isinstance(node, m.SubProcess):
            return node
        return self.called.get(called_process(node)) if isinstance(node, m.CallActivity) else None

    def into(self, container: m.FlowElementsContainer) -> list[Step]:
        """What comes when the container begins."""
        return [
            ("", node.id)
            for node in container.nodes
            if not node.incoming and not isinstance(node, m.BoundaryEvent) and not _is_event_subprocess(node)
        ]

    def after(self, key: str) -> list[Step]:
        """What comes next when the node is done."""
        node = self.nodes[key]
        if isinstance(node, m.EndEvent) and any(isinstance(d, _THROWN) for d in node.definitions):
            return self._catchers(key)
        steps = [(flow, self._flows[flow].target) for flow in node.outgoing]
        around = self._owner[key]
        if around and not node.outgoing:
            owner = self.nodes[around]
            steps += self.after(around)
            inside = self._inside(owner)
            if isinstance(owner, m.Activity) and owner.loop is not None and inside is not None:
                steps += self.into(inside)
        return steps

    def _catchers(self, key: str) -> list[Step]:
        """The error and cancel events at the borders around a node."""
        steps: list[Step] = []
        while key := self._owner[key]:
            steps += [
                ("", event.id)
                for event in self._boundary.get(key, ())
                if any(isinstance(d, _THROWN) for d in event.definitions)
            ]
        return steps

    def _interruptions(self, key: str) -> list[Step]:
        """What can come while a token stands at the node: events at its border or around it."""
        steps: list[Step] = []
        while True:
            steps += [("", event.id) for event in self._boundary.get(key, ())]
            around = self._owner[key]
            inside = self._inside(self.nodes[around]) if around else self.process
            nodes = () if inside is None else inside.nodes
            steps += [("", node.id) for node in nodes if _is_event_subprocess(node)]
            if not around:
                return steps
            key = around

    def ways(self, first: Sequence[Step]) -> Ways:
        """The shortest way to every stop and end that can be reached without another stop.

        A way by an event that interrupts is one only where nothing else leads.
        """
        return {**self._search(first, interrupted=True), **self._search(first, interrupted=False)}

    def _search(self, first: Sequence[Step], *, interrupted: bool) -> dict[str, Way]:
        found: dict[str, Way] = {}
        seen: set[str] = set()
        waiting: deque[tuple[Way, str]] = deque(_extend((), step) for step in first)
        while waiting:
            way, target = waiting.popleft()
            if target in seen:
                continue
            seen.add(target)
            steps: list[Step] = []
            if target in self.stops or target in self.ends:
                found[target] = way
            else:
                inside = self._inside(self.nodes[target])
                steps = self.after(target) if inside is None else self.into(inside)
            if interrupted:
                steps = steps + self._interruptions(target)
            waiting.extend(_extend(way, step) for step in steps)
        return found


_THROWN = m.ErrorEventDefinition | m.CancelEventDefinition


def _extend(way: Way, step: Step) -> tuple[Way, str]:
    flow, target = step
    return ((*way, flow) if flow else way), target


def _is_event_subprocess(node: m.FlowNode) -> bool:
    return isinstance(node, m.SubProcess) and node.triggered_by_event


def _follow(
    trace: Sequence[str], ways: Mapping[str, Ways], ends: Collection[str], taken: Counter[str]
) -> None:
    done = [_START]
    for activity in trace:
        before = next((one for one in reversed(done) if activity in ways.get(one, {})), None)
        if before is not None:
            taken.update(ways[before][activity])
        done.append(activity)
    found = [way for stop, way in ways.get(done[-1], {}).items() if stop in ends]
    if found:
        nearest: Way = min(found, key=len)
        taken.update(nearest)
