"""Timers: from due date to due date, without drift, and in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from flowkit.engine import Engine, SystemClock, VirtualClock
from flowkit.tasks import TaskContext, task
from tests.engine.diagrams import catch, element, file, process, row, service, timer, user

Make = Callable[..., Engine]


def test_a_timer_fires_when_it_is_due_and_not_before(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", catch("t", timer("timeDuration", "PT1H")))})
    case = engine.start("p")
    assert engine.next_due() == clock.now() + timedelta(hours=1)
    assert engine.advance(timedelta(minutes=59)) == 0
    assert engine.advance(timedelta(minutes=1)) == 1
    assert engine.instance(case).status == "completed"
    assert engine.next_due() is None


def test_the_clock_stops_at_every_due_date(make: Make, clock: VirtualClock) -> None:
    times: list[datetime] = []

    @task("note")
    def note(context: TaskContext) -> None:
        times.append(context.now)

    engine = make(note)
    parts = [catch("a", timer("timeDuration", "PT1H")), service("x", "note")]
    parts += [catch("b", timer("timeDuration", "PT30M")), service("y", "note")]
    engine.deploy({"p.bpmn": row("p", *parts)})
    begun = clock.now()
    engine.start("p")
    engine.advance(timedelta(days=1))
    assert times == [begun + timedelta(hours=1), begun + timedelta(minutes=90)]
    assert clock.now() == begun + timedelta(days=1)


def test_a_cycle_does_not_drift_however_late_it_is_served(make: Make, clock: VirtualClock) -> None:
    boundary = (
        '<bpmn:boundaryEvent id="remind" attachedToRef="u" cancelActivity="false">'
        f"{timer('timeCycle', 'R/PT1H')}</bpmn:boundaryEvent>"
    )
    nodes = [
        element("startEvent", "start"), user("u"), boundary, service("r", "nobody"),
        element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "u"), ("u", "end"), ("remind", "r"), ("r", "end2")]
    engine = make()
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=flows))})
    begun = clock.now()
    case = engine.start("p")
    clock.advance(timedelta(minutes=90))
    assert engine.run_until_idle() == 1
    assert engine.next_due() == begun + timedelta(hours=2)
    clock.advance(timedelta(hours=10))
    engine.run_until_idle()
    assert len(engine.jobs(case)) == 11
    assert engine.next_due() == begun + timedelta(hours=12)


def test_a_backlog_is_worked_off_earliest_first(make: Make, clock: VirtualClock) -> None:
    order: list[str] = []

    @task("note")
    def note(name: str) -> None:
        order.append(name)

    engine = make(note)
    wait = catch("t", timer("timeDuration", "=delay"))
    engine.deploy({"p.bpmn": row("p", wait, service("s", "note"))})
    for minutes in (50, 10, 30, 20, 40):
        engine.start("p", {"name": f"{minutes}", "delay": f"PT{minutes}M"})
    engine.advance(timedelta(hours=1))
    assert order == ["10", "20", "30", "40", "50"]


def start_cycle(cycle: str) -> bytes:
    nodes = [element("startEvent", "start", timer("timeCycle", cycle)), user("u"), element("endEvent", "end")]
    return file(process("p", *nodes, flows=[("start", "u"), ("u", "end")]))


def test_a_timer_starts_instances(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": start_cycle("R3/PT1H")})
    engine.advance(timedelta(hours=2))
    assert len(engine.instances("p")) == 2
    engine.advance(timedelta(days=1))
    begun = [view.started.hour for view in engine.instances("p")]
    assert begun == [10, 11, 12]


def test_a_new_version_takes_over_the_start_timer(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": start_cycle("R/PT1H")})
    engine.deploy({"p.bpmn": start_cycle("R/PT2H")})
    engine.advance(timedelta(hours=4))
    assert [view.version for view in engine.instances("p")] == [2, 2]


def test_only_a_virtual_clock_is_moved(make: Make) -> None:
    engine = make(clock=SystemClock())
    with pytest.raises(TypeError, match="VirtualClock"):
        engine.advance(timedelta(hours=1))


def test_a_clock_only_goes_forward() -> None:
    clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="forward"):
        clock.set(datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 4, 1))
