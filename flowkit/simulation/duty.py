"""Shifts and breakdowns: when resources come, go and fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowkit.simulation.calendars import Duty
from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.pools import Group, Work
from flowkit.simulation.streams import Stream
from flowkit.simulation.work import dispatch, resume, suspend

if TYPE_CHECKING:
    from flowkit.simulation.run import Run

__all__ = ["Failures", "start_duties"]


def start_duties(run: Run) -> None:
    """Put every group on its calendar, and its resources at risk of failing."""
    for pool in run.pools.values():
        for group in pool.groups:
            if group.plan.calendar.always:
                group.capacity.change(group.size, run.now)
            else:
                _plan_shift(run, group, Duty(group.plan.calendar, run.plan.start))
            if group.plan.breakdowns is not None:
                for unit in range(group.size):
                    Failures(run, group, unit).plan(run)


def _plan_shift(run: Run, group: Group, duty: Duty) -> None:
    window = duty.next_window()
    if window is not None:
        run.at(window[0], _come, (group, duty, window[1]))


def _come(run: Run, shift: tuple[Group, Duty, float]) -> None:
    group, duty, end = shift
    group.on = True
    group.capacity.change(group.size, run.now)
    group.pool.duty_changed(run.now)
    if group.pool.suspend:
        for work in list(group.active):
            resume(run, work)
    run.at(end, _go, (group, duty))
    if group.pool.queue:
        dispatch(run, group.pool)


def _go(run: Run, shift: tuple[Group, Duty]) -> None:
    group, duty = shift
    group.on = False
    group.capacity.change(-group.size, run.now)
    group.pool.duty_changed(run.now)
    if group.pool.suspend:
        for work in list(group.active):
            suspend(run, work)
    _plan_shift(run, group, duty)


class Failures:
    """The breakdowns of one resource. It is repaired where it stands; work in its hands rests meanwhile."""

    __slots__ = ("_every", "_group", "_number", "_repair", "_victim")

    def __init__(self, run: Run, group: Group, unit: int) -> None:
        assert group.plan.breakdowns is not None
        every, repair = (parse_distribution(spec).durations() for spec in group.plan.breakdowns)
        purpose = f"{group.label} {unit}"
        self._every: Stream = run.streams.stream(f"failure {purpose}", every.values)
        self._repair: Stream = run.streams.stream(f"repair {purpose}", repair.values)
        self._group = group
        self._number = 0
        self._victim: Work | None = None

    def plan(self, run: Run) -> None:
        """Set the next failure."""
        run.at(run.now + self._every.draw(self._number), _fail, self)

    def fail(self, run: Run) -> None:
        group = self._group
        group.idle -= 1
        if group.idle < 0:
            self._victim = next((work for work in reversed(group.active) if not work.blocks), None)
            if self._victim is not None:
                suspend(run, self._victim)
        run.at(run.now + self._repair.draw(self._number), _mend, self)

    def mend(self, run: Run) -> None:
        group, victim = self._group, self._victim
        group.idle += 1
        self._victim = None
        if victim is not None and victim in group.active:
            resume(run, victim)
        self._number += 1
        self.plan(run)
        if group.pool.queue:
            dispatch(run, group.pool)


def _fail(run: Run, failures: Any) -> None:
    failures.fail(run)


def _mend(run: Run, failures: Any) -> None:
    failures.mend(run)
