"""Learning a scenario from history: arrivals, durations, staffing, calendars and branch odds."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
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
    of work that they had in hand at one time. ``calendars`` looks for hours of the week without any work;
    work that is never completed outside them is taken to rest there. Subprocesses, and processes of the same
    file that are called, are learned activity by activity.
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
    teams = _teams(work)
    data["pools"] = _pools(work, teams, data, timezone, calendars=calendars)
    data["tasks"] = _tasks(work, keys, teams)
    if definitions is not None and bpmn is not None:
        data["model"] = {"bpmn": [str(Path(bpmn).resolve())]}
        main, *others = definitions.processes
        odds = branch_odds(main, [[keys[one.activity] for one in case.work] for case in cases], others)
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


class _Hours:
    """Working hours between two instants, to count in: seconds on duty since the first."""

    def __init__(
        self, weekly: Mapping[str, Sequence[str]], timezone: str, first: datetime, last: datetime
    ) -> None:
        self._origin = first.astimezone(UTC)
        self._windows: list[tuple[float, float]] = []
        self._passed = [0.0]
        length = (last - first).total_seconds()
        for begin, end in Calendar("", parse_weekly(weekly), timezone).windows(self._origin):
            self._windows.append((begin, end))
            self._passed.append(self._passed[-1] + end - begin)
            if end > length:
                break

    def _window(self, moment: datetime) -> tuple[int, float]:
        at = (moment - self._origin).total_seconds()
        return bisect_right(self._windows, (at, math.inf)) - 1, at

    def until(self, moment: datetime) -> float:
        """Seconds on duty up to the instant."""
        place, at = self._window(moment)
        if place < 0:
            return 0.0
        begin, end = self._windows[place]
        return self._passed[place] + min(at, end) - begin

    def __contains__(self, moment: datetime) -> bool:
        place, at = self._window(moment)
        return place >= 0 and at <= self._windows[place][1] + 1e-3


def _gaps(
    starts: Sequence[datetime], weekly: Mapping[str, Sequence[str]] | None, timezone: str
) -> list[float]:
    """Seconds between arrivals, counted in the hours in which there are any."""
    if weekly is None:
        return [(b - a).total_seconds() for a, b in itertools.pairwise(starts)]
    hours = _Hours(weekly, timezone, starts[0], starts[-1])
    return [b - a for a, b in itertools.pairwise(map(hours.until, starts))]


# ---- people ---------------------------------------------------------------------------------


@dataclass
class _Team:
    """Resources that do the same activities. ``hours``: their work rests outside them."""

    name: str
    resources: set[str]
    activities: set[str]
    hours: _Hours | None = None

    def seconds(self, one: WorkRecord) -> float:
        """What the work took, rest not counted."""
        if self.hours is None:
            return (one.completed - one.started).total_seconds()
        return self.hours.until(one.completed) - self.hours.until(one.started)


def _teams(work: Sequence[WorkRecord]) -> list[_Team]:
    """Resources that share an activity, directly or by way of others."""
    done: dict[str, set[str]] = {}
    for one in work:
        if one.resource:
            done.setdefault(one.resource, set()).add(one.activity)
    teams: list[_Team] = []
    for resource, activities in sorted(done.items()):
        joined = _Team("", {resource}, set(activities))
        rest = []
        for team in teams:
            if team.activities & joined.activities:
                joined = _Team("", joined.resources | team.resources, joined.activities | team.activities)
            else:
                rest.append(team)
        teams = [*rest, joined]
    for team in teams:
        first = min(team.resources)
        team.name = first if len(team.resources) == 1 else f"team of {first}"
    return teams


def _pools(
    work: Sequence[WorkRecord],
    teams: Sequence[_Team],
    data: dict[str, Any],
    timezone: str,
    *,
    calendars: bool,
) -> dict[str, Any]:
    """The teams as pools; the calendars that they keep are added to ``data``."""
    pools: dict[str, Any] = {}
    for team in teams:
        theirs = [one for one in work if one.resource in team.resources]
        pool = pools[team.name] = {
            "size": max(len(team.resources), _most_at_once(theirs)), "off_shift": "finish"
        }  # fmt: skip
        weekly = _weekly([one.started for one in theirs], ZoneInfo(timezone)) if calendars else None
        if weekly is None:
            continue
        data["calendars"][team.name] = {"weekly": weekly}
        pool["calendar"] = team.name
        hours = _Hours(
            weekly, timezone, min(one.enabled for one in theirs), max(one.completed for one in theirs)
        )
        late = sum(1 for one in theirs if one.completed not in hours)
        if late <= 0.005 * len(theirs):
            # nobody goes on after hours: what is longer than the day rests in the night
            pool["off_shift"] = "suspend"
            team.hours = hours
    return pools


def _most_at_once(work: Sequence[WorkRecord]) -> int:
    changes = sorted([(one.started, 1) for one in work] + [(one.completed, -1) for one in work])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _tasks(work: Sequence[WorkRecord], keys: Mapping[str, str], teams: Sequence[_Team]) -> dict[str, Any]:
    team_of = {activity: team for team in teams for activity in team.activities}
    samples: dict[str, list[float]] = {}
    for one in work:
        team = team_of.get(one.activity)
        seconds = (one.completed - one.started).total_seconds() if team is None else team.seconds(one)
        samples.setdefault(one.activity, []).append(seconds)
    tasks: dict[str, Any] = {}
    for activity, sample in samples.items():
        tasks[keys[activity]] = {"processing_time": fit_distribution(sample)}
        if activity in team_of:
            tasks[keys[activity]]["resources"] = team_of[activity].name
    return tasks
