"""Operations on one instance or on all that match: suspend, resume, migrate, and ``bulk``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer

from flowkit.cli.inputs import Database, Variables, open_engine, read_variables
from flowkit.cli.instances import Status
from flowkit.cli.operate import DATABASE, point
from flowkit.cli.output import FAILED, AsJson, console, print_json, print_table

__all__ = ["register"]

Instance = Annotated[str, typer.Argument(help="An instance's id.")]
Version = Annotated[int | None, typer.Option(help="Go on with this version; default: the newest.")]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OLD=NEW", help="An element whose id changed; may be repeated."),
]


class Action(StrEnum):
    """What is done to each instance."""

    cancel = "cancel"
    suspend = "suspend"
    resume = "resume"
    retry = "retry"
    migrate = "migrate"
    move = "move"
    skip = "skip"
    restart = "restart"


MEANT: dict[Action, dict[str, Any]] = {
    Action.cancel: {"running": True},
    Action.suspend: {"status": "active"},
    Action.resume: {"status": "suspended"},
    Action.retry: {"running": True, "with_incidents": True},
    Action.migrate: {"running": True},
    Action.move: {"running": True},
    Action.skip: {"running": True, "with_incidents": True},
    Action.restart: {"restarted": False, "is_restart": False},
}
"""What an action always asks for: so the same command, given again, goes on with what is left."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (suspend, resume, migrate, bulk):
        app.command()(command)


def suspend(instance: Instance, db: Database = DATABASE) -> None:
    """Stop all progress of an instance: its jobs, timers and messages wait.

    Example: [bold]flowkit suspend 01J…[/bold]
    """
    with open_engine(db) as engine:
        engine.suspend(instance)


def resume(instance: Instance, db: Database = DATABASE) -> None:
    """Let a suspended instance go on.

    Example: [bold]flowkit resume 01J…[/bold]
    """
    with open_engine(db) as engine:
        engine.resume(instance)


def migrate(
    instance: Instance,
    version: Version = None,
    mapping: Mapped = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is in the way.")] = False,
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Let a running instance go on with another version of its process.

    Example: [bold]flowkit migrate 01J… --map approve=approve_again --dry-run[/bold]
    """
    ids = _mapping(mapping)
    with open_engine(db) as engine:
        report = (engine.check_migration if dry_run else engine.migrate)(instance, version, ids)
    if as_json:
        print_json(report)
    else:
        rows = [(obstacle.element, obstacle.message) for obstacle in report.obstacles]
        way = f"version {report.from_version} → {report.to_version}"
        print_table(("element", "obstacle"), rows, none=f"{way}: nothing is in the way" if dry_run else way)
    if report.obstacles:
        raise typer.Exit(FAILED)


def bulk(
    action: Annotated[Action, typer.Argument(help="What to do to each instance.")],
    process: Annotated[str | None, typer.Option("--process", "-p", help="Only of this process.")] = None,
    of_version: Annotated[int | None, typer.Option("--of-version", help="Only of this version.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only with this status.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only with this business key.")] = None,
    element: Annotated[str | None, typer.Option(help="Only where a token stands at this element.")] = None,
    variables: Variables = None,
    with_incidents: Annotated[bool, typer.Option("--with-incidents", help="Only with incidents.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All that there are.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    version: Version = None,
    mapping: Mapped = None,
    retries: Annotated[int, typer.Option(help="For retry: attempts a job gets.", min=1)] = 1,
    to: Annotated[str | None, typer.Option(help="For move and skip: the element to go to.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="ELEMENT|NUMBER", help="For restart: go on from there.")
    ] = None,
    give: Annotated[
        list[str] | None,
        typer.Option(metavar="JSON|@FILE|NAME=VALUE", help="For skip and restart: variables."),
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="For restart: end first those that run.")] = False,
    reason: Annotated[str, typer.Option(help="For cancel: kept in the history.")] = "",
    db: Database = DATABASE,
    as_json: AsJson = False,
) -> None:
    """Do something to every instance that matches all conditions, fifty in a transaction.

    Interrupted, the same command goes on with those that are left. -v NAME=VALUE is a condition.

    Example: [bold]flowkit bulk retry -p auto_4s --element check_stock --retries 3[/bold]
    """
    given = {
        "process": process,
        "version": of_version,
        "status": status,
        "business_key": key,
        "element": element,
        "variables": read_variables(variables) or None,
        "with_incidents": with_incidents or None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    if bool(asked) == everything:
        raise typer.BadParameter("expected conditions, such as --process, or --all")
    options = Options(
        element, to, version, _mapping(mapping), retries, reason, at, read_variables(give), cancel
    )
    work = _work(action, options)
    always = MEANT[action] if action is not Action.restart or cancel else MEANT[action] | {"running": False}
    with open_engine(db) as engine:
        meant = engine.select(**(always | asked))
        if dry_run:
            count = sum(1 for _ in meant)
            print_json({"matching": count}) if as_json else typer.echo(f"{count} instances match")
            return
        with _progress(action) as tell:
            report = engine.bulk(meant, work, progress=tell)
    if as_json:
        print_json({"done": len(report.done), "failed": dict(report.failed)})
    else:
        typer.echo(f"{len(report.done)} done, {len(report.failed)} failed")
        if report.failed:
            print_table(("instance", "why"), list(report.failed.items()), none="")
    if report.failed:
        raise typer.Exit(FAILED)


class Options(NamedTuple):
    """What the actions are told; each reads its own."""

    element: str | None
    to: str | None
    version: int | None
    mapping: dict[str, str]
    retries: int
    reason: str
    at: str | None
    variables: dict[str, Any]
    cancel: bool


def _work(action: Action, given: Options) -> Any:
    from flowkit.engine import actions  # noqa: PLC0415 heavy
    from flowkit.kernel import protocol as p  # noqa: PLC0415 heavy

    if action is Action.cancel:
        return p.Cancel(reason=given.reason)
    if action is Action.suspend:
        return p.Suspend()
    if action is Action.resume:
        return p.Resume()
    if action is Action.retry:
        return actions.retry(given.retries)
    if action is Action.migrate:
        return actions.migrate(given.version, given.mapping)
    if action is Action.skip:
        return actions.skip(given.variables, given.to)
    if action is Action.restart:
        return actions.restart(point(given.at), given.variables, cancel=given.cancel)
    if given.element is None or given.to is None:
        raise typer.BadParameter("move expects --element, where the tokens stand, and --to")
    return actions.move(given.element, given.to)


def _mapping(given: list[str] | None) -> dict[str, str]:
    found = {}
    for text in given or []:
        old, sign, new = text.partition("=")
        if not (old and sign and new):
            raise typer.BadParameter(f"expected OLD=NEW, found {text!r}")
        found[old] = new
    return found


@contextmanager
def _progress(action: Action) -> Iterator[Callable[[int], None]]:
    """A counter for people, on standard error."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 heavy

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        row = bar.add_task(action.value, total=None)
        yield lambda count: bar.update(row, completed=count)
