"""Files that depart from the standard's schema: each is refused by the rule that names the trouble.

Source: BPMN 2.0.2, the XML schema tables of chapters 8 to 13 (Semantic.xsd) and of 12 (BPMNDI.xsd,
DI.xsd, DC.xsd).
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import INNER, ROOTS, Row, catch, flow, flows, path, process

GOOD = path('<task id="x"/>')
# fmt: off
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
MI = "<multiInstanceLoopCharacteristics>{}</multiInstanceLoopCharacteristics>"


def definitions(
    attributes: str, inside: str = GOOD, namespace: str = "http://www.omg.org/spec/BPMN/20100524/MODEL"
) -> str:
    return f'<definitions xmlns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {attributes}>{inside}</definitions>'


OPERATION = '<interface id="i" name="I"><operation id="op" name="O"><inMessageRef>m</inMessageRef></operation></interface>'
RIGHT_IO = '<ioSpecification><dataInput id="di"/><inputSet><dataInputRefs>di</dataInputRefs></inputSet><outputSet/></ioSpecification>'

# ---- attributes: unknown, missing, wrong ----------------------------------------------------

_HOLDERS = {
    "task": '<task id="x" {}/>',
    "userTask": '<userTask id="x" name="X" {}/>',
    "manualTask": '<manualTask id="x" {}/>',
    "subProcess": f'<subProcess id="x" {{}}>{INNER}</subProcess>',
    "intermediateThrowEvent": '<intermediateThrowEvent id="x" {}/>',
}
UNKNOWN_ATTRIBUTES = [
    *(
        Row("8.2", "unknown-attribute", "nonsense", path(model.format('nonsense="1"')))
        for model in _HOLDERS.values()
    ),
    Row("10.3", "unknown-attribute", "cancelActivity", path('<task id="x" cancelActivity="true"/>')),
    Row("10.3.3", "unknown-attribute", "implementation", path('<manualTask id="x" implementation="##WebService"/>')),
    Row("10.3.3", "unknown-attribute", "messageRef", path('<userTask id="x" name="X" messageRef="m"/>', roots=ROOTS)),
    Row("10.3.3", "unknown-attribute", "script", path('<scriptTask id="x" scriptFormat="feel" script="1"/>')),
    Row("10.3.5", "unknown-attribute", "method", path(f'<subProcess id="x" method="##Compensate">{INNER}</subProcess>')),
    Row("10.3.5", "unknown-attribute", "ordering", path(f'<subProcess id="x" ordering="Parallel">{INNER}</subProcess>')),
    Row("10.5.2", "unknown-attribute", "cancelActivity", process(f'<startEvent id="s" cancelActivity="true"/><task id="x"/><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("10.5.3", "unknown-attribute", "isInterrupting", process(f'<startEvent id="s"/><task id="x"/><endEvent id="e" isInterrupting="true"/>{flows("s>x x>e")}')),
    Row("10.5.4", "unknown-attribute", "attachedToRef", path('<intermediateThrowEvent id="x" attachedToRef="s"/>')),
    Row("10.6.3", "unknown-attribute", "default", path('<parallelGateway id="x" default="x__e"/>')),
    Row("10.6.6", "unknown-attribute", "default", path('<eventBasedGateway id="x" default="x__e"/>')),
    Row("10.6.2", "unknown-attribute", "instantiate", path('<exclusiveGateway id="x" instantiate="true"/>')),
    Row("8.4.13", "unknown-attribute", "expression", process(f'<startEvent id="s"/><endEvent id="e"/>{flow("f", "s", "e", expression="a")}')),
    Row("10.5.5", "unknown-attribute", "errorCode", process(f'<startEvent id="s"/><endEvent id="e"><errorEventDefinition errorCode="E"/></endEvent>{flows("s>e")}')),
    Row("10.5.5", "unknown-attribute", "timeDuration", path(catch("x", '<timerEventDefinition timeDuration="PT1H"/>'))),
    Row("8.2", "unknown-attribute", "with a prefix", path('<task id="x" xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" b:name="X"/>')),
    Row("8.1", "unknown-attribute", "version", definitions('targetNamespace="t" version="2.0"')),
    Row("8.4.2", "unknown-attribute", "process", '<collaboration id="c"><participant id="A" process="p"/></collaboration>' + GOOD),
    Row("8.4.1", "unknown-attribute", "language", process(f'<startEvent id="s"/><exclusiveGateway id="g" default="g__e"/><endEvent id="e"/><endEvent id="e2"/>{flows("s>g g>e")}<sequenceFlow id="f" sourceRef="g" targetRef="e2"><conditionExpression language="feel">a</conditionExpression></sequenceFlow>')),
]

MISSING_ATTRIBUTES = [
    Row("8.1.1", "missing-attribute", "targetNamespace", definitions('id="d"')),
    Row("8.1.2", "missing-attribute", "importType", '<import namespace="n" location="l"/>' + GOOD),
    Row("8.1.2", "missing-attribute", "location", '<import namespace="n" importType="http://www.w3.org/2001/XMLSchema"/>' + GOOD),
    Row("8.1.2", "missing-attribute", "namespace", '<import location="l" importType="http://www.w3.org/2001/XMLSchema"/>' + GOOD),
    Row("8.2.4", "missing-attribute", "type", definitions('targetNamespace="t"', GOOD + '<relationship id="r"><source>x</source><target>e</target></relationship>')),
    Row("8.4.13", "missing-attribute", "sourceRef", path('<task id="x"/>', more='<sequenceFlow id="f" targetRef="e"/>')),
    Row("8.4.13", "missing-attribute", "targetRef", path('<task id="x"/>', more='<sequenceFlow id="f" sourceRef="x"/>')),
    Row("8.4.1", "missing-attribute", "sourceRef", path('<task id="x"/>', more='<association id="a" targetRef="x"/>')),
    Row("8.4.1", "missing-attribute", "targetRef", path('<task id="x"/>', more='<association id="a" sourceRef="x"/>')),
    Row("9.3", "missing-attribute", "sourceRef", '<collaboration id="c"><messageFlow id="mf" targetRef="x"/></collaboration>' + GOOD),
    Row("9.3", "missing-attribute", "targetRef", '<collaboration id="c"><messageFlow id="mf" sourceRef="x"/></collaboration>' + GOOD),
    Row("8.4.4", "missing-attribute", "name", f'{ROOTS}<interface id="i"><operation id="op" name="O"><inMessageRef>m</inMessageRef></operation></interface>' + GOOD),
    Row("8.4.4", "missing-attribute", "name", f'{ROOTS}<interface id="i" name="I"><operation id="op"><inMessageRef>m</inMessageRef></operation></interface>' + GOOD),
    Row("8.4.12", "missing-attribute", "name", '<resource id="r"/>' + GOOD),
    Row("10.5.4", "missing-attribute", "attachedToRef", path('<task id="x"/>', more=f'<boundaryEvent id="b">{TIMER}</boundaryEvent>{flows("b>e")}')),
    Row("10.5.5", "missing-attribute", "name", process(f'<startEvent id="s"/><intermediateThrowEvent id="a"><linkEventDefinition/></intermediateThrowEvent>{catch("b", "<linkEventDefinition/>")}<endEvent id="e"/>{flows("s>a b>e")}')),
    Row("8.4.2", "missing-attribute", "messageRef", '<correlationProperty id="cp"><correlationPropertyRetrievalExpression><messagePath>a</messagePath></correlationPropertyRetrievalExpression></correlationProperty>' + GOOD),
    Row("8.4.2", "missing-attribute", "correlationKeyRef", process(f'{INNER}<correlationSubscription id="cs"/>')),
    Row("10.3.3", "missing-attribute", "parameterRef", path('<userTask id="x" name="X"><potentialOwner><resourceRef>r</resourceRef><resourceParameterBinding><formalExpression>1</formalExpression></resourceParameterBinding></potentialOwner></userTask>', roots='<resource id="r" name="R"/>')),
]

_BOOLEANS = {
    "isExecutable": '<process id="p" isExecutable="{}">' + INNER + "</process>",
    "isClosed": '<process id="p" isExecutable="true" isClosed="{}">' + INNER + "</process>",
    "isForCompensation": path('<task id="x" isForCompensation="{}"/>'),
    "triggeredByEvent": path(f'<subProcess id="x" triggeredByEvent="{{}}">{INNER}</subProcess>'),
    "isInterrupting": process(f'<startEvent id="s" isInterrupting="{{}}"/><endEvent id="e"/>{flows("s>e")}'),
    "parallelMultiple": process(
        f'<startEvent id="s" parallelMultiple="{{}}"/><endEvent id="e"/>{flows("s>e")}'
    ),
    "cancelActivity": path(
        '<task id="x"/>',
        more=f'<boundaryEvent id="b" attachedToRef="x" cancelActivity="{{}}">{TIMER}</boundaryEvent>{flows("b>e")}',
    ),
    "instantiate": path('<receiveTask id="x" messageRef="m" instantiate="{}"/>', roots=ROOTS),
    "isImmediate": process(f'<startEvent id="s"/><endEvent id="e"/>{flow("f", "s", "e", isImmediate="{}")}'),
    "testBefore": path('<task id="x"><standardLoopCharacteristics testBefore="{}" loopMaximum="2"/></task>'),
    "isSequential": path(
        '<task id="x"><multiInstanceLoopCharacteristics isSequential="{}"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>'
    ),
    "cancelRemainingInstances": path(
        '<adHocSubProcess id="x" cancelRemainingInstances="{}"><task id="t"/></adHocSubProcess>'
    ),
    "isCollection": '<itemDefinition id="it" isCollection="{}"/>' + GOOD,
    "waitForCompletion": process(
        f'<startEvent id="s"/><endEvent id="e"><compensateEventDefinition waitForCompletion="{{}}"/></endEvent>{flows("s>e")}'
    ),
    "mustUnderstand": '<extension definition="a" mustUnderstand="{}"/>' + GOOD,
    "isUnlimited": '<dataStore id="ds" isUnlimited="{}"/>' + GOOD,
    "isRequired": '<resource id="r" name="R"><resourceParameter id="rp" name="P" isRequired="{}"/></resource>'
    + GOOD,
}
_INTEGERS = {
    "startQuantity": path('<task id="x" startQuantity="{}"/>'),
    "completionQuantity": path('<task id="x" completionQuantity="{}"/>'),
    "loopMaximum": path('<task id="x"><standardLoopCharacteristics loopMaximum="{}"/></task>'),
    "capacity": '<dataStore id="ds" capacity="{}"/>' + GOOD,
    "minimum": '<collaboration id="c"><participant id="A"><participantMultiplicity minimum="{}" maximum="2"/></participant></collaboration>'
    + GOOD,
    "maximum": '<collaboration id="c"><participant id="A"><participantMultiplicity minimum="1" maximum="{}"/></participant></collaboration>'
    + GOOD,
}
_ENUMERATIONS = {
    "gatewayDirection": path('<exclusiveGateway id="x" gatewayDirection="{}"/>'),
    "eventGatewayType": path('<eventBasedGateway id="x" eventGatewayType="{}"/>'),
    "ordering": path('<adHocSubProcess id="x" ordering="{}"><task id="t"/></adHocSubProcess>'),
    "behavior": path(
        '<task id="x"><multiInstanceLoopCharacteristics behavior="{}"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>'
    ),
    "itemKind": '<itemDefinition id="it" itemKind="{}"/>' + GOOD,
    "processType": '<process id="p" isExecutable="true" processType="{}">' + INNER + "</process>",
    "associationDirection": path(
        '<task id="x"/>', more='<association id="a" sourceRef="x" targetRef="e" associationDirection="{}"/>'
    ),
    "direction": definitions(
        'targetNamespace="t"',
        GOOD
        + '<relationship id="r" type="t" direction="{}"><source>x</source><target>e</target></relationship>',
    ),
}
WRONG_VALUES = [
    *(
        Row("XSD boolean", "invalid-value", name, model.replace("{}", "yes"))
        for name, model in _BOOLEANS.items()
    ),
    *(
        Row("XSD boolean", "invalid-value", name, model.replace("{}", "True"))
        for name, model in list(_BOOLEANS.items())[:5]
    ),
    *(
        Row("XSD integer", "invalid-value", name, model.replace("{}", "many"))
        for name, model in _INTEGERS.items()
    ),
    *(
        Row("XSD integer", "invalid-value", name, model.replace("{}", "1.5"))
        for name, model in list(_INTEGERS.items())[:3]
    ),
    *(
        Row("XSD enumeration", "invalid-value", name, model.replace("{}", "sideways"))
        for name, model in _ENUMERATIONS.items()
    ),
    *(
        Row("XSD enumeration", "invalid-value", name, model.replace("{}", "parallel"))
        for name, model in list(_ENUMERATIONS.items())[1:4]
    ),
    *(
        Row("XSD ID", "invalid-value", "id", process(f'<startEvent id="s"/><task id="{name}"/><endEvent id="e"/>'))
        for name in ("1st", "a b", "", "a:b", "-x", "ä/ö")
    ),
    Row("8.4.12", "invalid-value", "##Other", path('<serviceTask id="x" implementation="##Other"/>')),
    Row("10.3.5", "invalid-value", "##Undo", path(f'<transaction id="x" method="##Undo">{INNER}</transaction>')),
    Row("XSD QName", "invalid-value", "calledElement", path('<callActivity id="x" calledElement="two words"/>')),
    Row("XSD QName", "invalid-value", "structureRef", '<itemDefinition id="it" structureRef="a:b:c"/>' + GOOD),
    Row("XSD QName", "undeclared-prefix", "xs", '<itemDefinition id="it" structureRef="xs:string"/>' + GOOD),
    Row("XSD QName", "undeclared-prefix", "other", path('<callActivity id="x" calledElement="other:q"/>')),
    Row("XSD QName", "undeclared-prefix", "ns", path(catch("x", '<messageEventDefinition messageRef="ns:m"/>'), roots=ROOTS)),
    Row("xsi:type", "invalid-value", "tUserTask", definitions('targetNamespace="t"', path('<task id="x" xsi:type="tUserTask"/>'))),
    Row("xsi:type", "invalid-value", "tScript", definitions('targetNamespace="t"', path(catch("x", '<timerEventDefinition><timeDuration xsi:type="tScript">PT1H</timeDuration></timerEventDefinition>')))),
    Row("xsi:type", "undeclared-prefix", "bpmn2", definitions('targetNamespace="t"', path(catch("x", '<timerEventDefinition><timeDuration xsi:type="bpmn2:tFormalExpression">PT1H</timeDuration></timerEventDefinition>')))),
]

# ---- elements: unknown, misplaced, missing, too many, out of order --------------------------

UNKNOWN_ELEMENTS = [
    Row("XSD", "unknown-element", "serviceStep", path('<serviceStep id="x"/>')),
    Row("XSD", "unknown-element", "UserTask", path('<UserTask id="x"/>')),
    Row("XSD", "unknown-element", "activity", path('<activity id="x"/>')),
    Row("XSD", "unknown-element", "gateway", path('<gateway id="x"/>')),
    Row("XSD", "unknown-element", "catchEvent", path('<catchEvent id="x"/>')),
    Row("XSD", "unknown-element", "startEvent", '<startEvent id="s1"/>' + GOOD),
    Row("XSD", "unknown-element", "task", '<task id="t1"/>' + GOOD),
    Row("XSD", "unknown-element", "sequenceFlow", flow("f9", "s", "x") + GOOD),
    Row("XSD", "unknown-element", "process", process('<process id="q"/>' + INNER)),
    Row("XSD", "unknown-element", "message", process('<message id="m" name="M"/>' + INNER)),
    Row("XSD", "unknown-element", "error", process('<error id="m" errorCode="M"/>' + INNER)),
    Row("XSD", "unknown-element", "task", path('<task id="x"><task id="y"/></task>')),
    Row("XSD", "unknown-element", "participant", process('<participant id="A"/>' + INNER)),
    Row("XSD", "unknown-element", "lane", process('<lane id="l"/>' + INNER)),
    Row("XSD", "unknown-element", "messageFlow", process(INNER + '<messageFlow id="mf" sourceRef="is" targetRef="ie"/>')),
    Row("XSD", "unknown-element", "conditionExpression", path('<task id="x"><conditionExpression>a</conditionExpression></task>')),
    Row("XSD", "unknown-element", "script", path('<task id="x"><script>1</script></task>')),
    Row("XSD", "unknown-element", "rendering", path('<manualTask id="x"><rendering/></manualTask>')),
    Row("XSD", "unknown-element", "timeDuration", path(catch("x", "<timeDuration>PT1H</timeDuration>"))),
    Row("XSD", "unknown-element", "timerEventDefinition", path(f'<task id="x">{TIMER}</task>')),
    Row("XSD", "unknown-element", "dataInput", path('<task id="x"><dataInput id="di"/></task>')),
    Row("XSD", "unknown-element", "ioSpecification", process(f'<startEvent id="s">{RIGHT_IO}</startEvent><endEvent id="e"/>{flows("s>e")}')),
    Row("XSD", "unknown-element", "dataInputAssociation", path(catch("x", f"<dataInputAssociation><targetRef>x</targetRef></dataInputAssociation>{TIMER}"))),
    Row("XSD", "unknown-element", "dataOutput", path('<intermediateThrowEvent id="x"><dataOutput id="do"/></intermediateThrowEvent>')),
    Row("XSD", "unknown-element", "property", process(f'<startEvent id="s"/><exclusiveGateway id="x"><property id="pr"/></exclusiveGateway><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("XSD", "unknown-element", "standardLoopCharacteristics", path('<exclusiveGateway id="x"><standardLoopCharacteristics loopMaximum="2"/></exclusiveGateway>')),
    Row("XSD", "unknown-element", "completionCondition", path(f'<subProcess id="x">{INNER}<completionCondition>true</completionCondition></subProcess>')),
    Row("XSD", "unknown-element", "potentialOwner", path('<exclusiveGateway id="x"><potentialOwner/></exclusiveGateway>')),
    Row("XSD", "unknown-element", "activationCondition", path('<exclusiveGateway id="x"><activationCondition>a</activationCondition></exclusiveGateway>')),
    Row("8.2.3", "unknown-element", "userTask", path('<task id="x"><extensionElements><userTask id="y"/></extensionElements></task>')),
    Row("8.2.3", "misplaced-extension", "hint", path('<task id="x"><extensionElements><hint xmlns=""/></extensionElements></task>')),
    Row("8.2.3", "misplaced-extension", "taskDefinition", path('<task id="x"><zeebe:taskDefinition type="t"/></task>')),
    Row("XSD", "unexpected-text", "process", process("some words" + INNER)),
    Row("XSD", "unexpected-text", "task", path('<task id="x">do it</task>')),
    Row("XSD", "unexpected-text", "timerEventDefinition", path(catch("x", "<timerEventDefinition>PT1H</timerEventDefinition>"))),
    Row("XSD", "not-bpmn", "expected", definitions('targetNamespace="t"', namespace="http://schema.omg.org/spec/BPMN/2.0")),
    Row("XSD", "not-bpmn", "expected", definitions('targetNamespace="t"', namespace="http://www.omg.org/spec/BPMN/20100524/model")),
    Row("XML", "not-xml", "well-formed", definitions('targetNamespace="t"').replace("</definitions>", "")),
]

MISSING_CHILDREN = [
    Row("8.4.4", "missing-child", "operation", '<interface id="i" name="I"/>' + GOOD),
    Row("8.4.4", "missing-child", "inMessageRef", '<interface id="i" name="I"><operation id="op" name="O"/></interface>' + GOOD),
    Row("8.4.2", "missing-child", "messagePath", f'{ROOTS}<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m"/></correlationProperty>' + GOOD),
    Row("8.4.2", "missing-child", "correlationPropertyRetrievalExpression", '<correlationProperty id="cp"/>' + GOOD),
    Row("10.4.1", "missing-child", "outputSet", path('<task id="x"><ioSpecification><inputSet/></ioSpecification></task>')),
    Row("10.4.1", "missing-child", "inputSet", path('<task id="x"><ioSpecification><outputSet/></ioSpecification></task>')),
    Row("10.4.2", "missing-child", "targetRef", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><sourceRef>d</sourceRef></dataInputAssociation></task>', more='<dataObject id="d"/>')),
    Row("10.4.2", "missing-child", "to", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><targetRef>di</targetRef><assignment><from>1</from></assignment></dataInputAssociation></task>')),
    Row("10.4.2", "missing-child", "from", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><targetRef>di</targetRef><assignment><to>di</to></assignment></dataInputAssociation></task>')),
    Row("10.5.5", "missing-child", "condition", path(catch("x", "<conditionalEventDefinition/>"))),
    Row("10.3.8", "missing-child", "condition", path('<task id="x"><multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>2</loopCardinality><complexBehaviorDefinition/></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.3", "missing-child", "formalExpression", path('<userTask id="x" name="X"><potentialOwner><resourceAssignmentExpression/></potentialOwner></userTask>')),
    Row("10.3.3", "missing-child", "resourceRef", path('<userTask id="x" name="X"><potentialOwner><resourceParameterBinding parameterRef="rp"><formalExpression>1</formalExpression></resourceParameterBinding></potentialOwner></userTask>', roots='<resource id="r" name="R"><resourceParameter id="rp" name="P"/></resource>')),
    Row("8.2.4", "missing-child", "target", definitions('targetNamespace="t"', GOOD + '<relationship id="r" type="t"><source>x</source></relationship>')),
]

TOO_MANY = [
    Row("10.3.8", "too-many-children", "LoopCharacteristics", path('<task id="x"><standardLoopCharacteristics loopMaximum="2"/><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "too-many-children", "LoopCharacteristics", path('<task id="x"><standardLoopCharacteristics loopMaximum="2"/><standardLoopCharacteristics loopMaximum="3"/></task>')),
    Row("10.5.5", "too-many-children", "timeDate", path(catch("x", "<timerEventDefinition><timeDate>2030-01-01T00:00:00Z</timeDate><timeDuration>PT1H</timeDuration></timerEventDefinition>"))),
    Row("10.5.5", "too-many-children", "timeDuration", path(catch("x", "<timerEventDefinition><timeDuration>PT1H</timeDuration><timeDuration>PT2H</timeDuration></timerEventDefinition>"))),
    Row("10.5.5", "too-many-children", "condition", path(catch("x", "<conditionalEventDefinition><condition>a</condition><condition>b</condition></conditionalEventDefinition>"))),
    Row("8.4.13", "too-many-children", "conditionExpression", process('<startEvent id="s"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"><conditionExpression>a</conditionExpression><conditionExpression>b</conditionExpression></sequenceFlow>')),
    Row("10.3.3", "too-many-children", "script", path('<scriptTask id="x" scriptFormat="feel"><script>1</script><script>2</script></scriptTask>')),
    Row("10.4.1", "too-many-children", "ioSpecification", path(f'<task id="x">{RIGHT_IO}{RIGHT_IO.replace("di", "dj").replace("djnput", "dinput")}</task>')),
    Row("8.2.3", "too-many-children", "extensionElements", path('<task id="x"><extensionElements/><extensionElements/></task>')),
    Row("10.4.2", "too-many-children", "targetRef", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><targetRef>di</targetRef><targetRef>di</targetRef></dataInputAssociation></task>')),
    Row("10.4.2", "too-many-children", "transformation", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><sourceRef>d</sourceRef><targetRef>di</targetRef><transformation>1</transformation><transformation>2</transformation></dataInputAssociation></task>', more='<dataObject id="d"/>')),
    Row("10.3.8", "too-many-children", "loopCardinality", path(f'<task id="x">{MI.format("<loopCardinality>1</loopCardinality><loopCardinality>2</loopCardinality>")}</task>')),
    Row("10.3.8", "too-many-children", "completionCondition", path(f'<task id="x">{MI.format("<loopCardinality>1</loopCardinality><completionCondition>a</completionCondition><completionCondition>b</completionCondition>")}</task>')),
    Row("10.3.8", "too-many-children", "loopCondition", path('<task id="x"><standardLoopCharacteristics><loopCondition>a</loopCondition><loopCondition>b</loopCondition></standardLoopCharacteristics></task>')),
    Row("9.3.1", "too-many-children", "participantMultiplicity", '<collaboration id="c"><participant id="A"><participantMultiplicity maximum="2"/><participantMultiplicity maximum="3"/></participant></collaboration>' + GOOD),
    Row("10.8", "too-many-children", "childLaneSet", process('<laneSet id="ls"><lane id="l"><childLaneSet id="a"/><childLaneSet id="b"/></lane></laneSet>' + INNER)),
    Row("10.6.5", "too-many-children", "activationCondition", path('<complexGateway id="x"><activationCondition>a</activationCondition><activationCondition>b</activationCondition></complexGateway>')),
    Row("10.3.3", "too-many-children", "resourceRef", path('<userTask id="x" name="X"><potentialOwner><resourceRef>r</resourceRef><resourceAssignmentExpression><formalExpression>a</formalExpression></resourceAssignmentExpression></potentialOwner></userTask>', roots='<resource id="r" name="R"/>')),
    Row("8.4.4", "too-many-children", "inMessageRef", f'{ROOTS}<interface id="i" name="I"><operation id="op" name="O"><inMessageRef>m</inMessageRef><inMessageRef>m2</inMessageRef></operation></interface>' + GOOD),
]

ORDER = [
    Row("XSD sequence", "element-order", "documentation", path('<task id="x"><incoming>s__x</incoming><outgoing>x__e</outgoing><documentation>d</documentation></task>') .replace('<endEvent id="e"/>', '<endEvent id="e"><incoming>x__e</incoming></endEvent>') .replace('<startEvent id="s"/>', '<startEvent id="s"><outgoing>s__x</outgoing></startEvent>')),
    Row("XSD sequence", "element-order", "incoming", path('<task id="x"><outgoing>x__e</outgoing><incoming>s__x</incoming></task>') .replace('<endEvent id="e"/>', '<endEvent id="e"><incoming>x__e</incoming></endEvent>') .replace('<startEvent id="s"/>', '<startEvent id="s"><outgoing>s__x</outgoing></startEvent>')),
    Row("XSD sequence", "element-order", "extensionElements", path('<task id="x"><property id="pr"/><extensionElements/></task>')),
    Row("XSD sequence", "element-order", "laneSet", process(INNER + '<laneSet id="ls"/>')),
    Row("XSD sequence", "element-order", "task", process(f'<startEvent id="s"/><association id="a" sourceRef="s" targetRef="x"/><task id="x"/><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("XSD sequence", "element-order", "ioSpecification", path(f'<task id="x"><standardLoopCharacteristics loopMaximum="2"/>{RIGHT_IO}</task>')),
    Row("XSD sequence", "element-order", "dataInput", path('<task id="x"><ioSpecification><inputSet><dataInputRefs>di</dataInputRefs></inputSet><outputSet/><dataInput id="di"/></ioSpecification></task>')),
    Row("XSD sequence", "element-order", "dataInput", path('<task id="x"><ioSpecification><dataOutput id="do"/><dataInput id="di"/><inputSet><dataInputRefs>di</dataInputRefs></inputSet><outputSet><dataOutputRefs>do</dataOutputRefs></outputSet></ioSpecification></task>')),
    Row("XSD sequence", "element-order", "sourceRef", path(f'<task id="x">{RIGHT_IO}<dataInputAssociation><targetRef>di</targetRef><sourceRef>d</sourceRef></dataInputAssociation></task>', more='<dataObject id="d"/>')),
    Row("XSD sequence", "element-order", "loopCardinality", path(f'<task id="x">{MI.format("<completionCondition>a</completionCondition><loopCardinality>1</loopCardinality>")}</task>')),
    Row("XSD sequence", "element-order", "participant", f'{ROOTS}<collaboration id="c"><messageFlow id="mf" sourceRef="A" targetRef="B"/><participant id="A"/><participant id="B"/></collaboration>' + GOOD),
    Row("XSD sequence", "element-order", "import", f'{GOOD}<import namespace="n" location="l" importType="http://www.w3.org/2001/XMLSchema"/>'),
    Row("XSD sequence", "element-order", "property", process(INNER + '<property id="pr"/>')),
    Row("XSD sequence", "element-order", "inMessageRef", f'{ROOTS}<interface id="i" name="I"><operation id="op" name="O"><errorRef>err</errorRef><inMessageRef>m</inMessageRef></operation></interface>' + GOOD),
    Row("XSD sequence", "element-order", "task", path('<adHocSubProcess id="x"><completionCondition>true</completionCondition><task id="t"/></adHocSubProcess>')),
]

# ---- references: nothing there, something else there ----------------------------------------

_REFERENCES = {
    # attribute or element that refers: (model, ids of the wrong kind)
    "sourceRef": (
        process(
            f'<startEvent id="s"/><dataObject id="d"/><textAnnotation id="n"/><endEvent id="e"/>{flows("s>e")}'.replace(
                "<dataObject", '<sequenceFlow id="f" sourceRef="{}" targetRef="e"/><dataObject'
            ).replace('<textAnnotation id="n"/>', "")
        ),
        ("d", "p", "m"),
    ),
    "targetRef": (
        process(
            f'<startEvent id="s"/><dataObject id="d"/><endEvent id="e"/>{flows("s>e")}<sequenceFlow id="f" sourceRef="s" targetRef="{{}}"/>'
        ),
        ("d", "p", "m"),
    ),
    "attachedToRef": (
        path(
            '<task id="x"/><exclusiveGateway id="g"/>',
            more=f'<boundaryEvent id="b" attachedToRef="{{}}">{TIMER}</boundaryEvent>{flows("b>e")}',
        ),
        ("s", "e", "g", "p", "b"),
    ),
    "messageRef": (path(catch("x", '<messageEventDefinition messageRef="{}"/>')), ("sig", "err", "x")),
    "signalRef": (path(catch("x", '<signalEventDefinition signalRef="{}"/>')), ("m", "esc")),
    "errorRef": (
        process(
            f'<startEvent id="s"/><endEvent id="e"><errorEventDefinition errorRef="{{}}"/></endEvent>{flows("s>e")}'
        ),
        ("esc", "m"),
    ),
    "escalationRef": (
        process(
            f'<startEvent id="s"/><endEvent id="e"><escalationEventDefinition escalationRef="{{}}"/></endEvent>{flows("s>e")}'
        ),
        ("err", "sig"),
    ),
    "operationRef": (path('<serviceTask id="x" implementation="t" operationRef="{}"/>'), ("m", "x")),
    "itemRef": ('<message id="mm" name="MM" itemRef="{}"/>' + GOOD, ("m", "p")),
    "activityRef": (
        process(
            f'<startEvent id="s"/><endEvent id="e"><compensateEventDefinition activityRef="{{}}"/></endEvent>{flows("s>e")}'
        ),
        ("s", "m"),
    ),
    "default": (path('<exclusiveGateway id="x" default="{}"/>'), ("s", "m")),
    "flowNodeRef": (
        process(
            '<laneSet id="ls"><lane id="l"><flowNodeRef>{}</flowNodeRef></lane></laneSet><dataObject id="d"/>'
            + INNER
        ),
        ("d", "is__ie", "m"),
    ),
    "processRef": (
        '<collaboration id="c"><participant id="A" processRef="{}"/></collaboration>' + GOOD,
        ("x", "m", "c"),
    ),
    "dataObjectRef": (
        path('<task id="x"/>', more='<dataObjectReference id="dr" dataObjectRef="{}"/>'),
        ("x", "item"),
    ),
    "dataStoreRef": (
        path('<task id="x"/>', more='<dataStoreReference id="dr" name="D" dataStoreRef="{}"/>'),
        ("x", "item"),
    ),
    "itemSubjectRef": (path('<task id="x"/>', more='<dataObject id="d" itemSubjectRef="{}"/>'), ("x", "m")),
    "eventDefinitionRef": (path(catch("x", "<eventDefinitionRef>{}</eventDefinitionRef>")), ("m", "s")),
    "incoming": (path('<task id="x"><incoming>{}</incoming><outgoing>x__e</outgoing></task>'), ("s", "m")),
    "resourceRef": (
        path(
            '<userTask id="x" name="X"><potentialOwner><resourceRef>{}</resourceRef></potentialOwner></userTask>'
        ),
        ("m", "x"),
    ),
    "dataInputRefs": (
        path(
            '<task id="x"><ioSpecification><dataInput id="di"/><inputSet><dataInputRefs>{}</dataInputRefs></inputSet><outputSet/></ioSpecification></task>'
        ),
        ("x", "m"),
    ),
    "inMessageRef": (
        '<interface id="i" name="I"><operation id="op" name="O"><inMessageRef>{}</inMessageRef></operation></interface>'
        + GOOD,
        ("sig", "item"),
    ),
    "definitionalCollaborationRef": (
        f'<process id="p" isExecutable="true" definitionalCollaborationRef="{{}}">{INNER}</process>',
        ("p", "m"),
    ),
    "categoryValueRef": (path('<task id="x"/>', more='<group id="g" categoryValueRef="{}"/>'), ("x", "m")),
    "oneBehaviorEventRef": (
        path(
            '<task id="x"><multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="{}"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>'
        ),
        ("sig", "s"),
    ),
    "loopDataInputRef": (
        path(
            '<task id="x"><multiInstanceLoopCharacteristics><loopDataInputRef>{}</loopDataInputRef></multiInstanceLoopCharacteristics></task>'
        ),
        ("s", "m"),
    ),
    "correlationPropertyRef": (
        '<collaboration id="c"><correlationKey id="k"><correlationPropertyRef>{}</correlationPropertyRef></correlationKey></collaboration>'
        + GOOD,
        ("m", "item"),
    ),
    "supportedInterfaceRef": (
        f'<process id="p" isExecutable="true"><supportedInterfaceRef>{{}}</supportedInterfaceRef>{INNER}</process>',
        ("m",),
    ),
}
REFERENCES = [
    *(
        Row("XSD IDREF", "dangling-reference", name, ROOTS + model.replace("{}", "nowhere"))
        for name, (model, _) in _REFERENCES.items()
    ),
    *(
        Row("class diagram", "wrong-reference", name, ROOTS + model.replace("{}", wrong))
        for name, (model, kinds) in _REFERENCES.items()
        for wrong in kinds
    ),
]

DUPLICATES = [
    Row("XSD ID", "duplicate-id", "x", path('<task id="x"/>', more='<task id="x"/>')),
    Row("XSD ID", "duplicate-id", "p", GOOD + '<process id="p"/>'),
    Row("XSD ID", "duplicate-id", "s", process(f'<startEvent id="s"/><subProcess id="x"><startEvent id="s"/><endEvent id="ie"/>{flows("s>ie")}</subProcess><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("XSD ID", "duplicate-id", "m", '<message id="m" name="A"/><message id="m" name="B"/>' + GOOD),
    Row("XSD ID", "duplicate-id", "s", '<message id="s" name="A"/>' + GOOD),
    Row("XSD ID", "duplicate-id", "d", definitions('id="x" targetNamespace="t"')),
]

# fmt: on
# ---- the diagram ----------------------------------------------------------------------------

_PLANE = '<di:BPMNPlane id="plane" bpmnElement="p">{}</di:BPMNPlane>'
SHAPE = (
    '<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="0" y="0" width="100" height="80"/></di:BPMNShape>'
)
EDGE = (
    '<di:BPMNEdge id="ed" bpmnElement="s__x"><d:waypoint x="0" y="0"/><d:waypoint x="9" y="0"/></di:BPMNEdge>'
)


def drawn(inside: str, model: str = GOOD) -> str:
    """A model with a diagram."""
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" '
        'xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
        f'xmlns:d="http://www.omg.org/spec/DD/20100524/DI">{model}<di:BPMNDiagram id="dia">{inside}</di:BPMNDiagram>'
        "</definitions>"
    )


def on_plane(*parts: str) -> str:
    return drawn(_PLANE.format("".join(parts)))


# fmt: off
DIAGRAMS = [
    Row("12.2.3.1", "missing-child", "BPMNPlane", drawn("")),
    Row("12.2.3.1", "too-many-children", "BPMNPlane", drawn('<di:BPMNPlane id="a" bpmnElement="p"/><di:BPMNPlane id="b" bpmnElement="p"/>')),
    Row("12.2.3.2", "diagram-reference", "gone", drawn('<di:BPMNPlane id="a" bpmnElement="gone"/>')),
    Row("12.2.3.2", "diagram-reference", "task", drawn('<di:BPMNPlane id="a" bpmnElement="x"/>')),
    Row("12.2.3.3", "diagram-reference", "gone", on_plane(SHAPE.replace('bpmnElement="x"', 'bpmnElement="gone"'))),
    Row("12.2.3.3", "diagram-reference", "sequenceFlow", on_plane(SHAPE.replace('bpmnElement="x"', 'bpmnElement="s__x"'))),
    Row("12.2.3.3", "diagram-reference", "signal", drawn(_PLANE.format(SHAPE.replace('bpmnElement="x"', 'bpmnElement="sig"')), ROOTS + GOOD)),
    Row("12.2.3.4", "diagram-reference", "gone", on_plane(EDGE.replace('bpmnElement="s__x"', 'bpmnElement="gone"'))),
    Row("12.2.3.4", "diagram-reference", "task", on_plane(EDGE.replace('bpmnElement="s__x"', 'bpmnElement="x"'))),
    Row("12.2.3.4", "diagram-reference", "gone", on_plane(SHAPE, EDGE.replace('bpmnElement="s__x"', 'bpmnElement="s__x" sourceElement="gone"'))),
    Row("12.2.3.3", "missing-child", "Bounds", on_plane('<di:BPMNShape id="sh" bpmnElement="x"/>')),
    Row("DC.xsd", "missing-attribute", "width", on_plane('<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="0" y="0" height="80"/></di:BPMNShape>')),
    Row("DC.xsd", "missing-attribute", "y", on_plane('<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="0" width="5" height="80"/></di:BPMNShape>')),
    Row("DC.xsd", "invalid-value", "width", on_plane('<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="0" y="0" width="wide" height="80"/></di:BPMNShape>')),
    Row("DC.xsd", "invalid-value", "x", on_plane('<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="10px" y="0" width="1" height="80"/></di:BPMNShape>')),
    Row("DI.xsd", "missing-child", "waypoint", on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x"/>')),
    Row("DI.xsd", "missing-child", "waypoint", on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x"><d:waypoint x="0" y="0"/></di:BPMNEdge>')),
    Row("DI.xsd", "missing-attribute", "y", on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x"><d:waypoint x="0" y="0"/><d:waypoint x="5"/></di:BPMNEdge>')),
    Row("DI.xsd", "invalid-value", "x", on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x"><d:waypoint x="left" y="0"/><d:waypoint x="5" y="1"/></di:BPMNEdge>')),
    Row("BPMNDI.xsd", "invalid-value", "isExpanded", on_plane(SHAPE.replace('id="sh"', 'id="sh" isExpanded="yes"'))),
    Row("BPMNDI.xsd", "invalid-value", "isHorizontal", on_plane(SHAPE.replace('id="sh"', 'id="sh" isHorizontal="no"'))),
    Row("BPMNDI.xsd", "invalid-value", "isMarkerVisible", on_plane(SHAPE.replace('id="sh"', 'id="sh" isMarkerVisible="x"'))),
    Row("BPMNDI.xsd", "invalid-value", "participantBandKind", on_plane(SHAPE.replace('id="sh"', 'id="sh" participantBandKind="above"'))),
    Row("BPMNDI.xsd", "invalid-value", "messageVisibleKind", on_plane(EDGE.replace('id="ed"', 'id="ed" messageVisibleKind="hidden"'))),
    Row("BPMNDI.xsd", "unknown-attribute", "colour", on_plane(SHAPE.replace('id="sh"', 'id="sh" colour="red"'))),
    Row("BPMNDI.xsd", "unknown-element", "waypoint", on_plane('<di:BPMNShape id="sh" bpmnElement="x"><dc:Bounds x="0" y="0" width="1" height="80"/><d:waypoint x="0" y="0"/></di:BPMNShape>')),
    Row("BPMNDI.xsd", "unknown-element", "Bounds", on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x"><d:waypoint x="0" y="0"/><d:waypoint x="5" y="0"/><dc:Bounds x="0" y="0" width="1" height="80"/></di:BPMNEdge>')),
    Row("BPMNDI.xsd", "unknown-element", "BPMNDiagram", on_plane('<di:BPMNDiagram id="inner"/>')),
    Row("BPMNDI.xsd", "invalid-value", "id", on_plane(SHAPE.replace('id="sh"', 'id="1 shape"'))),
    Row("XSD ID", "duplicate-id", "x", on_plane(SHAPE.replace('id="sh"', 'id="x"'))),
    Row("XSD ID", "duplicate-id", "sh", on_plane(SHAPE, SHAPE)),
    Row("BPMN20.xsd", "element-order", "process", drawn(_PLANE.format(SHAPE)).replace("</definitions>", '<process id="late"/></definitions>')),
]
# fmt: on

TABLE = [
    *UNKNOWN_ATTRIBUTES,
    *MISSING_ATTRIBUTES,
    *WRONG_VALUES,
    *UNKNOWN_ELEMENTS,
    *MISSING_CHILDREN,
    *TOO_MANY,
    *ORDER,
    *REFERENCES,
    *DUPLICATES,
    *DIAGRAMS,
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.rule}-{row.says}")
def test_file_is_refused_by_the_rule_that_names_the_trouble(row: Row) -> None:
    found = findings(row.model)
    errors = [f for f in found if f.severity is Severity.ERROR and f.rule == row.rule]
    assert any(row.says in f.message or row.says == f.element_id for f in errors), "\n".join(map(str, found))
