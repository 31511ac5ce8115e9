"""``evolve``: the only code that writes an instance's state.

One small function an event, in one table. ``replay(events)`` therefore rebuilds exactly what
:func:`flowkit.kernel.step.step` built. These functions decide nothing and check nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from flowkit.kernel import protocol as p
from flowkit.kernel.state import (
    Call,
    Condition,
    DataRequest,
    Incident,
    Instance,
    Job,
    LoopState,
    Request,
    Scope,
    Subscription,
    Timer,
    Token,
    UserTask,
    Wait,
)

__all__ = ["EVOLVE", "evolve", "replay"]


def evolve(instance: Instance, event: p.Event) -> None:
    """Apply one event to the instance, in place."""
    EVOLVE[type(event)](instance, event)


def replay(instance: Instance, events: Iterable[p.Event]) -> Instance:
    """Apply ``events`` in order to a new instance and return it."""
    for event in events:
        EVOLVE[type(event)](instance, event)
    return instance


# ---- instance -------------------------------------------------------------------------------


def _instance_started(i: Instance, e: p.InstanceStarted) -> None:
    i.status = "active"
    i.business_key = e.business_key
    i.parent = e.parent


def _instance_ended(i: Instance, e: p.InstanceEnded) -> None:
    i.status = e.outcome


def _instance_suspended(i: Instance, _: p.InstanceSuspended) -> None:
    i.status = "suspended"


def _instance_resumed(i: Instance, _: p.InstanceResumed) -> None:
    i.status = "active"


def _instance_migrated(i: Instance, e: p.InstanceMigrated) -> None:
    i.program = e.program
    ids = e.nodes
    for token in i.tokens.values():
        token.node = ids.get(token.node, token.node)
        if token.flow is not None:
            token.flow = ids.get(token.flow, token.flow)
    for wait in i.waits.values():
        wait.node = ids.get(wait.node, wait.node)
    for scope in i.scopes.values():
        scope.node = ids.get(scope.node, scope.node)
        scope.at = {ids.get(node, node): count for node, count in scope.at.items()}
        scope.resetting = {
            ids.get(node, node): tuple(ids.get(flow, flow) for flow in flows)
            for node, flows in scope.resetting.items()
        }
        scope.occurred = {_placed(place, ids): parts for place, parts in scope.occurred.items()}
        scope.brought = {_placed(place, ids): given for place, given in scope.brought.items()}
        scope.joins = {
            ids.get(node, node): {ids.get(flow, flow): waiting for flow, waiting in flows.items()}
            for node, flows in scope.joins.items()
        }
        scope.records = {key: _renamed(record, ids) for key, record in scope.records.items()}


def _placed(place: str, ids: Any) -> str:
    """A place is ``token:node``."""
    token, _, node = place.partition(":")
    return f"{token}:{ids.get(node, node)}"


def _renamed(record: p.Compensable, ids: Any) -> p.Compensable:
    if record.program:
        return record
    children = tuple(_renamed(child, ids) for child in record.children)
    return p.Compensable(record.record, ids.get(record.node, record.node), record.variables, children)


# ---- tokens ---------------------------------------------------------------------------------


def _stand(scope: Scope, node: str) -> None:
    at = scope.at
    at[node] = at.get(node, 0) + 1


def _step_off(scope: Scope, node: str) -> None:
    at = scope.at
    left = at[node] - 1
    if left:
        at[node] = left
    else:
        del at[node]


def _token_created(i: Instance, e: p.TokenCreated) -> None:
    key = e.token
    i.counter = key
    i.tokens[key] = Token(key, e.node, e.scope)
    scope = i.scopes[e.scope]
    scope.tokens[key] = None
    _stand(scope, e.node)


def _move(i: Instance, e: p.FlowTaken | p.TokenMoved) -> None:
    token = i.tokens[e.token]
    at = i.scopes[token.scope].at  # _step_off and _stand, without the two calls: nothing happens more often
    old, new = token.node, e.node
    left = at[old] - 1
    if left:
        at[old] = left
    else:
        del at[old]
    at[new] = at.get(new, 0) + 1
    token.node = new
    token.active = False


def _token_consumed(i: Instance, e: p.TokenConsumed) -> None:
    token = i.tokens.pop(e.token)
    scope = i.scopes[token.scope]
    del scope.tokens[e.token]
    _step_off(scope, token.node)
    if token.flow is not None:
        _leave_join(scope, token)


def _leave_join(scope: Scope, token: Token) -> None:
    flows = scope.joins[token.node]
    waiting = flows[token.flow or ""]
    waiting.remove(token.key)
    if not waiting:
        del flows[token.flow or ""]
        if not flows:
            del scope.joins[token.node]


def _token_arrived(i: Instance, e: p.TokenArrived) -> None:
    token = i.tokens[e.token]
    token.flow = e.flow
    scope = i.scopes[token.scope]
    scope.joins.setdefault(token.node, {}).setdefault(e.flow, []).append(e.token)
    if e.synchronizing:
        i.synchronizing[token.scope] = None


def _join_fired(i: Instance, e: p.JoinFired) -> None:
    scope = i.scopes[e.scope]
    flows = scope.joins[e.node]
    tokens = i.tokens
    for key in e.tokens:
        token = tokens[key]
        waiting = flows[token.flow or ""]
        if waiting[0] == key:
            waiting.pop(0)
        else:
            waiting.remove(key)
        if not waiting:
            del flows[token.flow or ""]
        token.flow = None
        if key != e.token:
            del tokens[key], scope.tokens[key]
            _step_off(scope, e.node)
    if not flows:
        del scope.joins[e.node]
        if not scope.joins and not scope.resetting:
            i.synchronizing.pop(e.scope, None)


def _join_reset(i: Instance, e: p.JoinReset) -> None:
    scope = i.scopes[e.scope]
    if e.flows:
        scope.resetting[e.node] = e.flows
        i.synchronizing[e.scope] = None
    else:
        scope.resetting.pop(e.node, None)


def _element_entered(i: Instance, e: p.ElementEntered) -> None:
    i.tokens[e.token].active = True


def _element_left(i: Instance, e: p.ElementCompleted | p.ElementTerminated) -> None:
    token = i.tokens[e.token]
    token.active = False
    scope = i.scopes[token.scope]
    if scope.occurred:
        _forget_parts(scope, token)


def _forget_parts(scope: Scope, token: Token) -> None:
    """What has occurred of a parallel-multiple event at the node counts for this visit only."""
    for where in [where for where in scope.occurred if where.startswith(f"{token.key}:")]:
        del scope.occurred[where]
        scope.brought.pop(where, None)


# ---- scopes and variables -------------------------------------------------------------------


def _scope_opened(i: Instance, e: p.ScopeOpened) -> None:
    i.counter = e.scope
    i.scopes[e.scope] = Scope(e.scope, e.kind, e.node, e.parent, e.token, dict(e.variables))
    if e.token:
        i.tokens[e.token].scopes += (e.scope,)


def _scope_closed(i: Instance, e: p.ScopeClosed) -> None:
    scope = i.scopes.pop(e.scope)
    i.synchronizing.pop(e.scope, None)
    if scope.token:
        token = i.tokens[scope.token]
        token.scopes = tuple(key for key in token.scopes if key != e.scope)


def _variables_set(i: Instance, e: p.VariablesSet) -> None:
    i.scopes[e.scope].variables.update(e.variables)


def _loop_advanced(i: Instance, e: p.LoopAdvanced) -> None:
    scope = i.scopes[e.scope]
    loop = scope.loop
    if loop is None:
        loop = scope.loop = LoopState()
    for name, value in e.state.items():
        if name == "taken":
            del loop.items[:value]
        else:
            setattr(loop, name, list(value) if name == "items" else value)


def _output_collected(i: Instance, e: p.OutputCollected) -> None:
    cast(LoopState, i.scopes[e.scope].loop).outputs[e.index] = e.value


# ---- waits ----------------------------------------------------------------------------------


def _hold(i: Instance, wait: Wait, scope: int = 0) -> None:
    key = wait.key
    i.waits[key] = wait
    i.counter = key
    if wait.token:
        i.tokens[wait.token].holds[key] = None
    else:
        i.scopes[scope].holds[key] = None


def _release(i: Instance, key: int) -> None:
    wait = i.waits.pop(key)
    if wait.token:
        del i.tokens[wait.token].holds[key]
    else:
        del i.scopes[wait.scope].holds[key]  # type: ignore[union-attr]  # only scoped kinds lack a token


def _job_opened(i: Instance, e: p.JobOpened) -> None:
    _hold(i, Job(e.job, e.token, e.node, e.type, e.retries))


def _job_retries(i: Instance, e: p.JobFailed | p.JobRetried) -> None:
    cast(Job, i.waits[e.job]).retries = e.retries


def _job_closed(i: Instance, e: p.JobClosed) -> None:
    _release(i, e.job)


def _task_opened(i: Instance, e: p.UserTaskOpened) -> None:
    _hold(
        i,
        UserTask(
            e.task,
            e.token,
            e.node,
            e.assignee,
            e.candidate_groups,
            e.candidate_users,
            e.due,
            e.follow_up,
            e.priority,
            e.form,
        ),
    )


def _task_updated(i: Instance, e: p.UserTaskUpdated) -> None:
    task = cast(UserTask, i.waits[e.task])
    task.assignee = e.assignee
    task.candidate_groups = e.candidate_groups
    task.candidate_users = e.candidate_users
    task.due = e.due
    task.follow_up = e.follow_up
    task.priority = e.priority


def _task_closed(i: Instance, e: p.UserTaskClosed) -> None:
    _release(i, e.task)


def _timer_set(i: Instance, e: p.TimerSet) -> None:
    _hold(i, Timer(e.timer, e.token, e.node, e.scope, e.due, e.repetitions, e.cycle, e.part), e.scope)


def _timer_gone(i: Instance, e: p.TimerFired | p.TimerCleared) -> None:
    _release(i, e.timer)


def _subscription_opened(i: Instance, e: p.SubscriptionOpened) -> None:
    wait = Subscription(e.subscription, e.token, e.node, e.scope, e.kind, e.name, e.key, e.part)
    _hold(i, wait, e.scope)
    if e.follows:
        i.conditions[e.subscription] = None


def _subscription_closed(i: Instance, e: p.SubscriptionClosed) -> None:
    _release(i, e.subscription)
    i.conditions.pop(e.subscription, None)


def _correlation_key_set(i: Instance, e: p.CorrelationKeySet) -> None:
    i.keys[e.key] = e.value


def _condition_armed(i: Instance, e: p.ConditionArmed) -> None:
    _hold(i, Condition(e.condition, e.token, e.node, e.scope, e.holds, e.part), e.scope)
    i.conditions[e.condition] = None


def _condition_changed(i: Instance, e: p.ConditionChanged) -> None:
    cast(Condition, i.waits[e.condition]).holds = e.holds


def _condition_disarmed(i: Instance, e: p.ConditionDisarmed) -> None:
    _release(i, e.condition)
    del i.conditions[e.condition]


def _decision_requested(i: Instance, e: p.DecisionRequested) -> None:
    _hold(i, Request(e.request, e.token, e.node, e.decision))


def _data_requested(i: Instance, e: p.DataRequested) -> None:
    _hold(i, DataRequest(e.request, e.token, e.node, bool(e.writes)))


_Answer = p.DecisionAnswered | p.DecisionWithdrawn | p.DataAnswered | p.DataWithdrawn


def _request_gone(i: Instance, e: _Answer) -> None:
    _release(i, e.request)


def _call_opened(i: Instance, e: p.CallOpened) -> None:
    _hold(i, Call(e.call, e.token, e.node, e.process, e.undo))


def _call_closed(i: Instance, e: p.CallClosed) -> None:
    _release(i, e.call)


def _incident_raised(i: Instance, e: p.IncidentRaised) -> None:
    _hold(i, Incident(e.incident, e.token, e.node, e.kind, e.resume, e.message, e.subject))


def _incident_resolved(i: Instance, e: p.IncidentResolved) -> None:
    _release(i, e.incident)


# ---- events and compensation ----------------------------------------------------------------


def _part_occurred(i: Instance, e: p.PartOccurred) -> None:
    scope = i.scopes[e.scope]
    where = f"{e.token}:{e.node}"
    if e.part < 0:
        scope.occurred.pop(where, None)
        scope.brought.pop(where, None)
        return
    scope.occurred.setdefault(where, []).append(e.part)
    if e.variables:
        scope.brought.setdefault(where, {}).update(e.variables)


def _compensation_recorded(i: Instance, e: p.CompensationRecorded) -> None:
    i.counter = max(i.counter, e.record.record)
    i.scopes[e.scope].records[e.record.record] = e.record


def _compensation_started(i: Instance, e: p.CompensationStarted) -> None:
    records = i.scopes[e.scope].records
    for record in e.pending:
        records.pop(record.record, None)
    i.tokens[e.token].pending = e.pending


def _compensation_advanced(i: Instance, e: p.CompensationAdvanced) -> None:
    i.tokens[e.token].pending = e.pending


def _compensation_ended(i: Instance, e: p.CompensationEnded) -> None:
    i.tokens[e.token].pending = ()


def _nothing(_: Instance, __: p.Event) -> None:
    """The event is history or effect only."""


EVOLVE: dict[type, Callable[[Instance, Any], None]] = {
    p.InstanceStarted: _instance_started,
    p.InstanceEnded: _instance_ended,
    p.InstanceSuspended: _instance_suspended,
    p.InstanceResumed: _instance_resumed,
    p.InstanceReopened: _nothing,
    p.InstanceMigrated: _instance_migrated,
    p.TokenCreated: _token_created,
    p.FlowTaken: _move,
    p.TokenMoved: _move,
    p.TokenConsumed: _token_consumed,
    p.TokenArrived: _token_arrived,
    p.JoinFired: _join_fired,
    p.JoinReset: _join_reset,
    p.ElementEntered: _element_entered,
    p.ElementCompleted: _element_left,
    p.ElementTerminated: _element_left,
    p.ScopeOpened: _scope_opened,
    p.ScopeClosed: _scope_closed,
    p.VariablesSet: _variables_set,
    p.LoopAdvanced: _loop_advanced,
    p.OutputCollected: _output_collected,
    p.JobOpened: _job_opened,
    p.JobFailed: _job_retries,
    p.JobRetried: _job_retries,
    p.JobClosed: _job_closed,
    p.UserTaskOpened: _task_opened,
    p.UserTaskUpdated: _task_updated,
    p.UserTaskClosed: _task_closed,
    p.TimerSet: _timer_set,
    p.TimerFired: _timer_gone,
    p.TimerCleared: _timer_gone,
    p.SubscriptionOpened: _subscription_opened,
    p.CorrelationKeySet: _correlation_key_set,
    p.SubscriptionTriggered: _nothing,
    p.SubscriptionClosed: _subscription_closed,
    p.ConditionArmed: _condition_armed,
    p.ConditionChanged: _condition_changed,
    p.ConditionDisarmed: _condition_disarmed,
    p.MessageThrown: _nothing,
    p.SignalThrown: _nothing,
    p.DecisionRequested: _decision_requested,
    p.DecisionAnswered: _request_gone,
    p.DecisionWithdrawn: _request_gone,
    p.DataRequested: _data_requested,
    p.DataAnswered: _request_gone,
    p.DataWithdrawn: _request_gone,
    p.CallOpened: _call_opened,
    p.CallClosed: _call_closed,
    p.ErrorThrown: _nothing,
    p.EscalationThrown: _nothing,
    p.EventTriggered: _nothing,
    p.PartOccurred: _part_occurred,
    p.CompensationRecorded: _compensation_recorded,
    p.CompensationStarted: _compensation_started,
    p.CompensationAdvanced: _compensation_advanced,
    p.CompensationEnded: _compensation_ended,
    p.IncidentRaised: _incident_raised,
    p.IncidentResolved: _incident_resolved,
}
