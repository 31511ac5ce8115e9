"""A case: one instance that is being simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowkit.export.records import TimedWork
    from flowkit.simulation.machine import Machine

__all__ = ["Case"]


class Case:
    """``state`` is what the kernel knows of the instance (see :mod:`flowkit.simulation.machine`).

    ``pending`` holds what is going on for it, by the kernel's keys; ``passive`` counts those of them that
    only another case can end. ``visits`` counts draws per purpose, shared with called instances, whose
    ``root`` is the case that customers see.
    """

    # No __slots__: what most cases never set stays a default of the class, so a case is cheap to make.
    name = ""
    open = True
    passive = 0
    level = 0.0
    path = 0
    trouble = ""
    cost = 0.0
    waiting = 0.0
    processing = 0.0
    suspended = 0.0
    gathered = 0.0
    waits = 0.0
    counted = True
    reworked = False
    late = False
    ends: tuple[int, ...] = ()
    state: Any = None
    attributes: Mapping[str, Any] | None = None
    marks: dict[int, tuple[float, float]] | None = None
    rows: list[TimedWork] | None = None

    def __init__(self, machine: Machine, index: int, started: float, caller: tuple[Case, int] | None) -> None:
        self.machine = machine
        self.index = index
        self.started = started
        self.pending: dict[int, Any] = {}
        self.caller = caller
        if caller is None:
            self.root: Case = self
            self.visits: dict[str, int] = {}
        else:
            self.root = root = caller[0].root
            self.visits = root.visits
            self.counted = root.counted
            self.level = root.level
