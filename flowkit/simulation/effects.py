"""From the kernel's events to what the simulator does about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowkit.kernel import Program
from flowkit.kernel import protocol as p
from flowkit.simulation import machine as k
from flowkit.simulation.machine import Effect, Translator
from flowkit.simulation.plan import Plan
from flowkit.simulation.waiting import close_wait, open_subscription, open_timer, throw_message, throw_signal
from flowkit.simulation.work import close_work, open_work

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case
    from flowkit.simulation.run import Run

__all__ = ["Effects"]


def _end(run: Run, case: Case, effect: Effect) -> None:
    run.end(case, *effect[1:])


def _call(run: Run, case: Case, effect: Effect) -> None:
    run.call(case, *effect[1:])


def _close_call(run: Run, case: Case, effect: Effect) -> None:
    child = case.pending.pop(effect[1], None)
    if child is not None and child.open and effect[2] == "cancelled":
        run.act(child, k.CANCEL, 0, {"reason": "the caller was left"})


def _escalate(run: Run, case: Case, effect: Effect) -> None:
    if case.caller is not None:
        caller, call = case.caller
        run.soon(
            lambda r, _: r.act(caller, k.ESCALATION, call, {"code": effect[1], "variables": effect[2]}), None
        )


def _incident(run: Run, case: Case, effect: Effect) -> None:
    run.incident(case, effect[1], effect[2])


def _mark_entered(run: Run, case: Case, effect: Effect) -> None:
    run.mark(case.root, effect[1], entered=True)
    if effect[2] is not None:
        case.ends = (*case.ends, effect[2])


def _mark_completed(run: Run, case: Case, effect: Effect) -> None:
    run.mark(case.root, effect[1], entered=False)


def _reach_end(_run: Run, case: Case, effect: Effect) -> None:
    case.ends = (*case.ends, effect[1])


class Effects(Translator):
    """The translation for one plan; effects name stations and places by index, so they outlive a run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._table: dict[type, Callable[[str, Any, datetime], Effect | None]] = {
            p.JobOpened: self._job,
            p.UserTaskOpened: self._user_task,
            p.DecisionRequested: self._decision,
            p.JobClosed: lambda _p, e, _n: None if e.reason == "completed" else (close_work, e.job),
            p.UserTaskClosed: lambda _p, e, _n: None if e.reason == "completed" else (close_work, e.task),
            p.DecisionWithdrawn: lambda _p, e, _n: (close_work, e.request),
            p.TimerSet: self._timer,
            p.TimerCleared: lambda _p, e, _n: (close_wait, e.timer),
            p.SubscriptionOpened: self._subscription,
            p.SubscriptionClosed: lambda _p, e, _n: (close_wait, e.subscription),
            p.SubscriptionTriggered: lambda _p, e, _n: (close_wait, e.subscription),
            p.MessageThrown: lambda _p, e, _n: (throw_message, e.name, e.key, e.variables),
            p.SignalThrown: lambda _p, e, _n: (throw_signal, e.name, e.variables),
            p.CallOpened: lambda _p, e, _n: (_call, e.call, e.process, e.variables, e.undo),
            p.CallClosed: lambda _p, e, _n: (_close_call, e.call, e.reason),
            p.EscalationThrown: lambda _p, e, _n: None if e.caught_by else (_escalate, e.code, e.variables),
            p.IncidentRaised: lambda _p, e, _n: (_incident, e.node, f"{e.kind}: {e.message}"),
            p.InstanceEnded: lambda _p, e, _n: (_end, e.outcome, e.variables, e.code, e.message, e.undo),
            p.ElementEntered: self._entered,
            p.ElementCompleted: self._completed,
        }

    def effect(self, program: Program, event: p.Event, now: datetime) -> Effect | None:
        found = self._table.get(type(event))
        return None if found is None else found(program.process_id, event, now)

    def _job(self, process: str, event: p.JobOpened, _now: datetime) -> Effect:
        return (open_work, event.job, self._plan.station_of[process, event.node], k.JOB, None)

    def _user_task(self, process: str, event: p.UserTaskOpened, now: datetime) -> Effect:
        due = None if event.due is None else (event.due - now).total_seconds()
        return (open_work, event.task, self._plan.station_of[process, event.node], k.TASK, due)

    def _decision(self, process: str, event: p.DecisionRequested, _now: datetime) -> Effect:
        return (open_work, event.request, self._plan.station_of[process, event.node], k.DECISION, None)

    def _timer(self, process: str, event: p.TimerSet, now: datetime) -> Effect:
        place = self._plan.wait_of.get((process, event.node))
        return (open_timer, event.timer, place, (event.due - now).total_seconds())

    def _subscription(self, process: str, event: p.SubscriptionOpened, _now: datetime) -> Effect:
        place = self._plan.wait_of.get((process, event.node))
        return (open_subscription, event.subscription, place, event.kind, event.name, event.key)

    def _entered(self, process: str, event: p.ElementEntered, _now: datetime) -> Effect | None:
        place = (process, event.node)
        mark = self._plan.marks.get(place)
        end = self._plan.ends.get(place) if process == self._plan.process else None
        if mark is not None:
            return (_mark_entered, mark, end)
        return None if end is None else (_reach_end, end)

    def _completed(self, process: str, event: p.ElementCompleted, _now: datetime) -> Effect | None:
        mark = self._plan.marks.get((process, event.node))
        return None if mark is None else (_mark_completed, mark)
