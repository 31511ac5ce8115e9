"""Clocks that jump: corrected by NTP, moved by daylight saving, stopped with the machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowkit.engine import Engine
from flowkit.engine.sql.schema import TIMER
from flowkit.tasks import task
from tests.engine.diagrams import catch, element, file, process, row, service, timer, user

Make = Callable[..., Engine]
HOUR = timedelta(hours=1)


class WallClock:
    """A clock that shows what it is set to, earlier times too."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def jump(self, by: timedelta) -> None:
        self.time += by


@pytest.fixture
def wall() -> WallClock:
    return WallClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def cycling(text: str) -> bytes:
    """Instances that a cycle starts."""
    nodes = [element("startEvent", "start", timer("timeCycle", text)), element("endEvent", "end")]
    return file(process("cycle", *nodes, flows=[("start", "end")]))


# ---- corrections ------------------------------------------------------------------------------


def test_a_clock_set_back_fires_nothing_twice_and_nothing_early(make: Make, wall: WallClock) -> None:
    engine = make(clock=wall)
    engine.deploy({"p.bpmn": row("p", catch("t", timer("timeDuration", "PT1H")), user("u"))})
    engine.deploy({"c.bpmn": cycling("R/PT1H")})
    first = engine.start("p")
    wall.jump(HOUR)
    engine.run_until_idle()
    assert engine.instance(first).active_elements == ("u",)
    assert len(engine.instances("cycle")) == 1
    wall.jump(-2 * HOUR)  # an hour before it all began
    second = engine.start("p")
    for _ in range(2):
        engine.run_until_idle()
    assert engine.instance(second).active_elements == ("t",)
    assert len(engine.instances("cycle")) == 1
    wall.jump(HOUR)
    engine.run_until_idle()
    assert engine.instance(second).active_elements == ("u",)
    wall.jump(2 * HOUR)
    engine.run_until_idle()
    assert len(engine.instances("cycle")) == 2
    assert [view.id for view in engine.instances("p")] == [first, second]  # ids go on in order


def test_a_clock_set_back_leaves_jobs_with_their_workers(make: Make, wall: WallClock) -> None:
    engine = make(clock=wall)
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    case = engine.start("p")
    [job] = engine.claim_jobs("work", worker="one", lease=timedelta(minutes=1))
    wall.jump(-HOUR)
    assert engine.claim_jobs("work", worker="two") == []
    assert engine.extend_lease(job, timedelta(minutes=1))
    wall.jump(timedelta(minutes=2))  # the lease was counted from the corrected time
    assert engine.claim_jobs("work", worker="two") == []
    wall.jump(timedelta(minutes=1))
    [again] = engine.claim_jobs("work", worker="two")
    assert (again.id, again.attempt) == (job.id, 2)
    engine.complete_job(again)
    assert engine.instance(case).status == "completed"


def test_a_clock_set_forward_costs_a_lease_one_attempt_at_most(make: Make, wall: WallClock) -> None:
    engine = make(clock=wall)
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=3))})
    engine.start("p")
    engine.claim_jobs("work", worker="one")
    wall.jump(timedelta(days=400))
    assert engine.claim_jobs("work", worker="two") == []  # it is tried again after its back-off
    wall.jump(timedelta(minutes=1))
    [job] = engine.claim_jobs("work", worker="two")
    assert (job.retries, job.attempt) == (2, 2)


# ---- after a stop -----------------------------------------------------------------------------


def test_catching_up_is_fair_and_in_bounded_transactions(make: Make, wall: WallClock) -> None:
    """A cycle with hundreds of missed dates does not keep the others from their one."""
    order: list[str] = []

    @task("note")
    def note(name: str) -> None:
        order.append(name)

    engine = make(note, clock=wall)
    nodes = [
        element("startEvent", "start"), user("u"),
        '<bpmn:boundaryEvent id="tick" attachedToRef="u" cancelActivity="false">'
        f"{timer('timeCycle', 'R/PT1M')}</bpmn:boundaryEvent>",
        service("s", "note"), element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "u"), ("u", "end"), ("tick", "s"), ("s", "end2")]
    engine.deploy({"p.bpmn": file(process("busy", *nodes, flows=flows))})
    wait = catch("t", timer("timeDuration", "PT5H"))
    engine.deploy({"q.bpmn": row("late", wait, service("s", "note"))})
    engine.start("busy", {"name": "tick"})
    engine.committer.run_all([engine.starting("late", {"name": "late"}) for _ in range(150)])
    sizes: list[int] = []
    real = engine.committer.run_all

    def counted(works: Any, *rest: Any) -> Any:
        sizes.append(len(works))
        return real(works, *rest)

    engine.committer.run_all = counted  # type: ignore[method-assign]
    wall.jump(timedelta(hours=5))
    engine.run_until_idle()
    assert (order.count("tick"), order.count("late")) == (300, 150)
    last = len(order) - order[::-1].index("late")
    assert order[:last].count("tick") < 30  # served while the cycle was still catching up
    assert max(sizes) < 250  # a few batches of 64: results, timers


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_due_timers_are_read_from_an_index_in_order(make: Make, wall: WallClock) -> None:
    """However many are due, a transaction reads the earliest from the index, and sorts nothing."""
    from flowkit.engine import pump  # noqa: PLC0415

    engine = make(clock=wall)
    waiting = [[f"{n:024}", 1, "t", "p", n, 1] for n in range(2000)]
    with engine.store.transaction() as session:
        session.run_many(TIMER.insert, waiting)
    statement = pump._TIMERS.replace(" LIMIT ?", " LIMIT 64")
    with engine.store.transaction() as session:
        if session.dialect == "sqlite":
            plan = str(session.query(f"EXPLAIN QUERY PLAN {statement}", (10**15,)))
            assert "USING INDEX flowkit_timer_0 (due<?)" in plan
            assert "TEMP B-TREE" not in plan
        else:
            session.run("ANALYZE flowkit_timer")
            plan = str(session.query(f"EXPLAIN {statement}", (10**15,)))
            assert "Index Scan using flowkit_timer_0" in plan or "Index Only Scan" in plan
            assert "Seq Scan" not in plan


# ---- daylight saving ---------------------------------------------------------------------------


def begun(engine: Engine, until: str) -> list[datetime]:
    """When the cycle started instances, up to a time."""
    clock: Any = engine.clock
    end = datetime.fromisoformat(until)
    while (due := engine.next_due()) is not None and due <= end:
        clock.time = due
        engine.run_until_idle()
    return [view.started for view in engine.instances("cycle")]


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("cycle", "now", "until", "expected"),
    [
        pytest.param(
            "R/2026-03-28T09:00:00[Europe/Berlin]/P1D", "2026-03-27T12:00+01:00", "2026-03-31T00:00+02:00",
            ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"], id="nine o'clock stays nine",
        ),
        pytest.param(
            "R/2026-03-29T01:30+01:00/PT1H", "2026-03-29T00:00+01:00", "2026-03-29T05:00+02:00",
            ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"], id="hours are hours in spring",
        ),
        pytest.param(
            "R/2026-03-29T01:30:00[Europe/Berlin]/PT1H", "2026-03-29T00:00+01:00", "2026-03-29T05:00+02:00",
            ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"], id="by the zone's name too",
        ),
        pytest.param(
            "R/2026-10-24T02:30:00[Europe/Berlin]/P1D", "2026-10-23T12:00+02:00", "2026-10-26T12:00+01:00",
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"], id="the repeated hour fires once",
        ),
        pytest.param(
            "R/2026-10-25T01:30:00[Europe/Berlin]/PT1H", "2026-10-25T00:00+02:00", "2026-10-25T03:40+01:00",
            ["2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"],
            id="hours are hours in autumn",
        ),
    ],
)  # fmt: skip
def test_cycles_across_daylight_saving(
    make: Make, cycle: str, now: str, until: str, expected: list[str]
) -> None:
    engine = make(clock=WallClock(datetime.fromisoformat(now).astimezone(BERLIN)))
    engine.deploy({"c.bpmn": cycling(cycle)})
    found = begun(engine, until)
    assert found == [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in expected]


def test_a_cycle_without_a_zone_does_not_drift_in_a_zone_that_changes(make: Make) -> None:
    """Counted from the start by the engine's own zone: days by the wall clock, and back in autumn."""
    engine = make(clock=WallClock(datetime(2026, 3, 28, 9, 0, tzinfo=BERLIN)))
    engine.deploy({"c.bpmn": cycling("R/P1D")})
    found = begun(engine, "2026-10-27T12:00+01:00")
    hours = {moment.astimezone(BERLIN).hour for moment in found}
    assert (len(found), hours) == (213, {9})
