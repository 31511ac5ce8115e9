"""Subprocesses: embedded, event and transaction (BPMN 2.0.2, 13.3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flowkit.kernel.activity import finish
from flowkit.kernel.catching import Prepared, install, prepare
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import open_scope, take
from flowkit.kernel.program import Behaviour, Container, Node
from flowkit.kernel.state import Scope, Token

__all__ = [
    "EVENT_SUBPROCESS",
    "SUBPROCESS",
    "arm_event_subprocesses",
    "prepare_event_subprocesses",
]


# ---- event subprocesses of a scope ----------------------------------------------------------


def prepare_event_subprocesses(frame: Frame, container: Container, scope: int) -> list[Prepared]:
    """Evaluate what the event subprocesses of ``container`` wait for, as seen from ``scope``."""
    nodes = frame.program.nodes
    return [one for start in container.event_subprocesses for one in prepare(frame, nodes[start], 0, scope)]


def arm_event_subprocesses(frame: Frame, prepared: Iterable[Prepared], scope: int) -> None:
    """Let the scope wait for the starts of its event subprocesses."""
    install(frame, [replace(one, scope=scope) for one in prepared])


# ---- embedded subprocess and transaction ----------------------------------------------------


def _subprocess(frame: Frame, token: Token, node: Node) -> None:
    container = frame.program.containers[node.id]
    parent = frame.instance.inner_scope(token)
    prepared = prepare_event_subprocesses(frame, container, parent)
    scope = open_scope(frame, "subprocess", node.id, parent, token.key)
    arm_event_subprocesses(frame, prepared, scope)
    for start in container.starts:
        take(frame, scope, start)


def _emptied(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    if scope.kind == "subprocess":
        finish(frame, token, node)


SUBPROCESS = Behaviour(_subprocess, emptied=_emptied, waits=True)


# ---- event subprocess -----------------------------------------------------------------------


def _no_activation(frame: Frame, token: Token, node: Node) -> None:
    """An event subprocess is entered by its start event only (see ``resume``)."""
    raise Trouble("model", f"The event subprocess '{node.name or node.id}' can't be entered directly.")


def _triggered(frame: Frame, token: Token, node: Node, occurrence: Mapping[str, Any]) -> None:
    """Its start event occurred: open the scope with the event's variables and begin."""
    container = frame.program.containers[node.id]
    start = frame.program.nodes[occurrence["start"]]
    variables = dict(occurrence["variables"])
    prepared = prepare_event_subprocesses(frame, container, token.scope)
    scope = open_scope(frame, "subprocess", node.id, token.scope, token.key, variables)
    arm_event_subprocesses(frame, prepared, scope)
    if not start.outputs:
        frame.propagate(token.scope, variables)
    take(frame, scope, start.id)


def _run_as_handler(frame: Frame, token: Token, node: Node) -> None:
    """A compensation event subprocess is activated as the handler of its finished subprocess."""
    container = frame.program.containers[node.id]
    if not any(
        catch.kind == "compensation"
        for start in container.starts
        for catch in frame.program.nodes[start].catches
    ):
        _no_activation(frame, token, node)
    scope = open_scope(frame, "subprocess", node.id, token.scope, token.key)
    for start in container.starts:
        take(frame, scope, start)


EVENT_SUBPROCESS = Behaviour(_run_as_handler, emptied=_emptied, resume=_triggered, waits=True)
