"""Commands on files: ``lint``, ``draw``, ``layout``, ``decide``, ``feel``, ``templates``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import flowkit
from flowkit.cli.inputs import Tasks, Variables, handlers_of, read_variables
from flowkit.cli.output import FAILED, AsJson, fail, print_findings, print_json
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Severity

if TYPE_CHECKING:
    from flowkit.dmn import DecisionModel
    from flowkit.feel import HostFunction

__all__ = ["register"]

Files = Annotated[list[Path], typer.Argument(exists=True, help="Files or folders.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (lint, draw, layout, decide, feel, templates):
        app.command()(command)


# ---- lint -----------------------------------------------------------------------------------


def _models(paths: list[Path]) -> list[Path]:
    from flowkit.engine.files import IN_FOLDERS, models_in  # noqa: PLC0415 heavy

    found = [file for path in paths for file in (models_in(path) if path.is_dir() else [path])]
    if not found:
        places = ", ".join(map(str, paths))
        fail(f"there is nothing to check in {places}: expected files {', '.join(IN_FOLDERS)}", 2)
    return found


def _findings(paths: list[Path], job_types: frozenset[str] | None, *, whole: bool) -> list[Finding]:
    """What is wrong with the files; with ``whole`` also what they call and none of them has."""
    from flowkit import bpmn  # noqa: PLC0415 heavy
    from flowkit.bpmn.references import missing_definitions  # noqa: PLC0415

    found: list[Finding] = []
    known: set[tuple[str, str]] = set()
    diagrams = []
    for path in paths:
        try:
            if path.suffix.lower() in (".form", ".json"):
                from flowkit.tasks.forms import read_form  # noqa: PLC0415 heavy

                known.add(("form", read_form(path.read_bytes(), file=str(path)).id))
            elif path.suffix.lower() != ".dmn":
                definitions = bpmn.parse(path.read_bytes(), file=str(path))
                diagrams.append(definitions)
                found += bpmn.lint(definitions, job_types=job_types)
                known |= {("process", one.id) for one in (*definitions.processes, *definitions.global_tasks)}
        except InvalidModel as error:
            found += error.findings
    decisions, problems = _decision_findings([path for path in paths if path.suffix.lower() == ".dmn"])
    known |= {("decision", one) for one in decisions}
    missing = missing_definitions(diagrams, lambda kind, wanted: (kind, wanted.id) in known) if whole else []
    found = [*found, *problems, *missing]
    place = {str(path): number for number, path in enumerate(paths)}
    return sorted(found, key=lambda one: place.get(one.location.file, -1))


def _decision_findings(paths: list[Path]) -> tuple[set[str], list[Finding]]:
    """The ids of the decisions, and what is wrong; files that import one another are read together."""
    if not paths:
        return set(), []
    from flowkit import dmn  # noqa: PLC0415 heavy

    try:
        files = {str(path): path.read_bytes() for path in paths}
        models = dmn.parse_files(files, functions=_business_time())
    except InvalidModel as error:
        return set(), list(error.findings)
    ids = {decision for model in models.values() for decision in model.decisions}
    return ids, [finding for model in models.values() for finding in dmn.check(model)]


def lint(
    paths: Files,
    as_json: AsJson = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code scanning.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    types: Annotated[
        bool, typer.Option("--handlers", help="Refuse job types that neither --tasks nor flowkit handles.")
    ] = False,
    tasks: Tasks = None,
) -> None:
    """Check BPMN, DMN and form files: what deployment would refuse, and what is unwise.

    Example: [bold]flowkit lint processes/[/bold]
    """
    job_types = handlers_of(tasks, "memory:", None)[0].types if types or tasks else None
    findings = _findings(_models(paths), job_types, whole=any(path.is_dir() for path in paths))
    from flowkit.bpmn import report  # noqa: PLC0415 heavy

    if sarif:
        typer.echo(report.to_sarif(findings, version=flowkit.__version__))
    elif as_json:
        typer.echo(report.to_json(findings))
    else:
        print_findings(findings)
        typer.echo(report.to_text(findings).rpartition("\n")[2])
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(finding.severity in bad for finding in findings):
        raise typer.Exit(FAILED)


# ---- pictures -------------------------------------------------------------------------------


class _Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


def draw(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A BPMN file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="An .svg or .png file; default: beside the diagram.")
    ] = None,
    diagram: Annotated[
        str | None, typer.Option(help="Which of several: its id or name, or a subprocess to drill into.")
    ] = None,
    theme: Annotated[_Theme, typer.Option(help="Colours.")] = _Theme.LIGHT,
) -> None:
    """Draw a diagram as SVG or PNG.

    Example: [bold]flowkit draw processes/auto_4s.bpmn -o auto_4s.svg[/bold]
    """
    from flowkit.bpmn import diagram as pictures  # noqa: PLC0415 heavy

    target = output or path.with_suffix(".svg")
    colours = pictures.DARK if theme is _Theme.DARK else pictures.LIGHT
    svg = pictures.draw(path.read_bytes(), diagram=diagram, theme=colours)
    if target.suffix == ".png":
        target.write_bytes(pictures.to_png(svg))
    elif target.suffix == ".svg":
        target.write_text(svg, encoding="utf-8")
    else:
        fail(f"expected a file .svg or .png, found {target}", 2)
    typer.echo(f"{target}")


def layout(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A BPMN file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; default: the file itself.")
    ] = None,
) -> None:
    """Lay a diagram out anew: pools, lanes, subprocesses; everything but the picture stays as it is.

    Example: [bold]flowkit layout untidy.bpmn -o tidy.bpmn[/bold]
    """
    from flowkit.bpmn import diagram as pictures  # noqa: PLC0415 heavy

    target = output or path
    target.write_bytes(pictures.layout(path.read_bytes(), file=str(path)))
    typer.echo(f"{target}")


# ---- FEEL and DMN ---------------------------------------------------------------------------


def decide(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A DMN file.")],
    decision: Annotated[str | None, typer.Argument(help="Its id or name; default: the only one.")] = None,
    variables: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a DMN decision and tell why it came out so.

    Example: [bold]flowkit decide processes/decisions/payer.dmn -v '{"warranty": true}'[/bold]
    """
    from flowkit import dmn  # noqa: PLC0415 heavy

    model = _decision_model(path)
    errors = [finding for finding in dmn.check(model) if finding.severity is Severity.ERROR]
    if errors:
        raise InvalidModel(errors)
    names = list(model.decisions)
    if decision is None and len(names) != 1:
        fail(f"expected a decision, there are: {', '.join(names)}", 2)
    result = model.evaluate(decision or names[0], read_variables(variables))
    if as_json:
        steps = [step.to_json() for step in result.evaluations]
        notes = [str(note) for note in result.diagnostics]
        print_json({"output": result.output, "evaluations": steps, "diagnostics": notes})
    else:
        typer.echo(dmn.explain(result))


def _decision_model(path: Path) -> DecisionModel:
    """The model in a file; what it imports is looked for in the files beside it."""
    from flowkit import dmn  # noqa: PLC0415 heavy

    functions = _business_time()
    try:
        return dmn.parse(path.read_bytes(), file=str(path), functions=functions)
    except InvalidModel as error:
        if all(finding.rule != "missing-import" for finding in error.findings):
            raise
    beside = {str(file): file.read_bytes() for file in sorted(path.parent.glob("*.dmn"))}
    return dmn.parse_files({str(path): path.read_bytes(), **beside}, functions=functions)[str(path)]


def _business_time() -> Mapping[str, HostFunction]:
    """The FEEL functions that the command line's engines have."""
    from flowkit.feel.calendar import calendar_functions  # noqa: PLC0415 heavy
    from flowkit.tasks.library.deadlines import default_calendars  # noqa: PLC0415 heavy

    return calendar_functions(default_calendars())


def feel(
    expression: Annotated[str, typer.Argument(help="A FEEL expression.")],
    variables: Variables = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a FEEL expression.

    Example: [bold]flowkit feel 'sum(items[price > 10].price)' -v '{"items": [{"price": 12}]}'[/bold]
    """
    from flowkit.errors import InvalidExpression  # noqa: PLC0415
    from flowkit.feel import compile_expression, to_json  # noqa: PLC0415 heavy

    functions = _business_time()
    scope = read_variables(variables)
    try:
        compiled = compile_expression(expression, names=tuple(scope), functions=functions)
    except InvalidExpression as error:
        fail(f"{error}\n  {expression}\n  {' ' * error.position}^")
    notes: list[Any] = []
    value = to_json(compiled.evaluate(scope, diagnostics=notes))
    if as_json:
        print_json({"value": value, "diagnostics": [str(note) for note in notes]})
        return
    print_json(value)
    for note in notes:
        typer.secho(str(note), err=True, fg=typer.colors.YELLOW)


# ---- element templates ----------------------------------------------------------------------


def templates(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: print.")] = None,
    tasks: Tasks = None,
) -> None:
    """Make element templates of the handlers, so that a modeler offers them with typed fields.

    Example: [bold]flowkit templates --tasks shop.handlers -o .camunda/element-templates/shop.json[/bold]
    """
    import json  # noqa: PLC0415

    from flowkit.tasks.element_templates import element_templates  # noqa: PLC0415 heavy

    registry, _ = handlers_of(tasks, "memory:", None)
    text = json.dumps(element_templates(registry), ensure_ascii=False, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"{output}")
