"""Starting again, from the beginning and from a point in the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock, actions
from flowkit.engine.clock import from_micros
from flowkit.errors import NotFound, WrongState
from flowkit.kernel import new_instance, replay
from flowkit.kernel.protocol import ElementEntered, InstanceReopened
from flowkit.tasks import task
from tests.engine.diagrams import (
    call,
    catch,
    element,
    file,
    message,
    on_message,
    process,
    row,
    service,
    timer,
    user,
)

Make = Callable[..., Engine]


def rows(engine: Engine, case: str) -> dict[str, list[Any]]:
    """The rows of what waits, without times and the instance's id."""
    found = {}
    with engine.store.reader() as session:
        for table in ("job", "user_task", "candidate", "timer", "subscription", "incident"):
            columns = {"job": "key, type, node, state, retries", "timer": "node, active"}
            wanted = columns.get(table, "key, node" if table != "candidate" else "key, kind, name")
            sql = f"SELECT {wanted} FROM flowkit_{table} WHERE instance=? ORDER BY 1, 2"
            found[table] = session.query(sql, (case,))
    return found


def state(engine: Engine, case: str) -> Any:
    """The state that the whole history gives."""
    program = engine.program(engine.instance(case).process_id)
    return replay(new_instance(program, case), [entry.event for entry in engine.history(case)])


def test_an_ended_instance_goes_on_from_an_element(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a", groups="g"), user("b"), user("c"))})
    case = engine.start("p", {"n": 1}, business_key="WO-1")
    for name in "abc":
        engine.complete(engine.tasks(case)[0], {name: True})
    again = engine.restart(case, at="b", variables={"n": 2})
    view = engine.instance(again)
    assert (view.active_elements, view.business_key) == (("b",), "WO-1")
    assert view.variables == {"n": 2, "a": True}
    assert engine.instance(case).status == "completed"
    [note] = [e.event for e in engine.history(again) if isinstance(e.event, InstanceReopened)]
    assert note.origin == case
    before = [entry for entry in engine.history(case) if entry.seq <= note.seq]
    assert [entry.seq for entry in before] == list(range(note.seq + 1))
    assert engine.history(again)[: note.seq + 1] == before
    for name in "bc":
        engine.complete(engine.tasks(again)[0], {name: False})
    assert engine.instance(again).status == "completed"
    assert engine.instance(again).variables == {"n": 2, "a": True, "b": False, "c": False}


def test_from_an_event_everything_that_was_open_is_open_again(make: Make) -> None:
    @task("fail")
    def fail() -> None:
        raise OSError("no line")

    engine = make(fail)
    branches = [service("s", "nobody"), service("f", "fail", retries=1), user("u", groups="g,h")]
    branches += [catch("t", timer("timeDuration", "PT1H")), catch("m", on_message("paid"))]
    names = ["s", "f", "u", "t", "m"]
    nodes = [element("startEvent", "start"), element("parallelGateway", "fork"), *branches]
    nodes += [element("parallelGateway", "join"), element("endEvent", "end")]
    flows = [("start", "fork"), ("join", "end")]
    flows += [pair for name in names for pair in (("fork", name), (name, "join"))]
    engine.deploy({"p.bpmn": file(message("paid", "order"), process("p", *nodes, flows=flows))})
    case = engine.start("p", {"order": "7"})
    engine.run_until_idle()
    point = engine.history(case)[-1].seq
    waiting = rows(engine, case)
    assert all(waiting.values())
    engine.complete(engine.tasks(case)[0])
    engine.complete_job(engine.jobs(case, type="nobody")[0])
    engine.cancel(case)
    again = engine.restart(case, at=point)
    reopened = rows(engine, again)
    assert reopened == waiting
    assert len(engine.tasks(again, group="h")) == 1
    engine.publish("paid", "7")
    engine.complete(engine.tasks(again)[0])
    engine.complete_job(engine.jobs(again, type="nobody")[0])
    engine.complete_job(engine.jobs(again, type="fail")[0])
    assert engine.advance(timedelta(hours=1)) >= 1
    assert engine.instance(again).status == "completed"
    assert state(engine, again).status == "completed"


def test_durations_begin_anew_and_dates_stay(make: Make, clock: VirtualClock) -> None:
    date = (clock.now() + timedelta(days=30)).isoformat()
    reminders = [
        ("hour", timer("timeDuration", "PT1H")), ("date", timer("timeDate", date)),
        ("cycle", timer("timeCycle", "R3/PT2H")),
    ]  # fmt: skip
    nodes = [element("startEvent", "start"), user("u"), element("endEvent", "end")]
    flows = [("start", "u"), ("u", "end")]
    for name, definition in reminders:
        nodes.append(
            f'<bpmn:boundaryEvent id="{name}" attachedToRef="u" cancelActivity="false">{definition}'
            "</bpmn:boundaryEvent>"
        )
        nodes += [service(f"do_{name}", "nobody"), element("endEvent", f"end_{name}")]
        flows += [(name, f"do_{name}"), (f"do_{name}", f"end_{name}")]
    engine = make()
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=flows))})
    case = engine.start("p")
    engine.advance(timedelta(hours=2))
    later = engine.history(case)[-1].seq  # the hour is over, and the cycle has fired once
    engine.cancel(case)
    clock.advance(timedelta(days=7))
    now = clock.now()

    def due(again: str) -> dict[str, timedelta]:
        with engine.store.reader() as session:
            found = session.query("SELECT node, due FROM flowkit_timer WHERE instance=?", (again,))
        return {node: from_micros(at) - now for node, at in found}

    stays = timedelta(days=23, hours=-2)
    first, second = engine.restart(case, at="u"), engine.restart(case, at=later)
    assert due(first) == {"hour": timedelta(hours=1), "cycle": timedelta(hours=2), "date": stays}
    assert due(second) == {"cycle": timedelta(hours=2), "date": stays}
    engine.advance(timedelta(hours=24))
    for again, hours, cycles in ((first, 1, 3), (second, 1, 3)):
        fired = [job.element_id for job in engine.jobs(again)]
        assert (fired.count("do_hour"), fired.count("do_cycle")) == (hours, cycles)


def test_called_processes_are_called_anew_and_buffered_messages_taken(make: Make) -> None:
    engine = make()
    called = file(
        message("paid", "order"),
        process(
            "q", element("startEvent", "start"), user("inside"), catch("wait", on_message("paid")),
            element("endEvent", "end"),
            flows=[("start", "inside"), ("inside", "wait"), ("wait", "end")],
        ),
    )  # fmt: skip
    engine.deploy({"p.bpmn": row("p", call("c", "q"), user("after")), "q.bpmn": called})
    case = engine.start("p", {"order": "7"})
    [child] = engine.instances("q")
    engine.complete(engine.tasks(child.id)[0])
    with pytest.raises(WrongState, match="restart that one"):
        engine.restart(child.id, at="inside", cancel=True)
    engine.cancel(case)
    again = engine.restart(case, at="c")
    [fresh] = engine.instances("q", status="active")
    assert (fresh.parent, fresh.active_elements) == (again, ("inside",))
    alone = engine.restart(child.id, at="wait")  # without its caller, who did not wait for it
    assert engine.instance(alone).parent is None
    engine.publish("paid", "7")
    assert engine.instance(alone).status == "completed"
    engine.publish("paid", "7")
    last = engine.restart(child.id, at="wait")
    assert engine.instance(last).status == "completed"
    assert engine.instance(again).active_elements == ("c",)


def test_a_running_instance_is_ended_only_when_asked(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = engine.start("p")
    engine.complete(engine.tasks(case)[0], {"wrong": True})
    for options in ({}, {"at": "a"}):
        with pytest.raises(WrongState, match="cancel=True"):
            engine.restart(case, **options)  # type: ignore[arg-type]  # a union of options
    again = engine.restart(case, at="a", cancel=True)
    view = engine.instance(case)
    assert (view.status, again in (view.outcome or "")) == ("cancelled", False)
    assert engine.history(case)[-1].event.message == f"restarted as {again}"  # type: ignore[union-attr]
    assert engine.instance(again).variables == {}
    assert engine.instance(engine.restart(again, cancel=True)).active_elements == ("a",)


def test_what_has_no_sense_is_refused(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", element("task", "plain"), user("a"))})
    case = engine.start("p")
    engine.complete(engine.tasks(case)[0])
    last = engine.history(case)[-1].seq
    with pytest.raises(WrongState, match="was over"):
        engine.restart(case, at=last)
    with pytest.raises(WrongState, match="'plain' did not wait for anything; the instance stood at a"):
        engine.restart(case, at="plain")
    with pytest.raises(NotFound, match=f"events 0 to {last}"):
        engine.restart(case, at=last + 1)
    with pytest.raises(NotFound, match="never entered an element 'b'"):
        engine.restart(case, at="b")
    with pytest.raises(NotFound, match="no instance"):
        engine.restart("nobody", at="a")
    with pytest.raises(ValueError, match="start event"):
        engine.restart(case, at="a", start_event="start")
    assert len(engine.instances()) == 1


def test_one_live_instance_a_message_key(make: Make) -> None:
    engine = make()
    nodes = [element("startEvent", "start", on_message("paid")), user("a"), element("endEvent", "end")]
    diagram = process("p", *nodes, flows=[("start", "a"), ("a", "end")])
    engine.deploy({"p.bpmn": file(message("paid", "order"), diagram)})
    [case] = engine.publish("paid", "7")
    engine.cancel(case)
    [other] = engine.publish("paid", "7")
    with pytest.raises(WrongState, match=f"Instance {other} is running with the same message key '7'"):
        engine.restart(case, at="a")
    again = engine.restart(other, at="a", cancel=True)
    engine.publish("paid", "7", ttl=timedelta(0))
    assert [view.id for view in engine.instances(status="active")] == [again]


def test_a_migrated_instance_goes_on_in_the_version_it_had(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = engine.start("p")
    engine.deploy({"p.bpmn": row("p", user("x"), user("b"), user("c"))})
    early = engine.history(case)[-1].seq
    engine.migrate(case, mapping={"a": "x"})
    late = engine.history(case)[-1].seq
    engine.complete(engine.tasks(case)[0])
    engine.cancel(case)
    old, new = engine.restart(case, at=early), engine.restart(case, at=late)
    assert [engine.instance(one).version for one in (old, new)] == [1, 2]
    assert [engine.tasks(one)[0].element_id for one in (old, new)] == ["a", "x"]
    for one, left in ((old, 2), (new, 3)):
        for _ in range(left):
            engine.complete(engine.tasks(one)[0])
        assert engine.instance(one).status == "completed"


def test_a_suspended_one_stays_suspended(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "nobody"))})
    case = engine.start("p")
    engine.suspend(case)
    point = engine.history(case)[-1].seq
    engine.cancel(case)
    again = engine.restart(case, at=point)
    assert engine.instance(again).status == "suspended"
    assert engine.claim_jobs("nobody", worker="w") == []
    engine.resume(again)
    assert len(engine.claim_jobs("nobody", worker="w")) == 1


def test_a_long_history_is_copied_whole(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = engine.start("p")
    engine.committer.run_all(
        [lambda unit, n=n: unit.step(case, _set(n)) for n in range(1200)]  # a row of history each
    )
    engine.complete(engine.tasks(case)[0])
    again = engine.restart(case, at="b", cancel=True)
    assert engine.instance(again).variables == {"n": 1199}
    entered = [e for e in engine.history(again) if isinstance(e.event, ElementEntered)]
    assert [e.event.node for e in entered] == ["start", "a", "b"]  # type: ignore[union-attr]
    assert state(engine, again).variables_of() == {"n": 1199}


def _set(number: int) -> Any:
    from flowkit.kernel.protocol import SetVariables  # noqa: PLC0415

    return SetVariables(variables={"n": number})


# ---- where it came from -----------------------------------------------------------------------


def test_a_restart_names_its_origin(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = engine.start("p")
    engine.complete(engine.tasks(case)[0])
    engine.complete(engine.tasks(case)[0])
    fresh, later = engine.restart(case), engine.restart(case, at="b")
    assert [engine.instance(one).origin for one in (case, fresh, later)] == [None, case, case]
    assert [view.id for view in engine.instances(origin=case)] == [fresh, later]
    assert [view.id for view in engine.instances(restarted=True)] == [case]
    assert [view.id for view in engine.instances(is_restart=False)] == [case]
    again = engine.restart(later, at="b", cancel=True)
    assert engine.instance(again).origin == later
    clock.advance(timedelta(days=1))
    engine.clean_up(clock.now())
    assert engine.instance(fresh).origin == case  # which is gone
    with engine.store.reader() as session:
        assert session.query("SELECT count(*) FROM flowkit_restart") == [(2,)]


def test_many_are_restarted_and_an_interrupted_run_goes_on(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    engine.committer.run_all([engine.starting("p", {"n": n}) for n in range(120)])
    left: dict[str, Any] = {"process": "p", "restarted": False, "is_restart": False}
    anew = actions.restart("a", {"again": True}, cancel=True)

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            engine.bulk(engine.select(**left), anew, progress=interrupt)
    report = engine.bulk(engine.select(**left), anew)
    assert (len(report.done), report.failed) == (20, {})
    assert sum(view.variables.get("again", False) for view in engine.instances(running=True)) == 120
    assert engine.bulk(engine.select(**left), actions.restart()).done == ()
