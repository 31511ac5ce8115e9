"""The BPMN 2.0 model: one frozen class an element of the standard.

Names are the standard's, in ``snake_case``. References are ids; a :class:`Definitions` without
``faults`` has no dangling one. Vendor extensions are normalised into
:class:`~flowkit.bpmn.extensions_model.Extensions`.

Source: OMG BPMN 2.0.2 (formal/2013-12-09), chapters 8-11; the class names are those of its
metamodel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from flowkit.bpmn.extensions_model import NO_EXTENSIONS, Extensions
from flowkit.findings import Finding, Location, Severity

__all__ = [
    "Activity",
    "AdHocSubProcess",
    "Association",
    "BoundaryEvent",
    "BusinessRuleTask",
    "CallActivity",
    "CancelEventDefinition",
    "CatchEvent",
    "Collaboration",
    "CompensateEventDefinition",
    "ComplexGateway",
    "ConditionalEventDefinition",
    "CorrelationProperty",
    "CorrelationPropertyRetrieval",
    "CorrelationSubscription",
    "DataAssociation",
    "DataInput",
    "DataObject",
    "DataObjectReference",
    "DataOutput",
    "DataStore",
    "DataStoreReference",
    "Definitions",
    "EndEvent",
    "Error",
    "ErrorEventDefinition",
    "Escalation",
    "EscalationEventDefinition",
    "Event",
    "EventBasedGateway",
    "EventDefinition",
    "ExclusiveGateway",
    "Expression",
    "FlowElementsContainer",
    "FlowNode",
    "Gateway",
    "GlobalTask",
    "InclusiveGateway",
    "IntermediateCatchEvent",
    "IntermediateThrowEvent",
    "IoSpecification",
    "ItemDefinition",
    "Lane",
    "LinkEventDefinition",
    "ManualTask",
    "Message",
    "MessageEventDefinition",
    "MessageFlow",
    "MultiInstanceBehavior",
    "MultiInstanceLoopCharacteristics",
    "Operation",
    "ParallelGateway",
    "Participant",
    "Process",
    "Property",
    "ReceiveTask",
    "ScriptTask",
    "SendTask",
    "SequenceFlow",
    "ServiceTask",
    "Signal",
    "SignalEventDefinition",
    "StandardLoopCharacteristics",
    "StartEvent",
    "SubProcess",
    "Task",
    "TerminateEventDefinition",
    "ThrowEvent",
    "TimerEventDefinition",
    "Transaction",
    "UnsupportedElement",
    "UserTask",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """A text that is evaluated: a condition, a cardinality, a timer, an assignment.

    ``language`` is empty for FEEL (the default of every file that flowkit executes) and otherwise
    the URI that the file gives. ``literal`` marks a text that stands for itself (an extension
    attribute without the ``=`` prefix).
    """

    text: str
    language: str = ""
    literal: bool = False
    location: Location = Location()


@dataclass(frozen=True, kw_only=True)
class Element:
    """What every BPMN element has (BPMN 2.0.2, 8.3.1 *BaseElement*)."""

    id: str
    name: str = ""
    documentation: str = ""
    location: Location = Location()
    extensions: Extensions = NO_EXTENSIONS


# ---- root elements --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ItemDefinition(Element):
    structure: str = ""
    is_collection: bool = False
    item_kind: str = "Information"


@dataclass(frozen=True, kw_only=True)
class Message(Element):
    item: str = ""


@dataclass(frozen=True, kw_only=True)
class Signal(Element):
    structure: str = ""


@dataclass(frozen=True, kw_only=True)
class Error(Element):
    """``code`` is empty for an error without ``errorCode``: catching one then catches every error."""

    code: str = ""
    structure: str = ""


@dataclass(frozen=True, kw_only=True)
class Escalation(Element):
    code: str = ""
    structure: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation(Element):
    """A service operation; its interface is named by ``interface``."""

    interface: str = ""
    implementation: str = ""
    in_message: str = ""
    out_message: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataStore(Element):
    item: str = ""
    capacity: int | None = None
    is_unlimited: bool = True


@dataclass(frozen=True, kw_only=True)
class CorrelationPropertyRetrieval(Element):
    message: str
    path: Expression


@dataclass(frozen=True, kw_only=True)
class CorrelationProperty(Element):
    type: str = ""
    retrievals: tuple[CorrelationPropertyRetrieval, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CorrelationSubscription(Element):
    """``bindings`` pairs a correlation property's id with the expression that gives its value."""

    correlation_key: str = ""
    bindings: tuple[tuple[str, Expression], ...] = ()


# ---- event definitions ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EventDefinition(Element):
    """One trigger or result of an event (BPMN 2.0.2, 10.5.5)."""


@dataclass(frozen=True, kw_only=True)
class MessageEventDefinition(EventDefinition):
    message: str = ""
    operation: str = ""


@dataclass(frozen=True, kw_only=True)
class TimerEventDefinition(EventDefinition):
    """Exactly one of ``date``, ``duration`` and ``cycle`` is set in a model that deploys."""

    date: Expression | None = None
    duration: Expression | None = None
    cycle: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class SignalEventDefinition(EventDefinition):
    signal: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorEventDefinition(EventDefinition):
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class EscalationEventDefinition(EventDefinition):
    escalation: str = ""


@dataclass(frozen=True, kw_only=True)
class CompensateEventDefinition(EventDefinition):
    activity: str = ""
    wait_for_completion: bool = True


@dataclass(frozen=True, kw_only=True)
class ConditionalEventDefinition(EventDefinition):
    condition: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class LinkEventDefinition(EventDefinition):
    """``name`` pairs throwing and catching links of one scope; ``sources``/``target`` are kept ids."""

    sources: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class CancelEventDefinition(EventDefinition):
    pass


@dataclass(frozen=True, kw_only=True)
class TerminateEventDefinition(EventDefinition):
    pass


# ---- data -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DataObject(Element):
    item: str = ""
    is_collection: bool = False


@dataclass(frozen=True, kw_only=True)
class DataObjectReference(Element):
    data_object: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class DataStoreReference(Element):
    data_store: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Property(Element):
    item: str = ""


@dataclass(frozen=True, kw_only=True)
class DataInput(Element):
    item: str = ""
    is_collection: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class DataOutput(Element):
    item: str = ""
    is_collection: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class IoSpecification(Element):
    inputs: tuple[DataInput, ...] = ()
    outputs: tuple[DataOutput, ...] = ()
    input_sets: tuple[tuple[str, ...], ...] = ()
    output_sets: tuple[tuple[str, ...], ...] = ()
    streaming: tuple[str, ...] = ()
    """Inputs and outputs that move while the activity runs; refused."""


@dataclass(frozen=True, kw_only=True)
class DataAssociation(Element):
    """``assignments`` pairs a ``from`` expression with the ``to`` expression's text."""

    sources: tuple[str, ...] = ()
    target: str = ""
    transformation: Expression | None = None
    assignments: tuple[tuple[Expression, Expression], ...] = ()


# ---- flow elements --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SequenceFlow(Element):
    source: str
    target: str
    condition: Expression | None = None
    is_immediate: bool | None = None


@dataclass(frozen=True, kw_only=True)
class FlowNode(Element):
    """``incoming`` and ``outgoing`` are sequence-flow ids in document order of the flows."""

    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gateway(FlowNode):
    direction: str = "Unspecified"


@dataclass(frozen=True, kw_only=True)
class ExclusiveGateway(Gateway):
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class InclusiveGateway(Gateway):
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class ParallelGateway(Gateway):
    pass


@dataclass(frozen=True, kw_only=True)
class ComplexGateway(Gateway):
    default: str = ""
    activation_condition: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class EventBasedGateway(Gateway):
    """``event_gateway_type`` is ``Exclusive`` or ``Parallel`` (the latter only when instantiating)."""

    instantiate: bool = False
    event_gateway_type: str = "Exclusive"


@dataclass(frozen=True, kw_only=True)
class Event(FlowNode):
    """``definitions`` holds own and referenced (``eventDefinitionRef``) definitions in file order."""

    definitions: tuple[EventDefinition, ...] = ()
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CatchEvent(Event):
    parallel_multiple: bool = False
    data_outputs: tuple[DataOutput, ...] = ()
    output_associations: tuple[DataAssociation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ThrowEvent(Event):
    data_inputs: tuple[DataInput, ...] = ()
    input_associations: tuple[DataAssociation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StartEvent(CatchEvent):
    is_interrupting: bool = True


@dataclass(frozen=True, kw_only=True)
class IntermediateCatchEvent(CatchEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class BoundaryEvent(CatchEvent):
    attached_to: str
    cancel_activity: bool = True


@dataclass(frozen=True, kw_only=True)
class IntermediateThrowEvent(ThrowEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class EndEvent(ThrowEvent):
    pass


# ---- activities -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StandardLoopCharacteristics(Element):
    test_before: bool = False
    condition: Expression | None = None
    maximum: int | None = None


class MultiInstanceBehavior(StrEnum):
    """When a multi-instance activity throws events (BPMN 2.0.2, 10.3.8)."""

    NONE = "None"
    ONE = "One"
    ALL = "All"
    COMPLEX = "Complex"


@dataclass(frozen=True, kw_only=True)
class ComplexBehaviorDefinition(Element):
    condition: Expression | None = None
    event: ThrowEvent | None = None


@dataclass(frozen=True, kw_only=True)
class MultiInstanceLoopCharacteristics(Element):
    """The collection comes from ``loop_data_input`` (standard) or from the extensions' loop."""

    is_sequential: bool = False
    cardinality: Expression | None = None
    loop_data_input: str = ""
    loop_data_output: str = ""
    input_item: DataInput | None = None
    output_item: DataOutput | None = None
    completion_condition: Expression | None = None
    behavior: MultiInstanceBehavior = MultiInstanceBehavior.ALL
    one_behavior_event: str = ""
    none_behavior_event: str = ""
    complex_behaviors: tuple[ComplexBehaviorDefinition, ...] = ()


LoopCharacteristics = StandardLoopCharacteristics | MultiInstanceLoopCharacteristics


@dataclass(frozen=True, kw_only=True)
class Activity(FlowNode):
    default: str = ""
    loop: LoopCharacteristics | None = None
    is_for_compensation: bool = False
    start_quantity: int = 1
    completion_quantity: int = 1
    properties: tuple[Property, ...] = ()
    io: IoSpecification | None = None
    input_associations: tuple[DataAssociation, ...] = ()
    output_associations: tuple[DataAssociation, ...] = ()
    resources: tuple[tuple[str, str], ...] = ()
    """``(kind, who)`` of resource roles: kind is performer, humanPerformer, potentialOwner …;
    ``who`` is the name of the resource, or the assignment expression with a leading ``=``."""
    resource_parameters: tuple[tuple[str, Expression], ...] = ()
    """What roles bind the parameters of their resource to, by ``kind.parameter``."""


@dataclass(frozen=True, kw_only=True)
class Task(Activity):
    pass


@dataclass(frozen=True, kw_only=True)
class ServiceTask(Task):
    implementation: str = ""
    operation: str = ""


@dataclass(frozen=True, kw_only=True)
class SendTask(Task):
    implementation: str = ""
    message: str = ""
    operation: str = ""


@dataclass(frozen=True, kw_only=True)
class ReceiveTask(Task):
    implementation: str = ""
    message: str = ""
    operation: str = ""
    instantiate: bool = False


@dataclass(frozen=True, kw_only=True)
class UserTask(Task):
    implementation: str = ""


@dataclass(frozen=True, kw_only=True)
class ManualTask(Task):
    pass


@dataclass(frozen=True, kw_only=True)
class ScriptTask(Task):
    script: Expression | None = None
    script_format: str = ""


@dataclass(frozen=True, kw_only=True)
class BusinessRuleTask(Task):
    implementation: str = ""


@dataclass(frozen=True, kw_only=True)
class CallActivity(Activity):
    called_element: str = ""


@dataclass(frozen=True, kw_only=True)
class Association(Element):
    source: str = ""
    target: str = ""
    direction: str = "None"


@dataclass(frozen=True, kw_only=True)
class UnsupportedElement(Element):
    """A BPMN element that is read and kept, but never executed (choreographies, say)."""

    tag: str


@dataclass(frozen=True, kw_only=True)
class Lane(Element):
    """``nodes`` are flow-node ids; ``lanes`` are the lanes inside this one. The lanes of one ``lane_set``
    divide the nodes among them; another lane set divides them once more (10.8)."""

    nodes: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()
    lane_set: str = ""


@dataclass(frozen=True, kw_only=True)
class FlowElementsContainer(Element):
    """What a process and a subprocess have in common (BPMN 2.0.2, 8.4.8)."""

    nodes: tuple[FlowNode, ...] = ()
    flows: tuple[SequenceFlow, ...] = ()
    data_objects: tuple[DataObject, ...] = ()
    data_object_references: tuple[DataObjectReference, ...] = ()
    data_store_references: tuple[DataStoreReference, ...] = ()
    associations: tuple[Association, ...] = ()
    lanes: tuple[Lane, ...] = ()
    unsupported: tuple[UnsupportedElement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SubProcess(Activity, FlowElementsContainer):
    """An embedded subprocess, or an event subprocess when ``triggered_by_event``."""

    triggered_by_event: bool = False


@dataclass(frozen=True, kw_only=True)
class Transaction(SubProcess):
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class AdHocSubProcess(SubProcess):
    ordering: str = "Parallel"
    completion_condition: Expression | None = None
    cancel_remaining_instances: bool = True


@dataclass(frozen=True, kw_only=True)
class Process(FlowElementsContainer):
    is_executable: bool = False
    is_closed: bool = False
    process_type: str = "None"
    properties: tuple[Property, ...] = ()
    io: IoSpecification | None = None
    correlation_subscriptions: tuple[CorrelationSubscription, ...] = ()
    resources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class GlobalTask(Element):
    """A reusable task; ``kind`` is its tag: ``globalUserTask``, ``globalScriptTask`` …"""

    kind: str
    script: Expression | None = None
    script_format: str = ""
    implementation: str = ""
    io: IoSpecification | None = None
    resources: tuple[tuple[str, str], ...] = ()
    resource_parameters: tuple[tuple[str, Expression], ...] = ()


# ---- collaborations -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Participant(Element):
    """A pool; ``process`` is empty for a black box. ``maximum`` is the multiplicity."""

    process: str = ""
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, kw_only=True)
class MessageFlow(Element):
    source: str
    target: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Collaboration(Element):
    participants: tuple[Participant, ...] = ()
    message_flows: tuple[MessageFlow, ...] = ()
    correlation_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """``(key id, correlation-property ids)``."""
    associations: tuple[Association, ...] = ()
    is_closed: bool = False
    unsupported: tuple[UnsupportedElement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Definitions(Element):
    """A whole BPMN file.

    ``source`` is the file's bytes, so that what was read can be drawn, hashed and written back.
    """

    target_namespace: str = ""
    expression_language: str = ""
    type_language: str = ""
    exporter: str = ""
    exporter_version: str = ""
    item_definitions: tuple[ItemDefinition, ...] = ()
    messages: tuple[Message, ...] = ()
    signals: tuple[Signal, ...] = ()
    errors: tuple[Error, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    operations: tuple[Operation, ...] = ()
    data_stores: tuple[DataStore, ...] = ()
    correlation_properties: tuple[CorrelationProperty, ...] = ()
    event_definitions: tuple[EventDefinition, ...] = ()
    processes: tuple[Process, ...] = ()
    global_tasks: tuple[GlobalTask, ...] = ()
    collaborations: tuple[Collaboration, ...] = ()
    imports: tuple[tuple[str, str, str], ...] = ()
    """``(importType, namespace, location)``; never followed."""
    unsupported: tuple[UnsupportedElement, ...] = ()
    findings: tuple[Finding, ...] = ()
    """In what the file departs from the schema, found while reading; errors refuse deployment."""
    source: bytes = field(default=b"", repr=False)

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that make the model unusable for execution."""
        return tuple(found for found in self.findings if found.severity is Severity.ERROR)
