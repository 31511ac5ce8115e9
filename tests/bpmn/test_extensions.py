"""Vendor extensions: read in full, or refused by name; other vendors' are kept."""

from __future__ import annotations

import pytest

from flowkit.bpmn import parse
from flowkit.bpmn.extensions_model import (
    AdHoc,
    Assignment,
    CalledDecision,
    CalledElement,
    Extensions,
    FormReference,
    LoopExtension,
    Schedule,
    Script,
    TaskDefinition,
)
from flowkit.bpmn.extensions_zeebe import ZEEBE_ELEMENTS
from flowkit.bpmn.juel import juel_to_feel
from flowkit.bpmn.model import Activity
from tests.bpmn.snippets import rules, whole_file


def extensions(tag: str, attributes: str = "", inner: str = "") -> Extensions:
    """The extensions of one element with these attributes and extension elements."""
    held = f"<extensionElements>{inner}</extensionElements>" if inner else ""
    text = f'<{tag} id="x" {attributes}>{held}</{tag}>'
    return parse(whole_file(text)).processes[0].nodes[0].extensions


ZEEBE = [
    ('taskDefinition type="t" retries="5"', "task_definition", TaskDefinition("t", "5")),
    (
        'assignmentDefinition assignee="a" candidateGroups="=g" candidateUsers="u"',
        "assignment",
        Assignment("a", "=g", "u"),
    ),
    ('taskSchedule dueDate="=d" followUpDate="f"', "schedule", Schedule("=d", "f")),
    ('priorityDefinition priority="70"', "priority", "70"),
    (
        'formDefinition formId="f" bindingType="versionTag" versionTag="v"',
        "form",
        FormReference("f", "", "versionTag", "v"),
    ),
    ('formDefinition externalReference="e"', "form", FormReference("", "e")),
    (
        'calledElement processId="p" propagateAllChildVariables="false"',
        "called_element",
        CalledElement("p", False, True),
    ),
    ('calledDecision decisionId="d" resultVariable="r"', "called_decision", CalledDecision("d", "r")),
    ('script expression="=1" resultVariable="r"', "script", Script("=1", "r")),
    ('adHoc activeElementsCollection="=a"', "ad_hoc", AdHoc("=a")),
    ('versionTag value="1.2"', "version_tag", "1.2"),
    ('subscription correlationKey="=k"', "correlation_key", "=k"),
    (
        'loopCharacteristics inputCollection="=c" inputElement="i" outputCollection="o" outputElement="=e"',
        "loop",
        LoopExtension("=c", "i", "o", "=e"),
    ),
]


@pytest.mark.parametrize(("text", "field", "value"), ZEEBE)
def test_zeebe_element_is_read(text: str, field: str, value: object) -> None:
    found = extensions("task", inner=f"<zeebe:{text}/>")
    assert getattr(found, field) == value
    assert found.foreign == ()


def test_zeebe_lists_are_read() -> None:
    found = extensions(
        "task",
        inner='<zeebe:ioMapping><zeebe:input source="=a" target="b"/><zeebe:output source="c" target="d"/>'
        '</zeebe:ioMapping><zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders>'
        '<zeebe:properties><zeebe:property name="flowkit.cost" value="9"/></zeebe:properties>'
        "<zeebe:userTask/>",
    )
    assert [(i.source, i.target) for i in found.inputs] == [("=a", "b")]
    assert [(o.source, o.target) for o in found.outputs] == [("c", "d")]
    assert (found.header("k"), found.property("flowkit.cost"), found.property("no")) == ("v", "9", None)


def test_zeebe_publish_message_is_read() -> None:
    found = extensions(
        "sendTask", inner='<zeebe:publishMessage correlationKey="=k" messageId="i" timeToLive="PT1H"/>'
    )
    assert (found.correlation_key, found.message_id, found.time_to_live) == ("=k", "i", "PT1H")


@pytest.mark.parametrize(
    "name",
    [
        *("executionListeners", "taskListeners", "userTaskForm", "linkedResources", "conditionalFilter"),
        *("somethingNew", "agentInstance"),
    ],
)
def test_zeebe_element_that_is_not_run_is_refused(name: str) -> None:
    (foreign,) = extensions("task", inner=f"<zeebe:{name}/>").foreign
    assert foreign.executable
    assert foreign.reason
    assert "vendor-extension" in rules(
        f'<task id="x"><extensionElements><zeebe:{name}/></extensionElements></task>'
    )


@pytest.mark.parametrize("name", sorted(set(ZEEBE_ELEMENTS) - {"taskHeaders", "properties", "ioMapping"}))
def test_unknown_attribute_of_a_known_element_is_refused(name: str) -> None:
    found = extensions("task", inner=f'<zeebe:{name} invented="1"/>')
    assert any(foreign.executable for foreign in found.foreign)


CAMUNDA = [
    ('camunda:type="external" camunda:topic="t"', "task_definition", TaskDefinition("t")),
    ('camunda:delegateExpression="${check}"', "task_definition", TaskDefinition("check")),
    (
        'camunda:assignee="${who}" camunda:candidateGroups="a,b"',
        "assignment",
        Assignment("=who", "a,b", ""),
    ),
    ('camunda:dueDate="2026-01-01"', "schedule", Schedule("2026-01-01", "")),
    ('camunda:formKey="f"', "form", FormReference("", "f")),
    ('camunda:formRef="f" camunda:formRefBinding="deployment"', "form", FormReference("f", "", "deployment")),
    (
        'camunda:decisionRef="d" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"',
        "called_decision",
        CalledDecision("d", "r"),
    ),
    ('camunda:priority="5" camunda:asyncBefore="true"', "priority", "5"),
]


@pytest.mark.parametrize(("text", "field", "value"), CAMUNDA)
def test_camunda_attribute_is_read(text: str, field: str, value: object) -> None:
    found = extensions("task", text)
    assert getattr(found, field) == value
    assert found.foreign == ()


@pytest.mark.parametrize(
    "text",
    [
        *('camunda:class="com.example.Foo"', 'camunda:expression="${bean.run()}"', 'camunda:caseRef="c"'),
        *('camunda:assignee="${users.find(x)}"', 'camunda:type="mail"', 'camunda:initiator="who"'),
        *('camunda:resource="script.groovy"', 'camunda:inventedYesterday="1"'),
        *('camunda:decisionRef="d"', 'camunda:elementVariable="e"', 'camunda:resultVariable="r"'),
        'camunda:delegateExpression="${factory.create()}"',
    ],
)
def test_camunda_attribute_that_needs_java_is_refused(text: str) -> None:
    (foreign,) = extensions("task", text).foreign
    assert foreign.executable
    assert foreign.reason


@pytest.mark.parametrize(
    "text",
    [
        *("<camunda:executionListener/>", "<camunda:taskListener/>", "<camunda:formData/>"),
        *("<camunda:field/>", "<camunda:connector/>", "<camunda:failedJobRetryTimeCycle/>"),
        '<camunda:inputOutput><camunda:inputParameter name="a"><camunda:list/></camunda:inputParameter>'
        "</camunda:inputOutput>",
        '<camunda:in businessKey="#{execution.processBusinessKey}"/>',
    ],
)
def test_camunda_element_that_is_not_run_is_refused(text: str) -> None:
    assert any(f.executable and f.reason for f in extensions("task", inner=text).foreign)


def test_camunda_mappings_and_calls_are_read() -> None:
    found = extensions(
        "callActivity",
        'calledElement="p" camunda:calledElementBinding="deployment"',
        '<camunda:in source="a" target="b"/><camunda:in sourceExpression="${a.c}" target="d"/>'
        '<camunda:out variables="all"/><camunda:inputOutput><camunda:inputParameter name="n">5'
        "</camunda:inputParameter></camunda:inputOutput>",
    )
    assert found.called_element == CalledElement("p", True, False, "deployment")
    assert [(i.source, i.target) for i in found.inputs] == [("=a", "b"), ("=a.c", "d"), ("5", "n")]
    assert found.foreign == ()


def test_camunda_7_call_passes_only_what_it_maps() -> None:
    text = '<callActivity id="x" calledElement="p"/>'
    platform = (
        b'<definitions xmlns:modeler="http://camunda.org/schema/modeler/1.0"'
        b' modeler:executionPlatform="Camunda Platform" '
    )
    node = parse(whole_file(text).replace(b"<definitions ", platform)).processes[0].nodes[0]
    assert node.extensions.called_element == CalledElement("p", False, False)
    assert parse(whole_file(text)).processes[0].nodes[0].extensions.called_element is None


@pytest.mark.parametrize("name", ["order-id", "a.b", "", "1x"])
def test_camunda_variable_that_feel_reads_otherwise_is_refused(name: str) -> None:
    found = extensions("callActivity", 'calledElement="p"', f'<camunda:in source="{name}" target="t"/>')
    assert any(foreign.executable for foreign in found.foreign)


def test_camunda_collection_is_read() -> None:
    node = (
        parse(
            whole_file(
                '<task id="x"><multiInstanceLoopCharacteristics camunda:collection="parts"'
                ' camunda:elementVariable="part"/></task>'
            )
        )
        .processes[0]
        .nodes[0]
    )
    assert isinstance(node, Activity)
    assert node.loop is not None
    assert node.loop.extensions.loop == LoopExtension("=parts", "part")


def test_spiff_operator_is_a_job_type_with_inputs() -> None:
    found = extensions(
        "serviceTask",
        inner='<spiffworkflow:serviceTaskOperator id="http/get"><spiffworkflow:parameters>'
        '<spiffworkflow:parameter id="url" type="str" value="&quot;x&quot;"/>'
        '<spiffworkflow:parameter id="n" type="int" value="count"/>'
        "</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>",
    )
    assert found.task_definition == TaskDefinition("http/get")
    assert [(i.source, i.target) for i in found.inputs] == [('="x"', "url"), ("=count", "n")]


@pytest.mark.parametrize(
    "name", ["preScript", "postScript", "messagePayload", "calledDecisionId", "newThing"]
)
def test_spiff_element_in_python_is_refused(name: str) -> None:
    (foreign,) = extensions("task", inner=f"<spiffworkflow:{name}>x</spiffworkflow:{name}>").foreign
    assert foreign.executable


def test_other_vendors_are_kept_and_harmless() -> None:
    text = (
        '<task id="x" name="T" xmlns:b="http://bizagi.com" b:colour="red"><extensionElements>'
        "<b:cost>5</b:cost></extensionElements></task>"
    )
    foreign = parse(whole_file(text)).processes[0].nodes[0].extensions.foreign
    assert [f.name for f in foreign] == ["@{http://bizagi.com}colour", "{http://bizagi.com}cost"]
    assert not any(f.executable for f in foreign)
    assert rules(text) == set()


@pytest.mark.parametrize(
    ("juel", "feel"),
    [
        ("${amount}", "amount"),
        ("#{order.total >= 100}", "order.total >= 100"),
        ("${a == 'x' && b != 2}", 'a = "x" and b != 2'),
        ("${(a || b) and c}", "( a or b ) and c"),
        ("${a eq 1}", "a = 1"),
        ("${bean.run()}", None),
        ("${a + 1}", None),
        ("${!a}", None),
        ("${empty list}", None),
        ("text ${a}", None),
        ("${}", None),
    ],
)
def test_juel_is_translated_only_where_it_means_the_same(juel: str, feel: str | None) -> None:
    assert juel_to_feel(juel) == feel


def test_condition_in_juel_is_read_or_refused() -> None:
    gateway = (
        '<startEvent id="s"/><exclusiveGateway id="g" default="f2"/><endEvent id="e"/>'
        '<sequenceFlow id="f0" sourceRef="s" targetRef="g"/>'
        '<sequenceFlow id="f1" sourceRef="g" targetRef="e">'
        "<conditionExpression>{}</conditionExpression></sequenceFlow>"
        '<sequenceFlow id="f2" sourceRef="g" targetRef="e"/>'
    )
    assert rules(gateway.format("${amount > 5}".replace(">", "&gt;"))) == set()
    assert rules(gateway.format("${service.check(order)}")) == {"invalid-expression"}
