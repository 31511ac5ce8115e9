"""What is around the instances: who starts them, carries their messages and keeps their stores.

It is the part of an engine, and the same for both sides: whoever plays, it hears what they tell and
gives it to those it concerns, in the order in which it was told.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from flowkit.bpmn import model as m
from tests.oracle.places import ANY
from tests.oracle.token_game import TokenGame

__all__ = ["GameSide", "Side", "Wait", "World"]

MOST_INSTANCES = 12


KINDS: dict[type[m.EventDefinition], str] = {
    m.MessageEventDefinition: "message",
    m.SignalEventDefinition: "signal",
    m.TimerEventDefinition: "timer",
    m.ConditionalEventDefinition: "condition",
}


class Wait(NamedTuple):
    """Something that an instance waits for: a message, signal, timer or condition."""

    node: str
    part: int
    kind: str
    name: str = ""
    key: str = ""


class Side(Protocol):
    """One instance, in the kernel or as a token game."""

    outcome: Any
    completed: Any
    undo: Any
    """What there is to undo in it, once it has ended."""

    def start(
        self, variables: dict[str, Any], at: str = "", *, called: bool = False, key: str = ""
    ) -> None: ...
    def start_undoing(self, undo: Any) -> None: ...
    def undoing(self, number: int) -> Any: ...
    def complete_task(self, node: str, variables: dict[str, Any]) -> None: ...
    def occur(self, node: str, part: int, variables: dict[str, Any], key: str = "") -> None: ...
    def broadcast(self, signal: str, variables: dict[str, Any]) -> None: ...
    def set_variables(self, variables: dict[str, Any]) -> None: ...
    def answer_call(
        self, number: int, outcome: str, variables: dict[str, Any], code: str, undo: Any
    ) -> None: ...
    def escalate_call(self, number: int, code: str) -> None: ...
    def answer_data(self, number: int, values: dict[str, Any]) -> None: ...
    def cancel(self) -> None: ...
    def waits(self) -> list[Wait]: ...
    def tasks_at(self) -> list[str]: ...
    def tell(self) -> tuple[list[int], list[tuple[Any, ...]]]: ...


class GameSide(TokenGame):
    """A token game, to be looked at as the kernel is."""

    def places(self) -> Counter[str]:
        return Counter(token.node.id for token in self.tokens())

    def troubles(self) -> Counter[str]:
        return Counter(token.node.id for token in self.tokens() if token.trouble)

    def variables(self) -> dict[str, Any]:
        return {} if self.outcome else dict(self.root.variables)

    def tasks_at(self) -> list[str]:
        return [token.node.id for token in self.tasks()]

    def waits(self) -> list[Wait]:
        names = {
            one.id: one.name for one in (*self.board.definitions.messages, *self.board.definitions.signals)
        }
        return [
            Wait(
                one.event.id,
                one.part,
                KINDS[type(one.definition)],
                names.get(
                    getattr(one.definition, "message", "") or getattr(one.definition, "signal", ""), ""
                ),
                one.key,
            )
            for one in self.watches()
        ]

    def tell(self) -> tuple[list[int], list[tuple[Any, ...]]]:
        told, self.effects = self.effects, []
        return self.taken_back(), told


S = TypeVar("S", bound=Side)


class World(Generic[S]):
    """All instances of one side, in the order in which they were started."""

    def __init__(self, definitions: m.Definitions, make: Callable[[m.Definitions, str], S]) -> None:
        self.definitions = definitions
        self.make = make
        self.sides: list[S] = []
        self.process_of: list[str] = []
        self.caller_of: dict[int, tuple[int, int]] = {}
        """By the index of a called instance: the index of the caller and the number of its call."""
        self.withdrawn: set[tuple[int, int]] = set()
        """Calls that were taken back before anybody heard of them."""
        self.stores: dict[str, Any] = {}
        self.heard: list[tuple[Any, ...]] = []
        """Everything that was told, with the index of who told it."""

    def start(self, process: str, variables: dict[str, Any], at: str = "", *, key: str = "") -> None:
        self._begin(process, variables, at, key=key)
        self.settle(len(self.sides) - 1)

    def _begin(
        self, process: str, variables: dict[str, Any], at: str = "", *, called: bool = False, key: str = ""
    ) -> int:
        self.sides.append(self.make(self.definitions, process))
        self.process_of.append(process)
        self.sides[-1].start(variables, at, called=called, key=key)
        return len(self.sides) - 1

    def do(self, index: int, command: str, *arguments: Any) -> None:
        """Something is done to an instance from outside."""
        getattr(self.sides[index], command)(*arguments)
        self.settle(index)

    def settle(self, first: int) -> None:
        """Pass on what was told until nobody has anything more to tell."""
        told: deque[tuple[Any, ...]] = deque()

        def listen(index: int) -> None:
            back, effects = self.sides[index].tell()
            told.extend((index, "back", number) for number in back)
            told.extend((index, *effect) for effect in effects)

        listen(first)
        while told:
            news = told.popleft()
            self.heard.append(news)
            for index in self._pass_on(*news):
                listen(index)

    def _pass_on(self, index: int, kind: str, *what: Any) -> list[int]:
        """Tell those whom it concerns; who has been told something."""
        side = self.sides[index]
        caller = self.caller_of.get(index)
        match kind:
            case "back":
                called = next((one for one, by in self.caller_of.items() if by == (index, what[0])), None)
                if called is None:
                    self.withdrawn.add((index, what[0]))
                    return []
                del self.caller_of[called]
                if not self.sides[called].outcome:
                    self.sides[called].cancel()
                return [called]
            case "call":
                number, process, variables = what
                if (index, number) in self.withdrawn:
                    return []
                self.caller_of[len(self.sides)] = (index, number)
                return [self._begin(process, variables, called=True)]
            case "undo":
                number, process = what
                if (index, number) in self.withdrawn:
                    return []
                self.caller_of[len(self.sides)] = (index, number)
                self.sides.append(self.make(self.definitions, process))
                self.process_of.append(process)
                self.sides[-1].start_undoing(side.undoing(number))
                return [len(self.sides) - 1]
            case "ended" if caller is not None and what[0] != "cancelled":
                self.sides[caller[0]].answer_call(caller[1], *what, side.undo)
                return [caller[0]]
            case "escalation" if caller is not None:
                self.sides[caller[0]].escalate_call(caller[1], what[0])
                return [caller[0]]
            case "signal":
                others = [i for i, other in enumerate(self.sides) if i != index and not other.outcome]
                for other in others:
                    self.sides[other].broadcast(what[0], {})
                return others
            case "message":
                return self._deliver(*what)
            case "data" if not side.outcome:
                number, reads, writes = what
                self.stores.update(writes)
                side.answer_data(number, {name: self.stores.get(name) for name in reads})
                return [index]
        return []

    def _deliver(self, name: str, key: str, content: dict[str, Any]) -> list[int]:
        """In each process to whom has waited longest for just this key, else for any, else it starts one."""
        told = []
        for process in self.definitions.processes:
            waiting = [
                (index, wait)
                for index, side in enumerate(self.sides)
                if self.process_of[index] == process.id and not side.outcome
                for wait in side.waits()
                if wait.kind == "message" and wait.name == name
            ]
            fitting = [one for one in waiting if one[1].key == key] or [
                one for one in waiting if one[1].key == ANY
            ]
            if fitting:
                index, wait = fitting[0]
                self.sides[index].occur(wait.node, wait.part, content, key)
                told.append(index)
            elif (start := self._started_by(process, name)) and len(self.sides) < MOST_INSTANCES:
                told.append(self._begin(process.id, content, start, key=key))
        return told

    def _started_by(self, process: m.Process, message: str) -> str:
        ids = {one.id for one in self.definitions.messages if one.name == message}
        for node in process.nodes:
            if isinstance(node, m.StartEvent) and any(
                isinstance(d, m.MessageEventDefinition) and d.message in ids for d in node.definitions
            ):
                return node.id
        return ""
