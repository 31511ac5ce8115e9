"""Catching events: what they wait for, and when a condition has become true.

Arming has two halves (evaluate first, emit after): :func:`prepare` evaluates every expression and
may fail, :func:`install` emits and can't.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowkit.errors import FlowkitError
from flowkit.feel import to_json
from flowkit.kernel import protocol as p
from flowkit.kernel.correlating import follow, key_to_wait_for
from flowkit.kernel.formula import Trouble, findable
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import Catch, Node, TimerSpec
from flowkit.kernel.state import Condition, Subscription, Timer
from flowkit.timers import parse_cycle, parse_timer_date, parse_timer_duration

__all__ = ["Prepared", "catches_of", "conditions_come_true", "correlation_key", "install", "prepare", "rearm"]

_ALWAYS = ""
"""Stands for "some variable changed" in the set of changed variables."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One definition of a catching event, evaluated; ``token`` is 0 for the start of an event
    subprocess, which ``scope`` waits for."""

    node: str
    token: int
    scope: int
    part: int
    catch: Catch
    key: str = ""
    due: datetime | None = None
    repetitions: int | None = 0
    cycle: str = ""


def catches_of(node: Node) -> tuple[Catch, ...]:
    """The definitions of the node that wait for something outside."""
    return tuple(c for c in node.catches if c.kind in ("message", "signal", "timer", "condition"))


def prepare(frame: Frame, node: Node, token: int, scope: int) -> list[Prepared]:
    """Evaluate what the event waits for, as seen from ``scope``; raises Trouble."""
    prepared = []
    for part, catch in enumerate(node.catches):
        if catch.kind == "message":
            if catch.correlation is not None:
                key = key_to_wait_for(frame, catch.correlation)
            else:
                key = correlation_key(frame, catch, scope)
            prepared.append(Prepared(node.id, token, scope, part, catch, key=key))
        elif catch.kind in ("signal", "condition"):
            prepared.append(Prepared(node.id, token, scope, part, catch))
        elif catch.kind == "timer" and catch.timer is not None:
            due, repetitions, cycle = due_date(frame, catch.timer, scope)
            prepared.append(Prepared(node.id, token, scope, part, catch, "", due, repetitions, cycle))
    return prepared


def install(frame: Frame, prepared: list[Prepared]) -> None:
    """Emit the waits of :func:`prepare`."""
    for one in prepared:
        key = frame.next_key()
        catch = one.catch
        if catch.kind == "timer" and one.due is not None:
            frame.emit(
                p.TimerSet(key, one.token, one.scope, one.node, one.due, one.repetitions, one.cycle, one.part)
            )
        elif catch.kind == "condition" and catch.condition is not None:
            frame.emit(p.ConditionArmed(key, one.token, one.scope, one.node, False, one.part))
            frame.changed.update(catch.condition.reads or {_ALWAYS})
        else:
            frame.emit(
                p.SubscriptionOpened(
                    key,
                    catch.kind,
                    one.token,
                    one.scope,
                    one.node,
                    catch.name,
                    one.key,
                    one.part,
                    catch.correlation is not None and bool(catch.correlation.context),
                )
            )


def correlation_key(frame: Frame, catch: Any, scope: int) -> str:
    """The correlation key of a message as text; "" for a message without one."""
    if catch.key is None:
        return ""
    value = frame.value(catch.key, scope)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Trouble(
            "correlation",
            f"The correlation key '{catch.key.text}' of message '{catch.name}' must be a text or a"
            f" number, but is {value!r}.",
        )
    return findable(str(value), "correlation", "correlation key", catch.key.text)


# ---- timers ---------------------------------------------------------------------------------


def due_date(frame: Frame, timer: TimerSpec, scope: int) -> tuple[datetime, int | None, str]:
    """When the timer is due first, how often it fires after that, and its cycle."""
    value = frame.feel(timer.formula, scope)
    text = value if isinstance(value, str) else _timer_text(timer, value)
    try:
        if timer.kind == "date":
            return parse_timer_date(text), 0, ""
        if timer.kind == "duration":
            return parse_timer_duration(text).after(frame.now), 0, ""
        cycle = parse_cycle(text)
        return cycle.first(frame.now), cycle.remaining, str(cycle.anchored(frame.now))
    except (FlowkitError, OverflowError, ValueError) as error:
        raise Trouble(
            "timer", f"The timer {timer.kind} '{timer.formula.text}' is not valid: {error}"
        ) from None


def _timer_text(timer: TimerSpec, value: Any) -> str:
    if value is None:
        raise Trouble("timer", f"The timer {timer.kind} '{timer.formula.text}' is null.")
    try:
        text = to_json(value)
    except FlowkitError as error:
        raise Trouble("timer", str(error)) from None
    if not isinstance(text, str):
        raise Trouble(
            "timer", f"The timer {timer.kind} '{timer.formula.text}' must be a {timer.kind}, but is {text!r}."
        )
    return text


def rearm(frame: Frame, timer: Timer) -> None:
    """Set a cycle's next timer, counted from the last due date so that it never drifts."""
    if timer.repetitions == 0 or not timer.cycle:
        return
    cycle = parse_cycle(timer.cycle)
    due = cycle.next(timer.due)
    if due is None:
        return
    left = None if timer.repetitions is None else timer.repetitions - 1
    frame.emit(
        p.TimerSet(frame.next_key(), timer.token, timer.scope, timer.node, due, left, timer.cycle, timer.part)
    )


# ---- conditions -----------------------------------------------------------------------------


def conditions_come_true(frame: Frame) -> list[Condition]:
    """The armed conditions that have just become true; all are looked at before any of them triggers.

    Only conditions that read a changed variable are evaluated (their variables are known since the
    program was compiled). A condition triggers when it turns from false to true
    (BPMN 2.0.2, 10.5.5, *Conditional*).
    """
    changed, frame.changed = frame.changed, set()
    instance = frame.instance
    come_true = []
    for key in list(instance.conditions):
        wait = instance.waits[key]
        if isinstance(wait, Subscription):
            follow(frame, wait, changed)
        if not isinstance(wait, Condition):
            continue
        formula = frame.program.nodes[wait.node].catches[wait.part].condition
        if formula is None or not (changed & (formula.reads or {_ALWAYS})):
            continue
        holds = formula.feel(frame.variables(formula, wait.scope), frame.now) is True
        if holds != wait.holds:
            frame.emit(p.ConditionChanged(key, holds))
            if holds:
                come_true.append(wait)
    return come_true
