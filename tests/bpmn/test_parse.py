"""What a file says is what the model says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flowkit.bpmn import model as m
from flowkit.bpmn import parse, write
from flowkit.findings import Location
from tests.bpmn.snippets import whole_file

PROCESSES = sorted((Path(__file__).parents[2] / "processes").glob("*.bpmn"))


def process(snippet: str) -> m.Process:
    return parse(whole_file(snippet), file="t.bpmn").processes[0]


def test_any_prefix_is_read() -> None:
    plain = (
        '<definitions xmlns="{0}" targetNamespace="t"><process id="p"><task id="a"/></process></definitions>'
    )
    prefixed = (
        '<semantic:definitions xmlns:semantic="{0}" targetNamespace="t"><semantic:process id="p">'
        '<semantic:task id="a"/></semantic:process></semantic:definitions>'
    )
    namespace = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    for text in (plain, prefixed):
        definitions = parse(text.format(namespace).encode())
        assert [node.id for node in definitions.processes[0].nodes] == ["a"]
        assert definitions.findings == ()


def test_every_element_has_its_place() -> None:
    data = whole_file("x").replace(b">x<", b'>\n  <task id="a" name="A"/>\n<')
    task = parse(data, file="t.bpmn").processes[0].nodes[0]
    assert task.location == Location("t.bpmn", 2, 3)


def test_several_processes_and_collaborations_are_kept_apart() -> None:
    definitions = parse(
        whole_file(
            '<collaboration id="c1"><participant id="a" name="甲" processRef="p"/></collaboration>'
            '<collaboration id="c2"><participant id="b" name="乙"/></collaboration>'
            '<process id="p" isExecutable="true"><task id="t"/></process>'
            '<process id="q"><task id="u"/></process>'
        )
    )
    assert [c.id for c in definitions.collaborations] == ["c1", "c2"]
    assert [(p.id, p.is_executable) for p in definitions.processes] == [("p", True), ("q", False)]


def test_flows_decide_how_nodes_are_connected() -> None:
    found = process(
        '<task id="a"/><task id="b"/>'
        '<sequenceFlow id="f2" sourceRef="a" targetRef="b"/>'
        '<sequenceFlow id="f1" sourceRef="a" targetRef="b"/>'
    )
    a, b = found.nodes
    assert (a.outgoing, b.incoming) == (("f2", "f1"), ("f2", "f1"))


def test_missing_ids_are_made_and_stay_the_same() -> None:
    text = '<startEvent id="s"><timerEventDefinition/><timerEventDefinition/></startEvent><task/><task/>'
    first, again = process(text), process(text)
    assert first == again
    assert [node.id for node in first.nodes] == ["s", "p.task.1", "p.task.2"]
    start = first.nodes[0]
    assert isinstance(start, m.StartEvent)
    assert [d.id for d in start.definitions] == ["s.timerEventDefinition.1", "s.timerEventDefinition.2"]


def test_references_with_the_file_s_own_prefix_are_resolved() -> None:
    data = whole_file(
        '<message id="m" name="M"/><process id="p"><receiveTask id="r" messageRef="own:m"/></process>'
    ).replace(b"<definitions ", b'<definitions xmlns:own="http://example.com/test" ')
    task = parse(data).processes[0].nodes[0]
    assert isinstance(task, m.ReceiveTask)
    assert task.message == "m"


def test_shared_event_definitions_stand_in_file_order() -> None:
    definitions = parse(
        whole_file(
            '<signal id="sig" name="S"/><signalEventDefinition id="shared" signalRef="sig"/>'
            '<process id="p"><startEvent id="s"><cancelEventDefinition id="own"/>'
            "<eventDefinitionRef>shared</eventDefinitionRef></startEvent></process>"
        )
    )
    start = definitions.processes[0].nodes[0]
    assert isinstance(start, m.StartEvent)
    assert [d.id for d in start.definitions] == ["own", "shared"]
    assert [d.id for d in definitions.event_definitions] == ["shared"]


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("PT5M", True),
        ("2026-01-31T09:00:00+08:00", True),
        ("R3/PT1H", True),
        ("0 0 9 * * MON-FRI", True),
        ("= now() + duration(days)", False),
        ("dueIn", False),
        ("P + 1", False),
    ],
)
def test_timer_is_literal_when_it_is_iso_8601(text: str, literal: bool) -> None:
    found = process(
        '<startEvent id="s"><timerEventDefinition><timeDuration>'
        f"{text}</timeDuration></timerEventDefinition></startEvent>"
    )
    start = found.nodes[0]
    assert isinstance(start, m.StartEvent)
    (timer,) = start.definitions
    assert isinstance(timer, m.TimerEventDefinition)
    assert timer.duration is not None
    assert (timer.duration.literal, timer.duration.text) == (literal, text.removeprefix("=").strip())


@pytest.mark.parametrize(
    ("language", "kept"),
    [
        ("https://www.omg.org/spec/DMN/20191111/FEEL/", ""),
        ("feel", ""),
        ("http://www.w3.org/1999/XPath", "http://www.w3.org/1999/XPath"),
    ],
)
def test_expression_language_is_empty_for_feel(language: str, kept: str) -> None:
    data = whole_file(
        '<process id="p"><task id="a"/><sequenceFlow id="f" sourceRef="a" targetRef="a">'
        "<conditionExpression>= x &gt; 1</conditionExpression></sequenceFlow></process>"
    ).replace(b"<definitions ", f'<definitions expressionLanguage="{language}" '.encode())
    condition = parse(data).processes[0].flows[0].condition
    assert condition is not None
    assert (condition.text, condition.language) == ("x > 1", kept)


def test_activity_with_everything() -> None:
    task = process(
        '<userTask id="t" name="T" default="f" isForCompensation="true" startQuantity="2"'
        ' completionQuantity="3"><documentation>如何做</documentation><ioSpecification>'
        '<dataInput id="i" name="in" isCollection="true"/><dataOutput id="o"/>'
        "<inputSet><dataInputRefs>i</dataInputRefs><optionalInputRefs>i</optionalInputRefs></inputSet>"
        "<outputSet><dataOutputRefs>o</dataOutputRefs></outputSet></ioSpecification>"
        '<property id="pr" name="x"/><dataInputAssociation><sourceRef>pr</sourceRef><targetRef>i</targetRef>'
        "<assignment><from>a</from><to>b</to></assignment></dataInputAssociation>"
        "<potentialOwner><resourceAssignmentExpression><formalExpression>group(x)</formalExpression>"
        "</resourceAssignmentExpression></potentialOwner>"
        '<multiInstanceLoopCharacteristics isSequential="true" behavior="One"><loopCardinality>3'
        "</loopCardinality><completionCondition>done</completionCondition></multiInstanceLoopCharacteristics>"
        "</userTask>"
    ).nodes[0]
    assert isinstance(task, m.UserTask)
    assert (task.documentation, task.start_quantity, task.completion_quantity) == ("如何做", 2, 3)
    assert task.is_for_compensation
    assert task.io is not None
    assert (task.io.inputs[0].optional, task.io.inputs[0].is_collection) == (True, True)
    assert task.io.input_sets == (("i",),)
    assert task.resources == (("potentialOwner", "=group(x)"),)
    (association,) = task.input_associations
    assert (association.sources, association.target) == (("pr",), "i")
    assert [(a.text, b.text) for a, b in association.assignments] == [("a", "b")]
    assert isinstance(task.loop, m.MultiInstanceLoopCharacteristics)
    assert (task.loop.is_sequential, task.loop.behavior) == (True, m.MultiInstanceBehavior.ONE)
    assert task.loop.cardinality is not None
    assert task.loop.cardinality.text == "3"


def test_gateways_events_and_subprocesses() -> None:
    found = process(
        '<exclusiveGateway id="x" default="f" gatewayDirection="Diverging"/>'
        '<eventBasedGateway id="e" instantiate="true" eventGatewayType="Parallel"/>'
        '<complexGateway id="c"><activationCondition>n &gt; 1</activationCondition></complexGateway>'
        '<boundaryEvent id="b" attachedToRef="s" cancelActivity="false"><errorEventDefinition/>'
        "</boundaryEvent>"
        '<subProcess id="s" triggeredByEvent="true"><startEvent id="st" isInterrupting="false"/></subProcess>'
        '<transaction id="t" method="##Store"/>'
        '<adHocSubProcess id="a" ordering="Sequential" cancelRemainingInstances="false">'
        "<completionCondition>done</completionCondition></adHocSubProcess>"
    )
    nodes = {node.id: node for node in found.nodes}
    exclusive, events, gateway = nodes["x"], nodes["e"], nodes["c"]
    assert isinstance(exclusive, m.ExclusiveGateway)
    assert (exclusive.default, exclusive.direction) == ("f", "Diverging")
    assert isinstance(events, m.EventBasedGateway)
    assert (events.instantiate, events.event_gateway_type) == (True, "Parallel")
    assert isinstance(gateway, m.ComplexGateway)
    assert gateway.activation_condition is not None
    boundary, sub = nodes["b"], nodes["s"]
    assert isinstance(boundary, m.BoundaryEvent)
    assert (boundary.attached_to, boundary.cancel_activity) == ("s", False)
    assert isinstance(sub, m.SubProcess)
    assert sub.triggered_by_event
    start = sub.nodes[0]
    assert isinstance(start, m.StartEvent)
    assert not start.is_interrupting
    ad_hoc, transaction = nodes["a"], nodes["t"]
    assert isinstance(transaction, m.Transaction)
    assert transaction.method == "##Store"
    assert isinstance(ad_hoc, m.AdHocSubProcess)
    assert (ad_hoc.ordering, ad_hoc.cancel_remaining_instances) == ("Sequential", False)


def test_lanes_correlation_and_operations() -> None:
    definitions = parse(
        whole_file(
            '<message id="m" name="M"/><interface id="i" name="仓库"><operation id="op" name="查询">'
            "<inMessageRef>m</inMessageRef></operation></interface>"
            '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
            "<messagePath>plate</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"
            '<collaboration id="c"><participant id="a" processRef="p"><participantMultiplicity maximum="3"/>'
            '</participant><correlationKey id="k"><correlationPropertyRef>cp</correlationPropertyRef>'
            '</correlationKey></collaboration><process id="p"><laneSet><lane id="l1" name="甲"><childLaneSet>'
            '<lane id="l2"><flowNodeRef>t</flowNodeRef></lane></childLaneSet></lane></laneSet><task id="t"/>'
            '<correlationSubscription correlationKeyRef="k"><correlationPropertyBinding'
            ' correlationPropertyRef="cp"><dataPath>plate</dataPath></correlationPropertyBinding>'
            "</correlationSubscription></process>"
        )
    )
    assert (definitions.operations[0].interface, definitions.operations[0].in_message) == ("仓库", "m")
    assert definitions.correlation_properties[0].retrievals[0].path.text == "plate"
    collaboration = definitions.collaborations[0]
    assert collaboration.correlation_keys == (("k", ("cp",)),)
    assert (collaboration.participants[0].minimum, collaboration.participants[0].maximum) == (None, 3)
    (lane,) = definitions.processes[0].lanes
    assert (lane.name, lane.lanes[0].nodes) == ("甲", ("t",))
    (subscription,) = definitions.processes[0].correlation_subscriptions
    assert [(name, path.text) for name, path in subscription.bindings] == [("cp", "plate")]


def test_what_is_not_executed_is_kept() -> None:
    definitions = parse(
        whole_file('<choreography id="c"/><process id="p"/><extension mustUnderstand="true"/>')
    )
    assert [found.tag for found in definitions.unsupported] == ["choreography", "extension"]


@pytest.mark.parametrize("path", PROCESSES, ids=lambda path: path.name)
def test_reading_and_writing_lose_nothing(path: Path) -> None:
    data = path.read_bytes()
    assert write(parse(data, file=path.name)) == data


def test_changed_model_is_not_written_as_if_it_were_the_file() -> None:
    definitions = parse(whole_file('<task id="t"/>'))
    with pytest.raises(ValueError, match="differs"):
        write(dataclasses.replace(definitions, name="other"))
    with pytest.raises(ValueError, match="differs"):
        write(dataclasses.replace(definitions, source=b""))
