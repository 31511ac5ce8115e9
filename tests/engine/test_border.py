"""What comes from outside: JSON that every database holds, or a refusal that says what is wrong with it."""

from __future__ import annotations

import random
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidPayload, NotFound, Rejected
from flowkit.kernel.protocol import Cancel, StartAt
from flowkit.tasks import task
from flowkit.values import MAX_KEY
from tests.engine.diagrams import (
    catch,
    element,
    extended,
    file,
    message,
    on_message,
    process,
    row,
    service,
    user,
)

Make = Callable[..., Engine]


class Colour(Enum):
    red = "红"


@dataclass
class Part:
    number: str
    price: Decimal


class Customer(BaseModel):
    name: str


class TestVariables:
    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            (Decimal("1.20"), 1.2),
            (Decimal(3), 3),
            (timedelta(hours=30), "P1DT6H"),
            (Colour.red, "红"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (Part("P-1", Decimal("9.5")), {"number": "P-1", "price": 9.5}),
            ([Customer(name="王")], [{"name": "王"}]),
            (10**300, 10**300),
            ("😀", "😀"),
        ],
    )
    def test_are_made_of_what_handlers_return(self, value: Any, kept: Any) -> None:
        with Engine() as engine:
            engine.deploy({"p.bpmn": row("p", user("u"))})
            assert engine.instance(engine.start("p", {"v": value})).variables == {"v": kept}

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("a\0b", r"/v: a text must not hold the character U\+0000"),
            (["\ud83d"], r"/v/0: a text must not hold half a character \(U\+D83D\)"),
            ({"\0": 1}, r"/v: the name"),
            pytest.param(10**5000, "/v: a whole number must lie within", id="5000 digits"),
            (Decimal("NaN"), "/v: expected a JSON value"),
            (float("inf"), "/v: a number must be finite"),
            (b"bytes", "/v: expected a JSON value, found bytes"),
        ],
    )
    def test_are_refused_where_no_database_or_reader_takes_them(self, value: Any, words: str) -> None:
        with Engine() as engine:
            engine.deploy({"p.bpmn": row("p", user("u"))})
            with pytest.raises(InvalidPayload, match=words):
                engine.start("p", {"v": value})

    @pytest.mark.parametrize("value", ["a\0b", "\ud83d", 10**5000], ids=["NUL", "half", "5000 digits"])
    def test_of_a_handler_become_an_incident(self, value: Any, clock: VirtualClock) -> None:
        @task("give")
        def give() -> dict[str, Any]:
            return {"v": value}

        with Engine(tasks=[give], clock=clock) as engine:
            engine.deploy({"p.bpmn": row("p", service("give", "give"))})
            engine.start("p")
            engine.run_until_idle()
            (incident,) = engine.incidents()
            assert "returned no JSON" in incident.message


def test_keys_are_texts_that_every_database_holds(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    for key in ("\0", "\ud83d", 7):
        with pytest.raises(InvalidPayload, match="business key"):
            engine.start("p", business_key=key)  # type: ignore[arg-type]  # a caller without types
        with pytest.raises(InvalidPayload, match="correlation key"):
            engine.publish("m", key)  # type: ignore[arg-type]
    assert engine.publish("m", "7") == []


def test_what_no_row_can_hold_is_not_there(make: Make) -> None:
    engine = make()
    with pytest.raises(NotFound):
        engine.instance("\ud83d")
    with pytest.raises((NotFound, InvalidPayload)):
        engine.instance("\0")
    assert engine.publish("m", "still there") == []


def test_pages_and_times_are_checked_alike(make: Make) -> None:
    engine = make()
    assert engine.instances(limit=sys.maxsize * 10) == []
    with pytest.raises(ValueError, match="0 or more"):
        engine.tasks(limit=-1)
    with pytest.raises(ValueError, match="with its zone"):
        engine.instances(started_after=datetime(2025, 1, 1))


HALF, NUL, HUGE = "\ud83d", "\0", 2**70

NAMED: dict[str, Callable[[Engine, Any], object]] = {
    "start": lambda e, x: e.start(x),
    "start at": lambda e, x: e.start("p", start_event=x),
    "program": lambda e, x: e.program(x),
    "instance": lambda e, x: e.instance(x),
    "history": lambda e, x: e.history(x),
    "set_variables": lambda e, x: e.set_variables(x, {"a": 1}),
    "task": lambda e, x: e.task(f"{x}:1"),
    "claim": lambda e, x: e.claim(f"{x}:1", "li"),
    "claim by": lambda e, x: e.claim(e.tasks()[0], x),
    "assign": lambda e, x: e.assign(f"{x}:1", "li"),
    "assign to": lambda e, x: e.assign(e.tasks()[0], x),
    "assign by": lambda e, x: e.assign(e.tasks()[0], "li", user=x),
    "delegate to": lambda e, x: e.delegate(e.tasks()[0], x),
    "delegate by": lambda e, x: e.delegate(e.tasks()[0], "li", user=x),
    "complete": lambda e, x: e.complete(f"{x}:1"),
    "complete by": lambda e, x: e.complete(e.tasks()[0], user=x),
    "publish": lambda e, x: e.publish(x),
    "message id": lambda e, x: e.publish("m", message_id=x),
    "broadcast": lambda e, x: e.broadcast(x),
    "evaluate_conditions": lambda e, x: e.evaluate_conditions({}, x),
    "read_store": lambda e, x: e.read_store(x),
    "write_store": lambda e, x: e.write_store(x, 1),
    "resend": lambda e, x: e.resend(x),
    "drop": lambda e, x: e.drop(x),
    "resolve": lambda e, x: e.resolve(f"{x}:1"),
    "resolve sent": lambda e, x: e.resolve(f"outbox:{x}"),
    "cancel": lambda e, x: e.cancel(x),
    "cancel why": lambda e, x: e.cancel(e.instances()[0].id, x),
    "suspend": lambda e, x: e.suspend(x),
    "resume": lambda e, x: e.resume(x),
    "modify": lambda e, x: e.modify(x, []),
    "start element": lambda e, x: e.modify(e.instances()[0].id, [StartAt(x)]),
    "check_migration": lambda e, x: e.check_migration(x),
    "migrate": lambda e, x: e.migrate(x),
    "restart": lambda e, x: e.restart(x),
    "restart at": lambda e, x: e.restart(e.instances()[0].id, at=f"{x}", cancel=True),
    "skip": lambda e, x: e.skip(f"{x}:1"),
    "throw": lambda e, x: e.throw(f"{x}:1", "E"),
    "claim_jobs": lambda e, x: e.claim_jobs(x, worker="w"),
    "claim_jobs for": lambda e, x: e.claim_jobs("j", worker=x),
    "complete_job": lambda e, x: e.complete_job(f"{x}:1"),
    "fail_job": lambda e, x: e.fail_job(f"{x}:1", "no"),
    "throw_error": lambda e, x: e.throw_error(f"{x}:1", "E"),
    "throw_error code": lambda e, x: e.throw_error(e.jobs()[0], x),
    "throw_error why": lambda e, x: e.throw_error(e.jobs()[0], "E", x),
    "clean_up": lambda e, x: e.clean_up(e.clock.now(), process=x),
}
"""Every place for a name or an id in the engine's methods."""

COUNTED: dict[str, Callable[[Engine, Any], object]] = {
    "start": lambda e, x: e.start("p", version=x),
    "program": lambda e, x: e.program("p", x),
    "migrate": lambda e, x: e.migrate(e.instances()[0].id, x),
    "check_migration": lambda e, x: e.check_migration(e.instances()[0].id, x),
    "scope": lambda e, x: e.set_variables(e.instances()[0].id, {"a": 1}, scope=x),
    "restart": lambda e, x: e.restart(e.instances()[0].id, at=x, cancel=True),
    "fail_job": lambda e, x: e.fail_job(e.jobs()[0], "no", retries=x),
    "resolve": lambda e, x: e.resolve("1:1", retries=x),
    "resend": lambda e, x: e.resend("1", attempts=x),
}
"""Every place for a number that goes to the database."""

LASTING: dict[str, Callable[[Engine, Any], object]] = {
    "publish": lambda e, x: e.publish("m", ttl=x),
    "message_ttl": lambda e, x: Engine(message_ttl=x),
    "claim_jobs": lambda e, x: e.claim_jobs("j", worker="w", lease=x),
    "fail_job": lambda e, x: e.fail_job(e.jobs()[0], "no", after=x),
}


def _unlike(
    engine: Engine, calls: dict[str, Callable[[Engine, Any], object]], bad: Any, wanted: tuple[type, ...]
) -> dict[str, str]:
    """The calls that do not refuse ``bad`` as they should."""
    found = {}
    for name, call in calls.items():
        try:
            call(engine, bad)
        except wanted:
            continue
        except Exception as error:
            found[name] = repr(error)[:100]
        else:
            found[name] = "taken"
    return found


@pytest.mark.parametrize("bad", [HALF, NUL, f"a{NUL}", 7], ids=["half", "NUL", "with NUL", "no text"])
def test_names_and_ids_are_texts_that_every_database_holds(make: Make, bad: Any) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u")), "q.bpmn": row("q", service("s", "j"))})
    engine.start("p")
    engine.start("q")
    assert _unlike(engine, NAMED, bad, (Rejected,)) == {}
    assert engine.start("p")


def test_bulk_tells_of_ids_that_nothing_can_have(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p")
    report = engine.bulk([HALF, case, NUL], Cancel())
    assert report.done == (case,)
    assert set(report.failed) == {HALF, NUL}


def test_numbers_and_times_beyond_the_database_are_refused(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u")), "q.bpmn": row("q", service("s", "j"))})
    engine.start("p")
    engine.start("q")
    assert _unlike(engine, COUNTED, HUGE, (Rejected,)) == {}
    assert _unlike(engine, LASTING, timedelta.max, (InvalidPayload,)) == {}
    assert _unlike(engine, LASTING, 60, (InvalidPayload,)) == {}
    assert engine.start("p")


def test_contents_to_deploy_are_bytes(make: Make) -> None:
    engine = make()
    text = row("p", user("u")).decode()
    with pytest.raises(TypeError, match=r"bytes by name, found str for 'a.bpmn'"):
        engine.deploy({"a.bpmn": text})  # type: ignore[dict-item]  # a caller without types
    with pytest.raises(TypeError, match="bytes by name"):
        engine.deploy({7: text.encode()})  # type: ignore[dict-item]


def test_a_task_is_claimed_by_somebody(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    todo = engine.tasks(engine.start("p"))[0]
    for nobody in (None, "", 7):
        with pytest.raises(InvalidPayload, match="The user"):
            engine.claim(todo, nobody)  # type: ignore[arg-type]  # a caller without types
        with pytest.raises(InvalidPayload, match="The assignee"):
            engine.delegate(todo, nobody)  # type: ignore[arg-type]
    engine.claim(todo, "li")
    assert engine.task(todo.id).assignee == "li"


# ---- what things are found by ---------------------------------------------------------------

LONG = "".join(random.Random(7).choices("0123456789abcdef", k=MAX_KEY + 1))
"""Incompressible, so that PostgreSQL can't make it fit either."""

FOUND_BY: dict[str, Callable[[Engine, Any], object]] = {
    "business key": lambda e, x: e.start("p", business_key=x),
    "correlation key": lambda e, x: e.publish("m", x),
    "message id": lambda e, x: e.publish("m", message_id=x),
    "name": lambda e, x: e.publish(x, "k"),
    "signal": lambda e, x: e.broadcast(x),
    "assignee": lambda e, x: e.assign(e.tasks()[0], x),
    "user": lambda e, x: e.claim(e.tasks()[-1], x),
    "data store": lambda e, x: e.write_store(x, 1),
}


def test_what_things_are_found_by_fits_every_index(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    engine.start("p")
    for long in (LONG, "键" * (MAX_KEY // 3 + 1), LONG * 1000):
        assert _unlike(engine, FOUND_BY, long, (InvalidPayload,)) == {}
    engine.publish(LONG[1:], LONG[1:], message_id=LONG[1:])
    case = engine.start("p", business_key=LONG[1:])
    engine.assign(engine.tasks(case)[0], LONG[1:])
    assert [one.id for one in engine.instances(business_key=LONG[1:])] == [case]


WAITS = {
    "correlation": (message("m", "long"), catch("wait", on_message("m"))),
    "expression": ("", service("wait", "=long")),
    "assignment": ("", user("wait", assignee="=long")),
    "assignment groups": ("", user("wait", groups="=[long]")),
}
THROWS = {
    "correlation": 'correlationKey="=long"',
    "expression": 'messageId="=long"',
}


@pytest.mark.parametrize("kind", WAITS)
def test_a_key_that_a_diagram_computes_is_an_incident_and_can_be_mended(make: Make, kind: str) -> None:
    root, node = WAITS[kind]
    ids = ("start", "wait", "end")
    nodes = [element("startEvent", "start"), node, element("endEvent", "end")]
    engine = make()
    engine.deploy({"w.bpmn": file(root, process("w", *nodes, flows=list(pairwise(ids))))})
    case = engine.start("w", {"long": LONG})
    [incident] = engine.incidents(case)
    assert incident.kind == kind.split(maxsplit=1)[0]
    assert f"at most {MAX_KEY} bytes" in incident.message
    engine.resolve(incident, variables={"long": LONG[1:]})
    assert engine.incidents(case) == []
    assert engine.instance(case).active_elements == ("wait",)


def test_a_message_whose_content_gives_too_long_a_key_meets_nobody_and_breaks_nothing(make: Make) -> None:
    root = message("m", "long") + message("n", "long")
    publish = extended('<zeebe:publishMessage correlationKey="=long" messageId="=id"/>')
    sent = element("intermediateThrowEvent", "sent", publish + on_message("n"))
    nodes = [element("startEvent", "start"), sent, element("endEvent", "end")]
    engine = make()
    flows = [("start", "sent"), ("sent", "end")]
    engine.deploy({"t.bpmn": file(root, process("t", *nodes, flows=flows))})
    for variables, kind in (
        ({"long": LONG, "id": "1"}, "correlation"),
        ({"long": "1", "id": LONG}, "expression"),
    ):
        case = engine.start("t", variables)
        [incident] = engine.incidents(case)
        assert incident.kind == kind
        engine.resolve(incident, variables={"long": "1", "id": "1"})
        assert engine.instance(case).status == "completed"
