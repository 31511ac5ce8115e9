"""Is everything connected, and only with what it may be connected with?"""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, error, kind, warning
from flowkit.bpmn.model import (
    Activity,
    AdHocSubProcess,
    BoundaryEvent,
    CompensateEventDefinition,
    EndEvent,
    Event,
    EventBasedGateway,
    FlowNode,
    IntermediateCatchEvent,
    IntermediateThrowEvent,
    LinkEventDefinition,
    Process,
    ReceiveTask,
    StartEvent,
    SubProcess,
)

__all__ = ["RULES", "instantiates", "is_link", "outside_flow"]


def outside_flow(node: FlowNode) -> bool:
    """Nodes that no sequence flow reaches or leaves: event subprocesses and compensation handlers."""
    if isinstance(node, SubProcess) and node.triggered_by_event:
        return True
    return isinstance(node, Activity) and node.is_for_compensation


def is_link(node: FlowNode) -> bool:
    return isinstance(node, Event) and any(isinstance(d, LinkEventDefinition) for d in node.definitions)


def instantiates(node: FlowNode) -> bool:
    """Receive tasks and event-based gateways that start an instance."""
    return isinstance(node, ReceiveTask | EventBasedGateway) and node.instantiate


def _is_compensation(node: FlowNode) -> bool:
    return isinstance(node, BoundaryEvent) and any(
        isinstance(d, CompensateEventDefinition) for d in node.definitions
    )


def flow_across_scopes(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        for flow in scope.flows.values():
            for end, role in ((flow.source, "starts at"), (flow.target, "leads to")):
                if end and end not in scope.nodes and end in model.nodes:
                    other = model.scope_of[end].container
                    yield Problem(
                        flow,
                        f"the sequence flow {role} '{end}', which lies in "
                        f"'{other.name or other.id}', not in '{scope.container.name or scope.container.id}'.",
                        "A sequence flow never crosses a pool's or subprocess's border: use a message flow "
                        "between pools, an event at the border of a subprocess.",
                    )


def start_event_incoming(model: Model) -> Iterator[Problem]:
    for _, node in model.all(StartEvent):
        if node.incoming:
            yield Problem(node, "a sequence flow leads into the start event.", "Lead it to what comes after.")


def end_event_outgoing(model: Model) -> Iterator[Problem]:
    for _, node in model.all(EndEvent):
        if node.outgoing:
            yield Problem(
                node,
                "a sequence flow leaves the end event.",
                "Use an intermediate event if the path goes on.",
            )


def boundary_event_incoming(model: Model) -> Iterator[Problem]:
    for _, node in model.all(BoundaryEvent):
        if node.incoming:
            yield Problem(
                node,
                "a sequence flow leads into the boundary event.",
                "A boundary event is triggered by its activity only; lead the flow elsewhere.",
            )


def boundary_event_scope(model: Model) -> Iterator[Problem]:
    for scope, node in model.all(BoundaryEvent):
        host = model.nodes.get(node.attached_to)
        if host is None:
            continue
        if node.attached_to not in scope.nodes:
            yield Problem(
                node,
                f"the boundary event is attached to '{host.name or host.id}', which lies in another scope.",
                "Attach it to an activity of the same process or subprocess.",
            )
        elif isinstance(host, SubProcess) and host.triggered_by_event:
            yield Problem(
                node,
                "a boundary event is attached to an event subprocess.",
                "Attach it to the activity around, or handle the event inside.",
            )


def unconnected_node(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        ad_hoc = isinstance(scope.container, AdHocSubProcess)
        starts = any(scope.of(StartEvent))
        ends = any(scope.of(EndEvent))
        for node in scope.nodes.values():
            if outside_flow(node):
                continue
            entered = starts or isinstance(node, IntermediateCatchEvent | IntermediateThrowEvent)
            if entered and not ad_hoc and not node.incoming and not _starts_itself(node):
                yield Problem(
                    node,
                    f"nothing leads to this {kind(node)}, so it never runs.",
                    "Connect it with a sequence flow, or remove it.",
                )
            if not node.outgoing and _must_go_on(node, ends and not ad_hoc):
                yield Problem(
                    node,
                    f"no sequence flow leaves this {kind(node)}.",
                    "Connect it with what follows, or with an end event.",
                )


def _starts_itself(node: FlowNode) -> bool:
    if isinstance(node, StartEvent | BoundaryEvent) or instantiates(node):
        return True
    return isinstance(node, IntermediateCatchEvent) and is_link(node)


def _must_go_on(node: FlowNode, explicit_end: bool) -> bool:
    """10.5.4: intermediate events have an outgoing flow; 10.5.3: with an end event, everything has."""
    if isinstance(node, EndEvent) or _is_compensation(node):
        return False
    if isinstance(node, IntermediateThrowEvent):
        return not is_link(node)
    return explicit_end or isinstance(node, BoundaryEvent | IntermediateCatchEvent | StartEvent)


def missing_start_event(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        if isinstance(scope.container, AdHocSubProcess) or any(scope.of(StartEvent)):
            continue
        if any(instantiates(n) for n in scope.nodes.values()):
            continue
        inside = [n for n in scope.nodes.values() if not outside_flow(n)]
        entries = [n for n in inside if not n.incoming and not isinstance(n, BoundaryEvent)]
        if any(scope.of(EndEvent)):
            yield Problem(
                scope.container,
                f"the {_word(scope)} has an end event, but no start event.",
                "Add a start event (10.5.2), or leave out both.",
            )
        elif inside and scope.executable and all(is_link(n) for n in entries):
            yield Problem(
                scope.container,
                f"the {_word(scope)} has no start event, and a flow leads into each of its nodes: "
                "nothing would begin.",
                "Add a start event (10.5.2).",
            )


def missing_end_event(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        if isinstance(scope.container, AdHocSubProcess) or not any(scope.of(StartEvent)):
            continue
        if not any(scope.of(EndEvent)):
            yield Problem(
                scope.container,
                f"the {_word(scope)} has a start event, but no end event.",
                "Add an end event (10.5.3), or leave out both.",
            )


def _word(scope: Scope) -> str:
    return "process" if isinstance(scope.container, Process) else kind(scope.container)


def empty_container(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        activities = [node for node in scope.nodes.values() if isinstance(node, Activity)]
        if not scope.nodes and scope.executable:
            yield Problem(
                scope.container, f"the {_word(scope)} is empty: it would do nothing.", "Fill or remove it."
            )
        elif isinstance(scope.container, AdHocSubProcess) and not activities:
            yield Problem(
                scope.container,
                "the ad-hoc subprocess holds no activity.",
                "Add the activities to choose from.",
            )


def unreachable_node(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        if isinstance(scope.container, AdHocSubProcess) or not any(scope.of(StartEvent)):
            continue
        reached = _reached(scope)
        for node in scope.nodes.values():
            if node.incoming and node.id not in reached:
                yield Problem(
                    node,
                    f"no path leads from a start event to this {kind(node)}.",
                    "Connect it with the main path, or remove it.",
                )


def _is_entry(scope: Scope, node: FlowNode) -> bool:
    if isinstance(node, StartEvent) or outside_flow(node):
        return True
    if isinstance(node, BoundaryEvent) and node.attached_to not in scope.nodes:
        return True  # wrong, and told by another rule; what follows is not to blame
    return not node.incoming and not isinstance(node, BoundaryEvent) and _starts_itself(node)


def _reached(scope: Scope) -> set[str]:
    todo = [n.id for n in scope.nodes.values() if _is_entry(scope, n)]
    reached: set[str] = set()
    while todo:
        at = todo.pop()
        if at in reached or at not in scope.nodes:
            continue
        reached.add(at)
        node = scope.nodes[at]
        todo.extend(flow.target for flow in scope.outgoing(node))
        todo.extend(event.id for event in scope.boundary_events(node))
    return reached


RULES: tuple[Rule, ...] = (
    error(
        "flow-across-scopes", "A sequence flow stays within one process or subprocess.", flow_across_scopes
    ),
    error("start-event-incoming", "No sequence flow leads into a start event.", start_event_incoming),
    error("end-event-outgoing", "No sequence flow leaves an end event.", end_event_outgoing),
    error(
        "boundary-event-incoming", "No sequence flow leads into a boundary event.", boundary_event_incoming
    ),
    error(
        "boundary-event-scope", "A boundary event sits on an activity of its own scope.", boundary_event_scope
    ),
    error("unconnected-node", "Every node is connected with the flow.", unconnected_node),
    error("missing-start-event", "A process or subprocess has somewhere to begin.", missing_start_event),
    error("missing-end-event", "Where there is a start event, there is an end event.", missing_end_event),
    error("empty-container", "A process or subprocess that runs holds something to do.", empty_container),
    warning("unreachable-node", "Every node can be reached from a start.", unreachable_node),
)
