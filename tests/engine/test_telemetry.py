"""What OpenTelemetry is told: a span a handler call, and counts of what was committed."""

from __future__ import annotations

from typing import Any

import pytest

from flowkit.engine import Engine, Telemetry, VirtualClock, Worker
from flowkit.tasks import task
from tests.engine.diagrams import row, service
from tests.engine.test_worker import finished

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
    watched = Watched()
    with Engine(tasks=[good], telemetry=watched.telemetry) as engine, Worker(engine):
        engine.deploy({"p.bpmn": row("p", service("a", "good"))})
        assert finished(engine, engine.start("p"))
    assert [span.name for span in watched.exporter.get_finished_spans()] == ["flowkit.job good"]
