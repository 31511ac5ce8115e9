"""A process as SpiffWorkflow reads it: control flow only.

Every activity that waits becomes a manual task, every automatic one an empty script, every event that
waits a message event named by its id, and every condition a variable named by its flow. So both
engines can be led through the same decisions without sharing handlers or expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import quoteattr

from flowkit.bpmn import model as m
from flowkit.findings import Finding, Location, Severity

__all__ = ["gaps", "to_spiff"]

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


# ---- what SpiffWorkflow lacks ---------------------------------------------------------------


def gaps(process: m.Process) -> list[Finding]:
    """What SpiffWorkflow 3 refuses or runs differently, and why (each with its element)."""
    return [finding for node in _nodes(process) for finding in _gaps_of(node)]


def _nodes(container: m.Process | m.SubProcess) -> Iterator[m.FlowNode]:
    for node in container.nodes:
        yield node
        if isinstance(node, m.SubProcess):
            yield from _nodes(node)


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


def to_spiff(definitions: m.Definitions, process: m.Process) -> bytes:
    """The process's control flow as a BPMN file for SpiffWorkflow."""
    messages = "".join(
        f"<bpmn:message id={quoteattr('m_' + node.id)} name={quoteattr(node.id)}/>"
        for node in _nodes(process)
        if _is_waiting_event(node)
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
        f'<bpmn:process id={quoteattr(process.id)} isExecutable="true">{_inside(process)}</bpmn:process>'
        "</bpmn:definitions>"
    ).encode()


_RAISED = (m.ErrorEventDefinition, m.EscalationEventDefinition)
# What is thrown inside and caught further out; everything else that waits is told from outside.


def _is_waiting_event(node: m.FlowNode) -> bool:
    waiting = isinstance(node, m.IntermediateCatchEvent | m.BoundaryEvent) and not _event(node, *_RAISED)
    return waiting or isinstance(node, m.ReceiveTask)


def _inside(container: m.Process | m.SubProcess) -> str:
    flows = "".join(_flow(flow) for flow in container.flows)
    return "".join(_node(node) for node in container.nodes) + flows


def _flow(flow: m.SequenceFlow) -> str:
    condition = ""
    if flow.condition is not None:
        condition = f"<bpmn:conditionExpression>{flow.id}</bpmn:conditionExpression>"
    return (
        f"<bpmn:sequenceFlow id={quoteattr(flow.id)} sourceRef={quoteattr(flow.source)}"
        f" targetRef={quoteattr(flow.target)}>{condition}</bpmn:sequenceFlow>"
    )


def _node(node: m.FlowNode) -> str:
    ends = "".join(f"<bpmn:incoming>{flow}</bpmn:incoming>" for flow in node.incoming)
    ends += "".join(f"<bpmn:outgoing>{flow}</bpmn:outgoing>" for flow in node.outgoing)
    tag, attributes, inner = _face(node)
    default = getattr(node, "default", "")
    if default:
        attributes += f" default={quoteattr(default)}"
    return f"<bpmn:{tag} id={quoteattr(node.id)}{attributes}>{ends}{inner}</bpmn:{tag}>"


def _face(node: m.FlowNode) -> tuple[str, str, str]:
    """Tag, attributes and content of the node in the exported file."""
    message = f"<bpmn:messageEventDefinition messageRef={quoteattr('m_' + node.id)}/>"
    match node:
        case m.StartEvent():
            return "startEvent", "", ""
        case m.EndEvent():
            return "endEvent", "", _thrown(node)
        case m.IntermediateThrowEvent():
            return "intermediateThrowEvent", "", _thrown(node)
        case m.IntermediateCatchEvent() | m.ReceiveTask():
            return "intermediateCatchEvent", "", message
        case m.BoundaryEvent():
            cancel = str(node.cancel_activity).lower()
            attributes = f' attachedToRef={quoteattr(node.attached_to)} cancelActivity="{cancel}"'
            return (
                "boundaryEvent",
                attributes,
                _thrown(node) if _event(node, *_RAISED) else message,
            )
        case m.SubProcess():
            return "subProcess", "", _inside(node)
        case m.Gateway():
            name = type(node).__name__
            return name[0].lower() + name[1:], "", ""
    waits = not isinstance(node, m.ManualTask | m.ScriptTask) and type(node) is not m.Task
    if waits:
        return "manualTask", "", _loop(node)
    return "scriptTask", "", _loop(node) + "<bpmn:script>pass</bpmn:script>"


def _loop(node: m.FlowNode) -> str:
    """Loops are unrolled by number only where the number is fixed."""
    loop = getattr(node, "loop", None)
    if isinstance(loop, m.MultiInstanceLoopCharacteristics) and loop.cardinality is not None:
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(loop.is_sequential).lower()}">'
            f"<bpmn:loopCardinality>{loop.cardinality.text}</bpmn:loopCardinality>"
            "</bpmn:multiInstanceLoopCharacteristics>"
        )
    if isinstance(loop, m.StandardLoopCharacteristics) and loop.maximum is not None:
        return f'<bpmn:standardLoopCharacteristics loopMaximum="{loop.maximum}"/>'
    return ""


def _thrown(node: m.Event) -> str:
    for definition in node.definitions:
        if isinstance(definition, m.TerminateEventDefinition):
            return "<bpmn:terminateEventDefinition/>"
        if isinstance(definition, m.ErrorEventDefinition):
            ref = f" errorRef={quoteattr(definition.error)}" if definition.error else ""
            return f"<bpmn:errorEventDefinition{ref}/>"
        if isinstance(definition, m.EscalationEventDefinition):
            ref = f" escalationRef={quoteattr(definition.escalation)}" if definition.escalation else ""
            return f"<bpmn:escalationEventDefinition{ref}/>"
    return ""
