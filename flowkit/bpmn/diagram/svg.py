"""Writing SVG: escaped, rounded, in a stable order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from flowkit.bpmn.diagram.text import line_height

__all__ = ["Point", "Svg", "number", "polyline", "rounded"]

Point = tuple[float, float]

# What XML 1.0 does not allow, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Svg:
    """Collects elements; attribute names use ``_`` for ``-``, empty values are left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def add(self, tag: str, **attributes: str | float) -> None:
        """Append an empty element."""
        self._parts.append(f"<{tag}{_attributes(attributes)}/>")

    def open(self, tag: str, **attributes: str | float) -> None:
        """Begin an element."""
        self._parts.append(f"<{tag}{_attributes(attributes)}>")

    def close(self, tag: str) -> None:
        """End an element."""
        self._parts.append(f"</{tag}>\n" if tag == "g" else f"</{tag}>")

    def text_element(self, tag: str, text: str) -> None:
        """Append an element that holds only text, such as ``title``."""
        self._parts.append(f"<{tag}>{escape(_FORBIDDEN.sub('�', text))}</{tag}>")

    def path(self, d: str, **attributes: str | float) -> None:
        """Append a path."""
        self.add("path", d=d, **attributes)

    def lines(
        self,
        lines: Sequence[str],
        x: float,
        y: float,
        size: float,
        *,
        anchor: str = "middle",
        **attributes: str | float,
    ) -> None:
        """Append lines of text; ``y`` is the top of the first."""
        if not lines:
            return
        self.open("text", font_size=size, text_anchor="" if anchor == "start" else anchor, **attributes)
        for index, line in enumerate(lines):
            # 0.8 of the size is where the base line sits below the top in the usual fonts.
            base = y + index * line_height(size) + size * 0.98
            self._parts.append(f'<tspan x="{number(x)}" y="{number(base)}">')
            self._parts.append(f"{escape(_FORBIDDEN.sub('�', line))}</tspan>")
        self._parts.append("</text>")

    def __str__(self) -> str:
        return "".join(self._parts)


def _attributes(attributes: dict[str, str | float]) -> str:
    written = []
    for name, value in attributes.items():
        if value == "":
            continue
        text = value if isinstance(value, str) else number(value)
        written.append(f" {name.rstrip('_').replace('_', '-')}={quoteattr(_FORBIDDEN.sub('�', text))}")
    return "".join(written)


def polyline(points: Iterable[Point], *, closed: bool = False) -> str:
    """Path data through points."""
    data = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f"M{data}{' Z' if closed else ''}"


def rounded(points: Sequence[Point], radius: float) -> str:
    """Path data through points with rounded corners."""
    if len(points) < 3:
        return polyline(points)
    parts = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(corner, before, radius), _towards(corner, after, radius)
        parts.append(
            f"L{number(into[0])} {number(into[1])} Q{number(corner[0])} {number(corner[1])}"
            f" {number(out[0])} {number(out[1])}"
        )
    parts.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return " ".join(parts)


def _towards(corner: Point, other: Point, distance: float) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = float((dx * dx + dy * dy) ** 0.5)
    if not length:
        return corner
    share = min(distance, length / 2) / length
    return corner[0] + dx * share, corner[1] + dy * share
