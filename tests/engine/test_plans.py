"""What a transaction reads is reached by an index, on a database that nobody has analysed yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.sql.postgresql import PostgreSQLSession
from flowkit.engine.sql.sqlite import SQLiteSession
from flowkit.tasks import task
from tests.engine.diagrams import catch, element, file, message, on_message, process, service, timer, user

SMALL = {"flowkit_meta", "flowkit_start_trigger", "flowkit_start_timer", "flowkit_definition"}
"""Tables that grow with what is deployed, not with what runs."""
_EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
_WHOLE_TABLE = {
    "sqlite": re.compile(r"SCAN (\w+)(?! USING| CONSTANT|\w)"),
    "postgresql": re.compile(r"Seq Scan on (\w+)"),
}


def explaining(session: Any, found: dict[str, str]) -> Any:
    """The same session, which notes every statement that reads a whole table, by the table's name."""
    base: type = SQLiteSession if session.dialect == "sqlite" else PostgreSQLSession

    class Explaining(base):  # type: ignore[misc, valid-type]
        def _explain(self, sql: str, parameters: Sequence[Any]) -> None:
            if sql.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE", "WITH"}:
                return
            for line in super().query(_EXPLAIN[self.dialect] + sql, parameters):
                if match := _WHOLE_TABLE[self.dialect].search(str(line[-1])):
                    found[match[1]] = sql

        def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
            self._explain(sql, parameters)
            return super().query(sql, parameters)

        def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
            self._explain(sql, parameters)
            super().run(sql, parameters)

        def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
            self._explain(sql, rows[0])
            super().run_many(sql, rows)

    return Explaining(session.connection)


def diagram() -> bytes:
    nodes = [
        element("startEvent", "start"), service("one", "work"), user("approve"),
        catch("wait", timer("timeDuration", "PT1H")), catch("paid", on_message("paid")),
        element("endEvent", "end"),
    ]  # fmt: skip
    ids = ["start", "one", "approve", "wait", "paid", "end"]
    return file(message("paid", "order"), process("p", *nodes, flows=list(pairwise(ids))))


@task("work")
def work(n: int) -> dict[str, int]:
    return {"n": n + 1}


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_no_transaction_reads_a_whole_table(make: Callable[..., Engine], clock: VirtualClock) -> None:
    engine = make(work)
    engine.deploy({"p.bpmn": diagram()})
    found: dict[str, str] = {}
    engine.store._writer = explaining(engine.store._writer, found)  # type: ignore[attr-defined]
    works = [engine.starting("p", {"order": f"{number}", "n": number}) for number in range(100)]
    engine.committer.run_all(works)
    engine.run_until_idle()
    for todo in engine.tasks():
        engine.complete(todo, {"approved": True})
    other = make(work)  # has none of the instances in memory
    other.store._writer = explaining(other.store._writer, found)  # type: ignore[attr-defined]
    other.advance(timedelta(hours=2))
    for number in range(100):
        other.publish("paid", f"{number}", {"paid": True}, message_id=f"{number}")
    assert len(engine.instances(status="completed")) == 100
    assert {table: sql for table, sql in found.items() if table not in SMALL} == {}
