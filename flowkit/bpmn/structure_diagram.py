"""Holding a file's diagrams against the schema of diagram interchange, and against what they draw.

Source: OMG BPMN 2.0.2, chapter 12 (BPMNDI.xsd) with OMG DD 1.0 (DI.xsd, DC.xsd).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from flowkit.bpmn.index import Index, finding, resolve
from flowkit.bpmn.schema import BPMN, BPMNDI, ElementType, is_a, read_table
from flowkit.bpmn.structure import check_attributes, check_counts, is_number, out_of_order
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding

__all__ = ["DIAGRAM_TYPES", "check_diagrams"]

_DC = "http://www.omg.org/spec/DD/20100524/DC"
_DI = "http://www.omg.org/spec/DD/20100524/DI"

# The form is that of flowkit.bpmn.schema; references are checked below, so they are strings here.
DIAGRAM_TYPES = read_table("""
diagramElement | id:id | extension?
extension | | any*
Point | x!:number y!:number |
waypoint < Point | |
Bounds < Point | width!:number height!:number |
Font | name size:number isBold:bool isItalic:bool isUnderline:bool isStrikeThrough:bool |
BPMNDiagram | id:id name documentation resolution:number | BPMNPlane! BPMNLabelStyle*
BPMNLabelStyle | id:id | Font!
BPMNLabel < diagramElement | labelStyle | Bounds?
BPMNShape < diagramElement | bpmnElement isHorizontal:bool isExpanded:bool isMarkerVisible:bool
  isMessageVisible:bool participantBandKind:participantBandKind choreographyActivityShape
  | Bounds! BPMNLabel?
BPMNEdge < diagramElement | bpmnElement sourceElement targetElement messageVisibleKind:messageVisibleKind
  | waypoint+ BPMNLabel?
BPMNPlane < diagramElement | bpmnElement |
""")
_NAMESPACES = {"waypoint": _DI, "extension": _DI, "Bounds": _DC, "Font": _DC}

_DRAWN: dict[str, tuple[str, ...]] = {
    "BPMNPlane": ("process", "collaboration", "subProcess", "subChoreography"),
    "BPMNShape": (
        *("flowNode", "participant", "lane", "dataObject", "dataObjectReference", "dataStoreReference"),
        *("dataStore", "dataInput", "dataOutput", "message", "textAnnotation", "group", "conversationNode"),
    ),
    "BPMNEdge": ("sequenceFlow", "messageFlow", "association", "dataAssociation", "conversationLink"),
}
"""12.2.3: what a plane shows, what is drawn as a shape, and what as an edge."""


class _Ids(NamedTuple):
    model: Index
    shapes: dict[str, Node]


def check_diagrams(root: Node, index: Index) -> Iterator[Finding]:
    """Everything in which the diagrams depart from their schema, or draw what is not there."""
    diagrams = [n for n in root.children if n.tag == "BPMNDiagram" and n.namespace == BPMNDI]
    shapes: dict[str, Node] = {}
    for diagram in diagrams:
        yield from _check_ids(diagram, index, shapes)
    ids = _Ids(index, shapes)
    for diagram in diagrams:
        yield from _check(diagram, ids)


def _check_ids(diagram: Node, index: Index, shapes: dict[str, Node]) -> Iterator[Finding]:
    """Ids are unique in the whole file, the diagram's included: they are XML ids."""
    for node in diagram.iter():
        identifier = node.get("id")
        if identifier is None:
            continue
        if identifier in index.nodes or identifier in shapes:
            yield finding(
                "duplicate-id",
                node,
                f"the id '{identifier}' is used twice.",
                "Give every element its own id.",
            )
        shapes.setdefault(identifier, node)


def _check(diagram: Node, ids: _Ids) -> Iterator[Finding]:
    stack = [diagram]
    while stack:
        node = stack.pop()
        element = DIAGRAM_TYPES[node.tag]
        if _is_plain(node, element):
            continue
        yield from check_attributes(node, element, ids.model)
        if node.text.strip():
            yield finding("unexpected-text", node, f"<{node.tag}> holds text, but may only hold elements.")
        if element.mixed:
            continue
        yield from _check_references(node, ids)
        yield from _check_children(node, element)
        stack.extend(child for child in reversed(node.children) if _is_known(child))


def _is_plain(node: Node, element: ElementType) -> bool:
    """A point or rectangle with nothing but its numbers: most of a diagram, so told apart quickly."""
    return (
        element.name in ("waypoint", "Bounds")
        and not node.children
        and not node.text.strip()
        and node.attributes.keys() == _COORDINATES[element.name]
        and all(map(is_number, node.attributes.values()))
    )


_COORDINATES = {
    name: {("", attribute) for attribute in DIAGRAM_TYPES[name].attributes} for name in ("waypoint", "Bounds")
}


def _is_known(node: Node) -> bool:
    return node.tag in DIAGRAM_TYPES and node.namespace == _NAMESPACES.get(node.tag, BPMNDI)


def _check_children(node: Node, element: ElementType) -> Iterator[Finding]:
    seen: Counter[int] = Counter()
    last = 0
    for child in node.children:
        known = _is_known(child)
        found = element.child(child.tag) if known else None
        on_plane = node.tag == "BPMNPlane" and child.tag in ("BPMNShape", "BPMNEdge")
        if found is not None:
            seen[found[0]] += 1
            if found[0] < last:
                yield out_of_order(child, node)
            last = max(last, found[0])
        elif not known or not on_plane:
            yield finding(
                "unknown-element",
                child,
                f"<{child.tag}> is not allowed in <{node.tag}> by diagram interchange.",
                "Save the file with a modeler, or remove the element.",
            )
    yield from check_counts(node, element, seen)
    if node.tag == "BPMNEdge" and sum(child.tag == "waypoint" for child in node.children) == 1:
        yield finding("missing-child", node, f"<{node.tag}> needs two <waypoint> or more.", "Add them.")


def _check_references(node: Node, ids: _Ids) -> Iterator[Finding]:
    drawn = node.get("bpmnElement")
    if drawn is not None:
        target = ids.model.nodes.get(resolve(node, drawn, ids.model) or "")
        if target is None:
            yield _dangling(node, f"<{node.tag}> draws '{drawn[:60]}'")
        elif not any(is_a(_kind(target), kind) for kind in _DRAWN.get(node.tag, ())):
            yield finding(
                "diagram-reference",
                node,
                f"<{node.tag}> draws '{drawn[:60]}', a <{target.tag}>, which is not drawn that way.",
                "Nodes and data have shapes, what connects them has edges; the plane shows the whole.",
            )
    for attribute in ("sourceElement", "targetElement", "labelStyle", "choreographyActivityShape"):
        reference = node.get(attribute)
        local = (reference or "").rpartition(":")[2].strip()
        # Some modelers name the model's element here instead of its shape.
        if reference is not None and local not in ids.shapes and local not in ids.model.nodes:
            yield _dangling(node, f"{attribute} of <{node.tag}> is '{reference[:60]}'")


def _dangling(node: Node, what: str) -> Finding:
    return finding(
        "diagram-reference",
        node,
        f"{what}, which does not exist in the file.",
        "Save the file with a modeler, or delete the shape.",
    )


def _kind(node: Node) -> str:
    """``inputDataItem`` and ``outputDataItem`` are data inputs and outputs under other names."""
    if node.namespace == BPMN and node.tag in ("inputDataItem", "outputDataItem"):
        return "dataInput"
    return node.tag
