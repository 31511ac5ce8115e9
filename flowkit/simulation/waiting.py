"""Waiting for events: timers, messages and signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flowkit.kernel.correlating import carried
from flowkit.kernel.protocol import ANY_KEY
from flowkit.simulation import machine as k

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case
    from flowkit.simulation.machine import Effect
    from flowkit.simulation.run import Run
    from flowkit.simulation.stations import WaitPlace

__all__ = ["Wait", "close_wait", "open_subscription", "open_timer", "throw_message", "throw_signal"]


class Wait:
    """Something that a case waits for. ``passive``: nothing is scheduled, only a throw can end it."""

    __slots__ = ("case", "key", "name", "op", "opened", "passive", "place", "subject", "visit")

    def __init__(
        self, case: Case, key: int, op: int, place: WaitPlace | None, opened: float, visit: int
    ) -> None:
        self.case = case
        self.key = key
        self.op = op
        self.place = place
        self.opened = opened
        self.visit = visit
        self.passive = True
        self.name = ""
        self.subject = ""


def _open(run: Run, case: Case, key: int, op: int, place: WaitPlace | None, standard: float) -> Wait:
    visit = 0
    delay = standard
    if place is not None:
        visit = case.visits.get(place.purpose, 0)
        case.visits[place.purpose] = visit + 1
        delay = place.time(case.index, visit, standard)
        place.opened += case.counted
    wait = Wait(case, key, op, place, run.now, visit)
    case.pending[key] = wait
    if delay < math.inf:
        wait.passive = False
        run.active += 1
        run.at(run.now + max(0.0, delay), _happen, wait)
    else:
        case.passive += 1
    return wait


def open_timer(run: Run, case: Case, effect: Effect) -> None:
    """``(_, key, place, seconds)``."""
    place = None if effect[2] is None else run.places[effect[2]]
    _open(run, case, effect[1], k.TIMER, place, effect[3])


def open_subscription(run: Run, case: Case, effect: Effect) -> None:
    """``(_, key, place, kind, name, correlation key)``."""
    _, key, index, kind, name, subject = effect
    place = None if index is None else run.places[index]
    op = k.MESSAGE if kind == "message" else k.SIGNAL
    wait = _open(run, case, key, op, place, math.inf)
    wait.name, wait.subject = name, subject
    if place is None or (place.plan.delay is None and not place.plan.never):
        run.listeners.setdefault((kind, name, subject if kind == "message" else ""), {})[wait] = None


def close_wait(run: Run, case: Case, effect: Effect) -> None:
    """The kernel closed a timer or subscription: ``(_, key)``."""
    wait = case.pending.pop(effect[1], None)
    if wait is not None:
        forget(run, wait)


def forget(run: Run, wait: Wait) -> None:
    """Take the wait off the books."""
    if wait.passive:
        wait.case.passive -= 1
    else:
        run.active -= 1
        run.stale += 1
    if wait.name:
        kind = "message" if wait.op == k.MESSAGE else "signal"
        listeners = run.listeners.get((kind, wait.name, wait.subject if kind == "message" else ""))
        if listeners is not None:
            listeners.pop(wait, None)


def _happen(run: Run, wait: Wait) -> None:
    case = wait.case
    if case.pending.get(wait.key) is not wait:
        run.stale -= 1
        return
    _trigger(run, wait, None)


def _trigger(run: Run, wait: Wait, thrown: dict[str, Any] | None) -> None:
    case, place = wait.case, wait.place
    del case.pending[wait.key]
    forget(run, wait)
    if not wait.passive and thrown is None:
        run.stale -= 1
    variables: dict[str, Any] = thrown or {}
    if place is not None:
        if case.counted:
            place.happened += 1
            place.waited.add(run.now - wait.opened)
        if not place.plan.attached:
            case.root.waits += run.now - wait.opened
        elif wait.op == k.TIMER:
            case.root.late = True
        if thrown is None and place.variables:
            variables = place.variables.draw(case.index, wait.visit)
    if wait.op == k.SIGNAL:
        run.act(case, k.SIGNAL, 0, {"name": wait.name, "variables": variables})
    else:
        run.act(case, wait.op, wait.key, variables if wait.op == k.MESSAGE else {})


def throw_message(run: Run, case: Case, effect: Effect) -> None:
    """``(_, name, correlation key, variables)``: to the one who waits longest, else to nobody."""
    _, name, subject, variables = effect
    subjects = [subject] if subject else ["", *_carried(run, name, variables)]
    found = (run.listeners.get(("message", name, one)) for one in (*subjects, ANY_KEY))
    listeners = next((one for one in found if one), None)
    if listeners:
        wait = next((one for one in listeners if one.case.root is not case.root), None) or next(
            iter(listeners)
        )
        run.soon(_deliver, (wait, dict(variables)))


def _carried(run: Run, name: str, variables: Mapping[str, Any]) -> list[str]:
    """The keys that processes which correlate by the standard's properties find in the message."""
    known = (machine.program.correlations.get(name) for machine in run.machines.values())
    now = run.plan.start + timedelta(seconds=run.now)
    keys = (carried(one, variables, now) for one in known if one is not None)
    return [key for key in keys if key is not None]


def throw_signal(run: Run, case: Case, effect: Effect) -> None:
    """``(_, name, variables)``: to all others who listen; the kernel has told the thrower itself."""
    _, name, variables = effect
    for wait in list(run.listeners.get(("signal", name, ""), ())):
        if wait.case is not case:
            run.soon(_deliver, (wait, dict(variables)))


def _deliver(run: Run, delivery: tuple[Wait, dict[str, Any]]) -> None:
    wait, variables = delivery
    if wait.case.pending.get(wait.key) is wait:
        _trigger(run, wait, variables)
