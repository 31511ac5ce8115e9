"""The outbox: what leaves a process leaves after the commit, until its receiver has it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flowkit.engine import Engine, SystemClock, VirtualClock, Worker
from flowkit.engine import courier as courier_module
from flowkit.engine.courier import Courier
from flowkit.errors import NotFound, StoreUnavailable
from flowkit.tasks import (
    Connection,
    InvalidHandler,
    Message,
    Outgoing,
    Registry,
    Retry,
    TaskContext,
    Undeliverable,
    deliver,
    task,
)
from tests.engine.diagrams import element, extended, file, message, on_message, process, row, service, user
from tests.engine.steps import LONG, Held, work_off

Make = Callable[..., Engine]


@task("bill")
def bill(context: TaskContext, amount: int) -> None:
    context.send("invoice", {"amount": amount})


class Receiver:
    """Remembers keys, as a good receiver does; the first ``failures`` calls fail."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: list[Outgoing] = []
        self.got: dict[str, Any] = {}

    @deliver("invoice", attempts=3)
    def invoice(self, item: Outgoing) -> None:
        self.calls.append(item)
        if self.failures:
            raise self.failures.pop(0)
        self.got.setdefault(item.key, item.payload)


def billing(make: Make, receiver: Receiver, *handlers: Any) -> Engine:
    engine = make(*(handlers or (bill,)), receiver)
    engine.deploy({"p.bpmn": row("p", service("s", "bill", retries=1))})
    return engine


def test_what_a_handler_sends_is_delivered_after_the_commit(make: Make) -> None:
    receiver = Receiver()
    engine = billing(make, receiver)
    case = engine.start("p", {"amount": 7}, business_key="WO-1")
    engine.run_until_idle()
    [item] = receiver.calls
    assert (item.payload, item.instance_id, item.element_id, item.attempt) == ({"amount": 7}, case, "s", 1)
    assert item.key == f"{case}:3/0"
    assert engine.outbox() == []
    assert engine.instance(case).status == "completed"


def test_a_receiver_that_is_down_keeps_no_process_waiting(make: Make, clock: VirtualClock) -> None:
    receiver = Receiver(OSError("no line"), Retry("busy", after=timedelta(minutes=7)))
    engine = billing(make, receiver)
    case = engine.start("p", {"amount": 7})
    engine.run_until_idle()
    assert engine.instance(case).status == "completed"
    [entry] = engine.outbox()
    assert (entry.state, entry.attempt, entry.kind, entry.payload) == ("waiting", 1, "invoice", {"amount": 7})
    assert entry.error.startswith("OSError: no line")
    assert timedelta(seconds=4) <= entry.at - clock.now() <= timedelta(seconds=6)
    second = entry.at
    engine.run_until(second)
    [entry] = engine.outbox(state="waiting")
    assert (entry.at, entry.error) == (second + timedelta(minutes=7), "busy")
    assert engine.next_due() == entry.at
    engine.advance(timedelta(hours=1))
    assert len({item.key for item in receiver.calls}) == 1
    assert [item.attempt for item in receiver.calls] == [1, 2, 3]
    assert list(receiver.got.values()) == [{"amount": 7}]
    assert engine.outbox() == []


def test_when_the_attempts_are_used_up_it_is_an_incident(make: Make) -> None:
    receiver = Receiver(*(OSError(f"no line {n}") for n in range(3)))
    engine = billing(make, receiver)
    case = engine.start("p", {"amount": 7})
    engine.advance(timedelta(days=1))
    assert len(receiver.calls) == 3
    [incident] = engine.incidents(case)
    assert (incident.kind, incident.element_id) == ("outbox", "s")
    assert incident.message == "The invoice could not be delivered: OSError: no line 2"
    assert "Traceback" in incident.details
    assert engine.incidents(process="p", kind="outbox") == engine.incidents() == [incident]
    assert engine.incidents(kind="job") == engine.incidents(process="q") == []
    engine.resolve(incident)
    engine.run_until_idle()
    assert engine.incidents() == engine.outbox() == []
    assert list(receiver.got.values()) == [{"amount": 7}]


def test_what_can_never_be_delivered_is_an_incident_at_once_and_may_be_dropped(make: Make) -> None:
    receiver = Receiver(Undeliverable("no address"))
    engine = billing(make, receiver)
    engine.start("p", {"amount": 7})
    engine.run_until_idle()
    [entry] = engine.outbox(state="failed")
    assert (entry.attempt, entry.error) == (1, "no address")
    assert engine.outbox(kind="letter") == engine.outbox(state="waiting") == []
    engine.drop(entry)
    assert engine.outbox() == engine.incidents() == []
    for again in (engine.drop, engine.resend):
        with pytest.raises(NotFound, match="outbox"):
            again(entry)


def test_incidents_of_both_kinds_are_paged_together(make: Make, clock: VirtualClock) -> None:
    receiver = Receiver(*(Undeliverable("no address") for _ in range(2)))
    engine = billing(make, receiver)
    for amount in (1, "wrong", 2, "wrong"):
        engine.start("p", {"amount": amount})
        engine.run_until_idle()
        clock.advance(timedelta(seconds=1))
    assert [one.kind for one in engine.incidents()] == ["outbox", "job", "outbox", "job"]
    assert [one.kind for one in engine.incidents(limit=2, offset=1)] == ["job", "outbox"]
    engine.resolve(engine.incidents()[1], variables={"amount": 3})
    engine.run_until_idle()
    assert [item.payload["amount"] for item in receiver.calls] == [1, 2, 3]


@pytest.mark.parametrize("transactional", [False, True])
def test_a_handler_that_fails_has_sent_nothing(make: Make, transactional: bool) -> None:
    @task("bill")
    def plain(context: TaskContext) -> None:
        context.send("invoice", {"attempt": context.attempt})
        if context.attempt == 1:
            raise OSError("afterwards")

    @task("bill")
    def inside(context: TaskContext, connection: Connection) -> None:
        plain(context)

    receiver = Receiver()
    engine = make(inside if transactional else plain, receiver)
    engine.deploy({"p.bpmn": row("p", service("s", "bill"))})
    engine.start("p")
    engine.run_until_idle()
    assert receiver.calls == []
    engine.advance(timedelta(minutes=1))
    assert [item.payload for item in receiver.calls] == [{"attempt": 2}]


def test_what_is_sent_must_be_json(make: Make) -> None:
    @task("bill")
    def wrong(context: TaskContext) -> None:
        context.send("invoice", {"amount": object()})

    engine = billing(make, Receiver(), wrong)
    case = engine.start("p")
    engine.run_until_idle()
    assert "/amount: expected a JSON value" in engine.incidents(case)[0].message


def test_the_sender_may_choose_key_and_attempts(make: Make) -> None:
    @task("bill")
    def chosen(context: TaskContext) -> None:
        context.send("invoice", {}, key="order-7", attempts=1)

    receiver = Receiver(OSError("no line"))
    engine = billing(make, receiver, chosen)
    engine.start("p")
    engine.run_until_idle()
    assert [(item.key, item.last) for item in receiver.calls] == [("order-7", True)]
    assert len(engine.outbox(state="failed")) == 1


def test_what_nobody_delivers_here_waits_for_somebody_who_does(make: Make) -> None:
    poor = make(bill)
    poor.deploy({"p.bpmn": row("p", service("s", "bill"))})
    poor.start("p", {"amount": 1})
    poor.run_until_idle()
    assert [entry.state for entry in poor.outbox()] == ["waiting"]
    assert poor.next_due() is None
    receiver = Receiver()
    make(receiver).run_until_idle()
    assert len(receiver.got) == 1


def test_a_message_for_the_outside_goes_by_the_outbox(make: Make) -> None:
    """A throwing element with the property flowkit.outbox: nothing here takes its message."""
    got: list[Outgoing] = []

    @deliver("broker")
    def publish(item: Outgoing) -> None:
        got.append(item)

    marked = '<zeebe:property name="flowkit.outbox" value="broker"/>'
    outside = extended(f"<zeebe:properties>{marked}</zeebe:properties>") + on_message("paid")
    nodes = [
        element("startEvent", "start"), element("intermediateThrowEvent", "tell", outside),
        element("endEvent", "end"),
    ]  # fmt: skip
    engine = make(publish)
    sender = process("p", *nodes, flows=[("start", "tell"), ("tell", "end")])
    receiver = process(
        "q", element("startEvent", "begin", on_message("paid")), element("endEvent", "done"),
        flows=[("begin", "done")],
    )  # fmt: skip
    engine.deploy({"p.bpmn": file(message("paid", "order"), sender, receiver)})
    case = engine.start("p", {"order": "7"})
    engine.run_until_idle()
    assert [view.id for view in engine.instances()] == [case]
    [item] = got
    assert item.payload == {"name": "paid", "key": "7", "variables": {}}
    assert item.key.startswith(case)
    assert item.element_id == "tell"


def test_couriers_of_two_engines_do_not_deliver_twice(make: Make) -> None:
    receivers = [Receiver(), Receiver()]
    engines = [make(bill, receiver) for receiver in receivers]
    engines[0].deploy({"p.bpmn": row("p", service("s", "bill"))})
    for amount in range(30):
        engines[0].start("p", {"amount": amount})
    held = Held()
    work_off(Worker(engines[0], handlers=held), held)
    hands = [Held(), Held()]
    couriers = [
        Courier(engine.committer, engine.registry, 1.0, held)
        for engine, held in zip(engines, hands, strict=True)
    ]
    while engines[0].outbox():
        for courier in couriers:
            courier.turn()
        for held in hands:
            held.run()
    assert min(len(receiver.calls) for receiver in receivers) > 0
    calls = [item.key for receiver in receivers for item in receiver.calls]
    assert len(calls) == len(set(calls)) == 30


def billed(engine: Engine, amounts: int = 1) -> None:
    """The outbox holds an invoice an amount."""
    for amount in range(amounts):
        engine.start("p", {"amount": amount})
    held = Held()
    work_off(Worker(engine, handlers=held), held)


def test_a_courier_stops_after_what_is_under_way(make: Make) -> None:
    engine, held = billing(make, Receiver()), Held()
    billed(engine, 6)
    courier = Courier(engine.committer, engine.registry, 1.0, held)
    courier.turn()
    assert len(held) == 4
    courier.close_shop()
    assert courier.turn() is not None
    assert len(held) == 4
    held.run()
    assert courier.turn() is not None
    assert courier.turn() is None
    assert len(engine.outbox()) == 2
    assert courier.stop(None) is True


def test_a_courier_outlives_a_store_that_is_away(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise StoreUnavailable("gone")

    receiver, held = Receiver(), Held()
    engine = billing(make, receiver)
    billed(engine)
    courier = Courier(engine.committer, engine.registry, 1.0, held)
    courier.turn()
    held.run()
    for method in ("transaction", "reader"):
        with monkeypatch.context() as patch:
            patch.setattr(engine.store, method, refuse)
            assert courier.turn() == 1.0
    courier.turn()
    assert engine.outbox() == []
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), OSError("a\0b"), OSError("caf\udce9 价")]
)
def test_whatever_a_deliverer_raises_is_a_failed_attempt(make: Make, error: Any) -> None:
    receiver, held = Receiver(error), Held()
    engine = billing(make, receiver)
    billed(engine)
    courier = Courier(engine.committer, engine.registry, 1.0, held)
    for _ in range(3):
        courier.turn()
        held.run()
    [entry] = engine.outbox()
    assert entry.error.startswith(type(error).__name__)
    assert courier.turn() is not None
    engine.advance(timedelta(minutes=1))
    assert engine.outbox() == []


def test_what_can_not_be_settled_keeps_no_other_entry_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: VirtualClock
) -> None:
    """An entry whose end can't be stored has its lease run out, and is tried again."""
    engine, held = billing(make, Receiver()), Held()
    billed(engine, 2)
    broken = {entry.id for entry in engine.outbox()[:1]}
    real = courier_module.settling

    def settling(delivery: Any) -> Any:
        if delivery.item.id in broken:
            return lambda unit: 1 / 0
        return real(delivery)

    monkeypatch.setattr(courier_module, "settling", settling)
    courier = Courier(engine.committer, engine.registry, 1.0, held)
    courier.turn()
    held.run()
    courier.turn()
    assert {entry.id for entry in engine.outbox()} == broken
    assert "could not be stored" in caplog.text
    broken.clear()
    clock.advance(timedelta(minutes=6))
    courier.turn()
    held.run()
    courier.turn()
    assert engine.outbox() == []


def test_a_worker_has_a_courier_in_the_background(make: Make) -> None:
    begun, release = threading.Event(), threading.Event()

    @deliver("invoice")
    def slow(item: Outgoing) -> None:
        begun.set()
        release.wait(LONG)

    engine = make(bill, slow, clock=SystemClock())
    engine.deploy({"p.bpmn": row("p", service("s", "bill"), user("u"))})
    with Worker(engine):
        case = engine.start("p", {"amount": 1})
        assert begun.wait(LONG)
        assert engine.instance(case).active_elements == ("u",)  # the process went on
        release.set()
    assert engine.outbox() == []


CRASHING = """
import os, sys
from flowkit import Engine, VirtualClock, deliver
from datetime import datetime

@deliver("invoice", attempts=2)
def crash(item):
    os._exit(9)

Engine(sys.argv[1], tasks=[crash], clock=VirtualClock(datetime.fromisoformat(sys.argv[2]))).run_until_idle()
"""


def test_a_delivery_that_kills_its_courier_ends_as_an_incident(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path}/crash.db"
    with Engine(url, tasks=[bill], clock=clock) as engine:
        engine.deploy({"p.bpmn": row("p", service("s", "bill"))})
        engine.start("p", {"amount": 1})
        engine.run_until_idle()
        codes = []
        for _ in range(3):
            command = [sys.executable, "-c", CRASHING, url, clock.now().isoformat()]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
            codes.append(subprocess.run(command, env=environment, check=False, timeout=60).returncode)
            clock.advance(timedelta(minutes=6))
        assert codes == [9, 9, 0]
        [incident] = engine.incidents()
        assert "Attempt 2 never ended" in incident.message


def test_deliverers_are_checked_when_they_are_registered() -> None:
    @deliver("invoice")
    async def later(item: Outgoing) -> None: ...

    @deliver("invoice")
    def other(item: Outgoing) -> None: ...

    with pytest.raises(InvalidHandler, match="async"):
        Registry(later)
    registry = Registry(Receiver())
    with pytest.raises(InvalidHandler, match="two functions deliver 'invoice'"):
        registry.add(other)
    registry.replace(other)
    assert registry.deliverers["invoice"].function is other
    assert Registry(registry).deliverers == registry.deliverers
    with pytest.raises(InvalidHandler, match="kind"):
        deliver("")
    with pytest.raises(InvalidHandler, match="at least one attempt"):
        deliver("invoice", attempts=0)


CALLS = file(
    message("call_wanted"),
    process(
        "q",
        element("startEvent", "s", on_message("call_wanted")),
        user("u"),
        element("endEvent", "e"),
        flows=[("s", "u"), ("u", "e")],
    ),
)


class Switchboard:
    """Delivers by handing over to a process."""

    @deliver("invoice", attempts=2)
    def call(self, item: Outgoing) -> Message:
        return Message("call_wanted", item.key, {"text": f"{item.payload['amount']} yuan"})


def test_a_deliverer_hands_its_entry_to_a_process(make: Make) -> None:
    engine = make(bill, Switchboard())
    engine.deploy(
        {
            "p.bpmn": row("p", service("s", "bill", retries=1)),
            "q.bpmn": CALLS,
        }
    )
    case = engine.start("p", {"amount": 7})
    engine.run_until_idle()
    [todo] = engine.tasks()
    call = engine.instance(todo.instance_id)
    assert (call.process_id, call.business_key) == ("q", f"{case}:3/0")
    assert call.variables["text"] == "7 yuan"
    assert engine.outbox() == []


def test_an_entry_that_no_process_takes_is_an_incident(make: Make, clock: VirtualClock) -> None:
    engine = make(bill, Switchboard())
    engine.deploy({"p.bpmn": row("p", service("s", "bill", retries=1))})
    engine.start("p", {"amount": 7})
    engine.run_until_idle()
    engine.advance(timedelta(hours=1))
    [entry] = engine.outbox(state="failed")
    assert "nobody takes the message 'call_wanted'" in entry.error
    engine.deploy({"q.bpmn": CALLS})
    engine.resend(entry.id)
    engine.run_until_idle()
    assert len(engine.tasks()) == 1
    assert engine.outbox() == []
