"""Commands on behaviour: ``check`` (is the diagram sound?) and ``verify`` (is it portable?)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowkit.cli.output import FAILED, AsJson, print_findings, print_json
from flowkit.findings import Severity

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
    decided": what was found is true, but there may be more.

    Example: [bold]flowkit check processes/auto_4s.bpmn[/bold]
    """
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.soundness import check_soundness  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    bpmn.check_deployable(definitions)
    wanted = [process] if process else [one.id for one in definitions.processes if one.is_executable]
    results = [check_soundness(definitions, one, max_states=states) for one in wanted]
    findings = [finding for result in results for finding in result.findings]
    if as_json:
        print_json(
            [
                {
                    "process": result.process,
                    "sound": result.sound,
                    "decided": result.decided,
                    "states": result.states,
                    "findings": result.findings,
                }
                for result in results
            ]
        )
    else:
        print_findings(findings)
        for result in results:
            typer.echo(result.summary)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(FAILED)


def verify(
    path: File,
    process: ProcessId = None,
    walks: Annotated[int, typer.Option(help="Random walks through both engines.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Which walks.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Does the diagram run the same on SpiffWorkflow? What would not, and why.

    Example: [bold]flowkit verify processes/auto_4s.bpmn[/bold]
    """
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.adapters import spiff  # noqa: PLC0415 heavy

    definitions = bpmn.parse(path.read_bytes(), file=str(path))
    wanted = [process] if process else [one.id for one in definitions.processes if one.is_executable]
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
    if not all(report.same for report in reports):
        raise typer.Exit(FAILED)
