"""Executable models of the standard, without any vendor's extension: every event where table 10.93 has it.

Each is deployed and run as a stranger would, and must go the way that BPMN 2.0.2 says (10.5, 13.5).
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from tests.conformance.models import flows, process
from tests.conformance.running import Case, do, play, put, send, tell, wait

# fmt: off
ROOTS = (
    '<message id="m" name="M"/><message id="m2" name="M2"/><signal id="sig" name="S"/><signal id="sig2" name="S2"/>'
    '<error id="err" name="Broken" errorCode="E1"/><error id="err2" errorCode="E2"/>'
    '<escalation id="esc" name="Late" escalationCode="X1"/><escalation id="esc2" escalationCode="X2"/>'
)
M = '<messageEventDefinition messageRef="m"/>'
M2 = '<messageEventDefinition messageRef="m2"/>'
S = '<signalEventDefinition signalRef="sig"/>'
S2 = '<signalEventDefinition signalRef="sig2"/>'
E = '<errorEventDefinition errorRef="err"/>'
E2 = '<errorEventDefinition errorRef="err2"/>'
X = '<escalationEventDefinition escalationRef="esc"/>'
X2 = '<escalationEventDefinition escalationRef="esc2"/>'
C = '<conditionalEventDefinition><condition xsi:type="tFormalExpression">level > 5</condition></conditionalEventDefinition>'
TERM = "<terminateEventDefinition/>"
COM = "<compensateEventDefinition/>"
LINK = '<linkEventDefinition name="L"/>'


def timer(kind: str, text: str) -> str:
    return f'<timerEventDefinition><time{kind} xsi:type="tFormalExpression">{text}</time{kind}></timerEventDefinition>'


T = timer("Duration", "PT1H")


def start(definition: str = "", name: str = "s", **attributes: str) -> str:
    more = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return f'<startEvent id="{name}"{more}>{definition}</startEvent>'


def end(definition: str = "", name: str = "e") -> str:
    return f'<endEvent id="{name}">{definition}</endEvent>'


def task(name: str) -> str:
    return f'<task id="{name}" name="{name}"/>'


def user(name: str) -> str:
    return f'<userTask id="{name}" name="{name}"/>'


def catch(name: str, definition: str, attributes: str = "") -> str:
    return f'<intermediateCatchEvent id="{name}"{attributes}>{definition}</intermediateCatchEvent>'


def throw(name: str, definition: str = "") -> str:
    return f'<intermediateThrowEvent id="{name}">{definition}</intermediateThrowEvent>'


def boundary(name: str, host: str, definition: str, attributes: str = "") -> str:
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{attributes}>{definition}</boundaryEvent>'


ON = ' cancelActivity="false"'


def sub(name: str, *inside: str, wires: str, tag: str = "subProcess", attributes: str = "") -> str:
    return f'<{tag} id="{name}"{attributes}>{"".join(inside)}{flows(wires)}</{tag}>'


def esp(definition: str, interrupting: bool = True, does: str = "") -> str:
    on = "" if interrupting else ' isInterrupting="false"'
    return f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs"{on}>{definition}</startEvent>{does or task("ha")}<endEvent id="he"/>{flows("hs>ha ha>he")}</subProcess>'


def model(*nodes: str, wires: str) -> str:
    return process("".join(nodes) + flows(wires), ROOTS)


def body(*nodes: str, wires: str) -> str:
    """Start ``s`` and end ``e`` around."""
    return model(start(), *nodes, end(), wires=wires)


STARTS = [
    Case("none start", body(task("a"), wires="s>a a>e"), (), "s a e"),
    Case("message start", model(start(M), task("a"), end(), wires="s>a a>e"), (send("M", n=1),), "s a e", None, {"n": 1}),
    Case("signal start", model(start(S), task("a"), end(), wires="s>a a>e"), (tell("S", n=2),), "s a e", None, {"n": 2}),
    Case("timer start, duration", model(start(T), task("a"), end(), wires="s>a a>e"), (wait(hours=2),), "s a e", None),
    Case("timer start, date", model(start(timer("Date", "2100-01-01T00:00:00Z")), task("a"), end(), wires="s>a a>e"), (wait(days=40000),), "s a e", None),
    Case("timer start, cycle", model(start(timer("Cycle", "R2/PT1H")), task("a"), end(), wires="s>a a>e"), (wait(hours=5),), "s a e | s a e", None),
    Case("conditional start", model(start(C), task("a"), end(), wires="s>a a>e"), (lambda run: run.engine.evaluate_conditions({"level": 9}) and None,), "s a e", None),
    Case("multiple start, first", model(start(M + S), task("a"), end(), wires="s>a a>e"), (send("M"),), "s a e", None),
    Case("multiple start, second", model(start(M + S), task("a"), end(), wires="s>a a>e"), (tell("S"),), "s a e", None),
    Case("several starts, each its own", model(start(), start(M, "s2"), task("a"), task("b"), end(), wires="s>a s2>b a>e b>e"), (send("M"),), "s2 b e", None),
    Case("several starts, none by hand", model(start(), start(M, "s2"), task("a"), task("b"), end(), wires="s>a s2>b a>e b>e"), (), "s a e"),
    Case("implicit start and end", process(task("a") + task("b") + flows("a>b")), (), "a b"),
    Case("implicit start of two", process(task("a") + task("b")), (), "a b"),
    Case("instantiating receive task", process('<receiveTask id="a" messageRef="m" instantiate="true"/>' + end() + flows("a>e"), ROOTS), (send("M", n=1),), "a e", None, {"n": 1}),
    Case("instantiating event gateway", process('<eventBasedGateway id="g" instantiate="true"/>' + catch("a", M) + catch("b", S) + end() + flows("g>a g>b a>e b>e"), ROOTS), (tell("S"),), "b e", None),
    Case("eventDefinitionRef start", ROOTS.join(["", '<messageEventDefinition id="d" messageRef="m"/>']) + process(start("<eventDefinitionRef>d</eventDefinitionRef>") + end() + flows("s>e")), (send("M"),), "s e", None),
]

CATCHES = [
    Case("catch message", body(catch("c", M), wires="s>c c>e"), (send("M", n=3),), "s c e", {}, {"n": 3}),
    Case("catch timer, duration", body(catch("c", T), wires="s>c c>e"), (wait(hours=1),), "s c e"),
    Case("catch timer, not yet", body(catch("c", T), wires="s>c c>e"), (wait(minutes=59),), "s", status="active"),
    Case("catch timer, date", body(catch("c", timer("Date", "2100-01-01T00:00:00+08:00")), wires="s>c c>e"), (wait(days=40000),), "s c e"),
    Case("catch timer, cycle", body(catch("c", timer("Cycle", "R3/PT1H")), wires="s>c c>e"), (wait(hours=9),), "s c e"),
    Case("catch timer, computed", body(catch("c", timer("Duration", "duration(waiting)")), wires="s>c c>e"), (wait(hours=2),), "s c e", {"waiting": "PT2H"}),
    Case("catch signal", body(catch("c", S), wires="s>c c>e"), (tell("S"),), "s c e"),
    Case("catch condition", body(catch("c", C), wires="s>c c>e"), (put(level=3), put(level=6)), "s c e", {"level": 0}),
    Case("catch condition, true at once", body(catch("c", C), wires="s>c c>e"), (), "s c e", {"level": 7}),
    Case("catch multiple", body(catch("c", M + S), wires="s>c c>e"), (tell("S"),), "s c e"),
    Case("catch parallel multiple, one", body(catch("c", M + S, ' parallelMultiple="true"'), wires="s>c c>e"), (tell("S"),), "s", status="active"),
    Case("catch parallel multiple, all", body(catch("c", M + S, ' parallelMultiple="true"'), wires="s>c c>e"), (tell("S"), send("M")), "s c e"),
    Case("throw and catch link", body(throw("l", LINK), catch("c", LINK), task("a"), wires="s>l c>a a>e"), (), "s l c a e"),
    Case("two links to one target", body('<parallelGateway id="g"/>', throw("l", LINK), throw("k", LINK), catch("c", LINK), wires="s>g g>l g>k c>e"), (), "s g l k c c e e"),
    Case("shared definition", '<timerEventDefinition id="hour"><timeDuration>PT1H</timeDuration></timerEventDefinition>' + process(start() + catch("c", "<eventDefinitionRef>hour</eventDefinitionRef>") + end() + flows("s>c c>e")), (wait(hours=1),), "s c e"),
]

THROWS = [
    Case("throw none", body(throw("c"), wires="s>c c>e"), (), "s c e"),
    Case("throw signal, caught beside", body('<parallelGateway id="g"/>', catch("c", S), task("w"), throw("t", S), end("", "e2"), wires="s>g g>c g>w w>t t>e2 c>e"), (), "s g w t c e2 e"),
    Case("throw message, caught beside", body('<parallelGateway id="g"/>', catch("c", M), task("w"), throw("t", M), end("", "e2"), wires="s>g g>c g>w w>t t>e2 c>e"), (), "s g w t e2 c e"),
    Case("throw multiple", body('<parallelGateway id="g"/>', catch("c", M), catch("d", S), task("w"), throw("t", M + S), end("", "e2"), wires="s>g g>c g>d g>w w>t t>e2 c>e d>e"), (), "s g w t d e2 e c e"),
    Case("throw escalation, caught outside", body(sub("u", start("", "us"), throw("t", X), task("a"), end("", "ue"), wires="us>t t>a a>ue"), boundary("b", "u", X, ON), task("z"), end("", "e2"), wires="s>u u>e b>z z>e2"), (), "s us b t z a e2 ue u e"),
    Case("throw escalation, not caught", body(throw("t", X), wires="s>t t>e"), (), "s t e"),
    Case("end none in parallel", body('<parallelGateway id="g"/>', task("a"), end("", "e2"), wires="s>g g>a a>e g>e2"), (), "s g a e2 e"),
    Case("end message", body('<parallelGateway id="g"/>', catch("c", M), task("w"), end(M, "e2"), wires="s>g g>c g>w w>e2 c>e"), (), "s g w e2 c e"),
    Case("end signal", body('<parallelGateway id="g"/>', catch("c", S), task("w"), end(S, "e2"), wires="s>g g>c g>w w>e2 c>e"), (), "s g w e2 c e"),
    Case("end multiple", body('<parallelGateway id="g"/>', catch("c", S), catch("d", M), task("w"), end(S + M, "e2"), wires="s>g g>c g>d g>w w>e2 c>e d>e"), (), "s g w e2 c e d e"),
    Case("end terminate, its scope", body('<parallelGateway id="g"/>', user("a"), end(TERM, "e2"), wires="s>g g>a a>e g>e2"), (), "s g e2", status="terminated"),
    Case("end terminate in a subprocess", body(sub("u", start("", "us"), '<parallelGateway id="g"/>', user("a"), end(TERM, "ue"), end("", "ue2"), wires="us>g g>a a>ue2 g>ue"), wires="s>u u>e"), (), "s us g ue u e"),
    Case("end error, caught", body(sub("u", start("", "us"), end(E, "ue"), wires="us>ue"), boundary("b", "u", E), task("z"), end("", "e2"), wires="s>u u>e b>z z>e2"), (), "s us ue b z e2"),
    Case("end error, any", body(sub("u", start("", "us"), end(E, "ue"), wires="us>ue"), boundary("b", "u", "<errorEventDefinition/>"), end("", "e2"), wires="s>u u>e b>e2"), (), "s us ue b e2"),
    Case("end error, the right one of two", body(sub("u", start("", "us"), end(E2, "ue"), wires="us>ue"), boundary("b", "u", E), boundary("b2", "u", E2), end("", "e2"), end("", "e3"), wires="s>u u>e b>e2 b2>e3"), (), "s us ue b2 e3"),
    Case("end error, two levels up", body(sub("u", start("", "us"), sub("v", start("", "vs"), end(E, "ve"), wires="vs>ve"), end("", "ue"), wires="us>v v>ue"), boundary("b", "u", E), end("", "e2"), wires="s>u u>e b>e2"), (), "s us vs ve b e2"),
    Case("end escalation, interrupting", body(sub("u", start("", "us"), '<parallelGateway id="g"/>', user("a"), end(X, "ue"), end("", "ue2"), wires="us>g g>a g>ue a>ue2"), boundary("b", "u", X), end("", "e2"), wires="s>u u>e b>e2"), (), "s us g ue b e2"),
    Case("end escalation, another code", body(sub("u", start("", "us"), end(X2, "ue"), wires="us>ue"), boundary("b", "u", X), end("", "e2"), wires="s>u u>e b>e2"), (), "s us ue u e"),
]

BOUNDARIES = [
    *(Case(f"boundary {name}, interrupting", body(user("a"), boundary("b", "a", definition), task("z"), end("", "e2"), wires="s>a a>e b>z z>e2"), (step,), "s b z e2", {"level": 0}) for name, definition, step in (("message", M, send("M")), ("timer", T, wait(hours=1)), ("signal", S, tell("S")), ("condition", C, put(level=6)), ("multiple", M + S, tell("S")))),
    *(Case(f"boundary {name}, not interrupting", body(user("a"), boundary("b", "a", definition, ON), task("z"), end("", "e2"), wires="s>a a>e b>z z>e2"), (step, do("a")), "s b z e2 a e", {"level": 0}) for name, definition, step in (("message", M, send("M")), ("timer", T, wait(hours=1)), ("signal", S, tell("S")), ("condition", C, put(level=6)), ("multiple", M + S, tell("S")))),
    *(Case(f"boundary {name}, activity done first", body(user("a"), boundary("b", "a", definition), task("z"), end("", "e2"), wires="s>a a>e b>z z>e2"), (do("a"), step), "s a e", {"level": 0}) for name, definition, step in (("message", M, send("M")), ("timer", T, wait(hours=1)), ("signal", S, tell("S")))),
    Case("boundary parallel multiple", body(user("a"), boundary("b", "a", M + S, ' parallelMultiple="true"'), end("", "e2"), wires="s>a a>e b>e2"), (tell("S"), send("M")), "s b e2"),
    Case("boundary signal twice", body(user("a"), boundary("b", "a", S, ON), end("", "e2"), wires="s>a a>e b>e2"), (tell("S"), tell("S"), do("a")), "s b e2 b e2 a e"),
    Case("boundary timer cycle", body(user("a"), boundary("b", "a", timer("Cycle", "R2/PT1H"), ON), end("", "e2"), wires="s>a a>e b>e2"), (wait(hours=5), do("a")), "s b e2 b e2 a e"),
    Case("boundary on a subprocess", body(sub("u", start("", "us"), user("a"), end("", "ue"), wires="us>a a>ue"), boundary("b", "u", M), end("", "e2"), wires="s>u u>e b>e2"), (send("M"),), "s us b e2"),
    Case("boundary on a receive task", body('<receiveTask id="a" messageRef="m"/>', boundary("b", "a", T), end("", "e2"), wires="s>a a>e b>e2"), (wait(hours=1),), "s b e2"),
    Case("boundary on a multi-instance task", body('<userTask id="a" name="a"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>', boundary("b", "a", M), end("", "e2"), wires="s>a a>e b>e2"), (do("a"), send("M")), "s a b e2"),
]

EVENT_SUBPROCESSES = [
    *(Case(f"event subprocess {name}, interrupting", body(user("a"), esp(definition), wires="s>a a>e"), (step,), "s hs ha he h", {"level": 0}) for name, definition, step in (("message", M, send("M")), ("timer", T, wait(hours=1)), ("signal", S, tell("S")), ("condition", C, put(level=6)), ("multiple", M + S, tell("S")))),
    *(Case(f"event subprocess {name}, not interrupting", body(user("a"), esp(definition, False), wires="s>a a>e"), (step, do("a")), "s hs ha he h a e", {"level": 0}) for name, definition, step in (("message", M, send("M")), ("timer", T, wait(hours=1)), ("signal", S, tell("S")), ("condition", C, put(level=6)), ("multiple", M + S, tell("S")))),
    Case("event subprocess error", body(sub("u", start("", "us"), end(E, "ue"), esp(E), wires="us>ue"), wires="s>u u>e"), (), "s us ue hs ha he h u e"),
    Case("event subprocess error of the process", body(user("a"), '<exclusiveGateway id="g" default="g__e"/>', end(E, "bad"), esp(E), wires="s>a a>g g>bad?fail g>e"), (do("a", fail=True),), "s a g bad hs ha he h"),
    Case("event subprocess escalation", body(sub("u", start("", "us"), throw("t", X), end("", "ue"), esp(X, False), wires="us>t t>ue"), wires="s>u u>e"), (), "s us t ue hs ha he h u e"),
    Case("event subprocess escalation, interrupting", body(sub("u", start("", "us"), throw("t", X), user("a"), end("", "ue"), esp(X), wires="us>t t>a a>ue"), wires="s>u u>e"), (), "s us t hs ha he h u e"),
    Case("event subprocess not interrupting, twice", body(user("a"), esp(M, False), wires="s>a a>e"), (send("M"), send("M"), do("a")), "s hs ha he h hs ha he h a e"),
]
# fmt: on

CASES = [*STARTS, *CATCHES, *THROWS, *BOUNDARIES, *EVENT_SUBPROCESSES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event_goes_the_way_of_the_standard(case: Case) -> None:
    play(case)
