"""The event log of a replication: what was worked on, handed to a writer when the case is over."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flowkit.export.records import LogWriter, TimedLogWriter, Timeline

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case
    from flowkit.simulation.pools import Work

__all__ = ["Logbook"]


class Logbook:
    """Notes in simulation time; ``origin`` is its instant 0. Work in progress keeps its notes in the case."""

    __slots__ = ("_timed", "_timeline", "_writer")

    def __init__(self, writer: LogWriter, origin: datetime) -> None:
        self._writer = writer
        self._timed = writer if isinstance(writer, TimedLogWriter) else None
        self._timeline = Timeline(origin)

    def note(self, case: Case, work: Work, block: Work, now: float) -> None:
        """Work is done; ``block`` is the batch that it was done in, or itself."""
        assert case.rows is not None
        plan = work.station.plan
        resource = block.allocation[0][0].label if block.allocation else ""
        case.rows.append((plan.name, plan.node, work.opened, block.started, now, resource))

    def write(self, case: Case) -> None:
        """The case is over."""
        attributes, work = case.attributes or {}, case.rows or []
        if self._timed is not None:
            self._timed.timed_case(case.name, attributes, work, self._timeline)
        else:
            self._writer.case(case.name, attributes, self._timeline.records(work))

    def close(self) -> None:
        """No more cases."""
        self._writer.close()
