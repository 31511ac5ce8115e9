"""Service levels at work: which cases kept which promise."""

from __future__ import annotations

from collections.abc import Mapping

from flowkit.simulation.cases import Case
from flowkit.simulation.plan import Plan
from flowkit.simulation.scenario import ServiceLevel

__all__ = ["Promises"]

Marks = Mapping[int, tuple[float, float]]
"""When a case first entered and last completed (-1: never) an element."""


class Promises:
    """``kept`` counts, per service level, the cases that kept it and all that it concerns."""

    __slots__ = ("_levels", "_mark_of", "kept")

    def __init__(self, plan: Plan) -> None:
        self._levels = plan.scenario.service_levels
        self._mark_of = plan.mark_of
        self.kept: dict[str, list[int]] = {name: [0, 0] for name in self._levels}

    def __bool__(self) -> bool:
        return bool(self._levels)

    def count(self, case: Case, spent: float) -> None:
        """A case is over."""
        marks = case.marks or {}
        for name, level in self._levels.items():
            first = self._mark(level.start, marks)
            if level.start is None or first is not None:
                kept = self.kept[name]
                kept[0] += self._keeps(level, case, spent, first, marks)
                kept[1] += 1

    def _keeps(
        self, level: ServiceLevel, case: Case, spent: float, first: tuple[float, float] | None, marks: Marks
    ) -> bool:
        if level.reached:
            return any(self._mark(element, marks) is not None for element in level.reached)
        if level.avoided:
            return all(self._mark(element, marks) is None for element in level.avoided)
        assert level.within is not None
        begin = case.started if first is None else first[0]
        if level.end is None:
            return case.started + spent - begin <= level.within
        last = self._mark(level.end, marks)
        return last is not None and last[1] >= 0 and last[1] - begin <= level.within

    def _mark(self, element: str | None, marks: Marks) -> tuple[float, float] | None:
        return None if element is None else marks.get(self._mark_of[element])
