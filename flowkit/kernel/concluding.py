"""The end of an activity that is not one instance of a loop: record, release, close, leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.data import ask_to_write
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import close_scope, complete, consume, fail, open_scope, release_all
from flowkit.kernel.program import Assignment, Node
from flowkit.kernel.state import BODIES, Token

__all__ = ["conclude", "conclude_event", "occurred", "record"]


def conclude(frame: Frame, token: Token, node: Node, result: Mapping[str, Any]) -> None:
    """Close everything that the activity holds, merge ``result`` around it and leave it."""
    if node.handler or token.scopes:
        record(frame, token, node)
    if token.holds:
        release_all(frame, token)
    if token.scopes:
        for key in reversed(token.scopes):
            close_scope(frame, frame.instance.scopes[key])
    if result:
        frame.propagate(token.scope, result)
    if node.out:
        complete(frame, token, node)
    else:
        frame.emit(p.ElementCompleted(token.key, node.id))
        consume(frame, token)


def conclude_event(frame: Frame, token: Token, node: Node, variables: Mapping[str, Any]) -> None:
    """An event has occurred with ``variables``: map them, or merge them as they are, and go on."""
    outputs = occurred(node, variables) if node.carried else node.outputs
    try:
        mapped = frame.assignments(outputs, token.scope, dict(variables)) if node.outputs else variables
    except Trouble as trouble:
        open_scope(frame, "activity", node.id, token.scope, token.key, variables)
        fail(frame, token, trouble, resume="finish")
        return
    if node.writes:
        open_scope(frame, "activity", node.id, token.scope, token.key, variables)
        ask_to_write(frame, token, node, mapped)
        return
    conclude(frame, token, node, mapped)


def occurred(node: Node, variables: Mapping[str, Any]) -> tuple[Assignment, ...]:
    """The outputs of an event without those of definitions that brought nothing: their data outputs are
    unavailable, so their associations move nothing (BPMN 2.0.2, 10.4.2)."""
    missing = {name for name in node.carried if name not in variables}
    return tuple(one for one in node.outputs if missing.isdisjoint(one.formula.reads))


def record(frame: Frame, token: Token, node: Node) -> None:
    """Remember a completed activity for compensation, with the variables in its sight.

    A finished subprocess is remembered with the records inside it, a multi-instance activity with
    one record an instance, in order of completion (BPMN 2.0.2, 10.7).
    """
    scopes = frame.instance.scopes
    children: tuple[p.Compensable, ...] = ()
    body = False
    for key in token.scopes:
        scope = scopes[key]
        children += tuple(scope.records.values())
        body = body or scope.kind in BODIES
    if not children and (body or not node.handler):
        return
    variables = {} if body else frame.instance.variables_of(frame.instance.inner_scope(token))
    entry = p.Compensable(frame.next_key(), node.id, variables, children)
    frame.emit(p.CompensationRecorded(token.scope, entry))
