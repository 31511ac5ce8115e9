"""Groups: a dashed box around what belongs to it.

A group has no members in the model. They are those whose category value it shares, and those that
an existing diagram has inside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowkit.bpmn.diagram.di import Bounds, Diagram
from flowkit.bpmn.diagram.layout.contents import Contents
from flowkit.bpmn.diagram.layout.sheet import Box, Picture, label_size
from flowkit.bpmn.diagram.source import Element

__all__ = ["add_groups"]

_PADDING = 14


def add_groups(
    picture: Picture, contents: Contents, owners: Sequence[str], before: Sequence[Diagram]
) -> None:
    """Add the groups of a sheet whose members are in the picture."""
    for owner in owners:
        for group in contents.inside.get(owner, ()):
            if group.kind == "group":
                members = _members(contents, group, before)
                boxes = [box for box in picture.boxes if box.id in members]
                if boxes:
                    picture.boxes.append(_around(contents, group, picture, boxes))


def _members(contents: Contents, group: Element, before: Sequence[Diagram]) -> set[str]:
    members = set(contents.members.get(group.reference("categoryValueRef"), ()))
    for diagram in before:
        shown = next((shape for shape in diagram.shapes if shape.element == group.id), None)
        if shown is None:
            continue
        for shape in diagram.shapes:
            element = contents.source.elements.get(shape.element)
            framed = element is None or element.kind in ("participant", "lane", "group")
            if not framed and shown.bounds.contains(shape.bounds):
                members.add(shape.element)
    return members


def _around(contents: Contents, group: Element, picture: Picture, boxes: list[Box]) -> Box:
    """The smallest box; what it would cut is taken in whole, so that laying out again changes nothing."""
    nodes = [box for box in picture.boxes if box.kind not in ("participant", "lane", "group")]
    inside = list(boxes)
    while True:
        left = min(_left(box) for box in inside) - _PADDING
        top = min(_top(box) for box in inside) - _PADDING
        right = max(max(box.x + box.width, _right(box)) for box in inside) + _PADDING
        bottom = max(max(box.y + box.height, _bottom(box)) for box in inside) + _PADDING
        frame = Bounds(left, top, right - left, bottom - top)
        more = [box for box in nodes if box not in inside and frame.overlaps(Bounds(*box.bounds))]
        more = [box for box in more if not _encloses(box, boxes)]
        if not more:
            break
        inside += more
    made = Box(group.id, "group", left, top, right - left, bottom - top)
    value = contents.source.elements.get(group.reference("categoryValueRef"))
    width, height = label_size(value.attributes.get("value", "") if value else "", 120)
    if width:
        made.label = (left + (right - left - width) // 2, top - height - 3, width, height)
    return made


def _encloses(box: Box, inner: list[Box]) -> bool:
    return all(Bounds(*box.bounds).contains(Bounds(*other.bounds)) for other in inner)


def _left(box: Box) -> int:
    return min(box.x, box.label[0]) if box.label else box.x


def _top(box: Box) -> int:
    return min(box.y, box.label[1]) if box.label else box.y


def _right(box: Box) -> int:
    return box.label[0] + box.label[2] if box.label else box.x + box.width


def _bottom(box: Box) -> int:
    return box.label[1] + box.label[3] if box.label else box.y + box.height
