"""What one replication keeps per task and per event: its random streams and its measures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.generators import Generator
from flowkit.simulation.measures import Tally
from flowkit.simulation.plan import StationPlan, WaitPlan
from flowkit.simulation.pools import Allocation, Group, Need, Pool, Work
from flowkit.simulation.streams import Stream, Streams

__all__ = ["Station", "Variables", "WaitPlace"]


class Variables:
    """Draws a set of variables for a case; ``purpose`` keeps the streams of different places apart."""

    __slots__ = ("_drawn", "_running")

    def __init__(self, generators: Mapping[str, Generator], purpose: str, streams: Streams) -> None:
        self._running = [(name, g.prefix) for name, g in generators.items() if g.values is None]
        self._drawn = [
            (name, streams.stream(f"{purpose}.{name}", g.values))
            for name, g in generators.items()
            if g.values is not None
        ]

    def __bool__(self) -> bool:
        return bool(self._drawn or self._running)

    def draw(self, index: int, visit: int = 0) -> dict[str, Any]:
        """The variables of case ``index`` at its ``visit``."""
        drawn = {name: stream.draw_again(index, visit) for name, stream in self._drawn}
        for name, prefix in self._running:
            drawn[name] = f"{prefix}{index}"
        return drawn


def _identity(u: NDArray[np.float64]) -> list[Any]:
    values: list[Any] = u.tolist()
    return values


class Station:
    """A task at work. ``only`` is its pool's single group when staffing is that simple."""

    __slots__ = (
        "abandoned",
        "alternatives",
        "batch",
        "batch_number",
        "by_resource",
        "cost",
        "done",
        "error_stream",
        "errors",
        "gathering",
        "index",
        "only",
        "patience",
        "plain",
        "plan",
        "pools",
        "purpose",
        "result",
        "rework",
        "spent",
        "spent_money",
        "staff",
        "time",
        "variables",
        "waited",
        "worked",
    )

    def __init__(self, plan: StationPlan, pools: Mapping[str, Pool], streams: Streams) -> None:
        self.plan = plan
        self.index = plan.index
        self.purpose = purpose = plan.purpose
        self.time: Stream = streams.stream(f"time {purpose}", plan.time.values)
        self.by_resource: dict[str, Stream] = {
            name: streams.stream(f"time {purpose}", time.values) for name, time in plan.by_resource.items()
        }
        self.alternatives: tuple[tuple[tuple[Pool, Need], ...], ...] = tuple(
            tuple((pools[need.pool], need) for need in needs) for needs in plan.alternatives
        )
        self.pools: tuple[Pool, ...] = tuple(
            dict.fromkeys(pool for needs in self.alternatives for pool, _ in needs)
        )
        self.only: Group | None = _single_group(self.alternatives)
        self.staff: Allocation = () if self.only is None else ((self.only, 1),)
        self.cost = plan.cost
        self.variables = Variables(plan.variables, f"variables {purpose}", streams)
        self.errors = plan.errors
        self.error_stream = streams.stream(f"errors {purpose}", _identity) if plan.errors else None
        self.result = (
            None if plan.result is None else Variables({"result": plan.result}, f"result {purpose}", streams)
        )
        self.batch = plan.batch
        self.batch_number = 0
        self.gathering: list[Work] = []
        self.patience: Stream | None = None
        if plan.abandonment is not None:
            patience = parse_distribution(plan.abandonment.patience).durations()
            self.patience = streams.stream(f"patience {purpose}", patience.values)
        self.waited = Tally()
        self.worked = Tally()
        self.spent = Tally()
        self.rework = 0
        self.abandoned = 0
        self.done = 0
        self.spent_money = 0.0
        decides = plan.kind == "decision"
        self.plain = not self.variables and not plan.errors and not decides

    @property
    def tallies(self) -> tuple[Tally, ...]:
        return self.waited, self.worked, self.spent


def _single_group(alternatives: tuple[tuple[tuple[Pool, Need], ...], ...]) -> Group | None:
    if len(alternatives) != 1 or len(alternatives[0]) != 1:
        return None
    pool, need = alternatives[0][0]
    if len(pool.groups) != 1 or need.quantity != 1 or need.skill:
        return None
    return pool.groups[0]


class WaitPlace:
    """An event at work: when it happens, if it does, and how long cases waited for it."""

    __slots__ = ("delay", "happened", "happens", "opened", "plan", "purpose", "variables", "waited")

    def __init__(self, plan: WaitPlan, streams: Streams) -> None:
        self.plan = plan
        self.purpose = purpose = plan.purpose
        self.delay = None if plan.delay is None else streams.stream(f"delay {purpose}", plan.delay.values)
        self.happens = streams.stream(f"happens {purpose}", _identity) if 0 < plan.probability < 1 else None
        self.variables = Variables(plan.variables, f"variables {purpose}", streams)
        self.waited = Tally()
        self.opened = 0
        self.happened = 0

    def time(self, index: int, visit: int, standard: float) -> float:
        """Seconds until the event; inf for never. ``standard`` is a timer's own time."""
        if self.plan.never or self.plan.probability == 0:
            return math.inf
        if self.happens is not None and self.happens.draw_again(index, visit) >= self.plan.probability:
            return math.inf
        return standard if self.delay is None else float(self.delay.draw_again(index, visit))
