"""The database goes away and comes back: commands fail cleanly, and work again afterwards."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from flowkit.engine import Engine
from flowkit.errors import StoreUnavailable
from flowkit.tasks import Connection, task
from tests.engine.cluster import Cluster, find_binaries
from tests.engine.diagrams import row, service, user


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
