"""The durable engine on PostgreSQL: W1, W2, DBOS on the same server, and how fast four processes claim jobs.

Runs where the server's binaries are installed, on a private cluster with ``fsync`` on; otherwise it
gives no rows.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import peers
from benchmarks.diagrams import service_tasks, user_tasks
from benchmarks.durable import TASKS, VARIABLES, drive_user_tasks, work
from benchmarks.rows import Row
from flowkit import Engine
from tests.engine.cluster import Cluster, find_binaries

INSTANCES = 1000
ROUNDS = 3
JOBS = 20_000
PROCESSES = 4
BATCH = 50


def measure() -> Iterator[Row]:
    """All rows on PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        return
    with tempfile.TemporaryDirectory() as folder, Cluster(binaries, Path(folder), fsync=True) as cluster:
        yield from _work(cluster, "w1", _service_work, "a step", peer_instances=40, goal="≥ 15")
        yield from _work(cluster, "w2", _user_work, "50 callers", peer_instances=20, goal="≥ 40")
        note = f"{PROCESSES} processes, {BATCH} at a time, none twice"
        yield Row("durable.postgres_claims_per_s", _claims(cluster.new_database()), "jobs/s", "≥ 10000", note)


def _work(
    cluster: Cluster, work: str, ours: Callable[[str], float], note: str, *, peer_instances: int, goal: str
) -> Iterator[Row]:
    """A work, and DBOS with the same on the same server, in turns; the best round of each."""
    times, theirs = [], []
    for _ in range(ROUNDS):
        times.append(ours(cluster.new_database()))
        peer = peers.dbos(cluster.new_database(), work, peer_instances, TASKS)
        if peer is not None:
            theirs.append(peer)
    yield Row(f"durable.postgres_{work}_us", min(times) * 1e6, "µs", "", note)
    if theirs:
        note = f"{min(times) * 1e6:.0f} against {min(theirs) * 1e6:,.0f} µs a step"
        yield Row(f"durable.postgres_{work}_vs_dbos", min(theirs) / min(times), "times", goal, note)


def _service_work(url: str) -> float:
    with Engine(url, tasks=[work]) as engine:
        engine.deploy({"work.bpmn": service_tasks(TASKS)})
        begun = time.perf_counter()
        engine.committer.run_all([engine.starting("work", VARIABLES) for _ in range(INSTANCES)])
        done = engine.run_until_idle()
        seconds = time.perf_counter() - begun
        assert done == INSTANCES * TASKS
    return seconds / done


def _user_work(url: str) -> float:
    with Engine(url) as engine:
        engine.deploy({"work.bpmn": user_tasks(TASKS)})
        seconds, _latencies = asyncio.run(drive_user_tasks(engine, 50, INSTANCES))
    return seconds / (INSTANCES * TASKS)


def _claims(url: str) -> float:
    """Jobs claimed in a second by all processes together, from the first claim to the last."""
    with Engine(url) as engine:
        engine.deploy({"work.bpmn": service_tasks(1)})
        for _ in range(JOBS // 1000):
            engine.committer.run_all([engine.starting("work", VARIABLES) for _ in range(1000)])
        with engine.store.reader() as session:
            session.run("ANALYZE")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.durable_postgresql"])
    ready = context.Barrier(PROCESSES)
    found: multiprocessing.Queue[tuple[float, float, list[str]]] = context.Queue()
    processes = [context.Process(target=_claim, args=(url, ready, found)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    results = [found.get() for _ in processes]
    for process in processes:
        process.join()
    claimed = [job for _, _, jobs in results for job in jobs]
    assert len(claimed) == len(set(claimed)) == JOBS
    return JOBS / (max(end for _, end, _ in results) - min(begin for begin, _, _ in results))


def _claim(url: str, ready, found) -> None:  # type: ignore[no-untyped-def]
    with Engine(url) as engine:
        claimed: list[str] = []
        ready.wait()
        begun = time.time()
        while jobs := engine.claim_jobs("work", worker="benchmark", limit=BATCH):
            claimed.extend(job.id for job in jobs)
        found.put((begun, time.time(), claimed))
