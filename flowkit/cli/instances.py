"""Commands that look: tasks, instances, one instance, its history, incidents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from flowkit.cli.inputs import Database, Variables, open_engine, read_variables
from flowkit.cli.operate import DATABASE
from flowkit.cli.output import FAILED, AsJson, console, print_json, print_table, tell_if_cut

if TYPE_CHECKING:
    from flowkit.engine import Engine

__all__ = ["Limit", "Status", "register"]

Limit = Annotated[int, typer.Option(help="At most so many.", min=1)]
Offset = Annotated[int, typer.Option(help="Leave out so many first.", min=0)]


class Status(StrEnum):
    """How an instance stands."""

    active = "active"
    suspended = "suspended"
    completed = "completed"
    terminated = "terminated"
    cancelled = "cancelled"
    error = "error"


class JobState(StrEnum):
    """How a job stands."""

    ready = "ready"
    waiting = "waiting"
    leased = "leased"
    failed = "failed"


class Kind(StrEnum):
    """What can be deployed."""

    process = "process"
    decision = "decision"
    form = "form"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (tasks, instances, show, history, incidents, jobs, definitions):
        app.command()(command)


def tasks(
    instance: Annotated[str | None, typer.Argument(help="Only of this instance.")] = None,
    group: Annotated[str | None, typer.Option(help="Only tasks of this group.")] = None,
    user: Annotated[str | None, typer.Option(help="Only tasks that this user may do.")] = None,
    process: Annotated[str | None, typer.Option(help="Only of this process.")] = None,
    limit: Limit = 100,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List open user tasks.

    Example: [bold]flowkit tasks --group 服务顾问[/bold]
    """
    with open_engine(db) as engine:
        if instance is not None:
            engine.instance(instance)
        found = engine.tasks(instance, group=group, user=user, process=process, limit=limit)
    tell_if_cut(found, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            task.id,
            task.name or task.element_id,
            task.assignee or task.candidate_groups,
            task.due,
            task.business_key,
        )
        for task in found
    ]
    print_table(("id", "task", "for", "due", "key"), rows, none="no open tasks")


def instances(
    process: Annotated[str | None, typer.Argument(help="Only of this process.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only with this status.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only with this business key.")] = None,
    version: Annotated[int | None, typer.Option(help="Only of this version.")] = None,
    element: Annotated[str | None, typer.Option(help="Only where a token stands at this element.")] = None,
    variables: Variables = None,
    running: Annotated[
        bool | None, typer.Option("--running/--over", help="Only those that run, or are over.")
    ] = None,
    with_incidents: Annotated[bool, typer.Option("--with-incidents", help="Only with incidents.")] = False,
    origin: Annotated[str | None, typer.Option(help="Only restarts of this instance.")] = None,
    after: Annotated[datetime | None, typer.Option("--started-after", help="Only later ones.")] = None,
    before: Annotated[datetime | None, typer.Option("--started-before", help="Only earlier ones.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List instances, oldest first. -v NAME=VALUE is a condition.

    Example: [bold]flowkit instances auto_4s --status active --element check_stock[/bold]
    """
    with open_engine(db) as engine:
        zone = engine.clock.now().tzinfo
        found = engine.instances(
            process,
            status=status,
            business_key=key,
            version=version,
            element=element,
            variables=read_variables(variables) or None,
            running=running,
            with_incidents=with_incidents or None,
            origin=origin,
            started_after=after and after.replace(tzinfo=zone),
            started_before=before and before.replace(tzinfo=zone),
            limit=limit,
            offset=offset,
        )
        if not found and process is not None:
            engine.program(process)
    tell_if_cut(found, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (view.id, view.process_id, view.version, view.status, view.business_key, view.started, view.ended)
        for view in found
    ]
    columns = ("id", "process", "version", "status", "key", "started", "ended")
    print_table(columns, rows, none="no instances")


def show(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Show an instance: where it stands, its variables, tasks and incidents.

    Example: [bold]flowkit show 01J…[/bold]
    """
    with open_engine(db) as engine:
        view = engine.instance(instance)
        if as_json:
            print_json(view)
            return
        screen = console()
        screen.print(f"[bold]{view.process_id}[/bold] version {view.version}: {view.status}")
        if view.origin is not None:
            screen.print(f"restarted from {view.origin}")
        print_table(
            ("stands at", "element", "kind"), [(t.name, t.element, t.kind) for t in view.tokens], none=""
        )
        print_table(("variable", "value"), sorted(view.variables.items()), none="no variables")
        rows = [(it.id, it.element_id, it.message) for it in engine.incidents(instance)]
        if rows:
            print_table(("incident", "element", "message"), rows, none="")


def history(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    events: Annotated[bool, typer.Option("--events", help="Every event, not the trail.")] = False,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Tell what happened to an instance and to what it called.

    Example: [bold]flowkit history 01J…[/bold]
    """
    with open_engine(db) as engine:
        if events:
            _events(engine, instance, as_json)
            return
        from flowkit.cli.run import printer  # noqa: PLC0415 heavy
        from flowkit.testing.trail import Observer  # noqa: PLC0415 heavy

        engine.instance(instance)
        lines = Observer(engine).lines_of(instance)
        if as_json:
            print_json(lines)
            return
        tell = printer()
        for line in lines:
            tell(line)


def _events(engine: Engine, instance: str, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415

    entries = engine.history(instance)
    if as_json:
        print_json([{"seq": it.seq, "at": it.at, "event": msgspec.to_builtins(it.event)} for it in entries])
        return
    for entry in entries:
        typer.echo(f"{entry.seq:5} {entry.at.isoformat()} {entry.event}")


def incidents(
    instance: Annotated[str | None, typer.Argument(help="Only of this instance.")] = None,
    limit: Limit = 100,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List open incidents; exit code 1 if there are any.

    Example: [bold]flowkit incidents[/bold]
    """
    with open_engine(db) as engine:
        if instance is not None:
            engine.instance(instance)
        found = engine.incidents(instance, limit=limit)
    tell_if_cut(found, limit)
    if as_json:
        print_json(found)
    else:
        rows = [(it.id, it.process_id, it.element_id, it.kind, it.message) for it in found]
        print_table(("id", "process", "element", "kind", "message"), rows, none="no incidents")
    if found:
        raise typer.Exit(FAILED)


def jobs(
    instance: Annotated[str | None, typer.Argument(help="Only of this instance.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only of this job type.")] = None,
    state: Annotated[JobState | None, typer.Option(help="Only in this state.")] = None,
    process: Annotated[str | None, typer.Option(help="Only of this process.")] = None,
    element: Annotated[str | None, typer.Option(help="Only of this element.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List open jobs: who works on them, in which attempt, until when.

    Example: [bold]flowkit jobs --state leased[/bold]
    """
    with open_engine(db) as engine:
        if instance is not None:
            engine.instance(instance)
        found = engine.jobs(
            instance, type=kind, state=state, process=process, element=element, limit=limit, offset=offset
        )
    tell_if_cut(found, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (it.id, it.type, it.element_id, it.state, it.priority, it.attempt, it.retries, it.worker, it.at)
        for it in found
    ]
    columns = ("id", "type", "element", "state", "priority", "attempt", "left", "worker", "at")
    print_table(columns, rows, none="no open jobs")


def definitions(
    kind: Annotated[Kind | None, typer.Argument(help="Only of this kind.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List what is deployed: every version of every process, decision and form.

    Example: [bold]flowkit definitions process[/bold]
    """
    with open_engine(db) as engine:
        found = engine.definitions(kind)
    if as_json:
        print_json(found)
        return
    rows = [(it.kind, it.id, it.version, it.version_tag, it.name) for it in found]
    print_table(("kind", "id", "version", "tag", "name"), rows, none="nothing is deployed")
