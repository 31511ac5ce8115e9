"""The connection to PostgreSQL is cut at every commit of a script, before or after the server has committed:
the caller learns that the outcome is unknown, the same engine goes on, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.sql.postgresql import PostgreSQLSession
from flowkit.errors import OutcomeUnknown, StoreUnavailable
from flowkit.tasks import task
from tests.engine.cluster import Cluster
from tests.engine.conftest import cluster  # noqa: F401 the fixture
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

LONG = timedelta(days=99)


def diagram() -> bytes:
    nodes = [
        element("startEvent", "start", on_message("begin")), service("one", "count"), user("approve"),
        catch("wait", timer("timeDuration", "PT1H")), catch("paid", on_message("paid")),
        service("two", "count"), element("endEvent", "end"),
    ]  # fmt: skip
    ids = ["start", "one", "approve", "wait", "paid", "two", "end"]
    flows = list(pairwise(ids))
    return file(message("begin"), message("paid", "order"), process("p", *nodes, flows=flows))


@task("count")
def count(n: int) -> dict[str, int]:
    return {"n": n + 1}


@contextmanager
def cut(url: str, at: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Cut the connection at the ``at``-th commit; gives the number of commits that are left until then."""
    left = [at]
    original = PostgreSQLSession.run

    def run(session: PostgreSQLSession, sql: str, parameters: Any = ()) -> None:
        if sql == "COMMIT":
            left[0] -= 1
            if left[0] == -1:
                process = session.connection.info.backend_pid
                if after:
                    with session.connection.pipeline():  # which waits for the server at its end
                        original(session, sql)
                with psycopg.connect(url, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 10000)", (process,))
        original(session, sql, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(PostgreSQLSession, "run", run)
        yield left


def play(engine: Engine, order: str) -> None:
    """The script for one order; every step may be tried again, whether or not it was stored before."""
    begin = {"order": order, "n": 0}
    engine.publish("begin", order, begin, message_id=f"begin-{order}", ttl=LONG)
    engine.advance(timedelta(minutes=5))  # past leases and retries
    for todo in engine.tasks():
        engine.complete(todo, {"approved": True})
    engine.advance(timedelta(hours=2))
    engine.publish("paid", order, {"paid": True}, message_id=f"paid-{order}", ttl=LONG)
    engine.advance(timedelta(minutes=5))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_that_is_cut_at_any_commit_loses_nothing(
    cluster: Cluster,  # noqa: F811 the fixture
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    url = cluster.new_database()
    with Engine(url, tasks=[count], clock=VirtualClock()) as engine:
        engine.deploy({"p.bpmn": diagram()})
        commit = 0
        while True:
            order = f"{commit}"
            with cut(url, commit, after=after, monkeypatch=monkeypatch) as left:
                try:
                    play(engine, order)
                except StoreUnavailable:
                    assert left[0] < 0
            if left[0] >= 0:
                break
            play(engine, order)
            commit += 1
        views = {view.variables["order"]: view for view in engine.instances()}
        assert len(views) == len(engine.instances()) == commit + 1 > 10
        for order, view in views.items():
            assert view.status == "completed", order
            assert view.variables == {"order": order, "n": 2, "approved": True, "paid": True}, order
            entries = engine.history(view.id)
            assert [entry.seq for entry in entries] == list(range(len(entries)))
        assert engine.incidents() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_group_whose_commit_was_cut_is_not_run_again(
    cluster: Cluster,  # noqa: F811 the fixture
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    url = cluster.new_database()
    with Engine(url, tasks=[count], clock=VirtualClock()) as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        with cut(url, 0, after=after, monkeypatch=monkeypatch):
            outcomes = engine.committer.run_all([engine.starting("p", {"n": n}) for n in range(3)])
        assert [type(outcome.error) for outcome in outcomes] == [OutcomeUnknown] * 3
        assert sorted(view.variables["n"] for view in engine.instances()) == ([0, 1, 2] if after else [])
        engine.start("p", {"n": 3})
