"""The trail of a run: what happened, in the diagram's own words, in an order that people can follow.

An :class:`Observer` reads the histories of the instances of one run. What a called process did stands
where the call stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowkit.kernel import protocol as p
from flowkit.testing.coverage import rules_matched

if TYPE_CHECKING:
    from flowkit.engine import Engine, HistoryEntry

__all__ = ["Observer", "TrailLine", "Used"]

Used = dict[str, dict[str, int]]
"""How often what was used: per process id its flows and elements, per decision id its rules."""


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One thing that happened. ``kind`` is start, task, job, gateway, timer, message, signal, decision, data,
    call, event, error, escalation, compensation, incident or end; ``depth`` counts the calls above."""

    at: datetime
    instance: str
    depth: int
    kind: str
    element: str
    name: str
    text: str
    lane: str = ""


class Observer:
    """Follows every instance that starts after the observer was made, or, given which instances were
    ``known`` then, those of an earlier run. ``timed`` is the process that a timer is to start."""

    def __init__(
        self, engine: Engine, known: frozenset[str] | None = None, *, timed: str | None = None
    ) -> None:
        self._engine = engine
        self._timed = timed
        self.known = self._roots() if known is None else known
        self._seen: dict[str, int] = {}
        self._views: dict[str, _Teller] = {}
        self._calls: dict[str, int | None] = {}
        self.roots: list[str] = []
        self.entered: list[tuple[str, str, str]] = []
        """``(instance, element id, name)`` of every element entered, in order."""
        self.taken: Counter[tuple[str, str]] = Counter()
        """How often each ``(process id, flow id)`` was taken."""
        self.rules: Counter[tuple[str, str]] = Counter()
        """How often each ``(decision id, rule)`` matched."""
        self.events = 0
        self.latest: datetime | None = None

    def _roots(self) -> frozenset[str]:
        return frozenset(view.id for view in self._engine.instances() if view.parent is None)

    def instances(self) -> list[str]:
        """Every instance of the run found so far, callers before called."""
        return list(self._views)

    def new_lines(self) -> list[TrailLine]:
        """What happened since the last time."""
        for view in self._engine.instances():
            if view.parent is None and view.id not in self.known:
                self._found(view.id)
        lines: list[TrailLine] = []
        for root in self.roots:
            lines += self._read(root, 0)
        for instance in list(self._views):  # called before the last look, and not reached by a root's news
            lines += self._read(instance, self._views[instance].depth)
        return lines

    def used(self) -> Used:
        """How often what was used: per process id its flows and elements, per decision id its rules."""
        found: dict[str, Counter[str]] = {}
        for (place, key), times in [*self.taken.items(), *self.rules.items()]:
            found.setdefault(place, Counter())[key] += times
        for instance, element, _ in self.entered:
            found.setdefault(self._views[instance].process_id, Counter())[element] += 1
        return {place: dict(counts) for place, counts in found.items()}

    def _found(self, root: str) -> None:
        """A new root belongs to the run, unless a timer of some other process started it."""
        self.known |= {root}
        first = self._engine.history(root, limit=1)[0].event
        view = self._engine.instance(root)
        starts = self._engine.program(view.process_id, view.version).starts
        kinds = {start.node: start.kind for start in starts}
        event = first.start_event if isinstance(first, p.InstanceStarted) else None
        if kinds.get(event or "") != "timer" or view.process_id == self._timed:
            self.roots.append(root)

    def lines_of(self, instance: str) -> list[TrailLine]:
        """What happened to one instance and to what it called, from the beginning."""
        return list(self._read(instance, 0))

    def _read(self, instance: str, depth: int) -> Iterator[TrailLine]:
        teller = self._views.get(instance)
        if teller is None:
            teller = self._views[instance] = _Teller(self._engine, instance, depth)
        for entry in self._engine.history(instance, after=self._seen.get(instance, -1)):
            self._seen[instance] = entry.seq
            self.events += 1
            self.latest = entry.at if self.latest is None else max(self.latest, entry.at)
            event = entry.event
            if isinstance(event, p.ElementEntered):
                self.entered.append((instance, event.node, teller.name(event.node)))
            elif isinstance(event, p.FlowTaken | p.TokenCreated) and event.flow:
                self.taken[teller.process_id, event.flow] += 1
            self.rules.update(rules_matched(event))
            if isinstance(event, p.CallClosed):
                yield from self._called(instance, event.call, depth)
            line = teller.line(entry)
            if line is not None:
                yield line
            if isinstance(event, p.CallOpened):
                yield from self._called(instance, event.call, depth)

    def _called(self, parent: str, call: int, depth: int) -> Iterator[TrailLine]:
        for view in self._engine.instances(parent=parent):
            if self._call_of(view.id) == call:
                yield from self._read(view.id, depth + 1)

    def _call_of(self, instance: str) -> int | None:
        """The call that started the instance."""
        if instance not in self._calls:
            first = self._engine.history(instance, limit=1)[0].event
            parent = first.parent if isinstance(first, p.InstanceStarted) else None
            self._calls[instance] = parent.call if parent is not None else None
        return self._calls[instance]


Words = Callable[["_Teller", Any], tuple[str, str, str] | None]


class _Teller:
    """Tells the events of one instance with the names of its diagram."""

    def __init__(self, engine: Engine, instance: str, depth: int) -> None:
        view = engine.instance(instance)
        self.instance, self.depth = instance, depth
        self.process_id = view.process_id
        self.program = engine.program(view.process_id, view.version)
        self._tasks: dict[int, str] = {}
        self._timers: dict[int, str] = {}
        self._calls: dict[int, str] = {}
        self._requests: dict[int, tuple[str, str]] = {}
        self._subscriptions: dict[int, tuple[str, str, str]] = {}

    def name(self, node: str) -> str:
        """The node's name, or its id."""
        found = self.program.nodes.get(node)
        return found.name or node if found is not None else node

    def line(self, entry: HistoryEntry) -> TrailLine | None:
        """The line for an event; None for one that only the kernel needs."""
        words = _WORDS.get(type(entry.event))
        told = words(self, entry.event) if words is not None else None
        if told is None:
            return None
        kind, element, text = told
        node = self.program.nodes.get(element)
        lane = node.lane if node is not None else ""
        return TrailLine(entry.at, self.instance, self.depth, kind, element, self.name(element), text, lane)

    # ---- one method an event that people want to read about ------------------------------------

    def started(self, event: p.InstanceStarted) -> tuple[str, str, str]:
        key = f" {event.business_key}" if event.business_key else ""
        return "start", event.start_event or "", f"{self.program.name or self.process_id}{key}".strip()

    def ended(self, event: p.InstanceEnded) -> tuple[str, str, str]:
        code = f" {event.code}" if event.code else ""
        return "end", "", f"{self.program.name or self.process_id}: {event.outcome}{code}"

    def completed(self, event: p.ElementCompleted) -> tuple[str, str, str] | None:
        node = self.program.nodes[event.node]
        if node.kind == "endEvent":
            return "event", event.node, "end"
        if node.kind in ("manualTask", "task", "scriptTask"):
            return "task", event.node, node.kind
        return None

    def flow(self, event: p.FlowTaken | p.TokenCreated) -> tuple[str, str, str] | None:
        flow = self.program.flows.get(event.flow) if event.flow else None
        if flow is None:
            return None
        source = self.program.nodes[flow.source]
        chosen = flow.name or (self.name(flow.target) if source.kind != "parallelGateway" else "")
        splits = source.kind in ("exclusiveGateway", "inclusiveGateway", "complexGateway")
        if not splits or not chosen or (not source.name and not flow.name):
            return None
        return "gateway", flow.source, chosen

    def opened(self, event: p.UserTaskOpened) -> None:
        self._tasks[event.task] = event.node

    def closed(self, event: p.UserTaskClosed) -> tuple[str, str, str] | None:
        node = self._tasks.get(event.task, "")
        if event.reason != "completed":
            return "task", node, event.reason
        user = f"{event.user} " if event.user else ""
        return "user", node, f"{user}{_variables(event.variables)}".strip()

    def job(self, event: p.JobOpened) -> None:
        self._tasks[-event.job] = f"{event.node}\0{event.type}"

    def job_closed(self, event: p.JobClosed) -> tuple[str, str, str] | None:
        node, _, job_type = self._tasks.get(-event.job, "\0").partition("\0")
        return "job", node, job_type if event.reason == "completed" else f"{job_type}: {event.reason}"

    def job_failed(self, event: p.JobFailed) -> tuple[str, str, str]:
        node, _, job_type = self._tasks.get(-event.job, "\0").partition("\0")
        return "job", node, f"{job_type} failed, {event.retries} left: {event.message}"

    def timer(self, event: p.TimerSet) -> None:
        self._timers[event.timer] = event.node

    def fired(self, event: p.TimerFired) -> tuple[str, str, str]:
        return "timer", self._timers.get(event.timer, ""), "fired"

    def subscribed(self, event: p.SubscriptionOpened) -> None:
        self._subscriptions[event.subscription] = (event.kind, event.node, event.name)

    def triggered(self, event: p.SubscriptionTriggered) -> tuple[str, str, str] | None:
        kind, node, name = self._subscriptions.get(event.subscription, ("message", "", ""))
        return kind, node, f"← {name}"

    def thrown(self, event: p.MessageThrown | p.SignalThrown) -> tuple[str, str, str]:
        kind = "message" if isinstance(event, p.MessageThrown) else "signal"
        return kind, event.node, f"→ {event.name}"

    def requested(self, event: p.DecisionRequested) -> None:
        self._requests[event.request] = (event.node, event.decision)

    def answered(self, event: p.DecisionAnswered) -> tuple[str, str, str]:
        node, decision = self._requests.get(event.request, ("", ""))
        return "decision", node, f"{decision} = {_value(event.output)}"

    def data(self, event: p.DataRequested) -> tuple[str, str, str]:
        given = [f"{one.store} = {_value(one.value)}" for one in event.writes]
        return "data", event.node, ", ".join([*(f"? {store}" for store in event.reads), *given])

    def called(self, event: p.CallOpened) -> tuple[str, str, str]:
        self._calls[event.call] = event.node
        return "call", event.node, event.process if event.undo is None else f"undo {event.process}"

    def call_closed(self, event: p.CallClosed) -> tuple[str, str, str] | None:
        if event.reason == "completed":
            return None
        return "call", self._calls.get(event.call, ""), event.reason

    def error(self, event: p.ErrorThrown) -> tuple[str, str, str]:
        return "error", event.node, f"{event.code} {event.message}".strip()

    def escalation(self, event: p.EscalationThrown) -> tuple[str, str, str]:
        return "escalation", event.node, event.code

    def compensation(self, event: p.CompensationStarted) -> tuple[str, str, str] | None:
        return ("compensation", "", "compensation begins") if event.pending else None

    def incident(self, event: p.IncidentRaised) -> tuple[str, str, str]:
        return "incident", event.node, f"{event.kind}: {event.message}"


def _value(value: Any, limit: int = 60) -> str:
    text = "是" if value is True else "否" if value is False else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _variables(variables: Any) -> str:
    return ", ".join(f"{name}={_value(value, 30)}" for name, value in list(variables.items())[:6])


_WORDS: dict[type, Words] = {
    p.InstanceStarted: _Teller.started,
    p.InstanceEnded: _Teller.ended,
    p.ElementCompleted: _Teller.completed,
    p.FlowTaken: _Teller.flow,
    p.TokenCreated: _Teller.flow,
    p.UserTaskOpened: _Teller.opened,
    p.UserTaskClosed: _Teller.closed,
    p.JobOpened: _Teller.job,
    p.JobClosed: _Teller.job_closed,
    p.JobFailed: _Teller.job_failed,
    p.TimerSet: _Teller.timer,
    p.TimerFired: _Teller.fired,
    p.SubscriptionOpened: _Teller.subscribed,
    p.SubscriptionTriggered: _Teller.triggered,
    p.MessageThrown: _Teller.thrown,
    p.SignalThrown: _Teller.thrown,
    p.DecisionRequested: _Teller.requested,
    p.DecisionAnswered: _Teller.answered,
    p.DataRequested: _Teller.data,
    p.CallOpened: _Teller.called,
    p.CallClosed: _Teller.call_closed,
    p.ErrorThrown: _Teller.error,
    p.EscalationThrown: _Teller.escalation,
    p.CompensationStarted: _Teller.compensation,
    p.IncidentRaised: _Teller.incident,
}
