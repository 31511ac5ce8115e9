"""Data, pools, correlation, resources and whole files that the text of the standard forbids, or that ask
for what flowkit does not execute: refused by the rule that is about it.

``a+b`` is a rule with one that follows from the same fault.
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import INNER, ROOTS, Row, catch, flows, path, pools, process

# fmt: off
GOOD = path('<task id="x"/>')
IO = '<ioSpecification><dataInput id="di"/><dataOutput id="do"/><inputSet><dataInputRefs>di</dataInputRefs></inputSet><outputSet><dataOutputRefs>do</dataOutputRefs></outputSet></ioSpecification>'
D = '<dataObject id="d"/>'


def with_data(inside: str, more: str = D, tag: str = "task", attributes: str = "", roots: str = "") -> str:
    return path(f'<{tag} id="x" name="X"{attributes}>{inside}</{tag}>', more=more, roots=roots)


def reads(source: str, target: str, more: str = "") -> str:
    return f"<dataInputAssociation><sourceRef>{source}</sourceRef><targetRef>{target}</targetRef>{more}</dataInputAssociation>"


def writes(source: str, target: str) -> str:
    return f"<dataOutputAssociation><sourceRef>{source}</sourceRef><targetRef>{target}</targetRef></dataOutputAssociation>"


def io(inputs: str = "", outputs: str = "", input_sets: str = "<inputSet/>", output_sets: str = "<outputSet/>") -> str:
    return f"<ioSpecification>{inputs}{outputs}{input_sets}{output_sets}</ioSpecification>"


ITEMS = '<itemDefinition id="item2"/><message id="mi" name="MI" itemRef="item"/><message id="mo" name="MO" itemRef="item2"/>'
SET = "<{0}Set><data{1}Refs>{2}</data{1}Refs></{0}Set>"

DATA = [
    Row("10.4.1", "io-sets", "di", with_data(io('<dataInput id="di"/>'))),
    Row("10.4.1", "io-sets", "do", with_data(io(outputs='<dataOutput id="do"/>'))),
    Row("10.4.1", "io-sets", "di2", with_data(io('<dataInput id="di"/>', input_sets=SET.format("input", "Input", "di2")), more='<task id="y">' + io('<dataInput id="di2"/>', input_sets=SET.format("input", "Input", "di2")) + "</task>" + flows("x>y y>e")).replace("<inputSet><dataInputRefs>di2", "<inputSet><dataInputRefs>di</dataInputRefs><dataInputRefs>di2", 1)),
    Row("10.4.1", "data-set", "optionalInputRefs", with_data(io('<dataInput id="di"/><dataInput id="dj"/>', input_sets="<inputSet><dataInputRefs>di</dataInputRefs><optionalInputRefs>dj</optionalInputRefs></inputSet><inputSet><dataInputRefs>dj</dataInputRefs></inputSet>"))),
    Row("10.4.1", "data-set", "optionalOutputRefs", with_data(io(outputs='<dataOutput id="do"/><dataOutput id="dp"/>', output_sets="<outputSet><dataOutputRefs>do</dataOutputRefs><optionalOutputRefs>dp</optionalOutputRefs></outputSet><outputSet><dataOutputRefs>dp</dataOutputRefs></outputSet>"))),
    Row("10.4.1", "data-set", "outputSetRefs", with_data(io(input_sets='<inputSet id="is1"><outputSetRefs>os1</outputSetRefs></inputSet>', output_sets='<outputSet id="os1"/>'))),
    Row("10.4.1", "data-association", "far", with_data(IO + reads("far", "di"), more=f'<subProcess id="u"><dataObject id="far"/>{INNER}</subProcess>{flows("x>u u>e")}')),
    Row("10.4.1", "data-association", "far", with_data(IO + writes("do", "far"), more=f'<subProcess id="u"><dataObject id="far"/>{INNER}</subProcess>{flows("x>u u>e")}')),
    Row("10.4.2", "data-association", "x", with_data(IO + reads("d", "d2"), more=D + '<dataObject id="d2"/>')),
    Row("10.4.2", "data-association", "x", with_data(IO + writes("d", "d2"), more=D + '<dataObject id="d2"/>')),
    Row("10.4.2", "data-association", "x", with_data(IO + reads("d", "do"))),
    Row("10.4.2", "data-association", "sources", with_data(IO + "<dataInputAssociation><sourceRef>d</sourceRef><sourceRef>d2</sourceRef><targetRef>di</targetRef></dataInputAssociation>", more=D + '<dataObject id="d2"/>')),
    Row("10.4.2", "wrong-reference+data-association", "sourceRef", with_data(IO + reads("e", "di"))),
    Row("10.4.2", "wrong-reference+data-association", "targetRef", with_data(IO + reads("d", "e"))),
    Row("10.4.1", "subprocess-io", "x", path(f'<subProcess id="x">{IO}{INNER}</subProcess>')),
    Row("10.4.1", "subprocess-io", "x", path(f'<transaction id="x">{IO}{INNER}</transaction>')),
    Row("10.4.1", "subprocess-io", "x", path(f'<adHocSubProcess id="x">{IO}<task id="y"/></adHocSubProcess>')),
    Row("10.4.1", "data-object-state", "d", path('<task id="x"/>', more='<dataObject id="d"><dataState name="new"/></dataObject>')),
    Row("10.4.1", "data-reference", "r", path('<task id="x"/>', more='<dataObjectReference id="r" name="R"/>')),
    Row("10.4.1", "data-reference", "r", path('<task id="x"/>', more='<dataStoreReference id="r"/>')),
    Row("10.4.1", "data-reference", "r", path('<task id="x"/>', more=f'<dataObjectReference id="r" dataObjectRef="d"/><subProcess id="u"><dataObject id="d"/>{INNER}</subProcess>{flows("x>u u>e")}')),
    Row("10.4.1", "data-reference", "r", path('<task id="x"/>', more='<dataObjectReference id="r" dataObjectRef="d"/>', after='<process id="q"><dataObject id="d"/></process>')),
    Row("10.4.1", "process-data", "x", process(f'{IO.replace("di", "pi").replace("do", "po")}<startEvent id="s"/><task id="x">{IO}{writes("do", "pi")}</task><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("10.4.1", "process-data", "x", process(f'{IO.replace("di", "pi").replace("do", "po")}<startEvent id="s"/><task id="x">{IO}{reads("po", "di")}</task><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("10.5.1", "event-data", "c", path('<intermediateCatchEvent id="c"><dataOutput id="o1"/><dataOutput id="o2"/><outputSet><dataOutputRefs>o1</dataOutputRefs><dataOutputRefs>o2</dataOutputRefs></outputSet><messageEventDefinition messageRef="m"/></intermediateCatchEvent>', "c", roots=ROOTS)),
    Row("10.5.1", "event-data", "c", path('<intermediateThrowEvent id="c"><dataInput id="o1"/><dataInput id="o2"/><inputSet><dataInputRefs>o1</dataInputRefs><dataInputRefs>o2</dataInputRefs></inputSet><messageEventDefinition messageRef="m"/></intermediateThrowEvent>', "c", roots=ROOTS)),
    Row("10.3.3", "message-data", "x", with_data(io('<dataInput id="di"/><dataInput id="dj"/>', input_sets="<inputSet><dataInputRefs>di</dataInputRefs><dataInputRefs>dj</dataInputRefs></inputSet>"), tag="sendTask", attributes=' messageRef="m"', roots=ROOTS)),
    Row("10.3.3", "message-data", "x", with_data(io(outputs='<dataOutput id="do"/><dataOutput id="dp"/>', output_sets="<outputSet><dataOutputRefs>do</dataOutputRefs><dataOutputRefs>dp</dataOutputRefs></outputSet>"), tag="receiveTask", attributes=' messageRef="m"', roots=ROOTS)),
    Row("10.3.3", "data-item-mismatch", "di", with_data(io('<dataInput id="di" itemSubjectRef="item2"/>', input_sets=SET.format("input", "Input", "di")), tag="sendTask", attributes=' messageRef="mi"', roots=ROOTS + ITEMS)),
    Row("10.3.3", "data-item-mismatch", "do", with_data(io(outputs='<dataOutput id="do" itemSubjectRef="item2"/>', output_sets=SET.format("output", "Output", "do")), tag="receiveTask", attributes=' messageRef="mi"', roots=ROOTS + ITEMS)),
    Row("10.5.1", "data-item-mismatch", "o", path(f'<intermediateCatchEvent id="c"><dataOutput id="o" itemSubjectRef="item2"/>{SET.format("output", "Output", "o")}<messageEventDefinition messageRef="mi"/></intermediateCatchEvent>', "c", roots=ROOTS + ITEMS)),
    *(Row("10.5.1", "data-item-mismatch", "o", path(f'<intermediateThrowEvent id="c"><dataInput id="o" itemSubjectRef="item2"/>{SET.format("input", "Input", "o")}<{kind}EventDefinition {kind}Ref="own"/></intermediateThrowEvent>', "c", roots=f'{ROOTS}{ITEMS}<{kind} id="own" name="Own" {code} structureRef="item"/>')) for kind, code in (("signal", ""), ("escalation", 'escalationCode="Own"'))),
    Row("10.5.1", "data-item-mismatch", "o", process(f'<startEvent id="s"/><endEvent id="e"><dataInput id="o" itemSubjectRef="item2"/>{SET.format("input", "Input", "o")}<errorEventDefinition errorRef="own"/></endEvent>{flows("s>e")}', f'{ROOTS}{ITEMS}<error id="own" errorCode="Own" structureRef="item"/>')),
    Row("10.4.2", "invalid-expression", "x", with_data(IO + reads("d", "di", "<transformation>d +</transformation>"))),
    Row("10.4.2", "invalid-expression", "x", with_data(IO + reads("d", "di", "<assignment><from>d +</from><to>di</to></assignment>"))),
]

# ---- pools, message flows (table 7.4), lanes, correlation -----------------------------------

MF = '<messageFlow id="mf" sourceRef="{}" targetRef="{}"{}/>'
ONE = f'<startEvent id="s"/><task id="t"/><userTask id="u" name="U"/><exclusiveGateway id="g" default="g__e"/><endEvent id="e"/><endEvent id="e9"/>{flows("s>t t>u u>g g>e g>e9?a")}<dataObject id="d"/><subProcess id="esp" triggeredByEvent="true"><startEvent id="es"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent><endEvent id="ee"/>{flows("es>ee")}</subProcess>'
LANES = '<laneSet id="ls"><lane id="l1"><flowNodeRef>{}</flowNodeRef></lane><lane id="l2"><flowNodeRef>{}</flowNodeRef></lane></laneSet>'
KEY = '<correlationProperty id="cp" name="CP"><correlationPropertyRetrievalExpression messageRef="m"><messagePath>a</messagePath></correlationPropertyRetrievalExpression></correlationProperty>'
COLLABORATION = [
    *(Row("table 7.4", "message-flow-pool", "mf", pools(MF.format(a, b, ""), ONE)) for a, b in (("t", "u"), ("A", "t"), ("t", "A"), ("A", "A"), ("t", "t"))),
    *(Row("table 7.4", "wrong-reference+message-flow-end", "mf", pools(MF.format(a, b, ""), ONE)) for a, b in (("g", "t2"), ("t2", "g"), ("s__t", "t2"), ("d", "t2"), ("t2", "d"), ("p", "t2"), ("m", "t2"))),
    *(Row("table 7.4", "message-flow-end", "mf", pools(MF.format(a, b, ""), ONE)) for a, b in (("s", "t2"), ("t2", "s"), ("t2", "e"), ("e", "t2"), ("t2", "es"))),
    *(Row("table 7.4", "dangling-reference", "mf", pools(MF.format(a, b, ""), ONE)) for a, b in (("gone", "t2"), ("t", "gone"))),
    Row("table 7.4", "message-flow-end", "mf", pools(MF.format("c", "t2", ""), f'<startEvent id="s"/>{catch("c")}<endEvent id="e"/>{flows("s>c c>e")}')),
    Row("table 7.4", "message-flow-end", "mf", pools(MF.format("t2", "c", ""), f'<startEvent id="s"/><intermediateThrowEvent id="c"><messageEventDefinition messageRef="m"/></intermediateThrowEvent><endEvent id="e"/>{flows("s>c c>e")}')),
    Row("table 7.4", "message-flow-end", "mf", pools(MF.format("t2", "c", ""), f'<startEvent id="s"/>{catch("c", "<signalEventDefinition signalRef=" + chr(34) + "sig" + chr(34) + "/>")}<endEvent id="e"/>{flows("s>c c>e")}')),
    Row("table 7.4", "message-flow-end", "mf", pools(MF.format("r", "t2", ""), f'<startEvent id="s"/><receiveTask id="r" messageRef="m"/><endEvent id="e"/>{flows("s>r r>e")}')),
    Row("table 7.4", "message-flow-end", "mf", pools(MF.format("t2", "r", ""), f'<startEvent id="s"/><sendTask id="r" messageRef="m"/><endEvent id="e"/>{flows("s>r r>e")}')),
    Row("9.3", "message-flow-message", "mf", pools(MF.format("r", "t2", ' messageRef="m2"'), f'<startEvent id="s"/><sendTask id="r" messageRef="m"/><endEvent id="e"/>{flows("s>r r>e")}')),
    Row("9.3", "message-flow-message", "mf", pools(MF.format("t2", "c", ' messageRef="m2"'), f'<startEvent id="s"/>{catch("c")}<endEvent id="e"/>{flows("s>c c>e")}')),
    Row("9.3", "message-flow-message", "mf", pools(MF.format("r", "r2", ""), f'<startEvent id="s"/><sendTask id="r" messageRef="m"/><endEvent id="e"/>{flows("s>r r>e")}', f'<startEvent id="s2"/><receiveTask id="r2" messageRef="m2"/><endEvent id="e2"/>{flows("s2>r2 r2>e2")}')),
    *(Row("9.3.1", "participant-multiplicity", "C", pools("", participants=f'<participant id="C"><participantMultiplicity minimum="{low}" maximum="{high}"/></participant>')) for low, high in (("3", "2"), ("-1", "2"), ("0", "0"))),
    Row("10.8", "lane-content", "l2", process(LANES.format("x", "x") + f'<startEvent id="s"/><task id="x"/><endEvent id="e"/>{flows("s>x x>e")}')),
    Row("10.8", "lane-content", "l2", process(LANES.format("x", "other") + f'<startEvent id="s"/><task id="x"/><endEvent id="e"/>{flows("s>x x>e")}', after='<process id="q" isExecutable="true"><task id="other"/></process>')),
    Row("8.4.2", "correlation-binding+not-executed", "cp", KEY + ROOTS + '<collaboration id="c"><participant id="A" processRef="p"/><correlationKey id="k"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey></collaboration>' + process(INNER + '<correlationSubscription id="cs" correlationKeyRef="k"/>')),
]

# ---- resources, expressions, whole files ----------------------------------------------------

FEELISH = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def definitions(attributes: str, inside: str) -> str:
    return f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" {FEELISH} targetNamespace="t" {attributes}>{inside}</definitions>'


def conditional(text: str, attributes: str = "") -> str:
    return (
        f'<process id="p" isExecutable="true"><startEvent id="s"/><exclusiveGateway id="g" default="g__e"/><endEvent id="e"/><endEvent id="e2"/>{flows("s>g g>e")}'
        f'<sequenceFlow id="f" sourceRef="g" targetRef="e2"><conditionExpression xsi:type="tFormalExpression"{attributes}>{text}</conditionExpression></sequenceFlow></process>'
    )


FILES = [
    *(Row("8.4.7", "unsupported-language", word, definitions(f'expressionLanguage="{uri}"', conditional("a"))) for word, uri in (("XPath", "http://www.w3.org/1999/XPath"), ("java", "http://www.java.com/java"), ("mvel", "http://www.mvel.org/2.0"), ("juel", "http://www.jcp.org/en/jsr/detail?id=245#juel"))),
    *(Row("8.4.7", "unsupported-language", uri, definitions("", conditional("a", f' language="{uri}"'))) for uri in ("groovy", "python", "javascript", "http://www.w3.org/1999/XPath")),
    Row("8.4.7", "invalid-expression", "f", definitions("", conditional("amount &gt; "))),
    Row("8.4.7", "invalid-expression", "f", definitions("", conditional("${amount.gt(5)}"))),
    Row("8.4.7", "invalid-expression", "f", definitions("", conditional(""))),
    Row("8.4.7", "invalid-expression", "f", definitions("", conditional("if a then b"))),
    Row("10.1", "public-process", "p", f'<process id="p" isExecutable="true" processType="Public">{INNER}</process>'),
    Row("10.1", "no-executable-process", "no executable process", f'<process id="p" isExecutable="false">{INNER}</process>'),
    Row("10.1", "no-executable-process", "no executable process", f'<process id="p">{INNER}</process>'),
    Row("8.1", "no-executable-process", "no executable process", "<!-- <process --> " + ROOTS),
    Row("8.2.3", "must-understand", "mustUnderstand", '<extension definition="a" mustUnderstand="true"/>' + GOOD),
    Row("8.1.2", "import-of-bpmn", "other.bpmn", '<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="other.bpmn" namespace="n"/>' + GOOD),
    Row("11", "not-a-flow-element+missing-child+missing-attribute+unconnected-node", "choreographyTask", process(f'{INNER}<choreographyTask id="ct"/>')),
    Row("10.5", "not-a-flow-element", "implicitThrowEvent", process(f'{INNER}<implicitThrowEvent id="it"/>')),
    Row("10.5", "not-a-flow-element", "event", process(f'{INNER}<event id="ev"/>')),
    Row("10.3.3", "unsupported-implementation", "x", path('<userTask id="x" name="X" implementation="http://docs.oasis-open.org/ns/bpel4people/ws-humantask"/>')),
    Row("8.4.12", "computed-name", "m", path(catch("c"), "c", roots='<message id="m" name="=a"/>')),
    Row("13.2.1", "missing-start-event", "p", process('<task id="x"/><userTask id="y" name="Y"/>' + flows("x>y y>x"))),
]
# fmt: on

TABLE = [*DATA, *COLLABORATION, *FILES]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.clause}-{row.rule.split('+')[0]}-{row.says}")
def test_model_is_refused_by_the_rule_that_names_the_trouble(row: Row) -> None:
    wanted, *tolerated = row.rule.split("+")
    found = [f for f in findings(row.model) if f.severity is Severity.ERROR]
    report = "\n".join(map(str, found))
    assert any(f.rule == wanted and (row.says in f.message or row.says == f.element_id) for f in found), (
        report
    )
    assert {f.rule for f in found} <= {wanted, *tolerated}, report
