"""Joins: parallel, inclusive, complex, and activities with a start quantity.

An inclusive join fires when no token elsewhere can still reach one of its empty flows
(BPMN 2.0.2, 13.4.3): exactly, a token at ``n`` holds it back if it can reach an empty incoming
flow but no filled one. What can reach what was computed when the program was compiled, as bit sets;
a look therefore costs as much as there are *nodes* with tokens in the scope, however many tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.formula import Formula, Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import check_scope, enter, fail, spawn_along
from flowkit.kernel.program import Node
from flowkit.kernel.state import Scope, Token

__all__ = ["arrive_parallel", "arrive_quantity", "arrive_synchronizing", "settle"]


def arrive_parallel(frame: Frame, token: Token, node: Node, flow: str) -> None:
    """Fire as soon as every incoming flow has a token."""
    frame.emit(p.TokenArrived(token.key, flow))
    flows = frame.instance.scopes[token.scope].joins[node.id]
    if len(flows) < len(node.incoming):
        if node.synchronized:
            frame.moved[token.scope] = None
        return
    keys = tuple(waiting[0] for waiting in flows.values())
    _fire(frame, node, token.scope, flows[flow][0], keys)


def arrive_quantity(frame: Frame, token: Token, node: Node, flow: str) -> None:
    """``startQuantity`` tokens start the activity once (BPMN 2.0.2, 13.3.2)."""
    frame.emit(p.TokenArrived(token.key, flow))
    flows = frame.instance.scopes[token.scope].joins[node.id]
    keys = sorted(key for waiting in flows.values() for key in waiting)[: node.start_quantity]
    if len(keys) == node.start_quantity:
        _fire(frame, node, token.scope, keys[0], tuple(keys))


def arrive_synchronizing(frame: Frame, token: Token, node: Node, flow: str) -> None:
    """Wait; whether the join can fire is looked at when all tokens have come to rest."""
    frame.emit(p.TokenArrived(token.key, flow, True))
    frame.moved[token.scope] = None


def _fire(frame: Frame, node: Node, scope: int, key: int, keys: tuple[int, ...]) -> None:
    frame.emit(p.JoinFired(node.id, scope, key, keys))
    if node.synchronized:
        frame.moved[scope] = None
    frame.queue.append((enter, (key,)))


# ---- joins that look at what can still come -------------------------------------------------


def settle(frame: Frame) -> None:
    """All tokens rest: fire the synchronizing joins that nothing can reach any more."""
    instance = frame.instance
    while frame.moved:
        key = next(iter(frame.moved))
        del frame.moved[key]
        scope = instance.scopes.get(key)
        if scope is None or key not in instance.synchronizing:
            continue
        for node_id in [*scope.joins, *(n for n in scope.resetting if n not in scope.joins)]:
            node = frame.program.nodes[node_id]
            if node.reach and _look(frame, scope, node):
                frame.moved[key] = None
                break
        if frame.queue:
            return


def _look(frame: Frame, scope: Scope, node: Node) -> bool:
    if node.kind != "complexGateway":
        flows = scope.joins[node.id]
        if not _held_back(scope, node, flows, ()):
            _fire_waiting(frame, scope, node)
            return True
        return False
    if node.id in scope.resetting:
        return _reset(frame, scope, node)
    try:
        return _activate(frame, scope, node)
    except Trouble as trouble:
        flows = scope.joins[node.id]
        token = frame.instance.tokens[next(iter(flows.values()))[0]]
        if not token.holds:
            fail(frame, token, trouble, resume="settle")
        return False


def _held_back(scope: Scope, node: Node, flows: Mapping[str, Any], consumed: tuple[str, ...]) -> bool:
    """Can a token in the scope still reach an empty incoming flow, and no filled one?

    ``consumed`` are the flows that activated a complex gateway: they count as filled (13.4.5).
    That it could reach a filled one by a boundary event only excuses nobody: a reminder that leads to
    the join would otherwise let it fire while the reminded activity still runs.
    """
    filled = empty = 0
    for bit, flow in enumerate(node.incoming):
        if flow in flows or flow in consumed:
            filled |= 1 << bit
        else:
            empty |= 1 << bit
    reach, by_flow = node.reach, node.reach_by_flow
    for place in scope.at:
        if place != node.id and reach.get(place, 0) & empty and not by_flow.get(place, 0) & filled:
            return True
    return False


def _fire_waiting(frame: Frame, scope: Scope, node: Node) -> tuple[str, ...]:
    flows = scope.joins[node.id]
    taken = tuple(flows)
    keys = tuple(waiting[0] for waiting in flows.values())
    _fire(frame, node, scope.key, keys[0], keys)
    return taken


def _activate(frame: Frame, scope: Scope, node: Node) -> bool:
    """A complex gateway waiting for start: fire when its activation condition is true."""
    condition: Formula = node.detail
    flows = scope.joins[node.id]
    counts: dict[str, Any] = {flow: len(flows.get(flow, ())) for flow in node.incoming}
    counts["activationCount"] = sum(counts.values())
    if not frame.truth(condition, scope.key, counts):
        return False
    taken = _fire_waiting(frame, scope, node)
    frame.emit(p.JoinReset(node.id, scope.key, taken))
    return True


def _reset(frame: Frame, scope: Scope, node: Node) -> bool:
    """A complex gateway waiting for reset: the other flows have their tokens, or can't get any.

    Flows whose condition is true with ``waitingForStart`` false are taken, the default flow when none
    is (BPMN 2.0.2, 13.4.5); other flows without a condition belong to the activation alone.
    """
    activated = scope.resetting[node.id]
    waiting = scope.joins.get(node.id, {})
    late = {flow: tokens for flow, tokens in waiting.items() if flow not in activated}
    if _held_back(scope, node, late, activated):
        return False
    local = {"waitingForStart": False}
    chosen = [
        flow
        for flow in node.out
        if flow.condition is not None and frame.truth(flow.condition, scope.key, local)
    ]
    if not chosen and node.default is not None:
        chosen.append(node.default)
    keys = [tokens[0] for tokens in late.values()]
    frame.emit(p.JoinReset(node.id, scope.key))
    for flow in chosen:
        spawn_along(frame, scope.key, flow)
    for key in keys:
        frame.emit(p.TokenConsumed(key))
    frame.push(check_scope, scope.key)
    return True
