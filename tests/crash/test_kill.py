"""Workers killed at random moments: what was acknowledged is there, everything ends, nothing happens twice.

CI kills 40 processes on SQLite and 40 on PostgreSQL; with FLOWKIT_NIGHTLY set it is 500 each, in about
six minutes each on two busy cores.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from flowkit.engine import Engine
from flowkit.engine.snapshots import LIVES, lives
from flowkit.errors import NotFound
from flowkit.kernel import encode_instance, new_instance, replay
from flowkit.kernel.protocol import (
    InstanceEnded,
    JobClosed,
    JobOpened,
    SubscriptionTriggered,
    UserTaskClosed,
)
from tests.crash.victim import diagram, handlers, main
from tests.engine.cluster import Cluster, find_binaries
from tests.engine.conftest import cluster  # noqa: F401 the fixture

KILLS = 500 if os.environ.get("FLOWKIT_NIGHTLY") else 40
ENOUGH = 300.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/crash.db"
    if find_binaries() is None:
        pytest.skip("PostgreSQL's server binaries are not installed")
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


def test_nothing_is_lost_and_nothing_happens_twice(url: str, tmp_path: Path) -> None:
    with Engine(url) as engine:
        engine.deploy({"crash.bpmn": diagram()})
        with engine.store.transaction() as session:
            session.run("CREATE TABLE booked (job TEXT)")
    chance = random.Random(20260105)
    kill_repeatedly(url, tmp_path, chance)
    acknowledged = [line.split() for line in (tmp_path / "acknowledged").read_text().splitlines()]
    started = {words[1]: words[2] for words in acknowledged if words[0] == "started"}
    assert len(started) >= KILLS, "the victims were killed before they did anything"

    finish(url, tmp_path)

    called = Counter((tmp_path / "calls").read_text().split()[::2])
    with Engine(url) as engine:
        assert engine.incidents() == engine.outbox() == []
        assert_booked_once(engine, set((tmp_path / "letters").read_text().split()))
        everything = {view.id: view for view in engine.instances()}
        assert set(started) <= set(everything)
        for words in acknowledged:
            if words[0] == "completed":
                assert_task_closed_once(engine, words[1])
        for case, view in everything.items():
            assert view.status == "completed", case
            assert_consistent(engine, case, called)
            expected = {"one", "two", "three", "four", "approved", "paid", "order"}
            assert set(view.variables) == expected, case


def kill_repeatedly(url: str, folder: Path, chance: random.Random) -> None:
    """Two victims at a time; each is killed between a moment and a second after it began to work."""
    context = multiprocessing.get_context("forkserver")  # forked from one that has imported everything
    context.set_forkserver_preload(["tests.crash.victim", "flowkit.engine.sql.postgresql"])
    victims: list[BaseProcess] = []
    try:
        for number in range(KILLS):
            while len(victims) < 2:
                name = f"v{number + len(victims)}"
                victims.append(context.Process(target=main, args=(url, str(folder), name)))
                victims[-1].start()
                await_line(folder, name)
            time.sleep(chance.uniform(0.0, 0.8))  # the moment of the kill is what is random here
            assert victims[0].is_alive(), "a victim ended by itself"
            victims[0].kill()
            victims.pop(0).join()
    finally:
        for victim in victims:
            victim.kill()
            victim.join()


def await_line(folder: Path, name: str) -> None:
    """Wait until the victim has done its first thing."""
    deadline = time.monotonic() + ENOUGH
    journal = folder / "acknowledged"
    while time.monotonic() < deadline:
        if journal.exists() and f" {name}-1\n" in journal.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(f"victim {name} did not begin within {ENOUGH} s")


def finish(url: str, folder: Path) -> None:
    """Bring every instance to its end."""
    with Engine(url, tasks=handlers(folder), durability="normal") as engine:
        deadline = time.monotonic() + ENOUGH
        while time.monotonic() < deadline:
            engine.run_until_idle()
            for todo in engine.tasks():
                engine.complete(todo, {"approved": 1})
            waiting = engine.instances(status="active")
            for view in waiting:
                order = view.variables["order"]
                engine.publish("paid", order, {"paid": 1}, message_id=order)
            if not waiting:
                for entry in engine.outbox():  # those that a killed courier had in its hands
                    engine.resend(entry)
                engine.run_until_idle()
                return
            time.sleep(0.05)  # leases of the killed run out by the wall clock
        raise AssertionError(f"{len(waiting)} instances did not end within {ENOUGH} s")


def assert_booked_once(engine: Engine, letters: set[str]) -> None:
    """Every instance has one row that was written inside its step, and one letter, by its key."""
    with engine.store.reader() as session:
        booked = [job for (job,) in session.query("SELECT job FROM booked")]
    assert len(booked) == len(set(booked))
    assert {job.partition(":")[0] for job in booked} == {view.id for view in engine.instances()}
    assert letters == {f"{job}/0" for job in booked}


def assert_task_closed_once(engine: Engine, task_id: str) -> None:
    instance, key = task_id.split(":")
    closed = [
        entry.event
        for entry in engine.history(instance)
        if isinstance(entry.event, UserTaskClosed) and entry.event.task == int(key)
    ]
    assert [event.reason for event in closed] == ["completed"]
    with pytest.raises(NotFound):
        engine.task(task_id)


def assert_consistent(engine: Engine, case: str, called: Counter[str]) -> None:
    """The history has no gap, replays to the snapshot, and tells each thing once."""
    entries = engine.history(case)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    events = [entry.event for entry in entries]
    opened = [event.job for event in events if isinstance(event, JobOpened)]
    closed = [event.job for event in events if isinstance(event, JobClosed)]
    assert len(opened) == 4
    assert sorted(opened) == sorted(closed)
    for job in opened:
        assert called[f"{case}:{job}"] >= 1
    assert sum(isinstance(event, SubscriptionTriggered) for event in events) == 1
    assert sum(isinstance(event, InstanceEnded) for event in events) == 1
    rebuilt = replay(new_instance(engine.program("crash"), case), events)
    with engine.store.reader() as session:
        rows = session.query(f"{LIVES} (?) ORDER BY i.id, e.seq", (case,))
    [live] = lives(rows, lambda _: engine.program("crash"))
    assert encode_instance(rebuilt) == encode_instance(live.instance)
