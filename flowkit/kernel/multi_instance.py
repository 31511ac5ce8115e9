"""Standard loops and multi-instance activities (BPMN 2.0.2, 13.3.6 and 13.3.7).

The token at the activity opens a *body*, a scope whose tokens stand at the same node: one token an
instance, each with a scope of its own for its item and its counter.
"""

from __future__ import annotations

from typing import Any

from flowkit.kernel import protocol as p
from flowkit.kernel.catching import Prepared, install
from flowkit.kernel.concluding import conclude, record
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import close_scope, enter, fail, open_scope, release_all, terminate_tokens
from flowkit.kernel.program import MultiInstance, Node
from flowkit.kernel.state import BODIES, LoopState, Scope, Token
from flowkit.kernel.throwing import throw

__all__ = ["continue_body", "finish_instance", "inside_body", "start_body"]

MAXIMUM_CARDINALITY = 1_000_000
"""More instances than this are an incident, not a full memory."""


def inside_body(frame: Frame, token: Token) -> bool:
    """Is the token one instance of its activity, rather than the whole of it?"""
    scope = frame.instance.scopes[token.scope]
    return scope.kind in BODIES and scope.node == token.node


def start_body(frame: Frame, token: Token, node: Node, armed: list[list[Prepared]]) -> None:
    """Open the body and start its first instances; ``armed`` are the boundary events."""
    if node.multi is None:
        skip = node.loop is not None and node.loop.test_before and not _loops(frame, node, token.scope, 0)
        items: list[Any] | None = None
        state: dict[str, Any] = {"total": None}
    else:
        items = _items(frame, node, node.multi, token.scope)
        skip = not items
        state = {"total": len(items), "items": items}
    for prepared in armed:
        install(frame, prepared)
    if skip:
        _conclude_body(frame, token, node, LoopState())
        return
    kind = "loop" if node.multi is None else "multi_instance"
    body = open_scope(frame, kind, node.id, token.scope, token.key)
    frame.emit(p.LoopAdvanced(body, state))
    _count(frame, body)
    if items is not None and node.multi is not None and not node.multi.sequential:
        for index in range(len(items)):
            _start_instance(frame, node, body, index, items[index])
        frame.emit(p.LoopAdvanced(body, {"started": len(items), "items": []}))
        _count(frame, body)
    else:
        _start_next(frame, node, body)


def _items(frame: Frame, node: Node, multi: MultiInstance, scope: int) -> list[Any]:
    if multi.collection is not None:
        value = frame.value(multi.collection, scope)
        if not isinstance(value, list):
            raise Trouble(
                "collection",
                f"The collection '{multi.collection.text}' of '{node.name or node.id}' must be a list,"
                f" but is {value!r}.",
            )
        return value
    if multi.cardinality is None:
        return []
    count = frame.value(multi.cardinality, scope)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise Trouble(
            "collection",
            f"The cardinality '{multi.cardinality.text}' of '{node.name or node.id}' must be a whole"
            f" number, 0 or more, but is {count!r}.",
        )
    if count > MAXIMUM_CARDINALITY:
        raise Trouble(
            "collection",
            f"'{node.name or node.id}' would have {count} instances; {MAXIMUM_CARDINALITY} are allowed.",
        )
    return [None] * count


def _start_instance(frame: Frame, node: Node, body: int, index: int, item: Any) -> None:
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, node.id, body))
    variables: dict[str, Any] = {"loopCounter": index + 1}
    multi = node.multi
    if multi is not None:
        if multi.local_output:
            variables[multi.local_output] = None
        if multi.input_element:
            variables[multi.input_element] = item
    open_scope(frame, "activity", node.id, body, key, variables)
    frame.queue.append((enter, (key,)))


def _start_next(frame: Frame, node: Node, body: int) -> None:
    loop = _loop(frame.instance.scopes[body])
    item = loop.items[0] if loop.items else None
    index = loop.started
    state: dict[str, Any] = {"started": index + 1}
    if loop.items:
        state["taken"] = 1
    frame.emit(p.LoopAdvanced(body, state))
    _count(frame, body)
    _start_instance(frame, node, body, index, item)


def _loop(scope: Scope) -> LoopState:
    assert scope.loop is not None, f"scope {scope.key} is no loop body"
    return scope.loop


def _count(frame: Frame, body: int) -> None:
    """The counters that conditions and boundary events may read (BPMN 2.0.2, table 10.30)."""
    loop = _loop(frame.instance.scopes[body])
    active = loop.started - loop.completed - loop.terminated
    counters: dict[str, Any] = {
        "numberOfActiveInstances": active,
        "numberOfCompletedInstances": loop.completed,
        "numberOfTerminatedInstances": loop.terminated,
        "loopCounter": loop.started,
    }
    if loop.total is not None:
        counters["numberOfInstances"] = loop.total
    frame.emit(p.VariablesSet(body, counters))


# ---- one instance is done -------------------------------------------------------------------


def finish_instance(frame: Frame, token: Token, node: Node) -> None:
    """One instance has finished: collect its output, then end the body or go on."""
    instance = frame.instance
    body = instance.scopes[token.scope]
    loop = _loop(body)
    multi = node.multi
    inner = instance.inner_scope(token)
    index = instance.scopes[token.scopes[0]].variables["loopCounter"] - 1
    if multi is not None and multi.output_element is not None:
        value = frame.value(multi.output_element, inner)
        frame.emit(p.OutputCollected(body.key, index, value))
    record(frame, token, node)
    for key in reversed(token.scopes):
        close_scope(frame, instance.scopes[key])
    release_all(frame, token)
    frame.emit(p.ElementCompleted(token.key, node.id))
    frame.emit(p.TokenConsumed(token.key))
    frame.emit(p.LoopAdvanced(body.key, {"completed": loop.completed + 1}))
    _count(frame, body.key)
    # At once, not when the queue comes to it: the conditions are about this completion (table 10.30).
    continue_body(frame, body.token, body.key)


def continue_body(frame: Frame, owner_key: int, body_key: int) -> None:
    """After an instance has finished: throw behaviour events, test the conditions, start the next."""
    owner = frame.instance.tokens.get(owner_key)
    body = frame.instance.scopes.get(body_key)
    if owner is None or body is None:
        return
    try:
        _continue(frame, owner, body)
    except Trouble as trouble:
        fail(frame, owner, trouble, resume=f"body:{body_key}")


def _continue(frame: Frame, owner: Token, body: Scope) -> None:
    node = frame.program.nodes[owner.node]
    loop = _loop(body)
    if node.multi is None:
        if _loops(frame, node, body.key, loop.completed):
            _start_next(frame, node, body.key)
        else:
            _conclude_body(frame, owner, node, loop)
        return
    complete = node.multi.completion is not None and frame.truth(node.multi.completion, body.key)
    if node.multi.behavior == "All":
        _settle(frame, owner.key, body.key, complete, loop.completed)
        return
    _throw_behavior(frame, owner, node, node.multi, body, loop)
    # What was thrown arrives first: a boundary event must still be there when the last instance is done.
    frame.push(_settle, owner.key, body.key, complete, loop.completed)


def _settle(frame: Frame, owner_key: int, body_key: int, complete: bool, completed: int) -> None:
    """End the body, or start the next instance; nothing if what was thrown has interrupted it.

    ``completed`` instances were done when this was decided: another one that is done since then settles
    for itself, after what it throws."""
    owner = frame.instance.tokens.get(owner_key)
    body = frame.instance.scopes.get(body_key)
    if owner is None or body is None:
        return
    node = frame.program.nodes[owner.node]
    loop = _loop(body)
    if complete:
        left = len(body.tokens)
        terminate_tokens(frame, body)
        frame.emit(p.LoopAdvanced(body.key, {"terminated": loop.terminated + left}))
        _conclude_body(frame, owner, node, loop)
    elif loop.items:
        _start_next(frame, node, body.key)
    elif not body.tokens and loop.completed == completed:
        _conclude_body(frame, owner, node, loop)


def _loops(frame: Frame, node: Node, scope: int, done: int) -> bool:
    """Does a standard loop go on after ``done`` iterations?"""
    loop = node.loop
    if loop is None or (loop.maximum is not None and done >= loop.maximum):
        return False
    if loop.condition is None:
        return True
    return frame.truth(loop.condition, scope, {"loopCounter": done} if not done else None)


def _conclude_body(frame: Frame, owner: Token, node: Node, loop: LoopState) -> None:
    result: dict[str, Any] = {}
    if node.multi is not None and node.multi.output_collection:
        size = loop.total or 0
        result[node.multi.output_collection] = [loop.outputs.get(index) for index in range(size)]
    conclude(frame, owner, node, result)


def _throw_behavior(
    frame: Frame, owner: Token, node: Node, multi: MultiInstance, body: Scope, loop: LoopState
) -> None:
    """Throw what ``behavior`` asks for (BPMN 2.0.2, table 10.30): All nothing, None at every
    instance, One at the first, Complex where a definition's condition is true."""
    if multi.behavior == "None" or (multi.behavior == "One" and not loop.thrown):
        frame.emit(p.LoopAdvanced(body.key, {"thrown": True}))
        if multi.event is not None:
            throw(frame, owner, node, multi.event, {}, body.key)
    elif multi.behavior == "Complex":
        for condition, event in multi.complex:
            if frame.instance.scopes.get(body.key) is not None and frame.truth(condition, body.key):
                throw(frame, owner, node, event, {}, body.key)
