"""The symbols inside events, tasks and gateways, drawn around ``(0, 0)``.

Own drawings after the descriptions of OMG BPMN 2.0.2, tables 10.3, 10.93 and 13.2. Event symbols
fit a circle of radius 11; task symbols a square of 16.
"""

from __future__ import annotations

import math

from flowkit.bpmn.diagram.svg import Point, Svg, polyline

__all__ = ["event_glyph", "gateway_glyph", "marker_glyph", "task_glyph"]

_PENTAGON = [(10 * math.sin(a), -10 * math.cos(a)) for a in (2 * math.pi * i / 5 for i in range(5))]
_BOLT: list[Point] = [(-8.5, 9), (-3.6, -7), (2.4, 1), (8.5, -9), (3.8, 7.2), (-2.4, -1)]
_CROSS: list[Point] = [
    (-3, -10), (3, -10), (3, -3), (10, -3), (10, 3), (3, 3),
    (3, 10), (-3, 10), (-3, 3), (-10, 3), (-10, -3), (-3, -3),
]  # fmt: skip
_ARROW: list[Point] = [(-10, -4), (1, -4), (1, -9), (11, 0), (1, 9), (1, 4), (-10, 4)]
_REWIND: list[Point] = [(0, -7), (0, 7), (-10, 0)]

# Symbols that are one closed outline.
_OUTLINES: dict[str, list[Point]] = {
    "error": _BOLT,
    "escalation": [(0, -10), (7, 8.5), (0, 1.6), (-7, 8.5)],
    "signal": [(0, -10), (9.5, 7), (-9.5, 7)],
    "link": _ARROW,
    "multiple": _PENTAGON,
    "parallelMultiple": _CROSS,
}


def event_glyph(svg: Svg, kind: str, *, ink: str, paper: str, filled: bool) -> None:
    """Draw the symbol of an event definition; ``filled`` for events that throw."""
    fill = ink if filled else "none"
    if kind in _OUTLINES:
        svg.path(
            polyline(_OUTLINES[kind], closed=True),
            fill=fill,
            stroke=ink,
            stroke_width=1.3,
            stroke_linejoin="round",
        )
    elif kind == "message":
        _envelope(svg, 10, 7, ink, paper, filled)
    elif kind == "timer":
        _clock(svg, ink)
    elif kind == "compensate":
        for shift in (-0.5, 9.5):
            points = [(x + shift, y) for x, y in _REWIND]
            svg.path(
                polyline(points, closed=True),
                fill=fill,
                stroke=ink,
                stroke_width=1.3,
                stroke_linejoin="round",
            )
    elif kind == "conditional":
        svg.add("rect", x=-7.5, y=-9, width=15, height=18, fill="none", stroke=ink, stroke_width=1.3)
        for y in (-5.4, -1.8, 1.8, 5.4):
            svg.path(polyline([(-5, y), (5, y)]), stroke=ink, stroke_width=1.3)
    elif kind == "cancel":
        turned = [((x - y) * 0.7071, (x + y) * 0.7071) for x, y in _CROSS]
        svg.path(polyline(turned, closed=True), fill=fill, stroke=ink, stroke_width=1.3)
    elif kind == "terminate":
        svg.add("circle", r=10, fill=ink)


def _envelope(svg: Svg, w: float, h: float, ink: str, paper: str, filled: bool) -> None:
    svg.add(
        "rect",
        x=-w,
        y=-h,
        width=2 * w,
        height=2 * h,
        fill=ink if filled else "none",
        stroke=ink,
        stroke_width=1.3,
    )
    flap = polyline([(-w, -h), (0, h * 0.15), (w, -h)])
    svg.path(flap, fill="none", stroke=paper if filled else ink, stroke_width=1.4, stroke_linejoin="round")


def _clock(svg: Svg, ink: str) -> None:
    svg.add("circle", r=10.5, fill="none", stroke=ink, stroke_width=1.3)
    for hour in range(12):
        s, c = math.sin(hour * math.pi / 6), math.cos(hour * math.pi / 6)
        svg.path(polyline([(8.4 * s, -8.4 * c), (10.4 * s, -10.4 * c)]), stroke=ink, stroke_width=1)
    svg.path("M1.6 -7.4 L0 0 L5.6 0.6", fill="none", stroke=ink, stroke_width=1.4, stroke_linecap="round")


def task_glyph(svg: Svg, kind: str, *, ink: str, paper: str) -> None:
    """Draw the symbol of a task type."""
    if kind in ("sendTask", "receiveTask"):
        _envelope(svg, 8.5, 6, ink, paper, kind == "sendTask")
    elif kind == "userTask":
        _person(svg, ink, paper)
    elif kind == "serviceTask":
        _gear(svg, -2, -2, 6.4, ink, paper)
        _gear(svg, 3, 3, 6.4, ink, paper)
    elif kind == "scriptTask":
        svg.path(
            "M-4 -8 H7 C2 -3.5 9 0.5 4 8 H-7 C-2 3.5 -9 -0.5 -4 -8 Z",
            fill=paper,
            stroke=ink,
            stroke_width=1.2,
        )
        for x, y in ((-4.6, -4.4), (-4.2, -1.2), (-2.6, 2), (-2.6, 5)):
            svg.path(polyline([(x, y), (x + 6.6, y)]), stroke=ink, stroke_width=1.1)
    elif kind == "businessRuleTask":
        svg.add("rect", x=-8.5, y=-7, width=17, height=14, fill=paper, stroke=ink, stroke_width=1.2)
        svg.add(
            "rect",
            x=-8.5,
            y=-7,
            width=17,
            height=4,
            fill=ink,
            fill_opacity=0.45,
            stroke=ink,
            stroke_width=1.2,
        )
        svg.path("M-8.5 2 H8.5 M-3.5 -3 V7", fill="none", stroke=ink, stroke_width=1.2)
    elif kind == "manualTask":
        _hand(svg, ink, paper)


def _person(svg: Svg, ink: str, paper: str) -> None:
    svg.path(
        "M-8 8.5 V5 C-8 1.6 -5.4 0.2 -2.6 -0.4 L0 1.8 L2.6 -0.4 C5.4 0.2 8 1.6 8 5 V8.5 Z",
        fill=paper, stroke=ink, stroke_width=1.2, stroke_linejoin="round",
    )  # fmt: skip
    svg.path("M-4.6 8.3 V5.2 M4.6 8.3 V5.2", fill="none", stroke=ink, stroke_width=1.1)
    svg.add("circle", cy=-4.6, r=4, fill=paper, stroke=ink, stroke_width=1.2)
    svg.path("M-4 -5 C-2.4 -3.4 -0.6 -6.2 1 -5 C2.2 -4.1 3.2 -4.4 4 -5 A4 4 0 0 0 -4 -5 Z", fill=ink)


def _gear(svg: Svg, x: float, y: float, radius: float, ink: str, paper: str) -> None:
    points: list[Point] = []
    for tooth in range(8):
        for step, reach in ((-0.30, 0.74), (-0.19, 1.0), (0.19, 1.0), (0.30, 0.74)):
            angle = (tooth + step) * math.pi / 4
            points.append((x + radius * reach * math.cos(angle), y + radius * reach * math.sin(angle)))
    svg.path(polyline(points, closed=True), fill=paper, stroke=ink, stroke_width=1, stroke_linejoin="round")
    svg.add("circle", cx=x, cy=y, r=radius * 0.34, fill=paper, stroke=ink, stroke_width=1)


def _hand(svg: Svg, ink: str, paper: str) -> None:
    svg.path(
        "M-8 -1.5 L-3.4 -6.2 C-2.6 -7 -1.6 -7 -0.4 -7 H2.4 C4 -7 4 -4.8 2.4 -4.8 H-0.6 M2 -4.8 H7.2 C8.8 -4.8"
        " 8.8 -2.4 7.2 -2.4 H2.2 M6.6 -2.4 H7.6 C9.2 -2.4 9.2 0 7.6 0 H2.2 M6.4 0 C8.2 0 8.2 2.4 6.6 2.4 H2.2"
        " M5.4 2.4 C6.8 2.4 6.8 4.7 5.2 4.7 H-1.6 C-4.2 4.7 -5.6 4.4 -8 3.6",
        fill=paper, stroke=ink, stroke_width=1.2, stroke_linecap="round", stroke_linejoin="round",
    )  # fmt: skip


def gateway_glyph(
    svg: Svg, kind: str, *, ink: str, parallel: bool = False, instantiate: bool = False
) -> None:
    """Draw the symbol of a gateway of 50 x 50."""
    if kind == "exclusiveGateway":
        svg.path("M-7.5 -8.5 L7.5 8.5 M7.5 -8.5 L-7.5 8.5", stroke=ink, stroke_width=3.6)
    elif kind == "parallelGateway":
        svg.path("M0 -12 V12 M-12 0 H12", stroke=ink, stroke_width=3.6)
    elif kind == "inclusiveGateway":
        svg.add("circle", r=11, fill="none", stroke=ink, stroke_width=2.8)
    elif kind == "complexGateway":
        svg.path(
            "M0 -12.5 V12.5 M-12.5 0 H12.5 M-8.5 -8.5 L8.5 8.5 M8.5 -8.5 L-8.5 8.5",
            stroke=ink,
            stroke_width=3.2,
        )
    elif kind == "eventBasedGateway":
        svg.add("circle", r=14, fill="none", stroke=ink, stroke_width=1.1)
        if not instantiate:
            svg.add("circle", r=11.2, fill="none", stroke=ink, stroke_width=1.1)
        shape = _CROSS if parallel else _PENTAGON
        points = [(x * 0.72, y * 0.72) for x, y in shape]
        svg.path(
            polyline(points, closed=True), fill="none", stroke=ink, stroke_width=1.2, stroke_linejoin="round"
        )


def marker_glyph(svg: Svg, marker: str, *, ink: str, paper: str) -> None:
    """Draw a marker of an activity's lower edge, 14 x 14: a kind of loop, compensation, adhoc or plus."""
    if marker == "standard":
        svg.path("M-1.6 6.1 A6 6 0 1 1 2.6 5.6", fill="none", stroke=ink, stroke_width=1.5)
        svg.path(
            "M-6.2 5.9 L-1.4 6.3 L-1.8 1.6",
            fill="none",
            stroke=ink,
            stroke_width=1.5,
            stroke_linejoin="round",
        )
    elif marker == "parallel":
        svg.path("M-4.5 -6 V6 M0 -6 V6 M4.5 -6 V6", stroke=ink, stroke_width=2.2)
    elif marker == "sequential":
        svg.path("M-6 -4.5 H6 M-6 0 H6 M-6 4.5 H6", stroke=ink, stroke_width=2.2)
    elif marker == "compensation":
        for shift in (0, 6.5):
            points = [(x * 0.65 + shift, y * 0.72) for x, y in _REWIND]
            svg.path(
                polyline(points, closed=True),
                fill=paper,
                stroke=ink,
                stroke_width=1.2,
                stroke_linejoin="round",
            )
    elif marker == "adhoc":
        svg.path(
            "M-7 2.6 C-5.6 -2.6 -3 -3.6 0 -1 C2.4 1 4.8 1 7 -2.8"
            " V0 C4.8 4.4 2.4 4.2 0 2 C-3 -0.6 -5 0.6 -7 5 Z",
            fill=ink, stroke=ink, stroke_width=0.6,
        )  # fmt: skip
    elif marker == "plus":
        svg.add("rect", x=-7, y=-7, width=14, height=14, fill=paper, stroke=ink, stroke_width=1.2)
        svg.path("M0 -4.6 V4.6 M-4.6 0 H4.6", stroke=ink, stroke_width=1.4)
