"""The cycle that moves everything on: settle results, fire timers, answer what was postponed, claim jobs.

One cycle is one transaction. What it finds due is done by the next one, so that handlers always run
outside transactions and what they did is stored together with the claim of what comes next.
The caller's thread (``run_until_idle``) and background workers use the same cycle.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flowkit.engine.jobs import LEASE, Claimed, Report, claim, expire, expired, settle
from flowkit.engine.sql.schema import JOB, POSTPONED, START_TIMER, TIMER, Table
from flowkit.engine.store import Session
from flowkit.engine.triggers import due_start_timers, fire_start_timer
from flowkit.errors import NotFound, OutcomeUnknown, WrongState
from flowkit.kernel import decode_events
from flowkit.kernel.protocol import FailJob, FireTimer

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer, Outcome, Work
    from flowkit.engine.unit import Unit

__all__ = ["Cycle", "Due", "Pump", "Result", "next_due"]

Result = tuple[Claimed, Report]
Repair = Callable[[BaseException], "Work | None"]

_log = logging.getLogger("flowkit.engine")

BATCH = 64
"""Due things of one kind that one transaction takes up; a backlog is worked off in turn."""
DEFERRED = timedelta(minutes=1)

_TIMERS = (
    f"SELECT instance, key FROM {TIMER.name} WHERE active=1 AND due<=? ORDER BY due, instance, key LIMIT ?"
)
_POSTPONED = f"SELECT id FROM {POSTPONED.name} WHERE waits_for IS NULL ORDER BY id LIMIT ?"


@dataclass(frozen=True, slots=True)
class Due:
    """What was found due, not yet done."""

    timers: Sequence[tuple[str, int]] = ()
    start_timers: Sequence[tuple[str, str, int]] = ()
    postponed: Sequence[str] = ()
    expired: Sequence[tuple[str, int]] = ()

    def __len__(self) -> int:
        return len(self.timers) + len(self.start_timers) + len(self.postponed) + len(self.expired)


@dataclass(slots=True)
class Cycle:
    """What one turn of the pump brought."""

    due: Due = field(default_factory=Due)
    jobs: Sequence[Claimed] = ()


class Pump:
    """``types`` gives, at each turn, how many jobs of which type to claim, ``total`` how many in all."""

    def __init__(
        self,
        committer: Committer,
        worker: str,
        types: Callable[[], Mapping[str, int]],
        *,
        total: Callable[[], int] = lambda: BATCH,
        lease: timedelta = LEASE,
        reads: Callable[[str], Collection[str] | None] | None = None,
    ) -> None:
        self._committer = committer
        self._worker = worker
        self._types = types
        self._total = total
        self._lease = lease
        self._reads = reads

    def turn(self, due: Due, results: Sequence[Result], *, claiming: bool = True) -> Cycle:
        """Do what is due, report ``results``, look for more, all in one transaction."""
        works = [_settling(job, command) for job, command in results]
        works.extend(_firing(*timer) for timer in due.timers)
        works.extend(_starting(*timer) for timer in due.start_timers)
        works.extend(_delivering(key) for key in due.postponed)
        works.extend(_expiring(*job) for job in due.expired)
        repairs = [*(_refusing(job) for job, _ in results), *(_deferring(TIMER, key) for key in due.timers)]
        repairs.extend(_deferring(START_TIMER, key) for key in due.start_timers)
        repairs.extend(_parking(key) for key in due.postponed)
        repairs.extend(_extending(job) for job in due.expired)
        found: list[Work] = [self._look]
        if claiming:
            found.append(self._claim)
        instances = [job.instance for job, _ in results]
        instances.extend(instance for instance, _ in due.timers)
        outcomes = self._committer.run_all([*works, *found], instances)
        for outcome in outcomes:
            if isinstance(outcome.error, OutcomeUnknown):  # nothing is wrong with the work itself
                raise outcome.error
        self._repair(repairs, outcomes)
        cycle = Cycle(outcomes[len(works)].get())
        if claiming:
            cycle.jobs = outcomes[len(works) + 1].get()
        return cycle

    def _look(self, unit: Unit) -> Due:
        session = unit.read(TIMER, START_TIMER, POSTPONED)
        skip = unit.parts.store.skip
        timers = [(row[0], row[1]) for row in session.query(_TIMERS + skip, (unit.at, BATCH))]
        starts = due_start_timers(session, unit.at, BATCH, skip)
        postponed = [row[0] for row in session.query(_POSTPONED + skip, (BATCH,))]
        return Due(timers, starts, postponed, expired(unit))

    def _claim(self, unit: Unit) -> list[Claimed]:
        wanted = self._types()
        if not wanted:
            return []
        return claim(unit, wanted, self._worker, lease=self._lease, reads=self._reads, total=self._total())

    def _repair(self, repairs: Sequence[Repair], outcomes: Sequence[Outcome]) -> None:
        """What could not be done must not come back at once, for ever."""
        works = [
            work
            for repair, outcome in zip(repairs, outcomes, strict=False)
            if outcome.error is not None and (work := repair(outcome.error)) is not None
        ]
        if works:
            self._committer.run_all(works)


# ---- what a turn does, and what becomes of it when that fails ---------------------------------


def _settling(job: Claimed, report: Report) -> Work:
    return lambda unit: settle(unit, job, report)


def _refusing(job: Claimed) -> Repair:
    def refuse(error: BaseException) -> Work | None:
        if isinstance(error, NotFound | WrongState):  # cancelled meanwhile, or stored before
            _log.info("The result of job %s came too late: %s", job.id, error)
            return None
        _log.error("The result of job %s was refused.", job.id, exc_info=error)
        return _settling(job, FailJob(job=job.key, message=f"The result was refused: {error}"))

    return refuse


def _firing(instance: str, timer: int) -> Work:
    def fire(unit: Unit) -> None:
        if not unit.step(instance, FireTimer(timer=timer)):
            unit.changes.remove(TIMER, (instance, timer))

    return fire


def _starting(process: str, node: str, part: int) -> Work:
    return lambda unit: fire_start_timer(unit, process, node, part)


def _deferring(table: Table, key: tuple[Any, ...]) -> Repair:
    def defer(error: BaseException) -> Work:
        _log.error("Timer %s could not fire; it is tried again in %s.", key, DEFERRED, exc_info=error)
        later = DEFERRED // timedelta(microseconds=1)
        return lambda unit: unit.changes.patch(table, key, {"due": unit.at + later})

    return defer


def _expiring(instance: str, job: int) -> Work:
    return lambda unit: expire(unit, instance, job)


def _extending(key: tuple[str, int]) -> Repair:
    """The instance of a job whose lease ran out can't be read, or stepped: its lease goes on."""

    def extend(error: BaseException) -> Work:
        _log.error("Job %s:%s could not be failed; it is tried again in %s.", *key, DEFERRED, exc_info=error)
        later = DEFERRED // timedelta(microseconds=1)
        return lambda unit: unit.changes.patch(JOB, key, {"at": unit.at + later})

    return extend


def _delivering(key: str) -> Work:
    def deliver(unit: Unit) -> None:
        sql = f"SELECT instance, event FROM {POSTPONED.name} WHERE id=? AND waits_for IS NULL"
        rows = unit.read(POSTPONED).query(sql + unit.parts.store.lock, (key,))
        if rows:
            instance, data = rows[0]
            unit.changes.remove(POSTPONED, (key,))
            for event in decode_events(bytes(data)):
                unit.react(instance, event)

    return deliver


def _parking(key: str) -> Repair:
    def park(error: BaseException) -> Work:
        _log.error("Postponed event %s could not be answered; it is parked.", key, exc_info=error)
        return lambda unit: unit.changes.patch(POSTPONED, (key,), {"waits_for": f"error: {error}"})

    return park


def next_due(session: Session) -> int | None:
    """When something is next to be done, in microseconds; None when nothing ever is."""
    queries = (
        f"SELECT MIN(due) FROM {TIMER.name} WHERE active=1",
        f"SELECT MIN(due) FROM {START_TIMER.name}",
        f"SELECT MIN(at) FROM {JOB.name} WHERE state IN ('waiting', 'leased')",
    )
    found = [rows[0][0] for sql in queries if (rows := session.query(sql)) and rows[0][0] is not None]
    return min(found) if found else None
