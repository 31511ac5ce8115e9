"""Background workers: parallel handlers, limits, leases, and an orderly end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, SystemClock, VirtualClock, Worker
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


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait for a thread to have done something."""
    pause = threading.Event()
    for _ in range(int(LONG / 0.01)):
        if holds():
            return True
        pause.wait(0.01)
    return False


def test_a_long_handler_keeps_its_lease(make: Make, clock: VirtualClock) -> None:
    begun, release = threading.Event(), threading.Event()
    calls: list[int] = []

    @task("slow")
    def slow(context: TaskContext) -> None:
        calls.append(context.attempt)
        begun.set()
        release.wait(LONG)

    engine = make(slow)
    engine.deploy({"p.bpmn": row("p", service("s", "slow"))})
    lease = timedelta(minutes=1)
    with Worker(engine, lease=lease, poll=timedelta(milliseconds=5)):
        case = engine.start("p")
        assert begun.wait(LONG)
        for _ in range(5):  # five minutes, by the clock of the engine
            for _ in range(2):
                clock.advance(lease / 2)
                assert eventually(lambda: engine.jobs(case)[0].at == clock.now() + lease)
            assert engine.claim_jobs("slow", worker="another") == []
        release.set()
        assert finished(engine, case)
    assert calls == [1]


def test_a_handler_that_hangs_while_its_worker_is_gone_loses_its_lease(
    make: Make, clock: VirtualClock
) -> None:
    begun, release = threading.Event(), threading.Event()

    @task("slow")
    def slow() -> None:
        begun.set()
        release.wait(LONG)

    engine = make(slow)
    engine.deploy({"p.bpmn": row("p", service("s", "slow"), user("u"))})
    lease = timedelta(minutes=1)
    worker = Worker(engine, lease=lease, poll=timedelta(milliseconds=5)).start()
    case = engine.start("p")
    assert begun.wait(LONG)
    worker.stop(timeout=0.05)  # it does not wait for the handler
    clock.advance(lease)
    [job] = engine.claim_jobs("slow", worker="another")
    release.set()
    engine.complete_job(job)
    assert engine.instance(case).active_elements == ("u",)


def test_a_failed_attempt_waits_for_its_back_off(make: Make, clock: VirtualClock) -> None:
    calls: list[int] = []

    @task("flaky")
    def flaky(context: TaskContext) -> None:
        calls.append(context.attempt)
        if context.attempt == 1:
            raise OSError("no line")

    engine = make(flaky)
    engine.deploy({"p.bpmn": row("p", service("s", "flaky", headers={"retryBackoff": "PT1H"}))})
    with Worker(engine, poll=timedelta(milliseconds=5)):
        case = engine.start("p")
        assert eventually(lambda: [job.state for job in engine.jobs(case)] == ["waiting"])
        clock.advance(timedelta(minutes=47))
        assert not engine.instance(case).is_over
        clock.advance(timedelta(minutes=26))  # an hour, and the jitter
        assert finished(engine, case)
    assert calls == [1, 2]


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
