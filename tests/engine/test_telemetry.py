"""What OpenTelemetry is told: spans of what was done, and counts of what was committed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flowkit.engine import Engine, Telemetry, VirtualClock, Worker
from flowkit.engine.courier import Courier
from flowkit.tasks import Outgoing, TaskContext, Undeliverable, deliver, task
from tests.engine.diagrams import row, service, user
from tests.engine.steps import Held, work_off

sdk_metrics = pytest.importorskip("opentelemetry.sdk.metrics")
sdk_export = pytest.importorskip("opentelemetry.sdk.metrics.export")
sdk_trace = pytest.importorskip("opentelemetry.sdk.trace")
sdk_trace_export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
sdk_simple = pytest.importorskip("opentelemetry.sdk.trace.export")


class Watched:
    def __init__(self) -> None:
        self.reader = sdk_export.InMemoryMetricReader()
        self.exporter = sdk_trace_export.InMemorySpanExporter()
        provider = sdk_trace.TracerProvider()
        provider.add_span_processor(sdk_simple.SimpleSpanProcessor(self.exporter))
        self.telemetry = Telemetry(provider, sdk_metrics.MeterProvider([self.reader]))

    def counts(self) -> dict[str, float]:
        found: dict[str, float] = {}
        data: Any = self.reader.get_metrics_data()
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        value = getattr(point, "value", None)
                        if value is not None:
                            found[metric.name] = found.get(metric.name, 0) + value
        return found

    def results(self, name: str) -> dict[str, int]:
        """How often a histogram recorded each result."""
        data: Any = self.reader.get_metrics_data()
        points = [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]
        return {point.attributes["result"]: point.count for point in points}


@task("good")
def good() -> None: ...


@task("bad")
def bad() -> None:
    raise OSError("no")


def test_what_was_committed_is_counted() -> None:
    watched = Watched()
    with Engine(tasks=[good, bad], clock=VirtualClock(), telemetry=watched.telemetry) as engine:
        engine.deploy({"p.bpmn": row("p", service("a", "good"), service("b", "bad", 1))})
        case = engine.start("p")
        engine.run_until_idle()
    counts = watched.counts()
    assert counts["flowkit.instances.started"] == 1
    assert counts["flowkit.jobs.closed"] == 1
    assert counts["flowkit.jobs.failed"] == 1
    assert counts["flowkit.incidents.raised"] == 1
    spans = watched.exporter.get_finished_spans()
    assert [span.name for span in spans] == ["flowkit.job good", "flowkit.job bad"]
    assert {span.attributes["flowkit.instance"] for span in spans} == {case}
    assert [span.status.is_ok for span in spans] == [True, False]


def test_workers_are_watched_too() -> None:
    watched, held = Watched(), Held()
    with Engine(tasks=[good], clock=VirtualClock(), telemetry=watched.telemetry) as engine:
        engine.deploy({"p.bpmn": row("p", service("a", "good"))})
        engine.start("p")
        work_off(Worker(engine, handlers=held), held)
    names = [span.name for span in watched.exporter.get_finished_spans()]
    assert names == ["flowkit.job good", "flowkit.instance p"]


def test_instances_and_user_tasks_have_a_span_from_beginning_to_end() -> None:
    watched, clock = Watched(), VirtualClock()
    begun = clock.now()
    with Engine(clock=clock, telemetry=watched.telemetry) as engine:
        engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
        case = engine.start("p")
        clock.advance(timedelta(hours=1))
        engine.complete(engine.tasks()[0])
        clock.advance(timedelta(hours=2))
        engine.cancel(case)
    spans = {span.name: span for span in watched.exporter.get_finished_spans()}
    assert {name: span.attributes["flowkit.outcome"] for name, span in spans.items()} == {
        "flowkit.user_task a": "completed",
        "flowkit.user_task b": "cancelled",
        "flowkit.instance p": "cancelled",
    }
    hours = {name: (span.end_time - span.start_time) / 3.6e12 for name, span in spans.items()}
    assert hours == {"flowkit.user_task a": 1, "flowkit.user_task b": 2, "flowkit.instance p": 3}
    assert spans["flowkit.instance p"].start_time == begun.timestamp() * 1e9


def test_what_begins_and_ends_in_one_transaction_has_a_span_too() -> None:
    watched = Watched()
    with Engine(clock=VirtualClock(), telemetry=watched.telemetry) as engine:
        engine.deploy({"p.bpmn": row("p")})
        engine.start("p")
    assert [span.name for span in watched.exporter.get_finished_spans()] == ["flowkit.instance p"]


@pytest.mark.parametrize("in_background", [False, True])
def test_deliveries_are_watched(in_background: bool) -> None:
    @task("send")
    def send(context: TaskContext, kinds: list[str]) -> None:
        for kind in kinds:
            context.send("letter", {"kind": kind})

    @deliver("letter", attempts=2)
    def letter(item: Outgoing) -> None:
        if item.payload["kind"] == "lost":
            raise Undeliverable("no address")
        if item.payload["kind"] == "slow" and item.attempt == 1:
            raise OSError("no line")

    watched, held, clock = Watched(), Held(), VirtualClock()
    with Engine(tasks=[send, letter], clock=clock, telemetry=watched.telemetry) as engine:
        engine.deploy({"p.bpmn": row("p", service("s", "send"))})
        case = engine.start("p", {"kinds": ["good", "lost", "slow"]})
        if in_background:
            work_off(Worker(engine, handlers=held), held)
            courier = Courier(engine.committer, engine.registry, 1.0, held)
            for _ in range(6):
                courier.turn()
                held.run()
                clock.advance(timedelta(seconds=3))
        else:
            engine.advance(timedelta(minutes=1))
    spans = [one for one in watched.exporter.get_finished_spans() if one.name == "flowkit.delivery letter"]
    assert {span.attributes["flowkit.instance"] for span in spans} == {case}
    assert sorted((span.attributes["flowkit.attempt"], span.status.is_ok) for span in spans) == [
        (1, False), (1, False), (1, True), (2, True),
    ]  # fmt: skip
    assert watched.results("flowkit.delivery.duration") == {"delivered": 2, "failed": 1, "given up": 1}
