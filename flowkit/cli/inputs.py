"""What people type: variables, databases, handlers."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from flowkit.errors import StoreUnavailable

if TYPE_CHECKING:
    from flowkit.engine import Engine, Telemetry
    from flowkit.engine.clock import Clock
    from flowkit.tasks import Registry
    from flowkit.tasks.library import StandardTasks

__all__ = [
    "Database",
    "Settings",
    "Tasks",
    "Variables",
    "database_url",
    "handlers_of",
    "open_engine",
    "processes_folder",
    "read_duration",
    "read_json",
    "read_variables",
]


_DATABASE = re.compile(r"memory:|sqlite:///[^?]+|(postgres|postgresql|postgresql\+psycopg)://.*", re.DOTALL)


def database_url(url: str | None) -> str | None:
    """The URL of ``--db``; raises BadParameter for a bare file name and other surprises."""
    if url is None or _DATABASE.fullmatch(url):
        return url
    hint = "" if not url or ":" in url else f"; did you mean sqlite:///{url}?"
    raise typer.BadParameter(f"expected sqlite:///FILE, postgresql://… or memory:, found {url!r}{hint}")


Database = Annotated[
    str,
    typer.Option(
        "--db",
        callback=database_url,
        envvar="FLOWKIT_DB",
        metavar="URL",
        help="sqlite:///FILE, postgresql://… or memory:",
        show_default=True,
    ),
]
Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--vars",
        "-v",
        metavar="JSON|@FILE|NAME=VALUE",
        help="Variables: a JSON object, a JSON or YAML file after @, or NAME=VALUE. May be repeated.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks",
        metavar="MODULE[:NAME]",
        help="A Python module with @task handlers, found from here. They go before the standard ones.",
    ),
]
Settings = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="The notification settings file (YAML)."),
]


def read_variables(given: list[str] | None) -> dict[str, Any]:
    """The variables of all ``--vars``, later ones winning."""
    found: dict[str, Any] = {}
    for text in given or []:
        found |= _one(text)
    return found


def read_json(text: str) -> Any:
    """Any JSON value: the text itself, or a JSON or YAML file after @."""
    if text.startswith("@"):
        from flowkit.tasks.jsonable import to_json_value  # noqa: PLC0415
        from flowkit.tasks.yaml_file import read_yaml  # noqa: PLC0415

        return to_json_value(read_yaml(Path(text[1:])))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"expected JSON: {error}") from None


def read_duration(text: str, option: str) -> timedelta:
    """An ISO-8601 duration, in days and smaller."""
    from flowkit.errors import FlowkitError  # noqa: PLC0415
    from flowkit.timers import parse_timer_duration  # noqa: PLC0415

    zero = datetime(2026, 1, 1, tzinfo=UTC)
    try:
        found: timedelta = parse_timer_duration(text).after(zero) - zero
    except (FlowkitError, ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{option}: expected a duration such as P90D or PT30S: {error}") from None
    if found <= timedelta(0):
        raise typer.BadParameter(f"{option}: expected a duration longer than nothing, found {text!r}")
    return found


def _one(text: str) -> dict[str, Any]:
    if text.startswith("@"):
        from flowkit.tasks.jsonable import to_json_value  # noqa: PLC0415
        from flowkit.tasks.yaml_file import read_yaml  # noqa: PLC0415

        content = to_json_value(read_yaml(Path(text[1:])))
    elif text.lstrip().startswith("{"):
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise typer.BadParameter(f"expected a JSON object: {error}") from None
    else:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"expected JSON, @FILE or NAME=VALUE, found {text!r}")
        content = {name: _value(value)}
    if not isinstance(content, dict):
        raise typer.BadParameter(f"expected variables by name, found {type(content).__name__}")
    return content


def _value(text: str) -> Any:
    """JSON where it is JSON (numbers, true, null, lists), else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def processes_folder() -> Path:
    """The processes that come with flowkit: in the package, or in the checkout around it."""
    packaged = Path(str(files("flowkit"))) / "_processes"
    if packaged.is_dir():
        return packaged
    return Path(str(files("flowkit"))).parent / "processes"


def _module(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = import_module(module)
    except ImportError as error:
        raise typer.BadParameter(f"--tasks {name}: {error}") from None
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = "" if isinstance(error, SyntaxError) else f" ({frame.filename}, line {frame.lineno})"
        raise typer.BadParameter(f"--tasks {name}: {type(error).__name__}: {error}{place}") from None
    if not attribute:
        return found
    if not hasattr(found, attribute):
        raise typer.BadParameter(f"--tasks {name}: the module {module} has no {attribute!r}")
    return getattr(found, attribute)


def handlers_of(
    tasks: list[str] | None, db: str, settings: Path | None, templates: Path | None = None
) -> tuple[Registry, StandardTasks]:
    """The user's handlers over the standard ones, whose books live in the engine's own database."""
    from flowkit.tasks import InvalidHandler  # noqa: PLC0415 heavy
    from flowkit.tasks.library import standard_tasks  # noqa: PLC0415 heavy

    texts = templates if templates is not None else processes_folder() / "templates"
    standard = standard_tasks(books=_books_url(db), settings=settings, templates=texts)
    for name in tasks or []:
        try:
            standard.registry.replace(_module(name))
        except InvalidHandler as error:
            raise typer.BadParameter(f"--tasks {name}: {error}") from None
    return standard.registry, standard


def _books_url(db: str) -> str | None:
    if db.startswith("memory"):
        return None
    if db.startswith("postgres"):
        return "postgresql+psycopg://" + db.partition("://")[2]
    return db


def open_engine(
    db: str,
    registry: Registry | None = None,
    clock: Clock | None = None,
    *,
    make: bool = False,
    telemetry: Telemetry | None = None,
) -> Engine:
    """The engine on ``db``; without handlers it runs none. Times are told in the zone ``FLOWKIT_ZONE``.

    A SQLite file that is not there is made only where ``make`` says so: elsewhere its name is misspelt,
    and an empty one would say that nothing is open and nothing is wrong.
    """
    from flowkit.engine import Engine, SystemClock  # noqa: PLC0415 heavy
    from flowkit.feel.calendar import calendar_functions  # noqa: PLC0415 heavy
    from flowkit.tasks.library.deadlines import default_calendars  # noqa: PLC0415 heavy

    name = os.environ.get("FLOWKIT_ZONE", "Asia/Shanghai")
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(
            f"FLOWKIT_ZONE: expected a time zone such as Asia/Shanghai, found {name!r}"
        ) from None
    file = Path(unquote(db.removeprefix("sqlite:///")))
    if not make and db.startswith("sqlite:") and not file.exists():
        raise StoreUnavailable(
            f"There is no database {file}: `flowkit deploy` makes one, --db or FLOWKIT_DB name another."
        )
    return Engine(
        db,
        tasks=registry if registry is not None else (),
        clock=clock if clock is not None else SystemClock(zone),
        functions=calendar_functions(default_calendars()),
        telemetry=telemetry,
    )
