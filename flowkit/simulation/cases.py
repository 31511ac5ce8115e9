"""A case: one instance that is being simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowkit.simulation.machine import Machine

__all__ = ["Case"]


class Case:
    """``state`` is what the kernel knows of the instance (see :mod:`flowkit.simulation.machine`).

    ``pending`` holds what is going on for it, by the kernel's keys; ``passive`` counts those of them that
    only another case can end. ``visits`` counts draws per purpose, shared with called instances, whose
    ``root`` is the case that customers see.
    """

    __slots__ = (
        "attributes",
        "caller",
        "cost",
        "counted",
        "ends",
        "gathered",
        "index",
        "level",
        "machine",
        "marks",
        "name",
        "open",
        "passive",
        "path",
        "pending",
        "processing",
        "root",
        "rows",
        "started",
        "state",
        "suspended",
        "trouble",
        "visits",
        "waiting",
        "waits",
    )

    def __init__(self, machine: Machine, index: int, started: float, caller: tuple[Case, int] | None) -> None:
        self.machine = machine
        self.state: Any = None
        self.index = index
        self.name = ""
        self.started = started
        self.open = True
        self.pending: dict[int, Any] = {}
        self.passive = 0
        self.caller = caller
        self.root: Case = self if caller is None else caller[0].root
        self.visits: dict[str, int] = {} if caller is None else self.root.visits
        self.counted: bool = True if caller is None else self.root.counted
        self.level: float = 0.0 if caller is None else self.root.level
        self.attributes: dict[str, Any] | None = None
        self.path = 0
        self.trouble = ""
        self.cost = 0.0
        self.waiting = 0.0
        self.processing = 0.0
        self.suspended = 0.0
        self.gathered = 0.0
        self.waits = 0.0
        self.ends: tuple[int, ...] = ()
        self.marks: dict[int, tuple[float, float]] | None = None
        self.rows: list[Any] | None = None
