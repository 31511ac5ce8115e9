"""Commands: what each one does to the instance. One small function a command, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from flowkit.errors import NotFound, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.activity import finish, work
from flowkit.kernel.behaviours.ad_hoc import activate_activities, complete_ad_hoc
from flowkit.kernel.behaviours.scopes import arm_event_subprocesses, prepare_event_subprocesses
from flowkit.kernel.catching import rearm
from flowkit.kernel.compensating import call_undone, remember_call, undo_again, undo_process
from flowkit.kernel.correlating import carried, learn
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import (
    check_scope,
    close_scope,
    complete,
    enter,
    fail,
    open_scope,
    terminate_tokens,
)
from flowkit.kernel.modify import modify
from flowkit.kernel.multi_instance import continue_body
from flowkit.kernel.program import Node
from flowkit.kernel.raising import raise_error, raise_escalation
from flowkit.kernel.starting import put_start_tokens
from flowkit.kernel.state import (
    Call,
    DataRequest,
    Incident,
    Job,
    Request,
    Subscription,
    Timer,
    Token,
    UserTask,
)
from flowkit.kernel.triggering import content, deliver_signal, trigger

__all__ = ["COMMAND_TABLE", "WHILE_SUSPENDED"]

WHILE_SUSPENDED = (p.Resume, p.Cancel, p.SetVariables, p.Modify)

W = TypeVar("W", Job, UserTask, Call, Request, Incident)


def _wait(frame: Frame, key: int, kind: type[W], what: str) -> W:
    wait = frame.instance.waits.get(key)
    if not isinstance(wait, kind):
        raise NotFound(f"Instance {frame.instance.id} has no open {what} {key}.")
    return wait


def _at(frame: Frame, wait: Job | UserTask | Call | Request | DataRequest) -> tuple[Token, Node]:
    token = frame.instance.tokens[wait.token]
    return token, frame.program.nodes[token.node]


# ---- the instance ---------------------------------------------------------------------------


def _start(frame: Frame, command: p.Start) -> None:
    program = frame.program
    if frame.instance.status != "created":
        raise WrongState(f"Instance {frame.instance.id} has started already.")
    variables = dict(command.variables)
    start_event = command.start_event
    if start_event is not None and start_event not in {start.node for start in program.starts}:
        raise NotFound(
            f"Process '{program.process_id}' can't be started at '{start_event}'; it starts at"
            f" {', '.join(start.node for start in program.starts) or 'its none start event'}."
        )
    if start_event is not None and len(program.nodes[start_event].carried) == 1:
        variables = dict(content(program.nodes[start_event], 0, variables))
    container = program.containers[program.process_id]
    if start_event is None and not container.starts and command.undo is None:
        raise WrongState(
            f"Process '{program.process_id}' has not just one none start event; name one of"
            f" {', '.join(start.node for start in program.starts)} as start event."
        )
    frame.emit(
        p.InstanceStarted(
            program.process_id,
            program.digest,
            command.business_key,
            start_event,
            variables,
            command.parent,
            command.undo,
        )
    )
    open_scope(frame, "process", program.process_id, 0, 0, variables)
    if command.undo is not None:
        undo_process(frame, command.undo)
        return
    frame.changed.update(variables)
    if start_event is not None:
        node = program.nodes[start_event]
        for part in range(len(node.catches)):
            _learn(frame, node, part, variables, command.business_key or "")
    _begin(frame, start_event)


def _begin(frame: Frame, start_event: str | None) -> None:
    """Arm the event subprocesses of the process, then let the first tokens go.

    When arming fails the tokens stand at the start until the incident is resolved.
    """
    container = frame.program.containers[frame.program.process_id]
    try:
        prepared = prepare_event_subprocesses(frame, container, 1)
    except Trouble as trouble:
        first = put_start_tokens(frame, container, start_event, 1)
        frame.queue.clear()
        token = frame.instance.tokens[first]
        fail(frame, token, trouble, resume=f"begin:{start_event or ''}")
        return
    put_start_tokens(frame, container, start_event, 1)
    arm_event_subprocesses(frame, prepared, 1)


def _begin_again(frame: Frame, start_event: str) -> None:
    terminate_tokens(frame, frame.instance.scopes[1])
    _begin(frame, start_event or None)


def _suspend(frame: Frame, _: p.Suspend) -> None:
    frame.emit(p.InstanceSuspended())


def _resume(frame: Frame, _: p.Resume) -> None:
    if frame.instance.status != "suspended":
        raise WrongState(f"Instance {frame.instance.id} is not suspended.")
    frame.emit(p.InstanceResumed())


def _cancel(frame: Frame, command: p.Cancel) -> None:
    root = frame.instance.scopes[1]
    terminate_tokens(frame, root)
    variables = dict(root.variables)
    close_scope(frame, root)
    frame.emit(p.InstanceEnded("cancelled", variables, "", command.reason))


def _set_variables(frame: Frame, command: p.SetVariables) -> None:
    scope = command.scope or 1
    if scope not in frame.instance.scopes:
        raise NotFound(f"Instance {frame.instance.id} has no scope {scope}.")
    frame.set_variables(scope, command.variables)


# ---- jobs and user tasks --------------------------------------------------------------------


def _complete_job(frame: Frame, command: p.CompleteJob) -> None:
    job = _wait(frame, command.job, Job, "job")
    token, node = _at(frame, job)
    frame.emit(p.JobClosed(job.key, "completed"))
    _give(frame, token, node, command.variables)


def _give(frame: Frame, token: Token, node: Node, result: Any) -> None:
    node.behaviour.resume(frame, token, node, result)


def _fail_job(frame: Frame, command: p.FailJob) -> None:
    job = _wait(frame, command.job, Job, "job")
    retries = max(command.retries, 0)
    retry_at = command.retry_at if retries else None
    frame.emit(p.JobFailed(job.key, retries, retry_at, command.message, command.details))
    if not retries:
        token, _ = _at(frame, job)
        trouble = Trouble("job", command.message, command.details)
        fail(frame, token, trouble, resume="job", subject=job.key)


def _bpmn_error(frame: Frame, command: p.ThrowBpmnError) -> None:
    wait = frame.instance.waits.get(command.job)
    if not isinstance(wait, Job | UserTask):
        raise NotFound(f"Instance {frame.instance.id} has no open job or user task {command.job}.")
    token, _ = _at(frame, wait)
    if isinstance(wait, Job):
        frame.emit(p.JobClosed(wait.key, "error"))
    else:
        frame.emit(p.UserTaskClosed(wait.key, "error"))
    raise_error(frame, token, command.code, command.message, command.variables, resume="activate")


def _escalate(frame: Frame, command: p.ThrowEscalation) -> None:
    wait = frame.instance.waits.get(command.job)
    if not isinstance(wait, Job | UserTask):
        raise NotFound(f"Instance {frame.instance.id} has no open job or user task {command.job}.")
    raise_escalation(frame, _at(frame, wait)[0], command.code, command.variables)


def _complete_user_task(frame: Frame, command: p.CompleteUserTask) -> None:
    task = _wait(frame, command.task, UserTask, "user task")
    token, node = _at(frame, task)
    frame.emit(p.UserTaskClosed(task.key, "completed", command.user, command.variables))
    _give(frame, token, node, command.variables)


def _update_user_task(frame: Frame, command: p.UpdateUserTask) -> None:
    task = _wait(frame, command.task, UserTask, "user task")

    def changed(name: str) -> Any:
        wanted = getattr(command, name)
        return getattr(task, name) if wanted is msgspec.UNSET else wanted

    frame.emit(
        p.UserTaskUpdated(
            task.key,
            changed("assignee"),
            changed("candidate_groups"),
            changed("candidate_users"),
            changed("due"),
            changed("follow_up"),
            changed("priority"),
            command.user,
        )
    )


# ---- timers, messages, signals --------------------------------------------------------------


def _fire_timer(frame: Frame, command: p.FireTimer) -> None:
    timer = frame.instance.waits.get(command.timer)
    if not isinstance(timer, Timer):
        return
    frame.emit(p.TimerFired(timer.key))
    event = frame.program.nodes[timer.node]
    repeats = not event.interrupting and (event.attached_to or not timer.token)
    if repeats:
        rearm(frame, timer)
    trigger(frame, timer, {})


def _deliver(frame: Frame, command: p.DeliverMessage) -> None:
    wait = frame.instance.waits.get(command.subscription)
    if not isinstance(wait, Subscription) or wait.kind != "message":
        return
    frame.emit(p.SubscriptionTriggered(wait.key, command.message_id))
    event = frame.program.nodes[wait.node]
    _learn(frame, event, wait.part, command.variables, command.key, wait.key)
    trigger(frame, wait, command.variables)


def _learn(frame: Frame, event: Node, part: int, content: Any, key: str, received: int = 0) -> None:
    correlation = event.catches[part].correlation
    if correlation is not None:
        learn(frame, correlation, carried(correlation, content, frame.now) or key, received)


def _signal(frame: Frame, command: p.BroadcastSignal) -> None:
    deliver_signal(frame, command.name, command.variables)


# ---- decisions and calls --------------------------------------------------------------------


def _complete_decision(frame: Frame, command: p.CompleteDecision) -> None:
    request = _wait(frame, command.request, Request, "decision request")
    token, node = _at(frame, request)
    frame.emit(p.DecisionAnswered(request.key, command.output, command.evaluation))
    _give(frame, token, node, {node.detail.result_variable: command.output})


def _fail_decision(frame: Frame, command: p.FailDecision) -> None:
    request = _wait(frame, command.request, Request, "decision request")
    token, _ = _at(frame, request)
    frame.emit(p.DecisionWithdrawn(request.key))
    fail(frame, token, Trouble("decision", command.message), resume="activate")


def _complete_data(frame: Frame, command: p.CompleteData) -> None:
    request = frame.instance.waits.get(command.request)
    if isinstance(request, DataRequest):
        token, node = _at(frame, request)
        frame.emit(p.DataAnswered(request.key, command.values))
        frame.answers[token.key] = command.values
        if request.writes:
            finish(frame, token, node)
        else:
            frame.push(enter, token.key)


def _fail_data(frame: Frame, command: p.FailData) -> None:
    request = frame.instance.waits.get(command.request)
    if isinstance(request, DataRequest):
        token, _ = _at(frame, request)
        frame.emit(p.DataWithdrawn(request.key))
        resume = "finish" if request.writes else "enter"
        fail(frame, token, Trouble("data", command.message), resume=resume)


def _complete_call(frame: Frame, command: p.CompleteCall) -> None:
    call = frame.instance.waits.get(command.call)
    if isinstance(call, Call):
        token, node = _at(frame, call)
        frame.emit(p.CallClosed(call.key, "completed", command.evaluation))
        if call.undo is not None:
            call_undone(frame, token)
            return
        if command.undo is not None:
            remember_call(frame, token, node, command.undo)
        _give(frame, token, node, command.variables)


def _fail_call(frame: Frame, command: p.FailCall) -> None:
    call = frame.instance.waits.get(command.call)
    if isinstance(call, Call):
        token, _ = _at(frame, call)
        frame.emit(p.CallClosed(call.key, "failed"))
        fail(frame, token, Trouble("call", command.message), resume=_call_again(frame, token, call))


def _call_again(frame: Frame, token: Token, call: Call) -> str:
    if call.undo is None:
        return "activate"
    undo_again(frame, token, call.undo)
    return "undo"


def _error_from_call(frame: Frame, command: p.ErrorFromCall) -> None:
    call = frame.instance.waits.get(command.call)
    if isinstance(call, Call):
        token, _ = _at(frame, call)
        frame.emit(p.CallClosed(call.key, "error"))
        resume = _call_again(frame, token, call)
        raise_error(frame, token, command.code, command.message, command.variables, resume=resume)


def _escalation_from_call(frame: Frame, command: p.EscalationFromCall) -> None:
    call = frame.instance.waits.get(command.call)
    if isinstance(call, Call):
        raise_escalation(frame, _at(frame, call)[0], command.code, command.variables)


# ---- incidents and repairs ------------------------------------------------------------------


def _resolve(frame: Frame, command: p.ResolveIncident) -> None:
    incident = _wait(frame, command.incident, Incident, "incident")
    token = frame.instance.tokens[incident.token]
    frame.emit(p.IncidentResolved(incident.key))
    resume, _, key = incident.resume.partition(":")
    if resume == "job":
        frame.emit(p.JobRetried(incident.subject, max(command.retries, 1)))
    else:
        _RESUME[resume](frame, token, key)


def _again(action: Callable[[Frame, Token, Node], None]) -> Callable[[Frame, Token, str], None]:
    return lambda frame, token, _: action(frame, token, frame.program.nodes[token.node])


def _settle_again(frame: Frame, token: Token, _: str) -> None:
    frame.moved[token.scope] = None


_RESUME: dict[str, Callable[[Frame, Token, str], None]] = {
    "enter": lambda frame, token, _: frame.push(enter, token.key),
    "activate": _again(work),
    "finish": _again(finish),
    "leave": _again(complete),
    "scope": lambda frame, _, scope: frame.push(check_scope, int(scope)),
    "body": lambda frame, token, scope: frame.push(continue_body, token.key, int(scope)),
    "undo": lambda frame, token, _: call_undone(frame, token),
    "begin": lambda frame, _, start_event: _begin_again(frame, start_event),
    "settle": _settle_again,
}


def _activate_activities(frame: Frame, command: p.ActivateActivities) -> None:
    activate_activities(frame, command.scope, command.activities, command.variables)


def _complete_ad_hoc(frame: Frame, command: p.CompleteAdHoc) -> None:
    complete_ad_hoc(frame, command.scope)


def _evaluate(frame: Frame, _: p.EvaluateConditions) -> None:
    for key in frame.instance.conditions:
        wait = frame.instance.waits[key]
        condition = frame.program.nodes[wait.node].catches[getattr(wait, "part", 0)].condition
        if condition is not None:
            frame.changed.update(condition.reads or {""})


def _modify(frame: Frame, command: p.Modify) -> None:
    modify(frame, command.changes)


COMMAND_TABLE: dict[type, Callable[[Frame, Any], None]] = {
    p.Start: _start,
    p.CompleteJob: _complete_job,
    p.FailJob: _fail_job,
    p.ThrowBpmnError: _bpmn_error,
    p.ThrowEscalation: _escalate,
    p.CompleteUserTask: _complete_user_task,
    p.UpdateUserTask: _update_user_task,
    p.FireTimer: _fire_timer,
    p.DeliverMessage: _deliver,
    p.BroadcastSignal: _signal,
    p.CompleteDecision: _complete_decision,
    p.FailDecision: _fail_decision,
    p.CompleteData: _complete_data,
    p.FailData: _fail_data,
    p.CompleteCall: _complete_call,
    p.FailCall: _fail_call,
    p.ErrorFromCall: _error_from_call,
    p.EscalationFromCall: _escalation_from_call,
    p.SetVariables: _set_variables,
    p.ResolveIncident: _resolve,
    p.ActivateActivities: _activate_activities,
    p.CompleteAdHoc: _complete_ad_hoc,
    p.EvaluateConditions: _evaluate,
    p.Suspend: _suspend,
    p.Resume: _resume,
    p.Cancel: _cancel,
    p.Modify: _modify,
}
