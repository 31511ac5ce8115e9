"""Diagrams: reading diagram interchange, drawing it, laying it out, checking it."""

from flowkit.bpmn.diagram.check import check_layout
from flowkit.bpmn.diagram.di import Bounds, Diagram, Edge, Shape, read_diagrams
from flowkit.bpmn.diagram.draw import draw
from flowkit.bpmn.diagram.layout import layout
from flowkit.bpmn.diagram.png import to_png
from flowkit.bpmn.diagram.theme import DARK, LIGHT, Mark, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Bounds",
    "Diagram",
    "Edge",
    "Mark",
    "Shape",
    "Theme",
    "check_layout",
    "draw",
    "layout",
    "read_diagrams",
    "to_png",
]
