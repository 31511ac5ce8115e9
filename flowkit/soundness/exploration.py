"""What an exploration has seen: states, how they follow on one another, and faults in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Exploration", "Move", "State", "Stuck"]


@dataclass(frozen=True, slots=True)
class Move:
    """What led from one state to another. ``kind``: start, task, job, call, decision, data, timer, message,
    signal, condition, undone (a call, or this process), or error and escalation with their ``code``;
    ``node`` is where it happened.

    ``asked`` are the conditions that were looked at, with their answers; ``flows`` and ``entered`` what
    the tokens passed by; ``thrown`` the code of an error that left the process.
    """

    kind: str
    node: str
    code: str = ""
    asked: tuple[tuple[str, bool], ...] = ()
    flows: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    thrown: str = ""


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
    moves: list[Move] = field(default_factory=list)
    """How each of the ``followers`` is reached."""
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
    begins: list[tuple[int, Move]] = field(default_factory=list)
    """The states right after the start, and how each is reached."""
    faults: list[Stuck] = field(default_factory=list)
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Where errors left the process: the state before, and the step that did it."""
    entered: set[str] = field(default_factory=set)
    decided: bool = True
    before: tuple[str, ...] = ()
    """What happened before the branch that was explored alone began."""
    started_by: str = ""
    """The event that begins the branch."""
    first_flows: tuple[str, ...] = ()
    """The flows from that event."""
    beside: list[Exploration] = field(default_factory=list)
    """The branches beside the flow, each explored alone."""

    def trail(self, state: int) -> list[str]:
        """What happens, step by step, until the state is reached."""
        steps: list[str] = []
        while state >= 0:
            steps.append(self.states[state].by)
            state = self.states[state].came_from
        return [*self.before, *steps[::-1][1 if self.before else 0 :]]

    def parts(self) -> Iterator[Exploration]:
        """This exploration and those of the branches beside it."""
        yield self
        for part in self.beside:
            yield from part.parts()

    def endless(self) -> State | None:
        """The first state from which no end can be reached, though something still happens."""
        back: dict[int, list[int]] = {}
        for state in self.states:
            for follower in state.followers:
                back.setdefault(follower, []).append(state.number)
        faulty = {fault.state for fault in self.faults}
        good = deque(s.number for s in self.states if s.status != "active" or s.number in faulty)
        reached = set(good)
        while good:
            for before in back.get(good.popleft(), ()):
                if before not in reached:
                    reached.add(before)
                    good.append(before)
        return next((state for state in self.states if state.number not in reached), None)

    @property
    def size(self) -> int:
        """The number of states seen."""
        return sum(len(part.states) for part in self.parts())
