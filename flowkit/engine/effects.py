"""How the engine answers the kernel: one function an event type that asks for something.

Everything happens in the transaction of the step that asked, except what is addressed to a
suspended instance: that is postponed until the instance is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flowkit.engine import messages
from flowkit.engine.ids import child_id
from flowkit.engine.outbox import entrust
from flowkit.engine.sql.schema import INSTANCE, JOB, POSTPONED, SUBSCRIPTION, TIMER
from flowkit.errors import FlowkitError, NotFound
from flowkit.kernel import protocol as p

if TYPE_CHECKING:
    from flowkit.dmn import DecisionResult
    from flowkit.engine.unit import Unit

__all__ = ["REACTIONS"]

MAX_CALL_DEPTH = 100
"""Calls inside calls; a process that calls itself for ever ends in an incident here."""

Reaction = Callable[["Unit", str, Any], None]


def _tell(unit: Unit, target: str, command: p.Command, source: str, event: p.Event) -> None:
    """Give ``command`` to another instance, now or when it is no longer suspended."""
    if unit.load(target).instance.status == "suspended":
        unit.postpone(source, event, waits_for=target)
        return
    unit.step(target, command)


# ---- calls ----------------------------------------------------------------------------------


def _call(unit: Unit, caller: str, event: p.CallOpened) -> None:
    live = unit.load(caller)
    if live.depth >= MAX_CALL_DEPTH:
        text = f"Calls are nested {MAX_CALL_DEPTH} deep; process {event.process!r} was not started."
        unit.step(caller, p.FailCall(call=event.call, message=text))
        return
    definitions, undo = unit.parts.definitions, event.undo
    try:
        if undo is not None:
            version = definitions.with_digest(unit.read(), "process", undo.program)
        else:
            version = definitions.bound(
                unit.read(), "process", event.process, event.binding, event.version_tag, live.deployment
            )
    except NotFound as error:
        if undo is not None or not _call_decision(unit, caller, event):
            unit.step(caller, p.FailCall(call=event.call, message=str(error)))
        return
    command = p.Start(
        variables=event.variables,
        business_key=live.instance.business_key,
        parent=p.ParentCall(caller, event.call),
        undo=undo,
    )
    unit.start(version, command, _fresh_child(unit, caller, event.call), depth=live.depth + 1)


def _call_decision(unit: Unit, caller: str, event: p.CallOpened) -> bool:
    """A call activity may call a decision, as if it were a global business rule task: its output is
    the variable of the decision's id. False when there is no such decision either."""
    try:
        result = _evaluate(unit, caller, event.process, event.binding, event.version_tag, event.variables)
    except NotFound:
        return False
    except FlowkitError as error:
        unit.step(caller, p.FailCall(call=event.call, message=str(error)))
        return True
    answer = p.CompleteCall(
        call=event.call,
        variables={event.process: result.output},
        evaluation=[one.to_json() for one in result.evaluations],
    )
    unit.step(caller, answer)
    return True


def _fresh_child(unit: Unit, caller: str, call: int) -> str:
    """The child's id; a call that is tried again after an incident gets a further one."""
    name, attempt = child_id(caller, call), 1
    while unit.exists(name):
        attempt += 1
        name = f"{child_id(caller, call)}.{attempt}"
    return name


def _call_closed(unit: Unit, caller: str, event: p.CallClosed) -> None:
    if event.reason != "cancelled":
        return
    sql = f"SELECT id FROM {INSTANCE.name} WHERE parent=? AND parent_call=? AND ended IS NULL"
    for (child,) in unit.read(INSTANCE).query(sql, (caller, event.call)):
        unit.step(child, p.Cancel(reason="the call activity was withdrawn"))


def _ended(unit: Unit, instance: str, event: p.InstanceEnded) -> None:
    live = unit.load(instance)
    parent = live.instance.parent
    if parent is not None and _still_called(unit, parent):
        command: p.Command
        if event.outcome == "error":
            command = p.ErrorFromCall(
                call=parent.call, code=event.code, message=event.message, variables=event.variables
            )
        elif event.outcome == "cancelled":
            text = f"The called instance {instance} was cancelled. {event.message}".rstrip()
            command = p.FailCall(call=parent.call, message=text)
        else:
            command = p.CompleteCall(call=parent.call, variables=event.variables, undo=event.undo)
        _tell(unit, parent.instance, command, instance, event)
    if live.message_key is not None:
        messages.start_buffered(unit, live.process, live.message_key)


def _still_called(unit: Unit, parent: p.ParentCall) -> bool:
    try:
        return parent.call in unit.load(parent.instance).instance.waits
    except NotFound:
        return False  # the parent was ended and cleaned away


def _escalated(unit: Unit, instance: str, event: p.EscalationThrown) -> None:
    parent = unit.load(instance).instance.parent
    if not event.caught_by and parent is not None and _still_called(unit, parent):
        command = p.EscalationFromCall(call=parent.call, code=event.code, variables=event.variables)
        _tell(unit, parent.instance, command, instance, event)


# ---- decisions ------------------------------------------------------------------------------


def _evaluate(
    unit: Unit, instance: str, decision: str, binding: str, version_tag: str, inputs: Mapping[str, Any]
) -> DecisionResult:
    """Evaluate the decision that is bound for the instance; raises NotFound when there is none."""
    definitions = unit.parts.definitions
    deployment = unit.load(instance).deployment
    version = definitions.bound(unit.read(), "decision", decision, binding, version_tag, deployment)
    result: DecisionResult = definitions.decisions(unit.read(), version).evaluate(
        decision, inputs, now=unit.now
    )
    return result


def _decide(unit: Unit, instance: str, event: p.DecisionRequested) -> None:
    asking = unit.load(instance).instance
    if event.request not in asking.waits:
        return  # withdrawn in the same step
    inputs = asking.inputs_of(event.request)
    try:
        result = _evaluate(unit, instance, event.decision, event.binding, event.version_tag, inputs)
    except FlowkitError as error:
        unit.step(instance, p.FailDecision(request=event.request, message=str(error)))
        return
    evaluation = [step.to_json() for step in result.evaluations]
    answer = p.CompleteDecision(request=event.request, output=result.output, evaluation=evaluation)
    unit.step(instance, answer)


# ---- data stores ----------------------------------------------------------------------------


def _exchange(unit: Unit, instance: str, event: p.DataRequested) -> None:
    if event.request in unit.load(instance).instance.waits:  # not withdrawn in the same step
        unit.step(instance, unit.parts.stores.answer(unit, instance, event))


# ---- messages and signals -------------------------------------------------------------------


def _message_thrown(unit: Unit, sender: str, event: p.MessageThrown) -> None:
    if entrust(unit, sender, event):
        return
    ttl = unit.parts.message_ttl if event.ttl is None else timedelta(seconds=event.ttl)
    messages.publish(
        unit, event.name, event.key, event.variables, ttl=ttl, message_id=event.message_id or None
    )


def _signal_thrown(unit: Unit, sender: str, event: p.SignalThrown) -> None:
    messages.broadcast(unit, event.name, event.variables, sender=sender)


def _subscribed(unit: Unit, instance: str, event: p.SubscriptionOpened) -> None:
    if event.kind == "message" and event.subscription in unit.load(instance).instance.waits:
        messages.deliver_buffered(unit, instance, event.subscription, event.name, event.key)


# ---- suspension -----------------------------------------------------------------------------

_WAITING_ROWS = (JOB, TIMER, SUBSCRIPTION)


def _suspended(unit: Unit, instance: str, event: p.InstanceSuspended) -> None:
    _activate(unit, instance, "suspended", 0)


def _resumed(unit: Unit, instance: str, event: p.InstanceResumed) -> None:
    session = _activate(unit, instance, "active", 1)
    session.run(f"UPDATE {POSTPONED.name} SET waits_for=NULL WHERE waits_for=?", (instance,))
    sql = f"SELECT key, name, correlation_key FROM {SUBSCRIPTION.name} WHERE instance=? AND kind='message'"
    for key, name, correlation_key in session.query(sql, (instance,)):
        messages.deliver_buffered(unit, instance, key, name, correlation_key)


def _activate(unit: Unit, instance: str, status: str, active: int) -> Any:
    session = unit.write()
    for table in _WAITING_ROWS:
        session.run(f"UPDATE {table.name} SET active=? WHERE instance=?", (active, instance))
    session.run(f"UPDATE {INSTANCE.name} SET status=? WHERE id=?", (status, instance))
    return session


REACTIONS: dict[type, Reaction] = {
    p.CallOpened: _call,
    p.CallClosed: _call_closed,
    p.InstanceEnded: _ended,
    p.EscalationThrown: _escalated,
    p.DecisionRequested: _decide,
    p.DataRequested: _exchange,
    p.MessageThrown: _message_thrown,
    p.SignalThrown: _signal_thrown,
    p.SubscriptionOpened: _subscribed,
    p.InstanceSuspended: _suspended,
    p.InstanceResumed: _resumed,
}
