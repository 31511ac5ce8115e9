"""What a second reading of the standard found: items, sets, links, lanes, bindings, kinds of expressions.

Each row is refused by its rule and no other; the models of ``ACCEPTED`` are their nearest valid twins.
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import INNER, ROOTS, Row, catch, flow, flows, path, process

# fmt: off
GOOD = path('<task id="x"/>')
ITEMS = (
    '<itemDefinition id="text" structureRef="string"/><itemDefinition id="words" structureRef="string"/><itemDefinition id="count" structureRef="integer"/>'
    '<itemDefinition id="texts" structureRef="string" isCollection="true"/><message id="mt" name="MT" itemRef="text"/><message id="mc" name="MC" itemRef="count"/>'
    '<interface id="i" name="I"><operation id="op" name="O"><inMessageRef>mt</inMessageRef><outMessageRef>mc</outMessageRef></operation></interface>'
)
SETS = '<inputSet id="si"><dataInputRefs>di</dataInputRefs></inputSet><outputSet id="so"><dataOutputRefs>do</dataOutputRefs></outputSet>'


def io(inputs: str = "", outputs: str = "", sets: str = SETS) -> str:
    return f'<ioSpecification><dataInput id="di" {inputs}/><dataOutput id="do" {outputs}/>{sets}</ioSpecification>'


def of(item: str, more: str = "") -> str:
    return f'itemSubjectRef="{item}"{more}'


def task(inside: str, tag: str = "task", attributes: str = "", more: str = "") -> str:
    return path(f'<{tag} id="x" name="X"{attributes}>{inside}</{tag}>', more=more, roots=ITEMS)


def reads(source: str, more: str = "") -> str:
    return f"<dataInputAssociation>{source and f'<sourceRef>{source}</sourceRef>'}<targetRef>di</targetRef>{more}</dataInputAssociation>"


WRITES = "<dataOutputAssociation><sourceRef>do</sourceRef><targetRef>d</targetRef></dataOutputAssociation>"
TWO_IN = SETS.replace("<outputSet", "<inputSet><dataInputRefs>di</dataInputRefs></inputSet><outputSet", 1)
TWO_OUT = SETS + "<outputSet><dataOutputRefs>do</dataOutputRefs></outputSet>"
OTHER = '<task id="y"><ioSpecification><inputSet id="oi"/><outputSet id="oo"><inputSetRefs>si</inputSetRefs></outputSet></ioSpecification></task>' + flows("x>y y>e")


def data(item: str, more: str = "") -> str:
    return f'<dataObject id="d" {of(item, more)}/>'


def called(own: str, whose: str) -> str:
    """A call with inputs and outputs of ``own`` to a process with those of ``whose``."""
    theirs = whose.replace("di", "pi").replace('"do', '"po').replace(">do", ">po").replace('"si', '"ti').replace('"so', '"to')
    return ITEMS + path(f'<callActivity id="x" calledElement="q">{own}</callActivity>', after=f'<process id="q" isExecutable="true">{theirs}{INNER}</process>')


def service(binding: str, supported: str = "<supportedInterfaceRef>i</supportedInterfaceRef>") -> str:
    return ITEMS + f'<process id="p" isExecutable="true">{supported}{io()}{binding}{INNER}</process>'


BINDING = '<ioBinding operationRef="op" inputDataRef="si" outputDataRef="so"/>'
CATCH = '<intermediateCatchEvent id="x">{}</intermediateCatchEvent>'
OWN = '<dataOutput id="o"/><outputSet><dataOutputRefs>{}</dataOutputRefs></outputSet>'
LIST = ' isCollection="true"'


def many(item: str) -> str:
    loop = f'<loopDataInputRef>di</loopDataInputRef><inputDataItem id="one" {item}/>'
    return task(f'{io(of("texts", LIST))}<multiInstanceLoopCharacteristics>{loop}</multiInstanceLoopCharacteristics>')


DATA = [
    Row("10.4.1", "data-reference-item", "r", task("", more=data("text") + '<dataObjectReference id="r" dataObjectRef="d" itemSubjectRef="text"/>')),
    Row("10.4.1", "collection-mismatch", "d", task("", more=data("texts", ' isCollection="false"'))),
    Row("10.4.1", "collection-mismatch", "d", task("", more=data("texts"))),
    Row("10.4.1", "collection-mismatch", "d", task("", more=data("text", LIST))),
    Row("10.4.1", "collection-mismatch", "di", task(io(of("text", LIST)))),
    Row("10.4.2", "association-item-mismatch", "d", task(io(of("text")) + reads("d"), more=data("count"))),
    Row("10.4.2", "association-item-mismatch", "do", task(io("", of("text")) + WRITES, more=data("count"))),
    Row("10.4.2", "association-item-mismatch", "r", task(io(of("text")) + reads("r"), more=data("count") + '<dataObjectReference id="r" dataObjectRef="d"/>')),
    Row("10.4.2", "data-association", "di", task(io() + reads(""))),
    Row("10.4.1", "data-set", "di", task(io(sets=SETS.replace("</inputSet>", "<dataInputRefs>di</dataInputRefs></inputSet>")))),
    Row("10.4.1", "data-set", "oo", task(io(sets=SETS.replace("</inputSet>", "<outputSetRefs>oo</outputSetRefs></inputSet>")), more=OTHER.replace("<inputSetRefs>si</inputSetRefs>", ""))),
    Row("10.4.1", "data-set", "o2", path(CATCH.format(OWN.format("o2") + '<messageEventDefinition messageRef="m"/>'), roots=ROOTS, more=f'<intermediateCatchEvent id="y">{OWN.format("o2").replace(chr(34) + "o" + chr(34), chr(34) + "o2" + chr(34))}<messageEventDefinition messageRef="m"/></intermediateCatchEvent>{flows("s>y y>e")}')),
    Row("10.5.1", "event-data", "x", ITEMS + path(CATCH.format(OWN.format("o") + '<messageEventDefinition messageRef="mt"/><messageEventDefinition messageRef="mc"/>'))),
    Row("10.3.3", "message-data", "input sets", task(io(sets=TWO_IN), "sendTask", ' messageRef="mt"')),
    Row("10.3.3", "message-data", "output sets", task(io(sets=TWO_OUT), "receiveTask", ' messageRef="mt"')),
    Row("10.3.3", "message-data", "input sets", task(io(sets=TWO_IN), "serviceTask", ' operationRef="op"')),
    Row("10.3.3", "message-data", "output sets", task(io(sets=TWO_OUT), "serviceTask", ' operationRef="op"')),
    Row("10.3.3", "data-item-mismatch", "di", task(io(of("count")), "serviceTask", ' operationRef="op"')),
    Row("10.3.3", "data-item-mismatch", "do", task(io("", of("text")), "serviceTask", ' operationRef="op"')),
    Row("10.3.6", "call-io", "inputs", called(io(of("text")), io(of("count")))),
    Row("10.3.6", "call-io", "outputs", called(io("", of("text")), io("", of("count")))),
    Row("10.3.6", "call-io", "input sets", called(io(sets=TWO_IN), io())),
    Row("10.3.8", "loop-item-mismatch", "x", many(of("texts", LIST))),
    Row("8.5", "io-binding", "p", service("")),
    Row("10.4.1", "io-binding", "op", service(BINDING, "")),
    Row("10.4.1", "io-binding", "si2", service(BINDING.replace('"si"', '"si2"')) + f'<process id="q">{io(sets=SETS).replace("di", "ei").replace("do", "eo").replace(chr(34) + "si", chr(34) + "si2").replace(chr(34) + "so", chr(34) + "so2")}</process>'),
    Row("10.4.1", "data-store-use", "st", '<dataStore id="st" name="S" capacity="-1"/>' + GOOD),
]

# ---- links, lanes, correlation --------------------------------------------------------------


def link(throwing: str = "", catching: str = "") -> str:
    def event(tag: str, name: str, inside: str) -> str:
        return f'<intermediate{tag}Event id="{name}"><linkEventDefinition id="l{name}" name="A">{inside}</linkEventDefinition></intermediate{tag}Event>'

    other = '<intermediateThrowEvent id="t2"><linkEventDefinition id="lt2" name="B"/></intermediateThrowEvent><intermediateCatchEvent id="c2"><linkEventDefinition id="lc2" name="B"/></intermediateCatchEvent>'
    return process(f'<startEvent id="s"/>{event("Throw", "t", throwing)}{event("Catch", "c", catching)}{other}<endEvent id="e"/>{flows("s>t s>t2 c>e c2>e")}')


def lane(name: str, nodes: str, inside: str = "") -> str:
    return f'<lane id="{name}">{"".join(f"<flowNodeRef>{n}</flowNodeRef>" for n in nodes.split())}{inside}</lane>'


def lanes(*sets: str) -> str:
    return process("".join(f"<laneSet>{one}</laneSet>" for one in sets) + f'<startEvent id="s"/><task id="x"/><endEvent id="e"/>{flows("s>x x>e")}')


def inner(name: str, nodes: str) -> str:
    return f"<childLaneSet>{lane(name, nodes)}</childLaneSet>"


def retrieves(name: str, times: int = 1) -> str:
    one = '<correlationPropertyRetrievalExpression messageRef="m"><messagePath>a</messagePath></correlationPropertyRetrievalExpression>'
    return f'<correlationProperty id="{name}" name="{name}">{one * times}</correlationProperty>'


def subscribes(*bound: str) -> str:
    bindings = "".join(f'<correlationPropertyBinding correlationPropertyRef="{name}"><dataPath>a</dataPath></correlationPropertyBinding>' for name in bound)
    return (
        f'{ROOTS}{retrieves("cp")}{retrieves("cp2")}<collaboration id="c"><participant id="A" processRef="p"/><correlationKey id="k"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey></collaboration>'
        + process(f'<startEvent id="s"/><receiveTask id="x" messageRef="m"/><endEvent id="e"/>{flows("s>x x>e")}<correlationSubscription id="cs" correlationKeyRef="k">{bindings}</correlationSubscription>')
    )


STRUCTURE = [
    *(Row("10.5.5", "link-reference", says, link(f"<target>{target}</target>")) for says, target in (("lt", "lt"), ("lc2", "lc2"), ("lt2", "lt2"))),
    *(Row("10.5.5", "link-reference", source, link("", f"<source>{source}</source>")) for source in ("lc", "lt2", "lc2")),
    Row("10.5.5", "link-reference", "lc", link("<source>lc</source>")),
    Row("10.5.5", "link-reference", "lt", link("", "<target>lt</target>")),
    Row("10.8", "lane-content", "l2", lanes(lane("l1", "x", inner("l11", "")) + lane("l2", "x", inner("l21", "")))),
    Row("10.8", "lane-content", "l2", lanes(lane("l1", "", inner("l11", "x")) + lane("l2", "x", inner("l21", "")))),
    Row("8.4.2", "correlation-binding", "cp2", subscribes("cp", "cp2")),
    Row("8.4.2", "correlation-binding", "2 times", subscribes("cp", "cp")),
    Row("8.4.2", "correlation-key", "cp", ROOTS + retrieves("cp", 2) + GOOD),
    *(Row("10.3.6", "called-process", "x", ROOTS + '<collaboration id="col"><participant id="A"/></collaboration>' + path(f'<callActivity id="x" calledElement="{target}"/>', more='<dataObject id="d"/>')) for target in ("col", "A", "d", "err")),
]

# ---- expressions, attributes ----------------------------------------------------------------


def choice(condition: str) -> str:
    return process(f'<startEvent id="s"/><exclusiveGateway id="g" default="g__e"/><endEvent id="e"/><endEvent id="e2"/>{flows("s>g g>e")}{flow("f", "g", "e2", condition)}')


def starts(condition: str, more: str) -> str:
    return process(f'<startEvent id="s"><conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition></startEvent><endEvent id="e"/>{flows("s>e")}{more}')


def repeats(inside: str) -> str:
    return path(f'<task id="x"><multiInstanceLoopCharacteristics>{inside}</multiInstanceLoopCharacteristics></task>')


TEXTS = [
    *(Row("8.4.13", "expression-type", "f", choice(text)) for text in ("5", '"yes"', "a + 1", "[a]", "null", "-a")),
    *(Row("FEEL", "invalid-expression", "==", choice(text)) for text in ("a == 5", 'a and b == "x"')),
    *(Row("10.5.5", "invalid-timer", "x", path(catch("x", f"<timerEventDefinition><{name}>{text}</{name}></timerEventDefinition>"))) for name, text in (("timeDuration", "5"), ("timeDuration", '"tomorrow"'), ("timeDuration", "true"), ("timeDate", "01/02/2030"), ("timeCycle", "[1]"))),
    Row("10.3.1", "invalid-expression", "potentialOwner", path('<userTask id="x" name="X"><potentialOwner><resourceAssignmentExpression><formalExpression>a +</formalExpression></resourceAssignmentExpression></potentialOwner></userTask>')),
    Row("10.3.1", "invalid-expression", "empty", path('<userTask id="x" name="X"><potentialOwner><resourceAssignmentExpression><formalExpression/></resourceAssignmentExpression></potentialOwner></userTask>')),
    Row("10.3.3", "nothing-to-do", "g", '<globalBusinessRuleTask id="g" implementation="##unspecified"/>' + GOOD),
    Row("10.3.3", "unsupported-script", "g", '<globalScriptTask id="g" scriptLanguage="feel"/>' + GOOD),
    Row("10.3.3", "unsupported-implementation", "g", '<globalUserTask id="g" implementation="http://example.org/human"/>' + GOOD),
    *(Row("10.3.8", "expression-type", text, repeats(f"<loopCardinality>{text}</loopCardinality>")) for text in ("-1", "1.5", '"two"', "true", "a = b", "[1]")),
    Row("10.3.8", "expression-type", "completion", repeats("<loopCardinality>2</loopCardinality><completionCondition>5</completionCondition>")),
    Row("10.3.8", "expression-type", "condition", path('<task id="x"><standardLoopCharacteristics loopMaximum="2"><loopCondition>"again"</loopCondition></standardLoopCharacteristics></task>')),
    Row("10.5.5", "expression-type", "condition", path(catch("x", "<conditionalEventDefinition><condition>5</condition></conditionalEventDefinition>"))),
    Row("10.3.5", "expression-type", "completion", path('<adHocSubProcess id="x"><task id="y"/><completionCondition>1</completionCondition></adHocSubProcess>')),
    Row("10.5.2", "conditional-start", "s", starts("level > 5", '<dataObject id="d" name="level"/>')),
    Row("XSD int", "invalid-value", "maximum", ROOTS + '<collaboration id="c"><participant id="A"><participantMultiplicity maximum="99999999999"/></participant></collaboration>' + GOOD),
    Row("XSD enumeration", "invalid-value", "processType", process(INNER, attributes=' processType=" Private "')),
    *(Row("XSD anyURI", "invalid-value", "targetNamespace", f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="{uri}">{GOOD}</definitions>') for uri in ("http://a/%zz", "http://a#b#c")),
    Row("XSD nillable", "invalid-value", "nil", path('<task id="x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>')),
    Row("8.3.1", "invalid-value", "textFormat", path('<task id="x"><documentation textFormat="html">d</documentation></task>')),
    Row("8.4.1", "invalid-value", "textFormat", path('<task id="x"/>', more='<textAnnotation id="n" textFormat="markdown"><text>t</text></textAnnotation>')),
]


def prefixed(body: str) -> str:
    return f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:t="t" targetNamespace="t">{ITEMS}{process(body)}</definitions>'


IDREFS = [
    *(Row("XSD IDREF", "invalid-value", name, prefixed(body)) for name, body in (
        ("sourceRef", f'{INNER}<task id="x"/>{flow("f", "t:is", "x")}{flows("x>ie")}'),
        ("targetRef", f'{INNER}<task id="x"/>{flow("f", "is", "t:x")}{flows("x>ie")}'),
        ("default", f'<startEvent id="s"/><task id="x" default="t:x__e"/><endEvent id="e"/>{flows("s>x x>e")}'),
        ("flowNodeRef", f"<laneSet>{lane('l', 't:is')}</laneSet>{INNER}"),
        ("dataObjectRef", f'{INNER}<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="t:d"/>'),
        ("dataInputRefs", f'<startEvent id="s"/><task id="x">{io(sets=SETS.replace(">di<", ">t:di<"))}</task><endEvent id="e"/>{flows("s>x x>e")}'),
    )),
]

TABLE = [*DATA, *STRUCTURE, *TEXTS, *IDREFS]

ACCEPTED = {
    "items of one structure are equivalent": task(io(of("text")) + reads("d"), more=data("words")),
    "data without an item fits everything": task(io() + reads("d"), more=data("count")),
    "a transformation makes one item of another": task(io(of("text")) + reads("d", "<transformation>d</transformation>"), more=data("count")),
    "an assignment says what goes where": task(io() + reads("", "<assignment><from>5</from><to>di</to></assignment>")),
    "a service task has the items of its operation": task(io(of("words"), of("count")), "serviceTask", ' operationRef="op"'),
    "a call has the items of what it calls, in any order of sets": called(io(of("text"), of("count")), io(of("words"), of("count"))),
    "an instance takes one of the collection": many(of("text")),
    "an operation is bound to sets of one's own": service(BINDING),
    "a timer carries nothing": ITEMS + path(CATCH.format(OWN.format("o") + "<messageEventDefinition messageRef=\"m\"/><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"), roots=ROOTS),
    "links name each other": link("<target>lc</target>", "<source>lt</source>"),
    "a lane lists what the lanes inside it divide": lanes(lane("l1", "s x", inner("l11", "x")) + lane("l2", "e")),
    "two lane sets divide the same nodes": lanes(lane("l1", "s x"), lane("k1", "x e")),
    "each property is bound once": subscribes("cp"),
    "a variable may hold what is asked for": choice("approved"),
    "a name may hold an operator": choice("is-approved"),
    "a time may be a text": path(catch("x", '<timerEventDefinition><timeDuration>"PT1H"</timeDuration></timerEventDefinition>')),
    "a time may be computed": path(catch("x", '<timerEventDefinition><timeDuration>duration("PT1H") * 2</timeDuration></timerEventDefinition>')),
    "a function may have a word of logic in its name": path(catch("x", "<timerEventDefinition><timeDate>date and time(due) - wait</timeDate></timerEventDefinition>")),
    "a time may be a variable": path(catch("x", "<timerEventDefinition><timeDate>due</timeDate></timerEventDefinition>")),
    "a text may hold two signs of equality": choice('a = "=="'),
    "a cardinality may be computed": repeats("<loopCardinality>n * 2 + 1</loopCardinality>"),
    "no instance at all is a number of instances": repeats("<loopCardinality>0</loopCardinality>"),
    "a start condition asks for the world around": starts("outside > 5", '<dataObject id="d" name="level"/>'),
    "a media type has parameters": path('<task id="x"><documentation textFormat="text/html; charset=utf-8">d</documentation></task>'),
    "a node may leave its incoming and outgoing out": path('<task id="x"><incoming>s__x</incoming><outgoing>x__e</outgoing></task>'),
}
# fmt: on


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.clause}-{row.rule}-{row.says}")
def test_model_is_refused_by_its_rule_alone(row: Row) -> None:
    found = [f for f in findings(row.model) if f.severity is Severity.ERROR]
    report = "\n".join(map(str, found))
    assert {f.rule for f in found} == {row.rule}, report
    assert any(row.says in f.message or row.says == f.element_id for f in found), report


@pytest.mark.parametrize("reason", ACCEPTED)
def test_twin_is_taken(reason: str) -> None:
    errors = [f for f in findings(ACCEPTED[reason]) if f.severity is Severity.ERROR]
    assert errors == [], "\n".join(map(str, errors))
