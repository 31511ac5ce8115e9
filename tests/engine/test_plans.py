"""What a transaction reads is reached by an index, on a database that nobody has analysed yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.jobs import claim
from flowkit.engine.sql.postgresql import PostgreSQLSession
from flowkit.engine.sql.sqlite import SQLiteSession
from flowkit.tasks import task
from tests.engine.diagrams import (
    catch,
    element,
    file,
    message,
    on_message,
    process,
    row,
    service,
    timer,
    user,
)

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


def sorting(session: Any, sorted_: list[str]) -> Any:
    """The same session, which notes every statement that SQLite has to sort for."""

    class Noting(SQLiteSession):
        def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
            plan = super().query("EXPLAIN QUERY PLAN " + sql, parameters)
            # At the top are only the pages of all statuses, which are merged.
            if any("USE TEMP B-TREE FOR ORDER BY" in str(line[-1]) and line[1] for line in plan):
                sorted_.append(sql)
            return super().query(sql, parameters)

    return Noting(session.connection)


def looks(engine: Engine) -> None:
    """What people and front ends ask all day."""
    case = engine.instances("p", limit=1)[0].id
    engine.instance(case)
    engine.instances(business_key="7")
    engine.instances("p", status="active", limit=20)
    engine.instances("p", running=True, limit=20)
    engine.instances(running=False, limit=20)
    engine.instances(parent=case)
    engine.instances(origin=case)
    for element_id in ("one", "approve", "paid"):
        engine.instances("p", element=element_id, limit=20)
    engine.history(case)
    engine.tasks(case)
    engine.tasks(group="g", limit=20)
    engine.tasks(user="u", limit=20)
    engine.tasks(assignee="u", limit=20)
    engine.tasks(process="p", element="approve", limit=20)
    engine.jobs(case)
    engine.incidents(case)
    engine.incidents(process="p", element="one")
    engine.outbox(state="failed", instance=case)
    engine.next_due()


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_no_look_reads_a_whole_table(make: Callable[..., Engine]) -> None:
    """PostgreSQL is told to avoid what it would do on so few rows, not what it can't avoid."""
    engine = make(work)
    engine.deploy({"p.bpmn": diagram()})
    engine.committer.run_all([engine.starting("p", {"order": f"{n}", "n": n}) for n in range(100)])
    engine.run_until_idle()
    found: dict[str, str] = {}
    reader = engine.store._reader  # type: ignore[attr-defined]  # what the engine reads with
    if engine.store.dialect == "postgresql":
        reader.run("SET enable_seqscan TO off")
    engine.store._reader = explaining(reader, found)  # type: ignore[attr-defined]
    looks(engine)
    pages = {f"s{number}" for number in range(6)}  # of instances, merged
    assert {table: sql for table, sql in found.items() if table not in SMALL | pages} == {}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_pages_of_instances_are_not_sorted(make: Callable[..., Engine]) -> None:
    engine = make(work)
    engine.deploy({"p.bpmn": diagram()})
    engine.committer.run_all([engine.starting("p", {"order": f"{n}", "n": n}) for n in range(50)])
    sorted_: list[str] = []
    engine.store._reader = sorting(engine.store._reader, sorted_)  # type: ignore[attr-defined]
    engine.instances("p", status="active", limit=20)
    assert len(list(engine.select("p", status="active"))) == 50
    engine.instances(status="active", limit=20)
    assert sorted_ == []


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_claims_of_many_types_and_processes_read_no_whole_table(make: Callable[..., Engine]) -> None:
    engine = make(work)
    engine.deploy({f"{name}.bpmn": row(name, service("s", f"t{name}")) for name in "abcd"})
    for name in "abcd":
        engine.committer.run_all([engine.starting(name) for _ in range(20)])
    found: dict[str, str] = {}
    engine.store._writer = explaining(engine.store._writer, found)  # type: ignore[attr-defined]
    types = {f"t{name}": 3 for name in "abcd"}
    claimed = engine.committer.run(lambda unit: claim(unit, types, "w"))
    assert sorted(job.process for job in claimed) == sorted("abcd" * 3)
    assert len(engine.claim_jobs("ta", worker="w", limit=5)) == 5
    assert {table: sql for table, sql in found.items() if table not in SMALL} == {}
