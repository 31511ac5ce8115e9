"""Reading diagram interchange as modelers write it."""

from __future__ import annotations

from flowkit.bpmn.diagram import Bounds, read_diagrams
from tests.bpmn_diagram.diagrams import definitions

_FILE = definitions(
    '<bpmn:process id="p"><bpmn:subProcess id="sub"/><bpmn:task id="a"/>'
    '<bpmn:sequenceFlow id="f" sourceRef="sub" targetRef="a"/></bpmn:process>'
    '<bpmndi:BPMNDiagram id="d1" name="总览"><bpmndi:BPMNPlane id="pl1" bpmnElement="p">'
    '<bpmndi:BPMNShape id="s1" bpmnElement="sub" isExpanded="false"'
    ' xmlns:color="http://www.omg.org/spec/BPMN/non-normative/color/1.0" color:background-color="#bbdefb">'
    '<dc:Bounds x="10.5" y="20" width="100" height="80"/><bpmndi:BPMNLabel>'
    '<dc:Bounds x="1" y="2" width="3" height="4"/></bpmndi:BPMNLabel></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="s2" bpmnElement="a" isHorizontal="1">'
    '<dc:Bounds x="200" y="20" width="9" height="8"/>'
    "</bpmndi:BPMNShape>"
    '<bpmndi:BPMNEdge id="e" bpmnElement="f"><di:waypoint x="110.5" y="60"/><di:waypoint x="200" y="60"/>'
    "</bpmndi:BPMNEdge></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    '<bpmndi:BPMNDiagram id="d2"><bpmndi:BPMNPlane id="pl2" bpmnElement="sub"/></bpmndi:BPMNDiagram>'
)


def test_shapes_edges_labels_and_flags_are_read():
    """Everything that a drawing needs."""
    first, second = read_diagrams(_FILE)
    assert (first.id, first.name, first.element) == ("d1", "总览", "p")
    shape, task = first.shapes
    assert shape.bounds == Bounds(10.5, 20, 100, 80)
    assert shape.label == Bounds(1, 2, 3, 4)
    assert (shape.is_expanded, shape.is_horizontal, shape.fill) == (False, None, "#bbdefb")
    assert (task.is_expanded, task.is_horizontal) == (None, True)
    assert first.edges[0].waypoints == ((110.5, 60), (200, 60))
    assert (second.element, second.shapes, second.edges) == ("sub", (), ())


def test_bounds_overlap_only_by_more_than_a_border():
    """Neighbours that touch do not overlap."""
    box = Bounds(0, 0, 10, 10)
    assert not box.overlaps(Bounds(10, 0, 5, 5))
    assert box.overlaps(Bounds(9, 9, 5, 5))
    assert not box.overlaps(Bounds(9, 9, 5, 5), slack=2)
    assert box.contains(Bounds(0, 0, 10, 10))
    assert not box.contains(Bounds(0, 0, 11, 10))


def test_a_shape_without_bounds_and_an_edge_without_points_are_left_out():
    """There is nothing to draw."""
    plane = (
        '<bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p"><bpmndi:BPMNShape bpmnElement="a"/>'
        '<bpmndi:BPMNEdge bpmnElement="f"><di:waypoint x="1" y="1"/></bpmndi:BPMNEdge>'
        "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )
    (diagram,) = read_diagrams(definitions(f'<bpmn:process id="p"/>{plane}'))
    assert (diagram.shapes, diagram.edges) == ((), ())
