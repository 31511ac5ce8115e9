"""Messages reach one receiver a process, are kept when nobody waits, and count once. Signals reach all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flowkit.engine import Engine, VirtualClock
from tests.engine.diagrams import (
    catch,
    element,
    file,
    message,
    on_message,
    on_signal,
    process,
    signal,
    user,
)

Make = Callable[..., Engine]


def waiting(process_id: str = "p") -> bytes:
    """start → wait for *paid* with key ``order`` → user task → end."""
    nodes = [
        element("startEvent", "start"), catch("wait", on_message("paid")), user("u"),
        element("endEvent", "end"),
    ]  # fmt: skip
    flows = [("start", "wait"), ("wait", "u"), ("u", "end")]
    return file(message("paid", "order"), process(process_id, *nodes, flows=flows))


def started_by_message(process_id: str = "s") -> bytes:
    nodes = [element("startEvent", "start", on_message("paid")), user("u"), element("endEvent", "end")]
    return file(message("paid"), process(process_id, *nodes, flows=[("start", "u"), ("u", "end")]))


def test_a_message_reaches_the_instance_with_its_key(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    one, two = engine.start("p", {"order": "1"}), engine.start("p", {"order": "2"})
    assert engine.publish("paid", "2", {"amount": 80}) == [two]
    assert engine.instance(one).active_elements == ("wait",)
    assert engine.instance(two).active_elements == ("u",)
    assert engine.instance(two).variables["amount"] == 80


def test_of_two_that_wait_the_longer_one_gets_it(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    first = engine.start("p", {"order": "1"})
    clock.advance(timedelta(seconds=1))
    second = engine.start("p", {"order": "1"})
    assert engine.publish("paid", "1") == [first]
    assert engine.publish("paid", "1") == [second]


def test_each_process_that_waits_gets_one(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting(), "q.bpmn": waiting("q")})
    one, two = engine.start("p", {"order": "1"}), engine.start("q", {"order": "1"})
    assert sorted(engine.publish("paid", "1")) == sorted([one, two])


def test_a_message_waits_for_its_receiver(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    assert engine.publish("paid", "1", {"n": 1}) == []
    assert engine.publish("paid", "1", {"n": 2}) == []
    case = engine.start("p", {"order": "1"})
    assert engine.instance(case).active_elements == ("u",)
    assert engine.instance(case).variables["n"] == 1
    again = engine.start("p", {"order": "1"})
    assert engine.instance(again).variables["n"] == 2
    third = engine.start("p", {"order": "1"})
    assert engine.instance(third).active_elements == ("wait",)


def test_a_message_waits_no_longer_than_its_time_to_live(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    engine.publish("paid", "1", ttl=timedelta(minutes=10))
    engine.publish("paid", "2", ttl=timedelta(0))
    clock.advance(timedelta(minutes=10))
    for order in ("1", "2"):
        case = engine.start("p", {"order": order})
        assert engine.instance(case).active_elements == ("wait",)


def test_a_message_id_counts_once(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    one = engine.start("p", {"order": "1"})
    assert engine.publish("paid", "1", message_id="bank-77") == [one]
    two = engine.start("p", {"order": "1"})
    assert engine.publish("paid", "1", message_id="bank-77") == []
    assert engine.instance(two).active_elements == ("wait",)
    clock.advance(timedelta(hours=2))
    assert engine.publish("paid", "1", message_id="bank-77") == [two]


def test_a_message_starts_one_live_instance_a_key(make: Make) -> None:
    engine = make()
    engine.deploy({"s.bpmn": started_by_message()})
    [first] = engine.publish("paid", "1", {"n": 1})
    assert engine.publish("paid", "1", {"n": 2}) == []
    assert len(engine.publish("paid", "2")) == 1
    assert len(engine.publish("paid")) == len(engine.publish("paid")) == 1
    engine.complete(engine.tasks(first)[0])
    following = [view for view in engine.instances("s", status="active") if view.variables.get("n") == 2]
    assert len(following) == 1


def test_only_the_newest_version_is_started(make: Make) -> None:
    engine = make()
    engine.deploy({"s.bpmn": started_by_message()})
    newer = started_by_message().replace(b'name="u"', b'name="v"')
    engine.deploy({"s.bpmn": newer})
    [case] = engine.publish("paid")
    assert engine.instance(case).version == 2


def test_a_thrown_message_arrives_in_the_same_transaction(make: Make) -> None:
    throw = element("intermediateThrowEvent", "send", on_message("paid"))
    nodes = [element("startEvent", "start"), throw, user("u"), element("endEvent", "end")]
    flows = [("start", "send"), ("send", "u"), ("u", "end")]
    engine = make()
    engine.deploy(
        {"t.bpmn": file(message("paid", "order"), process("t", *nodes, flows=flows)), "p.bpmn": waiting()}
    )
    receiver = engine.start("p", {"order": "7"})
    engine.start("t", {"order": "7"})
    assert engine.instance(receiver).active_elements == ("u",)


def test_a_message_to_a_suspended_instance_waits(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waiting()})
    case = engine.start("p", {"order": "1"})
    engine.suspend(case)
    assert engine.publish("paid", "1") == []
    engine.resume(case)
    assert engine.instance(case).active_elements == ("u",)


def test_a_signal_reaches_everyone(make: Make) -> None:
    nodes = [
        element("startEvent", "start"), catch("wait", on_signal("storm")), user("u"),
        element("endEvent", "end"),
    ]  # fmt: skip
    flows = [("start", "wait"), ("wait", "u"), ("u", "end")]
    started = [element("startEvent", "start", on_signal("storm")), user("u"), element("endEvent", "end")]
    engine = make()
    engine.deploy(
        {
            "p.bpmn": file(signal("storm"), process("p", *nodes, flows=flows)),
            "s.bpmn": file(signal("storm"), process("s", *started, flows=[("start", "u"), ("u", "end")])),
        }
    )
    cases = [engine.start("p") for _ in range(3)]
    reached = engine.broadcast("storm", {"level": 3})
    assert set(cases) < set(reached)
    assert len(reached) == 4
    assert {engine.instance(case).active_elements for case in reached} == {("u",)}
    assert {engine.instance(case).variables["level"] for case in reached} == {3}
