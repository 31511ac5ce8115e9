"""Starting, looking at, completing and ending instances, on every store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import EngineClosed, InvalidPayload, NotFound, Rejected, WrongState
from flowkit.kernel import new_instance, replay
from flowkit.kernel.protocol import CompleteUserTask, InstanceEnded, InstanceStarted, StartAt, TerminateToken
from flowkit.tasks import task
from tests.engine.diagrams import catch, row, service, timer, user

Make = Callable[..., Engine]


@task("greet")
def greet(name: str) -> dict[str, str]:
    return {"greeting": f"您好,{name}"}


def test_an_instance_runs_from_start_to_end(make: Make) -> None:
    engine = make(greet)
    engine.deploy({"p.bpmn": row("p", service("s", "greet"), user("u", groups="前台"))})
    case = engine.start("p", {"name": "李雷"}, business_key="WO-1")
    assert engine.run_until_idle() == 1
    [todo] = engine.tasks(group="前台")
    assert (todo.instance_id, todo.element_id, todo.business_key) == (case, "u", "WO-1")
    engine.complete(todo, {"ok": True})
    view = engine.instance(case)
    assert view.status == "completed"
    assert view.variables == {"name": "李雷", "greeting": "您好,李雷", "ok": True}
    assert view.tokens == ()
    assert engine.tasks() == []


def test_a_live_instance_shows_where_it_stands(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    view = engine.instance(engine.start("p", {"a": 1}))
    assert view.status == "active"
    assert view.active_elements == ("u",)
    assert view.tokens[0].kind == "userTask"
    assert view.variables == {"a": 1}


def test_history_tells_everything_in_order(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p")
    engine.complete(engine.tasks(case)[0])
    entries = engine.history(case)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    assert isinstance(entries[0].event, InstanceStarted)
    assert isinstance(entries[-1].event, InstanceEnded)
    assert engine.history(case, after=3, limit=4) == entries[4:8]


def test_history_replays_to_the_stored_instance(make: Make) -> None:
    engine = make(greet)
    engine.deploy({"p.bpmn": row("p", service("s", "greet"), user("u"))})
    case = engine.start("p", {"name": "韩梅梅"})
    engine.run_until_idle()
    events = [entry.event for entry in engine.history(case)]
    rebuilt = replay(new_instance(engine.program("p"), case), events)
    assert rebuilt.variables_of() == engine.instance(case).variables
    assert [token.node for token in rebuilt.tokens.values()] == ["u"]


def test_what_is_not_there_is_named(make: Make) -> None:
    engine = make()
    with pytest.raises(NotFound, match="nowhere"):
        engine.start("nowhere")
    with pytest.raises(NotFound, match="gone"):
        engine.instance("gone")
    with pytest.raises(NotFound, match="gone"):
        engine.history("gone")
    with pytest.raises(NotFound, match="gone"):
        engine.complete("gone:1")
    with pytest.raises(NotFound, match="names no user task"):
        engine.complete("nonsense")


def test_variables_must_be_json(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    with pytest.raises(InvalidPayload) as caught:
        engine.start("p", {"a": [1, object()]})
    assert caught.value.problems[0][0] == "/a/1"
    with pytest.raises(InvalidPayload, match="finite"):
        engine.start("p", {"a": float("nan")})
    assert engine.instances() == []


def test_a_caller_keeps_nothing_of_the_instance(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    mine = {"list": [1]}
    case = engine.start("p", mine)
    mine["list"].append(2)
    engine.instance(case).variables["list"].append(3)
    assert engine.instance(case).variables == {"list": [1]}


def test_a_refused_command_changes_nothing(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p")
    before = engine.history(case)
    with pytest.raises(NotFound):
        engine.send(case, CompleteUserTask(task=999))
    assert engine.history(case) == before
    engine.complete(engine.tasks(case)[0])
    with pytest.raises(WrongState):
        engine.set_variables(case, {"late": 1})


def test_cancel_ends_an_instance_and_leaves_no_work(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "nobody")), "q.bpmn": row("q", user("u", groups="g"))})
    first, second = engine.start("p"), engine.start("q")
    engine.cancel(first, "顾客离开")
    engine.cancel(second)
    assert engine.instance(first).status == "cancelled"
    assert engine.jobs() == []
    assert engine.tasks() == []


def test_a_suspended_instance_stands_still(make: Make, clock: VirtualClock) -> None:
    engine = make(greet)
    engine.deploy({"p.bpmn": row("p", service("s", "greet"), catch("t", timer("timeDuration", "PT1H")))})
    case = engine.start("p", {"name": "李雷"})
    engine.suspend(case)
    assert engine.instance(case).status == "suspended"
    assert engine.advance(timedelta(hours=2)) == 0
    with pytest.raises(Rejected, match="suspended"):
        engine.complete_job(engine.jobs(case)[0])
    engine.resume(case)
    assert engine.run_until_idle() == 1
    engine.suspend(case)
    assert engine.advance(timedelta(hours=2)) == 0
    engine.resume(case)
    assert engine.run_until_idle() == 1
    assert engine.instance(case).status == "completed"


def test_set_variables_reaches_the_process_scope(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p", {"a": 1})
    engine.set_variables(case, {"b": {"c": 2}})
    assert engine.instance(case).variables == {"a": 1, "b": {"c": 2}}


def test_an_operator_moves_tokens(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = engine.start("p")
    [token] = engine.instance(case).tokens
    engine.modify(case, [TerminateToken(token=token.key), StartAt(node="b")])
    assert [todo.element_id for todo in engine.tasks(case)] == ["b"]


def test_instances_are_found_by_what_they_are(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b")), "q.bpmn": row("q", user("a"))})
    first = engine.start("p", {"plate": "京A1"}, business_key="k1")
    clock.advance(timedelta(hours=1))
    second = engine.start("p", {"plate": "京A2"}, business_key="k2")
    third = engine.start("q", {"plate": "京A2"})
    engine.complete(engine.tasks(first)[0])

    def found(**conditions: object) -> list[str]:
        return [view.id for view in engine.instances(**conditions)]  # type: ignore[arg-type]

    assert found() == [first, second, third]
    assert found(process="p") == [first, second]
    assert found(business_key="k2") == [second]
    assert found(element="b") == [first]
    assert found(variables={"plate": "京A2"}) == [second, third]
    assert found(process="p", variables={"plate": "京A2"}) == [second]
    assert found(started_after=clock.now()) == [second, third]
    assert found(status="completed") == []
    assert found(limit=1, offset=1) == [second]
    assert found(variables={"plate": "京A2"}, limit=1, offset=1) == [third]


def test_a_closed_engine_says_so(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    engine.close()
    with pytest.raises(EngineClosed):
        engine.start("p")


def test_what_is_stored_outlives_the_engine(make: Make, url: str) -> None:
    if url == "memory:":
        pytest.skip("memory forgets")
    first = make()
    first.deploy({"p.bpmn": row("p", user("u"))})
    case = first.start("p", {"a": 1})
    first.close()
    second = make()
    second.complete(second.tasks(case)[0], {"b": 2})
    assert second.instance(case).variables == {"a": 1, "b": 2}
