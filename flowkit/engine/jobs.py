"""Jobs: claimed with a lease, done outside, settled with a command.

A job is done *at least once*. A claim is durable before the handler runs, so a worker that dies
leaves a lease that runs out: that counts as a failed attempt, and a job that kills its workers ends
as an incident instead of killing them for ever.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.backoff import backoff
from flowkit.engine.clock import micros
from flowkit.engine.ids import join_id
from flowkit.engine.outbox import checked, post
from flowkit.engine.payload import decode, encode, json_copy
from flowkit.engine.sql.schema import JOB
from flowkit.errors import FlowkitError, InvalidPayload, Rejected
from flowkit.kernel.protocol import Command, CompleteJob, FailJob, ThrowBpmnError
from flowkit.tasks import BpmnError, Handler, InvalidHandler, Posted, Retry, TaskContext

if TYPE_CHECKING:
    from flowkit.engine.changes import Changes
    from flowkit.engine.store import Row, Session
    from flowkit.engine.telemetry import Telemetry
    from flowkit.engine.unit import Unit

__all__ = [
    "Claimed",
    "Report",
    "Sending",
    "claim",
    "command_for_failure",
    "expire_leases",
    "perform",
    "release",
    "renew",
    "settle",
]

_log = logging.getLogger("flowkit.jobs")

LEASE = timedelta(seconds=60)

_READY = (
    f"SELECT -priority, at, instance, key, type, node, process, retries, attempt, headers FROM {JOB.name} "
    "WHERE state='ready' AND active=1 AND type=? ORDER BY priority DESC, at LIMIT ?"
)
_TYPES = f"SELECT type FROM {JOB.name} WHERE state='ready' AND active=1 AND type>? ORDER BY type LIMIT 1"
_TIMED = "state IN ('waiting', 'leased')"
"""The condition of the index over time, said in its words: SQLite does not see that it is implied."""
_WAKE = f"UPDATE {JOB.name} SET state='ready' WHERE {_TIMED} AND state='waiting' AND at<=?"
_EXPIRED = (
    f"SELECT instance, key, node, retries, attempt, worker, headers FROM {JOB.name} "
    f"WHERE {_TIMED} AND state='leased' AND at<=? AND active=1 ORDER BY at LIMIT 100"
)


class Sending(msgspec.Struct, frozen=True):
    """A job is done, and its handler has sent something."""

    command: CompleteJob
    outgoing: Sequence[Posted]


Report = Command | Sending
"""What a worker has to say about a job."""


class Claimed(msgspec.Struct, frozen=True):
    """A job in the hands of a worker until ``lease_ends`` (microseconds)."""

    instance: str
    key: int
    type: str
    node: str
    process: str
    retries: int
    attempt: int
    headers: Mapping[str, str]
    business_key: str | None
    variables: bytes
    lease_ends: int

    @property
    def id(self) -> str:
        return join_id(self.instance, self.key)

    def extended(self, ends: datetime) -> Claimed:
        """The same claim with a longer lease."""
        return msgspec.structs.replace(self, lease_ends=micros(ends))

    def inputs(self) -> dict[str, Any]:
        """The variables, the handler's own to change."""
        found: dict[str, Any] = decode(self.variables)
        return found


def claim(
    unit: Unit,
    types: Mapping[str, int],
    worker: str,
    *,
    lease: timedelta = LEASE,
    reads: Callable[[str], Collection[str] | None] | None = None,
    total: int = 2**31,
) -> list[Claimed]:
    """Lease up to ``types[type]`` ready jobs of each type, higher priority and longer waiting first,
    up to ``total`` of all types."""
    session, changes = unit.fresh(JOB)
    session.run(_WAKE, (unit.at,))
    ends = unit.at + lease // timedelta(microseconds=1)
    rows: list[Row] = []
    opened = _opened(changes, types)
    for kind in _ready_types(session, types, opened):
        limit = min(types[kind], total - len(rows))
        if limit > 0:
            rows.extend(_ready(unit, session, kind, limit, opened.get(kind, ())))
    lives = unit.peek({row[2] for row in rows})
    claimed = []
    for _priority, _at, instance, key, kind, node, process, retries, attempt, headers in rows:
        live = lives[instance]
        inputs = live.instance.inputs_of(key)
        wanted = reads(kind) if reads is not None else None
        if wanted is not None:
            inputs = {name: value for name, value in inputs.items() if name in wanted}
        values = {"state": "leased", "at": ends, "worker": worker, "attempt": attempt + 1}
        unit.changes.patch(JOB, (instance, key), values)
        claimed.append(
            Claimed(
                instance, key, kind, node, process, retries, attempt + 1, decode(bytes(headers)),
                live.instance.business_key, encode(inputs), ends,
            )
        )  # fmt: skip
    return claimed


def _opened(changes: Changes, types: Collection[str]) -> dict[str, list[Row]]:
    """Jobs by type that this very transaction opened: they are claimed before they are ever stored as
    ready, which saves writing them twice."""
    opened: dict[str, list[Row]] = {}
    for row in changes.new_rows(JOB):
        instance, key, kind, node, process, retries, attempt, priority, state, at, _, headers, _, active = row
        if state == "ready" and active and kind in types:
            opened.setdefault(kind, []).append(
                (-priority, at, instance, key, kind, node, process, retries, attempt, headers)
            )
    return opened


def _ready(unit: Unit, session: Session, kind: str, limit: int, opened: Sequence[Row]) -> list[Row]:
    """Up to ``limit`` ready jobs, stored ones and ``opened`` ones, in their order."""
    changes = unit.batch.changes
    stored = session.query(_READY + unit.parts.store.skip, (kind, limit))
    rows = [row for row in stored if not changes.removes(JOB, (row[2], row[3]))]
    if not opened:
        return rows
    return sorted([*rows, *opened], key=itemgetter(0, 1))[:limit]


def _ready_types(session: Session, types: Mapping[str, int], opened: Collection[str]) -> list[str]:
    """Those of ``types`` that have ready jobs, without asking for each: an engine knows many types
    and few of them have work at any moment."""
    if len(types) <= 2:
        return list(types)
    ready = set(opened)
    rows = session.query(_TYPES, ("",))
    while rows:
        ready.add(rows[0][0])
        rows = session.query(_TYPES, rows[0])
    return [kind for kind in types if kind in ready]


def expire_leases(unit: Unit) -> int:
    """Leases that ran out count as failed attempts; how many there were."""
    session, changes = unit.fresh(JOB)
    rows = session.query(_EXPIRED + unit.parts.store.skip, (unit.at,))
    late = [row for row in rows if not changes.removes(JOB, (row[0], row[1]))]
    for instance, key, node, retries, attempt, worker, headers in late:
        left = max(retries - 1, 0)
        delay = backoff(join_id(instance, key), attempt, decode(bytes(headers)))
        command = FailJob(
            job=key,
            message=f"Worker {worker} did not finish attempt {attempt} of {node} in time: did it crash?",
            retries=left,
            retry_at=unit.now + delay if left else None,
        )
        try:
            unit.step(instance, command)
        except Rejected:
            unit.changes.remove(JOB, (instance, key))
    return len(late)


def settle(unit: Unit, job: Claimed, report: Report) -> None:
    """Report a job's end. Of a suspended instance the job is given back, to be done again later."""
    try:
        unit.step(job.instance, report.command if isinstance(report, Sending) else report)
    except Rejected:
        if unit.load(job.instance).instance.status != "suspended":
            raise
        release(unit, job)
        return
    if isinstance(report, Sending):
        for posted in report.outgoing:
            post(unit, job.instance, job.process, job.node, posted)


def release(unit: Unit, job: Claimed) -> None:
    """Give a job back as if it had never been claimed."""
    sql = f"UPDATE {JOB.name} SET state='ready', worker=NULL, attempt=?, at=? "
    where = "WHERE instance=? AND key=? AND state='leased' AND attempt=?"
    parameters = (job.attempt - 1, unit.at, job.instance, job.key, job.attempt)
    unit.write().run(sql + where, parameters)


def renew(unit: Unit, job: Claimed, lease: timedelta) -> bool:
    """Extend a lease; False when it is lost."""
    ends = unit.at + lease // timedelta(microseconds=1)
    sql = f"UPDATE {JOB.name} SET at=? WHERE instance=? AND key=? AND state='leased' AND attempt=?"
    parameters = (ends, job.instance, job.key, job.attempt)
    return bool(unit.write().query(f"{sql} RETURNING 1", parameters))


# ---- the handler's end ----------------------------------------------------------------------


def perform(
    handler: Handler, job: Claimed, context: TaskContext, telemetry: Telemetry | None = None
) -> Report:
    """Call the handler and give the report of what came of it."""
    if telemetry is not None:
        with telemetry.handling(job) as outcome:
            outcome.append(perform(handler, job, context))
        return outcome[0]
    try:
        return _done(job, handler.call(context, job.inputs()), context)
    except Exception as error:
        return command_for_failure(job, error, context.now)


async def perform_async(
    handler: Handler, job: Claimed, context: TaskContext, telemetry: Telemetry | None = None
) -> Report:
    """Like :func:`perform`, inside an event loop."""
    if telemetry is not None:
        with telemetry.handling(job) as outcome:
            outcome.append(await perform_async(handler, job, context))
        return outcome[0]
    try:
        return _done(job, await handler.call_async(context, job.inputs()), context)
    except Exception as error:
        return command_for_failure(job, error, context.now)


def _done(job: Claimed, result: Mapping[str, Any], context: TaskContext) -> Report:
    command = CompleteJob(job=job.key, variables=result)
    if not context.outgoing:
        return command
    return Sending(command, [checked(posted) for posted in context.outgoing])


def command_for_failure(job: Claimed, error: Exception, now: datetime) -> Command:
    """What a handler's exception means: a BPMN error, another attempt, or an incident."""
    if isinstance(error, BpmnError):
        return ThrowBpmnError(
            job=job.key, code=error.code, message=error.message, variables=json_copy(error.variables)
        )
    left = max(job.retries - 1, 0)
    if isinstance(error, InvalidPayload | InvalidHandler):
        left = 0  # the same would fail again
    delay = backoff(job.id, job.attempt, job.headers)
    if isinstance(error, Retry) and error.after is not None:
        delay = error.after
    where = {"instance_id": job.instance, "process_id": job.process, "element_id": job.node}
    _log.warning(
        "Attempt %s of job %s failed: %s", job.attempt, job.id, error, extra={**where, "job_id": job.id}
    )
    message = str(error) or type(error).__name__
    if not isinstance(error, FlowkitError | Retry):
        message = f"{type(error).__name__}: {error}"
    return FailJob(
        job=job.key,
        message=message,
        retries=left,
        retry_at=now + delay if left else None,
        details=_details(job, error),
    )


def _details(job: Claimed, error: Exception) -> str:
    """The traceback and the inputs, bounded: they stay in the history."""
    trace = "".join(traceback.format_exception(error))[-8000:]
    inputs = job.variables[:4000].decode(errors="replace")
    return f"Attempt {job.attempt} with {inputs}\n{trace}"
