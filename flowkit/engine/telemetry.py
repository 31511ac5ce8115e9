"""OpenTelemetry: spans of handlers, counts of what happens. Off unless an engine is given one.

>>> engine = Engine("sqlite:///service.db", telemetry=Telemetry())

Without providers the global ones of OpenTelemetry are used; Prometheus reads them through
OpenTelemetry's exporter. What is counted is what was committed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flowkit.kernel import protocol as p

if TYPE_CHECKING:
    from flowkit.engine.jobs import Claimed, Report

__all__ = ["Observed", "Telemetry"]

Observed = tuple[str, Sequence[p.Event]]
"""A process id and events of one of its instances."""

_COUNTED: dict[type, tuple[str, str]] = {
    p.InstanceStarted: ("flowkit.instances.started", "instances that were started"),
    p.InstanceEnded: ("flowkit.instances.ended", "instances that are over, by outcome"),
    p.JobOpened: ("flowkit.jobs.opened", "jobs that were opened, by type"),
    p.JobClosed: ("flowkit.jobs.closed", "jobs that were closed, by reason"),
    p.JobFailed: ("flowkit.jobs.failed", "attempts that failed"),
    p.UserTaskOpened: ("flowkit.user_tasks.opened", "user tasks that were opened"),
    p.UserTaskClosed: ("flowkit.user_tasks.closed", "user tasks that were closed, by reason"),
    p.TimerFired: ("flowkit.timers.fired", "timers that fired"),
    p.IncidentRaised: ("flowkit.incidents.raised", "incidents, by kind"),
    p.IncidentResolved: ("flowkit.incidents.resolved", "incidents that were resolved"),
}
_LABELS = ("outcome", "type", "reason", "kind")


class Telemetry:
    """Needs ``flowkit[otel]``; raises ImportError without it."""

    def __init__(self, tracer_provider: Any = None, meter_provider: Any = None) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415 an extra

        self._tracer = trace.get_tracer("flowkit", tracer_provider=tracer_provider)
        self._status = trace.Status
        self._error = trace.StatusCode.ERROR
        meter = metrics.get_meter("flowkit", meter_provider=meter_provider)
        self._counters = {
            kind: meter.create_counter(name, description=text) for kind, (name, text) in _COUNTED.items()
        }
        self._duration = meter.create_histogram("flowkit.handler.duration", unit="s")
        self._group = meter.create_histogram("flowkit.transaction.units", unit="1")

    def committed(self, observed: Sequence[Observed], units: int) -> None:
        """A transaction of ``units`` commands is stored."""
        self._group.record(units)
        for process, events in observed:
            for event in events:
                counter = self._counters.get(type(event))
                if counter is not None:
                    labels = {name: getattr(event, name) for name in _LABELS if hasattr(event, name)}
                    counter.add(1, {"process": process, **labels})

    @contextmanager
    def handling(self, job: Claimed) -> Iterator[list[Report]]:
        """The span of a handler; the report that it led to is put into the list."""
        attributes: dict[str, str | int] = {
            "flowkit.instance": job.instance,
            "flowkit.process": job.process,
            "flowkit.element": job.node,
            "flowkit.job": job.id,
            "flowkit.attempt": job.attempt,
        }
        outcome: list[Report] = []
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(f"flowkit.job {job.type}", attributes=attributes) as span:
            yield outcome
            if outcome and isinstance(outcome[0], p.FailJob):
                span.set_status(self._status(self._error, outcome[0].message))
        report = getattr(outcome[0], "command", outcome[0]) if outcome else None
        result = "interrupted" if report is None else type(report).__name__
        self._duration.record(time.perf_counter() - begun, {"type": job.type, "result": result})
