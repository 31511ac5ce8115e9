"""A process as SpiffWorkflow reads it: control flow only.

Every activity that waits becomes a manual task, every automatic one an empty script, every event that
waits a message event named by its id, and every condition a variable named by its flow. So both
engines can be led through the same decisions without sharing handlers or expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from flowkit.bpmn import model as m
from flowkit.findings import Finding, Location, Severity

__all__ = ["Shape", "escalated", "gaps", "implicit_starts", "nodes_of", "to_spiff"]

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


# ---- what SpiffWorkflow lacks ---------------------------------------------------------------


def gaps(process: m.Process) -> list[Finding]:
    """What SpiffWorkflow 3 refuses or runs differently, and why (each with its element)."""
    return [finding for node in nodes_of(process) for finding in _gaps_of(node)]


def nodes_of(container: m.Process | m.SubProcess) -> Iterator[m.FlowNode]:
    """The nodes of a process or subprocess, with those inside its subprocesses."""
    for node in container.nodes:
        yield node
        if isinstance(node, m.SubProcess):
            yield from nodes_of(node)


def _gaps_of(node: m.FlowNode) -> Iterator[Finding]:
    for applies, rule, message in _GAPS:
        if applies(node):
            yield Finding(f"spiff-{rule}", Severity.WARNING, node.location, message, "", node.id, node.name)


def _event(node: m.FlowNode, *kinds: type[m.EventDefinition]) -> bool:
    return isinstance(node, m.Event) and any(isinstance(one, kinds) for one in node.definitions)


def _condition_out(node: m.FlowNode) -> bool:
    return isinstance(node, m.Activity | m.Event) and len(node.outgoing) > 1


_GAPS: tuple[tuple[Callable[[m.FlowNode], bool], str, str], ...] = (
    (
        lambda n: isinstance(n, m.ComplexGateway),
        "complex-gateway",
        "SpiffWorkflow has no complex gateway: it refuses the file.",
    ),
    (
        lambda n: isinstance(n, m.AdHocSubProcess),
        "ad-hoc",
        "SpiffWorkflow has no ad-hoc subprocess: it refuses the file.",
    ),
    (
        lambda n: isinstance(n, m.SubProcess) and n.triggered_by_event,
        "event-subprocess",
        "SpiffWorkflow's event subprocesses never interrupt, and those for errors, escalations and"
        " compensation start with the instance.",
    ),
    (
        lambda n: _event(n, m.CompensateEventDefinition),
        "compensation",
        "SpiffWorkflow does not compensate: a throwing event does nothing, a boundary event is refused.",
    ),
    (
        lambda n: isinstance(n, m.Activity) and n.is_for_compensation,
        "compensation",
        "SpiffWorkflow does not know compensation handlers.",
    ),
    (
        lambda n: _event(n, m.LinkEventDefinition),
        "link",
        "A link event swallows the token in SpiffWorkflow.",
    ),
    (
        lambda n: isinstance(n, m.EndEvent) and _event(n, m.SignalEventDefinition),
        "signal-end",
        "SpiffWorkflow does not send the signal of an end event.",
    ),
    (
        _condition_out,
        "several-flows",
        "SpiffWorkflow refuses several flows out of an activity or event: draw the gateway.",
    ),
    (
        lambda n: isinstance(n, m.EventBasedGateway | m.ReceiveTask) and n.instantiate,
        "instantiate",
        "SpiffWorkflow can't be started by an instantiating gateway or receive task.",
    ),
    (
        lambda n: isinstance(n, m.Activity) and (n.start_quantity > 1 or n.completion_quantity > 1),
        "quantity",
        "SpiffWorkflow ignores startQuantity and completionQuantity.",
    ),
    (
        lambda n: (
            isinstance(n, m.BoundaryEvent)
            and not n.cancel_activity
            and not _event(n, m.TimerEventDefinition, m.EscalationEventDefinition)
        ),
        "repeats",
        "In SpiffWorkflow a non-interrupting event occurs only once.",
    ),
    (
        lambda n: isinstance(n, m.Transaction),
        "transaction",
        "SpiffWorkflow's transactions do not compensate when they are cancelled.",
    ),
    (
        lambda n: isinstance(n, m.ThrowEvent) and len(n.definitions) > 1,
        "multiple-throw",
        "SpiffWorkflow throws only a part of a multiple event.",
    ),
    (
        lambda n: isinstance(n, m.BusinessRuleTask) and n.extensions.called_decision is not None,
        "decision",
        "SpiffWorkflow runs DMN by an extension of its own, with every hit policy taken as FIRST.",
    ),
)


def implicit_starts(process: m.Process) -> list[Finding]:
    """A process without a start event: SpiffWorkflow refuses it."""
    if any(isinstance(node, m.StartEvent) for node in process.nodes):
        return []
    where = process.location or Location()
    message = "SpiffWorkflow needs a start event."
    return [Finding("spiff-start", Severity.WARNING, where, message, "", process.id, process.name)]


# ---- the file that SpiffWorkflow reads ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is written for one run: nodes left out (with their flows), error boundary events that
    occur from outside, multi-instance activities whose number is asked for as ``count_ID``, and
    escalation boundary events that are raised inside."""

    without: frozenset[str] = frozenset()
    from_outside: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    escalated: frozenset[str] = frozenset()


def to_spiff(definitions: m.Definitions, process: m.Process, shape: Shape = Shape()) -> bytes:
    """The process's control flow as a BPMN file for SpiffWorkflow."""
    messages = "".join(
        f"<bpmn:message id={quoteattr('m_' + node.id)} name={quoteattr(node.id)}/>"
        for node in nodes_of(process)
        if _is_waiting_event(node, shape) or node.id in shape.from_outside
    )
    errors = "".join(
        f"<bpmn:error id={quoteattr(one.id)} name={quoteattr(one.id)} errorCode={quoteattr(one.code)}/>"
        for one in definitions.errors
    )
    escalations = "".join(
        f"<bpmn:escalation id={quoteattr(one.id)} name={quoteattr(one.id)}"
        f" escalationCode={quoteattr(one.code)}/>"
        for one in definitions.escalations
    )
    return (
        f'<bpmn:definitions xmlns:bpmn="{_BPMN}" id="exported" targetNamespace="exported">'
        f"{messages}{errors}{escalations}"
        f'<bpmn:process id={quoteattr(process.id)} isExecutable="true">'
        f"{_inside(process, shape)}</bpmn:process></bpmn:definitions>"
    ).encode()


def escalated(process: m.Process) -> frozenset[str]:
    """The boundary events for escalations of subprocesses: what is inside throws them."""
    nodes = list(nodes_of(process))
    subprocesses = {node.id for node in nodes if isinstance(node, m.SubProcess)}
    return frozenset(
        node.id
        for node in nodes
        if isinstance(node, m.BoundaryEvent)
        and node.attached_to in subprocesses
        and _event(node, m.EscalationEventDefinition)
    )


def _is_waiting_event(node: m.FlowNode, shape: Shape) -> bool:
    waiting = isinstance(node, m.IntermediateCatchEvent | m.BoundaryEvent) and not _raised(node, shape)
    return waiting or isinstance(node, m.ReceiveTask)


def _raised(node: m.FlowNode, shape: Shape) -> bool:
    """Thrown inside and caught here; everything else that waits is told from outside."""
    return _event(node, m.ErrorEventDefinition) or node.id in shape.escalated


def _inside(container: m.Process | m.SubProcess, shape: Shape) -> str:
    nodes = [node for node in container.nodes if node.id not in shape.without]
    flows = [f for f in container.flows if f.source not in shape.without and f.target not in shape.without]
    kept = frozenset(flow.id for flow in flows)
    return "".join(_node(node, shape, kept) for node in nodes) + "".join(_flow(flow) for flow in flows)


def _flow(flow: m.SequenceFlow) -> str:
    condition = ""
    if flow.condition is not None:
        condition = f"<bpmn:conditionExpression>{flow.id}</bpmn:conditionExpression>"
    return (
        f"<bpmn:sequenceFlow id={quoteattr(flow.id)} sourceRef={quoteattr(flow.source)}"
        f" targetRef={quoteattr(flow.target)}>{condition}</bpmn:sequenceFlow>"
    )


def _node(node: m.FlowNode, shape: Shape, kept: frozenset[str]) -> str:
    ends = "".join(f"<bpmn:incoming>{flow}</bpmn:incoming>" for flow in node.incoming if flow in kept)
    ends += "".join(f"<bpmn:outgoing>{flow}</bpmn:outgoing>" for flow in node.outgoing if flow in kept)
    tag, attributes, inner = _face(node, shape)
    default = getattr(node, "default", "")
    if default in kept:
        attributes += f" default={quoteattr(default)}"
    return f"<bpmn:{tag} id={quoteattr(node.id)}{attributes}>{ends}{inner}</bpmn:{tag}>"


def _face(node: m.FlowNode, shape: Shape) -> tuple[str, str, str]:
    """Tag, attributes and content of the node in the exported file."""
    message = f"<bpmn:messageEventDefinition messageRef={quoteattr('m_' + node.id)}/>"
    match node:
        case m.StartEvent():
            return "startEvent", "", ""
        case m.EndEvent():
            return "endEvent", "", _thrown(node, shape)
        case m.IntermediateThrowEvent():
            return "intermediateThrowEvent", "", _thrown(node, shape)
        case m.IntermediateCatchEvent() | m.ReceiveTask():
            return "intermediateCatchEvent", "", message
        case m.BoundaryEvent():
            cancel = str(node.cancel_activity).lower()
            attributes = f' attachedToRef={quoteattr(node.attached_to)} cancelActivity="{cancel}"'
            inside = _raised(node, shape) and node.id not in shape.from_outside
            return "boundaryEvent", attributes, _thrown(node, shape) if inside else message
        case m.SubProcess():
            return "subProcess", "", _loop(node, shape) + _inside(node, shape)
        case m.Gateway():
            name = type(node).__name__
            return name[0].lower() + name[1:], "", ""
    waits = not isinstance(node, m.ManualTask | m.ScriptTask) and type(node) is not m.Task
    if waits:
        return "manualTask", "", _loop(node, shape)
    return "scriptTask", "", _loop(node, shape) + "<bpmn:script>pass</bpmn:script>"


def _loop(node: m.FlowNode, shape: Shape) -> str:
    """Loops are unrolled by number only where the number is fixed, or counted in the run."""
    loop = getattr(node, "loop", None)
    if isinstance(loop, m.MultiInstanceLoopCharacteristics) and node.id in shape.counted:
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(loop.is_sequential).lower()}">'
            f"<bpmn:loopCardinality>count_{node.id}</bpmn:loopCardinality>"
            "</bpmn:multiInstanceLoopCharacteristics>"
        )
    if isinstance(loop, m.MultiInstanceLoopCharacteristics) and loop.cardinality is not None:
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(loop.is_sequential).lower()}">'
            f"<bpmn:loopCardinality>{loop.cardinality.text}</bpmn:loopCardinality>"
            "</bpmn:multiInstanceLoopCharacteristics>"
        )
    if isinstance(loop, m.StandardLoopCharacteristics) and loop.maximum is not None:
        return f'<bpmn:standardLoopCharacteristics loopMaximum="{loop.maximum}"/>'
    return ""


def _thrown(node: m.Event, shape: Shape) -> str:
    for definition in node.definitions:
        if isinstance(definition, m.TerminateEventDefinition):
            return "<bpmn:terminateEventDefinition/>"
        if isinstance(definition, m.ErrorEventDefinition):
            ref = f" errorRef={quoteattr(definition.error)}" if definition.error else ""
            return f"<bpmn:errorEventDefinition{ref}/>"
        if isinstance(definition, m.EscalationEventDefinition) and shape.escalated:
            ref = f" escalationRef={quoteattr(definition.escalation)}" if definition.escalation else ""
            return f"<bpmn:escalationEventDefinition{ref}/>"
    return ""
