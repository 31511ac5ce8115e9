"""Messages are correlated by what they carry, where the diagrams say how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flowkit.engine import Engine
from tests.engine.diagrams import user
from tests.kernel.diagrams import catch, element, end, mapping, message, start, throw
from tests.kernel.test_correlation import diagram, key, prop, subscribes

Make = Callable[..., Engine]

ORDER = prop("order", M="order", N="refers.to") + key("order")


def conversation(process: str = "P") -> bytes:
    """Started by M; waits for N with the same key."""
    data = diagram(
        start("s", message("M")), catch("c", message("N")), user("u"), end(),
        flows="s > c; c > u; u > e", roots=ORDER,
    )  # fmt: skip
    return data.replace(b'process id="P"', f'process id="{process}"'.encode())


def test_a_message_without_a_key_finds_its_instance_by_what_it_carries(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": conversation()})
    [one] = engine.publish("M", variables={"order": 1})
    [two] = engine.publish("M", variables={"order": 2})
    assert engine.instance(one).business_key == "1"
    assert engine.publish("N", variables={"refers": {"to": 3}}, ttl=timedelta(0)) == []
    assert engine.publish("N", variables={}, ttl=timedelta(0)) == []
    assert engine.publish("N", variables={"refers": {"to": 2}}) == [two]
    assert engine.instance(one).active_elements == ("c",)
    assert engine.publish("N", key="1") == [one]


def test_a_message_that_comes_first_is_kept_under_what_it_carries(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": conversation()})
    engine.publish("N", variables={"refers": {"to": 7}})
    [case] = engine.publish("M", variables={"order": 7})
    assert engine.instance(case).active_elements == ("u",)


def waits_first() -> bytes:
    """Started by hand; any M gives the key, then N has to carry it."""
    return diagram(
        start(), catch("a", message("M")), catch("c", message("N")), user("u"), end(),
        flows="s > a; a > c; c > u; u > e", roots=ORDER,
    )  # fmt: skip


def test_the_first_message_of_a_conversation_may_carry_any_key(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waits_first()})
    one, two = engine.start("P"), engine.start("P")
    assert engine.publish("M", variables={"order": 5}) == [one]
    assert engine.publish("M", key="6") == [two]
    assert engine.publish("N", variables={"refers": {"to": 6}}) == [two]
    assert engine.publish("N", variables={"refers": {"to": 5}}) == [one]


def test_a_kept_message_may_be_the_first_of_a_conversation(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": waits_first()})
    engine.publish("M", variables={"order": 5})
    case = engine.start("P")
    assert engine.publish("N", variables={"refers": {"to": 5}}) == [case]


def test_an_instance_with_the_key_comes_before_one_that_takes_any(make: Make) -> None:
    engine = make()
    data = diagram(
        start(), catch("a", message("M")), catch("c", message("M")), user("u"), end(),
        flows="s > a; a > c; c > u; u > e", roots=ORDER,
    )  # fmt: skip
    engine.deploy({"p.bpmn": data})
    one = engine.start("P")
    engine.publish("M", variables={"order": 5})
    fresh = engine.start("P")
    assert engine.publish("M", variables={"order": 5}) == [one]
    assert engine.publish("M", variables={"order": 6}) == [fresh]


def test_a_subscription_follows_the_data_of_its_process(make: Make) -> None:
    engine = make()
    data = diagram(
        start(), catch("c", message("M")), user("u"), end(), flows="s > c; c > u; u > e",
        roots=ORDER, subscription=subscribes(order="number"),
    )  # fmt: skip
    engine.deploy({"p.bpmn": data})
    case = engine.start("P", {"number": "A"})
    engine.set_variables(case, {"number": "B"})
    assert engine.publish("M", variables={"order": "A"}, ttl=timedelta(0)) == []
    assert engine.publish("M", variables={"order": "B"}) == [case]


def test_what_one_process_sends_reaches_the_other(make: Make) -> None:
    """The sender knows nothing of the key: it is found by the receiver's diagram."""
    content = mapping({"refers": "{to: number}"})
    sender = diagram(
        start(), element("sendTask", "t", extensions=content, messageRef="N"), end(),
        flows="s > t; t > e", roots="",
    ).replace(b'process id="P"', b'process id="Q"')  # fmt: skip
    engine = make()
    engine.deploy({"p.bpmn": conversation(), "q.bpmn": sender})
    [case] = engine.publish("M", variables={"order": 1})
    engine.publish("M", variables={"order": 2})
    engine.start("Q", {"number": 1})
    assert [todo.instance_id for todo in engine.tasks()] == [case]


def test_processes_may_find_the_key_in_different_places(make: Make) -> None:
    other = diagram(
        start(), catch("c", message("N")), user("u"), end(), flows="s > c; c > u; u > e",
        roots=prop("who", N="customer") + key("who"), subscription=subscribes(who="customer"),
    ).replace(b'process id="P"', b'process id="R"')  # fmt: skip
    engine = make()
    engine.deploy({"p.bpmn": conversation(), "r.bpmn": other})
    [one] = engine.publish("M", variables={"order": 1})
    two = engine.start("R", {"customer": "王芳"})
    assert set(engine.publish("N", variables={"refers": {"to": 1}, "customer": "王芳"})) == {one, two}
    # What is a key for one process is none for another.
    [three] = engine.publish("M", variables={"order": 3})
    four = engine.start("R", {"customer": "4"})
    assert engine.publish("N", variables={"refers": {"to": 4}, "customer": "3"}, ttl=timedelta(0)) == []
    assert engine.publish("N", variables={"refers": {"to": 3}, "customer": "3"}) == [three]
    assert engine.instance(four).active_elements == ("c",)


def test_a_message_that_was_thrown_and_awaited_in_one_step_is_not_lost(make: Make) -> None:
    """What was opened and closed again in one step takes no kept message with it."""
    data = diagram(
        start(), element("parallelGateway", "f"), catch("c", message("K")), end(),
        end("x", "<bpmn:terminateEventDefinition/>"), flows="s > f; f > c; f > x; c > e", roots="",
    )  # fmt: skip
    engine = make()
    engine.deploy({"p.bpmn": data})
    engine.publish("K", "1")
    engine.start("P", {"key": "1"})
    later = diagram(start(), catch("c", message("K")), end(), flows="s > c; c > e", roots="")
    engine.deploy({"p.bpmn": later})
    assert engine.instance(engine.start("P", {"key": "1"})).status == "completed"


def test_a_throw_event_in_a_conversation(make: Make) -> None:
    data = diagram(
        start("s", message("M")), throw("t", message("N")), user("u"), end(),
        flows="s > t; t > u; u > e", roots=ORDER,
    )  # fmt: skip
    engine = make()
    engine.deploy({"p.bpmn": data, "q.bpmn": conversation("Q")})
    engine.publish("M", variables={"order": 1})
    assert len(engine.tasks()) == 2
