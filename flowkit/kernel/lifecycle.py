"""The life of a token at a node: arrive, enter, activate, complete, leave, or be terminated.

Every behaviour is written against these functions; none of them knows a behaviour. The order of
events at a node is always: ElementEntered, what the behaviour emits, ElementCompleted, then the
flows; or ElementTerminated when the work was withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import Flow, Node
from flowkit.kernel.state import (
    Call,
    Condition,
    DataRequest,
    Incident,
    Job,
    Request,
    Scope,
    Subscription,
    Timer,
    Token,
    UserTask,
    Wait,
)

__all__ = [
    "ENDED",
    "arrive",
    "check_scope",
    "choose",
    "close_scope",
    "complete",
    "consume",
    "end_process",
    "enter",
    "fail",
    "fork",
    "leave",
    "open_scope",
    "release",
    "release_all",
    "spawn_along",
    "take",
    "terminate",
    "terminate_tokens",
    "withdraw",
]


# ---- coming to a node -----------------------------------------------------------------------


def arrive(frame: Frame, key: int, flow: str) -> None:
    """The token has come to its node along ``flow``: join there, or enter."""
    token = frame.instance.tokens.get(key)
    if token is None:
        return
    node = frame.program.nodes[token.node]
    if node.behaviour.arrive is not None and len(node.incoming) * node.start_quantity > 1:
        node.behaviour.arrive(frame, token, node, flow)
    else:
        enter(frame, key)


def enter(frame: Frame, key: int) -> None:
    """Enter the node at which the token stands and begin the node's work."""
    token = frame.instance.tokens.get(key)
    if token is None:
        return
    node = frame.program.nodes[token.node]
    if not token.active:
        frame.emit(p.ElementEntered(key, node.id))
    try:
        node.activate(frame, token, node)
    except Trouble as trouble:
        fail(frame, token, trouble, resume="enter")


def fail(frame: Frame, token: Token, trouble: Trouble, *, resume: str, subject: int = 0) -> None:
    """Raise an incident at the token; nothing else changes, the token stands."""
    frame.emit(
        p.IncidentRaised(
            frame.next_key(),
            token.key,
            token.node,
            trouble.kind,
            str(trouble),
            resume,
            trouble.details,
            subject,
        )
    )


# ---- leaving a node -------------------------------------------------------------------------


def complete(frame: Frame, token: Token, node: Node) -> None:
    """The node's work is done and nothing is held any more: leave it."""
    flows = node.out
    if node.conditional:
        try:
            flows = choose(frame, token, node)
        except Trouble as trouble:
            fail(frame, token, trouble, resume="leave")
            return
    frame.emit(p.ElementCompleted(token.key, node.id))
    fork(frame, token, node, flows)


def leave(frame: Frame, token: Token, node: Node, flows: Iterable[Flow]) -> None:
    """Like :func:`complete`, with flows that the behaviour chose."""
    frame.emit(p.ElementCompleted(token.key, node.id))
    fork(frame, token, node, tuple(flows))


def choose(frame: Frame, token: Token, node: Node) -> tuple[Flow, ...]:
    """The flows to take out of an activity or event: unconditional ones and those whose condition
    is true; the default flow when no condition is (BPMN 2.0.2, 13.3.1)."""
    chosen = [
        flow
        for flow in node.out
        if flow is not node.default and (flow.condition is None or frame.truth(flow.condition, token.scope))
    ]
    if node.default is not None and not any(flow.condition is not None for flow in chosen):
        chosen.append(node.default)
    if not chosen:
        raise Trouble(
            "no_flow",
            f"No condition on the flows out of '{node.name or node.id}' is true and there is no"
            " default flow.",
        )
    return tuple(chosen)


def fork(frame: Frame, token: Token, node: Node, flows: tuple[Flow, ...]) -> None:
    """Send the token along the first flow and new tokens along the others."""
    if node.synchronized:
        frame.moved[token.scope] = None
    if not flows:
        consume(frame, token)
        return
    key, scope = token.key, token.scope
    copies = node.completion_quantity - 1
    first = True
    for flow in flows:
        if first:
            frame.emit(p.FlowTaken(key, flow.id, flow.target))
            frame.queue.append((arrive, (key, flow.id)))
            first = False
        else:
            spawn_along(frame, scope, flow)
        for _ in range(copies):
            spawn_along(frame, scope, flow)


def spawn_along(frame: Frame, scope: int, flow: Flow) -> None:
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, flow.target, scope, flow.id))
    frame.queue.append((arrive, (key, flow.id)))


def take(frame: Frame, scope: int, node: str) -> int:
    """Put a new token at ``node`` in ``scope`` and let it enter; returns its key."""
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, node, scope))
    frame.queue.append((enter, (key,)))
    return key


def consume(frame: Frame, token: Token) -> None:
    """The token ends here; its scope may be finished by that."""
    scope = token.scope
    frame.emit(p.TokenConsumed(token.key))
    if frame.instance.scopes[scope].joins:
        frame.moved[scope] = None
    frame.queue.append((check_scope, (scope,)))


def check_scope(frame: Frame, key: int) -> None:
    """If no token is left in the scope, the node that opened it decides what happens."""
    scope = frame.instance.scopes.get(key)
    if scope is None:
        return
    if not scope.token:
        if not scope.tokens:
            _end_process(frame, scope)
        return
    owner = frame.instance.tokens[scope.token]
    node = frame.program.nodes[owner.node]
    if scope.tokens and not node.behaviour.attends:
        return
    try:
        ENDED.get(scope.kind, node.behaviour.emptied)(frame, scope, owner, node)
    except Trouble as trouble:
        fail(frame, owner, trouble, resume=f"scope:{key}")


ENDED: dict[str, Callable[[Frame, Scope, Token, Node], None]] = {}
"""By kind of scope: what happens when its last token is gone, whichever node opened it.

Filled by :mod:`flowkit.kernel.compensating`, which is written against this module."""


def _end_process(frame: Frame, scope: Scope) -> None:
    if frame.instance.status == "active":
        end_process(frame, scope, "completed")


def end_process(frame: Frame, scope: Scope, outcome: str) -> None:
    """The process is over, well; a caller also gets what there is to compensate in it."""
    variables = dict(scope.variables)
    instance, program, undo = frame.instance, frame.program, None
    if instance.parent is not None and (scope.records or program.undo):
        records = tuple(scope.records.values())
        undo = p.Compensable(0, program.process_id, variables, records, program.digest)
    close_scope(frame, scope)
    frame.emit(p.InstanceEnded(outcome, variables, undo=undo))


# ---- scopes ---------------------------------------------------------------------------------


def open_scope(
    frame: Frame,
    kind: str,
    node: str,
    parent: int,
    token: int,
    variables: Mapping[str, Any] | None = None,
) -> int:
    """Open a scope and return its key."""
    key = frame.next_key()
    frame.emit(p.ScopeOpened(key, kind, node, parent, token, variables or {}))
    return key


def close_scope(frame: Frame, scope: Scope) -> None:
    """Close an empty scope and what it still waits for."""
    for wait in list(scope.holds):
        release(frame, wait)
    frame.emit(p.ScopeClosed(scope.key))


# ---- withdrawing work -----------------------------------------------------------------------


def release(frame: Frame, key: int, reason: str = "cancelled") -> None:
    """Close one wait."""
    wait = frame.instance.waits[key]
    frame.emit(_RELEASE[type(wait)](wait, reason))


_RELEASE: dict[type[Wait], Any] = {
    Job: lambda wait, reason: p.JobClosed(wait.key, reason),
    UserTask: lambda wait, reason: p.UserTaskClosed(wait.key, reason),
    Timer: lambda wait, _: p.TimerCleared(wait.key),
    Subscription: lambda wait, _: p.SubscriptionClosed(wait.key),
    Condition: lambda wait, _: p.ConditionDisarmed(wait.key),
    Call: lambda wait, reason: p.CallClosed(wait.key, reason),
    Request: lambda wait, _: p.DecisionWithdrawn(wait.key),
    DataRequest: lambda wait, _: p.DataWithdrawn(wait.key),
    Incident: lambda wait, _: p.IncidentResolved(wait.key),
}


def release_all(frame: Frame, token: Token, reason: str = "cancelled") -> None:
    """Close everything that the token waits for."""
    for key in list(token.holds):
        release(frame, key, reason)


def withdraw(frame: Frame, token: Token) -> None:
    """Stop the work at the token's node: its waits, its scopes and all that is in them."""
    release_all(frame, token)
    for key in reversed(token.scopes):
        scope = frame.instance.scopes[key]
        terminate_tokens(frame, scope)
        close_scope(frame, scope)
    if token.pending:
        frame.emit(p.CompensationEnded(token.key))
    if token.active:
        frame.emit(p.ElementTerminated(token.key, token.node))


def terminate(frame: Frame, token: Token) -> None:
    """Withdraw the token's work and consume it, without finishing its scope."""
    withdraw(frame, token)
    frame.emit(p.TokenConsumed(token.key))


def terminate_tokens(frame: Frame, scope: Scope, keep: int = 0) -> None:
    """Terminate every token of the scope but ``keep``."""
    tokens = frame.instance.tokens
    for key in list(scope.tokens):
        if key != keep:
            terminate(frame, tokens[key])
