"""What happens when a catching event occurs: at an intermediate event, on a boundary, behind an
event-based gateway, or at the start of an event subprocess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.catching import catches_of
from flowkit.kernel.concluding import conclude_event
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import release, release_all, terminate_tokens, withdraw
from flowkit.kernel.program import Node
from flowkit.kernel.state import Condition, Scope, Subscription, Timer, Token

__all__ = ["content", "deliver_signal", "trigger", "trigger_boundary", "trigger_event_subprocess"]

Trigger = Timer | Subscription | Condition


def trigger(frame: Frame, wait: Trigger, variables: Mapping[str, Any]) -> None:
    """The event definition that ``wait`` stands for has occurred."""
    event = frame.program.nodes[wait.node]
    if event.carried:
        variables = content(event, wait.part, variables)
    if event.parallel:
        brought = _all_occurred(frame, event, wait, variables)
        if brought is None:
            return
        variables = brought
    instance = frame.instance
    if event.attached_to:
        trigger_boundary(frame, instance.tokens[wait.token], event, variables)
    elif not wait.token:
        trigger_event_subprocess(frame, instance.scopes[wait.scope], event, variables)
    else:
        token = instance.tokens[wait.token]
        if token.node != event.id:
            _follow_gateway(frame, token, event)
        release_all(frame, token)
        event.behaviour.resume(frame, token, event, variables)


def content(event: Node, part: int, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """What came with definition ``part``, also under the name of its data output (BPMN 2.0.2, 10.5.1).

    The sender may call it otherwise: a single variable is the content, of several all together are."""
    name = event.carried[part] if part < len(event.carried) else ""
    if not name or not variables or name in variables:
        return variables
    whole = next(iter(variables.values())) if len(variables) == 1 else dict(variables)
    return {**variables, name: whole}


def _all_occurred(
    frame: Frame, event: Node, wait: Trigger, variables: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Note one part of a parallel-multiple event; what all of them brought when it was the last one.

    A part that has occurred waits no longer, unless the event can occur again: it is non-interrupting.
    """
    place = f"{wait.token}:{event.id}"
    scope = frame.instance.scopes[wait.scope]
    parts = {*scope.occurred.get(place, ()), wait.part}
    frame.emit(p.PartOccurred(wait.token, wait.scope, event.id, wait.part, variables))
    if event.interrupting and wait.key in frame.instance.waits:
        release(frame, wait.key)
    if len(parts) < len(catches_of(event)):
        return None
    brought = dict(scope.brought.get(place, {}))
    frame.emit(p.PartOccurred(wait.token, wait.scope, event.id, -1))
    return brought


def _follow_gateway(frame: Frame, token: Token, event: Node) -> None:
    """The first event behind an event-based gateway: the token goes there, the others are off."""
    gateway = frame.program.nodes[token.node]
    flow = next(flow for flow in gateway.out if flow.target == event.id)
    release_all(frame, token)
    frame.emit(p.ElementCompleted(token.key, gateway.id))
    frame.emit(p.FlowTaken(token.key, flow.id, event.id))
    frame.emit(p.ElementEntered(token.key, event.id))


def trigger_boundary(frame: Frame, host: Token, event: Node, variables: Mapping[str, Any]) -> None:
    """A boundary event of the activity at ``host``: interrupt it, or start a token beside it."""
    frame.emit(p.EventTriggered(event.id, host.key, event.interrupting))
    if frame.program.nodes[host.node].synchronized:
        frame.moved[host.scope] = None
    if event.interrupting:
        withdraw(frame, host)
        frame.emit(p.TokenMoved(host.key, event.id))
        token = host
    else:
        key = frame.next_key()
        frame.emit(p.TokenCreated(key, event.id, host.scope))
        token = frame.instance.tokens[key]
    frame.emit(p.ElementEntered(token.key, event.id))
    conclude_event(frame, token, event, variables)


def trigger_event_subprocess(frame: Frame, scope: Scope, start: Node, variables: Mapping[str, Any]) -> None:
    """The start of an event subprocess of ``scope``: interrupt the scope's other work, or run beside.

    An interrupted scope takes no further event (BPMN 2.0.2, 13.5.4).
    """
    frame.emit(p.EventTriggered(start.id, scope.token, start.interrupting))
    if start.interrupting:
        frame.moved.pop(scope.key, None)
        for wait in list(scope.holds):
            release(frame, wait)
        terminate_tokens(frame, scope)
    key = frame.next_key()
    node = start.container
    frame.emit(p.TokenCreated(key, node, scope.key))
    frame.emit(p.ElementEntered(key, node))
    frame.queue.append((_run_event_subprocess, (key, start.id, dict(variables))))


def _run_event_subprocess(frame: Frame, key: int, start: str, variables: dict[str, Any]) -> None:
    token = frame.instance.tokens.get(key)
    if token is None:
        return
    node = frame.program.nodes[token.node]
    node.behaviour.resume(frame, token, node, {"start": start, "variables": variables})


def deliver_signal(frame: Frame, name: str, variables: Mapping[str, Any]) -> None:
    """Trigger every subscription of the instance that is open for the signal now."""
    instance = frame.instance
    open_now = [
        wait.key
        for wait in instance.waits.values()
        if isinstance(wait, Subscription) and wait.kind == "signal" and wait.name == name
    ]
    for key in open_now:
        wait = instance.waits.get(key)
        if isinstance(wait, Subscription):
            frame.emit(p.SubscriptionTriggered(key))
            trigger(frame, wait, variables)
