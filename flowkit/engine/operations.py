"""What operators and external workers do: suspend, cancel, modify, and jobs done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flowkit.engine.commit import Committer
from flowkit.engine.ids import split_id
from flowkit.engine.jobs import LEASE, Claimed, backoff, claim, expire_leases, renew
from flowkit.engine.payload import json_copy
from flowkit.engine.sql.schema import JOB
from flowkit.engine.unit import Unit
from flowkit.engine.views import JobView
from flowkit.errors import NotFound
from flowkit.kernel import protocol as p

__all__ = ["Operations"]


class Operations:
    """The part of :class:`~flowkit.engine.Engine` for operators and for workers in other programs."""

    _committer: Committer

    def send(self, instance_id: str, command: p.Command) -> list[p.Event]:
        """Give an instance any command of the kernel; the events it led to there."""
        return self._committer.run(lambda unit: unit.step(instance_id, command))

    def cancel(self, instance_id: str, reason: str = "") -> None:
        """End the instance by force, with everything that it called; nothing is compensated."""
        self.send(instance_id, p.Cancel(reason=reason))

    def suspend(self, instance_id: str) -> None:
        """Stop all progress: its jobs aren't claimed, its timers don't fire, messages wait."""
        self.send(instance_id, p.Suspend())

    def resume(self, instance_id: str) -> None:
        """Go on after :meth:`suspend`."""
        self.send(instance_id, p.Resume())

    def modify(self, instance_id: str, changes: Sequence[p.MoveToken | p.StartAt | p.TerminateToken]) -> None:
        """Move tokens by hand, start elements, end tokens: all of it, or nothing."""
        self.send(instance_id, p.Modify(changes=tuple(changes)))

    # ---- jobs done by other programs ----------------------------------------------------------

    def claim_jobs(
        self, job_type: str, *, worker: str, limit: int = 1, lease: timedelta = LEASE
    ) -> list[Claimed]:
        """Lease up to ``limit`` jobs; a lease that runs out is a failed attempt. ``inputs()`` of a
        claimed job gives its variables, ``id`` is the idempotency key."""

        def work(unit: Unit) -> list[Claimed]:
            expire_leases(unit)
            return claim(unit, {job_type: limit}, worker, lease=lease)

        return self._committer.run(work)

    def extend_lease(self, job: Claimed, lease: timedelta = LEASE) -> bool:
        """A sign of life: False when the lease is lost to another worker."""
        return self._committer.run(lambda unit: renew(unit, job, lease))

    def complete_job(self, job: Claimed | JobView | str, variables: Mapping[str, Any] | None = None) -> None:
        """Report a job done; raises NotFound when it is not open any more."""
        instance, key = _job(job)
        self.send(instance, p.CompleteJob(job=key, variables=json_copy(variables)))

    def fail_job(
        self,
        job: Claimed | JobView | str,
        message: str,
        *,
        retries: int | None = None,
        after: timedelta | None = None,
        details: str = "",
    ) -> None:
        """Report a failed attempt. ``retries`` are left (default: one less than before); at 0 the job
        becomes an incident. It is tried again ``after`` that delay (default: exponential back-off)."""
        instance, key = _job(job)

        def work(unit: Unit) -> None:
            sql = f"SELECT retries, attempt FROM {JOB.name} WHERE instance=? AND key=?"
            rows = unit.read(JOB).query(sql, (instance, key))
            if not rows:
                raise NotFound(f"There is no open job {instance}:{key}.")
            left = max(rows[0][0] - 1, 0) if retries is None else retries
            delay = backoff(f"{instance}:{key}", max(rows[0][1], 1), {}) if after is None else after
            retry_at = unit.now + delay if left else None
            command = p.FailJob(job=key, message=message, retries=left, retry_at=retry_at, details=details)
            unit.step(instance, command)

        self._committer.run(work)

    def throw_error(
        self,
        job: Claimed | JobView | str,
        code: str,
        message: str = "",
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Throw a BPMN error from the job's activity."""
        instance, key = _job(job)
        data = json_copy(variables)
        self.send(instance, p.ThrowBpmnError(job=key, code=code, message=message, variables=data))


def _job(job: Claimed | JobView | str) -> tuple[str, int]:
    return split_id(job if isinstance(job, str) else job.id, "job")
