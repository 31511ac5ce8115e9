"""Ad-hoc subprocesses: activities in no fixed order (BPMN 2.0.2, 13.3.5).

Which of them run is said by the diagram, from outside, or by the worker of a job: then the worker is
asked again whenever an activity is over, until it says that it is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.errors import NotFound, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.activity import finish
from flowkit.kernel.behaviours.scopes import arm_event_subprocesses, prepare_event_subprocesses
from flowkit.kernel.behaviours.tasks import open_job
from flowkit.kernel.formula import Formula, Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import (
    check_scope,
    close_scope,
    fail,
    open_scope,
    release,
    take,
    terminate_tokens,
)
from flowkit.kernel.program import Behaviour, Container, Node
from flowkit.kernel.state import Job, Scope, Token

__all__ = ["AD_HOC", "activate_activities", "begin_activity", "complete_ad_hoc"]

_ONE_ACTIVITY = "ad_hoc_activity"
"""The kind of the scope of one activity of an ad-hoc subprocess that collects outputs."""
ELEMENTS = "adHocSubProcessElements"
"""The variable that tells a worker what it may start (the name that Camunda 8 gives it)."""
_ANSWER = ("activateElements", "isCompletionConditionFulfilled", "isCancelRemainingInstances")
"""What a worker answers, in the words of Camunda 8; everything else that it gives is variables."""


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
    if node.detail.job is not None:
        frame.set_variables(scope, {ELEMENTS: [_described(frame, one) for one in container.activities]})
    if node.detail.output_collection:
        frame.set_variables(scope, {node.detail.output_collection: []})
    if node.detail.job is not None:
        frame.emit(p.LoopAdvanced(scope, {"total": None}))
        frame.push(check_scope, scope)
    elif node.detail.sequential:
        frame.emit(p.LoopAdvanced(scope, {"items": chosen}))
        _next_in_sequence(frame, frame.instance.scopes[scope], node)
    else:
        for activity in chosen:
            begin_activity(frame, scope, node, activity)
    if not chosen and not node.detail.waits and node.detail.job is None:
        frame.push(check_scope, scope)


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

    Where outputs are collected, or a worker directs, each activity runs with all that follows it in a
    scope of its own, so that one's variables are not another's; a token at the subprocess stands for it,
    as one stands for each instance of a multi-instance activity.
    """
    if not node.detail.output_collection and node.detail.job is None:
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


def _after_activity(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    """An inner activity ended: test the completion condition (BPMN 2.0.2, 13.3.5)."""
    if scope.kind == _ONE_ACTIVITY:
        over = not scope.tokens
        if over:
            _collect(frame, scope, token, node)
        if over or node.detail.job is None:
            frame.push(check_scope, token.scope)
        return
    if scope.kind != "subprocess":
        return
    detail = node.detail
    if detail.job is not None:
        _ask_again(frame, scope, token, node)
        return
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


# ---- directed by a worker -------------------------------------------------------------------


def _described(frame: Frame, activity: str) -> dict[str, Any]:
    node = frame.program.nodes[activity]
    return {
        "elementId": activity,
        "elementName": node.name,
        "documentation": node.element.documentation,
        "properties": dict(node.element.extensions.properties),
    }


def _ask_again(frame: Frame, scope: Scope, token: Token, node: Node) -> None:
    """Something has changed: a new job, in place of one that does not know of it; or the end, if the
    worker has said that it is enough and nothing runs any more."""
    if scope.loop is not None and scope.loop.thrown:
        if not scope.tokens:
            _finish_ad_hoc(frame, scope, token, node)
        return
    for key in list(token.holds):
        if isinstance(frame.instance.waits[key], Job):
            release(frame, key)
    open_job(frame, token, node, node.detail.job)


def _answered(frame: Frame, token: Token, node: Node, result: Mapping[str, Any]) -> None:
    """The worker has said what to start, or that it is enough."""
    scope = next(
        frame.instance.scopes[key] for key in token.scopes if frame.instance.scopes[key].kind == "subprocess"
    )
    frame.set_variables(scope.key, {name: value for name, value in result.items() if name not in _ANSWER})
    chosen, enough, cancel = (result.get(name) for name in _ANSWER)
    try:
        wanted = [_wanted(frame, node, one) for one in chosen or ()]
        if not wanted and not enough and not scope.tokens:
            raise Trouble(
                "ad_hoc",
                f"The worker of '{node.name or node.id}' started nothing, nothing runs, and it did not say"
                " that it is enough (isCompletionConditionFulfilled).",
            )
    except (Trouble, TypeError) as error:
        trouble = error if isinstance(error, Trouble) else Trouble("ad_hoc", f"activateElements: {error}")
        fail(frame, token, trouble, resume=f"scope:{scope.key}")
        return
    if enough:
        frame.emit(p.LoopAdvanced(scope.key, {"thrown": True}))
        if cancel:
            terminate_tokens(frame, scope)
    for activity, variables in wanted:
        begin_activity(frame, scope.key, node, activity, variables)
    if enough and not scope.tokens:
        frame.push(check_scope, scope.key)


def _wanted(frame: Frame, node: Node, one: Any) -> tuple[str, Mapping[str, Any]]:
    """An element's id, or a context with it and the variables of this activity."""
    given = one if isinstance(one, dict) else {"elementId": one}
    activity, variables = given.get("elementId"), given.get("variables") or {}
    activities = frame.program.containers[node.id].activities
    if activity not in activities or not isinstance(variables, dict):
        raise Trouble(
            "ad_hoc",
            f"The worker of '{node.name or node.id}' wants to start {one!r}; expected one of"
            f" {', '.join(activities)}, or a context with elementId and variables.",
        )
    return activity, variables


AD_HOC = Behaviour(_ad_hoc, emptied=_after_activity, resume=_answered, waits=True, attends=True)


# ---- directed from outside ------------------------------------------------------------------


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
