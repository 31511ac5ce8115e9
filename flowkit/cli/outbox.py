"""The outbox: what has not reached its receiver, to be sent again or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowkit.cli.inputs import Database, open_engine
from flowkit.cli.instances import Limit
from flowkit.cli.operate import DATABASE
from flowkit.cli.output import FAILED, AsJson, print_json, print_table, tell_if_cut

if TYPE_CHECKING:
    from flowkit.engine import Engine

__all__ = ["register"]

Entries = Annotated[list[str] | None, typer.Argument(help="Ids, from: flowkit outbox.")]
Kind = Annotated[str | None, typer.Option(help="Only of this kind, such as notice.")]
AllFailed = Annotated[bool, typer.Option("--failed", help="All that have failed.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (outbox, resend, drop):
        app.command()(command)


def outbox(
    failed: Annotated[bool, typer.Option("--failed", help="Only what will not be tried again.")] = False,
    kind: Kind = None,
    limit: Limit = 100,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """List what has not reached its receiver; exit code 1 if something has failed for good.

    Example: [bold]flowkit outbox --failed[/bold]
    """
    with open_engine(db) as engine:
        found = engine.outbox(kind=kind, state="failed" if failed else None, limit=limit)
    tell_if_cut(found, limit)
    if as_json:
        print_json(found)
    else:
        rows = [
            (it.id, it.kind, it.state, it.attempt, it.at, it.instance_id, it.error.partition("\n")[0])
            for it in found
        ]
        columns = ("id", "kind", "state", "attempts", "next", "instance", "error")
        print_table(columns, rows, none="the outbox is empty")
    if any(it.state == "failed" for it in found):
        raise typer.Exit(FAILED)


def resend(
    entries: Entries = None,
    failed: AllFailed = False,
    kind: Kind = None,
    attempts: Annotated[int | None, typer.Option(min=1, help="Default: as many as before.")] = None,
    db: Database = DATABASE,
) -> None:
    """Try to deliver again; the next worker does.

    Example: [bold]flowkit resend --failed --kind notice[/bold]
    """
    with open_engine(db) as engine:
        for entry in _meant(engine, entries, failed, kind):
            engine.resend(entry, attempts=attempts)


def drop(
    entries: Entries = None, failed: AllFailed = False, kind: Kind = None, db: Database = DATABASE
) -> None:
    """Never deliver; the entries are gone.

    Example: [bold]flowkit drop 019b2f…[/bold]
    """
    with open_engine(db) as engine:
        for entry in _meant(engine, entries, failed, kind):
            engine.drop(entry)


def _meant(engine: Engine, entries: list[str] | None, failed: bool, kind: str | None) -> list[str]:
    if bool(entries) == failed:
        raise typer.BadParameter("expected ids, or --failed for all that have failed")
    return entries or [it.id for it in engine.outbox(kind=kind, state="failed")]
