"""Executable models of the standard in which several constructs meet: where engines differ from it most."""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from tests.conformance.models import flows, process
from tests.conformance.running import Case, do, play, put, send, tell, wait
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
    esp,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)
from tests.conformance.test_execute_flow import (
    SEQUENTIAL,
    both,
    collaboration,
    ior,
    linked,
    many,
    pool,
    script,
    undone,
    xor,
)

# fmt: off
TWO = "<loopCardinality>2</loopCardinality>"
CALLED = f'<process id="q" isExecutable="true"><startEvent id="qs"/>{user("qa")}<endEvent id="qe"/>{flows("qs>qa qa>qe")}</process>'
INTERRUPTED = [
    Case("boundary on a call ends what is called", body('<callActivity id="a" calledElement="q"/>', boundary("b", "a", M), end("", "e2"), wires="s>a a>e b>e2") + CALLED, (send("M"),), "s b e2 | qs"),
    Case("boundary on a call, not interrupting", body('<callActivity id="a" calledElement="q"/>', boundary("b", "a", M, ON), end("", "e2"), wires="s>a a>e b>e2") + CALLED, (send("M"), do("qa")), "s b e2 a e | qs qa qe"),
    Case("error of one instance ends them all", body(sub("u", many(TWO), start("", "us"), user("a"), xor("g", "g__ue"), end(E, "bad"), end("", "ue"), wires="us>a a>g g>bad?fail g>ue"), boundary("b", "u", E), end("", "e2"), wires="s>u u>e b>e2"), (do("a", fail=True),), "s us us a g bad b e2", {"fail": False}),
    Case("terminate ends one instance of many", body(sub("u", many(TWO), start("", "us"), both("g"), user("a"), end(TERM, "ue"), end("", "ue2"), wires="us>g g>a g>ue a>ue2"), wires="s>u u>e"), (), "s us us g g ue ue u u u e"),
    Case("error passes through an event subprocess", body(sub("u", start("", "us"), user("a"), '<subProcess id="h" triggeredByEvent="true"><startEvent id="hs">' + M + f'</startEvent><endEvent id="he">{E}</endEvent>{flows("hs>he")}</subProcess>', end("", "ue"), wires="us>a a>ue"), boundary("b", "u", E), end("", "e2"), wires="s>u u>e b>e2"), (send("M"),), "s us hs he b e2"),
    Case("event subprocess in an event subprocess", body(user("a"), f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs">{M}</startEvent>{user("ha")}<endEvent id="he"/>{flows("hs>ha ha>he")}<subProcess id="k" triggeredByEvent="true"><startEvent id="ks">{S}</startEvent><endEvent id="ke"/>{flows("ks>ke")}</subProcess></subProcess>', wires="s>a a>e"), (send("M"), tell("S")), "s hs ks ke k h"),
    Case("interrupting event subprocess stops the timers of its scope", body(user("a"), boundary("b", "a", T), end("", "e2"), esp(S), wires="s>a a>e b>e2"), (tell("S"), wait(hours=5)), "s hs ha he h"),
    Case("timer event subprocess repeats", body(user("a"), esp(timer("Cycle", "R2/PT1H"), False), wires="s>a a>e"), (wait(hours=9), do("a")), "s hs ha he h hs ha he h a e"),
    Case("condition fires again only after it was false", body(user("a"), boundary("b", "a", C, ON), end("", "e2"), wires="s>a a>e b>e2"), (put(level=6), put(level=7), put(level=1), put(level=9), do("a")), "s b e2 b e2 a e", {"level": 0}),
    Case("a task done between two boundary events", body(user("a"), boundary("b", "a", T, ON), boundary("k", "a", timer("Duration", "PT3H")), end("", "e2"), end("", "e3"), wires="s>a a>e b>e2 k>e3"), (wait(hours=2), wait(hours=2)), "s b e2 k e3"),
]

WAITING = [
    Case("a message that comes too early is kept", body(user("a"), catch("c", M), wires="s>a a>c c>e"), (send("M", n=1), do("a")), "s a c e", {}, {"n": 1}),
    Case("a signal that comes too early is gone", body(user("a"), catch("c", S), wires="s>a a>c c>e"), (tell("S"), do("a")), "s a", status="active"),
    Case("a signal reaches everybody who waits", body(both("f"), catch("c", S), catch("d", S), both("j"), wires="s>f f>c f>d c>j d>j j>e"), (tell("S"),), "s f c d j e"),
    Case("one message, one of two receivers", body(both("f"), catch("c", M), catch("d", M), both("j"), wires="s>f f>c f>d c>j d>j j>e"), (send("M"), send("M")), "s f c d j e"),
    Case("message by the name of two elements", '<message id="m9" name="M"/>' + body(catch("c", M), wires="s>c c>e"), (send("M"),), "s c e"),
    Case("message without a name goes by its id", '<message id="bare"/>' + process(start() + catch("c", '<messageEventDefinition messageRef="bare"/>') + end() + flows("s>c c>e")), (send("bare"),), "s c e"),
    Case("signal without a name goes by its id", '<signal id="bare"/>' + process(start() + catch("c", '<signalEventDefinition signalRef="bare"/>') + end() + flows("s>c c>e")), (tell("bare"),), "s c e"),
    Case("receive task in a sequential loop", body(f'<receiveTask id="a" messageRef="m">{many(TWO, SEQUENTIAL)}</receiveTask>', wires="s>a a>e"), (send("M"), send("M")), "s a a a e"),
    Case("timer in FEEL", body(catch("c", timer("Duration", 'if fast then duration("PT1M") else duration("P1D")')), wires="s>c c>e"), (wait(minutes=2),), "s c e", {"fast": True}),
]

JOINS = [
    Case("inclusive join in a loop", body(xor("v"), ior("f", "f__b"), script("a", '{"n": n + 1}'), task("b"), ior("j"), xor("g", "g__v"), wires="s>v v>f f>a?true f>b a>j b>j j>g g>v g>e?n>=2"), (), "s v f a j g v f a j g e", {"n": 0}),
    Case("parallel join in a subprocess, other scope's tokens don't count", body(both("f"), user("z"), sub("u", start("", "us"), both("f2"), task("a"), task("b"), both("j"), end("", "ue"), wires="us>f2 f2>a f2>b a>j b>j j>ue"), both("k"), wires="s>f f>z f>u z>k u>k k>e"), (do("z"),), "s f us f2 a b j ue u z k e"),
    Case("two tokens over one flow, one join each", body(both("f"), task("a"), task("b"), xor("v"), both("g"), task("c"), task("d"), both("j"), wires="s>f f>a f>b a>v b>v v>g g>c g>d c>j d>j j>e"), (), "s f a b v v g g c d c d j j e e"),
    Case("parallel join where a branch went another way", body(both("f"), task("a"), xor("g", "g__k"), task("b"), both("j"), end("", "k"), wires="s>f f>a f>g a>j g>b?x g>k b>j j>e"), (), "s f a g k", {"x": False}, status="active"),
    Case("inclusive join where a branch went another way", body(both("f"), task("a"), xor("g", "g__k"), task("b"), ior("j"), end("", "k"), wires="s>f f>a f>g a>j g>b?x g>k b>j j>e"), (), "s f a g k j e", {"x": False}),
    Case("boundary path into an inclusive join", body(ior("f", "f__d"), user("a"), boundary("t", "a", M), task("b"), task("d"), ior("j"), wires="s>f f>a?x f>b?y f>d a>j b>j d>j t>j j>e"), (send("M"),), "s f b t j e", {"x": True, "y": True}),
]

UNDOING = [
    Case("compensation of instances, last first", process(start() + f'<scriptTask id="a" scriptFormat="feel">{many(TWO, SEQUENTIAL)}<script>{{"k": loopCounter}}</script></scriptTask>' + undone("ca", "a") + throw("t", COM) + end() + flows("s>a a>t t>e") + linked("ca"), ROOTS), (), "s a a a ca ca t e"),
    Case("compensation in an event subprocess of errors", body(sub("u", start("", "us"), task("a"), undone("ca", "a"), end(E, "ue"), f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs">{E}</startEvent><endEvent id="he">{COM}</endEvent>{flows("hs>he")}</subProcess>', wires="us>a a>ue")[: -len("</subProcess>")] + linked("ca") + "</subProcess>", wires="s>u u>e"), (), "s us a ue hs ca he h u e"),
    Case("nested subprocesses are undone from the inside of each, last first", process(start() + sub("u", start("", "us"), task("a"), undone("ca", "a"), task("b"), undone("cb", "b"), end("", "ue"), wires="us>a a>b b>ue")[: -len("</subProcess>")] + linked("ca", "cb") + "</subProcess>" + task("d") + undone("cd", "d") + throw("t", COM) + end() + flows("s>u u>d d>t t>e") + linked("cd"), ROOTS), (), "s us a b ue u d cd cb ca t e"),
    Case("what is undone once is not undone twice", process(start() + task("a") + undone("ca", "a") + throw("t", COM) + throw("t2", COM) + end() + flows("s>a a>t t>t2 t2>e") + linked("ca"), ROOTS), (), "s a ca t t2 e"),
    Case("a handler that works", process(start() + task("a") + undone("ca", "a", '<userTask id="ca" name="Undo" isForCompensation="true"/>') + throw("t", COM) + end() + flows("s>a a>t t>e") + linked("ca"), ROOTS), (do("ca"),), "s a ca t e"),
    Case("a subprocess as handler", process(start() + task("a") + undone("ca", "a", sub("ca", start("", "cs"), task("c1"), end("", "ce"), wires="cs>c1 c1>ce", attributes=' isForCompensation="true"')) + throw("t", COM) + end() + flows("s>a a>t t>e") + linked("ca"), ROOTS), (), "s a cs c1 ce ca t e"),
    Case("a failed transaction is not compensated by itself", body(sub("u", start("", "us"), task("a"), undone("ca", "a"), end(E, "ue"), wires="us>a a>ue", tag="transaction")[: -len("</transaction>")] + linked("ca") + "</transaction>", boundary("b", "u", E), end("", "e2"), wires="s>u u>e b>e2"), (), "s us a ue b e2"),
    Case("a cancelled transaction stops its other work", body(sub("u", start("", "us"), both("f"), user("w"), task("a"), undone("ca", "a"), end("<cancelEventDefinition/>", "ue"), end("", "ue2"), wires="us>f f>a f>w a>ue w>ue2", tag="transaction")[: -len("</transaction>")] + linked("ca") + "</transaction>", boundary("b", "u", "<cancelEventDefinition/>"), end("", "e2"), wires="s>u u>e b>e2"), (), "s us f a ca ue b e2"),
]

TOGETHER = [
    Case("a signal from pool to pool", collaboration() + pool("p", start(), throw("t", S), end(), wires="s>t t>e") + pool("q", start(S, "qs"), task("qa"), end("", "qe"), wires="qs>qa qa>qe"), (), "s t e | qs qa qe"),
    Case("a conversation of three messages", '<message id="m3" name="M3"/>' + collaboration("a>qs", "qb>c", "d>qc") + pool("p", start(), '<sendTask id="a" messageRef="m"/>', catch("c", '<messageEventDefinition messageRef="m2"/>'), throw("d", '<messageEventDefinition messageRef="m3"/>'), end(), wires="s>a a>c c>d d>e") + pool("q", start(M, "qs"), '<sendTask id="qb" messageRef="m2"/><receiveTask id="qc" messageRef="m3"/>', end("", "qe"), wires="qs>qb qb>qc qc>qe"), (), "s a c d e | qs qb qc qe"),
    Case("a message to a boundary event of the other pool", collaboration("a>qs", "b>qb") + pool("p", start(), '<sendTask id="a" messageRef="m"/>', user("w"), '<sendTask id="b" messageRef="m2"/>', end(), wires="s>a a>w w>b b>e") + pool("q", start(M, "qs"), user("qa"), boundary("qb", "qa", '<messageEventDefinition messageRef="m2"/>'), end("", "qe"), end("", "qe2"), wires="qs>qa qa>qe qb>qe2"), (do("w"),), "s a w b e | qs qb qe2"),
    Case("two runs answer each their own", collaboration() + pool("p", start(), f'<callActivity id="a" calledElement="q">{many(TWO)}</callActivity>', end(), wires="s>a a>e") + pool("q", start("", "qs"), user("qa"), end("", "qe"), wires="qs>qa qa>qe"), (do("qa"), do("qa")), "s a a a e | qs qa qe | qs qa qe"),
    Case("ad-hoc in a loop of instances", body(sub("u", many(TWO, SEQUENTIAL), user("a"), wires="", tag="adHocSubProcess"), wires="s>u u>e"), (do("a"), do("a")), "s a u a u u e"),
    Case("escalation from deep inside, on its way out", body(sub("u", sub("v", start("", "vs"), throw("t", X), end("", "ve"), wires="vs>t t>ve"), wires=""), boundary("b", "u", X, ON), end("", "e2"), wires="s>u u>e b>e2"), (), "s vs b t e2 ve v u e"),
    Case("link inside a subprocess", body(sub("u", start("", "us"), throw("l", '<linkEventDefinition name="k"/>'), catch("c", '<linkEventDefinition name="k"/>'), end("", "ue"), wires="us>l c>ue"), wires="s>u u>e"), (), "s us l c ue u e"),
    Case("a group, an annotation and an association run nothing", process(start() + task("a") + end() + flows("s>a a>e") + '<textAnnotation id="n"><text>note</text></textAnnotation><association id="as" sourceRef="a" targetRef="n"/><group id="gr"/>'), (), "s a e"),
    Case("documentation, auditing and monitoring run nothing", process('<auditing/><monitoring/>' + start() + '<task id="a"><documentation>d</documentation><auditing/><monitoring/></task>' + end() + flows("s>a a>e")), (), "s a e"),
    Case("an unconnected data store runs nothing", '<dataStore id="ds" name="DS"/>' + process(start() + task("a") + end() + '<dataStoreReference id="dr" name="DS" dataStoreRef="ds"/>' + flows("s>a a>e")), (), "s a e"),
]
# fmt: on

CASES = [*INTERRUPTED, *WAITING, *JOINS, *UNDOING, *TOGETHER]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_constructs_that_meet_go_the_way_of_the_standard(case: Case) -> None:
    play(case)
