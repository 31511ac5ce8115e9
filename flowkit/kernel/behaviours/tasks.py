"""Tasks: work for a worker, a person, FEEL, DMN, another process, or for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from flowkit.errors import FlowkitError
from flowkit.kernel import protocol as p
from flowkit.kernel.activity import finish, finish_with
from flowkit.kernel.catching import install, prepare
from flowkit.kernel.formula import Formula, Trouble, findable
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import (
    Behaviour,
    CallSpec,
    DecisionSpec,
    JobSpec,
    Node,
    Throw,
    UserTaskSpec,
)
from flowkit.kernel.state import Token
from flowkit.kernel.throwing import throw
from flowkit.timers import parse_timer_date

__all__ = ["CALL", "DECISION", "JOB", "PASS", "RECEIVE", "SCRIPT", "SEND", "USER_TASK", "open_job"]

MAXIMUM_RETRIES = 1_000


def _pass(frame: Frame, token: Token, node: Node) -> None:
    finish(frame, token, node)


PASS = Behaviour(_pass)
"""A task without a type, and a manual task: nobody tells the engine about it, so it goes on."""


def _local(frame: Frame, token: Token) -> Mapping[str, Any]:
    return dict(frame.instance.scopes[token.scopes[-1]].variables) if token.scopes else {}


# ---- jobs -----------------------------------------------------------------------------------


def _job(frame: Frame, token: Token, node: Node) -> None:
    open_job(frame, token, node, node.detail)


def open_job(frame: Frame, token: Token, node: Node, spec: JobSpec) -> None:
    """Give a worker something to do for ``node``; raises Trouble."""
    scope = frame.instance.inner_scope(token)
    job_type = _text(frame, spec.type, scope, "job type")
    retries = _whole(frame, spec.retries, scope, "number of retries", MAXIMUM_RETRIES)
    priority = 0 if spec.priority is None else _whole(frame, spec.priority, scope, "priority", 10**9)
    local = _local(frame, token)
    frame.emit(
        p.JobOpened(frame.next_key(), token.key, node.id, job_type, retries, spec.headers, local, priority)
    )


JOB = Behaviour(_job, waits=True, resume=finish_with)


def _text(frame: Frame, formula: Formula, scope: int, what: str) -> str:
    value = frame.value(formula, scope)
    if not isinstance(value, str) or not value:
        raise Trouble("expression", f"The {what} '{formula.text}' must be a text, but is {value!r}.")
    return value if formula.expression is None else findable(value, "expression", what, formula.text)


def _whole(frame: Frame, formula: Formula, scope: int, what: str, most: int) -> int:
    value = frame.value(formula, scope)
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -most <= value <= most:
        raise Trouble(
            "expression",
            f"The {what} '{formula.text}' must be a whole number up to {most}, but is {value!r}.",
        )
    return value


# ---- user tasks -----------------------------------------------------------------------------


def _user_task(frame: Frame, token: Token, node: Node) -> None:
    spec: UserTaskSpec = node.detail
    scope = frame.instance.inner_scope(token)
    assignee = None
    if spec.assignee is not None:
        assignee = frame.value(spec.assignee, scope)
        if assignee is not None and not isinstance(assignee, str):
            raise Trouble(
                "assignment",
                f"The assignee '{spec.assignee.text}' must be a text, but is {assignee!r}.",
            )
        findable(assignee or "", "assignment", "assignee", spec.assignee.text)
    users: tuple[str, ...] = ()
    if spec.candidate_users is not None:
        users = _names(frame, spec.candidate_users, scope, "candidate users")
    groups: tuple[str, ...] = ()
    if spec.candidate_groups is not None:
        groups = _names(frame, spec.candidate_groups, scope, "candidate groups")
        for more in spec.more_groups:
            groups += _names(frame, more, scope, "candidate groups")
    elif node.lane and not users and not assignee:
        groups = (node.lane,)
    headers = spec.headers
    if spec.parameters:
        headers = {**headers, **{key: _plain(frame.value(value, scope)) for key, value in spec.parameters}}
    event = p.UserTaskOpened(
        frame.next_key(),
        token.key,
        node.id,
        node.name,
        assignee or None,
        groups,
        users,
        None if spec.due is None else _moment(frame, spec.due, scope, "due date"),
        None if spec.follow_up is None else _moment(frame, spec.follow_up, scope, "follow-up date"),
        50 if spec.priority is None else _whole(frame, spec.priority, scope, "priority", 100),
        spec.form,
        spec.form_binding,
        spec.form_version_tag,
        _local(frame, token),
        headers,
    )
    frame.emit(event)


def _plain(value: Any) -> str:
    """A header's text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _names(frame: Frame, formula: Formula, scope: int, what: str) -> tuple[str, ...]:
    value = frame.value(formula, scope)
    if value is None:
        return ()
    if isinstance(value, str):
        names = tuple(name.strip() for name in value.split(",") if name.strip())
    elif isinstance(value, list) and all(isinstance(name, str) for name in value):
        names = tuple(value)
    else:
        text = f"The {what} '{formula.text}' must be a list of texts, but is {value!r}."
        raise Trouble("assignment", text)
    for name in names:
        findable(name, "assignment", what, formula.text)
    return names


def _moment(frame: Frame, formula: Formula, scope: int, what: str) -> datetime | None:
    value = frame.value(formula, scope)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return parse_timer_date(value)
    except (FlowkitError, ValueError, OverflowError) as error:
        raise Trouble("schedule", f"The {what} '{formula.text}' is not valid: {error}") from None
    raise Trouble("schedule", f"The {what} '{formula.text}' must be a date and time, but is {value!r}.")


USER_TASK = Behaviour(_user_task, waits=True, resume=finish_with)


# ---- FEEL, DMN, other processes -------------------------------------------------------------


def _script(frame: Frame, token: Token, node: Node) -> None:
    formula, variable, output = node.detail
    value = frame.value(formula, frame.instance.inner_scope(token))
    if variable:
        finish_with(frame, token, node, {variable: value})
    elif output and (not isinstance(value, dict) or (node.outputs and output not in value)):
        finish_with(frame, token, node, {output: value})
    elif isinstance(value, dict):
        finish_with(frame, token, node, value)
    else:
        raise Trouble(
            "script",
            f"The script '{formula.text}' gave {value!r}. Name a result variable, or let it give a"
            " context of variables.",
        )


SCRIPT = Behaviour(_script)


def _decision(frame: Frame, token: Token, node: Node) -> None:
    spec: DecisionSpec = node.detail
    scope = frame.instance.inner_scope(token)
    decision = _text(frame, spec.decision, scope, "decision id")
    frame.emit(
        p.DecisionRequested(
            frame.next_key(),
            token.key,
            node.id,
            decision,
            spec.binding,
            spec.version_tag,
            frame.instance.variables_of(scope),
        )
    )


DECISION = Behaviour(_decision, waits=True, resume=finish_with)


def _call(frame: Frame, token: Token, node: Node) -> None:
    spec: CallSpec = node.detail
    instance = frame.instance
    scope = instance.inner_scope(token)
    process = _text(frame, spec.process, scope, "called process")
    variables = instance.variables_of(scope) if spec.propagate_parent else _local(frame, token)
    frame.emit(
        p.CallOpened(
            frame.next_key(),
            token.key,
            node.id,
            process,
            spec.binding,
            spec.version_tag,
            variables,
        )
    )


def _called(frame: Frame, token: Token, node: Node, variables: Mapping[str, Any]) -> None:
    spec: CallSpec = node.detail
    if spec.propagate_child or node.outputs:
        finish_with(frame, token, node, variables)
    else:
        finish(frame, token, node)


CALL = Behaviour(_call, waits=True, resume=_called)


# ---- messages -------------------------------------------------------------------------------


def _receive(frame: Frame, token: Token, node: Node) -> None:
    install(frame, prepare(frame, node, token.key, frame.instance.inner_scope(token)))


RECEIVE = Behaviour(_receive, waits=True, resume=finish_with)


def _send(frame: Frame, token: Token, node: Node) -> None:
    result: Throw = node.throws[0]
    throw(frame, token, node, result, _local(frame, token), frame.instance.inner_scope(token))
    finish(frame, token, node)


SEND = Behaviour(_send)
