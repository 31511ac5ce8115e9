"""``flowkit worker``: a process that does jobs, and what an operator wants to see of it."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from flowkit.cli.inputs import Database, Settings, Tasks, handlers_of, open_engine, read_duration
from flowkit.cli.operate import DATABASE
from flowkit.cli.output import fail

if TYPE_CHECKING:
    from flowkit.engine import Telemetry

__all__ = ["register"]


class LogFormat(StrEnum):
    """How log records are written."""

    text = "text"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    db: Database = DATABASE,
    tasks: Tasks = None,
    settings: Settings = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Handlers that run at the same time.")] = 8,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE=NUMBER", help="Fewer at a time of a job type; may be repeated."),
    ] = None,
    lease: Annotated[
        str, typer.Option(metavar="DURATION", help="How long a job stays with a worker that is dead.")
    ] = "PT60S",
    poll: Annotated[
        str, typer.Option(metavar="DURATION", help="How often to look for what others left, when idle.")
    ] = "PT0.5S",
    grace: Annotated[
        str, typer.Option(metavar="DURATION", help="At the end: how long to wait for what runs.")
    ] = "PT30S",
    name: Annotated[str, typer.Option(help="Shown as the holder of jobs; default: host and process.")] = "",
    log: Annotated[
        LogFormat, typer.Option(help="How to write log records, on standard error.")
    ] = LogFormat.text,
    telemetry: Annotated[
        bool, typer.Option("--telemetry", help="Tell OpenTelemetry, as its environment variables say.")
    ] = False,
    prometheus: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Serve metrics for Prometheus there.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, and end.")] = False,
) -> None:
    """Run jobs, timers and messages until interrupted; what runs then is finished first.

    Example: [bold]flowkit worker --tasks shop.handlers --limit print=1 --log json[/bold]
    """
    from flowkit.cli.logs import write_logs  # noqa: PLC0415

    limits = _limits(limit)
    holds, polls = read_duration(lease, "--lease"), read_duration(poll, "--poll")
    patience = read_duration(grace, "--grace")
    registry, _ = handlers_of(tasks, db, settings)
    for kind in limits:
        if kind not in registry:
            raise typer.BadParameter(f"--limit {kind}: no handler does such jobs here")
    watched = _telemetry(prometheus) if telemetry or prometheus else None
    write_logs(log is LogFormat.json)
    with open_engine(db, registry, make=True, telemetry=watched) as engine:
        if once:
            typer.echo(f"{engine.run_until_idle()} done")
            return
        from flowkit.engine import Worker  # noqa: PLC0415 heavy

        asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.set())
        shown = re.sub(r"//([^:@/]*):[^@]*@", r"//\1:***@", db)
        typer.echo(f"works on {shown}, {len(registry)} job types; Ctrl-C ends", err=True)
        running = Worker(
            engine, concurrency=concurrency, limits=limits, lease=holds, poll=polls, name=name
        ).start()
        while not asked.wait(1):  # a wait without end would not see signals on every system
            pass
        finished = running.stop(patience.total_seconds())
    if not finished:
        typer.echo("handlers that did not end in time were given back", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # Python would wait for their threads for ever


def _limits(given: list[str] | None) -> dict[str, int]:
    found = {}
    for text in given or []:
        kind, sign, number = text.rpartition("=")
        if not (sign and kind and number.isdigit() and int(number)):
            raise typer.BadParameter(f"--limit: expected TYPE=NUMBER, at least 1, found {text!r}")
        found[kind] = int(number)
    return found


def _telemetry(prometheus: str | None) -> Telemetry:
    """OpenTelemetry's own providers, or one that Prometheus reads."""
    try:
        from flowkit.engine import Telemetry  # noqa: PLC0415

        if prometheus is None:
            return Telemetry()
        from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
        from prometheus_client import start_http_server  # noqa: PLC0415
    except ImportError as error:
        fail(f"{error}: pip install flowkit[otel]", 2)
    host, _, port = prometheus.rpartition(":")
    if not port.isdigit():
        raise typer.BadParameter(f"--prometheus: expected a port, or HOST:PORT, found {prometheus!r}")
    try:
        start_http_server(int(port), addr=host or "127.0.0.1")
    except (OSError, OverflowError) as error:
        fail(f"--prometheus {prometheus}: {error}", 2)
    return Telemetry(meter_provider=MeterProvider([PrometheusMetricReader()]))
