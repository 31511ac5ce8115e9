"""What operators do to an instance that is not as it should be, and to old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from flowkit.cli.inputs import Database, Variables, open_engine, read_duration, read_variables
from flowkit.cli.operate import DATABASE
from flowkit.cli.output import AsJson, print_json

__all__ = ["register"]

Incident = Annotated[str, typer.Argument(help="An incident's id, from: flowkit incidents.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (skip, throw, modify, assign, clean):
        app.command()(command)
    app.command(name="set")(set_variables)


def skip(
    incident: Incident,
    variables: Variables = None,
    to: Annotated[
        str | None, typer.Option(help="The element to go on at; default: the next, if there is one.")
    ] = None,
    db: Database = DATABASE,
) -> None:
    """Go on from an incident as if what failed had given these variables.

    Example: [bold]flowkit skip 01J…:3 -v invoice_no=R-77[/bold]
    """
    with open_engine(db) as engine:
        engine.skip(incident, read_variables(variables), to=to)


def throw(
    incident: Incident,
    code: Annotated[str, typer.Argument(help="The error's code in the diagram.")],
    message: Annotated[str, typer.Option(help="What is told about it.")] = "",
    variables: Variables = None,
    db: Database = DATABASE,
) -> None:
    """Throw a BPMN error from the activity whose job failed.

    Example: [bold]flowkit throw 01J…:3 NO_STOCK[/bold]
    """
    with open_engine(db) as engine:
        engine.throw(incident, code, message, read_variables(variables))


def modify(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    move: Annotated[
        list[str] | None, typer.Option(metavar="FROM=TO", help="Move the tokens at an element.")
    ] = None,
    begin: Annotated[
        list[str] | None, typer.Option("--start", metavar="ELEMENT", help="Start an element.")
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option(metavar="ELEMENT", help="End the tokens at an element.")
    ] = None,
    db: Database = DATABASE,
) -> None:
    """Move, start and end tokens by hand: all of it, or nothing. Options may be repeated.

    Example: [bold]flowkit modify 01J… --move approve=check --start inform[/bold]
    """
    from flowkit.kernel import protocol as p  # noqa: PLC0415 heavy

    with open_engine(db) as engine:
        tokens = engine.instance(instance).tokens

        def at(element: str) -> list[int]:
            found = [token.key for token in tokens if token.element == element]
            if not found:
                raise typer.BadParameter(f"no token stands at {element!r}")
            return found

        changes: list[p.MoveToken | p.StartAt | p.TerminateToken] = []
        for text in move or []:
            source, sign, target = text.partition("=")
            if not (source and sign and target):
                raise typer.BadParameter(f"expected FROM=TO, found {text!r}")
            changes.extend(p.MoveToken(token=key, to=target) for key in at(source))
        changes.extend(p.StartAt(node=element) for element in begin or [])
        changes.extend(p.TerminateToken(token=key) for element in end or [] for key in at(element))
        if not changes:
            raise typer.BadParameter("expected --move, --start or --end")
        engine.modify(instance, changes)


def set_variables(
    instance: Annotated[str, typer.Argument(help="An instance's id.")],
    variables: Variables = None,
    db: Database = DATABASE,
) -> None:
    """Set variables of an instance's process scope.

    Example: [bold]flowkit set 01J… -v part_no=P-100[/bold]
    """
    given = read_variables(variables)
    if not given:
        raise typer.BadParameter("expected variables: -v NAME=VALUE")
    with open_engine(db) as engine:
        engine.set_variables(instance, given)


def assign(
    task: Annotated[str, typer.Argument(help="A task's id, from: flowkit tasks.")],
    to: Annotated[str | None, typer.Option(help="Default: nobody; its candidates may take it.")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Who says so.")] = None,
    db: Database = DATABASE,
) -> None:
    """Give a user task to somebody, or back to its candidates, whoever has it now.

    Example: [bold]flowkit assign 01J…:7 --to 李四[/bold]
    """
    with open_engine(db) as engine:
        engine.assign(task, to, user=user)


def clean(
    before: Annotated[
        datetime | None, typer.Option(help="Those that ended before this time, in FLOWKIT_ZONE.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Those that ended so long ago: P90D, say.")
    ] = None,
    process: Annotated[str | None, typer.Option("--process", "-p", help="Only of this process.")] = None,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Delete instances that are over, with their history, and messages whose time is over.

    Interrupted, the same command goes on with what is left. Export first what is to be kept.

    Example: [bold]flowkit clean --older-than P90D[/bold]
    """
    if (before is None) == (older_than is None):
        raise typer.BadParameter("expected --before or --older-than")
    age = read_duration(older_than, "--older-than") if older_than is not None else timedelta(0)
    with open_engine(db) as engine:
        now = engine.clock.now()
        limit = before.replace(tzinfo=now.tzinfo) if before is not None else now - age
        gone = engine.clean_up(limit, process=process)
    print_json({"deleted": gone}) if as_json else typer.echo(f"{gone} instances deleted")
