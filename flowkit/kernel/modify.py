"""Modification: an operator moves, ends or starts tokens by hand."""

from __future__ import annotations

from flowkit.errors import NotFound, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.behaviours.ad_hoc import begin_activity
from flowkit.kernel.behaviours.scopes import arm_event_subprocesses, prepare_event_subprocesses
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import consume, enter, open_scope, take, withdraw
from flowkit.kernel.multi_instance import continue_body, inside_body
from flowkit.kernel.state import Token

__all__ = ["modify"]


def modify(frame: Frame, changes: tuple[p.MoveToken | p.StartAt | p.TerminateToken, ...]) -> None:
    """Apply the changes in order; new tokens enter only after all of them."""
    starts = [change for change in changes if isinstance(change, p.StartAt)]
    for start in starts:
        _start_at(frame, start)
    for change in changes:
        if isinstance(change, p.MoveToken):
            _move(frame, change)
        elif isinstance(change, p.TerminateToken):
            _terminate(frame, _token(frame, change.token))


def _terminate(frame: Frame, token: Token) -> None:
    """End the token; a loop that it was one instance of goes on with the next one, or ends."""
    withdraw(frame, token)
    scope = frame.instance.scopes[token.scope]
    if not inside_body(frame, token):
        consume(frame, token)
        return
    frame.emit(p.TokenConsumed(token.key))
    terminated = scope.loop.terminated if scope.loop is not None else 0
    frame.emit(p.LoopAdvanced(scope.key, {"terminated": terminated + 1}))
    frame.push(continue_body, scope.token, scope.key)


def _token(frame: Frame, key: int) -> Token:
    token = frame.instance.tokens.get(key)
    if token is None:
        raise NotFound(
            f"Instance {frame.instance.id} has no token {key}; it has"
            f" {', '.join(str(k) for k in frame.instance.tokens)}."
        )
    return token


def _check_node(frame: Frame, node_id: str) -> str:
    node = frame.program.nodes.get(node_id)
    if node is None:
        raise NotFound(f"Process '{frame.program.process_id}' has no element '{node_id}'.")
    if node.event_subprocess or node.kind == "boundaryEvent":
        raise WrongState(f"'{node.name or node_id}' can't be entered by hand: it is triggered.")
    return node.container


def _move(frame: Frame, change: p.MoveToken) -> None:
    token = _token(frame, change.token)
    container = _check_node(frame, change.to)
    scope = frame.instance.scopes[token.scope]
    if scope.node != container:
        raise WrongState(
            f"Token {token.key} stands in '{scope.node}', but '{change.to}' belongs to '{container}':"
            " end the token and start there instead."
        )
    if token.flow is not None:
        raise WrongState(f"Token {token.key} waits at a join; end it and start where it should be.")
    withdraw(frame, token)
    frame.emit(p.TokenMoved(token.key, change.to))
    frame.queue.append((enter, (token.key,)))


def _start_at(frame: Frame, change: p.StartAt) -> None:
    container = _check_node(frame, change.node)
    scope = change.scope
    if scope is None:
        scope = _scope_for(frame, container)
    elif scope not in frame.instance.scopes or frame.instance.scopes[scope].node != container:
        raise WrongState(f"Scope {scope} is not a running '{container}'.")
    owner = frame.program.nodes.get(container)
    if owner is not None and owner.kind == "adHocSubProcess":
        begin_activity(frame, scope, owner, change.node, change.variables)
        return
    frame.set_variables(scope, change.variables)
    take(frame, scope, change.node)


def _scope_for(frame: Frame, container: str) -> int:
    """The running scope of ``container``; opened, with those around it, where there is none."""
    running = [
        scope.key
        for scope in frame.instance.scopes.values()
        if scope.node == container and scope.kind in ("process", "subprocess")
    ]
    if len(running) > 1:
        raise WrongState(
            f"'{container}' runs {len(running)} times; name one of the scopes"
            f" {', '.join(str(key) for key in running)}."
        )
    if running:
        return running[0]
    node = frame.program.nodes[container]
    parent = _scope_for(frame, node.container)
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, container, parent))
    frame.emit(p.ElementEntered(key, container))
    inner = frame.program.containers[container]
    prepared = prepare_event_subprocesses(frame, inner, parent)
    scope = open_scope(frame, "subprocess", container, parent, key)
    arm_event_subprocesses(frame, prepared, scope)
    return scope
