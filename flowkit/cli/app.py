"""Putting the commands together; each group of commands is a module of its own.

Exit codes: 0 all well; 1 findings, a failed expectation or an incident; 2 wrong usage; 3 the engine
refused the command; 4 the store could not be reached; 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

import flowkit
from flowkit.cli import (
    analyse,
    bulk,
    checks,
    demo,
    instances,
    models,
    notices,
    operate,
    outbox,
    repair,
    run,
    testing,
    worker,
)
from flowkit.cli.output import ReadableErrors

__all__ = ["app"]

EPILOG = (
    "Exit codes: 0 all well · 1 findings, failed expectations or incidents · 2 wrong usage · "
    "3 refused · 4 store unavailable · 130 interrupted."
)

app = typer.Typer(
    name="flowkit",
    help="A durable BPMN 2.0 workflow engine: the diagram is the program.",
    epilog=EPILOG,
    cls=ReadableErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowkit {flowkit.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the command."""


for group in (
    models, checks, run, testing, demo, analyse, operate, worker, instances, repair, notices, outbox, bulk,
):  # fmt: skip
    group.register(app)
