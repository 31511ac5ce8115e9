"""Going on from a point in an instance's history, as another instance."""

from __future__ import annotations

from datetime import datetime

from flowkit.kernel import protocol as p
from flowkit.kernel.catching import due_date
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import Program
from flowkit.kernel.state import Instance, Timer

__all__ = ["reopen"]


def reopen(program: Program, instance: Instance, origin: str, seq: int, *, now: datetime) -> list[p.Event]:
    """Let ``instance``, replayed from the events of ``origin`` up to ``seq``, go on at ``now``.

    Its durations and cycles begin anew, with the repetitions that they had left; dates stay.
    """
    frame = Frame(program, instance, now)
    frame.emit(p.InstanceReopened(origin, seq))
    for wait in list(instance.waits.values()):
        if isinstance(wait, Timer):
            _begin_anew(frame, wait)
    return frame.events


def _begin_anew(frame: Frame, timer: Timer) -> None:
    spec = frame.program.nodes[timer.node].catches[timer.part].timer
    if spec is None or spec.kind == "date":
        return
    try:
        due, _, cycle = due_date(frame, spec, timer.scope)
    except Trouble:  # the variables of that time do not give it any more: it stays as it was
        return
    frame.emit(p.TimerCleared(timer.key))
    frame.emit(
        p.TimerSet(
            frame.next_key(), timer.token, timer.scope, timer.node, due, timer.repetitions, cycle, timer.part
        )
    )
