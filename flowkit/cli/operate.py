"""Commands that change something on a running engine: deploy, start, complete, send, resolve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowkit.cli.inputs import (
    Database,
    Variables,
    open_engine,
    read_json,
    read_variables,
)
from flowkit.cli.output import AsJson, print_findings, print_json, print_table

__all__ = ["DATABASE", "point", "register"]

DATABASE = "sqlite:///flowkit.db"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (
        deploy,
        start,
        claim,
        complete,
        message,
        signal,
        evaluate,
        store,
        resolve,
        cancel,
        restart,
    ):
        app.command()(command)


def deploy(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="BPMN, DMN, forms, or folders of them.")],
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Deploy files: all of them, or none if one is refused. Unchanged content keeps its version.

    Example: [bold]flowkit deploy processes/ --db sqlite:///service.db[/bold]
    """
    with open_engine(db, make=True) as engine:
        deployment = engine.deploy(*paths)
    if as_json:
        print_json(deployment)
        return
    print_findings(deployment.warnings, stderr=True)
    rows = [(found.kind, found.id, found.version, found.name) for found in deployment.definitions]
    print_table(("kind", "id", "version", "name"), rows, none="nothing was deployed")


def start(
    process: Annotated[str, typer.Argument(help="A process id.")],
    variables: Variables = None,
    key: Annotated[str | None, typer.Option("--key", help="The business key.")] = None,
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
    event: Annotated[str | None, typer.Option(help="The start event, where there are several.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Start an instance and print its id; a worker runs its jobs.

    Example: [bold]flowkit start vehicle_reception -v plate=京A12345 --key WO-1001[/bold]
    """
    with open_engine(db) as engine:
        instance = engine.start(
            process, read_variables(variables), business_key=key, version=version, start_event=event
        )
    print_json({"instance": instance}) if as_json else typer.echo(instance)


def claim(
    task: Annotated[str, typer.Argument(help="A task's id, from: flowkit tasks.")],
    user: Annotated[str, typer.Option("--user", "-u", help="Who takes it.")],
    db: Database = DATABASE,
) -> None:
    """Take a user task.

    Example: [bold]flowkit claim 01J…:7 --user 张三[/bold]
    """
    with open_engine(db) as engine:
        engine.claim(task, user)


def complete(
    task: Annotated[str, typer.Argument(help="A task's id, from: flowkit tasks.")],
    variables: Variables = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Who did it.")] = None,
    db: Database = DATABASE,
) -> None:
    """Complete a user task with the data of its form.

    Example: [bold]flowkit complete 01J…:7 -v '{"fault_confirmed": true}' --user 张三[/bold]
    """
    with open_engine(db) as engine:
        engine.complete(task, read_variables(variables), user=user)


def message(
    name: Annotated[str, typer.Argument(help="The message's name in the diagram.")],
    key: Annotated[str, typer.Option("--key", help="The correlation key.")] = "",
    variables: Variables = None,
    message_id: Annotated[str | None, typer.Option("--id", help="Sent twice, it is taken once.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Publish a message: to an instance that waits for it, or to start one; else it is kept for a while.

    Example: [bold]flowkit message 客户进站 --key WO-1001 -v plate=京A12345[/bold]
    """
    with open_engine(db) as engine:
        reached = engine.publish(name, key, read_variables(variables), message_id=message_id)
    print_json({"instances": reached}) if as_json else typer.echo(
        "\n".join(reached) or "nobody waits for it yet"
    )


def signal(
    name: Annotated[str, typer.Argument(help="The signal's name in the diagram.")],
    variables: Variables = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Broadcast a signal to every instance that listens.

    Example: [bold]flowkit signal 保养到期 -v plate=京A12345[/bold]
    """
    with open_engine(db) as engine:
        reached = engine.broadcast(name, read_variables(variables))
    _reached(reached, "nobody listens", as_json)


def evaluate(
    variables: Variables = None,
    process: Annotated[str | None, typer.Option("--process", "-p", help="Only this process.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Start the processes whose conditional start event is true for the given facts.

    Example: [bold]flowkit evaluate -v stock=3[/bold]
    """
    with open_engine(db) as engine:
        started = engine.evaluate_conditions(read_variables(variables), process)
    _reached(started, "no condition is true", as_json)


def _reached(instances: list[str], none: str, as_json: bool) -> None:
    if as_json:
        print_json({"instances": instances})
    else:
        typer.echo("\n".join(instances) or none)


def store(
    name: Annotated[str, typer.Argument(help="A data store of a diagram, which the engine keeps itself.")],
    content: Annotated[
        str | None, typer.Option("--set", metavar="JSON|@FILE", help="Make this its content.")
    ] = None,
    db: Database = DATABASE,
) -> None:
    """Show what a data store holds, as JSON; with --set, fill it first.

    Example: [bold]flowkit store 库存 --set '{"P-100": 3}'[/bold]
    """
    with open_engine(db, make=content is not None) as engine:
        if content is not None:
            engine.write_store(name, read_json(content))
        print_json(engine.read_store(name))


def resolve(
    incident: Annotated[str, typer.Argument(help="An incident's id, from: flowkit incidents.")],
    retries: Annotated[int, typer.Option(help="How many attempts a job gets.", min=1)] = 1,
    variables: Variables = None,
    db: Database = DATABASE,
) -> None:
    """Try again what failed, after correcting variables.

    Example: [bold]flowkit resolve 01J…:3 -v part_no=P-100[/bold]
    """
    with open_engine(db) as engine:
        engine.resolve(incident, retries=retries, variables=read_variables(variables))


def cancel(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    reason: Annotated[str, typer.Option(help="Kept in the history.")] = "",
    db: Database = DATABASE,
) -> None:
    """End an instance by force, with everything that it called.

    Example: [bold]flowkit cancel 01J… --reason 重复开单[/bold]
    """
    with open_engine(db) as engine:
        engine.cancel(instance, reason)


def point(at: str | None) -> int | str | None:
    """A point in a history: the number of an event, or an element."""
    return int(at) if at is not None and at.isdigit() else at


def restart(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="ELEMENT|NUMBER", help="Go on from there: an element, or an event of the history."
        ),
    ] = None,
    variables: Variables = None,
    event: Annotated[str | None, typer.Option(help="The start event, without --at.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="End it first, if it is running.")] = False,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Start a new instance like one that is over, or go on from a point in its history; print its id.

    Example: [bold]flowkit restart 01J… --at approve -v amount=30 --cancel[/bold]
    """
    with open_engine(db) as engine:
        again = engine.restart(
            instance, at=point(at), start_event=event, variables=read_variables(variables), cancel=cancel
        )
    print_json({"instance": again}) if as_json else typer.echo(again)
