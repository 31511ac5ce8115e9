"""Migration, restart, bulk and retention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import NotFound, Rejected, WrongState
from flowkit.kernel.protocol import Cancel, InstanceMigrated
from tests.engine.diagrams import call, row, service, user

Make = Callable[..., Engine]


def test_an_instance_goes_on_with_the_newest_version(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("old"))})
    case = engine.start("p", {"kept": 1})
    engine.deploy({"p.bpmn": row("p", user("a"), user("new"))})
    assert engine.check_migration(case).possible
    assert engine.instance(case).version == 1
    report = engine.migrate(case)
    assert (report.from_version, report.to_version) == (1, 2)
    engine.complete(engine.tasks(case)[0])
    view = engine.instance(case)
    assert (view.version, view.active_elements, view.variables) == (2, ("new",), {"kept": 1})
    assert any(isinstance(entry.event, InstanceMigrated) for entry in engine.history(case))


def test_a_renamed_element_is_mapped(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    case = engine.start("p")
    engine.deploy({"p.bpmn": row("p", user("b"))})
    report = engine.check_migration(case)
    assert [obstacle.element for obstacle in report.obstacles] == ["a"]
    with pytest.raises(Rejected):
        engine.migrate(case)
    assert engine.instance(case).version == 1
    engine.migrate(case, mapping={"a": "b"})
    [todo] = engine.tasks(case)
    assert todo.element_id == "b"
    engine.complete(todo)
    assert engine.instance(case).status == "completed"


def test_an_ended_instance_is_started_again(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    case = engine.start("p", {"plate": "京A1", "n": 1}, business_key="WO-1")
    with pytest.raises(WrongState):
        engine.restart(case)
    engine.complete(engine.tasks(case)[0], {"n": 2})
    again = engine.restart(case, variables={"n": 3})
    view = engine.instance(again)
    assert (view.variables, view.business_key) == ({"plate": "京A1", "n": 3}, "WO-1")


def test_one_failure_in_bulk_leaves_only_that_one(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    cases = [engine.start("p") for _ in range(120)]
    engine.complete(engine.tasks(cases[60])[0])
    through: list[int] = []
    report = engine.bulk([*cases, "nobody"], Cancel(), progress=through.append)
    assert set(report.failed) == {cases[60], "nobody"}
    assert len(report.done) == 119
    assert through == [50, 100, 121]
    assert len(engine.instances(status="cancelled")) == 119


def test_bulk_migrates(make: Make) -> None:
    from flowkit.engine.maintenance import migrate_instance  # noqa: PLC0415

    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    cases = [engine.start("p") for _ in range(5)]
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    report = engine.bulk(cases, lambda unit, case: migrate_instance(unit, case, None, {}))
    assert report.done == tuple(cases)
    assert {view.version for view in engine.instances()} == {2}


def test_what_is_over_is_cleaned_away_and_what_runs_stays(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q")), "q.bpmn": row("q"), "r.bpmn": row("r", user("u"))})
    old = engine.start("p")
    running = engine.start("r")
    clock.advance(timedelta(days=40))
    fresh = engine.start("p")
    assert engine.clean_up(clock.now() - timedelta(days=30)) == 2
    with pytest.raises(NotFound):
        engine.instance(old)
    with pytest.raises(NotFound):
        engine.history(old)
    kept = {view.id for view in engine.instances()}
    assert {running, fresh} <= kept
    assert len(kept) == 3


def test_no_rows_are_left_when_instances_end(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "nobody"), user("u", groups="g"))})
    case = engine.start("p")
    engine.complete_job(engine.jobs(case)[0])
    engine.complete(engine.tasks(case)[0])
    with engine.store.reader() as session:
        for table in ("job", "timer", "subscription", "user_task", "candidate", "incident", "postponed"):
            assert session.query(f"SELECT * FROM flowkit_{table}") == [], table
