"""Correlation by the standard's properties, key-based and context-based (BPMN 2.0.2, 8.4.2)."""

from __future__ import annotations

import pytest

from flowkit.bpmn import lint, parse
from flowkit.kernel import Program, compile_process, migrate
from flowkit.kernel import protocol as p
from flowkit.kernel.protocol import ANY_KEY
from flowkit.kernel.state import Subscription
from tests.kernel.diagrams import (
    HEAD,
    NOW,
    ROOTS,
    Run,
    both,
    boundary,
    catch,
    element,
    event_sub,
    expression,
    in_order,
    log,
    mapping,
    message,
    start,
    throw,
    user,
)
from tests.kernel.diagrams import flows as written


def prop(name: str, **paths: str) -> str:
    """A correlation property with a message path for each message."""
    inner = "".join(
        f'<bpmn:correlationPropertyRetrievalExpression messageRef="{ref}">{expression("messagePath", path)}'
        "</bpmn:correlationPropertyRetrievalExpression>"
        for ref, path in paths.items()
    )
    return f'<bpmn:correlationProperty id="{name}">{inner}</bpmn:correlationProperty>'


def key(*properties: str, name: str = "key") -> str:
    inner = "".join(f"<bpmn:correlationPropertyRef>{one}</bpmn:correlationPropertyRef>" for one in properties)
    return f'<bpmn:collaboration id="c_{name}"><bpmn:correlationKey id="{name}">{inner}</bpmn:correlationKey></bpmn:collaboration>'


def subscribes(**paths: str) -> str:
    """The process gives the properties of the key from its data."""
    inner = "".join(
        f'<bpmn:correlationPropertyBinding correlationPropertyRef="{name}">{expression("dataPath", path)}'
        "</bpmn:correlationPropertyBinding>"
        for name, path in paths.items()
    )
    return f'<bpmn:correlationSubscription correlationKeyRef="key">{inner}</bpmn:correlationSubscription>'


PLATE = prop("plate", M="car.plate", N="plate") + key("plate")


def diagram(*nodes: str, flows: str, roots: str = PLATE, subscription: str = "") -> bytes:
    body = in_order("".join(nodes) + written(flows)) + subscription
    return (
        f'{HEAD}{ROOTS}{roots}<bpmn:process id="P" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'
    ).encode()


def program(*nodes: str, flows: str, roots: str = PLATE, subscription: str = "") -> Program:
    return compile_process(parse(diagram(*nodes, flows=flows, roots=roots, subscription=subscription)), "P")


def waiting(run: Run) -> dict[str, str]:
    return {wait.node: wait.correlation_key for wait in run.waits(Subscription)}


def receive(name: str, ref: str) -> str:
    return element("receiveTask", name, messageRef=ref)


def test_the_first_message_received_gives_the_key() -> None:
    run = Run(
        program(start(), both("f"), catch("c", message("M")), receive("r", "N"), flows="s > f; f > c; f > r")
    )
    assert waiting(run) == {"c": ANY_KEY, "r": ANY_KEY}
    run.deliver("c", car={"plate": "A1"})
    assert waiting(run) == {"r": "A1"}
    assert [(e.key, e.value) for e in run.of(p.CorrelationKeySet)] == [("key", "A1")]
    run.deliver("r", plate="A1")
    assert run.instance.keys == {"key": "A1"}
    assert run.status == "completed"
    run.check_deterministic()


def test_the_message_that_starts_the_instance_gives_the_key() -> None:
    made = program(start("s", message("M")), catch("c", message("N")), flows="s > c")
    run = Run(made, begin=False)
    run.do(p.Start({"car": {"plate": "A1"}}, start_event="s"))
    assert waiting(run) == {"c": "A1"}
    other = Run(made, begin=False)
    other.do(p.Start({}, start_event="s", business_key="B2"))
    assert waiting(other) == {"c": "B2"}


def test_the_first_message_sent_gives_the_key_too() -> None:
    sends = throw("t", message("M"), extensions=mapping({"car": "vehicle"}))
    run = Run(
        program(start(), sends, catch("c", message("N")), flows="s > t; t > c"), vehicle={"plate": "A1"}
    )
    assert [thrown.key for thrown in run.of(p.MessageThrown)] == ["A1"]
    assert waiting(run) == {"c": "A1"}


def test_a_later_message_without_content_carries_the_instances_key() -> None:
    made = program(start("s", message("M")), throw("t", message("N")), user("u"), flows="s > t; t > u")
    run = Run(made, begin=False)
    run.do(p.Start({"car": {"plate": "A1"}}, start_event="s"))
    assert [thrown.key for thrown in run.of(p.MessageThrown)] == ["A1"]


def test_a_message_that_carries_no_key_is_an_incident() -> None:
    run = Run(program(start(), throw("t", message("N")), flows="s > t"))
    [incident] = run.incidents
    assert (incident.node, incident.kind) == ("t", "correlation")
    assert "'plate'" in incident.message
    assert run.of(p.MessageThrown) == []


def test_several_properties_are_one_key() -> None:
    roots = prop("plate", M="plate") + prop("year", M="year") + key("plate", "year")
    run = Run(program(start(), throw("t", message("M"), extensions=mapping({"plate": '"A"', "year": "2026"})),
                      catch("c", message("M")), flows="s > t; t > c", roots=roots))  # fmt: skip
    assert waiting(run) == {"c": '["A","2026"]'}


def test_a_process_that_subscribes_gives_the_key_from_its_data() -> None:
    subscription = subscribes(plate="order.plate")
    run = Run(
        program(start(), catch("c", message("M")), flows="s > c", subscription=subscription),
        order={"plate": "A1"},
    )
    assert waiting(run) == {"c": "A1"}
    run.set(order={"plate": "B2"})
    assert waiting(run) == {"c": "B2"}
    run.set(other=1, order={"plate": "B2"})
    assert len(run.of(p.SubscriptionOpened)) == 2
    run.set(order={})
    assert waiting(run) == {"c": "B2"}
    run.deliver("c", car={"plate": "B2"})
    assert run.instance.keys == {}
    assert (run.status, run.instance.conditions) == ("completed", {})


def test_a_subscription_without_data_is_an_incident() -> None:
    subscription = subscribes(plate="order.plate")
    run = Run(program(start(), catch("c", message("M")), flows="s > c", subscription=subscription))
    [incident] = run.incidents
    assert "'order.plate'" in incident.message
    run.set(order={"plate": "A1"})
    run.resolve()
    assert waiting(run) == {"c": "A1"}


@pytest.mark.parametrize("cancel", [True, False])
def test_boundary_events_and_event_subprocesses_follow_the_key(cancel: bool) -> None:
    made = program(
        start(), user("a"), boundary("b", "a", message("M"), cancel=cancel), log("h"),
        event_sub("v", start("vs", message("N"), isInterrupting=cancel), log("w"), flows="vs > w"),
        flows="s > a; b > h",
    )  # fmt: skip
    run = Run(made)
    run.deliver("b", car={"plate": "A1"})
    assert run.log == ["h"]
    expected = {} if cancel else {"b": "A1", "vs": "A1"}
    assert waiting(run) == expected
    run = Run(made)
    run.deliver("vs", plate="A1")
    assert waiting(run) == expected
    assert run.log == ["w"]


def test_a_parallel_multiple_event_waits_on_for_the_other_part() -> None:
    run = Run(program(start(), catch("c", message("M") + message("N"), parallelMultiple=True), flows="s > c"))
    first = next(wait for wait in run.waits(Subscription) if wait.name == "M")
    run.do(p.DeliverMessage(first.key, {"car": {"plate": "A1"}}))
    assert [(wait.name, wait.correlation_key) for wait in run.waits(Subscription)] == [("N", "A1")]
    run.deliver("c", plate="A1")
    assert run.status == "completed"


def test_keys_survive_migration() -> None:
    old = program(start("s", message("M")), user("u"), catch("c", message("N")), flows="s > u; u > c")
    run = Run(old, begin=False)
    run.do(p.Start({"car": {"plate": "A1"}}, start_event="s"))
    assert migrate(old, old, run.instance, now=NOW) == []
    run.complete("u")
    assert waiting(run) == {"c": "A1"}


def test_messages_outside_the_key_are_correlated_as_ever() -> None:
    roots = prop("plate", M="plate") + key("plate")
    run = Run(program(start(), catch("c", message("N")), flows="s > c", roots=roots))
    assert waiting(run) == {"c": ""}
    assert run.program.correlations == {}


@pytest.mark.parametrize(
    "roots",
    [
        prop("plate", M="plate") + prop("year", N="year") + key("plate", "year"),
        prop("plate", M="plate") + key("plate") + key("plate", name="other"),
        prop("plate", K="plate") + key("plate"),
        key(),
    ],
)
def test_a_message_with_no_clear_key_is_refused(roots: str) -> None:
    nodes = (start(), catch("c", message("M")), catch("k", message("K")), "<bpmn:endEvent id='e'/>")
    data = diagram(*nodes, flows="s > c; c > k; k > e", roots=roots)
    assert "correlation-key" in {finding.rule for finding in lint(parse(data))}
