"""Jobs: claimed with a lease, done outside, settled with a command.

A job is done *at least once*. A claim is durable before the handler runs, so a worker that dies
leaves a lease that runs out: that counts as a failed attempt, and a job that kills its workers ends
as an incident instead of killing them for ever.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.backoff import backoff
from flowkit.engine.clock import micros
from flowkit.engine.ids import join_id
from flowkit.engine.outbox import checked, post
from flowkit.engine.payload import decode, encode, json_copy, storable
from flowkit.engine.sql.schema import JOB
from flowkit.errors import FlowkitError, InvalidPayload, Rejected, StoreUnavailable
from flowkit.kernel.protocol import Command, CompleteJob, FailJob, ThrowBpmnError
from flowkit.tasks import BpmnError, Handler, InvalidHandler, Posted, Retry, TaskContext

if TYPE_CHECKING:
    from flowkit.engine.changes import Changes
    from flowkit.engine.snapshots import Live
    from flowkit.engine.store import Row, Session
    from flowkit.engine.telemetry import Telemetry
    from flowkit.engine.unit import Unit

__all__ = [
    "Claimed",
    "Report",
    "Sending",
    "claim",
    "command_for_failure",
    "expire",
    "expired",
    "perform",
    "release",
    "renew",
    "settle",
]

_log = logging.getLogger("flowkit.jobs")

LEASE = timedelta(seconds=60)

_IS_READY = "state='ready' AND active=1"
_READY = (
    f"SELECT -priority, at, instance, key, type, node, process, retries, attempt, headers FROM {JOB.name} "
    f"WHERE {_IS_READY} AND type=? AND process=? ORDER BY priority DESC, at LIMIT ?"
)
_TYPES = f"SELECT type FROM {JOB.name} WHERE {_IS_READY} AND type>? ORDER BY type LIMIT 1"
_PROCESSES = f"""WITH RECURSIVE found(process) AS (
    SELECT MIN(process) FROM {JOB.name} WHERE {_IS_READY} AND type=?
    UNION ALL
    SELECT (SELECT MIN(process) FROM {JOB.name} WHERE {_IS_READY} AND type=? AND process>found.process)
    FROM found WHERE found.process IS NOT NULL
) SELECT process FROM found WHERE process IS NOT NULL"""
"""The processes with ready jobs of a type, each found by a jump in the index, however many jobs they have."""
_TIMED = "state IN ('waiting', 'leased')"
"""The condition of the index over time, said in its words: SQLite does not see that it is implied."""
_WAKE = f"UPDATE {JOB.name} SET state='ready' WHERE {_TIMED} AND state='waiting' AND at<=?"
_EXPIRED = (
    f"SELECT instance, key FROM {JOB.name} WHERE {_TIMED} AND state='leased' AND at<=? AND active=1 "
    "ORDER BY at LIMIT 100"
)
_LEASED = (
    f"SELECT node, retries, attempt, worker, headers FROM {JOB.name} "
    "WHERE instance=? AND key=? AND state='leased' AND at<=? AND active=1"
)
DEFERRED = timedelta(minutes=1)
"""When to look again at a job whose instance can't be read."""
_UNREADABLE = (FlowkitError, LookupError, TypeError, ValueError, AttributeError)
"""What reading an instance may raise when what is stored of it is not what this flowkit wrote."""


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
    """Lease up to ``types[type]`` ready jobs of each type, up to ``total`` of all.

    Higher priority first, whatever the type; then types and processes take turns, and among the jobs of
    one process those that have waited longest come first.
    """
    session, changes = unit.fresh(JOB)
    session.run(_WAKE, (unit.at,))
    ends = unit.at + lease // timedelta(microseconds=1)
    rows = _chosen(_queues(unit, session, types, _opened(changes, types), total), types, total)
    lives = _readable(unit, {row[2] for row in rows})
    claimed = []
    for _priority, _at, instance, key, kind, node, process, retries, attempt, headers in rows:
        live = lives.get(instance)
        if live is None or key not in live.instance.waits:
            _defer(unit, instance, key)
            continue
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


Queue = tuple[str, str]
"""A job type and a process: those that have both in common wait in one queue."""


def _opened(changes: Changes, types: Collection[str]) -> dict[Queue, list[Row]]:
    """Jobs by queue that this very transaction opened: they are claimed before they are ever stored as
    ready, which saves writing them twice."""
    opened: dict[Queue, list[Row]] = {}
    for row in changes.new_rows(JOB):
        instance, key, kind, node, process, retries, attempt, priority, state, at, _, headers, _, active = row
        if state == "ready" and active and kind in types:
            opened.setdefault((kind, process), []).append(
                (-priority, at, instance, key, kind, node, process, retries, attempt, headers)
            )
    return opened


def _queues(
    unit: Unit, session: Session, types: Mapping[str, int], opened: Mapping[Queue, Sequence[Row]], total: int
) -> list[list[Row]]:
    """The beginnings of all queues that have ready jobs; which is the first changes from claim to claim."""
    found = dict.fromkeys(opened)
    for kind in _ready_types(session, types):
        found.update(dict.fromkeys((kind, row[0]) for row in session.query(_PROCESSES, (kind, kind))))
    queues = sorted(found)
    if len(queues) > 1:
        first = next(unit.parts.turns) % len(queues)
        queues = (queues[first:] + queues[:first])[:total]
    return [
        _ready(unit, session, queue, min(types[queue[0]], total), opened.get(queue, ())) for queue in queues
    ]


def _ready(unit: Unit, session: Session, queue: Queue, limit: int, opened: Sequence[Row]) -> list[Row]:
    """Up to ``limit`` ready jobs of a queue, stored ones and ``opened`` ones, in their order."""
    if limit <= 0:
        return []
    changes = unit.batch.changes
    stored = session.query(_READY + unit.parts.store.skip, (*queue, limit))
    rows = [row for row in stored if not changes.removes(JOB, (row[2], row[3]))]
    if not opened:
        return rows
    return sorted([*rows, *opened], key=itemgetter(0, 1))[:limit]


def _chosen(queues: Sequence[list[Row]], types: Mapping[str, int], total: int) -> list[Row]:
    """Higher priority first; among equals the queues take turns, so that a flood from one process does
    not keep the jobs of another waiting."""
    if len(queues) == 1:
        return queues[0]
    waiting = []
    for number, queue in enumerate(queues):
        ranks: Counter[int] = Counter()
        for row in queue:
            waiting.append((row[0], ranks[row[0]], number, row))
            ranks[row[0]] += 1
    waiting.sort(key=itemgetter(0, 1, 2))
    left = dict(types)
    chosen: list[Row] = []
    for *_, row in waiting:
        if len(chosen) < total and left[row[4]] > 0:
            left[row[4]] -= 1
            chosen.append(row)
    return chosen


def _ready_types(session: Session, types: Mapping[str, int]) -> list[str]:
    """Those of ``types`` that have ready jobs, without asking for each: an engine knows many types
    and few of them have work at any moment."""
    if len(types) <= 2:
        return list(types)
    ready = set()
    rows = session.query(_TYPES, ("",))
    while rows:
        ready.add(rows[0][0])
        rows = session.query(_TYPES, rows[0])
    return [kind for kind in types if kind in ready]


def _readable(unit: Unit, instances: Collection[str]) -> Mapping[str, Live]:
    """The instances, but for those that can't be read: what an operator broke, or a diagram that this
    version of flowkit refuses, must not keep everybody else's jobs from being done."""
    try:
        return unit.peek(instances)
    except StoreUnavailable:
        raise
    except _UNREADABLE:
        if len(instances) > 1:
            return {name: live for one in instances for name, live in _readable(unit, [one]).items()}
        _log.exception("Instance %s can't be read.", *instances)
        return {}


def _defer(unit: Unit, instance: str, key: int) -> None:
    _log.error(
        "Job %s can't be begun: its instance can't be read. It is tried again in %s.",
        join_id(instance, key),
        DEFERRED,
    )
    later = unit.at + DEFERRED // timedelta(microseconds=1)
    unit.changes.patch(JOB, (instance, key), {"state": "waiting", "at": later})


def expired(unit: Unit) -> list[tuple[str, int]]:
    """Jobs whose lease ran out, the longest ago first; at most a hundred."""
    session, changes = unit.fresh(JOB)
    rows = session.query(_EXPIRED + unit.parts.store.skip, (unit.at,))
    return [(instance, key) for instance, key in rows if not changes.removes(JOB, (instance, key))]


def expire(unit: Unit, instance: str, key: int) -> None:
    """A lease that ran out is a failed attempt, unless somebody has renewed it or given the job back."""
    unit.load(instance)  # which locks it, as every step does before it touches the rows
    for node, retries, attempt, worker, headers in unit.read(JOB).query(_LEASED, (instance, key, unit.at)):
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
    except (Exception, SystemExit) as error:  # a handler ends its attempt, not its worker
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
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # which would end the loop for all
        return command_for_failure(job, error, context.now)


def _done(job: Claimed, result: Mapping[str, Any], context: TaskContext) -> Report:
    command = CompleteJob(job=job.key, variables=result)
    if not context.outgoing:
        return command
    return Sending(command, [checked(posted) for posted in context.outgoing])


def command_for_failure(job: Claimed, error: BaseException, now: datetime) -> Command:
    """What a handler's exception means: a BPMN error, another attempt, or an incident."""
    if isinstance(error, BpmnError):
        return ThrowBpmnError(
            job=job.key,
            code=error.code,
            message=storable(error.message),
            variables=json_copy(error.variables),
        )
    left = max(job.retries - 1, 0)
    if isinstance(error, InvalidPayload | InvalidHandler):
        left = 0  # the same would fail again
    delay = backoff(job.id, job.attempt, job.headers)
    if isinstance(error, Retry) and error.after is not None:
        delay = error.after
    where = {"instance_id": job.instance, "process_id": job.process, "element_id": job.node}
    text = storable(str(error))
    _log.warning(
        "Attempt %s of job %s failed: %s", job.attempt, job.id, text, extra={**where, "job_id": job.id}
    )
    message = text or type(error).__name__
    if not isinstance(error, FlowkitError | Retry):
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return FailJob(
        job=job.key,
        message=message,
        retries=left,
        retry_at=now + delay if left else None,
        details=_details(job, error),
    )


def _details(job: Claimed, error: BaseException) -> str:
    """The traceback and the inputs, bounded: they stay in the history."""
    trace = "".join(traceback.format_exception(error))[-8000:]
    inputs = job.variables[:4000].decode(errors="replace")
    return storable(f"Attempt {job.attempt} with {inputs}\n{trace}")
