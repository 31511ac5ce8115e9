"""``python -m benchmarks [NAME …]``: run the benchmarks, print the figures, write ``results.json``.

Every module of this package with a function ``measure() -> Iterable[Row]`` is one. Compare figures only
within one run on one machine.
"""

from __future__ import annotations

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


def _rows(wanted: list[str], console: Console) -> list[Row]:
    rows: list[Row] = []
    for module in pkgutil.iter_modules([str(HERE)]):
        if wanted and module.name not in wanted:
            continue
        measure = None
        if not module.name.startswith("_"):
            measure = getattr(import_module(f"benchmarks.{module.name}"), "measure", None)
        if measure is not None:
            with console.status(f"{module.name} …"):
                rows += measure()
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


def main(wanted: list[str]) -> int:
    """Run, print, write; 1 if a goal is missed."""
    console = Console()
    rows = _rows(wanted, console)
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
