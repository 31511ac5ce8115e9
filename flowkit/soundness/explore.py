"""Exploring the states of a diagram: which markings it can get into, and how.

Breadth first, so that the trail to a fault is a shortest one. A state is the marking (where tokens
stand, in which scopes, what they wait for); variables are abstracted away. The number of states is
bounded, and the result says honestly whether all were seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flowkit.kernel import Instance, Node, Program, decode_instance, encode_instance, new_instance, step
from flowkit.kernel import protocol as p
from flowkit.kernel.state import (
    Call,
    Condition,
    Incident,
    Job,
    Request,
    Scope,
    Subscription,
    Timer,
    UserTask,
)
from flowkit.soundness.abstract import TICK, Chooser, TooManyChoices, abstract_program

__all__ = ["Exploration", "State", "Stuck", "explore"]

_NOW = datetime(2000, 1, 1, tzinfo=UTC)
_CALLER = p.ParentCall("caller", 1)
"""As if called: an error that nothing catches ends the process, and is told."""
_MOST_BRANCHES = 256
MOST_TOKENS = 12
"""More tokens than this at one place count as unbounded."""


@dataclass(slots=True)
class State:
    """A marking: how it was reached, and where it leads."""

    number: int
    saved: bytes
    fired: frozenset[int]
    came_from: int
    by: str
    status: str
    followers: list[int] = field(default_factory=list)
    expandable: bool = True


@dataclass(frozen=True, slots=True)
class Stuck:
    """A fault in a state: ``kind`` is deadlock, unbounded, endless_loop or an incident's kind."""

    kind: str
    state: int
    node: str
    message: str


@dataclass
class Exploration:
    """What was seen. ``decided``: all states were seen within the bounds."""

    states: list[State] = field(default_factory=list)
    faults: list[Stuck] = field(default_factory=list)
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Where errors left the process: the state before, and the step that did it."""
    entered: set[str] = field(default_factory=set)
    decided: bool = True

    def trail(self, state: int) -> list[str]:
        """What happens, step by step, until the state is reached."""
        steps: list[str] = []
        while state >= 0:
            steps.append(self.states[state].by)
            state = self.states[state].came_from
        return steps[::-1]


def explore(program: Program, *, max_states: int = 5_000) -> Exploration:
    """See every marking that the process can get into, at most ``max_states`` of them."""
    return _Explorer(program, max_states).run()


class _Explorer:
    def __init__(self, program: Program, max_states: int) -> None:
        self.chooser = Chooser()
        self.original = program
        self.program = abstract_program(program, self.chooser)
        self.max_states = max_states
        self.seen: dict[Any, int] = {}
        self.queue: deque[int] = deque()
        self.found = Exploration()
        self.beside = {node.id: side_branch(self.program, node) for node in self.program.nodes.values()}

    def run(self) -> Exploration:
        self._begin()
        found = self.found
        while self.queue:
            number = self.queue.popleft()
            self._expand(found.states[number])
            if len(found.states) >= self.max_states:
                found.decided = not self.queue
                break
        return found

    def _begin(self) -> None:
        blank = encode_instance(new_instance(self.program, "i"))
        starts = [start.node for start in self.program.starts if start.kind != "none"]
        if self.program.containers[self.program.process_id].starts:
            self._branches(blank, frozenset(), -1, p.Start(parent=_CALLER), "start")
        for start in self.program.starts:
            if start.kind == "none" and len(starts) + 1 < len(self.program.starts):
                starts.insert(0, start.node)
        for node in dict.fromkeys(starts):
            self._branches(
                blank, frozenset(), -1, p.Start(start_event=node, parent=_CALLER), self._label(node)
            )

    def _label(self, node: str) -> str:
        return self.original.label(node)

    # ---- from a state -----------------------------------------------------------------------

    def _expand(self, state: State) -> None:
        if not state.expandable:
            return
        instance = decode_instance(state.saved)
        commands = list(self._commands(instance, state.fired))
        for command, label, fired in commands:
            self._branches(state.saved, state.fired | fired, state.number, command, label)
        if not commands:
            waiting = [token for token in instance.tokens.values() if token.flow is not None]
            node = waiting[0].node if waiting else next(iter(instance.tokens.values())).node
            missing = ""
            if waiting:
                here = instance.scopes[waiting[0].scope].joins[node]
                flows = [flow for flow in self.program.nodes[node].incoming if flow not in here]
                missing = ", ".join(self._label(self.program.flows[flow].source) for flow in flows)
            self.found.faults.append(Stuck("deadlock", state.number, node, missing))

    def _branches(
        self, saved: bytes, fired: frozenset[int], origin: int, command: p.Command, label: str
    ) -> None:
        """Carry out the command once for every way its conditions can turn out."""
        todo: list[tuple[bool, ...]] = [()]
        runs = 0
        while todo:
            runs += 1
            if runs > _MOST_BRANCHES or len(self.found.states) >= self.max_states:
                self.found.decided = False
                return
            given = todo.pop()
            self.chooser.prepare(given)
            instance = decode_instance(saved)
            try:
                events = step(self.program, instance, command, now=_NOW)
            except TooManyChoices:
                self.found.faults.append(Stuck("endless_loop", origin, "", label))
                continue
            taken = self.chooser.taken
            for position in range(len(given), len(taken)):
                todo.append((*taken[:position], True))
            self._arrive(instance, events, fired, origin, label)

    def _arrive(
        self, instance: Instance, events: list[p.Event], fired: frozenset[int], origin: int, label: str
    ) -> None:
        found = self.found
        no_flow = any(isinstance(e, p.IncidentRaised) and e.kind == "no_flow" for e in events)
        for event in events:
            if isinstance(event, p.ElementEntered):
                found.entered.add(event.node)
        if no_flow:
            return  # an exhaustive set of conditions is the model's promise; data decides it
        if instance.status == "error":
            thrown = [event for event in events if isinstance(event, p.ErrorThrown)]
            found.errors.setdefault(thrown[-1].node, (origin, label))
        marking = _marking(instance, fired)
        number = self.seen.get(marking)
        if number is None:
            number = len(found.states)
            self.seen[marking] = number
            state = State(number, encode_instance(instance), fired, origin, label, instance.status)
            found.states.append(state)
            self._judge(state, instance)
            if instance.status == "active":
                self.queue.append(number)
        if origin >= 0:
            found.states[origin].followers.append(number)

    def _judge(self, state: State, instance: Instance) -> None:
        for scope in instance.scopes.values():
            for node, count in scope.at.items():
                if count > MOST_TOKENS and scope.loop is None:
                    self.found.faults.append(Stuck("unbounded", state.number, node, str(count)))
                    state.expandable = False
                    return
        for wait in instance.waits.values():
            if isinstance(wait, Incident):
                self.found.faults.append(Stuck(wait.kind, state.number, wait.node, wait.message))
                state.expandable = False

    # ---- what can happen --------------------------------------------------------------------

    def _commands(
        self, instance: Instance, fired: frozenset[int]
    ) -> Iterator[tuple[p.Command, str, frozenset[int]]]:
        nothing: frozenset[int] = frozenset()
        conditions = False
        for wait in instance.waits.values():
            label = self._label(wait.node)
            match wait:
                case Job() | UserTask():
                    done: p.Command = (
                        p.CompleteJob(wait.key) if isinstance(wait, Job) else p.CompleteUserTask(wait.key)
                    )
                    yield done, label, nothing
                    for kind, code in self._throwable(wait.node):
                        if kind == "error":
                            yield p.ThrowBpmnError(wait.key, code), f"{label}: error {code}", nothing
                        elif wait.key not in fired:
                            told = f"{label}: escalation {code}"
                            yield p.ThrowEscalation(wait.key, code), told, frozenset({wait.key})
                case Call():
                    yield p.CompleteCall(wait.key), label, nothing
                    for kind, code in self._throwable(wait.node):
                        if kind == "error":
                            yield p.ErrorFromCall(wait.key, code), f"{label}: error {code}", nothing
                        elif wait.key not in fired:
                            told = f"{label}: escalation {code}"
                            yield p.EscalationFromCall(wait.key, code), told, frozenset({wait.key})
                case Request():
                    yield p.CompleteDecision(wait.key), label, nothing
                case Timer() if self._may_occur(instance, wait):
                    yield p.FireTimer(wait.key), label, nothing
                case Subscription() if self._may_occur(instance, wait):
                    message = wait.kind == "message"
                    done = p.DeliverMessage(wait.key) if message else p.BroadcastSignal(wait.name)
                    yield done, label, nothing
                case Condition():
                    conditions = True
        if conditions:
            yield p.SetVariables({TICK: 1}), "a condition", nothing

    def _may_occur(self, instance: Instance, wait: Timer | Subscription) -> bool:
        """A non-interrupting event could come again and again; once it is dealt with it may."""
        node = self.program.nodes[wait.node]
        if node.interrupting:
            return True
        place = instance.tokens[wait.token].scope if wait.token else wait.scope
        busy = self.beside[node.id] if node.attached_to else {node.container}
        return not any(at in busy for at in instance.scopes[place].at)

    def _throwable(self, node_id: str) -> Iterator[tuple[str, str]]:
        """The errors and escalations for which the activity has a boundary event."""
        for event in self.program.nodes[node_id].boundary:
            for catch in self.program.nodes[event].catches:
                if catch.kind in ("error", "escalation"):
                    yield catch.kind, catch.name or "any"


def side_branch(program: Program, event: Node) -> set[str]:
    """The nodes that only the boundary event leads to."""
    if not event.attached_to:
        return set()
    beside = _reachable(program, [event.id])
    others = [
        node.id
        for node in program.nodes.values()
        if node.container == event.container and node.id != event.id and not node.incoming
    ]
    return beside - _reachable(program, others)


def _reachable(program: Program, starts: list[str]) -> set[str]:
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += [flow.target for flow in program.nodes[node].out]
    return seen


def _marking(instance: Instance, fired: frozenset[int]) -> Any:
    """The state without keys and data: equal for states that can do the same."""
    waits = instance.waits

    def scope_marking(scope: Scope) -> Any:
        tokens = sorted(
            (repr(token_marking(key)) for key in scope.tokens),
        )
        held = sorted((waits[key].node, type(waits[key]).__name__, key in fired) for key in scope.holds)
        loop = scope.loop
        counters = (loop.total and loop.started, len(loop.items)) if loop is not None else None
        return (
            scope.node,
            scope.kind,
            tuple(tokens),
            tuple(held),
            counters,
            tuple(sorted(scope.resetting)),
            tuple(record.node for record in scope.records),
        )

    def token_marking(key: int) -> Any:
        token = instance.tokens[key]
        held = sorted(
            (waits[k].node, type(waits[k]).__name__, k in fired, bool(getattr(waits[k], "holds", False)))
            for k in token.holds
        )
        inner = tuple(scope_marking(instance.scopes[k]) for k in token.scopes)
        return (token.node, token.active, token.flow, tuple(held), inner, len(token.pending))

    if 1 not in instance.scopes:
        return instance.status
    return scope_marking(instance.scopes[1])
