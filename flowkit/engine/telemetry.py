"""OpenTelemetry: spans of handlers, counts of what happens. Off unless an engine is given one.

>>> engine = Engine("sqlite:///service.db", telemetry=Telemetry())

Without providers the global ones of OpenTelemetry are used; Prometheus reads them through
OpenTelemetry's exporter. What is counted is what was committed. Spans tell of handlers and deliveries
as they end, of user tasks and instances when they are over.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from flowkit.engine.sql.schema import INSTANCE, USER_TASK
from flowkit.kernel import protocol as p

if TYPE_CHECKING:
    from flowkit.engine.jobs import Claimed, Report
    from flowkit.engine.outbox import Delivery
    from flowkit.engine.snapshots import Live
    from flowkit.engine.unit import Unit
    from flowkit.tasks import Outgoing

__all__ = ["Observed", "Telemetry"]


class Observed(NamedTuple):
    """Events of an instance at one time; ``begun`` tells, by position, when what they end began, and at
    which element."""

    instance: str
    process: str
    at: int
    events: Sequence[p.Event]
    begun: Mapping[int, tuple[int, str]]


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
_SPANNED = (p.InstanceEnded, p.UserTaskClosed)
_STARTED = f"SELECT started, '' FROM {INSTANCE.name} WHERE id=?"
_CREATED = f"SELECT created, node FROM {USER_TASK.name} WHERE instance=? AND key=?"
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
        self._delivery = meter.create_histogram(
            "flowkit.delivery.duration", unit="s", description="attempts to deliver, by kind and result"
        )
        self._group = meter.create_histogram("flowkit.transaction.units", unit="1")

    def committed(self, observed: Sequence[Observed], units: int) -> None:
        """A transaction of ``units`` commands is stored."""
        self._group.record(units)
        for seen in observed:
            for index, event in enumerate(seen.events):
                counter = self._counters.get(type(event))
                if counter is not None:
                    labels = {name: getattr(event, name) for name in _LABELS if hasattr(event, name)}
                    counter.add(1, {"process": seen.process, **labels})
                if isinstance(event, _SPANNED):
                    self._past(seen, event, *seen.begun.get(index, (seen.at, "")))

    def observe(self, unit: Unit, live: Live) -> Observed:
        """What is to be told of an instance's new events once they are committed."""
        begun = {}
        for index, event in enumerate(live.events):
            if isinstance(event, p.InstanceEnded):
                rows = unit.batch.session.query(_STARTED, (live.id,))
            elif isinstance(event, p.UserTaskClosed):
                rows = unit.batch.session.query(_CREATED, (live.id, event.task))
            else:
                continue
            if rows:  # else it began in this very transaction
                begun[index] = (rows[0][0], rows[0][1])
        return Observed(live.id, live.process, unit.at, live.events, begun)

    def _past(
        self, seen: Observed, event: p.InstanceEnded | p.UserTaskClosed, begun: int, element: str
    ) -> None:
        """A span of something that is over."""
        attributes: dict[str, str | int] = {
            "flowkit.instance": seen.instance,
            "flowkit.process": seen.process,
        }
        if isinstance(event, p.InstanceEnded):
            name = f"flowkit.instance {seen.process}"
            attributes["flowkit.outcome"] = event.outcome
        else:
            name = f"flowkit.user_task {element}".rstrip()
            attributes |= {"flowkit.element": element, "flowkit.outcome": event.reason}
        span = self._tracer.start_span(name, attributes=attributes, start_time=begun * 1000)
        if isinstance(event, p.InstanceEnded) and event.outcome == "error":
            span.set_status(self._status(self._error, f"{event.code} {event.message}".strip()))
        span.end(end_time=seen.at * 1000)

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

    @contextmanager
    def delivering(self, item: Outgoing) -> Iterator[list[Delivery]]:
        """The span of an attempt to deliver; what came of it is put into the list."""
        attributes: dict[str, str | int] = {
            "flowkit.instance": item.instance_id,
            "flowkit.process": item.process_id,
            "flowkit.element": item.element_id,
            "flowkit.outbox": item.id,
            "flowkit.attempt": item.attempt,
        }
        outcome: list[Delivery] = []
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(
            f"flowkit.delivery {item.kind}", attributes=attributes
        ) as span:
            yield outcome
            if outcome and outcome[0].error is not None:
                span.set_status(self._status(self._error, str(outcome[0].error)))
        result = "interrupted"
        if outcome:
            error = outcome[0].error
            result = "delivered" if error is None else "given up" if outcome[0].final else "failed"
        self._delivery.record(time.perf_counter() - begun, {"kind": item.kind, "result": result})
