"""Parallel multiple start events: the instance starts when all its triggers have come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, VirtualClock
from tests.engine.diagrams import element, file, message, on_message, on_signal, process, signal, timer, user

Make = Callable[..., Engine]

CONDITION = (
    "<bpmn:conditionalEventDefinition><bpmn:condition>={}</bpmn:condition></bpmn:conditionalEventDefinition>"
)


def needing(*definitions: str, task: str = "u", node: str = "all") -> bytes:
    start = element("startEvent", node, "".join(definitions), parallelMultiple="true")
    nodes = [start, user(task), element("endEvent", "end")]
    roots = [message("paid"), message("signed"), signal("open")]
    return file(*roots, process("p", *nodes, flows=[(node, task), (task, "end")]))


def cases(engine: Engine) -> int:
    return len(engine.instances("p"))


def test_an_instance_starts_when_every_message_of_its_key_has_come(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": needing(on_message("paid"), on_message("signed"))})
    assert engine.publish("paid", "1", {"amount": 80, "by": "paid"}) == []
    assert engine.publish("signed", "2", {"who": "李雷"}) == []
    assert cases(engine) == 0
    [case] = engine.publish("signed", "1", {"who": "王芳", "by": "signed"})
    view = engine.instance(case)
    assert (view.business_key, view.active_elements) == ("1", ("u",))
    assert view.variables == {"amount": 80, "who": "王芳", "by": "signed"}
    [other] = engine.publish("paid", "2")
    assert engine.instance(other).business_key == "2"


def test_what_has_come_is_remembered_by_the_database(make: Make) -> None:
    first = make()
    first.deploy({"p.bpmn": needing(on_message("paid"), on_signal("open"))})
    first.publish("paid", "1")
    first.publish("paid", "2")
    other = make()
    [case] = other.broadcast("open")
    assert other.instance(case).business_key == "1"
    [case] = other.broadcast("open")
    assert other.instance(case).business_key == "2"
    assert other.broadcast("open") == []
    [case] = other.publish("paid", "3")
    assert other.instance(case).business_key == "3"


def test_one_trigger_that_comes_twice_counts_for_two_instances(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": needing(on_message("paid"), on_signal("open"))})
    engine.broadcast("open")
    engine.broadcast("open")
    assert cases(engine) == 0
    engine.publish("paid")
    engine.publish("paid")
    assert cases(engine) == 2
    engine.publish("paid")
    assert cases(engine) == 2


def test_a_key_has_one_instance_at_a_time(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": needing(on_message("paid"), on_message("signed"))})
    engine.publish("paid", "1")
    engine.publish("signed", "1")
    engine.publish("paid", "1")
    assert engine.publish("signed", "1") == []
    assert cases(engine) == 1
    [todo] = engine.tasks()
    engine.complete(todo)
    assert cases(engine) == 2
    assert len(engine.tasks()) == 1


def test_timers_and_conditions_are_triggers_too(make: Make, clock: VirtualClock) -> None:
    engine = make()
    data = needing(timer("timeDuration", "PT1H"), timer("timeDuration", "PT2H"), CONDITION.format("n &gt; 1"))
    engine.deploy({"p.bpmn": data})
    engine.advance(timedelta(hours=1))
    assert engine.evaluate_conditions({"n": 1}) == []
    assert engine.evaluate_conditions({"n": 2}) == []
    engine.advance(timedelta(hours=1))
    [case] = engine.instances("p")
    assert case.variables == {"n": 2}


@pytest.mark.parametrize(("node", "remembered"), [("all", True), ("other", False)])
def test_a_new_version_keeps_what_it_still_waits_for(make: Make, node: str, remembered: bool) -> None:
    engine = make()
    both = (on_message("paid"), on_message("signed"))
    engine.deploy({"p.bpmn": needing(*both)})
    engine.publish("paid", "1")
    engine.deploy({"p.bpmn": needing(*both, task="v", node=node)})
    started = engine.publish("signed", "1")
    assert bool(started) is remembered
    if started:
        assert engine.instance(started[0]).active_elements == ("v",)


def test_a_message_that_was_remembered_is_not_kept_a_second_time(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": needing(on_message("paid"), on_signal("open"))})
    engine.publish("paid", "1", message_id="m-1")
    engine.publish("paid", "1", message_id="m-1")
    engine.broadcast("open")
    engine.complete(engine.tasks()[0])
    assert engine.broadcast("open") == []
    assert cases(engine) == 1


def test_it_can_be_started_by_hand(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": needing(on_message("paid"), on_message("signed"))})
    assert engine.instance(engine.start("p", start_event="all")).active_elements == ("u",)


def test_a_message_starts_at_a_receive_task_behind_a_start_event(make: Make) -> None:
    receive = element("receiveTask", "wait", messageRef="m_paid", instantiate="true")
    nodes = [element("startEvent", "start"), receive, user("u"), element("endEvent", "end")]
    flows = [("start", "wait"), ("wait", "u"), ("u", "end")]
    engine = make()
    engine.deploy({"p.bpmn": file(message("paid"), process("p", *nodes, flows=flows))})
    by_hand = engine.start("p")
    assert engine.publish("paid", variables={"amount": 1}) == [by_hand]
    [case] = engine.publish("paid", variables={"amount": 2})
    assert engine.instance(case).variables == {"amount": 2}
    assert engine.instance(case).active_elements == ("u",)
