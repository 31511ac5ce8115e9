"""The plan of a study: programs compiled, names resolved, defaults filled in; one for all replications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowkit.feel import Expression
from flowkit.kernel import Program
from flowkit.simulation.calendars import Calendar
from flowkit.simulation.decisions import Decisions
from flowkit.simulation.distributions import Distribution
from flowkit.simulation.generators import Generator
from flowkit.simulation.machine import Oracle
from flowkit.simulation.pools import Need, PoolPlan
from flowkit.simulation.scenario import (
    Abandonment,
    Batch,
    Scenario,
)
from flowkit.simulation.streams import Transform

__all__ = ["CASES", "ArrivalPlan", "Plan", "StationPlan", "WaitPlan", "find_node"]

CASES = 1000
"""Cases of a replication that nobody limited."""


@dataclass(frozen=True)
class StationPlan:
    """A place where work is done: a task of the diagram.

    ``alternatives`` are the ways to staff it, each a tuple of needs that must all be met; empty for work
    that needs nobody. ``repeats``: the diagram itself asks for it several times (items, a loop), so that
    doing it again is no rework.
    """

    index: int
    process: str
    node: str
    name: str
    lane: str
    kind: str
    time: Distribution
    by_resource: Mapping[str, Distribution]
    alternatives: tuple[tuple[Need, ...], ...]
    cost: float
    variables: Mapping[str, Generator]
    errors: tuple[tuple[str, float], ...]
    result: Generator | None
    batch: Batch | None
    abandonment: Abandonment | None
    repeats: bool

    @property
    def purpose(self) -> str:
        return f"{self.process}/{self.node}"


@dataclass(frozen=True)
class WaitPlan:
    """An event that is waited for. ``delay`` None: the timer's own due date, or (messages and signals)
    only what a case throws."""

    index: int
    process: str
    node: str
    name: str
    delay: Distribution | None
    probability: float
    never: bool
    attached: bool
    variables: Mapping[str, Generator]

    @property
    def purpose(self) -> str:
        return f"{self.process}/{self.node}"


@dataclass(frozen=True)
class ArrivalPlan:
    start_event: str | None
    calendar: Calendar
    interarrival: Distribution | None
    at: tuple[float, ...]
    limit: int | None
    size: int
    variables: Mapping[str, Generator]


@dataclass
class Plan:
    """Everything that a replication needs, ready to run."""

    scenario: Scenario
    process: str
    start: datetime
    programs: dict[str, Program] = field(default_factory=dict)
    shared: dict[str, bool] = field(default_factory=dict)
    stations: list[StationPlan] = field(default_factory=list)
    station_of: dict[tuple[str, str], int] = field(default_factory=dict)
    waits: list[WaitPlan] = field(default_factory=list)
    wait_of: dict[tuple[str, str], int] = field(default_factory=dict)
    pools: list[PoolPlan] = field(default_factory=list)
    arrivals: list[ArrivalPlan] = field(default_factory=list)
    attributes: dict[str, Generator] = field(default_factory=dict)
    read: frozenset[str] = frozenset()
    chances: dict[str, Transform] = field(default_factory=dict)
    levels: list[tuple[Expression, float]] = field(default_factory=list)
    decisions: Decisions = field(default_factory=lambda: Decisions(()))
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    mark_of: dict[str, int] = field(default_factory=dict)
    ends: dict[tuple[str, str], int] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    oracle: Oracle = field(default_factory=lambda: Oracle(_nobody))

    @property
    def program(self) -> Program:
        return self.programs[self.process]


def _nobody(_case: Any, purpose: str) -> Any:
    raise RuntimeError(f"nobody answers '{purpose}': the plan is not running")


def find_node(plan: Plan, key: str) -> tuple[str, str] | None:
    """The ``(process, node)`` that ``key`` (id, name, or process/id) means."""
    for process, program in plan.programs.items():
        for node in program.nodes.values():
            if key in {node.id, node.name, f"{process}/{node.id}"}:
                return process, node.id
    return None
