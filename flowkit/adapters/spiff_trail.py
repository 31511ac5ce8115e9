"""A run that flowkit has made, led through SpiffWorkflow: does it go the same way?

The run's events tell which way each gateway went, how often each loop ran and in which order work was
done and events occurred. SpiffWorkflow gets the diagram's control flow and these answers; it must wait
for each of them where flowkit did, and end with the same elements done equally often.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowkit.adapters.spiff import SpiffRun
from flowkit.adapters.spiff_export import Shape, gaps, implicit_starts, nodes_of, to_spiff
from flowkit.bpmn import model as m
from flowkit.errors import NotFound
from flowkit.findings import Finding, Severity
from flowkit.kernel import protocol as p

__all__ = ["TrailComparison", "compare_trail"]

Place = tuple[str, tuple[int, ...]]
"""An element, and in which instances of the multi-instance activities around it (from 0)."""

_REFUSED = (
    "spiff-complex-gateway",
    "spiff-ad-hoc",
    "spiff-several-flows",
    "spiff-instantiate",
    "spiff-start",
)
_HARMLESS = frozenset(("spiff-decision", "spiff-signal-end", "spiff-repeats"))
"""What does not change the way that a run goes, or is looked at event by event."""


_BEHIND = "SpiffWorkflow goes on behind the throwing event before the escalation is caught."


@dataclass(frozen=True, slots=True)
class TrailComparison:
    """How far both engines went the same way.

    ``steps`` counts what happened from outside (work done, events) in flowkit's run, ``compared`` those
    that SpiffWorkflow took likewise. ``obstacle`` is the first thing on the way that SpiffWorkflow
    lacks, ``difference`` what it did otherwise. ``beside`` are gaps that the run does not touch.
    """

    process: str
    steps: int
    compared: int
    obstacle: Finding | None
    difference: str
    beside: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """The whole run is the same."""
        return self.obstacle is None and not self.difference

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.same:
            return f"{self.process}: the same trail on SpiffWorkflow, {self.steps} steps"
        if self.difference:
            return f"{self.process}: after {self.compared} of {self.steps} steps: {self.difference}"
        return f"{self.process}: the same trail for {self.compared} of {self.steps} steps, then a gap"


def compare_trail(definitions: m.Definitions, process_id: str, events: Iterable[p.Event]) -> TrailComparison:
    """Lead SpiffWorkflow through the run of one instance of the process that ``events`` tell.

    Raises NotFound when the file has no such process.
    """
    process = next((one for one in definitions.processes if one.id == process_id), None)
    if process is None:
        raise NotFound(f"The file has no process '{process_id}'.")
    nodes = {node.id: node for node in nodes_of(process)}
    run = _Recorder(nodes).read(events)
    known = [*implicit_starts(process), *gaps(process)]
    refused = next((gap for gap in known if gap.rule in _REFUSED), None)
    obstacle, upto = (refused, 0) if refused else _obstacle(run, nodes, known)
    compared, difference = 0, ""
    if refused is None:
        source = to_spiff(definitions, process, _shape(run, process, nodes))
        compared, difference = _lead(source, process_id, run, upto, nodes, stops=obstacle is not None)
        if difference and compared < len(run.steps) and _escalates(node := nodes[run.steps[compared][0]]):
            obstacle, difference = _said(node, "escalation", _BEHIND), ""
    beside = tuple(gap for gap in known if gap is not obstacle)
    name = process.name or process.id
    return TrailComparison(name, len(run.steps), compared, obstacle, difference, beside)


# ---- what flowkit did -----------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    start: str = ""
    steps: list[Place] = field(default_factory=list)
    """What happened from outside, in order."""
    done: Counter[Place] = field(default_factory=Counter)
    ways: defaultdict[Place, list[set[str]]] = field(default_factory=lambda: defaultdict(list))
    """For each visit of an element, the flows that left it."""
    counts: defaultdict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    """For each visit of a multi-instance activity, how many instances it had."""
    met: list[tuple[int, str]] = field(default_factory=list)
    """Elements entered and events triggered, each with the number of steps before it."""
    interrupted: set[str] = field(default_factory=set)
    from_outside: set[str] = field(default_factory=set)
    over: bool = False


class _Recorder:
    """Reads the events of one instance into a run."""

    def __init__(self, nodes: Mapping[str, m.FlowNode]) -> None:
        self._nodes = nodes
        self._source = {flow: node.id for node in nodes.values() for flow in node.outgoing}
        self._scopes: dict[int, tuple[int, ...]] = {}
        self._bodies: dict[int, Place] = {}
        self._tokens: dict[int, tuple[int, ...]] = {}
        self._instances: set[int] = set()
        self._thrower = ""
        self.run = _Run()

    def read(self, events: Iterable[p.Event]) -> _Run:
        for event in events:
            self._take(event)
        return self.run

    def _take(self, event: p.Event) -> None:
        run = self.run
        match event:
            case p.InstanceEnded():
                run.over = True
            case p.ScopeOpened():
                self._scope(event)
            case p.TokenCreated():
                self._token(event)
            case p.FlowTaken():
                self._way(event.flow, self._tokens[event.token])
            case p.ErrorThrown():
                self._thrower = event.node
            case p.EventTriggered():
                if event.interrupting:
                    run.interrupted.add(event.node)
                if not isinstance(self._nodes.get(self._thrower), m.EndEvent):
                    run.from_outside.add(event.node)
            case p.ElementEntered():
                run.start = run.start or event.node
                run.met.append((len(run.steps), event.node))
            case p.ElementCompleted():
                self._completed(event.token, (event.node, self._tokens[event.token]))

    def _scope(self, event: p.ScopeOpened) -> None:
        path = self._tokens.get(event.token, ())
        self._scopes[event.scope] = path
        if event.kind == "multi_instance":
            place = (event.node, path)
            self._bodies[event.scope] = place
            self.run.counts[place].append(0)

    def _token(self, event: p.TokenCreated) -> None:
        path = self._scopes.get(event.scope, ())
        body = self._bodies.get(event.scope)
        if body is not None and event.flow is None:
            path = (*path, self.run.counts[body][-1])
            self.run.counts[body][-1] += 1
            self._instances.add(event.token)
        self._tokens[event.token] = path
        if event.flow is not None:
            self._way(event.flow, path)

    def _way(self, flow: str, path: tuple[int, ...]) -> None:
        visits = self.run.ways[self._source[flow], path]
        if visits:
            visits[-1].add(flow)

    def _completed(self, token: int, place: Place) -> None:
        self.run.done[place] += 1
        self.run.ways[place].append(set())
        node = self._nodes[place[0]]
        if _many(node) and token not in self._instances:
            if len(self.run.counts[place]) < self.run.done[place]:
                self.run.counts[place].append(0)
        elif _waits(node, self.run):
            self.run.steps.append(place)


def _many(node: m.FlowNode) -> bool:
    return isinstance(getattr(node, "loop", None), m.MultiInstanceLoopCharacteristics)


def _waits(node: m.FlowNode, run: _Run) -> bool:
    """Whether SpiffWorkflow has to be told that this is done, or has occurred."""
    match node:
        case m.BoundaryEvent():
            return not _by_error(node) or node.id in run.from_outside
        case m.IntermediateCatchEvent():
            return True
        case m.SubProcess() | m.ManualTask() | m.ScriptTask():
            return False
    return isinstance(node, m.Activity) and type(node) is not m.Task


def _by_error(node: m.BoundaryEvent) -> bool:
    return any(isinstance(one, m.ErrorEventDefinition) for one in node.definitions)


# ---- what SpiffWorkflow can follow ----------------------------------------------------------


def _shape(run: _Run, process: m.Process, nodes: Mapping[str, m.FlowNode]) -> Shape:
    """Leave out what the run does not touch and SpiffWorkflow can't read or would start by itself."""
    without = {
        node.id
        for node in nodes.values()
        if (isinstance(node, m.SubProcess) and node.triggered_by_event)
        or (isinstance(node, m.Activity) and node.is_for_compensation)
        or (isinstance(node, m.BoundaryEvent) and _compensates(node))
    }
    starts = [node.id for node in process.nodes if isinstance(node, m.StartEvent)]
    if run.start in starts:
        without.update(start for start in starts if start != run.start)
    errors = {n.id for n in nodes.values() if isinstance(n, m.BoundaryEvent) and _by_error(n)}
    counted = {node.id for node in nodes.values() if _many(node)}
    return Shape(frozenset(without), frozenset(errors & run.from_outside), frozenset(counted))


def _compensates(node: m.Event) -> bool:
    return any(isinstance(one, m.CompensateEventDefinition) for one in node.definitions)


def _obstacle(run: _Run, nodes: Mapping[str, m.FlowNode], known: list[Finding]) -> tuple[Finding | None, int]:
    """The first gap that the run meets, and how many steps were taken until then."""
    by_node = {gap.element_id: gap for gap in known if gap.rule not in _HARMLESS}
    occurred: Counter[str] = Counter()
    hosts = {n.id: n.attached_to for n in nodes.values() if isinstance(n, m.BoundaryEvent)}
    for step, identity in run.met:
        node = nodes[identity]
        for one, host in hosts.items():
            if host == identity:
                occurred[one] = 0
        if identity in by_node:
            return by_node[identity], step
        if identity in hosts:
            occurred[identity] += 1
            if identity not in run.interrupted and occurred[identity] > 1:
                return _said(node, "repeats", "In SpiffWorkflow a non-interrupting event occurs once."), step
            if identity in run.interrupted and _escalates(node):
                return _said(node, "escalation", _BEHIND), step
        loop = getattr(node, "loop", None)
        if isinstance(loop, m.StandardLoopCharacteristics) and loop.condition is not None:
            return _said(node, "data-loop", "How often this runs depends on data."), step
    return None, len(run.steps)


def _escalates(node: m.FlowNode) -> bool:
    return isinstance(node, m.Event) and any(
        isinstance(one, m.EscalationEventDefinition) for one in node.definitions
    )


def _said(node: m.FlowNode, rule: str, message: str) -> Finding:
    return Finding(f"spiff-{rule}", Severity.WARNING, node.location, message, "", node.id, node.name)


# ---- leading --------------------------------------------------------------------------------


class _Answers:
    """Answers SpiffWorkflow's questions as flowkit's run did, visit by visit."""

    def __init__(self, run: _Run, path: Any) -> None:
        self._run, self._path = run, path
        self._visits: dict[Place, list[Any]] = defaultdict(list)

    def __call__(self, task: Any, expression: str) -> bool | int:
        place: Place = (task.task_spec.bpmn_id, self._path(task))
        visits = self._visits[place]
        if task.id not in visits:
            visits.append(task.id)
        number = visits.index(task.id)
        if expression.startswith("count_"):
            counts = self._run.counts[place]
            return counts[number] if number < len(counts) else 0
        ways = self._run.ways[place]
        return number < len(ways) and expression in ways[number]


def _lead(
    source: bytes, process_id: str, run: _Run, upto: int, nodes: Mapping[str, m.FlowNode], *, stops: bool
) -> tuple[int, str]:
    """Take the steps (to the end, unless something ``stops`` the run); returns how many were taken, and
    what went otherwise."""
    compared = 0
    try:
        theirs = SpiffRun(source, process_id, _Answers(run, SpiffRun.path))
        for number in range(upto):
            node, path = run.steps[number]
            if not theirs.do(node, path):
                label = nodes[node].name or node
                waiting = ", ".join(sorted(theirs.waiting())) or "nothing"
                return compared, f"flowkit goes on at '{label}' ({node}), SpiffWorkflow waits for {waiting}"
            compared = number + 1
        return compared, "" if stops else next(_otherwise(run, theirs, nodes), "")
    except Exception as error:  # whatever the other engine raises is a difference
        return compared, f"SpiffWorkflow raised {type(error).__name__}: {error}"


def _otherwise(run: _Run, theirs: SpiffRun, nodes: Mapping[str, m.FlowNode]) -> Iterator[str]:
    if run.over != theirs.over:
        ended, going = ("flowkit", "SpiffWorkflow") if run.over else ("SpiffWorkflow", "flowkit")
        yield f"{ended} has ended, {going} goes on"
    done = theirs.done()
    for place in sorted(set(run.done) | set(done)):
        node = nodes[place[0]]
        # SpiffWorkflow completes a join, and an event-based gateway, once for each flow or event.
        if isinstance(node, m.Gateway) and not isinstance(node, m.ExclusiveGateway):
            continue
        if run.done[place] != done[place]:
            yield (
                f"'{node.name or node.id}' ({node.id}) is done {run.done[place]} times in flowkit,"
                f" {done[place]} times in SpiffWorkflow"
            )
