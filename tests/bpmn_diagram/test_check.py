"""Each check of a diagram finds what it is for, and nothing in a clean one."""

from __future__ import annotations

from flowkit.bpmn.diagram import check_layout, layout
from flowkit.findings import Severity
from tests.bpmn_diagram.diagrams import definitions, process, short

_FLOW = """
    startEvent s 收到
    task a
    task b
    endEvent e 完成
    s > a
    a > b: 是
    b > e
"""
_LANES = definitions(
    '<bpmn:collaboration id="c"><bpmn:participant id="pool" processRef="p"/></bpmn:collaboration>'
    '<bpmn:process id="p"><bpmn:laneSet id="ls">'
    '<bpmn:lane id="up" name="上"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane>'
    '<bpmn:lane id="down" name="下"><bpmn:flowNodeRef>b</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    + short("task a\ntask b\na > b")
    + "</bpmn:process>"
)


def _rules(data: bytes) -> list[str]:
    findings = check_layout(data)
    assert all(finding.severity is Severity.WARNING for finding in findings)
    return [finding.rule for finding in findings]


def _moved(data: bytes, element: str, **bounds: int) -> bytes:
    """The file with one shape's bounds changed."""
    text = data.decode()
    start = text.index(f'bpmnElement="{element}"')
    first = text.index("<dc:Bounds", start)
    last = text.index("/>", first)
    old = text[first:last]
    new = old
    for name, value in bounds.items():
        before = new.split(f'{name}="')[1].split('"')[0]
        new = new.replace(f'{name}="{before}"', f'{name}="{int(before) + value}"')
    return (text[:first] + new + text[last:]).encode()


def test_a_layout_is_clean():
    """The negative control of everything below."""
    assert _rules(layout(process(_FLOW))) == []


def test_what_is_not_drawn_is_named():
    """Nodes and flows without a place."""
    rules = _rules(process(_FLOW))
    assert rules.count("di-missing-shape") == 4
    assert rules.count("di-missing-edge") == 3


def test_overlapping_nodes_are_found():
    """And the flow that no longer meets its end."""
    rules = _rules(_moved(layout(process(_FLOW)), "b", x=-140))
    assert "di-overlap" in rules
    assert "di-loose-end" in rules


def test_a_node_outside_its_lane_is_found():
    """The lane that names it, not the one that it lies in, counts."""
    assert "di-outside-lane" in _rules(_moved(layout(_LANES), "b", y=-130))


def test_a_node_outside_its_pool_is_found():
    """Far outside."""
    assert "di-outside-lane" in _rules(_moved(layout(_LANES), "b", y=900))


def test_a_boundary_event_off_its_host_is_found():
    """Its centre must lie on the border."""
    data = layout(process('task a\n<bpmn:boundaryEvent id="late" attachedToRef="a"/>'))
    assert _rules(_moved(data, "late", y=30)) == ["di-boundary-off-host"]


def test_a_flow_through_a_node_is_found():
    """A node moved onto the line of others."""
    data = layout(process("task a\ntask b\na > b\ntask c"))
    shapes = data.decode()
    a_y = int(shapes.split('bpmnElement="a"')[1].split(' y="')[1].split('"')[0])
    c_y = int(shapes.split('bpmnElement="c"')[1].split(' y="')[1].split('"')[0])
    a_x = int(shapes.split('bpmnElement="a"')[1].split(' x="')[1].split('"')[0])
    c_x = int(shapes.split('bpmnElement="c"')[1].split(' x="')[1].split('"')[0])
    moved = _moved(data, "c", x=a_x - c_x + 110, y=a_y - c_y, width=-70)
    assert "di-crosses-shape" in _rules(moved)


def test_a_name_without_room_is_found():
    """A task shrunk below its name."""
    data = layout(process('<bpmn:task id="a" name="核对客户姓名电话和车辆识别代号"/>'))
    assert _rules(_moved(data, "a", height=-60)) == ["di-name-space"]


def test_a_label_on_a_node_is_found():
    """The name of the start laid over the task."""
    data = layout(process(_FLOW)).decode()
    label = data.split('bpmnElement="s"')[1].split("<bpmndi:BPMNLabel>")[1].split("/>")[0]
    task = data.split('bpmnElement="a"')[1].split("<dc:Bounds")[1].split("/>")[0]
    assert "di-label-overlap" in _rules(data.replace(label, "<dc:Bounds" + task).encode())


def test_findings_say_where():
    """File, line, id and name."""
    finding = check_layout(process(_FLOW), file="a.bpmn")[0]
    assert (finding.location.file, finding.element_id, finding.element_name) == ("a.bpmn", "s", "收到")
    assert finding.location.line > 0


def test_a_hostile_file_is_checked_in_bounded_time():
    """Thousands of shapes in one place: the check stops at its limit."""
    tasks = "".join(f'<bpmn:task id="t{i}"/>' for i in range(2500))
    shapes = "".join(
        f'<bpmndi:BPMNShape bpmnElement="t{i}"><dc:Bounds x="1" y="1" width="9" height="9"/>'
        "</bpmndi:BPMNShape>"
        for i in range(2500)
    )
    plane = f'<bpmndi:BPMNPlane bpmnElement="p">{shapes}</bpmndi:BPMNPlane>'
    data = definitions(
        f'<bpmn:process id="p">{tasks}</bpmn:process><bpmndi:BPMNDiagram>{plane}</bpmndi:BPMNDiagram>'
    )
    assert len(check_layout(data)) == 500
