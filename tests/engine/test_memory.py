"""Engines keep instances in memory. Nobody can tell: what another engine did in between is always seen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import NotFound, Rejected
from tests.engine.diagrams import element, file, process, row, user

Make = Callable[..., Engine]


def _keys(engine: Engine, case: str) -> dict[str, str]:
    return {task.element_id: task.id for task in engine.tasks(case)}


def test_a_completion_keeps_what_another_engine_has_set(make: Make) -> None:
    one, other = make(), make()
    one.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = one.start("p")  # which it has in memory now
    todo = _keys(one, case)["a"]
    other.set_variables(case, {"price": 7})
    one.complete(todo, {"checked": True})
    assert other.instance(case).variables == {"price": 7, "checked": True}
    assert list(_keys(other, case)) == ["b"]


def test_a_task_that_another_engine_has_done_is_not_done_again(make: Make) -> None:
    one, other = make(), make()
    one.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = one.start("p")
    todo = _keys(one, case)["a"]
    other.complete(todo, {"by": "other"})
    with pytest.raises(NotFound):
        one.complete(todo, {"by": "one"})
    assert one.instance(case).variables == {"by": "other"}
    assert [type(entry.event).__name__ for entry in one.history(case)].count("UserTaskClosed") == 1


def test_a_task_that_another_engine_has_opened_can_be_completed(make: Make) -> None:
    one, other = make(), make()
    one.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = one.start("p")
    other.complete(_keys(other, case)["a"])
    one.complete(_keys(other, case)["b"])
    assert other.instance(case).status == "completed"


def test_nothing_is_left_of_an_instance_that_another_engine_has_cleaned_away(
    make: Make, clock: VirtualClock
) -> None:
    one, other = make(), make()
    one.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    case = one.start("p")
    todo = _keys(one, case)["a"]
    other.cancel(case)
    clock.advance(timedelta(days=1))
    assert other.clean_up(clock.now()) == 1
    with pytest.raises(NotFound):
        one.complete(todo)
    with one.store.reader() as session:
        assert session.query("SELECT * FROM flowkit_event") == []
        assert session.query("SELECT * FROM flowkit_user_task") == []


def test_a_task_follows_another_with_other_people_and_dates(make: Make) -> None:
    """The row of the next task may take the place of the last one's: nothing of that one stays."""
    engine, reader = make(), make()
    tasks = [user("a", assignee="ann"), user("b"), user("c", groups="crew"), user("d", assignee="dan")]
    engine.deploy({"p.bpmn": row("p", *tasks)})
    case = engine.start("p")
    seen = []
    for _ in tasks:
        [task] = reader.tasks(case)
        seen.append((task.element_id, task.name, task.assignee, task.candidate_groups))
        for who in ("ann", "dan"):
            assert [found.id for found in reader.tasks(assignee=who)] == [task.id] * (task.assignee == who)
        assert [found.id for found in reader.tasks(element=task.element_id)] == [task.id]
        engine.complete(task)
    assert seen == [
        ("a", "a", "ann", ()), ("b", "b", None, ()), ("c", "c", None, ("crew",)), ("d", "d", "dan", ()),
    ]  # fmt: skip
    assert reader.tasks() == []
    with reader.store.reader() as session:
        assert session.query("SELECT * FROM flowkit_candidate") == []


# ---- any commands, by either of two engines ------------------------------------------------------


def branches() -> bytes:
    """Two branches of three user tasks each."""
    rows = [[f"{side}{number}" for number in range(3)] for side in "ab"]
    nodes = [
        element("startEvent", "start"), element("endEvent", "end"), element("parallelGateway", "fork"),
        element("parallelGateway", "join"), *(user(name) for names in rows for name in names),
    ]  # fmt: skip
    flows = [("start", "fork"), ("join", "end")]
    for names in rows:
        flows += pairwise(["fork", *names, "join"])
    return file(process("p", *nodes, flows=flows))


COMMANDS = st.one_of(
    st.tuples(st.just("complete"), st.integers(3, 14)),
    st.tuples(st.just("claim"), st.integers(3, 14)),
    st.tuples(st.just("set"), st.integers(0, 9)),
    st.sampled_from([("suspend", 0), ("resume", 0)]),
)


def _do(engine: Engine, case: str, command: tuple[str, int]) -> str:
    what, number = command
    try:
        match what:
            case "complete":
                engine.complete(f"{case}:{number}", {f"done{number}": True})
            case "claim":
                engine.claim(f"{case}:{number}", f"user{number % 2}")
            case "set":
                engine.set_variables(case, {"number": number})
            case "suspend":
                engine.suspend(case)
            case "resume":
                engine.resume(case)
    except Rejected as error:
        return type(error).__name__
    return "done"


def _seen(engine: Engine, case: str) -> Any:
    view = engine.instance(case)
    tasks = [(task.element_id, task.assignee, task.id.removeprefix(case)) for task in engine.tasks(case)]
    return view.status, view.variables, sorted(tasks)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), COMMANDS), max_size=25))
def test_two_engines_do_what_one_would(commands: list[tuple[bool, tuple[str, int]]]) -> None:
    clock = VirtualClock()
    with (
        tempfile.TemporaryDirectory() as folder,
        Engine(f"sqlite:///{folder}/p.db", clock=clock) as one,
        Engine(f"sqlite:///{folder}/p.db", clock=clock) as other,
        Engine("memory:", clock=clock) as alone,
    ):
        one.deploy({"p.bpmn": branches()})
        alone.deploy({"p.bpmn": branches()})
        shared, own = one.start("p"), alone.start("p")
        for by_other, command in commands:
            engine = other if by_other else one
            assert _do(engine, shared, command) == _do(alone, own, command)
        assert _seen(one, shared) == _seen(other, shared) == _seen(alone, own)
        events = [[entry.event for entry in e.history(c)] for e, c in ((other, shared), (alone, own))]
        assert events[0] == events[1]
