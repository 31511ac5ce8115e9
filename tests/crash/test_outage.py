"""The database goes away and comes back: commands fail cleanly, and work again afterwards."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flowkit.engine import Engine, Worker, pump
from flowkit.errors import StoreUnavailable
from flowkit.tasks import Connection, TaskContext, task
from tests.engine.cluster import Cluster, find_binaries
from tests.engine.diagrams import row, service, user
from tests.engine.steps import Held, work_off


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server binaries are not installed")
    with Cluster(binaries, tmp_path_factory.mktemp("outage")) as cluster:
        yield cluster


def test_a_connection_cut_in_a_transaction_undoes_it(server: Cluster) -> None:
    url = server.new_database()
    with Engine(url) as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        kept = engine.start("p")

        def cut(unit):  # type: ignore[no-untyped-def]
            engine.starting("p")(unit)
            [(process,)] = unit.write().query("SELECT pg_backend_pid()")
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (process,))

        with pytest.raises(StoreUnavailable):
            engine.committer.run(cut)
        after = engine.start("p")
        assert [view.id for view in engine.instances()] == [kept, after]


def test_a_server_that_is_restarted_is_found_again(server: Cluster) -> None:
    @task("book")
    def book(connection: Connection) -> None:
        connection.execute("INSERT INTO booked VALUES (1)")

    url = server.new_database()
    with Engine(url, tasks=[book]) as engine:
        engine.deploy({"p.bpmn": row("p", user("a"), user("b")), "q.bpmn": row("q", service("s", "book"))})
        with engine.store.transaction() as session:
            session.run("CREATE TABLE booked (id INTEGER)")
        case = engine.start("p")
        [todo] = engine.tasks(case)
        engine.start("q")
        engine.run_until_idle()
        server.stop(immediately=True)
        with pytest.raises(StoreUnavailable):
            engine.complete(todo)
        with pytest.raises(StoreUnavailable):
            engine.start("p")
        server.start()
        engine.complete(todo)
        assert engine.instance(case).active_elements == ("b",)
        assert len(engine.instances("p")) == 1
        other = engine.start("q")
        engine.run_until_idle()  # its handler's connection was lost, and costs no attempt
        assert engine.instance(other).status == "completed"


LONG = 30.0


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for another thread or process."""
    deadline = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < deadline, f"not within {LONG} s"
        time.sleep(0.02)


def test_a_worker_outlives_its_server(server: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """Which stops while a handler runs, and again while there is nothing to do."""
    begun, release = threading.Event(), threading.Event()
    calls: list[int] = []

    @task("slow")
    def slow(context: TaskContext) -> dict[str, bool]:
        calls.append(context.attempt)
        begun.set()
        release.wait(LONG)
        return {"done": True}

    with Engine(server.new_database(), tasks=[slow]) as engine:
        engine.deploy({"p.bpmn": row("p", service("s", "slow"))})
        case = engine.start("p")
        with Worker(engine, poll=timedelta(seconds=0.05)):
            assert begun.wait(LONG)
            for _ in range(2):
                caplog.clear()
                server.stop(immediately=True)
                release.set()
                eventually(lambda: "The store is not available" in caplog.text)
                server.start()
                eventually(lambda: engine.instance(case).is_over)
            assert engine.instance(case).variables == {"done": True}
            again = engine.start("p")
            eventually(lambda: engine.instance(again).is_over)
    assert calls == [1, 1]


def test_a_connection_lost_in_the_middle_of_a_claim_costs_nothing(
    server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    @task("work")
    def work(context: TaskContext) -> None:
        attempts.append(context.attempt)

    url = server.new_database()
    left = [1]

    def claim(unit: Any, *arguments: Any, **options: Any) -> Any:
        claimed = real(unit, *arguments, **options)
        if claimed and left:
            left.pop()
            with psycopg.connect(url, autocommit=True) as other:
                [(process,)] = unit.write().query("SELECT pg_backend_pid()")
                other.execute("SELECT pg_terminate_backend(%s, 10000)", (process,))
        return claimed

    real = pump.claim
    monkeypatch.setattr(pump, "claim", claim)
    held = Held()
    with Engine(url, tasks=[work]) as engine:
        engine.deploy({"p.bpmn": row("p", service("s", "work"))})
        case = engine.start("p")
        work_off(Worker(engine, handlers=held), held)
        assert left == []
        assert engine.instance(case).status == "completed"
        assert attempts == [1]


def test_a_statement_that_takes_too_long_is_given_up(server: Cluster) -> None:
    url = server.new_database()
    with Engine(f"{url}?options=-c%20statement_timeout%3D300") as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        case = engine.start("p")
        [todo] = engine.tasks(case)
        with psycopg.connect(url) as other:
            other.execute("SELECT 1 FROM flowkit_instance WHERE id=%s FOR UPDATE", (case,))
            with pytest.raises(StoreUnavailable, match="statement timeout"):
                engine.complete(todo)
        engine.complete(todo)
        assert engine.instance(case).status == "completed"


def test_the_server_notices_a_client_that_is_gone(server: Cluster) -> None:
    url = server.new_database()
    names = ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "application_name"]
    shown = []
    for options in ("", "?application_name=shop"):
        with Engine(f"{url}{options}") as engine, engine.store.transaction() as session:
            shown.append([session.query(f"SHOW {name}")[0][0] for name in names])
    assert shown == [["30", "10", "3", "flowkit"], ["30", "10", "3", "shop"]]


def test_an_old_server_is_refused(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 120_017)
    with pytest.raises(StoreUnavailable, match="needs PostgreSQL 13 or later; this is 12"):
        Engine(server.new_database())


def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    with Engine(f"sqlite:///{path}") as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, lambda: other.execute("COMMIT")).start()
        case = engine.start("p")
        assert engine.instance(case).status == "active"
        other.close()
