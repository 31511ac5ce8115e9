"""What a layout looks like: the rules of docs/diagrams, each on a small diagram."""

from __future__ import annotations

from pathlib import Path

import pytest
import SpiffWorkflow
from lxml import etree

from flowkit.bpmn.diagram import Diagram, Shape, check_layout, layout, read_diagrams
from flowkit.errors import InvalidModel
from tests.bpmn_diagram.diagrams import definitions, process, short


def _shapes(data: bytes, **options: str) -> dict[str, Shape]:
    drawn = layout(data, **options)
    assert [str(finding) for finding in check_layout(drawn)] == []
    return {shape.element: shape for diagram in read_diagrams(drawn) for shape in diagram.shapes}


def _diagrams(data: bytes, **options: str) -> list[Diagram]:
    return list(read_diagrams(layout(data, **options)))


def _line(data: bytes, flow: str) -> tuple[tuple[float, float], ...]:
    (diagram, *_) = read_diagrams(layout(data))
    return next(edge.waypoints for edge in diagram.edges if edge.element == flow)


_DECISION = """
    startEvent s
    userTask check
    exclusiveGateway ok 合格?
    task pack
    task ship
    task bill
    endEvent done
    task repair
    endEvent scrapped
    s > check
    check > ok
    ok > repair: 否
    ok > pack: 是
    pack > ship
    ship > bill
    bill > done
    repair > scrapped
"""


def test_the_main_path_is_one_straight_line_from_left_to_right():
    """The longest way to an end lies on one row, whatever the order in the file."""
    shapes = _shapes(process(_DECISION))
    path = [
        shapes[identity].bounds.center for identity in ("s", "check", "ok", "pack", "ship", "bill", "done")
    ]
    assert len({y for _, y in path}) == 1
    assert [x for x, _ in path] == sorted(x for x, _ in path)
    assert len(_line(process(_DECISION), "ok_pack")) == 2


_ERROR_END = '<bpmn:endEvent id="done" name=""><bpmn:errorEventDefinition id="e"/></bpmn:endEvent>'


def test_the_main_path_does_not_lead_to_an_error():
    """A longer way to an error end hangs below the shorter one that ends well."""
    text = _DECISION.replace("endEvent done", _ERROR_END)
    shapes = _shapes(process(text))
    line = shapes["s"].bounds.center[1]
    assert shapes["scrapped"].bounds.center[1] == line
    assert shapes["done"].bounds.center[1] > line


def test_a_branch_goes_straight_on_where_the_main_path_leaves_the_lane():
    """The longer way leads into the next lane; what stays in the lane needs no row of its own."""
    lanes = (
        '<bpmn:lane id="first"><bpmn:flowNodeRef>s</bpmn:flowNodeRef><bpmn:flowNodeRef>g</bpmn:flowNodeRef>'
        '<bpmn:flowNodeRef>e</bpmn:flowNodeRef></bpmn:lane><bpmn:lane id="second">'
        "<bpmn:flowNodeRef>a</bpmn:flowNodeRef><bpmn:flowNodeRef>f</bpmn:flowNodeRef></bpmn:lane>"
    )
    content = """
        startEvent s
        exclusiveGateway g ok?
        endEvent e
        task a
        endEvent f
        s > g
        g > e: yes
        g > a: no
        a > f
    """
    data = definitions(
        '<bpmn:collaboration id="c"><bpmn:participant id="us" processRef="p"/></bpmn:collaboration>'
        f'<bpmn:process id="p"><bpmn:laneSet id="ls">{lanes}</bpmn:laneSet>{short(content)}</bpmn:process>'
    )
    shapes = _shapes(data)
    assert len({shapes[identity].bounds.center[1] for identity in ("s", "g", "e")}) == 1


def test_what_branches_off_hangs_below():
    """Exceptions lie under the line that they leave."""
    shapes = _shapes(process(_DECISION))
    assert shapes["repair"].bounds.y > shapes["pack"].bounds.bottom
    assert shapes["scrapped"].bounds.center[1] == shapes["repair"].bounds.center[1]


def test_nested_branches_do_not_cross():
    """A branch that opens later hangs higher than one that opened before."""
    shapes = _shapes(
        process("""
        startEvent s
        exclusiveGateway outer
        task a
        exclusiveGateway inner
        task b
        exclusiveGateway join2
        task c
        exclusiveGateway join1
        endEvent e
        task x
        task y
        s > outer
        outer > a
        a > inner
        inner > b
        b > join2
        join2 > c
        c > join1
        join1 > e
        outer > x
        x > join1
        inner > y
        y > join2
        """)
    )
    assert shapes["a"].bounds.y < shapes["y"].bounds.y < shapes["x"].bounds.y


def test_a_loop_returns_without_touching_what_it_passes():
    """The flow back runs above or below the row, not through it."""
    data = process("""
        startEvent s
        exclusiveGateway again
        task work
        task test
        exclusiveGateway ok
        endEvent e
        s > again
        again > work
        work > test
        test > ok
        ok > e
        ok > again: 否
    """)
    shapes = _shapes(data)
    line = _line(data, "ok_again")
    top, bottom = shapes["work"].bounds.y, shapes["work"].bounds.bottom
    assert any(y < top or y > bottom for _, y in line)
    assert len(line) == 4


_LANES = definitions(
    '<bpmn:collaboration id="c"><bpmn:participant id="shop" name="服务站" processRef="p"/>'
    '<bpmn:participant id="customer" name="客户"/>'
    '<bpmn:messageFlow id="m" sourceRef="customer" targetRef="s"/></bpmn:collaboration>'
    '<bpmn:process id="p"><bpmn:laneSet id="ls">'
    '<bpmn:lane id="front" name="服务顾问"><bpmn:flowNodeRef>s</bpmn:flowNodeRef>'
    "<bpmn:flowNodeRef>e</bpmn:flowNodeRef></bpmn:lane>"
    '<bpmn:lane id="back" name="车间"><bpmn:childLaneSet id="cls">'
    '<bpmn:lane id="bench" name="技师"><bpmn:flowNodeRef>repair</bpmn:flowNodeRef></bpmn:lane>'
    '<bpmn:lane id="store" name="备品库"/></bpmn:childLaneSet></bpmn:lane></bpmn:laneSet>'
    + short("startEvent s\ntask repair\nendEvent e\ns > repair\nrepair > e")
    + "</bpmn:process>"
)


def test_lanes_lie_below_each_other_in_the_order_of_the_file():
    """Lanes fill their pool, nested ones their lane, and hold the nodes that they name."""
    shapes = _shapes(_LANES)
    pool, front, back = (shapes[i].bounds for i in ("shop", "front", "back"))
    bench, store = shapes["bench"].bounds, shapes["store"].bounds
    assert front.bottom == back.y
    assert bench.bottom == store.y
    assert (front.y, back.bottom) == (pool.y, pool.bottom)
    assert (bench.y, store.bottom, bench.right) == (back.y, back.bottom, back.right)
    assert bench.x == back.x + 30 == pool.x + 60
    assert bench.contains(shapes["repair"].bounds)


def test_pools_are_stacked_and_messages_run_upright():
    """A black box is as wide as the pool that it talks to; the message is one upright line."""
    shapes = _shapes(_LANES)
    assert shapes["customer"].bounds.bottom < shapes["shop"].bounds.y
    assert shapes["customer"].bounds.width == shapes["shop"].bounds.width
    (x1, _), *_, (x2, _) = _line(_LANES, "m")
    assert x1 == pytest.approx(x2, abs=60)


def test_a_pool_that_others_would_have_to_cross_moves_aside():
    """Of two black boxes that talk to one pool, one lies above it and one below."""
    participants = "".join(
        f'<bpmn:participant id="{identity}" {process_ref}/>'
        for identity, process_ref in (("us", 'processRef="p"'), ("customer", ""), ("maker", ""))
    )
    messages = (
        '<bpmn:messageFlow id="m1" sourceRef="t" targetRef="customer"/>'
        '<bpmn:messageFlow id="m2" sourceRef="t" targetRef="maker"/>'
    )
    data = definitions(
        f'<bpmn:collaboration id="c">{participants}{messages}</bpmn:collaboration>'
        f'<bpmn:process id="p">{short("task t")}</bpmn:process>'
    )
    shapes = _shapes(data)
    assert shapes["customer"].bounds.y < shapes["us"].bounds.y < shapes["maker"].bounds.y


@pytest.mark.parametrize(("lane", "above"), [("first", True), ("third", False)])
def test_a_pool_stands_on_the_side_that_its_messages_come_from(lane: str, above: bool):
    """A message to the top lane does not run through the lanes below it."""
    lanes = "".join(
        f'<bpmn:lane id="{name}"><bpmn:flowNodeRef>{task}</bpmn:flowNodeRef></bpmn:lane>'
        for name, task in (("first", "a"), ("second", "b"), ("third", "c"))
    )
    task = {"first": "a", "third": "c"}[lane]
    content = "task a\ntask b\ntask c\na > b\nb > c"
    data = definitions(
        '<bpmn:collaboration id="all"><bpmn:participant id="us" processRef="p"/>'
        '<bpmn:participant id="customer"/>'
        f'<bpmn:messageFlow id="m" sourceRef="{task}" targetRef="customer"/></bpmn:collaboration>'
        f'<bpmn:process id="p"><bpmn:laneSet id="ls">{lanes}</bpmn:laneSet>'
        f"{short(content)}</bpmn:process>"
    )
    shapes = _shapes(data)
    assert (shapes["customer"].bounds.y < shapes["us"].bounds.y) is above


def test_boundary_events_sit_on_the_lower_side_and_their_paths_below():
    """The event furthest left leads furthest down, so that the lines nest."""
    data = process("""
        startEvent s
        task work
        endEvent e
        <bpmn:boundaryEvent id="late" name="超时" attachedToRef="work"/>
        <bpmn:boundaryEvent id="broken" name="损坏" attachedToRef="work"/>
        task remind
        endEvent reminded
        endEvent scrapped
        s > work
        work > e
        late > remind
        remind > reminded
        broken > scrapped
    """)
    shapes = _shapes(data)
    host = shapes["work"].bounds
    for event in ("late", "broken"):
        assert shapes[event].bounds.center[1] == host.bottom
        assert host.x < shapes[event].bounds.center[0] < host.right
    lower = max(("remind", "scrapped"), key=lambda i: shapes[i].bounds.y)
    left = "late" if lower == "remind" else "broken"
    right = "broken" if left == "late" else "late"
    assert shapes[left].bounds.x < shapes[right].bounds.x
    assert shapes["remind"].bounds.y > host.bottom


_NESTED = """
    startEvent s
    <bpmn:subProcess id="sub" name="检验">
    startEvent si
    task t1
    task t2
    endEvent ei
    si > t1
    t1 > t2
    t2 > ei
    </bpmn:subProcess>
    endEvent e
    s > sub
    sub > e
"""


def test_a_small_subprocess_is_expanded_and_continues_the_row():
    """Its own main row lies on the row around it."""
    (diagram,) = _diagrams(process(_NESTED))
    shapes = {shape.element: shape for shape in diagram.shapes}
    assert shapes["sub"].is_expanded is True
    assert shapes["sub"].bounds.contains(shapes["t1"].bounds)
    assert shapes["t1"].bounds.center[1] == shapes["s"].bounds.center[1]


def test_a_collapsed_subprocess_has_a_plane_of_its_own():
    """As bpmn.io writes it: a second BPMNDiagram whose plane shows the subprocess."""
    first, second = _diagrams(process(_NESTED), subprocesses="collapsed")
    assert (first.element, second.element) == ("p", "sub")
    assert {shape.element for shape in first.shapes} == {"s", "sub", "e"}
    assert {shape.element for shape in second.shapes} == {"si", "t1", "t2", "ei"}
    assert next(shape for shape in first.shapes if shape.element == "sub").is_expanded is False


def test_a_crowded_subprocess_is_collapsed_by_itself():
    """More than ten nodes are a diagram to drill into."""
    tasks = "\n".join(f"task t{i}" for i in range(11))
    data = process(f'<bpmn:subProcess id="sub">\n{tasks}\n</bpmn:subProcess>')
    assert [diagram.element for diagram in _diagrams(data)] == ["p", "sub"]


def test_what_a_diagram_says_about_collapsing_is_kept():
    """Laying out a modeler's file again does not unfold what its author folded."""
    collapsed = layout(process(_NESTED), subprocesses="collapsed")
    assert [diagram.element for diagram in _diagrams(collapsed)] == ["p", "sub"]
    assert layout(collapsed) == collapsed


def test_event_subprocesses_lie_below_the_main_flow():
    """They have no flows, so they stand under everything else."""
    data = process("""
        startEvent s
        task a
        s > a
        <bpmn:subProcess id="cancel" triggeredByEvent="true" name="客户取消">
        startEvent sc
        endEvent ec
        sc > ec
        </bpmn:subProcess>
    """)
    shapes = _shapes(data)
    assert shapes["cancel"].bounds.y > shapes["a"].bounds.bottom


def test_annotations_and_data_stand_beside_what_they_belong_to():
    """In the same column where a cell is free."""
    data = process("""
        task a
        task b
        a > b
        <bpmn:textAnnotation id="note"><bpmn:text>3 天内回访</bpmn:text></bpmn:textAnnotation>
        <bpmn:association id="n" sourceRef="b" targetRef="note"/>
        <bpmn:dataObjectReference id="form" name="登记表"/>
        <bpmn:association id="d" sourceRef="a" targetRef="form"/>
    """)
    shapes = _shapes(data)
    for satellite, host in (("note", "b"), ("form", "a")):
        assert abs(shapes[satellite].bounds.center[0] - shapes[host].bounds.center[0]) <= 1


def test_groups_surround_the_members_that_they_had():
    """A group's box is drawn around the new places of what was inside it."""
    members = process("task a\ntask b\ntask c\na > b\nb > c\n<bpmn:group id='g'/>")
    drawn = layout(members)
    shapes = {s.element: s.bounds for s in read_diagrams(drawn)[0].shapes}
    a, b = shapes["a"], shapes["b"]
    box = (
        f'<bpmndi:BPMNShape bpmnElement="g"><dc:Bounds x="{a.x - 10}" y="{a.y - 10}"'
        f' width="{b.right - a.x + 20}" height="{a.height + 20}"/></bpmndi:BPMNShape></bpmndi:BPMNPlane>'
    )
    again = layout(drawn.replace(b"</bpmndi:BPMNPlane>", box.encode()))
    shapes = {s.element: s.bounds for s in read_diagrams(again)[0].shapes}
    assert shapes["g"].contains(shapes["a"])
    assert shapes["g"].contains(shapes["b"])
    assert not shapes["g"].overlaps(shapes["c"])
    assert layout(again) == again


def test_a_small_edit_moves_only_what_it_must():
    """A task appended to a branch to the shorter branch leaves all other nodes where they were."""
    before = _shapes(process(_DECISION))
    longer = _DECISION.replace("repair > scrapped", "task clean\nrepair > clean\nclean > scrapped")
    after = _shapes(process(longer))
    for identity in ("s", "check", "ok", "pack", "ship", "repair"):
        assert before[identity].bounds == after[identity].bounds


def test_colours_survive():
    """bpmn.io's colours of a shape are kept."""
    drawn = layout(process("task a"))
    coloured = drawn.replace(
        b'bpmnElement="a"',
        b'bpmnElement="a" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" bioc:fill="#ffe0b2"',
    )
    again = layout(coloured)
    (shape,) = read_diagrams(again)[0].shapes
    assert shape.fill == "#ffe0b2"
    assert layout(again) == again


def test_extensions_comments_and_whitespace_stay_byte_for_byte():
    """Only the diagrams change."""
    text = (
        '<bpmn:process id="p"><!-- 说明 -->\n   <bpmn:task   id="a" name=\'甲\'><bpmn:extensionElements>'
        '<zeebe:taskDefinition type="x"   retries="3"/></bpmn:extensionElements></bpmn:task></bpmn:process>'
    )
    assert text.encode() in layout(definitions(text))


def test_a_file_in_utf_16_is_laid_out_too():
    """Stored as UTF-8, because offsets are counted in bytes."""
    text = process("task a 甲").decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    shapes = _shapes(text.encode("utf-16"))
    assert "a" in shapes


def test_too_large_a_level_is_refused():
    """A clear error, not an hour of work."""
    tasks = "".join(f'<bpmn:task id="t{i}"/>' for i in range(5001))
    with pytest.raises(InvalidModel, match="layout-size") as refused:
        layout(definitions(f'<bpmn:process id="p">{tasks}</bpmn:process>'))
    assert refused.value.findings[0].element_id == "p"


def test_five_hundred_nodes_in_a_row_need_no_recursion():
    """Depth is bounded by the file, not by Python's stack."""
    nodes = "\n".join(f"task t{i}" for i in range(500))
    flows = "\n".join(f"t{i} > t{i + 1}" for i in range(499))
    shapes = _shapes(process(f"{nodes}\n{flows}"))
    assert len({shape.bounds.y for shape in shapes.values()}) == 1


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"<a/>", "bpmn-root"),
        (b"<a", "xml-syntax"),
        (b"", "xml-syntax"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml-doctype"),
    ],
)
def test_what_is_not_bpmn_is_refused(data: bytes, rule: str):
    """With the rule's name, not a stack trace."""
    with pytest.raises(InvalidModel, match=rule):
        layout(data)


def test_dangling_references_do_not_break_a_layout():
    """A half-finished file still gets a picture."""
    data = process("""
        task a
        a > nowhere
        nobody > a
        <bpmn:boundaryEvent id="b" attachedToRef="missing"/>
        <bpmn:association id="x" sourceRef="a" targetRef="gone"/>
    """)
    assert {shape.element for shape in read_diagrams(layout(data))[0].shapes} == {"a"}


def test_the_standards_schema_accepts_what_is_written():
    """OMG's own schema files, as SpiffWorkflow carries them."""
    schema = Path(SpiffWorkflow.__file__).parent / "bpmn" / "parser" / "schema" / "BPMN20.xsd"
    parsed = etree.XMLSchema(etree.parse(schema))
    drawn = layout(_LANES.replace(b"zeebe:", b"ignored:"))
    parsed.assertValid(etree.fromstring(drawn))
