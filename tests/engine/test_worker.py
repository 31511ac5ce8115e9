"""Background workers: parallel handlers, limits, leases, fairness, and an orderly end.

But for the last few, which have threads, the tests take a worker's turns themselves.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from flowkit.engine import Engine, SystemClock, VirtualClock, Worker
from flowkit.engine.sql.schema import INSTANCE, JOB
from flowkit.errors import InvalidModel, StoreUnavailable
from flowkit.kernel.protocol import JobFailed
from flowkit.tasks import Retry, TaskContext, task
from tests.engine.diagrams import catch, element, extended, file, process, row, service, timer, user
from tests.engine.steps import LONG, Held, work_off

Make = Callable[..., Engine]
LEASE = timedelta(minutes=1)


def parallel(job_type: str, branches: int) -> bytes:
    nodes = [element("startEvent", "start"), element("parallelGateway", "fork")]
    flows = [("start", "fork")]
    for number in range(branches):
        nodes.append(service(f"s{number}", job_type))
        flows += [("fork", f"s{number}"), (f"s{number}", "join")]
    nodes += [element("parallelGateway", "join"), element("endEvent", "end")]
    return file(process("p", *nodes, flows=[*flows, ("join", "end")]))


@task("work")
def work() -> None: ...


class Notes:
    """A handler that remembers its calls."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls: list[TaskContext] = []

    @task("work")
    def work(self, context: TaskContext) -> dict[str, bool]:
        self.calls.append(context)
        if self.errors:
            raise self.errors.pop(0)
        return {"done": True}


def one_job(engine: Engine) -> Any:
    [job] = engine.jobs()
    return job


def attempts(engine: Engine, case: str) -> list[str]:
    """The messages of the failed attempts."""
    return [entry.event.message for entry in engine.history(case) if isinstance(entry.event, JobFailed)]


# ---- work -------------------------------------------------------------------------------------


def test_a_worker_runs_everything(make: Make, clock: VirtualClock) -> None:
    @task("plain")
    def plain(n: int) -> dict[str, int]:
        return {"n": n + 1}

    @task("async")
    async def later(n: int) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"n": n + 1}

    engine, held = make(plain, later), Held()
    wait = catch("t", timer("timeDuration", "PT5M"))
    engine.deploy({"p.bpmn": row("p", service("a", "plain"), wait, service("b", "async"))})
    cases = [engine.start("p", {"n": 0}) for _ in range(20)]
    worker = Worker(engine, concurrency=4, handlers=held)
    work_off(worker, held)
    assert {engine.instance(case).active_elements for case in cases} == {("t",)}
    clock.advance(timedelta(minutes=5))
    work_off(worker, held)
    assert {engine.instance(case).status for case in cases} == {"completed"}
    assert {engine.instance(case).variables["n"] for case in cases} == {2}
    worker.stop()


def test_handlers_of_parallel_branches_are_begun_together(make: Make) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": parallel("work", 3)})
    case = engine.start("p")
    worker = Worker(engine, handlers=held)
    worker.turn()
    ends = [held.begin() for _ in range(3)]
    for end in reversed(ends):
        end()
    work_off(worker, held)
    assert engine.instance(case).status == "completed"


def test_no_more_of_a_type_run_than_its_limit(make: Make) -> None:
    @task("wide")
    def wide() -> None: ...

    engine, held = make(work, wide), Held()
    engine.deploy({"p.bpmn": parallel("work", 6), "q.bpmn": row("q", service("w", "wide"))})
    case = engine.start("p")
    for _ in range(6):
        engine.start("q")
    worker = Worker(engine, concurrency=4, limits={"work": 1}, handlers=held)
    for _ in range(6):
        worker.turn()
        assert sum(job.state == "leased" for job in engine.jobs(case)) == 1
        held.run()
    work_off(worker, held)
    assert {view.status for view in engine.instances()} == {"completed"}


def test_no_more_is_claimed_than_there_is_room_for(make: Make) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    for _ in range(20):
        engine.start("p")
    worker = Worker(engine, concurrency=2, handlers=held)
    for _ in range(3):
        worker.turn()
        assert len(worker.running) == len(held) == 4  # twice as many: none waits for the store
    work_off(worker, held)
    assert {view.status for view in engine.instances()} == {"completed"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"concurrency": 0}, "concurrency is at least 1"),
        ({"limits": {"print": 0}}, "limit of 'print' is at least 1"),
        ({"lease": timedelta(0)}, "lease and poll"),
        ({"poll": timedelta(seconds=-1)}, "lease and poll"),
    ],
)
def test_nonsense_is_refused(options: dict[str, Any], problem: str) -> None:
    with Engine() as engine, pytest.raises(ValueError, match=problem):
        Worker(engine, **options)


# ---- whose turn it is -------------------------------------------------------------------------


def prioritised(process_id: str, own: str, of_process: str = "") -> bytes:
    """A service task with a priority, or a process with one."""

    def mark(value: str) -> str:
        return (
            f'<zeebe:properties><zeebe:property name="flowkit.priority" value="{value}"/></zeebe:properties>'
        )

    inner = extended('<zeebe:taskDefinition type="work"/>', *([mark(own)] if own else []))
    text = row(process_id, element("serviceTask", "s", inner)).decode()
    begun = 'isExecutable="true">'
    return (
        text.replace(begun, begun + extended(mark(of_process)), 1).encode() if of_process else text.encode()
    )


def test_a_flood_of_one_process_does_not_keep_another_waiting(make: Make) -> None:
    engine = make()
    engine.deploy({"a.bpmn": row("a", service("s", "work")), "b.bpmn": row("b", service("s", "work"))})
    engine.committer.run_all([engine.starting("a") for _ in range(200)])
    late = [engine.start("b") for _ in range(3)]
    found = engine.claim_jobs("work", worker="w", limit=8)
    assert [job.process for job in found].count("b") == 3
    assert [job.instance for job in found if job.process == "b"] == late
    processes = [engine.claim_jobs("work", worker="w")[0].process for _ in range(2)]
    assert processes == ["a", "a"]


def test_those_who_claim_one_by_one_serve_all_processes(make: Make) -> None:
    engine = make()
    engine.deploy({f"{name}.bpmn": row(name, service("s", "work")) for name in "abc"})
    for name in "aaaabbbbcccc":
        engine.start(name)
    found = [engine.claim_jobs("work", worker="w")[0].process for _ in range(6)]
    assert sorted(found) == list("aabbcc")


def test_a_flood_of_one_type_does_not_keep_another_waiting(make: Make) -> None:
    order: list[str] = []

    def noting(kind: str) -> Any:
        @task(kind)
        def handler() -> None:
            order.append(kind)

        return handler

    engine, held = make(*(noting(kind) for kind in ("a", "b", "c"))), Held()
    engine.deploy({f"{kind}.bpmn": row(kind, service("s", kind)) for kind in ("a", "b", "c")})
    engine.committer.run_all([engine.starting("a") for _ in range(50)])
    for kind in ("b", "c"):
        engine.start(kind)
    work_off(Worker(engine, concurrency=1, handlers=held), held)
    assert {"b", "c"} <= set(order[:4])


def test_higher_priority_comes_first_whatever_the_process(make: Make) -> None:
    engine = make()
    engine.deploy({"a.bpmn": prioritised("a", "=urgency"), "b.bpmn": prioritised("b", "=urgency")})
    cases = {
        (name, urgency): engine.start(name, {"urgency": urgency})
        for name, urgency in [("a", 1), ("a", 5), ("b", 3), ("a", 3), ("b", 9)]
    }
    found = [job.instance for job in engine.claim_jobs("work", worker="w", limit=5)]
    assert found[0] == cases["b", 9]
    assert found[1] == cases["a", 5]
    assert set(found[2:4]) == {cases["a", 3], cases["b", 3]}
    assert found[4] == cases["a", 1]


def test_a_process_gives_its_jobs_their_priority(make: Make) -> None:
    engine = make()
    plain, vital = prioritised("plain", ""), prioritised("vital", "", of_process="7")
    mixed = prioritised("mixed", "9", of_process="=1")
    engine.deploy({"p.bpmn": plain, "v.bpmn": vital, "m.bpmn": mixed})
    for process_id in ("plain", "vital", "mixed"):
        engine.start(process_id)
    found = engine.claim_jobs("work", worker="w", limit=3)
    assert [job.process for job in found] == ["mixed", "vital", "plain"]
    assert sorted(job.priority for job in engine.jobs()) == [0, 7, 9]


@pytest.mark.parametrize("where", ["task", "process"])
def test_a_priority_that_is_none_is_refused(make: Make, where: str) -> None:
    given = prioritised("p", "urgent") if where == "task" else prioritised("p", "", of_process="urgent")
    with pytest.raises(InvalidModel, match="no whole number"):
        make().deploy({"p.bpmn": given})


def test_only_what_a_worker_does_has_such_a_priority(make: Make) -> None:
    marked = '<zeebe:property name="flowkit.priority" value="1"/>'
    asked = user("u").replace(
        "<zeebe:userTask/>", f"<zeebe:userTask/><zeebe:properties>{marked}</zeebe:properties>"
    )
    with pytest.raises(InvalidModel, match="zeebe:priorityDefinition"):
        make().deploy({"p.bpmn": row("p", asked)})


# ---- leases -----------------------------------------------------------------------------------


def test_a_long_handler_keeps_its_lease(make: Make, clock: VirtualClock) -> None:
    notes, held = Notes(), Held()
    engine = make(notes.work)
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    case = engine.start("p")
    worker = Worker(engine, lease=LEASE, handlers=held)
    worker.turn()
    end = held.begin()
    for _ in range(10):  # five minutes
        clock.advance(LEASE / 2)
        worker.turn()
        assert one_job(engine).at == clock.now() + LEASE
        assert engine.claim_jobs("work", worker="another") == []
    end()
    work_off(worker, held)
    assert engine.instance(case).status == "completed"
    assert [context.attempt for context in notes.calls] == [1]


def test_a_lease_is_not_renewed_before_a_third_of_it_has_passed(make: Make, clock: VirtualClock) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    engine.start("p")
    ends = clock.now() + LEASE
    worker = Worker(engine, lease=LEASE, handlers=held)
    worker.turn()
    clock.advance(LEASE / 4)
    worker.turn()
    assert one_job(engine).at == ends


def test_a_machine_that_slept_goes_on_with_its_jobs(make: Make, clock: VirtualClock) -> None:
    """Its own leases ran out meanwhile; if nobody took the jobs, that costs no attempt."""
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    case = engine.start("p")
    worker = Worker(engine, lease=LEASE, handlers=held)
    worker.turn()
    clock.advance(timedelta(hours=8))
    for _ in range(3):
        worker.turn()
        assert (one_job(engine).state, one_job(engine).at) == ("leased", clock.now() + LEASE)
    work_off(worker, held)
    assert engine.instance(case).status == "completed"
    assert attempts(engine, case) == []


def test_a_lease_that_was_lost_meanwhile_is_left_to_its_new_holder(make: Make, clock: VirtualClock) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"), user("u"))})
    case = engine.start("p")
    worker = Worker(engine, lease=LEASE, handlers=held)
    worker.turn()
    clock.advance(timedelta(hours=8))
    assert engine.claim_jobs("work", worker="another") == []  # which counts the failed attempt
    clock.advance(timedelta(minutes=1))
    [job] = engine.claim_jobs("work", worker="another")
    worker.turn()
    assert one_job(engine).worker == "another"
    engine.complete_job(job, {"by": "another"})
    held.run()
    work_off(worker, held)  # too late, and no trouble
    assert engine.instance(case).active_elements == ("u",)
    assert engine.instance(case).variables == {"by": "another"}
    assert engine.incidents() == []


def test_a_worker_that_vanishes_loses_its_lease(make: Make, clock: VirtualClock) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"), user("u"))})
    case = engine.start("p")
    Worker(engine, lease=LEASE, name="doomed", handlers=Held()).turn()
    successor = Worker(engine, lease=LEASE, handlers=held)
    clock.advance(LEASE / 2)
    work_off(successor, held)
    assert one_job(engine).worker == "doomed"
    clock.advance(LEASE)
    work_off(successor, held)
    assert one_job(engine).state == "waiting"
    clock.advance(timedelta(seconds=6))
    work_off(successor, held)
    assert engine.instance(case).active_elements == ("u",)
    assert attempts(engine, case) == ["Worker doomed did not finish attempt 1 of s in time: did it crash?"]


def test_a_handler_gives_signs_of_life_itself(make: Make, clock: VirtualClock) -> None:
    """Where its worker can't: it is in the middle of something else for longer than a lease."""

    @task("work")
    def long(context: TaskContext) -> None:
        for _ in range(5):
            clock.advance(LEASE / 2)
            context.heartbeat()
            assert engine.claim_jobs("work", worker="another") == []

    engine, held = make(long), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    case = engine.start("p")
    work_off(Worker(engine, lease=LEASE, handlers=held), held)
    assert engine.instance(case).status == "completed"


# ---- failures ---------------------------------------------------------------------------------


def test_a_failed_attempt_waits_for_its_back_off(make: Make, clock: VirtualClock) -> None:
    notes, held = Notes(OSError("no line"), OSError("no line")), Held()
    engine = make(notes.work)
    engine.deploy({"p.bpmn": row("p", service("s", "work", headers={"retryBackoff": "PT20M"}))})
    case = engine.start("p")
    worker = Worker(engine, handlers=held)
    for number in (1, 2):
        work_off(worker, held)
        assert one_job(engine).state == "waiting"
        waits = one_job(engine).at - clock.now()
        assert timedelta(minutes=20 * number) * 0.8 <= waits <= timedelta(minutes=20 * number) * 1.2
        clock.advance(waits - timedelta(microseconds=1))
        work_off(worker, held)
        assert len(notes.calls) == number
        clock.advance(timedelta(microseconds=1))
    work_off(worker, held)
    assert engine.instance(case).status == "completed"
    assert [context.attempt for context in notes.calls] == [1, 2, 3]


def test_the_pause_ends_when_something_is_due(make: Make, clock: VirtualClock) -> None:
    notes, held = Notes(Retry("busy", after=timedelta(milliseconds=200))), Held()
    engine = make(notes.work)
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    engine.start("p")
    worker = Worker(engine, handlers=held, poll=timedelta(seconds=30))
    worker.turn()
    held.run()
    assert worker.turn() == pytest.approx(0.2)
    clock.advance(timedelta(milliseconds=150))
    assert worker.turn() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit("bye"), "SystemExit: bye"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (MemoryError("no room"), "MemoryError: no room"),
        (RecursionError("deep"), "RecursionError: deep"),
        (GeneratorExit(), "GeneratorExit"),
        (OSError("a\0b"), "OSError: a\\0b"),
        (OSError("caf\udce9 价"), "OSError: caf\\udce9 价"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_handler_raises_is_a_failed_attempt(make: Make, error: BaseException, told: str) -> None:
    """And the worker works on: others' jobs are done."""
    notes, held = Notes(error), Held()
    engine = make(notes.work)
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    bad, good = engine.start("p"), engine.start("p")
    work_off(Worker(engine, handlers=held), held)
    [incident] = engine.incidents()
    assert (incident.instance_id, incident.message) == (bad, told)
    assert engine.instance(good).status == "completed"


@pytest.mark.parametrize(
    "error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError], ids=lambda e: e.__name__
)
def test_whatever_an_async_handler_raises_is_a_failed_attempt(make: Make, error: type[BaseException]) -> None:
    @task("work")
    async def ending(n: int) -> None:
        if n == 0:
            raise error

    engine, held = make(ending), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    cases = [engine.start("p", {"n": n}) for n in range(3)]
    worker = Worker(engine, limits={"work": 1}, handlers=held)
    work_off(worker, held)
    assert [incident.instance_id for incident in engine.incidents()] == cases[:1]
    assert [engine.instance(case).status for case in cases[1:]] == ["completed", "completed"]
    worker.stop()


def test_a_handler_that_exits_the_program_fails_its_attempt_in_the_callers_thread_too(make: Make) -> None:
    engine = make(Notes(SystemExit(3)).work)
    engine.deploy({"p.bpmn": row("p", service("s", "work", retries=1))})
    engine.start("p")
    engine.run_until_idle()
    assert "SystemExit: 3" in engine.incidents()[0].message


def spoil(engine: Engine, case: str) -> None:
    """What is stored of the instance can't be read any more."""
    with engine.store.transaction() as session:
        session.run(f"UPDATE {INSTANCE.name} SET state=?, snapshot=1 WHERE id=?", (b"1 {broken", case))
    engine.committer.cache.clear()


def test_an_instance_that_can_not_be_read_stops_nobody_else(
    make: Make, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"), service("t", "work"))})
    cases = [engine.start("p") for _ in range(3)]
    spoil(engine, cases[1])
    worker = Worker(engine, handlers=held)
    work_off(worker, held)
    running = engine.jobs(state="waiting")
    assert [job.instance_id for job in running] == [cases[1]]
    assert running[0].at == clock.now() + timedelta(minutes=1)
    with engine.store.reader() as session:
        rows = session.query(f"SELECT id FROM {INSTANCE.name} WHERE ended IS NULL")
    assert rows == [(cases[1],)]
    assert f"{cases[1]}:" in caplog.text
    assert engine.claim_jobs("work", worker="another") == []


def test_a_lease_of_an_instance_that_can_not_be_read_stops_nobody_else(
    make: Make, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    bad = engine.start("p")
    [_] = engine.claim_jobs("work", worker="doomed", lease=LEASE)
    spoil(engine, bad)
    good = engine.start("p")
    clock.advance(LEASE)
    work_off(Worker(engine, handlers=held), held)
    with engine.store.reader() as session:
        [(ended,)] = session.query(f"SELECT ended FROM {INSTANCE.name} WHERE id=?", (good,))
        [(at,)] = session.query(f"SELECT at FROM {JOB.name} WHERE instance=?", (bad,))
    assert ended is not None
    assert at > ended
    assert "could not be failed" in caplog.text


# ---- a store that is away ---------------------------------------------------------------------


@contextmanager
def away(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database refuses every transaction."""

    def refuse() -> Any:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(engine.store, "transaction", refuse)
        patch.setattr(engine.store, "reader", refuse)
        yield


def test_results_are_kept_until_the_store_is_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, held = Notes(), Held()
    engine = make(notes.work)
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    case = engine.start("p")
    worker = Worker(engine, handlers=held, poll=timedelta(seconds=1))
    worker.turn()
    with away(engine, monkeypatch):
        held.run()
        assert [worker.turn() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    work_off(worker, held)
    assert engine.instance(case).variables == {"done": True}
    assert len(notes.calls) == 1


def test_a_store_that_goes_away_while_nothing_is_to_be_done_is_found_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    worker = Worker(engine, handlers=held)
    worker.turn()
    with monkeypatch.context() as patch:
        patch.setattr(engine.store, "reader", away)  # only the look at what is due next fails
        assert worker.turn() is not None
    case = engine.start("p")
    work_off(worker, held)
    assert engine.instance(case).status == "completed"


def test_what_nobody_expected_does_not_end_a_worker(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    case = engine.start("p")
    worker = Worker(engine, handlers=held)
    with monkeypatch.context() as patch:
        patch.setattr("flowkit.engine.pump.claim", lambda *_, **__: 1 / 0)
        assert worker.turn() == 0.5
    assert "ZeroDivisionError" in caplog.text
    work_off(worker, held)
    assert engine.instance(case).status == "completed"


def test_jobs_that_no_thread_can_be_had_for_are_given_back(make: Make) -> None:
    class Full(Held):
        def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any:
            if len(self) == 1:
                raise RuntimeError("can't start new thread")
            return super().submit(fn, *args)

    engine, held = make(work), Full()
    engine.deploy({"p.bpmn": row("p", service("s", "work"))})
    for _ in range(3):
        engine.start("p")
    worker = Worker(engine, handlers=held)
    worker.turn()
    assert sorted(job.state for job in engine.jobs()) == ["leased", "ready", "ready"]
    assert len(worker.running) == 1


def test_a_worker_ends_with_its_engine(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    engine = make(work)
    worker = Worker(engine, handlers=Held())
    engine.close()
    assert worker.turn() is None
    assert "closed before its worker" in caplog.text
    worker.stop()


# ---- the end ----------------------------------------------------------------------------------


def test_what_runs_is_finished_and_what_has_not_begun_is_given_back(make: Make) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"), service("t", "work"))})
    cases = [engine.start("p") for _ in range(3)]
    worker = Worker(engine, handlers=held)
    worker.turn()
    end = held.begin()
    worker.close_shop()
    assert worker.turn() is not None
    assert [(job.state, job.attempt) for job in engine.jobs()] == [("leased", 1), ("ready", 0), ("ready", 0)]
    end()
    assert worker.turn() is not None  # it stores the result
    assert worker.turn() is None
    assert engine.instance(cases[0]).active_elements == ("t",)
    assert worker.stop() is True
    assert held.closed


def test_what_can_not_be_waited_for_is_given_back(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    engine, held = make(work), Held()
    engine.deploy({"p.bpmn": row("p", service("s", "work"), user("u"))})
    case = engine.start("p")
    worker = Worker(engine, handlers=held)
    worker.turn()
    end = held.begin()
    assert worker.stop() is False
    [job] = engine.jobs(case)
    assert (job.state, job.attempt) == ("ready", 0)
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert vars(warning)["job_id"] == job.id
    [again] = engine.claim_jobs("work", worker="another")
    end()  # nobody listens any more
    assert worker.turn() is None
    engine.complete_job(again)
    assert engine.instance(case).active_elements == ("u",)


# ---- with threads -----------------------------------------------------------------------------


def test_branches_meet_in_threads_and_the_worker_stops_after_them(make: Make) -> None:
    meeting = threading.Barrier(4, timeout=LONG)

    @task("meet")
    def meet() -> None:
        meeting.wait()

    engine = make(meet, clock=SystemClock())
    engine.deploy({"p.bpmn": parallel("meet", 3)})
    with Worker(engine, concurrency=3):
        case = engine.start("p")
        meeting.wait()
    assert engine.instance(case).status == "completed"


def test_handlers_of_one_loop_meet_too(make: Make) -> None:
    arrived: list[asyncio.Event] = []
    met = threading.Event()

    @task("meet")
    async def meet() -> None:
        arrived.append(asyncio.Event())
        if len(arrived) == 3:
            for event in arrived:
                event.set()
            met.set()
        await asyncio.wait_for(arrived[-1].wait(), LONG)

    engine = make(meet, clock=SystemClock())
    engine.deploy({"p.bpmn": parallel("meet", 3)})
    with Worker(engine, concurrency=3):
        case = engine.start("p")
        assert met.wait(LONG)
    assert engine.instance(case).status == "completed"


def test_a_worker_that_is_told_to_stop_lets_its_owner_go_on(make: Make) -> None:
    begun = threading.Event()

    @task("begin")
    def begin() -> None:
        begun.set()

    engine = make(begin, clock=SystemClock())
    engine.deploy({"p.bpmn": row("p", service("s", "begin"))})
    worker = Worker(engine)
    running = threading.Thread(target=worker.run)
    running.start()
    case = engine.start("p")
    assert begun.wait(LONG)
    worker.stop()
    running.join(LONG)
    assert not running.is_alive()
    assert engine.instance(case).status == "completed"


def test_a_handler_that_hangs_is_given_back(make: Make) -> None:
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
    assert worker.stop(timeout=0) is False
    [job] = engine.jobs(case)
    assert (job.state, job.attempt) == ("ready", 0)
    release.set()
