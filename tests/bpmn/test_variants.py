"""The other ways to break a rule, beside the one that its page shows."""

# ruff: noqa: E501  (a diagram of three elements reads better unbroken)

from __future__ import annotations

import pytest

from tests.bpmn.snippets import findings, rules
from tests.bpmn.test_lint import flow


def path(element: str, name: str = "x", roots: str = "", attributes: str = "") -> str:
    """start → ``element`` → end, as a whole process."""
    return (
        f'{roots}<process id="p" isExecutable="true" {attributes}><startEvent id="s"/>{element}'
        f'<endEvent id="e"/>{flow("f1", "s", name)}{flow("f2", name, "e")}</process>'
    )


def extended(tag: str, extension: str) -> str:
    return f'<{tag} id="x" name="X"><extensionElements>{extension}</extensionElements></{tag}>'


MESSAGE = '<message id="m" name="M"/>'
INNER = f'<startEvent id="is"/><endEvent id="ie"/>{flow("i1", "is", "ie")}'
CATCH = '<intermediateCatchEvent id="{0}"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
TIMER = (
    '<intermediateCatchEvent id="{0}"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    "</timerEventDefinition></intermediateCatchEvent>"
)


def event_gateway(first: str, second: str, extra: str = "") -> str:
    return (
        f'{MESSAGE}<process id="p" isExecutable="true"><startEvent id="s"/><eventBasedGateway id="g"/>'
        f'{first}{second}<endEvent id="e"/>{flow("f0", "s", "g")}{flow("f1", "g", "a")}{flow("f2", "g", "b")}'
        f"{flow('f3', 'a', 'e')}{flow('f4', 'b', 'e')}{extra}</process>"
    )


def compensated(handler: str, thrower: str = "<compensateEventDefinition/>", extra: str = "") -> str:
    return (
        '<startEvent id="s"/><task id="x"/><boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/>'
        f'</boundaryEvent>{handler}<endEvent id="e">{thrower}</endEvent>{flow("f1", "s", "x")}'
        f'{flow("f2", "x", "e")}{extra}<association id="as" sourceRef="b" targetRef="h"/>'
    )


OPERATION = (
    '<message id="m" name="M"/><message id="o" name="O"/><message id="w" name="W"/><interface id="i" name="I">'
    '<operation id="op" name="Op"><inMessageRef>m</inMessageRef><outMessageRef>o</outMessageRef></operation>'
    "</interface>"
)

MANY = (
    '<task id="x"><ioSpecification><dataInput id="i" isCollection="true"/><dataOutput id="o" isCollection="true"/>'
    "<inputSet><dataInputRefs>i</dataInputRefs></inputSet><outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>"
    "</ioSpecification><dataInputAssociation><sourceRef>o1</sourceRef><targetRef>i</targetRef></dataInputAssociation>"
    "<dataOutputAssociation><sourceRef>o</sourceRef>{0}</dataOutputAssociation><multiInstanceLoopCharacteristics>"
    "<loopDataInputRef>i</loopDataInputRef><loopDataOutputRef>o</loopDataOutputRef>"
    '<inputDataItem id="one"/><outputDataItem id="two"/></multiInstanceLoopCharacteristics></task>'
    '<dataObject id="o1" isCollection="true"/><dataObject id="o2" isCollection="true"/>{1}'
)
BROKEN = [
    ("empty-job-type", path(extended("serviceTask", '<zeebe:taskDefinition type="t" retries="many"/>'))),
    ("nothing-to-do", path('<sendTask id="x"/>')),
    ("nothing-to-do", path('<businessRuleTask id="x"/>')),
    (
        "unsupported-implementation",
        path('<receiveTask id="x" messageRef="m" implementation="soap"/>', roots=MESSAGE),
    ),
    (
        "script-format",
        '<globalScriptTask id="g"><script>1</script></globalScriptTask>' + path('<task id="x"/>'),
    ),
    ("unsupported-script", path('<scriptTask id="x"/>')),
    (
        "unsupported-script",
        '<globalScriptTask id="g" scriptLanguage="python"><script>1</script></globalScriptTask>'
        + path('<task id="x"/>'),
    ),
    (
        "missing-result-variable",
        path(extended("businessRuleTask", '<zeebe:calledDecision resultVariable="r"/>')),
    ),
    ("called-process", path('<callActivity id="x" calledElement="s"/>')),
    (
        "called-process",
        path('<callActivity id="x" calledElement="q"/>') + '<process id="q"><task id="t"/></process>',
    ),
    (
        "invalid-binding",
        path(extended("callActivity", '<zeebe:calledElement processId="q" bindingType="versionTag"/>')),
    ),
    ("operation-message", path('<receiveTask id="x" messageRef="w" operationRef="op"/>', roots=OPERATION)),
    (
        "operation-message",
        path(
            '<intermediateThrowEvent id="x"><messageEventDefinition messageRef="w"><operationRef>op</operationRef>'
            "</messageEventDefinition></intermediateThrowEvent>",
            roots=OPERATION,
        ),
    ),
    (
        "lane-content",
        '<process id="q"><laneSet><lane id="l"><flowNodeRef>x</flowNodeRef></lane></laneSet></process>'
        + path('<task id="x"/>'),
    ),
    ("compensation-handler", compensated('<task id="h"/>') + flow("h1", "h", "e")),
    (
        "compensation-activity",
        compensated('<task id="h" isForCompensation="true"/>', extra=flow("h1", "h", "e")),
    ),
    (
        "compensate-activity-scope",
        compensated(
            f'<task id="h" isForCompensation="true"/><subProcess id="sub">{INNER}<task id="deep"/></subProcess>',
            '<compensateEventDefinition activityRef="deep"/>',
        ),
    ),
    (
        "boundary-event-scope",
        path('<task id="x"/>').replace(
            "</process>",
            '<subProcess id="esp" triggeredByEvent="true"/><boundaryEvent id="b" attachedToRef="esp">'
            "<errorEventDefinition/></boundaryEvent></process>",
        ),
    ),
    (
        "loop-data",
        path(MANY.format("<targetRef>o2</targetRef><transformation>a</transformation>", "")),
    ),
    (
        "data-store-use",
        path(MANY.format("<targetRef>ref</targetRef>", '<dataStoreReference id="ref" name="D"/>')),
    ),
    (
        "instantiating-node",
        path('<receiveTask id="x" messageRef="m" instantiate="true"/>', roots=MESSAGE).replace(
            '<startEvent id="s"/>',
            '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>',
        ),
    ),
    (
        "data-store-use",
        path(
            '<task id="x"><ioSpecification><dataOutput id="o"/><inputSet/><outputSet><dataOutputRefs>o'
            "</dataOutputRefs></outputSet></ioSpecification><dataOutputAssociation><sourceRef>o</sourceRef>"
            "<targetRef>ref</targetRef></dataOutputAssociation></task>",
            roots='<dataStore id="ds" name="D" isUnlimited="false"/>',
        ).replace("</process>", '<dataStoreReference id="ref" dataStoreRef="ds"/></process>'),
    ),
    ("empty-container", path('<adHocSubProcess id="x"><exclusiveGateway id="g"/></adHocSubProcess>')),
    (
        "data-association",
        path(
            '<task id="x"><dataOutputAssociation><sourceRef>o</sourceRef><targetRef>o</targetRef>'
            '</dataOutputAssociation></task><dataObject id="o"/>'
        ),
    ),
    (
        "data-association",
        path(
            '<task id="x"><property id="pr"/><dataInputAssociation><sourceRef>a</sourceRef><sourceRef>b</sourceRef>'
            '<targetRef>pr</targetRef></dataInputAssociation></task><dataObject id="a"/><dataObject id="b"/>'
        ),
    ),
    (
        "process-data",
        path(
            '<task id="x"><property id="pr"/><dataOutputAssociation><sourceRef>pr</sourceRef>'
            "<targetRef>pin</targetRef></dataOutputAssociation></task>"
        ).replace(
            "<startEvent",
            '<ioSpecification><dataInput id="pin"/><inputSet><dataInputRefs>pin</dataInputRefs></inputSet>'
            "<outputSet/></ioSpecification><startEvent",
            1,
        ),
    ),
    (
        "data-set",
        path(
            '<task id="x"><ioSpecification><inputSet id="in"><outputSetRefs>out</outputSetRefs></inputSet>'
            '<outputSet id="out"/></ioSpecification></task>'
        ),
    ),
    (
        "event-position",
        path(
            '<intermediateThrowEvent id="x"><linkEventDefinition name="l"/><signalEventDefinition/>'
            "</intermediateThrowEvent>"
        ),
    ),
    (
        "event-subprocess-flow",
        path('<task id="x"/>').replace(
            "</process>",
            '<transaction id="t" triggeredByEvent="true"><startEvent id="ts"><errorEventDefinition/></startEvent>'
            f'<endEvent id="te"/>{flow("t1", "ts", "te")}</transaction></process>',
        ),
    ),
    (
        "cancel-outside-transaction",
        path(
            '<task id="x"/><boundaryEvent id="b" attachedToRef="x"><cancelEventDefinition/></boundaryEvent>'
        ),
    ),
    (
        "event-gateway-target",
        event_gateway(CATCH.format("a"), TIMER.format("b"), flow("f5", "s", "a")),
    ),
    (
        "event-gateway-target",
        event_gateway(
            '<receiveTask id="a" messageRef="m"/>',
            TIMER.format("b"),
            '<boundaryEvent id="be" attachedToRef="a"><errorEventDefinition/></boundaryEvent>'
            + flow("f5", "be", "e"),
        ),
    ),
    (
        "parallel-event-gateway",
        event_gateway(CATCH.format("a"), TIMER.format("b"))
        .replace('id="g"', 'id="g" instantiate="true" eventGatewayType="Parallel"')
        .replace('<startEvent id="s"/>', "")
        .replace(flow("f0", "s", "g"), ""),
    ),
    (
        "instantiating-node",
        f'{MESSAGE}<process id="p" isExecutable="true"><startEvent id="s"/>'
        '<receiveTask id="x" messageRef="m" instantiate="true"/><endEvent id="e"/>'
        f"{flow('f1', 's', 'e')}{flow('f2', 'x', 'e')}</process>",
    ),
    (
        "instantiating-node",
        path(
            '<subProcess id="x"><receiveTask id="r" messageRef="m" instantiate="true"/></subProcess>',
            roots=MESSAGE,
        ),
    ),
    ("loop-without-end", path('<task id="x"><standardLoopCharacteristics loopMaximum="0"/></task>')),
    (
        "multi-instance-input",
        path(
            '<task id="x"><multiInstanceLoopCharacteristics><extensionElements>'
            '<zeebe:loopCharacteristics inputCollection="=a"/></extensionElements><loopCardinality>3'
            "</loopCardinality></multiInstanceLoopCharacteristics></task>"
        ),
    ),
    (
        "multi-instance-behavior",
        path(
            '<task id="x"><multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="d">'
            "<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>"
            '<intermediateThrowEvent id="t"><signalEventDefinition id="d" signalRef="sig"/></intermediateThrowEvent>',
            roots='<signal id="sig" name="S"/>',
        ),
    ),
    (
        "multi-instance-behavior",
        path(
            '<task id="x"><multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>3'
            "</loopCardinality><complexBehaviorDefinition><condition>true</condition><event/>"
            "</complexBehaviorDefinition></multiInstanceLoopCharacteristics></task>"
        ),
    ),
    (
        "multi-instance-data",
        path(
            '<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>'
            '<inputDataItem id="i"/></multiInstanceLoopCharacteristics></task>'
        ),
    ),
    (
        "link-unpaired",
        path('<task id="x"/>').replace(
            "</process>",
            '<intermediateCatchEvent id="l"><linkEventDefinition name="L"/></intermediateCatchEvent>'
            + flow("l1", "l", "e")
            + "</process>",
        ),
    ),
    (
        "link-flow",
        path('<intermediateCatchEvent id="x"><linkEventDefinition name="L"/></intermediateCatchEvent>'),
    ),
    ("invalid-timer", path(extended("userTask", '<zeebe:taskSchedule dueDate="soon"/>'))),
    (
        "invalid-timer",
        path(
            '<sendTask id="x" messageRef="m"><extensionElements><zeebe:publishMessage timeToLive="1h"/>'
            "</extensionElements></sendTask>",
            roots=MESSAGE,
        ),
    ),
    ("invalid-expression", path(extended("userTask", '<zeebe:assignmentDefinition assignee="=1 +"/>'))),
    ("invalid-expression", path(extended("userTask", '<zeebe:assignmentDefinition assignee="="/>'))),
    (
        "expression-needs-equals",
        path(extended("scriptTask", '<zeebe:script expression="1" resultVariable="r"/>')),
    ),
    ("misplaced-vendor-extension", path(extended("exclusiveGateway", '<zeebe:taskDefinition type="t"/>'))),
    ("vendor-extension", path(extended("task", "<zeebe:ioMapping><zeebe:other/></zeebe:ioMapping>"))),
    ("invalid-value", path('<task id="x" startQuantity="two"/>')),
    ("invalid-value", path('<task id="1x"/>', "1x")),
    ("unknown-element", path('<receiveTask id="x"><incoming>f1<b/></incoming></receiveTask>')),
    (
        "too-many-children",
        path(
            '<intermediateCatchEvent id="x"><timerEventDefinition><timeDate>2026-01-01</timeDate>'
            "<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        ),
    ),
    (
        "wrong-reference",
        path(
            '<intermediateCatchEvent id="x"><eventDefinitionRef>own</eventDefinitionRef></intermediateCatchEvent>'
            '<intermediateThrowEvent id="y"><signalEventDefinition id="own"/></intermediateThrowEvent>'
        ),
    ),
    ("wrong-reference", path('<task id="x"/>').replace('targetRef="e"', 'targetRef="p"')),
    (
        "duplicate-id",
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
        + path('<task id="x"/>')
        + '<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI" id="x"/></definitions>',
    ),
]


@pytest.mark.parametrize(("rule", "snippet"), BROKEN, ids=[f"{n}-{r}" for n, (r, _) in enumerate(BROKEN)])
def test_rule_is_broken(rule: str, snippet: str) -> None:
    assert rule in rules(snippet), "\n".join(map(str, findings(snippet)))


SOUND = [
    # A reference to a type of another language changes nothing that runs: a warning only.
    path('<task id="x"/>', roots='<message id="m" name="M" itemRef="zeebe:t"/>'),
    # An escalation leaves an event subprocess; the activity around it is compensated from inside.
    path(
        '<task id="x"/><boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/></boundaryEvent>'
        '<task id="h" isForCompensation="true"/><subProcess id="esp" triggeredByEvent="true">'
        '<startEvent id="es"><errorEventDefinition/></startEvent><endEvent id="ee">'
        f'<compensateEventDefinition activityRef="x"/></endEvent>{flow("g1", "es", "ee")}</subProcess>'
    ).replace("</process>", '<association id="as" sourceRef="b" targetRef="h"/></process>'),
    # A message throw event carried out by a worker needs no message.
    path(
        '<intermediateThrowEvent id="x"><extensionElements><zeebe:taskDefinition type="t"/></extensionElements>'
        "<messageEventDefinition/></intermediateThrowEvent>"
    ),
    # A script in another language is a worker's.
    path(
        '<scriptTask id="x" scriptFormat="python"><extensionElements><zeebe:taskDefinition type="py"/>'
        "</extensionElements><script>print(1)</script></scriptTask>"
    ),
    # The reply of an operation may be thrown.
    path(
        '<intermediateThrowEvent id="x"><messageEventDefinition messageRef="o"><operationRef>op</operationRef>'
        "</messageEventDefinition></intermediateThrowEvent>",
        roots=OPERATION.replace('<message id="w" name="W"/>', ""),
    ),
    # A process without start and end events starts at what nothing leads to, and ends at what leads nowhere.
    '<task id="a"/><task id="b"/>' + flow("f", "a", "b"),
    # A subprocess is compensated through what is inside.
    path(
        f'<subProcess id="x">{INNER}</subProcess><intermediateThrowEvent id="t">'
        '<compensateEventDefinition activityRef="x"/></intermediateThrowEvent>'
    ).replace(flow("f2", "x", "e"), flow("f2", "x", "t") + flow("f3", "t", "e")),
]


@pytest.mark.parametrize("snippet", SOUND, ids=range(len(SOUND)))
def test_sound_diagram_is_accepted(snippet: str) -> None:
    errors = [f for f in findings(snippet) if f.severity == "error" and f.rule != "element-order"]
    assert not errors, "\n".join(map(str, errors))
