"""Subprocesses: embedded, event, transaction, and ad-hoc (BPMN 2.0.2, 13.3.4 and 13.3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flowkit.errors import NotFound, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.activity import finish
from flowkit.kernel.catching import Prepared, install, prepare
from flowkit.kernel.formula import Formula, Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import close_scope, open_scope, take, terminate_tokens
from flowkit.kernel.program import Behaviour, Container, Node
from flowkit.kernel.state import Scope, Token

__all__ = [
    "AD_HOC",
    "EVENT_SUBPROCESS",
    "SUBPROCESS",
    "activate_activities",
    "arm_event_subprocesses",
    "begin_activity",
    "complete_ad_hoc",
    "prepare_event_subprocesses",
]

_ONE_ACTIVITY = "ad_hoc_activity"
"""The kind of the scope of one activity of an ad-hoc subprocess that collects outputs."""


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


# ---- ad-hoc subprocess ----------------------------------------------------------------------


def _ad_hoc(frame: Frame, token: Token, node: Node) -> None:
    """Start the activities that the model names, else all that nothing leads to.

    With sequential ordering they are started one after the other, in document order.
    """
    container = frame.program.containers[node.id]
    parent = frame.instance.inner_scope(token)
    chosen = _chosen(frame, node, container, parent)
    prepared = prepare_event_subprocesses(frame, container, parent)
    scope = open_scope(frame, "subprocess", node.id, parent, token.key)
    arm_event_subprocesses(frame, prepared, scope)
    if node.detail.output_collection:
        frame.set_variables(scope, {node.detail.output_collection: []})
    if node.detail.sequential:
        frame.emit(p.LoopAdvanced(scope, {"items": chosen}))
        _next_in_sequence(frame, frame.instance.scopes[scope], node)
    else:
        for activity in chosen:
            begin_activity(frame, scope, node, activity)
    if not chosen and not node.detail.waits:
        frame.push(_check_ad_hoc, scope)


def _chosen(frame: Frame, node: Node, container: Container, scope: int) -> list[str]:
    formula: Formula | None = node.detail.active_elements
    if formula is None:
        return list(container.activities)
    value = frame.value(formula, scope)
    if not isinstance(value, list) or not all(name in container.activities for name in value):
        raise Trouble(
            "ad_hoc",
            f"The active elements '{formula.text}' of '{node.name or node.id}' must be a list of ids"
            f" out of {', '.join(container.activities)}, but are {value!r}.",
        )
    return list(value)


def begin_activity(
    frame: Frame, scope: int, node: Node, activity: str, variables: Mapping[str, Any] | None = None
) -> None:
    """Start an activity of the ad-hoc subprocess ``node`` that runs in ``scope``.

    Where outputs are collected, each activity runs with all that follows it in a scope of its own, so
    that one's variables are not another's; a token at the subprocess stands for it, as one stands for
    each instance of a multi-instance activity.
    """
    if not node.detail.output_collection:
        frame.set_variables(scope, variables or {})
        take(frame, scope, activity)
        return
    key = frame.next_key()
    frame.emit(p.TokenCreated(key, node.id, scope))
    take(frame, open_scope(frame, _ONE_ACTIVITY, node.id, scope, key, variables), activity)


def _next_in_sequence(frame: Frame, scope: Scope, node: Node) -> None:
    loop = scope.loop
    if loop is None or not loop.items:
        return
    activity = loop.items[0]
    frame.emit(p.LoopAdvanced(scope.key, {"taken": 1, "started": loop.started + 1}))
    begin_activity(frame, scope.key, node, activity)


def _check_ad_hoc(frame: Frame, key: int) -> None:
    scope = frame.instance.scopes.get(key)
    if scope is not None:
        owner = frame.instance.tokens[scope.token]
        _after_activity(frame, scope, owner, frame.program.nodes[owner.node])


def _after_activity(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    """An inner activity ended: test the completion condition (BPMN 2.0.2, 13.3.5)."""
    if scope.kind == _ONE_ACTIVITY:
        if not scope.tokens:
            _collect(frame, scope, token, node)
        scope = frame.instance.scopes[token.scope]
        token = frame.instance.tokens[scope.token]
    if scope.kind != "subprocess":
        return
    detail = node.detail
    if detail.completion is not None and frame.truth(detail.completion, scope.key):
        if detail.cancel_remaining or not scope.tokens:
            terminate_tokens(frame, scope)
            _finish_ad_hoc(frame, scope, token, node)
            return
        if scope.loop is not None and scope.loop.items:
            frame.emit(p.LoopAdvanced(scope.key, {"items": []}))
        return
    if scope.tokens:
        return
    if scope.loop is not None and scope.loop.items:
        _next_in_sequence(frame, scope, node)
    elif detail.completion is None:
        _finish_ad_hoc(frame, scope, token, node)
    elif not detail.waits:
        raise Trouble(
            "ad_hoc",
            f"Every activity of '{node.name or node.id}' has ended, but its completion condition"
            f" '{detail.completion.text}' is not true.",
        )


def _collect(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    """An activity and all that followed it is over: take its output and close its scope."""
    around = frame.instance.scopes[token.scope]
    name, formula = node.detail.output_collection, node.detail.output_element
    collected: dict[str, Any] = {}
    if name and formula is not None:
        collected[name] = [*around.variables.get(name, ()), frame.value(formula, scope.key)]
    for record in scope.records.values():
        frame.emit(p.CompensationRecorded(around.key, record))
    close_scope(frame, scope)
    frame.emit(p.TokenConsumed(token.key))
    frame.set_variables(around.key, collected)


def _finish_ad_hoc(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    """Leave the subprocess; what was collected goes with it, unless an output mapping says otherwise."""
    name = node.detail.output_collection
    if name and not node.outputs:
        frame.propagate(scope.parent, {name: scope.variables.get(name, [])})
    finish(frame, token, node)


AD_HOC = Behaviour(_ad_hoc, emptied=_after_activity, waits=True, attends=True)


def _ad_hoc_scope(frame: Frame, key: int) -> tuple[Scope, Token, Node]:
    scope = frame.instance.scopes.get(key)
    if scope is None or not scope.token:
        raise NotFound(f"There is no scope {key} in instance {frame.instance.id}.")
    owner = frame.instance.tokens[scope.token]
    node = frame.program.nodes[owner.node]
    if node.kind != "adHocSubProcess" or scope.kind != "subprocess":
        raise WrongState(f"Scope {key} belongs to '{node.name or node.id}', which is not ad-hoc.")
    return scope, owner, node


def activate_activities(
    frame: Frame, key: int, activities: tuple[str, ...], variables: Mapping[str, Any]
) -> None:
    """Start activities of a running ad-hoc subprocess from outside."""
    scope, _, node = _ad_hoc_scope(frame, key)
    container = frame.program.containers[node.id]
    for activity in activities:
        if activity not in container.activities:
            raise NotFound(
                f"'{activity}' is not an activity of '{node.name or node.id}'; it has"
                f" {', '.join(container.activities)}."
            )
    if node.detail.sequential and (len(activities) > 1 or scope.tokens):
        raise WrongState(f"'{node.name or node.id}' is sequential: one activity at a time.")
    for activity in activities:
        begin_activity(frame, scope.key, node, activity, variables)


def complete_ad_hoc(frame: Frame, key: int) -> None:
    """End a running ad-hoc subprocess from outside."""
    scope, owner, node = _ad_hoc_scope(frame, key)
    if scope.tokens and not node.detail.cancel_remaining:
        raise WrongState(
            f"'{node.name or node.id}' does not cancel its remaining activities; complete them first."
        )
    terminate_tokens(frame, scope)
    _finish_ad_hoc(frame, scope, owner, node)
