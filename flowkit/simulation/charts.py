"""Small charts as inline SVG: no script, no font, no image to load."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

__all__ = ["bar_chart", "histogram_chart", "line_chart"]

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 34
_BLUE, _GREY, _RED = "#2563a8", "#6b7280", "#c2410c"


def _ticks(top: float, count: int = 4) -> list[float]:
    """Round numbers from 0 to a little above ``top``."""
    if not top > 0:
        return [0.0, 1.0]
    raw = top / count
    power: float = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [step * i for i in range(math.ceil(top / step) + 1)]


def _frame(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' role="img" aria-label="{escape(title)}"'
        f' font-family="sans-serif" font-size="11"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _axes(ticks: Sequence[float], show: Callable[[float], str]) -> list[str]:
    top = ticks[-1]
    parts = []
    for tick in ticks:
        y = HEIGHT - _BOTTOM - tick / top * (HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{_GREY}">'
            f"{escape(show(tick))}</text>"
        )
    return parts


def _below(low: str, high: str) -> list[str]:
    y = HEIGHT - _BOTTOM + 18
    return [
        f'<text x="{_LEFT}" y="{y}" fill="{_GREY}">{escape(low)}</text>',
        f'<text x="{WIDTH - _RIGHT}" y="{y}" text-anchor="end" fill="{_GREY}">{escape(high)}</text>',
    ]


def line_chart(
    title: str, series: Sequence[float], low: str, high: str, show: Callable[[float], str], mark: float = 0.0
) -> str:
    """A curve over time; ``mark`` (a share of the width) is where the suggested warm-up ends."""
    if len(series) < 2:
        return ""
    ticks = _ticks(max(series))
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    points = " ".join(
        f"{_LEFT + i / (len(series) - 1) * wide:.1f},{HEIGHT - _BOTTOM - value / ticks[-1] * tall:.1f}"
        for i, value in enumerate(series)
    )
    parts = [
        *_axes(ticks, show),
        f'<polyline points="{points}" fill="none" stroke="{_BLUE}" stroke-width="1.6"/>',
    ]
    if 0 < mark < 1:
        x = _LEFT + mark * wide
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" stroke="{_RED}"'
            ' stroke-dasharray="4 3"/>'
        )
    return _frame(title, [*parts, *_below(low, high)])


def histogram_chart(
    title: str, bins: Sequence[tuple[float, float, float]], show: Callable[[float], str]
) -> str:
    """Shares per bin, as :meth:`Tally.histogram` gives them."""
    if not bins:
        return ""
    ticks = _ticks(max(share for _, _, share in bins))
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    width = wide / len(bins)
    parts = _axes(ticks, lambda share: f"{share:.0%}")
    for i, (low, high, share) in enumerate(bins):
        height = share / ticks[-1] * tall
        parts.append(
            f'<rect x="{_LEFT + i * width:.1f}" y="{HEIGHT - _BOTTOM - height:.1f}"'
            f' width="{max(width - 1, 0.5):.1f}"'
            f' height="{height:.1f}" fill="{_BLUE}">'
            f"<title>{escape(show(low))} – {escape(show(high))}: {share:.1%}</title></rect>"
        )
    return _frame(title, [*parts, *_below(show(0.0), show(bins[-1][1]))])


def bar_chart(
    title: str,
    bars: Sequence[tuple[str, float, float]],
    show: Callable[[float], str],
    top: float | None = None,
) -> str:
    """Horizontal bars ``(name, value, half width)``, the interval drawn on each bar."""
    known = [(name, value, half) for name, value, half in bars if math.isfinite(value)]
    if not known:
        return ""
    end = top or max(value + (half if math.isfinite(half) else 0) for _, value, half in known) or 1.0
    left, row = 190, 22
    wide = WIDTH - left - 110
    parts = []
    for i, (name, value, half) in enumerate(known):
        y = 6 + i * row
        length = min(max(value / end, 0), 1) * wide
        parts.append(
            f'<text x="{left - 6}" y="{y + 13}" text-anchor="end">{escape(_short(name))}'
            f"<title>{escape(name)}</title></text>"
            f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="14" fill="{_BLUE}"/>'
            f'<text x="{WIDTH - 104}" y="{y + 13}" fill="{_GREY}">{escape(show(value))}</text>'
        )
        if math.isfinite(half) and half > 0:
            a, b = (left + min(max(x / end, 0), 1) * wide for x in (value - half, value + half))
            parts.append(
                f'<line x1="{a:.1f}" x2="{b:.1f}" y1="{y + 9}" y2="{y + 9}"'
                f' stroke="{_RED}" stroke-width="2"/>'
            )
    return _frame(title, parts, 12 + len(known) * row)


def _short(name: str, limit: int = 28) -> str:
    """At most ``limit`` columns wide; a Chinese character takes two."""
    width, kept = 0, ""
    for letter in name:
        width += 2 if ord(letter) > 0x2E80 else 1
        if width > limit:
            return kept + "…"
        kept += letter
    return kept
