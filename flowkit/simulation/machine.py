"""Stepping the kernel: each case is a kernel instance; what it does is what production does.

The kernel is pure: the same instance and the same command give the same events. So a transition that
was worked out once for one case holds for every case in the same state, and is looked up instead of
computed again: a case whose variables take few values walks through a graph of states that the kernel
has drawn. Where that does not help (variables with many values, expressions that read the clock) each
case keeps an instance of its own and every command is stepped. Both ways give the same simulation; a
test compares them.

What the model leaves to chance (a choice by probability, a number of items) is asked for by the program
through a host function; the answers become part of the transition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from flowkit.errors import FlowkitError
from flowkit.kernel import Instance, Program, decode_instance, encode_instance, new_instance, step
from flowkit.kernel import protocol as p
from flowkit.kernel.data import after_write

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case

__all__ = ["Effect", "Machine", "Move", "Oracle", "State", "Translator"]

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MAX_STATES = 5_000
MIN_YIELD = 2_000
"""Transitions worked out before it is judged whether looking them up pays."""

Decide = Callable[[Program, p.DecisionRequested, Mapping[str, Any], datetime], p.Command | None]
"""Answers a decision at once, or gives None when the simulation has to."""

Effect = tuple[Any, ...]
"""What the simulator has to do: ``effect[0](run, case, effect)``."""


class Translator(Protocol):
    """Turns the kernel's events into effects; implemented by :mod:`flowkit.simulation.effects`."""

    def effect(self, program: Program, event: p.Event, now: datetime) -> Effect | None:
        """What the simulator has to do for ``event``; None for nothing."""


@dataclass(slots=True)
class Oracle:
    """Answers what the model leaves to chance, and remembers the answers of one step."""

    draw: Callable[[Case, str], Any]
    case: Case | None = None
    prefix: list[tuple[str, Any]] = field(default_factory=list)
    taken: list[tuple[str, Any]] = field(default_factory=list)

    def ask(self, purpose: str) -> Any:
        """The answer for ``purpose``: the one already given in this step's prefix, or a new draw."""
        place = len(self.taken)
        if place < len(self.prefix):
            value = self.prefix[place][1]
        else:
            assert self.case is not None
            value = self.draw(self.case, purpose)
        self.taken.append((purpose, value))
        return value


class State:
    """A state that cases can be in: the encoded instance, and the transitions known so far."""

    __slots__ = ("moves", "snapshot")

    def __init__(self, snapshot: bytes) -> None:
        self.snapshot = snapshot
        self.moves: dict[Any, Move | Fork] = {}


class Move:
    """A transition; ``hits`` counts the cases that took it since the last count."""

    __slots__ = ("effects", "flows", "hits", "nodes", "state")

    def __init__(self, effects: tuple[Effect, ...], nodes: tuple[str, ...], flows: tuple[str, ...]) -> None:
        self.state: State | None = None
        self.effects = effects
        self.nodes = nodes
        self.flows = flows
        self.hits = 0


class Fork:
    """A question inside a transition: one branch per answer."""

    __slots__ = ("branches", "purpose")

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self.branches: dict[Any, Move | Fork] = {}


START, JOB, TASK, TIMER, MESSAGE, SIGNAL, ERROR, DECISION, CALL, CALL_ERROR, CALL_FAIL, ESCALATION, CANCEL = (
    range(13)
)
CALL_RECORDED = 13
"""A call that has completed and can be compensated."""

_OP_BITS = 4
_OP = (1 << _OP_BITS) - 1

Build = Callable[..., p.Command]

_BUILD: dict[int, Build] = {
    JOB: lambda key, variables: p.CompleteJob(job=key, variables=variables),
    TASK: lambda key, variables: p.CompleteUserTask(task=key, variables=variables),
    TIMER: lambda key, _: p.FireTimer(timer=key),
    MESSAGE: lambda key, variables: p.DeliverMessage(subscription=key, variables=variables),
    SIGNAL: lambda _, given: p.BroadcastSignal(name=given["name"], variables=given["variables"]),
    ERROR: lambda key, given: p.ThrowBpmnError(job=key, code=given["code"]),
    DECISION: lambda key, given: p.CompleteDecision(request=key, output=given["output"]),
    CALL: lambda key, variables: p.CompleteCall(call=key, variables=variables),
    CALL_RECORDED: lambda key, given: p.CompleteCall(
        call=key, variables=given["variables"], undo=given["undo"]
    ),
    CALL_ERROR: lambda key, given: p.ErrorFromCall(
        call=key, code=given["code"], message=given["message"], variables=given["variables"]
    ),
    CALL_FAIL: lambda key, given: p.FailCall(call=key, message=given["message"]),
    ESCALATION: lambda key, given: p.EscalationFromCall(
        call=key, code=given["code"], variables=given["variables"]
    ),
    CANCEL: lambda _key, given: p.Cancel(reason=given["reason"]),
    START: lambda _, given: p.Start(
        variables=given["variables"],
        start_event=given["start_event"],
        parent=p.ParentCall("case", 0) if given["called"] else None,
        undo=given["undo"],
    ),
}
_encode = msgspec.json.Encoder().encode
_NONE: Mapping[str, Any] = {}


class Machine:
    """One program and the states of its cases. ``origin`` is the instant of simulation time 0."""

    def __init__(
        self,
        program: Program,
        translator: Translator,
        oracle: Oracle,
        *,
        shared: bool,
        origin: datetime,
        decide: Decide,
    ) -> None:
        self.program = program
        self._translator = translator
        self.oracle = oracle
        self._shared = shared
        self._origin = origin
        self._decide = decide
        self._states: dict[bytes, State] = {}
        self._moves: list[Move] = []
        self._looked_up = 0
        """Transitions that were looked up and counted already."""
        self.stores: dict[str, Any] = {}
        """The content of the data stores in this replication; shared by its programs."""
        self.nodes: dict[str, int] = {}
        self.flows: dict[str, int] = {}
        self._first = self._state(encode_instance(new_instance(program, "case")))

    # ---- stepping ---------------------------------------------------------------------------

    def begin(
        self,
        case: Case,
        variables: Mapping[str, Any],
        start_event: str | None,
        now: float,
        undo: p.Compensable | None = None,
    ) -> Move:
        """Start the case's instance; with ``undo`` it undoes a finished one."""
        called = case.caller is not None
        place: Any = start_event
        if self._shared and not variables and not called:
            found = self._first.moves.get(start_event)
            if found.__class__ is Move:
                return self._take(case, found)
        given = {"variables": variables, "start_event": start_event, "called": called, "undo": undo}
        if not self._shared:
            case.state = decode_instance(self._first.snapshot)
            return self._step_alone(case, START, 0, given, now)
        if variables or called:
            place = _encode(given)
        return self._look_up(case, self._first, place, (START, 0, given), now)

    def send(self, case: Case, op: int, key: int, given: Mapping[str, Any], now: float) -> Move:
        """Give the case's instance a command; the caller acts on the move's effects, in order."""
        state = case.state
        if state.__class__ is not State:
            return self._step_alone(case, op, key, given, now)
        place: Any = key << _OP_BITS | op
        if given:
            place = (place, _encode(given))
        return self._look_up(case, state, place, (op, key, given), now)

    def go(self, case: Case, place: int, now: float) -> Move:
        """:meth:`send` without variables; ``place`` is ``key * 16 + op``."""
        state = case.state
        if state.__class__ is State:
            found = state.moves.get(place)
            if found.__class__ is Move:
                case.state = found.state
                if case.counted:
                    found.hits += 1
                return found
        return self.send(case, place & _OP, place >> _OP_BITS, _NONE, now)

    def _look_up(
        self, case: Case, state: State, place: Any, command: tuple[int, int, Mapping[str, Any]], now: float
    ) -> Move:
        """The transition that the command makes in this state, drawing what is left to chance."""
        found: Move | Fork | None = state.moves.get(place)
        prefix: list[tuple[str, Any]] | None = None
        while found.__class__ is Fork:
            purpose = found.purpose
            value = self.oracle.draw(case, purpose)
            if prefix is None:
                prefix = []
            prefix.append((purpose, value))
            found = found.branches.get(value)
        if found is None:
            return self._explore(case, state, place, command, prefix or [], now)
        return self._take(case, found)

    @staticmethod
    def _take(case: Case, move: Any) -> Move:
        case.state = move.state
        if case.counted:
            move.hits += 1
        return move  # type: ignore[no-any-return]

    def _state(self, snapshot: bytes) -> State:
        state = self._states.get(snapshot)
        if state is None:
            state = self._states[snapshot] = State(snapshot)
        return state

    def _explore(
        self,
        case: Case,
        state: State,
        place: Any,
        command: tuple[int, int, Mapping[str, Any]],
        prefix: list[tuple[str, Any]],
        now: float,
    ) -> Move:
        """Work out a transition that nobody took yet."""
        instance = decode_instance(state.snapshot)
        if not self._shared or len(self._states) >= MAX_STATES or not self._pays():
            self._shared = False
            case.state = instance
            return self._step_alone(case, *command, now, prefix)
        move, taken = self._step(case, instance, command, EPOCH, prefix)
        move.state = case.state = self._state(encode_instance(instance))
        branches, key = state.moves, place
        for purpose, value in taken:
            fork = branches.get(key)
            if not isinstance(fork, Fork):
                fork = branches[key] = Fork(purpose)
            branches, key = fork.branches, value
        branches[key] = move
        self._moves.append(move)
        move.hits = 1 if case.counted else 0
        return move

    def _pays(self) -> bool:
        count = len(self._moves)
        if count < MIN_YIELD or count % 500:
            return True
        return self._looked_up + sum(move.hits for move in self._moves) > 4 * count

    def _step_alone(
        self,
        case: Case,
        op: int,
        key: int,
        given: Mapping[str, Any],
        now: float,
        prefix: list[tuple[str, Any]] | None = None,
    ) -> Move:
        instant = self._origin + timedelta(seconds=now)
        move, _ = self._step(case, case.state, (op, key, given), instant, prefix or [])
        if case.counted:
            self._count(move, 1)
        return move

    def _step(
        self,
        case: Case,
        instance: Instance,
        command: tuple[int, int, Mapping[str, Any]],
        instant: datetime,
        prefix: list[tuple[str, Any]],
    ) -> tuple[Move, list[tuple[str, Any]]]:
        """One command, and the decisions that it asks for, answered at once."""
        oracle = self.oracle
        oracle.case, oracle.prefix, oracle.taken = case, prefix, []
        op, key, given = command
        asked: list[p.Command] = [_BUILD[op](key, given)]
        effects: list[Effect] = []
        nodes: list[str] = []
        flows: list[str] = []
        while asked:
            for event in step(self.program, instance, asked.pop(0), now=instant):
                if isinstance(event, p.FlowTaken):
                    flows.append(event.flow)
                    continue
                if isinstance(event, p.ElementEntered):
                    nodes.append(event.node)
                elif isinstance(event, p.TokenCreated):
                    if event.flow is not None:
                        flows.append(event.flow)
                    continue
                elif isinstance(event, p.DecisionRequested):
                    seen = instance.inputs_of(event.request)
                    answer = self._decide(self.program, event, seen, instant)
                    if answer is not None:
                        asked.append(answer)
                        continue
                elif isinstance(event, p.DataRequested):
                    if event.request in instance.waits:  # not withdrawn in the same step
                        asked.append(self._exchange(event))
                    continue
                effect = self._translator.effect(self.program, event, instant)
                if effect is not None:
                    effects.append(effect)
        return Move(tuple(effects), tuple(nodes), tuple(flows)), oracle.taken

    def _exchange(self, event: p.DataRequested) -> p.Command:
        """Data stores are kept in memory, empty at the beginning of a replication."""
        try:
            for write in event.writes:
                self.stores[write.store] = after_write(self.stores.get(write.store), write)
        except FlowkitError as error:
            return p.FailData(request=event.request, message=str(error))
        values = {store: self.stores.get(store) for store in event.reads}
        return p.CompleteData(request=event.request, values=values)

    # ---- what happened ----------------------------------------------------------------------

    def _count(self, move: Move, hits: int) -> None:
        for node in move.nodes:
            self.nodes[node] = self.nodes.get(node, 0) + hits
        for flow in move.flows:
            self.flows[flow] = self.flows.get(flow, 0) + hits

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """How often each node and flow was taken since the last call; counting starts again."""
        for move in self._moves:
            if move.hits:
                self._count(move, move.hits)
                self._looked_up += move.hits
                move.hits = 0
        found = self.nodes, self.flows
        self.nodes, self.flows = {}, {}
        return found

    def instance_of(self, case: Case) -> Instance:
        """The case's instance, to look at."""
        state = case.state
        return decode_instance(state.snapshot) if isinstance(state, State) else state
