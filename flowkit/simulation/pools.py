"""Resources at work: who is on duty, who is free, who waits for whom.

A *group* is a number of resources that are alike (same calendar, cost and skills); a *pool* is one or
more groups behind one queue. :class:`Work` is one piece of work from the moment the kernel opens it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from flowkit.simulation.calendars import Calendar
from flowkit.simulation.measures import Level

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case
    from flowkit.simulation.stations import Station

__all__ = ["Allocation", "Group", "GroupPlan", "Need", "Pool", "PoolPlan", "Work", "allocate"]

WAITING, RUNNING, SUSPENDED, DONE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """``breakdowns`` are the scenario's texts of the time between failures and of the repair."""

    name: str
    size: int
    calendar: Calendar
    cost_per_hour: float
    skills: frozenset[str]
    breakdowns: tuple[Any, Any] | None = None


@dataclass(frozen=True, slots=True)
class PoolPlan:
    name: str
    queue: str
    suspend: bool
    groups: tuple[GroupPlan, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """``quantity`` resources of ``pool``, each with ``skill`` when one is named."""

    pool: str
    quantity: int = 1
    skill: str = ""


class Work:
    """One piece of work. ``blocks`` counts the reasons why it rests; ``members`` are those of a batch."""

    # No __slots__: most work never sets what has a default here
    state = WAITING
    started = 0.0
    ends = 0.0
    duration = 0.0
    remaining = 0.0
    blocks = 0
    allocation: Allocation = ()
    members: list[Work] | None = None
    due = math.inf
    off_before = 0.0

    def __init__(self, case: Case, key: int, station: Station, opened: float, visit: int) -> None:
        self.case = case
        self.key = key
        self.station = station
        self.opened = opened
        self.visit = visit


class Group:
    """Resources that are alike. ``idle`` may be negative while a broken one still holds its work."""

    __slots__ = (
        "active",
        "busy",
        "capacity",
        "idle",
        "interruptible",
        "label",
        "on",
        "plan",
        "pool",
        "rate",
        "size",
        "work_seconds",
    )

    def __init__(self, plan: GroupPlan, pool: Pool) -> None:
        self.plan = plan
        self.pool = pool
        self.label = pool.name if plan.name == pool.name else f"{pool.name}/{plan.name}"
        self.size = plan.size
        self.idle = plan.size
        self.rate = plan.cost_per_hour / 3600.0
        self.on = plan.calendar.always
        self.interruptible = plan.breakdowns is not None or not self.on
        self.active: dict[Work, None] = {}
        """The work in hand, kept where a shift or a breakdown can interrupt it."""
        self.busy = Level()
        self.capacity = Level()
        self.work_seconds = 0.0


Allocation = tuple[tuple[Group, int], ...]


class Pool:
    """A queue and the groups that serve it. ``off_seconds`` counts the time with nobody on duty."""

    __slots__ = (
        "_counter",
        "_off_since",
        "groups",
        "name",
        "off_seconds",
        "queue",
        "queued",
        "rank",
        "shifts",
        "suspend",
    )

    def __init__(self, plan: PoolPlan, step: float) -> None:
        self.name = plan.name
        self.suspend = plan.suspend
        self.groups = [Group(group, self) for group in plan.groups]
        self.shifts = not any(group.on for group in self.groups)
        self.queue: list[tuple[float, int, Work]] = []
        self.queued = Level(step)
        self.rank = _RANKS[plan.queue]
        self._counter = 0
        self.off_seconds = 0.0
        self._off_since = math.inf if any(group.on for group in self.groups) else 0.0

    def enqueue(self, work: Work, now: float) -> None:
        """Put the work in line."""
        self._counter = counter = self._counter + 1
        rank = self.rank
        heappush(self.queue, (0.0 if rank is None else rank(work, counter), counter, work))
        self.queued.change(1.0, now)
        if self.shifts:
            work.off_before = self.off_duty(now)

    @property
    def free(self) -> bool:
        """Somebody is on duty and idle."""
        for group in self.groups:  # noqa: SIM110 - any() builds a generator in the hot path
            if group.idle > 0 and group.on:
                return True
        return False

    def waiting(self) -> Iterator[Work]:
        """Take the waiting work out, first in line first."""
        queue = self.queue
        while queue:
            work = heappop(queue)[2]
            if work.state == WAITING:
                yield work

    def off_duty(self, now: float) -> float:
        """Seconds up to ``now`` in which nobody of the pool was on duty."""
        return self.off_seconds + max(0.0, now - self._off_since)

    def duty_changed(self, now: float) -> None:
        """A group went on or off duty."""
        on = any(group.on for group in self.groups)
        if on and self._off_since < math.inf:
            self.off_seconds += now - self._off_since
            self._off_since = math.inf
        elif not on and self._off_since == math.inf:
            self._off_since = now


_RANKS: dict[str, Callable[[Work, int], float] | None] = {
    "fifo": None,
    "lifo": lambda _work, counter: -counter,
    "priority": lambda work, _counter: work.case.level,
    "due": lambda work, _counter: work.due,
}


def allocate(alternatives: tuple[tuple[tuple[Pool, Need], ...], ...]) -> Allocation | None:
    """The first alternative whose needs can all be met now by idle resources on duty; None if none can."""
    for needs in alternatives:
        taken: dict[Group, int] = {}
        for pool, need in needs:
            missing = need.quantity
            for group in pool.groups:
                if missing and group.on and (not need.skill or need.skill in group.plan.skills):
                    count = min(missing, group.idle - taken.get(group, 0))
                    if count > 0:
                        taken[group] = taken.get(group, 0) + count
                        missing -= count
            if missing:
                break
        else:
            return tuple(taken.items())
    return None
