"""Where the first tokens of an instance stand, for each way to start it (BPMN 2.0.2, 13.2)."""

from __future__ import annotations

from flowkit.kernel import protocol as p
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import enter, take
from flowkit.kernel.program import Container, Node
from flowkit.kernel.state import Token

__all__ = ["put_start_tokens"]


def put_start_tokens(frame: Frame, container: Container, start_event: str | None, scope: int) -> int:
    """Put the first tokens into the process's scope; returns the first one's key."""
    if start_event is None:
        keys = [take(frame, scope, start) for start in container.starts]
        return keys[0]
    node = frame.program.nodes[start_event]
    gateway = _gateway_before(frame, node)
    first = _pass_start_event(frame, gateway or node, scope)
    if gateway is not None:
        return _start_behind_gateway(frame, gateway, node, scope, first)
    key = first
    if not key:
        key = frame.next_key()
        frame.emit(p.TokenCreated(key, start_event, scope))
    if node.kind == "startEvent":
        frame.queue.append((enter, (key,)))
    else:
        frame.push(_occurred, key)
    return key


def _gateway_before(frame: Frame, node: Node) -> Node | None:
    for flow_id in node.incoming:
        before = frame.program.nodes[frame.program.flows[flow_id].source]
        if before.kind == "eventBasedGateway":
            return before
    return None


def _pass_start_event(frame: Frame, node: Node, scope: int) -> int:
    """What instantiates may stand behind a start event (BPMN 2.0.2, 10.3.3 and 10.6.6): a token passes
    that first. Its key; 0 where nothing leads to ``node``."""
    for flow_id in node.incoming:
        flow = frame.program.flows[flow_id]
        key = frame.next_key()
        frame.emit(p.TokenCreated(key, flow.source, scope))
        frame.emit(p.ElementEntered(key, flow.source))
        frame.emit(p.ElementCompleted(key, flow.source))
        frame.emit(p.FlowTaken(key, flow.id, node.id))
        return key
    return 0


def _start_behind_gateway(frame: Frame, gateway: Node, node: Node, scope: int, arrived: int) -> int:
    """An instantiating event-based gateway: the event that occurred goes on; behind a parallel
    gateway the instance waits for all the other events as well (BPMN 2.0.2, 13.4.4)."""
    if arrived:
        frame.emit(p.ElementEntered(arrived, gateway.id))
        frame.emit(p.ElementCompleted(arrived, gateway.id))
    first = 0
    for flow in gateway.out:
        occurred = flow.target == node.id
        if not occurred and not gateway.parallel:
            continue
        if occurred and arrived:
            key = arrived
            frame.emit(p.FlowTaken(key, flow.id, flow.target))
        else:
            key = frame.next_key()
            frame.emit(p.TokenCreated(key, flow.target, scope, flow.id))
        if occurred:
            first = key
            frame.push(_occurred, key)
        else:
            frame.queue.append((enter, (key,)))
    return first


def _occurred(frame: Frame, key: int) -> None:
    """The event at which the instance starts has occurred: enter and leave it at once."""
    token: Token | None = frame.instance.tokens.get(key)
    if token is None:
        return
    node = frame.program.nodes[token.node]
    frame.emit(p.ElementEntered(key, node.id))
    node.behaviour.resume(frame, token, node, {})
