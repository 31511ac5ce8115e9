"""Reading activities, gateways, and the containers that hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flowkit.bpmn.model import (
    AdHocSubProcess,
    Association,
    BusinessRuleTask,
    CallActivity,
    ComplexBehaviorDefinition,
    ComplexGateway,
    EventBasedGateway,
    ExclusiveGateway,
    Expression,
    FlowNode,
    InclusiveGateway,
    Lane,
    LoopCharacteristics,
    ManualTask,
    MultiInstanceBehavior,
    MultiInstanceLoopCharacteristics,
    ParallelGateway,
    ReceiveTask,
    ScriptTask,
    SendTask,
    SequenceFlow,
    ServiceTask,
    StandardLoopCharacteristics,
    SubProcess,
    Task,
    Transaction,
    UserTask,
)
from flowkit.bpmn.parse_data import (
    read_associations,
    read_data_input,
    read_data_object,
    read_data_object_reference,
    read_data_output,
    read_data_store_reference,
    read_io,
    read_properties,
    read_resource_parameters,
    read_resources,
)
from flowkit.bpmn.parse_events import EVENTS, read_throw_event
from flowkit.bpmn.parse_reader import Reader, children, first, flag, number
from flowkit.bpmn.schema import BPMN, GROUPS
from flowkit.bpmn.xml import Node

__all__ = ["read_association", "read_container", "read_lanes", "read_script"]

_DATA = {
    "dataObject": ("data_objects", read_data_object),
    "dataObjectReference": ("data_object_references", read_data_object_reference),
    "dataStoreReference": ("data_store_references", read_data_store_reference),
}
_ARTIFACTS = frozenset({"group", "textAnnotation"})


def read_container(reader: Reader, node: Node) -> dict[str, Any]:
    """The keyword arguments of a ``FlowElementsContainer``."""
    nodes: list[FlowNode] = []
    flows: list[SequenceFlow] = []
    lists: dict[str, list[Any]] = {name: [] for name, _ in _DATA.values()}
    associations: list[Association] = []
    unsupported = []
    for child in node.children:
        if child.namespace != BPMN:
            continue
        if child.tag in NODES:
            nodes.append(NODES[child.tag](reader, child))
        elif child.tag == "sequenceFlow":
            flows.append(_flow(reader, child))
        elif child.tag in _DATA:
            name, read = _DATA[child.tag]
            lists[name].append(read(reader, child))
        elif child.tag == "association":
            associations.append(read_association(reader, child))
        elif child.tag in GROUPS["flowElement"] and child.tag not in _ARTIFACTS:
            unsupported.append(reader.unsupported(child))
    return {
        "nodes": _connected(nodes, flows),
        "flows": tuple(flows),
        **{name: tuple(found) for name, found in lists.items()},
        "associations": tuple(associations),
        "lanes": read_lanes(reader, node),
        "unsupported": tuple(unsupported),
    }


def _connected(nodes: list[FlowNode], flows: list[SequenceFlow]) -> tuple[FlowNode, ...]:
    """The nodes with their flows, which the sequence flows alone decide, in document order."""
    incoming: dict[str, list[str]] = {}
    outgoing: dict[str, list[str]] = {}
    for flow in flows:
        outgoing.setdefault(flow.source, []).append(flow.id)
        incoming.setdefault(flow.target, []).append(flow.id)
    return tuple(
        replace(n, incoming=tuple(incoming.get(n.id, ())), outgoing=tuple(outgoing.get(n.id, ())))
        for n in nodes
    )


def _flow(reader: Reader, node: Node) -> SequenceFlow:
    immediate = node.get("isImmediate")
    return SequenceFlow(
        **reader.common(node),
        source=reader.reference(node, "sourceRef"),
        target=reader.reference(node, "targetRef"),
        condition=reader.child_expression(node, "conditionExpression"),
        is_immediate=None if immediate is None else flag(node, "isImmediate", True),
    )


def read_association(reader: Reader, node: Node) -> Association:
    return Association(
        **reader.common(node),
        source=reader.reference(node, "sourceRef"),
        target=reader.reference(node, "targetRef"),
        direction=node.get("associationDirection") or "None",
    )


def read_lanes(reader: Reader, node: Node, tag: str = "laneSet") -> tuple[Lane, ...]:
    """The lanes of all lane sets below ``node``."""
    return tuple(
        Lane(
            **reader.common(lane),
            nodes=reader.child_references(lane, "flowNodeRef"),
            lanes=read_lanes(reader, lane, "childLaneSet"),
            lane_set=reader.id_of(lane_set),
        )
        for lane_set in children(node, tag)
        for lane in children(lane_set, "lane")
    )


def read_script(reader: Reader, node: Node) -> Expression | None:
    script = first(node, "script")
    if script is None:
        return None
    return Expression(script.text.strip().removeprefix("=").strip(), location=script.location)


# ---- loops ----------------------------------------------------------------------------------


def _loop(reader: Reader, node: Node) -> LoopCharacteristics | None:
    standard = first(node, "standardLoopCharacteristics")
    if standard is not None:
        return StandardLoopCharacteristics(
            **reader.common(standard),
            test_before=flag(standard, "testBefore", False),
            condition=reader.child_expression(standard, "loopCondition"),
            maximum=number(standard, "loopMaximum"),
        )
    multiple = first(node, "multiInstanceLoopCharacteristics")
    return _multi_instance(reader, multiple) if multiple is not None else None


def _multi_instance(reader: Reader, node: Node) -> MultiInstanceLoopCharacteristics:
    input_item, output_item = first(node, "inputDataItem"), first(node, "outputDataItem")
    behavior = node.get("behavior") or "All"
    known = behavior in MultiInstanceBehavior._value2member_map_
    return MultiInstanceLoopCharacteristics(
        **reader.common(node),
        is_sequential=flag(node, "isSequential", False),
        cardinality=reader.child_expression(node, "loopCardinality"),
        loop_data_input=reader.child_reference(node, "loopDataInputRef"),
        loop_data_output=reader.child_reference(node, "loopDataOutputRef"),
        input_item=read_data_input(reader, input_item) if input_item is not None else None,
        output_item=read_data_output(reader, output_item) if output_item is not None else None,
        completion_condition=reader.child_expression(node, "completionCondition"),
        behavior=MultiInstanceBehavior(behavior) if known else MultiInstanceBehavior.ALL,
        one_behavior_event=reader.reference(node, "oneBehaviorEventRef"),
        none_behavior_event=reader.reference(node, "noneBehaviorEventRef"),
        complex_behaviors=tuple(
            _complex_behavior(reader, c) for c in children(node, "complexBehaviorDefinition")
        ),
    )


def _complex_behavior(reader: Reader, node: Node) -> ComplexBehaviorDefinition:
    event = first(node, "event")
    return ComplexBehaviorDefinition(
        **reader.common(node),
        condition=reader.child_expression(node, "condition"),
        event=read_throw_event(reader, event) if event is not None else None,
    )


# ---- activities -----------------------------------------------------------------------------


def _activity(reader: Reader, node: Node) -> dict[str, Any]:
    start, completion = number(node, "startQuantity"), number(node, "completionQuantity")
    return {
        **reader.common(node),
        "default": reader.reference(node, "default"),
        "loop": _loop(reader, node),
        "is_for_compensation": flag(node, "isForCompensation", False),
        "start_quantity": 1 if start is None else start,
        "completion_quantity": 1 if completion is None else completion,
        "properties": read_properties(reader, node),
        "io": read_io(reader, node),
        "input_associations": read_associations(reader, node, "dataInputAssociation"),
        "output_associations": read_associations(reader, node, "dataOutputAssociation"),
        "resources": read_resources(reader, node),
        "resource_parameters": read_resource_parameters(reader, node),
    }


def _implementation(node: Node) -> str:
    """The technology, where the file names one beyond the standard's placeholders."""
    text = (node.get("implementation") or "").strip()
    return "" if text.lower() in ("##unspecified", "##webservice", "unspecified", "webservice") else text


def _service(reader: Reader, node: Node) -> FlowNode:
    return ServiceTask(
        **_activity(reader, node),
        implementation=_implementation(node),
        operation=reader.reference(node, "operationRef"),
    )


def _send(reader: Reader, node: Node) -> FlowNode:
    return SendTask(
        **_activity(reader, node),
        implementation=_implementation(node),
        message=reader.reference(node, "messageRef"),
        operation=reader.reference(node, "operationRef"),
    )


def _receive(reader: Reader, node: Node) -> FlowNode:
    return ReceiveTask(
        **_activity(reader, node),
        implementation=_implementation(node),
        message=reader.reference(node, "messageRef"),
        operation=reader.reference(node, "operationRef"),
        instantiate=flag(node, "instantiate", False),
    )


def _script(reader: Reader, node: Node) -> FlowNode:
    return ScriptTask(
        **_activity(reader, node),
        script=read_script(reader, node),
        script_format=(node.get("scriptFormat") or "").strip(),
    )


def _sub_process(reader: Reader, node: Node) -> FlowNode:
    return SubProcess(
        **_activity(reader, node),
        **read_container(reader, node),
        triggered_by_event=flag(node, "triggeredByEvent", False),
    )


def _transaction(reader: Reader, node: Node) -> FlowNode:
    return Transaction(
        **_activity(reader, node),
        **read_container(reader, node),
        triggered_by_event=flag(node, "triggeredByEvent", False),
        method=node.get("method") or "",
    )


def _ad_hoc(reader: Reader, node: Node) -> FlowNode:
    return AdHocSubProcess(
        **_activity(reader, node),
        **read_container(reader, node),
        triggered_by_event=flag(node, "triggeredByEvent", False),
        ordering=node.get("ordering") or "Parallel",
        completion_condition=reader.child_expression(node, "completionCondition"),
        cancel_remaining_instances=flag(node, "cancelRemainingInstances", True),
    )


# ---- gateways -------------------------------------------------------------------------------


def _gateway(reader: Reader, node: Node) -> dict[str, Any]:
    return {**reader.common(node), "direction": node.get("gatewayDirection") or "Unspecified"}


def _complex_gateway(reader: Reader, node: Node) -> FlowNode:
    return ComplexGateway(
        **_gateway(reader, node),
        default=reader.reference(node, "default"),
        activation_condition=reader.child_expression(node, "activationCondition"),
    )


def _event_based(reader: Reader, node: Node) -> FlowNode:
    return EventBasedGateway(
        **_gateway(reader, node),
        instantiate=flag(node, "instantiate", False),
        event_gateway_type=node.get("eventGatewayType") or "Exclusive",
    )


NODES: Mapping[str, Callable[[Reader, Node], FlowNode]] = {
    **EVENTS,
    "task": lambda r, n: Task(**_activity(r, n)),
    "serviceTask": _service,
    "sendTask": _send,
    "receiveTask": _receive,
    "userTask": lambda r, n: UserTask(**_activity(r, n), implementation=_implementation(n)),
    "manualTask": lambda r, n: ManualTask(**_activity(r, n)),
    "scriptTask": _script,
    "businessRuleTask": lambda r, n: BusinessRuleTask(**_activity(r, n), implementation=_implementation(n)),
    "callActivity": lambda r, n: CallActivity(
        **_activity(r, n), called_element=(n.get("calledElement") or "").rpartition(":")[2].strip()
    ),
    "subProcess": _sub_process,
    "transaction": _transaction,
    "adHocSubProcess": _ad_hoc,
    "exclusiveGateway": lambda r, n: ExclusiveGateway(**_gateway(r, n), default=r.reference(n, "default")),
    "inclusiveGateway": lambda r, n: InclusiveGateway(**_gateway(r, n), default=r.reference(n, "default")),
    "parallelGateway": lambda r, n: ParallelGateway(**_gateway(r, n)),
    "complexGateway": _complex_gateway,
    "eventBasedGateway": _event_based,
}
