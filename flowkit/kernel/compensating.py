"""Compensation: undoing what has completed (BPMN 2.0.2, 10.7 and 13.5.5).

The throwing token holds the records still to be undone, the last completed one last. Each handler
runs in a scope of its own whose variables are those that were in sight when the activity completed,
but for those that the handler assigns itself: these it sees as they are now, so that a handler that
adds to a list loses nothing. What the handler gives is merged into the scopes that live now.
"""

from __future__ import annotations

from flowkit.kernel import protocol as p
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import ENDED, close_scope, consume, fail, open_scope, take
from flowkit.kernel.program import Node
from flowkit.kernel.state import Scope, Token

__all__ = [
    "advance",
    "call_undone",
    "compensable",
    "remember_call",
    "start_compensation",
    "undo_again",
    "undo_process",
]


def compensable(frame: Frame, scope_key: int, activity: str) -> list[tuple[int, p.Compensable]]:
    """The records that a throw in ``scope_key`` reaches, with the scope that holds each.

    Those of the scope itself and, from inside an event subprocess, those of the scope that it
    belongs to; with ``activity`` only its own.
    """
    found: list[tuple[int, p.Compensable]] = []
    scope: Scope | None = frame.instance.scopes[scope_key]
    while scope is not None:
        found = [
            (scope.key, record)
            for record in scope.records.values()
            if not activity or record.node == activity
        ] + found
        inside = frame.program.nodes.get(scope.node)
        transparent = scope.kind in ("compensation", "ad_hoc_activity") or (
            inside is not None and inside.event_subprocess
        )
        if not transparent:
            break
        scope = frame.instance.scopes.get(scope.parent)
    return found


def start_compensation(frame: Frame, token: Token, scope_key: int, activity: str) -> bool:
    """Let ``token`` undo what the throw reaches; False when there is nothing to undo."""
    reached = compensable(frame, scope_key, activity)
    if not reached:
        return False
    by_scope: dict[int, list[p.Compensable]] = {}
    for key, record in reached:
        by_scope.setdefault(key, []).append(record)
    pending = tuple(record for _, record in reached)
    for key, records in by_scope.items():
        frame.emit(p.CompensationStarted(token.key, key, tuple(records)))
    frame.emit(p.CompensationAdvanced(token.key, pending))
    frame.push(advance, token.key)
    return True


def advance(frame: Frame, key: int) -> None:
    """Run the handler of the token's next record, or go on when there is none."""
    token = frame.instance.tokens.get(key)
    if token is None:
        return
    pending = token.pending
    while pending:
        record, pending = pending[-1], pending[:-1]
        if record.program:
            frame.emit(p.CompensationAdvanced(key, pending))
            _undo_call(frame, token, record)
            return
        node = frame.program.nodes.get(record.node)
        if node is None:
            continue
        if _is_body(record) or (record.children and not node.handler):
            pending += record.children
            continue
        if node.handler:
            frame.emit(p.CompensationAdvanced(key, pending))
            _run(frame, token, frame.program.nodes[node.handler], record)
            return
    frame.emit(p.CompensationEnded(key))
    if not token.active:
        consume(frame, token)
        return
    node = frame.node(token)
    try:
        node.behaviour.resume(frame, token, node, {})
    except Trouble as trouble:
        fail(frame, token, trouble, resume="enter")


def _is_body(record: p.Compensable) -> bool:
    """Is this a finished loop or multi-instance activity, with one record an instance?"""
    return bool(record.children) and record.children[0].node == record.node


def _run(frame: Frame, token: Token, handler: Node, record: p.Compensable) -> None:
    now = frame.instance.variables_of(token.scope)
    seen = {
        name: value
        for name, value in record.variables.items()
        if name not in handler.assigns or name not in now
    }
    scope = open_scope(frame, "compensation", handler.id, token.scope, token.key, seen)
    for child in record.children:
        frame.emit(p.CompensationRecorded(scope, child))
    take(frame, scope, handler.id)


def _handler_done(frame: Frame, scope: Scope, token: Token, _: Node) -> None:
    """A handler has finished: close its scope and go on with the next record."""
    close_scope(frame, scope)
    frame.push(advance, token.key)


ENDED["compensation"] = _handler_done


# ---- called processes -----------------------------------------------------------------------


def remember_call(frame: Frame, token: Token, node: Node, undo: p.Compensable) -> None:
    """The call activity has completed and the process that it called can be compensated: this is how
    the call is undone, unless it has a handler of its own."""
    if not node.handler:
        entry = p.Compensable(frame.next_key(), node.id, {}, (undo,))
        frame.emit(p.CompensationRecorded(token.scope, entry))


def _undo_call(frame: Frame, token: Token, undo: p.Compensable) -> None:
    """An instance of the called program undoes what that had done, with its variables as they were."""
    frame.emit(p.CallOpened(frame.next_key(), token.key, token.node, undo.node, "", "", undo.variables, undo))


def call_undone(frame: Frame, token: Token) -> None:
    """The called process is undone: go on with the next record."""
    frame.push(advance, token.key)


def undo_again(frame: Frame, token: Token, undo: p.Compensable) -> None:
    """The called process could not be undone: it stays the next record, for when that is tried again."""
    frame.emit(p.CompensationAdvanced(token.key, (*token.pending, undo)))


def undo_process(frame: Frame, undo: p.Compensable) -> None:
    """In an instance that is there for it: undo a finished run of the process, by its compensation event
    subprocess if it has one, else by the handlers inside it (BPMN 2.0.2, 10.7.2 and 13.5.5)."""
    for child in undo.children:
        frame.emit(p.CompensationRecorded(1, child))
    if frame.program.undo:
        take(frame, 1, frame.program.undo)
        return
    key = frame.next_key()
    # It throws no event, so it enters nothing: it stands where the last thing was done.
    frame.emit(p.TokenCreated(key, undo.children[-1].node, 1))
    start_compensation(frame, frame.instance.tokens[key], 1, "")
