"""A background worker: threads for plain handlers, an event loop for ``async`` ones.

One thread turns the pump (:mod:`flowkit.engine.pump`): it claims as many jobs as there is room for,
renews the leases of those that take long, and stores results as they come, those that come together
in one transaction. Handlers of parallel branches run in parallel; their results are stored one
after the other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from flowkit.engine.clock import from_micros
from flowkit.engine.courier import Courier
from flowkit.engine.jobs import LEASE, Claimed, Report, perform, perform_async, release, renew
from flowkit.engine.pump import Due, Pump, Result, next_due
from flowkit.engine.runner import context_of
from flowkit.engine.transactional import perform_lent
from flowkit.errors import FlowkitError, StoreUnavailable

if TYPE_CHECKING:
    from flowkit.engine.commit import Work
    from flowkit.engine.engine import Engine

__all__ = ["Worker"]

_log = logging.getLogger("flowkit.worker")


class Worker:
    """Works for ``engine`` until it is stopped.

    ``concurrency``: handlers that run at the same time; ``limits``: fewer of some job types.
    ``lease``: how long a job stays with a worker that gives no sign of life; it is renewed while the
    handler runs. ``poll``: how often to look for what other processes left, when idle.

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
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency is at least 1, found {concurrency}.")
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
        self._running: dict[str, tuple[Claimed, Future[Report | None]]] = {}
        self._busy: Counter[str] = Counter()
        self._finished: deque[Claimed] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="flowkit-handler")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = 0
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

    def stop(self, timeout: float | None = 30.0) -> None:
        """Take no more jobs, wait for those that run, store their results, give back the others.

        What still runs after ``timeout`` seconds is given back too, and will be done again.
        """
        self._stopping.set()
        self._wake.set()
        if self._dispatcher is not None:
            self._dispatcher.join(timeout)
            if self._wake.set in self._committer.listeners:
                self._committer.listeners.remove(self._wake.set)
            self._give_back()
            self._dispatcher = None
        if self._courier is not None:
            self._courier.stop(timeout)
            self._courier = None
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

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

    # ---- the dispatcher ---------------------------------------------------------------------

    def _dispatch(self) -> None:
        due = Due()
        pause = self._poll
        while True:
            self._wake.clear()
            results = self._results()
            stopping = self._stopping.is_set()
            if stopping and not results and not self._running:
                return
            try:
                cycle = self._pump.turn(due, results, claiming=not stopping and self._room() > 0)
                pause = self._poll
            except StoreUnavailable:
                _log.exception("The store is not available; trying again.")
                self._redo(results)
                pause = min(pause * 2, 10.0)
                self._wake.wait(pause)
                continue
            except FlowkitError:
                _log.exception("The worker stops.")
                return
            due = Due() if stopping else cycle.due
            for job in cycle.jobs:
                self._begin(job)
            self._renew()
            if not due and not self._finished and (not cycle.jobs or self._room() == 0):
                self._wake.wait(self._pause())

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
            if entry is not None and not entry[1].cancelled():
                self._busy[job.type] -= 1
                report = entry[1].result()
                if report is not None:  # else it is stored already
                    results.append((job, report))
        return results

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
        """Room by job type; the types take turns to come first."""
        types = sorted(self._engine.registry.types)
        self._turn += 1
        shift = self._turn % len(types) if types else 0
        room = {}
        for kind in types[shift:] + types[:shift]:
            free = self._limits.get(kind, 2 * self._concurrency) - self._busy[kind]
            if free > 0:
                room[kind] = free
        return room

    def _reads(self, job_type: str) -> frozenset[str] | None:
        handler = self._engine.registry.get(job_type)
        return handler.reads if handler is not None else None

    # ---- handlers ---------------------------------------------------------------------------

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

    def _give_back(self) -> None:
        left = [job for job, future in self._running.values() if future.cancel() or not future.done()]
        if left:
            self._committer.run_all([_releasing(job) for job in left])
        self._running.clear()


def _renewing(job: Claimed, lease: timedelta) -> Work:
    return lambda unit: renew(unit, job, lease)


def _releasing(job: Claimed) -> Work:
    return lambda unit: release(unit, job)
