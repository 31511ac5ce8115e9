"""Drawing shapes: pools, lanes, activities, events, gateways, data and artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowkit.bpmn.diagram.di import Bounds, Shape
from flowkit.bpmn.diagram.glyphs import event_glyph, gateway_glyph, marker_glyph, task_glyph
from flowkit.bpmn.diagram.source import Element, Source
from flowkit.bpmn.diagram.svg import Svg, number, polyline
from flowkit.bpmn.diagram.text import line_height, text_width, wrap
from flowkit.bpmn.diagram.theme import Mark, Theme

__all__ = ["SUBPROCESSES", "Pen", "draw_label", "draw_shape", "outside_label"]

SUBPROCESSES = ("subProcess", "transaction", "adHocSubProcess")
_NAME = 12.0
_LABEL = 11.0
_THROWING = ("endEvent", "intermediateThrowEvent", "implicitThrowEvent")


@dataclass
class Pen:
    """What drawing one shape needs: where to, how, and what the model says."""

    svg: Svg
    theme: Theme
    source: Source
    expanded: frozenset[str] = frozenset()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    ink: str = ""
    paper: str = ""
    text: str = ""
    weight: float = 0.0

    def line(self, width: float) -> float:
        """A line width, unless a mark sets its own."""
        return self.weight or width


def draw_shape(pen: Pen, element: Element, shape: Shape) -> None:
    """Draw one shape without its outside label."""
    kind = element.kind
    if kind == "participant":
        _pool(pen, element, shape)
    elif kind == "lane":
        _lane(pen, element, shape)
    elif kind.endswith("Event"):
        _event(pen, element, shape)
    elif kind.endswith("Gateway"):
        _gateway(pen, element, shape)
    elif kind in ("dataObjectReference", "dataObject", "dataInput", "dataOutput"):
        _data_object(pen, element, shape)
    elif kind in ("dataStoreReference", "dataStore"):
        _data_store(pen, shape.bounds)
    elif kind == "textAnnotation":
        _annotation(pen, element, shape)
    elif kind == "group":
        _box(pen, shape.bounds, 10, 1.4, fill="none", dashes="8 5 1.5 5")
    elif kind in ("conversation", "subConversation", "callConversation"):
        _hexagon(pen, shape.bounds)
    else:
        _activity(pen, element, shape)


def _box(pen: Pen, bounds: Bounds, radius: float, width: float, *, fill: str = "", dashes: str = "") -> None:
    pen.svg.add(
        "rect",
        x=bounds.x,
        y=bounds.y,
        width=bounds.width,
        height=bounds.height,
        rx=radius or "",
        fill=fill or pen.paper,
        stroke=pen.ink,
        stroke_width=pen.line(width),
        stroke_dasharray=dashes,
    )


def _pool(pen: Pen, element: Element, shape: Shape) -> None:
    bounds = shape.bounds
    _box(pen, bounds, 0, 1.5)
    process = element.reference("processRef")
    lanes = any(lane.parent == process for lane in pen.source.of_kind("lane"))
    black_box = not process or (not lanes and not pen.source.children(process))
    if black_box or min(bounds.width, bounds.height) < 60:
        lines = wrap(element.name, bounds.width - 16, _NAME)
        middle = bounds.y + (bounds.height - len(lines) * line_height(_NAME)) / 2
        pen.svg.lines(lines, bounds.center[0], middle, _NAME, fill=pen.text)
    else:
        _title(pen, element.name, bounds, shape.is_horizontal)
    if "participantMultiplicity" in element.children:
        _glyph(pen, bounds.center[0], bounds.bottom - 12, marker="parallel")


def _lane(pen: Pen, element: Element, shape: Shape) -> None:
    _box(pen, shape.bounds, 0, 1.2)
    _title(pen, element.name, shape.bounds, shape.is_horizontal, line=False)


def _title(pen: Pen, name: str, bounds: Bounds, horizontal: bool | None, *, line: bool = True) -> None:
    """The title bar of a pool or lane: at the left and upright, or on top of a vertical one."""
    theme, svg = pen.theme, pen.svg
    upright = horizontal is not False
    x, y = bounds.x, bounds.y
    width, height = (30.0, bounds.height) if upright else (bounds.width, 30.0)
    svg.add(
        "rect",
        x=x,
        y=y,
        width=width,
        height=height,
        fill=theme.header if pen.paper in (theme.fill, theme.pool) else pen.paper,
        stroke=pen.ink,
        stroke_width=pen.line(1.5 if line else 1.2),
    )
    room = (height if upright else width) - 8
    lines = wrap(name, max(room, 24), _NAME)[:2]
    middle_x, middle_y = x + width / 2, y + height / 2
    turn = f"rotate(-90 {number(middle_x)} {number(middle_y)})" if upright else ""
    top = middle_y - len(lines) * line_height(_NAME) / 2
    svg.lines(lines, middle_x, top, _NAME, fill=pen.text, transform=turn)


def _glyph(pen: Pen, x: float, y: float, *, marker: str) -> None:
    pen.svg.open("g", transform=f"translate({number(x)} {number(y)})")
    marker_glyph(pen.svg, marker, ink=pen.ink, paper=pen.paper)
    pen.svg.close("g")


# Activities


def _activity(pen: Pen, element: Element, shape: Shape) -> None:
    bounds, kind = shape.bounds, element.kind
    expanded = element.id in pen.expanded
    event_subprocess = element.flag("triggeredByEvent")
    width = 4.0 if kind == "callActivity" else 1.6
    _box(pen, bounds, 10, width, dashes="1.6 4.2" if event_subprocess else "")
    if kind == "transaction":
        inner = Bounds(bounds.x + 4, bounds.y + 4, bounds.width - 8, bounds.height - 8)
        _box(pen, inner, 7, 1.2, fill="none")
    _type_symbol(pen, element, bounds)
    markers = _markers(element, expanded)
    _marker_row(pen, markers, bounds)
    if kind in SUBPROCESSES and event_subprocess and not expanded:
        _trigger(pen, element, bounds)
    if expanded:
        lines = wrap(element.name, bounds.width - 24, _NAME)
        pen.svg.lines(lines, bounds.center[0], bounds.y + 7, _NAME, fill=pen.text)
        return
    lines = wrap(element.name, bounds.width - 12, _NAME)
    fitting = max(1, int((bounds.height - 6) / line_height(_NAME)))
    lines = lines[:fitting]
    height = len(lines) * line_height(_NAME)
    # Centred, unless it would touch the symbol above or the markers below.
    top = max(bounds.y + (bounds.height - height) / 2, bounds.y + (23 if _has_symbol(pen, element) else 3))
    top = min(top, bounds.bottom - height - (19 if markers else 3))
    pen.svg.lines(lines, bounds.center[0], max(top, bounds.y + 2), _NAME, fill=pen.text)


def _has_symbol(pen: Pen, element: Element) -> bool:
    return element.kind.endswith("Task") or (
        element.kind == "callActivity" and element.reference("calledElement") in pen.source.elements
    )


def _type_symbol(pen: Pen, element: Element, bounds: Bounds) -> None:
    kind = element.kind
    if kind == "callActivity":
        called = pen.source.elements.get(element.reference("calledElement"))
        kind = called.kind.replace("global", "", 1) if called else ""
        kind = kind[:1].lower() + kind[1:]
    instantiating = kind == "receiveTask" and element.flag("instantiate")
    pen.svg.open("g", transform=f"translate({number(bounds.x + 15)} {number(bounds.y + 14)})")
    if instantiating:
        pen.svg.add("circle", r=11, fill="none", stroke=pen.ink, stroke_width=1.1)
        pen.svg.open("g", transform="scale(0.75)")
    task_glyph(pen.svg, kind, ink=pen.ink, paper=pen.paper)
    if instantiating:
        pen.svg.close("g")
    pen.svg.close("g")


def _markers(element: Element, expanded: bool) -> list[str]:
    markers = [element.loop] if element.loop else []
    if element.flag("isForCompensation"):
        markers.append("compensation")
    if element.kind == "adHocSubProcess":
        markers.append("adhoc")
    if (element.kind in SUBPROCESSES and not expanded) or element.kind == "callActivity":
        markers.append("plus")
    return markers


def _marker_row(pen: Pen, markers: list[str], bounds: Bounds) -> None:
    left = bounds.center[0] - (len(markers) - 1) * 9
    for index, marker in enumerate(markers):
        _glyph(pen, left + index * 18, bounds.bottom - 11, marker=marker)


def _trigger(pen: Pen, element: Element, bounds: Bounds) -> None:
    """A collapsed event subprocess shows what starts it."""
    start = next((e for e in pen.source.children(element.id) if e.kind == "startEvent"), None)
    if start is None:
        return
    pen.svg.open("g", transform=f"translate({number(bounds.x + 16)} {number(bounds.y + 16)}) scale(0.6)")
    dashes = "" if start.flag("isInterrupting", default=True) else "4 3"
    pen.svg.add("circle", r=17, fill=pen.paper, stroke=pen.ink, stroke_width=1.8, stroke_dasharray=dashes)
    event_glyph(pen.svg, _trigger_kind(start), ink=pen.ink, paper=pen.paper, filled=False)
    pen.svg.close("g")


# Events and gateways


def _trigger_kind(element: Element) -> str:
    if len(element.events) > 1:
        return "parallelMultiple" if element.flag("parallelMultiple") else "multiple"
    return element.events[0] if element.events else ""


def _event(pen: Pen, element: Element, shape: Shape) -> None:
    bounds, svg = shape.bounds, pen.svg
    radius = min(bounds.width, bounds.height) / 2
    interrupting = element.flag("isInterrupting", default=True) and element.flag(
        "cancelActivity", default=True
    )
    svg.open("g", transform=f"translate({number(bounds.center[0])} {number(bounds.center[1])})")
    dashes = "" if interrupting else "5 3.4"
    width = 3.8 if element.kind == "endEvent" else 1.6
    svg.add(
        "circle",
        r=radius,
        fill=pen.paper,
        stroke=pen.ink,
        stroke_width=pen.line(width),
        stroke_dasharray=dashes,
    )
    if element.kind not in ("startEvent", "endEvent"):
        svg.add(
            "circle", r=radius - 3.6, fill="none", stroke=pen.ink, stroke_width=1.4, stroke_dasharray=dashes
        )
    svg.open("g", transform=f"scale({number(radius / 18)})" if radius != 18 else "")
    filled = element.kind in _THROWING
    event_glyph(svg, _trigger_kind(element), ink=pen.ink, paper=pen.paper, filled=filled)
    svg.close("g")
    svg.close("g")


def _gateway(pen: Pen, element: Element, shape: Shape) -> None:
    bounds, svg = shape.bounds, pen.svg
    x, y = bounds.center
    corners = [(x, bounds.y), (bounds.right, y), (x, bounds.bottom), (bounds.x, y)]
    svg.path(
        polyline(corners, closed=True),
        fill=pen.paper,
        stroke=pen.ink,
        stroke_width=pen.line(1.6),
        stroke_linejoin="round",
    )
    if element.kind == "exclusiveGateway" and shape.is_marker_visible is False:
        return
    scale = min(bounds.width, bounds.height) / 50
    svg.open("g", transform=f"translate({number(x)} {number(y)}) scale({number(scale)})")
    parallel = element.attributes.get("eventGatewayType") == "Parallel"
    gateway_glyph(svg, element.kind, ink=pen.ink, parallel=parallel, instantiate=element.flag("instantiate"))
    svg.close("g")


# Data and artifacts


def _data_object(pen: Pen, element: Element, shape: Shape) -> None:
    b, svg = shape.bounds, pen.svg
    fold = min(12.0, b.width / 3)
    outline = [(b.x, b.y), (b.right - fold, b.y), (b.right, b.y + fold), (b.right, b.bottom), (b.x, b.bottom)]
    svg.path(polyline(outline, closed=True), fill=pen.paper, stroke=pen.ink, stroke_width=pen.line(1.5))
    corner = [(b.right - fold, b.y), (b.right - fold, b.y + fold), (b.right, b.y + fold)]
    svg.path(polyline(corner), fill="none", stroke=pen.ink, stroke_width=1.3)
    data = pen.source.elements.get(element.reference("dataObjectRef"))
    if element.flag("isCollection") or (data is not None and data.flag("isCollection")):
        _glyph(pen, b.center[0], b.bottom - 9, marker="parallel")
    if element.kind in ("dataInput", "dataOutput"):
        svg.open("g", transform=f"translate({number(b.x + 11)} {number(b.y + 12)}) scale(0.7)")
        event_glyph(svg, "link", ink=pen.ink, paper=pen.paper, filled=element.kind == "dataOutput")
        svg.close("g")


def _data_store(pen: Pen, b: Bounds) -> None:
    n = number
    rx, ry = b.width / 2, min(b.height / 8, 8.0)
    arc = f"A{n(rx)} {n(ry)} 0 0 "
    body = (
        f"M{n(b.x)} {n(b.y + ry)} V{n(b.bottom - ry)} {arc}0 {n(b.right)} {n(b.bottom - ry)}"
        f" V{n(b.y + ry)} {arc}0 {n(b.x)} {n(b.y + ry)} Z"
    )
    pen.svg.path(body, fill=pen.paper, stroke=pen.ink, stroke_width=pen.line(1.5))
    rings = " ".join(
        f"M{n(b.x)} {n(b.y + ry + step)} {arc}0 {n(b.right)} {n(b.y + ry + step)}"
        for step in (0, ry * 0.7, ry * 1.4)
    )
    pen.svg.path(rings, fill="none", stroke=pen.ink, stroke_width=1.3)


def _annotation(pen: Pen, element: Element, shape: Shape) -> None:
    b = shape.bounds
    pen.svg.add("rect", x=b.x, y=b.y, width=b.width, height=b.height, fill=pen.paper, fill_opacity=0.01)
    bracket = [(b.x + 10, b.y), (b.x, b.y), (b.x, b.bottom), (b.x + 10, b.bottom)]
    pen.svg.path(polyline(bracket), fill="none", stroke=pen.ink, stroke_width=pen.line(1.5))
    lines = wrap(element.text, max(b.width - 8, 40), _NAME)
    pen.svg.lines(lines, b.x + 7, b.y + 5, _NAME, anchor="start", fill=pen.text)


def _hexagon(pen: Pen, b: Bounds) -> None:
    cut = b.width / 4
    x, y = b.x, b.center[1]
    points = [
        (x, y),
        (x + cut, b.y),
        (b.right - cut, b.y),
        (b.right, y),
        (b.right - cut, b.bottom),
        (x + cut, b.bottom),
    ]
    pen.svg.path(polyline(points, closed=True), fill=pen.paper, stroke=pen.ink, stroke_width=pen.line(1.6))


# Labels beside a shape


def outside_label(source: Source, element: Element) -> str:
    """The name that stands beside a shape or edge, not in it."""
    kind = element.kind
    if kind == "group":
        value = source.elements.get(element.reference("categoryValueRef"))
        return value.attributes.get("value", "") if value else ""
    outside = ("Event", "Gateway", "Reference", "Flow", "dataObject", "dataStore", "dataInput", "dataOutput")
    conversation = ("conversation", "subConversation", "callConversation")
    if kind.endswith(outside) or kind in (*conversation, "association"):
        return element.name
    return ""


def draw_label(pen: Pen, name: str, place: Bounds | None, default: Bounds) -> None:
    """Draw a name into its label box; ``default`` is used where the file gives no box."""
    box = place if place is not None and place.width > 0 else default
    longest = max((text_width(word, _LABEL) for word in name.split()), default=0.0)
    # A word that the modeler's font could fit must not be cut because our estimate is a little wider.
    room = max(box.width + 0.5, min(longest, box.width * 1.4))
    lines = wrap(name, room, _LABEL)
    pen.svg.lines(lines, box.center[0], box.y, _LABEL, fill=pen.text)
