"""Diagrams that the schema allows and the text of the standard forbids: flows, events, gateways, activities.

Each row breaks one clause; nothing but the rule that is about it may refuse it. ``a+b`` is a rule
with one that follows from the same fault.
"""

# ruff: noqa: E501  (a model of three elements reads better unbroken)

from __future__ import annotations

import pytest

from flowkit.findings import Severity
from tests.bpmn.snippets import findings
from tests.conformance.models import INNER, ROOTS, Row, catch, flow, flows, path, process

# fmt: off
M = '<messageEventDefinition messageRef="m"/>'
T = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
S = '<signalEventDefinition signalRef="sig"/>'
C = "<conditionalEventDefinition><condition>ok</condition></conditionalEventDefinition>"
ERR = '<errorEventDefinition errorRef="err"/>'
ESC = '<escalationEventDefinition escalationRef="esc"/>'
CAN = "<cancelEventDefinition/>"
COM = "<compensateEventDefinition/>"
TERM = "<terminateEventDefinition/>"
LINK = '<linkEventDefinition name="l"/>'
DEFINITIONS = {"message": M, "timer": T, "signal": S, "conditional": C, "error": ERR, "escalation": ESC, "cancel": CAN, "compensate": COM, "terminate": TERM, "link": LINK}


def start(definition: str = "", name: str = "s", attributes: str = "") -> str:
    return f'<startEvent id="{name}"{attributes}>{definition}</startEvent>'


def end(definition: str = "", name: str = "e") -> str:
    return f'<endEvent id="{name}">{definition}</endEvent>'


def throw(name: str, definition: str = "") -> str:
    return f'<intermediateThrowEvent id="{name}">{definition}</intermediateThrowEvent>'


def boundary(name: str, host: str, definition: str, attributes: str = "") -> str:
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{attributes}>{definition}</boundaryEvent>'


def sub(inner: str = INNER, name: str = "x", tag: str = "subProcess", attributes: str = "") -> str:
    return f'<{tag} id="{name}"{attributes}>{inner}</{tag}>'


def esp(definition: str, attributes: str = "", name: str = "esp") -> str:
    inner = f'<startEvent id="es"{attributes}>{definition}</startEvent><endEvent id="ee"/>{flows("es>ee")}'
    return f'<subProcess id="{name}" triggeredByEvent="true">{inner}</subProcess>'


def line(*nodes: str, wires: str, roots: str = ROOTS, after: str = "") -> str:
    """start ``s``, the nodes, end ``e`` and flows."""
    return process(start() + "".join(nodes) + end() + flows(wires), roots, after=after)


TASK = '<task id="x"/>'
WAIT = '<userTask id="x" name="X"/>'


# ---- table 7.3: what a sequence flow may connect --------------------------------------------

SEQUENCE_FLOWS = [
    Row("10.5.2", "start-event-incoming", "s", line(TASK, wires="s>x x>e").replace("</process>", flow("back", "x", "s") + "</process>")),
    Row("10.5.2", "start-event-incoming", "s", line(WAIT, wires="s>x x>e x>s")),
    Row("10.5.3", "end-event-outgoing+unconnected-node", "e", line(TASK, '<task id="y"/>', wires="s>x x>e e>y")),
    Row("10.5.3", "end-event-outgoing", "e", line(WAIT, wires="s>x x>e e>x")),
    Row("10.5.4", "boundary-event-incoming", "b", line(TASK, boundary("b", "x", T), '<task id="y"/>', wires="s>x x>y y>b b>e y>e")),
    Row("10.5.4", "compensation-event-flow", "b", line(TASK, boundary("b", "x", COM), '<task id="h" isForCompensation="true"/>', wires="s>x x>e b>e").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/></process>')),
    Row("10.5.4", "unconnected-node", "b", line(TASK, boundary("b", "x", T), wires="s>x x>e")),
    Row("10.5.4", "unconnected-node", "c", line(TASK, catch("c"), wires="s>x x>e x>c")),
    Row("10.5.4", "unconnected-node", "c", line(TASK, catch("c"), wires="s>x x>e c>e")),
    Row("10.5.4", "unconnected-node", "c", line(TASK, throw("c"), wires="s>x x>e x>c")),
    Row("10.5.4", "unconnected-node", "c", process(catch("c") + '<task id="x"/>' + flows("c>x"), ROOTS)),
    Row("10.5.4", "unconnected-node", "c", process(throw("c") + '<task id="x"/>' + flows("c>x"), ROOTS)),
    Row("10.5.2", "unconnected-node", "s2", line(TASK, start(name="s2"), wires="s>x x>e")),
    Row("10.5.3", "unconnected-node", "e2", line(TASK, end(name="e2"), wires="s>x x>e")),
    Row("10.5.2", "unconnected-node", "y", line(TASK, '<task id="y"/>', wires="s>x x>e y>e")),
    Row("10.5.3", "unconnected-node", "y", line(TASK, '<task id="y"/>', wires="s>x x>e x>y")),
    Row("10.5.2", "missing-start-event", "p", process(TASK + end() + flows("x>e"))),
    Row("10.5.3", "missing-end-event", "p", process(start() + TASK + flows("s>x"))),
    Row("10.5.2", "missing-start-event", "x", line(sub('<task id="y"/><endEvent id="ie"/>' + flows("y>ie")), wires="s>x x>e")),
    Row("10.5.3", "missing-end-event", "x", line(sub('<startEvent id="is"/><task id="y"/>' + flows("is>y")), wires="s>x x>e")),
    Row("8.4.13", "flow-across-scopes", "f", line(sub(f'<startEvent id="is"/><task id="y"/><endEvent id="ie"/>{flows("is>y y>ie")}'), wires="s>x x>e").replace("</process>", flow("f", "s", "y") + "</process>")),
    Row("8.4.13", "flow-across-scopes", "f", line(sub(f'<startEvent id="is"/><task id="y"/><endEvent id="ie"/>{flows("is>y y>ie")}{flow("f", "y", "e")}'), wires="s>x x>e")),
    Row("8.4.13", "flow-across-scopes", "f", line(TASK, wires="s>x x>e").replace("</process>", flow("f", "x", "t2") + "</process>") + f'<process id="q" isExecutable="true"><startEvent id="s2"/><task id="t2"/><endEvent id="e2"/>{flows("s2>t2 t2>e2")}</process>'),
    Row("10.3.5", "event-subprocess-flow", "esp", line(TASK, esp(M), wires="s>x x>e x>esp")),
    Row("10.3.5", "event-subprocess-flow", "esp", line(TASK, esp(M), wires="s>x x>e esp>e")),
    Row("10.6", "compensation-activity", "h", line(TASK, boundary("b", "x", COM), '<task id="h" isForCompensation="true"/>', wires="s>x x>e h>e").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/></process>')),
    Row("10.6", "compensation-activity", "h", line(TASK, boundary("b", "x", COM), '<task id="h" isForCompensation="true"/>', wires="s>x x>e x>h").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/></process>')),
    Row("8.4.13", "flow-not-immediate", "f", process(start() + end() + flow("f", "s", "e", isImmediate="false"))),
    Row("8.4.13", "condition-not-allowed", "f", process(start() + TASK + end() + flow("f", "s", "x", "a") + flows("x>e"))),
    Row("8.4.13", "condition-not-allowed", "f", line(catch("c"), wires="s>c").replace("</process>", flow("f", "c", "e", "a") + "</process>")),
    Row("8.4.13", "condition-not-allowed", "f", line(throw("c"), wires="s>c").replace("</process>", flow("f", "c", "e", "a") + "</process>")),
    Row("8.4.13", "condition-not-allowed", "f", line(TASK, boundary("b", "x", T), wires="s>x x>e").replace("</process>", flow("f", "b", "e", "a") + "</process>")),
    Row("10.6.4", "condition-not-allowed", "f", line('<parallelGateway id="g"/>', TASK, wires="s>g g>x x>e").replace("</process>", flow("f", "g", "e", "a") + "</process>")),
    Row("10.6.6", "condition-not-allowed", "f", line('<eventBasedGateway id="g"/>', catch("c"), catch("d", T), wires="s>g g>c c>e d>e").replace("</process>", flow("f", "g", "d", "a") + "</process>")),
    Row("13.2.1", "conditional-flow-alone", "x__e", line(TASK, wires="s>x x>e?a")),
    Row("8.4.13", "default-flow-source", "x", line('<task id="x" default="y__e"/>', '<task id="y"/>', wires="s>x x>e?a x>y y>e")),
    Row("8.4.13", "default-flow-source", "g", line('<exclusiveGateway id="g" default="s__g"/>', TASK, wires="s>g g>x?a g>e?b x>e")),
    Row("8.4.13", "default-flow-source", "g", line('<inclusiveGateway id="g" default="x__e"/>', TASK, wires="s>g g>x?a g>e?b x>e")),
    Row("8.4.13", "default-flow-condition", "g__e", line('<exclusiveGateway id="g" default="g__e"/>', TASK, wires="s>g g>x?a g>e?b x>e")),
    Row("8.4.13", "default-flow-condition", "x__e", line('<task id="x" default="x__e"/>', '<task id="y"/>', wires="s>x x>e?a x>y?b y>e")),
    Row("8.4.13", "invalid-expression", "x__e", line(TASK, '<task id="y"/>', wires="s>x x>e?a&amp;&amp;b x>y y>e")),
    Row("10.6.2", "missing-condition", "g__e", line('<exclusiveGateway id="g"/>', TASK, wires="s>g g>x?a g>e x>e")),
    Row("10.6.3", "missing-condition", "g__e", line('<inclusiveGateway id="g"/>', TASK, wires="s>g g>x?a g>e x>e")),
]

# ---- gateways -------------------------------------------------------------------------------

_SPLIT = {
    "exclusiveGateway": ('<exclusiveGateway id="g" gatewayDirection="{}" default="g__y"/>', "s>g g>x?a g>y x>e y>e"),
    "inclusiveGateway": ('<inclusiveGateway id="g" gatewayDirection="{}" default="g__y"/>', "s>g g>x?a g>y x>e y>e"),
    "parallelGateway": ('<parallelGateway id="g" gatewayDirection="{}"/>', "s>g g>x g>y x>e y>e"),
    "complexGateway": ('<complexGateway id="g" gatewayDirection="{}" default="g__y"/>', "s>g g>x?a g>y x>e y>e"),
}
_JOIN = {
    tag: (f'<{tag} id="g" gatewayDirection="{{}}"/>', "s>x s>y x>g y>g g>e")
    for tag in ("exclusiveGateway", "inclusiveGateway", "parallelGateway")
}
_TWO = '<task id="x"/><task id="y"/>'
GATEWAYS = [
    *(Row("10.6", "gateway-direction", "g", line(model.format(direction), _TWO, wires=wires)) for model, wires in _SPLIT.values() for direction in ("Converging", "Mixed")),
    *(Row("10.6", "gateway-direction", "g", line(model.format(direction), _TWO, wires=wires)) for model, wires in _JOIN.values() for direction in ("Diverging", "Mixed")),
    *(Row("8.4.9", "gateway-connections", "g", line(f'<{tag} id="g"/>', TASK, wires="s>x x>g g>e")) for tag in ("exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway")),
    Row("8.4.9", "gateway-connections+unconnected-node", "g", line('<exclusiveGateway id="g"/>', TASK, wires="s>x x>g x>e")),
    Row("8.4.9", "gateway-connections+unconnected-node", "g", line('<parallelGateway id="g"/>', TASK, wires="s>x x>e")),
    Row("10.6.5", "complex-gateway-activation", "g", line('<complexGateway id="g"/>', _TWO, wires="s>x s>y x>g y>g g>e")),
    Row("10.6.6", "event-gateway-outgoing+gateway-connections", "g", line('<eventBasedGateway id="g"/>', catch("c"), wires="s>g g>c c>e")),
    *(Row("10.6.6", "event-gateway-target", name, line('<eventBasedGateway id="g"/>', catch("c"), f'<{tag} id="{name}" name="X"/>', wires=f"s>g g>c g>{name} c>e {name}>e")) for tag, name in (("task", "x"), ("userTask", "y"), ("intermediateThrowEvent", "z"), ("manualTask", "m1"))),
    Row("10.6.6", "event-gateway-target", "e", line('<eventBasedGateway id="g"/>', catch("c"), wires="s>g g>c g>e c>e")),
    Row("10.6.6", "event-gateway-target", "x", line('<eventBasedGateway id="g"/>', catch("c"), '<exclusiveGateway id="x" default="x__e"/>', end(name="e2"), wires="s>g g>c g>x c>e x>e x>e2?a")),
    Row("10.6.6", "event-gateway-target", "x", line('<eventBasedGateway id="g"/>', catch("c"), sub(), wires="s>g g>c g>x c>e x>e")),
    Row("10.6.6", "event-gateway-target", "d", line('<eventBasedGateway id="g"/>', TASK, catch("c"), catch("d", T), '<exclusiveGateway id="v" default="v__g"/>', wires="s>v v>g v>x?a x>d g>c g>d c>e d>e")),
    Row("10.6.6", "event-gateway-target", "r", line('<eventBasedGateway id="g"/>', '<receiveTask id="r" messageRef="m"/>', catch("d", T), boundary("b", "r", S), wires="s>g g>r g>d r>e d>e b>e")),
    Row("10.6.6", "event-gateway-mixed", "g", line('<eventBasedGateway id="g"/>', '<receiveTask id="r" messageRef="m2"/>', catch("c"), wires="s>g g>c g>r c>e r>e")),
    Row("10.6.6", "parallel-event-gateway", "g", line('<eventBasedGateway id="g" eventGatewayType="Parallel"/>', catch("c"), catch("d", '<messageEventDefinition messageRef="m2"/>'), wires="s>g g>c g>d c>e d>e")),
    Row("10.6.6", "parallel-event-gateway", "g", process(f'<eventBasedGateway id="g" instantiate="true" eventGatewayType="Parallel"/>{catch("c")}{catch("d", T)}{end()}{flows("g>c g>d c>e d>e")}', ROOTS)),
    Row("10.6.6", "instantiating-node", "g", line('<eventBasedGateway id="g" instantiate="true"/>', TASK, catch("c"), catch("d", S), wires="s>x x>g g>c g>d c>e d>e")),
    Row("10.6.6", "instantiating-node", "g", line(sub(f'<eventBasedGateway id="g" instantiate="true"/>{catch("c")}{catch("d", S)}<endEvent id="ie"/>{flows("g>c g>d c>ie d>ie")}'), wires="s>x x>e")),
    Row("10.3.3", "instantiating-node", "r", line(TASK, '<receiveTask id="r" messageRef="m" instantiate="true"/>', wires="s>x x>r r>e")),
    Row("10.3.3", "instantiating-node", "r", line(TASK, '<receiveTask id="r" messageRef="m" instantiate="true"/>', wires="s>x x>e r>e")),
    Row("10.3.3", "instantiating-node", "r", line(sub(f'<receiveTask id="r" messageRef="m" instantiate="true"/><endEvent id="ie"/>{flows("r>ie")}'), wires="s>x x>e")),
]

# ---- events ---------------------------------------------------------------------------------

_AT = {
    # position: (model, definitions that table 10.93 forbids there)
    "start": (lambda d: process(start(d) + TASK + end() + flows("s>x x>e"), ROOTS), ("error", "escalation", "cancel", "compensate", "terminate", "link")),
    "start of a subprocess": (lambda d: line(sub(f'<startEvent id="s2">{d}</startEvent><endEvent id="ie"/>{flows("s2>ie")}'), wires="s>x x>e"), ("message", "timer", "signal", "conditional", "error", "escalation", "compensate", "cancel", "terminate", "link")),
    "event subprocess": (lambda d: line(WAIT, esp(d), wires="s>x x>e"), ("cancel", "terminate", "link")),
    "event subprocess, non-interrupting": (lambda d: line(WAIT, esp(d, ' isInterrupting="false"'), wires="s>x x>e"), ("error", "compensate", "cancel", "terminate", "link")),
    "catch": (lambda d: line(catch("c", d), wires="s>c c>e"), ("error", "escalation", "cancel", "compensate", "terminate")),
    "throw": (lambda d: line(throw("c", d), wires="s>c c>e"), ("timer", "conditional", "error", "cancel", "terminate")),
    "boundary": (lambda d: line(WAIT, boundary("b", "x", d), wires="s>x x>e b>e"), ("terminate", "link")),
    "boundary, non-interrupting": (lambda d: line(WAIT, boundary("b", "x", d, ' cancelActivity="false"'), wires="s>x x>e b>e"), ("error", "cancel", "compensate", "terminate", "link")),
    "end": (lambda d: process(start() + TASK + end(d) + flows("s>x x>e"), ROOTS), ("timer", "conditional", "link")),
}
_FOLLOWING = "+cancel-outside-transaction+link-unpaired+link-flow+unconnected-node+compensation-handler+compensation-event-flow"
EVENTS = [
    *(Row(f"table 10.93, {place}", "event-position" + _FOLLOWING, f"'{kind}'", model(DEFINITIONS[kind])) for place, (model, kinds) in _AT.items() for kind in kinds),
    Row("10.5.4", "event-position", "none", line(catch("c", ""), wires="s>c c>e")),
    Row("10.5.4", "event-position", "none", line(WAIT, boundary("b", "x", ""), wires="s>x x>e b>e")),
    Row("10.3.5", "event-position", "none", line(WAIT, esp(""), wires="s>x x>e")),
    Row("10.5.2", "event-position", "error", process(start(M + ERR) + TASK + end() + flows("s>x x>e"), ROOTS)),
    Row("10.5.4", "event-position", "timer", line(throw("c", S + T), wires="s>c c>e")),
    Row("10.5.3", "event-position", "conditional", process(start() + TASK + end(S + C) + flows("s>x x>e"), ROOTS)),
    Row("10.5.4", "event-position", "error", line(catch("c", M + ERR), wires="s>c c>e")),
    Row("10.5.1", "event-position+link-unpaired+link-flow+unconnected-node", "link", line(catch("c", M + LINK), wires="s>c c>e")),
    Row("10.5.1", "parallel-multiple", "c", line(f'<intermediateCatchEvent id="c" parallelMultiple="true">{M}</intermediateCatchEvent>', wires="s>c c>e")),
    Row("10.5.2", "non-interrupting-start", "s", process(start("", attributes=' isInterrupting="false"') + TASK + end() + flows("s>x x>e"))),
    Row("10.5.2", "non-interrupting-start", "s", process(start(T, attributes=' isInterrupting="false"') + TASK + end() + flows("s>x x>e"))),
    Row("10.3.5", "subprocess-start", "x", line(sub(f'<startEvent id="is"/><startEvent id="is2"/><task id="y"/><endEvent id="ie"/>{flows("is>y is2>y y>ie")}'), wires="s>x x>e")),
    Row("10.3.5", "event-subprocess-start", "esp", line(WAIT, sub(f'<startEvent id="a">{M}</startEvent><startEvent id="b">{S}</startEvent><endEvent id="ee"/>{flows("a>ee b>ee")}', "esp", attributes=' triggeredByEvent="true"'), wires="s>x x>e")),
    Row("10.3.5", "event-subprocess-start", "esp", line(WAIT, sub('<task id="y"/>', "esp", attributes=' triggeredByEvent="true"'), wires="s>x x>e")),
    Row("10.3.5", "event-subprocess-flow", "esp", line(WAIT, esp(M).replace("subProcess", "transaction"), wires="s>x x>e")),
    Row("10.3.5", "event-subprocess-flow", "esp", line(WAIT, esp(M).replace("</subProcess>", '<!-- --></subProcess>').replace('<startEvent id="es">', '<standardLoopCharacteristics loopMaximum="2"/><startEvent id="es">', 1), wires="s>x x>e")),
    Row("10.5.4", "boundary-event-scope", "b", line(WAIT, esp(M), boundary("b", "esp", ERR), wires="s>x x>e b>e")),
    Row("10.5.4", "boundary-event-scope", "b", line(sub(f'<startEvent id="is"/><userTask id="y" name="Y"/><endEvent id="ie"/>{flows("is>y y>ie")}'), boundary("b", "y", T), wires="s>x x>e b>e")),
    Row("10.5.5", "cancel-outside-transaction", "ie", line(sub(f'<startEvent id="is"/>{end(CAN, "ie")}{flows("is>ie")}'), wires="s>x x>e")),
    Row("10.5.5", "cancel-outside-transaction", "e", process(start() + TASK + end(CAN) + flows("s>x x>e"))),
    Row("10.5.5", "cancel-outside-transaction", "b", line(sub(), boundary("b", "x", CAN), wires="s>x x>e b>e")),
    Row("10.5.5", "cancel-outside-transaction", "b", line(WAIT, boundary("b", "x", CAN), wires="s>x x>e b>e")),
    Row("10.5.5", "duplicate-catch", "b2", line(sub(tag="transaction"), boundary("b", "x", CAN), boundary("b2", "x", CAN), wires="s>x x>e b>e b2>e")),
    Row("10.5.6", "duplicate-catch", "b2", line(TASK, boundary("b", "x", COM), boundary("b2", "x", COM), '<task id="h" isForCompensation="true"/><task id="k" isForCompensation="true"/>', wires="s>x x>e").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/><association id="a2" sourceRef="b2" targetRef="k"/></process>')),
    *(Row("10.5.3", "several-endings", "e", process(start() + TASK + end(definitions) + flows("s>x x>e"), ROOTS)) for definitions in (ERR + ERR, ERR + TERM, TERM + TERM)),
    Row("10.5.3", "several-endings", "ie", line(sub(f'<startEvent id="is"/>{end(CAN + ERR, "ie")}{flows("is>ie")}', tag="transaction"), wires="s>x x>e")),
    Row("10.5.5", "missing-message", "c", line(catch("c", "<messageEventDefinition/>"), wires="s>c c>e")),
    Row("10.5.5", "missing-message", "s", process(start("<messageEventDefinition/>") + TASK + end() + flows("s>x x>e"))),
    Row("10.5.5", "missing-message", "e", process(start() + TASK + end("<messageEventDefinition/>") + flows("s>x x>e"))),
    Row("10.5.5", "missing-signal", "c", line(catch("c", "<signalEventDefinition/>"), wires="s>c c>e")),
    Row("10.5.5", "missing-signal", "e", process(start() + TASK + end("<signalEventDefinition/>") + flows("s>x x>e"))),
    Row("10.5.5", "missing-error-code", "e", process(start() + TASK + end("<errorEventDefinition/>") + flows("s>x x>e"))),
    Row("10.5.5", "missing-error-code", "e", process(start() + TASK + end('<errorEventDefinition errorRef="bare"/>') + flows("s>x x>e"), '<error id="bare" name="Bare"/>')),
    Row("10.5.5", "missing-escalation-code", "e", process(start() + TASK + end("<escalationEventDefinition/>") + flows("s>x x>e"))),
    Row("10.5.5", "missing-escalation-code", "c", line(throw("c", '<escalationEventDefinition escalationRef="bare"/>'), wires="s>c c>e", roots='<escalation id="bare" name="Bare"/>')),
    Row("10.5.5", "timer-definition", "c", line(catch("c", "<timerEventDefinition/>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-timer", "date", line(catch("c", "<timerEventDefinition><timeDate>2026-02-30T00:00:00Z</timeDate></timerEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-timer", "date", line(catch("c", "<timerEventDefinition><timeDate>PT1H</timeDate></timerEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-timer", "duration", line(catch("c", "<timerEventDefinition><timeDuration>2030-01-01T00:00:00Z</timeDuration></timerEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-timer", "duration", line(catch("c", "<timerEventDefinition><timeDuration>P1H</timeDuration></timerEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-timer", "cycle", line(catch("c", "<timerEventDefinition><timeCycle>R3/1H</timeCycle></timerEventDefinition>"), wires="s>c c>e")),
    *(Row("10.5.5", "invalid-timer", "cycle", line(catch("c", f"<timerEventDefinition><timeCycle>{text}</timeCycle></timerEventDefinition>"), wires="s>c c>e")) for text in ("R0/PT1H", "R/PT0S", "R3")),
    Row("10.5.5", "invalid-timer", "duration", line(catch("c", "<timerEventDefinition><timeDuration>-PT1H</timeDuration></timerEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-expression", "duration", line(catch("c", "<timerEventDefinition><timeDuration>five minutes or so</timeDuration></timerEventDefinition>".replace("five minutes or so", "5 minutes")), wires="s>c c>e")),
    Row("10.5.5", "invalid-expression", "condition", line(catch("c", "<conditionalEventDefinition><condition/></conditionalEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "invalid-expression", "condition", line(catch("c", "<conditionalEventDefinition><condition>a &amp;&amp; b</condition></conditionalEventDefinition>"), wires="s>c c>e")),
    Row("10.5.5", "link-unpaired", "a", line(throw("a", LINK), TASK, wires="s>x x>a x>e")),
    Row("10.5.5", "link-unpaired", "b", line(catch("b", LINK), TASK, wires="s>x x>e b>e")),
    Row("10.5.5", "link-unpaired", "other", line(throw("a", LINK), catch("b", '<linkEventDefinition name="other"/>'), TASK, wires="s>a b>x x>e")),
    Row("10.5.5", "link-unpaired+missing-start-event", "a", line(throw("a", LINK), TASK, sub(f'{catch("b", LINK)}<task id="y"/>{flows("b>y")}', "u"), wires="s>x x>a x>u u>e")),
    Row("10.5.5", "link-duplicate-target", "b2", line(throw("a", LINK), catch("b", LINK), catch("b2", LINK), wires="s>a b>e b2>e")),
    Row("10.5.5", "link-flow", "a", line(throw("a", LINK), catch("b", LINK), wires="s>a b>e a>e")),
    Row("10.5.5", "link-flow", "b", line(throw("a", LINK), catch("b", LINK), TASK, wires="s>x x>a x>b b>e")),
    Row("10.5.5", "unnamed-link", "a", line(throw("a", '<linkEventDefinition name=""/>'), catch("b", '<linkEventDefinition name=""/>'), wires="s>a b>e")),
    Row("10.5.5", "duplicate-catch", "b2", line(WAIT, boundary("b", "x", ERR), boundary("b2", "x", ERR), wires="s>x x>e b>e b2>e")),
    Row("10.5.5", "duplicate-catch", "b2", line(sub(), boundary("b", "x", ESC), boundary("b2", "x", ESC, ' cancelActivity="false"'), wires="s>x x>e b>e b2>e")),
    Row("10.5.5", "wrong-reference", "sd", line(catch("c", '<messageEventDefinition id="sd" messageRef="m"/>'), catch("d", "<eventDefinitionRef>sd</eventDefinitionRef>"), wires="s>c c>d d>e")),
    Row("10.5.6", "wrong-reference+compensate-activity-scope", "activityRef", process(start() + TASK + end('<compensateEventDefinition activityRef="s"/>') + flows("s>x x>e"))),
    Row("10.5.6", "compensate-activity-scope", "e", process(start() + TASK + end('<compensateEventDefinition activityRef="x"/>') + flows("s>x x>e"))),
    Row("10.5.6", "compensation-handler", "b", line(TASK, boundary("b", "x", COM), wires="s>x x>e")),
    Row("10.5.6", "compensation-handler", "b", line(TASK, boundary("b", "x", COM), '<task id="h"/>', wires="s>x x>e x>h h>e").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/></process>')),
    Row("10.5.6", "compensation-handler", "b", line(TASK, boundary("b", "x", COM), '<task id="h" isForCompensation="true"/><task id="k" isForCompensation="true"/>', wires="s>x x>e").replace("</process>", '<association id="a" sourceRef="b" targetRef="h"/><association id="a2" sourceRef="b" targetRef="k"/></process>')),
    Row("10.6", "compensation-activity", "h", line(TASK, '<task id="h" isForCompensation="true"/>', wires="s>x x>e")),
]

# ---- activities -----------------------------------------------------------------------------

OP = '<interface id="i" name="I"><operation id="op" name="O"><inMessageRef>m</inMessageRef></operation></interface>'
ACTIVITIES = [
    Row("10.3.3", "nothing-to-do", "x", path('<serviceTask id="x"/>')),
    Row("10.3.3", "nothing-to-do", "x", path('<serviceTask id="x" implementation="##WebService"/>')),
    Row("10.3.3", "nothing-to-do", "x", path('<sendTask id="x"/>')),
    Row("10.3.3", "nothing-to-do", "x", path('<businessRuleTask id="x"/>')),
    Row("10.3.3", "missing-message", "x", path('<receiveTask id="x"/>')),
    Row("10.3.3", "operation-message", "x", path('<sendTask id="x" messageRef="m2" operationRef="op"/>', roots=ROOTS + OP)),
    Row("10.3.3", "operation-message", "x", path('<receiveTask id="x" messageRef="m2" operationRef="op"/>', roots=ROOTS + OP)),
    Row("10.3.3", "script-format", "x", path('<scriptTask id="x"><script>1</script></scriptTask>')),
    Row("10.3.3", "unsupported-script", "javascript", path('<scriptTask id="x" scriptFormat="text/javascript"><script>1</script></scriptTask>')),
    Row("10.3.3", "unsupported-script", "x", path('<scriptTask id="x" scriptFormat="feel"/>')),
    Row("10.3.6", "missing-called-element", "x", path('<callActivity id="x"/>')),
    Row("10.3.6", "called-process", "x", path('<callActivity id="x" calledElement="s"/>')),
    Row("10.3.6", "called-process", "x", path('<callActivity id="x" calledElement="m"/>', roots=ROOTS)),
    Row("10.3.6", "called-process", "x", path('<callActivity id="x" calledElement="q"/>', after=f'<process id="q" isExecutable="false">{INNER}</process>')),
    Row("13.3.3", "called-process", "x", path('<callActivity id="x" calledElement="q"/>', roots=ROOTS, after=f'<process id="q" isExecutable="true"><startEvent id="qs">{M}</startEvent><endEvent id="qe"/>{flows("qs>qe")}</process>')),
    Row("13.3.3", "called-process", "x", path('<callActivity id="x" calledElement="q"/>', after=f'<process id="q" isExecutable="true"><startEvent id="qs"/><startEvent id="qs2"/><endEvent id="qe"/>{flows("qs>qe qs2>qe")}</process>')),
    *(Row("10.3", "quantity", name, path(f'<task id="x" {name}="{value}"/>')) for name in ("startQuantity", "completionQuantity") for value in ("0", "-1")),
    *(Row("10.3.5", "ad-hoc-content+missing-end-event+missing-start-event+unconnected-node", name, line(sub(f'<task id="y"/>{inner}{flows(wires)}', tag="adHocSubProcess"), wires="s>x x>e")) for inner, wires, name in (('<startEvent id="is"/>', "is>y", "is"), ('<endEvent id="ie"/>', "y>ie", "ie"))),
    Row("10.3.5", "empty-container", "x", path('<adHocSubProcess id="x"/>')),
    Row("10.3.5", "empty-container", "x", path('<subProcess id="x"/>')),
    Row("10.3", "empty-container", "p", process("")),
    Row("10.3.8", "loop-without-end", "x", path('<task id="x"><standardLoopCharacteristics/></task>')),
    Row("10.3.8", "loop-without-end", "x", path('<task id="x"><standardLoopCharacteristics loopMaximum="0"/></task>')),
    Row("10.3.8", "loop-without-end", "x", path('<task id="x"><standardLoopCharacteristics loopMaximum="-3"/></task>')),
    Row("10.3.8", "multi-instance-input", "x", path('<task id="x"><multiInstanceLoopCharacteristics/></task>')),
    Row("10.3.8", "multi-instance-input", "x", path('<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality><loopDataInputRef>d</loopDataInputRef></multiInstanceLoopCharacteristics></task>', more='<dataObject id="d" isCollection="true"/>')),
    Row("10.3.8", "multi-instance-data", "x", path('<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality><inputDataItem id="it"/></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "multi-instance-data", "x", path('<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality><outputDataItem id="it"/></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "multi-instance-behavior", "x", path('<task id="x"><multiInstanceLoopCharacteristics behavior="One"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "multi-instance-behavior", "x", path('<task id="x"><multiInstanceLoopCharacteristics behavior="None"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "multi-instance-behavior", "x", path('<task id="x"><multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>')),
    Row("10.3.8", "loop-data", "x", path('<task id="x"><multiInstanceLoopCharacteristics><loopDataInputRef>d</loopDataInputRef></multiInstanceLoopCharacteristics></task>', more=f'<subProcess id="u"><dataObject id="d"/>{INNER}</subProcess>{flows("x>u u>e")}')),
    Row("10.3.8", "invalid-expression", "x", path('<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>two three</loopCardinality></multiInstanceLoopCharacteristics></task>'.replace("two three", "2 3"))),
    Row("10.3.8", "multi-instance-behavior", "x", path('<task id="x"><multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="td"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>', roots='<timerEventDefinition id="td"><timeDuration>PT1H</timeDuration></timerEventDefinition>')),
    Row("10.3.8", "multi-instance-behavior", "x", path('<task id="x"><multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="td"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></task>', roots='<cancelEventDefinition id="td"/>')),
    Row("10.3.5", "not-executed", "x", path(f'<transaction id="x" method="http://schemas.xmlsoap.org/ws/2004/10/wsat">{INNER}</transaction>')),
    Row("10.3.5", "not-executed", "x", path(f'<transaction id="x" method="http://example.com/tx">{INNER}</transaction>')),
    Row("13.2.1", "loop-without-wait", "x", line('<exclusiveGateway id="g"/>', TASK, '<exclusiveGateway id="h" default="h__g"/>', wires="s>g g>x x>h h>e?a h>g")),
    Row("13.2.1", "loop-without-wait+missing-start-event", "x", process(TASK + '<task id="y"/>' + flows("x>y y>x"))),
    Row("13.3.3", "endless-call", "x", path('<callActivity id="x" calledElement="p"/>')),
    Row("13.3.3", "endless-call", "x", path('<callActivity id="x" calledElement="q"/>', after=f'<process id="q" isExecutable="true"><startEvent id="qs"/><callActivity id="qc" calledElement="p"/><endEvent id="qe"/>{flows("qs>qc qc>qe")}</process>')),
    Row("10.3.6", "call-io", "x", path('<callActivity id="x" calledElement="q"><ioSpecification><inputSet/><outputSet/></ioSpecification></callActivity>', after=f'<process id="q" isExecutable="true"><ioSpecification><dataInput id="qi"/><inputSet><dataInputRefs>qi</dataInputRefs></inputSet><outputSet/></ioSpecification><startEvent id="qs"/><endEvent id="qe"/>{flows("qs>qe")}</process>')),
]
# fmt: on

TABLE = [*SEQUENCE_FLOWS, *GATEWAYS, *EVENTS, *ACTIVITIES]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.clause}-{row.rule.split('+')[0]}-{row.says}")
def test_diagram_is_refused_by_the_rule_that_names_the_trouble(row: Row) -> None:
    wanted, *tolerated = row.rule.split("+")
    found = [f for f in findings(row.model) if f.severity is Severity.ERROR]
    report = "\n".join(map(str, found))
    assert any(f.rule == wanted and (row.says in f.message or row.says == f.element_id) for f in found), (
        report
    )
    assert {f.rule for f in found} <= {wanted, *tolerated}, report
