"""Reports: one self-contained HTML page, with charts and the diagram as heat maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from flowkit.bpmn.diagram import Mark, draw, layout, read_diagrams
from flowkit.errors import FlowkitError
from flowkit.simulation.charts import bar_chart, histogram_chart, line_chart
from flowkit.simulation.comparison import Comparison
from flowkit.simulation.results import Result, is_span
from flowkit.simulation.timespans import show_span

__all__ = ["heat_map", "html_comparison", "html_report"]

_STYLE = """
body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei",sans-serif
;margin:0 auto;max-width:1200px;padding:1rem;color:#1f2937}
h1{font-size:1.6rem}
h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #e5e7eb}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #eee}
th:first-child,td:first-child{text-align:left}
.warn{background:#fff7ed;border-left:4px solid #c2410c;padding:.5rem 1rem}
.note{color:#6b7280;font-size:13px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}
.map{overflow-x:auto;border:1px solid #e5e7eb}
svg{max-width:100%;height:auto}
.map svg{max-width:none}
.real{font-weight:600}
"""
MAX_PLANES = 12
MAX_QUEUES = 6
"""Charts of queues: those of the longest."""


def _page(title: str, parts: Sequence[str]) -> str:
    return (
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{''.join(parts)}</body></html>"
    )


def _number(value: float) -> str:
    return f"{value:,.4g}"


def _shown(result: Result, name: str) -> str:
    return escape(result[name].show(span=is_span(name))) if name in result.names else "–"


def html_report(result: Result) -> str:
    """The report of one study: key figures, charts, heat maps, tables, and what was assumed."""
    scenario = result.study.scenario
    title = scenario.scenario.name or scenario.scenario.id
    if title == "scenario":
        title = result.study.files[0][0]
    parts = [
        f'<p class="note">{result.replications} replications of {result["cases.started"].value:,.0f} cases,'
        f" seed {scenario.run.seed}; intervals: {result.confidence:.0%}. Times are elapsed times.</p>"
    ]
    if result.warnings:
        parts.append(f'<div class="warn">{"<br>".join(map(escape, result.warnings))}</div>')
    parts += [
        _summary(result),
        _charts(result),
        *_maps(result),
        _activities(result),
        _pools(result),
        _others(result),
    ]
    if result.assumptions:
        lines = "".join(f"<li>{escape(one)}</li>" for one in result.assumptions)
        parts.append(f"<h2>Assumptions 假设</h2><ul>{lines}</ul>")
    return _page(f"Simulation 仿真: {title}", parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _summary(result: Result) -> str:
    rows = [(escape(name), escape(text)) for name, text in result.summary()]
    return "<h2>Key figures 关键指标</h2>" + _table(("measure 指标", f"mean ± {result.confidence:.0%}"), rows)


def _of(result: Result, family: str, measure: str) -> list[tuple[str, float, float]]:
    """``(name, mean, half width)`` of one measure over a family, largest first."""
    start, end = f"{family}.", f".{measure}"
    found = [
        (name[len(start) : -len(end)], result[name].value, result[name].half_width)
        for name in result.names
        if name.startswith(start) and name.endswith(end)
    ]
    return sorted((one for one in found if math.isfinite(one[1])), key=lambda one: -one[1])


def _charts(result: Result) -> str:
    step, series = result.wip_series()
    mark = result.suggested_warmup / (step * len(series)) if series else 0.0
    charts = [
        (
            "Cycle time 周期时间",
            histogram_chart("cycle time", result.tally("cycle_time").histogram(), show_span),
        ),
        (
            f"Work in progress 在制数量 (MSER-5: {show_span(result.suggested_warmup)})",
            line_chart("work in progress", series, "0", show_span(step * len(series)), _number, mark),
        ),
        (
            "Utilisation 利用率",
            bar_chart("utilisation", _of(result, "pool", "utilisation"), lambda v: f"{v:.1%}", 1.0),
        ),
        (
            "Waiting per activity 各活动等待",
            bar_chart("waiting", _of(result, "activity", "waiting_time.mean")[:15], show_span),
        ),
    ]
    for pool, mean, _ in _of(result, "pool", "queue_length.mean")[:MAX_QUEUES]:
        step, series = result.queue_series(pool)
        if mean > 0.005 and series:
            chart = line_chart("queue", series, "0", show_span(step * len(series)), _number)
            charts.append((f"Queue 队长: {pool}", chart))
    shown = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>{svg}</figure>" for name, svg in charts if svg
    )
    return f'<h2>Charts 图表</h2><div class="grid">{shown}</div>'


# ---- heat maps ------------------------------------------------------------------------------

_HEATS: tuple[tuple[str, str, str], ...] = (
    ("waiting", "Waiting time 等待时间", "waiting_time.mean"),
    ("frequency", "Frequency 频率", "per_case"),
    ("cost", "Cost per case 每案成本", "cost"),
)


def _heat(share: float) -> str:
    """From white over yellow to red."""
    share = min(max(share, 0.0), 1.0)
    green = round(245 - 150 * share)
    blue = round(220 * (1 - share) ** 1.5 + 20)
    return f"#{255:02x}{green:02x}{blue:02x}"


def heat_map(result: Result, kind: str, diagram: str | None = None) -> str:
    """The simulated diagram as SVG, coloured by ``waiting``, ``frequency`` or ``cost``.

    Raises ValueError for another kind, NotFound when the file has no such diagram.
    """
    known = {name: measure for name, _, measure in _HEATS}
    if kind not in known:
        raise ValueError(f"'{kind}' is not a heat map; use {', '.join(known)}")
    return draw(_drawable(result), diagram=diagram, marks=_marks(result, kind, known[kind]))


def _drawable(result: Result) -> bytes:
    data = result.study.files[0][1]
    return data if read_diagrams(data) else layout(data)


def _marks(result: Result, kind: str, measure: str) -> dict[str, Mark]:
    span = is_span(measure)
    show: Callable[[float], str] = show_span if span else _number
    values: dict[str, float] = {}
    for station in _stations(result):
        name = f"activity.{station[1]}.{measure}"
        if name in result.names and math.isfinite(result[name].value):
            values[station[0]] = result[name].value
    top = max(values.values(), default=0.0) or 1.0
    marks = {
        node: Mark(fill=_heat(value / top), badge=show(value), note=f"{measure}: {show(value)}")
        for node, value in values.items()
        if value > 0
    }
    if kind == "frequency":
        counts = result.flow_counts()
        most = max(counts.values(), default=1.0)
        for flow, count in counts.items():
            marks[flow] = Mark(stroke="#2563a8", width=1.0 + 5.0 * count / most, badge=f"{count:.2g}")
    return marks


def _stations(result: Result) -> list[tuple[str, str]]:
    """``(element id, label)`` of the tasks."""
    return [(node, label) for outcome in result.outcomes[:1] for node, label in outcome.labels.items()]


def _maps(result: Result) -> list[str]:
    parts = []
    for kind, title, measure in _HEATS:
        if not any(mark.fill for mark in _marks(result, kind, measure).values()):
            continue
        try:
            data = _drawable(result)
            marks = _marks(result, kind, measure)
            planes = [plane.id or None for plane in read_diagrams(data)][:MAX_PLANES]
            drawings = "".join(
                f'<div class="map">{draw(data, diagram=plane, marks=marks)}</div>' for plane in planes
            )
        except FlowkitError as error:
            parts.append(f'<p class="note">{escape(str(error))}</p>')
            break
        parts.append(f"<h2>{escape(title)}</h2>{drawings}")
    return parts


# ---- tables ---------------------------------------------------------------------------------


def _rows(result: Result, family: str, key: str, columns: Sequence[str]) -> list[list[str]]:
    names = [
        name[len(family) + 1 : -len(key) - 1]
        for name in result.names
        if name.startswith(f"{family}.") and name.endswith(f".{key}")
    ]
    return [
        [escape(name), *(_shown(result, f"{family}.{name}.{column}") for column in columns)] for name in names
    ]


def _activities(result: Result) -> str:
    columns = (
        "per_case", "waiting_time.mean", "waiting_time.p95", "processing_time.mean", "cycle_time.mean",
        "rework.share", "cost",
    )  # fmt: skip
    rows = _rows(result, "activity", "per_case", columns)
    head = (
        "activity 活动",
        "per case 次数",
        "wait 等待",
        "wait p95",
        "work 处理",
        "total 合计",
        "rework 返工",
        "cost 成本",
    )
    return "<h2>Activities 活动</h2>" + _table(head, rows)


def _pools(result: Result) -> str:
    columns = ("utilisation", "queue_length.mean", "queue_length.max", "busy_hours", "cost")
    rows = _rows(result, "pool", "utilisation", columns)
    head = ("pool 资源池", "utilisation 利用率", "queue 队长", "max", "busy hours 工时", "cost 成本")
    return "<h2>Resources 资源</h2>" + _table(head, rows) if rows else ""


def _others(result: Result) -> str:
    parts = []
    for family, title, key, columns in (
        ("service_level", "Service levels 服务水平", "share", ("share",)),
        ("end", "End states 结束状态", "share", ("share", "cycle_time.mean", "cycle_time.p95")),
        ("event", "Events 事件", "share", ("share", "waiting_time.mean")),
        (
            "path",
            "Paths 路径",
            "share",
            ("share", "cycle_time.mean", "cycle_time.p95", "waiting_time.mean", "processing_time.mean"),
        ),
    ):
        rows = _rows(result, family, key, columns)
        if rows:
            parts.append(f"<h2>{title}</h2>" + _table((family, *columns), rows))
    return "".join(parts)


def html_comparison(comparison: Comparison) -> str:
    """The comparison as a page: which differences are real, with their intervals."""
    rows = []
    for d in comparison.differences:
        span = is_span(d.measure)
        verdict = '<span class="real">real 显著</span>' if d.real else "not shown 未证实"
        rows.append(
            (
                escape(d.measure),
                escape(d.baseline.show(span=span)),
                escape(d.variant.show(span=span)),
                escape(d.difference.show(span=span)),
                f"{d.relative:+.1%}" if math.isfinite(d.relative) else "–",
                f"{d.adjusted:.3f}",
                verdict,
            )
        )
    names = [result.study.scenario.scenario.id for result in (comparison.baseline, comparison.variant)]
    note = (
        f"{comparison.baseline.replications} pairs of replications, "
        + ("common random numbers" if comparison.common_random_numbers else "independent random numbers")
        + "; p-values adjusted by Holm for the number of measures."
    )
    head = ("measure 指标", names[0], names[1], "difference 差", "relative", "p (Holm)", "")
    return _page(f"{names[0]} → {names[1]}", [f'<p class="note">{escape(note)}</p>', _table(head, rows)])
