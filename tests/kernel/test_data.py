"""Data associations, standard expressions and what the compiler refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flowkit.bpmn import parse
from flowkit.errors import InvalidModel
from flowkit.feel import HostFunction
from flowkit.kernel import compile_process
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Job, Timer
from tests.kernel.diagrams import (
    Run,
    boundary,
    catch,
    compiled,
    condition,
    element,
    end,
    error,
    escalation,
    expression,
    job,
    link,
    log,
    many,
    mapping,
    process,
    script,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

ORDER = '<bpmn:dataObject id="do" name="order"/><bpmn:dataObjectReference id="dor" dataObjectRef="do" name="order"/>'


def associated(inputs: str = "", outputs: str = "") -> str:
    io = (
        '<bpmn:ioSpecification id="io"><bpmn:dataInput id="in1" name="given"/><bpmn:dataOutput id="out1" name="made"/>'
        '<bpmn:inputSet id="is"><bpmn:dataInputRefs>in1</bpmn:dataInputRefs></bpmn:inputSet>'
        '<bpmn:outputSet id="os"><bpmn:dataOutputRefs>out1</bpmn:dataOutputRefs></bpmn:outputSet></bpmn:ioSpecification>'
    )
    return io + inputs + outputs


def test_data_associations_copy_data_objects_in_and_out() -> None:
    inner = associated(
        '<bpmn:dataInputAssociation id="ia"><bpmn:sourceRef>dor</bpmn:sourceRef><bpmn:targetRef>in1</bpmn:targetRef></bpmn:dataInputAssociation>',
        '<bpmn:dataOutputAssociation id="oa"><bpmn:sourceRef>out1</bpmn:sourceRef><bpmn:targetRef>dor</bpmn:targetRef></bpmn:dataOutputAssociation>',
    )
    run = Run(compiled(ORDER, start(), job("a", inner=inner), end(), flows="s > a; a > e"), order=7)
    assert run.instance.inputs_of(run.waits(Job)[0].key)["given"] == 7
    run.complete("a", made=8, other=9)
    assert run.variables["order"] == 8
    assert "other" not in run.variables


def test_data_associations_transform_and_assign() -> None:
    inner = associated(
        '<bpmn:dataInputAssociation id="ia"><bpmn:sourceRef>dor</bpmn:sourceRef><bpmn:targetRef>in1</bpmn:targetRef>'
        + expression("transformation", "order * 2")
        + "</bpmn:dataInputAssociation>",
        '<bpmn:dataOutputAssociation id="oa"><bpmn:targetRef>dor</bpmn:targetRef><bpmn:assignment id="as">'
        + expression("from", "given + 1")
        + expression("to", "order")
        + "</bpmn:assignment></bpmn:dataOutputAssociation>",
    )
    run = Run(compiled(ORDER, start(), job("a", inner=inner), end(), flows="s > a; a > e"), order=7)
    assert run.instance.inputs_of(run.waits(Job)[0].key)["given"] == 14
    run.complete("a")
    assert run.variables["order"] == 15


def test_a_drawn_association_without_source_keeps_the_result() -> None:
    inner = (
        '<bpmn:property id="pr" name="__targetRef_placeholder"/>'
        '<bpmn:dataInputAssociation id="ia"><bpmn:sourceRef>dor</bpmn:sourceRef><bpmn:targetRef>pr</bpmn:targetRef></bpmn:dataInputAssociation>'
        '<bpmn:dataOutputAssociation id="oa"><bpmn:targetRef>dor</bpmn:targetRef></bpmn:dataOutputAssociation>'
    )
    run = Run(compiled(ORDER, start(), job("a", inner=inner), end(), flows="s > a; a > e"), order=7)
    run.complete("a", order=8)
    assert run.variables["order"] == 8


def test_standard_multi_instance_over_data() -> None:
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics id="mi"><bpmn:loopDataInputRef>dor</bpmn:loopDataInputRef>'
        "<bpmn:loopDataOutputRef>dor2</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem id="one" name="one"/><bpmn:outputDataItem id="two" name="two"/></bpmn:multiInstanceLoopCharacteristics>'
    )
    more = '<bpmn:dataObject id="do2" name="doubled"/><bpmn:dataObjectReference id="dor2" dataObjectRef="do2" name="doubled"/>'
    program = compiled(ORDER, more, start(), script("a", "one * 2", "two", loop), end(), flows="s > a; a > e")
    assert Run(program, order=[1, 2, 3]).variables["doubled"] == [2, 4, 6]


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize(
    ("feed", "expected"), [("", [2, 4, 6]), (expression("transformation", "order[item > 1]"), [4, 6])]
)
def test_standard_multi_instance_over_its_own_data(sequential: bool, feed: str, expected: list[int]) -> None:
    """10.3.8: the collections are a data input and a data output of the activity, fed by associations."""
    inner = associated(
        '<bpmn:dataInputAssociation id="ia"><bpmn:sourceRef>dor</bpmn:sourceRef><bpmn:targetRef>in1</bpmn:targetRef>'
        f"{feed}</bpmn:dataInputAssociation>",
        '<bpmn:dataOutputAssociation id="oa"><bpmn:sourceRef>out1</bpmn:sourceRef><bpmn:targetRef>dor2</bpmn:targetRef>'
        "</bpmn:dataOutputAssociation>",
    )
    loop = (
        f'<bpmn:multiInstanceLoopCharacteristics id="mi" isSequential="{str(sequential).lower()}">'
        "<bpmn:loopDataInputRef>in1</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>out1</bpmn:loopDataOutputRef>"
        '<bpmn:inputDataItem id="one" name="one"/><bpmn:outputDataItem id="two" name="two"/></bpmn:multiInstanceLoopCharacteristics>'
    )
    more = '<bpmn:dataObject id="do2" name="doubled"/><bpmn:dataObjectReference id="dor2" dataObjectRef="do2" name="doubled"/>'
    program = compiled(ORDER, more, start(), job("a", inner=inner + loop), end(), flows="s > a; a > e")
    run = Run(program, order=[1, 2, 3])
    while run.waits(Job):
        seen = run.instance.inputs_of(run.waits(Job)[0].key)
        assert "given" not in seen
        run.complete("a", two=seen["one"] * 2)
    assert run.variables["doubled"] == expected
    assert {"two", "made", "given"}.isdisjoint(run.variables)


def test_a_standard_script_in_feel_merges_a_context() -> None:
    text = '<bpmn:script>{ x: n + 1, y: "z" }</bpmn:script>'
    program = compiled(
        start(), element("scriptTask", "a", text, scriptFormat="feel"), end(), flows="s > a; a > e"
    )
    assert {"x": 2, "y": "z"}.items() <= Run(program, n=1).variables.items()
    text = "<bpmn:script>n + 1</bpmn:script>"
    program = compiled(
        start(), element("scriptTask", "a", text, scriptFormat="feel"), end(), flows="s > a; a > e"
    )
    assert "result variable" in Run(program, n=1).incidents[0].message


def test_host_functions_can_be_called_in_conditions() -> None:
    source = process(
        start(), xor("g", default="g_b"), log("a"), log("b"), flows="s > g; g > a : chosen(x); g > b"
    )
    function = HostFunction("chosen", ("x",), lambda x: x == 2)
    program = compile_process(parse(source), "P", functions={"chosen": function})
    assert Run(program, x=2).log == ["a"]
    assert Run(program, x=1).log == ["b"]


def test_now_is_the_moment_of_the_command() -> None:
    run = Run(compiled(start(), script("a", "string(now())", "t"), flows="s > a"))
    assert run.variables["t"].startswith("2026-01-05T08:00:00")


@pytest.mark.parametrize(
    ("nodes", "flow", "told"),
    [
        ((start(), xor("g"), end()), "s > g; g > e : 1 +", "not FEEL"),
        ((start(), element("receiveTask", "r")), "s > r", "message that is meant"),
        ((start(), catch("c", '<bpmn:timerEventDefinition id="t"/>')), "s > c", "exactly one of"),
        ((start(), catch("c", "<bpmn:conditionalEventDefinition/>")), "s > c", "needs <condition>"),
        ((start(), throw("t", link("L"))), "s > t", "link event"),
        ((start(), end("t", error())), "s > t", "no code"),
        ((start(), end("t", escalation())), "s > t", "no code"),
        ((start(), element("callActivity", "c")), "s > c", "which process"),
        ((start(), job("a", inner='<bpmn:multiInstanceLoopCharacteristics id="m"/>')), "s > a", "neither"),
    ],
)
def test_what_can_not_be_compiled_is_refused(nodes: tuple[str, ...], flow: str, told: str) -> None:
    with pytest.raises(InvalidModel, match=told) as caught:
        compiled(*nodes, flows=flow)
    assert all(finding.location.line for finding in caught.value.findings)


@pytest.mark.parametrize("language", ["http://www.w3.org/1999/XPath", "python"])
def test_other_expression_languages_are_refused(language: str) -> None:
    source = process(start(), xor("g"), end(), flows="s > g; g > e : x > 1").replace(
        b"<bpmn:conditionExpression", f'<bpmn:conditionExpression language="{language}"'.encode()
    )
    with pytest.raises(InvalidModel, match="not executed"):
        compile_process(parse(source), "P")


@pytest.mark.parametrize("root", ['<bpmn:message id="Q" name="=x"/>', '<bpmn:message id="Q"/>'])
def test_a_message_is_known_by_a_fixed_name(root: str) -> None:
    nodes = (start(), element("receiveTask", "r", messageRef="Q"))
    if "name" in root:
        with pytest.raises(InvalidModel, match="expression"):
            compiled(*nodes, flows="s > r", roots=root)
    else:
        assert Run(compiled(*nodes, flows="s > r", roots=root)).of(p.SubscriptionOpened)[0].name == "Q"


def test_an_error_code_can_be_computed() -> None:
    roots = '<bpmn:error id="EX" name="x" errorCode="=code"/>'
    inner = sub("u", start("us"), end("ut", error("EX")), flows="us > ut")
    program = compiled(
        start(), inner, boundary("b", "u", error("E1")), log("x"), flows="s > u; b > x", roots=roots
    )
    assert Run(program, code="E1").log == ["x"]
    assert Run(program, code=None).incidents


def test_message_id_and_time_to_live_of_a_throw() -> None:
    message = '<bpmn:messageEventDefinition messageRef="M"/>'
    program = compiled(
        start(),
        throw("t", message, extensions='<zeebe:publishMessage messageId="=id" timeToLive="=ttl"/>'),
        flows="s > t",
    )
    (thrown,) = Run(program, id="X1", ttl="PT1H").of(p.MessageThrown)
    assert (thrown.message_id, thrown.ttl) == ("X1", 3600.0)
    assert Run(program, id=None, ttl=None).of(p.MessageThrown)[0].ttl is None


def test_a_failed_output_of_an_event_keeps_what_came() -> None:
    output = mapping(outputs={"n": "item[1] + many[99999999]"})
    program = compiled(
        start(), catch("c", '<bpmn:messageEventDefinition messageRef="M"/>', extensions=output), flows="s > c"
    )
    run = Run(program)
    run.deliver("c", item=[1])
    assert run.status == "completed"
    assert run.variables["n"] is None


@pytest.mark.parametrize("text", ["=moment", '="2026-01-05T09:00:00Z"'])
def test_a_date_timer_from_a_variable(text: str) -> None:
    run = Run(
        compiled(start(), catch("c", timer("Date", text)), flows="s > c"), moment="2026-01-05T09:00:00Z"
    )
    assert run.wait_at("c", Timer).due == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_condition_inside_a_multi_instance_body_sees_its_counters() -> None:
    program = compiled(
        start(),
        user("a", many("items")),
        boundary("b", "a", condition("ready"), cancel=False),
        log("x"),
        flows="s > a; b > x",
    )
    run = Run(program, items=[1], ready=False)
    run.set(ready=True)
    assert run.log == ["x"]
