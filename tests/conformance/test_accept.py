"""Models that a strict reader might refuse, and why flowkit takes them: each deploys without an error."""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import ROOTS, catch, flows, path, pools, process
from tests.conformance.test_reject_schema import drawn, on_plane

# fmt: off
GOOD = path('<task id="x"/>')
_NS = 'xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_FLOW = '<b:conditionExpression xsi:type="tFormalExpression">a</b:conditionExpression>'
_OP = '<message id="mi" name="MI"/><interface id="i" name="I"><operation id="op" name="O"><inMessageRef>mi</inMessageRef></operation></interface>'
_TWO_INPUTS = '<ioSpecification><dataInput id="d1"/><dataInput id="d2"/><inputSet><dataInputRefs>d1</dataInputRefs><dataInputRefs>d2</dataInputRefs></inputSet><outputSet/></ioSpecification>'
ACCEPTED = {
    "definitions are a BaseElement in the class diagram, though not in the schema": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t"><documentation>d</documentation><extensionElements/>{GOOD}</definitions>',
    "many write xsi:type without the prefix of BPMN": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" {_NS} targetNamespace="t">{process("<startEvent id=" + chr(34) + "s" + chr(34) + "/><exclusiveGateway id=" + chr(34) + "g" + chr(34) + " default=" + chr(34) + "g__e" + chr(34) + "/><endEvent id=" + chr(34) + "e" + chr(34) + "/><endEvent id=" + chr(34) + "e2" + chr(34) + "/>" + flows("s>g g>e"))}</definitions>'.replace("</process>", f'<b:sequenceFlow id="f" sourceRef="g" targetRef="e2">{_FLOW}</b:sequenceFlow></process>'),
    "modelers don't agree about the capitals of ##WebService": path('<userTask id="x" name="X" implementation="##webservice"/>'),
    "a shape may draw nothing (12.2.3.3)": on_plane('<di:BPMNShape id="sh"><dc:Bounds x="0" y="0" width="1" height="1"/></di:BPMNShape>'),
    "the ends of an edge are named by element, not by shape": on_plane('<di:BPMNEdge id="ed" bpmnElement="s__x" sourceElement="s" targetElement="x"><d:waypoint x="0" y="0"/><d:waypoint x="9" y="0"/></di:BPMNEdge>'),
    "a diagram may be empty": drawn('<di:BPMNPlane id="a"/>'),
    "two pools of one process are unusual, not forbidden": pools("", participants='<participant id="C" processRef="p"/>'),
    "OMG's own reference model gives a service task more inputs than its operation has": path(f'<serviceTask id="x" operationRef="op">{_TWO_INPUTS}</serviceTask>', roots=_OP),
    "a default flow beside plain flows is taken as well, which says the same": path('<task id="x" default="x__e"/>', more='<task id="y"/>' + flows("x>y y>e")),
    "the head says XPath, the schema's default, but nothing is written in it": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" expressionLanguage="http://www.w3.org/1999/XPath" typeLanguage="http://www.w3.org/2001/XMLSchema">{GOOD}</definitions>',
    "a number is one in every language": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" expressionLanguage="http://www.w3.org/1999/XPath">{path("<task id=" + chr(34) + "x" + chr(34) + "><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>")}</definitions>',
    "the head says XPath, and a comparison says the same in FEEL": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" expressionLanguage="http://www.w3.org/1999/XPath">{path(catch("c", "<conditionalEventDefinition><condition>level &gt; 5 and kind != 3</condition></conditionalEventDefinition>"), "c")}</definitions>',
    "the head says MVEL, and a comparison says the same in FEEL": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" expressionLanguage="http://www.mvel.org/2.0">{path(catch("c", "<conditionalEventDefinition><condition>level == 5 &amp;&amp; kind != 3</condition></conditionalEventDefinition>"), "c")}</definitions>',
    "${…} that FEEL can say": f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t" expressionLanguage="http://www.w3.org/1999/XPath">{path(catch("c", "<conditionalEventDefinition><condition>${level > 5}</condition></conditionalEventDefinition>"), "c")}</definitions>',
    "messages, signals, errors and escalations need no name": '<message id="m"/>' + path(catch("c"), "c"),
    "an error that is only caught needs no code": '<error id="any"/>' + path('<userTask id="x" name="X"/>', more=f'<boundaryEvent id="b" attachedToRef="x"><errorEventDefinition errorRef="any"/></boundaryEvent>{flows("b>e")}'),
    "R-1 is how Java writes a cycle without end": path(catch("c", "<timerEventDefinition><timeCycle>R-1/PT1H</timeCycle></timerEventDefinition>"), "c"),
    "an activity may catch an escalation that nothing in it throws": path('<userTask id="x" name="X"/>', roots=ROOTS, more=f'<boundaryEvent id="b" attachedToRef="x"><escalationEventDefinition escalationRef="esc"/></boundaryEvent>{flows("b>e")}'),
    "a transaction need not be cancelled": path(f'<transaction id="x"><startEvent id="is"/><endEvent id="ie"/>{flows("is>ie")}</transaction>', more=f'<boundaryEvent id="b" attachedToRef="x"><cancelEventDefinition/></boundaryEvent>{flows("b>e")}'),
    "what is called may be deployed later": path('<callActivity id="x" calledElement="elsewhere"/>'),
}
# fmt: on


@pytest.mark.parametrize("reason", ACCEPTED)
def test_model_is_taken(reason: str) -> None:
    errors = [f for f in findings(ACCEPTED[reason]) if f.severity is Severity.ERROR]
    assert errors == [], "\n".join(map(str, errors))
