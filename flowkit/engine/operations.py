"""What operators and external workers do: suspend, cancel, modify, and jobs done elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flowkit.engine import incidents, maintenance
from flowkit.engine.backoff import backoff
from flowkit.engine.border import checked_key, checked_number, checked_span, checked_text, known
from flowkit.engine.commit import Committer, Work
from flowkit.engine.ids import split_id
from flowkit.engine.jobs import LEASE, Claimed, claim, expire, expired, renew
from flowkit.engine.maintenance import BulkReport, MigrationReport
from flowkit.engine.messages import sweep_messages
from flowkit.engine.payload import json_copy, storable
from flowkit.engine.queries import OUTBOX_PREFIX
from flowkit.engine.restart import restart
from flowkit.engine.sql.schema import JOB
from flowkit.engine.unit import Unit
from flowkit.engine.views import IncidentView, JobView
from flowkit.errors import NotFound, WrongState
from flowkit.kernel import protocol as p

__all__ = ["Operations"]

CLEAN_UP_GROUP = 200
"""Instances deleted in one transaction, so that nobody waits long for it."""


class Operations:
    """The part of :class:`~flowkit.engine.Engine` for operators and for workers in other programs."""

    _committer: Committer

    def send(self, instance_id: str, command: p.Command) -> list[p.Event]:
        """Give an instance any command of the kernel; the events it led to there."""
        known(instance_id, "instance")
        return self._committer.run(lambda unit: unit.step(instance_id, command), instance_id)

    def cancel(self, instance_id: str, reason: str = "") -> None:
        """End the instance by force, with everything that it called; nothing is compensated."""
        self.send(instance_id, p.Cancel(reason=checked_text(reason, "The reason")))

    def suspend(self, instance_id: str) -> None:
        """Stop all progress: its jobs aren't claimed, its timers don't fire, messages wait."""
        self.send(instance_id, p.Suspend())

    def resume(self, instance_id: str) -> None:
        """Go on after :meth:`suspend`."""
        self.send(instance_id, p.Resume())

    def modify(self, instance_id: str, changes: Sequence[p.MoveToken | p.StartAt | p.TerminateToken]) -> None:
        """Move tokens by hand, start elements, end tokens: all of it, or nothing."""
        self.send(instance_id, p.Modify(changes=tuple(changes)))

    # ---- versions, and many instances at once -------------------------------------------------

    def check_migration(
        self, instance_id: str, version: int | None = None, mapping: Mapping[str, str] | None = None
    ) -> MigrationReport:
        """Whether the instance could go on with ``version`` (default: the newest), and what forbids it."""
        known(instance_id, "instance")
        ids = dict(mapping or {})
        return self._committer.run(lambda unit: maintenance.check(unit, instance_id, version, ids))

    def migrate(
        self, instance_id: str, version: int | None = None, mapping: Mapping[str, str] | None = None
    ) -> MigrationReport:
        """Let the instance go on with another version; ``mapping`` gives the new ids of elements
        whose id changed. Raises Rejected with the obstacles, and then nothing has changed."""
        known(instance_id, "instance")
        ids = dict(mapping or {})
        return self._committer.run(lambda unit: maintenance.migrate_instance(unit, instance_id, version, ids))

    def restart(
        self,
        instance_id: str,
        *,
        at: int | str | None = None,
        start_event: str | None = None,
        variables: Mapping[str, Any] | None = None,
        cancel: bool = False,
    ) -> str:
        """Start a new instance like one that is over (or, with ``cancel``, is ended now); its id.

        Without ``at`` it begins as that one did, on the same version, with ``variables`` on top. With the
        number of an event in the history, or the id of an element that was waited at (the last time),
        it has the state from right after that: what was open is open again, durations begin anew, and
        called processes are called anew. What was done later is not undone. Raises NotFound, WrongState.
        """
        known(instance_id, "instance")
        data = json_copy(variables)
        if at is not None and start_event is not None:
            raise ValueError("Give either the point at which to go on, or a start event.")
        return self._committer.run(
            lambda unit: restart(
                unit, instance_id, at=at, start_event=start_event, variables=data, cancel=cancel
            )
        )

    def bulk(
        self,
        instances: Iterable[str],
        action: p.Command | Callable[[Unit, str], object],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> BulkReport:
        """Give many instances a command (``Cancel()``, ``Suspend()`` …), or run a function of the
        transaction's unit and the instance's id for each; ``progress`` is told how many are through."""
        work = action if callable(action) else _commanding(action)
        return maintenance.bulk(self._committer, instances, work, progress)

    def clean_up(self, before: datetime, *, process: str | None = None) -> int:
        """Delete the instances that ended before a time, with their history; how many. Messages and
        message ids whose time is over go too."""
        if process is not None:
            known(process, "process")
        self._committer.run(sweep_messages)
        gone = 0
        while count := self._committer.run(
            lambda unit: maintenance.clean_up(unit, before, process, CLEAN_UP_GROUP)
        ):
            gone += count
        return gone

    # ---- incidents ----------------------------------------------------------------------------

    def skip(
        self,
        incident: IncidentView | str,
        variables: Mapping[str, Any] | None = None,
        *,
        to: str | None = None,
    ) -> None:
        """Go on as if what failed had given ``variables``.

        A failed job is completed with them, output mappings and all. Anything else is left where it is:
        the variables are set in its scope, and the token goes to the element ``to``, or to the next one
        where there is just one. Raises NotFound, WrongState.
        """
        instance, key = _incident(incident)
        data = json_copy(variables)
        self._committer.run(lambda unit: incidents.skip(unit, instance, key, data, to))

    def throw(
        self,
        incident: IncidentView | str,
        code: str,
        message: str = "",
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Throw a BPMN error from the activity whose job failed. Raises NotFound, WrongState."""
        instance, key = _incident(incident)
        checked_text(code, "The error's code")
        checked_text(message, "The error's message")
        data = json_copy(variables)
        self._committer.run(lambda unit: incidents.throw(unit, instance, key, code, message, data))

    # ---- jobs done by other programs ----------------------------------------------------------

    def claim_jobs(
        self, job_type: str, *, worker: str, limit: int = 1, lease: timedelta = LEASE
    ) -> list[Claimed]:
        """Lease up to ``limit`` jobs; a lease that runs out is a failed attempt. ``inputs()`` of a
        claimed job gives its variables, ``id`` is the idempotency key."""
        checked_key(job_type, "The job's type")
        checked_text(worker, "The worker's name")
        checked_span(lease, "The lease")
        works: list[Work] = [expired, lambda unit: claim(unit, {job_type: limit}, worker, lease=lease)]
        late, claimed = (outcome.get() for outcome in self._committer.run_all(works))
        self._committer.run_all([partial(_expire, job) for job in late])
        return list(claimed)

    def extend_lease(self, job: Claimed, lease: timedelta = LEASE) -> bool:
        """A sign of life: False when the lease is lost to another worker."""
        checked_span(lease, "The lease")
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
        checked_number(retries, "The number of retries")
        if after is not None:
            checked_span(after, "The delay")

        def work(unit: Unit) -> None:
            sql = f"SELECT retries, attempt FROM {JOB.name} WHERE instance=? AND key=?"
            rows = unit.read(JOB).query(sql, (instance, key))
            if not rows:
                raise NotFound(f"There is no open job {instance}:{key}.")
            left = max(rows[0][0] - 1, 0) if retries is None else retries
            delay = backoff(f"{instance}:{key}", max(rows[0][1], 1), {}) if after is None else after
            retry_at = unit.now + delay if left else None
            command = p.FailJob(
                job=key,
                message=storable(message),
                retries=left,
                retry_at=retry_at,
                details=storable(details),
            )
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
        checked_text(code, "The error's code")
        checked_text(message, "The error's message")
        data = json_copy(variables)
        self.send(instance, p.ThrowBpmnError(job=key, code=code, message=message, variables=data))


def _expire(job: tuple[str, int], unit: Unit) -> None:
    expire(unit, *job)


def _commanding(command: p.Command) -> Callable[[Unit, str], object]:
    return lambda unit, instance: unit.step(instance, command)


def _incident(incident: IncidentView | str) -> tuple[str, int]:
    name = incident if isinstance(incident, str) else incident.id
    if name.startswith(OUTBOX_PREFIX):
        raise WrongState(
            f"{name} could not be delivered, and its instance has gone on: resend it, or drop it."
        )
    return split_id(name, "incident")


def _job(job: Claimed | JobView | str) -> tuple[str, int]:
    return split_id(job if isinstance(job, str) else job.id, "job")
