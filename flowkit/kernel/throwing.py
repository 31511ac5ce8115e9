"""Throwing events: what each kind of result does (BPMN 2.0.2, 10.5.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.catching import correlation_key
from flowkit.kernel.compensating import start_compensation
from flowkit.kernel.correlating import learn, thrown_key
from flowkit.kernel.formula import Formula, Trouble, findable
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import check_scope, consume, end_process, enter, terminate_tokens
from flowkit.kernel.program import Node, Throw
from flowkit.kernel.raising import raise_error, raise_escalation
from flowkit.kernel.state import Token
from flowkit.kernel.triggering import deliver_signal, trigger_boundary
from flowkit.timers import parse_timer_duration

__all__ = ["cancelled", "check", "throw"]


def throw(
    frame: Frame, token: Token, node: Node, result: Throw, payload: Mapping[str, Any], scope: int
) -> bool:
    """Throw one result. True: the token goes on by itself; False: the throw has taken it, or keeps it."""
    return _THROW[result.kind](frame, token, node, result, payload, scope)


def check(frame: Frame, results: tuple[Throw, ...], payload: Mapping[str, Any], scope: int) -> None:
    """Evaluate what several results need, so that none of them is thrown if one can't be."""
    for result in results:
        if result.kind == "message":
            _key(frame, result, payload, scope)
            _message_id(frame, result, scope)
            _text(frame, result.time_to_live, scope)
        else:
            _named(frame, result, scope)


def _none(*_: Any) -> bool:
    return True


def _message(
    frame: Frame, token: Token, node: Node, result: Throw, payload: Mapping[str, Any], scope: int
) -> bool:
    key = _key(frame, result, payload, scope)
    given = _message_id(frame, result, scope)
    lifetime = _text(frame, result.time_to_live, scope)
    ttl = None
    if lifetime:
        ttl = (parse_timer_duration(lifetime).after(frame.now) - frame.now).total_seconds()
    message_id = given or f"{frame.instance.id}:{frame.instance.counter}:{len(frame.events)}"
    learn(frame, result.correlation, key)
    frame.emit(p.MessageThrown(token.key, node.id, result.name, key, payload, message_id, ttl))
    return True


def _key(frame: Frame, result: Throw, payload: Mapping[str, Any], scope: int) -> str:
    if result.correlation is not None:
        return thrown_key(frame, result.correlation, result.name, payload)
    return correlation_key(frame, result, scope)


def _message_id(frame: Frame, result: Throw, scope: int) -> str:
    given = _text(frame, result.message_id, scope)
    return findable(given, "expression", "message id", result.message_id.text) if result.message_id else given


def _text(frame: Frame, formula: Formula | None, scope: int) -> str:
    if formula is None:
        return ""
    value = frame.value(formula, scope)
    return "" if value is None else str(value)


def _signal(
    frame: Frame, token: Token, node: Node, result: Throw, payload: Mapping[str, Any], scope: int
) -> bool:
    name = _named(frame, result, scope)
    frame.emit(p.SignalThrown(token.key, node.id, name, payload))
    frame.push(deliver_signal, name, payload)
    return True


def _named(frame: Frame, result: Throw, scope: int) -> str:
    if result.code is None:
        return result.name
    value = frame.value(result.code, scope)
    if not isinstance(value, str) or not value:
        raise Trouble(
            "expression",
            f"The {result.kind} '{result.code.text}' must be a text, but is {value!r}.",
        )
    return findable(value, "expression", result.kind, result.code.text)


def _escalation(
    frame: Frame, token: Token, node: Node, result: Throw, payload: Mapping[str, Any], scope: int
) -> bool:
    last = node.multi is None and result is node.throws[-1]
    raise_escalation(frame, token, _named(frame, result, scope), payload, completes=last)
    here = frame.instance.tokens.get(token.key)
    return here is not None and here.node == node.id and here.active


def _error(
    frame: Frame, token: Token, node: Node, result: Throw, payload: Mapping[str, Any], scope: int
) -> bool:
    ends = not node.out and node.multi is None
    raise_error(frame, token, _named(frame, result, scope), "", payload, completes=ends)
    return False


def _compensation(
    frame: Frame, token: Token, node: Node, result: Throw, _: Mapping[str, Any], scope: int
) -> bool:
    if result.wait:
        return not start_compensation(frame, token, scope, result.activity)
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, node.id, token.scope))
    frame.emit(p.ElementEntered(key, node.id))
    runner = frame.instance.tokens[key]
    if not start_compensation(frame, runner, scope, result.activity):
        frame.emit(p.ElementCompleted(key, node.id))
        consume(frame, runner)
    return True


def _terminate(frame: Frame, token: Token, node: Node, _: Throw, __: Mapping[str, Any], ___: int) -> bool:
    """Everything else in the scope ends; the scope itself then completes."""
    instance = frame.instance
    scope = instance.scopes[token.scope]
    frame.emit(p.ElementCompleted(token.key, node.id))
    terminate_tokens(frame, scope, keep=token.key)
    frame.emit(p.TokenConsumed(token.key))
    if scope.token:
        frame.push(check_scope, scope.key)
    else:
        end_process(frame, scope, "terminated")
    return False


def _cancel(frame: Frame, token: Token, node: Node, _: Throw, __: Mapping[str, Any], ___: int) -> bool:
    """The transaction is cancelled: its other work ends, what it has done is compensated, then its
    cancel boundary event is taken (BPMN 2.0.2, 13.5.3)."""
    scope = frame.instance.scopes[token.scope]
    terminate_tokens(frame, scope, keep=token.key)
    if not start_compensation(frame, token, scope.key, ""):
        cancelled(frame, token)
    return False


def cancelled(frame: Frame, token: Token) -> None:
    """The compensation of a cancelled transaction is done: leave by the cancel boundary event."""
    scope = frame.instance.scopes[token.scope]
    frame.emit(p.ElementCompleted(token.key, token.node))
    owner = frame.instance.tokens[scope.token]
    in_body = frame.instance.scopes[owner.scope]
    while in_body.node == owner.node:  # the owner is one instance of a loop
        owner = frame.instance.tokens[in_body.token]
        in_body = frame.instance.scopes[owner.scope]
    nodes = frame.program.nodes
    for event in nodes[owner.node].boundary:
        if any(catch.kind == "cancel" for catch in nodes[event].catches):
            trigger_boundary(frame, owner, nodes[event], {})
            return
    consume(frame, token)


def _link(frame: Frame, token: Token, node: Node, result: Throw, _: Mapping[str, Any], __: int) -> bool:
    frame.emit(p.ElementCompleted(token.key, node.id))
    frame.emit(p.TokenMoved(token.key, result.target))
    frame.push(enter, token.key)
    return False


_THROW: dict[str, Callable[..., bool]] = {
    "none": _none,
    "message": _message,
    "signal": _signal,
    "escalation": _escalation,
    "error": _error,
    "compensation": _compensation,
    "terminate": _terminate,
    "cancel": _cancel,
    "link": _link,
}
