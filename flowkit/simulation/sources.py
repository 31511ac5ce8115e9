"""Where cases come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowkit.simulation.calendars import Duty
from flowkit.simulation.plan import ArrivalPlan
from flowkit.simulation.stations import Variables
from flowkit.simulation.streams import Stream

if TYPE_CHECKING:
    from flowkit.simulation.run import Run

__all__ = ["Source"]

_NOTHING: Mapping[str, Any] = {}


class Source:
    """Arrivals of one kind. Cases are numbered per source, so that sources don't disturb each other."""

    __slots__ = (
        "_at", "_duty", "_gap", "_index", "_left", "_number", "_plan", "_run", "_sources", "_variables",
    )  # fmt: skip

    def __init__(self, run: Run, plan: ArrivalPlan, index: int) -> None:
        self._run = run
        self._plan = plan
        self._index = index
        self._number = 0
        self._left = plan.limit
        self._at = iter(plan.at)
        self._gap: Stream | None = None
        if plan.interarrival is not None:
            self._gap = run.streams.stream(f"arrivals {index}", plan.interarrival.values)
        self._duty = Duty(plan.calendar, run.plan.start)
        self._variables = Variables(plan.variables, f"arrivals {index}", run.streams)
        self._sources = len(run.plan.arrivals)

    def begin(self) -> None:
        self._run.active += 1
        self._plan_next()

    def _plan_next(self) -> None:
        run = self._run
        if self._gap is None:
            time = next(self._at, float("inf"))
        else:
            time = self._duty.after(run.now, self._gap.draw(self._number // self._plan.size))
        if time < float("inf"):
            run.at(time, _arrive, self)
        else:
            run.active -= 1

    def arrive(self) -> None:
        run = self._run
        plan = self._plan
        for _ in range(plan.size):
            if self._left == 0 or (run.most_cases and run.started >= run.most_cases):
                run.active -= 1
                return
            number = self._number
            index = number * self._sources + self._index
            self._number = number + 1
            if self._left is not None:
                self._left -= 1
            run.start(index, plan.start_event, self._variables.draw(index) if plan.variables else _NOTHING)
        if self._left == 0 or (run.most_cases and run.started >= run.most_cases):
            run.active -= 1
            return
        self._plan_next()


def _arrive(_run: Run, source: Source) -> None:
    source.arrive()
