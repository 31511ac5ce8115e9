"""Gateways: how many flows, in which direction, and what may follow an event-based one."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.connections import instantiates
from flowkit.bpmn.lint.model import Model, Problem, Rule, Scope, a, error, kind
from flowkit.bpmn.model import (
    ComplexGateway,
    ConditionalEventDefinition,
    EventBasedGateway,
    FlowNode,
    Gateway,
    IntermediateCatchEvent,
    MessageEventDefinition,
    Process,
    ReceiveTask,
    SignalEventDefinition,
    StartEvent,
    TimerEventDefinition,
)

__all__ = ["RULES"]

_AFTER_EVENT_GATEWAY = (
    MessageEventDefinition | SignalEventDefinition | TimerEventDefinition | ConditionalEventDefinition
)


def gateway_connections(model: Model) -> Iterator[Problem]:
    for _, node in model.all(Gateway):
        if len(node.incoming) < 2 and len(node.outgoing) < 2:
            yield Problem(
                node,
                "the gateway neither splits nor merges: it has at most one flow in and one out.",
                "Remove it, or draw the missing flows (8.4.9).",
            )


_DIRECTIONS = {
    # direction: (several in, several out)
    "Converging": (True, False),
    "Diverging": (False, True),
    "Mixed": (True, True),
}


def gateway_direction(model: Model) -> Iterator[Problem]:
    for _, node in model.all(Gateway):
        expected = _DIRECTIONS.get(node.direction)
        found = (len(node.incoming) > 1, len(node.outgoing) > 1)
        if expected is not None and expected != found:
            yield Problem(
                node,
                f"gatewayDirection is {node.direction}, but the gateway has {len(node.incoming)} flows in "
                f"and {len(node.outgoing)} out.",
                "Correct the direction, or leave it out.",
            )


def event_gateway_outgoing(model: Model) -> Iterator[Problem]:
    for _, node in model.all(EventBasedGateway):
        if len(node.outgoing) < 2:
            yield Problem(
                node,
                "the event-based gateway has fewer than two outgoing flows: there is no choice.",
                "Add the other events, or use a catch event alone.",
            )


def event_gateway_target(model: Model) -> Iterator[Problem]:
    for scope, gateway in model.all(EventBasedGateway):
        for target in _targets(scope, gateway):
            if not _may_follow(target):
                yield Problem(
                    target,
                    f"{a(target)} follows the event-based gateway '{gateway.name or gateway.id}'.",
                    "Only message, timer, signal and conditional catch events and receive tasks may.",
                )
            elif len(target.incoming) > 1:
                yield Problem(
                    target,
                    "the event after an event-based gateway has other incoming flows.",
                    "Let only the gateway lead to it; join the paths behind it.",
                )
            elif isinstance(target, ReceiveTask) and scope.boundary_events(target):
                yield Problem(
                    target,
                    "the receive task after an event-based gateway has boundary events.",
                    "Draw the events as further branches of the gateway.",
                )


def _targets(scope: Scope, gateway: EventBasedGateway) -> list[FlowNode]:
    return [scope.nodes[f.target] for f in scope.outgoing(gateway) if f.target in scope.nodes]


def _may_follow(node: FlowNode) -> bool:
    if isinstance(node, ReceiveTask):
        return True
    return (
        isinstance(node, IntermediateCatchEvent)
        and bool(node.definitions)
        and all(isinstance(d, _AFTER_EVENT_GATEWAY) for d in node.definitions)
    )


def event_gateway_mixed(model: Model) -> Iterator[Problem]:
    for scope, gateway in model.all(EventBasedGateway):
        targets = _targets(scope, gateway)
        catches = any(
            isinstance(d, MessageEventDefinition)
            for t in targets
            if isinstance(t, IntermediateCatchEvent)
            for d in t.definitions
        )
        if catches and any(isinstance(t, ReceiveTask) for t in targets):
            yield Problem(
                gateway,
                "both message catch events and receive tasks follow the event-based gateway.",
                "Use one of the two kinds (10.6.6).",
            )


def parallel_event_gateway(model: Model) -> Iterator[Problem]:
    for scope, node in model.all(EventBasedGateway):
        if node.event_gateway_type != "Parallel":
            continue
        if not node.instantiate:
            yield Problem(
                node,
                "the event-based gateway is parallel, but does not start the process.",
                "Set instantiate to true, or use an exclusive one.",
            )
        elif any(not _receives_message(target) for target in _targets(scope, node)):
            yield Problem(
                node,
                "a parallel event-based gateway starts the process with something other than a message.",
                "Only messages can be correlated to one instance (10.6.6).",
            )


def _receives_message(node: FlowNode) -> bool:
    if isinstance(node, ReceiveTask):
        return True
    return isinstance(node, IntermediateCatchEvent) and all(
        isinstance(d, MessageEventDefinition) for d in node.definitions
    )


def instantiating_node(model: Model) -> Iterator[Problem]:
    for scope, node in model.all(FlowNode):
        if not instantiates(node):
            continue
        sources = [scope.nodes.get(flow.source) for flow in scope.incoming(node)]
        if len(sources) > 1 or any(not isinstance(source, StartEvent) for source in sources):
            yield Problem(
                node,
                f"the {kind(node)} starts the process (instantiate), but a sequence flow leads to it.",
                "Remove the flow, or set instantiate to false.",
            )
        elif not sources and any(scope.of(StartEvent)):
            yield Problem(
                node,
                f"the {kind(node)} starts the process (instantiate), and so does a start event.",
                "Remove the start event, or set instantiate to false (10.3.3, 10.6.6).",
            )
        elif any(not _passes(source) for source in sources):
            yield Problem(
                node,
                f"the {kind(node)} starts the process (instantiate), but the start event before it does more "
                "than lead to it.",
                "Leave the start event without trigger, mapping and further flows, or remove it.",
            )
        elif not isinstance(scope.container, Process):
            yield Problem(
                node,
                f"the {kind(node)} starts an instance (instantiate), but lies in a subprocess.",
                "Set instantiate to false, or move it to the top level.",
            )


def _passes(source: FlowNode | None) -> bool:
    """A start event that does nothing but lead to what instantiates."""
    assert isinstance(source, StartEvent)
    maps = source.extensions.outputs or source.output_associations
    return not source.definitions and not maps and len(source.outgoing) == 1


def complex_gateway_activation(model: Model) -> Iterator[Problem]:
    for _, node in model.run(ComplexGateway):
        if len(node.incoming) > 1 and node.activation_condition is None:
            yield Problem(
                node,
                "the complex gateway merges flows, but no activationCondition says when it goes on.",
                "Write the condition, such as activationCount >= 2.",
            )


RULES: tuple[Rule, ...] = (
    error("gateway-connections", "A gateway splits or merges.", gateway_connections),
    error("gateway-direction", "A gateway's direction agrees with its flows.", gateway_direction),
    error("event-gateway-outgoing", "An event-based gateway has two events or more.", event_gateway_outgoing),
    error(
        "event-gateway-target", "Only events that wait follow an event-based gateway.", event_gateway_target
    ),
    error(
        "event-gateway-mixed",
        "An event-based gateway does not mix message events and receive tasks.",
        event_gateway_mixed,
    ),
    error(
        "parallel-event-gateway",
        "A parallel event-based gateway starts a process with messages.",
        parallel_event_gateway,
    ),
    error(
        "instantiating-node",
        "What starts a process has no incoming flow and lies at its top.",
        instantiating_node,
    ),
    error(
        "complex-gateway-activation",
        "A complex gateway that merges says when it goes on.",
        complex_gateway_activation,
    ),
)
