"""What starts instances by itself: the start events of the newest version of each process."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from flowkit.engine.arrivals import Occurrence, forget_arrivals, occur
from flowkit.engine.clock import from_micros, micros
from flowkit.engine.sql.schema import START_TIMER, START_TRIGGER
from flowkit.engine.store import Session
from flowkit.errors import FlowkitError, InvalidModel
from flowkit.findings import Finding, Severity
from flowkit.kernel import Program
from flowkit.kernel.program import StartTrigger
from flowkit.timers import parse_cycle, parse_timer_date, parse_timer_duration

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["CORRELATED", "arm_triggers", "due_start_timers", "fire_start_timer"]


CORRELATED = "correlated"
"""The kind of a row that says: this process correlates the message by the standard's properties."""


class _Cycle(msgspec.Struct):
    """``text`` is empty for a single date; ``remaining`` None means without end."""

    text: str = ""
    remaining: int | None = 0


def arm_triggers(unit: Unit, session: Session, program: Program) -> None:
    """Let the start events of ``program`` take the place of those of the version before."""
    process = program.process_id
    session.run(f"DELETE FROM {START_TRIGGER.name} WHERE process=?", (process,))
    session.run(f"DELETE FROM {START_TIMER.name} WHERE process=?", (process,))
    for trigger in dict.fromkeys((t.node, t.kind, t.name) for t in program.starts):
        node, kind, name = trigger
        if kind in ("message", "signal"):
            session.run(START_TRIGGER.insert, (process, node, kind, name))
    for name in program.correlations:
        session.run(START_TRIGGER.insert, (process, "", CORRELATED, name))
    for start in program.starts:
        if start.kind == "timer" and start.timer is not None:
            due, cycle = _first(program, start, unit.now)
            row = (process, start.node, start.part, micros(due), msgspec.json.encode(cycle))
            session.run(START_TIMER.insert, row)
    forget_arrivals(session, program)


def _first(program: Program, start: StartTrigger, now: datetime) -> tuple[datetime, _Cycle]:
    timer = start.timer
    assert timer is not None
    try:
        text = timer.formula.value({}, now)
        if not isinstance(text, str):
            raise FlowkitError(f"its value is {text!r}")
        if timer.kind == "date":
            return parse_timer_date(text), _Cycle()
        if timer.kind == "duration":
            return parse_timer_duration(text).after(now), _Cycle()
        cycle = parse_cycle(text)
        return cycle.first(now), _Cycle(str(cycle.anchored(now)), cycle.remaining)
    except (FlowkitError, OverflowError, ValueError) as error:
        node = program.nodes[start.node]
        finding = Finding(
            "start-timer", Severity.ERROR, node.location,
            f"the {timer.kind} '{timer.formula.text}' of the start timer gives no due date: {error}.",
            "A start timer can read no variables; give an ISO-8601 text.", node.id, node.name,
        )  # fmt: skip
        raise InvalidModel([finding]) from None


def due_start_timers(session: Session, at: int, limit: int, skip: str = "") -> list[tuple[str, str, int]]:
    """``(process, node, part)`` of the start timers that are due, earliest first."""
    sql = f"SELECT process, node, part FROM {START_TIMER.name} WHERE due<=? ORDER BY due LIMIT ?{skip}"
    return [(row[0], row[1], row[2]) for row in session.query(sql, (at, limit))]


def fire_start_timer(unit: Unit, process: str, node: str, part: int) -> bool:
    """Let the start event occur if the timer is still due, and set the cycle's next date, without drift."""
    session = unit.read(START_TIMER)
    sql = f"SELECT due, state FROM {START_TIMER.name} WHERE process=? AND node=? AND part=? AND due<=?"
    rows = session.query(sql + unit.parts.store.lock, (process, node, part, unit.at))
    if not rows:
        return False
    due, state = rows[0]
    cycle = msgspec.json.decode(bytes(state), type=_Cycle)
    key = (process, node, part)
    after = None
    if cycle.text and cycle.remaining != 0:
        after = parse_cycle(cycle.text).next(from_micros(due))
    if after is None:
        unit.changes.remove(START_TIMER, key)
    else:
        left = None if cycle.remaining is None else cycle.remaining - 1
        values = {"due": micros(after), "state": msgspec.json.encode(_Cycle(cycle.text, left))}
        unit.changes.patch(START_TIMER, key, values)
    occur(unit, process, Occurrence(node, "timer", str(part)))
    return True
