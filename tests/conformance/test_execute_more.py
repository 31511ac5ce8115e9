"""Executable models of the standard where its text is easily overlooked: what events carry, how called
processes are undone, what each instance of many throws, and what only looks as if it were to run."""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from tests.conformance.models import flows, process
from tests.conformance.running import Case, Run, do, file, play, send, tell, wait
from tests.conformance.test_execute_events import (
    COM,
    ON,
    ROOTS,
    E,
    M,
    S,
    T,
    X,
    body,
    boundary,
    catch,
    end,
    start,
    sub,
    task,
    throw,
    user,
)
from tests.conformance.test_execute_flow import SEQUENTIAL, both, compensated, linked, many, script, undone
from tests.conformance.test_execute_mix import TWO

# fmt: off
CANCEL = "<cancelEventDefinition/>"


def objects(*names: str) -> str:
    return "".join(f'<dataObject id="{name}"/>' for name in names)


def carries(*pairs: str) -> str:
    """``d>i``: the event sends the data object ``d`` by its data input ``i``."""
    names = [pair.split(">") for pair in pairs]
    inputs = "".join(f'<dataInput id="{i}"/>' for _, i in names)
    moves = "".join(f"<dataInputAssociation><sourceRef>{d}</sourceRef><targetRef>{i}</targetRef></dataInputAssociation>" for d, i in names)
    return f"{inputs}{moves}<inputSet>{''.join(f'<dataInputRefs>{i}</dataInputRefs>' for _, i in names)}</inputSet>"


def brings(*pairs: str) -> str:
    """``o>d``: what the event receives goes from its data output ``o`` to the data object ``d``."""
    names = [pair.split(">") for pair in pairs]
    outputs = "".join(f'<dataOutput id="{o}"/>' for o, _ in names)
    moves = "".join(f"<dataOutputAssociation><sourceRef>{o}</sourceRef><targetRef>{d}</targetRef></dataOutputAssociation>" for o, d in names)
    return f"{outputs}{moves}<outputSet>{''.join(f'<dataOutputRefs>{o}</dataOutputRefs>' for o, _ in names)}</outputSet>"


SENDER = '<ioSpecification><dataInput id="i"/><inputSet><dataInputRefs>i</dataInputRefs></inputSet><outputSet/></ioSpecification><dataInputAssociation><sourceRef>d</sourceRef><targetRef>i</targetRef></dataInputAssociation>'
RECEIVER = '<ioSpecification><dataOutput id="o"/><inputSet/><outputSet><dataOutputRefs>o</dataOutputRefs></outputSet></ioSpecification><dataOutputAssociation><sourceRef>o</sourceRef><targetRef>r</targetRef></dataOutputAssociation>'
CALL_IO = '<ioSpecification><dataInput id="ci" name="amount"/><dataOutput id="co" name="sum"/><inputSet><dataInputRefs>ci</dataInputRefs></inputSet><outputSet><dataOutputRefs>co</dataOutputRefs></outputSet></ioSpecification><dataInputAssociation><sourceRef>d</sourceRef><targetRef>ci</targetRef></dataInputAssociation><dataOutputAssociation><sourceRef>co</sourceRef><targetRef>r</targetRef></dataOutputAssociation>'
CALLED_IO = f'<process id="q" isExecutable="true"><ioSpecification><dataInput id="pi" name="n"/><dataOutput id="po" name="m"/><inputSet><dataInputRefs>pi</dataInputRefs></inputSet><outputSet><dataOutputRefs>po</dataOutputRefs></outputSet></ioSpecification><startEvent id="qs"/><scriptTask id="qa" scriptFormat="feel"><script>{{"m": n + 1}}</script></scriptTask><endEvent id="qe"/>{flows("qs>qa qa>qe")}</process>'

CONTENT = [
    Case("a signal carries its data input to the catcher's data output", body(objects("d", "r"), both("f"), catch("c", brings("o>r") + S), task("w"), throw("t", carries("d>i") + S), end("", "e2"), wires="s>f f>c f>w w>t t>e2 c>e"), (), "s f w t c e2 e", {"d": 11}, {"r": 11}),
    Case("so does a message between tasks", body(objects("d", "r"), both("f"), f'<receiveTask id="c" messageRef="m">{RECEIVER}</receiveTask>', f'<sendTask id="t" messageRef="m">{SENDER}</sendTask>', end("", "e2"), wires="s>f f>c f>t t>e2 c>e"), (), "s f t e2 c e", {"d": 11}, {"r": 11}),
    Case("so does an error", body(objects("d", "r"), sub("u", start("", "us"), end(carries("d>i") + E, "ue"), wires="us>ue"), boundary("b", "u", brings("o>r") + E), end("", "e2"), wires="s>u u>e b>e2"), (), "s us ue b e2", {"d": 5}, {"r": 5}),
    Case("so does an escalation", body(objects("d", "r"), sub("u", start("", "us"), throw("t", carries("d>i") + X), end("", "ue"), wires="us>t t>ue"), boundary("b", "u", brings("o>r") + X, ON), end("", "e2"), wires="s>u u>e b>e2"), (), "s us b t e2 ue u e", {"d": 9}, {"r": 9}),
    Case("a message starts a process with its content", process(objects("d") + start(brings("o>d") + M) + end() + flows("s>e"), ROOTS), (send("M", order=3),), "s e", None, {"d": 3}),
    Case("a message starts an event subprocess with its content", body(objects("d"), user("a"), f'<subProcess id="h" triggeredByEvent="true">{start(brings("o>d") + M, "hs")}{end("", "he")}{flows("hs>he")}</subProcess>', wires="s>a a>e"), (send("M", order=3),), "s hs he h", {}, {"d": 3}),
    Case("behind an event-based gateway", body(objects("d"), '<eventBasedGateway id="g"/>', catch("c", brings("o>d") + M), catch("k", T), wires="s>g g>c g>k c>e k>e"), (send("M", order=3),), "s g c e", {}, {"d": 3}),
    Case("several variables are the content together", body(objects("d"), catch("c", brings("o>d") + M), wires="s>c c>e"), (send("M", x=1, y=2),), "s c e", {}, {"d": {"x": 1, "y": 2}}),
    Case("of several definitions, each has its own data output", body(objects("a1", "b1"), catch("c", brings("o1>a1", "o2>b1") + M + S), wires="s>c c>e"), (tell("S", v=4),), "s c e", {"a1": 1, "b1": 2}, {"a1": 1, "b1": 4}),
    Case("all of them, where all must occur", body(objects("a1", "b1"), catch("c", brings("o1>a1", "o2>b1") + M + S, ' parallelMultiple="true"'), wires="s>c c>e"), (tell("S", v=4), send("M", w=5)), "s c e", {}, {"a1": 5, "b1": 4}),
    Case("of several results, each carries its own data input", body(objects("d1", "d2", "r1", "r2"), both("f"), catch("c", brings("o1>r1") + M), catch("k", brings("o2>r2") + S), task("w"), throw("t", carries("d1>i1", "d2>i2") + M + S), end("", "e2"), wires="s>f f>c f>k f>w w>t t>e2 c>e k>e"), (), "s f w t k e2 e c e", {"d1": 1, "d2": 2}, {"r1": 1, "r2": 2}),
    Case("a script's value is its only data output", body(objects("r"), f'<scriptTask id="a" scriptFormat="feel">{RECEIVER}<script>40 + 2</script></scriptTask>', wires="s>a a>e"), (), "s a e", {}, {"r": 42}),
    Case("also where it is a context", body(objects("r"), f'<scriptTask id="a" scriptFormat="feel">{RECEIVER}<script>{{"x": 1}}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {}, {"r": {"x": 1}}),
    Case("also that of a global script task", process(objects("d", "r") + start() + f'<callActivity id="a" calledElement="q">{CALL_IO}</callActivity>' + end() + flows("s>a a>e")) + '<globalScriptTask id="q" scriptLanguage="feel"><ioSpecification><dataInput id="gi" name="n"/><dataOutput id="go" name="m"/><inputSet><dataInputRefs>gi</dataInputRefs></inputSet><outputSet><dataOutputRefs>go</dataOutputRefs></outputSet></ioSpecification><script>n + 1</script></globalScriptTask>', (), "s a e | q_task", {"d": 3}, {"r": 4}),
    Case("a call hands over data in order, not by name", process(objects("d", "r") + start() + f'<callActivity id="a" calledElement="q">{CALL_IO}</callActivity>' + end() + flows("s>a a>e")) + CALLED_IO, (), "s a e | qs qa qe", {"d": 3}, {"r": 4}),
]

MANY = [
    Case("behavior None throws at each instance", '<signalEventDefinition id="d" signalRef="sig"/>' + body(f'<task id="a">{many(TWO, " behavior=" + chr(34) + "None" + chr(34) + " noneBehaviorEventRef=" + chr(34) + "d" + chr(34))}</task>', boundary("b", "a", S, ON), end("", "e2"), wires="s>a a>e b>e2"), (), "s a a b b a e2 e2 e"),
    Case("behavior Complex looks at each completion", body(f'<task id="a">{many(f"<loopCardinality>3</loopCardinality><complexBehaviorDefinition><condition>numberOfCompletedInstances = 2</condition><event id={chr(34)}iv{chr(34)}>{S}</event></complexBehaviorDefinition>", " behavior=" + chr(34) + "Complex" + chr(34))}</task>', boundary("b", "a", S, ON), end("", "e2"), wires="s>a a>e b>e2"), (), "s a a a b a e2 e"),
    Case("the completion condition looks at each completion, of instances that take no time too", body(f'<task id="a">{many("<loopCardinality>5</loopCardinality><completionCondition>numberOfCompletedInstances = 2</completionCondition>")}</task>', wires="s>a a>e"), (), "s a a a e"),
]


def subl(name: str, *inside: str, wires: str, handlers: str, tag: str = "subProcess", attributes: str = "") -> str:
    made = sub(name, *inside, wires=wires, tag=tag, attributes=attributes)
    return made[: -len(f"</{tag}>")] + linked(*handlers.split()) + f"</{tag}>"


CALL = '<callActivity id="a" calledElement="q"/>'
CALLED = f'<process id="q" isExecutable="true">{start("", "qs")}{task("qa")}{undone("qc", "qa")}{task("qb")}{undone("qd", "qb")}{end("", "qe")}{flows("qs>qa qa>qb qb>qe")}{linked("qc", "qd")}</process>'
OWN = f'<process id="q" isExecutable="true">{start("", "qs")}{script("qa", chr(123) + chr(34) + "k" + chr(34) + ": 7" + chr(125))}{undone("qc", "qa")}{end("", "qe")}<subProcess id="h" triggeredByEvent="true">{start(COM, "hs")}{throw("ht", COM)}{script("hx", chr(123) + chr(34) + "seen" + chr(34) + ": k" + chr(125))}{end("", "he")}{flows("hs>ht ht>hx hx>he")}</subProcess>{flows("qs>qa qa>qe")}{linked("qc")}</process>'
BETWEEN = f'<process id="r" isExecutable="true">{start("", "rs")}<callActivity id="ra" calledElement="q"/>{end("", "re")}{flows("rs>ra ra>re")}</process>'
UNDO = [
    Case("a called process is undone by the handlers inside it, last first", compensated(task("z"), undone("cz", "z"), CALL, throw("t", COM), wires="s>z z>a a>t t>e", links=linked("cz")) + CALLED, (), "s z a cz t e | qs qa qb qe | qd qc"),
    Case("a called process by name", compensated(CALL, throw("t", '<compensateEventDefinition activityRef="a"/>'), wires="s>a a>t t>e", links="") + CALLED, (), "s a t e | qs qa qb qe | qd qc"),
    Case("a called process by its own compensation event subprocess", compensated(CALL, throw("t", COM), wires="s>a a>t t>e", links="") + OWN, (), "s a t e | qs qa qe | hs qc ht hx he h"),
    Case("a call with a handler is a black box", compensated(CALL, undone("ca", "a"), throw("t", COM), wires="s>a a>t t>e", links=linked("ca")) + CALLED, (), "s a ca t e | qs qa qb qe"),
    Case("a call in a cancelled transaction", body(sub("u", start("", "us"), CALL, end(CANCEL, "ue"), wires="us>a a>ue", tag="transaction"), boundary("b", "u", CANCEL), end("", "e2"), wires="s>u u>e b>e2") + CALLED, (), "s us a ue b e2 | qs qa qb qe | qd qc"),
    Case("a call of a call", compensated('<callActivity id="a" calledElement="r"/>', throw("t", COM), wires="s>a a>t t>e", links="") + BETWEEN + CALLED, (), "s a t e | rs ra re | qs qa qb qe |  | qd qc"),
    Case("the throw waits for the called process's handlers", compensated(CALL, throw("t", COM), wires="s>a a>t t>e", links="") + CALLED.replace('<task id="qc" name="qc"', '<userTask id="qc" name="qc"'), (), "s a | qs qa qb qe | qd", status="active"),
    Case("a called process is not undone twice", compensated(CALL, throw("t", COM), throw("t2", COM), wires="s>a a>t t>t2 t2>e", links="") + CALLED, (), "s a t t2 e | qs qa qb qe | qd qc"),
    Case("a compensation event subprocess of a process that nobody called", body(task("a"), f'<subProcess id="h" triggeredByEvent="true">{start(COM, "hs")}{task("hx")}{end("", "he")}{flows("hs>hx hx>he")}</subProcess>', wires="s>a a>e"), (), "s a e"),
    *(Case(f"transaction, {method}", process(start() + subl("u", start("", "us"), task("a"), undone("ca", "a"), end(CANCEL, "ue"), wires="us>a a>ue", handlers="ca", tag="transaction", attributes=f' method="{method}"') + boundary("b", "u", CANCEL) + end() + end("", "e2") + flows("s>u u>e b>e2"), ROOTS), (), "s us a ca ue b e2") for method in ("##Store", "##Image")),
    Case("a transaction in a transaction", process(start() + subl("u", start("", "us"), task("o"), undone("co", "o"), subl("v", start("", "vs"), task("i"), undone("ci", "i"), end(CANCEL, "ve"), wires="vs>i i>ve", handlers="ci", tag="transaction"), boundary("bv", "v", CANCEL), end(CANCEL, "ue2"), end("", "ue"), wires="us>o o>v v>ue bv>ue2", handlers="co", tag="transaction") + boundary("b", "u", CANCEL) + end() + end("", "e2") + flows("s>u u>e b>e2"), ROOTS), (), "s us o vs i ci ve bv co ue2 b e2"),
    Case("a completed transaction, later", process(start() + subl("u", start("", "us"), task("a"), undone("ca", "a"), end("", "ue"), wires="us>a a>ue", handlers="ca", tag="transaction") + throw("t", COM) + end() + flows("s>u u>t t>e"), ROOTS), (), "s us a ue u ca t e"),
    Case("many subprocesses", process(start() + subl("u", many(TWO, SEQUENTIAL), start("", "us"), task("a"), undone("ca", "a"), end("", "ue"), wires="us>a a>ue", handlers="ca") + throw("t", COM) + end() + flows("s>u u>t t>e"), ROOTS), (), "s us a ue u us a ue u u ca ca t e"),
    Case("what a failed subprocess had done is out of reach", process(start() + subl("u", start("", "us"), task("a"), undone("ca", "a"), end(E, "ue"), wires="us>a a>ue", handlers="ca") + boundary("b", "u", E) + throw("t", COM) + end() + flows("s>u u>e b>t t>e"), ROOTS), (), "s us a ue b t e"),
]

BESIDE = [
    Case("inputs while executing", body(objects("d", "r"), '<scriptTask id="a" scriptFormat="feel"><ioSpecification><dataInput id="i" name="x"/><dataOutput id="o" name="y"/><inputSet><dataInputRefs>i</dataInputRefs><whileExecutingInputRefs>i</whileExecutingInputRefs></inputSet><outputSet><dataOutputRefs>o</dataOutputRefs><whileExecutingOutputRefs>o</whileExecutingOutputRefs></outputSet></ioSpecification><dataInputAssociation><sourceRef>d</sourceRef><targetRef>i</targetRef></dataInputAssociation><dataOutputAssociation><sourceRef>o</sourceRef><targetRef>r</targetRef></dataOutputAssociation><script>{"y": x + 1}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {"d": 1}, {"r": 2}),
    Case("a conversation", f'<collaboration id="col"><participant id="A" processRef="p"/><participant id="B" name="B"/><conversation id="cv"><participantRef>A</participantRef><participantRef>B</participantRef></conversation><conversationLink id="cl" sourceRef="A" targetRef="cv"/></collaboration>{process(start() + end() + flows("s>e"))}', (), "s e"),
    Case("a choreography", f'<message id="mc"/><choreography id="ch"><participant id="pa" name="A"/><participant id="pb" name="B"/><messageFlow id="mf" sourceRef="pa" targetRef="pb" messageRef="mc"/><startEvent id="cs"/><choreographyTask id="ct" initiatingParticipantRef="pa"><participantRef>pa</participantRef><participantRef>pb</participantRef><messageFlowRef>mf</messageFlowRef></choreographyTask><endEvent id="ce"/>{flows("cs>ct ct>ce")}</choreography>{process(start() + end() + flows("s>e"))}', (), "s e"),
]
# fmt: on

CASES = [*CONTENT, *MANY, *UNDO, *BESIDE]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_easily_overlooked_goes_the_way_of_the_standard(case: Case) -> None:
    play(case)


def test_parameters_of_a_resource_come_with_the_task() -> None:
    """10.3.3: the resource is the group, its parameters are evaluated; several owners are candidates."""
    model = '<resource id="r" name="clerk"><resourceParameter id="rp" name="region"/></resource>' + process(
        start()
        + '<userTask id="a" name="A"><potentialOwner><resourceRef>r</resourceRef><resourceParameterBinding '
        'parameterRef="rp"><formalExpression>upper case(area)</formalExpression></resourceParameterBinding>'
        "</potentialOwner><potentialOwner><resourceAssignmentExpression><formalExpression>bosses"
        "</formalExpression></resourceAssignmentExpression></potentialOwner></userTask>"
        + end()
        + flows("s>a a>e")
    )
    run = Run(file(model))
    try:
        run.start({"area": "north", "bosses": ["ann", "bob"]})
        (found,) = run.engine.tasks(group="bob")
        assert found.candidate_groups == ("clerk", "ann", "bob")
        assert found.headers == {"potentialOwner.region": "NORTH"}
    finally:
        run.close()


def _undoing() -> Run:
    """A call is being undone: the called process's handler is a user task that waits."""
    waits = CALLED.replace('<task id="qd" name="qd"', '<userTask id="qd" name="qd"')
    run = Run(file(compensated(CALL, throw("t", COM), wires="s>a a>t t>e", links="") + waits))
    run.start({})
    return run


def test_a_call_that_could_not_be_undone_is_tried_again() -> None:
    run = _undoing()
    try:
        undoing = run.engine.instances("q", status="active")[0]
        run.engine.cancel(undoing.id)
        (incident,) = run.engine.incidents()
        assert incident.instance_id == run.root
        run.engine.resolve(incident)
        do("qd")(run)
        run.look()
        assert run.trail(run.root) == ["s", "a", "t", "e"]
        assert sorted(view.status for view in run.engine.instances("q")) == [
            "cancelled", "completed", "completed",
        ]  # fmt: skip
    finally:
        run.close()


def test_an_instance_that_undoes_is_restarted_as_one() -> None:
    run = _undoing()
    try:
        undoing = run.engine.instances("q", status="active")[0]
        do("qd")(run)
        run.look()
        again = run.engine.restart(undoing.id)
        do("qd")(run)
        run.look()
        assert run.trail(again) == ["qd", "qc"]
    finally:
        run.close()


EVERYTHING = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:w="urn:w" xmlns:t="http://e/t" id="d" name="All" targetNamespace="http://e/t" expressionLanguage="http://www.omg.org/spec/FEEL/20140401" typeLanguage="http://www.w3.org/2001/XMLSchema" exporter="x" exporterVersion="1">
<import importType="http://www.w3.org/2001/XMLSchema" location="a.xsd" namespace="urn:w"/>
<extension mustUnderstand="false" definition="w:x"><documentation>d</documentation></extension>
<itemDefinition id="it" structureRef="xsd:string" itemKind="Information" isCollection="false"/>
<message id="m" name="M" itemRef="it"/><message id="mo" name="MO" itemRef="it"/><signal id="sg" name="SG" structureRef="it"/><error id="er" name="E" errorCode="E1" structureRef="it"/>
<interface id="if" name="I" implementationRef="w:I"><operation id="op" name="O" implementationRef="w:O"><inMessageRef>m</inMessageRef><outMessageRef>mo</outMessageRef><errorRef>er</errorRef></operation></interface>
<endPoint id="ep"/>
<dataStore id="ds" name="DS" capacity="5" isUnlimited="false" itemSubjectRef="it"><dataState id="dst" name="x"/></dataStore>
<resource id="r" name="R"><resourceParameter id="rp" name="region" type="xsd:string" isRequired="false"/></resource>
<category id="cat" name="C"><categoryValue id="cv" value="v"/></category>
<partnerEntity id="pe" name="PE"><participantRef>A</participantRef></partnerEntity><partnerRole id="pr" name="PR"><participantRef>B</participantRef></partnerRole>
<correlationProperty id="cp" name="cp" type="xsd:string"><correlationPropertyRetrievalExpression messageRef="m"><messagePath>key</messagePath></correlationPropertyRetrievalExpression></correlationProperty>
<timerEventDefinition id="tdef"><timeDuration>PT1H</timeDuration></timerEventDefinition>
<globalTask id="gt" name="GT"><performer id="gperf"><resourceRef>r</resourceRef></performer></globalTask>
<collaboration id="col" name="C" isClosed="false"><participant id="A" name="A" processRef="p"><interfaceRef>if</interfaceRef><endPointRef>ep</endPointRef><participantMultiplicity minimum="1" maximum="2"/></participant><participant id="B" name="B"/><messageFlow id="mf" name="mf" sourceRef="A" targetRef="B" messageRef="m"/><textAnnotation id="cta"><text>x</text></textAnnotation><association id="ca" sourceRef="cta" targetRef="B"/></collaboration>
<process id="p" name="P" isExecutable="true" isClosed="true" processType="Private" definitionalCollaborationRef="col">
<documentation id="doc" textFormat="text/plain">hi</documentation>
<ioSpecification id="pio"><dataInput id="pin" name="pin" itemSubjectRef="it"/><dataOutput id="pout" name="pout" itemSubjectRef="it"/><inputSet id="pis" name="n"><dataInputRefs>pin</dataInputRefs><optionalInputRefs>pin</optionalInputRefs><outputSetRefs>pos</outputSetRefs></inputSet><outputSet id="pos"><dataOutputRefs>pout</dataOutputRefs><inputSetRefs>pis</inputSetRefs></outputSet></ioSpecification>
<auditing id="au"/><monitoring id="mo1"/><property id="pp" name="pp" itemSubjectRef="it"><dataState name="z"/></property>
<laneSet id="ls" name="ls"><lane id="l1" name="L1" partitionElementRef="pr"><flowNodeRef>s</flowNodeRef><childLaneSet id="cls"><lane id="l11" name="L11"><flowNodeRef>u</flowNodeRef></lane></childLaneSet></lane></laneSet>
<laneSet id="ls2"><lane id="k1" name="K1"><flowNodeRef>u</flowNodeRef></lane></laneSet>
<startEvent id="s" name="S" isInterrupting="true" parallelMultiple="false"><auditing/><monitoring/><categoryValueRef>cv</categoryValueRef><outgoing>f1</outgoing><property id="sp" name="sp"/></startEvent>
<userTask id="u" name="U" implementation="##unspecified" startQuantity="1" completionQuantity="1" isForCompensation="false"><documentation>x</documentation><incoming>f1</incoming><outgoing>f2</outgoing><property id="up" name="up"/><performer id="pf" name="pf"><resourceRef>r</resourceRef></performer><rendering id="rend"><documentation>r</documentation></rendering></userTask>
<sequenceFlow id="f1" name="f1" sourceRef="s" targetRef="u" isImmediate="true"><auditing/></sequenceFlow>
<intermediateCatchEvent id="c" name="C"><incoming>f2</incoming><outgoing>f3</outgoing><eventDefinitionRef>tdef</eventDefinitionRef></intermediateCatchEvent>
<sequenceFlow id="f2" sourceRef="u" targetRef="c"/>
<callActivity id="ct" name="CT" calledElement="t:gt"><incoming>f3</incoming><outgoing>f4</outgoing></callActivity>
<sequenceFlow id="f3" sourceRef="c" targetRef="ct"/><sequenceFlow id="f4" sourceRef="ct" targetRef="e"/>
<endEvent id="e" name="E"><incoming>f4</incoming></endEvent>
<dataObject id="do" name="do" itemSubjectRef="it" isCollection="false"/><dataObjectReference id="dor" name="do" dataObjectRef="do"><dataState name="s1"/></dataObjectReference><dataStoreReference id="dsr" name="DS" dataStoreRef="ds"/>
<group id="g" categoryValueRef="cv"/><textAnnotation id="ta" textFormat="text/plain"><text>note</text></textAnnotation><association id="as" sourceRef="u" targetRef="ta" associationDirection="None"/>
<potentialOwner id="po" name="po"><resourceRef>r</resourceRef></potentialOwner>
</process>
<relationship id="rel" type="w:dep" direction="Forward"><source>u</source><target>c</target></relationship>
</definitions>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_file_that_uses_nearly_everything_runs(encoding: str) -> None:
    declared = "UTF-16" if encoding == "utf-16" else "UTF-8"
    run = Run(EVERYTHING.replace("UTF-8", declared).encode(encoding))
    try:
        run.start({})
        do("u")(run)
        wait(hours=1)(run)
        run.look()
        assert run.trail(run.root) == ["s", "u", "c", "ct", "e"]
    finally:
        run.close()
