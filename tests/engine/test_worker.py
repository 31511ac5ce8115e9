"""Background workers: parallel handlers, limits, leases, and an orderly end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, SystemClock, Worker
from flowkit.tasks import TaskContext, task
from tests.engine.diagrams import catch, element, file, process, row, service, timer, user

Make = Callable[..., Engine]
LONG = 20.0
"""Seconds after which a test that waits for a thread has failed."""


def finished(engine: Engine, case: str) -> bool:
    """Wait until the instance has ended."""
    done = threading.Event()

    def look() -> None:
        if engine.instance(case).is_over:
            done.set()

    for _ in range(int(LONG / 0.01)):
        look()
        if done.wait(0.01):
            return True
    return False


def parallel(job_type: str, branches: int) -> bytes:
    nodes = [element("startEvent", "start"), element("parallelGateway", "fork")]
    flows = [("start", "fork")]
    for number in range(branches):
        nodes.append(service(f"s{number}", job_type))
        flows += [("fork", f"s{number}"), (f"s{number}", "join")]
    nodes += [element("parallelGateway", "join"), element("endEvent", "end")]
    return file(process("p", *nodes, flows=[*flows, ("join", "end")]))


def test_a_worker_runs_everything(make: Make) -> None:
    @task("plain")
    def plain(n: int) -> dict[str, int]:
        return {"n": n + 1}

    @task("async")
    async def later(n: int) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"n": n + 1}

    engine = make(plain, later, clock=SystemClock())
    wait = catch("t", timer("timeDuration", "PT0.05S"))
    engine.deploy({"p.bpmn": row("p", service("a", "plain"), wait, service("b", "async"))})
    with Worker(engine, concurrency=4):
        cases = [engine.start("p", {"n": 0}) for _ in range(20)]
        assert all(finished(engine, case) for case in cases)
    assert {engine.instance(case).variables["n"] for case in cases} == {2}


def test_parallel_branches_run_in_parallel(make: Make) -> None:
    meeting = threading.Barrier(3, timeout=LONG)

    @task("meet")
    def meet() -> None:
        meeting.wait()

    engine = make(meet, clock=SystemClock())
    engine.deploy({"p.bpmn": parallel("meet", 3)})
    with Worker(engine, concurrency=3):
        assert finished(engine, engine.start("p"))
    assert engine.incidents() == []


def test_no_more_of_a_type_run_than_its_limit(make: Make) -> None:
    lock = threading.Lock()
    running, most = 0, 0

    @task("narrow")
    def narrow() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1

    engine = make(narrow, clock=SystemClock())
    engine.deploy({"p.bpmn": parallel("narrow", 6)})
    with Worker(engine, concurrency=4, limits={"narrow": 1}):
        assert finished(engine, engine.start("p"))
    assert most == 1


def test_a_long_handler_keeps_its_lease(make: Make) -> None:
    release = threading.Event()
    calls: list[int] = []

    @task("slow")
    def slow(context: TaskContext) -> None:
        calls.append(context.attempt)
        release.wait(LONG)

    engine = make(slow, clock=SystemClock())
    engine.deploy({"p.bpmn": row("p", service("s", "slow"))})
    with Worker(engine, lease=timedelta(milliseconds=300), poll=timedelta(milliseconds=50)):
        case = engine.start("p")
        threading.Event().wait(1.0)
        release.set()
        assert finished(engine, case)
    assert calls == [1]


def test_stop_waits_for_what_runs(make: Make) -> None:
    begun, release = threading.Event(), threading.Event()

    @task("slow")
    def slow() -> dict[str, bool]:
        begun.set()
        release.wait(LONG)
        return {"done": True}

    engine = make(slow, clock=SystemClock())
    engine.deploy({"p.bpmn": row("p", service("s", "slow"), user("u"))})
    worker = Worker(engine).start()
    case = engine.start("p")
    assert begun.wait(LONG)
    threading.Timer(0.1, release.set).start()
    worker.stop()
    assert engine.instance(case).variables == {"done": True}


def test_stop_gives_back_what_it_cannot_wait_for(make: Make) -> None:
    begun, release = threading.Event(), threading.Event()

    @task("endless")
    def endless() -> None:
        begun.set()
        release.wait(LONG)

    engine = make(endless, clock=SystemClock())
    engine.deploy({"p.bpmn": row("p", service("s", "endless"))})
    worker = Worker(engine).start()
    case = engine.start("p")
    assert begun.wait(LONG)
    worker.stop(timeout=0.05)
    [job] = engine.jobs(case)
    assert (job.state, job.attempt) == ("ready", 0)
    release.set()


def test_a_worker_needs_room() -> None:
    with Engine() as engine, pytest.raises(ValueError, match="concurrency"):
        Worker(engine, concurrency=0)
