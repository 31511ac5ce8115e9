"""SVG from diagram interchange."""

from __future__ import annotations

import importlib.util

import pytest
from lxml import etree

from flowkit.bpmn.diagram import DARK, Mark, draw, layout, to_png
from flowkit.errors import FlowkitError, InvalidModel, NotFound
from tests.bpmn_diagram.diagrams import definitions, process

_SVG = "{http://www.w3.org/2000/svg}"
_EVENTS = (
    "message",
    "timer",
    "error",
    "escalation",
    "cancel",
    "compensate",
    "conditional",
    "link",
    "signal",
    "terminate",
)
_TASKS = (
    "task",
    "userTask",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "businessRuleTask",
    "sendTask",
    "receiveTask",
)


def _drawn(data: bytes, **options: object) -> etree._Element:
    return etree.fromstring(draw(layout(data), **options).encode())


def _element(root: etree._Element, identity: str) -> str:
    """The SVG of one element, without its place."""
    (group,) = (g for g in root.iter(f"{_SVG}g") if g.get("data-element-id") == identity)
    inner = [etree.tostring(node, encoding="unicode") for node in group.iter() if node.tag != f"{_SVG}g"]
    return "".join(inner)


def _marks_of(root: etree._Element, identity: str) -> list[str]:
    (group,) = (g for g in root.iter(f"{_SVG}g") if g.get("data-element-id") == identity)
    return [node.get("d", "") for node in group.iter(f"{_SVG}path")]


def test_every_event_has_a_symbol_of_its_own():
    """No two event definitions look alike."""
    ends = "".join(
        f'<bpmn:endEvent id="{kind}"><bpmn:{kind}EventDefinition/></bpmn:endEvent>' for kind in _EVENTS
    )
    several = (
        "<bpmn:messageEventDefinition/><bpmn:signalEventDefinition/></bpmn:{kind}>"  # for both multiples
    )
    ends += '<bpmn:startEvent id="multiple">' + several.format(kind="startEvent")
    ends += '<bpmn:startEvent id="all" parallelMultiple="true">' + several.format(kind="startEvent")
    root = _drawn(definitions(f'<bpmn:process id="p">{ends}<bpmn:endEvent id="none"/></bpmn:process>'))
    pictures = {kind: _element(root, kind) for kind in (*_EVENTS, "multiple", "all", "none")}
    assert len({picture.split("/>", 1)[1] for picture in pictures.values()}) == len(pictures)


def test_every_task_type_has_a_symbol_of_its_own():
    """The plain task has none."""
    tasks = "".join(f'<bpmn:{kind} id="{kind}"/>' for kind in _TASKS)
    root = _drawn(definitions(f'<bpmn:process id="p">{tasks}</bpmn:process>'))
    pictures = [tuple(_marks_of(root, kind)) for kind in _TASKS]
    assert pictures[0] == ()
    filled = [_element(root, kind).split("<rect", 1)[1] for kind in _TASKS]
    assert len({text.split("/>", 1)[1] for text in filled}) == len(_TASKS)


def test_non_interrupting_events_are_dashed():
    """Boundary events and starts of event subprocesses alike."""
    root = _drawn(
        process("""
        task t
        <bpmn:boundaryEvent id="hard" attachedToRef="t"/>
        <bpmn:boundaryEvent id="soft" attachedToRef="t" cancelActivity="false"/>
        """)
    )
    assert "stroke-dasharray" in _element(root, "soft")
    assert "stroke-dasharray" not in _element(root, "hard")


def test_markers_tell_loops_apart():
    """Standard loop, parallel, sequential, compensation: each its own marker."""
    root = _drawn(
        process("""
        task plain
        <bpmn:task id="loop"><bpmn:standardLoopCharacteristics/></bpmn:task>
        <bpmn:task id="par"><bpmn:multiInstanceLoopCharacteristics/></bpmn:task>
        <bpmn:task id="seq"><bpmn:multiInstanceLoopCharacteristics isSequential="true"/></bpmn:task>
        <bpmn:task id="comp" isForCompensation="true"/>
        """)
    )
    pictures = {
        identity: tuple(_marks_of(root, identity)) for identity in ("plain", "loop", "par", "seq", "comp")
    }
    assert len(set(pictures.values())) == 5


def test_names_are_escaped_and_never_markup():
    """A name can't smuggle a script into the page that shows the drawing."""
    name = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;"
    svg = draw(layout(process(f'<bpmn:task id="t" name="{name}"/>')))
    root = etree.fromstring(svg.encode())
    assert not list(root.iter(f"{_SVG}script"))
    assert "<script" not in svg
    shown = "".join(root.itertext()).replace(" ", "")
    assert '<script>alert(1)</script>"&' in shown.replace("\n", "")


def test_colours_of_the_file_are_checked():
    """An attribute that is no colour is ignored."""
    data = layout(process("task t")).replace(
        b'bpmnElement="t"',
        b'bpmnElement="t" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"'
        b' bioc:fill="url(http://evil)" bioc:stroke="#aa0000"',
    )
    svg = draw(data)
    assert "evil" not in svg
    assert "#aa0000" in svg


def test_chinese_names_break_into_lines():
    """Between characters, not at spaces, and no line starts with a comma."""
    root = _drawn(process('<bpmn:task id="t" name="核对客户姓名，电话和车辆识别代号"/>'))
    (group,) = (g for g in root.iter(f"{_SVG}g") if g.get("data-element-id") == "t")
    lines = ["".join(span.itertext()) for span in group.iter(f"{_SVG}tspan")]
    assert len(lines) > 1
    assert "".join(lines) == "核对客户姓名，电话和车辆识别代号"
    assert not any(line.startswith("，") for line in lines)


def test_marks_colour_badge_and_fade():
    """What a simulation's heat map and a path coverage need."""
    data = process("task a\ntask b\na > b")
    marks = {
        "a": Mark(fill="#ff8800", badge="37%", note="利用率 37%"),
        "b": Mark(opacity=0.3),
        "a_b": Mark(stroke="#00aa00", width=4, badge="12"),
        "elsewhere": Mark(badge="never"),
    }
    root = _drawn(data, marks=marks)
    text = etree.tostring(root, encoding="unicode")
    assert "#ff8800" in _element(root, "a")
    assert "利用率 37%" in _element(root, "a")
    assert 'stroke-width="4"' in _element(root, "a_b")
    assert {g.get("data-badge-for") for g in root.iter(f"{_SVG}g")} >= {"a", "a_b"}
    assert "never" not in text
    assert 'opacity="0.3"' in text


@pytest.mark.parametrize(
    "wrong", [{"fill": 'red"/><script>'}, {"stroke": "url(#x)"}, {"opacity": 2.0}, {"width": -1.0}]
)
def test_a_mark_refuses_what_is_no_colour_or_size(wrong: dict[str, object]):
    """The caller's mistake, told at once."""
    with pytest.raises(ValueError, match="expected"):
        Mark(**wrong)


def test_a_theme_changes_the_colours():
    """For dark pages; the shapes stay."""
    data = layout(process("task a"))
    assert DARK.background in draw(data, theme=DARK)
    assert DARK.background not in draw(data)


def test_drawing_is_deterministic():
    """The same bytes give the same text."""
    data = layout(process("startEvent s\ntask a\ns > a"))
    assert draw(data) == draw(data)


def test_the_plane_of_a_subprocess_can_be_drawn():
    """By the subprocess's id; the first diagram is the default."""
    data = layout(
        process('<bpmn:subProcess id="sub" name="检验"><bpmn:task id="inner" name="内"/></bpmn:subProcess>'),
        subprocesses="collapsed",
    )
    assert 'data-element-id="inner"' not in draw(data)
    assert 'data-element-id="inner"' in draw(data, diagram="sub")
    with pytest.raises(NotFound, match="found 'other'"):
        draw(data, diagram="other")


def test_what_a_collapsed_subprocess_hides_is_not_drawn():
    """Some modelers keep the hidden shapes on the same plane."""
    data = layout(process('<bpmn:subProcess id="sub"><bpmn:task id="inner"/></bpmn:subProcess>'))
    folded = data.replace(b'isExpanded="true"', b'isExpanded="false"')
    assert 'data-element-id="inner"' in draw(data)
    assert 'data-element-id="inner"' not in draw(folded)


def test_a_file_without_a_diagram_says_what_to_do():
    """Not an empty picture."""
    with pytest.raises(NotFound, match="flowkit layout"):
        draw(process("task a"))


@pytest.mark.parametrize("number", ["nan", "1e999", "abc", "99999999"])
def test_wild_coordinates_are_refused(number: str):
    """A picture of that size would only harm."""
    data = layout(process("task a")).replace(b'width="100"', f'width="{number}"'.encode())
    with pytest.raises(InvalidModel, match="di-number"):
        draw(data)


def test_a_hostile_name_costs_no_time():
    """A megabyte of name is cut, in a picture of any size."""
    svg = draw(layout(process(f'<bpmn:task id="t" name="{"长" * 500_000}{"w" * 500_000}"/>')))
    assert len(svg) < 200_000


def test_default_and_conditional_flows_are_marked():
    """A slash at the default flow, a diamond at a condition out of an activity."""
    data = definitions(
        '<bpmn:process id="p"><bpmn:task id="a" default="f1"/><bpmn:task id="b"/><bpmn:task id="c"/>'
        '<bpmn:task id="d"/><bpmn:sequenceFlow id="f1" sourceRef="a" targetRef="b"/>'
        '<bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="c">'
        "<bpmn:conditionExpression>x</bpmn:conditionExpression>"
        '</bpmn:sequenceFlow><bpmn:sequenceFlow id="f3" sourceRef="c" targetRef="d"/></bpmn:process>'
    )
    root = _drawn(data)
    assert [len(_marks_of(root, flow)) for flow in ("f1", "f2", "f3")] == [3, 3, 2]


@pytest.mark.skipif(importlib.util.find_spec("resvg_py") is None, reason="the extra png is not installed")
def test_png_is_the_drawing_rasterised():
    """With the scale as asked."""
    svg = draw(layout(process("task a")))
    png = to_png(svg, scale=1)
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert width == pytest.approx(float(etree.fromstring(svg.encode()).get("width") or 0), abs=1)


def test_png_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """The extra is named."""
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(FlowkitError, match=r"flowkit\[png\]"):
        to_png("<svg/>")
