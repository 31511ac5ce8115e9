"""Activities: mappings, loops, boundary events and compensation around the work itself.

An activity that has none of these is activated directly; the compiler decides (``Node.activate``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.kernel.catching import install, prepare
from flowkit.kernel.concluding import conclude
from flowkit.kernel.data import read, written
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import fail, open_scope
from flowkit.kernel.multi_instance import finish_instance, inside_body, start_body
from flowkit.kernel.program import Node
from flowkit.kernel.state import Token

__all__ = ["begin", "finish", "finish_with", "work"]


_NOTHING: Mapping[str, Any] = {}


def begin(frame: Frame, token: Token, node: Node) -> None:
    """Activate an activity: boundary events, then loop or mappings, then the work."""
    looped = node.multi is not None or node.loop is not None
    inside = looped and inside_body(frame, token)
    given = _NOTHING
    if node.reads and (inside or not looped):
        answer = read(frame, token, node)
        if answer is None:
            return
        given = answer
    if inside:
        scope = token.scopes[-1]
        frame.set_variables(scope, frame.assignments(node.inputs, scope, given))
        work(frame, token, node)
        return
    nodes = frame.program.nodes
    armed = [prepare(frame, nodes[event], token.key, token.scope) for event in node.boundary]
    if looped:
        start_body(frame, token, node, armed)
        return
    local = frame.assignments(node.inputs, token.scope, given)
    for prepared in armed:
        install(frame, prepared)
    if node.inputs or node.outputs:
        open_scope(frame, "activity", node.id, token.scope, token.key, local)
    work(frame, token, node)


def work(frame: Frame, token: Token, node: Node) -> None:
    """Begin the work itself; mappings and boundary events stay as they are if that fails."""
    try:
        node.behaviour.activate(frame, token, node)
    except Trouble as trouble:
        fail(frame, token, trouble, resume="activate")


def finish_with(frame: Frame, token: Token, node: Node, result: Mapping[str, Any]) -> None:
    """The work gave ``result``: merge it and finish.

    With an output mapping the result stays local until it is mapped; without one each variable is
    merged into the nearest scope that owns it, else into the process.
    """
    if result:
        if node.outputs:
            if not token.scopes:
                open_scope(frame, "activity", node.id, token.scope, token.key)
            frame.set_variables(token.scopes[-1], result)
        else:
            frame.propagate(frame.instance.inner_scope(token), result)
    finish(frame, token, node)


def finish(frame: Frame, token: Token, node: Node) -> None:
    """The work is done: map outputs, then leave, or tell the loop that one instance is done."""
    try:
        inner = frame.instance.inner_scope(token)
        mapped = frame.assignments(node.outputs, inner, {}) if node.outputs else {}
        if node.writes and not written(frame, token, node, mapped):
            return
        if (node.multi is not None or node.loop is not None) and inside_body(frame, token):
            frame.propagate(inner, mapped)
            finish_instance(frame, token, node)
        else:
            conclude(frame, token, node, mapped)
    except Trouble as trouble:
        fail(frame, token, trouble, resume="finish")
