"""What commands share: printing for people or machines, errors without tracebacks, exit codes."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from flowkit.errors import FlowkitError, InvalidModel, InvalidPayload, Rejected, StoreUnavailable
from flowkit.findings import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "FAILED",
    "REFUSED",
    "UNAVAILABLE",
    "AsJson",
    "ReadableErrors",
    "console",
    "fail",
    "print_findings",
    "print_json",
    "print_table",
    "short",
    "tell_if_cut",
    "tolerate_any_terminal",
]

FAILED, REFUSED, UNAVAILABLE, INTERRUPTED = 1, 3, 4, 130

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def tolerate_any_terminal() -> None:
    """Names in diagrams are Chinese: where a terminal or file takes another character set, what it can't
    show is written as \\uXXXX. A standard stream that was closed swallows what is written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 open to the end
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def console(*, stderr: bool = False) -> Console:
    """A console that knows whether somebody is looking; wide where nobody is."""
    from rich.console import Console  # noqa: PLC0415 heavy

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=True, width=None if stream.isatty() else 200)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Iterable):
        return list(value)
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, none: str) -> None:
    """A table, or the text ``none`` where there are no rows."""
    from rich.table import Table  # noqa: PLC0415 heavy
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else short(cell)) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        typer.echo(none)


def tell_if_cut(found: Sequence[object], limit: int) -> None:
    """Say that a list may go on; on standard error, so that what reads the list never sees it."""
    if len(found) == limit:
        typer.echo(f"{limit} are shown, there may be more: --limit {limit * 10}", err=True)


def short(value: object) -> str:
    """A cell's text: times to the second, long texts cut."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(str(item) for item in value)
    text = str(value)
    return text if len(text) <= 100 else text[:99] + "…"


def print_findings(findings: Sequence[Finding], *, stderr: bool = False) -> None:
    """One line a finding, coloured by severity."""
    from rich.text import Text  # noqa: PLC0415 heavy

    screen = console(stderr=stderr)
    for finding in findings:
        place, _, rest = str(finding).partition(f": {finding.severity} ")
        screen.print(
            Text.assemble(
                (place, "bold"), ": ", (str(finding.severity), _STYLES[finding.severity]), " ", (rest, "")
            )
        )


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Tell what went wrong on standard error, and end."""
    typer.secho(f"flowkit: {message}", err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


_EXTRAS = {
    "apprise": "notify",
    "chinese_calendar": "calendar",
    "distributed": "dask",
    "holidays": "calendar",
    "httpx": "notify",
    "jinja2": "notify",
    "numpy": "sim",
    "psycopg": "postgres",
    "pyarrow": "parquet",
    "ray": "ray",
    "scipy": "sim",
}
"""Which extra brings a package that is not installed."""


class ReadableErrors(TyperGroup):
    """Turns flowkit's exceptions into a message and an exit code; others are bugs and show a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InvalidModel as error:
            print_findings(error.findings, stderr=True)
            raise typer.Exit(FAILED) from None
        except InvalidPayload as error:
            lines = "".join(f"\n  {path or '/'}: {text}" for path, text in error.problems)
            fail(f"{error.args[0] if not lines else 'the data do not fit'}{lines}", REFUSED)
        except Rejected as error:
            fail(str(error), REFUSED)
        except StoreUnavailable as error:
            fail(str(error), UNAVAILABLE)
        except FlowkitError as error:
            fail(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:  # who read has seen enough: the command's caller knows what to do
                raise
            fail(f"{error.filename or 'what was written'}: {error.strerror or error}", 2)
        except UnicodeEncodeError as error:
            fail(f"{error.object!r:.100} is not {error.encoding} text", 2)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None:
                raise
            fail(f"this needs the package {error.name}: pip install 'flowkit[{extra}]'", 2)
        except KeyboardInterrupt:
            fail("interrupted", INTERRUPTED)
