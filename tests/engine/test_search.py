"""Finding instances, and doing something to all that were found."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock, actions
from flowkit.kernel.protocol import BroadcastSignal, Cancel, Suspend
from flowkit.tasks import task
from tests.engine.diagrams import (
    call,
    catch,
    element,
    extended,
    file,
    message,
    on_message,
    on_signal,
    process,
    row,
    service,
    signal,
    timer,
    user,
)

Make = Callable[..., Engine]


def searchable(process_id: str, names: str, *nodes: str) -> bytes:
    """A row of nodes, in a process with searchable variables."""
    mark = extended(
        f'<zeebe:properties><zeebe:property name="flowkit.searchable" value="{names}"/></zeebe:properties>'
    )
    text = row(process_id, *nodes).decode()
    begun = 'isExecutable="true">'
    return text.replace(begun, begun + mark, 1).encode()


def ids(engine: Engine, *arguments: Any, **conditions: Any) -> list[str]:
    """What instances() finds, which select() finds too."""
    found = [view.id for view in engine.instances(*arguments, **conditions)]
    assert list(engine.select(*arguments, **conditions)) == found
    return found


def looked_into(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the instances whose state is read, as it happens."""
    from flowkit.engine import queries  # noqa: PLC0415

    seen: list[str] = []
    real = queries._instance

    def counting(session: Any, definitions: Any, rows: Any) -> Any:
        seen.append(rows[0][0])
        return real(session, definitions, rows)

    monkeypatch.setattr(queries, "_instance", counting)
    return seen


def test_instances_are_found_by_every_condition(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b")), "q.bpmn": row("q", user("a"))})
    one = engine.start("p", {"plate": "京A1", "n": 1}, business_key="WO-1")
    two = engine.start("p", {"plate": "京A2", "n": 1})
    other = engine.start("q", {"plate": "京A1"})
    engine.complete(engine.tasks(two)[0])
    assert ids(engine, "p", element="a") == [one]
    assert ids(engine, element="a") == [one, other]
    assert ids(engine, "p", element="b", variables={"n": 1}) == [two]
    assert ids(engine, variables={"plate": "京A1"}) == [one, other]
    assert ids(engine, "p", variables={"plate": "京A1", "n": 2}) == []
    assert ids(engine, business_key="WO-1", version=1, status="active") == [one]
    engine.suspend(two)
    assert ids(engine, "p", element="b", status="suspended") == [two]
    engine.cancel(one)
    assert ids(engine, running=True) == [two, other]
    assert ids(engine, running=False) == [one]
    assert ids(engine, "p", element="a") == []
    assert engine.instances("p", variables={"n": 1}, limit=1, offset=1)[0].id == two


def test_a_user_task_or_job_is_found_by_its_rows(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    @task("fail")
    def fail(n: int) -> None:
        if n == 2:
            raise OSError("no line")

    engine = make(fail)
    engine.deploy({"p.bpmn": row("p", service("s", "fail", retries=1), user("u"), service("t", "nobody"))})
    cases = [engine.start("p", {"n": n}) for n in range(5)]
    engine.run_until_idle()
    engine.complete(engine.tasks(cases[4])[0])
    seen = looked_into(engine, monkeypatch)
    for where, expected in (("s", [cases[2]]), ("u", [cases[0], cases[1], cases[3]]), ("t", [cases[4]])):
        seen.clear()
        assert [view.id for view in engine.instances("p", element=where)] == expected
        assert sorted(seen) == sorted(expected)


def zoo() -> dict[str, bytes]:
    """Everything that a token may stand at, in two branches."""
    inner = [
        element("startEvent", "in"), user("inside"), element("parallelGateway", "in_fork"),
        service("left", "work"),
        catch("right", timer("timeDuration", "PT1H")), element("parallelGateway", "in_join"),
        element("endEvent", "out"),
    ]  # fmt: skip
    flows = [
        ("in", "inside"), ("inside", "in_fork"), ("in_fork", "left"), ("in_fork", "right"),
        ("left", "in_join"),
        ("right", "in_join"), ("in_join", "out"),
    ]  # fmt: skip
    plain = process("x", *inner, flows=flows)
    body = plain[plain.index(">") + 1 : plain.rindex("</")]
    many = service("many", "work").replace(
        "</bpmn:serviceTask>",
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>"
        '<zeebe:loopCharacteristics inputCollection="=[1, 2, 3]" inputElement="one"/>'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics></bpmn:serviceTask>",
    )
    nodes = [
        element("startEvent", "start"), element("parallelGateway", "fork"),
        service("first", "work"), element("subProcess", "sub", body), call("called", "q"), many,
        service("any", "=kind"), element("exclusiveGateway", "which"),
        element("receiveTask", "receive", messageRef="m_paid"), element("eventBasedGateway", "either"),
        catch("by_message", on_message("paid")), catch("by_time", timer("timeDuration", "PT2H")),
        catch("by_signal", on_signal("storm")), user("last"),
        element("parallelGateway", "join"), element("endEvent", "end"), element("endEvent", "over"),
    ]  # fmt: skip
    ways = [
        ("start", "fork"), ("fork", "first"), ("first", "sub"), ("sub", "called"), ("called", "many"),
        ("many", "any"), ("any", "which"), ("which", "join", "n &gt; 0"), ("which", "over", "n &lt; 0"),
        ("fork", "receive"), ("receive", "either"), ("either", "by_message"), ("either", "by_time"),
        ("by_message", "by_signal"), ("by_time", "by_signal"),
        ("by_signal", "last"), ("last", "join"), ("join", "end"),
    ]  # fmt: skip
    roots = [message("paid", "order"), signal("storm")]
    return {"p.bpmn": file(*roots, process("p", *nodes, flows=ways)), "q.bpmn": row("q", user("u"))}


def move_on(engine: Engine, clock: VirtualClock, case: str, chance: random.Random) -> None:
    """Something happens to an instance."""
    if engine.instance(case).is_over:
        return
    if engine.instance(case).status == "suspended":
        engine.resume(case)
        return
    step = chance.choice(["work", "task", "message", "signal", "suspend", "time"])
    if step == "work":
        for job in engine.jobs(case, state="ready")[:1]:
            engine.complete_job(job) if chance.random() < 0.8 else engine.fail_job(job, "no", retries=0)
    elif step == "task":
        for todo in engine.tasks(case)[:1]:
            engine.complete(todo)
    elif step == "message":
        engine.publish("paid", engine.instance(case).variables["order"])
    elif step == "signal":
        engine.send(case, BroadcastSignal(name="storm"))
    elif step == "suspend":
        engine.suspend(case)
    else:
        clock.advance(timedelta(minutes=20))


def test_instances_are_found_wherever_their_tokens_stand(make: Make, clock: VirtualClock) -> None:
    """Held against looking into every instance, for every element, at every stage of many instances."""
    broken = [0]

    @task("work")
    def work() -> None:
        broken[0] += 1
        if broken[0] % 5 == 0:
            raise OSError("no line")

    engine = make(work)
    engine.deploy(zoo())
    chance = random.Random(7)
    cases = [engine.start("p", {"order": f"{n}", "kind": "work", "n": n % 4}) for n in range(14)]
    met: set[str] = set()

    def compare() -> None:
        views = engine.instances("p")
        for name in engine.program("p").nodes:
            expected = [view.id for view in views if name in view.active_elements]
            assert ids(engine, "p", element=name) == expected, name
            assert [view.id for view in engine.instances(element=name, running=True)] == expected, name
            met.update([name] if expected else [])

    for stage in range(34):
        compare()
        for case in chance.sample(cases, 9):
            move_on(engine, clock, case, chance)
        if stage % 2:
            engine.run_until_idle()
        for view in engine.instances("q", running=True):
            if view.status == "suspended":
                engine.resume(view.id)
            elif chance.random() < 0.3:
                engine.suspend(view.id)
        for todo in engine.tasks(process="q"):
            if chance.random() < 0.5 and engine.instance(todo.instance_id).status == "active":
                engine.complete(todo)
    compare()
    assert met >= {
        "first", "sub", "inside", "left", "right", "in_join", "called", "many", "any", "which", "receive",
        "either", "by_signal", "last", "join",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "most"), [("wait", 3), ("paid", 3), ("storm", 3), ("c", 3), ("sub", 3), ("t", 3), ("join", 3)]
)
def test_few_are_looked_into_among_many(
    make: Make, monkeypatch: pytest.MonkeyPatch, where: str, most: int
) -> None:
    """2,000 instances wait at the first task; three have gone on to each of the others."""
    engine = make()
    engine.deploy({"p.bpmn": spread(), "q.bpmn": row("q", user("inside_q"))})
    engine.committer.run_all([engine.starting("p", {"to": "none", "order": f"{n}"}) for n in range(2000)])
    expected = []
    for target in ("wait", "paid", "storm", "c", "sub", "t", "join"):
        for n in range(3):
            case = engine.start("p", {"to": target, "order": f"{target}{n}"})
            engine.complete(engine.tasks(case)[0])
            expected += [case] if target == where else []
    seen = looked_into(engine, monkeypatch)
    assert [view.id for view in engine.instances("p", element=where)] == expected
    assert len(seen) == most


def spread() -> bytes:
    """start → first → one of seven places, by the variable ``to``."""
    inside = process(
        "x", element("startEvent", "in"), user("inside"), element("endEvent", "out"),
        flows=[("in", "inside"), ("inside", "out")],
    )  # fmt: skip
    body = inside[inside.index(">") + 1 : inside.rindex("</")]
    nodes = [
        element("startEvent", "start"), user("first"), element("exclusiveGateway", "which"),
        catch("wait", timer("timeDuration", "PT1H")), catch("paid", on_message("paid")),
        catch("storm", on_signal("storm")), call("c", "q"), element("subProcess", "sub", body),
        service("t", "nobody"), element("parallelGateway", "fork"), user("beside"),
        element("parallelGateway", "join"), element("endEvent", "end"),
    ]  # fmt: skip
    places = ["wait", "paid", "storm", "c", "sub", "t"]
    flows = [("start", "first"), ("first", "which"), ("fork", "join"), ("fork", "beside"), ("beside", "join")]
    choices = [*((("which", place, f'to = "{place}"')) for place in places), ("which", "fork", 'to = "join"')]
    ends = [(place, "end") for place in places]
    return file(
        message("paid", "order"), signal("storm"),
        process("p", *nodes, flows=[*flows, *choices, *ends, ("join", "end")]),
    )  # fmt: skip


def test_where_tokens_have_no_rows_the_state_is_looked_into(make: Make) -> None:
    engine = make()
    nodes = [
        element("startEvent", "start"), element("parallelGateway", "fork"), user("u"), user("v"),
        element("parallelGateway", "join"), element("endEvent", "end"),
    ]  # fmt: skip
    flows = [("start", "fork"), ("fork", "u"), ("fork", "v"), ("u", "join"), ("v", "join"), ("join", "end")]
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=flows))})
    cases = [engine.start("p") for _ in range(3)]
    engine.complete(engine.tasks(cases[1])[0])
    assert ids(engine, "p", element="join") == [cases[1]]


def test_declared_variables_are_found_by_an_index(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make()
    engine.deploy({"p.bpmn": searchable("p", "plate, n", user("a"), user("b"))})
    long = "长" * 300
    cases = [engine.start("p", {"plate": plate, "n": n}) for n, plate in enumerate(["京A1", "京A2", long])]
    seen = looked_into(engine, monkeypatch)
    assert [view.id for view in engine.instances("p", variables={"plate": "京A2"})] == [cases[1]]
    assert [view.id for view in engine.instances("p", variables={"plate": long})] == [cases[2]]
    assert seen == [cases[1], cases[2]]
    engine.complete(engine.tasks(cases[1])[0], {"plate": "京A1"})
    assert ids(engine, "p", variables={"plate": "京A1"}) == [cases[0], cases[1]]
    assert ids(engine, "p", variables={"plate": "京A2"}) == []
    assert ids(engine, "p", variables={"plate": "京A1", "n": 1.0}) == [cases[1]]
    engine.complete(engine.tasks(cases[1])[0], {"n": 9})
    assert ids(engine, "p", variables={"n": 9}) == [cases[1]]  # it is over by now
    again = engine.restart(cases[1], at="b")
    assert ids(engine, "p", variables={"plate": "京A1", "n": 1}) == [again]


def test_only_what_every_version_declares_is_looked_up(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    old = engine.start("p", {"plate": "京A1"})
    engine.deploy({"p.bpmn": searchable("p", "plate", user("a"))})
    new = engine.start("p", {"plate": "京A1"})
    assert ids(engine, "p", variables={"plate": "京A1"}) == [old, new]
    assert ids(engine, "p", version=2, variables={"plate": "京A1"}) == [new]
    engine.migrate(old)
    assert ids(engine, "p", version=2, variables={"plate": "京A1"}) == [old, new]


def test_the_index_goes_with_its_instances(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": searchable("p", "plate")})
    engine.start("p", {"plate": "京A1"})
    engine.clock.advance(_second())  # type: ignore[attr-defined]  # the virtual clock
    assert engine.clean_up(engine.clock.now()) == 1
    with engine.store.reader() as session:
        assert session.query("SELECT * FROM flowkit_variable") == []


def _second() -> Any:
    from datetime import timedelta  # noqa: PLC0415

    return timedelta(seconds=1)


def test_all_that_match_are_changed_however_many(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    engine.committer.run_all([engine.starting("p", {"n": n % 2}) for n in range(1100)])
    through: list[int] = []
    report = engine.bulk(engine.select("p", variables={"n": 1}), Suspend(), progress=through.append)
    assert (len(report.done), report.failed) == (550, {})
    assert through == sorted(through)
    assert through[-1] == 550
    report = engine.bulk(engine.select("p", status="active"), actions.move("a", "b"))
    assert len(report.done) == 550
    assert len(ids(engine, "p", element="b")) == 550
    engine.bulk(engine.select("p", running=True), Cancel())
    assert ids(engine, running=True) == []


def test_an_interrupted_run_goes_on_with_what_is_left(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    for _ in range(120):
        engine.start("p")

    def interrupt(count: int) -> None:
        if count == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.bulk(engine.select("p", running=True), Cancel(), progress=interrupt)
    assert len(engine.bulk(engine.select("p", running=True), Cancel()).done) == 70


def test_incidents_of_many_are_tried_again(make: Make) -> None:
    broken = [True]

    @task("work")
    def work() -> None:
        if broken[0]:
            raise OSError("no line")

    engine = make(work)
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    for _ in range(3):
        engine.start("p")
    engine.run_until_idle()
    broken[0] = False
    report = engine.bulk(engine.select("p", with_incidents=True), actions.retry())
    engine.run_until_idle()
    assert len(report.done) == 3
    assert {view.status for view in engine.instances()} == {"completed"}


def test_many_are_migrated_and_those_that_can_not_go_stay(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("gone"))})
    cases = [engine.start("p") for _ in range(3)]
    engine.complete(engine.tasks(cases[1])[0])
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})
    report = engine.bulk(engine.select("p", version=1), actions.migrate())
    assert report.done == (cases[0], cases[2])
    assert "gone" in report.failed[cases[1]]
    report = engine.bulk(engine.select("p", version=1), actions.migrate(mapping={"gone": "b"}))
    assert report.done == (cases[1],)
