"""``flowkit notify``: what a notification would look like, or a real test message."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from flowkit.cli.inputs import Settings, Variables, processes_folder, read_variables
from flowkit.cli.output import AsJson, console, print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(notify)


def notify(
    template: Annotated[str, typer.Argument(help="A template's id.")],
    to: Annotated[list[str], typer.Option("--to", help="A role or name; may be repeated.")],
    variables: Variables = None,
    channel: Annotated[str | None, typer.Option(help="By preference, separated by commas.")] = None,
    templates: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="The folder of templates.")
    ] = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--send", help="Show what would be sent, or send it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show what a notification would say to whom and by which channel; nothing is sent without --send.

    Example: [bold]flowkit notify progress_changed --to 客户 -v plate=京A12345[/bold]
    """
    from flowkit.tasks import Outgoing, TaskContext, Undeliverable  # noqa: PLC0415 heavy
    from flowkit.tasks.library import standard_tasks  # noqa: PLC0415 heavy

    texts = templates or processes_folder() / "templates"
    notifier = standard_tasks(settings=settings, templates=texts).notifier
    data = read_variables(variables)
    now = datetime.now(UTC)
    context = TaskContext(
        instance_id="cli", job_id=f"cli:{now:%Y%m%d%H%M%S%f}", headers={"template": template}, now=now
    )
    recipients = list(to)
    names = notifier.preference(channel)
    if not dry_run:
        notifier.notify(context, recipients, data, channel)  # type: ignore[arg-type]  # list of names
        for posted in context.outgoing:
            item = Outgoing(
                id=posted.key, kind=posted.kind, key=posted.key, payload=posted.payload, attempts=1, now=now
            )
            with suppress(Undeliverable):  # it is told below
                message = notifier.deliver(item)
                if message is not None:
                    console(stderr=True).print(
                        f"{message.name} is for a process: only an engine with it makes the call."
                    )
        print_json(notifier.notices())
        return
    found = [
        {
            "to": notice.to,
            "ways": {name: notifier.channels[name].address(notice.contact) for name in names},
            "subject": notice.subject,
            "text": notice.text,
            "missing": notice.missing,
        }
        for notice in notifier.render(template, recipients, data, context)  # type: ignore[arg-type]
    ]
    if as_json:
        print_json(found)
    else:
        _tell(found)


def _tell(found: list[dict[str, Any]]) -> None:
    from rich.text import Text  # noqa: PLC0415 heavy

    screen = console()
    for it in found:
        screen.print(Text.assemble((it["to"], "bold"), "  ", it["subject"]))
        for name, address in it["ways"].items():
            screen.print(Text(f"  {name}: {address}") if address else Text(f"  {name}: no address", "yellow"))
        screen.print(Text(f"  {it['text']}"))
        if it["missing"]:
            screen.print(Text(f"  no value for: {', '.join(it['missing'])}", "yellow"))
