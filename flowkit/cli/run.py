"""``flowkit run``: play a diagram with a script on a virtual clock, telling the trail as it happens."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from flowkit.cli.inputs import (
    Settings,
    Tasks,
    Variables,
    database_url,
    handlers_of,
    open_engine,
    read_variables,
)
from flowkit.cli.output import FAILED, AsJson, console, print_json
from flowkit.errors import InvalidModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowkit.testing.player import Player
    from flowkit.testing.script import Script
    from flowkit.testing.trail import TrailLine

__all__ = ["deployable", "play", "register"]

ZONE = ZoneInfo("Asia/Shanghai")
_SIGNS = {
    "start": ("▶", "bold green"),
    "end": ("■", "bold green"),
    "event": ("◉", "bold"),
    "user": ("☑", ""),
    "task": ("·", "dim"),
    "job": ("⚙", "cyan"),
    "gateway": ("◇", "magenta"),
    "timer": ("⏰", "yellow"),
    "message": ("✉", "blue"),
    "signal": ("△", "blue"),
    "decision": ("▤", "cyan"),
    "data": ("⛁", "cyan"),
    "call": ("⊞", "bold"),
    "error": ("⚡", "red"),
    "escalation": ("▲", "yellow"),
    "compensation": ("⏪", "yellow"),
    "incident": ("✖", "bold red"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def deployable(path: Path) -> dict[str, bytes]:
    """The diagram with everything beside it that it may call: a folder counts as one deployment."""
    from flowkit.engine.files import collect  # noqa: PLC0415 heavy

    return {**collect((path.parent,)), str(path): path.read_bytes()}


def run(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A BPMN file.", metavar="FILE")],
    script: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What happens from outside, as YAML."),
    ] = None,
    variables: Variables = None,
    process: Annotated[
        str | None, typer.Option(help="Without a script: the process to start, where there are several.")
    ] = None,
    business_key: Annotated[str | None, typer.Option("--key", help="The business key.")] = None,
    db: Annotated[
        str,
        typer.Option(
            "--db",
            metavar="URL",
            help="sqlite:///FILE keeps the run: killed, it goes on.",
            callback=database_url,
        ),
    ] = "memory:",
    tasks: Tasks = None,
    settings: Settings = None,
    again: Annotated[
        bool, typer.Option("--again", help="Start another run where the file holds a finished one.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Deploy only this file, not its whole folder.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a diagram on a virtual clock and tell what happens, in the diagram's own names.

    Without a script the process starts, and runs until it waits for somebody.

    Example: [bold]flowkit run processes/auto_4s.bpmn --script processes/scripts/auto_4s.yaml --db sqlite:///run.db[/bold]
    """
    files = {str(path): path.read_bytes()} if alone else deployable(path)
    given = read_variables(variables)
    content = script.read_bytes() if script is not None else b""
    if script is not None:
        if process is not None:
            raise typer.BadParameter("--process goes without --script, which names what it starts")
        plan = _scripted(content, str(script), given, business_key)
    else:
        plan = _started(path, process, given, business_key)
    templates = path.parent / "templates"
    lines: list[TrailLine] = []
    tell = lines.append if as_json else printer()
    try:
        player, problem = play(
            plan,
            files,
            db=db,
            tasks=tasks,
            settings=settings,
            templates=templates if templates.is_dir() else None,
            tell=tell,
            content=content or str(path).encode(),
            again=again,
        )
    except InvalidModel as error:
        if not alone and all(finding.location.file != str(path) for finding in error.findings):
            typer.echo(f"{path} is deployed with its whole folder; --alone leaves these files out:", err=True)
        raise
    _finish(player, problem, lines, as_json=as_json)


def _scripted(content: bytes, name: str, variables: dict[str, Any], key: str | None) -> Script:
    """What the script says, with the variables and the key of the command line over its own."""
    from flowkit.testing.script import parse_script  # noqa: PLC0415 heavy

    plan = parse_script(content, file=name)
    changes = {"variables": plan.start.variables | variables}
    if key is not None:
        changes["business_key"] = key  # type: ignore[assignment]  # two kinds of values in one update
    return plan.model_copy(update={"start": plan.start.model_copy(update=changes)})


def _started(path: Path, wanted: str | None, variables: dict[str, Any], key: str | None) -> Script:
    """A start, now, of the process ``wanted``, or of the only one; nothing follows."""
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.kernel import compile_process  # noqa: PLC0415 heavy
    from flowkit.testing.script import Script, StartStep  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    bpmn.check_deployable(definitions)
    runnable = [process.id for process in definitions.processes if process.is_executable]
    if not runnable:
        raise typer.BadParameter(f"{path} has no executable process")
    if wanted not in runnable and (wanted is not None or len(runnable) > 1):
        raise typer.BadParameter(f"expected --process {' or '.join(runnable)}, found {wanted or 'none'}")
    process = wanted or runnable[0]
    starts = {it.kind: it for it in reversed(compile_process(definitions, process).starts)}
    start = StartStep(process=process, business_key=key, variables=variables)
    if "none" not in starts and "message" in starts:
        name = starts["message"].name
        start = StartStep(message=name, key=key or "", business_key=key, variables=variables)
    now = datetime.now(UTC).astimezone(ZONE).replace(microsecond=0)
    return Script(now=now, start=start)


def play(
    plan: Script,
    files: dict[str, bytes],
    *,
    db: str,
    tasks: list[str] | None,
    settings: Path | None,
    templates: Path | None,
    tell: Callable[[TrailLine], None],
    content: bytes,
    again: bool = False,
) -> tuple[Player, str]:
    """Deploy and play; the player as it ended, and what was not as expected ("" if all was)."""
    from flowkit.engine import VirtualClock  # noqa: PLC0415 heavy
    from flowkit.testing.player import Player, ScriptFailed, script_key  # noqa: PLC0415 heavy

    registry, handlers = handlers_of(tasks, db, settings, templates)
    clock = VirtualClock(plan.now)
    with closing(handlers), open_engine(db, registry, clock, make=True) as engine:
        engine.deploy(files)
        key = None if db.startswith("memory") else script_key(content)
        player = Player(engine, plan, handlers=handlers, tell=tell, key=key, again=again)
        problem = ""
        try:
            player.play()
        except ScriptFailed as error:
            problem = str(error)
        player.summary = _summary(player) if player.root else {}
        return player, problem


def _summary(player: Player) -> dict[str, Any]:
    engine, ours = player.engine, set(player.observer.instances())
    view = engine.instance(player.root)
    return {
        "instance": view.id,
        "process": view.process_id,
        "business_key": view.business_key,
        "status": view.status,
        "ends": [name for _, name in player.ends()],
        "variables": dict(view.variables),
        "open": [
            {"id": task.id, "element": task.element_id, "name": task.name, "groups": task.candidate_groups}
            for task in player.open_tasks()
        ],
        "incidents": [
            {"id": it.id, "element": it.element_id, "message": it.message}
            for it in engine.incidents()
            if it.instance_id in ours
        ],
        "notices": [it for it in player.handlers.notifier.notices() if it["instance"] in ours],
        "jobs": sorted({job.type for job in engine.jobs() if job.instance_id in ours}),
    }


def _finish(player: Player, problem: str, lines: list[TrailLine], *, as_json: bool) -> None:
    summary = player.summary
    if as_json:
        print_json(summary | {"problem": problem, "trail": lines})
    else:
        tell_summary(player, problem)
    if problem or summary.get("incidents"):
        raise typer.Exit(FAILED)


def tell_summary(player: Player, problem: str) -> None:
    """The last lines of a run: how it stands, what waits, what went wrong."""
    from rich.text import Text  # noqa: PLC0415 heavy

    screen, summary = console(), player.summary
    if summary:
        ends = f", 到达 {', '.join(summary['ends'])}" if summary["ends"] else ""
        screen.print(Text(f"\n{summary['process']} {summary['instance']}: {summary['status']}{ends}", "bold"))
        for task in summary["open"]:
            groups = ", ".join(task["groups"])
            screen.print(Text(f"  waits for {task['name'] or task['element']} ({groups or 'anybody'})"))
        for job_type in summary["jobs"]:
            text = f"  waits for a worker of {job_type} (--tasks names a module with its handler)"
            screen.print(Text(text, "yellow"))
        for incident in summary["incidents"]:
            screen.print(Text(f"  incident at {incident['element']}: {incident['message']}", "red"))
        if summary["notices"]:
            screen.print(Text(f"  {len(summary['notices'])} notices", "dim"))
    if problem:
        screen.print(Text(problem, "bold red"))


def printer() -> Callable[[TrailLine], None]:
    """Prints lines of the trail as they come; the date where it changes."""
    from rich.text import Text  # noqa: PLC0415 heavy

    screen = console()
    last: list[Any] = [None]

    def tell(line: TrailLine) -> None:
        at = line.at.astimezone(ZONE)
        if last[0] != at.date():
            last[0] = at.date()
            screen.print(Text(f"── {at:%Y-%m-%d} ──", "dim"))
        sign, style = _SIGNS.get(line.kind, ("·", ""))
        lane = f"[{line.lane}] " if line.lane else ""
        name = line.name if line.element else ""
        said = f" {line.text}" if line.text else ""
        pad = "  " * line.depth
        screen.print(
            Text.assemble(
                (f"{at:%H:%M:%S} ", "dim"), pad, (f"{sign} ", style), (lane, "dim"), name, (said, style)
            )
        )
        screen.file.flush()  # as it happens, in a pipe too

    return tell
