"""What comes from outside: JSON that every database holds, or a refusal that says what is wrong with it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidPayload, NotFound
from flowkit.tasks import task
from tests.engine.diagrams import row, service, user

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
