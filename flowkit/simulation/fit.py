"""Learning a scenario from history: arrivals, durations, staffing, calendars and branch odds."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flowkit.bpmn import model as m
from flowkit.bpmn import parse
from flowkit.errors import InvalidPayload
from flowkit.export import LogCase, WorkRecord, read_log
from flowkit.simulation.calendars import Calendar, parse_weekly
from flowkit.simulation.fitting import fit_distribution
from flowkit.simulation.routes import branch_odds
from flowkit.simulation.scenario import Scenario, scenario_from
from flowkit.simulation.study import nodes_of

__all__ = ["fit"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def fit(
    log: str | Path | Iterable[LogCase],
    bpmn: str | Path | None = None,
    *,
    timezone: str = "Asia/Shanghai",
    calendars: bool = True,
) -> Scenario:
    """The scenario that a log suggests; ``log`` is a .csv or .xes file, or cases (see ``flowkit.export``).

    With the diagram ``bpmn`` the odds at its gateways are counted too, and the scenario can be simulated
    at once. Resources that did the same activities form a pool; its size is the largest number of pieces
    of work that they had in hand at one time. ``calendars`` looks for hours of the week without any work.
    Raises InvalidPayload for a log without cases or activities that the diagram does not have.
    """
    cases = sorted(
        (case for case in (read_log(log) if isinstance(log, str | Path) else log) if case.work),
        key=lambda case: min(one.enabled for one in case.work),
    )
    if len(cases) < 2:
        raise InvalidPayload(
            f"a scenario can't be learned from {len(cases)} cases with work; at least 2 are needed"
        )
    zone = ZoneInfo(timezone)
    work = [one for case in cases for one in case.work]
    data: dict[str, Any] = {
        "scenario": {"id": "fitted", "description": f"learned from {len(cases)} cases"},
        "calendars": {},
    }
    starts = [min(one.enabled for one in case.work) for case in cases]
    first = starts[0].astimezone(zone).replace(tzinfo=None)
    data["run"] = {
        "start": first.replace(hour=0, minute=0, second=0, microsecond=0).isoformat(),
        "timezone": timezone,
        "stop": {"cases": len(cases)},
    }
    arrival_hours = _weekly(starts, zone) if calendars else None
    arrivals: dict[str, Any] = {"interarrival": fit_distribution(_gaps(starts, arrival_hours, timezone))}
    if arrival_hours is not None:
        data["calendars"]["arrivals"] = {"weekly": arrival_hours}
        arrivals["calendar"] = "arrivals"
    data["arrivals"] = [arrivals]
    definitions = None if bpmn is None else parse(Path(bpmn).read_bytes(), file=str(bpmn))
    keys = _activity_keys(work, definitions)
    data["pools"], pool_of = _pools(work, data["calendars"], zone, calendars=calendars)
    data["tasks"] = _tasks(work, keys, pool_of)
    if definitions is not None and bpmn is not None:
        data["model"] = {"bpmn": [str(Path(bpmn).resolve())]}
        odds = branch_odds(
            definitions.processes[0], [[keys[one.activity] for one in case.work] for case in cases]
        )
        data["gateways"] = {gateway: {"probabilities": shares} for gateway, shares in odds.items()}
    return scenario_from(data, file="the fitted scenario")


def _activity_keys(work: Sequence[WorkRecord], definitions: m.Definitions | None) -> dict[str, str]:
    """The element's id for each activity of the log; its name where there is no diagram."""
    found = {one.activity: one.node or one.activity for one in work}
    if definitions is None:
        return found
    ids: dict[str, str] = {}
    for process in definitions.processes:
        for node in nodes_of(process):
            if isinstance(node, m.Activity):
                ids.setdefault(node.name, node.id)
                ids.setdefault(node.id, node.id)
    unknown = [name for name, key in found.items() if key not in ids and name not in ids]
    if unknown:
        raise InvalidPayload(f"the diagram has no activity {', '.join(map(repr, unknown[:5]))}")
    return {name: ids.get(key, ids.get(name, "")) for name, key in found.items()}


# ---- time -----------------------------------------------------------------------------------


def _weekly(moments: Sequence[datetime], zone: tzinfo) -> dict[str, list[str]] | None:
    """The hours of the week in which something happened; None when that is most of them or unclear."""
    counts: Counter[tuple[int, int]] = Counter()
    for moment in moments:
        local = moment.astimezone(zone)
        counts[local.weekday(), local.hour] += 1
    span = (max(moments) - min(moments)).total_seconds()
    used = sum(1 for count in counts.values() if count > 0.05 * len(moments) / 168)
    if span < 14 * 86400 or len(moments) < 5 * 168 or used > 0.85 * 168:
        return None
    weekly: dict[str, list[str]] = {}
    for day, name in enumerate(_DAYS):
        hours = [hour for hour in range(24) if counts[day, hour] > 0.05 * len(moments) / 168]
        if hours:
            weekly[name] = [f"{a:02d}:00-{b:02d}:00" for a, b in _runs(hours)]
    return weekly


def _runs(hours: Sequence[int]) -> list[tuple[int, int]]:
    """Hours that follow each other, as (from, to)."""
    found: list[tuple[int, int]] = []
    for hour in hours:
        if found and found[-1][1] == hour:
            found[-1] = (found[-1][0], hour + 1)
        else:
            found.append((hour, hour + 1))
    return found


def _gaps(
    starts: Sequence[datetime], weekly: Mapping[str, Sequence[str]] | None, timezone: str
) -> list[float]:
    """Seconds between arrivals, counted in the hours in which there are any."""
    if weekly is None:
        return [(b - a).total_seconds() for a, b in itertools.pairwise(starts)]
    origin = starts[0].astimezone(UTC)
    windows = Calendar("arrivals", parse_weekly(weekly), timezone).windows(origin)
    begin, end = next(windows)
    passed, gaps = 0.0, []
    last = 0.0
    for moment in starts[1:]:
        at = (moment - origin).total_seconds()
        while at > end:
            passed += end - begin
            begin, end = next(windows)
        now = passed + max(0.0, at - begin)
        gaps.append(now - last)
        last = now
    return gaps


# ---- people ---------------------------------------------------------------------------------


def _pools(
    work: Sequence[WorkRecord], known: dict[str, Any], zone: tzinfo, *, calendars: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Pools by the sets of activities that resources did, and the pool of each activity."""
    done: dict[str, set[str]] = {}
    for one in work:
        if one.resource:
            done.setdefault(one.resource, set()).add(one.activity)
    groups: list[tuple[set[str], set[str]]] = []
    for resource, activities in sorted(done.items()):
        joined = ({resource}, set(activities))
        rest = []
        for group in groups:
            if group[1] & joined[1]:
                joined = (joined[0] | group[0], joined[1] | group[1])
            else:
                rest.append(group)
        groups = [*rest, joined]
    pools: dict[str, Any] = {}
    pool_of: dict[str, str] = {}
    for resources, activities in groups:
        name = min(resources) if len(resources) == 1 else f"team of {min(resources)}"
        theirs = [one for one in work if one.resource in resources]
        pools[name] = {"size": max(len(resources), _most_at_once(theirs)), "off_shift": "finish"}
        weekly = _weekly([one.started for one in theirs], zone) if calendars else None
        if weekly is not None:
            known[name] = {"weekly": weekly}
            pools[name]["calendar"] = name
        for activity in activities:
            pool_of[activity] = name
    return pools, pool_of


def _most_at_once(work: Sequence[WorkRecord]) -> int:
    changes = sorted([(one.started, 1) for one in work] + [(one.completed, -1) for one in work])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _tasks(work: Sequence[WorkRecord], keys: Mapping[str, str], pool_of: Mapping[str, str]) -> dict[str, Any]:
    durations: dict[str, list[float]] = {}
    for one in work:
        durations.setdefault(one.activity, []).append((one.completed - one.started) / timedelta(seconds=1))
    tasks: dict[str, Any] = {}
    for activity, sample in durations.items():
        tasks[keys[activity]] = {"processing_time": fit_distribution([s for s in sample if math.isfinite(s)])}
        if activity in pool_of:
            tasks[keys[activity]]["resources"] = pool_of[activity]
    return tasks
