"""What the token game is played with: tokens in scopes, and what they watch for; and the board."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowkit.bpmn import model as m

__all__ = ["ANY", "Board", "Done", "Scope", "Token", "Watch", "evaluate", "has"]

ANY = "any"
"""The key of a message that begins a conversation: whatever it carries."""


@dataclass(eq=False)
class Watch:
    """One definition of an event waits to occur: for ``host``, or for ``scope`` if it starts an event
    subprocess of that. ``since`` orders the watches by age."""

    event: Any
    part: int
    scope: Scope
    host: Token | None
    since: int
    key: str = ""
    holds: bool = False
    left: int = 1
    """How often the timer still fires."""

    @property
    def definition(self) -> m.EventDefinition:
        """A receive task is an event with a message definition."""
        if isinstance(self.event, m.ReceiveTask):
            return m.MessageEventDefinition(id="", message=self.event.message)
        found: m.EventDefinition = self.event.definitions[self.part]
        return found


@dataclass(eq=False)
class Done:
    """A completed activity, the variables in its sight then, and what completed inside it."""

    node: Any
    variables: dict[str, Any]
    inside: list[Done]
    many: bool = False
    """It stands for the instances of a loop, which are ``inside``."""
    called: bool = False
    """It is a whole run of the process ``node``, which was called."""


@dataclass(eq=False)
class Scope:
    """``kind``: container (a process or subprocess), instances (of a loop or multi-instance activity),
    activity (the variables of one), handler (of a compensation)."""

    kind: str
    node: Any
    owner: Token | None
    parent: Scope | None
    variables: dict[str, Any] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    todo: list[Any] = field(default_factory=list)
    """What has not been started yet: instances of a loop, activities of a sequential ad-hoc subprocess."""
    started: int = 0
    """How many instances of a loop."""
    thrown: bool = False
    """The event of the behavior One."""
    resetting: dict[str, set[str]] = field(default_factory=dict)
    """Complex gateways that wait for reset, with the flows that activated them."""
    parts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """The definitions of parallel-multiple events that have occurred, and what they brought."""

    def lookup(self, name: str) -> Any:
        place: Scope | None = self
        while place is not None:
            if name in place.variables:
                return place.variables[name]
            place = place.parent
        return None

    def visible(self) -> dict[str, Any]:
        return {**(self.parent.visible() if self.parent else {}), **self.variables}


@dataclass(eq=False)
class Token:
    """A token at ``node``; at a join it rests on ``flow``. ``inner`` are the scopes that it opened."""

    node: Any
    scope: Scope
    flow: str | None = None
    resting: bool = False
    arrived: int = 0
    """When it came to the join at which it rests."""
    opened: int = 0
    """When the user task at which it stands was opened."""
    watches: list[Watch] = field(default_factory=list)
    inner: list[Scope] = field(default_factory=list)
    pending: list[Done] = field(default_factory=list)
    """What it still has to compensate."""
    then: Callable[[], None] | None = None
    """What it does when all of that is undone."""
    trouble: bool = False
    """It stands at an incident."""
    parts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)

    @property
    def inside(self) -> Scope:
        """Where the work of its node sees and leaves variables."""
        return self.inner[-1] if self.inner else self.scope


class Board:
    """The process as it is drawn, and nothing that was computed from it beforehand."""

    def __init__(self, definitions: m.Definitions, process: m.Process) -> None:
        self.definitions = definitions
        self.process = process
        self.flows: dict[str, m.SequenceFlow] = {}
        self.home: dict[str, Any] = {}
        self.node: dict[str, Any] = {}
        self._index(process)

    def _index(self, container: Any) -> None:
        self.flows.update({flow.id: flow for flow in container.flows})
        for node in container.nodes:
            self.node[node.id] = node
            self.home[node.id] = container
            if isinstance(node, m.SubProcess):
                self._index(node)

    def boundary(self, node: Any) -> list[m.BoundaryEvent]:
        return [
            event
            for event in self.home[node.id].nodes
            if isinstance(event, m.BoundaryEvent) and event.attached_to == node.id
        ]

    def event_starts(self, container: Any) -> Iterator[m.StartEvent]:
        """The start events of the container's event subprocesses."""
        for node in container.nodes:
            if isinstance(node, m.SubProcess) and node.triggered_by_event:
                yield from (start for start in node.nodes if isinstance(start, m.StartEvent))

    def starts(self, container: Any) -> list[Any]:
        """Where tokens start: the none start event, else whatever nothing leads to (13.2, 13.3.4)."""
        none = [n for n in container.nodes if isinstance(n, m.StartEvent)]
        if none:
            return [n for n in none if not n.definitions or container is not self.process]
        return [n for n in container.nodes if not n.incoming and self.startable(n)]

    def startable(self, node: Any) -> bool:
        if isinstance(node, m.BoundaryEvent | m.StartEvent) or getattr(node, "is_for_compensation", False):
            return False
        if isinstance(node, m.SubProcess) and node.triggered_by_event:
            return False
        return not (isinstance(node, m.IntermediateCatchEvent) and has(node, m.LinkEventDefinition))

    def link(self, node: Any) -> Any:
        """The catching link event that a throwing one leads to (10.5.5)."""
        if not isinstance(node, m.IntermediateThrowEvent):
            return None
        names = {d.name for d in node.definitions if isinstance(d, m.LinkEventDefinition)}
        for other in self.home[node.id].nodes:
            if isinstance(other, m.IntermediateCatchEvent) and names & {
                d.name for d in other.definitions if isinstance(d, m.LinkEventDefinition)
            }:
                return other
        return None

    def handler(self, node: Any) -> Any:
        """What compensates the activity: its compensation event subprocess or its handler (10.7)."""
        for event in self.boundary(node):
            if has(event, m.CompensateEventDefinition):
                for association in self.home[node.id].associations:
                    if association.source == event.id:
                        return self.node[association.target]
        if isinstance(node, m.SubProcess):
            for start in self.event_starts(node):
                if has(start, m.CompensateEventDefinition):
                    return self.home[start.id]
        return None


def has(event: Any, kind: type[m.EventDefinition]) -> bool:
    return any(isinstance(definition, kind) for definition in event.definitions)


def evaluate(text: str, look: Callable[[str], Any]) -> Any:
    """The value of one of the few expressions that the strategies write."""
    text = text.removeprefix("=").strip()
    if " and " in text:
        return all(evaluate(part, look) for part in text.split(" and "))
    if negated := re.fullmatch(r"not\((\w+)\)", text):
        value = look(negated[1])
        return None if value is None else not value
    if compared := re.fullmatch(r"(\w+) (>=|=) (\w+)", text):
        left, right = look(compared[1]), evaluate(compared[3], look)
        return left == right if compared[2] == "=" else left is not None and left >= right
    if text.isdigit():
        return int(text)
    if text.startswith('"'):
        return text[1:-1]
    return {"true": True, "false": False}[text] if text in ("true", "false") else look(text)
