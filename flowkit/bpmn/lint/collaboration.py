"""Pools, lanes and what passes between them (8.4, 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, a, error, warning
from flowkit.bpmn.model import (
    Activity,
    CatchEvent,
    Event,
    FlowElementsContainer,
    FlowNode,
    Lane,
    MessageEventDefinition,
    ReceiveTask,
    SendTask,
    SubProcess,
    ThrowEvent,
)

__all__ = ["RULES"]


def message_flow_pool(model: Model) -> Iterator[Problem]:
    for collaboration in model.definitions.collaborations:
        pool_of_process = {p.process: p.id for p in collaboration.participants if p.process}
        for flow in collaboration.message_flows:
            ends = [_pool(model, pool_of_process, end) for end in (flow.source, flow.target)]
            if ends[0] and ends[0] == ends[1]:
                yield Problem(
                    flow,
                    "the message flow stays within one pool.",
                    "Messages pass between pools; use a sequence flow, a signal or data inside one.",
                )


def _pool(model: Model, pool_of_process: dict[str, str], end: str) -> str:
    scope = model.scope_of.get(end)
    if scope is not None:
        # A process that no participant claims is a pool of its own.
        return pool_of_process.get(scope.process.id, scope.process.id)
    return end


def message_flow_end(model: Model) -> Iterator[Problem]:
    for collaboration in model.definitions.collaborations:
        for flow in collaboration.message_flows:
            source, target = model.nodes.get(flow.source), model.nodes.get(flow.target)
            if source is not None and not _may_send(source):
                yield Problem(
                    flow,
                    f"{a(source)} ('{source.name or source.id}') can't send a message.",
                    "Start it at a send task, another activity, or a message throw or end event.",
                )
            if target is not None and not _may_receive(target):
                yield Problem(
                    flow,
                    f"{a(target)} ('{target.name or target.id}') can't receive a message.",
                    "Lead the message flow to a receive task, another activity, or a message catch event.",
                )


def _has_message(event: Event) -> bool:
    return any(isinstance(d, MessageEventDefinition) for d in event.definitions)


def _may_send(node: FlowNode) -> bool:
    if isinstance(node, ThrowEvent):
        return _has_message(node)
    return isinstance(node, Activity) and not isinstance(node, ReceiveTask)


def _may_receive(node: FlowNode) -> bool:
    if isinstance(node, CatchEvent):
        return _has_message(node)
    return isinstance(node, Activity) and not isinstance(node, SendTask)


def message_flow_message(model: Model) -> Iterator[Problem]:
    for collaboration in model.definitions.collaborations:
        for flow in collaboration.message_flows:
            for end in (flow.source, flow.target):
                used = _messages(model.nodes.get(end))
                if flow.message and used and flow.message not in used:
                    yield Problem(
                        flow,
                        f"the flow carries '{flow.message}', but '{end}' uses '{used[0]}'.",
                        "Use the same message at the flow and at both of its ends.",
                    )
            sent, awaited = (_messages(model.nodes.get(end)) for end in (flow.source, flow.target))
            if sent and awaited and not flow.message and not set(sent) & set(awaited):
                yield Problem(
                    flow,
                    f"'{flow.source}' sends '{sent[0]}', but '{flow.target}' waits for '{awaited[0]}'.",
                    "Use the same message at both ends of the flow.",
                )


def _messages(node: FlowNode | None) -> list[str]:
    if isinstance(node, SendTask | ReceiveTask):
        return [node.message] if node.message else []
    if isinstance(node, Event):
        return [d.message for d in node.definitions if isinstance(d, MessageEventDefinition) and d.message]
    return []


def participant_multiplicity(model: Model) -> Iterator[Problem]:
    for collaboration in model.definitions.collaborations:
        for participant in collaboration.participants:
            if participant.minimum is None and participant.maximum is None:
                continue
            minimum = 0 if participant.minimum is None else participant.minimum
            maximum = 1 if participant.maximum is None else participant.maximum
            if minimum < 0 or maximum < 1 or maximum < minimum:
                yield Problem(
                    participant,
                    f"the multiplicity is from {minimum} to {maximum}.",
                    "The minimum is 0 or more, the maximum 1 or more and not below the minimum (9.3.1).",
                )


def participant_process(model: Model) -> Iterator[Problem]:
    for collaboration in model.definitions.collaborations:
        seen: set[str] = set()
        for participant in collaboration.participants:
            if participant.process and participant.process in seen:
                yield Problem(
                    participant,
                    f"the process '{participant.process}' is already that of another pool.",
                    "Give each pool its own process, or leave this one empty.",
                )
            seen.add(participant.process)


def _lanes(lanes: tuple[Lane, ...]) -> Iterator[Lane]:
    for lane in lanes:
        yield lane
        yield from _lanes(lane.lanes)


def lane_content(model: Model) -> Iterator[Problem]:
    for scope in model.scopes:
        inside = set(_all_ids(scope.container))
        for lane in _lanes(scope.container.lanes):
            for node in lane.nodes:
                if node not in inside:
                    yield Problem(
                        lane,
                        f"the lane lists '{node}', which lies in another process.",
                        "Move it into this process, or out of the lane.",
                    )
        yield from _shared(scope.container.lanes, inside)


def _shared(lanes: tuple[Lane, ...], inside: set[str]) -> Iterator[Problem]:
    """Nodes that lie in two lanes of one lane set; the lanes inside a lane divide its nodes further."""
    owners: dict[tuple[str, str], str] = {}
    for lane in lanes:
        for node in dict.fromkeys(n for one in _lanes((lane,)) for n in one.nodes if n in inside):
            owner = owners.setdefault((lane.lane_set, node), lane.id)
            if owner != lane.id:
                yield Problem(
                    lane,
                    f"'{node}' already lies in the lane '{owner}'.",
                    "A node lies in one lane: it says who is responsible.",
                )
    for lane in lanes:
        yield from _shared(lane.lanes, inside)


def _all_ids(container: FlowElementsContainer) -> Iterator[str]:
    for node in container.nodes:
        yield node.id
        if isinstance(node, SubProcess):
            yield from _all_ids(node)


def correlation_binding(model: Model) -> Iterator[Problem]:
    keys = {
        key: set(properties)
        for collaboration in model.definitions.collaborations
        for key, properties in collaboration.correlation_keys
    }
    for process in model.definitions.processes:
        for subscription in process.correlation_subscriptions:
            properties = keys.get(subscription.correlation_key, set())
            bound = Counter(name for name, _ in subscription.bindings)
            for name, count in bound.items():
                if properties and (name not in properties or count > 1):
                    yield Problem(
                        process,
                        f"the correlation subscription binds '{name}', "
                        + ("which is no property of its key." if count == 1 else f"{count} times."),
                        "Bind each property of the key once (8.4.2).",
                    )
            for missing in sorted(properties - bound.keys()):
                yield Problem(
                    process,
                    f"the correlation subscription gives no value for the property '{missing}' of its key.",
                    "Add a correlationPropertyBinding for it (8.4.2).",
                )


RULES: tuple[Rule, ...] = (
    error("message-flow-pool", "A message flow connects two pools.", message_flow_pool),
    error(
        "message-flow-end", "A message flow starts at what sends and ends at what receives.", message_flow_end
    ),
    error("message-flow-message", "A message flow carries the message of its ends.", message_flow_message),
    error("participant-multiplicity", "A pool's multiplicity is a range.", participant_multiplicity),
    warning("participant-process", "Each pool has its own process.", participant_process),
    error("lane-content", "A node lies in one lane of its own process.", lane_content),
    error(
        "correlation-binding",
        "A correlation subscription gives every property of its key.",
        correlation_binding,
    ),
)
