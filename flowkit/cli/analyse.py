"""Commands that reason about diagrams: ``simulate``, ``compare``, ``fit``, ``export``."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowkit.cli.inputs import Database, open_engine
from flowkit.cli.instances import Status
from flowkit.cli.operate import DATABASE
from flowkit.cli.output import AsJson, console, fail, print_json, print_table

if TYPE_CHECKING:
    from flowkit.export import Measured
    from flowkit.simulation.experiment import Progress

__all__ = ["register"]

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the whole result: .json, .csv, .parquet or .html."),
]
Replications = Annotated[int | None, typer.Option(min=1, help="How often; default: as the scenario says.")]
Cases = Annotated[int | None, typer.Option(min=1, help="Cases a replication.")]
Seed = Annotated[int | None, typer.Option(help="The seed of chance.")]
Processes = Annotated[int, typer.Option(min=1, help="Processors to use; the result stays the same.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (simulate, compare, fit, export, kpi):
        app.command()(command)


# ---- simulation -----------------------------------------------------------------------------


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    if quiet:
        yield None
        return
    from rich.progress import Progress as Bar  # noqa: PLC0415 heavy

    with Bar(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("replications", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _written(result: Any, output: Path | None) -> None:
    if output is None:
        return
    try:
        typer.echo(f"{result.write(output)}", err=True)
    except (ValueError, ImportError) as error:
        fail(str(error), 2)


def simulate(
    scenario: Annotated[Path, typer.Argument(exists=True, help="A scenario (YAML), or a BPMN file.")],
    replications: Replications = None,
    cases: Cases = None,
    seed: Seed = None,
    processes: Processes = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Replicate on a cluster: dask://host:8786 or ray://host:10001.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Write the first replication's cases: .xes, .csv or .jsonocel.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a process: cycle times, queues, costs, how busy people are.

    Example: [bold]flowkit simulate processes/complaint.bpmn --cases 200 -o report.html[/bold]
    """
    from flowkit.export import open_log  # noqa: PLC0415 heavy
    from flowkit.simulation import simulate as run  # noqa: PLC0415 heavy

    try:
        writer = None if log is None else open_log(log)
    except ValueError as error:
        fail(str(error), 2)
    try:
        with _progress(as_json) as progress:
            result = run(
                scenario,
                replications=replications,
                cases=cases,
                seed=seed,
                processes=processes,
                cluster=cluster,
                log=writer,
                progress=progress,
            )
    except (ValueError, ImportError) as error:
        if cluster is None:
            raise
        fail(str(error), 2)
    _written(result, output)
    if as_json:
        typer.echo(result.to_json())
        return
    typer.echo(str(result))
    for text in result.assumptions:
        typer.secho(f"assumed: {text}", dim=True)
    for text in result.warnings:
        typer.secho(f"warning: {text}", fg=typer.colors.YELLOW)


def compare(
    baseline: Annotated[Path, typer.Argument(exists=True, help="A scenario.")],
    variant: Annotated[
        Path | None, typer.Argument(exists=True, help="Another; default: what the first names as baseline.")
    ] = None,
    replications: Replications = None,
    cases: Cases = None,
    seed: Seed = None,
    processes: Processes = 1,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Simulate two scenarios with the same chance, and tell which differences are real.

    Example: [bold]flowkit compare as_is.yaml to_be.yaml --replications 30[/bold]
    """
    from flowkit.simulation import compare as run  # noqa: PLC0415 heavy

    with _progress(as_json) as progress:
        result = run(
            baseline, variant, replications=replications, cases=cases, seed=seed, processes=processes,
            progress=progress,
        )  # fmt: skip
    _written(result, output)
    typer.echo(result.to_json() if as_json else str(result))


def fit(
    log: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An event log: .xes or .csv.")],
    diagram: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The BPMN file of its process.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The scenario to write.")] = Path(
        "fitted.yaml"
    ),
    timezone: Annotated[str, typer.Option(help="Where the hours of work are counted.")] = "Asia/Shanghai",
) -> None:
    """Learn a scenario from history: arrivals, processing times, people, their hours, odds at gateways.

    Example: [bold]flowkit fit log.xes processes/complaint.bpmn -o as_is.yaml[/bold]
    """
    import yaml  # noqa: PLC0415 heavy

    from flowkit.simulation import fit as learn  # noqa: PLC0415 heavy

    try:
        scenario = learn(log, diagram, timezone=timezone)
    except ValueError as error:
        fail(str(error), 2)
    content = scenario.model_dump(mode="json", exclude_unset=True)
    if diagram is not None:
        content["model"] = {"bpmn": [os.path.relpath(diagram, output.parent)]}
    output.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    typer.echo(str(output))


# ---- event logs -----------------------------------------------------------------------------


def export(
    output: Annotated[Path, typer.Argument(help="A file .xes, .csv or .jsonocel.")],
    process: Annotated[str | None, typer.Option(help="Only this process.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only instances with this status.")] = None,
    db: Database = DATABASE,
) -> None:
    """Write the histories of instances as an event log for process mining.

    Example: [bold]flowkit export log.xes --process auto_4s --status completed[/bold]
    """
    from flowkit.export import case_of, write_log  # noqa: PLC0415 heavy

    if output.suffix not in (".xes", ".csv", ".json", ".jsonocel"):
        fail(f"expected a file .xes, .csv or .jsonocel, found {output}", 2)
    with open_engine(db) as engine:

        def cases() -> Iterator[Any]:
            for view in engine.instances(process, status=status):
                program = engine.program(view.process_id, view.version)
                names = {node.id: node.name for node in program.nodes.values()}
                history = ((entry.at, entry.event) for entry in engine.history(view.id))
                yield case_of(view.id, history, names)

        count = write_log(output, cases())
    typer.echo(f"{count} cases in {output}")


# ---- indicators -----------------------------------------------------------------------------


def kpi(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A BPMN file that names indicators.")
    ],
    process: Annotated[str | None, typer.Option(help="Only this process of the file.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Cases that started then or later.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Cases that started before.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Measure the indicators that a diagram names (properties flowkit.kpi.…) over the ended cases.

    The formulas are those of the file: a changed one measures past cases, too.

    Example: [bold]flowkit kpi processes/post_repair_followup.bpmn --since 2026-03-01[/bold]
    """
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.export import EndedCase, indicators, measure  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    wanted = {one.id: indicators(one) for one in definitions.processes if process in (None, one.id)}
    if not any(wanted.values()):
        fail(f"{path} names no indicator: give its process a property flowkit.kpi.share.NAME", 2)
    start, end = (moment and moment.astimezone() for moment in (since, until))
    with open_engine(db) as engine:

        def cases(name: str) -> Iterator[EndedCase]:
            for view in engine.instances(name, started_after=start, started_before=end):
                if view.ended is not None:
                    last = engine.instance(view.id).variables
                    yield EndedCase(last, view.started, view.ended, view.outcome or "", view.business_key)

        found = {name: measure(several, cases(name)) for name, several in wanted.items() if several}
    if as_json:
        print_json(found)
        return
    for name, measured in found.items():
        rows = [(one.name, _shown(one), one.cases, _aim(one)) for one in measured]
        typer.echo(name)
        print_table(("indicator", "value", "cases", "target"), rows, none="no indicators")


def _shown(one: Measured) -> str:
    if one.value is None or isinstance(one.value, str):
        return one.value or "–"
    return f"{one.value:.1%}" if one.unit == "share" else f"{one.value:g}"


def _aim(one: Measured) -> str:
    if not one.target:
        return ""
    return one.target if one.met is None else f"{one.target} {'✓' if one.met else '✗'}"
