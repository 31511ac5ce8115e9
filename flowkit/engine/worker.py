"""A background worker: threads for plain handlers, an event loop for ``async`` ones.

It lives by *turns* of the pump (:mod:`flowkit.engine.pump`): a turn renews the leases of what takes long,
stores results as they come, those that come together in one transaction, and claims as many jobs as
there is room for. Handlers of parallel branches run in parallel; their results are stored one after the
other. A thread takes the turns, or whoever calls :meth:`Worker.turn`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from flowkit.engine.clock import from_micros
from flowkit.engine.courier import Courier
from flowkit.engine.jobs import (
    LEASE,
    Claimed,
    Report,
    command_for_failure,
    perform,
    perform_async,
    release,
    renew,
)
from flowkit.engine.pump import Due, Pump, Result, next_due
from flowkit.engine.runner import context_of
from flowkit.engine.transactional import perform_lent
from flowkit.errors import EngineClosed, StoreUnavailable

if TYPE_CHECKING:
    from flowkit.engine.commit import Work
    from flowkit.engine.engine import Engine

__all__ = ["Handlers", "Worker"]

_log = logging.getLogger("flowkit.worker")

LONGEST_PAUSE = 10.0
"""Seconds between attempts to reach a store that is away."""


class Handlers(Protocol):
    """What runs plain handlers: an executor of :mod:`concurrent.futures`, or anything like one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]: ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


class Worker:
    """Works for ``engine`` until it is stopped.

    ``concurrency``: handlers that run at the same time; ``limits``: fewer of some job types.
    ``lease``: how long a job stays with a worker that gives no sign of life; it is renewed while the
    handler runs. ``poll``: how often to look for what other processes left, when idle.
    ``handlers``: what runs plain handlers; by default threads of its own.

    >>> with Worker(engine, concurrency=8):
    ...     serve()
    """

    def __init__(
        self,
        engine: Engine,
        *,
        concurrency: int = 8,
        limits: Mapping[str, int] | None = None,
        lease: timedelta = LEASE,
        poll: timedelta = timedelta(seconds=0.5),
        name: str = "",
        handlers: Handlers | None = None,
    ) -> None:
        _check(concurrency, limits or {}, lease, poll)
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._engine = engine
        self._committer = engine.committer
        self._concurrency = concurrency
        self._limits = dict(limits or {})
        self._lease = lease
        self._poll = poll.total_seconds()
        self._pump = Pump(
            self._committer, self.name, self._wanted, total=self._room, lease=lease, reads=self._reads
        )
        self._due = Due()
        self._running: dict[str, tuple[Claimed, Future[Report | None]]] = {}
        self._busy: Counter[str] = Counter()
        self._finished: deque[Claimed] = deque()
        self._trouble = 0.0
        """Seconds that were waited after the last turn, if that failed."""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._turning = threading.Lock()
        self._abandoned = False
        if handlers is None:
            handlers = ThreadPoolExecutor(concurrency, thread_name_prefix="flowkit-handler")
        self._threads: Handlers = handlers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dispatcher: threading.Thread | None = None
        self._courier: Courier | None = None

    # ---- life -------------------------------------------------------------------------------

    def start(self) -> Self:
        """Work in the background."""
        if self._dispatcher is None:
            self._committer.listeners.append(self._wake.set)
            self._dispatcher = threading.Thread(target=self._dispatch, name="flowkit-worker", daemon=True)
            self._dispatcher.start()
            if self._engine.registry.deliverers:
                self._courier = Courier(self._committer, self._engine.registry, self._poll)
                self._courier.start()
        return self

    def stop(self, timeout: float | None = 30.0) -> bool:
        """Take no more jobs, wait for those that run, store their results, give back the others.

        What still runs after ``timeout`` seconds is given back too, and will be done again; False then:
        the threads of such handlers live on, and keep Python from ending.
        """
        self.close_shop()
        if self._dispatcher is not None:
            self._dispatcher.join(timeout)
            if self._wake.set in self._committer.listeners:
                self._committer.listeners.remove(self._wake.set)
            self._dispatcher = None
        finished = self._give_back()
        if self._courier is not None:
            finished = self._courier.stop(timeout) and finished
            self._courier = None
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        return finished

    def close_shop(self) -> None:
        """Take no more jobs; the turns that follow store what still runs."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Work until :meth:`stop` is called (by a signal handler, say)."""
        self.start()
        self._stopping.wait()
        self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---- turns ------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        while (pause := self.turn()) is not None:
            self.wait(pause)

    def wait(self, seconds: float) -> None:
        """Wait until something happens here (a handler has ended, a command has brought work), at most
        so long."""
        self._wake.wait(seconds)
        self._wake.clear()  # before the next turn looks, which therefore misses nothing

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the jobs that are in the worker's hands."""
        return tuple(self._running)

    def turn(self) -> float | None:
        """Store what has ended, renew what runs, do what is due, begin what there is room for.

        Gives the seconds after which to take the next turn, unless something happens before; None when
        the worker was stopped and nothing runs any more. Never raises: when the store is away, or
        anything else is wrong, it goes on later.
        """
        with self._turning:
            return self._taken()

    def _taken(self) -> float | None:
        results = self._results()
        stopping = self._stopping.is_set()
        if self._abandoned or (stopping and not results and not self._running):
            return None
        try:
            if stopping:
                self._shed()
            self._renew()  # before anybody looks for leases that have run out
            cycle = self._pump.turn(self._due, results, claiming=not stopping and self._room() > 0)
            results = []
            self._due = Due() if stopping else cycle.due
            self._begin_all(cycle.jobs)
            self._trouble = 0.0
            if self._due or self._finished or (cycle.jobs and self._room() > 0):
                return 0.0
            return self._pause()
        except EngineClosed:
            _log.warning("The engine was closed before its worker was stopped.")
            return None
        except StoreUnavailable as error:
            _log.error("The store is not available; trying again: %s", error)
        except Exception:  # a bug, or something broken in the store: others' jobs are still to be done
            _log.exception("A turn of the worker failed; it goes on.")
        self._redo(results)
        self._due = Due()
        self._trouble = min(max(2 * self._trouble, self._poll), LONGEST_PAUSE)
        return self._trouble

    def _redo(self, results: list[Result]) -> None:
        """Results that could not be stored are kept until they can be."""
        for job, report in results:
            done: Future[Report | None] = Future()
            done.set_result(report)
            self._running[job.id] = (job, done)
            self._busy[job.type] += 1
            self._finished.append(job)

    def _results(self) -> list[Result]:
        results: list[Result] = []
        while self._finished:
            job = self._finished.popleft()
            entry = self._running.pop(job.id, None)
            if entry is not None:
                self._busy[job.type] -= 1
                report = self._report(job, entry[1])
                if report is not None:  # else it is stored already
                    results.append((job, report))
        return results

    def _report(self, job: Claimed, ended: Future[Report | None]) -> Report | None:
        """What came of a job; whatever escaped from the handler is a failed attempt."""
        try:
            return ended.result()
        except CancelledError:
            error: BaseException = RuntimeError("the handler cancelled itself")
        except BaseException as escaped:
            error = escaped
        return command_for_failure(job, error, self._committer.parts.clock.now())

    def _pause(self) -> float:
        """Seconds until something is due, at most the polling interval."""
        with self._engine.store.reader() as session:
            due = next_due(session)
        if due is None:
            return self._poll
        left = (from_micros(due) - self._committer.parts.clock.now()).total_seconds()
        return min(max(left, 0.001), self._poll)

    def _room(self) -> int:
        return max(2 * self._concurrency - len(self._running), 0)

    def _wanted(self) -> Mapping[str, int]:
        """Room by job type."""
        room = {}
        for kind in sorted(self._engine.registry.types):
            free = self._limits.get(kind, 2 * self._concurrency) - self._busy[kind]
            if free > 0:
                room[kind] = free
        return room

    def _reads(self, job_type: str) -> frozenset[str] | None:
        handler = self._engine.registry.get(job_type)
        return handler.reads if handler is not None else None

    # ---- handlers ---------------------------------------------------------------------------

    def _begin_all(self, jobs: Sequence[Claimed]) -> None:
        for number, job in enumerate(jobs):
            try:
                self._begin(job)
            except BaseException:  # no thread can be had, say
                self._committer.run_all([_releasing(one) for one in jobs[number:]])
                raise

    def _shed(self) -> None:
        """Give back what was claimed and has not begun."""
        shed = []
        for job, future in list(self._running.values()):
            handler = self._engine.registry.get(job.type)
            if handler is not None and not handler.is_async and future.cancel():
                del self._running[job.id]
                self._busy[job.type] -= 1
                shed.append(job)
        self._committer.run_all([_releasing(job) for job in shed])

    def _begin(self, job: Claimed) -> None:
        handler = self._engine.registry.get(job.type)
        assert handler is not None, "only jobs of known types are claimed"
        context = context_of(job, self._committer, lambda: self._heartbeat(job))
        telemetry = self._committer.parts.telemetry
        future: Future[Any]
        if handler.transactional:
            future = self._threads.submit(perform_lent, self._committer, handler, job, context)
        elif handler.is_async:
            coroutine = perform_async(handler, job, context, telemetry)
            future = asyncio.run_coroutine_threadsafe(coroutine, self._event_loop())
        else:
            future = self._threads.submit(perform, handler, job, context, telemetry)
        self._running[job.id] = (job, future)
        self._busy[job.type] += 1
        future.add_done_callback(lambda _: self._ended(job))

    def _ended(self, job: Claimed) -> None:
        self._finished.append(job)
        self._wake.set()

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="flowkit-async", daemon=True).start()
        return self._loop

    def _heartbeat(self, job: Claimed) -> None:
        self._committer.run(lambda unit: renew(unit, job, self._lease))

    def _renew(self) -> None:
        """Extend the leases of which a third has passed; those lost are left to their new holders."""
        now = self._committer.parts.clock.now()
        late = [
            job
            for job, future in list(self._running.values())
            if not future.done() and from_micros(job.lease_ends) - now < self._lease * 2 / 3
        ]
        if late:
            outcomes = self._committer.run_all([_renewing(job, self._lease) for job in late])
            for job, outcome in zip(late, outcomes, strict=True):
                if outcome.error is None and outcome.result:
                    ends = now + self._lease
                    self._running[job.id] = (job.extended(ends), self._running[job.id][1])

    def _give_back(self) -> bool:
        """Give back what still runs; whether nothing did."""
        free = self._turning.acquire(timeout=LONGEST_PAUSE)  # a turn may hang with the store
        if free:
            self._taken()  # what has ended meanwhile is stored
        self._abandoned = True
        left = [(job, future) for job, future in self._running.values() if not future.done()]
        if left:
            self._committer.run_all([_releasing(job) for job, _ in left])
        hanging = [job for job, future in left if not future.cancel()]
        for job in hanging:
            _log.warning(
                "Job %s did not end in time and was given back.",
                job.id,
                extra={
                    "instance_id": job.instance, "process_id": job.process, "element_id": job.node,
                    "job_id": job.id,
                },
            )  # fmt: skip
        self._running.clear()
        if free:
            self._turning.release()
        return not hanging


def _check(concurrency: int, limits: Mapping[str, int], lease: timedelta, poll: timedelta) -> None:
    if concurrency < 1:
        raise ValueError(f"concurrency is at least 1, found {concurrency}.")
    for kind, limit in limits.items():
        if limit < 1:
            raise ValueError(
                f"The limit of {kind!r} is at least 1, found {limit}: leave its handler out to do none."
            )
    if lease <= timedelta(0) or poll <= timedelta(0):
        raise ValueError(f"lease and poll are longer than nothing, found {lease} and {poll}.")


def _renewing(job: Claimed, lease: timedelta) -> Work:
    return lambda unit: renew(unit, job, lease)


def _releasing(job: Claimed) -> Work:
    return lambda unit: release(unit, job)
