"""Errors and escalations: who catches them (BPMN 2.0.2, 10.5.1 and 10.5.7).

Both travel outwards: first the boundary events of the activity, then the event subprocesses of the
scope around it, then the boundary events of the activity that owns that scope, and so on. At each
place an event for just this code comes before one that catches every code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import close_scope, fail, terminate_tokens
from flowkit.kernel.program import Node
from flowkit.kernel.state import Scope, Token
from flowkit.kernel.triggering import content, trigger_boundary, trigger_event_subprocess

__all__ = ["raise_error", "raise_escalation"]

_CATCHERS = ("process", "subprocess")


def raise_error(
    frame: Frame,
    token: Token,
    code: str,
    message: str,
    variables: Mapping[str, Any],
    *,
    resume: str = "enter",
    completes: bool = False,
) -> None:
    """Throw a BPMN error at the token. Uncaught, it ends a called instance and tells the caller;
    in an instance that nobody called it is an incident at the token.

    ``completes``: the token's node (an end event) has done its work by throwing."""
    frame.emit(p.ErrorThrown(token.key, token.node, code, message))
    for place, event in _catching(frame, token, "error", code):
        if completes:
            frame.emit(p.ElementCompleted(token.key, token.node))
        _trigger(frame, place, event, variables, "error")
        return
    if frame.instance.parent is not None:
        root = frame.instance.scopes[1]
        if completes:
            frame.emit(p.ElementCompleted(token.key, token.node))
        terminate_tokens(frame, root)
        close_scope(frame, root)
        frame.emit(p.InstanceEnded("error", dict(variables), code, message))
        return
    told = f" ({message})" if message else ""
    trouble = Trouble(
        "error_uncaught",
        f"Nothing catches the error '{code}'{told}. Attach an error boundary event, or add an error"
        " event subprocess.",
    )
    fail(frame, token, trouble, resume=resume)


def raise_escalation(
    frame: Frame, token: Token, code: str, variables: Mapping[str, Any], *, completes: bool = False
) -> None:
    """Throw an escalation at the token; one that nothing catches goes to the caller, or is forgotten.

    ``completes``: the token's node (an event) has done its work by throwing, also where what catches
    interrupts the scope that it stands in."""
    for place, event in _catching(frame, token, "escalation", code):
        frame.emit(p.EscalationThrown(token.key, token.node, code, event.id, variables))
        if completes and event.interrupting:
            frame.emit(p.ElementCompleted(token.key, token.node))
        _trigger(frame, place, event, variables, "escalation")
        return
    frame.emit(p.EscalationThrown(token.key, token.node, code, "", variables))


def _trigger(
    frame: Frame, place: Token | Scope, event: Node, variables: Mapping[str, Any], kind: str
) -> None:
    if event.carried:
        part = next(part for part, catch in enumerate(event.catches) if catch.kind == kind)
        variables = content(event, part, variables)
    if isinstance(place, Token):
        trigger_boundary(frame, place, event, variables)
    else:
        trigger_event_subprocess(frame, place, event, variables)


def _catching(frame: Frame, token: Token, kind: str, code: str) -> Iterator[tuple[Token | Scope, Node]]:
    """Where the throw can be caught, innermost first."""
    instance, nodes = frame.instance, frame.program.nodes
    while True:
        node = nodes[token.node]
        scope = instance.scopes[token.scope]
        one_of_many = scope.node == token.node  # of a loop, or of an ad-hoc subprocess
        if not one_of_many:
            for event in _matching(frame, node.boundary, kind, code):
                yield token, event
        container = frame.program.containers.get(scope.node)
        if container is not None and scope.kind in _CATCHERS and not _interrupted(frame, node):
            for event in _matching(frame, container.event_subprocesses, kind, code):
                yield scope, event
        if not scope.token:
            return
        token = instance.tokens[scope.token]


def _interrupted(frame: Frame, node: Node) -> bool:
    """Does the token stand for an event subprocess that has interrupted its scope?"""
    if not node.event_subprocess:
        return False
    starts = frame.program.containers[node.id].starts
    return any(frame.program.nodes[start].interrupting for start in starts)


def _matching(frame: Frame, events: tuple[str, ...], kind: str, code: str) -> list[Node]:
    nodes = frame.program.nodes
    exact, every = [], []
    for event_id in events:
        event = nodes[event_id]
        for catch in event.catches:
            if catch.kind == kind:
                if catch.name == code and code:
                    exact.append(event)
                elif not catch.name:
                    every.append(event)
    return exact + every
