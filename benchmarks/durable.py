"""The durable engine under its three works, against raw sqlite3 and the peers that are installed.

W1: instances of ten service tasks, every job's result durable. W2: instances of ten user tasks
completed from outside. W3: one instance that loops through a service task. Ratios are of two sides
measured in turns in one run; peers that are not installed are left out.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.diagrams import crowd, loop, service_tasks, user_tasks
from benchmarks.rows import Row
from benchmarks.spiff_sqlite import complete_user_tasks, run_service_tasks
from flowkit import Engine, task
from flowkit.engine.async_engine import AsyncEngine

INSTANCES = 1000
TASKS = 10
VARIABLES = {"order": "WO-1001", "amount": 12.5, "items": [1, 2, 3]}
ROUNDS = 3


@task("work")
def work(n: int = 0) -> dict[str, int]:
    return {"n": n + 1}


def measure() -> Iterator[Row]:
    """All rows of the durable engine."""
    yield from _against_raw()
    yield from _works()
    yield Row("durable.w3_growth", _loop_growth(), "ratio", "≤ 1.1", "last tenth ÷ first tenth of 2,000")
    note = "a completion among 5,000 waiting tokens ÷ among 100"
    yield Row("durable.tokens_growth", _among(5000) / _among(100), "ratio", "≤ 1.5", note)


# ---- flowkit --------------------------------------------------------------------------------


def service_work(folder: Path, instances: int = INSTANCES) -> float:
    """Seconds a step of W1, SQLite, full durability, in one thread."""
    with Engine(f"sqlite:///{folder}/w1.db", tasks=[work]) as engine:
        engine.deploy({"work.bpmn": service_tasks(TASKS)})
        begun = time.perf_counter()
        engine.committer.run_all([engine.starting("work", VARIABLES) for _ in range(instances)])
        done = engine.run_until_idle()
        seconds = time.perf_counter() - begun
        assert done == instances * TASKS
        assert len(engine.instances(status="completed")) == instances
    return seconds / (instances * TASKS)


def user_work(folder: Path, callers: int = 50, instances: int = INSTANCES) -> tuple[float, float]:
    """Seconds a completion of W2 with concurrent callers, and the 99th percentile of one call."""
    with Engine(f"sqlite:///{folder}/w2.db") as engine:
        engine.deploy({"work.bpmn": user_tasks(TASKS)})
        seconds, latencies = asyncio.run(drive_user_tasks(engine, callers, instances))
    return seconds / (instances * TASKS), statistics.quantiles(latencies, n=100)[98]


async def drive_user_tasks(engine: Engine, callers: int, instances: int) -> tuple[float, list[float]]:
    """Complete every task of ``instances`` instances; the seconds of all, and of each call.

    Each caller knows the ids of its tasks, as one who was shown a list does; the peers' tasks aren't
    looked for either.
    """
    for started in engine.committer.run_all([engine.starting("work", VARIABLES) for _ in range(instances)]):
        started.get()
    waiting = [todo.id.rpartition(":") for todo in engine.tasks()]
    latencies: list[float] = []

    async def drive(face: AsyncEngine) -> None:
        while waiting:
            case, _, first = waiting.pop()
            for number in range(TASKS):
                todo = f"{case}:{int(first) + number}"
                begun = time.perf_counter()
                await face.complete(todo, {f"r{number}": number})
                latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    async with AsyncEngine(engine) as face:
        await asyncio.gather(*(drive(face) for _ in range(callers)))
    seconds = time.perf_counter() - begun
    assert len(engine.instances(status="completed")) == instances
    return seconds, latencies


def _loop_growth(count: int = 2000) -> float:
    times: list[float] = []

    @task("work")
    def step(n: int) -> dict[str, int]:
        times.append(time.perf_counter())
        return {"n": n + 1}

    with (
        tempfile.TemporaryDirectory() as folder,
        Engine(f"sqlite:///{folder}/w3.db", tasks=[step], durability="normal") as engine,
    ):
        engine.deploy({"work.bpmn": loop()})
        engine.start("work", {"n": 0, "count": count})
        engine.run_until_idle()
    tenth = count // 10
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return statistics.median(gaps[-tenth:]) / statistics.median(gaps[:tenth])


def _among(tokens: int, completions: int = 90) -> float:
    """Seconds to complete one of many user tasks that wait in the same instance."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Engine(f"sqlite:///{folder}/many.db", durability="normal") as engine,
    ):
        engine.deploy({"work.bpmn": crowd()})
        engine.start("work", {"items": list(range(tokens))})
        waiting = engine.tasks(limit=completions)
        return statistics.median(_seconds(lambda t=todo: engine.complete(t)) for todo in waiting)


# ---- raw sqlite3 ----------------------------------------------------------------------------


class Raw:
    """Transactions of one update and three inserts: what any engine must at least write."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
        execute = self._connection.execute
        execute("PRAGMA journal_mode=WAL")
        execute("PRAGMA synchronous=FULL")
        execute("CREATE TABLE state (id TEXT PRIMARY KEY, revision INTEGER, data BLOB)")
        execute("CREATE TABLE event (id TEXT, seq INTEGER, data BLOB, PRIMARY KEY (id, seq)) WITHOUT ROWID")
        execute("CREATE TABLE todo (id TEXT, key INTEGER, name TEXT, PRIMARY KEY (id, key)) WITHOUT ROWID")
        for number in range(100):
            execute("INSERT INTO state VALUES (?, 0, ?)", (f"instance-{number:04}", b"x" * 500))
        self._count = 0

    def commit(self, units: int) -> None:
        """``units`` such transactions' statements in one commit."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for _ in range(units):
            self._count += 1
            key = f"instance-{self._count % 100:04}"
            execute("UPDATE state SET revision=?, data=? WHERE id=?", (self._count, b"y" * 500, key))
            execute("INSERT INTO event VALUES (?, ?, ?)", (key, self._count, b"z" * 400))
            execute("INSERT INTO todo VALUES (?, ?, 'check')", (key, self._count))
            execute("INSERT INTO todo VALUES (?, ?, 'repair')", (key, -self._count))
        execute("COMMIT")


def _against_raw() -> Iterator[Row]:
    singles: list[float] = []
    raw_singles: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Engine(f"sqlite:///{folder}/one.db") as engine:
        raw = Raw(Path(folder))
        engine.deploy({"work.bpmn": user_tasks(TASKS)})
        for _ in range(40):
            case = engine.start("work", VARIABLES)
            for number in range(TASKS):
                [todo] = engine.tasks(case)
                singles.append(_seconds(lambda t=todo, n=number: engine.complete(t, {f"r{n}": n})))
                raw_singles.append(_seconds(lambda: raw.commit(1)))
        grouped = statistics.quantiles([_seconds(lambda: raw.commit(50)) / 50 for _ in range(60)], n=20)[0]
        ratio = _undisturbed(singles) / _undisturbed(raw_singles)
        yield Row("durable.sqlite_single_vs_raw", ratio, "times", "≤ 1.8", "synchronous=FULL")
    steps = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            steps.append(service_work(Path(folder)))
    note = f"{min(steps) * 1e6:.0f} against {grouped * 1e6:.0f} µs"
    yield Row("durable.sqlite_group_vs_raw", min(steps) / grouped, "times", "≤ 4", note)


def _works() -> Iterator[Row]:
    ours, theirs, callers, peers, tails = [], [], [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(service_work(Path(folder)))
            theirs.append(run_service_tasks(Path(folder), service_tasks(TASKS), 20, VARIABLES))
            each, tail = user_work(Path(folder))
            callers.append(each)
            tails.append(tail)
            peers.append(complete_user_tasks(Path(folder), user_tasks(TASKS), 20, VARIABLES))
    note = f"{min(ours) * 1e6:.0f} µs a step"
    yield Row("durable.sqlite_w1_vs_spiff", min(theirs) / min(ours), "times", "≥ 12", note)
    note = f"{min(callers) * 1e6:.0f} µs each, 50 callers"
    yield Row("durable.sqlite_w2_vs_spiff", min(peers) / min(callers), "times", "≥ 12", note)
    yield Row("durable.sqlite_w2_p99_ms", min(tails) * 1000, "ms", "≤ 5", "50 callers")


def _seconds(action: Callable[[], None]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _undisturbed(times: list[float]) -> float:
    """The fifth percentile: other writers on the disk stretch the rest."""
    return statistics.quantiles(times, n=20)[0]
