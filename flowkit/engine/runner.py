"""Running an engine in the caller's thread, until there is nothing left to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flowkit.engine.courier import deliver_due
from flowkit.engine.jobs import Claimed, Report, perform, release
from flowkit.engine.pump import Due, Pump, Result
from flowkit.engine.transactional import perform_lent
from flowkit.tasks import Registry, TaskContext

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer, Work

__all__ = ["InlineRunner", "context_of"]

LARGEST_CLAIM = 128
PACE = 0.005
"""Seconds of handlers' work that may wait for its commit, so that fast handlers share one and slow
ones each get their own."""


class InlineRunner:
    """Claims as many jobs as the handlers' speed makes sensible, and does them one after the other."""

    def __init__(self, committer: Committer, registry: Registry, worker: str) -> None:
        self._committer = committer
        self._registry = registry
        self._pump = Pump(committer, worker, self._wanted, total=lambda: LARGEST_CLAIM, reads=self._reads)
        self._seconds_per_job = 0.0

    def run_until_idle(self) -> int:
        """Do jobs, due timers, what was postponed and the outbox until none is left; how many were done."""
        done = 0
        due = Due()
        results: list[Result] = []
        while True:
            cycle = self._pump.turn(due, results)
            done += len(due) + len(results)
            due = cycle.due
            results = []
            if not due and not cycle.jobs:
                if not self._registry.deliverers:
                    return done
                delivered = deliver_due(self._committer, self._registry)
                if not delivered:
                    return done
                done += delivered
                continue
            done += self._perform(list(cycle.jobs), results)

    def _wanted(self) -> Mapping[str, int]:
        limit = LARGEST_CLAIM
        if self._seconds_per_job > 0:
            limit = max(1, min(LARGEST_CLAIM, int(10 * PACE / self._seconds_per_job)))
        return dict.fromkeys(sorted(self._registry.types), limit)

    def _reads(self, job_type: str) -> frozenset[str] | None:
        handler = self._registry.get(job_type)
        return handler.reads if handler is not None else None

    def _perform(self, jobs: list[Claimed], results: list[Result]) -> int:
        """Do ``jobs``; what is not committed yet is left in ``results``. How many were committed."""
        committed = 0
        since = time.perf_counter()
        try:
            while jobs:
                job = jobs[0]
                handler = self._registry.get(job.type)
                assert handler is not None, "only jobs of known types are claimed"
                begun = time.perf_counter()
                if handler.transactional:
                    report: Report | None = perform_lent(self._committer, handler, job, self._context(job))
                    committed += report is None
                else:
                    report = perform(handler, job, self._context(job), self._committer.parts.telemetry)
                if report is not None:
                    results.append((job, report))
                jobs.pop(0)
                ended = time.perf_counter()
                self._seconds_per_job += 0.1 * (ended - begun - self._seconds_per_job)
                if jobs and ended - since > PACE:
                    self._pump.turn(Due(), results, claiming=False)
                    committed += len(results)
                    results.clear()
                    since = time.perf_counter()
        except BaseException:  # Ctrl-C in a handler: what was not done is given back at once
            self._pump.turn(Due(), results, claiming=False)
            self._committer.run_all([_releasing(job) for job in jobs])
            raise
        return committed

    def _context(self, job: Claimed) -> TaskContext:
        return context_of(job, self._committer)


def _releasing(job: Claimed) -> Work:
    return lambda unit: release(unit, job)


def context_of(
    job: Claimed, committer: Committer, heartbeat: Callable[[], None] = lambda: None
) -> TaskContext:
    """What a handler may know about its job."""
    return TaskContext(
        instance_id=job.instance,
        job_id=job.id,
        job_type=job.type,
        process_id=job.process,
        element_id=job.node,
        business_key=job.business_key,
        attempt=job.attempt,
        retries=max(job.retries - 1, 0),
        headers=job.headers,
        now=committer.parts.clock.now(),
        heartbeat=heartbeat,
    )
