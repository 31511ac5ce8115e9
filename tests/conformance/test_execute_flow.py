"""Executable models of the standard, without any vendor's extension: flows, gateways, activities, data.

Each is deployed and run as a stranger would, and must go the way that BPMN 2.0.2 says (10.2 to 10.6, 13).
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from tests.conformance.models import flow, flows, process
from tests.conformance.running import Case, do, play, put, send, wait
from tests.conformance.test_execute_events import (
    COM,
    ON,
    ROOTS,
    TERM,
    C,
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

# fmt: off


def script(name: str, text: str, language: str = "text/feel", attributes: str = "") -> str:
    return f'<scriptTask id="{name}" scriptFormat="{language}"{attributes}><script>{text}</script></scriptTask>'


def xor(name: str, default: str = "") -> str:
    return f'<exclusiveGateway id="{name}"{default and f" default={chr(34)}{default}{chr(34)}"}/>'


def ior(name: str, default: str = "") -> str:
    return f'<inclusiveGateway id="{name}"{default and f" default={chr(34)}{default}{chr(34)}"}/>'


def both(name: str) -> str:
    return f'<parallelGateway id="{name}"/>'


def many(inside: str, attributes: str = "") -> str:
    return f"<multiInstanceLoopCharacteristics{attributes}>{inside}</multiInstanceLoopCharacteristics>"


SEQUENTIAL = ' isSequential="true"'
THREE = "<loopCardinality>3</loopCardinality>"


def undone(name: str, host: str, handler: str = "") -> str:
    """A compensation event on ``host`` with its handler ``name``."""
    made = handler or f'<task id="{name}" name="{name}" isForCompensation="true"/>'
    return boundary(f"b_{name}", host, COM) + made


def linked(*names: str) -> str:
    return "".join(f'<association id="as_{n}" associationDirection="One" sourceRef="b_{n}" targetRef="{n}"/>' for n in names)


def compensated(*nodes: str, wires: str, links: str) -> str:
    return process(start() + "".join(nodes) + end() + flows(wires) + links, ROOTS)


GATEWAYS = [
    Case("exclusive, first true", body(xor("g", "g__c"), task("a"), task("b"), task("c"), wires="s>g g>a?n>1 g>b?n>0 g>c a>e b>e c>e"), (), "s g a e", {"n": 2}),
    Case("exclusive, second", body(xor("g", "g__c"), task("a"), task("b"), task("c"), wires="s>g g>a?n>1 g>b?n>0 g>c a>e b>e c>e"), (), "s g b e", {"n": 1}),
    Case("exclusive, default", body(xor("g", "g__c"), task("a"), task("b"), task("c"), wires="s>g g>a?n>1 g>b?n>0 g>c a>e b>e c>e"), (), "s g c e", {"n": 0}),
    Case("exclusive, none true", body(xor("g"), task("a"), task("b"), wires="s>g g>a?n>1 g>b?n>0 a>e b>e"), (), "s", {"n": 0}, status="incident"),
    Case("exclusive merge passes each token", body(both("f"), task("a"), task("b"), xor("g"), task("c"), wires="s>f f>a f>b a>g b>g g>c c>e"), (), "s f a b g g c c e e"),
    Case("parallel split and join", body(both("f"), task("a"), task("b"), both("j"), wires="s>f f>a f>b a>j b>j j>e"), (), "s f a b j e"),
    Case("parallel join waits", body(both("f"), user("a"), user("b"), both("j"), wires="s>f f>a f>b a>j b>j j>e"), (do("a"),), "s f a", status="active"),
    Case("parallel split and join in one", body(both("f"), task("a"), task("b"), both("j"), task("c"), task("d"), xor("k"), wires="s>f f>a f>b a>j b>j j>c j>d c>k d>k k>e"), (), "s f a b j c d k k e e"),
    Case("inclusive, one", body(ior("f", "f__c"), task("a"), task("b"), task("c"), ior("j"), wires="s>f f>a?x f>b?y f>c a>j b>j c>j j>e"), (), "s f a j e", {"x": True, "y": False}),
    Case("inclusive, two", body(ior("f", "f__c"), task("a"), task("b"), task("c"), ior("j"), wires="s>f f>a?x f>b?y f>c a>j b>j c>j j>e"), (), "s f a b j e", {"x": True, "y": True}),
    Case("inclusive, default", body(ior("f", "f__c"), task("a"), task("b"), task("c"), ior("j"), wires="s>f f>a?x f>b?y f>c a>j b>j c>j j>e"), (), "s f c j e", {"x": False, "y": False}),
    Case("inclusive join waits for the slow one", body(ior("f", "f__c"), user("a"), task("b"), task("c"), ior("j"), wires="s>f f>a?x f>b?y f>c a>j b>j c>j j>e"), (do("a"),), "s f b a j e", {"x": True, "y": True}),
    Case("inclusive join, token elsewhere can't come", body(both("p1"), user("z"), ior("f", "f__b"), task("a"), task("b"), ior("j"), end("", "e2"), wires="s>p1 p1>z p1>f f>a?x f>b a>j b>j j>e z>e2"), (do("z"),), "s p1 f a j e z e2", {"x": True}),
    Case("event gateway, message", body('<eventBasedGateway id="g"/>', catch("c", M), catch("d", T), wires="s>g g>c g>d c>e d>e"), (send("M"), wait(hours=2)), "s g c e"),
    Case("event gateway, timer", body('<eventBasedGateway id="g"/>', catch("c", M), catch("d", T), wires="s>g g>c g>d c>e d>e"), (wait(hours=2), send("M")), "s g d e"),
    Case("event gateway, signal and condition", body('<eventBasedGateway id="g"/>', catch("c", S), catch("d", C), wires="s>g g>c g>d c>e d>e"), (put(level=9),), "s g d e", {"level": 1}),
    Case("event gateway, receive tasks", body('<eventBasedGateway id="g"/>', '<receiveTask id="c" messageRef="m"/><receiveTask id="d" messageRef="m2"/>', wires="s>g g>c g>d c>e d>e"), (send("M2"),), "s g d e"),
    Case("complex, two of three", body(both("f"), user("a"), user("b"), user("c"), '<complexGateway id="j"><activationCondition>activationCount >= 2</activationCondition></complexGateway>', wires="s>f f>a f>b f>c a>j b>j c>j j>e"), (do("a"), do("c"), do("b")), "s f a c j e b"),
    Case("complex split", body('<complexGateway id="f" default="f__c"/>', task("a"), task("b"), task("c"), wires="s>f f>a?x f>b?y f>c a>e b>e c>e"), (), "s f a b e e", {"x": True, "y": True}),
    Case("directions given", body('<exclusiveGateway id="g" gatewayDirection="Diverging" default="g__b"/>', task("a"), task("b"), '<exclusiveGateway id="j" gatewayDirection="Converging"/>', wires="s>g g>a?x g>b a>j b>j j>e"), (), "s g b j e", {"x": False}),
]

FLOWS = [
    Case("several flows out of a task", body(task("a"), task("b"), task("c"), wires="s>a a>b a>c b>e c>e"), (), "s a b c e e"),
    Case("conditional flows out of a task", body(task("a"), task("b"), task("c"), wires="s>a a>b?x a>c?y b>e c>e"), (), "s a c e", {"x": False, "y": True}),
    Case("default flow out of a task", body('<task id="a" default="a__c"/>', task("b"), task("c"), wires="s>a a>b?x a>c b>e c>e"), (), "s a c e", {"x": False}),
    Case("conditional and plain flow out of a task", body(task("a"), task("b"), task("c"), wires="s>a a>b?x a>c b>e c>e"), (), "s a b c e e", {"x": True}),
    Case("several flows out of a start", body(task("a"), task("b"), wires="s>a s>b a>e b>e"), (), "s a b e e"),
    Case("several flows out of a boundary event", body(user("u"), boundary("b", "u", M), task("a"), task("c"), wires="s>u u>e b>a b>c a>e c>e"), (send("M"),), "s b a c e e"),
    Case("loop by flow", body(xor("v"), script("a", '{"n": n + 1}'), xor("g", "g__v"), wires="s>v v>a a>g g>v g>e?n>=3"), (), "s v a g v a g v a g e", {"n": 0}, {"n": 3}),
    Case("isImmediate true", process(start() + end() + flow("f", "s", "e", isImmediate="true")), (), "s e"),
    Case("incoming and outgoing written", process('<startEvent id="s"><outgoing>s__a</outgoing></startEvent><task id="a"><incoming>s__a</incoming><outgoing>a__e</outgoing></task><endEvent id="e"><incoming>a__e</incoming></endEvent>' + flows("s>a a>e")), (), "s a e"),
    Case("startQuantity", body(task("x"), '<task id="a" startQuantity="2"/>', wires="s>x s>a x>a a>e"), (), "s x a e"),
    Case("completionQuantity", body('<task id="a" completionQuantity="2"/>', task("b"), wires="s>a a>b b>e"), (), "s a b b e e"),
]

OPERATION = '<interface id="i" name="Stock"><operation id="op" name="reserve"><inMessageRef>m</inMessageRef></operation></interface>'
TASKS = [
    Case("abstract task", body(task("a"), wires="s>a a>e"), (), "s a e"),
    Case("manual task", body('<manualTask id="a"/>', wires="s>a a>e"), (), "s a e"),
    Case("user task", body(user("a"), wires="s>a a>e"), (do("a", ok=True),), "s a e", {}, {"ok": True}),
    Case("user task, ##unspecified", body('<userTask id="a" name="A" implementation="##unspecified"/>', wires="s>a a>e"), (do("a"),), "s a e"),
    Case("user task with a rendering", body('<userTask id="a" name="A"><rendering/></userTask>', wires="s>a a>e"), (do("a"),), "s a e"),
    Case("user task with roles", '<resource id="r" name="clerk"/>' + process(start() + '<userTask id="a" name="A"><humanPerformer><resourceAssignmentExpression><formalExpression>"ann"</formalExpression></resourceAssignmentExpression></humanPerformer><potentialOwner><resourceRef>r</resourceRef></potentialOwner></userTask>' + end() + flows("s>a a>e")), (do("a"),), "s a e"),
    *(Case(f"script in {language}", body(script("a", '{"n": 40 + 2}', language), wires="s>a a>e"), (), "s a e", {}, {"n": 42}) for language in ("feel", "FEEL", "text/feel", "application/feel", "text/x-feel", "http://www.omg.org/spec/FEEL/20140401", "http://www.omg.org/spec/DMN/20180521/FEEL/", "https://www.omg.org/spec/DMN/20191111/FEEL/", "https://www.omg.org/spec/DMN/20230324/FEEL/")),
    Case("send and receive", body(both("f"), '<receiveTask id="a" messageRef="m"/><sendTask id="b" messageRef="m"/>', wires="s>f f>a f>b a>e b>e"), (), "s f b e a e"),
    Case("receive by operation", ROOTS + OPERATION + process(start() + '<receiveTask id="a" operationRef="op"/>' + end() + flows("s>a a>e")), (send("M"),), "s a e"),
    Case("receive ##WebService", body('<receiveTask id="a" implementation="##WebService" messageRef="m"/>', wires="s>a a>e"), (send("M", n=1),), "s a e", {}, {"n": 1}),
    Case("send ##WebService", body('<sendTask id="a" implementation="##WebService" messageRef="m"/>', wires="s>a a>e"), (), "s a e"),
]

SUBPROCESSES = [
    Case("subprocess", body(sub("u", start("", "us"), task("a"), end("", "ue"), wires="us>a a>ue"), wires="s>u u>e"), (), "s us a ue u e"),
    Case("subprocess without events", body(sub("u", task("a"), task("b"), wires="a>b"), wires="s>u u>e"), (), "s a b u e"),
    Case("subprocess ends when all its tokens have", body(sub("u", start("", "us"), user("a"), user("b"), end("", "ue"), wires="us>a us>b a>ue b>ue"), wires="s>u u>e"), (do("a"), do("b")), "s us a ue b ue u e"),
    Case("nested three deep", body(sub("u", sub("v", sub("w", task("a"), wires=""), wires=""), wires=""), wires="s>u u>e"), (), "s a w v u e"),
    Case("ad-hoc, all", body(sub("u", user("a"), user("b"), wires="", tag="adHocSubProcess"), wires="s>u u>e"), (do("b"), do("a")), "s b a u e"),
    Case("ad-hoc, sequential", body(sub("u", user("a"), user("b"), wires="", tag="adHocSubProcess", attributes=' ordering="Sequential"'), wires="s>u u>e"), (do("a"), do("b")), "s a b u e"),
    Case("ad-hoc, until", body(sub("u", user("a"), user("b"), wires="", tag="adHocSubProcess").replace("</adHocSubProcess>", "<completionCondition>done</completionCondition></adHocSubProcess>"), wires="s>u u>e"), (do("a", done=True),), "s a u e", {"done": False}),
    Case("ad-hoc, until, the others go on", body(sub("u", user("a"), user("b"), wires="", tag="adHocSubProcess", attributes=' cancelRemainingInstances="false"').replace("</adHocSubProcess>", "<completionCondition>done</completionCondition></adHocSubProcess>"), wires="s>u u>e"), (do("a", done=True), do("b")), "s a b u e", {"done": False}),
    Case("ad-hoc with a flow", body(sub("u", user("a"), user("b"), wires="a>b", tag="adHocSubProcess"), wires="s>u u>e"), (do("a"), do("b")), "s a b u e"),
    Case("transaction, completed", body(sub("u", start("", "us"), task("a"), end("", "ue"), wires="us>a a>ue", tag="transaction"), wires="s>u u>e"), (), "s us a ue u e"),
    Case("transaction, cancelled", compensated(sub("u", start("", "us"), task("a"), undone("ca", "a"), end("<cancelEventDefinition/>", "ue"), wires="us>a a>ue", tag="transaction").replace("</transaction>", linked("ca") + "</transaction>"), boundary("b", "u", "<cancelEventDefinition/>"), end("", "e2"), wires="s>u u>e b>e2", links=""), (), "s us a ca ue b e2"),
    Case("transaction, failed", body(sub("u", start("", "us"), end(E, "ue"), wires="us>ue", tag="transaction", attributes=' method="##Compensate"'), boundary("b", "u", E), end("", "e2"), wires="s>u u>e b>e2"), (), "s us ue b e2"),
]

COMPENSATION = [
    Case("throw compensates everything, last first", compensated(task("a"), undone("ca", "a"), task("b"), undone("cb", "b"), throw("t", COM), wires="s>a a>b b>t t>e", links=linked("ca", "cb")), (), "s a b cb ca t e"),
    Case("throw compensates one", compensated(task("a"), undone("ca", "a"), task("b"), undone("cb", "b"), throw("t", '<compensateEventDefinition activityRef="a"/>'), wires="s>a a>b b>t t>e", links=linked("ca", "cb")), (), "s a b ca t e"),
    Case("end compensates", process(start() + task("a") + undone("ca", "a") + end(COM) + flows("s>a a>e") + linked("ca"), ROOTS), (), "s a ca e"),
    Case("what has not run is not compensated", compensated(xor("g", "g__b"), task("a"), undone("ca", "a"), task("b"), undone("cb", "b"), xor("j"), throw("t", COM), wires="s>g g>a?x g>b a>j b>j j>t t>e", links=linked("ca", "cb")), (), "s g b j cb t e", {"x": False}),
    Case("not waiting", compensated(task("a"), undone("ca", "a", '<userTask id="ca" name="ca" isForCompensation="true"/>'), throw("t", '<compensateEventDefinition waitForCompletion="false"/>'), wires="s>a a>t t>e", links=linked("ca")), (do("ca"),), "s a t e ca t"),
    Case("finished subprocess", compensated(sub("u", start("", "us"), task("a"), undone("ca", "a"), end("", "ue"), wires="us>a a>ue").replace("</subProcess>", linked("ca") + "</subProcess>"), throw("t", COM), wires="s>u u>t t>e", links=""), (), "s us a ue u ca t e"),
    Case("variables as they were", compensated(sub("u", start("", "us"), task("a"), undone("ca", "a", script("ca", '{"seen": n}', attributes=' isForCompensation="true"')), end("", "ue"), wires="us>a a>ue").replace("</subProcess>", linked("ca") + "</subProcess>"), throw("t", COM), wires="s>u u>t t>e", links=""), (), "s us a ue u ca t e", {"n": 5}, {"seen": 5}),
]

LOOPS = [
    Case("loop, test after", body(script("a", '{"n": n + 1}').replace("<script>", "<standardLoopCharacteristics><loopCondition>3 > n</loopCondition></standardLoopCharacteristics><script>"), wires="s>a a>e"), (), "s a a a a e", {"n": 0}, {"n": 3}),
    Case("loop, test before, never", body(script("a", '{"n": n + 1}').replace("<script>", '<standardLoopCharacteristics testBefore="true"><loopCondition>3 > n</loopCondition></standardLoopCharacteristics><script>'), wires="s>a a>e"), (), "s a e", {"n": 7}, {"n": 7}),
    Case("loop, at most", body('<task id="a"><standardLoopCharacteristics loopMaximum="2"><loopCondition>true</loopCondition></standardLoopCharacteristics></task>', wires="s>a a>e"), (), "s a a a e"),
    Case("loop on a subprocess", body(sub("u", "<standardLoopCharacteristics loopMaximum=\"2\"/>", task("a"), wires=""), wires="s>u u>e"), (), "s a u a u u e"),
    Case("parallel instances", body(f'<task id="a">{many(THREE)}</task>', wires="s>a a>e"), (), "s a a a a e"),
    Case("sequential instances", body(f'<userTask id="a" name="A">{many(THREE, SEQUENTIAL)}</userTask>', wires="s>a a>e"), (do("a"), do("a")), "s a a", status="active"),
    Case("no instance", body(f'<task id="a">{many("<loopCardinality>0</loopCardinality>")}</task>', wires="s>a a>e"), (), "s a e"),
    Case("computed number", body(f'<task id="a">{many("<loopCardinality xsi:type=" + chr(34) + "tFormalExpression" + chr(34) + ">count(items)</loopCardinality>")}</task>', wires="s>a a>e"), (), "s a a a e", {"items": [1, 2]}),
    Case("completion condition", body(f'<userTask id="a" name="A">{many(THREE + "<completionCondition>numberOfCompletedInstances >= 2</completionCondition>")}</userTask>', wires="s>a a>e"), (do("a"), do("a")), "s a a a e"),
    Case("collection", body(f'<dataObject id="items" isCollection="true"/><dataObject id="sums" isCollection="true"/><scriptTask id="a" scriptFormat="feel">{many("<loopDataInputRef>items</loopDataInputRef><loopDataOutputRef>sums</loopDataOutputRef><inputDataItem id=" + chr(34) + "item" + chr(34) + "/><outputDataItem id=" + chr(34) + "sum" + chr(34) + "/>")}<script>{{"sum": item + 1}}</script></scriptTask>', wires="s>a a>e"), (), "s a a a a e", {"items": [1, 2, 3]}, {"sums": [2, 3, 4]}),
    Case("behavior One", '<signalEventDefinition id="d" signalRef="sig"/>' + body(f'<task id="a">{many(THREE, " behavior=" + chr(34) + "One" + chr(34) + " oneBehaviorEventRef=" + chr(34) + "d" + chr(34))}</task>', boundary("b", "a", S, ON), end("", "e2"), wires="s>a a>e b>e2"), (), "s a a a b a e2 e"),
    Case("subprocess, three times", body(sub("u", many(THREE), task("a"), wires=""), wires="s>u u>e"), (), "s a a a u u u u e"),
]
_CALLED = f'<process id="q" isExecutable="true"><startEvent id="qs"/><task id="qa"/><endEvent id="qe"/>{flows("qs>qa qa>qe")}</process>'
CALLS = [
    Case("call", body('<callActivity id="a" calledElement="q"/>', wires="s>a a>e") + _CALLED, (), "s a e | qs qa qe"),
    Case("call with a prefix", body('<callActivity id="a" xmlns:t="http://example.com/t" calledElement="t:q"/>', wires="s>a a>e") + _CALLED, (), "s a e | qs qa qe"),
    Case("call, variables there and back", body('<callActivity id="a" calledElement="q"/>', wires="s>a a>e") + f'<process id="q" isExecutable="true"><startEvent id="qs"/>{script("qa", chr(123) + chr(34) + "m" + chr(34) + ": n + 1" + chr(125))}<endEvent id="qe"/>{flows("qs>qa qa>qe")}</process>', (), "s a e | qs qa qe", {"n": 1}, {"m": 2}),
    Case("call, error of the called process", body('<callActivity id="a" calledElement="q"/>', boundary("b", "a", E), end("", "e2"), wires="s>a a>e b>e2") + f'<process id="q" isExecutable="true"><startEvent id="qs"/>{end(E, "qe")}{flows("qs>qe")}</process>', (), "s b e2 | qs qe"),
    Case("call, escalation of the called process", body('<callActivity id="a" calledElement="q"/>', boundary("b", "a", X, ON), end("", "e2"), wires="s>a a>e b>e2") + f'<process id="q" isExecutable="true"><startEvent id="qs"/>{end(X, "qe")}{flows("qs>qe")}</process>', (), "s b e2 a e | qs qe"),
    Case("call of a global user task", '<globalUserTask id="q" name="Ask"/>' + body('<callActivity id="a" calledElement="q"/>', wires="s>a a>e"), (lambda run: run.engine.complete(run.engine.tasks()[0]),), "s a e | q_task"),
    Case("call of a global script task", '<globalScriptTask id="q" scriptLanguage="http://www.omg.org/spec/DMN/20180521/FEEL/"><script>{"m": n + 1}</script></globalScriptTask>' + body('<callActivity id="a" calledElement="q"/>', wires="s>a a>e"), (), "s a e | q_task", {"n": 1}, {"m": 2}),
    Case("call of a global task", '<globalTask id="q" name="Q"/>' + body('<callActivity id="a" calledElement="q"/>', wires="s>a a>e"), (), "s a e | q_task"),
    Case("recursion with a way out", body(xor("g", "g__e"), script("d", '{"n": n - 1}'), '<callActivity id="a" calledElement="p"/>', wires="s>g g>d?n>0 g>e d>a a>e"), (), "s g d a e | s g d a e | s g e", {"n": 2}),
]

IO = '<ioSpecification><dataInput id="{0}i" name="x"/><dataOutput id="{0}o" name="y"/><inputSet><dataInputRefs>{0}i</dataInputRefs></inputSet><outputSet><dataOutputRefs>{0}o</dataOutputRefs></outputSet></ioSpecification>'
DATA = [
    Case("inputs and outputs of a task", body('<dataObject id="price"/><dataObject id="total"/>', f'<scriptTask id="a" scriptFormat="feel">{IO.format("a")}<dataInputAssociation><sourceRef>price</sourceRef><targetRef>ai</targetRef></dataInputAssociation><dataOutputAssociation><sourceRef>ao</sourceRef><targetRef>total</targetRef></dataOutputAssociation><script>{{"y": x * 2}}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {"price": 21}, {"total": 42}),
    Case("through a reference", body('<dataObject id="price"/><dataObjectReference id="r" name="Price" dataObjectRef="price"/>', f'<scriptTask id="a" scriptFormat="feel">{IO.format("a")}<dataInputAssociation><sourceRef>r</sourceRef><targetRef>ai</targetRef></dataInputAssociation><dataOutputAssociation><sourceRef>ao</sourceRef><targetRef>r</targetRef></dataOutputAssociation><script>{{"y": x + 1}}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {"price": 1, "Price": 1}),
    Case("transformation", body('<dataObject id="price"/><dataObject id="total"/>', f'<scriptTask id="a" scriptFormat="feel">{IO.format("a")}<dataInputAssociation><sourceRef>price</sourceRef><targetRef>ai</targetRef><transformation>price * 10</transformation></dataInputAssociation><dataOutputAssociation><sourceRef>ao</sourceRef><targetRef>total</targetRef></dataOutputAssociation><script>{{"y": x}}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {"price": 4}, {"total": 40}),
    Case("assignment", body('<dataObject id="total"/>', f'<scriptTask id="a" scriptFormat="feel">{IO.format("a")}<dataInputAssociation><targetRef>ai</targetRef><assignment><from>n + 1</from><to>x</to></assignment></dataInputAssociation><dataOutputAssociation><sourceRef>ao</sourceRef><targetRef>total</targetRef></dataOutputAssociation><script>{{"y": x}}</script></scriptTask>', wires="s>a a>e"), (), "s a e", {"n": 4}, {"total": 5}),
    Case("property of the process", process(f'<property id="limit" name="limit"/>{start()}{xor("g", "g__b")}{task("a")}{task("b")}{end()}{flows("s>g g>a?limit>3 g>b a>e b>e")}'), (), "s g a e", {"limit": 5}),
]
LANES = '<laneSet id="ls"><lane id="l1" name="Front"><flowNodeRef>s</flowNodeRef><flowNodeRef>a</flowNodeRef></lane><lane id="l2" name="Back"><flowNodeRef>e</flowNodeRef></lane></laneSet>'


def pool(name: str, *inside: str, wires: str) -> str:
    return f'<process id="{name}" isExecutable="true">{"".join(inside)}{flows(wires)}</process>'


def collaboration(*message_flows: str) -> str:
    made = "".join(f'<messageFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in (f.split(">") for f in message_flows))
    return f'{ROOTS}<collaboration id="col"><participant id="A" name="A" processRef="p"/><participant id="B" name="B" processRef="q"/>{made}</collaboration>'


POOLS = [
    Case("lanes", process(LANES + start() + task("a") + end() + flows("s>a a>e")), (), "s a e"),
    Case("a message starts the other pool", collaboration("a>qs") + pool("p", start(), '<sendTask id="a" messageRef="m"/>', end(), wires="s>a a>e") + pool("q", start(M, "qs"), task("qa"), end("", "qe"), wires="qs>qa qa>qe"), (), "s a e | qs qa qe"),
    Case("question and answer", collaboration("a>qs", "qe>c") + pool("p", start(), throw("a", M), catch("c", '<messageEventDefinition messageRef="m2"/>'), end(), wires="s>a a>c c>e") + pool("q", start(M, "qs"), task("qa"), end('<messageEventDefinition messageRef="m2"/>', "qe"), wires="qs>qa qa>qe"), (), "s a c e | qs qa qe"),
    Case("to a receive task", collaboration("a>qs", "qb>c") + pool("p", start(), '<sendTask id="a" messageRef="m"/><receiveTask id="c" messageRef="m2"/>', end(), wires="s>a a>c c>e") + pool("q", start(M, "qs"), '<sendTask id="qb" messageRef="m2"/>', end("", "qe"), wires="qs>qb qb>qe"), (), "s a c e | qs qb qe"),
    Case("black-box pool", f'{ROOTS}<collaboration id="col"><participant id="A" processRef="p"/><participant id="B" name="Customer"/><messageFlow id="mf" sourceRef="B" targetRef="c"/></collaboration>' + pool("p", start(), catch("c", M), end(), wires="s>c c>e"), (send("M"),), "s c e"),
    Case("terminate ends its own pool only", collaboration("a>qs") + pool("p", start(), '<sendTask id="a" messageRef="m"/>', end(TERM), wires="s>a a>e") + pool("q", start(M, "qs"), user("qa"), end("", "qe"), wires="qs>qa qa>qe"), (do("qa"),), "s a e | qs qa qe", status="terminated"),
]
# fmt: on

CASES = [*GATEWAYS, *FLOWS, *TASKS, *SUBPROCESSES, *COMPENSATION, *LOOPS, *CALLS, *DATA, *POOLS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_model_goes_the_way_of_the_standard(case: Case) -> None:
    play(case)
