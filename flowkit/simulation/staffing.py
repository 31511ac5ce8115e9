"""Pools: those of the scenario, and those that the diagram's lanes call for."""

from __future__ import annotations

import math
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.simulation.plan import Plan
from flowkit.simulation.pools import GroupPlan, PoolPlan
from flowkit.simulation.scenario import (
    Pool,
    Scenario,
)

__all__ = ["plan_pools"]

TARGET_UTILISATION = 0.7


def plan_pools(plan: Plan) -> None:
    scenario = plan.scenario
    needed: dict[str, None] = {}
    for station in plan.stations:
        for alternative in station.alternatives:
            for need in alternative:
                needed[need.pool] = None
    load = _load_per_pool(plan)
    for name in [*scenario.pools, *(name for name in needed if name not in scenario.pools)]:
        given = scenario.pools.get(name)
        if given is None:
            known = {station.lane or "staff" for station in plan.stations}
            if name not in known:
                raise InvalidPayload(
                    f"there is no pool '{name}'; the pools are {', '.join(scenario.pools) or 'none'}"
                )
            given = Pool()
        size = given.size
        if size is None and not given.members:
            size = max(1, math.ceil(load.get(name, 0.0) / TARGET_UTILISATION))
            if name in needed:
                plan.assumptions.append(
                    f"Pool '{name}' has {size}, enough to be busy about"
                    f" {load.get(name, 0.0) / size:.0%} if each of its tasks is done once a case."
                )
        plan.pools.append(_pool(name, given, size, scenario))
    if any(pool.calendar is None for pool in scenario.pools.values()) or not scenario.pools:
        plan.assumptions.append("Pools without a calendar are on duty day and night.")
    _check_needs(plan)


def _load_per_pool(plan: Plan) -> dict[str, float]:
    """Seconds of work per second that each pool gets if every task is done once a case."""
    rate = sum(a.size / a.interarrival.mean for a in plan.arrivals if a.interarrival is not None)
    load: dict[str, float] = {}
    for station in plan.stations:
        for need in station.alternatives[0] if station.alternatives else ():
            load[need.pool] = load.get(need.pool, 0.0) + rate * station.time.mean * need.quantity
    return load


def _pool(name: str, given: Pool, size: int | None, scenario: Scenario) -> PoolPlan:
    def breakdowns(part: Any) -> tuple[Any, Any] | None:
        return None if part is None else (part.every, part.repair)

    if given.members:
        groups = tuple(
            GroupPlan(
                member.name,
                member.size,
                scenario.calendar(member.calendar or given.calendar),
                given.cost_per_hour if member.cost_per_hour is None else member.cost_per_hour,
                member.skills | given.skills,
                breakdowns(member.breakdowns or given.breakdowns),
            )
            for member in given.members
        )
    else:
        assert size is not None
        calendar = scenario.calendar(given.calendar)
        groups = (
            GroupPlan(name, size, calendar, given.cost_per_hour, given.skills, breakdowns(given.breakdowns)),
        )
    return PoolPlan(name, given.queue, given.off_shift == "suspend", groups)


def _check_needs(plan: Plan) -> None:
    """Every need can be met by somebody, or the work would wait for ever."""
    pools = {pool.name: pool for pool in plan.pools}
    for station in plan.stations:
        for alternative in station.alternatives:
            for need in alternative:
                able = sum(
                    g.size for g in pools[need.pool].groups if not need.skill or need.skill in g.skills
                )
                if able < need.quantity:
                    skill = f" with the skill '{need.skill}'" if need.skill else ""
                    raise InvalidPayload(
                        f"task '{station.name}' needs {need.quantity} of pool '{need.pool}'{skill},"
                        f" which has {able}"
                    )
        for name in station.by_resource:
            groups = {group.name for pool in plan.pools for group in pool.groups} | set(pools)
            if name not in groups:
                raise InvalidPayload(
                    f"task '{station.name}': by_resource names '{name}', which is no pool or member"
                )
