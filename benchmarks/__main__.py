"""``python -m benchmarks [--long] [NAME …]``: run the benchmarks, print the figures, write ``results.json``.

Every module of this package with a function ``measure() -> Iterable[Row]`` is one. Those that say
``LONG = True`` take many minutes: they run when they are named, or with ``--long``. Compare figures only
within one run on one machine.
"""

from __future__ import annotations

import argparse
import inspect
import json
import pkgutil
import platform
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

HERE = Path(__file__).parent


def _rows(wanted: argparse.Namespace, console: Console) -> list[Row]:
    rows: list[Row] = []
    for module in pkgutil.iter_modules([str(HERE)]):
        if module.name.startswith("_") or (wanted.names and module.name not in wanted.names):
            continue
        found = import_module(f"benchmarks.{module.name}")
        measure = getattr(found, "measure", None)
        if measure is None or (getattr(found, "LONG", False) and not (wanted.long or wanted.names)):
            continue
        takes = inspect.signature(measure).parameters
        options = {"minutes": wanted.minutes} if wanted.minutes and "minutes" in takes else {}
        with console.status(f"{module.name} …"):
            rows += measure(**options)
    return rows


def _table(rows: list[Row]) -> Table:
    table = Table("figure", "value", "unit", "goal", "met", "note")
    for row in rows:
        met = {True: "yes", False: "NO", None: ""}[row.met]
        table.add_row(row.name, f"{row.value:,.4g}", row.unit, row.goal, met, row.note)
    return table


def _plain(row: Row) -> dict[str, object]:
    return {"name": row.name, "value": row.value, "unit": row.unit, "goal": row.goal, "met": row.met}


def _others(rows: list[Row]) -> list[dict[str, object]]:
    """The figures of earlier runs that this run did not measure again."""
    file = HERE / "results.json"
    names = {row.name for row in rows}
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.is_file() else []
    return [row for row in before if row["name"] not in names]


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure flowkit, and its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run (default: all quick ones)")
    parser.add_argument("--long", action="store_true", help="also those that take many minutes")
    parser.add_argument("--minutes", type=float, help="how long to soak")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Run, print, write; 1 if a goal is missed."""
    console = Console()
    rows = _rows(_arguments(words), console)
    console.print(_table(rows))
    results = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "rows": [*_others(rows), *(_plain(row) for row in rows)],
    }
    (HERE / "results.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
