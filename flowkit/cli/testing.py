"""Commands for people who test processes: ``test`` plays scripts, ``coverage`` merges what they covered."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowkit.cli.inputs import Settings, Tasks, handlers_of
from flowkit.cli.output import FAILED, AsJson, fail, print_json

if TYPE_CHECKING:
    from flowkit.testing.coverage import Coverage, ProcessCoverage, TableCoverage
    from flowkit.testing.suite import Played, Suite

__all__ = ["register"]

Covered = Annotated[
    float, typer.Option(min=0, max=100, help="Fail below so many percent of a process's flows and ends.")
]
CoveredRules = Annotated[
    float, typer.Option(min=0, max=100, help="Fail below so many percent of a table's rules.")
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FOLDER", help="Write web pages with diagrams.")]
MOST_TOLD = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("test")(play_scripts)
    app.command("coverage")(merge)


def play_scripts(
    path: Annotated[
        Path,
        typer.Argument(exists=True, metavar="FOLDER", help="A folder of diagrams; to generate, or one file."),
    ],
    scripts: Annotated[
        list[Path] | None, typer.Argument(help="Scripts or folders; default: its scripts and scenarios.")
    ] = None,
    covered: Covered = 0,
    covered_rules: CoveredRules = 0,
    html: Html = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE", help="Write what was covered, as JSON.")
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Write scripts that together take every flow, to be filled in.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to; default: scenarios/PROCESS."),
    ] = None,
    tasks: Tasks = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Play every script of a folder and tell which flows, ends and rules none of them used.

    Example: [bold]flowkit test processes/ --covered 100 --html coverage[/bold]

    Example: [bold]flowkit test --generate processes/complaint.bpmn -o drafts[/bold]
    """
    from flowkit.testing.suite import find_scripts  # noqa: PLC0415 heavy

    if generate:
        _generate(path, output, tasks, settings)
        return
    if not path.is_dir():
        fail(f"expected a folder of diagrams, found the file {path}", 2)
    found = find_scripts(scripts or [path])
    if not found:
        fail(f"expected scripts (*.yaml) in {path}/scripts or {path}/scenarios, found none", 2)
    with _suite(path, tasks, settings) as suite:
        played = _play(suite, found, quiet=as_json)
    failed = sum(1 for one in played if one.problem)
    told = [{"script": it.script, "title": it.title, "problem": it.problem, "seconds": it.seconds}
            for it in played]  # fmt: skip
    if data is not None:
        suite.coverage.write(data)
    enough = _tell(suite.coverage, covered, covered_rules, html, {"scripts": told} if as_json else None)
    if not as_json:
        typer.echo(f"{len(played) - failed} of {len(played)} scripts as expected")
    if failed or not enough:
        raise typer.Exit(FAILED)


@contextmanager
def _suite(folder: Path, tasks: list[str] | None, settings: Path | None) -> Iterator[Suite]:
    from flowkit.testing.suite import Suite  # noqa: PLC0415 heavy

    texts = folder / "templates"
    with tempfile.TemporaryDirectory(prefix="flowkit-test-") as scratch:
        yield Suite(
            folder,
            Path(scratch),
            lambda url: handlers_of(tasks, url, settings, texts if texts.is_dir() else None)[1],
        )


def _generate(path: Path, output: Path | None, tasks: list[str] | None, settings: Path | None) -> None:
    """Write skeletons for a file or a folder; nothing that is there is written over."""
    from flowkit.testing.generate import Generator  # noqa: PLC0415 heavy

    folder = path if path.is_dir() else path.parent
    with _suite(folder, tasks, settings) as suite, tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / "draft.yaml"

        def play(text: str) -> str:
            draft.write_text(text, "utf-8")
            return next(suite.play([draft])).problem

        generator = Generator(folder, play)
        for process in generator.processes(None if path.is_dir() else path):
            target = (output or folder / "scenarios") / process
            for one in generator.skeletons(process):
                file = target / f"generated_{one.number:02}.yaml"
                if file.exists():
                    fail(f"{file} is there already: move what you have filled in, or choose another -o", 2)
                target.mkdir(parents=True, exist_ok=True)
                file.write_text(one.text, "utf-8")
                typer.echo(f"{'to fill in' if one.problem else 'plays':11}{file}")
            for flow in generator.missing[process]:
                typer.echo(f"{'no path':11}{process}: {flow}")


def _play(suite: Suite, scripts: list[Path], *, quiet: bool) -> list[Played]:
    played = []
    for one in suite.play(scripts):
        played.append(one)
        if not quiet:
            typer.secho(
                f"{'FAILED' if one.problem else 'ok':7}{one.script.name}  {one.title}",
                fg="red" if one.problem else None,
            )
            if one.problem:
                for line in (one.problem, *one.details.splitlines()):
                    typer.echo(f"       {line}")
    return played


def merge(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Files written by --data.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the sum, as JSON.")
    ] = None,
    covered: Covered = 0,
    covered_rules: CoveredRules = 0,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Add up what several runs covered, and tell what none of them did.

    Example: [bold]flowkit coverage unit.json nightly.json -o all.json --html coverage --covered 100[/bold]
    """
    from flowkit.testing.coverage import Coverage  # noqa: PLC0415 heavy

    total = Coverage()
    for file in files:
        total.merge(Coverage.read(file))
    if output is not None:
        total.write(output)
    if not _tell(total, covered, covered_rules, html, {} if as_json else None):
        raise typer.Exit(FAILED)


def _tell(
    coverage: Coverage,
    covered: float,
    covered_rules: float,
    html: Path | None,
    data: dict[str, object] | None,
) -> bool:
    """Tell it; as JSON together with ``data``. True if it is enough."""
    processes = [coverage.processes[key] for key in sorted(coverage.processes)]
    tables = [coverage.tables[key] for key in sorted(coverage.tables)]
    if data is not None:
        parts = [
            {"process": it.process, "percent": 100 * it.share, "missing": it.missing} for it in processes
        ]
        rules = [{"decision": it.decision, "percent": 100 * it.share, "missing": it.missing} for it in tables]
        print_json(data | {"coverage": parts, "rules": rules})
    else:
        for process in processes:
            _line(process, process.process, f"{len(process.flows)} flows and {len(process.ends)} ends")
        for table in tables:
            _line(table, table.decision, f"{len(table.rules)} rules")
    if html is not None:
        from flowkit.testing.coverage_page import write_pages  # noqa: PLC0415 heavy

        typer.echo(f"{write_pages(coverage, html)}", err=True)
    return all(100 * it.share >= covered for it in processes) and all(
        100 * it.share >= covered_rules for it in tables
    )


def _line(part: ProcessCoverage | TableCoverage, name: str, of: str) -> None:
    typer.echo(f"{name:24} {part.share:6.1%} of {of}")
    missing = part.missing
    for text in missing[:MOST_TOLD]:
        typer.echo(f"    never: {text}")
    if len(missing) > MOST_TOLD:
        typer.echo(f"    … and {len(missing) - MOST_TOLD} more")
