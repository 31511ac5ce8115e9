"""What one replication found: measures by name, and what charts need. Small, and fit to be sent.

Names are dotted: ``cycle_time.p90``, ``activity.Check.waiting_time.mean``, ``pool.clerks.utilisation``.
Times are in seconds. ``share`` is a number from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from flowkit.simulation.measures import Tally
from flowkit.simulation.plan import Plan
from flowkit.simulation.run import Run

__all__ = ["Outcome", "SimulationFault", "outcome_of"]

TOP_PATHS = 20
_PERCENTILES = (50, 90, 95, 99)


class SimulationFault(RuntimeError):
    """An invariant of the simulation is broken: an error in flowkit, never in a model."""


@dataclass
class Outcome:
    """``nodes`` and ``flows`` count how often elements were taken, per process."""

    replication: int
    measures: dict[str, float]
    tallies: dict[str, Tally] = field(default_factory=dict)
    nodes: dict[tuple[str, str], int] = field(default_factory=dict)
    flows: dict[tuple[str, str], int] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)
    wip: tuple[float, list[float]] = (0.0, [])
    queues: dict[str, tuple[float, list[float]]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """The tasks' names in the measures, by element id."""


def outcome_of(run: Run, replication: int) -> Outcome:
    """Summarise a run that is over. Raises SimulationFault."""
    check_invariants(run)
    outcome = Outcome(replication, {}, stuck=dict(run.stuck), wip=(run.wip.step, run.wip.series))
    measures = outcome.measures
    _cases(run, outcome)
    _activities(run, outcome)
    _resources(run, outcome)
    _events(run, measures)
    _groups_of_cases(run, measures)
    for name, (kept, total) in run.promises.kept.items():
        measures[f"service_level.{name}.share"] = kept / total if total else math.nan
    for process, machine in run.machines.items():
        nodes, flows = machine.counts()
        outcome.nodes.update({(process, name): count for name, count in nodes.items()})
        outcome.flows.update({(process, name): count for name, count in flows.items()})
    return outcome


def check_invariants(run: Run) -> None:
    """Conservation of cases, Little's law in its exact form, and busy time."""
    if run.started != run.completed + len(run.open) + run.stuck_cases:
        raise SimulationFault(
            f"started {run.started} != completed {run.completed}"
            f" + open {len(run.open)} + stuck {run.stuck_cases}"
        )
    _same("the integral of work in progress", run.wip.area, "the sum of cycle times", run.sojourn)
    for pool in run.pools.values():
        for group in pool.groups:
            _same(f"busy time of {group.label}", group.busy.area, "the sum of durations", group.work_seconds)


def _same(name: str, value: float, other: str, expected: float) -> None:
    if not math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-3):
        raise SimulationFault(f"{name} is {value}, but {other} is {expected}")


def _describe(
    measures: dict[str, float], name: str, tally: Tally, percentiles: tuple[int, ...] = _PERCENTILES
) -> None:
    tally.fold()
    measures[f"{name}.mean"] = tally.mean if tally.count else math.nan
    for percent in percentiles:
        measures[f"{name}.p{percent}"] = tally.percentile(percent)


def _cases(run: Run, outcome: Outcome) -> None:
    measures = outcome.measures
    cycle = run.tallies["cycle_time"]
    for name in ("cycle_time", "waiting_time", "processing_time", "cost"):
        tally = run.tallies[name]
        _describe(measures, name, tally)
        measures[f"{name}.sd"] = tally.sd
        measures[f"{name}.min"] = tally.low if tally.count else math.nan
        measures[f"{name}.max"] = tally.high if tally.count else math.nan
        outcome.tallies[name] = tally
    measures["cost.total"] = run.tallies["cost"].total
    for name in ("off_duty_time", "batch_time", "event_time"):
        measures[f"{name}.mean"] = run.tallies[name].total / cycle.count if cycle.count else math.nan
    length = max(run.now - run.warmup, 0.0)
    measures["throughput.per_hour"] = cycle.count / length * 3600 if length else math.nan
    measures["wip.mean"] = run.wip.mean(run.now)
    measures["wip.max"] = run.wip.high
    measures["cases.started"] = float(run.started)
    measures["cases.counted"] = float(run.counted)
    measures["cases.completed"] = float(run.completed)
    measures["cases.open"] = float(len(run.open))
    measures["cases.stuck"] = float(run.stuck_cases)
    measures["run.seconds"] = run.now
    for name, count in run.outcomes.items():
        measures[f"outcome.{name}.share"] = count / cycle.count
    if cycle.count:
        measures["rework.share"] = run.reworked / cycle.count
        measures["timeout.share"] = run.late / cycle.count


def station_labels(plan: Plan) -> list[str]:
    """A name per task for people, made unique by its id where two tasks are called the same."""
    names = [station.name for station in plan.stations]
    return [
        name if names.count(name) == 1 else f"{name} ({station.node})"
        for name, station in zip(names, plan.stations, strict=True)
    ]


def _activities(run: Run, outcome: Outcome) -> None:
    measures = outcome.measures
    for label, station in zip(station_labels(run.plan), run.stations, strict=True):
        name = f"activity.{label}"
        outcome.labels[station.plan.node] = label
        measures[f"{name}.count"] = float(station.done)
        measures[f"{name}.per_case"] = station.done / run.counted if run.counted else math.nan
        _describe(measures, f"{name}.waiting_time", station.waited, (50, 95))
        _describe(measures, f"{name}.processing_time", station.worked, (50, 95))
        _describe(measures, f"{name}.cycle_time", station.spent, (50, 95))
        measures[f"{name}.cost"] = station.spent_money / run.counted if run.counted else math.nan
        if station.done and not station.plan.repeats:
            measures[f"{name}.rework.share"] = station.rework / station.done
        if station.patience is not None:
            left = station.abandoned
            measures[f"{name}.abandoned.share"] = (
                left / (left + station.done) if left + station.done else math.nan
            )
        outcome.tallies[f"{name}.waiting_time"] = station.waited
        outcome.tallies[f"{name}.processing_time"] = station.worked


def _resources(run: Run, outcome: Outcome) -> None:
    measures = outcome.measures
    now = run.now
    for pool in run.pools.values():
        name = f"pool.{pool.name}"
        busy = capacity = cost = 0.0
        for group in pool.groups:
            worked = group.busy.area - group.busy.counted_area
            there = group.capacity.area - group.capacity.counted_area
            busy, capacity, cost = busy + worked, capacity + there, cost + worked * group.rate
            if len(pool.groups) > 1:
                measures[f"resource.{group.label}.utilisation"] = worked / there if there else math.nan
        measures[f"{name}.utilisation"] = busy / capacity if capacity else math.nan
        measures[f"{name}.busy_hours"] = busy / 3600
        measures[f"{name}.cost"] = cost
        measures[f"{name}.queue_length.mean"] = pool.queued.mean(now)
        measures[f"{name}.queue_length.max"] = pool.queued.high
        outcome.queues[pool.name] = (pool.queued.step, pool.queued.series)


def _events(run: Run, measures: dict[str, float]) -> None:
    for place in run.places:
        if place.opened:
            name = f"event.{place.plan.name}"
            measures[f"{name}.share"] = place.happened / place.opened
            _describe(measures, f"{name}.waiting_time", place.waited, ())


def _groups_of_cases(run: Run, measures: dict[str, float]) -> None:
    """Per end state, and per path for the most frequent paths."""
    total = run.tallies["cycle_time"].count
    labels = {index: run.plan.program.label(node) for (_, node), index in run.plan.ends.items()}
    by_label: dict[str, Tally] = {}
    for ends, tally in run.by_end.items():
        label = " + ".join(dict.fromkeys(labels[end] for end in sorted(ends))) or "without an end event"
        by_label.setdefault(label, Tally()).merge(tally)
    for label, tally in by_label.items():
        measures[f"end.{label}.share"] = tally.count / total
        _describe(measures, f"end.{label}.cycle_time", tally, (95,))
    if run.paths is None:
        return
    names = _path_names(run)
    frequent = sorted(run.by_path.items(), key=lambda item: (-_count(item[1][0]), item[0]))[:TOP_PATHS]
    for path, (cycle, waiting, processing) in frequent:
        name = f"path.{names(path)}"
        measures[f"{name}.share"] = _count(cycle) / total
        _describe(measures, f"{name}.cycle_time", cycle, (95,))
        _describe(measures, f"{name}.waiting_time", waiting, (95,))
        _describe(measures, f"{name}.processing_time", processing, (95,))
    measures["paths.different"] = float(len(run.by_path))


def _count(tally: Tally) -> int:
    tally.fold()
    return tally.count


def _path_names(run: Run) -> Callable[[int], str]:
    assert run.paths is not None
    steps = {path: step for step, path in run.paths.items()}
    labels = station_labels(run.plan)

    def name(path: int) -> str:
        if path < 0:
            return "(other)"
        names: list[str] = []
        while path:
            path, station = steps[path]
            names.append(labels[station])
        return " → ".join(reversed(names)) or "(nothing)"

    return name
