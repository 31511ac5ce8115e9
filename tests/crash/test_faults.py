"""A fault at every statement and every commit, once each: the script ends as it would have without."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.sql import sqlite as store
from flowkit.errors import StoreUnavailable
from flowkit.tasks import Connection, Outgoing, TaskContext, deliver, task
from tests.engine.diagrams import catch, element, file, message, on_message, process, service, timer, user

LONG = timedelta(days=9)


class Crash(BaseException):
    """The process is gone: nothing after this runs in it."""


class Fuse:
    """Breaks at the ``at``-th statement, before or after it was executed."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after
        self.armed = True
        self.connections: list[sqlite3.Connection] = []

    def statement(self, execute: Any, sql: str, parameters: Sequence[Any]) -> Any:
        if not self.armed:
            return execute(sql, parameters)
        self.left -= 1
        if self.left < 0:
            self.armed = False
            if self.after:
                execute(sql, parameters)
            raise Crash
        return execute(sql, parameters)


def fused(fuse: Fuse) -> type[store.SQLiteSession]:
    class FusedSession(store.SQLiteSession):
        def __init__(self, connection: sqlite3.Connection) -> None:
            super().__init__(connection)
            fuse.connections.append(connection)
            execute = connection.execute
            self._execute = lambda sql, parameters=(): fuse.statement(execute, sql, parameters)  # type: ignore[assignment]

        def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
            for row in rows:
                self._execute(sql, row)

    return FusedSession


def diagram() -> bytes:
    nodes = [
        element("startEvent", "start", on_message("begin")), service("one", "count"), user("approve"),
        catch("wait", timer("timeDuration", "PT1H")), catch("paid", on_message("paid")),
        service("two", "count"), service("three", "book"), element("endEvent", "end"),
    ]  # fmt: skip
    ids = ["start", "one", "approve", "wait", "paid", "two", "three", "end"]
    flows = list(pairwise(ids))
    return file(message("begin"), message("paid", "order"), process("p", *nodes, flows=flows))


@task("count")
def count(n: int) -> dict[str, int]:
    return {"n": n + 1}


@task("book")
def book(context: TaskContext, connection: Connection) -> None:
    """Writes a row of its own in the step's transaction, and sends a letter."""
    connection.execute("INSERT INTO booked VALUES (?)", (context.job_id,))
    context.send("letter", {"to": context.business_key})


class Receiver:
    """Everything that was delivered to it, by whichever engine."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    @deliver("letter")
    def letter(self, item: Outgoing) -> None:
        self.keys.append(item.key)


def play(engine: Engine) -> None:
    """The whole script; every step may be tried again, whether or not it was stored before."""
    with engine.store.transaction() as session:
        session.run("CREATE TABLE IF NOT EXISTS booked (job TEXT)")
    engine.deploy({"p.bpmn": diagram()})
    engine.publish("begin", "7", {"order": "7", "n": 0}, message_id="begin-7", ttl=LONG)
    engine.advance(timedelta(minutes=5))  # past the leases and retries of a crashed engine
    for todo in engine.tasks():
        engine.complete(todo, {"approved": True})
    engine.advance(timedelta(hours=2))
    engine.publish("paid", "7", {"paid": True}, message_id="paid-7", ttl=LONG)
    engine.advance(timedelta(minutes=15))


def crash_at(path: Path, statement: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Play with a fault at ``statement``, then again without; whether the fault was reached."""
    clock = VirtualClock()
    fuse = Fuse(statement, after=after)
    receiver = Receiver()
    handlers = [count, book, receiver]
    with monkeypatch.context() as patch:
        patch.setattr(store, "SQLiteSession", fused(fuse))
        try:
            doomed = Engine(f"sqlite:///{path}", tasks=handlers, clock=clock, durability="normal")
            play(doomed)
        except Crash:
            pass
        reached = not fuse.armed
        fuse.armed = False
        for connection in fuse.connections:  # a process that dies closes its files
            connection.close()
    with Engine(f"sqlite:///{path}", tasks=handlers, clock=clock, durability="normal") as engine:
        play(engine)
        [view] = engine.instances()
        assert view.status == "completed", statement
        assert view.variables == {"order": "7", "n": 2, "approved": True, "paid": True}, statement
        assert engine.incidents() == engine.outbox() == []
        with engine.store.reader() as session:
            booked = [job for (job,) in session.query("SELECT job FROM booked")]
        assert len(booked) == 1, statement
        assert set(receiver.keys) == {f"{booked[0]}/0"}, statement
        entries = engine.history(view.id)
        assert [entry.seq for entry in entries] == list(range(len(entries)))
    return reached


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_statement_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    statement = 0
    while True:
        path = tmp_path / f"{statement}.db"
        if not crash_at(path, statement, after=after, monkeypatch=monkeypatch):
            break
        for leftover in tmp_path.glob(f"{statement}.db*"):
            leftover.unlink()
        statement += 1 if statement > 60 else 7  # creating the schema is one transaction
    assert statement > 100


def test_a_full_disk_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/full.db") as engine:
        engine.deploy({"p.bpmn": diagram()})
        connection = engine.store._writer.connection  # type: ignore[attr-defined]  # the disk has no other handle
        [(pages,)] = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count={pages + 8}")
        acknowledged: list[str] = []

        def fill() -> None:
            for number in range(10_000):
                acknowledged.extend(engine.publish("begin", f"{number}", {"data": "x" * 2000, "n": 0}))

        with pytest.raises(StoreUnavailable, match="full"):
            fill()
        assert len(engine.instances()) == len(acknowledged) > 0
        connection.execute("PRAGMA max_page_count=1000000")
        acknowledged += engine.publish("begin", "again", {"n": 0})
        assert {view.id for view in engine.instances()} == set(acknowledged)
