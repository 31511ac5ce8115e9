"""The kernel in the words of the token game: the same commands, the same things to be seen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from flowkit.bpmn import model as m
from flowkit.kernel import (
    Event,
    compile_process,
    decode_instance,
    encode_events,
    encode_instance,
    migrate,
    new_instance,
    replay,
    step,
)
from flowkit.kernel import protocol as p
from flowkit.kernel.protocol import ANY_KEY
from flowkit.kernel.state import Condition, Incident, Subscription, Timer, UserTask
from tests.oracle.places import ANY
from tests.oracle.world import Wait

__all__ = ["KernelSide"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class KernelSide:
    """One instance in the kernel."""

    def __init__(self, definitions: m.Definitions, process: str) -> None:
        self.program = compile_process(definitions, process)
        self.instance = new_instance(self.program, "i")
        self.events: list[Event] = []
        self.commands: list[p.Command] = []
        self.asked: dict[int, int] = {}
        """The keys of calls and requests, by their number."""
        self.calls: dict[int, int] = {}
        self.undo: p.Compensable | None = None
        self._seen = 0

    def do(self, command: p.Command) -> None:
        self.commands.append(command)
        self.events += step(self.program, self.instance, command, now=NOW)

    # ---- what can be done to it ---------------------------------------------------------------

    def start(self, variables: dict[str, Any], at: str = "", *, called: bool = False, key: str = "") -> None:
        parent = p.ParentCall("parent", 1) if called else None
        self.do(p.Start(variables, business_key=key or None, start_event=at or None, parent=parent))

    def start_undoing(self, undo: p.Compensable) -> None:
        self.do(p.Start(variables=undo.variables, parent=p.ParentCall("parent", 1), undo=undo))

    def undoing(self, number: int) -> p.Compensable | None:
        opened = (event for event in self.events if isinstance(event, p.CallOpened))
        return next(event.undo for event in opened if event.call == self.asked[number])

    def complete_task(self, node: str, variables: dict[str, Any]) -> None:
        task = next(w for w in self.instance.waits.values() if isinstance(w, UserTask) and w.node == node)
        self.do(p.CompleteUserTask(task.key, variables))

    def occur(self, node: str, part: int, variables: dict[str, Any], key: str = "") -> None:
        wait = next(
            w
            for w in self.instance.waits.values()
            if isinstance(w, Subscription | Timer) and (w.node, w.part) == (node, part)
        )
        if isinstance(wait, Timer):
            self.do(p.FireTimer(wait.key))
        else:
            self.do(p.DeliverMessage(wait.key, variables, key=key))

    def broadcast(self, signal: str, variables: dict[str, Any]) -> None:
        self.do(p.BroadcastSignal(signal, variables))

    def set_variables(self, variables: dict[str, Any]) -> None:
        self.do(p.SetVariables(variables))

    def answer_call(
        self, number: int, outcome: str, variables: dict[str, Any], code: str, undo: p.Compensable | None
    ) -> None:
        call = self.calls.pop(number, None)
        if call is None:
            return
        if outcome == "error":
            self.do(p.ErrorFromCall(call, code))
        else:
            self.do(p.CompleteCall(call, variables, undo=undo))

    def escalate_call(self, number: int, code: str) -> None:
        if number in self.calls:
            self.do(p.EscalationFromCall(self.calls[number], code))

    def answer_data(self, number: int, values: dict[str, Any]) -> None:
        self.do(p.CompleteData(self.asked[number], values))

    def cancel(self) -> None:
        self.do(p.Cancel())

    # ---- what can be seen ---------------------------------------------------------------------

    @property
    def outcome(self) -> str:
        status = self.instance.status
        return "" if status == "active" else status

    @property
    def completed(self) -> Counter[str]:
        return Counter(event.node for event in self.events if isinstance(event, p.ElementCompleted))

    def places(self) -> Counter[str]:
        return Counter(token.node for token in self.instance.tokens.values())

    def troubles(self) -> Counter[str]:
        return Counter(wait.node for wait in self.instance.waits.values() if isinstance(wait, Incident))

    def variables(self) -> dict[str, Any]:
        return dict(self.instance.scopes[1].variables) if self.instance.scopes else {}

    def tasks_at(self) -> list[str]:
        return [wait.node for wait in self.instance.waits.values() if isinstance(wait, UserTask)]

    def waits(self) -> list[Wait]:
        """What the instance waits for, the oldest first."""
        found = []
        for wait in self.instance.waits.values():
            if isinstance(wait, Subscription):
                key = ANY if wait.correlation_key == ANY_KEY else wait.correlation_key
                found.append(Wait(wait.node, wait.part, wait.kind, wait.name, key))
            elif isinstance(wait, Timer | Condition):
                found.append(Wait(wait.node, wait.part, type(wait).__name__.lower()))
        return found

    def tell(self) -> tuple[list[int], list[tuple[Any, ...]]]:
        """The calls taken back and the effects since it was asked last."""
        back: list[int] = []
        effects: list[tuple[Any, ...]] = []
        for event in self.events[self._seen :]:
            if isinstance(event, p.CallClosed) and event.reason == "cancelled":
                number = next(n for n, call in self.calls.items() if call == event.call)
                del self.calls[number]
                back.append(number)
            elif (effect := self._effect(event)) is not None:
                effects.append(effect)
        self._seen = len(self.events)
        return back, effects

    def _effect(self, event: Event) -> tuple[Any, ...] | None:
        match event:
            case p.CallOpened():
                number = self._number(event.call)
                self.calls[number] = event.call
                if event.undo is not None:
                    return "undo", number, event.process
                return "call", number, event.process, dict(event.variables)
            case p.DataRequested():
                given = tuple((write.store, write.value) for write in event.writes)
                return "data", self._number(event.request), event.reads, given
            case p.MessageThrown():
                return "message", event.name, event.key, dict(event.variables)
            case p.SignalThrown():
                return "signal", event.name
            case p.EscalationThrown(caught_by=""):
                return "escalation", event.code
            case p.InstanceEnded():
                self.undo = event.undo
                given_back = {} if event.outcome == "cancelled" else dict(event.variables)
                return "ended", event.outcome, given_back, event.code
        return None

    def _number(self, key: int) -> int:
        number = len(self.asked) + 1
        self.asked[number] = key
        return number

    # ---- what must always hold ----------------------------------------------------------------

    def laws(self) -> None:
        """Replay is the state; bytes go round; migration to itself is nothing; the same commands give
        the same bytes; tokens are where their scopes say; cancelling leaves nothing behind."""
        instance = self.instance
        assert replay(new_instance(self.program, "i"), self.events) == instance
        saved = encode_instance(instance)
        assert decode_instance(saved) == instance
        assert encode_instance(decode_instance(saved)) == saved
        twin = new_instance(self.program, "i")
        again = [event for what in self.commands for event in step(self.program, twin, what, now=NOW)]
        assert encode_events(again) == encode_events(self.events)
        if instance.status == "active":
            assert migrate(self.program, self.program, instance, now=NOW) == []
            for token in instance.tokens.values():
                assert token.key in instance.scopes[token.scope].tokens
            for scope in instance.scopes.values():
                assert Counter(instance.tokens[key].node for key in scope.tokens) == Counter(scope.at)
            step(self.program, instance, p.Cancel(), now=NOW)
        assert not instance.tokens
        assert not instance.waits
        assert not instance.scopes
        assert not instance.synchronizing
        assert not instance.conditions
