"""``flowkit demo``: a whole car repair on a SQLite file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from flowkit.cli.inputs import database_url, processes_folder
from flowkit.cli.output import FAILED, console, fail

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    process: Annotated[
        str, typer.Argument(help="auto_4s, ecommerce_return, onsite_repair or complaint.")
    ] = "auto_4s",
    db: Annotated[
        str | None,
        typer.Option(
            "--db", metavar="URL", help="Default: a SQLite file in a temporary folder.", callback=database_url
        ),
    ] = None,
) -> None:
    """Watch one of the processes that come with flowkit run from its beginning to its end.

    Handlers are called, people's tasks are done by a script, timers fire on a virtual clock.

    Example: [bold]flowkit demo auto_4s[/bold]
    """
    from flowkit.cli.run import deployable, play, printer, tell_summary  # noqa: PLC0415 heavy
    from flowkit.testing.script import parse_script  # noqa: PLC0415 heavy

    folder = processes_folder()
    path, script = folder / f"{process}.bpmn", folder / "scripts" / f"{process}.yaml"
    if not path.is_file() or not script.is_file():
        known = ", ".join(sorted(file.stem for file in (folder / "scripts").glob("*.yaml"))) or "none"
        fail(f"expected a process with a script, found {process!r}; there are: {known}", 2)
    content = script.read_bytes()
    plan = parse_script(content, file=str(script))
    with tempfile.TemporaryDirectory(prefix="flowkit-demo-") as scratch:
        url = db or f"sqlite:///{Path(scratch) / 'demo.db'}"
        console().print(f"[bold]{plan.title or process}[/bold]  [dim]{path.name} · {url}[/dim]")
        player, problem = play(
            plan,
            deployable(path),
            db=url,
            tasks=None,
            settings=None,
            templates=folder / "templates",
            tell=printer(),
            content=content,
        )
    tell_summary(player, problem)
    if problem or player.summary.get("incidents"):
        raise typer.Exit(FAILED)
