"""Reading events and their definitions."""

from __future__ import annotations

from collections.abc import Callable

from flowkit.bpmn.model import (
    BoundaryEvent,
    CancelEventDefinition,
    CompensateEventDefinition,
    ConditionalEventDefinition,
    EndEvent,
    ErrorEventDefinition,
    EscalationEventDefinition,
    EventDefinition,
    FlowNode,
    IntermediateCatchEvent,
    IntermediateThrowEvent,
    LinkEventDefinition,
    MessageEventDefinition,
    SignalEventDefinition,
    StartEvent,
    TerminateEventDefinition,
    TimerEventDefinition,
)
from flowkit.bpmn.parse_data import (
    read_associations,
    read_data_inputs,
    read_data_outputs,
    read_properties,
)
from flowkit.bpmn.parse_reader import Reader, first, flag
from flowkit.bpmn.schema import BPMN
from flowkit.bpmn.xml import Node

__all__ = ["EVENTS", "EVENT_DEFINITIONS", "read_event_definition", "read_throw_event"]


def _message(reader: Reader, node: Node) -> EventDefinition:
    return MessageEventDefinition(
        **reader.common(node),
        message=reader.reference(node, "messageRef"),
        operation=reader.child_reference(node, "operationRef"),
    )


def _timer(reader: Reader, node: Node) -> EventDefinition:
    return TimerEventDefinition(
        **reader.common(node),
        date=reader.timer(first(node, "timeDate")),
        duration=reader.timer(first(node, "timeDuration")),
        cycle=reader.timer(first(node, "timeCycle")),
    )


def _signal(reader: Reader, node: Node) -> EventDefinition:
    return SignalEventDefinition(**reader.common(node), signal=reader.reference(node, "signalRef"))


def _error(reader: Reader, node: Node) -> EventDefinition:
    return ErrorEventDefinition(**reader.common(node), error=reader.reference(node, "errorRef"))


def _escalation(reader: Reader, node: Node) -> EventDefinition:
    return EscalationEventDefinition(
        **reader.common(node), escalation=reader.reference(node, "escalationRef")
    )


def _compensate(reader: Reader, node: Node) -> EventDefinition:
    return CompensateEventDefinition(
        **reader.common(node),
        activity=reader.reference(node, "activityRef"),
        wait_for_completion=flag(node, "waitForCompletion", True),
    )


def _conditional(reader: Reader, node: Node) -> EventDefinition:
    return ConditionalEventDefinition(
        **reader.common(node), condition=reader.child_expression(node, "condition")
    )


def _link(reader: Reader, node: Node) -> EventDefinition:
    return LinkEventDefinition(
        **reader.common(node),
        sources=reader.child_references(node, "source"),
        target=reader.child_reference(node, "target"),
    )


EVENT_DEFINITIONS: dict[str, Callable[[Reader, Node], EventDefinition]] = {
    "messageEventDefinition": _message,
    "timerEventDefinition": _timer,
    "signalEventDefinition": _signal,
    "errorEventDefinition": _error,
    "escalationEventDefinition": _escalation,
    "compensateEventDefinition": _compensate,
    "conditionalEventDefinition": _conditional,
    "linkEventDefinition": _link,
    "cancelEventDefinition": lambda r, n: CancelEventDefinition(**r.common(n)),
    "terminateEventDefinition": lambda r, n: TerminateEventDefinition(**r.common(n)),
}


def read_event_definition(reader: Reader, node: Node) -> EventDefinition:
    return EVENT_DEFINITIONS[node.tag](reader, node)


def _definitions(reader: Reader, node: Node) -> tuple[EventDefinition, ...]:
    """Own definitions and those that ``eventDefinitionRef`` names, in file order."""
    found = []
    for child in node.children:
        if child.namespace != BPMN:
            continue
        target: Node | None = child
        if child.tag == "eventDefinitionRef":
            target = reader.index.nodes.get(reader.resolve(child, child.text))
        if target is not None and target.tag in EVENT_DEFINITIONS:
            found.append(read_event_definition(reader, target))
    return tuple(found)


def _start(reader: Reader, node: Node) -> FlowNode:
    return StartEvent(
        **reader.common(node),
        definitions=_definitions(reader, node),
        properties=read_properties(reader, node),
        parallel_multiple=flag(node, "parallelMultiple", False),
        data_outputs=read_data_outputs(reader, node),
        output_associations=read_associations(reader, node, "dataOutputAssociation"),
        is_interrupting=flag(node, "isInterrupting", True),
    )


def _catch(reader: Reader, node: Node) -> FlowNode:
    return IntermediateCatchEvent(
        **reader.common(node),
        definitions=_definitions(reader, node),
        properties=read_properties(reader, node),
        parallel_multiple=flag(node, "parallelMultiple", False),
        data_outputs=read_data_outputs(reader, node),
        output_associations=read_associations(reader, node, "dataOutputAssociation"),
    )


def _boundary(reader: Reader, node: Node) -> FlowNode:
    return BoundaryEvent(
        **reader.common(node),
        definitions=_definitions(reader, node),
        properties=read_properties(reader, node),
        parallel_multiple=flag(node, "parallelMultiple", False),
        data_outputs=read_data_outputs(reader, node),
        output_associations=read_associations(reader, node, "dataOutputAssociation"),
        attached_to=reader.reference(node, "attachedToRef"),
        cancel_activity=flag(node, "cancelActivity", True),
    )


def read_throw_event(reader: Reader, node: Node) -> IntermediateThrowEvent:
    """An intermediate throw event, or the implicit one of a multi-instance behaviour."""
    return IntermediateThrowEvent(
        **reader.common(node),
        definitions=_definitions(reader, node),
        properties=read_properties(reader, node),
        data_inputs=read_data_inputs(reader, node),
        input_associations=read_associations(reader, node, "dataInputAssociation"),
    )


def _end(reader: Reader, node: Node) -> FlowNode:
    return EndEvent(
        **reader.common(node),
        definitions=_definitions(reader, node),
        properties=read_properties(reader, node),
        data_inputs=read_data_inputs(reader, node),
        input_associations=read_associations(reader, node, "dataInputAssociation"),
    )


EVENTS: dict[str, Callable[[Reader, Node], FlowNode]] = {
    "startEvent": _start,
    "intermediateCatchEvent": _catch,
    "boundaryEvent": _boundary,
    "intermediateThrowEvent": read_throw_event,
    "endEvent": _end,
}
