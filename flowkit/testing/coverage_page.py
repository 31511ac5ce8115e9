"""Coverage as web pages: diagrams with what was taken and what was not, tables with their rules.

Each page stands alone: nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from flowkit.bpmn.diagram import Mark, draw, layout, read_diagrams
from flowkit.errors import FlowkitError
from flowkit.testing.coverage import Coverage, ProcessCoverage, TableCoverage, digest

__all__ = ["marks_of", "write_pages"]

_STYLE = """
body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei",sans-serif
;margin:0 auto;max-width:1200px;padding:1rem;color:#1f2937}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;font-size:13px}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e5e7eb;vertical-align:top}
td.n{text-align:right}
tr.hit td{background:#ecfdf5}tr.miss td{background:#fef2f2}
.map{overflow-x:auto;border:1px solid #e5e7eb;margin:.5rem 0}
.note{color:#6b7280;font-size:13px}
"""
_TAKEN = Mark(stroke="#15803d", width=2.0, badge_fill="#15803d")
_NEVER = Mark(stroke="#dc2626", width=2.5)


def write_pages(coverage: Coverage, folder: Path) -> Path:
    """Write ``index.html`` and a page for each process and each file of decisions; gives the index.

    A diagram is read from the file that the coverage names; where that has changed since, the page lists
    what was missed without drawing it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for key, process in coverage.processes.items():
        _write(folder / _name("process", key), process.name or key, _process(process))
    for file, tables in _by_file(coverage).items():
        _write(folder / _name("decisions", Path(file).stem), Path(file).name, _tables(tables))
    index = folder / "index.html"
    _write(index, "Coverage 覆盖率", _index(coverage))
    return index


def marks_of(process: ProcessCoverage) -> Mapping[str, Mark]:
    """How the diagram shows it: green with counts what was used, red the flows and ends that never were."""
    marks = {}
    for key, times in process.counts.items():
        marks[key] = Mark(_TAKEN.fill, _TAKEN.stroke, "", _TAKEN.width, 1.0, str(times), _TAKEN.badge_fill)
    for key, name in {**process.flows, **process.ends}.items():
        if not process.counts.get(key):
            marks[key] = Mark(stroke=_NEVER.stroke, width=_NEVER.width, note=f"never: {name}")
    return marks


def _name(kind: str, key: str) -> str:
    safe = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in key)
    return f"{kind}-{safe}.html"


def _write(path: Path, title: str, parts: Iterator[str]) -> None:
    page = (
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{''.join(parts)}</body></html>"
    )
    path.write_text(page, "utf-8")


def _by_file(coverage: Coverage) -> dict[str, list[TableCoverage]]:
    found: dict[str, list[TableCoverage]] = {}
    for table in coverage.tables.values():
        found.setdefault(table.file, []).append(table)
    return found


def _index(coverage: Coverage) -> Iterator[str]:
    rows = [
        (_link(_name("process", key), part.name or key), f"{part.share:.1%}", f"{len(part.missing)}")
        for key, part in sorted(coverage.processes.items())
    ]
    yield "<h2>Sequence flows and ends 路径与结束</h2>"
    yield _table(("process 流程", "covered 覆盖", "never 未覆盖"), rows)
    rows = [
        (
            _link(_name("decisions", Path(table.file).stem), table.name or key),
            f"{table.share:.1%}",
            f"{len(table.missing)}",
        )
        for key, table in sorted(coverage.tables.items())
    ]
    if rows:
        yield "<h2>Rules of decision tables 决策规则</h2>"
        yield _table(("table 决策表", "covered 覆盖", "never 未命中"), rows)


def _link(page: str, name: str) -> str:
    return f'<a href="{escape(page)}">{escape(name)}</a>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f'<tr class="{"hit" if row[-1] == "0" else "miss"}">'
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _process(process: ProcessCoverage) -> Iterator[str]:
    yield f"<p>{process.share:.1%} of {len(process.flows)} flows and {len(process.ends)} ends. "
    yield '<span style="color:#15803d">green: taken, with counts</span>, '
    yield '<span style="color:#dc2626">red: never</span>.</p>'
    yield from _maps(process)
    if process.missing:
        yield "<h2>Never 未覆盖</h2><ul>"
        yield from (f"<li>{escape(name)}</li>" for name in process.missing)
        yield "</ul>"
    names = {**process.flows, **process.ends}
    used = sorted(((process.counts.get(key, 0), name) for key, name in names.items()), reverse=True)
    yield "<h2>Counts 次数</h2><table><tbody>"
    for times, name in used:
        yield f'<tr class="{"hit" if times else "miss"}"><td class="n">{times}</td>'
        yield f"<td>{escape(name)}</td></tr>"
    yield "</tbody></table>"


def _maps(process: ProcessCoverage) -> Iterator[str]:
    file = Path(process.file)
    data = file.read_bytes() if process.file and file.is_file() else b""
    if not data or digest(data) != process.digest:
        yield f'<p class="note">The diagram {escape(process.file)} is not there, or has changed since.</p>'
        return
    try:
        if not read_diagrams(data):
            data = layout(data)
        marks = marks_of(process)
        for plane in read_diagrams(data):
            yield f'<div class="map">{draw(data, diagram=plane.id, marks=marks)}</div>'
    except FlowkitError as error:
        yield f'<p class="note">The diagram can\'t be drawn: {escape(str(error))}</p>'


def _tables(tables: Sequence[TableCoverage]) -> Iterator[str]:
    for table in tables:
        yield f"<h2>{escape(table.label or table.name or table.decision)}</h2>"
        yield f"<p>{table.share:.1%} of {len(table.rules)} rules matched.</p>"
        head = ["", *table.inputs, *(f"→ {name}" for name in table.outputs), "matched 命中"]
        yield f"<table><thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr></thead><tbody>"
        for row, (key, rule) in enumerate(table.rules.items(), 1):
            times = table.counts.get(key, 0)
            cells = "".join(f"<td>{escape(text)}</td>" for text in [str(row), *rule.inputs, *rule.outputs])
            yield f'<tr class="{"hit" if times else "miss"}">{cells}<td class="n">{times}</td></tr>'
        yield "</tbody></table>"
