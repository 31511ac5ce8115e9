"""Exploring the states of a diagram: which markings it can get into, and how.

Breadth first, so that the trail to a fault is short. A state is the marking (where tokens stand, in which
scopes, what they wait for); variables are abstracted away. The number of states is bounded, and the
result says honestly whether all were seen. Two reductions keep it small without changing what is found:
:mod:`flowkit.soundness.beside` and :mod:`flowkit.soundness.interleaving`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flowkit.kernel import Instance, Program, decode_instance, encode_instance, new_instance, step
from flowkit.kernel import protocol as p
from flowkit.kernel.state import (
    Call,
    Condition,
    DataRequest,
    Incident,
    Job,
    Request,
    Subscription,
    Timer,
    UserTask,
    Wait,
)
from flowkit.soundness.abstract import TICK, Chooser, TooManyChoices, abstract_program
from flowkit.soundness.beside import (
    ENDS_OTHERS,
    Beside,
    branches_beside,
    held_open,
    reachable,
    side_branch,
    without,
)
from flowkit.soundness.exploration import Exploration, Move, State, Stuck
from flowkit.soundness.interleaving import Independence
from flowkit.soundness.marking import forget_repeated_records, marking, shape
from flowkit.soundness.outside import Thrown, errors_from_outside

__all__ = ["explore"]

_NOW = datetime(2000, 1, 1, tzinfo=UTC)
_CALLER = p.ParentCall("caller", 1)
"""As if called: an error that nothing catches ends the process, and is told."""
_UNDO = p.Compensable(0, "called", {}, (), "called")
"""What a called process leaves to be undone."""
_MOST_BRANCHES = 256
MOST_TOKENS = 12
"""So many tokens at one place, and one more for each flow into it, are as many as there may be."""


Try = tuple[p.Command, str, frozenset[int], Move]
"""A command, its name in the trail, the waits that have thrown their escalation by it, and what it is."""

_DATA_DECIDE = frozenset({"no_flow", "ad_hoc"})
"""Incidents where no condition was true: that some condition will be is the model's promise about data."""

_CONTAINERS = frozenset({"process", "subprocess"})
"""The kinds of the scopes in which the nodes of a container run."""

_KINDS: dict[type, str] = {
    Job: "job",
    UserTask: "task",
    Call: "call",
    Request: "decision",
    DataRequest: "data",
    Timer: "timer",
}


def explore(
    program: Program, *, max_states: int = 5_000, reduce: bool = True, undoable: Set[str] | None = None
) -> Exploration:
    """See every marking that the process can get into, at most ``max_states`` of them.

    With ``undoable``, the calls that can be undone when they have completed, each is or is not, and a
    completed run of the process is undone as its callers undo it.

    Without ``reduce``, every order of independent steps is a state of its own: slow, and for comparison.
    """
    keep: set[str] = set()
    while True:
        branches = branches_beside(program, keep, undoable or frozenset()) if reduce else []
        explorer = _Explorer(
            without(program, branches), max_states, branches, reduce=reduce, undoable=undoable
        )
        found = explorer.run()
        # Whatever starts these branches ends them, too, or would meet them at its end: not beside the flow.
        doubtful = explorer.killed - set(explorer.began)
        doubtful |= explorer.held & set(explorer.began)
        if not doubtful:
            doubtful = _explore_beside(program, branches, explorer, max_states)
        if not doubtful:
            return found
        keep |= doubtful


def _explore_beside(
    program: Program, branches: list[Beside], explorer: _Explorer, max_states: int
) -> set[str]:
    """Explore the branches, each alone; the events of those of which only the whole process shows more.

    A branch that never ends by itself may be ended by the flow, or keep it from ending.
    """
    found = explorer.found
    for branch in branches:
        if branch.event not in explorer.began:
            continue
        alone = explore(branch.program, max_states=max(1, max_states - found.size))
        if alone.decided and alone.endless() is not None:
            return {branch.event}
        state, label = explorer.began[branch.event]
        event = program.label(branch.event)
        alone.before = (*found.trail(state), label, *((event,) if event != label else ()))
        alone.started_by = branch.event
        alone.first_flows = tuple(flow.id for flow in program.nodes[branch.event].out)
        found.beside.append(alone)
        found.decided = found.decided and alone.decided
    return set()


class _Explorer:
    def __init__(
        self,
        program: Program,
        max_states: int,
        branches: list[Beside],
        *,
        reduce: bool = True,
        undoable: Set[str] | None = None,
    ) -> None:
        self.chooser = Chooser()
        self.original = program
        self.program = abstract_program(program, self.chooser)
        self.max_states = max_states
        self.undoable = undoable
        self.undone: set[Any] = set()
        """The shapes of what completed runs left to undo, as far as that was looked at."""
        self.seen: dict[Any, int] = {}
        self.queue: deque[int] = deque()
        self.closed = -1
        self.found = Exploration()
        self.outward = errors_from_outside(program)
        nodes = self.program.nodes.values()
        self.busy = {node.id: side_branch(self.program, node) for node in nodes if node.attached_to}
        self.branches = branches
        self.beside = frozenset(branch.event for branch in branches)
        self.began: dict[str, tuple[int, str]] = {}
        """Where each branch beside the flow has begun: the state before, and the step that did it."""
        self.killed: set[str] = set()
        """Events whose branches may have been ended by the very step that began them."""
        self.held: set[str] = set()
        """Events whose branches would keep a scope open in which something else could be met then."""
        self.independence = Independence(program) if reduce else None

    def run(self) -> Exploration:
        self._begin()
        found = self.found
        while self.queue:
            number = self.queue.popleft()
            self.closed = number
            self._expand(found.states[number])
            if len(found.states) >= self.max_states:
                found.decided = found.decided and not self.queue
                break
        return found

    def _begin(self) -> None:
        blank = new_instance(self.program, "i")
        starts = [start.node for start in self.program.starts if start.kind != "none"]
        if self.program.containers[self.program.process_id].starts:
            starts_here = Move("start", "")
            self._branches(blank, frozenset(), -1, p.Start(parent=_CALLER), "start", starts_here)
        for start in self.program.starts:
            if start.kind == "none" and len(starts) + 1 < len(self.program.starts):
                starts.insert(0, start.node)
        for node in dict.fromkeys(starts):
            command = p.Start(start_event=node, parent=_CALLER)
            self._branches(blank, frozenset(), -1, command, self._label(node), Move("start", node))

    def _label(self, node: str) -> str:
        return self.original.label(node)

    # ---- from a state -----------------------------------------------------------------------

    def _expand(self, state: State) -> None:
        if not state.expandable:
            return
        instance = decode_instance(state.saved)
        stuck = self._stuck(state, instance)
        moves: dict[int, list[Try]] = {}
        for token, tried in self._commands(instance, state.fired):
            moves.setdefault(token, []).append(tried)
        if not moves and not stuck:
            node = next(iter(instance.tokens.values())).node
            self.found.faults.append(Stuck("deadlock", state.number, node, ""))
        if self.independence is not None and len(moves) > 1:
            again = self._to_come_again(instance)
            chosen = self.independence.chosen(instance, [key for key in moves if key and key not in again])
            if chosen is not None and self._move(state, instance, moves.pop(chosen)):
                return
        for several in moves.values():
            self._move(state, instance, several)

    def _move(self, state: State, instance: Instance, moves: list[Try]) -> bool:
        """Make the moves; True if each led to a state that is still to be looked at."""
        fresh = True
        for command, label, fired, move in moves:
            first = len(state.followers)
            self._branches(instance, state.fired | fired, state.number, command, label, move)
            led_to = [self.found.states[number] for number in state.followers[first:]]
            fresh = fresh and bool(led_to)
            fresh = fresh and all(one.number > self.closed and one.expandable for one in led_to)
        return fresh

    def _stuck(self, state: State, instance: Instance) -> bool:
        """Scopes in which every token waits at a join: nothing in them can ever bring what is missing."""
        found = False
        for scope in instance.scopes.values():
            if not scope.tokens or any(instance.tokens[key].flow is None for key in scope.tokens):
                continue
            found = True
            for node in scope.joins:
                others = [other for other in scope.joins if other != node]
                if any(
                    node in reachable(self.program, [other]) and other not in reachable(self.program, [node])
                    for other in others
                ):
                    continue  # it only waits for the other join
                here = scope.joins[node]
                flows = [flow for flow in self.program.nodes[node].incoming if flow not in here]
                missing = ", ".join(self._label(self.program.flows[flow].source) for flow in flows)
                self.found.faults.append(Stuck("deadlock", state.number, node, missing))
        return found

    def _branches(
        self,
        before: Instance,
        fired: frozenset[int],
        origin: int,
        command: p.Command,
        label: str,
        move: Move,
    ) -> None:
        """Carry out the command once for every way its conditions can turn out."""
        todo: list[tuple[bool, ...]] = [()]
        runs = 0
        saved = encode_instance(before)
        busy = self._busy_conditions(before) if before.conditions else frozenset()
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
            if any(isinstance(e, p.EventTriggered) and (e.node, e.token) in busy for e in events):
                continue
            asked = tuple(zip(self.chooser.asked, taken, strict=True))
            if self.branches:
                closed = _closed(before, events)
                self.held |= held_open(self.program, self.branches, closed, events)
            self._arrive(instance, events, fired, origin, label, replace(move, asked=asked))

    def _arrive(
        self,
        instance: Instance,
        events: list[p.Event],
        fired: frozenset[int],
        origin: int,
        label: str,
        move: Move,
    ) -> None:
        found = self.found
        left_open = any(isinstance(e, p.IncidentRaised) and e.kind in _DATA_DECIDE for e in events)
        for event in events:
            if isinstance(event, p.ElementEntered):
                found.entered.add(event.node)
        if left_open:
            return
        self._note_beside(events, origin, label)
        if instance.status == "error":
            thrown = [event for event in events if isinstance(event, p.ErrorThrown)]
            found.errors.setdefault(thrown[-1].node, (origin, label))
        self._undo(events, origin, label)
        forget_repeated_records(instance)
        place = marking(instance, fired, self.beside)
        number = self.seen.get(place)
        if number is None:
            number = len(found.states)
            self.seen[place] = number
            state = State(number, encode_instance(instance), fired, origin, label, instance.status)
            found.states.append(state)
            self._judge(state, instance)
            if instance.status == "active":
                self.queue.append(number)
        move = _passing(move, events, instance.status)
        if origin >= 0:
            found.states[origin].followers.append(number)
            found.states[origin].moves.append(move)
        else:
            found.begins.append((number, move))

    def _undo(self, events: list[p.Event], origin: int, label: str) -> None:
        """If the process has ended and left something to undo: its caller lets it be undone."""
        left = next((e.undo for e in events if isinstance(e, p.InstanceEnded)), None)
        if self.undoable is None or left is None or (what := shape(left)) in self.undone:
            return
        self.undone.add(what)
        command = p.Start(parent=_CALLER, undo=left)
        blank, step_to = new_instance(self.program, "i"), f"{label} → the whole run is undone"
        self._branches(blank, frozenset(), origin, command, step_to, Move("undone", ""))

    def _note_beside(self, events: list[p.Event], origin: int, label: str) -> None:
        """Which branches beside the flow began here, and whether they outlived the step."""
        begun = [e.node for e in events if isinstance(e, p.ElementEntered) and e.node in self.beside]
        if not begun:
            return
        violent = any(
            isinstance(event, p.ErrorThrown | p.ElementTerminated)
            or (
                isinstance(event, p.ElementEntered)
                and any(one.kind in ENDS_OTHERS for one in self.program.nodes[event.node].throws)
            )
            for event in events
        )
        for node in begun:
            if violent:
                self.killed.add(node)
            else:
                self.began.setdefault(node, (origin, label))

    def _judge(self, state: State, instance: Instance) -> None:
        for scope in instance.scopes.values():
            for node, count in scope.at.items():
                most = MOST_TOKENS + len(self.program.nodes[node].incoming)
                if count > most and scope.loop is None:
                    self.found.faults.append(Stuck("unbounded", state.number, node, str(count)))
                    state.expandable = False
                    return
        for wait in instance.waits.values():
            if isinstance(wait, Incident):
                self.found.faults.append(Stuck(wait.kind, state.number, wait.node, wait.message))
                state.expandable = False

    # ---- what can happen --------------------------------------------------------------------

    def _commands(self, instance: Instance, fired: frozenset[int]) -> Iterator[tuple[int, Try]]:
        """Whose move it is (0: not one token's), and what can be tried."""
        nothing: frozenset[int] = frozenset()
        for wait in instance.waits.values():
            label = self._label(wait.node)
            kind = wait.kind if isinstance(wait, Subscription) else _KINDS.get(type(wait), "")
            for command, what, code in self._answers(instance, wait, fired):
                suffix = f": {what} {code}" if what else ""
                thrown = frozenset({wait.key}) if what == "escalation" else nothing
                yield wait.token, (command, label + suffix, thrown, Move(what or kind, wait.node, code))
        if instance.conditions:
            yield 0, (p.SetVariables({TICK: 1}), "a condition", nothing, Move("condition", ""))

    def _answers(
        self, instance: Instance, wait: Wait, fired: frozenset[int]
    ) -> Iterator[tuple[p.Command, str, str]]:
        """The commands that answer a wait; for errors and escalations with their kind and code."""
        match wait:
            case Call(undo=undo) if undo is not None:
                yield p.CompleteCall(wait.key), "undone", ""
            case Job() | UserTask() | Call():
                called = isinstance(wait, Call)
                done = (
                    p.CompleteCall(wait.key) if called
                    else p.CompleteJob(wait.key) if isinstance(wait, Job)
                    else p.CompleteUserTask(wait.key)
                )  # fmt: skip
                yield done, "", ""
                if called and self.undoable is not None and wait.node in self.undoable:
                    yield p.CompleteCall(wait.key, undo=_UNDO), "", ""
                error = p.ErrorFromCall if called else p.ThrowBpmnError
                escalation = p.EscalationFromCall if called else p.ThrowEscalation
                for kind, code in self._throwable(wait.node):
                    if kind == "error":
                        yield error(wait.key, code), kind, code
                    elif wait.key not in fired:
                        yield escalation(wait.key, code), kind, code
            case Request():
                yield p.CompleteDecision(wait.key), "", ""
            case DataRequest():
                yield p.CompleteData(wait.key), "", ""
            case Timer() if self._may_occur(instance, wait):
                yield p.FireTimer(wait.key), "", ""
            case Subscription() if self._may_occur(instance, wait):
                message = wait.kind == "message"
                yield p.DeliverMessage(wait.key) if message else p.BroadcastSignal(wait.name), "", ""

    def _busy_conditions(self, instance: Instance) -> frozenset[tuple[str, int]]:
        """The conditional events that may not occur now, each with the token of its host or its scope."""
        return frozenset(
            (wait.node, wait.token or instance.scopes[wait.scope].token)
            for wait in instance.waits.values()
            if isinstance(wait, Condition) and not self._may_occur(instance, wait)
        )

    def _to_come_again(self, instance: Instance) -> set[int]:
        """The tokens at activities whose events may occur again once others have dealt with them."""
        return {
            wait.token
            for wait in instance.waits.values()
            if isinstance(wait, Timer | Subscription) and not self._may_occur(instance, wait)
        }

    def _may_occur(self, instance: Instance, wait: Timer | Subscription | Condition) -> bool:
        """A non-interrupting event could come again and again; once it is dealt with it may."""
        node = self.program.nodes[wait.node]
        if node.interrupting:
            return True
        place = instance.tokens[wait.token].scope if wait.token else wait.scope
        busy = self.busy[node.id] if node.attached_to else {node.container}
        return not any(at in busy for at in instance.scopes[place].at)

    def _throwable(self, node_id: str) -> Iterator[Thrown]:
        """The errors and escalations for which the activity has a boundary event, or that something
        around it catches though nothing drawn throws them."""
        for event in self.program.nodes[node_id].boundary:
            for catch in self.program.nodes[event].catches:
                if catch.kind in ("error", "escalation"):
                    yield catch.kind, catch.name or "any"
        yield from self.outward.get(node_id, ())


def _closed(before: Instance, events: list[p.Event]) -> dict[int, str]:
    """The scopes of containers that the step has closed, each with its container."""
    places = {key: scope.node for key, scope in before.scopes.items() if scope.kind in _CONTAINERS}
    places |= {e.scope: e.node for e in events if isinstance(e, p.ScopeOpened) and e.kind in _CONTAINERS}
    gone = [e.scope for e in events if isinstance(e, p.ScopeClosed)]
    return {key: places[key] for key in gone if key in places}


def _passing(move: Move, events: list[p.Event], status: str) -> Move:
    """The move with what the tokens passed by."""
    flows = tuple(e.flow for e in events if isinstance(e, p.FlowTaken | p.TokenCreated) and e.flow)
    entered = tuple(e.node for e in events if isinstance(e, p.ElementEntered))
    codes = [e.code for e in events if isinstance(e, p.ErrorThrown)] if status == "error" else []
    return replace(move, flows=flows, entered=entered, thrown=codes[-1] if codes else "")
