"""Commands on behaviour: ``check`` (is the diagram sound?) and ``verify`` (is it portable?)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowkit.cli.inputs import Settings, Tasks, handlers_of, open_engine
from flowkit.cli.output import FAILED, AsJson, fail, print_findings, print_json
from flowkit.findings import Severity

if TYPE_CHECKING:
    from flowkit.bpmn.model import Definitions

__all__ = ["register"]

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A BPMN file.", show_default=False)]
ProcessId = Annotated[
    str | None, typer.Option("--process", "-p", help="Only this process; default: every executable one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, verify):
        app.command()(command)


def check(
    path: File,
    process: ProcessId = None,
    states: Annotated[int, typer.Option(help="See at most so many states.", min=1)] = 5_000,
    as_json: AsJson = False,
) -> None:
    """Explore what a diagram can do whatever its data: deadlocks, dead elements, endless loops.

    Each fault comes with a short trail to it. A diagram with more states than allowed is "not
    decided": what was found is true, but there may be more. An error that leaves the process is
    no finding where everything in the file's folder that calls the process catches it.

    Example: [bold]flowkit check processes/auto_4s.bpmn[/bold]
    """
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.soundness import calls_elsewhere, check_soundness, without_caught  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    bpmn.check_deployable(definitions)
    wanted = [process] if process else [one.id for one in definitions.processes if one.is_executable]
    called = _beside(path) if calls_elsewhere(definitions) else []
    results = [check_soundness(definitions, one, max_states=states, called=called) for one in wanted]
    if any(finding.rule == "uncaught-error" for result in results for finding in result.findings):
        files = [definitions, *(called or _beside(path))]
        results = [without_caught(result, one, files) for result, one in zip(results, wanted, strict=True)]
    findings = [finding for result in results for finding in result.findings]
    if as_json:
        print_json(
            [
                {
                    "process": result.process,
                    "sound": result.sound,
                    "decided": result.decided,
                    "states": result.states,
                    "notes": result.notes,
                    "findings": result.findings,
                }
                for result in results
            ]
        )
    else:
        print_findings(findings)
        for result in results:
            typer.echo(result.summary)
            for note in result.notes:
                typer.echo(f"  {note}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(FAILED)


def _beside(path: Path) -> list[Definitions]:
    """The other diagrams of the folder, as far as they can be read."""
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.errors import InvalidModel  # noqa: PLC0415

    found = []
    for other in sorted(path.parent.glob("*.bpmn")):
        if not other.samefile(path):
            with suppress(InvalidModel):
                found.append(bpmn.parse(other.read_bytes(), file=str(other)))
    return found


def verify(
    path: File,
    process: ProcessId = None,
    script: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Compare the trail of this script instead of walks."),
    ] = None,
    walks: Annotated[int, typer.Option(help="Random walks through both engines.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Which walks.")] = 0,
    tasks: Tasks = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Does the diagram run the same on SpiffWorkflow? What would not, and why.

    With a script, the run that it makes is led through SpiffWorkflow; what that lacks hinders only
    where the run meets it.

    Example: [bold]flowkit verify processes/auto_4s.bpmn --script processes/scripts/auto_4s.yaml[/bold]
    """
    from flowkit import bpmn  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    wanted = [process] if process else [one.id for one in definitions.processes if one.is_executable]
    if script is None:
        same = _verify_walks(definitions, wanted, walks, seed, as_json=as_json)
    else:
        same = _verify_script(path, definitions, wanted, script, tasks, settings, as_json=as_json)
    if not same:
        raise typer.Exit(FAILED)


def _verify_walks(
    definitions: Definitions, wanted: list[str], walks: int, seed: int, *, as_json: bool
) -> bool:
    from flowkit.adapters import spiff  # noqa: PLC0415 heavy

    reports = [spiff.verify(definitions, one, walks=walks, seed=seed) for one in wanted]
    if as_json:
        print_json(
            [
                {
                    "process": report.process,
                    "same": report.same,
                    "walks": report.walks,
                    "gaps": report.gaps,
                    "differences": [
                        {"walk": list(one.walk), "choices": dict(one.choices), "message": one.message}
                        for one in report.differences
                    ],
                }
                for report in reports
            ]
        )
    else:
        for report in reports:
            print_findings(report.gaps)
            for one in report.differences:
                typer.echo(f"after {' → '.join(one.walk) or 'the start'}: {one.message}")
            if report.same:
                typer.echo(f"{report.process}: the same on SpiffWorkflow in {report.walks} walks")
            elif report.gaps:
                typer.echo(f"{report.process}: not portable as it is ({len(report.gaps)} elements)")
            else:
                typer.echo(f"{report.process}: {len(report.differences)} of {walks} walks differ")
    return all(report.same for report in reports)


def _verify_script(
    path: Path,
    definitions: Definitions,
    wanted: list[str],
    script: Path,
    tasks: list[str] | None,
    settings: Path | None,
    *,
    as_json: bool,
) -> bool:
    from flowkit.adapters.spiff_trail import compare_trail  # noqa: PLC0415 heavy
    from flowkit.cli.run import deployable  # noqa: PLC0415 heavy
    from flowkit.engine import VirtualClock  # noqa: PLC0415 heavy
    from flowkit.testing.player import Player  # noqa: PLC0415 heavy
    from flowkit.testing.script import read_script  # noqa: PLC0415 heavy

    plan, texts = read_script(script), path.parent / "templates"
    registry, handlers = handlers_of(tasks, "memory:", settings, texts if texts.is_dir() else None)
    with open_engine("memory:", registry, VirtualClock(plan.now)) as engine:
        engine.deploy(deployable(path))
        Player(engine, plan, handlers=handlers).play()
        runs = [
            (view.process_id, [entry.event for entry in engine.history(view.id)])
            for view in engine.instances()
            if view.process_id in wanted
        ]
    if not runs:
        fail(f"expected {script} to start {' or '.join(wanted)}; it did not", 2)
    reports = [compare_trail(definitions, one, events) for one, events in runs]
    if as_json:
        print_json([{"same": report.same, **asdict(report)} for report in reports])
    else:
        for report in reports:
            if report.obstacle is not None:
                print_findings([report.obstacle])
            typer.echo(report.summary)
            for gap in report.beside if report.same else ():
                typer.echo(
                    f"  beside it: {gap.location} {gap.element_id} '{gap.element_name}': {gap.message}"
                )
    return all(report.same for report in reports)
