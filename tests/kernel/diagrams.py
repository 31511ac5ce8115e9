"""Small diagrams for the kernel's tests, and a run that checks the laws at every command.

``process(node, …, flows="s > a; a > g; g > e : x > 1")`` gives a whole BPMN file. A flow's id is
``source_target``; what follows the colon is its condition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flowkit.bpmn import parse
from flowkit.kernel import (
    Event,
    Program,
    compile_process,
    decode_instance,
    encode_events,
    encode_instance,
    new_instance,
    replay,
    step,
)
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Call, Incident, Job, Subscription, Timer, UserTask

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="D" targetNamespace="t">'
)


# ---- writing diagrams -----------------------------------------------------------------------


def element(tag: str, name: str, inner: str = "", extensions: str = "", **attributes: object) -> str:
    given = "".join(f" {key}={quoteattr(_text(value))}" for key, value in attributes.items())
    wrapped = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return f'<bpmn:{tag} id="{name}"{given}>{wrapped}{inner}</bpmn:{tag}>'


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def flows(text: str) -> str:
    """``a > b : condition`` separated by ``;``."""
    written = []
    for part in text.split(";"):
        if not part.strip():
            continue
        ends, _, condition = part.partition(":")
        source, target = (end.strip() for end in ends.split(">"))
        inner = expression("conditionExpression", condition.strip()) if condition.strip() else ""
        written.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">'
            f"{inner}</bpmn:sequenceFlow>"
        )
    return "".join(written)


def expression(tag: str, text: str) -> str:
    return f'<bpmn:{tag} xsi:type="bpmn:tFormalExpression">={escape(text)}</bpmn:{tag}>'


def done_when(text: str) -> str:
    """The completion condition of an ad-hoc subprocess; it comes last."""
    return f"<!--late-->{expression('completionCondition', text)}<!--/late-->"


def start(name: str = "s", inner: str = "", **attributes: object) -> str:
    return element("startEvent", name, inner, **attributes)


def end(name: str = "e", inner: str = "", **options: Any) -> str:
    return element("endEvent", name, inner, **options)


def catch(name: str, inner: str, **options: Any) -> str:
    return element("intermediateCatchEvent", name, inner, **options)


def throw(name: str, inner: str = "", **options: Any) -> str:
    return element("intermediateThrowEvent", name, inner, **options)


def boundary(name: str, host: str, inner: str, cancel: bool = True, **options: Any) -> str:
    return element("boundaryEvent", name, inner, attachedToRef=host, cancelActivity=cancel, **options)


def mapping(inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> str:
    lines = [
        f"<zeebe:{tag} source={quoteattr('=' + source)} target={quoteattr(target)}/>"
        for tag, entries in (("input", inputs), ("output", outputs))
        for target, source in (entries or {}).items()
    ]
    return f"<zeebe:ioMapping>{''.join(lines)}</zeebe:ioMapping>" if lines else ""


def script(name: str, formula: str, variable: str, inner: str = "", **options: Any) -> str:
    extension = f"<zeebe:script expression={quoteattr('=' + formula)} resultVariable={quoteattr(variable)}/>"
    return element("scriptTask", name, inner, extensions=extension + options.pop("extensions", ""), **options)


def log(name: str, inner: str = "", **options: Any) -> str:
    """A script task that appends its own name to the variable ``log``."""
    return script(name, f'append(log, "{name}")', "log", inner, **options)


def job(name: str, job_type: str = "work", inner: str = "", **options: Any) -> str:
    extension = f'<zeebe:taskDefinition type={quoteattr(job_type)} retries="3"/>'
    return element(
        "serviceTask", name, inner, extensions=extension + options.pop("extensions", ""), **options
    )


def user(name: str, inner: str = "", extensions: str = "", **options: Any) -> str:
    return element("userTask", name, inner, extensions="<zeebe:userTask/>" + extensions, **options)


def xor(name: str, **options: Any) -> str:
    return element("exclusiveGateway", name, **options)


def both(name: str, **options: Any) -> str:
    return element("parallelGateway", name, **options)


def some(name: str, **options: Any) -> str:
    return element("inclusiveGateway", name, **options)


def sub(name: str, *inner: str, flows: str = "", tag: str = "subProcess", **options: Any) -> str:
    return element(tag, name, in_order("".join(inner) + globals()["flows"](flows)), **options)


def in_order(content: str) -> str:
    """Artifacts and completion conditions come after the flow elements, as the schema wants it.

    What was put in order once (an inner container) stays where it is.
    """
    late = re.compile(r"<bpmn:association [^ ][^>]*/>|<!--late-->.*?<!--/late-->")
    moved = "".join(late.findall(content)).replace("<bpmn:association ", "<bpmn:association  ")
    return late.sub("", content) + re.sub("<!--/?late-->", "", moved)


def event_sub(name: str, *inner: str, flows: str = "", **options: Any) -> str:
    return sub(name, *inner, flows=flows, triggeredByEvent=True, **options)


def many(
    collection: str = "",
    item: str = "item",
    *,
    sequential: bool = False,
    output: tuple[str, str] | None = None,
    cardinality: str = "",
    completion: str = "",
) -> str:
    """Multi-instance loop characteristics."""
    loop = ""
    if collection:
        out = f' outputCollection="{output[0]}" outputElement="={output[1]}"' if output else ""
        loop = (
            f"<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection={quoteattr('=' + collection)}"
            f' inputElement="{item}"{out}/></bpmn:extensionElements>'
        )
    count = expression("loopCardinality", cardinality) if cardinality else ""
    done = expression("completionCondition", completion) if completion else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"{loop}{count}{done}</bpmn:multiInstanceLoopCharacteristics>"
    )


def timer(kind: str, text: str) -> str:
    return (
        f'<bpmn:timerEventDefinition><bpmn:time{kind} xsi:type="bpmn:tFormalExpression">{escape(text)}'
        f"</bpmn:time{kind}></bpmn:timerEventDefinition>"
    )


def message(name: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="{name}"/>'


def signal(name: str) -> str:
    return f'<bpmn:signalEventDefinition signalRef="{name}"/>'


def error(name: str = "") -> str:
    return f'<bpmn:errorEventDefinition errorRef="{name}"/>' if name else "<bpmn:errorEventDefinition/>"


def escalation(name: str = "") -> str:
    ref = f' escalationRef="{name}"' if name else ""
    return f"<bpmn:escalationEventDefinition{ref}/>"


def condition(text: str) -> str:
    return (
        f"<bpmn:conditionalEventDefinition>{expression('condition', text)}</bpmn:conditionalEventDefinition>"
    )


def link(name: str) -> str:
    return f'<bpmn:linkEventDefinition name="{name}"/>'


def compensate(activity: str = "", wait: bool = True) -> str:
    ref = f' activityRef="{activity}"' if activity else ""
    return f'<bpmn:compensateEventDefinition{ref} waitForCompletion="{str(wait).lower()}"/>'


CANCEL = "<bpmn:cancelEventDefinition/>"
TERMINATE = "<bpmn:terminateEventDefinition/>"

ROOTS = (
    '<bpmn:message id="M" name="M"/><bpmn:message id="N" name="N"/>'
    '<bpmn:message id="K" name="K"><bpmn:extensionElements><zeebe:subscription correlationKey="=key"/>'
    "</bpmn:extensionElements></bpmn:message>"
    '<bpmn:signal id="S" name="S"/><bpmn:signal id="T" name="T"/>'
    '<bpmn:error id="E1" name="E1" errorCode="E1"/><bpmn:error id="E2" name="E2" errorCode="E2"/>'
    '<bpmn:escalation id="X1" name="X1" escalationCode="X1"/>'
)


def process(*nodes: str, flows: str = "", roots: str = "", name: str = "P") -> bytes:
    body = in_order("".join(nodes) + globals()["flows"](flows))
    return (
        f'{HEAD}{ROOTS}{roots}<bpmn:process id="{name}" isExecutable="true">{body}</bpmn:process>'
        "</bpmn:definitions>"
    ).encode()


def compiled(*nodes: str, flows: str = "", roots: str = "") -> Program:
    return compile_process(parse(process(*nodes, flows=flows, roots=roots)), "P")


# ---- running them ---------------------------------------------------------------------------


class Run:
    """One instance under test. Every command checks replay, the codec and determinism."""

    def __init__(
        self, program: Program, *, begin: bool = True, parent: bool = False, **variables: Any
    ) -> None:
        self.program = program
        self.now = NOW
        self.instance = new_instance(program, "i")
        self.events: list[Event] = []
        self.commands: list[tuple[p.Command, datetime]] = []
        if begin:
            caller = p.ParentCall("caller", 7) if parent else None
            self.do(p.Start(variables={"log": [], **variables}, parent=caller))

    def do(self, command: p.Command) -> list[Event]:
        events = step(self.program, self.instance, command, now=self.now)
        self.commands.append((command, self.now))
        self.events += events
        saved = encode_instance(self.instance)
        assert encode_instance(decode_instance(saved)) == saved
        again = replay(new_instance(self.program, "i"), self.events)
        assert again == self.instance
        self.instance = decode_instance(saved)
        return events

    def check_deterministic(self) -> None:
        """The same commands give byte-identical events."""
        other = new_instance(self.program, "i")
        events: list[Event] = []
        for command, now in self.commands:
            events += step(self.program, other, command, now=now)
        assert encode_events(events) == encode_events(self.events)

    # ---- what happened ----------------------------------------------------------------------

    @property
    def trail(self) -> list[str]:
        """Ids of the completed elements, in order."""
        return [event.node for event in self.events if isinstance(event, p.ElementCompleted)]

    @property
    def log(self) -> list[str]:
        return list(self.variables["log"])

    @property
    def variables(self) -> dict[str, Any]:
        ended = [event for event in self.events if isinstance(event, p.InstanceEnded)]
        return dict(ended[-1].variables) if ended else self.instance.variables_of()

    @property
    def status(self) -> str:
        return self.instance.status

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def waits(self, kind: type) -> list[Any]:
        return [wait for wait in self.instance.waits.values() if isinstance(wait, kind)]

    def at(self) -> list[str]:
        """Where tokens stand."""
        return sorted(token.node for token in self.instance.tokens.values())

    # ---- what people and workers do ---------------------------------------------------------

    def complete(self, node: str, **variables: Any) -> None:
        """Complete the first open job or user task at ``node``."""
        for wait in self.instance.waits.values():
            if wait.node == node and isinstance(wait, Job):
                self.do(p.CompleteJob(wait.key, variables))
                return
            if wait.node == node and isinstance(wait, UserTask):
                self.do(p.CompleteUserTask(wait.key, variables))
                return
        raise AssertionError(f"nothing to complete at {node}: {self.at()}")

    def wait_at(self, node: str, kind: type) -> Any:
        return next(wait for wait in self.waits(kind) if wait.node == node)

    def deliver(self, node: str, **variables: Any) -> None:
        self.do(p.DeliverMessage(self.wait_at(node, Subscription).key, variables))

    def broadcast(self, name: str, **variables: Any) -> None:
        self.do(p.BroadcastSignal(name, variables))

    def fire(self, node: str) -> None:
        """Let the timer of ``node`` be due, and fire it."""
        wait = self.wait_at(node, Timer)
        self.now = max(self.now, wait.due)
        self.do(p.FireTimer(wait.key))

    def pass_time(self, **units: float) -> None:
        self.now += timedelta(**units)

    def throw(self, node: str, code: str, **variables: Any) -> None:
        wait = next(
            w for w in self.instance.waits.values() if w.node == node and isinstance(w, Job | UserTask)
        )
        self.do(p.ThrowBpmnError(wait.key, code, "told", variables))

    def called(self, node: str) -> Any:
        return self.wait_at(node, Call)

    @property
    def incidents(self) -> list[Incident]:
        return self.waits(Incident)

    def resolve(self) -> None:
        self.do(p.ResolveIncident(self.incidents[0].key))

    def set(self, **variables: Any) -> None:
        self.do(p.SetVariables(variables))
